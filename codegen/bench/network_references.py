"""Both kernels of a network at rows of data, in ball arithmetic: the recursion and nothing else.

The rows are exact numbers; inner products are exact; every layer is the rule of `recurse` over
balls.  After a layer a ball gives way to its midpoint (radii that forget where they came from grow
ten times a layer), and the largest radius is kept: an error e of a covariance, relative to the
variances, is an angle of sqrt(2 e) at most, and angles grow by less than `MARGIN` times the bound
of the network.  The precision is raised until what is left of that is narrow.  None of it is shared
with generated code: not the angle that layers carry, not their scales, not their programs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np
from flint import acb, arb

from ntksym.collapse.straight import Straight
from ntksym.errors import BadActivation, Undecided
from ntksym.network.layers.input import DIMENSION
from ntksym.network.recursion import InputRule
from ntksym.numeric.arith import ball
from ntksym.precision import precision
from ntksym.symbols import q, q11, q12, q22, t12

BITS = (240, 400, 800, 3200)
NARROW = 2.0**-70
MARGIN = 2.0**20
"""What angles may grow through the layers beyond the bound of `lower.growth`, which is one of rows
of mean square one."""
UNKNOWN = 2.0**40
"""The bound where none is worked out."""
MOST, LEAST = 1e290, 1e-290
"""Variances outside have no accurate double, in any layer."""


@dataclass(frozen=True, slots=True)
class Kernels:
    """Both kernels of two rows after some layers, and those of each row with itself."""

    nngp: Any
    ntk: Any
    own_nngp: tuple[Any, Any]
    own_ntk: tuple[Any, Any]

    @property
    def radius(self) -> Any:
        """The largest, relative to the sizes; infinite where one is not known."""
        pairs = zip((self.nngp, self.ntk), self.sizes, strict=True)
        own = [(v, v) for v in (*self.own_nngp, *self.own_ntk)]
        found = [v.rad() / abs(of) for v, of in (*pairs, *own) if v != 0 or v.rad() > 0]
        return reduce(arb.max, found, arb(0)) if all(v.is_finite() for v in found) else arb("inf")

    @property
    def sizes(self) -> tuple[Any, Any]:
        """sqrt of the products of the diagonals."""
        a, b = ((o[0] * o[1]).sqrt() for o in (self.own_nngp, self.own_ntk))
        return a, b


class Chain:
    """The layers of a recursion as programs over balls."""

    bits: tuple[int, ...] = BITS

    def __init__(self, made: Any, growth: float = UNKNOWN) -> None:
        self.made, self.growth = made, MARGIN * max(1.0, growth)
        self._programs: dict[int, Any] = {}

    def _at(self, bits: int) -> Any:
        """The programs of the input and of the distinct layers, their constants at `bits`."""
        if bits not in self._programs:
            self._programs[bits] = self._made()
        return self._programs[bits]

    def _made(self) -> Any:
        rules: dict[Any, Any] = {}
        for rule in self.made.layers:
            if rule not in rules:
                put = dict(rule.values)
                pair = [e.subs(put) for e in (rule.nngp, rule.ntk)]
                own = [e.subs(put) for e in (rule.nngp_diag, rule.ntk_diag)]
                rules[rule] = Straight(pair, (q11, q12, q22, t12)), Straight(own, (q, t12))
        return inputs(self.made.input_rule), [rules[rule] for rule in self.made.layers]

    def fill(
        self,
        out: dict[int, Kernels],
        x: Sequence[Any],
        y: Sequence[Any],
        depths: Sequence[int],
    ) -> None:
        """Put the kernels into `out` by depth; what is there when this is interrupted holds.

        One is missing where a layer's variance has no double, or no ball is narrow.
        """
        for bits in self.bits:
            with precision(bits):
                try:
                    for depth, found, error in self._run(x, y, depths, bits):
                        if (2 * error).sqrt() * self.growth < NARROW:
                            out[depth] = found
                except (Undecided, BadActivation):  # the second: a correlation beyond one
                    continue
                except _Beyond as beyond:
                    if len(out) == sum(d < beyond.layer for d in depths):
                        break
                    continue
            if len(out) == len(depths):
                break

    def _run(self, x: Sequence[Any], y: Sequence[Any], depths: Sequence[int], bits: int) -> Any:
        start, layers = self._at(bits)
        inner = [_inner(a, b) for a, b in ((x, x), (x, y), (y, y))]
        same = inner[0] == inner[1] == inner[2]
        width = acb(len(x))
        given = [acb(ball(v)) for v in inner]
        (k, t) = start(*given, width)
        sides = [start(v, v, v, width) for v in (given[0], given[2])]
        error = arb(0)
        for index in range(len(layers) + 1):
            for value, _ in sides:
                if value != 0 and not arb(LEAST) < abs(value).real < arb(MOST):
                    raise _Beyond(index)
            if same:
                k, t = sides[0]
            found = Kernels(
                k.real, t.real,
                (sides[0][0].real, sides[1][0].real), (sides[0][1].real, sides[1][1].real),
            )  # fmt: skip
            error = error.max(found.radius)
            k, t = _middle(k), _middle(t)
            sides = [tuple(_middle(v) for v in side) for side in sides]
            if index in depths:
                yield index, found, error
            if index == max(depths):
                return
            pair, own = layers[index]
            if not same:
                k, t = pair(sides[0][0], k, sides[1][0], t)
            sides = [own(*side) for side in sides]


def inputs(rule: InputRule) -> Straight:
    """The first layer as a program of the inner products and the dimension."""
    put = dict(rule.values)
    return Straight([e.subs(put) for e in (rule.nngp, rule.ntk)], (q11, q12, q22, DIMENSION))


class _Beyond(Exception):
    """A variance after this layer is no double."""

    def __init__(self, layer: int) -> None:
        super().__init__(f"layer {layer}")
        self.layer = layer


def _middle(value: Any) -> Any:
    return acb(value.real.mid())


def _inner(x: Sequence[Any], y: Sequence[Any]) -> Fraction:
    pairs = zip(_exact(x), _exact(y), strict=True)
    return sum((a * b for a, b in pairs), Fraction(0))


def _exact(row: Sequence[Any]) -> Iterator[Fraction]:
    return (v if isinstance(v, Fraction) else Fraction(float(v)) for v in row)


def rounded(
    x: Sequence[float], y: Sequence[float], unit: float, seed: int
) -> tuple[list[Fraction], list[Fraction]]:
    """The rows with every number off by half a unit in the last place, up or down.

    Numbers of equal size go the same way: what rounding makes of equal or opposite rows is equal
    or opposite.
    """
    rng = np.random.default_rng(seed)
    ways: dict[Fraction, Fraction] = {}
    out: list[list[Fraction]] = []
    for row in (x, y):
        out.append([])
        for value in _exact(row):
            if abs(value) not in ways:
                ways[abs(value)] = 1 + int(rng.choice((-1, 1))) * Fraction(unit) / 2
            out[-1].append(value * ways[abs(value)])
    return out[0], out[1]
