"""Both kernels of a network at rows of data, in ball arithmetic: the recursion and nothing else.

The rows are exact numbers; inner products are exact; every layer is the rule of `recurse` over
balls, at a precision that is raised until the kernels are narrow.  None of it is shared with
generated code: not the angle that layers carry, not their scales, not their programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import acb, arb

from ntksym.collapse.straight import Straight
from ntksym.errors import Undecided
from ntksym.network import Recursion
from ntksym.network.layers.input import DIMENSION
from ntksym.numeric.arith import ball, working
from ntksym.symbols import q, q11, q12, q22, t12

BITS = (400, 1600, 6400)
NARROW = 2.0**-70
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
    def balls(self) -> tuple[Any, ...]:
        """All of them."""
        return self.nngp, self.ntk, *self.own_nngp, *self.own_ntk

    @property
    def sizes(self) -> tuple[Any, Any]:
        """sqrt of the products of the diagonals."""
        a, b = ((o[0] * o[1]).sqrt() for o in (self.own_nngp, self.own_ntk))
        return a, b


class Chain:
    """The layers of a recursion as programs over balls."""

    def __init__(self, made: Recursion) -> None:
        self.made = made
        self._programs: dict[int, Any] = {}

    def _at(self, bits: int) -> Any:
        """The programs of the input and of the distinct layers, their constants at `bits`."""
        if bits not in self._programs:
            first = self.made.input_rule
            put = dict(first.values)
            start = Straight(
                [e.subs(put) for e in (first.nngp, first.ntk)], (q11, q12, q22, DIMENSION)
            )
            rules: dict[Any, Any] = {}
            for rule in self.made.layers:
                if rule not in rules:
                    put = dict(rule.values)
                    pair = [e.subs(put) for e in (rule.nngp, rule.ntk)]
                    own = [e.subs(put) for e in (rule.nngp_diag, rule.ntk_diag)]
                    rules[rule] = (
                        Straight(pair, (q11, q12, q22, t12)),
                        Straight(own, (q, t12)),
                    )
            self._programs[bits] = start, [rules[rule] for rule in self.made.layers]
        return self._programs[bits]

    def fill(
        self,
        out: dict[int, Kernels],
        x: Sequence[float],
        y: Sequence[float],
        depths: Sequence[int],
    ) -> None:
        """Put the kernels into `out` by depth; what is there when this is interrupted holds.

        One is missing where a layer's variance has no double, or no ball is narrow.
        """
        for bits in BITS:
            with working(bits):
                try:
                    for depth, found in self._run(x, y, depths, bits):
                        if all(v.is_finite() for v in found.balls) and all(
                            wide.rad() <= arb(NARROW) * size
                            for wide, size in zip(found.balls[:2], found.sizes, strict=True)
                        ):
                            out[depth] = found
                except Undecided:
                    continue
                except _Beyond as beyond:
                    if len(out) == sum(d < beyond.layer for d in depths):
                        break
                    continue
            if len(out) == len(depths):
                break

    def _run(self, x: Sequence[float], y: Sequence[float], depths: Sequence[int], bits: int) -> Any:
        start, layers = self._at(bits)
        inner = [_inner(a, b) for a, b in ((x, x), (x, y), (y, y))]
        same = inner[0] == inner[1] == inner[2]
        width = acb(len(x))
        given = [acb(ball(v)) for v in inner]
        (k, t) = start(*given, width)
        sides = [start(v, v, v, width) for v in (given[0], given[2])]
        for index in range(len(layers) + 1):
            for value, _ in sides:
                if value != 0 and not arb(LEAST) < abs(value).real < arb(MOST):
                    raise _Beyond(index)
            if index in depths:
                if same:
                    k, t = sides[0]
                yield index, Kernels(
                    k.real, t.real,
                    (sides[0][0].real, sides[1][0].real), (sides[0][1].real, sides[1][1].real),
                )  # fmt: skip
            if index == max(depths):
                return
            pair, own = layers[index]
            if not same:
                k, t = (_real(v) for v in pair(sides[0][0], k, sides[1][0], t))
            sides = [tuple(_real(v) for v in own(*side)) for side in sides]


class _Beyond(Exception):
    """A variance after this layer is no double."""

    def __init__(self, layer: int) -> None:
        super().__init__(f"layer {layer}")
        self.layer = layer


def _real(value: Any) -> Any:
    return acb(value.real)


def _inner(x: Sequence[float], y: Sequence[float]) -> Fraction:
    pairs = zip(x, y, strict=True)
    return sum((Fraction(float(a)) * Fraction(float(b)) for a, b in pairs), Fraction(0))
