"""How much the parts of a mixture cancel: each has closed forms of its own, which are rounded."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import inf, nan

from sympy import Integer

from ..activation import Activation
from ..precision import precision
from ..symbols import q
from .arith import ball
from .collinear import Pieces
from .mixture import FEW, of_nodes
from .nodes import mixture

_NOTHING = 1e-3
"""A sum this small beside its parts, and not known to be positive, is lost."""


@lru_cache(maxsize=256)
def cancellation(activation: Activation, v: Fraction) -> float:
    """At least the square of the norms of the parts of s, or of s', over that of s, at q = v.

    In units of rounding about what the sum of the parts loses: each has its own closed forms.
    Infinite where nothing is left of the sum, NaN where the balls are too wide to tell.
    """
    most, found = 0.0, of_nodes(activation, mixture(FEW))
    with precision(found._bits(v)):
        for slope in (False, True):
            plain, _, pairs = found._pieces(True, slope)
            own = range(0, len(pairs), found.forms.families + 1)
            parts: list[Pieces] = [(plain, [], []), *((Integer(0), [], [pairs[i]]) for i in own)]
            squares = [found._sum(part, {q: ball(v)}, True) for part in parts]
            sizes = [z.max(z * 0).upper().sqrt() for z in squares]
            (least, top), _ = found.size(v, slope, {})
            whole = sum(sizes, sizes[0] * 0)
            if not (least > 0 and whole.is_finite()):
                return inf if top < whole.lower() * _NOTHING else nan
            most = max(most, float((whole / least).upper()) ** 2)
    return most
