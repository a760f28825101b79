"""Text of a claim to SymPy: the language, with the names and functions that a claim binds.

What a definition adds to the language is lifted out of the syntax tree first: expectations
`E[...]`, the functions of the claim `s(.)`, `f(.)`, `g(.)` with their derivatives `ds(.)`,
`diff(expr, name)` and `Sum(term, n, 0, oo)`.  Each becomes a name, so the language itself stays as
it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Expr, Symbol, oo, preorder_traversal

from ..errors import ParseError, TooLarge, UnknownName
from ..language.build import Builder, check_calls
from ..language.limits import MAX_SIZE
from ..language.measure import measure
from ..language.messages import caret, nearest
from ..language.parser import read_tree
from ..language.syntax import (
    Call,
    Name,
    Node,
    children,
    rebuild,
)
from ..language.table import known_names
from . import sums

Function = Callable[[Expr], Expr]


@dataclass(frozen=True, slots=True)
class Scope:
    """The names and functions that a text may use.

    Attributes:
        names: every bound name, with what it stands for.
        functions: one-place functions of the claim.
        expect: what `E[...]` means, or None where it has no meaning.
        inner: names that are bound inside `E[...]` only.
    """

    names: Mapping[str, Expr]
    functions: Mapping[str, Function] = field(default_factory=dict)
    expect: Function | None = None
    inner: Mapping[str, Expr] = field(default_factory=dict)

    def read(self, text: str) -> Expr:
        """The expression that a text says.

        Raises:
            ParseError: not a formula.
            UnknownName: a name or function that is not bound here.
            TooLarge: beyond the bounds of the language.
        """
        plain = text.translate(_BRACKETS) if self.expect is not None else text
        return _build(plain, read_tree(plain), self, self.names)

    def condition(self, text: str) -> Any:
        """The condition (a SymPy Boolean) that a comparison says."""
        tree = read_tree(text)
        check_calls(text, tree, True)
        measure(text, tree)
        _check_names(text, tree, self.names)
        return _builder(text, self.names).condition(tree)


_NUMBERS = ("pi", "E", "EulerGamma", "oo")
_BRACKETS = str.maketrans("[]", "()")


def _build(text: str, tree: Node, scope: Scope, names: Mapping[str, Expr]) -> Expr:
    found = dict(names)
    lifted = _lift(text, tree, scope, found)
    check_calls(text, lifted, True)
    measure(text, lifted)
    _check_names(text, lifted, found)
    result = _builder(text, found).finite(lifted)
    if sum(1 for _ in zip(preorder_traversal(result), range(4 * MAX_SIZE), strict=False)) >= (
        4 * MAX_SIZE
    ):
        raise TooLarge("the expression is too large with its functions written out", hint="parts")
    return result


def _builder(text: str, names: Mapping[str, Expr]) -> Builder:
    variables: Any = names
    # what is not real is refuted at a point, not refused as text
    return Builder(text, variables, {}, True, False, complex_values=True)


def _lift(text: str, node: Node, scope: Scope, names: dict[str, Expr]) -> Node:
    """The tree with a fresh name for every part that the language does not know."""
    if isinstance(node, Call):
        value = _special(text, node, scope, names)
        if value is not None:
            fresh = f"_{len(names)}"
            names[fresh] = value
            return Name(node.at, fresh)
    return rebuild(node, lambda child: _lift(text, child, scope, names))


def _special(text: str, node: Call, scope: Scope, names: Mapping[str, Expr]) -> Expr | None:
    outer = {n: e for n, e in names.items() if not n.startswith("_")}
    if node.name == "E" and scope.expect is not None:
        (inside,) = _arguments(text, node, 1, "E[s(u)*s(v)]")
        bound = replace(scope, expect=None)
        return scope.expect(_build(text, inside, bound, {**outer, **scope.inner}))
    if node.name in sums.NAMES:
        return sums.summed(text, node, lambda n, more: _part(text, n, scope, {**outer, **more}))
    if node.name == "diff" and scope.functions:
        body, by = _arguments(text, node, 2, "diff(Phi2(h, k, r), r)")
        symbol = names.get(by.name) if isinstance(by, Name) else None
        if not isinstance(symbol, Symbol):
            raise ParseError("diff takes a name as second argument", where=caret(text, by.at))
        value: Expr = _build(text, body, scope, outer).diff(symbol)
        return value
    if node.name in scope.functions and node.name not in known_names(True):
        (inside,) = _arguments(text, node, 1, f"{node.name}(z)")
        return scope.functions[node.name](_build(text, inside, scope, outer))
    return None


def _part(text: str, node: Node, scope: Scope, names: Mapping[str, Expr]) -> Expr:
    """A part of a sum: its term, or a limit, which may be infinite."""
    if isinstance(node, Name) and node.name == "oo":
        return oo
    return _build(text, node, scope, names)


def _arguments(text: str, node: Call, count: int, usage: str) -> tuple[Node, ...]:
    if len(node.arguments) != count:
        raise ParseError(
            f"{node.name} takes {count} argument{'s' * (count != 1)}, not {len(node.arguments)}",
            where=caret(text, node.at),
            hint=usage,
        )
    return node.arguments


def _check_names(text: str, node: Node, names: Mapping[str, Expr]) -> None:
    if isinstance(node, Name) and node.name not in (*names, *_NUMBERS, "I"):
        if node.name in known_names(True):
            return
        shown = sorted(n for n in names if not n.startswith("_"))
        close = nearest(node.name, {*shown, "pi", "E"})
        raise UnknownName(
            f"the name {node.name!r} is not bound",
            where=caret(text, node.at),
            tried=["bound here: " + ", ".join(shown)],
            hint=f"did you mean {close}?"
            if close
            else f'params = {{ {node.name} = "real" }} binds it, '
            f'names = {{ {node.name} = "{_meant(shown)}" }} says what it stands for',
        )
    for child in children(node):
        _check_names(text, child, names)


def _meant(names: list[str]) -> str:
    """A name of the quantity, for an error."""
    return next((n for n in ("rho", "q", "q12") if n in names), "...")


def free_names(text: str) -> tuple[str, ...]:
    """The names that a text uses and does not call, in order of first use."""
    found: dict[str, None] = {}

    def visit(node: Node, bound: frozenset[str]) -> None:
        if isinstance(node, Name) and node.name not in (*_NUMBERS, *bound):
            found[node.name] = None
        inner = bound | {sums.index_of(node)}
        for child in children(node):
            visit(child, inner)

    visit(read_tree(text.translate(_BRACKETS)), frozenset())
    return tuple(found)
