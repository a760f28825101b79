r"""The bound $|f(t)| \le c\,(1+|t|)^k e^{b|t| + a t^2}$ and what sums and products make of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from flint import arb

from .ranges import upper

_LIFT = 64
"""The exponent of the factor that is paid at most."""


@dataclass(frozen=True, slots=True)
class Growth:
    """|f(t)| <= c (1+|t|)^k exp(b|t| + a t^2); c, b, a are `arb` used through upper bounds."""

    c: Any
    k: int
    b: Any
    a: Any

    def __mul__(self, other: Growth) -> Growth:
        return Growth(self.c * other.c, self.k + other.k, self.b + other.b, self.a + other.a)

    def __add__(self, other: Growth) -> Growth:
        if self.c == 0 or other.c == 0:  # zero has no rate: it would hide that of a narrow bump
            return other if self.c == 0 else self
        one, two = self._beside(other), other._beside(self)
        return Growth(one.c + two.c, max(one.k, two.k), one.b.max(two.b), one.a.max(two.a))

    def _beside(self, other: Growth) -> Growth:
        """The same with the rates of a sum, where it falls in the end: e^(t - t^2) <= e^(1/4)."""
        gap, fall = self.b - other.b, other.a - self.a
        if not (gap > 0 and fall > 0) or not gap * gap < 4 * fall * _LIFT:
            return self
        return Growth(self.c * (gap * gap / (4 * fall)).exp(), self.k, other.b, other.a)

    def raised(self, p: Any) -> Growth:
        """The bound of the power p > 0 of the function."""
        k = ceil(upper(self.k * p))
        return Growth((self.c + 1) ** p, k, self.b * p, self.a * p)

    def at(self, size: int) -> Any:
        """The bound for all |t| <= size."""
        zero = arb(0)
        rate = self.b.max(zero) * size + self.a.max(zero) * size**2
        return (self.c * arb(1 + size) ** self.k * rate.exp()).upper()

    def exponential(self, rate: Any) -> Growth:
        """The same bound with k = 0: (1+t)^k <= (k/d)^k e^(d-k) e^(d t) for d <= k, t >= 0."""
        if self.k == 0:
            return self
        d = arb(rate).min(arb(self.k)) if not isinstance(rate, int) else arb(min(rate, self.k))
        factor = (arb(self.k) / d) ** self.k * (d - self.k).exp()
        return Growth(self.c * factor, 0, self.b + d, self.a)
