"""Rows of closed forms in balls: the values of one at a time, with few operations for each."""

from __future__ import annotations

from flint import arb
from sympy import Rational, expand, sqrt, symbols

from ntksym.functions import Phi, Phi2
from ntksym.numeric.evaluate import _moving, ball_row, ball_value

a, b = symbols("a b")
POLYNOMIAL = expand((a + b + a * b + Rational(1, 3)) ** 9)
FORMS = (
    POLYNOMIAL,
    POLYNOMIAL * Phi(a * b / sqrt(1 + b**2)) - 2 * a * Phi2(a, b, Rational(1, 3)) * b + b - a + 5,
    a**2 + 1,
    -b,
)


def test_a_row_has_the_values() -> None:
    values = {a: arb("0.7")}
    balls = [arb(n) / 5 for n in range(-3, 4)]
    for form in FORMS:
        row = ball_row(form, values, b, balls)
        assert len(row) == len(balls)
        for z, found in zip(balls, row, strict=True):
            one = ball_value(form, {**values, b: z})
            assert found.overlaps(one) and found.rad() < 2.0**-30


def test_a_polynomial_has_a_term_for_each_power() -> None:
    """It has a hundred terms: what moves are powers, their products and one sum."""
    assert len(POLYNOMIAL.args) == 100
    assert len(_moving(POLYNOMIAL, b)) < 25
