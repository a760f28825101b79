"""Special functions in floats, for the filter of the search: nothing here decides a verdict."""

from __future__ import annotations

import math
from functools import lru_cache


@lru_cache(maxsize=4)
def gauss_legendre(count: int) -> tuple[tuple[float, float], ...]:
    """(node, weight) pairs on [-1, 1], by Newton's method on the Legendre recurrence."""
    out = []
    for i in range(count):
        t = math.cos(math.pi * (i + 0.75) / (count + 0.5))
        slope = 1.0
        for _ in range(60):
            last, value = 0.0, 1.0
            for k in range(count):
                last, value = value, ((2 * k + 1) * t * value - k * last) / (k + 1)
            slope = count * (t * value - last) / (t * t - 1)
            step = value / slope
            t -= step
            if abs(step) < 1e-16:
                break
        out.append((t, 2 / ((1 - t * t) * slope * slope)))
    return tuple(out)


def cdf(z: float) -> float:
    """The standard normal distribution function."""
    return math.erfc(-z / math.sqrt(2)) / 2


def density(z: float) -> float:
    """The standard normal density."""
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def phi2(h: float, k: float, r: float) -> float:
    """The bivariate normal distribution function, by Plackett's integral over the angle."""
    top = math.asin(r)
    total = 0.0
    for t, w in gauss_legendre(40):
        s = top * (t + 1) / 2
        c = math.cos(s)
        total += w * math.exp(-(h * h + k * k - 2 * h * k * math.sin(s)) / (2 * c * c))
    return cdf(h) * cdf(k) + total * top / (4 * math.pi)


def owen_t(h: float, a: float) -> float:
    """Owen's T function."""
    total = 0.0
    for t, w in gauss_legendre(40):
        y = a * (t + 1) / 2
        total += w * math.exp(-h * h * (1 + y * y) / 2) / (1 + y * y)
    return total * a / (4 * math.pi)


def hyp2f1(a: float, b: float, c: float, z: float) -> float:
    """Gauss' series, where it converges in a thousand terms."""
    term = total = 1.0
    for k in range(1000):
        term *= (a + k) * (b + k) / ((c + k) * (k + 1)) * z
        total += term
        if abs(term) <= 1e-17 * abs(total):
            return total
    raise ValueError("no convergence")


def hermite(n: float, z: float) -> float:
    """He_n(z)."""
    last, value = 0.0, 1.0
    for k in range(int(n)):
        last, value = value, z * value - k * last
    return value
