"""A layer program in parts: what one point gives, and what a pair adds; and stages of a pair.

A quantity of one point (a variance, its root, a factor of a denominator) is then computed once
per point and layer instead of once per pair.  Stages separate the operations that work on a block
of pairs at once from the lines between them.
"""

from __future__ import annotations

from dataclasses import dataclass

from .lines import FIRST, PAIR, SECOND, side
from .ops import FAR_OPS
from .program import Let, Operand, Program, constants, live

BLOCK_OPS = frozenset({"Phi2", "expPhi2", "price", *FAR_OPS})
"""Operations that loop inside: they get whole blocks of pairs."""

ALONG = frozenset({"Phi", "expPhi"})
"""Operations of some length: beside those, they get whole blocks too, and are compiled once."""

SIDE_ARGS = {FIRST: ("q11", "n11", "r11", "s11"), SECOND: ("q22", "n22", "r22", "s22")}
"""The quantities of one point that every layer is given: q, its successor, the roots of both."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A layer program in three.

    Attributes:
        first: the first point's quantities -> its features.
        second: the same for the second point.
        pair: features of both, then q12, root, t12, then parameters -> nngp, ntk, root.
        features: the names of the features of each point, inputs of `pair` in this order.
    """

    first: Program
    second: Program
    pair: Program
    features: tuple[tuple[str, ...], tuple[str, ...]]


def sides_of(p: Program) -> dict[str, int]:
    """What every name of a program depends on: 0, `FIRST`, `SECOND` or `PAIR`."""
    found = {a: side(a) for a in p.args}
    for let in p.body:
        found[let.name] = 0
        for a in let.args:
            if isinstance(a, str):
                found[let.name] |= found[a]
    return found


def split(p: Program) -> Parts:
    """The three programs of a layer program, whose composition it is."""
    found = sides_of(p)
    params = tuple(a for a in p.args if side(a) == 0)
    used: list[str] = [o for _, o in p.outputs if isinstance(o, str)]
    for let in p.body:
        if found[let.name] in (0, PAIR):
            used += [a for a in let.args if isinstance(a, str)]
    features = []
    programs = []
    for k in (FIRST, SECOND):
        names = tuple(n for n in found if found[n] == k and n in used)
        outputs: tuple[tuple[str, Operand], ...] = tuple((n, n) for n in names)
        body = live(tuple(let for let in p.body if found[let.name] in (0, k)), outputs)
        programs.append(Program(f"{p.name}_side{k}", (*SIDE_ARGS[k], *params), body, outputs))
        features.append(names)
    rest = tuple(let for let in p.body if found[let.name] in (0, PAIR))
    args = (*features[0], *features[1], "q12", "root", "t12", *params)
    pair = Program(p.name, args, live(rest, p.outputs), p.outputs, p.requires, p.computes)
    return Parts(programs[0], programs[1], pair, (features[0], features[1]))


@dataclass(frozen=True, slots=True)
class Block:
    """One operation on a whole block: the names of the arrays it reads, and of the one it fills.

    `label` is the operation with the digest of what it carries (`Let.label`).
    """

    op: str
    label: str
    reads: tuple[str, ...]
    fills: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Lines of one loop over a block of pairs, then operations that take the block whole.

    The outputs of `program` are arrays for later stages and for `blocks`; its arguments are those
    of the whole program, or such arrays.
    """

    program: Program
    blocks: tuple[Block, ...]


def stages(p: Program) -> tuple[Stage, ...]:
    """The lines of a program in stages; one stage without blocks where it has no such operation."""
    fixed = constants(p)
    whole = BLOCK_OPS | ALONG if any(let.op in BLOCK_OPS for let in p.body) else BLOCK_OPS
    level: dict[str, int] = {}
    for let in p.body:
        before = max((level.get(a, 0) for a in let.args if isinstance(a, str)), default=0)
        level[let.name] = before + (let.op in whole and let.name not in fixed)
    heavy = {let.name for let in p.body if let.op in whole and let.name not in fixed}
    last = max(level.values(), default=0)
    plain = [let for let in p.body if let.name not in heavy]
    kept: list[str] = []  # values that a later stage needs, in the order of the program
    for let in (*p.body, Let("", "", tuple(o for _, o in p.outputs))):
        here = level.get(let.name, last) - (let.name in heavy)  # it reads in the stage before
        kept += [
            a for a in let.args
            if isinstance(a, str) and a in level and a not in heavy and a not in fixed
            and level[a] < here
        ]  # fmt: skip
    found = []
    for k in range(last + 1):
        outputs: list[tuple[str, Operand]] = []
        blocks = []
        for n, let in enumerate(e for e in p.body if e.name in heavy and level[e.name] == k + 1):
            reads = tuple(f"at{k}_{n}_{j}" for j in range(len(let.args)))
            outputs += zip(reads, let.args, strict=True)
            blocks.append(Block(let.op, let.label, reads, let.name))
        outputs += [(e.name, e.name) for e in plain if e.name in kept and level[e.name] == k]
        outputs += p.outputs if k == last else ()
        body = tuple(e for e in plain if level[e.name] == k or e.name in fixed)
        inner = {e.name for e in body}
        wanted = {a for e in body for a in e.args} | {o for _, o in outputs}
        earlier = [e.name for e in p.body if e.name in wanted and e.name not in inner]
        args = (*(a for a in p.args if a in wanted), *earlier)
        ends = tuple(outputs)
        found.append(Stage(Program(f"{p.name}_{k}", args, live(body, ends), ends), tuple(blocks)))
    return tuple(found)
