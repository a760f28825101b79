"""Compile, load, evaluate: a network or an activation as a function of arrays."""

from .compile import compile as compile
from .kernel import CompiledDual as CompiledDual
from .kernel import CompiledKernel as CompiledKernel
from .kernel import KernelMatrices as KernelMatrices
from .library.compiler import find_compiler as find_compiler
