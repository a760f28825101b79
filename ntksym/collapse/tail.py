r"""Many layers of one activation, for all samples at once, with bounds of every error.

Few layers in balls bring all samples to $\rho \geq 0$ and, where the activation is not
homogeneous, $\Sigma(x, x)$ to its limit.  For the others `layer` has the two series that all of
them share: $\delta' = X\delta\,\hat g(\delta)$ and
$\theta' = a_0 - a_1\delta' + b\,\hat d(\delta)\,\theta$, $\theta$ the tangent kernel over its
value at 1.  An error of $\log\delta$ is multiplied by $\hat d/\hat g \leq 1$ in a layer
(derivations/identities/collapse.md, 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from flint import acb, arb
from numpy.typing import NDArray
from sympy import Expr, Rational

from .. import symbols
from ..errors import NtksymError, Undecided
from ..precision import precision
from .angular import AngularNetwork, Evaluator, continuous, forms_of, homogeneous
from .layer import UNIT, OneMore, approximated
from .samples import Array, Pair, Places, Progress, Source, values_at
from .straight import Straight

Long = NDArray[np.longdouble]
FEWEST = 30
"""Layers at the least: for fewer the two series cost more than they save."""
SETTLED = 1e-16
"""How far the series of two variances may be apart for one of them to do for both."""
LEAST_ERROR = 1e-13
FINE = max(float(np.finfo(np.longdouble).eps), 2.0**-63)
"""Twice the unit roundoff of `longdouble`, which is `double` on some machines."""
KNOWN_FORMATS = (52, 63, 112)
"""Bits of formats that round correctly."""
MORE = 1 + 2.0**-40
"""What the rounding of the bounds themselves may take off, per layer."""


@dataclass(frozen=True, slots=True)
class _Step:
    """The numbers X, a0, a1, b of a layer."""

    ratio: Any
    constant: Any
    slope: Any
    factor: Any


class _Head:
    """log delta and theta behind the first layers."""

    def __init__(self, run: Evaluator) -> None:
        self._run = run
        self.ends = self.bounds = (arb(1), run.ends[1])

    def __call__(self, gap: Any, sign: int, *, absolute: bool = False) -> tuple[Any, Any]:
        """At rho = sign*(1 - gap)."""
        c, t = self._run(gap, sign)
        return (1 - c / self._run.ends[0]).log(), t


@dataclass(frozen=True, slots=True)
class _Heads:
    """The first layers of a network, with the attributes that samples need."""

    network: AngularNetwork

    @property
    def layers(self) -> tuple[Any, ...]:
        return self.network.layers

    def evaluator(self) -> _Head:
        return _Head(self.network.evaluator())


def tail(found: AngularNetwork, error: float, report: Progress) -> Source | None:
    """Values of a deep network of equal layers; None where the layers are to be run in balls."""
    depth = len(found.layers)
    start = depth
    while start and found.layers[start - 1].nonlinearity == found.layers[-1].nonlinearity:
        start -= 1
    last = found.layers[-1] if depth else None
    if last is None or depth - start < FEWEST or error < LEAST_ERROR or not continuous(last):
        return None
    if any(layer.pair[:2] != layer.diag[:2] for layer in found.layers[start:]):
        return None
    if np.finfo(np.longdouble).nmant not in KNOWN_FORMATS:
        return None
    with precision(128 + 4 * depth):
        run = found.evaluator()
    if not all(bool(one.dot > 0) for one in run.diagonal[start:]):
        return None
    q = Rational(1)
    apart = 0.0
    try:
        if not homogeneous(last):
            start, q, apart = _settled(found, run, start)
        if depth - start < FEWEST:
            return None
        report("one layer as two polynomials")
        series = approximated(found, q, depth - 1)
        return _Tail(found, run, start, series, apart, report)
    except NtksymError:
        return None


def _settled(found: AngularNetwork, run: Evaluator, start: int) -> tuple[int, Rational, float]:
    r"""From which layer on one variance does for all, that one, and how far the series may differ.

    $\hat g$ is the mean of $\hat d$ over $[\rho, 1]$, so what $\hat d$ changes by bounds both.
    """
    middle = float(run.diagonal[-1].variance.mid())
    q = Rational(middle)
    depth = len(found.layers)
    with precision(128):
        away = [float(abs(one.variance - arb(middle)).upper()) for one in run.diagonal]
        for width in (1e-3, 1e-9):
            near = depth
            while near > start and away[near - 1] <= width:
                near -= 1
            speed = _speed(found, arb(middle, width))
            while near < depth and max(away[near:]) * speed > SETTLED:
                near += 1
            if near < depth:
                return near, q, max(away[near:]) * speed
    return depth, q, 0.0


def _speed(found: AngularNetwork, q: Any) -> float:
    r"""A bound of $|\partial_q\hat d|$ over a ball of q and $0 \leq \rho \leq 1$."""
    layer = found.layers[-1]
    _, dot, _, one = forms_of(layer, found.network)
    rho = symbols.q12
    of_q = dot.subs({symbols.q11: symbols.q, symbols.q22: symbols.q}).subs(rho, rho * symbols.q)
    exprs: list[Expr] = [of_q, of_q.diff(symbols.q), one, one.diff(symbols.q)]
    program = Straight(exprs, (symbols.q, rho))
    pieces, worst = 64, arb(0)
    for k in range(pieces):
        at = arb(k).union(arb(k + 1)) / pieces
        values = [z.real for z in program(acb(q), acb(at))]
        worst = worst.max(abs(values[1] / values[2]) + abs(values[0] * values[3] / values[2] ** 2))
    return float(worst.upper()) if worst.is_finite() else float("inf")


class _Tail:
    """The source of samples: see the head of this file."""

    def __init__(
        self,
        found: AngularNetwork,
        run: Evaluator,
        start: int,
        series: tuple[OneMore, OneMore],
        apart: float,
        report: Progress,
    ) -> None:
        self._found, self._start, self._report = found, start, report
        self._series = tuple(replace(p, error=p.error + apart) for p in series)
        self._enough = {1: start, -1: max(1, start)}
        self._steps: list[_Step] = []
        with precision(128 + 4 * len(found.layers)):
            after = [(d.variance, d.theta) for d in run.diagonal[1:]] + [run.ends]
            for place, (own, (q, theta)) in enumerate(zip(run.diagonal, after, strict=True)):
                _, s1, t0, t1, t2 = run.numbers(place)
                self._steps.append(
                    _Step(
                        _long(s1 * own.dot * own.variance / q),
                        _long((t0 + t1 * own.dual) / theta),
                        _long(t1 * q / s1 / theta),
                        _long(t2 * own.dot * own.theta / theta),
                    )
                )

    def __call__(self, batches: Sequence[tuple[Places, float]], sign: int) -> list[Pair]:
        """Both kernels over their values at 1, as balls."""
        head, pairs = self._heads(batches, sign)
        with precision(160):
            logs = [z for k, _ in pairs for z in k]
            theta = np.array([_long(t) for _, ts in pairs for t in ts])
            delta = np.array([_long(z.exp()) for z in logs])
        k, error_k, t, error_t = self._run(np.minimum(delta, 1), theta, head)
        out: list[Pair] = []
        first = 0
        with precision(128):
            for places, _ in pairs:
                here = slice(first, first + len(places))
                first = here.stop
                one, two = (
                    tuple(_ball(*both) for both in zip(a[here], b[here], strict=True))
                    for a, b in ((k, error_k), (t, error_t))
                )
                out.append((tuple(1 - z for z in one), two))
        return out

    def _heads(self, batches: Sequence[tuple[Places, float]], sign: int) -> tuple[int, list[Pair]]:
        """Log delta >= ... behind as many layers as bring all samples to rho >= 0."""
        head, depth = self._enough[sign], len(self._found.layers)
        while True:
            cut = _Heads(replace(self._found, layers=self._found.layers[:head]))
            pairs: list[Pair] = []
            for i, (places, nats) in enumerate(reversed(batches)):
                side = f"rho {'>' if sign > 0 else '<'} 0"
                self._report(f"{side}: interval {i + 1} of {len(batches)}, {head} layers")
                pairs.append(values_at(cut, places, sign, nats, head))
                if not all(bool(z <= 0) for z in pairs[-1][0]):
                    break
            else:
                self._enough[sign] = head
                return head, pairs[::-1]
            head += max(2, head // 4)
            if depth - head < FEWEST:
                raise Undecided("samples stay at rho < 0", where=f"{head} layers")

    def _run(self, delta: Long, theta: Long, head: int) -> tuple[Long, Array, Long, Array]:
        """Delta and theta behind all layers, and bounds of their errors."""
        g, d = self._series
        log_error = np.full(delta.shape, 2 * FINE)
        theta_error = np.full(delta.shape, 2 * FINE)
        for step in self._steps[head:]:
            s = np.sqrt(delta.astype(np.float64) / 2)
            w = s / (s + g.scale)
            u = 2 * w / g.top - 1
            v = 2 * u * u - 1
            long_w = w.astype(np.longdouble)
            slopes = g(u, v), d(u, v)
            at_g, at_d = (1 + long_w * slope for slope in slopes)
            error_g, error_d = (
                w * (p.rounding + 4 * UNIT * np.abs(slope)) + (3 * FINE + p.error)
                for p, slope in zip(self._series, slopes, strict=True)
            )
            g64, d64 = at_g.astype(np.float64), np.abs(at_d.astype(np.float64))
            wide = log_error * (1 + 2 * log_error)
            error_d += wide * (np.abs(1 - d64) + error_d)
            low = g64 - 2 * error_g
            if not (low.min() > 0 and log_error.max() < 0.01):
                raise Undecided("rounding errors grow", where="layers run in floating point")
            contracted = np.minimum(1.0, (d64 + error_d) / low * (1 + 2 * log_error))
            log_error = (contracted * log_error + error_g / low + 3 * FINE) * MORE
            delta = np.minimum(delta * step.ratio * at_g, 1)
            part = float(abs(step.slope)) * delta.astype(np.float64)
            factor, size = float(abs(step.factor)), np.abs(theta.astype(np.float64))
            theta = step.constant - step.slope * delta + step.factor * at_d * theta
            theta_error = MORE * (
                part * log_error * (1 + 2 * log_error)
                + factor * ((d64 + error_d) * theta_error + size * error_d)
                + 4 * FINE * (float(abs(step.constant)) + part + factor * size)
            )
        delta_error = delta.astype(np.float64) * log_error * (1 + 2 * log_error) * MORE
        if not (np.isfinite(theta_error).all() and np.isfinite(delta_error).all()):
            raise Undecided("a kernel is not finite", where="layers run in floating point")
        return delta, delta_error, theta, theta_error


def _long(value: Any) -> Any:
    """The nearest number of the format, or one next to it; wrong by less than `FINE` of itself.

    Raises:
        Undecided: the ball is wider.
    """
    if not value.rad() <= abs(value.mid()) * 2.0**-70 + arb(2) ** -75:
        raise Undecided("a number of a layer has a wide ball")
    high = float(value.mid())
    return np.longdouble(high) + np.longdouble(float((value - high).mid()))


def _ball(value: Any, error: Any) -> Any:
    high = float(value)
    return arb(high) + arb(float(value - np.longdouble(high)), float(error) * MORE + 2.0**-100)
