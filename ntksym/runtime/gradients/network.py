r"""`NetworkGradient`: a network's kernels and their derivatives, layer by layer, forward mode.

Each layer takes directions in coordinates where nothing is infinite (`gradients.layers`); the
direction $q_{12}$ alone needs $E[s''(u)s''(v)]$, which is infinite at $\rho = \pm 1$ for a kinked
activation, and truly so.  The angle of the first layer comes from the rows.  The arithmetic is that
of compiled C, else NumPy's; pairs for which it loses digits (small angles after layers of kinks
away from 0) are done by integrals (`gradients.near`), and where those do not apply with 90 digits
from the exact data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backends.c.gradient.library import FIRST_LAYER
from ...errors import NoCompiler
from ...network import Network, Recursion, recurse
from ...network.spec import as_network
from ..arguments import read_target, read_threads
from ..checks import Array, real_array, same_width
from ..units.routes import has_units
from .c import CGradient
from .exactly import checked
from .far import FarDoubles
from .input import by_rows
from .layers import KINKED, SCALED, Layer, layers_of
from .levels import own_levels
from .lowered import lower_gradient
from .near import NearDoubles
from .nearer import collinear_pairs, factors, further
from .nothing import demand_angle, lengthened, limits, opened, raised, with_nothing
from .parallel import SINE, larger, nearly_parallel
from .planes import KernelGradients, exchanged, give, named_planes
from .rows import Spans, exact_spans, paired, spans
from .sound import USUAL, usually_sound
from .starts import first_moves
from .steps import Digits, Doubles, advance, collinear, entry, numeric, turning
from .units import UnitGradient

PLAIN = 4.0
"""Variances up to this need no measurement of slopes."""
NEAR_PAIRS = 512
"""Such pairs at a time."""
Mask = NDArray[np.bool_]


class NetworkGradient:
    """The kernels of a network and their derivatives: `g(X, Y)` is a `KernelGradients`.

    In what, and in which order, `wrt` says; in the rows of X by `input_gradient`.  Errors are
    measured, not proven, but for tables and mixtures in q12 (codegen/README.md has them).
    """

    def __init__(
        self,
        net: Network | Recursion | str,
        target: str | None = None,
        *,
        threads: int | None = None,
        keep: bool = True,
        wide: bool = False,
    ) -> None:
        """Derive and generate.

        Args:
            net: the network, or its text (`mlp:...`, a TOML file).
            target: "c", "numpy", or None: C where there is a compiler.
            threads: by default the processors that this program may run on.
            keep: whether what is compiled is kept for the next time.
            wide: code for variances of any size, about twice as dear; by default rows whose
                variances need it have it made.

        Raises:
            NoCompiler: target "c", and there is none.
            UnsupportedOp: a dual that no code can be made of; a mean.
            BadSpec: a parameter without a value; another target; threads that are no number.
        """
        if target is not None:
            target = read_target(target)
        network = net.network if isinstance(net, Recursion) else as_network(net)
        self._units: UnitGradient | None = None
        if has_units(network):
            self._units = UnitGradient(network, target=target, threads=threads)
            return
        net = net if isinstance(net, Recursion) else recurse(network)
        given = lower_gradient(net, wide=wide)
        self._most = given.most
        self._wide: NetworkGradient | None = None
        self._far: FarDoubles | None = None
        self._forms: tuple[Layer, ...] | None = None
        self._asked = net, target, threads, keep
        self._layers, self._wrt = given.layers, given.wrt
        self._input, self._input_values = given.input, given.input_values
        self._input_slopes = given.input_slopes
        self._close = given.close
        programs = {id(p): p for w in self._layers for p in (w.pair, w.side)}
        self._numeric = numeric(tuple(programs.values()))
        self._near: NearDoubles | None = None
        self._compiled: CGradient | None = None
        self._threads = read_threads(threads)
        if target != "numpy":
            try:
                self._compiled = CGradient(given.plan("network"), keep=keep)
            except NoCompiler:
                if target == "c":
                    raise

    @property
    def wrt(self) -> tuple[str, ...]:
        """What derivatives are taken in; of tables and mixtures those of the last call."""
        return self._wrt if self._units is None else self._units.wrt

    def __repr__(self) -> str:
        if self._units is not None:
            return repr(self._units)
        name = self._asked[0].network.name
        target = "numpy" if self._compiled is None else "c"
        return f"<NetworkGradient {name}: target={target}, threads={self._threads}>"

    def __call__(self, x: Any, y: Any = None) -> KernelGradients:
        """Kernels of the rows of x and y, and derivatives.

        Of rows whose variances, in any layer, are so large that closed forms of slopes lose digits
        in doubles, as measured at the first such rows (`gradients.sound`: hard tanh at standard
        deviations beyond about 1e2, and ELU), slopes are differences of values, right to
        about 1e-13 of the kernel over the variance (`gradients.far`).  Pairs of these that are
        nearly parallel (a sine below 0.02) in front of a layer or after one are done with many
        digits, at tens of milliseconds each and seconds for ELU; so are those of other activations
        where `gradients.parallel` finds that it is needed (waves beyond 1e2).  Of equal rows
        slopes are those of one point.  Slopes of erf beyond 1e75 are those of rows that are
        nearer (`gradients.nearer`); all NaN behind layers for which that is not known.

        Raises:
            BadData: not two-dimensional real arrays of one width.
        """
        a, b = self._rows(x, y)
        if self._units is not None:
            return self._units(x, y)
        levels = [self._levels(v) for v in ((a,) if y is None else (a, b))]
        if (found := self._nearer(a, None if y is None else b, levels)) is not None:
            return found
        none = with_nothing(a, b) & (self._first(a)[1] == 0.0)
        wide = self._most < np.inf and any((v > self._most).any() for v in levels)
        with np.errstate(all="ignore"):
            beyond = self._beyond(levels)
            source = self._wider() if wide else self
            table, near = source._planes(a, None if y is None else b)
            if beyond is None:
                masks = [(source._mended, near.astype(bool) & ~none)]
            else:
                lost, far = beyond
                for plane in table.values():
                    plane[lost] = np.nan
                unsure = source._unsure(levels, a, b) & ~far
                masks = [
                    (source._mended, near.astype(bool) & ~(far | unsure | lost | none)),
                    (self._differenced, far & ~(lost | none)),
                    (source._sure, unsure & ~(lost | none)),
                ]
            masks.append((source._from_nothing, none))
            for mend, mask in masks:
                rows, columns = np.nonzero(mask if y is not None else np.triu(mask))
                for at in range(0, len(rows), NEAR_PAIRS):
                    i, j = rows[at : at + NEAR_PAIRS], columns[at : at + NEAR_PAIRS]
                    for k, v in mend(a[i], b[j]).items():
                        table[k][i, j] = v
                        if y is None:
                            table[exchanged(k)][j, i] = v
        return named_planes(table, self.wrt)

    def _nearer(self, a: Array, b: Array | None, levels: Sequence[Array]) -> KernelGradients | None:
        """Everything from rows brought nearer, where some are so far that slopes are no doubles."""
        steepest = min((w.steepest for w in self._layers), default=np.inf)
        both = [factors(self._layers, v, steepest) for v in levels]
        if all(t is None for t in both):
            return None
        shifts = [np.ones_like(v) if t is None else t for v, t in zip(levels, both, strict=True)]
        given = (a,) if b is None else (a, b)
        rows = [v * t[:, None] for v, t in zip(given, shifts, strict=True)]
        if any((self._levels(v) > steepest).any() for v in rows):
            return None
        found = further(self(*rows), shifts[0], shifts[-1])
        other = a if b is None else b
        for i, j in collinear_pairs(a, other, shifts[0], shifts[-1]):
            give(found, (i, j), self.exact(a[i], other[j]))
        return found

    def _levels(self, rows: Array) -> Array:
        """The largest variance of each row in front of a layer, NaN as infinity; not finite: 0."""
        if all(w.kind == SCALED for w in self._layers):
            return np.zeros(len(rows))
        with np.errstate(all="ignore"):
            table = self._variances(rows)
            most = np.max(np.where(np.isnan(table), np.inf, table), axis=0)
            return np.where(np.isfinite(np.sum(rows * rows, axis=1)), most, 0.0)

    def _variances(self, rows: Array) -> Array:
        """Of each row in front of each layer and after the last."""
        g = np.sum(rows * rows, axis=1)
        return self._table(g, self._inputs(rows.shape[1]))[:: len(self.wrt) + 1]

    @cached_property
    def _usual(self) -> bool:
        """Whether slopes at variances up to the square of `USUAL` are right."""
        return usually_sound(self._layers)

    def _beyond(self, levels: Sequence[Array]) -> tuple[Mask, Mask] | None:
        """The pairs whose slopes are no doubles, and those that need differences."""
        most = max(float(np.max(v, initial=0.0)) for v in levels)
        if most <= PLAIN or (most <= USUAL**2 and self._usual):
            return None
        far = self._far_doubles()
        return larger(levels, far.steepest), larger(levels, far.sound)

    def _unsure(self, levels: Sequence[Array], a: Array, b: Array) -> Mask:
        """The nearly parallel pairs whose closed forms of slopes lose digits."""
        far = self._far_doubles()
        strained = [far.strain(self._variances(v)) for v in ((a, b) if len(levels) > 1 else (a,))]
        large = larger(levels, far.parallel) | larger(strained, 1.0)
        if not large.any():
            return large
        return large & nearly_parallel(a, b)

    def _far_doubles(self) -> FarDoubles:
        """What is measured of the layers where variances are large."""
        if self._far is None:
            _, target, _, keep = self._asked
            self._far = FarDoubles(self._layers, self._closed(), target, keep=keep)
        return self._far

    def _differenced(
        self, rows: Array, others: Array, close: float | None = None
    ) -> dict[str, Array]:
        """Everything of pairs of large variances: by differences, then with digits."""
        far, given = self._far_doubles(), paired(rows, others)
        found = self._forward(far, given, rows.shape[1], far.layers)
        return self._with_digits(found, rows, others, close)

    def _sure(self, rows: Array, others: Array) -> dict[str, Array]:
        """Everything of pairs for which `_unsure` is asked, with digits up to the same sine."""
        return self._differenced(rows, others, max(self._close, SINE))

    def _from_nothing(self, rows: Array, others: Array) -> dict[str, Array]:
        """Slopes of pairs with a row of zeros in front of a first layer without a bias."""
        run, given, d = Doubles(self._numeric), paired(rows, others), rows.shape[1]
        found = limits(self._forward(run, lengthened(given), d))
        tiny = raised(self._layers, self._input_values)
        return found | opened(limits(self._forward(run, given, d, *tiny)))

    def _wider(self) -> NetworkGradient:
        """The same for variances of any size."""
        if self._wide is None:
            net, target, threads, keep = self._asked
            self._wide = NetworkGradient(net, target, threads=threads, keep=keep, wide=True)
        return self._wide

    def _mended(self, rows: Array, others: Array) -> dict[str, Array]:
        """Everything of nearly parallel pairs: by integrals, and with digits where those end."""
        if self._near is None:
            programs = {id(p): p for w in self._layers for p in (w.pair, w.side, w.near) if p}
            self._near = NearDoubles(numeric(tuple(programs.values())))
        found = self._forward(self._near, paired(rows, others), rows.shape[1])
        return self._with_digits(found, rows, others)

    def _with_digits(
        self, found: Mapping[str, Any], rows: Array, others: Array, close: float | None = None
    ) -> dict[str, Array]:
        """What was found of pairs, with those that are too near by many digits."""
        table = {k: np.array(np.broadcast_to(v, len(rows))) for k, v in found.items()}
        least = table.pop("least")
        for n in np.nonzero(least < (close or self._close))[0]:
            for k, v in self.exact(rows[n], others[n]).items():
                if k in table:
                    table[k][n] = float(v)
        return table

    def input_gradient(self, x: Any, y: Any = None) -> tuple[Array, Array]:
        """The derivatives of (nngp, ntk) in the rows of x, arrays (n, m, d).

        At x = y, where a kinked activation has two one-sided derivatives, their mean.

        Raises:
            BadData: as for a call.
        """
        a, b = self._rows(x, y)
        found = self(a, b)
        return by_rows(found, a, b, self._first(a))

    def _first(self, rows: Array) -> tuple[float, float]:
        """Slope and offset of the first layer's variance in the squared norm."""
        if self._units is not None:
            return self._units.first(rows.shape[1])
        first = self._input.evaluate({"d": rows.shape[1], **self._input_values})
        return float(first["nngp_slope"]), float(first["nngp_offset"])

    def _rows(self, x: Any, y: Any) -> tuple[Array, Array]:
        a = real_array(x, "X", 2)
        b = a if y is None else real_array(y, "Y", 2)
        same_width(a, b)
        return a, b

    def _planes(self, a: Array, b: Array | None) -> tuple[dict[str, Array], Any]:
        """Everything by name, and the pairs that need more digits."""
        other = a if b is None else b
        if self._compiled is None:
            given = spans(a, other, self._numeric.rootdet)
            found = self._forward(Doubles(self._numeric), given, a.shape[1])
            shape = len(a), len(other)
            table = {k: np.array(np.broadcast_to(v, shape)) for k, v in found.items()}
            return table, table["least"] < self._close
        inputs = self._inputs(a.shape[1])
        squares = [np.sum(v * v, axis=1) for v in ((a,) if b is None else (a, b))]
        tables = [self._table(g, inputs) for g in squares]
        return self._compiled(
            (a, b), (squares[0], squares[-1]), (tables[0], tables[-1]), inputs, self._threads
        )

    def _inputs(self, d: int) -> Array:
        """Slope and offset of both kernels of the first layer, and their derivatives."""
        given = {"d": d, **self._input_values}
        rows = [self._input.evaluate(given)]
        rows += [
            self._input_slopes[n].evaluate(given) if n in self._input_slopes else {}
            for n in self.wrt[3:]
        ]
        return np.array([[float(r.get(k, 0)) for k in FIRST_LAYER] for r in rows]).ravel()

    def _table(self, g: Array, inputs: Array) -> Array:
        return own_levels(self._numeric, self._layers, self.wrt[3:], inputs, g)

    def exact(self, row: Array, other: Array) -> dict[str, Any]:
        """Everything of one pair, from the exact inner products, in enough digits (`exactly`).

        Raises:
            BadData: a row of zeros in front of a first layer without a bias: it has no angle.
        """
        demand_angle(row, other, self._first(row[None])[1])

        def at(ctx: Any) -> dict[str, Any]:
            given = exact_spans(ctx, row, other)
            return self._forward(Digits(ctx), given, len(row), self._closed())

        return checked(at, row, other)

    def _closed(self) -> tuple[Layer, ...]:
        """The layers as closed forms of any variance, for many digits."""
        if self._forms is None:
            self._forms = layers_of(self._asked[0], closed=True)
        return self._forms

    def _forward(
        self, run: Any, g: Spans, d: int, layers: tuple[Layer, ...] = (), numbers: Any = None
    ) -> dict[str, Any]:
        """Values and derivatives, in the arithmetic of `run`; `least`, a sine or infinity."""
        given = {"d": d, **(numbers or self._input_values)}
        raw = self._input.evaluate(given, run.context)
        a, b, own, offset = (
            run.number(raw[k]) for k in ("nngp_slope", "nngp_offset", "ntk_slope", "ntk_offset")
        )
        x, c, y = (a * v + b for v in (g.g11, g.g12, g.g22))
        tx, t, ty = (own * v + offset for v in (g.g11, g.g12, g.g22))
        side, gap = a * g.area, run.sqrt(a * b * g.apart)
        large = run.where(side > gap, side, gap)
        less = run.over(run.where(side > gap, gap, side), large, 0.0)
        root = large * run.sqrt(1 + less * less)
        diff = run.over(a * g.unlike, run.sqrt(x) + run.sqrt(y), 0.0)
        state = {"q11": x, "q12": c, "q22": y, "root": root, "diff": diff}
        state |= {"t11": tx, "t12": t, "t22": ty}
        rises = {k: p.evaluate(given, run.context) for k, p in self._input_slopes.items()}
        moves = first_moves(run, (a, b, own), state, g, {k: rises.get(k) for k in self.wrt[3:]})
        least: Any = np.inf
        layers = layers or self._layers
        for layer, turn in zip(layers, turning(layers), strict=True):
            same = collinear(layer, state)
            if isinstance(run, FarDoubles):
                least = np.minimum(least, np.where(run.equal(state), np.inf, run.sine(state)))
            if layer.kind == KINKED:
                known, close = same | run.mends(layer, state), self._close * entry(run, state)
                least = np.minimum(least, run.where(known, np.inf, close))
            state, moves = advance(run, layer, state, moves, turn)
            if isinstance(run, FarDoubles):
                least = np.where(run.unknown, 0.0, least)
            if turn and layer.kind != SCALED:
                sine = state["root"] / run.sqrt(state["q11"]) / run.sqrt(state["q22"])
                least = np.minimum(least, run.where(same | state["mended"], np.inf, sine))
        found = {"nngp": state["q12"], "ntk": state["t12"], "least": least}
        for name, move in moves.items():
            found[f"nngp/{name}"], found[f"ntk/{name}"] = move["q12"], move["t12"]
        for var, v in ((x, "q11"), (y, "q22")):
            for k in ("nngp", "ntk"):  # at fixed q12, from the one at fixed angle
                found[f"{k}/{v}"] = found[f"{k}/polar {v}"] * a - found[f"{k}/q12"] * (
                    c / (2 * var)
                )
        return found
