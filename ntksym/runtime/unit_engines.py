"""Running units on arrays: the C library or the NumPy module of a dual, and of a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backends import Contract, SourceFile, c_unit_network, numpy_unit_network
from ..backends import c as c_backend
from ..backends.unit import DualUnit
from ..backends.unit_schedule import UnitSchedule
from .checks import Array
from .compiler import load_library
from .engines import CNetwork, NumpyNetwork, array_size, load_module, pointer

STRIP = 4096
"""Entries that a NumPy module works on at a time: its temporaries then stay in the cache."""


class CUnitNetwork(CNetwork):
    """A network of units in a shared library, with the calls of `CNetwork`."""

    def __init__(self, schedule: UnitSchedule, contract: Contract, *, keep: bool = True) -> None:
        source = c_unit_network.network_file(schedule, contract)
        self._load(source, len(schedule.steps), keep)


class NumpyUnitNetwork(NumpyNetwork):
    """The same in one NumPy module, with the calls of `NumpyNetwork`."""

    def __init__(self, schedule: UnitSchedule, contract: Contract, *, keep: bool = True) -> None:
        self._load((numpy_unit_network.network_file(schedule, contract),), keep)


class CUnit:
    """A dual in a shared library."""

    def __init__(self, name: str, unit: DualUnit, contract: Contract, *, keep: bool) -> None:
        self._load(c_unit_network.dual_file(name, unit, contract), keep)

    def __getstate__(self) -> tuple[SourceFile, bool]:
        """What a pickle stores: the source, which is compiled again."""
        return self.sources[-1], self._keep

    def __setstate__(self, state: tuple[SourceFile, bool]) -> None:
        self._load(*state)

    def _load(self, source: SourceFile, keep: bool) -> None:
        self.sources: tuple[SourceFile, ...] = (c_backend.support_file(), source)
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
        self._load(numpy_unit_network.dual_file(name, unit, contract), keep)

    def __getstate__(self) -> tuple[SourceFile, bool]:
        """What a pickle stores: the source."""
        return self.sources[0], self._keep

    def __setstate__(self, state: tuple[SourceFile, bool]) -> None:
        self._load(*state)

    def _load(self, source: SourceFile, keep: bool) -> None:
        self.sources: tuple[SourceFile, ...] = (source,)
        self._keep = keep
        self._module: Any = load_module(source, keep=keep)

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
