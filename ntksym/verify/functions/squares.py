r"""Sums that are squares, inside roots and logarithms: $1 - \cos u = 2\sin^2\frac u2$ and its kind.

Such a sum touches zero without a change of sign, where no zero is isolated by signs; its root is
the absolute value of something that does change sign.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from sympy import Expr

from ...symbols import x
from .branch import branching

# 1 + f(u) and 1 - f(u)
_FIRST: dict[Any, tuple[Callable[[Expr], Expr], Callable[[Expr], Expr]]] = {
    sp.cos: (lambda u: 2 * sp.cos(u / 2) ** 2, lambda u: 2 * sp.sin(u / 2) ** 2),
    sp.sin: (
        lambda u: 2 * sp.cos(u / 2 - sp.pi / 4) ** 2,
        lambda u: 2 * sp.sin(u / 2 - sp.pi / 4) ** 2,
    ),
    sp.cosh: (lambda u: 2 * sp.cosh(u / 2) ** 2, lambda u: -2 * sp.sinh(u / 2) ** 2),
}
# 1 - f(u)^2
_SECOND: dict[Any, Callable[[Expr], Expr]] = {
    sp.cos: lambda u: sp.sin(u) ** 2,
    sp.sin: lambda u: sp.cos(u) ** 2,
    sp.tanh: lambda u: sp.sech(u) ** 2,
    sp.sech: lambda u: sp.tanh(u) ** 2,
    sp.cosh: lambda u: -(sp.sinh(u) ** 2),
}


def with_squares(expr: Expr) -> Expr:
    """`expr` with the squares under its roots and logarithms seen: SymPy makes sizes of them."""
    if not any(branching(e) is not None for e in expr.atoms(sp.Pow, sp.log)):
        return expr
    found: Expr = expr.replace(lambda e: branching(e) is not None, _rewritten)
    return found.replace(_is_log_of_square, _log_of_size)


def _rewritten(e: Any) -> Expr:
    parts = [as_square(f) if f.is_Add else f for f in sp.Mul.make_args(e.args[0])]
    out: Expr = e.func(sp.Mul(*parts), *e.args[1:])
    return out


def as_square(e: Expr) -> Expr:
    """The sum as a product of squares, or as it is."""
    if e.is_polynomial(x):
        poly = sp.Poly(e, x)
        if poly.degree() > 1 and all(c.is_Rational for c in poly.coeffs()):
            constant, found = poly.factor_list()
            if any(n > 1 for _, n in found):
                return constant * sp.Mul(*(f.as_expr() ** n for f, n in found))
        return e
    c, rest = e.as_independent(x, as_Add=True)
    a, f = rest.as_independent(x, as_Add=False)
    if type(f) in _FIRST and a in (c, -c):
        return c * _FIRST[type(f)][a != c](f.args[0])
    if f.is_Pow and f.exp == 2 and type(f.base) in _SECOND and a == -c:
        return c * _SECOND[type(f.base)](f.base.args[0])
    return e


def _is_log_of_square(e: Any) -> bool:
    """Whether `e` is log(c p^(2k)), c > 0."""
    if not isinstance(e, sp.log) or len(e.args) != 1:
        return False
    c, power = e.args[0].as_independent(x, as_Add=False)
    return bool(c.is_positive and power.is_Pow and power.exp.is_even is True)


def _log_of_size(e: Any) -> Expr:
    """log(c p^(2k)) = log c + 2k log|p|: one form for both, which the integrals at 0 know."""
    c, power = e.args[0].as_independent(x, as_Add=False)
    return sp.log(c) + power.exp * sp.log(sp.Abs(power.base))
