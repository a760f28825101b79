r"""The layers of a network as affine maps of what their duals give.

Whatever the convention, $\Sigma' = s_0 + s_1 K$ and
$\Theta' = t_0 + t_1 K + t_2 \dot K\,\Theta$.  The numbers are read off the recursion of the
same network with unknown duals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from sympy import Expr, Poly, Symbol

from .. import symbols
from ..errors import without_value
from .layers import Nonlinearity
from .network import Network
from .recursion import InputRule, recurse

Affine = tuple[Expr, Expr, Expr, Expr, Expr]


@dataclass(frozen=True, slots=True)
class AffineLayer:
    """A nonlinearity and the numbers (s0, s1, t0, t1, t2) of the dense layer after it.

    Attributes:
        nonlinearity: with its dual.
        pair: for two inputs.
        diag: for an input with itself.
    """

    nonlinearity: Nonlinearity
    pair: Affine
    diag: Affine


K, KDOT = Symbol("K", real=True), Symbol("Kdot", real=True)


@dataclass(frozen=True, slots=True)
class UnknownDual:
    """A dual of which nothing is known: K and its derivative."""

    value: Expr = K
    dot: Expr = KDOT
    dot_ae: Expr = KDOT
    diag: Expr = K
    diag_dot: Expr = KDOT
    diag_dot_ae: Expr = KDOT


@lru_cache(maxsize=64)
def affine_layers(network: Network) -> tuple[InputRule, tuple[AffineLayer, ...]]:
    """The rule of the first layer, and the layers after it.

    Raises:
        BadSpec: a variance without a value.
    """
    unknown = UnknownDual()
    blocks = tuple(
        (replace(nonlinearity, dual=unknown), dense) for nonlinearity, dense in network.blocks
    )
    recursion = recurse(replace(network, blocks=blocks))
    known: dict[int, tuple[Affine, Affine]] = {}  # layers with equal rules share one object
    layers = []
    for (nonlinearity, _), rule in zip(network.blocks, recursion.layers, strict=True):
        if id(rule) not in known:
            values = dict(rule.values)
            known[id(rule)] = (
                (*_sigma(rule.nngp, values), *_theta(rule.ntk, values)),
                (*_sigma(rule.nngp_diag, values), *_theta(rule.ntk_diag, values)),
            )
        layers.append(AffineLayer(nonlinearity, *known[id(rule)]))
    return recursion.input_rule, tuple(layers)


def _sigma(e: Expr, values: Mapping[Symbol, Expr]) -> tuple[Expr, Expr]:
    poly = Poly(e.subs(values), K)
    return _known(poly.coeff_monomial(1)), _known(poly.coeff_monomial(K))


def _theta(e: Expr, values: Mapping[Symbol, Expr]) -> tuple[Expr, Expr, Expr]:
    poly = Poly(e.subs(values), K, KDOT, symbols.t12)
    own = _known(poly.coeff_monomial(1)), _known(poly.coeff_monomial(K))
    return *own, _known(poly.coeff_monomial(KDOT * symbols.t12))


def _known(e: Expr) -> Expr:
    if e.free_symbols:
        name = min(s.name for s in e.free_symbols)
        raise without_value(name)
    return e
