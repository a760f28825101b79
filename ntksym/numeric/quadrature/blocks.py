r"""Blocks: next to singular points, where intervals are many, a few nodes stand for all of them.

In a `product` the other factor of s, over a block of intervals, is the density: entire, and where
the block is no longer than panels may be, known there by its values at m Chebyshev points.  So
$\int s(u)g(u)\,du = \sum_j W_j g(u_j)$ with $W_j = \int s\,\ell_j$, numbers that no entry changes:
section 14 of `derivations/identities/quadrature.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, log
from typing import TYPE_CHECKING, Any

from ..patience import check
from .subject import BITS, Curve, Subject

if TYPE_CHECKING:
    from .intervals import Interval
    from .panels import PanelRule

_SCALES = 8
"""Halvings of the longest block: from sigma = 1 to below `product.LEAST_SIGMA`, and smaller q."""
_FEWEST = 4
"""Intervals that a block stands for."""
_MOST = 64
"""Points of a block."""
_BELOW = 72
"""Bits of what the rules for the weights leave."""


@dataclass(frozen=True, slots=True)
class Block:
    """Intervals number `first` to `last`, as one panel.

    Attributes:
        first: the first interval.
        last: the last.
        low: where it begins.
        high: where it ends.
        nodes: the Chebyshev points.
        value: the weights of s.
        slope: those of s'.
    """

    first: int
    last: int
    low: float
    high: float
    nodes: tuple[float, ...]
    value: tuple[float, ...]
    slope: tuple[float, ...]


def with_blocks(rule: PanelRule, subject: Subject) -> PanelRule:
    """The rule with blocks where they pay."""
    return replace(rule, blocks=_blocks(replace(rule, blocks=()), subject))


def are_proven(rule: PanelRule, subject: Subject) -> bool:
    """Whether the blocks are those that `with_blocks` proves."""
    return not rule.blocks or rule == with_blocks(rule, subject)


@lru_cache(maxsize=16)
def _blocks(rule: PanelRule, subject: Subject) -> tuple[Block, ...]:
    from ...precision import precision
    from .intervals import allowed
    from .lattice import deviation
    from .panels import farthest

    with precision(2 * BITS):
        dev = deviation(rule.top)
        sizes = allowed(subject, dev, farthest(dev, rule.length))
        points = _count(rule)
        if points is None:
            return ()
        found = []
        for first, last in _runs(rule, float(dev.mid()), points):
            block = _block(rule, (subject.value, subject.slope), (first, last), (dev, sizes))
            if block is not None:
                found.append(block)
    return tuple(sorted(found, key=lambda b: (b.first, -b.last)))


def _count(rule: PanelRule) -> int | None:
    r"""How many Chebyshev points leave no more than the panels do, where |s| is at most W.

    Of density and W: $4\rho^{1-m}/(\rho-1)$ against $\frac{32}{15}\rho^{-2n}/(1-\rho^{-2})$.
    """
    p, q = rule.tables[0].ellipse
    rho = p / q
    goal = 32 / 15 * rho ** (-2 * rule.tables[0].points) / (1 - rho**-2)
    return next((m for m in range(4, _MOST) if 4 * rho ** (1 - m) / (rho - 1) <= goal / 2), None)


def _runs(rule: PanelRule, dev: float, points: int) -> list[tuple[int, int]]:
    """The intervals that blocks stand for, at every scale: as many as fit, outside 0 if `half`."""
    parts, found = rule.intervals, dict[tuple[int, int], None]()
    for scale in range(_SCALES):
        longest = rule.width * dev / 2**scale
        todo = [(1, len(parts) - 2)]
        while todo:
            check()
            start, end = todo.pop()
            best = (0, 0, 0)
            for i in range(start, end + 1):
                j = i
                while j < end and _together(rule, parts[i], parts[j + 1], longest):
                    j += 1
                best = max(best, (j - i + 1, i, j))
            count, i, j = best
            if count >= _FEWEST and count * rule.tables[0].points > 2 * points:
                found[i, j] = None
                todo += [(start, i - 1), (j + 1, end)]
    return list(found)


def _together(rule: PanelRule, left: Interval, right: Interval, longest: float) -> bool:
    apart = rule.half and left.lo < 0.0 < right.hi
    return right.hi - left.lo <= longest and not apart


def _block(
    rule: PanelRule, curves: tuple[Curve, Curve], run: tuple[int, int], given: tuple[Any, Any]
) -> Block | None:
    """The block of a run; None where its weights are not seen to be small."""
    from flint import arb

    (first, last), (dev, sizes) = run, given
    parts = rule.intervals[first : last + 1]
    low, high = parts[0].lo, parts[-1].hi
    far = max(abs(low), abs(high))
    grown = (arb(far) * far / (4 * dev * dev)).exp()
    base = _count(rule)
    rho = arb(rule.tables[0].ellipse[0]) / rule.tables[0].ellipse[1]
    assert base is not None
    points = base + int((grown.log() / rho.log()).upper().ceil().unique_fmpz() or 0)
    if points > _MOST:
        return None
    weights = []
    for curve, size in zip(curves, sizes, strict=True):
        found = _weights(curve, parts, points, (dev, size))
        most = size * (arb(high) - low)
        if not sum((abs(w).upper() for w in found), arb(0)) <= most:
            return None
        if not all(w.rad() <= most * arb(2) ** -60 for w in found):
            return None
        weights.append(tuple(float(w.mid()) for w in found))
    middle, half = (arb(low) + high) / 2, (arb(high) - low) / 2
    nodes = tuple(float((middle + half * t).mid()) for t in _chebyshev(points))
    return Block(first, last, low, high, nodes, weights[0], weights[1])


def _chebyshev(points: int) -> list[Any]:
    """The zeros of T_m, ascending."""
    from flint import arb

    return [-(arb(2 * k + 1) / (2 * points)).cos_pi() for k in range(points)]


def _weights(curve: Curve, parts: Any, points: int, given: tuple[Any, Any]) -> list[Any]:
    r"""$\int f\ell_j = \frac2m\sum_n' T_n(t_j)\int f\,T_n$ over the block, in balls."""
    from flint import arb

    low, high = arb(parts[0].lo), arb(parts[-1].hi)
    moments = [arb(0)] * points
    for part in parts:
        check()
        for n, more in enumerate(_moments(curve, part, (low, high), points, given)):
            moments[n] += more
    found = []
    for t in _chebyshev(points):
        total = moments[0] / 2
        for n in range(1, points):
            total += arb.chebyshev_t(t, n) * moments[n]
        found.append(2 * total / points)
    return found


def _moments(
    curve: Curve, part: Any, ends: tuple[Any, Any], points: int, given: tuple[Any, Any]
) -> list[Any]:
    r"""$\int f\,T_n$ over one interval: Gauss-Legendre, its error from the reach of the interval.

    On the ellipse that touches the reach $|T_n|\le R^n$, and |f| at most W times its growth.
    """
    from flint import acb, arb

    from ...symbols import x
    from ...verify.evaluate import function
    from .panels import legendre

    (low, high), (dev, size) = ends, given
    func = function(curve.pieces[part.piece].expr, x)
    left, right, reach = arb(part.lo), arb(part.hi), arb(part.reach)
    middle, half = (left + right) / 2, (right - left) / 2
    across = reach / half
    rho = (across + (across * across + 1).sqrt()).lower()  # B = across, so A - 1 is less
    off = 1 + 2 * reach / (high - low)
    outer = (off + (off * off - 1).sqrt()).upper()
    digits = _BELOW * log(2) + points * log(float(outer))
    count = 8 * ceil(digits / (2 * log(float(rho))) / 8)
    out = [arb(0)] * points
    for t, w in legendre(count):
        u = middle + half * t
        f = func(acb(u), False).real * half * w
        s, before, now = (2 * u - low - high) / (high - low), arb(1), arb(0)
        for n in range(points):
            out[n] += f * before
            before, now = (s if n == 0 else 2 * s * before - now), before
    far = abs(left).max(abs(right)) + reach
    most = size * (far * far / (4 * dev * dev)).exp()
    error = arb(64) / 15 * most * rho ** (-2 * count) / (1 - rho**-2) * half
    return [(m + arb(0, (error * outer**n).upper())) for n, m in enumerate(out)]
