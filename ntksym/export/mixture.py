"""The files of activations and networks whose duals are units: mixtures, tables, series, rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Expr

from ..activation import Activation
from ..backends import Contract, SourceFile
from ..backends.c import backend as c_backend
from ..backends.c import mixture as c_mixture
from ..backends.c.gradient import unit_dual as c_gradient
from ..backends.c.gradient.units import UnitSlopes
from ..backends.c.network import units as c_unit_network
from ..backends.mixture.programs import mixture_programs
from ..backends.numpy import mixture as numpy_mixture
from ..backends.numpy import unit_network as numpy_unit_network
from ..backends.units import unit_of
from ..numeric import Choice, MixtureDual, choose
from ..runtime.gradients.units import roughness_of, slopes_of
from ..runtime.numeric import accuracy
from ..runtime.numeric_network import needs_numeric, network_sources
from ..runtime.rule_store import kept
from ..runtime.unit_layers import Wanted


@dataclass(frozen=True, slots=True)
class Made:
    """Generated files, and why the duals in them are computed as they are."""

    files: tuple[SourceFile, ...]
    choices: tuple[Choice, ...]


def unit_sources(
    thing: Any,
    target: str,
    name: str,
    command: str,
    version: str,
    *,
    method: str = "auto",
    error: float | None = None,
    variances: Any = None,
) -> Made | None:
    """The files, support files first; None where every dual is a closed form and may stay one.

    Raises:
        BadSpec: a parameter without a value; a range of variances is needed and none is given.
        NoClosedForm: a method that was asked for does not apply.
        Undecided: a bound that was asked for cannot be proven.
    """
    if not needs_numeric(thing, method, variances):
        return None
    network = getattr(thing, "network", thing)
    if hasattr(network, "blocks"):
        files, made = network_sources(
            network,
            name or "network",
            command,
            target,
            wanted=Wanted(method, error),
            variances=variances,
        )
        return Made(files, made.choices)
    if isinstance(thing, (str, Expr, Activation)):
        choice = choose(
            thing, method=method, error=error, variances=variances, code=True, build=kept
        )
    else:
        choice = Choice(thing.activation, thing, str(thing.method), ())
    files = _dual_files(choice, target, command, version)
    if target == "c":
        files = (*files, *_gradient_files(choice, files[-1].name, command, version))
    return Made(files, (choice,))


def _gradient_files(
    choice: Choice, source: str, command: str, version: str
) -> tuple[SourceFile, ...]:
    """The C file of the derivatives; none where there is no code for them in C."""
    jumps, plain, smooth = roughness_of(choice)
    if choice.activation.params or jumps or not (plain or smooth):
        return ()
    kind = UnitSlopes(unit_of(choice.dual), slopes_of(choice, {}, "distributional"))
    if not (kind.in_c or kind.moves):
        return ()
    act = choice.activation
    formula = (
        f"nngp = E[s(u) s(v)], s(x) = {act.expr}",
        "dot = d nngp/d q12",
        "derivatives of both",
    )
    said = "of the values the bounds below; of derivatives in q11, q22 and of dot none is proven"
    contract = Contract(command, formula, said, tuple(act.refs), version)
    name = source.removesuffix(".c")
    return (c_gradient.gradient_file(name, kind, smooth, contract),)


def _dual_files(choice: Choice, target: str, command: str, version: str) -> tuple[SourceFile, ...]:
    found, act = choice.dual, choice.activation
    refs = tuple(act.refs)
    formula = (f"nngp = E[s(u) s(v)], s(x) = {act.expr}", "dot = d nngp/d q12")
    if isinstance(found, MixtureDual):  # parameters stay arguments
        programs = mixture_programs(found)
        contract = Contract(command, formula, accuracy(found, programs), refs, version)
        if target == "numpy":
            return (numpy_mixture.mixture_file(programs, contract),)
        return c_backend.support_file(), c_mixture.mixture_file(programs, contract)
    said = "the bounds of the duals, below"
    contract = Contract(command, formula, said, refs, version)
    unit, name = unit_of(found), act.name or "dual"
    if target == "numpy":
        return (numpy_unit_network.dual_file(name, unit, contract),)
    return c_backend.support_file(), c_unit_network.dual_file(name, unit, contract)
