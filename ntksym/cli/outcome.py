"""What a command hands back: data for `--json`, lines for people, and an exit status."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

OK, REFUTED, USAGE, UNDECIDED, TIME_LIMIT, MISSING_TOOL = 0, 1, 2, 3, 4, 5
INTERNAL, INTERRUPTED = 70, 130

CLEANING_SECONDS = 1.0
"""What a worker that is stopped has to end its compilers and remove its temporary files."""

EXIT_CODES = (
    (OK, "done; for prove: proved or enclosed"),
    (REFUTED, "refuted: the enclosures are disjoint"),
    (USAGE, "wrong usage, or input that cannot be read"),
    (UNDECIDED, "undecided, or no closed form"),
    (TIME_LIMIT, "the time limit was reached"),
    (MISSING_TOOL, "a tool is missing (a C compiler)"),
    (INTERNAL, "an internal error: please report it"),
    (INTERRUPTED, "interrupted with Ctrl-C"),
)

Line = tuple[str, str]
"""(style, text); a style is one of "", "title", "good", "bad", "dim"."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a command.

    Attributes:
        payload: what `--json` prints; its first key is `schema`.
        lines: what is printed otherwise.
        status: the exit status.
    """

    payload: dict[str, Any]
    lines: tuple[Line, ...]
    status: int = OK


LOG_EVERY = 30.0
"""Seconds between lines of progress where there is no terminal to overwrite them on."""


@dataclass(frozen=True, slots=True)
class View:
    """How wide the terminal is, whether it has Unicode, and how progress is shown.

    Attributes:
        width, unicode: of standard output.
        progress: on the last line of a terminal.
        log: by a line every `LOG_EVERY` seconds, in a file or pipe.
        said: when the last line of the log was, by `time.monotonic`.
    """

    width: int = 80
    unicode: bool = True
    progress: bool = False
    log: bool = False
    said: list[float] = field(default_factory=lambda: [monotonic()])

    def note(self, text: str) -> None:
        """Say on standard error what is being done."""
        if self.progress:
            sys.stderr.write("\r\x1b[K" + text[: max(10, self.width - 1)])
            sys.stderr.flush()
        elif self.log and monotonic() - self.said[0] >= LOG_EVERY:
            self.said[0] = monotonic()
            sys.stderr.write(f"ntksym: {text}\n")
            sys.stderr.flush()
