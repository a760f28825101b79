"""Claims from TOML, definitions, and what a statement holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sympy import Integer, Rational, sqrt

from ntksym import Verdict, check
from ntksym.claims import Claim
from ntksym.claims.expectation import Gaussians, expectations, z
from ntksym.claims.read import BadClaim, read_claims
from ntksym.claims.statement import formulas_of, state
from ntksym.errors import BadActivation, BadSpec, UnknownName
from ntksym.symbols import q11, q12, q22, u, v, x


def test_a_file_of_claims(tmp_path: Path) -> None:
    file = tmp_path / "claims.toml"
    file.write_text(
        """
[[claim]]
id = "one"
activation = "relu"
quantity = "diagonal"
formula = "q/2"
params = { a = "positive" }

[[claim]]
quantity = "ntk"
activation = "relu"
depth = 2
weight_var = 2
formula = { a = "1", b = "2" }

[[claim]]
id = "three"
quantty = "nngp"

[[claim]]
id = "one"
formula = "1"
""",
        encoding="utf-8",
    )
    one, two, three, four = read_claims(file)
    assert isinstance(one, Claim) and one.id == "one" and one.params == {"a": "positive"}
    assert isinstance(two, Claim) and two.id == "claim-2"
    assert two.network == "mlp:relu:depth=2,weight_var=2" and two.formula == {"a": "1", "b": "2"}
    assert isinstance(three, BadClaim) and "did you mean quantity?" in three.error.text
    assert isinstance(four, BadClaim) and "two claims have the id 'one'" in four.error.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[claim]\n", "not a TOML file"),
        ("a = 1", "outside of a claim"),
        ("", "there is no claim"),
        ("claim = 3", "there is no claim"),
        ("claim = " + "[" * 3000, "not a TOML file"),
        ("[[claim]]\nx = '" + "a" * 65_000_000 + "'", "more than"),
    ],
    ids=["torn", "outside", "empty", "number", "deep", "megabytes"],
)
def test_files_that_are_none(text: str, message: str) -> None:
    with pytest.raises(BadSpec, match=message):
        read_claims(text)


def test_an_apostrophe_in_a_literal_text_says_how_to_quote_it() -> None:
    with pytest.raises(BadSpec) as caught:
        read_claims("[[claim]]\nlatex = 'K(x, x')'")
    assert caught.value.hint.endswith("'''...''' around LaTeX with an apostrophe")
    assert "line 2" in caught.value.where


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("n = 1.5", "n = '1.5'"),
        ("n = true", "n = 'True'"),
        ("formula = [1]", "formula is text"),
        ("formula = true", "formula is text"),
        ("params = 3", "params is a table"),
        ("covariance = 3", "covariance is a table"),
        ("depth = 3", "is for the quantities ntk and recursion"),
        ("formula = '" + "c" * 30_000 + "'", "30000 characters"),
    ],
    ids=lambda t: t[:20],
)
def test_values_of_the_wrong_kind(table: str, message: str) -> None:
    (bad,) = read_claims("[[claim]]\n" + table)
    assert isinstance(bad, BadClaim) and message in bad.error.text


@pytest.mark.parametrize(
    "given", ['activation = "relu"\ndepth = 1\nbias_var = "sb2"', 'network = "mlp:relu:bias_var=b"']
)
def test_a_name_for_a_variance_is_told_to_be_left_out(given: str) -> None:
    (claim,) = read_claims(f'[[claim]]\nquantity = "ntk"\nformula = "sb2"\n{given}')
    assert isinstance(claim, Claim)
    with pytest.raises(BadSpec, match=r"bias_var = s?b2?: a number") as caught:
        state(claim)
    assert "no bias_var, and bias_var or sb2 in the formula" in caught.value.text


def test_decimals_in_toml_stay_decimals() -> None:
    (claim,) = read_claims("[[claim]]\ntolerance = 0.1\nformula = 0.10000000000000001")
    assert isinstance(claim, Claim) and claim.tolerance == "0.1"
    assert claim.formula == "0.10000000000000001"


def test_a_statement_holds_its_law() -> None:
    (s,) = state(Claim(quantity="nngp", activation="relu", formula="c", where="q1 = q2 = 1"))
    ((_, e),) = s.expectations
    assert e.law == (0, 0, 1, q12, 1) and s.variables == (q12,)
    (unit,) = state(Claim(quantity="normalised", activation="relu", formula="theta"))
    assert [str(n) for n in unit.variables] == ["rho"]


def test_more_variables_are_integrated_out() -> None:
    """E[z1^2 z2^2 z3^2 z4^2]-like reductions against Isserlis' theorem."""
    from sympy import symbols as make

    a, b, c = make("a b c", real=True)
    law = Gaussians(
        {a: Integer(0), b: Integer(0), c: Integer(0)},
        {
            (a, a): Integer(2), (a, b): Rational(1, 2), (a, c): Rational(1, 3),
            (b, b): Integer(1), (b, c): Rational(-1, 4), (c, c): Integer(3),
        },
    )  # fmt: skip
    total = 0
    for coefficient, es in expectations(a * b * c**2, law):
        product = coefficient
        for e in es:
            product *= _moment(e)
        total += product
    # E[ab]E[cc] + 2 E[ac]E[bc]
    assert total == Rational(3, 2) + 2 * Rational(1, 3) * Rational(-1, 4)


def _moment(e: Any) -> Any:
    from sympy import Poly

    if e.g is None:
        p, q = Poly(e.f, x), e.law[1]
        return sum(c * q ** (n // 2) * _odd(n) for (n,), c in p.terms())
    q1, r, q2 = e.law[2:]
    out = 0
    for (n,), c in Poly(e.f, x).terms():
        for (k,), d in Poly(e.g, x).terms():
            out += c * d * _joint(n, k, q1, r, q2)
    return out


def _odd(n: int) -> int:
    return 0 if n % 2 else (1 if n == 0 else (n - 1) * _odd(n - 2))


def _joint(n: int, k: int, q1: Any, r: Any, q2: Any) -> Any:
    if n == 0:
        return q2 ** (k // 2) * _odd(k)
    first = (n - 1) * q1 * _joint(n - 2, k, q1, r, q2) if n > 1 else 0
    second = k * r * _joint(n - 1, k - 1, q1, r, q2) if k else 0
    return first + second


def test_products_that_do_not_separate_are_refused() -> None:
    law = Gaussians({u: Integer(0), v: Integer(0)}, {(u, u): q11, (u, v): q12, (v, v): q22})
    with pytest.raises(BadActivation, match="one variable each"):
        expectations(sqrt(u**2 + v**2), law)
    ((coefficient, es),) = expectations(3 * u**2 * z, law)
    assert coefficient == 3 and len(es) == 2


@pytest.mark.parametrize(
    ("claim", "text", "note"),
    [
        (
            Claim(quantity="normalised", activation="relu", latex=r"\kappa_1(u) = u^2 + a", params={"a": "real"}),
            "rho**2 + a",
            "u is read as rho: the argument on the left-hand side",
        ),
        (Claim(quantity="derivative", activation="relu", latex=r"\kappa_0(t) = 1 - \arccos t"), "1 - acos(rho)", "t is read as rho"),
        (Claim(quantity="diagonal", activation="relu", latex=r"$V(\lambda) = \lambda/2$"), "q/2", "lam"),
        (Claim(quantity="normalised", activation="relu", latex=r"f(\rho) = \rho"), "rho", ""),
        (Claim(quantity="nngp", activation="relu", latex=r"\xi\varphi^2", names={r"\xi": "rho", r"\varphi": "2*q11"}), "xi*name_phi**2", ""),
        (Claim(quantity="normalised", activation="relu", latex="f(x) = 2x", names={"x": "rho/2"}), "2*x", ""),
    ],
)  # fmt: skip
def test_names_of_a_latex_claim(claim: Claim, text: str, note: str) -> None:
    texts, notes = formulas_of(claim)
    assert texts == {"": text} and (not note or any(note in n for n in notes))
    assert state(claim, texts)


def test_kernels_of_layers_are_no_part_of_the_formula_of_a_network() -> None:
    claim = Claim(quantity="ntk", network="mlp:relu:depth=1", latex="K^{0}(x,x')/2")
    with pytest.raises(UnknownName, match="there is no function"):
        formulas_of(claim)


def test_names_that_are_not_bound_say_how_to_bind_them() -> None:
    with pytest.raises(UnknownName) as caught:
        state(Claim(quantity="normalised", activation="relu", formula="u/2"))
    assert caught.value.hint == (
        'params = { u = "real" } binds it, names = { u = "rho" } says what it stands for'
    )


def test_a_part_that_a_quantity_does_not_use_is_refused() -> None:
    """Ignored, it would be a condition that the verdict does not have."""
    network = "mlp:erf:depth=1,weight_var=2"
    one = Claim(quantity="fixed_point", activation="erf", network=network, formula="1")
    with pytest.raises(BadSpec, match="fixed_point has no network"):
        state(one)
    with pytest.raises(BadSpec, match="nngp has no by"):
        state(Claim(quantity="nngp", activation="erf", by="q11", formula="1"))


LAYER = (
    r"K^l(x, x') = \sigma_b^2 + \frac{\sigma_w^2}{2\pi}\sqrt{K^{l-1}(x,x)K^{l-1}(x',x')}"
    r"\left(\sin\theta^{l-1}_{x,x'} + (\pi - \theta^{l-1}_{x,x'})\cos\theta^{l-1}_{x,x'}\right),"
    r"\quad \theta^l_{x,x'} = \cos^{-1}\left(\frac{K^l(x,x')}{\sqrt{K^l(x,x)K^l(x',x')}}\right)"
)


def test_a_layer_as_a_paper_prints_it() -> None:
    """A recursion of Gaussian processes, eq. 11 of lee2018deep, right and with an error planted."""
    assert check(activation="relu", quantity="layer", latex=LAYER).verdict is Verdict.PROVED
    wrong = check(activation="relu", quantity="layer", latex=LAYER.replace(r"\sigma_b^2 + ", ""))
    assert wrong.verdict is Verdict.REFUTED
    assert "the term bias_var is missing" in wrong.diagnosis[0].text
    with pytest.raises(BadSpec, match="needs its depth") as caught:
        check(activation="relu", quantity="recursion", latex=LAYER)
    assert 'quantity = "layer"' in str(caught.value)


def test_a_misspelt_quantity_has_a_neighbour() -> None:
    with pytest.raises(BadSpec, match="did you mean diagonal"):
        state(Claim(quantity="diagnal", activation="relu", formula="q/2"))
