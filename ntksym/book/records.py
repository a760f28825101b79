"""A book: pages of prose, each with its claims, and what to run for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..claims import Claim
from ..errors import NtksymError
from ..verify.ball import Ball

Checks = Callable[[], Iterator[tuple[str, Ball, Ball]]]
"""A generator of (name, ball, ball): two enclosures of one number, which must overlap."""


class BadBook(NtksymError):
    """A folder of derivations that cannot be read as a book; `where` names the file."""

    code, exit_status = "E100", 2


@dataclass(frozen=True, slots=True)
class Page:
    """One file of the book.

    Attributes:
        kind: the folder: `activations`, `layers`, `identities`, ...
        name: the file without its suffix, `relu`.
        path: the file, relative to the folder of the book, with forward slashes.
        title: the text of the first heading.
        prose: Markdown with `$math$`, without that heading.
        claims: in the order of the file, each with its full id, `activations/relu.arccosine`.
        activations: catalogue names or texts of the language that the page is about.
        checks: executable checks of the page, or None.
        convention: prose on conventions, Markdown; may be empty.
    """

    kind: str
    name: str
    path: str
    title: str
    prose: str
    claims: tuple[Claim, ...] = ()
    activations: tuple[str, ...] = ()
    checks: Checks | None = None
    convention: str = ""

    @property
    def key(self) -> str:
        """`kind/name`: unique in a book."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Book:
    """All pages, in the order of the table of contents.

    Attributes:
        pages: by kind, then by name.
        folder: where they were read.
    """

    pages: tuple[Page, ...]
    folder: Path = Path()

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Every claim of every page, in order; ids are unique."""
        return tuple(claim for page in self.pages for claim in page.claims)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of pages, in order, each once."""
        return tuple(dict.fromkeys(page.kind for page in self.pages))
