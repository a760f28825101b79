"""Tables of one variance from a rule in the plane: narrow bends, and many kinks."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import pytest
from sympy import Abs, Expr, Max, Rational, atan, sin, tanh

from ntksym.activation import Activation
from ntksym.errors import Undecided
from ntksym.numeric.table.dyadic.plane import PlaneSums, plane_sums
from ntksym.numeric.table.dyadic.plane_build import _ends, _rule, plane_seconds, plane_table
from ntksym.numeric.table.dyadic.table import DyadicTable
from ntksym.numeric.table.single import _ways
from ntksym.symbols import x
from ntksym.verify.balls import enclose_definition

NARROW = tanh(12 * x) * atan(x)
KINKED = Max(x, -1) * Abs(x - Rational(1, 3)) / (1 + x**2)
TINY = Rational(1, 2**20)


@lru_cache(maxsize=2)
def made(expr: Expr, parity: int) -> PlaneSums:
    subject, rule = _rule(expr, 2.0, 1e-9)
    return plane_sums(subject, rule, _ends(subject, 2.0, parity), parity)


@pytest.mark.parametrize("expr, parity", [(NARROW, 1), (KINKED, 0)], ids=["narrow", "kinks"])
@pytest.mark.parametrize("t", [Rational(1, 3), TINY])
def test_a_value_and_its_error_enclose_the_definition(expr: Expr, parity: int, t: Rational) -> None:
    sums = made(expr, parity)
    rho = (1 - t**2) / (1 + t**2)
    for which, found in enumerate(sums.at(float(t))):
        assert 0 < found.error < 1e-9
        for value, sign in ((found.plus, 1), (found.minus, -1)):
            ball = enclose_definition(expr, 2, 2 * sign * rho, 2, derivative=bool(which), digits=16)
            assert abs(value - float(ball.mid)) <= found.error


def test_most_of_the_error_is_that_of_the_rule() -> None:
    sums = made(KINKED, 0)
    for found, bound in zip(sums.at(0.5), sums.bounds, strict=True):
        assert bound < found.error < bound + 2e-12


def test_the_table_holds_its_bound_next_to_correlation_one() -> None:
    table = plane_table(Activation("narrow", NARROW), Fraction(1, 2), error=1e-3)
    assert isinstance(table, DyadicTable)
    assert 0 < table.error <= 1e-3
    near = 1 - Rational(1, 2**40)
    for rho in (Rational(-3, 4), near, -near, Rational(1), Rational(-1)):
        found = table.at(0.5, float(rho) / 2, 0.5)
        scales = table.value.diag, table.dot.diag
        for which, (value, scale) in enumerate(zip(found, scales, strict=True)):
            ball = enclose_definition(
                NARROW, Rational(1, 2), rho / 2, Rational(1, 2), derivative=bool(which), digits=12
            )
            assert abs(value - float(ball.mid)) <= table.error * scale


def test_a_narrow_bend_has_a_table_within_seconds() -> None:
    ways = _ways(1 / (1 + 1000 * x**2), Fraction(1), 1e-10)
    assert ways[0][1] == "plane" and ways[0][0] < 20


def test_a_wide_one_keeps_its_series() -> None:
    assert [way for _, way in _ways(atan(x), Fraction(1), 1e-10)] == ["series"]


def test_what_has_no_such_table_says_why() -> None:
    with pytest.raises(Undecided, match=r"no table from a rule in the plane has an error of 1e-14"):
        plane_table(Activation("s", sin(x)), 1, error=1e-14)
    with pytest.raises(Undecided, match="not bounded at a kink"):
        plane_seconds(Abs(x) ** Rational(1, 3), 1.0, 1e-8)
