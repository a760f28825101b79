r"""Quotients of polynomials over variances, term by term: for duals whose products overflow.

A closed form has terms such as
$$(3q_{11}q_{12}q_{22} + q_{11}q_{22} + \dots)\sqrt{\det}/(q_{11}q_{22}),$$
whose numerator leaves the range of doubles at variances of 1e100 and of 1e-160, where the quotient
is far inside it.  Divided one by one its monomials do not.
"""

from __future__ import annotations

from fractions import Fraction

from sympy import Add, Expr, Integer, Mul, Pow, expand

from .. import symbols as S
from .conditioning import overflows
from .polynomial import DET, is_polynomial, positive_form

_HUGE = (Fraction(10**120), Fraction(10**80), Fraction(10**60))
"""For duals that grow like the variance, its square and third power; and higher."""
_DETERMINANT = S.q11 * S.q22 - S.q12**2


def spread_out(e: Expr) -> Expr:
    """The expression with such quotients term by term where that saves it; else as it is."""
    if not any(_quotient(t) for t in Add.make_args(e)):
        return e
    least = next((v for v in reversed(_HUGE) if overflows((e,), v)), None)
    if least is None:
        return e
    found = Add(*(_spread(t) for t in Add.make_args(e)))
    return e if overflows((found,), least) else found


def _quotient(e: Expr) -> tuple[Expr, Expr] | None:
    """(numerator, everything else) of a term with a sum over a variance; None for others."""
    below = [f for f in Mul.make_args(e) if _over(f)]
    sums = [f for f in Mul.make_args(e) if isinstance(f, Add) and is_polynomial(f)]
    if not below or len(sums) != 1:
        return None
    return sums[0], Mul(*(f for f in Mul.make_args(e) if f is not sums[0]))


def _over(f: Expr) -> bool:
    return isinstance(f, Pow) and f.base in (S.q11, S.q22) and bool(f.exp.is_negative)


def _spread(e: Expr) -> Expr:
    found = _quotient(e)
    if found is None:
        return e
    top, rest = found
    form = expand(positive_form(top) or top)
    return Add(*(_restored(t, rest) for t in Add.make_args(form)))


def _restored(term: Expr, rest: Expr) -> Expr:
    """One monomial times the rest, the determinant written out."""
    n = Integer(0)
    for f in Mul.make_args(term):
        base, exponent = f.as_base_exp()
        n += exponent if base == DET else 0
    return Mul(term / DET**n, rest, Pow(_DETERMINANT, n))
