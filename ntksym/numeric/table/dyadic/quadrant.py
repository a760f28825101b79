r"""The normal quadrant P(u > b, v > c) at many correlations: Taylor series of its derivative.

With $t = \tan(\theta/2)$ the quadrant at $\rho = \pm\cos\theta$ changes by
$\mp e^{-Q}/(\pi(1+t^2))\,dt$, $8Q = \delta^2/t^2 + \delta^2+\sigma^2 + \sigma^2t^2$, where
$\delta = b \mp c$ and $\sigma = b \pm c$ (Plackett 1954); at t = 0 it is known.  On an interval
[2a/3, a] the disc about its middle that reaches 0.7 of the way to 0 has $|\arg t| < \pi/4$: the
density is at most $e^{-(\delta^2+\sigma^2)/8}/\pi$ there: Cauchy gives the error of a series.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log
from typing import Any

from ....dyadic import integers
from ....errors import Undecided

_SHORTER = 2 / 3
_DISC = 0.7
_ROUND = 0.875
"""The radius of the disc about 1/4 for [0, 1/2], where kinks touch."""
_GAIN = 1.8
"""Bits that a term of a series gains, at least: log2 of 0.875 over 1/4."""
_SPARE = 32
_EXACT_BITS = 512


@dataclass(frozen=True, slots=True)
class Part:
    """The integral of the density on an interval.

    Attributes:
        low: the left end, a double.
        middle: the middle.
        half: half the length.
        series: the integral from the middle (`arb_poly`), in (t - middle)/half.
        error: a bound of what the series leaves out.
        start: the integral from 0 to the middle.
    """

    low: float
    middle: Any
    half: Any
    series: Any
    error: Any
    start: Any

    def at(self, t: Any) -> Any:
        """The integral from 0 to t, a number of the interval."""
        from flint import arb

        return self.start + self.series((t - self.middle) / self.half) + arb(0, self.error)


@dataclass(frozen=True, slots=True)
class Rise:
    """The integral of the density from 0.

    Attributes:
        parts: from the largest t down.
        below: a bound of the integral up to where they begin.
    """

    parts: tuple[Part, ...]
    below: Any

    def at(self, t: Any) -> Any:
        """The integral from 0 to t, 0 <= t <= 1 (`arb`)."""
        from flint import arb

        for part in self.parts:
            if t >= part.low:
                return part.at(t)
        if self.parts and not t < self.parts[-1].low:
            return self.parts[-1].at(t)
        return arb(self.below / 2, (self.below / 2).upper())


def quadrant(b: Any, c: Any, t: Any, sign: int) -> Any:
    """A ball of P(u > b, v > c) at rho = sign (1-t^2)/(1+t^2), 0 <= t <= 1.

    Raises:
        Undecided: whether the kinks touch is open.
    """
    from flint import arb, ctx

    from ....precision import precision

    def above(x: Any) -> Any:
        return (x / arb(2).sqrt()).erfc() / 2

    with precision(_EXACT_BITS):  # fewer would round the places: do they touch?
        other = c if sign > 0 else -c
        keys = integers(abs(b - other)), integers(abs(b + other))
    found = _rise(*keys, int(ctx.prec)).at(t)
    if sign > 0:
        return above(b.max(c)) - found
    return found if b >= other else above(b) - above(other) + found


Key = tuple[int, int, int, int]


@lru_cache(maxsize=256)
def _rise(gap_key: Key, sum_key: Key, bits: int) -> Rise:
    from flint import arb

    from ....precision import precision

    with precision(_EXACT_BITS):
        gap, total = (arb(k[:2], k[2:]) for k in (gap_key, sum_key))
    with precision(bits + _SPARE):
        if gap == 0:
            ends, start = [1.0, 0.75, 0.5, 0.0], arb(0)
        elif gap > 0:
            begin = float(gap.lower()) / (8 * log(2) * (bits + _SPARE)) ** 0.5
            ends = [1.0]
            while ends[-1] > begin:
                ends.append(ends[-1] * _SHORTER)
            low = arb(ends[-1])
            start = (low * (-((gap / low) ** 2) / 8).exp()).upper() / arb.pi()
            start = arb(start / 2, (start / 2).upper())
        else:
            raise Undecided("two kinks are too close to tell apart")
        parts, below = [], (2 * start).upper()
        for high, low in zip(reversed(ends[:-1]), reversed(ends[1:]), strict=True):
            series, error = _series(gap, total, low, high, bits)
            start = start - series(arb(-1)) + arb(0, error)
            middle, half = (arb(high) + low) / 2, (arb(high) - low) / 2
            parts.append(Part(low, middle, half, series, error, start))
            start = start + series(arb(1)) + arb(0, error)
        return Rise(tuple(reversed(parts)), below)


def _series(gap: Any, total: Any, low: float, high: float, bits: int) -> tuple[Any, Any]:
    """The integral of the density from the middle of an interval, and a bound of its error."""
    from flint import arb, arb_poly, arb_series, ctx

    count = ceil((bits + _SPARE) / _GAIN)
    middle, half = (arb(high) + low) / 2, (arb(high) - low) / 2
    if low > 0:
        radius = _DISC * middle
        most = (-(gap * gap + total * total) / 8).exp() / arb.pi()
    else:  # gap = 0; |1 + t^2| = |t - i||t + i|, |Im t| < radius
        radius = arb(_ROUND)
        near = (middle * middle + 1).sqrt() - radius
        most = (-total * total * (1 - radius * radius) / 8).exp() / (arb.pi() * near * near)
    before = ctx.cap
    ctx.cap = count
    try:
        t = arb_series([middle, half])
        square = t * t
        power = (gap * gap + total * total) + total * total * square
        if low > 0:
            power = gap * gap / square + power
        found = ((-power / 8).exp() / (arb.pi() * (1 + square))).integral() * half
        kept = [found[i] for i in range(count)]
    finally:
        ctx.cap = before
    ratio = half / radius
    return arb_poly(kept), (most * half * ratio ** (count - 1) / (1 - ratio)).upper()
