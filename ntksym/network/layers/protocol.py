"""What a layer is."""

from __future__ import annotations

from typing import Protocol

from ..convention import Convention
from ..state import KernelState


class Layer(Protocol):
    """A map of kernel states, with the rule it follows."""

    def kernel(self, state: KernelState, convention: Convention, index: int) -> KernelState:
        """The state after the layer; `index` counts the dense layers before it."""
        ...

    def latex_rule(self) -> str:
        """The rule as LaTeX, primes for the state after the layer."""
        ...
