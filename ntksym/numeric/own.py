r"""$E[f(u)^2]$ for a range of variances, f singular at ends of its pieces: one sum of exponentials.

$\sum_jW_j\,p_q(u_j)$, p the density: on blocks of the line p is replaced by its polynomial through
Chebyshev points, and $W_j=\int f^2\ell_j$ is integrated in balls, next to a singular end in a root
of the distance.  No value of f is rounded next to its singular points: section 16 of
`derivations/identities/quadrature.md`.
"""

from __future__ import annotations

from itertools import pairwise
from math import lcm
from typing import Any

from sympy import Expr, Integer, Pow, expand

from ..errors import Undecided
from ..symbols import x
from .patience import check

_POINTS, _RHO = 26, 4
"""Chebyshev points of a block, and the parameter of the ellipse that bounds what they miss."""
_FARTHEST = 60
"""Standard deviations."""


def own_weights(
    slopes: Any, ends: Any, span: tuple[Any, Any], goal: Any
) -> tuple[tuple[float, ...], tuple[float, ...], Any]:
    """(u_j, W_j) and a bound of the error of the sum for variances in `span`, an `arb`.

    Args:
        slopes: the pieces of f.
        ends: `(c, side, piece)` where f is singular.
        span: the least and the largest variance (`arb`).
        goal: what the error should be less than.

    Raises:
        Undecided: an integral did not converge, or f grows too fast.
    """
    from flint import arb

    nodes: list[float] = []
    weights: list[float] = []
    low, high = span
    far, lost = _far(slopes, high, goal / 4)
    odd = {(i, side) for _, side, i in ends}
    for i, piece in enumerate(slopes):
        left, right = piece.ends()
        left = -far if left is None else left.max(-far)
        right = far if right is None else right.min(far)
        if not left < right:
            continue
        points = [left, *_cuts(left, right, low.sqrt()), right]
        for number, (start, end) in enumerate(pairwise(points)):
            check()
            side, c = 0, None
            if number == 0 and (i, 1) in odd:
                side, c = 1, piece.lo
            elif number == len(points) - 2 and (i, -1) in odd:
                side, c = -1, piece.hi
            moments = _moments(piece.expr, (start, end), (side, c), goal)
            middle, half = (start + end) / 2, (end - start) / 2
            lost += _missed(moments[0], (middle, half), span)
            for t, w in _weights(moments):
                lost += (w.rad() + abs(w) * arb(2) ** -50) / (2 * arb.pi() * low).sqrt()
                nodes.append(float((middle + half * t).mid()))
                weights.append(float(w.mid()))
    return tuple(nodes), tuple(weights), lost.upper()


def _far(slopes: Any, high: Any, goal: Any) -> tuple[Any, Any]:
    """How far the sum goes, and a bound of what is left out."""
    from flint import arb

    from ..verify.functions.growth import growth_beyond
    from ..verify.law import Law, tail

    places = [abs(e) for p in slopes for e in p.ends() if e is not None]
    least = max(places, key=float) + 1
    growth = growth_beyond((slopes[0], slopes[-1]), least)
    q = high.mid().fmpq()  # the largest variance is exact
    law = Law(q * 0, q * 0, q, q, q)
    for deviations in range(8, _FARTHEST):
        length = arb(deviations).max(least / high.sqrt())
        lost = tail(growth, growth, law, length)
        if lost < goal:
            return (length * high.sqrt()).upper(), lost
    raise Undecided("the square of the slope grows too fast")


def _cuts(left: Any, right: Any, dev: Any) -> list[Any]:
    """Where [left, right] is cut, at least once: blocks are longer away from 0, where small
    variances have no density.
    """
    from flint import arb

    if left < 0 and right > 0:
        return [*_cuts(left, arb(0), dev), arb(0), *_cuts(arb(0), right, dev)]
    if not left >= 0:
        return [-cut for cut in reversed(_cuts(-right, -left, dev))]
    cuts: list[Any] = []
    start = left
    while True:
        wide = (dev * 1.2).max(start / 2).mid()
        if start + 1.3 * wide >= right:
            return [*cuts, ((start + right) / 2).mid()]
        start = (start + wide).mid()
        cuts.append(start)


def _moments(expr: Expr, ends: tuple[Any, Any], singular: tuple[int, Any], goal: Any) -> list[Any]:
    r"""$\int f^2T_n$ over a block; in a root of the distance from the end on that side."""
    from flint import acb, arb

    from ..verify.evaluate import function
    from ..verify.functions.ends import DISTANCE, local
    from ..verify.safe import integral

    (start, end), (side, c) = ends, singular
    tol, wide = (goal * arb(2) ** -20).mid(), end - start
    if side == 0:
        func, top = function(expand(expr**2), x), wide
        base: Any = start

        def place(y: Any) -> Any:
            return y + base

        def square(y: Any, analytic: bool) -> Any:
            return func(y + base, analytic)

    else:
        form = local(expr, c, side)
        powers = [p.exp for p in form.atoms(Pow) if p.base == DISTANCE]
        k = lcm(1, *(int(e.q) for e in powers if e.is_Rational))
        root = expand(expand(form**2).subs(DISTANCE, DISTANCE**k) * k * DISTANCE ** Integer(k - 1))
        inner, top = function(root, DISTANCE), wide.root(k)
        base = start if side > 0 else end

        def place(y: Any) -> Any:
            return base + side * y**k

        def square(y: Any, analytic: bool) -> Any:
            return inner(y, analytic)

    def times(n: int) -> Any:
        def func_n(y: Any, analytic: bool) -> Any:
            t = (2 * place(y) - start - end) / wide
            return square(y, analytic) * acb(t).chebyshev_t(n)

        return integral(func_n, arb(0), top, tol=tol).real

    return [times(n) for n in range(_POINTS)]


def _weights(moments: list[Any]) -> list[tuple[Any, Any]]:
    r"""(t_j, $\int f^2\ell_j$), $\ell_j=\frac2m\sum_n'T_n(t_j)T_n$."""
    from flint import arb

    found, m = [], len(moments)
    for k in range(m):
        t = -(arb(2 * k + 1) / (2 * m)).cos_pi()
        total = moments[0] / 2
        for n in range(1, m):
            total += arb.chebyshev_t(t, n) * moments[n]
        found.append((t, 2 * total / m))
    return found


def _missed(mass: Any, block: tuple[Any, Any], span: tuple[Any, Any]) -> Any:
    """What the polynomial of the density misses on a block, times the integral of f^2."""
    from flint import arb

    (middle, half), (low, _) = block, span
    rho = arb(_RHO)
    across, up = half * ((rho + 1 / rho) / 2 - 1), half * (rho - 1 / rho) / 2
    nearest = (abs(middle) - half - across).lower().max(arb(0))
    if nearest > up:  # exp((up^2 - nearest^2)/2q)/sqrt(q) is largest at q = nearest^2 - up^2
        most = (-arb(1) / 2).exp() / (nearest**2 - up**2).max(arb(low) / 1000).sqrt()
    else:
        most = (up * up / (2 * low)).exp() / low.sqrt()
    most /= (2 * arb.pi()).sqrt()
    return (abs(mass) * 4 * most * rho ** (1 - _POINTS) / (rho - 1)).upper()
