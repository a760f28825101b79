"""Functions at their arguments, with and without brackets, and their powers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ParseError
from ..language.syntax import Name, Node, Number, Power, Product, Sum
from ..language.table import canonical, functions
from .heads import BRACKETS, Head, bracket, head
from .heads import check_called as check_called
from .layout import Fence, Group, Item, Leaf, Row, Table
from .nodes import call, number, product

if TYPE_CHECKING:
    from .reading import Reader

_INVERSES = {"sin": "asin", "cos": "acos", "tan": "atan", "sinh": "asinh"}
_RECIPROCALS = {"csc": "sin", "sec": "cos", "cot": "tan"}


def apply(reader: Reader, row: Row, pos: int) -> tuple[Node, int] | None:
    """The function at `pos` with its argument, and the position after both; None for no function.

    Raises:
        ParseError: no argument, a wrong number of arguments, or an argument whose end is not clear.
    """
    found = head(reader, row, pos)
    if found is None:
        return None
    item = row[pos + found.items - 1]
    if item.primes or item.bangs:
        reader.refuse("the derivative of a function", item.at, "the derivative, written out")
    name, power = _power(reader, item, found)
    start = pos + found.items
    if bracket(row, start) is not None or _braced(row, start):
        arguments, after = _bracketed(reader, row, start, item), start + 1
        outer = row[start]
    else:
        if found.bracketed or canonical(name) in ("max", "min"):
            reader.refuse(
                f"{reader.source((item,))} needs its argument in brackets",
                item.at,
                f"{reader.source((item,))}(z)",
            )
        node, after = _bare(reader, row, start, item)
        arguments, outer = [node], None
    value = _call(reader, item, found, name, arguments)
    if power is not None:
        value = reader.power(item, value, power)
    if outer is not None and not outer.plain:
        if outer.bangs or (power is not None and outer.sup is not None):
            reader.refuse(
                f"{reader.source((item, outer))} is ambiguous",
                outer.at,
                "brackets around the function with its argument",
            )
        if outer.sub is not None or outer.primes:
            reader.refuse(
                "an index after the brackets of a function", outer.at, "the index at its name"
            )
        shown = reader.source((item, outer))
        reader.note(f"{shown}: the power is of the value of the function")
        value = reader.attach(outer, value)
    return value, after


def _power(reader: Reader, item: Item, found: Head) -> tuple[str, Row | None]:
    """The name, or that of the inverse function for the power -1; and the power of the value."""
    sup = item.sup
    if sup is None or not sup:
        return found.name, None
    body = sup[0].body
    if isinstance(body, Leaf) and body.text == "-":
        inverse = _INVERSES.get(found.name)
        shown = reader.source_of(item)
        if reader.source(sup).replace(" ", "") != "-1" or inverse is None:
            reader.refuse(
                f"a negative power of the function {found.name} is an inverse or a reciprocal",
                item.at,
                r"(\sin x)^{-1} for the reciprocal; \arcsin, \arccos, \arctan for inverses",
            )
        reader.note(f"{shown} is the inverse function, {inverse}")
        return inverse, None
    return found.name, sup


def _braced(row: Row, pos: int) -> bool:
    return pos < len(row) and isinstance(row[pos].body, Group)


def _bracketed(reader: Reader, row: Row, pos: int, item: Item) -> list[Node]:
    fence = bracket(row, pos)
    if fence is None:
        body = row[pos].body
        if not isinstance(body, Group):
            raise AssertionError("a bracket or braces")
        for inner in body.row[1:]:
            if isinstance(inner.body, Leaf) and inner.body.text in ("+", "-", ",", "/"):
                reader.refuse(
                    "braces are not printed: the end of the argument is not clear",
                    row[pos].at,
                    f"brackets: {reader.source((item,))}(...)",
                )
        return [reader.sum(body.row, row[pos].at)]
    if len(fence.row) == 3 and isinstance(fence.row[0].body, Table):
        return _matrix(reader, fence)
    parts: list[list[Item]] = [[]]
    for inner in fence.row:
        if isinstance(inner.body, Leaf) and inner.body.text in (",", ";") and inner.plain:
            parts.append([])
        else:
            parts[-1].append(inner)
    return [reader.sum(tuple(p), row[pos].at) for p in parts]


def _matrix(reader: Reader, fence: Fence) -> list[Node]:
    r"""SymPy's form of ${}_2F_1$: a matrix of the parameters, `\middle|`, the argument."""
    table = fence.row[0].body
    if not isinstance(table, Table) or table.kind != "matrix" or len(table.lines) != 2:
        reader.refuse("a table as an argument", fence.row[0].at, "{}_2F_1(a, b; c; z)")
    found: list[Node] = []
    for line in table.lines:
        for cell in line:
            part: list[Item] = []
            for item in cell:
                if isinstance(item.body, Leaf) and item.body.text == ",":
                    found.append(reader.sum(tuple(part), item.at))
                    part = []
                else:
                    part.append(item)
            found.append(reader.sum(tuple(part), fence.row[0].at))
    return [*found, reader.sum(fence.row[2:], fence.row[0].at)]


def _call(reader: Reader, item: Item, found: Head, name: str, arguments: list[Node]) -> Node:
    at = item.at
    index = found.index
    if index is not None and name == "log" and len(arguments) == 1:
        base = call(at, "log", reader.sum(index, at))
        return product(at, [(1, call(at, "log", arguments[0])), (-1, base)])
    if index is not None:
        name, arguments = _indexed(reader, item, name, index, arguments)
    elif name == "He":
        reader.refuse("He needs its order", at, "He_3(x)")
    if name == "Phi" and len(arguments) == 3:
        name = "Phi2"
    if name in _RECIPROCALS:
        below = call(at, _RECIPROCALS[name], *arguments)
        return product(at, [(1, number(at, 1)), (-1, below)])
    spec = functions().get(canonical(name))
    if spec is not None and not spec.least <= len(arguments) <= spec.most:
        raise ParseError(
            f"{reader.source((item,))} takes {spec.arity}, not {len(arguments)}",
            where=reader.place(at),
            hint=spec.usage,
        )
    return call(at, name, *arguments)


def _indexed(
    reader: Reader, item: Item, name: str, index: Row, arguments: list[Node]
) -> tuple[str, list[Node]]:
    shown = reader.source(index)
    if name == "He":
        return "He", [reader.sum(index, item.at), *arguments]
    if name == "Phi" and shown == "2":
        return "Phi2", arguments
    if name == "Phi" and len(arguments) == 2 and not shown.isdigit():
        reader.note(f"the index {shown} of \\Phi is the correlation")
        return "Phi2", [*arguments, reader.sum(index, item.at)]
    if name == "atan" and shown == "2":
        return "atan2", arguments
    reader.refuse(
        f"the index {shown} of the function {name} has no meaning here",
        item.at,
        r"\Phi_2(h, k; r), He_n(x)",
    )


def _bare(reader: Reader, row: Row, pos: int, item: Item) -> tuple[Node, int]:
    """The argument of a function without brackets: one factor, and a number before it."""
    shown = reader.source((item,))
    if pos >= len(row) or (isinstance(row[pos].body, Leaf) and _is_operator(row[pos])):
        reader.refuse(
            f"{shown} has no argument",
            item.at,
            f"{shown}(z), with the brackets also around a sign",
        )
    first = row[pos]
    number_first = isinstance(first.body, Leaf) and first.body.kind == "NUMBER" and first.plain
    if number_first and pos + 1 < len(row) and not _is_operator(row[pos + 1]):
        second = row[pos + 1]
        if isinstance(second.body, Fence) or head(reader, row, pos + 1) is not None:
            _unclear(reader, row, item, pos, pos + 1)
        left, _ = reader.factor((first,), 0)
        right, after = reader.factor(row, pos + 1)
        node = product(first.at, [(1, left), (1, right)])
        reader.note(f"{shown} {reader.source(row[pos:after])}: the function of the product")
    else:
        node, after = reader.factor(row, pos)
        if first.sup is not None and head(reader, row, pos) is None:
            reader.note(f"{shown} {reader.source((first,))}: the function of the power")
    if after < len(row):
        last = row[after]
        slash = _is_operator(last) and isinstance(last.body, Leaf) and last.body.text == "/"
        if slash or not (_is_operator(last) or _function(reader, row, after)):
            if slash or node != Name(first.at, "theta"):
                _unclear(reader, row, item, pos, after)
            # Nobody takes the cosine of an angle times a length.
            reader.note(f"{reader.source(row[pos - 1 : after])}: the function of the angle alone")
    return node, after


def _function(reader: Reader, row: Row, pos: int) -> bool:
    return head(reader, row, pos) is not None


def _is_operator(item: Item) -> bool:
    return isinstance(item.body, Leaf) and item.body.kind == "OP"


def _unclear(reader: Reader, row: Row, item: Item, pos: int, after: int) -> None:
    shown, inside = reader.source((item,)), reader.source(row[pos:after])
    end = min(len(row), after + (2 if _is_operator(row[after]) else 1))
    rest = reader.source(row[after:end])
    reader.refuse(
        f"{shown} {inside} {rest} is ambiguous: the end of the argument is not clear",
        row[after].at,
        f"{shown}({inside} {rest}) or {shown}({inside}) {rest}",
    )


def odd(node: Node) -> Node | None:
    r"""$(2k \pm 1)!!$ for a name k, through the gamma function; None for any other number."""
    match node:
        case Sum(
            at=at,
            terms=(
                (1, Product(factors=((1, Number() as two), (1, Name() as k)))),
                (sign, Number() as one),
            ),
        ) if two.value == 2 and one.value == 1:
            shift = number(at, 1 if sign < 0 else 3)
            half = product(at, [(1, shift), (-1, number(at, 2))])
            up = k if sign < 0 else Sum(at, ((1, k), (1, number(at, 1))))
            gamma = call(at, "gamma", Sum(at, ((1, k), (1, half))))
            root = call(at, "sqrt", Name(at, "pi"))
            return product(at, [(1, Power(at, number(at, 2), up)), (1, gamma), (-1, root)])
    return None


__all__ = ["BRACKETS", "apply", "check_called", "odd"]
