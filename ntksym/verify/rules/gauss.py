r"""Gauss-Legendre panels with a proved error, one variable at a time.

If |F| <= M on the Bernstein ellipse rho of a panel [a, b], the n-point rule (n >= 2) errs by at
most $\frac{b-a}{2}\,\frac{64}{15}\,\frac{M \rho^{-2n}}{1-\rho^{-2}}$: section 6 of
`derivations/identities/enclosure.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import ceil, inf
from typing import Any

from flint import arb, ctx

from ...errors import Undecided
from ..safe import Exhausted

MOST_POINTS = 64
MOST_PANELS = 200
"""Panels of one variable beyond those its ends make; more mean that the function oscillates."""
_DEPTH = 40
_ELLIPSES = ((12, 10), (14, 10), (17, 10), (2, 1), (5, 2), (3, 1), (4, 1), (5, 1), (7, 1), (10, 1))
_LEAST = 2

Bound = Callable[[Any, Any, Any, Any], Any]
"""`bound(a, b, semi, height)`: the supremum of |F| on the ellipse around the panel, or None."""
Quiet = Callable[[Any, Any], Any]
"""`quiet(a, b)`: a bound of the integral of |F| over the panel."""


@dataclass(frozen=True, slots=True)
class Panel:
    """[a, b] with n points, and the error bound of the rule for F; 0 points leave all of it out."""

    a: Any
    b: Any
    points: int
    error: Any


@lru_cache(maxsize=4096)
def _rule(n: int, bits: int) -> tuple[tuple[Any, Any], ...]:
    half = [arb.legendre_p_root(n, k, weight=True) for k in range((n + 1) // 2)]
    mirrored = [(-t, w) for t, w in half[: n // 2]]
    return tuple(half + mirrored[::-1])


def nodes(panel: Panel) -> list[tuple[Any, Any]]:
    """`(node, weight)` as `arb` at the working precision."""
    if panel.points == 0:
        return []
    centre, half = (panel.a + panel.b) / 2, (panel.b - panel.a) / 2
    rule = _rule(panel.points, int(ctx.prec))
    return [(centre + half * t, half * w) for t, w in rule]


def panels(
    ends: list[tuple[Any, Any]],
    bound: Bound,
    tol: Any,
    widest: float,
    quiet: Quiet | None = None,
) -> list[Panel]:
    """Panels that cover the intervals `ends`, each with an error below `tol`.

    Those of which `quiet` says that their integral is below it have no points, kinks or not.

    Raises:
        Undecided: no panel works at a place: a singularity, or a slope too steep for any.
    """
    out: list[Panel] = []
    counts = [max(1, ceil(float((b - a).mid()) / widest)) for a, b in ends]
    most = MOST_PANELS + sum(counts)
    for (a, b), count in zip(ends, counts, strict=True):
        cuts = [a, *(((a * (count - i) + b * i) / count).mid() for i in range(1, count)), b]
        for left, right in pairwise(cuts):
            _refine(left, right, (bound, quiet, tol), _DEPTH, out, most)
    return out


def _refine(
    a: Any,
    b: Any,
    rule: tuple[Bound, Quiet | None, Any],
    depth: int,
    out: list[Panel],
    most: int,
) -> None:
    bound, quiet, tol = rule
    if quiet is not None and (lost := quiet(a, b)) < tol:
        out.append(Panel(a, b, 0, lost))
        return
    best = _best(a, b, bound, tol)
    if best is not None:
        out.append(best)
        return
    if depth == 0:
        at = a.mid().str(6, radius=False)
        raise Undecided(
            f"no panel of the integral works at {at}: the activation is singular or too steep"
        )
    if len(out) > most:
        raise Exhausted("the activation oscillates too fast for a certificate: too many panels")
    mid = ((a + b) / 2).mid()
    _refine(a, mid, rule, depth - 1, out, most)
    _refine(mid, b, rule, depth - 1, out, most)


def _best(a: Any, b: Any, bound: Bound, tol: Any) -> Panel | None:
    half, best, fewest = (b - a) / 2, None, inf
    for p, q in _ELLIPSES:
        rho = arb(p) / q
        size = bound(a, b, half * (rho + 1 / rho) / 2, half * (rho - 1 / rho) / 2)
        if size is None or not size.is_finite():
            break  # a larger ellipse contains this one
        front = half * arb(64) / 15 * size / (1 - rho**-2)
        wanted = float(((front / tol).max(arb(1)).log() / (2 * rho.log())).upper())
        n = max(_LEAST, ceil(wanted))
        if n >= fewest:
            break  # log size is convex in log rho (Hadamard): from here the points only grow
        fewest = n
        if n <= MOST_POINTS:
            best = Panel(a, b, n, (front * rho ** (-2 * n)).upper())
        if n == _LEAST:
            break
    return best
