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
from ...series.rule import rule
from ...series.strip import MOST_NODES, Span, bell, equal_steps, lift
from .nodal import sums

_THINNER = 0.75


@dataclass(frozen=True, slots=True)
class Grid:
    """Nodes x_j >= 0 and weights (`arb`) on the half line, and a bound of the error of the rule.

    `equal`: whether these are equal steps.
    """

    nodes: tuple[tuple[Any, Any], ...]
    error: Any
    equal: bool = False


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
    nodes = tuple((j * step, step if j else step / 2) for j in range(many + 1))
    return Grid(nodes, error, equal=True)


@lru_cache(maxsize=32)
def _shared(
    pieces: tuple[Any, ...], variances: tuple[Fraction, ...], count: int, bits: int
) -> Grid:
    """The rule of `coefficients`, kept."""
    from flint import arb

    from ....precision import precision
    from ...arith import ball

    with precision(bits + 64):
        low, high = (ball(q).sqrt() for q in (min(variances), max(variances)))
        tol = _size(pieces, high).max(arb((1, -bits))) * arb((1, -bits))
        return grid(pieces, low, high, count, tol)


def equal(pieces: tuple[Any, ...], variances: tuple[Fraction, ...], count: int, bits: int) -> bool:
    """Whether the rule of `coefficients` has equal steps: s is analytic in a useful strip."""
    return len(pieces) == 1 and _shared(pieces, variances, count, bits).equal


def _panels(span: Span, count: int, tol: Any) -> Grid:
    """Gauss-Legendre panels on the half line, for s(x) and s(-x) together."""
    from flint import arb

    from ....precision import precision
    from ....verify.evaluate import function
    from ....verify.functions.strips import COVER_BITS, ellipse
    from ....verify.rules.gauss import nodes as panel_nodes
    from ....verify.rules.gauss import panels

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

    from ....precision import precision
    from ....verify.evaluate import function
    from ...arith import ball

    with precision(bits + 64):
        devs = [ball(q).sqrt() for q in variances]
        found = _shared(pieces, variances, count, bits)
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
        return sums([at for at, _ in found.nodes], (even, odd), found.error, count, bits)


def moments(pieces: tuple[Any, ...], variances: tuple[Fraction, ...], tol: Any) -> list[Any] | None:
    """Balls of E[s(sqrt(q) z)^2] at every variance, with radii of about `tol`.

    Equal steps, the same for all: sizes in a strip, which bound the error, are taken once.  None
    where s is analytic in no useful strip.

    Raises: as `grid`.
    """
    from flint import acb, arb

    from ....verify.evaluate import function
    from ...arith import ball

    devs = [ball(q).sqrt() for q in variances]
    low, high = (ball(q).sqrt() for q in (min(variances), max(variances)))
    found = _trapezoid(Span(pieces, low, high, squared=True), 0, tol)
    if found is None:
        return None
    func = function(pieces[0].expr, x)
    totals = [arb(0)] * len(devs)
    for at, w in found.nodes:
        check()
        weight = w * (-at * at / 2).exp()
        for i, d in enumerate(devs):
            for sign in (1, -1):
                value = func(acb(sign * d * at), False).real
                totals[i] += weight * value * value
    root = (2 * arb.pi()).sqrt()
    return [total / root + arb(0, found.error) for total in totals]


@lru_cache(maxsize=32)
def apart(
    pieces: tuple[Any, ...], variances: tuple[Fraction, ...], count: int, bits: int
) -> tuple[tuple[Any, ...], ...]:
    """The same where kinks lie elsewhere: every variance has a rule of its own.

    Raises: as `numeric.series.rule.rule`.
    """
    from flint import arb, fmpq

    from ....precision import precision
    from ...arith import ball

    out: list[tuple[Any, ...]] = []
    with precision(bits + 64):
        for q in variances:
            check()
            size = _size(pieces, ball(q).sqrt()).max(arb((1, -bits)))
            used = rule(pieces, fmpq(q.numerator, q.denominator), count, size * arb((1, -bits)))
            tables = [[n.even] for n in used.nodes], [[n.odd] for n in used.nodes]
            out += sums([n.at for n in used.nodes], tables, used.error, count, bits)
    return tuple(out)


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
