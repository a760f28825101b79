"""The Gram loop in NumPy: tiles that stay in the cache, the upper half only, several threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blas import single_threaded
from .checks import Array
from .clusters import cluster_roots, two_product
from .engines import Engine
from .gram_loop import First, Side
from .gram_source import CLOSE
from .threads import each
from .tiles import TILE, Space, Tiles, shaped

LIMIT = CLOSE["float64"]
MANY = 8
"""Where more than one pair in this number is nearly collinear the whole tile is done as these."""
HALF = TILE // 2
"""Rows of a strip of a tile on the diagonal, which begins there: a quarter of the tile less."""
CHUNK = 1 << 19
"""Entries of the rows that are gathered at a time for distances."""
STRIP = 16
"""Rows of a tile whose pairs go through the readable form at a time."""
CACHED = 1 << 14
"""Entries of the rows that are made doubles at a time: as many as stay in the cache."""


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
        part = _Tile(
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


@dataclass(frozen=True, slots=True)
class _Tile:
    """A tile of rows against columns: inner products, rows, squared norms, diagonals.

    `own` is Theta(x, x) of the rows after the last layer.
    """

    g12: Array
    x: Array
    y: Array
    gx: Array
    gy: Array
    qx: Array
    qy: Array
    own: Array

    def strip(self, start: int, stop: int) -> _Tile:
        """These rows, and the columns from `start` on."""
        return _Tile(
            self.g12[start:stop, start:],
            self.x[start:stop],
            self.y[start:],
            self.gx[start:stop],
            self.gy[start:],
            np.ascontiguousarray(self.qx[:, start:stop]),
            np.ascontiguousarray(self.qy[:, start:]),
            self.own[start:stop],
        )

    def values(self, engine: Engine, first: First, upper: bool) -> tuple[Array, Array]:
        """Both kernels; nearly collinear pairs, or those above the diagonal, from distances."""
        nngp, ntk = np.empty(self.g12.shape), np.empty(self.g12.shape)
        close = self.close(first)
        if MANY * np.count_nonzero(close) <= close.size:
            engine.tile(self.g12, self.qx, self.qy, first, nngp, ntk)
            i, j = np.nonzero(close)
            self.repair(engine, first, (i, j), upper, (nngp, ntk))
            return nngp, ntk
        g, root = self.g12, self.roots(first)
        for at in range(0, len(g), STRIP):
            rows = slice(at, at + STRIP)
            qx, qy = self.qx[:, rows, None], self.qy[:, None, :]
            k, t = engine.pairs(g[rows], root[rows], qx, qy, first)
            same = (root[rows] == 0.0) & (qx[0] == qy[0]) & (first[0] * g[rows] + first[1] > 0.0)
            nngp[rows] = np.where(same, qx[len(qx) // 2 - 1], k)
            ntk[rows] = np.where(same, self.own[rows, None], t)
        return nngp, ntk

    def roots(self, first: First) -> Array:
        """sqrt(q11*q22 - q12^2) of the first layer of all pairs, of close ones from the rows."""
        rows, columns = np.ogrid[: len(self.x), : len(self.y)]
        root, near = self.even(rows, columns, self.g12, first)
        x, y = (a.astype(np.float64, copy=False) for a in (self.x, self.y))
        both = max(first[0] * first[1], 0.0)
        found, known = cluster_roots(x, y, near & np.isfinite(root), first[0], both)
        np.copyto(root, found, where=known)
        i, j = np.nonzero(near & ~known)
        step = max(1, CHUNK // self.x.shape[1])
        for at in range(0, len(i), step):
            place = i[at : at + step], j[at : at + step]
            root[place] = self.uneven(*place, self.g12[place], first)
        return root

    def blocks(
        self, engine: Engine, fast: Tiles, first: First, space: Space, upper: bool
    ) -> Iterator[tuple[slice, Array, Array]]:
        """The rows of a block, and both kernels there, in arrays of `space`."""
        for at, nngp, ntk, near in fast.blocks(self.g12, self.qx, self.qy, first, space):
            if near is not None:  # pairs of rows that are lost stay NaN
                near &= ~(np.isnan(self.qx[0, at, None]) | np.isnan(self.qy[0]))
            if near is not None and MANY * np.count_nonzero(near) > near.size:
                part = self if self.g12.dtype == np.float64 else replace(self, g12=self.doubles())
                values = part.values(engine, first, upper)
                yield at, values[0][at], values[1][at]
                continue
            if near is not None:
                i, j = np.nonzero(near)
                finite = np.isfinite(self.g12[at][i, j])
                i, j = i[finite], j[finite]
                self.repair(engine, first, (i, j), upper, (nngp, ntk), at.start)
            yield at, nngp, ntk

    def doubles(self) -> Array:
        """The inner products in double."""
        found: Array = self.x.astype(np.float64) @ self.y.astype(np.float64).T
        return found

    def repair(
        self,
        engine: Engine,
        first: First,
        places: tuple[NDArray[np.intp], NDArray[np.intp]],
        upper: bool,
        values: tuple[Array, Array],
        start: int = 0,
    ) -> None:
        """Pairs at these places of `values`, whose first row is `start`, from the rows."""
        rows, columns = places
        if upper:
            above = rows + start < columns
            rows, columns = rows[above], columns[above]
        step = max(1, CHUNK // self.x.shape[1])
        for at in range(0, len(rows), step):
            i, j = rows[at : at + step], columns[at : at + step]
            place, i = (i, j), i + start
            g = self.products(i, j)
            root = self.root(i, j, g, first)
            qx, qy = self.qx[:, i], self.qy[:, j]
            nngp, ntk = engine.pairs(g, root, qx, qy, first)
            same = (root == 0.0) & (qx[0] == qy[0]) & (first[0] * g + first[1] > 0.0)
            values[0][place] = np.where(same, qx[len(qx) // 2 - 1], nngp)
            values[1][place] = np.where(same, self.own[i], ntk)

    def products(self, i: NDArray[np.intp], j: NDArray[np.intp]) -> Array:
        """The inner products of pairs of rows, in double."""
        if self.g12.dtype == np.float64:
            return self.g12[i, j]
        x, y = (a.astype(np.float64) for a in (self.x[i], self.y[j]))
        found: Array = np.einsum("ij,ij->i", x, y)
        return found

    def close(self, first: First) -> NDArray[np.bool_]:
        """Where 1 - rho^2 < CLOSE in the first layer: near +1 and near -1."""
        rho = first[0] * self.g12
        rho += first[1]
        rho *= _inverse(self.qx[0])[:, None]
        rho *= _inverse(self.qy[0])
        np.abs(rho, out=rho)
        found: NDArray[np.bool_] = rho > np.sqrt(1.0 - LIMIT)
        return found

    def root(self, i: NDArray[np.intp], j: NDArray[np.intp], g: Array, first: First) -> Array:
        """sqrt(q11*q22 - q12^2) of the first layer of pairs."""
        root, near = self.even(i, j, g, first)
        root[near] = self.uneven(i[near], j[near], g[near], first)
        return root

    def even(
        self, i: NDArray[np.intp], j: NDArray[np.intp], g: Array, first: First
    ) -> tuple[Array, NDArray[np.bool_]]:
        """The same from norms and products, and where rows are nearly collinear: of no use there.

        Others need no more, even if a bias makes their covariance nearly singular.
        """
        offset = max(first[0] * first[1], 0.0)
        norm, other = np.sqrt(self.gx[i]), np.sqrt(self.gy[j])
        none = (norm == 0.0) | (other == 0.0)
        rho = np.where(none, 0.0, (g / np.where(none, 1.0, norm)) / np.where(none, 1.0, other))
        gap = np.maximum((self.gx[i] - g) + (self.gy[j] - g), 0.0)
        det = first[0] * norm * other * np.sqrt(np.maximum(1.0 - rho * rho, 0.0))
        return np.hypot(det, np.sqrt(offset) * np.sqrt(gap)), ~(rho * rho <= 1.0 - LIMIT)

    def uneven(self, i: NDArray[np.intp], j: NDArray[np.intp], g: Array, first: First) -> Array:
        """The same of nearly collinear rows, from the part of y orthogonal to x.

        With q = a g + b: a^2 (g11 g22 - g12^2) + a b |x - y|^2, and g11 g22 - g12^2 is
        |x|^2 |z - (<x, z>/<x, x>) x|^2 for z = y - x as for z = y + x; the shorter z keeps more
        digits, and equal or opposite rows give exactly zero.  Twice, and the product without its
        rounding: unlike norms make most of z parallel to x.  Powers of two bring x and y to one
        size first.
        """
        offset = max(first[0] * first[1], 0.0)
        norm, other = np.sqrt(self.gx[i]), np.sqrt(self.gy[j])
        gap = np.maximum((self.gx[i] - g) + (self.gy[j] - g), 0.0)
        exponent, second = np.frexp(norm)[1], np.frexp(other)[1]
        alike = (other <= 2.0 * norm) & (norm <= 2.0 * other)
        second = np.where(alike, exponent, second)
        down, up = np.ldexp(1.0, -exponent)[:, None], np.ldexp(1.0, second)
        rows, columns = (a.astype(np.float64, copy=False) for a in (self.x[i], self.y[j]))
        x, y = rows * down, columns * np.ldexp(1.0, -second)[:, None]
        apart = y - x
        short = np.where(g[:, None] < 0.0, y + x, apart)
        square = (norm * down[:, 0]) ** 2
        part, low = two_product((np.einsum("ij,ij->i", x, short) / square)[:, None], x)
        across = (short - part) - low
        across -= (np.einsum("ij,ij->i", x, across) / square)[:, None] * x
        det = first[0] * norm * np.sqrt(squares(across)) * up
        distance = np.where(alike, np.sqrt(squares(apart)) * up, np.sqrt(gap))
        root: Array = np.hypot(det, np.sqrt(offset) * distance)
        return root


@lru_cache(maxsize=4)
def _below(count: int) -> NDArray[np.bool_]:
    """Where a square array is below its diagonal."""
    found: NDArray[np.bool_] = np.tri(count, count, -1, dtype=np.bool_)
    found.flags.writeable = False
    return found


def squares(x: NDArray[Any]) -> Array:
    """The squared norms of rows, in double whatever the rows are."""
    if x.dtype == np.float64:
        found: Array = np.einsum("ij,ij->i", x, x)
        return found
    out = np.empty(len(x))
    step = max(1, CACHED // x.shape[1])
    space = np.empty((min(step, len(x)), x.shape[1]))
    for at in range(0, len(x), step):
        part = space[: min(step, len(x) - at)]
        np.copyto(part, x[at : at + step])
        np.einsum("ij,ij->i", part, part, out=out[at : at + step])
    return out


def _inverse(g: Array) -> Array:
    inverse: Array = np.zeros_like(g)
    np.divide(1.0, np.sqrt(g), out=inverse, where=g > 0.0)
    return inverse
