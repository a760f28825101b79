"""The polynomials of all pairs of bands: in the angle on both sides, or folded (`fold`)."""

from __future__ import annotations

from ...errors import Undecided
from . import sine
from .band import BandSpectra, count_of, scale_of
from .banded import Pair
from .fit import fit
from .fold import applies, counts, fold, kappas
from .patience import TooLong, check
from .shared import SINE, SQUARE, shared_sheets
from .sheets import Frame, Part, sided_part
from .source import Say, shortened
from .spectrum import Spectrum
from .variable import KAPPAS

LOOSE = 1e-12
"""Below this error the rounding of the derivative of a polynomial is too much."""


def all_pairs(
    bands: list[BandSpectra], parity: int, error: float, weighted: bool, say: Say
) -> tuple[list[Pair], bool, bool]:
    """`(pairs, folded, sine)`: folded where that is proven, in S where there are kinks at 0.

    Raises:
        Undecided: no form has the bound.
    """
    analytic = all(applies(found) for band in bands for found in band.spectra)
    kinked = all(sine.applies(*band.spectra) for band in bands)
    if (analytic or kinked) and weighted and error >= LOOSE:
        try:
            return _pairs(bands, True, parity, error, weighted, say), True, kinked
        except TooLong:
            raise
        except Undecided as reason:
            say(f"one polynomial for both duals: {reason.what}")
    return _pairs(bands, False, parity, error, weighted, say), False, False


def _pairs(
    bands: list[BandSpectra],
    folded: bool,
    parity: int,
    error: float,
    weighted: bool,
    say: Say,
) -> list[Pair]:
    """All pairs; first those of a band with itself, which give the scale."""
    order = [(k, k) for k in range(len(bands))]
    order += [(a, b) for a in range(len(bands)) for b in range(a + 1, len(bands))]
    pairs = []
    for a, b in order:
        check()
        pairs.append((_folded if folded else _pair)(bands, a, b, parity, error, weighted))
        say(f"bands {a} and {b}: error {max(pairs[-1].value.error, pairs[-1].dot.error):.1e}")
    return pairs


def _pair(
    bands: list[BandSpectra], a: int, b: int, parity: int, error: float, weighted: bool
) -> Pair:
    """The polynomials of two bands in the angle, for both signs of rho."""
    from .draft import sizes

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
    sheets = [
        Frame.of(
            bands, a, b, which, sided_part(fits[which]), parity * (1 - 2 * which), error, weighted
        ).best()
        for which in (0, 1)
    ]
    return Pair(a, b, kappa, sheets[0], sheets[1])


def _folded(
    bands: list[BandSpectra],
    a: int,
    b: int,
    parity: int,
    error: float,
    weighted: bool,
) -> Pair:
    """The polynomials of two bands in rho^2, the even and the odd part apart, for both duals."""
    one, two = bands[a], bands[b]
    cut: list[tuple[list[Spectrum], list[Spectrum] | None]] = []
    parities = (parity, -parity)
    for which in (0, 1):
        count = count_of(one, two, 1, error) + 1 - which  # what s' has, and one more
        left = [shortened(s, count) for s in one.spectra[which]]
        right = None if a == b else [shortened(s, count) for s in two.spectra[which]]
        cut.append((left, right))
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
    frames = []
    for which in (0, 1):
        whole = found[which]
        part = Part(whole.tail, whole.aliasing + whole.omitted, whole.along(), None)
        frames.append(Frame.of(bands, a, b, which, part, parities[which], error, weighted))
    form = SINE if left[0].kink else SQUARE
    value, dot = shared_sheets(frames, found, (form, tried[i]), sizes[i])
    return Pair(a, b, tried[i], value, dot)
