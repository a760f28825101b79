"""NumPy's own matrix product on one thread each, while ours are many."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

_SET = (
    "scipy_openblas_set_num_threads64_",
    "scipy_openblas_set_num_threads",
    "openblas_set_num_threads64_",
    "openblas_set_num_threads",
    "MKL_Set_Num_Threads",
    "bli_thread_set_num_threads",
)
_READ = (
    "scipy_openblas_get_num_threads64_",
    "scipy_openblas_get_num_threads",
    "openblas_get_num_threads64_",
    "openblas_get_num_threads",
    "MKL_Get_Max_Threads",
    "bli_thread_get_num_threads",
)


@lru_cache(maxsize=1)
def _switch() -> tuple[Callable[[int], object], Callable[[], int]] | None:
    """How to set and read the number of threads of the library that NumPy is linked with."""
    import numpy as np

    core = getattr(np, "_core", None) or np.core
    try:
        library = ctypes.CDLL(core._multiarray_umath.__file__)
    except (OSError, AttributeError):
        return None
    for write, read in zip(_SET, _READ, strict=True):
        if hasattr(library, write) and hasattr(library, read):
            return getattr(library, write), getattr(library, read)
    return None


class _Users:
    """How many calls rely on one thread now, and what was set before the first of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.before = 1


@lru_cache(maxsize=1)
def _users() -> _Users:
    return _Users()


@contextmanager
def single_threaded() -> Iterator[bool]:
    """Products inside use one thread each, whichever thread asks; what was set before comes back.

    Gives False, and changes nothing, where the library has no such switch.
    """
    switch = _switch()
    if switch is None:
        yield False
        return
    write, read = switch
    users = _users()
    with users.lock:
        if users.count == 0:
            users.before = max(1, int(read()))
            write(1)
        users.count += 1
    try:
        yield True
    finally:
        with users.lock:
            users.count -= 1
            if users.count == 0:
                write(users.before)
