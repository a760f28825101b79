"""The directions of forward mode after the first layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .rows import Spans, first_turn
from .steps import ANGLE, ENTRY, Move

ENTRIES = ("q11", "q12", "q22")


def first_moves(
    run: Any,
    slopes: tuple[Any, Any, Any],
    state: Mapping[str, Any],
    g: Spans,
    rises: Mapping[str, Mapping[str, Any] | None],
) -> dict[str, Move]:
    """The directions by name.

    Args:
        run: the arithmetic.
        slopes: slope and offset of the variance in the squared norm, and slope of the NTK.
        state: q11, q12, q22, root.
        g: what the rows span.
        rises: the derivatives of the first layer in each hyper-parameter; None where it has none.
    """
    a, b, own = slopes
    x, c, y, root = (state[k] for k in ("q11", "q12", "q22", "root"))
    ratio = own / a
    one = run.number(1)
    level, other = c / (2 * x), c / (2 * y)
    moves = {
        "polar q11": _move(q11=one, q12=level, t12=ratio * level),
        "polar q22": _move(q22=one, q12=other, t12=ratio * other),
        ANGLE: _move(angle=one, q12=-root, t12=-ratio * root),
        ENTRY: _move(q12=a, t12=own),
    }
    for name, raw in rises.items():
        move = _move()
        if raw is not None:
            s = {k: run.number(v) for k, v in raw.items()}
            slope, offset = s["nngp_slope"], s["nngp_offset"]
            for k, v in zip(ENTRIES, (g.g11, g.g12, g.g22), strict=True):
                move[k] = slope * v + offset
            move["t12"] = s["ntk_slope"] * g.g12 + s["ntk_offset"]
            move["angle"] = first_turn(g, (x, c, y, root), (a, b), (slope, offset), run.over)
        moves[name] = move
    return moves


def _move(**parts: Any) -> Move:
    """A direction; what is not named is 0."""
    names = ("q11", "q12", "q22", "angle", "t12")
    return {k: parts.get(k, 0.0) for k in names}
