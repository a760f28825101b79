"""A dual as text, as LaTeX, and as a pickle."""

from __future__ import annotations

import copy
import pickle

import pytest
from sympy import symbols

import ntksym
from ntksym.display import formula


@pytest.mark.parametrize("text", ["gelu", "sign(x)", "abs(x)^(3/2)", "log(abs(x))"])
def test_a_dual_pickles_and_copies(text: str) -> None:
    d = ntksym.dual(text)
    d.at(1, "1/2", 1)  # with what FLINT holds
    for again in (pickle.loads(pickle.dumps(d)), copy.deepcopy(d)):
        assert again == d and again.at(1, "1/2", 1) == d.at(1, "1/2", 1)


def test_a_dual_prints_its_formulas() -> None:
    assert str(ntksym.dual("sign(x)")).splitlines() == [
        "s(x) = sign(x)",
        "E[s(u)s(v)] = 2*asin(q12/(sqrt(q11)*sqrt(q22)))/pi",
        "d/dq12 E[s(u)s(v)] = 2/(pi*sqrt(q11*q22 - q12**2))",
        "E[s'(u)s'(v)] = 0",
        "E[s(u)^2] = 1",
        "E[s'(u)^2] = 0",
    ]
    assert "nan" not in str(ntksym.dual("log(abs(x))"))


def test_the_latex_of_a_notebook_is_that_of_the_command() -> None:
    d = ntksym.dual("gelu")
    assert d.latex() in d._repr_latex_()
    assert d.latex().count("&=") == 8  # A, B and C are named
    assert d.latex(full=True).count("&=") == 5
    assert r"\partial_{q_{12}}" in ntksym.dual("step").latex()


def test_the_sign_of_a_term_on_its_own_line_is_in_front_of_it() -> None:
    """Not in its numerator, with a plus sign before the fraction."""
    a, b = symbols("alpha beta")
    lines = formula("f", a**9 * b - a * b * (a + 2) / (b + 3), width=28, unicode=False)
    assert [line for line in lines if "---" in line] == ["    - " + "-" * 22]
    assert [line for line in lines if "+ 2" in line] == ["      alpha*beta*(alpha + 2)"]
