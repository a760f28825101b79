"""E[s(u)^2] at many variances by one rule, and the ellipses that are given up early."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from flint import arb

from ntksym.language import as_activation
from ntksym.numeric.arith import ball
from ntksym.numeric.table import variances
from ntksym.numeric.table.spectra import joint, norms
from ntksym.numeric.table.spectra.source import shape
from ntksym.numeric.table.spectra.spectrum import spectra
from ntksym.precision import precision
from ntksym.verify.definition import factor

VARIANCES = tuple(Fraction(k, 8) for k in (1, 3, 5, 8, 12))
KNOWN: dict[str, Callable[[Any], Any]] = {
    "sin(x)": lambda q: (1 - (-2 * q).exp()) / 2,
    "exp(x/2)": lambda q: (q / 2).exp(),
    "exp(x^2/8)": lambda q: 1 / (1 - q / 2).sqrt(),
    "x^3": lambda q: 15 * q * q * q,
    "x*exp(-x^2/4)": lambda q: q / (1 + q) ** arb("1.5"),
}


def pieces_of(text: str) -> Any:
    return factor(as_activation(text).expr, derivative=False, distributional=False).pieces


@pytest.mark.parametrize("text", KNOWN)
def test_one_rule_encloses_closed_forms_at_all_variances(text: str) -> None:
    with precision(180):
        tol = arb((1, -90))
        found = joint.moments(pieces_of(text), VARIANCES, tol)
        assert found is not None
        for norm, q in zip(found, VARIANCES, strict=True):
            want = KNOWN[text](ball(q))
            assert norm.overlaps(want) and want.rad() < tol / 2**60
            assert norm.rad() < tol


@pytest.mark.parametrize("text", ["x*tanh(exp(x))", "1/(1+x^2)"])
def test_one_rule_agrees_with_the_integrator(text: str) -> None:
    """Poles next to the line: both are narrow, and hold one number."""
    with precision(180):
        pieces = pieces_of(text)
        found = norms.second_moments(pieces, VARIANCES, 90, [arb(1)] * len(VARIANCES))
        for norm, q in zip(found, VARIANCES, strict=True):
            assert norm.overlaps(norms.second_moment(pieces, q, 100))
            assert norm.rad() < arb((1, -86))


def test_what_is_analytic_in_a_strip_is_integrated_at_once(monkeypatch: Any) -> None:
    """Not one variance after another: s and s' of x atan(x) at seven of them."""
    calls: list[Any] = []
    alone = norms._second_moment
    monkeypatch.setattr(norms, "_second_moment", lambda *a: calls.append(a) or alone(*a))
    whole = as_activation("x*atan(x)").expr
    qs = tuple(Fraction(40 + k, 37) for k in range(7))
    for slope in (False, True):
        found = spectra(shape(whole, slope, 160), qs, 90, 97, False)
        assert all(0 < s.left < 1e-3 for s in found)
    assert not calls


def test_useless_ellipses_are_given_up_at_once(monkeypatch: Any) -> None:
    """Of x exp(-exp(-x)) nearly all ellipses are: all their arcs would be over a thousand cells."""
    calls: list[float] = []
    square = variances._square
    monkeypatch.setattr(variances, "_square", lambda *a: calls.append(1.0) or square(*a))
    axis = variances.Axis.over(1.2, 2.0)
    what = shape(as_activation("x*exp(-exp(-x))").expr, False, 160)
    count, error, _ = variances.interpolation(what, axis, arb("1e-12"), False)
    assert error < 1e-12 and count <= variances.MOST_NODES
    assert len(calls) < 300
