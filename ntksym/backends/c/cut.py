"""The lines of a pair in several short loops: what follows a long operation is a loop of its own.

A processor works on the next pairs while it waits for a root or a division only as far as its
window reaches.  In one long loop that is two vectors; in short ones it is ten.
"""

from __future__ import annotations

from ...lower.program import Let, Operand

TANGENTS = {"half_tan": 3, "short_tan": 3, "tan_tail": 1, "angle_of": 3, "arc_of": 4, "gap_of": 3}
TANGENTS |= {"asin_of": 4, "angle_turns": 3, "arc_turns": 4, "asin_turns": 4}
"""The pieces of the operations on triangles, and their numbers of arguments."""

LONG = frozenset({"half_tan", "short_tan", "tan_tail", "hyproot"})
"""Operations whose result is awaited: what uses it is in a later loop."""

CHEAP = frozenset({"add", "sub", "mul", "neg", "abs"})
"""Operations that are done again, on inputs, rather than stored."""


def with_tangents(body: tuple[Let, ...]) -> tuple[Let, ...]:
    """Operations on one triangle share the tangent of its half angle and a polynomial of it."""
    lines = {let.name: let for let in body}
    taken = set(lines)
    made: dict[tuple[str, tuple[Operand, ...]], str] = {}
    new: list[Let] = []

    def shared(op: str, *args: Operand) -> str:
        if (op, args) not in made:
            name, n = op, 1
            while name in taken:
                n += 1
                name = f"{op}{n}"
            taken.add(name)
            made[op, args] = name
            new.append(Let(name, op, args))
        return made[op, args]

    def plain(c: Operand) -> Operand:
        let = lines.get(c) if isinstance(c, str) else None
        return let.args[0] if let is not None and let.op == "neg" else c

    for let in body:
        op, turns = let.op.removesuffix("_turns"), let.op.endswith("_turns")
        if op in ("angle3", "arc3", "gap3"):
            s, c, h = let.args
            t = shared("half_tan", s, plain(c), h)
            end = "turns" if turns else "of"
            if op == "gap3":
                new.append(Let(let.name, "gap_of", (s, c, t)))
            elif op == "arc3":
                new.append(Let(let.name, f"arc_{end}", (s, c, t, shared("tan_tail", t))))
            else:
                new.append(Let(let.name, f"angle_{end}", (c, t, shared("tan_tail", t))))
        elif op == "asin3":
            c, s, h = let.args
            t = shared("short_tan", s, plain(c), h)
            end = "asin_turns" if turns else "asin_of"
            new.append(Let(let.name, end, (c, s, t, shared("tan_tail", t))))
        else:
            new.append(let)
    return tuple(new)


Piece = tuple[tuple[Let, ...], tuple[str, ...], tuple[tuple[str, Operand], ...]]
"""The lines of a loop, the stored values it takes, and the outputs (name, operand)."""


def cut(
    args: tuple[str, ...],
    body: tuple[Let, ...],
    outputs: tuple[tuple[str, Operand], ...],
    numbers: set[str],
) -> tuple[Piece, ...]:
    """The lines in loops; in all but the last the outputs are stored values with their names."""
    lines = {let.name: let for let in body}
    free = {*args, *numbers}
    level: dict[str, int] = {}
    for let in body:
        before = [a for a in let.args if isinstance(a, str) and a in level]
        level[let.name] = max((level[a] + (lines[a].op in LONG) for a in before), default=0)
    last = max((level[o] for _, o in outputs if isinstance(o, str) and o in level), default=0)

    def again(a: str) -> bool:
        let = lines[a]
        return a in numbers or (
            let.op in CHEAP and all(not isinstance(b, str) or b in free for b in let.args)
        )

    wanted: dict[int, set[str]] = {k: set() for k in range(last + 1)}
    wanted[last] = {o for _, o in outputs if isinstance(o, str)}
    pieces: list[Piece] = []
    for k in range(last, -1, -1):
        need = set(wanted[k])
        takes: set[str] = set()
        kept: list[Let] = []
        for let in reversed(body):
            if let.name not in need:
                continue
            if level[let.name] < k and not again(let.name):
                takes.add(let.name)
                wanted[level[let.name]].add(let.name)
                continue
            kept.append(let)
            need.update(a for a in let.args if isinstance(a, str))
        ordered = tuple(let.name for let in body if let.name in takes)
        ends = outputs if k == last else tuple((n, n) for n in _stored(body, wanted[k], level, k))
        pieces.append((tuple(reversed(kept)), ordered, ends))
    return tuple(reversed(pieces))


def _stored(
    body: tuple[Let, ...], names: set[str], level: dict[str, int], k: int
) -> tuple[str, ...]:
    return tuple(let.name for let in body if let.name in names and level[let.name] == k)
