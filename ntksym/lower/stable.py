r"""The accuracy table: how a formula for readers becomes a formula for machines.

Each row names a rewrite, says why, and gives the points that decide it.  `build.py` applies them
while it lowers; the tests measure every row at its points.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Integer, Mul, Pow, asin, default_sort_key, expand, pi

from .polynomial import is_polynomial, positive_form


@dataclass(frozen=True, slots=True)
class Row:
    """One rewrite: `before` and `after` in words, the reason, the deciding points."""

    name: str
    before: str
    after: str
    reason: str
    points: tuple[tuple[float, float, float], ...]
    """(q11, q12, q22) where the two forms differ most."""


_NEAR = (1.0, 1.0 - 2.0**-52, 1.0)
_OPPOSITE = (1.0, -1.0 + 2.0**-52, 1.0)

TABLE = (
    Row(
        "determinant",
        "q11*q22 - q12**2",
        "the square of rootdet(q11, q12, q22)",
        "the difference of two rounded products keeps no digit near rho = +-1, and each overflows",
        (_NEAR, _OPPOSITE, (2.0, 3.7 * 2.0, 3.7 * 3.7 * 2.0)),
    ),
    Row(
        "root",
        "sqrt(q11*q22 - q12**2)",
        "rootdet(q11, q12, q22), scaled by powers of two",
        "q11*q22 underflows at 1e-200 and overflows at 1e200 where the root does neither",
        ((1e-200, 0.5e-200, 1e-200), (1e200, 0.5e200, 1e200)),
    ),
    Row(
        "positive",
        "(1 + 2*q11)*(1 + 2*q22) - 4*q12**2",
        "1 + 2*(q11 + q22) + 4*det",
        "for q up to 1e8 near the diagonal the first form loses eight digits",
        ((1e8, 1e8 - 1.0, 1e8),),
    ),
    Row(
        "apart",
        "sqrt(a*q11) - sqrt(c*q22)",
        "(a*q11 - c*q22)/(sqrt(a*q11) + sqrt(c*q22))",
        "in the exponent of a joint density it is divided by the root: at an angle of 1e-8 rounded "
        "square roots leave half the digits (hardshrink's derivative: 1e7 eps before, 1 after)",
        ((1.0238232487780838, 1.0238232381437908, 1.0238232275094983),),
    ),
    Row(
        "angle",
        "asin(n/d)",
        "asin3(n, sqrt(d**2 - n**2), d): twice the arctangent of the half angle, shorter leg first",
        "the slope of asin is infinite at the collinear point, which is on every diagonal",
        (_NEAR, _OPPOSITE),
    ),
    Row(
        "orthant",
        "asin(r)/(2*pi) + 1/4",
        "angle3(sqrt(d**2 - n**2), -n, d)/(2*pi)",
        "a probability that vanishes at rho = -1 keeps its relative accuracy",
        (_OPPOSITE,),
    ),
    Row(
        "arc1",
        "sqrt(d**2 - n**2) + n*angle(sqrt(d**2 - n**2), -n)",
        "arc3(sqrt(d**2 - n**2), n, d)",
        "the first arc-cosine kernel is of third order in the angle near rho = -1",
        (_OPPOSITE, (1.0, -0.999999, 1.0)),
    ),
    Row(
        "tail",
        "1 + erf(z)",
        "erfc(-z)",
        "the lower tail of the normal distribution keeps its relative accuracy",
        ((1.0, 0.0, 1.0),),
    ),
    Row(
        "product",
        "exp(a/d)*sinh(b/d)",
        "expsinh(a, b, d) = exp(a/d)*sinh(b/d)",
        "sinh(q12) overflows at q12 = 710, its product with exp(-(q11 + q22)/2) is at most 1/2",
        ((800.0, 799.0, 800.0),),
    ),
    Row(
        "spread root",
        "sqrt(1 + 2*(q11 + q22) + 4*det)",
        "hyproot(1 + 2*(q11 + q22), 2*root), root = rootdet(q11, q12, q22)",
        "det overflows at q = 1e155 and underflows at 1e-162 where its root does neither",
        ((1e200, 0.5e200, 1e200), (1e-200, 0.5e-200, 1e-200)),
    ),
    Row(
        "sides",
        "q11*q22*r/((1 + q11)*(1 + q22))",
        "(q11/(1 + q11))*(q22/(1 + q22))*r",
        "the factors of one point are computed once per point, and products of both may overflow",
        ((1e200, 0.5e200, 1e200),),
    ),
    Row(
        "floor",
        "1/q11",
        "1/pos(q11)",
        "the dual is continuous at a zero row; the guard goes on the argument",
        ((0.0, 0.0, 1.0),),
    ),
)


def complement(numerator: Expr, factors: tuple[Expr, ...]) -> Expr:
    """d**2 - n**2 for `d` the product of the factors, in positive form where there is one."""
    squared = Mul(*(f**2 for f in factors))
    difference = expand(squared - numerator**2)
    return positive_form(difference) or difference


def split_factors(e: Expr) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """Numerator and denominator factors of a product; numbers stay in the numerator.

    The numerator stays a tuple: SymPy would multiply a number into a lone sum, and a sum whose
    terms were exact differences is then a sum of rounded products.
    """
    top: list[Expr] = []
    bottom: list[Expr] = []
    for f in Mul.make_args(e):
        base, exponent = f.as_base_exp()
        if exponent.is_Rational and exponent.is_negative and base.free_symbols:
            bottom.append(Pow(base, -exponent))
        else:
            top.append(f)
    return tuple(top), tuple(sorted(bottom, key=default_sort_key))


def split_quotient(e: Expr) -> tuple[Expr, tuple[Expr, ...]]:
    """The numerator as one expression, and the denominator factors."""
    top, bottom = split_factors(e)
    return Mul(*top), bottom


def common_quotient(e: Expr) -> tuple[Expr, Expr]:
    """(n, d) with e = n/d, if the terms of e share one denominator d; else (e, 1)."""
    parts = [split_quotient(t) for t in Add.make_args(e)]
    if len({bottom for _, bottom in parts}) != 1:
        return e, Integer(1)
    return Add(*(top for top, _ in parts)), Mul(*parts[0][1])


def common_scale(a: Expr, b: Expr) -> tuple[Expr, Expr, Expr]:
    """(g, a/g, b/g) for the number and the parameters that divide both.

    So that q11 + q22 - 2*q12 is a difference of inputs, not of their rounded multiples.
    """
    content, plain = a.primitive()
    shared = [f for f in Mul.make_args(plain) if f in Mul.make_args(b) and f.is_positive]
    scale = Mul(content, *shared)
    return scale, Mul(plain, *(1 / f for f in shared)), b / scale


_EXACT = 2**53
"""Integers up to it are doubles; products with larger ones round, and leave floats behind."""


def coarse(e: Expr) -> bool:
    """Whether a sum has numbers in it that are no doubles though they are integers."""
    return any(abs(t.as_coeff_Mul()[0]) > _EXACT for t in Add.make_args(e))


def levelled(e: Expr) -> tuple[Expr, Expr]:
    """(c, e/c) for a power of two c that brings the numbers of a coarse sum to about 1.

    Decimal constants of many digits leave such sums: over a common denominator, integers of 1e62,
    which floats do not hold.
    """
    if not isinstance(e, Add) or not coarse(e):
        return Integer(1), e
    most = max(abs(t.as_coeff_Mul()[0]) for t in e.args)
    c = Integer(2) ** (int(most).bit_length() - 1)
    return c, Add(*(t / c for t in e.args))


def as_sides(r: Expr) -> tuple[Expr, Expr] | None:
    """(n, d**2 - n**2) with r = n/d and d > 0, both polynomial; or None."""
    numerator, factors = split_quotient(r)
    squares = expand(Mul(*(f**2 for f in factors)))
    if not all(f.is_nonnegative or _is_root(f) for f in factors) or not is_polynomial(squares):
        return None
    if not (numerator.is_number or is_polynomial(expand(numerator))):
        return None
    return numerator, complement(numerator, factors)


@dataclass(frozen=True, slots=True)
class ArcTerms:
    """What the arc part of a sum becomes, and the terms left over.

    Attributes:
        orthants: pairs (coefficient C, r): C*(asin(r) + pi/2).
        cooling: pairs (C, r): C*(asin(r) - pi/2).
        arcs: pairs (A, r): A*arc1(sqrt(d**2 - n**2), n) with r = n/d.
        rest: the other terms.
    """

    orthants: tuple[tuple[Expr, Expr], ...]
    cooling: tuple[tuple[Expr, Expr], ...]
    arcs: tuple[tuple[Expr, Expr], ...]
    rest: tuple[Expr, ...]


def arc_terms(terms: tuple[Expr, ...]) -> ArcTerms:
    """Pair every C*asin(r) of a sum with +-C*pi/2, and with the root that completes arc1."""
    rest = list(terms)
    orthants: list[tuple[Expr, Expr]] = []
    cooling: list[tuple[Expr, Expr]] = []
    arcs: list[tuple[Expr, Expr]] = []
    for term in terms:
        found = [f for f in Mul.make_args(term) if isinstance(f, asin) and f.free_symbols]
        if len(found) != 1 or term not in rest:
            continue
        r = found[0].args[0]
        coeff = Mul(*(f for f in Mul.make_args(term) if f is not found[0]))
        half = coeff * pi / 2
        if half in rest:
            rest.remove(term)
            rest.remove(half)
            companion = _root_companion(coeff, r, rest)
            if companion is None:
                orthants.append((coeff, r))
            else:
                rest.remove(companion[1])
                arcs.append((companion[0], r))
        elif -half in rest:
            rest.remove(term)
            rest.remove(-half)
            cooling.append((coeff, r))
    return ArcTerms(tuple(orthants), tuple(cooling), tuple(arcs), tuple(rest))


def _root_companion(coeff: Expr, r: Expr, rest: list[Expr]) -> tuple[Expr, Expr] | None:
    """(A, term) with coeff = A*n and term = A*sqrt(d**2 - n**2), r = n/d."""
    numerator, factors = split_quotient(r)
    if numerator.is_number:
        return None
    squared = expand(Mul(*(f**2 for f in factors)) - numerator**2)
    outer = coeff / numerator
    for term in rest:
        quotient = term / outer
        if _is_root(quotient) and expand(quotient**2 - squared) == Integer(0):
            return outer, term
    return None


def _is_root(e: Expr) -> bool:
    """A positive constant times one square root: the sign of the root is then known."""
    number, root = e.as_independent(*sorted(e.free_symbols, key=lambda s: s.name), as_Add=False)
    return bool(number.is_positive and isinstance(root, Pow) and root.exp.is_Rational)


def sorted_terms(e: Expr) -> tuple[Expr, ...]:
    """The terms of a sum in SymPy's canonical order: independent of the hash seed."""
    return tuple(sorted(Add.make_args(e), key=default_sort_key))
