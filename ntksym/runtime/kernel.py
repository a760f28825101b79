"""`CompiledKernel`: the kernels of a network as a function of data."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from ..backends import SourceFile
from ..errors import BadData, UnsupportedOp
from ..waiting import told
from .checks import (
    Array,
    data_rows,
    dimension,
    is_covariance,
    not_negative,
    real_array,
    rounding,
    same_width,
)
from .dual_arrays import CompiledDual as CompiledDual
from .dual_arrays import DualValues as DualValues
from .engines import Engine
from .gram import bands
from .gram import loop as gram_loop
from .gram.bands import Target
from .gram.loop import First, Layers, Side
from .gram.pair_tile import squares
from .gram.products import equal_points, mirrored, possible
from .gram.threads import in_strips
from .later import found_network, found_recursion, growth_of
from .outputs import KernelMatrices as KernelMatrices
from .outputs import Only as Only
from .outputs import given_back, set_diagonal, target_of
from .said import Said

if TYPE_CHECKING:
    from ..lower.growth import Growth
    from .gradients.network import NetworkGradient
    from .gradients.planes import KernelGradients
    from .gradients.units import UnitGradient

SMALL = 1 << 21
"""Multiplications below which one thread is faster than several."""


class CompiledKernel(Said):
    """A network's kernels as a function of data: `k(X, Y).nngp`, `k(X, Y).ntk`.

    `print(k)` says the conventions, the conditions, and the errors that are proven or measured.

    Calls are safe from several threads, and after a fork: no thread outlives a call.  It pickles
    and copies: the other program compiles the same sources, or takes them from its cache.  NaN and
    infinities pass: where a row has one, or its variance overflows before the last layer, the
    whole row and column of the kernels is NaN, and every other entry is as without that row.

    Attributes:
        taken: how the last call was computed, in words.
        bound: of a polynomial instead of layers, over the kernels at rho = 1; where layers are
            computed 0: `print(k)` has the bounds of their duals.
        sources: the generated files, as (name, text).
        name, target, dtype, threads: what was asked for, and taken.
    """

    taken = "layers"

    def __init__(
        self,
        engine: Engine,
        *,
        name: str,
        target: str,
        dtype: str,
        threads: int,
        sources: tuple[SourceFile, ...],
        network: Any = None,
        bound: float = 0.0,
    ) -> None:
        self.bound = bound
        self._engine = engine
        self._network = network
        self.name = name
        self.target = target
        self.dtype = np.dtype(dtype)
        self.threads = threads
        self.sources = sources
        self._keep = False
        self._gradient: NetworkGradient | UnitGradient | None = None
        self._units: tuple[Any, Any] | None = None

    def _stand_in(self, layers: CompiledKernel) -> None:
        """Take over what another kernel computes with."""
        CompiledKernel.__init__(
            self,
            layers._engine,
            name=layers.name,
            target=layers.target,
            dtype=layers.dtype.name,
            threads=layers.threads,
            sources=layers.sources,
            network=layers._network,
        )
        self._keep, self._units = layers._keep, layers._units

    def __repr__(self) -> str:
        return f"<CompiledKernel {self.name}: target={self.target}, threads={self.threads}>"

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle stores: the gradient is made again where it is wanted."""
        return self.__dict__ | {"_gradient": None}

    def prepare(self, keep: bool) -> CompiledKernel:
        """Compile what the first call would compile, and give the kernel itself.

        Raises:
            NoCompiler: there is none.
        """
        self._keep = keep
        if (layers := self._layers) is not None:
            gram_loop.gram_library(gram_loop.variant_of(layers, self.dtype), keep)
        return self

    def with_units(self, network: Any, wanted: Any) -> CompiledKernel:
        """The kernel, with the gradient of a network of tables, series and mixtures."""
        self._units = network, wanted
        return self

    def gradient(self, X: Any, Y: Any = None) -> KernelGradients:
        """Both kernels and their derivatives: in q11, q12, q22, the variances and parameters.

        Finite on the diagonal; in double, of float32 kernels too, and in compiled C where the
        kernel is.  Errors are measured, not proven: 1e-12 for closed forms at usual sizes.
        `NetworkGradient` has the derivatives in the rows of X too.

        Returns:
            A `KernelGradients`: `nngp`, `ntk`, and `d_nngp["q12"]`, ..., arrays (n, m).

        Raises:
            BadData: X or Y is no two-dimensional real array.
            UnsupportedOp: a collapsed network, or a jump whose derivative dual is infinite.
        """
        for rows, name in ((X, "X"), (Y, "Y")):
            if rows is not None or name == "X":
                data_rows(rows, name)
        target = "numpy" if self.target == "numpy" else None
        new = self._gradient is None
        if self._gradient is None and self._units is not None:
            from .gradients.units import UnitGradient

            network, wanted = self._units
            found = found_network(network)
            self._gradient = UnitGradient(found, wanted, target, threads=self.threads)
        elif self._gradient is None:
            if self._network is None:
                raise UnsupportedOp(
                    f"{self.name}: no derivatives", hint="the network without collapse"
                )
            from .gradients.network import NetworkGradient

            self._gradient = NetworkGradient(
                found_recursion(self._network), target, threads=self.threads, keep=self._keep
            )
        first = told(f"gradient of {self.name}", "deriving, compiling, computing")
        with first if new else nullcontext(), np.errstate(all="ignore"):
            return self._gradient(X, Y)  # NaN and infinities pass, as in a call

    def at(self, **numbers: Any) -> CompiledKernel:
        """The kernel with other variances or parameters, as `Network.at` takes them.

        Of closed forms the code is compiled once, without its numbers, however many they are: then
        a kernel and its gradient take milliseconds.  So is C of mixtures for all variances, but for
        its gradient and for other parameters of the activation.  Tables and other rules for a range
        are compiled anew, and a collapsed network collapsed anew.  A deep network keeps its layers.

            k.at(weight_var=1.7, bias_var=0.1)(X)

        Raises:
            BadSpec: as `Network.at`.
            UnsupportedOp: one form of a collapsed network.
        """
        from .renumbered import kernel_at

        return kernel_at(self, numbers)

    def growth(self, variance: float | None = None) -> Growth:
        """What the layers make of rounding: a bound to first order, for every pair of rows.

        Of the NNGP: for the NTK diagonals do not give one (`lower.growth` says why).

        Args:
            variance: Sigma(x, x) of the first layer; by default that of rows of mean square one.

        Without a closed form the diagonals are enclosed, in tenths of a second for each layer.

        Raises:
            Undecided: a diagonal could not be enclosed.
            UnsupportedOp: a collapsed network: it has no layers.
        """
        known = self._network if self._units is None else self._units[0]
        if known is None:
            raise UnsupportedOp(f"{self.name}: no layers", hint="the network without collapse")
        return growth_of(known, variance)

    @property
    def _layers(self) -> Layers | None:
        return getattr(self._engine, "layers", None)

    @overload
    def __call__(self, X: Any, Y: Any = None, *, out: Any = None) -> KernelMatrices: ...

    @overload
    def __call__(
        self, X: Any, Y: Any = None, *, out: Any = None, only: Only
    ) -> NDArray[np.floating[Any]]: ...

    def __call__(self, X: Any, Y: Any = None, *, out: Any = None, only: Only | None = None) -> Any:
        """The kernels of the rows of X (n, d) and Y (m, d; default X), shapes (n, m).

        `k(X)` is exactly symmetric, and its diagonal is `k.diag(X)`.  `out=(K, T)` fills two
        arrays of the kernel's dtype instead of fresh ones; their rows must be contiguous.
        `only="nngp"` or `only="ntk"` gives that array alone (`out` is then one array), and the
        other is not allocated.  No rows give no rows.

        Raises:
            BadData: not real, of wrong shape, without columns, masked; an output of wrong shape or
                type, read-only, or that overlaps another array.
            BadSpec: `only` is no kernel.
        """
        x = data_rows(X, "X")
        y = None if Y is None else data_rows(Y, "Y")
        other = x if y is None else y
        same_width(x, other)
        target = target_of((len(x), len(other)), self.dtype, out, only, (X, x, Y, y))
        first = self._engine.first(x.shape[1])
        own, own_ntk = self._side(x, first)
        across = None if y is None else self._side(y, first)[0]
        threads = self.threads
        if len(x) * len(other) * (x.shape[1] + 4 * len(own.levels)) < SMALL:
            threads = 1
        layers = self._layers
        with np.errstate(over="ignore"):  # doubles that no float holds are said by `_finish`
            if not (len(x) and len(other)):
                pass
            elif layers is None:
                bands.fill(self._engine, first, own, across, target, threads)
            else:
                gram_loop.fill(
                    layers, first, own, across, target.nngp, target.ntk, threads, self._keep
                )
            self._finish(
                target, own, own if across is None else across, ("X", "X" if y is None else "Y")
            )
            if y is None:
                for array, values in ((target.nngp, _last(own)), (target.ntk, own_ntk)):
                    if array is not None:
                        set_diagonal(array, values)
        return given_back(target, only)

    def _side(self, x: NDArray[Any], first: First) -> tuple[Side, Array]:
        """Norms and diagonals of rows, and the last NTK: NaN where the row is lost."""
        with np.errstate(all="ignore"):
            g = squares(x)
            q, t = in_strips(lambda part: self._engine.diag(part, first), g)
        side = Side(x, g, q, t)
        if side.whole:
            return side, t
        bad = np.isnan(g)
        q[:, bad], t[bad] = np.nan, np.nan
        t[side.lost] = np.nan
        return side, t

    def _finish(self, target: Target, x: Side, y: Side, names: tuple[str, str]) -> None:
        """NaN in rows and columns that have no kernel; a warning where finite data overflow."""
        for axis, side in enumerate((x, y)):
            if side.whole:
                continue
            if x is not y or axis == 0:
                self._warn(side, names[axis])
            lost = side.lost
            if not lost.any():
                continue
            for array in target.arrays:
                if axis == 0:
                    array[lost] = np.nan
                else:
                    array[:, lost] = np.nan

    def _warn(self, side: Side, name: str) -> None:
        """Say so when a variance of a finite row overflows or leaves the domain."""
        q = side.levels[: len(side.levels) // 2]
        wrong = ~np.isfinite(q).all(axis=0)
        if not wrong.any():
            return
        rows = [int(i) for i in np.nonzero(wrong)[0]]
        rows = [i for i in rows if np.isfinite(side.rows[i]).all()]
        if not rows:
            return
        level = int(np.nonzero(~np.isfinite(q[:, rows[0]]))[0][0])
        warnings.warn(
            f"{self.name}: the variance of row {rows[0]} of {name} is {q[level, rows[0]]}: it "
            "overflows, or a condition of the activation's closed form fails "
            "(`ntksym derive` prints the conditions); smaller inputs or variances help",
            RuntimeWarning,
            stacklevel=4,
        )

    def diag(self, X: Any) -> KernelMatrices:
        """The kernels of each row with itself, shapes (n,), from the diagonal formulas.

        Raises:
            BadData: not real, of wrong shape, without columns, masked.
        """
        x = data_rows(X, "X")
        side, t = self._side(x, self._engine.first(x.shape[1]))
        with np.errstate(over="ignore"):
            return KernelMatrices(_last(side).astype(self.dtype), t.astype(self.dtype))

    def gram(
        self,
        G: Any,
        q1: Any,
        q2: Any,
        d: int = 1,
        *,
        out: Any = None,
        only: Only | None = None,
        strict: bool = False,
    ) -> Any:
        """The kernels from inner products: G (n, m), squared norms q1 (n,) and q2 (m,).

        `d` is the input dimension, which some conventions divide by.  Angles come from `G`: half
        of the digits are lost for nearly collinear rows, because they are lost in G.  `out` and
        `only` as for a call.  Where G[i, j], q1[i] and q2[j] are one number up to a rounding the
        points are equal, and have exactly the kernel of the diagonal; where q1 = q2 and G is
        symmetric, so are the kernels.

        An inner product above |x| |y| counts as that; with `strict` it is an error when it is
        more than a rounding above.

        Raises:
            BadData: not real, of wrong shape, or a negative squared norm; outputs as for a call.
            BadSpec: `only` is no kernel, or d is no positive integer.
        """
        d = dimension(d)
        unit = rounding(G, q1, q2)
        g1, g2 = real_array(q1, "q1", 1), real_array(q2, "q2", 1)
        g12 = real_array(G, "G", 2)
        not_negative(g1, "q1")
        not_negative(g2, "q2")
        if g12.shape != (len(g1), len(g2)):
            raise BadData(
                f"G has shape {g12.shape}, the squared norms say ({len(g1)}, {len(g2)})",
                hint="G[i, j] = <x_i, y_j>, q1[i] = |x_i|^2, q2[j] = |y_j|^2",
            )
        if strict:
            is_covariance(g1[:, None], g12, g2[None, :], "gram")
        g12 = possible(g1, g12, g2)
        target = target_of(g12.shape, self.dtype, out, only, (G, g12, q1, q2))
        first = self._engine.first(d)
        x, y = (self._norms(g, first) for g in (g1, g2))
        if g12.size:
            bands.fill_products(self._engine, first, g12, (x.quiet, y.quiet), target, self.threads)
        with np.errstate(all="ignore"):
            ends = tuple((_last(s), s.own) for s in (x, y))
            for at, i, j in equal_points(g1, g12, g2, unit):
                for k, array in enumerate((target.nngp, target.ntk)):
                    if array is not None:
                        array[at + i, j] = 0.5 * ends[0][k][at + i] + 0.5 * ends[1][k][j]
        if np.array_equal(g1, g2) and np.array_equal(g12, g12.T):
            mirrored(target.arrays)
        self._finish(target, x, y, ("q1", "q2"))
        for array in target.arrays:
            if not np.isfinite(g12).all():
                array[~np.isfinite(g12)] = np.nan
        return given_back(target, only)

    def _norms(self, g: Array, first: First) -> Side:
        """The diagonals of points of which the squared norms are given."""
        with np.errstate(all="ignore"):
            levels, own = in_strips(lambda part: self._engine.diag(part, first), g)
        levels[:, np.isnan(g)] = np.nan
        return Side(g[:, None], g, levels, own)


def _last(side: Side) -> Array:
    """Sigma(x, x) after the last layer, NaN where the row is lost."""
    last: Array = side.levels[len(side.levels) // 2 - 1]
    return last if side.whole else np.where(side.lost, np.nan, last)
