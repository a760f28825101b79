"""Sums over an index in the formulas of claims: `Sum(term, n, first, last)`.

A sum that ends is written out.  One to `oo` stays a SymPy `Sum`, as notation: its value comes from
`verify.functions.series`, with a proven bound of its tail, or it is undecided.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from sympy import Add, Expr, Integer, Symbol, oo
from sympy import Sum as Series

from ..errors import NoValue, ParseError, TooLarge
from ..language.messages import caret
from ..language.syntax import Call, Name, Node

NAMES = ("Sum", "sum", "summation")
USAGE = "Sum(rho^n/n^2, n, 1, oo)"
_TERMS = 1000
"""The most terms of a sum that is written out, and the largest first index in size."""

Build = Callable[[Node, dict[str, Expr]], Expr]


def index_of(node: Node) -> str:
    """The name that a sum binds; "" where the node is no sum."""
    if isinstance(node, Call) and node.name in NAMES and len(node.arguments) == 4:
        index = node.arguments[1]
        return index.name if isinstance(index, Name) else ""
    return ""


def summed(text: str, node: Call, build: Build) -> Expr:
    """The sum that a call says; `build` makes a part of it with more names bound.

    Raises:
        ParseError: limits that are no whole numbers, or an index that is no name.
        TooLarge: more than a thousand terms, or a first index beyond a thousand.
    """
    if not index_of(node):
        _refuse(f"{node.name} takes a term, the name of its index and two limits", text, node)
    body, index, low, high = node.arguments
    assert isinstance(index, Name)
    first, last = build(low, {}), build(high, {})
    if not isinstance(first, Integer):
        _refuse("a sum starts at a whole number", text, low)
    if abs(first) > _TERMS:
        raise TooLarge(f"a sum from {first}", where=caret(text, low.at), hint=f"at most {_TERMS}")
    if last == oo:
        n = Symbol(index.name, integer=True, nonnegative=True if first >= 0 else None)
        try:
            return Series(build(body, {index.name: n}), (n, first, oo))
        except NoValue as error:  # that a term cannot be written for a name refutes nothing
            _refuse(f"the term of the sum, for a name {n}: {error.what}", text, body)
    if not isinstance(last, Integer):
        _refuse("a sum ends at a whole number, or at oo", text, high)
    if last - first >= _TERMS:
        raise TooLarge(
            f"a sum of {last - first + 1} terms",
            where=caret(text, high.at),
            hint=f"{_TERMS}, or oo",
        )
    numbers = range(int(first), int(last) + 1)
    return Add(*(build(body, {index.name: Integer(k)}) for k in numbers))


def _refuse(what: str, text: str, node: Node) -> NoReturn:
    raise ParseError(what, where=caret(text, node.at), hint=USAGE)
