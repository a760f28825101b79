"""What a pair of rows spans: inner products, and their small differences from the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..checks import Array

NEARLY = 0.01
"""Below this squared sine the differences are taken from the rows."""
CHUNK = 1 << 18
"""Entries of rows that are gathered at a time."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Arrays that broadcast, or single numbers, of pairs of rows x and y.

    Attributes:
        g11: the squared norm of x.
        g12: the inner product.
        g22: the squared norm of y.
        area: sqrt(g11*g22 - g12^2), what x and y span.
        apart: the squared norm of x - y.
        unlike: g11 - g22.
    """

    g11: Any
    g12: Any
    g22: Any
    area: Any
    apart: Any
    unlike: Any


def spans(a: Array, b: Array, rootdet: Callable[..., Array]) -> Spans:
    """The pairs of the rows of a (n, d) and b (m, d)."""
    x, y = np.sum(a * a, axis=1)[:, None], np.sum(b * b, axis=1)[None, :]
    g = a @ b.T
    area = rootdet(*np.broadcast_arrays(x, g, y))
    apart = np.maximum((x - g) + (y - g), 0.0)
    unlike = x - y
    i, j = np.nonzero(area * area <= NEARLY * (x * y))
    step = max(1, CHUNK // max(1, a.shape[1]))
    for at in range(0, len(i), step):
        rows, columns = i[at : at + step], j[at : at + step]
        place = rows, columns
        g[place], area[place], apart[place], unlike[place] = _near(a[rows], b[columns], g[place])
    return Spans(x, g, y, area, apart, unlike)


def paired(a: Array, b: Array) -> Spans:
    """Pairs of rows, nearly collinear or not: those of a (n, d) with those of b (n, d)."""
    x, y, g = np.sum(a * a, axis=1), np.sum(b * b, axis=1), np.sum(a * b, axis=1)
    # the part across a much longer row has that row's rounding
    swap = (x > 16.0 * y)[:, None]
    g, area, apart, unlike = _near(np.where(swap, b, a), np.where(swap, a, b), g)
    return Spans(x, g, y, area, apart, np.where(swap[:, 0], -unlike, unlike))


def _near(x: Array, y: Array, g: Array) -> tuple[Array, Array, Array, Array]:
    """Inner products, areas, squared distances, differences of squared norms, pair by pair."""

    def dot(u: Array, v: Array) -> Array:
        found: Array = np.sum(u * v, axis=1)
        return found

    gap = y - x
    short = np.where(g[:, None] < 0.0, y + x, gap)
    norm = dot(x, x)
    rest = short - (dot(x, short) / np.where(norm == 0.0, 1.0, norm))[:, None] * x
    equal = ~gap.any(axis=1)
    area = np.sqrt(norm) * np.sqrt(dot(rest, rest))
    area = np.where(short.any(axis=1), area, 0.0)
    return np.where(equal, norm, g), area, dot(gap, gap), -dot(gap, x + y)


def exact_spans(ctx: Any, row: Array, other: Array) -> Spans:
    """Of one pair of rows of doubles, from exact inner products, in an mpmath context."""
    g11, g12, g22 = (_inner(u, v) for u, v in ((row, row), (row, other), (other, other)))
    numbers = (g11, g12, g22, g11 * g22 - g12**2, g11 - 2 * g12 + g22, g11 - g22)
    x, c, y, area, apart, unlike = (ctx.mpf(g.numerator) / g.denominator for g in numbers)
    return Spans(x, c, y, ctx.sqrt(area), apart, unlike)


def _inner(u: Array, v: Array) -> Fraction:
    """The exact inner product of doubles."""
    parts = (Fraction(float(s)) * Fraction(float(t)) for s, t in zip(u, v, strict=True))
    return sum(parts, Fraction(0))
