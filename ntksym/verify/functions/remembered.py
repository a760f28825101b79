"""Values that several parts of one expression ask for: `Phi(x)` in the slope of gelu(gelu(x))."""

from __future__ import annotations

from typing import Any

from flint import ctx

from ..safe import Integrand


def remembered(func: Integrand) -> Integrand:
    """The same function, which keeps its last value: the parts of an expression get one box.

    The box is compared by identity, and so is the precision, as bounds are made with few bits.
    """
    last: tuple[Any, bool, int, Any] = (None, False, 0, None)

    def value(z: Any, analytic: bool) -> Any:
        nonlocal last
        box, mode, bits, found = last
        if box is z and mode == analytic and bits == ctx.prec:
            return found
        found = func(z, analytic)
        last = (z, analytic, ctx.prec, found)
        return found

    return value
