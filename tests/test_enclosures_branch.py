"""Roots and logarithms with zeros inside, and poles in exponents: against Mehler's series in doubles.

The coefficients come from a tanh-sinh rule on each smooth interval, which knows neither boxes nor
ends nor bounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from ntksym.errors import NotSquareIntegrable, Undecided
from ntksym.language import parse_activation
from ntksym.verify.balls import enclose_definition
from ntksym.verify.safe import Divergent

Func = Callable[[Any], Any]
THIRD = 1 / 3
WAVE = 0.7390851332151607  # x = cos(x)


def expected(f: Func, cuts: list[float], rho: float) -> float:
    """E[f(u) f(v)] at unit variances, with the cuts where f or its slope is not smooth."""
    k = np.arange(-45, 46) * 0.07
    w = np.pi / 2 * np.sinh(k)
    nodes, weights = np.tanh(w), 0.07 * np.pi / 2 * np.cosh(k) / np.cosh(w) ** 2
    total = np.zeros(24)
    ends = [-9.0, *cuts, 9.0]
    for a, b in pairwise(ends):
        for low, high in pairwise(np.linspace(a, b, 7)):
            t = (low + high) / 2 + (high - low) / 2 * nodes
            keep = (t > a) & (t < b)
            t, weight = t[keep], (weights * (high - low) / 2)[keep]
            part = weight * f(t) * np.exp(-t * t / 2) / np.sqrt(2 * np.pi)
            before, here = np.zeros_like(t), np.ones_like(t)
            for n in range(24):
                total[n] += part @ here
                before, here = here, (t * here - np.sqrt(n) * before) / np.sqrt(n + 1)
    return float(np.sum(total**2 * rho ** np.arange(24)))


def cbrt_slope(t: Any) -> Any:
    return (3 * t * t - 1) / 3 * np.abs(t**3 - t) ** (-2 * THIRD)


def bend(t: Any) -> Any:
    return np.where(np.abs(t) < 1e-3, t * t / 2 + t**3 / 6, np.expm1(t) - t)


CASES: tuple[tuple[str, list[float], Func, Func], ...] = (
    (
        "sqrt(log(1 + x^2))",
        [0.0],
        lambda t: np.sqrt(np.log1p(t * t)),
        lambda t: t / (1 + t * t) / np.sqrt(np.log1p(t * t)),
    ),
    (
        "sqrt(1 - cos(x))",
        [-2 * np.pi, 0.0, 2 * np.pi],
        lambda t: np.sqrt(2) * np.abs(np.sin(t / 2)),
        lambda t: np.cos(t / 2) * np.sign(np.sin(t / 2)) / np.sqrt(2),
    ),
    ("cbrt(x^3 - x)", [-1.0, 0.0, 1.0], lambda t: np.cbrt(t**3 - t), cbrt_slope),
    (
        "cbrt(x - cos(x))",
        [WAVE],
        lambda t: np.cbrt(t - np.cos(t)),
        lambda t: (1 + np.sin(t)) / 3 * np.abs(t - np.cos(t)) ** (-2 * THIRD),
    ),
    (
        "sqrt(abs(x*(x - 1)))",
        [0.0, 1.0],
        lambda t: np.sqrt(np.abs(t * (t - 1))),
        lambda t: (2 * t - 1) * np.sign(t * (t - 1)) / 2 / np.sqrt(np.abs(t * (t - 1))),
    ),
    (
        "sqrt(exp(x) - x - 1)",
        [0.0],
        lambda t: np.sqrt(bend(t)),
        lambda t: np.expm1(t) / 2 / np.sqrt(bend(t)),
    ),
    (
        "sqrt(log(1 + exp(x)))",
        [],
        lambda t: np.sqrt(np.logaddexp(0, t)),
        lambda t: 1 / (1 + np.exp(-t)) / 2 / np.sqrt(np.logaddexp(0, t)),
    ),
    (
        "tanh(x)/sqrt(abs(x))",
        [0.0],
        lambda t: np.tanh(t) / np.sqrt(np.abs(t)),
        lambda t: (np.cosh(t) ** -2 - np.tanh(t) / t / 2) / np.sqrt(np.abs(t)),
    ),
    (
        "exp(-1/x^2)",
        [0.0],
        lambda t: np.exp(-1 / t**2),
        lambda t: 2 / t**3 * np.exp(-1 / t**2),
    ),
    (
        "piecewise((exp(-1/(1 - x^2)), abs(x) < 1), (0, True))",
        [-1.0, 1.0],
        lambda t: np.where(np.abs(t) < 1, np.exp(-1 / np.maximum(1 - t * t, 1e-9)), 0),
        lambda t: np.where(
            np.abs(t) < 1,
            -2 * t * np.exp(-1 / np.maximum(1 - t * t, 1e-9)) / np.maximum(1 - t * t, 1e-9) ** 2,
            0,
        ),
    ),
    (
        "x*tanh(1/x)",
        [0.0],
        lambda t: t * np.tanh(1 / t),
        lambda t: np.tanh(1 / t) - 4 / t * np.exp(-2 / abs(t)) / (1 + np.exp(-2 / abs(t))) ** 2,
    ),
    (
        "log(1 - tanh(x)^2)",
        [0.0],
        lambda t: -2 * np.log(np.cosh(t)),
        lambda t: -2 * np.tanh(t),
    ),
)


@pytest.mark.parametrize(("text", "cuts", "value", "slope"), CASES, ids=[c[0] for c in CASES])
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:divide:RuntimeWarning")
def test_proven_digits_agree_with_mehler_in_doubles(
    text: str, cuts: list[float], value: Func, slope: Func
) -> None:
    act = parse_activation(text)
    for derivative, func in ((False, value), (True, slope)):
        ball = enclose_definition(act, 1, "1/4", 1, derivative=derivative, digits=20)
        assert ball.rel_digits >= 20 or ball.rad * 10**35 <= 1
        goal = 2e-4 if derivative else 1e-6  # |t - 1|^(-2/3) in doubles has no more
        assert float(ball.mid) == pytest.approx(expected(func, cuts, 0.25), rel=goal)


@pytest.mark.parametrize(
    ("text", "other", "derivative"),
    [
        ("sqrt(1 - cos(x))", "sqrt(2)*abs(sin(x/2))", True),
        ("sqrt(x^2 - 2*x + 1)", "abs(x - 1)", True),
        ("sqrt(log(1 + exp(x))^2 + 0)", "log(1 + exp(x))", True),
        ("exp(-1/abs(x))*x", "sign(x)*abs(x)*exp(-1/sqrt(x^2))", False),
    ],
)
def test_two_forms_overlap(text: str, other: str, derivative: bool) -> None:
    balls = [
        enclose_definition(parse_activation(t), 1, "0.9", 1, digits=20, derivative=derivative)
        for t in (text, other)
    ]
    assert balls[0].overlaps(balls[1])
    assert min(b.rel_digits for b in balls) >= 20


@pytest.mark.parametrize(
    ("text", "side"), [("exp(1/x)", "above"), ("exp(-1/x)", "below"), ("x*exp(1/x^2)", "below")]
)
def test_an_exponential_of_a_positive_pole_has_no_dual(text: str, side: str) -> None:
    with pytest.raises(NotSquareIntegrable, match=f"{side} it: E\\[s\\(u\\)\\^2\\] is infinite"):
        enclose_definition(parse_activation(text), 1, "1/2", 1)


def test_a_slope_that_is_no_integral_is_called_so() -> None:
    with pytest.raises(Divergent, match="to the power -13/10"):
        enclose_definition(
            parse_activation("tanh(x)*abs(x - 1)^(-3/10)"), 1, "1/2", 1, derivative=True
        )


def test_a_pole_beside_a_logarithm_is_called_so() -> None:
    """The slope is log|x - 1| + x/(x - 1): no other term has the power -1, nothing cancels it."""
    with pytest.raises(Divergent, match="infinite at x = 1"):
        enclose_definition(parse_activation("x*log(abs(x - 1))"), 1, "1/2", 1, derivative=True)


def test_a_tolerance_is_made_up_for_at_once() -> None:
    """A root ten deviations out, whose coefficients are tiny and whose mass is huge.

    The number is from two nested Gauss-Legendre rules in doubles, with t^2 = x - 1.
    """
    act = parse_activation("sqrt(max(x - 1, 0))")
    ball = enclose_definition(act, "0.01", "0.005", 4)
    assert ball.rel_digits >= 30
    assert abs(float(ball.mid) / 2.9526736400435e-25 - 1) < 1e-13


def test_a_wave_without_end_at_a_point_is_left_open() -> None:
    with pytest.raises(Undecided):
        enclose_definition(parse_activation("x*sin(1/x)"), 1, "1/2", 1, derivative=True)


def test_one_wide_window_of_singular_points() -> None:
    """At this correlation the windows are one: what panels need far out must not grow with it."""
    act = parse_activation("sqrt(abs(x)) + abs(x - 1)^(3/10)")
    start = time.process_time()
    ball = enclose_definition(act, 1, "0.98", 1)
    assert time.process_time() - start < 6
    assert ball.rel_digits >= 30
    assert float(ball.mid) == pytest.approx(3.44301253571552, rel=1e-13)  # by Mehler's series
