"""Rows to a tree of the language: sums, products, fractions, powers.

What TeX prints side by side is a product, unless a function stands first; what could be read in
two ways is refused, with both readings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction as Rational
from typing import NoReturn

from ..errors import ParseError, TooLarge
from ..language.limits import MAX_DEPTH
from ..language.messages import caret
from ..language.syntax import Call, Name, Negate, Node, Number, Power, Sum, children
from . import application, conditions, doubts, kernels, own, sums, vectors
from .layout import Fence, Fraction, Group, Item, Leaf, Root, Row, Table
from .letters import VARIANCES
from .naming import letter_name, raised, read_name
from .nodes import call, number, product


@dataclass(slots=True)
class Reader:
    """The source, the names that the caller gave, and the notes on how things were read."""

    text: str
    names: Mapping[str, str]
    long_names: frozenset[str] = frozenset()
    """Names of more than one letter."""
    notes: list[str] = field(default_factory=list)
    depth: int = 0
    roles: dict[str, int] = field(default_factory=dict)
    """Vectors met so far, and whether they are the first or the second."""
    accents: dict[str, str] = field(default_factory=dict)
    """Letters met so far, with their accents."""
    layered: bool = True
    r"""Kernels of a layer, $\Sigma^{(l)}(x, x')$, are the covariance of the pre-activations."""
    layer: str = ""
    """The number of the layer that the formula speaks of."""
    functions: dict[str, own.Own] = field(default_factory=dict)
    """Functions that the text defines itself."""

    def note(self, line: str) -> None:
        """Say how something was read; once."""
        if line not in self.notes:
            self.notes.append(line)

    def place(self, at: int) -> str:
        """The source line with a caret at `at`."""
        return caret(self.text, at)

    def refuse(self, what: str, at: int, hint: str) -> NoReturn:
        """Raise the error for the text at `at`."""
        raise ParseError(what, where=self.place(at), hint=hint)

    def source(self, items: Row) -> str:
        """The source of items, in one line and not too long."""
        if not items:
            return ""
        text = " ".join(self.text[items[0].at : items[-1].end].split())
        return text if len(text) <= 48 else text[:45] + "..."

    def source_of(self, item: Item, *, scripts: bool = True) -> str:
        """The source of one item; without what is raised to a power, if not `scripts`."""
        if scripts or item.sup is None:
            return self.source((item,))
        return " ".join(self.text[item.at : item.end].split("^")[0].split())

    def given(self, base: str, index: str, primes: int) -> str:
        """The caller's name for a letter with index and primes; "" where there is none."""
        key = base + (f"_{index}" if index else "") + "'" * primes
        return self.names.get(key, "") or self.names.get(base + index + "'" * primes, "")

    def is_name(self, item: Item) -> bool:
        """Whether a letter or word is a name; a word is one only where it is known."""
        word = letter_name(item)
        return (
            item.body != Leaf("WORD", word)
            or len(word) == 1
            or word in self.long_names
            or (word in VARIANCES and item.sub is not None)
        )

    # --- sums and products --------------------------------------------------------------------

    def sum(self, row: Row, at: int) -> Node:
        """The value of a row; `at` is the place of an error about an empty one."""
        if not row:
            self.refuse("nothing between the brackets", at, "a number, a name or a formula")
        signs: list[tuple[int, Item | None]] = [(1, None)]
        parts: list[list[Item]] = [[]]
        for item in row:
            op = operator(item)
            if op in ("+", "-"):
                if not parts[-1] and len(parts) > 1:
                    self.refuse("two signs in a row", item.at, "brackets around the second")
                if not parts[-1]:
                    parts.pop()
                    signs.pop()
                signs.append((1 if op == "+" else -1, item))
                parts.append([])
            elif op in ("", "*", "/"):
                parts[-1].append(item)
            else:
                doubts.stray(self, item, op)
        terms: list[tuple[int, Node]] = []
        for (sign, mark), part in zip(signs, parts, strict=True):
            if not part:
                self.refuse(
                    "the sum ends with a sign", mark.at if mark else at, "a term after the sign"
                )
            terms.append((sign, self.term(tuple(part))))
        if len(terms) == 1:
            return terms[0][1] if terms[0][0] > 0 else Negate(row[0].at, terms[0][1])
        return Sum(row[0].at, tuple(terms))

    def term(self, row: Row) -> Node:
        """The product that a row without + and - is."""
        factors: list[tuple[int, Node]] = []
        spans: list[tuple[int, int]] = []
        pos, op, mark = 0, "", row[0]
        slash = -1
        while pos < len(row):
            item = row[pos]
            if found := operator(item):
                if op or not factors:
                    side = "after" if op else "before"
                    self.refuse(
                        f"a factor is missing {side} {self.source((mark if op else item,))}",
                        item.at,
                        "a factor there",
                    )
                op, mark = found, item
                pos += 1
                continue
            if factors and not op:
                doubts.adjacent(self, row, spans, pos, slash)
            node, after = self.factor(row, pos)
            if op == "/" and slash >= 0:
                doubts.two_slashes(self, row, mark)
            factors.append((-1 if op == "/" else 1, node))
            spans.append((pos, after))
            if op == "/":
                slash = len(spans) - 1
            elif op == "*" and slash >= 0:
                self.note(f"{self.source(row[:after])} is read from left to right")
            pos, op = after, ""
        if op:
            self.refuse(
                f"a factor is missing after {self.source((mark,))}", mark.at, "a factor there"
            )
        return product(row[0].at, factors)

    # --- factors ------------------------------------------------------------------------------

    def factor(self, row: Row, pos: int) -> tuple[Node, int]:
        """One factor of a row, and the position after it."""
        # Functions without brackets nest without any bracket that the tokens could count.
        if self.depth >= MAX_DEPTH:
            raise TooLarge(
                f"the formula is nested deeper than {MAX_DEPTH} levels",
                where=self.place(row[pos].at),
            )
        self.depth += 1
        found = self._factor(row, pos)
        self.depth -= 1
        return found

    def _factor(self, row: Row, pos: int) -> tuple[Node, int]:
        if (inner := vectors.inner_product(self, row, pos)) is not None:
            return inner
        if (summed := sums.series(self, row, pos)) is not None:
            return summed
        if (defined := own.apply(self, row, pos)) is not None:
            return defined
        if (entry := kernels.covariance(self, row, pos)) is not None:
            return entry
        if (applied := application.apply(self, row, pos)) is not None:
            return applied
        if (chosen := conditions.indicator(self, row, pos)) is not None:
            return chosen
        item = kernels.without_layer(self, row[pos])
        base, square = self._base(item)
        node = self.attach(item, base, square)
        application.check_called(self, row, pos)
        return node, pos + 1

    def _base(self, item: Item) -> tuple[Node, str]:
        """What an item is without its power, and the name whose root it is."""
        body, at = item.body, item.at
        if isinstance(body, Leaf) and body.kind in ("LETTER", "WORD"):
            return self._letter(item, body)
        if item.primes:
            self.refuse("a prime belongs to a name", at, "the derivative, written out")
        if isinstance(body, Fence) and (
            body.kind == "NORM" or (body.kind == "BAR" and vectors.barred(self, body))
        ):
            return vectors.norm(self, item, body)
        if item.sub is not None and not self.positive_part(item):
            self.refuse("an index belongs to a name", at, r"q_{11}, or (x)_+ for max(x, 0)")
        match body:
            case Leaf(kind="NUMBER"):
                return Number(at, Rational(body.text)), ""
            case Leaf():
                self.refuse(f"{self.source((item,))} cannot stand here", at, "a number or a name")
            case Group():
                return self.sum(body.row, at), ""
            case Fence():
                if body.kind == "BAR":
                    doubts.determinant(self, item, body)
                inner = self.sum(body.row, at)
                return (call(at, "abs", inner) if body.kind == "BAR" else inner), ""
            case Fraction():
                doubts.derivative(self, item, body)
                top, bottom = self.sum(body.top, at), self.sum(body.bottom, at)
                if body.macro == r"\binom":
                    return call(at, "binomial", top, bottom), ""
                return product(at, [(1, top), (-1, bottom)]), ""
            case Root():
                inner = self.sum(body.row, at)
                if body.index is None:
                    return call(at, "sqrt", inner), ""
                index = self.sum(body.index, at)
                if isinstance(index, Number) and index.value == 2:
                    return call(at, "sqrt", inner), ""
                if isinstance(index, Number) and index.value == 3:
                    return call(at, "cbrt", inner), ""
                return Power(at, inner, product(at, [(1, number(at, 1)), (-1, index)])), ""
            case Table():
                return conditions.cases(self, item, body), ""

    def _letter(self, item: Item, body: Leaf) -> tuple[Node, str]:
        base = letter_name(item)
        if self.positive_part(item):
            item = Item(item.at, item.end, body, None, None, item.primes)
        mapped = self.given(base, "", 0)
        if not mapped and not self.is_name(item):
            doubts.unknown_word(self, item, base)
        if item.sub is None and not item.primes and not mapped:
            if base == "e":
                self.note("e is Euler's number")
                return Name(item.at, "E"), ""
            if base in ("i", "I"):
                self.refuse(
                    f"{base} is the imaginary unit, and formulas are real",
                    item.at,
                    f"names={{{base!r}: 'a_name'}} where it is a name",
                )
            if base == "d" and body.kind == "WORD":
                self.refuse("d is a differential", item.at, "the derivative, written out")
            if base == "E":
                self.refuse(
                    "E is an expectation, or a name",
                    item.at,
                    "the value of the expectation; or names={'E': 'a_name'}",
                )
        if item.primes and not self.given(base, "", item.primes) and base in vectors.VECTORS:
            self.refuse(
                f"{self.source((item,))} outside of a norm or an inner product",
                item.at,
                r"\|x'\|, x^\top x', \langle x, x'\rangle; or q_{12}",
            )
        return read_name(self, item)

    def positive_part(self, item: Item) -> bool:
        """Whether the index is a plus, as in `(x)_+`."""
        if item.sub is None or len(item.sub) != 1:
            return False
        sign = operator(item.sub[0])
        if sign == "-":
            self.refuse(
                "(.)_- is max(-x, 0) for some authors and min(x, 0) for others",
                item.sub[0].at,
                r"\max(-x, 0) or \min(x, 0)",
            )
        return sign == "+"

    def attach(self, item: Item, base: Node, square: str = "") -> Node:
        """The base with its positive part, factorial and power."""
        node = base
        if self.positive_part(item):
            self.note(f"{self.source_of(item, scripts=False)} is the positive part, max(., 0)")
            node = call(item.at, "max", node, number(item.at, 0))
        if item.bangs:
            node = self._factorial(item, node)
        if item.sup is None:
            return node
        if len(item.sup) == 1 and operator(item.sup[0]) == "+" and item.sub is None:
            self.note(f"{self.source((item,))} is the positive part, max(., 0)")
            return call(item.at, "max", node, number(item.at, 0))
        return self.power(item, node, item.sup, square)

    def power(self, item: Item, node: Node, sup: Row, square: str = "") -> Node:
        """`node` to the power that `sup` says."""
        at = item.at
        mark = sup[0].body if sup else None
        if len(sup) == 1 and isinstance(mark, Fence) and mark.kind in ("PAR", "BRACK", "ANGLE"):
            self.refuse(
                "a superscript in brackets is the number of a layer or of a derivative",
                sup[0].at,
                "the formula without it; a power has no brackets: x^2",
            )
        if len(sup) == 1 and (op := operator(sup[0])):
            if op == "*" and isinstance(node, Name) and node.name == "q":
                self.note("q^* is read as q")
                return node
            self.refuse(
                f"the superscript {self.source(sup)} is not a power",
                sup[0].at,
                "the formula without it; a prime is typed '",
            )
        if len(sup) == 1 and isinstance(mark, Leaf) and vectors.transposed(sup):
            self.refuse(
                "a transpose outside of an inner product", sup[0].at, r"x^\top x' for vectors x, x'"
            )
        exponent = self.sum(sup, at)
        power = _whole(exponent)
        if (plain := raised(node, square, at, power)) is not None:
            return plain
        norm = isinstance(item.body, Fence) and item.body.kind in ("NORM", "BAR")
        root = isinstance(node, Call) and node.name == "sqrt"
        if norm and root and power is not None and power > 0 and power % 2 == 0:
            (inside,) = children(node)
            return inside if power == 2 else Power(at, inside, number(at, power // 2))
        if isinstance(node, Name) and node.name == "E":
            return call(at, "exp", exponent)
        return Power(at, node, exponent)

    def _factorial(self, item: Item, node: Node) -> Node:
        if item.sup is not None:
            self.refuse(
                "a factorial and a power on one thing", item.at, "(n!)^2 or (n^2)!, with brackets"
            )
        if item.bangs > 2:
            self.refuse("more than two factorial signs", item.at, "(n!)!")
        shown = self.source((item,))
        if item.bangs == 1:
            self.note(f"{shown} is the factorial")
            return call(item.at, "factorial", node)
        if (half := application.odd(node)) is not None:
            self.note(f"{shown} is the product of the odd numbers, 2^k gamma(k + 1/2)/sqrt(pi)")
            return half
        self.note(f"{shown} is the double factorial n (n - 2) (n - 4) ...")
        return call(item.at, "factorial2", node)


def operator(item: Item) -> str:
    """The operator that an item is; "" for an operand."""
    body = item.body
    return body.text if isinstance(body, Leaf) and body.kind == "OP" else ""


def _whole(node: Node) -> int | None:
    """The whole number that a node is, or None."""
    if isinstance(node, Negate):
        inner = _whole(node.operand)
        return None if inner is None else -inner
    whole = isinstance(node, Number) and node.value.denominator == 1
    return node.value.numerator if whole and isinstance(node, Number) else None
