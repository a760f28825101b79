"""Running units on arrays: the C library or the NumPy module of a dual, and of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..checks import Array
from ..dual_engines import STRIP, ModuleDual, SharedDual
from ..engines import CNetwork, NumpyNetwork, with_support

if TYPE_CHECKING:
    from ...backends import Contract
    from ...backends.unit import DualUnit
    from ...backends.unit_schedule import UnitSchedule


class CUnitNetwork(CNetwork):
    """A network of units in a shared library, with the calls of `CNetwork`."""

    def __init__(self, schedule: UnitSchedule, contract: Contract, *, keep: bool = True) -> None:
        from ...backends.c.network import units as c_unit_network

        source = c_unit_network.network_file(schedule, contract)
        self._load(source, len(schedule.steps), keep)


class NumpyUnitNetwork(NumpyNetwork):
    """The same in one NumPy module, with the calls of `NumpyNetwork`."""

    def __init__(self, schedule: UnitSchedule, contract: Contract, *, keep: bool = True) -> None:
        from ...backends.numpy import unit_network as numpy_unit_network

        self._load((numpy_unit_network.network_file(schedule, contract),), keep)


class CUnit(SharedDual):
    """A dual in a shared library."""

    def __init__(self, name: str, unit: DualUnit, contract: Contract, *, keep: bool) -> None:
        from ...backends.c.network import units as c_unit_network

        self.restore(with_support(c_unit_network.dual_file(name, unit, contract)), [], keep)


class NumpyUnit(ModuleDual):
    """A dual in a NumPy module."""

    def __init__(self, name: str, unit: DualUnit, contract: Contract, *, keep: bool) -> None:
        from ...backends.numpy import unit_network as numpy_unit_network

        self.restore((numpy_unit_network.dual_file(name, unit, contract),), [], keep)

    def pair(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at flat arrays of q11, q12, q22, in strips."""
        n = len(arrays[0])
        k, d = np.empty(n), np.empty(n)
        for at in range(0, n, STRIP):
            part = slice(at, at + STRIP)
            k[part], d[part] = self._module.dual(*(a[part] for a in arrays))
        return k, d
