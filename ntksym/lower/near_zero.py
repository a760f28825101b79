r"""Values of an activation beside 0, where its terms cancel: by its Taylor polynomial.

A piece is a sum of terms $c\,x^n e^{bx - ax^2/2}\prod\Phi(gx + h)$.  Of $x\,\mathrm{erf}(x)$ that
is $2x\Phi(\sqrt2x) - x$, whose terms are of order x for a value of order $x^2$: at $x = 10^{-10}$
six digits are left.  The coefficients of the polynomial are exact; those that are 0 are left out.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import factorial

from ..terms import TermSum
from .build import Builder
from .program import Operand

ORDER = 24
"""Powers of x; the last `_LAST` of them only say how far the others hold."""
_LAST = 4
_BELOW = tuple(Fraction(2) ** k for k in range(4, -13, -1))
"""How far from 0 it is taken: the first of these where what is left out is not seen."""
_UNSEEN = 2.0**-56


@lru_cache(maxsize=256)
def taylor_near(f: TermSum) -> tuple[Fraction, tuple[Fraction, ...]] | None:
    """How far from 0 the polynomial is taken, and its coefficients, lowest power first.

    None where the lowest powers of the terms do not cancel, and with open parameters: how far the
    polynomial holds depends on them.
    """
    lowest = min((k.power for k in f.terms), default=0)
    zero = f.field.integer(0)
    found: list[float] = []
    for n in range(ORDER):
        at = f.at(zero).expr
        if at.free_symbols or not at.is_number:
            return None
        b = Builder(())
        value = b.program("number", (("c", b.operand(at)),)).evaluate({})["c"]
        found.append(float(value / factorial(n)) if at != 0 else 0.0)
        if n == lowest and found[n]:
            return None
        f = f.derivative()[0]
    first = next((n for n, c in enumerate(found) if c), ORDER)
    if first >= ORDER - 2 * _LAST:
        return None
    for below in _BELOW:
        r = float(below)
        rest = sum(abs(c) * r**n for n, c in enumerate(found[-_LAST:], ORDER - _LAST))
        if rest <= _UNSEEN * abs(found[first]) * r**first:
            return below, tuple(map(Fraction, found[:-_LAST]))
    return None


def piece_value(b: Builder, f: TermSum, beside: bool) -> Operand:
    """The value of a piece at x; `beside` says whether 0 is in it, or at its end."""
    value = b.operand(f.expr)
    near = taylor_near(f) if beside else None
    if near is None:
        return value
    below, coefficients = near
    place = b.emit("clamp", "x", -below, below)
    total: Operand = Fraction(0)
    for c in reversed(coefficients):
        total = b.emit("add", b.emit("mul", total, place), c)
    return b.emit("select", b.emit("abs", "x"), below, total, value)
