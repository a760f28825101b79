r"""Hermite coefficients of $s(\sqrt q z)$ at many variances at once: the same nodes for all.

The rules of `numeric.series.strip` for a range: their bounds are taken over the hull of what
$\sqrt q x$ sweeps, so that one set of nodes serves every q.  Then the values $y_n(x_j)$ are made
once, and the coefficients at all variances are one product of integer matrices; the radii count
the rounding of both factors (as in `numeric.series.recurrence`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from ....errors import Undecided
from ....symbols import x
from ...patience import check
from ...series.recurrence import carried
from ...series.strip import MOST_NODES, Span, bell, equal_steps, lift
from . import doubled
from .doubled import Begun

_SPARE = 48
_THINNER = 0.75
_HIGH = 48
_LARGE = 50_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Nodes x_j >= 0 and weights (`arb`) on the half line, and a bound of the error of the rule."""

    nodes: tuple[tuple[Any, Any], ...]
    error: Any


def applies(pieces: tuple[Any, ...]) -> bool:
    """Whether the cuts of the rule are the same for all variances: kinks at 0 only."""
    return all(piece.hi == 0 for piece in pieces[:-1])


def grid(pieces: tuple[Any, ...], low: Any, high: Any, count: int, tol: Any) -> Grid:
    """A rule for n < count and sqrt(q) in [low, high], with an error of about `tol`.

    Raises:
        Undecided: no growth certificate, a singularity that no panel resolves, too many nodes.
        NotSquareIntegrable: E[s(u)^2] is infinite at the largest variance.
    """
    span = Span(pieces, low, high)
    return (_trapezoid(span, count, tol) if len(pieces) == 1 else None) or _panels(span, count, tol)


def _trapezoid(span: Span, count: int, tol: Any) -> Grid | None:
    """Equal steps on the line, None where s is analytic in no useful strip."""
    found = equal_steps(span, count, tol, _THINNER)
    if found is None:
        return None
    step, many, error = found
    return Grid(tuple((j * step, step if j else step / 2) for j in range(many + 1)), error)


def _panels(span: Span, count: int, tol: Any) -> Grid:
    """Gauss-Legendre panels on the half line, for s(x) and s(-x) together."""
    from flint import arb

    from ....verify.evaluate import function
    from ....verify.functions.strips import COVER_BITS, ellipse
    from ....verify.rules.gauss import nodes as panel_nodes
    from ....verify.rules.gauss import panels
    from ....verify.safe import precision

    length, lost = span.length(tol / 8)
    with precision(COVER_BITS):
        sides = [(function(_side(span.pieces, sign), x), sign) for sign in (1, -1)]

        def bound(lo: Any, hi: Any, semi: Any, height: Any) -> Any:
            total, centre = arb(0), (lo + hi) / 2
            # d (centre + semi u) is within `fat` of middle + high semi u for |u| <= 1
            middle, gap = (span.low + span.high) / 2 * centre, span.high - span.low
            fat = (gap / 2 * abs(centre) + gap * semi).upper()
            for func, sign in sides:
                size = ellipse(func, sign * middle, span.high * semi, span.high * height, fat)
                if size is None:
                    return None
                total += size
            return total * lift(height, count) * bell(centre - semi, centre + semi)

        parts = panels([(arb(0), length)], bound, tol / 256, 2.0)
        error = sum((p.error for p in parts), lost)
        if sum(p.points for p in parts) > MOST_NODES:
            raise Undecided("too many nodes for the Hermite coefficients")
    return Grid(tuple(node for part in parts for node in panel_nodes(part)), arb(error).upper())


def _side(pieces: tuple[Any, ...], sign: int) -> Any:
    return (pieces[-1] if sign > 0 else pieces[0]).expr


@lru_cache(maxsize=32)
def coefficients(
    pieces: tuple[Any, ...], variances: tuple[Fraction, ...], count: int, bits: int
) -> tuple[tuple[Any, ...], ...]:
    """Balls of the coefficients n < count at every variance, radii about 2^-bits times the size.

    Of high orders, where they are small, the radii are about 2^-85 times it (`doubled`).

    Raises: as `grid`.
    """
    from flint import acb, arb

    from ....verify.evaluate import function
    from ...arith import ball, working

    with working(bits + 64):
        devs = [ball(q).sqrt() for q in variances]
        low, high = min(variances), max(variances)
        tol = _size(pieces, ball(high).sqrt()).max(arb((1, -bits))) * arb((1, -bits))
        found = grid(pieces, ball(low).sqrt(), ball(high).sqrt(), count, tol)
        funcs = [function(_side(pieces, sign), x) for sign in (1, -1)]
        root = (2 * arb.pi()).sqrt()
        even, odd = [], []
        for at, w in found.nodes:
            check()
            weight = w * (-at * at / 4).exp() / root
            up, down = (
                [f(acb(sign * d * at), False).real for d in devs]
                for f, sign in zip(funcs, (1, -1), strict=True)
            )
            even.append([weight * (a + b) for a, b in zip(up, down, strict=True)])
            odd.append([weight * (a - b) for a, b in zip(up, down, strict=True)])
        places = bits + 8 + _SPARE
        top = max(sum((abs(w[i]).upper() for w in (*even, *odd)), arb(0)) for i in range(len(devs)))
        man, exp = top.upper().man_exp()
        shift = places - (int(man).bit_length() + int(exp)) if top > 0 else places
        first = _first(found, count, places)
        rows, begun, errors, blurs = [], [], [found.error] * len(devs), []
        for at, _ in found.nodes:
            check()
            values, blur = _row(at, first, places)
            rows.append(values)
            blurs.append(blur)
            begun.append(Begun(_exact(at), (values[-2], values[-1])))
        errors = _errors((even, odd), blurs, found.error, shift)
        sums = []
        for table, start in ((even, 0), (odd, 1)):
            weights = [[_scaled(w[i], shift) for w in table] for i in range(len(devs))]
            parts = (first + 1 - start) // 2
            sums.append(_product(weights, [row[start::2] for row in rows], parts))
        unit = arb((1, -places - shift))
        out = []
        for i, error in enumerate(errors):
            blur = arb(0, error)
            out.append([sums[n % 2][i, n // 2] * unit + blur for n in range(first)])
        if first < count:
            more = [
                _later(at, blur, first, count)
                for (at, _), blur in zip(found.nodes, blurs, strict=True)
            ]
            errors = _errors((even, odd), more, found.error, shift)
            tails = doubled.sums(begun, (even, odd), (first, count), places)
            cut = doubled.lost((even, odd))
            for line, tail, error, left in zip(out, tails, errors, cut, strict=True):
                blur = arb(0, (error + left).upper())
                line += [a + blur for a in tail]
        return tuple(tuple(line) for line in out)


def _first(found: Grid, count: int, places: int) -> int:
    """The first order that pairs of doubles serve; `count` where none is worth it."""
    farthest = max(float(at.upper()) for at, _ in found.nodes)
    low = max(doubled.FIRST, int(farthest * farthest / 4) + 4)
    served = places <= doubled.MOST_PLACES and count > low + doubled.WORTH
    return low if served else count


def _errors(tables: tuple[Any, Any], blurs: list[Any], error: Any, shift: int) -> list[Any]:
    """For every variance a bound of the error of its coefficients; |y_n| <= 1."""
    from flint import arb

    out = [error] * len(tables[0][0])
    for one, two, blur in zip(*tables, blurs, strict=True):
        for i, (a, b) in enumerate(zip(one, two, strict=True)):
            lost = arb(a.rad()) + arb(b.rad()) + arb((2, -shift))
            out[i] = out[i] + lost + (abs(a).upper().max(abs(b).upper()) + lost) * blur
    return [e.upper() for e in out]


def _later(at: Any, blur: Any, low: int, count: int) -> Any:
    """What the values of a node are off by from the order `low` on."""
    from flint import arb

    size, unit = float(at.upper()) + 1e-9, arb((1, doubled.UNIT))
    defect = unit + 2 * (arb(at.rad()) + arb(size) * unit / 32)  # x is rounded to 2^-106
    found = carried(size, low, blur + unit, defect, count)
    return found if found < arb(1) / 128 else arb("inf")  # numbers below 1.01 are assumed


def _exact(at: Any) -> tuple[int, int]:
    man, exp = at.mid().man_exp()
    return int(man), int(exp)


def _product(weights: list[list[int]], rows: list[list[int]], count: int) -> Any:
    """Weights times rows.  Rows of zeros make it as high as the fast products of FLINT want it."""
    from flint import fmpz_mat

    if not any(w for line in weights for w in line):  # s is odd, or even
        return fmpz_mat(len(weights), count)
    high = len(weights) if len(rows) * count < _LARGE else max(len(weights), _HIGH)
    zeros = [[0] * len(rows)] * (high - len(weights))
    return fmpz_mat([*weights, *zeros]) * fmpz_mat(rows)


def _size(pieces: tuple[Any, ...], dev: Any) -> Any:
    """About the square root of E[s(u)^2]; only the accuracy asked for depends on it."""
    from flint import acb, arb

    from ....verify.evaluate import function

    funcs: list[tuple[Callable[[Any, bool], Any], int]] = [
        (function(_side(pieces, sign), x), sign) for sign in (1, -1)
    ]
    total = arb(0)
    for k in (1, 3, 6, 10, 15):
        for func, sign in funcs:
            value = abs(func(acb((sign * dev * k / 6).mid()), False)).upper()
            if value.is_finite():
                total += value * value / 10
    return total.sqrt().upper() if total > 0 else arb(1)


def _row(at: Any, count: int, places: int) -> tuple[list[int], Any]:
    """y_0 .. y_{count-1} at a node times 2^places, and a bound of their error."""
    from flint import arb

    from ...series.recurrence import row

    (man, exp), (rad, low) = at.mid().man_exp(), arb(at.rad()).man_exp()
    return row((int(man), int(exp), int(rad), int(low)), count, places)


def _scaled(value: Any, places: int) -> int:
    """The midpoint of an `arb` times 2^places, rounded down."""
    man, exp = value.mid().man_exp()
    by = int(exp) + places
    return int(man) << by if by >= 0 else int(man) >> -by
