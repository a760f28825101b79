r"""The kinks of a layer, and what nearly collinear inputs see of them.

Where the slope of s jumps by $a_i$ at $b_i$, $E[s''(u)s''(v)]$ has $a_i a_j$ times the density of
(u, v) at $(b_i, b_j)$: for collinear inputs with $b_j = \pm b_i$ it is infinite like
$1/\sqrt{\det}$, and everything else is finite.  Where s itself jumps it is infinite to a higher
order, unless no jump meets a kink there: no jump at b and kink at -b, for inputs that are opposite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import inf, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Rational

from ...activation import Activation
from ...backends.array.unit import roughness
from ...derivation import Derivation
from ...dual import dual
from ...lower.schedule import number
from ..checks import Array


@dataclass(frozen=True, slots=True)
class Kinks:
    """The kinks of an activation with its numbers.

    Attributes:
        gap: the least distance of two places among the kinks and their negatives; infinite where
            the only one is at 0.
        places: where the slope jumps, and by how much.
        jumps: where s jumps.
    """

    gap: float
    places: tuple[tuple[float, float], ...]
    jumps: tuple[float, ...]

    def met(self, ahead: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether a jump of s meets a kink or a jump of collinear inputs, which point the same way
        where `ahead`: there is no `peak`.
        """
        ends = {at for at, _ in self.places} | set(self.jumps)
        found: NDArray[np.bool_] = np.where(
            ahead, bool(self.jumps), any(-b in ends for b in self.jumps)
        )
        return found

    def peak(self, length: Array, sine: Array, ahead: Array) -> Array:
        r"""The limit of $\sqrt{\det} E[s''(u)s''(v)]$ as inputs become collinear.

        Args:
            length: the product of the standard deviations.
            sine: the part of the angle in the hypotenuse of it and the log ratio of lengths.
            ahead: whether the inputs point the same way.
        """
        total = np.zeros(np.broadcast_shapes(length.shape, sine.shape, ahead.shape))
        for place, height in self.places:
            # the density of (u, v) at (b, +-b), times the root
            peak = np.exp(-0.5 * (place * place / length) / (sine * sine)) / (2.0 * pi)
            for sign in (1.0, -1.0):
                other = sum(h for at, h in self.places if at == sign * place)
                total = total + np.where(ahead == (sign > 0.0), height * other * peak, 0.0)
        return total


def kinks_of(activation: Activation, values: Mapping[str, Any]) -> Kinks | None:
    """The kinks with these values of the parameters.

    None where the slope of s does not jump, or s is no sum of terms (real powers).
    """
    derived = dual(activation).derivation
    if not isinstance(derived, Derivation) or not roughness(activation)[1]:
        return None

    def at(e: Expr) -> float:
        return number(e.subs({p: Rational(Fraction(values[p.name])) for p in e.free_symbols}))

    ends = {sign * at(e.expr) for e in derived.terms.thresholds for sign in (1, -1)}
    gap = min((abs(a - b) for a, b in combinations(ends, 2)), default=inf)
    slope, steps = derived.slope
    places = tuple((at(e.expr), at(h.expr)) for e, h in slope.derivative()[1].items())
    return Kinks(gap, places, tuple(at(e.expr) for e in steps))
