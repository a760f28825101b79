"""Points that prove a fault of a function: where it is negative, or zero."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import Any

import sympy as sp

from ...symbols import x
from ..evaluate import constant, real_ball
from .continuity import continuous
from .ranges import Range


def witness(g: Any, domain: Range, sign: int) -> sp.Rational | None:
    """A rational point of the domain where g is surely negative (sign -1), or exactly zero."""
    for p in _points(domain):
        value = constant(g, {x: constant(p, {})})
        exact = getattr(value, "sign", None)
        if sign == 0 and g.subs(x, p) == 0:
            return p
        if exact is not None:
            if exact == sign:
                return p
        elif sign < 0 and real_ball(value) < 0:
            return p
    return None


def sign_change(g: Any, domain: Range) -> tuple[sp.Rational, sp.Rational] | None:
    """Two points of the domain between which g, if it is continuous, surely has a zero.

    None where none were found, or where g may not be continuous.
    """
    if not continuous(g):
        return None
    seen: dict[bool, sp.Rational] = {}
    for p in _points(domain):
        value = real_ball(constant(g, {x: constant(p, {})}))
        if not value.contains(0):
            seen[bool(value > 0)] = p
            if len(seen) == 2:
                low, high = sorted(seen.values())
                return low, high
    return None


def _points(domain: Range) -> list[sp.Rational]:
    """A few rational points of the domain, its ends among them."""
    points = [sp.Rational(n, 2) for n in range(-8, 9)]
    for end in (domain.lo, domain.hi):
        # ends with long denominators are bounds of an irrational kink, beyond it
        if abs(end) != inf and Fraction(end).denominator < 2**40:
            points.append(sp.Rational(end))  # type: ignore[union-attr]
    return [p for p in points if domain.lo <= _as_fraction(p) <= domain.hi]


def outgrows_squares(g: Any, domain: Range) -> bool:
    """Whether g is surely above x^2 at one of some points far out in the domain."""
    for size in (sp.Integer(n) << k for k in (20, 60) for n in (8, 9, 11, 13, 14)):
        for p in (size, -size):
            if domain.lo <= _as_fraction(p) <= domain.hi:
                if real_ball(constant(g, {x: constant(p, {})})) > real_ball(constant(p * p, {})):
                    return True
    return False


def _as_fraction(p: sp.Rational) -> Any:
    return Fraction(int(p.p), int(p.q))
