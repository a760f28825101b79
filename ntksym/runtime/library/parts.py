"""A generated file in parts that are compiled by themselves: same functions, same bits.

A block function is never inlined, so where it is compiled does not change what it computes.  Large
families of block functions in a header of ours, and standing texts, depend on no network: each is a
part that every file shares, compiled once.  Of what is left of a long file, what every pair of
points goes through stays together, because compilers learn of each function from its callers; what
few pairs need (nearly equal points; far apart or degenerate variances) and the functions on floats
are two or three other parts, compiled at the same time.  A part declares what the others define;
the rest of the text, tables and functions that are inlined, is in all, and the compiler drops what
a part does not use.  Symbols between parts are hidden: the library exports what the file does.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from ...backends import SourceFile
from ...backends.c.helpers.standing import standing_texts

MARK = "NTKSYM_BLOCK_FUNCTION "
"""What the definition of a block function starts with."""
STATIC = "#define NTKSYM_BLOCK_FUNCTION static __attribute__(("
SHARED = '#define NTKSYM_BLOCK_FUNCTION __attribute__((visibility("hidden"), '
"""Its meaning in a file of its own, and in parts."""
SHORT = 6_000
"""Characters of code, with what it inlines, for which another compiler saves no time."""

LONG = 5_000
"""Characters of one function that not all files with its family need."""

LONG_RULES = 15_000
"""The same where these are rules for variances beside what else few pairs need: both are longer."""

_RULE = re.compile(r"_(direct|price|far)(_diag)?(_dot)?_[0-9a-f]{8}")
_RARE = re.compile(rf"^near|{_RULE.pattern}")
_DEAR = re.compile(r"^ntksym_(direct|spline|halves)_")
"""What integrates; what a generated file has of it beside these stays where it is called."""
_FLOAT = re.compile(r"_f32$")
_START = re.compile(r"^(?=[A-Za-z])[^;={#]*?\b(\w+)\([^;{}]*?\)\s*\{", re.M)
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")

Texts = tuple[str, ...]
Sources = tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """What one library is compiled from, each to be compiled by itself.

    Attributes:
        own: one to four parts of what was generated, and files that stand alone.
        shared: parts that any file with the same header has.
    """

    own: tuple[Sources, ...]
    shared: tuple[Sources, ...] = ()

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        return len(self.own) + len(self.shared) > 1


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
            apart = head.startswith(MARK) or not head.startswith(("static", "NTKSYM_"))
            found.append(Piece(start[1], file, start.start(), start.end() - 1, end, apart))
            at = end
    return tuple(found)


def in_parts(sources: Sources) -> Parts:
    """The files in parts; one of its own, the sources as they are, where more would save no time.

    Args:
        sources: one C file and the headers of ours that it includes, and C files that include none
            of them, each a part; anything else is one part.
    """
    whole = Parts((sources,))
    others = tuple(s for s in sources if s.name.endswith(".c") and not _includes(s, sources))
    if others and len(others) < len(sources):
        rest = in_parts(tuple(s for s in sources if s not in others))
        return Parts((*rest.own, *((s,) for s in others)), rest.shared)
    if sum(s.name.endswith(".c") for s in sources) != 1:
        return whole
    texts = tuple(s.text for s in sources)
    found = pieces(texts)
    if len({p.name for p in found}) < len(found):
        return whole
    sizes = _sizes(texts, found, next(k for k, s in enumerate(sources) if s.name.endswith(".c")))
    families = [f for s in sources if s.name.endswith(".h") for f in _families(s)]
    families += _standing(sources, found)
    used = [(s, names) for s, names in families if not names.isdisjoint(sizes)]
    common = frozenset[str]().union(*(names for _, names in used))
    own = {name: size for name, size in sizes.items() if name not in common}
    kinds = _kinds(own)
    if not used and len(kinds) == 1:
        return whole
    made = []
    for kept in kinds:
        split = (
            _part(s.text, [p for p in found if p.file == k], kept) for k, s in enumerate(sources)
        )
        made.append(tuple(SourceFile(s.name, t) for s, t in zip(sources, split, strict=True)))
    return Parts(tuple(made), tuple(part for part, _ in used))


def _includes(file: SourceFile, headers: Sources) -> bool:
    return any(f'#include "{h.name}"' in file.text for h in headers)


def shared_parts(header: SourceFile, names: Collection[str]) -> tuple[Sources, ...]:
    """The parts that any file which includes a header of ours may share and that define some of
    these functions, large families first.
    """
    families = (*_families(header), *(_alone(header, t) for t in standing_texts(names)))
    return tuple(part for part, defined in families if not defined.isdisjoint(names))


def _standing(sources: Sources, found: tuple[Piece, ...]) -> list[tuple[Sources, frozenset[str]]]:
    """The standing texts in files with one header, each as a part, with names."""
    headers = [s for s in sources if s.name.endswith(".h")]
    texts = standing_texts({p.name for p in found}) if len(headers) == 1 else ()
    return [_alone(headers[0], t) for t in texts if any(t in s.text for s in sources)]


@lru_cache(maxsize=8)
def _alone(header: SourceFile, text: str) -> tuple[Sources, frozenset[str]]:
    """A text that needs nothing but a header, as a part, with the names of what it defines."""
    above, own = list(pieces((header.text,))), list(pieces((text,)))
    names = frozenset(p.name for p in own if p.apart)
    plain = SourceFile(header.name, _part(header.text, above, frozenset()))
    body = f'#include "{header.name}"\n' + _part(text, own, names)
    return (plain, SourceFile("part.c", body)), names


@lru_cache(maxsize=4)
def _families(header: SourceFile) -> tuple[tuple[Sources, frozenset[str]], ...]:
    """The large families of block functions that call each other, each as a part, with names; then
    the long functions that nothing in the header calls, without which a family is compiled faster.
    """
    found = pieces((header.text,))
    calls = _calls((header.text,), found)
    apart = {p.name: p for p in found if p.apart}
    groups: list[frozenset[str]] = []
    for name in apart:
        group = frozenset({name, *calls[name]}) & frozenset(apart)
        met = [g for g in groups if not g.isdisjoint(group)]
        groups = [g for g in groups if g not in met] + [group.union(*met)]
    size = {name: p.end - p.start for name, p in apart.items()}
    short = [g for g in groups if sum(map(size.__getitem__, g)) < SHORT]
    groups = [g for g in groups if g not in short]
    groups = [_with_short(g, short) for g in groups]
    inner = {w for name in apart for w in calls[name]}
    alone = [n for g in groups for n in g - inner if size[n] >= LONG]
    groups = [g.difference(alone) for g in groups] + [frozenset({n}) for n in alone]
    made = []
    for group in sorted(groups, key=lambda g: (len(g) == 1, -sum(map(size.__getitem__, g)))):
        text = SourceFile(header.name, _part(header.text, list(found), group))
        file = SourceFile("part.c", f'#include "{header.name}"\n')
        made.append(((text, file), group))
    return tuple(made)


def _with_short(group: frozenset[str], short: list[frozenset[str]]) -> frozenset[str]:
    """A family that integrates with the short ones that do: few pairs need them as well."""
    dear = [g for g in (group, *short) if all(map(_DEAR.search, g))]
    return group.union(*dear) if group in dear else group


def _kinds(sizes: dict[str, int]) -> tuple[frozenset[str], ...]:
    """The functions that every pair needs, those that few need, those of rules that few need, and
    those on floats; the latter with the first where they are short, rules with what few need.
    """
    kinds: tuple[dict[str, int], ...] = ({}, {}, {}, {})
    for name, size in sizes.items():
        rare = 2 if _RULE.search(name) else 1
        kinds[rare if _is_rare(name) else 3 if _FLOAT.search(name) else 0][name] = size
    if min(sum(kind.values()) for kind in kinds[1:3]) < LONG_RULES:
        kinds[1].update(kinds[2])
        kinds[2].clear()
    long = [kind for kind in kinds[1:] if sum(kind.values()) >= SHORT]
    first = frozenset(sizes).difference(*long)
    return (first, *map(frozenset, long))


def is_ruled(part: Sources) -> bool:
    """Whether a part defines nothing but what few pairs of one network need."""
    names = _defined(part)
    return bool(names) and all(map(_is_rare, names))


def is_single(part: Sources) -> bool:
    """Whether some function that a part defines is on floats."""
    return any(map(_FLOAT.search, _defined(part)))


def _defined(part: Sources) -> list[str]:
    """The functions of a part that others call."""
    return [p.name for p in pieces(tuple(s.text for s in part)) if p.apart]


def _is_rare(name: str) -> bool:
    return _RARE.search(name) is not None


def _calls(texts: Texts, found: tuple[Piece, ...]) -> dict[str, tuple[str, ...]]:
    """The functions that each function calls."""
    known = {p.name for p in found}
    return {
        p.name: tuple(
            w
            for w in dict.fromkeys(_WORD.findall(texts[p.file], p.brace, p.end))
            if w in known and w != p.name
        )
        for p in found
    }


def _sizes(texts: Texts, found: tuple[Piece, ...], file: int) -> dict[str, int]:
    """Characters of each function that one part defines, with the functions that it inlines; only
    those that the C file leads to.
    """
    known = {p.name: p for p in found}
    calls = _calls(texts, found)
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


def _part(text: str, found: list[Piece], kept: frozenset[str]) -> str:
    """A text that defines only some of the functions that are in one part."""
    lines, at = [], 0
    for p in found:
        if not p.apart:
            continue
        head = text[p.start : p.brace].rstrip()
        body = "\n" + text[p.brace : p.end] if p.name in kept else ";"
        lines += [text[at : p.start], head, body]
        at = p.end
    return "".join((*lines, text[at:])).replace(STATIC, SHARED)
