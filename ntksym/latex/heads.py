"""Which item of a row is a function: a macro, a word, or a letter that the brackets make one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import UnknownName
from ..language.messages import nearest, short
from ..language.table import canonical, functions
from .layout import Fence, Fraction, Group, Item, Leaf, Root, Row, Table
from .macros import FUNCTIONS
from .naming import letter_name

if TYPE_CHECKING:
    from .reading import Reader

BRACKETS = ("PAR", "BRACK", "CURLY")
_CALLED = frozenset(("f", "F", "G", "K", "J", "kappa", "sigma", "psi", "Psi", "Sigma", "Lam", "mu"))
"""Letters that stand for functions in this field, where a bracket follows directly."""
_INDEXED = _CALLED - {"sigma", "mu"}


@dataclass(frozen=True, slots=True)
class Head:
    """A function: its name in the language, and how many items its name takes."""

    name: str
    items: int = 1
    index: Row | None = None
    """The index, where it is part of the name: `He_3`, `\\Phi_2`, `\\log_2`."""
    bracketed: bool = False
    """The argument must stand in brackets."""


def head(reader: Reader, row: Row, pos: int) -> Head | None:
    """The function at `pos`, or None.

    Raises:
        ParseError: a letter that is a function for some authors and a number for others.
    """
    item = row[pos]
    body = item.body
    if isinstance(body, Group) and not body.row and item.sub is not None:
        return _hypergeometric(reader, row, pos)
    if not isinstance(body, Leaf):
        return None
    if body.kind == "FUNC":
        return Head(FUNCTIONS[body.text], index=item.sub)
    if body.kind not in ("LETTER", "WORD"):
        return None
    name = letter_name(item)
    if reader.given(name, "", 0):
        return None
    if body.kind == "WORD" and name not in reader.long_names:
        if name == "He":
            return Head("He", index=item.sub, bracketed=True)
        name = FUNCTIONS.get("\\" + name, name)
        if canonical(name) in functions() or name in ("csc", "sec", "cot"):
            return Head(canonical(name), index=item.sub, bracketed=name in ("Phi", "phi", "gamma"))
        return None
    return _letter(reader, row, pos, name)


def _letter(reader: Reader, row: Row, pos: int, name: str) -> Head | None:
    item = row[pos]
    inside = bracket(row, pos + 1)
    if name == "Phi":
        return Head("Phi", index=item.sub, bracketed=True)
    if name == "Gamma" and item.sub is None:
        return Head("gamma", bracketed=True)
    if inside is None:
        return None
    if name == "phi":
        if item.primes:
            reader.refuse(
                "the derivative of an activation, or of the normal density",
                item.at,
                r"the derivative written out; \varphi'(z) is -z\varphi(z)",
            )
        reader.note(f"{reader.source_of(item)} is the standard normal density")
        return Head("phi", index=item.sub, bracketed=True)
    if name == "T" and commas(inside):
        reader.note("T(h, a) is Owen's T function")
        return Head("OwenT", bracketed=True)
    if name == "H" and item.sub is not None:
        reader.refuse(
            "H_n is the physicists' Hermite polynomial for some and the probabilists' for others",
            item.at,
            r"He_n(x), the probabilists'; H_n(x) of physics is 2^{n/2} He_n(\sqrt{2} x)",
        )
    if name in ("H", "Theta", "theta") and item.sub is None and item.sup is None:
        return _step(reader, item, inside, name)
    return None


def _step(reader: Reader, item: Item, inside: Fence, name: str) -> Head:
    shown = reader.source((item,))
    variable = any(isinstance(i.body, Leaf) and i.body.text == "x" for i in walk(inside.row))
    if name == "Theta" and (commas(inside) or not variable):
        reader.refuse(
            r"\Theta is the step function, or the neural tangent kernel",
            item.at,
            r"\mathbb{1}[z > 0] for the step; the kernel is given by its value",
        )
    if name == "theta" and not variable:
        reader.refuse(
            r"\theta before a bracket is the angle times the bracket, or the step function",
            item.at,
            r"\theta \cdot (...) for the angle, \mathbb{1}[z > 0] for the step",
        )
    if name == "H" and not variable:
        reader.refuse(
            "H before a bracket without x is not clearly the step function",
            item.at,
            r"\mathbb{1}[z > 0] for the step, H \cdot (...) for a product",
        )
    if commas(inside):
        reader.refuse(f"{shown} of two arguments is not known", item.at, r"\mathbb{1}[z > 0]")
    reader.note(f"{shown}(.) is the step function, 1/2 at 0")
    return Head("heaviside", bracketed=True)


def _hypergeometric(reader: Reader, row: Row, pos: int) -> Head | None:
    letter = row[pos + 1] if pos + 1 < len(row) else None
    if letter is None or not isinstance(letter.body, Leaf) or letter.body.text != "F":
        return None
    below, above = row[pos].sub, letter.sub
    if below is None or above is None or (reader.source(below), reader.source(above)) != ("2", "1"):
        reader.refuse(
            "of the hypergeometric functions only 2F1 is known",
            row[pos].at,
            "{}_2F_1(a, b; c; z)",
        )
    return Head("hyp2f1", items=2, bracketed=True)


def bracket(row: Row, pos: int) -> Fence | None:
    """The bracket at `pos`, also where braces are around it, or None."""
    if pos >= len(row):
        return None
    body = row[pos].body
    if isinstance(body, Group) and len(body.row) == 1 and body.row[0].plain:
        body = body.row[0].body
    return body if isinstance(body, Fence) and body.kind in BRACKETS else None


def commas(fence: Fence) -> bool:
    """Whether there are several arguments in a bracket."""
    return any(isinstance(i.body, Leaf) and i.body.text in (",", ";") for i in fence.row)


def walk(row: Row) -> Iterator[Item]:
    """Every item of a row and of the rows inside it, but not of indices and powers."""
    for item in row:
        yield item
        match item.body:
            case Group() | Fence() | Root():
                yield from walk(item.body.row)
            case Fraction():
                yield from walk(item.body.top)
                yield from walk(item.body.bottom)
            case Table():
                for line in item.body.lines:
                    for cell in line:
                        yield from walk(cell)
            case _:
                pass


def check_called(reader: Reader, row: Row, pos: int) -> None:
    """Refuse `f(x)`: a name before a bracket that is, or may be, an unknown function.

    Raises:
        UnknownName: a function that is not known.
    """
    item, inside = row[pos], bracket(row, pos + 1)
    body = item.body
    if inside is None or not isinstance(body, Leaf) or body.kind not in ("LETTER", "WORD"):
        return
    if reader.positive_part(row[pos + 1]):
        # a (x)_+ has brackets for the sake of the plus.
        return
    name, latex = letter_name(item), reader.source((item,))
    single = (
        len(inside.row) == 1
        and isinstance(inside.row[0].body, Leaf)
        and name not in ("pi", "e")
        and item.sup is None
    )
    called = (name in _CALLED and item.sub is None and item.sup is None) or (
        name in _INDEXED and item.sub is not None
    )
    word = not reader.is_name(item)
    given = bool(reader.given(name, "", 0))
    if commas(inside) or single or word or item.primes or (called and not given):
        close = nearest(name, {*functions()}) if word else ""
        raise UnknownName(
            f"there is no function {short(name) if word else latex}",
            where=reader.place(item.at),
            hint=f"did you mean \\mathrm{{{close}}}?"
            if close
            else rf"its value, in closed form; {latex} \cdot (...) for a product",
        )
    if name != "pi" and item.sup is None:
        reader.note(f"{latex}(...) is read as a product")
