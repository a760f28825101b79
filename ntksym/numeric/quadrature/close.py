r"""The derivative dual of rows next to each other, where $s'$ is unbounded at kinks.

Lines stand for s on narrow strips, so a rule has $E[\tilde s'(u)\tilde s'(v)]$.  Where u and v are
not next to each other that is the derivative dual, within the bound.  For u = v it is a sum of its
own, $\sum_jW_jp(u_j)$, p the density; between both there is no bound, and NaN: section 16 of
`derivations/identities/quadrature.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, fsum, nan, pi, sqrt


@dataclass(frozen=True, slots=True)
class Close:
    """The sum for equal inputs, and where there is no bound.

    Attributes:
        kinks: all of them; first those where s' is not analytic.
        odd: how many those are.
        nodes: u_j.
        weights: W_j.
        sigma: from this sqrt(1 - rho^2) on the rule holds.
        apart: and where the kinks of u and v are so far from each other, in units of u or v.
        parity: s'(-x) = parity s'(x); 0 where there is no such sign.
    """

    kinks: tuple[float, ...]
    odd: int
    nodes: tuple[float, ...]
    weights: tuple[float, ...]
    sigma: float
    apart: float
    parity: int

    def mended(self, dot: float, a: float, b: float, rho: float, sigma: float) -> float:
        """The derivative dual for u = a x, v = b y, a >= b > 0, from that of the rule."""
        if sigma >= self.sigma:
            return dot
        sign = 1 if rho > 0.0 else self.parity
        if sigma == 0.0 and a == b and sign:
            both = zip(self.nodes, self.weights, strict=True)
            total = fsum(w * exp(-0.5 * (u / a) * (u / a)) for u, w in both)
            return sign * total / (a * sqrt(2.0 * pi))
        turned = b if rho > 0.0 else -b
        for i, c in enumerate(self.kinks):
            for e in self.kinks[: len(self.kinks) if i < self.odd else self.odd]:
                if abs(turned * c - a * e) < self.apart * a:
                    return nan
        return dot

    def line(self) -> str:
        """One line of text."""
        return (
            f"derivative dual: NaN of unequal inputs with sqrt(1 - rho^2) < {self.sigma:.2g} whose "
            f"kinks are less than {self.apart:.2g} apart"
        )
