r"""Quotients with removable singularities: sin(x)/x and its kind, continued through their zeros.

Where N has at c a zero of at least the order m of that of D,
$\frac{N(z)}{D(z)} = \frac{\int_0^1 (1-t)^{m-1} N^{(m)}(c+t(z-c))\,dt}
{\int_0^1 (1-t)^{m-1} D^{(m)}(c+t(z-c))\,dt}$, and each integral is a mean, times 1/m, over the
segment from c to z.  So the quotient of the balls of $N^{(m)}$ and $D^{(m)}$ on a box that contains
c and z encloses it: section 9 of the lemmas.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import sympy as sp
from flint import acb, ctx
from sympy import Expr, Symbol

from ...errors import BadActivation, NotSquareIntegrable, Undecided
from ...precision import precision
from ...symbols import x
from ..evaluate import ball, constant, real_ball
from .ends import essential, leading_power, odd_ends
from .isolated import Continued
from .order import vanishes, zero_order
from .pieces import SWITCHES, Piece, number
from .zeros import all_zeros

SQUARE_INTEGRABLE, INTEGRABLE = sp.Rational(-1, 2), sp.Rational(-1)
"""A function has a dual with powers of the distance above the first, its slope above the second."""
_BITS = 256
_NARROW = 1e-9
_LOST = 24
"""So many bits a quotient may lose to cancellation before the other form is tried."""


@lru_cache(maxsize=256)
def continued_pieces(
    pieces: tuple[Piece, ...], least: Expr = SQUARE_INTEGRABLE
) -> tuple[Piece, ...]:
    """The same functions of the same intervals, each piece `continued`.

    An end of a piece is left as it is unless the whole is about a power of the distance of at most
    `least`: what is said of a part, as 1/s of exp(-1/s), does not hold for the whole.

    Raises:
        BadActivation: a singularity that certainly is none that can be removed.
        NotSquareIntegrable: an exponential that is infinite at the end of a piece, as exp(1/s) is.
    """
    if not any(_negative(p) for piece in pieces for p in piece.expr.atoms(sp.Pow)):
        return pieces
    with precision(_BITS):
        near = sorted(range(len(pieces)), key=lambda i: _away(pieces[i]))  # errors name the nearest
        found = {i: _judged(pieces[i], least) for i in near}
        return tuple(found[i] for i in range(len(pieces)))


def _away(piece: Piece) -> float:
    """The distance of a piece from 0, about."""
    lo, hi = (None if end is None else float(end) for end in piece.ends())
    return max(0.0, 0.0 if lo is None else lo, 0.0 if hi is None else -hi)


def _judged(piece: Piece, least: Expr) -> Piece:
    if piece.expr.has(*SWITCHES):  # beyond the reach of the cuts, with kinks and zeros without end
        return piece
    ends = odd_ends(piece)
    for c, side, form in ends:
        if essential(form, 1):
            raise NotSquareIntegrable(
                f"{piece.expr} grows beyond every power of the distance from x = {c}, "
                f"{'above' if side > 0 else 'below'} it: E[s(u)^2] is infinite",
                hint="an exponential of a negative pole: exp(-1/x**2)",
            )
    try:
        found = continued(piece)
        points = {c for part in found.atoms(Continued) for c in part.args[3::2]}
        if not any(c in points and _branches(piece.expr, c) for c, _, _ in ends):
            return replace(piece, expr=found)
        raise Undecided("the quotient has slopes there, a factor has none")
    except (BadActivation, Undecided):
        powers = [leading_power(form) for _, _, form in ends if not essential(form, -1)]
        if not ends or any(p is not None and p <= least for p in powers):
            raise
        return piece


def _branches(expr: Expr, c: Expr) -> bool:
    """Whether a root, a logarithm, or a power with x in its exponent, is not analytic at c."""
    odd = (p for p in expr.atoms(sp.Pow, sp.log) if not (p.is_Pow and p.exp.is_Integer))
    return any(vanishes(p.args[0], c, x) for p in odd if p.args[0].has(x))


@lru_cache(maxsize=256)
def opened(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The same functions, cut at the poles inside functions too: at 0 for exp(-1/x^2)."""
    out: list[Piece] = []
    for piece in pieces:
        with precision(_BITS):
            at = {} if piece.expr.has(*SWITCHES) else {number(c): c for c in _poles(piece)}
        ends = [piece.lo, *(at[k] for k in sorted(at, key=float)), piece.hi]
        out += [Piece(lo, hi, piece.expr) for lo, hi in pairwise(ends)]
    return tuple(out)


def _poles(piece: Piece) -> set[Expr]:
    """The poles of the arguments of functions strictly inside a piece."""
    found: set[Expr] = set()
    lo, hi = piece.ends()
    for f in piece.expr.atoms(sp.Function):
        for p in (q for a in f.args for q in _outer_powers(a)):
            with suppress(Undecided):
                for c in all_zeros(p.base, piece.lo, piece.hi):
                    at = number(c)
                    if (lo is None or at > lo) and (hi is None or at < hi):
                        found.add(c)
    if not found:
        return found
    try:
        continued(piece)
    except (BadActivation, Undecided):
        return found
    return set()  # all can be removed, as in exp(sin(x)/x)


def continued(piece: Piece) -> Expr:
    """The expression of the piece, with its removable singularities removed; or as it is.

    Raises:
        BadActivation: a singularity that certainly is none that can be removed, perhaps of one
            term or factor only.
        Undecided: such a singularity inside a function.
    """
    return _walk(piece.expr, piece)


def _walk(expr: Expr, piece: Piece) -> Expr:
    if isinstance(expr, Continued) or not expr.has(x):
        return expr
    if not any(_negative(p) for p in expr.atoms(sp.Pow)):
        return expr
    if isinstance(expr, (sp.Add, sp.Mul, sp.Pow)):
        found = _quotient(expr, piece)
        if found is not None:
            return found
    try:
        args = [_walk(a, piece) for a in expr.args]
    except BadActivation as error:
        if isinstance(expr, sp.Function):  # which may be finite there: exp(-1/x^2), tanh(1/x)
            raise Undecided(f"cannot integrate {expr}: its part {error.what}") from None
        raise
    return expr if args == list(expr.args) else expr.func(*args)


def _negative(p: Expr) -> bool:
    return bool(p.exp.is_Integer and p.exp < 0 and p.base.has(x))


def _outer_powers(expr: Expr) -> set[Expr]:
    """The negative powers outside all functions."""
    if isinstance(expr, sp.Pow):
        if _negative(expr):
            return {expr}
        return _outer_powers(expr.base) if expr.exp.is_Integer else set()
    if isinstance(expr, (sp.Add, sp.Mul)):
        return {p for a in expr.args for p in _outer_powers(a)}
    return set()


def _quotient(expr: Expr, piece: Piece) -> Expr | None:
    """`Continued`, where a denominator of `expr` has zeros on the piece; else None."""
    orders: dict[Expr, int] = {}
    zeros: set[Expr] = set()
    for p in sorted(_outer_powers(expr), key=sp.default_sort_key):
        try:
            on = [c for c in all_zeros(p.base, piece.lo, piece.hi) if _inside(c, piece)]
        except Undecided:
            return None
        if on:
            zeros.update(on)
            orders[p.base] = max(orders.get(p.base, 0), -int(p.exp))
    if not zeros:
        return None
    below = sp.Mul(*(base**n for base, n in orders.items()))
    terms = [t * below for t in sp.Add.make_args(sp.expand_mul(expr))]
    above = sp.Add(*terms)
    if any(p.base in orders for p in _outer_powers(above)):
        return None
    data: list[Expr] = []
    for c in sorted(zeros, key=lambda c: (abs(float(number(c))), sp.default_sort_key(c))):
        order = zero_order(below, c, x)
        if order is None:
            return None
        slope = above
        for _ in range(order):
            value = constant(slope, {x: constant(c, {})})
            if not vanishes(slope, c, x, value):
                if real_ball(value).contains(0):
                    return None
                raise BadActivation(
                    f"{expr} is infinite at x = {c}",
                    hint="a function that is finite everywhere, or integrable: abs(x)**(-1/4)",
                )
            slope = sp.diff(slope, x)
        data += [c, sp.Integer(order)]
    return Continued(expr, above, below, *data)


def _inside(c: Expr, piece: Piece) -> bool:
    """Whether c may be in the closed interval of the piece."""
    at = real_ball(constant(c, {}))
    lo, hi = piece.ends()
    return not (lo is not None and at < lo) and not (hi is not None and at > hi)


def value_at(expr: Expr, env: Any, constant: Callable[[Expr, Any], Any]) -> Any:
    """The value of a `Continued` at an exact number: at its points by the slopes there."""
    written, above, below, *data = expr.args
    ((variable, at),) = env.items()
    for c, order in zip(data[::2], data[1::2], strict=True):
        place = constant(c, {})
        if place == at:
            top, bottom = (constant(sp.diff(e, variable, order), env) for e in (above, below))
            return ball(top) / ball(bottom)
    return constant(written, env)


def quotient(
    expr: Expr, variable: Symbol, function: Callable[[Expr, Symbol], Callable[[Any, bool], Any]]
) -> Callable[[Any, bool], Any]:
    """The integrand of a `Continued`."""
    written, above, below, *data = expr.args
    direct = function(written, variable)
    places = []
    for c, order in zip(data[::2], data[1::2], strict=True):
        slopes = (function(sp.diff(part, variable, order), variable) for part in (above, below))
        places.append((ball(constant(c, {})).real, *slopes))

    def value(z: Any, analytic: bool) -> Any:
        plain = direct(z, analytic)
        finite = plain.is_finite()
        if finite and z.rad() < _NARROW and plain.rel_accuracy_bits() > int(ctx.prec) - _LOST:
            return plain
        c, top, bottom = min(places, key=lambda place: abs(float((z.real - place[0]).mid())))
        if finite and abs(z.real - c) > 1:
            return plain
        hull = acb(z.real.union(c), z.imag.union(c - c))
        other = top(hull, analytic) / bottom(hull, analytic)
        return other if not finite or other.rad() < plain.rad() else plain

    return value
