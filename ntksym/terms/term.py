r"""Terms and their sums.

A term is $c\,x^n \exp(e + s x - t x^2/2)\,H(x - k)\,\prod_i \Phi(a_i x + b_i)$.  Products of steps
in one variable reduce to one step, so a term has at most one; steps facing left are $1 - H$.
Every number in a term is an `Exact` element, so equal functions that are built alike have equal
keys, and the order of terms is that of construction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sympy import Add, Expr, Heaviside, Max, Mul, Pow, exp

from ..exact import Exact, Field
from ..functions import Phi
from ..symbols import x

Gate = tuple[Exact, Exact]
"""(slope, offset) of a factor Phi(slope*x + offset)."""


class Key(NamedTuple):
    """Everything of a term but its coefficient."""

    power: int
    tilt: Exact
    shift: Exact
    const: Exact
    step: Exact | None
    gates: tuple[Gate, ...]


class TermSum:
    """A finite sum of terms, over one `Field`; immutable."""

    __slots__ = ("field", "terms")

    def __init__(self, field: Field, terms: dict[Key, Exact]) -> None:
        self.field = field
        self.terms = {k: c for k, c in terms.items() if c}

    # -- constructors --------------------------------------------------------------------------

    @classmethod
    def one(cls, field: Field) -> TermSum:
        """The constant 1."""
        zero = field.integer(0)
        return cls(field, {Key(0, zero, zero, zero, None, ()): field.integer(1)})

    @classmethod
    def constant(cls, c: Exact) -> TermSum:
        """The constant `c`."""
        return cls.one(c.field).scale(c)

    @classmethod
    def power(cls, field: Field, n: int) -> TermSum:
        """x**n."""
        (key,) = cls.one(field).terms
        return cls(field, {key._replace(power=n): field.integer(1)})

    @classmethod
    def exponential(cls, const: Exact, shift: Exact, tilt: Exact) -> TermSum:
        """exp(const + shift*x - tilt*x**2/2)."""
        return cls(const.field, {Key(0, tilt, shift, const, None, ()): const.field.integer(1)})

    @classmethod
    def heaviside(cls, at: Exact) -> TermSum:
        """H(x - at)."""
        (key,) = cls.one(at.field).terms
        return cls(at.field, {key._replace(step=at): at.field.integer(1)})

    @classmethod
    def gate(cls, slope: Exact, offset: Exact) -> TermSum:
        """Phi(slope*x + offset), turned so that the slope is positive where its sign is known."""
        field = slope.field
        (key,) = cls.one(field).terms
        if not slope:
            return cls.constant(field.of(Phi(offset.expr)))
        if slope.is_positive() is False:
            return cls.one(field) - cls.gate(-slope, -offset)
        return cls(field, {key._replace(gates=((slope, offset),)): field.integer(1)})

    # -- algebra -------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        return bool(self.terms)

    def scale(self, c: Exact) -> TermSum:
        """Every coefficient times `c`."""
        return TermSum(self.field, {k: a * c for k, a in self.terms.items()})

    def __add__(self, other: TermSum) -> TermSum:
        terms = dict(self.terms)
        for k, c in other.terms.items():
            terms[k] = terms[k] + c if k in terms else c
        return TermSum(self.field, terms)

    def __neg__(self) -> TermSum:
        return self.scale(self.field.integer(-1))

    def __sub__(self, other: TermSum) -> TermSum:
        return self + (-other)

    def __mul__(self, other: TermSum) -> TermSum:
        terms: dict[Key, Exact] = {}
        for k1, c1 in self.terms.items():
            for k2, c2 in other.terms.items():
                k, c = product(k1, k2), c1 * c2
                terms[k] = terms[k] + c if k in terms else c
        return TermSum(self.field, terms)

    def __pow__(self, n: int) -> TermSum:
        result = TermSum.one(self.field)
        for _ in range(n):
            result = result * self
        return result

    def derivative(self) -> tuple[TermSum, dict[Exact, TermSum]]:
        """The derivative off the kinks, and the jumps {place: height}.

        Together they are the distributional derivative: smooth part + sum height*delta(x - place).
        """
        field = self.field
        smooth = TermSum(field, {})
        jumps: dict[Exact, TermSum] = {}
        for k, c in self.terms.items():
            if k.power:
                smooth += _single(k._replace(power=k.power - 1), c * k.power)
            smooth += _single(k, c * k.shift)
            if k.tilt:
                smooth += _single(k._replace(power=k.power + 1), -(c * k.tilt))
            for i, (a, b) in enumerate(k.gates):
                rest = _single(k._replace(gates=k.gates[:i] + k.gates[i + 1 :]), c)
                smooth += rest * gate_density(a, b)
            if k.step is not None:
                height = _single(k._replace(step=None), c).at(k.step)
                jumps[k.step] = jumps[k.step] + height if k.step in jumps else height
        return smooth, {at: height for at, height in jumps.items() if height}

    def at(self, point: Exact) -> TermSum:
        """The value at a point where no step is, as a constant sum."""
        total = TermSum(self.field, {})
        zero = self.field.integer(0)
        for k, c in self.terms.items():
            const = k.const + k.shift * point - k.tilt * point * point * self.field.rational(1, 2)
            value = c * point**k.power if k.power else c
            const, factor = const.split_logarithms()
            value = value * factor
            for a, b in k.gates:
                value = value * self.field.of(Phi((a * point + b).expr))
            total += TermSum(self.field, {Key(0, zero, zero, const, None, ()): value})
        return total

    def affine(self, scale: Exact, offset: Exact) -> TermSum:
        """The function x -> self(scale*x + offset); `scale` is a number of known sign, or zero."""
        field = self.field
        if not scale:
            return self.at_limit(offset)
        line = TermSum.power(field, 1).scale(scale) + TermSum.constant(offset)
        half = field.rational(1, 2)
        total = TermSum(field, {})
        for k, c in self.terms.items():
            t, s = k.tilt, k.shift
            part = TermSum.exponential(
                k.const + s * offset - t * offset * offset * half,
                s * scale - t * scale * offset,
                t * scale * scale,
            ).scale(c)
            part = part * line**k.power
            for a, b in k.gates:
                part = part * TermSum.gate(a * scale, a * offset + b)
            if k.step is not None:
                step = TermSum.heaviside((k.step - offset) / scale)
                part = part * (step if scale.sample_sign() > 0 else TermSum.one(field) - step)
            total += part
        return total

    def at_limit(self, point: Exact) -> TermSum:
        """The value at a point, with H(0) = 1/2 for a step that is exactly there."""
        total = TermSum(self.field, {})
        for k, c in self.terms.items():
            if k.step is None:
                weight = self.field.integer(1)
            else:
                sign = (point - k.step).sample_sign()
                weight = self.field.rational(1 + sign, 2)
            total += _single(k._replace(step=None), c * weight).at(point)
        return total

    # -- views ---------------------------------------------------------------------------------

    @property
    def thresholds(self) -> tuple[Exact, ...]:
        """The places of the steps, in order of appearance."""
        return tuple(dict.fromkeys(k.step for k in self.terms if k.step is not None))

    def groups(self) -> dict[Key, dict[int, Exact]]:
        """Terms that differ in their power only: {key with power 0: {power: coefficient}}."""
        out: dict[Key, dict[int, Exact]] = {}
        for k, c in self.terms.items():
            out.setdefault(k._replace(power=0), {})[k.power] = c
        return out

    @property
    def expr(self) -> Expr:
        """As a SymPy expression in `symbols.x`."""
        out = []
        for k, c in self.terms.items():
            exponent = Add(k.const.expr, k.shift.expr * x, -k.tilt.expr * x**2 / 2)
            factors = [c.expr, Pow(x, k.power), exp(exponent)]
            if k.step is not None:
                factors.append(Heaviside(x - k.step.expr))
            factors += [Phi(a.expr * x + b.expr) for a, b in k.gates]
            out.append(Mul(*factors))
        return Add(*out)


def _single(key: Key, c: Exact) -> TermSum:
    return TermSum(c.field, {key: c})


def gate_density(a: Exact, b: Exact) -> TermSum:
    r"""$\frac{d}{dx}\Phi(ax+b) = \frac{a}{\sqrt{2\pi}}\exp(-(ax+b)^2/2)$ as a term."""
    from sympy import pi

    field = a.field
    half = field.rational(1, 2)
    norm = (field.integer(2) * field.of(pi)).sqrt()
    return TermSum.exponential(-(b * b * half), -(a * b), a * a).scale(a / norm)


def product(k1: Key, k2: Key) -> Key:
    """The key of a product of two terms; steps merge, exponents add."""
    return Key(
        k1.power + k2.power,
        k1.tilt + k2.tilt,
        k1.shift + k2.shift,
        k1.const + k2.const,
        _later(k1.step, k2.step),
        tuple(sorted(k1.gates + k2.gates, key=lambda g: (g[0].key, g[1].key))),
    )


def _later(s: Exact | None, t: Exact | None) -> Exact | None:
    """H(x - s) H(x - t) = H(x - max(s, t))."""
    if s is None or t is None:
        return t if s is None else s
    order = compare(s, t)
    if order is None:
        return s.field.gen(Max(s.expr, t.expr))
    return s if order >= 0 else t


def compare(s: Exact, t: Exact) -> int | None:
    """The sign of s - t where numbers or assumptions decide it, else None."""
    gap = s - t
    if not gap:
        return 0
    if not gap.expr.free_symbols:
        return gap.sample_sign()
    known = gap.is_positive()
    return None if known is None else (1 if known else -1)


def total(field: Field, parts: Iterable[TermSum]) -> TermSum:
    """The sum of term sums."""
    out = TermSum(field, {})
    for p in parts:
        out += p
    return out
