"""Cut a real function at its kinks into pieces that are smooth expressions.

The kinks are exact SymPy numbers: the zeros of the arguments of Abs, sign, Heaviside, of the
differences of the arguments of Max and Min, and of the comparisons of Piecewise.  A zero too many
is harmless; a zero that cannot be written down is an error.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cmp_to_key, lru_cache
from itertools import combinations, pairwise
from math import inf
from typing import Any

import sympy as sp
from flint import ctx, fmpq
from sympy import Expr
from sympy.core.relational import Relational

from ...errors import BadActivation, Undecided
from ...precision import precision
from ...symbols import x
from ..evaluate import constant, holds, real_ball, sign_of
from ..safe import OpenSign
from ..surd import Surd
from .branch import branching, slope
from .continuity import continuous
from .factors import in_parts
from .isolated import Continued, Isolated
from .order import same_zero
from .ranges import Range
from .squares import with_squares
from .turns import most_bits
from .unwound import unwound
from .zeros import all_zeros, outside

_BITS = (256, 2048, 8192)
"""Where a sine is one, the sign of its distance to tanh takes hundreds of bits."""
SWITCHES = (sp.Abs, sp.sign, sp.Heaviside, sp.Max, sp.Min, sp.Piecewise)
JUMPS = (sp.sign, sp.Heaviside, sp.Piecewise)


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
    return _number(expr, int(ctx.prec))


@lru_cache(maxsize=4096)
def _number(expr: Expr, bits: int) -> Any:
    return real_ball(constant(expr, {}), expr)


def outer(piece: Piece) -> Range:
    """The interval of a piece, its irrational ends rounded outwards and its rational ones exact."""
    lo = -inf if piece.lo is None else outside(piece.lo, False)
    return Range(lo, inf if piece.hi is None else outside(piece.hi, True))


@lru_cache(maxsize=256)
def split(
    expr: Expr, reach: int | None = None, beyond: tuple[Any, ...] = JUMPS
) -> tuple[Piece, ...]:
    """The pieces of `expr` in order; they cover the line except for the kinks.

    Args:
        expr: in the symbol `x`.
        reach: cut only for |x| <= reach, where there are infinitely many kinks: the first and the
            last piece then are the expression itself, kinks and all, beyond the reach.
        beyond: the switches that do not turn beyond the reach.

    Raises:
        Endless: infinitely many kinks, without a reach.
        Undecided: kinks that this file cannot locate.
        BadActivation: no value on part of the line.
    """
    expr = in_parts(with_squares(expr))
    for bits in _BITS[:-1]:
        with precision(bits), suppress(OpenSign):
            return _split(expr, reach, beyond)
    with precision(_BITS[-1]):
        return _split(expr, reach, beyond)


def _split(expr: Expr, reach: int | None, beyond: tuple[Any, ...]) -> tuple[Piece, ...]:
    if reach is None:
        cells = _cells(_kinks(expr))
        return _joined(tuple(Piece(lo, hi, _resolve(expr, at)) for lo, hi, at in cells))
    end = sp.Integer(reach)
    cells = _cells(_kinks(expr, reach), reach)
    middle = tuple(Piece(lo, hi, _resolve(expr, at)) for lo, hi, at in cells)
    left, right = (_resolve(expr, Surd.rational(s * (reach + 1)), beyond) for s in (-1, 1))
    return (Piece(None, -end, left), *middle, Piece(end, None, right))


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


def derivative(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The derivative almost everywhere: that of each smooth piece."""
    return tuple(Piece(p.lo, p.hi, _without_masses(slope(p.expr))) for p in pieces)


def _without_masses(expr: Expr) -> Expr:
    """Jumps beyond the reach of `split` have masses for slopes."""
    masses = expr.atoms(sp.DiracDelta)
    return expr.xreplace(dict.fromkeys(masses, sp.Integer(0))) if masses else expr


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
            height = constant(at_end(right, left.hi) - at_end(left, left.hi), env)
        if not (height.sign == 0 if isinstance(height, Surd) else height.is_zero()):
            found.append((left.hi, height))
    return tuple(found)


def at_end(piece: Piece, c: Expr) -> Expr:
    """An expression with the limit of the piece at its end c as value there: sin(x)/x at 0.

    That value is not finite where there is no limit that is seen.
    """
    from .ends import DISTANCE, fades, odd_ends
    from .removable import continued

    for end, _, near in odd_ends(piece):
        if c == end:
            kept = [t for t in sp.Add.make_args(near) if not fades(t)]
            value = sp.Add(*kept).subs(DISTANCE, 0)
            if not value.has(sp.nan, sp.zoo, sp.oo):
                return value
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
        inside = [k for k in kinks if _within(k, reach)]
        return _cells((sp.Integer(-reach), *inside, sp.Integer(reach)))[1:-1]
    if not kinks:
        return [(None, None, Surd.rational(fmpq(1, 3)))]
    cells: list[tuple[Expr | None, Expr | None, Surd]] = [
        (None, kinks[0], Surd.rational(_edge(kinks[0], False) - 1))
    ]
    for a, b in pairwise(kinks):
        low, high = _edge(a, True), _edge(b, False)
        if not low < high:  # intervals of zeros of two functions
            low, high = _mid(a), _mid(b)
        cells.append((a, b, Surd.rational((low + high) / 2)))
    cells.append((kinks[-1], None, Surd.rational(_edge(kinks[-1], True) + 1)))
    return cells


def _within(kink: Expr, reach: int) -> bool:
    """Whether |kink| < reach, with few bits where they say so."""
    with precision(96):
        size = abs(number(kink))
        if size < reach or size > reach:
            return bool(size < reach)
    return bool(abs(number(kink)) < reach)


def _edge(kink: Expr, up: bool) -> Any:
    """A rational number at a kink: of an isolated one the end of its interval on that side.

    Intervals of two zeros of one function are apart, which numbers may need thousands of bits for.
    """
    if isinstance(kink, Isolated):
        end = kink.hi if up else kink.lo
        return fmpq(end.numerator, end.denominator)
    return _mid(kink)


def _mid(kink: Expr) -> Any:
    man, exp = number(kink).mid().man_exp()
    return fmpq(int(man) << int(exp)) if exp >= 0 else fmpq(int(man), 1 << int(-exp))


def _ordered(points: set[Expr]) -> tuple[Expr, ...]:
    balls = {p: number(p) for p in points}

    def compare(a: Expr, b: Expr) -> int:
        if isinstance(a, Isolated) and isinstance(b, Isolated) and (a.hi < b.lo or b.hi < a.lo):
            return -1 if a.hi < b.lo else 1
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
    for g in switch_functions(expr):
        found.update(crossings(g, reach))
    if (base := branching(expr)) is not None:
        # else the function is refused where it matters, or it has no zeros
        with suppress(Undecided):
            found.update(crossings(base, reach))
    return _ordered(found)


def crossings(g: Expr, reach: int | None = None) -> set[Expr]:
    """The kinks and the zeros of a function: where its sign may change."""
    inner = _kinks(g, reach)
    found = set(inner)
    for lo, hi, at in _cells(inner, reach):
        found.update(all_zeros(_resolve(g, at), lo, hi, reach))
    return found


def switch_functions(expr: Expr) -> tuple[Expr, ...]:
    """The functions at whose zeros a switch turns."""
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


def _resolve(expr: Expr, at: Surd, kinds: tuple[Any, ...] = SWITCHES) -> Expr:
    """The smooth expression that equals `expr` near the point `at` (not a kink).

    With fewer `kinds` of switches the others stay.
    """
    if not (kinds and expr.has(*kinds)):
        return expr
    env = {x: at}
    if isinstance(expr, sp.Piecewise):
        for branch, condition in expr.args:
            if holds(condition, env):
                return _resolve(branch, at, kinds)
        raise BadActivation(f"{expr} has no value at x = {float(at.as_rational())}")
    if isinstance(expr, sp.atan) and sp.Abs in kinds:
        angle = unwound(expr.args[0], at, _sign_at)
        if angle is not None:
            return _resolve(angle, at, kinds)
    args = [_resolve(a, at, kinds) for a in expr.args]
    if not isinstance(expr, kinds):
        return expr.func(*args)
    if isinstance(expr, sp.Abs):
        return args[0] * _sign_at(args[0], at)
    if isinstance(expr, sp.sign):
        return sp.Integer(_sign_at(args[0], at))
    if isinstance(expr, sp.Heaviside):
        sign = _sign_at(args[0], at)
        return args[1] if sign == 0 else sp.Integer(sign > 0)
    if isinstance(expr, (sp.Max, sp.Min)):
        want = 1 if isinstance(expr, sp.Max) else -1
        best = args[0]
        for a in args[1:]:
            best = a if _sign_at(a - best, at) == want else best
        return best
    return expr.func(*args)


def _sign_at(g: Expr, at: Surd) -> int:
    """The sign of a function at a point, with the bits that values near a touch take.

    Raises:
        OpenSign: it is open with these, too.
    """
    far = float(at.as_rational())
    for bits in sorted({int(ctx.prec), most_bits(0.0), most_bits(far)}):
        with precision(bits), suppress(OpenSign):
            return sign_of(constant(g, {x: at}))
    raise OpenSign(f"the sign of {g} is open at x = {far:.6g}")
