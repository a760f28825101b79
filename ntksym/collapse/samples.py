"""Values of the kernels of a network, in balls, where a proof asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, exp, log, log2
from typing import Any, Protocol

import numpy as np
from flint import arb
from numpy.typing import NDArray

from ..errors import Undecided
from ..precision import precision
from .pieces import Interval, intervals

Array = NDArray[np.float64]
Progress = Callable[[str], None]
Pair = tuple[tuple[Any, ...], tuple[Any, ...]]
Places = Callable[[], tuple[Any, ...]]
"""Values of zeta as balls, at the working precision of the call."""
Source = Callable[[Sequence[tuple[Places, float]], int], list[Pair]]
"""Per batch (places, nats) both kernels over their values at 1, at zetas >= -nats of a sign."""


class Run(Protocol):
    """Both kernels at balls, as `Evaluator`."""

    ends: tuple[Any, Any]
    bounds: tuple[Any, Any]

    def __call__(self, gap: Any, sign: int, *, absolute: bool = False) -> tuple[Any, Any]:
        """At rho = sign*(1 - gap)."""


class Kernels(Protocol):
    """Two power series and how to evaluate them, as `AngularNetwork`."""

    @property
    def layers(self) -> tuple[Any, ...]:
        """The layers, of which only the number matters."""

    def evaluator(self) -> Run:
        """The series in balls, at the working precision of this call."""


ACCURATE, SPARE = 80, 24
"""Bits of a sample, and more at the working precision than a first one takes."""


@dataclass(frozen=True, slots=True)
class Samples:
    """The kernels, over their values at 1, at the nodes of the intervals of one side.

    Attributes:
        sign: of rho.
        parts: the intervals.
        balls: per interval and kernel, the values as `arb`.
        values: the same in double.
        last: per kernel, a bound of |F(end) - F(rho)| beyond the last interval.
        end: per kernel, F at rho = sign.
    """

    sign: int
    parts: tuple[Interval, ...]
    balls: tuple[tuple[tuple[Any, ...], tuple[Any, ...]], ...]
    values: tuple[Array, ...]
    last: tuple[Any, Any]
    end: tuple[Any, Any]

    def at(self, s: Array, which: int) -> Array:
        """F at s by barycentric interpolation of the samples."""
        zeta = np.log(np.maximum(2 * s * s, exp(self.parts[-1].low)))
        out = np.full(s.shape, float(self.end[which].mid()))
        for part, values in zip(self.parts, self.values, strict=True):
            here = (zeta <= part.high) & (zeta >= part.low)
            if here.any():
                out[here] = _barycentric(part, values[which], zeta[here])
        return out


def _barycentric(part: Interval, values: Array, at: Array) -> Array:
    """By the angles of the points, whose differences have all their digits near the ends too."""
    n = part.points
    nodes = (np.arange(n) + 0.5) * np.pi / n
    unit = (2 * at - part.high - part.low) / (part.high - part.low)
    angle = np.arccos(np.clip(unit, -1.0, 1.0))[:, None]
    weights = (-1.0) ** np.arange(n) * np.sin(nodes)
    gap = np.sin((nodes + angle) / 2) * np.sin((nodes - angle) / 2)
    hit = gap == 0
    gap[hit] = 1.0
    share = weights / gap
    found: Array = (share @ values) / share.sum(axis=1)
    rows, columns = np.nonzero(hit)
    found[rows] = values[columns]
    return found


def sizes(e: Run) -> tuple[Any, Any]:
    """Bounds of both kernels on the disc, over the values at 1."""
    return e.bounds[0] / e.ends[0], e.bounds[1] / e.ends[1]


def in_balls(found: Kernels, report: Progress) -> Source:
    """Values by the closed forms of all layers, to 25 digits."""

    def source(batches: Sequence[tuple[Places, float]], sign: int) -> list[Pair]:
        made = []
        for i, (places, nats) in enumerate(batches):
            report(f"rho {'>' if sign > 0 else '<'} 0: interval {i + 1} of {len(batches)}")
            made.append(values_at(found, places, sign, nats, len(found.layers)))
        return made

    return source


@dataclass(frozen=True, slots=True)
class Edge:
    """Where samples end, on both sides.

    Attributes:
        least: zeta there.
        change: per kernel, a bound of |F(end) - F(rho)| from there on.
    """

    least: float
    change: tuple[Any, Any]


def edge(found: Kernels, error: float, most: tuple[Any, Any]) -> Edge:
    """Where the kernels change by less than the error, `most` as of `sizes`.

    A power r^k changes at -1 by as much as at 1, so with the absolute values of the coefficients
    the change at 1 bounds both.
    """
    depth = len(found.layers)
    least = 2 * log(error / (4 * max(1, depth))) - 3  # there s*depth is below error
    at = values_at(found, lambda: (arb(least),), 1, -least, depth, absolute=True)
    with precision(64):
        k, t = (b - e[0] for b, e in zip(most, at, strict=True))
    return Edge(least, (k, t))


def sample(found: Kernels, sign: int, error: float, source: Source, last: Edge) -> Samples:
    """What `prove` and a fit need on one side; the values come from `source`."""
    digits = -np.log10(error) + 2.5
    least = last.least
    parts = intervals(least, float(digits))
    depth = len(found.layers)
    balls = source([(part.nodes, -part.low) for part in parts], sign)
    end: tuple[Any, ...] = (arb(1), arb(1))
    if sign < 0:  # forms of several kinks have no value at -1: one close to it, and the change
        near = values_at(found, lambda: (arb(2 * least),), sign, -2 * least, depth)
        with precision(64):
            end = tuple(n[0] + arb(0, c.upper()) for n, c in zip(near, last.change, strict=True))
    numbers = tuple(np.array([[float(v.mid()) for v in k] for k in pair]) for pair in balls)
    return Samples(sign, parts, tuple(balls), numbers, last.change, (end[0], end[1]))


def values_at(
    found: Kernels,
    zetas: Places,
    sign: int,
    nats: float,
    depth: int,
    *,
    absolute: bool = False,
) -> Pair:
    """Both kernels over their values at 1, to 25 digits, with as many bits as that takes.

    `absolute` as of `Evaluator`.
    """
    bits, tried, least = 128 + int(2.9 * max(0.0, nats)) + 3 * depth, False, 64
    while bits < 1 << 16:
        with precision(bits):
            run = found.evaluator()
            places = zetas() if tried else zetas()[-1:]  # the one that costs the most bits
            out: list[list[Any]] = [[], []]
            for zeta in places:
                pair = run(zeta.exp(), sign, absolute=absolute)
                for place, value, end in zip(out, pair, run.ends, strict=True):
                    place.append(value / end)
            finite = all(v.is_finite() for k in out for v in k)
            widest = max((v.rad() for k in out for v in k), key=float) if finite else arb(1)
            good = bool(widest < 1)
            if tried and good and widest < arb(2) ** -ACCURATE:
                return tuple(out[0]), tuple(out[1])
        if tried or not good:
            bits *= 2
            least = bits  # with half of them it failed
        elif widest > 0:
            fewer = bits + ACCURATE + SPARE + ceil(log2(max(float(widest), 2.0**-1000)))
            bits = max(least, fewer)
        tried = good
    raise Undecided(f"no enclosure at 1 - |rho| = {exp(-nats):.3g} with {bits // 2} bits")
