"""Derivatives of layers with kinks for networks of arrays, in polar coordinates."""

from __future__ import annotations

from dataclasses import replace

from ..backends.array.layer_rule import ENDS, SLOPES
from ..errors import BadProgram, UnsupportedOp
from ..lower.kernel import STATE
from ..lower.program import Let, Operand, Program, live
from ..lower.schedule import Schedule
from ..network import Recursion
from ..runtime.gradients.layers import KINKED, Layer, layers_of


def layer_slopes(recursion: Recursion, schedule: Schedule) -> dict[int, Program]:
    """The `SLOPES` of the kinds of layers with kinks away from 0, by number.

    A kind that jumps has none, nor one whose derivatives have no closed form.
    """
    try:
        layers = layers_of(recursion)
    except UnsupportedOp:
        return {}
    found: dict[int, Program] = {}
    for step, layer in zip(schedule.steps, layers, strict=True):
        if layer.kind != KINKED or layer.near is None or step.kind in found:
            continue
        made = _slopes(layer, schedule.kinds[step.kind].pair.args[len(STATE) :])
        if made is not None:
            found[step.kind] = made
    return found


def _slopes(layer: Layer, params: tuple[str, ...]) -> Program | None:
    """The program of the slopes with these parameters; None where it needs others."""
    known: dict[str, Operand] = dict(layer.pair.outputs)
    names = (*SLOPES, *(f"{k}_of_{p}" for k in "nt" for p in params))
    outputs = tuple((name, known.get(name, 0)) for name in names)
    roots = tuple(Let(r, "sqrt0", (q,)) for r, q in (("r11", "q11"), ("r22", "q22")))
    body = live((*roots, *layer.pair.body), outputs)
    try:
        return replace(layer.pair, args=(*ENDS, *params), body=body, outputs=outputs)
    except BadProgram:
        return None
