r"""Straight ends: where s is all but a straight line, the line takes its place.

Intervals shrink towards a singularity in the complex plane and grow with the distance from it, so
that a rule for variances of $10^4$ has twenty of them for an s that is $x$ or $0$ beyond
$|x| = 30$.  With lines there it has as many for all variances, and little is left to evaluate.
What the lines change is bounded (`derivations/identities/quadrature.md`, section 11).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from sympy import Expr, Integer, Rational

from ...symbols import x
from ..patience import check
from .scale import least_square
from .subject import BITS, Curve, Growth, Subject, grown
from .tails import outside

WIDE = 50
"""Straight ends of smooth s are looked for where every rule goes up to such a variance: below it
there are cheap trapezoid rules, which lines would rule out."""
STARTS = (8, 12, 16, 24, 32, 40, 48, 64, 96, 128)
"""Where lines may begin."""
FAR = 4
"""The reach of the widest rule is so many times as far at least: otherwise little is gained."""
_SHARE = 1 / 16
"""What lines may take of the error."""
_LONG = 24
"""Lines are compared with s up to so many standard deviations."""
_DEPTH = 12
_FINE = 160


@dataclass(frozen=True, slots=True)
class Flat:
    """A subject with straight ends, and what that changes.

    Attributes:
        subject: with kinks where the lines begin; its expression is that of s.
        lost: bounds (`arb`) of the change of E[s(u)s(v)] and of E[s'(u)s'(v)].
    """

    subject: Subject
    lost: tuple[Any, Any]


def straight_ends(
    subject: Subject, low: Fraction, tops: list[Fraction], error: float
) -> Flat | None:
    """Those for rules up to all the variances `tops`, None where they are not known to serve.

    `low` is the least variance, `error` what the rules are asked for: lines take a part of it.
    """
    from flint import arb

    from ...precision import precision

    if not low > 0 or (subject.smooth and tops[-1] < WIDE):
        return None
    with precision(BITS):
        scales = [least_square(c, low, tops[0]) for c in (subject.value, subject.slope)]
        goals = [(arb(error) * s * _SHARE).lower() for s in scales]
    if not all(g > 0 for g in goals):
        return None
    return flattened(subject, tops[0], (goals[0], goals[1]))


def flattened(subject: Subject, top: Any, goals: tuple[Any, Any]) -> Flat | None:
    """Straight ends as near to 0 as the goals allow, None where there are none or they are far.

    `top` is the largest variance; `lost` stays below the goals (`arb`), for all variances.
    """
    from flint import arb

    from ...precision import precision
    from .lattice import deviation

    if subject.singular:
        return None
    with precision(_FINE):
        dev = deviation(top)
        ends = [p.ends() for p in subject.value.pieces]
        middle = max((abs(e) for pair in ends for e in pair if e is not None), default=arb(0))
        for start in STARTS:
            check()
            if not (arb(start) > middle and dev * 8 > FAR * start):
                continue
            sides = [_side(subject, sign, start, dev, goals) for sign in (-1, 1)]
            if None in sides:
                continue
            found = _changed(subject, start, sides, dev)
            if all(lost < goal for lost, goal in zip(found.lost, goals, strict=True)):
                return found
    return None


@dataclass(frozen=True, slots=True)
class _Side:
    """The line a x + c, and how far s and s' are from it beyond the start (`arb`)."""

    line: Expr
    steep: Expr
    off: tuple[Any, Any]


def _side(
    subject: Subject, sign: int, start: int, dev: Any, goals: tuple[Any, Any]
) -> _Side | None:
    """The line of one side, None where s' does not settle."""
    from flint import acb, arb

    from ...verify.evaluate import function

    at = 0 if sign < 0 else -1
    value, slope = (function(c.pieces[at].expr, x) for c in (subject.value, subject.slope))
    end = (_LONG * dev).upper()
    last = acb(sign * end.mid())
    steep, height = slope(last, False).real, value(last, False).real
    if not (steep.is_finite() and height.is_finite()):
        return None
    a = _number(steep, goals[1])
    c = _number(height - last.real * _ball(a), goals[0])
    size = 1 + abs(steep).upper() * dev
    small = ((goals[0] / size).min(goals[1] / (1 + abs(steep))) / 16).lower()  # it falls on
    found = _settles(slope, sign, (arb(start), end.mid()), _ball(a), small)
    if found is None:
        return None
    far, total = found
    off = abs(height - _ball(a) * last.real - _ball(c)).upper() + total
    return _Side(a * x + c, a, (off.upper(), far))


def _number(value: Any, goal: Any) -> Any:
    """About the value, as an exact number; 0 where it is nothing beside the goal."""
    if abs(value) < goal * 2.0**-30:
        return Integer(0)
    return Rational(*float(value.mid()).as_integer_ratio())


def _settles(
    slope: Any, sign: int, span: tuple[Any, Any], steep: Any, small: Any
) -> tuple[Any, Any] | None:
    """The supremum of |s' - a| on a side and a bound of its integral; None if it is not small."""
    from flint import acb, arb

    most, total = arb(0), arb(0)
    left, todo = span[0], []
    while left < span[1]:  # longer and longer tiles
        right = (left * arb(1.25)).min(span[1]).mid()
        todo.append((left, right, _DEPTH))
        left = right
    while todo:
        check()
        left, right, depth = todo.pop(0)
        gap = abs(slope(acb(sign * left.union(right)), False).real - steep)
        if gap.is_finite() and gap.upper() <= small:
            most = most.max(gap.upper())
            total += (right - left) * gap.upper()
            continue
        middle = ((left + right) / 2).mid()
        point = abs(slope(acb(sign * middle), False).real - steep)
        if depth == 0 or not point.is_finite() or point.lower() > small:
            return None
        todo[:0] = [(left, middle, depth - 1), (middle, right, depth - 1)]
    return most, total.upper()


def _changed(subject: Subject, start: int, sides: list[Any], dev: Any) -> Flat:
    """The subject with both lines, and what they change."""
    curves = []
    lines = [(side.line, side.steep) for side in sides]
    for k, curve in enumerate((subject.value, subject.slope)):
        pieces = list(curve.pieces)
        first, last = pieces[0], pieces[-1]
        pieces[0] = replace(pieces[0], lo=Integer(-start))
        pieces[-1] = replace(pieces[-1], hi=Integer(start))
        left = replace(first, lo=None, hi=Integer(-start), expr=lines[0][k])
        right = replace(last, lo=Integer(start), hi=None, expr=lines[1][k])
        curves.append((left, *pieces, right))
    kinks = (Integer(-start), *subject.kinks, Integer(start))
    pairs = zip((subject.value, subject.slope), curves, strict=True)
    made = [Curve(pieces, _larger(old.growth, pieces[0], pieces[-1])) for old, pieces in pairs]
    even = subject.even and _mirrored(lines[0][0], lines[1][0])
    flat = replace(subject, value=made[0], slope=made[1], kinks=kinks, even=even)
    both = zip((subject.value, subject.slope), made, strict=True)
    lost = [
        _lost(old, new, dev, max((side.off[k] for side in sides), key=float))
        for k, (old, new) in enumerate(both)
    ]
    return Flat(flat, (lost[0], lost[1]))


def _mirrored(left: Expr, right: Expr) -> bool:
    """Whether lines on both sides are one function that is even or odd, exactly."""
    return left.xreplace({x: -x}) in (right, -right)


def _larger(known: Growth | None, *lines: Any) -> Growth | None:
    """A certificate of s that holds for the lines too."""
    added = grown(lines)
    if known is None or added is None:
        return None
    pairs = ((known.c, added.c), (known.b, added.b), (known.a, added.a))
    c, b, a = (max(pair) for pair in pairs)
    return Growth(c, max(known.k, added.k), b, a)


def _lost(old: Curve, new: Curve, dev: Any, off: Any) -> Any:
    """A bound of |E[s(u)s(v)] - E[t(u)t(v)]|: 2 |s - t| |t| + |s - t|^2 in the norms of L^2."""
    beyond = outside(old.growth, dev, _ball(Integer(_LONG)), dev * 0)
    beyond = 2 * (beyond + outside(new.growth, dev, _ball(Integer(_LONG)), dev * 0))
    gap = (off * off + beyond).sqrt()
    whole = _norm(new, dev)
    return (gap * (2 * whole + gap)).upper()


def _norm(curve: Curve, dev: Any) -> Any:
    """A bound of E[t(u)^2]^(1/2) for u of every variance up to the square of dev."""
    from flint import acb, arb

    from ...verify.evaluate import function
    from .intervals import largest

    total = arb(0)
    for piece in curve.pieces[1:-1]:
        total = total.max(largest(function(piece.expr, x), piece.ends()))
    for piece in (curve.pieces[0], curve.pieces[-1]):
        line = function(piece.expr, x)
        height = line(acb(0), False).real
        total += abs(height) + abs(line(acb(1), False).real - height) * dev
    return total.upper()


def _ball(number: Any) -> Any:
    from flint import arb

    return arb(int(number.p)) / int(number.q)
