"""Diagnoses of refuted formulas: the kind is named, and every repaired formula holds when judged."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest

from ntksym.check.diagnose import diagnose
from ntksym.check.diagnose.constants import identify
from ntksym.check.diagnose.edits import edits
from ntksym.check.diagnose.floats import Place
from ntksym.check.diagnose.trees import places, put, write
from ntksym.check.judge import judge
from ntksym.check.judgement import Diagnosis
from ntksym.claims import Claim
from ntksym.claims.statement import state
from ntksym.errors import NtksymError
from ntksym.language.parser import read_tree
from ntksym.language.syntax import Call, Name, Negate, Node, Number, Power, Product, Sum
from ntksym.verify.report import Verdict

SECONDS = 6.0
"""Ample: these tests are about what is found, not about how busy the machine is."""

RELU = "sqrt(q1*q2)/(2*pi)*(sqrt(1 - rho**2) + (pi - acos(rho))*rho)"
WILLIAMS = "2/pi*asin(2*c/sqrt((1 + 2*q1)*(1 + 2*q2)))"
GELU = (
    "((c**2 + q1*q2*((1+q1)*(1+q2) - c**2))/((1+q1)*(1+q2)*sqrt((1+q1)*(1+q2) - c**2))"
    " + c*atan2(c, sqrt((1+q1)*(1+q2) - c**2)))/(2*pi) + c/4"
)
RELU_MEAN = "m*Phi(m/sqrt(q)) + sqrt(q)*phi(m/sqrt(q))"
RELU_SECOND = "(m**2 + q)*Phi(m/sqrt(q)) + m*sqrt(q)*phi(m/sqrt(q))"
AB = {"a": "real", "b": "real"}


def formula_of(claim: Claim) -> str:
    return claim.formula if isinstance(claim.formula, str) else next(iter(claim.formula.values()))


def found(claim: Claim) -> tuple[Diagnosis, ...]:
    """The diagnoses of a refuted claim, each re-judged."""
    findings = [judge(s) for s in state(claim)]
    finding = next(f for f in findings if f.verdict is Verdict.REFUTED)
    out = diagnose(claim, finding, formula_of(claim), seconds=SECONDS)
    for d in out:
        assert d.verdict >= Verdict.ENCLOSED
        assert d.text
        if d.formula:
            assert holds(claim, d.formula), d
    return out


def holds(claim: Claim, formula: str) -> bool:
    many = isinstance(claim.formula, dict)
    new = {next(iter(claim.formula)): formula} if many else formula  # type: ignore[arg-type]
    return all(judge(s).verdict >= Verdict.ENCLOSED for s in state(replace(claim, formula=new)))


def claim(quantity: str, formula: str, activation: str = "", **rest: object) -> Claim:
    return Claim(quantity=quantity, formula=formula, activation=activation, **rest)  # type: ignore[arg-type]


PLANTED: dict[str, tuple[Claim, ...]] = {
    "factor": (
        claim("nngp", RELU.replace("/(2*pi)", "/pi"), "relu"),
        claim("derivative", "2/(pi*sqrt((1+2*q11)*(1+2*q22) - 4*q12**2))", "erf"),
        claim("mean", "2*m*Phi(m/sqrt(1+q)) + 2*q/sqrt(1+q)*phi(m/sqrt(1+q))", "gelu"),
        claim("constant", "0.797884560803", "relu", definition="E[s(z)]"),
    ),
    "sign": (
        claim("nngp", "-exp(-(q1 + q2)/2)*sinh(c)", "sin"),
        claim("hermite", "4/(3*sqrt(3*pi)*sqrt(6))", "erf", n=3),
        claim(
            "gradient",
            "4*q12/(pi*(1 + 2*q11)*sqrt((1 + 2*q11)*(1 + 2*q22) - 4*q12**2))",
            "erf",
            by="q11",
        ),
    ),
    "scaling": (
        claim("nngp", "2/pi*(rho*asin(rho) + sqrt(1 - rho**2))", "abs"),
        claim("diagonal", "3*q/2", "squared_relu"),
        claim(
            "nngp",
            "2/pi*asin(2*b**2*c/sqrt((1+2*b**2*q1)*(1+2*b**2*q2)))",
            "a*erf(b*x)",
            params=AB,
        ),
    ),
    "offset": (
        claim("nngp", "asin(rho)/(2*pi)", "step"),
        claim("second_moment", "Phi2(m/sqrt(1+q), m/sqrt(1+q), q/(1+q)) + 1/4", "probit"),
        claim("normalised", "2/pi*(rho*asin(rho) + sqrt(1 - rho**2)) - 2/pi", "abs"),
        claim("nngp", "1/2 + acos(rho)/(2*pi)", "step"),
    ),
    "square": (
        claim("constant", "sqrt(1/2-1/(2*pi))", "relu", definition="E[s(z)^2]-E[s(z)]^2"),
        claim("variance", "sqrt(q)", "x"),
        claim("diagonal", "sqrt(3)*q", "x**2"),
    ),
    "root": (
        claim("nngp", "1/((1 + q1)*(1 + q2) - c**2)", "gaussian"),
        claim("constant", "2/(1-1/pi)", "relu", definition="1/sqrt(E[s(z)^2]-E[s(z)]^2)"),
        claim("constant", "1/3 + 1/(2*sqrt(3)*pi)", "gelu", definition="sqrt(E[s(z)^2])"),
    ),
    "inverse": (
        claim("constant", "sqrt((1-1/pi)/2)", "relu", definition="1/sqrt(E[s(z)^2]-E[s(z)]^2)"),
        Claim(
            quantity="edge_of_chaos",
            activation="erf",
            formula={"weight_var": "4/(pi*sqrt(1 + 4*q))"},
        ),
        claim("nngp", "sqrt((1 + q1)*(1 + q2) - c**2)", "gaussian"),
    ),
    "convention": (
        claim("mean", "m*Phi(m/q) + q*phi(m/q)", "relu"),
        claim("nngp", "sqrt(q1*q2)/(2*pi)*(sqrt(1 - c**2) + (pi - acos(c))*c)", "relu"),
        claim("nngp", "2/pi*asin(c/sqrt((1 + q1)*(1 + q2)))", "erf"),
        claim("nngp", "exp(-(q1**2 + q2**2)/2)*cosh(c)", "cos"),
        claim("normalised", "1/2 - rho/(2*pi)", "step"),
        claim("derivative", "(pi - rho)/(2*pi)", "relu"),
        claim("hermite", "exp(1/2)", "exp", n=4),
        claim("hermite", "exp(1/2)/factorial(n)", "exp"),
    ),
    "derivative_convention": (
        claim("derivative", "0", "sign"),
        claim("derivative", "1/(2*pi*sqrt(q1*q2 - c**2))", "step", derivative="almost_everywhere"),
        claim("derivative", "(pi - acos(rho))/(2*pi)", "max(x,0)+sign(x)"),
    ),
    "swap": (
        claim(
            "gradient",
            "-4*q12/(pi*(1 + 2*q22)*sqrt((1 + 2*q11)*(1 + 2*q22) - 4*q12**2))",
            "erf",
            by="q11",
        ),
        claim("cross", "2*c/(sqrt(pi)*sqrt(1+2*q2))", f="erf(x)", g="x"),
        claim("diagonal", "2/pi*atan2(sqrt(q + 1/4), q) + q - q", "erf"),
        claim(
            "mean",
            f"a*m + (b-a)*({RELU_MEAN})",
            "a*max(x,0)+b*min(x,0)",
            params=AB,
        ),
    ),
    "other_activation": (
        claim("nngp", "2/pi*asin(rho)", "step"),
        claim("nngp", "exp(-(q1 + q2)/2)*cosh(c)", "sin"),
        claim("mean", "Phi(m/sqrt(1+q))", "erf"),
        claim("derivative", "(pi - acos(rho))/(2*pi)", "gelu"),
    ),
    "other_quantity": (
        claim("nngp", "(pi - acos(rho))/(2*pi)", "relu"),
        claim("derivative", WILLIAMS, "erf"),
        claim("second_moment", RELU_MEAN, "relu"),
        claim("covariance", RELU, "relu"),
        claim("ntk", f"2*{RELU}", network="mlp:relu:depth=1,weight_var=2"),
        claim("constant", "sqrt(2)", "relu", definition="1/sqrt(E[s(z)^2]-E[s(z)]^2)"),
    ),
    "normalised_only": (
        claim("nngp", "rho/4 + (rho*asin(rho/2) + 1/sqrt(4 - rho**2))/(2*pi)", "gelu"),
        claim("diagonal", "1/2", "relu"),
        claim("nngp", "exp(-1)*sinh(rho)", "sin"),
    ),
    "equal_variances_only": (
        claim("nngp", "exp(-q1)*sinh(c)", "sin"),
        claim("nngp", "2/pi*asin(2*c/(1 + 2*q1))", "erf"),
        claim("derivative", "1/(2*pi*sqrt((1 + q11)**2 - q12**2))", "probit"),
    ),
    "centred_only": (
        claim("second_moment", "q/2*exp(m)", "relu"),
        claim("variance", "q/2-q/(2*pi) + m", "relu"),
        claim("mean", "sqrt(q)*phi(m)", "relu"),
    ),
    "half_domain": (
        claim("derivative", "2/pi*asin(abs(rho))", "abs"),
        claim("nngp", "2/pi*acos(sqrt(1-4*c**2/((1 + 2*q1)*(1 + 2*q2))))", "erf"),
        claim("diagonal", "q*(1+a*abs(a))/2", "leaky_relu(x, a)", params={"a": "real"}),
    ),
    "slip": (
        claim("nngp", RELU.replace("acos", "asin"), "relu"),
        claim("nngp", GELU.replace("c/4", "c/2"), "gelu"),
        claim("variance", f"{RELU_SECOND} - (m*Phi(m/sqrt(q)) - sqrt(q)*phi(m/sqrt(q)))**2", "relu"),
        claim(
            "fixed_point",
            "2*bias_var/(1 - weight_var)",
            "relu",
            where="weight_var < 2, bias_var > 0",
        ),
    ),
    "approximation": (
        claim("mean", "Phi(m/sqrt(2.89+q))", "sigmoid"),
        claim("constant", "0.398942381", "relu", definition="E[s(z)]"),
        claim("constant", "0.4", "relu", definition="E[s(z)]"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "one"),
    [pytest.param(k, c, id=f"{k}-{i}") for k, cs in PLANTED.items() for i, c in enumerate(cs)],
)
def test_planted_errors_are_named(kind: str, one: Claim) -> None:
    out = found(one)
    assert kind in [d.kind for d in out], out


CONST = "1/sqrt(E[s(z)^2]-E[s(z)]^2)"
QUADRATIC = "s2*x**2 + s1*x + s0"

PUBLISHED: dict[str, tuple[str, str, Claim]] = {
    "sign_ntk": ("derivative_convention", "a.e.", claim("derivative", "0*c", "sign(x)")),
    "quadratic_d2": (
        "swap", "s0 stands where s2 is meant",
        Claim(quantity="constant", activation=QUADRATIC, formula={"d2": "s0**2"},
              params={"s0": "real", "s1": "real", "s2": "real", "tau": "positive"},
              definition={"d2": "(E[He(2, z)*s(sqrt(tau)*z)]/tau)^2/4"}),
    ),
    "trig_cos": (
        "factor", "factor 2",
        claim("nngp", "exp(-(q1 + q2 - 2*c)/2) + exp(-(q1 + q2 + 2*c)/2)", "cos(x)"),
    ),
    "trig_half_mean": (
        "factor", "sqrt(2)",
        claim("mean", "(cos(m) + sin(m))*exp(-q/2)", "(sqrt(2)*cos(x) + sqrt(2)*sin(x))/2"),
    ),
    "vstep": ("other_activation", "of sign", claim("nngp", "2/pi*asin(rho)", "Heaviside(x)")),
    "basri": (
        "scaling", "a factor rho too many",
        claim("derivative", "rho*(pi - acos(rho))/(2*pi)", "Max(x, 0)", where="unit variances"),
    ),
    "lee_mean": (
        "slip", "sqrt(q)", claim("mean", "m*Phi(m/sqrt(q)) + phi(m/sqrt(q))", "Max(x, 0)"),
    ),
    "lee_variance": (
        "centred_only", "standard normal",
        claim("variance", "Phi(m/sqrt(q)) - m/sqrt(q)*phi(m/sqrt(q)) - phi(m/sqrt(q))**2", "relu"),
    ),
    "softrelu": (
        "slip", "pi",
        claim("mean", "exp(-m**2/2)/(sqrt(2)*pi) + m*Phi(m)", "Max(x, 0)", where="q = 1"),
    ),
    "tanh_gain": (
        "approximation", "4.7 %",
        claim("constant", "5/3", "tanh(x)", definition="1/sqrt(E[s(z)^2])"),
    ),
    "relu_slope": (
        "approximation", "15 of 19 digits",
        claim("constant", "1.466942206924260361", "relu",
              definition="E[ds(z)^2]/(E[s(z)^2]-E[s(z)]^2)"),
    ),
    "gamma_relu": (
        "approximation", "0.064 %", claim("constant", "1.7139588594436646", "relu", definition=CONST)
    ),
    "gamma_gelu": (
        "approximation", "0.034 %", claim("constant", "1.7015043497085571", "gelu", definition=CONST)
    ),
    "gamma_leaky": (
        "approximation", "0.063 %",
        claim("constant", "1.70590341091156", "leaky_relu(x, 1/100)", definition=CONST),
    ),
    "k_nn": (
        "factor", "pi/2", claim("nngp", "asin(2*c/sqrt((1 + 2*q1)*(1 + 2*q2)))", "erf(x)")
    ),
    "arccosine_notes": (
        "factor", "factor 2",
        claim("nngp", "2/pi*q1*q2*(3*sqrt(1 - rho**2)*rho + (pi - acos(rho))*(1 + 2*rho**2))",
              "sqrt(2)*Max(x, 0)**2"),
    ),
    "ntk_is_nngp": (
        "other_quantity", "E[s(u) s(v)]",
        claim("identity", RELU, "Max(x, 0)", definition="q12*E[ds(u)*ds(v)]"),
    ),
    "relu_factor_2": (
        "factor", "arc-cosine kernel is twice the dual",
        claim("nngp", RELU.replace("/(2*pi)", "/pi"), "Max(x, 0)"),
    ),
    "mackay": (
        "approximation", "maximal relative error found",
        claim("mean", "1/(1 + exp(-m/sqrt(1 + pi*q/8)))", "1/(1 + exp(-x))"),
    ),
    "wang_manning": (
        "approximation", "maximal relative error found",
        claim("mean", "tanh(m/sqrt(1 + pi*q/2))", "tanh(x)"),
    ),
    "tanh_as_erf": (
        "other_activation", "erf(sqrt(pi)*x/2)",
        claim("nngp", "2/pi*asin(pi/2*c/sqrt((1 + pi/2*q1)*(1 + pi/2*q2)))", "tanh(x)"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_errors_are_named_first(name: str) -> None:
    kind, words, one = PUBLISHED[name]
    first = found(one)[0]
    assert first.kind == kind
    assert words in first.text


def test_an_approximation_of_tanh_is_also_called_one() -> None:
    kinds = [d.kind for d in found(PUBLISHED["tanh_as_erf"][2])]
    assert "approximation" in kinds


TRUE = (
    claim("nngp", RELU, "relu"),
    claim("nngp", "sqrt(q1*q2)/(2*pi)*(rho*acos(-rho) + sqrt(1 - rho**2))", "relu"),
    claim("derivative", "(pi - acos(rho))/(2*pi)", "relu"),
    claim("nngp", WILLIAMS, "erf"),
    claim("derivative", "4/(pi*sqrt((1 + 2*q1)*(1 + 2*q2) - 4*c**2))", "erf"),
    claim("nngp", GELU, "gelu"),
    claim("nngp", "exp(-(q1 + q2)/2)*cosh(c)", "cos"),
    claim("nngp", "1/sqrt((1 + q1)*(1 + q2) - c**2)", "gaussian"),
    claim("nngp", "1/4 + asin(c/sqrt((1 + q1)*(1 + q2)))/(2*pi)", "probit"),
    claim("nngp", "2/pi*sqrt(q1*q2)*(rho*asin(rho) + sqrt(1 - rho**2))", "abs"),
    claim("mean", RELU_MEAN, "relu"),
    claim("mean", "sqrt(2*q/pi)*exp(-m**2/(2*q)) + m*erf(m/sqrt(2*q))", "abs"),
    claim("mean", "m*Phi(m/sqrt(1+q)) + q/sqrt(1+q)*phi(m/sqrt(1+q))", "gelu"),
    claim("second_moment", RELU_SECOND, "relu"),
    claim("second_moment", "1/2 - exp(-2*q)*cos(2*m)/2", "sin"),
    claim("diagonal", "1/4 + asin(q/(1 + q))/(2*pi)", "probit"),
    claim("normalised", "2/pi*((4 + 11*rho^2)*sqrt(1 - rho^2) + (9*rho + 6*rho^3)*asin(rho))",
          "abs(x)^3"),
    claim("nngp", "s2**2*(2*c**2 + q1*q2) + s1**2*c + s2*s0*(q1 + q2) + s0**2", QUADRATIC,
          params={"s0": "real", "s1": "real", "s2": "real"}),
)  # fmt: skip

FUNCTIONS = {
    "asin": "acos", "acos": "asin", "sin": "cos", "cos": "sin", "sinh": "cosh", "cosh": "sinh",
    "Phi": "phi", "phi": "Phi", "erf": "erfc",
}  # fmt: skip


def mutants(tree: Node) -> dict[str, list[Node]]:
    """Single mutations by kind, made without the code under test that repairs them."""
    names = sorted({n.name for n, _ in places(tree) if isinstance(n, Name) and n.name != "pi"})
    out: dict[str, list[Node]] = {}

    def add(kind: str, path: object, new: Node) -> None:
        out.setdefault(kind, []).append(put(path, new))  # type: ignore[arg-type]

    for node, path in places(tree):
        match node:
            case Number():
                for value in (node.value + 1, node.value - 1, node.value * 2):
                    if value:
                        add("number", path, Number(0, value))
            case Name():
                if node.name == "pi":
                    add("pi", path, Product(0, ((1, Number(0, Fraction(2))), (1, node))))
                for other in names:
                    if other != node.name != "pi":
                        add("index", path, Name(0, other))
            case Sum():
                for i, (sign, term) in enumerate(node.terms[1:], 1):
                    flipped = (*node.terms[:i], (-sign, term), *node.terms[i + 1 :])
                    add("sign", path, Sum(0, flipped))
            case Product():
                for i in range(1, len(node.factors)):
                    rest = node.factors[:i] + node.factors[i + 1 :]
                    add("factor", path, rest[0][1] if len(rest) == 1 else Product(0, rest))
            case Call():
                if node.name in FUNCTIONS:
                    add("function", path, Call(0, FUNCTIONS[node.name], node.arguments))
                if node.name == "sqrt":
                    add("root", path, node.arguments[0])
                if node.name == "exp":
                    add("exponent", path, Call(0, "exp", (Negate(0, node.arguments[0]),)))
            case Power():
                add("square", path, node.base)
    return out


SEARCHED = ("factor", "sign", "scaling", "offset", "square", "root", "inverse", "convention",
            "swap", "slip")  # fmt: skip
"""Kinds whose formula is found by repairing the text, not by deriving the definition."""


def test_random_mutations_are_repaired() -> None:
    random = Random(60)
    repaired, missed = 0, []
    while repaired + len(missed) < 60:
        one = random.choice(TRUE)
        options = mutants(read_tree(formula_of(one)))
        text = write(random.choice(options[random.choice(sorted(options))]))
        wrong = replace(one, formula=text)
        try:
            finding = judge(state(wrong)[0])
        except NtksymError:
            continue
        if finding.verdict is not Verdict.REFUTED:
            continue
        good = False
        for d in diagnose(wrong, finding, text, seconds=SECONDS):
            assert d.verdict >= Verdict.ENCLOSED
            if d.formula:
                assert holds(wrong, d.formula), (text, d)
                good = good or d.kind in SEARCHED
        if good:
            repaired += 1
        else:
            missed.append(text)
    assert repaired >= 54, missed


def test_a_formula_that_holds_has_no_diagnosis() -> None:
    finding = judge(state(TRUE[0])[0])
    assert diagnose(TRUE[0], finding, RELU) == ()


def test_nonsense_has_no_repair() -> None:
    wrong = claim("nngp", "log(1 + q1**5) + exp(cos(q2*c))", "relu")
    finding = judge(state(wrong)[0])
    assert finding.verdict is Verdict.REFUTED
    assert diagnose(wrong, finding, formula_of(wrong)) == ()


def test_an_exhausted_budget_stops_the_search() -> None:
    wrong = PUBLISHED["k_nn"][2]
    finding = judge(state(wrong)[0])
    assert diagnose(wrong, finding, formula_of(wrong), seconds=0.0) == ()


def test_the_result_is_the_same_twice() -> None:
    wrong = claim("nngp", RELU.replace("acos", "asin"), "relu")
    finding = judge(state(wrong)[0])
    first, second = (diagnose(wrong, finding, formula_of(wrong), seconds=SECONDS) for _ in "ab")
    assert first == second != ()


def test_the_names_of_the_author_are_kept() -> None:
    wrong = claim("mean", "mu*Phi(mu/sqrt(tau)) - sqrt(tau)*phi(mu/sqrt(tau))", "relu",
                  names={"tau": "q"})  # fmt: skip
    first = found(wrong)[0]
    assert first.kind == "slip"
    assert "second term" in first.text
    assert "tau" in first.formula and "mu" in first.formula and "sqrt(q)" not in first.formula


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "1/2"), (-2, "-2"), (2 / math.pi, "2/pi"), (1 / (2 * math.pi), "1/(2*pi)"),
        (math.sqrt(2), "sqrt(2)"), (math.sqrt(2 / math.pi), "sqrt(2/pi)"),
        (1 / math.sqrt(2 * math.pi), "1/sqrt(2*pi)"), (math.exp(-0.5), "1/sqrt(E)"),
        (1.59253741972, None), (0.0, None), (math.nan, None),
    ],
)  # fmt: skip
def test_constants_are_recognised(value: float, text: str | None) -> None:
    node = identify(value)
    assert (node and write(node)) == text
    if node is not None:
        assert math.isclose(Place({}).value(node), value, rel_tol=1e-12)


def test_text_of_edited_trees_is_read_back_as_meant() -> None:
    names = {"q1": 1.3, "c": 0.4, "q2": 0.7, "rho": 0.42}
    tree = read_tree(GELU)
    here = Place(names, tree)
    count = 0
    for path, edit in edits(tree, ("q1", "c", "q2", "rho")):
        text = write(put(path, edit.new))
        value = here.upward(path, here.value(edit.new))
        again = Place(names).value(read_tree(text))
        assert math.isclose(value, again, rel_tol=1e-9) or (math.isnan(value) and math.isnan(again))
        assert edit.say()
        count += 1
    assert count > 1000
