"""Recorded balls: four exact numbers, compared with exact fractions only."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .problem import BadCertificate
from .reading import integer, rational

MOST_EXPONENT = 100_000


@dataclass(frozen=True, slots=True)
class Interval:
    """[low, high] with exact ends."""

    low: Fraction
    high: Fraction

    @property
    def radius(self) -> Fraction:
        """Half the width."""
        return (self.high - self.low) / 2

    def contains(self, ball: Any) -> bool:
        """Whether an `arb` lies inside."""
        if not ball.is_finite():
            return False
        return self.low <= exact(ball.lower()) and exact(ball.upper()) <= self.high

    def overlaps(self, other: Interval) -> bool:
        """Whether the two have a common point."""
        return self.low <= other.high and other.low <= self.high

    def text(self) -> str:
        """Middle and radius, for a person."""
        middle = (self.low + self.high) / 2
        return f"{_decimal(middle)} +/- {_decimal(self.radius, 3)}"


def exact(value: Any) -> Fraction:
    """An exact `arb` as a fraction."""
    man, exp = value.man_exp()
    return Fraction(int(man)) * Fraction(2) ** int(exp)


def read_ball(data: Any, where: str) -> Interval:
    """The interval of `[mantissa, exponent, mantissa, exponent]` (middle, radius).

    Raises:
        BadCertificate: not of that form.
    """
    if type(data) is not list or len(data) != 4:
        raise BadCertificate("a ball is [mantissa, exponent, mantissa, exponent]", where)
    parts = []
    for man, exp in (data[:2], data[2:]):
        e = integer(exp, -MOST_EXPONENT, MOST_EXPONENT, where)
        m = rational(man, where)
        if m.denominator != 1:
            raise BadCertificate("a mantissa is a whole number", where)
        parts.append(m * Fraction(2) ** e)
    middle, radius = parts
    if radius < 0:
        raise BadCertificate("a radius is negative", where)
    return Interval(middle - radius, middle + radius)


def _decimal(value: Fraction, digits: int = 20) -> str:
    """A rounded decimal in scientific notation."""
    if value == 0:
        return "0"
    sign, size = ("-" if value < 0 else ""), abs(value)
    exponent = (size.numerator.bit_length() - size.denominator.bit_length()) * 30103 // 100000
    while size >= Fraction(10) ** (exponent + 1):
        exponent += 1
    while size < Fraction(10) ** exponent:
        exponent -= 1
    scaled = round(size / Fraction(10) ** (exponent - digits + 1))
    if scaled >= 10**digits:
        scaled, exponent = scaled // 10, exponent + 1
    text = str(scaled)
    return f"{sign}{text[0]}.{text[1:]}e{exponent:+d}"
