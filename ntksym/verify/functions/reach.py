"""The pieces of a function with infinitely many kinks: those that an expectation can see."""

from __future__ import annotations

from sympy import Expr

from ..safe import Endless, precision
from .pieces import JUMPS, Piece, crossings, number, split, switch_functions

REACH = 256
"""How far out kinks are located where there are infinitely many."""


def pieces_of(expr: Expr, reach: int = REACH) -> tuple[Piece, ...]:
    """`split`, and where there are infinitely many kinks, but few jumps, within a reach.

    Raises:
        Endless: infinitely many jumps, or one beyond the reach.
        Undecided, BadActivation: as `split`.
    """
    try:
        return split(expr)
    except Endless:
        with precision(128):
            places = [
                c
                for part in expr.atoms(*JUMPS)
                for g in switch_functions(part)
                for c in crossings(g)
            ]
            if not all(abs(number(c)) < reach for c in places):
                raise
        return split(expr, reach)
