"""Every kernel of the shelf off the shelf's grid: C and NumPy, doubles and floats, against balls.

    python codegen/bench/off_grid.py                          every activation of the manifest
    python codegen/bench/off_grid.py relu "cos(x)*exp(-x^2)"  some, or formulas
    python codegen/bench/off_grid.py --points 1000 --keep DIR --write
    python codegen/bench/off_grid.py --targets jax,torch      where these are installed

Four families of covariances, the same number of each: `usual` (variances 0.1 to 10), `alike` (1e-6
to 1e6, within a factor of three of each other), `wide` (1e-6 to 1e6, independent), `far` (1e-150 to
1e150 for doubles, 1e-18 to 1e18 for floats).  A third of the correlations is uniform, a third is
within 1e-15 to 1e-1 of 1, a third of -1.  Errors are |generated - exact| / sqrt(K(q11) K(q22)) in
units of 2^-52 or 2^-23; for a derivative with jumps the size is that of K/q, or the value where it
is larger.  References: the closed form over balls, with the parameters of the manifest as exact
numbers; left out where the kernel's size leaves 1e-290 to 1e290, and where a ball stays wide.
`--keep` stores references and reads them again.  `--write` writes `off_grid.md`, for other targets
`off_grid_arrays.md`; JAX runs under jit.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ball_references import Closed
from dual_methods import Late, patience
from elementwise import CONTRACT, Point, point
from flint import arb
from sympy import Rational

from ntksym.activation import Activation
from ntksym.activations import named
from ntksym.backends.c import backend as c
from ntksym.backends.numpy.backend import dual_file
from ntksym.dual import dual
from ntksym.errors import UnsupportedOp
from ntksym.export.languages import array_sources
from ntksym.export.lowered import lower_any
from ntksym.export.manifest import read_manifest
from ntksym.language import as_activation
from ntksym.lower.program import Program
from ntksym.runtime.engines import load_module
from ntksym.runtime.library.compiler import load_library

HERE = Path(__file__).parent
MANIFEST = HERE.parent / "manifest.toml"
FAMILIES = ("usual", "alike", "wide", "far")
TARGETS = ("c", "numpy")
TITLES = {"c": "C", "numpy": "NumPy", "jax": "JAX", "torch": "PyTorch"}
EPS = {"float64": 2.0**-52, "float32": 2.0**-23}
MOST = {"float64": 1e290, "float32": 1e37}
LEAST = {"float64": 1e-290, "float32": 1e-30}
VALUE = 0.5
OUTPUTS = ("K", "Kdot")
GOAL = 4.0
POINT = 0.5
"""Seconds that a reference may take."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A dual as it is exported, and the same with numbers for its parameters."""

    name: str
    activation: Activation
    pair: Program
    diag: Program
    params: tuple[tuple[str, float], ...]
    exact: Activation

    def code(self, target: str) -> Callable[..., tuple[Any, Any]]:
        """The generated function of arrays, of the type of the arrays."""
        if target in ("jax", "torch"):
            return self.arrays(target)
        values = dict(self.params)
        given = [values[a] for a in self.pair.args if a in values]
        if target == "numpy":
            module: Any = load_module(dual_file(self.pair.name, self.pair, self.diag, CONTRACT))
            return lambda *columns: module.dual(*columns, *given)
        source = c.dual_file(self.pair.name, self.pair, self.diag, CONTRACT)
        library = load_library((c.support_file(), source), keep=False)
        stem = "ntksym_" + source.name.removesuffix(".c")
        numbers = [ctypes.c_double(v) for v in given]

        def run(*columns: Any) -> tuple[Any, Any]:
            single = columns[0].dtype == np.float32
            arrays = [np.ascontiguousarray(v) for v in columns]
            out = np.empty_like(arrays[0]), np.empty_like(arrays[0])
            ends = [ctypes.c_void_p(v.ctypes.data) for v in (*arrays, *out)]
            f = getattr(library, stem + "_f32" * single)
            f(ctypes.c_size_t(len(arrays[0])), *ends[:3], *numbers, *ends[3:])
            return out

        return run

    def arrays(self, target: str) -> Callable[..., tuple[Any, Any]]:
        """The module of JAX or PyTorch, which must be installed."""
        given = [v for _, v in self.params]
        try:
            source = array_sources(self.activation, target)[0]
        except UnsupportedOp:  # a parameter whose derivative has no closed form
            source, given = array_sources(self.exact, target)[0], []
        module: Any = load_module(source)
        if target == "jax":
            import jax

            jax.config.update("jax_enable_x64", True)
            made, run = jax.numpy.asarray, jax.jit(module.dual)
        else:
            import torch

            made, run = torch.from_numpy, module.dual
        return lambda *columns: tuple(map(np.asarray, run(*map(made, columns), *given)))


def kernels(words: Sequence[str]) -> Iterator[Kernel]:
    """The activations of the manifest, those of them that are named, or formulas."""
    known = {e.name: e for e in read_manifest(MANIFEST) if e.activation}
    for word in words or known:
        values = dict(known[word].values) if word in known else {}
        act = named(known[word].activation) if word in known else as_activation(word)
        for p in act.params:
            bell = p.name == "b" and p.is_positive is None
            values.setdefault(p.name, -VALUE if p.is_negative or bell else VALUE)
        given = tuple((p.name, values[p.name]) for p in act.params)
        pair, diag = lower_any(act, word if word in known else "formula").dual
        numbers = {k: Rational(*v.as_integer_ratio()) for k, v in given}
        yield Kernel(word, act, pair, diag, given, act.with_params(**numbers) if given else act)


def points(family: str, count: int, dtype: str) -> list[Point]:
    """Covariances of a family that are numbers of a type."""
    rng = np.random.default_rng((7, FAMILIES.index(family), len(dtype), dtype == "float32"))
    top = {"usual": 1.0, "alike": 6.0, "wide": 6.0, "far": 150.0 if dtype == "float64" else 18.0}
    out: list[Point] = []
    for k in range(count):
        a, b = 10.0 ** rng.uniform(-top[family], top[family], size=2)
        b = a * 3.0 ** rng.uniform(-1.0, 1.0) if family == "alike" else b
        near = 1.0 - 10.0 ** rng.uniform(-15.0, -1.0)
        rho = (rng.uniform(-1.0, 1.0), near, -near)[k % 3]
        if dtype == "float32":
            a, b = float(np.float32(a)), float(np.float32(b))
        p = point(float(a), float(rho), float(b))
        if dtype == "float32":
            low = np.float32(p[1])
            while abs(float(low)) > abs(p[1]):
                low = np.nextafter(low, np.float32(0.0))
            p = (p[0], float(low), p[2])
        out.append(p)
    return out


def references(k: Kernel, at: Sequence[Point], seconds: float) -> Any:
    """Rows (K high, K low, size, Kdot high, Kdot low, size); NaN where there is none."""
    found = Closed(dual(k.exact))
    rows = np.full((len(at), 6), math.nan)
    end = time.process_time() + seconds
    for i, (a, q12, b) in enumerate(at):
        if time.process_time() > end:
            break
        try:
            with patience(POINT):
                exact = found.pair(a, q12, b)
                sides = found.diagonal(a), found.diagonal(b)
        except (Late, SystemError):  # the second where it came inside an integrand
            continue
        for which in range(2):
            size = (sides[0][which] * sides[1][which]).sqrt()
            if not size.is_finite():
                size = (sides[0][0] * sides[1][0] / (arb(a) * arb(b))).sqrt().max(abs(exact[1]))
            ball = exact[which]
            if ball.is_finite() and size.is_finite() and ball.rad() <= size * arb(2.0**-66):
                high = float(ball.mid())
                low = float((ball.mid() - arb(high)).mid())
                rows[i, 3 * which : 3 * which + 3] = high, low, float(size.mid())
    return rows


def kept(k: Kernel, at: Sequence[Point], seconds: float, folder: Path | None) -> Any:
    """The references of a kernel, read from the folder where they are there."""
    if folder is None:
        return references(k, at, seconds)
    text = repr((str(k.exact.expr), k.params, at))
    path = folder / (hashlib.sha256(text.encode()).hexdigest()[:24] + ".npy")
    if path.exists():
        return np.load(path)
    found = references(k, at, seconds)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(path, found)
    return found


@dataclass(frozen=True, slots=True)
class Worst:
    """The worst of one output in one family: eps of the size, of the value, and where."""

    eps: float
    of_value: float
    at: Point
    checked: int
    nans: int


def worst(got: Any, rows: Any, at: Sequence[Point], dtype: str) -> Worst:
    """The worst error of one output."""
    high, low, size = rows.T
    known = np.isfinite(high) & (size > LEAST[dtype]) & (size < MOST[dtype])
    found = got.astype(np.float64)
    bad = known & ~np.isfinite(found)
    with np.errstate(all="ignore"):
        error = np.where(known & ~bad, np.abs((found - high) - low), 0.0)
        relative = np.where(known, error / size, 0.0) / EPS[dtype]
        own = np.where(known & (high != 0.0), error / np.abs(high), 0.0) / EPS[dtype]
    relative = np.where(bad, math.inf, relative)
    i = int(np.argmax(relative))
    return Worst(
        float(relative[i]), float(own.max()), at[i], int(known.sum()), int(np.count_nonzero(bad))
    )


Found = dict[tuple[str, str, str, str], Worst]


def measure(
    k: Kernel, targets: Sequence[str], count: int, seconds: float, folder: Path | None
) -> Found:
    """By (target, type, family, output)."""
    made = {target: k.code(target) for target in targets}
    out: Found = {}
    for dtype in EPS:
        for family in FAMILIES:
            at = points(family, count, dtype)
            rows = kept(k, at, seconds, folder)
            columns = [np.array(v, dtype=dtype) for v in zip(*at, strict=True)]
            for target, run in made.items():
                with np.errstate(all="ignore"):
                    got = run(*columns)
                for which, label in enumerate(OUTPUTS):
                    part = rows[:, 3 * which : 3 * which + 3]
                    out[target, dtype, family, label] = worst(got[which], part, at, dtype)
    return out


def cells(found: Found, families: Sequence[str]) -> list[str]:
    """The columns of one kernel: the worst of some families, K / Kdot, by target and type."""
    out = []
    for target in dict.fromkeys(key[0] for key in found):
        for dtype in EPS:
            pair = []
            for label in OUTPUTS:
                some = [found[target, dtype, f, label] for f in families]
                nans = sum(w.nans for w in some)
                finite = [w.eps for w in some if math.isfinite(w.eps)]
                eps = f"{max(finite, default=0.0):.2g}"
                pair.append(f"{eps} ({nans} no number)" if nans else eps)
            out.append(" / ".join(pair))
    return out


def line(name: str, found: Found) -> str:
    """What is said of one kernel while it is measured: its worst of every family above the goal."""
    said = [f"{name:24s}", " | ".join(cells(found, FAMILIES))]
    for key, w in found.items():
        if not w.eps <= GOAL:
            said.append(f"\n    {' '.join(key)}: {w.eps:.3g} eps, {w.nans} nan, at {w.at}")
    return " ".join(said)


def page(found: dict[str, Found], targets: Sequence[str], count: int) -> str:
    """The table."""
    doc = (__doc__ or "").split("\n\n")[2]
    total = sum(w.checked for f in found.values() for w in f.values())
    head = " | ".join(f"{TITLES[t]}, {d}" for t in targets for d in EPS)
    option = "" if tuple(targets) == TARGETS else f" --targets {','.join(targets)}"
    out = [
        "# Closed forms off the grid",
        "",
        f"Made by `codegen/bench/off_grid.py --write{option}`.  " + doc.replace("\n", " "),
        "",
        f"{count} points in each family, {len(found)} activations, {total} comparisons with a "
        "reference.  Cells: worst K / worst Kdot in eps of the size.",
    ]
    for families, title in ((FAMILIES[:3], "Variances 1e-6 to 1e6"), (FAMILIES[3:], "Far")):
        out += [
            "",
            f"## {title}",
            "",
            f"| activation | {head} |",
            "| --- |" + " --- |" * (2 * len(targets)),
        ]
        out += [f"| {n} | " + " | ".join(cells(f, families)) + " |" for n, f in found.items()]
        out.append("")
        for dtype in EPS:
            for target in targets:
                good = sum(
                    all(f[target, dtype, k, o].eps <= GOAL for k in families for o in OUTPUTS)
                    for f in found.values()
                )
                out.append(f"{target} {dtype}: {good} of {len(found)} within {GOAL:g} eps.  ")
    return "\n".join(out) + "\n"


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("words", nargs="*", help="names of the manifest, or formulas")
    parser.add_argument("--points", type=int, default=90, help="in each family")
    parser.add_argument("--seconds", type=float, default=20.0, help="of references, each family")
    parser.add_argument("--keep", type=Path, help="a folder for references")
    parser.add_argument("--targets", default=",".join(TARGETS), help=", ".join(TITLES))
    parser.add_argument("--write", action="store_true", help="write the page")
    options = parser.parse_args()
    targets = tuple(options.targets.split(","))
    place = HERE / ("off_grid.md" if targets == TARGETS else "off_grid_arrays.md")
    found: dict[str, Found] = {}
    for k in kernels(options.words):
        began = time.process_time()
        found[k.name] = measure(k, targets, options.points, options.seconds, options.keep)
        print(line(k.name, found[k.name]), f"[{time.process_time() - began:.1f} s]", flush=True)
        if options.write:
            place.write_text(page(found, targets, options.points), encoding="utf-8")
    missed = sum(any(not w.eps <= GOAL for w in f.values()) for f in found.values())
    print(f"{len(found)} kernels, {missed} beyond {GOAL:g} eps somewhere")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
