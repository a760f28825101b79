"""A limit on how long building a rule may take: looked at in its loops, set by who asks for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..errors import Undecided

_UNTIL: ContextVar[tuple[float, float] | None] = ContextVar("until", default=None)


@contextmanager
def at_most(seconds: float | None) -> Iterator[None]:
    """Building inside takes at most about this many seconds of a core; None: no limit.

    A limit that is there already holds where it ends sooner.
    """
    before = _UNTIL.get()
    now = None if seconds is None else (time.thread_time() + seconds, seconds)
    if before is not None and (now is None or before[0] < now[0]):
        now = before
    token = _UNTIL.set(now)
    try:
        yield
    finally:
        _UNTIL.reset(token)


class TooLong(Undecided):
    """A rule was given up because the time for it was over; nothing is known against it."""


def check() -> None:
    """Nothing, while there is time.

    Raises:
        TooLong: the time is over.
    """
    until = _UNTIL.get()
    if until is not None and time.thread_time() > until[0]:
        raise given_up(until[1])


def remaining() -> float | None:
    """Seconds of this core until `check` raises; None without a limit."""
    until = _UNTIL.get()
    return None if until is None else until[0] - time.thread_time()


def given_up(seconds: float) -> TooLong:
    """What `check` raises where so many seconds were allowed."""
    return TooLong(
        f"given up: it was not built within {seconds:.0f} s of one core",
        hint="asked for by name (such as method 'tabulated') it is built without a limit",
    )
