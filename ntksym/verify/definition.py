r"""The dual of an activation from its definition: which one- or two-dimensional integral to take.

Nothing here knows the term algebra, the expectation engine or any closed form of a dual.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flint import acb, arb
from sympy import Expr

from ..errors import BadActivation, Undecided
from ..symbols import x
from .evaluate import constant, function, real_ball
from .functions.continuity import continuous
from .functions.ends import gathered, leading_power, odd_ends
from .functions.logform import Log, logarithm
from .functions.periods import Wave, wave_parts
from .functions.pieces import JUMPS, Piece, at_end, jumps, number, split
from .functions.pieces import derivative as piecewise_derivative
from .functions.radial import HalfLines, half_lines, integrable, tidy
from .functions.reach import REACH, pieces_of
from .functions.rearrange import rearranged
from .functions.removable import INTEGRABLE, continued_pieces, opened
from .law import Law
from .rules.logs import log_pair, log_slopes
from .rules.moments import closed
from .rules.oned import collinear, conditional, pick, single
from .rules.periodic import periodic
from .rules.polar import mean, radial
from .rules.score import score_slope
from .rules.twod import planar
from .safe import Accumulating, Divergent, Endless, Valueless
from .surd import Surd

_FEW = 60


@dataclass(frozen=True, slots=True)
class Factor:
    """A function of one variable: its value everywhere, its smooth pieces, its Dirac masses."""

    expr: Expr | None
    """The expression, for its value at one point; None for an almost-everywhere derivative."""
    pieces: tuple[Piece, ...]
    masses: tuple[tuple[Expr, Any], ...] = ()
    """`(point, height)` of the Dirac terms."""
    principal: Log | None = None
    """The function a + b log|x|, whose pieces these are, where its slope b/x is meant."""
    waves: tuple[Wave, ...] = ()
    """The same function as a sum of periodic ones and x times such, if it is and was asked for."""
    times: tuple[Factor, ...] = ()
    """1, x and x^2 times the function f whose pieces these are, where its slope is meant, which is
    not integrable or has infinitely many masses: the derivative of E[f(u) g(v)] in q12 is that of
    the density."""


def factor(
    expr: Expr,
    *,
    derivative: bool,
    distributional: bool,
    reach: int = REACH,
    principal: bool = False,
    waves: bool = False,
) -> Factor:
    """The function itself, or its derivative with or without the Dirac terms of its jumps.

    Of infinitely many kinks and jumps those up to the `reach` are cut at.  With `principal` the
    distribution need not be integrable (b/x, |x|^(-5/4)), with `waves` sums of periodic functions
    are known as such: no caller but `expectation` can use these.
    """
    stray = expr.free_symbols - {x}
    if stray:
        names = ", ".join(sorted(map(str, stray)))
        raise BadActivation(
            f"no value is given for the parameter {names}", hint="params={'name': Rational(...)}"
        )
    found = _waves(expr, derivative, reach) if waves else ()
    pieces = opened(pieces_of(expr, reach))
    if derivative and distributional and any(p.expr.has(*JUMPS) for p in pieces):
        try:
            split(expr)  # which says what there is infinitely much of
        except Endless:
            if not principal:
                raise
            return _by_density(expr, pieces, reach, waves)
    if not derivative:
        return Factor(expr, continued_pieces(gathered(pieces)), waves=found)
    if distributional and principal and (form := logarithm(pieces)) is not None:
        return Factor(None, pieces, (), form)
    slopes = tidy(gathered(piecewise_derivative(pieces)))
    try:
        integrable(slopes)
        if distributional and principal and _steep(slopes):
            raise Divergent("the slope is not integrable: the expectation is no integral")
        slopes = _continued(slopes)
    except Divergent:
        if not (distributional and principal):
            raise
        return _by_density(expr, pieces, reach, waves)
    masses = jumps(pieces, expr) if distributional else ()
    return Factor(None, slopes, masses, waves=found)


def _by_density(expr: Expr, pieces: tuple[Piece, ...], reach: int, waves: bool) -> Factor:
    times = tuple(
        factor(expr * x**k, derivative=False, distributional=False, reach=reach, waves=waves)
        for k in range(3)
    )
    return Factor(None, pieces, (), times=times)


def two_slopes(expr: Expr) -> bool:
    """Whether d/dq12 E[s(u)s(v)] is known to be another thing than E[s'(u)s'(v)] off the jumps."""
    if continuous(expr):  # with an integrable slope; its kinks, perhaps without end, do not matter
        return False
    try:
        found = factor(expr, derivative=True, distributional=True, principal=True)
    except (Undecided, BadActivation):
        return False  # which is said where the expectation is asked for
    return bool(found.masses or found.times or found.principal)


def _steep(slopes: tuple[Piece, ...]) -> bool:
    """Whether a derivative grows at a point like a power that is not integrable."""
    ends = (near for p in slopes for _, _, near in odd_ends(p))
    return any((leading_power(near) or 0) <= -1 for near in ends)


def _waves(expr: Expr, derivative: bool, reach: int) -> tuple[Wave, ...]:
    """The periodic parts of the function, or of its derivative almost everywhere, with kinks."""
    out: list[Wave] = []
    for power, turn, f in wave_parts(expr):
        if not abs(number(turn)) * (reach - 1) > arb.pi():
            return ()
        pieces = opened(pieces_of(f, reach))
        kept = continued_pieces(gathered(pieces))
        if not derivative or power:
            out.append(Wave(0 if derivative else power, turn, kept))
        if derivative:
            slopes = tidy(gathered(piecewise_derivative(pieces)))
            out.append(Wave(power, turn, _continued(slopes)))
    return tuple(out)


def _continued(slopes: tuple[Piece, ...]) -> tuple[Piece, ...]:
    try:
        return continued_pieces(slopes, INTEGRABLE)
    except BadActivation as error:
        raise Divergent(f"the derivative: {error.what}: the expectation is no integral") from None


def expectation(f: Factor, g: Factor, law: Law, tol: Any) -> Any:
    """An enclosure (`arb`) of E[f(u) g(v)] with a radius of about `tol`, Dirac terms included."""
    if f.principal is not None or g.principal is not None:
        if f.principal is None or g.principal is None or law.m1 != 0 or law.m2 != 0:
            raise Undecided("a principal value beside another function, or with means: no rule")
        return log_slopes(f.principal, g.principal, law, tol)
    if f.times or g.times:
        if not (f.times and g.times):
            raise Undecided("a slope that is not integrable beside one that is: no rule")
        one, two = f.times[0].waves, g.times[0].waves
        if one and two and (value := periodic(one, two, law, tol, slope=True)) is not None:
            return value

        def moment(i: int, j: int, goal: Any) -> Any:
            return expectation(f.times[i], g.times[j], law, goal)

        return score_slope(moment, law, tol)
    total = arb(0)
    for a, left in f.masses:
        for b, right in g.masses:
            total += real_ball(left) * real_ball(right) * _joint_density(a, b, law)
    total += smooth(f, g, law, tol)
    for point, height in f.masses:
        total += real_ball(height) * _at_mass(point, g, law, tol)
    for point, height in g.masses:
        total += real_ball(height) * _at_mass(point, f, law.swapped(), tol)
    return total


def smooth(f: Factor, g: Factor, law: Law, tol: Any) -> Any:
    """E[f(u) g(v)] of the functions without their Dirac terms."""
    if f.waves and g.waves and (value := periodic(f.waves, g.waves, law, tol)) is not None:
        return value
    f, g = replace(f, pieces=rearranged(f.pieces)), replace(g, pieces=rearranged(g.pieces))
    if law.q11 == 0 and law.q22 == 0 and logarithm(f.pieces) is None:
        return _value(f, law.m1) * _value(g, law.m2)
    powers = _powers(f, g, law)
    if powers is not None:
        first, second = powers
        if law.q11 == 0:
            return _value(f, law.m1) * mean(second, law.q22)
        if law.q22 == 0:
            return _value(g, law.m2) * mean(first, law.q11)
        return radial(first, second, law, tol)
    logs = logarithm(f.pieces), logarithm(g.pieces)
    if logs[0] is not None and logs[1] is not None and law.m1 == law.m2 == 0:
        return log_pair(logs[0], logs[1], law, tol)
    if law.q11 == 0:
        return _value(f, law.m1) * single(g.pieces, law.m2, law.q22, tol)
    if law.q22 == 0:
        return _value(g, law.m2) * single(f.pieces, law.m1, law.q11, tol)
    if law.singular:
        return collinear(f.pieces, g.pieces, law, tol)
    if law.q12 == 0:
        half = tol / 4
        return single(f.pieces, law.m1, law.q11, half) * single(g.pieces, law.m2, law.q22, half)
    if len(f.pieces) + len(g.pieces) <= _FEW:  # a conditional mean has a term for each piece
        for one, two, order in ((f, g, law), (g, f, law.swapped())):
            if not closed(two.pieces):
                continue
            try:
                if (value := conditional(one.pieces, two.pieces, order, tol)) is not None:
                    return value
            except (Divergent, Accumulating):
                raise
            except Undecided:  # the closed mean cancels, of a narrow bump: the plane does not
                continue
    return planar(f.pieces, g.pieces, law, tol)


def _powers(f: Factor, g: Factor, law: Law) -> tuple[HalfLines, HalfLines] | None:
    """Both functions as powers on half-lines, where one has powers that are not whole."""
    first, second = half_lines(f.pieces), half_lines(g.pieces)
    if first is None or second is None or law.m1 != 0 or law.m2 != 0:
        return None
    return None if first.whole and second.whole else (first, second)


def _value(f: Factor, at: Any) -> Any:
    """The value at one exact point (a variable of variance zero)."""
    lines = half_lines(f.pieces)
    if at == 0 and f.expr is None and lines is not None and all(p > 0 for p in lines.exponents):
        return arb(0)
    env = {x: Surd.rational(at)}
    if f.expr is not None:
        value = real_ball(constant(f.expr, env), f.expr)
        if value.is_finite():
            return value
    return _one_value(f, at)


def _one_value(f: Factor, at: Any) -> Any:
    """The value by the pieces that meet the point, where they agree."""
    point, env, meet = arb(at), {x: Surd.rational(at)}, []
    for piece in f.pieces:
        lo, hi = piece.ends()
        if (lo is not None and point < lo) or (hi is not None and point > hi):
            continue
        if any((leading_power(near) or 0) < 0 for c, _, near in odd_ends(piece) if _meets(c, at)):
            raise _infinite(at)
        ends = [c for c in (piece.lo, piece.hi) if c is not None and _meets(c, at)]
        meet.append(at_end(piece, ends[0]) if ends else piece.expr)
    for other in meet[1:]:
        height = constant(other - meet[0], env)
        if not (height.sign == 0 if isinstance(height, Surd) else height.is_zero()):
            raise Valueless(
                f"a variance is zero, and the function has two limits at the point x = {at}",
                hint="a positive variance: there one point does not matter",
            )
    value = real_ball(function(meet[0], x)(acb(point), False))
    if not value.is_finite():
        raise _infinite(at)
    return value


def _meets(end: Expr, at: Any) -> bool:
    return bool(number(end).contains(arb(at)))


def _infinite(at: Any) -> Divergent:
    return Divergent(f"a variance is zero, and the function is infinite at the point x = {at}")


def _at_mass(point: Expr, g: Factor, law: Law, tol: Any) -> Any:
    """The density of u at the point, times E[g(v) | u = point]."""
    a, s = number(point), law.scales() if law.q11 > 0 else None
    if s is None:
        raise _no_density()
    density = (-(a - s.m1) * (a - s.m1) / (2 * s.s1 * s.s1)).exp() / (s.s1 * (2 * arb.pi()).sqrt())
    line = s.m2 + s.slope * (a - s.m1) / s.s1
    if law.singular:
        value = function(pick(g.pieces, line).expr, x)(acb(line), False)
        return density * real_ball(value)
    shift = constant(point, {})
    at = shift.as_rational() if isinstance(shift, Surd) else None
    if at is None:
        at = a
    var = law.q22 - law.q12 * law.q12 / law.q11
    centre = law.m2 + law.q12 * (at - law.m1) / law.q11
    lines = half_lines(g.pieces)
    if centre == 0 and var > 0 and lines is not None and not lines.whole:
        return density * mean(lines, var)
    return density * single(g.pieces, centre, var, tol)


def _joint_density(a: Expr, b: Expr, law: Law) -> Any:
    det = law.q11 * law.q22 - law.q12 * law.q12
    p, q = number(a) - arb(law.m1), number(b) - arb(law.m2)
    if det == 0:
        if law.q11 > 0 and law.q22 > 0:
            gap = arb(law.q11) * q - arb(law.q12) * p
            if not gap.contains(0):
                return arb(0)
        raise _no_density()
    form = arb(law.q22) * p * p - 2 * arb(law.q12) * p * q + arb(law.q11) * q * q
    return (-form / (2 * arb(det))).exp() / (2 * arb.pi() * arb(det).sqrt())


def _no_density() -> BadActivation:
    return BadActivation(
        "the distributional derivative of a jump has no finite expectation at this covariance",
        hint="jumps='ae', or a covariance with q12^2 < q11 q22",
    )
