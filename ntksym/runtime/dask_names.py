"""Ufuncs with two outputs on Dask arrays.

Dask applies NumPy's ufuncs to its arrays, lazily, but of those with several outputs it knows only
functions in `dask.array.ufunc` with the name of the ufunc, and refuses others.  So each ufunc has
one there, under its name, which no function of Dask has.  Dask is not imported for that: where it
is imported later, its module is given the names then.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

WHERE = "dask.array.ufunc"
SIGNATURE = "(),(),()->(),()"
_made: dict[str, Callable[..., Any]] = {}


def known_to_dask(name: str, ufunc: Any) -> None:
    """Let `ufunc(q11, q12, q22)` take Dask arrays: two Dask arrays, not computed yet."""
    _made[name] = _lazily(ufunc)
    module = sys.modules.get(WHERE)
    if module is not None:
        setattr(module, name, _made[name])
    elif not any(isinstance(finder, _Later) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Later())


def _lazily(ufunc: Any) -> Callable[..., Any]:
    def on_arrays(*inputs: Any, **options: Any) -> Any:
        """The pair; arrays of other chunks and shapes are brought to common ones."""
        if options:
            return NotImplemented  # `out`, `where`, `dtype`: NumPy says that nobody takes them
        import dask.array as da

        kind = np.result_type(*(q.dtype for q in inputs if hasattr(q, "dtype")), np.float32)
        given = (kind.type(q) if type(q) in (int, float) else q for q in inputs)
        return da.apply_gufunc(ufunc, SIGNATURE, *da.broadcast_arrays(*given))

    return on_arrays


class _Later:
    """A finder that waits for the module of Dask, and is gone once that is found."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of that module, whose loader also gives it the names; else None."""
        if name != WHERE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                for known, function in _made.items():
                    setattr(module, known, function)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
