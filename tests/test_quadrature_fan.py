"""Polar rules for a weak singularity at 0: the bound, planted errors, both targets."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_quadrature import called, compiled

from ntksym.backends.c.quadrature import quadrature_unit
from ntksym.backends.numpy.backend import used_helpers
from ntksym.backends.numpy.helpers import helpers
from ntksym.errors import NotSquareIntegrable, NtksymError, Undecided
from ntksym.language import as_activation
from ntksym.numeric.choose import choose
from ntksym.numeric.quadrature import QuadratureDual, quadrature_dual, rule_bounds
from ntksym.numeric.quadrature.fan import FanRule, node_tables
from ntksym.numeric.quadrature.run import root_of_det
from ntksym.numeric.quadrature.sector import exponent, sector_size, sides_of
from ntksym.numeric.quadrature.subject import subject_of

ACTIVATIONS = (
    "x*log(abs(x))",
    "abs(x)^1.5*exp(-x^2)",
    "exp(-abs(x)^1.5)",
    "abs(x)^1.3*log(1+exp(x))",
    "abs(x)^0.75/(1+x^2)",
    "max(x,0)^1.7*atan(x)",
)
SPAN = (Fraction(3, 4), Fraction(1))
ERROR = 1e-5


@lru_cache(maxsize=16)
def made(text: str, error: float = ERROR) -> QuadratureDual:
    return quadrature_dual(text, variances=SPAN, error=error)


@pytest.mark.parametrize("text", ACTIVATIONS)
def test_values_are_within_the_proven_bound_of_the_definition(text: str) -> None:
    dual = made(text)
    assert all(isinstance(level.rule, FanRule) for level in dual.levels)
    for point in (("3/4", "-3/5", "1"), ("1", "-1", "1")):
        exact = [Fraction(v) for v in point]
        found = dual.evaluate(*map(float, exact))
        level = dual.level(float(max(exact[0], exact[2])))
        assert level is not None
        for derivative, bound in ((False, level.value), (True, level.dot)):
            ball = dual.enclose(*exact, derivative=derivative, digits=11)
            gap = abs(Fraction(float(found[derivative])) - ball.mid)
            assert gap <= bound + float(ball.rad) + 1e-13, (point, derivative)


def test_a_loose_rule_errs_by_more_than_rounding_and_less_than_its_bound() -> None:
    seen = 0.0
    for text in ("x*log(abs(x))",):
        loose, fine = made(text, 1e-3), made(text, 1e-7)
        for rho in (-1.0, -0.4, 0.7, 0.999, 1.0):
            args = (0.81, rho * 0.9, 1.0)
            level = loose.level(1.0)
            assert level is not None
            pairs = zip(loose.evaluate(*args), fine.evaluate(*args), strict=True)
            gaps = [abs(float(a - b)) for a, b in pairs]
            assert gaps[0] <= level.value and gaps[1] <= level.dot
            seen = max(seen, *gaps)
    assert seen > 1e-9


def test_planted_errors_are_caught_by_the_proof() -> None:
    dual = made("exp(-abs(x)^1.5)")
    rule = dual.levels[-1].rule
    assert isinstance(rule, FanRule)
    honest = rule_bounds(rule, dual.subject)
    assert honest[0] < 1e-4 and honest[1] < 1e-4
    for changes in (
        {"step_w": 2 * rule.step_w},
        {"step_r": 1.5 * rule.step_r},
        {"reach": rule.reach[: len(rule.reach) // 2]},
        {"reach": tuple(k // 2 for k in rule.reach)},
        {"start": rule.start - 1},
        {"top": 40 * rule.top},
        {"parity": -1},
    ):
        found = rule_bounds(replace(rule, **changes), dual.subject)
        assert any(not b < 2 * h for b, h in zip(found, honest, strict=True)), changes


def test_sectors_end_at_singularities() -> None:
    from flint import arb, fmpq

    poles = subject_of(as_activation("abs(x)^1.5/(1+x^4)"), {}).value
    power = exponent(poles, arb("0.6"))
    assert power == fmpq(3, 2)
    assert sector_size(poles, power, arb(0), arb("0.7"), arb(4)) is not None
    assert sector_size(poles, power, arb(0), arb("0.85"), arb(4)) is None
    for text in ACTIVATIONS:  # the bound holds at points of the sector, and is not an empty one
        curve = subject_of(as_activation(text), {}).slope
        power = exponent(curve, arb("0.5"))
        size = sector_size(curve, power, arb("0.05"), arb("0.5"), arb(6))
        assert size is not None
        most = 0.0
        for side in sides_of(curve):
            (s,) = side.free_symbols or {None}
            if s is None:
                continue
            for t in (1e-9, 1e-3, 0.3, 1.0, 5.0):
                z = complex(t * np.exp(0.499j))
                value = abs(complex(side.subs(s, z)))
                scaled = value * t ** -float(Fraction(int(power.p), int(power.q)))
                most = max(most, scaled * np.exp(-0.05 * t * t))
        assert 1e-3 * float(size) < most <= float(size)


def test_weights_sum_to_the_mass_of_the_plane() -> None:
    """Of f = 1 the rule gives one: angles add up to 2 pi, radii integrate the density."""
    rule = made("exp(-abs(x)^1.5)").levels[-1].rule
    assert isinstance(rule, FanRule)
    _, weights, radii = node_tables(rule)
    total = sum(
        (1 if k else 0.5) * weights[k] * radii[2 * j + 1]
        for j, most in enumerate(rule.reach)
        for k in range(most + 1)
    )
    assert abs(4 * np.pi * total - 1) < 1e-4


@pytest.mark.parametrize("text", ["x*log(abs(x))", "abs(x)^1.3*log(1+exp(x))"])
def test_the_c_and_the_numpy_text_give_the_same_numbers(text: str, tmp_path: Path) -> None:
    dual = made(text, 1e-3)
    unit = quadrature_unit(dual)
    rng = np.random.default_rng(5)
    a, b = rng.uniform(0.75, 1, 6), rng.uniform(0.75, 1, 6)
    b[-2:] = a[-2:]
    c = np.sqrt(a * b) * np.array([0.1, -0.999, 0.0, 1 - 1e-9, 1, -1])
    c[-2:] = a[-2], -a[-1]
    root = root_of_det(a, c, b)
    want = np.array(dual.evaluate(a, c, b, root=root))
    assert np.isfinite(want).all()
    library, space = compiled(unit, tmp_path), {}
    source = "import numpy as np\n" + helpers(used_helpers(unit.programs)) + "\n\n\n"
    exec(compile(source + unit.numpy_functions("unit"), "unit", "exec"), space)
    size = np.array(dual.diagonal(1.0)).max()
    got: Any
    for got in (called(library.pairs, a, c, b, root), space["unit_pairs"](a, c, b, root)):
        assert np.abs(np.array(got) - want).max() <= 2e-14 * size
    assert np.array_equal(
        called(library.pairs, b, c, a, root), called(library.pairs, a, c, b, root)
    )
    assert np.array_equal(called(library.diag, a[-2:-1]), _own(library, a[-2:-1]))
    wrong, other = np.array([np.nan, 1.0]), np.array([1.0, 3.0])
    if text == "x*log(abs(x))":  # s' is unbounded: no bound for small variances
        wrong, other = np.append(wrong, 0.3), np.append(other, 1.0)
    for found in (
        called(library.pairs, wrong, 0.1 * other, other, other),
        space["unit_pairs"](wrong, 0.1 * other, other),
    ):
        assert np.isnan(np.array(found)).all()


def _own(library: Any, q: Any) -> Any:
    return called(library.pairs, q, q, q, 0 * q)


def test_the_automatic_choice_takes_it() -> None:
    found = choose("x*log(abs(x)) + x**2/9", variances=("3/4", 1), code=True, error=1e-4)
    assert found.method == "quadrature" and isinstance(found.dual.levels[0].rule, FanRule)
    assert "polar trapezoid rule" in "\n".join(found.dual.lines())


@pytest.mark.parametrize("text", ["abs(x)^0.4*exp(-x^2)", "(x-1)*log(abs(x-1))", "abs(x)^x"])
def test_what_has_no_rule_is_refused(text: str) -> None:
    with pytest.raises(NtksymError) as refused:
        made(text)
    assert isinstance(refused.value, (Undecided, NotSquareIntegrable)) or refused.value.what


def test_normalised_data_are_off_by_their_rounding() -> None:
    import ntksym

    x = np.random.default_rng(0).normal(size=(3, 8))
    x /= np.sqrt((x**2).mean(axis=1, keepdims=True))
    x[1] = 0.0
    network = ntksym.mlp("exp(-abs(x)^1.5)", depth=1)
    found = ntksym.compile(network, target="numpy", error=1e-3)(x)
    rho = float(x[0] @ x[2]) / 8
    want = made("exp(-abs(x)^1.5)").evaluate(1.0, rho, 1.0)
    assert abs(found.nngp[0, 2] - want[0]) < 2e-3
    assert abs(found.ntk[0, 2] - want[0] - rho * want[1]) < 4e-3
    assert found.nngp[1, 1] == 1.0 and np.array_equal(found.nngp, found.nngp.T)
