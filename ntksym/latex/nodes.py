"""Nodes of syntax trees at a place of a LaTeX text."""

from __future__ import annotations

from fractions import Fraction

from ..language.syntax import Call, Node, Number, Product


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
