"""The lines of a pair as a compiler would like to have them: fewer operations, the same meaning.

Three rewrites that a compiler may not do without -ffast-math.  Numbers and parameters of a product
go together: they are the same for all pairs.  Divisions by one root share its reciprocal.  A
product that is only added or subtracted is fused with the sum, in so many words, so that the
result depends neither on flags nor on where in a loop a pair is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from ...lower.lines import side
from ...lower.program import Let, Operand, Program, constants, live
from .._base import (
    INLINE,
    Spelled,
    bare,
    constant_values,
    formula,
    identifier,
    spell_program,
    spelled_hyp2f1,
)
from .cut import TANGENTS, cut, with_tangents
from .network.steady import Steady, steady
from .text import spelled_body, wrap

if TYPE_CHECKING:
    from .backend import CBackend

FUSED = {
    "madd": "NTKSYM_MADD@({0}, {1}, {2})",
    "msub": "NTKSYM_MADD@({0}, {1}, -{2})",
    "nmadd": "NTKSYM_MADD@(-{0}, {1}, {2})",
}
"""a*b + c, a*b - c, c - a*b; @ is the type."""

AT_LEAST_ONE = frozenset({"hyproot"})
"""Operations whose result has a reciprocal in range."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A program whose lines may be fused: what `Program` does not allow."""

    args: tuple[str, ...]
    body: tuple[Let, ...]
    outputs: tuple[tuple[str, Operand], ...]
    numbers: Program
    """The lines that depend on no argument."""


class _Rewriter:
    """The lines of a program while they are rewritten."""

    def __init__(self, p: Program, form: Steady | None = None) -> None:
        self.body: list[Let] = list(p.body if form is None else form.body)
        self.outputs = p.outputs if form is None else form.outputs
        self._taken = {*p.args, *(let.name for let in self.body)}
        self.number = set(constants(p))
        if form is not None:
            self._taken |= {*form.args, *chain(*SCALES)}
            self.number = numbers(form.body)
        self.uniform = {a for a in p.args if side(a) == 0 and not _feature(a, p)} | self.number
        self._deep = form is not None

    def lines(self) -> dict[str, Let]:
        return {let.name: let for let in self.body}

    def uses(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for let in self.body:
            found.update(a for a in let.args if isinstance(a, str))
        found.update(o for _, o in self.outputs if isinstance(o, str))
        return found

    def fresh(self, wanted: str) -> str:
        name, n = wanted, 1
        while name in self._taken:
            n += 1
            name = f"{wanted}_{n}"
        self._taken.add(name)
        return name

    def is_uniform(self, a: Operand) -> bool:
        """Whether an operand is the same for all pairs."""
        return not isinstance(a, str) or a in self.uniform

    def gather_factors(self) -> None:
        """Numbers and parameters of a product go together."""
        for let in self.body:
            if let.args and all(map(self.is_uniform, let.args)):
                self.uniform.add(let.name)
        lines, uses = self.lines(), self.uses()
        inner = {
            a
            for let in self.body
            if let.op == "mul"
            for a in let.args
            if isinstance(a, str) and a in lines and lines[a].op == "mul" and uses[a] == 1
        } - self.uniform
        new: list[Let] = []
        for let in self.body:
            if let.op != "mul" or let.name in inner or let.name in self.uniform:
                new.append(let)
                continue
            common: list[Operand] = []
            start = len(new)
            rest = self._without(let, lines, inner, common, new)
            if len(common) < 2 or rest is None:
                del new[start:]
                new.append(let)
                continue
            common.sort(key=lambda a: (isinstance(a, str) and a not in self.number, str(a)))
            factor = common[0]
            for a in common[1:]:
                name = self.fresh("scale")
                if not isinstance(factor, str) or factor in self.number:
                    if not isinstance(a, str) or a in self.number:
                        self.number.add(name)
                self.uniform.add(name)
                new.append(Let(name, "mul", (factor, a)))
                factor = name
            new.append(Let(let.name, "mul", (rest, factor)))
        self.body = list(live(tuple(new), self.outputs))

    def _without(
        self,
        let: Let,
        lines: dict[str, Let],
        inner: set[str],
        common: list[Operand],
        new: list[Let],
    ) -> Operand | None:
        """The product without what is the same for all pairs; None where nothing is left."""
        kept: list[Operand] = []
        for a in let.args:
            if self.is_uniform(a):
                common += self._factors(a, lines)
            elif isinstance(a, str) and a in inner:
                part = self._without(lines[a], lines, inner, common, new)
                kept += [] if part is None else [part]
            else:
                kept.append(a)
        if len(kept) < 2:
            return kept[0] if kept else None
        name = self.fresh("prod")
        new.append(Let(name, "mul", (kept[0], kept[1])))
        return name

    def _factors(self, a: Operand, lines: dict[str, Let]) -> list[Operand]:
        """What a uniform factor is made of, down to numbers, which then go together exactly."""
        let = lines.get(a) if isinstance(a, str) and a not in self.number else None
        if not self._deep or let is None or let.op != "mul":
            return [a]
        return [f for b in let.args for f in self._factors(b, lines)]

    def share_reciprocals(self) -> None:
        """Two and more divisions by one root are one division and products."""
        lines = self.lines()
        below = Counter(let.args[1] for let in self.body if let.op == "div")
        shared = {
            d
            for d, n in below.items()
            if n > 1 and isinstance(d, str) and d in lines and lines[d].op in AT_LEAST_ONE
        }
        inverse: dict[Operand, str] = {}
        new: list[Let] = []
        for let in self.body:
            if let.op != "div" or let.args[1] not in shared:
                new.append(let)
                continue
            top, d = let.args
            if d not in inverse:
                inverse[d] = self.fresh("inverse")
                new.append(Let(inverse[d], "div", (1, d)))
            new.append(Let(let.name, "mul", (top, inverse[d])))
        self.body = new

    def fuse(self) -> None:
        """Sums with a product that is used nowhere else."""
        lines, uses = self.lines(), self.uses()

        def product(a: Operand) -> Let | None:
            if isinstance(a, str) and a not in self.uniform and uses[a] == 1:
                let = lines.get(a)
                return let if let is not None and let.op == "mul" else None
            return None

        gone: set[str] = set()
        new: list[Let] = []
        for let in self.body:
            if let.op not in ("add", "sub") or let.name in self.uniform:
                new.append(let)
                continue
            first, second = let.args
            left, right = product(first), product(second)
            if left and right and let.op == "sub" and not self._scaled(left, right):
                left = right = None  # of equal products the difference must be zero
            if right:
                gone.add(right.name)
                op = "madd" if let.op == "add" else "nmadd"
                new.append(Let(let.name, op, (*right.args, first)))
            elif left:
                gone.add(left.name)
                op = "madd" if let.op == "add" else "msub"
                new.append(Let(let.name, op, (*left.args, second)))
            else:
                new.append(let)
        self.body = [let for let in new if let.name not in gone]

    def _scaled(self, *products: Let) -> bool:
        return any(self.is_uniform(a) for let in products for a in let.args)


def _feature(name: str, p: Program) -> bool:
    """Whether an argument stands before q12: the pairs of a network come after the features."""
    return "q12" in p.args and p.args.index(name) < p.args.index("q12")


def numbers(body: tuple[Let, ...]) -> set[str]:
    """The names of the lines that depend on no argument."""
    found: set[str] = set()
    for let in body:
        if all(not isinstance(a, str) or a in found for a in let.args):
            found.add(let.name)
    return found


def fused(p: Program, form: Steady | None = None) -> Lane:
    """The program of a pair, features first, with fewer operations; or a form of it for floats."""
    r = _Rewriter(p, form)
    r.gather_factors()
    r.share_reciprocals()
    r.fuse()
    fixed = tuple(let for let in r.body if let.name in r.number)
    args = p.args if form is None else form.args
    return Lane(args, tuple(r.body), r.outputs, Program(p.name, (), fixed, ()))


SCALES = (("down1", "q1", "up1"), ("down2", "q2", "up2"))
"""What `scale_side` makes of the next variance of a point."""


def has_next_root(p: Program) -> bool:
    """Whether the next root is formed from the next variances: they are then scaled per point."""
    return any(_next_root(let) for let in p.body)


def _next_root(let: Let) -> bool:
    return let.op == "rootdet" and let.args[0] == "n11" and let.args[2] == "n22"


@dataclass(frozen=True, slots=True)
class Part:
    """One loop over the lanes: its function, the arguments and stored values it takes, its own."""

    name: str
    text: str
    args: tuple[str, ...]
    takes: tuple[str, ...]
    makes: tuple[str, ...]


def lane_parts(
    p: Program,
    function: str,
    c: CBackend,
    features: tuple[tuple[str, ...], tuple[str, ...]],
    gap: bool = False,
) -> tuple[Part, ...]:
    """`void function(inputs by value, stored values, outputs by pointer)`, fused, for loops.

    One function per loop, in order; the last has the name that was asked for.  Where the next root
    is formed from the next variances, their `SCALES` are features of each point too; and where the
    `gap` is a fourth state, which is for floats.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    spell_program(p, c)  # refuses what has no spelling
    lane = fused(p, steady(p, gap) if c.real == "float" else None)
    lane = _with_scales(lane, features, gap)
    if c.tag != "m":
        lane = replace(lane, body=with_tangents(lane.body))
    found = cut(lane.args, lane.body, lane.outputs, {let.name for let in lane.numbers.body})
    parts = []
    for k, (body, takes, outputs) in enumerate(found):
        last = k == len(found) - 1
        name = function if last else f"{function}_{k + 1}"
        ends = outputs if not last else tuple((f"out_{label}", o) for label, o in outputs)
        read = {a for let in body for a in let.args} | {o for _, o in outputs}
        given = tuple(a for a in lane.args if a in read)
        piece = Lane((*given, *takes), body, ends, lane.numbers)
        makes = () if last else tuple(label for label, _ in outputs)
        parts.append(Part(name, _function(piece, name, c), given, takes, makes))
    return tuple(parts)


def _function(lane: Lane, name: str, c: CBackend) -> str:
    s = _spell(lane, c)
    outs = [identifier(f"to_{label}", set(s.inputs)) for label, _ in lane.outputs]
    signature = [f"{c.real} {a}" for a in s.inputs] + [f"{c.real} *{o}" for o in outs]
    text = wrap(f"NTKSYM_LANE_FUNCTION void {name}(", signature) + "\n{\n"
    text += spelled_body(s, "  ", c.real)
    for o, (_, value) in zip(outs, s.outputs, strict=True):
        text += f"  *{o} = {value};\n"
    return text + "}\n"


def _with_scales(lane: Lane, features: tuple[tuple[str, ...], tuple[str, ...]], gap: bool) -> Lane:
    if not gap and not any(_next_root(let) for let in lane.body):
        return lane
    body = tuple(
        Let(let.name, "scaled_root", (let.args[1], *SCALES[0], *SCALES[1]))
        if _next_root(let)
        else let
        for let in lane.body
    )
    xs, ys = features
    rest = lane.args[len(xs) + len(ys) :]
    return replace(lane, args=(*xs, *SCALES[0], *ys, *SCALES[1], *rest), body=body)


def _spell(lane: Lane, c: CBackend) -> Spelled:
    """As `spell_program`, with the fused operations."""
    kind = "F" if c.real == "float" else ""
    table = c.spell | {op: text.replace("@", kind) for op, text in FUSED.items()}
    operands = ", ".join(f"{{{k}}}" for k in range(7))
    table["scaled_root"] = f"scaled_root{'_f32' if c.tag else ''}({operands})"
    for op, count in TANGENTS.items():
        operands = ", ".join(f"{{{k}}}" for k in range(count))
        table[op] = f"ntksym_op_{op}{kind.lower()}({operands})"
    taken: set[str] = {label for label, _ in lane.outputs}
    shown = {a: identifier(a, taken) for a in lane.args}
    inputs = tuple(shown[a] for a in lane.args)
    fixed = constant_values(lane.numbers)
    uses: Counter[str] = Counter(o for _, o in lane.outputs if isinstance(o, str))
    for let in lane.body:
        uses.update(a for a in let.args if isinstance(a, str))
    notes: dict[str, str] = {}

    def text(a: Operand) -> str:
        if not isinstance(a, str):
            return c.literal(a)
        if a in fixed:
            literal = c.literal(fixed[a])
            notes.setdefault(literal, formula(lane.numbers, a))
            return literal
        return shown[a]

    lines: list[tuple[str, str]] = []
    for let in lane.body:
        if let.name in fixed:
            continue
        spelled = spelled_hyp2f1(let, c, text) or table[let.op].format(*map(text, let.args))
        if let.op in INLINE and uses[let.name] == 1 and len(spelled) < 60:
            shown[let.name] = spelled
            continue
        shown[let.name] = identifier(let.name, taken)
        lines.append((shown[let.name], bare(spelled)))
    outputs = tuple((label, bare(text(operand))) for label, operand in lane.outputs)
    return Spelled(inputs, tuple(lines), outputs, tuple(sorted(notes.items())))
