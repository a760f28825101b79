r"""From a bound on the mixture to a bound on a dual.

For s of the logistic family and a its finite sum, $s - a = \sum_p C_p(x)\,e^{(k_p)}(c_px + d_p)$ up
to sign.  With $\|f\|_q^2 = E[f(u)^2]$, u ~ N(0, q), Cauchy and Schwarz give
$|K_s - K_a| \le \|e\|_{q_{11}}\|a\|_{q_{22}} + \|a\|_{q_{11}}\|e\|_{q_{22}}
+ \|e\|_{q_{11}}\|e\|_{q_{22}}$, and $\|e\|_q$ is at most the sum over the monomials of $C_p$ of
$|c|\,\|x^m e^{(k)}(cx + d)\|_q$, each an integral of the rows of the bound against the normal law.
Where $C_p$ is no polynomial its terms are bounded as `beside.sizes` says; an exponential of second
degree in one of them makes the law another normal one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import Any

from sympy import Symbol

from ..errors import Undecided
from .arith import ball
from .beside import Size, sizes
from .bound import TOP, MixtureBound, Row
from .evaluate import ball_value
from .logistic import LogisticSum, Part


@dataclass(frozen=True, slots=True)
class DualBound:
    """Proven bounds of |K_s - K_a| for the dual and the derivative dual at one (q11, q22).

    Attributes:
        value: of E[s(u) s(v)], absolute, for every q12.
        dot: of E[s'(u) s'(v)].
        value_relative: divided by sqrt(K(q11) K(q22)) from below.
        dot_relative: the same for the derivative dual.
    """

    value: float
    dot: float
    value_relative: float
    dot_relative: float


def norm(bound: MixtureBound, form: LogisticSum, q: Fraction, values: Mapping[Symbol, Any]) -> Any:
    r"""A ball whose upper end is at least $\|s - a\|_q$.

    Raises:
        Undecided: a derivative of an order that is not bounded.
    """
    from flint import arb

    total = arb(0)
    for part in form.parts:
        slope, offset = (ball_value(e, values) for e in (part.slope, part.offset))
        for size in sizes(part.factor, values):
            square = _square(bound, part, size, slope, offset, q)
            total += size.factor * square.max(arb(0)).upper().sqrt()
    return total


def product_bound(one: Any, two: Any) -> Any:
    """(bound, bound over sqrt(K K)) of ((low, top), e) on both sides.

    `low` is at most the norm of s, `top` at least that of the sum, e at least that of the gap.
    """
    from flint import arb

    ((low1, s1), e1), ((low2, s2), e2) = one, two
    total = (e1 * s2 + s1 * e2 + e1 * e2).upper()
    if not (low1 > 0 and low2 > 0):
        return total, arb("inf")
    return total, total / (low1 * low2)


def _square(
    bound: MixtureBound, part: Part, size: Size, slope: Any, offset: Any, q: Fraction
) -> Any:
    r"""A bound of $E[f(u)^2 e^{(k)}(cu + d)^2]$, f a term of a factor without its number."""
    from flint import arb

    m = size.power

    if part.order > TOP:
        raise Undecided(f"the derivative of order {part.order} of the mixture has no bound")
    if q == 0:
        if m > 0 or part.reduced:  # a reduced part has no offset, and its error vanishes at 0
            return arb(0)
        return (size.const.exp() * _at(bound.rows, part.order, abs(offset))) ** 2
    if slope.contains(0):
        raise Undecided("the slope of an argument is zero, or not separated from it")
    total, law = arb(0), _moved(size, q)
    for row in bound.rows:
        factor, exponent = _reduced(bound, row, part) if part.reduced else _plain(row, part.order)
        square, power = ball(factor) ** 2, 2 * exponent
        for sign in (1, -1):  # |z| in the row: z = c u + d in [start, stop] or in [-stop, -start]
            ends = [sign * ball(row.start), None if row.stop is None else sign * ball(row.stop)]
            total += square * _moment(m, power, slope, offset, ends, sign, law)
    return total * law.mass


@dataclass(frozen=True, slots=True)
class _Law:
    """A number times a normal law, in balls."""

    mass: Any
    mean: Any
    root: Any


def _moved(size: Size, q: Fraction) -> _Law:
    r"""$e^{2(e + sx - tx^2/2)}$ times the law N(0, q)."""
    over = 1 / (1 + 2 * size.tilt * ball(q))
    variance = ball(q) * over
    mass = over.sqrt() * (2 * size.const + 2 * size.shift**2 * variance).exp()
    return _Law(mass, 2 * size.shift * variance, variance.sqrt())


def _plain(row: Row, order: int) -> tuple[Fraction, int]:
    """(b, p): the size is at most b |z|^p on the row."""
    if row.start == 0:
        return row.of(order), 2 if order < 0 else (order + 1) % 2
    return row.of(order), 1 if row.stop is None and order < 0 else 0


def _reduced(bound: MixtureBound, row: Row, part: Part) -> tuple[Fraction, int]:
    """The same for e(z) - e'(0) z and e'(z) - e'(0): of third and of second order at zero."""
    first = bound.rows[0].of(1)
    bend = max(r.of(3) for r in bound.rows if r.start <= row.start)
    power = 3 - part.order
    taylor = bend / (6 if part.order == 0 else 2)  # Taylor's remainder from 0, on all |z| <= stop
    if row.start == 0:
        return taylor, power
    if row.stop is None and part.order == 0:
        return row.of(0) / row.start + first, 1
    plain = row.of(part.order) + first * (row.stop or 1) ** (1 - part.order)
    if row.stop is not None and taylor * row.stop**power < plain:
        return taylor, power
    return plain, 0


def _at(rows: tuple[Row, ...], order: int, z: Any) -> Any:
    """The bound at one point."""
    from flint import arb

    most = arb(0)
    for row in rows:
        inside = row.stop is None or z.lower() < ball(row.stop)
        if inside and z.upper() >= ball(row.start):
            factor, power = _plain(row, order)
            most = most.max(ball(factor) * z.upper() ** power)
    return most


def _moment(
    m: int, power: int, slope: Any, offset: Any, ends: list[Any], sign: int, law: _Law
) -> Any:
    r"""A bound of $E[u^{2m}\,|cu + d|^p;\ cu + d \in I]$, I from ends[0] to ends[1] or without end.

    Partial moments of the standard normal law by their recursion; a negative slope turns u.
    """
    from flint import arb

    c, mean = abs(slope) * law.root, law.mean if slope > 0 else -law.mean
    middle = abs(slope) * mean + offset
    low = (ends[0] - middle) / c
    high = None if ends[1] is None else (ends[1] - middle) / c
    if sign < 0:
        low, high = high, low
    # (c z + d)^p and u^(2m) expanded; p is even, so that no absolute value is left
    row = _expanded(c, middle, power)
    if m:
        row = _product(row, _expanded(law.root, mean, 2 * m))
    moments = partial_moments(len(row) - 1, low, high)
    found = sum((w * moment for w, moment in zip(row, moments, strict=False)), arb(0))
    return found.max(arb(0)).upper()


def _expanded(slope: Any, offset: Any, n: int) -> list[Any]:
    """The coefficients of (slope z + offset)^n, lowest first."""
    return [comb(n, j) * slope**j * offset ** (n - j) for j in range(n + 1)]


def _product(one: list[Any], two: list[Any]) -> list[Any]:
    out = [one[0] * 0] * (len(one) + len(two) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(two):
            out[i + j] += a * b
    return out


def partial_moments(n: int, low: Any, high: Any) -> list[Any]:
    r"""$\int_\alpha^\beta z^k\varphi(z)\,dz$, k = 0..n, at least two; None is an infinite end."""
    from flint import arb

    from ..verify.rules.bivariate_series import cdf

    def density(z: Any) -> Any:
        return (-z * z / 2).exp() / (2 * arb.pi()).sqrt()

    below = arb(0) if low is None else density(low)
    above = arb(0) if high is None else density(high)
    if low is not None and low > 0:  # the upper tails keep their digits
        first = cdf(-low) - (arb(0) if high is None else cdf(-high))
    else:
        first = (arb(1) if high is None else cdf(high)) - (arb(0) if low is None else cdf(low))
    out = [first, below - above]
    for k in range(2, n + 1):
        edge = arb(0)
        if low is not None:
            edge += low ** (k - 1) * below
        if high is not None:
            edge -= high ** (k - 1) * above
        out.append((k - 1) * out[k - 2] + edge)
    return out
