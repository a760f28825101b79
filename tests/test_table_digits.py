"""Tables of 1e-14: what rounding may add is bounded closely, and what runs is within the bound."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb

from ntksym.language import as_activation
from ntksym.numeric.table import BandedDual, table_dual
from ntksym.numeric.table.argument import slopes_of
from ntksym.numeric.table.pack import UNIT, pack
from ntksym.verify.balls import enclose_definition


def truth(name: str, q11: float, q12: float, q22: float, slope: bool) -> Fraction:
    """The dual from its definition: nothing of the tables."""
    args = [Fraction(v) for v in (q11, q12, q22)]
    expr = as_activation(name).expr
    return enclose_definition(expr, *args, digits=18, derivative=slope, floor=21).mid


def errors(table: Any, name: str, q11: float, q12: float, q22: float) -> list[float]:
    """What value and derivative are off by at one point, relative to their sizes."""
    root = math.sqrt(Fraction(q11) * Fraction(q22) - Fraction(q12) ** 2)
    out = []
    for value, slope in zip(table.at(q11, q12, q22, root), (False, True), strict=True):
        size = math.sqrt(truth(name, q11, q11, q11, slope) * truth(name, q22, q22, q22, slope))
        out.append(float(abs(Fraction(value) - truth(name, q11, q12, q22, slope))) / size)
    return out


def test_one_variance() -> None:
    table = table_dual("mish", 1.0, error=1e-14)
    assert table.error <= 1e-14
    assert len(table.value.plus[0][0]) < 30
    assert dict(table.value.parts)["rounding"] > 0, "the arithmetic is in the bound"
    assert max(errors(table, "mish", 1.0, 0.7, 1.0)) <= table.error


@pytest.mark.parametrize(("name", "groups"), [("mish", 1), ("exp(-x^2/2)", 2)])
def test_a_range(name: str, groups: int) -> None:
    """Where the dual varies much, its panels have less rounding for their size."""
    table = table_dual(name, (0.5, 2.0), error=1e-14)
    assert isinstance(table, BandedDual) and len(table.bands) == groups
    assert table.error <= 1e-14
    for place in ((0.5, 0.4, 0.5), (0.6, -0.9, 1.5), (2.0, 1.999, 2.0), (0.9, 0.01, 1.1)):
        assert max(errors(table, name, *place)) <= table.error


def test_slopes_bound_what_rounded_arguments_change() -> None:
    rng = np.random.default_rng(5)
    table = rng.normal(size=(4, 5, 14)) * 0.5 ** np.arange(14)
    off, kappa = 24, 1.5
    bound, plain = slopes_of(table, off, kappa), slopes_of(table, off, 0.0)
    assert bound.x < 0.8 * plain.x, "kappa R is known better than the rest"
    anywhere = slopes_of(table, off, None)
    points = rng.uniform(-1, 1, (3, 4000))
    points[2, :200], points[2, 200:400] = 1.0, -1.0

    def slope(axis: int) -> Any:
        steep = np.polynomial.chebyshev.chebder(table, axis=axis)
        return np.abs(np.polynomial.chebyshev.chebval3d(*points, steep))

    w = (1 + points[2]) / 2
    moved = slope(2) * (2 * w * (5 + 7 * (1 - kappa * w / (1 + kappa))) + 2)
    assert bound.x / 5 < moved.max() <= bound.x
    assert anywhere.x / 5 < (slope(2) * off).max() <= anywhere.x
    assert bound.tau / 5 < (slope(0) + slope(1)).max() <= bound.tau


def test_another_variable_may_be_off_at_either_end() -> None:
    """That of the angle is known best at -1; those of shells and dyadic intervals are not."""
    line = [arb(1), arb(-0.9), arb(0.2)]  # steepest at -1
    steep = 0.9 + 4 * 0.2
    found = {off: float(pack([[line]], arb(1e-20), 0.0, off).rounding) for off in (28, None)}
    assert found[28] > 28 * steep * UNIT > found[None]
