"""`Program`: a straight line of total scalar operations, checked when built."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol

from ..digits import digits
from ..errors import BadProgram
from .ops import DIRECT_OPS, OPS

Operand = int | Fraction | str
"""An exact number, or the name of an argument or of an earlier line."""


class Inner(Protocol):
    """What a line carries besides operands: a program, or the numbers of a rule."""

    @property
    def programs(self) -> tuple[Program, ...]:
        """The programs that are run inside."""
        ...

    def digest(self) -> str:
        """What tells it from others."""
        ...


@dataclass(frozen=True, slots=True)
class Let:
    """One line of a program: `name = op(args)`."""

    name: str
    op: str
    args: tuple[Operand, ...]
    inner: Inner | None = None
    """What the operation runs at points of its own choice (`price`, `far`)."""

    @property
    def label(self) -> str:
        """The operation, with the digest of the inner program where there is one."""
        return self.op if self.inner is None else f"{self.op}_{self.inner.digest()[:12]}"

    def __str__(self) -> str:
        return f"{self.name} = {self.label}({', '.join(map(str, self.args))})"


@dataclass(frozen=True, slots=True)
class Program:
    """Named scalar inputs, lines, named outputs.

    Attributes:
        name: what it computes, as an identifier.
        args: the inputs: covariance entries first, then parameters, sorted.
        body: the lines, each of earlier names only.
        outputs: pairs (output name, operand).
        requires: preconditions, in words; printed into every generated file.
        computes: one line for the reader: the formula.

    Raises:
        BadProgram: an unknown operation, a wrong number of arguments, a name used before it is
            defined or defined twice.
    """

    name: str
    args: tuple[str, ...]
    body: tuple[Let, ...]
    outputs: tuple[tuple[str, Operand], ...]
    requires: tuple[str, ...] = ()
    computes: str = ""

    def __post_init__(self) -> None:
        validate(self)

    @property
    def programs(self) -> tuple[Program, ...]:
        """Itself: as in `Inner`."""
        return (self,)

    def evaluate(self, point: Mapping[str, Any], ctx: Any = None) -> dict[str, Any]:
        """The outputs at a point, in an mpmath context (default: its own, with 50 digits).

        This runs the mpmath meaning of every operation: it is the reference for the backends.

        Raises:
            BadProgram: the point lacks an argument.
        """
        if ctx is None:
            ctx = digits(50)
        if missing := [a for a in self.args if a not in point]:
            raise BadProgram(f"{self.name}: no value for {missing[0]!r}", where="evaluate")
        values = {a: ctx.convert(point[a]) for a in self.args}

        def value(a: Operand) -> Any:
            return (
                values[a] if isinstance(a, str) else _number(ctx, ctx.prec, *a.as_integer_ratio())
            )

        for let in self.body:
            values[let.name] = OPS[let.op].meaning(ctx, *map(value, let.args))
        return {name: value(operand) for name, operand in self.outputs}

    def digest(self) -> str:
        """SHA-256 of the text of the program, in hexadecimal."""
        return hashlib.sha256(str(self).encode()).hexdigest()

    def __str__(self) -> str:
        lines = [f"program {self.name}({', '.join(self.args)})"]
        lines += [f"  {let}" for let in self.body]
        lines += [f"  return {name} = {operand}" for name, operand in self.outputs]
        return "\n".join(lines + [f"  requires {r}" for r in self.requires]) + "\n"


@lru_cache(maxsize=1024)
def _number(ctx: Any, prec: int, above: int, below: int) -> Any:
    """A constant in a context at its precision: programs are evaluated at many points."""
    return ctx.mpf(above) / below


def validate(p: Program) -> Program:
    """The program itself, if it is well formed.

    Raises:
        BadProgram: with the line that is not.
    """
    known = set(p.args)
    if len(known) != len(p.args):
        raise BadProgram(f"{p.name}: an argument is named twice", where=", ".join(p.args))
    for let in p.body:
        if let.op not in OPS:
            raise BadProgram(f"{p.name}: unknown operation {let.op!r}", where=str(let))
        arity = OPS[let.op].arity
        if let.op == "price" and let.inner is not None:
            arity = 1 + len(let.inner.programs[0].args)
        if let.op in DIRECT_OPS and let.inner is not None:
            arity += len(let.inner.programs[0].args) - 1  # of a point: x, parameters
        if len(let.args) != arity:
            raise BadProgram(f"{p.name}: {let.op} takes {arity} arguments", where=str(let))
        if stray := [a for a in let.args if isinstance(a, str) and a not in known]:
            raise BadProgram(f"{p.name}: {stray[0]!r} is not yet defined", where=str(let))
        if let.name in known:
            raise BadProgram(f"{p.name}: {let.name!r} is defined twice", where=str(let))
        known.add(let.name)
    for name, operand in p.outputs:
        if isinstance(operand, str) and operand not in known:
            raise BadProgram(f"{p.name}: output {name} = {operand!r} is not defined")
    return p


def constants(p: Program) -> frozenset[str]:
    """The names of the lines that depend on no argument: backends print them as literals."""
    found: set[str] = set()
    for let in p.body:
        if all(not isinstance(a, str) or a in found for a in let.args):
            found.add(let.name)
    return frozenset(found)


def with_inner(programs: tuple[Program, ...]) -> tuple[Program, ...]:
    """The programs, and before each the ones that its lines run inside; each once."""
    found: dict[str, Program] = {}

    def add(p: Program) -> None:
        for let in p.body:
            for q in let.inner.programs if let.inner is not None else ():
                add(q)
        found.setdefault(p.digest(), p)

    for p in programs:
        add(p)
    return tuple(found.values())


def live(body: tuple[Let, ...], outputs: tuple[tuple[str, Operand], ...]) -> tuple[Let, ...]:
    """The lines that some output needs, in order."""
    needed = {operand for _, operand in outputs if isinstance(operand, str)}
    kept: list[Let] = []
    for let in reversed(body):
        if let.name in needed:
            kept.append(let)
            needed.update(a for a in let.args if isinstance(a, str))
    return tuple(reversed(kept))
