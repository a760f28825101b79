r"""Expectations that are one-dimensional integrals.

`conditional`: $E[f(u) M(\mu(u))]$ with the inner conditional mean in closed form;
`collinear`: $E[f(u) g(m_2 + k(u - m_1))]$ at correlation one; `single`: $E[g(v)]$.
All integrate over a standard normal X in [-L, L], cut at the kinks; the tail is bounded from the
growth certificates and added to the radius.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sympy as sp
from flint import acb, arb

from ...dyadic import fraction
from ...errors import Undecided
from ...symbols import x
from ..evaluate import function
from ..functions.ends import odd_ends, product
from ..functions.growth import growth_of
from ..functions.pieces import Piece
from ..law import Law, Scales, cut
from ..safe import MOST_VALUES, Integrand, integral
from .moments import conditional_mean

_FEW_VALUES = 15_000
"""Where the inner mean is closed: with more, it cancels, and two dimensions do better."""
_WIDE = 64
"""From this variance on the trapezoid rule comes before the integrator."""
Chosen = Callable[[Any], Integrand]
"""From a point of X inside a panel to the smooth integrand on that panel."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where to cut the line of X: at the kinks, and at guides that only save work."""

    kinks: tuple[Any, ...]
    guides: tuple[Any, ...] = ()


def pick(pieces: tuple[Piece, ...], at: Any) -> Piece:
    """The piece that contains the number `at` (an `arb`).

    Raises:
        Undecided: the ball `at` meets a kink.
    """
    for piece in pieces:
        _, hi = piece.ends()
        if hi is None or at < hi:
            return piece
        if not at > hi:
            raise Undecided("a point is too close to a kink for this precision")
    raise AssertionError("the last piece is unbounded")


def size_near(pieces: tuple[Piece, ...], at: Any) -> Any:
    """An upper bound of |f| on the ball `at` (an `arb`), whichever piece applies."""
    most = arb(0)
    for piece in pieces:
        lo, hi = piece.ends()
        if not (lo is not None and at < lo) and not (hi is not None and at > hi):
            most = most.max(abs(function(piece.expr, x)(acb(at), False)).upper())
    return most


def kink_balls(pieces: tuple[Piece, ...]) -> list[Any]:
    """The kinks as `arb`."""
    return [p.ends()[1] for p in pieces[:-1]]


def panels(
    choose: Chosen,
    size: Callable[[Any], Any],
    length: Any,
    cuts: Cuts,
    tol: Any,
    most: int = MOST_VALUES,
) -> Any:
    """The integral over [-length, length], as an `arb`.

    The kinks in `cuts` are balls: the cut is made at the exact midpoint of each cluster of balls
    that overlap, and what this can move, 4 radius `size`(ball), is added.
    """
    clusters: list[Any] = []
    for kink in sorted((k for k in cuts.kinks if abs(k) < length), key=fraction):
        if clusters and clusters[-1].overlaps(kink):
            clusters[-1] = clusters[-1].union(kink)
        else:
            clusters.append(kink)
    guides = [g.mid() for g in cuts.guides if abs(g.mid()) < length]
    free = [g for g in guides if not any(c.overlaps(g) for c in clusters)]
    ends = sorted([-length, *(c.mid() for c in clusters), *free, length], key=fraction)
    total = arb(0)
    for a, b in pairwise(ends):
        if a < b:
            total += integral(choose((a + b) / 2), a, b, tol=tol, most=most).real
    for c in clusters:
        if not c.is_exact():
            total += arb(0, (4 * c.rad() * size(c)).upper())
    return total


def _density(t: Any) -> Any:
    return (-t * t / 2).exp()


def conditional(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law, tol: Any) -> Any | None:
    """E[f(u) g(v)] with M in closed form; None when g has none.  q11 > 0, det > 0."""
    s = law.scales()
    mean = conditional_mean(g, s.rest**2)
    if mean is None:
        return None
    length, lost = cut(growth_of(f), growth_of(g), law, tol)
    root = (2 * arb.pi()).sqrt()

    def choose(at: Any) -> Integrand:
        outer = function(pick(f, s.m1 + s.s1 * at).expr, x)

        def integrand(t: Any, analytic: bool) -> Any:
            return outer(s.m1 + s.s1 * t, analytic) * mean(s.m2 + s.slope * t) * _density(t)

        return integrand

    def size(at: Any) -> Any:
        here = size_near(f, s.m1 + s.s1 * at)
        return here * abs(mean(acb(s.m2 + s.slope * at))) * _density(at)

    kinks = tuple((k - s.m1) / s.s1 for k in kink_balls(f))
    value = panels(choose, size, length, Cuts(kinks, _guides(g, s)), tol, _FEW_VALUES) / root
    return value + arb(0, lost)


def _guides(g: tuple[Piece, ...], s: Scales) -> tuple[Any, ...]:
    """Where the inner mean turns: the preimages of its kinks, and a few widths around."""
    if not abs(s.slope) > arb(2) ** -20:
        return ()
    width = s.rest / abs(s.slope)
    out = []
    for kink in kink_balls(g):
        centre = (kink - s.m2) / s.slope
        steps = (-8, 0, 8) if width < 0.1 else (0,)
        out += [centre + n * width for n in steps]
    return tuple(out)


def collinear(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law, tol: Any) -> Any:
    """E[f(u) g(v)] for v = m2 + slope X, u = m1 + s1 X (correlation one, or q22 = 0)."""
    centred = law.q22 == 0 or law.m1 == law.m2 == 0
    if centred and any(odd_ends(piece) for piece in (*f, *g)):
        return _through(f, g, law, tol)
    s = law.scales()
    length, lost = cut(growth_of(f), growth_of(g), law, tol)
    root = (2 * arb.pi()).sqrt()

    def choose(at: Any) -> Integrand:
        first = function(pick(f, s.m1 + s.s1 * at).expr, x)
        second = function(pick(g, s.m2 + s.slope * at).expr, x)

        def integrand(t: Any, analytic: bool) -> Any:
            left = first(s.m1 + s.s1 * t, analytic)
            return left * second(s.m2 + s.slope * t, analytic) * _density(t)

        return integrand

    def size(at: Any) -> Any:
        here = size_near(f, s.m1 + s.s1 * at) * size_near(g, s.m2 + s.slope * at)
        return here * _density(at)

    kinks = [(k - s.m1) / s.s1 for k in kink_balls(f)]
    if law.q12 != 0:
        kinks += [(k - s.m2) / s.slope for k in kink_balls(g)]
    return panels(choose, size, length, Cuts(tuple(kinks)), tol) / root + arb(0, lost)


def _through(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law, tol: Any) -> Any:
    """The same where a function is not analytic at an end: one function of u, one rule."""
    from .along import rule

    ratio = sp.Rational(0)
    if law.q22 > 0:
        square = law.q22 / law.q11
        ratio = sp.sqrt(sp.Rational(int(square.p), int(square.q))) * (1 if law.q12 > 0 else -1)
    both = product(f, g, ratio)
    found = rule(both, law.m1, law.q11, arb("0.5"), tol / 8, thin=False)
    total = sum((w for _, w in found.points), arb(0))
    return total + arb(0, (found.error + found.lost).upper())


def single(f: tuple[Piece, ...], mean: Any, var: Any, tol: Any) -> Any:
    """E[f(u)], u ~ N(mean, var), for exact `fmpq` mean and var > 0."""
    if len(f) == 1 and var > _WIDE and not odd_ends(f[0]):
        from .line import line

        if (value := line(f[0], mean, var, tol)) is not None:
            return value
    one = (Piece(None, None, x**0),)
    return collinear(f, one, Law(mean, mean * 0, var, var * 0, var * 0), tol)
