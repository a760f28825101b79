r"""Duals of functions with a kink at 0 alone, at small variances: the series of their two halves.

With $s(x) = \sum_k a_k x^k/k!$ for x > 0 and $\sum_k b_k |x|^k/k!$ for x < 0,

$$K = \sum_{mn} (a_m a_n + b_m b_n)\,h_{mn}(q_{12}) + (a_m b_n + b_m a_n)\,h_{mn}(-q_{12}), \qquad
h_{mn} = \frac{E[u_+^m v_+^n]}{m!\,n!},$$

and by Stein's lemma $m\,h_{mn} = q_{11} h_{m-2,n} + q_{12} h_{m-1,n-1}$ for m > 1, n > 0.  Before
that it gives a delta times a power, a moment of one variable: with
$e_n = q_{11} E[\delta(u) v_+^n]/n! = \sqrt{q_{11}/2\pi}\,t^n E[Z_+^n]/n!$,
$t^2 = \det/q_{11}$, and $f_n$ the same of v,

$$h_{00} = \frac{\arccos(-\rho)}{2\pi}, \quad
h_{01} = f_0 + \tfrac{q_{12}}{q_{11}} e_0, \quad
n\,h_{0n} = q_{22} h_{0,n-2} + \tfrac{q_{12}}{q_{11}} e_{n-1}, \quad
h_{1n} = e_n + q_{12} h_{0,n-1}.$$

An error grows no faster than the $h_{mn}$ of $|q_{12}|$, so those of large m, n do not count beside
$\sqrt{K(q_{11})K(q_{22})}$.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import factorial, gamma, pi, sqrt

from sympy import Expr

from ..derivation import Derivation
from ..errors import NtksymError
from ..gaussian import value_at
from ..terms import TermSum
from ..terms.cells import beside_zero, cells, inside

VARIANCES = tuple(Fraction(n, 512) for n in (1, 32, 128, 256, 384, 512))
"""Up to each of these the series has its own number of terms."""
TERMS = tuple(range(8, 53, 2))
"""One of these is the largest m + n."""
_LEFT = 2.0**-56
_LOST = 6.5
"""Terms may add up to so many times the dual of one input with itself."""


@dataclass(frozen=True, slots=True)
class Halves:
    """The numbers of the series.

    Attributes:
        right: a_0, a_1, ...
        left: b_0, b_1, ...
        steps: variances in increasing order, and the largest m + n up to each.
    """

    right: tuple[float, ...]
    left: tuple[float, ...]
    steps: tuple[tuple[Fraction, int], ...]

    @property
    def below(self) -> Fraction:
        """Up to this variance, of both inputs, the series is taken."""
        return self.steps[-1][0]

    @property
    def used(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """How many n of each m count, in the sums of q12 and of -q12; with those they come from."""
        found = []
        for same in (True, False):
            count, tops = len(self.right), [0] * (len(self.right) + 2)
            for m in reversed(range(count)):
                own = [n + 1 for n in range(count - m) if any(self._products(m, n, same))]
                tops[m] = max(max(own, default=0), tops[m + 2], tops[m + 1] - 1)
            found.append(tuple(tops[:count]))
        return found[0], found[1]

    def _products(self, m: int, n: int, same: bool) -> tuple[float, float]:
        a, b = self.right, self.left
        return (a[m] * a[n], b[m] * b[n]) if same else (a[m] * b[n], b[m] * a[n])

    def weight(self, m: int, n: int, same: bool) -> float:
        """What h_mn of q12, or of -q12 where not `same`, is multiplied by."""
        return sum(self._products(m, n, same))


def halves(d: Derivation) -> Halves | None:
    """The series; None where s has other kinks or open parameters, or it does not converge."""
    try:
        pieces = about_zero(d) if not d.activation.params and len(cells(d.terms)) == 2 else None
    except NtksymError:
        return None
    if pieces is None:
        return None
    right, left = zip(*sides(d, pieces, TERMS[-1] + 9), strict=True)
    exprs = [*right, *left]
    if not all(e.is_number and e.is_real for e in exprs):
        return None
    a, b = (tuple(float(e) for e in half) for half in (right, left))
    steps = []
    for variance in VARIANCES:
        count = _enough(a, b, float(variance))
        if count is None:
            break
        steps.append((variance, count))
    if not steps:
        return None
    most = steps[-1][1] + 1
    return Halves(a[:most], b[:most], tuple(steps))


def about_zero(d: Derivation) -> tuple[TermSum, ...] | None:
    """The pieces of s that meet at 0, right and left of it; one where 0 is no kink."""
    try:
        found = cells(d.terms)
    except NtksymError:
        return None
    right, left = beside_zero(found)
    if len(right) != 1 or len(left) != 1:
        return None
    ends = right if left == right else (*right, *left)
    return tuple(inside(d.terms, c) for c in ends)


def sides(d: Derivation, pieces: tuple[TermSum, ...], count: int) -> list[tuple[Expr, Expr]]:
    """a_k and b_k for k < count."""
    zero, found = d.field.integer(0), []
    for k in range(count):
        right, *left = (value_at(p, zero) for p in pieces)
        found.append((right, (-1) ** k * (left[0] if left else right)))
        pieces = tuple(p.derivative()[0] for p in pieces)
    return found


def half_moment(n: int) -> float:
    """E[Z_+^n]/n! of a standard normal variable."""
    return 2 ** (n / 2 - 1) * gamma((n + 1) / 2) / (sqrt(pi) * factorial(n))


def _enough(a: tuple[float, ...], b: tuple[float, ...], q: float) -> int | None:
    """The first of `TERMS` after which nothing is left at this variance; None for none."""
    sizes, signed = [0.0] * len(a), 0.0
    for m in range(len(a)):
        for n in range(len(a) - m):
            moment = q ** ((m + n) / 2) * half_moment(m + n) * factorial(m + n)
            moment /= factorial(m) * factorial(n)
            sizes[m + n] += (abs(a[m] * a[n]) + abs(b[m] * b[n])) * moment
            signed += (a[m] * a[n] + b[m] * b[n]) * moment
    if sum(sizes) > _LOST * signed:
        return None
    rest = [sum(sizes[t + 1 :]) <= _LEFT * signed for t in TERMS]
    return TERMS[rest.index(True)] if any(rest) else None
