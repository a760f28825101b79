r"""Hermite coefficients at every variance of a range, from those of the largest one.

$s = p + r$: those of the truncated powers p are known in closed form, and those of the smooth rest
r come by dilation (`derivations/identities/table_bound.md`, section 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .dilate import dilated
from .powers import Powers, hermite_rows

_BITS = 72
_UNIT = 2.0**-53
_NOISE = 1e-18
"""Smaller coefficients of the rest are left out; a bound counts them."""


@dataclass(frozen=True, slots=True)
class End:
    """The rest of an activation at the largest variance.

    Attributes:
        left: a bound of the energy of the rest beyond the terms that are kept.
        taken: the same of what is taken out.
        series: coefficients of the rest, also some that are not kept, rounded.
        beyond: a bound of the L^2 norm of the rest beyond those.
    """

    left: Any
    taken: Any
    series: tuple[float, ...]
    beyond: float


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left without the truncated powers, at the largest variance.

    Attributes:
        powers: what is taken out.
        terms: how many Hermite coefficients a table for all rho keeps.
        high: the largest variance.
        ends: what is known of the dual and the derivative dual.
    """

    powers: Powers
    terms: int
    high: float
    ends: tuple[End, End]

    def rows(self, nodes: tuple[Fraction, ...], terms: int) -> list[tuple[Any, Any, Any]]:
        """For both duals `(b, a, off)`: the rest and what is taken out at all nodes, in doubles.

        At every node the first `terms` numbers a + b are off by at most `off` in the L^2 norm.

        Raises:
            Undecided: no enclosure of the coefficients of what is taken out.
        """
        import numpy as np
        from flint import arb

        powers = self.powers
        out = []
        for slope in (False, True):  # of the rounded derivative too: nothing is off but doubles
            balls = hermite_rows(powers, slope, nodes, terms, _BITS)
            known = np.array([[float(v.mid()) for v in row] for row in balls])
            b, worst = self._dilated(self.ends[slope], nodes, terms)
            part = float(np.sqrt((known**2).sum(axis=1)).max())
            worst += powers.off + 2 * _UNIT * part
            out.append((b, known, arb(worst)))
        return out

    def _dilated(self, end: End, nodes: tuple[Fraction, ...], terms: int) -> tuple[Any, float]:
        """The rest at all nodes, and a bound of its errors in the norm."""
        import numpy as np

        top = np.array([end.series])
        noise = _NOISE * float(np.abs(top).max())
        b, worst = np.zeros((len(nodes), terms)), 0.0
        many = min(terms, top.shape[1])
        for i, q in enumerate(nodes):
            square = min(q / Fraction(self.high), Fraction(1))
            row, lost = dilated(top, square, many)
            row[np.abs(row) < noise] = 0.0
            gone = float(square) ** -0.25 * end.beyond * 1.01 + float(lost[0]) + terms**0.5 * noise
            b[i, :many], worst = row[0], max(worst, gone)
        return b, worst
