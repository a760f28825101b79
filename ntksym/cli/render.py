"""`ntksym render`: the static site of a book of derivations."""

from __future__ import annotations

from typing import Any

import click

from .options import Command, shared
from .outcome import OK, REFUTED, UNDECIDED, Line, Outcome, View


@click.command(
    "render",
    cls=Command,
    short_help="A static, offline site of a book of formulas, with their verdicts.",
    examples=(
        "ntksym render derivations --out site",
        "ntksym render derivations --out site --no-timings",
        "ntksym render derivations --out site --json --quiet",
    ),
)
@click.argument("folder", metavar="FOLDER")
@click.option("--out", "out", required=True, metavar="DIRECTORY", help="New, empty, or rendered.")
@click.option(
    "--timings/--no-timings",
    default=True,
    show_default=True,
    help="Seconds of every verdict; without them the same book gives the same bytes.",
)
@click.option(
    "--claim-limit",
    type=click.FloatRange(min=0),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Stop a claim after this many seconds (it is then undecided); 0 for no limit.",
)
@click.option(
    "--board", default="", metavar="FILE.md", help="Write a status board in Markdown too."
)
@shared("render", time_limit=3600.0)
def command(folder: str, out: str, timings: bool, claim_limit: float, board: str) -> dict[str, Any]:
    """Judge every claim of a book, and write its site to DIRECTORY.

    FOLDER holds files such as activations/relu.py: prose in the docstring, claims as values. The
    files are Python and are run. Exit status 1 if an erratum holds or a formula is refuted that
    is none, 3 if a verdict is open.
    """
    return {
        "folder": folder,
        "out": out,
        "timings": timings,
        "claim_limit": claim_limit,
        "board": board,
    }


def work(options: dict[str, Any], view: View) -> Outcome:
    """Render, in the worker."""
    from ..book import collect, render
    from ..verify.report import Verdict

    limit = options["claim_limit"] or None
    book = collect(options["folder"])
    done = render(
        book,
        options["out"],
        judge=lambda claims: _judge(claims, limit, view),
        timings=options["timings"],
        note=view.note,
    )
    found = done.judgements
    if options["board"]:
        from ..book.board import board, write_board

        write_board(options["board"], board(book, found))
    counts = {str(v): sum(j.verdict is v for j in found) for v in sorted(Verdict, reverse=True)}
    unexpected = done.unexpected
    wrong = [j for j in unexpected if j.verdict not in (Verdict.UNDECIDED, Verdict.SAMPLED)]
    payload = {
        "schema": "ntksym/render/1",
        "out": str(done.out),
        "files": len(done.files),
        "claims": len(found),
        "verdicts": counts,
        "errata": sum(bool(j.claim.erratum) for j in found),
        "unexpected": [
            {"id": j.claim.id, "verdict": str(j.verdict), "error": j.error} for j in unexpected
        ],
    }
    said = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
    lines: list[Line] = [
        ("title", f"{len(done.files)} files in {done.out}"),
        ("", f"{len(found)} claims: {said or 'none'}"),
        ("dim", f"open {done.out / 'index.html'}"),
    ]
    for j in unexpected:
        kind = "an erratum" if j.claim.erratum else "a formula"
        lines.append(("bad", f"not as expected: {j.claim.id}, {kind}, is {j.verdict}"))
        lines += [("dim", f"  {line}") for line in j.error.splitlines()[:1]]
    return Outcome(payload, tuple(lines), REFUTED if wrong else UNDECIDED if unexpected else OK)


def _judge(claims: Any, limit: float | None, view: View) -> Any:
    from ..check import check

    def progress(done: int, total: int, name: str) -> None:
        view.note(f"judged {done} of {total}: {name}")

    return check(claims, time_limit=limit, progress=progress)
