"""What building a table would take, from a look at one variance: for choices and for messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ...errors import Undecided

_ROW = 1.2e-6
_PRODUCT = 1.3e-7
_NORM = 0.012
_START = 1.0
_DEAREST = 4
_SURE = 1.1


@dataclass(frozen=True, slots=True)
class Cost:
    """A guess of the work.

    Attributes:
        variances: at how many the dual will be enclosed.
        coefficients: about how many Hermite coefficients of each are needed.
        seconds: of one core, within a factor of about three.
    """

    variances: int
    coefficients: int
    seconds: float


def table_cost(
    activation: Any,
    variances: Any,
    *,
    error: float,
    params: Mapping[Any, Any] | None = None,
) -> Cost:
    """About what `table_dual` with the same arguments takes; well below a second itself.

    Raises: as `table_dual`, where that is seen without building it.
    """
    from ...language import as_activation
    from ...verify.balls import with_values
    from ..arith import working
    from .build import BITS, span, vanishes
    from .source import FIRST, MOST, predicted, shape, start
    from .spectrum import spectra
    from .variable import lebesgue
    from .variances import Axis

    low, high = span(variances)
    expr = with_values(as_activation(activation), params or {})
    axis = Axis.over(low, high)
    weighted = vanishes(expr)
    with working(BITS + 64):
        starts = [
            start(shape(expr, slope, BITS), axis, error, weighted and not slope)
            for slope in (False, True)
        ]
        count = max(s.count for s in starts)
        slope = starts[1]
        goal = float((slope.least * error / 8 / lebesgue(count) ** 2).lower())
        terms, guess = FIRST, FIRST
        for _ in range(2):  # a second look where the first is far from the goal
            one = spectra(slope.shape, (Fraction(high),), terms, slope.bits, False)
            guess = predicted(one, terms, goal)
            if guess <= 2 * terms:
                break
            terms = min(_DEAREST * terms, guess, MOST)
        if guess > _SURE * MOST:
            raise Undecided(
                f"the {slope.what} needs about {guess} Hermite coefficients",
                hint="smaller variances, or a larger error",
            )
    nodes = 24 * guess**0.5  # of the integrals
    seconds = nodes * guess * (_ROW + count * _PRODUCT) + 2 * count * _NORM + _START
    return Cost(count, guess, seconds)
