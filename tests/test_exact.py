"""The exact field: arithmetic agrees with numbers, and equal elements have equal forms."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Expr, I, Rational, Symbol, pi, sqrt

from ntksym.errors import NoClosedForm
from ntksym.exact import Exact, Field
from ntksym.symbols import q11, q12, q22

a = Symbol("a", positive=True)
POINT = {q11: 1.3, q12: 0.4, q22: 0.7, a: 1.9}

LEAVES = [q11, q12, q22, a, pi, sqrt(2), sqrt(q11), sqrt(q11 * q22 - q12**2), sqrt(a), I]


def expressions() -> st.SearchStrategy[Expr]:
    leaf = st.sampled_from(LEAVES) | st.integers(-4, 4).map(Rational)
    return st.recursive(
        leaf,
        lambda inner: st.tuples(inner, inner).flatmap(
            lambda p: st.sampled_from([p[0] + p[1], p[0] * p[1], p[0] - p[1]])
        ),
        max_leaves=6,
    )


def number(e: Expr) -> complex:
    return complex(e.xreplace({k: Rational(str(v)) for k, v in POINT.items()}))


@settings(max_examples=120, deadline=None, derandomize=True)
@given(expressions(), expressions())
def test_arithmetic_agrees_with_numbers(f: Expr, g: Expr) -> None:
    field = Field([q11, q12, q22, a])
    x, y = field.of(f), field.of(g)
    for element, value in ((x + y, f + g), (x * y, f * g), (x - y, f - g)):
        assert number(element.expr) == pytest.approx(number(value), rel=1e-9, abs=1e-9)
    if y:
        assert number((x / y).expr) == pytest.approx(number(f) / number(g), rel=1e-8, abs=1e-8)
        assert (x / y) * y == x


@settings(max_examples=80, deadline=None, derandomize=True)
@given(expressions(), expressions(), expressions())
def test_ring_laws_hold_as_equality_of_forms(f: Expr, g: Expr, h: Expr) -> None:
    field = Field([q11, q12, q22, a])
    x, y, z = field.of(f), field.of(g), field.of(h)
    assert x * (y + z) == x * y + x * z
    assert not (x - x)
    assert (x + y) * (x - y) == x * x - y * y


@settings(max_examples=60, deadline=None, derandomize=True)
@given(expressions())
def test_derivative_is_that_of_sympy(f: Expr) -> None:
    field = Field([q11, q12, q22, a])
    assert number(field.of(f).diff(q12).expr) == pytest.approx(
        number(f.diff(q12)), rel=1e-8, abs=1e-8
    )


@pytest.mark.parametrize(
    ("inside", "root"),
    [
        (q11**2, q11),
        (a**2 * q11 / q22, a * sqrt(q11) / sqrt(q22)),
        (Rational(8, 9) * q11**3, 2 * sqrt(2) * q11 * sqrt(q11) / 3),
        ((q11 * q22 - q12**2) / q11, sqrt(q11 * q22 - q12**2) / sqrt(q11)),
        (q12**2, sqrt(q12**2)),
    ],
    ids=str,
)
def test_square_roots(inside: Expr, root: Expr) -> None:
    field = Field([q11, q12, q22, a])
    element = field.of(inside).sqrt()
    assert element * element == field.of(inside)
    assert element == field.of(root)
    assert number(element.expr).real > 0


def test_root_of_a_square_of_unknown_sign_is_an_absolute_value() -> None:
    b = Symbol("b", real=True)
    field = Field([b])
    assert field.of(b**2).sqrt().expr == abs(b)


def test_substitution_moves_through_roots() -> None:
    field = Field([q11, q12, q22])
    element: Exact = field.of(q11 * q22 - q12**2).sqrt() / field.of(q22)
    moved = element.substitute(q12, field.of(q22))
    assert moved == field.of(q22 * (q11 - q22)).sqrt() / field.of(q22)


def test_nested_roots_compute_but_are_marked() -> None:
    field = Field([q11])
    element = field.of(sqrt(1 + sqrt(2) * q11))
    assert field.towers
    assert (element * element).expr == 1 + sqrt(2) * q11
    assert math.isclose(
        complex(element.inverse().expr.xreplace({q11: Rational(3)})).real,
        1 / math.sqrt(1 + math.sqrt(2) * 3),
    )


def test_root_of_a_quotient_is_positive_whatever_the_sign_of_the_denominator() -> None:
    """A denominator is normalised by its leading coefficient, which says nothing of its sign."""
    b = Symbol("b", real=True)
    field = Field([q11, q12, q22, b])
    for e in (1 / (1 - 2 * b * q11) ** 2, 1 / (1 - 2 * b) ** 2, q11 / (1 - q11) * (1 - q11) / q22):
        root = field.of(e).sqrt()
        for value in (Rational(-3, 4), Rational(1, 3), Rational(3)):
            at = {q11: Rational(1, 100), q22: Rational(1, 50), b: value}
            assert complex(root.expr.xreplace(at)).real > 0
        assert root * root == field.of(e)


def test_factors_with_integers_beyond_machine_words() -> None:
    field = Field([q11, q22])
    root = field.of((2**70 * q11 + 1) ** 3 * (q22 + 3) ** 2).sqrt()
    assert root * root == field.of((2**70 * q11 + 1) ** 3 * (q22 + 3) ** 2)
    with pytest.raises(NoClosedForm, match="integers of 141 bits has no factors here; measure the"):
        field.of(q11**2 - 2**140).sqrt()
