"""Logarithms and roots of c + e^g off the real line, and the large variances that need them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import sympy as sp
from flint import acb, arb

from ntksym.language import parse_activation
from ntksym.precision import precision
from ntksym.symbols import x
from ntksym.verify.balls import enclose_definition
from ntksym.verify.evaluate import function

CONTINUED = ("log(2 + 3*exp(x))", "sqrt(2 + 3*exp(x))", "asinh(exp(x))", "log(1 + exp(-2*x))")


@pytest.mark.parametrize("text", CONTINUED)
@pytest.mark.parametrize("start", [4, -6])
def test_values_off_the_line_continue_those_on_it(text: str, start: int) -> None:
    """Up from the line, past the height of the branch points, along the derivative."""
    expr = parse_activation(text).expr
    with precision(128):
        value, slope = function(expr, x), function(sp.diff(expr, x), x)
        end = acb(start, 7)
        way = acb.integral(slope, acb(start), end)
        assert (value(end, True) - value(acb(start), True)).overlaps(way)
        assert value(end, True).is_finite() and way.rad() < 1e-20


@pytest.mark.parametrize("text", CONTINUED)
def test_a_box_at_a_cut_has_no_value(text: str) -> None:
    func = function(parse_activation(text).expr, x)
    line = -0.405465 if text.startswith(("log(2", "sqrt")) else 0.0
    with precision(64):
        assert not func(acb(arb(line, 0.1), 5), True).is_finite()


LARGE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "asinh(exp(x))": lambda z: np.where(
        z > 20, z + np.log(2), np.arcsinh(np.exp(np.minimum(z, 20)))
    ),
    "max(log(1 + exp(5*x)), log(1 + exp(-abs(x))))": lambda z: np.maximum(
        np.logaddexp(0, 5 * z), np.logaddexp(0, -abs(z))
    ),
    "log(2 + 3*exp(-x))": lambda z: np.logaddexp(np.log(2), np.log(3) - z),
}


@pytest.mark.parametrize("text", list(LARGE))
def test_large_variances(text: str) -> None:
    z, step = np.linspace(-9, 9, 900_001, retstep=True)
    weight = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * step
    mean = np.sum(weight * LARGE[text](100 * z))
    expr = parse_activation(text).expr
    assert float(enclose_definition(expr, 10000, 0, 10000).mid) == pytest.approx(mean**2, rel=1e-9)
    for slope in (False, True):
        assert enclose_definition(expr, 10000, 3000, 10000, derivative=slope).rel_digits >= 29


def test_a_slope_infinite_elsewhere_has_its_value_at_variance_zero() -> None:
    expr = parse_activation("abs(x + 0.3)^0.37*tanh(x)").expr
    ball = enclose_definition(expr, 0, 0, 3, derivative=True)
    assert ball.rel_digits >= 29 and float(ball.mid) == pytest.approx(0.348129065337951)
