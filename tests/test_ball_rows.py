"""Numbers in balls: rows of closed forms with few operations for each value, ends of pieces."""

from __future__ import annotations

from typing import Any

import pytest
from flint import arb
from sympy import Rational, expand, sqrt, symbols

from ntksym.functions import Phi, Phi2
from ntksym.numeric.evaluate import _moving, ball_row, ball_value
from ntksym.precision import precision
from ntksym.verify.functions import pieces

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


def test_an_end_of_a_piece_is_evaluated_once_at_a_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Any] = []
    value = pieces.constant

    def counted(expr: Any, env: Any) -> Any:
        made.append(expr)
        return value(expr, env)

    monkeypatch.setattr(pieces, "constant", counted)
    end = sqrt(2) + sqrt(3) + Rational(1, 977)
    for bits in (64, 128, 64, 128):
        with precision(bits):
            found = pieces.Piece(None, end, end).ends()[1]
        assert bits - 8 < found.rel_accuracy_bits() < bits + 8
    assert made == [end, end]
