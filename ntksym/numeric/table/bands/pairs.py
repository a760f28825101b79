"""The polynomials of all pairs of bands: in the angle on both sides, or folded (`fold`).

Where the rounding of a polynomial over a band is more than the error, that of its panels may do:
there the dual varies less, and its own size is what errors are relative to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TypeVar

from ....errors import Undecided
from ...patience import TooLong, check
from .. import sine
from ..dual import Unproven
from ..fit import Fit, fit
from ..fold import Folded, applies, counts, downhill, fold, kappas, missed
from ..shared import SINE, SQUARE, shared_sheets
from ..spectra.source import Say
from ..spectra.spectrum import Spectrum
from ..variable import KAPPAS
from ..variances import Axis
from .band import BandSpectra, count_of, scale_of
from .banded import Pair
from .panels import MOST, Ends, chopped, ends, narrowed, panels, part, places_of
from .sheets import Frame, Part, sided_part
from .sums import Turned

_NOTHING = 2e-6
"""Coefficients are left out at once that add up to this part of the error."""
_HOPELESS = 4.0
"""Where the bound of a band is so many times the error, its panels do not help."""
_Made = TypeVar("_Made")
LOOSE = 1e-12
"""Below this error the rounding of the derivative of a polynomial is too much."""


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


@dataclass(frozen=True, slots=True)
class Alone:
    """The polynomials of the steepest band with itself, in the first form that is proven.

    Attributes:
        pairs: of its panels.
        parts: its panels.
        made: what they are made from, folded or not.
    """

    pairs: tuple[Pair, ...]
    parts: tuple[BandSpectra, ...]
    made: _Whole | _Sided

    def behind(self, count: int) -> list[Pair]:
        """The pairs, numbered after so many other panels."""
        return [replace(p, first=p.first + count, second=p.second + count) for p in self.pairs]


@dataclass(frozen=True, slots=True)
class Making:
    """What all pairs are made with.

    Attributes:
        parity: of the activation.
        error: to be proven.
        weighted: whether the value is stored divided by sqrt(q11 q22).
        say: is told what is done.
    """

    parity: int
    error: float
    weighted: bool
    say: Say

    def alone(self, band: BandSpectra, many: int) -> Alone:
        """The steepest band with itself, one of so many.

        To be made before the other bands are enclosed: what cannot be proven is mostly this.

        Raises:
            Undecided: no form has the bound.
        """
        if self._foldable(band):
            try:
                whole = _whole([band], 0, 0, self.parity, self.error)
                count = panels(places_of(whole.found[1], band, self.error), many)
                return self._alone(band, count, whole)
            except TooLong:
                raise
            except Undecided as reason:
                self.say(f"one polynomial for both duals: {reason.what}")
        sided = _sided([band], 0, 0, self.parity, self.error)
        return self._first(1, lambda many: self._alone(band, many, sided))

    def all(
        self, bands: list[BandSpectra], last: Alone
    ) -> tuple[list[Axis], list[Pair], bool, bool]:
        """`(axes, pairs, folded, sine)`: folded where that is proven, in S for kinks at 0.

        The axes are those of the bands, or of their panels; `last` is of the last band.

        Raises:
            Undecided: no form has the bound.
        """
        top, many, made = len(bands) - 1, len(last.parts), last.made
        if isinstance(made, _Whole):
            try:
                found = self._pairs(bands, many, {(top, top): made}, last)
                return *found, True, bool(bands[0].spectra[0][0].kink)
            except TooLong:
                raise
            except Undecided as reason:
                self.say(f"one polynomial for both duals: {reason.what}")
            many, made = 1, _sided(bands, top, top, self.parity, self.error)
        known: dict[tuple[int, int], _Whole | _Sided] = {(top, top): made}
        return *self._first(many, lambda n: self._pairs(bands, n, known, last)), False, False

    def _first(self, many: int, make: Callable[[int], _Made]) -> _Made:
        """What is made with the fewest panels of a band, at least so many.

        Raises:
            Unproven: with none; of the best bound.
        """
        failed: list[Unproven] = []
        for count in range(many, MOST + 1):
            try:
                return make(count)
            except Unproven as reason:
                self.say(f"{count} panels of a band: {reason.what}")
                failed.append(reason)
                if reason.bound > _HOPELESS * self.error:
                    break
        raise min(failed, key=lambda f: f.bound)

    def _foldable(self, band: BandSpectra) -> bool:
        smooth = all(applies(found) for found in band.spectra)
        return (smooth or sine.applies(*band.spectra)) and self.weighted and self.error >= LOOSE

    def _alone(self, band: BandSpectra, many: int, made: _Whole | _Sided) -> Alone:
        cuts, parts = ends(many), _parts(band, many, made)
        pairs = (self._pair(parts, (a, b), made, (cuts[a], cuts[b])) for a, b in _order(len(parts)))
        return Alone(tuple(pairs), tuple(parts), made)

    def _pairs(
        self,
        bands: list[BandSpectra],
        many: int,
        known: dict[tuple[int, int], _Whole | _Sided],
        last: Alone,
    ) -> tuple[list[Axis], list[Pair]]:
        """The polynomials of all pairs of panels, so many of every band.

        `known` has what pairs of bands are made of, that of the last band with itself at least, and
        is added to; what `last` has is not made again.
        """
        cuts, top = ends(many), len(bands) - 1
        made = known[top, top]
        there = last.made is made and many == len(last.parts)
        own = list(last.parts) if there else _parts(bands[top], many, made)
        parts = [*(p for band in bands[:top] for p in _parts(band, many, made)), *own]
        pairs = last.behind(top * many) if there else []
        for a, b in _order(len(parts)):
            if there and a >= top * many:
                continue
            place = a // many, b // many
            if place not in known:
                given = bands, *place, self.parity, self.error
                if isinstance(made, _Whole):
                    known[place] = _whole(*given, made.kappa)
                else:
                    known[place] = _sided(*given)
            cut = cuts[a % many], cuts[b % many]
            pairs.append(self._pair(parts, (a, b), known[place], cut))
        return [p.axis for p in parts], pairs

    def _pair(
        self,
        parts: list[BandSpectra],
        where: tuple[int, int],
        made: _Whole | _Sided,
        own: tuple[Ends, Ends],
    ) -> Pair:
        """The polynomials of a pair of panels."""
        check()
        if isinstance(made, _Whole):
            found = self._folded(parts, where, made, own)
        else:
            sheets = []
            for which in (0, 1):
                fits = [_part_of(f, own, made.bits) for f in made.fits[which]]
                sheets.append(self._frame(parts, where, which, sided_part(fits)).best())
            found = Pair(*where, made.kappa, sheets[0], sheets[1])
        error = max(found.value.error, found.dot.error)
        self.say(f"bands {found.first} and {found.second}: error {error:.1e}")
        return found

    def _folded(
        self,
        parts: list[BandSpectra],
        where: tuple[int, int],
        whole: _Whole,
        own: tuple[Ends, Ends],
    ) -> Pair:
        form = SINE if parts[0].spectra[0][0].kink else SQUARE
        found = [narrowed(f, *own, whole.bits) for f in whole.found]
        frames = []
        for which, f in enumerate(found):
            away = Part(f.tail, f.aliasing + f.omitted, f.along(), None)
            frames.append(self._frame(parts, where, which, away))
        value, dot, heavy = shared_sheets(frames, found, (form, whole.kappa), whole.shares)
        return Pair(*where, whole.kappa, value, dot, heavy)

    def _frame(
        self, parts: list[BandSpectra], where: tuple[int, int], which: int, own: Part
    ) -> Frame:
        sign = self.parity * (1 - 2 * which)
        return Frame.of(parts, *where, which, own, sign, self.error, self.weighted)


def _parts(band: BandSpectra, many: int, made: _Whole | _Sided) -> list[BandSpectra]:
    """The panels of a band, so many."""
    if many == 1 and isinstance(made, _Sided):
        return [band]
    return [part(band, own) for own in ends(many)]


def _order(many: int) -> list[tuple[int, int]]:
    """All pairs; first those of a band with itself, which give the scale.

    The steepest of them come first: what cannot be proven is seen at once.
    """
    order = [(k, k) for k in reversed(range(many))]
    return order + [(a, b) for b in reversed(range(many)) for a in reversed(range(b))]


def _sided(bands: list[BandSpectra], a: int, b: int, parity: int, error: float) -> _Sided:
    """The series of two bands in the angle, for both signs of rho."""
    from ..draft import sizes

    check()
    one, two = bands[a], bands[b]
    cut: list[tuple[list[Spectrum], list[Spectrum] | None]] = []
    sums = [0] * len(KAPPAS)
    for which in (0, 1):
        count = count_of(one, two, which, error)
        left = [s.first(count) for s in one.spectra[which]]
        right = None if a == b else [s.first(count) for s in two.spectra[which]]
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


def _part_of(whole: Fit, own: tuple[Ends, Ends], bits: int) -> Fit:
    """One side in the variables of two panels."""
    from flint import arb

    series = Folded(((0, whole.tensor),), arb(0), arb(0), arb(0))
    return replace(whole, tensor=narrowed(series, *own, bits).parts[0][1])


def _whole(
    bands: list[BandSpectra],
    a: int,
    b: int,
    parity: int,
    error: float,
    kappa: float | None = None,
) -> _Whole:
    """The even and the odd part apart, for both duals; with about this kappa where one is known."""
    one, two = bands[a], bands[b]
    cut: list[tuple[list[Spectrum], list[Spectrum] | None]] = []
    turned: list[tuple[Turned, Turned]] = []
    parities = (parity, -parity)
    for which in (0, 1):
        there = (len(band.spectra[which][0].series) for band in (one, two))
        # what s' has, and one more where there is one
        count = min(count_of(one, two, 1, error) + 1 - which, *there)
        left = [s.first(count) for s in one.spectra[which]]
        right = None if a == b else [s.first(count) for s in two.spectra[which]]
        cut.append((left, right))
        mine = one.in_tau(which, count)
        turned.append((mine, mine if a == b else two.in_tau(which, count)))
    left, right = cut[0]
    scales = [scale_of(one, two, which) for which in (0, 1)]
    tried = kappas(bool(left[0].kink))
    # the variances at the upper ends (the first nodes) need the most
    ends = left[0], (right or left)[0]
    bits = one.starts[0].bits
    budget, ratio = scales[0] * error / 8, scales[0] / scales[1]

    @cache
    def sizes(i: int) -> tuple[int, ...]:
        return counts(*ends, parity, budget, ratio, bits, tried[i])

    begin = len(tried) // 2 if kappa is None else tried.index(kappa)
    order = downhill(len(tried), begin, lambda i: sum(sizes(i)))
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
    return _Whole(kept, tried[i], sizes(i), max(bits, one.starts[1].bits))
