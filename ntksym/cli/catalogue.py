"""`ntksym catalogue`: every known activation with its status."""

from __future__ import annotations

from typing import Any

import click

from .options import Command, shared
from .outcome import Outcome, View


@click.command(
    "catalogue",
    cls=Command,
    short_help="Every known activation with its status.",
    examples=("ntksym catalogue", "ntksym catalogue relu --json"),
)
@click.argument("word", metavar="[WORD]", default="")
@shared("catalogue")
def command(word: str) -> dict[str, Any]:
    """List the known activations; with WORD those whose name or title contains it.

    Each is derived now: the status is what happened, not what a table says.
    """
    return {"word": word.strip().lower()}


def work(options: dict[str, Any], view: View) -> Outcome:
    """Derive every entry, in the worker."""
    from ..activations import catalogue

    word = options["word"]
    chosen = [a for a in catalogue() if word in a.name.lower() or word in a.title.lower()]
    entries = []
    for number, activation in enumerate(chosen, start=1):
        view.note(f"deriving {number} of {len(chosen)}: {activation.name}")
        entries.append(_entry(activation))
    count = sum(e["closed_form"] for e in entries)
    payload = {
        "schema": "ntksym/catalogue/1",
        "count": len(entries),
        "closed_forms": count,
        "activations": entries,
    }
    name_width = max((len(e["name"]) for e in entries), default=0)
    status_width = max((len(e["status"]) for e in entries), default=0)
    lines = [
        (
            "" if e["closed_form"] else "dim",
            f"{e['name']:<{name_width}}  {e['status']:<{status_width}}  {activation.expr}",
        )
        for e, activation in zip(entries, chosen, strict=True)
    ]
    lines += [("", ""), ("", f"{len(entries)} activations, {count} with closed forms")]
    return Outcome(payload, tuple(lines))


def _entry(activation: Any) -> dict[str, Any]:
    from ..display import linear
    from ..dual import dual
    from ..errors import NoClosedForm, NotSquareIntegrable

    reason, conditions = "", []
    try:
        found = dual(activation)
        status = "closed form" if not found.conditions else "closed form, conditional"
        conditions = [linear(c) for c in found.conditions]
    except NoClosedForm as error:
        status, reason = _without(activation), error.what
    except NotSquareIntegrable as error:
        status, reason = "no dual", error.what
    return {
        "name": activation.name,
        "title": activation.title,
        "expression": linear(activation.expr),
        "parameters": [p.name for p in activation.params],
        "status": status,
        "closed_form": status.startswith("closed form"),
        "conditions": conditions,
        "reason": reason,
        "references": list(activation.refs),
    }


def _without(activation: Any) -> str:
    """What there is for an activation without a closed form."""
    from ..errors import NoClosedForm
    from ..numeric import recognise

    try:
        recognise(activation)
    except NoClosedForm:
        return "numerical only"
    return "normal mixture"
