"""A fixed rule and what is proven of it: one level of a `QuadratureDual`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite

from ..arith import upward
from .fan import FanRule
from .lattice import LatticeRule
from .panels import PanelRule

Rule = LatticeRule | PanelRule | FanRule


@dataclass(frozen=True, slots=True)
class Level:
    """A rule and what is proven of it for variances up to top and all correlations.

    Attributes:
        rule: the nodes.
        value: a bound of the error of E[s(u) s(v)].
        dot: a bound of the error of E[s'(u) s'(v)]; infinite where that is not computed.
        value_relative: over sqrt(K(q11) K(q22)), for both variances in the range of the dual and
            the larger above the top of the level below; infinite where K is not bounded below.
        dot_relative: the same for the derivative dual.
    """

    rule: Rule
    value: float
    dot: float
    value_relative: float
    dot_relative: float

    @property
    def top(self) -> Fraction:
        """The largest variance."""
        return Fraction(self.rule.top)

    @property
    def cost(self) -> int:
        """Pairs of nodes per entry: at both variances `top` and correlation 0.6 for panels."""
        if isinstance(self.rule, (LatticeRule, FanRule)):
            return self.rule.nodes
        side = float(self.top) ** 0.5
        return self.rule.pairs(side, side, 0.6)

    def line(self) -> str:
        """One line of text: range, rule, bounds."""
        if isinstance(self.rule, LatticeRule):
            kind = f"trapezoid rule of step {self.rule.step:g} in the plane"
        elif isinstance(self.rule, FanRule):
            kind = f"polar trapezoid rule, {len(self.rule.reach)} radii"
        else:
            kind = f"{len(self.rule.intervals)} intervals, Gauss-Legendre panels"
        relative, slope = "", f" and {upward(self.dot)} (derivative)" if isfinite(self.dot) else ""
        both = (self.value_relative, self.dot_relative) if slope else (self.value_relative,)
        if all(map(isfinite, both)):
            relative = f", relative {upward(max(both))}"
        bounds = f"proven |error| <= {upward(self.value)}{slope}{relative}"
        return f"q <= {float(self.top):g}: {kind}, about {self.cost} nodes; {bounds}"
