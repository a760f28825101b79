"""The JAX backend: one readable module, safe under jit, vmap, grad, jvp and their products."""

from __future__ import annotations

from ..gradients import DualGradients
from ._base import SourceFile
from .array_module import ArrayBackend
from .array_module import dual_file as array_dual_file
from .c import Contract
from .jax_helpers import PREAMBLE

JAX = ArrayBackend("jax", PREAMBLE)


def dual_file(name: str, given: DualGradients, contract: Contract) -> SourceFile:
    """The module of a dual: `dual`, `diagonal` and `elementwise`.

    `elementwise(...)` gives `(nngp_fn, d_nngp_fn)` of (cov12, var1, var2), the argument order of
    `neural_tangents.stax.Elementwise(fn, nngp_fn, d_nngp_fn)`.

    Raises:
        UnsupportedOp: an operation that JAX cannot spell, or a parameter without a closed-form
            derivative.
    """
    return array_dual_file(name, given, contract, JAX, ELEMENTWISE)


ELEMENTWISE = '''
def elementwise(@ONLY@):
    """(nngp_fn, d_nngp_fn), both of (cov12, var1, var2), for neural_tangents.stax.Elementwise."""

    def nngp_fn(cov12, var1, var2):
        return dual(var1, cov12, var2@PARAMS@)[0]

    def d_nngp_fn(cov12, var1, var2):
        return dual(var1, cov12, var2@PARAMS@)[1]

    return nngp_fn, d_nngp_fn
'''
