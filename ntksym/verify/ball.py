"""A ball: an exact dyadic midpoint and radius that enclose a real number.

`flint.arb` objects cannot be pickled or compared with three-valued care, so they stop here: what
leaves `ntksym.verify` is a `Ball`, four integers.  A NaN ball cannot be built.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..dyadic import dyadic, integers
from ..errors import Undecided

_LOG10_2 = math.log10(2)
_LARGEST = 200_000
"""The exponent of two beyond which a value is not written out."""


def _size(man: int, exp: int) -> int:
    """The exponent of two of a dyadic number, rounded up; that of zero is zero."""
    return man.bit_length() + exp if man else 0


def _floor_log10(value: Fraction) -> int:
    """The largest e with 10^e <= value, for value > 0, exactly."""
    guess = math.floor((value.numerator.bit_length() - value.denominator.bit_length()) * _LOG10_2)
    while _power10(guess) > value:
        guess -= 1
    while _power10(guess + 1) <= value:
        guess += 1
    return guess


def _power10(e: int) -> Fraction:
    return Fraction(10**e) if e >= 0 else Fraction(1, 10**-e)


def _scientific(digits: int, exp10: int) -> str:
    """Decimal text of the integer `digits` times 10^exp10."""
    sign = "-" if digits < 0 else ""
    text = str(abs(digits))
    if digits == 0:
        return "0"
    point = len(text) + exp10
    if exp10 >= 0 and point <= 21:
        return sign + text + "0" * exp10
    if 0 < point <= 21:
        return f"{sign}{text[:point]}.{text[point:]}"
    if -5 < point <= 0:
        return f"{sign}0.{'0' * -point}{text}"
    tail = f".{text[1:]}" if len(text) > 1 else ""
    return f"{sign}{text[0]}{tail}e{point - 1:+03d}"


@dataclass(frozen=True, slots=True)
class Ball:
    r"""The set $\{t \in \mathbb{R} : |t - m| \le r\}$, $m = a 2^b$, $r = c 2^d$, all exact.

    Attributes:
        mid_man: the integer $a$.
        mid_exp: the integer $b$.
        rad_man: the integer $c \ge 0$.
        rad_exp: the integer $d$.

    Raises:
        ValueError: a negative radius.
    """

    mid_man: int
    mid_exp: int
    rad_man: int
    rad_exp: int

    def __post_init__(self) -> None:
        if self.rad_man < 0:
            raise ValueError("a ball has a radius of at least zero")

    @classmethod
    def from_arb(cls, value: Any) -> Ball:
        """The ball of a `flint.arb`, exactly.

        Raises:
            Undecided: the value is not finite (NaN, an infinity, or an infinite radius), or so
                large that it cannot be written out.  What is too small becomes a ball around zero.
        """
        if not value.is_finite():
            raise Undecided(
                "the ball computation gave no finite enclosure",
                hint="more digits, or a point away from the singularity of the formula",
            )
        found = integers(value)
        mid, rad = found[:2], found[2:]
        # exp(exp(100)) and its inverse are finite, but no number that can be written out
        if max(_size(*mid), _size(*rad)) > _LARGEST:
            raise Undecided(
                f"the value is beyond 2**{_LARGEST} in size", hint="a point with a smaller value"
            )
        if _size(*mid) < -_LARGEST:
            mid, rad = (
                (0, 0),
                (1, 1 - _LARGEST) if _size(*rad) < -_LARGEST else (2 * rad[0], rad[1]),
            )
        if rad[0] and _size(*rad) < -_LARGEST:
            rad = (1, -_LARGEST)
        return cls(*mid, *rad)

    def to_arb(self) -> Any:
        """A `flint.arb` that contains this ball (equal to it where the precision allows)."""
        from flint import arb

        return arb((self.mid_man, self.mid_exp), (self.rad_man, self.rad_exp))

    @property
    def mid(self) -> Fraction:
        """The exact midpoint."""
        return dyadic(self.mid_man, self.mid_exp)

    @property
    def rad(self) -> Fraction:
        """The exact radius."""
        return dyadic(self.rad_man, self.rad_exp)

    @property
    def is_finite(self) -> bool:
        """Always true: a ball that is not finite cannot be built."""
        return True

    @property
    def contains_zero(self) -> bool:
        """Whether zero is in the ball."""
        return abs(self.mid) <= self.rad

    def contains(self, value: Fraction | int) -> bool:
        """Whether the exact number `value` is in the ball."""
        return abs(self.mid - value) <= self.rad

    def overlaps(self, other: Ball) -> bool:
        """Whether the two balls have a point in common; decided exactly."""
        return abs(self.mid - other.mid) <= self.rad + other.rad

    @property
    def rel_digits(self) -> float:
        """How many decimal digits the radius leaves of the midpoint; `inf` for an exact ball."""
        if self.rad_man == 0:
            return math.inf
        if self.contains_zero:
            return 0.0
        ratio = abs(self.mid) / self.rad
        shift = max(ratio.numerator.bit_length() - ratio.denominator.bit_length() - 60, -60)
        scaled = ratio / Fraction(2) ** shift
        return max(0.0, math.log10(float(scaled)) + shift * _LOG10_2)

    def decimal(self, digits: int | None = None) -> tuple[str, str]:
        """Midpoint and radius as decimal text; the decimal ball contains this ball.

        `digits` is the number of significant digits of the midpoint; by default as many as the
        radius leaves, and two more, at most 60.  The radius is rounded up to three digits, with
        the rounding of the midpoint added before.  Of a ball around zero no digits beyond those of
        the radius are shown: [0 +/- 3.14e-65].
        """
        mid, rad = self.mid, self.rad
        if digits is None:
            digits = int(min(60.0, self.rel_digits + 2)) if self.rad_man else 60
        digits = max(digits, 1)
        if mid != 0 and self.rad_man and self.contains_zero:
            digits = min(digits, _floor_log10(abs(mid)) - _floor_log10(rad) + 3)
        if mid == 0 or digits < 1:
            shown, text = Fraction(0), "0"
        else:
            exp10 = _floor_log10(abs(mid)) - digits + 1
            scaled = round(mid / _power10(exp10))
            while scaled % 10 == 0 and (digits > 1 and scaled != 0) and self.rad_man == 0:
                scaled //= 10
                exp10 += 1
            shown, text = scaled * _power10(exp10), _scientific(scaled, exp10)
        total = rad + abs(shown - mid)
        if total == 0:
            return text, "0"
        rad10 = _floor_log10(total) - 2
        up = -((-total) // _power10(rad10))
        return text, _scientific_radius(int(up), rad10)

    def mid_text(self, digits: int | None = None) -> str:
        """The midpoint of `decimal(digits)`."""
        return self.decimal(digits)[0]

    def radius_text(self, digits: int | None = None) -> str:
        """The radius of `decimal(digits)`: it covers the rounding of `mid_text(digits)` too."""
        return self.decimal(digits)[1]

    def __str__(self) -> str:
        mid, rad = self.decimal()
        return f"[{mid} +/- {rad}]"


def _scientific_radius(digits: int, exp10: int) -> str:
    text = str(digits)
    return (
        f"{text[0]}.{text[1:3]}e{exp10 + len(text) - 1:+03d}"
        if len(text) == 3
        else (
            f"1.00e{exp10 + 3:+03d}"  # 999.5 rounded up to 1000
        )
    )
