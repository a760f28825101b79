r"""A network with mixture duals: its layers in numbers, its engines.

A dense layer is affine in what its nonlinearity gives: $\Sigma' = s_0 + s_1 K$ and
$\Theta' = t_0 + t_1 K + t_2 \dot K\,\Theta$, whatever the convention.  The numbers are read off the
recursion of a network with unknown K; the duals are mixtures or closed forms.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sympy import Expr, Poly, Symbol

from .. import symbols
from ..activation import Activation
from ..backends import Contract, SourceFile, c_mixture_network
from ..backends import c as c_backend
from ..backends.c_mixture_network import NumericSchedule, NumericStep
from ..backends.mixture_programs import MixturePrograms, closed_programs, mixture_programs
from ..dual import Dual
from ..errors import BadSpec, UnsupportedOp
from ..lower.kernel import lower_input
from ..lower.program import Program
from ..lower.schedule import number
from ..network import Network, Recursion, recurse
from ..network.layers import Nonlinearity
from ..numeric import MixtureDual, best_dual
from .checks import Array
from .compiler import shared_library
from .engines import CNetwork, First
from .kernel import CompiledKernel
from .numeric import NumpyMixture, accuracy, compile_mixture

Scalars = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A dual of which nothing is known: the symbols K and its derivative."""

    value: Expr
    dot: Expr

    @property
    def dot_ae(self) -> Expr:
        """As `dot`."""
        return self.dot

    @property
    def diag(self) -> Expr:
        """As `value`."""
        return self.value

    @property
    def diag_dot(self) -> Expr:
        """As `dot`."""
        return self.dot

    @property
    def diag_dot_ae(self) -> Expr:
        """As `dot`."""
        return self.dot


def numeric_schedule(network: Network) -> NumericSchedule:
    """The duals of a network and the affine rules of its layers, in numbers.

    Raises:
        BadSpec: a parameter without a value.
        NoClosedForm: an activation has neither a closed form nor a mixture.
        UnsupportedOp: a dual that cannot be run.
    """
    unknown = _Unknown(Symbol("K", real=True), Symbol("Kdot", real=True))
    blocks = tuple(
        (replace(nonlinearity, dual=unknown), dense) for nonlinearity, dense in network.blocks
    )
    recursion = recurse(replace(network, blocks=blocks))
    kinds: dict[Activation, int] = {}
    duals: list[MixturePrograms] = []
    steps = []
    for (nonlinearity, _), rule in zip(network.blocks, recursion.layers, strict=True):
        if nonlinearity.activation not in kinds:
            kinds[nonlinearity.activation] = len(duals)
            duals.append(_programs(nonlinearity, network))
        values = dict(rule.values)
        pair = (*_affine(rule.nngp, values, unknown), *_ntk(rule.ntk, values, unknown))
        diag = (*_affine(rule.nngp_diag, values, unknown), *_ntk(rule.ntk_diag, values, unknown))
        kind = kinds[nonlinearity.activation]
        steps.append(NumericStep(kind, _scalars(nonlinearity), pair, diag))
    program, given = _input(recursion)
    return NumericSchedule("network", program, given, tuple(duals), tuple(steps))


def _programs(nonlinearity: Nonlinearity, network: Network) -> MixturePrograms:
    forms = nonlinearity.forms()
    if isinstance(forms, MixtureDual):
        return mixture_programs(forms)
    if isinstance(forms, Dual):
        if network.convention.derivative == "almost_everywhere":
            forms = replace(forms, dot=forms.dot_ae, diag_dot=forms.diag_dot_ae)
        return closed_programs(forms)
    raise UnsupportedOp(f"{type(forms).__name__} cannot be run in a network")


class CNumericNetwork(CNetwork):
    """A network of numeric duals in a shared library, with the calls of `CNetwork`."""

    def __init__(self, schedule: NumericSchedule, contract: Contract, *, keep: bool = True) -> None:
        source = c_mixture_network.network_file(schedule, contract)
        self.sources = (c_backend.support_file(), source)
        self._library = ctypes.CDLL(str(shared_library(self.sources, keep=keep)))
        self._layers = len(schedule.steps)
        stem = "ntksym_" + source.name.removesuffix(".c")
        self._functions = {
            k: getattr(self._library, f"{stem}_{k}") for k in ("input", "diag", "pairs", "tile")
        }
        for f in self._functions.values():
            f.restype = None


class NumpyNumericNetwork:
    """The same in NumPy: one module per dual, the layers one after the other."""

    def __init__(self, schedule: NumericSchedule, contract: Contract, *, keep: bool = True) -> None:
        self._schedule = schedule
        self._duals = tuple(NumpyMixture(k, contract, keep=keep) for k in schedule.kinds)
        self.sources: tuple[SourceFile, ...] = tuple(s for d in self._duals for s in d.sources)

    def first(self, d: int) -> First:
        """As in `Engine`."""
        program = self._schedule.input
        given = dict(zip(program.args[1:], self._schedule.input_values, strict=True))
        out = program.evaluate({"d": d, **given})
        names = ("nngp_slope", "nngp_offset", "ntk_slope", "ntk_offset")
        a, b, c, e = (float(out[n]) for n in names)
        return a, b, c, e

    def diag(self, g: Array, first: First) -> tuple[Array, Array]:
        """As in `Engine`."""
        count = len(self._schedule.steps) + 1
        q = np.empty((2 * count, len(g)))
        q[0] = first[0] * g + first[1]
        t = first[2] * g + first[3]
        for i, step in enumerate(self._schedule.steps):
            k, d = self._duals[step.kind].diag((q[i],), step.scalars)
            s0, s1, t0, t1, t2 = step.diag
            q[i + 1] = s0 + s1 * k
            t = t0 + t1 * k + t2 * d * t
        q[count:] = np.sqrt(np.maximum(q[:count], 0.0))
        return q, t

    def tile(self, g12: Array, qx: Array, qy: Array, first: First, nngp: Array, ntk: Array) -> None:
        """As in `Engine`, row by row."""
        for i in range(g12.shape[0]):
            left = np.broadcast_to(qx[:, i : i + 1], (len(qx), g12.shape[1]))
            nngp[i], ntk[i] = self._compose(g12[i], None, left, qy, first)

    def pairs(
        self, g12: Array, root: Array, qx: Array, qy: Array, first: First
    ) -> tuple[Array, Array]:
        """As in `Engine`."""
        return self._compose(g12, root, qx, qy, first)

    def _compose(
        self, g12: Array, root: Array | None, qx: Array, qy: Array, first: First
    ) -> tuple[Array, Array]:
        c = first[0] * g12 + first[1]
        t = first[2] * g12 + first[3]
        # Equal inputs stay equal at any depth: their covariance is the diagonal, rounding included.
        same = np.zeros(c.shape, dtype=bool)
        if root is not None:
            same = (root == 0.0) & (qx[0] == qy[0]) & (c > 0.0)
        for level, step in enumerate(self._schedule.steps):
            given = (root,) if level == 0 and root is not None else ()
            state = (qx[level], c, qy[level], *given)
            k, d = self._duals[step.kind].pair(state, step.scalars)
            s0, s1, t0, t1, t2 = step.pair
            c = np.where(same, qx[level + 1], s0 + s1 * k)
            t = t0 + t1 * k + t2 * d * t
        return c, t


def _scalars(nonlinearity: Nonlinearity) -> Scalars:
    known = dict(nonlinearity.values)
    missing = [p.name for p in nonlinearity.activation.params if p.name not in known]
    if missing:
        raise BadSpec(
            f"the parameter {missing[0]!r} has no value",
            where=nonlinearity.activation.name,
            hint=f"give {missing[0]} a number before generating code",
        )
    return tuple(number(known[p.name]) for p in nonlinearity.activation.params)


def _affine(e: Expr, values: Mapping[Symbol, Expr], unknown: _Unknown) -> tuple[float, float]:
    """(s0, s1) of s0 + s1 K."""
    poly = Poly(e.subs(values), unknown.value)
    return _number(poly.coeff_monomial(1)), _number(poly.coeff_monomial(unknown.value))


def _ntk(e: Expr, values: Mapping[Symbol, Expr], unknown: _Unknown) -> tuple[float, float, float]:
    """(t0, t1, t2) of t0 + t1 K + t2 Kdot Theta."""
    poly = Poly(e.subs(values), unknown.value, unknown.dot, symbols.t12)
    own = _number(poly.coeff_monomial(1)), _number(poly.coeff_monomial(unknown.value))
    return *own, _number(poly.coeff_monomial(unknown.dot * symbols.t12))


def _number(e: Expr) -> float:
    if e.free_symbols:
        name = min(s.name for s in e.free_symbols)
        raise BadSpec(
            f"the parameter {name!r} has no value",
            hint=f"give {name} a number before generating code",
        )
    return number(e)


def _input(recursion: Recursion) -> tuple[Program, tuple[float, ...]]:
    rule = recursion.input_rule
    values = {s.name: number(v) for s, v in rule.values}
    free = {s.name for e in (rule.nngp, rule.ntk) for s in e.free_symbols}
    needed = tuple(sorted(free - {"q11", "q12", "q22", "d"}))
    return lower_input(rule.nngp, rule.ntk, needed), tuple(values[n] for n in needed)


def network_contract(network: Network) -> Contract:
    """What the head of the generated file says: the proven bounds of every mixture."""
    said = []
    for nonlinearity, _ in network.blocks:
        forms = nonlinearity.forms()
        if isinstance(forms, MixtureDual) and (text := accuracy(forms)) not in said:
            said.append(text)
    return Contract(
        "ntksym.compile",
        ("the NNGP kernel and the NTK of a network",),
        accuracy="; ".join(said) or "not measured",
    )


def network_sources(
    network: Network, name: str = "network", command: str = "ntksym.compile"
) -> tuple[SourceFile, ...]:
    """The C files of a network with mixture duals, for export.

    Raises:
        BadSpec: a parameter without a value.
    """
    schedule = replace(numeric_schedule(network), name=name)
    contract = replace(network_contract(network), command=command)
    source = c_mixture_network.network_file(schedule, contract)
    return c_backend.support_file(), source


def compile_numeric(
    network: Network,
    target: str = "c",
    dtype: str = "float64",
    cache: bool = True,
    threads: int = 1,
) -> CompiledKernel:
    """The kernels of a network with mixture duals, as `ntksym.compile` gives them.

    Raises:
        NoCompiler: `target="c"` and no compiler works.
        BadSpec: a parameter without a value.
    """
    schedule, contract = numeric_schedule(network), network_contract(network)
    engine: CNumericNetwork | NumpyNumericNetwork
    if target == "c":
        engine = CNumericNetwork(schedule, contract, keep=cache)
    else:
        engine = NumpyNumericNetwork(schedule, contract, keep=cache)
    return CompiledKernel(
        engine,
        name=network.name,
        target=target,
        dtype=dtype,
        threads=threads,
        sources=engine.sources,
    )


def needs_numeric(net: Any) -> bool:
    """Whether a mixture is among the duals of what `ntksym.compile` was given."""
    if isinstance(net, MixtureDual):
        return True
    if isinstance(net, (str, Expr, Activation)):
        return isinstance(best_dual(net), MixtureDual)
    found = getattr(net, "network", net)
    blocks = getattr(found, "blocks", ())
    return any(isinstance(n.forms(), MixtureDual) for n, _ in blocks)


def compile_any(net: Any, target: str, dtype: str, cache: bool, threads: int) -> Any:
    """What `ntksym.compile` gives where `needs_numeric` holds.

    Raises:
        NoCompiler: `target="c"` and no compiler works.
        BadSpec: a parameter without a value.
    """
    if isinstance(net, MixtureDual):
        return compile_mixture(net, target, cache)
    if isinstance(net, (str, Expr, Activation)):
        found = best_dual(net)
        assert isinstance(found, MixtureDual)
        return compile_mixture(found, target, cache)
    return compile_numeric(getattr(net, "network", net), target, dtype, cache, threads)
