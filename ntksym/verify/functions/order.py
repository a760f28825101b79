"""The order of a zero of an expression at an exact point."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy import Expr, Symbol

from ...symbols import x
from ..evaluate import constant, real_ball
from ..surd import Surd
from .isolated import Isolated

_MOST = 8
_ODD = (sp.tanh, sp.sinh, sp.erf, sp.asinh, sp.atan, sp.asin, sp.atanh)


def is_zero(value: Expr) -> bool:
    """Whether a constant is exactly zero; one with an isolated zero c of g, where g divides it."""
    if value == 0:
        return True
    found = value.atoms(Isolated)
    if len(found) != 1:
        return False
    (c,) = found
    return _vanishes(value.xreplace({c: x}), c)


def _vanishes(h: Expr, c: Isolated) -> bool:
    """Whether h(c) = 0 is seen from the form of h."""
    if h == 0 or h == c.g:
        return True
    if isinstance(h, sp.Mul):
        return any(_vanishes(a, c) for a in h.args)
    if isinstance(h, sp.Pow):
        return bool(h.exp.is_positive) and _vanishes(h.base, c)
    if isinstance(h, _ODD):
        return _vanishes(h.args[0], c)
    if isinstance(h, sp.log):
        return _vanishes(h.args[0] - 1, c)
    if not isinstance(h, sp.Add):
        return False
    if h.is_polynomial(x) and c.g.is_polynomial(x):
        common = sp.gcd(sp.Poly(h, x), sp.Poly(c.g, x)).as_expr()
        ends = (sp.Rational(e) for e in (c.lo, c.hi))
        low, high = (real_ball(constant(common, {x: constant(e, {})})) for e in ends)
        return bool(low * high < 0)  # a factor of g: it has no zero but c there
    return _multiple(h, c.g) or _inverted(h, c)


def _multiple(h: Expr, g: Expr) -> bool:
    """Whether h is a number times g, terms compared."""
    one, two = (sp.expand(e).as_coefficients_dict(x) for e in (h, g))
    if set(one) != set(two):
        return False
    ratios = {(one[k] / two[k]).expand() for k in one}
    return len(ratios) == 1


def _inverted(h: Expr, c: Isolated) -> bool:
    """The same for e^u - k and tanh(u) - k, by u - log(k) and u - atanh(k)."""
    k, rest = h.as_independent(x, as_Add=True)
    a, f = rest.as_independent(x, as_Add=False)
    inverse = {sp.exp: sp.log, sp.tanh: sp.atanh}.get(type(f))
    return inverse is not None and k != 0 and _vanishes(f.args[0] - inverse(-k / a), c)


def same_zero(a: Expr, b: Expr) -> bool:
    """Whether two isolated zeros surely are one: b is a zero of a's function, in a's interval."""
    if not (isinstance(a, Isolated) and isinstance(b, Isolated) and _vanishes(a.g, b)):
        return False
    at = real_ball(constant(b, {}))
    return all(
        side * (at - real_ball(constant(sp.Rational(e), {}))) > 0
        for side, e in ((1, a.lo), (-1, a.hi))
    )


def vanishes(expr: Expr, at: Expr, variable: Symbol, value: Any = None) -> bool:
    """Whether an expression is exactly zero at a point; `value` is its `constant` there."""
    if value is None:
        value = constant(expr, {variable: constant(at, {})})
    if isinstance(value, Surd):
        return value.sign == 0
    return is_zero(expr.subs(variable, at))


def zero_order(expr: Expr, at: Expr, variable: Symbol) -> int | None:
    """The order of the zero at a point, 0 where there is none; None where it is open."""
    slope = expr
    for order in range(_MOST + 1):
        value = constant(slope, {variable: constant(at, {})})
        if not vanishes(slope, at, variable, value):
            return None if real_ball(value).contains(0) else order
        slope = sp.diff(slope, variable)
    return None
