r"""Cuts where a smooth function is steep or nearly singular: tanh(1000x), sqrt(x^2 + 1e-8).

Near correlation one a window around such a place has its own nodes in both variables, as one around
a kink has.  A cut too many does no harm.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from itertools import pairwise

import sympy as sp
from sympy import Expr

from ...errors import BadActivation, Undecided
from ...functions import Phi
from ...precision import precision
from ...symbols import x
from .pieces import Piece, number
from .zeros import all_zeros

_STEEP = (sp.tanh, sp.sech, sp.erf, sp.erfc, sp.atan, sp.asinh, sp.exp, Phi)
_MOST = 8


@lru_cache(maxsize=64)
def cut_where_steep(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The same function, cut where an argument of a steep function, or its slope, is zero."""
    out: list[Piece] = []
    for piece in pieces:
        with precision(256), suppress(Undecided, BadActivation):
            places = _places(piece)
            if len(places) <= _MOST:
                ends = [piece.lo, *places, piece.hi]
                out += [Piece(a, b, piece.expr) for a, b in pairwise(ends)]
                continue
        out.append(piece)
    return tuple(out)


def _places(piece: Piece) -> list[Expr]:
    """The places strictly inside a piece, in order."""
    found: dict[float, Expr] = {}
    lo, hi = piece.ends()
    for g in _inner(piece.expr):
        for c in all_zeros(g, piece.lo, piece.hi):
            at = number(c)
            if (lo is None or at > lo) and (hi is None or at < hi):
                found.setdefault(float(at), c)
    return [found[k] for k in sorted(found)]


def _inner(expr: Expr) -> set[Expr]:
    out: set[Expr] = set()
    for e in expr.atoms(sp.Pow, sp.log, *_STEEP):
        g = e.args[0]
        if not g.has(x):
            continue
        if isinstance(e, _STEEP) and not isinstance(e, sp.exp):
            out.add(g)
        elif isinstance(e, (sp.log, sp.exp)) or not (e.exp.is_Integer and e.exp > 0):
            out.add(sp.diff(g, x))
    return {g for g in out if g.has(x)}
