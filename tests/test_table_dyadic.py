"""Tables from polar rules: the bound, planted errors, every target, and the automatic choice."""

from __future__ import annotations

import ctypes
import json
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Rational, log
from test_quadrature import called, compiled

import ntksym
from ntksym.backends.array.unit import array_unit
from ntksym.backends.c.table.dyadic import DyadicUnit
from ntksym.backends.numpy.helpers import helpers
from ntksym.backends.point_unit import PointUnit
from ntksym.backends.units import rule_unit
from ntksym.errors import BadData, Undecided
from ntksym.export.languages import array_sources
from ntksym.language import as_activation
from ntksym.numeric.choose import choose
from ntksym.numeric.quadrature import quadrature_dual
from ntksym.numeric.quadrature.run import root_of_det
from ntksym.numeric.rules import RULES
from ntksym.numeric.soon import SOON
from ntksym.numeric.table.dyadic.build import applies, dyadic_seconds, dyadic_table
from ntksym.numeric.table.dyadic.polar import polar_sums
from ntksym.numeric.table.dyadic.table import DyadicTable

CASES = (
    ("x*log(abs(x))", 1.0),  # odd; the derivative dual has a logarithm
    ("log(1+abs(x)^1.3)", 1.0),  # even
    ("max(x,0)^1.7-abs(x)^1.2/(1+x^2)", 0.25),  # neither
)
ERROR = 1e-6


@lru_cache(maxsize=8)
def made(text: str, variance: float = 1.0) -> DyadicTable:
    return dyadic_table(text, variance, error=ERROR)


@pytest.mark.parametrize(("text", "q"), CASES)
def test_the_bound_holds_at_every_distance_from_one(text: str, q: float) -> None:
    table = made(text, q)
    assert table.error <= ERROR and table.single
    rule = quadrature_dual(text, variances=(Fraction(q), Fraction(q)), error=1e-8)
    rng = np.random.default_rng(3)
    worst = [0.0, 0.0]
    for t in (0.0, *2.0 ** -rng.uniform(0, table.panels + 3, 6)):
        root = 2 * t / (1 + t * t)
        for sign in (1, -1):
            args = (q, sign * q * (1 - t * t) / (1 + t * t), q, q * root)
            want = rule.evaluate(*args[:3], root=args[3])
            for k, sheet in enumerate((table.value, table.dot)):
                gap = abs(table.at(*args)[k] - float(want[k])) / sheet.diag
                assert gap <= sheet.error + 1e-8
                worst[k] = max(worst[k], gap)
    assert max(worst) > ERROR / 200  # the bound is of what there is


def test_a_logarithm_of_a_fractional_power_is_bounded_near_its_end() -> None:
    """What enclosures of the definition need there: the power is whole in a root of the distance."""
    from flint import arb

    from ntksym.verify.functions.ends import DISTANCE, near

    expr = log(1 + DISTANCE ** Rational(13, 10))
    delta = arb(2) ** -10
    found = near(expr, delta)
    assert found is not None and found.power >= 0 and found.logs == 0
    assert float(expr.subs(DISTANCE, 2.0**-10)) <= float(found.size) < 1e-2


def test_values_at_nodes_are_those_of_the_rule_and_their_rounding_is_counted() -> None:
    for text, q in CASES:
        dual = quadrature_dual(text, variances=(Fraction(q), Fraction(q)), error=1e-7)
        sums = polar_sums(dual.subject, Fraction(q), dual.levels[0].rule)
        for t in (0.3, 1e-9):
            rho, root = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
            pairs = [dual.evaluate(q, s * rho * q, q, root=root * q) for s in (1, -1)]
            for k, found in enumerate(sums.at(t)):
                gap = max(abs(found.plus - pairs[0][k]), abs(found.minus - pairs[1][k]))
                own = found.error - sums.bounds[k]  # what is not the rule's
                assert gap < own + 1e-14 and 0 < own < 1e-12 * max(1.0, abs(found.plus))


def test_planted_errors_break_the_bound() -> None:
    table = made("log(1+abs(x)^1.3)")
    rule = quadrature_dual(table.text, variances=(1, 1), error=1e-9)
    sheet = table.value
    line = sheet.right[2]
    for changed in (
        (line[0] + 3 * ERROR * sheet.diag, *line[1:]),
        (line[0], line[1] * (1 + 1e-3), *line[2:]),
        line[:-1],
    ):
        lines = (*sheet.right[:2], changed, *sheet.right[3:])
        wrong = replace(table, value=replace(sheet, right=lines))
        gaps = []
        for t in np.linspace(0.126, 0.249, 5):
            rho, root = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
            want = rule.evaluate(1.0, rho, 1.0, root=root)[0]
            gaps.append(abs(wrong.at(1.0, rho, 1.0, root)[0] - float(want)) / sheet.diag)
        assert max(gaps) > sheet.error


@pytest.mark.parametrize(("text", "q"), CASES)
def test_the_targets_give_the_same_numbers(text: str, q: float, tmp_path: Path) -> None:
    table = made(text, q)
    unit = rule_unit(table)
    assert isinstance(unit, PointUnit) and isinstance(unit.inner, DyadicUnit)
    library: ctypes.CDLL = compiled(unit, tmp_path)
    space: dict[str, Any] = {}
    source = f"import numpy as np\n{helpers(frozenset({'rootdet'}))}\n\n\n"
    exec(compile(source + unit.numpy_functions("unit"), "unit", "exec"), space)
    theta = np.concatenate([np.linspace(0, np.pi, 41), 10.0 ** -np.arange(1, 16)])
    a, c, root = np.full(theta.size, q), q * np.cos(theta), q * np.sin(theta)
    root[[0, 40]] = 0.0
    want = np.array([table.at(q, float(x), q, float(r)) for x, r in zip(c, root, strict=True)]).T
    size = np.array([[table.value.diag], [table.dot.diag]])
    for got in (called(library.pairs, a, c, a, root), space["unit_pairs"](a, c, a, root)):
        assert (np.abs(np.array(got) - want) <= 4e-14 * size).all()
    same = np.array(called(library.pairs, a[:1], a[:1], a[:1], 0 * a[:1]))
    for got in (called(library.diag, a[:1]), space["unit_diag"](a[:1])):
        assert (
            np.array_equal(np.array(got), same) and same.ravel().tolist() == size.ravel().tolist()
        )
    bad = np.array([np.nan, q, q, 2 * q, q]), np.array([0.0, np.nan, 0.0, 0.0, 0.0])
    ends, roots = np.array([q, q, np.nan, q, q]), np.array([q, q, q, q, np.nan])
    for got in (
        called(library.pairs, bad[0], bad[1], ends, roots),
        space["unit_pairs"](bad[0], bad[1], ends, roots),
    ):
        assert np.isnan(np.array(got)).all()
    assert np.isnan(np.array(called(library.diag, bad[0][[0, 3]]))).all()
    said = "\n".join(unit.notes)
    assert "Proven bounds" in said and "polar rule" in said and "next to rho = 1" in said


def test_it_is_plain_data() -> None:
    table = made("x*log(abs(x))")
    text = json.dumps(table.to_json())
    read = RULES["tabulated"].read()
    assert read is not None and read(text) == table
    data = json.loads(text)
    for wrong in ({"version": 0}, {"value": {}}, {"low": "x"}, {"dot": None}):
        with pytest.raises(BadData):
            DyadicTable.from_json({**data, **wrong})


def test_the_automatic_choice_takes_it_and_says_why() -> None:
    choice = choose("log(1+abs(x)^1.3)", variances=1, code=True, error=ERROR)
    assert choice.method == "tabulated" and isinstance(choice.dual, DyadicTable)
    said = "\n".join(choice.lines)
    assert "proven, rounding counted" in said and f"{choice.dual.products} multiplications" in said
    seconds = dyadic_seconds(as_activation("log(1+abs(x)^1.3)").expr, 1.0, ERROR)
    assert 0.2 < seconds < SOON
    slow = ("abs(x)^0.6*exp(-x^2)", 1e-10), ("abs(x)^0.3*tanh(x)", 1e-9)
    found = [dyadic_seconds(as_activation(text).expr, 1.0, error) for text, error in slow]
    assert found[0] > SOON > found[1]


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("log(1+abs(x)^1.3)", 1e-13, "no table from a polar rule"),
        ("abs(x-1)^1.3", 1e-6, "not one kink, at 0"),
        ("tanh(x)", 1e-6, "not one kink, at 0"),
    ],
)
def test_refusals(text: str, error: float, said: str) -> None:
    assert applies(as_activation(text).expr) == (error < 1e-12)
    with pytest.raises(Undecided, match=said):
        dyadic_table(text, 1.0, error=error)


@pytest.mark.parametrize("target", ["jax", "torch"])
def test_array_code_is_written(target: str) -> None:
    table = made("log(1+abs(x)^1.3)")
    (file,) = array_sources(table.text, target, "made", variances=1, error=ERROR)
    compile(file.text, file.name, "exec")
    assert "no bound is proven for it" in file.text and "UNIT_ONE_SCALE" in file.text
    unit = array_unit(table, as_activation(table.text))
    assert unit.point == unit.inside == 1.0


def test_networks_on_the_sphere() -> None:
    x = np.random.default_rng(0).normal(size=(6, 9))
    x /= np.sqrt((x**2).mean(axis=1, keepdims=True))
    x[1] = x[0] * (1 + 1e-15)
    net = ntksym.mlp("log(1+abs(x)^1.3)", depth=1)
    results = [ntksym.compile(net, target=t, error=ERROR)(x) for t in ("c", "numpy")]
    rule = quadrature_dual("log(1+abs(x)^1.3)", variances=(1, 1), error=1e-8)
    gram = x @ x.T / 9
    want = rule.evaluate(1.0, gram[2, 3], 1.0, root=root_of_det(1.0, gram[2, 3], 1.0))
    for found in results:
        assert np.array_equal(found.nngp, found.nngp.T) and np.isfinite(found.ntk).all()
        assert abs(found.nngp[2, 3] - want[0]) < 2e-6
        assert abs(found.ntk[2, 3] - want[0] - gram[2, 3] * want[1]) < 4e-6
    assert np.abs(results[0].ntk - results[1].ntk).max() < 1e-13


def test_an_error_that_no_double_has_is_refused_at_once() -> None:
    for method in ("auto", "tabulated", "quadrature", "series"):
        with pytest.raises(Undecided, match="no code in float64 has an error of 1e-40") as refused:
            choose("mish", variances=1, method=method, error=1e-40, code=True)
        assert "ntksym eval" in refused.value.hint
