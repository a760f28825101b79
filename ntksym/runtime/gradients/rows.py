"""What a pair of rows spans: inner products, and their small differences from the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...doubles import two_product, two_sum
from ..checks import Array

NEARLY = 0.01
"""Below this squared sine the differences are taken from the rows."""
NOISE = 2.0**-100
"""Of a row, what is left of parallel ones by sums of two doubles."""
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


def first_turn(
    g: Spans, state: tuple[Any, ...], first: tuple[Any, Any], rise: tuple[Any, Any], over: Any
) -> Any:
    """The derivative of the first layer's angle in what moves its slope and offset.

    Args:
        g: what the rows span.
        state: q11, q12, q22, root.
        first: slope and offset.
        rise: their derivatives.
        over: (a, b, otherwise) -> a/b, or otherwise where b is 0.
    """
    (x, c, y, root), (a, b), (slope, offset) = state, first, rise
    up = a * slope * g.area * over(g.area, root, 0.0)
    up = up + (slope * b + a * offset) / 2 * over(g.apart, root, 0.0)
    return (up * (c / x) - root * ((slope * g.g12 + offset) / x)) / y


def first_swing(
    g: Spans, state: tuple[Any, ...], first: tuple[Any, Any], rise: tuple[Any, Any], over: Any
) -> Any:
    """The root times `first_turn`: a bias moves collinear rows apart too, like its root."""
    (x, c, y, root), (a, b), (slope, offset) = state, first, rise
    opened = (slope * b + a * offset) / 2 * g.apart * (c / x) / y
    return np.where(root == 0.0, opened, root * first_turn(g, state, first, rise, over))


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
    g, area, apart, unlike = _near(a, b, g)
    return Spans(x, g, y, area, apart, unlike)


def _near(x: Array, y: Array, g: Array) -> tuple[Array, Array, Array, Array]:
    """Inner products, areas, squared distances, differences of squared norms, pair by pair."""

    def dot(u: Array, v: Array) -> Array:
        found: Array = np.sum(u * v, axis=1)
        return found

    gap = y - x
    equal = ~gap.any(axis=1)
    area = np.where(equal | ~(x + y).any(axis=1), 0.0, _area(x, y))
    return np.where(equal, dot(x, x), g), area, dot(gap, gap), -dot(gap, x + y)


def _area(x: Array, y: Array) -> Array:
    """What rows span: the length of x times that of the part of y across it."""
    powers = [np.frexp(np.max(np.abs(v), axis=1, initial=0.0))[1] for v in (x, y)]
    x, y = (np.ldexp(v, -p[:, None]) for v, p in zip((x, y), powers, strict=True))
    part = across(x, y)
    length = np.sqrt(np.sum(x * x, axis=1)) * np.sqrt(np.sum(part * part, axis=1))
    found: Array = np.ldexp(length, powers[0] + powers[1])
    return found


def across(x: Array, y: Array) -> Array:
    """Of rows of size 1, y - (x.y/x.x) x from error-free products; 0 where that is rounding."""
    norm, less = _inner_pair(x, x)
    whole, small = _inner_pair(x, y)
    safe = np.where(norm == 0.0, 1.0, norm)
    share = whole / safe
    back, error = two_product(share, norm)
    rest = (((whole - back) - error) + (small - share * less)) / safe
    high, low = two_product(share[:, None], x)
    part, lost = two_sum(y, -high)
    part = part + ((lost - low) - rest[:, None] * x)
    length = np.sqrt(np.sum(part * part, axis=1))
    own = np.sqrt(np.sum(y * y, axis=1))
    found: Array = np.where((length > NOISE * own)[:, None], part, 0.0 * y)
    return found


def _inner_pair(u: Array, v: Array) -> tuple[Array, Array]:
    """Inner products of rows as sums of two doubles each."""
    high, low = two_product(u, v)
    while high.shape[1] > 1:
        if high.shape[1] % 2:
            high, low = (np.pad(w, ((0, 0), (0, 1))) for w in (high, low))
        half = high.shape[1] // 2
        high, error = two_sum(high[:, :half], high[:, half:])
        low = low[:, :half] + low[:, half:] + error
    return high[:, 0], low[:, 0]


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
