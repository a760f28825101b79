"""The real zeros of a smooth function: in closed form where there is one, else isolated.

A zero too many is harmless; one that cannot be located is an error.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy as sp
from sympy import Expr

from ...errors import Undecided
from ...functions import Phi
from ...symbols import x
from ..evaluate import constant, real_ball, sign_of
from ..safe import Endless
from ..surd import Surd
from .ranges import lower, upper

_MOST_KINKS = 2000
_ONE = sp.Integer(1)
_ODD = (sp.tanh, sp.sinh, sp.erf, sp.asinh, sp.atan, sp.asin, sp.atanh)
_OPEN: dict[type, tuple[Any, Any]] = {
    sp.tanh: (-1, 1),
    sp.erf: (-1, 1),
    sp.erfc: (0, 2),
    Phi: (0, 1),
    sp.atan: (-sp.pi / 2, sp.pi / 2),
}
"""The ends of the values of functions that do not reach them."""


def outside(end: Expr, up: bool) -> Fraction:
    """The end itself, or a rational number a little outside."""
    value = constant(end, {})
    exact = value.as_rational() if isinstance(value, Surd) else None
    if exact is not None:
        return Fraction(int(exact.p), int(exact.q))
    return upper(real_ball(value)) if up else lower(real_ball(value))


def all_zeros(
    g: Expr, lo: Expr | None, hi: Expr | None, reach: int | None = None
) -> tuple[Expr, ...]:
    """The zeros in closed form, perhaps of the whole line; else isolated ones near [lo, hi].

    With a reach, of infinitely many those up to it.  A product is zero where a factor is.
    """
    from .beside import zeros_beside
    from .rooted import rooted_zeros
    from .roots import isolated_zeros

    g = sp.factor_terms(g)
    if isinstance(g, sp.Mul):
        return tuple(z for a in g.args for z in all_zeros(a, lo, hi, reach))
    if isinstance(g, sp.Pow) and not g.exp.has(x):
        return all_zeros(g.base, lo, hi, reach) if g.exp.is_positive else ()
    try:
        return _zeros(g)
    except Undecided:
        pass
    for levels in (_wave_zeros, _polynomial_in_waves):
        if (wave := levels(g, lo, hi, reach)) is not None:
            return wave
    ends = [None if e is None else outside(e, up) for e, up in ((lo, False), (hi, True))]
    for way in (rooted_zeros, zeros_beside):
        found = way(g, lo, hi, lambda e, low, high: all_zeros(e, low, high, reach))
        if found is not None:
            return found
    try:
        return isolated_zeros(g, *ends)
    except Endless:
        if reach is None:
            raise
    low, high = (Fraction(reach) if e is None else e for e in (ends[0], ends[1]))
    low = -low if ends[0] is None else max(low, Fraction(-reach))
    high = min(high, Fraction(reach))
    return isolated_zeros(g, low, high) if low < high else ()


def _wave_zeros(
    g: Expr, lo: Expr | None, hi: Expr | None, reach: int | None
) -> tuple[Expr, ...] | None:
    """The zeros of c + a sin(k x + b), or of the cosine, in [lo, hi] and up to the reach.

    They may be double, as those of 1 + cos(x).  None where g is none of these, or the interval is
    infinite.
    """
    c, rest = g.as_independent(x, as_Add=True)
    a, f = rest.as_independent(x, as_Add=False)
    if not (isinstance(f, (sp.sin, sp.cos)) and f.args[0].is_polynomial(x)):
        return None
    poly, level = sp.Poly(f.args[0], x), -c / a
    if poly.degree() != 1:
        return None
    if sign_of(constant(level**2 - 1, {})) > 0:
        return ()
    if reach is None and (lo is None or hi is None):
        return None
    k, b = poly.all_coeffs()
    first = sp.asin(level) if isinstance(f, sp.sin) else sp.acos(level)
    starts = {first, sp.pi - first if isinstance(f, sp.sin) else -first}
    far = 0 if reach is None else reach
    ends = [-far if lo is None else lo, far if hi is None else hi]
    turns = [real_ball(constant((k * e + b) / (2 * sp.pi), {})) for e in ends]
    low, high = min(lower(t) for t in turns), max(upper(t) for t in turns)
    if high - low > _MOST_KINKS:
        raise Undecided(f"{g} has too many kinks for |x| <= {far}")
    whole = range(int(low) - 2, int(high) + 3)
    return tuple({(t + 2 * n * sp.pi - b) / k for n in whole for t in starts})


def _polynomial_in_waves(
    g: Expr, lo: Expr | None, hi: Expr | None, reach: int | None
) -> tuple[Expr, ...] | None:
    """The same for a polynomial in sin(u), or in cos(u), of one u: sin(x) - cos(2x).

    Its double zeros, as that one's at -pi/2, are not found by signs.  None for anything else.
    """
    waves = g.atoms(sp.sin, sp.cos)
    if not waves or g.xreplace(dict.fromkeys(waves, _ONE)).has(x):
        return None
    flat = sp.expand(g, trig=True)
    angles = {f.args[0] for f in flat.atoms(sp.sin, sp.cos) if f.has(x)}
    if len(angles) != 1:
        return None
    u, (s, c) = angles.pop(), sp.symbols("s c")
    for kept, other in ((sp.sin(u), sp.cos(u)), (sp.cos(u), sp.sin(u))):
        e = sp.expand(flat.xreplace({kept: s, other: c}))
        even = sp.expand(e.replace(lambda p: p.is_Pow and p.base == c, _even(s)))
        if even.has(x, c) or not even.is_polynomial(s):
            continue
        try:
            roots = _polynomial_zeros(even.xreplace({s: x}))
        except Undecided:
            return None
        found = [_wave_zeros(kept - r, lo, hi, reach) for r in roots]
        if all(z is not None for z in found):
            return tuple(z for zeros in found if zeros for z in zeros)
    return None


def _even(s: Expr) -> Any:
    """c^(2k) as (1 - s^2)^k; odd powers stay."""
    return lambda p: (1 - s**2) ** (p.exp / 2) if p.exp.is_even and p.exp > 0 else p


def _zeros(g: Expr) -> tuple[Expr, ...]:
    """All real zeros of a smooth expression (perhaps more), as constants.

    Raises:
        Undecided: they cannot be written down.
    """
    if not g.has(x):
        return ()
    if g.is_polynomial(x):
        return _polynomial_zeros(g)
    if isinstance(g, sp.Mul):
        return tuple(z for a in g.args for z in _zeros(a))
    if isinstance(g, sp.Pow) and not g.exp.has(x):
        return _zeros(g.base) if g.exp.is_positive else ()
    if isinstance(g, (sp.exp, sp.cosh)):
        return ()
    if isinstance(g, _ODD):
        return _zeros(g.args[0])
    if isinstance(g, sp.log):
        return _zeros(g.args[0] - 1)
    if g.is_rational_function(x):
        return _zeros(g.as_numer_denom()[0])
    if isinstance(g, sp.Add):
        c, rest = g.as_independent(x, as_Add=True)
        a, f = rest.as_independent(x, as_Add=False)
        level = -c / a
        if isinstance(f, sp.exp):
            return _zeros(f.args[0] - sp.log(level)) if sign_of(constant(level, {})) > 0 else ()
        if type(f) in _OPEN:
            low, high = _OPEN[type(f)]
            if sign_of(constant(level - low, {})) <= 0 or sign_of(constant(level - high, {})) >= 0:
                return ()
        if isinstance(f, sp.tanh):
            return _zeros(f.args[0] - sp.atanh(level))
    raise Undecided(
        f"cannot locate the kinks where {g} = 0",
        hint="write the activation with kinks at zeros of polynomials of degree two or less",
    )


def _polynomial_zeros(g: Expr) -> tuple[Expr, ...]:
    poly = sp.Poly(g, x)
    if poly.degree() > 2:
        if any(not c.is_Rational for c in poly.all_coeffs()):
            raise Undecided(f"cannot locate the kinks where {g} = 0")
        factors = [f for f, _ in poly.factor_list()[1]]
        if any(f.degree() > 2 for f in factors):
            raise Undecided(f"cannot locate the kinks where {g} = 0")
        return tuple(z for f in factors for z in _polynomial_zeros(f.as_expr()))
    if poly.degree() == 1:
        a, b = poly.all_coeffs()
        return (-b / a,)
    a, b, c = poly.all_coeffs()
    disc = (b * b - 4 * a * c).expand()
    sign = sign_of(constant(disc, {}))
    if sign < 0:
        return ()
    root = sp.sqrt(disc)
    return ((-b - root) / (2 * a), (-b + root) / (2 * a))
