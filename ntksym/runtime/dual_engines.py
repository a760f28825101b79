"""The two ways to run a generated dual; being kept and loaded is the same for all kinds."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backends import SourceFile
from .checks import Array
from .engines import Sources, array_size, load_module, pointer, with_support
from .library.compiler import load_library

if TYPE_CHECKING:
    from ..backends import Contract
    from ..lower.program import Program

STRIP = 4096
"""Entries that a NumPy module works on at a time: its temporaries then stay in the cache."""


class SharedDual:
    """A dual in a shared library: of a closed form, a unit or a mixture."""

    sources: Sources
    _pair: Any
    _diag: Any

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
        self.sources, self._keep = sources, keep
        library = load_library(sources, keep=keep)
        stem = "ntksym_" + sources[-1].name.removesuffix(".c")
        for name, symbol in self.symbols(stem).items():
            found = getattr(library, symbol)
            found.restype = None
            setattr(self, name, found)

    def symbols(self, stem: str) -> dict[str, str]:
        """The functions of the library, by the attributes that they become."""
        return {"_pair": stem, "_diag": f"{stem}_diag"}

    def pair(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at flat arrays of q11, q12, q22."""
        return called(self._pair, arrays, scalars)

    def diag(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at a flat array of q."""
        return called(self._diag, arrays, scalars)


def called(f: Any, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
    """What a generated function writes for flat arrays, in the type of the first of them."""
    n = len(arrays[0])
    nngp, dot = np.empty(n, arrays[0].dtype), np.empty(n, arrays[0].dtype)
    held = [np.ascontiguousarray(a) for a in arrays]
    numbers = [ctypes.c_double(s) for s in scalars]
    f(array_size(n), *map(pointer, held), *numbers, pointer(nngp), pointer(dot))
    return nngp, dot


class ModuleDual:
    """A dual in a NumPy module: of a closed form, a unit or a mixture."""

    sources: Sources

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
        self.sources, self._keep = sources, keep
        self._module: Any = load_module(sources[0], keep=keep)

    def diag(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at an array of q."""
        nngp, dot = self._module.diagonal(*arrays, *scalars)
        return nngp, dot


class CDual(SharedDual):
    """The closed form of a dual in a shared library, in doubles and in floats."""

    _single: Any

    def __init__(self, pair: Program, diag: Program, contract: Contract, *, keep: bool) -> None:
        from ..backends.c.backend import dual_file

        self.restore(with_support(dual_file(pair.name, pair, diag, contract)), [], keep)

    def symbols(self, stem: str) -> dict[str, str]:
        """Also the one for floats."""
        return {**super().symbols(stem), "_single": f"{stem}_f32"}

    def pair(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at flat arrays of q11, q12, q22, all doubles or all floats."""
        single = arrays[0].dtype == np.float32
        return called(self._single if single else self._pair, arrays, scalars)


class NumpyDual(ModuleDual):
    """The closed form of a dual in a NumPy module."""

    def __init__(self, pair: Program, diag: Program, contract: Contract, *, keep: bool) -> None:
        from ..backends.numpy.backend import dual_file

        self.restore((dual_file(pair.name, pair, diag, contract),), [], keep)

    def pair(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at arrays of q11, q12, q22."""
        nngp, dot = self._module.dual(*arrays, *scalars)
        return nngp, dot
