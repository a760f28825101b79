"""`compile`: from a network or an activation to a function of arrays."""

from __future__ import annotations

import os
from typing import Any

from sympy import Expr

from ..activation import Activation
from ..backends import Contract
from ..errors import BadSpec
from ..lower import lower_dual, lower_dual_diag, lower_network
from .engines import CDual, CNetwork, NumpyDual, NumpyNetwork
from .kernel import CompiledDual, CompiledKernel
from .numeric_network import compile_any, needs_numeric

TARGETS = ("c", "numpy")
DTYPES = ("float64", "float32")


def compile(
    net: Any,
    target: str = "c",
    dtype: str = "float64",
    cache: bool = True,
    threads: int | None = None,
) -> Any:
    """A `CompiledKernel` for a network or recursion, a `CompiledDual` for an activation or dual.

    `k(X, Y).nngp` and `k(X, Y).ntk` are arrays (n, m); `k(X)` is symmetric; `k.diag(X)` is the
    diagonal.  Arithmetic is double; `dtype="float32"` rounds the results.  `cache=False` leaves
    nothing behind.  `threads` defaults to two, or one on a single processor.

    Raises:
        BadSpec: an unknown target or dtype, or a parameter without a value.
        NoCompiler: `target="c"` and no compiler works.
        NoClosedForm: the activation has none.
        UnsupportedOp: the target cannot spell an operation.
    """
    if target not in TARGETS:
        raise BadSpec(f"unknown target {target!r}", hint="one of: " + ", ".join(TARGETS))
    if dtype not in DTYPES:
        raise BadSpec(f"unknown dtype {dtype!r}", hint="one of: " + ", ".join(DTYPES))
    if threads is None:
        threads = min(2, os.cpu_count() or 1)
    if threads < 1:
        raise BadSpec(f"threads = {threads}", hint="1 or more")
    if needs_numeric(net):
        return compile_any(net, target, dtype, cache, threads)
    if hasattr(net, "layers") and hasattr(net, "input_rule"):
        return _kernel(net, target, dtype, cache, threads)
    if hasattr(net, "value") and hasattr(net, "diag_dot"):
        return _dual(net, target, cache)
    if isinstance(net, (str, Expr, Activation)):
        from ..dual import dual

        return _dual(dual(net), target, cache)
    from ..network import recurse

    return _kernel(recurse(net), target, dtype, cache, threads)


def _kernel(recursion: Any, target: str, dtype: str, cache: bool, threads: int) -> CompiledKernel:
    schedule = lower_network(recursion)
    contract = Contract("ntksym.compile", ("the NNGP kernel and the NTK of a network",))
    engine: CNetwork | NumpyNetwork
    if target == "c":
        engine = CNetwork(schedule, contract, keep=cache)
    else:
        engine = NumpyNetwork(schedule, contract, keep=cache)
    name = str(getattr(getattr(recursion, "network", None), "name", "") or schedule.name)
    return CompiledKernel(
        engine, name=name, target=target, dtype=dtype, threads=threads, sources=engine.sources
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
