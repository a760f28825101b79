r"""Where a power series on the unit disc is sampled, so that samples prove a bound between them.

With $\rho = \pm(1 - \delta)$ and $\zeta = \log\delta$ the half-line $\delta \to 0$ is cut into
intervals of $\zeta$.  A function analytic in $|\rho| < 1$ is analytic in the ellipse with foci at
the ends of an interval and parameter r as long as $|1 - e^\zeta| < 1$ there; a polynomial of degree
m - 1 through the m Chebyshev points is then within $4 M r^{1-m}/(r - 1)$ of it, M a bound on the
ellipse (Trefethen 2013, Theorem 8.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, exp, log, pi, sin
from typing import Any

from flint import acb, arb

from ..precision import precision

PANELS = 96
"""Boxes around half an ellipse."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One interval of zeta and its ellipse.

    Attributes:
        low: the left end.
        high: the right end.
        r: the parameter of an ellipse on which |1 - e^zeta| < 1 is proven.
        points: how many samples.
    """

    low: float
    high: float
    r: float
    points: int

    def nodes(self) -> tuple[Any, ...]:
        """The Chebyshev points from right to left, as balls at the working precision."""
        middle, half = (arb(self.low) + arb(self.high)) / 2, (arb(self.high) - arb(self.low)) / 2
        n = self.points
        return tuple(middle + half * arb.cos_pi(arb(2 * k + 1) / (2 * n)) for k in range(n))

    @property
    def lebesgue(self) -> float:
        """A bound of the Lebesgue constant of these points: 2/pi log(n) + 1."""
        return 1 + 2 / pi * log(self.points) + 1e-12

    def tail(self, size: Any) -> Any:
        """The distance of the interpolant of a function bounded by `size` on the ellipse."""
        r = arb(self.r)
        return 4 * size * r ** (1 - self.points) / (r - 1)

    def boundary(self) -> tuple[Any, ...]:
        """Boxes (`acb`) that cover the upper half of the ellipse."""
        return _boundary(self.low, self.high, self.r)


@lru_cache(maxsize=256)
def _boundary(low: float, high: float, r: float) -> tuple[Any, ...]:
    with precision(64):
        middle, half = (arb(low) + arb(high)) / 2, (arb(high) - arb(low)) / 2
        a, b = (arb(r) + 1 / arb(r)) / 2, (arb(r) - 1 / arb(r)) / 2
        boxes = []
        for k in range(PANELS):
            t = (arb(k).union(arb(k + 1))) * arb.pi() / PANELS
            boxes.append(acb(middle + half * a * t.cos(), half * b * t.sin()))
        return tuple(boxes)


def intervals(least: float, digits: float) -> tuple[Interval, ...]:
    """Intervals from zeta = 0 down to zeta = least, each with samples for that many digits."""
    found = []
    high = 0.0
    while high > least + 1e-9:
        low = max(least, high - (3.0 if high == 0.0 else 7.0))
        r = _largest(low, high)
        found.append(Interval(low, high, r, int(digits * log(10) / log(r)) + 8))
        high = low
    return tuple(found)


def _largest(low: float, high: float) -> float:
    """The largest parameter, by bisection, for which every box is proven to be in the disc."""
    small, large = 1.0, 8.0
    for _ in range(24):
        r = (small + large) / 2
        if _rough(low, high, r) and _inside(low, high, r):
            small = r
        else:
            large = r
    return small


def _rough(low: float, high: float, r: float) -> bool:
    middle, half = (low + high) / 2, (high - low) / 2
    for k in range(PANELS + 1):
        t = pi * k / PANELS
        x, y = middle + half * (r + 1 / r) / 2 * cos(t), half * (r - 1 / r) / 2 * sin(t)
        if not (y < pi / 2 and exp(x) < 2 * cos(y)):
            return False
    return True


def _inside(low: float, high: float, r: float) -> bool:
    """|1 - e^zeta|^2 = 1 - e^x (2 cos y - e^x) < 1 on every box."""
    return all(
        z.imag < arb.pi() / 2 and z.real.exp() < 2 * z.imag.cos() for z in _boundary(low, high, r)
    )
