"""Running units on arrays: the C library or the NumPy module of a dual, and of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..backends import SourceFile
from .checks import Array
from .compiler import load_library
from .engines import (
    CNetwork,
    NumpyNetwork,
    Sources,
    array_size,
    load_module,
    pointer,
    with_support,
)

if TYPE_CHECKING:
    from ..backends import Contract
    from ..backends.unit import DualUnit
    from ..backends.unit_schedule import UnitSchedule

STRIP = 4096
"""Entries that a NumPy module works on at a time: its temporaries then stay in the cache."""


class CUnitNetwork(CNetwork):
    """A network of units in a shared library, with the calls of `CNetwork`."""

    def __init__(self, schedule: UnitSchedule, contract: Contract, *, keep: bool = True) -> None:
        from ..backends.c.network import units as c_unit_network

        source = c_unit_network.network_file(schedule, contract)
        self._load(source, len(schedule.steps), keep)


class NumpyUnitNetwork(NumpyNetwork):
    """The same in one NumPy module, with the calls of `NumpyNetwork`."""

    def __init__(self, schedule: UnitSchedule, contract: Contract, *, keep: bool = True) -> None:
        from ..backends.numpy import unit_network as numpy_unit_network

        self._load((numpy_unit_network.network_file(schedule, contract),), keep)


class CUnit:
    """A dual in a shared library."""

    def __init__(self, name: str, unit: DualUnit, contract: Contract, *, keep: bool) -> None:
        from ..backends.c.network import units as c_unit_network

        self.restore(with_support(c_unit_network.dual_file(name, unit, contract)), [], keep)

    def __getstate__(self) -> tuple[SourceFile, bool]:
        """What a pickle stores: the source, which is compiled again."""
        return self.sources[-1], self._keep

    def __setstate__(self, state: tuple[SourceFile, bool]) -> None:
        self.restore(with_support(state[0]), [], state[1])

    @property
    def numbers(self) -> list[int]:
        """What `restore` needs besides the sources."""
        return []

    def restore(self, sources: Sources, numbers: list[int], keep: bool) -> None:
        """Be what was generated before; nothing is derived."""
        source = sources[-1]
        self.sources = sources
        self._keep = keep
        library = load_library(self.sources, keep=keep)
        stem = "ntksym_" + source.name.removesuffix(".c")
        self._pair, self._diag = getattr(library, stem), getattr(library, f"{stem}_diag")
        self._pair.restype = self._diag.restype = None

    def pair(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at flat arrays of q11, q12, q22; there are no scalars."""
        return self._call(self._pair, arrays)

    def diag(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at a flat array of q."""
        return self._call(self._diag, arrays)

    @staticmethod
    def _call(f: Any, arrays: tuple[Array, ...]) -> tuple[Array, Array]:
        n = len(arrays[0])
        nngp, dot = np.empty(n), np.empty(n)
        held = [np.ascontiguousarray(a) for a in arrays]
        f(array_size(n), *map(pointer, held), pointer(nngp), pointer(dot))
        return nngp, dot


class NumpyUnit:
    """A dual in a NumPy module."""

    def __init__(self, name: str, unit: DualUnit, contract: Contract, *, keep: bool) -> None:
        from ..backends.numpy import unit_network as numpy_unit_network

        self.restore((numpy_unit_network.dual_file(name, unit, contract),), [], keep)

    def __getstate__(self) -> tuple[SourceFile, bool]:
        """What a pickle stores: the source."""
        return self.sources[0], self._keep

    def __setstate__(self, state: tuple[SourceFile, bool]) -> None:
        self.restore((state[0],), [], state[1])

    @property
    def numbers(self) -> list[int]:
        """What `restore` needs besides the sources."""
        return []

    def restore(self, sources: Sources, numbers: list[int], keep: bool) -> None:
        """Be what was generated before; nothing is derived."""
        self.sources = sources
        self._keep = keep
        self._module: Any = load_module(sources[0], keep=keep)

    def pair(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at flat arrays of q11, q12, q22, in strips."""
        n = len(arrays[0])
        k, d = np.empty(n), np.empty(n)
        for at in range(0, n, STRIP):
            part = slice(at, at + STRIP)
            k[part], d[part] = self._module.dual(*(a[part] for a in arrays))
        return k, d

    def diag(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at a flat array of q."""
        k, d = self._module.diagonal(*arrays)
        return k, d
