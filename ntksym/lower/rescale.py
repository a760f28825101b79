r"""Variances that are very far from 1, brought nearer by powers of two.

A closed form divides by variances and multiplies them: beside a huge one, or a few times, a tiny
one leaves the range of doubles where the dual is far inside it.  But where
$s(x) = c_\pm |x|^n + O(|x|^{n+1})$ about 0, only the first term counts for small enough variances
(`reach`), and by its homogeneity
$$K(q_{11}, q_{12}, q_{22}) = t^{-n} K(t^2 q_{11}, t q_{12}, q_{22}),$$
with a relative error of at most a multiple of $2^{-60}$ of $\sqrt{K(q_{11})K(q_{22})}$ (the
inequality of Cauchy and Schwarz), for any angle and any other variance; with s(0) other than 0,
n = 0.  For the derivative dual the same with the order of s'.  Where s tends to polynomials on both
sides it holds for large variances with their degree.  Where it tends to two numbers, s is a step
from far away and s' a point: n = 0 and -1.  Where it tends to 0, s is itself a point: n = -1, for
s' too, which is of that order where the two are parallel and of the next one, beyond that error,
elsewhere.  With waves s is of the higher one of two powers.  Two large variances of points or waves
are brought nearer together: see `joint`.  Two jumps add their heights over the root to the
derivative dual; that is nothing beside the powers at variances as large as those taken then, but
for inputs nearer to each other than doubles tell.  t is a power of two: nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sympy import Add, Expr, Integer, Mul, Pow, acos, asin, exp, oo, zoo

from .. import symbols as S
from ..activation import Activation
from ..derivation import Derivation
from ..dual import Dual, dual
from ..errors import NtksymError
from ..exact import Exact
from ..terms.cells import Cell, beside_zero, cells, inside
from .conditioning import overflows
from .far import parted
from .joint import SHARP, UNLIKE, brought_nearer
from .lines import Lines
from .program import Operand, Program
from .reach import FARTHEST, UNKNOWN, diagonal_reach, reach

ENTRIES = (S.q11, S.q12, S.q22)
_MOST_ORDER = 12
_STEP, _POINT = (0, -1), (-1, -1)
_EXTREME = (Fraction(1, 10**250), Fraction(10**250))
"""Variances at which a diagonal must not leave the range of doubles on its way."""
_LARGE = Fraction(2) ** FARTHEST
"""A variance beside which a step of variance `FARTHEST` doubled is sharp enough."""
_BITS = 1000
"""Powers of two that products of a closed form may have."""
_SPLIT = 900
"""Those of products whose rounding errors are formed too, from halves of their factors.

Values far below the size of their kernel, as of nearly opposite inputs, lose less the farther out
variances are brought."""
_DEGREE = 4
"""Products of so many entries may leave the range of doubles where their dual does not."""


@dataclass(frozen=True, slots=True)
class Orders:
    """Powers of a standard deviation that s and s' go like.

    Attributes:
        small: of s and of s' about 0; None where they are not known.
        large: far from 0, on both sides; None where s is no polynomial there.
        least: the standard deviation that smaller ones are brought to.
        most: the one that larger ones are.
        both: the one that the smaller of two is, where two are brought down as one; else None.
        jumps: whether s jumps: then E[s'(u)^2] is infinite.
    """

    small: tuple[int, int] | None
    large: tuple[int, int] | None
    least: Fraction = Fraction(1, 2**UNKNOWN)
    most: Fraction = Fraction(2**UNKNOWN)
    both: Fraction | None = None
    jumps: bool = False

    @property
    def points(self) -> bool:
        """Whether s or s' is a point from far away."""
        return self.large in (_STEP, _POINT)


@lru_cache(maxsize=256)
def orders(activation: Activation, needed: bool = False) -> Orders | None:
    """The orders of an activation whose closed form needs them; None for others.

    `needed` says that other rules, which end before the range of doubles does, are.
    """
    found = dual(activation)
    exprs = found.value, found.dot
    if needed or any(map(leaves_range, exprs)):
        return _known(found)
    known = _known(found)
    if known is None or known.large is None:
        return None
    huge = Fraction(10 ** (250 // max(1, known.large[0])))
    return replace(known, small=None) if overflows(exprs, huge, tiny=False) else None


@lru_cache(maxsize=256)
def diagonal_orders(activation: Activation) -> Orders | None:
    """The orders of an activation whose diagonal leaves the range of doubles before its value does.

    None for others; only the side that is needed.
    """
    found = dual(activation)
    own = tuple(
        e.xreplace({S.q: S.q11}) for e in (found.diag, found.diag_dot) if e not in (oo, zoo)
    )
    tiny, huge = _EXTREME
    needed = [overflows(own, v, tiny=False) for v in (tiny, huge)]
    known = _known(found) if any(needed) else None
    if needed[1] and (known is None or known.large is None):
        known = _waving(found, known)
    if known is None:
        return None
    small, large = known.small, known.large
    if not needed[0] or (small is not None and small[0] > 1):
        small = None
    if large is not None and large[0] > 1:  # the diagonal itself overflows there
        needed[1] = overflows(own, Fraction(10 ** (250 // large[0])), tiny=False)
    if not needed[1]:
        large = None
    return None if small is None and large is None else replace(known, small=small, large=large)


@lru_cache(maxsize=256)
def leading(found: Dual) -> tuple[int, Fraction] | None:
    """The degree of s far out, and the standard deviation from which it is that; None: not known.

    A sharp step counts as one from any large standard deviation on.
    """
    known = _known(found)
    jumps = isinstance(found.derivation, Derivation) and found.derivation.jumps
    if known is None or known.large is None or known.large == _POINT or jumps:
        return None
    if known.both is not None and not known.points:
        return None  # waves
    return known.large[0], Fraction(1) if known.points else known.most


@lru_cache(maxsize=256)
def _known(found: Dual) -> Orders | None:
    derived = found.derivation
    if not isinstance(derived, Derivation) or not derived.centred:
        return None
    try:
        every = cells(derived.terms)
        large, waves = _large(derived, every)
        known = Orders(_small(derived, every), large, jumps=derived.jumps)
    except NtksymError:
        return None
    if known.small is not None:
        known = replace(known, least=reach(derived, every, known.small, -1))
    if large is not None:
        if known.points or waves:
            known = replace(known, **_apart(found, known))
        elif derived.jumps:
            known = replace(known, most=Fraction(2 ** min(FARTHEST, _BITS // _degrees(found))))
        else:
            nearest = reach(derived, every, large, 1)
            known = replace(known, most=max(nearest, Fraction(2 ** (_SPLIT // _degrees(found)))))
    return None if known.small is None and known.large is None else known


def _apart(found: Dual, known: Orders) -> dict[str, Any]:
    """`most` and `both` of a function with points or waves, for which the closed form is no wider
    than doubles; without, those of points hold beside variances that are not large.
    """
    for n in range(FARTHEST, SHARP[known.points] + UNLIKE[known.points] - 1, -2):
        if not overflows((found.value, found.dot), Fraction(4**n), tiny=False):
            return {"most": Fraction(2**n), "both": Fraction(2 ** (n - UNLIKE[known.points]))}
    return {"most": Fraction(2**FARTHEST)} if known.points else {"large": None}


def rescaled(b: Lines, p: Program, found: Orders, at: dict[str, Operand]) -> dict[str, Operand]:
    """The outputs nngp and dot of a program for a pair, evaluated at rescaled variances.

    `at` has the operands of the program's arguments in `b`; they are those of a pair.
    """
    one: Operand = Fraction(1)
    small: tuple[Operand, ...] = (one, one)
    large: tuple[Operand, ...] = (one, one)
    between = angle = one
    if found.small is not None:
        small = tuple(b.emit("rescale", at[k], found.least) for k in ("q11", "q22"))
    if found.both is not None:
        root = at.get("root") or b.emit("rootdet", "q11", "q12", "q22", hint="root")
        near = brought_nearer(b, at, root, found.most, found.both)
        large, between = (near.one, near.two), near.root
        angle = b.emit("mul", *large)
    elif found.large is not None:
        large = tuple(b.emit("rescale", at[k], found.most) for k in ("q11", "q22"))
        if found.points:
            others = at["q22"], at["q11"]
            large = tuple(
                b.emit("select", q, _LARGE, t, one) for q, t in zip(others, large, strict=True)
            )
        between = angle = b.emit("mul", *large)
    first, second = (b.emit("mul", small[k], large[k], hint="t") for k in (0, 1))
    known = dict(at)
    for k, t in (("q11", first), ("q22", second)):
        known[k] = b.emit("mul", b.emit("mul", at[k], t), t, hint="scaled")
    known["q12"] = b.emit("mul", b.emit("mul", at["q12"], first), second, hint="scaled")
    if "root" in at:
        apart = b.emit("mul", b.emit("mul", at["root"], small[0]), small[1])
        known["root"] = b.emit("mul", apart, between, hint="scaled")
    factors = [small, (between, one) if found.points else large]

    made = b.again(p, known)
    if found.large == _POINT and found.jumps:
        rest = b.emit("mul", between, b.emit("div", between, angle), hint="unlike")
        made["dot"] = b.emit("mul", made["dot"], rest)
    powers = [(0, 0) if own is None else own for own in (found.small, found.large)]
    return {
        label: _scaled_back(b, value, factors, powers[0][k], powers[1][k])
        for k, (label, value) in enumerate(made.items())
    }


def rescaled_diagonal(b: Lines, p: Program, found: Orders) -> dict[str, Operand]:
    """The outputs nngp and dot of a program in `q`, evaluated at a rescaled variance.

    On the diagonal the step of a function that tends to two numbers needs no care: E[s'(u)^2] is
    of order -1 there, as both are of a point.
    """
    one: Operand = Fraction(1)
    small, large = (
        one if own is None else b.emit("rescale", "q", end)
        for end, own in ((found.least, found.small), (found.most, found.large))
    )
    t = b.emit("mul", small, large, hint="t")
    made = b.again(p, {"q": b.emit("mul", b.emit("mul", "q", t), t, hint="scaled")})
    factors = [(small, small), (large, one if found.points else large)]
    near, far = ((0, 0) if own is None else own for own in (found.small, found.large))
    return {
        label: _scaled_back(b, value, factors, near[k], far[k])
        for k, (label, value) in enumerate(made.items())
    }


def _scaled_back(
    b: Lines, value: Operand, factors: Sequence[tuple[Operand, ...]], near: int, far: int
) -> Operand:
    """Value over the factors to these powers: of small and large ones in turn, for its range."""
    for k in range(max(abs(near), abs(far))):
        sides = []
        for which in (0, 1):
            side: Operand = Fraction(1)
            for n, pair in ((near, factors[0]), (far, factors[1])):
                if k < abs(n):
                    back = b.emit("div", Fraction(1), pair[which], hint="back")
                    side = b.emit("mul", side, pair[which] if n < 0 else back)
            sides.append(side)
        value = b.emit("mul", value, b.emit("mul", *sides, hint="back"))
    return value


def leaves_range(e: Expr) -> bool:
    """Whether a closed form divides by variances of one point, or is of high degree in them."""
    plain = e.replace(lambda f: isinstance(f, asin | acos), lambda f: Integer(0))
    divided = (p for p in plain.atoms(Pow) if p.base in (S.q11, S.q22))
    return any(p.exp.is_negative for p in divided) or _degree(e) >= _DEGREE


def _degrees(d: Dual) -> int:
    """The degree of what is multiplied in the closed forms, in standard deviations; at least 8."""
    return max(8, *(int(2 * _degree(e)) for e in (d.value, d.dot)))


def _degree(e: Expr) -> Expr:
    """The degree in the entries, numerators and denominators apart, the largest of the terms."""
    if e in ENTRIES:
        return Integer(1)
    if isinstance(e, Add):
        return max(map(_degree, e.args))
    if isinstance(e, Mul):
        return Add(*(d for d in map(_degree, e.args) if d > 0))
    if isinstance(e, Pow) and e.exp.is_Rational:
        return _degree(e.base) * e.exp
    return Integer(0)


def _small(d: Derivation, every: tuple[Cell, ...]) -> tuple[int, int] | None:
    """The orders about 0: of s, of s' with -1 for a jump; None where parameters decide."""
    if not all(_sided(e) for c in every for e in c if e is not None):
        return None
    zero = d.field.integer(0)
    right, left = beside_zero(every)
    pieces = [inside(d.terms, right[0]), inside(d.terms, left[0])]
    jump = pieces[0].at(zero) - pieces[1].at(zero)
    found: list[int] = []
    for n in range(_MOST_ORDER):
        values = [p.at(zero).expr for p in pieces]
        if not all(v.is_zero or v.is_nonzero for v in values):
            return None
        if any(v.is_nonzero for v in values):
            found.append(n)
            if n > 0 or (n == 0 and jump):
                break
        pieces = [p.derivative()[0] for p in pieces]
    if not found:
        return 1, 0  # s is 0 near 0: the dual at tiny variances is 0, or polynomials of more terms
    return found[0], -1 if jump else found[-1] - 1 if found[-1] > 0 else 0


def _large(d: Derivation, every: tuple[Cell, ...]) -> tuple[tuple[int, int] | None, bool]:
    """The degree of s far out and of its derivative, and whether two inputs have waves that count.

    None unless s settles but for waves.  A function that jumps must settle at 0 or at a power above
    the first, without waves.  A wave of a power is one when it is differentiated.
    """
    found = _far_out(d, every)
    if found is None:
        return None, False
    degree, limits, waves = found
    if waves >= degree - 1 and waves >= 0:
        if (
            d.jumps or waves > 0
        ):  # of those that grow, what two unlike inputs share is no such power
            return None, False
        return (degree, max(degree - 1, 0)), True
    if waves >= 0:
        return None if d.jumps else (degree, degree - 1), False
    if all(end.is_zero for end in limits):
        return _POINT, False
    if degree > int(d.jumps):  # of the first degree nothing overflows before the value does
        return (degree, degree - 1), False
    return None if d.jumps else _STEP, False


def _far_out(d: Derivation, every: tuple[Cell, ...]) -> tuple[int, list[Expr], int] | None:
    """The degree of the polynomials that s goes like on its sides, they, and the power of waves."""
    degree, limits, waves = 0, [], -1
    for cell, side in ((every[-1], 1), (every[0], -1)):
        found = parted(inside(d.terms, cell), side)
        if found is None:
            return None
        end, own = found
        waves = max(waves, own)
        limits.append(end.expr)
        for _, powers in end.groups().items():
            for n, c in powers.items():
                if not (c.expr.is_zero or c.expr.is_nonzero):
                    return None
                degree = max(degree, n if c.expr.is_nonzero else 0)
        if len(end.groups()) > 1:
            return None  # two numbers in front of one power, which might cancel
    return degree, limits, waves


def _waving(found: Dual, known: Orders | None) -> Orders | None:
    """The orders with those far out of the diagonal of a function with waves; else `known`.

    A wave of the power n has the mean square of a power n on a diagonal, as soon as its period is
    nothing beside the standard deviation; and so has its derivative, which may be the larger part
    of s'.  Between two inputs it depends on what is between them, which is no power of anything.
    """
    derived = found.derivation
    if not isinstance(derived, Derivation) or not derived.centred or derived.jumps:
        return known
    try:
        far = _far_out(derived, cells(derived.terms))
    except NtksymError:
        return known
    if far is None or far[2] < 0:
        return known
    degree, _, waves = far
    ends = tuple(e for e in (found.diag, found.diag_dot) if e not in (oo, zoo))
    left = tuple(e.replace(exp, lambda *_: Integer(0)).xreplace({S.q: S.q11}) for e in ends)
    if not overflows(left, _EXTREME[1], tiny=False):  # what dies out does so by itself
        return known
    large = max(degree, waves), max(degree - 1, waves)
    most = diagonal_reach((found.diag, found.diag_dot), large)
    if most is None:
        return known
    return replace(known or Orders(None, None), large=large, most=most)


def _sided(end: Exact) -> bool:
    """Whether it is known on which side of 0 a kink is, whatever the parameters."""
    e = end.expr
    return bool(e.is_positive or e.is_negative or e.is_zero)
