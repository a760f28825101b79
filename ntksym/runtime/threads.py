"""Threads for one call: made for it and gone after it, so that a fork in between finds none."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Space = TypeVar("Space")


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
) -> None:
    """`work(item, space)` for every item, in order of the items, on that many threads.

    Every thread has a space of its own.  The first error ends all threads, and is raised here; so
    is an interrupt from the keyboard, after the items in hand are done.
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
            errors.append(error)

    others = [threading.Thread(target=run, daemon=True) for _ in range(min(threads, len(todo)) - 1)]
    for thread in others:
        thread.start()
    try:
        run()
    finally:
        if todo:
            todo.clear()
        for thread in others:
            thread.join()
    if errors:
        raise errors[0]
