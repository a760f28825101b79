"""d/dq12 of duals whose activation has a slope that is not integrable, by the density's slope."""

from __future__ import annotations

import pytest
from sympy import Rational

from ntksym.language import as_activation
from ntksym.verify.balls import enclose_definition
from ntksym.verify.prove import Comparison, evaluate, prove
from ntksym.verify.report import Verdict

POINTS = (("1", "1/2", "1"), ("9", "-4", "5/2"), ("1", "999999/1000000", "1"), ("2", "0", "3"))


def _rows(text: str, point: tuple[str, str, str]) -> dict[str, Comparison]:
    _, found = evaluate(text, point, {}, 25)
    return {c.quantity: c for c in found}


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_power_agrees_with_its_closed_form(point: tuple[str, str, str]) -> None:
    row = _rows("|x|^(-3/10) + step(x)*|x|^(-1/5)/3", point)["derivative"]
    assert row.agree
    assert row.definition is not None


@pytest.mark.parametrize(
    "text", ["|x|^(-1/4)*exp(-x^2)", "sign(x)*|x|^(-1/5) + step(x - 1)", "log|x|*sign(x)"]
)
def test_slope_is_the_limit_of_differences(text: str) -> None:
    act, c, h = as_activation(text), Rational(3, 5), Rational(1, 10**8)
    above, below = (enclose_definition(act, 2, c + e, 1, digits=28) for e in (h, -h))
    row = _rows(text, ("2", "3/5", "1"))["derivative"]
    assert row.definition is not None
    quotient = (float(above.mid - below.mid)) / float(2 * h)
    assert float(row.definition.mid) == pytest.approx(quotient, rel=1e-9)


def test_product_of_slopes_is_no_integral() -> None:
    row = _rows("|x|^(-3/10)", POINTS[0])["derivative_almost_everywhere"]
    assert row.divergent
    assert row.definition is None


@pytest.mark.parametrize("text", ["x*log|x|", "log|x|*tanh(x) + 1/(1 + x^2)"])
def test_a_limit_by_logarithms_is_no_jump(text: str) -> None:
    assert set(_rows(text, POINTS[0])) == {"nngp", "derivative"}


def test_proved_with_all_enclosures() -> None:
    report = prove(as_activation("|x|^(-3/10)"))
    assert report.verdict is Verdict.PROVED
