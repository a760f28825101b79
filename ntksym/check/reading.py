"""From SymPy expressions to normal forms: every function of the language has one reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from operator import mul

import sympy as sp
from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from ..errors import NoClosedForm
from ..exact import Exact
from ..functions import Phi, Phi2
from ..gaussian.closed import Atom
from .normal import Normal, Ratio, Roots
from .strict import StrictField


class Reader:
    """The normal form of expressions over one strict field."""

    def __init__(self, field: StrictField, given: Mapping[Symbol, Ratio] | None = None) -> None:
        self.field = field
        self.roots = Roots()
        self.given = dict(given or {})
        self._opaque: dict[tuple[object, ...], Symbol] = {}
        self._known: dict[Expr, Ratio] = {}

    @property
    def opaque(self) -> bool:
        """Whether a function without a reading occurred: then nothing may be differentiated."""
        return bool(self._opaque) or bool(self.roots.inside)

    def read(self, expr: Expr) -> Ratio:
        """The normal form.

        Raises:
            NoClosedForm: more atoms than the field has room for, or a condition that is open.
            ZeroDivisionError: a denominator that is the zero function.
        """
        if expr not in self._known:
            self._known[expr] = self._read(expr)
        return self._known[expr]

    def element(self, value: Exact) -> Ratio:
        """An element of the field as a ratio."""
        return self.normal(Normal.of(value, self.roots))

    def normal(self, value: Normal) -> Ratio:
        """A normal form as a ratio."""
        return Ratio(value, Normal.of(self.field.integer(1), self.roots))

    def atom(self, kind: str, *args: Exact) -> Ratio:
        """An atom of the engine."""
        return self.normal(Normal.atom(self.field, self.roots, Atom(kind, args)))

    def _read(self, expr: Expr) -> Ratio:
        if expr in self.given:
            given: Ratio = self.given[expr]
            return given
        if isinstance(expr, Add):
            return reduce(lambda a, b: a + b, (self.read(a) for a in expr.args))
        if isinstance(expr, Mul):
            product = self.element(self.field.integer(1))
            for a in expr.args:
                product = product * self.read(a)
            return product
        if isinstance(expr, sp.exp):
            return self.exponential(self.read(expr.args[0]))
        if isinstance(expr, Pow):
            return self._power(expr)
        if expr.is_Symbol or (expr.is_number and not expr.args):
            return self.element(self.field.of(expr))
        rule = _RULES.get(expr.func)
        args = [self.read(a) for a in expr.args] if _plain(expr) else []
        if rule is not None:
            found = rule(self, *args)
            if found is not None:
                return found
        if not _plain(expr):
            raise NoClosedForm(f"no normal form for {expr.func.__name__}")
        return self.hidden(expr.func.__name__, *args)

    def hidden(self, name: str, *args: Ratio) -> Ratio:
        """A function without a reading: one symbol for each different argument."""
        key = (name, *((a.num, a.den) for a in args))
        if key not in self._opaque:
            self._opaque[key] = Symbol(f"[{name} {len(self._opaque)}]", real=True)
        return self.element(self.field.gen(self._opaque[key]))

    def _power(self, expr: Pow) -> Ratio:
        base, exponent = expr.base, expr.exp
        if isinstance(exponent, Rational) and exponent.q in (1, 2) and abs(exponent.p) <= 64:
            factor = self.read(base)
            if exponent.q == 2:
                factor = self.sqrt(factor)
            power = reduce(mul, [factor] * abs(int(exponent.p)))
            return power if exponent > 0 else power.inverse()
        if base is sp.E:
            return self.exponential(self.read(exponent))
        logarithm = self.hidden("log", self.read(base))
        return self.exponential(logarithm * self.read(exponent))

    def sqrt(self, inside: Ratio) -> Ratio:
        """The square root: in the field, or an atom of its own."""
        found = inside.exact
        if found is not None and found.is_rational_function:
            return self.element(found.sqrt())
        num, den = inside.num, inside.den
        single = _single_exponential(num)
        if found is None and single is not None and inside.whole is not None:
            coefficient, exponent = single
            half = self.field.rational(1, 2)
            outer = self.sqrt(self.element(coefficient))
            return outer * self.normal(
                Normal.of(self.field.integer(1), self.roots, exponent * half)
            )
        radicand = num * den
        atom = Normal.atom(self.field, self.roots, self.roots.atom(radicand))
        return Ratio.of(atom, den)

    def exponential(self, exponent: Ratio) -> Ratio:
        """exp: of an element, and of whole or half multiples of i times an angle."""
        whole = exponent.whole
        if whole is None:
            return self.hidden("exp", exponent)
        zero = self.field.integer(0)
        plain = zero
        factor = self.element(self.field.integer(1))
        for (e, product), c in whole.terms.items():
            if e or len(product) > 1 or (product and product[0].kind != "asin"):
                return self.hidden("exp", exponent)
            if not product:
                plain = plain + c
                continue
            turned = self._turn(product[0].args[0], c)
            if turned is None:
                return self.hidden("exp", exponent)
            factor = factor * turned
        found = self._phase(plain)
        return factor * found

    def _phase(self, exponent: Exact) -> Ratio:
        """The exponential of an element; quarter turns i pi n/2 become numbers."""
        quarter = exponent / (self.field.i * self.field.of(sp.pi) * self.field.rational(1, 2))
        number = quarter.expr
        if isinstance(number, Integer):
            return self.element(self.field.i ** (int(number) % 4))
        if isinstance(number, Rational) and number.q == 2:
            eighth = (self.field.integer(1) + self.field.i) / self.field.integer(2).sqrt()
            return self.element(eighth ** (int(number.p) % 8))
        real, imaginary = exponent.split_imaginary()
        turns = imaginary / self.field.of(sp.pi)
        number = turns.expr
        if isinstance(number, Rational) and number.q in (3, 6):
            sixth = (self.field.integer(3).sqrt() + self.field.i) * self.field.rational(1, 2)
            power = int(number * 6) % 12
            return self.normal(Normal.of(sixth**power, self.roots, real))
        return self.normal(Normal.of(self.field.integer(1), self.roots, exponent))

    def _turn(self, sine: Exact, coefficient: Exact) -> Ratio | None:
        """exp(coefficient asin(sine)) for coefficient = i n or i n/2."""
        number = (coefficient / self.field.i).expr
        if not isinstance(number, Rational) or number.q not in (1, 2):
            return None
        one = self.field.integer(1)
        cosine = (one - sine * sine).sqrt()
        if number.q == 1:
            step = cosine + self.field.i * sine
        else:
            # half the angle lies in [-pi/4, pi/4]: its cosine is positive, its sine has the sign
            # of the sine: sqrt((1 - cos)/2) would lose it, so tan = sin/(1 + cos)
            inside = (one + cosine) * self.field.rational(1, 2)
            root = self.sqrt(self.element(inside))
            half = self.element(self.field.i * sine * self.field.rational(1, 2))
            turn = root + half * root.inverse()
            power = reduce(mul, [turn] * abs(int(number.p)))
            return power if number > 0 else power.inverse()
        return self.element(step ** int(number.p))

    # -- functions -----------------------------------------------------------------------------

    def circular(self, z: Ratio) -> tuple[Ratio, Ratio]:
        """exp(iz) and exp(-iz)."""
        turn = self.element(self.field.i) * z
        return self.exponential(turn), self.exponential(-turn)

    def asin(self, z: Ratio) -> Ratio:
        """Arcsine, with its values at quarter turns."""
        found = z.exact
        if found is None:
            return self.hidden("asin", z) if not _negative(z) else -self.hidden("asin", -z)
        angle = _ANGLES.get(found.expr)
        if angle is not None:
            return self.element(self.field.of(sp.pi * angle))
        return self.atom("asin", found)

    def constant(self, expr: Expr) -> Ratio:
        """A number."""
        return self.element(self.field.of(expr))


def _negative(z: Ratio) -> bool:
    """A canonical choice between z and -z."""
    from ..gaussian.closed import orientation

    for _, c in sorted(z.num.terms.items(), key=lambda kv: str(kv[0][0].key) + str(kv[0][1])):
        return orientation(c) < 0
    return False


def _single_exponential(form: Normal) -> tuple[Exact, Exact] | None:
    if len(form.terms) != 1:
        return None
    (((e, product), c),) = form.terms.items()
    return (c, e) if not product else None


def _plain(expr: Expr) -> bool:
    return all(isinstance(a, Expr) for a in expr.args) and not isinstance(expr, sp.hyper)


_ANGLES = {
    sign * value: sign * angle
    for sign in (1, -1)
    for value, angle in (
        (Integer(1), Rational(1, 2)),
        (Rational(1, 2), Rational(1, 6)),
        (sp.sqrt(2) / 2, Rational(1, 4)),
        (sp.sqrt(3) / 2, Rational(1, 3)),
    )
}


def _acos(r: Reader, z: Ratio) -> Ratio:
    return r.constant(sp.pi / 2) + (-r.asin(z))


def _atan(r: Reader, z: Ratio) -> Ratio:
    one = r.constant(Integer(1))
    return r.asin(z * r.sqrt(one + z * z).inverse())


def _atan2(r: Reader, y: Ratio, x: Ratio) -> Ratio | None:
    signs = [_proved_sign(r, z) for z in (x, y)]
    if signs[0] == 1:
        return _atan(r, y * x.inverse())
    if signs[1] in (1, -1):
        angle = _acos(r, x * r.sqrt(x * x + y * y).inverse())
        return angle if signs[1] > 0 else -angle
    return None


def _proved_sign(r: Reader, z: Ratio) -> int | None:
    found = z.exact
    if found is None or len(found.parts) != 1 or not found.is_real:
        return None
    (((_, (num, den))),) = found.parts.items()
    signs = [r.field.sign(p) for p in (num, den)]
    return None if None in signs else (1 if signs[0] == signs[1] else -1)


def _phi(r: Reader, z: Ratio) -> Ratio | None:
    found = z.exact
    return None if found is None else r.atom("Phi", found)


def _erf(r: Reader, z: Ratio) -> Ratio | None:
    found = _phi(r, z * r.constant(sp.sqrt(2)))
    two = r.constant(Integer(2))
    return None if found is None else two * found + r.constant(Integer(-1))


def _erfc(r: Reader, z: Ratio) -> Ratio | None:
    found = _phi(r, -z * r.constant(sp.sqrt(2)))
    return None if found is None else r.constant(Integer(2)) * found


def _phi2(r: Reader, h: Ratio, k: Ratio, c: Ratio) -> Ratio | None:
    found = [z.exact for z in (h, k, c)]
    real = [z for z in found if z is not None]
    return r.atom("Phi2", *real) if len(real) == 3 else None


def _wave(combine: Callable[[Reader, Ratio, Ratio], Ratio], circular: bool) -> Callable[..., Ratio]:
    def rule(r: Reader, z: Ratio) -> Ratio:
        if circular:
            return combine(r, *r.circular(z))
        return combine(r, r.exponential(z), r.exponential(-z))

    return rule


def _half_sum(r: Reader, a: Ratio, b: Ratio) -> Ratio:
    return (a + b) * r.constant(Rational(1, 2))


def _half_difference(r: Reader, a: Ratio, b: Ratio) -> Ratio:
    return (a + (-b)) * r.constant(Rational(1, 2))


def _over_i(r: Reader, a: Ratio, b: Ratio) -> Ratio:
    return (a + (-b)) * r.element(-r.field.i * r.field.rational(1, 2))


def _quotient(r: Reader, a: Ratio, b: Ratio) -> Ratio:
    return (a + (-b)) * (a + b).inverse()


def _tangent(r: Reader, a: Ratio, b: Ratio) -> Ratio:
    return _quotient(r, a, b) * r.element(-r.field.i)


def _abs(r: Reader, z: Ratio) -> Ratio | None:
    found = z.exact
    return None if found is None or not found.is_real else r.sqrt(z * z)


def _sign(r: Reader, z: Ratio) -> Ratio | None:
    size = _abs(r, z)
    return None if size is None else z * size.inverse()


def _log(r: Reader, z: Ratio) -> Ratio:
    return r.hidden("log", z)


_RULES: dict[type, Callable[..., Ratio | None]] = {
    sp.asin: Reader.asin,
    sp.acos: _acos,
    sp.atan: _atan,
    sp.atan2: _atan2,
    Phi: _phi,
    Phi2: _phi2,
    sp.erf: _erf,
    sp.erfc: _erfc,
    sp.sin: _wave(_over_i, True),
    sp.cos: _wave(_half_sum, True),
    sp.tan: _wave(_tangent, True),
    sp.sinh: _wave(_half_difference, False),
    sp.cosh: _wave(_half_sum, False),
    sp.tanh: _wave(_quotient, False),
    sp.Abs: _abs,
    sp.sign: _sign,
    sp.log: _log,
}
