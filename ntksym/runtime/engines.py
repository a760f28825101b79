"""The two ways to run a generated network or dual: a compiled library, or a NumPy module."""

from __future__ import annotations

import ctypes
import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..backends import SourceFile
from ..backends.source import without_rows
from ..errors import CannotWrite
from .addresses import address
from .checks import Array
from .gram.loop import First as First
from .gram.loop import Layers
from .gram.tiles import Tiles
from .library.cache import digest, obtain
from .library.compiler import load_library

if TYPE_CHECKING:
    from ..backends import Contract
    from ..lower.schedule import Schedule

Sources = tuple[SourceFile, ...]


class Engine(Protocol):
    """What the Gram loop needs of a network."""

    def first(self, d: int) -> First:
        """Slope and offset of Sigma, then of Theta, of the first layer."""
        ...

    def diag(self, g: Array, first: First) -> tuple[Array, Array]:
        """Diagonals of Sigma and then their roots, 2*(layers + 1) rows; the last of Theta."""
        ...

    def tile(self, g12: Array, qx: Array, qy: Array, first: First, nngp: Array, ntk: Array) -> None:
        """Fill `nngp` and `ntk` (n, m) from inner products and diagonals."""
        ...

    def pairs(
        self, g12: Array, root: Array, qx: Array, qy: Array, first: First
    ) -> tuple[Array, Array]:
        """The kernels of single pairs, with the accurate root of the first layer."""
        ...


def with_support(source: SourceFile) -> Sources:
    """A generated C file, after the header that all of them include."""
    from ..backends.c.backend import support_file

    return support_file(), source


def pointer(a: Array) -> ctypes.c_void_p:
    """The address of the first element."""
    return ctypes.c_void_p(address(a))


def _place(function: Any) -> int:
    """The address of a function of a library."""
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)


def array_size(n: int) -> ctypes.c_size_t:
    """A length as C counts it."""
    return ctypes.c_size_t(n)


class CNetwork:
    """A network in a shared library; ctypes releases the interpreter lock during the calls."""

    _single: Any = None
    """The float version of `tile`, where the generated file has one."""
    _firsts: dict[int, First]
    """The last answer of `first`."""
    _layers: Layers | None
    """The answer of `layers`."""

    def __init__(self, schedule: Schedule, contract: Contract, *, keep: bool = True) -> None:
        from ..backends.c.network import file as c_network

        source = c_network.network_file(schedule, contract)
        self._load(source, len(schedule.steps), keep)
        if not c_network.floats_will_do(schedule):
            self._single = None

    def __getstate__(self) -> tuple[SourceFile, int, bool, bool]:
        """What a pickle stores: the source, which is compiled again."""
        return self.sources[-1], self._count, self._keep, self._single is not None

    def __setstate__(self, state: tuple[SourceFile, int, bool, bool]) -> None:
        source, count, keep, single = state
        self.restore(with_support(source), [count, single], keep)

    @property
    def numbers(self) -> list[int]:
        """What `restore` needs besides the sources."""
        return [self._count, int(self._single is not None)]

    def restore(self, sources: Sources, numbers: list[int], keep: bool) -> None:
        """Be what was generated before; nothing is derived."""
        count, single = numbers
        self._open(sources, count, keep)
        if not single:
            self._single = None

    def _load(self, source: SourceFile, layers: int, keep: bool) -> None:
        """Compile a file with the entry points of a network, and find them."""
        self._open(with_support(source), layers, keep)

    def _open(self, sources: Sources, layers: int, keep: bool) -> None:
        source = sources[-1]
        self.sources, self._keep = sources, keep
        self._library = self._library_of(sources, keep)
        self._count = layers
        stem = "ntksym_" + source.name.removesuffix(".c")
        self._functions = {
            k: getattr(self._library, f"{stem}_{k}") for k in ("input", "diag", "pairs", "tile")
        }
        self._single = getattr(self._library, f"{stem}_tile_f32", None)
        for f in self._functions.values():
            f.restype = None
        self._firsts = {}
        self._layers = None

    def _library_of(self, sources: Sources, keep: bool) -> ctypes.CDLL:
        return load_library((*sources[:-1], without_rows(sources[-1])), keep=keep)

    @property
    def layers(self) -> Layers:
        """The functions as addresses, for the compiled Gram loop."""
        if self._layers is None:
            self._layers = Layers(
                tile=_place(self._functions["tile"]),
                pairs=_place(self._functions["pairs"]),
                single=None if self._single is None else _place(self._single),
            )
        return self._layers

    def first(self, d: int) -> First:
        """As in `Engine`."""
        found = self._firsts.get(d)
        if found is None:
            out = np.empty(4)
            self._functions["input"](array_size(d), pointer(out))
            found = float(out[0]), float(out[1]), float(out[2]), float(out[3])
            self._firsts = {d: found}
        return found

    def diag(self, g: Array, first: First) -> tuple[Array, Array]:
        """As in `Engine`."""
        n = len(g)
        q, t, given = np.empty((2 * self._count + 2, n)), np.empty(n), np.array(first)
        self._functions["diag"](array_size(n), pointer(g), pointer(given), pointer(q), pointer(t))
        return q, t

    def tile(self, g12: Array, qx: Array, qy: Array, first: First, nngp: Array, ntk: Array) -> None:
        """As in `Engine`; `nngp` and `ntk` may be slices with contiguous rows."""
        given = np.array(first)
        self._functions["tile"](
            array_size(g12.shape[0]),
            array_size(g12.shape[1]),
            pointer(g12),
            array_size(g12.strides[0] // 8),
            pointer(qx),
            array_size(qx.strides[0] // 8),
            pointer(qy),
            array_size(qy.strides[0] // 8),
            pointer(given),
            pointer(nngp),
            pointer(ntk),
            array_size(nngp.strides[0] // 8),
        )

    def pairs(
        self, g12: Array, root: Array, qx: Array, qy: Array, first: First
    ) -> tuple[Array, Array]:
        """As in `Engine`."""
        n = len(g12)
        nngp, ntk, given = np.empty(n), np.empty(n), np.array(first)
        qx, qy = np.ascontiguousarray(qx), np.ascontiguousarray(qy)
        self._functions["pairs"](
            array_size(n),
            pointer(np.ascontiguousarray(g12)),
            pointer(np.ascontiguousarray(root)),
            pointer(qx),
            array_size(1),
            array_size(n),
            pointer(qy),
            array_size(1),
            array_size(n),
            pointer(given),
            pointer(nngp),
            pointer(ntk),
        )
        return nngp, ntk


def load_module(source: SourceFile, *, keep: bool = True) -> ModuleType:
    """A generated NumPy module, imported from the cache; from memory where it cannot be stored."""
    key = digest((source.name, source.text))
    name, data = f"ntksym_generated_{key[:16]}", source.text.encode("ascii")
    try:
        path = obtain(key, ".py", lambda _: data, keep=keep)
    except (CannotWrite, OSError):
        from .library.held import Held

        return _imported(importlib.util.spec_from_loader(name, Held(data)))
    return import_file(path, name)


def import_file(path: Path, name: str) -> ModuleType:
    """Import one file of ours as a module, without writing bytecode beside it."""
    return _imported(importlib.util.spec_from_file_location(name, path))


def _imported(spec: ModuleSpec | None) -> ModuleType:
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class NumpyNetwork:
    """A network in two NumPy modules: one to be read, and one that works in place."""

    tiles: Tiles | None = None
    """The layers in place, where the network has such a form."""

    def __init__(self, schedule: Schedule, contract: Contract, *, keep: bool = True) -> None:
        from ..backends.numpy import network as numpy_network
        from ..backends.numpy.tiles import tiles_file

        source = numpy_network.network_file(schedule, contract)
        tiles = tiles_file(schedule, contract)
        self._load((source,) if tiles is None else (source, tiles), keep)

    def __getstate__(self) -> tuple[tuple[SourceFile, ...], bool]:
        """What a pickle stores: the sources."""
        return self.sources, self._keep

    def __setstate__(self, state: tuple[tuple[SourceFile, ...], bool]) -> None:
        self._load(*state)

    @property
    def numbers(self) -> list[int]:
        """What `restore` needs besides the sources."""
        return []

    def restore(self, sources: Sources, numbers: list[int], keep: bool) -> None:
        """Be what was generated before; nothing is derived."""
        self._load(sources, keep)

    def _load(self, sources: Sources, keep: bool) -> None:
        """Import the readable module, and the one that works in place where it is given."""
        self.sources, self._keep = sources, keep
        self._module: Any = load_module(sources[0], keep=keep)
        if len(sources) > 1:
            self.tiles = Tiles(load_module(sources[1], keep=keep), self._module)

    def first(self, d: int) -> First:
        """As in `Engine`."""
        a, b, c, e = self._module.first_layer(d)
        return a, b, c, e

    def diag(self, g: Array, first: First) -> tuple[Array, Array]:
        """As in `Engine`."""
        q, t = self._module.diagonals(g, first)
        return q, t

    def tile(self, g12: Array, qx: Array, qy: Array, first: First, nngp: Array, ntk: Array) -> None:
        """As in `Engine`, by strips that stay in the cache of the processor."""
        for at in range(0, g12.shape[1], 256):
            part = slice(at, at + 256)
            nngp[:, part], ntk[:, part] = self._module.pairs(
                g12[:, part], qx[:, :, None], qy[:, None, part], first
            )

    def pairs(
        self, g12: Array, root: Array, qx: Array, qy: Array, first: First
    ) -> tuple[Array, Array]:
        """As in `Engine`."""
        nngp, ntk = self._module.pairs(g12, qx, qy, first, root)
        return nngp, ntk
