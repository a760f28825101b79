"""Programs in doubles with exponents of their own, at many points at once: for sizes on grids.

Exponentials of variances of millions and the tails beside them are in range; an exponential is
right to as many eps as its exponent is large.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import erfc, isfinite, log, pi, prod, sqrt
from typing import Any

import numpy as np
from flint import arb

from .ops import FLOOR_EXPONENT, ONCE_EXPONENT
from .program import Operand, Program

_MOST = 2.0**40
"""Larger exponents are brought to that: few digits of an exponential are right beyond."""
_NOTHING = -2000
"""So many powers of two below another number one counts for nothing."""
_LN2 = (6.93147180369123816490e-01, 1.90821492927058770002e-10)
"""Its first 32 bits, and the rest: W. J. Cody & W. Waite 1980."""
_TAIL = -37.0
"""Below, the tail of the normal distribution is its asymptotic series to 3e-11."""
_DOUBLE = 1000
"""Exponents of two of numbers that are handed over as doubles."""


class Wide:
    """Arrays of numbers m 2^e: m doubles that are 0 or of size 1/2 to 1, e integers."""

    __slots__ = ("e", "m")
    m: Any
    e: Any

    def __init__(self, m: Any, e: Any = 0) -> None:
        self.m, more = np.frexp(m)
        self.e = np.where(self.m == 0, 0, more.astype(np.int64) + e)

    def plain(self) -> Any:
        """As doubles, 0 and infinite beyond their range."""
        return _shifted(self.m, np.minimum(self.e, -_NOTHING))

    def numbers(self) -> list[Any]:
        """Each as a float, beyond their range as `arb`; None for infinite ones and NaN."""
        pairs = zip(self.m.tolist(), self.e.tolist(), strict=True)
        return [
            None if not isfinite(m) else m * 2.0**e if abs(e) < _DOUBLE else arb(m) * arb(2) ** e
            for m, e in pairs
        ]

    def __add__(self, b: Wide) -> Wide:
        one, two, top = _alike(self, b)
        return Wide(one + two, top)

    def __sub__(self, b: Wide) -> Wide:
        return self + -b

    def __mul__(self, b: Wide) -> Wide:
        return Wide(self.m * b.m, self.e + b.e)

    def __truediv__(self, b: Wide) -> Wide:
        return Wide(self.m / b.m, self.e - b.e)

    def __neg__(self) -> Wide:
        return Wide(-self.m, self.e)

    def __abs__(self) -> Wide:
        return Wide(np.abs(self.m), self.e)


def _shifted(m: Any, e: Any) -> Any:
    return np.ldexp(m, np.maximum(e, _NOTHING).astype(np.int32))


def _alike(a: Wide, b: Wide) -> tuple[Any, Any, Any]:
    """Two numbers as multiples of one power of two, and its exponent."""
    top = np.maximum(np.where(a.m == 0, b.e, a.e), np.where(b.m == 0, a.e, b.e))
    return _shifted(a.m, a.e - top), _shifted(b.m, b.e - top), top


def _where(choice: Any, a: Wide, b: Wide) -> Wide:
    return Wide(np.where(choice, a.m, b.m), np.where(choice, a.e, b.e))


def _at_most(a: Wide, b: Wide) -> Any:
    return (a - b).m <= 0


def _max(a: Wide, b: Wide) -> Wide:
    return _where(_at_most(a, b), b, a)


def _min(a: Wide, b: Wide) -> Wide:
    return _where(_at_most(a, b), a, b)


def _sqrt0(a: Wide) -> Wide:
    odd = a.e & 1
    return Wide(np.sqrt(np.maximum(a.m * (1 + odd), 0)), (a.e - odd) // 2)


def _div0(a: Wide, b: Wide) -> Wide:
    zero = (a.m == 0) & (b.m == 0)
    return Wide(np.where(zero, 0, a.m) / np.where(zero, 0.5, b.m), a.e - b.e)


def _exp(a: Wide) -> Wide:
    x = np.clip(a.plain(), -_MOST, _MOST)
    k = np.rint(x / log(2))
    return Wide(np.exp(x - k * _LN2[0] - k * _LN2[1]), k.astype(np.int64))


def _normal(a: Wide) -> Wide:
    """Phi."""
    z = a.plain()
    near = Wide(np.array([erfc(-max(v, _TAIL) / sqrt(2)) / 2 for v in z.tolist()]))
    far = z < _TAIL
    if not far.any():
        return near
    w = _where(far, -a, _constant(1))
    square = w * w
    over = (_constant(1) / square).plain()
    series = Wide((1 - over * (1 - 3 * over * (1 - 5 * over))) / sqrt(2 * pi))
    return _where(far, _exp(square * _constant(-0.5)) * series / w, near)


def _rootdet(a: Wide, c: Wide, b: Wide) -> Wide:
    return _sqrt0(a * b - c * c)


def _gap3(s: Wide, c: Wide, h: Wide) -> Wide:
    positive = c.m > 0
    below = _where(positive, h + c, _constant(1))
    return _where(positive, s * s / below, h - c)


def _angle(s: Wide, c: Wide) -> Wide:
    one, two, _ = _alike(s, c)
    return Wide(np.arctan2(one, two))


def _turn(s: Wide, c: Wide) -> Wide:
    zero = (s.m == 0) & (c.m == 0)
    return _where(zero, _constant(pi / 2), _angle(s, c))


def _expsinh(plus: Wide, minus: Wide, b: Wide, d: Wide) -> Wide:
    grown = _exp(_div0(_max(plus, minus), d))
    half = Wide(np.sign(b.m) * np.expm1(-2 * _div0(abs(b), d).plain()) / -2)
    return grown * half


def _expcosh(plus: Wide, minus: Wide, b: Wide, d: Wide) -> Wide:
    grown = _exp(_div0(_max(plus, minus), d))
    return grown * Wide((1 + np.exp(-2 * _div0(abs(b), d).plain())) / 2)


def _constant(value: Any) -> Wide:
    """A number, to a double."""
    above, below = value.as_integer_ratio()
    e = above.bit_length() - below.bit_length()
    return Wide(float(Fraction(above, below) / Fraction(2) ** e), e)


_FLOORS = {name: Wide(1.0, n) for name, n in (("pos", FLOOR_EXPONENT), ("once", ONCE_EXPONENT))}
_MEANINGS: dict[str, Callable[..., Wide]] = {
    "pi": lambda: _constant(pi),
    "add": Wide.__add__,
    "sub": Wide.__sub__,
    "mul": Wide.__mul__,
    "div": Wide.__truediv__,
    "div0": _div0,
    "neg": Wide.__neg__,
    "abs": abs,
    "max": _max,
    "min": _min,
    "pos": lambda a: _max(a, _FLOORS["pos"]),
    "once": lambda a: _max(a, _FLOORS["once"]),
    "sqrt0": _sqrt0,
    "rootdet": _rootdet,
    "angle": _turn,
    "angle3": lambda s, c, h: _turn(s, c),
    "arc3": lambda s, c, h: s + c * _turn(s, -c),
    "asin3": lambda c, s, h: _angle(c, s),
    "gap3": _gap3,
    "select": lambda a, b, x, y: _where(_at_most(a, b), x, y),
    "exp": _exp,
    "expsinh": _expsinh,
    "expcosh": _expcosh,
    "Phi": _normal,
    "expPhi": lambda a, z: _exp(a) * _normal(z),
    "mills": lambda y: _exp(y * y * Wide(0.5)) * _normal(-y),
}
"""Operations as in `ops.OPS`; of the others those that closed forms with kinks seldom have."""


def outputs(program: Program, points: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The outputs at points given by arrays of arguments, in order: floats, or `arb` where these
    do not reach; None where they are not finite, and where an operation has no such meaning.
    """
    count = np.broadcast_shapes(*(np.shape(points[a]) for a in program.args))
    if not all(let.op in _MEANINGS for let in program.body):
        return [(None,) * len(program.outputs)] * prod(count)
    values = {a: Wide(np.asarray(points[a], float)) for a in program.args}

    def value(a: Operand) -> Wide:
        return values[a] if isinstance(a, str) else _constant(a)

    with np.errstate(all="ignore"):
        for let in program.body:
            values[let.name] = _MEANINGS[let.op](*map(value, let.args))
        ends = [value(end) for _, end in program.outputs]
    full = (Wide(np.broadcast_to(z.m, count), np.broadcast_to(z.e, count)) for z in ends)
    return list(zip(*(z.numbers() for z in full), strict=True))
