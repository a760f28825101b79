"""The rules run in NumPy: one entry at a time, so that its bits depend on nothing else."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Any

from .cells import cells
from .fan import FanRule, node_tables
from .floats import Arrays
from .lattice import LatticeRule
from .panels import PanelRule
from .product import LEAST_SIGMA, product

Functions = tuple[Arrays, ...]
"""For each smooth piece x -> (value, slope)."""


def entry(
    rule: LatticeRule | PanelRule | FanRule,
    pieces: Functions,
    a: float,
    b: float,
    rho: float,
    sigma: float,
) -> tuple[float, float]:
    """(nngp, dot) for u = a x, v = b (rho x + sigma z); with sigma = 0 one sum over x."""
    if isinstance(rule, FanRule):
        return _fan(rule, pieces, a, b, rho, sigma)
    if isinstance(rule, LatticeRule):
        return _lattice(rule, pieces[0], a, b, rho, sigma)
    if sigma == 0.0:
        return _line(rule, pieces, a, b, rho)
    if sigma >= LEAST_SIGMA and b > 0.0:
        return product(rule, pieces, a, b, rho, sigma)
    return _panels(rule, pieces, a, b, rho, sigma)


@lru_cache(maxsize=8)
def _nodes(rule: LatticeRule) -> tuple[Any, ...]:
    """X and its weight by row; z, its weight and its row by node."""
    import numpy as np

    first = 0 if rule.half else -rule.count
    j = np.arange(first, rule.count + 1)
    weights = np.array(rule.weights)
    outer = weights[np.abs(j)] * (np.where(j > 0, 2.0, 1.0) if rule.half else 1.0)
    rows = rule.rows
    k = [np.arange(-rows[abs(i)], rows[abs(i)] + 1) for i in j]
    row = np.repeat(np.arange(len(j)), [len(part) for part in k])
    flat = np.concatenate(k)
    return j * rule.step, outer, flat * rule.step, weights[np.abs(flat)], row


def _lattice(
    rule: LatticeRule, s: Arrays, a: float, b: float, rho: float, sigma: float
) -> tuple[float, float]:
    import numpy as np

    x, outer, z, inner, row = _nodes(rule)
    fu, du = s(a * x)
    if sigma == 0.0:
        fv, dv = s(b * rho * x)
        return float(np.sum(outer * fu * fv)), float(np.sum(outer * du * dv))
    fv, dv = s(b * (rho * x[row] + sigma * z))
    weight = outer[row] * inner
    return float(np.sum(weight * fu[row] * fv)), float(np.sum(weight * du[row] * dv))


def _panels(
    rule: PanelRule, pieces: Functions, a: float, b: float, rho: float, sigma: float
) -> tuple[float, float]:
    import numpy as np

    total, total_dot = 0.0, 0.0
    for cell in cells(rule, a, b, rho, sigma):
        s, ws = stretched(rule, cell.table_x, cell.across)
        t, wt = stretched(rule, cell.table_z, cell.up)
        x = cell.x0 + (cell.x1 - cell.x0) * s
        low = cell.low0 + (cell.low1 - cell.low0) * s
        height = (cell.high0 - cell.low0) + (
            (cell.high1 - cell.low1) - (cell.high0 - cell.low0)
        ) * s
        z = low[:, None] + height[:, None] * t
        fu, du = pieces[rule.intervals[cell.first].piece](a * x)
        fv, dv = pieces[rule.intervals[cell.second].piece](b * (rho * x[:, None] + sigma * z))
        outer = (cell.x1 - cell.x0) * height * ws * np.exp(-0.5 * x * x)
        inner = wt * np.exp(-0.5 * z * z)
        total += float(np.sum(outer * fu * np.sum(inner * fv, axis=1)))
        total_dot += float(np.sum(outer * du * np.sum(inner * dv, axis=1)))
    return total / (2.0 * np.pi), total_dot / (2.0 * np.pi)


@lru_cache(maxsize=512)
def stretched(rule: PanelRule, table: int, count: int) -> tuple[Any, Any]:
    """Nodes and weights on [0, 1], cut into `count` equal parts."""
    import numpy as np

    chosen = rule.tables[table]
    nodes, weights = np.array(chosen.nodes), np.array(chosen.weights)
    start = np.arange(count)[:, None]
    return ((start + 0.5 * (nodes + 1.0)) / count).ravel(), np.tile(0.5 * weights / count, count)


def _line(
    rule: PanelRule, pieces: Functions, a: float, b: float, rho: float
) -> tuple[float, float]:
    """Correlation one or minus one: panels on the line, cut where u or v changes piece."""
    import numpy as np

    far, cuts, rates = rule.length, rule.cuts, rule.rates
    at = {-far, far}
    for scale in (a, b * rho):
        at.update(c / scale for c in cuts if abs(c) < abs(scale) * far)
    ends, total, total_dot = sorted(at), 0.0, 0.0
    for x0, x1 in itertools.pairwise(ends):
        middle = 0.5 * (x0 + x1)
        first, second = (sum(1 for c in cuts if w * middle > c) for w in (a, b * rho))
        most = max(a * rates[first], b * rates[second], 1.0 / rule.width)
        s, ws = stretched(rule, 0, max(1, int(np.ceil((x1 - x0) * most - 1e-9))))
        x = x0 + (x1 - x0) * s
        fu, du = pieces[rule.intervals[first].piece](a * x)
        fv, dv = pieces[rule.intervals[second].piece](b * rho * x)
        weight = (x1 - x0) * ws * np.exp(-0.5 * x * x)
        total += float(np.sum(weight * fu * fv))
        total_dot += float(np.sum(weight * du * dv))
    root = float(np.sqrt(2.0 * np.pi))
    return total / root, total_dot / root


@lru_cache(maxsize=8)
def _fan_nodes(rule: FanRule) -> tuple[Any, ...]:
    """By node: the share of the angle, the radius, the weight; those with k and -k are one."""
    import numpy as np

    shares, weights, radii = (np.array(row) for row in node_tables(rule))
    counts = np.array(rule.reach) + 1
    j = np.repeat(np.arange(len(counts)), counts)
    k = np.concatenate([np.arange(n) for n in counts])
    half = np.where(k == 0, 0.5, 1.0)
    return shares[k], radii[2 * j], half * weights[k] * radii[2 * j + 1]


def _fan(
    rule: FanRule, pieces: Functions, a: float, b: float, rho: float, sigma: float
) -> tuple[float, float]:
    import numpy as np

    if b * b < rule.least:
        return float("nan"), float("nan")
    share, radius, weight = _fan_nodes(rule)
    angles = float(np.arctan2(sigma, -rho)), float(np.arctan2(sigma, rho))
    total, total_dot = 0.0, 0.0
    for turned, angle in enumerate(angles):
        if angle == 0.0:
            continue
        small = angle * share
        near, far = radius * np.sin(small), radius * np.sin(angles[1 - turned] + small)
        for u, v in ((a * far, b * near), (a * near, b * far)):
            (fu, du), (fv, dv) = pieces[1](u), pieces[1](v)
            if rule.parity:
                sign = 2.0 * (rule.parity if turned else 1)
                both, both_dot = sign * fu * fv, (-sign if turned else sign) * du * dv
            else:
                (gu, eu), (gv, ev) = pieces[0](-u), pieces[0](-v)
                if turned:
                    both, both_dot = fu * gv + gu * fv, du * ev + eu * dv
                else:
                    both, both_dot = fu * fv + gu * gv, du * dv + eu * ev
            total += angle * float(np.sum(weight * both))
            total_dot += angle * float(np.sum(weight * both_dot))
    return total, total_dot
