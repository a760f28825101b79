"""The PyTorch backend: one readable module, closed-form backward, any device, float32 and 64."""

from __future__ import annotations

from ..gradients import DualGradients
from ._base import SourceFile
from .array_module import ArrayBackend
from .array_module import dual_file as array_dual_file
from .c import Contract
from .torch_helpers import PREAMBLE

TORCH = ArrayBackend("torch", PREAMBLE)


def dual_file(name: str, given: DualGradients, contract: Contract) -> SourceFile:
    """The module of a dual: `dual` and `diagonal`, each an autograd function.

    Raises:
        UnsupportedOp: an operation that PyTorch cannot spell, or a parameter without a closed-form
            derivative.
    """
    return array_dual_file(name, given, contract, TORCH, "")
