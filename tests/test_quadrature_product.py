"""Panels in the coordinates of both inputs: against trapezoids and balls, and what is proven."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product as every
from math import sqrt
from random import Random

import numpy as np
import pytest

from ntksym.backends.c.quadrature import quadrature_unit
from ntksym.language import as_activation
from ntksym.numeric.quadrature import QuadratureDual, quadrature_dual, sums
from ntksym.numeric.quadrature import panels as panels_module
from ntksym.numeric.quadrature.dual import rule_bounds
from ntksym.numeric.quadrature.panels import PanelRule, Table, panel_bound, stored
from ntksym.numeric.quadrature.product import LEAST_SIGMA, most_panels, side
from ntksym.runtime.units.network import compile_unit

BEND, ODD, JUMP, WIDE = "sqrt(x^2+1e-4)", "x/(1+abs(x))", "step(x-1/3)*exp(x/4)", "mish"
RANGES = {BEND: ("1/100", "4"), ODD: ("1/2", "1"), JUMP: ("1/4", "1"), WIDE: ("20000", "20000")}
NARROW = "sqrt((x-1)^2+1e-6)*sign(x-1)"
RANGES[NARROW] = ("1/2", "2")
ERROR = 1e-7
NEAR = sqrt(1 - LEAST_SIGMA**2)
RHOS = (-0.999, -NEAR * (1 - 1e-9), -0.6, 0.0, 0.3, NEAR * (1 - 1e-9), NEAR * (1 + 1e-9))


def dual(text: str) -> QuadratureDual:
    low, high = RANGES[text]
    return quadrature_dual(text, variances=(Fraction(low), Fraction(high)), error=ERROR)


def points(found: QuadratureDual) -> tuple[np.ndarray, ...]:
    """Covariances with both ends of the range and unlike variances."""
    low, high = (float(v) for v in found.variances)
    pairs = [(low, high), (high, high), (low * 1.7, sqrt(low * high))]
    rows = [(a, rho * sqrt(a * b), b) for (a, b), rho in every(pairs, RHOS)]
    return tuple(np.array(column) for column in zip(*rows, strict=True))


@pytest.mark.parametrize("text", [ODD, JUMP])
def test_products_give_what_trapezoids_give(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = dual(text)
    at = tuple(column[1::3] for column in points(found))
    new = found.evaluate(*at)
    monkeypatch.setattr(sums, "LEAST_SIGMA", 2.0)
    old = found.evaluate(*at)
    ends = [found.diagonal(v) for v in (at[0], at[2])]
    for k in (0, 1):
        size = np.sqrt(ends[0][k] * ends[1][k])
        assert (abs(new[k] - old[k]) <= 1e-2 * ERROR * size).all()
    assert (new[0] != old[0]).any()  # they are not the same sums


def test_generated_code_is_near_the_definition() -> None:
    found = dual(JUMP)
    at = tuple(column[[5, 9]] for column in points(found))
    made = [compile_unit(as_activation(JUMP), found, target)(*at) for target in ("c", "numpy")]
    ends = [found.diagonal(v) for v in (at[0], at[2])]
    for k, slope in ((0, False), (1, True)):
        for i, p in enumerate(zip(*at, strict=True)):
            exact = found.enclose(*(Fraction(v) for v in p), derivative=slope, digits=12)
            for code in made:
                off = abs((code.nngp, code.dot)[k][i] - float(exact.mid))
                assert off <= 1e-2 * ERROR * sqrt(ends[0][k][i] * ends[1][k][i])


def test_an_entry_is_far_less_work_than_trapezoids() -> None:
    for text, least in ((BEND, 2.0), (ODD, 2.0)):
        rule = dual(text).levels[-1].rule
        assert isinstance(rule, PanelRule)
        dev = float(rule.top) ** 0.5
        assert least * rule.pairs(dev, dev, 0.6) < rule.cost(dev, dev, 0.6)


def test_there_is_room_for_every_node() -> None:
    random = Random(0)
    for text in RANGES:
        for level in dual(text).levels:
            rule = level.rule
            if not isinstance(rule, PanelRule):
                continue
            for _ in range(50):
                dev = float(rule.top) ** 0.5 * 10 ** random.uniform(-6, 0)
                sigma = random.choice((LEAST_SIGMA, 1.0, random.uniform(LEAST_SIGMA, 1)))
                found = list(side(rule, dev, sigma, -rule.length))
                assert sum(p.panels for p in found) <= most_panels(rule)
                assert found[0].low == -rule.length and found[-1].high == rule.length


def test_every_ellipse_has_a_bound() -> None:
    """Half of them had none: a ball was compared with itself."""
    found = dual(ODD)
    rule = found.levels[0].rule
    assert isinstance(rule, PanelRule)
    for ellipse in panels_module._ELLIPSES:
        one = replace(rule, tables=(Table(1.0, *stored(20), ellipse),))
        assert panel_bound(one, found.subject.value, 1).is_finite(), ellipse


def test_half_of_the_plane_is_only_for_even_and_odd_activations() -> None:
    for text, half in ((ODD, True), (BEND, True), (JUMP, False), (WIDE, False)):
        found = dual(text)
        rule = found.levels[-1].rule
        assert isinstance(rule, PanelRule) and rule.half == half
        bounds = rule_bounds(replace(rule, half=True), found.subject)
        assert all(b.is_finite() == half for b in bounds)


def test_the_bound_of_products_counts() -> None:
    """At the least sigma it is the larger one, so that a rule for trapezoids alone is not enough."""
    found = dual(ODD)
    rule = found.levels[0].rule
    assert isinstance(rule, PanelRule)
    both = rule_bounds(rule, found.subject)[0]
    alone = panels_module.panel_bounds(rule, found.subject, trapezoids=True)[0]
    assert alone < both < alone / LEAST_SIGMA


def test_blocks_stand_for_many_intervals_and_give_what_they_give() -> None:
    """Next to a jump with a narrow bend: the weights are of the size of W, the sums are equal."""
    found = dual(NARROW)
    level = found.levels[-1]
    rule = level.rule
    assert isinstance(rule, PanelRule) and len(rule.blocks) >= 3
    bare = replace(rule, blocks=())
    dev = float(rule.top) ** 0.5
    assert rule.pairs(dev, dev, 0.6) < bare.pairs(dev, dev, 0.6) / 4
    plain = replace(found, levels=(*found.levels[:-1], replace(level, rule=bare)))
    at = tuple(column[::3] for column in points(found))
    size = np.sqrt(np.array(found.diagonal(at[0])) * np.array(found.diagonal(at[2])))
    here = np.array(found.evaluate(*at))
    assert (abs(here - np.array(plain.evaluate(*at))) <= 1e-2 * ERROR * size).all()
    for target in ("c", "numpy"):
        code = compile_unit(as_activation(NARROW), found, target)(*at)
        assert (abs(np.array([code.nngp, code.dot]) - here) <= 1e-13 * size).all()


def test_a_wrong_block_is_caught_by_the_proof() -> None:
    found = dual(NARROW)
    rule = found.levels[-1].rule
    assert isinstance(rule, PanelRule)
    block = rule.blocks[0]
    assert all(b.is_finite() for b in rule_bounds(rule, found.subject))
    for planted in (
        replace(block, value=(block.value[0] * (1 + 1e-15), *block.value[1:])),
        replace(block, high=block.high * 2),
    ):
        wrong = replace(rule, blocks=(planted, *rule.blocks[1:]))
        assert not any(b.is_finite() for b in rule_bounds(wrong, found.subject))


def test_the_c_of_odd_activations_starts_at_zero() -> None:
    text = quadrature_unit(dual(ODD)).c_functions("s")
    assert "_fill(a, sigma, 0.0, &one)" in text and "scale = 2.0 * over" in text
    assert "_fill(a, sigma, -" in quadrature_unit(dual(JUMP)).c_functions("s")
