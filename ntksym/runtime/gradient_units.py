r"""`UnitGradient`: the kernels of a network of tables, series and mixtures, and their derivatives.

Forward mode in the covariance: $dK = K_{11}dq_{11} + \dot K\,dq_{12} + K_{22}dq_{22}$, and the same
for $\dot K$, whose derivative in q12 is E[s''(u) s''(v)].  $\dot K$ itself has the proven bound of
its method; the other derivatives differentiate polynomials or sums, and have none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..backends.numpy_units import units_file
from ..lower.kernel import lower_input
from ..lower.schedule import number
from ..network import Network, recurse
from ..network.affine import UnknownDual
from .array_plan import array_plan
from .checks import Array, real_array, same_width
from .engines import load_module
from .gradient import ENTRIES, KernelGradients
from .gradient_layers import SHARED, dense_program
from .gradient_steps import Numeric
from .ranged import outward, spread
from .unit_layers import AUTO, Range, Wanted, first_affine, needs_range

WIDER = 2.0**0.25
"""Ranges are this much wider than the data at both ends: derivatives need room."""
COORDINATES = ("q11", "q12", "q22", "t11", "t12", "t22")


class UnitGradient:
    """The kernels of a network of units and their derivatives: `g(X, Y)` is a `KernelGradients`.

    Derivatives are in q11, q12, q22, weight_var and bias_var; parameters of an activation are
    numbers in its table.  Tables are built for the variances of the data, at the first call.

    Attributes:
        notes: what is proven of the last call's units, line by line.
    """

    def __init__(self, network: Network, wanted: Wanted = AUTO) -> None:
        """Lower the layers' rules.

        Raises:
            BadSpec: a parameter without a value.
        """
        self._network, self._wanted = network, wanted
        blocks = tuple((replace(n, dual=UnknownDual()), dense) for n, dense in network.blocks)
        unknown = recurse(replace(network, blocks=blocks))
        self._rules = tuple(dense_program(layer.nngp, layer.ntk) for layer in unknown.layers)
        self._values = tuple(
            {str(s.name): number(v) for s, v in layer.values} for layer in unknown.layers
        )
        first = unknown.input_rule
        free = {s.name: s for e in (first.nngp, first.ntk) for s in e.free_symbols}
        names = tuple(sorted(set(free) - {"q11", "q12", "q22", "d"}))
        own = unknown.convention.input_weight_var is not None
        shared = [n for n in names if n in SHARED and not (own and n == "weight_var")]
        self._input = lower_input(first.nngp, first.ntk, names)
        self._input_values = {str(s.name): number(v) for s, v in first.values}
        self._slopes = {
            n: lower_input(first.nngp.diff(free[n]), first.ntk.diff(free[n]), names) for n in shared
        }
        self._numeric = Numeric(tuple({id(p): p for p in self._rules}.values()))
        self._made: dict[Range | None, tuple[Any, tuple[int, ...]]] = {}
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
        g11, g22 = np.sum(a * a, axis=1)[:, None], np.sum(b * b, axis=1)[None, :]
        g12 = a @ b.T
        if y is None:
            g12 = (g12 + g12.T) / 2
            np.fill_diagonal(g12, g11[:, 0])
        with np.errstate(all="ignore"):
            return self._forward((g11, g12, g22), a.shape[1])

    def _units(self, variances: Array, d: int) -> Any:
        span = None
        if needs_range(self._network, self._wanted):
            slope, offset = first_affine(self._network, d)
            low, high = spread(slope * variances + offset, "X", zero=True) or (1.0, 1.0)
            span = outward(low / WIDER, high * WIDER)
        if span not in self._made:
            plan = array_plan(self._network, self._wanted, span)
            module = load_module(units_file(plan.kinds), keep=False)
            self.notes = tuple(line for kind in plan.kinds for line in kind.notes)
            self._made[span] = module, tuple(s.kind for s in plan.steps)
        return self._made[span]

    def _forward(self, inner: tuple[Array, ...], d: int) -> KernelGradients:
        variances = np.concatenate([inner[0].ravel(), inner[2].ravel()])
        module, kinds = self._units(variances, d)
        given = {"d": d, **self._input_values}
        raw = self._input.evaluate(given)
        a, b, own, offset = (
            float(raw[k]) for k in ("nngp_slope", "nngp_offset", "ntk_slope", "ntk_offset")
        )
        x, c, y = (a * g + b for g in inner)
        tx, t, ty = (own * g + offset for g in inner)
        root = module._rootdet(*np.broadcast_arrays(x, c, y))
        first = x, c, y, root
        moves: dict[str, dict[str, Any]] = {
            name: dict.fromkeys(COORDINATES, 0.0) for name in self.wrt
        }
        for k in ("11", "12", "22"):
            moves[f"q{k}"] |= {f"q{k}": a, f"t{k}": own}
        for name, program in self._slopes.items():
            s = {k: float(v) for k, v in program.evaluate(given).items()}
            for k, g in zip(("11", "12", "22"), inner, strict=True):
                moves[name][f"q{k}"] = s["nngp_slope"] * g + s["nngp_offset"]
                moves[name][f"t{k}"] = s["ntk_slope"] * g + s["ntk_offset"]
        for kind, rule, values in zip(kinds, self._rules, self._values, strict=True):
            pair, own_x, own_y = self._duals(module, kind, (x, c, y, root))
            sides = []
            for (value, dot, _, _), at in ((pair, t), (own_x, tx), (own_y, ty)):
                sides.append(self._numeric(rule, {**values, "K": value, "Kdot": dot, "t12": at}))
            moves = {
                name: _moved(name, move, (pair, own_x, own_y), sides)
                for name, move in moves.items()
            }
            same = (root == 0.0) & (x == y) & (c > 0.0)
            o, ox, oy = sides
            x, y, tx, t, ty = ox["nngp"], oy["nngp"], ox["ntk"], o["ntk"], oy["ntk"]
            c = np.where(same, x, o["nngp"])
            root = np.where(same, 0.0, module._rootdet(*np.broadcast_arrays(x, c, y)))
        return self._sorted(c, t, moves, first, a)

    def _duals(self, module: Any, kind: int, at: tuple[Array, ...]) -> Any:
        """(value, dot, derivatives of value, of dot) of the pair and of both diagonals."""
        pair = (
            *getattr(module, f"dual{kind}_value")(*at),
            *(p[:3] for p in getattr(module, f"dual{kind}_partials")(*at)),
        )
        sides = []
        for q in (at[0], at[2]):
            values = getattr(module, f"dual{kind}_diag_value")(q)
            sides.append((*values, *getattr(module, f"dual{kind}_diag_partials")(q)))
        return pair, sides[0], sides[1]

    def _sorted(
        self, c: Array, t: Array, moves: Any, first: tuple[Array, ...], a: float
    ) -> KernelGradients:
        x, start, y, root = first
        shape = c.shape
        d_nngp, d_ntk = (
            {v: np.array(np.broadcast_to(moves[v][k], shape)) for v in self.wrt}
            for k in ("q12", "t12")
        )
        polar = []
        for table in (d_nngp, d_ntk):
            turn = table["q12"] / a
            polar.append(
                {
                    "q11": table["q11"] / a + turn * start / (2 * x),
                    "angle": -root * turn,
                    "q22": table["q22"] / a + turn * start / (2 * y),
                }
            )
        return KernelGradients(c, np.broadcast_to(t, shape), d_nngp, d_ntk, polar[0], polar[1])


def _moved(name: str, move: dict[str, Any], duals: Any, sides: Any) -> dict[str, Any]:
    """One direction after a layer."""
    made: dict[str, Any] = {}
    spans = (("q11", "q12", "q22"), ("q11",), ("q22",))
    for label, along, found, rule in zip(("12", "11", "22"), spans, duals, sides, strict=True):
        _, _, of_value, of_dot = found
        value = sum(p * move[k] for p, k in zip(of_value, along, strict=True))
        dot = sum(p * move[k] for p, k in zip(of_dot, along, strict=True))
        shared = name in SHARED
        made[f"q{label}"] = rule["nngp_K"] * value
        made[f"t{label}"] = (
            rule["ntk_K"] * value + rule["ntk_Kdot"] * dot + rule["ntk_t12"] * move[f"t{label}"]
        )
        if shared:
            made[f"q{label}"] = made[f"q{label}"] + rule[f"nngp_{name}"]
            made[f"t{label}"] = made[f"t{label}"] + rule[f"ntk_{name}"]
    return made
