r"""`UnitGradient`: the kernels of a network of tables, series and mixtures, and their derivatives.

Forward mode in the covariance: $dK = K_{11}dq_{11} + K_{12}dq_{12} + K_{22}dq_{22}$, and the same
for $\dot K$.  $K_{12} = \dot K$ has the proven bound of its method; the other derivatives are those
of polynomials, of sums or of values (`gradients.duals`), and have none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...backends.c.gradient.units import UnitSlopes
from ...network import Network
from ..arguments import read_threads
from ..checks import Array, real_array, same_width
from ..gram.threads import each
from ..units.layers import AUTO, Range, Wanted, first_affine, needs_range, plan
from ..units.ranged import outward, spread
from .differences import ROOM
from .duals import GradientDual, gradient_duals
from .fine import FINE, bend_unit
from .gap import SHARED
from .lowered import ENTRIES
from .planes import KernelGradients, exchanged, named_planes
from .rows import spans
from .steps import alike, numeric
from .unit_plan import dense_rules, roughness_of, slopes_of

BAND = 32
"""Rows at a time."""
LEAST = 2.0**0.125
"""The least room with which tables that are there already serve other data."""
PLANES = (
    *("nngp", "ntk"),
    *(f"{k}/{v}" for k in ("nngp", "ntk") for v in (*ENTRIES, *SHARED)),
    *(f"{k}/polar {v}" for k in ("nngp", "ntk") for v in ("q11", "angle", "q22")),
)
First = tuple[dict[str, float], dict[str, dict[str, float]]]
"""The numbers of the first layer, and their derivatives by hyper-parameter."""


class UnitGradient:
    """The kernels of a network of units and their derivatives: `g(X, Y)` is a `KernelGradients`.

    Derivatives are in q11, q12, q22, weight_var and bias_var; parameters of an activation are
    numbers in its table.  Tables are built for the variances of the data, at the first call.

    Attributes:
        notes: what is proven of the last call's units, line by line.
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
        self._input, self._input_values = given.input, given.input_values
        self._slopes = given.input_slopes
        self._numeric = numeric(tuple({id(p): p for p in self._rules}.values()))
        self._made: dict[Range | None, tuple[tuple[GradientDual, ...], tuple[int, ...]]] = {}
        self.notes: tuple[str, ...] = ()
        self.wrt = (*ENTRIES, *SHARED)

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

    def _duals(self, variances: Array, d: int) -> tuple[tuple[GradientDual, ...], tuple[int, ...]]:
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
            values = {
                step.kind: dict(n.values)
                for step, (n, _) in zip(made.steps, self._network.blocks, strict=True)
            }
            sense = self._network.convention.derivative
            kinds = tuple(
                UnitSlopes(unit, slopes_of(choice, values[k], sense))
                for k, (unit, choice) in enumerate(zip(made.kinds, found.choices, strict=True))
            )
            rough = tuple(roughness_of(c) for c in found.choices)
            bends = tuple(bend_unit(c, values[k]) for k, c in enumerate(found.choices))
            duals = gradient_duals(kinds, rough, self._target, bends)
            self.notes = tuple(line for dual in duals for line in dual.notes)
            self._made[span] = duals, tuple(s.kind for s in made.steps)
        return self._made[span]

    def _planes(self, a: Array, b: Array | None) -> KernelGradients:
        """Everything, in bands of rows; of a symmetric matrix the upper half, then both."""
        other = a if b is None else b
        n, m, d = len(a), len(other), a.shape[1]
        squares = [np.sum(v * v, axis=1) for v in ((a,) if b is None else (a, b))]
        duals, kinds = self._duals(np.concatenate(squares), d)
        start = self._first(d)
        levels = [self._levels(g, start, duals, kinds) for g in squares]
        out = {name: np.empty((n, m)) for name in PLANES}

        def band(at: int, _: Any) -> None:
            rows, first = slice(at, at + BAND), at if b is None else 0
            columns = slice(first, None)
            mine = [_columns(level, rows) for level in levels[0]]
            theirs = [_rows(level, columns) for level in levels[-1]]
            found = self._pairs(a[rows], other[columns], start, mine, theirs, duals, kinds)
            for name, plane in found.items():
                out[name][rows, columns] = plane

        each(band, range(0, n, BAND), self._threads, _nothing)
        if b is None:
            _mirror(out)
        return named_planes(out, self.wrt)

    def _first(self, d: int) -> First:
        """The numbers of the affine first layer, and their derivatives by hyper-parameter."""
        given = {"d": d, **self._input_values}
        found = {k: float(v) for k, v in self._input.evaluate(given).items()}
        slopes = {
            name: {k: float(v) for k, v in program.evaluate(given).items()}
            for name, program in self._slopes.items()
        }
        return found, slopes

    def _levels(
        self, g: Array, start: First, duals: tuple[GradientDual, ...], kinds: tuple[int, ...]
    ) -> list[dict[str, Array]]:
        """For each level: q, t and derivatives of q in q of the first level and in `SHARED`."""
        first, slopes = start
        q = first["nngp_slope"] * g + first["nngp_offset"]
        t = first["ntk_slope"] * g + first["ntk_offset"]
        moves = {"own": np.full_like(g, first["nngp_slope"])}
        for name in SHARED:
            s = slopes.get(name)
            moves[name] = s["nngp_slope"] * g + s["nngp_offset"] if s else np.zeros_like(g)
        levels = [{"q": q, "t": t, **moves}]
        for kind, rule, values in zip(kinds, self._rules, self._values, strict=True):
            k, dot, of_k, _ = duals[kind].side(q)
            o = self._numeric(rule, {**values, "K": k, "Kdot": dot, "t12": t})
            q, t = (np.broadcast_to(o[k], g.shape) for k in ("nngp", "ntk"))
            moves = {
                name: o["nngp_K"] * of_k * v + (o[f"nngp_{name}"] if name in SHARED else 0.0)
                for name, v in moves.items()
            }
            levels.append({"q": q, "t": t, **moves})
        return levels

    def _pairs(
        self,
        rows: Array,
        others: Array,
        affine: First,
        mine: list[dict[str, Array]],
        theirs: list[dict[str, Array]],
        duals: tuple[GradientDual, ...],
        kinds: tuple[int, ...],
    ) -> dict[str, Array]:
        """The planes of a band: `mine` are columns, `theirs` rows of numbers, level by level."""
        first, slopes = affine
        a, b, own = (first[k] for k in ("nngp_slope", "nngp_offset", "ntk_slope"))
        s = spans(rows, others, self._numeric.rootdet)
        c, t = a * s.g12 + b, own * s.g12 + first["ntk_offset"]
        root = np.sqrt((a * s.area) ** 2 + a * b * s.apart)
        start = mine[0]["q"], c, theirs[0]["q"], root
        none = np.zeros_like(c)
        moves = {"q11": (none, none), "q12": (none + a, none + own), "q22": (none, none)}
        for name in SHARED:
            rise = slopes.get(name)
            moves[name] = none, none
            if rise:
                moves[name] = (
                    rise["nngp_slope"] * s.g12 + rise["nngp_offset"],
                    rise["ntk_slope"] * s.g12 + rise["ntk_offset"],
                )
        for level, (kind, rule, values) in enumerate(
            zip(kinds, self._rules, self._values, strict=True)
        ):
            left, right = mine[level], theirs[level]
            at = np.broadcast_arrays(left["q"], c, right["q"], root)
            k, dot, k1, k12, k2, d1, d12, d2 = duals[kind].pair(*at)
            o = self._numeric(rule, {**values, "K": k, "Kdot": dot, "t12": t})
            after = {}
            for name, (dc, dt) in moves.items():
                of_k, of_dot = k12 * dc, d12 * dc
                for end, label, v, w in ((left, "q11", k1, d1), (right, "q22", k2, d2)):
                    if name == label or name in SHARED:
                        move = end["own" if name == label else name]
                        of_k, of_dot = of_k + v * move, of_dot + w * move
                dc = o["nngp_K"] * of_k
                dt = o["ntk_K"] * of_k + o["ntk_Kdot"] * of_dot + o["ntk_t12"] * dt
                if name in SHARED:
                    dc, dt = dc + o[f"nngp_{name}"], dt + o[f"ntk_{name}"]
                after[name] = dc, dt
            moves = after
            same = (root == 0.0) & (left["q"] == right["q"]) & (c > 0.0)
            x, y = mine[level + 1], theirs[level + 1]
            most = np.sqrt(x["q"]) * np.sqrt(y["q"])  # beyond which a dual may err
            c = np.where(same, x["q"], np.clip(o["nngp"], -most, most))
            t = np.where(same & alike(t, left["t"]), x["t"], o["ntk"])
            whole = np.broadcast_arrays(x["q"], c, y["q"])
            root = np.where(same, 0.0, self._numeric.rootdet(*whole))
        return _named(c, t, moves, start, a)


def _nothing() -> None:
    """Threads need no space of their own."""


def _columns(level: dict[str, Array], rows: slice) -> dict[str, Array]:
    return {k: v[rows, None] for k, v in level.items()}


def _rows(level: dict[str, Array], columns: slice) -> dict[str, Array]:
    return {k: v[None, columns] for k, v in level.items()}


def _named(
    c: Array, t: Array, moves: dict[str, tuple[Array, Array]], start: tuple[Array, ...], a: float
) -> dict[str, Array]:
    """The planes by name; the polar ones from those in q11, q12, q22."""
    x, first, y, root = start
    found = {"nngp": c, "ntk": t}
    for k, label in enumerate(("nngp", "ntk")):
        found |= {f"{label}/{name}": both[k] for name, both in moves.items()}
        turn = moves["q12"][k] / a
        found[f"{label}/polar q11"] = moves["q11"][k] / a + turn * first / (2 * x)
        found[f"{label}/polar angle"] = -root * turn
        found[f"{label}/polar q22"] = moves["q22"][k] / a + turn * first / (2 * y)
    return found


def _mirror(out: dict[str, Array]) -> None:
    """The lower halves, from the upper ones with the two points exchanged."""
    lower = np.tril_indices(len(out["nngp"]), -1)
    for name in PLANES:
        swapped = exchanged(name)
        if swapped > name:
            np.fill_diagonal(out[swapped], out[name].diagonal())
        if swapped >= name:
            mine, theirs = out[name].T[lower], out[swapped].T[lower]
            out[name][lower], out[swapped][lower] = theirs, mine
