"""The lines of a program while it is written: equal lines are one, names are free, order kept.

Every line knows which data point it depends on: one of its sides can then be computed once per
point instead of once per pair.
"""

from __future__ import annotations

from collections.abc import Mapping

from .folding import fold
from .ops import NAMES
from .program import Inner, Let, Operand, Program, live

FIRST, SECOND, PAIR = 1, 2, 3
"""What a quantity depends on: the first point, the second, both; 0 for neither."""

_SIDE = {
    **dict.fromkeys(("q11", "n11", "r11", "s11", "m1"), FIRST),
    **dict.fromkeys(("q22", "n22", "r22", "s22", "m2"), SECOND),
    **dict.fromkeys(("q12", "root", "t12", "q", "m"), PAIR),
}


def side(name: str) -> int:
    """The side of an argument: `FIRST`, `SECOND`, `PAIR`, or 0 for a parameter."""
    return _SIDE.get(name, 0)


class Lines:
    """Collects lines by `emit`; `program` closes the collection."""

    known_root: Operand | None = None
    """The argument that carries sqrt(det); None where none does."""
    rounded_root = False
    """Whether it is formed of the entries, which know more; else it knows more than q12."""

    def __init__(self, args: tuple[str, ...]) -> None:
        self.args = args
        self._lines: list[Let] = []
        self._seen: dict[tuple[str, tuple[Operand, ...], Inner | None], str] = {}
        self._used = set(args)
        self._counts: dict[str, int] = {}
        self._side_of = {a: side(a) for a in args}

    def emit(self, op: str, *args: Operand, hint: str = "", inner: Inner | None = None) -> Operand:
        """The operand that holds op(args): folded, found, or a new line."""
        if (folded := fold(op, args)) is not None:
            return folded
        if op == "sqrt0" and args[0] in ("q11", "q22") and f"r{args[0][1:]}" in self.args:  # type: ignore[index]
            return f"r{args[0][1:]}"  # type: ignore[index]
        if op in ("add", "mul", "max", "min"):  # one order for commutative operations
            args = tuple(sorted(args, key=lambda a: (not isinstance(a, str), str(a))))
        key = (op, args, inner)
        if key not in self._seen:
            name = self._fresh(hint or NAMES.get(op, op))
            self._lines.append(Let(name, op, args, inner))
            self._seen[key] = name
            self._side_of[name] = 0
            for a in args:
                self._side_of[name] |= self.side(a)
        return self._seen[key]

    @property
    def told_root(self) -> Operand | None:
        """`known_root` where it knows more than the entries."""
        return None if self.rounded_root else self.known_root

    @property
    def lines(self) -> tuple[Let, ...]:
        """All lines so far, in order."""
        return tuple(self._lines)

    def side(self, a: Operand) -> int:
        """What an operand depends on: 0, `FIRST`, `SECOND` or `PAIR`."""
        return self._side_of[a] if isinstance(a, str) else 0

    def again(self, p: Program, at: Mapping[str, Operand]) -> dict[str, Operand]:
        """The outputs of a program at operands of these lines; arguments not in `at` are equal."""
        known: dict[str, Operand] = {a: at.get(a, a) for a in p.args}

        def place(a: Operand) -> Operand:
            return known[a] if isinstance(a, str) else a

        for let in p.body:
            known[let.name] = self.emit(let.op, *map(place, let.args), inner=let.inner)
        return {label: place(end) for label, end in p.outputs}

    def _fresh(self, wanted: str) -> str:
        name, n = wanted, self._counts.get(wanted, 1)
        while name in self._used:
            n += 1
            name = f"{wanted}{n}"
        self._counts[wanted] = n  # names are never given back: all up to here are taken
        self._used.add(name)
        return name

    def program(
        self,
        name: str,
        outputs: tuple[tuple[str, Operand], ...],
        requires: tuple[str, ...] = (),
        computes: str = "",
    ) -> Program:
        """The finished program, without lines that no output needs."""
        body = live(tuple(self._lines), outputs)
        return Program(name, self.args, body, outputs, requires, computes)
