"""The Gram loop in NumPy: tiles that stay in the cache, the upper half only, several threads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import Array
from ..engines import Engine
from .blas import single_threaded
from .loop import First, Side
from .pair_tile import PairTile
from .threads import each
from .tiles import TILE, Space, Tiles, shaped

HALF = TILE // 2
"""Rows of a strip of a tile on the diagonal, which begins there: a quarter of the tile less."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the kernels go: arrays (n, m), or None where one is not wanted."""

    nngp: NDArray[Any] | None
    ntk: NDArray[Any] | None

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """Those that are wanted."""
        return tuple(a for a in (self.nngp, self.ntk) if a is not None)

    def put(self, rows: slice, columns: slice, values: tuple[Array, Array], mirror: bool) -> None:
        """Store a tile of both kernels, and its transpose where `mirror`.

        Where the tile begins on the diagonal what is below that is left out.
        """
        for out, value in zip((self.nngp, self.ntk), values, strict=True):
            if out is None:
                continue
            out[rows, columns] = value
            if mirror and rows.start == columns.start:
                count = rows.stop - rows.start
                square = out[rows, rows]
                np.copyto(square, value[:, :count].T, where=_below(count))
                right = slice(rows.stop, columns.stop)
                out[right, rows] = out[rows, right].T
            elif mirror:
                out[columns, rows] = out[rows, columns].T


def fill(
    engine: Engine, first: First, x: Side, y: Side | None, target: Target, threads: int
) -> None:
    """Fill the outputs from rows; y None: symmetric, and the diagonal is left to the caller.

    Tiles of moderate variances go through the layers in place; others, and pairs that are nearly
    collinear, through the readable form.  Floats are used where all variances are moderate.
    """
    both = x if y is None else y
    fast: Tiles | None = getattr(engine, "tiles", None)
    dtype = _dtype(fast, x, both, target)
    left = x.rows.astype(dtype, copy=False)
    right = left if y is None else both.rows.astype(dtype, copy=False)
    qx, qy = x.quiet, both.quiet
    fine = [_fine(fast, q, dtype) for q in (qx, qy)]

    def tile(place: tuple[slice, slice], space: Space) -> None:
        rows, columns = place
        g = shaped(space.product, rows.stop - rows.start, columns.stop - columns.start)
        np.matmul(left[rows], right[columns].T, out=g)
        part = PairTile(
            g,
            x.rows[rows],
            both.rows[columns],
            x.squares[rows],
            both.squares[columns],
            np.ascontiguousarray(qx[:, rows]),
            np.ascontiguousarray(qy[:, columns]),
            x.own[rows],
        )
        own = y is None and rows == columns
        if fast is None or not (fine[0][rows].all() and fine[1][columns].all()):
            target.put(rows, columns, part.values(engine, first, own), y is None)
        elif own:
            # What is on the diagonal comes from elsewhere; there a right angle is never in the way.
            np.fill_diagonal(g, 0.0)
            for start in range(0, len(g), HALF):
                strip = part.strip(start, min(start + HALF, len(g)))
                here = slice(rows.start + start, rows.start + start + len(strip.g12))
                there = slice(here.start, columns.stop)
                for _, nngp, ntk in strip.blocks(engine, fast, first, space, own):
                    target.put(here, there, (nngp, ntk), True)
        else:
            for at, nngp, ntk in part.blocks(engine, fast, first, space, own):
                here = slice(rows.start + at.start, rows.start + at.stop)
                target.put(here, columns, (nngp, ntk), y is None)

    tiles = _tiles(len(left), len(right), y is None)
    with single_threaded(), np.errstate(all="ignore"):
        each(tile, tiles, threads, lambda: Space.of(fast, dtype))


def _dtype(fast: Tiles | None, x: Side, y: Side, target: Target) -> str:
    """In which precision products and layers are done."""
    if fast is None or not fast.single or any(a.dtype != np.float32 for a in target.arrays):
        return "float64"
    good = all(_fine(fast, side.quiet, "float32").all() for side in (x, y))
    return "float32" if good else "float64"


def _fine(fast: Tiles | None, levels: Array, dtype: str) -> NDArray[np.bool_]:
    """The points that the tiles are for."""
    if fast is None:
        return np.zeros(levels.shape[1], np.bool_)
    return fast.moderate(levels[: len(levels) // 2], dtype)


def fill_products(
    engine: Engine,
    first: First,
    g12: Array,
    levels: tuple[Array, Array],
    target: Target,
    threads: int,
) -> None:
    """Fill the outputs from inner products, in double."""
    qx, qy = levels
    fast: Tiles | None = getattr(engine, "tiles", None)
    fine = [_fine(fast, q, "float64") for q in levels]

    def tile(place: tuple[slice, slice], space: Space) -> None:
        rows, columns = place
        g = np.ascontiguousarray(g12[rows, columns], dtype=np.float64)
        own, other = np.ascontiguousarray(qx[:, rows]), np.ascontiguousarray(qy[:, columns])
        if fast is None or not (fine[0][rows].all() and fine[1][columns].all()):
            nngp, ntk = np.empty(g.shape), np.empty(g.shape)
            engine.tile(g, own, other, first, nngp, ntk)
            target.put(rows, columns, (nngp, ntk), False)
            return
        for at, k, t, near in fast.blocks(g, own, other, first, space):
            if near is not None:
                i, j = np.nonzero(near)
                part = g[at][i, j]
                k[i, j], t[i, j] = fast.again(part, own[:, at][:, i], other[:, j], first)
            here = slice(rows.start + at.start, rows.start + at.stop)
            target.put(here, columns, (k, t), False)

    with np.errstate(all="ignore"):
        each(
            tile,
            _tiles(len(g12), g12.shape[1], False),
            threads,
            lambda: Space.of(fast, "float64"),
        )


def _tiles(n: int, m: int, symmetric: bool) -> Iterable[tuple[slice, slice]]:
    for top in range(0, n, TILE):
        for at in range(top if symmetric else 0, m, TILE):
            yield slice(top, min(top + TILE, n)), slice(at, min(at + TILE, m))


@lru_cache(maxsize=4)
def _below(count: int) -> NDArray[np.bool_]:
    """Where a square array is below its diagonal."""
    found: NDArray[np.bool_] = np.tri(count, count, -1, dtype=np.bool_)
    found.flags.writeable = False
    return found
