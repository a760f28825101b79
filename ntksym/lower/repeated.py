"""A program at many points of a grid: what depends on one argument is computed once per value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .ops import OPS
from .program import Let, Program

_MOST = 4096
"""Values of arguments that are kept, each with the lines that depend on it alone."""


class Repeated:
    """`Program.evaluate` in one mpmath context; the same numbers in less time."""

    def __init__(self, program: Program, ctx: Any) -> None:
        self._ctx, self._program = ctx, program
        self._numbers: dict[str, Any] = {}
        self._alone: dict[str, list[Any]] = {a: [] for a in program.args}
        self._rest: list[Any] = []
        self._known: dict[tuple[str, Any], dict[str, Any]] = {}
        needs: dict[str, frozenset[str]] = {a: frozenset({a}) for a in program.args}
        for let in program.body:
            line = let.name, OPS[let.op].meaning, self._named(let)
            needs[let.name] = frozenset().union(*(needs.get(a, frozenset()) for a in line[2]))
            only = needs[let.name]
            if not only:
                self._run(self._numbers, [line])
            else:
                (self._alone[next(iter(only))] if len(only) == 1 else self._rest).append(line)
        last = Let("", "outputs", tuple(value for _, value in program.outputs))
        self._outputs = self._named(last)

    def __call__(self, point: Mapping[str, Any]) -> tuple[Any, ...]:
        """The outputs at a point, in order."""
        values = self._numbers.copy()
        for name in self._program.args:
            values.update(self._own(name, point[name]))
        return tuple(map(self._run(values, self._rest).__getitem__, self._outputs))

    def _own(self, name: str, at: Any) -> dict[str, Any]:
        found = self._known.get((name, at))
        if found is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            values = self._run({**self._numbers, name: self._ctx.convert(at)}, self._alone[name])
            found = {k: v for k, v in values.items() if k not in self._numbers}
            self._known[name, at] = found
        return found

    def _run(self, values: dict[str, Any], lines: list[Any]) -> dict[str, Any]:
        for name, meaning, args in lines:
            values[name] = meaning(self._ctx, *map(values.__getitem__, args))
        return values

    def _named(self, let: Let) -> tuple[str, ...]:
        """The arguments of a line, constants by a name too."""
        named = []
        for a in let.args:
            if not isinstance(a, str):
                above, below = a.as_integer_ratio()
                a = f"{above}/{below}"
                self._numbers[a] = self._ctx.mpf(above) / below
            named.append(a)
        return tuple(named)
