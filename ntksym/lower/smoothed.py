r"""Duals of even polynomials times a smooth step near $\rho = -1$: all digits of small numbers.

With $\tau = 1/a^2$ and Z standard normal, $\Phi(ax)$ is the probability that $x - \sqrt\tau\,Z$ is
positive.  So for $s(x) = p(x)\,\Phi(ax)$ the dual is a mean over the quadrant where
$U = u - \sqrt\tau Z_1$ and $V = v - \sqrt\tau Z_2$ are positive, of what $p(u)\,p(v)$ is on average
for given U and V.  Their covariance is that of u and v with $\tau$ added to both variances, D its
determinant.  Given them, u and v are normal of means
$$\mu_u/r_1 = a x - b_1 y, \quad \mu_v/r_2 = c\,y - b_2 x, \qquad x = U/r_1,\ y = V/r_2,$$
and covariances $C_{11} = a t_1$, $C_{22} = c\,t_2$, $-C_{12} = \rho t_1 t_2$, over $D/(q_{22} +
\tau)$, $D/(q_{11} + \tau)$ and $D/(r_1 r_2)$; here $r_i^2 = q_{ii} + \tau$, and with
$\rho = -q_{12}/(r_1 r_2) > 0$
$$t_1 = \frac{\tau(q_{22} + \tau)}D, \quad a = 1 - t_1 = \frac{\det + \tau q_{11}}D, \quad
b_1 = \rho t_1,$$
and alike with the other index for $t_2$, c and $b_2$.  All of these are positive.  Monomials
in x and y change sign with b; those in $e = xy$ and $d = (x - y)/2$ hardly cancel:
$$\mu_u \mu_v/(r_1 r_2) = B e - G d^2 + H\,\frac{x + y}2\,d, \quad B = (a - b_1)(c - b_2),\
G = 2(a b_2 + b_1 c),\ H = 2(b_1 c - a b_2),$$
and odd powers of d have no mean.  For $x^2\Phi(x)$ the terms add up to at most 1.4 times the dual,
where those of the closed form are $10^9$ times as large at variances of 5000.  What enters in high
powers is divided in two doubles.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import factorial
from typing import Any

from sympy import Expr, Integer

from ..activation import Activation
from ..derivation import Derivation
from ..dual import dual
from .build import Builder
from .exponent import (
    Parts,
    corrected,
    determinant_parts,
    divided_parts,
    linear_parts,
    product_parts,
    sum_parts,
)
from .lines import Lines
from .program import Operand
from .sectors import series, summed

MOST = 4
"""Higher powers are left to the closed form: they have more than fifteen means."""
HUGE = Fraction(2**1000)
"""Larger products of variances overflow when they are multiplied in two doubles."""
WIDEST = {2: Fraction(1, 2), 4: Fraction(2, 5)}
"""Up to this z, by the highest power: rho = 0 and -1/5.  Beyond, the powers of z in the means of
higher ones cancel."""
DEGREE, GROWS = 21, 2
"""Of the series up to there, and more for each power of e, which grows: what is left of them is
below 0.3 eps of their values."""


@dataclass(frozen=True, slots=True)
class Smoothed:
    """s(x) = p(x) Phi(a x) or p(x) Phi(-a x), whose duals are the same.

    Attributes:
        powers: the coefficients of p, all of one sign, by power; even powers alone.
        noise: 1/a^2.
    """

    powers: tuple[tuple[int, Expr], ...]
    noise: Expr


@lru_cache(maxsize=256)
def smoothed(activation: Activation) -> Smoothed | None:
    """An activation of this form, or None.

    Also None for a multiple of Phi(a x): an angle, which keeps its digits.
    """
    found = dual(activation).derivation
    if not isinstance(found, Derivation) or not found.centred or found.jumps:
        return None
    gated = {k.power: c for k, c in found.terms.terms.items() if k.gates}
    plain = {k.power: c for k, c in found.terms.terms.items() if not k.gates}
    gates = {k.gates for k in found.terms.terms if k.gates}
    if len(gates) != 1 or any(
        k.tilt or k.shift or k.const or k.step is not None for k in found.terms.terms
    ):
        return None
    (own,) = gates
    if len(own) != 1 or own[0][1] or own[0][0].is_positive() is not True:
        return None
    if plain and (plain.keys() != gated.keys() or any(plain[n] + gated[n] for n in plain)):
        return None
    powers = {n: c.expr for n, c in gated.items()}
    one_sign = all(c.is_positive for c in powers.values()) or all(
        c.is_negative for c in powers.values()
    )
    if any(n % 2 for n in powers) or not 0 < max(powers) <= MOST or not one_sign:
        return None
    return Smoothed(tuple(sorted(powers.items())), 1 / own[0][0].expr ** 2)


Form = dict[tuple[int, int, int], Operand]
"""A form in x and y: the coefficients of e^i d^(2j) ((x + y) d/2)^k, k at most 1."""


@dataclass(frozen=True, slots=True)
class _Given:
    """Means and covariances for given U and V, scaled as above: of u^2, v^2 and u v."""

    squares: tuple[Form, Form, Form]
    spread: tuple[Operand, Operand, Operand]
    sides: tuple[Operand, Operand]
    sine: Operand
    z: Operand
    length: Operand
    product: Operand


def opposite(b: Builder, closed: Operand, s: Smoothed) -> Operand:
    """The closed form; the same number by means over the quadrant where z is at most `WIDEST`.

    And where the determinant does not overflow.
    """
    at = _given(b, s.noise)
    widest = WIDEST[max(s.powers)[0]]
    total: Operand = Fraction(0)
    for (m, one), (n, two) in product(s.powers, repeat=2):
        value = b.emit("mul", _mean(b, at, m, n, widest), at.sine)
        for side, times in zip(at.sides, (m // 2, n // 2), strict=True):
            for _ in range(times):
                value = b.emit("mul", value, side)
        coefficient = one * two
        if coefficient != Integer(1):
            value = b.emit("mul", value, b.operand(coefficient))
        total = b.emit("add", total, value)
    beyond = b.emit("sub", at.product, HUGE, hint="beyond")
    turned = b.emit("add", b.emit("mul", at.length, 1 - 2 * widest), "q12", hint="turned")
    return b.emit("short", b.emit("max", turned, beyond), Fraction(0), total, closed, hint="value")


def _given(b: Builder, noise: Expr) -> _Given:
    zero = Fraction(0)
    tau = linear_parts(b, noise) or (b.operand(noise), zero)
    q = [("q11", zero), ("q22", zero)]
    wide = [sum_parts(b, side, tau) for side in q]
    high, low = determinant_parts(b, b.known_root)
    det = sum_parts(b, (high, zero), (low, zero))  # the second may be the larger
    kept = [sum_parts(b, det, product_parts(b, tau, side)) for side in q]
    lost = [product_parts(b, tau, side) for side in reversed(wide)]
    whole = sum_parts(b, kept[0], lost[0])
    narrow = [divided_parts(b, whole, side) for side in reversed(wide)]
    square = _rounded(b, divided_parts(b, narrow[0], wide[0]))
    t1, t2 = (_rounded(b, divided_parts(b, side, whole)) for side in lost)
    a, c = (_rounded(b, divided_parts(b, side, whole)) for side in kept)
    both = product_parts(b, *wide)
    length = b.emit("sqrt0", both[0], hint="length")
    rest = b.emit("add", b.emit("cross", both[0], Fraction(1), length, length), both[1])
    rest = b.emit("mul", b.emit("div", rest, both[0]), Fraction(-1, 2))
    cosine = corrected(b, b.emit("div", b.emit("neg", "q12"), length, hint="cosine"), rest)
    z = b.emit("div", square, b.emit("mul", b.emit("add", cosine, Fraction(1)), Fraction(2)))
    b1, b2 = b.emit("mul", t1, cosine), b.emit("mul", t2, cosine)
    apart = [b.emit("sub", a, b1), b.emit("sub", c, b2)]
    over, under = b.emit("mul", a, b2), b.emit("mul", b1, c)
    sum_of, difference = b.emit("add", over, under), b.emit("sub", under, over)
    joint: Form = {
        (1, 0, 0): b.emit("mul", *apart),
        (0, 1, 0): b.emit("mul", sum_of, Fraction(-2)),
        (0, 0, 1): b.emit("mul", difference, Fraction(2)),
    }
    own = [_square(b, *sides) for sides in ((a, b1, apart[0]), (c, b2, apart[1]))]
    spread = (
        b.emit("mul", a, t1),
        b.emit("mul", c, t2),
        b.emit("neg", b.emit("mul", b.emit("mul", t1, t2), cosine)),
    )
    n1, n2 = (_rounded(b, side) for side in narrow)
    sine = b.emit("sqrt0", square, hint="sine")
    return _Given((own[0], own[1], joint), spread, (n1, n2), sine, z, length, both[0])


def _rounded(b: Lines, parts: Parts) -> Operand:
    return b.emit("add", *parts)


def _square(b: Lines, a: Operand, other: Operand, apart: Operand) -> Form:
    """The square of a mean; its sign beside (x + y) d/2 is that of the first, which is u."""
    total = b.emit("add", a, other)
    one, two = b.emit("mul", apart, apart), b.emit("mul", total, total)
    return {
        (1, 0, 0): one,
        (0, 1, 0): b.emit("add", one, two),
        (0, 0, 1): b.emit("mul", b.emit("mul", apart, total), Fraction(2)),
    }


def _mean(b: Lines, at: _Given, m: int, n: int, widest: Fraction) -> Operand:
    """E[u^m v^n] over the quadrant, over its powers of the sides and the sine: Isserlis's rule."""
    total: dict[tuple[int, int], Operand] = {}
    for i, j in product(range(m // 2 + 1), range(n // 2 + 1)):
        for k in range(min(m - 2 * i, n - 2 * j) + 1):
            left = m - 2 * i - k, n - 2 * j - k
            pairs = 2 ** (i + j) * factorial(i) * factorial(j) * factorial(k)
            ways = factorial(m) * factorial(n) // (pairs * factorial(left[0]) * factorial(left[1]))
            factor: Operand = Fraction(ways)
            for one, times in zip(at.spread, (i, j, k), strict=True):
                for _ in range(times):
                    factor = b.emit("mul", factor, one)
            form = _power(b, at.squares, *left)
            for (p, q, odd), value in form.items():
                if not odd:
                    term = b.emit("mul", factor, value)
                    total[p, q] = b.emit("add", total.get((p, q), Fraction(0)), term)
    whole: Operand = Fraction(0)
    for key in sorted(total, key=lambda k: (sum(k), k)):
        mean = summed(b, _series(*key, widest), at.z)
        whole = b.emit("add", whole, b.emit("mul", total[key], mean))
    return whole


def _power(b: Lines, squares: tuple[Form, Form, Form], m: int, n: int) -> Form:
    """The product of powers of the means, m + n even."""
    found: Form = {(0, 0, 0): Fraction(1)}
    more = squares[0] if m > n else _mirrored(b, squares[1])
    for factor in [squares[2]] * min(m, n) + [more] * (abs(m - n) // 2):
        found = _multiplied(b, found, factor)
    return found


def _mirrored(b: Lines, form: Form) -> Form:
    return {k: b.emit("neg", v) if k[2] else v for k, v in form.items()}


def _multiplied(b: Lines, one: Form, two: Form) -> Form:
    """With ((x + y) d/2)^2 = (e + d^2) d^2."""
    found: Form = {}
    for ((i, j, k), x), ((p, q, r), y) in product(one.items(), two.items()):
        value = b.emit("mul", x, y)
        places = [(i + p, j + q, k + r)]
        if k + r == 2:
            places = [(i + p + 1, j + q + 1, 0), (i + p, j + q + 2, 0)]
        for place in places:
            found[place] = b.emit("add", found.get(place, Fraction(0)), value)
    return found


@lru_cache(maxsize=64)
def _series(i: int, j: int, widest: Fraction) -> tuple[Fraction, ...]:
    def form(x: Any, y: Any) -> Any:
        return (x * y) ** i * ((x - y) / 2) ** (2 * j)

    return series(form, 2 * (i + j), widest, DEGREE + GROWS * i)
