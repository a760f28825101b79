"""Two zeros close to each other, where a function turns: tanh(x) = sin(x) near 2.5 turns."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import acb, arb, fmpq
from sympy import Expr

from ...symbols import x
from ..evaluate import function
from ..safe import in_time, precision
from .isolated import Isolated

_BITS = 1024
"""Zeros at a distance d have values of d^2 between them."""
_MOST = 400


def turning(
    g: Expr,
    slope: Expr,
    bend: Expr,
    span: tuple[Fraction, Fraction],
    narrowed: Callable[[Expr, Fraction, Fraction, int], Any],
) -> tuple[Expr, ...] | None:
    """All zeros of g in the span, where g' has one zero and g'' none; None where that is open.

    The value where g turns says whether there are zeros, and its sides have one each at most.
    """
    a, b = span
    with precision(96):
        curve = _over(bend, a, b)
    if not curve.is_finite() or curve.contains(0):
        return None
    with precision(_BITS):
        if _sign(slope, a) * _sign(slope, b) >= 0:
            return None
        turn = narrowed(slope, a, b, _BITS)
        value = function(g, x)(acb(turn), False).real
        if not value.is_finite() or value.contains(0):
            return None
        if (value > 0) == (curve > 0):
            return ()
        man, exp = turn.mid().man_exp()
        centre = Fraction(int(man)) * Fraction(2) ** int(exp)
        found = []
        for end in span:
            outer = _sign(g, end)
            if not outer:
                return None
            if (outer > 0) == (curve > 0):  # else it turns back beyond the end
                zero = _bracketed(g, slope, centre, end, outer)
                if zero is None:
                    return None
                found.append(zero)
    return tuple(found)


def _bracketed(
    g: Expr, slope: Expr, centre: Fraction, end: Fraction, outer: int
) -> Isolated | None:
    """The zero between the turn and an end, in an interval on which g' has no zero."""
    far, near = end, centre
    for _ in range(_MOST):
        in_time()
        middle = _short((far + near) / 2, abs(far - near))
        sign = _sign(g, middle)
        if sign == outer:
            far = middle
        elif sign == -outer:
            near = middle
        else:
            return None
        lo, hi = min(far, near), max(far, near)
        if near != centre:
            value = _over(slope, lo, hi)
            if value.is_finite() and not value.contains(0):
                return Isolated(g, lo, hi)
    return None


def _short(value: Fraction, width: Fraction) -> Fraction:
    """The value to a few bits of the width: ends are read again and again."""
    unit = Fraction(2) ** (width.numerator.bit_length() - width.denominator.bit_length() - 8)
    return round(value / unit) * unit


def _sign(g: Expr, at: Fraction) -> int:
    value = function(g, x)(acb(arb(fmpq(at.numerator, at.denominator))), False).real
    return 1 if value > 0 else -1 if value < 0 else 0


def _over(g: Expr, a: Fraction, b: Fraction) -> Any:
    ends = (arb(fmpq(c.numerator, c.denominator)) for c in (a, b))
    return function(g, x)(acb(next(ends).union(next(ends))), False).real
