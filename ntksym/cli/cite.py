"""`ntksym cite`: the references of an activation, as BibTeX."""

from __future__ import annotations

from typing import Any

import click

from .options import Command, shared
from .outcome import Outcome, View


@click.command(
    "cite",
    cls=Command,
    short_help="BibTeX for an activation or a key.",
    examples=("ntksym cite relu", "ntksym cite gelu --json"),
)
@click.argument("name", metavar="NAME")
@shared("cite")
def command(name: str) -> dict[str, Any]:
    """Print the references of the catalogue entry NAME (or of one key), as BibTeX."""
    return {"name": name.strip()}


def work(options: dict[str, Any], view: View) -> Outcome:
    """Look up, in the worker."""
    from ..activations import named
    from ..references import bibtex, keys

    name = options["name"]
    wanted = (name,) if name in keys() else named(name).refs
    text = bibtex(wanted)
    payload = {
        "schema": "ntksym/cite/1",
        "name": name,
        "references": [{"key": key, "bibtex": bibtex((key,))} for key in wanted],
    }
    shown = text or f"{name} has no reference in the catalogue"
    return Outcome(payload, tuple(("", line) for line in shown.splitlines()))
