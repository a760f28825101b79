r"""Conditions: `cases`, and the indicator `\mathbb{1}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..language.syntax import Compare, Logic, Node, Number, Pair, Sum, Truth
from .coverage import covered
from .layout import Fence, Item, Leaf, Row, Table
from .nodes import call, number

if TYPE_CHECKING:
    from .reading import Reader

_RELATIONS = ("<", ">", "<=", ">=", "=", "!=")
_ALWAYS = ("otherwise", "else", "true", "True", "otherwise.", "else.")
_BEFORE = ("if", "for", "when", "where", "If", "for all", "as")


def cases(reader: Reader, item: Item, table: Table) -> Node:
    """The piecewise function that `cases` says.

    Raises:
        ParseError: a line that is not a value and a condition.
    """
    if table.kind != "cases":
        reader.refuse("a matrix is not a number", item.at, "cases for pieces")
    pairs: list[Pair] = []
    for line in table.lines:
        if len(line) == 1 and not line[0] and line is table.lines[-1]:
            continue
        if len(line) != 2:
            where = next((cell[0].at for cell in line if cell), item.at)
            reader.refuse(
                "a line of cases is a value and a condition",
                where,
                r"x & x > 0 \\ 0 & \text{otherwise}",
            )
        value, says = _stripped(line[0]), _stripped(line[1])
        at = value[0].at if value else item.at
        pairs.append(Pair(at, reader.sum(value, at), condition(reader, says, at)))
    return call(item.at, "piecewise", *covered(pairs))


def indicator(reader: Reader, row: Row, pos: int) -> tuple[Node, int] | None:
    r"""The indicator at `pos`, such as `\mathbb{1}[x > 0]` or `1_{x>0}`, and what is after it.

    Raises:
        ParseError: an indicator without a condition.
    """
    item = row[pos]
    body = item.body
    if not isinstance(body, Leaf) or body.kind not in ("INDICATOR", "NUMBER"):
        return None
    if body.kind == "NUMBER" and body.text != "1":
        return None
    after = row[pos + 1].body if pos + 1 < len(row) else None
    if item.sub is not None and (body.kind == "INDICATOR" or _related(item.sub)):
        return reader.attach(_bare(item), _step(reader, item, _opened(item.sub))), pos + 1
    if isinstance(after, Fence) and after.kind in ("PAR", "BRACK", "CURLY"):
        curly = after.kind == "CURLY" or body.kind == "INDICATOR"
        if curly and item.sup is None and _related(after.row):
            last = row[pos + 1]
            return reader.attach(_bare(last), _step(reader, item, after.row)), pos + 2
    if body.kind == "INDICATOR":
        reader.refuse("the indicator of what?", item.at, r"\mathbb{1}[x > 0]")
    return None


def _bare(item: Item) -> Item:
    """The item without its index, which has been read."""
    return Item(item.at, item.end, item.body, None, item.sup, item.primes, item.bangs)


def _opened(row: Row) -> Row:
    """The row inside the one bracket that a row is."""
    if len(row) == 1 and isinstance(row[0].body, Fence) and row[0].plain:
        return row[0].body.row
    return row


def _related(row: Row) -> bool:
    return any(_operator(i) in _RELATIONS for i in _opened(row))


def _step(reader: Reader, item: Item, row: Row) -> Node:
    at = item.at
    found = condition(reader, row, at)
    if isinstance(found, Compare) and len(found.rest) == 1:
        op, right = found.rest[0]
        left = found.first
        if op in ("<", "<="):
            left, right = right, left
        zero = isinstance(right, Number) and right.value == 0
        minus = isinstance(left, Number) and left.value == 0
        if minus:
            inside: Node = Sum(at, ((-1, right),))
        else:
            inside = left if zero else Sum(at, ((1, left), (-1, right)))
        return call(at, "heaviside", inside, number(at, 1 if "=" in op else 0))
    pieces = (Pair(at, number(at, 1), found), Pair(at, number(at, 0), Truth(at, True)))
    return call(at, "piecewise", *pieces)


def condition(reader: Reader, row: Row, at: int) -> Node:
    r"""The condition that a row says: comparisons, joined by `\wedge`, "and", `\vee`, "or".

    Raises:
        ParseError: no comparison, an equation.
    """
    row = _opened(row)
    while row and _word(row[0]) in _BEFORE:
        row = row[1:]
    if not row:
        reader.refuse("a condition is missing", at, r"x > 0, or \text{otherwise}")
    if len(row) == 1 and _word(row[0]) in _ALWAYS:
        return Truth(row[0].at, True)
    for word, marks in (("or", ("or",)), ("and", ("and", ","))):
        parts = _split(row, marks)
        if len(parts) > 1:
            return Logic(row[0].at, word, tuple(condition(reader, p, at) for p in parts))
    return _comparison(reader, row)


def _split(row: Row, marks: tuple[str, ...]) -> list[Row]:
    parts: list[list[Item]] = [[]]
    for item in row:
        if _operator(item) in marks or _word(item) in marks:
            parts.append([])
        else:
            parts[-1].append(item)
    return [tuple(p) for p in parts]


def _comparison(reader: Reader, row: Row) -> Node:
    sides: list[list[Item]] = [[]]
    signs: list[Item] = []
    for item in row:
        if _operator(item) in _RELATIONS:
            signs.append(item)
            sides.append([])
        else:
            sides[-1].append(item)
    if not signs:
        reader.refuse("a comparison is needed", row[0].at, r"x > 0, or \text{otherwise}")
    for sign in signs:
        if _operator(sign) in ("=", "!="):
            reader.refuse(
                "a condition is an inequality: single points do not matter to an expectation",
                sign.at,
                r"x > 0 and \text{otherwise}",
            )
    nodes = [reader.sum(tuple(side), signs[max(0, k - 1)].at) for k, side in enumerate(sides)]
    rest = tuple((_operator(s), n) for s, n in zip(signs, nodes[1:], strict=True))
    return Compare(row[0].at, nodes[0], rest)


def _stripped(row: Row) -> Row:
    """The row without punctuation at its end."""
    while row and _operator(row[-1]) in (",", ";", "."):
        row = row[:-1]
    return row


def _operator(item: Item) -> str:
    body = item.body
    return body.text if isinstance(body, Leaf) and body.kind == "OP" and item.plain else ""


def _word(item: Item) -> str:
    body = item.body
    return body.text if isinstance(body, Leaf) and body.kind == "WORD" and item.plain else ""
