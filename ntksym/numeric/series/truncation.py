r"""How many terms, and the proven bound of the rest for a whole range of variances.

Ranges, not samples: $R_N(q)/K(q)$ is a quotient of polynomials in log q up to the proven error
of `sweep`, and is bounded cell by cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import inf, log
from typing import Any

from ...activation import Activation
from ...errors import BadCovariance, Undecided
from ...precision import precision
from ..arith import ball, rounded_up, upward
from .cosines import Cells, at_points, cells, interpolate
from .enclosed import coefficients, rational, slope_moment
from .glance import glance
from .sweep import Sweep, sweep
from .tail import FAR, Rest, foretold, slope_tail, value_tail

_BITS = 64
_FEW = 64
_DOUBT = 4
_CLEAR = 2.0
"""So many times the error has to be left where doubles alone tell."""


@dataclass(frozen=True, slots=True)
class Truncation:
    """Proven errors of the first `terms` terms, for |rho| <= rho_max and variances in [lo, hi].

    Attributes:
        terms: n < terms are kept.
        rho_max: the largest |rho|.
        lo, hi: the range of both variances.
        value: of the dual, absolute.
        dot: of the derivative dual, absolute; infinite for a jump at rho_max = 1.
        value_relative: divided by sqrt(K(q11) K(q22)).
        dot_relative: divided by sqrt(Kdot(q11) Kdot(q22)); where s jumps, by
            sqrt(K(q11) K(q22)/(q11 q22)).
    """

    terms: int
    rho_max: Fraction
    lo: Fraction
    hi: Fraction
    value: float
    dot: float
    value_relative: float
    dot_relative: float

    def __str__(self) -> str:
        where = f"{float(self.lo):g}" if self.lo == self.hi else f"{self.lo} to {self.hi}"
        return (
            f"{self.terms} terms, |rho| <= {float(self.rho_max):.17g}, variances {where}: "
            f"proven error <= {upward(self.value)} of the dual ({upward(self.value_relative)} "
            f"relative to sqrt(K K)), <= {upward(self.dot)} of the derivative dual "
            f"({upward(self.dot_relative)})"
        )


@dataclass(frozen=True, slots=True)
class Extent:
    """What is needed of one cell of variances, all proven bounds (`arb`).

    Attributes:
        value: upper bound of R_N(q).
        slope: of q R'_N(q), or None.
        second: lower and upper bound of K(q).
        bend: lower and upper bound of q Kdot(q), or None.
        low: lower bound of q.
    """

    value: Any
    slope: Any | None
    second: tuple[Any, Any]
    bend: tuple[Any, Any] | None
    low: Any


def truncation(
    activation: Activation,
    rho_max: Any,
    variances: tuple[Any, Any],
    terms: int,
    params: Mapping[Any, Any] | None = None,
) -> Truncation:
    """The proven errors of `terms` terms.

    Raises:
        BadCovariance: rho_max above 1, or a range that is not 0 < lo <= hi.
        Undecided: the range is too wide; see `sweep`.
    """
    rho, lo, hi = domain(rho_max, variances)
    with precision(_BITS + 64):
        found = extents(activation, lo, hi, terms, params or {})
        return _collect(found, rho, lo, hi, terms)


def domain(rho_max: Any, variances: tuple[Any, Any]) -> tuple[Fraction, Fraction, Fraction]:
    """The exact numbers of a domain.

    Raises:
        BadCovariance: outside 0 <= rho_max <= 1, 0 < lo <= hi.
    """
    rho, lo, hi = rational(rho_max), rational(variances[0]), rational(variances[1])
    if rho > 1:
        raise BadCovariance(f"rho_max = {rho} is more than 1", hint="0 <= rho_max <= 1")
    if not 0 < lo <= hi:
        raise BadCovariance(
            f"the range of variances from {lo} to {hi} is empty or holds 0",
            hint="(low, high), 0 < low <= high",
        )
    return rho, lo, hi


def extents(
    activation: Activation, lo: Fraction, hi: Fraction, terms: int, params: Mapping[Any, Any]
) -> tuple[Extent, ...]:
    """The range, cell by cell; one cell for a single variance."""
    from ...verify.balls import with_values

    if lo == hi:
        return (_at(activation, lo, terms, params),)
    return _over(sweep(with_values(activation, params), lo, hi, terms, _BITS))


def _at(activation: Activation, q: Fraction, terms: int, params: Mapping[Any, Any]) -> Extent:
    found = coefficients(activation, q, terms, bits=2 * _BITS, params=params)
    second = slope_moment(activation, q, bits=2 * _BITS, params=params)
    slope = bend = None
    if second is not None:
        left = second * ball(q)
        bend = (left.lower(), left.upper())
        for n, a in enumerate(found.values):
            left = left - n * a * a
        slope = left.upper()
    edges = (found.second.lower(), found.second.upper())
    return Extent(found.rest.upper(), slope, edges, bend, ball(q).lower())


def _over(s: Sweep) -> tuple[Extent, ...]:
    from flint import arb

    degree = len(s.second) - 1
    many = 2 * degree + 1
    functions = [*s.rows, s.second, *([] if s.slope is None else [s.slope])]
    count = len(s.rows)
    columns = []
    for values in at_points(functions, many):
        squares = [a * a for a in values[:count]]
        left = values[count] - sum(squares, arb(0))
        bend = arb(0)
        if s.slope is not None:
            bend = values[-1] - sum((n * a for n, a in enumerate(squares)), arb(0))
        columns.append((left, bend))
    left, bend = interpolate(columns)
    pieces = 4 * (degree + 1)
    second = cells(s.second, pieces)
    top = max((u for u in second.upper), key=lambda u: float(u)).max(arb(0)) + s.second_error
    # |p_n - a_n| <= e: the sums of squares differ by at most 2 e sqrt(N K) + N e^2
    e, n_sum = s.error, arb(count * (count - 1)) / 2
    lost = s.second_error + 2 * e * (arb(count) * top).sqrt() * 2 + count * e * e
    rest = cells(left, pieces)
    slopes: Cells | None = None
    slope_rest: Cells | None = None
    slope_lost = arb(0)
    if s.slope is not None:
        slopes, slope_rest = cells(s.slope, pieces), cells(bend, pieces)
        high = max((u for u in slopes.upper), key=lambda u: float(u)).max(arb(0)) + s.slope_error
        slope_lost = s.slope_error + 4 * e * (n_sum * high).sqrt() + n_sum * e * e
    length, middle = _log(s.hi) - _log(s.lo), _log(s.hi) + _log(s.lo)
    out = []
    for k in range(pieces):
        edge = arb.cos_pi((arb(k) + 1) / pieces)  # theta grows: log q falls
        low = ((middle + length * edge) / 2).exp().lower()
        slope = bends = None
        if slopes is not None and slope_rest is not None:
            slope = (slope_rest.upper[k] + slope_lost).upper().max(arb(0))
            bends = (slopes.lower[k] - s.slope_error).lower(), slopes.upper[k] + s.slope_error
        out.append(
            Extent(
                (rest.upper[k] + lost).upper().max(arb(0)),
                slope,
                ((second.lower[k] - s.second_error).lower(), second.upper[k] + s.second_error),
                bends,
                low,
            )
        )
    return tuple(out)


def _log(value: Fraction) -> Any:
    return ball(value).log()


def _collect(
    found: tuple[Extent, ...], rho: Fraction, lo: Fraction, hi: Fraction, terms: int
) -> Truncation:
    """The worst cell; for two different cells the bounds are geometric means."""
    from flint import arb

    r = ball(rho)
    worst = [arb(0)] * 4
    for c in found:
        slope = None if c.slope is None else c.slope / c.low
        rest = Rest(c.value, slope, c.low)
        value, dot = value_tail(r, terms, rest, rest), slope_tail(r, terms, rest, rest)
        worst[0], worst[1] = worst[0].max(value), worst[1].max(dot)
        worst[2] = worst[2].max(_over_least(value, c.second[0]))
        scaled = Rest(c.value, c.slope, arb(1))  # both sides times q: no division by low
        other = slope_tail(r, terms, scaled, scaled)
        worst[3] = worst[3].max(_over_least(other, (c.bend or c.second)[0]))
    value, dot, first, second = (rounded_up(w) for w in worst)
    return Truncation(terms, rho, lo, hi, value, dot, first, second)


def _over_least(value: Any, least: Any) -> Any:
    from flint import arb

    if value == 0:
        return arb(0)
    return (value / least).upper() if least > 0 else arb("inf")


def fewest(
    activation: Activation,
    error: float,
    rho_max: Any,
    variances: tuple[Any, Any],
    params: Mapping[Any, Any],
    most: int,
) -> int:
    """The fewest terms with relative errors of dual and derivative at most `error` at both ends.

    Then as many more as the whole range needs.

    Raises:
        Undecided: `most` terms do not do; the best bound is in the message.
    """
    rho, lo, hi = domain(rho_max, variances)
    count, worst = _FEW, inf
    while count <= most:
        need = max(_first_below(activation, q, rho, error, count, params) for q in {lo, hi})
        if need <= count:
            for _ in range(6):
                bound = truncation(activation, rho, (lo, hi), need, params)
                worst = max(bound.value_relative, bound.dot_relative)
                if worst <= error:
                    return need
                need += max(1, need // 12)
            break
        count *= 4
    else:
        bound = truncation(activation, rho, (hi, hi), most, params)
        worst = max(bound.value_relative, bound.dot_relative)
    raise Undecided(
        f"the Hermite series of {activation.expr} does not reach a relative error of {error:g} "
        f"for |rho| <= {float(rho):.17g}",
        where=f"best bound with at most {most} terms: {worst:.3g}",
        hint="a smaller rho_max, a larger error, or another method",
    )


def refuse_narrow(activation: Activation, error: float, variance: Fraction, most: int) -> None:
    r"""Nothing, where `most` terms may do at rho = 1.

    Singularities at distance $b\sqrt q$ of the line leave $a_n^2 \approx e^{-2b\sqrt n}$: about
    $(\log\epsilon/2b)^2$ terms are needed, unless they are weak, which the first terms tell.  Where
    no strip is shown (kinks; branch points very near) the first terms alone tell.

    Raises:
        Undecided: far more terms are needed.
        NotSquareIntegrable: E[s(u)^2] is infinite at this variance.
    """
    from flint import arb

    from ...verify.definition import factor
    from .strip import THINNER, decay

    with precision(_BITS):
        pieces = factor(activation.expr, derivative=False, distributional=False).pieces
        rate = decay(pieces, ball(variance).sqrt(), arb(error))
    need = (log(error) / (THINNER * rate)) ** 2 if rate else inf
    if need > _DOUBT * most:
        need = min(need, _predicted(activation, pieces, variance, error, rate))
    if need <= _DOUBT * most:
        _refuse_seen(activation, variance, error, most)
    else:
        where = "singularities near the line" if len(pieces) == 1 else "kinks"
        many = f"about {need:.0f}" if need < FAR else "more than a million"
        raise Undecided(
            f"the Hermite series of {activation.expr} needs {many} terms for an error of "
            f"{error:g}: {where}",
            hint="a larger error, or another method",
        )


def _refuse_seen(activation: Activation, q: Fraction, error: float, most: int) -> None:
    """Nothing, where doubles do not see that `most` terms leave too much of the derivative dual.

    Raises:
        Undecided: they do; in balls that takes a hundred times as long.
    """
    from ...verify.definition import factor

    with precision(_BITS):
        slope = factor(activation.expr, derivative=True, distributional=False).pieces
    seen = glance(slope, float(q) ** 0.5, most)
    if seen is not None and seen[2] > _CLEAR * error * seen[0]:
        raise Undecided(
            f"the Hermite series of {activation.expr} leaves about {seen[2] / seen[0]:.1g} of the "
            f"derivative dual after {most} terms, not {error:g}",
            hint="a larger error, or another method",
        )


def _predicted(
    activation: Activation, pieces: tuple[Any, ...], q: Fraction, error: float, rate: float
) -> float:
    """How many terms leave a relative error, from the decay of the first ones, as `foretold`."""
    seen = glance(pieces, float(q) ** 0.5, _FEW)
    if seen is None:  # balls tell what doubles do not
        found = coefficients(activation, q, _FEW, bits=2 * _BITS)
        rest = float(found.rest)
        half = rest + sum(float(a) ** 2 for a in found.values[_FEW // 2 :])
        seen = float(found.second), half, rest
    whole, half, rest = seen
    if rest <= error * whole:
        return _FEW
    return foretold(_FEW, log(half / rest), log(rest / (error * whole)), rate)


def _first_below(
    activation: Activation,
    q: Fraction,
    rho: Fraction,
    error: float,
    count: int,
    params: Mapping[Any, Any],
) -> int:
    """The first N <= count with both relative tails at q at most `error`, or count + 1."""
    with precision(2 * _BITS + 64):
        found = coefficients(activation, q, count, bits=2 * _BITS, params=params)
        bend = slope_moment(activation, q, bits=2 * _BITS, params=params)
        r, left = ball(rho), found.second
        slope = None if bend is None else bend * ball(q)
        whole, least = slope, found.second.lower()
        for n, a in enumerate(found.values):
            left = left - a * a
            slope = None if slope is None else slope - n * a * a
            rest = Rest(left, slope, ball(q))
            value = value_tail(r, n + 1, rest, rest) / least
            dot = slope_tail(r, n + 1, rest, rest)
            dot = dot / (least / ball(q) if whole is None else whole.lower())
            if value <= error and dot <= error:
                return n + 1
        return count + 1
