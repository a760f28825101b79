"""The order of a zero of an expression at an exact point."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy import Expr, Symbol

from .evaluate import constant, real_ball
from .isolated import Isolated
from .surd import Surd

_MOST = 8


def vanishes(expr: Expr, at: Expr, variable: Symbol, value: Any = None) -> bool:
    """Whether an expression is exactly zero at a point; `value` is its `constant` there."""
    if value is None:
        value = constant(expr, {variable: constant(at, {})})
    if isinstance(value, Surd):
        return value.sign == 0
    return expr.subs(variable, at) == 0 or (isinstance(at, Isolated) and expr == at.g)


def zero_order(expr: Expr, at: Expr, variable: Symbol) -> int | None:
    """The order of the zero at a point, 0 where there is none; None where it is open."""
    slope = expr
    for order in range(_MOST + 1):
        value = constant(slope, {variable: constant(at, {})})
        if not vanishes(slope, at, variable, value):
            return None if real_ball(value).contains(0) else order
        slope = sp.diff(slope, variable)
    return None
