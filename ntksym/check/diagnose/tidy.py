"""Repaired formulas as an author would write them: only what the repair made is touched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import prod

from ...language.syntax import Call, Name, Node, Number, Power, Product, Sum, rebuild
from .trees import at_zero, everything, number, power, product, quotient, total


def tidy(tree: Node, before: Node) -> Node:
    """The tree with numbers in front of the products that are new in it, and their sums added up.

    `q12**2*2` is `2*q12**2`, `3/4 - 1/2 + c` is `1/4 + c`, and `sqrt(q**2)` is `q`: verify it, as
    q may be negative. What stands in the formula `before` stays as its author wrote it.
    """
    own = set(everything(at_zero(before)))

    def visit(node: Node) -> Node:
        if node in own:
            return node
        node = rebuild(node, visit)
        match node:
            case Product():
                return _numbers_first(node)
            case Sum():
                return _added_up(node)
            case Call(name="sqrt", arguments=(Power(base=base, exponent=Number(value=two)),)):
                return base if two == 2 else node
            case Power(base=Call(name="sqrt", arguments=(inside,)), exponent=Number(value=two)):
                return inside if two == 2 else node
            case _:
                return node

    return visit(at_zero(tree))


def _numbers_first(node: Product) -> Node:
    flat = [part for e, f in node.factors for part in _flat(e, f)]
    numbers = [f.value**e for e, f in flat if isinstance(f, Number) and f.value]
    rest = [(e, f) for e, f in flat if not isinstance(f, Number)]
    there = len(numbers) == 1 and isinstance(flat[0][1], Number) and flat[0][0] > 0
    names = [f for e, f in rest if e > 0 and isinstance(f, Name)]
    if len(numbers) + len(rest) < len(flat) or not rest:
        return node
    if len(flat) == len(node.factors) and len(set(names)) == len(names) and (there or not numbers):
        return node
    whole = prod(numbers, start=Fraction(1))
    found: Node = number(whole.numerator)
    for e, f in _squared(rest):
        found = product(found, f) if e > 0 else quotient(found, f)
    return quotient(found, number(whole.denominator))


def _flat(e: int, f: Node) -> Iterator[tuple[int, Node]]:
    """The factors of a factor; those of a divisor only where it is a fraction itself."""
    if isinstance(f, Product) and (e > 0 or any(d < 0 for d, _ in f.factors)):
        for d, inner in f.factors:
            yield from _flat(e * d, inner)
    else:
        yield e, f


def _squared(factors: Sequence[tuple[int, Node]]) -> Iterator[tuple[int, Node]]:
    """A name that is there several times as its power, at its first place."""
    for i, (e, f) in enumerate(factors):
        times = factors.count((e, f)) if isinstance(f, Name) and e > 0 else 1
        if times == 1 or (e, f) not in factors[:i]:
            yield e, f if times == 1 else power(f, times)


def _added_up(node: Sum) -> Node:
    values = [_rational(t) for _, t in node.terms]
    if sum(v is not None for v in values) < 2:
        return node
    whole = sum((s * v for (s, _), v in zip(node.terms, values, strict=True) if v is not None), 0)
    rest = [t for t, v in zip(node.terms, values, strict=True) if v is None]
    return total(*([(1, number(Fraction(whole)))] if whole else []), *rest)


def _rational(node: Node) -> Fraction | None:
    match node:
        case Number(value=value):
            return value
        case Product(factors=((1, Number(value=top)), (-1, Number(value=bottom)))):
            return top / bottom if bottom else None
        case _:
            return None
