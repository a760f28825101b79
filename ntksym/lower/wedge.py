r"""Duals of one-sided powers near $\rho = -1$: small numbers, to full relative accuracy.

With $c = -\rho$, $\varphi = \arccos c$ and $w = \sqrt{\det}$, in polar coordinates
$$E[u_+^m v_+^n] = \frac{2^{k/2}\Gamma(k/2 + 1)}{2\pi}\,r_1^m r_2^n
\int_0^\varphi \sin^m\alpha\,\sin^n(\varphi - \alpha)\,d\alpha, \qquad k = m + n,\ r_i^2 = q_{ii},$$
of the order of $\varphi^{k+1}$, where the terms of the closed form are of that of $\varphi$.  The
integral over $\sin^{k+1}\varphi$ is a power series in $z = (1 - c)/2$ with positive coefficients
(a hypergeometric function: Cho and Saul 2009), here a Chebyshev interpolant of it.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import product

from sympy import Expr, Integer, sqrt

from .. import symbols as S
from ..activation import Activation
from ..derivation import Derivation
from ..dual import dual
from ..errors import NtksymError
from ..terms.cells import cells, inside
from .build import Builder
from .polynomial import DET, FAR
from .program import Operand

MOST = 6
"""Higher powers are left to the closed form."""
WIDEST = Fraction(3, 8)
"""Up to this z, which is rho = -1/4: there the closed form loses nothing that counts."""
DEGREE = 21
"""Of the interpolant: the singularity at z = 1 leaves 8.5^-22 of it."""

Powers = dict[int, Expr]


@lru_cache(maxsize=256)
def one_sided(activation: Activation) -> tuple[Powers, Powers] | None:
    """The coefficients of s and of s' as powers of |x| on one side of 0; None for other s.

    Also None where s jumps, and where it has no power above the first: other rows are for those.
    """
    found = dual(activation).derivation
    if not isinstance(found, Derivation) or not found.centred or found.jumps:
        return None
    try:
        every = cells(found.terms)
        pieces = [inside(found.terms, c) for c in every]
    except NtksymError:
        return None
    if len(pieces) != 2 or every[0][1] is None or every[0][1] or bool(pieces[0]) == bool(pieces[1]):
        return None
    side = 1 if pieces[1] else -1
    terms = (pieces[1] if pieces[1] else pieces[0]).terms
    if any(k.tilt or k.shift or k.gates for k in terms):
        return None
    powers = {k.power: side**k.power * c.expr for k, c in terms.items()}
    if len(powers) != len(terms) or not 1 < max(powers) <= MOST:
        return None
    return powers, {n - 1: n * c for n, c in powers.items() if n}


def opposite(b: Builder, closed: Operand, powers: Powers) -> Operand:
    """The closed form; the same number by the integral where rho is at most -1/4."""
    root, length = b.operand(sqrt(DET)), b.length()
    z = b.emit("div0", b.operand(FAR), b.length(2), hint="half_gap")
    sine = b.emit("div0", root, length, hint="sine")
    square = b.emit("mul", root, root, hint="det")
    total: Operand = Fraction(0)
    for (m, one), (n, two) in product(powers.items(), repeat=2):
        series: Operand = Fraction(0)
        for number in reversed(_series(min(m, n), max(m, n))):
            series = b.emit("add", b.emit("mul", series, z), number)
        value = b.emit("mul", series, sine)
        for q, times in ((S.q11, n), (S.q22, m)):  # root/r to this power
            narrow = b.emit("div0", square, q.name)
            for _ in range(times // 2):
                value = b.emit("mul", value, narrow)
            if times % 2:
                value = b.emit("mul", value, b.emit("div0", root, b.operand(sqrt(q))))
        coefficient = one * two
        if coefficient != Integer(1):
            value = b.emit("mul", value, b.operand(coefficient))
        total = b.emit("add", total, value)
    four = b.emit("mul", "q12", 1 / (1 - 2 * WIDEST))
    return b.emit("short", four, b.emit("neg", length), total, closed, hint="value")


@lru_cache(maxsize=64)
def _series(m: int, n: int) -> tuple[Fraction, ...]:
    """The coefficients of the powers of z, as doubles, lowest first."""
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = 50
    scale = ctx.mpf(2) ** (ctx.mpf(m + n) / 2) * ctx.gamma(ctx.mpf(m + n) / 2 + 1) / (2 * ctx.pi)
    top = ctx.mpf(WIDEST.numerator) / WIDEST.denominator
    places, values = [], []
    for k in range(DEGREE + 1):
        z = top * (1 + ctx.cos(ctx.pi * (2 * k + 1) / (2 * DEGREE + 2))) / 2
        angle = 2 * ctx.asin(ctx.sqrt(z))
        whole = ctx.quad(lambda t, w=angle: ctx.sin(t) ** m * ctx.sin(w - t) ** n, [0, angle])
        places.append(z)
        values.append(scale * whole / ctx.sin(angle) ** (m + n + 1))
    for step in range(1, DEGREE + 1):  # Newton's divided differences
        for k in range(DEGREE, step - 1, -1):
            values[k] = (values[k] - values[k - 1]) / (places[k] - places[k - step])
    powers = [ctx.zero] * (DEGREE + 1)
    for k in range(DEGREE, -1, -1):
        shifted = [ctx.zero, *powers[:-1]]
        powers = [s - places[k] * p for s, p in zip(shifted, powers, strict=True)]
        powers[0] += values[k]
    return tuple(Fraction(float(p)) for p in powers)
