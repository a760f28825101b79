r"""Zeros of functions with roots of one line: $x - \sqrt{-x}$ in the variable $t = \sqrt{-x}$.

At the end of a piece where its argument is zero a root has no finite derivative, so that no zero
there, and none near it, is isolated by derivatives.  With $ax + b = t^k$ the function has whole
powers of t >= 0 only.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import lcm
from typing import Any

import sympy as sp
from sympy import Expr, Symbol

from ...symbols import x
from ..evaluate import constant, real_ball
from .ranges import lower, upper

_T = Symbol("t", positive=True)
_MOST_ORDER = 12

Zeros = Callable[[Expr, Expr | None, Expr | None], tuple[Expr, ...]]
"""The zeros of a function between two ends, or perhaps more."""


def rooted_zeros(
    g: Expr, lo: Expr | None, hi: Expr | None, zeros: Zeros
) -> tuple[Expr, ...] | None:
    """The zeros of g in (lo, hi), by `zeros` of a function without roots.

    None where there are roots of several functions, or where g has no zero at an end with a root:
    then it is isolated as it stands.
    """
    roots = {p for p in g.atoms(sp.Pow) if p.has(x) and p.exp.is_Rational and not p.exp.is_Integer}
    bases = {p.base for p in roots}
    if len(bases) != 1:
        return None
    (base,) = bases
    if not base.is_polynomial(x) or sp.degree(base, x) != 1:
        return None
    a, b = sp.Poly(base, x).all_coeffs()
    if not any(e is not None and _meet(g, base, e) for e in (lo, hi)):
        return None
    order = lcm(*(int(p.exp.q) for p in roots))
    if order > _MOST_ORDER:
        return None
    plain = g.xreplace({p: _T ** (order * p.exp) for p in roots}).subs(x, (_T**order - b) / a)
    least = min(int(order * p.exp) for p in roots)
    if least < 0:
        plain = sp.expand(plain * _T**-least)
    ends = [None if e is None else _end(a * e + b, order) for e in (lo, hi)]
    if a.is_negative:
        ends.reverse()
    low = sp.Integer(0) if ends[0] is None else sp.Rational(ends[0][0])
    high = None if ends[1] is None else sp.Rational(ends[1][1])
    found = zeros(plain.subs(_T, x), low, high)
    return tuple((z**order - b) / a for z in found if _may_count(z))


def _meet(g: Expr, base: Expr, end: Expr) -> bool:
    """Whether the root and g are zero at an end."""
    if not real_ball(constant(base, {x: constant(end, {})})).contains(0):
        return False
    value = real_ball(constant(g, {x: constant(end, {})}))
    return not value.is_finite() or bool(value.contains(0))


def _end(value: Expr, order: int) -> tuple[Fraction, Fraction]:
    """Outer bounds of a root of a number that is not negative."""
    exact = constant(value, {})
    if getattr(exact, "sign", None) == 0:
        return Fraction(0), Fraction(0)
    root = real_ball(exact).root(order)
    return max(Fraction(0), lower(root)), upper(root)


def _may_count(z: Any) -> bool:
    """Whether the zero is not surely negative: only t >= 0 is meant."""
    value = constant(z, {})
    sign = getattr(value, "sign", None)
    return bool(sign >= 0) if sign is not None else not real_ball(value) < 0
