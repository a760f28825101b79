"""Repaired formulas as an author would write them: only what the repair made is touched."""

from __future__ import annotations

from fractions import Fraction

from ...language.syntax import Call, Node, Number, Power, Product, Sum, rebuild
from .trees import at_zero, everything, number, product, quotient, total


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
    flat = [
        part
        for e, f in node.factors
        for part in (f.factors if e > 0 and isinstance(f, Product) else ((e, f),))
    ]
    numbers = [f for e, f in flat if e > 0 and isinstance(f, Number)]
    rest = [(e, f) for e, f in flat if not (e > 0 and isinstance(f, Number))]
    there = len(numbers) == 1 and flat[0][1] == numbers[0] and len(flat) == len(node.factors)
    if there or not numbers:
        return node
    whole = Fraction(1)
    for n in numbers:
        whole *= n.value
    found: Node = number(whole)
    for e, f in rest:
        found = product(found, f) if e > 0 else quotient(found, f)
    return found


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
