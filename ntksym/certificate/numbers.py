"""Exact numbers for a certificate: balls as integers, short rationals, bounds as powers of two."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, log2
from typing import Any

from flint import arb

from ..errors import Undecided


def ball_record(middle: Any, radius: Any) -> list[Any]:
    """`[mantissa, exponent, mantissa, exponent]` of [middle - radius, middle + radius].

    Both are exact or taken at their upper bound; the exact interval contains that of `middle`.
    """
    man, exp = middle.mid().man_exp()
    top = (radius + middle.rad()).upper()
    rad_man, rad_exp = top.man_exp()
    return [str(int(man)), int(exp), str(int(rad_man)), int(rad_exp)]


def power_above(value: Any, slack: int = 0) -> int:
    """An integer e with value <= 2^(e - slack), for a finite `arb` >= 0.

    Raises:
        Undecided: not finite, or too large to be recorded.
    """
    if not value.is_finite():
        raise Undecided("a bound for the certificate is not finite")
    top = value.upper()
    if top == 0:
        return -1000
    man, exp = top.man_exp()
    e = int(man).bit_length() + int(exp) + slack
    if abs(e) > 1500:
        if e < 0:
            return -1000
        raise Undecided("a bound for the certificate is too large")
    return e


def text(value: Fraction) -> str:
    """The fraction as a text such as -3/2."""
    return str(value)


def ball_of(value: Fraction) -> Any:
    """The fraction as an `arb`."""
    return arb(value.numerator) / value.denominator


def grid(width: float) -> Fraction:
    """A power of two of about a 64th of the width."""
    return Fraction(2) ** (floor(log2(width)) - 6)


def between(left: Any, right: Any, index: int, count: int) -> Fraction:
    """A short rational near the end of the part `index` of `count` equal parts, 0 < index < count.

    Its distance from the exact cut is below a 64th of a part.
    """
    width = float((right - left).mid())
    unit = grid(width / count)
    at = float(left.mid()) + width * (index / count)
    return Fraction(round(Fraction(at) / unit)) * unit


def outward(value: float, unit: Fraction, sign: int) -> Fraction:
    """A multiple of the unit beyond the value on the side of `sign`."""
    scaled = Fraction(value) / unit
    return (floor(scaled) - 1) * unit if sign < 0 else (ceil(scaled) + 1) * unit
