"""A layer program as elementary array operations, for arrays of pairs that are worked on in place.

Products are kept as a number, powers of quantities of one point, and an array: numbers are
multiplied together before they meet an array, and what cancels is never computed.  Operations that
belong to one triangle share the tangent of its half angle, and its polynomial.

This is for pairs of moderate variances that are not nearly collinear: guards of the readable form
against 0/0, overflow and exact coincidence are left out.  Who runs it looks for such pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ...lower.lines import FIRST, PAIR, SECOND, side

Arg = str | float
"""The name of an earlier line or of an argument, or a number."""

POSITIVE = frozenset({"q11", "q22", "n11", "n22", "r11", "r22", "s11", "s22"})
UFUNCS = {
    **dict.fromkeys(("abs", "sign", "exp", "expm1", "log", "log1p"), ("", 1)),
    **dict.fromkeys(("sin", "cos", "sinh", "cosh", "tanh"), ("", 1)),
    "max": ("maximum", 2),
    "min": ("minimum", 2),
    "clamp": ("clip", 3),
    "atan2": ("arctan2", 2),
}
"""Operations that one NumPy function does: its name if another, and how many arguments."""


@dataclass(frozen=True, slots=True)
class Line:
    """name = op(args); rank: 0 a number, FIRST or SECOND for one point, PAIR for an array."""

    name: str
    rank: int
    op: str
    args: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """sign * number * (powers of quantities of one point) * (array + the sum of `more`).

    No array: 1.  `more` holds pairs (factor, array): a sum that is not yet taken, so that a number
    in front of it can be multiplied with the factors.
    """

    number: Arg = 1.0
    sides: tuple[tuple[str, int], ...] = ()
    array: str | None = None
    sign: int = 1
    more: tuple[tuple[float, str], ...] = ()


@dataclass(slots=True)
class Tape:
    """Elementary lines, equal ones once."""

    lines: list[Line] = field(default_factory=list)
    ranks: dict[str, int] = field(default_factory=dict)
    seen: dict[tuple[str, tuple[Arg, ...]], str] = field(default_factory=dict)
    positive: set[str] = field(default_factory=lambda: set(POSITIVE))
    squares: dict[str, str] = field(default_factory=dict)
    """What is under a root, for roots that are squared again."""
    factors: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The factors of a product of arrays."""

    def rank(self, a: Arg) -> int:
        """What a name depends on."""
        return self.ranks.get(a, side(a)) if isinstance(a, str) else 0

    def emit(self, op: str, *args: Arg) -> str:
        """The name of op(args): found, or a new line."""
        if op in ("add", "mul"):
            args = tuple(sorted(args, key=lambda a: (not isinstance(a, str), str(a))))
        key = (op, args)
        if key not in self.seen:
            rank = 0
            for a in args:
                rank |= self.rank(a)
            name = f"{'kxyw'[rank]}{len(self.lines)}_"
            self.ranks[name] = rank
            self.lines.append(Line(name, rank, op, args))
            self.seen[key] = name
        return self.seen[key]

    # -- values ------------------------------------------------------------------------------------

    def number(self, op: str, a: Arg, b: Arg) -> Arg:
        """A + b, a - b, a*b or a/b of two numbers."""
        if isinstance(a, float) and isinstance(b, float) and not (op == "div" and b == 0.0):
            return {"add": a + b, "sub": a - b, "mul": a * b}[op] if op != "div" else a / b
        if b == 1.0 and op in ("mul", "div"):
            return a
        if op == "mul" and a == 1.0:
            return b
        return self.emit(op, a, b)

    def of(self, a: Arg) -> Value:
        """A line, an argument or a number as a value."""
        rank = self.rank(a)
        if rank == 0 or isinstance(a, float):
            return Value(a)
        return Value(array=a) if rank == PAIR else Value(sides=((a, 1),))

    def whole(self, v: Value) -> Value:
        """The same with its sum taken."""
        if not v.more:
            return v
        inner = self.sum(((1, 1.0, v.array), *((1, f, a) for f, a in v.more)))
        return replace(v, array=inner.array, more=())

    def times(self, a: Value, b: Value) -> Value:
        """a*b."""
        if b.more:
            a, b = b, a
        if b.array or b.more:
            a, b = self.whole(a), self.whole(b)
        array = a.array or b.array
        if a.array and b.array:
            array = self._product(a.array, b.array)
        number = self.number("mul", a.number, b.number)
        return Value(number, _merged(a.sides, b.sides, 1), array, a.sign * b.sign, a.more)

    def _product(self, a: str, b: str) -> str:
        """a*b; a root times itself, or times a product with it, is what is under it."""
        if a == b and a in self.squares:
            return self.squares[a]
        for root, other in ((a, b), (b, a)):
            first, second = self.factors.get(other, ("", ""))
            if root in self.squares and root in (first, second):
                return self._product(second if first == root else first, self.squares[root])
        made = self.emit("mul", a, b)
        self.factors[made] = a, b
        return made

    def over(self, a: Value, b: Value) -> Value:
        """a/b; a number is divided at once, which saves one multiplication."""
        b = self.whole(b)
        number = self.number("div", a.number, b.number)
        sides, sign = _merged(a.sides, b.sides, -1), a.sign * b.sign
        if not b.array:
            return Value(number, sides, a.array, sign, a.more)
        if a.array:
            return Value(number, sides, self.emit("div", self.whole(a).array or 1.0, b.array), sign)
        if number == 1.0 and b.array in self.squares:
            return replace(self._over_root(b.array), sides=sides, sign=sign)
        return Value(1.0, sides, self.emit("div", number, b.array), sign)

    def _over_root(self, root: str) -> Value:
        """1/root by the root of 1/x: its square, 1/x, has one rounding error, not four."""
        below = self.emit("div", 1.0, self.squares[root])
        over = self.emit("sqrt", below)
        self.squares[over] = below
        return Value(array=over)

    def minus(self, a: Value) -> Value:
        """-a."""
        return replace(a, sign=-a.sign)

    def plus(self, a: Value, b: Value) -> Value:
        """A + b, with a common factor left outside."""
        if a.sides == b.sides and a.sides and (a.array or b.array):
            inner = self.plus(replace(a, sides=()), replace(b, sides=()))
            return replace(inner, sides=_merged(inner.sides, a.sides, 1))
        alike = a.number == b.number != 1.0 and a.array and b.array and not (a.sides or b.sides)
        if alike and not (a.more or b.more):
            inner = self.plus(replace(a, number=1.0), replace(b, number=1.0))
            return replace(inner, number=self.number("mul", inner.number, a.number))
        return self.sum((*self._terms(a), *self._terms(b)))

    def _terms(self, v: Value) -> tuple[tuple[int, Arg, Arg | None], ...]:
        if v.sides:
            return ((v.sign, 1.0, self.flat(replace(v, sign=1))),)
        more = ((v.sign, self.number("mul", f, v.number), a) for f, a in v.more)
        return ((v.sign, v.number, v.array), *more)

    def sum(self, terms: tuple[tuple[int, Arg, Arg | None], ...]) -> Value:
        """The sum of sign*number*array, arrays None for 1; equal arrays are taken together."""
        groups: dict[Arg | None, list[tuple[int, Arg]]] = {}
        for sign, number, array in terms:
            groups.setdefault(array, []).append((sign, number))
        found: list[tuple[int, Arg]] = []
        for array, parts in groups.items():
            sign, number = parts[0]
            for other, n in parts[1:]:
                number = self.number("add" if other == sign else "sub", number, n)
            found.append((sign, number if array is None else self._scaled(array, number)))
        found.sort(key=lambda part: -part[0])
        sign, total = found[0]
        for other, part in found[1:]:
            total = self.number("add" if other == sign else "sub", total, part)
        return replace(self.of(total), sign=sign)

    def _scaled(self, a: Arg, number: Arg) -> Arg:
        return a if number == 1.0 else self.emit("mul", a, number)

    def flat(self, v: Value) -> Arg:
        """The line that holds a value, or its number."""
        v = self.whole(v)
        number = v.number if v.sign > 0 else self.number("mul", v.number, -1.0)
        first, second = (self._power(v, which) for which in (FIRST, SECOND))
        if first != 1.0:  # a number costs nothing where it meets one point
            first, number = self.number("mul", first, number), 1.0
        elif second != 1.0:
            second, number = self.number("mul", second, number), 1.0
        if first != 1.0 and second != 1.0:
            both: Arg = self.emit("mul", first, second)
        else:
            both = second if first == 1.0 else first
            if v.array and both != 1.0:
                return self.emit("mul", v.array, self.number("mul", both, number))
        if v.array:
            both = v.array if both == 1.0 else self.emit("mul", v.array, both)
        return self.number("mul", both, number)

    def _power(self, v: Value, which: int) -> Arg:
        """The product of the powers of quantities of one point."""
        found: Arg = 1.0
        for name, power in v.sides:
            for _ in range(abs(power) if self.rank(name) == which else 0):
                found = (
                    self.emit("div", found, name) if power < 0 else self.number("mul", found, name)
                )
        return found

    def root(self, v: Value) -> Value:
        """sqrt(v); even powers of positive quantities come out of it."""
        v = self.whole(v)
        even = all(p % 2 == 0 and n in self.positive for n, p in v.sides)
        outside = tuple((n, p // 2) for n, p in v.sides) if even else ()
        inside = self.flat(replace(v, sides=()) if even else v)
        name = self.emit("sqrt", inside)
        self.positive.add(name)
        if isinstance(inside, str):
            self.squares[name] = inside
        return self.times(Value(sides=outside), self.of(name))


def _merged(
    a: tuple[tuple[str, int], ...], b: tuple[tuple[str, int], ...], power: int
) -> tuple[tuple[str, int], ...]:
    found = dict(a)
    for name, p in b:
        found[name] = found.get(name, 0) + power * p
    return tuple(sorted((n, p) for n, p in found.items() if p))
