"""Generated code for every catalogue entry: against the definition, and on hostile rows.

The reference is ball arithmetic on the definition, at the exact doubles: nothing of the
derivation, the lowering or the backends is in it.
"""

from __future__ import annotations

import ctypes
import math
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from sympy import Rational
from test_catalogue_kernels import CLOSED

from ntksym.activation import Activation
from ntksym.activations import catalogue, named
from ntksym.network import mlp
from ntksym.runtime import compile as compile_kernel
from ntksym.runtime.engines import load_module, pointer
from ntksym.runtime.library.compiler import load_library
from ntksym.verify.balls import enclose_definition

POINTS = [(1.3, 0.4, 0.7), (1.0, -0.6, 2.0), (4.0, 3.9, 4.0), (0.5, -0.499, 0.5)]
GROWING = {"exp", "exponential", "sinh", "cosh", "gaussian_b"}
"""Their variances overflow, or leave the domain, in a deep network."""
ALIKE = {"celu", "scaled_elu"}
"""Networks of elu stand for these, which have its code with other numbers."""


def values(act: Activation) -> dict[str, float]:
    return {p.name: (-0.75 if p.is_negative else 0.75) for p in act.params}


def exact(z: float) -> Rational:
    f = Fraction(z)
    return Rational(f.numerator, f.denominator)


@cache
def reference(
    act: Activation, at: tuple[Rational, ...], params: tuple[tuple[str, Rational], ...]
) -> tuple[float, float, float]:
    """(sqrt(K(q11) K(q22)), the dual, its slope) by balls: once for both targets."""
    fixed = dict(params)
    norms = [size(act, z, params) for z in (at[0], at[2])]
    nngp = enclose_definition(act, *at, params=fixed, digits=20)
    slope = enclose_definition(
        act, *at, params=fixed, digits=20, derivative=True, jumps="distributional"
    )
    return math.sqrt(norms[0] * norms[1]), float(nngp.mid), float(slope.mid)


@cache
def size(act: Activation, z: Rational, params: tuple[tuple[str, Rational], ...]) -> float:
    """K(z, z, z) by balls."""
    return float(enclose_definition(act, z, z, z, params=dict(params), digits=12).mid)


@pytest.mark.parametrize("target", ["numpy", "c"])
@pytest.mark.parametrize("act", CLOSED, ids=lambda a: a.name)
def test_dual_agrees_with_the_definition(act: Activation, target: str) -> None:
    params = values(act)
    # exp(b x^2) has a kernel at small variances only
    scale = 0.0625 if act.name == "gaussian_b" else 1.0
    code = compile_kernel(act, target=target)
    for point in POINTS:
        q = tuple(scale * z for z in point)
        got = code(*(np.array([z]) for z in q), **{k: params[k] for k in code.params})
        fixed = tuple((k, exact(v)) for k, v in params.items())
        norm, nngp, slope = reference(act, tuple(exact(z) for z in q), fixed)
        assert abs(got.nngp[0] - nngp) <= 2e-14 * norm
        assert got.dot[0] == pytest.approx(slope, rel=1e-12, abs=1e-13)


@cache
def large(
    act: Activation, at: tuple[Rational, ...], params: tuple[tuple[str, Rational], ...]
) -> float:
    """The dual by balls."""
    return float(enclose_definition(act, *at, params=dict(params), digits=20).mid)


@pytest.mark.parametrize("target", ["numpy", "c"])
@pytest.mark.parametrize(
    "name", ["elu", "laplace", "one_sided_exponential", "selu", "gelu", "hardtanh"]
)
def test_large_variances(name: str, target: str) -> None:
    """exp(q/2) overflows where Phi2 underflows: their product is the kernel."""
    act = named(name)
    params = {p.name: Rational(3, 4) for p in act.params}
    code = compile_kernel(act, target=target)
    for q in (40.0, 100.0, 1000.0, 10000.0):
        for c in (0.625 * q, -0.625 * q):
            got = code(q, c, q, **{k: float(params[k]) for k in code.params})
            fixed = tuple(params.items())
            norm = size(act, exact(q), fixed)
            want = large(act, (exact(q), exact(c), exact(q)), fixed)
            assert abs(float(got.nngp) - want) <= 1e-15 * q * norm


def rows() -> np.ndarray:
    x = np.random.default_rng(0).normal(size=(12, 5))
    x[3] = x[2]
    x[5] = -x[2]
    x[6] = 0
    x[7] = 2 * x[2]
    x[8] = x[2] * (1 + 1e-9)
    return x


@pytest.mark.usefixtures("quick_c")
@pytest.mark.parametrize(
    "act", [a for a in CLOSED if a.name not in GROWING | ALIKE], ids=lambda a: a.name
)
def test_network_on_hostile_rows(act: Activation) -> None:
    """Equal, opposite, zero, doubled and nearly equal rows: finite, symmetric, exact where equal."""
    steep = act.name.startswith("hermite")  # degree 5 to the third power leaves the doubles
    net = mlp(
        act, depth=2 if steep else 3, weight_var=1, bias_var="1/10", params=_exact(values(act))
    )
    x = rows()
    c, n = (compile_kernel(net, target=t)(x) for t in ("c", "numpy"))
    # a rounding of a variance is multiplied by the degree in every layer: 4^3 for relu4
    tight = 5e-14 if steep or act.name in ("x2_probit", "relu4") else 2e-15
    for k in (c, n):
        for a in (k.nngp, k.ntk):
            assert np.isfinite(a).all()
            assert np.array_equal(a, a.T)
            assert a[2, 3] == pytest.approx(a[2, 2], rel=tight)
    size = np.sqrt(np.outer(np.diag(c.nngp), np.diag(c.nngp)))
    # nearly equal rows of a jumping activation: the angle itself keeps half the digits
    jumps = {"step", "hardshrink", "threshold", "one_sided_exponential"}
    limit = 2.0**-26 if act.name in jumps else 5e-14
    assert np.max(np.abs(c.nngp - n.nngp) / size) < limit


@pytest.mark.usefixtures("quick_c")
@pytest.mark.parametrize("text", ["mlp:relu:depth=2,bias_var=0.1", "mlp:tanh:depth=1,bias_var=0.1"])
def test_exported_code_has_the_angle_from_the_rows(text: str) -> None:
    """The functions that take rows, in C and NumPy files: as exact as the compiled kernel."""
    x = rows()
    y = x + 1e-9 * np.random.default_rng(1).normal(size=x.shape)
    y[2], y[7], y[9], y[10] = -x[2] * (1 - 1e-8), 0.5 * x[7], x[9], 0.75 * x[10] - 1e-7 * x[1]
    both = x, y
    if "relu" in text:
        both = np.vstack([x, 1e-140 * x, 1e140 * x]), np.vstack([y, 1e-140 * y, 1e140 * y])
    c, n = (compile_kernel(text, target=t, collapse=False) for t in ("c", "numpy"))
    exact, sizes = c(*both), [np.outer(*np.sqrt(d)) for d in zip(*map(c.diag, both), strict=True)]
    library, found = load_library(c.sources), [np.empty(exact.ntk.shape) for _ in "kt"]
    counts = [ctypes.c_size_t(k) for k in (*exact.ntk.shape, x.shape[1])]
    assert library.ntksym_network(*counts, *map(pointer, (*both, *found))) == 0
    for values in (found, load_module(n.sources[0]).kernel(*both)):
        for value, want, size in zip(values, exact, sizes, strict=True):
            assert np.abs((value - want) / np.where(size == 0.0, 1.0, size)).max() < 2e-15


@pytest.mark.parametrize(
    "wrong",
    [1j * np.eye(3), [["1"]], [1.0, 2.0], None, np.empty((3, 0)), np.ma.masked_less(np.eye(2), 1)],
    ids=["complex", "text", "row", "none", "no columns", "masked"],
)
def test_exported_numpy_refuses_what_is_no_data(wrong: object) -> None:
    kernel = compile_kernel("mlp:relu:depth=2,bias_var=0.1", target="numpy")
    module = load_module(kernel.sources[0])
    for given in ((wrong,), (np.eye(3), wrong)):
        if given[-1] is not None or len(given) == 1:
            with pytest.raises(ValueError, match=r"^[xy]: (real numbers|masked elements)"):
                module.kernel(*given)
    with pytest.raises(ValueError, match="x and y have rows of 3 and 2 numbers"):
        module.kernel(np.eye(3), np.eye(2))
    lost = np.eye(3)
    lost[1, 1] = np.inf
    assert (~np.isfinite(module.kernel(lost)[1])).sum(axis=0).tolist() == [1, 3, 1]


def _exact(params: dict[str, float]) -> dict[str, Rational]:
    return {k: exact(v) for k, v in params.items()}


def test_overflow_is_said_not_hidden() -> None:
    kernel = compile_kernel(mlp("exp", depth=4, weight_var=1), target="numpy")
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="variance of row 0 of X"):
        kernel(np.ones((2, 2)) * 3)


def test_every_entry_is_covered() -> None:
    assert {a.name for a in CLOSED} >= GROWING | ALIKE
    assert len(CLOSED) > 0.8 * len(catalogue())
