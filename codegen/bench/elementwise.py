"""Element-wise generated C: nanoseconds per entry and layer, and errors in nine regimes.

    python codegen/bench/elementwise.py speed relu erf gelu --depth 20
    python codegen/bench/elementwise.py accuracy --points 1000 [names]

Times are medians of alternated runs of one process, per (entry x layer) of a 256 x 256 tile, both
kernels; on a shared machine only their ratios mean something.  Errors are those of the dual and of
the derivative dual, divided by eps*sqrt(K(q11) K(q22)), eps = 2^-52 or 2^-23, against the
program's meaning in 60 digits; `--balls` adds ball arithmetic on the closed form, which shares
nothing with the lowering.
"""

from __future__ import annotations

import argparse
import ctypes
import math
import statistics
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from sympy import Rational

from ntksym.activations import catalogue, named
from ntksym.backends import Contract
from ntksym.backends.c import backend as c_backend
from ntksym.backends.c.network import file as c_network
from ntksym.dual import dual
from ntksym.errors import NtksymError
from ntksym.lower import lower_dual, lower_dual_diag, lower_network
from ntksym.network import mlp, recurse
from ntksym.runtime.library.compiler import shared_library
from ntksym.symbols import q11, q12, q22

Point = tuple[float, float, float]
REGIMES = (
    "random", "equal", "parallel", "near 1e-6", "near 1e-8", "opposite", "orthogonal", "zero",
    "scales", "mixed",
)  # fmt: skip
CONTRACT = Contract("codegen/bench/elementwise.py", ("a benchmark",))


def _fits(a: float, c: float, b: float) -> bool:
    return Fraction(c) ** 2 <= Fraction(a) * Fraction(b)


def point(a: float, rho: float, b: float) -> Point:
    """The covariance with this correlation, rounded towards a positive semi-definite one."""
    c = rho * (math.sqrt(a) * math.sqrt(b))
    while not _fits(a, c, b):
        c = math.nextafter(c, 0.0)
    return a, c, b


def points(regime: str, count: int, seed: int = 0, *, single: bool = False) -> Iterator[Point]:
    """Covariances of a regime; of floats with `single`."""
    rng = np.random.default_rng((seed, REGIMES.index(regime)))
    top = 36.0 if single else 300.0
    for _ in range(count):
        a, b = 10.0 ** rng.uniform(-1.0, 1.0, size=2)
        rho = rng.uniform(-0.999, 0.999)
        if regime == "equal":
            b, rho = a, 1.0
        elif regime == "parallel":
            b, rho = 13.69 * a, 1.0
        elif regime.startswith("near"):
            angle = float(regime.split()[1]) * rng.uniform(0.5, 2.0)
            b, rho = a * (1.0 + angle * rng.normal()), math.cos(angle)
        elif regime == "opposite":
            b, rho = (a, -1.0) if rng.uniform() < 0.5 else (b, -math.cos(10 ** rng.uniform(-8, 0)))
        elif regime == "orthogonal":
            rho = 0.0 if rng.uniform() < 0.5 else 1e-17
        elif regime == "zero":
            a, b, rho = (0.0, 0.0, 0.0) if rng.uniform() < 0.1 else (0.0, b, 0.0)
        elif regime == "scales":
            a = 10.0 ** rng.uniform(-top, top)
            b = a * 10.0 ** rng.uniform(-1.0, 1.0)
        elif regime == "mixed":
            a, b = 10.0 ** rng.uniform(-12.0, -3.0), 10.0 ** rng.uniform(0.0, 6.0)
        if single:
            a, b = float(np.float32(a)), float(np.float32(b))
        p = point(float(a), float(rho), float(b))
        if single:
            c = np.float32(p[1])
            while not _fits(p[0], float(c), p[2]):
                c = np.nextafter(c, np.float32(0.0))
            p = (p[0], float(c), p[2])
        yield p


def _pointer(a: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(a.ctypes.data)


class Dual:
    """A dual compiled from C, with its parameters fixed."""

    def __init__(self, name: str) -> None:
        self.name = name
        act = named(name)
        derived = dual(act)
        self.pair, self.diag = lower_dual(derived), lower_dual_diag(derived)
        self.params = {p.name: (-0.75 if p.is_negative else 0.75) for p in act.params}
        source = c_backend.dual_file(name, self.pair, self.diag, CONTRACT)
        path = shared_library((c_backend.support_file(), source), keep=False)
        self._library = ctypes.CDLL(str(path))
        self._stem = "ntksym_" + source.name.removesuffix(".c")

    def __call__(self, rows: list[Point], dtype: str = "float64") -> tuple[Any, Any]:
        """(nngp, dot) as the compiled code gives them."""
        columns = [np.array(c, dtype=dtype) for c in zip(*rows, strict=True)]
        out = [np.empty(len(rows), dtype=dtype) for _ in range(2)]
        scalars = [ctypes.c_double(self.params[a]) for a in self.pair.args if a in self.params]
        f = getattr(self._library, self._stem + ("_f32" if dtype == "float32" else ""))
        f(ctypes.c_size_t(len(rows)), *map(_pointer, columns), *scalars, *map(_pointer, out))
        return out[0], out[1]

    def reference(self, p: Point, ctx: Any) -> tuple[Any, Any]:
        """(nngp, dot) in the context's precision."""
        values = self.pair.evaluate(
            dict(zip(("q11", "q12", "q22"), p, strict=True)) | self.params, ctx
        )
        return values["nngp"], values["dot"]

    def on_diagonal(self, q: float, ctx: Any) -> tuple[Any, Any]:
        """(nngp, dot) at u = v."""
        values = self.diag.evaluate({"q": q} | self.params, ctx)
        return values["nngp"], values["dot"]


def worst(
    d: Dual, regime: str, count: int, dtype: str = "float64"
) -> tuple[float, float, int, Any]:
    """(eps of the dual, eps of its derivative, NaNs where the value is finite, worst point)."""
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = 60
    eps = 2.0**-52 if dtype == "float64" else 2.0**-23
    most = 1e300 if dtype == "float64" else 1e37
    rows = list(points(regime, count, single=dtype == "float32"))
    got = d(rows, dtype)
    errors, nans, where = [0.0, 0.0], 0, [rows[0], rows[0]]
    for i, row in enumerate(rows):
        exact = d.reference(row, ctx)
        sides = [d.on_diagonal(q, ctx) for q in (row[0], row[2])]
        for k in range(2):
            size = ctx.sqrt(abs(sides[0][k] * sides[1][k]))
            if not ctx.isfinite(size):  # a jump: infinite on the diagonal; K/q has its units
                kernels = ctx.sqrt(abs(sides[0][0] * sides[1][0]))
                size = max(abs(exact[k]), kernels / ctx.sqrt(ctx.mpf(row[0]) * row[2] or 1))
            if size == 0:  # a zero row: an error is one of the other row's kernel
                size = max(abs(sides[0][k]), abs(sides[1][k]))
            if not ctx.isfinite(exact[k]) or not 1 / most < size < most:
                continue
            value = float(got[k][i])
            if math.isnan(value):
                nans += 1
                continue
            error = abs(ctx.mpf(value) - exact[k]) / size / eps if math.isfinite(value) else ctx.inf
            if error > errors[k]:
                errors[k], where[k] = float(error), row
    return errors[0], errors[1], nans, where


def accuracy(names: list[str], count: int, dtype: str, report: Callable[[str], None]) -> None:
    """Print the worst errors of every entry in every regime, and the worst of all."""
    overall = dict.fromkeys(REGIMES, (0.0, ""))
    for name in names:
        try:
            d = Dual(name)
        except NtksymError as error:
            report(f"{name}: {error}".split("\n")[0])
            continue
        began = time.perf_counter()
        d.reference((1.0, 0.5, 2.0), _context())
        slow = time.perf_counter() - began
        fewer = min(count, max(8, int(0.5 / slow)))
        cells = []
        for regime in REGIMES:
            k, t, nans, where = worst(d, regime, fewer, dtype)
            cells.append(f"{k:.3g}/{t:.3g}" + (f" NaN:{nans}" if nans else ""))
            if max(k, t) > overall[regime][0]:
                overall[regime] = (max(k, t), f"{name} at {where[0] if k >= t else where[1]}")
        report(f"{name:22s} ({fewer}) " + "  ".join(cells))
    for regime, (eps, where) in overall.items():
        report(f"worst {regime:12s} {eps:.3g} eps: {where}")


def _context() -> Any:
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = 60
    return ctx


def tile_runner(name: str, depth: int, dtype: str) -> Callable[[], float]:
    """A function that runs one tile and returns nanoseconds per (entry x layer)."""
    act = named(name)
    params = {p.name: Rational(-3 if p.is_negative else 3, 4) for p in act.params}
    weight = 2 if name == "relu" else 1
    net = mlp(name, depth=depth, weight_var=weight, bias_var="1/10", params=params)
    source = c_network.network_file(lower_network(recurse(net)), CONTRACT)
    library = ctypes.CDLL(str(shared_library((c_backend.support_file(), source), keep=False)))
    stem = "ntksym_" + source.name.removesuffix(".c")
    n, d = 256, 64
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, d))
    x *= math.sqrt(d) * rng.uniform(0.9, 1.1, size=(n, 1)) / np.linalg.norm(x, axis=1)[:, None]
    gram = x @ x.T
    first, q, t = np.empty(4), np.empty((2 * depth + 2, n)), np.empty(n)
    size, squares = ctypes.c_size_t(n), np.ascontiguousarray(np.diag(gram))
    getattr(library, stem + "_input")(ctypes.c_size_t(d), _pointer(first))
    getattr(library, stem + "_diag")(size, *map(_pointer, (squares, first, q, t)))
    gram, q = gram.astype(dtype), q.astype(dtype)
    nngp, ntk = np.empty_like(gram), np.empty_like(gram)
    tile = getattr(library, stem + "_tile" + ("_f32" if dtype == "float32" else ""))
    args = (size, size, _pointer(gram), size, _pointer(q), size, _pointer(q), size, _pointer(first),
            _pointer(nngp), _pointer(ntk), size)  # fmt: skip
    kept = (library, gram, q, first, nngp, ntk)

    def run() -> float:
        assert kept
        began = time.process_time()
        tile(*args)
        return (time.process_time() - began) / (n * n * depth) * 1e9

    return run


def speed(names: list[str], depth: int, runs: int, report: Callable[[str], None]) -> None:
    """Print the medians of alternated runs."""
    for name in names:
        runners = {t: tile_runner(name, depth, t) for t in ("float64", "float32")}
        times: dict[str, list[float]] = {t: [] for t in runners}
        for _ in range(runs):
            for t, run in runners.items():
                times[t].append(run())
        report(
            f"{name:12s} " + "  ".join(f"{t} {statistics.median(v):.2f}" for t, v in times.items())
        )


def check_balls(names: list[str], count: int, report: Callable[[str], None]) -> None:
    """The 60-digit reference against ball arithmetic on the closed form, in the first regime."""
    from ntksym.verify.balls import enclose_expr

    ctx = _context()
    for name in names:
        d = Dual(name)
        derived = dual(named(name))
        for p in points("random", count):
            symbols = (q11, q12, q22, *sorted(named(name).params, key=str))
            numbers = (*p, *(d.params[s.name] for s in symbols[3:]))
            at = {
                s: Rational(*Fraction(z).as_integer_ratio())
                for s, z in zip(symbols, numbers, strict=True)
            }
            for expr, value in zip((derived.value, derived.dot), d.reference(p, ctx), strict=True):
                ball = enclose_expr(expr, at, digits=25)
                assert abs(ctx.mpf(ball.mid.numerator) / ball.mid.denominator - value) < 1e-22
        report(f"{name}: the reference lies in the balls at {count} points")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("speed", "accuracy", "balls"))
    parser.add_argument("names", nargs="*")
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--dtype", choices=("float64", "float32"), default="float64")
    parser.add_argument("--out", type=Path, help="also write the lines to this file")
    options = parser.parse_args()
    lines: list[str] = []

    def report(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    if options.what == "speed":
        speed(options.names or ["relu", "erf", "gelu"], options.depth, options.runs, report)
    elif options.what == "balls":
        check_balls(options.names or ["relu", "gelu"], options.points, report)
    else:
        closed = options.names or [a.name for a in catalogue()]
        accuracy(closed, options.points, options.dtype, report)
    if options.out:
        options.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
