r"""Sums over nodes of weights times orthonormal Hermite functions: the orders together.

The values $y_n(x_j)$ are made once, and the sums for all variances are one product of integer
matrices; the radii count the rounding of both factors (as in `numeric.series.recurrence`).  High
orders are made in pairs of doubles (`doubled`).
"""

from __future__ import annotations

from typing import Any

from ....dyadic import integers, scaled
from ...patience import check
from ...series.recurrence import carried
from . import doubled
from .doubled import Begun

MORE = 56
"""Bits of the integers beyond those of the result."""
_ENOUGH = 72
"""To so many bits pairs of doubles serve every order they can reach."""
_HIGH = 48
_LARGE = 50_000


def sums(
    nodes: list[Any], weights: tuple[Any, Any], error: Any, count: int, bits: int
) -> tuple[tuple[Any, ...], ...]:
    """For every variance balls of the sums over nodes of W_j y_n(x_j), n < count.

    Args:
        nodes: x_j >= 0, `arb`.
        weights: (even n, odd n): for every node a list of `arb`, one for each variance.
        error: what the rule itself is off by at most.
        count: how many orders.
        bits: the radii are about 2^-bits times the sum of the weights; of high orders, where the
            sums are small, about 2^-85 times it.
    """
    from flint import arb

    even, odd = weights
    many = len(even[0])
    places = bits + MORE
    top = max(sum((abs(w[i]).upper() for w in (*even, *odd)), arb(0)) for i in range(many))
    man, exp = top.upper().man_exp()
    shift = places - (int(man).bit_length() + int(exp)) if top > 0 else places
    first = _first(nodes, count, bits)
    rows, begun, blurs = [], [], []
    for at in nodes:
        check()
        values, blur = _row(at, first, places)
        rows.append(values)
        blurs.append(blur)
        begun.append(Begun(integers(at)[:2], (values[-2], values[-1])))
    errors = _errors((even, odd), blurs, error, shift)
    made = []
    for table, start in ((even, 0), (odd, 1)):
        lines = [[scaled(w[i], shift) for w in table] for i in range(many)]
        parts = (first + 1 - start) // 2
        made.append(_product(lines, [row[start::2] for row in rows], parts))
    unit = arb((1, -places - shift))
    out = []
    for i, off in enumerate(errors):
        blur = arb(0, off)
        out.append([made[n % 2][i, n // 2] * unit + blur for n in range(first)])
    if first < count:
        more = [_later(at, blur, first, count) for at, blur in zip(nodes, blurs, strict=True)]
        errors = _errors((even, odd), more, error, shift)
        tails = doubled.sums(begun, (even, odd), (first, count), places)
        cut = doubled.lost((even, odd))
        for line, tail, off, left in zip(out, tails, errors, cut, strict=True):
            blur = arb(0, (off + left).upper())
            line += [a + blur for a in tail]
    return tuple(tuple(line) for line in out)


def _first(nodes: list[Any], count: int, bits: int) -> int:
    """The first order that pairs of doubles serve; `count` where none is worth it."""
    farthest = max(float(at.upper()) for at in nodes)
    low = max(doubled.FIRST if bits > _ENOUGH else 2, int(farthest * farthest / 4) + 4)
    served = bits + MORE <= doubled.MOST_PLACES and count > low + doubled.WORTH
    return low if served else count


def _errors(tables: tuple[Any, Any], blurs: list[Any], error: Any, shift: int) -> list[Any]:
    """For every variance a bound of the error of its coefficients; |y_n| <= 1."""
    from flint import arb

    out = [error] * len(tables[0][0])
    for one, two, blur in zip(*tables, blurs, strict=True):
        for i, (a, b) in enumerate(zip(one, two, strict=True)):
            lost = arb(a.rad()) + arb(b.rad()) + arb((2, -shift))
            out[i] = out[i] + lost + (abs(a).upper().max(abs(b).upper()) + lost) * blur
    return [e.upper() for e in out]


def _later(at: Any, blur: Any, low: int, count: int) -> Any:
    """What the values of a node are off by from the order `low` on."""
    from flint import arb

    size, unit = float(at.upper()) + 1e-9, arb((1, doubled.UNIT))
    defect = unit + 2 * (arb(at.rad()) + arb(size) * unit / 32)  # x is rounded to 2^-106
    found = carried(size, low, blur + unit, defect, count)
    return found if found < arb(1) / 128 else arb("inf")  # numbers below 1.01 are assumed


def _product(weights: list[list[int]], rows: list[list[int]], count: int) -> Any:
    """Weights times rows.  Rows of zeros make it as high as the fast products of FLINT want it."""
    from flint import fmpz_mat

    if not any(w for line in weights for w in line):  # s is odd, or even
        return fmpz_mat(len(weights), count)
    large = len(weights) > 1 and len(rows) * count >= _LARGE
    high = max(len(weights), _HIGH) if large else len(weights)
    zeros = [[0] * len(rows)] * (high - len(weights))
    return fmpz_mat([*weights, *zeros]) * fmpz_mat(rows)


def _row(at: Any, count: int, places: int) -> tuple[list[int], Any]:
    """y_0 .. y_{count-1} at a node times 2^places, and a bound of their error."""
    from ...series.recurrence import row

    return row(integers(at), count, places)
