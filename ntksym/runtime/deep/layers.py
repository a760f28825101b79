"""Deep networks whose layers become one polynomial of the angle at calls where that pays."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import NoClosedForm, Undecided
from ..checks import data_rows
from ..kernel import CompiledKernel, KernelMatrices, Only
from ..later import Later
from .spheres import SAME, common_square

if TYPE_CHECKING:
    from .collapsed import CollapsedKernel

ERROR = {"float64": 2e-14, "float32": 1e-8}
"""What the polynomial must be proven to, over the kernels at rho = 1: less than layers lose too."""
SHALLOW = 8
"""Networks of fewer layers keep them: a polynomial costs what a few layers do."""
CALLS = 10
"""How many calls of its size a polynomial is made for; it is kept in the cache."""
LAYER = {"float64": 3e-9, "float32": 1e-9}
"""Seconds of an entry and layer on one processor, of the plainest activation (ReLU)."""
FLAT = {"float64": 6.0, "float32": 4.0}
"""What the polynomial costs, in layers."""
BUILD = {"float64": 0.05, "float32": 0.03}
"""Seconds of proof per layer, between those of ReLU and of GELU."""
DOUBLED = 1000.0
"""So many layers take twice that each: the digits that a proof works with grow with the depth."""
SPHERE = {"float64": 4e-15, "float32": SAME["float32"]}
"""Relative differences of squared norms that are rounding, that of their sums included (2.6e-15 for
normalised rows of 784 columns of doubles), so that a sphere is one to 1e-14; for float results
such differences as rounding the rows to floats makes."""
DIGITS = 12
"""A squared norm that is this short a decimal, up to rounding, is it."""


def pays(depth: int, entries: int, dtype: str = "float64") -> bool:
    """Whether a polynomial is worth its proof, by the estimate above, for a matrix of `entries`.

    The answer is a function of the sizes only, so that equal calls give equal bits.
    """
    if depth < SHALLOW:
        return False
    build = BUILD[dtype] * depth * (1.0 + depth / DOUBLED)
    return CALLS * entries * LAYER[dtype] * (depth - FLAT[dtype]) >= build


class DeepKernel(CompiledKernel):
    """A `CompiledKernel` that takes a certified polynomial of the angle where `pays` says so.

    For homogeneous activations without biases on any data, else for data on a sphere.  The
    polynomial is proven to 2e-14 of the kernels at rho = 1, which is what the layers' own rounding
    comes to, for float results to 1e-8; diagonals, inner products and derivatives are those of the
    layers.  Float results of rows that are on a sphere up to rounding in float are those of rows on
    it that differ from the given ones by that rounding, which is not counted in the proof: `taken`
    says how far the norms are from the sphere's.

    Attributes:
        taken: how the last call was computed, in words.
        bound: the proven error of the polynomial, where the last call took one; else 0.
    """

    def __init__(self, layers: CompiledKernel, network: Later, cache: bool) -> None:
        self._stand_in(layers)
        self._cache = cache
        self._net = network
        self._flat: CollapsedKernel | None = None
        self._failed: dict[Any, str] = {}
        self.depth = network.depth
        self.taken = "no call yet"

    def __repr__(self) -> str:
        return (
            f"<CompiledKernel {self.name}: target={self.target}, threads={self.threads}, "
            f"{self.depth} layers or one polynomial (last call: {self.taken})>"
        )

    def __call__(  # type: ignore[override]
        self, X: Any, Y: Any = None, *, out: Any = None, only: Only | None = None
    ) -> Any:
        """As `CompiledKernel.__call__`.

        Raises:
            BadData, BadSpec: as there.
        """
        flat = self._polynomial(X, Y)
        if flat is None:
            return super().__call__(X, Y, out=out, only=only)  # type: ignore[arg-type]
        found = flat(X, Y, out=out, only=only)  # type: ignore[arg-type]
        if Y is None:  # the diagonal of the layers, exactly
            own = self.diag(X)
            for name in ("nngp", "ntk") if only is None else (only,):
                whole = getattr(found, name) if isinstance(found, KernelMatrices) else found
                np.fill_diagonal(whole, getattr(own, name))
        return found

    def _polynomial(self, X: Any, Y: Any) -> CompiledKernel | None:
        """The collapsed kernel for these data, or None for the layers."""
        self.bound = 0.0
        rows = [data_rows(z, n) for z, n in ((X, "X"), (Y, "Y")) if z is not None or n == "X"]
        if not pays(self.depth, len(rows[0]) * len(rows[-1]), self.dtype.name):
            self.taken = "layers: the matrix is small"
            return None
        if self._flat is None and None not in self._failed:
            try:
                self._flat = self._made()
            except (NoClosedForm, Undecided) as failed:
                self._failed[None] = failed.what
        if self._flat is None:
            self.taken = f"layers: {self._failed[None]}"
            return None
        square, off = None, 0.0
        if not self._flat.homogeneous:
            square, off = sphere(rows, self.dtype.name)
        if square is None and not self._flat.homogeneous:
            self.taken = "layers: the rows are on no sphere"
            return None
        key = square, rows[0].shape[1]
        if key not in self._failed:
            try:
                made = self._flat.on_sphere(*key)
            except (NoClosedForm, Undecided) as failed:
                self._failed[key] = failed.what
            else:
                self.bound = made.bound
                self.taken = f"one polynomial, proven to {made.bound:.1e}"
                if off > SPHERE["float64"]:
                    self.taken += f" on a sphere, from which norms differ by up to {off / 2:.1e}"
                return made
        self.taken = f"layers: {self._failed[key]}"
        return None

    def _made(self) -> CollapsedKernel:
        from .collapsed import CollapsedKernel

        made = CollapsedKernel(
            self._net,
            target=self.target,
            dtype=self.dtype.name,
            cache=self._cache,
            threads=self.threads,
            error=ERROR[self.dtype.name],
        )
        if made.slow:
            raise NoClosedForm(
                "a proof for kinks away from 0, or exponentials of one side, takes about a second "
                "a layer (collapse=True makes one, to 1e-12)"
            )
        return made


def sphere(rows: list[Any], dtype: str = "float64") -> tuple[float | None, float]:
    """The squared norm of all finite rows, where they have one up to rounding, else None; and by
    how much those of the rows differ from it, relatively.
    """
    with np.errstate(all="ignore"):
        squares = np.concatenate([np.einsum("ij,ij->i", z, z, dtype=np.float64) for z in rows])
    squares = squares[np.isfinite(squares)]  # the others have no kernel, and must not matter
    low, high = (float(squares.min()), float(squares.max())) if squares.size else (0.0, 0.0)
    if not (low > 0.0 and high - low <= SPHERE[dtype] * high):
        return None, 0.0
    middle = (low + high) / 2
    short = round(middle, DIGITS - 1 - floor(log10(middle)))
    if not abs(short - middle) <= 2 * SPHERE["float64"] * middle:
        short = common_square(low, high, dtype) if dtype == "float32" else middle
    return short, max(abs(low / short - 1.0), abs(high / short - 1.0))


def deep(made: CompiledKernel, network: Later, cache: bool) -> CompiledKernel:
    """The kernel itself, or one that may take a polynomial: where the network is deep.

    A network that is a function of the angle on no data keeps its layers.
    """
    return made if network.depth < SHALLOW else DeepKernel(made, network, cache)
