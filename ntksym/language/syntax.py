"""What the parser returns: a tree of plain frozen records, with the offset of each in the text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Number:
    """An integer or a decimal, exactly."""

    at: int
    value: Fraction


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier that is not called."""

    at: int
    name: str


@dataclass(frozen=True, slots=True)
class Truth:
    """`True` or `False`."""

    at: int
    value: bool


@dataclass(frozen=True, slots=True)
class Negate:
    """`-operand`."""

    at: int
    operand: Node


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms with their signs, as a flat list: `a - b + c` is not nested."""

    at: int
    terms: tuple[tuple[int, Node], ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Factors with +1 for a factor and -1 for a divisor."""

    at: int
    factors: tuple[tuple[int, Node], ...]


@dataclass(frozen=True, slots=True)
class Power:
    """`base ** exponent`."""

    at: int
    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`; keywords only until `spelling` has put them in their places."""

    at: int
    name: str
    arguments: tuple[Node, ...]
    keywords: tuple[tuple[str, Node], ...] = ()


LIST = "[]"
"""The name of the call that `[a, b, c]` is, until `spelling` has handed it to what takes a list."""


@dataclass(frozen=True, slots=True)
class Pair:
    """`(value, condition)`, a piece of a piecewise."""

    at: int
    value: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Compare:
    """`first op second op third ...`, which means that all of the comparisons hold."""

    at: int
    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Logic:
    """`and` or `or` of conditions."""

    at: int
    word: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """`not operand`."""

    at: int
    operand: Node


Node = Number | Name | Truth | Negate | Sum | Product | Power | Call | Pair | Compare | Logic | Not


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below `node`."""
    match node:
        case Negate() | Not():
            return (node.operand,)
        case Sum():
            return tuple(t for _, t in node.terms)
        case Product():
            return tuple(f for _, f in node.factors)
        case Power():
            return node.base, node.exponent
        case Call():
            return node.arguments
        case Pair():
            return node.value, node.condition
        case Compare():
            return node.first, *(n for _, n in node.rest)
        case Logic():
            return node.operands
        case _:
            return ()


def rebuild(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with `change` applied to each node directly below it."""
    match node:
        case Negate() | Not():
            return replace(node, operand=change(node.operand))
        case Sum():
            return replace(node, terms=tuple((s, change(t)) for s, t in node.terms))
        case Product():
            return replace(node, factors=tuple((s, change(f)) for s, f in node.factors))
        case Power():
            return replace(node, base=change(node.base), exponent=change(node.exponent))
        case Call():
            return replace(node, arguments=tuple(change(a) for a in node.arguments))
        case Pair():
            return replace(node, value=change(node.value), condition=change(node.condition))
        case Compare():
            rest = tuple((op, change(n)) for op, n in node.rest)
            return replace(node, first=change(node.first), rest=rest)
        case Logic():
            return replace(node, operands=tuple(change(n) for n in node.operands))
        case _:
            return node
