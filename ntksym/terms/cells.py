"""Where functions are positive, and composition on the cells between thresholds.

A cell is an interval on which every step of a term sum is constant.  Signs are decided from
numbers and assumptions; what they do not decide is an error that names the parameter, never a
guess.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from sympy import Abs, Expr, Integer, Poly, log, sqrt

from ..errors import NoClosedForm
from ..exact import Exact
from ..symbols import x
from .term import TermSum, compare, total

Cell = tuple[Exact | None, Exact | None]
"""(left end, right end); None is infinite."""


def cells(f: TermSum) -> tuple[Cell, ...]:
    """The cells of a term sum, from left to right.

    Raises:
        NoClosedForm: the order of two thresholds is not decided by the assumptions.
    """
    ordered: list[Exact] = []
    for t in f.thresholds:
        place = 0
        for s in ordered:
            order = compare(t, s)
            if order is None:
                raise NoClosedForm(
                    f"the order of the kinks {s.expr} and {t.expr} is not known",
                    tried=("numbers", "assumptions on the parameters"),
                    hint="assumptions that decide it, such as --param name=positive",
                )
            place += order > 0
        ordered.insert(place, t)
    ends: list[Exact | None] = [None, *ordered, None]
    return tuple(pairwise(ends))


def beside_zero(found: tuple[Cell, ...]) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    """The cells that reach 0 from the right, and those from the left: one each if signs are known.

    Raises:
        NoClosedForm: as `Exact.sample_sign`.
    """

    def sign(end: Exact | None, infinite: int) -> int:
        return infinite if end is None else int(end.sample_sign())

    right = tuple(c for c in found if sign(c[0], -1) <= 0 < sign(c[1], 1))
    left = tuple(c for c in found if sign(c[0], -1) < 0 <= sign(c[1], 1))
    return right, left


def indicator(f: TermSum, cell: Cell) -> TermSum:
    """1 on the cell, 0 off it, as steps."""
    left, right = cell
    one = TermSum.one(f.field)
    low = one if left is None else TermSum.heaviside(left)
    return low if right is None else low - TermSum.heaviside(right)


def inside(f: TermSum, cell: Cell) -> TermSum:
    """The step-free function that equals `f` on the cell."""
    left = cell[0]
    kept = TermSum(f.field, {})
    for k, c in f.terms.items():
        if k.step is not None:
            if left is None or (compare(left, k.step) or 0) < 0:
                continue
            k = k._replace(step=None)
        kept += TermSum(f.field, {k: c})
    return kept


def on_cells(f: TermSum, function: Callable[[TermSum], TermSum]) -> TermSum:
    """function(f), with `function` applied to the step-free f of each cell."""
    if not f.thresholds:
        return function(f)
    return total(f.field, (indicator(f, c) * function(inside(f, c)) for c in cells(f)))


def positive_where(f: TermSum, source: Expr) -> TermSum:
    """The indicator of f > 0, almost everywhere.  `source` is for the message.

    Raises:
        NoClosedForm: the sign of the function is not decidable here.
    """
    return on_cells(f, lambda g: _positive_smooth(g, source))


def _positive_smooth(g: TermSum, source: Expr) -> TermSum:
    field = g.field
    nothing = TermSum(field, {})
    if not g:
        return nothing
    kinds = list(g.groups().items())
    if not all(k.shift.is_real and k.const.is_real for k, _ in kinds):
        raise NoClosedForm(
            f"{source}: it has a wave in it, and may change sign at infinitely many places",
            tried=("polynomials", "real exponentials"),
            hint="`ntksym eval` for its kernel with a bound",
        )
    if len(kinds) == 1:
        ((_, powers),) = kinds  # the factor exp(..)*Phi(..) is positive: the polynomial decides
        return _positive_polynomial(TermSum.one(field), powers, source)
    if len(kinds) == 2:
        (k1, p1), (k2, p2) = kinds
        if set(p1) == set(p2) == {0} and k1.gates == k2.gates and k1.tilt == k2.tilt:
            c1, c2 = p1[0], p2[0]
            s1, s2 = _known_sign(c1, source), _known_sign(c2, source)
            if s1 == s2:
                return TermSum.one(field) if s1 > 0 else nothing
            slope, offset = k1.shift - k2.shift, k1.const - k2.const
            ratio = -(c2 / c1)
            level = field.of(log(ratio.expr)) if ratio != field.integer(1) else field.integer(0)
            # c1 e^p1 + c2 e^p2 > 0  <=>  s1 (p1 - p2 - log(-c2/c1)) > 0
            powers = {1: slope * s1, 0: (offset - level) * s1}
            return _positive_polynomial(TermSum.one(field), powers, source)
    raise NoClosedForm(
        f"{source}: where this is positive is not decidable here",
        tried=("polynomials", "two exponentials"),
        hint="the pieces written out: piecewise((value, x < kink), (value, True))",
    )


def _known_sign(c: Exact, source: Expr) -> int:
    zero = c.field.integer(0)
    sign = compare(c, zero)
    if sign is None:
        names = ", ".join(sorted(s.name for s in c.expr.free_symbols))
        raise NoClosedForm(
            f"{source}: the sign of {c.expr} is not known",
            tried=("assumptions on " + names,),
            hint=f"an assumption on {names}, such as --param {names.split(', ')[0]}=positive",
        )
    return sign


def _positive_polynomial(one: TermSum, powers: dict[int, Exact], source: Expr) -> TermSum:
    field = one.field
    powers = {n: c for n, c in powers.items() if c}
    degree = max(powers, default=0)
    if degree == 0:
        sign = _known_sign(powers[0], source) if powers else 0
        return one if sign > 0 else TermSum(field, {})
    if degree == 1 or (len(powers) == 1 and degree % 2):
        slope = powers[degree]
        root = -(powers[0] / slope) if degree == 1 and 0 in powers else field.integer(0)
        step = TermSum.heaviside(root)
        direction_known = compare(slope, field.integer(0))
        if direction_known is None:  # (1 + sgn(slope) (2 H - 1)) / 2, for either sign
            direction = _absolute(slope) / slope
            return (one + (step.scale(field.integer(2)) - one).scale(direction)).scale(
                field.rational(1, 2)
            )
        return step if direction_known > 0 else one - step
    if len(powers) == 1:
        sign = _known_sign(powers[degree], source)
        return one if sign > 0 else TermSum(field, {})
    if any(c.expr.free_symbols for c in powers.values()):
        raise NoClosedForm(
            f"{source}: the roots of a polynomial of degree {degree} with parameters",
            hint="numbers for its parameters, or the factors written out",
        )
    return _numeric_polynomial(one, powers, source)


def _absolute(z: Exact) -> Exact:
    """|z|; of an element with roots it is an atom, because its square root would nest them."""
    if z.is_rational_function:
        return (z * z).sqrt()
    return z.field.gen(Abs(z.expr))


def _numeric_polynomial(one: TermSum, powers: dict[int, Exact], source: Expr) -> TermSum:
    field = one.field
    poly = Poly({(n,): c.expr for n, c in powers.items()}, x)
    found: list[Any] | None
    try:
        found = poly.real_roots(multiple=False)
    except NotImplementedError:  # of SymPy: coefficients such as pi
        found = _quadratic_roots(poly)
        if found is None:
            raise NoClosedForm(
                f"{source}: the roots of a polynomial of degree {poly.degree()} whose coefficients "
                "are not algebraic",
                hint="the factors written out, or `ntksym eval` for its kernel with a bound",
            ) from None
    roots = [(field.of(place), int(count)) for place, count in found]
    roots.sort(key=cmp_to_key(_by_place))
    lead = powers[max(powers)].sample_sign()
    sign = lead * (-1) ** max(powers)
    result = one if sign > 0 else TermSum(field, {})
    for place, multiplicity in roots:
        if multiplicity % 2:
            step = TermSum.heaviside(place)
            result = result + (step if sign < 0 else -step)
            sign = -sign
    return result


def _by_place(s: tuple[Exact, int], t: tuple[Exact, int]) -> int:
    return compare(s[0], t[0]) or 0


def _quadratic_roots(poly: Poly) -> list[tuple[Expr, int]] | None:
    """The real roots with their multiplicities, in order, of a power of x times a quadratic."""
    (low,), poly = poly.terms_gcd()
    if poly.degree() > 2:
        return None
    found = [(Integer(0), int(low))] if low else []
    if poly.degree() == 1:
        a, b = poly.all_coeffs()
        found.append((-b / a, 1))
    if poly.degree() == 2:
        a, b, c = poly.all_coeffs()
        square = (b**2 - 4 * a * c).expand()
        if square.is_zero:
            found.append((-b / (2 * a), 2))
        elif square.is_positive:
            found += [((-b + s * sqrt(square)) / (2 * a), 1) for s in (-1, 1)]
        elif not square.is_negative:
            return None
    return found
