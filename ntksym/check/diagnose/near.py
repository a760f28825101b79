"""Formulas that nothing exact explains but that are near: approximations, and wrong decimals."""

from __future__ import annotations

import math
from fractions import Fraction

from sympy import Rational

from ...language.syntax import Negate, Number
from ...verify.ball import Ball
from ...verify.report import Verdict
from ..judge import Sample, place, take
from ..judgement import Diagnosis
from .constants import identify
from .ground import Ground
from .words import factor_sentence

_MOST = 0.2
_POINTS = 24


def approximations(g: Ground) -> list[Diagnosis]:
    """The largest relative error found, or how many printed digits are right."""
    statement = g.siblings[0]
    if statement.rounded is not None and g.single:
        return _decimals(g, g.samples[0][1], statement.rounded)
    worst: tuple[float, Sample] | None = None
    samples = [s for _, s in g.samples]
    if not g.single and not g.late:
        samples = list(take(statement, 8, _POINTS)[0]) or samples
    for sample in samples:
        error = _error(sample)
        if error is None and sample.formula is not None:
            continue
        if error is None or error > _MOST:
            return []
        if worst is None or error > worst[0]:
            worst = (error, sample)
    if worst is None:
        return []
    error, sample = worst
    where = "" if g.single else f" at {place(sample.point)}"
    count = "" if g.single else f" over {len(samples)} points"
    text = f"approximate: maximal relative error found {_percent(error)}{where}{count}"
    if g.single:
        text = f"approximate: off by {_percent(error)} of {_decimal(sample.definition, 12)}"
    return [Diagnosis("approximation", text, Verdict.ENCLOSED, "")]


def _error(sample: Sample) -> float | None:
    if sample.formula is None or sample.definition.rel_digits < 6:
        return None
    return float(abs(sample.formula.mid / sample.definition.mid - 1))


def _percent(error: float) -> str:
    if error >= 1e-5:
        return f"{100 * error:.2g} %"
    return f"{error:.1e}"


def _decimals(g: Ground, sample: Sample, unit: Rational) -> list[Diagnosis]:
    """A printed decimal: another known number in decimals, or the digits that are right."""
    ball, printed = sample.definition, sample.formula
    if printed is None:
        return []
    step = _step(g) or Fraction(int(unit.p), int(unit.q))
    value = printed.mid
    right = _rounded(ball, step)
    tolerance = g.siblings[0].tolerance
    for kind, text, guess, slope in _forms(g, float(value)):
        slack = slope * float(step) + 1e-15 * abs(guess)
        if tolerance is not None:
            slack = float(tolerance) * abs(guess)
        if abs(guess - float(ball.mid)) <= slack:
            if float(step) < 1e-4 * abs(float(value)):
                return [Diagnosis(kind, text, Verdict.ENCLOSED, right)]
    error = float(abs(value / ball.mid - 1)) if ball.mid else 1.0
    if error > _MOST:
        return []
    digits = _common(value, ball.mid)
    total = len(str(round(abs(value) / step)))
    text = (
        f"right only to {digits} of {total} digits: the relative error is {_percent(error)}, "
        f"the value is {right}"
    )
    return [Diagnosis("approximation", text, Verdict.ENCLOSED, right)]


def _step(g: Ground) -> Fraction | None:
    """The last printed place."""
    node = g.tree.operand if isinstance(g.tree, Negate) else g.tree
    if not isinstance(node, Number):
        return None
    places_ = 0
    while (node.value * 10**places_).denominator != 1:
        places_ += 1
    return Fraction(1, 10**places_)


def _forms(g: Ground, value: float) -> list[tuple[str, str, float, float]]:
    """(kind, sentence, other value, how an error of the value grows)."""
    out = []
    for k in (-1.0, 2.0, 0.5, 4.0, 0.25, math.pi, 1 / math.pi, math.sqrt(2), math.sqrt(0.5)):
        node = identify(k)
        if node is not None:
            kind, text = factor_sentence(g.claim, node)
            out.append((kind, text, k * value, abs(k)))
    for k in (1, -1):
        out.append(("offset", f"too {'small' if k > 0 else 'large'} by one", value + k, 1.0))
    out.append(("square", "the square is missing", value**2, 2 * abs(value)))
    if value > 0:
        out.append(("root", "the square root is missing", math.sqrt(value), 1 / math.sqrt(value)))
    if value:
        out.append(("inverse", "the inverse is meant", 1 / value, 1 / value**2))
    return out


def _rounded(ball: Ball, step: Fraction) -> str:
    """The midpoint rounded to a multiple of the step, in decimals with as many places."""
    count = round(ball.mid / step)
    places_ = max(0, len(str(step.denominator)) - 1)
    digits = str(abs(count)).rjust(places_ + 1, "0")
    body = f"{digits[:-places_]}.{digits[-places_:]}" if places_ else digits
    return ("-" if count < 0 else "") + body


def _decimal(ball: Ball, digits: int) -> str:
    return ball.mid_text(digits)


def _common(a: Fraction, b: Fraction) -> int:
    """Significant digits to which a number is right: half a unit of the last of them at most."""
    gap = abs(a - b)
    size = abs(b)
    digits = 0
    exponent = math.floor(math.log10(float(size)))
    while digits < 60 and gap * 2 <= Fraction(10) ** (exponent - digits):
        digits += 1
    return digits


__all__ = ["approximations"]
