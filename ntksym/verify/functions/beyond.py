r"""The sign of a smooth function on $[T, \infty)$, by its leading terms there and a proven rest.

$f(x) = \sum_i c_i s_i(x) + R(x)$, $|R(x)| \le \sum_j C_j s_j(x)$ for $x \ge T$, with scales
$s = x^pe^{ax+bx^2}$.  A ratio of scales with $b \le 0$ and $\max(p, 0)/T + a + 2bT \le 0$ is
largest at T, so that one term that beats the sum of all the others at T beats it beyond.
`derivations/identities/enclosure.md`, section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import add, mul
from typing import Any

import sympy as sp
from flint import acb, arb, fmpq
from sympy import Expr

from ...errors import BadActivation, Undecided
from ...functions import Phi
from ...precision import precision
from ...symbols import x
from ..evaluate import constant, function, real_ball, sign_of
from .ranges import lower

Scale = tuple[Expr, Expr, Expr]
"""p, a, b of x^p exp(a x + b x^2)."""

_ZERO = sp.Integer(0)
_UNIT: Scale = (_ZERO, _ZERO, _ZERO)
_LINE: Scale = (sp.Integer(1), _ZERO, _ZERO)
_SQUARE: Scale = (sp.Integer(2), _ZERO, _ZERO)
_BITS = 128
_MOST = 400
"""So many products of terms are formed at most."""
_SHORT = 6
"""With more terms than these a second order is not formed."""
_HALF = arb(fmpq(1, 2))


@dataclass(frozen=True, slots=True)
class _Tail:
    """A function on [start, oo): its terms, and bounds of the rest."""

    start: int
    terms: dict[Scale, Expr]
    rest: dict[Scale, Any]

    def __add__(self, other: _Tail) -> _Tail:
        terms, rest = dict(self.terms), dict(self.rest)
        for s, c in other.terms.items():
            terms[s] = terms.get(s, _ZERO) + c
        for s, size in other.rest.items():
            rest[s] = rest.get(s, arb(0)) + size
        return _Tail(self.start, {s: c for s, c in terms.items() if c != 0}, rest)

    def __mul__(self, other: _Tail) -> _Tail:
        count = (len(self.terms) + len(self.rest)) * (len(other.terms) + len(other.rest))
        if count > _MOST:
            raise Undecided("too many terms far out")
        terms: dict[Scale, Expr] = {}
        rest: dict[Scale, Any] = {}
        for s, c in self.terms.items():
            for t, d in other.terms.items():
                both = _times(s, t)
                terms[both] = terms.get(both, _ZERO) + c * d
        for one, two in (
            (self.rest, _sizes(other.terms)),
            (_sizes(self.terms), other.rest),
            (self.rest, other.rest),
        ):
            for s, c in one.items():
                for t, d in two.items():
                    both = _times(s, t)
                    rest[both] = rest.get(both, arb(0)) + c * d
        return _Tail(self.start, {s: c for s, c in terms.items() if c != 0}, rest)

    def size(self) -> _Tail:
        """A bound of the absolute value, as a rest."""
        return _Tail(self.start, {}, _joined(_sizes(self.terms), self.rest))

    def most(self) -> Any:
        """The supremum of the bound on [start, oo).

        Raises:
            Undecided: a scale that grows.
        """
        sizes = self.size().rest.items()
        return sum((c * _supremum(s, self.start) for s, c in sizes), arb(0))

    def leading(self) -> tuple[Scale, Expr, _Tail]:
        """(s, c, e) with f = c s (1 + e) and |e| at most a half on [start, oo).

        Raises:
            Undecided: no term leads so clearly.
        """
        for s, c in self.terms.items():
            if sign_of(constant(c, {})) == 0:
                continue
            inverse = _Tail(self.start, {_raised(s, sp.Integer(-1)): 1 / c}, {})
            others = {t: d for t, d in self.terms.items() if t != s}
            relative = _Tail(self.start, others, self.rest) * inverse
            try:
                if relative.most() <= _HALF:
                    return s, c, relative
            except Undecided:
                continue
        raise Undecided("no term leads")


def far_sign(g: Expr, start: int) -> int:
    """The sign of g on [start, oo), start >= 1; 0 where it is not proven."""
    with precision(_BITS):
        try:
            return sign_of(constant(_tail(g, start).leading()[1], {}))
        except (Undecided, BadActivation):
            return 0


def far_bound(g: Expr, start: int) -> tuple[tuple[Any, int, Any, Any], ...]:
    """(C, k, b, a): |g(x)| is at most the sum of all C (1 + x)^k exp(b x + a x^2), x >= start.

    Raises:
        Undecided, BadActivation: no terms.
    """
    out = []
    for (p, a, b), size in _tail(g, start).size().rest.items():
        rate, square = (real_ball(constant(e, {})) for e in (a, b))
        if not size.is_finite():
            raise Undecided("no bound far out")
        whole = max(0, int(sp.ceiling(p)))
        out.append((size.upper(), whole, rate, square))
    return tuple(out)


def far_line(g: Expr, start: int) -> tuple[Expr, Any]:
    """(a x + c, e): |g(x) - a x - c| <= e (`arb`) for x >= start.

    Raises:
        Undecided, BadActivation: no terms, or others that grow.
    """
    found = _tail(g, start)
    near = {s: c for s, c in found.terms.items() if s in (_UNIT, _LINE)}
    rest = {s: c for s, c in found.terms.items() if s not in near}
    line = sum((c * x ** s[0] for s, c in near.items()), _ZERO)
    return line, _Tail(start, rest, found.rest).most().upper()


def _sizes(terms: dict[Scale, Expr]) -> dict[Scale, Any]:
    return {s: abs(real_ball(constant(c, {}))) for s, c in terms.items()}


def _joined(one: dict[Scale, Any], two: dict[Scale, Any]) -> dict[Scale, Any]:
    out = dict(one)
    for s, size in two.items():
        out[s] = out.get(s, arb(0)) + size
    return out


def _times(s: Scale, t: Scale) -> Scale:
    return (s[0] + t[0], s[1] + t[1], s[2] + t[2])


def _raised(s: Scale, e: Expr) -> Scale:
    return (s[0] * e, s[1] * e, s[2] * e)


def _supremum(s: Scale, start: int) -> Any:
    p, a, b = s
    steep = (p if sign_of(constant(p, {})) > 0 else _ZERO) / start + a + 2 * b * start
    if sign_of(constant(b, {})) > 0 or sign_of(constant(steep, {})) > 0:
        raise Undecided("a scale that grows")
    power, rate = (real_ball(constant(e, {})) for e in (p, a * start + b * start**2))
    return arb(start) ** power * rate.exp()


def _number(value: Expr, start: int) -> _Tail:
    return _Tail(start, {_UNIT: value} if value != 0 else {}, {})


def _tail(e: Any, start: int) -> _Tail:
    """The terms of an expression, by its structure.

    Raises:
        Undecided: no rule applies.
    """
    if e == x:
        return _Tail(start, {_LINE: sp.Integer(1)}, {})
    if not e.has(x):
        return _number(e, start)
    if isinstance(e, (sp.Add, sp.Mul)):
        return reduce(add if isinstance(e, sp.Add) else mul, [_tail(a, start) for a in e.args])
    if isinstance(e, sp.Pow):
        if e.exp.has(x):
            return _exp(_tail(e.exp * sp.log(e.base), start))
        return _power(_tail(e.base, start), e.exp)
    if len(e.args) != 1:
        raise Undecided(f"no terms of {e} far out")
    inner = _tail(e.args[0], start)
    if isinstance(e, sp.exp):
        return _exp(inner)
    if isinstance(e, (sp.sinh, sp.cosh)):
        sign = sp.Rational(1 if isinstance(e, sp.cosh) else -1, 2)
        minus = _exp(inner * _number(sp.Integer(-1), start))
        return _exp(inner) * _number(sp.Rational(1, 2), start) + minus * _number(sign, start)
    if isinstance(e, sp.log):
        return _log(inner)
    if isinstance(e, (sp.sin, sp.cos)) and not _settles(inner):
        return _Tail(start, {}, {_UNIT: arb(1)})
    if _settles(inner):
        return _smooth(type(e), inner)
    s, c, _ = inner.leading()
    if _grows(s) and (rule := _AT_INFINITY.get(type(e))) is not None:
        return rule(inner, sign_of(constant(c, {})))
    raise Undecided(f"no terms of {e} far out")


def _settles(f: _Tail) -> bool:
    """Whether f is a number and a bounded rest."""
    try:
        return bool(f.most().is_finite())
    except Undecided:
        return False


def _grows(s: Scale) -> bool:
    """Whether the scale tends to infinity."""
    for part in (s[2], s[1], s[0]):
        sign = sign_of(constant(part, {}))
        if sign:
            return sign > 0
    return False


def _without_number(f: _Tail) -> tuple[Expr, _Tail]:
    rest = {s: c for s, c in f.terms.items() if s != _UNIT}
    return f.terms.get(_UNIT, _ZERO), _Tail(f.start, rest, f.rest)


def _smooth(kind: Any, f: _Tail) -> _Tail:
    r"""F(k + d) to the second order in the bounded d: $|R| \le \sup|F^{(3)}|\,|d|^3/6$."""
    k, d = _without_number(f)
    forms = [kind(x)]
    for _ in range(3):
        forms.append(sp.diff(forms[-1], x))
    ball = acb(real_ball(constant(k, {})) + arb(0, d.most().upper()))
    sizes = [function(form, x)(ball, True) for form in forms]
    if not (sizes[0].is_finite() and sizes[2].is_finite() and sizes[3].is_finite()):
        raise Undecided(f"{forms[0]} is not smooth there")
    value, slope, bend = (form.subs(x, k) for form in forms[:3])
    most = [abs(size).upper() for size in sizes]
    return _number(value, f.start) + _second(d, slope, bend / 2, (most[2] / 2, most[3] / 6))


def _second(d: _Tail, slope: Expr, bend: Expr, sizes: tuple[Any, Any]) -> _Tail:
    """The sum slope d + bend d^2 and a rest of at most sizes[1] |d|^3.

    Where there are many terms already: slope d, and a rest of at most sizes[0] d^2.
    """
    first, square = d * _number(slope, d.start), d * d
    if len(d.terms) + len(d.rest) > _SHORT:
        return first + _scaled(square.size(), sizes[0])
    return first + square * _number(bend, d.start) + _scaled((square * d).size(), sizes[1])


def _scaled(f: _Tail, by: Any) -> _Tail:
    return _Tail(f.start, {}, {s: c * by for s, c in f.rest.items()})


def _exp(g: _Tail) -> _Tail:
    """exp(p x + q x^2 + k + d) with d bounded; below a Gaussian where g falls faster than x^2."""
    powers = dict(g.terms)
    a, b = powers.pop(_LINE, _ZERO), powers.pop(_SQUARE, _ZERO)
    left = _Tail(g.start, powers, g.rest)
    if _settles(left):
        outer = _Tail(g.start, {(_ZERO, a, b): sp.Integer(1)}, {})
        return outer * _smooth(sp.exp, left)
    s, c, e = g.leading()
    if sign_of(constant(c, {})) > 0:
        raise Undecided("it grows faster than a Gaussian falls")
    for order, scale in ((2, _SQUARE), (1, _LINE)):
        try:  # |g| >= |c| (1 - e) s, and s/x^order does not fall
            fall = _supremum(_times(scale, _raised(s, sp.Integer(-1))), g.start)
        except Undecided:
            continue
        least = lower(abs(real_ball(constant(c, {}))) * (1 - e.most()) / fall)
        rate = -sp.Rational(least)
        bound: Scale = (_ZERO, rate, _ZERO) if order == 1 else (_ZERO, _ZERO, rate)
        return _Tail(g.start, {}, {bound: arb(1)})
    raise Undecided("a slow fall")


def _power(f: _Tail, e: Expr) -> _Tail:
    if e.is_Integer and 0 < int(e) <= 8:
        return reduce(mul, [f] * int(e))
    if not e.is_Rational:
        raise Undecided("a power with an irrational exponent")
    s, c, d = f.leading()
    if not e.is_Integer and sign_of(constant(c, {})) < 0:
        raise Undecided("a root of a negative number")
    size, p = d.most(), arb(fmpq(int(e.p), int(e.q)))
    bends, factor = [], abs(p)
    for k in (2, 3):
        factor = factor * abs(p - k + 1) / k
        bends.append(factor * ((1 - size) ** (p - k)).max((1 + size) ** (p - k)).max(arb(1)))
    one = _number(sp.Integer(1), f.start)
    inner = one + _second(d, e, e * (e - 1) / 2, (bends[0], bends[1]))
    return _Tail(f.start, {_raised(s, e): c**e}, {}) * inner


def _log(f: _Tail) -> _Tail:
    """log(c e^(ax+bx^2) (1 + d)): |log(1 + d) - d| <= 2 d^2 for |d| <= 1/2.

    And |log(1 + d) - d + d^2/2| <= |d|^3.
    """
    s, c, d = f.leading()
    if s[0] != 0 or sign_of(constant(c, {})) < 0:
        raise Undecided("a logarithm of a power")
    outer = {_UNIT: sp.log(c), _LINE: s[1], _SQUARE: s[2]}
    main = _Tail(f.start, {t: k for t, k in outer.items() if k != 0}, {})
    return main + _second(d, sp.Integer(1), sp.Rational(-1, 2), (arb(2), arb(1)))


def _tanh(g: _Tail, sign: int) -> _Tail:
    """For g of this sign: sign (1 - 2E/(1 + E)), E = exp(-2|g|)."""
    small = _exp(g * _number(sp.Integer(-2 * sign), g.start))
    one = _number(sp.Integer(1), g.start)
    whole = one + _number(sp.Integer(-2), g.start) * small * _power(one + small, sp.Integer(-1))
    return whole * _number(sp.Integer(sign), g.start)


def _sech(g: _Tail, sign: int) -> _Tail:
    """2E/(1 + E^2), E = exp(-|g|)."""
    small = _exp(g * _number(sp.Integer(-sign), g.start))
    one = _number(sp.Integer(1), g.start)
    whole = small * _power(one + small * small, sp.Integer(-1))
    return whole * _number(sp.Integer(2), g.start)


def _complement(g: _Tail, square: Expr) -> _Tail:
    """A rest: exp(square g^2), above erfc(|g|) for -1 and above 2 Phi(-|g|) for -1/2."""
    return _exp(g * g * _number(square, g.start)).size()


def _erf(g: _Tail, sign: int) -> _Tail:
    return _number(sp.Integer(sign), g.start) + _complement(g, sp.Integer(-1))


def _erfc(g: _Tail, sign: int) -> _Tail:
    return _number(sp.Integer(1 - sign), g.start) + _complement(g, sp.Integer(-1))


def _phi(g: _Tail, sign: int) -> _Tail:
    whole = _number(sp.Integer((1 + sign) // 2), g.start)
    return whole + _scaled(_complement(g, sp.Rational(-1, 2)), _HALF)


def _atan(g: _Tail, sign: int) -> _Tail:
    """For g of this sign: sign pi/2 - atan(1/g)."""
    inner = _smooth(sp.atan, _power(g, sp.Integer(-1)))
    return _number(sign * sp.pi / 2, g.start) + inner * _number(sp.Integer(-1), g.start)


_AT_INFINITY: dict[Any, Callable[[_Tail, int], _Tail]] = {
    sp.tanh: _tanh,
    sp.sech: _sech,
    sp.erf: _erf,
    sp.erfc: _erfc,
    Phi: _phi,
    sp.atan: _atan,
}
