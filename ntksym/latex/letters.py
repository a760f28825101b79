"""Runs of letters: `ab` is printed, and read, as the product of a and b."""

from __future__ import annotations

import re
from functools import lru_cache

from ..errors import ParseError
from ..language.messages import caret, short
from .macros import FONTS, FUNCTIONS, LETTERS

VARIANCES = ("weight", "bias", "sw", "sb")
"""Before an index, names of the language as SymPy prints them: `weight_{var}`, `sw_{2}`."""


_LONGEST = 3
"""Letters side by side that are a product without doubt: a x, r h k."""


_MARK = re.compile(r"\s*(\{|\\[A-Za-z]+|[A-Za-z0-9])")
_END = re.compile(r"\s*\}")


def marked(text: str, at: int) -> tuple[tuple[str, ...], str, int]:
    r"""The accents and fonts before a letter, the letter, and where the last brace closes.

    In `\tilde{\mathbf{x}}` the marks are `\tilde` and `\mathbf`; the letter is "" where there is
    none, or where it is not alone in its braces.
    """
    marks: list[str] = []
    braces, end = 0, at
    while found := _MARK.match(text, end):
        end = found.end()
        if found[1] == "{":
            braces += 1
        elif found[1] in FONTS:
            marks.append(found[1])
        else:
            for _ in range(braces):
                closed = _END.match(text, end)
                if closed is None:
                    return tuple(marks), "", end
                end = closed.end()
            return tuple(marks), found[1], end
    return tuple(marks), "", end


@lru_cache(maxsize=1)
def _words() -> dict[str, str]:
    """Words that must not be spelled with italic letters, with what to write instead."""
    from ..language.table import known_names

    found = {n: rf"\mathrm{{{n}}}" for n in known_names(True) if len(n) > 1 and n.isalpha()}
    found |= {m[1:]: m for m in (*LETTERS, *FUNCTIONS)}
    found |= {"lambda": r"\lambda", "sqrt": r"\sqrt{...}", "frac": r"\frac{a}{b}"}
    found |= {"infty": "finite numbers", "inf": "finite numbers", "oo": "finite numbers"}
    found |= {"cdot": r"\cdot", "times": r"\times", "if": r"\text{if}"}
    found |= {"otherwise": r"\text{otherwise}", "else": r"\text{otherwise}"}
    return found


def check_word(text: str, at: int, run: str, names: frozenset[str]) -> None:
    """Refuse letters that spell a function or a Greek letter, or are too many for a product.

    Raises:
        ParseError: `sin`, `rho`, `erf` in italics, for want of a backslash; `kernel`.
    """
    if run in _words() and run != "He" and run not in names:
        raise ParseError(
            f"{run!r} in italic letters is a product of {len(run)} names",
            where=caret(text, at),
            hint=f"{_words()[run]}; for the product, spaces between the letters",
        )
    if len(run) > _LONGEST and run not in names:
        raise ParseError(
            f"{short(run)} is a word, or a product of {len(run)} names",
            where=caret(text, at),
            hint="names={...} for a name; for the product, spaces between the letters",
        )


def letter_runs(run: str, names: frozenset[str]) -> tuple[str, ...]:
    """The names that a run of letters is: itself where it is known, otherwise its letters."""
    if run in names or run == "He":
        return (run,)
    return tuple(run)
