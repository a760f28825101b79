"""`CompiledKernel`: Gram matrices by tiles; `CompiledDual`: a dual on arrays."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..backends import SourceFile
from ..errors import BadData
from .checks import Array, is_covariance, not_negative, real_array, same_width
from .engines import Engine, First

BAND = 256
CLOSE = 2e-3
"""Pairs with 1 - rho^2 below this get their angle from the rows themselves: an inner product is
rounded, and what it loses near rho = +-1 no later step can restore."""
CHUNK = 1 << 21


@dataclass(frozen=True, slots=True)
class KernelMatrices:
    """The two kernels: `nngp` and `ntk`, arrays of shape (n, m), or (n,) for a diagonal."""

    nngp: NDArray[Any]
    ntk: NDArray[Any]


@dataclass(frozen=True, slots=True)
class DualValues:
    """A dual and its derivative in q12, arrays of the shape of the input."""

    nngp: Array
    dot: Array


class CompiledKernel:
    """A network's kernels as a function of data: `k(X, Y).nngp`, `k(X, Y).ntk`.

    Calls are safe from several threads.  Outputs are fresh arrays.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        name: str,
        target: str,
        dtype: str,
        threads: int,
        sources: tuple[SourceFile, ...],
    ) -> None:
        self._engine = engine
        self.name = name
        self.target = target
        self.dtype = np.dtype(dtype)
        self.threads = threads
        self.sources = sources

    def __repr__(self) -> str:
        return f"<CompiledKernel {self.name}: target={self.target}, threads={self.threads}>"

    def __call__(self, X: Any, Y: Any = None) -> KernelMatrices:
        """The kernels of the rows of X (n, d) and Y (m, d; default X), shapes (n, m).

        `k(X)` is exactly symmetric, and its diagonal is `k.diag(X)`.

        Raises:
            BadData: not real, not finite, empty, or of wrong shape.
        """
        x = real_array(X, "X", 2)
        y = x if Y is None else real_array(Y, "Y", 2)
        same_width(x, y)
        first = self._engine.first(x.shape[1])
        gx = _squares(x)
        gy = gx if Y is None else _squares(y)
        qx, tx = self._engine.diag(gx, first)
        qy = qx if Y is None else self._engine.diag(gy, first)[0]
        nngp = np.empty((len(x), len(y)), dtype=self.dtype)
        ntk = np.empty_like(nngp)
        symmetric = Y is None

        def band(top: int) -> None:
            rows = slice(top, min(top + BAND, len(x)))
            left = top if symmetric else 0
            g12 = x[rows] @ y[left:].T
            part = _Band(
                g12,
                x[rows],
                y[left:],
                gx[rows],
                gy[left:],
                np.ascontiguousarray(qx[:, rows]),
                qy[:, left:],
            )
            self._fill(part, first, nngp[rows, left:], ntk[rows, left:])
            if symmetric:
                for out in (nngp, ntk):
                    _mirror(out, rows)

        tops = range(0, len(x), BAND)
        if self.threads > 1 and len(tops) > 1:
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(band, tops))
        else:
            for top in tops:
                band(top)
        self._warn(qx, "X")
        if not symmetric:
            self._warn(qy, "Y")
        if symmetric:
            np.fill_diagonal(nngp, qx[len(qx) // 2 - 1])
            np.fill_diagonal(ntk, tx)
        return KernelMatrices(nngp, ntk)

    def _warn(self, q: Array, name: str) -> None:
        """Say so when a variance overflows or leaves the domain; the values pass through."""
        if np.isfinite(q).all():
            return
        layers, rows = np.nonzero(~np.isfinite(q))
        warnings.warn(
            f"{self.name}: the variance of row {rows[0]} of {name} is {q[layers[0], rows[0]]}: it "
            "overflows, or a condition of the activation's closed form fails "
            "(`ntksym derive` prints the conditions); smaller inputs or variances help",
            RuntimeWarning,
            stacklevel=3,
        )

    def diag(self, X: Any) -> KernelMatrices:
        """The kernels of each row with itself, shapes (n,), from the diagonal formulas.

        Raises:
            BadData: not real, not finite, empty, or of wrong shape.
        """
        x = real_array(X, "X", 2)
        q, t = self._engine.diag(_squares(x), self._engine.first(x.shape[1]))
        return KernelMatrices(q[len(q) // 2 - 1].astype(self.dtype), t.astype(self.dtype))

    def gram(self, G: Any, q1: Any, q2: Any, d: int = 1, *, strict: bool = False) -> KernelMatrices:
        """The kernels from inner products: G (n, m), squared norms q1 (n,) and q2 (m,).

        `d` is the input dimension, which some conventions divide by.  Angles come from `G`: half
        of the digits are lost for nearly collinear rows, because they are lost in G.

        With `strict`, an inner product above the norms by more than a rounding is an error.

        Raises:
            BadData: not real, not finite, empty, of wrong shape, or a negative squared norm.
        """
        g12 = real_array(G, "G", 2)
        g1, g2 = real_array(q1, "q1", 1), real_array(q2, "q2", 1)
        not_negative(g1, "q1")
        not_negative(g2, "q2")
        if g12.shape != (len(g1), len(g2)):
            raise BadData(
                f"G has shape {g12.shape}, the squared norms say ({len(g1)}, {len(g2)})",
                hint="G[i, j] = <x_i, y_j>, q1[i] = |x_i|^2, q2[j] = |y_j|^2",
            )
        if strict:
            is_covariance(g1[:, None], g12, g2[None, :], "gram")
        first = self._engine.first(d)
        qx, qy = self._engine.diag(g1, first)[0], self._engine.diag(g2, first)[0]
        nngp, ntk = np.empty(g12.shape), np.empty(g12.shape)
        self._engine.tile(g12, qx, qy, first, nngp, ntk)
        return KernelMatrices(nngp.astype(self.dtype), ntk.astype(self.dtype))

    def _fill(self, part: _Band, first: First, nngp: NDArray[Any], ntk: NDArray[Any]) -> None:
        if nngp.dtype == np.float64:
            self._engine.tile(part.g12, part.qx, part.qy, first, nngp, ntk)
        else:
            wide, wide_t = np.empty(part.g12.shape), np.empty(part.g12.shape)
            self._engine.tile(part.g12, part.qx, part.qy, first, wide, wide_t)
            nngp[...], ntk[...] = wide, wide_t
        rows, columns = part.close()
        step = max(1, CHUNK // part.x.shape[1])
        for at in range(0, len(rows), step):
            i, j = rows[at : at + step], columns[at : at + step]
            root = part.root(i, j, first)
            values = self._engine.pairs(part.g12[i, j], root, part.qx[:, i], part.qy[:, j], first)
            nngp[i, j], ntk[i, j] = values


@dataclass(frozen=True, slots=True)
class _Band:
    """A band of rows against all columns: inner products, rows, squared norms, diagonals."""

    g12: Array
    x: Array
    y: Array
    gx: Array
    gy: Array
    qx: Array
    qy: Array

    def close(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The places where 1 - rho^2 < CLOSE: near +1 and near -1."""
        rho = self.g12 * _inverse(self.gx)[:, None]
        rho *= _inverse(self.gy)
        np.abs(rho, out=rho)
        i, j = np.nonzero(rho > np.sqrt(1.0 - CLOSE))
        return i, j

    def root(self, i: NDArray[np.intp], j: NDArray[np.intp], first: First) -> Array:
        """sqrt(q11*q22 - q12^2) of the first layer, from the part of y orthogonal to x.

        With q = a g + b: a^2 (g11 g22 - g12^2) + a b |x - y|^2, and g11 g22 - g12^2 is
        |x|^2 |z - (<x, z>/<x, x>) x|^2 for z = y - x as for z = y + x; the shorter z keeps more
        digits, and equal or opposite rows give exactly zero.
        """
        slope, offset = first[0], first[1]
        x, y = self.x[i], self.y[j]
        apart = y - x
        short = np.where(self.g12[i, j][:, None] < 0.0, y + x, apart)
        along = np.einsum("ij,ij->i", x, short) / self.gx[i]
        across = short - along[:, None] * x
        det = slope * np.sqrt(self.gx[i]) * np.sqrt(_squares(across))
        shift = np.sqrt(max(slope * offset, 0.0)) * np.sqrt(_squares(apart))
        root: Array = np.hypot(det, shift)
        return root


def _squares(x: Array) -> Array:
    squares: Array = np.einsum("ij,ij->i", x, x)
    return squares


def _inverse(g: Array) -> Array:
    inverse: Array = 1.0 / np.sqrt(np.where(g > 0.0, g, np.inf))
    return inverse


def _mirror(out: NDArray[Any], rows: slice) -> None:
    """Copy the part above the diagonal of a band below it."""
    block = out[rows, rows]
    lower = np.tril_indices(len(block), -1)
    block[lower] = block.T[lower]
    out[rows.stop :, rows] = out[rows, rows.stop :].T


class DualEngine(Protocol):
    """What `CompiledDual` needs."""

    def pair(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at flat arrays of q11, q12, q22."""
        ...

    def diag(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at a flat array of q."""
        ...


class CompiledDual:
    """A dual on arrays: `d(q11, q12, q22).nngp`, `.dot`; `d.diag(q)`.

    Parameters of the activation are keyword arguments.
    """

    def __init__(
        self,
        engine: DualEngine,
        *,
        name: str,
        target: str,
        pair_params: tuple[str, ...],
        diag_params: tuple[str, ...],
        sources: tuple[SourceFile, ...],
    ) -> None:
        self._engine = engine
        self.name = name
        self.target = target
        self.params = tuple(sorted({*pair_params, *diag_params}))
        self._pair_params, self._diag_params = pair_params, diag_params
        self.sources = sources

    def __repr__(self) -> str:
        return f"<CompiledDual {self.name}: target={self.target}>"

    def __call__(
        self, q11: Any, q12: Any, q22: Any, *, strict: bool = False, **params: float
    ) -> DualValues:
        """The dual at covariances; the arrays broadcast.

        NaN in gives NaN out, and so does a negative variance.  A |q12| above sqrt(q11*q22) counts
        as equal to it; with `strict` it is an error when it is more than a rounding above.

        Raises:
            BadData: a missing or unknown parameter, shapes that do not broadcast; with `strict`,
                a matrix that is not positive semi-definite.
        """
        arrays = _broadcast(q11, q12, q22)
        if strict:
            is_covariance(arrays[0], arrays[1], arrays[2], self.name)
        flat = tuple(np.ascontiguousarray(a).ravel() for a in arrays)
        nngp, dot = self._engine.pair(flat, self._scalars(self._pair_params, params))
        negative = (flat[0] < 0.0) | (flat[2] < 0.0)
        nngp[negative], dot[negative] = np.nan, np.nan
        return DualValues(nngp.reshape(arrays[0].shape), dot.reshape(arrays[0].shape))

    def diag(self, q: Any, **params: float) -> DualValues:
        """The dual on the diagonal q11 = q22 = q12 = q.

        Raises:
            BadData: a missing or unknown parameter.
        """
        (array,) = _broadcast(q)
        flat = np.ascontiguousarray(array).ravel()
        nngp, dot = self._engine.diag((flat,), self._scalars(self._diag_params, params))
        nngp[flat < 0.0], dot[flat < 0.0] = np.nan, np.nan
        return DualValues(nngp.reshape(array.shape), dot.reshape(array.shape))

    def _scalars(self, names: tuple[str, ...], params: dict[str, float]) -> tuple[float, ...]:
        if unknown := sorted(set(params) - set(self.params)):
            raise BadData(
                f"{self.name} has no parameter {unknown[0]!r}",
                hint="its parameters: " + (", ".join(self.params) or "none"),
            )
        if missing := sorted(set(names) - set(params)):
            raise BadData(
                f"{self.name}: the parameter {missing[0]!r} has no value",
                hint=f"{missing[0]}=1.0 as a keyword argument",
            )
        return tuple(float(params[n]) for n in names)


def _broadcast(*values: Any) -> tuple[Array, ...]:
    try:
        return tuple(np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in values)))
    except (ValueError, TypeError) as error:
        raise BadData("covariances must be numbers that broadcast", where=str(error)) from error
