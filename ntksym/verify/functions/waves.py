"""Waves that accumulate at the end of a piece, as those of sin(1/x): seen before panels are tried.

This decides what is tried, and proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from flint import acb, arb
from sympy import Expr

from ..evaluate import function
from ..safe import Integrand
from .ends import DISTANCE

_WAVES = (sp.sin, sp.cos)


def phases(expr: Expr) -> list[Integrand]:
    """The arguments of its waves that are not linear, as functions of the distance."""
    found = {f.args[0] for f in expr.atoms(*_WAVES)}
    moving = (g for g in found if g.has(DISTANCE) and not g.is_polynomial(DISTANCE))
    return [function(g, DISTANCE) for g in sorted(moving, key=sp.default_sort_key)]


def radians(expr: Expr, places: list[Any], matters: Callable[[Any], bool]) -> Any:
    """The least change (`arb`) of a phase from the first place to the last that matters."""
    most = arb(0)
    if not (waves := phases(expr)):
        return most
    last = next((s for s in reversed(places) if matters(s)), places[0])
    for g in waves:
        change = abs(g(acb(last), False) - g(acb(places[0]), False))
        if change.is_finite():
            most = most.max(change.lower())
    return most
