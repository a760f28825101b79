"""The garbage collector of Python while an import and a derivation make objects that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = 50_000
"""Objects between two collections: Python's own 700 take a fifth of the time to import SymPy."""


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Fewer collections in the body, not none: what it leaves in cycles is still found.

    Where another thread does so already, or the program collects less or not at all, nothing is
    changed.
    """
    before = gc.get_threshold()
    if not 0 < before[0] < SELDOM:
        yield
        return
    gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
