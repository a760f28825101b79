"""What the derivatives of a network of units are generated from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr

from ... import symbols as S
from ...backends.array.unit import array_unit, roughness
from ...backends.c.gradient.large import FarSlopes
from ...backends.c.gradient.unit_library import UnitGradientPlan
from ...backends.c.gradient.units import UnitSlopes
from ...backends.unit import DualUnit
from ...derivation import parity
from ...dual import Dual
from ...errors import UnsupportedOp
from ...lower.build import Builder
from ...lower.near import homogeneous
from ...lower.program import Program
from ...lower.schedule import number
from ...network import Network, recurse
from ...network.affine import KDOT, K, UnknownDual
from ...numeric.choice import Choice
from ...numeric.mixture import MixtureDual
from ...numeric.series.table import SeriesTable
from ...numeric.table import BandedDual, TableDual
from ..units.layers import Plan
from .fine import mixture_bend_unit
from .gap import SHARED
from .lowered import lower_first
from .own import scaled

INSIDE = (K, KDOT, S.t12, S.weight_var, S.bias_var)


@dataclass(frozen=True, slots=True)
class DenseRules:
    """What comes after the duals of a network, whatever these are.

    Attributes:
        rules: of each layer: a dual, its derivative dual, t12 and numbers to both kernels and
            their derivatives.
        values: the numbers.
        mirrors: of each layer as in `Layer.mirror`: 1 or -1 where opposite inputs have equal or
            opposite outputs, else 0.
        straight: of each layer whether parallel inputs have parallel outputs.
        input: d, numbers -> slope and offset of both kernels of the first layer.
        input_values: the numbers.
        input_slopes: the same derived in a hyper-parameter, by its name.
    """

    rules: tuple[Program, ...]
    values: tuple[dict[str, Any], ...]
    mirrors: tuple[int, ...]
    straight: tuple[bool, ...]
    input: Program
    input_values: dict[str, Any]
    input_slopes: dict[str, Program]


def dense_rules(network: Network) -> DenseRules:
    """The rules of a network's layers.

    Raises:
        BadSpec: a parameter without a value.
    """
    blocks = tuple((replace(n, dual=UnknownDual()), dense) for n, dense in network.blocks)
    unknown = recurse(replace(network, blocks=blocks))
    rules = tuple(dense_program(layer.nngp, layer.ntk) for layer in unknown.layers)
    values = tuple({str(s.name): number(v) for s, v in layer.values} for layer in unknown.layers)
    signs = [parity(rule.activation) for rule in unknown.layers]
    bare = [rule.nngp.subs(K, 0).subs(dict(rule.values)) == 0 for rule in unknown.layers]
    mirrors = tuple(s if s > 0 or no_bias else 0 for s, no_bias in zip(signs, bare, strict=True))
    straight = tuple(
        bool(no_bias and homogeneous(rule.activation, rule.values))
        for rule, no_bias in zip(unknown.layers, bare, strict=True)
    )
    return DenseRules(rules, values, mirrors, straight, *lower_first(unknown))


def unit_gradient_plan(network: Network, found: Plan, name: str) -> UnitGradientPlan:
    """A network of units for the C generator of its derivatives.

    Raises:
        UnsupportedOp: a dual whose derivatives are not written in C.
    """
    given, sense = dense_rules(network), network.convention.derivative
    steps = found.schedule.steps
    numbers = {
        step.kind: dict(n.values) for step, (n, _) in zip(steps, network.blocks, strict=True)
    }
    kinds = tuple(
        slopes_in_c(unit, choice, numbers[k], sense)
        for k, (unit, choice) in enumerate(zip(found.schedule.kinds, found.choices, strict=True))
    )
    acts = {step.kind: n.activation for step, (n, _) in zip(steps, network.blocks, strict=True)}
    own: tuple[dict[str, tuple[float, float, float]], ...] = tuple(
        {
            p.name: (rule.value, rule.m, rule.n)
            for p in acts[k].params
            if (rule := scaled(acts[k], p, numbers[k])) is not None
        }
        for k in range(len(kinds))
    )
    lost = {p.name for k, act in acts.items() for p in act.params if p.name not in own[k]}
    hyper = (*SHARED, *sorted({name for rules in own for name in rules} - lost))
    rules = tuple(dict.fromkeys(given.rules))
    made = tuple(
        (step.kind, rules.index(rule), tuple(float(values[a]) for a in rule.args[3:]))
        for step, rule, values in zip(steps, given.rules, given.values, strict=True)
    )
    first = (given.input, *(given.input_slopes.get(h) for h in hyper))
    start = tuple(float(given.input_values[a]) for a in given.input.args[1:])
    return UnitGradientPlan(name, kinds, rules, made, hyper, first, start, own)


def slopes_in_c(
    unit: DualUnit, choice: Choice, values: dict[str, Any], sense: str
) -> tuple[UnitSlopes, bool]:
    """What C makes the derivatives of a dual of, and whether it is smooth: no kink at all.

    Raises:
        UnsupportedOp: they are not written in C.
    """
    jumps, plain, smooth = roughness_of(choice)
    found = UnitSlopes(unit, slopes_of(choice, values, sense))
    if found.in_c:
        steep = steepest(choice, values)
        smooth = not roughness(choice.activation)[1]
        if steep is None:
            return found, smooth
        return replace(found, far=FarSlopes(steep, mixture_bend_unit(choice, values))), smooth
    range_ = choice.variances
    span = None if range_ is None else (float(range_[0]), float(range_[1]))
    found = UnitSlopes(unit, None, span if span and span[0] < span[1] else None)
    if jumps or not (plain or smooth):
        where = "jumps" if jumps else "kinks away from 0"
        raise UnsupportedOp(f"no derivatives in C where an activation without closed form {where}")
    if not (found.moves or found.steps):
        raise UnsupportedOp("derivatives in variances need a range of variances, not one")
    return found, smooth


def slopes_of(choice: Choice, values: dict[str, Any], sense: str) -> Any:
    """What the derivatives of a dual are written from; None where its values must do.

    Raises:
        UnsupportedOp: a jump whose kernel has infinite derivatives.
    """
    if not isinstance(choice.dual, (Dual, MixtureDual, SeriesTable)):
        return None
    closed = isinstance(choice.dual, (Dual, MixtureDual))
    try:
        return array_unit(choice.dual, choice.activation, values if closed else {}, sense)
    except UnsupportedOp:
        if sense != "almost_everywhere":
            raise
        return None


def roughness_of(choice: Choice) -> tuple[bool, bool, bool]:
    """Whether s jumps, whether no kink is away from 0, whether there is none."""
    if isinstance(choice.dual, MixtureDual):
        return False, True, True
    jumps, kinks = roughness(choice.activation)
    return jumps, isinstance(choice.dual, (TableDual, BandedDual)), not kinks


def steepest(choice: Choice, values: dict[str, Any]) -> float | None:
    """The steepest slope of a gate of a mixture with these parameters; None of other duals."""
    dual = choice.dual
    if not isinstance(dual, MixtureDual):
        return None
    at = {p: values[p.name] for p in dual.activation.params}
    return max(abs(float(number(part.slope.subs(at)))) for part in dual.form.parts)


def dense_program(nngp: Expr, ntk: Expr) -> Program:
    """Sigma' and Theta' of a dense layer as a program, with its partial derivatives."""
    free = sorted({s.name for e in (nngp, ntk) for s in e.free_symbols} - {s.name for s in INSIDE})
    b = Builder((*(s.name for s in INSIDE), *free))
    outputs = [("nngp", b.operand(nngp)), ("ntk", b.operand(ntk))]
    for s in INSIDE:
        outputs += [(f"nngp_{s.name}", b.operand(nngp.diff(s)))]
        outputs += [(f"ntk_{s.name}", b.operand(ntk.diff(s)))]
    return b.program("dense", tuple(outputs))
