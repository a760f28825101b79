"""At which variances a closed form loses so many digits that the definition is integrated.

Judged at the corners of bins of the two variances, by the sizes of the terms of the closed form.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, reduce
from typing import Any

from flint import arb
from sympy import (
    Add,
    Basic,
    Dummy,
    Expr,
    Integer,
    Mul,
    Rational,
    Symbol,
    default_sort_key,
    exp,
    oo,
    sqrt,
    zoo,
)

from .. import symbols as S
from ..functions import Phi, Phi2
from ..symbols import x
from .arguments import rough
from .build import Builder
from .polynomial import DET
from .program import Operand
from .rough import Sizes
from .wide import outputs

BINS = 23
"""Of variances, four times the one before each."""
FIRST = 0.6
"""Where the middle one begins, in squares of the unit: 1 itself, which is common, is inside."""
LOST = 3.0
"""Terms may add up to so many times the size of the kernel."""
LOST_USUAL = 18.0
"""The same in compiled code for variances of one order that are not small, those of data.

Two thirds across bins.  The closed form is often better than its terms are large, and ten to a
hundred times faster.
"""
LOST_GROWN = 10.0
"""The same for exponentials of the variances, which lose about an eps each."""
LOST_MASS = 7.0
"""The same for masses, derivatives of splines of one sign: digits of their values count."""
SLOWER = 1.5
"""So many times that where an entry costs a hundred times as much: in NumPy."""
SLOWER_GROWN = 1.2
"""The same for exponentials of the variances."""
COMPILED = 3
"""The mark of bins for compiled code only."""
RHOS = (1 / 3, -0.9)
"""The correlations that the terms are judged at."""
NEAR = 0.999
"""One more for variances of data and small ones, or where s grows: terms and kernel are largest."""
USUAL = 4.0 * 4.0 * FIRST
"""Those of data are below that, in squares of the unit."""
GROWN = 27.0
"""Exponentials that grow are integrated while they move the density by less, in deviations.

The density and s are doubles as far as that and ten more."""
GATED, LIKE = 8.3, 0.56
"""Gates so far out are 0 or 1 to rounding; a correlation below which kernels there do not count."""
LEAST = 1e-300
"""Kernels that are nowhere in a bin larger than this are left to the closed form."""
_DIGITS, _ROUGH = (40, 400), 15
_VALUE = Rational(3, 4)


@dataclass(frozen=True, slots=True)
class Covered:
    """Where other operations replace the closed form: the rule is not needed there.

    Attributes:
        small: below this variance, of one of the two, the dual is an integral of its derivative.
        large: from this variance on, of both, there is a rule of its own.
        least: what that needs of the conditional standard deviations.
        slopes: whether it is for the diagonal of the derivative too.
    """

    small: float
    large: float
    least: float
    slopes: bool = True


def plain(e: Expr) -> Expr:
    """The expression with a number for every parameter."""
    return e.xreplace({s: _number(s) for s in e.free_symbols - {S.q11, S.q12, S.q22, S.q, x}})


def numbers_for(params: Iterable[Symbol]) -> dict[str, Expr]:
    """The same numbers, by the names of the parameters."""
    return {p.name: _number(p) for p in params}


def _number(p: Basic) -> Expr:
    return -_VALUE if p.is_negative else _VALUE


def bin_ends(k: int) -> tuple[float, float]:
    """The variances of a bin, in squares of the unit."""
    low = FIRST * 4.0 ** (k - BINS // 2)
    return low, 4 * low


def infinite(e: Expr) -> bool:
    """Whether a diagonal is infinite: that of a derivative with jumps."""
    return e in (oo, zoo)


def moved_most(furthest: float) -> float:
    """How far exponentials that grow may move the density, in deviations of both inputs together.

    Beyond, `GATED` deviations at half of full correlation (of less the kernel is little of its
    size), every gate at a kink is 0 or 1 to rounding: then the terms of a closed form have one
    exponential and exact polynomials, and nothing cancels that was rounded.

    Args:
        furthest: the distance of the farthest kink, times the rate; infinite where s has gates of
            its own, or is not known.
    """
    both = 1.0 + LIKE  # at m deviations each, a gate is at both*m - furthest/m
    each = (GATED + math.sqrt(GATED**2 + 4.0 * both * furthest)) / (2.0 * both)
    return min(2.0 * each, GROWN)


def tables(
    exprs: tuple[Expr, ...],
    covered: Covered,
    unit: float,
    open_end: bool,
    grow: float = 0.0,
    most: float = GROWN,
    mass: bool = False,
) -> Any:
    """Flags by bins of the two variances, judged by their corners, and of one for the diagonals.

    `open_end` says that the derivative has no diagonal for some values of the parameters; s grows
    like exp(grow*|x|), which may move the density by `most`; `mass`: the derivative is one, see
    `LOST_MASS`.
    """
    value, dot, diag, diag_dot = map(plain, exprs)
    endless = infinite(diag_dot)
    places = [_places(k, covered.small, unit) for k in range(BINS)]
    moved = [grow * (bin_ends(k)[0] * unit) ** 0.5 for k in range(BINS)]
    own = Weigher((diag, Integer(0) if endless else diag_dot), ("q",))
    sides = {v: own.at({"q": v}) for row in places for v in row}
    both = Weigher((value, dot), ("q11", "q12", "q22"))

    def pairs(i: int, j: int) -> list[tuple[float, float]]:
        return [(a, c) for a in places[i] for c in places[j] if a <= c]

    def rhos(a: float) -> tuple[float, ...]:
        return (*RHOS, NEAR) if a < USUAL * unit or grow else RHOS

    def moves_far(i: int, j: int) -> bool:  # the density: left to the closed form
        return bool(moved[i] + moved[j] > most)

    bins = ((i, j) for i in range(BINS) for j in range(i, BINS) if not moves_far(i, j))
    grid = dict.fromkeys((a, r, c) for i, j in bins for a, c in pairs(i, j) for r in rhos(a))
    at = [{"q11": a, "q12": r * (a * c) ** 0.5, "q22": c} for a, r, c in grid]
    sums = dict(zip(grid, both.along(at), strict=True))

    @lru_cache(maxsize=256)
    def corner(a: float, c: float) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        each = [sums[a, r, c] for r in rhos(a)]
        if endless:  # a jump adds what is no loss
            each = [(t, u * (1 - r * r) ** 0.5) for (t, u), r in zip(each, rhos(a), strict=True)]
        terms = tuple(map(max, *each))
        size = abs(sides[a][0] * sides[c][0]) ** 0.5
        slope = abs(sides[a][1] * sides[c][1]) ** 0.5
        return terms, (size, size * max((a * c) ** -0.5, grow**2) if endless else slope)

    endless_exponents = [_exponents_grow(e) for e in (value, dot)]
    tables: list[list[int]] = [[], []]
    for i in range(BINS):
        for j in range(BINS):
            if j < i:
                for table in tables:
                    table.append(table[j * BINS + i])
                continue
            if moves_far(i, j):
                for table in tables:
                    table.append(0)
                continue
            far = bin_ends(i)[0] * unit >= covered.large  # the whole bin
            alike = -2 <= i - BINS // 2 <= 1 and j - i <= 3 and not far
            marks = [0, 0]
            found = [(min(a, c), *corner(a, c)) for a, c in pairs(i, j)]
            known = [any(z[n] > LEAST for _, _, z in found) for n in range(2)]
            for n, exponents in enumerate(endless_exponents):
                usual = LOST_GROWN if exponents else LOST_USUAL if i == j else LOST_USUAL * 2 / 3
                slower = usual * (SLOWER_GROWN if exponents else SLOWER)
                mark = 2 if far else 1
                limits = ((usual, COMPILED), (slower, mark)) if alike else ((LOST, mark),)
                limits = ((LOST_MASS, mark),) if alike and mass and n else limits
                for limit, kind in limits:
                    # moved densities round exponents too
                    lost = limit * max(1.0, (moved[i] + moved[j]) ** 2 / 16)
                    for least, terms, sizes in found:
                        bad = [z < t / lost for t, z in zip(terms, sizes, strict=True)]
                        if known[n] and bad[n] and (n or bad[1] or least >= covered.small):
                            marks[n] = kind
            if j == BINS - 1 and not far:  # without an end: no digit of large exponents is left
                marks = [m or int(e) for m, e in zip(marks, endless_exponents, strict=True)]
            for table, mark in zip(tables, marks, strict=True):
                table.append(mark)
    ends: list[list[int]] = [[], []]
    for i, row in enumerate(places):
        limit = LOST if abs(i - BINS // 2) > 2 else 4 * LOST  # values of data
        found = [(v, own.weights({"q": v}), tuple(map(abs, sides[v]))) for v in row]
        far = bin_ends(i)[0] * unit >= covered.large
        left = not tables[0][i * BINS + i]  # to the integral of the derivative, where that is
        grown = 2 * moved[i] > most
        for n, never in enumerate((far, (far and covered.slopes) or open_end)):
            bad = [
                z[n] < t[n] / limit and not (n == 0 and left and v < covered.small)
                for v, t, z in found
            ]
            ends[n].append(
                int(not (never or grown) and any(bad) and any(z[n] > LEAST for _, _, z in found))
            )
    return tuple(map(tuple, tables + ends))


def first_good(
    value: Expr, diag: Expr, variances: tuple[Fraction, ...], lost: float = LOST_USUAL
) -> Fraction:
    """The first of the variances where the terms of a dual are small enough; else the last."""
    most = min(lost, LOST_GROWN) if _exponents_grow(plain(value)) else lost
    small_enough = _small_enough(value, diag, most)
    return next((v for v in variances[:-1] if small_enough(v)), variances[-1])


def _small_enough(value: Expr, diag: Expr, most: float) -> Callable[[Fraction], bool]:
    """Whether the terms of a dual are at most so many times its size, at a variance."""
    both, own = _weighers(plain(value), plain(diag))

    def found(variance: Fraction) -> bool:
        q = float(variance)
        rows = ({"q11": q, "q12": r * q, "q22": q} for r in (*RHOS, NEAR))
        return bool(max(both.weights(row)[0] for row in rows) <= most * own.at({"q": q})[0])

    return found


@lru_cache(maxsize=16)
def _weighers(value: Expr, diag: Expr) -> tuple[Weigher, Weigher]:
    """Of a dual and of its diagonal, which are asked for at several variances."""
    return Weigher((value,), ("q11", "q12", "q22")), Weigher((diag,), ("q",))


def _exponents_grow(e: Expr) -> bool:
    """Whether there are exponentials of positive multiples of the variances."""
    alone = {S.q11: Integer(1), S.q12: Integer(0), S.q22: Integer(1)}
    exponents = (f.args[0].xreplace(alone) for f in e.atoms(exp))
    return any(bool(a.is_number and a.is_positive) for a in exponents)


def _places(k: int, small: float, unit: float) -> tuple[float, ...]:
    """The ends of a bin, and where the integral of the derivative ends inside it."""
    low, high = (v * unit for v in bin_ends(k))
    return (low, small, high) if low < small < high else (low, high)


class Weigher:
    """Expressions, and what the rounding errors of their terms are proportional to."""

    def __init__(self, exprs: tuple[Expr, ...], names: tuple[str, ...]) -> None:
        self._exact: tuple[tuple[int, Sizes], ...] = ()
        if len(names) == 1:
            b = Builder(names)
            ends = tuple((f"e{k}", b.operand(e)) for k, e in enumerate(exprs))
            exact = rough(b.program("exact", ends))
            self._exact = tuple((digits, Sizes(exact, digits)) for digits in _DIGITS)
        w = Builder(names)
        sums = tuple((f"w{k}", _weight(w, e)) for k, e in enumerate(exprs))
        self._weights = rough(w.program("weights", sums))
        self._sums = Sizes(self._weights, _ROUGH)

    def at(self, point: dict[str, float]) -> tuple[Any, ...]:
        """The values; where all digits cancel, what they are at most."""
        terms, found = self.weights(point), tuple[Any, ...]()
        for digits, exact in self._exact:
            most = [t * arb(10) ** (8 - digits) for t in terms]
            found = tuple(max(abs(v), m) for v, m in zip(exact(point), most, strict=True))
            if all(v > m or not t for v, m, t in zip(found, most, terms, strict=True)):
                break
        return found

    def weights(self, point: dict[str, float]) -> tuple[Any, ...]:
        """The sums of the sizes of the terms."""
        return self._sums(point)

    def along(self, points: Sequence[dict[str, float]]) -> list[tuple[Any, ...]]:
        """The same at many points: in doubles, where the sizes have such."""
        if not points:
            return []
        columns = {a: [point[a] for point in points] for a in self._weights.args}
        rows = zip(outputs(self._weights, columns), points, strict=True)
        return [self.weights(point) if None in row else row for row, point in rows]


def _weight(b: Builder, e: Expr) -> Operand:
    """The sum of the sizes of the terms, times the exponents, which round too.

    Those that are sums of entries are known in two doubles, and lose nothing without a gate.
    Phi2 is formed from numbers of the size of the larger gate, exp times Phi2 from its own.
    """
    total: Operand = Fraction(0)
    for term in Add.make_args(e):
        factors = Mul.make_args(term)
        alone = not any(isinstance(f, exp) for f in factors)
        exponents: list[Operand] = [Fraction(1)]
        sized = b.emit("abs", b.operand(_gated(b, term, alone, exponents)))
        for f in factors:
            if not isinstance(f, exp) or not f.has(*_ENTRIES):
                continue
            if term.has(Phi, Phi2) or b.two_parts(f.args[0]) is None:
                size = b.emit("abs", b.operand(f.args[0]))
                exponents.append(b.emit("mul", size, Fraction(1, 8)))
        rounded = reduce(lambda one, two: b.emit("add", one, two), exponents)
        total = b.emit("add", total, b.emit("mul", sized, rounded))
    return total


_ENTRIES = (S.q11, S.q22, S.q)


def _gated(b: Builder, term: Expr, alone: bool, exponents: list[Operand]) -> Expr:
    """The term with symbols for Phi2, for each of which a line of the builder stands.

    With an exponential it is one gate times the other given the first at its end: right in tails,
    but for the exponent of the other, which is added to those of the term.
    """
    stands: dict[Basic, Basic] = {}
    for gate in sorted(term.atoms(Phi2), key=default_sort_key):
        h, k, r = gate.args
        one, two = b.operand(h), b.operand(k)
        low, high = b.emit("min", one, two), b.emit("max", one, two)
        if alone:
            size = b.emit("abs", high)
            value = b.emit("Phi", b.emit("neg", size))
            exponents.append(b.emit("mul", b.emit("mul", size, size), Fraction(1, 2)))
        else:
            given = b.emit("sub", high, b.emit("mul", b.operand(r), low))
            width = b.emit("pos", b.operand(sqrt(1 - r**2)))  # r may be rounded to 1
            given = b.emit("div", given, width)
            value = b.emit("mul", b.emit("Phi", low), b.emit("Phi", given))
            tail = b.emit("min", high, Fraction(0))
            exponents.append(b.emit("mul", b.emit("mul", tail, tail), Fraction(1, 4)))
        stands[gate] = Dummy()
        b.replace(stands[gate], value)
    term = term.xreplace(stands)
    for factor in Mul.make_args(term):
        if isinstance(factor, Add) and factor != DET:  # that is exact
            sum_of = Dummy()
            parts = (b.emit("abs", b.operand(part)) for part in factor.args)
            b.replace(sum_of, reduce(lambda one, two: b.emit("add", one, two), parts))
            term = term.xreplace({factor: sum_of})
    return term
