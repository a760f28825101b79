"""Programs of a mixture whose terms cancel at 0: beside the sum over nodes, one that does not.

`split` takes the program of a closed form and returns one that computes the sum of
`mixture.sides` where either variance is small.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import ceil, factorial

from sympy import Expr, Integer, expand, pi, sqrt

from ...lower.build import Builder
from ...lower.program import Operand, Program
from ...numeric.logistic import Part
from ...numeric.lowest import Lowest, lowest
from ...numeric.mixture import MixtureDual
from ...numeric.pairs import A, B
from ...symbols import q, q11, q12, q22
from .remainders import Row, double_factorial, root_quotient, tail_quotient
from .sides import GATE, POWER, Key, Sides, derivative, powers, sides

ZERO: Operand = Fraction(0)
ONE: Operand = Fraction(1)


@dataclass(frozen=True, slots=True)
class Term:
    """E[left(u) right(v)], split at `order`.

    `left` and `right` are sides with the slopes of their densities, as expressions.
    """

    left: Sides
    right: Sides
    slopes: tuple[Expr, Expr]
    order: int
    small: Fraction
    """Up to this variance, of either input, the sum is split."""


def _lowest(dual: MixtureDual) -> tuple[Lowest | None, Lowest | None]:
    """Of the activation and of its derivative."""
    return lowest(dual.form), lowest(dual.slope_form)


def plain_split(dual: MixtureDual, closed: Program) -> Program:
    """The program of the polynomial part, split where that is needed."""
    rows = []
    for found in _lowest(dual):
        row: tuple[Term, ...] = ()
        if found is not None and (given := powers(found.plain)):
            row = (Term(given, given, (Integer(1), Integer(1)), found.order, found.small),)
        rows.append(row)
    return _split(closed, rows, _lowest(dual))


def single_split(dual: MixtureDual, closed: Program, family: int) -> Program:
    """The program of the polynomial with one family in `B`, both ways round."""
    rows = []
    slope, one = B * dual.form.families[family][0], Integer(1)
    for found in _lowest(dual):
        row: tuple[Term, ...] = ()
        if found is not None and (given := powers(found.plain)):
            other = sides(_of(found, dual, family), B)
            row = (
                Term(given, other, (one, slope), found.order, found.small),
                Term(other, given, (slope, one), found.order, found.small),
            )
        rows.append(row)
    return _split(closed, rows, _lowest(dual))


def pair_split(dual: MixtureDual, closed: Program, first: int, second: int) -> Program:
    """The program of two families in `A` and `B`."""
    rows = []
    slopes = A * dual.form.families[first][0], B * dual.form.families[second][0]
    for found in _lowest(dual):
        row: tuple[Term, ...] = ()
        if found is not None:
            left = sides(_of(found, dual, first), A)
            right = sides(_of(found, dual, second), B)
            row = (Term(left, right, slopes, found.order, found.small),)
        rows.append(row)
    return _split(closed, rows, _lowest(dual))


def split_note(dual: MixtureDual) -> str:
    """A clause for the head of a file; empty where nothing cancels."""
    found = [f for f in _lowest(dual) if f is not None]
    if not found:
        return ""
    most, small = max(f.order for f in found), max(f.small for f in found)
    return f"; for q <= {small} without the terms of degree below {most}, which cancel at 0"


def _of(found: Lowest, dual: MixtureDual, family: int) -> tuple[Part, ...]:
    """The parts of a family of the activation; the derivative may have lost it."""
    where = dual.form.families[family]
    return next((g for g in found.parts if (g[0].slope, g[0].offset) == where), ())


def _split(
    closed: Program,
    rows: list[tuple[Term, ...]],
    found: tuple[Lowest | None, Lowest | None],
) -> Program:
    """As it is where nothing cancels; a part without terms is 0 at small variances."""
    if found == (None, None):
        return closed
    wanted = zip(found, rows, strict=True)
    return split(closed, tuple(None if f is None else (f.small, r) for f, r in wanted))


def split(closed: Program, terms: tuple[tuple[Fraction, tuple[Term, ...]] | None, ...]) -> Program:
    """The closed program with its outputs replaced at small variances by the sums of `terms`.

    `terms` has for every output the variance and a row; an output with None stays as it is.
    """
    b = Builder(closed.args, root="root" if "root" in closed.args else None)
    known: dict[str, Operand] = {name: name for name in closed.args}

    def place(a: Operand) -> Operand:
        return known[a] if isinstance(a, str) else a

    for let in closed.body:
        known[let.name] = b.emit(let.op, *(place(a) for a in let.args), inner=let.inner)
    pair = "root" in closed.args
    variances: tuple[Operand, Operand] = ("q11", "q22") if pair else ("q", "q")
    least = b.emit("min", *variances) if pair else "q"
    laws: dict[tuple[Expr, Expr], _Law] = {}
    outputs = []
    for (label, value), row in zip(closed.outputs, terms, strict=True):
        found = place(value)
        if row is not None:
            total = ZERO
            for t in row[1]:
                law = laws.setdefault(t.slopes, _Law(b, t.slopes, pair))
                total = b.emit("add", total, law.total(t))
            found = b.emit("select", least, row[0], total, found)
        outputs.append((label, found))
    return b.program(closed.name, tuple(outputs), closed.requires, closed.computes)


class _Law:
    """Expectations of one pair of slopes."""

    def __init__(self, b: Builder, slopes: tuple[Expr, Expr], pair: bool) -> None:
        self.b, self.slopes = b, slopes
        exprs = (q11, q12, q22) if pair else (q, q, q)
        self.variances = tuple(b.operand(e) for e in (exprs[0], exprs[2]))
        self.cross = b.operand(exprs[1])
        emit = b.emit
        self.steep = tuple(b.operand(e) for e in slopes)
        squares = [emit("mul", e, e) for e in self.steep]
        self.over = [emit("mul", e, v) for e, v in zip(squares, self.variances, strict=True)]
        whole = [emit("add", o, ONE) for o in self.over]
        self.roots = [emit("sqrt0", e) for e in whole]
        self.by = [emit("div", ONE, e) for e in self.roots]
        both = emit("add", self.over[0], whole[1])
        if pair:
            far = emit("mul", emit("mul", *self.steep), "root")
            both = emit("add", both, emit("mul", far, far))
        self.rest = emit("sqrt0", both)
        self.mean = cache(self._mean)
        self.tail = cache(self._tail)

    # -- one variable ------------------------------------------------------------------------------

    def _mean(self, k: int, key: Key, least: int) -> Operand:
        """E of one side less its Taylor terms below degree `least`; 0 where it is odd."""
        p, order = key
        emit = self.b.emit
        if order == POWER:
            if p % 2 or p < least:
                return ZERO
            return self._times(double_factorial(p - 1), *[self.variances[k]] * (p // 2))
        if order == GATE:  # Stein: one factor x is taken out
            if p % 2 == 0:
                return ZERO
            down = self.mean(k, (p - 1, 0), least - 2)
            total = self._times(2, self.steep[k], down)
            if p > 1:
                inner = self.mean(k, (p - 2, GATE), least - 2)
                total = emit("add", total, self._times(p - 1, inner))
            return emit("mul", self.variances[k], total)
        if (p + order) % 2:
            return ZERO
        total = ZERO
        for j, h in enumerate(_hermite(order)):
            if h:
                half = (p + j) // 2
                count = max(0, ceil((least - p - j) / 2))
                factors = [self.steep[k]] * (order + j) + [self.variances[k]] * half
                value = self._times(
                    (-1) ** order * h * double_factorial(p + j - 1),
                    *factors,
                    self._root_remainder(k, half, count),
                )
                total = emit("add", total, value)
        return emit("mul", self.b.operand(1 / sqrt(2 * pi)), total)

    def _root_remainder(self, k: int, half: int, count: int) -> Operand:
        emit, root = self.b.emit, self.roots[k]
        value = self._polynomial(root_quotient(half, count), root)
        near = emit("div", self.over[k], emit("add", root, ONE)) if count else ONE
        return self._times(1, *[near] * count, value, *[self.by[k]] * (2 * half + 1))

    def _level(self, k: int, given: Sides, n: int, t: Term) -> Operand:
        """A_n of a sum of sides: reduced where the variance is small."""
        moved = given
        for _ in range(n):
            moved = derivative(moved, self.slopes[k])
        totals = []
        for least in (t.order - n, 0):
            total = ZERO
            for key, c in moved.items():
                found = self.mean(k, key, least)
                if found != 0 and expand(c) != 0:
                    total = self.b.emit("add", total, self._times(1, self.b.operand(c), found))
            totals.append(total)
        if totals[0] == totals[1]:
            return totals[0]
        return self.b.emit("select", self.variances[k], t.small, *totals)

    # -- two variables -----------------------------------------------------------------------------

    def total(self, t: Term) -> Operand:
        """The expectation of one term."""
        emit, whole = self.b.emit, ZERO
        power = ONE
        for n in range(t.order):
            if n:
                power = emit("mul", power, self.cross)
            left = self._level(0, t.left, n, t)
            right = self._level(1, t.right, n, t)
            whole = self._added(whole, Fraction(1, factorial(n)), power, left, right)
        for one, c in t.left.items():
            row = ZERO
            for two, d in t.right.items():
                row = self._added(row, self.b.operand(d), self.tail(t.order, one, two))
            whole = self._added(whole, self.b.operand(c), row)
        return whole

    def _tail(self, m: int, one: Key, two: Key) -> Operand:
        """The terms of Mehler's sum of E[one(u) two(v)] from the m-th on."""
        if _odd(one) != _odd(two):
            return ZERO
        keys = (one, two)
        for k in (0, 1):
            (p, order), other = keys[k], keys[1 - k]
            if order == POWER and p == 0:
                return self.mean(1 - k, other, 0) if m <= 0 else ZERO
            if p and order >= 0:  # x h_k = h_(k+1) + k h_(k-1)
                first = self._turned(m, k, (p - 1, order + 1), other)
                again = self.b.operand(-1 / self.slopes[k] ** 2)
                total = self._added(ZERO, again, first)
                if order:
                    down = self._turned(m, k, (p - 1, order - 1), other)
                    total = self._added(total, -order, down)
                return total
        for k in (0, 1):
            (p, order), other = keys[k], keys[1 - k]
            if not p:
                continue
            inner = (p - 1, order)  # Stein: var E_m[F' H] + cov E_(m-1)[F H']
            total = ZERO
            for key, c in derivative({inner: Integer(1)}, self.slopes[k]).items():
                found = self._turned(m, k, key, other)
                total = self._added(total, self.variances[k], self.b.operand(c), found)
            for key, c in derivative({other: Integer(1)}, self.slopes[1 - k]).items():
                found = self._turned(m - 1, k, inner, key)
                total = self._added(total, self.cross, self.b.operand(c), found)
            return total
        return self._base(m, one[1], two[1])

    def _turned(self, m: int, k: int, mine: Key, yours: Key) -> Operand:
        return self.tail(m, mine, yours) if k == 0 else self.tail(m, yours, mine)

    def _base(self, m: int, first: int, second: int) -> Operand:
        """Derivatives of two densities, gates counted as derivative -1."""
        emit = self.b.emit
        a, b = self.steep
        s, t = self.roots
        both, n = emit("mul", s, t), emit("mul", emit("mul", a, b), self.cross)
        count = max(0, ceil((m - first % 2) / 2))
        if first == second == GATE:
            return emit("mul", self.b.operand(2 / pi), self._arc(count, n, both))
        w = emit("div", self.rest, both)
        back = emit("div", both, self.rest)
        r = emit("div", n, both)
        near = emit("div", emit("mul", r, r), emit("add", w, ONE)) if count else ONE
        length = first + second + 1
        value = self._polynomial(tail_quotient(first, second, count), w)
        sign = (-1) ** ((first + second) // 2 + first)
        gates = (first == GATE) + (second == GATE)  # G = 2 a times the integral of the density
        outer = self.b.operand(Integer(sign) * 2**gates / (2 * pi))
        slopes = [a] * (first + (first == GATE)) + [b] * (second + (second == GATE))
        own = [self.by[0]] * (first + 1) + [self.by[1]] * (second + 1)
        return self._times(
            1, outer, *slopes, *own, *[r] * (first % 2), *[near] * count, value, *[back] * length
        )

    def _arc(self, count: int, n: Operand, both: Operand) -> Operand:
        """asin(n/both), or less its first term: (tan - sin) - (tan - angle)."""
        emit = self.b.emit
        if count == 0:
            return emit("asin3", n, self.rest, both)
        size, square = emit("abs", n), emit("mul", n, n)
        near = emit("mul", both, emit("add", both, self.rest))
        bent = emit("div", emit("mul", size, square), near)
        gap = emit("sub", bent, emit("arc1", size, emit("neg", self.rest)))
        return emit("mul", emit("sign", n), emit("div", gap, self.rest))

    # -- lines -------------------------------------------------------------------------------------

    def _polynomial(self, row: Row, at: Operand) -> Operand:
        total = ZERO
        for c in reversed(row):
            total = self.b.emit("add", self.b.emit("mul", total, at), c)
        return total

    def _times(self, number: int, *factors: Operand) -> Operand:
        product: Operand = Fraction(number)
        for f in factors:
            product = self.b.emit("mul", product, f)
        return product

    def _added(self, total: Operand, *factors: Operand) -> Operand:
        if ZERO in factors or 0 in factors:
            return total
        return self.b.emit("add", total, self._times(1, *factors))


def _odd(key: Key) -> bool:
    """Whether a side changes sign with x."""
    p, order = key
    return bool((p + (0 if order == POWER else order)) % 2)


def _hermite(n: int) -> list[int]:
    """Coefficients of He_n, constant first."""
    before, now = [0], [1]
    for k in range(n):
        after = [0, *now]
        for j, c in enumerate(before):
            after[j] -= k * c
        before, now = now, after
    return now
