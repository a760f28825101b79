r"""Integrals of trigonometric polynomials over a sector, as polynomials in its opening.

Of a form f of even or odd degree k in $x = \sin\alpha$ and $y = \sin(\varphi - \alpha)$,
$$\frac{2^{k/2}\,\Gamma(k/2 + 1)}{2\pi\,\ell^{k+1}} \int_0^\varphi f(x, y)\,d\alpha$$
is, for $\ell = \sin\varphi$, the mean of f over the quadrant $u, v > 0$ of two standard normal
variables of correlation $-\cos\varphi$, $x\sin\varphi$ and $y\sin\varphi$ in the place of u and v,
without the power of the sine that makes it small.  It is a power series in
$z = (1 - \cos\varphi)/2$ (a hypergeometric function: Cho and Saul 2009), here a Chebyshev
interpolant of it.  So it is with the chord $\ell = 2\sin(\varphi/2)$, which does not vanish at
$\varphi = \pi$: for monomials it is then nearly constant, where over a power of the sine it grows.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import arb, fmpq

from ..precision import precision
from .lines import Lines
from .program import Operand

NODES, BITS = 40, 400
"""Of Gauss and Legendre's rule, which has 60 digits of forms of degree 12, and of its numbers."""

NOTHING = 200
"""Bits below the first coefficient that are the interpolation's own: the series ends before."""

Form = Callable[[Any, Any], Any]


def series(
    form: Form, degree: int, widest: Fraction, top: int, *, chord: bool = False
) -> tuple[Fraction, ...]:
    """The coefficients of the powers of z, as doubles, lowest first, up to that of `top`.

    `degree` is that of the form; the interpolant is for z up to `widest`.  The singularity at
    z = 1 leaves 5.8^-(top + 1) of it where that is 1/2, 7.8^-(top + 1) where it is 2/5, times what
    it grows by meanwhile.  `chord`: over a power of the chord, which does not grow, else of the
    sine.
    """
    with precision(BITS):
        half = arb(degree) / 2
        scale = arb(2) ** half * (half + 1).gamma() / (2 * arb.pi())
        rule = [arb.legendre_p_root(NODES, k, weight=True) for k in range(NODES)]
        places, values = [], []
        for k in range(top + 1):
            turn = arb.cos_pi_fmpq(fmpq(2 * k + 1, 2 * top + 2))
            z = arb(fmpq(widest.numerator, widest.denominator)) * (1 + turn) / 2
            angle = 2 * z.sqrt().asin()
            whole = arb(0)
            for place, weight in rule:
                one, two = angle * (1 + place) / 2, angle * (1 - place) / 2
                whole += weight * form(one.sin(), two.sin())
            places.append(z)
            side = 2 * z.sqrt() if chord else angle.sin()
            values.append(scale * whole * angle / 2 / side ** (degree + 1))
        for step in range(1, top + 1):  # Newton's divided differences
            for k in range(top, step - 1, -1):
                values[k] = (values[k] - values[k - 1]) / (places[k] - places[k - step])
        powers = [arb(0)] * (top + 1)
        for k in range(top, -1, -1):
            shifted = [arb(0), *powers[:-1]]
            powers = [s - places[k] * p for s, p in zip(shifted, powers, strict=True)]
            powers[0] += values[k]
        least = abs(powers[0]) * arb(2) ** -NOTHING
        numbers = [Fraction(float(p)) if abs(p) > least else Fraction(0) for p in powers]
        while not numbers[-1]:
            numbers.pop()
        return tuple(numbers)


def summed(b: Lines, numbers: tuple[Fraction, ...], z: Operand) -> Operand:
    """The polynomial of these coefficients, lowest first, at z."""
    total: Operand = numbers[-1]
    for number in reversed(numbers[:-1]):
        total = b.emit("add", b.emit("mul", total, z), number)
    return total
