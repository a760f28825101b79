r"""The field every coefficient lives in: $\mathbb{Q}(\text{symbols})$ with square roots adjoined.

An element is a sum of (rational function) x (square roots of distinct irreducible polynomials or
primes; the root of -1 is the imaginary unit).  Those products of roots are linearly independent
over the rational functions, so the form is canonical: an element is zero exactly when it has no
part.  That zero test is what the proofs rest on (Besicovitch 1940 for integers; the same argument
for polynomials).  Roots of elements that hold roots themselves are adjoined too (`towers`); there
the form still computes correctly, but two forms of one number may differ, which a proof must not
mistake for inequality.

Roots are taken of positive quantities only (variances, determinants, Jacobians), so
$\sqrt f \sqrt g = \sqrt{fg}$ holds.  Which of $f$ and $-f$ is the positive one is read off sample
points with small covariances, where every Jacobian is near one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flint import Ordering, fmpz, fmpz_mpoly_ctx
from sympy import (
    Abs,
    Add,
    ComplexRootOf,
    Expr,
    Float,
    I,
    Integer,
    Mul,
    Pow,
    Rational,
    Symbol,
    log,
)

from ..errors import NoClosedForm
from ..symbols import q12
from .factors import factors
from .polynomial import SLOTS, Poly, poly_key
from .samples import LAW, SCALES, sample_values

if TYPE_CHECKING:
    from .element import Exact


class Field:
    """Atoms (SymPy symbols and constants) on polynomial slots, and the square roots in use.

    With `opaque_roots`, roots of numbers in the activation are atoms too: what holds for an
    indeterminate holds for the number, and no nested roots arise.
    """

    def __init__(self, symbols: Iterable[Symbol] = (), *, opaque_roots: bool = False) -> None:
        self.opaque_roots = opaque_roots
        self.ctx = fmpz_mpoly_ctx.get(tuple(f"g{i}" for i in range(SLOTS)), Ordering.lex)
        self._gens = self.ctx.gens()
        self.atoms: list[Expr] = []
        self._slot: dict[Expr, int] = {}
        self._samples: list[tuple[float, ...]] = []
        self.radicands: list[Poly] = []
        self.towers: dict[int, Exact] = {}
        self.absolutes: dict[int, Poly] = {}
        self.equations: list[Poly] = []
        self.logarithms: dict[int, Expr] = {}
        self._radical: dict[tuple[Any, ...], int] = {}
        self._factors: dict[tuple[Any, ...], Any] = {}
        self._signs: dict[tuple[Any, ...], int | None] = {}
        self._exprs: dict[tuple[Any, ...], Expr] = {}
        self.imaginary = self._radical_id(self.ctx.constant(-1))
        for s in symbols:
            self.slot(s)

    # -- atoms ---------------------------------------------------------------------------------

    def slot(self, atom: Expr) -> int:
        """The polynomial slot of an atom; a new one is opened on first use."""
        if (found := self._slot.get(atom)) is not None:
            return found
        if len(self.atoms) == SLOTS:
            raise NoClosedForm(
                f"more than {SLOTS} parameters and constants in one derivation",
                hint="numbers for some of the parameters",
            )
        self._slot[atom] = len(self.atoms)
        self.atoms.append(atom)
        if isinstance(atom, log):
            self.logarithms[self._slot[atom]] = atom.args[0]
        if isinstance(atom, ComplexRootOf):  # numerators reduce by its equation
            gen, zero = self._gens[self._slot[atom]], self.ctx.constant(0)
            terms = (gen ** int(n) * int(c) for (n,), c in atom.poly.terms())
            self.equations.append(sum(terms, zero))
        known = list(zip(self.atoms, self._samples, strict=False))
        self._samples.append(sample_values(atom, len(self.atoms), known))
        return self._slot[atom]

    def sample(self, p: Poly, k: int) -> float:
        """The polynomial at sample point `k`, in floating point: for signs only."""
        total = 0.0
        for exponents, c in poly_key(p):
            term = float(c)
            for i, e in exponents:
                term *= self._samples[i][k] ** e
            total += term
        return total

    def sign(self, p: Poly) -> int | None:
        """+1 or -1 where it is known, else None.

        In parameters alone the assumptions decide, term by term.  A polynomial in the covariances
        is a variance, a determinant or a Jacobian, whose sign is fixed where the result is valid:
        the sample points decide.
        """
        key = poly_key(p)
        if key not in self._signs:
            self._signs[key] = self._sign(key, p)
        return self._signs[key]

    def _sign(self, key: tuple[Any, ...], p: Poly) -> int | None:
        used = [self.atoms[i] for i in sorted({i for exponents, _ in key for i, _ in exponents})]
        if any(a in LAW for a in used) or not any(a.free_symbols for a in used):
            values = [self.sample(p, k) for k in range(len(SCALES))]
            same = all(x > 0 for x in values) or all(x < 0 for x in values)
            return (1 if values[0] > 0 else -1) if same else None
        return self.termwise_sign(p)

    def termwise_sign(self, p: Poly) -> int | None:
        """The sign by the assumptions on the atoms, when every term has the same; else None."""
        seen = set()
        for exponents, c in poly_key(p):
            s = 1 if c > 0 else -1
            for i, e in exponents:
                atom = self.atoms[i]
                if e % 2 and atom.is_negative:
                    s = -s
                elif not (atom.is_positive if e % 2 else atom.is_nonzero):
                    return None
            seen.add(s)
        return seen.pop() if len(seen) == 1 else None

    # -- factors and radicals ------------------------------------------------------------------

    def factor(self, p: Poly) -> tuple[int, tuple[tuple[Poly, int], ...]]:
        """Content and irreducible factors, each oriented to be positive where that is known."""
        key = poly_key(p)
        if key not in self._factors:
            content, parts = factors(p)
            oriented = []
            for f, e in parts:
                sign = self.sign(f)
                if sign is None:
                    sign = 1 if int(f.leading_coefficient()) > 0 else -1
                if sign < 0:
                    f = -f
                    content *= (-1) ** e
                oriented.append((f, e))
            self._factors[key] = (content, tuple(oriented))
        found: tuple[int, tuple[tuple[Poly, int], ...]] = self._factors[key]
        return found

    def _radical_id(self, f: Poly) -> int:
        key = poly_key(f)
        if key not in self._radical:
            self._radical[key] = len(self.radicands)
            self.radicands.append(f)
        return self._radical[key]

    def tower_id(self, inside: Exact) -> int:
        """The id of the root of an element that has roots itself."""
        for i, known in self.towers.items():
            if known.key == inside.key:
                return i
        self.radicands.append(None)
        self.towers[len(self.radicands) - 1] = inside
        return len(self.radicands) - 1

    def root_squared(self, i: int) -> Exact:
        """The element whose root has the id `i`."""
        from .element import Exact

        if i in self.towers:
            return self.towers[i]
        return Exact(self, {(): (self.radicands[i], self.ctx.constant(1))})

    def split_root(self, p: Poly) -> tuple[Poly, tuple[int, ...]]:
        r"""(outside, ids) with $\sqrt p = $ outside x (product of the roots `ids`)."""
        content, parts = self.factor(p)
        outside = self.ctx.constant(1)
        ids: set[int] = set()
        # factors of unknown sign stay under one root: sqrt(f)*sqrt(g) is not sqrt(f*g) for both < 0
        open_signs = self.ctx.constant(1)
        for f, e in parts:
            if e % 2 and self.sign(f) is None:
                open_signs *= f
        if open_signs != 1:
            ids.add(self._radical_id(open_signs if content > 0 else -open_signs))
        elif content < 0:
            ids.add(self.imaginary)
        for prime, e in fmpz(abs(content)).factor():
            outside *= self.ctx.constant(int(prime) ** (int(e) // 2))
            if int(e) % 2:
                ids.add(self._radical_id(self.ctx.constant(int(prime))))
        for f, e in parts:
            half = e // 2
            if half % 2 and self.sign(f) is None:  # |f|**half = f**(half - 1) * |f|
                ids.add(self._absolute_id(f))
                half -= 1
            outside *= f**half
            if e % 2 and self.sign(f) is not None:
                ids.add(self._radical_id(f))
        return outside, tuple(sorted(ids))

    def absolute_sign(self, p: Poly) -> tuple[int, Exact | None]:
        """(s, t) with p/|p| = s*t: s is +-1, t is |f|/f for factors of unknown sign, or None."""
        from .element import Exact

        content, parts = self.factor(p)
        one = self.ctx.constant(1)
        turn: Exact | None = None
        for f, e in parts:
            if e % 2 and self.sign(f) is None:
                here = Exact(self, {(self._absolute_id(f),): (one, one)}) / Exact(
                    self, {(): (f, one)}
                )
                turn = here if turn is None else turn * here
        return (1 if content > 0 else -1), turn

    def _absolute_id(self, f: Poly) -> int:
        """The id of |f|, the root of f**2, for f of unknown sign."""
        i = self._radical_id(f * f)
        self.absolutes[i] = f
        return i

    # -- elements ------------------------------------------------------------------------------

    def integer(self, n: int) -> Exact:
        """The integer as an element."""
        from .element import Exact

        return Exact(self, {(): (self.ctx.constant(n), self.ctx.constant(1))} if n else {})

    def rational(self, num: int, den: int = 1) -> Exact:
        """The fraction as an element."""
        return self.integer(num) / self.integer(den)

    def gen(self, atom: Expr) -> Exact:
        """An atom as an element."""
        from .element import Exact

        return Exact(self, {(): (self._gens[self.slot(atom)], self.ctx.constant(1))})

    @property
    def i(self) -> Exact:
        """The imaginary unit."""
        from .element import Exact

        one = self.ctx.constant(1)
        return Exact(self, {(self.imaginary,): (one, one)})

    def of(self, expr: Expr | int) -> Exact:
        """A SymPy expression without `x` as an element; what is not algebraic becomes an atom."""
        if isinstance(expr, int):
            return self.integer(expr)
        match expr:
            case Rational():
                return self.rational(int(expr.p), int(expr.q))
            case Float():
                exact = Rational(str(expr))
                return self.rational(int(exact.p), int(exact.q))
            case Add():
                total = self.integer(0)
                for a in expr.args:
                    total = total + self.of(a)
                return total
            case Mul():
                product = self.integer(1)
                for a in expr.args:
                    product = product * self.of(a)
                return product
            case log() if isinstance(expr.args[0], Rational) and expr.args[0] > 0:
                total = self.integer(0)
                for number, sign in ((expr.args[0].p, 1), (expr.args[0].q, -1)):
                    for prime, e in fmpz(int(number)).factor():
                        total = total + self.gen(log(Integer(int(prime)))) * (sign * int(e))
                return total
            case Abs():
                inner = self.of(expr.args[0])
                return (inner * inner).sqrt()
            case Pow(base=base, exp=Integer() as n):
                return self.of(base) ** int(n)
            case Pow(base=base, exp=Rational() as e) if e.q == 2:
                if self.opaque_roots and base.is_number:
                    return self.gen(Pow(base, Rational(1, 2))) ** int(e.p)
                return self.of(base).sqrt() ** int(e.p)
        if expr is I:
            return self.i
        return self.gen(expr)

    def poly_expr(self, p: Poly) -> Expr:
        """A polynomial as a SymPy sum, expanded."""
        return self._sum_expr(poly_key(p))

    def _sum_expr(self, key: tuple[Any, ...]) -> Expr:
        terms = []
        for exponents, c in key:
            terms.append(Mul(Integer(c), *(Pow(self.atoms[i], e) for i, e in exponents)))
        return Add(*terms)

    def factor_expr(self, key: tuple[Any, ...]) -> Expr:
        """An irreducible factor; its part without q12 is factored: (1+q11)(1+q22) - q12**2."""
        if key not in self._exprs:
            self._exprs[key] = self._factor_expr(key)
        return self._exprs[key]

    def _factor_expr(self, key: tuple[Any, ...]) -> Expr:
        slot = self._slot.get(q12)
        without = tuple(t for t in key if all(i != slot for i, _ in t[0]))
        if len(key) < 4 or len(without) < 3 or len(without) == len(key):
            return self._sum_expr(key)
        free = self.ctx.from_dict({self._dense(exponents): c for exponents, c in without})
        content, parts = self.factor(free)
        if len(parts) < 2:
            return self._sum_expr(key)
        product = Mul(content, *(Pow(self.poly_expr(f), e) for f, e in parts))
        return product + self._sum_expr(tuple(t for t in key if t not in without))

    def _dense(self, exponents: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
        at = dict(exponents)
        return tuple(at.get(i, 0) for i in range(SLOTS))
