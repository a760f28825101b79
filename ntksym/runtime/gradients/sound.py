r"""Up to which variance the slopes of a layer in doubles are right, measured beside its values.

Closed forms of slopes cancel at large variances: of a clipped line, of exponentials.  The values of
a dual keep their digits there (`lower.scales`), and by differences they give the slopes at a fixed
angle of pairs that are far from parallel.  Where the two disagree the closed forms are not right.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np

from ...lower.program import Program
from ..checks import Array
from .compiled import Run
from .differences import chebyshev_slope
from .layers import SMOOTH, Layer
from .steps import numeric

NEARER, FURTHER = 2.0 ** np.arange(1, 15), 2.0 ** np.arange(15, 160, 6)
"""Standard deviations that are tried: those of usual data one by one, then few, all at once."""
USUAL = 8.0
"""Where slopes at this standard deviation are right, those at smaller ones are taken to be."""
COSINES = np.array([[0.4], [-0.7]])
UNLIKE = 1.25
"""Ratio of the two standard deviations."""
RULE = 14, 0.15
"""Nodes and half the interval of the differences, which are right to about 3e-14 of the values."""
LOST = 5e-13
"""Difference from the right slopes, in units of the values, from which digits are lost."""


def sound_up_to(layer: Layer, run: Run) -> float:
    """The variance up to which the slopes of `run` are right to `LOST`; infinity: all tried.

    Variances beyond `Layer.most` are brought down to smaller ones, and are not tried.
    """
    if layer.settled is None:
        return inf
    before = NEARER[0] / 2.0
    with np.errstate(all="ignore"):
        for some in (NEARER, FURTHER):
            tried = some[some**2 * UNLIKE**2 <= layer.most]
            lost = _lost(run, layer, layer.settled, tried)
            if lost.any():
                return float(np.concatenate([[before], tried])[np.argmax(lost)]) ** 2
            before = some[-1]
    return inf


def usually_sound(layers: Sequence[Layer]) -> bool:
    """Whether the slopes of layers at the standard deviation `USUAL` are right to `LOST`."""
    found = {(id(w.pair), *w.values.items()): w for w in layers}.values()
    programs = {id(p): p for w in found for p in (w.pair, w.side, w.settled) if p}
    run = numeric(tuple(programs.values()))
    with np.errstate(all="ignore"):
        lost = (_lost(run, w, w.settled, USUAL).any() for w in found if w.settled is not None)
        return not any(lost)


def _lost(run: Run, layer: Layer, settled: Program, tried: Any) -> Any:
    """Whether slopes in the two variances are not right at these standard deviations."""
    r11, cosine = np.broadcast_arrays(tried, COSINES)
    r22 = UNLIKE * r11
    x, y = r11 * r11, r22 * r22
    c, root = cosine * r11 * r22, np.sqrt(1.0 - cosine * cosine) * r11 * r22

    def values(*given: Any) -> Array:
        at = np.broadcast_arrays(*given, c)
        names = ("q11", "q12", "q22", "root", "t12")
        found = run(settled, {**dict(zip(names, at, strict=True)), **layer.values})
        return np.array([found["n"], found["t"]])

    def slopes() -> tuple[Array, Array]:  # at all nodes in one call, which is dear
        weights, nodes = np.array(chebyshev_slope(RULE[0])).T[..., None, None]
        grown, scale = np.exp(RULE[1] * nodes), np.exp(0.5 * RULE[1] * nodes)
        first = values(x * grown, c * scale, y, root * scale)
        second = values(x, c * scale, y * grown, root * scale)
        weights = weights / RULE[1]
        return np.sum(weights * first, axis=1) / x, np.sum(weights * second, axis=1) / y

    ends = [run(layer.side, {"q": q, "t12": q, **layer.values})["n"] for q in (x, y)]
    given = {"q11": x, "q12": c, "q22": y, "root": root, "t12": c, "diff": r11 - r22}
    given |= {"r11": r11, "r22": r22, "n11": ends[0], "n22": ends[1]}
    given |= {"s11": np.sqrt(ends[0]), "s22": np.sqrt(ends[1])}
    o = run(layer.pair, {**given, **layer.values})
    units = np.maximum(np.abs(values(x, c, y, root)), np.sqrt(ends[0] * ends[1]))
    lost = np.zeros(c.shape, dtype=bool)
    for label, q, side in zip("xy", (x, y), slopes(), strict=True):
        for k, unit, right in zip("nt", units, side, strict=True):
            slope = o.get(f"{k}_{label}", 0.0)
            if layer.kind == SMOOTH:  # at a fixed angle
                slope = slope + 0.5 * c / q * o.get(f"{k}_q", 0.0)
            lost |= ~(np.abs(slope - right) * q <= LOST * unit)
    return lost.any(axis=0)
