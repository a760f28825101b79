r"""Functions that a text defines itself: $k = J_1(\theta)/\pi, \quad J_1(t) = \sin t + \dots$."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import ParseError
from ..language.syntax import Node
from . import definitions, kernels, vectors
from .heads import bracket, commas
from .layout import Fence, Item, Leaf, Row
from .naming import index_text, letter_name

if TYPE_CHECKING:
    from .reading import Reader


@dataclass(slots=True)
class Own:
    """A function with its parameters, and the row that is its value."""

    number: int
    parameters: tuple[str, ...]
    pair: bool
    r"""The parameters are the two inputs, as in $\theta(x, x')$."""
    value: Row
    at: int
    node: Node | None = None
    open: bool = False
    used: bool = False


def key_of(reader: Reader, item: Item) -> str:
    """A letter with its index and primes, as the names of the caller are written."""
    index = index_text(reader, item)
    return letter_name(item) + (f"_{index}" if index else "") + "'" * item.primes


def define(reader: Reader, number: int, head: Row, value: Row) -> None:
    r"""Enter the function that `J_1(t) = ...` or `\theta(x, x') = ...` defines.

    Raises:
        ParseError: parameters that are no letters.
    """
    inside = head[1].body
    if not isinstance(inside, Fence):
        raise AssertionError("a letter and a bracket")
    letters = inside.row[::2]
    inputs = any(item.primes for item in letters) or vectors.bold(reader, *letters)
    pair = commas(inside) and inputs and kernels.pair(reader, head, 1) == (1, 2)
    for k, item in enumerate(inside.row):
        comma = item.body == Leaf("OP", ",")
        letter = isinstance(item.body, Leaf) and item.body.kind == "LETTER" and item.sup is None
        if comma != bool(k % 2) or not (comma or letter):
            reader.refuse(
                "a parameter of a function is a letter", item.at, r"\text{where } J(t) = ..."
            )
    parameters = tuple(key_of(reader, item) for item in letters)
    if len(inside.row) % 2 == 0 or len(set(parameters)) < len(parameters):
        reader.refuse(
            "the parameters of a function are letters, each once",
            head[1].at,
            r"\text{where } J(t) = ...",
        )
    reader.functions[key_of(reader, head[0])] = Own(number, parameters, pair, value, head[0].at)


def apply(reader: Reader, row: Row, pos: int) -> tuple[Node, int] | None:
    """The value of a function of the text at its arguments, and the position after them.

    Raises:
        ParseError: no argument, or a wrong number of them; a function that needs itself.
    """
    item = row[pos]
    if not isinstance(item.body, Leaf) or item.body.kind not in ("LETTER", "WORD"):
        return None
    letter = letter_name(item)
    if not any(re.split("[_']", key)[0] == letter for key in reader.functions):
        return None
    found = reader.functions.get(key_of(reader, kernels.without_layer(reader, item)))
    if found is None:
        return None
    inside = bracket(row, pos + 1)
    shown = reader.source_of(item, scripts=False)
    if inside is None:
        if found.pair:
            return reader.attach(item, _value(reader, found)), pos + 1
        reader.refuse(f"{shown} is a function", item.at, f"{shown}(...), with its argument")
    if item.sup is not None and kernels.without_layer(reader, item) is item:
        reader.refuse(
            f"a power of the function {shown} before its argument",
            item.at,
            f"the power after the brackets: {shown}(...)^2",
        )
    after = row[pos + 1]
    if found.pair:
        if kernels.pair(reader, row, pos + 1) != (1, 2):
            reader.refuse(
                f"{shown} is defined for the first and the second input",
                after.at,
                "the inputs in the order of the definition",
            )
        return reader.attach(after, _value(reader, found)), pos + 2
    parts: list[list[Item]] = [[]]
    for one in inside.row:
        if one.body == Leaf("OP", ","):
            parts.append([])
        else:
            parts[-1].append(one)
    if len(parts) != len(found.parameters):
        takes = len(found.parameters)
        reader.refuse(
            f"{shown} has {takes} parameter{'s' * (takes > 1)}, not {len(parts)}",
            after.at,
            "as many arguments as in its definition",
        )
    values = {_name(found, k): reader.sum(tuple(part), after.at) for k, part in enumerate(parts)}
    node = definitions.put_in(_value(reader, found), values, reader.text)
    return reader.attach(replace(after, primes=0), node), pos + 2


def _name(found: Own, k: int) -> str:
    return f"argument_{found.number}_{k}"


def _value(reader: Reader, found: Own) -> Node:
    """The value of a function in the names of its arguments; read once."""
    found.used = True
    if found.node is None:
        if found.open:
            raise ParseError(
                "a definition needs itself",
                where=reader.place(found.at),
                hint="definitions one after the other",
            )
        found.open = True
        names, layer = reader.names, reader.layer
        if not found.pair:
            own = {p: _name(found, k) for k, p in enumerate(found.parameters)}
            reader.names = {**names, **own}
        reader.layer = ""
        found.node = reader.sum(found.value, found.at)
        reader.names, reader.layer = names, layer
    return found.node
