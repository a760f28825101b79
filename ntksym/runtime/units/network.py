"""Networks and duals of units as functions of arrays, as `ntksym.compile` gives them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sympy import Expr

from ...activation import Activation
from ...backends import Contract, SourceFile
from ...backends.c import backend as c_backend
from ...backends.c.network.units import network_file
from ...backends.numpy import unit_network as numpy_unit_network
from ...backends.unit_schedule import UnitSchedule
from ...backends.units import unit_of
from ...errors import BadSpec, Undecided
from ...network import Network
from ...numeric.choice import read_variances
from ...numeric.choose import choose
from ...numeric.expected import ExpectedDual
from ...numeric.mixture import MixtureDual
from ..checks import Array
from ..dual_arrays import CompiledDual
from ..kernel import CompiledKernel
from ..later import Asked
from ..later import is_spec as is_spec
from ..library.spelled import spelled
from .engines import CUnit, CUnitNetwork, NumpyUnit, NumpyUnitNetwork
from .layers import (
    AUTO,
    LONGEST_TABLE,
    Plan,
    Range,
    Wanted,
    input_range,
    needs_range,
    plan,
    ranged_choice,
    settled,
    vanishing,
)
from .mixture import compile_mixture
from .ranged import RangedDual, RangedKernel
from .routes import needs_numeric as needs_numeric
from .rule_store import kept
from .spans import ranged_dual, ranged_kernel
from .tabled import TabledKernel, network_seconds

ABOUT = "the NNGP kernel and the NTK of a network"


def network_contract(network: Network, command: str = "ntksym.compile") -> Contract:
    """What the head of the generated file says; the units add their proven bounds."""
    said = (ABOUT, *network.described())
    refs = tuple(dict.fromkeys(r for a in network.activations for r in a.refs))
    return Contract(command, said, "the bounds of the duals, below", refs)


def network_sources(
    network: Network,
    name: str = "network",
    command: str = "ntksym.compile",
    target: str = "c",
    *,
    wanted: Wanted = AUTO,
    variances: Any = None,
) -> tuple[tuple[SourceFile, ...], Plan]:
    """The files of a network of units, for export, and why its duals are computed so.

    `variances` is of the inputs: of |x|^2/d, or of |x|^2 where the convention does not scale.

    Raises:
        BadSpec: a parameter without a value, or a range is needed and none is given.
        Undecided: a bound that was asked for cannot be proven.
    """
    made = plan(network, wanted, input_range(network, variances), name)
    contract = network_contract(network, command)
    if target == "numpy":
        return (numpy_unit_network.network_file(made.schedule, contract),), made
    return (c_backend.support_file(), network_file(made.schedule, contract)), made


def compile_numeric(
    network: Network,
    target: str = "c",
    dtype: str = "float64",
    cache: bool = True,
    threads: int = 1,
    *,
    wanted: Wanted = AUTO,
    variances: Any = None,
) -> CompiledKernel | RangedKernel:
    """The kernels of a network of units.

    Where a dual becomes code only for a range of variances, the range is that of `variances`
    (of the inputs, as in `network_sources`), or of the data of each call.

    Raises:
        NoCompiler: `target="c"` and no compiler works.
        BadSpec: a parameter without a value.
    """
    asked = Asked(target, dtype, cache, threads, wanted.method, wanted.error)
    fixed = input_range(network, variances)
    if fixed is None and not needs_range(network, wanted):
        return _tabled(network, asked)
    if target == "c":
        _compiler()
    record = {
        "said": spelled(network),
        "name": network.name,
        "zero": all(vanishing(n) for n in dict.fromkeys(n for n, _ in network.blocks)),
        "fixed": None if fixed is None else list(fixed),
    }
    return ranged_kernel(network, asked, record)


def _tabled(
    network: Network, asked: Asked, engine: Callable[[UnitSchedule], Any] | None = None
) -> CompiledKernel:
    """The kernels for all variances; where they are mixtures large calls may take tables."""
    made = plan(network, asked.wanted)
    kernel = _kernel(network, asked, made, engine and engine(made.schedule))
    seconds = network_seconds(made.schedule)
    if seconds == 0.0 or asked.method != "auto":
        return kernel
    return TabledKernel(kernel, network, asked, seconds)


def compile_given(
    network: Network, asked: Asked, engine: Callable[[UnitSchedule], Any]
) -> CompiledKernel | RangedKernel:
    """As `compile_numeric`, of an engine that code without numbers was made for; one for a range
    of variances is compiled for its numbers.

    Raises:
        BadSpec, NoCompiler: as there.
    """
    if needs_range(network, asked.wanted):
        target, dtype, keep, threads = asked.target, asked.dtype, asked.cache, asked.threads
        return compile_numeric(network, target, dtype, keep, threads, wanted=asked.wanted)
    return _tabled(network, asked, engine)


def kernel_at(network: Network, asked: Asked, span: Range | None) -> tuple[CompiledKernel, bool]:
    """The kernels for one range of variances, or for all; and whether the plan is for good.

    It is not where a table that is not there yet would have been taken.

    Raises:
        NoCompiler: `target="c"` and no compiler works.
        BadSpec: a parameter without a value, or a range is needed and none is given.
        Undecided: a bound that was asked for cannot be proven.
    """
    made = plan(network, asked.wanted, span)
    if asked.tables is not None and not any(map(ranged_choice, made.choices)):
        raise Undecided(f"no table is proven to {asked.tables:g} within {LONGEST_TABLE:g} s")
    lasting = span is None or asked.method != "auto" or all(map(settled, made.choices))
    return _kernel(network, asked, made), lasting


def _kernel(network: Network, asked: Asked, made: Plan, engine: Any = None) -> CompiledKernel:
    contract = network_contract(network)
    if engine is not None:
        pass
    elif asked.target == "c":
        engine = CUnitNetwork(made.schedule, contract, keep=asked.cache)
    else:
        engine = NumpyUnitNetwork(made.schedule, contract, keep=asked.cache)
    kernel = CompiledKernel(
        engine,
        name=network.name,
        target=asked.target,
        dtype=asked.dtype,
        threads=asked.threads,
        sources=engine.sources,
    )
    return kernel.prepare(asked.cache).with_units(network, asked.wanted)


def _compiler() -> None:
    """Fail now, not at the first call, where there is none.

    Raises:
        NoCompiler: no compiler works.
    """
    from ..library.compiler import find_compiler

    find_compiler()


def compile_unit(
    activation: Any, found: Any, target: str = "c", cache: bool = True
) -> CompiledDual:
    """A dual without open parameters on arrays.

    Raises:
        BadSpec: a parameter without a value, or an expectation that no rule was built for.
    """
    unit = unit_of(found)
    contract = Contract(
        "ntksym.compile",
        (f"E[s(u) s(v)] and its derivative in q12, s(x) = {activation.expr}",),
        "the bounds of the duals, below",
        tuple(activation.refs),
    )
    name = activation.name or "dual"
    engine: CUnit | NumpyUnit
    engine = (CUnit if target == "c" else NumpyUnit)(name, unit, contract, keep=cache)
    return CompiledDual(
        engine, name=name, target=target, pair_params=(), diag_params=(), sources=engine.sources
    )


def compile_dual(
    activation: Any, target: str, cache: bool, wanted: Wanted, variances: Any = None
) -> CompiledDual | RangedDual:
    """The dual of an activation on arrays, by the method wanted.

    Raises:
        NoCompiler: `target="c"` and no compiler works.
        BadSpec: a parameter without a value where a rule is to be built.
    """
    plain = choose(activation, method=wanted.method, error=wanted.error, code=True)
    if isinstance(plain.dual, MixtureDual) and variances is None:
        return compile_mixture(plain.dual, target, cache)
    if not isinstance(plain.dual, ExpectedDual) and variances is None:
        return compile_unit(plain.activation, plain.dual, target, cache)

    if plain.activation.params:
        name = plain.activation.params[0].name
        raise BadSpec(
            f"the parameter {name!r} has no value",
            where=plain.activation.name,
            hint=f"activation.with_params({name}=...): a rule is built for fixed parameters",
        )
    fixed = None
    if variances is not None:
        low, high = read_variances(variances)
        fixed = float(low), float(high)
    if target == "c":
        _compiler()
    record = {
        "said": spelled(plain.activation),
        "name": plain.activation.name or "dual",
        "fixed": None if fixed is None else list(fixed),
    }
    asked = Asked(target, "float64", cache, 1, wanted.method, wanted.error)
    return ranged_dual(plain.activation, asked, record)


def dual_at(activation: Any, asked: Asked, span: Range) -> tuple[CompiledDual, bool]:
    """The dual for one range of variances, and whether it is for good, as in `kernel_at`.

    Raises:
        NoCompiler: `target="c"` and no compiler works.
        Undecided: a bound that was asked for cannot be proven.
    """
    built = choose(
        activation,
        method=asked.method,
        error=asked.error,
        variances=span,
        code=True,
        build=kept,
    )
    lasting = asked.method != "auto" or settled(built)
    return compile_unit(built.activation, built.dual, asked.target, asked.cache), lasting


class _Evaluated:
    """A dual that is evaluated in Python, entry by entry."""

    def __init__(self, found: Any) -> None:
        self._found = found

    def pair(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at flat arrays of q11, q12, q22."""
        k, d = self._found.evaluate(*arrays)
        return k, d

    def diag(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at a flat array of q."""
        k, d = self._found.diagonal(*arrays)
        return k, d


def compile_sampled(
    function: Any, method: str = "auto", error: float | None = None, variances: Any = None
) -> CompiledDual:
    """The dual of a Python callable on arrays: sampled, with estimated errors; no code is made.

    Raises:
        BadActivation: values that are not finite real numbers.
        BadSpec: a method that needs an expression.
    """
    found = choose(function, method=method, error=error, variances=variances)
    return CompiledDual(
        _Evaluated(found.dual),
        name=f"{found.activation.name} (sampled, not proven)",
        target="python",
        pair_params=(),
        diag_params=(),
        sources=(),
    )


def compile_any(
    net: Any,
    target: str,
    dtype: str,
    cache: bool,
    threads: int,
    *,
    method: str = "auto",
    error: float | None = None,
    variances: Any = None,
) -> Any:
    """What `ntksym.compile` gives where `needs_numeric` holds.

    Raises:
        NoCompiler: `target="c"` and no compiler works.
        BadSpec: a parameter without a value.
        NoClosedForm, Undecided: as `ntksym.numeric.choose`.
    """
    wanted = Wanted(method, error)
    if is_spec(net):
        from ...network import parse_spec

        net = parse_spec(net)
        if not needs_numeric(net, method, variances):
            from ..compile import compile as compile_

            return compile_(net, target, dtype, cache, threads)
    if isinstance(net, MixtureDual):
        return compile_mixture(net, target, cache)
    if isinstance(net, ExpectedDual):
        named = net.method if method == "auto" else method
        return compile_dual(net.activation, target, cache, replace(wanted, method=named), variances)
    if hasattr(net, "value") and hasattr(net, "diag_dot"):
        return compile_unit(net.activation, net, target, cache)
    if isinstance(net, (str, Expr, Activation)):
        return compile_dual(net, target, cache, wanted, variances)
    if callable(net) and not hasattr(net, "blocks") and not hasattr(net, "network"):
        return compile_sampled(net, method, error, variances)
    network = getattr(net, "network", net)
    return compile_numeric(
        network, target, dtype, cache, threads, wanted=wanted, variances=variances
    )
