r"""Expectations over one and two Gaussian variables from panels: value plus error as one ball.

Lemmas: `derivations/identities/certificate.md`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any

from flint import arb, ctx

from .growth import Growth
from .panels import Panel, weighted
from .problem import NotConfirmed
from .value import Env

MOST_PAIRS = 6_000_000


@dataclass(frozen=True, slots=True)
class Law:
    """Means and covariance as `fmpq`."""

    m1: Any
    m2: Any
    q11: Any
    q12: Any
    q22: Any

    @property
    def det(self) -> Any:
        """The determinant."""
        return self.q11 * self.q22 - self.q12 * self.q12

    def swapped(self) -> Law:
        """The law of (v, u)."""
        return Law(self.m2, self.m1, self.q22, self.q12, self.q11)


@dataclass(frozen=True, slots=True)
class Line:
    """u = m1 + s1 X and v = m2 + slope X + rest Z, as balls."""

    m1: Any
    s1: Any
    m2: Any
    slope: Any
    rest: Any


def line_of(law: Law) -> Line:
    """Standard coordinates (q11 > 0)."""
    s1 = arb(law.q11).sqrt()
    rest = law.q22 - law.q12 * law.q12 / law.q11
    return Line(arb(law.m1), s1, arb(law.m2), arb(law.q12) / s1, arb(rest).sqrt())


def tail(f: Growth, g: Growth, at: Line, length: Any) -> Any:
    """An upper bound of E[|f(u) g(v)|; |X| > length], from certificates with k = 0.

    Raises:
        NotConfirmed: the certificates allow no finite expectation.
    """
    found = arb(0)
    for b1 in {1, -1} if f.b > 0 else {1}:
        for b2 in {1, -1} if g.b > 0 else {1}:
            found += _tilted(b1 * f.b, f.a, b2 * g.b, g.a, at, length)
    return (f.c * g.c * found).upper()


def _tilted(b1: Any, a1: Any, b2: Any, a2: Any, at: Line, length: Any) -> Any:
    """E[exp(b1 u + a1 u^2 + b2 v + a2 v^2); |X| > length]."""
    const = at.m1 * (b1 + a1 * at.m1) + at.m2 * (b2 + a2 * at.m2)
    lx = at.s1 * (b1 + 2 * a1 * at.m1) + at.slope * (b2 + 2 * a2 * at.m2)
    lz = at.rest * (b2 + 2 * a2 * at.m2)
    xx = a1 * at.s1 * at.s1 + a2 * at.slope * at.slope
    xz, zz = 2 * a2 * at.slope * at.rest, a2 * at.rest * at.rest
    spread = 1 - 2 * zz
    if not spread > 0:
        raise NotConfirmed("the growth certificates allow no finite expectation")
    const += lz * lz / (2 * spread)
    lx += lz * xz / spread
    tau = arb(1) / 2 - xx - xz * xz / (2 * spread)
    if not tau > 0:
        raise NotConfirmed("the growth certificates allow no finite expectation")
    root, shift = tau.sqrt(), lx / (2 * tau)
    both = (root * (length - shift)).erfc() + (root * (length + shift)).erfc()
    return (const + lx * lx / (4 * tau)).exp() * both / (2 * (2 * tau * spread).sqrt())


def along(parts: list[Panel], mean: Any, variance: Any, env: Env) -> Any:
    """The integral of the panels' function times the density of N(mean, variance).

    `mean` and `variance` are `arb`; what lies outside the panels is not included.
    """
    norm = 1 / (2 * arb.pi() * variance).sqrt()
    lost = arb(0)
    for p in parts:
        near, high = p.nearest(mean), p.height()
        lost += p.rate * p.size * ((high * high - near * near) / (2 * variance)).exp()
    total = arb(0)
    for t, w in weighted(parts, env):
        gap = t - mean
        total += w * (-gap * gap / (2 * variance)).exp()
    return norm * (total + arb(0, lost.upper()))


def plane(us: list[Panel], vs: list[Panel], law: Law, env: Env) -> Any:
    """The integral of f(u) g(v) times the Gaussian density over the rectangles of the panels."""
    det = law.det
    norm = 1 / (2 * arb.pi() * arb(det).sqrt())
    sum_f = sum((2 * p.half * p.size for p in us), arb(0))
    sum_g = sum((2 * p.half * p.size for p in vs), arb(0))
    lost = _rule_error(us, arb(law.m1), arb(law.q22 / det), arb(law.q11)) * sum_g
    lost += _rule_error(vs, arb(law.m2), arb(law.q11 / det), arb(law.q22)) * sum_f
    value, skipped = _banded(weighted(us, env), weighted(vs, env), law)
    lost += skipped * sum_f * sum_g
    return norm * (value + arb(0, lost.upper()))


def _rule_error(parts: list[Panel], mean: Any, stiff: Any, variance: Any) -> Any:
    """The errors of the rules of one variable, for the kernel without its norm."""
    lost = arb(0)
    for p in parts:
        near, high = p.nearest(mean), p.height()
        kernel = (high * high * stiff / 2 - near * near / (2 * variance)).exp()
        lost += p.rate * p.size * kernel
    return lost


def _banded(us: list[Any], vs: list[Any], law: Law) -> tuple[Any, Any]:
    """The double sum over pairs near the line v = m2 + k (u - m1), and the largest factor left out.

    A pair is left out where |v - m2 - k (u - m1)| is certainly above `reach`.
    """
    slope, mean1, mean2 = arb(law.q12 / law.q11), arb(law.m1), arb(law.m2)
    narrow = 2 * arb(law.det / law.q11)
    room = arb(int(ctx.prec))
    reach = (room * narrow).sqrt().upper()
    keys = [float(v) for v, _ in vs]
    shifted = [(v - mean2, w) for v, w in vs]
    total, pairs, wide = arb(0), 0, float(reach) * 1.0001 + 1e-12 * (1 + max(map(abs, keys)))
    quad = -1 / (2 * arb(law.q11))
    tight = -1 / narrow
    for u, weight in us:
        offset = u - mean1
        centre = slope * offset
        middle = float(centre + mean2)
        first, last = bisect_left(keys, middle - wide), bisect_right(keys, middle + wide)
        if first and not centre - shifted[first - 1][0] > reach:
            first = 0
        if last < len(vs) and not shifted[last][0] - centre > reach:
            last = len(vs)
        pairs += last - first
        if pairs > MOST_PAIRS:
            raise NotConfirmed("too many pairs of nodes")
        row = arb(0)
        for v, w in shifted[first:last]:
            gap = v - centre
            row += w * (tight * gap * gap).exp()
        total += weight * row * (quad * offset * offset).exp()
    return total, (-room).exp()
