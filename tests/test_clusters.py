"""Determinants of nearly collinear rows, a block at a time, against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

import numpy as np
import pytest

from ntksym.runtime import compile
from ntksym.runtime.gram.clusters import cluster_roots

COUNT, D = 40, 30
rng = np.random.default_rng(3)
CENTRE = rng.standard_normal(D)


def around(size: float, repeat: int = 1) -> np.ndarray:
    return size * np.repeat(rng.standard_normal((COUNT // repeat, D)), repeat, axis=0)


CASES = {
    "far": (CENTRE + around(1e-2), 0.9),
    "near": (CENTRE + around(1e-6), 0.9),
    "nearest": (CENTRE + around(1e-12), 0.9),
    "unlike norms": ((CENTRE + around(1e-7)) * rng.uniform(0.2, 5, (COUNT, 1)), 0.8),
    "opposite": ((CENTRE + around(1e-6)) * rng.choice([-1.0, 1.0], (COUNT, 1)), 0.7),
    "two scales": (CENTRE + around(1e-3, 2) + around(1e-9), 0.9),
    "tiny": (1e-120 * (CENTRE + around(1e-6)), 0.9),
    "huge": (1e100 * (CENTRE + around(1e-6)), 0.9),
    "images": (np.round(80.0 * (3.0 + CENTRE) * rng.uniform(0.3, 1.0, (COUNT, 1))), 0.7),
}


def exact(x: np.ndarray, y: np.ndarray, slope: float, bias: float) -> float:
    """The root, in rational numbers but for the last step."""
    u, v = ([Fraction(float(a)) for a in row] for row in (x, y))
    g11, g22 = sum(a * a for a in u), sum(b * b for b in v)
    g12, gap = (
        sum(map(Fraction.__mul__, u, v)),
        sum((a - b) ** 2 for a, b in zip(u, v, strict=True)),
    )
    a, b = Fraction(slope), Fraction(slope * bias)
    square = a * a * (g11 * g22 - g12 * g12) + b * gap
    scale = Fraction(2) ** (square.numerator.bit_length() - square.denominator.bit_length() & ~1)
    even = Fraction(2) ** ((scale.numerator.bit_length() - scale.denominator.bit_length()) // 2)
    return sqrt(float(square / scale)) * float(even)


@pytest.mark.parametrize("bias", [0.0, 0.1])
@pytest.mark.parametrize("name", CASES)
def test_all_digits_of_the_determinant(name: str, bias: float) -> None:
    x, least = CASES[name]
    near = np.ones((COUNT, COUNT), bool)
    root, found = cluster_roots(x, x, near, 2.0, 2.0 * bias)
    assert found[~np.eye(COUNT, dtype=bool)].mean() > least
    for i, j in rng.permutation(np.argwhere(found & ~np.eye(COUNT, dtype=bool)))[:40]:
        want = exact(x[i], x[j], 2.0, bias)
        assert abs(root[i, j] - want) <= 16 * 2.0**-52 * want, (i, j, root[i, j], want)


def test_equal_and_opposite_rows_have_none() -> None:
    x = np.repeat(rng.standard_normal((1, D)), COUNT, axis=0)
    root, found = cluster_roots(x, -x, np.ones((COUNT, COUNT), bool), 1.0, 0.0)
    assert found.all() and not root.any()


def test_places_that_are_not_asked_for_are_left() -> None:
    x = CENTRE + around(1e-6)
    near = rng.uniform(size=(COUNT, COUNT)) < 0.9
    _, found = cluster_roots(x, x, near, 1.0, 0.0)
    assert not (found & ~near).any()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_cluster_and_its_pairs_one_by_one(dtype: str) -> None:
    x = np.concatenate([CENTRE + around(1e-4), rng.standard_normal((20, D))]).astype(dtype)
    x[7], x[9] = x[5], -2.0 * x[6]
    kernel = compile("mlp:relu:depth=2,bias_var=1/10", target="numpy", dtype=dtype)
    columns = [*range(12), 45]
    whole = kernel(x)
    pairs = [[kernel(x[[i]], x[[j]]) for j in columns] for i in range(4, 8)]
    for name in ("nngp", "ntk"):
        one = np.array([[getattr(p, name)[0, 0] for p in row] for row in pairs])
        scale = np.sqrt(np.outer(*(np.diag(getattr(whole, name)),) * 2))[
            np.ix_(range(4, 8), columns)
        ]
        error = np.abs(getattr(whole, name)[np.ix_(range(4, 8), columns)] - one) / scale
        assert error.max() <= 8 * np.finfo(dtype).eps
