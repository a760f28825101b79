r"""The Hermite coefficients at all variances from those at the largest one.

$h_n(cz) = \sum_k T_{n-2k,n}(c)\,h_{n-2k}(z)$ with
$T_{n-2k,n} = c^{n-2k}((c^2-1)/2)^k\sqrt{n!/(n-2k)!}/k!$: for $c < 1$ a dilation takes polynomials
to polynomials of the same degree, and does not enlarge the norm by more than $c^{-1/2}$
(`derivations/identities/table_bound.md`, section 10).  Times $\sqrt{m!}\,c^{-m}$ the coefficients
m are the sums $\sum_k e_k\gamma_{m+2k}$, $e_k = ((c^2-1)/2)^k/k!$, $\gamma_n = \sqrt{n!}\,g_n$:
one product of polynomials for the even and one for the odd of them.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

from ...arith import ball
from ...patience import check

_UNIT = 2.0**-53
_BITS = 96
_LEAST = -82.0


@lru_cache(maxsize=4)
def _roots(count: int) -> list[Any]:
    """The square roots of n!, n < count."""
    from flint import arb

    out, product = [], arb(1)
    for n in range(count):
        product = product * n if n else product
        out.append(product.sqrt())
    return out


def _steps(count: int, square: float) -> int:
    """How many k there are with a T that is not below e^-80."""
    import numpy as np
    from scipy.special import gammaln

    k = np.arange(1.0, (count + 1) // 2)
    # T grows with m until (m+2k)/m is 1/c^2
    most = np.floor(np.minimum(2 * k * square / (1 - square), count - 1 - 2 * k))
    size = 0.5 * (gammaln(most + 2 * k + 1) - gammaln(most + 1)) - gammaln(k + 1)
    size += most * np.log(square) / 2 + k * np.log((1 - square) / 2)
    return 1 + int(np.max(k[size > _LEAST], initial=0))


def dilated(rows: Any, square: Fraction, wanted: int | None = None) -> tuple[Any, Any]:
    """`(coefficients, errors)` of the functions z -> g(c z), in doubles.

    Args:
        rows: the coefficients of functions g, one row each (doubles).
        square: c^2, 0 < c^2 <= 1.
        wanted: how many coefficients; all by default.

    `errors` has for every row a bound of the L^2 norm of what rounding does; that of the rows
    themselves by a unit each is in it.
    """
    import numpy as np
    from flint import arb, arb_poly

    from ....precision import precision

    check()
    count = rows.shape[1]
    wanted = count if wanted is None else min(wanted, count)
    size = np.sqrt((rows**2).sum(axis=1))
    if square >= 1:
        return rows[:, :wanted].copy(), size * (_UNIT * 1.01)
    with precision(_BITS):
        roots, half = _roots(count), (ball(square) - 1) / 2
        steps, powers, c = [arb(1)], [arb(1)], ball(square).sqrt()
        for k in range(1, _steps(count, float(square))):
            steps.append(steps[-1] * half / k)
        for _ in range(1, count):
            powers.append(powers[-1] * c)
        weights = [p / r for p, r in zip(powers, roots, strict=True)]
        out, lost = np.zeros((len(rows), wanted)), np.zeros(len(rows))
        for i, row in enumerate(rows.tolist()):
            grown = [r * g for r, g in zip(roots, row, strict=True)]
            for parity in range(min(wanted, 2)):
                known = grown[parity::2]
                product = arb_poly(known[::-1]) * arb_poly(steps[: len(known)])
                for m, w in enumerate(weights[parity:wanted:2]):
                    found = product[len(known) - 1 - m] * w
                    out[i, parity + 2 * m] = float(found.mid())
                    lost[i] += float(found.rad()) ** 2
        own = np.sqrt((out**2).sum(axis=1))
        grow = float(1 / c.sqrt().lower())
        return out, (np.sqrt(lost) + _UNIT * (own + grow * size)) * 1.01 + count * 1e-30 * size
