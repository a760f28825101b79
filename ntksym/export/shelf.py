"""The shelf: build `codegen/` from its manifest, and check that it is fresh.

Its only input is the manifest; the lock records the digest of every program, the versions and the
SHA-256 of every file.

The lock has the measured errors of every kernel in both precisions, relative to the size of the
kernel and, where it has no zero, to its value; and what is over the goal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..backends import Contract
from ..errors import BadSpec, NtksymError
from ..lower import Program
from ..lower.kernel import REQUIRES_FINITE
from ..lower.schedule import Schedule, evaluate_network
from ..runtime.dual_engines import CDual, NumpyDual
from ..runtime.engines import CNetwork, NumpyNetwork
from ..runtime.kernel import CompiledKernel
from .files import Lowered, sources, write_files
from .manifest import Entry, read_manifest, sha256
from .measure import Worst, measure_dual, measure_pairs, measure_single, measure_single_pairs

SCHEMA = "ntksym/shelf/1"
DEFAULT_PARAMETER = 0.5
LOCK = "manifest.lock"
MANIFEST = "manifest.toml"
GOAL = 4.0
"""What every kernel should reach, in eps of its precision."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The worst errors of one kernel in one target: doubles, and floats against them."""

    double: tuple[Worst, ...]
    single: tuple[Worst, ...]

    def record(self, dtype: str) -> dict[str, Any]:
        """What the lock says of one precision."""
        found = self.single if dtype == "float32" else self.double
        return {w.output: w.record() for w in found}


def measure(lowered: Lowered, target: str, entry: Entry) -> Measured:
    """The measured worst errors of one target.

    Raises:
        NoCompiler: the target is C and no compiler works.
    """
    contract = Contract("measurement", lowered.formula)
    given = dict(entry.values)
    if lowered.network is not None:
        return _measure_network(lowered.network, target, contract)
    assert lowered.dual is not None
    pair, diag = lowered.dual
    dual_engine = (CDual if target == "c" else NumpyDual)(pair, diag, contract, keep=False)
    names = {a for p in lowered.dual for a in p.args} - {"q11", "q12", "q22", "q"}
    params: dict[str, Any] = {n: given.get(n, DEFAULT_PARAMETER) for n in sorted(names)}
    numbers = tuple(float(params[a]) for a in pair.args if a in params)

    def run_dual(*arrays: Any) -> tuple[Any, Any]:
        return dual_engine.pair(tuple(map(np.ascontiguousarray, arrays)), numbers)

    scale_free = not requires_moderate(lowered.programs)
    double = measure_dual(pair, diag, run_dual, params, scale_free=scale_free)
    return Measured(double, measure_single(run_dual, scale_free=scale_free))


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


def accuracy_text(worst: tuple[Worst, ...]) -> str:
    """The accuracy line of a file head, rounded up to one digit after the point."""
    parts = [f"{w.output} {_rounded(w.eps)} eps" for w in worst]
    count = max((w.count for w in worst), default=0)
    return f"at most {', '.join(parts)} of the kernel's size at {count} points, 34-digit reference"


def goal_lines(measured: dict[str, Measured]) -> tuple[str, ...]:
    """How many kernels are within `GOAL` eps, a line for each target and precision."""
    lines = []
    for target, title in (("c", "C"), ("numpy", "NumPy")):
        for dtype in ("float64", "float32"):
            rows = [_worst_of(m, dtype) for k, m in measured.items() if k.endswith(f".{target}")]
            signed = [v for _, v in rows if v is not None]
            if rows:
                lines.append(
                    f"{title} {dtype}: {sum(e <= GOAL for e, _ in rows)} of {len(rows)} within "
                    f"{GOAL:g} eps of the size, {sum(v <= GOAL for v in signed)} of {len(signed)} "
                    "of the value"
                )
    return tuple(lines)


def missed(measured: dict[str, Measured]) -> dict[str, list[str]]:
    """What is over `GOAL`: by target, precision and measure, "kernel.output eps"."""
    found: dict[str, list[str]] = {}
    for key, m in sorted(measured.items()):
        name, target = key.rsplit(".", 1)
        for dtype, worst in (("float64", m.double), ("float32", m.single)):
            for w in worst:
                for kind, eps in (("size", w.eps), ("value", w.of_value)):
                    if eps is not None and not eps <= GOAL:
                        rows = found.setdefault(f"{target} {dtype}, of the {kind}", [])
                        rows.append(f"{name}.{w.output} {_rounded(eps)}")
    return found


def _worst_of(m: Measured, dtype: str) -> tuple[float, float | None]:
    """Of all outputs: relative to the size, and to the value; None where every one has a zero."""
    worst = m.single if dtype == "float32" else m.double
    signed = [w.of_value for w in worst if w.of_value is not None]
    return max((w.eps for w in worst), default=0.0), max(signed, default=None)


def _rounded(eps: float) -> str:
    import math

    return f"{math.ceil(eps * 10) / 10:.1f}" if math.isfinite(eps) else str(eps)


def build_shelf(
    path: str | Path, report: Callable[[str], None] | None = None
) -> dict[str, Measured]:
    """Write every file of the manifest and the lock; the measured errors by "name.target".

    An entry that has no closed form, or that is less accurate than its budget, stops the build.

    Raises:
        BadSpec: a manifest that cannot be read, or an entry over its `eps_max`.
        NoClosedForm: an entry without closed form.
        NoCompiler: C cannot be measured.
        CannotWrite: a file cannot be written.
    """
    root = Path(path)
    records: dict[str, Any] = {}
    measured: dict[str, Measured] = {}
    for entry in read_manifest(root / MANIFEST):
        lowered = entry.lower()
        record: dict[str, Any] = {
            "programs": {p.name: p.digest() for p in lowered.programs},
            "files": {},
            "accuracy": {},
            "measured": {},
            "measured_float32": {},
        }
        for target in entry.targets:
            found = measure(lowered, target, entry)
            worst = found.double
            over = [w for w in worst if not w.eps <= entry.eps_max]
            if over:
                raise BadSpec(
                    f"{entry.name}: {over[0].output} is off by {over[0].eps:.3g} eps in {target}",
                    where=f"at (q11, q12, q22) = {over[0].point}",
                    hint=f"the budget eps_max is {entry.eps_max}: a row of the accuracy table",
                )
            measured[f"{entry.name}.{target}"] = found
            text = accuracy_text(worst)
            made = sources(lowered, target, text)
            write_files(made, root / target, force=True)
            record["files"].update({f"{target}/{f.name}": sha256(f.text) for f in made})
            record["accuracy"][target] = text
            record["measured"][target] = found.record("float64")
            record["measured_float32"][target] = found.record("float32")
            if report is not None:
                report(f"{entry.name} {target}: {text}")
        records[entry.name] = record
    lock = {
        "schema": SCHEMA,
        "versions": versions(),
        "goal": {"eps": GOAL, "reached": list(goal_lines(measured)), "missed": missed(measured)},
        "kernels": records,
    }
    from ..backends import SourceFile

    text = json.dumps(lock, indent=1, sort_keys=True) + "\n"
    write_files((SourceFile(LOCK, text),), root, force=True)
    return measured


def versions() -> dict[str, str]:
    """What the bytes and the measurements depend on."""
    import mpmath
    import numpy
    import sympy

    return {
        "python": ".".join(map(str, sys.version_info[:2])),
        "sympy": sympy.__version__,
        "mpmath": mpmath.__version__,
        "numpy": numpy.__version__,
    }


def check_shelf(path: str | Path) -> tuple[str, ...]:
    """What is not as the manifest says, one line each; empty when the shelf is fresh.

    Files are generated again and compared by their bytes; the accuracy lines are those of the
    lock.  Nothing is measured and nothing is written.

    Raises:
        BadSpec: the manifest or the lock cannot be read.
    """
    root = Path(path)
    try:
        lock = json.loads((root / LOCK).read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise BadSpec(f"cannot read {root / LOCK}", where=str(error)) from error
    stale: list[str] = []
    expected: set[str] = set()
    entries = read_manifest(root / MANIFEST)
    records = lock.get("kernels", {})
    for entry in entries:
        record = records.get(entry.name)
        if record is None:
            stale.append(f"{entry.name}: not in the lock")
            continue
        try:
            lowered = entry.lower()
        except NtksymError as error:
            stale.append(f"{entry.name}: {error.what}")
            continue
        if record["programs"] != {p.name: p.digest() for p in lowered.programs}:
            stale.append(f"{entry.name}: its programs have changed")
        for target in entry.targets:
            text = record["accuracy"].get(target, "not measured")
            for made in sources(lowered, target, text):
                name = f"{target}/{made.name}"
                expected.add(name)
                there = root / name
                if not there.is_file():
                    stale.append(f"{name}: missing")
                elif there.read_text(encoding="ascii") != made.text:
                    stale.append(f"{name}: differs from what is generated now")
    stale += [
        f"{n}: in the lock, not in the manifest" for n in sorted(set(records) - _names(entries))
    ]
    for folder in ("c", "numpy"):
        for there in sorted((root / folder).glob("*.[chp]*")):
            name = f"{folder}/{there.name}"
            if name not in expected and there.suffix in (".c", ".h", ".py"):
                stale.append(f"{name}: nobody generates it")
    return tuple(stale)


def _names(entries: tuple[Entry, ...]) -> set[str]:
    return {e.name for e in entries}


def requires_moderate(programs: tuple[Program, ...]) -> bool:
    """Whether a contract asks that nothing overflows."""
    return any(REQUIRES_FINITE in p.requires for p in programs)
