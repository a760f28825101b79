"""Infinitely many kinks: finitely many stand for them, and the bound says what that costs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from sympy import Rational

from ntksym.backends.array.quadrature import ArrayQuadrature
from ntksym.backends.array.unit import array_unit
from ntksym.errors import Undecided
from ntksym.language import as_activation
from ntksym.numeric.finite import NAME, cut_off
from ntksym.numeric.quadrature.single import single_lattice
from ntksym.numeric.rules import RULES
from ntksym.numeric.table import BandedDual
from ntksym.numeric.table.split.table import SplitTable, split_table
from ntksym.verify.balls import enclose_definition

ONE, RANGE = (Fraction(1), Fraction(1)), (Fraction(1, 2), Fraction(2))


def made(text: str, error: float, span: Any = ONE, rule: str = "tabulated") -> Any:
    return RULES[rule].make(as_activation(text), span, error)


def test_the_table_holds_its_bound() -> None:
    text = "abs(sin(x))"
    table, expr = made(text, 1e-4), as_activation(text).expr
    assert table.text == str(expr)
    assert table.error <= 1e-4 and table.value.parts[-1][0] == NAME
    for rho in (Rational(1, 3), 1 - Rational(1, 2**40), Rational(-1)):
        found = table.at(1.0, float(rho), 1.0)
        for which, (value, scale) in enumerate(
            zip(found, (table.value.diag, table.dot.diag), strict=True)
        ):
            ball = enclose_definition(expr, 1, rho, 1, derivative=bool(which), digits=8)
            assert abs(value - float(ball.mid)) <= table.error * scale + 1e-8


def test_a_range_has_a_rule() -> None:
    text, error = "abs(sin(x))", 1e-4
    rule = made(text, error, RANGE, "quadrature")
    assert rule.activation.name == as_activation(text).name
    level = rule.levels[-1]
    assert level.value_relative <= error and level.dot_relative <= error
    expr = as_activation(text).expr
    for q11, q12, q22 in ((2, -1, 1),):
        found = rule.evaluate(float(q11), float(q12), float(q22))
        for which, (value, off) in enumerate(zip(found, (level.value, level.dot), strict=True)):
            ball = enclose_definition(expr, q11, q12, q22, derivative=bool(which), digits=8)
            assert abs(float(value) - float(ball.mid)) <= off + 1e-8


@pytest.mark.parametrize("text", ["sign(sin(x))", "piecewise((1, sin(x) > 0), (x, True))"])
def test_jumps_without_end_have_tables_and_rules(text: str) -> None:
    """Those within reach; of steps the slope is 0, to which no bound is relative."""
    expr = as_activation(text).expr
    table, rule = made(text, 1e-4), made(text, 1e-4, RANGE, "quadrature")
    assert table.error <= 1e-4 and rule.levels[-1].value_relative <= 1e-4
    for value, (q11, q12, q22) in (
        (table.at(1.0, 0.96875, 1.0), (1, Rational(31, 32), 1)),
        (rule.evaluate(2.0, -1.0, 1.0), (2, -1, 1)),
    ):
        for which, found in enumerate(value):
            ball = enclose_definition(expr, q11, q12, q22, derivative=bool(which), digits=8)
            assert abs(float(found) - float(ball.mid)) <= 1e-4
            assert found == 0 or not (which and text.startswith("sign"))


def test_what_is_cut_off_is_in_the_bound() -> None:
    """It is at least the difference of the two functions in the norm, seen on a grid."""
    text = "abs(sin(x))*x"
    cut = cut_off(as_activation(text), ONE, 1e-2)
    assert cut is not None and 0 < cut.off < 1e-3 and cut.error < 1e-2
    right = float(cut.right)
    at = np.linspace(right, right + 8, 4001)
    density = np.exp(-at * at / 2) / np.sqrt(2 * np.pi)
    lost = 2 * np.sum((np.abs(np.sin(at)) * at) ** 2 * density) * (at[1] - at[0])
    grid = np.linspace(-10, 10, 20001)
    norm = np.sum((np.sin(grid) * grid) ** 2 * np.exp(-grid * grid / 2)) * 1e-3 / np.sqrt(2 * np.pi)
    assert np.sqrt(lost / norm) <= cut.off < 1e5 * np.sqrt(lost / norm)
    assert cut.error < 1e-2 - 2 * cut.off < cut.error * (1 + 4 * cut.off)


def test_finitely_many_are_left_alone() -> None:
    for text in ("abs(x - 1)", "abs(sin(x) + 2*x)", "mish(x)"):
        assert cut_off(as_activation(text), ONE, 1e-10) is None


def test_finitely_many_far_out_are_left_out() -> None:
    """max(tanh x, x/10) turns at +-9.99: a table took 12 s where rows are short, now 2 s."""
    text, span = "max(tanh(x), x/10)", (Fraction(1, 7), Fraction(2, 7))
    table = made(text, 1e-8, span)
    assert isinstance(table, BandedDual) and table.text == str(as_activation(text).expr)
    assert all(p.value.parts[-1][0] == p.dot.parts[-1][0] == NAME for p in table.pairs)
    expr = as_activation(text).expr
    for q11, q12, q22 in ((0.25, 0.1875, 0.25), (0.15625, -0.125, 0.28125)):
        for which, found in enumerate(table.at(q11, q12, q22)):
            where = Rational(q11), Rational(q12), Rational(q22)
            ball = enclose_definition(expr, *where, derivative=bool(which), digits=10)
            assert abs(found - float(ball.mid)) <= table.error
    assert cut_off(as_activation(text), RANGE, 1e-10) is None, "7 deviations are not enough"


def test_what_fewer_kinks_cost_is_the_difference_of_the_functions() -> None:
    """Beyond 6 relu6(x)*softsign(x) goes on as x^2/(1 + x); a root that ends does not go on."""
    cut = cut_off(as_activation("relu6(x)*softsign(x)"), (Fraction(1, 4), Fraction(1, 3)), 1e-4)
    assert cut is not None and cut.left is None and cut.right == 6
    at = np.linspace(6, 16, 10001) / np.sqrt(1 / 3)
    lost = (at * np.sqrt(1 / 3) - 6) * np.exp(-at * at / 4)
    assert 0 < np.sqrt((lost**2).sum() * 1e-3 / 3) < cut.off < 1e-6
    ends = "min(sqrt(abs(25 - x^2)), 8)*x"
    assert cut_off(as_activation(ends), (Fraction(1, 16), Fraction(1, 9)), 1e-4) is None


def test_a_table_with_a_rule_is_read_back() -> None:
    """Its rule is found again; it was asked of infinitely many kinks, and the table lost."""
    act, span, error = as_activation("abs(sin(x))"), (Fraction(9, 10), Fraction(9, 8)), 1e-2
    cut = cut_off(act, span, error)
    assert cut is not None
    table = cut.restored(split_table(cut.activation, span, error=cut.error))
    assert table.asked >= cut.error + 2 * cut.off, "the bound of the rule has what is cut off"
    found = SplitTable.from_json(table.to_json())
    assert found.far == table.far and found.error == table.error <= error
    assert found.near.levels[-1].value_relative <= error
    assert found.at(1.0, 0.9990234375, 1.0) == pytest.approx(table.at(1.0, 0.9990234375, 1.0), 1e-9)


@pytest.mark.parametrize(
    ("text", "error"), [("abs(sin(x))^(3/2)", 4e-16), ("abs(x - 1)^(3/2)", 4e-16)]
)
def test_what_is_refused_is_what_was_written(text: str, error: float) -> None:
    """Not the activation that stands for it, a `Piecewise` of fifteen sines."""
    with pytest.raises(Undecided) as caught:
        made(text, error, rule="quadrature")
    assert text in caught.value.what and "Piecewise" not in str(caught.value)


def test_what_a_rule_says_of_the_other_is_said_of_the_whole() -> None:
    cut = cut_off(as_activation("abs(sin(x))"), ONE, 1e-4)

    def refuse(activation: Any, variances: Any, error: float) -> Any:
        raise Undecided("no", where=f"{activation.expr}", tried=[f"1: {activation.expr}"])

    assert cut is not None
    with pytest.raises(Undecided) as caught:
        cut.made(refuse, ONE)
    assert str(caught.value) == "no\n  abs(sin(x))\n  tried: 1: abs(sin(x))"


def test_too_many_say_so() -> None:
    with pytest.raises(Undecided, match=r"more than 200 kinks for \|x\| <= \d+"):
        cut_off(as_activation("abs(sin(40*x))"), ONE, 1e-10)


def test_kinks_at_whole_numbers_are_cut_at() -> None:
    """Where a wave jumps at the reach itself its sign there is open, and not asked for."""
    cut = cut_off(as_activation("sign(sin(pi*x))"), ONE, 1e-6)
    assert cut is not None and cut.right is not None and cut.right.is_Integer


def test_array_rules_have_what_kinks_far_out_change_in_their_bound() -> None:
    """And are named as what they stand for, not as what is left of it."""
    text, span = "tanh(x) + x*max(x - 40, 0)", (Fraction(1, 2), Fraction(2))
    found = RULES["quadrature"].make(as_activation(text), span, 1e-8)
    rule = array_unit(found, as_activation(text)).rule
    assert isinstance(rule, ArrayQuadrature)
    bare = single_lattice("tanh(x)", *span, found.error).levels[0]
    cut = cut_off(as_activation(text), span, found.error)
    assert cut is not None and 0 < cut.off < 1e-9
    assert rule.dual.levels[0].dot_relative > cut.off + bare.dot_relative * cut.error / found.error
    assert rule.dual.activation == as_activation(text) and "40" in rule.notes[0]
