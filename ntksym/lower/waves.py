r"""Sums of $e^a(A\cosh b + B\sinh b)$ by the exponentials that they are made of.

The duals of $x^n\cos(wx)$ and $x^n\sin(wx)$ are such sums with polynomials A and B, and for
inputs that are nearly parallel $A + B$ is much smaller than either: for $x\cos x$,
$q_{12}(1 - q_{11} - q_{22})\cosh q_{12} + (q_{11}q_{22} + q_{12}^2)\sinh q_{12}$.  With
$\alpha = q_{11} \mp q_{12}$, $\beta = q_{22} \mp q_{12}$, differences of inputs,

$$\tfrac12 e^{a + b}(A + B) + \tfrac12 e^{a - b}(A - B)$$

has coefficients that are short in $\alpha, \beta, q_{12}$: here $\alpha\beta + q_{12}$.  Near
b = 0 it is this form that cancels.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Abs, Add, Expr, Mul, Symbol, cosh, default_sort_key, exp, expand, sinh

from .. import symbols as S
from .polynomial import is_polynomial, monomials

APART = {
    sign: tuple((Symbol(f"{n}_{side}", real=True), e) for n, e in (("a", "q11"), ("b", "q22")))
    for sign, side in ((1, "near"), (-1, "far"))
}
"""The symbols of q11 - sign*q12 and q22 - sign*q12, each with its entry."""

MOST = 80
"""Longer polynomials are left as they are."""
_ENTRIES = frozenset((S.q11, S.q12, S.q22))


@dataclass(frozen=True, slots=True)
class Waves:
    """exp(a)*(A*cosh(b) + B*sinh(b)), b a multiple of q12, and the other terms of a sum."""

    a: Expr
    b: Expr
    cosine: Expr
    sine: Expr
    terms: Expr
    rest: Expr

    @property
    def size(self) -> Expr:
        """|b/q12|."""
        return Abs(self.b / S.q12)


@dataclass(frozen=True, slots=True)
class Turned:
    """A polynomial and what it is multiplied by.

    Attributes:
        symbols: each with its entry q and the number t of the q - t*q12 that it is.
        form: the polynomial in these and q12.
        plain: the same in the covariance.
        rest: the other factors.
    """

    symbols: tuple[tuple[Symbol, str, Expr], ...]
    form: Expr
    plain: Expr
    rest: Expr


def wave_sum(e: Add) -> Waves | None:
    """The first such terms of a sum.

    None where there are none, or where A or B has no covariance entry: nothing cancels then.
    """
    found: dict[tuple[Expr, Expr], list[tuple[type[Expr], Expr, Expr]]] = {}
    for term in sorted(e.args, key=default_sort_key):
        factors = Mul.make_args(term)
        waves = [f for f in factors if isinstance(f, (cosh, sinh))]
        grown = [f for f in factors if isinstance(f, exp)]
        if len(waves) == 1 and len(grown) == 1:
            rest = Mul(*(f for f in factors if f is not waves[0] and f is not grown[0]))
            ends = grown[0].args[0], waves[0].args[0]
            found.setdefault(ends, []).append((type(waves[0]), rest, term))
    for (a, b), parts in found.items():
        sides = [expand(Add(*(r for k, r, _ in parts if k is kind))) for kind in (cosh, sinh)]
        if (b / S.q12).is_number and all(_short(p) for p in sides):
            terms = Add(*(t for *_, t in parts))
            return Waves(a, b, sides[0], sides[1], terms, e - terms)
    return None


def turned(e: Mul) -> Turned | None:
    r"""A polynomial times an exponential of a form that is a negative square, in what is squared.

    Waves with a phase have such terms: of $x^4\cos(x + 2)$ the polynomial beside
    $e^{-(q_{11} - 2q_{12} + q_{22})/2}$ is of degree 4 at nearly parallel inputs, and its terms
    in q11, q12, q22 are of degree 8.  None for other products, and where nothing cancels.
    """
    grown = [f for f in e.args if isinstance(f, exp)]
    if len(grown) != 1:
        return None
    entries = (S.q11, S.q12, S.q22)
    slopes = [expand(grown[0].args[0]).coeff(s) for s in entries]
    one, both, two = slopes
    square = both != 0 and one.is_negative and two.is_negative and both**2 == 4 * one * two
    whole = expand(grown[0].args[0] - sum(c * s for c, s in zip(slopes, entries, strict=True))) == 0
    if not square or not whole or not all(c.is_Rational for c in slopes):
        return None
    bare = [f for f in e.args if f is not grown[0] and f.free_symbols & _ENTRIES]
    if len(bare) != 1 or not isinstance(bare[0], Add) or not is_polynomial(bare[0]):
        return None
    turns = (("a", "q11", -both / (2 * one)), ("b", "q22", -both / (2 * two)))
    symbols = tuple((Symbol(f"{name}{t}", real=True), entry, t) for name, entry, t in turns)
    places = {s: a + t * S.q12 for s, (a, _, t) in zip((S.q11, S.q22), symbols, strict=True)}
    rest = Mul(*(f for f in e.args if f is not grown[0] and f is not bare[0]))
    return Turned(symbols, expand(bare[0].xreplace(places)), bare[0], rest * grown[0])


def risen(e: Add) -> tuple[Expr, Expr, Expr] | None:
    """(c, a, rest) of a sum c*(exp(a) - 1) + rest, c a number, or None: what a sum with 1/2 and
    -exp(-2 q)/2 apart loses for small q.
    """
    constant, others = e.as_coeff_Add()
    if constant == 0:
        return None
    for term in sorted(Add.make_args(others), key=default_sort_key):
        coeff, factor = term.as_coeff_Mul()
        if isinstance(factor, exp) and coeff == -constant:
            return coeff, factor.args[0], others - term
    return None


def about(e: Expr, sign: int) -> Expr:
    """A polynomial in the symbols of `APART` and q12."""
    first, second = (symbol for symbol, _ in APART[sign])
    return expand(e.xreplace({S.q11: first + sign * S.q12, S.q22: second + sign * S.q12}))


def _short(e: Expr) -> bool:
    free = e.free_symbols
    if not free & _ENTRIES or not e.is_polynomial(*sorted(free, key=lambda s: s.name)):
        return False
    return len(monomials(e)) <= MOST
