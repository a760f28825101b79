r"""Equal forms of the pieces that keep balls narrow: $1 - \tanh^2 g$ and $\cosh^{-n} g$ as sech.

Far out $1 - \tanh^2 g$ is the difference of two numbers near one, and $1/\cosh g$ has no finite
value on a wide box; FLINT's sech has neither fault.  $\sinh g/\cosh g$ is $\tanh g$, which is
bounded where its factors seem to grow.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import sympy as sp
from sympy import Expr

from ...symbols import x
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
    if isinstance(expr, sp.Mul):
        args = _paired(args)
    if isinstance(expr, sp.Add) and len(args) == 2:
        for one, two in (args, args[::-1]):
            c, square = two.as_independent(x, as_Add=False)
            if one == -c and isinstance(square, sp.Pow) and square.exp == 2:
                if isinstance(square.base, sp.tanh):
                    return one * sp.sech(square.base.args[0]) ** 2
    return expr.func(*args) if expr.args else expr


def _paired(factors: list[Expr]) -> list[Expr]:
    """The factors with sinh g sech g as tanh g, and cosh g sech g as one."""
    powers: dict[Expr, Expr] = {}
    for factor in factors:
        base, exponent = factor.as_base_exp()
        powers[base] = powers.get(base, sp.Integer(0)) + exponent
    small = [b for b, e in powers.items() if isinstance(b, sp.sech) and e.is_positive]
    if not any(b.func(g.args[0]) == b for g in small for b in powers if b.func in _LARGE):
        return factors
    for g in small:
        for large, pair in _LARGE.items():
            top = powers.get(large(*g.args), sp.Integer(0))
            count = min(int(top), int(powers[g])) if top.is_Integer and powers[g].is_Integer else 0
            if count > 0:
                powers[large(*g.args)] -= count
                powers[g] -= count
                both = pair(*g.args)
                powers[both] = powers.get(both, sp.Integer(0)) + count
    return [base**e for base, e in powers.items()]


_LARGE: dict[Callable[..., Expr], Callable[..., Expr]] = {
    sp.sinh: sp.tanh,
    sp.cosh: lambda g: sp.Integer(1),
}
"""What sech cancels, and what is left."""
