"""The sign far out by leading terms: it holds at every place looked at, and is not said of others."""

from __future__ import annotations

import mpmath
import pytest
from sympy import Expr, lambdify

from ntksym.language import parse_activation
from ntksym.symbols import x
from ntksym.verify.functions.beyond import far_sign

KEPT = {
    "x/(1+exp(-x))-2": 1,
    "-x/(1+exp(x))+1/10": 1,
    "x*tanh(log(1+exp(-x)))-1/5": -1,
    "x^2-5*x-7": 1,
    "exp(-x^2)*x^3-exp(-x)": -1,
    "x*erfc(x)-exp(-x^2/2)": -1,
    "atan(x)-8/5": -1,
    "(x^2+1)^(3/2)-x^3-x": 1,
    "log(1+exp(x))-x-1/1000": -1,
    "Phi(-x)-exp(-x)": -1,
    "tanh(x)-1+exp(-x)": 1,
    "3*x+sin(x^2)": 1,
    "sinh(x)-exp(x)/3": 1,
    "x/(1+exp(x))-x*tanh(log(1+exp(-x)))": -1,
}
CROSSED = ("x-100", "sin(x)", "sin(x)+exp(-x)", "1/x-1/40", "exp(-x)-1/10^12", "x*(1-x/50)")


def expression(text: str) -> Expr:
    return parse_activation(text).expr


@pytest.mark.parametrize("text", KEPT)
def test_a_sign_that_is_proven_holds(text: str) -> None:
    g = expression(text)
    starts = [t for t in (1, 2, 4, 8, 16, 32, 128) if far_sign(g, t)]
    assert starts, text
    with mpmath.workdps(600):
        f = lambdify(x, g, [{"Phi": mpmath.ncdf}, "mpmath"])
        for t in starts:
            assert far_sign(g, t) == KEPT[text]
            for k in range(25):
                value = f(mpmath.mpf(t) * (1 + mpmath.mpf(k) / 8))
                assert mpmath.sign(value) == KEPT[text], (t, k)


@pytest.mark.parametrize("text", CROSSED)
def test_a_sign_that_changes_is_not_proven(text: str) -> None:
    """Zeros at 100, 40, 27.6, 50 or everywhere: nothing may be said of [t, oo) before them."""
    g = expression(text)
    assert [far_sign(g, t) for t in (1, 2, 4, 8, 16)] == [0] * 5
