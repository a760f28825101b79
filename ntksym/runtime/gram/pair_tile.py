"""A tile of pairs of rows: both kernels in NumPy, those of nearly collinear pairs from the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backends.tolerance import CLOSE
from ...doubles import two_product
from ..checks import Array
from ..engines import Engine
from .clusters import cluster_roots
from .loop import First, inverse_root
from .tiles import Space, Tiles

LIMIT = CLOSE["float64"]
MANY = 8
"""Where more than one pair in this number is nearly collinear the whole tile is done as these."""
CHUNK = 1 << 19
"""Entries of the rows that are gathered at a time for distances."""
STRIP = 16
"""Rows of a tile whose pairs go through the readable form at a time."""
CACHED = 1 << 14
"""Entries of the rows that are made doubles at a time: as many as stay in the cache."""


@dataclass(frozen=True, slots=True)
class PairTile:
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

    def strip(self, start: int, stop: int) -> PairTile:
        """These rows, and the columns from `start` on."""
        return PairTile(
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
        """Both kernels, nearly collinear pairs from distances; `upper`: a tile that begins on the
        diagonal, what is well below it left out.
        """
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
            part = rows, slice(at if upper else 0, None)
            qx, qy = self.qx[:, rows, None], self.qy[:, None, part[1]]
            k, t = engine.pairs(g[part], root[part], qx, qy, first)
            same = (root[part] == 0.0) & (qx[0] == qy[0]) & (first[0] * g[part] + first[1] > 0.0)
            nngp[part] = np.where(same, qx[len(qx) // 2 - 1], k)
            ntk[part] = np.where(same, self.own[rows, None], t)
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
        rho *= inverse_root(self.qx[0])[:, None]
        rho *= inverse_root(self.qy[0])
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
