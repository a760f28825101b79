"""What lowering reads of duals and recursions: their fields, so that no type is imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sympy import Expr, Symbol

from ..activation import Activation


class DualLike(Protocol):
    """What is read of a `Dual`, besides its `derivation`."""

    @property
    def activation(self) -> Activation:
        """The function s."""
        ...

    @property
    def value(self) -> Expr:
        """E[s(u)s(v)]."""
        ...

    @property
    def dot(self) -> Expr:
        """Its derivative in q12."""
        ...

    @property
    def diag(self) -> Expr:
        """E[s(u)^2]."""
        ...

    @property
    def diag_dot(self) -> Expr:
        """E[s'(u)^2]."""
        ...


class RuleLike(Protocol):
    """What is read of a `LayerRule`; parameters are symbols."""

    @property
    def activation(self) -> Activation:
        """The nonlinearity."""
        ...

    @property
    def name(self) -> str:
        """Of the rule."""
        ...

    @property
    def nngp(self) -> Expr:
        """Sigma of the pair after the layer."""
        ...

    @property
    def ntk(self) -> Expr:
        """Theta of the pair after the layer."""
        ...

    @property
    def nngp_diag(self) -> Expr:
        """Sigma of one input after the layer."""
        ...

    @property
    def ntk_diag(self) -> Expr:
        """Theta of one input after the layer."""
        ...


class InputLike(Protocol):
    """What is read of the rule of the input layer."""

    @property
    def nngp(self) -> Expr:
        """Sigma after the layer."""
        ...

    @property
    def ntk(self) -> Expr:
        """Theta after the layer."""
        ...

    @property
    def values(self) -> tuple[tuple[Symbol, Expr], ...]:
        """The numbers of its variances."""
        ...


class LayerLike(RuleLike, InputLike, Protocol):
    """What is read of a layer: a rule, and the numbers of this layer."""


class RecursionLike(Protocol):
    """What is read of a `Recursion`."""

    @property
    def input_rule(self) -> InputLike:
        """Of the input layer."""
        ...

    @property
    def layers(self) -> Sequence[LayerLike]:
        """Of the layers after it, in order."""
        ...
