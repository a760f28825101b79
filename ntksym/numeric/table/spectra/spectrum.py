r"""An activation at one variance: a kink part in closed form, and a Hermite series that converges.

$f_q(z) = s(\sqrt q z) = p_q(z) + g_q(z)$ with $p_q = \sum_j D_j z_+^j$ the jumps of the derivatives
at 0 (or at other places).  Then
$\langle f_1, M_\rho f_2\rangle = \sum D_jD_k J_{jk}(\rho) + \sum_{n<N} c_n\rho^n$ up to
$\sqrt{P_1G_2}+\sqrt{G_1P_2}+\sqrt{G_1G_2}$, where P and G are what is left of Parseval's sums
(`derivations/identities/table_bound.md`, section 2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

from sympy import Expr

from ....errors import Undecided
from ....symbols import x
from ...patience import check
from . import joint
from .elsewhere import PLACE_BITS, displaced, exact_places, power_norm
from .kinks import ORDER, hermite_values, power_coefficients, taylor
from .less import place_of, powers_growth, smooth
from .norms import second_moment, second_moments

_COARSER = 24
"""Bits less for the norm of what has no kinks: what is left of it is far more than that."""
_FINER = 40
"""Bits more for the norm of what truncated powers leave: all of it but the tail cancels."""

_TINY = 1e-150
"""More than underflow takes from a number or from its square."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The function to be tabulated: s, or its derivative almost everywhere.

    Attributes:
        expr: s in the symbol x.
        slope: whether s' is meant.
        pieces: its smooth pieces.
        kinks: `(place, Taylor coefficients of the jump there)`, dyadic.
    """

    expr: Expr
    slope: bool
    pieces: tuple[Any, ...]
    kinks: tuple[tuple[Expr, tuple[Fraction, ...]], ...]


@dataclass(frozen=True)
class Spectrum:
    """A shape at one variance: everything a pair of variances needs, as balls.

    Attributes:
        kink: the coefficients D_j, for every kink.
        places: where the kinks are, over sqrt(q).
        kink_series: Hermite coefficients of the kink part, empty where there is none.
        series: Hermite coefficients of the rest.
        kink_left: a bound of what is left of Parseval's sum of the kink part.
        left: the same of the rest.
    """

    kink: tuple[tuple[Any, ...], ...]
    places: tuple[Any, ...]
    kink_series: tuple[Any, ...]
    series: tuple[Any, ...]
    kink_left: Any
    left: Any

    @property
    def order(self) -> int:
        """The highest power in the kink part."""
        return len(self.kink[0]) - 1 if self.kink else 0

    @cached_property
    def sizes(self) -> tuple[Any, Any]:
        """Upper bounds of |a_n| in doubles, of the rest and of the kink part."""
        return _bounds(self.series), _bounds(self.kink_series)

    def first(self, count: int) -> Spectrum:
        """The same with fewer coefficients: what is cut off is left of Parseval's sums."""
        rest, kink = (float(v[count:] @ v[count:]) * (1 + 1e-9) for v in self.sizes)
        short = replace(
            self,
            kink_series=self.kink_series[:count],
            series=self.series[:count],
            kink_left=(self.kink_left + kink).upper(),
            left=(self.left + rest).upper(),
        )
        short.__dict__["sizes"] = tuple(v[:count] for v in self.sizes)  # bounded once
        return short


def _bounds(values: tuple[Any, ...]) -> Any:
    import numpy as np

    found = [float(abs(a).upper()) for a in values]
    return np.array(found, dtype=float) * (1 + 2.0**-50) + _TINY


def shape_of(expr: Expr, *, slope: bool, bits: int) -> Shape:
    """The pieces and the jumps at the kinks.

    Raises:
        Undecided: a piece that is not analytic about its kink.
    """
    from flint import arb

    from ....dyadic import fraction
    from ....precision import precision
    from ....verify.definition import factor
    from ....verify.evaluate import function
    from ....verify.functions.pieces import number

    with precision(2 * bits):
        whole = factor(expr, derivative=False, distributional=False).pieces
        pieces = factor(expr, derivative=slope, distributional=False).pieces
        kinks = []
        for left, right in pairwise(whole):
            place = arb(0) if left.hi == 0 else number(left.hi)
            sides = [taylor(function(p.expr, x), place, ORDER + 1) for p in (left, right)]
            if sides[0] is None or sides[1] is None:
                raise Undecided(f"a piece is not analytic about the kink at {left.hi}")
            jumps = []
            for j, (low, high) in enumerate(zip(*sides, strict=True)):
                value = fraction((high - low) * (j if slope else 1))
                jumps.append(value if abs(value) > Fraction(1, 1 << bits) else Fraction(0))
            kept = tuple(jumps[1:]) if slope else tuple(jumps[:-1])
            if any(kept):
                kinks.append((left.hi, kept))
        top = max((j for _, kept in kinks for j, d in enumerate(kept) if d), default=0)
        return Shape(expr, slope, pieces, tuple((b, kept[: top + 1]) for b, kept in kinks))


def spectra(
    shape: Shape, variances: tuple[Fraction, ...], count: int, bits: int, weighted: bool
) -> list[Spectrum]:
    """The spectra at the variances with `count` coefficients; over sqrt(q) where `weighted`.

    Raises:
        Undecided: no enclosure of the coefficients or of the norm.
        NotSquareIntegrable: E[s(u)^2] is infinite at a variance.
    """
    from ....precision import precision
    from ...arith import ball

    with precision(bits + 64):
        values = coefficient_rows(shape, variances, count, bits)
        parts = [_without(shape, q, row, bits) for q, row in zip(variances, values, strict=True)]
        norms = _norms(shape, variances, values, parts, bits)
        out = []
        for q, part, norm in zip(variances, parts, norms, strict=True):
            found = _spectrum(part, norm)
            out.append(_scaled(found, ball(q).sqrt()) if weighted else found)
        return out


@dataclass(frozen=True, slots=True)
class _Parts:
    """The coefficients of a shape at one variance: of its kinks, and of the rest.

    Attributes:
        kink, places, part, rest: as in a `Spectrum`.
        off: how far the kinks at `places` are from those of the shape, in norm.
    """

    kink: tuple[tuple[Any, ...], ...]
    places: tuple[Any, ...]
    part: tuple[Any, ...]
    rest: tuple[Any, ...]
    off: Any


def _without(shape: Shape, q: Fraction, values: tuple[Any, ...], bits: int) -> _Parts:
    """The coefficients with those of the kinks taken away."""
    from flint import arb, arb_mat

    from ....precision import precision
    from ...arith import ball

    check()
    if not shape.kinks:
        return _Parts((), (), (), values, arb(0))
    count, dev = len(values), ball(q).sqrt()
    kink: list[tuple[Any, ...]] = []
    part, off = list[Any](), arb(0)
    with precision(PLACE_BITS):
        wide = ball(q).sqrt()
        places, moved = exact_places([place_of(place) / wide for place, _ in shape.kinks])
    for (place, jumps), where, by in zip(shape.kinks, places, moved, strict=True):
        scaled = [ball(d) * dev**j for j, d in enumerate(jumps)]
        off += displaced(scaled, where, by)
        at = None if place == 0 else where
        table = power_coefficients(at, len(jumps) - 1, count, bits + 64)
        more = (arb_mat([scaled]) * table).tolist()[0]
        part = [p + a for p, a in zip(part, more, strict=True)] if kink else more
        kink.append(tuple(scaled))
    rest = tuple(a - b for a, b in zip(values, part, strict=True))
    return _Parts(tuple(kink), places, tuple(part), rest, off)


def _norms(
    shape: Shape,
    variances: tuple[Fraction, ...],
    values: list[tuple[Any, ...]],
    parts: list[_Parts],
    bits: int,
) -> list[Any]:
    """The second moments of what has no kinks, at every variance."""
    from flint import arb

    abouts = [_squares(p.rest) for p in parts]
    if not shape.kinks:
        finer, pieces, grown = bits - _COARSER, shape.pieces, None
        if _in_strip(shape, variances, len(values[0]), bits):
            return second_moments(pieces, variances, finer, abouts)
    else:
        finer, pieces, grown = bits + _FINER, smooth(shape), (shape.pieces, powers_growth(shape))
        # where variances are small next to nothing is left, far less than its bound needs to tell
        least = [_squares(row) * arb((1, -_FINER)) for row in values]
        abouts = [a.max(b) for a, b in zip(abouts, least, strict=True)]
    found = []
    for q, part, about in zip(variances, parts, abouts, strict=True):
        norm = second_moment(pieces, q, finer, about, grown)
        # the kinks taken out are at `places`
        found.append(norm if part.off == 0 else _norm_off(norm, part.off))
    return found


def _in_strip(shape: Shape, variances: tuple[Fraction, ...], count: int, bits: int) -> bool:
    """Whether s has equal steps: s' is analytic where s is, and so are their squares."""
    from ....verify.definition import factor

    whole = factor(shape.expr, derivative=False, distributional=False).pieces
    return joint.equal(whole, variances, count + 1, bits)


def _spectrum(p: _Parts, norm: Any) -> Spectrum:
    from flint import arb

    lost = _left(power_norm(list(p.kink), p.places), p.part) if p.kink else arb(0)
    return Spectrum(p.kink, p.places, p.part, p.rest, lost, _left(norm, p.rest))


def _norm_off(square: Any, off: Any) -> Any:
    """A ball of the squared norm of what is at most `off` away in norm."""
    root = square.max(square * 0).sqrt()
    low = (root - off).max(square * 0)
    return (low * low).union((root + off) * (root + off))


def _scaled(s: Spectrum, dev: Any) -> Spectrum:
    square = dev * dev
    return Spectrum(
        tuple(tuple(d / dev for d in jumps) for jumps in s.kink),
        s.places,
        tuple(a / dev for a in s.kink_series),
        tuple(a / dev for a in s.series),
        (s.kink_left / square).upper(),
        (s.left / square).upper(),
    )


def _squares(values: tuple[Any, ...]) -> Any:
    """About the second moment; only the accuracy asked for depends on it."""
    from flint import arb

    return sum((a * a for a in values), arb(0)).upper()


def coefficient_rows(
    shape: Shape, variances: tuple[Fraction, ...], count: int, bits: int
) -> list[tuple[Any, ...]]:
    """The coefficients n < count at every variance, from those of s itself."""
    from flint import arb

    from ...arith import ball

    rows = _rows_of(shape, variances, count, bits)
    if not shape.slope:
        return [row[:count] for row in rows]
    out = []
    for q, found in zip(variances, rows, strict=True):
        dev = ball(q).sqrt()
        values = [arb(n + 1).sqrt() * found[n + 1] / dev for n in range(count)]
        for place, height in _steps(shape):  # the jumps of s are Dirac terms, which are left out
            where = place_of(place) / dev
            weight = height * (-where * where / 2).exp() / (2 * arb.pi()).sqrt() / dev
            known = hermite_values(where, count)
            values = [a - weight * h for a, h in zip(values, known, strict=True)]
        out.append(tuple(values))
    return out


def _rows_of(
    shape: Shape, variances: tuple[Fraction, ...], count: int, bits: int
) -> tuple[tuple[Any, ...], ...]:
    """At least `count` coefficients of s, one more for the slope."""
    from ....verify.definition import factor
    from ....verify.functions.logform import logarithm
    from ....verify.functions.radial import half_lines
    from ...series.enclosed import coefficients

    whole = factor(shape.expr, derivative=False, distributional=False).pieces
    if half_lines(whole) is not None or logarithm(whole) is not None:  # closed forms
        return tuple(coefficients(shape.expr, q, count + 1, bits=bits).values for q in variances)
    made = joint.coefficients if joint.applies(whole) else joint.apart
    return made(whole, variances, count + 1, bits)


def _steps(shape: Shape) -> list[tuple[Expr, Any]]:
    from ....verify.evaluate import real_ball
    from ....verify.functions.pieces import jumps, split
    from ....verify.surd import Surd

    found = jumps(split(shape.expr))
    return [
        (place, real_ball(height))
        for place, height in found
        if not (isinstance(height, Surd) and height.sign == 0)
    ]


def _left(total: Any, values: tuple[Any, ...]) -> Any:
    """An upper bound of what is left of Parseval's sum.

    Raises:
        Undecided: surely negative: norm and coefficients contradict each other.
    """
    from flint import arb

    left = total
    for a in values:
        left = left - a * a
    if not left.is_finite():
        raise Undecided("Parseval's sum has no finite enclosure: a jump at a kink is not known")
    if not left.upper() >= 0:
        raise Undecided(f"Parseval's sum exceeds the second moment by {-left}")
    return left.upper().max(arb(0))


def pair_tail(one: Spectrum, two: Spectrum) -> Any:
    """A bound of the terms of the series beyond, for all rho in [-1, 1]."""
    cross = (one.kink_left * two.left).sqrt() + (one.left * two.kink_left).sqrt()
    return ((one.left * two.left).sqrt() + cross).upper()
