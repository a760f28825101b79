"""What a command hands back: data for `--json`, lines for people, and an exit status."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
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
PATIENCE = 2.0
"""Seconds after which progress on a terminal has the seconds that have passed."""
BEAT = 1.0
"""Seconds between looks at whether there is something to say."""


@dataclass(frozen=True, slots=True)
class View:
    """How wide the terminal is, whether it has Unicode, and how progress is shown.

    Attributes:
        width, unicode: of standard output.
        progress: on the last line of a terminal.
        log: by a line every `LOG_EVERY` seconds, in a file or pipe.
        begun: when the command began, by `time.monotonic`.
        said: when the last line of the log was, likewise.
        doing: what is done, each part of the one before it.
    """

    width: int = 80
    unicode: bool = True
    progress: bool = False
    log: bool = False
    begun: float = field(default_factory=lambda: monotonic())
    said: list[float] = field(default_factory=lambda: [monotonic()])
    doing: list[Callable[[], str]] = field(default_factory=lambda: [lambda: "working"])

    def note(self, text: str) -> None:
        """Say on standard error what is being done."""
        self.doing[0] = lambda: text
        self.show()

    @contextmanager
    def during(self, line: Callable[[], str]) -> Iterator[None]:
        """Within it, what is being done is a part of what was noted."""
        self.doing.append(line)
        self.show()
        try:
            yield
        finally:
            self.doing.remove(line)
            self.show()

    def show(self) -> None:
        """Say again what is being done, and how long the command has taken."""
        now = monotonic()
        text = self.doing[-1]()
        passed = now - self.begun
        spent = f" ({passed:.0f} s)" if passed >= PATIENCE else ""
        if self.progress:
            sys.stderr.write("\r\x1b[K" + text[: max(10, self.width - 1 - len(spent))] + spent)
            sys.stderr.flush()
        elif self.log and now - self.said[0] >= LOG_EVERY:
            self.said[0] = now
            sys.stderr.write(f"ntksym: {text}\n")
            sys.stderr.flush()

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Within it, `show` every `BEAT` seconds, for a command that has nothing to note."""
        if not (self.progress or self.log):
            yield
            return
        done = Event()

        def beat() -> None:
            while not done.wait(BEAT):
                self.show()

        thread = Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
