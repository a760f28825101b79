r"""The kernel alone, where the derivative dual does not exist: $s'$ is not square integrable.

E[s(u) s(v)] asks nothing of s'.  Next to a singular point a line stands for s, as in `blunt`, but
what it changes is bounded without s': on strips $S_i$ both functions lie in intervals of radius
$r_i$, so $|s-\tilde s| \le 2r_i$ there, and with Hölder's inequality, $\frac1p+\frac1m=1$,
$|E[s(u)s(v)]-E[\tilde s(u)\tilde s(v)]| \le 2\,\|s-\tilde s\|_p\,\max(\|s\|_m,\|\tilde s\|_m)$
(`derivations/identities/quadrature.md`, section 15).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from math import inf, nextafter
from typing import Any

from sympy import Add, Expr, Rational

from ..activation import Activation
from ..errors import Undecided
from ..precision import precision
from .blunt import NAME, rarer_below, with_lines
from .finite import BITS, Cut, cut_off, most_moment
from .patience import check
from .quadrature.dual import QuadratureDual, quadrature_dual

_SHARE = 0.2
"""Of the error asked for, to what lines change."""
_FIRST, _LAST = 4, 44
"""Strips are 2^-4 to 2^-44 wide: the ends of narrower ones are hardly two doubles."""
_POWERS = (8, 4, 2)
"""The exponents m that are tried: a large one makes little of what a strip leaves."""


def nngp_dual(
    activation: Activation, variances: tuple[Fraction, Fraction], error: float
) -> QuadratureDual:
    """E[s(u) s(v)] by a two-dimensional rule with a proven error; its derivative dual is NaN.

    Raises:
        BadActivation, NotSquareIntegrable, Undecided: as `quadrature_dual`; s is unbounded at a
            point, or the error asks for strips narrower than doubles can tell.
    """
    cut = cut_off(activation, variances, error, slopes=False)
    return _lined(activation, variances, error) if cut is None else cut.made(_lined, variances)


def _lined(activation: Activation, variances: Any, error: float) -> QuadratureDual:
    lines = lined(activation, variances, error)
    return _alone(activation, variances, error) if lines is None else lines.made(_alone, variances)


def _alone(activation: Activation, variances: Any, error: float) -> QuadratureDual:
    return quadrature_dual(activation, variances=variances, error=error, slopes=False)


@lru_cache(maxsize=32)
def lined(activation: Activation, variances: tuple[Fraction, Fraction], error: float) -> Cut | None:
    """The activation with lines next to its singular points; None where there are none.

    Raises:
        Undecided: s is unbounded next to one, or strips as wide as the error allows are narrower
            than doubles can tell.
    """
    from ..verify.functions.ends import odd_ends
    from ..verify.functions.pieces import split
    from ..verify.functions.removable import opened
    from .quadrature.scale import least_square
    from .quadrature.subject import Curve

    low, high = variances
    with precision(BITS):
        pieces = opened(split(activation.expr))
        ends = [(c, side, i) for i, p in enumerate(pieces) for c, side, _ in odd_ends(p)]
        if not ends or not low > 0:
            return None
        least = least_square(Curve(pieces, None), low, high)
        if not least > 0:
            raise Undecided(f"{activation.name}: no lower bound of the dual on the diagonal")
        goal = _SHARE * error / 2
        best = inf
        for power in _POWERS:
            most = most_moment(pieces, high, power)
            if most is None:
                continue
            widths, best = _strips(pieces, ends, variances, (least, most, power), goal)
            if best <= goal:
                left = (error - 2 * best - best * best) / (1 + best) ** 2 * (1 - 1e-12)
                expr = with_lines(pieces, ends, widths)
                other, where = replace(activation, expr=expr), rarer_below(ends, widths, low)
                return Cut(other, activation, None, None, best, left, NAME, *where)
    places = ", ".join(str(c) for c in dict.fromkeys(c for c, _, _ in ends))
    raise Undecided(
        f"{activation.name} is singular at x = {places}: lines that stand for it next to there "
        f"leave {best:.1g} of the kernel, not {goal:.1g}",
        hint="a larger error; `eval` encloses single values",
    )


def _strips(
    pieces: Any, ends: Any, variances: Any, sizes: tuple[Any, Any, int], goal: float
) -> tuple[list[Expr], float]:
    r"""A width for every end, and r with $|K-\tilde K| \le 2r\sqrt{K(q_{11})K(q_{22})}$ for them.

    Args:
        pieces: those of s.
        ends: the singular ends.
        variances: the range (low, high).
        sizes: a lower bound of K(q), an upper one of E[|s|^m], and m.
        goal: what r is to be at most.
    """
    from flint import arb

    least, most, power = sizes
    p = arb(power) / (power - 1)
    norm = arb(most) ** (arb(1) / power)
    share = (arb(goal) * least / (norm + 1)) ** p / len(ends)
    widths, total, widest = [], arb(0), arb(0)
    for end in ends:
        for k in range(_FIRST, _LAST + 1):
            check()
            radius, mass = _strip(pieces[end[2]], end, variances, arb(2) ** -k)
            lost = ((2 * radius) ** p * mass).upper()
            if lost <= share:
                break
        widths.append(Rational(1, 2**k))
        total, widest = total + lost, widest.max(radius)
    both = norm + 2 * widest  # Minkowski: at least the norms of s and of the other
    off = (total ** (1 / p) * both / least).upper()
    return widths, nextafter(float(off), inf) if off.is_finite() else inf


def _strip(piece: Any, end: Any, span: Any, delta: Any) -> tuple[Any, Any]:
    """The radius of the values of s next to one end, and a bound of the strip's probability."""
    from flint import acb, arb

    from ..verify.evaluate import function
    from ..verify.functions.ends import DISTANCE, near, odd_ends
    from ..verify.functions.pieces import number

    (c, side, _), (low, high) = end, span
    (written,) = (e for at, s, e in odd_ends(piece) if (at, s) == (c, side))
    radius, rest = arb(0), []
    for term in Add.make_args(written):
        bound = near(term, delta)
        if bound is None or not bound.power > 0:
            rest.append(term)  # not known to go to 0: a ball about its value there
        elif not arb(bound.power) * (1 - delta.log()) > bound.logs:
            radius = arb("inf")
        else:
            grown = (1 - delta.log()) ** bound.logs
            radius += bound.size * delta ** arb(bound.power) * grown
    found = function(Add(*rest), DISTANCE)(acb(arb(0).union(delta)), False)
    radius = (radius + found.real.rad()).upper() if found.is_finite() else arb("inf")
    nearest = (abs(number(c)) - delta).lower().max(arb(0))
    density = (-nearest * nearest * high.denominator / (2 * high.numerator)).exp()
    density /= (2 * arb.pi() * low.numerator / low.denominator).sqrt()
    return radius, (density * delta).upper()
