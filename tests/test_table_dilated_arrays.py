"""Dilated tables as arrays with derivatives: NumPy, and JAX and PyTorch where they are installed.

The slopes are compared with differences of the table, far enough from its edges.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ntksym.backends import SourceFile
from ntksym.backends.array.unit import array_unit
from ntksym.backends.c.backend import Contract
from ntksym.backends.numpy.units import units_file
from ntksym.language import as_activation
from ntksym.numeric.rules import RULES
from ntksym.runtime.engines import import_file

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
TEXT, SPAN, ERROR = "x^2*log(abs(x)) - x^2/3", (Fraction(1, 4), Fraction(9)), 1e-6
POINTS = np.array([(1.3, 0.4, 0.7), (0.3, -1.0, 8.0), (2.0, -1.9, 2.5), (3.0, 1.0, 0.4)])
ENDS = np.array([(1.0, 1.0, 1.0), (4.0, -4.0, 4.0), (1.0, 2.0, 4.0), (0.25, 0.2, 9.0)])
OUT = np.array([(0.2, 0.1, 1.0), (1.0, 0.1, 9.1), (1.0, 1.1, 1.0)])


@lru_cache(maxsize=1)
def made() -> Any:
    return RULES["tabulated"].make(as_activation(TEXT), SPAN, ERROR)


@lru_cache(maxsize=1)
def wanted() -> tuple[Any, Any]:
    """The pairs at POINTS, and their derivatives by differences, [point, of, in]."""
    h, table = 1e-4, made()
    values = [table.at(*p) for p in POINTS]
    slopes = [
        [np.subtract(table.at(*(p + e)), table.at(*(p - e))) / (2 * h) for e in h * np.eye(3)]
        for p in POINTS
    ]
    return np.array(values), np.swapaxes(slopes, 1, 2)


def close(values: Any, slopes: Any) -> None:
    found, known = wanted()
    assert np.allclose(values, found, rtol=1e-14, atol=1e-14)
    assert np.allclose(slopes, known, rtol=1e-4, atol=1e-4)


def load(source: SourceFile, folder: Path) -> Any:
    path = folder / source.name
    path.write_text(source.text, encoding="ascii")
    return import_file(path, path.stem)


def module_of(backend: Any, folder: Path) -> Any:
    unit = array_unit(made(), as_activation(TEXT))
    assert unit.point is None and unit.inside == 1.5
    source = backend.dual_file("dilated", unit, Contract("made", ("a dual",)))
    assert "K is known for all variances" in source.text
    assert "a covariance beyond its bound is NaN" in source.text
    return load(source, folder)


def test_numpy(tmp_path: Path) -> None:
    source = units_file((array_unit(made(), as_activation(TEXT)),))
    assert source.text.count("_sum(rows, line, x):") == 1  # one for the three tables
    module = load(source, tmp_path)
    u, c, v = np.concatenate([POINTS, ENDS, OUT]).T
    root = np.sqrt(np.maximum(u * v - c * c, 0.0))
    values = np.array(module.dual0_value(u, c, v, root)).T
    slopes = np.array([of[:3] for of in module.dual0_partials(u, c, v, root)]).transpose(2, 0, 1)
    close(values[:4], slopes[:4])
    assert np.isfinite(values[4:8]).all() and np.isfinite(slopes[4:8]).all()
    assert np.isnan(values[8:]).all()
    q, h = np.array([0.5, 1.0, 6.0]), 1e-5
    up, down = (np.array(module.dual0_diag_value(q + s)) for s in (h, -h))
    slopes = np.array([of[0] for of in module.dual0_diag_partials(q)])
    assert np.allclose(slopes, (up - down) / (2 * h), rtol=1e-8)
    same = np.array(module.dual0_value(q, q, q, 0.0 * q))
    assert np.allclose(same, module.dual0_diag_value(q), rtol=1e-14, atol=0)


def test_jax(tmp_path: Path) -> None:
    jax = pytest.importorskip("jax", reason="jax is not installed")
    from ntksym.backends.array import jax_units

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        module = module_of(jax_units, tmp_path)

        def both(q: Any) -> Any:
            return jax.numpy.stack(module.dual(*q))

        values = jax.jit(jax.vmap(both))(POINTS)
        close(values, jax.jit(jax.vmap(jax.jacrev(both)))(POINTS))
        assert np.isfinite(jax.jit(jax.vmap(jax.jacfwd(both)))(ENDS)).all()
        bend = jax.jit(jax.hessian(lambda q: module.dual(*q)[0]))(POINTS[0])
        assert np.allclose(bend[1], wanted()[1][0, 1], rtol=1e-4, atol=1e-4)
        diag = jax.grad(lambda q: module.diagonal(q)[0])(2.0)
        along = jax.jit(jax.grad(lambda q: module.dual(q, q, q)[0]))(2.0)
        assert abs(diag - along) < 1e-7 * abs(diag)
    finally:
        jax.config.update("jax_enable_x64", before)


def test_torch(tmp_path: Path) -> None:
    try:
        import torch
    except ImportError:
        pytest.skip("torch is not installed, or does not load")
    from ntksym.backends.array import torch_units

    module = module_of(torch_units, tmp_path)

    def both(q: Any) -> Any:
        return torch.stack(module.dual(q[0], q[1], q[2]))

    points, ends = torch.tensor(POINTS), torch.tensor(ENDS)
    values = torch.stack(module.dual(*points.T), 1)
    close(values, torch.func.vmap(torch.func.jacrev(both))(points))
    assert np.isfinite(torch.func.vmap(torch.func.jacfwd(both))(ends)).all()
    hessian: Any = torch.func.hessian
    bend = hessian(lambda q: both(q)[0])(points[0])
    assert np.allclose(bend[1], wanted()[1][0, 1], rtol=1e-4, atol=1e-4)
