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

import ntksym
from ntksym.backends.c.backend import Contract
from ntksym.backends.numpy import unit_network as numpy_unit_network
from ntksym.backends.units import unit_of
from ntksym.cli import catalogue, derive, export, network
from ntksym.cli.outcome import View
from ntksym.dual import Dual
from ntksym.errors import BadActivation, BadSpec, NoClosedForm, NotSquareIntegrable, Undecided
from ntksym.export.files import generate
from ntksym.numeric import ExpectedDual, MixtureDual, best_dual, choose, read_variances
from ntksym.numeric import rules as rules_module
from ntksym.runtime.engines import load_module
from ntksym.runtime.numeric_network import compile_any, needs_numeric
from ntksym.symbols import q12
from ntksym.verify.balls import enclose_definition

AUTO: dict[str, Any] = {"method": "auto", "error": None, "variance": None, "why": False}


def run(command: Any, **options: Any) -> Any:
    return command.work({**AUTO, **options}, View(unicode=False))


def text(outcome: Any) -> str:
    return "\n".join(line for _, line in outcome.lines)


def derived(expression: str, **options: Any) -> Any:
    given = {
        "params": {},
        "mean": False,
        "gradients": False,
        "steps": False,
        "latex": False,
        "full": False,
    }
    return run(derive, expression=expression, **{**given, **options})


def exported(folder: Any, spec: str, target: str = "c", **options: Any) -> Any:
    given = {
        "params": {},
        "shelf": None,
        "check": False,
        "force": False,
        "dry_run": False,
        "collapse": None,
        "out": str(folder),
    }
    return run(export, spec=spec, target=target, **{**given, **options})


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


def test_a_network_of_expectations() -> None:
    rec = ntksym.recurse(ntksym.mlp("mish", depth=2, weight_var=2, bias_var="1/10"))
    assert rec.sigma[1] == 2 * choose("mish").dual.value + ntksym.parse("1/10")
    given = {"spec": "mlp:mish:depth=2", "latex": False, "full": False, "unroll": 1, "why": True}
    outcome = network.work(given, View(unicode=False))
    shown = text(outcome)
    assert "Sigma' = E[s(u)*s(v)](q11, q12, q22)" in shown
    assert "exact: no closed form: the factor tanh(log(exp(x) + 1))" in shown
    assert outcome.payload["choices"][0]["method"] == "tabulated"
    assert (
        "E[s(u)*s(v) | s(x) = x*tanh(log(exp(x) + 1))](q11/d"
        in outcome.payload["unrolled"][1]["nngp"]
    )


# -- the command line ------------------------------------------------------------------------------


def test_derive_without_a_closed_form() -> None:
    outcome = derived("mish", why=True)
    shown = text(outcome)
    assert "K(q11, q12, q22)    = E[s(u)*s(v)]" in shown
    assert "method: tabulated" in shown and "--variance LO:HI" in shown
    assert outcome.payload["choice"]["candidates"][0]["method"] == "exact"
    assert outcome.payload["schema"] == "ntksym/derive/1"
    assert r"\mathbb{E}" in text(derived("mish", latex=True))
    assert "method: closed form" in text(derived("gelu"))


def test_derive_builds_and_says_what_is_proven() -> None:
    outcome = derived("mish", method="tabulated", variance="1", error=1e-6)
    assert "proven, rounding counted: relative error <= " in text(outcome)
    assert "for variance 1 and all correlations" in outcome.payload["bound"][0]


def test_derive_a_series() -> None:
    closed = derived("gelu", method="series")
    assert "Sum(" in closed.payload["nngp"] and "exact: a sum without end" in text(closed)
    finite = derived("mish", method="series", error=1e-6)
    assert "proven error <=" in text(finite) and finite.payload["terms"] > 10


def test_export_says_which_option_is_missing(tmp_path: Any) -> None:
    for spec in ("mish", "mlp:mish:depth=2", "mlp:tanh(log(1+exp(x))):depth=1"):
        with pytest.raises(BadSpec, match="needs the variances it is for") as caught:
            exported(tmp_path, spec)
        assert "--variance LO:HI" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_export_of_a_table(tmp_path: Any) -> None:
    outcome = exported(tmp_path, "mish", variance="1", error=1e-6, why=True, method="tabulated")
    source = (tmp_path / "mish.c").read_text()
    assert "--method tabulated --error 1e-06 --variance 1" in source
    assert "Proven bounds" in source.split("*/")[0] and "void ntksym_mish_diag(" in source
    assert "why: s(x) =" in text(outcome)
    (choice,) = outcome.payload["choices"]
    assert choice["method"] == "tabulated" and choice["variances"] == ["1", "1"]
    planned = exported(tmp_path, "mish", "numpy", variance="1", error=1e-6, dry_run=True)
    assert planned.payload["files"][0]["state"] == "new" and not (tmp_path / "mish.py").exists()


def test_parameters_of_an_exported_activation(tmp_path: Any) -> None:
    with pytest.raises(BadSpec, match="'beta' has no value"):
        exported(tmp_path, "sin(beta*x)", variance="1", method="tabulated")
    exported(tmp_path, "sin(beta*x)", params={"beta": "1/2"})
    source = (tmp_path / "sin_beta_x.c").read_text()
    assert "--param beta=1/2" in source and "double beta" not in source
    with pytest.raises(BadSpec, match="part of its text"):
        exported(tmp_path, "mlp:relu", params={"beta": "2"})


def test_what_is_exact_may_be_forced_into_a_table() -> None:
    made = generate("erf", "c", method="tabulated", variances=1, error=1e-6)
    assert made.choices[0].method == "tabulated" and "Table of the dual" in made.files[1].text
    plain = generate("erf", "c")
    assert plain.choices == () and "Table" not in plain.files[1].text
    with pytest.raises(NoClosedForm, match="not in the logistic family"):
        generate("erf", "c", method="mixture")


def test_the_catalogue_says_what_auto_takes() -> None:
    asked = {"word": "mish", "functions": False}
    (entry,) = catalogue.work(asked, View()).payload["activations"]
    assert (entry["status"], entry["method"]) == ("certified table", "tabulated")
    (entry,) = catalogue.work(asked | {"word": "logsigmoid"}, View()).payload["activations"]
    assert entry["status"] == "normal mixture" and entry["reason"].startswith("no closed form")


# -- compile ---------------------------------------------------------------------------------------


def test_compile_from_the_text_of_a_network() -> None:
    assert needs_numeric("mlp:mish:depth=2") and needs_numeric("mish") and not needs_numeric("relu")
    k = ntksym.compile("mlp:relu:depth=1,weight_var=2")
    x = np.eye(3)
    assert k(x).nngp == pytest.approx(ntksym.compile(ntksym.mlp("relu", 1, weight_var=2))(x).nngp)


def test_a_compiled_network_follows_enclosures() -> None:
    """mish, two layers, normalised data: the recursion with balls against the kernel."""
    k = compile_any("mlp:mish:depth=2,weight_var=2", "c", "float64", True, 1, error=1e-7)
    rng = np.random.default_rng(4)
    x = rng.normal(size=(2, 8))
    x /= np.sqrt((x * x).mean(axis=1, keepdims=True))
    found = k(x)
    assert (found.ntk == found.ntk.T).all()
    act = ntksym.named("mish")

    def dual(q: float, c: float, slope: bool) -> float:
        exact = (Fraction(q), Fraction(c), Fraction(q))
        return float(enclose_definition(act, *exact, derivative=slope, digits=10, floor=12).mid)

    q, c = 2.0, 2 * float(x[0] @ x[1]) / 8
    theta = c
    for _ in range(2):
        dot = dual(q, c, True)
        q, c = 2 * dual(q, q, False), 2 * dual(q, c, False)
        theta = c + 2 * dot * theta
    assert found.nngp[0, 1] == pytest.approx(c, abs=4e-7)
    assert found.ntk[0, 1] == pytest.approx(theta, abs=2e-6)
    assert k.diag(x).nngp == pytest.approx([q, q], rel=4e-7)


def test_a_callable_is_sampled_and_says_so() -> None:
    d = compile_any(np.tanh, "c", "float64", True, 1)
    assert repr(d) == "<CompiledDual tanh (sampled, not proven): target=python>"
    exact = ntksym.dual("erf")
    assert exact.method == "closed form"
    ball = enclose_definition(ntksym.named("tanh"), 1, Fraction(1, 2), 1, digits=12)
    assert float(d(1.0, 0.5, 1.0).nngp) == pytest.approx(float(ball.mid), rel=1e-7)
    found = choose(np.tanh)
    assert found.method == "sampled" and "not proven" in " ".join(found.lines)
    assert needs_numeric(np.tanh)
    with pytest.raises(BadSpec, match="has no expression"):
        choose(np.tanh, method="tabulated", variances=1)
    with pytest.raises(BadActivation):
        choose(lambda t: t + 1j)
