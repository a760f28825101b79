"""The verdict on one statement: enclosures at exact points, and a proof where there is one.

A formula is refuted by one exact point where the balls around definition and formula are disjoint,
where the formula is certainly not real, or where it is claimed to be a variance and is negative.
A formula that has no value anywhere is refuted before it comes here.  Nothing else refutes, and an
open point never passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

from sympy import Rational, Symbol

from ..claims.statement import Statement
from ..errors import (
    BadActivation,
    BadCovariance,
    NotSquareIntegrable,
    Undecided,
)
from ..verify.ball import Ball
from ..verify.report import Verdict
from .enclose import Enclosure
from .points import candidates
from .proof import Proof, prove
from .sampling import sample

DIGITS = 20
"""Relative digits of both balls at every point."""
POINTS = 12
_FEWEST = 3
_SKIPS = 24
"""Points where the definition has no value, or is open, before there is no more trying."""
_AGREEMENT = 8
"""Digits of quadrature that count as agreement."""
_TIME = 6.0
"""Seconds after which no further point is begun, once there are `_FEWEST`."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One point: the definition there, and the formula or why it has no value."""

    enclosure: Enclosure
    definition: Ball
    formula: Ball | None
    note: str = ""
    not_real: bool = False

    @property
    def point(self) -> tuple[tuple[str, Rational], ...]:
        """Names to exact numbers."""
        return tuple((s.name, r) for s, r in self.enclosure.point.items())


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one statement."""

    statement: Statement
    verdict: Verdict
    evidence: tuple[str, ...]
    samples: tuple[Sample, ...]
    against: Sample | None
    proof: Proof
    digits: int = 0
    error: str = ""


def judge(statement: Statement, digits: int = DIGITS) -> Finding:
    """The verdict on one statement.

    Raises:
        NtksymError: the definition cannot be read as an expectation at all.
    """
    samples, skipped = take(statement, digits)
    against = [s for s in samples if _differs(statement, s)]
    if against:
        worst = next((s for s in against if s.formula is not None), against[0])
        lines = (_disjoint(worst), *_counts(len(against), len(samples)))
        return Finding(statement, Verdict.REFUTED, lines, samples, worst, Proof((), None), digits)
    good = [s for s in samples if s.formula is not None]
    undefined = [s for s in samples if s.formula is None]
    needed = _FEWEST if statement.variables else 1
    lines_ = [] if not good else [_agreement(statement, good, digits)]
    lines_ += [f"the formula has no value at {place(s.point)}: {s.note}" for s in undefined[:2]]
    proof = prove(statement)
    if samples and not good:
        where = place(samples[0].point)
        return Finding(
            statement, Verdict.UNDECIDED, tuple(lines_), samples, None, proof, 0,
            f"the formula has no value at any of {len(samples)} points, {where} among them: "
            f"{samples[0].note}",
        )  # fmt: skip
    if proof.lines and len(good) >= needed:
        return Finding(
            statement, Verdict.PROVED, (*proof.lines, *lines_), samples, None, proof, digits
        )
    if len(good) >= needed:
        lines_.append(f"no proof: {proof.obstacle}")
        return Finding(statement, Verdict.ENCLOSED, tuple(lines_), samples, None, proof, digits)
    return _open(statement, lines_, skipped, samples, proof)


def _open(
    statement: Statement,
    lines: list[str],
    skipped: list[str],
    samples: tuple[Sample, ...],
    proof: Proof,
) -> Finding:
    negative = _negative(statement) if statement.nonnegative and not samples else ""
    if negative:
        return Finding(statement, Verdict.REFUTED, (negative,), samples, None, proof)
    found = sample(statement) if skipped else None
    if found is not None:
        digits, line = found
        lines = [*lines, line]
        if digits >= _AGREEMENT:
            return Finding(statement, Verdict.SAMPLED, tuple(lines), samples, None, proof, digits)
    reason = skipped[0] if skipped else "no point of the domain was found"
    return Finding(
        statement, Verdict.UNDECIDED, tuple(lines), samples, None, proof, 0,
        f"the definition could not be enclosed at enough points: {reason}",
    )  # fmt: skip


def _negative(statement: Statement) -> str:
    """Where a formula that is claimed to be a variance is certainly negative."""
    for point, _ in zip(candidates(statement), range(_FEWEST), strict=False):
        try:
            value = Enclosure(statement, point).formula(DIGITS)
        except (BadActivation, Undecided):
            continue
        if value.mid + value.rad < 0:
            where = place(tuple((s.name, r) for s, r in point.items()))
            return f"the formula is no variance: it is {value} at {where}"
    return ""


def take(
    statement: Statement, digits: int, count: int = POINTS
) -> tuple[tuple[Sample, ...], list[str]]:
    """Samples at points of the domain, and why other points were skipped."""
    samples: list[Sample] = []
    skipped: list[str] = []
    begin = perf_counter()
    for point in candidates(statement):
        try:
            samples.append(_sample(statement, point, digits))
        except (NotSquareIntegrable, BadCovariance, BadActivation, Undecided) as error:
            skipped.append(f"{place(tuple((s.name, r) for s, r in point.items()))}: {error.what}")
        late = perf_counter() - begin > _TIME
        enough = len(samples) >= _FEWEST or not statement.variables or bool(skipped)
        if len(samples) == count or len(skipped) > _SKIPS or (late and enough):
            break
    return tuple(samples), skipped


def _sample(statement: Statement, point: dict[Symbol, Rational], digits: int) -> Sample:
    enclosure = Enclosure(statement, point)
    definition = enclosure.definition(digits)
    try:
        return Sample(enclosure, definition, enclosure.formula(digits))
    except BadActivation as error:
        return Sample(enclosure, definition, None, error.what, True)
    except Undecided as error:
        return Sample(enclosure, definition, None, error.tried[0] if error.tried else error.what)


def _differs(statement: Statement, s: Sample) -> bool:
    if s.formula is None:
        return s.not_real
    if statement.tolerance is not None:
        return _beyond(s.definition, s.formula, statement.tolerance)
    gap = abs(s.definition.mid - s.formula.mid) - s.definition.rad - s.formula.rad
    slack = statement.rounded
    return not s.definition.overlaps(s.formula) if slack is None else bool(gap > slack)


def _beyond(definition: Ball, formula: Ball, tolerance: Rational) -> bool:
    gap = abs(definition.mid - formula.mid) - definition.rad - formula.rad
    return bool(gap > tolerance * (abs(definition.mid) + definition.rad))


def _agreement(statement: Statement, good: list[Sample], digits: int) -> str:
    count = f"{len(good)} exact points" if statement.variables else "this one value"
    if statement.tolerance is not None:
        return f"within the relative tolerance {statement.tolerance} at {count} (balls)"
    if statement.rounded is not None:
        unit = float(statement.rounded)
        return f"the printed decimals are those of the definition, within {unit:.1e}"
    widest = max(float(b.rad) for s in good for b in (s.definition, s.formula) if b is not None)
    return (
        f"balls of {digits} digits around definition and formula overlap at {count}, "
        f"widest radius {widest:.1e}"
    )


def _disjoint(s: Sample) -> str:
    where = place(s.point)
    if s.formula is None:
        return f"at {where} the definition is {s.definition}, and the formula is not: {s.note}"
    return f"disjoint balls at {where}: definition {s.definition}, formula {s.formula}"


def _counts(against: int, total: int) -> tuple[str, ...]:
    if total == 1:
        return ()
    return (f"the formula differs at {against} of {total} points",)


def place(point: tuple[tuple[str, Rational], ...]) -> str:
    """A point as text."""
    return ", ".join(f"{name} = {value}" for name, value in point) or "the one value"


__all__ = ["DIGITS", "Finding", "Sample", "judge", "place", "take"]
