"""Expectations that stay two-dimensional: neither function has a closed conditional mean."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flint import arb

from ...errors import Undecided
from ..functions.ends import odd_ends
from ..functions.pieces import Piece
from ..functions.sided import sided
from ..functions.steep import cut_where_steep
from ..law import Law
from ..safe import Accumulating, Divergent, Exhausted, allowed
from .lattice import lattice
from .mehler import mehler
from .odd import odd
from .tensor import tensor
from .tilt import tilted

_NEAR = 0.9
"""The correlation from which on panels come before Mehler's series, which gets long."""

_NEARER = 0.97
"""The same where the panels are those of `odd`."""


_FEW = 20_000
"""Nodes of a lattice; with more, panels of different lengths may do better: a bend is narrow, and
very near correlation one only v - u needs small steps."""
_SOON = 1.0
"""Seconds for these, as the lattice serves in any case."""
_NODES = 200_000
"""How many of them take about as long to sum over."""


def planar(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law, tol: Any) -> Any:
    """An enclosure (`arb`) of E[f(u) g(v)] with a radius of about `tol`; q11, q22, det > 0.

    Functions analytic in a wide strip go to the lattice sum; the rest to Mehler's series, and very
    near correlation one to Gauss-Legendre panels; where one does not get there, to the other.

    Raises:
        Divergent: a function is not integrable at a point.
        Undecided: none gets there.
    """
    if (other := tilted(f, g, law)) is not None:
        fine = (tol / other.front).lower()
        return _planar(other.f, other.g, other.law, fine) * other.front
    return _planar(f, g, law, tol)


def _planar(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law, tol: Any) -> Any:
    rough = any(odd_ends(piece) for piece in (*f, *g))
    grid = None if rough else lattice(f, g, law, tol)
    if grid is not None:
        missed = _missed(f, g, law)
        if grid.nodes > _FEW and not any(tol <= goal for goal in missed):
            far, seconds = _correlation(law) < _NEAR, _SOON * grid.nodes / _NODES
            try:
                with allowed(min(_SOON, seconds) if far else seconds):
                    return mehler(f, g, law, tol) if far else tensor(f, g, law, tol)
            except (Divergent, Accumulating):
                raise
            except Undecided:
                missed.append(tol)
        return grid.value()
    one, two = sided(f), sided(g)
    if one is not f or two is not g:
        try:
            return _rules(one, two, law, tol, rough)
        except (Divergent, Accumulating):
            raise
        except Undecided:
            pass
    return _rules(f, g, law, tol, rough)


@lru_cache(maxsize=64)
def _missed(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law) -> list[Any]:
    """The goals that the series or the panels did not reach soon: a finer one takes them longer."""
    return []


def _correlation(law: Law) -> float:
    """|rho|, about."""
    return abs(float((arb(law.q12) / arb(law.q11 * law.q22).sqrt()).mid()))


def _rules(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law, tol: Any, rough: bool) -> Any:
    rho = _correlation(law)
    panels = odd if rough else tensor
    near = _NEARER if rough else _NEAR
    ways = (mehler, panels) if rho < near else (panels, mehler)
    said: list[Undecided] = []
    for way in ways:
        try:
            return way(f, g, law, tol)
        except (Divergent, Accumulating):
            raise
        except Undecided as failed:
            said.append(failed)
    one, two = cut_where_steep(f), cut_where_steep(g)
    if rho >= near and (one != f or two != g):
        try:
            return odd(one, two, law, tol)
        except (Divergent, Accumulating):
            raise
        except Undecided as failed:
            said.append(failed)
    worn = isinstance(said[0], Exhausted)  # that of the way which is meant for this correlation
    text = "; ".join(dict.fromkeys(e.what for e in said))
    raise Exhausted(text) if worn else Undecided(text)
