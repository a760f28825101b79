"""Two nodes that SymPy lacks: an isolated zero, and a quotient continued through zeros."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from sympy import AtomicExpr, Expr


class Isolated(AtomicExpr):
    """The zero of `g` (in `ntksym.symbols.x`) in [lo, hi]: the only one, and g' is not 0 there.

    Attributes:
        g: the function.
        lo: the lower end.
        hi: the upper end.
    """

    __slots__ = ("g", "hi", "lo")
    is_extended_real = True
    is_finite = True
    is_commutative = True
    is_number = True

    g: Expr
    lo: Fraction
    hi: Fraction

    def __new__(cls, g: Expr, lo: Fraction, hi: Fraction) -> Isolated:
        """A number; that it is the only zero is proved by whoever makes it."""
        found: Isolated = AtomicExpr.__new__(cls)
        found.g, found.lo, found.hi = g, lo, hi
        return found

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.g, self.lo, self.hi)

    def _sympystr(self, printer: Any) -> str:
        return f"zero({self.g}, {float(self.lo):.6g}, {float(self.hi):.6g})"


class Continued(Expr):
    """The quotient args[1]/args[2], equal to args[0], continued through its removable points.

    The other arguments are the points, each with the order of the zero of the denominator there.
    """

    def _eval_derivative(self, s: Any) -> Expr:
        """(N/D)' = (N' D - N D')/D^2, with twice the orders; it is finite where N/D is analytic."""
        written, above, below, *data = self.args
        top = above.diff(s) * below - above * below.diff(s)
        orders = [2 * d if i % 2 else d for i, d in enumerate(data)]
        return Continued(written.diff(s), top, below**2, *orders)
