"""The trapezoids of one entry: the square cut by the lines where s(u) and s(v) change piece."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .panels import PanelRule


@dataclass(frozen=True, slots=True)
class Cell:
    """Between x0 and x1, from the line low0-low1 to the line high0-high1.

    Attributes:
        first: the interval of u.
        second: the interval of v.
        across: how many times it is cut in x.
        up: how many times in z.
        table_x: the number of the table of `PanelRule` for x.
        table_z: that for z.
    """

    x0: float
    x1: float
    low0: float
    low1: float
    high0: float
    high1: float
    first: int
    second: int
    across: int
    up: int
    table_x: int
    table_z: int


def cells(
    rule: PanelRule, a: float, b: float, rho: float, sigma: float, half: bool = False
) -> Iterator[Cell]:
    """The trapezoids of the square [-L, L]^2 for u = a x, v = b (rho x + sigma z), sigma > 0.

    With `half` those of x >= 0 alone.
    """
    far, cuts, rates, width = rule.length, rule.cuts, rule.rates, rule.width
    at = _breaks(rule, a, b, rho, sigma)
    if half:
        at = [0.0, *(x for x in at if x > 0.0)]
    for x0, x1 in itertools.pairwise(at):
        if not x1 > x0:
            continue
        first = _index(cuts, a * (0.5 * (x0 + x1)))
        low0 = low1 = -far
        for j in range(len(cuts) + 1):
            if j < len(cuts) and b > 0.0:
                # Beyond the strip of this cut the line is the same at both ends: where sigma is
                # 1e-16, rounding an end of the strip moves it across, and the line with it.
                c, mid = cuts[j] / b, 0.5 * (x0 + x1)
                ends = (x0, x1) if abs((c - rho * mid) / sigma) < far else (mid, mid)
                high0, high1 = (min(max((c - rho * x) / sigma, -far), far) for x in ends)
            else:
                inside = j == (len(cuts) if b > 0.0 else _index(cuts, 0.0))
                high0 = high1 = far if inside else -far
            if high0 > low0 or high1 > low1:
                lines = (low0, low1, high0, high1)
                scales = (rates[first], rates[j], width)
                yield _cell(rule, (a, b, rho, sigma), (x0, x1), lines, (first, j), scales)
                low0, low1 = high0, high1


def _breaks(rule: PanelRule, a: float, b: float, rho: float, sigma: float) -> list[float]:
    far, at = rule.length, [-rule.length, rule.length]
    for c in rule.cuts:
        if abs(c) < a * far:
            at.append(c / a)
        for z in (-sigma * far, sigma * far):
            if b > 0.0 and abs(c / b + z) < abs(rho) * far:
                at.append((c / b + z) / rho)
    return sorted(at)


def _index(cuts: tuple[float, ...], value: float) -> int:
    return sum(1 for c in cuts if value > c)


def _cell(
    rule: PanelRule,
    entry: tuple[float, float, float, float],
    ends: tuple[float, float],
    lines: tuple[float, float, float, float],
    kinds: tuple[int, int],
    scales: tuple[float, float, float],
) -> Cell:
    a, b, rho, sigma = entry
    (x0, x1), (low0, low1, high0, high1) = ends, lines
    dx, low, high = x1 - x0, low1 - low0, high1 - high0
    steep, bend, width = scales
    drift = max(abs(rho * dx + sigma * low), abs(rho * dx + sigma * high))
    edge = max(dx * dx + low * low, dx * dx + high * high) ** 0.5
    height = max(high0 - low0, high1 - low1)
    across = max(a * dx * steep, b * drift * bend, edge / width)
    up = max(b * sigma * height * bend, height / width)
    count = (max(1, ceil(across - 1e-9)), max(1, ceil(up - 1e-9)))
    tables = (rule.table(across / count[0]), rule.table(up / count[1]))
    return Cell(x0, x1, low0, low1, high0, high1, *kinds, *count, *tables)
