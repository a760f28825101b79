r"""The trapezoid rule in the plane for one smooth piece, with a bound for all covariances at once.

$u = \sqrt{q_{11}}\,z_1$, $v = \sqrt{q_{22}}(\rho z_1 + \sigma z_2)$, nodes $(jh, kh)$ in a circle.
A shift of one coordinate by $i\alpha$ moves u and v by at most $\alpha\sqrt q$, whatever rho is:
section 2 of `derivations/identities/quadrature.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import frexp, isqrt, ldexp
from typing import Any

from ..patience import check
from .cover import KAPPAS, REACH, Envelope, envelope
from .subject import BITS, Curve, Subject
from .tails import outside

MOST_NODES = 4_000_000
_THINNER, _TRIALS = 0.8, 40


@dataclass(frozen=True, slots=True)
class LatticeRule:
    """Nodes (j step, k step) with j^2 + k^2 <= (count + 1/2)^2, weights[|j|] weights[|k|].

    Attributes:
        top: the largest variance.
        step: h, a double with so few bits that every j h is exact.
        weights: doubles near h exp(-(jh)^2/2)/sqrt(2 pi), j = 0 ... count.
        half: whether only j >= 0 is summed, j > 0 twice (the integrand is even).
        strip: the distance from the real line on which the bound rests.
    """

    top: Any
    step: float
    weights: tuple[float, ...]
    half: bool
    strip: float

    @property
    def count(self) -> int:
        """The largest j."""
        return len(self.weights) - 1

    @property
    def rows(self) -> tuple[int, ...]:
        """The largest k of each row j = 0 ... count."""
        square = (2 * self.count + 1) ** 2
        return tuple((isqrt(square - 4 * j * j)) // 2 for j in range(self.count + 1))

    @property
    def nodes(self) -> int:
        """How many values of s(v) an entry costs."""
        sizes = [2 * k + 1 for k in self.rows]
        return sum(sizes) if self.half else 2 * sum(sizes) - sizes[0]


def lattice_bound(rule: LatticeRule, curve: Curve, cover: Envelope) -> Any:
    """An upper bound of |rule - expectation| for variances in [0, top] and all rho (`arb`).

    The stored step and weights are what is bounded: a wrong weight makes the bound large.
    """
    from flint import arb

    from ...precision import precision

    with precision(BITS):
        h, dev = arb(rule.step), deviation(rule.top)
        length = (rule.count + arb(1) / 2) * h
        if not arb(2).sqrt() * length < REACH:
            return arb("inf")
        total = _smooth_part(h, length, cover, dev) + outside(curve.growth, dev, length, h)
        slack = _weight_slack(rule)
        real = envelope(curve.pieces, arb(0), dev)
        if real is None:
            return arb("inf")
        sizes = []
        for (p, q), size in zip(KAPPAS[1:], real.sizes[1:], strict=True):
            mass = 1 / (1 - arb(p) / q).sqrt() + h / (2 * arb.pi()).sqrt()
            sizes.append(size * mass * mass)
        return (total + slack * (2 + slack) * _least(sizes)).upper()


def _smooth_part(h: Any, length: Any, cover: Envelope, dev: Any) -> Any:
    """The error of the rule on the square: lines of the contour, and its ends."""
    from flint import arb

    pi = arb.pi()
    alpha = (cover.thick / dev).lower().min((2 * pi / h).lower())
    line = 2 * (alpha * alpha / 2).exp() / ((2 * pi * alpha / h).exp() - 1)
    g = h / (2 * pi).sqrt()
    lines, ends = [], []
    for (p, q), size in zip(KAPPAS[1:], cover.sizes[1:], strict=True):
        kappa = arb(p) / q
        r = 1 / (1 - kappa).sqrt()
        lines.append(line * size * r * (2 * r + g))
        edge = (-(1 - kappa) * length * length / 2).exp() / (2 * pi).sqrt()
        ends.append(4 * h / pi * edge * size * (2 * r + g))
    return (_least(lines) + _least(ends)).upper()


def _weight_slack(rule: LatticeRule) -> Any:
    """The largest relative error of a stored weight."""
    from flint import arb

    h, most = arb(rule.step), arb(0)
    norm = h / (2 * arb.pi()).sqrt()
    for j, w in enumerate(rule.weights):
        exact = norm * (-(j * h) * (j * h) / 2).exp()
        most = most.max((abs(arb(w) - exact) / exact).upper())
    return most


def _least(values: list[Any]) -> Any:
    least = values[0]
    for v in values[1:]:
        least = least.min(v)
    return least.upper()


def deviation(top: Any) -> Any:
    """The square root of a variance, rounded up (`arb`)."""
    from ..arith import ball

    return ball(top).sqrt().upper()


def choose_lattice(subject: Subject, top: Any, goals: tuple[Any, Any]) -> LatticeRule | None:
    """The rule with the fewest nodes whose bounds for s and s' are below the goals, or None.

    Strips of decreasing width are tried: a wide one allows a large step, unless s is large there.
    """
    from flint import arb

    from ...precision import precision

    best: LatticeRule | None = None
    worse = 0
    with precision(BITS):
        dev = deviation(top)
        least = goals[0].min(goals[1]).lower()
        if not least > 0:
            return None
        thick = dev * (2 * (64 / least).max(arb(2)).log()).sqrt()
        for _ in range(_TRIALS):
            thick = arb(float((thick * _THINNER).mid()))
            covers = covers_of(subject, thick, dev)
            rule = None if covers is None else _fitted(subject, covers, top, goals)
            if rule is not None and (best is None or rule.nodes < best.nodes):
                best, worse = rule, 0
            elif best is not None:
                worse += 1
                if worse == 3:
                    break
    return best if best is not None and best.nodes <= MOST_NODES else None


def covers_of(subject: Subject, thick: Any, dev: Any) -> tuple[Envelope, Envelope] | None:
    """The envelopes of s and s', or None where one has a singularity."""
    first = envelope(subject.value.pieces, thick, dev)
    second = None if first is None else envelope(subject.slope.pieces, thick, dev)
    return None if first is None or second is None else (first, second)


def lattice_bounds(rule: LatticeRule, subject: Subject) -> tuple[Any, Any]:
    """Upper bounds of the errors of a rule for s and s' (`arb`), by the strip it names."""
    from flint import arb

    from ...precision import precision

    with precision(BITS):
        covers = covers_of(subject, arb(rule.strip), deviation(rule.top))
        if covers is None:
            return arb("inf"), arb("inf")
        value = lattice_bound(rule, subject.value, covers[0])
        return value, lattice_bound(rule, subject.slope, covers[1])


def _fitted(
    subject: Subject, covers: tuple[Envelope, Envelope], top: Any, goals: Any
) -> LatticeRule | None:
    """The rule of about the largest step, by bisection; None if there is none."""
    low, high, found = 0.0, 2.5, None
    while high - low > 0.02 * high and high > 2e-3:
        step = _short((low + high) / 2 if low else high * 0.7)
        rule = _long_enough(subject, covers, top, goals, step)
        if rule is not None:
            low, found = step, rule
        else:
            high = step
    return found


def _long_enough(
    subject: Subject, covers: tuple[Envelope, Envelope], top: Any, goals: Any, step: float
) -> LatticeRule | None:
    """The shortest rule of one step that reaches the goals; None if the step is too large."""
    from flint import arb

    curves = (subject.value, subject.slope)
    h, dev = arb(step), deviation(top)

    def reached(count: int) -> bool:
        check()
        length = (count + arb(1) / 2) * h
        if not arb(2).sqrt() * length < REACH:
            return False
        for curve, cover, goal in zip(curves, covers, goals, strict=True):
            tail = outside(curve.growth, dev, length, h)
            if not _smooth_part(h, length, cover, dev) + tail < goal * arb(0.98):
                return False
        return True

    most = int((REACH - 0.1) / 1.4142136 / step - 0.5)
    if most < 1 or not reached(most):
        return None
    low = 0
    while most - low > 1:
        middle = (low + most) // 2
        if reached(middle):
            most = middle
        else:
            low = middle
    strip = float(covers[0].thick.mid())
    return LatticeRule(top, step, weights_of(step, most), subject.even, strip)


def weights_of(step: float, count: int) -> tuple[float, ...]:
    """The doubles nearest to h exp(-(jh)^2/2)/sqrt(2 pi)."""
    from flint import arb

    h = arb(step)
    norm = h / (2 * arb.pi()).sqrt()
    return tuple(float((norm * (-(j * h) * (j * h) / 2).exp()).mid()) for j in range(count + 1))


def _short(step: float) -> float:
    """The step rounded down to twelve bits."""
    mantissa, exponent = frexp(step)
    return ldexp(float(int(mantissa * 4096)), exponent - 12)
