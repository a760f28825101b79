"""Duals of splines that are zero on one side of 0: digits of the value, wherever that is small."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest
from flint import acb

from ntksym import symbols as S
from ntksym.collapse.straight import Straight
from ntksym.derivation import Derivation
from ntksym.dual import dual
from ntksym.language import as_activation
from ntksym.lower.splines import spline_power
from ntksym.numeric.arith import working
from ntksym.runtime.compile import compile as compile_
from ntksym.terms.cells import cells, inside

EPS = 2.0**-52
AT = (
    (1.0, -0.9, 1.0),
    (1.07, -0.0421, 2.25),
    (0.4375, -0.09375, 0.4375),
    (0.171875, 0.09375, 0.171875),
    (0.40625, -0.3, 0.3),
    (0.4375, 0.4371, 0.43701171875),  # past the peak of the integrand
    (3.25, -3.24, 3.25),
    (0.1, 0.9, 12.0),
)


@lru_cache
def _exact(text: str) -> tuple[Any, tuple[tuple[Any, Any], ...]]:
    d = dual(as_activation(text))
    with working(1300):
        straight = Straight((d.value, d.dot), (S.q11, S.q12, S.q22))
        pairs = [straight(*map(acb, at)) for at in AT]
    return d, tuple((value.real, dot.real) for value, dot in pairs)


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("text", ["max(x - 1, 0)", "min(x + 1, 0)^2", "relu6", "step(x - 1)"])
def test_values_of_one_sign_keep_their_digits(text: str, target: str) -> None:
    """Within 5 eps of both numbers: of sums, the closed forms lose up to all digits here."""
    d, pairs = _exact(text)
    found = compile_(d, target)(*zip(*AT, strict=True))
    for at, *columns in zip(AT, found.nngp, found.dot, pairs, strict=True):
        for got, exact in zip(columns[: 1 + d.continuous], columns[2], strict=False):
            assert abs(float(got / exact - 1)) <= 5 * EPS, at


@pytest.mark.parametrize(
    ("text", "power"),
    [
        ("max(x - 1, 0)", 1),
        ("relu6", 1),
        ("step(x - 1)", 0),
        ("min(x + 2, 0)^3", 3),
        ("max(0, 1 - |x|)", 1),
        ("min(max(x, -1), 1)", -1),
        ("x*step(x - 1)", -1),
        ("max(x - 1, 0)*exp(-x)", -1),
    ],
)
def test_which_activations_are_such_splines(text: str, power: int) -> None:
    """Of one degree, zero on one side: the code looks at which side of 0 the kinks are."""
    terms = Derivation.of(as_activation(text)).terms
    found = cells(terms)
    assert spline_power(found, tuple(inside(terms, c) for c in found)) == power
