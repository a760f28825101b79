"""Where a real function is not real: a search by floating point, never a proof that it is.

The decimals here decide nothing but refusals, and only with a wide margin: a root of a number
below -1e-9, a logarithm of such a number, the imaginary unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count

import sympy
from sympy import Basic, Expr, Symbol

from ..functions import Phi

_MARGIN = -1e-9
_INPUTS = (-3.125, -1.25, -0.375, 0.25, 1.375, 3.0625)
_NEAR = 2.0**-7
_BY_SIGN = {
    1: (0.5, 2.0, 1.25, 0.375),
    -1: (-0.5, -2.0, -1.25, -0.375),
    0: (0.5, -2.0, 1.25, -0.375),
}


class NotReal(Exception):
    """Raised by `approximate` at the subexpression that has no real value."""

    def __init__(self, part: Basic) -> None:
        self.part = part
        super().__init__(str(part))


_ONE: dict[type[Basic], Callable[[float], float]] = {
    sympy.exp: math.exp,
    sympy.sin: math.sin,
    sympy.cos: math.cos,
    sympy.tan: math.tan,
    sympy.sinh: math.sinh,
    sympy.cosh: math.cosh,
    sympy.tanh: math.tanh,
    sympy.atan: math.atan,
    sympy.asinh: math.asinh,
    sympy.erf: math.erf,
    sympy.erfc: math.erfc,
    Phi: lambda z: math.erfc(-z / math.sqrt(2)) / 2,
    sympy.Abs: abs,
    sympy.sign: lambda z: float((z > 0) - (z < 0)),
}

_PARTLY: dict[type[Basic], tuple[float, float, Callable[[float], float]]] = {
    sympy.asin: (-1.0, 1.0, math.asin),
    sympy.acos: (-1.0, 1.0, math.acos),
    sympy.atanh: (-1.0, 1.0, math.atanh),
    sympy.acosh: (1.0, math.inf, math.acosh),
}
"""The ends of the arguments for which they are real, and the values inside."""


def approximate(expr: Basic, at: Mapping[Basic, float]) -> float:
    """A double near the value of `expr`; NaN where it is unknown or undefined.

    Raises:
        NotReal: the value is not real.
        OverflowError: a number beyond the range of doubles occurs.
    """
    if expr in at:
        return at[expr]
    if expr is sympy.I:
        raise NotReal(expr)
    if isinstance(expr, sympy.Rational):
        return int(expr.p) / int(expr.q)
    if isinstance(expr, (sympy.NumberSymbol, sympy.Float)):
        return float(expr)
    if isinstance(expr, sympy.Piecewise):
        for value, condition in expr.args:
            holds = _holds(condition, at)
            if holds is None:
                return math.nan
            if holds:
                return approximate(value, at)
        return math.nan
    if not isinstance(expr, Expr) or expr.is_Symbol:
        return math.nan
    values = [approximate(a, at) for a in expr.args]
    if any(math.isnan(v) for v in values):
        return math.nan
    return _apply(expr, values)


def _apply(expr: Expr, values: list[float]) -> float:
    """`expr.func` at `values`."""
    if isinstance(expr, sympy.Add):
        return _finite(math.fsum(values))
    if isinstance(expr, sympy.Mul):
        return _finite(math.prod(values))
    if isinstance(expr, sympy.Pow):
        return _power(expr, *values)
    if isinstance(expr, sympy.log):
        if values[0] < _MARGIN:
            raise NotReal(expr)
        return math.log(values[0]) if values[0] > 0 else math.nan
    if type(expr) in _PARTLY:
        low, high, rule = _PARTLY[type(expr)]
        if not low + _MARGIN <= values[0] <= high - _MARGIN:
            raise NotReal(expr)
        return rule(values[0]) if low < values[0] < high else math.nan
    if isinstance(expr, sympy.Max):
        return max(values)
    if isinstance(expr, sympy.Min):
        return min(values)
    if isinstance(expr, sympy.Heaviside):
        return 1.0 if values[0] > 0 else 0.0 if values[0] < 0 else values[1]
    plain = _ONE.get(expr.func)
    return plain(values[0]) if plain else math.nan


def _finite(value: float) -> float:
    if math.isinf(value):
        raise OverflowError
    return value


def _power(expr: Expr, base: float, exponent: float) -> float:
    if expr.exp.is_Integer:
        if base == 0 and exponent < 0:
            return math.nan
        return _finite(float(base) ** int(expr.exp))
    if base < _MARGIN:
        raise NotReal(expr)
    if base <= 0:
        return math.nan if exponent < 0 else 0.0
    return float(base**exponent)


def _holds(condition: Basic, at: Mapping[Basic, float]) -> bool | None:
    """Whether the condition holds; None where it is unknown."""
    if condition is sympy.true or condition is sympy.false:
        return condition is sympy.true
    if isinstance(condition, sympy.Not):
        below = _holds(condition.args[0], at)
        return None if below is None else not below
    if isinstance(condition, (sympy.And, sympy.Or)):
        parts = [_holds(c, at) for c in sorted(condition.args, key=sympy.default_sort_key)]
        if None in parts:
            return None
        return all(parts) if isinstance(condition, sympy.And) else any(parts)
    if isinstance(condition, sympy.core.relational.Relational):
        left, right = (approximate(a, at) for a in condition.args)
        if math.isnan(left) or math.isnan(right) or left == right:
            return None
        return (left > right) == isinstance(condition, (sympy.Gt, sympy.Ge))
    return None


def _chosen(params: tuple[Symbol, ...], shift: int) -> dict[Basic, float]:
    """Values that fit the assumptions."""
    chosen: dict[Basic, float] = {}
    for p, k in zip(params, count(), strict=False):
        sign = 1 if p.is_extended_nonnegative else -1 if p.is_extended_nonpositive else 0
        chosen[p] = _BY_SIGN[sign][(shift + k) % 4]
    return chosen


def infinite_on(
    expr: Expr, variable: Symbol, params: tuple[Symbol, ...]
) -> tuple[float, Basic] | None:
    """A point x, with the part of `expr` that is infinite around it: max(x, 0)^(-1/5) at -1.

    None where none was found: a pole at one point is not looked for.
    """
    for z in _INPUTS:
        here = (_singular(expr, {variable: at, **_chosen(params, 0)}) for at in (z, z + _NEAR))
        first, second = here
        if first is not None and first == second:
            return z, first
    return None


def _singular(expr: Basic, at: Mapping[Basic, float]) -> Basic | None:
    """A negative power, or a logarithm, of what is exactly 0 at the point."""
    if isinstance(expr, sympy.Piecewise):
        for value, condition in expr.args:
            holds = _holds(condition, at)
            if holds is not False:
                return _singular(value, at) if holds else None
        return None
    inverse = isinstance(expr, sympy.Pow) and expr.exp.is_negative
    if inverse or isinstance(expr, sympy.log):
        with suppress(NotReal, OverflowError):
            if approximate(expr.args[0], at) == 0.0:
                return expr
    return next((found for a in expr.args if (found := _singular(a, at)) is not None), None)


def not_real_at(
    expr: Expr, variable: Symbol, params: tuple[Symbol, ...]
) -> tuple[dict[str, float], Basic] | None:
    """A point where `expr` is not real, with the part that is not; None where none was found."""
    for shift in range(4):
        chosen = _chosen(params, shift)
        for z in _INPUTS:
            try:
                approximate(expr, {variable: z, **chosen})
            except NotReal as found:
                point = {variable.name: z} | {s.name: v for s, v in chosen.items()}  # type: ignore[attr-defined]
                return point, found.part
            except OverflowError:
                continue
    return None
