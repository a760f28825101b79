"""The files of activations and networks whose duals are units: mixtures, tables, series, rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sympy import Expr

from ..activation import Activation
from ..backends import Contract, SourceFile
from ..backends.c import backend as c_backend
from ..backends.c import mixture as c_mixture
from ..backends.c.gradient import unit_dual as c_gradient
from ..backends.c.gradient.unit_library import unit_gradient_library
from ..backends.c.network import units as c_unit_network
from ..backends.mixture.programs import mixture_programs
from ..backends.numpy import mixture as numpy_mixture
from ..backends.numpy import unit_network as numpy_unit_network
from ..backends.units import slope_said, unit_of
from ..errors import UnsupportedOp
from ..numeric.choice import Choice
from ..numeric.choose import choose
from ..numeric.mixture import MixtureDual
from ..runtime.gradients.unit_plan import slopes_in_c, unit_gradient_plan
from ..runtime.units.layers import Wanted
from ..runtime.units.mixture import accuracy
from ..runtime.units.network import needs_numeric, network_contract, network_sources
from ..runtime.units.rule_store import kept
from .made import Made


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
        if target != "c":
            return Made(files, made.choices)
        about = network_contract(network, command)
        return _with_gradient(
            Made(files, made.choices),
            lambda: unit_gradient_library(
                unit_gradient_plan(network, made, _stem(files)), replace(about, accuracy=_SLOPES)
            ),
        )
    if isinstance(thing, (str, Expr, Activation)):
        choice = choose(
            thing, method=method, error=error, variances=variances, code=True, build=kept
        )
    else:
        choice = Choice(thing.activation, thing, str(thing.method), ())
    files = _dual_files(choice, target, command, version)
    given = Made(files, (choice,))
    if target != "c":
        return given
    return _with_gradient(given, lambda: _dual_gradient(choice, _stem(files), command, version))


def _with_gradient(made: Made, write: Callable[[], SourceFile]) -> Made:
    """With the C file of the derivatives; without where they are not written in C."""
    try:
        return Made((*made.files, write()), made.choices)
    except UnsupportedOp as error:
        return Made(made.files, made.choices, error.what)


def _stem(files: tuple[SourceFile, ...]) -> str:
    return files[-1].name.removesuffix(".c")


def _dual_gradient(choice: Choice, name: str, command: str, version: str) -> SourceFile:
    """The C file of the derivatives of a dual.

    Raises:
        UnsupportedOp: they are not written in C.
    """
    act = choice.activation
    if act.params:
        raise UnsupportedOp(f"the derivative in {act.params[0]} is not written in C")
    kind, smooth = slopes_in_c(unit_of(choice.dual), choice, {}, "distributional")
    formula = (
        f"nngp = E[s(u) s(v)], s(x) = {act.expr}",
        "dot = d nngp/d q12",
        "derivatives of both",
    )
    contract = Contract(command, formula, _SLOPES, tuple(act.refs), version)
    return c_gradient.gradient_file(name, kind, smooth, contract)


_SLOPES = "of the values the bounds below; of derivatives in q11, q22 and of dot none is proven"


def _dual_files(choice: Choice, target: str, command: str, version: str) -> tuple[SourceFile, ...]:
    found, act = choice.dual, choice.activation
    refs = tuple(act.refs)
    formula = (f"nngp = E[s(u) s(v)], s(x) = {act.expr}", slope_said(found, act))
    if isinstance(found, MixtureDual):  # parameters stay arguments
        programs = mixture_programs(found)
        contract = Contract(command, formula, accuracy(found, programs), refs, version)
        if target == "numpy":
            return (numpy_mixture.mixture_file(programs, contract),)
        return c_backend.support_file(), c_mixture.mixture_file(programs, contract)
    said = "the bounds of the duals, below"
    contract = Contract(command, formula, said, refs, version)
    unit, name = unit_of(found, almost_everywhere=False), act.name or "dual"
    if target == "numpy":
        return (numpy_unit_network.dual_file(name, unit, contract),)
    return c_backend.support_file(), c_unit_network.dual_file(name, unit, contract)
