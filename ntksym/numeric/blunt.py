r"""Weak singularities away from 0: next to them straight lines stand for s.

Where a piece ends at c and is not analytic there ($|x-c|^{3/2}$, $e^{-1/(x-c)^2}$), $\tilde s$ on
the last $\delta$ is the line from s(c) to $s(c\pm\delta)$, continuous where s is.  All its pieces
are analytic beyond their ends, and intervals shrink towards c no further than $\delta$.  As the
slope of the line is the mean of s', $\|s'-\tilde s'\|\le\|s'-m\|$ on the strip for every constant
m, and $|s-\tilde s|\le\sqrt\delta\,\|s'-m\|$; the norms of s' come from its bound by a power of
the distance.  Below the range the absolute bounds hold where all points are at least the least
deviation from 0; values are NaN there otherwise
(`derivations/identities/quadrature.md`, section 13).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from math import inf, nextafter
from typing import Any

from sympy import Add, Expr, Piecewise, Rational, S, nan, oo, zoo

from ..activation import Activation
from ..errors import Undecided
from ..precision import precision
from ..symbols import x
from .finite import BITS, Cut
from .patience import check

_SHARE = 0.05
"""Of the error asked for, to what lines change: fewer intervals are worth it."""
_FIRST, _LAST = 4, 44
"""Strips are 2^-4 to 2^-44 wide: the ends of narrower ones are hardly two doubles."""
NAME = "lines next to singular points"
"""Of the part of a bound."""


def blunted(activation: Activation, variances: tuple[Any, Any], error: float) -> Cut | None:
    """The activation that stands for one with singular points; None where there are none.

    Args:
        activation: with numbers for its parameters, and finitely many kinks.
        variances: the range (low, high) that it is for.
        error: of which a small share is spent.

    Raises:
        Undecided: s' is not bounded by a power above -1/2 of the distance, or strips as wide as
            the error allows are narrower than doubles can tell.
    """
    return _blunted(activation, variances, error)


@lru_cache(maxsize=32)
def _blunted(
    activation: Activation, variances: tuple[Fraction, Fraction], error: float
) -> Cut | None:
    from ..verify.functions.ends import odd_ends
    from ..verify.functions.pieces import derivative, split
    from ..verify.functions.removable import opened
    from .quadrature.scale import least_square
    from .quadrature.subject import Curve

    low, high = variances
    pieces = opened(split(activation.expr))
    with precision(BITS):
        slopes = derivative(pieces)
        ends = [(c, side, i) for i, p in enumerate(pieces) for c, side, _ in odd_ends(p)]
        if not ends or not low > 0:
            return None
        least = [least_square(Curve(f, None), low, high) for f in (pieces, slopes)]
        if not all(v > 0 for v in least):
            raise Undecided(f"{activation.name}: no lower bound of the dual on the diagonal")
        goal = _SHARE * error / 2
        widths, total = [], 0.0
        for end in ends:
            width, off = _strip(slopes, end, variances, least, goal / len(ends) ** 0.5)
            widths.append(width)
            total = nextafter(total + off * off, inf)
        off = nextafter(total**0.5, inf)
        if off <= goal:
            expr = with_lines(pieces, ends, widths)
            left = (error - 2 * off - off * off) / (1 + off) ** 2 * (1 - 1e-12)
            other, where = replace(activation, expr=expr), rarer_below(ends, widths, low)
            return Cut(other, activation, None, None, off, left, NAME, *where)
    places = ", ".join(str(c) for c in dict.fromkeys(c for c, _, _ in ends))
    raise Undecided(
        f"{activation.name} is singular at x = {places}: lines that stand for it next to there "
        f"leave {off:.1g} of the norm, not {goal:.1g}",
        hint="a larger error; `eval` encloses single values",
    )


def _strip(slopes: Any, end: Any, span: Any, least: list[Any], goal: float) -> tuple[Expr, float]:
    r"""The widest strip next to one end whose line changes no more than the goal, or the narrowest.

    With it the larger of $\max_q\|s-\tilde s\|_q/\|s\|_q$ there and of the same for slopes.
    """
    from flint import arb

    from ..verify.functions.pieces import number

    (c, side, i), (low, high), off = end, span, inf
    for k in range(_FIRST, _LAST + 1):
        check()
        delta = arb(2) ** -k
        norm = _norm(slopes[i], c, side, delta)
        if norm is None:
            continue
        nearest = (abs(number(c)) - delta).lower().max(arb(0))
        density = (-nearest * nearest * high.denominator / (2 * high.numerator)).exp()
        density /= (2 * arb.pi() * low.numerator / low.denominator).sqrt()
        both = zip((delta, arb(1)), least, strict=True)
        worst = max((norm * w * (density / v).sqrt() for w, v in both), key=float).upper()
        off = nextafter(float(worst), inf) if worst.is_finite() else inf
        if off <= goal:
            break
    return Rational(1, 2**k), off


def _norm(slope: Any, c: Expr, side: int, delta: Any) -> Any | None:
    r"""A bound of the norm of s' - m in $L^2$ of the strip next to c, m some constant.

    Terms that go to 0 at c are bounded by powers of the distance, the others by their ball.
    """
    from flint import acb, arb

    from ..verify.evaluate import function
    from ..verify.functions.ends import DISTANCE, local, near, odd_ends

    written = [e for at, s, e in odd_ends(slope) if (at, s) == (c, side)]
    terms = Add.make_args(written[0] if written else local(slope.expr, c, side))
    found = [(term, near(term, delta)) for term in terms]
    rest = Add(*(term for term, bound in found if bound is None or not bound.power > 0))
    norm = arb(0)
    ball = function(rest, DISTANCE)(acb(arb(0).union(delta)), False).real
    if ball.is_finite():
        norm += ball.rad() * 2 * delta.sqrt()
        found = [(term, bound) for term, bound in found if bound is not None and bound.power > 0]
    for _, bound in found:
        if bound is None:
            return None
        norm += (bound * bound).mass(-delta.log()).sqrt()
    return norm.upper()


def rarer_below(ends: Any, widths: list[Expr], low: Fraction) -> tuple[bool, bool]:
    r"""Whether u of a variance below `low` is in no strip more often than its bound says; of 0.

    At a distance d from 0 the density $e^{-d^2/2q}/\sqrt{2\pi q}$ grows with q up to $q=d^2$.
    """
    from ..verify.functions.pieces import number

    both = zip(ends, widths, strict=True)
    nearest = [abs(number(c)) - number(width) for (c, _, _), width in both]
    below = all(d > 0 and d * d * low.denominator >= low.numerator for d in nearest)
    return below, all(d > 0 for d in nearest)


def with_lines(pieces: Any, ends: Any, widths: list[Expr]) -> Expr:
    """The activation with a line in the place of every strip."""
    from ..verify.functions.pieces import at_end

    branches: list[tuple[Expr, Expr | None]] = []
    for i, piece in enumerate(pieces):
        both = zip(ends, widths, strict=True)
        sides = {side: (c, c + side * width) for (c, side, k), width in both if k == i}
        for side in (1, 0, -1):
            if side == 0:
                branches.append((piece.expr, sides[-1][1] if -1 in sides else piece.hi))
            elif side in sides:
                c, far = sides[side]
                low, high = at_end(piece, c), piece.expr.subs(x, far)
                if low.has(nan, zoo, oo):
                    raise Undecided(f"{piece.expr} has no limit at x = {c} that is seen")
                line = low + (high - low) * (x - c) / (far - c)
                branches.append((line, far if side > 0 else c))
    *first, last = branches
    return Piecewise(*((e, x < end) for e, end in first), (last[0], S.true), evaluate=False)
