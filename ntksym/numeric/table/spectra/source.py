"""One dual, enclosed at enough variances and with enough Hermite coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, exp, log, log2, sqrt
from typing import Any

from sympy import Expr

from ....errors import Undecided
from ...series.tail import foretold
from ..fit import worst_tail
from ..variable import lebesgue
from ..variances import Axis, interpolation
from .norms import second_moment
from .spectrum import Shape, Spectrum, shape_of, spectra

FIRST = 159
MOST = 16383
_ROUGH = 48
_STEP = 16
_LEAP = 4.0
"""Decay is not trusted further: so many times the coefficients that show it."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Start:
    """What is known of one dual before it is enclosed: scales, and the nodes its range needs.

    Attributes:
        shape: the function.
        weighted: whether it is stored divided by sqrt(q11 q22).
        count: how many variances its range needs.
        between: what interpolation in the variance can add.
        least: about the least E[s(u)^2], as it is stored.
        bits: of the coefficients.
        gap: what interpolation in the variance can be off in L^2.
        most: a bound of the L^2 norm on the range.
    """

    shape: Shape
    weighted: bool
    count: int
    between: Any
    least: Any
    bits: int
    gap: Any = None
    most: Any = None

    @property
    def what(self) -> str:
        """Its name in messages."""
        return "derivative dual" if self.shape.slope else "dual"


@dataclass(frozen=True, slots=True)
class Source:
    """One dual, enclosed at enough variances: what both its sides are fitted to.

    Attributes:
        spectra: at the nodes, in the order of the Chebyshev points.
        between: what interpolation in the variance can add.
        least: about the least E[s(u)^2], as it is stored.
        terms: how many Hermite coefficients were asked for.
        bits: of the coefficients.
        is_zero: whether it is 0 everywhere; bounds are then of no size, and `least` is 1.
    """

    spectra: list[Spectrum]
    between: Any
    least: Any
    terms: int
    bits: int
    is_zero: bool = False


def bits_for(shape: Shape, error: float) -> int:
    """Where a kink is, what is left of one of the two Parseval sums has to be below error^2."""
    wanted = log2(1 / error)
    return ceil((2 * wanted if shape.kinks else wanted) + 64)


@lru_cache(maxsize=32)
def shape(expr: Expr, slope: bool, bits: int) -> Shape:
    """`spectrum.shape_of`, kept: an estimate of the work comes before the work."""
    return shape_of(expr, slope=slope, bits=bits)


@lru_cache(maxsize=64)
def start(shape: Shape, axis: Axis, error: float, weighted: bool) -> Start:
    """Scales and the number of variances, kept.

    Raises:
        Undecided: no relative bound, or no interpolation in the variance.
    """
    from flint import arb

    from ...arith import ball

    def norm(q: Fraction) -> Any:
        found = second_moment(shape.pieces, q, _ROUGH)
        return found / ball(q) if weighted else found

    bits = bits_for(shape, error)
    found = Start(shape, weighted, 1, arb(0), arb(0), bits)
    if not axis.half and _is_zero(shape):
        return Start(shape, weighted, 1, arb(0), arb(1), bits)
    norms = [norm(Fraction(q)) for q in [axis.low, axis.high][: 2 if axis.half else 1]]
    smallest = min(n.lower() for n in norms)
    largest = max(n.upper() for n in norms)
    if not smallest > 0:
        raise Undecided(f"the {found.what} vanishes at a variance: no relative bound")
    if not axis.half:
        return Start(shape, weighted, 1, arb(0), smallest, bits)
    goal = (arb(error) * smallest / (16 * largest.sqrt())).lower()
    if any(place != 0 for place, _ in shape.kinks):
        raise Undecided(
            f"the {found.what} has kinks away from 0: tables of a range of variances need "
            "functions that are analytic in the variance",
            hint="a table for one variance, or another method",
        )
    count, gap, most = interpolation(shape, axis, goal, weighted)
    # E[s(u)^2] of q is at most sqrt(high/q) times that of high: so are the densities
    spread = ball(Fraction(axis.high)) / ball(Fraction(axis.low))
    bound = norms[-1] * spread.sqrt() * (spread if weighted else 1)
    most = most.min(bound.sqrt().upper()).upper()
    between = (gap * (2 * most + gap)).upper()
    return Start(shape, weighted, count, between, smallest, bits, gap, most)


def source(given: Start, nodes: tuple[Fraction, ...], terms: int, error: float, say: Say) -> Source:
    """The spectra at `nodes`; `terms` is the number of coefficients that is tried first.

    Raises:
        Undecided: `MOST` coefficients leave too much.
    """
    from flint import arb

    if _is_zero(given.shape):
        none = arb(0)
        nothing = Spectrum((), (), (), (none,) * terms, none, none)
        return Source([nothing] * len(nodes), none, given.least, terms, given.bits, is_zero=True)
    found, terms, goal = enough(given, nodes, terms, error, say)
    kept = _shortest(found, goal * 0.999)
    short = [s.first(kept) for s in found]
    return Source(short, given.between, given.least, terms, given.bits)


def _is_zero(shape: Shape) -> bool:
    """Whether it is 0 off the kinks: the slope of steps."""
    return all(piece.expr == 0 for piece in shape.pieces)


def enough(
    given: Start, nodes: tuple[Fraction, ...], terms: int, error: float, say: Say
) -> tuple[list[Spectrum], int, float]:
    """`(spectra, coefficients, goal)`: with at least `terms`, and a tail below the goal.

    Raises: as `source`.
    """
    from flint import arb

    goal = (arb(error) * given.least / 8).lower()
    scale = lebesgue(len(nodes)) ** 2
    while True:
        found = spectra(given.shape, nodes, terms, given.bits, given.weighted)
        tail = (worst_tail(found) * scale).upper()
        say(
            f"{given.what}: {len(nodes)} variances, {terms} coefficients leave "
            f"{float(tail / given.least):.1e}"
        )
        if tail < goal:
            break
        if terms >= MOST:
            raise _too_few(given, float(tail / given.least), error)
        terms = min(MOST, _more(found, terms, float((goal / scale).lower())))
    return found, terms, float((goal / scale).lower())


def expected(given: Start, count: int, high: float, error: float, say: Say) -> int:
    """How many coefficients `count` variances up to `high` are likely to need, from `high` alone.

    At least `FIRST // 2`: with fewer, how they decay is not seen.  The looks are those of an
    estimate of the work (`cost.table_cost`), whose coefficients are kept.

    Raises:
        Undecided: `MOST` coefficients leave too much there.
    """
    from flint import arb

    scale = lebesgue(count) ** 2
    goal = float((arb(error) * given.least / (8 * scale)).lower())
    terms = FIRST
    while True:
        found = spectra(given.shape, (Fraction(high),), terms, given.bits, given.weighted)
        guess = predicted(found, terms, goal)
        if guess <= min(_LEAP * terms, MOST):
            return max(guess, FIRST // 2) | 15
        left = float(worst_tail(found) * scale / given.least)
        say(f"{given.what}: {terms} coefficients of the largest variance leave {left:.1e}")
        if terms >= MOST:
            raise _too_few(given, left, error)
        terms = min(int(_LEAP * terms), guess, MOST)


def _too_few(given: Start, left: float, error: float) -> Undecided:
    return Undecided(
        f"the {given.what}: {MOST} Hermite coefficients leave {left:.1e}, not {error:.1e}",
        hint="smaller variances, or a larger error",
    )


def _tails(found: list[Spectrum]) -> list[float]:
    """About the tail of the worst pair after the first n coefficients, n = 0, 1, ..."""
    import numpy as np

    worst = np.zeros(len(found[0].series) + 1)
    for s in found:
        tail, kink = (
            rests(v, float(e)) for v, e in zip(s.sizes, (s.left, s.kink_left), strict=True)
        )
        worst = np.maximum(worst, tail + 2 * np.sqrt(tail * kink) if s.kink else tail)
    out: list[float] = worst.tolist()
    return out


def rests(sizes: Any, left: float) -> Any:
    """What is left of a Parseval sum after n coefficients of these sizes, n = 0, 1, ..."""
    import numpy as np

    return np.cumsum([left, *(sizes * sizes)[::-1]])[::-1]


def predicted(found: list[Spectrum], terms: int, goal: float) -> int:
    """How many coefficients are likely to do, from the decay of those that are there."""
    tails = _tails(found[:1])
    if tails[terms] <= goal:
        return _shortest(found[:1], goal)
    return extrapolated(terms, tails[terms // 2], tails[terms], goal, bool(found[0].kink))


def extrapolated(terms: int, before: float, now: float, goal: float, kinked: bool) -> int:
    """How many coefficients are likely to leave `goal`: `terms` leave `now`, half as many `before`.

    With `kinked` those of a kink are among them.
    """
    gain = log(before / now) if before > now else 0.0
    if not gain > 0.05 or not goal > 0:
        return 100 * terms
    wanted = log(now / goal)
    power = min(wanted * log(2) / gain, 5.0)  # n^-p
    root = min(wanted / gain * (1 - sqrt(0.5)), 10.0)  # exp(-c sqrt n)
    if not kinked:
        return int(1.1 * terms * (1 + root) ** 2)
    return int(1.22 * terms * exp(power / 2) * (1 + root))  # between: decay slows down in time


def foreseen(found: list[Spectrum], terms: int, goal: float, rate: float) -> float:
    """The same without kinks, where singularities are known to leave e^(-rate sqrt n) in the end.

    As `series.tail.foretold`.
    """
    tails = _tails(found[:1])
    if not min(tails[terms], goal) > 0:
        return terms
    return foretold(terms, log(tails[terms // 2] / tails[terms]), log(tails[terms] / goal), rate)


def _more(found: list[Spectrum], terms: int, goal: float) -> int:
    guess = predicted(found, terms, goal)
    return int(min(max(guess, 1.25 * terms), _LEAP * terms)) | 15


def _shortest(found: list[Spectrum], goal: float) -> int:
    tails = _tails(found)
    last = len(tails) - 1
    return next((n for n in range(_STEP, last, _STEP) if tails[n] < goal), last)
