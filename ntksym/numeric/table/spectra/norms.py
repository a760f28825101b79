"""Second moments of functions given by their pieces: at one variance, and at many at once."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from functools import lru_cache
from typing import Any

from ....errors import Undecided
from . import joint
from .less import function_less

_SHARED = 3
"""From so many variances on one rule serves all: its bounds take about as long as two integrals."""


def second_moments(
    pieces: tuple[Any, ...], variances: tuple[Fraction, ...], bits: int, abouts: list[Any]
) -> list[Any]:
    """As `second_moment` at every variance, of a function that is likely to be analytic in a strip.

    One rule serves all where it is.
    """
    scale = _scale(min(abouts, key=float))
    if len(variances) >= _SHARED and scale is not None:
        with suppress(Undecided):
            if (found := _second_moments(pieces, variances, bits, scale)) is not None:
                return found
    both = zip(variances, abouts, strict=True)
    return [second_moment(pieces, q, bits, about) for q, about in both]


@lru_cache(maxsize=32)
def _second_moments(
    pieces: tuple[Any, ...], variances: tuple[Fraction, ...], bits: int, scale: int
) -> list[Any] | None:
    from flint import arb

    tol = arb((1, scale)).max(arb((1, -300))) * arb((1, -bits))
    found = joint.moments(pieces, variances, tol)
    if found is None or not all(norm.is_finite() for norm in found):
        return None
    return [norm.lower().max(arb(0)).union(norm.upper()) for norm in found]


def second_moment(
    pieces: tuple[Any, ...], q: Fraction, bits: int, about: Any = None, grown: Any = None
) -> Any:
    """An enclosure of the second moment of a function given by its pieces.

    `about` is its size where that is known; only the accuracy asked for depends on it.  `grown` is
    `(others, (c, k))` where the function is at most another one, given by its pieces, and
    c (1 + |x|)^k together.
    """
    return _second_moment(pieces, q, bits, _scale(about), grown)


def _scale(about: Any) -> int | None:
    """The binary exponent of a size, None where it is none."""
    if about is None or not about > 0 or not about.is_finite():
        return None
    man, exp = about.man_exp()
    return int(man).bit_length() + int(exp)


@lru_cache(maxsize=512)
def _second_moment(
    pieces: tuple[Any, ...], q: Fraction, bits: int, scale: int | None, grown: Any
) -> Any:
    from flint import arb, fmpq

    from ....verify.functions.growth import Growth
    from ....verify.law import Law, cut
    from ....verify.rules.oned import Cuts, kink_balls, panels, size_near

    v = fmpq(q.numerator, q.denominator)
    law = Law(v * 0, v * 0, v, v, v)
    dev, growth = arb(v).sqrt(), _growth(pieces if grown is None else grown[0])
    if grown is not None:
        growth = growth + Growth(arb(grown[1][0]), grown[1][1], arb(0), arb(0))
    funcs = _functions(pieces)
    kinks = kink_balls(pieces)

    def choose(at: Any) -> Any:
        passed = [dev * at > kink for kink in kinks]
        if any(not past and not dev * at < kink for past, kink in zip(passed, kinks, strict=True)):
            raise Undecided("a point is too close to a kink for this precision")
        func = funcs[sum(passed)]

        def integrand(t: Any, analytic: bool) -> Any:
            value = func(dev * t, analytic)
            return value * value * (-t * t / 2).exp()

        return integrand

    def size(at: Any) -> Any:
        most = size_near(pieces, dev * at)
        return most * most * (-at * at / 2).exp()

    def within(goal: Any) -> Any:
        length, lost = cut(growth, growth, law, goal)
        cuts = Cuts(tuple(kink / dev for kink in kinks))
        total = panels(choose, size, length, cuts, goal) / (2 * arb.pi()).sqrt()
        return total + arb(0, lost)

    about = abs(within(arb((1, -30)))).upper() if scale is None else arb((1, scale))
    found = within(about.max(arb((1, -300))) * arb((1, -bits)))
    if not found.is_finite():
        raise Undecided("no finite enclosure of E[s(u)^2]")
    return found.lower().max(arb(0)).union(found.upper())


@lru_cache(maxsize=64)
def _growth(pieces: tuple[Any, ...]) -> Any:
    from ....verify.functions.growth import growth_of

    return growth_of(pieces)


def _functions(pieces: tuple[Any, ...]) -> tuple[Any, ...]:
    """The pieces as functions of balls, at the working precision."""
    from flint import ctx

    return _kept_functions(pieces, int(ctx.prec))


@lru_cache(maxsize=64)
def _kept_functions(pieces: tuple[Any, ...], bits: int) -> tuple[Any, ...]:
    return tuple(function_less(piece.expr) for piece in pieces)
