"""JAX and PyTorch: slopes of networks in variances, the first layer's too, and in own parameters."""

from __future__ import annotations

import numpy as np
import pytest
from test_jax_target import jax  # noqa: F401  the fixture
from test_jax_target import written as written_jax
from test_torch_target import torch  # noqa: F401  the same
from test_torch_target import written as written_torch

import ntksym

X = np.array([[0.6, 0.8, -0.3]])
NEAR_ROWS = np.array([[0.5, -0.3, 1.0], [0.6000001, 0.8, -0.3], [-0.61, -0.8, 0.3]])
NAMES = ((-2, "bias_var"), (-1, "weight_var"))
"""Places in the columns of layers and of the first one; before them, of layers, the parameter."""
COLLINEAR = np.array([[1.2, 1.6, -0.6], [-0.6, -0.8, 0.3], [-0.6000001, -0.8, 0.3]])
"""A bias moves these apart like its root, and the covariance of opposite ones further."""
OWN = "leaky_relu", {"params": {"alpha": "1/4"}}, "alpha"
SHIFTED = "shifted_relu", {"params": {"b": "1/3"}}, "b"


@pytest.mark.parametrize(
    ("act", "bias", "y"),
    [(OWN, "0", NEAR_ROWS), (OWN, "1/10", NEAR_ROWS), (("erf", {}, None), "0", COLLINEAR)],
)
def test_in_jax(jax, act, bias, y, tmp_path):  # noqa: F811  the fixture
    """They are the runtime's, also at a bias of 0, whose root has no slope there."""
    name, params, own = act
    net = ntksym.mlp(name, depth=2, weight_var="3/2", bias_var=bias, **params)
    module = written_jax(net, tmp_path)
    want = ntksym.NetworkGradient(net, "numpy")(X, y)

    def kernels(values, first):
        return module.nngp_ntk(X, y, values=values, input_values=first)

    made = jax.jit(jax.jacrev(kernels, argnums=(0, 1)))(module.VALUES, module.INPUT_VALUES)
    for (layers, first), slopes in zip(made, (want.d_nngp, want.d_ntk), strict=True):
        for k, name in (*NAMES, *([(-3, own)] if own else [])):
            columns = [np.asarray(c[k]).sum(0) for v in layers for c in v]
            columns += [first[k]] if k >= -2 else []
            np.testing.assert_allclose(sum(columns), slopes[name], rtol=1e-13)


@pytest.mark.parametrize(
    ("act", "bias", "y"),
    [
        (SHIFTED, "0", NEAR_ROWS[:2]),
        (SHIFTED, "1/10", NEAR_ROWS[:2]),
        (("erf", {}, None), "0", COLLINEAR),
    ],
)
def test_in_pytorch(torch, act, bias, y, tmp_path):  # noqa: F811  the fixture
    """The same of a layer with kinks, whose slopes are not traced."""
    name, params, own = act
    net = ntksym.mlp(name, depth=2, weight_var="3/2", bias_var=bias, **params)
    module = written_torch(net, tmp_path)
    want = ntksym.NetworkGradient(net, "numpy")(X, y)

    def number(v):
        return torch.tensor(v, dtype=torch.float64, requires_grad=True)

    values = tuple(tuple(tuple(map(number, c)) for c in v) for v in module.VALUES)
    first = tuple(map(number, module.INPUT_VALUES))
    rows = torch.tensor(X), torch.tensor(y)
    found = module.nngp_ntk(*rows, values=values, input_values=first)
    for plane, slopes in zip(found, (want.d_nngp, want.d_ntk), strict=True):
        for k, name in (*NAMES, *([(-3, own)] if own else [])):
            leaves = [c[k] for v in values for c in v] + ([first[k]] if k >= -2 else [])
            for j in range(len(y)):
                made = torch.autograd.grad(
                    plane[0, j], leaves, retain_graph=True, allow_unused=True
                )
                total = sum(float(v.sum()) for v in made if v is not None)
                assert total == pytest.approx(slopes[name][0, j], rel=1e-12), (name, j)
