"""Right formulas made from right ones: edits that leave the function as it is, one at a time.

What a paper writes and what another one writes: an arc sine for an arc cosine, exponentials for a
hyperbolic sine, error functions for the normal distribution, a product of roots for the root of a
product, a name for what it abbreviates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mutants import Mutant, _below, _with, write

from ntksym.language.parser import read_tree
from ntksym.language.syntax import Call, Name, Negate, Node, Number, Power, Product, Sum

CALLS = {
    "acos": ("(pi/2 - asin({0}))", "(2*atan2(sqrt(1 - {0}), sqrt(1 + {0})))"),
    "asin": ("(pi/2 - acos({0}))", "(-asin(-{0}))"),
    "atan": ("asin({0}/sqrt(1 + {0}^2))", "atan2({0}, 1)"),
    "exp": ("(1/exp(-{0}))", "(exp({0}/2)^2)", "(E^{0})"),
    "sinh": ("((exp({0}) - exp(-{0}))/2)",),
    "cosh": ("((exp({0}) + exp(-{0}))/2)",),
    "Phi": ("((1 + erf({0}/sqrt(2)))/2)", "(1 - Phi(-{0}))", "(erfc(-{0}/sqrt(2))/2)"),
    "phi": ("(exp(-{0}^2/2)/sqrt(2*pi))", "phi(-{0})"),
    "erf": ("(2*Phi(sqrt(2)*{0}) - 1)", "(1 - erfc({0}))"),
    "erfc": ("(1 - erf({0}))", "(2*Phi(-sqrt(2)*{0}))"),
    "Phi2": ("(Phi({0}) - Phi2({0}, -{1}, -{2}))", "Phi2({1}, {0}, {2})"),
    "sin": ("cos({0} - pi/2)",),
    "cos": ("sin({0} + pi/2)",),
    "sqrt": ("({0}^(1/2))",),
    "OwenT": ("OwenT(-{0}, {1})",),
}
NAMES = {
    "rho": ("(c/sqrt(q1*q2))", "cos(theta)"),
    "c": ("(rho*sqrt(q1*q2))", "q12"),
    "q12": ("c", "(rho*sqrt(q11)*sqrt(q22))"),
    "q1": ("q11",),
    "q11": ("q1",),
    "theta": ("acos(rho)",),
    "pi": ("acos(-1)", "(4*atan(1))"),
}


def rewrites(text: str, pair: bool) -> tuple[Mutant, ...]:
    """Every rewriting of one place; names of a pair only where `pair` says that they are bound."""
    tree = read_tree(text)
    found: dict[str, Mutant] = {}
    for kind, changed in _edits(tree, pair):
        written = write(changed)
        found.setdefault(written, Mutant(kind, written))
    return tuple(found.values())


def _edits(node: Node, pair: bool) -> Iterator[tuple[str, Node]]:
    yield from _here(node, pair)
    for index, child in enumerate(_below(node)):
        for kind, changed in _edits(child, pair):
            yield kind, _with(node, index, changed)


def _here(node: Node, pair: bool) -> Iterator[tuple[str, Node]]:
    match node:
        case Call():
            inside = [f"({write(a)})" for a in node.arguments]
            for form in CALLS.get(node.name, ()):
                yield node.name, read_tree(form.format(*inside))
        case Name():
            for form in NAMES.get(node.name, ()) if pair or node.name == "pi" else ():
                yield node.name, read_tree(form)
        case Sum() if len(node.terms) > 1:
            yield "order", replace(node, terms=node.terms[::-1])
            opposite = Sum(0, tuple((-s, t) for s, t in node.terms))
            yield "opposite", Negate(0, opposite)
        case Product() if len(node.factors) > 1:
            yield "common factor", Product(0, (*node.factors, (1, _SEVEN), (-1, _SEVEN)))
        case Power() if isinstance(node.exponent, Number):
            below = Power(0, node.base, Negate(0, node.exponent))
            yield "reciprocal", Product(0, ((1, _ONE), (-1, below)))


_ONE = read_tree("1")
_SEVEN = read_tree("7")
