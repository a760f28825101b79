"""Tokens to a syntax tree, by operator precedence, with bounds on size and depth.

From weak to strong: `or |`, `and &`, `not ~`, comparisons, `+ -`, `* /`, unary `-`, `** ^`.
`&` and `|` mean the same as `and` and `or`: unlike in Python, they are weaker than comparisons,
so a condition pasted from SymPy reads the same with or without its parentheses.  Where an operand
is due, `|` opens an absolute value, as in `|x|*sin(x)`: the next `|` after an operand closes it.

What papers and other languages write is read where it has one meaning: `2x`, `(x+1)(x-1)`,
`sin x`, `sin^2(x)`, `(x)_+`, `a if c else b`, `c ? a : b`; `1/2x` has two, and is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from ..errors import ParseError
from .cursor import RELATIONS, Cursor
from .elsewhere import instead
from .messages import caret
from .names import GREEK
from .syntax import (
    LIST,
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
from .tokens import ROOTS, Token, tokenize

_VALUES = (Number, Sum, Product, Negate, Power)
"""What is never a condition, so that a bar after it is no alternative."""
_WORDS = ("and", "or", "not", "if", "else")
_FACTORS = ("pi", "x")
"""Names that a bracket after them multiplies."""
_NEVER = (*_WORDS, *_FACTORS, "True", "False")
"""Names that are no functions, before a bracket too."""
_ENDS = ("+", "-", ")", ",", "|", "end", "?", ":", *RELATIONS)
"""What may follow the argument of a function without brackets."""
_SUFFIXES = ("f", "F", "l", "L", "d", "i", "I", "j", "J", "e", "E")
"""Letters that number literals of other languages end in."""


def grammar(text: str) -> Node:
    """The syntax tree of `text` as it is written, with names and keywords of any library.

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


def _of_function(node: Power) -> bool:
    """Whether the exponent stands before the argument, as in `sin^2(x)`."""
    base = node.base
    return isinstance(base, Call) and any(a.at > node.at for a in base.arguments)


class _Reader(Cursor):
    """The grammar."""

    # --- conditions ---------------------------------------------------------------------------

    def condition(self) -> Node:
        return self.inside(self.choice)

    def choice(self) -> Node:
        """A condition or a sum, or one of two: `a if c else b`, `c ? a : b`."""
        first, at = self.logic("or", ("or", "|"), self.conjunction), self.token.at
        if self.token.text == "if":
            self.advance()
            condition, value = self.logic("or", ("or", "|"), self.conjunction), first
            self.expect("else")
        elif self.token.kind == "?":
            self.advance()
            condition, value = first, self.condition()
            self.expect(":")
        else:
            return first
        pairs = Pair(at, value, condition), Pair(at, self.condition(), Truth(at, True))
        return self.count(Call(at, "piecewise", pairs))

    def expect(self, word: str) -> None:
        if self.token.text != word:
            self.refuse()
        self.advance()

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
        while self.token.kind in RELATIONS:
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
        while True:
            if self.token.kind in ("*", "/"):
                power = 1 if self.advance().kind == "*" else -1
                factors.append((power, self.unary()))
            elif self.beside(*factors[-1]):
                factors.append((1, self.power()))
            else:
                break
        return factors[0][1] if len(factors) == 1 else self.count(Product(at, tuple(factors)))

    def beside(self, sign: int, left: Node) -> bool:
        """Whether a factor follows without an operator, as in `2x` and `(x + 1)(x - 1)`.

        Not after a division or a power, nor after a name: `1/2x`, `x^2y` and `x y` are refused.
        """
        before, after = self.tokens[self.position - 1], self.token
        if after.kind not in ("number", "name", "(", "root", "string") or after.text in _WORDS:
            return False
        close = not self.text[after.at - 1].isspace()
        letter = before.kind == "name" and self.text[before.at : before.at + 1] in GREEK
        known = (
            before.kind in (")", "power", "|", "_+")
            or (before.kind == "number" and before.text != "0")
            or (letter and (close or before.text == "pi") and after.kind != "(")
            or (before.text in _FACTORS and after.kind == "(")
        )
        odd = after.kind in ("number", "string") or after.text[0] == "_"
        odd = odd or (after.kind == "(" and isinstance(left, Call) and before.kind == ")")
        suffix = close and before.kind == "number" and after.text in _SUFFIXES
        if isinstance(left, Negate):
            left = left.operand
        shown = "(...)" if before.kind == ")" else "|...|" if before.kind == "|" else before.text
        right = "(...)" if after.kind == "(" else after.text
        if known and not odd and not suffix:
            if sign < 0:
                raise self.missing(f"/{shown}*{right}, or /({shown}*{right})")
            if isinstance(left, Power) and before.kind != "power" and not _of_function(left):
                raise self.missing(f"^{shown}*{right}, or ^({shown}*{right})")
            return True
        hint = f"{shown}*{right}"
        if after.text[0] == "_":
            hint = "max(z, 0) for a positive part, heaviside(z) for an indicator, 1000 for 1_000"
        elif suffix:
            hint = f"{shown}, or {hint}"
        elif before.text in ("lambda", "def", "return"):
            hint = "the formula alone: x is the input"
        elif before.kind == "name" and before.text in known_names(True):
            hint = f"{shown}({right})"
        elif "mod" in (before.text, after.text):
            hint = instead("mod")
        raise self.missing(hint)

    def unary(self) -> Node:
        # A loop, not a recursion: a thousand signs are silly, not dangerous.
        at, negative = self.token.at, False
        while self.token.kind in ("+", "-"):
            negative ^= self.advance().kind == "-"
        node = self.power()
        return self.count(Negate(at, node)) if negative else node

    def power(self) -> Node:
        base = self.atom()
        if self.token.kind == "_+":
            at = self.advance().at
            base = self.count(Call(at, "max", (base, Number(at, Fraction(0)))))
        if self.token.kind == "power":
            return self.count(Power(self.token.at, base, self.raised()))
        if self.token.kind not in ("**", "^"):
            return base
        at = self.advance().at
        return self.count(Power(at, base, self.inside(self.unary)))

    def raised(self) -> Node:
        """The exponent that is a raised number."""
        token = self.advance()
        value = token.value or Fraction(0)
        node = self.count(Number(token.at, abs(value)))
        return node if value >= 0 else self.count(Negate(token.at, node))

    def atom(self) -> Node:
        token = self.token
        if token.kind == "number" and token.value is not None:
            self.advance()
            return self.count(Number(token.at, token.value))
        if token.kind == "name":
            # One level of the recursion less than by way of name().
            called = self.tokens[self.position + 1].kind == "(" and token.text not in _NEVER
            return self.call(self.advance()) if called else self.name()
        if token.kind == "(":
            return self.bracket()
        if token.kind == "|":
            return self.bars()
        if token.kind == "root":
            return self.root()
        self.refuse()
        raise AssertionError("refuse() raises")

    def root(self) -> Node:
        """A root sign before a number, a name or a bracket."""
        token = self.advance()
        node = self.inside(self.atom)
        if self.token.kind in ("^", "**", "power"):
            raise ParseError(
                "a power after a root can be read in two ways",
                where=caret(self.text, self.token.at),
                hint="sqrt(x^2) or sqrt(x)^2",
            )
        return self.count(Call(token.at, ROOTS[token.text], (node,)))

    def bars(self) -> Node:
        """An absolute value: a sum between bars, where `|` after an operand is the closing bar."""
        token = self.advance()
        self.open.append(token)
        node = self.inside(self.sum)
        self.close()
        if self.token.kind == "|" and not (self.open and self.open[-1].kind == "|"):
            raise self.missing("|...|*|...|")
        return self.count(Call(token.at, "abs", (node,)))

    def name(self) -> Node:
        token = self.token
        if token.text in _WORDS:
            self.refuse()
        self.advance()
        if token.text in ("True", "False"):
            return self.count(Truth(token.at, token.text == "True"))
        if token.text in known_names(True) and (found := self.applied(token)):
            return found
        return self.count(Name(token.at, token.text))

    def call(self, token: Token) -> Node:
        """The function `token` at the arguments in brackets, some of them with keywords."""
        self.open.append(self.advance())
        arguments: list[Node] = []
        keywords: list[tuple[str, Node]] = []
        while self.token.kind != ")":
            if self.token.kind == "name" and self.tokens[self.position + 1].kind == "=":
                key = self.advance().text
                if key in dict(keywords):
                    self.refuse()
                self.advance()
                keywords.append((key, self.option()))
            else:
                arguments.append(self.condition())
            if self.token.kind != ",":
                break
            self.advance()
            if token.text.lower() in ("max", "min") and isinstance(arguments[-1], Number):
                self.no_decimal_comma()
        self.close()
        return self.count(Call(token.at, token.text, tuple(arguments), tuple(keywords)))

    def no_decimal_comma(self) -> None:
        """Refuse `max(x, 0,1)`: of two numbers one does nothing, so a decimal was meant."""
        before, comma, after, *rest = self.tokens[self.position - 2 : self.position + 2]
        alone = bool(rest) and rest[0].kind in (",", ")")
        if before.kind == after.kind == "number" and alone and after.at == comma.at + 1:
            if comma.at == before.at + len(before.text):
                raise ParseError(
                    "a comma between two numbers",
                    where=caret(self.text, comma.at),
                    hint=f"{before.text}.{after.text} for a decimal; one of the two alone"
                    " is enough otherwise",
                )

    def option(self) -> Node:
        """The value of a keyword: a formula, or a word in quotes."""
        if self.token.kind != "string":
            return self.condition()
        token = self.advance()
        return self.count(Name(token.at, token.text[1:-1]))

    def applied(self, token: Token) -> Node | None:
        """`sin x`, `log|x|`, `sin^2(x)`: a function of what follows; None where nothing does."""
        after = self.token
        if after.kind == "|" and not (self.open and self.open[-1].kind == "|"):
            return self.count(Call(token.at, token.text, (self.bars(),)))
        exponent = self.tokens[self.position + 1 : self.position + 3]
        if after.kind in ("^", "**") and [t.kind for t in exponent] == ["number", "("]:
            self.advance()
            power: Node = self.count(Number(exponent[0].at, exponent[0].value or Fraction(0)))
            self.advance()
            return self.count(Power(after.at, self.call(token), power))
        if after.kind == "power" and exponent and exponent[0].kind == "(":
            if after.value == -1:
                raise ParseError(
                    "a function to the power -1 can be read in two ways",
                    where=caret(self.text, after.at),
                    hint=f"1/{token.text}(...), or the inverse function by its name",
                )
            power = self.raised()
            return self.count(Power(after.at, self.call(token), power))
        if after.kind not in ("name", "number") or after.text in (*_WORDS, *known_names(True)):
            return None
        end = self.tokens[self.position + 1]
        if end.kind not in _ENDS and end.text not in _WORDS:
            raise self.missing(f"{token.text}({after.text}) or {token.text}({after.text}...)")
        return self.count(Call(token.at, token.text, (self.atom(),)))

    def bracket(self) -> Node:
        token = self.advance()
        self.open.append(token)
        node = self.condition()
        if self.token.kind == ",":
            self.advance()
            condition = self.condition()
            items = [node, condition]
            while self.token.kind == ",":
                self.advance()
                if token.text != "[" or self.token.kind == ")":
                    break
                items.append(self.condition())
            pair = Pair(token.at, node, condition)
            node = self.count(pair if len(items) == 2 else Call(token.at, LIST, tuple(items)))
        self.close()
        return node
