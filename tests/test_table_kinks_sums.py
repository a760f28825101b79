"""Sums of Hermite coefficients for tables with kinks away from 0, and what is taken out there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import acb, arb
from sympy import Integer, log

from ntksym.language import as_activation
from ntksym.numeric.table.fold import downhill
from ntksym.numeric.table.spectra.less import function_less
from ntksym.numeric.table.split import fit as fits
from ntksym.numeric.table.split import near
from ntksym.numeric.table.split.build import plain_shape, start_of
from ntksym.numeric.table.variances import Axis
from ntksym.precision import precision
from ntksym.symbols import x
from ntksym.verify.evaluate import function


def value(found: Any, at: tuple[float, float, float]) -> float:
    """A fit at (tau_1, tau_2, x)."""
    one, two, three = (np.polynomial.chebyshev.chebvander(v, 99).ravel() for v in at)
    total = 0.0
    for i, plane in enumerate(found.tensor):
        for j, line in enumerate(plane):
            steps = sum(float(c.mid()) * t for c, t in zip(line, three, strict=False))
            total += one[i] * two[j] * steps
    return float(total)


@pytest.mark.parametrize("exact", [False, True])
def test_sums_are_within_their_bound(exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """At nodes of both variances the series is known; products of integers lose far less."""
    monkeypatch.setattr(fits, "_plain", lambda turned: 1.0 if exact else 1e-12)
    rng = np.random.default_rng(3)
    count, many = 700, 5
    fall = 1 / np.arange(1, count + 1) ** 1.5
    tau = np.cos(np.pi * (2 * np.arange(many) + 1) / (2 * many))[:, None]
    b = (rng.normal(size=count) + tau * rng.normal(size=count)) * fall
    a = 10 * (rng.normal(size=count) + tau * rng.normal(size=count)) * fall
    both = fits.bilinear_fits(b, a, 1.0, arb(1e-9))
    assert float(both[0].aliasing) < 2.1e-9
    x = 0.37
    w = (1 + x) / 2
    t = w / (1 + (1 - w))
    for found, sign in zip(both, (1, -1), strict=True):
        rho = sign * (1 - t * t) / (1 + t * t)
        for i, j in ((0, 0), (1, 3), (4, 2)):
            true = sum(
                (b[i, n] * b[j, n] + a[i, n] * b[j, n] + b[i, n] * a[j, n]) * rho**n
                for n in range(count)
            )
            got = value(found, (float(tau[i, 0]), float(tau[j, 0]), x))
            assert abs(got - true) <= float(found.aliasing + found.omitted) + 1e-13


def test_products_of_slices_are_exact_but_for_their_bound() -> None:
    rng = np.random.default_rng(4)
    one = rng.normal(size=(4, 1100)) * np.array([[1e3], [1.0], [1e-5], [1e-9]])
    two = rng.normal(size=(3, 1100)) / np.arange(1, 1101) ** 2
    found, off = fits._product(fits._slices(one), fits._slices(two))
    wrong = 0.0
    for i in range(4):
        for j in range(3):
            true = sum(Fraction(p) * Fraction(q) for p, q in zip(one[i], two[j], strict=True))
            wrong += float(abs(Fraction(found[i, j]) - true))
    size = np.abs(found).sum() * 2.0**-52
    assert wrong <= off + size < 1e-13 * np.abs(one @ two.T).max() * 1e3


def test_powers_are_chosen_whose_rounding_is_less_than_the_error() -> None:
    """Of softsign(x - 1) the cheapest are a hundred times the function, and cancel."""
    low, high, error = 0.3, 0.6, 1e-10
    expr = as_activation("softsign(x - 1)").expr
    with precision(200):
        shapes = plain_shape(expr, False), plain_shape(expr, True)
        starts = [start_of(s, Axis.over(low, high), error) for s in shapes]
    found = near.look(shapes, starts, low, high, error)
    taken = near.hermite_rows(found.powers, True, (Fraction(high),), 600, 60)[0]
    norm = float(sum(c.mid() ** 2 for c in taken)) ** 0.5
    assert 2.5e-13 * norm**2 < float(starts[1][0]) * error
    ends = [end.beyond * (2 * norm + 1) * 20 for end in found.ends]
    assert max(ends) < float(starts[1][0]) * error


def calls(func: Callable[[Any, bool], Any], at: Any) -> int:
    """How many calls of Python functions a value takes."""
    seen = []
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, arg: seen.append(event) if event == "call" else None)
    func(at, True)
    sys.setprofile(before)
    return len(seen)


def test_polynomials_are_taken_away_in_one_call() -> None:
    """log(1 + x) less its first powers: where x is small next to nothing is left."""
    expr = log(1 + x) - sum((-1) ** (j + 1) * x**j / Integer(j) for j in range(1, 13))
    for whole in (expr, expr - 3 * (x - 1) ** 2 + (x - 1) ** 5 / 7 - 2 * (x - 1)):
        with precision(200):
            fast, plain = function_less(whole), function(whole, x)
            for at in (acb(1) / 100, acb(2, 3) / 7, acb(arb(1, 0.01), arb(0, 0.01))):
                one, two = fast(at, True), plain(at, True)
                assert one.overlaps(two) and one.rad() < 4 * two.rad() + 1e-50
                assert 3 * calls(fast, at) < calls(plain, at)


def test_the_cost_is_looked_at_downhill() -> None:
    seen: list[int] = []

    def cost(k: int) -> int:
        seen.append(k)
        return (k - 4) ** 2

    assert downhill(8, 3, cost)[:2] == [4, 3] and sorted(seen) == [2, 3, 4, 5]
    assert sorted(downhill(8, 3, cost)) == list(range(8))
    assert downhill(1, 0, cost) == [0]
