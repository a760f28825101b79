r"""Hermite coefficients of high order: the recurrence in pairs of doubles, all nodes at once.

Where n is large the coefficients are small, and an absolute error of $10^{-22}$ is far below what
is left of Parseval's sum.  $y_{n+1} = (xy_n-\sqrt n\,y_{n-1})/\sqrt{n+1}$ runs in double-double
arithmetic over an array of nodes; the sums over the nodes are products of matrices of integers of
20 bits, thus exact in doubles (`derivations/identities/table_bound.md`, section 15).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....doubles import two_product, two_sum

FIRST = 384
"""No order below this one is made here."""
WORTH = 256
"""Fewer orders than this are not worth it."""
_NODES = 2048
"""Sums of so many products of two slices are integers below 2^53."""
MOST_PLACES = 206
"""With more, an error below 1e-14 is asked for, or the like."""
UNIT = -100
"""Base 2: what one step is off by: two products below 2.1, off by 2^-103 each, and the rest."""
_SLICE = 20
_OURS, _THEIRS = 5, 5
_ROWS = 512
Pair = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Begun:
    """A node x and its last two values before the recurrence goes on in pairs of doubles.

    Attributes:
        at: (mantissa, exponent) of x.
        values: y_{n-1} and y_n, times 2^places.
    """

    at: tuple[int, int]
    values: tuple[int, int]


def sums(
    nodes: list[Begun], weights: tuple[Any, Any], orders: tuple[int, int], places: int
) -> list[list[Any]]:
    """For every variance the sums over nodes of W_j y_n(x_j), first <= n < last, as exact `arb`.

    `weights` = (even, odd) have for every node a list of `arb`, one for each variance; `orders` =
    (first, last), and the nodes have y_{first-2} and y_{first-1}.
    """
    import numpy as np
    from flint import arb

    first, last = orders
    ours = [_sliced(table) for table in weights]
    out: list[list[Any]] = [[] for _ in weights[0][0]]
    for begin, block in _blocks(nodes, first, last, places):
        slices = _cut(block)
        found = []
        for parity in (0, 1):
            start = (parity - begin) % 2
            theirs = np.concatenate([s[:, start::2] for s in slices], axis=1)
            found.append(_product(ours[parity][0], theirs))
        many = block[0].shape[1]
        for i, line in enumerate(out):
            for k in range(many):
                which = (begin + k) % 2
                exponent = ours[which][1][i] - _SLICE * (_OURS + 1)
                line.append(arb((found[which][i][k // 2], exponent)))
    return out


def lost(weights: tuple[Any, Any]) -> list[Any]:
    """For every variance what slices leave out of a sum, beside the errors of the values."""
    from flint import arb

    out = []
    for i in range(len(weights[0][0])):
        sizes = [[abs(line[i]).upper() for line in table] for table in weights]
        top = max((s for table in sizes for s in table), default=arb(0))
        total = max(sum(table, arb(0)).upper() for table in sizes)
        many = arb(len(sizes[0]))
        # weights to 2^-100 of the largest, values to 2^-100, products of slices of 2^-100
        out.append((many * top * arb((1, -96)) + total * arb((1, -99))).upper())
    return out


def _sliced(table: Any) -> tuple[Any, list[int]]:
    """Weights as `_OURS` matrices of integers [variance, node] below each other, and exponents."""
    import numpy as np

    tops, rows = [], []
    for i in range(len(table[0])):
        pairs = [tuple(map(int, line[i].mid().man_exp())) for line in table]
        tops.append(max((abs(m).bit_length() + e for m, e in pairs if m), default=0))
        rows.append([_shifted(m, e + _SLICE * _OURS - tops[-1]) for m, e in pairs])
    mask, slices = (1 << _SLICE) - 1, []
    for k in range(_OURS):
        by = _SLICE * (_OURS - 1 - k)
        slices += [[((abs(w) >> by) & mask) * (1 if w >= 0 else -1) for w in row] for row in rows]
    return np.array(slices, dtype=float), tops


def _shifted(man: int, by: int) -> int:
    """Man 2^by, rounded towards 0."""
    size = abs(man) << by if by >= 0 else abs(man) >> -by
    return size if man >= 0 else -size


def _cut(block: Pair) -> list[Any]:
    """Values as `_THEIRS` matrices of integers; what is left is below 2^-100."""
    rest, low = block
    out = []
    for k in range(_THEIRS):
        if k == 2:
            rest, low = two_sum(rest, low)
        shift = 1.5 * 2.0 ** (52 - _SLICE * (k + 1))
        piece = (rest + shift) - shift
        rest = rest - piece
        if k == 2:  # below 2^-61: the sum is off by 2^-114
            rest = rest + low
        out.append(piece * 2.0 ** (_SLICE * (k + 1)))
    return out


def _product(ours: Any, theirs: Any) -> list[list[int]]:
    """The exact sums over the slices that matter, in units of 2^-20 (`_OURS` + 1)."""
    import numpy as np

    wide, high = ours.shape[0] // _OURS, theirs.shape[1] // _THEIRS
    cuts = range(0, ours.shape[1], _NODES)
    found = sum(
        (ours[:, k : k + _NODES] @ theirs[k : k + _NODES]).astype(np.int64) for k in cuts
    ).reshape(_OURS, wide, _THEIRS, high)
    total = [[0] * high for _ in range(wide)]
    for level in range(_OURS):
        rows = sum(found[level - k, :, k] for k in range(min(level + 1, _THEIRS))).tolist()
        total = [
            [(t << _SLICE) + p for t, p in zip(line, row, strict=True)]
            for line, row in zip(total, rows, strict=True)
        ]
    return total


def _blocks(nodes: list[Begun], first: int, last: int, places: int) -> Any:
    """`(n, (high, low))`: values of the orders n, n + 1, ... in columns."""
    import numpy as np

    from ...series.recurrence import steps

    one, two = ([_parts(v, places) for v in row] for row in steps(last, places))
    at = _array([_parts(n.at[0], -n.at[1]) for n in nodes])
    before = _array([_parts(n.values[0], places) for n in nodes])
    now = _array([_parts(n.values[1], places) for n in nodes])
    for begin in range(first, last, _ROWS):
        many = min(_ROWS, last - begin)
        high, low = np.empty((many, len(nodes))), np.empty((many, len(nodes)))
        for k in range(many):
            n = begin + k - 1
            new = _times(_times(at, one[n]), now)
            new = _minus(new, _times(before, two[n]))
            before, now = now, new
            high[k], low[k] = new
        yield begin, (high.T, low.T)


def _parts(man: int, places: int) -> tuple[float, float]:
    """Man 2^-places as a pair of doubles, off by 2^-106 of itself."""
    from math import ldexp

    high = float(man)
    return ldexp(high, -places), ldexp(float(man - int(high)), -places)


def _array(pairs: list[tuple[float, float]]) -> Pair:
    import numpy as np

    table = np.array(pairs)
    return table[:, 0].copy(), table[:, 1].copy()


def _times(a: Pair, b: Pair) -> Pair:
    """The product of two pairs: relatively off by less than 2^-103 (DWTimesDW1)."""
    p, e = two_product(a[0], b[0])
    e = e + (a[0] * b[1] + a[1] * b[0])
    s = p + e
    return s, e - (s - p)


def _minus(a: Pair, b: Pair) -> Pair:
    """The difference of two pairs: relatively off by less than 2^-104 (AccurateDWPlusDW)."""
    s, e = two_sum(a[0], -b[0])
    t, f = two_sum(a[1], -b[1])
    e = e + t
    high = s + e
    e = e - (high - s) + f
    s = high + e
    return s, e - (s - high)
