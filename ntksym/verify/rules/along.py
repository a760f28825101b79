r"""A rule for one variable: $\int f(m + dt)\,H(t)\varphi(t)\,dt$ for every H of a class at once.

The class is that of sums $H = \sum_n \rho^n b_n h_n$, $|b_n| \le S$, $h_n$ the normalised Hermite
polynomials: Mehler's formula bounds $|H\varphi|$ on ellipses (section 10 of the lemmas).  At
an end where f is not analytic the variable is $t = c \pm e^{-w}$.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Any

from flint import acb, arb
from sympy import Expr

from ...errors import NotSquareIntegrable, Undecided
from ...precision import precision
from ...symbols import x
from ..evaluate import function, real_ball
from ..functions.ends import DISTANCE, leading_power, near, odd_ends
from ..functions.growth import Growth, growth_clear, growth_of
from ..functions.pieces import Piece, number
from ..functions.ranges import as_arb
from ..functions.strips import COVER_BITS, ellipse
from ..functions.waves import radians
from ..law import Law, tail
from ..safe import Accumulating, Divergent
from .fewer import Smooth, fewer
from .gauss import nodes, panels

CRAMER = arb("1.0865")
"""|h_n(t)| <= 1.0865 exp(t^2/4): Cramer's inequality."""
MOST_NODES = 30_000
"""Before `fewer`: a power -2/3 alone takes 3000."""
_FAR = 400
_PLACES = 64
_MOST_RADIANS = 100
"""Waves that quicken without end take a panel for every few: beyond this a rule takes seconds."""
_STEP = Fraction(1, 1024)
"""Around a point where a function is infinite: there its integral is bounded, beside it itself."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Nodes with weights and values, and what is lost, for S = 1.

    Attributes:
        points: (t, weight * f); `rule` puts the density into the weight.
        error: of the integral against H with S = 1.
        mass: a bound of |E[f h_n]| for all n.
        lost: the same for the part of f beyond the length.
    """

    points: tuple[tuple[Any, Any], ...]
    error: Any
    mass: Any
    lost: Any


def rule(
    pieces: tuple[Piece, ...], mean: Any, var: Any, rho: Any, tol: Any, *, thin: bool = True
) -> Rule:
    """The rule for f at exact mean and variance, with an error of about `tol`; rho in (0, 1).

    With `thin` in as few nodes as the functions H need, which takes a moment.

    Raises:
        Undecided: no rule with a proven error was found.
    """
    length, lost = length_of(pieces, mean, var, tol)
    with precision(COVER_BITS):
        front = 1 / ((1 - rho).sqrt() * (1 - rho * rho).root(4) * (2 * arb.pi()).sqrt())
        kernel = Smooth(front, 2 * (1 - rho), 1 / (2 * (1 + rho)))
    line = Line(arb(mean), arb(var).sqrt(), kernel, tol / 64, arb(1) / 4, 4.0)
    found = between(line, pieces, -length, length, MOST_NODES)
    points, error = list(found.points), found.error
    if thin:
        points, moved = fewer(points, line.kernel, line.goal)
        error += moved
    root = (2 * arb.pi()).sqrt()
    weighted = tuple((t, w * (-t * t / 2).exp() / root) for t, w in points)
    return Rule(weighted, error.upper(), (found.mass + lost).upper(), lost)


@dataclass(frozen=True, slots=True)
class Line:
    """u = mean + dev t, and the bound of what f is integrated against: H times the density."""

    mean: Any
    dev: Any
    kernel: Smooth
    goal: Any
    step: Any
    """How far the substitution reaches from an end."""
    widest: float


def length_of(pieces: tuple[Piece, ...], mean: Any, var: Any, tol: Any) -> tuple[Any, Any]:
    """(L, bound of |E[f h_n; |X| > L]|): with Cramer's inequality a tail of twice the variance."""
    dev, centre = arb(var).sqrt(), abs(arb(mean))
    growth, reach, gone = growth_of(pieces), 4, arb(0)
    if not growth.c.is_finite():  # infinite somewhere: integrated there, or too far out to matter
        growth = growth_clear(pieces, _STEP)
        for c, _, expr in (end for piece in pieces for end in odd_ends(piece)):
            far = abs(number(c)).upper()
            mass = _mass_at(expr, (abs(number(c)) - centre - as_arb(_STEP)) / dev) / dev
            if mass < tol / 16:
                gone += mass
                continue
            while not (reach - 1) * dev > far + centre:
                reach += 1
                if reach > _FAR:
                    raise Undecided("a point where the activation is not smooth lies too far out")
    one = Growth(arb(1), 0, arb(0), arb(0))
    law = Law(mean, var * 0, 2 * var, var * 0, var * 0)
    while True:
        root = arb(2).sqrt()
        try:
            bound = CRAMER * root * tail(growth, one, law, reach / root)
        except NotSquareIntegrable:  # of the doubled variance: nothing is said about the mean
            raise Undecided("it grows too fast for a bound at twice the variance") from None
        if bound < tol:
            return arb(reach), (bound + gone).upper()
        if not bound.is_finite() or reach > _FAR:
            raise Undecided("no length of the integral makes its tail small")
        reach += 1


def _mass_at(expr: Expr, far: Any) -> Any:
    """A bound of the integral of |f h_n| within `_STEP` of an end, `far` deviations out."""
    step = as_arb(_STEP)
    found = near(expr, step)
    if found is None:
        return arb("inf")
    density = (-(far.max(arb(0)) ** 2) / 4).exp() / (2 * arb.pi()).sqrt()
    return CRAMER * density * found.mass(-step.log())


def between(
    line: Line, pieces: tuple[Piece, ...], first: Any, last: Any, most: float = inf
) -> Rule:
    """The rule for t in [first, last], the density not in its weights, of at most so many nodes."""
    points: list[tuple[Any, Any]] = []
    error, mass = arb(0), arb(0)
    for piece in pieces:
        lo, hi = piece.ends()
        left = first if lo is None else ((lo - line.mean) / line.dev).max(first)
        right = last if hi is None else ((hi - line.mean) / line.dev).min(last)
        if left >= right:
            continue
        way = _parts if left < right else _narrow
        for part in way(line, piece, left, right):
            points += part.points
            error += part.error
            mass += part.mass
            if len(points) > most:
                raise Undecided("the activation changes too fast for a certificate: too many nodes")
    return Rule(tuple(points), error, mass, arb(0))


def _narrow(line: Line, piece: Piece, left: Any, right: Any) -> list[Rule]:
    """No nodes, and a bound of the integral, where the ends of a piece are balls that overlap."""
    gap, hull = (right - left).upper(), left.union(right)
    size = abs(function(piece.expr, x)(acb(line.mean + line.dev * hull), False)).upper()
    if not size.is_finite():
        return [_beside(line, piece, hull, gap)]
    return [Rule((), size * gap * line.kernel.front, size * _mass(left, right), arb(0))]


def _beside(line: Line, piece: Piece, hull: Any, gap: Any) -> Rule:
    """The same where the function is infinite at an end.

    Raises:
        Undecided: no bound was found; with more digits the ends do not overlap.
    """
    delta = (gap * line.dev).upper()
    for c, _, expr in odd_ends(piece) if delta < 1 else ():
        bound = near(expr, delta) if hull.overlaps((number(c) - line.mean) / line.dev) else None
        if bound is not None:
            beyond = bound.mass(-delta.log()) / line.dev
            return Rule((), beyond * line.kernel.front, CRAMER * beyond, arb(0))
    raise Undecided(
        "two points where the activation is not smooth are too close for this precision"
    )


def _parts(line: Line, piece: Piece, left: Any, right: Any) -> list[Rule]:
    """The rules for the two ends of a piece, where it is not analytic there, and between."""
    out = []
    lo, hi = piece.ends()
    width = (right - left).lower()
    for _, side, expr in odd_ends(piece):
        end, bound = (left, lo) if side > 0 else (right, hi)
        if not (abs((bound - line.mean) / line.dev - end) < arb(2) ** -40):
            continue  # cut off by the length
        step = (width / 4).min(line.step).mid()
        out.append(_end(line, expr, side, (bound - line.mean) / line.dev, step))
        if side > 0:
            left = (left + step).mid()
            out[-1] = _closed(line, out[-1], piece, left, (bound - line.mean) / line.dev + step)
        else:
            right = (right - step).mid()
            out[-1] = _closed(line, out[-1], piece, right, (bound - line.mean) / line.dev - step)
    out.append(_middle(line, piece, left, right))
    return out


def _closed(line: Line, found: Rule, piece: Piece, cut: Any, end: Any) -> Rule:
    """The same, with what lies between a cut and the end of the substitution, where they differ."""
    gap = abs(cut - end).upper()
    if gap == 0:
        return found
    hull = cut.union(end)
    size = abs(function(piece.expr, x)(acb(line.mean + line.dev * hull), False)).upper() * gap
    return Rule(found.points, found.error + size * line.kernel.front, found.mass + size, found.lost)


def _middle(line: Line, piece: Piece, left: Any, right: Any) -> Rule:
    func = function(piece.expr, x)
    sizes: dict[tuple[float, float], Any] = {}

    def bound(a: Any, b: Any, semi: Any, height: Any) -> Any:
        c = (a + b) / 2
        with precision(COVER_BITS):
            size = ellipse(func, line.mean + line.dev * c, line.dev * semi, line.dev * height)
            if size is None:
                return None
            sizes.setdefault((float(a.mid()), float(b.mid())), size)
            return size * line.kernel.at(height, distance(c - semi, c + semi))

    def quiet(a: Any, b: Any) -> Any:
        with precision(COVER_BITS):
            size = abs(func(acb(line.mean + line.dev * a.union(b)), False)).upper()
            lost = (size * (b - a) * line.kernel.at(arb(0), distance(a, b))).upper()
            if lost < line.goal:
                sizes[float(a.mid()), float(b.mid())] = size
            return lost

    found = panels([(left, right)], bound, line.goal, line.widest, quiet)
    points, error, mass = [], arb(0), arb(0)
    exact = function(piece.expr, x)
    for p in found:
        error += p.error
        mass += _mass(p.a, p.b) * sizes[float(p.a.mid()), float(p.b.mid())]
        for t, w in nodes(p):
            value = real_ball(exact(acb(line.mean + line.dev * t), False), piece.expr)
            points.append((t, w * value))
    return Rule(tuple(points), error, mass, arb(0))


def distance(a: Any, b: Any) -> Any:
    """That of [a, b] from 0."""
    return a if a > 0 else -b if b < 0 else arb(0)


def _mass(a: Any, b: Any) -> Any:
    """A bound of the integral of 1.0865 exp(-t^2/4)/sqrt(2 pi) over [a, b]."""
    least = distance(a, b)
    return (CRAMER * (b - a) * (-least * least / 4).exp() / (2 * arb.pi()).sqrt()).upper()


def _refuse(expr: Expr, at: Any) -> None:
    """What to say where no bound near an end is integrable.

    Raises:
        Divergent: the function itself is not.
        Undecided: that is not shown.
    """
    power = leading_power(expr)
    if power is not None and power <= -1:
        raise Divergent(
            f"the integrand grows like the distance from x = {float(at):.6g} to the power {power}: "
            "the expectation is infinite, or no integral"
        )
    raise Undecided(f"no bound of the activation near x = {float(at):.6g}, where it is not smooth")


def _followed(line: Line, expr: Expr, at: Any, scale: Any, width: Any) -> None:
    """Nothing, where panels may follow the waves near an end as far in as they matter.

    Raises:
        Accumulating: they are too many.
    """
    func = function(expr, DISTANCE)

    def matters(s: Any) -> bool:
        return not abs(func(acb(s), False) * s * line.kernel.front) < line.goal

    places = [scale * (-width * k / _PLACES).exp() for k in range(_PLACES + 1)]
    with precision(COVER_BITS):
        turns = radians(expr, places, matters)
    if turns > _MOST_RADIANS:
        raise Accumulating(
            "the activation oscillates too fast for a certificate: without end at x = "
            f"{float(at):.6g}, by about {turns.str(2, radius=False)} radians that matter"
        )


def _end(line: Line, expr: Expr, side: int, end: Any, step: Any) -> Rule:
    """|t - c| <= step, with t = c + side step e^-w, 0 <= w <= W, and a bound of the rest."""
    scale = line.dev * step
    width = arb(1)
    while True:
        delta = (scale * (-width).exp()).upper()
        rest = None if delta > 1 else near(expr, delta)
        beyond = arb("inf") if rest is None else rest.mass(-delta.log()) / line.dev
        if beyond * line.kernel.front < line.goal:
            break
        width = width * 5 / 4
        if width > 4000:
            _refuse(expr, line.mean + line.dev * end)
    width = width.mid()
    func = function(expr, DISTANCE)
    _followed(line, expr, line.mean + line.dev * end, scale, width)
    sizes: dict[tuple[float, float], Any] = {}

    def integrand(w: Any, analytic: bool) -> Any:
        s = scale * (-w).exp()
        return func(s, analytic) * s / line.dev

    def bound(a: Any, b: Any, semi: Any, height: Any) -> Any:
        c = (a + b) / 2
        if not height < 1.5:
            return None
        with precision(COVER_BITS):
            size = ellipse(integrand, c, semi, height)
            if size is None:
                return None
            sizes.setdefault((float(a.mid()), float(b.mid())), size)
            far = step * (-(c - semi)).exp()
            return size * line.kernel.at(far * height, abs(end) - far)

    found = panels([(arb(0), width)], bound, line.goal, 4.0)
    points, error = [], arb(0)
    mass = CRAMER * beyond
    for p in found:
        error += p.error
        mass += CRAMER * (p.b - p.a) * sizes[float(p.a.mid()), float(p.b.mid())]
        for w, weight in nodes(p):
            t = end + side * step * (-w).exp()
            points.append((t, weight * real_ball(integrand(acb(w), False), expr)))
    return Rule(tuple(points), error + beyond * line.kernel.front, mass, arb(0))
