r"""Equal forms of the pieces that keep balls narrow: $1 - \tanh^2 g$ and $\cosh^{-n} g$ as sech.

Far out $1 - \tanh^2 g$ is the difference of two numbers near one, and $1/\cosh g$ has no finite
value on a wide box; FLINT's sech has neither fault.  $\sinh g/\cosh g$ is $\tanh g$, which is
bounded where its factors seem to grow; $1 + \cosh g$ is $2\cosh^2(g/2)$.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import sympy as sp
from sympy import Expr

from ...symbols import x
from .pieces import Piece
from .removable import INTEGRABLE, continued_pieces


@lru_cache(maxsize=256)
def rearranged(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The same functions of the same intervals, written for balls."""
    return tuple(Piece(p.lo, p.hi, _expr(p.expr)) for p in continued_pieces(pieces, INTEGRABLE))


def _expr(expr: Expr) -> Expr:
    if not expr.has(sp.tanh, sp.cosh) or not expr.has(x):
        return expr
    args = [_expr(a) for a in expr.args]
    if isinstance(expr, sp.Mul):
        args = [b for a in args for b in sp.Mul.make_args(a)]
    if isinstance(expr, sp.Pow) and isinstance(args[0], sp.cosh) and args[1].is_negative:
        return sp.sech(args[0].args[0]) ** -args[1]
    if isinstance(expr, sp.Pow) and args[1].is_Integer and args[1] < 0:
        one, large = args[0].as_independent(x, as_Add=True)
        if one == 1 and isinstance(large, sp.cosh):
            return sp.Integer(2) ** args[1] * sp.sech(large.args[0] / 2) ** (-2 * args[1])
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
    halved = _halved(powers, small)
    if not halved and not any(
        b.func(g.args[0]) == b for g in small for b in powers if b.func in _LARGE
    ):
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


def _halved(powers: dict[Expr, Expr], small: list[Expr]) -> bool:
    """Whether there is sinh 2g or cosh 2g beside sech g, which then is a function of g.

    So it is in sinh g/(1 + cosh g) and its slope.
    """
    before = dict(powers)
    for g in small:
        h = g.args[0]
        n = powers.pop(sp.sinh(2 * h), sp.Integer(0))
        for base in (sp.Integer(2), sp.sinh(h), sp.cosh(h)) if n != 0 else ():
            powers[base] = powers.get(base, sp.Integer(0)) + n
        if powers.get(sp.cosh(2 * h)) == 1 and (powers[g] - 2).is_nonnegative:
            del powers[sp.cosh(2 * h)]
            powers[g] -= 2
            powers[2 - g**2] = sp.Integer(1)
    return powers != before


_LARGE: dict[Callable[..., Expr], Callable[..., Expr]] = {
    sp.sinh: sp.tanh,
    sp.cosh: lambda g: sp.Integer(1),
}
"""What sech cancels, and what is left."""
