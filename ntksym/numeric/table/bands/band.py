"""One band while a table of a range is made, and how many coefficients its pairs need."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Any

from ..spectra.source import Start
from ..spectra.spectrum import Spectrum
from ..variable import lebesgue
from ..variances import Axis
from .sums import Turned

STEP = 16


@dataclass(slots=True)
class BandSpectra:
    """One band: its nodes, and for the dual and the derivative dual what is known of it.

    Attributes:
        axis: its variable.
        starts: scales and interpolation in the variance, of both duals.
        nodes: the variances that are enclosed.
        spectra: of both duals, at the nodes.
        terms: how many coefficients they have.
        curves: what is left of the Parseval sums after n coefficients, n = 0, 16, ...
        bottoms: lower bounds of both duals on the diagonal, once they are known.
        turned: the spectra in the variable of the variance, once they are: every pair needs them.
    """

    axis: Axis
    starts: tuple[Start, Start]
    nodes: tuple[Fraction, ...]
    spectra: list[list[Spectrum]]
    terms: int
    curves: list[list[tuple[float, float]]]
    bottoms: list[Any]
    turned: list[Turned | None]

    def in_tau(self, which: int, count: int) -> Turned:
        """The first coefficients of a dual in the variable of the variance."""
        from ....precision import precision

        found, bits = self.turned[which], self.starts[which].bits
        if found is None:
            with precision(bits + 64):
                found = self.turned[which] = Turned.of(self.spectra[which], bits)
        return found.first(count)


def joint_tail(one: tuple[float, float], two: tuple[float, float]) -> float:
    """What two bands leave of a dual, from what is left of their Parseval sums."""
    (g, p), (h, r) = one, two
    return sqrt(g * h) + sqrt(p * h) + sqrt(g * r)


def goal_of(one: BandSpectra, two: BandSpectra, which: int, error: float) -> float:
    """What the tail of a pair may be."""
    size = sqrt(float(one.starts[which].least) * float(two.starts[which].least))
    return error * size / (8 * float(lebesgue(len(one.nodes)) * lebesgue(len(two.nodes))))


def scale_of(one: BandSpectra, two: BandSpectra, which: int) -> float:
    """The size that errors of a pair are relative to, about."""
    return sqrt(float(one.starts[which].least) * float(two.starts[which].least))


def count_of(one: BandSpectra, two: BandSpectra, which: int, error: float) -> int:
    """The fewest coefficients whose tail is below the goal."""
    goal = goal_of(one, two, which, error)
    both = list(zip(one.curves[which], two.curves[which], strict=False))
    last = min(len(s.series) for s in (one.spectra[which][0], two.spectra[which][0]))
    for n, (mine, its) in enumerate(both):
        if n and joint_tail(mine, its) < 0.99 * goal:
            return min(n * STEP, last)
    return last
