"""The choice of a method: what is taken, why, what it says where it does not apply.

What could be wrong: a method that is named but not the one that runs, a bound that does not hold at
the point where it is printed, a forced method that silently gives way to another.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from sympy import Symbol, latex, log

from ntksym.backends.c.backend import Contract
from ntksym.backends.numpy import unit_network as numpy_unit_network
from ntksym.backends.units import unit_of
from ntksym.dual import Dual
from ntksym.errors import BadActivation, BadSpec, NoClosedForm, NotSquareIntegrable, Undecided
from ntksym.numeric import rules as rules_module
from ntksym.numeric.choice import read_variances
from ntksym.numeric.choose import best_dual, choose
from ntksym.numeric.expected import ExpectedDual
from ntksym.numeric.mixture import MixtureDual
from ntksym.runtime.engines import load_module
from ntksym.symbols import q12
from ntksym.verify.balls import enclose_definition

# -- what auto takes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("activation", "method", "kind"),
    [
        ("gelu", "exact", Dual),
        ("silu", "mixture", MixtureDual),
        ("mish", "tabulated", ExpectedDual),
        ("x/(1+abs(x))", "tabulated", ExpectedDual),
        ("max(x,0)*tanh(x-1)", "tabulated", ExpectedDual),
    ],
)
def test_the_order_of_the_automatic_choice(activation: str, method: str, kind: type) -> None:
    found = choose(activation)
    assert found.method == method and isinstance(found.dual, kind)
    assert [c.method for c in found.candidates if c.taken] == [method]
    assert best_dual(activation) == found.dual
    before = [c.method for c in found.candidates if not c.taken]
    assert (
        before
        == ["exact", "mixture"][: 0 if method == "exact" else 1 if kind is MixtureDual else 2]
    )
    assert all(c.reason for c in found.candidates)
    assert json.loads(json.dumps(found.record()))["method"] == method


def test_expressions_and_their_own_variables() -> None:
    z = Symbol("z")
    assert choose(z * log(1 + z**2)).method == "tabulated"


@pytest.mark.parametrize(
    ("activation", "options", "error", "words"),
    [
        ("mish", {"method": "exact"}, NoClosedForm, "use:   the method tabulated"),
        ("tanh", {"method": "exact"}, NoClosedForm, "use:   the method mixture"),
        ("gelu", {"method": "mixture"}, NoClosedForm, "use:   the method exact"),
        ("mish", {"mean": True}, NoClosedForm, "no closed form"),
        ("mish", {"mean": True, "method": "series"}, BadSpec, "mean zero"),
        ("mish", {"method": "magic"}, BadSpec, "auto, exact, mixture, tabulated, series, quadra"),
        ("mish", {"error": 2}, BadSpec, "not between 0 and 1"),
        ("mish", {"variances": "4:1", "method": "tabulated"}, BadSpec, "not 0 < low <= high"),
        ("mish", {"variances": "a", "method": "tabulated"}, BadSpec, "not a number"),
        ("tan(x)", {}, BadActivation, "poles"),
        ("exp(exp(x))", {}, NotSquareIntegrable, "faster than every Gaussian"),
        (
            "tanh(log(1+exp(b*x)))",
            {"method": "tabulated", "variances": 1},
            BadSpec,
            "the parameter 'b' has no value",
        ),
    ],
)
def test_what_does_not_apply_says_what_does(
    activation: str, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as caught:
        choose(activation, **options)
    assert words in str(caught.value)


def test_variances_are_numbers_or_ranges() -> None:
    assert read_variances("0.5:4") == (Fraction(1, 2), 4) == read_variances((0.5, 4))
    assert read_variances("1/3") == (Fraction(1, 3), Fraction(1, 3))
    assert read_variances(2) == (2, 2)
    for bad in ("0", "1:2:3", "-1:2", "inf", "nan", "1:inf", float("nan"), "1" * 99, True, None):
        with pytest.raises(BadSpec):
            read_variances(bad)


# -- code: rules with proven bounds ----------------------------------------------------------------


def rule_values(choice: Any, points: Any) -> Any:
    """(nngp, dot) by the generated NumPy of a rule."""
    source = numpy_unit_network.dual_file("rule", unit_of(choice.dual), Contract("test", ()))
    module: Any = load_module(source, keep=False)
    return module.dual(*(np.array(z, dtype=float) for z in zip(*points, strict=True)))


@pytest.mark.parametrize("method", ["tabulated", "series", "quadrature"])
def test_a_rule_keeps_its_bound(method: str) -> None:
    found = choose("mish", method=method, variances=1, error=1e-7, code=True)
    assert found.method == method and any("proven" in line for line in found.lines)
    points = [(1, "0.5", 1), (1, "-0.9", 1), (1, "0.999999", 1), (1, 1, 1), (1, -1, 1), (1, 0, 1)]
    values = rule_values(found, points)
    for slope in (False, True):
        own = enclose_definition(found.activation, 1, 1, 1, derivative=slope, digits=12)
        for i, point in enumerate(points):
            exact = enclose_definition(found.activation, *point, derivative=slope, digits=12)
            assert abs(float(values[slope][i]) - float(exact.mid)) <= 1e-7 * float(own.mid)


def test_for_code_a_table_comes_before_a_mixture(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose("tanh", variances=1, error=1e-6).method == "mixture"
    found = choose("tanh", variances=1, error=1e-6, code=True)
    assert found.method == "tabulated"
    assert "slower" in next(c.reason for c in found.candidates if c.method == "mixture")
    assert choose("gelu", variances=1, code=True).method == "exact"

    def refuse(*_: Any) -> Any:
        raise Undecided("the bound 1e-3 was proven")

    rule = rules_module.Rule("tabulated", "3 ns", refuse)
    monkeypatch.setitem(rules_module.RULES, "tabulated", rule)
    found = choose("tanh", variances=1, code=True)
    assert found.method == "mixture" and "1e-3 was proven" in found.lines[1]


def test_the_next_rule_where_one_does_not_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order, the relaxed default, and the honest end."""
    asked: list[tuple[str, float]] = []

    def rule(name: str, least: float) -> Any:
        def make(activation: Any, variances: Any, error: float) -> Any:
            asked.append((name, error))
            if error < least:
                raise Undecided(f"{name} reaches {least:g}")
            return RangeStub(name)

        return rules_module.Rule(name, "ns", make)

    for name, least in (("tabulated", 1e-6), ("series", 1e-5), ("quadrature", 1e-9)):
        monkeypatch.setitem(rules_module.RULES, name, rule(name, least))
    found = choose("mish", variances=(1, 2), code=True)
    assert found.method == "quadrature" and len(asked) == 3 + 3
    assert asked.index(("series", 1e-8)) < asked.index(("quadrature", 1e-10)), "slow rules last"
    assert choose("mish", variances=(1, 2), error=1e-6, code=True).method == "tabulated"
    with pytest.raises(Undecided, match=r"no method proves an error of 1e-12") as caught:
        choose("mish", variances=(1, 2), error=1e-12, code=True)
    lines = caught.value.text.splitlines()[1:-1]  # a method each, without what it would cost
    assert len(lines) == 5 and "entry" not in str(lines) and "quadrature reaches 1e-09" in lines[4]


def test_nothing_long_starts_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def rule(name: str, seconds: float) -> Any:
        return rules_module.Rule(name, "ns", lambda *_: RangeStub(name), seconds=lambda *_: seconds)

    for name, seconds in (("tabulated", 400.0), ("series", 300.0), ("quadrature", 1.0)):
        monkeypatch.setitem(rules_module.RULES, name, rule(name, seconds))
    found = choose("mish", variances=(1, 2), code=True)
    assert found.method == "quadrature" and "about 400 s to build" in " ".join(found.lines)
    assert choose("mish", variances=(1, 2), method="tabulated", code=True).dual.name == "tabulated"
    monkeypatch.setitem(rules_module.RULES, "quadrature", rule("quadrature", 200.0))
    with pytest.raises(Undecided, match=r"within 150 s") as caught:
        choose("mish", variances=(1, 2), code=True)
    assert "'quadrature' with error=1e-10 builds for about 200 s" in caught.value.hint


def test_a_range_keeps_its_mixture_unless_the_table_is_there() -> None:
    class Shelf:
        def __init__(self, there: bool) -> None:
            self.there = there

        def __call__(self, rule: Any, *_: Any) -> Any:
            assert self.there, "nothing is built"
            return RangeStub(rule.name)

        def known(self, *_: Any) -> bool:
            return self.there

    found = choose("tanh", variances=(1, 2), code=True, build=Shelf(False))
    assert found.method == "mixture"
    assert "not built for a range where a mixture serves" in " ".join(found.lines)
    assert choose("tanh", variances=(1, 2), code=True, build=Shelf(True)).method == "tabulated"


class RangeStub:
    """Stands for the dual of a rule."""

    def __init__(self, name: str) -> None:
        self.name = name

    def lines(self) -> tuple[str, ...]:
        return (self.name,)


# -- symbolic: expectations stand for themselves ---------------------------------------------------


def test_expectations_are_functions() -> None:
    d = choose("mish").dual
    assert d.value.diff(q12) == d.dot == d.dot_ae and d.continuous
    assert "E[s(u)*s(v) | s(x) = x*tanh(log(exp(x) + 1))](q11, q12, q22)" == str(d.value)
    assert r"\mathbb{E}\left[\sigma(u)\,\sigma(v)\right]" in latex(d.value)
    z, w = np.polynomial.hermite_e.hermegauss(80)
    u, v = z[:, None], z[:, None] / 2 + z[None, :] * np.sqrt(3) / 2
    values = [t * np.tanh(np.log1p(np.exp(t))) for t in (u, v)]
    expected = (values[0] * values[1] * w[:, None] * w).sum() / (2 * np.pi)
    assert float(d.enclose(1, Fraction(1, 2), 1, digits=20).mid) == pytest.approx(expected)
    jump = choose("heaviside(x)*(1+tanh(x)^2/2)*exp(-x^4)").dual
    assert not jump.continuous and jump.dot != jump.dot_ae and str(jump.diag_dot) == "oo"
    assert jump.value.diff(q12) == jump.dot
    assert choose("heaviside(x)*atan(x)").dual.continuous
    named = choose("tanh(log(1+exp(b*x)))").dual
    assert named.value.subs(Symbol("b", real=True), 1) == best_dual("tanh(log(1+exp(x)))").value
