r"""Slopes of layers at variances for which their closed forms cancel: differences of values.

The values of a dual keep their digits at any variance (`Layer.settled`).  Of pairs that are not
nearly parallel they are smooth in the logarithms of the variances and in the angle, on the scale of
the sine: through a few Chebyshev nodes within a small part of it goes a polynomial, and its slope
is right to about 1e-13 of the value over the sine (measured beside many digits, not proven).  The
slope of the covariance in the angle is the derivative dual, a value itself: in the angle that alone
is taken at nodes.  All is in polar
coordinates, those of smooth layers too.  Slopes of equal inputs are half those of one point, by
symmetry; that of their derivative dual in the angle is that of closed forms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...lower.program import Program
from ..checks import Array
from .compiled import fast
from .differences import chebyshev_slope
from .layers import KINKED, SMOOTH, Layer
from .parallel import parallel_up_to
from .sound import sound_up_to
from .steps import Doubles

Rule = tuple[int, float]
LENGTHS, ANGLE, ALONE = (10, 0.15), (12, 0.12), (14, 0.15)
"""Nodes, and half their interval: of the logarithms of the variances of a pair, where the nearest
singularity is at twice the angle, and of the angle, where it is at the angle, both in sines; of the
variance of a point and of parameters, in relative steps."""
ALONE_FROM = 64.0
"""The variance from which slopes of equal inputs are those of one point."""


class FarDoubles(Doubles):
    """Doubles whose slopes beyond a variance are differences of values.

    Attributes:
        layers: the layers, all in polar coordinates.
        sound: the variance beyond which closed forms of slopes are not taken.
        parallel: the variance beyond which those of nearly parallel pairs are not.
        run: the programs, in C where there is a compiler.
        steepest: the variance beyond which slopes are no doubles.
        unknown: equal inputs of the last layer whose slope in the angle its closed form has not.
    """

    def __init__(
        self, layers: Sequence[Layer], closed: Sequence[Layer], target: str | None, *, keep: bool
    ) -> None:
        """Measure the layers, in C unless `target` is "numpy"; `closed` are for many digits."""
        programs = {id(p): p for w in layers for p in (w.pair, w.side, w.settled) if p}
        self._parts = {k: _parts(p) for k, p in programs.items() if "dot" in dict(p.outputs)}
        programs |= {id(p): p for both in self._parts.values() for p in both}
        self.run = fast(tuple(programs.values()), target, keep=keep)
        distinct = {
            (id(w.pair), *w.values.items()): (w, c) for w, c in zip(layers, closed, strict=True)
        }
        self.sound = min(sound_up_to(w, self.run) for w, _ in distinct.values())
        limits = {
            k: parallel_up_to(w, c, self.run, len(layers) > 1) for k, (w, c) in distinct.items()
        }
        self._limits = tuple(limits[id(w.pair), *w.values.items()] for w in layers)
        self.parallel = min(limits.values())
        self.steepest = min(w.steepest for w, _ in distinct.values())
        self.layers = tuple(replace(w, kind=KINKED) if w.kind == SMOOTH else w for w in layers)
        self._smooth = {id(w.pair) for w in layers if w.kind == SMOOTH}
        self._sides = {id(w.side): w.params for w in layers if w.settled is not None}
        self.unknown: Any = np.False_
        super().__init__(self.run)
        self.program = self._program

    def _program(self, p: Program, values: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs; of one point, slopes in its variance and in parameters by differences."""
        found = self.run(p, values)
        beyond = values["q"] > self.sound if id(p) in self._sides else np.False_
        if not np.any(beyond):
            return found
        for name in ("q", *self._sides[id(p)]):
            label = "n_q" if name == "q" else f"n_of_{name}"
            if label in found:
                slope = self._along(p, values, name)["n"]
                found[label] = np.where(beyond, slope, found[label])
        return found

    def _along(self, p: Program, values: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Slopes of the outputs in one input, by relative steps."""
        unit = np.where(values[name] == 0.0, 1.0, values[name])

        def moved(step: Any) -> dict[str, Any]:
            return self.run(p, {**values, name: values[name] + unit * step})

        return {k: v / unit for k, v in _slopes(moved, ALONE).items()}

    def strain(self, levels: Array) -> Array:
        """What slopes of nearly parallel pairs lose, in units of what may be lost: sure up to 1.

        What a layer loses goes with the variance, up to `_limits`; each later layer multiplies it
        by what it makes of the square of a small angle.

        Args:
            levels: the variances in front of each layer and after the last, a column for each row.
        """
        total = np.zeros(levels.shape[1])
        for layer, limit, q, after in zip(
            self.layers, self._limits, levels[:-1], levels[1:], strict=True
        ):
            given = {"q": q, **layer.values}
            without, whole = (self.run(layer.side, {**given, "t12": t})["t"] for t in (0.0 * q, q))
            total = total * ((whole - without) / after) + q / limit
        return np.where(np.isfinite(total), total, 0.0)

    @staticmethod
    def sine(state: Mapping[str, Any]) -> Any:
        """Of the angle, which differences need."""
        return state["root"] / np.sqrt(state["q11"]) / np.sqrt(state["q22"])

    @staticmethod
    def equal(state: Mapping[str, Any]) -> Any:
        """Whether inputs are equal, whose slopes are those of one point."""
        return (state["root"] == 0.0) & (state["q11"] == state["q22"]) & (state["q12"] > 0.0)

    def sharp(self, layer: Layer, given: Mapping[str, Any], o: dict[str, Any]) -> dict[str, Any]:
        """The outputs of a pair in polar coordinates, beyond `sound` by differences."""
        x, c, y, root = np.broadcast_arrays(*(given[k] for k in ("q11", "q12", "q22", "root")))
        made = dict(o)
        if id(layer.pair) in self._smooth:
            for k in "nt":
                turn = o.get(f"{k}_q", 0.0)
                for label, q in (("x", x), ("y", y)):
                    made[f"{k}_{label}"] = o.get(f"{k}_{label}", 0.0) + 0.5 * c / q * turn
                made[f"{k}_a"] = -root * turn
        turned = {k: made[k] for k in ("t_a", "t_q") if k in made}
        beyond = (x > self.sound) | (y > self.sound)
        if layer.settled is not None and beyond.any():
            for k, v in self._differences(layer, layer.settled, given, (x, c, y, root)).items():
                made[k] = np.where(beyond, v, made.get(k, 0.0))
            after = self.run.rootdet(given["n11"], made["n"], given["n22"])
            made["root"] = np.where(beyond, after, made["root"])
        equal = self.equal(given) & (x > min(self.sound, self.parallel, ALONE_FROM))
        smooth = layer.kinks is None  # then that slope is finite
        self.unknown = equal & smooth & ~np.isfinite(turned.get("t_q", 0.0))
        if equal.any():
            ends = self._ends(layer, given, x)
            ends = {k: np.where(np.isfinite(v), v, made.get(k, 0.0)) for k, v in ends.items()}
            made |= {k: np.where(equal, v, made.get(k, 0.0)) for k, v in (ends | turned).items()}
        return made

    def _differences(
        self, layer: Layer, settled: Program, given: Mapping[str, Any], at: tuple[Any, ...]
    ) -> dict[str, Any]:
        """`Layer.pair`'s values and slopes from settled values."""
        x, c, y, root = at
        sine = np.minimum(1.0, self.sine(given))
        values, dot = self._parts[id(settled)]

        def run(p: Program, x: Any, c: Any, y: Any, root: Any) -> dict[str, Any]:
            return self.run(p, {**given, "q11": x, "q12": c, "q22": y, "root": root})

        def first(step: Any) -> dict[str, Any]:
            grown, scale = np.exp(step), np.exp(0.5 * step)
            return run(values, x * grown, c * scale, y, root * scale)

        def both(step: Any) -> dict[str, Any]:
            grown = np.exp(step)
            return run(values, x * grown, c * grown, y * grown, root * grown)

        def turned(step: Any) -> dict[str, Any]:
            cos, sin = np.cos(step), np.sin(step)
            return run(dot, x, c * cos - root * sin, y, root * cos + c * sin)

        found = run(settled, *at)
        alone, together = _slopes(first, LENGTHS, sine), _slopes(both, LENGTHS)
        around = {"n": found["n_q"], "t": found["t_K"] * found["dot"]}
        around["t"] -= found["t_Kdot"] * _slopes(turned, ANGLE, sine)["own"] / root
        for k in "nt":  # what moves both lengths alike sees no error of one alone
            found[f"{k}_x"] = alone[k] / x
            found[f"{k}_y"] = (together[k] - alone[k]) / y
            found[f"{k}_q"], found[f"{k}_a"] = around[k], -root * around[k]
        for name in layer.params:
            if name in settled.args:
                along = self._along(values, given, name)
                found |= {f"{k}_of_{name}": along[k] for k in "nt"}
        return found

    def _ends(self, layer: Layer, given: Mapping[str, Any], x: Any) -> dict[str, Any]:
        """`Layer.pair`'s values and slopes of equal inputs from those of one point."""
        one = {"q": x, "t12": given["t12"], **layer.values}
        ends = {k: v for k, v in self.run(layer.side, one).items() if k in ("n", "t")}
        along = self._along(layer.side, one, "q")
        ends |= {f"{k}_{label}": 0.5 * along[k] for k in "nt" for label in "xy"}
        for name in layer.params:
            along = self._along(layer.side, one, name)
            ends |= {f"{k}_of_{name}": along[k] for k in "nt"}
        return ends


def _parts(settled: Program) -> tuple[Program, Program]:
    """What of settled values is taken at nodes of the variances, and of the angle."""
    found = dict(settled.outputs)
    kept = (tuple((k, found[k]) for k in names) for names in ("nt", ("own",)))
    values, dot = (replace(settled, outputs=outputs) for outputs in kept)
    return values, dot


def _slopes(f: Callable[[Any], dict[str, Any]], rule: Rule, scale: Any = 1.0) -> dict[str, Any]:
    """Slopes in the middle of what f gives at steps by a rule, its interval times `scale`."""
    total: dict[str, Any] = {}
    half = rule[1] * scale
    for w, t in chebyshev_slope(rule[0]):
        for k, v in f(half * t).items():
            total[k] = total.get(k, 0.0) + w * v
    return {k: v / half for k, v in total.items()}
