r"""Duals of one-sided powers at $\rho \le 0$: small numbers, to full relative accuracy.

With $c = -\rho$, $\varphi = \arccos c$, $h = r_1 r_2$, $r_i^2 = q_{ii}$, and the chord
$\ell = 2\sin(\varphi/2)$, in polar coordinates
$$E[u_+^m v_+^n] = \frac{2^{k/2}\Gamma(k/2 + 1)}{2\pi}\,r_1^m r_2^n
\int_0^\varphi \sin^m\alpha\,\sin^n(\varphi - \alpha)\,d\alpha, \qquad k = m + n,$$
is $r_1^m r_2^n\,\ell^{k+1}$ times a series in $z = \ell^2/4$ that is nearly constant (`sectors`),
where the terms of the closed form, all positive for $\rho > 0$, cancel to the order of
$\varphi^{k+1}$ from that of $\varphi$.  All is made of $g = h + q_{12} = 2hz$, which is the root of
$(g - q_{12})^2 = q_{11}q_{22}$: a step of Newton's with exact products gives back what rounding
takes from it, which would count k/2 + 1/2 times.  It is formed from the
determinant, $g(g - 2q_{12})$, which may be less than an eps of the products it is of.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import product

from sympy import Expr, Integer

from ..activation import Activation
from ..derivation import Derivation
from ..dual import dual
from ..errors import NtksymError
from ..terms.cells import cells, inside
from .build import Builder
from .exponent import determinant_parts, finite_rest, kept, power_parts, product_parts, sum_parts
from .polynomial import FAR
from .program import Operand
from .sectors import series, summed

MOST = 6
"""Higher powers are left to the closed form."""
WIDEST = Fraction(1, 2)
"""Of z: rho = 0."""
DEGREE = 17
"""Of the series up to there: what is left of them is below 1e-17 of their values."""
SPLIT = 3
"""Powers of the gap from this one on are formed with what rounding takes from them."""

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
    """The closed form; the same number by the integral where rho is at most 0."""
    gap = b.operand(FAR)
    lost = _lost(b, gap)
    z = b.emit("div0", gap, b.length(2), hint="half_gap")
    chord = b.emit("mul", b.emit("sqrt0", z), Fraction(2), hint="chord")
    twice = b.emit("mul", gap, Fraction(2))
    total: Operand = Fraction(0)
    for (m, one), (n, two) in product(powers.items(), repeat=2):
        rest = b.emit("mul", lost, Fraction(m + n + 1, 2))
        side = b.emit("add", chord, b.emit("mul", chord, rest), hint="chord")
        value = b.emit("mul", summed(b, _series(min(m, n), max(m, n)), z), side)
        if m != n:
            r = b.emit("sqrt0", "q11" if m > n else "q22")
            for _ in range(abs(m - n)):
                value = b.emit("mul", value, b.emit("mul", r, chord))
        value = _times_power(b, value, twice, min(m, n))
        coefficient = one * two
        if coefficient != Integer(1):
            value = b.emit("mul", value, b.operand(coefficient))
        total = b.emit("add", total, value)
    return b.emit("short", "q12", Fraction(0), total, closed, hint="value")


def _times_power(b: Builder, value: Operand, base: Operand, n: int) -> Operand:
    """value*base^n; from the third power on without its rounding errors, which would add up."""
    if n < SPLIT:
        for _ in range(n):
            value = b.emit("mul", value, base)
        return value
    power, rest = power_parts(b, base, n)
    low = b.emit("mul", value, finite_rest(b, rest))
    return b.emit("add", b.emit("mul", value, power), low)


def _lost(b: Builder, gap: Operand) -> Operand:
    """What rounding took from the gap, over it: of the root where one is given."""
    zero = Fraction(0)
    squared = determinant_parts(b, b.known_root, close=True)
    long = sum_parts(b, (gap, zero), (b.emit("mul", "q12", Fraction(-2)), zero))
    near = product_parts(b, (gap, zero), long)
    missing, more = sum_parts(b, squared, (b.emit("neg", near[0]), b.emit("neg", near[1])))
    slope = b.emit("mul", gap, b.length(2))
    return kept(b, b.emit("div0", b.emit("add", missing, more), slope))


@lru_cache(maxsize=64)
def _series(m: int, n: int) -> tuple[Fraction, ...]:
    return series(lambda x, y: x**m * y**n, m + n, WIDEST, DEGREE, chord=True)
