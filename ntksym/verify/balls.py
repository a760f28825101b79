"""The public face of the rigorous checks: enclosures of formulas and of the definition.

Everything that comes out is a theorem about real numbers, under the trust stated in
`derivations/identities/enclosure.md`: FLINT's arithmetic, and the lemmas written there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from fractions import Fraction
from functools import partial
from math import inf, log2, sqrt
from time import thread_time
from typing import Any, TypeAlias

from flint import arb, ctx
from sympy import Expr, Rational, Symbol

from ..activation import Activation
from ..errors import BadActivation, Undecided
from ..precision import precision
from ..symbols import x
from .ball import Ball
from .definition import expectation, factor
from .evaluate import constant, real_ball
from .functions.growth import growth_of
from .functions.reach import REACH
from .functions.rearrange import rearranged
from .law import Law, exact
from .safe import Divergent, Exhausted, Valueless, allowed
from .size import sizes_of
from .surd import Surd

Number: TypeAlias = Rational | int | str | Fraction
"""An exact rational number; text is read as a decimal or a fraction."""
_EXTRA_FLOOR = 15
_MOST_FAILURES = 8
_REACHES = (24, 64, 128, 208)
_FEWER = (2, 12, 5)
"""The loosest first, then the best that can be had."""
_SECONDS = 14.0
"""Of processor time for one enclosure of 30 digits of a definition; it grows with their square."""
_TARGET = 0.7
"""The part of it after which fewer digits are tried."""
_MOST_BITS = 16384
_ROUNDED = 3.4
"""Bits for a digit that rounding alone has taken."""
_USELESS = 3
"""Digits by which a ball around 0 may exceed the size of the value and still be shown."""


def enclose_expr(
    expr: Expr,
    values: Mapping[Symbol, Number],
    *,
    digits: int = 30,
    floor: int | None = None,
) -> Ball:
    """The value of a real SymPy expression at exact rational values of its symbols.

    Args:
        expr: arithmetic, rational powers, exp, log, the trigonometric and hyperbolic functions
            and their inverses, erf, erfc, erfi, Abs, sign, Heaviside, Max, Min, Piecewise, gamma,
            hyper (2F1), re, im, conjugate, Phi, Phi2.
        values: a value for every symbol.
        digits: the relative accuracy wanted: radius <= 10^-digits |value|.
        floor: or the radius is at most 10^-floor, which is what a value of zero can reach;
            by default digits + 15.

    Raises:
        Undecided: the accuracy was not reached (the best ball is in the message), a comparison is
            open at every precision tried, or a function has no ball arithmetic.
        BadActivation: the value is certainly not real.
    """
    env = {symbol: Surd.rational(exact(value)) for symbol, value in values.items()}

    def attempt(bits: int, tol: Any) -> Any:
        return real_ball(constant(expr, env), "the value")

    def what() -> str:
        return f"the value of {_short(expr)}"

    return _refine(attempt, digits, floor, what, _MOST_BITS, missing=_ROUNDED)


def enclose_definition(
    expr: Expr | Activation,
    q11: Number,
    q12: Number,
    q22: Number,
    *,
    params: Mapping[Any, Number] | None = None,
    digits: int = 30,
    derivative: bool = False,
    means: tuple[Number, Number] = (0, 0),
    other: Expr | Activation | None = None,
    jumps: str = "ae",
    floor: int | None = None,
) -> Ball:
    r"""$E[s(u)s(v)]$ for the Gaussian pair (u, v), from the definition alone.

    Args:
        expr: s, in the symbol `ntksym.symbols.x`.
        q11: the variance of u, an exact rational.
        q12: the covariance.
        q22: the variance of v.
        params: exact values of the other symbols, by symbol or by name.
        digits: radius <= 10^-digits |value|, or see `floor`.
        derivative: s' instead of s.
        means: the means of u and v.
        other: another function of v, g: $E[s(u)g(v)]$.
        jumps: with `derivative`: "ae" leaves the jumps of s out; "distributional" counts a jump of
            height J at a as $J\,\delta_a$.
        floor: the radius may also be 10^-floor; by default digits + 15, counted from the size of
            s(u)g(v) where that is far from 1.

    Returns:
        A ball that contains the expectation.

    Raises:
        BadCovariance: not positive semi-definite, or not exact rationals.
        NotSquareIntegrable: the growth certificate does not allow a finite expectation.
        BadActivation: not real or not defined on part of the line.
        Undecided: no certificate, or not the accuracy asked for.
    """
    if jumps not in ("ae", "distributional"):
        raise ValueError("jumps is 'ae' or 'distributional'")
    law = Law(exact(means[0]), exact(means[1]), exact(q11), exact(q12), exact(q22))
    first = with_values(expr, params or {})
    second = first if other is None else with_values(other, params or {})
    seconds = _SECONDS * max(1.0, digits / 30) ** 2
    with allowed(seconds):
        return _enclosed(first, second, law, (digits, floor, seconds), derivative, jumps)


def _enclosed(
    whole: Expr,
    other: Expr,
    law: Law,
    goal: tuple[int, int | None, float],
    derivative: bool,
    jumps: str,
) -> Ball:
    """The ball; what is slow is stopped by the allowance of `safe`."""
    digits, floor, seconds = goal
    first, second = whole, other
    read = partial(
        factor,
        derivative=derivative,
        distributional=jumps == "distributional",
        reach=_reach(law, digits),
        principal=True,
        waves=True,
    )
    with precision(256):  # errors of structure come out here, once, with their own hints
        pieces = {}
        for e in dict.fromkeys((second, first)):
            found = read(e)
            with suppress(Undecided) if found.waves else nullcontext():
                growth_of(rearranged(found.pieces))
            pieces[e] = found.pieces
        sizes = sizes_of(pieces[first], pieces[second], law)
    size = sum(sizes)
    first, second = (
        e * Rational(10) ** -power for e, power in zip((first, second), sizes, strict=True)
    )

    def attempt(bits: int, tol: Any) -> Any:
        return expectation(read(first), read(second), law, tol) * arb(10) ** size

    def what() -> str:
        return f"the expectation for {_short(whole)}"

    return _refine(attempt, digits, floor, what, 1024, size, _TARGET * seconds)


def _reach(law: Law, digits: int) -> int:
    """How far out kinks are looked for where there are infinitely many: few are cheaper."""
    far = sqrt(4.7 * (digits + 40)) + 2
    sides = ((law.m1, law.q11), (law.m2, law.q22))
    most = max(abs(float(arb(m))) + far * float(arb(v).sqrt()) for m, v in sides)
    return next((r for r in _REACHES if most < r), REACH)


def with_values(expr: Expr | Activation, params: Mapping[Any, Number]) -> Expr:
    """The expression in `x` alone, parameters replaced by exact rationals.

    Raises:
        BadActivation: a symbol without a value.
    """
    body = expr.expr if isinstance(expr, Activation) else expr
    by_name = {getattr(k, "name", k): exact(v) for k, v in params.items()}
    free = sorted((s for s in body.free_symbols if s != x), key=str)
    if missing := [s.name for s in free if s.name not in by_name]:
        raise BadActivation(
            f"no value is given for the parameter {missing[0]!r}",
            hint=f"params={{{missing[0]!r}: ...}}",
        )
    values = {s: by_name[s.name] for s in free}
    return body.subs({s: Rational(int(v.numer()), int(v.denom())) for s, v in values.items()})


def _refine(
    attempt: Callable[[int, Any], Any],
    digits: int,
    floor: int | None,
    what: Callable[[], str],
    most: int,
    size: int = 0,
    seconds: float = inf,
    missing: float = 0.2,
) -> Ball:
    """Raise the working precision until the ball is narrow enough.

    An attempt is made to a tolerance relative to 10^size, which is about the size of the factors.
    For every digit that one does not have, the next has so many bits more.
    """
    floor = digits + _EXTRA_FLOOR - size if floor is None else floor
    goal = digits + 1.0
    bits = int(goal * log2(10)) + 32
    best: Ball | None = None
    reason, failures, worn, start = "", 0, False, thread_time()
    while bits <= most:
        with precision(bits):
            tol = arb(10) ** -int(goal)
            try:
                with allowed(seconds - (thread_time() - start)):
                    value = attempt(bits, tol)
                if value.is_finite():
                    ball = Ball.from_arb(value)
                    best = ball if best is None or ball.rad < best.rad else best
            except (Divergent, Valueless) as error:
                raise type(error)(f"{what()}: {error.what}", hint=error.hint) from None
            except Exhausted as error:
                reason, worn = error.what, True
            except Undecided as error:
                reason = error.what
        if worn:
            break
        if best is None:
            failures += 1
            if failures == _MOST_FAILURES:
                break
            goal *= 1.6
            bits = 2 * bits
            continue
        if best.rad_man == 0 or best.rel_digits >= digits or best.rad * Fraction(10) ** floor <= 1:
            return best
        want, got = (found + size for found in _wanted(best, digits, floor))
        # what a definition misses is its tolerance times something large, such as a mass
        goal = max(goal + 2, want, goal + want - got if missing < 1 else 0.0)
        more = int(goal * log2(10)) + 32 + max(0, int((want - got) * missing))
        last, bits = bits, max(bits + 24, more, 5 * bits // 4)
        bits = min(bits, most) if 5 * last // 4 <= most else bits
    if best is None or best.rel_digits < 1:
        best = _rough(attempt, digits) or best
    known = f"best enclosure: {best}" if best else "no finite enclosure"
    if best is not None and best.contains_zero and best.rad > Fraction(10) ** (size + _USELESS):
        above = Ball.from_arb(arb(0, best.to_arb().abs_upper())).radius_text()
        known = f"no useful enclosure: the value is at most {above} in size"
    raise Undecided(
        f"{what()}: {digits} digits were not reached",
        where=known,
        tried=[reason] if reason else [],
        hint="fewer digits, or another point",
    )


def _rough(attempt: Callable[[int, Any], Any], digits: int) -> Ball | None:
    """The narrowest ball of loose goals, where the digits asked for cannot be had; None without.

    Where the loosest goal cannot be reached the others are not tried.  Goals are relative to the
    size of the factors: of a small value the loosest may have no digit, and others have.
    """
    best: Ball | None = None
    for goal in (g for g in _FEWER if g < digits):
        found: Ball | None = None
        with precision(4 * goal + 64), suppress(Undecided):
            value = attempt(ctx.prec, arb(10) ** -goal)
            found = Ball.from_arb(value) if value.is_finite() else None
        if found is not None:
            best = found if best is None or found.rad < best.rad else best
        if best is None or (found is not None and goal != _FEWER[0]):
            break
    return best


def _wanted(ball: Ball, digits: int, floor: int) -> tuple[float, float]:
    """The absolute digits that the value needs, and those the ball has."""

    def magnitude(value: Any) -> float:
        return float(value.numerator.bit_length() - value.denominator.bit_length()) * 0.30103

    got = -magnitude(ball.rad)
    if ball.contains_zero:
        return float(floor + 1), got
    return min(float(floor + 1), digits + 1.5 - magnitude(abs(ball.mid))), got


def _short(expr: Expr) -> str:
    text = str(expr)
    return text if len(text) <= 60 else text[:57] + "..."


__all__ = ["Ball", "enclose_definition", "enclose_expr", "with_values"]
