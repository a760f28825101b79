"""What `compile` gives where there is no recipe: derived, lowered, generated, compiled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sympy import Expr

from ..activation import Activation
from ..backends import Contract
from ..errors import BadSpec
from ..lower import lower_dual, lower_dual_diag, lower_network
from .deep.layers import deep
from .dual_engines import CDual, NumpyDual
from .engines import CNetwork, NumpyNetwork
from .foreseen import say_rules
from .kernel import CompiledDual, CompiledKernel
from .later import Asked, Later, network_of
from .units.routes import needs_numeric

if TYPE_CHECKING:
    from .deep.collapsed import CollapsedKernel


def fresh(given: Any, asked: Asked) -> Any:
    """The kernel or the dual of what was given to `compile`.

    Raises:
        BadSpec, NoClosedForm, UnsupportedOp, NoCompiler: as `compile`.
    """
    net = network_of(given)
    say_rules(net)
    if asked.collapse:
        return _collapsed(given, net, asked)
    return _prepared(_compile(net, asked), given, net, asked)


def _prepared(made: Any, given: Any, net: Any, asked: Asked) -> Any:
    """Compiled as far as it goes before the first call; deep networks may then collapse."""
    if not isinstance(made, CompiledKernel):
        return made
    made = made.prepare(asked.cache)
    if asked.collapse is None and made._network is not None:  # layers with closed forms
        depth = getattr(getattr(net, "network", net), "depth", 0)
        return deep(made, Later(given, depth), asked.cache)
    return made


def _collapsed(given: Any, net: Any, asked: Asked) -> CollapsedKernel:
    network = getattr(net, "network", net)
    if not hasattr(network, "blocks"):
        raise BadSpec("only a network can be collapsed", hint="mlp:relu:depth=20, for example")
    from .deep.collapsed import collapsed_kernel

    return collapsed_kernel(Later(given, network.depth), asked)


def _compile(net: Any, asked: Asked) -> Any:
    target, dtype, cache, threads = asked.target, asked.dtype, asked.cache, asked.threads
    method, error, variances = asked.method, asked.error, asked.variances
    if needs_numeric(net, method, variances):
        from .units.network import compile_any

        return compile_any(
            net, target, dtype, cache, threads, method=method, error=error, variances=variances
        )
    if hasattr(net, "layers") and hasattr(net, "input_rule"):
        return _kernel(net, asked)
    if hasattr(net, "value") and hasattr(net, "diag_dot"):
        return _dual(net, target, cache)
    if isinstance(net, (str, Expr, Activation)):
        from ..dual import dual

        return _dual(dual(net), target, cache)
    if not hasattr(net, "blocks"):
        raise _unknown(net)
    from ..network import recurse

    return _kernel(recurse(net), asked)


def _unknown(net: Any) -> BadSpec:
    hint = 'text such as "mlp:relu:depth=3" or "max(x, 0)", a SymPy expression, ntksym.mlp(...)'
    if hasattr(net, "evaluate"):  # numbers without code: of a callable, for example
        hint += "; of a Python callable give the callable itself"
    if isinstance(net, (list, tuple)):
        hint = 'ntksym.mlp(["gelu", "relu"], depth=2), or "mlp:[gelu,relu]:weight_var=2"'
    return BadSpec(
        f"an object of type {type(net).__name__} says neither a network nor an activation",
        hint=hint,
    )


def _kernel(recursion: Any, asked: Asked) -> CompiledKernel:
    schedule = replace(lower_network(recursion), floats=asked.dtype == "float32")
    contract = Contract("ntksym.compile", ("the NNGP kernel and the NTK of a network",))
    engine: CNetwork | NumpyNetwork
    if asked.target == "c":
        engine = CNetwork(schedule, contract, keep=asked.cache)
    else:
        engine = NumpyNetwork(schedule, contract, keep=asked.cache)
    name = str(getattr(getattr(recursion, "network", None), "name", "") or schedule.name)
    return CompiledKernel(
        engine,
        name=name,
        target=asked.target,
        dtype=asked.dtype,
        threads=asked.threads,
        sources=engine.sources,
        network=recursion,
    )


def _dual(dual: Any, target: str, cache: bool) -> CompiledDual:
    pair, diag = lower_dual(dual), lower_dual_diag(dual)
    contract = Contract("ntksym.compile", (pair.computes,), source=tuple(dual.activation.refs))
    engine: CDual | NumpyDual
    if target == "c":
        engine = CDual(pair, diag, contract, keep=cache)
    else:
        engine = NumpyDual(pair, diag, contract, keep=cache)
    return CompiledDual(
        engine,
        name=dual.activation.name or pair.name,
        target=target,
        pair_params=tuple(a for a in pair.args if a not in ("q11", "q12", "q22")),
        diag_params=tuple(a for a in diag.args if a != "q"),
        sources=engine.sources,
    )
