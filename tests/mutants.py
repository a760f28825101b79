"""Wrong formulas made from right ones: every single edit of a syntax tree of the kinds people make.

Signs, factors, exponents, indices, exchanged functions, dropped terms, factors, squares and roots,
exchanged arguments, integers off by one, brackets that close elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

from ntksym.language.parser import read_tree
from ntksym.language.syntax import (
    Call,
    Name,
    Negate,
    Node,
    Number,
    Power,
    Product,
    Sum,
)

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One edit: its kind, and the formula after it."""

    kind: str
    text: str


def mutants(text: str, random: Random) -> Iterator[Mutant]:
    """The mutants of a formula in a random order, its kinds in turn, each text once.

    None is the formula itself, and none brings in a name that the formula cannot speak of.
    """
    tree = read_tree(text)
    here = set(_names(tree)) | PAIR
    seen = {write(tree)}
    kinds: dict[str, list[Node]] = {}
    for kind, changed in _edits(tree):
        kinds.setdefault(kind, []).append(changed)
    order = sorted(kinds)
    random.shuffle(order)
    for kind in order:
        random.shuffle(kinds[kind])
    while any(kinds.values()):
        for kind in order:
            if not kinds[kind]:
                continue
            changed = kinds[kind].pop()
            written = write(changed)
            if written not in seen and set(_names(changed)) <= here:
                seen.add(written)
                yield Mutant(kind, written)


def _names(node: Node) -> Iterator[str]:
    if isinstance(node, Name):
        yield node.name
    for child in _below(node):
        yield from _names(child)


def _edits(node: Node) -> Iterator[tuple[str, Node]]:
    """The node with one edit, at the node itself or anywhere below."""
    yield from _here(node)
    for index, child in enumerate(_below(node)):
        for kind, changed in _edits(child):
            yield kind, _with(node, index, changed)


SWAPS = {
    "asin": ("acos", "atan", "sin"),
    "acos": ("asin", "atan"),
    "atan": ("asin", "acos", "tan"),
    "sin": ("cos", "sinh"),
    "cos": ("sin", "cosh"),
    "sinh": ("cosh", "sin"),
    "cosh": ("sinh", "cos"),
    "tanh": ("tan",),
    "Phi": ("phi", "erf"),
    "phi": ("Phi",),
    "erf": ("erfc", "Phi"),
    "erfc": ("erf",),
}
NAMES = {
    "q1": ("q2", "c"),
    "q2": ("q1", "c"),
    "c": ("q1", "q2", "rho"),
    "q11": ("q22", "q12"),
    "q22": ("q11", "q12"),
    "q12": ("q11", "q22"),
    "C12": ("C13",),
    "C13": ("C23", "C11"),
    "C33": ("C11",),
    "C11": ("C33",),
    "h": ("k",),
    "k": ("h",),
}
PAIR = {"q1", "q2", "c", "q11", "q22", "q12", "rho", "pi"}
"""Names that an edit may bring in: a formula of a pair can speak of any of them."""
FACTORS = (
    ("factor 2", Number(0, Fraction(2))),
    ("factor 1/2", Number(0, Fraction(1, 2))),
    ("factor pi", Name(0, "pi")),
    ("factor sqrt(2)", Call(0, "sqrt", (Number(0, Fraction(2)),))),
)


def _here(node: Node) -> Iterator[tuple[str, Node]]:
    if isinstance(node, Call | Power):
        yield "dropped", _argument(node)
        yield "sign", Negate(0, node)
    match node:
        case Sum():
            for i, (sign, term) in enumerate(node.terms):
                rest = node.terms[:i] + node.terms[i + 1 :]
                yield "sign", replace(node, terms=_put(node.terms, i, (-sign, term)))
                yield "dropped term", replace(node, terms=rest)
                if isinstance(term, Product) and len(node.terms) == 2:
                    # a*b + c read as a*(b + c)
                    (side, last), other = term.factors[-1], rest[0]
                    if side > 0 and i == 0:
                        inner = Sum(0, ((1, last), other))
                        yield "bracket", Product(0, (*term.factors[:-1], (1, inner)))
        case Product():
            for i, (side, factor) in enumerate(node.factors):
                rest = node.factors[:i] + node.factors[i + 1 :]
                yield "upside down", replace(node, factors=_put(node.factors, i, (-side, factor)))
                if rest:
                    yield "dropped factor", replace(node, factors=rest)
                if isinstance(factor, Sum) and len(factor.terms) == 2 and side > 0 and rest:
                    # a*(b + c) read as a*b + c
                    (s0, t0), other = factor.terms
                    inner = Product(0, _put(node.factors, i, (1, t0)))
                    yield "bracket", Sum(0, ((s0, inner), other))
            for kind, number in FACTORS:
                yield kind, Product(0, ((1, number), (1, node)))
            yield "square root", Call(0, "sqrt", (node,))
        case Power():
            if isinstance(node.exponent, Number):
                for step in (Fraction(1), Fraction(-1)):
                    new = Number(0, node.exponent.value + step)
                    yield "exponent", replace(node, exponent=new)
            yield "exponent", replace(node, exponent=Negate(0, node.exponent))
        case Number():
            for kind, value in (("off by one", 1), ("off by one", -1)):
                yield kind, Number(0, node.value + value)
            yield "factor 2", Number(0, node.value * 2)
        case Name():
            for other in NAMES.get(node.name, ()):
                yield "index", Name(0, other)
            yield "square", Power(0, node, Number(0, Fraction(2)))
            if node.name == "rho":
                yield "sign", Negate(0, node)
        case Call():
            for other in SWAPS.get(node.name, ()):
                yield "function", replace(node, name=other)
            if node.name in ("exp", "acos", "asin", "Phi"):
                yield "sign inside", replace(node, arguments=(Negate(0, node.arguments[0]),))
            if len(node.arguments) > 1:
                for i in range(len(node.arguments) - 1):
                    args = list(node.arguments)
                    args[i], args[i + 1] = args[i + 1], args[i]
                    yield "arguments", replace(node, arguments=tuple(args))
        case _:
            return


def _argument(node: Call | Power) -> Node:
    """What is left without the function, or without the exponent."""
    return node.base if isinstance(node, Power) else node.arguments[-1]


def _put(items: tuple[tuple[int, Node], ...], at: int, new: tuple[int, Node]):  # type: ignore[no-untyped-def]
    return (*items[:at], new, *items[at + 1 :])


def _below(node: Node) -> tuple[Node, ...]:
    match node:
        case Negate():
            return (node.operand,)
        case Sum():
            return tuple(t for _, t in node.terms)
        case Product():
            return tuple(f for _, f in node.factors)
        case Power():
            return node.base, node.exponent
        case Call():
            return node.arguments
        case _:
            return ()


def _with(node: Node, index: int, child: Node) -> Node:
    match node:
        case Negate():
            return replace(node, operand=child)
        case Sum():
            return replace(node, terms=_put(node.terms, index, (node.terms[index][0], child)))
        case Product():
            return replace(node, factors=_put(node.factors, index, (node.factors[index][0], child)))
        case Power():
            return replace(node, **{("base", "exponent")[index]: child})
        case Call():
            arguments = (*node.arguments[:index], child, *node.arguments[index + 1 :])
            return replace(node, arguments=arguments)
    raise AssertionError(node)


def write(node: Node) -> str:
    """The text of a tree, with brackets around everything that could need them."""
    match node:
        case Number():
            v = node.value
            return str(v.numerator) if v.denominator == 1 and v >= 0 else f"({v})"
        case Name():
            return node.name
        case Negate():
            return f"(-{write(node.operand)})"
        case Sum():
            if not node.terms:
                return "0"
            text = "".join(f"{' + ' if s > 0 else ' - '}{write(t)}" for s, t in node.terms)
            return f"({text.removeprefix(' + ').replace(' - ', '-', 1) if text.startswith(' - ') else text.removeprefix(' + ')})"
        case Product():
            first, *_ = node.factors
            head = "1" if first[0] < 0 else ""
            text = "".join(f"{'*' if s > 0 else '/'}{write(f)}" for s, f in node.factors)
            return f"({head}{text if head else text[1:]})"
        case Power():
            return f"({write(node.base)}**{write(node.exponent)})"
        case Call():
            return f"{node.name}({', '.join(write(a) for a in node.arguments)})"
    raise AssertionError(node)
