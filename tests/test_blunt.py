"""Singular points away from 0: lines next to them stand for s, and the bound says what it costs."""

from __future__ import annotations

from fractions import Fraction
from math import pi, sqrt

import numpy as np
import pytest
from sympy import Rational, lambdify

from ntksym.errors import Undecided
from ntksym.language import as_activation
from ntksym.numeric.blunt import NAME, blunted
from ntksym.numeric.finite import cut_off
from ntksym.numeric.quadrature.subject import subject_of
from ntksym.numeric.rules import RULES
from ntksym.symbols import x
from ntksym.verify.balls import enclose_definition
from ntksym.verify.functions.pieces import split

ONE, RANGE = (Fraction(1), Fraction(1)), (Fraction(1, 2), Fraction(2))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("max(0, 1 - x^2)^(3/2)", ONE),
        ("abs(x - 1)^(3/2)*tanh(x) + x", RANGE),
        ("exp(-1/x^2)", RANGE),
        ("sign(x - 2)*abs(x - 1)^(5/3)", ONE),
    ],
)
def test_a_rule_is_within_its_bound(text: str, span: tuple[Fraction, Fraction]) -> None:
    given = as_activation(text)
    rule = RULES["quadrature"].make(given, span, 1e-5)
    level = rule.levels[-1]
    assert level.value_relative <= 1e-5 and level.dot_relative <= 1e-5
    assert rule.activation.expr == given.expr and str(given.expr) in rule.lines()[0]
    points = [(span[0], Rational(2, 5) * span[0], span[1]), (span[1], span[1], span[1])]
    points.append((span[1], -span[1] * (1 - Fraction(1, 2**20)), span[1]))
    for q11, q12, q22 in points:
        found = rule.evaluate(float(q11), float(q12), float(q22))
        for which, (value, off) in enumerate(zip(found, (level.value, level.dot), strict=True)):
            ball = enclose_definition(given.expr, q11, q12, q22, derivative=bool(which), digits=8)
            assert abs(float(value) - float(ball.mid)) <= off + 1e-11


def test_below_the_range_there_is_a_bound_or_no_number() -> None:
    """The density on a strip falls with the variance only where it is below the square of the
    distance: |x - 1|^1.5 is within its absolute bound there, |x - 1/2|^1.5 is NaN.  Rows of zeros
    are in no strip.
    """
    at = [(Fraction(1, 10), Fraction(1, 20), Fraction(1)), (Fraction(1, 4),) * 3, (0, 0, 1)]
    known = RULES["quadrature"].make(as_activation("abs(x - 1)^(3/2)"), RANGE, 1e-5)
    unknown = RULES["quadrature"].make(as_activation("abs(x - 1/2)^(3/2)"), RANGE, 1e-5)
    assert (known.least, unknown.least) == (0, RANGE[0]) and unknown.zero
    assert "NaN above, the absolute bounds also below" in known.lines()[0]
    assert "NaN outside, rows of zeros aside" in unknown.lines()[0]
    for found, there in ((known, at), (unknown, at[2:])):
        for place in there:
            both = zip(found.evaluate(*map(float, place)), (False, True), strict=True)
            bounds = found.levels[-1].value, found.levels[-1].dot
            for (value, slope), off in zip(both, bounds, strict=True):
                expr = found.activation.expr
                ball = enclose_definition(expr, *place, derivative=slope, digits=8)
                assert off < 1e-3 and abs(float(value) - float(ball.mid)) <= off
    q11, q12, q22 = (np.array([float(row[k]) for row in at]) for k in range(3))
    for one in unknown.evaluate(q11, q12, q22):
        assert np.isnan(one).tolist() == [True, True, False]
    cut = blunted(as_activation("1 + exp(-1/x^2)"), RANGE, 1e-5)
    assert cut is not None and not cut.below and not cut.zero  # its strip is next to 0


def test_one_variance_has_a_table() -> None:
    """Its time is foreseen, it holds its bound, and it is named as what it stands for."""
    given, rule = as_activation("max(0, 1 - x^2)^(3/2)"), RULES["tabulated"]
    assert rule.seconds is not None and rule.seconds(given, ONE, 1e-2) < 60
    table = rule.make(given, ONE, 1e-2)
    assert table.text == str(given.expr) and table.value.error <= 1e-2
    assert table.value.parts[-1][0] == NAME
    found = table.at(1.0, 0.375, 1.0)
    for which, sheet in enumerate((table.value, table.dot)):
        balls = [
            enclose_definition(given.expr, 1, rho, 1, derivative=bool(which), digits=8)
            for rho in (Rational(3, 8), 1)
        ]
        value, size = (float(b.mid) for b in balls)
        assert abs(found[which] - value) <= sheet.error * size + 1e-8


def test_far_points_have_wide_strips() -> None:
    """Of infinitely many points, too, those within reach: their slopes are seen to be bounded."""
    cut = blunted(as_activation("abs(x - 1)^(3/2) + abs(x - 5)^(3/2)"), ONE, 1e-6)
    assert cut is not None
    ends = [p.hi for p in split(cut.activation.expr) if p.hi is not None]
    assert ends[1] == 1 and ends[4] == 5 and ends[5] - 5 >= 30 * (ends[2] - 1)
    assert cut_off(as_activation("abs(sin(x))^(3/2)"), ONE, 1e-3) is not None


def test_even_pieces_are_seen_where_the_formula_is_cut() -> None:
    """Half of the plane is enough for them: the rule costs half as much."""
    for text, even in (("abs(x^2 - 2)^(3/2)", True), ("abs(x - 1)^(3/2)", False)):
        cut = blunted(as_activation(text), ONE, 1e-3)
        assert cut is not None and subject_of(cut.activation, {}).even is even


def test_what_lines_change_is_in_the_bound() -> None:
    """It is at least the difference of the two functions in the norm, seen next to 1."""
    text = "abs(x - 1)^(3/2)*cos(x) + 3*x + 100"
    cut = blunted(as_activation(text), ONE, 1e-2)
    assert cut is not None and cut.part == NAME and cut.error < 1e-2
    both = [lambdify(x, e, "numpy") for e in (cut.whole.expr, cut.activation.expr)]
    slopes = [lambdify(x, e.diff(x), "numpy") for e in (cut.whole.expr, cut.activation.expr)]
    t = 1 + np.linspace(-0.25, 0.25, 400_000)
    step, weight = t[1] - t[0], np.exp(-t * t / 2) / sqrt(2 * pi)
    with np.errstate(invalid="ignore"):  # roots in branches that are not taken
        off = [np.sqrt(np.sum((f(t) - g(t)) ** 2 * weight) * step) for f, g in (both, slopes)]
    norms = [
        sqrt(float(enclose_definition(cut.whole.expr, 1, 1, 1, derivative=d, digits=8).mid))
        for d in (False, True)
    ]
    seen = max(o / n for o, n in zip(off, norms, strict=True))
    assert 0.05 * cut.off < seen <= cut.off  # and lines are not much nearer than it says


def test_what_has_no_singular_point_is_left_alone() -> None:
    for text in ("max(x, 0)*tanh(x)", "mish(x)", "abs(x - 1)^3"):
        assert blunted(as_activation(text), ONE, 1e-8) is None


@pytest.mark.parametrize("text", ["sqrt(abs(x - 1))", "abs(x - 1)^0.6"])
def test_slopes_that_are_not_bounded_are_refused_with_the_reason(text: str) -> None:
    with pytest.raises(Undecided, match="singular at x = 1: lines that stand for it"):
        blunted(as_activation(text), ONE, 1e-8)
