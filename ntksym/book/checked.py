"""The checks of identity pages, run: two enclosures of one number must overlap, narrowly."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import NtksymError
from ..verify.ball import Ball
from ..verify.report import Verdict
from .cards import GLYPHS
from .records import Page

DIGITS = 25
"""Both balls have at least that many digits, or are that close to zero; else nothing is said."""


@dataclass(frozen=True, slots=True)
class Line:
    """One check, run.

    Attributes:
        name: what was compared.
        outcome: `ENCLOSED`, `REFUTED` or `UNDECIDED`.
        left: the first ball, as text.
        right: the second.
        digits: the digits of the wider one, at most 99; 0 for numbers that are zero.
    """

    name: str
    outcome: Verdict
    left: str
    right: str
    digits: int

    @property
    def verdict(self) -> str:
        """The outcome in a word."""
        return str(self.outcome)

    @property
    def glyph(self) -> str:
        """The sign of the outcome."""
        return GLYPHS[self.outcome]


def run_checks(page: Page) -> tuple[Line, ...]:
    """Every check of a page; one that raises an error of this library is `UNDECIDED`, and last."""
    found: list[Line] = []
    if page.checks is None:
        return ()
    try:
        for name, left, right in page.checks():
            found.append(_line(name, left, right))
    except NtksymError as error:
        found.append(Line(f"stopped: {error.what}", Verdict.UNDECIDED, "", "", 0))
    return tuple(found)


def _line(name: str, left: Ball, right: Ball) -> Line:
    if not left.overlaps(right):
        outcome = Verdict.REFUTED
    else:
        narrow = _narrow(left) and _narrow(right)
        outcome = Verdict.ENCLOSED if narrow else Verdict.UNDECIDED
    digits = int(min(99.0, left.rel_digits, right.rel_digits))
    return Line(name, outcome, _text(left), _text(right), digits)


def _narrow(ball: Ball) -> bool:
    return ball.rel_digits >= DIGITS or ball.rad * 10 ** (DIGITS + 15) <= 1


def _text(ball: Ball) -> str:
    mid, radius = ball.decimal(22)
    return f"{mid} \u00b1 {radius}"
