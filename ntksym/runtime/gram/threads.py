"""The work of one call in pieces, on threads that are made for it and gone after it: a fork in
between finds none, and between two pieces an interrupt from the keyboard is answered.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:  # the options of `compile` are read before anything else is imported
    from numpy.typing import NDArray

    Floats = NDArray[Any]
    Pair = tuple[Floats, Floats]

Item = TypeVar("Item")
Space = TypeVar("Space")
STRIP = 1 << 15
"""Entries of one call of compiled code: a second where each takes 30 microseconds."""


def allowed_cores() -> int:
    """The processors that this program may run on, which may be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def each(
    work: Callable[[Item, Space], None],
    items: Iterable[Item],
    threads: int,
    space: Callable[[], Space],
    hurry: Callable[[], None] = lambda: None,
) -> None:
    """`work(item, space)` for every item, in order of the items, on that many threads.

    Every thread has a space of its own.  The first error ends all threads, and is raised here; so
    is an interrupt from the keyboard, after the items in hand are done: `hurry` is called to end
    those.
    """
    todo = list(items)
    if threads <= 1 or len(todo) <= 1:
        own = space()
        for item in todo:
            work(item, own)
        return
    todo.reverse()  # `pop` is atomic
    errors: list[BaseException] = []

    def run() -> None:
        try:
            own = space()
            while not errors:
                try:
                    item = todo.pop()
                except IndexError:
                    return
                work(item, own)
        except BaseException as error:
            failed(error)

    def failed(error: BaseException) -> None:
        errors.append(error)
        if not isinstance(error, Exception):
            hurry()

    others = [threading.Thread(target=run, daemon=True) for _ in range(min(threads, len(todo)) - 1)]
    try:
        for thread in others:
            thread.start()
        run()
    except BaseException as error:  # an interrupt while threads are started
        failed(error)
    finally:
        if todo:
            todo.clear()
        for thread in others:
            if thread.ident is not None:  # it was started
                thread.join()
    if errors:  # an interrupt before what it made fail in other threads
        raise next((e for e in errors if not isinstance(e, Exception)), errors[0])


def in_strips(call: Callable[..., Pair], *arrays: Floats) -> Pair:
    """What `call` makes of flat arrays, strip by strip, joined along the last axis."""
    import numpy as np

    n = len(arrays[0])
    if n <= STRIP:
        return call(*arrays)
    joined: list[Floats] = []
    for at in range(0, n, STRIP):
        parts = call(*(a[at : at + STRIP] for a in arrays))
        joined = joined or [np.empty((*p.shape[:-1], n), p.dtype) for p in parts]
        for whole, part in zip(joined, parts, strict=True):
            whole[..., at : at + STRIP] = part
    return joined[0], joined[1]
