r"""A series as numbers for code: doubles of the polynomials in log q, and the proven total error.

The code computes $\sum_{n<N}p_n(q_{11})\,p_n(q_{22})\,\rho^n$. Three errors are proven for all
variances in [lo, hi] and $|\rho| \le \rho_{max}$: of truncation, of $p_n$ for $a_n$
(Cauchy-Schwarz, with $e_n \ge |a_n - p_n|$), and of the doubles and the terms left out of $p_n$
(part of $e_n$). Rounding of the generated code is not in the bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sympy import Expr

from ...dyadic import fraction
from ...errors import Undecided
from ...precision import precision
from ..arith import ball, rounded_up, upward
from .sweep import Sweep, sweep
from .tail import Rest, slope_tail, value_tail
from .truncation import Extent, domain, extents, fewest

MOST = 1024
"""Terms of a series for code."""
_BITS = 64
_ROUND = Fraction(1, 1 << 55)
"""Terms below this times sqrt(E[s^2]) are left out of a polynomial."""


@dataclass(frozen=True, slots=True)
class SeriesTable:
    r"""Numbers of a series for |rho| <= rho_max and variances in [lo, hi].

    Attributes:
        expr: s in the symbol `x`, parameters replaced.
        terms: n < terms; some are left out.
        kept: the n that are not left out, in order: all of one parity, or all.
        step: 2 where only one parity is kept, else 1.
        lo, hi, rho_max: the domain.
        rows: for each kept n the Chebyshev coefficients of $p_n$, in
            $t = (2\log q - \log lo - \log hi)/\log(hi/lo)$; one number each where lo = hi.
        second: those of $E[s(u)^2]$.
        slope: those of $q\,E[s'(u)^2]$, or None where s jumps.
        value, dot: the proven absolute errors of dual and derivative dual.
        value_relative, dot_relative: divided by $\sqrt{K(q_{11})K(q_{22})}$, and for the derivative
            by that of the derivative dual (where s jumps by sqrt(K K/(q11 q22))).
        diag, diag_dot: the proven errors of the diagonal, absolute.
    """

    expr: Expr
    terms: int
    kept: tuple[int, ...]
    step: int
    lo: Fraction
    hi: Fraction
    rho_max: Fraction
    rows: tuple[tuple[float, ...], ...]
    second: tuple[float, ...]
    slope: tuple[float, ...] | None
    value: float
    dot: float
    value_relative: float
    dot_relative: float
    diag: float
    diag_dot: float

    @property
    def first(self) -> int:
        """The first n that is kept."""
        return self.kept[0]

    def lines(self) -> tuple[str, ...]:
        """What the head of a generated file says."""
        where = (
            f"{float(self.lo):.17g} (to 2^-48)"
            if self.lo == self.hi
            else f"{float(self.lo):.17g} to {float(self.hi):.17g}"
        )
        parity = "" if self.step == 1 else f", {'odd' if self.first % 2 else 'even'} n only"
        return (
            f"K[{self.expr}]: sum over n < {self.terms}{parity} of "
            "a_n(q11) a_n(q22) rho^n (Hermite/Mehler series)",
            f"for |rho| <= {float(self.rho_max):.17g} and q11, q22 = {where}; NaN elsewhere",
            f"proven, rounding not counted: |error| <= {upward(self.value)} of the dual "
            f"({upward(self.value_relative)} relative to sqrt(K K))",
            f"and <= {upward(self.dot)} of the derivative dual "
            f"({upward(self.dot_relative)} relative)",
            f"diagonal: <= {upward(self.diag)} and <= {upward(self.diag_dot)}",
        )


def series_table(
    activation: Any,
    *,
    variances: tuple[Any, Any],
    rho_max: Any = 1,
    terms: int = 0,
    error: float = 1e-12,
    params: Mapping[Any, Any] | None = None,
) -> SeriesTable:
    """The numbers of a series.

    Args:
        activation: an `Activation`, or what `language.as_activation` reads.
        variances: (lo, hi), exact, 0 < lo <= hi.
        rho_max: the largest |rho|, exact.
        terms: how many; 0: as many as `error` needs.
        error: of dual and derivative dual, relative to sqrt(K K) and sqrt(Kdot Kdot).
        params: exact values of the parameters.

    Raises:
        Undecided: `error` is not reached, or the range is too wide for the number of terms.
        BadCovariance: an empty domain.
        NotSquareIntegrable: E[s(u)^2] is infinite in the range.
    """
    from ...language import as_activation
    from ...verify.balls import with_values

    read = as_activation(activation)
    rho, lo, hi = domain(rho_max, variances)
    if lo < hi:  # the doubles that stand for the ends are inside
        lo, hi = min(lo, Fraction(float(lo))), max(hi, Fraction(float(hi)))
    if rho < 1:
        rho = max(rho, Fraction(float(rho)))
    if not terms:
        terms = fewest(read, error / 2, rho, (lo, hi), params or {}, MOST)
    return _table(with_values(read, params or {}), lo, hi, rho, terms)


@lru_cache(maxsize=16)
def _table(expr: Expr, lo: Fraction, hi: Fraction, rho: Fraction, terms: int) -> SeriesTable:
    from flint import arb

    from ...activation import Activation

    with precision(_BITS + 64):
        cells = extents(Activation("s", expr), lo, hi, terms, {})
        source = _point(expr, lo, terms) if lo == hi else sweep(expr, lo, hi, terms, _BITS)
        least = min((c.second[0] for c in cells), key=float)
        if not least > 0:
            raise Undecided("E[s(u)^2] is not separated from 0 on the range of variances")
        drop = least.sqrt() * ball(_ROUND)
        kept = _parity(source, drop)
        if not kept:
            raise Undecided("no coefficient is above rounding")
        degree = max(_degree(source.rows[n], drop) for n in kept)
        rows = tuple(_doubles(source.rows[n], degree) for n in kept)
        slips = []
        for n, row in enumerate(source.rows):
            exact = rows[kept.index(n)] if n in kept else ()
            slips.append((_gap(row, exact) + source.error).upper())
        second = _doubles(source.second, _degree(source.second, least * ball(_ROUND)))
        diag = _gap(source.second, second) + source.second_error
        slope, diag_dot = None, arb("inf")
        if source.slope is not None:
            low = min((c.bend[0] for c in cells if c.bend is not None), key=float)
            slope = _doubles(source.slope, _degree(source.slope, low * ball(_ROUND)))
            diag_dot = (_gap(source.slope, slope) + source.slope_error) / ball(lo)
        bounds = _bounds(cells, slips, rho, terms)
        step = 2 if len(kept) > 1 and kept[1] - kept[0] == 2 else 1
        value, dot, first, other = (rounded_up(b) for b in bounds)
        return SeriesTable(
            expr,
            terms,
            kept,
            step,
            lo,
            hi,
            rho,
            rows,
            second,
            slope,
            value,
            dot,
            first,
            other,
            rounded_up(diag),
            rounded_up(diag_dot),
        )


def _point(expr: Expr, q: Fraction, terms: int) -> Sweep:
    """One variance, as a sweep of polynomials of degree 0."""
    from flint import arb

    from .enclosed import coefficients, slope_moment

    found = coefficients(expr, q, terms, bits=2 * _BITS)
    bend = slope_moment(expr, q, bits=2 * _BITS)
    slope = None if bend is None else (ball(q) * bend,)
    rows = tuple((a,) for a in found.values)
    return Sweep(q, q, rows, (found.second,), slope, arb(0), arb(0), arb(0), _BITS)


def _parity(source: Sweep, drop: Any) -> tuple[int, ...]:
    """The n to keep: those of one parity if the others are below rounding."""
    count = len(source.rows)
    loud = [n for n in range(count) if not _size(source.rows[n]) < drop]
    if not loud:
        return ()
    top = loud[-1]
    for first in (0, 1):
        if all(n % 2 == first for n in loud):
            return tuple(range(loud[0], top + 1, 2))
    return tuple(range(loud[0], top + 1))


def _size(row: tuple[Any, ...]) -> Any:
    from flint import arb

    return sum((abs(c) for c in row), arb(0)).upper()


def _degree(row: tuple[Any, ...], drop: Any) -> int:
    """The least degree beyond which the coefficients add up to less than `drop`."""
    from flint import arb

    left = arb(0)
    for j in range(len(row) - 1, 0, -1):
        left += abs(row[j])
        if not left.upper() < drop:
            return j
    return 0


def _doubles(row: tuple[Any, ...], degree: int) -> tuple[float, ...]:
    return tuple(float(fraction(c)) for c in row[: degree + 1])


def _gap(row: tuple[Any, ...], numbers: tuple[float, ...]) -> Any:
    """A bound of |p - the polynomial with these doubles| on the range."""
    from flint import arb

    total = arb(0)
    for j, c in enumerate(row):
        total += abs(c - arb(numbers[j])) if j < len(numbers) else abs(c)
    return total.upper()


def _bounds(cells: tuple[Extent, ...], slips: list[Any], rho: Fraction, terms: int) -> list[Any]:
    """Value, derivative, and both relative: truncation and coefficients together, worst cells.

    Two variances in different cells: geometric means are at most arithmetic ones, so that the
    worst single cell bounds them, but for the last term of the derivative, which takes the
    largest norm and the least variance.
    """
    from flint import arb

    r = ball(rho)
    e0 = sum((e * e for e in slips), arb(0)).upper().sqrt()
    e1 = sum((n * e * e for n, e in enumerate(slips)), arb(0)).upper().sqrt()
    worst = [arb(0)] * 4
    norms = [
        c.bend[1].upper().sqrt() if c.bend is not None else (terms * c.second[1]).upper().sqrt()
        for c in cells
    ]
    lost_dot = (2 * e1 * max(norms, key=float) + e1 * e1) / min((c.low for c in cells), key=float)
    for c in cells:
        slope = None if c.slope is None else c.slope / c.low
        rest = Rest(c.value, slope, c.low)
        top, low = c.second[1].upper().sqrt(), c.second[0].max(arb(0)).sqrt().lower()
        value = value_tail(r, terms, rest, rest)
        lost = 2 * e0 * top + e0 * e0
        worst[0] = worst[0].max((value + lost).upper())
        # relative: with x = e0/sqrt(K) at either side, x + y + x y for the coefficients
        x = e0 / low if low > 0 else arb("inf")
        ratio = value / c.second[0] if low > 0 else arb("inf")
        worst[2] = worst[2].max((ratio + 2 * x + x * x).upper())
        dot = slope_tail(r, terms, rest, rest) + lost_dot
        worst[1] = worst[1].max(dot.upper())
        least = (c.bend or c.second)[0]
        y = e1 / least.sqrt() if least > 0 else arb("inf")
        scaled = Rest(c.value, c.slope, arb(1))
        relative = slope_tail(r, terms, scaled, scaled) / least if least > 0 else arb("inf")
        if c.bend is None:  # the norm of n a_n^2 is at most the number of terms times K
            y = y * arb(terms).sqrt()
        relative = relative + 2 * y + y * y
        worst[3] = worst[3].max(relative.upper())
    return worst
