"""The working precision of FLINT, and the only way that it is set for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Work with `bits` bits inside; FLINT's precision is one per process, so it is restored."""
    from flint import ctx

    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before
