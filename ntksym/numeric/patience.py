"""A limit on how long building a rule may take: looked at in its loops, set by who asks for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..errors import Undecided

_BY_NAME = "asked for by name (such as method 'tabulated') it is built without a limit"
_BY_FAR = 1.5
"""What is foreseen is that many times the time that is left before it is given up."""
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


def foresee(begin: float, done: int, many: int) -> None:
    """Nothing, where the rest of so many equal steps probably fits into the time that is left.

    Args:
        begin: `time.thread_time()` before the first step.
        done: how many are done, at least 1.
        many: how many there are.

    Raises:
        TooLong: it does not, by far; said at once, not when the time is over.
    """
    spent = time.thread_time() - begin
    foresee_more(spent, (many - done) * spent / done)


def foresee_more(spent: float, more: float) -> None:
    """Nothing, where so many seconds more probably fit into the time that is left.

    Raises:
        TooLong: as `foresee`.
    """
    left = remaining()
    if left is None:
        return
    if more > _BY_FAR * max(left, 0.0):
        raise TooLong(
            f"given up: about {spent + more:.0f} s of one core, not {spent + left:.0f} s",
            hint=_BY_NAME,
        )


def given_up(seconds: float) -> TooLong:
    """What `check` raises where so many seconds were allowed."""
    return TooLong(
        f"given up: it was not built within {seconds:.0f} s of one core",
        hint=_BY_NAME,
    )
