"""What fails is foreseen: the number of things that are built before the choice is made."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from ntksym.errors import Undecided
from ntksym.language import as_activation
from ntksym.network import parse_spec
from ntksym.numeric.choose import choose
from ntksym.numeric.patience import TooLong, at_most
from ntksym.numeric.rules import RULES, Rule
from ntksym.numeric.table import BandedDual, table_dual
from ntksym.numeric.table.bands import cross
from ntksym.numeric.table.pack import pack
from ntksym.precision import precision
from ntksym.runtime.units import layers
from ntksym.runtime.units.common import common_range
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


def test_a_series_that_doubles_see_to_be_too_long_is_not_begun() -> None:
    """Balls found the same after seconds, for every layer and every error."""
    seconds, span = RULES["series"].seconds, (Fraction(1), Fraction(30))
    assert seconds is not None
    for text in ("x*cos(log(1+x^2))", "sqrt(1+x^2)-1"):
        with pytest.raises(Undecided, match=r"leaves about .* after 1024 terms, not 1e-10"):
            seconds(as_activation(text), span, 1e-10)
    assert seconds(as_activation("x*tanh(x)"), (Fraction(1), Fraction(1)), 1e-10) == 0.0


def test_a_relaxed_table_far_too_long_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an error a hundred times as large a table takes about half the time."""
    looked: list[float] = []

    def seconds(act: Any, variances: Any, error: float) -> float:
        looked.append(error)
        return 1000.0 if error < 1e-9 else 1.0

    made = Rule("tabulated", "ns", lambda *_: "table", seconds=seconds)
    monkeypatch.setitem(RULES, "tabulated", made)
    monkeypatch.setitem(RULES, "series", Rule("series", "ns", lambda *_: "series"))
    found = choose("mish", variances=(1, 2), code=True)
    assert found.method == "series" and looked == [1e-10]
    refused = Rule("series", "ns", lambda *_: built_nothing())
    monkeypatch.setitem(RULES, "series", refused)
    monkeypatch.setitem(RULES, "quadrature", Rule("quadrature", "ns", lambda *_: "rule"))
    found = choose("mish", variances=(1, 3), code=True)
    assert found.method == "quadrature" and looked == [1e-10, 1e-10]
    assert "about 250 s" in " ".join(c.reason for c in found.candidates)


def built_nothing() -> Any:
    raise Undecided("refused")


def test_layers_share_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one activation: the range that is asked for holds the variances of later layers too."""
    asked: list[tuple[float, float]] = []
    whole = layers.choose

    def choose_(act: Any, **options: Any) -> Any:
        if options.get("variances") is not None:
            asked.append(tuple(map(float, options["variances"])))
        return whole(act, **options)

    monkeypatch.setattr(layers, "choose", choose_)
    net = parse_spec("mlp:mish:depth=3,weight_var=2")
    made = layers.plan(net, layers.Wanted("tabulated", 1e-6), (0.5, 1.0))
    assert len(made.choices) == 1 and len(asked) == 1
    low, high = asked[0]
    assert low < 0.5 and high == 1.0  # what the layers behind have, and the first
    assert [step.kind for step in made.schedule.steps] == [0, 0, 0]


@pytest.mark.parametrize("own", ["tabulated", "quadrature"])
def test_all_rules_are_not_tried_for_a_range_whose_table_is_far(
    monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    """x*exp(-exp(-x)), depth 3, tried them for two ranges before its own: 47 s, now 15 s."""
    asked: list[tuple[str, Any]] = []
    plain, act = layers.AUTO, parse_spec("mlp:x*atan(x):depth=1").blocks[0][0]
    free = layers._choice(act, plain, None)

    def choice(n: Any, wanted: Any, span: Any) -> Any:
        if span is None:
            return free
        asked.append((wanted.method, span))
        return replace(free, method=own)

    def far(activation: Any, variances: Any, error: float) -> float:
        return 1e3 if variances[0] < 0.5 else 1.0

    monkeypatch.setattr(layers, "_choice", choice)
    rule = layers.RULES["tabulated"]
    monkeypatch.setitem(layers.RULES, "tabulated", replace(rule, seconds=far))
    monkeypatch.setattr(layers.kept, "known", lambda *_: False)
    span, rest = (0.5, 2.0), [(act, 0.0, 1.0)] * 2
    wide = common_range(rest, span)
    found, held = layers._shared_choice(act, plain, span, rest)
    assert found.method == own and wide[0] < 0.5
    assert held == (span if own == "tabulated" else wide)
    assert asked == [("auto", span), ("quadrature", wide)][: 1 if own == "tabulated" else 2]


def test_a_range_is_shared_where_that_is_less() -> None:
    """Not where the largest variance grows, nor where ranges are far apart or too wide."""
    act = parse_spec("mlp:x*tanh(x):depth=1").blocks[0][0]
    same, growing, falling = (act, 0.0, 1.0), (act, 0.0, 4.0), (act, 0.0, 0.01)
    low, high = common_range([same, same], (0.5, 2.0))
    assert low < 0.5 and high == 2.0
    assert common_range([growing, growing], (0.5, 2.0)) == (0.5, 2.0)
    assert common_range([falling, falling], (1.9, 2.0)) == (1.9, 2.0)
    assert common_range([same], (0.5, 2.0)) == (0.5, 2.0)
    kinked = parse_spec("mlp:max(x,0)*cos(x)+step(x-1):depth=1").blocks[0][0]
    low, high = common_range([(kinked, 0.0, 2.0)] * 2, (0.5, 2.0))
    ends = [2 * moment(q) for q in np.geomspace(0.5, 2.0, 129)]
    assert low == pytest.approx(min(ends), rel=0.02) and low < min(ends) and high == 2.0
    # as many layers as one table is for
    short = common_range([same] * 2, (0.01, 2.0))
    assert common_range([same] * 12, (0.01, 2.0))[0] <= short[0] < 0.01


def moment(q: float) -> float:
    """E[s(u)^2] of max(x, 0) cos x + step(x - 1), by a sum of its own."""
    z = np.linspace(-10, 10, 200_001)
    u = np.sqrt(q) * z
    weight = np.exp(-z * z / 2)
    return float(((np.maximum(u, 0) * np.cos(u) + (u > 1)) ** 2 * weight).sum() / weight.sum())


def test_pairs_that_do_not_fit_into_the_time_are_not_begun() -> None:
    """What the steepest band takes with itself says how long all the pairs take at least."""
    one: Any = None
    alone = cross.Alone((one,), (one,), one)
    with at_most(1.0):
        cross._foresee(alone, 2, 1.0)  # two pairs more, in 0.6 s at least
        with pytest.raises(TooLong, match="given up: about"):
            cross._foresee(alone, 5, 1.0)
    cross._foresee(alone, 5, 1.0)  # no limit
