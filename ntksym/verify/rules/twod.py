"""Expectations that stay two-dimensional: neither function has a closed conditional mean."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from math import floor
from typing import Any

from flint import arb

from ...errors import Undecided
from ..functions.ends import odd_ends
from ..functions.growth import growth_of
from ..functions.pieces import Piece
from ..functions.settled import settled
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


_WIDE = 200
"""Deviations from which on straight ends are looked for."""
_SPARE = 4
_SHARE = 2
"""Lines begin within the deviation over this: else little is gained."""
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
    one, two, off = _straight(f, g, law, tol)
    return _planar(one, two, law, tol) + arb(0, off)


def _straight(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law, tol: Any) -> tuple[Any, ...]:
    """Both with straight ends where they are wide and have them, and what that changes at most.

    E|f - f~||g| + E|f~||g - g~|: section 12 of `derivations/identities/enclosure.md`.
    """
    devs = [(arb(m) ** 2 + q).sqrt().upper() for m, q in ((law.m1, law.q11), (law.m2, law.q22))]
    unchanged = f, g, arb(0)
    if not max(devs) > _WIDE:
        return unchanged
    goal = tol / (2 + devs[0] + devs[1])
    for _ in range(2):  # the second time with the sizes that the first one found
        bits = _SPARE - floor(float((goal.log() / arb.const_log2()).lower()))
        far = [int(float(d)) // _SHARE for d in devs]
        ends = [settled(h, bits, most) for h, most in zip((f, g), far, strict=True)]
        off = [arb(0) if end is None else end.off for end in ends]
        one, two = (h if e is None else e.pieces for h, e in zip((f, g), ends, strict=True))
        if one is f and two is g:
            return unchanged
        sizes = [_size(h, dev) for h, dev in zip((f, g), devs, strict=True)]
        lost = (off[0] * sizes[1] + (sizes[0] + off[0]) * off[1]).upper()
        if lost <= tol / 4:
            return one, two, lost
        goal = tol / (sizes[0] + sizes[1] + 1)
        if not goal > 0:
            break
    return unchanged


def _size(pieces: tuple[Piece, ...], dev: Any) -> Any:
    """A bound of E|f(u)|, E[u^2] = dev^2: c (1 + dev)^k, k <= 2, of a growth c (1 + |t|)^k."""
    with suppress(Undecided):
        bound = growth_of(pieces)
        if bound.k <= 2 and bound.b <= 0 and bound.a <= 0:
            return (bound.c * (1 + dev) ** bound.k).upper()
    return arb("inf")


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
