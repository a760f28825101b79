"""Tables of kinks over a range of variances as arrays with derivatives: NumPy, JAX and PyTorch.

The table is made by hand: two kinks at which the function and its slope jump, and a smooth rest.
Its slopes are compared with differences.
"""

from __future__ import annotations

import ast
import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ntksym
from ntksym.backends.array import jax_units, torch_units
from ntksym.backends.array.unit import array_unit
from ntksym.backends.c.backend import Contract
from ntksym.backends.numpy.units import units_file
from ntksym.language import as_activation
from ntksym.numeric.table.chebyshev import ChebyshevTable
from ntksym.numeric.table.dual import Sheet
from ntksym.numeric.table.split.closed import Closed
from ntksym.numeric.table.split.kinks import KinkTable
from ntksym.runtime.engines import import_file
from ntksym.runtime.units.array_plan import array_plan
from ntksym.runtime.units.layers import Wanted

pytestmark = pytest.mark.filterwarnings("ignore")
ALPHA, VALUE = 1.5, ((0.25, 1.0, -0.5), (-0.75, 0.5, 0.25))
POINTS = np.array([(1.3, 0.4, 0.7), (0.6, -0.9, 1.9), (1.5, -1.3, 1.4), (1.1, 1.0, 1.2)])
ENDS = np.array([(1.0, 1.0, 1.0), (1.3, -1.3, 1.3), (1.0, 1.0 - 2.0**-40, 1.0)])
OUT = np.array([(0.4, 0.1, 1.0), (1.0, 0.1, 2.1), (1.0, 1.1, 1.0)])


def slope(row: tuple[float, ...]) -> tuple[float, ...]:
    down, up = (*(j * c for j, c in enumerate(row)), 0.0, 0.0)[1:], (0.0, *row)
    return tuple(a - ALPHA * b for a, b in zip(down, up, strict=True))


def sheet(seed: int, parity: int) -> Sheet:
    """Polynomials even in the angle: their derivatives in x are 0 at x = -1."""
    rng = np.random.default_rng(seed)

    def rows() -> Any:
        planes = []
        for i in range(3):
            plane = rng.normal(size=(3 - i, 5)) / 8
            plane[:, 1] = 4 * plane[:, 2] - 9 * plane[:, 3] + 16 * plane[:, 4]
            planes.append(tuple(map(tuple, plane.tolist())))
        return tuple(planes)

    return Sheet(rows(), () if parity else rows(), parity, (0.5, 0.25, 0.125), 1e-3, ())


def made(jumps: bool = True) -> KinkTable:
    far = ChebyshevTable(0.5, 2.0, 1.0, 0.18, 1.0, 1.0, sheet(1, 0), sheet(2, -1), 9, 9)
    value = VALUE if jumps else tuple((0.0, *row[1:]) for row in VALUE)
    closed = Closed((-0.5, 0.5), ALPHA, value, tuple(map(slope, value)))
    return KinkTable("made", "x", far, closed, (1, 1e-15))


def wanted() -> tuple[Any, Any]:
    """The pairs at POINTS, and their derivatives by differences, [point, of, in]."""
    h, table = 1e-5, made()
    values = [table.at(*p) for p in POINTS]
    slopes = [
        [np.subtract(table.at(*(p + e)), table.at(*(p - e))) / (2 * h) for e in h * np.eye(3)]
        for p in POINTS
    ]
    return np.array(values), np.swapaxes(slopes, 1, 2)


def close(values: Any, slopes: Any) -> None:
    found, known = wanted()
    assert np.allclose(values, found, rtol=1e-13, atol=1e-14)
    assert np.allclose(slopes, known, rtol=1e-8, atol=1e-8)


def load(text: str, folder: Path) -> Any:
    path = folder / "kinks.py"
    path.write_text(text, encoding="ascii")
    return import_file(path, path.stem)


def module_of(backend: Any, folder: Path) -> Any:
    unit = array_unit(made(), as_activation("x"))
    assert unit.point is None and unit.inside == 1.0
    return load(backend.dual_file("kinks", unit, Contract("made", ("a dual",))).text, folder)


def test_numpy(tmp_path: Path) -> None:
    module = load(units_file((array_unit(made(), as_activation("x")),)).text, tmp_path)

    def pairs(points: Any) -> tuple[Any, Any]:
        u, c, v = points.T
        at = u, c, v, module._rootdet(u, c, v)
        slopes = np.array([of[:3] for of in module.dual0_partials(*at)])
        return np.array(module.dual0_value(*at)).T, slopes.transpose(2, 0, 1)

    close(*pairs(POINTS))
    assert all(np.isfinite(v).all() for v in pairs(ENDS))
    assert np.isnan(pairs(OUT)[0]).all()
    q, h = np.array([0.55, 1.0, 1.9]), 1e-5
    up, down = (np.array(module.dual0_diag_value(q + s)) for s in (h, -h))
    slopes = np.array([of[0] for of in module.dual0_diag_partials(q)])
    assert np.allclose(slopes, (up - down) / (2 * h), rtol=1e-7)


def test_without_jumps_the_slope_in_q12_is_the_derivative_dual(tmp_path: Path) -> None:
    table = made(jumps=False)
    unit = array_unit(table, as_activation("x"))
    assert "the value in q12 is the derivative dual" in " ".join(unit.notes)
    module, at = load(units_file((unit,)).text, tmp_path), [POINTS[:, i] for i in range(3)]
    at.append(module._rootdet(*at))
    dot = module.dual0_value(*at)[1]
    assert np.allclose(module.dual0_partials(*at)[0][1], dot, rtol=1e-13, atol=1e-14)
    smooth = replace(table, closed=Closed((0.5,), ALPHA, ((0.0,) * 3,), ((0.0,) * 4,)))
    unit = array_unit(smooth, as_activation("x"))
    module = load(units_file((unit,)).text, tmp_path)
    far = [table.far.at(*p) for p in POINTS]
    assert np.allclose(np.array(module.dual0_value(*at)).T, far, rtol=1e-13, atol=1e-14)


def test_jax(tmp_path: Path) -> None:
    jax = pytest.importorskip("jax", reason="jax is not installed")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        module = module_of(jax_units, tmp_path)

        def both(q: Any) -> Any:
            return jax.numpy.stack(module.dual(*q))

        with jax.disable_jit():
            slopes = jax.vmap(jax.jacfwd(both))(np.concatenate([POINTS, ENDS]))
            close(jax.vmap(both)(POINTS), slopes[:4])
        assert np.isfinite(slopes).all()
    finally:
        jax.config.update("jax_enable_x64", before)


def test_torch(tmp_path: Path) -> None:
    try:
        import torch
    except ImportError:
        pytest.skip("torch is not installed, or does not load")
    torch.set_num_threads(1)
    module = module_of(torch_units, tmp_path)
    at = np.concatenate([POINTS, ENDS])
    q = [torch.tensor(c, requires_grad=True) for c in at.T]
    both = module.dual(*q)
    slopes = [torch.autograd.grad(v.sum(), q, create_graph=True) for v in both]
    found = np.array([[s.detach().numpy() for s in row] for row in slopes]).transpose(2, 0, 1)
    values = np.stack([v.detach().numpy() for v in both], 1)
    close(values[:4], found[:4])
    assert np.isfinite(found).all()
    bend = torch.autograd.grad(slopes[0][0][:4].sum(), q[1])[0][:4]
    first, second = (
        torch.autograd.grad(module.dual(q[0], q[1] + s, q[2])[0][:4].sum(), q[0])[0][:4]
        for s in (1e-5, -1e-5)
    )
    assert torch.allclose(bend, (first - second) / 2e-5, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("backend", [jax_units, torch_units])
def test_in_a_network_no_name_stands_for_two_things(backend: Any, tmp_path: Path) -> None:
    plan, _ = array_plan(ntksym.mlp("relu", depth=1), Wanted("auto", None), None)
    net = replace(plan, kinds=(array_unit(made(), as_activation("x")),))
    text = backend.network_file(net, Contract("made", ("a network",))).text
    found: dict[str, str] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            assert found.setdefault(node.name, ast.unparse(node)) == ast.unparse(node)
    try:
        lib = importlib.import_module("torch" if backend is torch_units else "jax.numpy")
    except ImportError:
        return
    x = np.array([[1.0, 0.5], [0.75, -1.0]])
    with np.errstate(all="ignore"):
        nngp = np.asarray(load(text, tmp_path).nngp_ntk(lib.asarray(x))[0])
    orders = (0.625, 0.125, 0.78125), (0.78125, 0.125, 0.625)  # not the same for made-up numbers
    known = np.mean([made().at(*order)[0] for order in orders])
    assert abs(nngp[0, 1] - known) < 1e-5 * abs(known)
