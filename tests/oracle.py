"""A second quadrature, deliberately naive: NumPy and nothing of the library under test.

The pair is u = m1 + sqrt(q11) X, v = E[v|u] + s Z; both X and Z are cut at 11 deviations and at the
kinks, and every part gets the same Gauss-Legendre rule.  Good to about 1e-11 for tame functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import sqrt

import numpy as np

FAR = 11.0
NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)


def _grid(cuts: Sequence[float], parts: int) -> tuple[np.ndarray, np.ndarray]:
    ends = [-FAR, *sorted(c for c in cuts if -FAR < c < FAR), FAR]
    xs, ws = [], []
    for a, b in pairwise(ends):
        edges = np.linspace(a, b, max(2, int(parts * (b - a) / (2 * FAR)) + 2))
        for p, q in pairwise(edges):
            xs.append((p + q) / 2 + (q - p) / 2 * NODES)
            ws.append((q - p) / 2 * WEIGHTS)
    x, w = np.concatenate(xs), np.concatenate(ws)
    return x, w * np.exp(-x * x / 2) / sqrt(2 * np.pi)


def expectation(
    f: Callable[[np.ndarray], np.ndarray],
    g: Callable[[np.ndarray], np.ndarray],
    q11: float,
    q12: float,
    q22: float,
    *,
    kinks_f: Sequence[float] = (),
    kinks_g: Sequence[float] = (),
    means: tuple[float, float] = (0.0, 0.0),
    parts: int = 16,
) -> float:
    """E[f(u) g(v)] in double precision."""
    dev, slope = sqrt(q11), q12 / sqrt(q11)
    rest = sqrt(q22 - slope * slope)
    cuts = [(k - means[0]) / dev for k in kinks_f]
    cuts += [(k - means[1]) / slope for k in kinks_g] if slope else []
    xs, ws = _grid(cuts, parts)
    total = 0.0
    for x, w in zip(xs, ws, strict=True):
        mean = means[1] + slope * x
        zs, vs = _grid([(k - mean) / rest for k in kinks_g], parts)
        total += (
            w
            * float(f(np.array([means[0] + dev * x]))[0])
            * float(np.sum(vs * g(mean + rest * zs)))
        )
    return total
