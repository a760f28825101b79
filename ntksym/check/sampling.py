"""The last resort: quadrature of the definition, which has no bound and never refutes."""

from __future__ import annotations

from math import log10

from sympy import Expr, Rational, Symbol

from ..claims.expectation import Expectation
from ..claims.statement import Statement
from ..errors import BadActivation, BadCovariance, Undecided
from ..verify.balls import enclose_expr
from ..verify.sampling import sample_definition
from .enclose import Point
from .points import candidates

_POINTS = 3
_TRIES = 8
_DIGITS = 15


def sample(statement: Statement) -> tuple[int, str] | None:
    """(digits, line): to how many digits quadrature agrees with the formula; None: no samples."""
    fewest, taken = 99.0, 0
    for number, point in enumerate(candidates(statement)):
        if number == _TRIES or taken == _POINTS:
            break
        try:
            value = _value(statement, point)
            formula = float(enclose_expr(statement.rhs, dict(point), digits=_DIGITS).mid)
        except (Undecided, BadActivation, BadCovariance, ZeroDivisionError, OverflowError):
            continue
        gap = abs(value - formula) / max(abs(formula), 1e-300)
        fewest = min(fewest, -log10(max(gap, 1e-15)))
        taken += 1
    if taken < (_POINTS if statement.variables else 1):
        return None
    digits = max(0, int(fewest))
    return digits, f"quadrature agrees to {digits} digits at {taken} points; no bound"


def _value(statement: Statement, point: Point) -> float:
    values: dict[Symbol, Expr] = {s: _sampled(e, point) for s, e in statement.expectations}
    lhs = statement.lhs.xreplace(values)
    return float(enclose_expr(lhs, dict(point), digits=_DIGITS).mid)


def _sampled(e: Expectation, point: Point) -> Rational:
    """An expectation by quadrature, as the rational number that its digits say.

    Raises:
        Undecided: no quadrature for this expectation.
    """
    law = [part.subs(dict(point)) for part in e.law]
    if (e.slope and e.jumps != "ae") or not all(part.is_Rational for part in law):
        raise Undecided("no quadrature of this expectation")
    f = e.f.subs(dict(point))
    g = Rational(1) if e.g is None else e.g.subs(dict(point))
    if e.g is None:
        law = [law[0], Rational(0), law[1], Rational(0), Rational(1)]
    m1, m2, a, c, b = law
    found = sample_definition(
        f, a, c, b, means=(m1, m2), other=g, derivative_ae=e.slope, digits=_DIGITS
    )
    return Rational(str(found.value))


__all__ = ["sample"]
