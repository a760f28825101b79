"""What takes long says so on standard error: on a terminal after two seconds, elsewhere after 30.

A task may have tasks inside: then the innermost one is named, as it says most.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

PATIENCE = 2.0
"""Seconds after which a line on a terminal or in a notebook says what is being done."""
AGAIN = 10.0
"""Seconds between the lines after that."""
LOGGED = 30.0
"""Both of a file or pipe."""

Line = Callable[[], str]
_INSIDE: ContextVar[_Task | None] = ContextVar("inside", default=None)
_SHOWN_BY: list[Callable[[Line], AbstractContextManager[None]]] = []


class _Task:
    """One task: whether it has begun others that are not done, and whether it was named."""

    __slots__ = ("begin", "others", "said")

    def __init__(self, begin: float) -> None:
        self.begin = begin
        self.others = 0
        self.said = False


@contextmanager
def shown_by(show: Callable[[Line], AbstractContextManager[None]]) -> Iterator[None]:
    """Within it a program shows tasks its own way: within what `show` gives for their line."""
    _SHOWN_BY.append(show)
    try:
        yield
    finally:
        _SHOWN_BY.remove(show)


@contextmanager
def followed(text: str, progress: Callable[[str], None] | None) -> Iterator[Callable[[str], None]]:
    """What the steps of a task are to be told to: `progress`, or where there is none lines as those
    of `told`, with the last step in them.
    """
    if progress is not None:
        yield progress
        return
    steps = ["begun"]
    with told(text, lambda: steps[-1]):
        yield steps.append


@contextmanager
def told(text: str, doing: str | Line) -> Iterator[list[float]]:
    """Say on standard error what takes long, about how much is left, and when it is done.

    The list that is given out may be told the seconds of one core it is likely to take.

    Args:
        text: what is worked on.
        doing: what is done with it; a function where that changes.
    """
    start, worked = time.monotonic(), core_seconds()
    expected: list[float] = []

    def both() -> str:
        return f"{text}: {doing if isinstance(doing, str) else doing()}"

    def line() -> str:
        passed = time.monotonic() - start
        left = clock_seconds(expected[0], worked(), passed) if expected else 0.0
        return both() + (f", about {left:.0f} s left" if left > 0.5 else "")

    if _SHOWN_BY:
        with _SHOWN_BY[-1](line):
            yield expected
        return
    outer = _INSIDE.get()
    task = _Task(start if outer is None else outer.begin)
    if outer is not None:
        outer.others += 1
    done = threading.Event()
    teller = threading.Thread(target=_tell, args=(task, line, done), daemon=True)
    teller.start()
    token = _INSIDE.set(task)
    try:
        yield expected
    finally:
        _INSIDE.reset(token)
        done.set()
        teller.join()
        if outer is not None:
            outer.others -= 1
        if task.said:
            _write(f"{both()}, ended after {time.monotonic() - start:.1f} s")


def _tell(task: _Task, line: Line, done: threading.Event) -> None:
    """Write the line of a task now and then until it is done."""
    first, again = (PATIENCE, AGAIN) if _is_watched() else (LOGGED, LOGGED)
    wait = max(task.begin + first - time.monotonic(), 0.1 * first)
    while not done.wait(wait):
        wait = again
        if not task.others:
            task.said = True
            said = line()
            _write(said if said.endswith(" left") else f"{said}, not done yet")


def _is_watched() -> bool:
    """Whether standard error is a terminal, or a notebook, whose stream does not say so."""
    stream = sys.stderr
    return stream is not None and (stream.isatty() or "ipykernel" in sys.modules)


def _write(line: str) -> None:
    if sys.stderr is not None:  # a program without a console
        sys.stderr.write(f"ntksym: {line}\n")
        sys.stderr.flush()


def core_seconds() -> Callable[[], float]:
    """A function for any thread: seconds of a core that the calling one has used from now on.

    Those of the clock where the system does not say.
    """
    try:
        own = time.pthread_getcpuclockid(threading.get_ident())
    except AttributeError:
        begin = time.monotonic()
        return lambda: time.monotonic() - begin
    used = time.clock_gettime(own)
    return lambda: time.clock_gettime(own) - used


def clock_seconds(expected: float, worked: float, passed: float) -> float:
    """Seconds of the clock until `expected` seconds of a core are used up, at the pace so far.

    One second at full pace is counted too: the first moments say nothing yet.
    """
    return (expected - worked) * max((passed + 1) / (worked + 1), 1.0)
