"""How a dyadic table is made: a polar rule, its values at Chebyshev points, polynomials, a bound.

The proof is `derivations/identities/quadrature.md`, section 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf, log2, nextafter
from typing import Any, Protocol

from ....errors import Undecided
from ...arith import rounded_up
from ..dual import refuse_below
from .polar import UNIT, Found, PolarSums, polar_sums
from .table import DyadicSheet, DyadicTable

DEFAULT_ERROR = 1e-10
SOURCE = "the polar rule at the nodes"
"""Of the first part of a bound: where the values at the nodes come from."""
LEAST_ERROR = 1e-12
"""The rounding of the sums at the nodes leaves no less."""
MOST_PANELS = 120
_BITS = 128
_RULE, _ALIAS, _LEFT_OUT, _END = 1 / 40, 0.05, 0.4, 0.4
"""Of the error asked for, to each of its parts."""
_STEEPEST = 1.28
"""A relative change of an angle changes a dual by at most 4/pi K(1) times as much, by Cauchy."""
_TURNED = 11
"""Units that t is off by in code: 4 of the root, 4 where inputs are scaled to the variance, q12
half a unit, a sum and a quotient."""
_OFF_X = 46
"""Units x is off by: four times those of t, and a subtraction."""
_NARROW = 0.2
"""From intervals [a, 2a] with such an a on, K is compared with K(1)."""
_NODE_SECONDS = 3e-8
"""For a value of s in a sum, and for an angle beside them."""
_ANGLE_SECONDS = 4e-4


class Sums(Protocol):
    """Both duals at every angle."""

    @property
    def step(self) -> int:
        """An interval has 2 points, or 2 and a multiple of this."""
        ...

    @property
    def turned(self) -> int:
        """Units that an angle is off by, the rounding of a node included."""
        ...

    def at(self, tangent: float) -> tuple[Found, Found]:
        """The dual and the derivative dual at t = tan(theta/2)."""
        ...


@dataclass(frozen=True, slots=True)
class _Panel:
    """One interval: values at its Chebyshev points, and what interpolation can add."""

    values: tuple[tuple[Found, Found], ...]
    lost: tuple[float, float]


def applies(expr: Any) -> bool:
    """Whether the one kink of an activation is at 0: what polar rules are for."""
    from ....verify.functions.pieces import split

    pieces = split(expr)
    return len(pieces) == 2 and bool(pieces[0].hi == 0)


def dyadic_table(
    activation: Any,
    variance: Any,
    *,
    error: float = DEFAULT_ERROR,
) -> DyadicTable:
    """A table for one variance of an activation with one kink, at 0, of any order.

    Args:
        activation: an `Activation`, or what `language.as_activation` reads.
        variance: q, a positive number.
        error: the bound to be proven, relative to K(q, q), for the derivative dual alike.

    Raises:
        BadCovariance: a variance that is not positive and finite.
        BadActivation, NotSquareIntegrable: as `subject_of`.
        Undecided: the bound is not reached; the message has the best one.
    """
    from ..build import span
    from ..scale import ordinary, restored

    q, _ = span(variance)
    refuse_below(error, LEAST_ERROR, "from a polar rule")
    given, power = ordinary(activation, (q, q))
    sums = sums_of(given.expr, q, error)
    said = (SOURCE, sums.rule.nodes)
    named = given.name, given.expr
    made = assembled(named, q, sums, sums.rule.parity, error, said)
    return restored(made, power, activation)


def assembled(
    named: tuple[str, Any],
    q: float,
    sums: Sums,
    parity: int,
    error: float,
    source: tuple[str, int],
) -> DyadicTable:
    """The table of duals that are known at every angle.

    Args:
        named: the name and the formula of the activation.
        q: the variance.
        sums: both duals at t = tan(theta/2).
        parity: 1 or -1 where the activation is even or odd, else 0.
        error: the bound to be proven.
        source: what the values come from, and how many numbers that takes.

    Raises:
        Undecided: the bound is not reached; the message has the best one.
    """
    ones = sums.at(0.0)
    # what is 0 on the diagonal is 0 everywhere: its bound is of no size
    scales = [one.plus - one.error if one.plus or one.error else 1.0 for one in ones]
    if not min(scales) > 0:
        raise Undecided("the dual or its derivative vanishes on the diagonal: no relative bound")
    panels, gaps = _panels(sums, ones, scales, error)
    sheets = []
    for which in (0, 1):
        ours = parity if which == 0 else -parity
        known = (ones[which], scales[which], gaps[which])
        sheet = _sheet(panels, which, known, ours, error, (source[0], sums.turned))
        if not sheet.error <= error:
            raise Undecided(
                f"the bound {sheet.error:.2e} was proven, not {error:.2e}",
                tried=[f"{text}: {value:.1e}" for text, value in sheet.parts],
                hint="a larger error",
            )
        sheets.append(sheet)
    nodes = sum(len(p.values) for p in panels)
    return DyadicTable(named[0], str(named[1]), q, q, sheets[0], sheets[1], nodes, source[1])


def dyadic_seconds(expr: Any, variance: float, error: float) -> float:
    """About how many seconds of one core `dyadic_table` takes, within a factor of three.

    Raises: as `dyadic_table`, where that is seen without building it.
    """
    from ..scale import ordinary

    sums = sums_of(ordinary(expr, (variance, variance))[0].expr, variance, error)
    rates = [1 + 2 * float(size.power.p) / float(size.power.q) for size in sums.sizes]
    panels = log2(1 / (error * _END)) / min(2.0, *rates)  # K(1) - K falls like t^rate, or t^2
    return (150 + 8 * panels) * (_ANGLE_SECONDS + sums.rule.nodes * _NODE_SECONDS)


def sums_of(expr: Any, variance: float, error: float) -> PolarSums:
    """The sums of a rule whose bound is a small share of the error.

    Raises: as `dyadic_table`.
    """
    from flint import arb

    from ....activation import Activation
    from ....precision import precision
    from ...quadrature.fan import choose_fan
    from ...quadrature.scale import least_square
    from ...quadrature.subject import BITS, subject_of

    if not applies(expr):
        raise Undecided(
            f"{expr}: not one kink, at 0",
            hint="the method quadrature",
        )
    q = Fraction(variance)
    subject = subject_of(Activation(str(expr), expr), {})
    with precision(BITS):
        curves = subject.value, subject.slope
        goals = [arb(error * _RULE) * least_square(c, q, q) for c in curves]
        if not all(g > 0 for g in goals):
            raise Undecided(f"{expr}: no lower bound of the dual on the diagonal")
        rule = choose_fan(subject, q, q, (goals[0], goals[1]))
    if rule is None:
        raise Undecided(
            f"{expr}: no polar rule with a proven error of {error * _RULE:.1g}",
            hint="a larger error",
        )
    return polar_sums(subject, q, rule)


def _panels(
    sums: Sums, ones: tuple[Found, Found], scales: list[float], error: float
) -> tuple[list[_Panel], list[float]]:
    """The intervals, and how far the duals can be from those at rho = 1 and -1 below the last.

    Raises:
        Undecided: more than `MOST_PANELS`.
    """
    out: list[_Panel] = []
    while True:
        a = 2.0 ** -(len(out) + 1)
        edge = sums.at(2.0 * a)
        gaps = [_gap(one, at) for one, at in zip(ones, edge, strict=True)]
        pairs = list(zip(gaps, scales, strict=True))
        if all(g <= error * _END * s for g, s in pairs):
            return out, gaps
        if len(out) >= MOST_PANELS:
            raise Undecided(
                f"at tan(theta/2) = {2 * a:.1e} the duals are still "
                f"{max(g / s for g, s in pairs):.1e} from those at rho = 1, relatively",
                hint="a larger error; the method quadrature",
            )
        sizes = [one.plus + one.error for one in ones]
        if a <= _NARROW:
            sizes = [min(s, 3.17 * g) for s, g in zip(sizes, gaps, strict=True)]
        count, lost = _count(sizes, [error * _ALIAS * s for s in scales], sums.step)
        out.append(_Panel(tuple(sums.at(t) for t in _tangents(a, count)), lost))


def _gap(one: Found, at: Found) -> float:
    """An upper bound of K(1) - K(rho), not negative."""
    return max(one.plus - at.plus, 0.0) + one.error + at.error


def _count(sizes: list[float], goals: list[float], step: int) -> tuple[int, tuple[float, float]]:
    """How many points, and what interpolation adds: on the ellipse 2 + sqrt(5) |t| is in the disc.

    Of an interval [a, 2a] it touches the sector |arg t| = pi/4.
    """
    from flint import arb

    from ....precision import precision

    with precision(64):
        radius = (arb(5).sqrt() + 2).lower()
        for count in range(2, 80, step):
            found = [arb(s) * 4 * radius ** (1 - count) / (radius - 1) for s in sizes]
            lost = [rounded_up(f) for f in found]
            if all(f <= g for f, g in zip(lost, goals, strict=True)):
                return count, (lost[0], lost[1])
    raise Undecided("interpolation in rho needs more than 80 points")  # pragma: no cover


def _tangents(a: float, count: int) -> list[float]:
    from ..variable import nodes

    return [float((a * (x + 3) / 2).mid()) for x in nodes(count, _BITS)]


def _sheet(
    panels: list[_Panel],
    which: int,
    known: tuple[Found, float, float],
    parity: int,
    error: float,
    values: tuple[str, int],
) -> DyadicSheet:
    """The polynomials of one dual with their bound; `known` = (dual at 1 and -1, scale, gap).

    `values` says where those at the nodes come from, and how many units an angle there is off by.
    """
    from flint import arb

    from ....precision import precision
    from ..pack import pack
    from ..variable import lebesgue

    (one, scale, gap), (source, turned) = known, values
    unit = UNIT * _STEEPEST * (one.plus + one.error)
    sloped = _TURNED * unit
    rows: list[list[tuple[float, ...]]] = [[], []]
    worst = {source: one.error, "interpolation in rho": 0.0}
    worst |= {"coefficients left out": 0.0, "rounding": 0.0}
    total = 0.0
    with precision(_BITS):
        budget = arb(error * _LEFT_OUT * scale)
        for panel in panels:
            count = len(panel.values)
            off = max(v[which].error for v in panel.values) + turned * unit
            at_nodes = float((off * lebesgue(count)).upper())
            for side in (0, 1) if not parity else (0,):
                line = [v[which].minus if side else v[which].plus for v in panel.values]
                packed = pack([[_series(line)]], budget, 0.0, _OFF_X)
                rows[side].append(packed.rows[0][0])
                parts = (
                    at_nodes,
                    panel.lost[which],
                    float(packed.dropped.upper()),
                    float(packed.rounding.upper()) + sloped,
                )
                total = max(total, sum(parts))
                worst = {k: max(v, p) for (k, v), p in zip(worst.items(), parts, strict=True)}
    for side, end in enumerate((one.plus, one.minus)):
        if not (parity and side):
            rows[side].append((end,))
    last = gap + one.error + sloped
    worst["a constant next to rho = 1 and -1"] = last
    parts_of = tuple((name, _up(v / scale)) for name, v in worst.items())
    minus = () if parity else tuple(rows[1])
    return DyadicSheet(tuple(rows[0]), minus, parity, _up(max(total, last) / scale), parts_of)


def _series(line: list[float]) -> list[Any]:
    """Chebyshev coefficients of what has these values at the Chebyshev points."""
    from flint import arb, arb_mat

    from ..variable import transform

    found = transform(len(line), _BITS) * arb_mat([[arb(v)] for v in line])
    return [found[k, 0] for k in range(len(line))]


def _up(value: float) -> float:
    return nextafter(value * (1 + 1e-14), inf)
