"""Standard output for results, standard error for everything else; colour only where it helps."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Any, TextIO

_STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True},
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "dim": {"dim": True},
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The options that every command has."""

    json: bool = False
    quiet: bool = False
    debug: bool = False
    color: str = "auto"
    time_limit: float = 60.0

    def view(self) -> dict[str, Any]:
        """What the worker needs to know of the terminal, as the fields of a `View`."""
        import shutil

        live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        return {
            "width": max(40, shutil.get_terminal_size((100, 24)).columns),
            "unicode": _has_unicode(sys.stdout),
            "progress": live and not self.quiet,
            "log": not (live or self.quiet or self.json),  # an error is JSON there
        }


def _has_unicode(stream: TextIO) -> bool:
    try:
        "₁√Σ".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def wants_color(choice: str, stream: TextIO) -> bool:
    """Whether to colour `stream`: --color, then NO_COLOR, FORCE_COLOR, and whether it is a TTY."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def show(outcome: dict[str, Any], settings: Settings) -> None:
    """Print a result: JSON, or its lines.  A reader that leaves early is no error."""
    try:
        _print(outcome, settings)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(outcome: dict[str, Any], settings: Settings) -> None:
    import click

    if settings.json:
        click.echo(json.dumps(outcome["payload"], ensure_ascii=False, allow_nan=False))
        return
    colored = wants_color(settings.color, sys.stdout)
    for style, text in outcome["lines"]:
        plain = _printable(text, sys.stdout)
        click.echo(
            click.style(plain, **_STYLES.get(style, {})) if colored else plain, color=colored
        )


def complain(text: str, settings: Settings) -> None:
    """Print an error to standard error, the first line marked."""
    import click

    colored = wants_color(settings.color, sys.stderr)
    first, *rest = text.splitlines() or [""]
    mark = click.style("error:", fg="red", bold=True) if colored else "error:"
    lines = "\n".join([f"{mark} {first}", *rest])
    click.echo(_printable(lines, sys.stderr), err=True, color=colored)


def error_json(record: dict[str, object]) -> str:
    """An error as one JSON object."""
    return json.dumps({"schema": "ntksym/error/1", "error": record}, ensure_ascii=False)


def _printable(text: str, stream: TextIO) -> str:
    encoding = getattr(stream, "encoding", None) or "ascii"
    return text.encode(encoding, errors="replace").decode(encoding)
