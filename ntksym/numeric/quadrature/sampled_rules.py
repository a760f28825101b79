r"""Two-dimensional rules of a given fineness for sampled functions: no bound, to be compared.

Without a derivative of s, dK/dq12 is the same sum with the Gaussian differentiated (Stein, Price):
in the axes of the bisectors, $u = a(cz_1 + sz_2)$, $v = b(cz_1 - sz_2)$, $c^2 - s^2 = \rho$, its
weight is $\frac{1}{ab}\big(\frac{z_1^2 - 1}{4c^2} - \frac{z_2^2 - 1}{4s^2}\big)$.  Near correlation
one, where s is small, the Hermite coefficients of s give $\frac1{ab}\sum n a_n b_n \rho^{n-1}$.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from .callables import REACH

Function = Callable[[Any], Any]
COARSEST = 0.5
MOST_TERMS = 600


@lru_cache(maxsize=8)
def plane(level: int) -> tuple[Any, Any, Any]:
    """(z1, z2, weight) of the trapezoid rule of step COARSEST/2^level in a circle."""
    import numpy as np

    step = COARSEST * 2.0**-level
    count = int(REACH / step)
    j = np.arange(-count, count + 1) * step
    z1, z2 = (part.ravel() for part in np.meshgrid(j, j, indexing="ij"))
    square = z1 * z1 + z2 * z2
    kept = square <= REACH * REACH
    weight = step * step / (2.0 * np.pi) * np.exp(-0.5 * square)
    return z1[kept], z2[kept], weight[kept]


@lru_cache(maxsize=8)
def line(level: int) -> tuple[Any, Any]:
    """(z, weight) of the trapezoid rule on the line."""
    import numpy as np

    step = COARSEST * 2.0**-level
    z = np.arange(-int(REACH / step), int(REACH / step) + 1) * step
    return z, step / np.sqrt(2.0 * np.pi) * np.exp(-0.5 * z * z)


def value(f: Function, a: float, b: float, rho: float, sigma: float, level: int) -> float:
    """E[f(u) f(v)]; with sigma = 0 the sum on the line."""
    import numpy as np

    if sigma == 0.0:
        z, weight = line(level)
        return float(np.sum(weight * f(a * z) * f(b * rho * z)))
    z1, z2, weight = plane(level)
    c, s = halves(rho, sigma)
    return float(np.sum(weight * f(a * (c * z1 + s * z2)) * f(b * (c * z1 - s * z2))))


def slope(f: Function, a: float, b: float, rho: float, sigma: float, level: int) -> float:
    """The derivative of E[f(u) f(v)] in q12 from values of f alone."""
    import numpy as np

    if sigma * sigma < 0.05:
        return _series(f, a, b, rho, level)
    z1, z2, weight = plane(level)
    c, s = halves(rho, sigma)
    turned = (z1 * z1 - 1.0) / (4.0 * c * c) - (z2 * z2 - 1.0) / (4.0 * s * s)
    product = f(a * (c * z1 + s * z2)) * f(b * (c * z1 - s * z2))
    return float(np.sum(weight * turned * product)) / (a * b)


def halves(rho: float, sigma: float) -> tuple[float, float]:
    """(cos, sin) of half the angle whose cosine is rho and sine sigma, without cancellation."""
    if rho > 0.0:
        c = ((1.0 + rho) / 2.0) ** 0.5
        return c, sigma / (2.0 * c)
    s = ((1.0 - rho) / 2.0) ** 0.5
    return sigma / (2.0 * s), s


def _series(f: Function, a: float, b: float, rho: float, level: int) -> float:
    """The sum of n a_n b_n rho^(n-1)/(a b), with as many terms as the level allows."""
    count = min(MOST_TERMS, 40 << level)
    first = _coefficients(f, a, level, count)
    second = first if a == b else _coefficients(f, b, level, count)
    total, power = 0.0, 1.0
    for n in range(1, count):
        total += n * first[n] * second[n] * power
        power *= rho
    return total / (a * b)


def _coefficients(f: Function, a: float, level: int, count: int) -> list[float]:
    """E[f(a z) h_n(z)] for the normalised Hermite polynomials h_n.

    The functions h_n(z) exp(-z^2/4) are bounded; they have weight to |z| = 2 sqrt(n), within the
    reach of the samples only where f decides it.
    """
    import numpy as np

    z, _ = line(level)
    step = float(z[1] - z[0])
    half = np.exp(-0.25 * z * z)
    values = f(a * z) * half * step / np.sqrt(2.0 * np.pi)
    before, now = np.zeros_like(z), half
    out = [float(np.sum(values * now))]
    for n in range(1, count):
        before, now = now, (z * now - np.sqrt(n - 1.0) * before) / np.sqrt(n)
        out.append(float(np.sum(values * now)))
    return out
