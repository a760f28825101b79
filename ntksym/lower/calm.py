r"""Polynomials in the covariance that change sign, in the coordinates in which they cancel least.

No form of such a polynomial is without cancellation, but how much there is depends on the form: of
$2q_{11}q_{12}^2q_{22} - q_{12}^4 - q_{11}^2q_{22}^2$ nothing is left at q12 = sqrt(q11 q22), where
$-\det^2$ keeps every digit.  The sizes of the terms are added up at points near and far from
rho = +-1, at small, usual and large variances, in exact arithmetic.
"""

from __future__ import annotations

from fractions import Fraction

from sympy import Expr, I, Rational, Symbol

from .. import symbols as S
from .grades import Parts, graded
from .polynomial import DET, from_monomials, in_det, is_polynomial, monomials

WORTH = 8
"""So many times smaller must the terms be somewhere, and nowhere twice as large."""
MOST = 120
"""Longer polynomials are left as they are."""
_VALUE = Fraction(3, 4)
_SIDES = tuple(
    (Fraction(a), Fraction(a) * r) for a in (Fraction(1, 10**4), 1, 10**4) for r in (1, 9)
)
"""Variances whose product is a square."""
_POINTS = tuple(
    (a, rho * r, b)
    for a, b in _SIDES
    for r in (a if a == b else 3 * a,)
    for rho in (Fraction(1, 2), 1 - Fraction(1, 10**9), Fraction(1, 10**9) - 1)
)


def calm(e: Expr) -> Expr | None:
    """An equal polynomial in q11, q12, q22 and `DET` whose terms are smaller; None where none is.

    Parameters count as numbers of their sign: which form is best hardly depends on their size.
    Where a sign is not known, terms that add up for one sign cancel for the other: None.
    """
    if not is_polynomial(e) or S.q12 not in e.free_symbols or e.has(I) or not _signs_known(e):
        return None
    parts = monomials(e)
    if not 2 < len(parts) <= MOST:
        return None
    forms = [in_det(parts), graded(parts, DET, _one_sided)[0]]
    own = _sizes(parts)
    for form in forms:
        sizes = _sizes(form)
        if all(t <= 2 * u for t, u in zip(sizes, own, strict=True)) and any(
            WORTH * t <= u for t, u in zip(sizes, own, strict=True)
        ):
            return from_monomials(form)
    return None


def _signs_known(e: Expr) -> bool:
    return all(s.is_nonnegative or s.is_nonpositive or s == S.q12 for s in e.free_symbols)


def _one_sided(parts: Parts) -> bool:
    """Whether all coefficients of a grade have one sign, and with them all its terms."""
    return len({_number(c) > 0 for c in parts.values()}) == 1


def _sizes(parts: Parts) -> tuple[Fraction, ...]:
    """The sums of the sizes of the terms at the points."""
    coefficients = [abs(_number(c)) for c in parts.values()]
    found = []
    for a, c, b in _POINTS:
        at = {S.q11: a, S.q12: abs(c), S.q22: b, DET: a * b - c * c}
        total = Fraction(0)
        for key, size in zip(parts, coefficients, strict=True):
            for s, n in key:
                size *= at.get(s, _VALUE) ** n
            total += size
        found.append(total)
    return tuple(found)


def _number(c: Expr) -> Fraction:
    given: dict[Symbol, Rational] = {
        s: Rational(-3 if s.is_negative else 3, 4) for s in c.free_symbols if isinstance(s, Symbol)
    }
    return Fraction(float(c.xreplace(given)))
