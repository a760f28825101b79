"""Every single edit of a syntax tree: the slips of the pen that a formula can have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from ...language.syntax import Call, Name, Negate, Node, Number, Power, Product, Sum
from ...language.table import canonical
from ...language.tree_text import write
from .trees import (
    Path,
    call,
    name,
    negative,
    number,
    places,
    power,
    product,
    quotient,
    root,
    total,
)
from .words import ordinal, short

_NEIGHBOURS = {
    "asin": ("acos", "atan", "asinh", "sin"),
    "acos": ("asin", "atan", "cos"),
    "atan": ("asin", "acos", "tan", "tanh", "asinh"),
    "asinh": ("asin", "atan", "sinh"),
    "sin": ("cos", "sinh", "asin", "tan"),
    "cos": ("sin", "cosh", "acos"),
    "tan": ("tanh", "atan", "sin"),
    "sinh": ("cosh", "sin", "tanh"),
    "cosh": ("sinh", "cos", "exp"),
    "tanh": ("tan", "sinh", "atan", "erf"),
    "exp": ("expm1", "log", "cosh", "sinh"),
    "log": ("exp", "log1p"),
    "expm1": ("exp",),
    "log1p": ("log",),
    "Phi": ("phi", "erf", "erfc"),
    "phi": ("Phi", "exp"),
    "erf": ("erfc", "Phi"),
    "erfc": ("erf", "Phi"),
    "sqrt": ("abs", "cbrt"),
    "max": ("min",),
    "min": ("max",),
    "abs": ("sign",),
    "sign": ("abs",),
    "factorial": ("factorial2", "gamma"),
    "factorial2": ("factorial",),
    "gamma": ("factorial",),
}
"""Functions that are mistaken for each other."""


@dataclass(slots=True)
class Edit:
    """One edit of one node.

    Attributes:
        new: what stands in its place.
        weight: small for a slip that is often made.
        say: the sentence.
    """

    new: Node
    weight: int
    say: Callable[[], str]


def edits(tree: Node, vocabulary: tuple[str, ...]) -> Iterator[tuple[Path, Edit]]:
    """Every edit with the way to the node that it replaces.

    Args:
        tree: the formula.
        vocabulary: the names that may stand for each other.
    """
    for node, path in places(tree):
        for edit in _here(node, vocabulary, node is tree):
            yield path, edit


def _here(node: Node, vocabulary: tuple[str, ...], top: bool) -> Iterator[Edit]:
    match node:
        case Number():
            yield from _numbers(node)
        case Name():
            yield from _names(node, vocabulary)
        case Sum():
            yield from _sums(node, vocabulary)
        case Product():
            yield from _products(node, top)
        case Power():
            yield from _powers(node)
        case Call():
            yield from _calls(node)
        case Negate():
            yield Edit(node.operand, 1, lambda: f"the sign of {short(node)}")
    yield from _anywhere(node, vocabulary, top)


def _numbers(node: Number) -> Iterator[Edit]:
    value = node.value
    near: dict[Fraction, None] = {}
    for other in (value + 1, value - 1, value * 2, value / 2, value + 2, value - 2, value * 4,
                  value / 4, value * 3, value / 3, value + Fraction(1, 2),
                  value - Fraction(1, 2), value**2, value * Fraction(3, 2), value + 3, value - 3,
                  value + 4, value * 8, value / 8, value * 6, value / 6):  # fmt: skip
        near[other] = None
    for weight, other in enumerate(near):
        if other not in (value, -value):
            new = number(other)
            yield Edit(
                new, 3 + weight // 4, lambda new=new: f"{write(node)} where {write(new)} is meant"  # type: ignore[misc]
            )  # fmt: skip


def _names(node: Name, vocabulary: tuple[str, ...]) -> Iterator[Edit]:
    for other in vocabulary:
        if other != node.name:
            yield Edit(
                name(other), 2, lambda other=other: f"{node.name} where {other} is meant"  # type: ignore[misc]
            )  # fmt: skip


def _sums(node: Sum, vocabulary: tuple[str, ...]) -> Iterator[Edit]:
    for i, (sign, term) in enumerate(node.terms):
        rest = node.terms[:i] + node.terms[i + 1 :]
        flipped = (*node.terms[:i], (-sign, term), *node.terms[i + 1 :])
        yield Edit(
            total(*flipped), 0,
            lambda i=i, term=term: _sign(node, i, term),  # type: ignore[misc]
        )  # fmt: skip
        yield Edit(
            total(*rest), 2, lambda term=term: f"the term {short(term)} is too many"  # type: ignore[misc]
        )  # fmt: skip
        # a divisor or factor of one term that belongs to the whole sum
        if isinstance(term, Product):
            yield from _widened(node, i, term)
    for extra in _terms(vocabulary):
        for sign in (1, -1):
            shown = write(extra)
            yield Edit(
                total(*node.terms, (sign, extra)), 5,
                lambda shown=shown, sign=sign: (  # type: ignore[misc]
                    f"the term {'-' if sign < 0 else ''}{shown} is missing in {short(node)}"
                ),
            )  # fmt: skip


def _sign(node: Sum, i: int, term: Node) -> str:
    """The term by its place where the whole sum can be shown, otherwise by itself."""
    text = write(node)
    if short(node) == text:
        return f"the sign of the {ordinal(i)} term of {text}"
    return f"the sign of the term {short(term)}"


def _terms(vocabulary: tuple[str, ...]) -> list[Node]:
    found: list[Node] = [number(1), number(2), number(Fraction(1, 2))]
    if len(vocabulary) <= 8:
        for n in vocabulary:
            found += [name(n), power(name(n), 2), product(number(2), name(n))]
    return found


def _widened(node: Sum, i: int, term: Product) -> Iterator[Edit]:
    for j, (e, f) in enumerate(term.factors):
        left = term.factors[:j] + term.factors[j + 1 :]
        if not any(d > 0 for d, _ in left):
            continue
        inner = total(*node.terms[:i], (node.terms[i][0], _product(left)), *node.terms[i + 1 :])
        new = product(inner, f) if e > 0 else quotient(inner, f)
        yield Edit(
            new, 3, lambda f=f: f"{short(f)} belongs outside the bracket"  # type: ignore[misc]
        )  # fmt: skip


def _product(factors: tuple[tuple[int, Node], ...]) -> Node:
    found: Node = product(*(f for e, f in factors if e > 0))
    for e, f in factors:
        found = found if e > 0 else quotient(found, f)
    return found


def _products(node: Product, top: bool) -> Iterator[Edit]:
    whole = write(node)
    inside = "" if top or short(node) != whole else f" in {whole}"
    many = f"{inside} is too many".strip()
    for i, (e, f) in enumerate(node.factors):
        rest = node.factors[:i] + node.factors[i + 1 :]
        yield Edit(
            _product(rest), 2,
            lambda e=e, f=f: f"the {'factor' if e > 0 else 'divisor'} {short(f)} {many}",  # type: ignore[misc]
        )  # fmt: skip
        turned = (*node.factors[:i], (-e, f), *node.factors[i + 1 :])
        yield Edit(
            _product(turned), 2,
            lambda e=e, f=f: (  # type: ignore[misc]
                f"{short(f)} belongs {'below' if e > 0 else 'above'} the fraction bar{inside}"
            ),
        )  # fmt: skip
        yield from _moved(node, e, f, rest)


def _moved(node: Product, e: int, f: Node, rest: tuple[tuple[int, Node], ...]) -> Iterator[Edit]:
    """One factor taken into or out of the bracket of another."""

    def said(inside: bool) -> Callable[[], str]:
        where = "inside" if inside else "outside"
        return lambda: f"{short(f)} belongs {where} the bracket in {short(node)}"

    for j, (d, other) in enumerate(rest):

        def put(new: Node, j: int = j, d: int = d) -> Node:
            return _product((*rest[:j], (d, new), *rest[j + 1 :]))

        into = product if e == 1 else quotient
        if isinstance(other, Call) and len(other.arguments) == 1:
            yield Edit(put(call(other.name, into(other.arguments[0], f))), 3, said(True))
            if e == d == -1 or (e == 1 and d == -1):
                flipped = quotient if e == 1 else product
                yield Edit(put(call(other.name, flipped(other.arguments[0], f))), 3, said(True))
        if isinstance(other, Power):
            yield Edit(put(Power(0, into(other.base, f), other.exponent)), 3, said(True))
        if isinstance(other, Sum):
            for k, (sign, term) in enumerate(other.terms):
                wide = (*other.terms[:k], (sign, into(term, f)), *other.terms[k + 1 :])
                yield Edit(
                    put(total(*wide)), 3,
                    lambda k=k: f"{short(f)} belongs to the {ordinal(k)} term only",  # type: ignore[misc]
                )  # fmt: skip
    # out of the argument or the base of a factor: f is that factor
    inner = f.arguments[0] if isinstance(f, Call) and len(f.arguments) == 1 else None
    if isinstance(inner, Product):
        for out, left in _taken(inner):
            new = call(f.name, left) if isinstance(f, Call) else left
            found = _product((*rest, (e, new)))
            yield Edit(
                product(found, out[1]) if out[0] > 0 else quotient(found, out[1]), 4,
                lambda out=out: f"{short(out[1])} belongs outside the bracket",  # type: ignore[misc]
            )  # fmt: skip


def _taken(inner: Product) -> Iterator[tuple[tuple[int, Node], Node]]:
    for j, factor in enumerate(inner.factors):
        left = inner.factors[:j] + inner.factors[j + 1 :]
        yield factor, _product(left)


def _powers(node: Power) -> Iterator[Edit]:

    def text(new: Node) -> Callable[[], str]:
        return lambda: f"the exponent of {short(node.base)} is {short(new)}"

    e = node.exponent
    for weight, new in (
        (2, total((1, e), (1, number(1)))), (2, total((1, e), (-1, number(1)))),
        (2, negative(e)), (2, product(number(2), e)), (2, quotient(e, number(2))),
        (3, total((1, e), (1, number(Fraction(1, 2))))),
        (3, total((1, e), (-1, number(Fraction(1, 2))))),
    ):  # fmt: skip
        value = _rational(new)
        exponent = number(value) if value is not None else new
        plain = node.base if value == 1 else Power(0, node.base, exponent)
        yield Edit(plain, weight, text(exponent))
    yield Edit(node.base, 2, lambda: f"the exponent of {short(node.base)} is too many")
    if isinstance(node.base, Product):
        for out, left in _taken(node.base):
            inner = Power(0, left, e)
            yield Edit(
                product(inner, out[1]) if out[0] > 0 else quotient(inner, out[1]), 3,
                lambda out=out: f"{short(out[1])} is not under the exponent",  # type: ignore[misc]
            )  # fmt: skip


def _rational(node: Node) -> Fraction | None:
    match node:
        case Number():
            return node.value
        case Negate():
            v = _rational(node.operand)
            return None if v is None else -v
        case Sum():
            parts = [(s, _rational(t)) for s, t in node.terms]
            return None if any(v is None for _, v in parts) else sum(
                (s * v for s, v in parts if v is not None), Fraction(0)
            )  # fmt: skip
        case Product():
            found = Fraction(1)
            for e, f in node.factors:
                v = _rational(f)
                if v is None or (e < 0 and v == 0):
                    return None
                found = found * v if e > 0 else found / v
            return found
        case _:
            return None


def exchanges(tree: Node) -> Iterator[tuple[Path, Edit]]:
    """Every function of the tree for one that is mistaken for it."""
    for node, path in places(tree):
        if isinstance(node, Call):
            for edit in _exchanged(node):
                yield path, edit


def _exchanged(node: Call) -> Iterator[Edit]:
    for other in _NEIGHBOURS.get(canonical(node.name), ()):
        yield Edit(
            call(other, *node.arguments), 2,
            lambda other=other: f"{node.name} where {other} is meant",  # type: ignore[misc]
        )  # fmt: skip


def _calls(node: Call) -> Iterator[Edit]:
    yield from _exchanged(node)
    if len(node.arguments) == 1:
        (inside,) = node.arguments
        yield Edit(inside, 2, lambda: f"{node.name} is too many around {short(inside)}")
        if isinstance(inside, Product):
            for out, left in _taken(inside):
                made = call(node.name, left)
                yield Edit(
                    product(made, out[1]) if out[0] > 0 else quotient(made, out[1]), 3,
                    lambda out=out: f"{short(out[1])} belongs outside {node.name}",  # type: ignore[misc]
                )  # fmt: skip
        if canonical(node.name) == "sqrt":
            yield Edit(
                power(inside, 2), 4, lambda: f"the square where the root of {short(inside)} stands"
            )


_FACTORS: tuple[Node, ...] = (
    number(2), name("pi"), root(number(2)), number(4), number(3), root(name("pi")),
    root(number(3)), number(6), number(8), root(product(number(2), name("pi"))),
)  # fmt: skip


def _anywhere(node: Node, vocabulary: tuple[str, ...], top: bool) -> Iterator[Edit]:
    """Edits that fit every node; factors of the whole are another explanation."""
    if isinstance(node, Number) and node.value == 0:
        return
    if not isinstance(node, Negate):
        yield Edit(negative(node), 1, lambda: f"the sign of {short(node)}")
    yield Edit(power(node, 2), 3, lambda: f"{short(node)} should be squared")
    yield Edit(root(node), 3, lambda: f"the root of {short(node)} is missing")
    yield Edit(quotient(number(1), node), 3, lambda: f"the inverse of {short(node)} is meant")
    if top:
        return
    if isinstance(node, Number):
        for n in vocabulary:
            yield Edit(
                product(node, name(n)), 3,
                lambda n=n: f"the factor {n} is missing at {short(node)}",  # type: ignore[misc]
            )  # fmt: skip
        return
    one = number(1)
    nearby = (total((1, one), (-1, node)), total((1, node), (1, one)), total((1, node), (-1, one)))
    for weight, new in enumerate(nearby):
        yield Edit(
            new, 4 + weight, lambda new=new: f"{short(new)} where {short(node)} stands"  # type: ignore[misc]
        )  # fmt: skip
    for f in (
        *_FACTORS,
        *(g for n in vocabulary for g in (name(n), root(name(n)), power(name(n), 2))),
    ):
        shown = write(f)
        # a lost 2 at a square is likelier than a lost root of it at what is squared
        weight = 5 if isinstance(f, Call) else 4
        yield Edit(
            product(node, f), weight,
            lambda shown=shown: f"the factor {shown} is missing at {short(node)}",  # type: ignore[misc]
        )  # fmt: skip
        yield Edit(
            quotient(node, f), weight,
            lambda shown=shown: f"the divisor {shown} is missing at {short(node)}",  # type: ignore[misc]
        )  # fmt: skip


__all__ = ["edits", "exchanges"]
