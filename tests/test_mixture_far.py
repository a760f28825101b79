"""Mixtures at variances whose products are no doubles, against enclosures.

What could be wrong: the degree of the leading power, an integrable function taken for one, what is
left of it where inputs are nearly equal, one large input beside a small one, the angle that unlike
norms make of parallel rows.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import sqrt
from typing import Any

import numpy as np
import pytest

import ntksym
from ntksym.backends.mixture.far import Far, far
from ntksym.numeric.mixture import MixtureDual
from ntksym.numeric.mixture_build import mixture_dual
from ntksym.runtime.units.mixture import compile_mixture

TARGETS = ("c", "numpy")
LARGE = 10.0**100
PAIRS = (
    (1e62, 0.3, 1e62),
    (LARGE, -0.7, LARGE),
    (LARGE, 0.5, 1.0),
    (1e-70, 0.9, 1e140),
    (1e150, 0.1, 1e90),
)
"""Standard deviations and a correlation."""
APART = ((1, 0.0), (1, 1e-3), (1, 7.0), (1.5, 0.0), (1.5, 1.0), (1.5, 1e20), (1.5, 1e45))
"""Ratios of v to u, of size LARGE, and the standard deviation of the independent part of v."""


@lru_cache(maxsize=4)
def _exact(text: str) -> tuple[MixtureDual, list[Any], list[float], list[Any]]:
    """The dual, covariances, roots, and of each of both kernels (value, diagonal, size)."""
    d = mixture_dual(text, nodes=3)
    covariances, roots = [], []
    for first, rho, second in PAIRS:
        one, c, two = (Fraction(v) for v in (first, rho, second))
        covariances.append((one * one, c * one * two, two * two))
        roots.append(first * second * sqrt(1.0 - rho * rho))
    one = Fraction(LARGE)
    for ratio, apart in APART:
        two = Fraction(ratio) * one
        covariances.append((one * one, one * two, two * two + Fraction(apart) ** 2))
        roots.append(LARGE * apart)
    kept = lru_cache(maxsize=None)(lambda *at: d.enclose(*at[:3], derivative=at[3]).mid)
    values = []
    for row in covariances:
        for slope in (False, True):
            ends = [kept(v, v, v, slope) for v in (row[0], row[2])]
            values.append((kept(*row, slope), ends[0], sqrt(ends[0]) * sqrt(ends[1])))
    return d, covariances, roots, values


@pytest.mark.parametrize(
    ("text", "target"),
    [("tanh", "c"), ("tanh", "numpy"), ("silu", "c"), ("silu", "numpy"), ("1/cosh(x)**2", "numpy")],
)
def test_variances_beyond_products(text: str, target: str) -> None:
    d, covariances, roots, exact = _exact(text)
    k = compile_mixture(d, target)
    columns = [np.array([float(row[i]) for row in covariances]) for i in range(3)]
    found = np.array(k._engine.pair((*columns, np.array(roots)), ())).T.ravel()
    own = np.array(tuple(k.diag(columns[0]))).T.ravel()
    for got, diag, (pair, end, size) in zip(found, own, exact, strict=True):
        assert abs(Fraction(float(got)) - pair) <= 2e-15 * size
        assert abs(Fraction(float(diag)) - end) <= 1e-15 * end


def test_where_the_leading_power_decides() -> None:
    """The degree; smaller coefficients of higher powers need larger inputs."""
    assert far(mixture_dual("tanh", nodes=3)).degree == 0
    assert far(mixture_dual("softplus(x) - softplus(-x) - x + tanh(x)", nodes=3)).degree == 0
    assert far(mixture_dual("x/cosh(x)**2", nodes=3)) == Far(-1, 86, 30)
    assert far(mixture_dual("x**3*sigmoid(x)", nodes=3)).degree == 3
    small, plain = (mixture_dual(t, nodes=3) for t in ("silu(x) + x**2/10**30", "silu"))
    assert far(small).degree == 2
    assert far(small).lead > far(plain).lead + 90


@pytest.mark.parametrize("target", TARGETS)
def test_networks_of_huge_parallel_rows(target: str) -> None:
    """Unlike norms make an angle of 1/sqrt(norm) after a saturated layer, and none here."""
    k = ntksym.compile(ntksym.mlp("tanh", depth=2), target, error=1e-3)
    x = np.array([1.0, -0.5, 2.0, 0.75])
    for scale in (1e16, 1e40, 1e150):
        nngp, ntk = k(np.array([x, 1.125 * x]) * 2.0 ** round(np.log2(scale)))
        assert np.allclose(nngp, nngp[0, 0], rtol=1e-14, atol=0.0)
        assert np.all(np.isfinite(ntk))
