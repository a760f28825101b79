r"""Duals of smooth functions whose first powers cancel, at small variances: their Taylor series.

By Price's theorem, applied again and again,
$$K = \sum_n \frac{q_{12}^n}{n!} D_n(q_{11}) D_n(q_{22}), \qquad
D_n(q) = E[s^{(n)}(\sqrt q Z)] = \sum_j s^{(n+2j)}(0) \frac{q^j}{2^j j!},$$
and the derivative dual is the same sum with $q_{12}^{n-1}/(n-1)!$.  The closed form of $x - \sin x$
is a sum of terms of order q for a dual of order $q^3$; here the derivatives that are zero are left
out.  For a variance that is large beside a small one, $D_n$ is taken in closed form.

Of the terms of the sum each is at most the product of what the same n contributes to
$\sqrt{K(q_{11})}$ and $\sqrt{K(q_{22})}$: where one variance is small enough, the other may be any.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, reduce
from math import factorial

from sympy import Add, Expr, I, Symbol

from .. import symbols as S
from ..activation import Activation
from ..derivation import Derivation
from ..dual import Dual, dual
from ..errors import NtksymError
from ..gaussian import expect, value_at
from ..terms import TermSum
from ..terms.cells import cells
from .build import Builder
from .conditioning import LOST as USUAL
from .conditioning import loses
from .direct_where import first_good
from .means import LAST, ORDER, Forms, Means, poles, series
from .price import small_program
from .program import Operand

VARIANCES = tuple(Fraction(2) ** k for k in range(-12, 3))
"""Below one of these the series is taken."""
LOST = 6.0
"""Terms of the closed form add up to so many times the dual beyond, if that can be."""
_PROBE = Fraction(1, 10**5)
_LOST = 2.0**-50
"""Relative errors of the closed form that are too large."""


@dataclass(frozen=True, slots=True)
class Taylor:
    """The numbers of the series.

    Attributes:
        below: up to this variance the series of means hold.
        pole: the smallest r, 0 for none.  With one the rule is taken where the product of
            q/(q + r) of the two variances is at most that for `below` and itself.
        beside: without one, where the product of the standard deviations is at most `below`, or
            one variance is at most this.
        means: the series of D_n.
        closed: D_n in closed form, in q.
    """

    below: Fraction
    pole: Fraction
    beside: Fraction
    means: Means
    closed: tuple[Expr, ...]


@lru_cache(maxsize=256)
def taylor(activation: Activation) -> Taylor | None:
    """The series of an activation; None where it has none or its closed form keeps its digits.

    Nor with open parameters: how far the series holds depends on them.
    """
    d = dual(activation)
    found = d.derivation
    if not isinstance(found, Derivation) or not found.centred or activation.params:
        return None
    # the means of gates are long formulas: a dozen times the closed form, which must lose more
    most = USUAL if any(key.gates for key in found.terms.terms) else LOST
    if not any(isinstance(e, Add) and loses(e, _PROBE, most) for e in (d.value, d.dot)):
        return None
    try:
        if len(cells(found.terms)) > 1 or not _fails(d, small_program(activation) is not None):
            return None
    except NtksymError:
        return None
    zero, pieces = found.field.integer(0), [found.terms]
    for _ in range(ORDER):
        pieces.append(pieces[-1].derivative()[0])
    slopes = [value_at(f, zero) for f in pieces]
    if any(c.has(I) for c in slopes) or not any(c != 0 for c in slopes):
        return None
    every, closed = series(found.terms, slopes), _closed(found, pieces)
    pairs = (d.value, d.diag), (d.dot, d.diag_dot)
    forms, highest = Forms(closed), max(first_good(*pair, VARIANCES, LOST) for pair in pairs)
    for below in reversed([v for v in VARIANCES if v <= highest]):
        q = float(below)
        if (last := forms.last(q)) is None:
            continue
        good = forms.good(q, last)
        taken = [m for c in every if (m := c.taken(q, forms, good)) is not None]
        if taken:
            pole = min(poles(found.terms), default=Fraction(0))
            if pole and not forms.beside(last + 1, q, float(pole)):
                pole = Fraction(0)
            lower = (v for v in reversed(VARIANCES) if v <= below and not pole)
            beside = next((v for v in lower if forms.alone(last + 1, float(v))), Fraction(0))
            means = min(taken, key=lambda m: m.terms)
            return Taylor(below, pole, beside, means, tuple(closed[: last + 1]))
    return None


def _closed(d: Derivation, pieces: list[TermSum]) -> list[Expr]:
    """The means of s and of its first derivatives, in q."""
    return [expect(d.single, f).expr for f in pieces[: LAST + 1]]


def _fails(d: Dual, integrated: bool) -> bool:
    """Whether the program of the closed form, with rounding, loses digits at small variances.

    `integrated`: only that of the derivative counts, which Price's rule integrates.
    """
    from mpmath import MPContext

    ends = [("dot", d.dot)] if integrated else [("nngp", d.value), ("dot", d.dot)]
    b = Builder(("q11", "q12", "q22"))
    p = b.program("closed", tuple((k, b.operand(e)) for k, e in ends))
    rounded, exact = MPContext(), MPContext()
    exact.prec = 400
    for k in range(8):
        q = float(_PROBE) * 1.7**k
        at = {"q11": q, "q12": 0.9 * q, "q22": 0.95 * q}
        values = p.evaluate(at, rounded), p.evaluate(at, exact)
        if any(abs(values[0][n] - v) > _LOST * abs(v) for n, v in values[1].items()):
            return True
    return False


def summed(
    b: Builder, t: Taylor, at: dict[str, Operand], closed: tuple[Operand, Operand]
) -> tuple[Operand, Operand]:
    """The dual and its derivative: the closed forms, or the series where variances are small.

    `at`: the covariance; all entries one operand on the diagonal.
    """
    if at["q11"] == at["q22"]:
        first = second = _means(b, t, S.q, at["q11"], True)
    else:
        first, second = (_means(b, t, q, at[q.name], False) for q in (S.q11, S.q22))
    known = [n for n, row in enumerate(t.means.rows) if row != ()]
    both = {n: b.emit("mul", first[n], second[n]) for n in known}
    value = _powers(b, at["q12"], {n: (factorial(n), both[n]) for n in known})
    slope = _powers(b, at["q12"], {n - 1: (factorial(n - 1), both[n]) for n in known if n})
    if at["q11"] == at["q22"]:
        place, limit = at["q11"], t.below
    elif t.pole:
        sides = (b.emit("div", q, b.emit("add", q, t.pole)) for q in (at["q11"], at["q22"]))
        place, limit = b.emit("mul", *sides), (t.below / (t.below + t.pole)) ** 2
    else:
        least = b.emit("min", at["q11"], at["q22"])
        place, limit = b.length(), t.below
        closed = tuple(  # type: ignore[assignment]
            b.emit("short", least, t.beside, near, end)
            for near, end in zip((value, slope), closed, strict=True)
        )
    ends = zip((value, slope), closed, strict=True)
    one, two = (b.emit("short", place, limit, near, end) for near, end in ends)
    return one, two


def _powers(b: Builder, place: Operand, terms: dict[int, tuple[int, Operand]]) -> Operand:
    """The sum of the terms of powers, each a number over a whole one."""

    def power(n: int) -> Operand:
        return reduce(lambda one, two: b.emit("mul", one, two), n * [place])

    total: Operand = Fraction(0)
    above = None
    for n in sorted(terms, reverse=True):
        number, term = terms[n]
        if above is not None:
            step = b.emit("mul", power(above[0] - n), Fraction(number, above[1]))
            total = b.emit("mul", total, step)
        total, above = b.emit("add", total, term), (n, number)
    if above is None or not above[0]:
        return total
    return b.emit("mul", total, b.emit("mul", power(above[0]), Fraction(1, above[1])))


def _means(b: Builder, t: Taylor, q: Symbol, place: Operand, own: bool) -> list[Operand]:
    """D_0, D_1, ... at a variance; with `own` one that is known to be small."""
    found: list[Operand] = []
    w = place
    if t.means.pole:
        part = b.emit("mul", place, 1 / t.means.pole)
        side = b.emit("add", b.emit("sqrt0", b.emit("add", part, Fraction(1))), Fraction(1))
        w = b.emit("div", part, b.emit("mul", side, side))
    for row, first, closed in zip(t.means.rows, t.means.firsts, t.closed, strict=True):
        total: Operand = Fraction(0)
        for c in reversed(row or ()):
            total = b.emit("add", b.emit("mul", total, w), c)
        for _ in range(first if row else 0):
            total = b.emit("mul", total, place)
        if row is None or (row and not own):
            far = b.operand(closed.xreplace({S.q: q}))
            total = b.emit("short", place, t.below, total, far) if row else far
        found.append(total)
    return found
