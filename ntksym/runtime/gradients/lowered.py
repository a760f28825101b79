"""A network lowered for forward mode: its layers, its first layer, and what is differentiated."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

from ...backends.c.gradient.file import GradientPlan
from ...errors import without_value
from ...lower.kernel import lower_input
from ...lower.program import Program
from ...lower.schedule import number
from ...network import Network, Recursion, recurse
from .c import Far, gradient_plan
from .gap import SHARED
from .layers import PAIR, Layer, layers_of
from .steps import turning

CLOSE = (0.02, 0.05)
"""Below this sine of an angle after a layer that is not `SCALED`, and whose angle a kinked layer
reads, a pair is done with many digits: for networks up to `SHALLOW` layers, and for deeper ones,
where errors add up (hardtanh: 2e-13 in 3 layers at the limit, 1e-12 in 20)."""
SHALLOW = 6
ENTRIES = ("q11", "q12", "q22")


@dataclass(frozen=True, slots=True)
class GradientNetwork:
    """A network with its derivatives.

    Attributes:
        layers: the programs, layer by layer.
        input: d, numbers -> slope and offset of both kernels of the first layer.
        input_values: the numbers.
        input_slopes: the same derived in a hyper-parameter, by its name.
        wrt: what derivatives are taken in: `ENTRIES`, `SHARED`, parameters of activations.
        turning: whether the angle after each layer moves.
        close: pairs with a smaller sine need more digits than doubles have.
    """

    layers: tuple[Layer, ...]
    input: Program
    input_values: dict[str, Any]
    input_slopes: dict[str, Program]
    wrt: tuple[str, ...]
    turning: tuple[bool, ...]
    close: float

    @property
    def most(self) -> float:
        """The variance up to which all layers keep within the range of doubles."""
        return min((layer.most for layer in self.layers), default=inf)

    def plan(self, name: str, far: Far | None = None) -> GradientPlan:
        """The network for the C generator, with what it does where variances are large."""
        hyper = self.wrt[len(ENTRIES) :]
        first = (self.input, *(self.input_slopes.get(h) for h in hyper))
        numbers = tuple(float(self.input_values[a]) for a in self.input.args[1:])
        given = self.layers, self.turning, hyper, (first, numbers), self.close
        return gradient_plan(name, *given, far)


def lower_gradient(net: Network | Recursion, *, wide: bool = False) -> GradientNetwork:
    """The programs of a network's values and derivatives; `wide` as in `layers_of`.

    Raises:
        NoClosedForm: an activation has no closed form.
        UnsupportedOp: a dual that is not a closed form; a parameter without a derivative.
        BadSpec: a parameter without a value.
    """
    recursion = net if isinstance(net, Recursion) else recurse(net)
    for index, rule in enumerate(recursion.layers, 1):
        held = {s.name for s, _ in rule.values}
        if missing := sorted(p.name for p in rule.activation.params if p.name not in held):
            raise without_value(missing[0], f"layer {index} ({rule.name})")
    layers = layers_of(recursion, wide=wide)
    for index, (rule, layer) in enumerate(zip(recursion.layers, layers, strict=True), 1):
        if unknown := [a for a in layer.pair.args[len(PAIR) :] if a not in layer.values]:
            raise without_value(unknown[0], f"layer {index} ({rule.name})")
    params = sorted({p for layer in layers for p in layer.params})
    return GradientNetwork(
        layers,
        *lower_first(recursion),
        (*ENTRIES, *SHARED, *params),
        turning(layers),
        CLOSE[len(layers) > SHALLOW],
    )


def lower_first(recursion: Recursion) -> tuple[Program, dict[str, Any], dict[str, Program]]:
    """The affine first layer: d, numbers -> `FIRST_LAYER`; the numbers; its derivatives by name.

    Raises:
        UnsupportedOp: a first layer that is not affine.
        BadSpec: a parameter without a value.
    """
    first = recursion.input_rule
    free = {s.name: s for e in (first.nngp, first.ntk) for s in e.free_symbols}
    names = tuple(sorted(set(free) - {*ENTRIES, "d"}))
    own = recursion.convention.input_weight_var is not None
    shared = [n for n in names if n in SHARED and not (own and n == "weight_var")]
    slopes = {
        n: lower_input(first.nngp.diff(free[n]), first.ntk.diff(free[n]), names) for n in shared
    }
    values = {str(s.name): number(v) for s, v in first.values}
    return lower_input(first.nngp, first.ntk, names), values, slopes
