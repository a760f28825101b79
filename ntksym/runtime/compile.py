"""`compile`: from a network or an activation to a function of arrays."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from sympy import Expr

from ..activation import Activation
from ..backends import Contract
from ..errors import BadSpec, NoCompiler
from ..lower import lower_dual, lower_dual_diag, lower_network
from .collapsed import ERROR, CollapsedKernel
from .deep import deep
from .engines import CDual, CNetwork, NumpyDual, NumpyNetwork
from .gram_loop import gram_library_beside
from .kernel import CompiledDual, CompiledKernel
from .numeric_network import compile_any, is_spec, needs_numeric
from .threads import allowed_cores

TARGETS = ("c", "numpy")
DTYPES = ("float64", "float32")


def compile(
    net: Any,
    target: str = "c",
    dtype: str = "float64",
    cache: bool = True,
    threads: int | None = None,
    *,
    method: str = "auto",
    error: float | None = None,
    variances: Any = None,
    collapse: bool | float | None = None,
) -> Any:
    """A `CompiledKernel` for a network or recursion, a `CompiledDual` for an activation or dual.

    Args:
        net: a network or recursion, its text (`mlp:...`, a TOML file), an activation, its text, a
            SymPy expression of one variable, a dual, or a Python callable (sampled, and says so).
        target: "c" or "numpy".
        dtype: "float64" or "float32".
        cache: keep what is generated, compiled and built; False leaves nothing behind.
        threads: by default the processors that this program may run on.
        method: of duals without closed form, or of all: see `ntksym.choose`.
        error: what is asked of the method, relative to sqrt(K(q11) K(q22)).
        variances: of the pre-activations of an activation: (lo, hi) or a number; a network takes
            those of its data.
        collapse: one certified polynomial of the angle instead of layers, for data on a sphere
            or homogeneous activations without biases: True, or the error asked for.  None: in
            calls of a deep network where it pays, proven to 2e-14; the kernel's `taken` says what
            the last call did.  False: never.

    `k(X, Y).nngp` and `k(X, Y).ntk` are arrays (n, m); `k(X)` is symmetric; `k.diag(X)` is the
    diagonal.  `dtype="float32"` gives float arrays: products and layers are in float where the
    generated code has float layers and the variances are of moderate size, else in double and
    rounded; diagonals and nearly collinear pairs are always in double.  `cache=False` leaves
    nothing behind.  `threads` defaults to the processors that this program may run on.

    Without a compiler that works, `target="c"` gives the NumPy version and warns.

    Raises:
        BadSpec: an unknown target or dtype, or a parameter without a value.
        NoClosedForm: the activation has none.
        UnsupportedOp: the target cannot spell an operation.
    """
    if target not in TARGETS:
        raise BadSpec(f"unknown target {target!r}", hint="one of: " + ", ".join(TARGETS))
    if dtype not in DTYPES:
        raise BadSpec(f"unknown dtype {dtype!r}", hint="one of: " + ", ".join(DTYPES))
    if threads is None:
        threads = allowed_cores()
    if threads < 1:
        raise BadSpec(f"threads = {threads}", hint="1 or more")
    if is_spec(net):
        from ..network import parse_spec

        net = parse_spec(net)
    try:
        if collapse:
            return _collapsed(net, target, dtype, cache, threads, collapse)
        made = _compile(net, target, dtype, cache, threads, method, error, variances)
        return _prepared(made, net, cache, collapse)
    except NoCompiler as missing:
        if target != "c":
            raise
        said = [line for line in missing.where.splitlines() if "error" in line][:1]
        reason = "; ".join((missing.what, *missing.tried, *said))
        warnings.warn(
            f"{reason}: the slower NumPy version is used. Install gcc or clang, or set CC to a "
            'compiler, for the speed of C; target="numpy" asks for NumPy without this warning',
            RuntimeWarning,
            stacklevel=2,
        )
    if collapse:
        return _collapsed(net, "numpy", dtype, cache, threads, collapse)
    made = _compile(net, "numpy", dtype, cache, threads, method, error, variances)
    return _prepared(made, net, cache, collapse)


def _prepared(made: Any, net: Any, cache: bool, collapse: bool | float | None) -> Any:
    """Compiled as far as it goes before the first call; deep networks may then collapse."""
    if not isinstance(made, CompiledKernel):
        return made
    made = made.prepare(cache)
    if collapse is None and made._network is not None:  # layers with closed forms
        return deep(made, getattr(net, "network", net), cache)
    return made


def _collapsed(
    net: Any, target: str, dtype: str, cache: bool, threads: int, collapse: bool | float
) -> CollapsedKernel:
    network = getattr(net, "network", net)
    if not hasattr(network, "blocks"):
        raise BadSpec("only a network can be collapsed", hint="mlp:relu:depth=20, for example")
    return CollapsedKernel(
        network,
        target=target,
        dtype=dtype,
        cache=cache,
        threads=threads,
        error=ERROR if collapse is True else float(collapse),
    )


def _compile(
    net: Any,
    target: str,
    dtype: str,
    cache: bool,
    threads: int,
    method: str,
    error: float | None,
    variances: Any,
) -> Any:
    if needs_numeric(net, method, variances):
        return compile_any(
            net, target, dtype, cache, threads, method=method, error=error, variances=variances
        )
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
    schedule = replace(lower_network(recursion), floats=dtype == "float32")
    contract = Contract("ntksym.compile", ("the NNGP kernel and the NTK of a network",))
    engine: CNetwork | NumpyNetwork
    if target == "c":
        with gram_library_beside(cache):
            engine = CNetwork(schedule, contract, keep=cache)
    else:
        engine = NumpyNetwork(schedule, contract, keep=cache)
    name = str(getattr(getattr(recursion, "network", None), "name", "") or schedule.name)
    return CompiledKernel(
        engine,
        name=name,
        target=target,
        dtype=dtype,
        threads=threads,
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
