"""`ntksym catalogue`: every known activation with its status, and the functions of formulas."""

from __future__ import annotations

from typing import Any

import click

from .options import Command, shared
from .outcome import Outcome, View


@click.command(
    "catalogue",
    cls=Command,
    short_help="Known activations, and the functions that formulas may use.",
    examples=(
        "ntksym catalogue",
        "ntksym catalogue relu --json",
        "ntksym catalogue --functions",
        "ntksym catalogue --functions normal",
    ),
)
@click.argument("word", metavar="[WORD]", default="")
@click.option("--functions", is_flag=True, help="List what formulas may use; nothing is derived.")
@shared("catalogue")
def command(word: str, functions: bool) -> dict[str, Any]:
    """List the known activations; with WORD those whose name or title contains it.

    Each is derived now: the status is the method that the automatic choice takes, not what a list
    says.  With --functions, list every function that the text of an activation or of a claimed
    formula may call, with its meaning and its other spellings.
    """
    return {"word": word.strip().lower(), "functions": functions}


def work(options: dict[str, Any], view: View) -> Outcome:
    """Derive every entry, in the worker; or list the functions."""
    from ..activations import catalogue
    from ..display import glimpse

    if options["functions"]:
        return _functions(options["word"])
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
            f"{e['name']:<{name_width}}  {e['status']:<{status_width}}  {glimpse(activation.expr)}",
        )
        for e, activation in zip(entries, chosen, strict=True)
    ]
    found = f"{len(entries)} activations, {count} with closed forms"
    lines += [("", ""), ("", found)] if entries else [("", _nothing("activation", word))]
    return Outcome(payload, tuple(lines))


def _functions(word: str) -> Outcome:
    from dataclasses import asdict

    from ..language.meanings import SYNTAX, listing

    entries = [e for e in listing() if word in f"{e.usage} {e.meaning} {e.aliases}".lower()]
    payload = {
        "schema": "ntksym/functions/1",
        "count": len(entries),
        "syntax": dict(SYNTAX),
        "functions": [asdict(e) for e in entries],
    }
    width = max((len(e.usage) for e in entries), default=0)
    lines: list[tuple[str, str]] = []
    if not word:
        lines += [("", f"{text:<{width}}  {meaning}") for text, meaning in SYNTAX]
    for kind, title in _KINDS.items():
        rows = [e for e in entries if e.kind == kind]
        if rows:
            lines += [("", ""), ("title", title)]
        for e in rows:
            also = f"; also {', '.join(e.aliases)}" * bool(e.aliases)
            lines.append(("", f"{e.usage:<{width}}  {e.meaning}{also}"))
    lines += [
        ("", ""),
        ("", f"{len(entries)} functions" if entries else _nothing("function", word)),
    ]
    return Outcome(payload, tuple(lines))


def _nothing(kind: str, word: str) -> str:
    return f"no {kind} has {word!r} in its name or title; without the word, all are listed"


_KINDS = {
    "function": "functions of activations and formulas",
    "activation": "activations of the catalogue: at any argument, with parameters if wanted",
    "formula": "functions of claimed formulas only",
}


def _entry(activation: Any) -> dict[str, Any]:
    from ..display import linear
    from ..errors import NotSquareIntegrable, Undecided
    from ..numeric.choose import choose

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
