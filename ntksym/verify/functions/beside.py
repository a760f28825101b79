r"""Zeros of a function with a root that ends at an irrational point: $|x + \pi|^{3/2} - |x|^{1/3}$.

A search needs rational ends, and outside of the piece, however little, the root is not real.  In
the distance s from that point the piece starts at s = 0, which is exact.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy as sp
from sympy import Expr

from ...symbols import x
from ..evaluate import constant
from .ends import DISTANCE, odd_ends
from .pieces import Piece, number
from .ranges import lower, upper
from .rooted import Zeros


def zeros_beside(
    g: Expr, lo: Expr | None, hi: Expr | None, zeros: Zeros
) -> tuple[Expr, ...] | None:
    """The zeros of g in (lo, hi), by `zeros` of g in a distance; None where no end is such a one.

    An interval with two ends is cut in its middle, so that no part has two such ends.
    """
    found = [end for end in odd_ends(Piece(lo, hi, g)) if not _is_rational(end[0])]
    if not found:
        return None
    c, side, form = found[0]
    form = form.subs(DISTANCE, x)
    if lo is None or hi is None:
        return tuple(c + side * z for z in zeros(form, sp.Integer(0), None))
    mid = _between(lo, hi)
    near = zeros(form, sp.Integer(0), side * (mid - c))
    far = zeros(g, mid, hi) if side > 0 else zeros(g, lo, mid)
    return (*(c + side * z for z in near), *far)


def _is_rational(c: Expr) -> bool:
    value: Any = constant(c, {})
    return hasattr(value, "as_rational") and value.as_rational() is not None


def _between(lo: Expr, hi: Expr) -> Expr:
    middle = (upper(number(lo)) + lower(number(hi))) / 2
    short = middle.limit_denominator(2**16)
    if not number(lo) < number(sp.Rational(short)) < number(hi):
        short = Fraction(middle)
    return sp.Rational(short)
