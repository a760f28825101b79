r"""About how long a `KinkTable` takes to build, before anything of it is enclosed.

Two numbers decide: how many Hermite coefficients are left without the kinks, and at how many
variances.  The latter grow where kinks are far out: on the contours, at $\arg d = \theta$, a hump
$e^{-\alpha(x-k)^2/2}$ grows by $e^{\alpha k^2\sin^2\theta/2}$ and coefficient n by
$e^{y\sqrt n}$, $y = |\mathrm{Im}\,k/d|$ (`contour`).
"""

from __future__ import annotations

from math import inf, log, log10, pi
from typing import Any

from sympy import Expr

from ..contour import RADII
from ..variances import Axis

_START = 3.0
_EACH = 1.5e-4
"""Seconds for a coefficient at a variance, shells included."""
_TERMS = 1250.0
"""Coefficients for variances up to 2 and an error of 1e-10."""
_ALPHA = 5.0
"""Of the cutoff that is mostly taken."""
_DIGITS = 8.0
_MORE = 1.3
"""So many times the variances of the estimate are proven to be enough."""
_CLOSE = 1.41
"""Of jumps whose Taylor series converge less far, the powers are narrow, and many more terms left:
like the fourth power."""
_ORDERS = 9, 19
_ANGLES = 64
_FARTHEST = 30.0
_BITS = 256


def kink_seconds(activation: Any, variances: Any, error: float) -> float:
    """About how many seconds of one core `kink_table` takes, within a factor of three.

    Infinite where more variances would be needed than it takes.

    Raises:
        BadCovariance: a variance that is not positive and finite, or low > high.
        Undecided: the kinks are not located.
    """
    from ....language import as_activation
    from ....verify.functions.pieces import number, split
    from ..build import span
    from .near import MOST_NODES

    low, high = map(float, span(variances))
    pieces = split(as_activation(activation).expr)[:-1]
    kinks = [float(abs(number(p.hi)).upper()) for p in pieces if p.hi != 0]
    terms = _TERMS * high / 2 * (log10(error) / 10) ** 2
    count = likely_variances(low, high, kinks, terms, error)
    if count > MOST_NODES:
        return inf
    narrow = max(_CLOSE / _radius(as_activation(activation).expr), 1.0) ** 4
    return _START + _EACH * count * terms * narrow


def _radius(expr: Expr) -> float:
    """About how far the Taylor series of the jump at a kink converges: the least of them."""
    from ....precision import precision
    from ..contour import line_of
    from .build import plain_shape
    from .powers import taylor

    least, (low, high) = inf, _ORDERS
    with precision(_BITS):
        line = line_of(plain_shape(expr, False))
        for i, kink in enumerate(line.kinks):
            pieces = line.side(1 if kink.mid() >= 0 else -1)
            one, two = (taylor(p, kink, high + 1) for p in (pieces[i], pieces[i + 1]))
            jumps = [float(abs(b - a).mid()) for a, b in zip(one, two, strict=True)]
            early, late = max(jumps[low - 1 : low + 1]), max(jumps[high - 1 :])
            if early > 0 and late > 0:
                least = min(least, (early / late) ** (1 / (high - low)))
    return least


def likely_variances(
    low: float, high: float, kinks: list[float], terms: float, error: float
) -> float:
    """About how many variances a range needs, for kinks at these distances from 0."""
    import numpy as np

    axis, best = Axis.over(low, high), inf
    z, turn = np.linspace(0.0, _FARTHEST, 300), np.exp(2j * pi * np.arange(_ANGLES) / _ANGLES)
    for radius in RADII:
        if (radius + 1 / radius) / 2 * axis.half >= 1:
            continue
        dev = axis.deviation((radius * turn + 1 / (radius * turn)) / 2)
        most = 0.0
        for k in kinks:
            y, a = np.abs((k / dev).imag), np.abs((k / dev).real)
            way = y * terms**0.5 + y * y / 2 - a * a / 4 + log(max(terms, 1.0)) / 2
            hump = -_ALPHA / 2 * ((np.outer(dev, z) - k) ** 2).real - z * z / 4
            most = max(most, float(way.max()), float(hump.max()))
        best = min(best, 1 + (most + log(1 / error) + _DIGITS) / log(radius))
    return _MORE * best
