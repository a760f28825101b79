r"""One polynomial for a whole network, with a proven bound of its error.

On each side, $\rho = \pm(1 - 2 s^2)$, both kernels are polynomials in $w = s/(s + c)$: behind
many layers the kernels change where s is about one over the depth, and w resolves that.  With
$u = 2 w/w_{top} - 1$ and $v = 2 u^2 - 1 = T_2(u)$ they are $E(v) + u\,O(v)$: powers of v
have coefficients of about the root of the size that those of powers of u have, and lose less.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from math import ceil, exp, log, log2
from typing import Any

import numpy as np
from flint import arb
from numpy.polynomial import chebyshev, polynomial
from numpy.typing import NDArray
from sympy import Rational

from ..brief import Brief
from ..errors import BadSpec, Undecided
from ..network import Network
from ..precision import precision
from .angular import AngularNetwork, Evaluator, angular
from .certificate import prove
from .pieces import Interval, intervals

Array = NDArray[np.float64]
Progress = Callable[[str], None]
SCALES = (4.0, 2.0, 1.0, 0.6, 0.4, 0.3, 0.2, 0.1, 0.06, 0.03, 0.02, 0.01)
MOST_TERMS = 160
DROPPED = 1 / 10
"""Of the error, what the coefficients that are left out may add up to: samples prove four times
the largest difference that they see."""
LARGE = 4.0
"""Coefficients may add up to so much; then every factor 2 is as bad as two terms more."""
EXTRA = 6
"""More samples for coefficients than samples in double say that there are."""
ACCURATE, SPARE = 80, 24
"""Bits of a sample, and more at the working precision than a first one takes."""


@dataclass(frozen=True, slots=True)
class Side:
    """The polynomials on one side, rho = sign*(1 - 2 s^2).

    Attributes:
        sign: 1 or -1.
        scale: c of w = s/(s + c).
        nngp: coefficients of 1, u, v, u v, v^2, u v^2, ..., for the kernel over its value at 1.
        ntk: the same for the tangent kernel.
    """

    sign: int
    scale: float
    nngp: tuple[float, ...]
    ntk: tuple[float, ...]

    @property
    def top(self) -> float:
        """The largest w, at s = 1/sqrt 2."""
        s = 0.5**0.5
        return float(s / (s + self.scale))


@dataclass(frozen=True, slots=True, repr=False)
class Collapsed(Brief):
    """A network as two polynomials per side.

    Attributes:
        angular: the network.
        sides: for rho >= 0 and for rho < 0.
        ends: the values (nngp, ntk) at rho = 1.
        error: proven bounds of both errors, over the values at rho = 1, in exact arithmetic.
    """

    angular: AngularNetwork
    sides: tuple[Side, Side]
    ends: tuple[float, float]
    error: tuple[float, float]
    _shown = ("error",)

    def evaluate(self, rho: Any) -> tuple[Array, Array]:
        """(nngp, ntk) at an array of rho, in double."""
        r = np.asarray(rho, dtype=np.float64)
        found = []
        for which in (0, 1):
            values = []
            for side in self.sides:
                s = np.sqrt(np.maximum((1 - side.sign * r) / 2, 0))
                w = s / (s + side.scale)
                u, series = 2 * w / side.top - 1, (side.nngp, side.ntk)[which]
                even, odd = (polynomial.polyval(2 * u * u - 1, series[k::2]) for k in (0, 1))
                values.append(even + u * odd)
            found.append(self.ends[which] * np.where(r >= 0, *values))
        return found[0], found[1]


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


def collapse(
    network: Network | str,
    *,
    variance: Rational | None = None,
    dimension: int | None = None,
    error: float = 1e-12,
    progress: Progress | None = None,
) -> Collapsed:
    r"""The whole network as one certified function of the angle.

    Args:
        network: with closed-form duals and numbers for all parameters, or its text.
        variance: $\Sigma^{(1)}(x, x)$ of all inputs (a sphere), or None for homogeneous
            activations without biases and any inputs.
        dimension: that of the inputs, for conventions whose kernels depend on it ("standard").
        error: the wanted error of both kernels over their values at rho = 1.
        progress: called with a line about what is being done.

    Raises:
        NoClosedForm: not a function of the angle alone, or an activation without closed form.
        BadSpec: the kernels depend on the dimension, and none is given.
        Undecided: the error is not reached; the best bound is in the message.
    """
    found = angular(network, variance, dimension)
    if found.needs_dimension:
        raise BadSpec(
            "the NTK depends on the number of inputs",
            where="the first layer of the standard parametrisation",
            hint="ntksym.compile(net, collapse=True), which has it from the data; "
            "or parametrization=ntk",
        )
    report = progress or (lambda line: None)
    samples = [_sample(found, sign, error, report) for sign in (1, -1)]
    with precision(64 + 2 * MOST_TERMS):
        ends = _at_one(found)
        sides = []
        worst = [0.0, 0.0]
        for sample in samples:
            report(f"fitting rho {'>' if sample.sign > 0 else '<'} 0")
            side = _fit(found, sample, error)
            bounds = prove(side, sample, _sizes(found))
            worst = [max(a, b) for a, b in zip(worst, bounds, strict=True)]
            sides.append(side)
    if not max(worst) <= error:
        raise Undecided(
            f"an error of {error:.3g} is not reached",
            where=f"proven: nngp {worst[0]:.3g}, ntk {worst[1]:.3g}",
            hint="a larger error, or the layers one by one",
        )
    return Collapsed(found, (sides[0], sides[1]), ends, (worst[0], worst[1]))


def _evaluator(found: AngularNetwork, bits: int) -> Evaluator:
    with precision(bits):
        return found.evaluator()


def _at_one(found: AngularNetwork) -> tuple[float, float]:
    k, t = _evaluator(found, 128 + 4 * len(found.layers)).ends
    return float(k), float(t)


def _sizes(found: AngularNetwork) -> tuple[Any, Any]:
    """Bounds of both kernels on the disc, over the values at 1."""
    e = _evaluator(found, 128 + 4 * len(found.layers))
    return e.bounds[0] / e.ends[0], e.bounds[1] / e.ends[1]


def _sample(found: AngularNetwork, sign: int, error: float, report: Progress) -> Samples:
    digits = -np.log10(error) + 2.5
    least = 2 * log(error / (4 * max(1, len(found.layers)))) - 3  # there s*depth is below error
    parts = intervals(least, float(digits))
    balls: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = []
    depth = len(found.layers)
    for i, part in enumerate(parts):
        report(f"rho {'>' if sign > 0 else '<'} 0: interval {i + 1} of {len(parts)}")
        balls.append(_values(found, part.nodes, sign, -part.low, depth))
    with precision(64):
        change = _change(found, least, depth)
        end = tuple(arb(1) for _ in change)
        if sign < 0:  # forms of several kinks have no value at -1: one close to it, and the change
            near = _values(found, lambda: (arb(2 * least),), sign, -2 * least, depth)
            rest = _change(found, 2 * least, depth)
            end = tuple(n[0] + arb(0, r.upper()) for n, r in zip(near, rest, strict=True))
    numbers = tuple(np.array([[float(v.mid()) for v in k] for k in pair]) for pair in balls)
    return Samples(sign, parts, tuple(balls), numbers, change, (end[0], end[1]))


def _change(found: AngularNetwork, zeta: float, depth: int) -> tuple[Any, Any]:
    """Bounds of |F(end) - F(rho)| at both ends, from zeta on, for both kernels over those at 1.

    A power r^k changes at -1 by as much as at 1, so with the absolute values of the coefficients
    the change at 1 bounds both.
    """
    edge = _values(found, lambda: (arb(zeta),), 1, -zeta, depth, absolute=True)
    k, t = (b - e[0] for b, e in zip(_sizes(found), edge, strict=True))
    return k, t


def _values(
    found: AngularNetwork,
    zetas: Callable[[], tuple[Any, ...]],
    sign: int,
    nats: float,
    depth: int,
    *,
    absolute: bool = False,
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
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


_TURNS = np.arange(MOST_TERMS)[:, None] * (2 * np.arange(2 * MOST_TERMS) + 1) % (8 * MOST_TERMS)
_POINTS = np.cos(_TURNS[1] * np.pi / (4 * MOST_TERMS))
_BASIS = np.cos(_TURNS * np.pi / (4 * MOST_TERMS)) / MOST_TERMS
_BASIS[0] /= 2
"""From values at the Chebyshev points to coefficients."""


def _fit(found: AngularNetwork, sample: Samples, error: float) -> Side:
    """The fewest Chebyshev coefficients over the scales tried, from fresh samples."""
    scale, n = _shape(sample, error)
    side = Side(sample.sign, scale, (), ())
    depth = len(found.layers)

    def zetas() -> tuple[Any, ...]:
        out = []
        for k in range(n):
            w = (1 + arb.cos_pi(arb(2 * k + 1) / (2 * n))) / 2 * side.top
            s = side.scale * w / (1 - w)
            out.append((2 * s * s).log())
        return tuple(out)

    values = _values(found, zetas, sample.sign, 30.0, depth)
    series = []
    with precision(128 + 2 * MOST_TERMS):
        for of in values:
            row = []
            for j in range(n):
                terms = (
                    value * arb.cos_pi(arb(j * (2 * k + 1)) / (2 * n)) for k, value in enumerate(of)
                )
                row.append(sum(terms, arb(0)) * (2 if j else 1) / n)
            kept = _needed(np.array([float(c.mid()) for c in row]), error)
            both = zip_longest(*map(_powers, _split(row[:kept])), fillvalue=arb(0))
            series.append(tuple(float(c.mid()) for pair in both for c in pair)[:kept])
    return Side(sample.sign, scale, series[0], series[1])


def _split(series: list[Any]) -> tuple[list[Any], list[Any]]:
    """Coefficients of T_k(v) in E and O of E(v) + u O(v), from those of T_n(u).

    T_2k(u) = T_k(v), and the O_k of T_{2k+1}(u) = u O_k(v) are 2 T_k - O_{k-1}, O_0 = 1.
    """
    odd = list(series[1::2])
    for k in range(len(odd) - 1, -1, -1):
        after = odd[k + 1] if k + 1 < len(odd) else 0
        odd[k] = 2 * odd[k] - after if k else odd[0] - after / 2
    return list(series[::2]), odd


def _powers(series: list[Any]) -> list[Any]:
    """Coefficients of powers from those of Chebyshev polynomials: T_{k+1} = 2 u T_k - T_{k-1}."""
    before, now = [arb(1)], [arb(0), arb(1)]
    out = [arb(0)] * max(2, len(series))
    for c in series:
        for k, t in enumerate(before):
            out[k] += c * t
        after = [arb(0), *(2 * t for t in now)]
        for k, t in enumerate(before):
            after[k] -= t
        before, now = now, after
    return out[: len(series)]


def _needed(series: Array, error: float) -> int:
    """How many of the coefficients cannot be left out."""
    left = np.cumsum(np.abs(series[::-1]))[::-1]
    return max(2, int(np.count_nonzero(left > DROPPED * error)))


def _shape(sample: Samples, error: float) -> tuple[float, int]:
    """The scale of fewest terms whose sizes are moderate, and how many samples say which."""
    best: tuple[float, float, int] | None = None
    for scale in SCALES:
        blank = Side(sample.sign, scale, (), ())
        w = (_POINTS + 1) / 2 * blank.top
        s = scale * w / (1 - w)
        cost, most = 0.0, 0
        for which in (0, 1):
            series = _BASIS @ sample.at(s, which)
            noise = 3 * np.max(np.abs(series[-MOST_TERMS // 4 :]))  # of samples in double
            clean = np.where(np.abs(series) > noise, series, 0.0)
            count = _needed(clean, error)
            size = sum(np.abs(chebyshev.cheb2poly(p)).sum() for p in _split(list(series[:count])))
            cost += count + 2 * log2(max(1.0, size / LARGE))
            most = max(most, count)
        if best is None or cost < best[0]:
            best = cost, scale, most
    assert best is not None
    return best[1], best[2] + EXTRA
