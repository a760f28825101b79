r"""Exponents in two doubles: exp(e) to one rounding, however large e is.

An exponent that is rounded once is off by $|e|\,2^{-53}$, and the exponential by as much: 200
units in the last place at e = 200.  `two_parts` forms e as a sum $h + l$ of the rounded value and
what rounding took away (T. J. Dekker 1971, D. E. Knuth's sum), from sums and products of the
inputs, which are exact; then $\exp(e) = \exp(h)(1 + l)$ up to $l^2$.  In exact arithmetic l is
zero.  The error that stays is $2^{-106}$ times the sum of the sizes of the terms.

Where a program is given $w = \sqrt{q_{11}q_{22} - q_{12}^2}$, that knows more than the rounded
$q_{12}$ where it is the smaller of the two: what $q_{12}$ lacks is then $(D - w^2)/(2q_{12})$, D
the determinant of the rounded entries in two doubles.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product

import sympy as sp
from sympy import Add, Expr, Integer, Mul, Pow, Symbol, default_sort_key

from .. import symbols as S
from .lines import Lines
from .polynomial import DET, is_polynomial, monomials, positive_form
from .program import Let, Operand, Program

Parts = tuple[Operand, Operand]
"""The rounded value, and what rounding took away from it."""

MOST = Fraction(1, 2**30)
"""A larger rest is none: the squares left the range of doubles."""
OF_DOUBLES = Fraction(1, 2**29)
"""The same for a rest that floats do without: their roots are formed in doubles."""
CORRECTION = Fraction(1, 2)
"""The same for the rest of an exponent."""
FINITE = Fraction(2) ** 900
"""A larger rest of a sum is none: the products left the range of doubles."""
_MOSTS = (MOST, OF_DOUBLES, CORRECTION, FINITE)
LARGE = 2
"""Quotients below are rounded to less than an eps of the exponential."""
_SIZES = tuple(sp.Rational(2) ** n for n in (-20, 0, 20))
"""Deviations at which the size of an exponent is looked at."""
_ENTRIES = frozenset((S.q11, S.q12, S.q22, S.q))


def two_parts(b: Lines, e: Expr) -> Parts | None:
    """(h, l) with h + l = e; None where e is not of degree one in the covariance.

    Powers of parameters may be below it.  Products of entries overflow before their sums do: such
    exponents, of bells, are bounded.
    """
    below = _powers_below(e)
    top = sp.expand(e * below) if below != 1 else e
    if isinstance(top, Symbol) or not is_polynomial(top):
        return None
    found = linear_parts(b, top)
    if found is None or below == 1:
        return found
    one: Parts = Fraction(1), Fraction(0)
    under = _parts(b, below)
    return None if under is None else product_parts(b, divided_parts(b, one, under), found)


def _powers_below(e: Expr) -> Expr:
    """The powers of parameters that are below some term of an expanded sum."""
    most: dict[Expr, Integer] = {}
    for f in (f for t in Add.make_args(e) for f in Mul.make_args(t)):
        base, n = f.as_base_exp()
        if n.is_Integer and n.is_negative and isinstance(base, Symbol) and base not in _ENTRIES:
            most[base] = max(most.get(base, Integer(0)), -n)
    return Mul(*(Pow(base, n) for base, n in most.items()))


def linear_parts(b: Lines, e: Expr) -> Parts | None:
    """The same for single entries and for numbers, whose rest is nothing or known."""
    if any(sum(n for s, n in key if s in _ENTRIES) > 1 for key in monomials(e)):
        return None
    return polynomial_parts(b, e)


def polynomial_parts(b: Lines, e: Expr) -> Parts | None:
    """The same for a polynomial of any degree: products of entries may overflow."""
    return _parts(b, sp.expand(e))


def quotient_parts(b: Lines, e: Expr, rounded: Callable[[Expr], Operand]) -> Parts | None:
    """The same for a quotient that is large somewhere; None where it is below `LARGE`.

    Of degree one, of bells off 0, it is divided in two doubles.  Products of entries overflow
    before a quotient of a higher degree does: that is `rounded`, and what it lacks is the
    remainder of the division over the divisor, 0 where it is no number.
    """
    split = _quotient(e)
    if split is None or not grows(e):
        return None
    if all(sum(n for s, n in key if s in _ENTRIES) <= 1 for key in monomials(split[0])):
        above, under = _parts(b, split[0]), _parts(b, positive_form(split[1]) or split[1])
        return None if above is None or under is None else divided_parts(b, above, under)
    above, under = (polynomial_parts(b, part) for part in split)
    if above is None or under is None:
        return None
    high = rounded(e)
    whole = product_parts(b, (high, Fraction(0)), under)
    minus = b.emit("neg", whole[0]), b.emit("neg", whole[1])
    left = b.emit("add", *close_sum_parts(b, above, minus))
    return high, finite_rest(b, b.emit("div0", left, under[0]))


def grows(e: Expr) -> bool:
    """Whether an exponent in the covariance alone is `LARGE` somewhere, or -`LARGE` at zero."""
    if not e.free_symbols <= _ENTRIES:
        return False
    at_zero = e.xreplace({s: Integer(0) for s in _ENTRIES})
    if at_zero.is_Rational and abs(at_zero) >= LARGE:
        return True
    for a, c, rho in product(_SIZES, _SIZES, (-1, 0, 1)):
        at = {S.q11: a**2, S.q12: rho * a * c, S.q22: c**2, S.q: a**2}
        value = e.xreplace(at)
        if value.is_Rational and value >= LARGE:
            return True
    return False


def _quotient(e: Expr) -> tuple[Expr, Expr] | None:
    """(n, d) with e = n/d, both polynomials with rational numbers; else None."""
    number, rest = e.as_coeff_Mul()
    below = [f for f in Mul.make_args(rest) if isinstance(f, Pow) and f.exp == -1]
    if len(below) != 1 or not number.is_Rational or not is_polynomial(below[0].base):
        return None
    top = sp.expand(Mul(number, *(f for f in Mul.make_args(rest) if f is not below[0])))
    return (top, below[0].base) if top.is_Rational or is_polynomial(top) else None


def decays(e: Expr) -> bool:
    """Whether an exponent is a form in the covariance that is never positive."""
    one, both, two = (sp.expand(e).coeff(entry) for entry in (S.q11, S.q12, S.q22))
    negative = all(c.is_nonpositive for c in (one, two))
    return bool(negative and sp.expand(4 * one * two - both**2).is_nonnegative)


def correction(b: Lines, low: Operand) -> Operand:
    """1 + l, and 1 where l is no correction: beyond the range of doubles."""
    size = b.emit("abs", low)
    kept = b.emit("select", size, CORRECTION, low, Fraction(0), hint="lost")
    return b.emit("add", kept, Fraction(1))


def kept(b: Lines, low: Operand, most: Fraction = MOST) -> Operand:
    """A rest that is one, else 0."""
    return b.emit("select", b.emit("abs", low), most, low, Fraction(0), hint="rest")


def finite_rest(b: Lines, low: Operand) -> Operand:
    """A rest of any size, 0 where the lines that it was formed of leave the range of doubles."""
    return b.emit("select", b.emit("abs", low), FINITE, low, Fraction(0), hint="rest")


def is_rest(let: Let) -> bool:
    """Whether a line is what rounding took away: 0 in exact arithmetic."""
    return let.op == "select" and let.args[1] in _MOSTS and let.args[3] == 0


def for_floats(p: Program) -> Program:
    """The same in exact arithmetic, without what floats do without; `p` itself if that is nothing.

    See `OF_DOUBLES`.
    """
    left = {let.name for let in p.body if is_rest(let) and let.args[1] == OF_DOUBLES}
    if not left:
        return p
    b = Lines(p.args)
    known: dict[str, Operand] = {a: a for a in p.args}

    def place(a: Operand) -> Operand:
        return known[a] if isinstance(a, str) else a

    for let in p.body:
        nothing = let.name in left
        made = Fraction(0) if nothing else b.emit(let.op, *map(place, let.args), inner=let.inner)
        known[let.name] = made
    outputs = tuple((label, place(end)) for label, end in p.outputs)
    return b.program(p.name, outputs, p.requires, p.computes)


def corrected(b: Lines, value: Operand, low: Operand) -> Operand:
    """value*(1 + l)."""
    return value if low == 0 else b.emit("mul", value, correction(b, low))


def _parts(b: Lines, e: Expr) -> Parts | None:
    if e.is_Rational:
        return _number(Fraction(int(e.p), int(e.q)))
    if e == S.q12 and b.known_root is not None:
        return "q12", _entry_low(b, b.known_root)
    if e == DET:
        root = b.known_root or b.emit("rootdet", "q11", "q12", "q22", hint="root")
        return determinant_parts(b, root)
    if isinstance(e, Symbol):
        return (str(e.name), Fraction(0)) if e.name in b.args else None
    if isinstance(e, Add):
        return _total(b, sorted(e.args, key=default_sort_key))
    if isinstance(e, Pow) and e.exp.is_Integer and e.exp.is_positive and e.exp <= 4:
        return _parts(b, Mul(*([e.base] * int(e.exp)), evaluate=False))
    if isinstance(e, Mul):
        total: Parts | None = _number(Fraction(1))
        for f in sorted(Mul.make_args(e), key=default_sort_key):
            own = _parts(b, f)
            total = None if total is None or own is None else product_parts(b, total, own)
        return total
    return None


def determinant_parts(b: Lines, root: Operand | None, *, close: bool = False) -> Parts:
    """The determinant in two doubles: of the entries, or of the root where one is given.

    `close`: to an eps of itself even where it is less than an eps of the products.
    """
    if root is not None:
        return product_parts(b, (root, Fraction(0)), (root, Fraction(0)))
    sides = product_parts(b, ("q11", Fraction(0)), ("q22", Fraction(0)))
    square = product_parts(b, ("q12", Fraction(0)), ("q12", Fraction(0)))
    minus = b.emit("neg", square[0]), b.emit("neg", square[1])
    return (close_sum_parts if close else sum_parts)(b, sides, minus)


def _entry_low(b: Lines, root: Operand) -> Operand:
    """What rounding took away from q12, from the root where that is the smaller of the two."""
    rounded, known = determinant_parts(b, None), determinant_parts(b, root)
    minus = b.emit("neg", known[0]), b.emit("neg", known[1])
    high, low = sum_parts(b, rounded, minus)
    twice = b.emit("mul", b.emit("mul", "q12", "q12"), Fraction(2))
    part = kept(b, b.emit("div0", b.emit("add", high, low), twice))
    size = b.emit("abs", "q12")
    return b.emit("mul", b.emit("select", root, size, part, Fraction(0), hint="rest"), "q12")


def _number(value: Fraction) -> Parts:
    near = Fraction(float(value))
    return near, value - near


def _total(b: Lines, terms: list[Expr]) -> Parts | None:
    high: Operand = Fraction(0)
    low: Operand = Fraction(0)
    for term in terms:
        own = _parts(b, term)
        if own is None:
            return None
        high, lost = _sum(b, high, own[0])
        low = b.emit("add", low, b.emit("add", lost, own[1]))
    return high, low


def _sum(b: Lines, x: Operand, y: Operand) -> Parts:
    if x == 0 or y == 0:
        return (y if x == 0 else x), Fraction(0)
    if not isinstance(x, str) and not isinstance(y, str):
        return _number(Fraction(x) + Fraction(y))
    total = b.emit("add", x, y)
    back = b.emit("sub", total, x)
    first = b.emit("sub", x, b.emit("sub", total, back))
    return total, b.emit("add", first, b.emit("sub", y, back), hint="lost")


def sum_parts(b: Lines, x: Parts, y: Parts) -> Parts:
    """The sum of two such sums, and what rounding it took away."""
    high, lost = _sum(b, x[0], y[0])
    return high, b.emit("add", lost, b.emit("add", x[1], y[1]))


def close_sum_parts(b: Lines, x: Parts, y: Parts) -> Parts:
    """The same where the two nearly cancel: what is left may be less than an eps of their rests."""
    high, lost = _sum(b, x[0], y[0])
    rest, more = _sum(b, x[1], y[1])
    high, again = _sum(b, high, rest)
    return high, b.emit("add", lost, b.emit("add", again, more))


def power_parts(b: Lines, x: Operand, n: int) -> Parts:
    """A power with n > 0, and what rounding it took away."""
    if n == 1:
        return x, Fraction(0)
    half = power_parts(b, x, n // 2)
    square = product_parts(b, half, half)
    return product_parts(b, square, (x, Fraction(0))) if n % 2 else square


def product_parts(b: Lines, x: Parts, y: Parts) -> Parts:
    """The product of two such sums, and what rounding it took away."""
    if not isinstance(x[0], str) and not isinstance(y[0], str):
        return _number(_exact(x) * _exact(y))
    if any(_power_of_two(z[0]) and z[1] == 0 for z in (x, y)):
        return b.emit("mul", x[0], y[0]), _cross_terms(b, x, y)
    high = b.emit("mul", x[0], y[0])
    lost = b.emit("cross", x[0], y[0], high, Fraction(1), hint="lost")
    return high, b.emit("add", lost, _cross_terms(b, x, y))


def divided_parts(b: Lines, x: Parts, y: Parts) -> Parts:
    """The quotient of two such sums, the second positive, and what rounding it took away."""
    high = b.emit("div", x[0], y[0])
    left = b.emit("cross", x[0], Fraction(1), high, y[0], hint="left")
    left = b.emit("add", left, x[1])
    left = b.emit("sub", left, b.emit("mul", high, y[1]))
    return high, b.emit("div", left, y[0])


def _exact(x: Parts) -> Fraction:
    assert not isinstance(x[0], str) and not isinstance(x[1], str)
    return Fraction(x[0]) + Fraction(x[1])


def _cross_terms(b: Lines, x: Parts, y: Parts) -> Operand:
    total: Operand = Fraction(0)
    for p, q in ((x[0], y[1]), (y[0], x[1])):
        if q != 0:
            total = b.emit("add", total, b.emit("mul", p, q))
    return total


def _power_of_two(value: Operand) -> bool:
    if isinstance(value, str) or value == 0:
        return False
    size = abs(Fraction(value))
    return all(n & (n - 1) == 0 for n in (size.numerator, size.denominator))
