"""Two zeros close to each other, where a function turns: tanh(x) = sin(x) near 2.5 turns."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from typing import Any

from flint import acb, arb, ctx, fmpq
from sympy import Expr

from ...dyadic import fraction
from ...precision import precision
from ...symbols import x
from ..evaluate import function
from ..safe import OpenSign, in_time
from .isolated import Isolated

_BITS = (1024, 8192)
"""Zeros at a distance d have values of d^2 between them."""
_FALL = 1.46
"""Bits for x^2: erf and its kind come as near to 1 as exp(-x^2)."""
_MOST = 400


def most_bits(far: float) -> int:
    """Bits that the sign of a value at a distance from 0 is worth."""
    return max(_BITS[-1], _BITS[0] + int(_FALL * far * far))


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
    with precision(96):
        curve = _over(bend, *span)
    if not curve.is_finite() or curve.contains(0):
        return None
    most = most_bits(float(max(abs(end) for end in span)))
    for bits in sorted({*_BITS, most}):
        with precision(bits), suppress(OpenSign):
            return _turned(g, slope, curve, span, narrowed)
    return None


def _turned(
    g: Expr,
    slope: Expr,
    curve: Any,
    span: tuple[Fraction, Fraction],
    narrowed: Callable[[Expr, Fraction, Fraction, int], Any],
) -> tuple[Expr, ...] | None:
    """The same at one precision; `curve` is a ball of g''.

    Raises:
        OpenSign: of the value where g turns.
    """
    a, b = span
    if _sign(slope, a) * _sign(slope, b) >= 0:
        return None
    turn = narrowed(slope, a, b, int(ctx.prec))
    value = function(g, x)(acb(turn), False).real
    if not value.is_finite():
        return None
    if value.contains(0):
        raise OpenSign("the sign of a value where a function turns is open at this precision")
    if (value > 0) == (curve > 0):
        return ()
    centre, found = fraction(turn), []
    steps = [fraction((2 * value / end).abs_lower().sqrt()) for end in _ends(curve)]
    for end in span:
        outer = _sign(g, end)
        if not outer:
            return None
        if (outer > 0) == (curve > 0):  # else it turns back beyond the end
            zero = _bracketed(g, slope, (centre, end), (min(steps) / 2, 2 * max(steps)), outer)
            if zero is None:
                return None
            found.append(zero)
    return tuple(found)


def _bracketed(
    g: Expr,
    slope: Expr,
    span: tuple[Fraction, Fraction],
    steps: tuple[Fraction, Fraction],
    outer: int,
) -> Isolated | None:
    """The zero between the turn and an end, in an interval on which g' has no zero.

    By Taylor's formula it is at a distance between the two steps, but for what balls lose; the
    signs are proof.
    """
    near, far = span
    side = 1 if far > near else -1
    tries = [near + side * _short(step, step) for step in steps if step < abs(far - near)]
    for n in range(_MOST):
        in_time()
        middle = tries[n] if n < len(tries) else _short((far + near) / 2, abs(far - near))
        sign = _sign(g, middle)
        if not sign:
            return None
        far, near = (middle, near) if sign == outer else (far, middle)
        lo, hi = min(far, near), max(far, near)
        if near != span[0]:
            value = _over(slope, lo, hi)
            if value.is_finite() and not value.contains(0):
                return Isolated(g, lo, hi)
    return None


def _ends(value: Any) -> tuple[Any, Any]:
    return value.lower(), value.upper()


def _short(value: Fraction, width: Fraction) -> Fraction:
    """The value to a few bits of the width: ends are read again and again."""
    power = width.numerator.bit_length() - width.denominator.bit_length() - 8
    top, below = value.numerator, value.denominator
    shift = below.bit_length() - 1 + power
    if below & (below - 1):
        whole = round(value / Fraction(2) ** power)
    else:  # nearly all are dyadic, of tens of thousands of bits: quotients of these take long
        whole = top << -shift if shift < 0 else top >> shift
    return Fraction(whole << power) if power > 0 else Fraction(whole, 1 << -power)


def _sign(g: Expr, at: Fraction) -> int:
    value = function(g, x)(acb(arb(fmpq(at.numerator, at.denominator))), False).real
    return 1 if value > 0 else -1 if value < 0 else 0


def _over(g: Expr, a: Fraction, b: Fraction) -> Any:
    ends = (arb(fmpq(c.numerator, c.denominator)) for c in (a, b))
    return function(g, x)(acb(next(ends).union(next(ends))), False).real
