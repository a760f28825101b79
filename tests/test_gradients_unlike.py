"""Gradients of networks of mixtures at nearly parallel rows whose lengths differ."""

from __future__ import annotations

import numpy as np
import pytest

import ntksym
from ntksym.runtime.gradients.units import UnitGradient

WANT = {
    "q11": (-51.381570282625994, 4e-13),
    "q12": (79.88591401494558, 2e-14),
    "q22": (-30.39873619074259, 4e-13),
    "weight_var": (2214024.5311743626, 1e-13),
}
"""Slopes of the NTK and what they may be off by: differences of the mixture's sums in 60 digits."""


def test_unlike_lengths_keep_the_angle_of_a_mixture():
    """The square of the difference of the lengths is not lost in the next angle: 7e-13 before."""
    net = ntksym.mlp("softplus", depth=2, weight_var="3/2", bias_var="1/10")
    x, y = np.array([[600.0, 800.0, 100.0]]), np.array([[780.0, 1040.0, 131.0]])
    gradient = UnitGradient(net)
    found, turned = gradient(x, y).d_ntk, gradient(y, x).d_ntk
    for name, (want, off) in WANT.items():
        other = {"q11": "q22", "q22": "q11"}.get(name, name)
        assert found[name][0, 0] == pytest.approx(want, rel=off)
        assert turned[other][0, 0] == pytest.approx(want, rel=off)
