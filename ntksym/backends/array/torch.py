"""The PyTorch backend: one readable module, closed-form backward, any device, float32 and 64."""

from __future__ import annotations

from collections.abc import Mapping

from ...gradients import DualGradients
from ...lower.schedule import Schedule
from ...lower.settled import Settled
from .._base import SourceFile
from ..c.backend import Contract
from .layer_rule import LayerSlopes
from .module import ArrayBackend
from .module import dual_file as array_dual_file
from .network import network_file as array_network_file
from .torch_helpers import HOST, PREAMBLE
from .torch_network import NETWORK, SCAN

TORCH = ArrayBackend("torch", PREAMBLE, network=NETWORK, loops=SCAN, host=HOST)


def dual_file(
    name: str, given: DualGradients, contract: Contract, settled: Settled | None = None
) -> SourceFile:
    """The module of a dual: `dual` and `diagonal`, each an autograd function.

    Raises:
        UnsupportedOp: an operation that PyTorch cannot spell, or a parameter without a closed-form
            derivative.
    """
    return array_dual_file(name, given, contract, TORCH, "", settled)


def network_file(
    schedule: Schedule, contract: Contract, slopes: Mapping[int, LayerSlopes] | None = None
) -> SourceFile:
    """The module of a network: `nngp_ntk(x1, x2, exact, values, input_values)`.

    Raises:
        UnsupportedOp: an operation that PyTorch cannot spell (2F1 of parameters).
    """
    return array_network_file(schedule, contract, TORCH, slopes)
