r"""`QuadratureDual`: fixed two-dimensional rules for any activation, with an error proven in balls.

One rule per range of variances; each holds for all covariances in its range at once, correlation
one and its neighbourhood included.  What the bound covers is the rule in exact arithmetic; the
rounding of float64 comes on top and is not proven.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import exp, inf, isfinite
from typing import TYPE_CHECKING, Any

from ...activation import Activation
from ...brief import Brief
from ...errors import BadSpec, Undecided
from ..arith import rounded_up
from ..patience import TooLong, at_most, check
from .close import Close
from .fan import FanRule, choose_fan, fan_bounds
from .flat import Flat, straight_ends
from .lattice import LatticeRule, choose_lattice, lattice_bounds
from .level import Level, Rule
from .panels import PanelRule, choose_panels, panel_bounds
from .scale import least_square
from .subject import BITS, Subject, subject_of

if TYPE_CHECKING:
    from ...verify.ball import Ball

DEFAULT_ERROR = 1e-12
DEFAULT_RANGE = (Fraction(1, 100), Fraction(100))
MOST_LEVELS = 5
CHEAP = 5_000
"""Lattice rules with at most so many nodes are taken without a look at panels."""
_DEARER = 2.5
"""What a value of s costs in time of a pair of nodes of panels, about (measured)."""

_BEST = 2.0
"""Seconds to find the least error that is proven, where the one asked for is not."""
_LOOSEST = 0.1
"""The error that is tried first then."""


@dataclass(frozen=True, slots=True, repr=False)
class QuadratureDual(Brief):
    """The dual of an activation by rules with proven errors.

    Attributes:
        activation: s, with numbers for its parameters.
        subject: its smooth pieces; lines where it is all but straight (`flat`), and where another
            activation stands for it (`finite`, `blunt`) that one's.
        variances: the range (lo, hi).
        error: what was asked for.
        levels: the rules, by increasing largest variance.
        slopes: whether the derivative dual is computed too; NaN where it is not.
        close: what it lacks for inputs next to each other, where s' is unbounded at kinks.
        least: values are NaN for variances below it.  It is 0 where the absolute bounds hold for
            all below lo, and lo where what stands for s is bounded on the range alone.
        zero: whether a variance of 0 has the absolute bounds all the same.
    """

    activation: Activation
    subject: Subject
    variances: tuple[Fraction, Fraction]
    error: float
    levels: tuple[Level, ...]
    method: str = "quadrature"
    slopes: bool = True
    close: Close | None = None
    least: Fraction = Fraction(0)
    zero: bool = True
    _shown = ("variances", "error")

    @property
    def continuous(self) -> bool:
        """Whether s has no jump; with one, `dot` leaves its Dirac mass out."""
        return self.subject.continuous

    @property
    def conditions(self) -> tuple[Any, ...]:
        """None: every correlation is in the bound."""
        return ()

    @property
    def floor(self) -> float:
        """The least variance of which there are values: polar rules may have one of their own."""
        polar = (level.rule.least for level in self.levels if isinstance(level.rule, FanRule))
        return max(float(self.least), *polar, 0.0)

    @property
    def takes_zero(self) -> bool:
        """Whether rows of zeros have values."""
        return self.floor == 0 or (self.zero and self.floor == float(self.least))

    def level(self, larger: float) -> Level | None:
        """The rule for a pair whose larger variance is given; None outside the range."""
        for level in self.levels:
            if larger <= float(level.top):
                return level
        return None

    def evaluate(self, q11: Any, q12: Any, q22: Any, *, root: Any = None) -> tuple[Any, Any]:
        """(nngp, derivative dual) as float64 arrays; the arguments broadcast.

        `root` is an accurate sqrt(q11 q22 - q12^2) for nearly collinear inputs; it is computed
        otherwise.  NaN outside the range of variances, and where a covariance is not positive
        semi-definite.  Symmetric in u and v to the last bit.
        """
        from .run import evaluate

        return evaluate(self, q11, q12, q22, root)

    def diagonal(self, q: Any) -> tuple[Any, Any]:
        """(E[s(u)^2], E[s'(u)^2]) for variance q: the same bits as `evaluate(q, q, q)`."""
        from .run import evaluate

        return evaluate(self, q, q, q, 0.0)

    def enclose(
        self, q11: Any, q12: Any, q22: Any, *, derivative: bool = False, digits: int = 30
    ) -> Ball:
        """The value in a ball of `digits` digits, from the definition: no rule is used.

        Raises:
            BadCovariance, Undecided: as `verify.balls.enclose_definition`.
        """
        from ...verify.balls import enclose_definition

        return enclose_definition(
            self.activation.expr, q11, q12, q22, derivative=derivative, digits=digits
        )

    def lines(self) -> tuple[str, ...]:
        """What it computes, with every bound, as lines of text."""
        lo, hi = self.variances
        nan = "outside" if self.floor > 0 else "above"
        head = f"variances from {float(lo):g} to {float(hi):g}, all correlations; NaN {nan}"
        if lo > 0 and self.floor == 0:
            head += ", the absolute bounds also below"
        elif self.takes_zero:
            head += ", rows of zeros aside"
        out = [f"two-dimensional quadrature of {self.activation.expr}; {head}"]
        out += [level.line() for level in self.levels]
        if self.subject.expr != self.activation.expr:
            out.append("lines stand for it far out or next to singular points: in the bounds")
        out.append("the bounds hold in exact arithmetic; float64 rounding is not part of them")
        if not self.slopes:
            out.append("the kernel E[s(u) s(v)] alone: its derivative dual is NaN, not computed")
        elif self.close is not None:
            out.append(self.close.line())
        elif not self.continuous:
            out.append("the activation jumps: the derivative dual leaves the Dirac masses out")
        return tuple(out)

    def record(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "method": self.method,
            "activation": str(self.activation.expr),
            "variances": [str(v) for v in self.variances],
            "least": str(self.least),
            "levels": [
                {
                    "top": str(level.top),
                    "value_bound": level.value,
                    "dot_bound": _finite(level.dot),
                    "value_relative": _finite(level.value_relative),
                    "dot_relative": _finite(level.dot_relative),
                }
                for level in self.levels
            ],
        }


def quadrature_dual(
    activation: Any,
    *,
    variances: tuple[Any, Any] | None = None,
    error: float = DEFAULT_ERROR,
    params: Mapping[Any, Any] | None = None,
    slopes: bool = True,
) -> QuadratureDual:
    r"""The dual of any real activation, with a proven error for all covariances of the range.

    Args:
        activation: an `Activation`, or what `language.as_activation` reads.
        variances: (lo, hi), exact numbers, 0 <= lo <= hi; by default `DEFAULT_RANGE`.
        error: relative to sqrt(K(q11) K(q22)) where that is bounded below on the range, absolute
            where it is not (lo = 0, or a dual that vanishes).
        params: exact values for the parameters.
        slopes: False for E[s(u) s(v)] alone: the derivative dual is then NaN.

    Raises:
        BadSpec: a range or an error that is none.
        BadActivation, NotSquareIntegrable: as `subject_of`.
        Undecided: no rule of at most `MOST_NODES` nodes has this error; the message has the
            smallest bound that was reached.
    """
    from ...language import as_activation

    lo, hi = _range(DEFAULT_RANGE if variances is None else variances)
    if not 0 < error < 1:
        raise BadSpec(f"error = {error!r} is not between 0 and 1", hint="error=1e-12")
    subject = subject_of(as_activation(activation), params or {})
    if slopes:
        return _made(subject, lo, hi, error)
    found = _made(subject.without_slope(), lo, hi, error)
    levels = tuple(replace(level, dot=inf, dot_relative=inf) for level in found.levels)
    return replace(found, levels=levels, slopes=False)


@lru_cache(maxsize=64)
def _made(subject: Subject, lo: Fraction, hi: Fraction, error: float) -> QuadratureDual:
    activation = Activation(str(subject.expr), subject.expr)
    tops = [hi]
    while len(tops) < MOST_LEVELS and tops[-1] / 4 > max(lo, Fraction(1, 8)):
        tops.append(tops[-1] / 4)
    flat = straight_ends(subject, lo, tops, error)
    used = subject if flat is None else flat.subject
    levels = []
    for i, top in enumerate(tops):
        check()
        below = tops[i + 1] if i + 1 < len(tops) else lo
        levels.append(_level(subject, lo, below, top, error, flat))
    _check_floats(used, levels[0].rule)
    return QuadratureDual(activation, used, (lo, hi), error, tuple(levels[::-1]))


def _range(variances: tuple[Any, Any]) -> tuple[Fraction, Fraction]:
    try:
        lo, hi = (Fraction(str(v)) for v in variances)
    except (TypeError, ValueError):
        raise BadSpec(
            f"variances = {variances!r} is not a pair of exact numbers", hint="(0, 100)"
        ) from None
    if not (0 <= lo <= hi and hi > 0):
        raise BadSpec(f"variances = ({lo}, {hi}) is not a range", hint="0 <= lo <= hi, hi > 0")
    return lo, hi


def _level(
    subject: Subject, lo: Fraction, below: Fraction, top: Fraction, error: float, flat: Flat | None
) -> Level:
    used = subject if flat is None else flat.subject
    return rated(subject, (lo, below, top), error, lambda g: _chosen(used, lo, top, g), flat)


def rated(
    subject: Subject,
    span: tuple[Fraction, Fraction, Fraction],
    error: float,
    choose: Callable[[tuple[Any, Any]], Rule | None],
    flat: Flat | None = None,
) -> Level:
    """The rule that `choose` makes for goals of s and s', with its bounds.

    Args:
        subject: whose dual it is.
        span: the least variance, the least of the larger variance of a pair, and the largest.
        error: what is asked for, as in `quadrature_dual`.
        choose: goals -> a rule, or None.
        flat: what the rule is for instead, with straight ends.

    Raises:
        Undecided: there is none, or it misses a goal.
    """
    from flint import arb

    from ...precision import precision

    lo, below, top = span
    with precision(BITS):
        scales = []
        for curve in (subject.value, subject.slope):
            product = least_square(curve, lo, top) * least_square(curve, below, top)
            scales.append(product.sqrt().lower().max(arb(0)))
        goals = [arb(error) * (s if s > 0 else arb(1)) for s in scales]
        lost = (arb(0), arb(0)) if flat is None else flat.lost
        free = [(g - more).lower() for g, more in zip(goals, lost, strict=True)]
        rule = choose((free[0], free[1]))
        if rule is None:
            raise _undecided(subject, (lo, top), error, scales)
        found = rule_bounds(rule, subject if flat is None else flat.subject)
        bounds = [b + more for b, more in zip(found, lost, strict=True)]
        if not all(b < g for b, g in zip(bounds, goals, strict=True)):
            raise _undecided(subject, (lo, top), error, scales)
        relative = [b / s if s > 0 else arb("inf") for b, s in zip(bounds, scales, strict=True)]
        return Level(rule, *(rounded_up(v) for v in (*bounds, *relative)))


def _chosen(subject: Subject, low: Fraction, top: Fraction, goals: tuple[Any, Any]) -> Rule | None:
    """The cheaper of the two kinds of rules; one in polar coordinates where neither applies."""
    if subject.singular:
        return choose_fan(subject, low, top, goals)
    lattice = choose_lattice(subject, top, goals) if subject.smooth else None
    if lattice is not None and not _meets(lattice, subject, goals):
        lattice = None  # the rounding of its weights is in its bound
    if lattice is not None and lattice.nodes <= CHEAP:
        return lattice
    panels = choose_panels(subject, top, goals)
    if panels is None and lattice is None:
        return choose_fan(subject, low, top, goals)
    if panels is None or lattice is None:
        return lattice if panels is None else panels
    side = float(top) ** 0.5
    return lattice if _DEARER * lattice.nodes <= panels.pairs(side, side, 0.6) else panels


def _meets(rule: Rule, subject: Subject, goals: tuple[Any, Any]) -> bool:
    return all(b < g for b, g in zip(rule_bounds(rule, subject), goals, strict=True))


def rule_bounds(rule: Rule, subject: Subject) -> tuple[Any, Any]:
    """Upper bounds of the errors of a rule for s and s', proven in ball arithmetic (`arb`).

    A wrong weight or node makes them large or infinite.
    """
    if isinstance(rule, LatticeRule):
        return lattice_bounds(rule, subject)
    if isinstance(rule, FanRule):
        return fan_bounds(rule, subject)
    return panel_bounds(rule, subject)


def _undecided(
    subject: Subject, span: tuple[Fraction, Fraction], error: float, scales: list[Any]
) -> Undecided:
    from flint import arb

    best = "no rule with any bound: the activation is singular, or grows or oscillates too fast"
    low, top = span
    loose = [error * 100.0**k for k in range(1, 9) if error * 100.0**k <= _LOOSEST]
    reached: list[float] = []
    try:
        with at_most(_BEST):
            for goal in reversed(loose):  # the loosest is found first, if any
                goals = [arb(goal) * (s if s > 0 else arb(1)) for s in scales]
                rule = _chosen(subject, low, top, (goals[0], goals[1]))
                if rule is None:
                    break
                reached = [rounded_up(b) for b in rule_bounds(rule, subject)]
    except TooLong:
        best = f"no larger error was proven either within the {_BEST:g} s given to that search"
    if reached:
        best = f"the best bounds reached: {reached[0]:.2g}, and {reached[1]:.2g} for the derivative"
        best += " dual"
    return Undecided(
        f"{subject.expr}: no quadrature rule with a proven error of {error:g} "
        f"for variances up to {float(top):g}",
        where=best,
        hint="a larger error, or a smaller range of variances",
    )


def _check_floats(subject: Subject, rule: Rule) -> None:
    """Refuse an activation that overflows in float64 within reach of the rule."""
    import numpy as np

    from .run import functions

    if isinstance(rule, FanRule):
        length = exp(rule.start)
    else:
        length = rule.length if isinstance(rule, PanelRule) else rule.step * (rule.count + 1)
    far = float(rule.top) ** 0.5 * length * 2.0**0.5
    for piece, function in zip(subject.value.pieces, functions(subject), strict=True):
        lo, hi = (None if end is None else float(end.mid()) for end in piece.ends())
        left, right = -far if lo is None else max(lo, -far), far if hi is None else min(hi, far)
        if left < right:
            points = np.linspace(left, right, 65)
            points = points[points != 0.0] if isinstance(rule, FanRule) else points
            values = np.stack(function(points))
            if not np.isfinite(values).all():
                bad = points[~np.isfinite(values).all(axis=0)][0]
                raise Undecided(
                    f"{subject.expr} or its derivative overflows in float64 at x = {bad:.6g}",
                    hint="a smaller range of variances",
                )


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
