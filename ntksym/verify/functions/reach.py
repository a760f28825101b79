"""The pieces of a function with infinitely many kinks: those that an expectation can see."""

from __future__ import annotations

from functools import lru_cache

from sympy import Expr

from ...precision import precision
from ..safe import Endless
from .pieces import JUMPS, Piece, crossings, number, split, switch_functions

REACH = 256
"""How far out kinks are located where there are infinitely many."""


@lru_cache(maxsize=256)
def pieces_of(expr: Expr, reach: int = REACH) -> tuple[Piece, ...]:
    """`split`, and where there are infinitely many kinks or jumps, within a reach.

    Jumps beyond it stay in the first and the last piece: only bounds of these are known.

    Raises:
        Undecided, BadActivation: as `split`.
    """
    try:
        return split(expr)
    except Endless:
        return split(expr, reach, JUMPS if _all_within(expr, reach) else ())


def _all_within(expr: Expr, reach: int) -> bool:
    """Whether there are finitely many jumps, all within the reach."""
    try:
        with precision(128):
            places = [
                c
                for part in expr.atoms(*JUMPS)
                for g in switch_functions(part)
                for c in crossings(g)
            ]
            return all(bool(abs(number(c)) < reach) for c in places)
    except Endless:
        return False
