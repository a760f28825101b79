r"""`UnitGradient`: the kernels of a network of tables, series and mixtures, and their derivatives.

Forward mode in the variances at a fixed angle, and in the covariance at fixed variances:
$dK = K_xdq_{11} + K_ydq_{22} + K_{12}\delta$ with $\delta = dq_{12} - \tfrac12q_{12}
(dq_{11}/q_{11} + dq_{22}/q_{22})$, and the same for $\dot K$; none of these cancels for nearly
parallel rows of large variances.  $K_{12} = \dot K$ has the proven bound of its method; the other
derivatives are those of polynomials, of sums or of values (`gradients.duals`), and have none.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from ...backends.c.gradient.units import UnitSlopes
from ...backends.unit_schedule import UnitStep
from ...network import Network
from ...numeric.choice import Choice
from ..arguments import read_threads
from ..checks import Array, real_array, same_width
from ..gram.threads import each
from ..units.layers import AUTO, Range, Wanted, first_affine, needs_range, plan
from ..units.ranged import outward, spread
from .carried import Nearly
from .differences import ROOM
from .duals import GradientDual, gradient_duals, length, value_duals
from .endless import endless
from .fine import FINE, bend_far, bend_unit, mixture_bend_unit, mixture_rest_unit
from .gap import SHARED
from .large import Bend, Large, Rest
from .lowered import ENTRIES
from .own import Apart, Scaled, Weight, own_rules
from .planes import POLAR, KernelGradients, exchanged, named_planes
from .rows import first_swing, spans
from .steps import APART, Doubles, alike, numeric
from .unit_moves import directions, logs, turned
from .unit_plan import dense_rules, roughness_of, slopes_of, steepest

BAND = 32
"""Rows at a time."""
LEAST = 2.0**0.125
"""The least room with which tables that are there already serve other data."""
First = tuple[dict[str, float], dict[str, dict[str, float]]]
"""The numbers of the first layer, and their derivatives by hyper-parameter."""
Own = dict[str, Scaled | Apart]
Made = tuple[tuple[GradientDual, ...], tuple[UnitStep, ...], tuple[Own, ...]]
"""The duals of a network, its layers, and slopes in parameters of each dual."""


class UnitGradient:
    """The kernels of a network of units and their derivatives: `g(X, Y)` is a `KernelGradients`.

    Derivatives are in q11, q12, q22, weight_var, bias_var and the parameters of the activations
    (`gradients.own`); a parameter that moves a kink has none, and `notes` say so.  Tables are built
    for the variances of the data, at the first call.

    Attributes:
        notes: what is known of the last call's units, line by line.
        wrt: what the derivatives of the last call are taken in.
    """

    def __init__(
        self,
        network: Network,
        wanted: Wanted = AUTO,
        target: str | None = None,
        *,
        threads: int | None = None,
    ) -> None:
        """Lower the layers' rules.

        Args:
            network: the network.
            wanted: the method and the error of its duals.
            target: "c", "numpy", or None: C where there is a compiler.
            threads: by default the processors that this program may run on.

        Raises:
            BadSpec: a parameter without a value; threads that are no number.
        """
        self._network, self._wanted, self._target = network, replace(wanted, finer=FINE), target
        self._threads = read_threads(threads)
        given = dense_rules(network)
        self._rules, self._values = given.rules, given.values
        self._collinear = tuple(zip(given.mirrors, given.straight, strict=True))
        self._input, self._input_values = given.input, given.input_values
        self._slopes = given.input_slopes
        self._numeric = numeric(tuple({id(p): p for p in self._rules}.values()))
        self._made: dict[Range | None, Made] = {}
        self.notes: tuple[str, ...] = ()
        self.wrt: tuple[str, ...] = (*ENTRIES, *SHARED)

    def __repr__(self) -> str:
        target = self._target or "c, or numpy without a compiler"
        return f"<UnitGradient {self._network.name}: target={target}, threads={self._threads}>"

    def __call__(self, x: Any, y: Any = None) -> KernelGradients:
        """Kernels of the rows of x and y, and derivatives; NaN for rows of zeros.

        Raises:
            BadData: not two-dimensional real arrays of one width.
            Undecided: no table is proven for the variances of the data.
            UnsupportedOp: a dual whose derivatives cannot be written.
        """
        a = real_array(x, "X", 2)
        b = a if y is None else real_array(y, "Y", 2)
        same_width(a, b)
        with np.errstate(all="ignore"):
            return self._planes(a, None if y is None else b)

    def _duals(self, variances: Array, d: int) -> Made:
        span = None
        if needs_range(self._network, self._wanted):
            slope, offset = first_affine(self._network, d)
            low, high = spread(slope * variances + offset, "X", zero=True) or (1.0, 1.0)
            for held in self._made:
                if held is not None and held[0] * LEAST <= low and high * LEAST <= held[1]:
                    return self._made[held]
            span = outward(low / ROOM, high * ROOM)
        if span not in self._made:
            found = plan(self._network, self._wanted, span)
            made = found.schedule
            blocks = self._network.blocks
            values = {s.kind: dict(n.values) for s, (n, _) in zip(made.steps, blocks, strict=True)}
            sense = self._network.convention.derivative
            kinds = tuple(
                UnitSlopes(unit, slopes_of(choice, values[k], sense))
                for k, (unit, choice) in enumerate(zip(made.kinds, found.choices, strict=True))
            )
            rough = tuple(roughness_of(c) for c in found.choices)
            bends = tuple(bend_unit(c, values[k]) for k, c in enumerate(found.choices))
            large = tuple(self._large(c, values[k]) for k, c in enumerate(found.choices))
            duals = gradient_duals(kinds, rough, self._target, bends, large)
            acts = {s.kind: n.activation for s, (n, _) in zip(made.steps, blocks, strict=True)}
            own = [
                own_rules(choice, acts[k], values[k], self._target)
                for k, choice in enumerate(found.choices)
            ]
            self.notes = tuple(line for dual in duals for line in dual.notes)
            self.notes += tuple(line for _, lines in own for line in lines)
            self._made[span] = duals, made.steps, tuple(o for o, _ in own)
        return self._made[span]

    def _large(self, choice: Choice, values: dict[str, Any]) -> Large | None:
        """What a mixture has where variances are large."""
        steep = steepest(choice, values)
        if steep is None:
            return None

        @cache
        def bend() -> Any:
            unit = mixture_bend_unit(choice, values)
            if unit is None:
                return None
            return Bend(value_duals((unit,), self._target)[0][0], bend_far(choice, values))

        @cache
        def rest() -> Any:
            found = mixture_rest_unit(choice, values)
            if found is None:
                return None
            degree, unit = found
            return Rest(degree, value_duals((unit,), self._target)[0][0])

        return Large(steep, bend, rest)

    def _planes(self, a: Array, b: Array | None) -> KernelGradients:
        """Everything, in bands of rows; of a symmetric matrix the upper half, then both."""
        other = a if b is None else b
        n, m, d = len(a), len(other), a.shape[1]
        squares = [np.sum(v * v, axis=1) for v in ((a,) if b is None else (a, b))]
        made = self._duals(np.concatenate(squares), d)
        self.wrt = (*ENTRIES, *SHARED, *_parameters(made, self._network))
        start = self._first(d)
        levels = [self._levels(g, start, made) for g in squares]
        out = {name: np.empty((n, m)) for name in _planes(self.wrt)}

        def band(at: int, _: Any) -> None:
            rows, first = slice(at, at + BAND), at if b is None else 0
            columns = slice(first, None)
            mine = [_columns(level, rows) for level in levels[0]]
            theirs = [_rows(level, columns) for level in levels[-1]]
            found = self._pairs(a[rows], other[columns], start, mine, theirs, made)
            for name, plane in found.items():
                out[name][rows, columns] = plane

        each(band, range(0, n, BAND), self._threads, _nothing)
        if b is None:
            _mirror(out)
        return named_planes(out, self.wrt)

    def first(self, d: int) -> tuple[float, float]:
        """Slope and offset of the first layer's variance in the squared norm, of d numbers."""
        found, _ = self._first(d)
        return found["nngp_slope"], found["nngp_offset"]

    def _first(self, d: int) -> First:
        """The numbers of the affine first layer, and their derivatives by hyper-parameter."""
        given = {"d": d, **self._input_values}
        found = {k: float(v) for k, v in self._input.evaluate(given).items()}
        slopes = {
            name: {k: float(v) for k, v in program.evaluate(given).items()}
            for name, program in self._slopes.items()
        }
        return found, slopes

    def _levels(self, g: Array, start: First, made: Made) -> list[dict[str, Array]]:
        """For each level: q, t and derivatives of q in |x|^2 ("own") and in what is shared."""
        first, slopes = start
        duals, steps, own = made
        q = first["nngp_slope"] * g + first["nngp_offset"]
        t = first["ntk_slope"] * g + first["ntk_offset"]
        moves = {"own": np.full_like(g, first["nngp_slope"])}
        for name in self.wrt[len(ENTRIES) :]:
            s = slopes.get(name)
            moves[name] = s["nngp_slope"] * g + s["nngp_offset"] if s else np.zeros_like(g)
        levels = [{"q": q, "t": t, **moves}]
        for step, rule, values in zip(steps, self._rules, self._values, strict=True):
            kind = step.kind
            k, dot, of_k, _ = duals[kind].side(q)
            o = self._numeric(rule, {**values, "K": k, "Kdot": dot, "t12": t})
            before, q, t = q, *(np.broadcast_to(o[v], g.shape) for v in ("nngp", "ntk"))
            moves = dict(moves)
            for name, v in moves.items():
                param = own[kind].get(name)
                inner = of_k * v + (param.side(before, k, of_k) if param else 0.0)
                moves[name] = o["nngp_K"] * inner + (o[f"nngp_{name}"] if name in SHARED else 0.0)
            levels.append({"q": q, "t": t, **moves})
        return levels

    def _pairs(
        self,
        rows: Array,
        others: Array,
        affine: First,
        mine: list[dict[str, Array]],
        theirs: list[dict[str, Array]],
        made: Made,
    ) -> dict[str, Array]:
        """The planes of a band: `mine` are columns, `theirs` rows of numbers, level by level."""
        (first, slopes), (duals, steps, own) = affine, made
        shared = self.wrt[len(ENTRIES) :]
        a, b, steep = (first[k] for k in ("nngp_slope", "nngp_offset", "ntk_slope"))
        s = spans(rows, others, self._numeric.rootdet)
        c, t = a * s.g12 + b, steep * s.g12 + first["ntk_offset"]
        root = np.hypot(a * s.area, np.sqrt(a * b * s.apart))
        start = mine[0]["q"], c, theirs[0]["q"], root
        unlike = a * s.unlike
        none = np.zeros_like(c)
        sides = (steep * c / (2.0 * v) for v in (start[0], start[2]))
        moves = {"q11": (none, next(sides)), "q12": (none + a, none + steep)}
        moves["q22"] = none, next(sides)
        for name in shared:
            rise = slopes.get(name)
            moves[name] = none, none
            if rise:
                up, more = rise["nngp_slope"], rise["nngp_offset"]
                moved = -first_swing(s, start, (a, b), (up, more), Doubles.over)
                moves[name] = moved, rise["ntk_slope"] * s.g12 + rise["ntk_offset"]
        for level, (step, rule, values) in enumerate(
            zip(steps, self._rules, self._values, strict=True)
        ):
            kind = step.kind
            left, right = mine[level], theirs[level]
            x, c, y, root = np.broadcast_arrays(left["q"], c, right["q"], root)
            mirror, straight = self._collinear[level]
            nearly = Nearly(duals[kind], step, mirror, (x, c, y, root), unlike)
            given = nearly.mended(duals[kind].pair(x, c, y, root))
            k, dot, k1, k12, k2, d1, d12, d2 = given
            o = self._numeric(rule, {**values, "K": k, "Kdot": dot, "t12": t})
            # times t12 first: derivatives of D alone may be less than doubles
            d1, d12, d2 = (o["ntk_Kdot"] * v for v in (d1, d12, d2))
            after = {}
            for name, (turn, dt) in moves.items():
                of_k, of_dot = k12 * turn, d12 * (turn / length(x, y))
                if level == 0 and name == APART:
                    of_dot = endless(duals[kind], (x, c, y, root), o["ntk_Kdot"] * turn, of_dot)
                for move, v, w in zip(logs(name, (left, right)), (k1, k2), (d1, d2), strict=True):
                    of_k, of_dot = of_k + v * move, of_dot + w * move
                if param := own[kind].get(name):
                    p_k, p_dot = param.pair(x, c, y, root, given)
                    of_k, of_dot = of_k + p_k, of_dot + o["ntk_Kdot"] * p_dot
                dc = o["nngp_K"] * of_k
                dt = o["ntk_K"] * of_k + of_dot + o["ntk_t12"] * dt
                if name in SHARED:
                    dc, dt = dc + o[f"nngp_{name}"], dt + o[f"ntk_{name}"]
                after[name] = dc, dt
            equal = (root == 0.0) & (left["q"] == right["q"])
            same, opposite = equal & (c > 0.0), equal & (c < 0.0) & (mirror != 0)
            still = same | opposite | ((root == 0.0) & (c > 0.0) & straight)
            x, own_t, y = mine[level + 1]["q"], mine[level + 1]["t"], theirs[level + 1]["q"]
            most = np.sqrt(x) * np.sqrt(y)  # beyond which a dual may err
            c = np.where(same, x, np.clip(o["nngp"], -most, most))
            c = np.where(opposite, mirror * x, c)
            t = np.where(same & alike(t, left["t"]), own_t, o["ntk"])
            whole = np.broadcast_arrays(x, c, y)
            c, root, unlike = nearly.after((x, y), c, self._numeric.rootdet(*whole), x - y)
            root = np.where(still, 0.0, root)
            ends = mine[level + 1], theirs[level + 1]
            weight = float(values["weight_var"])
            before = left, right
            for name, (dc, dt) in after.items():
                turn = turned(name, dc, c, ends, same if name == APART else still)
                if name != "q12":
                    turn = nearly.turned(
                        moves[name][0],
                        logs(name, before),
                        dot,
                        directions(name, ends),
                        own[kind].get(name) or Weight(weight if name == "weight_var" else np.inf),
                        turn,
                        name != "bias_var",
                    )
                moves[name] = turn, dt
        return _named(c, t, after, start, a)


def _parameters(made: Made, network: Network) -> tuple[str, ...]:
    """The parameters whose slopes every layer has that has them."""
    _, steps, own = made
    lost = {
        p.name
        for step, (n, _) in zip(steps, network.blocks, strict=True)
        for p in n.activation.params
        if p.name not in own[step.kind]
    }
    return tuple(sorted({name for rules in own for name in rules} - lost))


def _planes(wrt: tuple[str, ...]) -> tuple[str, ...]:
    """The names of what is computed."""
    named = (*wrt, *(f"polar {v}" for v in POLAR))
    return "nngp", "ntk", *(f"{k}/{v}" for k in ("nngp", "ntk") for v in named)


def _nothing() -> None:
    """Threads need no space of their own."""


def _columns(level: dict[str, Array], rows: slice) -> dict[str, Array]:
    return {k: v[rows, None] for k, v in level.items()}


def _rows(level: dict[str, Array], columns: slice) -> dict[str, Array]:
    return {k: v[None, columns] for k, v in level.items()}


def _named(
    c: Array, t: Array, moves: dict[str, tuple[Array, Array]], start: tuple[Array, ...], a: float
) -> dict[str, Array]:
    """The planes by name; those in q11 and q22 at fixed q12 from those at a fixed angle."""
    x, first, y, root = start
    found = {"nngp": c, "ntk": t}
    for k, label in enumerate(("nngp", "ntk")):
        found |= {f"{label}/{name}": both[k] for name, both in moves.items()}
        turn = moves["q12"][k]
        found[f"{label}/polar angle"] = -root * (turn / a)
        for name, q in (("q11", x), ("q22", y)):
            found[f"{label}/polar {name}"] = moves[name][k] / a
            found[f"{label}/{name}"] = moves[name][k] - turn * (first / (2 * q))
    return found


def _mirror(out: dict[str, Array]) -> None:
    """The lower halves, from the upper ones with the two points exchanged."""
    lower = np.tril_indices(len(out["nngp"]), -1)
    for name in out:
        swapped = exchanged(name)
        if swapped > name:
            np.fill_diagonal(out[swapped], out[name].diagonal())
        if swapped >= name:
            mine, theirs = out[name].T[lower], out[swapped].T[lower]
            out[name][lower], out[swapped][lower] = theirs, mine
