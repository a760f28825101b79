"""The steps of forward mode: one layer's values and directions, in doubles or in many digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sympy import Expr

from .. import symbols as S
from ..backends import Contract, SourceFile
from ..backends.numpy import function, module_head, used_helpers
from ..backends.numpy_helpers import helpers
from ..dual import Dual, dual
from ..errors import UnsupportedOp
from ..gradients import DualGradients, dual_gradients, edge_form
from ..lower.build import Builder
from ..lower.kernel import lower_layer
from ..lower.program import Program
from ..lower.schedule import number
from ..network import Recursion, recurse
from ..network.affine import KDOT, K, UnknownDual
from .engines import load_module

SHARED = ("weight_var", "bias_var")
"""Hyper-parameters that all layers have in common."""

_INSIDE = (K, KDOT, S.t12, S.weight_var, S.bias_var)

Move = dict[str, Any]
"""A direction: derivatives of q11, q12, q22, angle, t11, t12, t22."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The programs of one layer, and its numbers.

    Attributes:
        pair: the dual with its derivatives in (q11, angle, q22), `dot_bend` in q12, parameters.
        diag: the same for u = v.
        rule: Sigma' and Theta' in K, its derivative and Theta, with partial derivatives.
        step: the layer's own program: its `root` is carried without cancellation.
        values: the numbers of weight_var, bias_var and the parameters.
        params: the names of the activation's parameters.
    """

    pair: Program
    diag: Program
    rule: Program
    step: Program
    values: dict[str, Any]
    params: tuple[str, ...]


def layers_of(recursion: Recursion) -> tuple[Layer, ...]:
    """The layers of a network, lowered; equal ones share their programs.

    Raises:
        NoClosedForm: an activation has no closed form.
        UnsupportedOp: a dual that is no closed form, or a parameter without a derivative.
    """
    net = recursion.network
    blocks = tuple((replace(s, dual=UnknownDual()), dense) for s, dense in net.blocks)
    unknown = recurse(replace(net, blocks=blocks))
    seen: dict[Any, tuple[Program, ...]] = {}
    made = []
    for (block, _), rule, outer in zip(net.blocks, recursion.layers, unknown.layers, strict=True):
        key = (block.activation, outer.nngp, outer.ntk, rule.nngp, rule.ntk)
        if key not in seen:
            forms = block.dual if isinstance(block.dual, Dual) else dual(block.activation)
            given = dual_gradients(forms, net.convention.derivative)
            if given.left_out:
                raise UnsupportedOp(
                    f"no closed form for the derivative in {given.left_out[0]!r}",
                    hint=f"a number for {given.left_out[0]}",
                )
            step = lower_layer(rule)
            seen[key] = (
                _pair(given),
                given.diag_program(),
                dense_program(outer.nngp, outer.ntk),
                step,
            )
        values = {str(s.name): number(v) for s, v in rule.values}
        values.update({str(s.name): number(v) for s, v in outer.values})
        names = tuple(str(p.name) for p in block.activation.params)
        pair, diag, dense_rule, step = seen[key]
        made.append(Layer(pair, diag, dense_rule, step, values, names))
    return tuple(made)


def _pair(given: DualGradients) -> Program:
    """The polar program, and `dot_bend`: the derivative of dot in q12."""
    base = given.program(polar=True, root=True)
    b = Builder(base.args, root="root")
    found = given.dual
    rows = [("nngp", found.value)]
    rows += [("dot", found.dot if given.sense == "distributional" else found.dot_ae)]
    for p in (*given.polar, *given.params):
        rows += [(f"nngp_{p.wrt}", p.nngp), (f"dot_{p.wrt}", p.dot)]
    rows += [("slope", found.dot), ("dot_bend", given.entries[1].dot)]
    outputs = tuple((k, b.operand(edge_form(e))) for k, e in rows)
    return b.program(base.name, outputs, base.requires, base.computes)


def dense_program(nngp: Expr, ntk: Expr) -> Program:
    """Sigma' and Theta' of a dense layer as a program, with its partial derivatives."""
    free = sorted({s.name for e in (nngp, ntk) for s in e.free_symbols} - {s.name for s in _INSIDE})
    b = Builder((*(s.name for s in _INSIDE), *free))
    outputs = [("nngp", b.operand(nngp)), ("ntk", b.operand(ntk))]
    for s in _INSIDE:
        outputs += [(f"nngp_{s.name}", b.operand(nngp.diff(s)))]
        outputs += [(f"ntk_{s.name}", b.operand(ntk.diff(s)))]
    return b.program("dense", tuple(outputs))


class Numeric:
    """Programs as NumPy functions in one module."""

    def __init__(self, programs: tuple[Program, ...]) -> None:
        head = module_head(Contract("ntksym gradient", ("kernels and derivatives",)), programs)
        texts = [function(p, f"_program{k}", "One program.") for k, p in enumerate(programs)]
        support = helpers(used_helpers(programs) | {"_rootdet"})
        text = "\n\n".join((head, support, *texts)) + "\n"
        module = load_module(SourceFile("gradient.py", text))
        self._functions = {
            id(p): (p, getattr(module, f"_program{k}")) for k, p in enumerate(programs)
        }
        self.rootdet = module._rootdet

    def __call__(self, p: Program, values: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs of a program at arrays."""
        _, f = self._functions[id(p)]
        found = f(*(np.asarray(values[a], dtype=float) for a in p.args))
        return dict(zip((k for k, _ in p.outputs), found, strict=True))


class Doubles:
    """Arithmetic on arrays of doubles."""

    context = None

    def __init__(self, programs: Numeric) -> None:
        self.program = programs

    number = staticmethod(float)

    def first_root(self, x: Any, c: Any, y: Any, det: Any) -> Any:
        """sqrt(x*y - c*c)."""
        return self.program.rootdet(*np.broadcast_arrays(x, c, y))

    @staticmethod
    def sqrt(a: Any) -> Any:
        """The root."""
        return np.sqrt(np.maximum(a, 0.0))

    @staticmethod
    def over(a: Any, b: Any, otherwise: Any) -> Any:
        """a/b, or another value where b is 0."""
        none = np.asarray(b) == 0.0
        return np.where(none, otherwise, a / np.where(none, 1.0, b))


class Digits:
    """Arithmetic on single numbers in an mpmath context."""

    def __init__(self, context: Any) -> None:
        self.context = context
        self.number = context.mpf

    def program(self, p: Program, values: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs of a program."""
        return p.evaluate(values, self.context)

    def first_root(self, x: Any, c: Any, y: Any, det: Any) -> Any:
        """The root of the determinant."""
        return self.context.sqrt(det)

    def sqrt(self, a: Any) -> Any:
        """The root."""
        return self.context.sqrt(max(a, 0))

    @staticmethod
    def over(a: Any, b: Any, otherwise: Any) -> Any:
        """a/b, or another value where b is 0."""
        return a / b if b else otherwise


def turned(run: Any, move: Move, state: Mapping[str, Any]) -> Any:
    """The derivative of the angle from those of the covariance; 0 for equal rows, by symmetry."""
    x, c, y = (state[k] for k in ("q11", "q12", "q22"))
    level = move["q11"] / (2 * x) + move["q22"] / (2 * y)
    return run.over(-(move["q12"] - c * level), state["root"], 0.0)


def advance(
    run: Any, layer: Layer, state: dict[str, Any], moves: dict[str, Move]
) -> tuple[dict[str, Any], dict[str, Move]]:
    """The state and the directions after one layer."""
    x, c, y, root = (state[k] for k in ("q11", "q12", "q22", "root"))
    numbers = layer.values
    k = run.program(layer.pair, {"q11": x, "q12": c, "q22": y, "root": root, **numbers})
    kx, ky = (run.program(layer.diag, {"q": q, **numbers}) for q in (x, y))

    def dense(found: Mapping[str, Any], t: Any) -> dict[str, Any]:
        inside = {"K": found["nngp"], "Kdot": found["dot"], "t12": t}
        made: dict[str, Any] = run.program(layer.rule, {**numbers, **inside})
        return made

    o, ox, oy = dense(k, state["t12"]), dense(kx, state["t11"]), dense(ky, state["t22"])
    sides = {"r11": run.sqrt(x), "r22": run.sqrt(y)}
    sides |= {"s11": run.sqrt(ox["nngp"]), "s22": run.sqrt(oy["nngp"])}
    after = {"n11": ox["nngp"], "n22": oy["nngp"], **sides, **state, **numbers}
    step = run.program(layer.step, after)
    following = {
        "q11": ox["nngp"],
        "q12": o["nngp"],
        "q22": oy["nngp"],
        "root": step["root"],
        "t11": ox["ntk"],
        "t12": o["ntk"],
        "t22": oy["ntk"],
    }
    limit = run.sqrt(o["nngp_K"] * k["slope"] * run.sqrt(x * y) / run.sqrt(ox["nngp"] * oy["nngp"]))
    return following, {
        name: _moved(run, layer, name, move, (k, kx, ky), (o, ox, oy), following, (root, limit))
        for name, move in moves.items()
    }


def _moved(
    run: Any,
    layer: Layer,
    name: str,
    move: Move,
    duals: tuple[Mapping[str, Any], ...],
    rules: tuple[Mapping[str, Any], ...],
    following: Mapping[str, Any],
    edge: tuple[Any, Any],
) -> Move:
    """One direction after a layer."""
    (k, kx, ky), (o, ox, oy) = duals, rules
    root, limit = edge
    if name == "q12":
        value, dot = k["slope"] * move["q12"], k["dot_bend"] * move["q12"]
    else:
        value, dot = (
            k[f"{label}_q11"] * move["q11"]
            + k[f"{label}_q22"] * move["q22"]
            + k[f"{label}_angle"] * move["angle"]
            for label in ("nngp", "dot")
        )
    if name in layer.params:
        value, dot = value + k[f"nngp_{name}"], dot + k[f"dot_{name}"]
    made = {
        "q12": o["nngp_K"] * value + o.get(f"nngp_{name}", 0) * (name in SHARED),
        "t12": o["ntk_K"] * value
        + o["ntk_Kdot"] * dot
        + o["ntk_t12"] * move["t12"]
        + o.get(f"ntk_{name}", 0) * (name in SHARED),
    }
    for side, own, rule in (("11", kx, ox), ("22", ky, oy)):
        value, dot = (own[f"{label}_q"] * move[f"q{side}"] for label in ("nngp", "dot"))
        if name in layer.params:
            value, dot = value + own[f"nngp_{name}"], dot + own[f"dot_{name}"]
        made[f"q{side}"] = rule["nngp_K"] * value + rule.get(f"nngp_{name}", 0) * (name in SHARED)
        made[f"t{side}"] = (
            rule["ntk_K"] * value
            + rule["ntk_Kdot"] * dot
            + rule["ntk_t12"] * move[f"t{side}"]
            + rule.get(f"ntk_{name}", 0) * (name in SHARED)
        )
    if name == "polar angle":  # no cancellation: the root cancels out of both sides
        turn = o["nngp_K"] * k["slope"] * move["angle"]
        ratio = run.over(root, following["root"], limit / (o["nngp_K"] * k["slope"]))
        made["angle"] = turn * ratio
    else:
        made["angle"] = turned(run, made, following)
    return made
