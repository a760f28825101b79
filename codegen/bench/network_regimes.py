"""Networks at rows of data in the regimes where kernels lose digits, against ball arithmetic.

    python codegen/bench/network_regimes.py                      goes on where it stopped
    python codegen/bench/network_regimes.py --points 40 --activations relu "x*exp(-x^2)" tanh
    python codegen/bench/network_regimes.py --report             the page again

C and NumPy, float64 and float32, depth 3, 20 and 100, without biases and with; the regimes are
those of `regimes.py` for duals, said of rows.  Activations without a closed form: compiled C, to
depth 20, rows of nearly equal norms.  `network_regimes.md` says what the numbers mean.  Exit status
1 where a kernel misses 1e-14 (float32: 1e-6; tables: their error) by more than rounding the rows
would change it, or is no number.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from dual_methods import Late, patience, read, say
from flint import arb
from network_definitions import Definitions
from network_references import Chain, Kernels, rounded
from network_report import report
from network_rows import DTYPES, OPEN, REGIMES, level, rows
from off_grid import kernels

import ntksym
from ntksym.activation import Activation
from ntksym.dual import Dual
from ntksym.errors import NtksymError
from ntksym.lower import lower_network
from ntksym.lower.growth import growth
from ntksym.network import Network, recurse
from ntksym.numeric.choose import best_dual
from ntksym.numeric.mixture import MixtureDual
from ntksym.runtime import compile as compile_
from ntksym.verify.balls import enclose_definition

OUT = Path(__file__).with_name("network_regimes.json")
SCHEMA = "ntksym/network-regimes/2"
ACTIVATIONS = (
    "relu", "leaky_relu", "abs", "erf", "gelu", "sin", "cos", "snake", "elu", "selu", "hardtanh",
    "softshrink", "gaussian", "gabor", "odd_gaussian", "x_erf", "square",
    "shifted_relu", "tanh", "sigmoid", "mish",
)  # fmt: skip
DEPTHS = (3, 20, 100)
TARGETS = ("c", "numpy")
GOAL = {"float64": 1e-14, "float32": 1e-6}
REPRESENTABLE = {"float64": (1e-290, 1e290), "float32": (1e-36, 1e37)}
PATIENCE = 3.0
"""Seconds of a reference."""
BIASES = ("0", "1/10")
ROUNDINGS = 3
TABLES = 1e-9
"""The goal of tables: 1e-10 is asked for in each of three layers."""
UNITS = {"float64": 2.0**-52, "float32": 2.0**-23}
EXPLAINED = 4.0
"""An error so many times what rounding the rows does, by three examples, is that of the rows."""


@dataclass(slots=True)
class Worst:
    """Of one target, type, depth and regime: relative to the size; `of_value` to the value; `own`
    of what rounding the rows does not explain.
    """

    target: str
    dtype: str
    depth: int
    regime: str
    checked: int = 0
    unknown: int = 0
    bad: int = 0
    own: float = 0.0
    nngp: float = 0.0
    ntk: float = 0.0
    of_value: float = 0.0
    at: int = -1

    @property
    def worst(self) -> float:
        """Of both kernels."""
        return max(self.nngp, self.ntk)


@dataclass(slots=True)
class Record:
    """One activation with one variance of the bias."""

    name: str
    weight_var: str
    bias_var: str
    points: int
    seconds: float
    goal: float = GOAL["float64"]
    note: str = ""
    not_symmetric: int = 0
    wrong_diagonal: int = 0
    growth: list[float] = field(default_factory=list)
    worst: list[Worst] = field(default_factory=list)

    @property
    def key(self) -> str:
        """What it is kept under."""
        return f"{self.name}, bias {self.bias_var}"

    @property
    def missed(self) -> bool:
        """Whether a goal is missed somewhere."""
        return any(w.bad or not w.own <= max(self.goal, GOAL[w.dtype]) for w in self.worst)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured of an activation: all of a closed form; of others what can be built, and has
    references, in time."""

    depths: tuple[int, ...] = DEPTHS
    targets: tuple[str, ...] = TARGETS
    dtypes: tuple[str, ...] = DTYPES
    regimes: tuple[str, ...] = REGIMES
    goal: float = GOAL["float64"]

    @classmethod
    def of(cls, act: Activation) -> Plan:
        """By the method that `compile` takes."""
        found = best_dual(act)
        if isinstance(found, Dual):
            return cls()
        if isinstance(found, MixtureDual):
            return cls((3, 20), ("c",), DTYPES[:1], OPEN)
        return cls((3,), ("c",), DTYPES[:1], OPEN, TABLES)

    @property
    def closed(self) -> bool:
        """Whether rows of all lengths are taken, and the references are the closed form's."""
        return self.regimes is REGIMES

    def rows(self, regime: str, points: int, dtype: str) -> tuple[Any, Any]:
        """X and Y, to be compared row with row."""
        found = rows(regime, points, dtype)
        return found if self.closed else level(*found)

    def chain(self, net: Network, grown: Sequence[float]) -> Chain:
        """The references of a network, by the growth of angles at its depths."""
        if not self.closed:
            return Definitions(net)
        return Chain(recurse(net), max((g for g in grown if g < math.inf), default=1.0))


def activation(word: str) -> Activation:
    """With the parameters of the manifest, where it is there."""
    try:
        return next(iter(kernels([word]))).exact
    except NtksymError:  # no closed form
        return read(word)


def gain(act: Activation) -> str:
    """The weight variance that keeps the variance one, a short number: 1/E[s(z)^2]."""
    value = enclose_definition(act, 1, 1, 1, digits=6).mid
    return str(Fraction(f"{1.0 / float(value):.3g}"))


def network(act: Activation, depth: int, weight_var: str, bias_var: str) -> Network:
    """All layers alike."""
    return ntksym.mlp(act, depth=depth, weight_var=weight_var, bias_var=bias_var)


def measured(
    name: str, act: Activation, bias_var: str, points: int, seconds: float, tell: Any
) -> Record:
    """All regimes, depths, targets and types of one activation."""
    weight_var, plan = gain(act), Plan.of(act)
    nets = [network(act, depth, weight_var, bias_var) for depth in plan.depths]
    record = Record(name, weight_var, bias_var, points, seconds, plan.goal)
    if plan.closed:  # by depth, the bound of what a relative error of the rows becomes
        record.growth = [growth(lower_network(recurse(net))).inputs for net in nets]
    chain = plan.chain(nets[-1], record.growth)
    known = {
        (regime, dtype): References(chain, *plan.rows(regime, points, dtype), plan.depths, seconds)
        for dtype in plan.dtypes
        for regime in plan.regimes
        if not (dtype == "float32" and regime in ("near 1e-8", "near 1e-12"))
    }
    for net, target, dtype in product(nets, plan.targets, plan.dtypes):
        k = compile_(net, target, dtype, threads=1)
        if not plan.closed:  # one table for all regimes
            k(np.concatenate([z for found in known.values() for z in (found.x, found.y)]))
        for (regime, kind), found in known.items():
            if kind == dtype:
                seen = Worst(target, dtype, net.depth, regime)
                compare(k, found, seen, record)
                record.worst.append(seen)
                if not seen.own <= max(plan.goal, GOAL[dtype]) or seen.bad:
                    tell(
                        f"  {record.key} {target} {dtype} depth {net.depth} {regime}: "
                        f"{seen.nngp:.1e} {seen.ntk:.1e} bad {seen.bad} row {seen.at}"
                    )
    return record


class References:
    """Balls of every pair of rows by depth; empty where there was no time."""

    def __init__(self, chain: Chain, x: Any, y: Any, depths: Sequence[int], seconds: float) -> None:
        self.x, self.y = x, y
        self._chain, self._depths = chain, depths
        self._moved: dict[int, list[dict[int, Kernels]]] = {}
        end = time.process_time() + seconds
        self.found = [
            self._filled(a, b) if time.process_time() < end else {}
            for a, b in zip(x, y, strict=True)
        ]

    def _filled(self, a: Any, b: Any) -> dict[int, Kernels]:
        found: dict[int, Kernels] = {}
        try:
            with patience(PATIENCE):
                self._chain.fill(found, a, b, self._depths)
        except (Late, SystemError):  # the second where it came inside a callback of FLINT
            pass
        return found

    def moved(self, i: int, depth: int) -> float:
        """The most that rounding the rows of a pair anew changed of its kernels, by `ROUNDINGS`
        examples, relative to the sizes."""
        if i not in self._moved:
            given = self.x[i], self.y[i], UNITS[self.x.dtype.name]
            self._moved[i] = [self._filled(*rounded(*given, seed)) for seed in range(ROUNDINGS)]
        exact, worst = self.found[i][depth], 0.0
        for other in (found[depth] for found in self._moved[i] if depth in found):
            for ours, theirs, size in (
                (exact.nngp, other.nngp, exact.sizes[0]),
                (exact.ntk, other.ntk, exact.sizes[1]),
                *zip(exact.own_nngp, other.own_nngp, exact.own_nngp, strict=True),
                *zip(exact.own_ntk, other.own_ntk, exact.own_ntk, strict=True),
            ):
                if size != 0:
                    worst = max(worst, float((abs(ours - theirs) / size).mid()))
        return worst


def compare(k: Any, known: References, seen: Worst, record: Record) -> None:
    """Errors of the pairs of rows, and of the rows with themselves; symmetry and diagonals."""
    x, y = known.x, known.y
    both = np.concatenate([x, y])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        across, whole, own = k(x, y), k(both), k.diag(both)
    n = len(x)
    for a, b in ((whole.nngp, own.nngp), (whole.ntk, own.ntk)):
        record.not_symmetric += int(not np.array_equal(a, a.T, equal_nan=True))
        record.wrong_diagonal += int(not np.array_equal(np.diag(a), b, equal_nan=True))
    for i, found in enumerate(known.found):
        if seen.depth not in found:
            seen.unknown += 1
            continue
        exact = found[seen.depth]
        if not usable(exact, seen.dtype):
            continue
        seen.checked += 1
        values = (
            (across.nngp[i, i], exact.nngp, 0, exact.sizes[0]),
            (across.ntk[i, i], exact.ntk, 1, exact.sizes[1]),
            (own.nngp[i], exact.own_nngp[0], 0, exact.own_nngp[0]),
            (own.ntk[i], exact.own_ntk[0], 1, exact.own_ntk[0]),
            (own.nngp[n + i], exact.own_nngp[1], 0, exact.own_nngp[1]),
            (own.ntk[n + i], exact.own_ntk[1], 1, exact.own_ntk[1]),
            (whole.nngp[i, n + i], exact.nngp, 0, exact.sizes[0]),
            (whole.ntk[i, n + i], exact.ntk, 1, exact.sizes[1]),
        )
        worst = max(note(seen, i, float(got), *rest) for got, *rest in values)
        if worst > GOAL[seen.dtype] and worst <= EXPLAINED * known.moved(i, seen.depth):
            continue
        seen.own = max(seen.own, worst)


def usable(exact: Kernels, dtype: str) -> bool:
    """Whether the kernels of both rows are numbers of the type, or zero."""
    low, high = REPRESENTABLE[dtype]
    return all(v == 0 or low < abs(v) < high for v in (*exact.own_nngp, *exact.own_ntk))


def note(seen: Worst, i: int, got: float, ball: Any, which: int, size: Any) -> float:
    """Count one value; its error relative to the size."""
    if not math.isfinite(got):
        seen.bad += 1
        seen.at = i
        return math.inf
    error = abs(arb(got) - ball)
    if size == 0:  # the kernel of a row of zeros without bias: an exact zero
        relative = 0.0 if error == 0 else math.inf
    else:
        relative = float((error / size).mid())
    if ball != 0:
        seen.of_value = max(seen.of_value, float((error / abs(ball)).mid()))
    if relative > seen.worst:
        seen.at = i
    if which:
        seen.ntk = max(seen.ntk, relative)
    else:
        seen.nngp = max(seen.nngp, relative)
    return relative


def stored(path: Path = OUT) -> dict[str, Record]:
    """What is there already, by key."""
    if not path.exists():
        return {}
    data, out = json.loads(path.read_text(encoding="utf-8")), {}
    for entry in data["results"] if data["schema"] == SCHEMA else ():
        seen = [Worst(**w) for w in entry.pop("worst")]
        record = Record(**entry, worst=seen)
        out[record.key] = record
    return out


def write(records: dict[str, Record], path: Path = OUT) -> None:
    """The records, and the page beside them."""
    results = [asdict(r) for r in records.values()]
    fresh = path.with_suffix(".tmp")
    lines = ",\n".join(json.dumps(r) for r in results)  # a network a line
    fresh.write_text(f'{{"schema": "{SCHEMA}", "results": [\n{lines}\n]}}\n')
    fresh.replace(path)
    path.with_suffix(".md").write_text(report(list(records.values())), encoding="utf-8")


def main() -> int:
    """Measure what is not there yet; write; say what misses."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--activations", nargs="+", default=ACTIVATIONS, help="names, or formulas, quoted"
    )
    parser.add_argument("--points", type=int, default=6, help="pairs of rows in each regime")
    parser.add_argument("--seconds", type=float, default=2.0, help="of references, each regime")
    parser.add_argument("--again", action="store_true", help="also what is there already")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    records = stored(options.out)
    for name in () if options.report else options.activations:
        for bias in BIASES:
            key = Record(name, "", bias, 0, 0.0).key
            if key in records and records[key].points >= options.points and not options.again:
                continue
            began = time.process_time()
            given = name, activation(name), bias, options.points, options.seconds
            records[key] = measured(*given, say)
            say(f"{key}: {time.process_time() - began:.0f} s")
            write(records, options.out)
    write(records, options.out)
    print(f"{len(records)} networks of {len(DEPTHS)} depths: {options.out.with_suffix('.md')}")
    return int(any(r.missed for r in records.values()))


if __name__ == "__main__":
    sys.exit(main())
