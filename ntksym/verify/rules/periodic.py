r"""E[f(u) g(v)] for periodic functions, and x times such, by their Fourier coefficients.

With $f(x) = \sum_n f_n e^{in\omega x}$ in the mean, $|f_n| \le \|f\|_1$,
$$E[f(u) g(v)] = \sum_{n,m} f_n g_m\,E[e^{i(au+bv)}],\qquad a = n\omega_1,\ b = m\omega_2,$$
as the density, summed over all periods, is a smooth periodic function of which this is Parseval's
formula: kinks, jumps and integrable singularities, infinitely many, do no harm.  With the form
$F = q_{11}a^2 + 2q_{12}ab + q_{22}b^2$ the characteristic function is
$e^{i(am_1+bm_2) - F/2}$, and u under the integral puts $\mu_1 = m_1 + i(q_{11}a + q_{12}b)$ in
front of it, u v puts $\mu_1\mu_2 + q_{12}$, of which $|\mu_k - m_k| \le \sqrt{q_{kk}F}$.

The derivative in q12 is that of every term: it puts -ab in front of the exponential, where
$2|ab|(\sqrt{q_{11}q_{22}} - |q_{12}|) \le F$, and $\partial\mu_1 = ib$, $\partial\mu_2 = ia$.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, sqrt
from typing import Any

from flint import acb, arb

from ...precision import precision
from ..functions.periods import Wave
from ..functions.strips import COVER_BITS
from ..law import Law
from ..safe import in_time
from .along import CRAMER, Line, between
from .fewer import Smooth

_MOST = 160
_MOST_SMOOTH = 24
"""The same for smooth functions, for which there are other rules."""
_MOST_PAIRS = 20_000
_ROOT_PEAK = arb("1.72")
"""Above the maximum of sqrt(F) exp(-F/16), which is sqrt(8/e): there are four at most."""


@dataclass(frozen=True, slots=True)
class _Series:
    """Coefficients 0..N of x^power times a function of the frequency, and bounds.

    Attributes:
        power: 0 or 1.
        frequency: omega.
        coefficients: f_0, ..., f_N; f_-n is the conjugate of f_n.
        size: a bound of all of them.
    """

    power: int
    frequency: Any
    coefficients: tuple[Any, ...]
    size: Any


def periodic(
    f: tuple[Wave, ...], g: tuple[Wave, ...], law: Law, tol: Any, *, slope: bool = False
) -> Any | None:
    """An enclosure (`arb`) of E[f(u) g(v)], each a sum of waves; None where they need many terms.

    With `slope`, of its derivative in q12: of jumps, infinitely many, no masses are needed.

    Raises:
        Divergent: a function is not integrable over its period.
        Undecided: no rule for the coefficients.
    """
    if law.q11 == 0 or law.q22 == 0 or law.singular:
        return None
    fine = tol / (16 * len(f) * len(g))
    orders = (
        [_order(w, g, law, fine, slope) for w in f],
        [_order(w, f, law.swapped(), fine, slope) for w in g],
    )
    kinks = any(len(w.pieces) > 1 for w in (*f, *g))
    if max(map(max, orders)) > (_MOST if kinks else _MOST_SMOOTH):
        return None
    if 4 * max(orders[0]) * max(orders[1]) > _MOST_PAIRS:
        return None
    one = [_series(w, int(n), fine) for w, n in zip(f, orders[0], strict=True)]
    two = [_series(w, int(n), fine) for w, n in zip(g, orders[1], strict=True)]
    return sum((_sum(a, b, law, slope) for a in one for b in two), arb(0))


def _order(own: Wave, others: tuple[Wave, ...], law: Law, tol: Any, slope: bool) -> float:
    """How many coefficients matter, about; the bound is that of `_left_out`."""
    share = 0.5 if slope or own.power or any(w.power for w in others) else 1.0
    rest = float(arb(law.q11 - law.q12 * law.q12 / law.q22).lower())
    c = share * float(own.frequency.lower()) ** 2 * rest / 2
    return ceil(sqrt((float(-tol.log()) + 16) / c)) + 1 if c > 0 else inf


def _series(wave: Wave, order: int, tol: Any) -> _Series:
    """The coefficients, each with an error of about tol."""
    pi = arb.pi()
    with precision(COVER_BITS):
        n = max(order, 1)
        kernel = Smooth(arb(1).exp(), arb(4) / (n * n))  # e^(n h) <= e^(1 + (n h)^2/4)
    line = Line(arb(0), 1 / wave.frequency, kernel, tol / 64, arb(1) / 4, min(4.0, 24.0 / n))
    found = between(line, wave.pieces, -pi, pi)
    sums = [acb(0)] * (order + 1)
    for t, weight in found.points:
        in_time()
        turn, here = acb(0, -t).exp(), acb(weight)
        for k in range(order + 1):
            sums[k] += here
            here = here * turn
    lost = (found.error / (2 * pi)).upper()
    around = acb(arb(0, lost), arb(0, lost))
    lift = (2 * pi).sqrt() * (pi * pi / 4).exp() / CRAMER  # the mass has the density in it
    size = (found.mass * lift / (2 * pi)).upper()
    return _Series(wave.power, wave.frequency, tuple(s / (2 * pi) + around for s in sums), size)


def _sum(f: _Series, g: _Series, law: Law, slope: bool) -> Any:
    """The double sum with a bound of the terms left out; those with n < 0 are conjugates."""
    q11, q12, q22 = arb(law.q11), arb(law.q12), arb(law.q22)
    m1, m2 = arb(law.m1), arb(law.m2)
    total = arb(0)
    above = [*(z.conjugate() for z in g.coefficients[:0:-1]), *g.coefficients]
    most = len(g.coefficients) - 1
    for n, left in enumerate(f.coefficients):
        in_time()
        a, row = n * f.frequency, acb(0)
        for m, right in enumerate(above, -most):
            b = m * g.frequency
            u, v = q11 * a + q12 * b, q12 * a + q22 * b
            term = acb(-(a * u + b * v) / 2, a * m1 + b * m2).exp() * right
            one, two = acb(m1, u) if f.power else acb(1), acb(m2, v) if g.power else acb(1)
            front = one * two + (q12 if f.power and g.power else 0)
            if slope:
                front = -a * b * front + (1 if f.power and g.power else 0)
                front += acb(0, b) * two if f.power else 0
                front += acb(0, a) * one if g.power else 0
            row += term * front
        total += (left * row).real * (1 if n == 0 else 2)
    rest = _left_out(f, g, law, slope) + _left_out(g, f, law.swapped(), slope)
    return total + arb(0, rest.upper())


def _left_out(f: _Series, g: _Series, law: Law, slope: bool) -> Any:
    r"""A bound of the terms with |n| > N and any m.

    $F = q_{22}(b + aq_{12}/q_{22})^2 + a^2 d$ with $d = q_{11} - q_{12}^2/q_{22}$; over m the first
    part sums to at most 1 + an integral, over n the second is below a geometric series.  Powers
    of F before $e^{-F/2}$ are paid with half of it.
    """
    half = arb(1) / (4 if slope or f.power or g.power else 2)
    one = abs(arb(law.m1)) + _ROOT_PEAK * arb(law.q11).sqrt() if f.power else arb(1)
    two = abs(arb(law.m2)) + _ROOT_PEAK * arb(law.q22).sqrt() if g.power else arb(1)
    front = one * two + (abs(arb(law.q12)) if f.power and g.power else 0)
    if slope:
        det = arb(law.q11 * law.q22 - law.q12 * law.q12)
        apart = 2 * (arb(law.q11 * law.q22).sqrt() - abs(arb(law.q12)))
        front = front * _ROOT_PEAK * _ROOT_PEAK / apart + (1 if f.power and g.power else 0)
        front += _ROOT_PEAK * (law.q11 / det).sqrt() * two if f.power else 0
        front += _ROOT_PEAK * (law.q22 / det).sqrt() * one if g.power else 0
    across = 1 + (arb.pi() / (half * arb(law.q22))).sqrt() / g.frequency
    c = half * f.frequency * f.frequency * arb(law.q11 - law.q12 * law.q12 / law.q22)
    n = len(f.coefficients) - 1
    ratio = (-c * (2 * n + 3)).exp()
    beyond = 2 * (-c * (n + 1) * (n + 1)).exp() / (1 - ratio)
    return f.size * g.size * front * across * beyond
