r"""Straight ends: functions that far out are all but a x + c, as atan(e^x) is, with the line there.

Where u has a deviation of 1000, panels would go on for thousands of lengths of the bend, or none
would do: far from 0 a ball around e^x reaches beyond the poles of atan.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy as sp
from flint import arb
from sympy import Expr

from ...errors import BadActivation, Undecided
from ...precision import precision
from ...symbols import x
from .beyond import far_line
from .pieces import Piece, number

_STARTS = (16, 32, 64, 96, 128, 192, 256, 384, 512)
_BITS = 192


@dataclass(frozen=True, slots=True)
class Settled:
    """Pieces with lines at both ends, and the supremum (`arb`) of what that changes."""

    pieces: tuple[Piece, ...]
    off: Any


@lru_cache(maxsize=64)
def settled(pieces: tuple[Piece, ...], bits: int, far: int) -> Settled | None:
    """The same with lines from at most `far` on, |f - f~| <= 2^-bits; None where there are none.

    An end that is a line is left alone; of the others every one has to settle.
    """
    out, off = list(pieces), arb(0)
    with precision(_BITS + bits):
        for side in (-1, 1):
            piece = out[0 if side < 0 else -1]
            if _is_line(piece.expr):
                continue
            found = _line(piece, side, bits, far)
            if found is None:
                return None
            place, line, more = found
            off = off.max(more)
            if side < 0:
                out[:1] = [Piece(None, place, line), Piece(place, piece.hi, piece.expr)]
            else:
                out[-1:] = [Piece(piece.lo, place, piece.expr), Piece(place, None, line)]
    return Settled(tuple(out), off.upper()) if len(out) > len(pieces) else None


def _is_line(expr: Expr) -> bool:
    return bool(sp.diff(expr, x, 2) == 0)


def _line(piece: Piece, side: int, bits: int, far: int) -> tuple[Expr, Expr, Any] | None:
    """Where the line begins, the line, and how far from it the piece is beyond."""
    form = piece.expr if side > 0 else piece.expr.subs(x, -x)
    end = piece.lo if side > 0 else piece.hi
    for start in _STARTS:
        if start > far or (end is not None and not side * number(end) < start):
            continue
        with suppress(Undecided, BadActivation):
            line, off = far_line(form, start)
            if off <= arb(2) ** -bits:
                return sp.Integer(side * start), line.subs(x, side * x), off
    return None
