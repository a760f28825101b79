"""Render: collect a book, judge its claims, write its site."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..check import Judgement
from ..claims import Claim
from ..extras import for_site as need
from .collect import collect
from .records import BadBook, Book
from .site import Note, site
from .writing import check_target, write_site

Judge = Callable[[tuple[Claim, ...]], tuple[Judgement, ...]]
"""From claims to their judgements, in the same order."""

REQUIRED = (
    ("jinja2", "jinja2"),
    ("markdown_it", "markdown-it-py"),
    ("mdit_py_plugins.dollarmath", "mdit-py-plugins"),
    ("latex2mathml.converter", "latex2mathml"),
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a render wrote.

    Attributes:
        out: the folder.
        files: the addresses in it, in order.
        judgements: of every claim, in the order of the book.
    """

    out: Path
    files: tuple[str, ...]
    judgements: tuple[Judgement, ...]

    @property
    def unexpected(self) -> tuple[Judgement, ...]:
        """Errata that were not refuted, and other claims that are neither proved nor enclosed."""
        return tuple(j for j in self.judgements if not j.as_expected)


def render(
    book: Book | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    judge: Judge | None = None,
    timings: bool = True,
    note: Note = lambda text: None,
) -> Rendered:
    """Write the site of a book to a folder: static, offline, verdicts computed now.

    Args:
        book: a book, or the folder to `collect` one from.
        out: a new or empty folder, or one that an earlier render made.
        judge: what judges the claims; by default `ntksym.check.check`.
        timings: whether the status board has seconds; without them the same input gives the same
            bytes.
        note: is told what is being done.

    Raises:
        CannotWrite: `out` is in use; it is then as it was.
        BadBook: a file of the book is ill-formed, or the judge answers other claims.
        MissingExtra: the extra `render` is not installed.
        ParseError, BadActivation: an entry of `ACTIVATIONS` that is no activation.
    """
    for module, package in REQUIRED:
        need(module, package)
    target = Path(out)
    check_target(target)
    if not isinstance(book, Book):
        book = collect(book)
    note(f"judging {len(book.claims)} claims")
    judgements = (judge or _judge)(book.claims)
    if [j.claim.id for j in judgements] != [c.id for c in book.claims]:
        raise BadBook("the judge did not answer every claim, in order")
    files = site(book, judgements, timings=timings, note=note)
    write_site(files, target)
    return Rendered(target, tuple(files), judgements)


def _judge(claims: tuple[Claim, ...]) -> tuple[Judgement, ...]:
    from ..check import check

    found: tuple[Judgement, ...] = check(claims)
    return found
