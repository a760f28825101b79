r"""Gauss-Legendre on the trapezoids that the kinks cut, with a bound that no geometry enters.

$u = \sqrt{q_{11}}\,x$, $v = \sqrt{q_{22}}(\rho x + \sigma z)$ on the square $[-L, L]^2$ of (x, z).
The cuts of s(u) are lines x = const, those of s(v) parallel lines; vertical cuts where these meet
the border of the square leave trapezoids, on each of which the integrand is analytic, at a distance
that depends on the intervals only.  So the n x n rule on trapezoids cut into short enough pieces
has one error for all rho, slivers near rho = +-1 included: section 3 of
`derivations/identities/quadrature.md`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from ..arith import rounded_up
from ..patience import check
from .blocks import Block, are_proven, with_blocks
from .cells import cells
from .intervals import Interval, allowed, covered, cut_up, kink_balls
from .lattice import deviation
from .product import LEAST_SIGMA, count
from .subject import BITS, Curve, Subject
from .tails import outside

MOST_NODES = 4_000_000
MOST_BARE = 40_000_000
"""The same where there are no blocks, which near correlation one are not used."""
_SIZES = (4, 6, 8, *range(10, 31), 34, 40)
_ELLIPSES = ((2, 1), (9, 4), (5, 2), (11, 4), (3, 1), (4, 1), (5, 1))
_SHARES = (0.5, 0.25, 0.125, 0.03125, 2.0**-8, 2.0**-14)
_FARTHEST = 28
_SHIFTS = (1.0, 1.5, 2.0, 2.5, 3.0)
_SAFE = 1 + 2.0**-28
"""Widths are shorter by this, and counts may be rounded down by 1e-9."""


@dataclass(frozen=True, slots=True)
class Table:
    """A Gauss-Legendre rule for pieces whose edges are at most `share` of what is allowed.

    Attributes:
        share: a power of two, at most 1.
        nodes: the points on [-1, 1], ascending.
        weights: their weights.
        ellipse: the parameter (p, q) of the Bernstein ellipse p/q on which its bound rests.
    """

    share: float
    nodes: tuple[float, ...]
    weights: tuple[float, ...]
    ellipse: tuple[int, int]

    @property
    def points(self) -> int:
        """The number of points."""
        return len(self.nodes)


@dataclass(frozen=True, slots=True)
class PanelRule:
    """Tensor Gauss-Legendre rules on every piece of every trapezoid.

    Attributes:
        top: the largest variance.
        length: half the side L of the square.
        intervals: of s; their ends cut the square.
        shift: how far a coordinate may move into the complex plane, in standard deviations.
        tables: the rules, by decreasing share; the first has share 1.
        half: whether s is even or odd, so that x > 0 is enough (`product`).
        blocks: what stands for many short intervals in a `product`.
    """

    top: Any
    length: float
    intervals: tuple[Interval, ...]
    shift: float
    tables: tuple[Table, ...]
    half: bool = False
    blocks: tuple[Block, ...] = ()

    @property
    def cuts(self) -> tuple[float, ...]:
        """The ends between the intervals."""
        return tuple(part.hi for part in self.intervals[:-1])

    @property
    def rates(self) -> tuple[float, ...]:
        """For each interval the pieces per unit of u: B/(2 reach), B the short half-axis."""
        return tuple(_SAFE * self._across / (2.0 * part.reach) for part in self.intervals)

    @property
    def width(self) -> float:
        """The longest edge of a piece."""
        return 2.0 * self.shift / (_SAFE * self._across)

    @property
    def _across(self) -> float:
        p, q = self.tables[0].ellipse
        return (p / q - q / p) / 2

    def table(self, share: float) -> int:
        """The last table that is allowed for panels of this share."""
        return sum(1 for table in self.tables[1:] if share <= table.share)

    def pairs(self, a: float, b: float, rho: float) -> int:
        """How many pairs of nodes an entry costs as a `product`."""
        sigma = (1.0 - rho * rho) ** 0.5
        start = 0.0 if self.half else -self.length
        return count(self, a, sigma, start) * count(self, b, sigma, -self.length)

    def cost(self, a: float, b: float, rho: float) -> int:
        """How many values of s(v) an entry costs in trapezoids."""
        sigma, n = (1.0 - rho * rho) ** 0.5, [table.points for table in self.tables]
        found = cells(self, a, b, rho, sigma)
        return sum(c.across * c.up * n[c.table_x] * n[c.table_z] for c in found)


def panel_bound(rule: PanelRule, curve: Curve, size: Any, trapezoids: bool = False) -> Any:
    """An upper bound of |rule - expectation| for variances in [0, top] and all rho (`arb`).

    That of trapezoids alone, or of what entries are: a `product` where sigma is not small.

    `size` is the W of the intervals.  Nodes and weights are those of Legendre; the stored ones are
    checked to be their doubles, and are otherwise not bounded: infinity.
    """
    from flint import arb

    length, shift = arb(rule.length), arb(rule.shift)
    most, area = size * size * (shift * shift / 2).exp() / (2 * arb.pi()), 4 * length * length
    first = second = arb(0)
    for table in rule.tables:
        if not _rounded(table):
            return arb("inf")
        if not _short_axis(table) * Fraction(table.share) <= _short_axis(rule.tables[0]):
            return arb("inf")
        rho = arb(table.ellipse[0]) / table.ellipse[1]
        error = rho ** (-2 * table.points) / (1 - rho**-2)
        first, second = first.max(error * (rho + 1 / rho) / 2), second.max(error)
    error = first + second
    if not trapezoids:
        error = error.max(second / LEAST_SIGMA)
    main = arb(64) / 15 * most * area * error
    return (main + outside(curve.growth, deviation(rule.top), length, arb(0))).upper()


def _short_axis(table: Table) -> Fraction:
    """B of its ellipse."""
    p, q = table.ellipse
    return (Fraction(p, q) - Fraction(q, p)) / 2


def panel_bounds(rule: PanelRule, subject: Subject, trapezoids: bool = False) -> tuple[Any, Any]:
    """Upper bounds of the errors of a rule for s and s' (`arb`); infinite where a cover fails.

    With `trapezoids` those of `panel_bound`.
    """
    from flint import arb

    from ...precision import precision

    with precision(BITS):
        kinks, dev = kink_balls(subject), deviation(rule.top)
        found = []
        far = farthest(dev, rule.length)
        whole = rule.intervals[0].lo <= -far and rule.intervals[-1].hi >= far
        whole = whole and _kept(rule, kinks, far) and (subject.even or not rule.half)
        whole = whole and are_proven(rule, subject)
        sizes = allowed(subject, dev, far)
        for curve, size in zip((subject.value, subject.slope), sizes, strict=True):
            fits = whole and covered(curve, rule.intervals, kinks, dev, size)
            found.append(panel_bound(rule, curve, size, trapezoids) if fits else arb("inf"))
    return found[0], found[1]


def farthest(dev: Any, length: float) -> float:
    """A double at least the largest |u| or |v| in the square."""
    from flint import arb

    return rounded_up(dev * length * arb(2).sqrt())


def _kept(rule: PanelRule, kinks: tuple[Any, ...], far: float) -> bool:
    """Whether neighbours meet, and every kink within reach is a cut between its own pieces."""
    parts = rule.intervals
    for left, right in itertools.pairwise(parts):
        changed = right.piece - left.piece
        if left.hi != right.lo or changed not in (0, 1):
            return False
        if changed and float(kinks[left.piece].mid()) != left.hi:
            return False
    below = sum(1 for k in kinks if not k > -far)
    above = sum(1 for k in kinks if k < far)
    return parts[0].piece == below and parts[-1].piece == above


def _rounded(rule: Table) -> bool:
    """Whether the stored nodes and weights are those of Legendre, rounded to doubles."""
    from flint import arb

    unit = arb(2) ** -53
    for (t, w), a, b in zip(legendre(rule.points), rule.nodes, rule.weights, strict=True):
        if not (abs(arb(a) - t) <= unit and abs(arb(b) - w) <= 2 * unit * w):
            return False
    return len(rule.nodes) == len(rule.weights) >= 2


@lru_cache(maxsize=64)
def legendre(n: int) -> tuple[tuple[Any, Any], ...]:
    """Nodes and weights as `arb`, ascending."""
    from flint import arb

    from ...precision import precision

    with precision(2 * BITS):
        found = [arb.legendre_p_root(n, k, weight=True) for k in range(n)]
    return tuple(sorted(found, key=lambda pair: float(pair[0])))


@lru_cache(maxsize=64)
def stored(n: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The doubles nearest to the nodes and weights."""
    rule = legendre(n)
    return tuple(float(t.mid()) for t, _ in rule), tuple(float(w.mid()) for _, w in rule)


def choose_panels(
    subject: Subject, top: Any, goals: tuple[Any, Any], trapezoids: bool = False
) -> PanelRule | None:
    """The rule with about the fewest nodes whose bounds for s and s' are below the goals.

    They are counted as pairs of a `product`, or as values of s(v) in trapezoids.
    """
    from ...precision import precision

    found: list[tuple[int, PanelRule]] = []
    with precision(BITS):
        dev = deviation(top)
        length = _length(subject, dev, goals)
        if length is None:
            return None
        far = farthest(dev, length)
        sizes = allowed(subject, dev, far)
        intervals = cut_up(subject, dev, far, sizes)
        if intervals is None:
            return None
        side = float(dev.mid())
        for ellipse in _ELLIPSES:
            for shift in _SHIFTS:
                bare = PanelRule(top, length, intervals, shift, (), subject.even)
                rule = _smallest(bare, ellipse, subject, sizes, goals, trapezoids)
                if rule is None:
                    continue
                count_of = rule.cost if trapezoids else rule.pairs
                found.append((count_of(side, side, 0.6), rule))
    found.sort(key=lambda pair: pair[0])
    for cost, rule in found:
        if cost > (MOST_NODES if trapezoids else MOST_BARE):
            break
        if trapezoids:
            return rule
        blocked = with_blocks(rule, subject)  # none of a rule with many points
        if blocked.pairs(side, side, 0.6) <= MOST_NODES:
            return blocked
    return None


def _smallest(
    bare: PanelRule,
    ellipse: tuple[int, int],
    subject: Subject,
    sizes: Any,
    goals: Any,
    trapezoids: bool,
) -> PanelRule | None:
    """The rule with the fewest points for one ellipse that reaches the goals."""
    curves = (subject.value, subject.slope)
    for n in _SIZES:
        check()
        rule = replace(bare, tables=(Table(1.0, *stored(n), ellipse),))
        both = zip(curves, sizes, strict=True)
        bounds = [panel_bound(rule, curve, size, trapezoids) for curve, size in both]
        if all(b < g for b, g in zip(bounds, goals, strict=True)):
            return replace(rule, tables=(*rule.tables, *_lighter(rule.tables[0])))
    return None


def _lighter(first: Table) -> tuple[Table, ...]:
    """Rules with fewer points for shorter pieces, each with an error below that of the first."""

    def error(rho: float, n: int) -> float:
        return rho ** (-2 * n) / (1 - rho**-2) * (rho + 1 / rho) / 2

    (p, q), out = first.ellipse, []
    goal, across = error(p / q, first.points) / _SAFE, (p / q - q / p) / 2
    for share in _SHARES:
        wide = across / share
        numerator = int(16 * (wide + (wide * wide + 1) ** 0.5))  # rounded down
        rho = numerator / 16
        n = next(k for k in range(2, first.points + 1) if error(rho, k) <= goal)
        out.append(Table(share, *stored(n), (numerator, 16)))
    return tuple(out)


def _length(subject: Subject, dev: Any, goals: tuple[Any, Any]) -> float | None:
    """The half side, in quarters, at which what is left out is a tenth of the goals."""
    from flint import arb

    for quarters in range(8, 4 * _FARTHEST):
        length = arb(quarters) / 4
        parts = zip((subject.value, subject.slope), goals, strict=True)
        if all(outside(c.growth, dev, length, arb(0)) < g / 10 for c, g in parts):
            return quarters / 4
    return None
