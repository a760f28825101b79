r"""Values of $\sum_nc_n\rho^n$ at points in rho, for all pairs of Chebyshev coefficients in tau.

$c_n = (A_{in}+B_{in})A'_{jn} + A_{in}B'_{jn}$ is large for small n, where the kinks and the rest of
s cancel, and then below $10^{-6}$ for thousands of terms.  The first terms are summed in balls;
the others in doubles, as products of matrices, with a bound of their rounding
(`derivations/identities/table_bound.md`, section 15).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..spectra.spectrum import Spectrum
from ..variable import transform

UNIT = 2.0**-53
_SHARE = 1e-8
"""Of the goal of interpolation, to the rounding of one value: what comes after counts every
coefficient, and its derivative."""
_STEP = 64
"""So many powers in a row are products of doubles; the first of them is rounded from a ball."""
_BLOCK = 256
_OTHERS = 2 * _STEP + 16
"""Roundings that a term passes beside the sums: powers, factors, and their product."""
_TINY = 1e-290
"""More than underflow takes away."""
Where = list[tuple[int, int]]
Tensor = list[list[list[Any]]]
"""[i][j][k]: Chebyshev coefficients in the two variances and in x."""


@dataclass(frozen=True)
class Turned:
    """Chebyshev coefficients in tau of every Hermite coefficient, and their norms.

    Attributes:
        series: [i][n], of what is left without kinks.
        size: the norms of its rows.
        kink: the same of the kink part; empty where there is none.
        kink_size: its norms.
    """

    series: list[list[Any]]
    size: list[Any]
    kink: list[list[Any]]
    kink_size: list[Any]

    @classmethod
    def of(cls, spectra: list[Spectrum], bits: int) -> Turned:
        """Those of the spectra of a band."""
        from flint import arb, arb_mat

        turn = transform(len(spectra), bits + 64)
        series = (turn * arb_mat([list(s.series) for s in spectra])).tolist()
        kink, kink_size = series[:0], [arb(0)] * len(spectra)
        if spectra[0].kink:
            kink = (turn * arb_mat([list(s.kink_series) for s in spectra])).tolist()
            kink_size = [_norm(row) for row in kink]
        return cls(series, [_norm(row) for row in series], kink, kink_size)

    def first(self, count: int) -> Turned:
        """Those of the same spectra with so many coefficients."""
        if count >= len(self.series[0]):
            return self
        series, kink = ([row[:count] for row in rows] for rows in (self.series, self.kink))
        kink_size = [_norm(row) for row in kink] or self.kink_size
        return Turned(series, [_norm(row) for row in series], kink, kink_size)

    @cached_property
    def doubles(self) -> tuple[Any, Any, float]:
        """`(series, kink, radius)`: both as arrays, each number off by a unit and the radius."""
        import numpy as np

        both = self.series, self.kink
        series, kink = (np.array([[float(a) for a in row] for row in t]) for t in both)
        radius = max(float(a.rad()) for t in both for row in t for a in row)
        return series, kink if self.kink else np.zeros_like(series), radius * (1 + 1e-9)


def pairs_that_count(
    one: Turned, two: Turned, symmetric: bool, grow: Any, goal: Any
) -> tuple[Where, Any]:
    """The pairs (i, j) of coefficients in tau that are worth computing, and a bound of the others.

    `grow` is how much larger than its sum over n the interpolant in x can be.  Of `symmetric`
    pairs those with j <= i stand for both.
    """
    from flint import arb

    high, wide = len(one.size), len(two.size)
    where: Where = []
    omitted, least = arb(0), goal / (64 * high * wide)
    for i in range(high):
        for j in range(i + 1 if symmetric else wide):
            most = one.size[i] * two.size[j]
            most += one.kink_size[i] * two.size[j] + one.size[i] * two.kink_size[j]
            most = (most * grow).upper()
            if most < least:
                omitted += 2 * most if symmetric and i != j else most
            else:
                where.append((i, j))
    return where, omitted.upper()


def placed(found: Any, where: Where, shape: tuple[int, int], symmetric: bool) -> Tensor:
    """The columns of a matrix at their pairs (i, j), zeros at those that were left out."""
    from flint import arb

    high, wide = shape
    points = found.nrows()
    out: Tensor = [[[arb(0)] * points for _ in range(wide)] for _ in range(high)]
    for column, (i, j) in enumerate(where):
        out[i][j] = [found[k, column] for k in range(points)]
        if symmetric:
            out[j][i] = list(out[i][j])
    return out


def sizes_of(tensor: Tensor) -> Any:
    """Upper bounds of the sizes of all numbers in doubles, [i, j, k].

    Lines of zeros, which most pairs of a wide band are, are only looked through.
    """
    import numpy as np
    from flint import arb

    out = np.zeros((len(tensor), len(tensor[0]), len(tensor[0][0])))
    for i, plane in enumerate(tensor):
        for j, line in enumerate(plane):
            if not all(map(arb.is_zero, line)):
                out[i, j] = [float(abs(c).upper()) for c in line]
    return out


def values(
    one: Turned,
    two: Turned,
    where: Where,
    ratios: tuple[Any, ...],
    terms: tuple[int, int],
    goal: Any,
) -> Any:
    r"""The sums at every point (rows) for every pair (i, j) of `where` (columns), an `arb_mat`.

    `terms` = (first, step) are the n that are summed, n = first + step m, and `ratios` the factors
    $r$ of the points, $|r| \le 1$, with $r^m$ in the sum.
    """
    from flint import arb, arb_mat

    head = _head(one, two, terms, goal)
    begin, step = terms
    columns = []
    for i, j in where:
        rows = [t[begin : begin + head * step : step] for t in (one.series[i], two.series[j])]
        column = [a * b for a, b in zip(*rows, strict=True)]
        if one.kink:
            rows += [t[begin : begin + head * step : step] for t in (one.kink[i], two.kink[j])]
            rest = zip(column, *rows, strict=True)
            column = [c + p * b + a * r for c, a, b, p, r in rest]
        columns.append(column)
    powers = []
    for r in ratios:
        row = [arb(1)]
        for _ in range(head - 1):
            row.append(row[-1] * r)
        powers.append(row)
    found = arb_mat(powers) * arb_mat(columns).transpose() if where else arb_mat(len(ratios), 0)
    if where and begin + head * step < len(one.series[0]):
        found += _rest(one, two, where, ratios, terms, head)
    return found


def _head(one: Turned, two: Turned, terms: tuple[int, int], goal: Any) -> int:
    """How many terms have to be balls so that the rounding of the others is below the goal."""
    import numpy as np
    from flint import arb

    begin, step = terms
    a, p, b, r = (abs(t).max(axis=0)[begin::step] for t in (*one.doubles[:2], *two.doubles[:2]))
    rest = np.cumsum(((a + p) * b + a * r)[::-1])[::-1]
    most = float(arb(goal).lower()) * _SHARE / _unit(len(rest))
    many = int((rest > most).sum())
    return min(-(-max(many, 1) // 16) * 16, len(rest))


def _unit(count: int) -> float:
    return (_BLOCK + count / _BLOCK + 1 + _OTHERS) * UNIT * 1.01


def _rest(
    one: Turned,
    two: Turned,
    where: Where,
    ratios: tuple[Any, ...],
    terms: tuple[int, int],
    head: int,
) -> Any:
    """The terms from m = head on: sums of doubles, with radii."""
    import numpy as np
    from flint import arb, arb_mat

    begin, step = terms
    tables = (*one.doubles[:2], *two.doubles[:2])
    a, p, b, r = (t[:, begin + head * step :: step] for t in tables)
    count = a.shape[1]
    both = a + p
    weights = _powers(ratios, head, count)
    total = np.zeros((len(ratios), a.shape[0], b.shape[0]))
    for k in range(0, count, _BLOCK):
        part = slice(k, k + _BLOCK)
        for place, row in enumerate(weights[:, part]):
            found = (both[:, part] * row) @ b[:, part].T
            if one.kink:
                found += (a[:, part] * row) @ r[:, part].T
            total[place] += found
    high = abs(a) + abs(p)
    sizes = high @ abs(b).T + abs(a) @ abs(r).T
    sums = high.sum(axis=1)[:, None], (abs(b) + abs(r)).sum(axis=1)[None, :]
    mine, its = one.doubles[2], two.doubles[2]
    blurred = 2 * mine * sums[1] + 2 * its * sums[0] + 3 * count * mine * its
    error = (sizes * _unit(count) + blurred) * (1 + 1e-9) + _TINY
    return arb_mat([[arb(float(t[i, j]), float(error[i, j])) for i, j in where] for t in total])


def _powers(ratios: tuple[Any, ...], before: int, count: int) -> Any:
    """r^(before + m), m < count (columns): off by 2 `_STEP` + 2 units."""
    import numpy as np

    blocks = -(-count // _STEP)
    starts = np.array([[float(r ** (before + k * _STEP)) for k in range(blocks)] for r in ratios])
    steps = np.ones((len(ratios), _STEP))
    steps[:, 1:] = np.array([float(r) for r in ratios])[:, None]
    within = np.multiply.accumulate(steps, axis=1)
    return (starts[:, :, None] * within[:, None, :]).reshape(len(ratios), -1)[:, :count]


def _norm(row: list[Any]) -> Any:
    from flint import arb

    return sum((a * a for a in row), arb(0)).upper().sqrt().upper()
