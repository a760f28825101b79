"""Error against time for activations: every method of ntksym, neural-tangents' rule, and SciPy.

    python codegen/bench/activations.py                     table, and activations.{md,json,svg}
    python codegen/bench/activations.py --quick --activations mish "x*tanh(exp(x))" --json

The error is the largest distance from rigorous enclosures of the definition at the points of a
set, of value and derivative, relative to sqrt(K(q11) K(q22)) of each; the time is per entry of a
row of a Gram matrix (one q11), value and derivative together: processor time of one thread, the
median of alternated runs.  Three nested sets: all variances 1; variances in [1/4, 4]; variances in
[1/100, 100].  A method is held to the sets inside its range; SciPy, which takes seconds, to the
first point of each.  Times of different runs on a shared machine mean little; ratios within one do.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy reads it

import numpy as np
from activations_report import broken, by_method, marks, record, table, verdict
from dual_methods import Method, ours, peers, read, say
from error_time_plot import scatter

from ntksym.activation import Activation
from ntksym.errors import BadActivation
from ntksym.verify.balls import enclose_definition

HERE = Path(__file__).parent
ACTIVATIONS = (
    "tanh", "sigmoid", "silu", "softplus", "mish", "gelu_tanh", "softsign", "atan", "elu",
    "hardswish", "relu", "x*tanh(exp(x))", "max(x,0)*tanh(x-1)",
)  # fmt: skip
QUICK = ("tanh", "mish", "relu", "max(x,0)*tanh(x-1)")
SETS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "q = 1": ((1, 0.5, 1), (1, 0.999999, 1), (1, 1, 1), (1, -1, 1), (1, -0.999999, 1)),
    "1/4..4": ((4, -0.7, 0.25), (2.5, 2.4, 2.5), (0.25, 0.24999999, 0.25), (4, -4, 4)),
    "1/100..100": ((9, -4, 2.5), (0.01, 0.005, 4), (100, 60, 100), (100, 100, 100)),
}
"""Points that each set has beyond those of the set before."""
SPANS = {"q = 1": (1.0, 1.0), "1/4..4": (0.25, 4.0), "1/100..100": (0.01, 100.0)}
PEERS = ("neural-tangents", "SciPy")
ROUNDS = 7
BUDGET = 0.02
"""Seconds of one timed run."""
ENOUGH = 2.0
"""Seconds of one method, after which it is timed no more."""
FEWEST_ENTRIES, MOST_ENTRIES = 64, 16_384


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured; errors by set, (value, derivative)."""

    activation: str
    method: str
    target: str
    span: tuple[float, float]
    errors: dict[str, tuple[float, float]]
    ns: float
    proven: float | None

    @property
    def peer(self) -> bool:
        """Whether it is somebody else's."""
        return self.method.startswith(PEERS)


# -- measurement -----------------------------------------------------------------------------------


def references(act: Activation) -> dict[str, list[tuple[tuple[float, ...], Any, Any]]]:
    """By set: (point, (value, derivative), their sizes); the middles of 20-digit balls."""

    def ball(a: float, c: float, b: float, slope: bool) -> Fraction:
        exact = (Fraction(a), Fraction(c), Fraction(b))
        return Fraction(enclose_definition(act, *exact, derivative=slope, digits=20).mid)

    own: dict[float, tuple[float, ...]] = {}
    out: dict[str, list[tuple[tuple[float, ...], Any, Any]]] = {}
    for name, points in SETS.items():
        rows = out.setdefault(name, [])
        for point in points:
            a, c, b = (float(v) for v in point)
            for q in (a, b):
                if q not in own:
                    own[q] = tuple(float(ball(q, q, q, slope)) for slope in (False, True))
            found = tuple(ball(a, c, b, slope) for slope in (False, True))
            sizes = tuple(math.sqrt(s * t) for s, t in zip(own[a], own[b], strict=True))
            rows.append(((a, c, b), found, sizes))
    return out


def errors(method: Method, known: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """The largest errors on every set inside the range."""
    out: dict[str, tuple[float, float]] = {}
    worst = [0.0, 0.0]
    for name, rows in known.items():
        low, high = SPANS[name]
        if low < method.span[0] or high > method.span[1]:
            break
        if method.target == "scipy":
            rows = rows[:1]
        columns = np.array([r[0] for r in rows]).T.copy()
        try:
            got = method.rule(*columns)
        except (OverflowError, ValueError):
            got = (np.full(len(rows), math.nan),) * 2
        for k in range(2):
            for found, (_, exact, sizes) in zip(got[k], rows, strict=True):
                known_to = float(abs(Fraction(float(found)) - exact[k])) if np.isfinite(found) \
                    else math.inf  # fmt: skip
                worst[k] = max(worst[k], known_to / sizes[k])
        out[name] = (worst[0], worst[1])
    return out


def sample(method: Method, entries: int, seed: int = 0) -> tuple[Any, Any, Any]:
    """A row of a Gram matrix in the range of a method: one q11, variances from [1/2, 2]."""
    rng = np.random.default_rng(seed)
    q11, q22 = np.full(entries, rng.uniform(0.5, 2.0)), rng.uniform(0.5, 2.0, entries)
    if method.span[0] == method.span[1]:
        q11 = q22 = np.full(entries, method.span[0])
    return q11, np.sqrt(q11 * q22) * rng.uniform(-0.95, 0.95, entries), q22


def seconds(method: Method, points: Any) -> float:
    """The time of one call: of the processor, so that waiting for it does not count."""
    began = time.process_time()
    try:
        method.rule(*points)
    except (OverflowError, ValueError):
        return math.nan
    return time.process_time() - began


def timed(methods: Sequence[Method], rounds: int) -> list[float]:
    """Nanoseconds per entry: medians of runs that take turns."""
    points, times = [], []
    for method in methods:
        entries = 1 if method.target == "scipy" else FEWEST_ENTRIES
        if method.target != "scipy":
            seconds(method, sample(method, entries))  # the first call loads what it runs
        first = seconds(method, sample(method, entries))
        while method.target != "scipy" and first < BUDGET / 4 and entries < MOST_ENTRIES:
            entries = min(MOST_ENTRIES, 4 * entries)
            first = seconds(method, sample(method, entries))
        points.append(sample(method, entries))
        times.append([first] if method.target == "scipy" else [])
    for _ in range(rounds):
        for method, row, runs in zip(methods, points, times, strict=True):
            if method.target != "scipy" and (len(runs) < 2 or sum(runs) < ENOUGH):
                runs.append(seconds(method, row))
    counts = (len(row[0]) for row in points)
    return [statistics.median(runs) / n * 1e9 for runs, n in zip(times, counts, strict=True)]


def measured(text: str, quick: bool, slow: bool, patience: float) -> list[Row]:
    """All rows of one activation."""
    say(f"{text}:")
    act = read(text)
    methods = [*ours(act, slow, patience), *peers(act)]
    known = references(act)
    say("  references enclosed")
    found = [errors(m, known) for m in methods]
    say("  errors measured")
    times = timed(methods, 3 if quick else ROUNDS)
    return [
        Row(text, m.name, m.target, m.span, e, t, m.proven)
        for m, e, t in zip(methods, found, times, strict=True)
    ]


# -- output ----------------------------------------------------------------------------------------


def write(rows: Sequence[Row], folder: Path) -> None:
    """`activations.md`, `.json` and `.svg`."""
    names = tuple(SETS)
    parts = [
        "# Error against time, activation by activation",
        "",
        "Made by `codegen/bench/activations.py`.  Errors: value/derivative, the largest over the "
        "points of each set, against 20-digit enclosures of the definition, relative to "
        "sqrt(K(q11) K(q22)).  `proven`: the bound of the method for its whole range (of exact "
        "arithmetic for mixture, series and quadrature; rounding counted for tables).  Times: one "
        "thread, rows of a Gram matrix, medians of alternated runs; ratios mean something, single "
        "times do not.  A row is a call of the dual by itself: the accurate root of every "
        "determinant is found too, and for every column what a tile of a matrix finds once.  Errors up to 1e-14 count as equal in what is called better.",
        "",
        "![error against time](activations.svg)",
        "",
        "## By method",
        "",
        *by_method(rows, names),
        "",
        "## By activation",
        "",
        *table(rows, names, markdown=True),
        "",
        "## Where we are not better",
        *(line if line[0] == " " else f"\n{line}\n" for line in verdict(rows, names, "  - ")),
        "",
    ]
    (folder / "activations.md").write_text("\n".join(parts), encoding="utf-8")
    data = {"schema": "ntksym/activations/1", "sets": SETS, "rows": [record(r) for r in rows]}
    (folder / "activations.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    title = "Dual activations, value and derivative: error against time, one mark per activation"
    panels = tuple(f"variances {name.removeprefix('q = ')}" for name in names)
    named = [replace(m, panel=panels[names.index(m.panel)]) for m in marks(rows, names)]
    svg = scatter(named, panels, title)
    (folder / "activations.svg").write_text(svg, encoding="utf-8")


def stored(path: Path) -> list[Row]:
    """The rows of an `activations.json`."""

    def number(value: float | None) -> float:
        return math.inf if value is None else value

    return [
        Row(
            r["activation"],
            r["method"],
            r["code"],
            (number(r["variances"][0]), number(r["variances"][1])),
            {k: (number(e["value"]), number(e["derivative"])) for k, e in r["errors"].items()},
            number(r["ns_per_entry"]),
            r["proven"],
        )
        for r in json.loads(path.read_text(encoding="utf-8"))["rows"]
    ]


def main() -> int:
    """Measure, print, write; exit status 1 where a proven bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--activations", nargs="+", metavar="TEXT", help="formulas or names")
    parser.add_argument("--quick", action="store_true", help="four activations, fewer runs")
    parser.add_argument("--slow", action="store_true", help="a series for a range of variances too")
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    parser.add_argument("--patience", type=float, default=240.0, help="seconds to build a rule")
    parser.add_argument("--out", type=Path, default=None, help="folder for the three files")
    parser.add_argument("--update", action="store_true", help="keep other activations in the files")
    parser.add_argument("--redraw", type=Path, metavar="JSON", help="only tables and plot again")
    options = parser.parse_args()
    names = tuple(SETS)
    partial = (options.quick or options.activations) and not options.update
    folder = options.out or (None if partial else HERE)
    rows: list[Row] = []
    if options.redraw is not None:
        rows = stored(options.redraw)
        write(rows, options.out or options.redraw.parent)
        return 1 if any(broken(rows)) else 0
    if options.update:
        assert folder is not None
        gone = set(options.activations or ())
        rows = [r for r in stored(folder / "activations.json") if r.activation not in gone]
    for text in options.activations or (QUICK if options.quick else ACTIVATIONS):
        try:
            rows += measured(text, options.quick, options.slow, options.patience)
        except BadActivation as bad:
            say(f"{text}: {bad}")
            return 2
        if folder is not None:  # after each, so that an interrupted run leaves something
            folder.mkdir(parents=True, exist_ok=True)
            write(rows, folder)
    if options.json:
        print(json.dumps({"rows": [record(r) for r in rows]}, indent=1))
    else:
        print("\n".join((*table(rows, names), "", *verdict(rows, names))))
    return 1 if any(broken(rows)) else 0


if __name__ == "__main__":
    sys.exit(main())
