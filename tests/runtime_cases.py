"""Data of the tests of compiled kernels, and what it is for two results to be the same."""

from __future__ import annotations

from typing import Any

import numpy as np

TARGETS = ("c", "numpy")
EPS = 2.0**-52


def data(n: int, d: int = 7, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def same(a: Any, b: Any) -> bool:
    return all(
        np.array_equal(getattr(a, k), getattr(b, k), equal_nan=True) for k in ("nngp", "ntk")
    )
