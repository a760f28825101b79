"""Error against time for activations without closed form: normal mixture and Gauss-Hermite.

The error is the largest distance from a rigorous enclosure of the definition over the points below,
relative to sqrt(K(q11) K(q22)); the time is per Gram entry, dual and derivative dual together.
Gauss-Hermite is the tensor rule that neural-tangents' `ElementwiseNumerical` uses, written out in
NumPy.  Ratios within one run mean something on a noisy machine; single times mean little.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from sympy import lambdify

from ntksym.errors import Undecided
from ntksym.numeric import MixtureDual, mixture_dual
from ntksym.runtime.numeric import compile_mixture
from ntksym.symbols import x
from ntksym.verify.balls import enclose_definition

ACTIVATIONS = (
    "sigmoid",
    "tanh",
    "softplus",
    "silu",
    "logsigmoid",
    "tanhshrink",
    "1/cosh(x)**2",
    "x*tanh(x)",
    "x*sigmoid(3*x/2)",
    "3*tanh(2*x + 1) - x/2",
)
POINTS = tuple(
    (float(a), float(c), float(b))
    for a, c, b in (
        (1, 0.5, 1),
        (1, 0.999999, 1),
        (9, -4, 2.5),
        (0.01, 0.005, 4),
        (100, 60, 100),
        (1, 1, 1),
        (1, -1, 1),
        (100, 100, 100),
        (0.01, 0.01, 0.01),
        (25, -25, 25),
    )
)
ORDERS = (25, 50, 100)
ENTRIES = 4096
Rule = Callable[[Any, Any, Any], tuple[Any, Any]]


def hermite(d: MixtureDual, n: int) -> Rule:
    """The tensor Gauss-Hermite rule with n^2 points."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    weights = weights / weights.sum()
    functions = [lambdify(x, e, "numpy") for e in (d.activation.expr, d.activation.expr.diff(x))]

    def rule(q11: Any, q12: Any, q22: Any) -> tuple[Any, Any]:
        root = np.sqrt(q11)
        slope = q12 / root
        rest = np.sqrt(np.maximum(q22 - slope * slope, 0.0))
        u = root[:, None] * nodes
        v = slope[:, None, None] * nodes[:, None] + rest[:, None, None] * nodes
        with np.errstate(all="ignore"):
            out = [np.einsum("i,j,ki,kij->k", weights, weights, f(u), f(v)) for f in functions]
        return out[0], out[1]

    return rule


def reference(d: MixtureDual, slope: bool) -> list[tuple[Fraction, float]]:
    """The enclosed values at the points, and the sizes they are compared with."""

    def value(*point: float) -> Fraction:
        exact = tuple(Fraction(p) for p in point)
        try:
            return enclose_definition(d.activation, *exact, derivative=slope, digits=19).mid
        except Undecided:
            return d.enclose(*exact, derivative=slope).mid

    own = {q: float(value(q, q, q)) for q in {p for a, _, b in POINTS for p in (a, b)}}
    return [(value(*p), math.sqrt(own[p[0]] * own[p[2]])) for p in POINTS]


def worst(rule: Rule, references: list[list[tuple[Fraction, float]]]) -> tuple[float, float]:
    """The largest relative errors of value and derivative."""
    found = rule(*np.array(POINTS).T)
    errors = [
        max(
            float(abs(Fraction(float(v)) - r)) / s if np.isfinite(v) else math.inf
            for v, (r, s) in zip(values, rows, strict=True)
        )
        for values, rows in zip(found, references, strict=True)
    ]
    return errors[0], errors[1]


def nanoseconds(rule: Rule, entries: int, runs: int = 5) -> float:
    """The median time per entry."""
    rng = np.random.default_rng(0)
    q11, q22 = rng.uniform(0.5, 2, (2, entries))
    q12 = np.sqrt(q11 * q22) * rng.uniform(-0.9, 0.9, entries)
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        rule(q11, q12, q22)
        times.append((time.perf_counter() - began) / entries * 1e9)
    return statistics.median(times)


def rows(text: str) -> list[dict[str, Any]]:
    """One row per method."""
    d = mixture_dual(text)
    references = [reference(d, slope) for slope in (False, True)]
    bounds = [d.bound(q, q) for q in (Fraction(1, 100), Fraction(1), Fraction(100))]
    methods: list[tuple[str, Rule, int]] = []
    for target, entries in (("c", ENTRIES), ("numpy", ENTRIES)):
        k = compile_mixture(d, target)

        def run(a: Any, c: Any, b: Any, k: Any = k) -> tuple[Any, Any]:
            found = k(a, c, b)
            return found.nngp, found.dot

        methods.append((f"mixture {len(d.mixture)} {target}", run, entries))
    methods += [(f"hermite {n}^2 numpy", hermite(d, n), max(8, 40_000 // n**2)) for n in ORDERS]
    out = []
    for name, rule, entries in methods:
        value, dot = worst(rule, references)
        row = {"activation": text, "method": name, "value": value, "dot": dot}
        row["ns"] = nanoseconds(rule, entries)
        if name.startswith("mixture"):
            row["proven value"] = max(b.value_relative for b in bounds)
            row["proven dot"] = max(b.dot_relative for b in bounds)
        out.append(row)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("activations", nargs="*", default=list(ACTIVATIONS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    table = [row for text in options.activations for row in rows(text)]
    if options.json:
        print(json.dumps(table, indent=1))
        return
    print(f"{'activation':24}{'method':20}{'value':>9}{'dot':>9}{'proven':>18}{'ns/entry':>11}")
    for r in table:
        proven = ""
        if "proven value" in r:
            proven = f"{r['proven value']:9.0e}{r['proven dot']:9.0e}"
        print(
            f"{r['activation']:24}{r['method']:20}{r['value']:9.0e}{r['dot']:9.0e}"
            f"{proven:>18}{r['ns']:11.0f}"
        )


if __name__ == "__main__":
    main()
