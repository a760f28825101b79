r"""Quotients of polynomials over variances, term by term: for duals whose products overflow.

A closed form has terms such as
$$(3q_{11}q_{12}q_{22} + q_{11}q_{22} + \dots)\sqrt{\det}/(q_{11}q_{22}),$$
whose numerator leaves the range of doubles at variances of 1e100 and of 1e-160, where the quotient
is far inside it.  Divided one by one its monomials do not.

Over the root of the determinant, where s jumps, numerators cancel near $\rho = \pm 1$ too:
$$\frac{q_{11}q_{22}(1 - 2q_{11})(1 - 2q_{22}) + 2q_{12}^2(q_{11} + q_{22} - 2q_{11}q_{22})}
{q_{11}q_{22}\sqrt{\det}} = \frac{1}{\sqrt{\det}} + 4\sqrt{\det} - \frac{2\sqrt{\det}}{q_{11}} -
\frac{2\sqrt{\det}}{q_{22}}$$
with $q_{12}^2 = q_{11}q_{22} - \det$.  What stays over the root is the jump alone.
"""

from __future__ import annotations

from fractions import Fraction

from sympy import Add, Basic, Expr, Integer, Mul, Pow, expand

from .. import symbols as S
from .calm import calm
from .conditioning import overflows
from .grades import Parts
from .polynomial import DET, from_monomials, in_det, is_polynomial, monomials, positive_form

_HUGE = (Fraction(10**120), Fraction(10**80), Fraction(10**60), Fraction(10**40))
"""For duals that grow like the variance, its square and higher powers, and what they divide by."""
_DETERMINANT = S.q11 * S.q22 - S.q12**2


def spread_out(e: Expr) -> Expr:
    """The expression with such quotients term by term where that saves it; else as it is."""
    e = Add(*(_over_root(t) for t in Add.make_args(e)))
    quotients = [t for t in Add.make_args(e) if _quotient(t)]
    whole = Add(*quotients)  # of exponentials that decay something is tiny at any variance
    least = next((v for v in reversed(_HUGE) if quotients and overflows((whole,), v)), None)
    if least is None:
        return e
    found = Add(*map(_spread, quotients))
    return e if overflows((found,), least) else e - whole + found


def _over_root(e: Expr) -> Expr:
    """A term with a sum over the root by powers of the determinant, where what is left over the
    root is of lower degree then: the others cancelled.  Else as it is.
    """
    roots = [f for f in Mul.make_args(e) if isinstance(f, Pow) and f.base == _DETERMINANT]
    sums = [f for f in Mul.make_args(e) if isinstance(f, Add) and is_polynomial(f)]
    if not any(f.exp.is_negative and not f.exp.is_integer for f in roots) or len(sums) != 1:
        return e
    parts = monomials(sums[0])
    turned = in_det(parts)
    left = {key: c for key, c in turned.items() if DET not in dict(key)}
    if _degree(left) >= _degree(parts):
        return e
    rest = Mul(*(f for f in Mul.make_args(e) if f is not sums[0]))
    terms = Add.make_args(expand(from_monomials(turned)))
    return Add(*(_restored(t, rest) for t in terms))


def _degree(parts: Parts) -> int:
    """The highest degree of monomials in the entries of the covariance, their determinant two."""
    weights = {S.q11: 1, S.q12: 1, S.q22: 1, DET: 2}
    return max((sum(n * weights.get(s, 0) for s, n in key) for key in parts), default=0)


def _quotient(e: Expr) -> tuple[Expr, Expr] | None:
    """(numerator, everything else) of a term with a sum over a variance; None for others."""
    below = [f for f in Mul.make_args(e) if _over(f)]
    sums = [f for f in Mul.make_args(e) if isinstance(f, Add) and is_polynomial(f)]
    if not below or len(sums) != 1:
        return None
    return sums[0], Mul(*(f for f in Mul.make_args(e) if f is not sums[0]))


def _over(f: Expr) -> bool:
    """Whether a factor is a negative power of a variance, or of one plus a positive number."""
    if not (isinstance(f, Pow) and f.exp.is_negative):
        return False
    entries = f.base.free_symbols & {S.q11, S.q22}
    return len(entries) == 1 and is_polynomial(f.base) and _grows_with(f.base, *entries)


def _grows_with(base: Expr, entry: Basic) -> bool:
    slope = base.coeff(entry)
    rest = expand(base - slope * entry)
    return bool(slope.is_positive and rest.is_nonnegative)


def _spread(e: Expr) -> Expr:
    found = _quotient(e)
    if found is None:
        return e
    top, rest = found
    form = expand(positive_form(top) or calm(top) or top)
    return Add(*(_restored(t, rest) for t in Add.make_args(form)))


def _restored(term: Expr, rest: Expr) -> Expr:
    """One monomial times the rest, the determinant written out."""
    n = Integer(0)
    for f in Mul.make_args(term):
        base, exponent = f.as_base_exp()
        n += exponent if base == DET else 0
    return Mul(term / DET**n, rest, Pow(_DETERMINANT, n))
