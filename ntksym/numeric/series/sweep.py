r"""The coefficients as functions of the variance: polynomials in log q, with a proven error.

For every s of the growth that the certificates allow, kinks included, $a_n(q)$ is analytic in
$|\arg q| < \pi/2$: $a_n(q) = \int s(\sqrt{|q|}w)\,h_n(we^{-i\tau/2})\,\varphi(we^{-i\tau/2})\,
e^{-i\tau/2}dw$, $\tau = \arg q$, and with $c = \cos\frac\tau2$, $\sigma = \sin\frac{|\tau|}2$
the integrand is at most $|s|\,e^{-(\frac34c^2-\frac12)w^2 + \sigma\sqrt n|w|}/\sqrt{2\pi}$.  So
interpolation at Chebyshev points in log q has a proven geometric error
(derivations/identities/series.md, 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil
from time import thread_time
from typing import Any

from sympy import Expr

from ...dyadic import fraction
from ...errors import Undecided
from ...precision import precision
from ..arith import ball, rounded
from ..patience import foresee
from .cosines import interpolate, points
from .enclosed import coefficients, jumps, slope_moment

MOST_POINTS = 640
_ANGLES = tuple(Fraction(n, 20) for n in range(2, 23))


@dataclass(frozen=True, slots=True)
class Sweep:
    r"""Polynomials on lo <= q <= hi in $t = (2\log q - \log lo - \log hi)/\log(hi/lo)$.

    Attributes:
        lo, hi: the range, lo < hi.
        rows: Chebyshev coefficients (`arb`) of $p_n \approx a_n$.
        second: of $E[s^2]$.
        slope: of $q\,E[s'^2]$, or None where s jumps.
        error: |a_n(q) - p_n(q)| <= error for every n and every q of the range.
        second_error: the same for `second`.
        slope_error: the same for `slope`.
        bits: the working precision of the numbers.
    """

    lo: Fraction
    hi: Fraction
    rows: tuple[tuple[Any, ...], ...]
    second: tuple[Any, ...]
    slope: tuple[Any, ...] | None
    error: Any
    second_error: Any
    slope_error: Any
    bits: int


@dataclass(frozen=True, slots=True)
class _Ellipse:
    """A Bernstein ellipse in t, with what bounds the functions on it."""

    rho: Any
    margin: Any
    """The distance of its ends from the range, in log q."""
    sup: Any
    sup_second: Any


@lru_cache(maxsize=16)
def sweep(expr: Expr, lo: Fraction, hi: Fraction, count: int, bits: int = 64) -> Sweep:
    """The coefficients a_0 .. a_{count-1} for all variances from lo to hi.

    The error is about 2^-bits sqrt(E[s^2]).

    Raises:
        Undecided: the range is too wide for the number of terms, or no growth certificate.
        TooLong: the coefficients of the first variances took so long that all would take too long.
        NotSquareIntegrable: E[s(u)^2] is infinite somewhere in the range.
    """
    from flint import arb

    from ...verify.definition import factor
    from ...verify.functions.growth import growth_of

    with precision(bits + 64):
        whole = factor(expr, derivative=False, distributional=False)
        growth = growth_of(whole.pieces)
        if not growth.c.is_finite():
            raise Undecided(
                f"{expr} is infinite at a point: no bound for a range of variances",
                hint="one variance, or the closed form",
            )
        bend = factor(expr, derivative=True, distributional=True)
        least = coefficients(expr, lo, 1, bits=40).second.max(arb((1, -bits)))
        goal = least.sqrt() * arb((1, -bits))
        many, shape = _choose(growth, lo, hi, count, goal)
        middle = (ball(lo).log() + ball(hi).log()) / 2
        length = (ball(hi).log() - ball(lo).log()) / 2
        columns, moved = [], arb(0)
        smooth = not jumps(bend)
        begin = thread_time()
        for done, t in enumerate(points(many)):
            if done:
                foresee(begin, done, many)
            exact = (middle + length * t).exp()
            q = min(max(rounded(fraction(exact), bits + 48), lo), hi)
            moved = moved.max((abs(ball(q) / exact - 1) * 2).upper())
            found = coefficients(expr, q, count, bits=bits + 16)
            slope = slope_moment(expr, q, bits=bits + 16) if smooth else None
            smooth = smooth and slope is not None
            last = ball(q) * slope if slope is not None else arb(0)
            columns.append((*found.values, found.second, last))
        rows = interpolate(columns)
        # Cauchy: the derivative in log q is at most sup/margin; a Lebesgue constant for the rest
        lebesgue = 2 + arb(many).log()
        slip = moved / shape.margin * lebesgue
        front = 4 * shape.rho ** (1 - many) / (shape.rho - 1)
        error = shape.sup * (front + slip)
        second_error = shape.sup_second * (front + slip)
        slope_error = arb(0)
        if smooth:
            sup = _sup_second(growth_of(bend.pieces), lo, hi, shape)
            sup = sup * ball(hi) * (2 * shape.margin).exp()  # |q| <= hi exp(margin)
            smooth = bool(sup.is_finite())
            slope_error = (sup * (front + slip)).upper()
        return Sweep(
            lo,
            hi,
            tuple(rows[:count]),
            rows[count],
            rows[count + 1] if smooth else None,
            error.upper(),
            second_error.upper(),
            slope_error,
            bits + 64,
        )


def _choose(growth: Any, lo: Fraction, hi: Fraction, count: int, goal: Any) -> tuple[int, _Ellipse]:
    """The number of points, and the ellipse that needs the fewest."""
    best: tuple[int, _Ellipse] | None = None
    for angle in _ANGLES:
        shape = _ellipse(growth, lo, hi, count, angle)
        if shape is None:
            continue
        wanted = (8 * (shape.sup + 1) / (goal * (shape.rho - 1))).log() / shape.rho.log()
        if not wanted.is_finite() or not wanted < 10**6:
            continue
        many = max(4, ceil(float(wanted.upper())) + 1)
        if best is None or many < best[0]:
            best = many, shape
    if best is None or best[0] > MOST_POINTS:
        need = "no number of" if best is None else f"{best[0]}"
        raise Undecided(
            f"variances from {float(lo):g} to {float(hi):g} need {need} interpolation points",
            tried=(f"{count} coefficients, at most {MOST_POINTS} points",),
            hint="a narrower range of variances, or fewer terms",
        )
    return best


def _ellipse(growth: Any, lo: Fraction, hi: Fraction, count: int, angle: Fraction) -> Any:
    from flint import arb

    length = (ball(hi).log() - ball(lo).log()) / 2
    tau = ball(angle)
    b = tau / length
    a = (1 + b * b).sqrt()
    margin = (length * b * b / (a + 1)).lower()  # length (a - 1)
    top = ball(hi) * (length * (a - 1)).exp()
    c, sigma = (tau / 2).cos(), (tau / 2).sin()
    sup = _sup(growth, top, c * c * 3 / 4 - arb(1) / 2, sigma * arb(count).sqrt(), 1)
    shape = _Ellipse(b + a, margin, sup, arb(0))
    second = _sup_second(growth, lo, hi, shape, angle)
    if not (sup.is_finite() and second.is_finite()):
        return None
    return _Ellipse(b + a, margin, sup, second)


def _sup_second(
    growth: Any, lo: Fraction, hi: Fraction, shape: _Ellipse, angle: Fraction | None = None
) -> Any:
    """A bound of E[s^2] on the ellipse (of the integral of |s|^2 against |density|)."""
    from flint import arb

    length = (ball(hi).log() - ball(lo).log()) / 2
    b = (shape.rho - 1 / shape.rho) / 2
    tau = length * b if angle is None else ball(angle)
    top = ball(hi) * (length * ((1 + b * b).sqrt() - 1)).exp()
    return _sup(growth, top, tau.cos() / 2, arb(0), 2)


def _sup(growth: Any, top: Any, bend: Any, rate: Any, power: int) -> Any:
    r"""$\int|s(\sqrt{top}\,w)|^p e^{-bend\,w^2 + rate|w|}dw/\sqrt{2\pi}$, bounded by the growth."""
    from flint import arb

    g = growth.exponential(1 / top.sqrt())
    zero = arb(0)
    rate = rate + power * g.b.max(zero) * top.sqrt()
    bend = bend - power * g.a.max(zero) * top
    if not bend > 0:
        return arb("inf")
    centre = rate / (2 * bend)
    mass = 1 + (centre * bend.sqrt()).erf()
    return (g.c**power * (rate * centre / 2).exp() * mass / (2 * bend).sqrt()).upper()
