"""Tokens to a syntax tree, by operator precedence, with bounds on size and depth.

From weak to strong: `or |`, `and &`, `not ~`, comparisons, `+ -`, `* /`, unary `-`, `** ^`.
`&` and `|` mean the same as `and` and `or`: unlike in Python, they are weaker than comparisons,
so a condition pasted from SymPy reads the same with or without its parentheses.  Where an operand
is due, `|` opens an absolute value, as in `|x|*sin(x)`: the next `|` after an operand closes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import ParseError, TooLarge
from .limits import MAX_DEPTH, MAX_NODES
from .messages import caret
from .syntax import (
    Call,
    Compare,
    Logic,
    Name,
    Negate,
    Node,
    Not,
    Number,
    Pair,
    Power,
    Product,
    Sum,
    Truth,
)
from .table import known_names
from .tokens import Token, tokenize

_VALUES = (Number, Sum, Product, Negate, Power)
"""What is never a condition, so that a bar after it is no alternative."""
_RELATIONS = ("<", "<=", ">", ">=", "==", "!=")


def read_tree(text: str) -> Node:
    """The syntax tree of `text`.

    Raises:
        TooLarge: more nodes or depth than the bounds of `limits` allow.
        ParseError: text that is not a formula.
    """
    tokens = tokenize(text)
    reader = _Reader(text, tokens)
    if tokens[0].kind == "end":
        raise ParseError("the formula is empty", hint="a formula in x, such as max(x, 0)")
    node = reader.condition()
    if reader.token.kind != "end":
        reader.refuse()
    return node


@dataclass(slots=True)
class _Reader:
    """The position in the tokens, and what has been used of the bounds."""

    text: str
    tokens: tuple[Token, ...]
    position: int = 0
    depth: int = 0
    nodes: int = 0
    open: list[Token] = field(default_factory=list)
    """The brackets that are open."""

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def advance(self) -> Token:
        found = self.token
        self.position += 1
        return found

    def count(self, node: Node) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise TooLarge(
                f"the formula has more than {MAX_NODES} parts", where=caret(self.text, node.at)
            )
        return node

    def inside(self, read: Callable[[], Node]) -> Node:
        """`read()` one level deeper."""
        if self.depth >= MAX_DEPTH:
            raise TooLarge(
                f"the formula is nested deeper than {MAX_DEPTH} levels",
                where=caret(self.text, self.token.at),
            )
        self.depth += 1
        node = read()
        self.depth -= 1
        return node

    # --- conditions ---------------------------------------------------------------------------

    def condition(self) -> Node:
        return self.inside(lambda: self.logic("or", ("or", "|"), self.conjunction))

    def conjunction(self) -> Node:
        return self.logic("and", ("and", "&"), self.negation)

    def logic(self, word: str, spellings: tuple[str, ...], operand: Callable[[], Node]) -> Node:
        operands = [operand()]
        at = operands[0].at
        while self.token.text in spellings and self.token.kind != "end":
            if self.token.kind == "|" and isinstance(operands[-1], _VALUES):
                raise self.missing("...*|...|")
            at = self.advance().at
            operands.append(operand())
        return operands[0] if len(operands) == 1 else self.count(Logic(at, word, tuple(operands)))

    def negation(self) -> Node:
        if self.token.text in ("not", "~"):
            at = self.advance().at
            return self.count(Not(at, self.inside(self.negation)))
        return self.comparison()

    def comparison(self) -> Node:
        first = self.sum()
        rest: list[tuple[str, Node]] = []
        at = self.token.at
        while self.token.kind in _RELATIONS:
            op = self.advance().text
            rest.append((op, self.sum()))
        return self.count(Compare(at, first, tuple(rest))) if rest else first

    # --- arithmetic ---------------------------------------------------------------------------

    def sum(self) -> Node:
        terms = [(1, self.product())]
        at = self.token.at
        while self.token.kind in ("+", "-"):
            sign = 1 if self.advance().kind == "+" else -1
            terms.append((sign, self.product()))
        return terms[0][1] if len(terms) == 1 else self.count(Sum(at, tuple(terms)))

    def product(self) -> Node:
        factors = [(1, self.unary())]
        at = self.token.at
        while self.token.kind in ("*", "/"):
            power = 1 if self.advance().kind == "*" else -1
            factors.append((power, self.unary()))
        return factors[0][1] if len(factors) == 1 else self.count(Product(at, tuple(factors)))

    def unary(self) -> Node:
        # A loop, not a recursion: a thousand signs are silly, not dangerous.
        at, negative = self.token.at, False
        while self.token.kind in ("+", "-"):
            negative ^= self.advance().kind == "-"
        node = self.power()
        return self.count(Negate(at, node)) if negative else node

    def power(self) -> Node:
        base = self.atom()
        if self.token.kind not in ("**", "^"):
            return base
        at = self.advance().at
        return self.count(Power(at, base, self.inside(self.unary)))

    def atom(self) -> Node:
        token = self.token
        if token.kind == "number" and token.value is not None:
            self.advance()
            self.no_neighbour(token)
            return self.count(Number(token.at, token.value))
        if token.kind == "name":
            return self.name()
        if token.kind == "(":
            return self.bracket()
        if token.kind == "|":
            return self.bars()
        self.refuse()
        raise AssertionError("refuse() raises")

    def bars(self) -> Node:
        """An absolute value: a sum between bars, where `|` after an operand is the closing bar."""
        token = self.advance()
        self.open.append(token)
        node = self.inside(self.sum)
        self.close("|")
        self.no_neighbour(token, closed=True)
        if self.token.kind == "|" and not (self.open and self.open[-1].kind == "|"):
            raise self.missing("|...|*|...|")
        return self.count(Call(token.at, "abs", (node,)))

    def name(self) -> Node:
        token = self.token
        if token.text in ("and", "or", "not"):
            self.refuse()
        self.advance()
        if self.token.kind == "|" and not self.open and token.text in known_names(True):
            raise self.missing(f"{token.text}(|...|)")
        if self.token.kind == "(":
            self.open.append(self.advance())
            arguments: list[Node] = []
            while self.token.kind != ")":
                arguments.append(self.condition())
                if self.token.kind != ",":
                    break
                self.advance()
            self.close()
            self.no_neighbour(token, closed=True)
            return self.count(Call(token.at, token.text, tuple(arguments)))
        self.no_neighbour(token)
        if token.text in ("True", "False"):
            return self.count(Truth(token.at, token.text == "True"))
        return self.count(Name(token.at, token.text))

    def bracket(self) -> Node:
        token = self.advance()
        self.open.append(token)
        node = self.condition()
        if self.token.kind == ",":
            self.advance()
            condition = self.condition()
            if self.token.kind == ",":
                self.advance()
            node = self.count(Pair(token.at, node, condition))
        self.close()
        self.no_neighbour(token, closed=True)
        return node

    # --- refusals -----------------------------------------------------------------------------

    def close(self, bracket: str = ")") -> None:
        if self.token.kind != bracket:
            self.refuse()
        self.advance()
        self.open.pop()

    def no_neighbour(self, token: Token, *, closed: bool = False) -> None:
        """Refuse `2x`, `2(x)`, `x y` and `)x`: a product is written with `*`."""
        after = self.token
        if after.kind not in ("number", "name", "(") or after.text in ("and", "or", "not"):
            return
        left = "(...)" if closed else token.text
        left = "|...|" if token.kind == "|" else left
        right = "(...)" if after.kind == "(" else after.text
        hint = f"{left}*{right}"
        if after.text in ("if", "else"):
            hint = "piecewise((x, x > 0), (0, True)) for a choice"
        elif token.text in ("lambda", "def", "return"):
            hint = "the formula alone: x is the input"
        elif not closed and token.kind == "name" and token.text in known_names(True):
            hint = f"{left}({right})"
        raise self.missing(hint)

    def missing(self, hint: str) -> ParseError:
        """The error where an operator is missing before the token."""
        return ParseError(
            "an operator is missing", where=caret(self.text, self.token.at), hint=hint
        )

    def never_closed(self) -> ParseError:
        """The error of the innermost bracket, or bar, that is open."""
        opened = self.open[-1]
        bar = opened.kind == "|"
        return ParseError(
            "the bar | is never closed" if bar else "the bracket ( is never closed",
            where=caret(self.text, opened.at),
            hint="abs(x) or |x| for absolute values; or for alternatives"
            if bar
            else "a ) after it",
        )

    def refuse(self) -> None:
        """Raise the error for a token that cannot stand where it stands."""
        token = self.token
        if token.kind == "end":
            if self.open:
                raise self.never_closed()
            raise ParseError(
                "the formula ends too early",
                where=caret(self.text, token.at),
                hint="a product with an absolute value is x*|x|"
                if self.position and self.tokens[self.position - 1].kind == "|"
                else "a number, a name or a bracket at the end",
            )
        if token.kind == ")" and not self.open:
            raise ParseError("the bracket ) was never opened", where=caret(self.text, token.at))
        if token.kind == "//":
            raise ParseError(
                "there is no // in the language", where=caret(self.text, token.at), hint="/"
            )
        if token.kind == "," and not self.open:
            raise ParseError(
                "a comma outside brackets",
                where=caret(self.text, token.at),
                hint="one formula; a decimal point is .",
            )
        if self.open and self.open[-1].kind == "|" and token.kind in (*_RELATIONS, ")", ",", "&"):
            raise self.never_closed()
        raise ParseError(
            f"{token.text!r} cannot stand here",
            where=caret(self.text, token.at),
            hint="a number, a name or a bracket before it"
            if token.kind not in ("number", "name", "(")
            else "an operator before it",
        )
