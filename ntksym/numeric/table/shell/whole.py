r"""One shell of a range before it is cut into panels: series of both duals, and lower bounds.

`Whole` is what a shell is made of, whether one polynomial serves both duals (`shared`) or each has
its own (`own`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

from ....errors import Undecided
from ..bands.band import BandSpectra
from ..bands.panels import Ends, chopped, ends, narrowed, places_of
from ..bands.panels import part as panel
from ..bands.sheets import Frame, Part
from ..bands.sums import Turned
from ..contour import Plan
from ..fold import Folded, fold
from ..pack import least
from ..spectra.source import Start
from ..split.build import Prepared
from ..split.sheet import diagonal_of
from ..variances import Axis
from .variable import Shell, spread

_NOTHING = 2e-6
_WHOLE: Ends = ends(1)[0]


@dataclass(frozen=True, slots=True)
class Weighted:
    r"""A shell, and $\lambda$ of the series: $1 - a^2 \le \lambda^2$."""

    shell: Shell
    edge_rho: float

    def ratio(self, x: Any) -> Any:
        """See `fold.Away`."""
        from flint import arb

        return self.shell.square(x) / (arb(self.edge_rho) * self.edge_rho)

    def spread(self, radius: str) -> Any:
        """See `fold.Away`."""
        from flint import arb

        found = spread(radius, self.shell)
        return None if found is None else found / (arb(self.edge_rho) * self.edge_rho)


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the range.

    Attributes:
        ends: where it is.
        band: its spectra, with lower bounds of both duals.
    """

    ends: Ends
    band: BandSpectra


@dataclass(frozen=True, slots=True)
class Whole:
    """Both duals of a shell over a range.

    Attributes:
        found: their series.
        lows: their diagonals, and what interpolation adds to those.
        band: the range.
        shell: where they are.
        parity: of the activation.
        error: to be proven.
        bits: of the coefficients.
    """

    found: tuple[Folded, Folded]
    lows: tuple[tuple[list[list[Any]], Any], ...]
    band: BandSpectra
    shell: Shell
    parity: int
    error: float
    bits: int

    @property
    def places(self) -> int:
        """About how many coefficients an entry needs where the range is one panel."""
        return places_of(self.found[1], self.band, self.error)

    def panels(self, many: int) -> list[Panel]:
        """The range in so many panels."""
        out = []
        for own in ends(many):
            band = panel(self.band, own)
            band.bottoms = [_bottom(series, moment, own, self.bits) for series, moment in self.lows]
            out.append(Panel(own, band))
        return out

    def frame(self, one: Panel, two: Panel, which: int) -> tuple[Frame, Folded]:
        """The dual or the derivative dual of two panels: its bound, and its series.

        Raises:
            Undecided: the bound is larger than the dual itself.
        """
        found = narrowed(self.found[which], one.ends, two.ends, self.bits)
        between = self.band.starts[which].between
        low = [p.band.bottoms[which] for p in (one, two)]
        if not (low[0] > 0 and low[1] > 0):
            raise Undecided("the bound is larger than the dual itself", hint="a narrower range")
        own = Part(found.tail, found.aliasing + found.omitted, [], None)
        bottom = (low[0] * low[1]).sqrt().lower()
        half = min(_steady(p.band.axis) for p in (one, two))
        sign = self.parity * (1 - 2 * which)
        return Frame(own, between, bottom, half, None, not which, sign, self.error), found


def whole(
    given: Prepared,
    plans: tuple[Plan, Plan],
    band: BandSpectra,
    away: Weighted,
    how: tuple[int, float, int, bool],
) -> Whole:
    """Both duals of a shell; `how`: parity, error, bits, and whether one is made from the other.

    Raises:
        Undecided: no series with the error, or a diagonal that is not above 0.
    """
    parity, error, bits, shared = how
    found, lows, grow = [], [], float(away.shell.grow)
    for which in (0, 1):
        scale = float(band.starts[which].least) * error
        turned = band.in_tau(which, given.terms)
        sign = parity * (1 - 2 * which)
        series = _folded(band, which, sign, away, scale / 50, turned, bits)
        weight = (lambda k: grow * k * k) if shared and not which else None
        found.append(chopped(series, scale * _NOTHING, weight))
        moment = plans[which].moment
        diagonal = diagonal_of(given.shapes[which], band.nodes, moment, not which).series
        lows.append((diagonal, moment))
    both = found[0], found[1]
    return Whole(both, tuple(lows), band, away.shell, parity, error, bits)


def range_of(
    given: Prepared, plans: tuple[Plan, Plan], sources: list[Any], nodes: Any, bits: int
) -> BandSpectra:
    """The range as one band."""
    starts = [
        Start(shape, not shape.slope, given.count, s.between, s.least, bits, p.gap, p.size)
        for shape, s, p in zip(given.shapes, sources, plans, strict=True)
    ]
    spectra = [list(s.spectra) for s in sources]
    both = starts[0], starts[1]
    return BandSpectra(
        given.axis, both, nodes, spectra, given.terms, [], [None, None], [None, None]
    )


def _folded(
    band: BandSpectra,
    which: int,
    parity: int,
    away: Weighted,
    goal: float,
    turned: Turned,
    bits: int,
) -> Folded:
    r"""Both parts; the odd one is a factor of rho, not of $\rho/\lambda$."""
    from flint import arb

    kappa = away.shell.kappa
    found = fold(band.spectra[which], None, parity, kappa, goal, bits, (turned, turned), away)
    scale = 1 / arb(away.edge_rho)
    parts = tuple(
        (odd, [[[c * scale for c in line] for line in plane] for plane in t] if odd else t)
        for odd, t in found.parts
    )
    return replace(found, parts=parts)


def _bottom(series: list[list[Any]], moment: Any, own: Ends, bits: int) -> Any:
    """A lower bound of the dual on the diagonal, on a panel."""
    from flint import arb

    line = Folded(((0, [[list(c) for c in series]]),), arb(0), arb(0), arb(0))
    return (least(narrowed(line, _WHOLE, own, bits).parts[0][1]) - moment).lower()


def _steady(axis: Axis) -> float:
    r"""The half width for `pack.off_tau`, which takes $(\sqrt q+c)/(\sqrt q+\mathrm{pole}) \le 2$.

    That falls or rises throughout: its largest value is at an end.
    """
    pole = axis.centre if axis.pole is None else axis.pole
    ratio = max((sqrt(q) + axis.centre) / (sqrt(q) + pole) for q in (axis.low, axis.high))
    return 2 * axis.half / ratio * (1 - 1e-9)
