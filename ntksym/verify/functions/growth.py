r"""Growth certificates $|f(t)| \le c\,(1+|t|)^k e^{b|t| + a t^2}$, proved by structure.

A certificate is built from the expression by the rules of `derivations/identities/enclosure.md`
(section 3), or refused; there is never a heuristic cut-off.  Tails of the Gaussian integrals are
bounded with it in closed form.
"""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from functools import lru_cache, reduce
from math import inf
from operator import add
from typing import Any

import sympy as sp
from flint import arb

from ...errors import BadActivation, NotSquareIntegrable, Undecided
from ...functions import Phi
from ...precision import precision
from ...symbols import x
from ..evaluate import constant, function, real_ball
from .away import bounds_away
from .beyond import far_bound
from .ends import near, odd_ends
from .exponents import exponent
from .isolated import Continued
from .logform import logarithm
from .pieces import Piece, number, outer
from .radial import singular
from .ranges import HALF_PI, Range, as_arb, lower, range_of, upper
from .rates import Growth as Growth
from .strips import rectangle
from .weaken import bounded_factors
from .witness import outgrows_squares, sign_change, witness

_BITS = 128
_STARTS = (1, 2, 4, 8, 16)
"""From where on leading terms are tried."""


_NONE = Growth(arb("nan"), 0, arb(0), arb(0))
"""No bound: every method that would use it gives up."""


@lru_cache(maxsize=256)
def growth_of(pieces: tuple[Piece, ...]) -> Growth:
    """One certificate for all pieces.

    Raises:
        BadActivation: not real or not defined on part of a piece.
        NotSquareIntegrable: faster than every Gaussian.
        Undecided: no rule applies.
    """
    if singular(pieces) or logarithm(pieces) is not None:
        return _NONE
    total = _const(arb(0))
    with precision(_BITS):
        for piece in pieces:
            domain, size = _within(piece)
            if not size.is_finite():
                return _NONE
            if size > 0:
                total += _const(size)
            if domain.lo < domain.hi:
                total += _sharper(piece.expr, domain, _grow(piece.expr, domain))
    return total


def _within(piece: Piece) -> tuple[Range, Any]:
    """The interval of a piece but for the ends where it is not analytic, and a bound there.

    The bound is infinite where the function may be infinite.
    """
    domain, most = outer(piece), arb(0)
    lo, hi = domain.lo, domain.hi
    step = min(Fraction(1, 1024), Fraction(hi - lo) / 4) if domain.finite else Fraction(1, 1024)
    for c, side, expr in odd_ends(piece):
        found = near(expr, as_arb(step))
        if found is None or found.power < 0 or found.logs > 0:
            return domain, arb("inf")
        most += found.size * as_arb(step) ** arb(found.power)
        end = number(c) + side * as_arb(step)
        lo, hi = (lower(end), hi) if side > 0 else (lo, upper(end))
    return Range(lo, hi), most.upper()


def _sharper(expr: Any, domain: Range, found: Growth) -> Growth:
    """The certificate, or one by the leading terms at the ends where it grows exponentially.

    By structure x sinh(x^2)/(1 + cosh(x^2)) seems to grow like its numerator, and so does
    exp(x - exp(x)), of which a large variance would see more than there is.
    """
    if not (found.a > 0 or found.b > 0) or domain.finite:
        return found
    for start in _STARTS:
        try:
            inner = Range(max(domain.lo, Fraction(-start)), min(domain.hi, Fraction(start)))
            total = _const(found.at(start)) if inner.lo < inner.hi else _const(0)
            for form, end in ((expr, domain.hi), (expr.subs(x, -x), -domain.lo)):
                if end > start:
                    for part in far_bound(form, start):
                        total += Growth(*part)
        except (Undecided, BadActivation):
            continue
        return total if total.a < found.a or (total.a <= found.a and total.b < found.b) else found
    return found


def growth_beyond(pieces: tuple[Piece, ...], least: Any) -> Growth:
    """A certificate for |t| >= least > 0 alone: what is infinite at a point inside does not matter.

    Raises:
        as `growth_of`.
    """
    edge, total = lower(least), _const(arb(0))
    with precision(_BITS):
        for piece in pieces:
            low, high = (whole := outer(piece)).lo, whole.hi
            for domain in (Range(low, min(high, -edge)), Range(max(low, edge), high)):
                if domain.lo < domain.hi:
                    total += _grow(piece.expr, domain)
    return total


def growth_clear(pieces: tuple[Piece, ...], step: Fraction) -> Growth:
    """A certificate but for the distance `step` from ends where a piece is not analytic.

    What is infinite there does not matter.

    Raises:
        as `growth_of`.
    """
    total = _const(arb(0))
    with precision(_BITS):
        for piece in pieces:
            lo, hi = (whole := outer(piece)).lo, whole.hi
            for c, side, _ in odd_ends(piece):
                end = number(c) + side * as_arb(step)
                lo, hi = (lower(end), hi) if side > 0 else (lo, upper(end))
            if lo < hi:
                total += _grow(piece.expr, Range(lo, hi))
    return total


def _const(value: Any) -> Growth:
    return Growth(arb(value), 0, arb(0), arb(0))


def _grow(expr: Any, domain: Range) -> Growth:
    if expr == x:
        return Growth(arb(1), 1, arb(0), arb(0))
    if not expr.has(x):
        return _const(abs(real_ball(constant(expr, {}), expr)))
    if isinstance(expr, Continued):
        return _continued(expr, domain)
    if isinstance(expr, sp.exp):
        return _exp(expr.args[0], domain)
    if isinstance(expr, (sp.Abs, sp.Max, sp.Min)):  # beyond the reach of `split`
        return reduce(add, (_grow(a, domain) for a in expr.args))
    if isinstance(expr, (sp.sign, sp.Heaviside)):
        return _const(1)
    if isinstance(expr, sp.Piecewise):
        return _branches(expr, domain)
    if isinstance(expr, sp.Mul):
        factors = bounded_factors(list(expr.args), domain)
        total = _const(1)
        for a in factors:
            total = total * _grow(a, domain)
        return total
    if isinstance(expr, sp.Pow):
        return _pow(expr, domain)
    _check_domain(expr, domain)
    bounds = range_of(expr, domain)
    if bounds.finite:
        return _const(as_arb(bounds.magnitude))
    if isinstance(expr, sp.Add):
        total = _grow(expr.args[0], domain)
        for a in expr.args[1:]:
            total = total + _grow(a, domain)
        return total
    if isinstance(expr, (sp.sinh, sp.cosh)):
        return _exp(expr.args[0], domain) + _exp(-expr.args[0], domain)
    if isinstance(expr, sp.asinh):  # |asinh g| <= |g|
        return _grow(expr.args[0], domain)
    if isinstance(expr, sp.log):
        return _log(expr.args[0], domain)
    raise Undecided(
        f"no growth certificate for {expr}",
        hint="known: powers, exp, log, the trigonometric and hyperbolic functions, erf, Phi",
    )


def _branches(expr: Any, domain: Range) -> Growth:
    """Of all branches, wherever they are taken: beyond the reach of `split`."""
    try:
        return reduce(add, (_grow(branch, domain) for branch, _ in expr.args))
    except BadActivation as error:
        raise Undecided(f"{error.what}, if that branch is taken there") from None


def _continued(expr: Any, domain: Range) -> Growth:
    """Near the points by boxes, elsewhere by the rules for the expression as it was written."""
    half, total, left = Fraction(1, 2), _const(0), domain.lo
    func = function(expr, x)
    points = sorted(lower(real_ball(constant(c, {}))) for c in expr.args[3::2])
    for c in points:
        low, high = max(c - half, left), min(c + half, domain.hi)
        if left < low:
            total += _grow(expr.args[0], Range(left, low))
        if low < high:
            size = rectangle(func, as_arb(low), as_arb(high), arb(0), 9)
            if size is None:
                raise Undecided(f"no bound of {expr.args[0]} near x = {float(c):.6g}")
            total += _const(size)
        left = max(high, left)
    return total + _grow(expr.args[0], Range(left, domain.hi)) if left < domain.hi else total


def _exp(g: Any, domain: Range) -> Growth:
    if g.is_polynomial(x) and sp.degree(g, x) <= 2:
        c = [real_ball(constant(sp.Poly(g, x).coeff_monomial(x**i), {}), g) for i in range(3)]
        rate = abs(c[1])
        if domain.lo >= 0:
            rate = c[1]
        elif domain.hi <= 0:
            rate = -c[1]
        return Growth(c[0].exp(), 0, rate, c[2])
    _check_all(g, domain)
    bounds = range_of(g, domain)
    if bounds.hi != inf:
        return _const(as_arb(bounds.hi).exp())
    if isinstance(g, sp.Add):
        total = _const(1)
        for a in g.args:
            total = total * _exp(a, domain)
        return total
    if (bound := exponent(g, domain, _grow)) is not None:
        return Growth(bound[0].exp(), 0, bound[1], bound[2])
    if not outgrows_squares(g, domain):  # what is known is a bound of g, not g
        raise Undecided(
            f"no growth certificate for exp({g}): no bound a x^2 of its exponent is known",
            hint="an exponent bounded above, or such a one and a polynomial of degree two",
        )
    raise NotSquareIntegrable(
        f"exp({g}) grows faster than every Gaussian: E[s(u)^2] is infinite",
        hint="an activation with |s(x)| <= c exp(a x^2), a small enough",
    )


def _none(rate: Any) -> bool:
    return bool(rate <= 0)


def _pow(expr: Any, domain: Range) -> Growth:
    base, e = expr.base, expr.exp
    if e.is_Rational is False and e.is_positive and range_of(base, domain).lo >= 0:
        return _grow(base, domain).raised(real_ball(constant(e, {})))
    if not e.is_Rational:
        return _moving(expr, domain)
    bounds = range_of(base, domain)
    if not e.is_integer and bounds.lo < 0 and not isinstance(base, sp.Abs):
        if (bad := witness(base, domain, -1)) is not None:
            raise BadActivation(
                f"{expr} is not real at x = {bad}",
                hint="an activation is a real function of every real x; for example max(x, 0)",
            )
        away = bounds_away(base, domain)
        if away is None or away.hi < 0:
            raise Undecided(f"cannot show that {base} is never negative")
    if e.is_negative:
        inverse = range_of(expr, domain)
        if inverse.finite:
            return _const(as_arb(inverse.magnitude))
        if isinstance(base, (Phi, sp.erfc)):
            return _over_tail(base, -e, domain)
        if (bad := witness(base, domain, 0)) is not None:
            if not e.is_integer:  # beside it may stand a zero, as in the slope of a root
                raise Undecided(f"cannot integrate {expr} through x = {bad}, where {base} is zero")
            raise BadActivation(f"{expr} is infinite at x = {bad}")
        away = bounds_away(base, domain)
        if away is not None and (e.is_integer or away.lo > 0):
            least = as_arb(away.lo if away.lo > 0 else -away.hi)
            return _const(1 / least ** (arb(int(-e.p)) / int(e.q)))
        if e.is_integer and (turn := sign_change(base, domain)) is not None:
            raise BadActivation(
                f"{expr} is infinite between x = {turn[0]} and x = {turn[1]}, where {base} is zero",
                hint="a function that is finite everywhere",
            )
        raise Undecided(f"cannot show that {base} stays away from 0")
    inner = _grow(base, domain)
    if e.is_integer:
        n = int(e)
        return Growth(inner.c**n, inner.k * n, inner.b * n, inner.a * n)
    return inner.raised(as_arb(Fraction(int(e.p), int(e.q))))


def _over_tail(base: Any, e: Any, domain: Range) -> Growth:
    """Bounds base^-e: Phi(-t) >= phi(t + 1) for every t, and erfc(t) = 2 Phi(-sqrt(2) t)."""
    t = -base.args[0] if isinstance(base, Phi) else sp.sqrt(2) * base.args[0]
    return _exp(sp.expand(e * (t + 1) ** 2 / 2), domain) * _const((2 * arb.pi()) ** as_arb(e / 2))


def _moving(expr: Any, domain: Range) -> Growth:
    """A power with x in the exponent, or an irrational one: exp(e log b) where b > 0."""
    base, e = expr.args
    if (bad := witness(base, domain, -1)) is not None:
        raise BadActivation(f"{expr} is not real near x = {bad}, where {base} is negative")
    if base == 0 and (bad := witness(e, domain, -1)) is not None:
        raise BadActivation(f"{expr} is infinite at x = {bad}")
    if base.is_positive and not base.has(x):
        return _exp(e * sp.log(base), domain)
    if range_of(base, domain).lo > 0:
        with suppress(NotSquareIntegrable):  # of a bound, which is not that of the function
            return _exp(e * sp.log(base), domain)
    raise Undecided(
        f"no growth certificate for {expr}: its base is not known to be positive, or the exponent "
        "times the logarithm of the base to grow at most quadratically",
        hint="a bounded exponent, or a bounded logarithm of the base: (1 + x^2)^tanh(x)",
    )


def _log(g: Any, domain: Range) -> Growth:
    """Bounds log g: at most log+ c + k|t| + b|t| + a t^2, and >= log of the lower bound of g."""
    if isinstance(g, (Phi, sp.erfc)):  # Phi(-t) >= phi(t + 1), and erfc(t) = 2 Phi(-sqrt(2) t)
        inner = _const(1) + _grow(g.args[0], domain)
        return inner * inner * _const(3)
    bounds = range_of(g, domain)
    if not bounds.lo > 0:
        if (bad := witness(g, domain, -1)) is not None:
            raise BadActivation(f"log({g}) is not real at x = {bad}")
        if (bad := witness(g, domain, 0)) is not None:
            raise Undecided(
                f"log({g}) is infinite at x = {bad}: an integrable singularity, but no rule here "
                "integrates through it",
                hint="a + b*log(abs(x)) alone, which has a closed form",
            )
        away = bounds_away(g, domain)
        if away is None or away.hi < 0:
            raise Undecided(f"cannot show that {g} stays positive")
        bounds = away
    inner = _grow(g, domain)
    zero = arb(0)
    below = abs(as_arb(bounds.lo).log()) if bounds.lo != inf else zero
    c = below + (inner.c + 1).log() + inner.k + inner.b.max(zero) + inner.a.max(zero)
    return Growth(c, 1 if _none(inner.a) else 2, zero, zero)


_POLES = (sp.tan, sp.cot, sp.sec, sp.csc, sp.coth, sp.csch)


def _check_domain(expr: Any, domain: Range) -> None:
    if isinstance(expr, sp.tan) and range_of(expr.args[0], domain).magnitude < HALF_PI:
        return
    if isinstance(expr, _POLES):
        raise BadActivation(
            f"{expr} has poles on the real line", hint="a bounded function, such as tanh or atan"
        )
    if isinstance(expr, (sp.asin, sp.acos)) and range_of(expr.args[0], domain).magnitude > 1:
        raise BadActivation(f"{expr} is not real on the whole line")
    for a in expr.args:
        if not isinstance(expr, sp.log):
            _check_all(a, domain)


def _check_all(expr: Any, domain: Range) -> None:
    """Every power and logarithm inside is real and finite; a bounded outer function hides them."""
    if expr == x or not expr.has(x):
        return
    if isinstance(expr, (sp.Pow, sp.log, Continued)):
        _grow(expr, domain)
        return
    if isinstance(expr, _POLES):
        _check_domain(expr, domain)
    for a in bounded_factors(list(expr.args), domain) if isinstance(expr, sp.Mul) else expr.args:
        _check_all(a, domain)
