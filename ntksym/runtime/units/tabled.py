"""Networks of mixtures whose layers become tables at calls where that pays.

A mixture is a sum over pairs of nodes: about a microsecond an entry, with `Phi2` hundreds.  A table
for the variances of the data costs tens of nanoseconds and, proven to what a mixture's own rounding
is about, seconds to build; it is kept in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import Undecided, UnsupportedOp
from ..checks import data_rows
from ..kernel import CompiledKernel, KernelMatrices, Only
from ..later import Asked, Later
from ..library.spelled import spelled
from .spans import ranged_kernel

if TYPE_CHECKING:
    from ...backends.mixture.programs import MixturePrograms
    from ...backends.unit_schedule import UnitSchedule

ERROR = {"float64": 3e-14, "float32": 1e-9}
"""What the tables are proven to, rounding counted, where no error is asked for."""
BUILD = 4.0
"""Seconds for the tables of a layer: what the mixtures of one call must take for them to pay."""
OPERATION = 1e-10
"""Seconds of a plain operation, in vectors."""
DEAR = {"Phi2": 4e-7, "Phi": 5e-9, "expPhi": 5e-9, "exp": 5e-9, "log": 5e-9, "div0": 6e-9}
"""Seconds of those that are not."""


def entry_seconds(programs: MixturePrograms) -> float:
    """About what an entry takes in compiled C, within a factor of two."""
    total = 0.0
    for pair in programs.pairs:
        total += sum(DEAR.get(line.op, OPERATION) for line in pair.program.body)
    return total * len(programs.nodes) ** 2


def network_seconds(schedule: UnitSchedule) -> float:
    """The same for all layers of a network; those that are no mixtures are not counted."""
    from ...backends.program_unit import ProgramUnit

    units = schedule.kinds
    known = [entry_seconds(u.parts) if isinstance(u, ProgramUnit) else 0.0 for u in units]
    return sum(known[step.kind] for step in schedule.steps)


def pays(seconds: float, entries: float) -> bool:
    """Whether tables are worth their building, for mixtures of so many seconds an entry.

    The answer is a function of network and sizes only, so that equal calls give equal bits.
    """
    return seconds * entries >= BUILD


class TabledKernel(CompiledKernel):
    """A `CompiledKernel` of mixtures that takes tables for the variances of the data where `pays`
    says so: proven to 3e-14 (float32: 1e-9), or to the error that was asked for.

    Where no table is proven to that for the range of the data within seconds the layers stay
    mixtures.  Diagonals, inner products and derivatives are always those of the mixtures.

    Attributes:
        seconds: of an entry, in C, by `network_seconds`.
        taken: how the last call was computed, in words.
    """

    def __init__(self, layers: CompiledKernel, net: Any, asked: Asked, seconds: float) -> None:
        self._stand_in(layers)
        self._net, self._asked = net, asked
        self._tables: Any = None
        self.seconds = seconds
        self.taken = "no call yet"

    def __call__(  # type: ignore[override]
        self, X: Any, Y: Any = None, *, out: Any = None, only: Only | None = None
    ) -> Any:
        """As `CompiledKernel.__call__`.

        Raises:
            BadData, BadSpec: as there.
        """
        rows = [data_rows(z, n) for z, n in ((X, "X"), (Y, "Y")) if z is not None or n == "X"]
        entries = len(rows[0]) * len(rows[-1]) / (2 if Y is None else 1)
        if not pays(self.seconds, entries):
            self.taken = "mixtures: the matrix is small"
            return super().__call__(X, Y, out=out, only=only)  # type: ignore[arg-type]
        try:
            made = self._made()._for_rows(X, Y)
        except (Undecided, UnsupportedOp) as failed:
            self.taken = f"mixtures: {failed.what}"
            return super().__call__(X, Y, out=out, only=only)  # type: ignore[arg-type]
        found = made(X, Y, out=out, only=only)
        self.taken = "tables for the variances of the data"
        arrays = found if isinstance(found, KernelMatrices) else (found,)
        own = self.diag(X)
        values = tuple(own) if only is None else (getattr(own, only),)
        for i, j in equal_rows(rows[0], rows[-1]):  # as mixtures have them, to the last bit
            for array, value in zip(arrays, values, strict=True):
                array[np.ix_(i, j)] = value[i[0]]
        return found

    def _made(self) -> Any:
        """The kernels of tables, whose code is made for the ranges of variances that come."""
        if self._tables is None:
            from .layers import vanishing

            network = self._net.network() if isinstance(self._net, Later) else self._net
            error = self._asked.error or ERROR[self.dtype.name]
            record = {
                "said": spelled(network),
                "name": self.name,
                "zero": all(vanishing(n) for n in dict.fromkeys(n for n, _ in network.blocks)),
                "fixed": None,
            }
            asked = replace(self._asked, tables=error)
            self._tables = ranged_kernel(network, asked, record)
        return self._tables


def equal_rows(x: Any, y: Any) -> Iterator[tuple[Any, Any]]:
    """`(i, j)`: places of rows of x and of y that are one and the same, for each such row."""
    both = np.concatenate((x, y)) + 0.0  # one zero
    words = both.view(np.dtype((np.void, both.itemsize * both.shape[1]))).ravel()
    label = np.unique(words, return_inverse=True)[1].ravel()
    order = np.argsort(label, kind="stable")
    ends = np.flatnonzero(np.diff(label[order])) + 1
    for group in np.split(order, ends):
        middle = int(np.searchsorted(group, len(x)))
        if 0 < middle < len(group):
            yield group[:middle], group[middle:] - len(x)
