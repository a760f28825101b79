"""Mixtures with offsets: constants in their closed forms, and what is said of rounding."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from sympy import E, Rational, exp, tanh

from ntksym.backends.mixture.programs import mixture_programs
from ntksym.backends.mixture.rounding import OFFSETS, rounding_note
from ntksym.numeric.evaluate import ball_value
from ntksym.numeric.mixture_build import mixture_dual
from ntksym.runtime.units.mixture import compile_mixture
from ntksym.verify.balls import enclose_definition


def test_constants_have_balls() -> None:
    for e, value in ((E, 2.718281828459045), (exp(Rational(-1)), 0.36787944117144233)):
        assert abs(float(ball_value(e, {}).mid()) - value) < 1e-15
    assert abs(float(ball_value(tanh(Rational(1)), {}).mid()) - np.tanh(1.0)) < 1e-15


def test_a_shifted_sigmoid_that_vanishes_at_zero() -> None:
    found = mixture_dual("sigmoid(x+1) - sigmoid(1)")
    f = compile_mixture(found, "c")
    bound = found.bound(1, 1)
    assert 0 < bound.value_relative < 1e-14
    got = f(1.0, 0.5, 1.0)
    for value, slope in ((got.nngp, False), (got.dot, True)):
        exact = enclose_definition(
            found.activation, Fraction(1), Fraction(1, 2), Fraction(1), derivative=slope, digits=18
        )
        assert float(value) == pytest.approx(float(exact.mid), rel=1e-14)
    assert OFFSETS in rounding_note(mixture_programs(found))


def test_without_offsets_nothing_is_added() -> None:
    assert OFFSETS not in rounding_note(mixture_programs(mixture_dual("tanh(x)")))
