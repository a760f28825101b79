"""Elements of a `Field`: immutable, canonical, hashable by `key`."""

from __future__ import annotations

from typing import Any

from sympy import Expr, Symbol

from .field import Field
from .polynomial import SLOTS, Poly, poly_key

Parts = dict[tuple[int, ...], tuple[Poly, Poly]]


def reduced(num: Poly, den: Poly) -> tuple[Poly, Poly]:
    """The fraction in lowest terms, with a positive leading coefficient below."""
    if den == 1:
        return num, den
    common = num.gcd(den)
    if common != 1:
        num, den = num / common, den / common
    if int(den.leading_coefficient()) < 0:
        num, den = -num, -den
    return num, den


def _flip(p: Poly, slot: int) -> Poly:
    terms = {e: (-c if int(e[slot]) % 2 else c) for e, c in p.to_dict().items()}
    return p.context().from_dict(terms)


def _reduced_by(equations: list[Poly], parts: Parts) -> Parts:
    """Numerators modulo the minimal polynomials of the algebraic numbers among the atoms."""
    out: Parts = {}
    for ids, (num, den) in parts.items():
        for equation in equations:
            num = divmod(num, equation)[1]
        if num != 0:
            out[ids] = reduced(num, den)
    return out


def _horner(p: Poly, slot: int, value: Exact) -> Exact:
    """The polynomial with an element for one generator."""
    field = value.field
    by_power: dict[int, dict[tuple[int, ...], Any]] = {}
    for e, c in p.to_dict().items():
        rest = tuple(0 if i == slot else n for i, n in enumerate(e))
        by_power.setdefault(int(e[slot]), {})[rest] = c
    total = Exact(field, {})
    one = field.ctx.constant(1)
    for n in range(max(by_power, default=0), -1, -1):
        total = total * value
        if n in by_power:
            total = total + Exact(field, {(): (field.ctx.from_dict(by_power[n]), one)})
    return total


class Exact:
    """A sum of (rational function) x (product of square roots); see `Field`."""

    __slots__ = ("_hash", "_key", "field", "parts")

    def __init__(self, field: Field, parts: Parts) -> None:
        self.field = field
        self.parts = _reduced_by(field.equations, parts) if field.equations else parts
        self._key: tuple[Any, ...] | None = None
        self._hash: int | None = None

    # -- identity ------------------------------------------------------------------------------

    @property
    def key(self) -> tuple[Any, ...]:
        """A hashable canonical form: two elements are equal exactly when their keys are."""
        if self._key is None:
            self._key = tuple(
                (ids, poly_key(num), poly_key(den))
                for ids, (num, den) in sorted(self.parts.items(), key=lambda kv: kv[0])
            )
        return self._key

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int):
            other = self.field.integer(other)
        return isinstance(other, Exact) and self.parts == other.parts

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.key)
        return self._hash

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __repr__(self) -> str:
        return f"Exact({self.expr})"

    @property
    def is_rational_function(self) -> bool:
        """No square root, the imaginary unit included."""
        return all(not ids for ids in self.parts)

    @property
    def is_real(self) -> bool:
        """No imaginary part."""
        return all(self.field.imaginary not in ids for ids in self.parts)

    # -- arithmetic ----------------------------------------------------------------------------

    def __add__(self, other: Exact) -> Exact:
        if not other.parts:
            return self
        parts = dict(self.parts)
        for ids, (n2, d2) in other.parts.items():
            if ids not in parts:
                parts[ids] = (n2, d2)
                continue
            n1, d1 = parts[ids]
            if d1 == d2:
                num, den = reduced(n1 + n2, d1)
            else:
                common = d1.gcd(d2)
                r2 = d2 / common
                num, den = reduced(n1 * r2 + n2 * (d1 / common), d1 * r2)
            if num == 0:
                del parts[ids]
            else:
                parts[ids] = (num, den)
        return Exact(self.field, parts)

    def __neg__(self) -> Exact:
        return Exact(self.field, {ids: (-n, d) for ids, (n, d) in self.parts.items()})

    def __sub__(self, other: Exact) -> Exact:
        return self + (-other)

    def __mul__(self, other: Exact | int) -> Exact:
        if isinstance(other, int):
            other = self.field.integer(other)
        field = self.field
        total = Exact(field, {})
        for ids1, (n1, d1) in self.parts.items():
            for ids2, (n2, d2) in other.parts.items():
                num, den = n1 * n2, d1 * d2
                nested: list[Exact] = []
                for i in sorted(set(ids1) & set(ids2)):
                    if i in field.towers:
                        nested.append(field.towers[i])
                    else:
                        num = num * field.radicands[i]
                ids = tuple(sorted(set(ids1) ^ set(ids2)))
                term = Exact(field, {ids: reduced(num, den)})
                for inside in nested:
                    term = term * inside
                total = total + term
        return total

    def inverse(self) -> Exact:
        """One over the element; denominators hold no roots.

        Raises:
            ZeroDivisionError: the element is zero.
        """
        if not self.parts:
            raise ZeroDivisionError("inverse of zero")
        used = sorted({i for ids in self.parts for i in ids})
        if not used:
            num, den = self.parts[()]
            if int(num.leading_coefficient()) < 0:
                num, den = -num, -den
            return Exact(self.field, {(): (den, num)})
        if len(self.parts) == 1 and not any(i in self.field.towers for i in used):
            ((ids, (num, den)),) = self.parts.items()
            product = num
            for i in ids:
                product = product * self.field.radicands[i]
            if int(product.leading_coefficient()) < 0:
                product, den = -product, -den
            return Exact(self.field, {ids: reduced(den, product)})
        if len(self.parts) == 1:
            ((ids, (num, den)),) = self.parts.items()
            rest = self.field.integer(1)
            for i in ids:
                rest = rest * self.field.root_squared(i)
            root = Exact(self.field, {ids: (self.field.ctx.constant(1),) * 2})
            return root * (rest * Exact(self.field, {(): (num, den)})).inverse()
        conjugate = Exact(
            self.field,
            {ids: ((-n, d) if used[-1] in ids else (n, d)) for ids, (n, d) in self.parts.items()},
        )
        return conjugate * (self * conjugate).inverse()

    def __truediv__(self, other: Exact) -> Exact:
        return self * other.inverse()

    def __pow__(self, n: int) -> Exact:
        if n < 0:
            return self.inverse() ** (-n)
        result, base = self.field.integer(1), self
        while n:
            if n & 1:
                result = result * base
            base = base * base if n > 1 else base
            n >>= 1
        return result

    def sqrt(self) -> Exact:
        """The square root, positive where the element is."""
        if not self.parts:
            return self
        if not self.is_rational_function:
            one = self.field.ctx.constant(1)
            return Exact(self.field, {(self.field.tower_id(self),): (one, one)})
        num, den = self.parts[()]
        outside, ids = self.field.split_root(num * den)  # sqrt(num/den) = sqrt(num*den)/|den|
        sign, turn = self.field.absolute_sign(den)
        root = Exact(self.field, {ids: reduced(outside * sign, den)})
        return root if turn is None else root * turn

    # -- views ---------------------------------------------------------------------------------

    def diff(self, symbol: Symbol) -> Exact:
        """The derivative in one symbol."""
        slot = self.field.slot(symbol)
        field = self.field
        total = Exact(field, {})
        for ids, (num, den) in self.parts.items():
            top = num.derivative(slot) * den - num * den.derivative(slot)
            slope = Exact(field, {(): reduced(top, den * den)} if top != 0 else {})
            here = Exact(field, {(): (num, den)})
            for i in ids:
                if i in field.towers:
                    f = field.towers[i]
                    slope = slope + here * f.diff(symbol) * (f * 2).inverse()
                    continue
                f = field.radicands[i]
                df = f.derivative(slot)
                if df != 0:
                    slope = slope + here * Exact(field, {(): reduced(df, 2 * f)})
            root = Exact(field, {ids: (field.ctx.constant(1), field.ctx.constant(1))})
            total = total + slope * root
        return total

    def substitute(self, symbol: Symbol, value: Exact) -> Exact:
        """The element with `value` for `symbol`; roots are taken anew.

        Raises:
            ZeroDivisionError: a denominator vanishes there.
        """
        field = self.field
        slot = field.slot(symbol)
        roots: dict[int, Exact] = {}
        total = Exact(field, {})
        for ids, (num, den) in self.parts.items():
            term = _horner(num, slot, value) / _horner(den, slot, value)
            for i in ids:
                if i not in roots:
                    if i in field.towers:
                        roots[i] = field.towers[i].substitute(symbol, value).sqrt()
                    else:
                        roots[i] = _horner(field.radicands[i], slot, value).sqrt()
                term = term * roots[i]
            total = total + term
        return total

    def split_logarithms(self) -> tuple[Exact, Exact]:
        """(rest, factor) with exp(self) = factor * exp(rest), without integer multiples of logs.

        The multiple is the constant term of (coefficient of the logarithm) divided by the
        denominator with remainder: elements that differ by n*log(a) have the same rest.
        """
        rest, factor = self, self.field.integer(1)
        for slot, argument in tuple(self.field.logarithms.items()):
            if () not in rest.parts:
                break
            num, den = rest.parts[()]
            linear = {e: c for e, c in num.to_dict().items() if int(e[slot]) == 1}
            if not linear:
                continue
            lower = {tuple(n - (i == slot) for i, n in enumerate(e)): c for e, c in linear.items()}
            quotient, _ = divmod(self.field.ctx.from_dict(lower), den)
            n = int(quotient.to_dict().get((0,) * SLOTS, 0))
            if n:
                factor = factor * self.field.of(argument) ** n
                rest = rest - self.field.gen(self.field.atoms[slot]) * n
        return rest, factor

    def split_imaginary(self) -> tuple[Exact, Exact]:
        """(real part, imaginary part)."""
        unit = self.field.imaginary
        real, imag = {}, {}
        for ids, part in self.parts.items():
            if unit in ids:
                imag[tuple(i for i in ids if i != unit)] = part
            else:
                real[ids] = part
        return Exact(self.field, real), Exact(self.field, imag)

    def sample_sign(self) -> int:
        """The sign at the first sample point where it is not zero: an orientation, not a proof."""
        if self.parts:
            for k in range(6):
                value = self._sample_value(k)
                if value:
                    return 1 if value > 0 else -1
        return 0

    def _sample_value(self, k: int) -> float:
        field = self.field
        total = 0.0
        for ids, (num, den) in self.parts.items():
            root = 1.0
            for i in ids:
                inner = (
                    field.towers[i]._sample_value(k)
                    if i in field.towers
                    else field.sample(field.radicands[i], k)
                )
                root *= abs(inner) ** 0.5
            total += root * field.sample(num, k) / field.sample(den, k)
        return total

    def flip(self, symbol: Symbol) -> Exact | None:
        """The element with -symbol for symbol; None when a root changes."""
        field = self.field
        slot = field.slot(symbol)
        used = {i for ids in self.parts for i in ids}
        if any(
            i in field.towers or _flip(field.radicands[i], slot) != field.radicands[i] for i in used
        ):
            return None
        parts = {}
        for ids, (num, den) in self.parts.items():
            num, den = _flip(num, slot), _flip(den, slot)
            if int(den.leading_coefficient()) < 0:
                num, den = -num, -den
            parts[ids] = (num, den)
        return Exact(field, parts)

    def is_positive(self) -> bool | None:
        """Whether positive, by the assumptions on its atoms; None when they do not decide."""
        if len(self.parts) != 1:
            return None
        ((_, (num, den)),) = self.parts.items()
        signs = [self.field.termwise_sign(p) for p in (num, den)]
        return None if None in signs else signs[0] == signs[1]

    def pieces(self) -> list[Exact]:
        """Summands that print better apart; see `show.pieces`."""
        from .show import pieces

        return pieces(self)

    @property
    def expr(self) -> Expr:
        """As a SymPy expression: common factors outside, irreducible factors inside."""
        from .show import expression

        return expression(self)
