"""Gradients of duals and of networks: closed forms, limits on the diagonal, known values."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import MPContext
from sympy import Rational, oo, sqrt

import ntksym
from ntksym.errors import BadSpec, UnsupportedOp
from ntksym.gradients import dual_gradients
from ntksym.language import as_activation
from ntksym.lower import lower_dual, lower_dual_diag
from ntksym.runtime.gradients.network import NetworkGradient
from ntksym.symbols import q11, q12, q22

CTX = MPContext()
CTX.dps = 60
SLOW = {"elu", "celu", "selu", "scaled_elu", "laplace", "one_sided_exponential", "clip", "triangle"}
SLOW |= {"x2_probit", "morlet", "abs_gaussian", "threshold", "gabor", "sine", "cosine", "x_cos"}
SLOW |= {"square", "cube", "hermite2", "hermite3", "hermite4", "relu4", "abs", "erfc", "sinh"}
SLOW |= {"smooth_relu", "rbf", "laplace", "erf_sigmoid", "mish", "softsign", "atan", "gelu_tanh"}
SLOW |= {"sigmoid", "tanh", "softplus", "silu", "logsigmoid", "tanhshrink", "probit", "identity"}
SLOW |= {"hardshrink", "softshrink", "hardswish", "hardtanh", "relu6", "hardsigmoid"}
NAMES = [
    *(a.name for a in ntksym.catalogue() if a.name not in SLOW),
    "abs(x)**(5/2)",
    "x*abs(x)",
    "log(abs(x))",
    "max(x - 1, 0)*x",
]


def derived(name):
    return ntksym.dual(name)


def run(program, **at):
    return program.evaluate({a: CTX.mpf(at[a]) for a in program.args}, CTX)


@pytest.mark.parametrize("name", NAMES)
def test_every_partial_is_the_slope_of_the_closed_form(name):
    d = derived(name)
    g = dual_gradients(d)
    base, grads, polar = lower_dual(d), g.program(), g.program(polar=True)
    params = {p: CTX.mpf(1) / 8 for p in g.names}
    at = {"q11": CTX.mpf("1.3"), "q12": CTX.mpf("-0.4"), "q22": CTX.mpf("0.7"), **params}
    values, turned = run(grads, **at), run(polar, **at)
    h = CTX.mpf(10) ** -20
    slopes = {}
    for v in ("q11", "q12", "q22", *(p.wrt for p in g.params)):
        up, down = (run(base, **{**at, v: at[v] + s * h}) for s in (1, -1))
        slopes[v] = {k: (up[k] - down[k]) / (2 * h) for k in ("nngp", "dot")}
        for k in ("nngp", "dot"):
            assert abs(values[f"{k}_{v}"] - slopes[v][k]) < 1e-25 * (1 + abs(slopes[v][k])), (k, v)
    root = CTX.sqrt(at["q11"] * at["q22"] - at["q12"] ** 2)
    for k in ("nngp", "dot"):
        assert abs(turned[f"{k}_angle"] + root * slopes["q12"][k]) < 1e-25
        along = slopes["q11"][k] + at["q12"] / (2 * at["q11"]) * slopes["q12"][k]
        assert abs(turned[f"{k}_q11"] - along) < 1e-25 * (1 + abs(along))


@pytest.mark.parametrize("name", ["relu", "gelu", "erf", "leaky_relu", "shifted_relu", "gaussian"])
def test_diagonal_slopes(name):
    d = derived(name)
    g = dual_gradients(d)
    base, own = lower_dual_diag(d), g.diag_program()
    at = {"q": CTX.mpf("0.8"), **{p: CTX.mpf(3) / 4 for p in g.names}}
    h = CTX.mpf(10) ** -20
    found = run(own, **at)
    for v in ("q", *(p.wrt for p in g.diag_params)):
        up, down = (run(base, **{**at, v: at[v] + s * h}) for s in (1, -1))
        for k in ("nngp", "dot"):
            assert abs(found[f"{k}_{v}"] - (up[k] - down[k]) / (2 * h)) < 1e-25


@pytest.mark.parametrize("name", ["relu", "gelu", "leaky_relu", "shifted_relu", "elu", "hardtanh"])
@pytest.mark.parametrize("sign", [1, -1])
def test_polar_slopes_are_finite_and_continuous_at_collinear_inputs(name, sign):
    g = dual_gradients(derived(name))
    polar = g.program(polar=True)
    params = {p: CTX.mpf(3) / 4 for p in g.names}
    edge = run(polar, q11=1, q12=sign, q22=1, **params)
    assert all(CTX.isfinite(v) for v in edge.values())
    near = run(polar, q11=1, q12=sign * (1 - CTX.mpf(2) ** -70), q22=1, **params)
    for k, v in edge.items():
        assert abs(v - near[k]) < 1e-8, k


def test_a_parameter_without_a_value_is_named_with_its_layer():
    with pytest.raises(BadSpec, match=r"'alpha' has no value\n  layer 1 .elu.\n"):
        NetworkGradient("mlp:elu:depth=1")
    standard = "parametrization=standard,weight_var=1,bias_var=0"
    with pytest.raises(BadSpec, match=r"'width' has no value\n  layer 1 .gelu.\n"):
        NetworkGradient(f"mlp:gelu:depth=1,{standard}")


def test_relu_in_closed_form():
    g = dual_gradients("relu")
    by = {p.wrt: p for p in g.entries}
    root = sqrt(q11 * q22 - q12**2)
    assert (by["q11"].nngp / (root / q11)).is_number
    assert [p.dot for p in g.polar if p.wrt != "angle"] == [0, 0]
    assert g.diag.nngp == Rational(1, 2)


def test_a_jump_has_no_finite_distributional_slope_but_an_almost_everywhere_one():
    assert dual_gradients("step").diag.dot == oo
    g = dual_gradients("step", "almost_everywhere")
    assert g.diag.dot == 0 and all(p.dot == 0 for p in g.entries)


KINKS = ((1, 1, "-0.11807"), (-2, 1, "-0.11807"), (-1, 2, "-0.19306"))


@pytest.mark.parametrize(("a", "b", "value"), KINKS)
def test_kinks_at_parameters_meet_at_collinear_inputs(a, b, value):
    """-sum of exp(-t^2/2)/(2 pi) over the kinks t that meet, +1 where they do at -t."""
    act = as_activation("min(max(x, a), a + b)", params={"a": "real", "b": "positive"})
    program = dual_gradients(ntksym.dual(act)).program(polar=True)
    one = CTX.mpf(1)
    equal = run(program, q11=one, q12=one, q22=one, a=a, b=b)
    assert abs(equal["dot_angle"] - CTX.mpf(value)) < 1e-5
    opposite = run(program, q11=one, q12=-one, q22=one, a=a, b=b)
    assert abs(opposite["dot_angle"] - (0 if a != -1 else -CTX.mpf(value))) < 1e-5


def test_refusals():
    with pytest.raises(UnsupportedOp, match="unknown sense"):
        dual_gradients("relu", "weak")
    assert dual_gradients(ntksym.parse_activation("abs(x)**p", params={"p": "positive"})).left_out


@pytest.mark.parametrize(
    ("depth", "expected"), [(1, (1.683270, 2.319897)), (3, (2.118198, 5.925634))]
)
def test_input_gradient_of_nearly_equal_rows(depth, expected):
    """One part in 1e9 apart: the difference quotient of covariances would have no digit left."""
    net = ntksym.mlp("relu", depth=depth, weight_var=2, bias_var="1/100")
    g = NetworkGradient(net, "numpy")
    _, ntk = g.input_gradient([[1.0, 1.0]], [[1.0, 1.0 + 1e-9]])
    assert np.allclose(ntk[0, 0], expected, rtol=2e-6)
    _, equal = g.input_gradient([[1.0, 1.0]])
    assert np.allclose(equal[0, 0], sum(expected) / 2, rtol=3e-2) and np.isfinite(equal).all()


NETWORKS = {
    "relu, depth 20": ("relu", 20, {}),
    "leaky_relu, depth 3": ("leaky_relu", 3, {"alpha": "1/4"}),
    "gelu, depth 3": ("gelu", 3, {}),
    "erf, depth 20": ("erf", 20, {}),
    "abs, depth 2": ("abs", 2, {}),
    "unseen, depth 2": ("max(x, a*x) + x*exp(-x**2/2)/5", 2, {"a": "1/4"}),
}


def rows_of_all_kinds():
    """Rows that are far from, equal to, opposite to, along and nearly equal to the first one."""
    x = np.random.default_rng(1).standard_normal((3, 5))
    near = [x[0] + e * x[2] for e in (1e-2, 1e-5, 1e-9)]
    return np.array([x[0], x[1], -x[0], 1.3 * x[0], *near, -x[0] + 1e-6 * x[1]])


@pytest.mark.parametrize("case", NETWORKS)
def test_network_against_many_digits(case):
    """In C and in NumPy."""
    name, depth, params = NETWORKS[case]
    net = ntksym.mlp(name, depth=depth, weight_var=2, bias_var="1/10", params=params)
    x = rows_of_all_kinds()
    g = NetworkGradient(net, "numpy")
    exact = [g.exact(x[0], y) for y in x]
    against(g(x), exact)
    if case in ("relu, depth 20", "gelu, depth 3", "unseen, depth 2"):
        against(NetworkGradient(net, "c", threads=1)(x), exact)


def against(found, exact):
    tables = {"nngp/": found.d_nngp, "ntk/": found.d_ntk}
    tables |= {"nngp/polar ": found.polar_nngp, "ntk/polar ": found.polar_ntk}
    for j, right in enumerate(exact):
        for first, table in tables.items():
            for v, values in table.items():
                want = float(right[first + v])
                if np.isfinite(want):
                    error = abs(values[0, j] - want)
                    assert error < 1e-12 * (1 + abs(want)), (first + v, j, error)
                else:
                    assert values[0, j] == want or np.isnan(want), (first + v, j)


def test_compiled_gradients_are_symmetric_and_those_of_numpy():
    """More rows than a block has lanes, several threads, NaN and zero rows among them."""
    net = ntksym.mlp("relu", depth=3, weight_var=2, bias_var="1/10")
    x = np.random.default_rng(4).standard_normal((150, 6))
    x[3], x[7], x[100] = np.nan, x[2], 0.0
    with np.errstate(all="ignore"):
        one, other = NetworkGradient(net, "c", threads=2)(x), NetworkGradient(net, "numpy")(x)
        part = NetworkGradient(net, "c", threads=1)(x[:70], x[60:])
    swapped = {"q11": "q22", "q22": "q11"}
    good = np.delete(np.arange(150), 3)
    for k in ("d_nngp", "d_ntk", "polar_nngp", "polar_ntk"):
        for v, values in getattr(one, k).items():
            transposed = getattr(one, k)[swapped.get(v, v)].T
            np.testing.assert_array_equal(values, transposed)
            expected = getattr(other, k)[v]
            fine = np.isfinite(expected)
            scale = np.max(np.abs(expected[fine & (np.abs(expected) < 1e3)]))
            assert np.allclose(values[fine], expected[fine], rtol=1e-12, atol=1e-13 * scale), (k, v)
            assert np.isnan(values[3]).all() and not np.isnan(values[good][:, 0]).any()
            np.testing.assert_allclose(
                getattr(part, k)[v][:3, 41:], values[:3, 101:], rtol=1e-12, atol=1e-13
            )
    np.testing.assert_array_equal(one.ntk, one.ntk.T)
    np.testing.assert_allclose(one.ntk[good][:, good], other.ntk[good][:, good], rtol=1e-13)


def test_without_a_compiler_gradients_are_numpys(monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    net = ntksym.mlp("max(x, 0) + x/7919", depth=1, weight_var=2)  # that no other test compiles
    assert NetworkGradient(net)([[1.0, 2.0]]).d_ntk["q12"].shape == (1, 1)
    with pytest.raises(ntksym.errors.NoCompiler):
        NetworkGradient(net, "c")


def test_diagonal_is_finite_and_agrees_with_the_diagonal_recursion():
    net = ntksym.mlp("gelu", depth=2, weight_var=2, bias_var="1/10")
    x = np.random.default_rng(3).normal(size=(3, 4))
    g = NetworkGradient(net, "numpy")(x)
    total = sum(g.d_ntk[v].diagonal() for v in ("q11", "q12", "q22"))
    h = 1e-6
    up, down = (ntksym.compile(net, target="numpy").diag(x * np.sqrt(1 + s * h)) for s in (1, -1))
    norms = np.sum(x * x, axis=1)
    assert np.allclose((up.ntk - down.ntk) / (2 * h * norms), total, rtol=1e-6)


def test_a_compiled_kernel_has_its_gradient() -> None:
    k = ntksym.compile("mlp:gelu:depth=2,weight_var=2,bias_var=1/10", target="numpy")
    rows = np.random.default_rng(2).standard_normal((3, 4))
    found, expected = (
        k.gradient(rows),
        NetworkGradient(ntksym.parse_spec("mlp:gelu:depth=2,weight_var=2,bias_var=1/10"), "numpy")(
            rows
        ),
    )
    np.testing.assert_array_equal(found.d_ntk["q12"], expected.d_ntk["q12"])
    np.testing.assert_array_equal(found.d_ntk["q11"], expected.d_ntk["q11"])
    np.testing.assert_allclose(found.ntk, k(rows).ntk, rtol=1e-13)
    flat = ntksym.compile("mlp:relu:depth=2,weight_var=2", target="numpy", collapse=True)
    with pytest.raises(UnsupportedOp, match="no derivatives"):
        flat.for_data(rows).gradient(rows)


def test_tables_give_the_gradients_of_closed_forms() -> None:
    """GELU by tables against GELU: every derivative, nearly equal and equal rows among them."""
    from ntksym.runtime.gradients.units import UnitGradient
    from ntksym.runtime.units.layers import Wanted

    network = ntksym.parse_spec("mlp:gelu:depth=1,weight_var=2,bias_var=1/10")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 5))
    x *= (np.sqrt(5 * rng.uniform(0.6, 0.95, 4)) / np.linalg.norm(x, axis=1))[:, None]
    x[1] = x[0] + 1e-3 * x[2]
    units = UnitGradient(network, Wanted("tabulated"))
    found, expected = units(x), NetworkGradient(network, "numpy")(x)
    assert any("no bound is proven" in line for line in units.notes)
    assert any(line.startswith("Table of the dual of (gelu)'") for line in units.notes)
    assert np.allclose(found.ntk, expected.ntk, rtol=0, atol=1e-12)
    for v in units.wrt:
        for k in ("d_nngp", "d_ntk"):
            assert np.allclose(getattr(found, k)[v], getattr(expected, k)[v], rtol=0, atol=1e-12)
    for v in ("q11", "angle", "q22"):
        assert np.allclose(found.polar_ntk[v], expected.polar_ntk[v], rtol=0, atol=1e-12)


def test_a_mixture_has_its_gradient() -> None:
    def kernel(weight: str, bias: str) -> np.ndarray:
        spec = f"mlp:tanh:depth=2,weight_var={weight},bias_var={bias}"
        return ntksym.compile(spec, target="numpy")(x).ntk

    x = np.random.default_rng(2).standard_normal((3, 4))
    k = ntksym.compile("mlp:tanh:depth=2,weight_var=2,bias_var=1/10", target="numpy")
    found = k.gradient(x)
    assert np.allclose(found.ntk, k(x).ntk, rtol=0, atol=1e-13)
    step = 2e-4
    up, down = kernel("20001/10000", "1/10"), kernel("19999/10000", "1/10")
    assert np.allclose((up - down) / step, found.d_ntk["weight_var"], rtol=0, atol=3e-8)
    up, down = kernel("2", "1001/10000"), kernel("2", "999/10000")
    assert np.allclose((up - down) / step, found.d_ntk["bias_var"], rtol=0, atol=3e-7)
    norms = np.sum(x * x, axis=1)
    total = sum(found.d_ntk[v].diagonal() for v in ("q11", "q12", "q22"))
    high, low = (k.diag(x * np.sqrt(1 + s * 1e-6)).ntk for s in (1, -1))
    assert np.allclose((high - low) / (2e-6 * norms), total, rtol=1e-6)


@pytest.mark.parametrize(("name", "depth"), [("hardtanh", 2), ("max(x - 1, 0)*x", 2)])
def test_nearly_parallel_pairs_of_kinked_layers_need_no_long_arithmetic(name, depth, monkeypatch):
    """One part in 1e-2 to 1e-9 apart, along each other, nearly so: against 90 digits."""
    x = np.random.default_rng(1).standard_normal((3, 5))
    first = x[0]
    rows = [first + e * x[2] for e in (1e-2, 1e-4, 1e-6, 1e-9)]
    rows = np.array([*rows, first * 1.001, first * (1 + 1e-6) + 1e-9 * x[1]])
    net = ntksym.mlp(name, depth=depth, weight_var=2, bias_var="1/10")
    g = NetworkGradient(net, "c", threads=1)
    exact = [g.exact(first, y) for y in rows]
    asked = []
    monkeypatch.setattr(NetworkGradient, "exact", lambda *given: asked.append(given) or {})
    found = g(first[None], rows)
    assert not asked
    against(found, exact)
    for j, right in enumerate(exact):  # what is infinite at angle 0, relatively
        want = float(right["ntk/q12"])
        assert abs(found.d_ntk["q12"][0, j] - want) < 1e-12 * abs(want)


def test_parameters_may_have_the_names_of_coordinates():
    def kernel(value):
        net = ntksym.mlp("max(x, a*x) + x*exp(-x**2/2)/5", depth=2, params={"a": value})
        return NetworkGradient(net, "numpy")(x)

    x = np.random.default_rng(2).normal(size=(3, 4))
    slope = (kernel("25001/100000").ntk - kernel("24999/100000").ntk) / 2e-5
    assert np.allclose(slope, kernel("1/4").d_ntk["a"], rtol=1e-7, atol=1e-8)


def test_nearly_opposite_pairs_of_hard_swish_have_numbers():
    """As one expression its slope at a fixed angle is inf - inf there."""
    x = 0.3 * np.random.default_rng(0).standard_normal((4, 3))
    rows = np.vstack([x, -x + 1e-6 * x[::-1], -1.5 * x])
    found = NetworkGradient(ntksym.mlp("hardswish", depth=2, weight_var=2), threads=1)(rows)
    for table in (found.d_nngp, found.polar_nngp, found.polar_ntk):
        assert all(np.isfinite(v).all() for v in table.values())


def test_closed_forms_that_cancel_where_rows_are_of_usual_size():
    """Of |x|exp(-|x|) at variances of 31: 7e-11 off before they were measured there."""
    net = ntksym.parse_spec("mlp:abs(x)*exp(-abs(x)):depth=1,weight_var=1.5,bias_var=0.1")
    g = NetworkGradient(net, threads=1)
    draws = 3.0 * np.random.default_rng(0).standard_normal((6, 3))
    x, y = draws[4], draws[4] + 1e-3 / 3.0 * draws[5]
    found, want = g(x[None], y[None]), g.exact(x, y)
    for k, slopes in (("nngp", found.d_nngp), ("ntk", found.d_ntk)):
        right = float(want[f"{k}/weight_var"])
        assert slopes["weight_var"][0, 0] == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize(("depth", "sign"), [(3, 1), (1, -1)])
def test_slopes_of_kinks_that_rows_hardly_reach_are_not_divided_by_the_angle(depth, sign):
    """Hard swish at variances below 1: what its kinks at 3 make of E[s''(u)s''(v)] times the angle
    is next to nothing, and lost 4e-11 beside what its parabola makes."""
    x, y = np.random.default_rng(0).standard_normal((2, 3))
    y = sign * x + 1e-7 * y
    g = NetworkGradient(ntksym.mlp("hardswish", depth=depth, weight_var=2), threads=1)
    found, right = g(x[None], y[None]), g.exact(x, y)
    for v in ("q11", "q12", "weight_var", "bias_var"):
        assert found.d_ntk[v][0, 0] == pytest.approx(float(right[f"ntk/{v}"]), rel=1e-13)


def test_float32_kernels_have_gradients_in_doubles() -> None:
    rows = np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32)
    spec = "mlp:gelu:depth=2,weight_var=2,bias_var=1/10"
    single, double = (ntksym.compile(spec, dtype=d) for d in ("float32", "float64"))
    found, wanted = single.gradient(rows), double.gradient(rows.astype(float))
    assert found.ntk.dtype == np.float64
    for v, plane in wanted.d_ntk.items():
        np.testing.assert_array_equal(found.d_ntk[v], plane)
