"""Closed forms whose terms overflow where their sum is small."""

from __future__ import annotations

import numpy as np
import pytest
from flint import acb

from ntksym import symbols as S
from ntksym.collapse.straight import Straight
from ntksym.dual import dual
from ntksym.language import as_activation
from ntksym.lower.gates import gathered
from ntksym.precision import precision
from ntksym.runtime.compile import compile as compile_

EPS = 2.0**-52


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_bells_with_a_kink_away_from_0_at_large_variances(target: str) -> None:
    """NaN near rho = 1 above q = 350 before, 1e12 near rho = -1; digits from `ntksym eval`."""
    kernel = compile_("exp(-2*abs(x - 1))", target)
    found = kernel([700.0, 1e9], [699.25, -999999985.0], [700.0, 1e9])
    values = [0.003900838526298655759, 8.4758308573728088e-07]
    slopes = [0.001716019101340223858, -2.3826378304836334e-08]
    assert np.allclose(found.nngp, values, rtol=1e-14, atol=0)
    sizes = kernel.diag([700.0, 1e9]).dot
    assert np.max(np.abs(found.dot - slopes) / sizes) < 5e-14


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_a_line_times_a_bell_with_kinks_at_any_variance(target: str) -> None:
    """(x - 1) has its kink beside that of exp(-|x|): NaN for pairs from q = 1e4 on before."""
    kernel = compile_("abs(x - 1)*exp(-abs(x))", target)
    large = np.array([1e4, 1e9, 1e20, 1e100, 1e150])
    for a in (large, np.full(5, 3.0), np.full(5, 1e4)):
        for rho in (-1.0, -0.999999, -0.5, 0.0, 0.5, 1.0):
            found = kernel(a, rho * np.sqrt(a) * np.sqrt(large), large)
            assert np.all(found.nngp >= 0.0) and not np.isnan(found.dot).any(), rho
    found = kernel(large, 0.5 * large, large).nngp  # the mass of s, squared, and the density at 0
    mass = 2.0 + 2.0 / np.e
    assert np.allclose(found * large * (2 * np.pi * 0.75**0.5), mass**2, rtol=1e-3, atol=0)
    assert np.allclose(found[2:] * large[2:] * (2 * np.pi * 0.75**0.5), mass**2, rtol=1e-14, atol=0)


def test_terms_of_one_probability() -> None:
    """With an exponential of q12 only, and each term once."""
    from sympy import exp, symbols

    from ntksym.functions import Phi, Phi2
    from ntksym.symbols import q11, q12

    h, k, r = symbols("h k r", real=True)
    for grown, fewer in ((exp(q12), True), (exp(q11), False)):
        whole = (grown, -grown * Phi(h), -grown * Phi(k), grown * Phi2(h, k, r))
        assert gathered(whole) == ((grown * Phi2(-h, -k, r),) if fewer else whole)
        half = (-grown * Phi(h), grown)
        assert gathered(half) == ((grown * Phi(-h),) if fewer else half)
        pair = (3 * grown * Phi(k), -3 * grown * Phi2(h, k, r))
        assert gathered(pair) == ((3 * grown * Phi2(-h, k, -r),) if fewer else pair)


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("text", ["sinh(x)", "cosh(x)"])
def test_exponentials_that_overflow_beside_zero(text: str, target: str) -> None:
    """E[sinh(u)sinh(v)] = exp(q) sinh(q12) is 0 for independent inputs: inf*0 before."""
    found = compile_(text, target)(
        [1e3, 1e5, 1e300, 1e3], [0.0, 0.0, 0.0, -1e3], [1e3, 1e5, 1, 1e3]
    )
    odd, even = (found.dot, found.nngp) if text == "cosh(x)" else (found.nngp, found.dot)
    assert np.array_equal(odd, [0.0, 0.0, 0.0, -np.inf]) and np.all(even == np.inf)


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("text", ["sign(x)", "max(x, 0) + 1", "exp(-abs(x))", "step(x)*exp(-x)"])
def test_limits_at_no_variance(text: str, target: str) -> None:
    """On the diagonal of one input with itself, elsewhere of two inputs of correlation 0."""
    kernel = compile_(text, target)
    tiny, none, some = 1e-40, np.zeros(2), np.array([0.0, 0.7])
    near, at = kernel.diag([tiny]), kernel.diag([0.0])
    assert np.allclose([at.nngp, at.dot], [near.nngp, near.dot], rtol=1e-15) or at.dot == np.inf
    near, at = kernel([tiny, tiny], none, [tiny, 0.7]), kernel(none, none, some)
    assert np.allclose(at.nngp, near.nngp, rtol=1e-15, atol=1e-19)
    assert np.all((at.dot == np.inf) | np.isclose(at.dot, near.dot, rtol=1e-15, atol=1e-19))


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_one_probability_keeps_the_digits_of_the_value(target: str) -> None:
    """A quarter of the size: 7 eps of the value where half-spaces were taken from each other."""
    d = dual(as_activation("step(x)*exp(-x/2)"))
    rows = [
        (q, rho * q, q) for q in (1e-6, 0.3, 1.0, 2.0) for rho in (-0.65, -0.7, -0.75, -0.8, -0.87)
    ]
    found = compile_(d, target)(*map(list, zip(*rows, strict=True))).nngp
    for row, got in zip(rows, found, strict=True):
        with precision(200):
            exact = Straight((d.value,), (S.q11, S.q12, S.q22))(*map(acb, row))[0].real
            assert abs((float(got) - exact) / exact) <= 4 * EPS, row
