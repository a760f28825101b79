"""Sources: keys of `references.bib` as full citations, everything else as printed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from .. import references

_FIELD = re.compile(r"^\s*([A-Za-z]+)\s*=\s*", re.MULTILINE)
_ACCENTS = {
    "'": "\u0301", "`": "\u0300", '"': "\u0308", "^": "\u0302", "~": "\u0303", "c": "\u0327",
    "v": "\u030c", "u": "\u0306", "H": "\u030b", "=": "\u0304", ".": "\u0307", "r": "\u030a",
}  # fmt: skip
_LETTERS = {
    r"\o": "ø", r"\O": "Ø", r"\l": "ł", r"\L": "Ł", r"\ss": "ß", r"\ae": "æ", r"\aa": "å",
    r"\AA": "Å", r"\i": "ı", r"\&": "&", r"\%": "%", r"\_": "_",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the bibliography.

    Attributes:
        key: its key.
        authors: as printed, `C. K. I. Williams`.
        year: the year, or "".
        title: plain text.
        venue: journal, volume, pages; or book, or archive number.
        link: an address to read it at, or "".
        bibtex: the entry itself.
    """

    key: str
    authors: tuple[str, ...]
    year: str
    title: str
    venue: str
    link: str
    bibtex: str

    @property
    def label(self) -> str:
        """Surnames and year: `Cho & Saul 2009`."""
        names = [_surname(a) for a in self.authors]
        if len(names) > 2:
            names = [f"{names[0]} et al."]
        return f"{' & '.join(names) or self.key} {self.year}".strip()


@dataclass(frozen=True, slots=True)
class Source:
    """One source of a claim: an entry with a place in it, or text.

    Attributes:
        key: a key of `references.bib`, or "".
        place: what follows the key: `eq. 6`.
        text: the source as printed, when it is no key.
    """

    key: str = ""
    place: str = ""
    text: str = ""


def sources(text: str) -> tuple[Source, ...]:
    """The sources that a claim names, separated by semicolons: `cho2009kernel, eq. 6; folklore`.

    A part whose beginning, up to its first comma, is a key of `references.bib` is that entry.
    """
    known = set(references.keys())
    found: list[Source] = []
    for part in (p.strip() for p in text.split(";")):
        key, _, place = (p.strip() for p in part.partition(","))
        if key in known:
            found.append(Source(key=key, place=place))
        elif part and found and found[-1].text:
            found[-1] = Source(text=f"{found[-1].text}; {part}")
        elif part:
            found.append(Source(text=part))
    return tuple(found)


@lru_cache(maxsize=512)
def entry(key: str) -> Entry:
    """The entry of a key, read.

    Raises:
        UnknownName: `references.bib` has no such key.
    """
    bibtex = references.bibtex([key])
    fields = _fields(bibtex)
    authors = tuple(
        _person(a) for a in re.split(r"\s+and\s+", fields.get("author", "")) if a.strip()
    )
    return Entry(
        key,
        authors,
        plain(fields.get("year", "")),
        plain(fields.get("title", "")),
        _venue(fields),
        _link(fields),
        bibtex,
    )


def _fields(bibtex: str) -> dict[str, str]:
    """The fields of one entry; values in braces or quotes, nested braces kept."""
    found: dict[str, str] = {}
    for match in _FIELD.finditer(bibtex):
        start = match.end()
        found.setdefault(match[1].lower(), _value(bibtex, start))
    return found


def _value(text: str, start: int) -> str:
    if start >= len(text) or text[start] not in '{"':
        return re.split(r"[,}\n]", text[start:], maxsplit=1)[0].strip()
    depth, quoted = 0, text[start] == '"'
    for i in range(start, len(text)):
        c = text[i]
        if c == "{":
            depth += 1
        elif c == "}":
            depth -= 1
        closes = c == '"' and depth == 0 and i > start if quoted else depth == 0
        if closes:
            return " ".join(text[start + 1 : i].split())
    return " ".join(text[start + 1 :].split())


def plain(text: str) -> str:
    """LaTeX of a bibliography as plain text: accents, dashes, braces."""
    import unicodedata

    def accent(m: re.Match[str]) -> str:
        letter = {"\\i": "i", "\\j": "j"}.get(m[2], m[2])
        return unicodedata.normalize("NFC", letter + _ACCENTS[m[1]])

    text = re.sub(r"\\(['`\"^~=.])\s*\{?(\\[ij]|[A-Za-z])\}?", accent, text)
    text = re.sub(r"\\([cvuHr])(?:\s+|\{)(\\[ij]|[A-Za-z])\}?", accent, text)
    for macro, letter in _LETTERS.items():
        text = re.sub(
            re.escape(macro) + (r"(?![A-Za-z])\s?" if macro[1].isalpha() else ""), letter, text
        )
    text = text.replace("---", "—").replace("--", "–").replace("~", "\u00a0")
    text = re.sub(r"\$([^$\\]*)\$", r"\1", text)
    return " ".join(text.replace("{", "").replace("}", "").split(" ")).strip()


def _person(name: str) -> str:
    last, comma, first = name.partition(",")
    return plain(f"{first.strip()} {last.strip()}" if comma else name)


def _surname(name: str) -> str:
    words = name.split()
    for i, word in enumerate(words):
        if word[:1].islower() and i:  # van der Heide
            return " ".join(words[i:])
    return words[-1] if words else ""


def _venue(fields: dict[str, str]) -> str:
    home = plain(fields.get("journal") or fields.get("booktitle") or fields.get("publisher", ""))
    if fields.get("volume"):
        number = f" ({plain(fields['number'])})" if fields.get("number") else ""
        home += f" {plain(fields['volume'])}{number}"
    if fields.get("pages"):
        home += f", {plain(fields['pages'])}"
    if not home and fields.get("eprint"):
        home = f"arXiv:{plain(fields['eprint'])}"
    return home or plain(fields.get("howpublished", "") or fields.get("note", ""))


def _link(fields: dict[str, str]) -> str:
    if doi := fields.get("doi"):
        return f"https://doi.org/{doi}"
    if fields.get("eprint") and "arxiv" in fields.get("archiveprefix", "arxiv").lower():
        return f"https://arxiv.org/abs/{fields['eprint']}"
    url = fields.get("url", "").removeprefix(r"\url{").rstrip("}")
    return url if url.startswith("https://") else ""
