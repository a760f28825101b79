r"""The closed dual of truncated powers with a cutoff, in doubles.

For kinks k, l and $w = e^{-\alpha(u-k)^2/2-\alpha(v-l)^2/2}$ the law of $(x, y) = (u-k, v-l)$
times w is $C$ times a normal law with mean $\mu$ and covariance
$\Sigma = ((q_{11}+\alpha\Delta, q_{12}), (q_{12}, q_{22}+\alpha\Delta))/E$,
$\Delta = q_{11}q_{22}-q_{12}^2$, $E = 1+\alpha q_{11}+\alpha q_{22}+\alpha^2\Delta$; Stein's lemma
gives all $C\,E[x_+^jy_+^l]$ from the orthant and two conditional laws
(`derivations/identities/table_bound.md`, section 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Closed:
    """Truncated powers with a cutoff, as doubles.

    Attributes:
        kinks: their places.
        alpha: of the cutoff exp(-alpha y^2/2).
        value: for every kink the coefficients of $y_+^j$.
        slope: the same of the derivative almost everywhere.
    """

    kinks: tuple[float, ...]
    alpha: float
    value: tuple[tuple[float, ...], ...]
    slope: tuple[tuple[float, ...], ...]

    def at(self, q11: Any, q12: Any, q22: Any, root: Any, lib: Any = None) -> tuple[Any, Any]:
        """`(value, dot)` of one entry; root = sqrt(q11 q22 - q12^2).

        `lib` has sqrt, exp, erfc, atan2 and `orthant`: doubles, or numbers of more digits.
        """
        lib = lib or Doubles()
        value, dot = q11 * 0.0, q11 * 0.0
        for k, c, e in zip(self.kinks, self.value, self.slope, strict=True):
            for m, d, f in zip(self.kinks, self.value, self.slope, strict=True):
                table = moments(lib, (k, m), self.alpha, (q11, q12, q22, root), len(e), len(f))
                for a, b, row in zip((*c, 0.0), e, table, strict=True):
                    value += a * sum(s * t for s, t in zip(d, row, strict=False))
                    dot += b * sum(s * t for s, t in zip(f, row, strict=True))
        return value, dot


class Doubles:
    """The functions that `moments` needs, in doubles."""

    def __init__(self) -> None:
        import math

        from scipy.special import ndtr, owens_t

        self.sqrt, self.exp, self.pi = math.sqrt, math.exp, math.pi
        self.normal, self.owen, self.atan2 = ndtr, owens_t, math.atan2


class Digits:
    """The same with about as many decimal digits as asked for, as numbers of mpmath."""

    def __init__(self, digits: int) -> None:
        from mpmath import MPContext

        self.mp = MPContext()
        self.mp.dps = digits
        self.sqrt, self.exp, self.pi = self.mp.sqrt, self.mp.exp, +self.mp.pi
        self.normal, self.atan2 = self.mp.ncdf, self.mp.atan2

    def owen(self, h: Any, a: Any) -> Any:
        """Owen's T by quadrature."""
        if a < 0:
            return -self.owen(h, -a)
        if a > 1:
            one, two = self.normal(h), self.normal(a * h)
            return (one + two) / 2 - one * two - self.owen(a * h, 1 / a)

        def integrand(x: Any) -> Any:
            return self.exp(-h * h * (1 + x * x) / 2) / (1 + x * x)

        return self.mp.quad(integrand, [0, a / 2, a]) / (2 * self.pi)


def moments(
    lib: Any, kinks: tuple[Any, Any], alpha: Any, entry: Any, high: int, wide: int
) -> list[list[Any]]:
    r"""The table $E[w\,(u-k)_+^i(v-m)_+^j]$; `entry` = (q11, q12, q22, root)."""
    (k, m), (q11, q12, q22, root), sqrt, exp = kinks, entry, lib.sqrt, lib.exp
    det = root * root
    first, second = q11 + alpha * det, q22 + alpha * det
    size = 1 + alpha * (q11 + second)
    sign = -1 if q12 < 0 else 1
    r1, r2, f1, f2 = sqrt(q11), sqrt(q22), sqrt(first), sqrt(second)
    gap, small = k * r2 - sign * m * r1, det / (r1 * r2 + abs(q12))
    top, bottom = sign * (r1 * gap - k * small), -r2 * gap - sign * m * small
    thin, up, peak = max(root, 1e-150), sqrt(size), 1 / sqrt(2 * lib.pi)
    mu = (alpha * q12 * m - (1 + alpha * q22) * k) / size
    om = (alpha * q12 * k - (1 + alpha * q11) * m) / size
    h, g = mu * up / f1, om * up / f2
    fall = k * (k + alpha * (k * q22 - m * q12)) + m * (m + alpha * (m * q11 - k * q12))
    fall = -alpha * fall / (2 * size)
    over, under = exp(fall - h * h / 2) * peak / f1, exp(fall - g * g / 2) * peak / f2
    along = _conditional(lib, top / thin / f1, top / first, root / f1, wide)
    across = _conditional(lib, bottom / thin / f2, bottom / second, root / f2, high)
    s11, s12, s22 = first / size, q12 / size, second / size
    table = [[q11 * 0] * wide for _ in range(high)]
    table[0][0] = exp(fall) / up * orthant(lib, h, g, q12, root * up)
    for j in range(1, wide):
        found = om * table[0][j - 1] + s12 * over * along[j - 1]
        found += s22 * under * across[0] if j == 1 else (j - 1) * s22 * table[0][j - 2]
        table[0][j] = found
    for i in range(1, high):
        for j in range(wide):
            found = mu * table[i - 1][j]
            found += s11 * over * along[j] if i == 1 else (i - 1) * s11 * table[i - 2][j]
            found += j * s12 * table[i - 1][j - 1] if j else s12 * under * across[i - 1]
            table[i][j] = found
    return table


def _conditional(lib: Any, at: Any, mean: Any, dev: Any, count: int) -> list[Any]:
    """E[y_+^j], j < count, for y of this mean and deviation, at = mean/dev."""
    at = min(max(at, -40), 40)
    out = [lib.normal(at)]
    out.append(mean * out[0] + dev * lib.exp(-at * at / 2) / lib.sqrt(2 * lib.pi))
    for j in range(2, count):
        out.append(mean * out[j - 1] + (j - 1) * dev * dev * out[j - 2])
    return out[:count]


def orthant(lib: Any, h: Any, k: Any, c: Any, s: Any) -> Any:
    """P(X <= h, Y <= k), correlation c/hypot(c, s) (D. B. Owen 1956)."""
    length = lib.sqrt(c * c + s * s)
    if h == 0 and k == 0:
        return lib.atan2(s, -c) / (2 * lib.pi)
    r, t = c / length, max(s / length, 1e-290)
    sign, less = (1 if r > 0 else -1), t * t / (1 + abs(r))
    to_k, to_h = ((k - sign * h) + sign * h * less) / t, ((h - sign * k) + sign * k * less) / t
    total = (lib.normal(h) + lib.normal(k)) / 2 - (0.5 if (h < 0) != (k < 0) else 0)
    for at, to in ((h, to_k), (k, to_h)):
        total -= lib.owen(at, to / at) if at else lib.atan2(to, 1) / (2 * lib.pi)
    return max(total, 0)


def measured(closed: Closed, kinks: Any, low: float, high: float) -> tuple[int, float]:
    """`(points, error)`: the largest error of the closed part in doubles at a few points.

    `kinks` are the places with more digits, as pairs of integers (m, e) for m 2^e.
    """
    lib = Digits(40)
    places = tuple(lib.mp.mpf(man) * lib.mp.mpf(2) ** exp for man, exp in kinks)
    exact = Closed(places, closed.alpha, closed.value, closed.slope)
    worst, count, middle = 0.0, 0, (low * high) ** 0.5
    for q11, q22 in ((low, low), (low, high), (middle, middle * 1.001), (high, high)):
        scale = (q11 * q22) ** 0.5
        for rho in (-0.99, 0.3, 0.98, 0.9999, 1 - 1e-9):
            q12 = rho * scale
            product = lib.mp.mpf(q11) * q22
            root = lib.mp.sqrt(product - lib.mp.mpf(q12) ** 2)
            one, cross, two = (lib.mp.mpf(v) for v in (q11, q12, q22))
            right = exact.at(one, cross, two, root, lib)
            found = closed.at(q11, q12, q22, float(root))
            worst = max(worst, *(float(abs(a - b)) for a, b in zip(found, right, strict=True)))
            count += 1
    return count, worst
