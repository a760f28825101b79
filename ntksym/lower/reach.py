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
from math import inf, log
from typing import Any

from flint import arb
from sympy import Expr, I, oo, zoo

from ..activation import Activation
from ..derivation import Derivation
from ..errors import NtksymError
from ..precision import precision
from ..symbols import q, x
from ..terms.cells import Cell, cells, inside
from .build import Builder
from .rough import Sizes, bits_of

EXACT = 60
"""Bits of the leading power that must be right."""
NEAREST, FARTHEST = 20, 124
"""Exponents of two of the standard deviations that are tried."""
UNKNOWN = 92
"""The one that is taken where parameters decide: most functions are their leading power there."""
_NOTHING = arb(2) ** -EXACT * (1 + 2.0**-40)
"""What is not right of it, and a little, so that balls about this very number are below."""
_LIMIT = 300
"""At this power of two a function is its leading power and nothing else."""
_WIDE = 3
_LEAST = FARTHEST + 2 * _WIDE
"""The integral begins at two to the power of minus this."""

Sample = Callable[[float], tuple[Any, Any]]


def reach(d: Derivation, every: tuple[Cell, ...], power: tuple[int, int], side: int) -> Fraction:
    """A standard deviation, far from 1: 2^-20 to 2^-124 for `side` -1, 2^20 to 2^124 for 1.

    `power`: of s and of s'; a negative one is not looked at.
    """
    digits = 120 + 100 * max(power)
    found = None if d.activation.params else _sampled(d, every, digits)
    if found is None:
        return Fraction(2) ** (side * UNKNOWN)
    with precision(bits_of(digits)):
        limit = 2.0 ** (side * _LIMIT)
        leads = [found(sign * limit) for sign in (1, -1)]
        gaps = [
            _Gaps(found, [lead[k] / arb(limit) ** n for lead in leads], n, k)
            for k, n in enumerate(power)
            if n >= 0
        ]
        for j in range(NEAREST, FARTHEST):
            if all(g.off(side * j) <= _NOTHING for g in gaps):
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
    digits = 120 + 200 * max(power)
    kept = [(e, n) for e, n in zip(diagonals, power, strict=True) if e not in (oo, zoo)]
    if any(e.free_symbols - {q} for e, _ in kept):
        return None
    b = Builder(("q",))
    try:
        p = b.program("own", tuple((f"v{k}", b.operand(e)) for k, (e, _) in enumerate(kept)))
    except NtksymError:
        return None
    sizes = Sizes(p, digits)

    @cache
    def parts(j: int) -> tuple[Any, ...]:
        """The values over their powers, at the standard deviation 2^j."""
        values = sizes({"q": 4.0**j})
        return tuple(v / arb(2) ** (2 * j * n) for v, (_, n) in zip(values, kept, strict=True))

    with precision(bits_of(digits)):
        leads = parts(_LIMIT)
        for j in range(NEAREST, FARTHEST + 1):
            rows = map(parts, range(j, j + _WIDE))
            pairs = (pair for row in rows for pair in zip(row, leads, strict=True))
            if all(abs(v - lead) <= _NOTHING * abs(lead) and lead != 0 for v, lead in pairs):
                return Fraction(2) ** j
    return None


class _Gaps:
    """How far a function, s or s', is from its leading power: at powers of two, each tried once."""

    def __init__(self, found: Sample, leads: list[Any], n: int, which: int) -> None:
        self.found, self.leads, self.n, self.which = found, leads, n, which
        self.size = max(map(abs, leads))
        self.sums = [arb(0)]
        """The integral up to powers of two, from the smallest on."""

    def off(self, at: int) -> Any:
        """That of the head of this file, at the standard deviation 2^at."""
        n = self.n
        if self.size == 0:
            return arb.pos_inf()
        if at < 0:
            most = max(map(self.gap, range(at - 1, at + _WIDE + 1)))
            return most / self.size / arb(2) ** (n * at)
        for i in range(len(self.sums) - 1 - _LEAST, at + _WIDE + 1):
            self.sums.append(self.sums[-1] + self.gap(i) * 2.0**i)
        return self.sums[at + _WIDE + 1 + _LEAST] / self.size / arb(2) ** ((n + 1) * at)

    def gap(self, i: int) -> Any:
        """The larger one of both sides at 2^i."""
        where = 2.0**i
        power = arb(where) ** self.n
        sides = (self.found(where), self.found(-where))
        return max(abs(s[self.which] - c * power) for s, c in zip(sides, self.leads, strict=True))


def _sampled(d: Derivation, every: tuple[Cell, ...], digits: int) -> Sample | None:
    """The values of s and s' at a number off the kinks; None where they have no spelling."""
    parts = []
    try:
        for cell in every:
            piece = inside(d.terms, cell)
            own = (piece.expr, piece.derivative()[0].expr)
            if len(every) == 1 and piece.expr.has(I):  # waves: as they were given
                own = (d.activation.expr, d.activation.expr.diff(x))
            end = None if cell[1] is None else _program((), (cell[1].expr,), digits)({})[0]
            parts.append((end, _program(("x",), own, digits)))
    except NtksymError:
        return None

    @cache
    def at(z: float) -> tuple[Any, Any]:
        p = next(p for end, p in parts if end is None or z < end)
        value, slope = p({"x": z})
        return value, slope

    return at


def _program(args: tuple[str, ...], values: tuple[Expr, ...], digits: int) -> Sizes:
    b = Builder(args)
    p = b.program("piece", tuple((f"v{k}", b.operand(e)) for k, e in enumerate(values)))
    return Sizes(p, digits)


_DIGITS = 60


@cache
def leading(activation: Activation) -> int | None:
    """The n of a leading power c |x|^n of s far out, the larger one of both sides, and 0 where s is
    bounded; None where it is no whole one, parameters decide or s has no spelling.
    """
    found = _evaluated(activation)
    if found is None:
        return None
    with precision(bits_of(_DIGITS)):
        near, far = (
            max(abs(found(sign * 2.0**j)) for sign in (1, -1)) for j in (_LIMIT, _LIMIT + 1)
        )
        few = 2.0 ** (_LIMIT // 2)
        if far <= 1 / few or (far <= 2 * near and near <= few):
            return 0
        ratio = far / near
        if not ratio.is_finite():
            return None
        n = round(float(ratio.log()) / log(2.0))
        return n if abs(ratio - arb(2) ** n) <= _NOTHING and n > 0 else None


@cache
def fades(activation: Activation) -> bool:
    """Whether s tends to 0 on both sides; False where parameters decide or s has no spelling."""
    found = _evaluated(activation)
    if found is None:
        return False
    return all(abs(found(sign * 2.0**_LIMIT)) <= 2.0 ** (-_LIMIT // 2) for sign in (1, -1))


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
    found = _evaluated(activation)
    if found is None:
        return inf
    ends = [found(sign * 2.0**_LIMIT) for sign in (1, -1)]
    gaps = []
    with precision(bits_of(_DIGITS)):
        for i in range(-NEAREST, 2 * NEAREST):
            places = [sign * m * 2.0**i for m in (1.0, 1.375) for sign in (1, -1)]
            gaps.append(max(abs(found(z) - ends[int(z < 0)]) for z in places))
        most = max(gaps)
        wide = [i for i, gap in enumerate(gaps) if not gap * WIDTH <= most]
        if not most > 0 or not most.is_finite() or not wide or wide[-1] == len(gaps) - 1:
            return inf
    return FLAT * 2.0 ** (wide[-1] + 1 - NEAREST)


@cache
def _evaluated(activation: Activation) -> Callable[[float], Any] | None:
    """A function of a number, off its kinks; None where parameters decide or it has no spelling."""
    if activation.params:
        return None
    try:
        derived = Derivation.of(activation)
        sampled = _sampled(derived, cells(derived.terms), _DIGITS)
        return None if sampled is None else lambda z: sampled(z)[0]
    except NtksymError:
        pass
    try:
        program = _program(("x",), (activation.expr,), _DIGITS)
    except NtksymError:
        return None
    return lambda z: program({"x": z})[0]
