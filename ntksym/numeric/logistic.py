r"""Recognition: an activation as functions times $T^{(k)}(cx + d)$, $T(z) = \tanh(z/2)$.

The functions are those of the exact class (`beside`), most often polynomials.

Order 0 is the sigmoid and tanh, order -1 their integral $U(z) = 2\log\cosh(z/2)$ (softplus), orders
1, 2, ... their derivatives (sech squared).  Hyperbolic functions become exponentials; a rational
function of one exponential whose denominator is a power of $E + \kappa$ is a polynomial in
$G = 1/(1 + E/\kappa) = (1 - T)/2$; powers of T are combinations of its derivatives, because
$T' = (1 - T^2)/2$.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import (
    Add,
    Dummy,
    Expr,
    Integer,
    Mul,
    Poly,
    Pow,
    Rational,
    cosh,
    coth,
    csch,
    default_sort_key,
    exp,
    expand,
    fraction,
    log,
    sech,
    sinh,
    tanh,
    together,
)
from sympy.polys.polyerrors import PolynomialError

from ..activation import Activation
from ..errors import NoClosedForm
from ..functions import slope_off_jumps
from ..symbols import x
from .beside import in_class, parted
from .one_exponential import factors_of, one_exponential, power_of_gate

FAMILY = "sigmoid, tanh, softplus, sech^2 of affine arguments, times and plus the exact class"
MOST_POWERS = 12


@dataclass(frozen=True, slots=True)
class Part:
    r"""`factor`$(x)\,T^{(\mathrm{order})}(\mathrm{slope}\,x + \mathrm{offset})$.

    `factor` is a function of the exact class; order -1 is $U(z) = 2\log\cosh(z/2)$.  A reduced part
    has $T(z) - z/2$ for $T(z)$ and $T'(z) - 1/2$ for $T'(z)$: what tanhshrink is made of.
    """

    order: int
    slope: Expr
    offset: Expr
    factor: Expr
    reduced: bool = False


_Kind = tuple[int, Expr, Expr, bool]
"""Everything of a part but its factor."""


@dataclass(frozen=True, slots=True)
class LogisticSum:
    """An activation of the logistic family: a polynomial in x, a rest and parts, equal to `expr`.

    `rest` is of the exact class, and 0 or no polynomial.
    """

    activation: Activation
    polynomial: Expr
    parts: tuple[Part, ...]
    rest: Expr

    @property
    def families(self) -> tuple[tuple[Expr, Expr], ...]:
        """The distinct (slope, offset), in order of the parts."""
        return tuple(dict.fromkeys((p.slope, p.offset) for p in self.parts))

    @property
    def plain(self) -> bool:
        """Whether beside the parts, and before them, there are polynomials only."""
        return self.rest == 0 and all(p.factor.is_polynomial(x) for p in self.parts)

    @property
    def expr(self) -> Expr:
        """As a SymPy expression in tanh and its relatives, for comparison."""
        z = Dummy("z", real=True)
        total = self.polynomial + self.rest
        for p in self.parts:
            base = 2 * log(cosh(z / 2)) if p.order < 0 else tanh(z / 2)
            base = base - z / 2 if p.reduced and p.order == 0 else base
            base = base.diff(z, p.order) if p.order > 0 else base
            base = base - Rational(1, 2) if p.reduced and p.order == 1 else base
            total += p.factor * base.xreplace({z: p.slope * x + p.offset})
        return total

    def derivative(self) -> LogisticSum:
        """The derivative off the kinks, which is in the family again."""
        parts: dict[_Kind, Expr] = {}
        for p in self.parts:
            for order, factor in (
                (p.order, slope_off_jumps(p.factor)),
                (p.order + 1, p.factor * p.slope),
            ):
                key = (order, p.slope, p.offset, p.reduced and order <= 1)
                parts[key] = parts.get(key, Integer(0)) + factor
        slope = slope_off_jumps(self.polynomial + self.rest)
        return _build(self.activation, *parted(expand(slope)), parts)


def recognise(activation: Activation) -> LogisticSum:
    """The activation as a member of the logistic family.

    Raises:
        NoClosedForm: it is not; the message names the factor or the product.
    """
    reader = _Reader()
    plain = activation.expr
    for function, form in _EXPONENTIAL:
        for atom in sorted(plain.atoms(function), key=default_sort_key):
            if atom.has(x) and not _is_affine(atom.args[0]):
                raise _outside(atom)
        plain = plain.replace(function, form)
    return reader.finish(activation, reader.read(plain))


_EXPONENTIAL = (
    (tanh, lambda z: 1 - 2 / (1 + exp(2 * z))),
    (coth, lambda z: 1 + 2 / (exp(2 * z) - 1)),
    (cosh, lambda z: (exp(z) + exp(-z)) / 2),
    (sinh, lambda z: (exp(z) - exp(-z)) / 2),
    (sech, lambda z: 2 / (exp(z) + exp(-z))),
    (csch, lambda z: 2 / (exp(z) - exp(-z))),
)


def _is_affine(e: Expr) -> bool:
    return bool(e.is_polynomial(x) and Poly(e, x).degree() <= 1)


class _Reader:
    """Keeps the symbols that stand for G and for softplus of each argument."""

    def __init__(self) -> None:
        self.gates: dict[tuple[Expr, Expr], Dummy] = {}
        self.plus: dict[tuple[Expr, Expr], Dummy] = {}

    def read(self, e: Expr) -> Expr:
        """A polynomial in x and the symbols."""
        if not e.has(x) or e.is_polynomial(x):
            return e
        if not e.has(log):
            rational = self._rational(e)
            if rational is not None:
                return rational
        if isinstance(e, Add):
            return Add(*(self.read(a) for a in e.args))
        if isinstance(e, Mul):
            with_log = [a for a in e.args if a.has(log) and a.has(x)]
            if with_log and len(with_log) < len(e.args):
                rest = Mul(*(a for a in e.args if a not in with_log))
                return Mul(self.read(rest), *(self.read(a) for a in with_log))
            return Mul(*(self.read(a) for a in e.args))
        if isinstance(e, Pow) and e.exp.is_Integer and 0 < e.exp <= MOST_POWERS:
            return Pow(self.read(e.base), e.exp)
        if isinstance(e, log):
            return self._log(e)
        if in_class(e):
            return e
        raise _outside(e)

    def _rational(self, e: Expr) -> Expr | None:
        """The polynomial in G that a rational function of one exponential is, or None."""
        split = one_exponential(e)
        if split is None:
            return None
        slope, body, base = split
        top, bottom = fraction(together(body))
        powers = factors_of(bottom, base)
        if powers is None:
            return None
        constant, shift, kinds = powers
        if len(kinds) > 1 or any(n < 0 for _, _, n in kinds):
            return None
        try:
            numerator = Poly(top, base)
        except PolynomialError:
            return None
        if not kinds:
            return None
        (step, kappa, n) = kinds[0]
        gate = self._gate(step * slope, -log(kappa))
        total = Integer(0)
        for (power,), c in numerator.terms():
            i, left = divmod(power - shift, step)
            if left or not 0 <= i <= n or not c.is_polynomial(x):
                return None
            total += c * kappa ** (i - n) * (1 - gate) ** i * gate ** (n - i)
        return total / constant

    def _log(self, e: Expr) -> Expr:
        """The logarithm of a product of powers of E and of E + kappa."""
        split = one_exponential(e.args[0])
        if split is None:
            raise _outside(e)
        slope, body, base = split
        top, bottom = fraction(together(body))
        total = Integer(0)
        for side, sign in ((top, 1), (bottom, -1)):
            powers = factors_of(side, base)
            if powers is None:
                raise _outside(e)
            constant, shift, kinds = powers
            if constant.is_positive is not True:
                raise _outside(e)
            total += sign * (log(constant) + shift * slope * x)
            for step, kappa, n in kinds:
                symbol = self._softplus(step * slope, -log(kappa))
                total += sign * n * (log(kappa) + symbol)
        return total

    def _gate(self, slope: Expr, offset: Expr) -> Expr:
        """G of slope*x + offset; with a negative slope, 1 - G of the opposite."""
        if slope.could_extract_minus_sign():
            return 1 - self._gate(-slope, -offset)
        return self.gates.setdefault((slope, offset), Dummy(f"G{len(self.gates)}"))

    def _softplus(self, slope: Expr, offset: Expr) -> Expr:
        if slope.could_extract_minus_sign():
            return slope * x + offset + self._softplus(-slope, -offset)
        return self.plus.setdefault((slope, offset), Dummy(f"V{len(self.plus)}"))

    def finish(self, activation: Activation, found: Expr) -> LogisticSum:
        """Powers of G as derivatives of T, softplus as U; products of two are refused."""
        names: dict[Dummy, tuple[bool, Expr, Expr]] = {}
        names |= {g: (True, *key) for key, g in self.gates.items()}
        names |= {v: (False, *key) for key, v in self.plus.items()}
        if not names:
            raise NoClosedForm(
                f"{activation.expr} has no factor of the logistic family",
                tried=(FAMILY,),
                hint="its closed form, where it has one",
            )
        beside = Integer(0)
        parts: dict[_Kind, Expr] = {}
        symbols = tuple(names)
        for powers, c in Poly(expand(found), *symbols).terms():
            used = [(s, n) for s, n in zip(symbols, powers, strict=True) if n]
            if not used:
                beside += c
                continue
            (first, n), *_ = used
            is_gate, slope, offset = names[first]
            if len(used) > 1 or (not is_gate and n > 1):
                raise _product(activation, used, names)
            if is_gate:
                for order, weight in power_of_gate(n).items():
                    if order is None:
                        beside += c * weight
                    else:
                        key = (order, slope, offset, False)
                        parts[key] = parts.get(key, Integer(0)) + c * weight
            else:
                line = slope * x + offset
                beside += c * (line / 2 + log(2))
                key = (-1, slope, offset, False)
                parts[key] = parts.get(key, Integer(0)) + c / 2
        polynomial, rest = parted(expand(beside))
        polynomial, parts = _reduced(polynomial, parts)
        return _build(activation, polynomial, rest, parts)


def _reduced(polynomial: Expr, parts: dict[_Kind, Expr]) -> tuple[Expr, dict[_Kind, Expr]]:
    """Where the linear terms of the polynomial and of all T cancel at 0, take them together."""
    flat = {k: expand(f) for k, f in parts.items()}
    gates = [k for k, f in flat.items() if k[0] == 0 and k[2] == 0 and f != 0 and not f.has(x)]
    linear = Add(*(flat[k] * k[1] / 2 for k in gates))
    if not gates or expand(linear + polynomial.coeff(x, 1)) != 0:
        return polynomial, flat
    moved = {(*k[:3], k in gates): f for k, f in flat.items()}
    return polynomial + expand(linear * x), moved


def _build(
    activation: Activation, polynomial: Expr, rest: Expr, parts: dict[_Kind, Expr]
) -> LogisticSum:
    kept = []
    for (order, slope, offset, reduced), factor in parts.items():
        poly = expand(factor)
        if poly != 0:
            kept.append(Part(order, slope, offset, poly, reduced))
    kept.sort(key=lambda p: (default_sort_key(p.slope), default_sort_key(p.offset), p.order))
    return LogisticSum(activation, expand(polynomial), tuple(kept), rest)


def _outside(e: Expr) -> NoClosedForm:
    return NoClosedForm(
        f"{e}: the factor is not in the logistic family",
        tried=(FAMILY,),
        hint="--why shows which methods apply",
    )


def _product(activation: Activation, used: list[Any], names: dict[Any, Any]) -> NoClosedForm:
    shown = []
    for symbol, n in used:
        is_gate, slope, offset = names[symbol]
        name = "sigmoid" if is_gate else "softplus"
        shown.append(f"{name}({slope * x + offset})" + (f"**{n}" if n > 1 else ""))
    return NoClosedForm(
        f"{activation.name or activation.expr}: no closed form for the product {' * '.join(shown)}",
        where="each factor is a mixture of normal distribution functions; two at once need "
        "orthants of dimension four",
        tried=(FAMILY,),
        hint="--why shows which methods apply",
    )
