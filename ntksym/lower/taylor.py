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
from functools import lru_cache
from math import factorial
from typing import Any

from sympy import Add, Expr, I, Integer

from .. import symbols as S
from ..activation import Activation
from ..derivation import Derivation
from ..dual import Dual, dual
from ..errors import NtksymError
from ..gaussian import expect
from ..terms.cells import cells
from .build import Builder
from .conditioning import loses
from .direct_where import first_good
from .price import small_program
from .program import Operand

VARIANCES = tuple(Fraction(2) ** k for k in range(-12, 3))
"""Below one of these the series is taken."""
TERMS = tuple(range(12, 41, 4))
"""One of these powers of x is the last that is kept."""
MORE = 8
"""Powers beyond it that show whether it is enough."""
_PROBE = Fraction(1, 10**5)
_LOST = 2.0**-40
_LEFT = 2.0**-57


@dataclass(frozen=True, slots=True)
class Taylor:
    """The numbers of the series.

    Attributes:
        below: up to this product of the standard deviations it is taken.
        beside: and where one variance is at most this, whatever the other one is.
        slopes: the derivatives of s at 0.
        means: D_n in closed form, in q.
    """

    below: Fraction
    beside: Fraction
    slopes: tuple[Expr, ...]
    means: tuple[Expr, ...]


@lru_cache(maxsize=256)
def taylor(activation: Activation) -> Taylor | None:
    """The series of an activation; None where it has none or its closed form keeps its digits.

    Nor with open parameters: how far the series holds depends on them.
    """
    d = dual(activation)
    found = d.derivation
    if not isinstance(found, Derivation) or not found.centred or activation.params:
        return None
    if not any(isinstance(e, Add) and loses(e, _PROBE) for e in (d.value, d.dot)):
        return None
    try:
        if len(cells(found.terms)) > 1 or small_program(activation) or not _fails(d):
            return None
    except NtksymError:
        return None
    zero, pieces = found.field.integer(0), [found.terms]
    for _ in range(TERMS[-1] + MORE):
        pieces.append(pieces[-1].derivative()[0])
    slopes = [f.at(zero).expr for f in pieces]
    if any(c.has(I) for c in slopes) or not any(c != 0 for c in slopes):
        return None
    most = first_good(d.value, d.diag, VARIANCES)
    for below in reversed([v for v in VARIANCES if v <= most]):
        for count in TERMS:
            if _enough(slopes, count, float(below)):
                means = (expect(found.single, f).expr for f in pieces[: count + 1])
                kept = tuple(slopes[: count + 1])
                return Taylor(below, _beside(slopes, count, below), kept, tuple(means))
    return None


def _fails(d: Dual) -> bool:
    """Whether the program of the closed form, with rounding, has lost its digits at the probe."""
    from mpmath import MPContext

    b = Builder(("q11", "q12", "q22"))
    p = b.program("closed", tuple((f"v{k}", b.operand(e)) for k, e in enumerate((d.value, d.dot))))
    at = {"q11": float(_PROBE), "q12": float(_PROBE) / 3, "q22": 2 * float(_PROBE)}
    ends = []
    for bits in (53, 400):
        ctx = MPContext()
        ctx.prec = bits
        ends.append(p.evaluate(at, ctx).values())
    return any(abs(v - w) > _LOST * abs(w) for v, w in zip(*ends, strict=True))


def _enough(slopes: list[Expr], count: int, q: float) -> bool:
    """Whether the powers after the first ones add nothing to the dual and its derivative there."""
    known = [abs(float(c)) for c in slopes[: count + MORE + 1]]
    few, all_of = (_sums(known[: n + 1], q) for n in (count, count + MORE))
    return all(b - a <= _LEFT * a for a, b in zip(few, all_of, strict=True))


def _beside(slopes: list[Expr], count: int, most: Fraction) -> Fraction:
    """Up to which variance the powers that are left out add nothing to the square roots."""
    known = [abs(float(c)) for c in slopes[: count + MORE + 1]]
    for q in reversed([v for v in VARIANCES if v <= most]):
        kept, every = (_means(known[: n + 1], float(q)) for n in (count, count + MORE))
        kept += [0.0] * MORE
        for first in (0, 1):  # of the dual, of its derivative
            weights = [
                float(q) ** (n - first) / factorial(n - first) for n in range(first, len(every))
            ]
            rest = sum(
                w * (b - a) ** 2
                for w, a, b in zip(weights, kept[first:], every[first:], strict=True)
            )
            size = sum(w * a * a for w, a in zip(weights, kept[first:], strict=True))
            if rest > _LEFT**2 * size:
                break
        else:
            return q
    return Fraction(0)


def _means(slopes: list[float], q: float) -> list[float]:
    """D_n of the series with these coefficients, every n."""
    found = []
    for n in range(len(slopes)):
        mean, term = 0.0, 1.0
        for j, c in enumerate(slopes[n::2]):
            mean, term = mean + c * term, term * q / (2 * (j + 1))
        found.append(mean)
    return found


def _sums(slopes: list[float], q: float) -> tuple[float, float]:
    value = slope = 0.0
    for n, mean in reversed(list(enumerate(_means(slopes, q)))):
        value = mean * mean + value * q / (n + 1)
        slope = mean * mean + slope * q / n if n else slope
    return value, slope


def summed(
    b: Builder, t: Taylor, at: dict[str, Operand], closed: tuple[Operand, Operand]
) -> tuple[Operand, Operand]:
    """The dual and its derivative: the closed forms, or the series where variances are small.

    `at`: the covariance; all entries one operand on the diagonal.
    """
    pairs = [tuple(_mean(b, t, n, q, at) for q in (S.q11, S.q22)) for n in range(len(t.slopes))]
    value: Operand = Fraction(0)
    slope: Operand = Fraction(0)
    for n in reversed(range(len(pairs))):
        both = b.emit("mul", *pairs[n])
        part = b.emit("mul", at["q12"], Fraction(1, n + 1))
        value = b.emit("add", b.emit("mul", value, part), both)
        if n:
            part = b.emit("mul", at["q12"], Fraction(1, n))
            slope = b.emit("add", b.emit("mul", slope, part), both)
    size: Operand = at["q11"]
    if at["q11"] != at["q22"]:
        size = b.length()
    found = []
    for series, end in zip((value, slope), closed, strict=True):
        if at["q11"] != at["q22"]:
            least = b.emit("min", at["q11"], at["q22"])
            end = b.emit("short", least, t.beside, series, end)
        found.append(b.emit("short", size, t.below, series, end))
    return found[0], found[1]


def _mean(b: Builder, t: Taylor, n: int, q: Any, at: dict[str, Operand]) -> Operand:
    place = at[q.name]
    total: Operand = Fraction(0)
    for j, c in reversed(list(enumerate(t.slopes[n::2]))):
        number = b.operand(c / (Integer(2) ** j * factorial(j)))
        total = b.emit("add", b.emit("mul", total, place), number)
    if at["q11"] == at["q22"]:
        return total
    far = b.operand(t.means[n].xreplace({S.q: q}))
    return b.emit("short", place, t.below, total, far)
