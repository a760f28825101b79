r"""Sums over an index: $\sum_{n=0}^{\infty} a_n \rho^n$ is `Sum(a_n*rho**n, n, 0, oo)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from ..errors import UnknownName
from ..language.names import CONSTANTS
from ..language.syntax import Name, Node
from ..language.table import known_names
from .layout import Item, Leaf, Row
from .macros import REFUSED
from .naming import letter_name
from .nodes import call

if TYPE_CHECKING:
    from .reading import Reader

_SUM, _INFINITY = Leaf("WORD", r"\sum"), Leaf("WORD", r"\infty")
_HINT = r"\sum_{n=0}^{\infty} ..., or \sum_{n \ge 0}"


def series(reader: Reader, row: Row, pos: int) -> tuple[Node, int] | None:
    r"""The sum at `pos`, of all that follows up to the next sign; None for no sum.

    Raises:
        UnknownName: infinity outside of the limits of a sum.
        ParseError: limits that are not `n = ...` below and a number or infinity above.
    """
    item = row[pos]
    if item.body == _INFINITY:
        raise UnknownName(
            r"\infty cannot be part of a formula",
            where=reader.place(item.at),
            hint=REFUSED[r"\infty"],
        )
    if item.body != _SUM:
        return None
    if item.primes or item.bangs:
        reader.refuse("a sum with a mark", item.at, _HINT)
    below, above = item.sub or (), item.sup
    sign = _operator(below[1]) if len(below) > 2 else ""
    whole = sign in (">", ">=") and above is None
    letter = below[0].body if below and below[0].plain else None
    if not isinstance(letter, Leaf) or letter.kind != "LETTER" or not (sign == "=" or whole):
        _refuse(reader, item)
    if not whole and not above:
        _refuse(reader, item)
    if pos + 1 == len(row):
        reader.refuse("the sum has no term", item.at, _HINT)
    base = letter_name(below[0])
    taken = base in CONSTANTS or base in known_names(True)
    index = f"index_{base}" if taken else base
    first = reader.sum(below[2:], item.at)
    if sign == ">":
        reader.refuse("a sum from a strict inequality", item.at, r"\ge, with the first index")
    endless = above is None or (len(above) == 1 and above[0].body == _INFINITY)
    last = Name(item.at, "oo") if endless else reader.sum(above or (), item.at)
    outer = reader.names
    reader.names = {**outer, base: index}
    term = reader.term(row[pos + 1 :])
    reader.names = outer
    reader.note(f"the sum over {base} is of {reader.source(row[pos + 1 :])}")
    return call(item.at, "Sum", term, Name(item.at, index), first, last), len(row)


def _operator(item: Item) -> str:
    body = item.body
    return body.text if isinstance(body, Leaf) and body.kind == "OP" else ""


def _refuse(reader: Reader, item: Item) -> NoReturn:
    reader.refuse("the limits of a sum are its index and two whole numbers", item.at, _HINT)
