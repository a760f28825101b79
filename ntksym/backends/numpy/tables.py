"""The arc tangent and the arc sine on short intervals, as polynomials and as ratios of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..tables import monomial, shifted, table_context

LONG = 25
"""Terms of the series that is cut: on the longest interval the last is below 2**-60."""


@lru_cache(maxsize=8)
def _series(reach: int) -> tuple[Any, ...]:
    """The Chebyshev interpolant of P on [0, 1/reach], lowest first."""
    ctx = table_context()
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
    ctx = table_context()
    series = list(_series(reach))
    left = ctx.zero
    while left + abs(series[-1]) < ctx.mpf(2) ** -bits:
        left += abs(series.pop())
    powers = shifted(ctx, monomial(ctx, series), ctx.mpf(2 * reach), ctx.mpf(-1))
    return tuple(float(c) for c in powers)


MOST = 9
"""The largest degree of numerator and denominator."""
CHECKS = 96
"""Points at which the error of a ratio is looked at, besides where it is zero by construction."""


@lru_cache(maxsize=16)
def arcsin_ratio(reach: int, bits: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(P, Q) with arcsin(x) = x + x z P(z)/Q(z), z = x**2 <= 1/reach, lowest powers first.

    The interpolant at Chebyshev points of the least degrees for which the error, relative to x and
    seen at `CHECKS` points, is below 2**-bits.
    """
    ctx = table_context()

    def value(z: Any) -> Any:
        x = ctx.sqrt(z)
        return (ctx.asin(x) - x) / (x * z)

    points = [ctx.mpf(k) / (CHECKS * reach) for k in range(1, CHECKS + 1)]
    exact = [value(z) for z in points]
    for total in range(2, 2 * MOST):
        over, under = (total + 1) // 2, total // 2
        count = over + under + 1
        places = [
            (1 + ctx.cos(ctx.pi * (2 * k + 1) / (2 * count))) / (2 * reach) for k in range(count)
        ]
        rows = []
        for z in places:
            v = value(z)
            rows.append(
                [z**j for j in range(over + 1)] + [-v * z**j for j in range(1, under + 1)] + [v]
            )
        found = _eliminated(rows)
        p = tuple(float(c) for c in found[: over + 1])
        q = (1.0, *(float(c) for c in found[over + 1 :]))
        errors = (
            abs(ctx.polyval(p[::-1], z) / ctx.polyval(q[::-1], z) - v) * z
            for z, v in zip(points, exact, strict=True)
        )
        if max(errors) < ctx.mpf(2) ** -bits:
            return p, q
    raise AssertionError(f"no ratio of degree {MOST} reaches 2^-{bits}")


def _eliminated(rows: list[list[Any]]) -> list[Any]:
    """The unknowns of linear equations, right sides last; by elimination with pivots."""
    n = len(rows)
    for k in range(n):
        best = max(range(k, n), key=lambda i: abs(rows[i][k]))
        rows[k], rows[best] = rows[best], rows[k]
        for i in range(n):
            if i != k:
                factor = rows[i][k] / rows[k][k]
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k], strict=True)]
    return [row[-1] / row[k] for k, row in enumerate(rows)]
