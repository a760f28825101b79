r"""Sums over nodes of orthonormal Hermite polynomials of all orders, with a proven error.

With $y_n(x) = h_n(x)\,e^{-x^2/4}$, $|y_n| \le 1$ (Indritz 1961), the recurrence is
$\sqrt{n+1}\,y_{n+1} = x\,y_n - \sqrt n\,y_{n-1}$.  Balls would lose $e^{|x|\sqrt n}$; here the
numbers are integers of fixed scale, with more bits for the orders below the turning point
$n = x^2/4$. Above it errors only add up: with $c = x^2/4$ and the form
$S_n = n(e_n^2 + e_{n-1}^2) - x\sqrt n\,e_ne_{n-1}$, positive for n > c, a solution has
$S_{n+1} = S_n + e_n^2$ and $e_n^2 \le S_n/(n - c)$, so that $\sqrt{S_n/(n-c)}$ never grows by
itself (derivations/identities/series.md, section 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, isqrt, log2, sqrt
from typing import Any

from ...dyadic import fraction, integers, scaled
from ...precision import precision
from ..patience import check

_SPARE = 48
"""Bits of the integers beyond those of the result; the error is proven, not assumed."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node x >= 0 of a rule on the half line.

    Attributes:
        at: x, an `arb`.
        even: the weight of $y_n(x)$, n even: `w (s(x) + s(-x)) exp(-x^2/4)/sqrt(2 pi)`, an `arb`.
        odd: the same for n odd, with s(x) - s(-x).
    """

    at: Any
    even: Any
    odd: Any


def hermite_sums(nodes: tuple[Node, ...], count: int, bits: int) -> tuple[Any, ...]:
    r"""Balls of $\sum_j W_j\,y_n(x_j)$ for n = 0 .. count - 1, together.

    Their radius is about 2^-bits $\sum_j |W_j|$, plus what the radii of nodes and weights bring.
    """
    from flint import arb

    places = bits + _SPARE
    table = _Table.of(count, places)
    with precision(bits + 2 * _SPARE):
        most = sum((abs(n.even) + abs(n.odd) for n in nodes), arb(0)).upper()
        if not most > 0:
            return tuple(arb(0) for _ in range(count))
        size = fraction(most)
        shift = places - (size.numerator.bit_length() - size.denominator.bit_length())
        sums = [0] * count
        error = arb(0)
        for node in nodes:
            check()
            error += _add(node, table, shift, sums)
        unit = arb((1, -places - shift))
        return tuple(arb(total) * unit + arb(0, error.upper()) for total in sums)


@dataclass(frozen=True, slots=True)
class _Table:
    """1/sqrt(n+1) and sqrt(n/(n+1)) times 2^places, rounded down."""

    count: int
    places: int
    first: tuple[int, ...]
    second: tuple[int, ...]

    @classmethod
    def of(cls, count: int, places: int) -> _Table:
        return _table(count, places)


@lru_cache(maxsize=64)
def _table(count: int, places: int) -> _Table:
    one = 1 << (2 * places)
    first = tuple(isqrt(one // (n + 1)) for n in range(count))
    second = tuple(isqrt(one * n // (n + 1)) for n in range(count))
    return _Table(count, places, first, second)


def _add(node: Node, table: _Table, shift: int, sums: list[int]) -> Any:
    """Add one node to the sums (scale 2^(places + shift)); a bound of the error is returned."""
    from flint import arb

    known = _cached if table.count <= _KEEP else row
    values, blur = known(integers(node.at), table.count, table.places)
    even, odd = scaled(node.even, shift), scaled(node.odd, shift)
    if even:
        sums[::2] = [s + even * y for s, y in zip(sums[::2], values[::2], strict=True)]
    if odd:
        sums[1::2] = [s + odd * y for s, y in zip(sums[1::2], values[1::2], strict=True)]
    lost = arb(node.even.rad()) + arb(node.odd.rad()) + arb((2, -shift))  # |y| <= 1
    return lost + (abs(node.even).upper().max(abs(node.odd).upper()) + lost) * blur


def row(exact: tuple[int, int, int, int], count: int, places: int) -> tuple[list[int], Any]:
    """y_0 .. y_{count-1} at a node times 2^places, and a bound of their error."""
    from flint import arb

    middle = arb((exact[0], exact[1]))
    at = arb(middle, arb((exact[2], exact[3])))
    ulp = arb((1, -places))
    size = float(at.upper()) + 1e-9
    turn = size * size / 4 + 1e-9
    start = max(2, min(count, int(turn) + 3))  # the last of them is beyond the turn by 1
    values, blur = _low_orders(middle, start, places)
    drift = arb((exact[2], exact[3])) + ulp
    blur += _moved(size, start, drift)
    if count > start:
        table = _Table.of(count, places)
        first, second = table.first, table.second
        position = scaled(middle, places)
        y0, y1 = values[-2], values[-1]
        for n in range(start - 1, count - 1):
            y0, y1 = y1, (position * y1 >> places) * first[n] - y0 * second[n] >> places
            values.append(y1)
        # what one step loses: rounding, and the node that is rounded
        blur = carried(size, start, blur, (2 * arb(size) + 6) * ulp + 2 * drift, count)
    if not blur < arb(1) / 128:  # the bound of one step assumes numbers below 1.01
        return values[:count], arb("inf")
    return values[:count], blur.upper()


def carried(size: float, start: int, blur: Any, defect: Any, count: int) -> Any:
    """A bound of the errors of y_n, start <= n < count, for |x| <= size < 2 sqrt(start).

    The two values before are off by `blur`; a step loses at most `defect`.
    """
    from flint import arb

    turn = arb(size) ** 2 / 4 + 1e-9
    begun = 2 * blur * arb(start).sqrt()
    each = ((start + 1) / (start + 1 - turn)).sqrt() * defect
    return (begun + count * each).upper()


def steps(count: int, places: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """1/sqrt(n+1) and sqrt(n/(n+1)), n < count, times 2^places, rounded down."""
    table = _Table.of(count, places)
    return table.first, table.second


_KEEP = 256
"""The most orders of a row that is remembered: the same nodes come back for many variances."""
_cached = lru_cache(maxsize=4096)(row)


def _moved(size: float, count: int, drift: Any) -> Any:
    """What moving a node by `drift` can change below `count` orders: |y_n'| <= |x|/2 + sqrt n."""
    from flint import arb

    return (arb(size) / 2 + 1 + arb(count).sqrt()) * drift


def _low_orders(at: Any, count: int, places: int) -> tuple[list[int], Any]:
    r"""y_0 .. y_{count-1} at an exact node times 2^places, and a bound of their error.

    Integers with spare bits: rounding grows by at most $1 + x/\sqrt n$ a step.
    """
    from flint import arb, ctx

    size = float(at.upper()) + 1e-9
    growth = sum(log2(1 + size / sqrt(n)) for n in range(1, count)) + log2(count * (size + 8))
    fine = places + ceil(growth * 1.001) + 16
    with precision(max(int(ctx.prec), fine + 32)):
        begin = (-at * at / 4).exp()
        table = _Table.of(count, fine)
        position = scaled(at, fine)
        y0, y1 = 0, scaled(begin, fine)
        spare = fine - places
        out = [y1 >> spare]
        for n in range(count - 1):
            y0, y1 = y1, (position * y1 >> fine) * table.first[n] - y0 * table.second[n] >> fine
            out.append(y1 >> spare)
        return out, arb((1, -places)) + arb((1, -places - 12))
