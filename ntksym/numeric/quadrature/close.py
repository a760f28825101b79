r"""The derivative dual of rows next to each other, where $s'$ is unbounded at kinks.

Lines stand for s on narrow strips, so a rule has $E[\tilde s'(u)\tilde s'(v)]$.  Where u and v are
not next to each other that is the derivative dual, within the bound.  For u = v it lacks
$\sum_c p(c)Q_c$, p the density, $Q_c=\int(s'^2-\tilde s'^2)$ over the strips of c; between both
there is no bound, and NaN: section 16 of `derivations/identities/quadrature.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, nan, pi, sqrt


@dataclass(frozen=True, slots=True)
class Close:
    """What the rule lacks for equal inputs, and where there is no bound.

    Attributes:
        kinks: all of them; first those where s' is not analytic.
        squares: Q_c of these.
        sigma: from this sqrt(1 - rho^2) on nothing is lacking.
        apart: nor where the kinks of u and v are so far from each other, in units of u or v.
        parity: s'(-x) = parity s'(x); 0 where there is no such sign.
    """

    kinks: tuple[float, ...]
    squares: tuple[float, ...]
    sigma: float
    apart: float
    parity: int

    def mended(self, dot: float, a: float, b: float, rho: float, sigma: float) -> float:
        """The derivative dual for u = a x, v = b y, a >= b > 0, from that of the rule."""
        if sigma >= self.sigma:
            return dot
        sign = 1 if rho > 0.0 else self.parity
        if sigma == 0.0 and a == b and sign:
            lacking = zip(self.kinks, self.squares, strict=False)
            total = sum(q * exp(-0.5 * (c / a) * (c / a)) for c, q in lacking)
            return dot + sign * total / (a * sqrt(2.0 * pi))
        turned = b if rho > 0.0 else -b
        for i, c in enumerate(self.kinks):
            for e in self.kinks[: len(self.kinks) if i < len(self.squares) else len(self.squares)]:
                if abs(turned * c - a * e) < self.apart * a:
                    return nan
        return dot

    def line(self) -> str:
        """One line of text."""
        return (
            f"derivative dual: NaN of unequal inputs with sqrt(1 - rho^2) < {self.sigma:.2g} whose "
            f"kinks are less than {self.apart:.2g} apart"
        )
