"""Python callables as activations: estimated errors, marked as such; looks at what they return."""

from __future__ import annotations

import json
import math
import time
from fractions import Fraction

import numpy as np
import pytest

from ntksym import best_dual
from ntksym.errors import BadActivation, BadSpec, NotSquareIntegrable, Undecided
from ntksym.numeric.quadrature import between as between_module
from ntksym.numeric.quadrature import quadrature_dual, sampled_dual
from ntksym.numeric.quadrature import sampled as sampled_module
from ntksym.numeric.quadrature import sampled_rules as rules
from ntksym.numeric.quadrature.between import between
from ntksym.numeric.quadrature.callables import sampled

POINTS = np.array(
    [[1, 0.5, 1], [2, -1.9, 2], [1, 1, 1], [1, -1, 1], [2, 1.999, 2], [0.25, 0.1, 2]]
).T


def small(function, **options):
    return sampled_dual(function, variances=(0.25, 2.0), **options)


@pytest.fixture(scope="module")
def proven():
    return quadrature_dual("tanh(x)^3", variances=(Fraction(1, 4), 2))


def cubed(x):
    return np.tanh(x) ** 3


def slope(x):
    return 3 * np.tanh(x) ** 2 * (1 - np.tanh(x) ** 2)


@pytest.mark.parametrize("derivative", [None, slope], ids=["from values", "given"])
def test_within_its_estimate_of_the_proven_dual(proven, derivative):
    dual = small(cubed, derivative=derivative)
    nngp, dot, one, two = dual.estimated(*POINTS)
    want = proven.evaluate(*POINTS)
    assert np.all(np.abs(nngp - want[0]) <= 2 * one + 1e-13)
    assert np.all(np.abs(dot - want[1]) <= 2 * two + 1e-12)
    assert max(one.max(), two.max()) <= dual.error and dual.estimate <= dual.error


def test_marked_everywhere():
    dual = small(np.tanh, name="hyperbolic")
    assert "sampled, not proven" in repr(dual) and "hyperbolic" in repr(dual)
    assert "sampled, not proven" in dual.lines()[0]
    assert "assumed: square integrable" in "\n".join(dual.lines())
    record = json.loads(json.dumps(dual.record()))
    assert record["mark"] == "sampled, not proven" and record["method"] == "sampled"


def test_symmetric_to_the_last_bit_and_nan_outside():
    dual = small(np.arctan, error=1e-6)
    a, c, b = np.array([1.0, 2.0, 0.5]), np.array([0.3, -0.9, 0.4]), np.array([2.0, 0.5, 0.5])
    for one, two in zip(dual.evaluate(a, c, b), dual.evaluate(b, c, a), strict=True):
        assert np.array_equal(one, two)
    assert np.array_equal(dual.evaluate(a, a, a), dual.diagonal(a))
    for q11, q12, q22 in ((3.0, 0.1, 1.0), (1.0, np.nan, 1.0), (1.0, 2.0, 1.0), (0.1, 0.0, 1.0)):
        assert np.isnan(dual.evaluate(q11, q12, q22)).all()


def test_callables_of_numbers_are_interpolated_between_samples():
    calls = 0

    def one(x: float) -> float:
        nonlocal calls
        calls += 1
        return math.erf(x)

    dual = sampled_dual(one, variances=(1, 25))
    before = calls
    found = float(dual.evaluate(9.0, -4.0, 2.5)[0])
    assert found == pytest.approx(2 / math.pi * math.asin(-8 / math.sqrt(19 * 6)), abs=1e-8)
    assert calls == before < 20_000 and "interpolated between samples" in dual.lines()[0]


@pytest.mark.parametrize(
    ("s", "size"),
    [(np.exp, 0), (lambda x: np.abs(x - 0.3) * np.cos(x), 40), (lambda x: np.floor(x / 9), 1)],
)
def test_interpolants_follow_growth_kinks_and_jumps(s, size):
    table = between(sampled(lambda x: float(s(x)), 40.0), 40.0, 60.0)
    x = np.linspace(-39.9, 39.8, 3001)
    assert np.all(np.abs(table(x) - s(x)) <= 1e-13 * np.maximum(np.abs(s(x)), size))


def test_what_oscillates_too_fast_for_them_is_called_number_by_number(monkeypatch):
    monkeypatch.setattr(between_module, "_MOST", 5000)
    assert between(sampled(lambda x: math.sin(5000 * x), 141.0), 141.0, 60.0) is None


def test_a_function_that_mixes_its_inputs_is_not_taken_for_vectorised():
    def normalised(x):
        return np.tanh(x) * (1.0 + np.mean(x * 0 + np.size(x)) / 100)

    assert not sampled(normalised, 5.0).vectorised and sampled(np.tanh, 5.0).vectorised


def test_the_estimate_grows_with_a_kink_and_covers_it():
    dual = small(lambda x: np.maximum(x, 0.0), derivative=lambda x: 1.0 * (x > 0), error=0.05)
    nngp, dot, one, two = dual.estimated(1.0, 0.3, 1.0)
    angle = math.acos(0.3)
    want = (math.sin(angle) + 0.3 * (math.pi - angle)) / (2 * math.pi)
    assert 1e-9 < one < 0.05 and abs(nngp - want) <= 2 * one
    assert abs(dot - (math.pi - angle) / (2 * math.pi)) <= 2 * two
    with pytest.raises(Undecided) as error:
        sampled_dual(np.abs, variances=(1.0, 1.0), error=1e-9)
    assert "two rules differ by more than 1e-09" in error.value.what
    assert "best estimate of the error" in error.value.where


def test_stein_agrees_with_the_derivative_and_the_series_with_both():
    """Where both ways apply, the differentiated Gaussian and the Hermite series are one number."""
    for rho in (0.975, -0.975):
        sigma = (1 - rho * rho) ** 0.5
        assert sigma * sigma < 0.05
        series = rules.slope(np.tanh, 1.0, 0.8, rho, sigma, 4)
        given = rules.value(lambda x: 1 - np.tanh(x) ** 2, 1.0, 0.8, rho, sigma, 4)
        assert series == pytest.approx(given, rel=1e-10)
    stein = rules.slope(np.tanh, 1.0, 0.8, 0.6, 0.8, 3)
    given = rules.value(lambda x: 1 - np.tanh(x) ** 2, 1.0, 0.8, 0.6, 0.8, 3)
    assert stein == pytest.approx(given, rel=1e-12)


@pytest.mark.parametrize(
    ("function", "kind", "what", "where"),
    [
        (np.sqrt, BadActivation, "sqrt is not finite", "x = -"),
        (lambda x: x + 1j * x, BadActivation, "is complex", "x = "),
        (lambda x: np.array([1.0, 2.0]), BadActivation, "shape (2,) for one number", "x = "),
        (lambda x: "a", BadActivation, "values of type", ""),
        (3, BadActivation, "an object of type int cannot be called", ""),
        (lambda x: np.exp(x * x / 2), NotSquareIntegrable, "grows so fast", "variance 2"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_bad_callables_say_what_and_where(function, kind, what, where):
    with pytest.raises(kind) as error:
        small(function)
    assert what in error.value.what and where in error.value.where


def test_a_function_with_a_memory_is_refused_at_once():
    rng, calls = np.random.default_rng(1), []

    def counted(x):
        calls.append(x)
        return np.tanh(x) + len(calls)

    for bad in (lambda x: np.tanh(x) + rng.random(np.shape(x)), counted, lambda x: rng.random()):
        for ask in (small, best_dual):
            with pytest.raises(BadActivation, match="different values at the same x") as error:
                ask(bad)
            assert "then" in error.value.where


@pytest.mark.parametrize("arrays", [True, False], ids=["arrays", "numbers"])
def test_a_slow_function_is_given_up(arrays, monkeypatch):
    monkeypatch.setattr(sampled_module, "LONGEST", 0.3)
    calls = 0

    def slow(x):
        nonlocal calls
        calls += 1
        time.sleep(0.05 if arrays else 0.0005)
        return np.tanh(x) if arrays else math.tanh(x)

    with pytest.raises(Undecided, match="is slow: its error is not estimated within") as error:
        small(slow)
    assert "values take about" in error.value.where and calls < 2000


def test_errors_of_the_callable_are_its_own():
    def broken(x):
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        small(broken)


def test_bad_options():
    with pytest.raises(BadSpec, match="is not a range"):
        sampled_dual(np.tanh, variances=(0.0, 1.0))
    with pytest.raises(BadSpec, match="cannot be estimated"):
        sampled_dual(np.tanh, error=1e-20)


def test_a_constant_has_no_slope():
    nngp, dot = sampled_dual(lambda x: 0.3 + 0 * x).evaluate(2.0, 0.7, 0.5)
    assert nngp == pytest.approx(0.09, rel=1e-12) and dot == 0.0


def test_a_function_of_numbers_is_told_to_take_arrays(monkeypatch):
    monkeypatch.setattr(between_module, "_MOST", 5000)
    with pytest.raises(Undecided) as caught:
        sampled_dual(lambda x: math.tanh(x) + math.sin(5000 * x))
    assert "a function that takes arrays, as np.tanh does" in caught.value.hint
    assert "takes arrays" not in _refused(lambda x: np.abs(x - 0.5) ** 0.5).hint


def _refused(function):
    with pytest.raises(Undecided) as caught:
        sampled_dual(function)
    return caught.value
