"""The Price proof closes on true forms, and cannot be made to close on wrong ones."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sympy import Abs, Expr, Max, Piecewise, Rational, erf, exp, sin

import ntksym
from ntksym.activation import Activation
from ntksym.derivation import Derivation
from ntksym.errors import BadActivation, BadCovariance, BadSpec
from ntksym.functions import Phi
from ntksym.gaussian import ClosedForm
from ntksym.gaussian.expect import group_pairs
from ntksym.symbols import x
from ntksym.verify.price import prove_pair, prove_value
from ntksym.verify.prove import evaluate, prove
from ntksym.verify.report import Verdict

CASES = [
    Max(x, 0),
    x * Phi(x),
    erf(x),
    Piecewise((x, x > 0), (exp(x) - 1, True)),
    Max(0, 1 - Abs(x)),
    exp(-(x**2)) * sin(x),
]


@pytest.mark.parametrize("f", CASES, ids=str)
def test_proof_holds(f: Expr) -> None:
    proof = prove_value(Derivation.of(Activation("t", f)))
    assert proof.holds and len(proof.lines) >= 4


@pytest.mark.parametrize("f", CASES, ids=str)
def test_every_changed_coefficient_is_noticed(f: Expr) -> None:
    """Each coefficient of each pair in turn: sign flipped, doubled, dropped."""
    d = Derivation.of(Activation("t", f))
    tried = 0
    for pair in group_pairs(d.law, d.terms, d.terms)[:6]:
        value = pair.value()
        for key, c in value.terms.items():
            for factor in (-1, 2, 0):
                wrong = ClosedForm(d.field, {**value.terms, key: c * factor})
                assert not all(line.holds for line in prove_pair(pair, wrong, "t"))
                tried += 1
    assert tried


def test_an_empty_proof_is_no_proof() -> None:
    from ntksym.zero_tests import Proof

    assert not Proof(()).holds


def test_nested_roots_are_an_obstacle_not_a_proof() -> None:
    from sympy import sqrt

    d = Derivation(Activation("t", exp(-sqrt(2) * x**2)))  # without the atoms for roots
    assert d.value
    proof = prove_value(d)
    assert not proof.holds and "nested" in proof.obstacle
    assert prove_value(Derivation.of(Activation("t", exp(-sqrt(2) * x**2)))).holds
    assert Rational(1)


def test_sampled_is_what_is_left_without_proof_and_enclosure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the proof nor the balls decide: quadrature agrees, and the verdict says just that."""
    from ntksym.errors import Undecided
    from ntksym.verify.prove import prove as prove_module_function
    from ntksym.zero_tests import Proof

    module = __import__("sys").modules[prove_module_function.__module__]

    def never(*_: object, **__: object) -> None:
        raise Undecided("not today")

    monkeypatch.setattr(module, "enclose_definition", never)
    monkeypatch.setattr(module, "prove_value", lambda _: Proof((), "not today"))
    report = prove("gelu", points=[("13/10", "2/5", "7/10")])
    assert report.verdict is Verdict.SAMPLED and not report.holds
    assert "no bound" in report.evidence[-1]


def test_the_radius_of_large_values_is_relative() -> None:
    """Enclosures of numbers of thirty digits have radii above 1, and are as narrow as others."""
    report = prove("x^20", digits=20, points=[("100", "60", "100")])
    assert report.verdict is Verdict.PROVED
    assert any("e-2" in line and "relative to values above 1" in line for line in report.evidence)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("relu", "1", "1/2", "2"), BadCovariance, "is not three numbers"),
        (("relu", (1, "1/2")), BadCovariance, "is not three numbers"),
        (("relu", (1, float("nan"), 1)), BadCovariance, "q12 = nan is not a finite real number"),
        (("relu", (1, "x", 1)), BadCovariance, "q12 = 'x' is not a finite real number"),
        (("relu", (1, 0, 1), {"alpha": 1}), BadActivation, "relu has no parameter 'alpha'"),
        (("leaky_relu", (1, 0, 1), {"alpha": "two"}), BadCovariance, "alpha = 'two'"),
    ],
)
def test_points_that_are_none(arguments: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        evaluate(*arguments)


@pytest.mark.parametrize("digits", ["many", 0, 2.5, True, 10**9])
def test_digits_that_are_none(digits: Any) -> None:
    words = re.escape(f"digits = {digits!r}\n  use:   a whole number from 1 to 10000")
    with pytest.raises(BadSpec, match=words):
        evaluate("relu", (1, 0, 1), digits=digits)
    for name in ("relu", "tanh"):
        with pytest.raises(BadSpec, match=words):
            ntksym.prove(name, digits=digits)


@pytest.mark.parametrize("points", [3, "1", [3], [(1, 2)], [(1, "x", 1)]])
def test_lists_of_points_that_are_none(points: Any) -> None:
    for name in ("relu", "tanh"):
        with pytest.raises(BadCovariance, match=r"no list of points|not three|not a finite"):
            ntksym.prove(name, points=points)
