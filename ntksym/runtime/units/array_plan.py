"""A network's duals as differentiable array code: which units, for which variances."""

from __future__ import annotations

from typing import Any

from ...backends.array.unit import ArrayUnit, array_unit
from ...backends.array.unit_module import ArrayNetwork
from ...dual import Dual
from ...errors import UnsupportedOp
from ...network import Network
from ...numeric.choice import Choice
from ...numeric.choose import choose
from ...numeric.mixture import MixtureDual
from .layers import Range, Wanted, plan
from .rule_store import kept

_HINT = '--method tabulated with --variance LO:HI, or the targets "c" and "numpy"'


def array_plan(
    network: Network, wanted: Wanted, span: Range | None, name: str = "network"
) -> tuple[ArrayNetwork, tuple[Choice, ...]]:
    """The units of a network, for JAX and PyTorch, and why they are what they are.

    Quadrature, which costs more an entry, gives way to tables where the method is open.

    Raises:
        BadSpec: a parameter without a value, or a dual that needs a range and none is given.
        NoClosedForm, Undecided: as `plan`.
        UnsupportedOp: a dual that cannot be written as differentiable array code.
    """
    found = plan(network, wanted, span, name)
    if wanted.method == "auto" and any(c.method == "quadrature" for c in found.choices):
        found = plan(network, Wanted("tabulated", wanted.error), span, name)
    made = found.schedule
    values = {
        step.kind: dict(n.values) for step, (n, _) in zip(made.steps, network.blocks, strict=True)
    }
    sense = network.convention.derivative
    kinds = tuple(unit_of_choice(c, values[k], sense) for k, c in enumerate(found.choices))
    units = ArrayNetwork(made.name, made.input, made.input_values, kinds, made.steps)
    return units, found.choices


def dual_choice(thing: Any, wanted: Wanted, variances: Any) -> Choice:
    """The method for one dual in array code.

    Raises:
        BadSpec: no such method, or variances are needed and none are given.
        NoClosedForm, Undecided: as `choose`.
    """
    if hasattr(thing, "value") and hasattr(thing, "diag_dot"):
        return Choice(thing.activation, thing, str(getattr(thing, "method", "given")), ())
    found = _chosen(thing, wanted.method, wanted.error, variances)
    if found.method == "quadrature" and wanted.method == "auto":
        found = _chosen(thing, "tabulated", wanted.error, variances)
    return found


def _chosen(thing: Any, method: str, error: float | None, variances: Any) -> Choice:
    return choose(thing, method=method, error=error, variances=variances, code=True, build=kept)


def unit_of_choice(choice: Choice, values: dict[str, Any], sense: str) -> ArrayUnit:
    """The unit of a choice.

    Raises:
        BadSpec: a parameter without a value, or a rule that was not built.
        UnsupportedOp: a dual that cannot be written as differentiable array code.
    """
    given = values if isinstance(choice.dual, (Dual, MixtureDual)) else {}
    try:
        return array_unit(choice.dual, choice.activation, given, sense)
    except UnsupportedOp as failed:
        raise UnsupportedOp(failed.what, where=failed.where, hint=failed.hint or _HINT) from None
