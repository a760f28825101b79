"""The field of a zero test on a claim: the sign of a polynomial is proved, or it is open.

The engine reads the sign of its Jacobians off sample points, because there it is fixed by what they
are.  In a published formula any polynomial may stand under a root, so here a sign counts only where
the assumptions, and the bounds on covariances that the claim's domain gives, prove it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sympy import Expr, Integer, StrictLessThan, Symbol
from sympy.logic.boolalg import Boolean

from ..exact import Field
from ..exact.polynomial import SLOTS, Poly, poly_key

Fact = tuple[Symbol, Expr, Expr]
"""(c, a, b): c**2 < a*b with a, b positive; so |c| < (a + b)/2."""


def facts(conditions: Iterable[Boolean]) -> tuple[Fact, ...]:
    """The bounds on covariances that conditions such as `q12**2 < q11*q22` say."""
    found = []
    for condition in conditions:
        if not isinstance(condition, StrictLessThan):
            continue
        small, large = condition.lhs, condition.rhs
        if not (small.is_Pow and small.exp == 2 and small.base.is_Symbol):
            continue
        if large == 1 or (large.is_Symbol and large.is_positive):
            found.append((small.base, large, Integer(1)))
        elif large.is_Mul and len(large.args) == 2 and all(a.is_positive for a in large.args):
            found.append((small.base, *large.args))
    return tuple(found)


class StrictField(Field):
    """A `Field` whose signs are proved."""

    def __init__(self, symbols: Iterable[Symbol], known: tuple[Fact, ...]) -> None:
        self.known = known
        super().__init__(symbols)

    def _sign(self, key: tuple[Any, ...], p: Poly) -> int | None:
        for sign in (1, -1):
            if self._positive(p * sign):
                return sign
        return None

    def _positive(self, p: Poly) -> bool:
        if self._termwise(p):
            return True
        for number, (c, a, b) in enumerate(self.known):
            p = self._bounded(p, c, a, b, SLOTS - 1 - number)
        return self._termwise(p)

    def _bounded(self, p: Poly, c: Symbol, a: Expr, b: Expr, spare: int) -> Poly:
        """A lower bound of p without c: c^2 = a*b - d with d > 0, and c > -(a + b)/2 times two."""
        slot = self.slot(c)
        gens = self.ctx.gens()
        product = self._poly(a) * self._poly(b)
        mean = self._poly(a) + self._poly(b)
        gap = gens[spare]
        total = self.ctx.constant(0)
        for exponents, coefficient in p.to_dict().items():
            power = int(exponents[slot])
            rest = tuple(0 if i == slot else int(e) for i, e in enumerate(exponents))
            term = self.ctx.from_dict({rest: coefficient})
            # everything is doubled, so that |c| <= (a + b)/2 stays in integers
            if power % 2 == 0:
                total += 2 * term * (product - gap) ** (power // 2)
            else:
                size = self._size(rest, int(coefficient))
                if size is None:
                    return self.ctx.constant(-1)
                total -= size * mean * product ** (power // 2)
        return total

    def _size(self, exponents: tuple[int, ...], coefficient: int) -> Poly | None:
        """The absolute value of a term, where its factors have known signs."""
        for i, e in enumerate(exponents):
            if e % 2 and not (i < len(self.atoms) and self.atoms[i].is_positive):
                return None
        return self.ctx.from_dict({exponents: abs(coefficient)})

    def _poly(self, positive: Expr) -> Poly:
        if positive == 1:
            return self.ctx.constant(1)
        return self.ctx.gens()[self.slot(positive)]

    def _termwise(self, p: Poly) -> bool:
        """Every term is nonnegative by the assumptions, and one is positive."""
        strict = False
        for exponents, coefficient in poly_key(p):
            sign = 1 if coefficient > 0 else -1
            sure = True
            for i, e in exponents:
                if i >= len(self.atoms):  # the spare variables are positive
                    continue
                atom = self.atoms[i]
                if e % 2 and atom.is_negative:
                    sign = -sign
                elif e % 2 and not atom.is_nonnegative:
                    return False
                sure = sure and bool(atom.is_nonzero)
            if sign < 0:
                return False
            strict = strict or sure
        return strict
