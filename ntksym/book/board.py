"""The status board of a book as Markdown, to read where the book is kept: computed, never typed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..check import Judgement
from ..errors import CannotWrite
from ..verify.report import Verdict
from .records import Book, Page

HEAD = """# derivations

The reference book of published formulas for infinitely wide networks: one literate, executable
file for each activation family, layer, network and identity. The docstring tells how a formula
arises; the `Claim` values are formulas as papers and programs print them, with their source. Wrong
ones stay, as errata: those must be refuted. No verdict is typed anywhere; this page is written by

    ntksym render derivations --out site --board derivations/README.md

which judges every claim, and makes the site with derivations, plots, evidence and counterexamples.
`tests/test_derivations.py` judges them all again, and runs the checks of the identities.

To add a formula: one `Claim(...)` in the file of its object, with its `source`; see
[activations/relu.py](activations/relu.py) for the pattern,
and [claims.md](claims.md) for what a claim can be about.
"""

_ORDER = (Verdict.PROVED, Verdict.ENCLOSED, Verdict.SAMPLED, Verdict.UNDECIDED, Verdict.REFUTED)


def board(book: Book, judgements: Sequence[Judgement]) -> str:
    """The board: counts, a table by object, the errata with what is wrong, a table by source."""
    by_id = {j.claim.id: j for j in judgements}
    counts = ", ".join(
        f"{sum(j.verdict is v for j in judgements)} {v}"
        for v in _ORDER
        if any(j.verdict is v for j in judgements)
    )
    parts = [HEAD, f"{len(judgements)} claims on {len(book.pages)} pages: {counts}.\n"]
    parts.append("## By object\n\n| page | proved | enclosed | open | errata, refuted |")
    parts.append("| --- | --- | --- | --- | --- |")
    parts += [_row(page, by_id) for page in book.pages]
    parts.append("\n## Errata\n")
    parts += [_erratum(j) for j in judgements if j.claim.erratum]
    parts.append("\n## By source\n\n| source | formulas |\n| --- | --- |")
    parts += _sources(judgements)
    return "\n".join(parts) + "\n"


def _row(page: Page, by_id: dict[str, Judgement]) -> str:
    found = [by_id[c.id] for c in page.claims]
    own = [j for j in found if not j.claim.erratum]
    numbers = [
        sum(j.verdict is Verdict.PROVED for j in own),
        sum(j.verdict is Verdict.ENCLOSED for j in own),
        sum(j.verdict < Verdict.ENCLOSED for j in own),
        sum(bool(j.claim.erratum) and j.verdict is Verdict.REFUTED for j in found),
    ]
    name = page.path
    cells = " | ".join(str(n) if n else "" for n in numbers)
    return f"| [{page.title}]({name}) | {cells} |"


def _erratum(j: Judgement) -> str:
    found = "; ".join(d.text for d in j.diagnosis[:1]) or "no simpler explanation found"
    return f"- `{j.claim.id}` ({j.claim.source}): {j.verdict}. Found by the checker: {found}."


def _sources(judgements: Sequence[Judgement]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for j in judgements:
        source = j.claim.source.split(";")[0].split(",")[0].strip() or "no source"
        groups.setdefault(source, []).append(j.claim.id)
    return [f"| {source} | {', '.join(ids)} |" for source, ids in sorted(groups.items())]


def write_board(path: str | os.PathLike[str], text: str) -> None:
    """Write the board, all of it or nothing.

    Raises:
        CannotWrite: the file cannot be written.
    """
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".board-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, target)
    except OSError as error:
        raise CannotWrite(
            f"cannot write {target}",
            where=str(error),
            hint="a folder that is there and can be written",
        ) from error
