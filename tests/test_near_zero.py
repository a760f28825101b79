"""Activations beside 0 where their terms cancel: the points of the definition that is integrated."""

from __future__ import annotations

from typing import Any

import pytest
from flint import acb
from mpmath import MPContext

from ntksym import symbols as S
from ntksym.collapse.straight import Straight
from ntksym.derivation import Derivation
from ntksym.dual import dual
from ntksym.language import as_activation
from ntksym.lower.build import Builder
from ntksym.lower.near_zero import piece_value, taylor_near
from ntksym.precision import precision
from ntksym.runtime.compile import compile as compile_

EPS = 2.0**-52
KINKED = "(exp(x/2) - 1 - x/2)*max(1 - x, 0)"


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("x*erf(x)", lambda m, x: x * m.erf(x)),
        ("exp(x/2) - 1 - x/2", lambda m, x: m.exp(x / 2) - 1 - x / 2),
        ("erf(x - 1) + erf(1)", lambda m, x: m.erf(x - 1) + m.erf(1)),
    ],
)
def test_values_beside_zero_keep_their_digits(text: str, exact: Any) -> None:
    """Of terms of order x six digits were left at 1e-10; where the polynomial ends is no gap."""
    b = Builder(("x",))
    value = piece_value(b, Derivation.of(as_activation(text)).terms, beside=True)
    point = b.program("point", (("v", value),))
    doubles, many = MPContext(), MPContext()
    many.prec = 400
    for k in range(-100, 3):
        for x in (1.1 * 2.0**k, -1.7 * 2.0**k):
            known = exact(many, many.mpf(x))
            assert abs(point.evaluate({"x": x}, doubles)["v"] - known) <= 64 * EPS * abs(known), x


def test_nothing_is_a_polynomial_where_nothing_cancels() -> None:
    """x*Phi(x) is x/2 beside 0, and a parameter says how far a polynomial would hold."""
    for text in ("x*Phi(x)", "x*erf(beta*x)"):
        assert taylor_near(Derivation.of(as_activation(text)).terms) is None


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_a_tiny_variance_beside_a_large_one_keeps_what_cancels(target: str) -> None:
    """The means were exact and s at the nodes was not: 1e4 eps of the size."""
    d = dual(as_activation(KINKED))
    a, c, b = 30.0, 2e-5, 1e-10
    found = compile_(d, target)([a], [c], [b])
    with precision(1200):
        pair = Straight((d.value, d.dot), (S.q11, S.q12, S.q22))(acb(a), acb(c), acb(b))
        own = Straight((d.diag, d.diag_dot), (S.q,))
        sides = own(acb(a)), own(acb(b))
        for k, got in enumerate((found.nngp[0], found.dot[0])):
            size = (sides[0][k] * sides[1][k]).real.sqrt()
            assert abs((got - pair[k].real) / size) <= 4 * EPS, k
