"""Enclosures of functions that were slow or refused, each for a reason of its own."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sympy import Abs, Heaviside, Max, Rational, cos, erf, exp, log, sin, tanh

from ntksym.symbols import x
from ntksym.verify.balls import enclose_definition
from ntksym.verify.definition import two_slopes
from ntksym.verify.functions.roots import _between, isolated_zeros
from ntksym.verify.rules.lattice import Lattice

NEAR = Rational(999_999, 1_000_000)


def test_a_kink_and_its_mirror_are_both_followed_near_correlation_minus_one() -> None:
    root = Abs(x - 1) ** Rational(7, 10)
    near = enclose_definition(root, 1, -NEAR, 1)
    mirrored = enclose_definition(root, 1, NEAR, 1, other=root.subs(x, -x))
    assert near.rel_digits >= 30
    assert near.overlaps(mirrored)
    limit = enclose_definition(root, 1, -1, 1)
    assert 0 < abs(near.mid - limit.mid) < Fraction(1, 10**5)


def test_poles_that_cancel_beside_a_root_leave_a_slope_with_a_bound() -> None:
    # E[s'(u)s'(v)]: the mixed term by mpmath with u = t^(10/3), 17 digits
    s = Abs(x) ** Rational(3, 10) + sin(x) / x * Heaviside(x)
    found = enclose_definition(s, 1, "1/2", 1, derivative=True, digits=15)
    assert abs(found.mid - Fraction("0.025627037466801837")) < Fraction(1, 10**16)
    product = Abs(x) ** Rational(3, 10) * (1 + Heaviside(x) * (1 - cos(x)) / x**2)
    assert enclose_definition(product, 1, "1/2", 1, derivative=True, digits=6).rel_digits >= 6


def test_a_continuous_function_has_one_slope_without_a_search_for_its_kinks() -> None:
    before = isolated_zeros.cache_info().misses
    assert not two_slopes(Max(cos(x), erf(x) + exp(-Abs(x)) / 7))
    assert isolated_zeros.cache_info().misses == before


def test_cuts_between_zeros_have_few_digits() -> None:
    low, high = Fraction(0), Fraction(16)
    for _ in range(100):
        low = _between(low, high)
    assert 0 < high - low < Fraction(1, 2**90)
    assert low.denominator < 2**130


def test_near_correlation_one_only_the_difference_needs_small_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def summed(self: Lattice) -> None:
        raise AssertionError(f"a lattice of {self.nodes} nodes")

    monkeypatch.setattr(Lattice, "value", summed)
    for s in (tanh(x), log(1 + x**2)):
        for rho in (NEAR, -NEAR):
            assert enclose_definition(s, 1, rho, 1).rel_digits >= 30
