r"""Lines of a pair for floats, so that their errors do not add up along a deep network.

Angles are in half turns.  Then the right angle is an exact number, and a constant such as
$w/(2\pi)$, whose rounding would change every layer by the same small factor, becomes $w/2$.

Where every layer has the exact rule of positively homogeneous activations, the gap
$\sqrt{q_{11}q_{22}} - q_{12}$ goes from layer to layer.  A layer changes it by a term that is small
for small angles, so that the gap is rounded once, and the covariance, which every layer forms
again as length minus gap, cannot drift from the diagonals, which are doubles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ....lower.program import Let, Operand, Program

TURNED = {"angle3": "angle3_turns", "arc3": "arc3_turns", "asin3": "asin3_turns"}
"""The operations in half turns: angles divided by pi, and the arc s + c*angle alike."""


@dataclass(frozen=True, slots=True)
class Steady:
    """Lines, arguments and outputs of a pair: what `Program` does not allow."""

    args: tuple[str, ...]
    body: tuple[Let, ...]
    outputs: tuple[tuple[str, Operand], ...]


@dataclass(frozen=True, slots=True)
class Carried:
    """The lines of the exact rule of a homogeneous activation in a program.

    Attributes:
        gap: the line of the gap of the inputs.
        length: sqrt(q11*q22), an argument of that line.
        absolute: the line |q12| where the activation is even, else empty.
        apart: the gap after the layer.
        over: the line that brings `apart` and its partner to the size of one.
        unit: the line that takes their root back.
    """

    gap: str
    length: str
    absolute: str
    apart: str
    over: str
    unit: str


def carried(p: Program) -> Carried | None:
    """The exact rule, where the program follows it, else None."""
    lines = {let.name: let for let in p.body}

    def line(a: Operand, op: str) -> Let | None:
        let = lines.get(a) if isinstance(a, str) else None
        return let if let is not None and let.op == op else None

    gaps = [let for let in p.body if let.op == "gap3"]
    ends = line(dict(p.outputs).get("root", 0), "mul")
    if len(gaps) != 1 or ends is None:
        return None
    roots = [(let, a) for a in ends.args if (let := line(a, "sqrt0")) is not None]
    units = [a for a in ends.args if isinstance(a, str) and line(a, "sqrt0") is None]
    both = line(roots[0][0].args[0], "mul") if len(roots) == 1 and len(units) == 1 else None
    factors = [line(a, "mul") for a in both.args] if both is not None else []
    if len(factors) != 2 or factors[0] is None or factors[1] is None:
        return None
    shared = [a for a in factors[0].args if a in factors[1].args and isinstance(a, str)]
    parts = [a for a in factors[0].args if a not in shared and isinstance(a, str)]
    inner, length = gaps[0].args[1], gaps[0].args[2]
    absolute = line(inner, "abs")
    plain = absolute is None and inner == "q12"
    if len(shared) != 1 or len(parts) != 1 or not isinstance(length, str) or length not in lines:
        return None
    if not (plain or (absolute is not None and absolute.args == ("q12",))):
        return None
    even = "" if absolute is None else absolute.name
    return Carried(gaps[0].name, length, even, parts[0], shared[0], units[0])


def steady(p: Program, gap: bool) -> Steady:
    """The lines in half turns; with `gap`, where `carried` holds, the gap is a fourth state."""
    taken = {*p.args, *(let.name for let in p.body)}

    def fresh(wanted: str) -> str:
        name, n = wanted, 1
        while name in taken:
            n += 1
            name = f"{wanted}_{n}"
        taken.add(name)
        return name

    args, body, outputs = p.args, list(p.body), p.outputs
    if gap:
        found = carried(p)
        assert found is not None
        state = fresh("gap")
        args = (*args, state)
        outputs = (*outputs, ("gap", found.apart))
        body = _from_gap(body, found, state, fresh("rho"), fresh("side_of"))
    return _turned(args, body, outputs, fresh)


def _from_gap(body: list[Let], found: Carried, gap: str, inner: str, sign: str) -> list[Let]:
    """The covariance from the gap, and powers of two for the sizes of the next gap."""
    length = next(let for let in body if let.name == found.length)
    size = Let(inner, "sub", (found.length, gap))
    start = [length, size]
    given = inner
    if found.absolute:  # the gap is that of |q12|
        start += [Let(sign, "sign", ("q12",)), Let(f"{inner}_signed", "mul", (sign, inner))]
        given = f"{inner}_signed"
    names: dict[Operand, Operand] = {"q12": given, found.gap: gap}
    if found.absolute:
        names[found.absolute] = inner
    scales = {found.over: ("down1", "down2"), found.unit: ("up1", "up2")}
    new = list(start)
    for let in body:
        if let.name in (found.gap, found.absolute, found.length):
            continue
        if let.name in scales:
            new.append(Let(let.name, "mul", scales[let.name]))
        else:
            changed = tuple(names.get(a, a) for a in let.args)
            new.append(Let(let.name, let.op, changed, let.inner))
    return new


def _turned(
    args: tuple[str, ...],
    body: list[Let],
    outputs: tuple[tuple[str, Operand], ...],
    fresh: Callable[[str], str],
) -> Steady:
    turned: dict[Operand, str] = {}
    pi = ""
    new: list[Let] = []

    def back(a: Operand) -> Operand:
        if a not in turned:
            return a
        name = fresh(f"{a}_whole")
        new.append(Let(name, "mul", (turned[a], pi)))
        return name

    fixed: set[Operand] = set()
    for let in body:
        given = tuple(back(a) for a in let.args)
        if all(not isinstance(a, str) or a in fixed for a in let.args):
            fixed.add(let.name)
        if let.op not in TURNED or let.name in fixed:
            new.append(Let(let.name, let.op, given, let.inner))
            continue
        if not pi:
            pi = fresh("half_turn")
            new.append(Let(pi, "pi", ()))
        turned[let.name] = fresh(f"{let.name}_turns")
        new.append(Let(turned[let.name], TURNED[let.op], given))
    ends = tuple((label, back(o)) for label, o in outputs)
    return Steady(args, tuple(new), ends)
