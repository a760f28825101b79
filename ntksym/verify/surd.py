r"""Exact numbers $\pm\sqrt{t}$, t rational: what covariances and their square roots are made of.

At a degenerate covariance a formula meets $\sqrt{q_{11} q_{22} - q_{12}^2} = 0$ or
$\arcsin(q_{12}/(\sqrt{q_{11}}\sqrt{q_{22}})) = \arcsin 1$.  A ball cannot be zero or one
exactly, so
products, quotients, roots and (where possible) sums of such numbers are kept exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import acb, arb, fmpq


def _root(value: fmpq) -> fmpq | None:
    """The rational square root of value >= 0, if it has one."""
    a, rest = value.numer().sqrtrem()
    if rest != 0:
        return None
    b, rest = value.denom().sqrtrem()
    return fmpq(a, b) if rest == 0 else None


@dataclass(frozen=True, slots=True)
class Surd:
    r"""The number `sign` * sqrt(`square`), with sign in {-1, 0, 1}."""

    sign: int
    square: Any

    @classmethod
    def rational(cls, value: Any) -> Surd:
        """The rational number `value`."""
        value = fmpq(value)
        return cls((value > 0) - (value < 0), value * value)

    def as_rational(self) -> Any:
        """The number as an `fmpq`, or None when it is irrational."""
        root = _root(self.square)
        return None if root is None else root * self.sign

    def as_integer(self) -> int | None:
        """The number as an integer, or None."""
        value = self.as_rational()
        return int(value.numer()) if value is not None and value.denom() == 1 else None

    def ball(self) -> Any:
        """The number as an `acb` at the working precision."""
        value = self.as_rational()
        if value is not None:
            return acb(arb(value))
        return acb(arb(self.square).sqrt() * self.sign)

    def __mul__(self, other: Surd) -> Surd:
        return Surd(self.sign * other.sign, self.square * other.square)

    def add(self, other: Surd) -> Surd | None:
        """The sum, when it is again of this form: both rational up to one common root."""
        if self.sign == 0 or other.sign == 0:
            return other if self.sign == 0 else self
        ratio = _root(other.square / self.square)
        if ratio is None:
            return None
        total = fmpq(self.sign) + ratio * other.sign
        return Surd((total > 0) - (total < 0), total * total * self.square)

    def power(self, exponent: Any) -> Surd | None:
        """The power with an `fmpq` exponent in Z/2; None when it is not of this form."""
        if self.sign == 0:
            return Surd(0, fmpq(0)) if exponent > 0 else None
        if exponent.denom() == 1:
            n = int(exponent.numer())
            if abs(n) > 4096:
                return None
            return Surd(self.sign if n % 2 else 1, self.square**n)
        value = self.as_rational()
        if exponent.denom() == 2 and value is not None and value > 0:
            n = int(exponent.numer())
            return Surd(1, value**n) if abs(n) <= 4096 else None
        return None


ZERO = Surd(0, fmpq(0))
ONE = Surd(1, fmpq(1))
