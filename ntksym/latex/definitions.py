r"""What follows a formula in words: $K = \arccos(t)/\pi, \quad \text{where } t = q_{12}$."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..errors import ParseError, TooLarge
from ..language.limits import MAX_NODES
from ..language.messages import caret
from ..language.syntax import Name, Node, children, rebuild

_WORDS = r"\\(?:text|textrm|textnormal|mathrm|mbox)\s*\{\s*,?\s*(?:%s)\s*:?\s*\}"
_WHERE = re.compile(_WORDS % "where|with" + r"|[,;]\s*\\qq?uad(?![A-Za-z])(?=[^=]*=)")
_NESTING = re.compile(r"\\begin\s*\{[a-z]?cases\}|\\end\s*\{[a-z]?cases\}|\\?[{}]|(?<!\\)[()\[\]]")
_CLOSERS = re.compile(
    r"(?:\s|\$|[.,;]|\\\]|\\\)|\\\\|\\(?:label|tag|nonumber|notag)(?:\{[^{}]*\})?"
    r"|\\end\s*\{[A-Za-z]*\*?\})*$"
)
_SPLIT = re.compile(
    r"\\left\b|\\right\b|\\\{|\\\}|[{}()\[\],;=]|:=|\\coloneqq|\\triangleq|\\equiv|"
    + _WORDS % "and|where|with"
)
_EQUALS = ("=", ":=", r"\coloneqq", r"\triangleq", r"\equiv")


def split(source: str) -> tuple[str, tuple[tuple[int, int, int, int], ...]]:
    r"""The source with blanks in place of its definitions, and where those are.

    Each definition is the span of its name and that of its value; places of the source stay right.

    Raises:
        ParseError: text after `\text{where}` that is no equation.
    """
    starts = _WHERE.finditer(source)
    found = next((m for m in starts if not _nested(source[: m.start()])), None)
    if found is None:
        return source, ()
    closers = _CLOSERS.search(source)
    end = max(found.end(), closers.start() if closers else len(source))
    spans = tuple(_spans(source, found.end(), end))
    # The comma before the words ends the sentence, not the formula.
    start = len(source[: found.start()].rstrip(" \n,;"))
    return source[:start] + " " * (end - start) + source[end:], spans


def _nested(before: str) -> bool:
    """Whether a bracket or a table is open at the end of the text."""
    depth = 0
    for match in _NESTING.finditer(before):
        mark = match.group()
        depth += 1 if mark.startswith(r"\begin") or mark[-1] in "{([" else -1
    return depth != 0


def _spans(source: str, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    depth, begin, equals = 0, start, (-1, -1)
    for match in [*_SPLIT.finditer(source, start, end), None]:
        mark = "," if match is None else match.group()
        if mark in ("{", "(", "[", r"\{"):
            depth += 1
        elif mark in ("}", ")", "]", r"\}"):
            depth -= 1
        elif depth == 0 and mark in _EQUALS:
            if equals[0] >= 0 and match is not None:
                raise ParseError(
                    "two equals signs in one definition",
                    where=caret(source, match.start()),
                    hint="a comma between definitions",
                )
            equals = match.span() if match is not None else equals
        elif depth == 0 and (mark in ",;" or mark.endswith("}")):
            stop = end if match is None else match.start()
            if source[begin:stop].replace(r"\quad", "").strip(" \n\\,;"):
                if equals[0] < 0:
                    raise ParseError(
                        "what follows the formula is no definition",
                        where=caret(source, begin),
                        hint=r"\text{where } a = ..., b = ...; conditions go into `where`",
                    )
                yield begin, equals[0], equals[1], stop
            begin, equals = stop if match is None else match.end(), (-1, -1)


def put_in(node: Node, values: Mapping[str, Node], source: str) -> Node:
    """The tree with every defined name replaced by its value.

    Raises:
        ParseError: a definition that needs itself.
        TooLarge: more parts than `language.limits` allows.
    """
    left = [MAX_NODES]

    def visit(node: Node, inside: tuple[str, ...]) -> Node:
        left[0] -= 1
        if left[0] < 0:
            raise TooLarge(f"the formula with its definitions has more than {MAX_NODES} parts")
        if isinstance(node, Name) and node.name in values:
            if node.name in inside:
                raise ParseError(
                    "a definition needs itself",
                    where=caret(source, node.at),
                    hint="definitions one after the other",
                )
            return visit(values[node.name], (*inside, node.name))
        return rebuild(node, lambda child: visit(child, inside)) if children(node) else node

    return visit(node, ())
