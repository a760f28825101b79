r"""A wide range of variances: a table for every pair of bands, from one set of spectra each.

The spectra of a band are enclosed once.  A pair (a, b) needs as many Hermite coefficients as leave
$\sqrt{G_aG_b}$ small, G what is left of Parseval's sums: fewer than b alone, more than a alone,
so that the flatter band is given more of them.
(`derivations/identities/table_bound.md`, section 8.)
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil, exp, log, sqrt
from time import thread_time
from typing import Any

from sympy import Expr

from ....errors import Undecided
from ...patience import TooLong, foresee_more
from ..spectra.source import FIRST, MOST, Say, enough, expected, rests, shape, start
from ..spectra.spectrum import Shape, Spectrum
from ..variances import Axis
from .band import STEP, BandSpectra, count_of, goal_of, joint_tail
from .banded import Band, BandedDual
from .pairs import Alone, Making

RATIOS = (4.1, 2.1, 1.5)
"""The largest ratio of a band: less costs more groups of entries in a row than it saves, but may
be needed where the activation has singularities near the line."""
MOST_BANDS = 12
_SPARE = 1.06
_CHEAPER = 0.3
"""A pair of bands takes at least this part of the time of the steepest with itself."""


def divided(
    shapes: list[Shape],
    low: float,
    high: float,
    error: float,
    weighted: bool,
    *,
    dearest: bool = False,
) -> list[float]:
    """The ends of the bands of a range: the widest in which the variance can be interpolated.

    With `dearest` only that of the largest variances is looked at.

    Raises:
        Undecided: in none of them, or too many.
    """
    failed: Undecided | None = None
    for ratio in RATIOS:
        try:
            ends = edges(low, high, ratio)
            for one, two in list(reversed(list(pairwise(ends))))[: 1 if dearest else None]:
                for s in shapes:
                    start(s, Axis.over(one, two), error, weighted and not s.slope)
        except TooLong:
            raise
        except Undecided as reason:
            failed = failed or reason
            if low == high:
                break
        else:
            return ends
    assert failed is not None
    raise failed


def edges(low: float, high: float, ratio: float = RATIOS[0]) -> list[float]:
    """The ends of bands of at most this ratio: one band where the range is narrow.

    Raises:
        Undecided: more than `MOST_BANDS`.
    """
    size = log(high / low)  # 0 for one variance: one band
    many = max(ceil(size / log(ratio)), 1)
    if many > MOST_BANDS:
        raise Undecided(
            f"variances {low:g} to {high:g} would be {many} bands", hint="a narrower range"
        )
    inner = [low * exp(size * k / many) for k in range(1, many)]
    return [low, *inner, high]


def build_banded(
    name: str, expr: Expr, ends: list[float], error: float, weighted: bool, bits: int, say: Say
) -> BandedDual:
    """The table of a wide range, to the precision of the caller.

    Raises: as `dual.table_dual`.
    """
    from ..draft import mirrored

    shapes = [shape(expr, slope, bits) for slope in (False, True)]
    making = Making(mirrored(expr), error, weighted, say)
    bands: list[BandSpectra] = []
    last: Alone | None = None
    for low, high in reversed(list(pairwise(ends))):  # the dearest says how many the others need
        band = _band(shapes, low, high, error, weighted, bits)
        if bands:
            terms = _shared(bands[-1], low, error)
        else:
            terms = expected(band.starts[1], len(band.nodes), high, error, say)
        _enclose(band, terms, error, say)
        if last is None:
            begin = thread_time()
            last = making.alone(band, len(ends) - 1)
            _foresee(last, len(ends) - 1, thread_time() - begin)
        bands.insert(0, band)
    assert last is not None
    for k, band in enumerate(bands):
        wanted = max((_needed(band, other, error) for other in bands[k + 1 :]), default=0)
        if wanted > band.terms:
            say(f"variances {band.axis.low:.3g} to {band.axis.high:.3g}: {wanted} coefficients")
            _enclose(band, min(wanted, MOST) | 15, error, say)
    kinds, pairs, folded, sine = making.all(bands, last)
    return BandedDual(
        name,
        str(expr),
        ends[0],
        ends[-1],
        weighted,
        tuple(Band(a.low, a.high, a.centre, a.half, a.pole) for a in kinds),
        tuple(sorted(pairs, key=lambda p: (p.first, p.second))),
        sum(len(b.nodes) for b in bands),
        max(b.terms for b in bands),
        folded,
        sine,
    )


def _foresee(last: Alone, many: int, spent: float) -> None:
    """Nothing, where the pairs of so many bands probably fit into the time that is left.

    Raises:
        TooLong: they do not, as those of the steepest band with itself took so many seconds.
    """
    done, panels = len(last.pairs), many * len(last.parts)
    more = panels * (panels + 1) / 2 - done
    foresee_more(spent, _CHEAPER * more * spent / done)


def _band(
    shapes: list[Any], low: float, high: float, error: float, weighted: bool, bits: int
) -> BandSpectra:
    axis = Axis.over(low, high)
    one, two = (start(s, axis, error, weighted and not s.slope) for s in shapes)
    nodes = tuple(axis.variances(max(one.count, two.count), bits + 64))
    return BandSpectra(axis, (one, two), nodes, [], 0, [], [None, None], [None, None])


def _shared(steep: BandSpectra, low: float, error: float) -> int:
    r"""About how many a flatter band needs together with the steepest: it alone needs fewer.

    Smooth ones fall like $e^{-r\sqrt n}$, r like $1/\sqrt q$; kinks like a power of n.
    """
    count = max(count_of(steep, steep, which, error) for which in (0, 1))
    if not steep.starts[1].shape.kinks:
        ratio = sqrt(steep.axis.low / low)
        count = int(_SPARE * count * (2 / (1 + ratio)) ** 2)
    return max(count, FIRST // 2) | 15


def _enclose(band: BandSpectra, terms: int, error: float, say: Say) -> None:
    """Spectra of both duals with at least `terms` coefficients."""
    slopes, terms, _ = enough(band.starts[1], band.nodes, terms, error, say)
    values, terms, _ = enough(band.starts[0], band.nodes, terms, error, say)
    band.spectra, band.terms, band.turned = [values, slopes], terms, [None, None]
    band.curves = [_curve(found) for found in band.spectra]


def _curve(found: list[Spectrum]) -> list[tuple[float, float]]:
    """What is left of the two Parseval sums after n coefficients, n = 0, 16, ...: the worst."""
    import numpy as np

    worst: Any = np.zeros(0)
    for s in found:
        left = rests(s.sizes[0], float(s.left))
        kink = rests(s.sizes[1], float(s.kink_left)) if s.kink else np.zeros_like(left)
        where = np.unique([*range(0, len(left), STEP), len(left) - 1])
        line = np.array([left, kink])[:, where]
        worst = np.maximum(worst, line) if worst.size else line
    return [(float(a), float(b)) for a, b in worst.T]


def _needed(band: BandSpectra, other: BandSpectra, error: float) -> int:
    """About how many coefficients of `band` a pair with a steeper band needs."""
    most = 0
    for which in (0, 1):
        goal = goal_of(band, other, which, error)
        mine, its = band.curves[which], other.curves[which]
        end, half = len(mine) - 2, (len(mine) - 2) // 2
        fall = log(max(mine[half][0], 1e-300) / max(mine[end][0], 1e-300))
        kink = bool(band.spectra[which][0].kink)
        rate = fall / (log(end / half) if kink else sqrt(end) - sqrt(half))
        for n in range(1, 2 * len(its)):
            here = mine[min(n, end)]
            if n > end:  # as it has fallen
                more = rate * (log(n / end) if kink else sqrt(n) - sqrt(end))
                here = here[0] * exp(-more), here[1]
            if joint_tail(here, its[min(n, len(its) - 1)]) < goal:
                break
        most = max(most, ceil(n * STEP * (_SPARE if n > end else 1)))
    return most
