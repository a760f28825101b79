"""The book: prose, sources, corrections; every identity's checks run.

Its claims are judged in test_mutations.py, beside their edits.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pytest
from test_catalogue_kernels import NO_CLOSED_FORM

from ntksym.activations import catalogue
from ntksym.book import Book, Page, collect
from ntksym.check import check
from ntksym.claims import Claim
from ntksym.claims.read import BadClaim, read_claims
from ntksym.references import keys
from ntksym.verify.report import Verdict

ROOT = Path(__file__).resolve().parent.parent / "derivations"


@lru_cache(maxsize=1)
def book() -> Book:
    return collect(ROOT)


def claims() -> tuple[Claim, ...]:
    return tuple(c for page in book().pages for c in page.claims)


def pages(*kinds: str) -> list[Page]:
    return [p for p in collect(ROOT).pages if not kinds or p.kind in kinds]


def test_there_is_a_book() -> None:
    assert {p.kind for p in book().pages} >= {"activations", "layers", "networks", "identities"}
    assert {"price", "stein", "tilt", "orthant", "plackett", "mixture", "bussgang", "mehler"} <= {
        p.name for p in pages("identities")
    }
    assert len(claims()) >= 250
    assert sum(bool(c.erratum) for c in claims()) >= 20
    assert sum(bool(c.latex) for c in claims()) >= 25


@pytest.mark.parametrize("page", pages(), ids=lambda p: p.key)
def test_prose(page: Page) -> None:
    """A page tells a derivation: sections and mathematics, not a heading over a table of claims."""
    assert page.title
    lines = [line for line in page.prose.splitlines() if line.strip()]
    assert len(lines) >= 10, f"{page.path}: {len(lines)} lines of prose"
    assert "$" in page.prose
    assert page.prose.count("$") % 2 == 0, f"{page.path}: a dollar sign without its partner"
    for word in ("verified", "checked by", "proved by ntksym"):
        assert word not in page.prose.lower(), f"{page.path}: a verdict is computed, not typed"
    if page.kind == "identities" and page.path.endswith(".py"):
        assert "## Proof" in page.prose


@pytest.mark.parametrize("activation", catalogue(), ids=lambda a: a.name)
def test_every_closed_form_has_a_page(activation: object) -> None:
    name = activation.name  # type: ignore[attr-defined]
    if name in NO_CLOSED_FORM:
        return
    covered = {a for p in pages("activations") for a in p.activations}
    assert name in covered, (
        f"{name} is on no page: write derivations/activations/{name}.py with "
        f"ACTIVATIONS = ({name!r},), or add it to the page of its family"
    )


def test_the_list_without_closed_forms_is_true() -> None:
    """Nothing hides in the list: the engine finds no closed form for any of them."""
    from ntksym.dual import dual
    from ntksym.errors import NoClosedForm

    for entry in catalogue():
        if entry.name in NO_CLOSED_FORM:
            with pytest.raises(NoClosedForm):
                dual(entry)


def test_ids_are_unique_and_titles_say_something() -> None:
    ids = [c.id.lower() for c in claims()]
    assert len(set(ids)) == len(ids)
    for claim in claims():
        assert len(claim.title) >= 8 and claim.title.endswith("."), claim.id
        if claim.erratum:
            assert len(claim.erratum) >= 30, f"{claim.id}: say what is wrong"


def test_sources_are_found() -> None:
    """A source that looks like a key is one; every other one says in words where it is from."""
    known = set(keys())
    for claim in claims():
        assert claim.source, f"{claim.id} has no source"
        for word in re.findall(r"\b[a-z]+(?:19|20)\d\d[a-z]+\b", claim.source):
            assert word in known, f"{claim.id}: {word} is not in references.bib"
        assert "placeholder" not in claim.source


@pytest.mark.parametrize("chunk", range(4))
def test_corrections_hold(chunk: int) -> None:
    """The formula that the book gives in the place of a wrong one."""
    from dataclasses import replace

    wrong = []
    corrected = [c for c in claims() if c.corrected]
    for claim in corrected[chunk::4]:
        right = replace(claim, formula=claim.corrected, latex="", erratum="", corrected="")
        found = check(right)
        if found.verdict < Verdict.ENCLOSED:
            wrong.append(f"{claim.id}: {found.verdict.name.lower()} {found.error} {found.evidence}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", [p for p in pages() if p.checks], ids=lambda p: p.name)
def test_identity(page: Page) -> None:
    """Every identity is executed: both sides of every check overlap, and narrowly."""
    assert page.checks is not None
    seen = 0
    for name, left, right in page.checks():
        assert left.overlaps(right), f"{name}: {left} and {right}"
        for ball in (left, right):
            assert ball.rel_digits >= 25 or ball.rad * 10**40 <= 1, f"{name}: too wide: {ball}"
        seen += 1
    assert seen >= 3


EXAMPLES = sorted((Path(__file__).resolve().parent / "claims").glob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_example_files(path: Path) -> None:
    """Every claim of an example file gets the verdict that the file says, or an error of its own."""
    wrong, readable = [], 0
    for claim in read_claims(path):
        if isinstance(claim, BadClaim):
            assert path.stem == "malformed", f"{claim.id}: {claim.error}"
            assert claim.error.what
            continue
        found = check(claim)
        readable += not found.error
        unreadable = path.stem == "malformed" and claim.id != "good"
        if (found.verdict is Verdict.UNDECIDED and bool(found.error)) != unreadable or (
            not unreadable and not found.as_expected
        ):
            wrong.append(f"{claim.id}: {found.verdict.name.lower()} {found.error}")
    assert not wrong, "\n".join(wrong)
    assert readable >= 1
