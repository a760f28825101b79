"""What is measured of the code of a closed form: it is compiled, run, and compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backends import Contract
from ..lower import Program
from ..lower.kernel import REQUIRES_FINITE
from ..lower.schedule import Schedule, evaluate_network
from ..runtime.dual_engines import CDual, NumpyDual
from ..runtime.engines import CNetwork, NumpyNetwork
from ..runtime.kernel import CompiledKernel
from .lowered import Lowered
from .measure import (
    Worst,
    measure_dual,
    measure_pairs,
    measure_single,
    measure_single_pairs,
    one_signed,
)

DEFAULT_PARAMETER = 0.5
"""Of a parameter without a value; the text says so."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The worst errors of one kernel in one target.

    Attributes:
        double: those of doubles, in units of 2^-52.
        single: those of floats, against the doubles, in units of 2^-23.
        params: the parameters that they were measured with.
    """

    double: tuple[Worst, ...]
    single: tuple[Worst, ...]
    params: tuple[tuple[str, float], ...] = ()

    def record(self, dtype: str) -> dict[str, Any]:
        """What the lock says of one precision."""
        found = self.single if dtype == "float32" else self.double
        return {w.output: w.record() for w in found}

    def text(self) -> str:
        """The accuracy line of a file head, rounded up to one digit after the point."""
        count = max((w.count for w in self.double), default=0)
        kept = "".join(f", {name} = {value:g}" for name, value in self.params)
        exact = all(w.eps == 0 for w in self.single)
        floats = "computed in doubles" if exact else f"{_listed(self.single)} of 2^-23"
        return (
            f"at most {_listed(self.double)} of the kernel's size at {count} points{kept}, "
            f"34-digit reference; floats: {floats}"
        )


def measure(lowered: Lowered, target: str, values: Mapping[str, float]) -> Measured:
    """The measured worst errors of one target, "c" or "numpy".

    Of a dual at the points of `measure.points`, of a network at the rows of `measure_pairs`;
    parameters that `values` does not name are `DEFAULT_PARAMETER`.

    Raises:
        NoCompiler: the target is C and no compiler works.
    """
    contract = Contract("measurement", lowered.formula)
    if lowered.network is not None:
        return _measure_network(lowered.network, target, contract)
    assert lowered.dual is not None
    pair, diag = lowered.dual
    dual_engine = (CDual if target == "c" else NumpyDual)(pair, diag, contract, keep=False)
    names = {a for p in lowered.dual for a in p.args} - {"q11", "q12", "q22", "q"}
    params = {n: values.get(n, DEFAULT_PARAMETER) for n in sorted(names)}
    numbers = tuple(float(params[a]) for a in pair.args if a in params)

    def run_dual(*arrays: Any) -> tuple[Any, Any]:
        return dual_engine.pair(tuple(map(np.ascontiguousarray, arrays)), numbers)

    scale_free = not requires_moderate(lowered.programs)
    double = measure_dual(pair, diag, run_dual, params, scale_free=scale_free)
    single = one_signed(measure_single(run_dual, scale_free=scale_free), pair, params)
    return Measured(double, single, tuple(params.items()))


def _measure_network(schedule: Schedule, target: str, contract: Contract) -> Measured:
    engine = (CNetwork if target == "c" else NumpyNetwork)(schedule, contract, keep=False)

    def reference(g11: Any, g12: Any, g22: Any, ctx: Any) -> tuple[Any, Any]:
        return evaluate_network(schedule, g11, g12, g22, 6, ctx)

    def runner(dtype: str) -> Callable[[Any, Any], tuple[Any, Any]]:
        kernel = CompiledKernel(engine, name="", target=target, dtype=dtype, threads=1, sources=())

        def run(x: Any, y: Any) -> tuple[Any, Any]:
            out = kernel(x, y)
            return out.nngp, out.ntk

        return run

    wide = runner("float64")
    single = measure_single_pairs(wide, runner("float32"))
    return Measured(measure_pairs(reference, wide), single)


def _listed(worst: tuple[Worst, ...]) -> str:
    return ", ".join(f"{w.output} {rounded_eps(w.eps)} eps" for w in worst)


def rounded_eps(eps: float) -> str:
    """Rounded up to one digit after the point."""
    return f"{math.ceil(eps * 10) / 10:.1f}" if math.isfinite(eps) else str(eps)


def requires_moderate(programs: tuple[Program, ...]) -> bool:
    """Whether a contract asks that nothing overflows."""
    return any(REQUIRES_FINITE in p.requires for p in programs)
