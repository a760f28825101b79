r"""Closed forms: finite sums of coefficient x exp(exponent) x one of 1, asin, Phi, Phi2.

The canonical form turns every argument of Phi and Phi2 to the side where it is negative at a
sample point of small variance, with $\Phi(-h) = 1 - \Phi(h)$ and
$\Phi_2(h, k; r) = \Phi(k) - \Phi_2(-h, k; -r)$.  So tails are computed as tails, unbounded
exponentials that only seem to occur cancel, and two routes to one result meet in one form.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sympy import Expr, Symbol, pi

from ..exact import Exact, Field


class Atom(NamedTuple):
    """A transcendental factor: kind "1", "asin", "Phi", "Phi2" or "Phi*Phi", and arguments."""

    kind: str
    args: tuple[Exact, ...]


ONE = Atom("1", ())


class ClosedForm:
    """{(exponent, atom): coefficient}; immutable once built."""

    __slots__ = ("field", "terms")

    def __init__(self, field: Field, terms: dict[tuple[Exact, Atom], Exact] | None = None) -> None:
        self.field = field
        self.terms = {k: c for k, c in (terms or {}).items() if c}

    @classmethod
    def of(cls, coefficient: Exact, exponent: Exact | None = None, atom: Atom = ONE) -> ClosedForm:
        """Coefficient * exp(exponent) * atom, with the atom in canonical form."""
        field = coefficient.field
        zero = field.integer(0)
        e = zero if exponent is None else exponent
        if e and field.logarithms:
            e, factor = e.split_logarithms()
            coefficient = coefficient * factor
        return cls(field, _sum_up(((e, a), coefficient * c) for a, c in canonical(field, atom)))

    def __add__(self, other: ClosedForm) -> ClosedForm:
        return ClosedForm(self.field, _sum_up((*self.terms.items(), *other.terms.items())))

    def __sub__(self, other: ClosedForm) -> ClosedForm:
        return self + other.scale(self.field.integer(-1))

    def scale(self, c: Exact, exponent: Exact | None = None) -> ClosedForm:
        """Every term times c * exp(exponent)."""
        if exponent is None or not exponent:
            return ClosedForm(self.field, {k: a * c for k, a in self.terms.items()})
        if not self.field.logarithms:
            return ClosedForm(
                self.field, {(e + exponent, atom): a * c for (e, atom), a in self.terms.items()}
            )
        moved = []
        for (e, atom), a in self.terms.items():
            rest, factor = (e + exponent).split_logarithms()
            moved.append(((rest, atom), a * c * factor))
        return ClosedForm(self.field, _sum_up(moved))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __eq__(self, other: object) -> bool:
        """Equality as functions: the canonical forms agree term by term."""
        return isinstance(other, ClosedForm) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def diff(self, symbol: Symbol) -> ClosedForm:
        """The derivative in one symbol, in canonical form."""
        out = ClosedForm(self.field)
        for (e, atom), c in self.terms.items():
            outer = c.diff(symbol) + c * e.diff(symbol)
            if outer:
                out = out + ClosedForm(self.field, {(e, atom): outer})
            out = out + atom_derivative(self.field, atom, symbol).scale(c, e)
        return out

    def substitute(self, symbol: Symbol, value: Exact) -> ClosedForm:
        """The form with an element for a symbol, in canonical form."""
        out = ClosedForm(self.field)
        for (e, atom), c in self.terms.items():
            args = tuple(a.substitute(symbol, value) for a in atom.args)
            moved = ClosedForm.of(
                c.substitute(symbol, value), e.substitute(symbol, value), Atom(atom.kind, args)
            )
            out = out + moved
        return out

    @property
    def expr(self) -> Expr:
        """As a SymPy expression; see `render`."""
        from .render import to_sympy

        return to_sympy(self)


def _sum_up(
    items: Iterable[tuple[tuple[Exact, Atom], Exact]],
) -> dict[tuple[Exact, Atom], Exact]:
    terms: dict[tuple[Exact, Atom], Exact] = {}
    for k, c in items:
        terms[k] = terms[k] + c if k in terms else c
    return terms


def orientation(z: Exact) -> int:
    """-1, 0 or +1: the sign at the sample point; of the imaginary part where the real part is 0."""
    real, imag = z.split_imaginary()
    return real.sample_sign() or imag.sample_sign()


def canonical(field: Field, atom: Atom) -> list[tuple[Atom, Exact]]:
    """The atom as a combination of canonical atoms."""
    one = field.integer(1)
    if atom.kind == "asin":
        (r,) = atom.args
        sign = orientation(r)
        if not sign:
            return []
        return [(atom, one)] if sign > 0 else [(Atom("asin", (-r,)), -one)]
    if atom.kind == "Phi":
        (h,) = atom.args
        sign = orientation(h)
        if not sign:
            return [(ONE, field.rational(1, 2))]
        return [(atom, one)] if sign < 0 else [(ONE, one), (Atom("Phi", (-h,)), -one)]
    if atom.kind == "Phi2":
        return _canonical_phi2(field, *atom.args)
    return [(atom, one)]


def _canonical_phi2(field: Field, h: Exact, k: Exact, r: Exact) -> list[tuple[Atom, Exact]]:
    one = field.integer(1)
    if not r:
        return [
            (_phi_times_phi(a, b), c * d)
            for a, c in canonical(field, Atom("Phi", (h,)))
            for b, d in canonical(field, Atom("Phi", (k,)))
        ]
    sh, sk = orientation(h), orientation(k)
    if sh == 0 and sk == 0:
        arc = field.of(2 * pi).inverse()
        rest = [(a, c * arc) for a, c in canonical(field, Atom("asin", (r,)))]
        return [(ONE, field.rational(1, 4)), *rest]
    if sh > 0 or (sh == 0 and orientation(r) < 0):
        flipped = _canonical_phi2(field, -h, k, -r)
        return [*canonical(field, Atom("Phi", (k,))), *((a, -c) for a, c in flipped)]
    if sk > 0 or (sk == 0 and orientation(r) < 0):
        flipped = _canonical_phi2(field, h, -k, -r)
        return [*canonical(field, Atom("Phi", (h,))), *((a, -c) for a, c in flipped)]
    if str(k.key) < str(h.key):
        h, k = k, h
    return [(Atom("Phi2", (h, k, r)), one)]


def _phi_times_phi(a: Atom, b: Atom) -> Atom:
    if ONE in (a, b):
        return b if a == ONE else a
    return Atom("Phi*Phi", tuple(sorted((*a.args, *b.args), key=lambda z: str(z.key))))


def _normal_density(field: Field, h: Exact, c: Exact, atom: Atom = ONE) -> ClosedForm:
    """C * phi(h) * atom."""
    return ClosedForm.of(c / field.of(2 * pi).sqrt(), -(h * h) * field.rational(1, 2), atom)


def atom_derivative(field: Field, atom: Atom, symbol: Symbol) -> ClosedForm:
    """The derivative of an atom in one symbol, in canonical form."""
    one = field.integer(1)
    if atom.kind == "asin":
        (r,) = atom.args
        return ClosedForm.of(r.diff(symbol) / (one - r * r).sqrt())
    if atom.kind == "Phi":
        (h,) = atom.args
        return _normal_density(field, h, h.diff(symbol))
    if atom.kind == "Phi*Phi":
        out = ClosedForm(field)
        for a, b in (atom.args, atom.args[::-1]):
            out = out + _normal_density(field, a, a.diff(symbol), Atom("Phi", (b,)))
        return out
    if atom.kind == "Phi2":
        h, k, r = atom.args
        rest = one - r * r
        root = rest.sqrt()
        out = ClosedForm(field)
        for a, b in ((h, k), (k, h)):
            slope = a.diff(symbol)
            if slope:
                out = out + _normal_density(field, a, slope, Atom("Phi", ((b - r * a) / root,)))
        slope = r.diff(symbol)
        if slope:
            exponent = -(h * h - r * h * k * 2 + k * k) / (rest * 2)
            out = out + ClosedForm.of(slope / (field.of(2 * pi) * root), exponent)
        return out
    return ClosedForm(field)
