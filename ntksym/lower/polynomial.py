r"""Polynomials in the covariance, in the coordinates that do not cancel.

With $\det = q_{11}q_{22} - q_{12}^2 \ge 0$, an even power of $q_{12}$ is
$(q_{11}q_{22} - \det)^k$.  Where this makes every coefficient positive, the value is a sum of
positive numbers: no digits are lost, however close to collinear the inputs are.  Where it does not
for the whole polynomial, it may for one grade and not another: see `lower.grades`.
"""

from __future__ import annotations

from functools import lru_cache

from sympy import Add, Expr, Integer, Mul, Pow, Symbol, expand, sqrt

from .. import symbols as S
from .grades import Monomial, Parts, graded

MEMO = 4096
"""Expressions of which is known what they are: rules build the same closed form again and again."""
DET = Symbol("det", nonnegative=True)
"""The determinant, as a symbol inside positive forms."""

NEAR = Symbol("near", nonnegative=True)
"""sqrt(q11*q22) - q12, as a symbol inside spread forms."""
FAR = Symbol("far", nonnegative=True)
"""sqrt(q11*q22) + q12, as a symbol inside spread forms."""


@lru_cache(maxsize=MEMO)
def is_polynomial(e: Expr, wanted: tuple[Symbol, ...] = (S.q11, S.q12, S.q22, S.q)) -> bool:
    """Whether `e` is a polynomial in its symbols that contains a covariance entry."""
    free = e.free_symbols
    if not any(s in free for s in wanted):
        return False
    return bool(e.is_polynomial(*sorted(free, key=lambda s: s.name)))


def monomials(e: Expr) -> dict[Monomial, Expr]:
    """The coefficients of the expanded polynomial, by monomial."""
    return dict(_monomials(e))


@lru_cache(maxsize=MEMO)
def _monomials(e: Expr) -> dict[Monomial, Expr]:
    found: dict[Monomial, Expr] = {}
    for term in Add.make_args(expand(e)):
        coeff: Expr = Integer(1)
        powers: list[tuple[Symbol, int]] = []
        for factor in Mul.make_args(term):
            base, exponent = factor.as_base_exp()
            if isinstance(base, Symbol) and exponent.is_Integer:
                powers.append((base, int(exponent)))
            else:
                coeff = coeff * factor
        key = tuple(sorted(powers, key=lambda p: p[0].name))
        found[key] = found.get(key, Integer(0)) + coeff
    return {k: c for k, c in found.items() if c != 0}


def from_monomials(parts: dict[Monomial, Expr]) -> Expr:
    """The expression, its terms collected over equal coefficients."""
    terms = []
    for key in sorted(parts, key=lambda k: (sum(n for _, n in k), str(k))):
        terms.append(Mul(parts[key], *(Pow(s, n) for s, n in key)))
    return Add(*terms)


def _is_positive(key: Monomial, coeff: Expr) -> bool:
    if not coeff.is_positive:
        return False
    return all(n % 2 == 0 or s.is_nonnegative for s, n in key)


@lru_cache(maxsize=MEMO)
def positive_form(e: Expr) -> Expr | None:
    """An equal polynomial in q11, q12, q22, `DET` with positive terms only, or None."""
    if not is_polynomial(e):
        return None
    parts = monomials(e)
    if _all_positive(parts):
        return from_monomials(parts)
    if S.q12 not in e.free_symbols:
        return None
    turned = in_det(parts)
    if turned and _all_positive(turned):
        return from_monomials(turned)
    form, whole = graded(parts, DET, _all_positive)
    return from_monomials(form) if whole else None


def _all_positive(parts: Parts) -> bool:
    return all(_is_positive(k, c) for k, c in parts.items())


def in_det(parts: Parts) -> Parts:
    """The monomials with every q12^2 turned into q11*q22 - `DET`."""
    turned: Expr = Integer(0)
    for key, coeff in parts.items():
        powers = dict(key)
        n = powers.pop(S.q12, 0)
        rest = Mul(coeff, *(Pow(s, k) for s, k in powers.items()))
        turned += rest * S.q12 ** (n % 2) * (S.q11 * S.q22 - DET) ** (n // 2)
    return monomials(turned)


@lru_cache(maxsize=MEMO)
def spread_form(e: Expr) -> Expr | None:
    r"""A linear form in q11, q12, q22 as squares and gaps, or None.

    With $r_i = \sqrt{q_{ii}}$ and `NEAR` = $r_1 r_2 - q_{12}$, `FAR` = $r_1 r_2 + q_{12}$,
    $\alpha q_{11} + \gamma q_{22} - \beta q_{12}$ is
    $(\sqrt\alpha r_1 - \sqrt\gamma r_2)^2 + (2\sqrt{\alpha\gamma} - \beta) r_1 r_2 +
    \beta\,$`NEAR` for $0 \le \beta \le 2\sqrt{\alpha\gamma}$, and the like with `FAR` for negative
    $\beta$: no difference of nearly equal numbers near $\rho = \pm 1$, where such forms are the
    exponents of joint densities and the arguments of conditional probabilities.
    """
    if not is_polynomial(e):
        return None
    slopes: dict[Symbol, Expr] = {}
    for key, coeff in monomials(e).items():
        entries = [(s, n) for s, n in key if s in (S.q11, S.q12, S.q22)]
        if len(entries) != 1 or entries[0][1] != 1:
            return None
        rest = Mul(coeff, *(Pow(s, n) for s, n in key if s not in (S.q11, S.q12, S.q22)))
        slopes[entries[0][0]] = slopes.get(entries[0][0], Integer(0)) + rest
    a, b, c = (slopes.get(s, Integer(0)) for s in (S.q11, S.q12, S.q22))
    if b == 0 or (a == 0 and c == 0):
        return None
    if a.is_nonpositive and c.is_nonpositive:
        turned = spread_form(-e)
        return None if turned is None else -turned
    if not (a.is_nonnegative and c.is_nonnegative and (b.is_positive or b.is_negative)):
        return None
    size, gap = (-b, NEAR) if b.is_negative else (b, FAR)
    r1, r2 = sqrt(S.q11), sqrt(S.q22)
    if a == 0:
        return size * gap - r2 * _apart(size**2, c**2)
    if c == 0:
        return size * gap + r1 * _apart(a**2, size**2)
    excess = 2 * sqrt(a) * sqrt(c) - size
    if excess == 0:
        return _apart(a, c) ** 2 + size * gap
    if not excess.is_positive:
        return None
    return _apart(a, c) ** 2 + excess * r1 * r2 + size * gap


def _apart(a: Expr, c: Expr) -> Expr:
    """sqrt(a*q11) - sqrt(c*q22), as a quotient: the difference of two rounded roots keeps half
    of the digits that the difference of the variances has.
    """
    below = sqrt(a) * sqrt(S.q11) + sqrt(c) * sqrt(S.q22)
    return (a * S.q11 - c * S.q22) / below


def det_part(e: Add) -> tuple[Expr, Expr] | None:
    """(rest, k) with e = rest + k*det, k != 0, where both products are terms of the sum."""
    parts = monomials(Add(*(t for t in e.args if not isinstance(t, Add))))
    for key, coeff in parts.items():
        powers = dict(key)
        if powers.pop(S.q12, 0) != 2 or powers.keys() & {S.q11, S.q22}:
            continue
        other = {**powers, S.q11: 1, S.q22: 1}
        turned = tuple(sorted(other.items(), key=lambda p: p[0].name))
        if parts.get(turned, Integer(0)) == -coeff:
            outer = Mul(coeff, *(Pow(s, n) for s, n in powers.items()))
            return expand(e - outer * (S.q12**2 - S.q11 * S.q22)), -outer
    return None


def linear(e: Expr) -> bool:
    """Whether no monomial has two entries of the covariance."""
    entries = (S.q11, S.q12, S.q22)
    return all(sum(n for s, n in key if s in entries) < 2 for key in monomials(e))


def det_multiple(e: Expr) -> Expr | None:
    """The positive constant (or parameter expression) `a` with `e = a*det`, or None."""
    form = positive_form(e)
    if form is None or DET not in form.free_symbols:
        return None
    rest = form / DET
    if rest.free_symbols & {DET, S.q11, S.q12, S.q22, S.q}:
        return None
    return rest


def may_overflow(factors: list[Expr], below: tuple[Expr, ...]) -> bool:
    """Whether sums of covariance entries are multiplied, or products summed: they may overflow.

    So may the reciprocal of a power of a variance `below` that underflows where `pos` ends.
    """
    steep = (f.as_base_exp() for f in below)
    if any(b in (S.q11, S.q22, S.q) and n.is_Rational and n > 2 for b, n in steep):
        return True
    entries = (S.q11, S.q12, S.q22, S.q)
    powers = [f.as_base_exp() for f in factors]
    sums = [(f, n) for f, n in powers if isinstance(f, Add) and is_polynomial(f)]
    most = (max(sum(m for s, m in key if s in entries) for key in monomials(f)) for f, _ in sums)
    alone = sum(n for f, n in powers if f in entries and n.is_positive)
    return bool(sums and sum(d * n for d, (_, n) in zip(most, sums, strict=True)) + alone > 1)


def degree(f: Expr) -> int:
    """The degree of a polynomial in the entries, the determinant counted twice; else 0."""
    if not is_polynomial(f):
        return 0
    weights = {S.q11: 1, S.q12: 1, S.q22: 1, S.q: 1, DET: 2}
    return max(sum(weights.get(s, 0) * n for s, n in key) for key in monomials(f))


def surely_positive(base: Expr) -> bool:
    """Positive on the closed domain: a positive form with a positive constant term."""
    form = positive_form(base)
    if form is None:
        return bool(base.is_number and base.is_positive)
    parts = Add.make_args(form)
    return any(not (t.free_symbols & {DET, S.q11, S.q12, S.q22, S.q}) for t in parts)
