"""Letters with indices and primes: which name of the language they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import UnknownName
from ..language.names import CONSTANTS, fault
from ..language.syntax import Name, Negate, Node, Power
from ..language.table import known_names
from ..symbols import RESERVED
from .layout import Item, Leaf, Row
from .letters import marked
from .macros import ACCENTS, LETTERS
from .nodes import call, number

if TYPE_CHECKING:
    from .reading import Reader

_PAIRS = ("1 2", "x x'", "x y", "x z", "a b", "i j", "alpha beta", "mu nu", "s t")
"""Indices of the first and the second input."""
ENTRIES = {
    first + second: entry
    for pair in _PAIRS
    for a, b in [pair.split()]
    for first, second, entry in ((a, a, "q11"), (b, b, "q22"), (a, b, "q12"), (b, a, "q12"))
}
"""Indices of the entries of the covariance."""
MATRICES = ("Sigma", "K", "k", "Lam", "q")
"""Letters whose entries are the covariance of the pre-activations."""
_ROOTS = {
    "w": "weight_var",
    "W": "weight_var",
    "omega": "weight_var",
    "b": "bias_var",
    "1": "q11",
    "2": "q22",
}
"""Indices of sigma, whose square is the name given."""


def read_name(reader: Reader, item: Item) -> tuple[Node, str]:
    """What a letter or word stands for, and the name whose root it is (or "").

    The letter sigma with the index w is the root of `weight_var`, squared without a root.

    Raises:
        UnknownName: a name that the language cannot have, or that stands for two things.
    """
    base = letter_name(item)
    accent(reader, item)
    index = index_text(reader, item)
    given = reader.given(base, index, item.primes)
    if given:
        return Name(item.at, given), ""
    if base == "sigma" and not item.primes:
        if index in _ROOTS:
            square = _ROOTS[index]
            reader.note(rf"\sigma_{index} is a standard deviation: \sigma_{index}^2 is {square}")
            return call(item.at, "sqrt", Name(item.at, square)), square
        if index in ("12", "21"):
            reader.note(r"\sigma_{12} is the covariance q12")
            return Name(item.at, "q12"), ""
    if base in MATRICES and index in ENTRIES and not item.primes:
        entry = ENTRIES[index]
        if base + index != entry:
            reader.note(f"{reader.source_of(item, scripts=False)} is read as {entry}")
        return Name(item.at, entry), ""
    if base in ("rho", "theta") and ENTRIES.get(index) == "q12" and not item.primes:
        reader.note(f"{reader.source_of(item, scripts=False)} is read as {base}")
        return Name(item.at, base), ""
    if base == "c" and index in ("12", "ab"):
        raise UnknownName(
            "c_{12} is a covariance for some authors and a correlation for others",
            where=reader.place(item.at),
            hint=r"q_{12} or \rho; or names={'c_{12}': 'rho'}",
        )
    return Name(item.at, _identifier(reader, item, base, index)), ""


def accent(reader: Reader, item: Item) -> str:
    """The accent over a letter, which is read as the letter without it; "" for none.

    Raises:
        UnknownName: the letter occurs with another accent, or without one, too.
    """
    letter = letter_name(item)
    found = "".join(m for m in marked(reader.text, item.at)[0] if m in ACCENTS)
    known = letter in reader.accents
    if reader.accents.setdefault(letter, found) != found:
        raise UnknownName(
            f"{reader.source_of(item, scripts=False)} occurs with and without an accent",
            where=reader.place(item.at),
            hint="one letter for each quantity",
        )
    if found and not known:
        reader.note(f"{reader.source_of(item, scripts=False)} is read without its accent")
    return found


def letter_name(item: Item) -> str:
    """The letter or word of an item, without index and primes, as the language spells it."""
    if not isinstance(item.body, Leaf):
        raise AssertionError("a letter or a word")
    return LETTERS.get(item.body.text, item.body.text)


def index_text(reader: Reader, item: Item) -> str:
    """The index of an item, joined: `_{1,2}` and `_{12}` are both "12"; "" without one."""
    return "" if item.sub is None else "".join(_index(reader, item.sub, item.at))


def _index(reader: Reader, row: Row, at: int) -> list[str]:
    parts: list[str] = []
    for item in row:
        body = item.body
        if isinstance(body, Leaf) and body.kind == "OP" and body.text == ",":
            continue
        simple = isinstance(body, Leaf) and body.kind in ("NUMBER", "LETTER", "WORD")
        if not simple or item.sub or item.sup or item.bangs:
            raise UnknownName(
                "an index is made of letters and digits",
                where=reader.place(item.at),
                hint=r"q_{11}, a_1, \sigma_w",
            )
        parts.append(letter_name(item) + "'" * item.primes)
    if not parts:
        raise UnknownName("the index is empty", where=reader.place(at), hint="q_{11}")
    return parts


def _identifier(reader: Reader, item: Item, base: str, index: str) -> str:
    joined = base + ("_" if index[:1].isalpha() else "") + index
    name = joined.replace("'", "_prime") + "_prime" * item.primes
    where = reader.place(item.at)
    latex = reader.source_of(item, scripts=False)
    if name == "gam":
        reader.note(r"\gamma is read as gam, for gamma is the gamma function")
    if name in known_names(True):
        raise UnknownName(
            f"{latex} without brackets after it is a function, not a number",
            where=where,
            hint=f"its argument in brackets; or names={{{latex!r}: 'a_name'}}",
        )
    why = fault(name)
    if why and (name not in RESERVED or name in CONSTANTS) and name != "pi":
        raise UnknownName(
            f"{latex} cannot be the name {name!r}: it {why}",
            where=where,
            hint=f"names={{{latex!r}: 'another_name'}}",
        )
    return name


def raised(base: Node, square: str, at: int, power: int | None) -> Node | None:
    """The root of `square` to an even power, without a root; None where it is not one."""
    if not square or not power or power % 2:
        return None
    name, half = Name(base.at, square), number(at, abs(power) // 2)
    if power == 2:
        return name
    return Power(at, name, half if power > 0 else Negate(at, half))
