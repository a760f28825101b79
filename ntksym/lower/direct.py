r"""Duals by their definition, for the variances where the closed form cancels and no other rule is.

$$E[s(u)s(v)] = \int p(v)\,s(v)\,E[s(u)\mid v]\,dv, \qquad u\mid v \sim N(v\,q_{12}/q_{22},\ t^2),$$

the outer integral by Gauss-Legendre panels that end at the kinks of s, at their images in v, and on
ladders away from them; the inner one between two kinks in closed form where s is there a sum of
terms $c\,x^n e^{bx}$ and its terms do not cancel, else by panels too.  By the Cauchy-Schwarz
inequality the sum of the absolute values of the terms is at most
$\sqrt{K(q_{11})K(q_{22})}$: no cancellation, whatever s is.  The derivative takes s' in the sense
of distributions.  It costs microseconds for a pair, so tables say at which variances the terms of
the closed form are too large for it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sympy import (
    Abs,
    Add,
    Basic,
    Dummy,
    Expr,
    Integer,
    Mul,
    Rational,
    default_sort_key,
    exp,
    oo,
    sqrt,
    zoo,
)

from .. import symbols as S
from ..activation import Activation
from ..derivation import Derivation
from ..dual import Dual
from ..errors import NtksymError
from ..functions import Phi2
from ..symbols import x
from ..terms import TermSum
from ..terms.cells import Cell, cells, inside
from .build import Builder
from .closed_rows import closed_rows
from .far import settled
from .program import Operand, Program

STEPS = (6.0, 16.0, 40.0)
"""Ends of panels away from a kink, in lengths on which s changes by a factor e."""
LADDER = (2.5, 5.2, 9.1)
"""The same away from the centre of a bell or of a smooth step, in its standard deviations."""
BINS = 15
"""Of variances, eight times the one before each; the middle one is the unit."""
LOST = 3.0
"""Terms may add up to so many times the size of the kernel."""
LOST_USUAL = 24.0
"""The same in compiled code for variances of one order that are not small: those of data."""
LOST_LARGE = 4096.0
"""The same where an entry costs a hundred times as much: in NumPy, which has no loop of its own."""
LEAST = 1e-300
"""Kernels that are nowhere in a bin larger than this are left to the closed form."""
MOST, MOST_KINKS = 40, 12
"""More ends of panels, and more kinks, than this are not worth it."""
_DPS, _ROUGH = 40, 6
_VALUE = Rational(3, 4)


@dataclass(frozen=True, slots=True)
class Direct:
    """What the rule needs of an activation.

    Attributes:
        point: (x, parameters) -> value, slope of s; the slope without jumps.
        marks: parameters -> the kinks k0, k1, ... in order, the jumps j0, j1, ... there, more ends
            of panels c0, c1, ..., and the unit of x.
        kinks: how many.
        cuts: how many more ends.
        centres: how many of them, the first ones, are centres of bells and smooth steps.
        groups: for s and for its slope: how many exponentials there are between two kinks, each
            with a polynomial; -1 where there are other terms.  `marks` has, after the cuts, for
            each one its rate and the coefficients about the lower and about the upper kink.
        degree: of those polynomials, filled up with zeros.
        live: for s and for its slope: whether it is not zero between the kinks.
        jumps: whether some jump is not zero.
        used: the tables of the dual and of its derivative, BINS * BINS marks, for the bins of the
            two variances; and their diagonals, BINS marks.  0 is never, 1 always, 2 where the
            inputs are so nearly parallel that the rule for large variances does not hold, 3 in
            compiled code.
        least: the number of that rule, see `Far.least`.
    """

    point: Program
    marks: Program
    kinks: int
    cuts: int
    centres: int
    groups: tuple[tuple[int, ...], tuple[int, ...]]
    degree: int
    live: tuple[tuple[bool, ...], tuple[bool, ...]]
    jumps: bool
    used: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    least: float

    @property
    def programs(self) -> tuple[Program, ...]:
        """As in `Inner`."""
        return (self.point, self.marks)

    def digest(self) -> str:
        """SHA-256 of the programs and the tables, in hexadecimal."""
        programs = f"{self.point.digest()} {self.marks.digest()}"
        text = f"{programs} {self.live} {self.groups} {self.used} {self.least.hex()}"
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Covered:
    """Where other operations replace the closed form: the rule is not needed there.

    Attributes:
        small: below this variance, of one of the two, the dual is an integral of its derivative.
        large: from this variance on, of both, there is a rule of its own.
        least: what that needs of the conditional standard deviations.
    """

    small: float
    large: float
    least: float


def direct_rule(d: Dual, covered: Covered) -> Direct | None:
    """The rule of a dual; None where the closed form is good, or s has no such rule.

    It has none where s waves or grows exponentially, or where the order of kinks is not known.
    """
    return _direct(d.activation, covered, (d.value, d.dot, d.diag, d.diag_dot))


@lru_cache(maxsize=256)
def _direct(act: Activation, covered: Covered, exprs: tuple[Expr, ...]) -> Direct | None:
    d = Derivation.of(act)
    try:
        found = cells(d.terms)
        pieces = tuple(inside(d.terms, c) for c in found)
    except NtksymError:
        return None
    ends = ((pieces[-1], 1), (pieces[0], -1))
    if any(not _real(p) for p in pieces) or any(settled(p, side) is None for p, side in ends):
        return None
    if not 1 < len(found) <= MOST_KINKS:
        return None  # entire: nothing that other rules do not take
    kinks = [c[1].expr for c in found if c[1] is not None]
    unit = _unit(kinks, pieces)
    used = _tables(exprs, covered, float(_plain(unit)) ** 2)
    if not any(any(t) for t in used):
        return None
    centres, cuts = _cuts(found, pieces)
    if len(cuts) > MOST:
        return None
    _, jumps = d.slope
    heights = [next((h.expr for k, h in jumps.items() if k.expr == e), Integer(0)) for e in kinks]
    slopes = tuple(p.derivative()[0] for p in pieces)
    groups, degree, rows = closed_rows(found, (pieces, slopes))
    params = tuple(sorted(p.name for p in act.params))
    b = Builder(params)
    outputs = [(f"k{i}", b.operand(e)) for i, e in enumerate(kinks)]
    outputs += [(f"j{i}", b.operand(e)) for i, e in enumerate(heights)]
    outputs += [(f"c{i}", b.operand(e)) for i, e in enumerate(cuts)]
    outputs += [(f"g{i}", b.operand(e)) for i, e in enumerate(rows)]
    outputs += [("unit", b.operand(unit))]
    marks = b.program("marks", tuple(outputs))
    b = Builder(("x", *params))
    ends_of = tuple((n, _piecewise(b, kinks, p)) for n, p in (("v", pieces), ("d", slopes)))
    point = b.program("point", ends_of)
    live = tuple(bool(p) for p in pieces), tuple(bool(p) for p in slopes)
    counts = len(kinks), len(cuts), len(centres)
    return Direct(point, marks, *counts, groups, degree, live, bool(jumps), used, covered.least)


def _real(f: TermSum) -> bool:
    numbers = (
        z for k in f.terms for z in (k.tilt, k.shift, k.const, *(a for g in k.gates for a in g))
    )
    return all(not z or z.expr.is_real for z in numbers)


def _piecewise(b: Builder, kinks: list[Expr], pieces: tuple[TermSum, ...]) -> Operand:
    """The value of the piece that x is in, as nested choices."""
    value = b.operand(pieces[-1].expr)
    for kink, piece in zip(reversed(kinks), reversed(pieces[:-1]), strict=True):
        value = b.emit("select", "x", b.operand(kink), b.operand(piece.expr), value)
    return value


# -- panels ----------------------------------------------------------------------------------------


def _plain(e: Expr) -> Expr:
    free = sorted(e.free_symbols - {S.q11, S.q12, S.q22, S.q, x}, key=lambda s: s.name)
    return e.xreplace({s: -_VALUE if s.is_negative else _VALUE for s in free})


def _rates(f: TermSum) -> dict[Expr, Expr]:
    """Centres of what changes exponentially, each with the rate of the change; 0 for the ends."""
    found: dict[Expr, Expr] = {}
    for k in f.terms:
        if k.tilt:
            found[(k.shift / k.tilt).expr] = sqrt(Abs(k.tilt.expr))
        elif k.shift:
            found[oo] = Abs(k.shift.expr)
        for a, c in k.gates:
            found[(-c / a).expr] = Abs(a.expr)
    return found


def _number(e: Expr) -> float:
    return float(_plain(e))


def _unit(kinks: list[Expr], pieces: tuple[TermSum, ...]) -> Expr:
    """The length that variances are compared with: the nearest kink that is not 0, or 1/rate."""
    apart = [Abs(k) for k in kinks if k != 0]
    if apart:
        return min(apart, key=_number)
    rates = [r for p in pieces for r in _rates(p).values()]
    return 1 / max(rates, key=_number) if rates else Integer(1)


def _cuts(
    found: tuple[Cell, ...], pieces: tuple[TermSum, ...]
) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """Centres inside the cells where s is no polynomial; those and all other ends of panels."""
    centres: dict[Expr, None] = {}
    cuts: dict[Expr, None] = {}
    for cell, piece in zip(found, pieces, strict=True):
        ends = [e.expr for e in cell if e is not None]
        for centre, rate in sorted(_rates(piece).items(), key=str):
            bell = centre != oo
            if bell and _within(centre, cell):
                centres[centre] = None
            for at in [*ends, centre] if bell else ends:
                for step in LADDER if bell else STEPS:
                    for side in (-1, 1):
                        place = at + side * Rational(step) / rate
                        if _within(place, cell):
                            cuts[place] = None
    return tuple(centres), tuple(centres | cuts)


def _within(place: Expr, cell: Cell) -> bool:
    low, high = cell
    at = _number(place)
    return (low is None or at > _number(low.expr)) and (high is None or at < _number(high.expr))


# -- where it is used ------------------------------------------------------------------------------


def bin_ends(k: int) -> tuple[float, float]:
    """The variances of a bin, in squares of the unit; half as large again where large is hard."""
    low = 8.0 ** (k - BINS // 2) / 2
    return low, (8 if k < BINS // 2 else 12) * low


def _tables(exprs: tuple[Expr, ...], covered: Covered, unit: float) -> Any:
    """Flags by bins of the two variances, judged by their corners, and of one for the diagonals."""
    value, dot, diag, diag_dot = map(_plain, exprs)
    infinite = diag_dot in (oo, zoo)
    places = [_places(k, covered.small, unit) for k in range(BINS)]
    own = _Weigher((diag, Integer(0) if infinite else diag_dot), ("q",))
    sides = {v: own.at({"q": v}) for row in places for v in row}
    both = _Weigher((value, dot), ("q11", "q12", "q22"))

    @lru_cache(maxsize=256)
    def corner(a: float, c: float) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        terms = both.weights({"q11": a, "q12": (a * c) ** 0.5 / 3, "q22": c})
        size = abs(sides[a][0] * sides[c][0]) ** 0.5
        slope = abs(sides[a][1] * sides[c][1]) ** 0.5
        return terms, (size, size / (a * c) ** 0.5 if infinite else slope)

    tables: list[list[int]] = [[], []]
    for i in range(BINS):
        for j in range(BINS):
            if j < i:
                for table in tables:
                    table.append(table[j * BINS + i])
                continue
            far = bin_ends(i)[0] * unit >= covered.large  # the whole bin
            alike = i >= BINS // 2 - 1 and j - i <= 2 and not far
            marks = [0, 0]
            found = [(min(a, c), *corner(a, c)) for a in places[i] for c in places[j] if a <= c]
            known = [any(z[n] > LEAST for _, _, z in found) for n in range(2)]
            compiled = LOST_USUAL if i <= BINS // 2 + 2 else LOST
            for lost, kind in ((compiled, 3), (LOST_LARGE, 1)) if alike else ((LOST, 1),):
                kind = 2 if far else kind
                for least, terms, sizes in found:
                    bad = [z < t / lost for t, z in zip(terms, sizes, strict=True)]
                    if known[0] and bad[0] and (bad[1] or least >= covered.small):
                        marks[0] = kind
                    marks[1] = kind if known[1] and bad[1] else marks[1]
            for table, mark in zip(tables, marks, strict=True):
                table.append(mark)
    ends: list[list[int]] = [[], []]
    for i, row in enumerate(places):
        lost = LOST if abs(i - BINS // 2) > 1 else 4 * LOST  # values of data
        found = [(v, own.weights({"q": v}), tuple(map(abs, sides[v]))) for v in row]
        far = bin_ends(i)[0] * unit >= covered.large
        left = not tables[0][i * BINS + i]  # to the integral of the derivative, where that is
        for n, never in enumerate((far, far or infinite)):
            bad = [
                z[n] < t[n] / lost and not (n == 0 and left and v < covered.small)
                for v, t, z in found
            ]
            ends[n].append(int(not never and any(bad) and any(z[n] > LEAST for _, _, z in found)))
    return (*map(tuple, tables), *map(tuple, ends))


def _places(k: int, small: float, unit: float) -> tuple[float, ...]:
    """The ends of a bin, and where the integral of the derivative ends inside it."""
    low, high = (v * unit for v in bin_ends(k))
    return (low, small, high) if low < small < high else (low, high)


class _Weigher:
    """Expressions, and what the rounding errors of their terms are proportional to."""

    def __init__(self, exprs: tuple[Expr, ...], names: tuple[str, ...]) -> None:
        from mpmath import MPContext

        self._ctx, self._rough = MPContext(), MPContext()
        self._ctx.dps, self._rough.dps = _DPS, _ROUGH
        b = Builder(names)
        self._exact = None
        if len(names) == 1:
            ends = tuple((f"e{k}", b.operand(e)) for k, e in enumerate(exprs))
            self._exact = b.program("exact", ends)
        w = Builder(names)
        sums = tuple((f"w{k}", _weight(w, e)) for k, e in enumerate(exprs))
        self._sums = w.program("weights", sums)

    def at(self, point: dict[str, float]) -> tuple[Any, ...]:
        """The values."""
        assert self._exact is not None
        return tuple(self._exact.evaluate(point, self._ctx).values())

    def weights(self, point: dict[str, float]) -> tuple[Any, ...]:
        """The sums of the sizes of the terms."""
        return tuple(self._sums.evaluate(point, self._rough).values())


def _weight(b: Builder, e: Expr) -> Operand:
    """The sum of the sizes of the terms, times the exponents, which round too.

    Phi2 is formed from numbers of the size of the larger gate, exp times Phi2 from its own.
    """
    total: Operand = Fraction(0)
    for term in Add.make_args(e):
        factors = Mul.make_args(term)
        alone = not any(isinstance(f, exp) for f in factors)
        sized = b.emit("abs", b.operand(_gated(b, term, alone)))
        grown = [f.args[0] for f in factors if isinstance(f, exp) and f.has(*_ENTRIES)]
        if grown:
            exponents: Operand = Fraction(1)
            for a in grown:
                size = b.emit("mul", b.emit("abs", b.operand(a)), Fraction(1, 8))
                exponents = b.emit("add", exponents, size)
            sized = b.emit("mul", sized, exponents)
        total = b.emit("add", total, sized)
    return total


_ENTRIES = (S.q11, S.q22, S.q)


def _gated(b: Builder, term: Expr, alone: bool) -> Expr:
    """The term with symbols for Phi2, for each of which a line of the builder stands.

    With an exponential it is one gate times the other given the first at its end: right in tails.
    """
    stands: dict[Basic, Basic] = {}
    for gate in sorted(term.atoms(Phi2), key=default_sort_key):
        h, k, r = gate.args
        one, two = b.operand(h), b.operand(k)
        low, high = b.emit("min", one, two), b.emit("max", one, two)
        if alone:
            value = b.emit("Phi", b.emit("neg", b.emit("abs", high)))
        else:
            given = b.emit("sub", high, b.emit("mul", b.operand(r), low))
            given = b.emit("div", given, b.operand(sqrt(1 - r**2)))
            value = b.emit("mul", b.emit("Phi", low), b.emit("Phi", given))
        stands[gate] = Dummy()
        b.replace(stands[gate], value)
    return term.xreplace(stands)
