"""What a caller of a proof or an enclosure asks for: exact points, and digits."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from sympy import Rational

from ..errors import BadCovariance, BadSpec

Point = tuple[Rational, Rational, Rational]

MOST_DIGITS = 10_000
"""Of a ball: far more than anything needs, and still an answer."""


def read_point(point: Any) -> Point:
    """The three exact numbers (q11, q12, q22).

    Raises:
        BadCovariance: not three numbers.
    """
    if isinstance(point, str) or not isinstance(point, Sequence) or len(point) != 3:
        raise BadCovariance(
            f"the point {point!r} is not three numbers", hint='(q11, q12, q22), as in (1, "1/2", 2)'
        )
    return read_number(point[0], "q11"), read_number(point[1], "q12"), read_number(point[2], "q22")


def read_points(points: Any) -> list[Point]:
    """A list of such points.

    Raises:
        BadCovariance: none, or an entry is no point.
    """
    if isinstance(points, str) or not isinstance(points, Sequence):
        raise BadCovariance(
            f"points = {points!r} is no list of points", hint='[(1, "1/2", 2)] for one point'
        )
    return [read_point(point) for point in points]


def read_digits(digits: Any) -> int:
    """How many digits are asked for.

    Raises:
        BadSpec: not a whole number from 1 to `MOST_DIGITS`.
    """
    try:
        found = 0 if isinstance(digits, bool) else index(digits)
    except TypeError:
        found = 0
    if not 1 <= found <= MOST_DIGITS:
        raise BadSpec(f"digits = {digits!r}", hint=f"a whole number from 1 to {MOST_DIGITS}")
    return found


def read_number(value: Any, name: str) -> Rational:
    """The exact number that a number or its text is."""
    try:
        return Rational(str(value))
    except (TypeError, ValueError):
        raise BadCovariance(
            f"{name} = {value!r} is not a finite real number", hint='2, 0.5 or "1/3"'
        ) from None
