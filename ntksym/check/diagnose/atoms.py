"""Simple expressions that a formula may lack: names, products, parts of the formula."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ...language.syntax import Call, Node, Sum
from ...language.tree_text import write
from ...symbols import m, q, q11, q12, q22
from .floats import close
from .ground import Ground
from .trees import (
    call,
    everything,
    name,
    number,
    power,
    product,
    quotient,
    root,
    size,
    total,
)

_LARGE = 24

Atom = tuple[Node, list[float]]


def atoms(g: Ground) -> list[Atom]:
    """Expressions with their values at the samples; those that are constant are left out."""
    if g.basis is None:
        found: dict[str, Atom] = {}
        for node in (*_common(g), *_parts(g)):
            text = write(node)
            if text not in found:
                values = g.vector(node)
                if not any(math.isnan(v) for v in values) and not _constant(values):
                    found[text] = (node, values)
        g.basis = tuple(found.values())
    return list(g.basis)


def _constant(values: list[float]) -> bool:
    return all(close(v, values[0]) for v in values) and len(values) > 1


def _common(g: Ground) -> Iterator[Node]:
    """What formulas of the field are made of."""
    names = [n for n in g.vocabulary if n != "n"]
    yield from (name(n) for n in names)
    by = {g.symbol(n): name(n) for n in reversed(names)}
    if {q11, q12, q22} <= by.keys():
        a, c, b = by[q11], by[q12], by[q22]
        yield product(a, b)
        yield total((1, a), (1, b))
        yield total((1, product(a, b)), (-1, power(c, 2)))
        for k in (1, 2):
            one, two = _one_plus(k, a), _one_plus(k, b)
            yield from (one, two, product(one, two))
            square = power(c, 2) if k == 1 else product(number(4), power(c, 2))
            yield total((1, product(one, two)), (-1, square))
        yield from (call("cosh", c), call("sinh", c))
    if q in by:
        yield from (_one_plus(k, by[q]) for k in (1, 2, 4))
        if m in by:
            z = quotient(by[m], root(by[q]))
            yield from (call("Phi", z), call("phi", z))
    if "rho" in names:
        yield total((1, number(1)), (-1, power(name("rho"), 2)))
    if g.claim.quantity == "hermite":
        n = name("n") if "n" in g.vocabulary else number(int(g.claim.n or 0))
        yield from (call("factorial", n), power(number(2), n), power(number(-1), n))


def _one_plus(k: int, variance: Node) -> Node:
    return total((1, number(1)), (1, product(number(k), variance)))


def _parts(g: Ground) -> Iterator[Node]:
    """Calls and sums of the formula, and densities next to distribution functions."""
    partner = {"Phi": "phi", "phi": "Phi", "asin": "acos", "acos": "asin"}
    for node in everything(g.tree):
        if isinstance(node, (Call, Sum)) and size(node) <= _LARGE:
            yield node
            if isinstance(node, Call) and node.name in partner:
                yield call(partner[node.name], *node.arguments)


__all__ = ["Atom", "atoms"]
