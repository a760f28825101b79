r"""The steps of forward mode: one layer's values and directions, in doubles or in many digits.

A direction is what a move of the inputs makes of the covariance of a pair, of its NTK and of its
angle.  Where a layer has kinks, and the covariance after it is formed (`KINKED`), the direction of
a small next angle is a quotient of small differences: such pairs are reported by `least`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...backends import Contract, SourceFile
from ...backends.numpy.backend import function, module_head, used_helpers
from ...backends.numpy.helpers import helpers
from ...lower.program import Program
from ..engines import load_module
from .layers import SCALED, SMOOTH, Layer

ANGLE, ENTRY = "polar angle", "q12"
"""The directions that no side moves in."""
APART = "bias_var"
"""The one that moves collinear rows apart."""

CLOSE_ENTRY = 1e-3
"""Pairs that are closer in angle and log length when they enter a kinked layer are near."""

ROUNDING = 2.0**-26
"""Of the direction of a covariance: what is left of less at equal rows is nothing."""

Move = dict[str, Any]
"""A direction: derivatives of q11, q22 (of the points), q12, t12, angle (of the pair)."""


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
        found = found if len(p.outputs) > 1 else (found,)
        return dict(zip((k for k, _ in p.outputs), found, strict=True))


_made: dict[tuple[int, ...], Numeric] = {}
KEPT = 64


def numeric(programs: tuple[Program, ...]) -> Numeric:
    """The `Numeric` of these very objects, made once: networks that differ in numbers share them.

    What is kept holds the programs, so that no others have their identities.
    """
    key = tuple(map(id, programs))
    found = _made.get(key)
    if found is None:
        if len(_made) >= KEPT:
            _made.clear()
        found = _made[key] = Numeric(programs)
    return found


class Doubles:
    """Arithmetic on arrays of doubles."""

    context = None

    def __init__(self, programs: Callable[[Program, Mapping[str, Any]], dict[str, Any]]) -> None:
        self.program = programs

    number = staticmethod(float)

    def near(self, layer: Layer, state: Any, o: Any, after: Any) -> Any:
        """What is known of nearly parallel pairs (`gradients.near`): nothing."""
        return None

    def mends(self, layer: Layer, state: Any) -> Any:
        """For which nearly parallel pairs there are slopes that keep their digits: none."""
        return False

    def sharp(self, layer: Layer, given: Any, o: dict[str, Any]) -> dict[str, Any]:
        """The outputs of a pair, with what `gradients.near` mends: nothing."""
        return o

    @staticmethod
    def sqrt(a: Any) -> Any:
        """The root."""
        return np.sqrt(np.maximum(a, 0.0))

    @staticmethod
    def over(a: Any, b: Any, otherwise: Any) -> Any:
        """a/b, or another value where b is 0."""
        none = np.asarray(b) == 0.0
        return np.where(none, otherwise, a / np.where(none, 1.0, b))

    where = staticmethod(np.where)


class Digits:
    """Arithmetic on single numbers in an mpmath context."""

    def __init__(self, context: Any) -> None:
        self.context = context
        self.number = context.mpf

    def near(self, layer: Layer, state: Any, o: Any, after: Any) -> Any:
        """What is known of nearly parallel pairs: the digits do without."""
        return None

    def mends(self, layer: Layer, state: Any) -> bool:
        """For which pairs slopes keep their digits: all."""
        return True

    def sharp(self, layer: Layer, given: Any, o: dict[str, Any]) -> dict[str, Any]:
        """The outputs of a pair as they are."""
        return o

    def program(self, p: Program, values: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs of a program."""
        return p.evaluate(values, self.context)

    def sqrt(self, a: Any) -> Any:
        """The root."""
        return self.context.sqrt(max(a, 0))

    @staticmethod
    def over(a: Any, b: Any, otherwise: Any) -> Any:
        """a/b, or another value where b is 0."""
        return a / b if b else otherwise

    @staticmethod
    def where(choice: Any, a: Any, b: Any) -> Any:
        """The one or the other."""
        return a if choice else b


def turned(run: Any, move: Move, state: Mapping[str, Any]) -> Any:
    """The derivative of the angle from those of the covariance; 0 for equal rows, by symmetry."""
    x, c, y = (state[k] for k in ("q11", "q12", "q22"))
    level = move["q11"] / (2 * x) + move["q22"] / (2 * y)
    return run.over(-(move["q12"] - c * level), state["root"], 0.0)


def swing(run: Any, name: str, move: Move, state: Mapping[str, Any]) -> Any:
    """The root times the direction of the angle, which is infinite where rows are collinear.

    A bias moves rows that are collinear without one, but for equal ones, apart like its root; also
    opposite ones that an even layer made equal.
    """
    if name != APART:
        return state["root"] * move["angle"]
    x, c, y = (state[k] for k in ("q11", "q12", "q22"))
    rise = c * (move["q11"] / (2 * x) + move["q22"] / (2 * y)) - move["q12"]
    nothing = abs(rise) <= ROUNDING * abs(move["q12"])
    rise = run.where((x == y) & (c > 0) & nothing, 0 * rise, rise)
    return run.where(state["root"] == 0, rise, state["root"] * move["angle"])


def turning(layers: Sequence[Layer]) -> tuple[bool, ...]:
    """Whether the direction of the angle after each layer is read by a later one."""
    return tuple(any(later.kind != SMOOTH for later in layers[n + 1 :]) for n in range(len(layers)))


def collinear(layer: Layer, state: Mapping[str, Any]) -> Any:
    """Whether inputs are equal, or opposite in front of a layer that keeps them collinear."""
    ahead = (state["q12"] > 0) | bool(layer.mirror)
    return (state["root"] == 0) & (state["q11"] == state["q22"]) & ahead


def alike(t12: Any, t11: Any) -> Any:
    """Whether the NTK of a pair whose covariances are equal is that of equal inputs.

    Points that layers made equal, or that round to it, have one of their own.
    """
    return abs(t12 - t11) <= 2.0**-40 * abs(t11)


def entry(run: Any, state: Mapping[str, Any]) -> Any:
    """How far from parallel a pair is when it enters a kinked layer, in units of `CLOSE_ENTRY`."""
    first, second = run.sqrt(state["q11"]), run.sqrt(state["q22"])
    sine, gap = state["root"] / first / second, state["diff"] / first
    return run.sqrt(sine * sine + gap * gap) / CLOSE_ENTRY


def advance(
    run: Any, layer: Layer, state: dict[str, Any], moves: dict[str, Move], turn: bool
) -> tuple[dict[str, Any], dict[str, Move]]:
    """The state and the directions after one layer; with `turn`, the angle's too."""
    x, y = state["q11"], state["q22"]
    ends = [
        run.program(layer.side, {"q": q, "t12": t, **layer.values})
        for q, t in ((x, state["t11"]), (y, state["t22"]))
    ]
    r = {"r11": run.sqrt(x), "r22": run.sqrt(y), "n11": ends[0]["n"], "n22": ends[1]["n"]}
    r |= {"s11": run.sqrt(ends[0]["n"]), "s22": run.sqrt(ends[1]["n"])}
    given = {**state, **r, **layer.values}
    o = run.sharp(layer, given, run.program(layer.pair, given))
    ahead = state["q12"] > 0
    same = collinear(layer, state)
    following = {
        "q11": ends[0]["n"],
        "q12": run.where(same, run.where(ahead, 1, layer.mirror) * ends[0]["n"], o["n"]),
        "q22": ends[1]["n"],
        "root": run.where(same, 0 * x, o["root"]),
        "diff": o["diff"],
        "t11": ends[0]["t"],
        "t12": run.where(same & ahead & alike(state["t12"], state["t11"]), ends[0]["t"], o["t"]),
        "t22": ends[1]["t"],
    }
    near = run.near(layer, state, o, following) if turn else None
    following["mended"] = near.chosen if near else False
    if near:
        following["root"] = run.where(same, 0 * x, near.root)
        following["diff"] = near.diff
    made = {}
    for name, move in moves.items():
        turn_by = swing(run, name, move, state)
        opened = run.where(state["root"] == 0, turn_by, 0 * x) if name == APART else 0
        made[name] = _moved(run, name, layer, move, o, ends, opened)
        if turn and name != ENTRY:
            angle = _angle(run, name, layer, (move, made[name]), o, r, state, following, turn_by)
            if near and name != ANGLE:
                turned = near.turned(name, move, turn_by, made[name], following)
                angle = run.where(near.chosen, turned, angle)
            made[name]["angle"] = angle
    return following, made


def _moved(
    run: Any,
    name: str,
    layer: Layer,
    move: Move,
    o: Mapping[str, Any],
    ends: Sequence[Mapping[str, Any]],
    opened: Any,
) -> Move:
    """One direction after a layer, but for the angle; `opened`: `swing` of collinear rows."""
    if name == ENTRY:
        n = o.get("n_q", 0) * move["q12"]
        return {"q11": 0, "q22": 0, "q12": n, "t12": _ntk(o, move), "angle": 0}
    third = move["q12"] if layer.kind == SMOOTH else move["angle"]
    rows = (("x", move["q11"]), ("a", third), ("y", move["q22"]), (f"of_{name}", 1))

    def along(label: str) -> Any:
        found = [(k, o[f"{label}_{k}"], v) for k, v in rows if f"{label}_{k}" in o]
        # collinear pairs that stay so may have an infinite slope in the angle
        return sum((run.where(v == 0, 0, s * v) if k == "a" else s * v for k, s, v in found), 0)

    n, t = along("n"), along("t") + o.get("t_t", 0) * move["t12"]
    if name == APART and layer.kind != SMOOTH:
        # of a jump both slopes are infinite at equal rows
        n = n - run.where(opened == 0, 0 * opened, o["n_q"] * opened)
        t = t - run.where(opened == 0, 0 * opened, o.get("t_q", 0) * opened)
    sides = [
        end.get("n_q", 0) * move[k] + end.get(f"n_of_{name}", 0)
        for k, end in zip(("q11", "q22"), ends, strict=True)
    ]
    return {"q11": sides[0], "q22": sides[1], "q12": n, "t12": t, "angle": 0}


def _ntk(o: Mapping[str, Any], move: Move) -> Any:
    return o.get("t_q", 0) * move["q12"] + o.get("t_t", 0) * move["t12"]


def _angle(
    run: Any,
    name: str,
    layer: Layer,
    moves: tuple[Move, Move],
    o: Mapping[str, Any],
    r: Mapping[str, Any],
    state: Mapping[str, Any],
    following: Mapping[str, Any],
    turn_by: Any,
) -> Any:
    """The direction of the next angle; `turn_by`: `swing`."""
    move, after = moves
    root, following_root = state["root"], following["root"]
    if name == ANGLE:  # no cancellation: the root cancels out of both sides
        ratio = r["r11"] * r["r22"] / (r["s11"] * r["s22"])
        limit = run.over(1, run.sqrt(abs(o["n_q"]) * ratio), 0.0) * ratio
        return o["n_q"] * move["angle"] * run.over(root, following_root, limit)
    if layer.kind != SCALED:
        return turned(run, after, following)
    first, second = (move[k] / (2 * state[k]) for k in ("q11", "q22"))
    level = after["q11"] / (2 * following["q11"]) + after["q22"] / (2 * following["q22"])
    rows = (
        ("l", first + second),
        ("n", level),
        ("d", r["r11"] * first - r["r22"] * second),
        (f"of_{name}", 1),
    )
    whole = o["n_q"] * turn_by
    whole = whole + sum((o[f"e_{k}"] * v for k, v in rows if f"e_{k}" in o), 0)
    return run.over(whole, following_root, 0.0)
