r"""Polynomials in the covariance that change sign, in the coordinates in which they cancel least.

No form of such a polynomial is without cancellation, but how much there is depends on the form: of
$2q_{11}q_{12}^2q_{22} - q_{12}^4 - q_{11}^2q_{22}^2$ nothing is left at q12 = sqrt(q11 q22), where
$-\det^2$ keeps every digit.  The sizes of the terms are added up at points near and far from
rho = +-1, at small, usual and large variances, in exact arithmetic; the form is taken whose terms
are nowhere much larger than the smallest of all forms there.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from sympy import Add, Expr, I, Mul, Rational, Symbol

from .. import symbols as S
from .grades import Monomial, Parts, graded
from .polynomial import DET, MEMO, from_monomials, in_det, is_polynomial, monomials

WORTH = 8
"""So many times smaller must the terms be somewhere."""
LARGER, ALIKE = 3, 2
"""Nowhere may they be so many times as large; and of forms that differ by less, the first."""
MOST = 400
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


@lru_cache(maxsize=MEMO)
def calm(e: Expr, known: Expr | None = None) -> Expr | None:
    """An equal polynomial in q11, q12, q22 and `DET` whose terms are smaller; None where none is.

    Smaller than those of `known`, a sum of products of other polynomials that it equals too; by
    default than its own when it is expanded.
    Parameters count as numbers of their sign: which form is best hardly depends on their size.
    Where a sign is not known, terms that add up for one sign cancel for the other: None.
    """
    if not is_polynomial(e) or S.q12 not in e.free_symbols or e.has(I) or not _signs_known(e):
        return None
    parts = monomials(e)
    if not 2 < len(parts) <= MOST:
        return None
    own = _sizes(parts) if known is None else _sizes_of(known)
    found = []
    for form in (in_det(parts), graded(parts, DET, _one_sided)[0]):
        sizes = _sizes(form)
        pairs = list(zip(sizes, own, strict=True))
        if all(t < LARGER * u for t, u in pairs) and any(WORTH * t <= u for t, u in pairs):
            found.append((form, sizes))
    if not found:
        return None
    least = [min(column) for column in zip(own, *(sizes for _, sizes in found), strict=True)]

    def worst(sizes: tuple[Fraction, ...]) -> Fraction:
        shares: list[Fraction] = [t / u for t, u in zip(sizes, least, strict=True) if u]
        return max(Fraction(ALIKE), *shares)

    return from_monomials(min(found, key=lambda f: worst(f[1]))[0])


def _signs_known(e: Expr) -> bool:
    return all(s.is_nonnegative or s.is_nonpositive or s == S.q12 for s in e.free_symbols)


def _one_sided(parts: Parts) -> bool:
    """Whether all coefficients of a grade have one sign, and with them all its terms."""
    return len({_number(c) > 0 for c in parts.values()}) == 1


def _sizes(parts: Parts) -> tuple[Fraction, ...]:
    """The sums of the sizes of the terms at the points."""
    coefficients = [abs(_number(c)) for c in parts.values()]
    columns = zip(*map(_monomial_sizes, parts), strict=True)
    return tuple(
        sum((c * size for c, size in zip(coefficients, column, strict=True)), Fraction(0))
        for column in columns
    )


@lru_cache(maxsize=MEMO)
def _monomial_sizes(key: Monomial) -> tuple[Fraction, ...]:
    """The sizes of a monomial at the points, 3/4 for every parameter."""
    found = []
    for a, c, b in _POINTS:
        at = {S.q11: a, S.q12: abs(c), S.q22: b, DET: a * b - c * c}
        size = Fraction(1)
        for s, n in key:
            size *= at.get(s, _VALUE) ** n
        found.append(size)
    return tuple(found)


def _sizes_of(e: Expr) -> tuple[Fraction, ...]:
    """The same of a sum of products of polynomials, the sizes of the products added up."""
    found = [Fraction(0)] * len(_POINTS)
    for term in Add.make_args(e):
        factors = [monomials(f) for f in Mul.make_args(term)]
        for k, at in enumerate(_POINTS):
            size = Fraction(1)
            for f in factors:
                size *= abs(_value(f, at))
            found[k] += size
    return tuple(found)


def _value(parts: Parts, point: tuple[Fraction, ...]) -> Fraction:
    """A polynomial at a point, 3/4 for every parameter."""
    at = dict(zip((S.q11, S.q12, S.q22), point, strict=True))
    total = Fraction(0)
    for key, coeff in parts.items():
        term = _number(coeff)
        for s, n in key:
            term *= at.get(s, _VALUE) ** n
        total += term
    return total


def _number(c: Expr) -> Fraction:
    given: dict[Symbol, Rational] = {
        s: Rational(-3 if s.is_negative else 3, 4) for s in c.free_symbols if isinstance(s, Symbol)
    }
    return Fraction(float(c.xreplace(given)))
