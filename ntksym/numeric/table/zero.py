r"""Rows of zeros beside a table: $K(0, q) = s(0)\,E[s(\sqrt q z)]$, and the derivative dual alike.

Polynomials of $\tau$ on bands of the range, from enclosures at Chebyshev points.  An activation
that is interpolated in the variance with an error $\varepsilon$ in $L^2$ has its mean with at most
$\varepsilon$ (`derivations/identities/table_bound.md`, section 12).  Where 0 is a kink, $s'(0)$ is
the mean of its two sides, as the closed forms have it: $E[s'(0\cdot)]$ for either sign alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log
from typing import Any

from sympy import Expr

from ...errors import Undecided
from ...symbols import x
from ..arith import rounded_up
from .variances import Axis

_RATIO = 6.0
"""A band ends at most so many times its least variance."""
_BITS = 192
_UNIT = 2.0**-53
_RHO = 0.25
"""Where kinks are away from 0: the mean is the first coefficient that `contour.plan` is for."""


@dataclass(frozen=True, slots=True)
class MeanBand:
    """The means of s and s' for variances up to `high`, as polynomials of tau by powers.

    Attributes:
        high: the largest variance of the band.
        centre: c of tau.
        half: tau_0; 0 for one variance, where tau is 0.
        value: coefficients for E[s].
        slope: those for E[s'].
    """

    high: float
    centre: float
    half: float
    value: tuple[float, ...]
    slope: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ZeroRow:
    """What a row of zeros has with every other row.

    Attributes:
        low: the least variance of the others.
        high: the largest.
        value: s(0).
        slope: s'(0), or the mean of its sides.
        bands: from the least variances to the largest.
        error: a bound of the error of K(0, q), rounding included; absolute.
        slope_error: the same for the derivative dual.
    """

    low: float
    high: float
    value: float
    slope: float
    bands: tuple[MeanBand, ...]
    error: float
    slope_error: float

    def at(self, q: float) -> tuple[float, float]:
        """`(K(0, q), Kdot(0, q))` in doubles; q = 0 is allowed; NaN outside the range."""
        from math import nan, sqrt

        from .dual import SLACK

        if q == 0:
            return self.value * self.value, self.slope * self.slope
        if not self.low * (1 - SLACK) <= q <= self.high * (1 + SLACK):
            return nan, nan
        band = self.bands[sum(q > b.high for b in self.bands[:-1])]
        dev, tau = sqrt(q), 0.0
        if band.half:
            tau = (dev - band.centre) / ((dev + band.centre) * band.half)
        out = []
        for row in (band.value, band.slope):
            total = row[-1]
            for c in row[-2::-1]:
                total = total * tau + c
            out.append(total)
        return self.value * out[0], self.slope * out[1]


def zero_row(expr: Expr, low: float, high: float, error: float) -> ZeroRow:
    """The means over a range of variances, with about the error asked for, relative to the size.

    Raises:
        Undecided: s or s' has no finite value at 0, or no interpolation in the variance.
    """
    from ...precision import precision
    from .scale import ordinary, times
    from .split.build import plain_shape

    given, power = ordinary(expr, (low, high))
    with precision(_BITS):
        shapes = [plain_shape(given.expr, slope) for slope in (False, True)]
        ends = [_at_zero(s) for s in shapes]
        count = max(1, ceil(log(high / low) / log(_RATIO)))
        cuts = [low * (high / low) ** (i / count) for i in range(count)] + [high]
        bands, errors = [], [0.0, 0.0]
        for i in range(count):
            axis = Axis.over(cuts[i], cuts[i + 1])
            rows: tuple[tuple[float, ...], ...] = ()
            for k, shape in enumerate(shapes):
                row, lost = _means(shape, axis, error, float(ends[k].mid()) == 0.0)
                rows += (row,)
                size = abs(ends[k]).upper()
                most = sum(map(abs, row)) * (1 + 1e-12)
                whole = size * lost + most * (ends[k].rad() + 4 * _UNIT * size)
                errors[k] = max(errors[k], rounded_up(whole))
            bands.append(MeanBand(cuts[i + 1], axis.centre, axis.half, *times(rows, power)))
        value, slope = times(tuple(float(end.mid()) for end in ends), power)
        bounds = times(tuple(errors), 2 * power)
        return ZeroRow(low, high, value, slope, tuple(bands), *bounds)


def _at_zero(shape: Any) -> Any:
    """The value at 0, or the mean of those on its two sides (`arb`).

    Raises:
        Undecided: not finite.
    """
    from flint import acb, arb

    from ...verify.evaluate import function

    near = [
        p
        for p in shape.pieces
        if not (p.lo is not None and p.lo.is_positive)
        and not (p.hi is not None and p.hi.is_negative)
    ]
    sides = [near[0], near[-1]]
    if not shape.slope and len(near) > 1:  # at a jump the value of s itself
        from ...verify.evaluate import constant, real_ball
        from ...verify.surd import ZERO

        found = real_ball(constant(shape.expr, {x: ZERO}))
        if found.is_finite():
            return found
    total = sum((function(p.expr, x)(acb(0), False).real for p in sides), arb(0)) / 2
    if not total.is_finite():
        what = "derivative at 0" if shape.slope else "value at 0"
        raise Undecided(f"{shape.expr}: no finite {what}", hint="leave rows of zeros out")
    return total


def _means(shape: Any, axis: Axis, error: float, nothing: bool) -> tuple[tuple[float, ...], Any]:
    """E[s(sqrt(q) z)] on one band: coefficients of powers, and a bound of their error (`arb`)."""
    from flint import arb, arb_mat

    from ...verify.rules.oned import single
    from .pack import monomials
    from .spectra.norms import second_moment
    from .variable import transform

    if nothing:
        return (0.0,), arb(0)
    size = min(second_moment(shape.pieces, Fraction(q), 48).lower() for q in (axis.low, axis.high))
    goal = (arb(error) * size.max(arb(0)).sqrt() / 8).max(arb(2) ** -60).lower()
    count, gap = _count(shape, axis, goal)
    variances = axis.variances(count, _BITS) if axis.half else [Fraction(axis.low)]
    tol = goal / 64
    values = [single(shape.pieces, _exact(0), _exact(q), tol) for q in variances]
    if axis.half:
        turned = transform(count, _BITS) * arb_mat([[v] for v in values])
        coefficients = [turned[k, 0] for k in range(count)]
    else:
        coefficients = values
    kept = len(coefficients)
    while kept > 1 and abs(coefficients[kept - 1]) < goal / 64:
        kept -= 1
    lost = sum((abs(c).upper() for c in coefficients[kept:]), arb(0))
    lost += sum((arb(c.rad()) for c in coefficients[:kept]), arb(0))
    exact = monomials([c.mid() for c in coefficients[:kept]])
    row = tuple(float(c.mid()) for c in exact)
    lost += sum((abs(c - d).upper() for c, d in zip(exact, row, strict=True)), arb(0))
    # Horner's rule, and tau off by 8 units
    rounding = sum(((2 * kept + 2 + 8 * k) * abs(c) for k, c in enumerate(row)), 0.0) * _UNIT
    return row, (lost + rounding * 1.01 + gap).upper()


def _count(shape: Any, axis: Axis, goal: Any) -> tuple[int, Any]:
    """How many variances are interpolated, and the error of that."""
    from flint import arb

    from .contour import plan
    from .variances import interpolation

    if not axis.half:
        return 1, arb(0)
    if all(piece.hi == 0 for piece in shape.pieces[:-1]):
        count, gap, _ = interpolation(shape, axis, goal, False)
        return count, gap
    found = plan(shape, axis, goal, _RHO)
    return found.count, found.gap


def _exact(q: Any) -> Any:
    from flint import fmpq

    return fmpq(int(q.numerator), int(q.denominator))
