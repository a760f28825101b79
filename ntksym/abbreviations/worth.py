"""Which parts of formulas are worth a name, and the order of names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sympy import Add, Expr, Mul, Symbol, default_sort_key, preorder_traversal

from ..symbols import q11, q22
from .rewrite import SWAP, count_of, replaced, weight

SHORT = 5
"""What has fewer nodes than this is not worth a name; a product or power needs `SHORT` + 3."""


WORTH = 8
"""A name has to save so many nodes."""


WIDE = 60
"""A sum of more nodes that is a factor of a term has a name also where it stands once: its own
terms can then go on in the next line."""


def widest(exprs: list[Any], wide: int = WIDE) -> tuple[Any, Any]:
    """The largest sum that is a factor of a term of the formulas, and its mirror image there.

    None where no such sum has more than `wide` nodes.
    """
    sums = {
        f
        for e in exprs
        for term in Add.make_args(e)
        for f in Mul.make_args(term)
        if f.is_Add and f != e and weight(f) > wide
    }
    if not sums:
        return None, None
    found = max(sums, key=lambda f: (weight(f), default_sort_key(f)))
    mirror = replaced(found, SWAP)
    first, *second = sorted({found, mirror} & sums, key=_order)
    return first, second[0] if second else None


def most_worth(exprs: list[Any], names: dict[Symbol, Any]) -> tuple[Any, Any]:
    """The repeated part whose name saves most nodes, and its mirror image if that is another."""
    counts = Counter(n for e in exprs for n in preorder_traversal(e) if _may_be_named(n))
    for whole in exprs:
        counts.pop(whole, None)
    mirrored = {**SWAP, **{s: _sibling(s, names) for s in names}}

    def times(node: Any) -> int:
        return counts[node] + (counts[-node] if node.is_Add else 0)

    found: list[tuple[int, tuple[Any, ...]]] = []
    for node in counts:
        pair: tuple[Any, ...] = (node,)
        if times(node) > 0:
            mirror = replaced(node, mirrored)
            if mirror != node and mirror in counts:
                pair = (node, mirror)
        saved = (sum(map(times, pair)) - len(pair)) * (weight(node) - 1)
        found.append((saved, pair))
    best = max((saved for saved, _ in found), default=0)
    if best < WORTH:
        return None, None
    ties = [sorted(pair, key=_order) for saved, pair in found if saved == best]
    first, *second = min(ties, key=lambda pair: [default_sort_key(p) for p in pair])
    return first, second[0] if second else None


def upright(exprs: list[Any], part: Any) -> Any:
    """A sum or its negative: the one that stands under a root, where only one of them does."""
    if part is None or not part.is_Add:
        return part
    inner = {
        n.base for e in exprs for n in preorder_traversal(e) if n.is_Pow and not n.exp.is_Integer
    }
    return -part if -part in inner and part not in inner else part


def _sibling(symbol: Symbol, names: dict[Symbol, Any]) -> Symbol:
    """A2 for A1 and A1 for A2; a name without a mirror image is its own."""
    stem, digit = symbol.name[:-1], symbol.name[-1:]
    other = Symbol(stem + {"1": "2", "2": "1"}.get(digit, digit))
    return other if other in names else symbol


def _may_be_named(node: Any) -> bool:
    """Whether a name would save more than it hides: no numbers, nothing short, no monomials.

    The lists of parameters of 2F1 are no expressions.
    """
    if not isinstance(node, Expr):
        return False
    least = SHORT + (3 if node.is_Mul or node.is_Pow else 0)
    if not (node.args and weight(node) >= least and node.free_symbols):
        return False
    return not all(
        f.as_base_exp()[0].is_Atom and f.as_base_exp()[1].is_Integer for f in Mul.make_args(node)
    )


def _order(expr: Any) -> tuple[Any, ...]:
    """Formulas of u before those of v: more q11 than q22, else SymPy's order."""
    return (count_of(expr, q22) - count_of(expr, q11), default_sort_key(expr))


def in_order(
    names: dict[Symbol, Any], shown: list[Any], twins: dict[Symbol, Symbol]
) -> Iterator[tuple[Symbol, Any]]:
    """Each name that is used, after those that its definition needs, the second of a pair last."""
    done: set[Symbol] = set()

    def visit(symbol: Symbol) -> Iterator[tuple[Symbol, Any]]:
        if symbol in done:
            return
        done.add(symbol)
        if symbol in twins:
            yield from visit(twins[symbol])
        for inner in sorted(names[symbol].free_symbols & names.keys(), key=default_sort_key):
            yield from visit(inner)
        yield symbol, names[symbol]

    used = set().union(*(f.free_symbols for f in shown)) & names.keys()
    for symbol in sorted(used, key=lambda s: list(names).index(s)):
        yield from visit(symbol)
