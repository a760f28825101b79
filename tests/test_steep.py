"""Slopes that are unbounded and square integrable: |x - 1|^0.7 and its kind."""

from __future__ import annotations

from fractions import Fraction
from math import isnan

import numpy as np
import pytest
from flint import arb
from sympy import Integer

import ntksym
from ntksym.errors import Undecided
from ntksym.language import as_activation
from ntksym.numeric.own import own_weights
from ntksym.numeric.rules import RULES
from ntksym.numeric.steep import steep_dual
from ntksym.precision import precision
from ntksym.verify.balls import enclose_definition
from ntksym.verify.functions.pieces import derivative, split

SPAN = (Fraction(1, 2), Fraction(2))


@pytest.mark.parametrize("text", ["abs(x - 1)^.7", "abs(x^2 - 2)^.65"])
def test_the_rule_is_within_its_bound(text: str) -> None:
    """Also of equal and of opposite inputs, where lines leave more than a thousandth, and where
    values at nodes next to the kinks would have lost digits.
    """
    act = as_activation(text)
    found = RULES["quadrature"].make(act, SPAN, 1e-8)
    level = found.levels[-1]
    assert level.value_relative <= 1e-8 and level.dot_relative <= 1e-8
    assert level.dot <= 1e-7  # a relative bound times a size, not a certificate of steep lines
    close = found.close
    assert close is not None and close.sigma < 1e-5 and found.activation.expr == act.expr
    one, two = Fraction(1), Fraction(2)
    points = [(one, one / 2, one), (two, two, two), (one / 2, one, two)]
    points += [(one, -one, one)] if close.parity else []
    for at in points:
        values = found.evaluate(*map(float, at))
        for k, bound in enumerate((level.value, level.dot)):
            ball = enclose_definition(act.expr, *at, derivative=bool(k), digits=10)
            assert bound > 0 and abs(float(values[k]) - float(ball.mid)) <= 1e-10, (at, k)


def test_equal_inputs_have_a_sum_for_all_variances_of_the_range() -> None:
    """Weights of f^2 on blocks, in balls: what they miss is in their bound, and little."""
    span, act = (Fraction(1, 10), Fraction(10)), as_activation("abs(x - 1)^(3/5)")
    with precision(256):
        slopes = derivative(split(act.expr))
        ends = [(Integer(1), -1, 0), (Integer(1), 1, 1)]
        balls = (arb(1) / 10, arb(10))
        nodes, weights, lost = own_weights(slopes, ends, balls, arb(1e-12))
    assert lost < 1e-11
    for q in (span[0], Fraction(1), span[1]):
        density = np.exp(-np.square(nodes) / (2 * float(q))) / np.sqrt(2 * np.pi * float(q))
        exact = enclose_definition(act.expr, q, q, q, derivative=True, digits=14)
        assert abs(float(np.sum(weights * density)) - float(exact.mid)) <= float(lost.upper())


def test_next_to_each_other_there_is_no_bound_and_no_number() -> None:
    found = steep_dual(as_activation("abs(x - 1)^.7"), SPAN, 1e-8)
    assert found is not None and found.close is not None
    close = found.close
    assert close.mended(3.0, 1.0, 1.0, 1.0, close.sigma) == 3.0
    assert isnan(close.mended(3.0, 1.0, 1.0, 1.0, close.sigma / 2))
    assert isnan(close.mended(3.0, 1.0, 1.0 - close.apart / 2, 1.0, 0.0))
    assert close.mended(3.0, 1.0, 1.0 - 2 * close.apart, 1.0, 0.0) == 3.0
    assert close.mended(3.0, 1.0, 1.0, -1.0, 0.0) == 3.0  # the kinks are at 1 and -1
    assert any("NaN of unequal inputs" in line for line in found.lines())


def test_c_and_numpy_mend_alike() -> None:
    q11, q22 = np.array([1.0, 2.0, 1.0, 1.0]), np.array([1.0, 2.0, 1.0, 1.0 + 2e-9])
    q12 = np.array([0.5, 2.0, -1.0, 1.0 + 1e-9])
    found = [
        ntksym.compile("abs(x - 1)^.7", target, variances=(0.5, 2), error=1e-8)(q11, q12, q22).dot
        for target in ("c", "numpy")
    ]
    ours = steep_dual(as_activation("abs(x - 1)^.7"), SPAN, 1e-8)
    assert ours is not None
    for values in found:
        assert np.allclose(values[:3], ours.evaluate(q11, q12, q22)[1][:3], rtol=1e-9)
        assert np.isnan(values[3])
    assert ours.zero and np.isnan(ours.evaluate(0.4, 0.1, 1.0)).all()  # no bound below the range
    assert np.isfinite(ours.evaluate(0.0, 0.0, 1.0)).all()


def test_what_it_is_not_for_is_left_alone() -> None:
    """No singular point; a slope that is not square integrable."""
    assert steep_dual(as_activation("tanh(x)"), SPAN, 1e-6) is None
    with pytest.raises(Undecided, match="not seen to be square integrable next to x = 1"):
        steep_dual(as_activation("abs(x - 1)^.5"), SPAN, 1e-6)
