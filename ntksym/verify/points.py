"""Exact rational covariances at which formulas are checked."""

from __future__ import annotations

from typing import NamedTuple

from sympy import Rational


class Point(NamedTuple):
    """A covariance of (u, v), exactly."""

    q11: Rational
    q12: Rational
    q22: Rational

    @classmethod
    def of(cls, q11: str, q12: str, q22: str) -> Point:
        """A point from decimal text."""
        return cls(Rational(q11), Rational(q12), Rational(q22))

    @property
    def values(self) -> tuple[Rational, Rational, Rational]:
        """(q11, q12, q22)."""
        return (self.q11, self.q12, self.q22)

    @property
    def singular(self) -> bool:
        """Whether q11 q22 = q12^2."""
        return bool(self.q11 * self.q22 == self.q12**2)

    def __str__(self) -> str:
        return f"({self.q11}, {self.q12}, {self.q22})"


def rational_points() -> tuple[Point, ...]:
    """Nine regular points: both signs of q12, unequal, small and large variances, rho near +-1."""
    return (
        Point.of("1.3", "0.4", "0.7"),
        Point.of("1", "-0.6", "2"),
        Point.of("0.01", "0.005", "4"),
        Point.of("9", "-4", "2.5"),
        Point.of("2", "0", "0.5"),
        Point.of("100", "60", "100"),
        Point.of("1", "0.999999", "1"),
        Point.of("1", "-0.999", "1"),
        Point.of("0.3", "0.21", "0.15"),
    )


def collinear_points() -> tuple[Point, ...]:
    """Points with q11 q22 = q12^2: the diagonal, and correlation -1."""
    return (Point.of("1.7", "1.7", "1.7"), Point.of("1", "2", "4"), Point.of("1", "-0.5", "0.25"))
