"""Numerical tables of the generated helpers, computed here at high precision, never typed in."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

ATAN_DEGREE = 19
ATAN_DEGREE_FLOAT = 9
OWEN_NODES = 20
OWEN_RULES = ((14, 4.0), (OWEN_NODES, 41.0))
"""(nodes, largest w) for the integral of exp(-w x^2)/(1 + a^2 x^2) over [0, 1], a <= 1: relative
error at most 5e-17 at w = 4 and 5e-18 at w = 20; beyond, it is below e^-20."""
ORTHANT_NODES, ORTHANT_NEAR, ORTHANT_WITHIN = OWEN_RULES[0][0], (-0.4, 0.6), 4.0
"""Nodes of what a correlation adds to Phi(h)*Phi(k), the correlations, and the largest |h| and |k|:
the relative error is at most 6e-16 there, and 2e-16 within 2.  Smaller correlations take almost all
of the product away."""
ERFCX_DEGREE = 25
EXP_DEGREE = 9
ERFCX_CENTRE = 3.75
ERF_DEGREE = 12


@lru_cache(maxsize=1)
def table_context() -> Any:
    """The mpmath context, of its own digits, in which tables of helpers are made."""
    from mpmath import MPContext

    ctx = MPContext()
    ctx.prec = 240
    return ctx


def chebyshev(ctx: Any, f: Callable[[Any], Any], degree: int) -> list[Any]:
    """Coefficients of the Chebyshev interpolant of f on [-1, 1], lowest first."""
    n = degree + 1
    quarter = [ctx.cos(ctx.pi * m / (2 * n)) for m in range(n + 1)]
    half = [*quarter, *(-c for c in quarter[-2::-1])]
    cosines = [*half, *half[-2:0:-1]]  # of m pi/(2n), m from 0 to 4n - 1
    values = [f(cosines[2 * k + 1]) for k in range(n)]
    coeffs = []
    for j in range(n):
        total = ctx.fdot(values, [cosines[j * (2 * k + 1) % (4 * n)] for k in range(n)])
        coeffs.append(total * (1 if j == 0 else 2) / n)
    return coeffs


def monomial(ctx: Any, coeffs: list[Any]) -> list[Any]:
    """The Chebyshev series as powers of its variable."""
    before, now = [ctx.one], [ctx.zero, ctx.one]
    total = [ctx.zero] * len(coeffs)
    for j, c in enumerate(coeffs):
        basis = before if j == 0 else now
        for k, b in enumerate(basis):
            total[k] += c * b
        if j >= 1:
            following = [ctx.zero] + [2 * b for b in now]
            for k, b in enumerate(before):
                following[k] -= b
            before, now = now, following
    return total


def shifted(ctx: Any, coeffs: list[Any], slope: Any, offset: Any) -> list[Any]:
    """The polynomial p(slope*x + offset) as powers of x."""
    total: list[Any] = [ctx.zero]
    for c in reversed(coeffs):
        longer = [ctx.zero] * (len(total) + 1)
        for k, t in enumerate(total):
            longer[k] += t * offset
            longer[k + 1] += t * slope
        longer[0] += c
        total = longer[: len(coeffs)]
    return total


def pi_parts(*, single: bool = False) -> tuple[float, float]:
    """The double (or float) nearest to pi, and what is left of pi as another."""
    from struct import pack, unpack

    ctx = table_context()

    def nearest(z: Any) -> float:
        value: float = unpack("f", pack("f", float(z)))[0] if single else float(z)
        return value

    high = nearest(ctx.pi)
    return high, nearest(ctx.pi - high)


@lru_cache(maxsize=2)
def atan_tail(degree: int = ATAN_DEGREE) -> tuple[float, ...]:
    """P with atan(t) = t + t**3 * P(t**2) on [0, 1], lowest power first.

    Interpolation at the Chebyshev points: |error of P| is below 2**-53 at degree 19, 2**-28 at
    degree 9.
    """
    ctx = table_context()

    def f(z: Any) -> Any:
        u = (z + 1) / 2
        t = ctx.sqrt(u)
        return (ctx.atan(t) - t) / (t * u)

    series = monomial(ctx, chebyshev(ctx, f, degree))
    return tuple(float(c) for c in shifted(ctx, series, ctx.mpf(2), ctx.mpf(-1)))


@lru_cache(maxsize=1)
def exp_tail() -> tuple[float, ...]:
    """P with exp(r) = 1 + r + r**2 * P(r) for |r| <= log(2)/2 (1 + 2**-20), lowest power first."""
    ctx = table_context()
    reach = ctx.log(2) / 2 * (1 + ctx.mpf(2) ** -20)

    def f(z: Any) -> Any:
        return ctx.hyp1f1(1, 3, reach * z) / 2

    series = monomial(ctx, chebyshev(ctx, f, EXP_DEGREE))
    return tuple(float(c) for c in shifted(ctx, series, 1 / reach, ctx.zero))


@lru_cache(maxsize=1)
def exp_constants() -> tuple[float, float, float]:
    """(1/log 2, the first 33 bits of log 2, the rest): multiples of the second are exact."""
    ctx = table_context()
    two = ctx.log(2)
    high = ctx.floor(two * 2**33) / 2**33
    return float(1 / two), float(high), float(two - high)


@lru_cache(maxsize=1)
def erfcx_monomial() -> tuple[float, tuple[float, ...]]:
    """The polynomial of `erfcx_series` in powers of t, lowest first; its terms add up to 1.8.

    Before it, what rounding took from the first one: half an eps of every value.
    """
    ctx = table_context()
    exact = monomial(ctx, list(_erfcx()))
    return float(exact[0] - float(exact[0])), tuple(float(c) for c in exact)


@lru_cache(maxsize=1)
def erfcx_series() -> tuple[float, tuple[float, ...]]:
    """Chebyshev coefficients of (1 + 2x) exp(x^2) erfc(x) in t = (x - c)/(x + c), x >= 0.

    Before them, what rounding took from the first one.
    """
    found = _erfcx()
    return float(found[0] - float(found[0])), tuple(float(c) for c in found)


@lru_cache(maxsize=1)
def root_half_slip() -> float:
    """How much the double next to sqrt(1/2) is above it, relative to it.

    Then exp(y^2/2) erfc(y sqrt(1/2)) comes out too small by so much times about 2x/(1 + 2x),
    x = y sqrt(1/2): a third of an eps where y is not small, always of one sign.
    """
    ctx = table_context()
    return float(ctx.mpf(float(ctx.sqrt(0.5))) / ctx.sqrt(0.5) - 1)


@lru_cache(maxsize=1)
def _erfcx() -> tuple[Any, ...]:
    ctx = table_context()

    def f(t: Any) -> Any:
        x = ctx.mpf(ERFCX_CENTRE) * (1 + t) / (1 - t)
        if x > 40:  # erfc underflows long before: the asymptotic series is exact to the precision
            terms, term = ctx.one, ctx.one
            for k in range(1, 40):
                term *= -(2 * k - 1) / (2 * x * x)
                terms += term
            scaled = terms / (x * ctx.sqrt(ctx.pi))
        else:
            scaled = ctx.exp(x * x) * ctx.erfc(x)
        return (1 + 2 * x) * scaled

    return tuple(chebyshev(ctx, f, ERFCX_DEGREE))


@lru_cache(maxsize=1)
def erf_series() -> tuple[float, ...]:
    """P with erf(x) = x * P(x**2) for |x| <= 1, lowest power first."""
    ctx = table_context()

    def f(z: Any) -> Any:
        x = ctx.sqrt((z + 1) / 2)
        return ctx.erf(x) / x

    series = monomial(ctx, chebyshev(ctx, f, ERF_DEGREE))
    return tuple(float(c) for c in shifted(ctx, series, ctx.mpf(2), ctx.mpf(-1)))


@lru_cache(maxsize=4)
def legendre(n: int = OWEN_NODES) -> tuple[tuple[float, float], ...]:
    """Gauss-Legendre (node, weight) on [0, 1], for Owen's T function."""
    ctx = table_context()
    rule = []
    for i in range(1, (n + 1) // 2 + 1):
        x = ctx.cos(ctx.pi * (i - ctx.mpf(1) / 4) / (n + ctx.mpf(1) / 2))
        if 2 * i == n + 1:
            x = ctx.zero
        step = ctx.one
        while abs(step) > 2.0**-150:  # Newton on P_n: the next step is below 2**-240
            p0, p1 = ctx.one, x
            for k in range(2, n + 1):
                p0, p1 = p1, ((2 * k - 1) * x * p1 - (k - 1) * p0) / k
            slope = n * (x * p1 - p0) / (x * x - 1)
            step = p1 / slope
            x -= step
        weight = float(1 / ((1 - x * x) * slope * slope))
        rule.append((float((1 - x) / 2), float((1 + x) / 2), weight))
    left = [(a, w) for a, _, w in rule]
    return (*left, *((b, w) for _, b, w in reversed(rule[: n // 2])))
