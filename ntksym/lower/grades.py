r"""Polynomials in the covariance without cancellation, one grade at a time.

With $t = q_{12}^2/(q_{11}q_{22}) \in [0, 1]$ the monomials $q_{11}^i q_{22}^j q_{12}^n$ of equal
$2i + n$ and $2j + n$, n even or n odd, are one monomial times a polynomial p(t).  Where p has
coefficients $b_k \ge 0$ in the basis of S. N. Bernstein (1912),

$$p(t) = \sum_k b_k \binom mk t^k(1 - t)^{m - k},$$

the grade is a sum of non-negative terms in $q_{12}^2$ and $\det = q_{11}q_{22} - q_{12}^2$.  A
polynomial that is positive on [0, 1] has them for some degree m: a few more than its own are tried.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb

from sympy import Expr, Integer, Rational, Symbol

from .. import symbols as S

RAISED = 4
"""So many degrees more than its own a polynomial is given."""

Monomial = tuple[tuple[Symbol, int], ...]
Parts = dict[Monomial, Expr]


def graded(parts: Parts, det: Symbol, accepts: Callable[[Parts], bool]) -> tuple[Parts, bool]:
    """The monomials in q11, q12, q22 and `det`, each grade in a form that is accepted if there is.

    And whether all are.  A grade that is accepted as it stands is left alone.
    """
    found: Parts = {}
    whole = True
    for members in _grades(parts).values():
        made = members if accepts(members) else _raised(members, det, accepts)
        whole = whole and made is not None
        for key, coeff in (made or members).items():
            found[key] = found.get(key, Integer(0)) + coeff
    return {k: c for k, c in found.items() if c != 0}, whole


def _grades(parts: Parts) -> dict[tuple[object, ...], Parts]:
    found: dict[tuple[object, ...], Parts] = {}
    for key, coeff in parts.items():
        powers = dict(key)
        i, n, j = (powers.pop(s, 0) for s in (S.q11, S.q12, S.q22))
        rest = tuple(sorted(powers.items(), key=lambda p: p[0].name))
        found.setdefault((2 * i + n, 2 * j + n, n % 2, rest), {})[key] = coeff
    return found


def _raised(members: Parts, det: Symbol, accepts: Callable[[Parts], bool]) -> Parts | None:
    """One grade in an accepted form, of the lowest degree that has one; or None."""
    rows = [(dict(k), c) for k, c in members.items()]
    order = [{s: p.get(s, 0) for s in (S.q11, S.q12, S.q22)} for p, _ in rows]
    low = min(p[S.q12] for p in order)
    top = max(p[S.q12] for p in order)
    spare = min(min(p[S.q11], p[S.q22]) for p in order)  # powers of q11*q22 that all terms have
    degree = (top - low) // 2
    powers = [Integer(0)] * (degree + 1)
    for p, (_, c) in zip(order, rows, strict=True):
        powers[(p[S.q12] - low) // 2] += c
    base = next(p for p in order if p[S.q12] == top)
    others = {s: n for s, n in rows[0][0].items() if s not in base}
    for m in range(degree, degree + min(RAISED, spare) + 1):
        made: Parts = {}
        for k in range(m + 1):
            b = sum(
                (powers[i] * Rational(comb(k, i), comb(m, i)) for i in range(min(k, degree) + 1)),
                Integer(0),
            )
            entries = {
                S.q11: base[S.q11] - (m - degree),
                S.q12: low + 2 * k,
                S.q22: base[S.q22] - (m - degree),
                det: m - k,
            }
            key = tuple(
                sorted(((s, n) for s, n in (*entries.items(), *others.items()) if n),
                       key=lambda p: p[0].name)
            )  # fmt: skip
            if b != 0:
                made[key] = b * comb(m, k)
        if accepts(made):
            return made
    return None
