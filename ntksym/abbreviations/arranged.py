"""Sums as papers print them: fewer terms by reflection, common factors outside."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import gcd, lcm
from typing import Any

from sympy import Add, Expr, Integer, Mul, Pow, Rational, acos, asin, expand_mul, pi

from ..functions import Phi, Phi2
from .fractions import base_of, over_one_bar, partly_taken_out
from .rewrite import rebuilt, tidied


def reflected(expr: Any) -> Any:
    r"""The expression with complements written as one function, where all their terms stand.

    $c - c\Phi(h) = c\Phi(-h)$, $c\pi/2 + c\arcsin r = c\arccos(-r)$ and
    $c - c\Phi(h) - c\Phi(k) + c\Phi_2(h, k; r) = c\Phi_2(-h, -k; r)$.  The canonical form has the
    left sides, so that there is one way to say each thing; papers print the right ones.
    """
    return tidied(_reflected(expr))


def _reflected(expr: Any) -> Any:
    if not getattr(expr, "args", ()):
        return expr
    expr = rebuilt(expr, [_reflected(a) for a in expr.args])
    if expr.is_Mul:
        return _with_powers(expr)
    if not expr.is_Add or not expr.has(Phi, Phi2, asin):
        return expr
    terms = list(expr.args)
    for kind in (Phi2, Phi, asin):
        for term in expr.args:
            factors = Mul.make_args(term)
            found = [f for f in factors if isinstance(f, kind)]
            if term in terms and len(found) == 1:
                c = Mul(*(f for f in factors if f is not found[0]))
                terms = _complement(terms, term, c, found[0])
    return Add(*terms)


def _with_powers(expr: Any) -> Any:
    """A product with q**(p - 1/2) and 1/sqrt(q) as one power, which SymPy keeps apart."""
    powers = [f for f in expr.args if f.is_Pow and f.base.is_Symbol]
    for base in {f.base for f in powers if not f.exp.is_number}:
        same = [f for f in powers if f.base == base]
        rest = [f for f in expr.args if f not in same]
        expr = Mul(*rest, Pow(base, Add(*(f.exp for f in same)))) if len(same) > 1 else expr
    return expr


def _complement(terms: list[Any], term: Any, c: Any, f: Any) -> list[Any]:
    """The terms with one for the term c*f and those that it makes a complement with."""
    rest = [t for t in terms if t is not term]
    for parts, whole in _complements(c, f):
        left: list[Any] | None = rest
        for part in parts:
            left = None if left is None else _without(left, part)
        if left is not None:
            return [*left, whole]
    return _near_complement(terms, rest, c, f) if isinstance(f, asin) else terms


def _near_complement(terms: list[Any], rest: list[Any], c: Any, f: Any) -> list[Any]:
    """With c acos(-r) where what is left of a term is shorter: (1 + a)^2/4 is a + (1 - a)^2/4."""
    for i, term in enumerate(rest):
        if term.is_polynomial(*term.free_symbols):
            left = (term - c * pi / 2).expand()
            if printed(left) < printed(term):
                return [*rest[:i], left, *rest[i + 1 :], c * acos(-f.args[0])]
    return terms


def _complements(c: Any, f: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """(terms that c*f may stand beside, what all of them are)."""
    if isinstance(f, asin):
        yield (c * pi / 2,), c * acos(-f.args[0])
    elif isinstance(f, Phi):
        yield (-c,), -c * Phi(-f.args[0])
    else:
        h, k, r = f.args
        sides = (-2 * c * Phi(h),) if h == k else (-c * Phi(h), -c * Phi(k))
        yield (*sides, c), c * Phi2(-h, -k, r)


def _without(terms: list[Any], part: Any) -> list[Any] | None:
    """The terms without the part, which may be one of them or a sum of some; None if it is not."""
    spread = expand_mul(part, deep=False)
    for i, term in enumerate(terms):
        if expand_mul(term, deep=False) == spread:
            return terms[:i] + terms[i + 1 :]
    rest = list(terms)
    for piece in Add.make_args(spread):
        if piece not in rest:
            return None
        rest.remove(piece)
    return rest


def factored(expr: Any) -> Any:
    """The expression with `gathered` sums among the factors of its terms: equal ones look equal."""
    if not isinstance(expr, Expr):
        return expr
    terms = [kept(t, list(map(gathered, t.args))) if t.is_Mul else t for t in Add.make_args(expr)]
    return Add(*terms) if len(terms) > 1 else terms[0]


def kept(expr: Any, args: list[Any]) -> Any:
    """The same head on other arguments; products as they stand, where SymPy would multiply out."""
    if list(expr.args) == args:
        return expr
    return _product(args) if expr.is_Mul else rebuilt(expr, args)


def _product(factors: list[Any]) -> Any:
    """One product of them, powers of each base together; no number is multiplied into a sum."""
    number, powers = Integer(1), dict[Any, Any]()
    for factor in (f for given in factors for f in Mul.make_args(given)):
        if factor.is_Rational:
            number *= factor
        else:
            base, exponent = base_of(factor)
            powers[base] = powers.get(base, 0) + exponent
    rest = [Pow(b, e) for b, e in powers.items() if e != 0]
    found = [number, *rest] if number != 1 else rest
    return Mul(*found, evaluate=False) if len(found) > 1 else Mul(*found)


def gathered(expr: Any) -> Any:
    """The expression with the factors that all terms of a sum share in front of it.

    Where that makes it shorter: (1 - exp(-2 q))/2, but 4 q + 4.
    """
    if not getattr(expr, "args", ()):
        return expr
    expr = kept(expr, [gathered(a) for a in expr.args])
    return _gathered_sum(expr) if expr.is_Add else expr


def one_line(expr: Any) -> str:
    """Text that reads back, with what papers print: complements, common factors in front."""
    return str(gathered(factored(reflected(expr)))) if isinstance(expr, Expr) else str(expr)


def _gathered_sum(expr: Any) -> Any:
    """The shortest of: a factor of all terms in front, of some terms, and these over one bar."""
    forms = [_in_front(expr), partly_taken_out(expr, printed, _in_front)]
    joined = over_one_bar(expr, printed, _product)
    if joined != expr:
        forms += [_in_front(joined), partly_taken_out(joined, printed, _in_front)]
    return min(forms, key=printed)


def _in_front(expr: Any) -> Any:
    """A sum with what all its terms share in front; of a product its sums so."""
    if expr.is_Mul:
        return kept(expr, [_in_front(a) for a in expr.args])
    if not expr.is_Add:
        return expr
    found = min((_taken_out(expr, shared) for shared in _shared(expr.args)), key=printed)
    # of two of one length the fraction: (1 + x)/2
    most = printed(expr) - (found.is_Add or found.args[0].is_Integer)
    return found if printed(found) <= most else expr


def _taken_out(expr: Any, shared: Any) -> Any:
    inner = Add(*(term / shared for term in expr.args))
    if shared == 1 or not inner.is_Add:
        return expr
    return _product([shared, inner])


def _shared(terms: tuple[Any, ...]) -> list[Any]:
    """Products of what divides every term: roots, exponentials, powers, and a number.

    Its denominator is that of all terms; or beside other factors the least common one.
    """
    numbers, powers = [], []
    for term in terms:
        number, rest = term.as_coeff_Mul()
        if not number.is_Rational:
            return [Integer(1)]
        numbers.append(number)
        powers.append(dict(map(base_of, Mul.make_args(rest))))
    common = [b for b in powers[0] if b != 1 and all(b in p for p in powers)]
    found = [Pow(b, least) for b in common if (least := _least([p[b] for p in powers])) is not None]
    divisor = gcd(*(int(z.p) for z in numbers)) * (-1 if all(z < 0 for z in numbers) else 1)
    bottoms = {int(z.q) for z in numbers}
    below = (*([lcm(*bottoms)] if found else []), bottoms.pop() if len(bottoms) == 1 else 1)
    return [Mul(Rational(divisor, bottom), *found) for bottom in below]


def _least(exponents: list[Any]) -> Any:
    """The exponent that can be taken out: the least one, where the others are whole steps above."""
    least = min(exponents)
    return least if all((e - least).is_Integer for e in exponents) else None


@lru_cache(maxsize=65536)
def printed(expr: Any) -> int:
    """The number of signs that the expression prints as, but for a sign in front."""
    if expr.is_Rational:
        return 1 + int(expr.q != 1)
    parts = [a for a in expr.args if a != -1] if expr.is_Mul else expr.args
    return int(len(parts) > 1 or not expr.is_Mul) + sum(map(printed, parts))
