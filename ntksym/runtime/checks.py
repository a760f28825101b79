"""What data may look like: checked once, with a message that names the place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadData

Array = NDArray[np.float64]


def real_array(value: Any, name: str, ndim: int) -> Array:
    """The value as a C-contiguous array of doubles; integers and booleans are converted.

    Raises:
        BadData: not numbers, another number of dimensions, empty, NaN or infinite.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise BadData(f"{name}: rows of different lengths", where=str(error)) from error
    if array.dtype.kind not in "fiub":
        raise BadData(
            f"{name}: real numbers are needed, not {array.dtype}",
            hint="an array of floats or integers",
        )
    if array.ndim != ndim:
        shape = "(n, d)" if ndim == 2 else "(n,)"
        raise BadData(
            f"{name}: an array of shape {shape} is needed, not {array.shape}",
            hint=f"{name}.reshape(len({name}), -1)" if ndim == 2 else f"{name}.ravel()",
        )
    if array.size == 0:
        raise BadData(f"{name}: empty, shape {array.shape}", hint="at least one row and column")
    doubles = np.ascontiguousarray(array, dtype=np.float64)
    finite = np.isfinite(doubles)
    if not finite.all():
        index = tuple(int(i) for i in np.argwhere(~finite)[0])
        count = int(np.size(finite) - np.count_nonzero(finite))
        raise BadData(
            f"{name}: NaN or infinite at {count} place{'s' if count > 1 else ''}",
            where=f"first: {name}{list(index)} = {doubles[index]}",
            hint="remove or impute these rows; nothing is replaced silently",
        )
    return doubles


def same_width(x: Array, y: Array) -> None:
    """Check that the rows of both arrays have one length.

    Raises:
        BadData: they have not.
    """
    if x.shape[1] != y.shape[1]:
        raise BadData(
            f"X and Y have different numbers of columns: {x.shape[1]} and {y.shape[1]}",
            where=f"X.shape = {x.shape}, Y.shape = {y.shape}",
            hint="the same inputs in the same order",
        )


def not_negative(q: Array, name: str) -> None:
    """Check variances.

    Raises:
        BadData: one is negative.
    """
    if (q < 0).any():
        index = tuple(int(i) for i in np.argwhere(q < 0)[0])
        raise BadData(
            f"{name}: a variance is negative",
            where=f"{name}{list(index)} = {q[index]}",
            hint="squared norms, which are at least 0",
        )


EXCESS = 1e-12
"""How far |q12| may exceed sqrt(q11*q22), relatively, as the rounding of an inner product does."""


def is_covariance(q11: Array, q12: Array, q22: Array, name: str) -> None:
    """Check that every [[q11, q12], [q12, q22]] is positive semi-definite, up to rounding.

    Raises:
        BadData: a negative variance, or a covariance beyond the bound; with the worst index.
    """
    not_negative(np.atleast_1d(q11), f"{name}: q11")
    not_negative(np.atleast_1d(q22), f"{name}: q22")
    bound = np.sqrt(q11) * np.sqrt(q22)
    excess = np.atleast_1d(np.abs(q12) - bound * (1.0 + EXCESS))
    if (excess > 0.0).any():
        index = tuple(int(i) for i in np.unravel_index(np.nanargmax(excess), excess.shape))
        raise BadData(
            f"{name}: |q12| exceeds sqrt(q11*q22)",
            where=f"worst at index {list(index)}: by {excess[index]:.3g}",
            hint="strict=False clamps it to the bound",
        )
