"""Why E[s'(u)^2] is infinite, where it is: there is no NTK then, the kernel alone may be there."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

from ..activation import Activation
from ..errors import NtksymError
from ..verify.safe import Divergent

_AROUND = 8
"""Kinks so near to 0 are looked at, where there are infinitely many."""


def endless_slope(activation: Activation) -> str:
    """The reason, "" where none is found: from the singular points, or by enclosing."""
    from ..verify.balls import enclose_definition

    if said := steep_slope(activation):
        return said
    try:
        enclose_definition(activation, 1, 1, 1, digits=3, derivative=True)
    except Divergent as found:
        return f"E[s'(u)^2] is infinite: {found.what}"
    except NtksymError:
        pass
    return ""


@lru_cache(maxsize=256)
def steep_slope(activation: Activation) -> str:
    """The same as far as the powers say it by which s' grows next to singular points."""
    from ..verify.functions.ends import leading_power, odd_ends
    from ..verify.functions.pieces import derivative, split
    from ..verify.safe import Endless

    if activation.params:
        return ""
    with suppress(NtksymError):
        try:
            pieces = split(activation.expr)
        except Endless:  # those near 0 tell
            pieces = split(activation.expr, _AROUND, ())[1:-1]
        for piece in derivative(pieces):
            for place, _, near in odd_ends(piece):
                power = leading_power(near)
                if power is not None and 2 * power <= -1:
                    return (
                        f"E[s'(u)^2] is infinite: next to x = {place} s' grows like the distance "
                        f"to the power {power}"
                    )
    return ""
