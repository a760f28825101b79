"""Verdicts and their evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING

from sympy import Rational

from ..brief import Brief, html

if TYPE_CHECKING:
    from .ball import Ball


class Verdict(IntEnum):
    """What is known of a statement, from a proof that it is wrong to a proof that it is right.

    They are ordered: `verdict >= Verdict.ENCLOSED` is a pass, and `UNDECIDED` never is.

    - `REFUTED`: disjoint balls at an exact point, or an approximation further off than its bound.
    - `UNDECIDED`: none of the others.
    - `SAMPLED`: agreement of floating-point quadrature; no bound.
    - `ENCLOSED`: balls around definition and formula overlap at exact points.
    - `PROVED`: Price's theorem and zero tests in an exact field.
    """

    REFUTED = 0
    UNDECIDED = 1
    SAMPLED = 2
    ENCLOSED = 3
    PROVED = 4

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Brief):
    """One quantity at one point: the enclosure of its definition, and that of the derived form."""

    quantity: str
    point: tuple[Rational, Rational, Rational]
    params: tuple[tuple[str, Rational], ...]
    definition: Ball | None
    derived: Ball | None
    digits: int
    """The accuracy asked for; both balls are that narrow, or `agree` is None."""
    note: str = ""
    divergent: bool = False
    """Whether the definition, and the derived form where there is one, have no finite value."""
    bound: Ball | None = None
    """What is claimed of a derived form that approximates: how far it is from the definition."""

    @property
    def agree(self) -> bool | None:
        """True: both narrow and overlapping, or both divergent; False: disjoint; else None.

        Disjoint balls prove a difference.  With a `bound`, True: both are narrow, and every two
        points of them within it; False: no two are.
        """
        if self.divergent:
            return True
        if self.definition is None or self.derived is None:
            return None
        if self.bound is not None:
            return self._within(self.definition, self.derived, self.bound)
        if not self.definition.overlaps(self.derived):
            return False
        return True if self._narrow(self.definition) and self._narrow(self.derived) else None

    @property
    def used(self) -> float:
        """The largest distance that the two balls allow, as a part of the bound."""
        if self.definition is None or self.derived is None or self.bound is None:
            return inf
        most = self.bound.mid + self.bound.rad
        distance = _farthest(self.definition, self.derived)
        if not most:  # of a slope that is 0 everywhere
            return inf if distance else 0.0
        return float(distance / most)

    def _within(self, one: Ball, two: Ball, bound: Ball) -> bool | None:
        blur = one.rad + two.rad
        if _farthest(one, two) - 2 * blur > bound.mid + bound.rad:
            return False
        near = _farthest(one, two) <= bound.mid - bound.rad
        return True if near and self._narrow(one) and self._narrow(two) else None

    def _narrow(self, ball: Ball) -> bool:
        return ball.rel_digits >= self.digits or ball.rad * 10 ** (self.digits + 15) <= 1


def _farthest(one: Ball, two: Ball) -> Fraction:
    return abs(one.mid - two.mid) + one.rad + two.rad


@dataclass(frozen=True, slots=True, repr=False)
class Report(Brief):
    """A verdict on what was derived of one activation, with everything it rests on.

    Attributes:
        subject: the activation, in words.
        verdict: what is known.
        evidence: lines: what was proved, what was enclosed, where.
        comparisons: the balls around definition and formula, point by point.
        method: what was derived: a closed form, or an approximation with a bound.
    """

    subject: str
    verdict: Verdict
    evidence: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    method: str = "closed form"
    _shown = ("verdict", "evidence")

    @property
    def holds(self) -> bool:
        """Whether the verdict is at least `ENCLOSED`."""
        return self.verdict >= Verdict.ENCLOSED

    def __str__(self) -> str:
        return "\n".join((f"{self.subject}: {self.verdict}", *("  " + e for e in self.evidence)))

    def _repr_html_(self) -> str:
        return html(f"{self.subject}: {self.verdict}", self.evidence)
