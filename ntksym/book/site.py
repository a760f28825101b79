"""The site: every file of it as text, from a book and the judgements of its claims."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from .. import __version__
from ..check import Judgement
from ..extras import for_site as need
from ..verify.report import Verdict
from .bibliography import Entry, entry
from .cards import GLYPHS, MEANINGS, Card, card, math_of, source_html, text_html
from .checked import Line, run_checks
from .closed import Closed, closed
from .prose import inline, links, prose
from .records import Book, Page

Note = Callable[[str], None]

KIND_TITLES = {
    "activations": "Activations",
    "layers": "Layers",
    "networks": "Networks",
    "identities": "Identities",
    "constants": "Constants",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of the book with all that is computed for it."""

    page: Page
    title_html: str
    prose_html: str
    convention_html: str
    cards: tuple[Card, ...]
    checks: tuple[Line, ...]
    closed: tuple[Closed, ...]

    @property
    def href(self) -> str:
        """Its address."""
        return f"{self.page.key}.html"

    @property
    def counts(self) -> tuple[tuple[str, str, int], ...]:
        """(verdict, sign, number) of its formulas, the best first; none that is zero."""
        return counts(self.cards)


@dataclass(frozen=True, slots=True)
class Paper:
    """A source and what is taken from it; `entry` is None for a source that is only text."""

    entry: Entry | None
    text: str
    cards: tuple[Card, ...]


def counts(cards: tuple[Card, ...]) -> tuple[tuple[str, str, int], ...]:
    """(verdict, sign, number), the best verdict first; none that is zero."""
    found = Counter(c.judgement.verdict for c in cards)
    return tuple((str(v), GLYPHS[v], found[v]) for v in sorted(Verdict, reverse=True) if found[v])


def site(
    book: Book,
    judgements: tuple[Judgement, ...],
    *,
    timings: bool = True,
    note: Note = lambda text: None,
) -> dict[str, str]:
    """The files of the site: addresses to contents; the same input gives the same text.

    Args:
        book: as `collect` returns it.
        judgements: one for each claim of the book, in its order.
        timings: whether the status board has the seconds that each verdict took, which differ
            from run to run.
        note: is told what is being done.

    Raises:
        BadBook: mathematics in the prose that cannot be read.
        ParseError, BadActivation: an entry of `ACTIVATIONS` that is no activation.
        MissingExtra: a library of the extra `render` is not installed.
    """
    cards = iter([card(j) for j in judgements])
    shown = []
    for page in book.pages:
        note(f"writing {page.key}")
        own = tuple(next(cards) for _ in page.claims)
        shown.append(_show(book, page, own))
    everything = tuple(c for s in shown for c in s.cards)
    kinds = [
        (kind, KIND_TITLES.get(kind, kind.replace("_", " ").capitalize()),
         [s for s in shown if s.page.kind == kind])
        for kind in book.kinds
    ]  # fmt: skip
    papers = _papers(everything)
    common: dict[str, Any] = {
        "kinds": kinds,
        "all": everything,
        "papers": papers,
        "errata": [c for c in everything if c.wrong],
        "surprises": [c for c in everything if not c.expected],
        "checks": [line for s in shown for line in s.checks],
        "counts": counts(everything),
        "meanings": [(str(v), GLYPHS[v], MEANINGS[v]) for v in sorted(Verdict, reverse=True)],
        "versions": versions(),
        "timings": timings,
        "identities": {s.page.name: s.href for s in shown if s.page.kind == "identities"},
    }
    files = {"style.css": _source("style.css")}
    for name in ("index", "status", "objects", "papers", "errata"):
        files[f"{name}.html"] = _fill(f"{name}.html", root="", here=f"{name}.html", **common)
    for s in shown:
        files[s.href] = _fill("page.html", root="../", here=s.href, s=s, **common)
        for i, c in enumerate(s.cards):
            around = (
                s.cards[i - 1] if i else None,
                s.cards[i + 1] if i + 1 < len(s.cards) else None,
            )
            entries = [entry(k) for k in c.keys]
            files[c.href] = _fill(
                "formula.html", root="../", here=c.href, s=s, c=c, around=around,
                entries=entries, **common,
            )  # fmt: skip
    return files


def versions() -> tuple[tuple[str, str], ...]:
    """(name, version) of what the verdicts rest on."""
    import flint
    import sympy

    return (
        ("ntksym", __version__),
        ("SymPy", str(sympy.__version__)),
        ("python-flint", str(flint.__version__)),
        ("FLINT", str(flint.__FLINT_VERSION__)),
        ("Python", platform.python_version()),
    )


def _show(book: Book, page: Page, cards: tuple[Card, ...]) -> Shown:
    files = {p.path: f"{p.key}.html" for p in book.pages}
    address = links(files, page.path)
    return Shown(
        page,
        inline(page.title, where=page.path),
        prose(page.prose, where=page.path, address=address),
        prose(page.convention, where=page.path, address=address, depth=2, prefix="convention-"),
        cards,
        run_checks(page),
        tuple(closed(text, f"plot-{i}") for i, text in enumerate(page.activations, start=1)),
    )


def _papers(cards: tuple[Card, ...]) -> list[Paper]:
    """Entries by first author and year, then sources that are only text, by their text."""
    by_key: dict[str, list[Card]] = {}
    by_text: dict[str, list[Card]] = {}
    for c in cards:
        for key in c.keys:
            by_key.setdefault(key, []).append(c)
        if not c.keys and c.claim.source:
            by_text.setdefault(c.claim.source, []).append(c)
    known = sorted((entry(k) for k in by_key), key=lambda e: (e.label.lower(), e.key))
    out = [Paper(e, "", tuple(by_key[e.key])) for e in known]
    for text in sorted(by_text, key=str.lower):
        out.append(Paper(None, text, tuple(by_text[text])))
    return out


@lru_cache(maxsize=1)
def _environment() -> Any:
    jinja2 = need("jinja2")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    markup = need("markupsafe").Markup
    environment.filters |= {
        "source": lambda source, root: markup(source_html(source, root)),
        "text": lambda text: markup(text_html(text)),
        "tex": lambda latex: markup(math_of(latex)),
        "html": markup,
    }
    return environment


def _source(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _fill(name: str, **values: Any) -> str:
    text: str = _environment().get_template(name).render(values)
    return text
