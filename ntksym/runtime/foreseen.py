"""Which shared parts a compile will need, said before all of it is derived and generated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sympy import Expr

from ..activation import Activation
from ..derivation import Derivation
from ..dual import dual
from ..errors import NtksymError
from ..functions import Phi2
from .library.objects import shared_parts_wanted

ORTHANTS = ("ntksym_block_Phi2", "ntksym_direct_mean")
"""Kinks away from 0: their closed forms, and the definition where these cancel."""
SMALL = "ntksym_direct_small"
"""Most functions with kinks have one sign, or their slopes have."""
TILTED = ("ntksym_block_expPhi2", SMALL)
HALVES = (*TILTED, "ntksym_halves_sum")
"""One kink at 0: series where variances are small."""
SPLINES = ("ntksym_spline_dual", SMALL)


def say_early(net: Any) -> None:
    """Name what closed forms of a network need that is at hand; what fails here fails later."""
    for act in _activations(net):
        try:
            say_orthants(dual(act).value)
        except NtksymError:
            continue


def say_orthants(value: Expr) -> None:
    """Name what a closed form calls, if there are orthants in it."""
    shared_parts_wanted(ORTHANTS if value.has(Phi2) else ())


def say_rules(net: Any) -> None:
    """Name what the rules beside closed forms with orthants call.  To be called after
    `say_early`: this imports what lowers.
    """
    for act in _activations(net):
        try:
            if dual(act).value.has(Phi2):
                shared_parts_wanted(_rules(act))
        except NtksymError:
            continue


def _rules(act: Activation) -> tuple[str, ...]:
    from ..lower.splines import spline_power
    from ..terms.cells import cells, inside

    terms = Derivation.of(act).terms
    found = cells(terms)
    pieces = tuple(inside(terms, c) for c in found)
    if spline_power(found, pieces) >= 0:
        return SPLINES
    if not any(k.shift for p in pieces for k in p.terms):
        return ()
    one = len(found) == 2 and found[0][1] is not None and found[0][1].expr == 0
    return HALVES if one and not act.params else TILTED


def _activations(net: Any) -> Iterable[Activation]:
    """Of a network or a recursion: those whose duals are what `dual` derives."""
    network = getattr(net, "network", net)
    layers = dict.fromkeys(n for n, _ in getattr(network, "blocks", ()))
    return [n.activation for n in layers if getattr(n, "dual", None) is None]
