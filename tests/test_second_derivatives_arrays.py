"""Second derivatives of PyTorch networks, whose text JAX networks share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ntksym
from ntksym.export.languages import array_sources
from ntksym.runtime.engines import import_file


def test_second_derivatives_are_right_or_nan(tmp_path: Path) -> None:
    """Those at x = y see the square of the angle, which has no slope there: erf's was off by 0.4 of
    itself.  Rows with themselves are right, beside differences of first derivatives."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    net = ntksym.mlp("erf", depth=2, weight_var="3/2", bias_var="1/10")
    (file,) = array_sources(net, "torch", "made")
    path = tmp_path / file.name
    path.write_text(file.text, encoding="ascii")
    module = import_file(path, "made")
    rows = np.random.default_rng(1).standard_normal((2, 2))

    def slope(x: Any, y: Any = None) -> Any:
        at = torch.tensor(x, requires_grad=True)
        ntk = module.nngp_ntk(at, y if y is None else torch.tensor(y))[1].sum()
        return at, torch.autograd.grad(ntk, at, create_graph=True)[0]

    def second(x: Any, y: Any = None) -> Any:
        at, first = slope(x, y)
        lines = [torch.autograd.grad(v, at, retain_graph=True)[0] for v in first.ravel()]
        return np.array([v.numpy().ravel() for v in lines])

    for x, y in ((rows, None), (rows[:1], rows[1:])):
        steps = 1e-4 * np.eye(x.size).reshape(-1, *x.shape)
        ends = [[slope(x + s * step, y)[1].detach().numpy() for s in (1, -1)] for step in steps]
        want = np.array([(up - down).ravel() / 2e-4 for up, down in ends])
        np.testing.assert_allclose(second(x, y), want, atol=1e-6)
    x = 1e3 * rows[:1]  # collinear with y, and moved apart by the bias alone
    for y in (2.0 * x, -x):
        steps = 0.002 * np.eye(x.size)[:, None]
        ends = [[slope(x + s * step, y)[1].detach().numpy() for s in (1, -1)] for step in steps]
        want = np.array([(up - down).ravel() / 0.004 for up, down in ends])
        np.testing.assert_allclose(second(x, y), want, atol=1e-4 * abs(want).max())
    assert np.isfinite(slope(rows, rows)[1].detach().numpy()).all()
    assert np.isnan(second(rows[:1], rows[:1])).all()
