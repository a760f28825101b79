r"""The Hermite coefficients at all variances from those at the largest one.

$h_n(cz) = \sum_k T_{n-2k,n}(c)\,h_{n-2k}(z)$ with
$T_{n-2k,n} = c^{n-2k}((c^2-1)/2)^k\sqrt{n!/(n-2k)!}/k!$: for $c < 1$ a dilation takes polynomials
to polynomials of the same degree, and does not enlarge the norm by more than $c^{-1/2}$
(`derivations/identities/table_bound.md`, section 10).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ...patience import check

_UNIT = 2.0**-53


@lru_cache(maxsize=4)
def _logarithms(count: int) -> Any:
    """log(n!), n <= count, each rounded once."""
    import numpy as np
    from flint import arb

    return np.array([float(arb(n + 1).lgamma().mid()) if n else 0.0 for n in range(count + 1)])


def dilated(rows: Any, ratio: float) -> tuple[Any, Any]:
    """`(coefficients, errors)` of the functions z -> g(c z), c = `ratio` <= 1, in doubles.

    Args:
        rows: the coefficients of functions g, one row each (doubles).
        ratio: c, off by at most one unit.

    `errors` has for every row a bound of the L^2 norm of what rounding does.
    """
    import numpy as np

    check()
    count = rows.shape[1]
    if ratio >= 1.0:
        return rows.copy(), np.zeros(len(rows))
    logs, c = _logarithms(count), float(np.log(ratio))
    fall = float(np.log1p(-ratio * ratio) - np.log(2.0))
    bend = 2 * ratio * ratio / (1 - ratio * ratio)
    out, lost = np.zeros_like(rows), np.zeros_like(rows)
    size = np.abs(rows)
    for k in range((count + 1) // 2):
        m = np.arange(count - 2 * k)
        middle = 0.5 * (logs[m + 2 * k] - logs[m]) - logs[k]
        exponent = m * c + k * fall + middle
        if exponent.max() < -80.0 and k > count // 4:
            continue
        weight = np.exp(np.maximum(exponent, -700.0))
        # every logarithm is off by a unit of itself, the exponent by that and its sums, and by what
        # a unit of c changes; beside it a unit for every sum over k
        parts = m * -c + k * -fall + logs[m + 2 * k] + logs[m] + logs[k]
        off = 8 * _UNIT * (parts + m + k * bend + 4) + _UNIT * count
        out[:, m] += (-1.0 if k % 2 else 1.0) * weight * rows[:, m + 2 * k]
        lost[:, m] += weight * off * size[:, m + 2 * k]
    return out, np.sqrt((lost**2).sum(axis=1)) * 1.01 + count * 1e-30 * size.sum(axis=1)
