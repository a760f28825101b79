r"""The variable of a shell $a \le S \le b$, $S = \sqrt{1-\rho^2}$.

With $\sigma = g\,(S-a)$, $g \le 1/(b-a)$, it is $x = 2w-1$,
$w = (1+\kappa)\sigma/(1+\kappa\sigma)$.  On the right half plane both parts of
$K = E(S)+\rho\,O(S)$ are singular at S = 0 and at infinity at most: kappa puts these two equally
far from the interval, $\alpha\kappa^2 + 2\alpha\kappa = 1$ with $\alpha = a/(b-a)$
(`derivations/identities/table_bound.md`, section 16).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt
from typing import Any

from ..sine import times
from ..variable import ellipse, unmapped

_ARCS = 512
_WITHIN = 1 - 2.0**-40
_OFF_SINE = 12
"""Units that S is off by, the difference from a with it."""
_OWN_SINE = 10
"""Units of its own size that S is off by."""
Line = list[Any]


@dataclass(frozen=True, slots=True)
class Shell:
    """The map from S to x, exact in doubles.

    Attributes:
        inner: a, the least S.
        scale: g.
        kappa: of the variable.
    """

    inner: float
    scale: float
    kappa: float

    @classmethod
    def over(cls, inner: float, outer: float) -> Shell:
        """The shell of an interval, 0 < inner < outer <= 1."""
        alpha = inner / (outer - inner)
        return cls(inner, _WITHIN / (outer - inner), sqrt(1 + 1 / alpha) - 1)

    @property
    def grow(self) -> Any:
        """A bound of |dx/drho| (`arb`)."""
        from flint import arb

        return 2 * (1 + arb(self.kappa)) * self.scale / self.inner

    @property
    def off_x(self) -> int:
        """How many units x is off by in generated code.

        S is off by 10 units of its own size, and dx/dsigma = 2 (1 + kappa) v^2 falls.
        """
        start, steep = _OWN_SINE * self.scale * self.inner, _OWN_SINE + 2.0
        top = min(max(1 / self.kappa - 2 * start / steep, 0.0), 1.0)
        most = (start + steep * top) / (1 + self.kappa * top) ** 2
        return ceil(2 * (1 + self.kappa) * most) + 13

    @property
    def off(self) -> int:
        """How many units the factor of the derivative, with the sums behind it, is off by."""
        return ceil(2 * self.kappa * (_OFF_SINE * self.scale + 1)) + 48

    def at(self, sine: float) -> tuple[float, float]:
        """`(x, dx/drho over rho)` in doubles, as generated code has them."""
        s = (sine - self.inner) * self.scale
        less = 1 / (1 + self.kappa * s)
        steep = -2 * (1 + self.kappa) * self.scale * (less * less) / sine
        return 2 * (1 + self.kappa) * s * less - 1, steep

    def square(self, x: Any) -> Any:
        """rho^2 at x, for `arb` and `acb`."""
        s = self.inner + unmapped(x, self.kappa) / self.scale
        return 1 - s * s

    def bracket(self, line: Line, part: int, slope: Line) -> Line:
        r"""Chebyshev coefficients of vS times what a series becomes in the derivative dual.

        With $v = 1/(1+\kappa\sigma)$ and $B = -2(1+\kappa)g\,v\,G'$ of a part G: of E it is
        $v^2B$, of O $vS\,O + (v^2-(vS)^2)B$; v and vS are linear in x.
        """
        from flint import arb

        turn = 2 * (1 + arb(self.kappa)) * self.scale
        v, vs = self._linear()
        bend = times([-turn * c for c in slope], *v)
        square = times(times(bend, *v), *v)
        if not part:
            return square
        own, less = times(line, *vs), times(times(bend, *vs), *vs)
        long = max(len(own), len(square))
        three = ([*f, *[arb(0)] * (long - len(f))] for f in (own, square, less))
        return [a + b - c for a, b, c in zip(*three, strict=True)]

    def lifted(self, line: Line) -> Line:
        """Chebyshev coefficients of vS times a series."""
        return times(line, *self._linear()[1])

    @property
    def least(self) -> Any:
        """The least vS, which is at one of the ends."""
        from flint import arb

        last = (self.inner + 1 / arb(self.scale)) / (1 + arb(self.kappa))
        return arb(self.inner).min(last).lower()

    def _linear(self) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        """The numbers v and vS as a + b x: both are linear in w = (1 + x)/2."""
        from flint import arb

        kappa = arb(self.kappa)
        less = -kappa / (1 + kappa) / 2
        v = 1 + less, less
        # v sigma = w/(1 + kappa)
        more = 1 / (2 * (1 + kappa) * self.scale)
        return v, (self.inner * v[0] + more, self.inner * v[1] + more)


@lru_cache(maxsize=64)
def spread(radius: str, shell: Shell) -> Any:
    """A bound of rho^2 on an ellipse of x (`arb`); None where it holds the pole."""
    from flint import arb

    from ....precision import precision

    with precision(64):
        r = arb(radius)
        if not r + 1 / r < 2 * (1 + arb(2) / shell.kappa):
            return None
        most = max(abs(shell.square(box)).upper() for box in ellipse(r, _ARCS))
        return most if most.is_finite() else None
