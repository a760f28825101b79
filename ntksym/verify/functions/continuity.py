"""A proof by structure that a real function is continuous, kinks or not.

At a kink without a closed form the two sides of max(f, g) differ by a ball around zero, which shows
nothing; that both come from continuous functions does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy as sp
from sympy import Expr

from ...functions import Phi
from ...symbols import x
from .ranges import LINE, range_of

_EVERYWHERE = (
    sp.Add,
    sp.Mul,
    sp.Abs,
    sp.Max,
    sp.Min,
    sp.exp,
    sp.sin,
    sp.cos,
    sp.sinc,
    sp.atan,
    sp.asinh,
    sp.sinh,
    sp.cosh,
    sp.tanh,
    sp.sech,
    sp.erf,
    sp.erfc,
    sp.erfi,
    Phi,
)


@lru_cache(maxsize=512)
def continuous(expr: Expr) -> bool:
    """Whether the function of `x` is surely continuous on the line; False where it is not shown."""
    if not expr.has(x) or expr == x:
        return True
    if not all(continuous(a) for a in expr.args):
        return False
    if isinstance(expr, _EVERYWHERE):
        return True
    least, most = _bounds(expr.args[0])
    if isinstance(expr, sp.Pow) and expr.exp.is_Rational:
        if expr.exp.is_positive:
            return bool(expr.exp.is_Integer) or least >= 0
        return least > 0 or (bool(expr.exp.is_Integer) and most < 0)
    return isinstance(expr, sp.log) and len(expr.args) == 1 and least > 0


def _bounds(expr: Expr) -> tuple[Any, Any]:
    """Outer bounds on the line; a size is never negative."""
    found = range_of(expr, LINE)
    return (max(found.lo, 0) if isinstance(expr, sp.Abs) else found.lo), found.hi
