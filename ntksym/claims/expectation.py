r"""Expectations in a definition: products of functions of one Gaussian variable each.

An integrand is split into products; variables beyond two that occur as polynomials are replaced by
their conditional law given the others, so that every expectation is $E[f(u)\,g(v)]$ or $E[f(u)]$.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb

from sympy import (
    Add,
    Expr,
    Integer,
    Mul,
    Poly,
    Pow,
    Symbol,
    exp,
    expand_mul,
    expand_multinomial,
    sqrt,
)

from ..errors import BadActivation
from ..symbols import u, v, x

z = Symbol("z", real=True)
"""A standard normal variable, independent of every other."""

_MOST_TERMS = 400


@dataclass(frozen=True, slots=True)
class Expectation:
    """`E[f(u) g(v)]`, or `E[f(u)]` where `g` is None.

    Attributes:
        f: in the symbol `x`.
        g: in the symbol `x`, or None.
        law: (m1, m2, q11, q12, q22), or (m, q).
        slope: the derivatives of f and g are meant.
        jumps: with `slope`: "ae", or "distributional" (a jump of J at a counts as J delta_a).
    """

    f: Expr
    g: Expr | None
    law: tuple[Expr, ...]
    slope: bool = False
    jumps: str = "ae"


@dataclass(frozen=True, slots=True)
class Gaussians:
    """The Gaussian variables of a definition: means and covariances.

    `z` is standard normal and independent of the others.
    """

    means: Mapping[Symbol, Expr]
    covariance: Mapping[tuple[Symbol, Symbol], Expr]

    def cov(self, a: Symbol, b: Symbol) -> Expr:
        """The covariance of two variables."""
        if a == z or b == z:
            return Integer(int(a == b))
        return self.covariance[a, b] if (a, b) in self.covariance else self.covariance[b, a]

    def mean(self, a: Symbol) -> Expr:
        """The mean of a variable."""
        return self.means.get(a, Integer(0))

    @property
    def symbols(self) -> frozenset[Symbol]:
        """Every variable."""
        return frozenset((*self.means, z))


def pair(q11: Expr, q12: Expr, q22: Expr, m1: Expr, m2: Expr) -> Gaussians:
    """(u, v) with the usual names of means and covariances."""
    return Gaussians({u: m1, v: m2}, {(u, u): q11, (u, v): q12, (v, v): q22})


def expectations(
    integrand: Expr, law: Gaussians
) -> tuple[tuple[Expr, tuple[Expectation, ...]], ...]:
    """E[integrand] as a sum of (coefficient, product of expectations).

    Raises:
        BadActivation: a factor that depends on two variables at once, or a product of
            non-polynomial functions of three.
    """
    out = []
    for coefficient, factors in split(integrand, law.symbols):
        for c, product, reduced in _at_most_two(factors, law):
            out.append((coefficient * c, _independent(product, reduced)))
    return tuple(out)


def split(expr: Expr, variables: frozenset[Symbol]) -> list[tuple[Expr, dict[Symbol, Expr]]]:
    """A sum of coefficient x product of functions of one variable each."""
    used = expr.free_symbols & variables
    if not used:
        return [(expr, {})]
    if len(used) == 1:
        (one,) = used
        return [(Integer(1), {one: expr})]
    if isinstance(expr, Add):
        return _collected([t for a in expr.args for t in split(a, variables)])
    if isinstance(expr, Mul):
        if all(len(a.free_symbols & variables) <= 1 for a in expr.args):
            coefficient: Expr = Integer(1)
            factors: dict[Symbol, Expr] = {}
            for a in expr.args:
                here = a.free_symbols & variables
                if here:
                    (one,) = here
                    factors[one] = factors.get(one, Integer(1)) * a
                else:
                    coefficient = coefficient * a
            return [(coefficient, factors)]
        wide = expand_mul(expr, deep=False)
        wide = wide if wide != expr else expand_multinomial(expand_mul(expr))
        if wide != expr:
            return split(wide, variables)
    if isinstance(expr, Pow) and expr.exp.is_Integer and 1 < expr.exp <= 8:
        return split(expand_multinomial(expr, deep=False), variables)
    names = ", ".join(sorted(map(str, used)))
    raise BadActivation(
        "an expectation is of products of functions of one variable each",
        where=f"{expr} depends on {names}",
        hint="a linear combination is a variable of its own: give its covariance",
    )


def _collected(
    terms: list[tuple[Expr, dict[Symbol, Expr]]],
) -> list[tuple[Expr, dict[Symbol, Expr]]]:
    if len(terms) > _MOST_TERMS:
        raise BadActivation(
            f"an expectation of more than {_MOST_TERMS} terms",
            hint="shorter functions, or each summand as a claim of its own",
        )
    return terms


Reduced = tuple[Expr, dict[Symbol, Expr], Gaussians]
"""(coefficient, product of functions of at most two dependent variables, their law)."""


def _at_most_two(factors: dict[Symbol, Expr], law: Gaussians) -> list[Reduced]:
    """The product with the other variables integrated out."""
    rest = {a: e for a, e in factors.items() if a != z}
    if len(rest) <= 2:
        return [(Integer(1), factors, law)]
    easy = [a for a, e in rest.items() if e.is_polynomial(a)]
    if len(rest) > 3 or not easy:
        return _tilted(factors, law)
    w = max(easy, key=lambda a: (-Poly(rest[a], a).degree(), str(a)))
    a, b = sorted((a for a in rest if a != w), key=str)
    det = law.cov(a, a) * law.cov(b, b) - law.cov(a, b) ** 2
    wa, wb = law.cov(w, a), law.cov(w, b)
    alpha = (wa * law.cov(b, b) - wb * law.cov(a, b)) / det
    beta = (wb * law.cov(a, a) - wa * law.cov(a, b)) / det
    spread = law.cov(w, w) - alpha * wa - beta * wb
    linear = law.mean(w) + alpha * (a - law.mean(a)) + beta * (b - law.mean(b))
    out = []
    for (degree,), c in Poly(rest[w], w).terms():
        for k in range(degree // 2 + 1):
            moment = Integer(_odd_factorial(k) * comb(degree, 2 * k)) * spread**k
            for (i, j), coefficient in Poly(linear ** (degree - 2 * k), a, b).terms():
                product = {o: factors[o] for o in factors if o != w}
                product[a], product[b] = product[a] * a**i, product[b] * b**j
                out.append((c * moment * coefficient, product, law))
    return out


def _tilted(factors: dict[Symbol, Expr], law: Gaussians) -> list[Reduced]:
    """A factor p(w) exp(-t w^2/2) moved into the law: covariance minus a matrix of rank one.

    N(0, Q) exp(-t w^2/2) = (1 + t Q_ww)^(-1/2) N(0, Q - t Q e e' Q/(1 + t Q_ww)).
    """
    rest = sorted((a for a in factors if a != z), key=str)
    centred = all(law.mean(a) == 0 for a in rest)
    found = [(a, _gaussian(factors[a], a)) for a in rest if centred]
    for w, parts in found:
        if parts is None:
            continue
        tilt, left = parts
        spread = 1 + tilt * law.cov(w, w)
        moved = {
            (a, b): law.cov(a, b) - tilt * law.cov(a, w) * law.cov(w, b) / spread
            for i, a in enumerate(rest)
            for b in rest[i:]
        }
        product = {a: e for a, e in factors.items() if a != w}
        scale = 1 / sqrt(spread)
        if left.has(w):
            product[w] = left
        else:
            scale = scale * left
        new = Gaussians({a: Integer(0) for a in rest}, moved)
        return [(scale * c, p, reduced) for c, p, reduced in _at_most_two(product, new)]
    raise BadActivation(
        f"an expectation over {len(rest)} variables reduces to two only where the others occur as "
        "polynomials, or as polynomials times exp(-t w^2/2)",
        where=", ".join(map(str, rest)),
    )


def _gaussian(factor: Expr, w: Symbol) -> tuple[Expr, Expr] | None:
    """(t, p) with factor = p(w) exp(-t w^2/2), t not zero; else None."""
    for part in Mul.make_args(factor):
        if isinstance(part, exp) and part.has(w) and part.args[0].is_polynomial(w):
            exponent = Poly(part.args[0], w)
            left = factor / part
            if exponent.degree() == 2 and not exponent.coeff_monomial(w) and left.is_polynomial(w):
                return -2 * exponent.coeff_monomial(w**2), left * exp(exponent.coeff_monomial(1))
    return None


def _odd_factorial(k: int) -> int:
    """(2k - 1)!!, the moment of order 2k of a standard normal variable."""
    total = 1
    for i in range(1, 2 * k, 2):
        total *= i
    return total


def _independent(factors: dict[Symbol, Expr], law: Gaussians) -> tuple[Expectation, ...]:
    ordered = sorted(factors, key=lambda a: (a == z, str(a)))
    rest = [a for a in ordered if a != z]
    singles = [a for a in ordered if a == z]
    if len(rest) == 2 and law.cov(*rest) != 0:
        a, b = rest
        entries = (law.cov(a, a), law.cov(a, b), law.cov(b, b))
        found = [
            Expectation(
                factors[a].xreplace({a: x}),
                factors[b].xreplace({b: x}),
                (law.mean(a), law.mean(b), *entries),
            )
        ]
    else:
        singles, found = [*rest, *singles], []
    for a in singles:
        found.append(Expectation(factors[a].xreplace({a: x}), None, (law.mean(a), law.cov(a, a))))
    return tuple(found)
