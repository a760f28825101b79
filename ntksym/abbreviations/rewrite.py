"""Formulas rewritten for a reader: equal, with the same parts in sight."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import count
from typing import Any

from sympy import (
    Add,
    Function,
    I,
    Integer,
    Mul,
    Pow,
    Rational,
    Symbol,
    default_sort_key,
    preorder_traversal,
)

from ..symbols import q11, q12, q22

DIGITS = 12
"""A rational number with more digits gets a name: c1, c2, ..."""

SWAP = {q11: q22, q22: q11}
DETERMINANT = q11 * q22 - q12**2
ROOTS = (q12, Pow(q11, Rational(-1, 2)), Pow(q22, Rational(-1, 2)))


class re(Function):
    """The real part, unevaluated: 2 re(t) stands for t and its complex conjugate.

    It has SymPy's own name for it, so that its text reads back.
    """

    def _latex(self, printer: Any) -> str:
        return rf"\operatorname{{Re}}\left({printer._print(self.args[0])}\right)"

    def spelled(self) -> Any:
        """The mean of the argument and its conjugate; every symbol is real."""
        return (self.args[0] + conjugated(self.args[0])) / 2


def tidied(expr: Any) -> Any:
    """The expression with numbers that the terms of a factor share in front of its product.

    `(-2*q - 2)*f/2` prints as `-(q + 1)*f`: SymPy multiplies numbers into sums by itself.
    A function of `-(-a + b)/c` is one of `(a - b)/c`.
    """
    if not getattr(expr, "args", ()):
        return expr
    args = [tidied(a) for a in expr.args]
    expr = rebuilt(expr, list(map(_turned, args)) if expr.is_Function else args)
    sums = [a for a in expr.args if a.is_Add] if expr.is_Mul else []
    if not sums or len(sums) == len(expr.args) - expr.args[0].is_Number == 1:
        return expr
    number, rest = Integer(1), []
    for factor in expr.args:
        if factor.is_Add:
            content, whole = factor.primitive()
            # a fraction goes only where one stands: asin/pi + 1/2, not (2*asin/pi + 1)/2
            if content.is_Integer or expr.args[0].is_Number:
                number, factor = number * content, whole
            if 2 * sum(t.could_extract_minus_sign() for t in factor.args) > len(factor.args):
                number, factor = -number, Add(*(-t for t in factor.args))
        rest.append(factor)
    return expr if number == 1 else Mul(number, *rest)


def _turned(expr: Any) -> Any:
    """A negative multiple of a difference as a multiple of the difference the other way round."""
    if expr.is_Mul and expr.args[0].is_negative and expr.args[0].is_Number:
        for factor in expr.args[1:]:
            minus = sum(t.could_extract_minus_sign() for t in factor.args)
            if factor.is_Add and 2 * minus == len(factor.args):
                rest = [a for a in expr.args[1:] if a is not factor]
                return Mul(-expr.args[0], Add(*(-t for t in factor.args)), *rest)
    return expr


def conjugated(expr: Any) -> Any:
    """The complex conjugate: I changes its sign, every symbol is real."""
    return replaced(expr, {I: -I})


@lru_cache(maxsize=65536)
def weight(expr: Any) -> int:
    """The number of nodes of the expression."""
    return 1 + sum(map(weight, expr.args))


def count_of(expr: Any, part: Any) -> int:
    """How often the part stands in the expression."""
    return sum(bool(node == part) for node in preorder_traversal(expr))


def rebuilt(expr: Any, args: list[Any]) -> Any:
    """The same head on other arguments; a number is not multiplied into a sum."""
    if list(expr.args) == args:
        return expr
    found = expr.func(*args)
    if expr.is_Mul and found.is_Add:
        sums = [a for a in args if a.is_Add]
        number = Mul(*(a for a in args if not a.is_Add))
        return sums[0] if number == 1 else Mul(number, *sums, evaluate=False)
    return found


def replaced(expr: Any, parts: dict[Any, Any]) -> Any:
    """The expression with each of the parts, wherever it stands, for what it maps to."""
    if expr in parts:
        return parts[expr]
    if not expr.args:
        return expr
    return rebuilt(expr, [replaced(a, parts) for a in expr.args])


def with_determinant(expr: Any, symbol: Symbol) -> Any:
    """Delta in sums that hold q11 q22 - q12^2 or its negative beside other terms."""
    if not expr.args:
        return expr
    expr = rebuilt(expr, [with_determinant(a, symbol) for a in expr.args])
    if expr.is_Add:
        terms = list(expr.args)
        for sign in (1, -1):
            pair = (sign * q11 * q22, -sign * q12**2)
            if all(t in terms for t in pair):
                return Add(sign * symbol, *(t for t in terms if t not in pair))
    return expr


def with_correlation(expr: Any, symbol: Symbol) -> Any:
    """Rho in products that hold q12/(sqrt(q11) sqrt(q22))."""
    if not expr.args:
        return expr
    if expr.is_Mul and all(r in expr.args for r in ROOTS):
        rest = [with_correlation(a, symbol) for a in expr.args if a not in ROOTS]
        return Mul(symbol, *rest, evaluate=not any(a.is_Add for a in rest))
    return rebuilt(expr, [with_correlation(a, symbol) for a in expr.args])


def _is_long(node: Any) -> bool:
    return bool(node.is_Rational) and len(str(node).strip("-")) > DIGITS


def spread(expr: Any) -> Any:
    """Long numbers before sums with long numbers multiplied out: fewer and readable ones."""
    if not expr.args:
        return expr
    expr = rebuilt(expr, [spread(a) for a in expr.args])
    if not expr.is_Mul or not _is_long(expr.args[0]):
        return expr
    number, *rest = expr.args
    for i, factor in enumerate(rest):
        if factor.is_Add and any(_is_long(n) for n in preorder_traversal(factor)):
            rest[i] = Add(*(number * term for term in factor.args))
            return Mul(*rest)
    return expr


def long_numbers(exprs: Iterable[Any], used: set[str]) -> dict[Any, Symbol]:
    """A name for the size of each long rational number, in order of appearance."""
    found: dict[Any, Symbol] = {}
    names = (Symbol(f"c{i}", positive=True) for i in count(1) if f"c{i}" not in used)
    for expr in exprs:
        for node in preorder_traversal(expr):
            if _is_long(node) and abs(node) not in found:
                found[abs(node)] = next(names)
    return {**found, **{-n: s for n, s in found.items()}}


def real_parts(expr: Any, seen: set[Any]) -> Any:
    """A sum with each term and its conjugate together as 2 re(term).

    Of the two the one is printed that has more in common with those `seen` before, or their
    mirror images: what repeats can then have a name.
    """
    if not expr.is_Add or not expr.has(I):
        return expr
    terms = sorted(expr.args, key=default_sort_key)
    kept: list[Any] = []
    while terms:
        term = terms.pop(0)
        other = conjugated(term)
        if term.has(I) and other != term and other in terms:
            terms.remove(other)
            term = max(term, other, key=lambda t: sum(weight(n) for n in _complex_parts(t) & seen))
            seen |= _complex_parts(term) | _complex_parts(replaced(term, SWAP))
            real = [f for f in Mul.make_args(term) if not f.has(I)]
            rest = [f for f in Mul.make_args(term) if f.has(I)]
            term = 2 * Mul(*real) * re(Mul(*rest, evaluate=False) if rest[1:] else rest[0])
        kept.append(term)
    return Add(*kept)


def _complex_parts(expr: Any) -> set[Any]:
    return {n for n in preorder_traversal(expr) if n.args and n.has(I)}
