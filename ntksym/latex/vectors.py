r"""Norms and inner products of the two inputs: $\|x\|^2$ is q11, $x^\top x'$ is q12."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..language.syntax import Name, Node, Product, Sum
from .layout import Fence, Item, Leaf, Row
from .letters import marked
from .macros import BOLD
from .naming import MATRICES, accent, letter_name
from .nodes import call, number

if TYPE_CHECKING:
    from .reading import Reader

VECTORS = ("x", "y", "z", "u", "v")
_FIRST = {"x", "u"}
_INDICES = {"1": 1, "i": 1, "alpha": 1, "a": 1, "mu": 1, "2": 2, "j": 2, "beta": 2, "b": 2, "nu": 2}
_NOTE = r"norms and inner products of inputs are read as the covariance: |x|^2 = q11, x.x' = q12"


def transposed(sup: Row | None) -> bool:
    r"""Whether a superscript is `\top` or T."""
    if sup is None or len(sup) != 1 or not sup[0].plain:
        return False
    body = sup[0].body
    return (
        isinstance(body, Leaf) and body.kind in ("WORD", "LETTER") and body.text in ("\\top", "T")
    )


def role(reader: Reader, item: Item) -> int:
    """1 for the first input, 2 for the second, 0 for what is no vector.

    Raises:
        ParseError: a third vector.
    """
    body = item.body
    if not (isinstance(body, Leaf) and body.kind == "LETTER" and body.text in VECTORS):
        return 0
    if item.bangs or item.primes > 1:
        return 0
    index = ""
    if item.sub is not None:
        if len(item.sub) != 1 or not isinstance(item.sub[0].body, Leaf):
            return 0
        index = letter_name(item.sub[0])
    letter = letter_name(item)
    name = accent(reader, item) + letter + "'" * item.primes + index
    if item.primes:
        number_ = 2
    elif index:
        number_ = _INDICES.get(index, 0)
    else:
        number_ = 1 if letter in _FIRST else 2
    other = next((n for n, k in reader.roles.items() if k == number_ and n != name), None)
    if number_ and other is not None:
        reader.refuse(
            f"{name} and {other} are two names for one input, or there are three inputs",
            item.at,
            "q_{11}, q_{12}, q_{22} for the covariance",
        )
    if number_:
        reader.roles[name] = number_
    return number_


def norm(reader: Reader, item: Item, body: Fence) -> tuple[Node, str]:
    r"""$\|x\|$, $\|x'\|$ or $\|x - x'\|$, and the name whose root it is.

    Raises:
        ParseError: the norm of anything else; an index other than 2.
    """
    at, row = item.at, body.row
    if item.sub is not None and reader.source(item.sub) != "2":
        reader.refuse("only the Euclidean norm is known", at, r"\|x\|")
    if len(row) == 1 and row[0].sup is None and (found := role(reader, row[0])):
        reader.note(_NOTE)
        name = "q11" if found == 1 else "q22"
        return call(at, "sqrt", Name(at, name)), name
    if (distance := _distance(reader, row, at)) is not None:
        return call(at, "sqrt", distance), ""
    reader.refuse(
        f"the norm of {reader.source(row)} is not clear",
        at,
        r"\|x\|, \|x'\|, \|x - x'\|; or q_{11}, q_{12}, q_{22}",
    )


def _distance(reader: Reader, row: Row, at: int) -> Node | None:
    """The squared norm of x - x' or x + x'; None for any other row."""
    if len(row) != 3 or not isinstance(sign := row[1].body, Leaf) or sign.text not in ("-", "+"):
        return None
    pair = (role(reader, row[0]), role(reader, row[2]))
    if sorted(pair) != [1, 2] or row[0].sup is not None or row[2].sup is not None:
        return None
    reader.note(_NOTE)
    cross = Product(at, ((1, number(at, 2)), (1, Name(at, "q12"))))
    terms = ((1, Name(at, "q11")), (1 if sign.text == "+" else -1, cross))
    return Sum(at, (*terms, (1, Name(at, "q22"))))


def barred(reader: Reader, body: Fence) -> bool:
    r"""Whether bars are the norm of inputs: $|x - x'|$, and $|x|$ in a formula that has $x'$."""
    vectors = [i for i in body.row if isinstance(i.body, Leaf) and i.body.kind == "LETTER"]
    if not vectors or len(body.row) != 2 * len(vectors) - 1:
        return False
    if any(i.body.text not in VECTORS or i.sup for i in vectors if isinstance(i.body, Leaf)):
        return False
    text = re.sub(r"\^?\\prime|}'", "'", reader.text.replace(" ", ""))
    return any(i.primes or bold(reader, i) or letter_name(i) + "'" in text for i in vectors)


def inner_product(reader: Reader, row: Row, pos: int) -> tuple[Node, int] | None:
    r"""$x^\top x'$, $x \cdot x'$ or $\langle x, x'\rangle$ at `pos`, and the position after it."""
    item = row[pos]
    body = item.body
    after = row[pos + 1] if pos + 1 < len(row) else None
    if isinstance(body, Fence) and transposed(item.sup) and after is not None:
        other = after.body
        if isinstance(other, Fence) and reader.source(other.row) == reader.source(body.row):
            distance = _distance(reader, body.row, item.at)
            if distance is not None:
                return reader.attach(after, distance), pos + 2
    if isinstance(body, Fence) and body.kind == "ANGLE":
        parts = body.row
        if len(parts) == 3 and reader.source((parts[1],)) == "," and item.sub is None:
            first, second = role(reader, parts[0]), role(reader, parts[2])
            if first and second and parts[0].sup is None and parts[2].sup is None:
                return reader.attach(item, _entry(reader, item.at, first, second)), pos + 1
        reader.refuse(
            f"{reader.source((item,))} is not the inner product of two inputs",
            item.at,
            r"\langle x, x'\rangle; an average is given by its value",
        )
    if not (isinstance(body, Leaf) and body.kind == "LETTER" and body.text in VECTORS):
        return None
    if transposed(item.sup) and pos + 1 < len(row):
        second = role(reader, row[pos + 1])
        first = role(reader, item)
        if first and second:
            return _finish(reader, row[pos + 1], item.at, first, second), pos + 2
        if first and pos + 2 < len(row) and _weighted(reader, row[pos + 1]):
            second = role(reader, row[pos + 2])
            if second:
                return _finish(reader, row[pos + 2], item.at, first, second), pos + 3
    if pos + 2 < len(row) and _dot(row[pos + 1]) and item.sup is None:
        # Numbers have no prime and are not bold.
        if row[pos + 2].primes or item.primes or bold(reader, item, row[pos + 2]):
            first, second = role(reader, item), role(reader, row[pos + 2])
            if first and second:
                return _finish(reader, row[pos + 2], item.at, first, second), pos + 3
    return None


def bold(reader: Reader, *items: Item) -> bool:
    """Whether all of the letters are marked as vectors."""
    return all(BOLD.intersection(marked(reader.text, i.at)[0]) for i in items)


def _weighted(reader: Reader, item: Item) -> bool:
    r"""Whether the item is the matrix of a quadratic form, $x^\top \Sigma x'$."""
    if not item.plain or not isinstance(item.body, Leaf) or letter_name(item) not in MATRICES:
        return False
    shown = reader.source((item,))
    reader.note(rf"x^\top {shown} x' is the covariance of the pre-activations, q12")
    return True


def _dot(item: Item) -> bool:
    return isinstance(item.body, Leaf) and item.body.kind == "OP" and item.body.text == "*"


def _finish(reader: Reader, last: Item, at: int, first: int, second: int) -> Node:
    if last.sup is not None:
        reader.refuse(
            "a power on the second vector of an inner product",
            last.at,
            r"(x^\top x')^2, with brackets",
        )
    return _entry(reader, at, first, second)


def _entry(reader: Reader, at: int, first: int, second: int) -> Node:
    reader.note(_NOTE)
    return Name(at, "q12" if first != second else f"q{first}{second}")
