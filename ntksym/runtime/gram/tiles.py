"""Blocks of pairs through the layers of a network in NumPy, in place, and what that is not for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backends.tolerance import CLOSE
from ..checks import Array
from .loop import First

TILE = 256
"""Rows and columns of a tile: what is multiplied at a time."""
BLOCK = {"float64": 256, "float32": 256}
"""Rows of a tile that go through the layers at a time: long enough for NumPy, short enough for
the cache."""
MODERATE = {"float64": 2.0**100, "float32": 2.0**20}
"""Variances between this and its inverse: products of a few neither overflow nor underflow."""

Levels = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Space:
    """What one thread works in: an array for products, arrays for a block, and a mask."""

    product: NDArray[Any]
    arrays: tuple[NDArray[Any], ...]
    far: NDArray[np.bool_]

    @staticmethod
    def of(tiles: Tiles | None, dtype: str) -> Space:
        """What a thread needs; without tiles, for the product alone."""
        shape = (BLOCK[dtype], TILE)
        count = tiles.arrays if tiles else 0
        arrays = tuple(np.empty(shape, dtype) for _ in range(count))
        return Space(np.empty((TILE, TILE), dtype), arrays, np.empty(shape, np.bool_))


def shaped(space: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    """The beginning of a contiguous array in another, smaller shape, contiguous too."""
    return space.reshape(-1)[: rows * columns].reshape(rows, columns)


class Tiles:
    """The layers of a network, block by block."""

    def __init__(self, module: Any, readable: Any) -> None:
        self._module = module
        self._readable = readable

    def again(self, g12: Array, qx: Array, qy: Array, first: First) -> tuple[Array, Array]:
        """The kernels of single pairs, by the readable form."""
        nngp, ntk = self._readable.pairs(g12, qx, qy, first)
        return nngp, ntk

    @property
    def single(self) -> bool:
        """Whether float arrays will do."""
        return bool(self._module.SINGLE)

    def moderate(self, variances: Array, dtype: str) -> NDArray[np.bool_]:
        """The points (columns) whose variances are all such that this form is for, or NaN."""
        low, high = self._module.SPAN
        low, high = max(low, 1.0 / MODERATE[dtype]), min(high, MODERATE[dtype])
        outside = (variances > high) | (variances < low)
        found: NDArray[np.bool_] = ~outside.any(axis=0)
        return found

    @property
    def arrays(self) -> int:
        """How many arrays of the shape of a block it works in."""
        return int(self._module.SPACE)

    def blocks(
        self, g12: Array, qx: Array, qy: Array, first: First, space: Space
    ) -> Iterator[tuple[slice, NDArray[Any], NDArray[Any], NDArray[np.bool_] | None]]:
        """(rows, nngp, ntk, near) of pairs of moderate variances, block by block.

        The kernels are arrays of `space`, to be used before the next block.  `near`: pairs whose
        values are of little use, nearly collinear or not finite; None where there are none.
        """
        dtype = g12.dtype
        x, y = qx.astype(dtype, copy=False), qy.astype(dtype, copy=False)
        rows, columns = (len(a) for a in (space.far, g12[0]))
        across = _by_layer(y)
        for top in range(0, len(g12), rows):
            at = slice(top, min(top + rows, len(g12)))
            n = at.stop - at.start
            arrays = [shaped(a, n, columns) for a in space.arrays]
            far = shaped(space.far, n, columns)
            down = _by_layer(x[:, at, None])
            with np.errstate(all="ignore"):  # a thread has its own
                nngp, ntk = self._module.tile(
                    g12[at], down, across, first, CLOSE[dtype.name], arrays, far
                )
                if not np.isfinite(np.vdot(nngp, ntk)):
                    np.logical_and(far, np.isfinite(nngp) & np.isfinite(ntk), far)
            yield at, nngp, ntk, None if far.all() else ~far


def _by_layer(levels: NDArray[Any]) -> tuple[Levels, ...]:
    """For every layer, and after the last, the variances before and after and their roots."""
    count = len(levels) // 2
    after = [min(k + 1, count - 1) for k in range(count)]
    return tuple(
        (levels[k], levels[after[k]], levels[count + k], levels[count + after[k]])
        for k in range(count)
    )
