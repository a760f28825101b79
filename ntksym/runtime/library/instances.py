"""Instances of a library: the same code, each with its own copy of what the library keeps.

Code that is given its numbers keeps them in the library.  Kernels of unlike numbers may run at the
same time, so each has an instance of its own; when the kernel is gone the next one takes it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
import threading
import weakref
from contextlib import suppress
from typing import Any

import numpy as np

from ...backends import SourceFile
from ...errors import NoCompiler, NoRoom
from .cache import TEMPORARY
from .compiler import ROOM, load_library, shared_library

Sources = tuple[SourceFile, ...]


class Instances:
    """The instances of one library: each has its own copy of what the library keeps.

    A loader gives the library that it has for a file that it knows, so every instance is loaded
    from a copy of the file.
    """

    def __init__(self, sources: Sources, keep: bool) -> None:
        self._sources, self._keep = sources, keep
        self._free: list[ctypes.CDLL] = []

    def taken(self, holder: Any) -> ctypes.CDLL:
        """An instance that nothing else uses while `holder` is there.

        Raises:
            NoCompiler: there is none.
            CannotWrite: the library cannot be stored.
        """
        try:
            library = self._free.pop()
        except IndexError:
            library = self._loaded()
        weakref.finalize(holder, self._free.append, library).atexit = False
        return library

    def _loaded(self) -> ctypes.CDLL:
        load_library(self._sources, keep=self._keep)  # one that does not load is made again
        path = shared_library(self._sources, keep=self._keep)
        try:
            handle, copy = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY, suffix=".so")
        except OSError as error:
            raise NoRoom("a library cannot be copied", where=str(error), hint=ROOM) from error
        os.close(handle)
        try:
            shutil.copy(path, copy)
            return ctypes.CDLL(copy)
        except OSError as error:
            raise NoCompiler("a copy of a library does not load", where=str(error)) from error
        finally:
            with suppress(OSError):
                os.unlink(copy)


_instances: dict[tuple[Sources, bool], Instances] = {}
_adding = threading.Lock()


def instances(sources: Sources, keep: bool) -> Instances:
    """The instances of the library of these files."""
    with _adding:
        return _instances.setdefault((sources, keep), Instances(sources, keep))


if hasattr(os, "register_at_fork"):

    def _again() -> None:
        global _adding
        _adding = threading.Lock()

    os.register_at_fork(after_in_child=_again)


def give_numbers(library: ctypes.CDLL, source: SourceFile, numbers: tuple[float, ...]) -> None:
    """Hand an instance the numbers of its layers."""
    give = getattr(library, f"ntksym_{source.name.removesuffix('.c')}_numbers")
    give.restype = None
    given = np.array(numbers or (0.0,))
    give(ctypes.c_void_p(given.ctypes.data))
