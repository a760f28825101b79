r"""Means of the derivatives of an analytic s at small variances, as series that converge there.

$$D_n(q) = E[s^{(n)}(\sqrt q Z)] = \sum_j s^{(n+2j)}(0) \frac{q^j}{2^j j!}$$

is not analytic at $q = -r$ where s has a factor $e^{-x^2/2r}$, or $\mathrm{erf}(x/\sqrt{2r})$, and
beyond.  The plane without that ray is a disc of

$$w = \frac{t - 1}{t + 1} = \frac{q/r}{(t + 1)^2}, \qquad t = \sqrt{1 + q/r}, \qquad
q = \frac{4rw}{(1 - w)^2},$$

so that a series in w converges for all positive q: at q = 2r as $0.27^j$.  Only the first means
need one: the others are taken in closed form, where that does not cancel.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import inf, sqrt
from typing import Any

from flint import arb, fmpz
from sympy import Expr

from ..dyadic import fraction
from ..numeric.arith import ball
from ..precision import precision
from ..terms import TermSum
from .build import Builder
from .direct_where import Weigher
from .rough import Sizes

ORDER = 112
"""So many derivatives of s are looked at."""
LAST = 96
"""The most of them whose means are summed."""
FIRST = 24
"""The most of them that are series."""
MOST = 240
"""More terms than this are not worth it."""
LEFT = 2.0**-55
"""What may be missing, next to the dual, to its derivative."""
_SUMS = 1.5
"""Terms of a mean in closed form add up to so many times the root of the dual at most."""
_PARTS = (*(4.0**-k for k in range(8)), 1e-8, 1e-30)
"""Of a variance: where that is judged."""
_SEEN = 0.8
"""The share of the coefficients that are looked at which may count."""
_BITS, _DIGITS = 600, 170
_NONE = 2.0**-300


@dataclass(frozen=True, slots=True)
class Means:
    """How $D_0, D_1, ...$ are summed.

    Attributes:
        pole: r; 0 where the series are in q.
        rows: coefficients of powers of w, or q, for every n; None where the closed form is taken,
            empty where D_n is zero.
        firsts: the power of q that each of them is multiplied by.
    """

    pole: Fraction
    rows: tuple[tuple[Fraction, ...] | None, ...]
    firsts: tuple[int, ...]

    @property
    def terms(self) -> int:
        """How many there are."""
        return sum(1 if row is None else len(row) for row in self.rows)


class Forms:
    """The means in closed form."""

    def __init__(self, means: list[Expr]) -> None:
        """`means`: D_0, D_1, ..., in q."""
        b = Builder(("q",))
        ends = tuple((f"d{n}", b.operand(e)) for n, e in enumerate(means))
        self._exact = Sizes(b.program("means", ends), _DIGITS)
        self._weigher = Weigher(tuple(means), ("q",))
        self.shares = lru_cache(maxsize=256)(self._shares)

    def _shares(self, q: float) -> tuple[tuple[float, ...], tuple[float, float]]:
        r"""$|D_n| q^{n/2}/\sqrt{n!}$, and the sum of their squares, K(q), and that of q*Kdot(q)."""
        found = self._exact({"q": q})
        means = tuple(_scaled(abs(v), q, n) for n, v in enumerate(found))
        squares = [a * a for a in means]
        return means, (sum(squares), sum(n * a for n, a in enumerate(squares)))

    def last(self, q: float) -> int | None:
        """The last mean that counts beside the same variance; None where that is too far."""
        means, sizes = self.shares(q)
        if not all(0.0 <= v < inf for v in sizes) or not sizes[0]:
            return None
        last = max(n for n, a in enumerate(means) if _share([(n, a)], sizes) > LEFT)
        return last if last <= LAST - 4 else None

    def alone(self, count: int, q: float) -> bool:
        """Whether all but so many means are nothing beside any other variance."""
        means, sizes = self.shares(q)
        return _share(list(enumerate(means))[count:], sizes) <= LEFT**2

    def beside(self, count: int, q: float, pole: float) -> bool:
        """Whether they are nothing beside a larger variance, as far as w1*w2 is that of q alone.

        w is q/(q + r) here, of which the square roots of the shares have the n-th power at most.
        """
        limit = (q / (q + pole)) ** 2
        for large in (q * 4.0**k for k in range(1, 12)):
            w = limit * (large + pole) / large
            means, other = self.shares(large), self.shares(w * pole / (1.0 - w))
            pairs = zip(means[0][count:], other[0][count:], strict=True)
            rest = [(n, sqrt(a * b)) for n, (a, b) in enumerate(pairs, count)]
            sizes = [sqrt(a * b) for a, b in zip(means[1], other[1], strict=True)]
            if _share(rest, (sizes[0], sizes[1])) > LEFT:
                return False
        return True

    def good(self, q: float, last: int) -> list[bool]:
        """Which of them do not cancel, next to the roots of the dual and of its derivative."""
        good = [True] * (last + 1)
        for at in (q * part for part in _PARTS):
            _, sizes = self.shares(at)
            terms = self._weigher.weights({"q": at})
            for n in range(last + 1):
                own = _scaled(terms[n], at, n)
                good[n] &= _share([(n, own)], sizes) <= _SUMS**2
        return good


@dataclass(frozen=True, slots=True)
class Series:
    """All means as series: balls."""

    pole: Fraction
    rows: tuple[tuple[Any, ...], ...]
    firsts: tuple[int, ...]

    def taken(self, q: float, forms: Forms, good: list[bool]) -> Means | None:
        """The terms that count at this variance and below; None where they are too many."""
        means, sizes = forms.shares(q)
        w = _place(q, float(self.pole)) if self.pole else q
        if not all(good[len(self.rows) :]):
            return None
        rows: list[tuple[Fraction, ...] | None] = []
        for n, fine in enumerate(good):
            if fine:
                rows.append(None if means[n] else ())
                continue
            exact = self.rows[n]
            lead = q ** self.firsts[n]
            row = [lead * _scaled(abs(c), q, n) * w**j for j, c in enumerate(exact)]
            count, rest = len(row), 0.0
            while count and _share([(n, rest + row[count - 1])], sizes) <= LEFT**2:
                count -= 1
                rest += row[count]
            if count > _SEEN * len(row):
                return None
            rows.append(tuple(map(_rounded, exact[:count])))
        found = Means(self.pole, tuple(rows), (*self.firsts, *len(rows) * [0])[: len(rows)])
        return found if found.terms <= MOST else None


def poles(f: TermSum) -> list[Fraction]:
    """Every r, in order."""
    found: set[Fraction] = set()
    for k in f.terms:
        for rate in (k.tilt, *(a * a for a, _ in k.gates)):
            if rate and rate.expr.is_positive:
                found.add(Fraction(1 / float(rate.expr)))
    return sorted(found)


def series(f: TermSum, slopes: list[Expr]) -> list[Series]:
    """The series of s with these slopes at 0."""
    numbers = _balls(slopes)
    with precision(_BITS):
        own = [
            [c / (fmpz(2) ** j * fmpz.fac_ui(j)) for j, c in enumerate(numbers[n::2])]
            for n in range(FIRST)
        ]
        firsts = tuple(next((j for j, c in enumerate(row) if c != 0), 0) for row in own)
        parts = [row[first:] for row, first in zip(own, firsts, strict=True)]
        return [
            Series(pole, tuple(_series(row, pole) for row in parts), firsts)
            for pole in (Fraction(0), *poles(f))
        ]


def _place(q: float, pole: float) -> float:
    return q / pole / (sqrt(1.0 + q / pole) + 1.0) ** 2


def _share(means: list[tuple[int, float]], sizes: tuple[float, float]) -> float:
    """What some means, with their n, add to the two at most, as a share of them."""
    dual = sum(a * a for _, a in means) / sizes[0]
    slope = sum(n * a * a for n, a in means) / sizes[1] if sizes[1] else 0.0
    return max(dual, slope)


def _scaled(mean: Any, q: float, n: int) -> float:
    r"""A mean, or the size of its terms, times $q^{n/2}/\sqrt{n!}$; no factor is a double."""
    return float(mean * (arb(q).log() * n / 2 - arb(n + 1).lgamma() / 2).exp())


def _balls(slopes: list[Expr]) -> list[Any]:
    """Numbers of many digits."""
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = _DIGITS
    b = Builder(())
    names = tuple((f"c{k}", b.operand(c)) for k, c in enumerate(slopes))
    values = b.program("numbers", names).evaluate({}, ctx).values()
    with precision(_BITS):
        return [arb(ctx.nstr(v, _DIGITS)) for v in values]


def _series(own: list[Any], pole: Fraction) -> tuple[Any, ...]:
    """The coefficients from those of powers of q; zero where digits cancel as those of zero do."""
    if not pole:
        return tuple(own)
    found = [arb(0)] * len(own)
    sizes = [arb(0)] * len(own)
    for k, c in enumerate(own):
        if c == 0:
            continue
        term = c * ball(4 * pole) ** k  # of q^k = (4 r w)^k (1 - w)^(-2 k)
        for j in range(k, len(own)):
            found[j] += term
            sizes[j] += abs(term)
            term = term * (j + k) / (j - k + 1)
    return tuple(
        c if abs(c).mid() > _NONE * s.mid() else arb(0) for c, s in zip(found, sizes, strict=True)
    )


def _rounded(c: Any) -> Fraction:
    """The ball's middle, to more digits than doubles have."""
    with precision(160):
        return fraction(c * 1)
