"""What is exported, lowered: the programs of a dual, or the schedule of a network."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from sympy import Expr

from ..activation import Activation
from ..lower import Program, Schedule, lower_dual, lower_dual_diag, lower_network
from ..runtime.units.network import is_spec


@dataclass(frozen=True, slots=True)
class Lowered:
    """What is exported: a dual (two programs) or a network (a schedule)."""

    name: str
    formula: tuple[str, ...]
    source: tuple[str, ...]
    dual: tuple[Program, Program] | None = None
    network: Schedule | None = None

    @property
    def programs(self) -> tuple[Program, ...]:
        """Every program, in order."""
        if self.network is not None:
            return self.network.programs
        assert self.dual is not None
        return self.dual


def lower_any(thing: Any, name: str = "") -> Lowered:
    """A network, a recursion, a specification `mlp:...`, an activation or its text, lowered.

    Raises:
        BadSpec: a specification that does not say a network.
        NoClosedForm: an activation without closed form.
    """
    thing = network_of(thing)
    is_dual = hasattr(thing, "diag_dot") or isinstance(thing, (str, Expr, Activation))
    if not is_dual and not hasattr(thing, "input_rule"):
        from ..network import recurse

        thing = recurse(thing)
    if hasattr(thing, "input_rule"):
        net = getattr(thing, "network", None)
        name = name or identifier(getattr(net, "name", "")) or "network"
        schedule = lower_network(thing, name)
        refs = tuple(dict.fromkeys(r for a in getattr(net, "activations", ()) for r in a.refs))
        return Lowered(
            schedule.name, about_network(thing, len(schedule.steps)), refs, network=schedule
        )
    from ..dual import dual

    derived = thing if hasattr(thing, "diag_dot") else dual(thing)
    pair, diag = lower_dual(derived), lower_dual_diag(derived)
    act = derived.activation
    about = (f"nngp = {pair.computes}", "dot = d nngp/d q12")
    return Lowered(name or pair.name, about, tuple(act.refs), dual=(pair, diag))


def network_of(thing: Any) -> Any:
    """The network that a specification says; anything else as it is."""
    if isinstance(thing, (str, os.PathLike)) and is_spec(str(thing)):
        from ..network import parse_spec

        return parse_spec(str(thing))
    return thing


def about_network(network: Any, layers: int) -> tuple[str, ...]:
    """What the head of the files says of a network or a recursion: activations and conventions."""
    lines = ["the NNGP kernel and the NTK of a network", f"layers: {layers}"]
    net = getattr(network, "network", network)
    if hasattr(net, "activations"):
        lines = [lines[0], *net.described()]
    return tuple(lines)


def identifier(text: str) -> str:
    """The text with `_` for everything that is not a letter or a digit."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in text).strip("_").lower()
