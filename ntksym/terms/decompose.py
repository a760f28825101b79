"""SymPy -> TermSum, or an error that names the factor that is outside the algebra."""

from __future__ import annotations

from collections.abc import Callable

from sympy import (
    Abs,
    Add,
    And,
    Basic,
    Expr,
    Heaviside,
    Integer,
    Max,
    Min,
    Mul,
    Not,
    Or,
    Piecewise,
    Poly,
    Pow,
    Rational,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    log,
    sign,
    sin,
    sinh,
)
from sympy.core.relational import Ge, Gt, Le, Lt, Relational
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from ..errors import NoClosedForm, NotSquareIntegrable
from ..exact import Exact, Field
from ..functions import Phi
from ..symbols import x
from .cells import on_cells, positive_where
from .term import TermSum, total

ALGEBRA = "powers, exponentials, Gaussians, sin, cos, sinh, cosh, erf, Phi, steps and their sums"
MAX_TERMS = 4000


def decompose(expr: Expr, field: Field) -> TermSum:
    """The term sum that equals `expr` (a function of `symbols.x`) everywhere off its kinks.

    Raises:
        NoClosedForm: a factor is outside the algebra; the message names it.
        NotSquareIntegrable: an exponential of a polynomial that grows faster than a Gaussian.
    """
    try:
        result = _of(expr, field)
    except NoClosedForm:
        if _outgrows(expr, field):
            raise NotSquareIntegrable(
                f"{expr} outgrows every Gaussian: E[s(u)^2] is infinite for every q",
                hint="an exponent of degree two at most",
            ) from None
        raise
    if len(result.terms) > MAX_TERMS:
        raise NoClosedForm(
            f"{len(result.terms)} terms: more than {MAX_TERMS}",
            hint="a method without closed forms",
        )
    return result


def _outgrows(expr: Expr, field: Field) -> bool:
    """Whether it is a polynomial times exp of one that no Gaussian holds.

    What is a part of something else, or holds on a part of the line, says nothing of the whole:
    exp(-|x|^3), exp(x^4)/(1 + exp(x^4)).
    """
    steep = [f for f in Mul.make_args(expr) if not f.is_polynomial(x)]
    if len(steep) != 1 or not isinstance(steep[0], exp) or not steep[0].args[0].is_polynomial(x):
        return False
    exponent = Poly(steep[0].args[0], x)
    degree = exponent.degree()
    return degree > 2 and bool(degree % 2 or field.of(exponent.LC()).is_positive())


def _of(expr: Expr, field: Field) -> TermSum:
    if not expr.has(x):
        return _constant(expr, field)
    if expr == x:
        return TermSum.power(field, 1)
    one = TermSum.one(field)
    match expr:
        case Add():
            return total(field, (_of(a, field) for a in expr.args))
        case Mul():
            out = one
            for a in expr.args:
                out = out * _of(a, field)
                if len(out.terms) > MAX_TERMS:
                    raise NoClosedForm(
                        f"{expr}: more than {MAX_TERMS} terms", hint="a method without closed forms"
                    )
            return out
        case Abs():
            inner = _of(expr.args[0], field)
            return inner * (_indicator(inner, expr).scale(field.integer(2)) - one)
        case sign():
            return _indicator(_of(expr.args[0], field), expr).scale(field.integer(2)) - one
        case Heaviside():
            return _indicator(_of(expr.args[0], field), expr)
        case Max() | Min():
            return _extreme(expr, field)
        case Piecewise():
            return _piecewise(expr, field)
        case exp():
            return on_cells(_of(expr.args[0], field), lambda p: _exponential(p, expr))
        case sin() | cos() | sinh() | cosh():
            unit = field.i if isinstance(expr, (sin, cos)) else field.integer(1)
            return on_cells(_of(expr.args[0], field), lambda p: _wave(p, expr, unit))
        case erf():
            return on_cells(_of(expr.args[0], field), _gate(expr, 2, -1, field, True))
        case erfc():
            return one.scale(field.integer(2)) - on_cells(
                _of(expr.args[0], field), _gate(expr, 2, 0, field, True)
            )
        case Phi():
            return on_cells(_of(expr.args[0], field), _gate(expr, 1, 0, field, False))
        case Pow():
            return _power(expr, field)
    raise _outside(expr)


def _outside(factor: Basic, why: str = "") -> NoClosedForm:
    return NoClosedForm(
        f"no closed form: the factor {factor} is not in the term algebra" + why,
        tried=(ALGEBRA,),
        hint="`ntksym eval`, best_dual and compile in Python: its kernel with a bound",
    )


def _constant(expr: Expr, field: Field) -> TermSum:
    """A function without x; exponentials go to the exponent, where they combine."""
    if isinstance(expr, Add):
        return total(field, (_constant(a, field) for a in expr.args))
    zero = field.integer(0)
    if isinstance(expr, exp):
        return TermSum.exponential(field.of(expr.args[0]), zero, zero)
    if isinstance(expr, Mul):
        out = TermSum.one(field)
        for a in expr.args:
            out = out * _constant(a, field)
        return out
    if isinstance(expr, (sin, cos, sinh, cosh)):
        argument = TermSum.constant(field.of(expr.args[0]))
        unit = field.i if isinstance(expr, (sin, cos)) else field.integer(1)
        return _wave(argument, expr, unit)
    if isinstance(expr, Pow) and isinstance(expr.exp, Integer) and expr.exp > 0:
        return _constant(expr.base, field) ** int(expr.exp)
    return TermSum.constant(field.of(expr))


def _indicator(f: TermSum, source: Expr) -> TermSum:
    return positive_where(f, source)


def _extreme(expr: Expr, field: Field) -> TermSum:
    largest = isinstance(expr, Max)
    parts = [_of(a, field) for a in sorted(expr.args, key=str)]
    best = parts[0]
    for p in parts[1:]:
        gap = p - best if largest else best - p
        best = best + (p - best) * positive_where(gap, expr)
    return best


def _piecewise(expr: Expr, field: Field) -> TermSum:
    out = TermSum(field, {})
    left = TermSum.one(field)
    for value, condition in expr.args:
        here = left * _region(condition, field)
        if here:
            out = out + here * _of(value, field)
        left = left - here
    if left:
        raise NoClosedForm(
            f"{expr}: no value is given on part of the line", hint="a last piece (value, True)"
        )
    return out


def _region(condition: Basic, field: Field) -> TermSum:
    one = TermSum.one(field)
    match condition:
        case BooleanTrue():
            return one
        case BooleanFalse():
            return TermSum(field, {})
        case And():
            out = one
            for a in condition.args:
                out = out * _region(a, field)
            return out
        case Or():
            out = one
            for a in condition.args:
                out = out * (one - _region(a, field))
            return one - out
        case Not():
            return one - _region(condition.args[0], field)
        case Gt() | Ge():
            return positive_where(_of(condition.lhs - condition.rhs, field), condition)
        case Lt() | Le():
            return positive_where(_of(condition.rhs - condition.lhs, field), condition)
        case Relational():
            # an equality holds on a null set, its negation almost everywhere
            return one if condition.rel_op == "!=" else TermSum(field, {})
    raise _outside(condition, " (a condition)")


def _line(p: TermSum, source: Expr) -> tuple[Exact, Exact]:
    """(slope, offset) of a step-free polynomial of degree one."""
    quadratic, slope, offset = _quadratic(p, source)
    if quadratic:
        raise _outside(source, ": its argument is not affine")
    return slope, offset


def _quadratic(p: TermSum, source: Expr) -> tuple[Exact, Exact, Exact]:
    field = p.field
    powers: dict[int, Exact] = {}
    for k, c in p.terms.items():
        if k.tilt or k.shift or k.gates:
            raise _outside(source)
        if k.const:
            c = c * field.of(exp(k.const.expr))
        powers[k.power] = powers[k.power] + c if k.power in powers else c
    degree = max((n for n, c in powers.items() if c), default=0)
    if degree > 2:
        raise _outside(source, ": its argument has degree more than two")
    zero = field.integer(0)
    return powers.get(2, zero), powers.get(1, zero), powers.get(0, zero)


def _exponential(p: TermSum, source: Expr) -> TermSum:
    quadratic, slope, offset = _quadratic(p, source)
    return TermSum.exponential(offset, slope, quadratic * -2)


def _wave(p: TermSum, source: Expr, unit: Exact) -> TermSum:
    """sin, cos, sinh, cosh as two exponentials."""
    slope, offset = _line(p, source)
    field = p.field
    zero = field.integer(0)
    plus = TermSum.exponential(offset * unit, slope * unit, zero)
    minus = TermSum.exponential(-(offset * unit), -(slope * unit), zero)
    half = field.rational(1, 2)
    if isinstance(source, (cos, cosh)):
        return (plus + minus).scale(half)
    return (plus - minus).scale(half / unit)


def _gate(
    source: Expr, factor: int, constant: int, field: Field, root_two: bool
) -> Callable[[TermSum], TermSum]:
    """factor*Phi(argument) + constant, with the argument of erf stretched by sqrt(2)."""

    def build(p: TermSum) -> TermSum:
        slope, offset = _line(p, source)
        if root_two:
            stretch = field.integer(2).sqrt()
            slope, offset = slope * stretch, offset * stretch
        result = TermSum.gate(slope, offset).scale(field.integer(factor))
        return result + TermSum.constant(field.integer(constant)) if constant else result

    return build


def _power(expr: Pow, field: Field) -> TermSum:
    base, exponent = expr.base, expr.exp
    if not base.has(x):
        if base.is_positive is not True:
            raise _outside(expr, ": the base is not known to be positive")
        return on_cells(
            _of(exponent, field).scale(field.of(log(base))), lambda p: _exponential(p, expr)
        )
    if isinstance(exponent, Integer):
        inner = _of(base, field)
        if exponent >= 0:
            return inner ** int(exponent)
        return on_cells(inner, lambda p: _reciprocal(p, expr)) ** int(-exponent)
    if isinstance(exponent, Rational) and isinstance(base, Abs):
        raise _outside(expr, ": a power that is not an integer")
    raise _outside(expr)


def _reciprocal(p: TermSum, source: Expr) -> TermSum:
    """One over a single exponential term."""
    if len(p.terms) == 1:
        ((k, c),) = p.terms.items()
        if not k.power and not k.gates:
            return TermSum.exponential(-k.const, -k.shift, -k.tilt).scale(c.inverse())
    raise _outside(source, ": a denominator that is not an exponential")
