"""Enclosures of functions that were slow or refused, each for a reason of its own."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from flint import arb
from sympy import Abs, Expr, Heaviside, Max, Rational, atan, cos, erf, exp, log, sin, sqrt, tanh

from ntksym.errors import Undecided
from ntksym.precision import precision
from ntksym.symbols import x
from ntksym.verify.balls import enclose_definition, enclose_expr
from ntksym.verify.definition import factor, two_slopes
from ntksym.verify.functions.rearrange import rearranged
from ntksym.verify.functions.roots import _between, isolated_zeros
from ntksym.verify.law import Law, exact
from ntksym.verify.rules import lattice, twod
from ntksym.verify.rules.lattice import Lattice
from ntksym.verify.rules.tilt import tilted
from ntksym.verify.rules.twod import _planar

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


GROWING = (
    exp(x) / (1 + x**2),
    sqrt(1 + exp(x)) + exp(x / 2) / 3,
    (exp(-x) - 1) / x,
    exp(x) * atan(x) * Max(x - 1, 0),
)


@pytest.mark.parametrize("s", GROWING, ids=str)
def test_growth_is_taken_into_the_law_and_nothing_changes(s: Expr) -> None:
    # where it moves the means by few deviations the rules do without it
    law = Law(*map(exact, (0, "1/3", 9, 3, 4)))
    with precision(140):
        goal = arb(10) ** -25
        pieces = rearranged(factor(s, derivative=False, distributional=False).pieces)
        other = tilted(pieces, pieces, law)
        assert other is not None and other.law.m1 != law.m1
        moved = _planar(other.f, other.g, other.law, (goal / other.front).lower()) * other.front
        plain = _planar(pieces, pieces, law, goal)
        assert moved.overlaps(plain)
        assert moved.rad() < arb(10) ** -20 * abs(moved)
        assert plain.rad() < arb(10) ** -20 * abs(plain)


def test_exponential_growth_has_30_digits_at_any_variance() -> None:
    for s in GROWING[:2]:
        for q in (100, 10_000):
            found = enclose_definition(s, q, q * Rational(3, 5), q)
            assert found.rel_digits >= 30
    # far out the root is exp(x/2) but for exp(-1000), of mean exp((q11 + 2 q12 + q22)/8)
    found = enclose_definition(sqrt(1 + exp(x)), 10_000, 6000, 10_000)
    assert found.overlaps(enclose_expr(exp(4000), {}, digits=30))


@pytest.mark.parametrize(
    "s", [exp(-1 / x**2), x**2 * log(Abs(x)), sqrt(Abs(x)) * tanh(x), exp(-1 / Abs(x))], ids=str
)
@pytest.mark.parametrize("derivative", [False, True])
def test_a_variance_of_zero_takes_the_limit(s: Expr, derivative: bool) -> None:
    one, wave = (s + x, sin(x)) if derivative else (s + 1, cos(x))
    found = enclose_definition(one, 0, 0, 1, derivative=derivative, other=wave)
    with precision(128):
        assert found.to_arb().overlaps(arb(-0.5).exp()) and found.rel_digits >= 30


@pytest.mark.parametrize(
    ("s", "derivative", "said"),
    [
        (Abs(x), True, "the function has two limits at the point x = 0"),
        (Heaviside(x) * exp(-x), True, "two limits"),
        (log(Abs(x)), False, "infinite at a variance of zero"),
        (sqrt(Abs(x)), True, "infinite at the point x = 0"),
    ],
)
def test_what_has_no_value_at_a_variance_of_zero_says_so(
    s: Expr, derivative: bool, said: str
) -> None:
    with pytest.raises(Undecided, match=said) as refused:
        enclose_definition(s, 0, 0, 1, derivative=derivative)
    assert "digits were not reached" not in refused.value.what


def test_a_series_that_was_not_reached_soon_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The value is so small that there are two attempts: sums of the lattice serve both."""
    series, sums = [], []
    plain = twod.lattice

    def slow(*args: object) -> None:
        series.append(args)
        raise Undecided("too many terms")

    def counted(*args: Any) -> Any:
        sums.append(args)
        return plain(*args)

    monkeypatch.setattr(twod, "mehler", slow)
    monkeypatch.setattr(twod, "lattice", counted)
    found = enclose_definition(sin(x) * cos(x**2), 80, 48, 80, derivative=True, digits=15)
    assert found.rel_digits >= 15
    assert len(sums) == 2 and len(series) == 1


@pytest.mark.parametrize(("mean", "share"), [(0, 0.5), (Rational(1, 4), 1)])
def test_strips_are_covered_once_and_of_even_functions_by_halves(
    monkeypatch: pytest.MonkeyPatch, mean: Any, share: float
) -> None:
    """cos(sqrt(1 + x^4)) took 4 s at (1/100, 1/200, 4), nearly all of it for such bounds."""
    covered: list[tuple[float, float, float, float]] = []
    whole = lattice._bound

    def bound(*args: Any) -> Any:
        found, (lo, hi), height, tilt = whole(*args), args[3], args[4], args[6]
        covered.append((float(height), float(hi), float(tilt), float((hi - lo) / (2 * hi))))
        failed = [(h, b) for h, b in refused if float(height) >= h and float(hi) >= b]
        assert not failed
        if found is None:
            refused.append((float(height), float(hi)))
            covered.pop()
        return found

    refused: list[tuple[float, float]] = []
    monkeypatch.setattr(lattice, "_bound", bound)
    pieces = factor(cos(sqrt(1 + x**4)), derivative=False, distributional=False).pieces
    with precision(96):
        law = Law(*(exact(v) for v in (mean, mean, 1, Rational(1, 2), 1)))
        assert lattice.lattice(pieces, pieces, law, arb(10) ** -12) is not None
    assert {round(part, 6) for *_, part in covered} == {share}
    for i, (height, box, tilt, _) in enumerate(covered):
        for other, length, more, _ in covered[i + 1 :]:
            assert (length, more) != (box, tilt) or not 0.99 < other / height < 1.001
