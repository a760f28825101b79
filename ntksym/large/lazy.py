"""`gram_dask`: the kernels of Dask arrays as Dask arrays."""

from __future__ import annotations

from typing import Any

from ..errors import BadData
from ..extras import for_gram as need
from .job import kernel_of


def gram_dask(
    net: Any,
    X: Any,
    Y: Any = None,
    *,
    dtype: str = "float64",
    target: str = "c",
    variances: Any = None,
) -> tuple[Any, Any]:
    """(nngp, ntk) of the rows of X and Y (default X), lazy, in the chunks of their rows.

    With X alone the blocks below the diagonal are the transposes of those above it, so that half
    of the work is done and the matrices are exactly symmetric.

    Args:
        net: what `ntksym.compile` takes.
        X: a Dask array (n, d); its columns are put into one chunk.
        Y: the same, (m, d).
        dtype: of the results.
        target: "c" or "numpy".
        variances: of the inputs, |x|^2/d, for activations whose dual is a table: one table then
            serves all blocks; without it each block takes one for its own rows.

    Raises:
        BadData: not two-dimensional, or rows of different lengths.
        MissingExtra: Dask is not installed.
    """
    da, dask = need("dask.array"), need("dask")
    x = _rows(da, X, "X")
    y = x if Y is None else _rows(da, Y, "Y")
    if x.shape[1] != y.shape[1]:
        raise BadData(
            f"X and Y have different numbers of columns: {x.shape[1]} and {y.shape[1]}",
            hint="the same inputs in the same order",
        )
    pair = dask.delayed(_pair, pure=True)
    left, right = x.to_delayed().ravel(), y.to_delayed().ravel()
    sizes = x.chunks[0], y.chunks[0]
    whole: list[list[list[Any]]] = [[], []]
    found: dict[tuple[int, int], Any] = {}
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            if Y is None and j < i:
                continue
            found[i, j] = pair(
                net, a, None if Y is None and i == j else b, dtype, target, variances
            )
    for k, rows in enumerate(whole):
        for i in range(len(left)):
            row = []
            for j in range(len(right)):
                flip = (i, j) not in found
                task = found[j, i] if flip else found[i, j]
                shape = (sizes[0][j], sizes[0][i]) if flip else (sizes[0][i], sizes[1][j])
                block = da.from_delayed(task[k], shape=shape, dtype=dtype)
                row.append(block.T if flip else block)
            rows.append(row)
    nngp, ntk = (da.block(rows) for rows in whole)
    return nngp, ntk


def _rows(da: Any, given: Any, name: str) -> Any:
    array = da.asarray(given)
    if array.ndim != 2:
        raise BadData(
            f"{name}: an array of shape (n, d) is needed, not {array.shape}",
            hint=f"{name}.reshape(n, d)",
        )
    return array.rechunk({1: -1})


def _pair(net: Any, x: Any, y: Any, dtype: str, target: str, variances: Any) -> tuple[Any, Any]:
    found = kernel_of(net, target, dtype, variances=variances)(x, y)
    return found.nngp, found.ntk
