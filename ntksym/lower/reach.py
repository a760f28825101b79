r"""From which standard deviations on a function is its leading power, as far as doubles can tell.

With $s(x) = c_\pm |x|^n (1 + o(1))$ about 0 or far out, the dual at a variance $\sigma^2$ is that
of the power alone up to
$$\sup_{|x| \le 8\sigma} \frac{|s(x) - c_\pm|x|^n|}{|c|\sigma^n} \quad (\sigma \to 0), \qquad
\int_{|x| \le 8\sigma} \frac{|s(x) - c_\pm|x|^n|}{|c|\sigma^{n+1}}\,dx \quad (\sigma \to \infty)$$
and a factor.  Both are estimated on powers of two, of s and of s', for the nearest standard
deviation that is near enough: the products of a closed form then stay as small as they can.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import inf
from typing import Any

from sympy import Expr, I

from ..activation import Activation
from ..derivation import Derivation
from ..errors import NtksymError
from ..symbols import x
from ..terms.cells import Cell, cells, inside
from .build import Builder

EXACT = 60
"""Bits of the leading power that must be right."""
NEAREST, FARTHEST = 20, 124
"""Exponents of two of the standard deviations that are tried."""
UNKNOWN = 92
"""The one that is taken where parameters decide: most functions are their leading power there."""
_LIMIT = 300
"""At this power of two a function is its leading power and nothing else."""
_WIDE = 3

Sample = Callable[[Any], tuple[Any, Any]]


def reach(d: Derivation, every: tuple[Cell, ...], power: tuple[int, int], side: int) -> Fraction:
    """A standard deviation, far from 1: 2^-20 to 2^-124 for `side` -1, 2^20 to 2^124 for 1.

    `power`: of s and of s'; a negative one is not looked at.
    """
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = 120 + 100 * max(power)
    found = None if d.activation.params else _sampled(d, every, ctx)
    if found is None:
        return Fraction(2) ** (side * UNKNOWN)
    limit = ctx.ldexp(1, side * _LIMIT)
    leads = [found(sign * limit) for sign in (1, -1)]
    rows = []
    for i in range(-FARTHEST - 2 * _WIDE, FARTHEST + 2 * _WIDE):
        at = ctx.ldexp(1, i)
        rows.append((i, at, [found(sign * at) for sign in (1, -1)]))
    for j in range(NEAREST, FARTHEST):
        if all(
            _off(rows, [lead[k] / limit**n for lead in leads], n, k, side * j, ctx)
            <= ctx.ldexp(1, -EXACT)
            for k, n in enumerate(power)
            if n >= 0
        ):
            return Fraction(2) ** (side * j)
    return Fraction(2) ** (side * FARTHEST)


def _off(rows: list[Any], leads: list[Any], n: int, which: int, at: int, ctx: Any) -> Any:
    """How far a function is from its leading power at the standard deviation 2^at."""
    size, most = max(map(abs, leads)), ctx.zero
    for i, where, sides in rows:
        if i > at + _WIDE or (at < 0 and i < at - 1):
            continue
        power = where**n
        gap = max(abs(side[which] - c * power) for side, c in zip(sides, leads, strict=True))
        weight = ctx.ldexp(1, -n * at) if at < 0 else ctx.ldexp(where, -(n + 1) * at)
        most = max(most, gap * weight) if at < 0 else most + gap * weight
    return most / size if size else most * ctx.inf


def _sampled(d: Derivation, every: tuple[Cell, ...], ctx: Any) -> Sample | None:
    """The values of s and s' at a number off the kinks; None where they have no spelling."""
    parts = []
    try:
        for cell in every:
            piece = inside(d.terms, cell)
            own = (piece.expr, piece.derivative()[0].expr)
            if len(every) == 1 and piece.expr.has(I):  # waves: as they were given
                own = (d.activation.expr, d.activation.expr.diff(x))
            b = Builder(("x",))
            p = b.program("piece", tuple((f"v{k}", b.operand(e)) for k, e in enumerate(own)))
            parts.append((None if cell[1] is None else _number(cell[1].expr, ctx), p))
    except NtksymError:
        return None

    def at(z: Any) -> tuple[Any, Any]:
        p = next(p for end, p in parts if end is None or z < end)
        value, slope = p.evaluate({"x": z}, ctx).values()
        return value, slope

    return at


def _number(e: Expr, ctx: Any) -> Any:
    b = Builder(())
    return b.program("number", (("value", b.operand(e)),)).evaluate({}, ctx)["value"]


WIDTH = 256
"""A bounded function is its limits up to one part in so many beyond its width."""
FLAT = 8
"""Standard deviations of so many widths make a bounded function two numbers with a point between
them, and seven powers of 1/r^2 say all of the rest; at larger ones its terms are r^2 times it."""


def flat_from(activation: Activation) -> float:
    r"""The standard deviation from which $E[(s(r_1z) - s(r_2z))^2]$ falls like 1/r, or infinity.

    Where s tends to a number on each side, that is
    $\int (s(y) - s(yr_2/r_1))^2\varphi(y/r_1)dy/r_1$ with $\varphi$ even and smooth: a constant
    over $r_1$, and powers of $1/r_1^2$ times that.
    """
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = 60
    found = None if activation.params else _evaluated(activation, ctx)
    if found is None:
        return inf
    try:
        ends = [found(sign * ctx.ldexp(1, _LIMIT)) for sign in (1, -1)]
        rows = []
        for i in range(-NEAREST, 2 * NEAREST):
            places = [ctx.ldexp(sign * m, i) for m in (1, ctx.mpf(11) / 8) for sign in (1, -1)]
            rows.append([abs(found(z) - ends[int(z < 0)]) for z in places])
    except (NtksymError, ArithmeticError, ValueError):
        return inf
    gaps = [max(row) for row in rows]
    most = max(gaps)
    wide = [i for i, gap in enumerate(gaps) if not gap * WIDTH <= most]
    if not most or not ctx.isfinite(most) or not wide or wide[-1] == len(gaps) - 1:
        return inf
    return FLAT * 2.0 ** (wide[-1] + 1 - NEAREST)


def _evaluated(activation: Activation, ctx: Any) -> Callable[[Any], Any] | None:
    """A function of a number, off its kinks."""
    try:
        derived = Derivation.of(activation)
        sampled = _sampled(derived, cells(derived.terms), ctx)
        return None if sampled is None else lambda z: sampled(z)[0]
    except NtksymError:
        pass
    try:
        b = Builder(("x",))
        p = b.program("s", (("s", b.operand(activation.expr)),))
    except NtksymError:
        return None
    return lambda z: p.evaluate({"x": z}, ctx)["s"]
