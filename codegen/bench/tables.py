"""Tables of duals: bound proven, error seen, seconds to build, nanoseconds per entry.

    python codegen/bench/tables.py [--quick]

The time per entry is measured in alternation with the closed form of ReLU, whose ratio is what
to compare: absolute times are those of one machine.
"""

from __future__ import annotations

import argparse
import ctypes
import math
import subprocess
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from ntksym.backends.c.helpers.header import header
from ntksym.backends.c.table.point import TableUnit
from ntksym.errors import NtksymError
from ntksym.language import as_activation
from ntksym.numeric.table import TableDual, table_dual
from ntksym.verify.balls import enclose_definition

ONE = (1.0, 1.0)
CASES = (
    ("mish", ONE, 1e-10),
    ("mish", ONE, 1e-14),
    ("tanh", ONE, 1e-10),
    ("tanh", ONE, 1e-13),
    ("gelu_tanh", ONE, 1e-10),
    ("atan(x)", ONE, 1e-10),
    ("x/(1 + abs(x))", ONE, 1e-10),
    ("max(x, 0) + exp(min(x, 0)) - 1", ONE, 1e-10),
    ("max(x, 0)*tanh(x - 1)", ONE, 1e-10),
    ("hardtanh", ONE, 1e-10),
    ("max(x, 0) + exp(min(x, 0)) - 1", (0.5, 4.0), 1e-10),
    ("tanh", (0.5, 4.0), 1e-10),
    ("mish", (0.5, 2.0), 1e-10),
)
QUICK = (CASES[0], CASES[7])
FLAGS = ("-std=c99", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fPIC")

RELU = """
static void relu_pairs(size_t n, const double *x, const double *c, const double *y,
    const double *root, double *k, double *d)
{
  (void)x;
  (void)y;
  for (size_t l = 0; l < n; ++l) {
    const double a = 0x1.921fb54442d18p+1 - ntksym_op_angle(root[l], c[l]);
    k[l] = (root[l] + c[l] * a) * 0x1.45f306dc9c883p-3;
    d[l] = a * 0x1.45f306dc9c883p-3;
  }
}
"""
LOOP = """
void @_loop(size_t reps, size_t n, const double *x, const double *c, const double *y,
    const double *root, double *k, double *d)
{
  for (size_t i = 0; i < reps; ++i) {
    @_pairs(n, x, c, y, root, k, d);
    __asm__ volatile("" : : "r"(k), "r"(d) : "memory");
  }
}
"""


def library(table: TableDual, folder: Path) -> ctypes.CDLL:
    """The table and ReLU's closed form, compiled."""
    (folder / "ntksym.h").write_text(header())
    text = '#include "ntksym.h"\n' + TableUnit(table).c_functions("table") + RELU
    text += LOOP.replace("@", "table") + LOOP.replace("@", "relu")
    (folder / "bench.c").write_text(text)
    out = folder / f"bench{time.time_ns()}.so"
    subprocess.run(["gcc", *FLAGS, "-shared", "-o", out, folder / "bench.c", "-lm"], check=True)
    return ctypes.CDLL(str(out))


def nanoseconds(table: TableDual, mixed: bool, folder: Path) -> tuple[float, float]:
    """The best time per entry of the table and of ReLU, rows of 256 entries, in alternation."""
    rng, n, reps = np.random.default_rng(0), 256, 20
    x = np.full(n, math.sqrt(table.low * table.high))
    y = np.exp(rng.uniform(math.log(table.low), math.log(table.high), n)).clip(
        table.low, table.high
    )
    rho = rng.uniform(-1 if mixed else 0, 1, n)
    c, root = rho * np.sqrt(x * y), np.sqrt(x * y * (1 - rho) * (1 + rho))
    arrays = [a.ctypes.data_as(ctypes.c_void_p) for a in (x, c, y, root, np.zeros(n), np.zeros(n))]
    found, best = library(table, folder), {"table_loop": math.inf, "relu_loop": math.inf}
    for _ in range(300):
        for name in best:
            start = time.perf_counter()
            getattr(found, name)(ctypes.c_size_t(reps), ctypes.c_size_t(n), *arrays)
            best[name] = min(best[name], (time.perf_counter() - start) / reps / n * 1e9)
    return best["table_loop"], best["relu_loop"]


def seen(name: str, table: TableDual, count: int) -> float:
    """The largest relative error at random and at hard points, against enclosures."""
    rng, worst = np.random.default_rng(1), 0.0
    expr = as_activation(name).expr
    values = {p.name: 1 for p in as_activation(name).params}
    hard = [1.0, -1.0, 0.0, 1 - 2.0**-20, 2.0**-20 - 1, 0.999, -0.999]
    for i in range(count):
        low, high = table.low, table.high
        q11, q22 = (
            [low, high][int(rng.integers(2))]
            if rng.random() < 0.3
            else float(np.clip(low * (high / low) ** rng.random(), low, high))
            for _ in "uv"
        )
        rho = hard[i] if i < len(hard) else float(rng.uniform(-1, 1))
        q12 = rho * math.sqrt(q11 * q22)
        det = Fraction(q11) * Fraction(q22) - Fraction(q12) ** 2
        if det < 0:
            continue
        got = table.at(q11, q12, q22, math.sqrt(det))
        for value, slope in zip(got, (False, True), strict=True):
            exact, *ends = (
                enclose_definition(
                    expr, *(Fraction(v) for v in p), params=values, digits=17, derivative=slope
                ).mid
                for p in ((q11, q12, q22), (q11, q11, q11), (q22, q22, q22))
            )
            scale = math.sqrt(float(ends[0]) * float(ends[1]))
            worst = max(worst, float(abs(Fraction(value) - exact)) / scale)
    return worst


def main() -> int:
    """Print one row a case; 1 where an error is beyond its bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two cases")
    parser.add_argument("--points", type=int, default=20, help="points compared with enclosures")
    options = parser.parse_args()
    print(
        "| activation | variances | bound K | bound Kdot | seen | build s | terms | ns | ns mixed | / ReLU |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    status = 0
    with tempfile.TemporaryDirectory() as name:
        for text, span, error in QUICK if options.quick else CASES:
            values = {p.name: 1 for p in as_activation(text).params}
            start = time.perf_counter()
            try:
                table = table_dual(text, span, error=error, params=values)
            except NtksymError as reason:
                print(f"| {text} | {span[0]:g} .. {span[1]:g} | {reason.what} |", flush=True)
                continue
            built = time.perf_counter() - start
            worst = seen(text, table, options.points)
            plain, relu = nanoseconds(table, False, Path(name))
            mixed, _ = nanoseconds(table, True, Path(name))
            terms = sum(len(m) for m in table.value.plus[0]), sum(len(m) for m in table.dot.plus[0])
            print(
                f"| {text} | {table.low:g} .. {table.high:g} | {table.value.error:.1e} | "
                f"{table.dot.error:.1e} | {worst:.1e} | {built:.1f} | {terms[0]}, {terms[1]} | "
                f"{plain:.2f} | {mixed:.2f} | {plain / relu:.2f} |",
                flush=True,
            )
            status |= worst > table.error
    return status


if __name__ == "__main__":
    raise SystemExit(main())
