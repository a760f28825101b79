"""A dense layer of infinite width: affine on covariances."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Integer, Symbol

from ... import symbols
from ..convention import WIDTH, Convention
from ..numbers import exact, variance
from ..state import KernelState


@dataclass(frozen=True, slots=True)
class Dense:
    r"""$h' = W z + b$ after a nonlinearity (or any layer whose channels are many).

    Attributes:
        weight_var: this layer's $\sigma_w^2$, or None for the convention's.
        bias_var: this layer's $\sigma_b^2$, or None for the convention's.
        width: the fan-in, for the "standard" parametrisation; None for the convention's.
    """

    weight_var: Expr | None = None
    bias_var: Expr | None = None
    width: Expr | None = None

    def __post_init__(self) -> None:
        for key, read in (("weight_var", variance), ("bias_var", variance), ("width", exact)):
            if (value := getattr(self, key)) is not None:
                object.__setattr__(self, key, read(value, key))

    def kernel(self, state: KernelState, convention: Convention, index: int) -> KernelState:
        r"""$\Sigma' = \sigma_w^2 K + \sigma_b^2$ and $\Theta'$ by the parametrisation."""
        at = settings(self, convention)
        scale, bias = at["weight_var"], at["bias_var"]
        own = _own_term(convention, index, scale, bias, at["width"], biased(self, convention))
        initial = initial_bias(convention, bias)

        def pair(q11: Expr, q12: Expr, q22: Expr, theta: Expr | None) -> tuple[Expr, Expr | None]:
            return diag(q12, theta)

        def diag(q: Expr, theta: Expr | None) -> tuple[Expr, Expr | None]:
            ntk = None if theta is None else own[0] * q + own[1] + scale * theta
            return scale * q + initial, ntk

        return state.map(pair, diag)


def settings(layer: Dense, convention: Convention) -> dict[str, Expr]:
    """What stands for the variances and the width of this layer in a rule.

    Numbers are carried by the symbols `weight_var`, `bias_var`, `width`, so that layers which
    differ only in numbers have one rule; symbols of the user stand for themselves.
    """
    found = numbers(layer, convention)
    named = {"weight_var": symbols.weight_var, "bias_var": symbols.bias_var, "width": WIDTH}
    return {k: v if v.free_symbols else named[k] for k, v in found.items()}


def numbers(layer: Dense, convention: Convention) -> dict[str, Expr]:
    """The layer's own values, or the convention's."""
    width = convention.width if layer.width is None else layer.width
    return {
        "weight_var": convention.weight_var if layer.weight_var is None else layer.weight_var,
        "bias_var": convention.bias_var if layer.bias_var is None else layer.bias_var,
        "width": WIDTH if width is None else width,
    }


def biased(layer: Dense, convention: Convention) -> bool:
    """Whether the layer has a bias: its variance is not zero."""
    return bool(numbers(layer, convention)["bias_var"] != 0)


def initial_bias(convention: Convention, bias: Expr) -> Expr:
    """The part of the bias that the covariance at initialisation sees."""
    return Integer(0) if convention.bias_init == "zero" else bias


def _own_term(
    convention: Convention, index: int, scale: Expr, bias: Expr, width: Expr, has_bias: bool
) -> tuple[Expr, Expr]:
    """(factor of K, constant) that this layer's own parameters add to Theta."""
    if not convention.is_trained(index):
        return Integer(0), Integer(0)
    if convention.parametrization == "ntk":
        return scale, bias
    return width, Integer(1 if has_bias else 0)


def assigned(layer: Dense, convention: Convention) -> tuple[tuple[Symbol, Expr], ...]:
    """The numbers behind the symbols of `settings`."""
    stands = settings(layer, convention)
    values = numbers(layer, convention)
    keys = ("weight_var", "bias_var", "width")
    return tuple(
        (stands[k], values[k])
        for k in keys
        if not values[k].free_symbols and isinstance(stands[k], Symbol)
    )
