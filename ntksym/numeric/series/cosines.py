r"""Polynomials on [-1, 1] in the Chebyshev basis: from values, and proven ranges on cells.

With $t = \cos\theta$ a polynomial is $f(\theta) = \sum_j c_j\cos j\theta$, so that its
derivatives in $\theta$ are sums of the same kind, and Taylor's formula bounds it on $|\theta -
\theta_k| \le \delta$.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_ORDER = 6


@lru_cache(maxsize=64)
def _cosines(half: int, prec: int) -> tuple[Any, ...]:
    """cos(pi i/(2 half)) for i = 0 .. 4 half - 1."""
    from flint import arb, fmpq

    return tuple(arb.cos_pi_fmpq(fmpq(i, 2 * half)) for i in range(4 * half))


def points(many: int) -> tuple[Any, ...]:
    """The Chebyshev points cos(pi (k + 1/2)/many) as `arb`."""
    from flint import ctx

    table = _cosines(many, int(ctx.prec))
    return tuple(table[2 * k + 1] for k in range(many))


def interpolate(columns: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Chebyshev coefficients of the interpolants, one per entry of the columns.

    `columns[k]` has the values of all functions at the k-th of `len(columns)` Chebyshev points.
    """
    from flint import arb, arb_mat, ctx

    many = len(columns)
    table = _cosines(many, int(ctx.prec))
    rows = [[table[j * (2 * k + 1) % (4 * many)] for k in range(many)] for j in range(many)]
    product = arb_mat(rows) * arb_mat([list(c) for c in columns])
    out = []
    for i in range(len(columns[0])):
        scale = arb(2) / many
        out.append(tuple(product[j, i] * (scale / 2 if j == 0 else scale) for j in range(many)))
    return out


def at_points(functions: list[tuple[Any, ...]], many: int) -> list[list[Any]]:
    """Values at `many` Chebyshev points: `[k][i]` of the i-th function at the k-th point."""
    from flint import arb_mat, ctx

    table = _cosines(many, int(ctx.prec))
    size = len(functions[0])
    rows = [[table[j * (2 * k + 1) % (4 * many)] for j in range(size)] for k in range(many)]
    product = arb_mat(rows) * arb_mat([[f[j] for f in functions] for j in range(size)])
    return [[product[k, i] for i in range(len(functions))] for k in range(many)]


@dataclass(frozen=True, slots=True)
class Cells:
    """[0, pi] in equal cells of theta, and the range of a function on each.

    Attributes:
        lower: lower bounds (`arb`), cell by cell.
        upper: upper bounds.
    """

    lower: tuple[Any, ...]
    upper: tuple[Any, ...]


def cells(function: tuple[Any, ...], many: int) -> Cells:
    """The proven range of a polynomial on `many` cells."""
    from flint import arb, arb_mat, ctx

    table = _cosines(many, int(ctx.prec))
    size = len(function)
    delta = arb.pi() / (2 * many)
    scaled = []
    factor = arb(1)
    for r in range(_ORDER):
        if r:
            factor = factor * delta / r
        scaled.append([factor * c * j**r for j, c in enumerate(function)])
    last = factor * delta / _ORDER
    rest = sum((last * abs(c) * j**_ORDER for j, c in enumerate(function)), arb(0)).upper()
    # cos(j theta + r pi/2): even r take cos, odd r take sin, up to sign
    cos = [[table[j * (2 * k + 1) % (4 * many)] for j in range(size)] for k in range(many)]
    sin = [[table[(j * (2 * k + 1) + many) % (4 * many)] for j in range(size)] for k in range(many)]
    even = arb_mat(cos) * arb_mat(
        [[scaled[r][j] for r in range(0, _ORDER, 2)] for j in range(size)]
    )
    odd = arb_mat(sin) * arb_mat([[scaled[r][j] for r in range(1, _ORDER, 2)] for j in range(size)])
    lower, upper = [], []
    for k in range(many):
        spread = rest
        for i in range(_ORDER // 2):
            spread += abs(odd[k, i]) + (abs(even[k, i]) if i else arb(0))
        spread = spread.upper()
        lower.append((even[k, 0] - spread).lower())
        upper.append((even[k, 0] + spread).upper())
    return Cells(tuple(lower), tuple(upper))
