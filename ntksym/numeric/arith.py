"""Rational numbers as balls, and balls as short numbers."""

from __future__ import annotations

from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from math import inf, nextafter
from typing import Any

from ..dyadic import fraction


def ball(value: Fraction) -> Any:
    """A `flint.arb` that contains a rational number; exactly it for a dyadic one that fits."""
    from flint import arb

    return arb(value.numerator) / value.denominator


def rounded(value: Fraction, bits: int) -> Fraction:
    """The nearest number with `bits` significant bits, half to even."""
    if not value:
        return value
    shift = abs(value).numerator.bit_length() - value.denominator.bit_length() - bits
    scale = Fraction(2) ** shift
    whole = round(value / scale)
    if abs(whole) >= 1 << bits:  # the estimate of the size was one short
        scale *= 2
        whole = round(value / scale)
    return whole * scale


def rounded_up(value: Any) -> float:
    """A double at least every number in a `flint.arb`; infinite where that has no end, 0 for 0."""
    top = value.upper()
    if not top.is_finite():
        return inf
    return nextafter(float(top), inf) if top != 0 else 0.0


def upper(value: Any, bits: int = 24) -> Fraction:
    """A dyadic number with few bits, at least every number in a non-negative `flint.arb`."""
    from flint import arb

    top = fraction(value.mid()) + fraction(arb(value.rad()))
    if not top:
        return top
    shift = top.numerator.bit_length() - top.denominator.bit_length() - bits
    scale = Fraction(2) ** shift
    return -((-top) // scale) * scale


def upward(value: float | Fraction) -> str:
    """Two digits, rounded up: the least such number that is not below the value."""
    if isinstance(value, Fraction):
        up = _TWO_UP.divide(Decimal(value.numerator), Decimal(value.denominator))
    else:
        up = _TWO_UP.create_decimal(value)
    return f"{float(up):.1e}"


_TWO_UP = Context(prec=2, rounding=ROUND_CEILING)
