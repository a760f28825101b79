"""Elementary array operations as NumPy calls into arrays that are used again and again."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...lower.lines import FIRST, PAIR, SECOND, side
from .backend import NUMPY
from .tape import UFUNCS, Arg, Line

IN_PLACE = {
    "add": "np.add({0}, {1}, {out})",
    "sub": "np.subtract({0}, {1}, {out})",
    "mul": "np.multiply({0}, {1}, {out})",
    "div": "np.divide({0}, {1}, {out})",
    "sqrt": "np.sqrt({0}, {out})",
    "tail": "_tail({0}, {out})",
    "arccos": "_arc({0}, {out}, {more}, 1)",
    "arccos_minus": "_arc({0}, {out}, {more}, -1)",
    "arcsin": "_arc({0}, {out}, {more}, 0)",
    "below": 'np.less({0}, 0.0, {out}, casting="unsafe")',
    "above": 'np.greater({0}, 0.0, {out}, casting="unsafe")',
    "copysign": "np.copysign({0}, {1}, {out})",
    "pos": "np.maximum({0}, 2.0**-500, out={out})",
    "once": "np.maximum({0}, 2.0**-1010, out={out})",
    **{
        op: f"np.{f or op}({', '.join(f'{{{k}}}' for k in range(n))}, out={{out}})"
        for op, (f, n) in UFUNCS.items()
    },
}
"""One call, the result in an array that may be one of the arguments, those of `APART` excepted."""
_OUTER = "_outer({0}, {1}, {out})"
APART = frozenset({"tail", "arccos", "arccos_minus", "arcsin"})
WORK = {"arccos": 2, "arccos_minus": 2, "arcsin": 2}
"""How many arrays an operation works in, besides the one of its result."""
PLAIN = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "sqrt": "_sqrt0({0})",
}
NUMBERS = {**PLAIN, "div": "float(_div0({0}, {1}))", "sqrt": "float(_sqrt0({0}))"}
STATE = ("q12", "root", "t12")
WIDE_STATE = ("q12", "t12")


@dataclass(slots=True)
class Registers:
    """Which array holds which line: those of the state, then scratch arrays w0, w1, ..."""

    held: dict[str, str] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)
    count: int = 0

    def take(self) -> str:
        """An array that nothing needs."""
        if not self.free:
            self.free.append(f"w{self.count}")
            self.count += 1
        return self.free.pop()


@dataclass(frozen=True, slots=True)
class Passes:
    """The text of a layer on a block of pairs.

    Attributes:
        lines: statements.
        ends: the arrays of the outputs.
        count: how many scratch arrays there are.
        spare: all arrays that hold no output.
    """

    lines: tuple[str, ...]
    ends: tuple[str, ...]
    count: int
    spare: tuple[str, ...]


def passes(
    lines: tuple[Line, ...],
    ends: tuple[Arg, ...],
    names: dict[str, str],
    state: tuple[str, ...] = STATE,
) -> Passes:
    """Statements for the lines; `names` are the arguments' names in the text.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    last: dict[Arg, int] = {a: k for k, line in enumerate(lines) for a in line.args}
    last |= dict.fromkeys(ends, len(lines))
    r = Registers({a: names[a] for a in state})
    r.free = [names[a] for a in state if a not in last]
    for a in state:
        if a not in last:
            del r.held[a]
    text: list[str] = []
    ranks: dict[Arg, int] = {line.name: line.rank for line in lines}

    def shown(a: Arg) -> str:
        if isinstance(a, float):
            return NUMPY.literal(a)
        return r.held.get(a) or names.get(a, a)

    for k, line in enumerate(lines):
        given = tuple(map(shown, line.args))
        if line.rank != PAIR:
            table = NUMBERS if line.rank == 0 else PLAIN
            plain = line.op in table
            value = (table[line.op] if plain else NUMPY.spell[line.op]).format(*given)
            if line.rank == 0 and not plain:
                value = f"float({value})"
            text.append(f"{line.name} = {value}")
            continue
        done = [a for a in dict.fromkeys(line.args) if a in r.held and last[a] == k]
        apart = line.op in APART or line.op not in IN_PLACE
        if not apart:
            r.free += [r.held.pop(str(a)) for a in done]
        out = r.take()
        more = [r.take() for _ in range(WORK.get(line.op, 0))]
        r.free += more
        sides = [side(a) if a in names else ranks.get(a, 0) for a in line.args]
        if line.op == "mul" and sorted(sides) == [FIRST, SECOND]:
            text.append(_OUTER.format(*given[:: 1 if sides[0] == FIRST else -1], out=out))
        elif line.op in IN_PLACE:
            text.append(IN_PLACE[line.op].format(*given, out=out, more=", ".join(more)))
        else:
            text.append(f"np.copyto({out}, {NUMPY.spell[line.op].format(*given)})")
        if apart:
            r.free += [r.held.pop(str(a)) for a in done]
        r.held[line.name] = out
    found: list[str] = []
    for end in ends:
        place = r.held.get(str(end))
        if place is None or place in found:  # a number, a point's quantity, or an output again
            place = r.take()
            text.append(f"np.copyto({place}, {shown(end)})")
        found.append(place)
    every = [names[a] for a in state] + [f"w{k}" for k in range(r.count)]
    return Passes(tuple(text), tuple(found), r.count, tuple(w for w in every if w not in found))
