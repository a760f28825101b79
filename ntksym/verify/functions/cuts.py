"""Functions on complex balls, each with its own guard where it is not analytic.

A rule is `rule(args, analytic)`.  FLINT's functions that take an `analytic` flag get it; those
with branch cuts and no flag are guarded here: on a box that meets the cut they answer NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from flint import acb, arb

from ...functions import Phi

NAN = acb("nan")
Rule = Callable[[list[Any], bool], Any]


def _off_real_rays(z: Any) -> bool:
    """Whether z surely misses (-oo, -1] and [1, oo)."""
    return not z.imag.contains(0) or bool(abs(z.real) < 1)


def _off_imaginary_rays(z: Any) -> bool:
    """Whether z surely misses i(-oo, -1] and i[1, oo)."""
    return not z.real.contains(0) or bool(abs(z.imag) < 1)


def _off_left_of_one(z: Any) -> bool:
    """Whether z surely misses (-oo, 1]."""
    return not z.imag.contains(0) or bool(z.real > 1)


def _guarded(name: str, off_cut: Callable[[Any], bool]) -> Rule:
    def rule(args: list[Any], analytic: bool) -> Any:
        z = args[0]
        return NAN if analytic and not off_cut(z) else getattr(z, name)()

    return rule


def _asinh(args: list[Any], analytic: bool) -> Any:
    """log(z + sqrt(z^2 + 1)), odd: FLINT's own has no finite value on wide boxes."""
    z, left = args[0], bool(args[0].real.mid() < 0)
    w = -z if left else z
    value = (w + (w * w + 1).sqrt(analytic=analytic)).log(analytic=analytic)
    return -value if left else value


def _flagged(name: str) -> Rule:
    return lambda args, analytic: getattr(args[0], name)(analytic=analytic)


def _plain(name: str) -> Rule:
    return lambda args, analytic: getattr(args[0], name)()


def _phi(args: list[Any], analytic: bool) -> Any:
    return (-args[0] / arb(2).sqrt()).erfc() / 2


def _atan2(args: list[Any], analytic: bool) -> Any:
    y, x = args
    return NAN if analytic else acb(arb.atan2(y.real, x.real))


def _heaviside(args: list[Any], analytic: bool) -> Any:
    return args[0].real_heaviside(analytic=analytic)


def _log(args: list[Any], analytic: bool) -> Any:
    top = args[0].log(analytic=analytic)
    return top if len(args) == 1 else top / args[1].log(analytic=analytic)


ANALYTIC: dict[type, Rule] = {
    sp.exp: _plain("exp"),
    sp.log: _log,
    sp.sin: _plain("sin"),
    sp.cos: _plain("cos"),
    sp.tan: _plain("tan"),
    sp.cot: _plain("cot"),
    sp.sec: _plain("sec"),
    sp.csc: _plain("csc"),
    sp.sinh: _plain("sinh"),
    sp.cosh: _plain("cosh"),
    sp.tanh: _plain("tanh"),
    sp.coth: _plain("coth"),
    sp.sech: _plain("sech"),
    sp.csch: _plain("csch"),
    sp.sinc: _plain("sinc"),
    sp.asin: _guarded("asin", _off_real_rays),
    sp.acos: _guarded("acos", _off_real_rays),
    sp.atanh: _guarded("atanh", _off_real_rays),
    sp.atan: _guarded("atan", _off_imaginary_rays),
    sp.asinh: _asinh,
    sp.acosh: _guarded("acosh", _off_left_of_one),
    sp.erf: _plain("erf"),
    sp.erfc: _plain("erfc"),
    sp.erfi: _plain("erfi"),
    sp.gamma: _plain("gamma"),
    sp.Abs: _flagged("real_abs"),
    sp.sign: _flagged("real_sgn"),
    sp.Heaviside: _heaviside,
    sp.atan2: _atan2,
    Phi: _phi,
}
