"""Layers with kinks have slopes of their own in JAX and PyTorch: traced ones lose digits."""

from __future__ import annotations

import pytest

import ntksym
from ntksym.export.layer_slopes import layer_slopes
from ntksym.lower import lower_network
from ntksym.network import recurse


@pytest.mark.parametrize(
    ("name", "bias"),
    [
        ("hardtanh", "0"),
        ("relu6", "1/10"),
        ("selu", "0"),
        ("hardswish", "1/10"),
        ("triangle", "0"),
    ],
)
def test_layers_with_kinks_have_slopes_of_their_own(name: str, bias: str) -> None:
    """What the runtime's programs take beside the state must not leave arrays without them."""
    net = ntksym.mlp(name, depth=2, weight_var="3/2", bias_var=bias)
    recursion = recurse(net)
    schedule = lower_network(recursion)
    found = layer_slopes(recursion, schedule)
    assert set(found) == {step.kind for step in schedule.steps}
    assert all(slopes.settled is not None for slopes in found.values()) or name == "triangle"
