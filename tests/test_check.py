"""Verdicts on claims: every quantity, right and wrong; how names and domains are read."""

from __future__ import annotations

from typing import Any

import pytest
from sympy import Rational

from ntksym.check import check
from ntksym.claims import Claim
from ntksym.errors import BadSpec
from ntksym.verify.report import Verdict

R = "c/sqrt(q1*q2)"
RELU = "sqrt(q1*q2)/(2*pi)*(sqrt(1 - rho**2) + (pi - acos(rho))*rho)"
COV3 = {"z1": ["A", "B", "C"], "z2": ["B", "D", "F"], "z3": ["C", "F", "G"]}
KAPPA1 = "(sqrt(1 - rho**2) + (pi - acos(rho))*rho)/pi"

# (claim, a wrong formula): the first must be proved, the second refuted
CASES: list[tuple[dict[str, Any], Any]] = [
    ({"quantity": "nngp", "activation": "relu", "formula": RELU}, RELU.replace("2*pi", "pi")),
    (
        {"quantity": "derivative", "activation": "relu", "formula": "1/2 - acos(rho)/(2*pi)"},
        "1/2 - asin(rho)/(2*pi)",
    ),
    (
        {"quantity": "derivative", "activation": "sign", "formula": "2/(pi*sqrt(q1*q2 - c**2))"},
        "0",
    ),
    (
        {
            "quantity": "derivative",
            "activation": "sign",
            "formula": "0",
            "derivative": "almost_everywhere",
        },
        "2/(pi*sqrt(q1*q2 - c**2))",
    ),
    ({"quantity": "diagonal", "activation": "relu", "formula": "q/2"}, "q"),
    (
        {"quantity": "normalised", "activation": "erf", "formula": "2/pi*asin(2*rho/3)"},
        "2/pi*asin(rho/2)",
    ),
    (
        {"quantity": "mean", "activation": "relu", "formula": "m*Phi(m/sqrt(q)) + sqrt(q)*phi(m/sqrt(q))"},
        "m*Phi(m/sqrt(q)) + phi(m/sqrt(q))",
    ),
    ({"quantity": "mean", "activation": "relu", "formula": "sqrt(q/(2*pi))"}, "sqrt(q/pi)"),
    (
        {"quantity": "second_moment", "activation": "sin", "formula": "(1 - exp(-2*q))/2"},
        "(1 - exp(-q))/2",
    ),
    (
        {
            "quantity": "variance",
            "activation": "relu",
            "formula": "(m**2 + q)*Phi(m/sqrt(q)) + m*sqrt(q)*phi(m/sqrt(q))"
            " - (m*Phi(m/sqrt(q)) + sqrt(q)*phi(m/sqrt(q)))**2",
        },
        "(m**2 + q)*Phi(m/sqrt(q)) + m*sqrt(q)*phi(m/sqrt(q))",
    ),
    (
        {
            "quantity": "covariance",
            "activation": "relu",
            "formula": "sqrt(q1*q2)*(acos(-rho)*rho + sqrt(1 - rho**2) - 1)/(2*pi)",
        },
        RELU,
    ),
    (
        {"quantity": "cross", "f": "x", "g": "sign(x)", "formula": "c*sqrt(2/(pi*q2))"},
        "c*sqrt(2/(pi*q1))",
    ),
    (
        {
            "quantity": "cross",
            "f": "heaviside(x + a)",
            "g": "heaviside(x + b)",
            "formula": "Phi2(a/sqrt(q1), b/sqrt(q2), rho)",
        },
        "Phi2(b/sqrt(q1), a/sqrt(q2), rho)",
    ),
    ({"quantity": "hermite", "activation": "sign", "n": 3, "formula": "-sqrt(2/pi)/sqrt(6)"}, "0"),
    (
        {
            "quantity": "hermite",
            "activation": "exp(x)",
            "formula": "exp(1/2)/sqrt(factorial(n))",
        },
        "exp(1/2)/factorial(n)",
    ),
    (
        {
            "quantity": "gradient",
            "activation": "relu",
            "by": "q1",
            "formula": "sqrt(q1*q2 - c**2)/(4*pi*q1)",
        },
        "sqrt(q1*q2 - c**2)/(4*pi*q2)",
    ),
    (
        {
            "quantity": "ntk",
            "network": "mlp:sqrt(2)*max(x,0):depth=2",
            "where": "unit-norm inputs",
            "formula": f"(rho*(pi - acos(rho))/pi + {KAPPA1})*(pi - acos({KAPPA1}))/pi"
            f" + (sqrt(1 - ({KAPPA1})**2) + (pi - acos({KAPPA1}))*{KAPPA1})/pi",
        },
        KAPPA1,
    ),
    (
        {
            "quantity": "recursion",
            "network": "mlp:relu:depth=1",
            "formula": "sb2 + sw2/(2*pi)*(sqrt((sw2*q1 + sb2)*(sw2*q2 + sb2) - (sw2*c + sb2)**2)"
            " + (pi - acos((sw2*c + sb2)/sqrt((sw2*q1 + sb2)*(sw2*q2 + sb2))))*(sw2*c + sb2))",
        },
        "sb2 + sw2*c/4",
    ),
    (
        {
            "quantity": "fixed_point",
            "activation": "relu",
            "where": "sw2 < 2",
            "formula": "2*sb2/(2 - sw2)",
        },
        "sb2/(2 - sw2)",
    ),
    (
        {
            "quantity": "edge_of_chaos",
            "activation": "erf",
            "formula": {
                "weight_var": "pi/4*sqrt(1 + 4*q)",
                "bias_var": "q - sqrt(1 + 4*q)/2*asin(2*q/(1 + 2*q))",
            },
        },
        {"weight_var": "pi/4*sqrt(1 + 2*q)", "bias_var": "q"},
    ),
    (
        {
            "quantity": "constant",
            "activation": "gelu",
            "definition": "E[s(z)^2]",
            "formula": "1/3 + 1/(2*sqrt(3)*pi)",
        },
        "1/3 + 1/(2*sqrt(2)*pi)",
    ),
    (
        {
            "quantity": "identity",
            "definition": "diff(Phi2(h, k, r), r)",
            "where": "-1 < r, r < 1",
            "formula": "exp(-(h**2 - 2*r*h*k + k**2)/(2*(1 - r**2)))/(2*pi*sqrt(1 - r**2))",
        },
        "exp(-(h**2 - r*h*k + k**2)/(2*(1 - r**2)))/(2*pi*sqrt(1 - r**2))",
    ),
    (
        {
            "quantity": "identity",
            "definition": "E[ds(z1)*z2*s(z3)]",
            "activation": "erf(x/sqrt(2))",
            "covariance": COV3,
            "formula": "2/pi/sqrt((1 + A)*(1 + G) - C**2)*(F*(1 + A) - B*C)/(1 + A)",
        },
        "2/pi/sqrt((1 + A)*(1 + G) - C**2)*(F*(1 + A) - B*C)",
    ),
    (
        {
            "quantity": "identity",
            "definition": "Phi2(h, k, r)",
            "where": "-1 < r, r < 1, h > 0, k > 0",
            "formula": "Phi(h)/2 + Phi(k)/2 - OwenT(h, (k - r*h)/(h*sqrt(1 - r**2)))"
            " - OwenT(k, (h - r*k)/(k*sqrt(1 - r**2)))",
        },
        "Phi(h)/2 + Phi(k)/2 - OwenT(h, (k - r*h)/(h*sqrt(1 - r**2)))",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "wrong"), CASES, ids=lambda v: str(v)[:50])
def test_right_is_proved_and_wrong_is_refuted(fields: dict[str, Any], wrong: Any) -> None:
    right = check(**fields)
    assert right.error == ""
    assert right.verdict >= Verdict.ENCLOSED, right.evidence
    if "OwenT" not in str(fields):
        assert right.verdict is Verdict.PROVED, right.evidence
    assert right.seconds < 10
    refuted = check(**{**fields, "formula": wrong})
    assert refuted.verdict is Verdict.REFUTED
    against = refuted.counterexample
    assert against is not None and against.formula is not None
    assert not against.definition.overlaps(against.formula)
    assert all(isinstance(value, Rational) for _, value in against.point)


def test_the_counterexample_is_where_it_says() -> None:
    from ntksym.verify.balls import enclose_definition, enclose_expr

    j = check(activation="relu", quantity="nngp", formula="q12/4")
    at = dict(j.counterexample.point)
    again = enclose_definition(
        __import__("sympy").Max(__import__("ntksym").symbols.x, 0), at["q11"], at["q12"], at["q22"]
    )
    assert again.overlaps(j.counterexample.definition)
    from ntksym.symbols import q12

    assert enclose_expr(q12 / 4, {q12: at["q12"]}).overlaps(j.counterexample.formula)


def test_many_claims_keep_their_order_and_errors_stay_with_their_claim() -> None:
    claims = (
        Claim(id="a", activation="relu", quantity="diagonal", formula="q/2"),
        Claim(id="b", activation="relu", quantity="diagonal", formula="q/2 +"),
        Claim(id="c", activation="relu", quantity="diagonal", formula="q/3"),
    )
    for found in (check(claims), check(claims, time_limit=60, jobs=2)):
        assert [j.claim.id for j in found] == ["a", "b", "c"]
        assert [j.verdict for j in found] == [
            Verdict.PROVED,
            Verdict.UNDECIDED,
            Verdict.REFUTED,
        ]
        assert "column" in found[1].error


def test_a_claim_beyond_its_time_is_undecided_and_the_others_are_judged() -> None:
    slow = Claim(
        id="slow",
        quantity="nngp",
        activation="sin(50*x)*heaviside(x)",
        formula="Phi2(sqrt(q1), sqrt(q2), rho)*exp(-1000*q1)",
    )
    fast = Claim(id="fast", activation="relu", quantity="diagonal", formula="q/2")
    first, second = check((slow, fast), time_limit=1.5, jobs=1)
    assert second.verdict is Verdict.PROVED
    if first.verdict is Verdict.UNDECIDED:
        assert "time limit" in first.error


BAD = [
    ({"quantity": "nngp", "activation": "relu", "formula": "zz*c"}, "the name 'zz' is not bound"),
    ({"quantity": "volume", "activation": "relu", "formula": "c"}, "unknown quantity 'volume'"),
    ({"quantity": "nngp", "formula": "c"}, "needs an activation"),
    ({"quantity": "nngp", "activation": "relu"}, "has a formula, or latex"),
    ({"quantity": "constant", "formula": "1"}, "needs a definition"),
    ({"quantity": "ntk", "formula": "1"}, "needs a network"),
    ({"quantity": "nngp", "activation": "relu", "formula": "9**9**9**9"}, "exponent"),
    ({"quantity": "nngp", "activation": "relu", "formula": "(" * 500 + "c"}, "nested"),
    ({"quantity": "nngp", "activation": "relu", "formula": "c+" * 5000 + "c"}, "characters"),
    (
        {"quantity": "nngp", "activation": "relu", "formula": "__import__('os').system('x')"},
        "not part of the language",
    ),
    ({"quantity": "nngp", "activation": "relu", "formula": "log(-1 - q1)"}, "not real"),
    ({"quantity": "hermite", "activation": "relu", "formula": "1"}, "needs n"),
    ({"quantity": "gradient", "activation": "relu", "formula": "c", "by": "zeta"}, "by 'zeta'"),
    ({"quantity": "nngp", "activation": "relu", "formula": "c", "tolerance": "2"}, "tolerance"),
    ({"quantity": "nngp", "activation": "exp(x**2)", "formula": "c", "where": "q1 > 3"}, "enough"),
    (
        {"quantity": "constant", "activation": "relu", "definition": "E[s(u*v)]", "formula": "1"},
        "one variable each",
    ),
    ({"quantity": "nngp", "activation": "relu", "formula": "c", "where": "c + q1 = 2"}, "fixes"),
]


@pytest.mark.parametrize(("fields", "text"), BAD, ids=lambda v: str(v)[:60])
def test_bad_claims_say_why_and_are_never_a_pass(fields: dict[str, Any], text: str) -> None:
    found = check(**fields)
    message = found.error + " ".join(found.evidence)
    assert found.verdict <= Verdict.UNDECIDED
    assert text in message, message
    assert found.seconds < 20


@pytest.mark.parametrize("formula", ["1/(c - c)", "c*factorial(-3)", "c/0"])
def test_a_formula_that_has_no_value_anywhere_is_refuted(formula: str) -> None:
    found = check(quantity="nngp", activation="relu", formula=formula)
    assert found.verdict is Verdict.REFUTED and found.counterexample is None
    assert "no value anywhere" in found.evidence[0] and "column" in found.error
    definition = check(quantity="constant", definition=formula.replace("c", "2"), formula="1")
    assert definition.verdict is Verdict.UNDECIDED


def test_a_fixed_point_that_is_negative_is_no_variance() -> None:
    found = check(quantity="fixed_point", activation="relu", formula="-sb2/(1 + sw2/2)")
    assert found.verdict is Verdict.REFUTED
    assert "the formula is no variance" in found.evidence[0]


def test_unknown_fields_are_an_error() -> None:
    with pytest.raises(BadSpec, match="unknown key 'formulae'"):
        check(activation="relu", formulae="c")


def test_a_formula_without_a_value_somewhere_says_where() -> None:
    nowhere = check(activation="relu", quantity="nngp", formula="c + sqrt(-1 - q1*q2)")
    assert nowhere.verdict is Verdict.REFUTED and nowhere.counterexample.formula is None
    assert "not real" in nowhere.evidence[0]


def test_undeclared_parameters_are_read_as_positive_where_only_that_holds() -> None:
    moment = "q*erf(a/sqrt(2*q)) - a*sqrt(2*q/pi)*exp(-a**2/(2*q)) + a**2*(1 - erf(a/sqrt(2*q)))"
    fields = {"activation": "clip(x, -a, a)", "quantity": "second_moment", "formula": moment}
    found = check(**fields)
    assert found.verdict is Verdict.PROVED
    assert any("a > 0" in note for note in found.notes)
    assert check(**fields, params={"a": "real"}).verdict is Verdict.REFUTED
    assert check(**fields, where="a > 0").verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("formula", "tolerance", "verdict"),
    [
        ("0.42522148257029874", "", Verdict.ENCLOSED),  # a double written out
        ("0.4252214826", "", Verdict.ENCLOSED),  # rounded
        ("0.4252214825", "", Verdict.ENCLOSED),  # cut off
        ("0.4252214827", "", Verdict.REFUTED),
        ("0.425221482570298669", "", Verdict.REFUTED),  # 18 digits, the last is wrong
        ("0.4252", "", Verdict.REFUTED),  # a short decimal is exact
        ("0.4253", "1e-3", Verdict.ENCLOSED),
        ("0.4253", "1e-4", Verdict.REFUTED),
    ],
)
def test_decimals(formula: str, tolerance: str, verdict: Verdict) -> None:
    found = check(
        activation="gelu",
        quantity="constant",
        definition="E[s(z)^2]",
        formula=formula,
        tolerance=tolerance,
    )
    assert found.verdict is verdict, found.evidence


def test_signs_in_a_formula_are_proved_not_sampled() -> None:
    """|1 - q| is not 1 - q, although it is at every small variance."""
    base = {"quantity": "mean", "activation": "1 - x**2"}
    assert check(**base, formula="1 - q").verdict is Verdict.PROVED
    assert check(**base, formula="sqrt((1 - q)**2)").verdict is Verdict.REFUTED
    assert check(**base, formula="sqrt((1 - q)**2)", where="q < 1").verdict >= Verdict.ENCLOSED
    wide = check(quantity="nngp", activation="x**2", formula="q1*q2 + 2*abs(c)**2")
    assert wide.verdict is Verdict.PROVED


def test_conditions_fix_names_and_bound_the_points() -> None:
    elu = "(pi - acos(rho))/(2*pi) + 2*exp(q1/2)*Phi2(-sqrt(q1), sqrt(q1)*rho, -rho)"
    elu += " + exp(q1 + c)*Phi2(-sqrt(q1)*(1 + rho), -sqrt(q1)*(1 + rho), rho)"
    fields = {"activation": "elu(x, 1)", "quantity": "derivative", "formula": elu}
    assert check(**fields, where="equal variances").verdict is Verdict.PROVED
    assert check(**fields, where="q1 = q2").verdict is Verdict.PROVED
    assert check(**fields).verdict is Verdict.REFUTED
    narrow = check(
        activation="sqrt(2)*relu(x)",
        quantity="normalised",
        where="rho > 9999/10000",
        formula="rho + 2*sqrt(2)/(3*pi)*(1 - rho)**(3/2)",
        tolerance="1e-9",
    )
    assert narrow.verdict is Verdict.ENCLOSED


def test_names_of_the_source() -> None:
    fields = {"activation": "relu", "quantity": "second_moment", "formula": "tau/2"}
    assert check(**fields, names={"tau": "q"}).verdict is Verdict.PROVED
    assert check(**fields).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(("formula", "least", "most"), [("q/2", 12, 15), ("q/2 + 1/10**6", 4, 7)])
def test_quadrature_says_to_how_many_digits_it_agrees(formula: str, least: int, most: int) -> None:
    from ntksym.check.sampling import sample
    from ntksym.claims.statement import state

    (statement,) = state(Claim(quantity="diagonal", activation="relu", formula=formula))
    digits, line = sample(statement)
    assert least <= digits <= most and "no bound" in line


@pytest.mark.parametrize(("fields", "text"), [
    # asin(rho) of three expectations cancels
    ({"quantity": "gradient", "by": "q11", "activation": "relu"}, "sqrt(q11*q22 - q12**2)/(4*pi*q11)"),
    # Sigma' and the product with Theta hold the same function
    (
        {"quantity": "ntk", "network": "mlp:sqrt(2)*max(x, 0):depth=1", "where": "unit-norm inputs"},
        "(2*q12*acos(-q12) + sqrt(1 - q12**2))/pi",
    ),
    ({"quantity": "mean", "activation": "heaviside(x)", "formula": "m"}, "Phi(m/sqrt(q))"),
])  # fmt: skip
def test_what_holds_is_one_closed_form(fields: dict[str, Any], text: str) -> None:
    """Terms of the same function are added up, and complements are one function."""
    assert check(Claim(**{"formula": "1/7", **fields})).corrected == text


def test_the_claimed_formula_prints_as_it_was_claimed() -> None:
    """The printers arrange what is derived; what somebody else wrote stays."""
    found = check(Claim(quantity="derivative", activation="relu", formula="asin(rho)/(2*pi) + 1/4"))
    assert "arcsin" in found.formula_latex and "arccos" not in found.formula_latex
