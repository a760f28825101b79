"""Networks and duals of units as functions of arrays, as `ntksym.compile` gives them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Self

from sympy import Expr

from ..activation import Activation
from ..backends import Contract, SourceFile, numpy_unit_network
from ..backends import c as c_backend
from ..backends.c_unit_network import network_file
from ..backends.units import unit_of
from ..dual import Dual
from ..errors import BadSpec
from ..network import Network
from ..numeric import ExpectedDual, MixtureDual, choose, read_variances
from .checks import Array
from .dual_arrays import CompiledDual
from .gradient_units import UnitGradient
from .kernel import CompiledKernel
from .numeric import compile_mixture
from .ranged import RangedDual, RangedKernel
from .rule_store import kept
from .unit_engines import CUnit, CUnitNetwork, NumpyUnit, NumpyUnitNetwork
from .unit_layers import (
    AUTO,
    Plan,
    Range,
    Wanted,
    first_affine,
    first_range,
    needs_range,
    plan,
    vanishing,
)

ABOUT = "the NNGP kernel and the NTK of a network"


def network_contract(network: Network, command: str = "ntksym.compile") -> Contract:
    """What the head of the generated file says; the units add their proven bounds."""
    said = [ABOUT, f"layers: {network.depth}"]
    said += [f"activation {a.name}: s(x) = {a.expr}" for a in network.activations]
    said += network.convention.describe()
    refs = tuple(dict.fromkeys(r for a in network.activations for r in a.refs))
    return Contract(command, tuple(said), "the bounds of the duals, below", refs)


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
    made = plan(network, wanted, _first(network, variances), name)
    contract = network_contract(network, command)
    if target == "numpy":
        return (numpy_unit_network.network_file(made.schedule, contract),), made
    return (c_backend.support_file(), network_file(made.schedule, contract)), made


class _Again:
    """What pickles and copies as the call that made it; the code is in the cache."""

    _call: Callable[[], Any]

    def made_by(self, call: Callable[[], Any]) -> Self:
        """The same, with the call that makes it again."""
        self._call = call
        return self

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        return self._call, ()


class _RangedKernel(_Again, RangedKernel):
    """A `RangedKernel` that pickles."""


class _RangedDual(_Again, RangedDual):
    """A `RangedDual` that pickles."""


def _first(network: Network, variances: Any) -> Range | None:
    if variances is None:
        return None
    low, high = read_variances(variances)
    return first_range(network, float(low), float(high))


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

    def make(span: Range | None) -> CompiledKernel:
        made = plan(network, wanted, span)
        contract = network_contract(network)
        engine: CUnitNetwork | NumpyUnitNetwork
        if target == "c":
            engine = CUnitNetwork(made.schedule, contract, keep=cache)
        else:
            engine = NumpyUnitNetwork(made.schedule, contract, keep=cache)
        return (
            CompiledKernel(
                engine,
                name=network.name,
                target=target,
                dtype=dtype,
                threads=threads,
                sources=engine.sources,
            )
            .prepare(cache)
            .with_units(network, wanted)
        )

    fixed = _first(network, variances)
    if fixed is None and not needs_range(network, wanted):
        return make(None)
    if target == "c":
        _compiler()
    return _RangedKernel(
        make,
        name=network.name,
        target=target,
        dtype=dtype,
        threads=threads,
        first=lambda d: first_affine(network, d),
        zero=all(vanishing(n) for n in dict.fromkeys(n for n, _ in network.blocks)),
        fixed=fixed,
        gradient=lambda: UnitGradient(network, wanted),
    ).made_by(
        partial(
            compile_numeric,
            network,
            target,
            dtype,
            cache,
            threads,
            wanted=wanted,
            variances=variances,
        )
    )


def _compiler() -> None:
    """Fail now, not at the first call, where there is none.

    Raises:
        NoCompiler: no compiler works.
    """
    from .compiler import find_compiler

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
    plain = choose(activation, method=wanted.method, error=wanted.error)
    if isinstance(plain.dual, MixtureDual) and variances is None:
        return compile_mixture(plain.dual, target, cache)
    if not isinstance(plain.dual, ExpectedDual) and variances is None:
        return compile_unit(plain.activation, plain.dual, target, cache)

    def make(span: Range) -> CompiledDual:
        built = choose(
            plain.activation,
            method=wanted.method,
            error=wanted.error,
            variances=span,
            code=True,
            build=kept,
        )
        return compile_unit(plain.activation, built.dual, target, cache)

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
    return _RangedDual(
        make, name=plain.activation.name or "dual", target=target, fixed=fixed
    ).made_by(partial(compile_dual, activation, target, cache, wanted, variances))


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


def is_spec(net: Any) -> bool:
    """Whether it is text that says a network: `mlp:...`, or the path of a TOML file."""
    return isinstance(net, str) and (net.startswith("mlp:") or net.endswith(".toml"))


def needs_numeric(net: Any, method: str = "auto", variances: Any = None) -> bool:
    """Whether what `ntksym.compile` was given is for `compile_any`.

    True where a dual is not a closed form or is not to be one, and for the text of a network.
    """
    if isinstance(net, Dual):
        return False
    if is_spec(net) or method not in ("auto", "exact") or variances is not None:
        return True
    if hasattr(net, "value") and hasattr(net, "diag_dot"):
        return True
    if isinstance(net, (str, Expr, Activation)):
        return method != "exact" and not isinstance(choose(net).dual, Dual)
    if callable(net) and not hasattr(net, "blocks") and not hasattr(net, "network"):
        return True
    found = getattr(net, "network", net)
    blocks = dict.fromkeys(n for n, _ in getattr(found, "blocks", ()))
    return any(not isinstance(n.forms(), Dual) and _is_dual(n.forms()) for n in blocks)


def _is_dual(forms: Any) -> bool:
    """Whether it can become a unit; closed forms made by hand are for the compiled layers."""
    if isinstance(forms, (MixtureDual, ExpectedDual)):
        return True
    return hasattr(forms, "c_functions") or hasattr(forms, "unit")


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
        from ..network import parse_spec

        net = parse_spec(net)
        if not needs_numeric(net, method, variances):
            from .compile import compile as compile_

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
