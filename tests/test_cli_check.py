"""`ntksym check` on the command line: exit statuses, JSON, errors per claim."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def run(call: Any) -> Any:
    """`ntksym check` in this process."""
    return lambda *args: call("check", *args)


@pytest.mark.parametrize(
    ("formula", "status", "verdict"),
    [("q/2", 0, "PROVED"), ("q/3", 1, "REFUTED"), ("q/2 + zz", 2, "")],
)
def test_one_claim_from_options(run: Any, formula: str, status: int, verdict: str) -> None:
    found = run("--activation", "relu", "--quantity", "diagonal", "--formula", formula)
    assert found.exit_code == status, found.stderr
    assert verdict in found.stdout
    if status == 1:
        assert "disjoint balls at q = 1" in found.stdout and "repaired: q/2" in found.stdout
    if status == 2:
        assert "the name 'zz' is not bound" in found.stderr


def test_a_parameter_may_be_a_number(run: Any) -> None:
    formula = "(1/2 + exp(q11/2)*Phi(-sqrt(q11)))*(1/2 + exp(q22/2)*Phi(-sqrt(q22)))"
    claim = ("--activation", "elu", "--quantity", "derivative", "--where", "q12 = 0")
    found = run(*claim, "--formula", formula, "--param", "alpha=1")
    assert found.exit_code == 0, found.stdout
    assert "where q12 = 0, alpha = 1" in found.stdout


def test_euler_gamma_is_read_back_as_it_is_printed(run: Any) -> None:
    claim = ("--activation", "log(|x|)", "--quantity", "nngp", "--where", "unit variances")
    right = run(*claim, "--formula", "asin(rho)^2/2 + (EulerGamma + log(2))^2/4")
    assert right.exit_code == 0, right.stdout
    wrong = run(*claim, "--formula", "asin(rho)^2/2 + (EulerGamma + log(2))^2/2")
    assert wrong.exit_code == 1 and "EulerGamma" in wrong.stdout


def test_what_the_formula_is_of_is_asked(run: Any) -> None:
    found = run("--activation", "relu", "--formula", "q/2")
    assert found.exit_code == 2 and not found.stdout
    assert "the claim has no quantity: what is the formula of?" in found.stderr
    assert "use:   nngp for E[s(u)s(v)], derivative for E[s'(u)s'(v)]" in found.stderr


@pytest.mark.parametrize(("formula", "said"), [
    (("--quantity", "nngp", "--formula", "q11*("), "never closed"),
    (("--quantity", "nope", "--formula", "q"), "unknown quantity 'nope'"),
    (("--quantity", "nngp"), "a claim has a formula, or latex"),
])  # fmt: skip
def test_a_claim_of_options_that_cannot_be_read_is_wrong_usage(
    run: Any, formula: tuple[str, ...], said: str
) -> None:
    found = run("--activation", "relu", *formula)
    assert found.exit_code == 2 and not found.stdout and said in found.stderr


def test_a_claim_out_of_time_or_without_a_value_was_read(run: Any) -> None:
    claim = ("--activation", "relu", "--quantity", "nngp")
    without = run(*claim, "--formula", "q12/(q11 - q11)")
    assert without.exit_code == 1 and "no value anywhere" in without.stdout


def test_json_of_a_file(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "claims.toml"
    file.write_text(
        """
[[claim]]
id = "good"
activation = "relu"
quantity = "diagonal"
latex = '\\frac{q}{2}'
[[claim]]
id = "bad"
activation = "relu"
quantity = "nngp"
formula = "rho"
[[claim]]
id = "broken"
activation = "relu"
quantity = "nope"
formula = "rho"
""",
        encoding="utf-8",
    )
    found = run(str(file), "--json", "--jobs", "1")
    assert found.exit_code == 1
    data = json.loads(found.stdout)
    assert data["schema"] == "ntksym/check/1"
    good, bad, broken = data["claims"]
    assert (good["id"], good["verdict"]) == ("good", "proved") and good["digits"] == 20
    assert bad["verdict"] == "refuted" and bad["corrected"]
    assert set(bad["counterexample"]["point"]) == {"q11", "q12", "q22"}
    for side in ("definition", "formula"):
        assert {"mid", "rad", "exact"} == set(bad["counterexample"][side])
    assert broken["verdict"] == "undecided" and "unknown quantity 'nope'" in broken["error"]


def test_the_help_names_every_quantity() -> None:
    from ntksym.claims import QUANTITIES
    from ntksym.cli.check import QUANTITIES as SHOWN

    assert SHOWN == tuple(QUANTITIES)


def test_a_formula_may_start_with_a_minus(run: Any) -> None:
    found = run("--activation", "x", "--quantity", "nngp", "--formula", "-c")
    assert found.exit_code == 1 and "sign" in found.stdout


def test_wrong_usage(run: Any) -> None:
    nothing = run()
    assert nothing.exit_code == 2 and "no claim" in nothing.stderr
    both = run("claims.toml", "--formula", "c")
    assert both.exit_code == 2 and "not both" in both.stderr
    missing = run("no-such-file.toml")
    assert missing.exit_code == 2 and "cannot read the claims" in missing.stderr
