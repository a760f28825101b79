"""Straight ends of quadrature duals: what they change is within its bound, and they pay."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb

from ntksym.language import as_activation
from ntksym.numeric.quadrature import dual as dual_module
from ntksym.numeric.quadrature import quadrature_dual
from ntksym.numeric.quadrature.flat import flattened
from ntksym.numeric.quadrature.panels import PanelRule
from ntksym.numeric.quadrature.single import single_lattice
from ntksym.numeric.quadrature.subject import Subject, subject_of

MISH = "x*tanh(log(1+exp(x)))"


def subject(text: str) -> Subject:
    return subject_of(as_activation(text), {})


def off(dual: Any, q11: int, q12: int, q22: int) -> list[float]:
    """How far value and derivative are from the definition, at most."""
    found = dual.evaluate(float(q11), float(q12), float(q22))
    out = []
    for slope, got in enumerate(found):
        ball = dual.enclose(q11, q12, q22, derivative=bool(slope), digits=20)
        out.append(abs(Fraction(float(got)) - ball.mid) + ball.rad)
    return [float(v) for v in out]


@pytest.mark.parametrize("text", [MISH, "max(x,log(1+exp(3*x))/4)-1/3"])
def test_the_bound_holds_with_straight_ends(text: str) -> None:
    dual = quadrature_dual(text, variances=(200, 400), error=1e-9)
    kinks = [int(k) for k in dual.subject.kinks if k.is_integer]
    assert kinks[0] == -kinks[-1] < -8
    (level,) = dual.levels
    for point in ((400, -150, 200), (300, 299, 300)):
        value, slope = off(dual, *point)
        assert value <= level.value + 1e-12 and slope <= level.dot + 1e-14


def test_what_the_lines_change_is_counted(monkeypatch: Any) -> None:
    """Lines from 8 on: the rule is off by more than its own bound, and within the whole."""
    flat = flattened(subject(MISH), 400, (arb("10"), arb("10")))
    assert flat is not None and flat.subject.kinks == (-8, 8)
    plain = quadrature_dual(MISH, variances=(350, 400), error=1e-9)
    monkeypatch.setattr(dual_module, "straight_ends", lambda *a: flat)
    goal = float(flat.lost[1].upper())
    dual = dual_module._made.__wrapped__(subject(MISH), Fraction(350), Fraction(400), 20 * goal)
    (level,) = dual.levels
    value, slope = (
        abs(float(a) - float(b))
        for a, b in zip(dual.evaluate(400, 390, 400), plain.evaluate(400, 390, 400), strict=True)
    )
    lost = [float(v.upper()) for v in flat.lost]
    assert 1e-6 * lost[0] < value < level.value and 1e-6 * lost[1] < slope < level.dot
    assert level.value > lost[0] and level.dot > lost[1]


@pytest.mark.parametrize("text", ["sqrt(x^2+1)", "x+sin(x)", "x*atan(x)", "x^2*tanh(x)"])
def test_no_lines_where_none_are_reached(text: str) -> None:
    goals = (arb("1e-9"), arb("1e-10"))
    assert flattened(subject(text), 10**4, goals) is None


def test_the_nodes_do_not_grow_with_the_variance() -> None:
    """Intervals of 1e4 and of 1e8: with ends that are not straight they were 22 and 34."""
    sizes = []
    for top in (10**4, 10**8):
        dual = quadrature_dual(MISH, variances=(Fraction(9 * top, 10), top), error=1e-8)
        rule = dual.levels[0].rule
        assert isinstance(rule, PanelRule)
        sizes.append(len(rule.intervals))
    assert sizes[1] <= sizes[0] + 1 <= 15


def test_a_wide_range_has_lines_where_its_largest_variances_gain() -> None:
    """At the top it was 22 intervals: the least of the rules was to gain too."""
    dual = quadrature_dual(MISH, variances=(1, 20000), error=1e-8)
    rules = [level.rule for level in dual.levels]
    assert [isinstance(r, PanelRule) and len(r.intervals) <= 15 for r in rules] == [True] * 5
    assert quadrature_dual(MISH, variances=(1, 100), error=1e-8).subject.smooth


def test_lines_of_an_odd_activation_leave_it_odd() -> None:
    dual = quadrature_dual("x-tanh(x)", variances=(200, 400), error=1e-9)
    (level,) = dual.levels
    assert len(dual.subject.kinks) == 2 and dual.subject.even
    assert isinstance(level.rule, PanelRule) and level.rule.half
    value, slope = off(dual, 400, -150, 200)
    assert value <= level.value + 1e-11 and slope <= level.dot + 1e-14


def test_one_lattice_for_arrays_is_that_of_the_whole_line() -> None:
    dual = single_lattice("log(1+exp(x/8))", Fraction(150), Fraction(200), 1e-6)
    assert dual.subject.smooth and len(dual.levels) == 1
    assert np.isfinite(dual.evaluate(200.0, 20.0, 160.0)).all()
