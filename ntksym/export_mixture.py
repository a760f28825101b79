"""The files of activations and networks whose duals are normal mixtures."""

from __future__ import annotations

from typing import Any

from .backends import Contract, SourceFile, c_mixture, numpy_mixture
from .backends import c as c_backend
from .backends.mixture_programs import mixture_programs
from .errors import UnsupportedOp
from .numeric import MixtureDual, best_dual
from .runtime.numeric import accuracy
from .runtime.numeric_network import needs_numeric, network_sources


def mixture_sources(
    thing: Any, target: str, name: str, command: str, version: str
) -> tuple[SourceFile, ...] | None:
    """The files, support files first; None where every dual is a closed form.

    Raises:
        UnsupportedOp: a network in NumPy: one file holds closed forms only.
        BadSpec: a parameter without a value.
    """
    if not needs_numeric(thing):
        return None
    network = getattr(thing, "network", thing)
    if hasattr(network, "blocks"):
        if target != "c":
            raise UnsupportedOp(
                "a network of normal mixtures is not written as one NumPy file",
                hint='--target c, or ntksym.compile(net, target="numpy")',
            )
        return network_sources(network, name or "network", command)
    found = thing if isinstance(thing, MixtureDual) else best_dual(thing)
    assert isinstance(found, MixtureDual)
    formula = (f"nngp = {found.value}", "dot = d nngp/d q12")
    refs = tuple(found.activation.refs)
    contract = Contract(command, formula, accuracy(found), refs, version)
    programs = mixture_programs(found)
    if target == "numpy":
        return (numpy_mixture.mixture_file(programs, contract),)
    return c_backend.support_file(), c_mixture.mixture_file(programs, contract)
