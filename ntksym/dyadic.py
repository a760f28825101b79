"""Numbers of FLINT as exact dyadic numbers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any


def dyadic(man: int, exp: int) -> Fraction:
    """The number man * 2**exp."""
    return Fraction(man << exp) if exp >= 0 else Fraction(man, 1 << -exp)


def fraction(value: Any) -> Fraction:
    """The midpoint of a `flint.arb`."""
    man, exp = value.mid().man_exp()
    return dyadic(int(man), int(exp))


def integers(value: Any) -> tuple[int, int, int, int]:
    """Mantissa and exponent of the midpoint of a `flint.arb`, and those of its radius."""
    (man, exp), (rad, low) = value.mid().man_exp(), value.rad().man_exp()
    return int(man), int(exp), int(rad), int(low)


def scaled(value: Any, places: int) -> int:
    """The midpoint of a `flint.arb` times 2^places, rounded down."""
    man, exp = value.mid().man_exp()
    by = int(exp) + places
    return int(man) << by if by >= 0 else int(man) >> -by
