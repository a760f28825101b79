"""A long generated file in two parts that are compiled at the same time: same functions, same bits.

A block function is never inlined, so where it is compiled does not change what it computes.  What
every pair of points goes through stays together, because compilers learn of each function from its
callers; what few pairs need (nearly equal points, far apart or degenerate variances) is the other
part.  A part declares what the other defines; the rest of the text, tables and functions that are
inlined, is in both, and the compiler drops what a part does not use.  Symbols between parts are
hidden: the library exports what the file does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..backends import SourceFile

MARK = "NTKSYM_BLOCK_FUNCTION "
"""What the definition of a block function starts with."""
STATIC = "#define NTKSYM_BLOCK_FUNCTION static __attribute__(("
SHARED = '#define NTKSYM_BLOCK_FUNCTION __attribute__((visibility("hidden"), '
"""Its meaning in a file of its own, and in parts."""
SHORT = 20_000
"""Characters of code, with what it inlines, for which a second compiler saves no time."""

_RARE = re.compile(r"^near|_direct_|_far_[0-9a-f]{8}")
_START = re.compile(r"^(?=[A-Za-z])[^;={#]*?\b(\w+)\([^;{}]*?\)\s*\{", re.M)
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")

Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A function of a text: where it is, and whether other functions share its code.

    Attributes:
        name: as C calls it.
        file: the index of its text.
        start: of its definition.
        brace: that opens its body.
        end: after its body.
        apart: it is a block function or seen from outside, so that one part defines it.
    """

    name: str
    file: int
    start: int
    brace: int
    end: int
    apart: bool


def pieces(texts: Texts) -> tuple[Piece, ...]:
    """The functions that generated texts define, in order: each ends at a line that is a brace,
    or on its first line.
    """
    found = []
    for file, text in enumerate(texts):
        at = 0
        while (start := _START.search(text, at)) is not None:
            line = text.find("\n", start.end())
            end = text.find("\n}\n", start.end() - 1) + 2
            if text[start.end() : line].rstrip().endswith("}"):
                end = line
            if end <= start.start():
                break
            head = text[start.start() : start.end()]
            apart = head.startswith(MARK) or not head.startswith("static")
            found.append(Piece(start[1], file, start.start(), start.end() - 1, end, apart))
            at = end
    return tuple(found)


def in_parts(sources: tuple[SourceFile, ...]) -> tuple[tuple[SourceFile, ...], ...]:
    """The files in two parts, each to be compiled by itself; or one, the sources as they are.

    Args:
        sources: one C file and the headers of ours that it includes; anything else is one part, as
            is a file of which either part would be short.
    """
    if sum(s.name.endswith(".c") for s in sources) != 1:
        return (sources,)
    texts = tuple(s.text for s in sources)
    found = pieces(texts)
    sizes = _sizes(texts, found, next(k for k, s in enumerate(sources) if s.name.endswith(".c")))
    loads = [0, 0]
    for name, size in sizes.items():
        loads[_is_rare(name)] += size
    if min(loads) < SHORT or len({p.name for p in found}) < len(found):
        return (sources,)
    homes = {name: _is_rare(name) for name in sizes}
    return tuple(
        tuple(
            SourceFile(s.name, _part(s.text, [p for p in found if p.file == k], homes, own))
            for k, s in enumerate(sources)
        )
        for own in (False, True)
    )


def _is_rare(name: str) -> bool:
    return _RARE.search(name) is not None


def _sizes(texts: Texts, found: tuple[Piece, ...], file: int) -> dict[str, int]:
    """Characters of each function that one part defines, with the functions that it inlines; only
    those that the C file leads to.
    """
    known = {p.name: p for p in found}
    calls = {
        p.name: tuple(
            w
            for w in dict.fromkeys(_WORD.findall(texts[p.file], p.brace, p.end))
            if w in known and w != p.name
        )
        for p in found
    }
    sizes: dict[str, int] = {}
    wanted = [p.name for p in found if p.file == file and p.apart and not _is_block(texts, p)]
    while wanted:
        name = wanted.pop()
        if name in sizes:
            continue
        inside, size, seen = [name], 0, {name}
        while inside:
            piece = known[inside.pop()]
            size += piece.end - piece.brace
            for other in calls[piece.name]:
                if known[other].apart:
                    wanted.append(other)
                elif other not in seen:
                    seen.add(other)
                    inside.append(other)
        sizes[name] = size
    return sizes


def _is_block(texts: Texts, piece: Piece) -> bool:
    return texts[piece.file].startswith(MARK, piece.start)


def _part(text: str, found: list[Piece], homes: dict[str, bool], own: bool) -> str:
    """A text that defines only the shared functions of one part."""
    lines, at = [], 0
    for p in found:
        if not p.apart:
            continue
        head = text[p.start : p.brace].rstrip()
        body = "\n" + text[p.brace : p.end] if homes.get(p.name) == own else ";"
        lines += [text[at : p.start], head, body]
        at = p.end
    return "".join((*lines, text[at:])).replace(STATIC, SHARED)
