r"""KernelState: what is known of a network after a layer, for two inputs x and y.

Shape contract.  `positions` is the shape of the positions of one input: `()` for vectors, `(h, w)`
for images, `(t,)` for sequences.  Every field is a SymPy expression when `positions == ()`, and
else an immutable array of shape `positions + positions`: entry `[p, p']` belongs to position p of
the first input and p' of the second.  So `nngp12[p, p']` is the covariance of x at p with y at p',
`nngp11[p, p']` of x at p with x at p'.  `nngp11` and `nngp22` are symmetric in p and p'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from sympy import Expr, ImmutableDenseNDimArray

from ..brief import Brief
from ..errors import BadSpec

Entry = Any
"""An `Expr` for vectors, an `ImmutableDenseNDimArray` over pairs of positions otherwise."""

PairMap = Callable[[Expr, Expr, Expr, Expr | None], tuple[Expr, Expr | None]]
"""(q11, q12, q22, theta12) -> (nngp, ntk) of one pair of positions."""

DiagMap = Callable[[Expr, Expr | None], tuple[Expr, Expr | None]]
"""(q, theta) -> (nngp, ntk) where the two pre-activations are one."""


@dataclass(frozen=True, slots=True, repr=False)
class KernelState(Brief):
    r"""Covariances $\Sigma$ and tangent kernels $\Theta$ for the pairs (x, x), (x, y), (y, y).

    `ntk11` and `ntk22` are None where nothing needs them.

    Raises:
        BadSpec: an entry without the shape `positions + positions`.
    """

    nngp11: Entry
    nngp12: Entry
    nngp22: Entry
    ntk12: Entry
    ntk11: Entry | None = None
    ntk22: Entry | None = None
    positions: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        want = self.positions + self.positions
        for name in ("nngp11", "nngp12", "nngp22", "ntk12", "ntk11", "ntk22"):
            entry = getattr(self, name)
            if entry is None:
                continue
            shape = tuple(getattr(entry, "shape", ()))
            if shape != want:
                raise BadSpec(
                    f"kernel state: {name} has shape {shape}, not {want}",
                    hint="two copies of the positions; expressions where there are none",
                )

    def map(self, pair: PairMap, diag: DiagMap) -> KernelState:
        """The state after a layer that acts on each pair of positions by itself.

        `pair` sees the variances at the two positions, their covariance and theta.  `diag` is used
        where both positions are one point of one input: there the covariance equals both
        variances, and a formula of its own is exact where the general one degenerates.
        """
        n12, t12 = self._cross(pair)
        n11, t11 = self._own(self.nngp11, self.ntk11, pair, diag)
        n22, t22 = self._own(self.nngp22, self.ntk22, pair, diag)
        return KernelState(n11, n12, n22, t12, t11, t22, self.positions)

    def _cross(self, pair: PairMap) -> tuple[Entry, Entry]:
        if not self.positions:
            return pair(self.nngp11, self.nngp12, self.nngp22, self.ntk12)
        cells = []
        for p, r in self._pairs():
            q11, q22 = self.nngp11[p + p], self.nngp22[r + r]
            cells.append(pair(q11, self.nngp12[p + r], q22, self.ntk12[p + r]))
        return self._stack(cells)

    def _own(
        self, nngp: Entry, ntk: Entry | None, pair: PairMap, diag: DiagMap
    ) -> tuple[Entry, Entry | None]:
        if not self.positions:
            return diag(nngp, ntk)
        cells = []
        for p, r in self._pairs():
            theta = None if ntk is None else ntk[p + r]
            if p == r:
                cells.append(diag(nngp[p + p], theta))
            else:
                cells.append(pair(nngp[p + p], nngp[p + r], nngp[r + r], theta))
        return self._stack(cells)

    def _pairs(self) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        places = list(product(*(range(n) for n in self.positions)))
        return [(p, r) for p in places for r in places]

    def _stack(self, cells: list[tuple[Expr, Expr | None]]) -> tuple[Entry, Entry | None]:
        shape = self.positions + self.positions
        assert len(cells) == prod(shape)
        nngp = ImmutableDenseNDimArray([k for k, _ in cells], shape)
        if any(t is None for _, t in cells):
            return nngp, None
        return nngp, ImmutableDenseNDimArray([t for _, t in cells], shape)
