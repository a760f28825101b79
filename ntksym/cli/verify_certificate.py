"""`ntksym verify-certificate`: replay certificates with the independent checker."""

from __future__ import annotations

from typing import Any

import click

from .options import Command, shared
from .outcome import OK, REFUTED, Line, Outcome, View


@click.command(
    "verify-certificate",
    cls=Command,
    short_help="Replay certificates with code that shares nothing with their producer.",
    examples=(
        "ntksym verify-certificate out.json",
        "ntksym verify-certificate out.json --json",
    ),
)
@click.argument("file", metavar="FILE")
@shared("verify_certificate", time_limit=600.0)
def command(file: str) -> dict[str, Any]:
    """Compute every number of the certificates in FILE again, and check what they are said to show.

    Confirmed: the formula differs from the definition (refuted), or both lie in narrow intervals
    that overlap (enclosed). A proof of equality is not replayed, only its enclosures. Exit status 1
    if a certificate is not confirmed, 2 if FILE cannot be read.
    """
    return {"file": file}


def work(options: dict[str, Any], view: View) -> Outcome:
    """Replay, in the worker.

    Raises:
        BadData: the file cannot be read, or is not JSON of the accepted kind.
    """
    from ..errors import BadData
    from ..replay import BadCertificate, read, verify

    view.note("replaying")
    try:
        data = read(options["file"])
    except BadCertificate as error:
        raise BadData(
            f"{options['file'][:200]} is not a file of certificates",
            where=str(error)[:400],
            hint="the file that `ntksym check --certificate FILE` wrote",
        ) from error
    result = verify(data)
    payload = {
        "schema": "ntksym/verify-certificate/1",
        "file": options["file"],
        "ok": result.ok,
        "lines": list(result.lines),
    }
    lines: list[Line] = [_line(text) for text in result.lines]
    verdict: Line = ("good", "confirmed") if result.ok else ("bad", "NOT confirmed")
    return Outcome(payload, (*lines, ("", ""), verdict), OK if result.ok else REFUTED)


def _line(text: str) -> Line:
    if text.startswith("  "):
        return "dim", text
    return ("title" if text.endswith(": confirmed") else "bad"), text
