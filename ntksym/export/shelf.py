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
from pathlib import Path
from typing import Any

from ..errors import BadSpec, NtksymError
from .files import sources, write_files
from .manifest import Entry, read_manifest, sha256
from .measured import Measured, measure, rounded_eps

SCHEMA = "ntksym/shelf/1"
LOCK = "manifest.lock"
MANIFEST = "manifest.toml"
GOAL = 4.0
"""What every kernel should reach, in eps of its precision."""


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
                        rows.append(f"{name}.{w.output} {rounded_eps(eps)}")
    return found


def _worst_of(m: Measured, dtype: str) -> tuple[float, float | None]:
    """Of all outputs: relative to the size, and to the value; None where every one has a zero."""
    worst = m.single if dtype == "float32" else m.double
    signed = [w.of_value for w in worst if w.of_value is not None]
    return max((w.eps for w in worst), default=0.0), max(signed, default=None)


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
            found = measure(lowered, target, dict(entry.values))
            worst = found.double
            over = [w for w in worst if not w.eps <= entry.eps_max]
            if over:
                raise BadSpec(
                    f"{entry.name}: {over[0].output} is off by {over[0].eps:.3g} eps in {target}",
                    where=f"at (q11, q12, q22) = {over[0].point}",
                    hint=f"the budget eps_max is {entry.eps_max}: a row of the accuracy table",
                )
            measured[f"{entry.name}.{target}"] = found
            text = found.text()
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
        raise BadSpec(
            f"cannot read {root / LOCK}",
            where=str(error),
            hint=f"ntksym export --shelf {root} writes it",
        ) from error
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
