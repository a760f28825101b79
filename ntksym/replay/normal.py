r"""Equality of expressions, proved: fractions of polynomials in atoms over the rationals.

An atom is $x$, $\pi$, a prime (for roots), a symbol, or a function of a normalised argument.
Exponents of atoms are rational; $e^{a+b} = e^a e^b$ and roots of positive numbers are split over
the terms and prime factors.  Two expressions are the same if numerator times denominator,
crosswise, agree term by term.  That is sound; it is not complete, and need not be.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeAlias

from .problem import NotConfirmed
from .tree import Tree

Atom: TypeAlias = tuple[Any, ...]
Monomial: TypeAlias = tuple[tuple[Atom, Fraction], ...]
Poly: TypeAlias = dict[Monomial, Fraction]
Ratio: TypeAlias = tuple[Poly, Poly]

MOST_TERMS = 4000
ODD = frozenset(("sin", "tan", "sinh", "tanh", "asin", "atan", "asinh", "atanh", "erf", "erfi"))
EVEN = frozenset(("cos", "cosh", "abs"))
_UNIT: Monomial = ()


def same(a: Tree, b: Tree, positive: frozenset[str] = frozenset()) -> bool:
    """Whether a = b is proved, where both are defined; `positive` names positive symbols.

    Raises:
        NotConfirmed: too large.
    """
    if a == b:
        return True
    (p, q), (r, s) = ratio(a, positive), ratio(b, positive)
    return _times(p, s) == _times(r, q)


def ratio(tree: Tree, positive: frozenset[str] = frozenset()) -> Ratio:
    """Numerator and denominator.

    Raises:
        NotConfirmed: too large, or division by zero.
    """
    head, *args = tree
    if head == "rat":
        return _constant(Fraction(args[0], args[1])), _constant(Fraction(1))
    if head in ("sym", "pi", "E", "I", "EulerGamma"):
        return _atom(tree), _constant(Fraction(1))
    if head == "add":
        return _sum([ratio(a, positive) for a in args])
    if head == "mul":
        p, q = _constant(Fraction(1)), _constant(Fraction(1))
        for a in args:
            r, s = ratio(a, positive)
            p, q = _times(p, r), _times(q, s)
        return _tidy(p, q)
    if head == "pow":
        return _power(args[0], args[1], positive)
    if head == "exp":
        return _exponential(ratio(args[0], positive))
    one = _constant(Fraction(1))
    if head in ODD or head in EVEN:
        p, q = ratio(args[0], positive)
        turned = bool(p) and p[min(p, key=repr)] < 0
        if turned:
            p = _times(p, _constant(Fraction(-1)))
        found = _atom((head, _key((p, q))))
        return (_times(found, _constant(Fraction(-1))) if turned and head in ODD else found), one
    key = (head, *(_key(ratio(a, positive)) if isinstance(a, tuple) else a for a in args))
    return _atom(key), one


def _constant(c: Fraction) -> Poly:
    return {_UNIT: c} if c else {}


def _atom(key: Atom, e: Fraction = Fraction(1)) -> Poly:
    return {((key, e),): Fraction(1)}


def _plus(p: Poly, q: Poly) -> Poly:
    found = dict(p)
    for m, c in q.items():
        value = found.get(m, Fraction(0)) + c
        if value:
            found[m] = value
        else:
            found.pop(m, None)
    return found


def _times(p: Poly, q: Poly) -> Poly:
    if len(p) * len(q) > MOST_TERMS * 50:
        raise NotConfirmed("an expression has too many terms to be compared")
    found: Poly = {}
    for m, c in p.items():
        for n, d in q.items():
            for key, factor in _joined(m, n).items():
                value = found.get(key, Fraction(0)) + c * d * factor
                if value:
                    found[key] = value
                else:
                    found.pop(key, None)
    return found


def _joined(m: Monomial, n: Monomial) -> Poly:
    """The product of two monomials; whole powers of primes and of i^2 become coefficients."""
    powers = dict(m)
    for atom, e in n:
        powers[atom] = powers.get(atom, Fraction(0)) + e
    factor, roots = Fraction(1), []
    for atom, e in list(powers.items()):
        if atom[0] == "prime":
            whole = e.numerator // e.denominator
            factor *= Fraction(atom[1]) ** whole
            powers[atom] = e - whole
        elif atom == ("I",) and e.denominator == 1:
            factor *= -1 if e % 4 >= 2 else 1
            powers[atom] = e % 2
        elif atom[0] == "root" and e >= 1:
            whole = e.numerator // e.denominator
            powers[atom] = e - whole
            roots += [dict(atom[1])] * whole
    base: Poly = {_sorted(powers): factor}
    for r in roots:
        base = _times(base, r)
    return base


def _sorted(powers: dict[Atom, Fraction]) -> Monomial:
    return tuple(sorted(((a, e) for a, e in powers.items() if e), key=lambda item: repr(item)))


def _sum(parts: list[Ratio]) -> Ratio:
    p, q = parts[0]
    for r, s in parts[1:]:
        p, q = (_plus(p, r), q) if q == s else (_plus(_times(p, s), _times(r, q)), _times(q, s))
    return _tidy(p, q)


def _tidy(p: Poly, q: Poly) -> Ratio:
    """A denominator of one term goes into the numerator, as negative exponents."""
    if not q:
        raise NotConfirmed("a division by zero in an expression")
    if len(q) == 1:
        ((m, c),) = q.items()
        if all(atom[0] != "root" for atom, _ in m):
            inverse: Poly = {tuple((a, -e) for a, e in m): 1 / c}
            return _times(p, inverse), _constant(Fraction(1))
    return p, q


def _power(base: Tree, exponent: Tree, positive: frozenset[str]) -> Ratio:
    e, one = _number(ratio(exponent, positive)), _constant(Fraction(1))
    p, q = ratio(base, positive)
    if e is None:
        key = ("power", _key((p, q)), _key(ratio(exponent, positive)))
        return _atom(key), one
    if e.denominator == 1:
        if abs(e) > 64:
            raise NotConfirmed("a power is too high to be compared")
        top, bottom = one, one
        for _ in range(abs(int(e))):
            top, bottom = _times(top, p), _times(bottom, q)
        return _tidy(top, bottom) if e >= 0 else _tidy(bottom, top)
    if len(p) == 1 and q == one:
        ((m, c),) = p.items()
        if c > 0 and all(_is_positive(a, positive) for a, _ in m):
            found: Poly = {tuple((a, k * e) for a, k in m): Fraction(1)}
            for prime, k in _factors(c):
                found = _times(found, _atom(("prime", prime), k * e))
            return _times(found, {_UNIT: Fraction(1)}), one
    whole = e.numerator // e.denominator
    if q == one:
        root = _atom(("root", tuple(sorted(p.items(), key=repr))), e - whole)
    else:
        root = _atom(("ratio_root", _key((p, q)), e - whole))
    rest = _power(base, ("rat", whole, 1), positive)
    return _tidy(_times(root, rest[0]), rest[1])


def _is_positive(atom: Atom, positive: frozenset[str]) -> bool:
    if atom[0] == "exp":
        return not _mentions(atom, ("I",))
    return atom[0] in ("pi", "E", "prime") or (atom[0] == "sym" and atom[1] in positive)


def _factors(c: Fraction) -> list[tuple[int, int]]:
    found = []
    for n, s in ((c.numerator, 1), (c.denominator, -1)):
        p = 2
        while p * p <= n and p < 10_000:
            k = 0
            while n % p == 0:
                n, k = n // p, k + 1
            if k:
                found.append((p, s * k))
            p += 1
        if n > 1:
            found.append((n, s))
    return found


def _number(r: Ratio) -> Fraction | None:
    p, q = r
    if set(p) <= {_UNIT} and set(q) == {_UNIT}:
        return p.get(_UNIT, Fraction(0)) / q[_UNIT]
    return None


def _exponential(r: Ratio) -> Ratio:
    p, q = r
    one = _constant(Fraction(1))
    if q != one:
        return _atom(("exp", _key(r))), one
    found = one
    for m, c in p.items():
        found = _times(found, _atom(("exp", m), c))
    return found, one


def _key(r: Ratio) -> Atom:
    """The ratio as an atom's argument, scaled so that the first term of the bottom is 1."""
    p, q = r
    lead = q[min(q, key=repr)]
    parts = [tuple(sorted(((m, c / lead) for m, c in part.items()), key=repr)) for part in (p, q)]
    return tuple(parts)


def coefficients(tree: Tree, atom: Atom) -> list[Poly] | None:
    """The polynomial in one atom, as coefficients free of it, lowest first; None if it is none."""
    p, q = ratio(tree)
    if q != _constant(Fraction(1)):
        return None
    found: dict[int, Poly] = {}
    for m, c in p.items():
        powers = dict(m)
        e = powers.pop(atom, Fraction(0))
        if e.denominator != 1 or e < 0 or any(_mentions(a, atom) for a in powers):
            return None
        found.setdefault(int(e), {})[_sorted(powers)] = c
    return [found.get(i, {}) for i in range(max(found, default=0) + 1)]


def _mentions(key: Any, atom: Atom) -> bool:
    if key == atom:
        return True
    return isinstance(key, tuple) and any(_mentions(k, atom) for k in key)
