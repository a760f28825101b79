"""From SymPy expressions to balls: the value at a point, and integrands of one variable.

Two readings of one tree.  `constant(expr, env)` gives the value at exact numbers, exact where it
can (`Surd`), else an `acb`.  `function(expr, x)` gives a callable `f(z, analytic)` for FLINT's
integrator: where `analytic` is set and the box meets a branch cut it answers NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from operator import mul
from typing import Any

import sympy as sp
from flint import acb, arb, ctx, fmpq, fmpz_poly
from sympy import Expr, Symbol
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean, BooleanFalse, BooleanTrue, Not, Or

from ..errors import BadActivation, Undecided
from ..functions import Phi2
from .functions.cuts import ANALYTIC, NAN
from .functions.isolated import Continued, Isolated
from .functions.remembered import remembered
from .functions.stable import (
    Parts,
    by_form,
    paired,
    power_by_form,
)
from .rules.bivariate import phi2
from .safe import OpenSign
from .surd import ONE, ZERO, Surd

Value = Surd | Any
Env = Mapping[Symbol, Surd]


def ball(value: Value) -> Any:
    """The `acb` of a `Surd` or an `acb`."""
    return value.ball() if isinstance(value, Surd) else value


def real_ball(value: Value, what: object = "the expression") -> Any:
    """The real part as an `arb`.

    Raises:
        BadActivation: the imaginary part is certainly not zero.
    """
    z = ball(value)
    if z.is_finite() and not z.imag.contains(0):
        raise BadActivation(f"{what} is not real here: its imaginary part is {z.imag}")
    return z.real


def sign_of(value: Value) -> int:
    """The sign of a real value.

    Raises:
        Undecided: the ball contains zero and is not exact.
    """
    if isinstance(value, Surd):
        return value.sign
    r = real_ball(value)
    if r > 0:
        return 1
    if r < 0:
        return -1
    if r == 0:
        return 0
    raise OpenSign("the sign of a number is open at this precision")


def constant(expr: Any, env: Env) -> Value:
    """The value of an expression at exact numbers, at the working precision.

    Raises:
        Undecided: a comparison that the precision cannot decide, or an unknown function.
    """
    if isinstance(expr, sp.Rational):
        return Surd.rational(fmpq(int(expr.p), int(expr.q)))
    if isinstance(expr, Symbol):
        if expr not in env:
            raise Undecided(f"no value is given for {expr}")
        return env[expr]
    if isinstance(expr, sp.Float):
        num, den = expr.as_integer_ratio()
        return Surd.rational(fmpq(int(num), int(den)))
    if isinstance(expr, Isolated):
        from .functions.roots import narrowed

        return acb(narrowed(expr.g, expr.lo, expr.hi, int(ctx.prec)))
    if expr in CONSTANTS:
        return CONSTANTS[expr]()
    if isinstance(expr, sp.CRootOf):
        return _root(expr)
    if isinstance(expr, sp.Add):
        return _sum([constant(a, env) for a in expr.args])
    if isinstance(expr, sp.Mul):
        return _product([constant(a, env) for a in expr.args])
    if isinstance(expr, sp.Piecewise):
        for branch, condition in expr.args:
            if holds(condition, env):
                return constant(branch, env)
        raise Undecided(f"no branch of {expr} applies")
    if isinstance(expr, sp.Pow):
        return _power(constant(expr.base, env), constant(expr.exp, env), False)
    if isinstance(expr, sp.exp):
        return ball(constant(expr.args[0], env)).exp()
    if isinstance(expr, sp.hyper):
        return _hyper(expr, env)
    if isinstance(expr, Continued):
        from .functions.removable import value_at

        return value_at(expr, env, constant)
    if isinstance(expr, sp.Sum):
        from .functions.series import series

        return series(expr, env, constant)
    args = [constant(a, env) for a in expr.args]
    exact = EXACT.get(type(expr))
    if exact is not None:
        return exact(*args)
    return _apply(expr, [ball(a) for a in args], False)


def _root(expr: Any) -> Value:
    """A real root of an irreducible polynomial: they are counted from the least."""
    coefficients = expr.poly.all_coeffs()
    if not (expr.is_real and all(c.is_Integer for c in coefficients)):
        raise Undecided(f"no ball for the number {expr}")
    roots = fmpz_poly([int(c) for c in reversed(coefficients)]).complex_roots()
    real = sorted((z.real for z, _ in roots if z.imag.is_zero()), key=lambda r: float(r.mid()))
    return acb(real[expr.index])


def holds(condition: Boolean, env: Env) -> bool:
    """Whether a condition holds at exact numbers.

    Raises:
        Undecided: a comparison that the precision cannot decide.
    """
    if isinstance(condition, (BooleanTrue, BooleanFalse)):
        return bool(condition)
    if isinstance(condition, And):
        return all(holds(c, env) for c in condition.args)
    if isinstance(condition, Or):
        return any(holds(c, env) for c in condition.args)
    if isinstance(condition, Not):
        return not holds(condition.args[0], env)
    if isinstance(condition, Relational):
        sign = sign_of(constant(condition.lhs - condition.rhs, env))
        return SIGNS[condition.rel_op](sign)
    raise Undecided(f"cannot read the condition {condition}")


SIGNS: dict[str, Callable[[int], bool]] = {
    "<": lambda s: s < 0,
    "<=": lambda s: s <= 0,
    ">": lambda s: s > 0,
    ">=": lambda s: s >= 0,
    "==": lambda s: s == 0,
    "!=": lambda s: s != 0,
}


def _sum(values: list[Value]) -> Value:
    exact, rest = ZERO, None
    for value in values:
        if isinstance(value, Surd) and (total := exact.add(value)) is not None:
            exact = total
        else:
            z = ball(value)
            rest = z if rest is None else rest + z
    if rest is None:
        return exact
    return rest if exact.sign == 0 else rest + exact.ball()


def _product(values: list[Value]) -> Value:
    exact = reduce(mul, (v for v in values if isinstance(v, Surd)), ONE)
    rest = [v for v in values if not isinstance(v, Surd)]
    if exact.sign == 0 and all(v.is_finite() for v in rest):
        return ZERO
    return exact if not rest else reduce(mul, rest) * exact.ball()


def _power(base: Value, exponent: Value, analytic: bool) -> Value:
    if isinstance(exponent, Surd):
        e = exponent.as_rational()
        if e is not None:
            if e == 0:
                return ONE
            if isinstance(base, Surd) and (exact := base.power(e)) is not None:
                return exact
            return rational_power(ball(base), e, analytic)
    if not isinstance(base, Surd) or base.sign < 0:
        return ball(base).pow(ball(exponent), analytic=analytic)
    return (ball(base).log() * ball(exponent)).exp() if base.sign else NAN


def rational_power(z: Any, e: Any, analytic: bool) -> Any:
    """z^e for an `acb` and an `fmpq`, with the principal branch."""
    if e.denom() == 1:  # the inverse first: a box without 0 may have a square that meets 0
        n = int(e.numer())
        return z**n if n > 0 else (1 / z) ** -n
    if e == fmpq(1, 2):
        return z.sqrt(analytic=analytic)
    if e == fmpq(-1, 2):
        return z.rsqrt(analytic=analytic)
    if not analytic and e > 0 and z.imag.is_zero() and z.real >= 0 and z.real.contains(0):
        top = acb(z.real.upper()).pow(acb(arb(e))).real.upper()  # t^e increases from 0
        return acb(arb(top / 2, (top / 2).upper())) if top > 0 else acb(0)
    return z.pow(acb(arb(e)), analytic=analytic)


def _apply(expr: Expr, args: list[Any], analytic: bool) -> Any:
    rule = ANALYTIC.get(type(expr))
    if rule is not None:
        return rule(args, analytic)
    if isinstance(expr, Phi2) and not analytic:
        return phi2(*args)
    if isinstance(expr, sp.Max):
        return reduce(lambda a, b: a.real_max(b, analytic=analytic), args)
    if isinstance(expr, sp.Min):
        return reduce(lambda a, b: a.real_min(b, analytic=analytic), args)
    raise Undecided(
        f"no ball arithmetic for the function {type(expr).__name__}",
        hint="known: " + ", ".join(sorted(k.__name__ for k in ANALYTIC)),
    )


def function(expr: Expr, x: Symbol) -> Callable[[Any, bool], Any]:
    """The expression as `f(z, analytic)`; constants are taken at the precision of this call.

    The expression has no free symbol but `x`.
    """
    return _function(expr, x, int(ctx.prec))


@lru_cache(maxsize=512)
def _function(expr: Expr, x: Symbol, prec: int) -> Callable[[Any, bool], Any]:
    if expr == x:
        return lambda z, analytic: z
    if not expr.has(x):
        value = ball(constant(expr, {}))
        return lambda z, analytic: value
    read = _read(expr, x, prec)
    return read if isinstance(expr, (sp.Add, sp.Mul)) else remembered(read)


def _read(expr: Expr, x: Symbol, prec: int) -> Callable[[Any, bool], Any]:
    inside = Parts(lambda e: _function(e, x, prec), lambda e: ball(constant(e, {})))
    if isinstance(expr, (sp.Add, sp.Mul)):
        free = [a for a in expr.args if not a.has(x)]
        moving, parts = [a for a in expr.args if a.has(x)], []
        for power in [a for a in moving if isinstance(expr, sp.Mul) and isinstance(a, sp.Pow)]:
            if (pair := paired(power, moving, x, inside)) is not None:
                bell, ratio, m = pair
                parts.append(ratio)
                moving = [a for a in moving if a not in (power, bell)]
                moving += [power.base ** (power.exp + m)] if power.exp != -m else []
        parts += [_function(a, x, prec) for a in moving]
        if isinstance(expr, sp.Add):
            fixed = _sum([constant(a, {}) for a in free])
            if not (isinstance(fixed, Surd) and fixed.sign == 0):
                shift = ball(fixed)
                parts.append(lambda z, analytic: shift)
            return _fold(parts, lambda a, b: a + b)
        fixed = _product([constant(a, {}) for a in free])
        if not (isinstance(fixed, Surd) and fixed.as_integer() == 1):
            factor = ball(fixed)
            parts.append(lambda z, analytic: factor)
        return _fold(parts, lambda a, b: a * b)
    if isinstance(expr, sp.Pow):
        base = _function(expr.base, x, prec)
        if expr.exp.has(x):
            e = _function(expr.exp, x, prec)
            return lambda z, analytic: base(z, analytic).pow(e(z, analytic), analytic=analytic)
        value = constant(expr.exp, {})
        q = value.as_rational() if isinstance(value, Surd) else None
        if q is not None:
            special = power_by_form(expr.base, q, x, inside, rational_power)
            if special is not None:
                return special
        if q is None:
            fixed_e = ball(value)
            return lambda z, analytic: base(z, analytic).pow(fixed_e, analytic=analytic)
        return lambda z, analytic: rational_power(base(z, analytic), q, analytic)
    if isinstance(expr, sp.exp):
        inner = _function(expr.args[0], x, prec)
        return lambda z, analytic: inner(z, analytic).exp()
    if (special := by_form(expr, x, inside)) is not None:
        return special
    if isinstance(expr, Continued):
        from .functions.removable import quotient

        return quotient(expr, x, function)
    if isinstance(expr, (sp.Piecewise, Phi2)):
        raise Undecided(f"cannot integrate through {expr}")
    inner_args = [_function(a, x, prec) for a in expr.args]
    return lambda z, analytic: _apply(expr, [f(z, analytic) for f in inner_args], analytic)


def _fold(
    parts: list[Callable[[Any, bool], Any]], op: Callable[[Any, Any], Any]
) -> Callable[[Any, bool], Any]:
    first, *rest = parts
    if not rest:
        return first
    if len(rest) == 1:
        second = rest[0]
        return lambda z, analytic: op(first(z, analytic), second(z, analytic))

    def folded(z: Any, analytic: bool) -> Any:
        total = first(z, analytic)
        for part in rest:
            total = op(total, part(z, analytic))
        return total

    return folded


def _abs(a: Value) -> Value:
    if isinstance(a, Surd):
        return Surd(abs(a.sign), a.square)
    return acb(abs(a))


def _sign(a: Value) -> Value:
    return Surd.rational(sign_of(a))


def _heaviside(a: Value, at_zero: Value = ONE) -> Value:
    sign = sign_of(a)
    return at_zero if sign == 0 else (ONE if sign > 0 else ZERO)


def _extreme(sign: int) -> Callable[..., Value]:
    def pick(*args: Value) -> Value:
        best = args[0]
        for a in args[1:]:
            if isinstance(a, Surd) and isinstance(best, Surd):
                try:
                    best = a if sign_of(_sum([a, Surd.rational(-1) * best])) == sign else best
                    continue
                except Undecided:
                    pass
            p, q = real_ball(a), real_ball(best)
            best = acb(p.max(q) if sign > 0 else p.min(q))
        return best

    return pick


def _hyper(expr: Any, env: Env) -> Value:
    tops, bottoms, at = ([ball(constant(a, env)) for a in part] for part in _hyper_args(expr))
    if (len(tops), len(bottoms)) == (2, 1):
        return at[0].hypgeom_2f1(*tops, *bottoms)
    return at[0].hypgeom(tops, bottoms)


def _hyper_args(expr: Any) -> tuple[tuple[Expr, ...], tuple[Expr, ...], tuple[Expr, ...]]:
    return tuple(expr.ap), tuple(expr.bq), (expr.argument,)


def _atan2(y: Value, x: Value) -> Value:
    if isinstance(y, Surd) and y.sign == 0 and isinstance(x, Surd) and x.sign:
        return ZERO if x.sign > 0 else acb(arb.pi())
    return acb(arb.atan2(real_ball(y), real_ball(x)))


EXACT: dict[type, Callable[..., Value]] = {
    sp.Abs: _abs,
    sp.sign: _sign,
    sp.Heaviside: _heaviside,
    sp.Max: _extreme(1),
    sp.Min: _extreme(-1),
    sp.atan2: _atan2,
    sp.re: lambda a: acb(ball(a).real),
    sp.im: lambda a: acb(ball(a).imag),
    sp.conjugate: lambda a: ball(a).conjugate(),
    Phi2: lambda h, k, r: phi2(ball(h), ball(k), ball(r), _unit(r)),
}

CONSTANTS: dict[Expr, Callable[[], Value]] = {
    sp.pi: lambda: acb(arb.pi()),
    sp.E: lambda: acb(arb.const_e()),
    sp.I: lambda: acb(0, 1),
    sp.EulerGamma: lambda: acb(arb.const_euler()),
    sp.GoldenRatio: lambda: (1 + acb(5).sqrt()) / 2,
}


def _unit(r: Value) -> int:
    """1 or -1 when r is exactly that, else 0."""
    n = r.as_integer() if isinstance(r, Surd) else None
    return n if n in (1, -1) else 0
