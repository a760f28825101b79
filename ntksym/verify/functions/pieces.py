"""Cut a real function at its kinks into pieces that are smooth expressions.

The kinks are exact SymPy numbers: the zeros of the arguments of Abs, sign, Heaviside, of the
differences of the arguments of Max and Min, and of the comparisons of Piecewise.  A zero too many
is harmless; a zero that cannot be written down is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key, lru_cache
from itertools import combinations, pairwise
from math import inf
from typing import Any

import sympy as sp
from flint import fmpq
from sympy import Expr
from sympy.core.relational import Relational

from ...errors import BadActivation, Undecided
from ...symbols import x
from ..evaluate import constant, holds, real_ball, sign_of
from ..safe import Endless, precision
from ..surd import Surd
from .branch import branching, slope
from .continuity import continuous
from .factors import in_parts
from .isolated import Continued
from .order import same_zero
from .ranges import Range, lower, upper
from .squares import with_squares

_BITS = 256
SWITCHES = (sp.Abs, sp.sign, sp.Heaviside, sp.Max, sp.Min, sp.Piecewise)
_MOST_KINKS = 2000
REACH = 256
"""How far out kinks are located where there are infinitely many."""
_ODD = (sp.tanh, sp.sinh, sp.erf, sp.asinh, sp.atan, sp.asin, sp.atanh)


@dataclass(frozen=True, slots=True)
class Piece:
    """A smooth expression on the open interval (lo, hi); None stands for an infinite end."""

    lo: Expr | None
    hi: Expr | None
    expr: Expr

    def ends(self) -> tuple[Any, Any]:
        """The ends as `arb` at the working precision (None stays None)."""
        return (
            None if self.lo is None else number(self.lo),
            None if self.hi is None else number(self.hi),
        )


def number(expr: Expr) -> Any:
    """A real constant expression as an `arb` at the working precision."""
    return real_ball(constant(expr, {}), expr)


def outer(piece: Piece) -> Range:
    """The interval of a piece, its irrational ends rounded outwards and its rational ones exact."""
    lo = -inf if piece.lo is None else _near(piece.lo, False)
    return Range(lo, inf if piece.hi is None else _near(piece.hi, True))


@lru_cache(maxsize=256)
def split(expr: Expr, reach: int | None = None) -> tuple[Piece, ...]:
    """The pieces of `expr` in order; they cover the line except for the kinks.

    Args:
        expr: in the symbol `x`.
        reach: cut only for |x| <= reach, where there are infinitely many kinks: the first and the
            last piece then are the expression itself, kinks and all, beyond the reach.

    Raises:
        Endless: infinitely many kinks, without a reach.
        Undecided: kinks that this file cannot locate.
        BadActivation: no value on part of the line.
    """
    expr = in_parts(with_squares(expr))
    with precision(_BITS):
        if reach is None:
            cells = _cells(_kinks(expr))
            return _joined(tuple(Piece(lo, hi, _resolve(expr, at)) for lo, hi, at in cells))
        end = sp.Integer(reach)
        cells = _cells(_kinks(expr, reach), reach)
        middle = tuple(Piece(lo, hi, _resolve(expr, at)) for lo, hi, at in cells)
        return (Piece(None, -end, expr), *middle, Piece(end, None, expr))


def _joined(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The pieces, neighbours with one expression that is smooth there as one: cos|x|, |x|^2."""
    out = list(pieces[:1])
    for piece in pieces[1:]:
        last = out[-1]
        if last.expr == piece.expr and _is_smooth(piece.expr, piece.lo):
            out[-1] = Piece(last.lo, piece.hi, piece.expr)
        else:
            out.append(piece)
    return tuple(out)


def _is_smooth(expr: Expr, at: Expr | None) -> bool:
    """Whether an expression is surely analytic at a point: no root or quotient is zero there."""
    assert at is not None
    for part in expr.atoms(sp.Pow, sp.log, sp.tan, sp.asin, sp.acos, Continued):
        if not part.has(x) or (isinstance(part, sp.Pow) and part.exp.is_Integer and part.exp > 0):
            continue
        if not isinstance(part, (sp.Pow, sp.log)) or any(a.has(x) for a in part.args[1:]):
            return False
        if not real_ball(constant(part.args[0], {x: constant(at, {})})) > 0:
            return False
    return True


def pieces_of(expr: Expr, reach: int = REACH) -> tuple[Piece, ...]:
    """`split`, and where there are infinitely many kinks, but surely no jumps, within a reach."""
    try:
        return split(expr)
    except Endless:
        if expr.has(sp.sign, sp.Heaviside, sp.Piecewise):
            raise
        return split(expr, reach)


def derivative(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The derivative almost everywhere: that of each smooth piece."""
    return tuple(Piece(p.lo, p.hi, slope(p.expr)) for p in pieces)


def jumps(pieces: tuple[Piece, ...], whole: Expr | None = None) -> tuple[tuple[Expr, Any], ...]:
    """`(kink, height)` at every jump, the height a `Surd` or an `acb`.

    At a kink without a closed form a height of zero may stay open, a ball around it, unless the
    function as a whole shows that it is continuous.
    """
    if whole is not None and continuous(whole):
        return ()
    found = []
    for left, right in pairwise(pieces):
        assert left.hi is not None
        if left.expr.has(*SWITCHES) or right.expr.has(*SWITCHES):
            continue  # a cut at the reach of `split`
        if (right.expr - left.expr).subs(x, left.hi) == 0:
            continue
        env = {x: constant(left.hi, {})}
        height = constant(right.expr - left.expr, env)
        if not isinstance(height, Surd) and not height.is_finite():
            height = constant(_limit(right, left.hi) - _limit(left, left.hi), env)
        if not (height.sign == 0 if isinstance(height, Surd) else height.is_zero()):
            found.append((left.hi, height))
    return tuple(found)


def _limit(piece: Piece, c: Expr) -> Expr:
    """An expression with the limit of the piece at its end c as value there: sin(x)/x at 0."""
    from .removable import continued

    found = continued(piece)
    if not isinstance(found, Continued):
        return found
    _, above, below, *data = found.args
    orders = dict(zip(data[::2], data[1::2], strict=True))
    if c not in orders:
        return piece.expr
    return sp.diff(above, x, orders[c]) / sp.diff(below, x, orders[c])


def _cells(
    kinks: tuple[Expr, ...], reach: int | None = None
) -> list[tuple[Expr | None, Expr | None, Surd]]:
    """The intervals between the kinks, each with a rational point inside; up to the reach."""
    if reach is not None:
        inside = [k for k in kinks if -reach < number(k) < reach]
        return _cells((sp.Integer(-reach), *inside, sp.Integer(reach)))[1:-1]
    if not kinks:
        return [(None, None, Surd.rational(fmpq(1, 3)))]
    mids = [_mid(k) for k in kinks]
    cells: list[tuple[Expr | None, Expr | None, Surd]] = [
        (None, kinks[0], Surd.rational(mids[0] - 1))
    ]
    for i in range(len(kinks) - 1):
        cells.append((kinks[i], kinks[i + 1], Surd.rational((mids[i] + mids[i + 1]) / 2)))
    cells.append((kinks[-1], None, Surd.rational(mids[-1] + 1)))
    return cells


def _mid(kink: Expr) -> Any:
    man, exp = number(kink).mid().man_exp()
    return fmpq(int(man) << int(exp)) if exp >= 0 else fmpq(int(man), 1 << int(-exp))


def _ordered(points: set[Expr]) -> tuple[Expr, ...]:
    balls = {p: number(p) for p in points}

    def compare(a: Expr, b: Expr) -> int:
        gap = balls[a] - balls[b]
        if gap.contains(0) and same_zero(a, b):
            return 0
        return sign_of(constant(a - b, {})) if gap.contains(0) else 1 if gap > 0 else -1

    out: list[Expr] = []
    for p in sorted(sorted(points, key=sp.default_sort_key), key=cmp_to_key(compare)):
        if not out or compare(out[-1], p) != 0:
            out.append(p)
    return tuple(out)


@lru_cache(maxsize=1024)
def _kinks(expr: Expr, reach: int | None = None) -> tuple[Expr, ...]:
    """The kinks of an expression, sorted, without repetition."""
    if not expr.has(*SWITCHES, sp.Pow, sp.log) or not expr.has(x):
        return ()
    found: set[Expr] = set()
    for arg in expr.args:
        parts = arg.args if isinstance(expr, sp.Piecewise) else (arg,)
        for part in parts:
            if isinstance(part, Expr):
                found.update(_kinks(part, reach))
    for g in _switch_functions(expr):
        inner = _kinks(g, reach)
        found.update(inner)
        for lo, hi, at in _cells(inner, reach):
            found.update(all_zeros(_resolve(g, at), lo, hi, reach))
    if (base := branching(expr)) is not None:
        try:
            inner = _kinks(base, reach)
            for lo, hi, at in _cells(inner, reach):
                found.update(all_zeros(_resolve(base, at), lo, hi, reach))
        except Undecided:  # then the function is refused where it matters, or it has no zeros
            pass
    return _ordered(found)


def _switch_functions(expr: Expr) -> tuple[Expr, ...]:
    if isinstance(expr, (sp.Abs, sp.sign, sp.Heaviside)):
        return (expr.args[0],)
    if isinstance(expr, (sp.Max, sp.Min)):
        return tuple(a - b for a, b in combinations(expr.args, 2))
    if isinstance(expr, sp.Piecewise):
        rels = sorted(
            {r for _, c in expr.args for r in c.atoms(Relational)}, key=sp.default_sort_key
        )
        return tuple(r.lhs - r.rhs for r in rels)
    return ()


def _resolve(expr: Expr, at: Surd) -> Expr:
    """The smooth expression that equals `expr` near the point `at` (not a kink)."""
    if not expr.has(*SWITCHES):
        return expr
    env = {x: at}
    if isinstance(expr, sp.Piecewise):
        for branch, condition in expr.args:
            if holds(condition, env):
                return _resolve(branch, at)
        raise BadActivation(f"{expr} has no value at x = {float(at.as_rational())}")
    args = [_resolve(a, at) for a in expr.args]
    if isinstance(expr, sp.Abs):
        return args[0] * sign_of(constant(args[0], env))
    if isinstance(expr, sp.sign):
        return sp.Integer(sign_of(constant(args[0], env)))
    if isinstance(expr, sp.Heaviside):
        sign = sign_of(constant(args[0], env))
        return args[1] if sign == 0 else sp.Integer(sign > 0)
    if isinstance(expr, (sp.Max, sp.Min)):
        want = 1 if isinstance(expr, sp.Max) else -1
        best = args[0]
        for a in args[1:]:
            best = a if sign_of(constant(a - best, env)) == want else best
        return best
    return expr.func(*args)


def all_zeros(
    g: Expr, lo: Expr | None, hi: Expr | None, reach: int | None = None
) -> tuple[Expr, ...]:
    """The zeros in closed form, perhaps of the whole line; else isolated ones near [lo, hi].

    With a reach, of infinitely many those up to it.  A product is zero where a factor is.
    """
    from .rooted import rooted_zeros
    from .roots import isolated_zeros

    g = sp.factor_terms(g)
    if isinstance(g, sp.Mul):
        return tuple(z for a in g.args for z in all_zeros(a, lo, hi, reach))
    if isinstance(g, sp.Pow) and not g.exp.has(x):
        return all_zeros(g.base, lo, hi, reach) if g.exp.is_positive else ()
    try:
        return _zeros(g)
    except Undecided:
        ends = [None if e is None else _near(e, up) for e, up in ((lo, False), (hi, True))]
    found = rooted_zeros(g, lo, hi, lambda e, low, high: all_zeros(e, low, high, reach))
    if found is not None:
        return found
    if reach is not None and (wave := _of_wave(g, reach)) is not None:
        return wave
    try:
        return isolated_zeros(g, *ends)
    except Endless:
        if reach is None:
            raise
    low, high = (Fraction(reach) if e is None else e for e in (ends[0], ends[1]))
    low = -low if ends[0] is None else max(low, Fraction(-reach))
    high = min(high, Fraction(reach))
    return isolated_zeros(g, low, high) if low < high else ()


def _of_wave(g: Expr, reach: int) -> tuple[Expr, ...] | None:
    """The zeros of c sin(a x + b) or c cos(a x + b) up to the reach, as multiples of pi."""
    _, f = g.as_independent(x, as_Add=False)
    if not isinstance(f, (sp.sin, sp.cos)) or not f.args[0].is_polynomial(x):
        return None
    poly = sp.Poly(f.args[0], x)
    if poly.degree() != 1:
        return None
    a, b = poly.all_coeffs()
    half = sp.Integer(0) if isinstance(f, sp.sin) else sp.Rational(1, 2)
    size = upper(abs(number(a)) * reach + abs(number(b)))
    most = int(size / 3) + 1
    if most > _MOST_KINKS:
        raise Undecided(f"{g} has too many kinks for |x| <= {reach}")
    return tuple(((n + half) * sp.pi - b) / a for n in range(-most, most + 1))


def _near(end: Expr, up: bool) -> Fraction:
    """The end itself, or a rational number a little outside."""
    value = constant(end, {})
    exact = value.as_rational() if isinstance(value, Surd) else None
    if exact is not None:
        return Fraction(int(exact.p), int(exact.q))
    return upper(real_ball(value)) if up else lower(real_ball(value))


def _zeros(g: Expr) -> tuple[Expr, ...]:
    """All real zeros of a smooth expression (perhaps more), as constants.

    Raises:
        Undecided: they cannot be written down.
    """
    if not g.has(x):
        return ()
    if g.is_polynomial(x):
        return _polynomial_zeros(g)
    if isinstance(g, sp.Mul):
        return tuple(z for a in g.args for z in _zeros(a))
    if isinstance(g, sp.Pow) and not g.exp.has(x):
        return _zeros(g.base) if g.exp.is_positive else ()
    if isinstance(g, (sp.exp, sp.cosh)):
        return ()
    if isinstance(g, _ODD):
        return _zeros(g.args[0])
    if isinstance(g, sp.log):
        return _zeros(g.args[0] - 1)
    if g.is_rational_function(x):
        return _zeros(g.as_numer_denom()[0])
    if isinstance(g, sp.Add):
        c, rest = g.as_independent(x, as_Add=True)
        a, f = rest.as_independent(x, as_Add=False)
        level = -c / a
        if isinstance(f, sp.exp):
            return _zeros(f.args[0] - sp.log(level)) if sign_of(constant(level, {})) > 0 else ()
        if isinstance(f, sp.tanh) and abs(number(level)) < 1:
            return _zeros(f.args[0] - sp.atanh(level))
    raise Undecided(
        f"cannot locate the kinks where {g} = 0",
        hint="write the activation with kinks at zeros of polynomials of degree two or less",
    )


def _polynomial_zeros(g: Expr) -> tuple[Expr, ...]:
    poly = sp.Poly(g, x)
    if poly.degree() > 2:
        if any(not c.is_Rational for c in poly.all_coeffs()):
            raise Undecided(f"cannot locate the kinks where {g} = 0")
        factors = [f for f, _ in poly.factor_list()[1]]
        if any(f.degree() > 2 for f in factors):
            raise Undecided(f"cannot locate the kinks where {g} = 0")
        return tuple(z for f in factors for z in _polynomial_zeros(f.as_expr()))
    if poly.degree() == 1:
        a, b = poly.all_coeffs()
        return (-b / a,)
    a, b, c = poly.all_coeffs()
    disc = (b * b - 4 * a * c).expand()
    sign = sign_of(constant(disc, {}))
    if sign < 0:
        return ()
    root = sp.sqrt(disc)
    return ((-b - root) / (2 * a), (-b + root) / (2 * a))
