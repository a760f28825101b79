"""LaTeX to text of the language: `read_latex` and `read_equation`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from ..errors import BadActivation, ParseError, TooLarge, UnknownName
from ..language.limits import MAX_CHARS
from ..language.messages import caret, short
from ..language.names import IDENTIFIER, fault
from ..language.parser import read_tree
from ..language.syntax import Name, Node, children
from ..language.table import known_names
from ..language.tree_text import write
from . import definitions, kernels, macros, own
from .layout import Fence, Leaf, Row, arrange
from .naming import ENTRIES, MATRICES, index_text, letter_name
from .reading import Reader
from .tokens import tokenize


@dataclass(frozen=True, slots=True)
class Reading:
    """How a formula was read.

    Attributes:
        text: the formula in the language, for `ntksym.language.parse(text, formula=True, ...)`.
        notes: one line for each part that a person might read in another way.
    """

    text: str
    notes: tuple[str, ...] = ()


def read_latex(source: str, *, names: Mapping[str, str] | None = None) -> Reading:
    r"""The formula that `source` prints, in the language.

    Of an equation $K = \dots$ the right-hand side is read, and a note says so.

    Args:
        source: LaTeX, with or without `$...$` or an equation around it.
        names: what names of the source stand for: `{r"\tau": "q", "s_1": "m1"}`.

    Raises:
        UnknownName: a macro or a function that is not known; never skipped.
        ParseError: text that is not a formula, or that can be read in two ways.
        TooLarge: text beyond the bounds of `ntksym.language.limits`; nothing was built.
    """
    return read_equation(source, names=names)[1]


def read_equation(
    source: str, *, names: Mapping[str, str] | None = None, layered: bool = True
) -> tuple[str | None, Reading]:
    r"""The left-hand side of an equation as it is printed, or None, and the reading of the rest.

    Args:
        source: LaTeX; definitions may follow after `\text{where}`, and are put in.
        names: what names of the source stand for.
        layered: whether $\Sigma^{(l)}(x, x')$ is the covariance of the pre-activations; in a
            formula of a network it is not.

    Raises:
        NtksymError: as `read_latex`; more than one equals sign.
    """
    if not isinstance(source, str):
        raise BadActivation(f"text is needed, not {type(source).__name__}")
    if len(source) > MAX_CHARS:
        raise TooLarge(
            f"the LaTeX text has {len(source)} characters", hint=f"at most {MAX_CHARS} characters"
        )
    formula, spans = definitions.split(source)
    left, text = _sides(formula)
    given = _names(names or {})
    long = _parameters() | {n for n in given if len(n) > 1 and n.isalpha() and n.isascii()}
    reader = Reader(source, given, frozenset(long), layered=layered)
    if left is not None:
        shown = left if len(left) <= 40 else left[:37] + "..."
        reader.note(f"the right-hand side of {shown} = ... is read")
    parts = [(k, *span, _defined(reader, k, source, span)) for k, span in enumerate(spans)]
    given |= {name: f"definition_{k}" for k, *_, name in parts if name not in reader.functions}
    values = {
        given[name]: _definition(reader, source, at, end)
        for _, _, _, at, end, name in parts
        if name not in reader.functions
    }
    node = _node(reader, text, 0, len(text))
    used = {n.name for tree in (node, *values.values()) for n in _names_in(tree)}
    used |= {name for name, function in reader.functions.items() if function.used}
    for _, begin, end, _, _, name in parts:
        row = _row(reader, source, begin, end)
        constant = name in given and next(_names_in(values[given[name]]), None) is None
        if constant and letter_name(row[0]) in ("rho", "theta", "c"):
            _condition(reader, row)
        if given.get(name, name) not in used:
            shown = source[begin:end].strip()
            at = source.index(shown, begin)
            reader.refuse(f"{shown} is defined and not used", at, "one formula for each claim")
    found = write(definitions.put_in(node, values, source))
    # The bounds on the language hold for what was read, too.
    read_tree(found)
    return left, Reading(found, tuple(reader.notes))


def _row(reader: Reader, text: str, begin: int, end: int) -> Row:
    """A part of the text as a row, with blanks before it so that places stay right."""
    return arrange(text, tokenize(" " * begin + text[begin:end], reader.long_names))


def _node(reader: Reader, text: str, begin: int, end: int) -> Node:
    row = _row(reader, text, begin, end)
    return reader.sum(row, row[0].at if row else begin)


def _names_in(node: Node) -> Iterator[Name]:
    if isinstance(node, Name):
        yield node
    for child in children(node):
        yield from _names_in(child)


def _definition(reader: Reader, text: str, begin: int, end: int) -> Node:
    """The value of a definition; what it says of one layer holds for every layer."""
    reader.layer = ""
    node = _node(reader, text, begin, end)
    reader.layer = ""
    return node


def _defined(reader: Reader, number: int, source: str, span: tuple[int, int, int, int]) -> str:
    """The name that a definition gives, as the names of the caller are written.

    A letter with a bracket, $J_1(t)$, is a function, which the reader then knows.
    """
    row = _row(reader, source, span[0], span[1])
    item = row[0]
    letter = isinstance(item.body, Leaf) and item.body.kind == "LETTER"
    plain = kernels.without_layer(reader, item) if letter else item
    reader.layer = ""
    function = len(row) == 2 and row[1].plain and isinstance(row[1].body, Fence)
    if len(row) > 1 + function or not letter or plain.sup is not None:
        reader.refuse(
            "what is defined is no letter", item.at, r"\text{where } a_1 = ..., J(t) = ..."
        )
    index, letters = index_text(reader, item), letter_name(item)
    if letters == "q" or (letters in MATRICES and (function or index in ENTRIES)):
        _condition(reader, row)
    if function:
        own.define(reader, number, (plain, row[1]), _row(reader, source, span[2], span[3]))
    return own.key_of(reader, plain)


def _condition(reader: Reader, row: Row) -> NoReturn:
    """Refuse q11 = 1 and rho = 1/2: put in, they would change the formula but not the claim."""
    reader.refuse(
        f"{reader.source(row)} = ... is a condition on the covariance, no definition",
        row[0].at,
        'where = "q11 = q22" beside the formula',
    )


@lru_cache(maxsize=1)
def _parameters() -> frozenset[str]:
    """Names of more than one letter that SymPy prints as they are: `lam`, `scale`."""
    from .. import activations

    found = {p.name for entry in activations.catalogue() for p in entry.params}
    # Letters whose names SymPy does not print as the letter again.
    found |= {name for name in macros.LETTERS.values() if "\\" + name not in macros.LETTERS}
    return frozenset(n for n in found if len(n) > 1 and "\\" + n not in macros.LETTERS)


def _names(names: Mapping[str, str]) -> dict[str, str]:
    r"""The names with their keys as letters are looked up: `\sigma_{1}` is `sigma_1`."""
    found: dict[str, str] = {}
    for key, value in names.items():
        if not IDENTIFIER.fullmatch(value):
            raise UnknownName(
                f"{short(value)} is not a name", where=f"names: {key}", hint="letters and digits"
            )
        plain = re.sub(r"\\[A-Za-z]+", _spelled, key)
        found[re.sub(r"[\s{},]", "", plain)] = value
    return found


def name_for(key: str) -> str:
    r"""A name of the language for a name of a source: `xi` for `\xi`, `s_1` for `s_{1}`."""
    if key.isidentifier():
        return key
    plain = re.sub(r"[^A-Za-z0-9_]", "", re.sub(r"\\[A-Za-z]+", _spelled, key))
    taken = fault(plain) or plain in known_names(True)
    return f"name_{plain}" if taken else plain


def _spelled(match: re.Match[str]) -> str:
    """A macro in a name: a letter by its name, a font by nothing."""
    macro = match.group()
    if macro in macros.FONTS or macro in macros.WORDS:
        return ""
    return macros.LETTERS.get(macro, macro[1:])


_SCAN = re.compile(
    r"\\begin\s*\{[A-Za-z]*\*?\}|\\end\s*\{[A-Za-z]*\*?\}|\\[A-Za-z]+|\\.|:=|[{}()\[\]=<>]",
    re.DOTALL,
)
_FRAME = re.compile(
    r"(?:\s|\$|&|\\\[|\\\(|\\(?:label|tag)\{[^{}]*\}|\\begin\{(?:"
    + "|".join(re.escape(f) for f in (*macros.FRAMES, *macros.FRAMES_MORE))
    + r")\})*"
)
_EQUALS = ("=", ":=", r"\coloneqq", r"\triangleq", r"\equiv")


def _sides(source: str) -> tuple[str | None, str]:
    """The left-hand side, and the source with blanks in its place, so that places stay right."""
    found: list[tuple[int, int]] = []
    depth = 0
    for match in _SCAN.finditer(source):
        mark = match.group()
        table = mark.startswith((r"\begin", r"\end")) and any(t in mark for t in macros.TABLES)
        if mark in ("{", "(", "[", r"\{") or (table and mark.startswith(r"\begin")):
            depth += 1
        elif mark in ("}", ")", "]", r"\}") or (table and mark.startswith(r"\end")):
            depth -= 1
        elif mark in _EQUALS and depth == 0:
            found.append(match.span())
    if not found:
        return None, source
    if len(found) > 1:
        raise ParseError(
            "more than one equals sign",
            where=caret(source, found[1][0]),
            hint=r"one equation, or the formula alone; definitions after \text{where}",
        )
    start, end = found[0]
    frame = _FRAME.match(source)
    begin = min(frame.end() if frame else 0, start)
    left = " ".join(source[begin:start].replace("&", " ").split())
    _check_left(source, begin, start)
    if not left:
        raise ParseError(
            "nothing before the equals sign", where=caret(source, start), hint="the formula alone"
        )
    return left, source[:begin] + " " * (end - begin) + source[end:]


def _check_left(source: str, begin: int, end: int) -> None:
    """The left-hand side is not read, but a definition is refused there as everywhere."""
    for match in re.finditer(r"\\[A-Za-z]+", source[begin:end]):
        if match.group() in macros.UNSAFE:
            raise UnknownName(
                f"{match.group()} cannot be part of a formula",
                where=caret(source, begin + match.start()),
                hint=macros.REFUSED[match.group()],
            )
