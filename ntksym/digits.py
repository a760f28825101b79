"""Contexts of mpmath of one precision each: to make one takes as long as many operations in it."""

from __future__ import annotations

import threading
from typing import Any


class _Made(threading.local):
    """By bits; every thread has its own, since some operations change the precision for a while."""

    def __init__(self) -> None:
        self.contexts: dict[int, Any] = {}


_made = _Made()


def bits(count: int) -> Any:
    """The context of so many bits of this thread; it is shared, so its precision is not set."""
    found = _made.contexts.get(count)
    if found is None:
        from mpmath import MPContext

        found = _made.contexts[count] = MPContext()
        found.prec = count
    return found


def digits(count: int) -> Any:
    """The same of so many decimal digits, as mpmath counts them."""
    from mpmath.libmp import dps_to_prec

    return bits(dps_to_prec(count))
