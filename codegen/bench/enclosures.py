"""Thirty proven digits at five points, for every activation of the frameworks and the catalogue.

The list of the frameworks is `frameworks.toml`.  Value and derivative dual are enclosed from the
definition alone, with `ntksym.verify.balls.enclose_definition`; nothing is known of closed forms.
Exit status 1 where one misses the digits or the time.  `--out enclosures.txt` keeps the table.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sympy import Symbol

from ntksym.activation import Activation
from ntksym.activations import catalogue
from ntksym.errors import NotSquareIntegrable, NtksymError
from ntksym.language import parse_activation
from ntksym.verify.balls import enclose_definition

LIST = Path(__file__).with_name("frameworks.toml")
POINTS = (
    ("1", "0.999999", "1"),
    ("9", "-4", "2.5"),
    ("0.01", "0.005", "4"),
    ("100", "60", "100"),
    ("1", "0.5", "1"),
)
EXTRA = 15
"""An enclosure is good enough at 10^-(digits + EXTRA) too, which a value of zero can reach."""
TRIES = 2
"""A processor time beyond the limit counts only if it is beyond it this often."""


@dataclass(frozen=True, slots=True)
class Row:
    """One activation with numbers for its parameters."""

    name: str
    formula: str
    activation: Activation
    params: dict[str, str]


@dataclass(frozen=True, slots=True)
class Result:
    """One quantity of one activation at one point; `note` is empty where all is well."""

    name: str
    quantity: str
    point: tuple[str, str, str]
    digits: float
    seconds: float
    value: str
    note: str
    infinite: bool = False


def rows(words: Sequence[str] = ()) -> tuple[Row, ...]:
    """The frameworks' list, then the catalogue; each function with its numbers once."""
    found = []
    with LIST.open("rb") as file:
        for entry in tomllib.load(file)["activation"]:
            act = parse_activation(entry["formula"], entry.get("assume", {}), entry["name"])
            found.append(Row(entry["name"], entry["formula"], act, entry.get("at", {})))
    for act in catalogue():
        found.append(Row(act.name, act.name, act, {p.name: _sample(p) for p in act.params}))
    out: dict[Any, Row] = {}
    for row in found:
        out.setdefault((row.activation.expr, tuple(sorted(row.params.items()))), row)
    return tuple(
        row for row in out.values() if not words or any(w in row.name.lower() for w in words)
    )


def _sample(parameter: Symbol) -> str:
    if parameter.name == "b" and parameter.is_positive is None:
        return "-1/300"  # the rate of exp(b x^2), finite at every variance
    return "-2/3" if parameter.is_negative else "2/3"


def measured(row: Row, digits: int, limit: float) -> Iterator[Result]:
    """The enclosures of one activation at all points."""
    for point in POINTS:
        for derivative in (False, True):
            quantity = "derivative" if derivative else "value"
            value, note, seconds, infinite, proven = "", "", 0.0, False, 0.0
            for _ in range(TRIES):
                start = time.process_time()
                try:
                    ball = enclose_definition(
                        row.activation,
                        *point,
                        params=row.params,
                        digits=digits,
                        derivative=derivative,
                    )
                except NotSquareIntegrable as error:
                    infinite, note, proven = True, error.what, float("inf")
                except NtksymError as error:
                    note = error.what
                else:
                    value, note, proven = str(ball), "", float(ball.rel_digits)
                    if proven < digits and ball.rad * 10 ** (digits + EXTRA) > 1:
                        note = "digits"
                seconds = time.process_time() - start
                if seconds <= limit:
                    break
            else:
                note = note or "time"
            yield Result(row.name, quantity, point, proven, seconds, value, note, infinite)


def summary(row: Row, results: Sequence[Result]) -> str:
    """One line of the table."""
    finite = [r for r in results if not r.infinite]
    fewest = min((r.digits for r in finite), default=float("inf"))
    slowest = max(results, key=lambda r: r.seconds)
    where = f"{slowest.quantity} at ({', '.join(slowest.point)})"
    lost = len(results) - len(finite)
    tail = f"  {lost} infinite" if lost else ""
    bad = [r for r in finite if r.note]
    if bad:
        tail += f"  MISSED {len(bad)}: {bad[0].note} ({bad[0].quantity} at {bad[0].point})"
    return f"{row.name[:38]:38s} {fewest:7.1f} {slowest.seconds:7.2f}  {where}{tail}"


def main() -> int:
    """Run, print the table, and say what missed the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only activations with one of these in the name")
    parser.add_argument("--digits", type=int, default=30)
    parser.add_argument("--limit", type=float, default=2.0, help="processor seconds per enclosure")
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    args = parser.parse_args()
    chosen = rows([w.lower() for w in args.words])
    everything: list[Result] = []
    lines: list[str] = []

    def show(line: str) -> None:
        lines.append(line)
        if not args.json:
            print(line, flush=True)

    show(f"{'activation':38s} {'digits':>7s} {'seconds':>7s}  slowest")
    for number, row in enumerate(chosen, 1):
        if sys.stderr.isatty():
            print(f"\r{number}/{len(chosen)} {row.name[:50]:50s}", end="\r", file=sys.stderr)
        results = list(measured(row, args.digits, args.limit))
        everything += results
        show(summary(row, results))
    missed = [r for r in everything if r.note and not r.infinite]
    infinite = [r for r in everything if r.infinite]
    worst = sorted(everything, key=lambda r: -r.seconds)[:5]
    if args.json:
        record = {
            "schema": "ntksym/enclosures/1",
            "digits": args.digits,
            "limit": args.limit,
            "activations": len(chosen),
            "missed": len(missed),
            "results": [{**asdict(r), "digits": min(r.digits, 1e6)} for r in everything],
        }
        print(json.dumps(record, indent=1))
        return 1 if missed else 0
    show(
        f"{len(chosen)} activations, {len(everything)} enclosures: {len(missed)} missed "
        f"{args.digits} digits or {args.limit} s; {len(infinite)} are infinite at their point"
    )
    for r in worst:
        show(f"  {r.seconds:.2f} s  {r.name}, {r.quantity} at ({', '.join(r.point)})")
    if args.out:
        args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
