"""Names for what repeats in long formulas: nothing is lost, nothing is named in vain."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sympy import Heaviside, I, Max, Rational, Symbol, exp, pi, preorder_traversal, sqrt

import ntksym
from ntksym.abbreviations import (
    Abbreviated,
    abbreviate,
    decimal_digits,
    drawn,
    gathered,
    latex,
    latex_rows,
    reflected,
    tidied,
)
from ntksym.abbreviations.arranged import factored
from ntksym.cli.derive_gradients import pair_rows
from ntksym.display import formulas, linear
from ntksym.functions import Phi, Phi2
from ntksym.symbols import q11, q12, q22, x
from ntksym.verify.balls import enclose_expr

LONG = (
    "elu",
    "selu",
    "gabor",
    "hardtanh",
    "hardswish",
    "min(max(x,-1/3),2)*x",
    "max(x-1,0)*cos(x)",
    "x*Phi(x)*exp(-x^2/3)",
    "exp(-x^2/7)*abs(x+sqrt(2))",
    "sin(2*x+1)*exp(-x^2)*x",
    "x^2*exp(-abs(x))",
)
SHORT = ("relu", "erf", "sin", "x^2+1", "abs(x)", "heaviside(x)")


def short_of(activation: str, **options: Any) -> tuple[tuple[Any, ...], Abbreviated]:
    d = ntksym.dual(activation)
    return (d.value, d.dot), abbreviate((d.value, d.dot), **options)


@pytest.mark.parametrize("activation", LONG)
def test_the_names_stand_for_the_formula(activation: str) -> None:
    formulas_, short = short_of(activation)
    assert short.names
    rng = random.Random(7)
    for before, after in zip(formulas_, short.spelled(), strict=True):
        for _ in range(3):
            at = {s: Rational(rng.randint(20, 40), 41) for s in before.free_symbols}
            at |= {q12: Rational(rng.randint(-9, 9), 41)}
            one, two = enclose_expr(before, at, digits=28), enclose_expr(after, at, digits=28)
            assert abs(one.mid - two.mid) <= one.rad + two.rad


@pytest.mark.parametrize("activation", LONG)
def test_each_name_is_defined_before_and_used_more_than_once(activation: str) -> None:
    _, short = short_of(activation)
    symbols = dict(short.names)
    known: set[Symbol] = set()
    for symbol, definition in short.names:
        assert definition.free_symbols & symbols.keys() <= known
        known.add(symbol)
    everything = [*short.formulas, *symbols.values()]
    uses = {s: sum(list(preorder_traversal(e)).count(s) for e in everything) for s in symbols}
    twins = dict(short.twins)
    for symbol, definition in short.names:
        pair = [t for t in symbols if twins.get(t) == symbol or twins.get(symbol) == t]
        many = uses[symbol] + sum(uses[t] for t in pair)
        assert definition.is_Rational or many > 1 or definition.is_Add
    for f in short.formulas:
        assert f.free_symbols & symbols.keys() <= known


@pytest.mark.parametrize("activation", LONG)
def test_twins_are_mirror_images(activation: str) -> None:
    _, short = short_of(activation)
    names = dict(short.names)
    swap = {q11: q22, q22: q11}
    for second, first in short.twins:
        swap |= {first: second, second: first}
    for second, first in short.twins:
        mirror = names[first].xreplace(swap)
        at = {
            s: Rational(i + 2, 17 + i) for i, s in enumerate(sorted(mirror.free_symbols, key=str))
        }
        assert abs((mirror - names[second]).subs(at).n(30)) < 1e-25


@pytest.mark.parametrize("activation", SHORT)
def test_short_formulas_stay_as_they_are(activation: str) -> None:
    before, short = short_of(activation)
    assert short == Abbreviated(tuple(before), (), ())


def test_taken_names_are_avoided() -> None:
    _, plain = short_of("elu")
    used = [s.name for s, _ in plain.names]
    _, other = short_of("elu", taken=used)
    assert not {s.name for s, _ in other.names} & set(used)
    beta = Symbol("A1", real=True)
    _, short = short_of("elu")
    renamed = tuple(f.subs(Symbol("alpha", positive=True), beta) for f in short.spelled())
    assert "A1" not in {s.name for s, _ in abbreviate(renamed).names}


def test_conjugate_terms_are_one_real_part() -> None:
    term = (1 + I * q11) * exp(I * q12 * q22)
    filler = sum(exp(-(q11**k)) for k in range(2, 50))
    (found,) = abbreviate((term + (1 - I * q11) * exp(-I * q12 * q22) + filler,)).formulas
    assert "2*re(" in str(found) and str(found).count("I") == 2


def test_long_numbers_have_names_with_their_digits() -> None:
    number = Rational(22 * 10**13 + 1, 7 * 10**13)
    (row,) = abbreviate((number * q12 - number,)).names
    assert row == (Symbol("c1", positive=True), number)
    assert decimal_digits(number) == "3.14285714285715714..."
    assert decimal_digits(Rational(12345678901234567, 10**15)) == "12.345678901234567"
    assert decimal_digits(Rational(10**30)) == str(10**30)
    lines, names = formulas([("y", number * q12)], width=60)
    assert names == (row,) and ("", "  c₁ = 3.14285714285715714...") in lines


def test_long_formulas_stay_within_the_terminal() -> None:
    """Factors with many terms have names; what is still too wide for two dimensions is broken."""
    d = ntksym.dual("x^2*exp(-abs(x))")
    lines, _ = formulas([("K", d.value), ("D", d.dot)], width=72)
    assert max(len(line) for _, line in lines) <= 72
    wide = [e for s, e in abbreviate((d.value, d.dot)).names if e.is_Add and len(e.args) > 8]
    assert len(wide) == 4
    powers = sum(Rational(k, 7) * q11**k * q22 ** (k + 1) for k in range(2, 60))
    whole = exp(q12) * powers + exp(powers) * q12
    lines, _ = formulas([("K", whole)], width=72, full=True)
    assert max(len(line) for _, line in lines) <= 72 and len(lines) < 100
    assert "".join("".join(line.split()) for _, line in lines) == (
        f"K={factored(tidied(whole))}".replace(" ", "")
    )
    assert not any(line.endswith("*") or line.lstrip().startswith("**") for _, line in lines)


def test_latex_has_a_row_for_each_name() -> None:
    d = ntksym.dual("elu")
    rows, _ = latex_rows([("K", d.value), ("D", d.dot)])
    assert rows[0].startswith("K &= ") and r"\Delta &= q_{11} q_{22} - q_{12}^{2}" in rows
    assert any(r"_{2} &= " in row and r"\leftrightarrow" in row for row in rows)
    assert len(latex_rows([("K", d.value), ("D", d.dot)], full=True)[0]) == 2


@pytest.mark.parametrize("command", (["derive", "elu"], ["network", "mlp:elu:depth=2"]))
def test_the_command_line_names_what_repeats(call: Any, command: list[str]) -> None:
    wide = {"COLUMNS": "100"}
    named, full = (call(*command, *extra, env=wide) for extra in ([], ["--full"]))
    assert named.exit_code == full.exit_code == 0
    assert "\nwhere\n" in named.output and "exchanged" in named.output
    assert all(len(line) <= 100 for line in named.output.splitlines())
    assert "\nwhere\n" not in full.output


@pytest.mark.parametrize(("expr", "text"), [
    ((-2 * q11 - 2) * exp(q12) / 2, "-(q11 + 1)*exp(q12)"),
    ((Rational(1, 2) - q11 / 2) * exp(q12) / 2, "(1 - q11)*exp(q12)/4"),
    ((4 * q11 + 6) * (3 - 6 * q12) * exp(q22), "6*(1 - 2*q12)*(2*q11 + 3)*exp(q22)"),
    ((1 - q11) * (1 - q22), "(1 - q11)*(1 - q22)"),
    (4 * q11 + 4, "4*q11 + 4"),
    (exp(-(q22 - q12) / sqrt(q11) / 2), "exp((q12 - q22)/(2*sqrt(q11)))"),
    (exp(-(q11 - q12 + q22) / sqrt(q11)), "exp(-(q11 - q12 + q22)/sqrt(q11))"),
])  # fmt: skip
def test_numbers_stand_in_front_of_products(expr: Any, text: str) -> None:
    assert linear(expr) == text
    assert (tidied(expr) - expr).expand() == 0


def test_coefficients_of_thresholds_are_tidy() -> None:
    d = ntksym.dual("abs(x - 1)")
    assert (
        "4*(q12 + 1)*Phi2(" in linear(d.value) and "2*q12" not in linear(d.value).split("Phi2")[0]
    )


PAPERS: tuple[tuple[str, bool, tuple[str, ...]], ...] = (
    # Cho & Saul 2009, Louart et al. 2018: acos(-rho) is pi minus the angle
    ("relu", False, ("(q12*acos(-rho) + sqrt(Delta))/(2*pi)", "acos(-rho)/(2*pi)")),
    ("relu(x)^2", False, ("(3*q12*sqrt(Delta) + (q11*q22 + 2*q12**2)*acos(-rho))/(2*pi)",)),
    ("heaviside(x)", False, ("acos(-rho)/(2*pi)",)),
    # Han et al. 2022: alpha^2 and 1 of the slopes are alpha and (1 - alpha)^2
    ("max(x, alpha*x)", False, (
        "alpha*q12 + (alpha - 1)**2*(q12*acos(-rho) + sqrt(Delta))/(2*pi)",
        "alpha + (alpha - 1)**2*acos(-rho)/(2*pi)",
    )),
    # Tsuchida et al. 2019, the orthant that the means move
    ("heaviside(x)", True, ("Phi2(m1/sqrt(q11), m2/sqrt(q22), rho)",)),
    ("sin", False, ("exp(-(q11 + q22)/2)*sinh(q12)",)),
)  # fmt: skip


@pytest.mark.parametrize(("activation", "mean", "wanted"), PAPERS)
def test_short_formulas_are_those_of_papers(
    activation: str, mean: bool, wanted: tuple[str, ...]
) -> None:
    d = ntksym.dual(activation, mean=mean)
    names = {"rho": "q12/(sqrt(q11)*sqrt(q22))", "Delta": "q11*q22 - q12**2"}
    for formula, text in zip((d.value, d.dot), wanted, strict=False):
        found = gathered(reflected(formula))
        for name, meaning in names.items():
            text = text.replace(name, meaning)
        assert str(found) == text
        at: Any = {s: Rational(i + 3, 9) for i, s in enumerate(sorted(found.free_symbols, key=str))}
        at |= {q11: 1, q12: Rational(-1, 3), q22: 2}
        assert abs((found - formula).subs(at).n(30)) < 1e-25


@pytest.mark.parametrize(("expr", "text"), [
    (Rational(1, 2) - exp(-2 * q11) / 2, "(1 - exp(-2*q11))/2"),
    (4 * q11 + 4, "4*q11 + 4"),
    (q11 / 2 - q11 * (1 - 4 * q11) * exp(q12) / 2, "q11*(-(1 - 4*q11)*exp(q12) + 1)/2"),
    (q11 * exp(q12) / 3 + q22 * exp(q12) / 3, "(q11 + q22)*exp(q12)/3"),
    (12 * q12**2 / (q11 + 1) ** 5 + (q11 + 1) ** -4, "(q11 + 12*q12**2 + 1)/(q11 + 1)**5"),
    (q11 + q22 / 3, "q11 + q22/3"),
])  # fmt: skip
def test_common_factors_stand_in_front(expr: Any, text: str) -> None:
    found = gathered(expr)
    assert str(found) == text
    assert abs((found - expr).subs({q11: Rational(1, 3), q12: 2, q22: 5}).n(30)) < 1e-25


@pytest.mark.parametrize(("expr", "text"), [
    (q22 - q22 * Phi(-q11), "q22*Phi(q11)"),
    (1 + q12 - (q12 + 1) * Phi(-q11), "(q12 + 1)*Phi(q11)"),
    (1 - Phi(-q11) - Phi(-q22) + Phi2(-q11, -q22, q12), "Phi2(q11, q22, q12)"),
    (1 - 2 * Phi(-q11) + Phi2(-q11, -q11, q12), "Phi2(q11, q11, q12)"),
    (1 - 2 * Phi(-q11), "1 - 2*Phi(-q11)"),
    (1 - Phi(-q11) + Phi2(-q11, -q22, q12), "Phi(q11) + Phi2(-q11, -q22, q12)"),
    (q11 ** (Symbol("p") - Rational(1, 2)) / sqrt(q11), "q11**(p - 1)"),
])  # fmt: skip
def test_complements_are_one_function(expr: Any, text: str) -> None:
    assert str(reflected(expr)) == text


@pytest.mark.parametrize(("expr", "tex", "text"), [
    (1 - q12**2 - q11, "1 - q_{11} - q_{12}^{2}", "1 - q11 - q12^2"),
    ((1 + q11) * (1 + q22) - q12**2, None, "(q11+1)(q22+1)-q12^2"),
    (sqrt(2) * q12 / (2 * sqrt(pi)), r"\frac{q_{12}}{\sqrt{2 \pi}}", None),
    (q12 / sqrt(q11) / sqrt(q22), r"\frac{q_{12}}{\sqrt{q_{11} q_{22}}}", None),
    (Heaviside(q12), r"H\left(q_{12}\right)", "H(q12)"),
    (Max(0, q12), None, "max(0, q12)"),
    (1 + Max(0, q12) ** 3, None, "max(0, q12) + 1"),
    (gathered((q11 / q22 + q12) / pi + 1 / pi), r"\frac{1}{\pi} \left(\frac{q_{11}}{q_{22}} + q_{12} + 1\right)", None),
])  # fmt: skip
def test_printers_have_the_habits_of_papers(expr: Any, tex: str | None, text: str | None) -> None:
    if tex is not None:
        assert latex(expr) == tex
    if text is not None:
        lines, axis = drawn(expr, unicode=False)
        flat = lines[axis].replace(" ", "").replace("*", "")
        assert flat == text.replace(" ", "").replace("^2", "")


def test_a_formula_too_wide_for_two_dimensions_has_names() -> None:
    p = Symbol("p", positive=True)
    d = ntksym.dual(Max(0, x) ** p)
    lines, names = formulas([("E[s(u)s(v)]", d.value), ("E[s'(u)s'(v)]", d.dot)], width=100)
    assert names and not any("hyper(" in line for _, line in lines)


@pytest.mark.parametrize("width", (80, 100))
def test_wide_factors_have_names_and_sums_break(width: int) -> None:
    """Both duals as mathematics, no line of text; in LaTeX rows no wider than a page."""
    d = ntksym.dual("max(x,-1)*exp(-x^2)")
    rows = [("E[s(u)s(v)]", d.value), ("E[s'(u)s'(v)]", d.dot)]
    lines, names = formulas(rows, width=width)
    assert names and max(len(line) for _, line in lines) <= width
    assert not any("**" in line or "sqrt(" in line for _, line in lines)
    tex, short = latex_rows(rows)
    assert tex[1].count("\n&\\quad + ") + tex[1].count("\n&\\quad - ") >= 1
    order = [symbol for symbol, _ in short.names]
    assert all(order.index(first) < order.index(second) for second, first in short.twins)


def test_names_of_formulas_before_are_used_again() -> None:
    d = ntksym.dual("gelu")
    slopes = ntksym.dual_gradients(d)
    _, names = formulas([("K", d.value), ("D", d.dot)])
    later = [(name, e) for name, _, e in pair_rows(slopes)]
    lines, again = formulas(later, known=names)
    (letter,) = {s.name for s, e in names if e == (q11 + 1) * (q22 + 1) - q12**2}
    assert not again and any(letter in line for _, line in lines)


@pytest.mark.parametrize(("expr", "text"), [
    ((1 + q22) ** -2 + q12 / (1 + q22), "(q12*(q22 + 1) + 1)/(q22 + 1)**2"),
    (sqrt(q11 + 1) * q12 / (q22 + 1) + q12**2 / sqrt(q11 + 1) / (q22 + 1),
     "q12*(q11 + q12 + 1)/(sqrt(q11 + 1)*(q22 + 1))"),
    (q12 / pi + exp(q12) / pi + Rational(1, 10), "(q12 + exp(q12))/pi + 1/10"),
    (q11 * q22 + q11 * q12 + 2, "q11*q12 + q11*q22 + 2"),
])  # fmt: skip
def test_what_some_terms_share_stands_before_them(expr: Any, text: str) -> None:
    found = gathered(expr)
    assert str(found) == text
    assert abs((found - expr).subs({q11: Rational(1, 3), q12: 2, q22: 5}).n(30)) < 1e-25
