r"""Exact numbers $\pm\sqrt t$, t rational, where balls cannot decide: zeros, and arguments +-1."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Any

from flint import acb, arb, fmpq

MOST_BITS = 20_000
"""Larger numerators or denominators are not kept exact."""


def rational_root(value: Any) -> Any:
    """The rational square root of an `fmpq` >= 0, or None."""
    p, q = int(value.numer()), int(value.denom())
    a, b = isqrt(p), isqrt(q)
    return fmpq(a, b) if a * a == p and b * b == q else None


@dataclass(frozen=True, slots=True)
class Exact:
    """The number `sign` * sqrt(`square`)."""

    sign: int
    square: Any

    def rational(self) -> Any:
        """The number as an `fmpq`, or None."""
        root = rational_root(self.square)
        return None if root is None else root * self.sign

    def ball(self) -> Any:
        """The number as an `acb`."""
        r = self.rational()
        return acb(arb(r)) if r is not None else acb(arb(self.square).sqrt() * self.sign)

    def times(self, other: Exact) -> Exact | None:
        """The product, unless it is large."""
        product = self.square * other.square
        large = max(product.numer().bit_length(), product.denom().bit_length()) > MOST_BITS
        return None if large else Exact(self.sign * other.sign, product)

    def plus(self, other: Exact) -> Exact | None:
        """The sum, when it is again of this form and not large."""
        if self.sign == 0 or other.sign == 0:
            return other if self.sign == 0 else self
        ratio = rational_root(other.square / self.square)
        if ratio is None:
            return None
        factor = fmpq(self.sign) + ratio * other.sign
        scaled = Exact((factor > 0) - (factor < 0), factor * factor)
        return scaled.times(Exact(1, self.square))

    def power(self, e: Any) -> Exact | None:
        """The power with a half-integer `fmpq` exponent, when it is of this form."""
        if self.sign == 0:
            return Exact(0, fmpq(0)) if e > 0 else None
        if e.denom() > 2 or abs(e) > 512:
            return None
        bits = max(self.square.numer().bit_length(), self.square.denom().bit_length())
        n = int(e.numer())
        if bits * abs(n) > MOST_BITS:
            return None
        if e.denom() == 1:
            return Exact(self.sign if n % 2 else 1, self.square**n)
        r = self.rational()
        return Exact(1, r**n) if r is not None and r > 0 else None


def exact(value: Any) -> Exact:
    """The rational number `value`."""
    q = fmpq(value)
    return Exact((q > 0) - (q < 0), q * q)


NOTHING, UNIT = exact(0), exact(1)
