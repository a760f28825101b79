r"""The covariance as papers write it: $\Sigma^{(l)}(x, x')$, $\det(I + 2\Sigma)$, $\angle(x, x')$.

A number of a layer is no power, and one formula speaks of one layer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..language.syntax import Name, Negate, Node, Power, Product, Sum
from . import vectors
from .layout import Fence, Item, Leaf, Row
from .naming import ENTRIES, MATRICES, index_text, letter_name
from .nodes import number

if TYPE_CHECKING:
    from .reading import Reader

_LAYERS = ("l", "ell", "L")
"""Letters that number layers."""


def covariance(reader: Reader, row: Row, pos: int) -> tuple[Node, int] | None:
    """An entry of the covariance, its determinant or the angle at `pos`, and the position after it.

    Raises:
        ParseError: two layers in one formula; a determinant of something else.
    """
    body = row[pos].body
    if not isinstance(body, Leaf):
        return None
    if body.text in (r"\det", "det"):
        return _determinant(reader, row, pos)
    if body.text == r"\angle":
        return _angle(reader, row, pos)
    if reader.layered and body.kind == "LETTER" and letter_name(row[pos]) in MATRICES:
        return _kernel(reader, row, pos)
    return None


def without_layer(reader: Reader, item: Item) -> Item:
    r"""The item without the number of a layer: $\Sigma^{(l)}_{12}$, $\theta^{l-1}_{x x'}$.

    Raises:
        ParseError: another layer than before.
    """
    if item.sup is None or not isinstance(item.body, Leaf) or not reader.layered:
        return item
    if item.body.kind != "LETTER" or letter_name(item) not in (*MATRICES, "rho", "theta"):
        return item
    indexed = item.sub is not None and index_text(reader, item) in ENTRIES
    if not (_bracketed(item.sup) or (indexed and _numbers_layers(item.sup))):
        return item
    return _of_layer(reader, item)


def _of_layer(reader: Reader, item: Item) -> Item:
    shown = reader.source(item.sup or ()).replace(" ", "").strip("()")
    if reader.layer not in ("", shown):
        reader.refuse(
            f"the layers {reader.layer} and {shown} in one formula",
            item.at,
            "a formula of the covariance of one layer; q_{11}, q_{12}, q_{22}",
        )
    reader.layer = shown
    reader.note(f"the superscript {shown} is the number of a layer")
    return replace(item, sup=None)


def _bracketed(sup: Row) -> bool:
    body = sup[0].body if len(sup) == 1 else None
    return isinstance(body, Fence) and body.kind == "PAR"


def _numbers_layers(sup: Row) -> bool:
    """Whether a superscript is l, l-1 or L+1."""
    first = sup[0].body
    if not isinstance(first, Leaf) or letter_name(sup[0]) not in _LAYERS:
        return False
    return all(isinstance(i.body, Leaf) and i.body.text in "+-0123456789" for i in sup[1:])


def pair(reader: Reader, row: Row, pos: int) -> tuple[int, int] | None:
    """The two inputs in the bracket at `pos`, by their number; None for anything else."""
    inside = row[pos].body if pos < len(row) else None
    if not isinstance(inside, Fence) or inside.kind != "PAR" or len(inside.row) != 3:
        return None
    first, comma, second = inside.row
    if comma.body != Leaf("OP", ",") or first.sup or second.sup:
        return None
    roles = (vectors.role(reader, first), vectors.role(reader, second))
    return roles if all(roles) else None


def _kernel(reader: Reader, row: Row, pos: int) -> tuple[Node, int] | None:
    item = row[pos]
    roles = pair(reader, row, pos + 1)
    if roles is None or item.sub is not None or item.primes:
        return None
    if item.sup is not None:
        digit = len(item.sup) == 1 and reader.source(item.sup) in ("0", "1")
        if not (digit or _bracketed(item.sup) or _numbers_layers(item.sup)):
            reader.refuse(
                f"{reader.source((item,))} is a power, or the number of a layer",
                item.at,
                "the power after the bracket, the number of a layer in brackets",
            )
        item = _of_layer(reader, item)
    name = "q12" if roles[0] != roles[1] else f"q{roles[0]}{roles[1]}"
    reader.note(f"{reader.source(row[pos : pos + 2])} is read as {name}")
    # What is attached to the bracket is a power of the entry.
    return reader.attach(row[pos + 1], Name(item.at, name)), pos + 2


def _angle(reader: Reader, row: Row, pos: int) -> tuple[Node, int]:
    item = row[pos]
    roles = pair(reader, row, pos + 1)
    if roles is None or roles[0] == roles[1] or not item.plain:
        reader.refuse(r"\angle is the angle of two inputs", item.at, r"\angle(x, x')")
    reader.note(f"{reader.source(row[pos : pos + 2])} is read as theta")
    return reader.attach(row[pos + 1], Name(item.at, "theta")), pos + 2


def _determinant(reader: Reader, row: Row, pos: int) -> tuple[Node, int]:
    r"""$\det(a I + b \Sigma) = (a + b q_{11})(a + b q_{22}) - (b q_{12})^2$."""
    item = row[pos]
    last = row[pos + 1] if pos + 1 < len(row) else None
    body = last.body if last is not None else None
    if last is None or not item.plain:
        reader.refuse(r"\det without its matrix", item.at, _EXAMPLES)
    bracketed = isinstance(body, Fence) and body.kind in ("PAR", "BRACK")
    inside = body.row if bracketed and isinstance(body, Fence) else (replace(last, sup=None),)
    terms = _linear(reader, inside, item.at)
    first, cross, second = (_entry(reader, terms, item.at, e) for e in ("11", "12", "22"))
    diagonal = Product(item.at, ((1, first), (1, second)))
    value = Sum(item.at, ((1, diagonal), (-1, Power(item.at, cross, number(item.at, 2)))))
    reader.note(f"{reader.source(row[pos : pos + 2])}: Sigma = [[q11, q12], [q12, q22]]")
    return reader.attach(replace(last, sub=None, primes=0), value), pos + 2


_EXAMPLES = r"\det\Sigma, \det(I + 2\Sigma); or the determinant written out"


def _linear(reader: Reader, row: Row, at: int) -> list[tuple[int, Row, int]]:
    """The terms of a I + b Sigma: sign, factors, and the place of the one matrix among them."""
    terms: list[tuple[int, list[Item]]] = [(1, [])]
    for item in row:
        sign = {"+": 1, "-": -1}.get(item.body.text, 0) if isinstance(item.body, Leaf) else 0
        if not sign:
            terms[-1][1].append(item)
        elif terms[-1][1]:
            terms.append((sign, []))
        else:
            terms[-1] = (sign, [])
    found = [(s, tuple(t), [k for k, i in enumerate(t) if _matrix(i)]) for s, t in terms]
    kinds = [_matrix(t[k]) for _, t, places in found for k in places]
    if any(len(places) != 1 for _, _, places in found) or "Sigma" not in kinds:
        reader.refuse("the determinant of something else than a I + b Sigma", at, _EXAMPLES)
    return [(s, t, places[0]) for s, t, places in found]


def _entry(reader: Reader, terms: list[tuple[int, Row, int]], at: int, index: str) -> Node:
    """An entry of a I + b Sigma, with the matrices replaced by their entries."""
    found: list[tuple[int, Node]] = []
    for sign, row, k in terms:
        matrix = row[k]
        if _matrix(matrix) == "Sigma":
            sub = (Item(matrix.at, matrix.end, Leaf("NUMBER", index)),)
            row = (*row[:k], replace(matrix, body=Leaf("LETTER", "q"), sub=sub), *row[k + 1 :])
        elif index == "12":
            continue
        else:
            one = replace(matrix, body=Leaf("NUMBER", "1"), sub=None)
            row = (*row[:k], *row[k + 1 :]) or (one,)
        found.append((sign, reader.term(row)))
    if len(found) == 1:
        return found[0][1] if found[0][0] > 0 else Negate(at, found[0][1])
    return Sum(at, tuple(found))


def _matrix(item: Item) -> str:
    """The identity, "I", or the covariance, "Sigma"; "" for a scalar."""
    body = item.body
    if not isinstance(body, Leaf) or item.sup or item.primes:
        return ""
    if body.kind == "INDICATOR" or (body == Leaf("LETTER", "I")):
        return "I"
    return "Sigma" if item.sub is None and letter_name(item) in ("Sigma", "Lam", "K") else ""
