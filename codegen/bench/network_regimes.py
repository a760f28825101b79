"""Networks at rows of data in the regimes where kernels lose digits, against ball arithmetic.

    python codegen/bench/network_regimes.py                      goes on where it stopped
    python codegen/bench/network_regimes.py --points 40 relu "x*exp(-x^2)"
    python codegen/bench/network_regimes.py --report             the page again

C and NumPy, float64 and float32, depth 3, 20 and 100, without biases and with; the regimes are
those of `regimes.py` for duals, said of rows.  `network_regimes.md` says what the numbers mean.
Exit status 1 where a kernel misses 1e-14 (float32: 1e-6) or is no number.
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
from pathlib import Path
from typing import Any

import numpy as np
from dual_methods import Late, patience, say
from flint import acb, arb
from network_references import Chain, Kernels
from network_report import report
from off_grid import kernels

import ntksym
from ntksym.activation import Activation
from ntksym.dual import dual
from ntksym.lower import lower_network
from ntksym.lower.growth import growth
from ntksym.network import Network, recurse
from ntksym.runtime import compile as compile_

OUT = Path(__file__).with_name("network_regimes.json")
SCHEMA = "ntksym/network-regimes/1"
ACTIVATIONS = (
    "relu", "leaky_relu", "abs", "erf", "gelu", "sin", "cos", "snake", "elu", "selu", "hardtanh",
    "softshrink", "gaussian", "gabor", "odd_gaussian", "x_erf", "square",
    "shifted_relu",
)  # fmt: skip
REGIMES = (
    "random", "equal", "parallel", "near 1e-3", "near 1e-6", "near 1e-8", "near 1e-12", "opposite",
    "orthogonal", "zero", "scales", "mixed", "unlike",
)  # fmt: skip
DEPTHS = (3, 20, 100)
TARGETS = ("c", "numpy")
DTYPES = ("float64", "float32")
GOAL = {"float64": 1e-14, "float32": 1e-6}
WIDTH = 12
TOP = {"float64": 150.0, "float32": 18.0}
REPRESENTABLE = {"float64": (1e-290, 1e290), "float32": (1e-36, 1e37)}
PATIENCE = 3.0
"""Seconds of a reference."""
BIASES = ("0", "1/10")


def rows(regime: str, count: int, dtype: str) -> tuple[Any, Any]:
    """X and Y (count, WIDTH), to be compared row with row; numbers of the type."""
    rng = np.random.default_rng((11, REGIMES.index(regime), DTYPES.index(dtype)))
    x = rng.normal(size=(count, WIDTH)) * 10.0 ** rng.uniform(-0.5, 0.5, (count, 1))
    z = rng.normal(size=(count, WIDTH))
    z *= np.linalg.norm(x, axis=1, keepdims=True) / np.linalg.norm(z, axis=1, keepdims=True)
    y = z * 10.0 ** rng.uniform(-0.5, 0.5, (count, 1))
    if regime == "equal":
        y = x.copy()
    elif regime == "parallel":
        y = 3.7 * x
    elif regime == "unlike":
        y = x * rng.uniform(1.02, 1.5, (count, 1))
    elif regime.startswith("near"):
        x = x.astype(dtype).astype(float)
        y = x + float(regime.split()[1]) * rng.uniform(0.5, 2.0, (count, 1)) * z
    elif regime == "opposite":
        y = -x
        y[1::2] = -x[1::2] * (1.0 + 10.0 ** rng.uniform(-8, -1, (count, 1)) * z)[1::2]
    elif regime == "orthogonal":
        x[:, WIDTH // 2 :] = 0.0
        y[:, : WIDTH // 2] = 0.0
    elif regime == "zero":
        x[:] = 0.0
        y[::3] = 0.0
    elif regime == "scales":
        scale = 10.0 ** rng.uniform(-TOP[dtype], TOP[dtype], (count, 1))
        y[1::2] = (x + 1e-7 * z)[1::2]
        x, y = x * scale, y * scale
    elif regime == "mixed":
        top = 6.0
        x = x * 10.0 ** rng.uniform(-top, -1.5, (count, 1))
        y = y * 10.0 ** rng.uniform(0.0, top / 2, (count, 1))
    return x.astype(dtype), y.astype(dtype)


@dataclass(slots=True)
class Worst:
    """Of one target, type, depth and regime: relative to the size; `of_value` to the value."""

    target: str
    dtype: str
    depth: int
    regime: str
    checked: int = 0
    unknown: int = 0
    bad: int = 0
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
        return any(w.bad or not w.worst <= GOAL[w.dtype] for w in self.worst)


def gain(act: Activation) -> str:
    """The weight variance that keeps the variance one, a short number: 1/E[s(z)^2]."""
    from ntksym.collapse.straight import Straight
    from ntksym.symbols import q

    value = float(Straight((dual(act).diag,), (q,))(acb(1))[0].real.mid())
    return str(Fraction(f"{1.0 / value:.3g}"))


def network(act: Activation, depth: int, weight_var: str, bias_var: str) -> Network:
    """All layers alike."""
    return ntksym.mlp(act, depth=depth, weight_var=weight_var, bias_var=bias_var)


def measured(
    name: str, act: Activation, bias_var: str, points: int, seconds: float, tell: Any
) -> Record:
    """All regimes, depths, targets and types of one activation."""
    weight_var = gain(act)
    record = Record(name, weight_var, bias_var, points, seconds)
    chain = Chain(recurse(network(act, max(DEPTHS), weight_var, bias_var)))
    record.growth = grown(act, weight_var, bias_var)
    known = {
        (regime, dtype): references(chain, *rows(regime, points, dtype), seconds)
        for dtype in DTYPES
        for regime in REGIMES
        if not (dtype == "float32" and regime in ("near 1e-8", "near 1e-12"))
    }
    for depth in DEPTHS:
        for target in TARGETS:
            for dtype in DTYPES:
                net = network(act, depth, weight_var, bias_var)
                k = compile_(net, target, dtype, threads=1)
                for (regime, kind), found in known.items():
                    if kind == dtype:
                        seen = Worst(target, dtype, depth, regime)
                        compare(k, rows(regime, points, dtype), found, seen, record)
                        record.worst.append(seen)
                        if not seen.worst <= GOAL[dtype] or seen.bad:
                            tell(
                                f"  {record.key} {target} {dtype} depth {depth} {regime}: "
                                f"{seen.nngp:.1e} {seen.ntk:.1e} bad {seen.bad} row {seen.at}"
                            )
    return record


def grown(act: Activation, weight_var: str, bias_var: str) -> list[float]:
    """By depth, the bound of what a relative error of the rows becomes: see `lower.growth`."""
    nets = [network(act, depth, weight_var, bias_var) for depth in DEPTHS]
    return [growth(lower_network(recurse(net))).inputs for net in nets]


def references(chain: Chain, x: Any, y: Any, seconds: float) -> list[dict[int, Kernels]]:
    """Balls of every pair of rows by depth; empty where there was no time."""
    end = time.process_time() + seconds
    out: list[dict[int, Kernels]] = []
    for a, b in zip(x, y, strict=True):
        found: dict[int, Kernels] = {}
        if time.process_time() < end:
            try:
                with patience(PATIENCE):
                    chain.fill(found, a, b, DEPTHS)
            except (Late, SystemError):  # the second where it came inside a callback of FLINT
                pass
        out.append(found)
    return out


def compare(
    k: Any, data: tuple[Any, Any], known: Sequence[dict[int, Kernels]], seen: Worst, record: Record
) -> None:
    """Errors of the pairs of rows, and of the rows with themselves; symmetry and diagonals."""
    x, y = data
    both = np.concatenate([x, y])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        across, whole, own = k(x, y), k(both), k.diag(both)
    n = len(x)
    for a, b in ((whole.nngp, own.nngp), (whole.ntk, own.ntk)):
        record.not_symmetric += int(not np.array_equal(a, a.T, equal_nan=True))
        record.wrong_diagonal += int(not np.array_equal(np.diag(a), b, equal_nan=True))
    for i, found in enumerate(known):
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
        for got, ball, which, size in values:
            note(seen, i, float(got), ball, which, size)


def usable(exact: Kernels, dtype: str) -> bool:
    """Whether the kernels of both rows are numbers of the type, or zero."""
    low, high = REPRESENTABLE[dtype]
    return all(v == 0 or low < abs(v) < high for v in (*exact.own_nngp, *exact.own_ntk))


def note(seen: Worst, i: int, got: float, ball: Any, which: int, size: Any) -> None:
    """Count one value."""
    if not math.isfinite(got):
        seen.bad += 1
        seen.at = i
        return
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


def stored(path: Path = OUT) -> dict[str, Record]:
    """What is there already, by key."""
    if not path.exists():
        return {}
    out = {}
    for entry in json.loads(path.read_text(encoding="utf-8"))["results"]:
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
    parser.add_argument("words", nargs="*", help="names of the manifest, or formulas")
    parser.add_argument("--points", type=int, default=6, help="pairs of rows in each regime")
    parser.add_argument("--seconds", type=float, default=2.0, help="of references, each regime")
    parser.add_argument("--again", action="store_true", help="also what is there already")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    records = stored(options.out)
    for kernel in () if options.report else kernels(options.words or ACTIVATIONS):
        for bias in BIASES:
            key = Record(kernel.name, "", bias, 0, 0.0).key
            if key in records and records[key].points >= options.points and not options.again:
                continue
            began = time.process_time()
            given = kernel.name, kernel.exact, bias, options.points, options.seconds
            records[key] = measured(*given, say)
            say(f"{key}: {time.process_time() - began:.0f} s")
            write(records, options.out)
    write(records, options.out)
    print(f"{len(records)} networks of {len(DEPTHS)} depths: {options.out.with_suffix('.md')}")
    return int(any(r.missed for r in records.values()))


if __name__ == "__main__":
    sys.exit(main())
