r"""Duals of polynomials, power by power of q12, in factors of one point each.

$$E[s(u)s(v)] = \sum_n \frac{q_{12}^n}{n!}\,E[s^{(n)}(u)]\,E[s^{(n)}(v)]$$

(Mehler's series; finite for a polynomial s).  By the Cauchy-Schwarz inequality the sizes of the
terms add up to at most $\sqrt{K(q_{11})K(q_{22})}$, while the expanded coefficients of $q_{12}^n$
cancel: those of Hermite's polynomials are powers of $(1 - q_{11})(1 - q_{22})$.
"""

from __future__ import annotations

from functools import lru_cache

from sympy import Add, Expr, Integer, Mul, Poly, Pow, Symbol, expand, factor

from .. import symbols as S
from .polynomial import MEMO, from_monomials, is_polynomial, monomials


@lru_cache(maxsize=MEMO)
def separated(e: Expr) -> Expr | None:
    """An equal sum of $q_{12}^n$ times factors of one point; None where that changes nothing.

    Nothing changes unless some coefficient of a power is a sum with terms of both signs; all must
    be products of a polynomial in q11 and one in q22.
    """
    if not is_polynomial(e, (S.q11, S.q22)) or not _signs_known(e):
        return None
    powers: dict[int, dict[tuple[tuple[Symbol, int], ...], Expr]] = {}
    for key, coeff in monomials(e).items():
        n = dict(key).get(S.q12, 0)
        powers.setdefault(n, {})[tuple(p for p in key if p[0] != S.q12)] = coeff
    if not any(_mixed(list(own.values())) for own in powers.values()):
        return None
    terms: list[Expr] = []
    for n, own in sorted(powers.items()):
        found = _product(from_monomials(own)) if len(own) > 1 else from_monomials(own)
        if found is None:
            return None
        terms.append(Mul(Pow(S.q12, n), found))
    if len(terms) > 1:
        return Add(*terms)
    number, whole = terms[0].as_coeff_Mul()
    return None if number != 1 and isinstance(whole, Add) else terms[0]  # the same sum


def _signs_known(e: Expr) -> bool:
    return all(s.is_nonnegative or s == S.q12 for s in e.free_symbols)


def _mixed(coefficients: list[Expr]) -> bool:
    """Whether some are positive and some are negative; not where parameters decide."""
    signs = {bool(c.is_positive) for c in coefficients if c.is_nonzero}
    return len(signs) == 2 and all(c.is_number for c in coefficients)


def _product(e: Expr) -> Expr | None:
    """The product of polynomials in q11 and in q22 that it is; None where it is none."""
    in_second = Poly(e, S.q22)
    first = in_second.LC()
    in_first = Poly(first, S.q11)
    top = in_first.LC()
    second = Poly(e, S.q11).LC()
    if expand(e * top - first * second) != Integer(0):
        return None
    return Mul(factor(first / top), factor(second))
