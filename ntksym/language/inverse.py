r"""Inverse functions that are not real on the whole line, written with atan, asinh and log.

$\arcsin z = 2\arctan\frac{z}{1+\sqrt{1-z^2}}$, $\arccos z = \frac\pi2 - \arcsin z$,
$\mathrm{artanh}\,z = \frac12\log\frac{1+z}{1-z}$, $\mathrm{arcosh}\,z =
2\,\mathrm{arsinh}\sqrt{(z-1)/2}$ for every real z where the left side is real.  Everything that is
known of roots and logarithms then holds of them, and where z leaves its range the root says so.

$\arctan\tan z = \mathrm{sgn}(\cos z)\arcsin\sin z$, a sawtooth, is finite where tan z is not: only
its jumps are left of the poles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from sympy import Basic, Expr

from ..errors import TooLarge
from ..functions import Phi

MOST_NESTED = 4
"""Each writes its argument up to four times."""
_HALF = sp.Rational(1, 2)


def elementary(expr: Expr) -> Expr:
    """`expr` without asin, acos, atanh and acosh, and without tan inside atan: the same function.

    Where tan z has a pole atan(tan z) is 0, the mean of its limits.

    Raises:
        TooLarge: more than `MOST_NESTED` of them inside one another.
    """
    expr = expr.replace(_is_sawtooth, _sawtooth)
    if not expr.has(*_WRITTEN):
        return expr
    if _nested(expr) > MOST_NESTED:
        raise TooLarge(
            "asin, acos, atanh and acosh inside one another", hint=f"at most {MOST_NESTED} deep"
        )
    return _rewritten(expr)


def _nested(e: Basic) -> int:
    return max(map(_nested, e.args), default=0) + isinstance(e, tuple(_WRITTEN))


def _rewritten(e: Any) -> Any:
    if not e.has(*_WRITTEN):
        return e
    args = [_rewritten(a) for a in e.args]
    rule = _WRITTEN.get(type(e))
    return rule(*args) if rule else e.func(*args)


def _asin(z: Expr) -> Expr:
    if isinstance(z, sp.tanh):  # the Gudermannian: sqrt(1 - tanh^2) = sech
        return 2 * sp.atan(sp.tanh(z.args[0] / 2))
    return 2 * sp.atan(z / (1 + _other_leg(z)))


def _other_leg(z: Expr) -> Expr:
    """sqrt(1 - z^2), so that nothing cancels where |z| tends to 1."""
    if isinstance(z, (sp.sin, sp.cos)):
        return sp.Abs((sp.cos if isinstance(z, sp.sin) else sp.sin)(z.args[0]))
    if isinstance(z, sp.erf):
        above, below = _sides(z)
        return 2 * sp.sqrt(above) * sp.sqrt(below)
    if isinstance(z, sp.tanh):
        return sp.sech(z.args[0])
    if isinstance(z, sp.Pow) and z.exp.is_Integer and z.exp > 1:  # 1 - t^2 divides 1 - t^(2n)
        squares = (z.base ** (2 * k) for k in range(int(z.exp)))
        return _other_leg(z.base) * sp.sqrt(sp.Add(*squares))
    above, below = (sp.Integer(1) - z**2).as_numer_denom()
    return sp.sqrt(sp.expand(above) / below)


def _sides(z: Expr) -> tuple[Expr, Expr]:
    """(1 + z)/2 and (1 - z)/2 of z = erf(g), each without cancellation."""
    g = sp.sqrt(2) * z.args[0]
    return Phi(g), Phi(-g)


def _acos(z: Expr) -> Expr:
    return sp.pi / 2 - _asin(z)


def _atanh(z: Expr) -> Expr:
    if isinstance(z, sp.tanh):
        return z.args[0]
    if isinstance(z, sp.erf):
        above, below = map(sp.log, _sides(z))
        return (above - below) / 2
    above, below = z.as_numer_denom()
    return (sp.log(sp.expand(below + above)) - sp.log(sp.expand(below - above))) / 2


def _is_sawtooth(e: Any) -> bool:
    return isinstance(e, sp.atan) and isinstance(e.args[0], (sp.tan, sp.cot))


def _sawtooth(e: Any) -> Expr:
    wave = e.args[0]
    angle = wave.args[0] if isinstance(wave, sp.tan) else sp.pi / 2 - wave.args[0]
    return sp.sign(sp.cos(angle)) * _asin(sp.sin(angle))


def _acosh(z: Expr) -> Expr:
    if isinstance(z, sp.cosh):
        return sp.Abs(z.args[0])
    return 2 * sp.asinh(sp.sqrt(sp.expand((z - 1) * _HALF)))


_WRITTEN: dict[type[Basic], Callable[..., Expr]] = {
    sp.asin: _asin,
    sp.acos: _acos,
    sp.atanh: _atanh,
    sp.acosh: _acosh,
}
