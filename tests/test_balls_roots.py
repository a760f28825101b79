"""Enclosures for roots of functions with a zero, and the rule of few nodes that they use."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from flint import arb
from sympy import Rational

from ntksym.language import as_activation
from ntksym.precision import precision
from ntksym.verify.balls import enclose_definition
from ntksym.verify.prove import evaluate
from ntksym.verify.rules.fewer import Smooth, fewer

_ONE = (Rational(1), Rational(1), Rational(1))
_HALF = (Rational(1), Rational(1, 2), Rational(1))
_NEAR = (Rational(1), Rational(999999, 1000000), Rational(1))


def test_few_nodes_give_the_sum_of_many() -> None:
    with precision(200):
        points = [(arb(k * k) / 10**7, arb((-1) ** k) / (k + 1)) for k in range(600)]
        few, error = fewer(points, Smooth(arb(1), arb("0.0002")), arb(10) ** -20)
        assert len(few) < 500 and 0 < float(error) < 1e-18
        sums = [
            sum((w * (-((t - arb("0.004")) ** 2) * 5000).exp() for t, w in nodes), arb(0))
            for nodes in (points, few)
        ]
        assert abs(sums[0] - sums[1]) < error
        assert sums[0] > 1e-3


def _coefficient(f, n: int):  # type: ignore[no-untyped-def]
    def integrand(t):  # type: ignore[no-untyped-def]
        value = mpmath.hermite(n, t / mpmath.sqrt(2)) * mpmath.exp(-t * t / 2)
        return f(t) * value / mpmath.sqrt(mpmath.mpf(2) ** n * mpmath.factorial(n) * 2 * mpmath.pi)

    return 2 * mpmath.quad(integrand, [0, 1, 3, 5, 8, 12]) if n % 2 else mpmath.mpf(0)


@pytest.mark.parametrize(
    ("text", "f"),
    [
        ("cbrt(asinh(erf(x)))", lambda t: mpmath.cbrt(mpmath.asinh(mpmath.erf(t)))),
        ("tanh(cbrt(x))", lambda t: mpmath.tanh(mpmath.cbrt(t))),
    ],
)
def test_roots_against_quadrature(text, f) -> None:  # type: ignore[no-untyped-def]
    """Odd functions: the sum of rho^n a_n^2, a_n by mpmath."""
    ball = enclose_definition(as_activation(text), *_HALF)
    total = sum(_coefficient(f, n) ** 2 * mpmath.mpf(0.5) ** n for n in range(1, 34, 2))
    assert abs(float(ball.mid) - float(total)) < 1e-9
    near = enclose_definition(as_activation(text), *_NEAR)
    whole = 2 * mpmath.quad(
        lambda t: f(t) ** 2 * mpmath.exp(-t * t / 2) / mpmath.sqrt(2 * mpmath.pi),
        [0, 0.1, 1, 3, 6, 12],
    )
    assert 0 < float(whole) - float(near.mid) < 2e-5
    assert near.rel_digits >= 30


def test_slope_of_a_root_near_correlation_one() -> None:
    """For |x|^(1/3) sgn the derivative of the dual is known: the power rule of another file."""
    ball = enclose_definition(as_activation("cbrt(x)+0*x"), *_NEAR, derivative=True)
    # the same function with a scale that no rule for pure powers knows
    other = enclose_definition(as_activation("sin(cbrt(x)/100)*100"), *_NEAR, derivative=True)
    assert ball.rel_digits >= 30 and other.rel_digits >= 30
    assert abs(float(other.mid / ball.mid) - 1) < 1e-3


@pytest.mark.parametrize(
    ("text", "power"),
    [("tanh(cbrt(x))", "-4/3"), ("cbrt(asinh(erf(x)))", "-4/3"), ("silu(sqrt(abs(x)))", "-1")],
)
def test_infinite_slope_on_the_diagonal_says_so(text: str, power: str) -> None:
    _, (value, slope) = evaluate(as_activation(text), _ONE)
    assert value.definition is not None
    assert slope.divergent and slope.definition is None
    assert f"to the power {power}" in slope.note


def test_infinite_slope_at_variance_zero_says_so() -> None:
    _, (value, slope) = evaluate(as_activation("tanh(cbrt(x))"), (0, 0, 1))
    assert value.definition is not None and value.definition.mid == 0 and slope.divergent
    assert "the function is infinite at the point x = 0" in slope.note


def test_a_slope_that_is_no_integral_is_refused_off_the_diagonal() -> None:
    _, (_, _, slope) = evaluate(as_activation("abs(sinh(x))^(-1/5)*cos(x)"), _HALF)
    assert slope.divergent and "-6/5" in slope.note


def test_kinks_that_come_ever_closer_are_cut_as_far_as_the_law_reaches() -> None:
    """sin(x) and tanh(x) nearly touch far out, where a law of variance 1 has no mass."""
    ball = enclose_definition(as_activation("max(tanh(x), sin(x))"), *_ONE)

    def density(t):  # type: ignore[no-untyped-def]
        value = max(mpmath.tanh(t), mpmath.sin(t))
        return value**2 * mpmath.exp(-t * t / 2) / mpmath.sqrt(2 * mpmath.pi)

    want = mpmath.quad(density, [-12, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 5, 8, 12])
    assert abs(float(ball.mid) - float(want)) < 1e-5
    assert ball.rel_digits >= 30


def test_slope_with_irrational_kinks_is_the_slope_of_the_value() -> None:
    """Price's theorem: the derivative of E[s(u)s(v)] in q12, by a difference of balls."""
    act = as_activation("abs(x^2-2)^(1/3)")
    q11, q12, q22, h = Rational(9), Rational(-4), Rational(5, 2), Rational(1, 100)
    slope = enclose_definition(act, q11, q12, q22, derivative=True)
    ends = [enclose_definition(act, q11, q12 + k * h, q22).mid for k in (1, -1)]
    assert slope.rel_digits >= 30
    assert abs(float((ends[0] - ends[1]) / (2 * h)) - float(slope.mid)) < 1e-5


@pytest.mark.parametrize(
    "text",
    ["sqrt(log(1+x^2))", "sqrt(1-cos(x))", "piecewise((exp(-1/(1-x^2)), abs(x)<1), (0, True))"],
)
def test_a_bounded_function_is_not_said_to_be_infinite(text: str) -> None:
    """What is infinite is a part of the formula: where it is not enclosed, that is what is said."""
    _, both = evaluate(as_activation(text), _HALF, digits=10)
    for dual in both:
        assert dual.definition is not None or "cannot integrate" in dual.note or "not " in dual.note
        assert not dual.divergent


@pytest.mark.parametrize("text", ["abs(x)^pi", "max(x, 0)^sqrt(2)", "sign(x)*abs(x)^(1/pi) + x"])
def test_powers_with_irrational_exponents(text: str) -> None:
    _, found = evaluate(as_activation(text), (Rational(9), Rational(-4), Rational(5, 2)), {}, 30)
    assert [c.agree for c in found] == [True] * len(found) and len(found) >= 2


def test_irrational_powers_of_what_is_positive() -> None:
    ball = enclose_definition(as_activation("(1 + x^2)^(pi/4)").expr, 1, 0, 4)
    z, step = np.linspace(-10, 10, 4001, retstep=True)
    weight = np.exp(-z * z / 2) * step / np.sqrt(2 * np.pi)
    means = [np.sum(weight * (1 + (s * z) ** 2) ** (np.pi / 4)) for s in (1, 2)]
    assert ball.rel_digits >= 30 and float(ball.mid) == pytest.approx(means[0] * means[1])
