"""What every backend shares: spelling a program, literals, identifiers, comments.

A backend is a table of spellings and a few short functions.  Lines that depend on no input are
evaluated here at high precision and printed as literals, correctly rounded, with their formula
in a comment.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol

from ..errors import UnsupportedOp
from ..lower.ops import OPS
from ..lower.program import Let, Operand, Program, constants
from .hyper import connection
from .source import SourceFile as SourceFile

INLINE = frozenset({"add", "sub", "mul", "neg"})
"""Cheap operations: nested into the line that uses them, if it is the only one."""

HYP2F1_FIXED = "hyp2f1 of numbers"
"""The spelling of hyp2f1 where a, b, c are numbers: eleven operands, see `hyper.Connection`."""

_C_WORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if "
    "inline int long register restrict return short signed sizeof static struct switch typedef "
    "union unsigned void volatile while alignas alignof bool complex imaginary noreturn and or not "
    "xor class new delete this template typename namespace public private protected virtual "
    "operator try catch throw using true false nullptr y0 y1 yn j0 j1 jn gamma signgam main NULL "
    "size_t exp log sin cos tan sinh cosh tanh sqrt pow fma erf erfc hypot fabs copysign expm1 "
    "log1p atan2 n i nngp dot ntk np numpy I dd".split()
)


class Backend(Protocol):
    """One language: a spelling for each operation, and how to print a file."""

    @property
    def name(self) -> str:
        """The target's name."""
        ...

    @property
    def suffix(self) -> str:
        """The suffix of its files."""
        ...

    @property
    def spell(self) -> dict[str, str]:
        """The text of each operation, with {0}, {1}, ... for its operands."""
        ...

    def literal(self, value: Fraction | float) -> str:
        """Text that reads back to the same double."""
        ...


def identifier(text: str, taken: set[str]) -> str:
    """A name that is safe in C and Python, and not yet taken.

    ASCII letters, digits, single underscores, at most 40 characters, no reserved word.
    """
    kept = "".join(ch if ch.isascii() and ch.isalnum() else "_" for ch in text).strip("_")
    while "__" in kept:
        kept = kept.replace("__", "_")
    kept = kept[:40].rstrip("_")
    if not kept or kept[0].isdigit():
        kept = f"p{kept}"
    if (
        kept in _C_WORDS
        or kept.startswith("dd_")
        or keyword.iskeyword(kept)
        or keyword.issoftkeyword(kept)
    ):
        kept += "_"
    name, n = kept, 1
    while name in taken:
        n += 1
        name = f"{kept.rstrip('_')}_{n}"
    taken.add(name)
    return name


def comment(text: str) -> str:
    """Text that cannot end a comment or start a line: one line, printable ASCII."""
    flat = " ".join(text.split())
    flat = "".join(ch if ch.isascii() and ch.isprintable() else "?" for ch in flat)
    return flat.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?").replace("\\", "/")


@lru_cache(maxsize=1)
def _context() -> Any:
    from mpmath import MPContext

    ctx = MPContext()
    ctx.prec = 200
    return ctx


def constant_values(p: Program) -> dict[str, float]:
    """The doubles nearest to the lines that depend on no input."""
    return {name: float(v) for name, v in constant_numbers(p).items()}


def constant_numbers(p: Program) -> dict[str, Fraction | float]:
    """The same to 200 bits; a double where one is infinite."""
    ctx = _context()
    fixed = constants(p)
    values: dict[str, Any] = {}

    def value(a: Operand) -> Any:
        return values[a] if isinstance(a, str) else ctx.mpf(a.numerator) / a.denominator

    for let in p.body:
        if let.name in fixed:
            values[let.name] = OPS[let.op].meaning(ctx, *map(value, let.args))
    exact: dict[str, Fraction | float] = {}
    for name, v in values.items():
        if ctx.isfinite(v):
            sign, digits, exponent, _ = v._mpf_
            number = Fraction(int(digits)) * Fraction(2) ** exponent
            exact[name] = -number if sign else number
        else:
            exact[name] = float(v)
    return exact


_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


def formula(p: Program, name: str) -> str:
    """The formula of a constant line, for the comment beside its literal."""
    lines = {let.name: let for let in p.body}

    def text(a: Operand) -> str:
        if not isinstance(a, str):
            return str(a)
        let = lines[a]
        if let.op in _SIGNS:
            return f"({text(let.args[0])}{_SIGNS[let.op]}{text(let.args[1])})"
        if not let.args:
            return let.op
        return f"{let.op.rstrip('0')}({', '.join(text(b) for b in let.args)})"

    shown = text(name)
    return shown[1:-1] if shown.startswith("(") and shown.endswith(")") else shown


@dataclass(frozen=True, slots=True)
class Spelled:
    """A program as text: inputs renamed, lines in order, one text per output."""

    inputs: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, str], ...]
    """(text of the literal, formula) of every constant that is used."""


def spell_program(p: Program, backend: Backend) -> Spelled:
    """The lines of a program in a language.

    Raises:
        UnsupportedOp: the language has no spelling for an operation.
    """
    taken: set[str] = {label for label, _ in p.outputs}
    names = {a: identifier(a, taken) for a in p.args}
    fixed = constant_numbers(p)
    uses: dict[str, int] = {}
    for let in p.body:
        for a in let.args:
            if isinstance(a, str):
                uses[a] = uses.get(a, 0) + 1
    for _, operand in p.outputs:
        if isinstance(operand, str):
            uses[operand] = uses.get(operand, 0) + 1
    shown: dict[str, str] = {}
    notes: dict[str, str] = {}
    lines: list[tuple[str, str]] = []

    def text(a: Operand) -> str:
        if not isinstance(a, str):
            return backend.literal(a)
        if a in fixed:
            literal = backend.literal(fixed[a])
            notes.setdefault(literal, formula(p, a))
            return literal
        return shown[a] if a in shown else names[a]

    for let in p.body:
        if (HYP2F1_FIXED if of_numbers(let) else let.op) not in backend.spell:
            raise UnsupportedOp(
                f"{backend.name} cannot spell the operation {let.op!r}",
                where=str(let),
                hint="another target",
            )
        if let.name in fixed:
            continue
        spelled = spelled_hyp2f1(let, backend, text)
        given = tuple(map(text, let.args))
        spelled = spelled or backend.spell[let.op].format(
            *given, LABEL=let.label, ALL=", ".join(given)
        )
        if let.op in INLINE and uses.get(let.name) == 1 and len(spelled) < 60:
            shown[let.name] = spelled
            continue
        names[let.name] = identifier(let.name, taken)
        lines.append((names[let.name], bare(spelled)))
    outputs = tuple((label, bare(text(operand))) for label, operand in p.outputs)
    return Spelled(
        tuple(names[a] for a in p.args), tuple(lines), outputs, tuple(sorted(notes.items()))
    )


def of_numbers(let: Let) -> bool:
    """Whether a line is hyp2f1 with numbers for a, b, c."""
    return let.op == "hyp2f1" and not any(isinstance(a, str) for a in let.args[:3])


def spelled_hyp2f1(let: Let, backend: Backend, text: Callable[[Operand], str]) -> str:
    """The text of hyp2f1 of three numbers, with the constants of its expansion; else nothing."""
    if not of_numbers(let):
        return ""
    a, b, c, t, s = let.args
    assert not isinstance(a, str) and not isinstance(b, str) and not isinstance(c, str)
    numbers = connection(Fraction(a), Fraction(b), Fraction(c)).values()
    return backend.spell[HYP2F1_FIXED].format(*map(backend.literal, numbers), text(t), text(s))


def bare(text: str) -> str:
    """Without the outer brackets of a whole right-hand side."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for i, ch in enumerate(text):
        depth += (ch == "(") - (ch == ")")
        if depth == 0 and i < len(text) - 1:
            return text
    return text[1:-1]


def missing_ops(backend: Backend) -> tuple[str, ...]:
    """The operations a backend has no spelling for, sorted."""
    return tuple(sorted(set(OPS) - set(backend.spell)))
