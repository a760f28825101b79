r"""Recognise: an expression as $\sum_k a_k x_+^{p_k} + b_k x_-^{p_k}$, real exponents.

$x_+ = \max(x, 0)$, $x_- = \max(-x, 0)$.  Such a function is two sums of powers of $|x|$, one on
each half-line; sums, products, real powers of what is known to be of one sign, `abs`, `sign`,
`max`, `min` and conditions act on each half-line by itself.  Signs come from numbers and
assumptions; where they do not decide, the expression is not recognised.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sympy import (
    Abs,
    Add,
    Basic,
    Expr,
    Heaviside,
    Integer,
    Max,
    Min,
    Mul,
    Piecewise,
    Pow,
    default_sort_key,
    expand,
    sign,
)
from sympy.core.relational import Ge, Gt, Le, Lt
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from ..symbols import x

MAX_TERMS = 12
"""Terms on one half-line; a dual has as many pairs as its square."""

Side = tuple[tuple[Expr, Expr], ...]
"""(exponent, coefficient) of each power of |x| on one half-line, in canonical order."""


class _Unknown(Exception):
    """The expression is not such a sum, or the assumptions do not say which one."""


@dataclass(frozen=True, slots=True)
class PowerSum:
    """A sum of real powers on each half-line.

    Attributes:
        right: for x > 0.
        left: for x < 0, in powers of -x.
    """

    right: Side
    left: Side

    @property
    def exponents(self) -> tuple[Expr, ...]:
        """Every exponent once, in canonical order."""
        found = {p for p, _ in (*self.right, *self.left)}
        return tuple(sorted(found, key=default_sort_key))

    @property
    def rows(self) -> tuple[tuple[Expr, Expr, Expr], ...]:
        """(p, a, b) of every a x_+^p + b x_-^p, in canonical order."""
        right, left = dict(self.right), dict(self.left)
        zero = Integer(0)
        return tuple((p, right.get(p, zero), left.get(p, zero)) for p in self.exponents)

    def derivative(self) -> PowerSum:
        """The derivative off 0: p a x_+^(p-1) - p b x_-^(p-1)."""
        return PowerSum(
            _side((p - 1, p * c) for p, c in self.right),
            _side((p - 1, -p * c) for p, c in self.left),
        )

    @property
    def jump(self) -> Expr:
        """The height of the jump at 0, where all exponents are nonnegative."""
        zero = Integer(0)
        return dict(self.right).get(zero, zero) - dict(self.left).get(zero, zero)

    @property
    def expr(self) -> Expr:
        """The sum as SymPy."""
        parts = [a * Max(x, 0) ** p for p, a in self.right]
        return Add(*parts, *(b * Max(-x, 0) ** p for p, b in self.left))


def recognise(expr: Expr) -> PowerSum | None:
    """The sum of real powers that equals `expr` (a function of `symbols.x`) off 0, or None."""
    try:
        return PowerSum(_of(expr, 1), _of(expr, -1))
    except _Unknown:
        return None


def _side(terms: Iterable[tuple[Expr, Expr]]) -> Side:
    found: dict[Expr, Expr] = {}
    for p, c in terms:
        p = expand(p)
        found[p] = found[p] + c if p in found else c
    kept = [(p, c) for p, c in found.items() if expand(c) != 0]
    if len(kept) > MAX_TERMS:
        raise _Unknown
    return tuple(sorted(kept, key=lambda term: default_sort_key(term[0])))


def _of(expr: Expr, which: int) -> Side:
    """The sum of powers on the right (1) or left (-1) half-line."""
    one = Integer(1)
    if expr == x:
        return ((one, Integer(which)),)
    if not expr.has(x):
        return _constant(expr)
    match expr:
        case Add():
            return _sum(*(_of(a, which) for a in expr.args))
        case Mul():
            return _product(*(_of(a, which) for a in expr.args))
        case Pow():
            return _power(expr, which)
        case Abs():
            return _abs(_of(expr.args[0], which))
        case sign():
            return _constant(Integer(_sign(_of(expr.args[0], which))))
        case Heaviside():
            s = _sign(_of(expr.args[0], which))
            return _constant(expr.args[1] if s == 0 else Integer(s > 0))
        case Max() | Min():
            want = 1 if isinstance(expr, Max) else -1
            ordered = sorted(expr.args, key=default_sort_key)
            return _extreme(want, [_of(a, which) for a in ordered])
        case Piecewise():
            for value, condition in expr.args:
                if _holds(condition, which):
                    return _of(value, which)
    raise _Unknown


def _constant(c: Expr) -> Side:
    return _side([(Integer(0), c)])


def _sum(*sides: Side) -> Side:
    return _side(term for side in sides for term in side)


def _product(*sides: Side) -> Side:
    out: Side = ((Integer(0), Integer(1)),)
    for side in sides:
        out = _side((p + q, a * b) for p, a in out for q, b in side)
    return out


def _power(expr: Pow, which: int) -> Side:
    e = expr.exp
    if e.has(x) or e.is_extended_real is not True:
        raise _Unknown
    side = _of(expr.base, which)
    if not side:
        if e.is_positive is not True:
            raise _Unknown
        return ()
    if len(side) == 1:
        ((p, c),) = side
        if c.is_nonnegative is not True and e.is_Integer is not True:
            raise _Unknown
        return _side([(p * e, c**e)])
    if e.is_Integer and 0 < int(e) <= MAX_TERMS:
        return _product(*([side] * int(e)))
    raise _Unknown


def _sign(side: Side) -> int:
    """The sign of a sum of powers of |x| on the open half-line."""
    if not side:
        return 0
    if all(c.is_positive for _, c in side):
        return 1
    if all(c.is_negative for _, c in side):
        return -1
    raise _Unknown


def _abs(side: Side) -> Side:
    if len(side) == 1:
        ((p, c),) = side
        return _side([(p, Abs(c))])
    return side if _sign(side) >= 0 else _side((p, -c) for p, c in side)


def _extreme(want: int, sides: list[Side]) -> Side:
    best = sides[0]
    for other in sides[1:]:
        gap = _sum(other, _side((p, -c) for p, c in best))
        if all((want * c).is_nonnegative for _, c in gap):
            best = other
        elif not all((want * c).is_nonpositive for _, c in gap):
            raise _Unknown
    return best


def _holds(condition: Basic, which: int) -> bool:
    """Whether a condition holds on a half-line."""
    if isinstance(condition, (BooleanTrue, BooleanFalse)):
        return bool(condition)
    if not isinstance(condition, (Gt, Ge, Lt, Le)):
        raise _Unknown
    s = _sign(_of(condition.lhs - condition.rhs, which))
    if s == 0:
        return isinstance(condition, (Ge, Le))
    return (s > 0) == isinstance(condition, (Gt, Ge))
