r"""The Gaussian pair at exact rational means and covariance, and closed bounds of its tails.

Standard coordinates: $u = m_1 + \sqrt{q_{11}}\,X$, $v = m_2 + \sqrt{q_{22}}\,(rX + \sigma Z)$,
X, Z independent standard normal, $\sigma^2 = 1 - r^2$.  Squares are written as products:
python-flint answers NaN for `ball**2` when the ball meets zero.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flint import arb, fmpq

from ..errors import BadCovariance, NotSquareIntegrable, Undecided, not_semi_definite
from .functions.growth import Growth


@dataclass(frozen=True, slots=True)
class Law:
    """Means and covariance as `fmpq`.

    Raises:
        BadCovariance: not positive semi-definite.
    """

    m1: Any
    m2: Any
    q11: Any
    q12: Any
    q22: Any

    def __post_init__(self) -> None:
        det = self.q11 * self.q22 - self.q12 * self.q12
        if self.q11 < 0 or self.q22 < 0 or det < 0:
            raise not_semi_definite(self.q11, self.q12, self.q22)

    def swapped(self) -> Law:
        """The law of (v, u)."""
        return Law(self.m2, self.m1, self.q22, self.q12, self.q11)

    @property
    def singular(self) -> bool:
        """Whether v is a function of u (q11 > 0)."""
        return bool(self.q11 * self.q22 == self.q12 * self.q12)

    def scales(self) -> Scales:
        """The standard coordinates at the working precision (q11 > 0)."""
        a, b = arb(self.q11).sqrt(), arb(self.q22).sqrt()
        slope = arb(self.q12) / a
        rest = arb(self.q22 - self.q12 * self.q12 / self.q11).sqrt()
        return Scales(arb(self.m1), arb(self.m2), a, b, slope, rest)


@dataclass(frozen=True, slots=True)
class Scales:
    """u = m1 + s1 X; v = m2 + slope X + rest Z; s2 is the deviation of v."""

    m1: Any
    m2: Any
    s1: Any
    s2: Any
    slope: Any
    rest: Any


def tail(f: Growth, g: Growth, law: Law, length: Any, *, inner: bool = False) -> Any:
    """An upper bound of E[|f(u)| |g(v)|; |X| > length], or of |Z| > length when `inner`.

    Raises:
        NotSquareIntegrable: the certificates do not bound the expectation.
    """
    s = law.scales()
    zero = arb(0)
    fe = f.exponential(1 / s.s1)
    ge = g.exponential(1 / s.s2) if s.s2 > 0 else g.exponential(1)
    b1, b2 = fe.b.max(zero), ge.b.max(zero)
    total = zero
    for sign1 in (1, -1) if b1 > 0 else (1,):
        for sign2 in (1, -1) if b2 > 0 else (1,):
            total += _tilted(sign1 * b1, fe.a, sign2 * b2, ge.a, s, length, inner)
    return (fe.c * ge.c * total).upper()


def _tilted(b1: Any, a1: Any, b2: Any, a2: Any, s: Scales, length: Any, inner: bool) -> Any:
    """E[exp(b1 u + a1 u^2 + b2 v + a2 v^2); |w| > length], w = X or Z: closed by erfc."""
    e0 = s.m1 * (b1 + a1 * s.m1) + s.m2 * (b2 + a2 * s.m2)
    lx = s.s1 * (b1 + 2 * a1 * s.m1) + s.slope * (b2 + 2 * a2 * s.m2)
    lz = s.rest * (b2 + 2 * a2 * s.m2)
    xx = a1 * s.s1 * s.s1 + a2 * s.slope * s.slope
    xz, zz = 2 * a2 * s.slope * s.rest, a2 * s.rest * s.rest
    if inner:
        lx, lz, xx, zz = lz, lx, zz, xx
    spread = 1 - 2 * zz
    if not spread > 0:
        raise _infinite()
    e0 += lz * lz / (2 * spread)
    e1 = lx + lz * xz / spread
    tau = arb(1) / 2 - xx - xz * xz / (2 * spread)
    if not tau > 0:
        raise _infinite()
    root, shift = tau.sqrt(), e1 / (2 * tau)
    both = (root * (length - shift)).erfc() + (root * (length + shift)).erfc()
    return (e0 + e1 * e1 / (4 * tau)).exp() * both / (2 * (2 * tau * spread).sqrt())


def _infinite() -> NotSquareIntegrable:
    return NotSquareIntegrable(
        "the expectation is not finite at this variance, or nothing bounds it: the proven bound "
        "c exp(a x^2) of the activation beats the density",
        hint="smaller variances: |s(x)| <= c exp(a x^2) needs 4 a q < 1",
    )


def _lengths() -> tuple[int, ...]:
    """4, 5, ..., 40, then an eighth more each time, up to a million."""
    out = [4]
    while out[-1] <= 10**6:
        out.append(out[-1] + (1 if out[-1] < 40 else out[-1] // 8))
    return tuple(out)


_LENGTHS = _lengths()
_PROBE = 8
"""Which of them is looked at first: 12, where most normal tails are below what a double holds."""


def cut(f: Growth, g: Growth, law: Law, tol: Any, *, inner: bool = False) -> tuple[Any, Any]:
    """`(length, bound)`: of these lengths the least whose tail is below `tol`, and its bound."""
    low, high = 0, _PROBE
    while not (bound := tail(f, g, law, arb(_LENGTHS[high]), inner=inner)) < tol:
        if not bound.is_finite() or high == len(_LENGTHS) - 1:
            raise Undecided("no length of the integral makes its tail small")
        low, high = high + 1, min(2 * high, len(_LENGTHS) - 1)
    while low < high:  # it falls with the length
        middle = (low + high) // 2
        less = tail(f, g, law, arb(_LENGTHS[middle]), inner=inner)
        if less < tol:
            high, bound = middle, less
        else:
            low = middle + 1
    return arb(_LENGTHS[high]), bound


def exact(value: Any) -> Any:
    """An exact rational as an `fmpq`: SymPy Rational, int, Fraction, or decimal text.

    Raises:
        BadCovariance: not a number that is exactly rational.
    """
    from fractions import Fraction

    if isinstance(value, fmpq):
        return value
    if hasattr(value, "p") and hasattr(value, "q"):
        return fmpq(int(value.p), int(value.q))
    if isinstance(value, (int, str, Fraction)):
        with suppress(ValueError):
            f = Fraction(value)
            return fmpq(f.numerator, f.denominator)
    raise BadCovariance(
        f"{value!r} is not an exact rational number", hint="text such as '0.4', or Rational(2, 5)"
    )
