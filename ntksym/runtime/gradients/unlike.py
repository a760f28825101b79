r"""Gram determinants of s at nearly parallel inputs whose lengths differ, and their slopes.

$\det = k_{11}k_{22} - k_{12}^2$ from $d = E[(s(u) - s(v))^2]$ loses the square of
$X = \tfrac12\log(q_{11}/q_{22})$ over itself.  Where s is nearly homogeneous of degree n it is made
of $e = s(v) - \kappa s(u)$ instead, $\kappa = (r_2/r_1)^n$, u the shorter: with the sums of
`backends.unlike`, and g the integral of the derivative dual over the angle,
$$\det = k_1E[e^2] - E[s_1e]^2 + g(2p - g), \qquad p = \kappa k_1 + E[s_1e].$$
$E[e^2]$ is integrals of the kernel of $h(x) = xs'(x) - ns(x)$.  $E[s_1e]$ is
$(k_2 - \kappa^2k_1 - E[e^2])/2\kappa$: what is lost in it is lost of a square that is smaller than
the first term by what s and h are correlated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ...backends import SourceFile
from ...backends.c.gradient.large import TOGETHER, UNLIKE
from ...backends.unlike import numpy_unlike
from ..checks import Array
from ..engines import load_module
from .apart import ALIKE, Gap, Slope, gap
from .large import Rest, along


@cache
def _module() -> Any:
    """NumPy's sums of `backends.unlike`."""
    text = f'"""Parallel inputs of unlike lengths."""\n\nimport numpy as np\n\n\n{numpy_unlike()}\n'
    return load_module(SourceFile("unlike.py", text))


@dataclass(frozen=True, slots=True)
class Unlike:
    """The determinants of a dual's pairs.

    Attributes:
        slope: the derivative dual.
        far: as `lower.near.Near.far`.
        own: q -> E[s(u)^2].
        rest: n and the kernel of h.
    """

    slope: Slope
    far: float
    own: Callable[[Array], Array]
    rest: Rest

    def det(self, m: Array, apart: Array, angle: Array) -> Array:
        """The determinants of pairs with exp(M), X that are not 0, and the angle."""
        spread, degree = abs(apart), self.rest.degree
        lo, hi = m * np.exp(-spread), m * np.exp(spread)

        def kernel(q11: Array, q12: Array, q22: Array, root: Array) -> Array:
            found: Array = self.rest.values(*np.broadcast_arrays(q11, q12, q22, root))[0]
            return found

        given = degree, 0.0, kernel, np.zeros_like
        first, ends, *_ = _module()._near_unlike(given, self.own, lo, hi, spread)
        ratio = np.exp(degree * spread)
        mixed = (self.own(hi) - ratio * ratio * first - ends) / (2.0 * ratio)
        turn = 0.5 * gap(self.slope, self.far, m, apart, angle, lengths=False)
        within = first * ends - mixed * mixed
        found: Array = within + turn * (2.0 * (ratio * first + mixed) - turn)
        return found

    def slopes(self, m: Array, apart: Array, angle: Array) -> Gap:
        """The same, and its slopes in M and X at a fixed angle; NaN where lengths are alike."""
        made = Gap(*(np.full(m.shape, np.nan) for _ in range(3)))
        far = abs(apart) > ALIKE
        if far.any():
            m, apart, angle = m[far], apart[far], angle[far]
            half = UNLIKE[1] * abs(apart)
            made.d[far] = self.det(m, apart, angle)
            made.by_m[far] = along(lambda t: self.det(m * np.exp(t), apart, angle), TOGETHER)
            by_x = along(lambda t: self.det(m, apart + half * t, angle), (UNLIKE[0], 1.0))
            made.by_x[far] = by_x / half
        return made
