"""The command line: schemas, exit statuses, the text of errors, and what goes to which stream."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest
import sympy
from cli_cases import data

from ntksym.cli.app import COMMANDS


def read(text: str) -> sympy.Expr:
    """Text as plain SymPy reads it, with `Phi2` as an unknown function."""
    return sympy.sympify(text, locals={"Phi2": sympy.Function("Phi2")})


def test_colour_only_where_it_is_asked_for(call: Any) -> None:
    def coloured(*options: str, **env: str) -> bool:
        return "\x1b[" in call("prove", "x", *options, env=env, color=True).output

    assert coloured("--color", "always") and coloured(FORCE_COLOR="1")
    assert not coloured() and not coloured(FORCE_COLOR="1", NO_COLOR="1")


# -- derive ------------------------------------------------------------------------------------------

DERIVE_KEYS = {
    "schema",
    "activation",
    "method",
    "nngp",
    "derivative",
    "diagonal",
    "diagonal_derivative",
    "conditions",
    "steps",
    "derivative_almost_everywhere",
    "convention",
}


@pytest.mark.parametrize("text", ["max(x, 0)", "gelu", "elu", "max(x - b, 0)", "sin(x)", "x**3"])
def test_derive_schema_is_sympy_text(call: Any, text: str) -> None:
    result = call("derive", text, "--json")
    assert result.exit_code == 0
    found = data(result)
    assert found["schema"] == "ntksym/derive/1"
    assert DERIVE_KEYS <= set(found)
    assert found["method"] == "closed form"
    names = {"q11", "q12", "q22", *found["parameters"]}
    for key in ("nngp", "derivative", "derivative_almost_everywhere"):
        assert {s.name for s in read(found[key]).free_symbols} <= names
        assert "Phi(" not in found[key]
    for key in ("diagonal", "diagonal_derivative"):
        assert {s.name for s in read(found[key]).free_symbols} <= {"q11", *found["parameters"]}
    assert found["steps"][0]["rule"] == "decompose"


def test_derive_values(call: Any) -> None:
    found = data(call("derive", "max(x, 0)", "--json"))
    at = {"q11": 1, "q12": sympy.Rational(1, 2), "q22": 1}
    rho = sympy.Rational(1, 2)
    want = (sympy.sqrt(1 - rho**2) + rho * (sympy.pi - sympy.acos(rho))) / (2 * sympy.pi)
    assert abs((read(found["nngp"]).subs(at) - want).evalf(30)) < 1e-25
    assert read(found["diagonal"]) == sympy.Symbol("q11") / 2


def test_derive_jump(call: Any) -> None:
    found = data(call("derive", "sign(x)", "--json"))
    assert found["diagonal_derivative"] == "oo"
    assert found["derivative_almost_everywhere"] == "0"
    assert found["derivative"] != "0"


def test_derive_mean(call: Any) -> None:
    found = data(call("derive", "heaviside(x)", "--mean", "--json"))
    assert {s.name for s in read(found["nngp"]).free_symbols} >= {"m1", "m2"}
    assert found["convention"]["means"] == ["m1", "m2"]


def test_derive_parameters(call: Any) -> None:
    found = data(call("derive", "max(x, alpha*x)", "--param", "alpha=positive", "--json"))
    assert found["parameters"] == {"alpha": "positive"}
    found = data(call("derive", "max(x, alpha*x)", "--param", "alpha=0.1", "--json"))
    assert found["parameters"] == {}


def test_derive_gradients(call: Any) -> None:
    """As differences of the formulas that are printed beside them."""
    found = data(call("derive", "x*heaviside(x) + exp(-a*x**2)", "--gradients", "--json",
                      "--param", "a=positive"))  # fmt: skip
    step = sympy.Rational(1, 10**12)
    at = {"q11": sympy.Rational(6, 5), "q12": sympy.Rational(2, 5), "q22": 2, "a": 1}
    for of, group in (("", "gradients"), ("diagonal", "diagonal_gradients")):
        for key in ("nngp", "derivative"):
            formula = read(
                found["_".join(filter(None, (of, key))).replace("diagonal_nngp", "diagonal")]
            )
            for name, slopes in found[group].items():
                ends = [formula.subs(at | {name: at[name] + s * step}) for s in (1, -1)]
                want = ((ends[0] - ends[1]) / (2 * step)).evalf(30)
                assert abs(want - read(slopes[key]).subs(at).evalf(30)) < 1e-15, (of, key, name)
    assert set(found["gradients"]) == {"q11", "q12", "q22", "a"}


def test_derive_gradients_of_what_jumps_or_is_infinite(call: Any) -> None:
    found = data(call("derive", "sign(x)", "--gradients", "--json"))["gradients"]
    assert found["q12"]["nngp"] == "2/(pi*sqrt(q11*q22 - q12**2))"
    assert found["q12"]["derivative_almost_everywhere"] == "0" and "derivative" not in found["q12"]
    said = call("derive", "log(abs(x))", "--gradients").stdout
    assert "d/dq11 E[s(u)s(v)] = " in said and "d/dq11 E[s'(u)s'(v)]" not in said
    said = call("derive", "abs(x)^p", "--param", "p=positive", "--gradients").stdout
    assert "in p: no closed form" in said
    latex = call("derive", "relu", "--gradients", "--latex").stdout
    assert r"\partial_{q_{11}}\mathbb{E}[\sigma(u)\,\sigma(v)] &= " in latex
    refused = call("derive", "tanh", "--gradients")
    assert refused.exit_code == 3 and "no closed form to differentiate" in refused.stderr


def test_derive_conditions(call: Any) -> None:
    found = data(call("derive", "exp(b*x**2)", "--json"))
    assert found["conditions"]
    assert all("b" in c and ">" in c for c in found["conditions"])


def test_derive_says_what_a_condition_is_for(call: Any) -> None:
    said = call("derive", "abs(x)^p").stdout
    assert "valid for: p > -1/2\n" in said and "E[s'(u)²] finite for: p > 1/2\n" in said
    said = call("derive", "abs(x)^p", "--param", "p=positive", "--latex").stdout
    assert "% valid for: all variances\n" in said and "finite for: p > 1/2\n" in said
    said = call("derive", "max(x, 0)^p").stdout
    assert "0 to a negative power is infinite; --param p=positive, or a number" in said


def test_derive_reads_standard_input(call: Any) -> None:
    assert data(call("derive", "-", "--json", input="max(x, 0)\n"))["diagonal"] == "q11/2"


def test_a_formula_may_start_with_a_minus(call: Any) -> None:
    assert data(call("derive", "-x", "--json"))["nngp"] == "q12"
    assert data(call("derive", "-max(x, 0)", "--json"))["diagonal"] == "q11/2"


def test_derive_text_and_latex(call: Any) -> None:
    text = call("derive", "max(x, 0)").stdout
    assert "E[s(u)s(v)] = " in text
    assert "valid for: all variances" in text
    assert "\x1b" not in text
    latex = call("derive", "max(x, 0)", "--latex").stdout
    assert latex.startswith(r"\begin{aligned}")
    assert r"\mathbb{E}[\sigma(u)\,\sigma(v)] &= " in latex
    assert "1. decompose" in call("derive", "max(x, 0)", "--steps").stdout


# -- eval --------------------------------------------------------------------------------------------


def test_eval_schema(call: Any) -> None:
    result = call("eval", "max(x, 0)", "--at", "1,0.5,1", "--digits", "25", "--json")
    assert result.exit_code == 0
    found = data(result)
    assert found["schema"] == "ntksym/eval/1"
    assert found["at"] == {"q11": "1", "q12": "1/2", "q22": "1"}
    assert found["agree"] is True
    want = (sympy.sqrt(3) / 2 + sympy.pi / 3) / (2 * sympy.pi)
    for side in ("definition", "derived"):
        ball = found["nngp"][side]
        error = abs(sympy.Rational(ball["mid"]) - want).evalf(40)
        assert error <= sympy.Rational(ball["radius"]) <= sympy.Rational(1, 10**25)
    assert abs(sympy.Rational(found["derivative"]["derived"]["mid"]) - sympy.Rational(1, 3)) < 1e-24
    assert "diagonal" not in found


def test_eval_diagonal(call: Any) -> None:
    found = data(call("eval", "max(x, 0)", "--at", "2,2,2", "--digits", "10", "--json"))
    assert found["diagonal"]["agree"] is True
    assert found["diagonal"]["derived"]["mid"] == "1"


def test_eval_without_a_closed_form(call: Any) -> None:
    result = call("eval", "tanh(x)", "--at", "1,1/2,1", "--digits", "12", "--json")
    assert result.exit_code == 0
    found = data(result)
    assert found["method"] == "definition only"
    assert found["nngp"]["derived"] is None
    assert found["agree"] is None
    assert found["nngp"]["definition"]["mid"].startswith("0.18632441320")


def test_eval_negative_numbers_and_parameters(call: Any) -> None:
    args = ("eval", "max(x, a*x)", "--at", "1,-1/2,1", "--param", "a=-1/2", "--digits", "12")
    found = data(call(*args, "--json"))
    assert found["agree"] is True
    assert "agree" in call(*args).stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("eval", "relu", "--at", "1,2,1"), "is not a covariance"),
        (("eval", "relu", "--at", "1,2"), "is not three numbers"),
        (("eval", "relu", "--at", "1,nan,1"), "--at '1,nan,1'"),
        (("eval", "a*x", "--at", "1,0,1"), "the parameter 'a' needs a value"),
        (("eval", "x", "--at", "1,0,1", "--param", "b=1"), "has no parameter 'b'"),
        (("eval", "elu", "--at", "1,0,1", "--param", "alpha=-1"), "needs alpha positive"),
        (("eval", "exp(x**2)", "--at", "1,0,1"), "not finite at this variance"),
        (("derive", "sofplus(x)"), "did you mean softplus?"),
        (("derive", "max(x, 0"), "column"),
        (("derive", "a*x", "--param", "a=red"), "neither a number nor an assumption"),
        (("derive", "a*x", "--param", "a"), "is not NAME=VALUE"),
        (("derive", "a*x", "--param", "a=1", "--param", "a=2"), "given twice"),
        (("network", "mlp:relu:dept=2"), "did you mean depth?"),
        (("network", "missing.toml"), "cannot read the network file"),
        (("cite", "rleu"), "did you mean relu?"),
        (("derivee", "x"), "did you mean derive?"),
        (("derive",), "Missing argument 'EXPR'"),
        (("derive", "x", "--jsom"), "No such option '--jsom'"),
        (("export", "relu", "--target", "fortran", "--out", "o"), "'fortran' is not one of"),
        (("eval", "relu", "--at", "1,0,1", "--digits", "0"), "'--digits'"),
    ],
)
def test_bad_input_exits_with_two(call: Any, args: tuple[str, ...], message: str) -> None:
    result = call(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    as_json = call(*args, "--json")
    assert as_json.exit_code == 2
    found = data(as_json)
    assert found["schema"] == "ntksym/error/1"
    assert set(found["error"]) == {"code", "kind", "what", "where", "tried", "hint"}


def test_no_closed_form_exits_with_three(call: Any) -> None:
    result = call("derive", "mish(x)", "--method", "exact")
    assert result.exit_code == 3
    assert "tanh" in result.stderr
    assert "  use:   " in result.stderr


# -- the other commands ------------------------------------------------------------------------------


def test_prove(call: Any) -> None:
    result = call("prove", "max(x, 0)", "--digits", "12", "--json")
    assert result.exit_code == 0
    found = data(result)
    assert found["schema"] == "ntksym/prove/1"
    assert found["verdict"] == "proved"
    assert len(found["points"]) >= 10
    assert all(p["agree"] for p in found["points"])


def test_a_refuted_form_exits_with_one(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    import ntksym.verify.prove  # noqa: F401

    prove_module = sys.modules["ntksym.verify.prove"]
    right = prove_module.dual
    wrong = lambda act: replace(right(act), value=right(act).value * 2)  # noqa: E731
    monkeypatch.setattr(prove_module, "dual", wrong)
    result = call("prove", "max(x, 0)", "--digits", "10", "--json")
    assert data(result)["verdict"] == "refuted"
    assert result.exit_code == 1


def test_network(call: Any, tmp_path: Any) -> None:
    found = data(call("network", "mlp:relu:depth=2,weight_var=2", "--unroll", "1", "--json"))
    assert found["schema"] == "ntksym/network/1"
    assert found["depth"] == len(found["layers"]) == 2
    assert found["layers"][0]["values"] == {"weight_var": "2", "bias_var": "0"}
    assert found["convention"]["parametrization"] == "ntk"
    assert len(found["unrolled"]) == 2
    assert read(found["unrolled"][0]["nngp"]) == 2 * sympy.Symbol("q12") / sympy.Symbol("d")
    text = call("network", "mlp:relu:depth=2,weight_var=2", "--unroll", "2").stdout
    rules, unrolled = text.split("unrolled")
    assert "layers 1 to 2" in rules and "Θ3 = " in unrolled and "\nwhere\n" in unrolled
    assert "inner products divided by the input dimension d" in text
    assert r"\Theta^{(\ell+1)}_{12}" in call("network", "mlp:relu:depth=2", "--latex").stdout


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_export(call: Any, tmp_path: Any, target: str) -> None:
    args = ("export", "mlp:relu:depth=2,weight_var=2", "--target", target, "--out", str(tmp_path))
    planned = data(call(*args, "--dry-run", "--json"))
    assert not list(tmp_path.iterdir())
    found = data(call(*args, "--json"))
    assert found["schema"] == "ntksym/export/1"
    assert [f["path"] for f in found["files"]] == [f["path"] for f in planned["files"]]
    assert {f["path"] for f in found["files"]} == {str(p) for p in tmp_path.iterdir()}
    last = tmp_path / os.path.basename(found["files"][-1]["path"])
    last.write_text("mine")
    states = [f["state"] for f in data(call(*args, "--dry-run", "--json"))["files"]]
    assert states[-1] == "differs: needs --force"
    again = call(*args)
    assert again.exit_code == 2
    assert "exists and differs" in again.stderr
    assert last.read_text() == "mine"
    assert call(*args, "--force").exit_code == 0
    assert last.read_text() != "mine"


def test_catalogue(call: Any) -> None:
    found = data(call("catalogue", "relu", "--json"))
    assert found["schema"] == "ntksym/catalogue/1"
    assert "relu" in [a["name"] for a in found["activations"]]
    assert all(a["closed_form"] for a in found["activations"])
    # the word is in the titles of sinh and cosh too
    listed = data(call("catalogue", "hyperbolic", "--json"))["activations"]
    (entry,) = [a for a in listed if a["name"] == "tanh"]
    assert len(listed) > 1
    assert entry["status"] == "normal mixture"
    assert "tanh" in entry["reason"]
    (mish,) = data(call("catalogue", "mish", "--json"))["activations"]
    assert mish["status"] == "certified table"


def test_long_numbers_of_the_catalogue_are_cut(call: Any) -> None:
    shown = call("catalogue", "self-normalising").stdout
    assert "1.050700987...*Piecewise((x, x > 0), (1.673263242...*exp(x) - 1.67326" in shown
    (exact,) = data(call("catalogue", "self-normalising", "--json"))["activations"]
    assert "5253504936777402467096674926473" in exact["expression"]


def test_catalogue_of_functions(call: Any) -> None:
    found = data(call("catalogue", "--functions", "--json"))
    assert found["schema"] == "ntksym/functions/1"
    listed = {e["name"]: e for e in found["functions"]}
    assert {"max", "erf", "Phi", "piecewise", "gelu", "Phi2"} <= set(listed)
    assert listed["Phi"]["kind"] == "function" and listed["Phi2"]["kind"] == "formula"
    assert listed["gelu"]["kind"] == "activation" and "GELU" in listed["gelu"]["aliases"]
    assert "1/cosh(z)" in call("catalogue", "--functions", "sech").stdout
    assert "no function has 'zzz' in its name" in call("catalogue", "--functions", "zzz").stdout
    assert "no activation has 'zzz' in its name" in call("catalogue", "zzz").stdout


def test_mixtures_are_text_or_latex(call: Any) -> None:
    """Each dual as a sum of named parts; no LaTeX in text, no text in LaTeX."""
    shown = call("derive", "x*sigmoid(x) + tanh(2*x)").stdout
    assert "\\" not in shown
    shown = shown.replace("≈", "~")
    assert "E[s(u)s(v)] ~ K0 + sum over k of w_k*K1 + sum over i, k of w_i*w_k*K2" in shown
    for name in ("K0", "K1", "K2", "D0", "D1", "D2"):
        assert any(line.startswith(f"{name} = ") for line in shown.splitlines())
    lines = call("derive", "tanh(x)", "--latex").stdout.splitlines()
    end = lines.index(r"\end{aligned}")
    assert lines[0] == r"\begin{aligned}" and all(x.endswith(r"\\") for x in lines[1:end])
    assert all(line.startswith("%") for line in lines[end + 1 :]) and len(lines) > end + 19


def test_cite_and_doctor(call: Any) -> None:
    found = data(call("cite", "relu", "--json"))
    assert "cho2009kernel" in [r["key"] for r in found["references"]]
    assert call("cite", "cho2009kernel").stdout.startswith("@inproceedings{cho2009kernel")
    result = call("doctor", "--json")
    assert result.exit_code in (0, 5)
    found = data(result)
    assert found["versions"]["sympy"] == sympy.__version__
    assert (found["compiler"] is None) == (result.exit_code == 5)


def test_no_compiler_is_status_five(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    result = call("doctor", "--json")
    assert result.exit_code == 5
    assert data(result)["compiler"] is None


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_examples_first(call: Any, name: str) -> None:
    text = call(name, "--help").stdout
    assert text.startswith("Examples:")
    assert f"ntksym {name}" in text.split("Usage:")[0]
    assert "--json" in text


def test_short_help_without_arguments(call: Any) -> None:
    result = call()
    assert result.exit_code == 0
    assert "Exit status:" in result.stdout
    assert all(name in result.stdout for name in COMMANDS)
