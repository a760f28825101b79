"""Parts of an expression that occur many times are evaluated once for each box."""

from __future__ import annotations

import pytest
from flint import acb, arb
from sympy import diff

from ntksym.functions import Phi
from ntksym.language import parse_activation
from ntksym.precision import precision
from ntksym.symbols import x
from ntksym.verify.evaluate import function
from ntksym.verify.functions.cuts import ANALYTIC


def test_slopes_of_compositions_take_each_function_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Phi(x) and Phi(x Phi(x)): six places in the slope of gelu(gelu(x)), two values."""
    calls = []
    plain = ANALYTIC[Phi]
    monkeypatch.setitem(ANALYTIC, Phi, lambda a, analytic: calls.append(a) or plain(a, analytic))
    slope = function(diff(parse_activation("gelu(gelu(x))").expr, x), x)
    for at in (1, 2):
        calls.clear()
        slope(acb(at), False)
        assert len(calls) == 2


def test_a_kept_value_is_of_its_box_its_mode_and_its_precision() -> None:
    """Bounds are made with 64 bits from the same boxes, and a cut is NaN in one mode only."""
    root = function(parse_activation("sqrt(x + sqrt(1 + x^2))").expr, x)
    box = acb(0, arb(-2).union(arb(2)))
    assert root(box, False).is_finite()
    assert not root(box, True).is_finite()
    assert root(box, False).is_finite()
    wave, exact = function(parse_activation("exp(x)").expr, x), acb(1) / 2
    with precision(64):
        coarse = wave(exact, False)
    with precision(256):
        fine = wave(exact, False)
    assert fine.real.rad() < coarse.real.rad() / 2**100
    assert abs(wave(acb(2), False).real - arb(2).exp()) < 1e-10
