"""Emit: programs to text, one language per file.

Names load on first use: what only runs generated files needs no more than `SourceFile`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .source import SourceFile as SourceFile

if TYPE_CHECKING:
    from ._base import Backend as Backend
    from ._base import missing_ops as missing_ops
    from .c.backend import C as C
    from .c.backend import Contract as Contract
    from .numpy.backend import NUMPY as NUMPY

    BACKENDS: tuple[Backend, ...]

_HOMES = {
    "Backend": "_base",
    "C": "c.backend",
    "Contract": "c.backend",
    "NUMPY": "numpy.backend",
    "missing_ops": "_base",
}


def __getattr__(name: str) -> Any:
    """A name of this package; `BACKENDS` has every backend, and the tests are products over it."""
    from importlib import import_module

    found: Any
    if name in _HOMES:
        found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name == "BACKENDS":
        from .c.backend import C
        from .numpy.backend import NUMPY

        found = (C, NUMPY)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found
