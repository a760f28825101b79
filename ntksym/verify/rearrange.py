r"""Equal forms of the pieces that keep balls narrow: $1 - \tanh^2 g$ and $\cosh^{-n} g$ as sech.

Far out $1 - \tanh^2 g$ is the difference of two numbers near one, and $1/\cosh g$ has no finite
value on a wide box; FLINT's sech has neither fault.
"""

from __future__ import annotations

from functools import lru_cache

import sympy as sp
from sympy import Expr

from ..symbols import x
from .pieces import Piece
from .removable import continued_pieces


@lru_cache(maxsize=256)
def rearranged(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The same functions of the same intervals, written for balls."""
    return tuple(Piece(p.lo, p.hi, _expr(p.expr)) for p in continued_pieces(pieces))


def _expr(expr: Expr) -> Expr:
    if not expr.has(sp.tanh, sp.cosh) or not expr.has(x):
        return expr
    args = [_expr(a) for a in expr.args]
    if isinstance(expr, sp.Pow) and isinstance(args[0], sp.cosh) and args[1].is_negative:
        return sp.sech(args[0].args[0]) ** -args[1]
    if isinstance(expr, sp.Add) and len(args) == 2:
        for one, two in (args, args[::-1]):
            c, square = two.as_independent(x, as_Add=False)
            if one == -c and isinstance(square, sp.Pow) and square.exp == 2:
                if isinstance(square.base, sp.tanh):
                    return one * sp.sech(square.base.args[0]) ** 2
    return expr.func(*args) if expr.args else expr
