"""The measured rows as tables, and where a peer is not beaten on both axes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, Protocol

from error_time_plot import Mark

NOISE = 1e-14
"""Errors up to this count as equal: what generated code is to reach."""


class Row(Protocol):
    """What the tables read."""

    @property
    def activation(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def span(self) -> tuple[float, float]: ...
    @property
    def errors(self) -> dict[str, tuple[float, float]]: ...
    @property
    def ns(self) -> float: ...
    @property
    def proven(self) -> float | None: ...
    @property
    def peer(self) -> bool: ...


def cell(error: tuple[float, float] | None) -> str:
    """Value/derivative."""
    if error is None:
        return "-"
    return "/".join("NaN" if math.isinf(e) else f"{e:.0e}" for e in error)


def duration(ns: float) -> str:
    """With a unit."""
    for size, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "us")):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"


def range_text(span: tuple[float, float]) -> str:
    """The variances a method is for."""
    if span == (0.0, math.inf):
        return "all q"
    return f"q = {span[0]:g}" if span[0] == span[1] else f"{span[0]:g}..{span[1]:g}"


HEAD = ("activation", "method", "code", "range")


def table(rows: Sequence[Row], sets: Sequence[str], *, markdown: bool = False) -> Iterator[str]:
    """The lines of the table."""
    head = [*HEAD, *sets, "proven", "time/entry"]
    body = [
        [
            r.activation,
            r.method,
            r.target,
            range_text(r.span),
            *(cell(r.errors.get(s)) for s in sets),
            "-" if r.proven is None else f"{r.proven:.0e}",
            duration(r.ns),
        ]
        for r in rows
    ]
    if markdown:
        yield "| " + " | ".join(head) + " |"
        yield "| " + " | ".join("---" for _ in head) + " |"
        for line in body:
            yield "| " + " | ".join(t.replace("|", "\\|") for t in line) + " |"
        return
    widths = [max(len(t) for t in column) for column in zip(head, *body, strict=True)]
    for line in (head, *body):
        yield "  ".join(t.ljust(w) for t, w in zip(line, widths, strict=True)).rstrip()


def by_method(rows: Sequence[Row], sets: Sequence[str]) -> Iterator[str]:
    """A Markdown table: of each method the worst errors and the median time over activations."""
    head = ["method", "code", "activations", *sets, "median time"]
    yield "| " + " | ".join(head) + " |"
    yield "| " + " | ".join("---" for _ in head) + " |"
    for key in dict.fromkeys((r.method, r.target) for r in sorted(rows, key=lambda r: r.peer)):
        same = [r for r in rows if (r.method, r.target) == key]
        worst = []
        for name in sets:
            pairs = [r.errors[name] for r in same if name in r.errors]
            both = (max(p[0] for p in pairs), max(p[1] for p in pairs)) if pairs else None
            worst.append(cell(both))
        time = duration(median(r.ns for r in same))
        yield "| " + " | ".join((*key, str(len(same)), *worst, time)) + " |"


def beats(own: Row, peer: Row, name: str) -> bool:
    """Whether `own` is no worse than `peer` on a set in error, and faster."""
    if name not in own.errors or own.ns >= peer.ns:
        return False
    pairs = zip(own.errors[name], peer.errors[name], strict=True)
    return all(a <= max(b, NOISE) for a, b in pairs)


def not_beaten(rows: Sequence[Row], sets: Sequence[str], target: str) -> Iterator[tuple[Row, str]]:
    """(peer, set) wherever no single method of ours is better on both axes."""
    for peer in (r for r in rows if r.peer):
        for name in sets:
            if name in peer.errors and not any(
                beats(r, peer, name) for r in _own(rows, peer.activation, name, target)
            ):
                yield peer, name


def _own(rows: Sequence[Row], activation: str, name: str, target: str) -> list[Row]:
    return [
        r
        for r in rows
        if not r.peer and r.activation == activation
        if target in ("", r.target) and name in r.errors
    ]


def worded(rows: Sequence[Row], sets: Sequence[str], target: str) -> Iterator[str]:
    """The same in words, a line for each activation and set."""
    found: dict[tuple[str, str], list[Row]] = {}
    for peer, name in not_beaten(rows, sets, target):
        found.setdefault((peer.activation, name), []).append(peer)
    for (activation, name), peers in found.items():
        said = ", ".join(f"{p.method} {cell(p.errors[name])} {duration(p.ns)}" for p in peers)
        own = _own(rows, activation, name, target)
        ours = "none was built"
        if own:
            fastest = min(own, key=lambda r: r.ns)
            best = min(own, key=lambda r: max(r.errors[name]))
            ours = "; ".join(
                f"{r.method} {r.target} {cell(r.errors[name])} {duration(r.ns)}"
                for r in ((fastest,) if best is fastest else (fastest, best))
            )
        yield f"{activation}, {name}: not better than {said}. Ours: {ours}"


def broken(rows: Sequence[Row], slack: float = 1e-14) -> Iterator[str]:
    """A line where a measured error is above the proven one and rounding."""
    for r in rows:
        for name, error in r.errors.items():
            if r.proven is not None and not max(error) <= r.proven + slack:
                yield f"{r.activation}, {r.method} {r.target}, {name}: {cell(error)}"


def verdict(rows: Sequence[Row], sets: Sequence[str], lead: str = "  ") -> Iterator[str]:
    """Where we are not better, and where a bound does not hold."""
    for target, words in (("", "any method of ours"), ("numpy", "ours in NumPy alone")):
        count = sum(name in r.errors for r in rows if r.peer for name in sets)
        missed = sum(1 for _ in not_beaten(rows, sets, target))
        yield (
            f"{words}: better in error and time at once than {count - missed} of {count} "
            "(peer, activation, set)."
        )
        yield from (f"{lead}{line}" for line in worded(rows, sets, target))
    lines = list(broken(rows))
    yield f"measured beyond the proven bound + 1e-14: {len(lines)}"
    yield from (f"{lead}{line}" for line in lines)


def marks(rows: Sequence[Row], sets: Sequence[str]) -> Iterator[Mark]:
    """The points of the plot; peers in one colour each, ours by method."""
    for r in rows:
        for name in sets:
            if name in r.errors:
                error = max(r.errors[name])
                title = f"{r.activation}: {r.method} {r.target}, {error:.1e}, {duration(r.ns)}"
                yield Mark(name, r.method, r.peer, r.target == "c", r.ns, error, title)


def record(row: Row) -> dict[str, Any]:
    """A row as JSON: what is not finite becomes null."""

    def number(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        "activation": row.activation,
        "method": row.method,
        "code": row.target,
        "variances": [number(v) for v in row.span],
        "errors": {k: {"value": number(v), "derivative": number(d)}
                   for k, (v, d) in row.errors.items()},
        "proven": None if row.proven is None else number(row.proven),
        "ns_per_entry": number(row.ns),
        "peer": row.peer,
    }  # fmt: skip
