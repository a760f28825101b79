"""Pieces so narrow that the balls around their ends overlap: a bound of them is in the radius."""

from __future__ import annotations

import pytest
import sympy as sp
from flint import arb, fmpq

from ntksym.errors import Undecided
from ntksym.precision import precision
from ntksym.symbols import x
from ntksym.verify.functions.periods import Wave
from ntksym.verify.functions.pieces import Piece
from ntksym.verify.law import Law
from ntksym.verify.rules.along import Rule, rule
from ntksym.verify.rules.odd import odd
from ntksym.verify.rules.periodic import periodic

ONE = sp.sqrt(2)
HEIGHT, WIDTH, BITS = sp.Integer(2) ** 130, sp.Integer(2) ** -140, 128
TOL = arb("1e-10")


def _bump(inside: sp.Expr) -> tuple[Piece, ...]:
    """`inside` from sqrt(2) to 2^-140 beyond, and zero elsewhere."""
    zero, end = sp.Integer(0), ONE + WIDTH
    return (Piece(None, ONE, zero), Piece(ONE, end, inside), Piece(end, None, zero))


def _rule(inside: sp.Expr) -> Rule:
    return rule(_bump(inside), fmpq(0), fmpq(1), arb("0.5"), TOL, thin=False)


def _law(rho: fmpq) -> Law:
    return Law(fmpq(0), fmpq(0), fmpq(1), rho, fmpq(1))


def test_a_rule_has_the_bound() -> None:
    with precision(BITS):
        found = _rule(HEIGHT)
        whole = arb(2) ** -10 * (-arb(1)).exp() / (2 * arb.pi()).sqrt()
        value = sum((w for _, w in found.points), arb(0)) + arb(0, found.error.upper())
        assert value.contains(whole) and found.mass > whole


def test_where_an_end_is_infinite() -> None:
    """2 sqrt(width) is the integral of the inverse root; of the inverse there is none."""
    with precision(BITS):
        found = _rule(1 / sp.sqrt(x - ONE))
        assert 2 * arb(2) ** -70 * (-arb(1)).exp() / 3 < found.error < arb(2) ** -58
        with pytest.raises(Undecided, match="too close for this precision"):
            _rule(sp.exp(1 / (x - ONE)))


def test_two_variables_have_it() -> None:
    bump = _bump(HEIGHT)
    with precision(BITS):
        for rho in (fmpq(49, 50), fmpq(1, 2)):
            r = arb(rho)
            front = arb(2) ** -20 / (2 * arb.pi() * (1 - r * r).sqrt())
            assert odd(bump, bump, _law(rho), TOL).contains(front * (-2 / (1 + r)).exp())
        wave = (Wave(0, sp.Integer(1), bump),)
        value = periodic(wave, wave, _law(fmpq(1, 2)), TOL)
        lone = arb(2) ** -20 / (2 * arb.pi() * (arb(3) / 4).sqrt()) * (-arb(4) / 3).exp()
        assert value is not None and value.contains(lone)
