"""Derivatives of layers with kinks for networks of arrays, in polar coordinates."""

from __future__ import annotations

from dataclasses import replace

from ..backends.array.layer_rule import ENDS, SLOPES, LayerSlopes
from ..dual import Dual, dual
from ..errors import BadProgram, UnsupportedOp
from ..lower.kernel import STATE
from ..lower.program import Let, Operand, Program, live
from ..lower.schedule import Schedule
from ..lower.settled import Settled
from ..network import Recursion
from ..runtime.gradients.layers import KINKED, Layer, layers_of
from .settled import settled_as

_LENGTHS = (
    Let("r11", "sqrt0", ("q11",)),
    Let("r22", "sqrt0", ("q22",)),
    Let("variances_apart", "sub", ("q11", "q22")),
    Let("lengths_together", "add", ("r11", "r22")),
    Let("diff", "div0", ("variances_apart", "lengths_together")),
)
"""What slopes of the runtime are given beside `ENDS`."""


def layer_slopes(recursion: Recursion, schedule: Schedule) -> dict[int, LayerSlopes]:
    """The derivatives of the kinds of layers with kinks away from 0, by number.

    A kind that jumps has none, nor one whose derivatives have no closed form.
    """
    try:
        layers = layers_of(recursion)
    except UnsupportedOp:
        return {}
    found: dict[int, LayerSlopes] = {}
    blocks = recursion.network.blocks
    for step, layer, (block, _) in zip(schedule.steps, layers, blocks, strict=True):
        if layer.kind != KINKED or layer.near is None or step.kind in found:
            continue
        params = schedule.kinds[step.kind].pair.args[len(STATE) :]
        made = _slopes(layer, params)
        if made is not None:
            forms = block.dual if isinstance(block.dual, Dual) else dual(block.activation)
            found[step.kind] = LayerSlopes(made, _settled(layer, params, forms))
    return found


def _settled(layer: Layer, params: tuple[str, ...], forms: Dual) -> Settled | None:
    """The values of a layer whose differences are its slopes at large variances."""
    if layer.settled is None:
        return None
    try:
        program = replace(layer.settled, args=(*ENDS, *params))
    except BadProgram:
        return None
    return settled_as(program, forms)


def _slopes(layer: Layer, params: tuple[str, ...]) -> Program | None:
    """The program of the slopes with these parameters; None where it needs others."""
    known: dict[str, Operand] = dict(layer.pair.outputs)
    names = (*SLOPES, *(f"{k}_of_{p}" for k in "nt" for p in params))
    outputs = tuple((name, known.get(name, 0)) for name in names)
    body = live((*_LENGTHS, *layer.pair.body), outputs)
    try:
        return replace(layer.pair, args=(*ENDS, *params), body=body, outputs=outputs)
    except BadProgram:
        return None
