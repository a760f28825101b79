"""What building a table would take, from a look at one variance: for choices and for messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ...errors import Undecided

if TYPE_CHECKING:
    from .spectra.spectrum import Shape

_ROW = 2.5e-7
_PRODUCT = 7e-9
_HIGH = 48
_NORM = 0.012
_START = 0.15
_PAIR = 0.2
_PAIR_EACH = 1e-4
"""Seconds for a coefficient of a pair of bands; with kinks so many times:"""
_KINKED = 4.0
_PANELS = 4.0
"""With kinks in a few bands there are so many times the pairs: those of panels."""
_FEW_BANDS = 4
_MIRRORED = 0.5
"""Of even and odd functions one part in rho is all there is."""
_MORE = 1.3
"""A band is given more coefficients than it needs alone, for its pairs with steeper ones."""
_FLAT = 0.85
"""Kinks need about as many in all bands."""
_DEAREST = 4
_SURE = 1.1
_HOPELESS = 2.0
"""As `_SURE`, of what is foreseen from the first coefficients alone."""


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
    from flint import arb

    from ...precision import precision
    from ..arith import ball
    from ..series.strip import decay
    from .bands.cross import divided
    from .build import BITS, span, vanishes
    from .draft import mirrored
    from .scale import ordinary
    from .spectra.source import FIRST, MOST, foreseen, predicted, shape, start
    from .spectra.spectrum import spectra
    from .variable import lebesgue
    from .variances import Axis

    low, high = span(variances)
    expr = ordinary(activation, (low, high), params)[0].expr
    weighted = vanishes(expr)
    with precision(BITS + 64):
        shapes = [shape(expr, slope, BITS) for slope in (False, True)]
        rate = decay(shapes[1].pieces, ball(Fraction(high)).sqrt(), arb(error))
        _refuse_hopeless(shapes[1], float(high), error, rate)
        ends = divided(shapes, low, high, error, weighted, dearest=True)
        axis = Axis.over(ends[-2], high)  # the largest variances are the dearest
        starts = [start(s, axis, error, weighted and not s.slope) for s in shapes]
        count = max(s.count for s in starts)
        slope = starts[1]
        goal = float((slope.least * error / 8 / lebesgue(count) ** 2).lower())
        terms, guess = FIRST, FIRST
        far = 0.0
        for _ in range(2):  # a second look where the first is far from the goal
            one = spectra(slope.shape, (Fraction(high),), terms, slope.bits, False)
            guess = predicted(one, terms, goal)
            far = foreseen(one, terms, goal, rate) if rate else 0.0
            if guess <= 2 * terms or far > _HOPELESS * MOST:
                break
            terms = min(_DEAREST * terms, guess, MOST)
        if guess > _SURE * MOST or far > _HOPELESS * MOST:
            left, kink = float(one[0].left), float(one[0].kink_left)
            rest = (left + 2 * (left * kink) ** 0.5) / float(slope.least)
            raise _too_many(max(guess, far), len(one[0].series), rest)
    bands, ratio, kinked = len(ends) - 1, ends[-1] / ends[-2], bool(slope.shape.kinks)
    parts = _MIRRORED if mirrored(expr) else 1.0
    seconds, each = 0.0, _PAIR_EACH * (_KINKED if kinked else 1.0)
    panels = _PANELS if kinked and 1 < bands <= _FEW_BANDS else 1.0
    for k in range(bands):
        # as many coefficients as the variance is large
        fewer = _FLAT if kinked else _MORE / ratio**k
        wanted = max(guess * (fewer if k else 1.0), FIRST / 2)
        nodes = 24 * wanted**0.5  # of the integrals
        seconds += nodes * wanted * (_ROW + max(count, _HIGH) * _PRODUCT)
        seconds += 2 * count * _NORM + _START
        if low < high:  # pairs with itself and with those that are steeper
            seconds += (k + 1) * (_PAIR * panels + each * wanted) * parts
    return Cost(count * bands, guess, seconds)


def _refuse_hopeless(shape: Shape, high: float, error: float, rate: float) -> None:
    """Nothing, where doubles do not foresee far too many coefficients of the derivative dual.

    What the two looks at balls would say of the largest variance, within milliseconds; the goal is
    that of one node, and is less with more of them.

    Raises:
        Undecided: they do.
    """
    from math import log

    from ..series.glance import glance
    from ..series.tail import foretold
    from .spectra.source import FIRST, MOST, extrapolated

    guess, terms, seen, far, rest = 0, FIRST, FIRST, 0.0, 0.0
    for _ in () if shape.kinks else range(2):
        found = glance(shape.pieces, high**0.5, terms)
        if found is None or not found[2] > (goal := found[0] * error / 8):
            return
        size, half, left = found
        rest, seen = left / size, terms
        guess = extrapolated(terms, half, left, goal, False)
        far = foretold(terms, log(half / left), log(left / goal), rate) if rate else 0.0
        if guess <= 2 * terms or far > _HOPELESS * MOST:
            break
        terms = min(_DEAREST * terms, guess)
    if guess > _SURE * MOST or far > _HOPELESS * MOST:
        raise _too_many(max(guess, far), seen, rest)


def _too_many(far: float, terms: int, rest: float) -> Undecided:
    """What to raise; `rest` is what so many coefficients leave of the dual, relative, about."""
    from ..series.tail import FAR

    many = f"about {far:.0f}" if far < FAR else "more than a million"
    left = f"about {rest:.1g}" if rest < 1 else "all"
    return Undecided(
        f"the derivative dual needs {many} Hermite coefficients",
        where=f"{terms} of them leave {left} of it at the largest variance",
        hint="smaller variances, or a larger error",
    )
