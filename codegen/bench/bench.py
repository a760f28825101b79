"""The figures the project promises, measured: run `make bench`.

Ratios within one run mean something on a noisy machine; single times mean little.  Not a test.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

from ntksym.activations import catalogue
from ntksym.dual import _dual
from ntksym.errors import NtksymError
from ntksym.verify.prove import prove


def seconds(code: str, runs: int = 5) -> float:
    """The median wall time of a fresh interpreter that runs `code`."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def derive_times() -> dict[str, float]:
    times = {}
    for act in catalogue():
        began = time.perf_counter()
        try:
            _dual.__wrapped__(act, False)
        except NtksymError:
            continue
        times[act.name] = time.perf_counter() - began
    return times


def enclosure_times(names: list[str]) -> dict[str, float]:
    """Seconds per 30-digit point, definition and derived form, dual and derivative dual."""
    times = {}
    for name in names:
        points = [("13/10", "2/5", "7/10"), (9, -4, "5/2"), (1, "999999/1000000", 1)]
        began = time.perf_counter()
        report = prove(name, points=points)
        times[name] = (time.perf_counter() - began) / max(len(report.comparisons), 1)
    return times


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--enclose", action="store_true", help="enclosures too (a minute or two)")
    options = parser.parse_args()
    derive = derive_times()
    bare = seconds("pass")
    sympy = seconds("import sympy") - bare
    result: dict[str, object] = {
        "derive": {
            "entries": len(derive),
            "median_s": statistics.median(derive.values()),
            "worst_s": max(derive.values()),
            "worst": max(derive, key=derive.__getitem__),
        },
        "import": {
            "sympy_s": sympy,
            "ntksym_s": seconds("import ntksym; ntksym.dual") - bare - sympy,
            "version_s": seconds("from ntksym.cli import main; main(['--version'])"),
        },
    }
    if options.enclose:
        times = enclosure_times(list(derive))
        result["enclosure_per_point"] = {
            "median_s": statistics.median(times.values()),
            "worst_s": max(times.values()),
            "worst": max(times, key=times.__getitem__),
        }
    if options.json:
        print(json.dumps({"schema": "ntksym/bench/1", **result}, indent=1))
        return
    for group, rows in result.items():
        print(group)
        for name, value in rows.items():  # type: ignore[attr-defined]
            print(
                f"  {name:12s} {value:.4f}" if isinstance(value, float) else f"  {name:12s} {value}"
            )


if __name__ == "__main__":
    main()
