r"""One layer as two polynomials with proven errors, for runs of layers with one activation.

With $\rho = 1 - \delta$ let $\hat g = (K(q) - K(q\rho))/(q\,\dot K(q)\,\delta)$ and
$\hat d = \dot K(q\rho)/\dot K(q)$.  Both are power series in $\rho$ with coefficients
$\geq 0$ and value 1 at $\rho = 1$, and so `prove` holds for them as for a network.  They are
kept as $1 + w\,Q(w)$, which has small errors where $\delta$ is small.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
from flint import arb
from sympy import Integer, Rational

from ..precision import precision
from .angular import AngularNetwork, Evaluator
from .certificate import chebyshev_terms, prove
from .samples import Array, edge, in_balls, sample
from .side import MOST_TERMS, Side, interpolated, shape

ERROR = 1e-17
UNIT = 2.0**-53


@dataclass(frozen=True, slots=True)
class LayerSeries:
    """The two series of a layer, with the attributes of a network that samples need.

    Attributes:
        network: of the layer alone, on the sphere of a number q.
        q: that number.
    """

    network: AngularNetwork
    q: Rational

    @property
    def layers(self) -> tuple[Any, ...]:
        """The layer."""
        return self.network.layers

    def evaluator(self) -> LayerRun:
        """The series in balls, at the working precision of this call."""
        return LayerRun(self.network.evaluator(), arb(int(self.q.p)) / int(self.q.q))


class LayerRun:
    """The two series of a layer at balls."""

    def __init__(self, run: Evaluator, q: Any) -> None:
        self._run, self._q, self._one = run, q, run.diagonal[0]
        self.ends = self.bounds = (arb(1), arb(1))

    def __call__(self, gap: Any, sign: int, *, absolute: bool = False) -> tuple[Any, Any]:
        """Both at rho = sign*(1 - gap); all coefficients are their absolute values."""
        rho = sign * (1 - gap)
        k, dot = self._run.layer(0, rho * self._q)
        return (self._one.dual - k) / (self._q * self._one.dot * (1 - rho)), dot / self._one.dot


@dataclass(frozen=True, slots=True)
class OneMore:
    r"""$1 + w\,Q(w)$ on $\rho \geq 0$ as `Side` has its variables, evaluated in double.

    Attributes:
        scale: c of w = s/(s + c).
        top: the largest w.
        terms: coefficients of 1, u, v, u v, ... of Q.
        error: a proven bound of its distance from the series.
        rounding: a bound of the rounding errors of Q.
    """

    scale: float
    top: float
    terms: tuple[float, ...]
    error: float
    rounding: float

    def __call__(self, u: Array, v: Array) -> Array:
        """Q."""
        parts = []
        for which in (0, 1):
            found = np.full_like(v, 0.0)
            for c in reversed(self.terms[which::2]):
                found *= v
                found += c
            parts.append(found)
        value: Array = parts[0] + u * parts[1]
        return value


def approximated(network: AngularNetwork, q: Rational, place: int) -> tuple[OneMore, OneMore]:
    """The two series of the layer at a place of a network, at the variance q before it."""
    zero = Integer(0)
    alone = AngularNetwork(network.network, q, zero, (zero, zero), (network.layers[place],))
    series = LayerSeries(alone, q)
    source = in_balls(series, lambda line: None)
    most = (arb(1), arb(1))
    samples = sample(series, 1, ERROR, source, edge(series, ERROR, most))
    with precision(128 + 2 * MOST_TERMS):
        scale, n = shape(samples, ERROR)
        blank = Side(1, scale, (), ())
        values = source([(lambda: blank.places(n), 30.0)], 1)[0]
        terms = [interpolated(_slopes(blank, of), ERROR) for of in values]
        full = [_full(of, blank.top) for of in terms]
        side = Side(1, scale, *full)
        errors = prove(side, samples, most)
        return _one(blank, terms[0], errors[0]), _one(blank, terms[1], errors[1])


def _slopes(blank: Side, values: tuple[Any, ...]) -> list[Any]:
    """Q at the Chebyshev points from 1 + w Q."""
    n = len(values)
    return [
        (value - 1) / ((1 + arb.cos_pi(arb(2 * k + 1) / (2 * n))) / 2 * blank.top)
        for k, value in enumerate(values)
    ]


def _full(terms: tuple[float, ...], top: float) -> tuple[Any, ...]:
    """Coefficients of 1 + w Q, exactly: w = top (1 + u)/2, u^2 = (v + 1)/2."""
    n = len(terms) // 2 + 2
    even, odd = ([arb(c) for c in terms[k::2]] for k in (0, 1))
    even += [arb(0)] * (n - len(even))
    odd += [arb(0)] * (n - len(odd))
    squared = [(odd[k] + (odd[k - 1] if k else 0)) / 2 for k in range(n)]
    half = arb(top) / 2
    first = [half * (a + b) for a, b in zip(even, squared, strict=True)]
    second = [half * (a + b) for a, b in zip(even, odd, strict=True)]
    first[0] += 1
    return tuple(c for pair in zip_longest(first, second) for c in pair)


def _one(blank: Side, terms: tuple[float, ...], error: float) -> OneMore:
    """With the rounding of Horner's rule, of v, and of u, which is wrong by at most 10 units.

    The slope in u is at most the sum of k^2 times the Chebyshev coefficients (Markov).
    """
    sizes = sum((5 * (k // 2) + 4) * abs(c) for k, c in enumerate(terms))
    series = chebyshev_terms([arb(c) for c in terms])
    slope = sum((k * k * float(abs(c).upper()) for k, c in enumerate(series)), 0.0)
    rounding = 1.01 * UNIT * (sizes + 10 * slope)
    return OneMore(blank.scale, blank.top, terms, error, rounding)
