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
from functools import cache
from math import inf
from typing import Any

from sympy import Expr, I, oo, zoo

from ..activation import Activation
from ..derivation import Derivation
from ..errors import NtksymError
from ..symbols import q, x
from ..terms.cells import Cell, cells, inside
from .build import Builder, number_of

EXACT = 60
"""Bits of the leading power that must be right."""
NEAREST, FARTHEST = 20, 124
"""Exponents of two of the standard deviations that are tried."""
UNKNOWN = 92
"""The one that is taken where parameters decide: most functions are their leading power there."""
_LIMIT = 300
"""At this power of two a function is its leading power and nothing else."""
_WIDE = 3
_LEAST = FARTHEST + 2 * _WIDE
"""The integral begins at two to the power of minus this."""

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
    gaps = [
        _Gaps(found, [lead[k] / limit**n for lead in leads], n, k, ctx)
        for k, n in enumerate(power)
        if n >= 0
    ]
    for j in range(NEAREST, FARTHEST):
        if all(g.off(side * j) <= ctx.ldexp(1, -EXACT) for g in gaps):
            return Fraction(2) ** (side * j)
    return Fraction(2) ** (side * FARTHEST)


def diagonal_reach(diagonals: tuple[Expr, ...], power: tuple[int, ...]) -> Fraction | None:
    """A standard deviation, 2^20 to 2^124, from which diagonals are leading powers of it.

    Args:
        diagonals: in q, the square of the standard deviation; infinite ones are not looked at.
        power: for each one half of the power.

    Returns:
        None where some is not, or has parameters.
    """
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = 120 + 200 * max(power)
    kept = [(e, n) for e, n in zip(diagonals, power, strict=True) if e not in (oo, zoo)]
    if any(e.free_symbols - {q} for e, _ in kept):
        return None
    b = Builder(("q",))
    try:
        p = b.program("own", tuple((f"v{k}", b.operand(e)) for k, (e, _) in enumerate(kept)))
    except NtksymError:
        return None

    @cache
    def parts(j: int) -> tuple[Any, ...]:
        """The values over their powers, at the standard deviation 2^j."""
        values = p.evaluate({"q": ctx.ldexp(1, 2 * j)}, ctx).values()
        return tuple(ctx.ldexp(v, -2 * j * n) for v, (_, n) in zip(values, kept, strict=True))

    leads = parts(_LIMIT)
    for j in range(NEAREST, FARTHEST + 1):
        pairs = (pair for i in range(j, j + _WIDE) for pair in zip(parts(i), leads, strict=True))
        if all(abs(v - lead) <= ctx.ldexp(abs(lead), -EXACT) and lead for v, lead in pairs):
            return Fraction(2) ** j
    return None


class _Gaps:
    """How far a function, s or s', is from its leading power: at powers of two, each tried once."""

    def __init__(self, found: Sample, leads: list[Any], n: int, which: int, ctx: Any) -> None:
        self.found, self.leads, self.n, self.which, self.ctx = found, leads, n, which, ctx
        self.size = max(map(abs, leads))
        self.sums = [ctx.zero]
        """The integral up to powers of two, from the smallest on."""

    def off(self, at: int) -> Any:
        """That of the head of this file, at the standard deviation 2^at."""
        ctx, n = self.ctx, self.n
        if not self.size:
            return ctx.inf
        if at < 0:
            most = max(map(self.gap, range(at - 1, at + _WIDE + 1)))
            return ctx.ldexp(most / self.size, -n * at)
        for i in range(len(self.sums) - 1 - _LEAST, at + _WIDE + 1):
            self.sums.append(self.sums[-1] + ctx.ldexp(self.gap(i), i))
        return ctx.ldexp(self.sums[at + _WIDE + 1 + _LEAST] / self.size, -(n + 1) * at)

    def gap(self, i: int) -> Any:
        """The larger one of both sides at 2^i."""
        where = self.ctx.ldexp(1, i)
        power = where**self.n
        sides = (self.found(where), self.found(-where))
        return max(abs(s[self.which] - c * power) for s, c in zip(sides, self.leads, strict=True))


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
            parts.append((None if cell[1] is None else number_of(cell[1].expr, ctx), p))
    except NtksymError:
        return None

    @cache
    def at(z: Any) -> tuple[Any, Any]:
        p = next(p for end, p in parts if end is None or z < end)
        value, slope = p.evaluate({"x": z}, ctx).values()
        return value, slope

    return at


def _exactly(activation: Activation) -> tuple[Any, Callable[[Any], Any] | None]:
    """Sixty digits, and s in them: None where parameters decide or s has no spelling."""
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = 60
    return ctx, None if activation.params else _evaluated(activation, ctx)


@cache
def leading(activation: Activation) -> int | None:
    """The n of a leading power c |x|^n of s far out, the larger one of both sides, and 0 where s is
    bounded; None where it is no whole one, parameters decide or s has no spelling.
    """
    ctx, found = _exactly(activation)
    if found is None:
        return None
    try:
        near, far = (
            max(abs(found(sign * ctx.ldexp(1, j))) for sign in (1, -1))
            for j in (_LIMIT, _LIMIT + 1)
        )
    except (NtksymError, ArithmeticError, ValueError):
        return None
    if far <= 2 * near and near <= ctx.ldexp(1, _LIMIT // 2):
        return 0
    n = int(ctx.nint(ctx.log(far / near, 2)))
    return n if abs(far / near - ctx.ldexp(1, n)) <= ctx.ldexp(1, -EXACT) and n > 0 else None


@cache
def fades(activation: Activation) -> bool:
    """Whether s tends to 0 on both sides; False where parameters decide or s has no spelling."""
    ctx, found = _exactly(activation)
    if found is None:
        return False
    try:
        ends = [abs(found(sign * ctx.ldexp(1, _LIMIT))) for sign in (1, -1)]
    except (NtksymError, ArithmeticError, ValueError):
        return False
    return bool(max(ends) <= ctx.ldexp(1, -_LIMIT // 2))


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
    ctx, found = _exactly(activation)
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
