r"""High powers of 1/sqrt(D), D = a + b det: what rounding took away from the root, given back.

The duals of bells divide by $D^{5/2}$ and more.  The rounding errors of a root count as often as it
is a factor: seven units in the last place.  With $t = 1/\sqrt D$ as rounded,
$c = 1 - D t^2$ is known from D in two doubles (T. J. Dekker 1971), and

$$D^{-m/2} = t^m (1 - c)^{-m/2} = t^m (1 + m c/2)\,(1 + O(c^2));$$

two factors t are one of $t^2$ as rounded, with the c of that.  In exact arithmetic c is zero.
"""

from __future__ import annotations

from fractions import Fraction

from sympy import Expr

from .exponent import Parts, determinant_parts, kept, linear_parts, product_parts, sum_parts
from .lines import Lines
from .program import Operand

LEAST = 5
"""Lower powers are left alone, their errors are within a few units in the last place; but for third
ones of a root of which a higher one has been formed: what it lacks is then known."""


def over_power(
    b: Lines,
    value: Operand,
    factors: list[tuple[Operand, int]],
    known: tuple[Expr, Expr],
    known_root: Operand | None,
    root: Operand,
    power: int,
) -> Operand:
    """The value times factors over a power of a root, those over so many roots as they are given.

    Of root = sqrt(a + b det), a and b are `known`; `known_root` is what the program is given for
    sqrt(det), which then knows more than q12, or None.
    """
    t = b.emit("div", Fraction(1), root, hint="over")
    square = b.emit("mul", t, t)
    left, counts = power, []
    for _, most in factors:
        counts.append(min(left, most))
        left -= counts[-1]
    singles, rest = (power - left) * [t], left // 2 * [square] + left % 2 * [t]
    of_t, of_square = excess(b, known, known_root, t, square)
    low = b.emit("mul", of_t, Fraction(power - 2 * (left // 2), 2))
    low = b.emit("add", low, b.emit("mul", of_square, Fraction(left // 2)))
    some = rest or singles  # to one of them, which is finite where the value need not be
    some[0] = b.emit("add", some[0], b.emit("mul", some[0], low))
    for (factor, _), count in zip(factors, counts, strict=True):
        for _ in range(count):
            factor = b.emit("mul", factor, singles.pop(0))
        value = b.emit("mul", value, factor)
    for over in rest:
        value = b.emit("mul", value, over)
    return value


def excess(
    b: Lines, known: tuple[Expr, Expr], root: Operand | None, t: Operand, square: Operand
) -> Parts:
    """1 - D*t^2 and 1 - D*square, for t^2 as rounded; 0 where they are not known.

    D is a + b det for the two `known`; `root` is what the program is given for sqrt(det), or None.
    """
    total, zero = _square(b, *known, root), Fraction(0)
    if total is None:
        return zero, zero
    high, low = product_parts(b, total, (square, zero))
    of_square = b.emit("sub", b.emit("sub", Fraction(1), high), low)
    lost = b.emit("mul", total[0], product_parts(b, (t, zero), (t, zero))[1])
    return kept(b, b.emit("sub", of_square, lost)), kept(b, of_square)


def missing(b: Lines, rest: Expr, slope: Expr, root: Operand | None, s: Operand) -> Operand:
    """Rest + slope*det - s^2, for its rounded square root s; 0 where it is not known.

    `root`: what the program is given for sqrt(det), or None.
    """
    total = _square(b, rest, slope, root)
    if total is None:
        return Fraction(0)
    own = product_parts(b, (s, Fraction(0)), (s, Fraction(0)))
    return b.emit("add", *sum_parts(b, total, (b.emit("neg", own[0]), b.emit("neg", own[1]))))


def _square(b: Lines, rest: Expr, slope: Expr, root: Operand | None) -> Parts | None:
    own, factor = linear_parts(b, rest), linear_parts(b, slope)
    if own is None or factor is None:
        return None
    return sum_parts(b, own, product_parts(b, factor, determinant_parts(b, root)))
