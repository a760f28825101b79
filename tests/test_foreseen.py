"""What fails is foreseen: the number of things that are built before the choice is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ntksym.errors import Undecided
from ntksym.language import as_activation
from ntksym.numeric.table import BandedDual, table_dual
from ntksym.numeric.table.bands import cross
from ntksym.numeric.table.pack import pack
from ntksym.precision import precision
from ntksym.verify.balls import enclose_definition


def test_the_steepest_band_is_proven_before_others_are_enclosed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wide range that is refused is refused there: no other band is enclosed for it."""
    enclosed: list[float] = []
    whole = cross._enclose

    def enclose(band: Any, *given: Any) -> None:
        enclosed.append(band.axis.high)
        whole(band, *given)

    def refuse(*_: Any) -> Any:
        raise Undecided("refused")

    monkeypatch.setattr(cross, "_enclose", enclose)
    monkeypatch.setattr("ntksym.numeric.table.bands.pairs._whole", refuse)
    monkeypatch.setattr("ntksym.numeric.table.bands.pairs._sided", refuse)
    with pytest.raises(Undecided, match="refused"):
        table_dual("x*tanh(x)", (0.01, 3), error=1e-6)
    assert enclosed == [3.0]


def test_kinks_where_variances_are_small_leave_next_to_nothing() -> None:
    """Without truncated powers of order 12 less is left than rounding lets an integral tell."""
    act = as_activation("step(x)*sin(x)")
    found = table_dual(act, (0.03, 0.1), error=1e-6)
    assert isinstance(found, BandedDual)
    value, dot = found.at(0.04, 0.03, 0.09)
    for number, derivative in ((value, False), (dot, True)):
        ball = enclose_definition(act, "0.04", "0.03", "0.09", digits=12, derivative=derivative)
        assert abs(number - float(ball.mid)) <= 1e-6 * (0.02 if not derivative else 1.0)


def test_powers_of_all_three_variables() -> None:
    """Of a nested Chebyshev series, behind what leads every line."""
    from flint import arb

    with precision(160):
        tensor = [
            [[arb(2) ** (-i - 2 * j - k) for k in range(9)] for j in range(5)] for i in range(4)
        ]
        for lead in (0, 1):
            found = pack(tensor, arb(2) ** -7, 0.3, lead=lead)
            lengths = [[len(line) for line in plane] for plane in found.rows]
            assert len({n for row in lengths for n in row}) > 3 and found.dropped < arb(2) ** -7
            for t, s, u in ((0.3, -0.7, 0.9), (-1.0, 0.2, -0.4)):
                total = stored = 0.0
                for i, plane in enumerate(found.rows):
                    for j, line in enumerate(plane):
                        cheb = np.cos(i * np.arccos(t)) * np.cos(j * np.arccos(s))
                        for k in range(len(line)):
                            own = 2.0 ** (-i - 2 * j - k)
                            if k >= lead:
                                total += own * cheb * np.cos((k - lead) * np.arccos(u))
                                stored += line[k] * t**i * s**j * u ** (k - lead)
                assert stored == pytest.approx(total, abs=1e-14)
