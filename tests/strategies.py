"""Hypothesis: activations of the class that nobody thought of, and covariances."""

from __future__ import annotations

from hypothesis import strategies as st
from sympy import Abs, Expr, Heaviside, Max, Min, Rational, cos, cosh, exp, sign, sin, sqrt

from ntksym.functions import Phi
from ntksym.symbols import x

RATIONALS = st.sampled_from([Rational(n, d) for n in (-3, -2, -1, 1, 2, 3) for d in (1, 2)])
SMOOTH = [
    lambda k: x,
    lambda k: x**2,
    lambda k: sin(k * x),
    lambda k: cos(x + k),
    lambda k: exp(k * x / 2),
    lambda k: exp(-(x**2) * abs(k) / 2),
    lambda k: Rational(1) + k * x,
    lambda k: cosh(x / 2),
]
KINKED = [
    lambda k: Max(x, k * x),
    lambda k: Max(x - k, 0),
    lambda k: Abs(x + k),
    lambda k: sign(x) * k,
    lambda k: Heaviside(x - k),
    lambda k: Min(Max(x, -1), abs(k)),
    lambda k: exp(-abs(k) * Abs(x)),
    lambda k: Phi(k * x),
    lambda k: Phi(x + k / 2),
    lambda k: sqrt(abs(k)) * Heaviside(k - x),
]


@st.composite
def activations(draw: st.DrawFn) -> Expr:
    """A kinked or gated factor (at most one) times smooth ones, plus a smooth part."""
    total: Expr = Rational(0)
    for _ in range(draw(st.integers(1, 2))):
        term: Expr = draw(RATIONALS)
        for _ in range(draw(st.integers(0, 2))):
            term = term * draw(st.sampled_from(SMOOTH))(draw(RATIONALS))
        if draw(st.booleans()):
            term = term * draw(st.sampled_from(KINKED))(draw(RATIONALS))
        total = total + term
    return total


COVARIANCES = st.sampled_from(
    [
        (Rational(13, 10), Rational(2, 5), Rational(7, 10)),
        (Rational(1), Rational(-3, 5), Rational(1)),
        (Rational(1, 4), Rational(1, 5), Rational(2)),
        (Rational(2), Rational(-1), Rational(3, 4)),
    ]
)
