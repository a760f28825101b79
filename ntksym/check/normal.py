r"""Normal forms of formulas: sums of coefficient x exp(exponent) x a product of atoms.

The engine's closed forms hold one atom in each term; a published formula may multiply them (a
variance squares a mean) and divide by them.  `Normal` is a polynomial in atoms over the exact
field, `Ratio` a quotient of two.  A zero `Normal` is the zero function; the converse is not
claimed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Symbol

from ..exact import Exact, Field
from ..gaussian.closed import ONE, Atom, ClosedForm, atom_derivative, canonical

Product = tuple[Atom, ...]


def _order(atom: Atom) -> str:
    return f"{atom.kind}{[str(a.key) for a in atom.args]}"


@dataclass
class Roots:
    """The square roots of what is not algebraic: name of the atom to what is under it."""

    inside: dict[Atom, Normal] = field(default_factory=dict)

    def atom(self, radicand: Normal) -> Atom:
        """The root of a normal form, one atom for each."""
        for atom, known in self.inside.items():
            if known == radicand:
                return atom
        f = radicand.field
        fresh = Atom("sqrt", (f.gen(Symbol(f"[root {len(self.inside)}]", positive=True)),))
        self.inside[fresh] = radicand
        return fresh


class Normal:
    """{(exponent, product of atoms): coefficient}; immutable once built."""

    __slots__ = ("field", "roots", "terms")

    def __init__(
        self, field: Field, roots: Roots, terms: dict[tuple[Exact, Product], Exact] | None = None
    ) -> None:
        self.field = field
        self.roots = roots
        self.terms = {k: c for k, c in (terms or {}).items() if c}

    @classmethod
    def of(cls, coefficient: Exact, roots: Roots, exponent: Exact | None = None) -> Normal:
        """Coefficient * exp(exponent)."""
        zero = coefficient.field.integer(0)
        e = zero if exponent is None else exponent
        if e and coefficient.field.logarithms:
            e, factor = e.split_logarithms()
            coefficient = coefficient * factor
        return cls(coefficient.field, roots, {(e, ()): coefficient})

    @classmethod
    def atom(cls, field: Field, roots: Roots, atom: Atom) -> Normal:
        """One atom, in canonical form."""
        zero = field.integer(0)
        if atom.kind == "sqrt":
            return cls(field, roots, {(zero, (atom,)): field.integer(1)})
        return cls._sum(field, roots, [((zero, _product(a)), c) for a, c in canonical(field, atom)])

    @classmethod
    def closed(cls, form: ClosedForm, roots: Roots) -> Normal:
        """A closed form of the engine."""
        items = [((e, _product(a)), c) for (e, a), c in form.terms.items()]
        return cls._sum(form.field, roots, items)

    @classmethod
    def _sum(
        cls, field: Field, roots: Roots, items: list[tuple[tuple[Exact, Product], Exact]]
    ) -> Normal:
        terms: dict[tuple[Exact, Product], Exact] = {}
        for k, c in items:
            terms[k] = terms[k] + c if k in terms else c
        return cls(field, roots, terms)

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Normal) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __add__(self, other: Normal) -> Normal:
        items = [*self.terms.items(), *other.terms.items()]
        return Normal._sum(self.field, self.roots, items)

    def __neg__(self) -> Normal:
        return Normal(self.field, self.roots, {k: -c for k, c in self.terms.items()})

    def __sub__(self, other: Normal) -> Normal:
        return self + (-other)

    def __mul__(self, other: Normal) -> Normal:
        total = Normal(self.field, self.roots)
        plain: list[tuple[tuple[Exact, Product], Exact]] = []
        for (e1, p1), c1 in self.terms.items():
            for (e2, p2), c2 in other.terms.items():
                shared = [a for a in p1 if a.kind == "sqrt" and a in p2]
                factor = Normal.of(c1 * c2, self.roots, e1 + e2)
                rest = tuple(
                    sorted(
                        (*(a for a in p1 if a not in shared), *(a for a in p2 if a not in shared)),
                        key=_order,
                    )
                )
                if not shared:
                    plain += [((e, rest), c) for (e, _), c in factor.terms.items()]
                    continue
                here = Normal._sum(
                    self.field, self.roots, [((e, rest), c) for (e, _), c in factor.terms.items()]
                )
                for a in shared:
                    here = here * self.roots.inside[a]
                total = total + here
        return total + Normal._sum(self.field, self.roots, plain)

    @property
    def exact(self) -> Exact | None:
        """The element of the field, where there are no atoms and no exponentials."""
        if not self.terms:
            return self.field.integer(0)
        if len(self.terms) > 1:
            return None
        (((e, product), c),) = self.terms.items()
        return c if not e and not product else None

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Every atom, in canonical order."""
        return tuple(sorted({a for _, p in self.terms for a in p}, key=_order))

    def diff(self, symbol: Symbol) -> Normal:
        """The derivative in one symbol (there are no roots of atoms)."""
        out = Normal(self.field, self.roots)
        for (e, product), c in self.terms.items():
            outer = c.diff(symbol) + c * e.diff(symbol)
            out = out + Normal(self.field, self.roots, {(e, product): outer})
            for i, a in enumerate(product):
                slope = Normal.closed(atom_derivative(self.field, a, symbol), self.roots)
                rest = (*product[:i], *product[i + 1 :])
                out = out + Normal(self.field, self.roots, {(e, rest): c}) * slope
        return out

    def substitute(self, symbol: Symbol, value: Exact) -> Normal:
        """The form with an element for a symbol."""
        out = Normal(self.field, self.roots)
        for (e, product), c in self.terms.items():
            here = Normal.of(c.substitute(symbol, value), self.roots, e.substitute(symbol, value))
            for a in product:
                moved = Atom(a.kind, tuple(z.substitute(symbol, value) for z in a.args))
                here = here * Normal.atom(self.field, self.roots, moved)
            out = out + here
        return out

    def exchange(self, atom: Atom, value: Normal) -> Normal:
        """The form with a normal form for an atom."""
        out = Normal(self.field, self.roots)
        for (e, product), c in self.terms.items():
            rest = tuple(a for a in product if a != atom)
            here = Normal(self.field, self.roots, {(e, rest): c})
            for _ in range(len(product) - len(rest)):
                here = here * value
            out = out + here
        return out


def _product(atom: Atom) -> Product:
    if atom == ONE:
        return ()
    if atom.kind == "Phi*Phi":
        return tuple(sorted((Atom("Phi", (a,)) for a in atom.args), key=_order))
    return (atom,)


@dataclass(frozen=True, slots=True)
class Ratio:
    """num / den; a denominator of one term without atoms is always put into the numerator."""

    num: Normal
    den: Normal

    @classmethod
    def of(cls, num: Normal, den: Normal) -> Ratio:
        """The quotient.

        Raises:
            ZeroDivisionError: the denominator is the zero function.
        """
        if not den:
            raise ZeroDivisionError("division by zero")
        one = Normal.of(num.field.integer(1), num.roots)
        if len(den.terms) == 1:
            (((e, product), c),) = den.terms.items()
            num = num * Normal.of(c.inverse(), num.roots, -e)
            for atom in [a for a in product if a.kind == "sqrt"]:
                num = num * Normal.atom(num.field, num.roots, atom)
                product = tuple(a for a in product if a != atom)
                rest = Normal(num.field, num.roots, {(num.field.integer(0), product): c / c})
                return cls.of(num, num.roots.inside[atom] * rest)
            if not product:
                return cls(num, one)
            return cls(num, Normal(num.field, num.roots, {(num.field.integer(0), product): c / c}))
        return cls(num, den)

    def __add__(self, other: Ratio) -> Ratio:
        if self.den == other.den:
            return Ratio.of(self.num + other.num, self.den)
        return Ratio.of(self.num * other.den + other.num * self.den, self.den * other.den)

    def __mul__(self, other: Ratio) -> Ratio:
        return Ratio.of(self.num * other.num, self.den * other.den)

    def __neg__(self) -> Ratio:
        return Ratio(-self.num, self.den)

    def inverse(self) -> Ratio:
        """One over the ratio."""
        return Ratio.of(self.den, self.num)

    @property
    def whole(self) -> Normal | None:
        """The numerator, where the denominator is one."""
        one = self.den.exact
        return self.num if one is not None and one == self.den.field.integer(1) else None

    @property
    def exact(self) -> Exact | None:
        """The element of the field, where it is one."""
        whole = self.whole
        return None if whole is None else whole.exact
