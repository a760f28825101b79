"""Pairs of rows of data in the regimes where kernels lose digits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

REGIMES = (
    "random", "equal", "parallel", "near 1e-3", "near 1e-6", "near 1e-8", "near 1e-12", "opposite",
    "orthogonal", "zero", "scales", "mixed", "unlike",
)  # fmt: skip
OPEN = ("random", "equal", "near 1e-3", "near 1e-6", "opposite", "orthogonal")
"""Regimes of activations without a closed form."""
DTYPES = ("float64", "float32")
WIDTH = 12
TOP = {"float64": 150.0, "float32": 18.0}


def rows(regime: str, count: int, dtype: str) -> tuple[Any, Any]:
    """X and Y (count, WIDTH), to be compared row with row; numbers of the type."""
    rng = np.random.default_rng((11, REGIMES.index(regime), DTYPES.index(dtype)))
    x = rng.normal(size=(count, WIDTH)) * 10.0 ** rng.uniform(-0.5, 0.5, (count, 1))
    z = rng.normal(size=(count, WIDTH))
    z *= np.linalg.norm(x, axis=1, keepdims=True) / np.linalg.norm(z, axis=1, keepdims=True)
    y = z * 10.0 ** rng.uniform(-0.5, 0.5, (count, 1))
    if regime == "equal":
        y = x.copy()
    elif regime == "parallel":
        y = 3.7 * x
    elif regime == "unlike":
        y = x * rng.uniform(1.02, 1.5, (count, 1))
    elif regime.startswith("near"):
        x = x.astype(dtype).astype(float)
        y = x + float(regime.split()[1]) * rng.uniform(0.5, 2.0, (count, 1)) * z
    elif regime == "opposite":
        y = -x
        y[1::2] = -x[1::2] * (1.0 + 10.0 ** rng.uniform(-8, -1, (count, 1)) * z)[1::2]
    elif regime == "orthogonal":
        x[:, WIDTH // 2 :] = 0.0
        y[:, : WIDTH // 2] = 0.0
    elif regime == "zero":
        x[:] = 0.0
        y[::3] = 0.0
    elif regime == "scales":
        scale = 10.0 ** rng.uniform(-TOP[dtype], TOP[dtype], (count, 1))
        y[1::2] = (x + 1e-7 * z)[1::2]
        x, y = x * scale, y * scale
    elif regime == "mixed":
        top = 6.0
        x = x * 10.0 ** rng.uniform(-top, -1.5, (count, 1))
        y = y * 10.0 ** rng.uniform(0.0, top / 2, (count, 1))
    return x.astype(dtype), y.astype(dtype)


def level(x: Any, y: Any) -> tuple[Any, Any]:
    """The rows made nearly equally long, those of a pair by the same factor."""
    long = np.linalg.norm(x, axis=1, keepdims=True) / math.sqrt(WIDTH)
    return (x / long).astype(x.dtype), (y / long).astype(y.dtype)
