"""The arc tangent on short intervals, as polynomials, with a bound on what is left out."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .tables import _context, _monomial, _shifted

LONG = 25
"""Terms of the series that is cut: on the longest interval the last is below 2**-60."""


@lru_cache(maxsize=8)
def _series(reach: int) -> tuple[Any, ...]:
    """The Chebyshev interpolant of P on [0, 1/reach], lowest first."""
    ctx = _context()
    nodes = [ctx.cos(ctx.pi * (2 * k + 1) / (2 * LONG)) for k in range(LONG)]
    values = []
    for z in nodes:
        u = (z + 1) / (2 * reach)
        t = ctx.sqrt(u)
        values.append((ctx.atan(t) - t) / (t * u))
    before, now = list(nodes), [ctx.one] * LONG
    found = []
    for j in range(LONG):
        total = sum(v * c for v, c in zip(values, now, strict=True))
        found.append(total * (1 if j == 0 else 2) / LONG)
        before, now = now, [2 * z * c - b for z, c, b in zip(nodes, now, before, strict=True)]
    return tuple(found)


@lru_cache(maxsize=32)
def atan_tails(reach: int, bits: int) -> tuple[float, ...]:
    """P with atan(t) = t + t**3 * P(t**2) for t**2 <= 1/reach, lowest power first.

    The shortest Chebyshev series whose terms left out add up to less than 2**-bits: P is off by
    that and by the rounding of its coefficients.
    """
    ctx = _context()
    series = list(_series(reach))
    left = ctx.zero
    while left + abs(series[-1]) < ctx.mpf(2) ** -bits:
        left += abs(series.pop())
    powers = _shifted(ctx, _monomial(ctx, series), ctx.mpf(2 * reach), ctx.mpf(-1))
    return tuple(float(c) for c in powers)
