"""What data may look like: checked once, with a message that names the place."""

from __future__ import annotations

import sys
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadData, BadSpec

Array = NDArray[np.float64]


def real_array(value: Any, name: str, ndim: int) -> Array:
    """The value as a C-contiguous array of doubles; integers and booleans are converted.

    NaN and infinities pass, and so does an array without elements.

    Raises:
        BadData: not numbers, another number of dimensions, or masked elements.
    """
    return np.ascontiguousarray(numbers(value, name, ndim), dtype=np.float64)


def data_rows(value: Any, name: str) -> NDArray[Any]:
    """Rows of data as a C-contiguous array (n, d) of native floats or doubles; n may be 0.

    float32 and float16 become float32, everything else becomes float64.  NaN and infinities pass.

    Raises:
        BadData: not numbers, not two-dimensional, no columns, or masked elements.
    """
    array = numbers(value, name, 2)
    if array.shape[1] == 0:
        raise BadData(f"{name}: rows without columns, shape {array.shape}", hint="at least one")
    small = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    return np.ascontiguousarray(array, dtype=np.float32 if small else np.float64)


def dimension(d: Any) -> int:
    """The number of columns of the data as an integer.

    Raises:
        BadSpec: not an integer, less than 1, or more than doubles count.
    """
    try:
        found = 0 if isinstance(d, bool) else index(d)
    except TypeError:
        found = 0
    if not 1 <= found <= 2**53:
        raise BadSpec(f"d = {d!r}", hint="the number of columns of the data, an integer")
    return found


def rounding(*values: Any) -> float:
    """The relative rounding of the coarsest floats among these arrays; integers are exact."""
    kinds = [getattr(v, "dtype", None) for v in values]
    found = [float(np.finfo(k).eps) for k in kinds if isinstance(k, np.dtype) and k.kind == "f"]
    return max([*found, float(np.finfo(np.float64).eps)])


def covariances(**values: Any) -> tuple[Array, ...]:
    """The values as arrays of doubles of one shape, by name; integers and booleans are converted.

    NaN and infinities pass.

    Raises:
        BadData: not numbers, masked elements, or shapes that do not broadcast.
    """
    arrays = [np.asarray(numbers(v, k), dtype=np.float64) for k, v in values.items()]
    try:
        return tuple(np.broadcast_arrays(*arrays))
    except ValueError as error:
        shapes = ", ".join(f"{k} {a.shape}" for k, a in zip(values, arrays, strict=True))
        raise BadData(
            "covariances must be numbers that broadcast",
            where=shapes,
            hint="one shape for all, or shapes such as (n, 1) and (m,)",
        ) from error


def numbers(value: Any, name: str, ndim: int | None = None) -> NDArray[Any]:
    """The value as a real array, of any number of dimensions where none is said.

    Raises:
        BadData: not real numbers, another number of dimensions, or masked elements.
    """
    if _has_mask(value) and (count := int(np.sum(value.mask))):
        raise BadData(
            f"{name}: {count} masked element{'s' if count > 1 else ''}",
            hint=f"{name}.filled(value), or leave these rows out; nothing is replaced silently",
        )
    if hasattr(value, "toarray"):  # the sparse matrices of SciPy and their kind
        raise BadData(
            f"{name}: a sparse array ({type(value).__name__}) is not read",
            hint=f"{name}.toarray()",
        )
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise BadData(
            f"{name}: rows of different lengths", where=str(error), hint="rows of one length"
        ) from error
    if array.dtype.kind not in "fiub":
        raise BadData(
            f"{name}: real numbers are needed, not {_kind(value, array)}",
            hint=_as_real(name, array),
        )
    if ndim is not None and array.ndim != ndim:
        shape = "(n, d)" if ndim == 2 else "(n,)"
        raise BadData(
            f"{name}: an array of shape {shape} is needed, not {array.shape}",
            hint=_as_rows(name, array.ndim) if ndim == 2 else f"{name}.ravel()",
        )
    return array


def _kind(value: Any, array: NDArray[Any]) -> str:
    """What was given instead of numbers, in words."""
    if isinstance(value, str):
        return f"the text {value[:60]!r}"
    return str(array.dtype) if array.shape else type(value).__name__


def _as_real(name: str, array: NDArray[Any]) -> str:
    """How such an array becomes one of real numbers."""
    if array.dtype.kind == "c":
        return f"{name}.real, or the real and imaginary parts as columns"
    if array.shape:
        return f"{name}.astype(float), where all its elements are numbers"
    if array.dtype.kind == "U":
        return f'an array of floats or integers; of a file, np.load("{name}.npy")'
    return "an array of floats or integers"


def _as_rows(name: str, ndim: int) -> str:
    """How an array of another number of dimensions becomes rows."""
    if ndim > 2:
        return f"{name}.reshape(len({name}), -1)"
    if ndim == 0:
        return "a row for each input, [[1.0]] for one input of one number"
    return f"{name}.reshape(1, -1) for one input, {name}.reshape(-1, 1) for inputs of one number"


def _has_mask(value: Any) -> bool:
    """Whether it is a masked array: there is none before that part of NumPy, slow, is imported."""
    masked = sys.modules.get("numpy.ma")
    return masked is not None and isinstance(value, masked.MaskedArray)


def output(value: Any, name: str, shape: tuple[int, int], dtype: Any) -> NDArray[Any]:
    """The array that a caller wants filled, unchanged.

    Raises:
        BadData: not an array, or of wrong shape or type, read-only, or with rows that are not
            contiguous.
    """
    fresh = f"np.empty({shape}, dtype=np.{np.dtype(dtype).name})"
    if not isinstance(value, np.ndarray) or _has_mask(value):
        raise BadData(f"{name}: an array is needed, not {type(value).__name__}", hint=fresh)
    if value.shape != shape:
        raise BadData(f"{name}: shape {value.shape}, the kernel has {shape}", hint=fresh)
    if value.dtype != dtype or not value.dtype.isnative:
        raise BadData(f"{name}: {value.dtype.str}, the kernel gives {np.dtype(dtype)}", hint=fresh)
    if not value.flags.writeable:
        raise BadData(f"{name}: read-only", hint=fresh)
    rows, item = value.strides[0], value.itemsize
    ragged = shape[1] > 1 and value.strides[1] != item
    ragged |= shape[0] > 1 and (rows < shape[1] * item or rows % item != 0)
    if value.size and (ragged or not value.flags.aligned):
        raise BadData(
            f"{name}: its rows are not contiguous, strides {value.strides}",
            hint=fresh + "; for a Fortran array fill its transpose with k(Y, X)",
        )
    return value


def apart(arrays: tuple[tuple[str, NDArray[Any]], ...], inputs: tuple[Any, ...]) -> None:
    """Check that outputs share no memory with each other or with the inputs.

    Raises:
        BadData: two of them do.
    """
    for k, (name, out) in enumerate(arrays):
        for other, found in (*arrays[:k], *(("the data", i) for i in inputs)):
            if isinstance(found, np.ndarray) and np.shares_memory(out, found):
                raise BadData(f"{name} overlaps {other} in memory", hint="outputs of their own")


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
