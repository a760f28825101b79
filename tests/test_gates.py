"""Closed forms whose terms overflow where their sum is small."""

from __future__ import annotations

import numpy as np
import pytest

from ntksym.lower.gates import gathered
from ntksym.runtime.compile import compile as compile_


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


def test_terms_of_one_probability() -> None:
    """With an exponential of q12 only, and each term once."""
    from sympy import exp, symbols

    from ntksym.functions import Phi, Phi2
    from ntksym.symbols import q11, q12

    h, k, r = symbols("h k r", real=True)
    for grown, fewer in ((exp(q12), True), (exp(q11), False)):
        whole = (grown, -grown * Phi(h), -grown * Phi(k), grown * Phi2(h, k, r))
        assert gathered(whole) == ((grown * Phi2(-h, -k, r),) if fewer else whole)
        pair = (3 * grown * Phi(k), -3 * grown * Phi2(h, k, r))
        assert gathered(pair) == ((3 * grown * Phi2(-h, k, -r),) if fewer else pair)
