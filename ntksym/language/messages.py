"""The place of an error, as a source line with a caret; and the nearest known name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

WIDTH = 72

_NEAR = 0.65
"""The share of letters that a name has in common with the one that may have been meant."""


def caret(text: str, at: int) -> str:
    """The line of `text` that holds offset `at`, a caret under it, and the column.

    A long line is cut around the caret.  Characters that do not print are shown as `?`, so that
    an error message cannot move the cursor of a terminal.
    """
    at = max(0, min(at, len(text)))
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line = text[start : end if end >= 0 else len(text)]
    column = at - start
    left = max(0, column - WIDTH // 2)
    right = min(len(line), left + WIDTH)
    head, tail = "..." if left else "", "..." if right < len(line) else ""
    shown = "".join(c if c.isprintable() else "?" for c in line[left:right])
    place = f"column {column + 1}"
    if "\n" in text:
        place = f"line {text.count(chr(10), 0, start) + 1}, {place}"
    return f"{head}{shown}{tail}\n{' ' * (len(head) + column - left)}^\n{place}"


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name closest to `name`, or "" where none is close."""
    names = sorted(known)
    by_lower = {n.lower(): n for n in names}  # of `ReLU` and `relu` the second
    if same := by_lower.get(name.lower()):
        return same
    if found := difflib.get_close_matches(name, names, n=1, cutoff=_NEAR):
        return found[0]
    found = difflib.get_close_matches(name.lower(), sorted(by_lower), n=1, cutoff=_NEAR)
    return by_lower[found[0]] if found else ""


def short(name: str) -> str:
    """The name quoted, cut where it is long."""
    return repr(name if len(name) <= 40 else name[:37] + "...")
