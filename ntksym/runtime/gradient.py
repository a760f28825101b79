r"""`NetworkGradient`: a network's kernels and their derivatives, layer by layer, forward mode.

Each layer takes directions in the coordinates $(q_{11}, q_{22}, \theta)$, where nothing is infinite
at $\rho = \pm 1$; the direction $q_{12}$ alone needs $E[s''(u)s''(v)]$, which is infinite there for
a kinked activation, and truly so.  Away from equal rows the arithmetic is NumPy's; pairs of nearly
collinear rows, where the angle of the next layer is a quotient of small differences, are done with
50 digits from the exact data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..lower.kernel import lower_input
from ..lower.schedule import number
from ..network import Network, Recursion, recurse
from .checks import Array, real_array, same_width
from .gradient_steps import SHARED, Digits, Doubles, Move, Numeric, advance, layers_of, turned

CLOSE = 0.05
"""Below this sine of an angle, in any layer, a pair is done with many digits."""
ENTRIES = ("q11", "q12", "q22")
POLAR = ("q11", "angle", "q22")


@dataclass(frozen=True, slots=True)
class KernelGradients:
    r"""Kernels and derivatives, arrays (n, m).

    Attributes:
        nngp: $\Sigma$.
        ntk: $\Theta$.
        d_nngp: derivatives of Sigma: "q11", "q12", "q22" are $|x|^2$, $x \cdot y$, $|y|^2$ (with
            the other two fixed), then "weight_var", "bias_var" (all layers at once) and the
            parameters of the activations by name.
        d_ntk: the same of Theta.
        polar_nngp: derivatives in the first layer's variances and angle: "q11", "angle", "q22".
        polar_ntk: the same of Theta; finite at equal rows (the limit of small angles).
    """

    nngp: Array
    ntk: Array
    d_nngp: dict[str, Array]
    d_ntk: dict[str, Array]
    polar_nngp: dict[str, Array]
    polar_ntk: dict[str, Array]


class NetworkGradient:
    """The kernels of a network and their derivatives: `g(X, Y)` is a `KernelGradients`."""

    def __init__(self, net: Network | Recursion) -> None:
        """Derive and generate.

        Raises:
            NoClosedForm: an activation has no closed form.
            UnsupportedOp: a dual that is not a closed form; a mean.
            BadSpec: a parameter without a value.
        """
        recursion = net if isinstance(net, Recursion) else recurse(net)
        self._layers = layers_of(recursion)
        first = recursion.input_rule
        free = {s.name for e in (first.nngp, first.ntk) for s in e.free_symbols}
        names = tuple(sorted(free - {"q11", "q12", "q22", "d"}))
        self._input = lower_input(first.nngp, first.ntk, names)
        self._input_values = {str(s.name): number(v) for s, v in first.values}
        own = recursion.convention.input_weight_var is not None
        shared = tuple(n for n in names if n in SHARED and not (own and n == "weight_var"))
        self._input_slopes = {
            n: lower_input(first.nngp.diff(s), first.ntk.diff(s), names)
            for n in shared
            for s in first.nngp.free_symbols | first.ntk.free_symbols
            if s.name == n
        }
        params = sorted({p for layer in self._layers for p in layer.params})
        self.wrt = (*ENTRIES, *SHARED, *params)
        programs = {id(p): p for w in self._layers for p in (w.pair, w.diag, w.rule, w.step)}
        self._numeric = Numeric(tuple(programs.values()))

    def __call__(self, x: Any, y: Any = None) -> KernelGradients:
        """Kernels of the rows of x and y, and derivatives.

        Raises:
            BadData: not two-dimensional real arrays of one width.
        """
        a, b = self._rows(x, y)
        g11, g22 = np.sum(a * a, axis=1)[:, None], np.sum(b * b, axis=1)[None, :]
        g12 = a @ b.T
        equal = (g11 == g22) & (np.abs(g12 - g11) <= 1e-9 * g11)
        for i, j in zip(*np.nonzero(equal), strict=True):
            equal[i, j] = np.array_equal(a[i], b[j])
        g12 = np.where(equal, g11, g12)
        with np.errstate(all="ignore"):
            found = self._forward(Doubles(self._numeric), (g11, g12, g22), None, a.shape[1])
        table = {k: np.array(np.broadcast_to(v, g12.shape)) for k, v in found.items()}
        near = (table["least"] < CLOSE) & ~equal & (g11 > 0.0) & (g22 > 0.0)
        for i, j in zip(*np.nonzero(near), strict=True):
            for k, v in self._exact(a[i], b[j]).items():
                table[k][i, j] = float(v)
        return self._sorted(table)

    def input_gradient(self, x: Any, y: Any = None) -> tuple[Array, Array]:
        """The derivatives of (nngp, ntk) in the rows of x, arrays (n, m, d).

        At x = y, where a kinked activation has two one-sided derivatives, their mean.

        Raises:
            BadData: as for a call.
        """
        a, b = self._rows(x, y)
        found = self(a, b)
        first = self._input.evaluate({"d": a.shape[1], **self._input_values})
        slope, offset = float(first["nngp_slope"]), float(first["nngp_offset"])
        gap = a[:, None, :] - b[None, :, :]
        norm, other = np.sum(a * a, axis=1)[:, None], np.sum(b * b, axis=1)[None, :]
        along = -np.sum(gap * a[:, None, :], axis=2)
        inner = norm + along
        rest = np.maximum(norm * np.sum(gap * gap, axis=2) - along * along, 0.0)
        apart = np.sum(gap * gap, axis=2)
        far = apart > np.minimum(norm, other)
        direct = norm * other - (a @ b.T) ** 2
        rest = np.where(far, np.maximum(direct, 0.0), rest)
        root = np.sqrt(slope * slope * rest + slope * offset * apart)
        q11, q12 = slope * norm + offset, slope * inner + offset
        turn = q12[..., None] * gap + slope * along[..., None] * b[None, :, :]
        none = root == 0.0
        scale = slope / (np.where(none, 1.0, root) * np.where(q11 > 0.0, q11, 1.0))
        angle = np.where(none, 0.0, scale)[..., None] * turn
        outward = 2.0 * slope * a[:, None, :]
        values = []
        for polar in (found.polar_nngp, found.polar_ntk):
            values.append(polar["q11"][..., None] * outward + polar["angle"][..., None] * angle)
        return values[0], values[1]

    def _rows(self, x: Any, y: Any) -> tuple[Array, Array]:
        a = real_array(x, "X", 2)
        b = a if y is None else real_array(y, "Y", 2)
        same_width(a, b)
        return a, b

    def _sorted(self, table: Mapping[str, Array]) -> KernelGradients:
        return KernelGradients(
            table["nngp"],
            table["ntk"],
            {v: table[f"nngp/{v}"] for v in self.wrt},
            {v: table[f"ntk/{v}"] for v in self.wrt},
            {v: table[f"nngp/polar {v}"] for v in POLAR},
            {v: table[f"ntk/polar {v}"] for v in POLAR},
        )

    def _exact(self, row: Array, other: Array) -> dict[str, Any]:
        """One pair, from the exact inner products, in 90 digits."""
        from mpmath import MPContext

        ctx = MPContext()
        ctx.dps = 90
        inner = (_inner(row, row), _inner(row, other), _inner(other, other))
        det = inner[0] * inner[2] - inner[1] ** 2
        apart = inner[0] - 2 * inner[1] + inner[2]
        numbers = [ctx.mpf(g.numerator) / g.denominator for g in (*inner, det, apart)]
        return self._forward(Digits(ctx), tuple(numbers[:3]), tuple(numbers[3:]), len(row))

    def _forward(self, run: Any, inner: tuple[Any, ...], wide: Any, d: int) -> dict[str, Any]:
        """Values and derivatives, in the arithmetic of `run`."""
        raw = self._input.evaluate({"d": d, **self._input_values}, run.context)
        a, b, own, offset = (
            run.number(raw[k]) for k in ("nngp_slope", "nngp_offset", "ntk_slope", "ntk_offset")
        )
        x, c, y = (a * g + b for g in inner)
        tx, t, ty = (own * g + offset for g in inner)
        det = None if wide is None else a * a * wide[0] + a * b * wide[1]
        root = run.first_root(x, c, y, det)
        state = {"q11": x, "q12": c, "q22": y, "root": root, "t11": tx, "t12": t, "t22": ty}
        moves = self._start(run, (a, own), state, inner, d)
        least = run.sqrt(root * root / (x * y))
        for layer in self._layers:
            state, moves = advance(run, layer, state, moves)
            sine = run.sqrt(state["root"] ** 2 / (state["q11"] * state["q22"]))
            least = np.minimum(least, sine)
        found = {"nngp": state["q12"], "ntk": state["t12"], "least": least}
        for name, move in moves.items():
            found[f"nngp/{name}"], found[f"ntk/{name}"] = move["q12"], move["t12"]
        for var, v in ((x, "q11"), (y, "q22")):
            for k in ("nngp", "ntk"):  # at fixed q12, from the one at fixed angle
                found[f"{k}/{v}"] = found[f"{k}/polar {v}"] * a - found[f"{k}/q12"] * c / (2 * var)
        return found

    def _start(
        self, run: Any, slopes: tuple[Any, Any], state: Mapping[str, Any], inner: Any, d: int
    ) -> dict[str, Move]:
        """The directions after the first layer."""
        a, own = slopes
        x, c, y, root = (state[k] for k in ("q11", "q12", "q22", "root"))
        ratio = own / a
        one = run.number(1)
        level, other = c / (2 * x), c / (2 * y)
        moves = {
            "polar q11": _move(q11=one, q12=level, t11=ratio, t12=ratio * level),
            "polar q22": _move(q22=one, q12=other, t22=ratio, t12=ratio * other),
            "polar angle": _move(angle=one, q12=-root, t12=-ratio * root),
            "q12": _move(q12=a, t12=own),
        }
        for name in self.wrt[3:]:
            move = _move()
            if name in self._input_slopes:
                given = {"d": d, **self._input_values}
                raw = self._input_slopes[name].evaluate(given, run.context)
                s = {k: run.number(v) for k, v in raw.items()}
                for k, g in zip(("11", "12", "22"), inner, strict=True):
                    move["q" + k] = s["nngp_slope"] * g + s["nngp_offset"]
                    move["t" + k] = s["ntk_slope"] * g + s["ntk_offset"]
                move["angle"] = turned(run, move, state)
            moves[name] = move
        return moves


def _move(**parts: Any) -> Move:
    """A direction; what is not named is 0."""
    names = ("q11", "q12", "q22", "angle", "t11", "t12", "t22")
    return {k: parts.get(k, 0.0) for k in names}


def _inner(u: Array, v: Array) -> Fraction:
    """The exact inner product of doubles."""
    parts = (Fraction(float(s)) * Fraction(float(t)) for s, t in zip(u, v, strict=True))
    return sum(parts, Fraction(0))
