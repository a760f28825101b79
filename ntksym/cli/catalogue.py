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

    Each is derived now: the status is the method that the automatic choice takes, not what a list
    says.
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
    from ..errors import NotSquareIntegrable, Undecided
    from ..numeric import choose

    reason, conditions, method = "", [], "none"
    try:
        choice = choose(activation)
        method = choice.method
        status = _STATUS.get(method, method)
        if method == "exact":
            conditions = [linear(c) for c in choice.dual.conditions]
            status += ", conditional" * bool(conditions)
        else:
            reason = next((c.reason for c in choice.candidates if not c.taken), "")
    except NotSquareIntegrable as error:
        status, reason = "no dual", error.what
    except Undecided as error:
        status, reason = "undecided", error.what
    return {
        "name": activation.name,
        "title": activation.title,
        "expression": linear(activation.expr),
        "parameters": [p.name for p in activation.params],
        "status": status,
        "method": method,
        "closed_form": status.startswith("closed form"),
        "conditions": conditions,
        "reason": reason,
        "references": list(activation.refs),
    }


_STATUS = {"exact": "closed form", "mixture": "normal mixture", "tabulated": "certified table"}
"""The method of the automatic choice, in words."""
