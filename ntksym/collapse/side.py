r"""The polynomials of one side, and how they are found from samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import log2
from typing import Any

import numpy as np
from flint import arb
from numpy.polynomial import chebyshev

from ..precision import precision
from .samples import Array, Samples, Source

SCALES = (4.0, 2.0, 1.0, 0.6, 0.4, 0.3, 0.2, 0.1, 0.06, 0.03, 0.02, 0.01)
MOST_TERMS = 160
DROPPED = 1 / 10
"""Of the error, what the coefficients that are left out may add up to: samples prove four times
the largest difference that they see."""
LARGE = 4.0
"""Coefficients may add up to so much; then every factor 2 is as bad as two terms more."""
EXTRA = 6
"""More samples for coefficients than samples in double say that there are."""


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

    def places(self, n: int) -> tuple[Any, ...]:
        """Zeta = log(2 s^2) at the n Chebyshev points of u, as balls."""
        out = []
        for k in range(n):
            w = (1 + arb.cos_pi(arb(2 * k + 1) / (2 * n))) / 2 * self.top
            s = self.scale * w / (1 - w)
            out.append((2 * s * s).log())
        return tuple(out)


_TURNS = np.arange(MOST_TERMS)[:, None] * (2 * np.arange(2 * MOST_TERMS) + 1) % (8 * MOST_TERMS)
_POINTS = np.cos(_TURNS[1] * np.pi / (4 * MOST_TERMS))
_BASIS = np.cos(_TURNS * np.pi / (4 * MOST_TERMS)) / MOST_TERMS
_BASIS[0] /= 2
"""From values at the Chebyshev points to coefficients."""


def fitted(source: Source, sample: Samples, error: float) -> Side:
    """The fewest Chebyshev coefficients over the scales tried, from fresh samples."""
    scale, n = shape(sample, error)
    side = Side(sample.sign, scale, (), ())

    values = source([(lambda: side.places(n), 30.0)], sample.sign)[0]
    nngp, ntk = (interpolated(of, error) for of in values)
    return Side(sample.sign, scale, nngp, ntk)


def interpolated(values: Sequence[Any], error: float) -> tuple[float, ...]:
    """Coefficients of 1, u, v, u v, ... from values at the Chebyshev points of u."""
    n = len(values)
    with precision(128 + 2 * MOST_TERMS):
        row = []
        for j in range(n):
            terms = (
                value * arb.cos_pi(arb(j * (2 * k + 1)) / (2 * n)) for k, value in enumerate(values)
            )
            row.append(sum(terms, arb(0)) * (2 if j else 1) / n)
        kept = _needed(np.array([float(c.mid()) for c in row]), error)
        both = zip_longest(*map(_powers, _split(row[:kept])), fillvalue=arb(0))
        return tuple(float(c.mid()) for pair in both for c in pair)[:kept]


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


def shape(sample: Samples, error: float) -> tuple[float, int]:
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
