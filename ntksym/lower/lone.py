r"""The dual of $e^{bx^2}$ with a parameter b of either sign, at any variance.

$$K = \frac{1}{\sqrt P}, \qquad \frac{\partial K}{\partial q_{12}} = c\,q_{12} K^3, \qquad
P = 1 - 2b(q_{11} + q_{22}) + 4b^2\det.$$

det leaves the range of doubles from variances of 1e154 on, and the third power of the root of P
from 1e103 on, where K and its derivative are far inside it.  With a power of two u,
$K = u\,/\sqrt{u^2 (P - 4b^2\det) + (2bu\sqrt{\det})^2}$; the derivative is a product of K.  Where
all terms of P are known to be positive `Builder` has its root without this.
"""

from __future__ import annotations

from fractions import Fraction

from sympy import Expr, Pow, Rational, expand, sqrt

from .. import symbols as S
from .build import Builder
from .likes import DualLike
from .polynomial import DET, from_monomials, in_det, is_polynomial, monomials, positive_form
from .program import Operand

_WIDE = Fraction(2) ** 250
"""The root of what the root of the determinant is brought to."""


def lone_root(value: Expr, dot: Expr) -> tuple[Expr, Expr, Expr] | None:
    r"""(rest, slope, c) of a dual $(\text{rest} + \text{slope}\det)^{-1/2}$ with the derivative
    $c\,q_{12}$ times its third power, the slope a square; None for other duals.
    """
    if not (isinstance(value, Pow) and value.exp == Rational(-1, 2) and is_polynomial(value.base)):
        return None
    if positive_form(value.base) is not None:
        return None
    form = expand(from_monomials(in_det(monomials(value.base))))
    slope = form.coeff(DET, 1)
    rest = expand(form - slope * DET)
    lead = dot / value**3 / S.q12
    entries = {S.q11, S.q12, S.q22}
    if (slope.free_symbols | lead.free_symbols) & entries or not slope.is_nonnegative:
        return None
    return None if rest.free_symbols & {DET, S.q12} else (rest, slope, lead)


def lone_pair(b: Builder, d: DualLike) -> tuple[Operand, Operand] | None:
    """The dual and its derivative in a builder, or None."""
    found = lone_root(d.value, d.dot)
    if found is None:
        return None
    rest, slope, lead = found
    side = b.emit("mul", b.operand(sqrt(DET)), b.emit("sqrt0", b.operand(slope)), hint="side")
    half = b.emit("rescale", side, _WIDE)
    u = b.emit("mul", half, half, hint="unit")
    near, far = b.emit("mul", b.emit("mul", b.operand(rest), u), u), b.emit("mul", side, u)
    root = b.emit("sqrt0", b.emit("add", near, b.emit("mul", far, far)), hint="root")
    value = b.emit("div0", u, root, hint="value")  # infinite at the end of the domain
    turn = b.emit("mul", b.emit("mul", b.operand(lead * S.q12), value), value)
    return value, b.emit("mul", turn, value, hint="slope")
