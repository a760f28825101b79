"""Diagnoses of refuted formulas: the kind is named, and every repaired formula holds when judged."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from random import Random

import pytest
from diagnosis_cases import GELU, PLANTED, PUBLISHED, RELU, TRUE, claim

from ntksym.check.diagnose import diagnose
from ntksym.check.diagnose.constants import identify
from ntksym.check.diagnose.edits import edits
from ntksym.check.diagnose.floats import Place
from ntksym.check.diagnose.monomial import _divide
from ntksym.check.diagnose.trees import places, put
from ntksym.check.judge import judge
from ntksym.check.judgement import Diagnosis
from ntksym.claims import Claim
from ntksym.claims.statement import state
from ntksym.errors import NtksymError
from ntksym.language.parser import read_tree
from ntksym.language.syntax import Call, Name, Negate, Node, Number, Power, Product, Sum
from ntksym.language.tree_text import write
from ntksym.verify.report import Verdict

SECONDS = 6.0
"""Ample: these tests are about what is found, not about how busy the machine is."""


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


@pytest.mark.parametrize(
    ("kind", "one"),
    [pytest.param(k, c, id=f"{k}-{i}") for k, cs in PLANTED.items() for i, c in enumerate(cs)],
)
def test_planted_errors_are_named(kind: str, one: Claim) -> None:
    out = found(one)
    assert kind in [d.kind for d in out], out


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_errors_are_named_first(name: str) -> None:
    kind, words, one = PUBLISHED[name]
    first = found(one)[0]
    assert first.kind == kind
    assert words in first.text


def test_an_approximation_of_tanh_is_also_called_one() -> None:
    kinds = [d.kind for d in found(PUBLISHED["tanh_as_erf"][2])]
    assert "approximation" in kinds


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
    while repaired + len(missed) < 30:
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
    assert repaired >= 27, missed


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
    assert first.text == "the sign of the term sqrt(tau)*phi(mu/sqrt(tau))"
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


@pytest.mark.parametrize("formula, step, least", [(RELU, 1, 1000), (GELU, 7, 300)])
def test_text_of_edited_trees_is_read_back_as_meant(formula: str, step: int, least: int) -> None:
    """Every edit of a small tree, some of one with atan2 and sums inside roots."""
    names = {"q1": 1.3, "c": 0.4, "q2": 0.7, "rho": 0.42}
    tree = read_tree(formula)
    here = Place(names, tree)
    count = 0
    for path, edit in islice(edits(tree, ("q1", "c", "q2", "rho")), 0, None, step):
        text = write(put(path, edit.new))
        value = here.upward(path, here.value(edit.new))
        again = Place(names).value(read_tree(text))
        assert math.isclose(value, again, rel_tol=1e-9) or (math.isnan(value) and math.isnan(again))
        assert edit.say()
        count += 1
    assert count > least


def test_a_lost_factor_comes_before_a_lost_root() -> None:
    wrong = claim("nngp", "q1*q2*(3*sin(theta)*cos(theta) + (pi - theta)*(1 + cos(theta)**2))/(2*pi)",
                  "max(x, 0)**2")  # fmt: skip
    assert found(wrong)[0].text == "the factor 2 is missing at cos(theta)**2"


def test_values_far_apart_are_no_fit() -> None:
    """Powers that leave the range of doubles are not a number, and no error."""
    assert math.isnan(_divide(2.0, 1e-174, Fraction(-2)))
    assert math.isnan(_divide(2.0, 1e-174, Fraction(2)))
    assert math.isnan(_divide(2.0, 1e250, Fraction(3, 2)))


@pytest.mark.parametrize(("one", "why", "repaired"), [
    (
        claim("derivative", "1/2 - asin(rho)/(2*pi)", "relu"),
        "asin where acos is meant", "1/2 - acos(rho)/(2*pi)",
    ),
    (claim("nngp", "q11*q22 + q12^2", "x^2"), "the factor 2 is missing at q12**2", "q11*q22 + 2*q12**2"),
    (
        claim("diagonal", "2/pi*asin(2*sqrt(q)/(1 + 2*sqrt(q)))", "erf"),
        "variance where standard deviation is meant: q stands for its square",
        "2/pi*asin(2*q/(1 + 2*q))",
    ),
    (
        claim("constant", "sqrt(2)/(1 + alpha^2)", "leaky_relu", definition="1/sqrt(E[s(z)^2])"),
        "the root of 1 + alpha**2 is missing", "sqrt(2)/sqrt(1 + alpha**2)",
    ),
    (
        claim("derivative", "a*exp(-a^2*(q11 + q22)/2)*cosh(a^2*q12)", "sin(a*x)", params={"a": "real"}),
        "a factor a is missing", "a**2*exp(-a**2*(q11 + q22)/2)*cosh(a**2*q12)",
    ),
    (
        claim("diagonal", "q + (1-q)*2*Phi(-1/sqrt(q)) - sqrt(q/(2*pi))*exp(-1/(2*q))", "hardtanh"),
        "2 belongs below the fraction bar in 2*pi",
        "q + (1 - q)*2*Phi(-1/sqrt(q)) - sqrt(2*q/pi)*exp(-1/(2*q))",
    ),
    (
        claim("normalised", "acos(-rho)/(2*pi) + rho*sqrt(1 - rho^2)/(4*pi)", "step"),
        "the term rho*sqrt(1 - rho**2)/(4*pi) is too many", "acos(-rho)/(2*pi)",
    ),
    (
        claim("diagonal", "2^(p/2)*q^p*gamma(p + 1/2)/sqrt(pi)", "abs(x)^p", params={"p": "positive"}),
        "the divisor 2 in p/2 is too many", "2**p*q**p*gamma(p + 1/2)/sqrt(pi)",
    ),
])  # fmt: skip
def test_the_first_cause_and_its_repair_are_what_an_author_would_write(
    one: Claim, why: str, repaired: str
) -> None:
    first = found(one)[0]
    assert (first.text, first.formula) == (why, repaired)
