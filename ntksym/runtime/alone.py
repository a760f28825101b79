"""What `compile(..., only="nngp")` gives: the kernel alone, where there need be no NTK."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..brief import Brief


@dataclass(frozen=True, slots=True, repr=False)
class NngpKernel(Brief):
    """The NNGP of a network as a function of data: every call gives one array.

    Attributes:
        kernel: what computes it; its NTK is NaN where E[s'(u)^2] is infinite.
    """

    kernel: Any
    _shown = ("target",)

    @property
    def name(self) -> str:
        """That of the network."""
        return str(self.kernel.name)

    @property
    def target(self) -> str:
        """The language: "c" or "numpy"."""
        return str(self.kernel.target)

    @property
    def sources(self) -> Any:
        """The generated files."""
        return self.kernel.sources

    def __call__(self, X: Any, Y: Any = None, *, out: Any = None) -> NDArray[np.floating[Any]]:
        """The NNGP of the rows of X (n, d) and Y (m, d; default X), (n, m), as `CompiledKernel`.

        Raises:
            BadData, Undecided: as a call of the kernel.
        """
        found: NDArray[np.floating[Any]] = self.kernel(X, Y, out=out, only="nngp")
        return found

    def diag(self, X: Any) -> NDArray[np.floating[Any]]:
        """The NNGP of each row with itself, shape (n,).

        Raises:
            BadData: as there.
        """
        found: NDArray[np.floating[Any]] = self.kernel.diag(X).nngp
        return found

    def gram(self, G: Any, q1: Any, q2: Any, d: int = 1, **options: Any) -> Any:
        """The NNGP from inner products, as `CompiledKernel.gram`.

        Raises:
            BadData, BadSpec: as there.
        """
        return self.kernel.gram(G, q1, q2, d, only="nngp", **options)

    def at(self, **numbers: Any) -> NngpKernel:
        """With other variances or parameters, as `CompiledKernel.at`.

        Raises:
            BadSpec: as there.
        """
        return NngpKernel(self.kernel.at(**numbers))


@dataclass(frozen=True, slots=True, repr=False)
class NngpDual(Brief):
    """E[s(u) s(v)] of an activation as a function of covariances: every call gives one array.

    Attributes:
        dual: what computes it; its `dot` is NaN where E[s'(u)^2] is infinite.
    """

    dual: Any
    _shown = ("target",)

    @property
    def name(self) -> str:
        """That of the activation."""
        return str(self.dual.name)

    @property
    def target(self) -> str:
        """The language: "c" or "numpy"."""
        return str(self.dual.target)

    @property
    def sources(self) -> Any:
        """The generated files."""
        return self.dual.sources

    def __call__(self, q11: Any, q12: Any, q22: Any, **options: Any) -> NDArray[np.float64]:
        """E[s(u) s(v)] at covariances; the arrays broadcast, as for a `CompiledDual`.

        Raises:
            BadData, Undecided: as a call of the dual.
        """
        found: NDArray[np.float64] = self.dual(q11, q12, q22, **options).nngp
        return found

    def diag(self, q: Any, **options: Any) -> NDArray[np.float64]:
        """E[s(u)^2] for variance q.

        Raises:
            BadData: as there.
        """
        found: NDArray[np.float64] = self.dual.diag(q, **options).nngp
        return found
