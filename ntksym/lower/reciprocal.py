r"""High powers of 1/sqrt(D), D = a + b det: what rounding took away from the root, given back.

The duals of bells divide by $D^{5/2}$ and more.  The rounding errors of a root count as often as it
is a factor: seven units in the last place.  With $t = 1/\sqrt D$ as rounded,
$c = 1 - D t^2$ is known from D in two doubles (T. J. Dekker 1971), and

$$D^{-m/2} = t^m (1 - c)^{-m/2} = t^m (1 + m c/2)\,(1 + O(c^2)).$$

In exact arithmetic c is zero.
"""

from __future__ import annotations

from fractions import Fraction

from sympy import Expr

from .exponent import determinant_parts, kept, linear_parts, product_parts, sum_parts
from .lines import Lines
from .program import Operand

LEAST = 5
"""Lower powers are left alone: their errors are within a few units in the last place."""


def excess(b: Lines, rest: Expr, slope: Expr, root: Operand | None, t: Operand) -> Operand:
    """1 - (rest + slope*det)*t^2; 0 where it is not known.

    `root`: what the program is given for sqrt(det), which then knows more than q12; or None.
    """
    own, factor = linear_parts(b, rest), linear_parts(b, slope)
    if own is None or factor is None:
        return Fraction(0)
    det = product_parts(b, factor, determinant_parts(b, root))
    total = sum_parts(b, own, det)
    high, low = product_parts(b, total, product_parts(b, (t, Fraction(0)), (t, Fraction(0))))
    return kept(b, b.emit("sub", b.emit("sub", Fraction(1), high), low))
