"""The ways to a dual that the benchmarks compare, each as a function of arrays."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from peer_rules import Rule, adaptive, gauss_hermite

from ntksym.activation import Activation
from ntksym.errors import NoClosedForm, Undecided
from ntksym.language import as_activation
from ntksym.numeric.choose import choose
from ntksym.numeric.mixture import MixtureDual

DEGREES = (25, 50, 100, 200)
WIDE = (Fraction(1, 100), Fraction(100))
RANGE = (Fraction(1, 4), Fraction(4))
OURS = (
    ("closed form", "exact", None, None),
    ("mixture", "mixture", None, None),
    ("table q=1", "tabulated", 1, 1e-10),
    ("table q=1, 1e-14", "tabulated", 1, 1e-14),
    ("table 1/4..4", "tabulated", RANGE, 1e-10),
    ("series q=1", "series", 1, 1e-12),
    ("series 1/4..4", "series", RANGE, 1e-12),
    ("quadrature", "quadrature", WIDE, 1e-12),
    ("quadrature, 1e-4", "quadrature", WIDE, 1e-4),
    ("quadrature 1/4..4", "quadrature", RANGE, 1e-12),
    ("quadrature 1/4..4, 1e-3", "quadrature", RANGE, 1e-3),
)
"""Name, method, variances, the error asked for."""
SLOW = ("series 1/4..4",)
"""Only with --slow: a minute to build."""
INSTEAD = ("quadrature 1/4..4", "quadrature 1/4..4, 1e-3")
"""Only where the table for that range is not proven."""


class Late(Exception):
    """A rule took longer to build than there was patience."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way to the dual: its rule, its range of variances, what is proven of it."""

    name: str
    target: str
    rule: Rule
    span: tuple[float, float]
    proven: float | None = None


def say(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


def read(text: str) -> Activation:
    """The activation; parameters are 1."""
    found = as_activation(text)
    return found.with_params(**{p.name: 1 for p in found.params}) if found.params else found


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Raise `Late` after so many seconds of processor time: a busy machine changes nothing."""

    def late(*_: object) -> None:
        raise Late

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def proven(found: Any) -> float | None:
    """The bound that is proven of a dual, relative, of value and derivative."""
    if isinstance(found, MixtureDual):
        return float(found.worst())
    if hasattr(found, "value_relative"):  # a series
        return float(max(found.value_relative, found.dot_relative))
    if hasattr(found, "levels"):  # a quadrature rule
        return max(float(max(v.value_relative, v.dot_relative)) for v in found.levels)
    error = getattr(found, "error", None)
    return None if error is None else float(error)


def ours(act: Activation, slow: bool, seconds: float) -> Iterator[Method]:
    """Every method that applies, in C and in NumPy."""
    from ntksym.runtime.units.rule_store import kept

    tabulated = False
    for name, method, variances, error in OURS:
        if (name in SLOW and not slow) or (name in INSTEAD and tabulated):
            continue
        began = time.perf_counter()
        try:
            with patience(seconds):
                found = choose(
                    act, method=method, variances=variances, error=error, code=True, build=kept
                ).dual
                engines = [(t, compiled(act, found, t)) for t in ("c", "numpy")]
        except NoClosedForm:
            continue
        except Undecided as failed:
            say(f"  {name}: not proven: {failed.what}")
            continue
        except Late:
            say(f"  {name}: left out, not built in {seconds:g} s")
            continue
        say(f"  {name}: built in {time.perf_counter() - began:.1f} s")
        tabulated = tabulated or name == "table 1/4..4"
        span = (0.0, math.inf)
        if variances is not None:
            low, high = variances if isinstance(variances, tuple) else (variances, variances)
            span = (float(low), float(high))
        for target, rule in engines:
            yield Method(name, target, rule, span, proven(found))


def compiled(act: Activation, found: Any, target: str) -> Rule:
    """What `ntksym.compile` makes of a dual, called without its checks of shapes."""
    from ntksym.dual import Dual
    from ntksym.runtime import compile as compile_
    from ntksym.runtime.units.mixture import compile_mixture
    from ntksym.runtime.units.network import compile_unit

    if isinstance(found, Dual):
        made = compile_(found, target)
    elif isinstance(found, MixtureDual):
        made = compile_mixture(found, target)
    else:
        made = compile_unit(act, found, target)
    if target == "c":
        return native(made.sources)

    def rule(a: Any, c: Any, b: Any) -> tuple[Any, Any]:
        got = made(a, c, b)
        return got.nngp, got.dot

    return rule


def native(sources: tuple[Any, ...]) -> Rule:
    """The function of a generated C file; outputs are kept between calls of one length."""
    import ctypes

    from ntksym.runtime.library.compiler import load_library

    library = load_library(sources)
    f = getattr(library, "ntksym_" + sources[-1].name.removesuffix(".c"))
    f.restype = None
    held: dict[int, tuple[Any, Any]] = {}

    def rule(a: Any, c: Any, b: Any) -> tuple[Any, Any]:
        n = len(a)
        out = held.setdefault(n, (np.empty(n), np.empty(n)))
        f(ctypes.c_size_t(n), *(ctypes.c_void_p(v.ctypes.data) for v in (a, c, b, *out)))
        return out

    return rule


def peers(act: Activation) -> Iterator[Method]:
    """What others do."""
    for degree in DEGREES:
        name = f"neural-tangents {degree}^2"
        yield Method(name, "numpy", gauss_hermite(act.expr, degree), (0.0, math.inf))
    yield Method("SciPy dblquad", "scipy", adaptive(act.expr), (0.0, math.inf))
