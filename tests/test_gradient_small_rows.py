"""Gradients at rows of 1e-150, and of collinear rows, which a bias moves apart like its root."""

import mpmath
import numpy as np
import pytest

import ntksym
from ntksym.lower.orthants import orthant, scaled_orthant

X = np.array([[0.6, 0.8, -0.3]])
Y = np.array([[0.5, -0.3, 1.0], *X, 2.0 * X[0], -X[0], [-0.601, -0.8, 0.3]])
"""One apart, the row itself, parallel ones and one that is nearly opposite."""
W = 1.5


def linear(slope, depth, inner):
    """Both kernels of s(x) = slope*x, bias 0, and their slopes in weights, bias and |x||y|cos."""
    rate = W * slope**2
    n = {"": W * inner, "weight_var": inner, "bias_var": 1.0, "q12": W / 3.0}
    t = dict(n)
    for _ in range(depth):
        after = {k: rate * v for k, v in n.items()}
        after["weight_var"] += slope**2 * n[""]
        after["bias_var"] += 1.0
        moved = {k: after[k] + rate * v for k, v in t.items()}
        moved["weight_var"] += slope**2 * t[""]
        n, t = after, moved
    return n, t


@pytest.mark.parametrize("target", ["numpy", None])
@pytest.mark.parametrize("size", [1e-100, 1e-150])
@pytest.mark.parametrize(("name", "slope"), [("hardtanh", 1.0), ("hardswish", 0.5), ("erf", None)])
def test_small_rows_see_a_line(name, slope, size, target):
    """Far below its kinks an activation is its tangent: collinear rows have that slope too."""
    slope = 2.0 / np.sqrt(np.pi) if slope is None else slope
    depth = 1 if name == "hardswish" else 2
    net = ntksym.mlp(name, depth=depth, weight_var="3/2", bias_var=0)
    found = ntksym.NetworkGradient(net, target)(X * size, Y * size)
    inner = (X * size) @ (Y * size).T / 3.0
    planes = (found.nngp, found.d_nngp), (found.ntk, found.d_ntk)
    for (value, slopes), want in zip(planes, linear(slope, depth, inner), strict=True):
        np.testing.assert_allclose(value, want[""], rtol=1e-13)
        for v in ("weight_var", "bias_var", "q12"):
            if v == "q12" or value is found.ntk:  # E[s''(u)s''(v)] of opposite ones is infinite
                kept = np.isfinite(slopes[v])
                assert kept[0, :3].all()
            else:
                kept = np.ones_like(value, dtype=bool)
            full = np.broadcast_to(want[v], value.shape)
            np.testing.assert_allclose(slopes[v][kept], full[kept], rtol=1e-12)


@pytest.mark.parametrize("target", ["numpy", None])
def test_slopes_of_relu_do_not_see_the_size(target):
    """Those in the entries are of degree 0, those in weights of the degree of the kernels."""
    g = ntksym.NetworkGradient(ntksym.mlp("relu", depth=3, weight_var="3/2", bias_var=0), target)
    one, small = g(X, Y), g(X * 1e-150, Y * 1e-150)
    for a, b in ((one.d_nngp, small.d_nngp), (one.d_ntk, small.d_ntk)):
        for v in ("q11", "q12", "q22", "bias_var"):
            np.testing.assert_allclose(b[v], a[v], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(b["weight_var"] * 1e200 * 1e100, a["weight_var"], rtol=1e-12)


@pytest.mark.parametrize("target", ["numpy", None])
def test_a_bias_moves_collinear_rows_apart(target):
    """ReLU: K is q12/2 to first order, for parallel rows; erf beside a one-sided difference."""
    relu = ntksym.mlp("relu", depth=2, weight_var="3/2", bias_var=0)
    found = ntksym.NetworkGradient(relu, target)(X, Y)
    assert found.d_nngp["bias_var"][0, 2] == pytest.approx(1.0 + 0.75 + 0.75**2, rel=1e-14)
    assert found.d_ntk["bias_var"][0, 2] == -np.inf  # like the angle, that is like its root
    assert np.isfinite(found.d_ntk["bias_var"][0, 1])
    erf = ntksym.mlp("erf", depth=2, weight_var="3/2", bias_var=0)
    found = ntksym.NetworkGradient(erf, target)(X, Y)
    step = mpmath.mpf(10) ** -30
    with mpmath.workdps(60):
        for j, y in enumerate(Y):
            both = zip(_erf_network(X[0], y, step), _erf_network(X[0], y, 0), strict=True)
            want = [float((a - b) / step) for a, b in both]
            for slopes, right in zip((found.d_nngp, found.d_ntk), want, strict=True):
                assert slopes["bias_var"][0, j] == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize("target", ["numpy", None])
def test_the_slope_in_the_bias_at_a_row_of_zeros_is_that_of_the_bias(target):
    """Squared ReLU: the dual of inputs that a bias alone correlates is a quarter of q11*q22."""
    net = ntksym.mlp("max(x, 0)**2", depth=3, weight_var="3/2", bias_var=0)
    found = ntksym.NetworkGradient(net, target, threads=1)(X, 0.0 * X)
    q, want = W * (X @ X.T).item() / 3.0, 1.0
    for _ in range(3):
        q, want = W * 1.5 * q * q, 1.0 + W * q / 4.0  # the second variance is the bias itself
    for slopes in (found.d_nngp, found.d_ntk):
        assert slopes["bias_var"].item() == pytest.approx(want, rel=1e-13)


def _erf_network(x, y, bias):
    """(nngp, ntk) of two layers of erf, by the arcsine (Williams 1997)."""
    x, y = ([mpmath.mpf(float(v)) for v in row] for row in (x, y))
    k = [W * mpmath.fdot(a, b) / 3 + bias for a, b in ((x, x), (x, y), (y, y))]
    t = list(k)
    for _ in range(2):
        n, after = [], []
        for (a, c, b), own in zip(((k[0],) * 3, k, (k[2],) * 3), t, strict=True):
            det = (1 + 2 * a) * (1 + 2 * b)
            n.append(W * 2 / mpmath.pi * mpmath.asin(2 * c / mpmath.sqrt(det)) + bias)
            rate = W * 4 / mpmath.pi / mpmath.sqrt(det - 4 * c * c)
            after.append(n[-1] + rate * own)
        k, t = n, after
    return k[1], t[1]


@pytest.mark.parametrize(("h", "k", "c"), [(-40, -40, 0.99), (-44, -40, 0.6), (3, -2, -0.7)])
def test_orthants_far_out(h, k, c):
    """By Owen's series with digits for all that cancels, by his integral far out, and scaled."""
    ctx = mpmath.MPContext()
    ctx.dps = 60
    h, k, c = ctx.mpf(h), ctx.mpf(k), ctx.mpf(c)
    scale = (h * h + min(k, 0) ** 2) / 4
    with ctx.workdps(60 + int(2 * scale)):
        s = ctx.sqrt(1 - c * c)
        want = orthant(ctx, h, k, c, s)
    whole = scaled_orthant(ctx, scale, h, k, c, s) * ctx.exp(-scale)
    assert abs(whole / want - 1) < ctx.mpf(10) ** -50
    if c > 0.9 or h > 0:  # nothing cancels
        assert abs(orthant(ctx, h, k, c, s) / want - 1) < ctx.mpf(10) ** -50


def test_equal_rows_of_a_wave_in_a_bell():
    """E[s''(u)^2] of rows of 1e50 is a double, its closed form is not: from many digits."""
    g = ntksym.NetworkGradient(ntksym.mlp("gabor", depth=1, weight_var="3/2", bias_var=0), "numpy")
    x = X * 1e50
    found, want = g(x, np.vstack([x, -x])), [g.exact(x[0], y) for y in (x[0], -x[0])]
    for j in (0, 1):
        assert found.polar_ntk["angle"][0, j] == 0.0
        for v in g.wrt:
            assert found.d_ntk[v][0, j] == pytest.approx(float(want[j][f"ntk/{v}"]), rel=1e-11)
