r"""Functions of period T, and x times such: what their waves have in common, seen from the form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy import Expr

from ...symbols import x
from .pieces import Piece, number

_WAVES = (sp.sin, sp.cos)


@dataclass(frozen=True, slots=True)
class Wave:
    """x^power f(x), power 0 or 1, with f of period 2 pi/turn by its smooth pieces around 0."""

    power: int
    turn: Expr
    pieces: tuple[Piece, ...]

    @property
    def frequency(self) -> Any:
        """The turn as an `arb` at the working precision."""
        return number(self.turn)


def wave_parts(expr: Expr) -> tuple[tuple[int, Expr, Expr], ...]:
    """`(power, turn, f)` with the sum of x^power f equal to `expr`; () where it is no such sum.

    At least one f is no constant, and all of one power are one f if their periods agree.
    """
    found: dict[tuple[int, Expr | None], Expr] = {}
    for term in sp.Add.make_args(expr):
        rest, power = term, 0
        if isinstance(term, sp.Mul) and x in term.args:
            rest, power = sp.Mul(*(a for a in term.args if a != x)), 1
        elif term == x:
            rest, power = sp.Integer(1), 1
        turn = _turn(rest)
        if turn is None and rest.has(x):
            return ()
        found[power, turn] = found.get((power, turn), sp.Integer(0)) + rest
    turns = [turn for _, turn in found if turn is not None]
    if not turns:
        return ()
    return tuple((power, turn or turns[0], f) for (power, turn), f in found.items())


def _turn(expr: Expr) -> Expr | None:
    """The largest k > 0 of which all waves of `expr` are multiples; None where there are others."""
    waves = sorted(expr.atoms(*_WAVES), key=sp.default_sort_key)
    inside = [w for w in waves if w.has(x)]
    if not inside or expr.xreplace({w: sp.Dummy() for w in inside}).has(x):
        return None
    speeds = []
    for w in inside:
        argument = w.args[0]
        if not argument.is_polynomial(x) or sp.degree(argument, x) != 1:
            return None
        speeds.append(sp.Poly(argument, x).coeff_monomial(x))
    ratios = [sp.Rational(1), *(k / speeds[0] for k in speeds[1:])]
    if not all(r.is_Rational for r in ratios):
        return None
    below = sp.ilcm(1, *(r.q for r in ratios))
    whole = sp.igcd(0, *(int(abs(r) * below) for r in ratios))
    return abs(speeds[0]) * sp.Rational(whole, below)
