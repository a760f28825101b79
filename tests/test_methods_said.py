"""The choice of a method as the commands say it, and as compiled code takes it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ntksym
from ntksym.backends.units import unit_of
from ntksym.cli import catalogue, derive, export, network
from ntksym.cli.outcome import View
from ntksym.errors import BadActivation, BadSpec, NoClosedForm
from ntksym.export.files import generate
from ntksym.numeric.choose import choose
from ntksym.runtime.units.network import compile_any, needs_numeric
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
        "measure": False,
        "only": None,
        "out": str(folder),
    }
    return run(export, spec=spec, target=target, **{**given, **options})


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
    with pytest.raises(NoClosedForm, match="no factor of the logistic family"):
        generate("erf", "c", method="mixture")


def test_the_catalogue_says_what_auto_takes() -> None:
    asked = {"word": "mish", "functions": False}
    (entry,) = catalogue.work(asked, View()).payload["activations"]
    assert (entry["status"], entry["method"]) == ("certified table", "tabulated")
    (entry,) = catalogue.work(asked | {"word": "logsigmoid"}, View()).payload["activations"]
    assert entry["status"] == "normal mixture" and entry["reason"].startswith("no closed form")


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


@pytest.mark.parametrize(
    ("spec", "target", "methods"),
    [
        ("mlp:atan(x):depth=2", "jax", ["tabulated", "tabulated"]),
        ("atan(x)", "torch", ["tabulated"]),
        ("mlp:[atan(x),relu]", "package", ["tabulated", "exact"]),
        ("mlp:relu:depth=2", "torch", []),
    ],
)
def test_arrays_and_packages_say_why_too(spec: str, target: str, methods: list[str]) -> None:
    made = generate(spec, target, variances=1 if methods else None, error=1e-6)
    assert [choice.method for choice in made.choices] == methods


def test_a_collapsed_network_says_what_is_proven_of_it(tmp_path: Path) -> None:
    found = exported(tmp_path, "mlp:relu:depth=3,weight_var=2", why=True, collapse=True)
    assert "3 layers as one polynomial of the angle" in text(found)
    assert "proven" in text(found) and "closed form" not in text(found)


def test_heads_of_closed_forms_among_units_say_what_is_not_measured() -> None:
    """`--error` takes a closed form that is cheaper than a table: the head promises bounds below."""
    unit = unit_of(ntksym.dual("abs(x - 1)"), {})
    assert unit.notes == ("K[Abs(x - 1)]: closed form; its rounding is not measured",)
