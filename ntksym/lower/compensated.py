r"""Sums of a closed form with what rounding takes from them, added at the end.

The terms of the dual of a function with kinks may be larger than its value, and each product, each
partial sum and each constant is rounded: 4 to 6 eps of the value in all, where each is half an eps
of a term.  Sums and products of a pair are followed back from an output; the rounding error of each
is formed exactly (T. J. Dekker 1971, D. E. Knuth) and carried on, to first order, with what the
lines before it lack (P. Langlois 2001, automatic linearization).  Values of functions, quotients
and roots count as exact, and what is formed of them for one point; polynomials in its variance do
not: they are large where terms grow.  In exact arithmetic the rest is zero.
"""

from __future__ import annotations

from fractions import Fraction

from .exponent import Parts, finite_rest, is_rest, product_parts, sum_parts
from .lines import PAIR, Lines
from .program import Let, Operand, Program, live

_POLYNOMIAL = frozenset({"neg", "add", "sub", "mul"})
_FOLLOWED = _POLYNOMIAL | {"select"}


def compensated(b: Lines, end: Operand) -> Operand:
    """The same number as `end`, without the rounding errors of the sums and products before it."""
    high, low = _Followed(b).parts(end)
    return end if low == 0 else b.emit("add", high, finite_rest(b, low))


class _Followed:
    """Lines as their rounded values and the rests, each asked for once."""

    def __init__(self, b: Lines) -> None:
        self._b = b
        self._lines = {let.name: let for let in b.lines}
        self._found: dict[str, Parts] = {}

    def parts(self, a: Operand) -> Parts:
        """A line, or a number, as its rounded value and the rest."""
        if not isinstance(a, str):
            near = Fraction(float(a))
            return near, Fraction(a) - near
        if a not in self._found:
            let = self._lines.get(a)
            self._found[a] = (a, Fraction(0)) if let is None else self._of(let)
        return self._found[a]

    def _of(self, let: Let) -> Parts:
        b = self._b
        if b.side(let.name) == 0 and (number := self._number(let)) is not None:
            return number, b.emit("sub", let.name, number, hint="lost")
        if let.op not in _FOLLOWED or is_rest(let):
            return let.name, Fraction(0)  # a rest is 0 in exact arithmetic: nothing is lost of it
        if b.side(let.name) != PAIR and not self._is_polynomial(let.name):
            return let.name, Fraction(0)
        at = [self.parts(a) for a in let.args]
        if let.op == "neg":
            return b.emit("neg", at[0][0]), b.emit("neg", at[0][1])
        if let.op == "add":
            return sum_parts(b, *at)
        if let.op == "sub":
            return sum_parts(b, at[0], (b.emit("neg", at[1][0]), b.emit("neg", at[1][1])))
        if let.op == "mul":
            return product_parts(b, *at)
        one, other = (b.emit("select", *let.args[:2], at[2][k], at[3][k]) for k in (0, 1))
        return one, other

    def _is_polynomial(self, a: Operand) -> bool:
        """Whether a line is formed of inputs and numbers by sums and products alone."""
        if not isinstance(a, str) or (let := self._lines.get(a)) is None:
            return True
        if let.op not in _POLYNOMIAL:
            return self._b.side(a) == 0 and self._number(let) is not None
        return all(map(self._is_polynomial, let.args))

    def _number(self, let: Let) -> Fraction | None:
        """The double next to a line without arguments; None for a line of parameters."""
        ends = (("value", let.name),)
        body = live(self._b.lines, ends)
        if any(a in self._b.args for line in body for a in line.args):
            return None
        return Fraction(float(Program("number", (), body, ends).evaluate({})["value"]))
