r"""Owen's T function by moments: a few multiplications where a quadrature takes exponentials.

$T(h, a) = \frac{a}{2\pi} e^{-h^2/2} \int_0^1 \frac{e^{-w x^2}}{1 + a^2 x^2} dx$ with
$w = a^2 h^2/2$ (D. B. Owen 1956).  For $a \le 1$ the fraction is a polynomial of $a^2 x^2$ to
rounding, and the moments $M_k = e^{-h^2/2} \int_0^1 x^{2k} e^{-w x^2} dx$ follow from each other,
downwards and with positive terms only: $(2k + 1) M_k = 2w M_{k+1} + D$, $D = e^{-h^2/2 - w}$, which
is the density at the corner and is the only exponential.
"""

from __future__ import annotations

from functools import lru_cache

from .c.text import c_literal
from .tables import chebyshev, monomial, shifted, table_context

DEGREE = 21
"""Of the polynomial for 1/(1 + t), 0 <= t <= 1: its error is below 2**-54."""
MOST = 8.0
"""The largest w: beyond, Gauss-Legendre."""


@lru_cache(maxsize=1)
def fractions() -> tuple[float, ...]:
    """The coefficients of 1/(1 + t) on [0, 1] over 2k + 1, lowest power first."""
    ctx = table_context()
    series = monomial(ctx, chebyshev(ctx, lambda z: 2 / (3 + z), DEGREE))
    powers = shifted(ctx, series, ctx.mpf(2), ctx.mpf(-1))
    return tuple(float(c / (2 * k + 1)) for k, c in enumerate(powers))


@lru_cache(maxsize=1)
def last_moment() -> tuple[float, ...]:
    """(2k + 1) M_k / D for k = DEGREE as a polynomial of 2w, lowest power first.

    It is 1F1(1; k + 3/2; w).  An error of it passes on to the moments before, a step from k + 1 to
    k keeping 2w/(2k + 3) of it, and with the `fractions` to the sum, which is D at least.
    """
    ctx = table_context()
    share, weight = 1.0, 0.0
    for k in range(DEGREE, -1, -1):
        share *= 2 * MOST / (2 * k + 3) if k < DEGREE else 1.0
        weight += abs(fractions()[k]) * share
    enough = ctx.mpf(2) ** -56 / weight
    for degree in range(4, 40):
        series = chebyshev(
            ctx, lambda z: ctx.hyp1f1(1, DEGREE + ctx.mpf(3) / 2, (z + 1) * MOST / 2), degree
        )
        if abs(series[-1]) + abs(series[-2]) < enough:
            break
    powers = shifted(ctx, monomial(ctx, series), 1 / ctx.mpf(MOST), ctx.mpf(-1))
    return tuple(map(float, powers))


def moments_text() -> str:
    """C that ends in `sum1` and `sum2`, integrals times exp(-h^2/2) over D, from t = a^2 and
    twice = 2w of both: two chains of dependent steps side by side take hardly more time than one.

    `moment` is (2k + 1) M_k / D times 1/(1*3*...*(2k + 1)), so that a step is one operation.
    """
    ctx = table_context()
    found, start = fractions(), last_moment()
    scales = [ctx.one]
    for k in range(DEGREE):
        scales.append(scales[-1] / (2 * k + 3))
    start = tuple(float(c * scales[DEGREE]) for c in start)
    ends = [c_literal(float(c / scales[k])) for k, c in enumerate(found)]
    text = "".join(f"    double moment{i} = {c_literal(start[-1])}, sum{i};\n" for i in "12")
    steps = [f"moment@ = NTKSYM_MADD(twice@, moment@, {c_literal(c)});" for c in start[-2::-1]]
    steps.append(f"sum@ = {ends[-1]} * moment@;")
    for k in range(DEGREE - 1, -1, -1):
        steps.append(f"moment@ = NTKSYM_MADD(twice@, moment@, {c_literal(float(scales[k]))});")
        steps.append(f"sum@ = NTKSYM_MADD(t@, sum@, {ends[k]} * moment@);")
    for step in steps:
        text += "".join(f"    {step.replace('@', i)}\n" for i in "12")
    return text.rstrip("\n")
