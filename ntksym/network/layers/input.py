"""The first dense layer: affine in the inner products of the inputs."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Integer, Symbol

from ..convention import Convention
from ..state import KernelState
from .dense import Dense, biased, initial_bias, settings

DIMENSION = Symbol("d", positive=True, integer=True)
"""The dimension of the inputs."""

_PLAIN = Dense()


@dataclass(frozen=True, slots=True)
class Input:
    r"""$h = W x + b$: $\Sigma^{(1)} = \sigma_w^2\, x \cdot y/d + \sigma_b^2$.

    It reads a state whose covariances are the raw inner products $x \cdot x$, $x \cdot y$,
    $y \cdot y$.  In the "ntk" parametrisation $\Theta^{(1)} = \Sigma^{(1)}$ (plus the bias where it
    starts at zero); in "standard" $\Theta^{(1)} = x \cdot y + [\text{bias}]$.

    Attributes:
        dense: the variances; None in it for the convention's.
    """

    dense: Dense = _PLAIN

    def kernel(self, state: KernelState, convention: Convention, index: int) -> KernelState:
        """The state after the first layer; the thetas that come in are not read."""
        at = settings(self.resolved(convention), convention)
        slope, bias = at["weight_var"], at["bias_var"]
        if convention.input_scaling:
            slope = slope / DIMENSION
        start = initial_bias(convention, bias)
        trained = convention.is_trained(index)
        unit = Integer(1 if biased(self.dense, convention) else 0)

        def diag(q: Expr, _: Expr | None) -> tuple[Expr, Expr | None]:
            sigma = slope * q + start
            if not trained:
                return sigma, Integer(0)
            return sigma, slope * q + bias if convention.parametrization == "ntk" else q + unit

        def pair(q11: Expr, q12: Expr, q22: Expr, theta: Expr | None) -> tuple[Expr, Expr | None]:
            return diag(q12, theta)

        return state.map(pair, diag)

    def resolved(self, convention: Convention) -> Dense:
        """The dense layer, with the convention's variance for the first layer."""
        if self.dense.weight_var is not None or convention.input_weight_var is None:
            return self.dense
        return Dense(convention.input_weight_var, self.dense.bias_var, self.dense.width)
