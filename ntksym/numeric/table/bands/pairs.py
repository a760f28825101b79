"""The polynomials of all pairs of bands: in the angle on both sides, or folded (`fold`).

Where the rounding of a polynomial over a band is more than the error, that of its panels may do:
there the dual varies less, and its own size is what errors are relative to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from ....errors import Undecided
from ...patience import TooLong, check
from .. import sine
from ..dual import Unproven
from ..fit import Fit, fit
from ..fold import Folded, applies, counts, fold, kappas, missed
from ..shared import SINE, SQUARE, shared_sheets
from ..spectra.source import Say, shortened
from ..spectra.spectrum import Spectrum
from ..variable import KAPPAS
from ..variances import Axis
from .band import BandSpectra, count_of, scale_of
from .banded import Pair
from .panels import MOST, Ends, chopped, ends, narrowed, panels, part
from .sheets import Frame, Part, sided_part
from .sums import Turned

_NOTHING = 2e-6
"""Coefficients are left out at once that add up to this part of the error."""
_SPREAD = 100.0
"""Of the error to a single coefficient, about."""
_HOPELESS = 4.0
"""Where the bound of a band is so many times the error, its panels do not help."""
LOOSE = 1e-12
"""Below this error the rounding of the derivative of a polynomial is too much."""


def all_pairs(
    bands: list[BandSpectra], parity: int, error: float, weighted: bool, say: Say
) -> tuple[list[Axis], list[Pair], bool, bool]:
    """`(axes, pairs, folded, sine)`: folded where that is proven, in S where there are kinks at 0.

    The axes are those of the bands, or of their panels.

    Raises:
        Undecided: no form has the bound.
    """
    analytic = all(applies(found) for band in bands for found in band.spectra)
    kinked = all(sine.applies(*band.spectra) for band in bands)
    if (analytic or kinked) and weighted and error >= LOOSE:
        try:
            return *_folded(bands, parity, error, say), True, kinked
        except TooLong:
            raise
        except Undecided as reason:
            say(f"one polynomial for both duals: {reason.what}")
    fitted = {pair: _sided(bands, *pair, parity, error) for pair in _order(len(bands))}
    failed: list[Unproven] = []
    for many in range(1, MOST + 1):
        try:
            return *_in_panels(bands, fitted, many, parity, error, weighted, say), False, False
        except Unproven as reason:
            say(f"{many} panels of a band: {reason.what}")
            failed.append(reason)
            if reason.bound > _HOPELESS * error:
                break
    raise min(failed, key=lambda f: f.bound)


def _order(many: int) -> list[tuple[int, int]]:
    """All pairs; first those of a band with itself, which give the scale."""
    order = [(k, k) for k in range(many)]
    return order + [(a, b) for a in range(many) for b in range(a + 1, many)]


def _said(pair: Pair, say: Say) -> None:
    error = max(pair.value.error, pair.dot.error)
    say(f"bands {pair.first} and {pair.second}: error {error:.1e}")


@dataclass(frozen=True, slots=True)
class _Sided:
    """Both duals of a pair of bands, on both sides of rho = 0.

    Attributes:
        fits: of the dual and of the derivative dual: one side, or both.
        kappa: of the variable.
        bits: of the coefficients.
    """

    fits: tuple[list[Fit], list[Fit]]
    kappa: float
    bits: int


def _sided(bands: list[BandSpectra], a: int, b: int, parity: int, error: float) -> _Sided:
    """The series of two bands in the angle, for both signs of rho."""
    from ..draft import sizes

    check()
    one, two = bands[a], bands[b]
    cut: list[tuple[list[Spectrum], list[Spectrum] | None]] = []
    sums = [0] * len(KAPPAS)
    for which in (0, 1):
        count = count_of(one, two, which, error)
        left = [shortened(s, count) for s in one.spectra[which]]
        right = None if a == b else [shortened(s, count) for s in two.spectra[which]]
        cut.append((left, right))
        scale = scale_of(one, two, which)
        found = sizes(left[0], KAPPAS, scale * error, (right or left)[0])
        sums = [s + n for s, n in zip(sums, found, strict=True)]
    order = sorted(range(len(KAPPAS)), key=lambda i: (sums[i], i))
    signs = (1,) if parity else (1, -1)
    bits = one.starts[0].bits
    for i in order:
        kappa = KAPPAS[i]
        try:
            fits = []
            for which, (left, right) in enumerate(cut):
                goal, bits = scale_of(one, two, which) * error / 50, one.starts[which].bits
                fits.append([fit(left, s, kappa, goal, bits, others=right) for s in signs])
        except Undecided:
            if i == order[-1]:
                raise
            continue
        break
    return _Sided((fits[0], fits[1]), kappa, bits)


def _in_panels(
    bands: list[BandSpectra],
    fitted: dict[tuple[int, int], _Sided],
    many: int,
    parity: int,
    error: float,
    weighted: bool,
    say: Say,
) -> tuple[list[Axis], list[Pair]]:
    """The polynomials of all pairs of panels, so many of every band."""
    cuts = ends(many)
    parts = [part(band, own) for band in bands for own in cuts] if many > 1 else bands
    pairs = []
    for a, b in _order(len(parts)):
        check()
        whole = fitted[a // many, b // many]
        own = cuts[a % many], cuts[b % many]
        sheets = []
        for which in (0, 1):
            fits = [_part_of(f, own, whole.bits) for f in whole.fits[which]]
            sign = parity * (1 - 2 * which)
            frame = Frame.of(parts, a, b, which, sided_part(fits), sign, error, weighted)
            sheets.append(frame.best())
        pairs.append(Pair(a, b, whole.kappa, sheets[0], sheets[1]))
        _said(pairs[-1], say)
    return [p.axis for p in parts], pairs


def _part_of(whole: Fit, own: tuple[Ends, Ends], bits: int) -> Fit:
    """One side in the variables of two panels."""
    from flint import arb

    series = Folded(((0, whole.tensor),), arb(0), arb(0), arb(0))
    return replace(whole, tensor=narrowed(series, *own, bits).parts[0][1])


@dataclass(frozen=True, slots=True)
class _Whole:
    """Both duals of a pair of bands, before it is cut into panels.

    Attributes:
        found: the dual and the derivative dual.
        kappa: of the variable.
        shares: about how many coefficients the parts need.
        bits: of the coefficients.
    """

    found: tuple[Folded, Folded]
    kappa: float
    shares: tuple[int, ...]
    bits: int


def _folded(
    bands: list[BandSpectra], parity: int, error: float, say: Say
) -> tuple[list[Axis], list[Pair]]:
    """The polynomials of all pairs of panels."""
    wholes: dict[tuple[int, int], _Whole] = {}
    many = len(bands) - 1
    for a, b in [(many, many), *_order(len(bands))]:
        if (a, b) not in wholes:
            check()
            wholes[a, b] = _whole(bands, a, b, parity, error)
    cuts = ends(panels(_places(wholes[many, many], bands[-1], error), len(bands)))
    parts = [part(band, own) for band in bands for own in cuts]
    form = SINE if bands[0].spectra[0][0].kink else SQUARE
    pairs = []
    for a, b in _order(len(parts)):
        check()
        whole = wholes[a // len(cuts), b // len(cuts)]
        own = cuts[a % len(cuts)], cuts[b % len(cuts)]
        found = [narrowed(f, *own, whole.bits) for f in whole.found]
        frames = []
        for which in (0, 1):
            f, turn = found[which], parity * (1 - 2 * which)
            away = Part(f.tail, f.aliasing + f.omitted, f.along(), None)
            frames.append(Frame.of(parts, a, b, which, away, turn, error, True))
        value, dot, heavy = shared_sheets(frames, found, (form, whole.kappa), whole.shares)
        pairs.append(Pair(a, b, whole.kappa, value, dot, heavy))
        _said(pairs[-1], say)
    return [p.axis for p in parts], pairs


def _places(whole: _Whole, band: BandSpectra, error: float) -> int:
    """About how many coefficients an entry needs where the band is one panel."""
    import numpy as np

    total, least = 0, error * float(band.starts[1].least) / _SPREAD
    for _, tensor in whole.found[1].parts:
        sizes = np.array([[[float(abs(c).upper()) for c in m] for m in p] for p in tensor])
        total += int((sizes.sum(axis=0) > least).sum())
    return total


def _whole(bands: list[BandSpectra], a: int, b: int, parity: int, error: float) -> _Whole:
    """The even and the odd part apart, for both duals."""
    one, two = bands[a], bands[b]
    cut: list[tuple[list[Spectrum], list[Spectrum] | None]] = []
    turned: list[tuple[Turned, Turned]] = []
    parities = (parity, -parity)
    for which in (0, 1):
        there = (len(band.spectra[which][0].series) for band in (one, two))
        # what s' has, and one more where there is one
        count = min(count_of(one, two, 1, error) + 1 - which, *there)
        left = [shortened(s, count) for s in one.spectra[which]]
        right = None if a == b else [shortened(s, count) for s in two.spectra[which]]
        cut.append((left, right))
        mine = one.in_tau(which, count)
        turned.append((mine, mine if a == b else two.in_tau(which, count)))
    left, right = cut[0]
    scales = [scale_of(one, two, which) for which in (0, 1)]
    tried = kappas(bool(left[0].kink))
    # the variances at the upper ends (the first nodes) need the most
    ends = left[0], (right or left)[0]
    bits = one.starts[0].bits
    sizes = counts(*ends, parity, scales[0] * error / 8, scales[0] / scales[1], bits)
    order = sorted(range(len(tried)), key=lambda i: (sum(sizes[i]), i))
    for i in order:
        try:
            found = [
                fold(
                    *cut[which],
                    parities[which],
                    tried[i],
                    scales[which] * error / 50,
                    one.starts[which].bits,
                    turned[which],
                )
                for which in (0, 1)
            ]
        except TooLong:
            raise
        except Undecided:
            if i == order[-1]:
                raise
            continue
        break
    least = [scale * error * _NOTHING for scale in scales]
    weight = partial(missed, tried[i], bool(left[0].kink))  # the derivative dual is made from K
    kept = chopped(found[0], least[0], weight), chopped(found[1], least[1])
    return _Whole(kept, tried[i], sizes[i], max(bits, one.starts[1].bits))
