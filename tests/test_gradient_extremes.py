"""Gradients of networks at rows whose products of variances leave the range of doubles."""

from itertools import product

import numpy as np
import pytest
from mpmath import MPContext

import ntksym
from ntksym.gradients import dual_gradients
from ntksym.lower.build import Builder
from ntksym.runtime.gradients.compiled import Compiled
from ntksym.runtime.gradients.exactly import checked
from ntksym.runtime.gradients.input import by_rows
from ntksym.runtime.gradients.planes import KernelGradients
from ntksym.runtime.gradients.steps import numeric

ROWS = np.array([[0.6, 0.8], [0.5, -0.3], [0.6000001, 0.8], [1.0, -0.6]])
"""One apart from the rest, two that are nearly parallel, two that are parallel."""


def reference(activation, rows):
    """Of one layer: both kernels and their derivatives in q11, q12, q22, in 700 digits."""
    ctx = MPContext()
    ctx.dps = 700
    program = dual_gradients(activation).program()
    exact = [[ctx.mpf(float(v)) for v in row] for row in rows]
    for i, j in product(range(len(rows)), repeat=2):
        x, y = exact[i], exact[j]
        q11, q12, q22 = (ctx.fdot(a, b) / 2 for a, b in ((x, x), (x, y), (y, y)))
        r = program.evaluate({"q11": q11, "q12": q12, "q22": q22}, ctx)
        want = {"nngp": r["nngp"], "ntk": r["nngp"] + q12 * r["dot"]}
        unit = abs(r["nngp"]) + abs(q12 * r["dot"])
        for v, q in (("q11", q11), ("q12", ctx.sqrt(q11 * q22)), ("q22", q22)):
            more = r["dot"] if v == "q12" else 0
            want["nngp", v] = r[f"nngp_{v}"] / 2
            want["ntk", v] = (r[f"nngp_{v}"] + more + q12 * r[f"dot_{v}"]) / 2
            want["unit", v] = unit / q
        yield i, j, want


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("gelu", (1e-150, 1e26, 1e60, 1e145)),
        ("smooth_relu", (1e60, 1e145)),
        ("erf", (1e15, 1e60)),
    ],
)
def test_slopes_at_rows_of_any_size(name, sizes):
    """Beside the references, in units of the kernels over the variances: NumPy, and C if any."""
    net = ntksym.parse_spec(f"mlp:{name}:depth=1,weight_var=1,bias_var=0")
    both = [ntksym.NetworkGradient(net, target, threads=1) for target in ("numpy", None)]
    for size in sizes:
        made = [g(ROWS * size) for g in both]
        wanted = reference(net.blocks[0][0].activation, ROWS * size)
        for (i, j, want), found in product(wanted, made):
            for kind, values in (("nngp", found.d_nngp), ("ntk", found.d_ntk)):
                value = getattr(found, kind)[i, j]
                assert abs(value - want[kind]) <= 1e-13 * abs(want[kind])
                for v in ("q11", "q12", "q22"):
                    right = want[kind, v]
                    most = max(abs(right), want["unit", v])
                    assert abs(values[v][i, j] - right) <= 1e-11 * most + 1e-300, (size, i, j, v)


@pytest.mark.parametrize("target", ["numpy", None])
@pytest.mark.parametrize(
    ("name", "depth", "size"),
    [
        ("gelu", 1, 1e60),
        ("gelu", 2, 1e26),
        ("erf", 1, 1e15),
        ("erf", 2, 1e60),
        ("x2_probit", 1, 1e20),
    ],
)
def test_equal_and_near_rows_of_smooth_networks(name, depth, size, target):
    """Directions of equal rows are polar: in q12 they would cancel to the width of s'' over rows."""
    net = ntksym.parse_spec(f"mlp:{name}:depth={depth},weight_var=1.5,bias_var=0.1")
    g = ntksym.NetworkGradient(net, target, threads=1)
    x = ROWS[[0, 2]] * size
    found = g(x)
    for i, j in ((0, 0), (0, 1)):
        want = g.exact(x[i], x[j])
        for k, slopes in (("nngp", found.d_nngp), ("ntk", found.d_ntk)):
            assert getattr(found, k)[i, j] == pytest.approx(float(want[k]), rel=1e-12)
            for v in ("weight_var", "bias_var"):
                assert slopes[v][i, j] == pytest.approx(float(want[f"{k}/{v}"]), rel=1e-9)


@pytest.mark.parametrize(
    ("spec", "sizes", "target"),
    [
        ("hardtanh:depth=3", (1e4,), None),
    ],
)
def test_slopes_where_closed_forms_cancel(spec, sizes, target):
    """Beside many digits, in units of the kernels over the variances, pairs with usual rows, equal
    and nearly parallel ones included; usual rows among them keep what they have."""
    net = ntksym.parse_spec(f"mlp:{spec},weight_var=1.5,bias_var=0.1")
    g = ntksym.NetworkGradient(net, target, threads=1)
    one = g(ROWS[:2])
    if "target=c" in repr(g):  # NumPy takes milliseconds a pair
        assert isinstance(g._far_doubles().run, Compiled)
    for size in sizes:
        rows, others = ROWS[:2], np.vstack([ROWS[:2], ROWS * size])
        for x, y in ((rows, others), (ROWS[:3] * size, None)):
            found = g(x, y)
            assert np.isfinite(found.nngp).all()
            if y is None:
                want = float(g.exact(x[0], x[0])["ntk/polar angle"])
                assert found.polar_ntk["angle"][0, 0] == pytest.approx(want, rel=1e-12)
            else:
                for v in g.wrt:
                    np.testing.assert_allclose(found.d_ntk[v][:, :2], one.d_ntk[v], rtol=1e-9)
            for i, j in ((0, 1), (1, 2), (0, 0), (0, 2)):
                if i < len(x) and j < len(x if y is None else y):
                    _compare(g, found, (i, j), x[i], (x if y is None else y)[j])


def _compare(g, found, place, x, y):
    """A pair's values and slopes, with those of many digits."""
    want = {k: float(v) for k, v in g.exact(x, y).items()}
    square = {"q11": x @ x, "q22": y @ y, "q12": np.sqrt(x @ x) * np.sqrt(y @ y)}
    units = abs(want["nngp"]), abs(want["nngp"]) + abs(want["ntk"])
    kinds = ("nngp", "ntk"), (found.nngp, found.ntk), (found.d_nngp, found.d_ntk), units
    for k, value, slopes, unit in zip(*kinds, strict=True):
        assert value[place] == pytest.approx(want[k], rel=1e-12)
        for v in g.wrt:
            got, right = slopes[v][place], want[f"{k}/{v}"]
            most = max(abs(right), unit / square.get(v, 1.0))
            if v in square and (x == y).all():
                continue  # those are infinite, or not had
            assert got == right or abs(got - right) <= 1e-12 * most, (k, v, place)


@pytest.mark.parametrize(
    ("activation", "size"),
    [("sin", 1e8), ("erf", 1e8), ("hardtanh", 300.0)],
)
def test_slopes_of_parallel_rows_where_variances_are_large(activation, size):
    """E[u s'(u)s(v)] is a difference of two numbers that are as much larger as the variance is
    beside the width of what s does; beside many digits, equal and opposite rows too."""
    net = ntksym.mlp(activation, depth=1, weight_var=1.5, bias_var=0.1)
    g = ntksym.NetworkGradient(net, threads=1)
    x = ROWS[:1] * size
    near = [x + np.array([step, 0.0]) for step in (1e-3 * size, 0.1)]
    others = np.vstack([x, -x, *near, ROWS[1:2] * size])
    found = g(x, others)
    for j, y in enumerate(others):
        _compare(g, found, (0, j), x[0], y)


def test_gradients_where_parameters_move_kinks():
    """The places of kinks are exact numbers, whatever type the parameters have."""
    net = ntksym.mlp("shifted_relu", depth=2, weight_var=2, bias_var=0.1, params={"b": 0.5})
    g = ntksym.NetworkGradient(net, "numpy", threads=1)
    found = g(ROWS)
    for place in ((0, 1), (0, 2)):
        _compare(g, found, place, *ROWS[list(place)])


@pytest.mark.parametrize(
    ("activation", "sizes", "bias"),
    [("erf", (1e100, 1e150), "0"), ("hardtanh", (1e100, 1e100), "0.1"), ("erf", (1, 1e120), "0.1")],
)
def test_slopes_of_steps_beyond_the_range_of_their_parts(activation, sizes, bias):
    """E[s''(u)s''(v)] goes like the inverse square of variances and is no double from rows of 1e75
    on; the slopes of the kernels are, equal, nearly parallel and collinear rows included."""
    net = ntksym.mlp(activation, depth=2, weight_var="1.5", bias_var=bias)
    g = ntksym.NetworkGradient(net, threads=1)
    x, y = ROWS[:1] * sizes[0], np.vstack([ROWS[:3], -1.5 * ROWS[:1]]) * sizes[1]
    found = g(x, y)
    for j, other in enumerate(y):
        _compare(g, found, (0, j), x[0], other)


@pytest.mark.parametrize("offset", [0.0, 0.1])
@pytest.mark.parametrize("sizes", [(1e-150, 1e-150), (1e150, 1e150), (1e-150, 1), (1e150, 1e-8)])
def test_input_gradients_at_rows_of_any_size(sizes, offset):
    """The direction in which x turns, from exact rows, in units of it; what it is multiplied by is
    the slope in the angle."""
    x, others = ROWS[0] * sizes[0], np.vstack([ROWS, -1.5 * ROWS[:1], ROWS[:1] + 1e-9]) * sizes[1]
    ones, none = np.ones((1, len(others))), np.zeros((1, len(others)))
    polar = {"q11": none, "angle": ones, "q22": none}
    planes = KernelGradients(none, none, {}, {}, polar, polar)
    found = by_rows(planes, x[None], others, (1.0, offset))[0][0]
    ctx = MPContext()
    ctx.dps = 1300
    u = ctx.matrix([float(v) for v in x])
    for got, y in zip(found, others, strict=True):
        v = ctx.matrix([float(w) for w in y])
        q11, q12, q22 = (ctx.fdot(*p) + offset for p in ((u, u), (u, v), (v, v)))
        det = (q11 - offset) * (q22 - offset) - (q12 - offset) ** 2
        root = ctx.sqrt(det + offset * ctx.fdot(u - v, u - v))
        want = np.zeros(2) if root == 0 else (q12 * u - q11 * v) / (root * q11)
        want = np.array([float(w) for w in want])
        assert np.max(np.abs(got - want)) <= 1e-14 * np.max(np.abs(want))


def test_equal_rows_see_the_width_of_a_smooth_kink():
    """E[s''(u)^2] of equal rows of gelu is a number over their length, not infinite, at any size."""
    g = ntksym.NetworkGradient(ntksym.mlp("gelu", depth=1, weight_var=1), "numpy")
    near, far = (g(np.array([[s, 0.0]])).d_ntk["q12"][0, 0] for s in (1e12, 1e72))
    assert far == pytest.approx(near * 1e60, rel=1e-11)


@pytest.mark.parametrize("target", ["numpy", None])
def test_opposite_rows_of_odd_networks_are_equal_rows_mirrored(target):
    """Sigma and Theta are odd in q12: they have the same slope in the angle at both ends."""
    g = ntksym.NetworkGradient(ntksym.mlp("hardtanh", depth=3, weight_var=2), target, threads=1)
    x = ROWS[:1]
    found = g(x, np.vstack([x, -x]))
    for k, turned, slopes in (
        (found.nngp, found.polar_nngp, found.d_nngp),
        (found.ntk, found.polar_ntk, found.d_ntk),
    ):
        assert abs(turned["angle"][0, 0]) > 0.1 or k is found.nngp
        np.testing.assert_allclose(k[0, 1], -k[0, 0], rtol=1e-14)
        np.testing.assert_allclose(turned["angle"][0, 1], turned["angle"][0, 0], atol=1e-13)
        for v in (turned["q11"], turned["q22"], slopes["weight_var"]):
            np.testing.assert_allclose(v[0, 1], -v[0, 0], rtol=1e-13)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_slope_that_bends_but_does_not_jump_keeps_small_angles(sign):
    """Of max(x, 0)^2 nothing is infinite at rho = +-1, so that nothing is divided by the angle."""
    g = ntksym.NetworkGradient(ntksym.mlp("max(x, 0)**2", depth=1, weight_var=1), threads=1)
    x = ROWS[:1]
    y = sign * x + [[1e-9, 0.0]]
    found, want = g(x, y), g.exact(x[0], y[0])
    for k, slopes in (("nngp", found.d_nngp), ("ntk", found.d_ntk)):
        for v, plane in slopes.items():
            right = float(want[f"{k}/{v}"])
            assert abs(plane[0, 0] - right) <= 1e-13 * abs(right) + 1e-16, (k, v)


@pytest.mark.parametrize(
    ("activation", "size"),
    [
        ("sin", 1e-9),
        ("hardtanh", 300.0),
        ("abs(x)**0.7", 1.0),
        ("abs_gaussian", 30.0),
        ("x*step(x - 1/2)", 1.0),
    ],
    ids=["tiny sin", "large hardtanh", "a real power", "a bell with a kink", "a jump"],
)
@pytest.mark.parametrize("target", ["numpy", None])
def test_nearly_parallel_rows_beside_many_digits(activation, size, target):
    """E[sin(u)^2] is no difference of ones; no ray of nearly parallel pairs meets two kinks, or is
    longer than the width of a bell (1.5e-2 off before); of a real power, that E[s''(u)s''(v)] is
    more infinite than 1/angle does not matter; of a jump, the slope in the angle sees the
    difference of the lengths over the angle (2e-8 off from rounded variances)."""
    net = ntksym.parse_spec(f"mlp:{activation}:depth=1,weight_var=1,bias_var=0")
    g = ntksym.NetworkGradient(net, target, threads=1)
    x, y = ROWS[:1] * size, (ROWS[:1] + np.array([1e-9, 0.0])) * size
    found, want = g(x, y), g.exact(x[0], y[0])
    for k, slopes in (("nngp", found.d_nngp), ("ntk", found.d_ntk)):
        for v, plane in slopes.items():
            right = float(want[f"{k}/{v}"])
            assert plane[0, 0] == pytest.approx(right, rel=1e-11), (k, v)


@pytest.mark.parametrize("target", ["numpy", None])
@pytest.mark.parametrize("power", [0.7, 1.5])
def test_equal_rows_of_real_powers_stay_equal(power, target):
    """Sigma and Theta scale as a power of the weights' variance; the slope in the angle, infinite
    or 0 times infinity, is that of no direction that keeps the rows equal."""
    net = ntksym.parse_spec(f"mlp:max(x, 0)**{power}:depth=1,weight_var=1,bias_var=0")
    found = ntksym.NetworkGradient(net, target, threads=1)(ROWS[:1])
    for k, slopes in ((found.nngp, found.d_nngp), (found.ntk, found.d_ntk)):
        assert slopes["weight_var"][0, 0] == pytest.approx((power + 1) * k[0, 0], rel=1e-13)


def test_digits_are_added_until_two_numbers_of_them_agree():
    """57 digits lose pi beside 1e80, 94 keep 14 of it; what never agrees is NaN."""
    row, asked = np.ones(2), []

    def slopes(ctx):
        asked.append(ctx.dps)
        large = ctx.mpf(10) ** 80
        return {"nngp": ctx.mpf(1), "ntk": (large + ctx.pi) - large}

    assert abs(checked(slopes, row, row)["ntk"] - MPContext().pi) < 1e-15
    assert asked == [57, 94, 188, 376]
    lost = checked(lambda ctx: {"nngp": ctx.mpf(1), "ntk": ctx.sin(ctx.dps)}, row, row)
    assert MPContext().isnan(lost["ntk"])


@pytest.mark.parametrize("target", ["numpy", None])
@pytest.mark.parametrize("name", ["relu", "gelu", "hardtanh", "cos"])
def test_rows_of_zeros_have_slopes(name, target):
    """Without a bias: what a small one gives, and 0 or infinite where a kink is at 0."""
    x = np.array([[0.0, 0.0], [0.6, 0.8], [0.0, 0.0], [0.5, -0.3]])
    nets = (ntksym.mlp(name, depth=2, weight_var=2, bias_var=b) for b in ("0", "1/1000000"))
    found, biased = (ntksym.NetworkGradient(n, target, threads=1)(x) for n in nets)
    for table in (found.d_nngp, found.d_ntk, found.polar_nngp, found.polar_ntk):
        assert not any(np.isnan(v).any() for v in table.values())
    for slopes, near in ((found.d_nngp, biased.d_nngp), (found.d_ntk, biased.d_ntk)):
        if name == "relu":
            assert np.isinf(slopes["q11"][0, 1]) and abs(slopes["weight_var"][0, 1]) < 1e-80
            continue
        for v in slopes:
            np.testing.assert_allclose(slopes[v][0], near[v][0], rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("target", ["numpy", None])
def test_a_bias_moves_apart_what_an_even_layer_made_equal(target):
    """Opposite rows x: each layer of abs turns a covariance -q + b into q - b and adds a bias."""
    x = np.array([[0.6, 0.8, 0.3]])
    g = ntksym.NetworkGradient(ntksym.mlp("abs", depth=3, weight_var=2), target, threads=1)
    assert g(x, -x).d_nngp["bias_var"] == g.exact(x[0], -x[0])["nngp/bias_var"] == -1.0
    assert g(x, -x).d_ntk["bias_var"] == -np.inf
    assert g(x).d_nngp["bias_var"] == 15.0 and g(x).d_ntk["bias_var"] == 49.0


@pytest.mark.parametrize("target", ["numpy", None])
def test_rows_nearly_along_each_other_have_their_angle_from_exact_products(target):
    """Of lengths far apart too; parallel ones that round to parallel have none."""
    g = ntksym.NetworkGradient(ntksym.mlp("relu", depth=3, weight_var=2), target, threads=1)
    x, z = np.random.default_rng(7).standard_normal((2, 4))
    for ratio, e in ((1.3, 1e-12), (1e3, 1e-15), (-0.7, 1e-9)):
        found, want = g(x[None], (ratio * x + e * z)[None]), g.exact(x, ratio * x + e * z)
        for v, plane in found.d_ntk.items():
            if v != "bias_var":
                assert plane[0, 0] == pytest.approx(float(want[f"ntk/{v}"]), rel=1e-12), (ratio, v)
    assert spans_of(x, 2 * x, target) == spans_of(x[:1], 1.3 * x[:1], target) == 0.0


def spans_of(x, y, target):
    """The angle of two rows, as the slope of Theta in it shows it: 0 where they are parallel."""
    g = ntksym.NetworkGradient(ntksym.mlp("relu", depth=1, weight_var=2), target, threads=1)
    return abs(g(x[None], y[None]).polar_nngp["angle"][0, 0])


def test_rows_that_layers_make_equal_keep_their_own_ntk():
    """A bell sees nothing of large rows: the bias alone is left of Sigma, not so of Theta."""
    net = ntksym.mlp("gaussian", depth=2, weight_var=1.5, bias_var=0.1)
    x = ROWS[:2] * 1e20
    both = [ntksym.NetworkGradient(net, target, threads=1) for target in ("numpy", None)]
    want = both[0].exact(x[0], x[1])
    for found in (g(x) for g in both):
        assert found.ntk[0, 0] > 1e18
        assert found.ntk[0, 1] == pytest.approx(float(want["ntk"]), rel=1e-12)
        for v in ("weight_var", "bias_var"):
            assert found.d_ntk[v][0, 1] == pytest.approx(float(want[f"ntk/{v}"]), rel=1e-12)


@pytest.mark.parametrize("target", ["numpy", None])
@pytest.mark.parametrize(
    ("spec", "places"),
    [
        ("relu:depth=2", ((0, 1), (0, 2), (0, 0))),
        ("leaky_relu:alpha=0.2,depth=2", ((0, 1), (1, 3))),
        ("gelu:depth=2", ((0, 2), (0, 1))),
    ],
)
def test_products_of_variances_beyond_doubles_are_not_formed(spec, places, target):
    """Rows of 1e100: the gap of ReLU's layers divided by a squared variance, and whether pairs need
    digits was asked of a product of variances."""
    g = ntksym.NetworkGradient(f"mlp:{spec},weight_var=1.5,bias_var=0.1", target, threads=1)
    x = ROWS * 1e100
    for i, j in places:
        _compare(g, g(x[i : i + 1], x[j : j + 1]), (0, 0), x[i], x[j])


def test_the_rest_of_growing_exponentials_is_not_dropped():
    """exp(a)*Phi2(h, k; r) as ELU has it at variances of 1e6 and 1e7: 0 from 2e5 on before."""
    names = ("a", "h", "k", "c", "s", "dh", "dk")
    b = Builder(names)
    program = b.program("rest", (("made", b.emit("expPhi2", *names)),))
    ctx = MPContext()
    ctx.dps = 40
    rows, wanted = [], []
    for q in (1e6, 1e7):
        x, c, y = ctx.mpf(q), ctx.mpf(0.3) * q, ctx.mpf(1.4) * q
        h, k, root = -(x + c) / ctx.sqrt(x), -(y + c) / ctx.sqrt(y), ctx.sqrt(x * y - c * c)
        rest = [v - float(v) for v in (h, k)]
        given = [(x + y) / 2 + c, h, k, c, root, *rest]
        rows.append([float(v) for v in given])
        wanted.append(float(rest_of(ctx, *given[:5])))
    for run in (numeric((program,)), Compiled((program,), keep=False)):
        found = run(program, dict(zip(names, np.array(rows).T, strict=True)))["made"]
        np.testing.assert_allclose(found, wanted, rtol=1e-8)


def rest_of(ctx, a, h, k, c, s):
    """exp(a)*Phi2(h, k; c/hypot(c, s)) by quadrature."""
    length = ctx.hypot(c, s)

    def f(t):
        gate = ctx.erfc(-(k - c / length * (h - t)) * length / s / ctx.sqrt(2)) / 2
        return ctx.exp(a - (h - t) ** 2 / 2) * gate / ctx.sqrt(2 * ctx.pi)

    return ctx.quad(f, [v / abs(h) for v in (0, 0.1, 1, 4, 10, 30, 80)])
