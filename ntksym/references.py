"""The references of the catalogue, as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources

from .errors import UnknownName

_START = re.compile(r"^@\w+\{([^,\s]+),", re.MULTILINE)


@lru_cache(maxsize=1)
def _entries() -> dict[str, str]:
    """The entries of `references.bib` by key, in the order of the file."""
    text = resources.files("ntksym").joinpath("references.bib").read_text(encoding="utf-8")
    starts = list(_START.finditer(text))
    ends = [m.start() for m in starts[1:]] + [len(text)]
    return {m[1]: text[m.start() : end].strip() for m, end in zip(starts, ends, strict=True)}


def keys() -> tuple[str, ...]:
    """Every key, in the order of the file."""
    return tuple(_entries())


def bibtex(wanted: Iterable[str]) -> str:
    """The BibTeX entries for `wanted`, each once, in that order, with a blank line between.

    Raises:
        UnknownName: a key that the file does not have.
    """
    found = []
    for key in dict.fromkeys(wanted):
        if key not in _entries():
            raise UnknownName(f"there is no reference {key!r}", hint=", ".join(keys()))
        found.append(_entries()[key])
    return "\n\n".join(found)
