r"""Panels in the coordinates of both inputs: the product of two rules on the line.

In $x = u/\sqrt{q_{11}}$, $y = v/\sqrt{q_{22}}$ the places where s(u) and s(v) change are lines
parallel to the axes: no trapezoids, and s is wanted at the nodes of x and at those of y alone.
What is left for a pair of nodes is the density, $e^{-(x^2+z^2)/2}/(2\pi\sigma)$,
$z = (y-\rho x)/\sigma$, which asks for panels that are shorter as sigma is smaller: section 12 of
`derivations/identities/quadrature.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

from .blocks import Block
from .floats import Arrays

if TYPE_CHECKING:
    from .panels import PanelRule

LEAST_SIGMA = 0.03125
"""Nearer to correlation one trapezoids need fewer nodes: `cells`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the line, cut into equal panels.

    Attributes:
        low: where it begins.
        high: where it ends.
        interval: the number of the interval of s.
        panels: how many there are.
        table: the number of their table of `PanelRule`.
        block: what stands for its intervals, which then are one panel.
    """

    low: float
    high: float
    interval: int
    panels: int
    table: int
    block: Block | None = None


def side(rule: PanelRule, dev: float, sigma: float, start: float) -> Iterator[Piece]:
    """The pieces of [start, L] for s(dev x), dev > 0."""
    cuts, low, i = rule.cuts, start, -1
    while i < len(cuts):
        i += 1
        block = _block(rule, dev, sigma, low, i)
        if block is not None:
            high, i = block.high / dev, block.last
            yield Piece(low, high, i, 1, 0, block)
            low = high
            continue
        high = min(cuts[i] / dev, rule.length) if i < len(cuts) else rule.length
        if high > low:
            wide = high - low
            across = max(dev * wide * rule.rates[i], wide / (rule.width * sigma))
            panels = max(1, ceil(across - 1e-9))
            yield Piece(low, high, i, panels, rule.table(across / panels))
            low = high


def _block(rule: PanelRule, dev: float, sigma: float, low: float, first: int) -> Block | None:
    """The longest block that begins with an interval, for which the density is smooth enough."""
    for block in rule.blocks:
        if block.first == first:
            start, end = block.low / dev, block.high / dev
            if start >= low and end <= rule.length and end - start <= rule.width * sigma:
                return block
    return None


def count(rule: PanelRule, dev: float, sigma: float, start: float) -> int:
    """The nodes of [start, L]."""
    found = side(rule, dev, sigma, start)
    return sum(
        p.panels * rule.tables[p.table].points if p.block is None else len(p.block.nodes)
        for p in found
    )


def most_panels(rule: PanelRule) -> int:
    """At least as many as [-L, L] has, for any variance and any sigma from `LEAST_SIGMA` on."""
    parts = zip(rule.intervals, rule.rates, strict=True)
    panels = sum(ceil((part.hi - part.lo) * rate) + 1 for part, rate in parts)
    return panels + ceil(2 * rule.length / (rule.width * LEAST_SIGMA)) + 1


def product(
    rule: PanelRule, pieces: tuple[Arrays, ...], a: float, b: float, rho: float, sigma: float
) -> tuple[float, float]:
    """(nngp, dot) for u = a x, v = b y of correlation rho, a > 0 and b > 0.

    Pairs of panels that lie outside the circle $x^2 + z^2 = L^2$ are left out.
    """
    import numpy as np

    far = rule.length
    ends, y, fv, dv = _nodes(rule, pieces, (b, sigma, -far))
    first, x, fu, du = _nodes(rule, pieces, (a, sigma, 0.0 if rule.half else -far))
    total = total_dot = 0.0
    for low, high, at, to in first:
        middle, wide = 0.5 * (low + high), 0.5 * (high - low)
        near = max(abs(middle) - wide, 0.0)
        left = sqrt(max((far - near) * (far + near), 0.0))
        reach = abs(rho) * wide + left * sigma
        within = [e for e in ends if e[1] >= rho * middle - reach and e[0] <= rho * middle + reach]
        if not within:
            continue
        own = slice(within[0][2], within[-1][3])
        z = (y[own] - rho * x[at:to, None]) / sigma
        bell = np.exp(-0.5 * (x[at:to, None] * x[at:to, None] + z * z))
        total += float(np.sum(fu[at:to] * np.sum(bell * fv[own], axis=1)))
        total_dot += float(np.sum(du[at:to] * np.sum(bell * dv[own], axis=1)))
    scale = (2.0 if rule.half else 1.0) / (2.0 * np.pi * sigma)
    return total * scale, total_dot * scale


def _nodes(
    rule: PanelRule, pieces: tuple[Arrays, ...], where: tuple[float, float, float]
) -> tuple[list[tuple[float, float, int, int]], Any, Any, Any]:
    """Every panel with the numbers of its nodes; the nodes, s and s' there times the weights."""
    import numpy as np

    from .sums import stretched

    dev, sigma, start = where
    ends: list[tuple[float, float, int, int]] = []
    found: list[tuple[Any, Any, Any]] = []
    at = 0
    for p in side(rule, dev, sigma, start):
        if p.block is not None:
            to = at + len(p.block.nodes)
            ends.append((p.low, p.high, at, to))
            nodes, value, slope = p.block.nodes, p.block.value, p.block.slope
            found.append((np.array(nodes) / dev, np.array(value) / dev, np.array(slope) / dev))
            at = to
            continue
        s, w = stretched(rule, p.table, p.panels)
        wide, many = p.high - p.low, rule.tables[p.table].points
        x = p.low + wide * s
        f, d = pieces[rule.intervals[p.interval].piece](dev * x)
        found.append((x, f * wide * w, d * wide * w))
        for k in range(p.panels):
            low, high = (p.low + wide * ((k + m) / p.panels) for m in (0, 1))
            ends.append((low, high, at, at + many))
            at += many
    x, f, d = (np.concatenate(part) for part in zip(*found, strict=True))
    return ends, x, f, d
