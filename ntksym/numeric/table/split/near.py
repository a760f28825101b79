"""How a `KinkTable` is made: what is left after truncated powers are taken out, and its bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import inf, sqrt
from typing import Any

from sympy import Expr, Integer, Rational, exp

from ....errors import Undecided
from ....symbols import x
from ...patience import check
from ..bands.panels import nearer
from ..chebyshev import ChebyshevTable
from ..contour import Plan, cut_length, line_of, on_the_range, plan_line
from ..dual import Sheet
from ..fit import Fit
from ..spectra.norms import second_moment
from ..spectra.spectrum import Shape, coefficient_rows
from ..variable import lebesgue
from ..variances import Axis
from .build import plain_shape, start_of
from .closed import Closed, measured
from .fit import bilinear_fits
from .powers import Powers, hermite_rows, hump, parts, powers_of
from .rest import End, Rest
from .sheet import Lost, diagonal_of, sheet_of

_FINE = 140
"""Bits at the largest variance: what is left of Parseval's sum is a small difference."""
_BITS = 72
_KINK_BITS = 400
_LOOKED = (400, 1200, 2800, 4400, 7000, 11000)
"""Numbers of Hermite coefficients that are looked at."""
MOST_NODES = 160
"""Variances that are taken."""
_KAPPA = 1.0
_SPARE = 2.0**-30
_CHOICES = (
    (10, 2.0),
    (12, 3.0),
    (14, 1.0),
    (14, 2.0),
    (14, 4.0),
    (14, 8.0),
    (17, 5.0),
    (20, 6.0),
    (17, 8.0),
    (20, 10.0),
    (20, 13.0),
)
"""Orders and cutoffs that are tried."""
_PARTS = 120
_CLOSE, _CLOSER = 1600, 170
"""So many coefficients, the large ones, to so many bits where many are looked at: the radii of
Parseval's sum are those of the coefficients times their sizes."""
_ROUNDED = 2.5e-13
"""Of the square of the norm of what is taken out, in doubles: what rounding does, about."""


def look(shapes: tuple[Shape, Shape], starts: Any, low: float, high: float, error: float) -> Rest:
    r"""The truncated powers with which few Hermite coefficients do, of low order if they can be.

    The energy beyond n of $s(\sqrt qz)$ is at most $\sqrt{high/q}$ times that of the largest
    variance: a dilation takes polynomials to polynomials of the same degree
    (`derivations/identities/table_bound.md`, section 10).

    Raises:
        Undecided: too many would be needed.
    """
    from ....precision import precision

    with precision(_KINK_BITS):
        line = line_of(shapes[0])
        choices = []
        for order, alpha in _CHOICES:
            try:
                choices.append(powers_of(line, order, alpha))
            except Undecided as reason:
                failed = reason
        if not choices:
            raise failed
    top = (Fraction(high),)
    grow = sqrt(high / low) * (1 + 1e-12)
    seen = inf
    close: list[list[Any]] = []
    for count in _LOOKED:
        check()
        full = _at_top(shapes, top, count, _FINE)
        if count > _CLOSE:
            close = close or _at_top(shapes, top, _CLOSE, _CLOSER)
            full = [c + row[_CLOSE:] for c, row in zip(close, full, strict=True)]
        best: tuple[int, Powers, float] | None = None
        for powers in choices:
            need, size = 0, 1.0
            for slope, row in enumerate(full):
                taken = hermite_rows(powers, bool(slope), top, count, _FINE)[0]
                goal = float(starts[slope][0]) * error
                norm = sqrt(sum(float(c.mid()) ** 2 for c in taken))
                size = max(size, 4 * norm)
                need = max(need, _needed(row, taken, goal / 8, grow))
                if _ending(row, taken) * grow**0.5 > goal / (_PARTS * size):
                    need = count
                if norm**2 * _ROUNDED > goal * 0.6:
                    need = count
            # code pays for the square of the order, its building for the coefficients
            price = need * (powers.order + 1)
            if need < 0.97 * count and (best is None or price < best[0] * (best[1].order + 1)):
                best = need, powers, size
        if best is not None:
            # dilation carries what is beyond all coefficients to the other variances
            parts = _PARTS * best[2] * grow**0.5
            goals = [float(start[0]) * error / parts for start in starts]
            ends = [
                _tail(shape, best[1], row, best[0], high, goal / 16)
                for shape, row, goal in zip(shapes, full, goals, strict=True)
            ]
            if all(end.beyond < goal for end, goal in zip(ends, goals, strict=True)):
                return Rest(best[1], best[0], high, (ends[0], ends[1]))
        seen = count
    raise Undecided(
        f"{seen} Hermite coefficients are not enough where the kinks are taken out",
        hint="smaller variances, or a larger error",
    )


def _at_top(
    shapes: tuple[Shape, Shape], top: tuple[Fraction], count: int, bits: int
) -> list[list[Any]]:
    """So many coefficients of both functions at the largest variance."""
    from ....precision import precision

    with precision(bits + 64):
        return [list(coefficient_rows(s, top, count, bits)[0]) for s in shapes]


def _needed(row: Any, taken: Any, goal: float, grow: float) -> int:
    """About how many coefficients leave less than `goal`."""
    own, other = 0.0, 0.0
    for n in reversed(range(len(row))):
        own += float(abs(row[n] - taken[n]).mid()) ** 2
        other += float(abs(taken[n]).mid()) ** 2
        if grow * (own + 2 * sqrt(own * 4 * other)) > goal:
            return max(n + 1, 64)
    return 64


def _ending(row: Any, taken: Any) -> float:
    """About the norm of the rest beyond all its coefficients."""
    last = len(row) // 20
    energy = sum(float((a - p).mid()) ** 2 for a, p in zip(row[-last:], taken[-last:], strict=True))
    return sqrt(1.5 * energy)


def _tail(shape: Shape, powers: Powers, row: Any, count: int, high: float, little: float) -> End:
    """What is known of the rest, with `count` terms kept.

    Coefficients beyond those whose norm is at most `little` are left out.

    Raises:
        Undecided: no enclosure of the second moments.
    """
    from flint import arb

    from ....precision import precision

    slope = shape.slope
    taken = hermite_rows(powers, slope, (Fraction(high),), len(row), _FINE)[0]
    with precision(_FINE + 64):
        out, lost = [], []
        total: Expr = Integer(0)
        alpha = Rational(*float(powers.alpha).as_integer_ratio())
        numbers = powers.numbers(slope)
        from ....verify.functions.pieces import Piece

        for i, piece in enumerate(shape.pieces):
            if i:
                poly: Expr = Integer(0)
                for c in reversed(numbers[i - 1]):
                    poly = poly * (x - piece.lo) + Rational(*c.as_integer_ratio())
                total = total + poly * exp(-alpha * (x - piece.lo) ** 2 / 2)
            out.append(Piece(piece.lo, piece.hi, piece.expr - total))
            lost.append(Piece(piece.lo, piece.hi, total))
        # growth is that of s: the formula of what is left takes minutes to bound
        most, nothing = _largest(powers, slope), tuple(Piece(p.lo, p.hi, Integer(0)) for p in lost)
        rest = second_moment(tuple(out), Fraction(high), _FINE, grown=(shape.pieces, (most, 0)))
        whole = second_moment(tuple(lost), Fraction(high), _FINE, grown=(nothing, (most, 0)))
        series = [a - p for a, p in zip(row, taken, strict=True)]
        for n, (a, p) in enumerate(zip(series, taken, strict=True)):
            rest = rest - a * a
            if n < count:
                whole = whole - p * p
        if not (rest.upper() >= 0 and whole.upper() >= 0):
            raise Undecided("Parseval's sum exceeds the second moment")
        left = (rest + sum((a * a for a in series[count:]), arb(0))).upper()
        last, gone = len(series), rest.upper().max(arb(0))
        while last > count and (more := (gone + series[last - 1] ** 2).upper()) < little**2:
            last, gone = last - 1, more
        beyond = float(gone.sqrt().upper()) * (1 + 1e-12)
        return End(left, whole.upper(), tuple(float(a.mid()) for a in series[:last]), beyond)


def _largest(powers: Powers, slope: bool) -> float:
    """A bound of what is taken out, everywhere."""
    rows = powers.numbers(slope)
    total = sum(abs(c) * hump(j, powers.alpha) for row in rows for j, c in enumerate(row))
    return total * (1 + 1e-9)


def near_table(
    expr: Expr, low: float, high: float, error: float
) -> tuple[Callable[[float], ChebyshevTable], Closed, tuple[int, float], Rest]:
    """How to make the table of the rest, the closed part, what `measured` says of it, the rest.

    The table is for sqrt(1 - rho^2) up to the number that it is made with: 1 for all rho.

    Raises:
        Undecided: the bound is not reached; the message has what was.
    """
    from flint import arb

    from ....precision import precision

    axis = Axis.over(low, high)
    with precision(_BITS + 128):
        shapes = (plain_shape(expr, False), plain_shape(expr, True))
        starts = [start_of(s, axis, error) for s in shapes]
    found = look(shapes, starts, low, high, error)
    powers, terms = found.powers, found.terms
    with precision(_BITS + 128):
        plans = _plans(shapes, powers, axis, [s[2] for s in starts], terms)
        count = max(p.count for both in plans for p in both)
        plans = _plans(shapes, powers, axis, [s[2] for s in starts], terms, count)
        nodes = tuple(axis.variances(count, _BITS + 128))
        rows = found.rows(nodes, terms)
        rounded = [_rounded(row, count) for row in rows]
        # before the fits, which take most of the time and make up for nothing here
        for off, start in zip(rounded, starts, strict=True):
            if off > start[0] * error:
                raise Undecided(
                    f"the powers at the kinks are rounded: {float(off / start[0]):.1e}",
                    hint="a larger error, or a narrower range of variances",
                )
        made: list[Callable[[Fraction | None], Sheet]] = []
        grow = (arb(high) / arb(low)).sqrt()
        for k, shape in enumerate(shapes):
            goal = (arb(error) * starts[k][0] / 50).lower()
            b, a, _ = rows[k]
            sides = bilinear_fits(b, a, _KAPPA, goal)
            own, other = found.ends[k].left, found.ends[k].taken
            tail = (grow * (own + 2 * (own * other).sqrt())).upper()
            between = rounded[k]
            for group in (plans[k][:1], plans[k][1:]):  # the function, and what is taken out
                gap = sum((p.gap for p in group), arb(0))
                size = sum((p.size for p in group), arb(0))
                between += gap * (2 * size + gap)
            between = between.upper()
            lost = Lost(tail, between, plans[k][0].moment)
            said = ("rounding of the polynomials", arb(0))
            diagonal = diagonal_of(shape, nodes, lost.moment)

            def sheet(
                end: Fraction | None,
                sides: list[Fit] = sides,
                given: tuple[Any, ...] = (lost, shape, axis, nodes, 0, error, said, diagonal),
            ) -> Sheet:
                own = sides if end is None else [_near_one(f, end) for f in sides]
                return sheet_of(own, *given)

            made.append(sheet)

    def table(sine: float) -> ChebyshevTable:
        end, grow = (None, 1.0) if sine >= 1 else _end(sine)
        with precision(_BITS + 128):
            value, dot = (sheet(end) for sheet in made)
        ends = low, high, axis.centre, axis.half, _KAPPA
        return ChebyshevTable(*ends, 1.0, value, dot, count, terms, grow)

    closed, places = _closed(powers)
    return table, closed, measured(closed, places, low, high), found


def _end(sine: float) -> tuple[Fraction, float]:
    """The last x where sqrt(1 - rho^2) is at most `sine`, and the factor of x + 1 for it."""
    w = (1 + _KAPPA) * sine / (1 + sqrt(1 - sine * sine) + _KAPPA * sine)
    grow = (1 - _SPARE) / w
    return 2 / Fraction(grow) - 1, grow


def _near_one(found: Fit, end: Fraction) -> Fit:
    """The same sums as polynomials of x up to `end` alone; none of the roundings of w shrinks."""
    tensor = nearer(found.tensor, (Fraction(-1), end), _BITS + 128)
    return replace(found, tensor=tensor, kappa=0.0)


def _rounded(row: tuple[Any, Any, Any], count: int) -> Any:
    """A bound of what rounding the coefficients does to a sum, between the variances too."""
    import numpy as np

    b, a, off = row
    norm = sum(float(np.sqrt((t * t).sum(axis=1)).max()) for t in (b, a))
    return off * (2 * norm + off) * 1.01 * lebesgue(count) ** 2


def _closed(powers: Powers) -> tuple[Closed, tuple[tuple[int, int], ...]]:
    kept = [i for i, row in enumerate(powers.value) if any(row)]
    places = tuple(powers.kinks[i].mid().man_exp() for i in kept)
    closed = Closed(
        tuple(float(powers.kinks[i].mid()) for i in kept),
        powers.alpha,
        tuple(powers.value[i] for i in kept),
        tuple(powers.slope[i] for i in kept),
    )
    return closed, tuple((int(man), int(exponent)) for man, exponent in places)


def _plans(
    shapes: tuple[Shape, Shape],
    powers: Powers,
    axis: Axis,
    targets: list[Any],
    terms: int,
    least: int = 2,
) -> list[list[Plan]]:
    """For both duals the interpolation of the function, then of every part taken out."""
    out = []
    for shape, target in zip(shapes, targets, strict=True):
        line = line_of(shape)
        length, lost = cut_length(shape, line, axis, target / 64)
        size = on_the_range(line, axis, length, terms)
        length, lost = cut_length(shape, line, axis, target / (64 * (size + 1)))
        both = [plan_line(line, axis, target, terms, (length, lost, size), MOST_NODES, least)]
        for part, row in zip(parts(powers, shape.slope), powers.numbers(shape.slope), strict=True):
            if not any(row):
                continue
            most = sum(abs(c) * hump(j, powers.alpha) for j, c in enumerate(row))
            size = on_the_range(part, axis, length, terms)
            # humps may be much larger than what they are taken out of
            for long in range(length, 2 * length):
                gone = (_outside(long) * most).upper()
                if gone < target / (64 * (size + 1)):
                    break
            known = (long, gone, size)
            both.append(plan_line(part, axis, target, terms, known, MOST_NODES, least))
        out.append(both)
    return out


def _outside(length: int) -> Any:
    """The norm of 1 beyond `length`."""
    from flint import arb

    return (arb(length) / arb(2).sqrt()).erfc().sqrt()
