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
from functools import lru_cache
from math import inf, lgamma, log

from sympy import (
    Abs,
    Expr,
    Integer,
    Rational,
    oo,
    sqrt,
)

from ..activation import Activation
from ..derivation import Derivation
from ..dual import Dual, dual
from ..errors import NtksymError
from ..terms import TermSum
from ..terms.cells import Cell, cells, inside
from .build import Builder
from .closed_rows import closed_rows
from .direct_where import (
    BINS,
    COMPILED,
    Covered,
    bin_ends,
    infinite,
    moved_most,
    numbers_for,
    plain,
    tables,
)
from .far import settled
from .near_zero import piece_value
from .program import Operand, Program
from .splines import spline_power

STEPS = (3.5, 8.0, 18.0, 40.0)
"""Ends of panels away from a kink, in lengths on which s changes by a factor e."""
LADDER = (2.5, 5.2, 9.1)
"""The same away from the centre of a bell or of a smooth step, in its standard deviations."""
TAIL, TAIL_STEPS = 4.0, (2.5, 8.0, 19.0, 42.0)
"""The same away from a kink that is in the tail of the other input, so many of its standard
deviations from where s is not zero: in lengths on which density and mean fall by a factor e."""
BY_PARTS = 1.0
"""Of the longest length on which s falls: at larger deviations its derivative is by parts, which
divides by their square what is nearly 0 at smaller ones."""
MOST, MOST_KINKS = 52, 12
"""More ends of panels, and more kinks, than this are not worth it."""


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
            two variances; and their diagonals, BINS marks.  0 is never, 1 where the rule for large
            variances does not hold, 2 the same in bins where only nearly parallel inputs are such,
            3 as 1, in compiled code.
        start: of that rule, see `Far.start`; infinite where there is none.
        least: the same, see `Far.least`.
        dies: where s jumps and tends to 0 on both sides, the conditional deviation, in units, from
            which its derivative is integrated by parts: the parts cancel there.  Infinite for
            other s.
        far: how far into a tail something counts, see `_far`.
        grow: s is at most a polynomial times exp(grow*|x|).
        widest: standard deviations of both inputs together at which that is still integrated.
        spline: the degree of s as a spline, -1 for none: see `splines`.
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
    start: float
    least: float
    dies: float
    far: float
    grow: float
    widest: float
    spline: int

    @property
    def programs(self) -> tuple[Program, ...]:
        """As in `Inner`."""
        return (self.point, self.marks)

    def span(self) -> tuple[float, float]:
        """Between which variances NumPy never uses it for a pair; nothing with parameters."""
        if len(self.point.args) > 1:
            return inf, 0.0
        clean = [
            [
                all(t[min(i, j) * BINS + max(i, j)] in (0, COMPILED) for t in self.used[:2])
                for j in range(BINS)
            ]
            for i in range(BINS)
        ]
        runs = [(0, -1)]
        for i in range(BINS):
            j = i
            while j < BINS and all(clean[k][j] for k in range(i, j + 1)):
                j += 1
            runs.append((i, j - 1))
        first, last = max(runs, key=lambda run: run[1] - run[0])
        if last < first:
            return inf, 0.0
        unit = float(self.marks.evaluate({})["unit"]) ** 2
        return bin_ends(first)[0] * unit, bin_ends(last)[1] * unit

    def always(self, small: float) -> float:
        """The variance from which every pair with a smaller one than `small` is integrated.

        Infinite where there is none, and where that depends on parameters or on both variances.
        """
        if len(self.point.args) > 1 or self.grow:
            return inf
        unit = float(self.marks.evaluate({})["unit"]) ** 2
        first = BINS
        rows = [i for i in range(BINS) if bin_ends(i)[0] * unit < small]
        while first and all(self.used[0][i * BINS + first - 1] == 1 for i in rows):
            first -= 1
        return bin_ends(first)[0] * unit if first < BINS else inf

    def digest(self) -> str:
        """SHA-256 of the programs and the tables, in hexadecimal."""
        programs = f"{self.point.digest()} {self.marks.digest()}"
        text = (
            f"{programs} {self.live} {self.groups} {self.used} {self.least.hex()} {self.dies.hex()}"
        )
        text += f" {self.start.hex()} {self.far} {self.grow} {self.widest} {self.spline}"
        return hashlib.sha256(text.encode()).hexdigest()


def direct_rule(d: Dual, covered: Covered) -> Direct | None:
    """The rule of a dual; None where the closed form is good, or s has no such rule.

    It has none where s waves or grows like a bell's reciprocal, or like an exponential of a
    parameter, or where the order of kinks is not known.
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
    limits = [settled(p, side) for p, side in ends]
    grow = max(map(_growth, limits, (p for p, _ in ends)))
    if any(not _real(p) for p in pieces) or grow == inf:
        return None
    if len(found) > MOST_KINKS or (len(found) == 1 and not _shifted(pieces[0])):
        return None  # entire about 0: nothing that other rules do not take
    kinks = [c[1].expr for c in found if c[1] is not None]
    unit = _unit(kinks, pieces)
    square = float(plain(unit)) ** 2
    most = _moved_most(act, kinks, pieces, grow)
    slopes = tuple(p.derivative()[0] for p in pieces)
    spline = spline_power(found, pieces)
    mass = spline == 1 and _one_sign(slopes)
    used = tables(_judged(act, exprs), covered, square, infinite(exprs[3]), grow, most, mass)
    if not any(any(t) for t in used):
        return None
    centres, cuts = _cuts(found, pieces)
    if len(cuts) > MOST:
        return None
    _, jumps = d.slope
    heights = [next((h.expr for k, h in jumps.items() if k.expr == e), Integer(0)) for e in kinks]
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
    ends_of = tuple((n, _piecewise(b, found, p)) for n, p in (("v", pieces), ("d", slopes)))
    point = b.program("point", ends_of)
    live = tuple(bool(p) for p in pieces), tuple(bool(p) for p in slopes)
    counts = len(kinks), len(cuts), len(centres)
    dies = bool(jumps) and all(limit is not None and not limit for limit in limits)
    lengths = [_number(1 / r) for p in pieces for _, r in _rates(p)]
    parted = BY_PARTS * max(lengths, default=_number(unit)) / _number(unit) if dies else inf
    reach = _far(max(k.power for p in pieces for k in p.terms))
    start, least, jump = float(covered.large**0.5), covered.least, bool(jumps)
    return Direct(
        point,
        marks,
        *counts,
        groups,
        degree,
        live,
        jump,
        used,
        start,
        least,
        parted,
        reach,
        grow,
        most / grow if grow else inf,
        spline,
    )


def _one_sign(steps: tuple[TermSum, ...]) -> bool:
    """Whether constants have one sign, and no parameters."""
    numbers = [p.expr for p in steps]
    if not all(e.is_number for e in numbers):
        return False
    return bool(min(numbers) >= 0 or max(numbers) <= 0)


def _judged(act: Activation, exprs: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """The expressions of the tables: with numbers for parameters, jumps may be none.

    Then the derivative has a size of its own on the diagonal, which in the tail of a kink is far
    below that of one with a jump.
    """
    if not act.params:
        return exprs
    try:
        d = dual(act.with_params(**numbers_for(act.params)))
    except NtksymError:
        return exprs
    return d.value, d.dot, d.diag, d.diag_dot


def _shifted(f: TermSum) -> bool:
    """Whether some bell or smooth step is not about 0."""
    return any(centre not in (0, oo) for centre, _ in _rates(f))


def _growth(limit: TermSum | None, f: TermSum) -> float:
    """The rate at which a piece grows that has no limit; infinite where that is not known."""
    if limit is not None:
        return 0.0
    flat = all(not k.tilt or k.tilt.sample_sign() > 0 for k in f.terms)
    rates = [k.shift.expr for k in f.terms if k.shift and not k.tilt]
    if not flat or not all(r.is_number and r.is_real for r in rates):
        return inf
    return max((abs(float(r)) for r in rates), default=inf)


def _moved_most(
    act: Activation, kinks: list[Expr], pieces: tuple[TermSum, ...], grow: float
) -> float:
    """How far exponentials may move the density, see `moved_most`."""
    gated = any(k.tilt or k.gates for p in pieces for k in p.terms)
    if act.params or gated:
        return moved_most(inf)
    return moved_most(grow * max((abs(float(k)) for k in kinks), default=0.0))


def _real(f: TermSum) -> bool:
    numbers = (
        z for k in f.terms for z in (k.tilt, k.shift, k.const, *(a for g in k.gates for a in g))
    )
    return all(not z or z.expr.is_real for z in numbers)


def _piecewise(b: Builder, found: tuple[Cell, ...], pieces: tuple[TermSum, ...]) -> Operand:
    """The value of the piece that x is in, as nested choices."""
    *others, value = (
        piece_value(b, piece, _beside_zero(cell)) for cell, piece in zip(found, pieces, strict=True)
    )
    for (_, kink), other in zip(reversed(found[:-1]), reversed(others), strict=True):
        assert kink is not None
        value = b.emit("select", "x", b.operand(kink.expr), other, value)
    return value


def _beside_zero(cell: Cell) -> bool:
    """Whether 0 is inside, or an end."""
    low, high = (None if e is None else _number(e.expr) for e in cell)
    return (low is None or low <= 0.0) and (high is None or high >= 0.0)


def _far(power: int) -> float:
    r"""The square of how far into a tail something counts, in standard deviations, over its start.

    Beyond a kink where s is $y^n$, the density falls as $e^{-h}$, h being half of that, and what is
    left of $\int h^{2n} e^{-h}$ is less than $e^{-41} = 2^{-59}$ of all.
    """
    h = 41.0
    for _ in range(20):
        h = 41.0 + 2 * power * log(h) - lgamma(2 * power + 1)
    return round(2 * h, 1)


# -- panels ----------------------------------------------------------------------------------------


def _rates(f: TermSum) -> tuple[tuple[Expr, Expr], ...]:
    """Centres of what changes exponentially, each with the rate of the change; oo for the ends."""
    found: dict[Expr, Expr] = {}
    ends: dict[tuple[Expr, Expr], None] = {}
    for k in f.terms:
        if k.tilt:
            found[(k.shift / k.tilt).expr] = sqrt(Abs(k.tilt.expr))
        elif k.shift:
            ends[oo, Abs(k.shift.expr)] = None
        for a, c in k.gates:
            found[(-c / a).expr] = Abs(a.expr)
    return (*found.items(), *ends)


def _number(e: Expr) -> float:
    return float(plain(e))


def _unit(kinks: list[Expr], pieces: tuple[TermSum, ...]) -> Expr:
    """The length that variances are compared with: the nearest kink that is not 0, or 1/rate."""
    apart = [Abs(k) for k in kinks if k != 0]
    if apart:
        return min(apart, key=_number)
    rates = [r for p in pieces for _, r in _rates(p)]
    return 1 / max(rates, key=_number) if rates else Integer(1)


def _cuts(
    found: tuple[Cell, ...], pieces: tuple[TermSum, ...]
) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """Centres inside the cells where s is no polynomial; those and all other ends of panels."""
    centres: dict[Expr, None] = {}
    cuts: dict[Expr, None] = {}
    for cell, piece in zip(found, pieces, strict=True):
        ends = [e.expr for e in cell if e is not None]
        for centre, rate in sorted(_rates(piece), key=str):
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
