"""The JAX backend: one readable module, safe under jit, vmap, grad, jvp and their products."""

from __future__ import annotations

from collections.abc import Mapping

from ...gradients import DualGradients
from ...lower.schedule import Schedule
from ...lower.settled import Settled
from .._base import SourceFile
from ..c.backend import Contract
from .jax_helpers import COMPILED, HOST, PREAMBLE
from .jax_network import NETWORK, SCAN
from .layer_rule import LayerSlopes
from .module import ArrayBackend
from .module import dual_file as array_dual_file
from .network import network_file as array_network_file

JAX = ArrayBackend(
    "jax", PREAMBLE, network=NETWORK, loops=SCAN, host=HOST, compiled=COMPILED, together=True
)


def dual_file(
    name: str, given: DualGradients, contract: Contract, settled: Settled | None = None
) -> SourceFile:
    """The module of a dual: `dual`, `diagonal` and `elementwise`.

    `elementwise(...)` gives `(nngp_fn, d_nngp_fn)` of (cov12, var1, var2), the argument order of
    `neural_tangents.stax.Elementwise(fn, nngp_fn, d_nngp_fn)`.

    Raises:
        UnsupportedOp: an operation that JAX cannot spell, or a parameter without a closed-form
            derivative.
    """
    return array_dual_file(name, given, contract, JAX, ELEMENTWISE, settled)


def network_file(
    schedule: Schedule, contract: Contract, slopes: Mapping[int, LayerSlopes] | None = None
) -> SourceFile:
    """The module of a network: `nngp_ntk(x1, x2, exact, values, input_values)`.

    Raises:
        UnsupportedOp: an operation that JAX cannot spell (2F1 of parameters).
    """
    return array_network_file(schedule, contract, JAX, slopes)


ELEMENTWISE = '''
def elementwise(@ONLY@):
    """(nngp_fn, d_nngp_fn), both of (cov12, var1, var2), for neural_tangents.stax.Elementwise."""

    def nngp_fn(cov12, var1, var2):
        return dual(var1, cov12, var2@PARAMS@)[0]

    def d_nngp_fn(cov12, var1, var2):
        return dual(var1, cov12, var2@PARAMS@)[1]

    return nngp_fn, d_nngp_fn
'''
