"""Compile, load, evaluate: a network or an activation as a function of arrays.

Kernels load on first use: the compiler begins to work before NumPy is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .compile import compile as compile
from .library.compiler import find_compiler as find_compiler

if TYPE_CHECKING:
    from .kernel import CompiledDual as CompiledDual
    from .kernel import CompiledKernel as CompiledKernel
    from .kernel import KernelMatrices as KernelMatrices

_KERNELS = ("CompiledDual", "CompiledKernel", "KernelMatrices")


def __getattr__(name: str) -> Any:
    if name not in _KERNELS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import kernel

    return getattr(kernel, name)
