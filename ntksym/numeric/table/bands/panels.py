r"""Panels of a band: the same polynomial, written again about a part of the band.

$T_i(m + ht) = \sum_k M_{ki}T_k(t)$ exactly, so that what was proven for the band holds for every
panel as it is; but on a panel of half the width far fewer coefficients matter.  A panel costs no
enclosure of its own, only the contraction of its powers once for a row of entries
(`derivations/identities/table_bound.md`, section 13).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

from ...patience import check
from ..fold import Folded
from ..sine import times
from ..variances import Axis
from .band import BandSpectra
from .sums import Tensor, sizes_of

MOST = 3
"""Panels of a band."""
MOST_IN_ALL = 8
WORTH = 0.93
"""More panels, and more numbers in the code, have to bring the work below this part of it."""
OVERLAP = Fraction(1, 1 << 40)
"""Panels overlap by this, so that the rounding of a variance at a cut does not matter."""
_SPREAD = 100.0
"""Of the error to a single coefficient, about."""
Ends = tuple[Fraction, Fraction]

# About, to choose, in fused operations of an entry: coefficients that are left, and how many powers
# a row contracts for each; what one of these costs; a group of entries; putting them in order.
_ENTRIES = 256
_FEWER = (1.0, 0.74, 0.65)
_FLATTER = (9.0, 5.1, 3.9)
_ROW = 2.4
_GROUP = 8.0
_ORDER = 45.0
_PADDING = 3.5


def places_of(whole: Folded, band: BandSpectra, error: float) -> int:
    """About how many coefficients an entry needs where the band is one panel."""
    total, least = 0, error * float(band.starts[1].least) / _SPREAD
    for _, tensor in whole.parts:
        total += int((sizes_of(tensor).sum(axis=0) > least).sum())
    return total


def panels(places: int, bands: int) -> int:
    """The number of panels of every band with the least work, about.

    `places` are the coefficients that an entry of the dearest pair of bands needs, `bands` the
    number of bands.
    """
    best, least = 1, 0.0
    for n in range(1, MOST + 1):
        groups = bands * n
        if n > 1 and groups > MOST_IN_ALL:
            break
        work = places * _FEWER[n - 1] * (1 + _PADDING * groups / _ENTRIES)
        work += groups * (places * _FLATTER[n - 1] * _ROW / _ENTRIES + _GROUP)
        work += _ORDER if groups > 1 else 0.0
        if n == 1 or work < WORTH * least:
            best, least = n, work
    return best


def ends(many: int) -> list[Ends]:
    """The panels of [-1, 1]."""
    cuts = [Fraction(2 * i, many) - 1 for i in range(many + 1)]
    return [
        (max(a - OVERLAP, Fraction(-1)), min(b + OVERLAP, Fraction(1))) for a, b in pairwise(cuts)
    ]


def part(band: BandSpectra, own: Ends) -> BandSpectra:
    """A band whose variable runs over a panel: its ends are rounded outward by `OVERLAP` alone."""
    axis, (begin, end) = band.axis, own
    centre, half = Fraction(axis.centre), Fraction(axis.half)
    middle, reach = (begin + end) / 2, (end - begin) / 2

    def variance(at: Fraction) -> float:
        return float((centre * (1 + half * at) / (1 - half * at)) ** 2)

    low = axis.low if begin == -1 else variance(begin + OVERLAP)
    high = axis.high if end == 1 else variance(end - OVERLAP)
    below = 1 - middle * half
    zero, scale = centre * (1 + middle * half) / below, half * reach / below
    found = Axis(low, high, float(zero), float(scale), axis.centre)
    return replace(band, axis=found, bottoms=[None, None])


@lru_cache(maxsize=64)
def _turn(own: Ends, count: int, bits: int) -> Any:
    """The matrix M of a panel."""
    from flint import arb, arb_mat, fmpq

    from ....precision import precision

    with precision(bits):
        middle, reach = (
            arb(fmpq(v.numerator, v.denominator))
            for v in ((own[0] + own[1]) / 2, (own[1] - own[0]) / 2)
        )
        rows = [[arb(1)], [middle, reach]]
        for _ in range(2, count):
            new = times(rows[-1], 2 * middle, 2 * reach)
            for k, c in enumerate(rows[-2]):
                new[k] = new[k] - c
            rows.append(new)
        found = [[row[k] if k < len(row) else arb(0) for row in rows[:count]] for k in range(count)]
        return arb_mat(found)


def chopped(found: Folded, least: float, weight: Callable[[int], float] | None = None) -> Folded:
    """Without coefficients that add up to at most `least`: they count as omitted.

    With a weight one of T_k(x) counts `weight(k)` times, at least once.
    """
    import numpy as np
    from flint import arb

    sizes = [sizes_of(tensor) for _, tensor in found.parts]
    if weight is not None:
        sizes = [s * [max(weight(k), 1.0) for k in range(s.shape[2])] for s in sizes]
    kept, total = [], arb(0)
    for axis in range(3):
        line = sum(s.sum(axis=tuple(a for a in range(3) if a != axis)) for s in sizes)
        rest = np.cumsum(line[::-1])[::-1] * (1 + 1e-9)  # sums of numbers of one sign
        kept.append(max(int((rest > least / 3).sum()), 1))
        if kept[-1] < len(rest):
            total += arb(float(rest[kept[-1]]))
    i, j, k = kept
    parts = tuple(
        (part, [[line[:k] for line in plane[:j]] for plane in tensor[:i]])
        for part, tensor in found.parts
    )
    return Folded(parts, found.tail, found.aliasing, (found.omitted + total).upper())


def narrowed(found: Folded, one: Ends, two: Ends, bits: int) -> Folded:
    """The same dual in the variables of a panel of either band."""
    from ....precision import precision

    whole = (Fraction(-1), Fraction(1))
    with precision(bits + 64):
        parts = []
        for which, tensor in found.parts:
            turned = tensor
            for own in (one, two):  # either turn swaps the two variables
                check()
                turned = _swapped(turned, None if own == whole else own, bits + 64)
            parts.append((which, turned))
        return Folded(tuple(parts), found.tail, found.aliasing, found.omitted)


def nearer(tensor: Tensor, own: Ends, bits: int) -> Tensor:
    """The same polynomials where the last variable is in a part of [-1, 1] only."""
    from flint import arb_mat

    from ....precision import precision

    deep = len(tensor[0][0])
    with precision(bits):
        turned = _turn(own, deep, bits).transpose()
        return [(arb_mat(plane) * turned).tolist() for plane in tensor]


def _swapped(tensor: Tensor, own: Ends | None, bits: int) -> Tensor:
    """The first variable turned; then the second comes first."""
    from flint import arb_mat

    high, wide, deep = len(tensor), len(tensor[0]), len(tensor[0][0])
    if own is None:
        return [[tensor[i][j] for i in range(high)] for j in range(wide)]
    flat = arb_mat([[c for line in plane for c in line] for plane in tensor])
    rows = (_turn(own, high, bits) * flat).tolist()
    return [[rows[i][j * deep : (j + 1) * deep] for i in range(high)] for j in range(wide)]
