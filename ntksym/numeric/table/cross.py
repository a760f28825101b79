r"""A wide range of variances: a table for every pair of bands, from one set of spectra each.

The spectra of a band are enclosed once.  A pair (a, b) needs as many Hermite coefficients as leave
$\sqrt{G_aG_b}$ small, G what is left of Parseval's sums: fewer than b alone, more than a alone,
so that the flatter band is given more of them.
(`derivations/identities/table_bound.md`, section 8.)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, exp, log, sqrt
from typing import Any

from sympy import Expr

from ...errors import Undecided
from .banded import Band, BandedDual, Pair
from .dual import Sheet
from .fit import Fit, fit
from .pack import least, on_diagonal, pack
from .patience import TooLong, check
from .source import FIRST, MOST, Say, Start, enough, shape, shortened, start
from .spectrum import Shape, Spectrum
from .variable import KAPPAS, lebesgue
from .variances import Axis

RATIOS = (4.1, 2.1, 1.5)
"""The largest ratio of a band: less costs more groups of entries in a row than it saves, but may
be needed where the activation has singularities near the line."""
MOST_BANDS = 12
_SPARE = 1.06
_SHARES = (0.9, 0.5, 0.1)
_STEP = 16


def divided(
    shapes: list[Shape], low: float, high: float, error: float, weighted: bool
) -> list[float]:
    """The ends of the bands of a range: the widest in which the variance can be interpolated.

    Raises:
        Undecided: in none of them, or too many.
    """
    failed: Undecided | None = None
    for ratio in RATIOS:
        try:
            ends = edges(low, high, ratio)
            for one, two in pairwise(ends):
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


@dataclass(slots=True)
class _Band:
    """One band: its nodes, and for the dual and the derivative dual what is known of it."""

    axis: Axis
    starts: tuple[Start, Start]
    nodes: tuple[Fraction, ...]
    spectra: list[list[Spectrum]]
    terms: int
    curves: list[list[tuple[float, float]]]
    bottoms: list[Any]


def build_banded(
    name: str, expr: Expr, ends: list[float], error: float, weighted: bool, bits: int, say: Say
) -> BandedDual:
    """The table of a wide range, to the precision of the caller.

    Raises: as `dual.table_dual`.
    """
    from .draft import mirrored

    shapes = [shape(expr, slope, bits) for slope in (False, True)]
    bands: list[_Band] = []
    terms = FIRST // 2
    for low, high in pairwise(ends):
        band = _band(shapes, low, high, terms, error, weighted, bits, say)
        bands.append(band)
        own = max(_count(band, band, which, error) for which in (0, 1))
        terms = min(MOST, int(max(FIRST / 2, own) * high / low * _SPARE)) | 15
    for k, band in enumerate(bands):
        wanted = max((_needed(band, other, error) for other in bands[k + 1 :]), default=0)
        if wanted > band.terms:
            say(f"variances {band.axis.low:.3g} to {band.axis.high:.3g}: {wanted} coefficients")
            _enclose(band, min(wanted, MOST) | 15, error, say)
    parity = mirrored(expr)
    pairs = []
    order = [(k, k) for k in range(len(bands))]
    order += [(a, b) for a in range(len(bands)) for b in range(a + 1, len(bands))]
    for a, b in order:
        check()
        pairs.append(_pair(bands, a, b, parity, error, weighted))
        say(f"bands {a} and {b}: error {max(pairs[-1].value.error, pairs[-1].dot.error):.1e}")
    return BandedDual(
        name,
        str(expr),
        ends[0],
        ends[-1],
        weighted,
        tuple(Band(b.axis.low, b.axis.high, b.axis.centre, b.axis.half) for b in bands),
        tuple(sorted(pairs, key=lambda p: (p.first, p.second))),
        sum(len(b.nodes) for b in bands),
        max(b.terms for b in bands),
    )


def _band(
    shapes: list[Any],
    low: float,
    high: float,
    terms: int,
    error: float,
    weighted: bool,
    bits: int,
    say: Say,
) -> _Band:
    axis = Axis.over(low, high)
    one, two = (start(s, axis, error, weighted and not s.slope) for s in shapes)
    nodes = tuple(axis.variances(max(one.count, two.count), bits + 64))
    band = _Band(axis, (one, two), nodes, [], 0, [], [None, None])
    _enclose(band, terms, error, say)
    return band


def _enclose(band: _Band, terms: int, error: float, say: Say) -> None:
    """Spectra of both duals with at least `terms` coefficients."""
    slopes, terms, _ = enough(band.starts[1], band.nodes, terms, error, say)
    values, terms, _ = enough(band.starts[0], band.nodes, terms, error, say)
    band.spectra, band.terms = [values, slopes], terms
    band.curves = [_curve(found) for found in band.spectra]


def _curve(found: list[Spectrum]) -> list[tuple[float, float]]:
    """What is left of the two Parseval sums after n coefficients, n = 0, 16, ...: the worst."""
    worst: list[tuple[float, float]] = []
    for s in found:
        left, kink = float(s.left), float(s.kink_left)
        line = [(left, kink)]
        for n in reversed(range(len(s.series))):
            left += float(abs(s.series[n]).upper()) ** 2
            kink += float(abs(s.kink_series[n]).upper()) ** 2 if s.kink else 0.0
            if n % _STEP == 0:
                line.append((left, kink))
        line.reverse()
        if worst:
            line = [(max(a, c), max(b, d)) for (a, b), (c, d) in zip(line, worst, strict=True)]
        worst = line
    return worst


def _tail(one: tuple[float, float], two: tuple[float, float]) -> float:
    (g, p), (h, r) = one, two
    return sqrt(g * h) + sqrt(p * h) + sqrt(g * r)


def _goal(one: _Band, two: _Band, which: int, error: float) -> float:
    """What the tail of a pair may be."""
    size = sqrt(float(one.starts[which].least) * float(two.starts[which].least))
    return error * size / (8 * float(lebesgue(len(one.nodes)) * lebesgue(len(two.nodes))))


def _needed(band: _Band, other: _Band, error: float) -> int:
    """About how many coefficients of `band` a pair with a steeper band needs."""
    most = 0
    for which in (0, 1):
        goal = _goal(band, other, which, error)
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
            if _tail(here, its[min(n, len(its) - 1)]) < goal:
                break
        most = max(most, ceil(n * _STEP * (_SPARE if n > end else 1)))
    return most


def _pair(bands: list[_Band], a: int, b: int, parity: int, error: float, weighted: bool) -> Pair:
    """The polynomials of two bands; first those of a band with itself, which give the scale."""
    from .draft import sizes

    one, two = bands[a], bands[b]
    cut: list[tuple[list[Spectrum], list[Spectrum] | None]] = []
    sums = [0] * len(KAPPAS)
    for which in (0, 1):
        count = _count(one, two, which, error)
        left = [shortened(s, count) for s in one.spectra[which]]
        right = None if a == b else [shortened(s, count) for s in two.spectra[which]]
        cut.append((left, right))
        scale = _scale(one, two, which)
        found = sizes(left[0], KAPPAS, scale * error, (right or left)[0])
        sums = [s + n for s, n in zip(sums, found, strict=True)]
    order = sorted(range(len(KAPPAS)), key=lambda i: (sums[i], i))
    signs = (1,) if parity else (1, -1)
    for i in order:
        kappa = KAPPAS[i]
        try:
            fits = []
            for which, (left, right) in enumerate(cut):
                goal, bits = _scale(one, two, which) * error / 50, one.starts[which].bits
                fits.append([fit(left, s, kappa, goal, bits, others=right) for s in signs])
        except Undecided:
            if i == order[-1]:
                raise
            continue
        break
    sheets = [
        _sheet(bands, a, b, which, fits[which], parity * (1 - 2 * which), error, weighted)
        for which in (0, 1)
    ]
    return Pair(a, b, kappa, sheets[0], sheets[1])


def _scale(one: _Band, two: _Band, which: int) -> float:
    return sqrt(float(one.starts[which].least) * float(two.starts[which].least))


def _count(one: _Band, two: _Band, which: int, error: float) -> int:
    """The fewest coefficients whose tail is below the goal."""
    goal = _goal(one, two, which, error)
    both = list(zip(one.curves[which], two.curves[which], strict=False))
    last = min(len(s.series) for s in (one.spectra[which][0], two.spectra[which][0]))
    for n, (mine, its) in enumerate(both):
        if n and _tail(mine, its) < 0.99 * goal:
            return min(n * _STEP, last)
    return last


def _sheet(
    bands: list[_Band],
    a: int,
    b: int,
    which: int,
    fits: list[Fit],
    parity: int,
    error: float,
    weighted: bool,
) -> Sheet:
    from flint import arb

    from .build import _largest, _size, _up

    one, two = bands[a].starts[which], bands[b].starts[which]
    between = (one.gap * two.most + two.gap * one.most + one.gap * two.gap).upper()
    outside = fits[0].tail + _largest(fits) + between
    across = on_diagonal(fits[0].tensor) if a == b else None
    if across is not None:
        bands[a].bottoms[which] = (least(across) - outside).lower()
    low = [bands[k].bottoms[which] for k in (a, b)]
    if not (low[0] > 0 and low[1] > 0):
        raise Undecided("the bound is larger than the dual itself", hint="a narrower range")
    bottom = (low[0] * low[1]).sqrt().lower()
    free = error - float((outside / bottom).upper())
    half = min(bands[a].axis.half, bands[b].axis.half)
    best: Sheet | None = None
    for share in _SHARES:
        budget = (bottom * max(free, error * 0.05) * share).lower()
        packed = [pack(f.tensor, budget, half) for f in fits]
        three = packed
        diagonal: tuple[float, ...] = ()
        if across is not None:
            own = pack(across, budget, half)
            three = [*packed, own]
            diagonal = tuple(line[0] for line in own.rows[0])
        final = max(_size(p) for p in three) * 2.0**-50 if weighted and not which else arb(0)
        named = (
            ("series beyond its last term", fits[0].tail),
            ("interpolation in rho", _largest(fits)),
            ("interpolation in the variances", between),
            ("coefficients left out", max(p.dropped for p in three)),
            ("rounding", max(p.rounding for p in three) + final),
        )
        total = sum((value for _, value in named), arb(0))
        found = Sheet(
            packed[0].rows,
            () if parity else packed[-1].rows,
            parity,
            diagonal,
            _up(total / bottom),
            tuple((text, _up(value / bottom) if value > 0 else 0.0) for text, value in named),
        )
        if found.error <= error:
            return found
        if best is None or found.error < best.error:
            best = found
    assert best is not None
    raise Undecided(
        f"the bound {best.error:.2e} was proven, not {error:.2e}",
        tried=[f"{text}: {value:.1e}" for text, value in best.parts],
        hint="a larger error, or a narrower range of variances",
    )
