"""The tree that was read, as text of the language, with no more brackets than it needs."""

from __future__ import annotations

from fractions import Fraction

from ..language.syntax import (
    Call,
    Compare,
    Logic,
    Name,
    Negate,
    Node,
    Not,
    Number,
    Pair,
    Power,
    Product,
    Sum,
    Truth,
)

_SUM, _PRODUCT, _FACTOR, _ATOM = 1, 2, 3, 4


def spell(node: Node) -> str:
    """Text that the parser of the language reads to `node`."""
    return _spell(node, 0)


def decimal(value: Fraction) -> str:
    """A decimal, exactly; every number of a source text is one."""
    if value.denominator == 1:
        return str(value.numerator)
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
    digits = str(int(value * 10**places)).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}"


def _spell(node: Node, level: int) -> str:
    text, own = _form(node)
    return f"({text})" if own < level else text


def _form(node: Node) -> tuple[str, int]:
    match node:
        case Number():
            return decimal(node.value), _ATOM
        case Name():
            return node.name, _ATOM
        case Truth():
            return str(node.value), _ATOM
        case Negate():
            return "-" + _spell(node.operand, _PRODUCT), _SUM
        case Sum():
            parts = [(" - " if s < 0 else " + ") + _spell(t, _PRODUCT) for s, t in node.terms]
            sign = "-" if node.terms[0][0] < 0 else ""
            return sign + "".join(parts)[3:], _SUM
        case Product():
            return _product(node), _PRODUCT
        case Power():
            exponent = node.exponent
            whole = isinstance(exponent, Number) and exponent.value.denominator == 1
            plain = whole or isinstance(exponent, Name)
            raised = _spell(exponent, _ATOM) if plain else f"({_spell(exponent, 0)})"
            return f"{_spell(node.base, _ATOM)}**{raised}", _FACTOR
        case Call():
            return f"{node.name}({', '.join(_spell(a, 0) for a in node.arguments)})", _ATOM
        case Pair():
            return f"({_spell(node.value, 0)}, {_spell(node.condition, 0)})", _ATOM
        case Compare():
            rest = "".join(f" {op} {_spell(n, _SUM)}" for op, n in node.rest)
            return _spell(node.first, _SUM) + rest, 0
        case Logic():
            return f" {node.word} ".join(f"({_spell(n, 0)})" for n in node.operands), 0
        case Not():
            return f"not ({_spell(node.operand, 0)})", 0


def _product(node: Product) -> str:
    text = ""
    for k, (power, factor) in enumerate(node.factors):
        if power > 0:
            text += ("*" if k else "") + _spell(factor, _FACTOR)
        else:
            text += ("/" if k else "1/") + _spell(factor, _FACTOR)
    return text


def product(at: int, factors: list[tuple[int, Node]]) -> Node:
    """The product of factors and divisors, flat, so that it is written without brackets."""
    flat: list[tuple[int, Node]] = []
    for power, node in factors:
        if power > 0 and isinstance(node, Product):
            flat += node.factors
        else:
            flat.append((power, node))
    return flat[0][1] if len(flat) == 1 and flat[0][0] > 0 else Product(at, tuple(flat))


def call(at: int, name: str, *arguments: Node) -> Call:
    """A call."""
    return Call(at, name, arguments)


def number(at: int, value: int) -> Number:
    """A whole number."""
    return Number(at, Fraction(value))
