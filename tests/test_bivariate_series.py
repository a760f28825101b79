"""Phi2 in balls: the series agree with the quadrature, and hold where that gives up."""

from __future__ import annotations

from typing import Any

import pytest
from flint import arb, ctx

from ntksym.errors import Undecided
from ntksym.verify.rules import bivariate, bivariate_series

POINTS = (
    (0.3, -1.2, 0.0), (0.3, -1.2, 0.4), (2.5, 2.0, 0.83), (-3.0, 0.1, 0.85), (1.0, 1.0, 0.95),
    (-2.0, -2.0 + 1e-9, 1 - 2**-40), (3.0, 2.9, 1 - 2**-10), (0.5, -0.5, 1 - 2**-20),
)  # fmt: skip


@pytest.mark.parametrize("radius", (0.0, 1e-30))
def test_series_and_quadrature_overlap(radius: float, monkeypatch: pytest.MonkeyPatch) -> None:
    with ctx.workprec(200):
        given = [[arb(v, radius) for v in p] for p in POINTS]
        series = [bivariate._real(*p) for p in given]
        monkeypatch.setattr(bivariate, "summed", lambda *_: None)
        exact = [bivariate._real(*(v.mid() for v in p)) for p in given]
        for found, known, (_, _, r) in zip(series, exact, given, strict=True):
            assert found.overlaps(known)
            slope = 1 / (1 - r * r).sqrt()
            assert found.rad() <= radius * (1 + slope) + 2.0**-190


@pytest.mark.parametrize("bits", (60, 120, 200))
def test_one_rule_and_the_series_overlap(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule has few nodes, is narrow, and is what moderate precision takes."""
    with ctx.workprec(bits):
        for r in (1e-9, 0.1, 0.5, 0.8):
            for h, k in ((0.0, 0.0), (0.3, -1.2), (-4.0, 3.5), (2.5, 2.0)):
                given = arb(h), arb(k), arb(r)
                found = bivariate_series._by_nodes(*given, bits)
                assert found.overlaps(bivariate_series._near_zero(*given, bits))
                assert found.rad() < arb(2) ** (8 - bits)
        assert bivariate_series._by_nodes(arb(1), arb(1), arb("0.999"), bits) is None
        monkeypatch.setattr(bivariate_series, "_near_zero", None)
        assert bivariate_series.summed(arb(1), arb(-1), arb("0.3")).is_finite()


def test_balls_of_arguments_enclose_the_values_inside() -> None:
    def at(h: Any, k: Any, r: Any) -> Any:
        return bivariate._real(arb(h), arb(k), arb(r))

    with ctx.workprec(120):
        whole = bivariate._real(arb(0.5, 1e-3), arb(0.25, 1e-3), arb(0.98, 1e-3))
        for sign in (-1, 1):
            assert whole.contains(at(0.5 + sign * 9e-4, 0.25 + sign * 9e-4, 0.98 - sign * 9e-4))
        assert not whole.contains(at(0.52, 0.27, 0.98)) and whole.rad() < 2e-3


def test_nearly_parallel_with_wide_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the quadrature ends without an answer."""
    with ctx.workprec(300):
        given = arb(0.7, 1e-40), arb(0.7) + arb(10) ** -12, 1 - arb("1e-25") + arb(0, 1e-80)
        assert bivariate._real(*given).rad() < arb("1e-40")
        monkeypatch.setattr(bivariate, "summed", lambda *_: None)
        with pytest.raises(Undecided):
            bivariate._real(*given)
