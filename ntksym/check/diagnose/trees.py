"""Syntax trees as the material of a repair: built, and rebuilt at one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from ...language.syntax import (
    Call,
    Name,
    Negate,
    Node,
    Number,
    Power,
    Product,
    Sum,
    children,
    rebuild,
)


def number(value: int | Fraction) -> Node:
    """A number; a fraction becomes a quotient, so that it is written as a paper prints it."""
    if isinstance(value, int):
        return Number(0, Fraction(value)) if value >= 0 else Negate(0, number(-value))
    if value.denominator == 1:
        return number(value.numerator)
    top = quotient(number(abs(value.numerator)), number(value.denominator))
    return Negate(0, top) if value < 0 else top


def name(text: str) -> Node:
    """A name."""
    return Name(0, text)


def call(function: str, *arguments: Node) -> Node:
    """`function(arguments)`."""
    return Call(0, function, arguments)


def root(node: Node) -> Node:
    """`sqrt(node)`."""
    return call("sqrt", node)


def power(base: Node, exponent: Node | int) -> Node:
    """`base**exponent`."""
    return Power(0, base, number(exponent) if isinstance(exponent, int) else exponent)


def negative(node: Node) -> Node:
    """`-node`, without a double sign."""
    return node.operand if isinstance(node, Negate) else Negate(0, node)


def product(*factors: Node) -> Node:
    """The product, factors that are one left out."""
    flat: list[tuple[int, Node]] = []
    for f in factors:
        if f == number(1):
            continue
        flat.extend(f.factors if isinstance(f, Product) else ((1, f),))
    return _joined(flat)


def quotient(top: Node, bottom: Node) -> Node:
    """`top/bottom`."""
    if bottom == number(1):
        return top
    if isinstance(bottom, Negate):
        return negative(quotient(top, bottom.operand))
    return _joined([*(top.factors if isinstance(top, Product) else ((1, top),)), (-1, bottom)])


def _joined(factors: list[tuple[int, Node]]) -> Node:
    """A product; the first factor of a tree is never a divisor."""
    if not factors:
        return number(1)
    # a sign belongs in front of the whole product
    sign = 1
    clean: list[tuple[int, Node]] = []
    for e, f in factors:
        if isinstance(f, Negate):
            sign, f = -sign, f.operand
        clean.append((e, f))
    above = [(e, f) for e, f in clean if e > 0]
    below = [(e, f) for e, f in clean if e < 0]
    if clean[0][0] < 0:
        clean = [*(above or [(1, number(1))]), *below]
    node = clean[0][1] if len(clean) == 1 else Product(0, tuple(clean))
    return node if sign > 0 else Negate(0, node)


def total(*terms: tuple[int, Node]) -> Node:
    """The sum of (sign, term) pairs, nested sums flattened."""
    flat: list[tuple[int, Node]] = []
    for sign, t in terms:
        if isinstance(t, Negate):
            sign, t = -sign, t.operand
        flat.extend((sign * s, f) for s, f in (t.terms if isinstance(t, Sum) else ((1, t),)))
    if not flat:
        return number(0)
    flat = _positive_first(flat)
    if len(flat) == 1:
        return flat[0][1] if flat[0][0] > 0 else Negate(0, flat[0][1])
    return Sum(0, tuple(flat))


def _positive_first(terms: list[tuple[int, Node]]) -> list[tuple[int, Node]]:
    if terms[0][0] > 0:
        return terms
    for i, (sign, _) in enumerate(terms):
        if sign > 0:
            return [terms[i], *terms[:i], *terms[i + 1 :]]
    return [(1, Negate(0, terms[0][1])), *terms[1:]]


def divided(node: Node, part: Node) -> Node:
    """`node/part`, a factor that is there taken out."""
    if isinstance(node, Product):
        for i, (e, f) in enumerate(node.factors):
            if e > 0 and f == part:
                return _joined([*node.factors[:i], *node.factors[i + 1 :]])
    bare = at_zero(node)
    return divided(bare, part) if bare != node else quotient(node, part)


def at_zero(node: Node) -> Node:
    """The tree with all offsets zero, so that equal trees are equal."""
    return replace(rebuild(node, at_zero), at=0)


def everything(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for child in children(node):
        yield from everything(child)


def size(node: Node) -> int:
    """The number of nodes."""
    return sum(1 for _ in everything(node))


def names_in(node: Node) -> tuple[str, ...]:
    """Names in order of first use."""
    return tuple(dict.fromkeys(n.name for n in everything(node) if isinstance(n, Name)))


def rename(node: Node, mapping: Mapping[str, Node]) -> Node:
    """All names replaced at once."""
    if isinstance(node, Name):
        return mapping.get(node.name, node)
    return rebuild(node, lambda child: rename(child, mapping))


Path = tuple[tuple[Node, int], ...]
"""The way down to a node: (parent, index of the child), from the top."""


def places(node: Node, above: Path = ()) -> Iterator[tuple[Node, Path]]:
    """Every node with the way to it."""
    yield node, above
    for i, child in enumerate(children(node)):
        yield from places(child, (*above, (node, i)))


def put(path: Path, new: Node) -> Node:
    """The whole tree with another node at the end of the path; nodes elsewhere are shared."""
    for node, i in reversed(path):
        new = with_child(node, i, new)
    return new


def with_child(node: Node, index: int, new: Node) -> Node:
    """The node with another child at `index`."""
    count = iter(range(len(children(node))))
    return rebuild(node, lambda child: new if next(count) == index else child)
