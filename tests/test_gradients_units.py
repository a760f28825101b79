"""Derivatives of units: from values alone against closed forms, and networks of them."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from mpmath import MPContext

import ntksym
from ntksym import symbols
from ntksym.backends.array.unit import array_unit
from ntksym.backends.c.gradient.units import UnitSlopes
from ntksym.backends.unit_schedule import UnitStep
from ntksym.backends.units import unit_of
from ntksym.gradients import dual_gradients
from ntksym.language import as_activation
from ntksym.lower.reach import flat_from
from ntksym.numeric.choose import choose
from ntksym.numeric.table import BandedDual, TableDual, table_dual
from ntksym.runtime.gradients.carried import Nearly
from ntksym.runtime.gradients.differences import ROOM
from ntksym.runtime.gradients.duals import gradient_duals, value_duals
from ntksym.runtime.gradients.large import Bend, Large
from ntksym.runtime.gradients.own import Weight, own_rules, scaling
from ntksym.runtime.gradients.units import UnitGradient

PLACES = np.array(
    [
        (1.3, 1.1, 0.9, 1),
        (1.3, 0.7, 0.9, -1),
        (1.2, np.pi / 2, 1.2, 1),
        (1.2, 1e-2, 1.2, 1),
        (1.2, 1e-5, 1.2, 1),
        (1.2, 0.0, 1.2, 1),
        (1.2, 0.0, 1.2, -1),
        (1.2, 1e-3, 1.2 * 1.002, 1),
        (1.2, 1e-4, 1.2, -1),
    ]
)
"""Variances and the angle to the nearer pole, and which."""


def places():
    """Rows (1, n) of q11, q12, q22, root."""
    x, angle, y, sign = PLACES.T[:, None]
    length = np.sqrt(x * y)
    return (
        x,
        np.where(angle == 0.0, sign * length, sign * length * np.cos(angle)),
        y,
        length * np.sin(angle),
    )


UNITS: dict[tuple[str, str], UnitGradient] = {}


def _one_layer(name):
    return ntksym.mlp(name, depth=1, weight_var="3/2", bias_var=0)


CASES = {
    "gelu": (False, True, True),
    "max(x, -x/3) + x*exp(-x**2/2)": (False, True, False),
    "hardtanh": (False, False, False),
}
"""Whether an activation jumps, has no kink away from 0, has none at all."""


@pytest.mark.parametrize("name, target", [("gelu", "c"), *((n, "numpy") for n in CASES)])
def test_slopes_of_values_are_those_of_closed_forms(name, target):
    """Equal, opposite and nearly parallel inputs too: finite at a fixed angle and in it."""
    found = ntksym.dual(name)
    unit, slopes = unit_of(found, {}), array_unit(found, found.activation, {})
    closed, tried = (
        gradient_duals((UnitSlopes(unit, s),), (CASES[name],), target)[0] for s in (slopes, None)
    )
    at = places()
    with np.errstate(all="ignore"):
        want, got = (np.array(d.pair(*at))[:, 0] for d in (closed, tried))
        sides = [np.array(d.side(at[0][0])) for d in (closed, tried)]
    np.testing.assert_allclose(want[[0, 1, 3]], got[[0, 1, 3]], rtol=0, atol=1e-14)
    assert np.abs(want[[2, 4]] - got[[2, 4]]).max() < 5e-10
    if name != "gelu":  # of the derivative dual: in the angle
        for table in (want, got):
            table[6] *= at[3][0]
    assert np.abs(want[5:] - got[5:]).max() < 1e-9
    assert np.abs(sides[0] - sides[1]).max() < 1e-11


@pytest.mark.parametrize(
    "name, options, form",
    [
        ("gelu", {}, "folded"),
        ("gelu", {"banded": False}, "one band"),
        ("max(x, -x/3) + x*exp(-x**2/2)", {"banded": False}, "one band"),
    ],
)
def test_slopes_of_tables_are_those_of_closed_forms(name, options, form):
    """In C from the table's polynomials, in NumPy from values; NaN outside the range."""
    low, high = 0.9, 1.6
    table = table_dual(name, (low / ROOM, high * ROOM), error=1e-7, **options)
    assert isinstance(table, BandedDual if form == "folded" else TableDual)
    assert form != "folded" or table.folded
    found, unit = ntksym.dual(name), unit_of(table, {})
    slopes = array_unit(found, found.activation, {})
    ways = (unit_of(found, {}), slopes, "c"), (unit, None, "c"), (unit, None, "numpy")
    closed, c, plain = (
        gradient_duals((UnitSlopes(u, s),), (CASES[name],), target)[0] for u, s, target in ways
    )
    rng = np.random.default_rng(2)
    x, y = rng.uniform(low, high, (40, 1)), rng.uniform(low, high, (1, 7))
    angle = np.pi * rng.uniform(0.06, 0.94, (40, 7))
    x[0], x[1], y[0, :2] = low, high, (high, low)
    length = np.sqrt(x * y)
    at = np.broadcast_arrays(x, length * np.cos(angle), y, length * np.sin(angle))
    want, exact, near = (np.array(d.pair(*at)) for d in (closed, c, plain))
    assert np.abs(want[:2] - exact[:2]).max() < 1e-7
    assert np.abs(want[2:5] - exact[2:5]).max() < 1e-6
    assert np.abs(want[5:] - exact[5:]).max() < 2e-5
    assert np.abs(exact - near).max() < 2e-5
    outside = [v[:1].copy() for v in at]
    outside[0][:] = 3.0 * high
    with np.errstate(all="ignore"):
        assert np.isnan(np.array(c.pair(*outside))).all()


def test_mixtures_in_c_and_in_numpy_band_by_band():
    """A symmetric matrix from its upper half, NaN, equal rows; families with and without gates."""
    x = np.random.default_rng(3).standard_normal((40, 3))
    x[5], x[30] = np.nan, x[2]
    network = ntksym.mlp(
        "x*sigmoid(b*x)", depth=2, weight_var=2, bias_var="1/10", params={"b": "3/4"}
    )
    c = UnitGradient(network, target="c", threads=2)
    whole, other = c(x), c(x[:20], x)
    few = UnitGradient(network, target="numpy")(x[:3], x[28:32])
    good = np.delete(np.arange(40), 5)
    assert "b" in whole.d_ntk
    for k in ("d_nngp", "d_ntk", "polar_nngp", "polar_ntk"):
        for v, plane in getattr(whole, k).items():
            swapped = {"q11": "q22", "q22": "q11"}.get(v, v)
            np.testing.assert_array_equal(plane, getattr(whole, k)[swapped].T)
            assert np.isnan(plane[5]).all() and np.isfinite(plane[good][:, good]).all()
            np.testing.assert_allclose(getattr(other, k)[v], plane[:20], atol=1e-13)
            np.testing.assert_allclose(getattr(few, k)[v], plane[:3, 28:32], atol=1e-13)


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_rows_of_any_size_keep_their_digits(target):
    """ReLU without bias is homogeneous: nothing overflows on the way to what does not."""
    g = ntksym.NetworkGradient(ntksym.mlp("relu", depth=2, weight_var=2), target)
    x = np.random.default_rng(0).standard_normal((3, 5))
    one = g(x[:1], x[1:])
    for size in (1e100, 1e-100):
        found = g(x[:1] * size, x[1:] * size)
        for v, power in (("q11", 0), ("q12", 0), ("q22", 0), ("weight_var", 2)):
            np.testing.assert_allclose(
                found.d_ntk[v] / size**power, one.d_ntk[v], rtol=1e-14, err_msg=v
            )


@pytest.mark.parametrize(("name", "factor"), [("hardtanh", -1.0), ("x + max(x, 0)/2", 2.0)])
def test_what_stays_collinear_has_no_angle_by_rounding(name, factor):
    """Opposite rows of odd layers and parallel ones of homogeneous ones, in 3 layers without
    biases: rounding opened them by 1e-8, which kinks see."""
    net = ntksym.mlp(name, depth=3, weight_var="3/2", bias_var=0)
    x = np.array([[0.6, 0.8, 0.3]])
    found = UnitGradient(net, target="numpy")(x, factor * x)
    want = ntksym.NetworkGradient(net, "numpy")(x, factor * x)
    np.testing.assert_allclose(found.ntk, want.ntk, rtol=1e-14)
    for slopes, right in ((found.d_nngp, want.d_nngp), (found.d_ntk, want.d_ntk)):
        np.testing.assert_allclose(slopes["weight_var"], right["weight_var"], rtol=1e-14)


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_slopes_in_parameters_of_activations(target):
    """Those that scale s or x, and one that moves x, from two more duals: as of closed forms."""
    params = {"a": "5/4", "b": "-3/4", "c": "0"}
    network = ntksym.mlp(
        "a*erf(b*x + c)",
        depth=2,
        weight_var="3/2",
        bias_var="1/4",
        params=params,
    )
    rows = np.random.default_rng(5).standard_normal((3, 3))
    rows[1] = rows[0] + 1e-5 * rows[1]
    found = UnitGradient(network, target=target)(rows)
    want = ntksym.NetworkGradient(network, "numpy")(rows)
    for k in ("d_nngp", "d_ntk"):
        assert set(getattr(want, k)) == {"q11", "q12", "q22", "weight_var", "bias_var", *params}
        for name, plane in getattr(want, k).items():
            np.testing.assert_allclose(getattr(found, k)[name], plane, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("size", [1e7, 1e60, 1e140])
@pytest.mark.parametrize("target", ["c", "numpy"])
def test_mixtures_of_large_variances_are_what_they_are_far_out(target, size):
    """SiLU is ReLU there and tanh a sign, for rows far from parallel; closed forms cancel to r^2."""
    ctx = MPContext()
    rows = np.array([[0.6, 0.8], [0.5, -0.3]])
    x, c, y = (float(rows[i] @ rows[j]) for i, j in ((0, 0), (0, 1), (1, 1)))

    def far_out(name, q11, q12, q22, weight):
        a, b, d = (weight * v / 2 for v in (q11, q12, q22))
        angle = ctx.acos(b / ctx.sqrt(a * d))
        root = ctx.sqrt(a * d - b * b)
        if name == "silu":
            dot = (ctx.pi - angle) / (2 * ctx.pi)
            value = (root + b * 2 * ctx.pi * dot) / (2 * ctx.pi)
        else:
            value, dot = 1 - 2 * angle / ctx.pi, 2 / (ctx.pi * root)
        return weight * value, weight * (value + b * dot)

    for name, degree in (("silu", 1), ("tanh", 0)):
        g = UNITS.setdefault((name, target), UnitGradient(_one_layer(name), target=target))
        found = g(rows[:1] * size, rows[1:] * size)
        at = ctx.mpf(x), ctx.mpf(c), ctx.mpf(y), ctx.mpf(3) / 2
        for k, name_k in enumerate(("d_nngp", "d_ntk")):
            for order, wrt in enumerate(("q11", "q12", "q22", "weight_var")):
                want = ctx.diff(
                    lambda *v, k=k, name=name: far_out(name, *v)[k],
                    at,
                    tuple(int(i == order) for i in range(4)),
                )
                power = 2 * degree - 2 * (order < 3)
                got = getattr(found, name_k)[wrt][0, 0] / size**power
                assert got == pytest.approx(float(want), rel=1e-11), (name, name_k, wrt)


ANGLES_AND_RATIOS = (
    *((1.1, 1.0), (1e-2, 1.0), (1e-9, 1.3), (3.0, 1e-3), (1e-30, 1.0)),
    *((1.1, 1.2), (0.3, 0.95), (2.5, 1.1)),  # whose lengths differ by less than their angle
)


def test_slopes_of_mixtures_by_differences_are_those_of_closed_forms():
    """GELU as if it were a mixture, beside 100 digits: parallel, nearly so and far from it."""
    found, given, ctx = ntksym.dual("gelu"), dual_gradients("gelu").program(), MPContext()
    ctx.dps = 100
    unit, slopes = unit_of(found, {}), array_unit(found, found.activation, {})
    large = Large(1.6, lambda: None, lambda: None)
    (made,) = gradient_duals(
        (UnitSlopes(unit, slopes),), ((False, True, True),), None, None, (large,)
    )
    for size in (40.0, 1e2, 1e4, 1e8):
        for angle, ratio in ANGLES_AND_RATIOS:
            x, y, t = ctx.mpf(size) ** 2, ctx.mpf(size * ratio) ** 2, ctx.mpf(angle)
            length = ctx.sqrt(x * y)
            c, root = length * ctx.cos(t), length * ctx.sin(t)
            o = given.evaluate({"q11": x, "q12": c, "q22": y}, ctx)
            at = (np.array([[float(v)]]) for v in (x, c, y, root))
            got = np.ravel(made.pair(*at))
            for k, q, label in ((2, x, "q11"), (4, y, "q22")):
                for i, (kind, unit_of_kind) in enumerate((("nngp", length), ("dot", 1))):
                    bend = o["dot"] if kind == "nngp" else o["dot_q12"]
                    want = o[f"{kind}_{label}"] + c / (2 * q) * bend
                    assert abs(got[k + 3 * i] - want * q) < 1e-12 * unit_of_kind, (size, angle)


@pytest.mark.parametrize("back", [False, True])
def test_nearly_parallel_pairs_of_mixtures_keep_their_angle(back):
    """Beside 120 digits, closed forms as if they were mixtures: the slopes in the ratio of the
    lengths (1e-8 off by differences), the next determinant (covariances round it away) and what a
    direction makes of it; opposite pairs of an odd layer are these, mirrored."""
    name, ctx, weight = "erf" if back else "gelu", MPContext(), 1.5
    ctx.dps = 120
    found = ntksym.dual(name)
    program, own = dual_gradients(found).program(), dual_gradients(found).diag_program()
    unit, slopes = unit_of(found, {}), array_unit(found, found.activation, {})
    slope = ntksym.dual(found.activation.expr.diff(symbols.x))
    bent = value_duals((unit_of(slope, {}),), "numpy")[0][0]
    bend = Bend(bent, flat_from(slope.activation))
    kinds = (UnitSlopes(unit, slopes),)
    (dual,) = gradient_duals(
        kinds, ((False, True, True),), "numpy", None, (Large(1.6, lambda: bend, lambda: None),)
    )
    rule, far = (0.0, weight, 0.0, 0.0, 0.0), flat_from(found.activation)
    step = UnitStep(0, False, rule, rule, 2, far=far)

    def exact(m, apart, angle):
        """K, k(q11), k(q22) times the weight's variance; D."""
        x, y, c = m * ctx.exp(apart), m * ctx.exp(-apart), m * ctx.cos(angle)
        o = program.evaluate({"q11": x, "q12": c, "q22": y}, ctx)
        ends = (own.evaluate({"q": q}, ctx)["nngp"] for q in (x, y))
        return [weight * v for v in (o["nngp"], *ends)] + [o["dot"]]

    def det(*at):
        k, one, two, _ = exact(*at)
        return one * two - k * k

    for m, apart, angle in ((1e6, 1e-6, 2e-6), (1e12, 1e-6, 1e-5), (1e6, 1e-3, 1e-2)):
        at = [ctx.mpf(v) for v in (m, apart, angle)]
        x, y = (m * np.exp(v * apart) for v in (1.0, -1.0))
        sign = -1.0 if back else 1.0
        unlike = np.array([[2.0 * m * np.sinh(apart)]])
        state = tuple(np.array([[v]]) for v in (x, sign * m * np.cos(angle), y, m * np.sin(angle)))
        nearly = Nearly(dual, step, -1 if back else 0, state, unlike)
        given = nearly.mended(dual.pair(*state))
        for k, i in ((2, 0), (5, 3)):  # log q11 = M + X
            kind = exact(*at)[i]
            right = ctx.diff(lambda *v, i=i: exact(*v)[i], at, (0, 1, 0))
            got = (given[k] - given[k + 2])[0, 0] * (weight if i == 0 else 1.0)
            got *= sign if i == 0 else 1.0
            bump = back and k == 5  # the slope at a fixed covariance is 1/angle^2 as large
            assert abs(got - right) < 2e-13 * abs(kind) / (angle if bump else 1.0), (m, k)
        c, one, two, dot = exact(*at)
        ends = tuple(np.array([[float(v)]]) for v in (one, two))
        rounded = sign * np.array([[float(c)]]), np.array([[1.0]]), ends[0] - ends[1]
        _, root, _ = nearly.after(ends, *rounded)
        want = det(*at)
        assert root[0, 0] ** 2 == pytest.approx(float(want), rel=1e-12), m
        if not nearly.large.any():
            continue
        # q11 alone moves, and the angle too
        half = ctx.mpf(1) / 2
        log, turn = 0.75, -0.5 * float(ctx.sin(at[2]) ** 2) * m
        slopes_of = [
            ctx.diff(lambda *v, i=i: exact(*v)[i], at, (1, 0, 0)) * at[0] * half * log
            + ctx.diff(lambda *v, i=i: exact(*v)[i], at, (0, 1, 0)) * half * log
            for i in range(3)
        ]
        slopes_of[0] += weight * dot * turn
        right = slopes_of[0] - c * (slopes_of[1] / one + slopes_of[2] / two) / 2
        moved = nearly.turned(
            sign * np.array([[turn]]),
            (np.array([[log]]), np.array([[0.0]])),
            np.array([[float(dot)]]),
            tuple(np.array([[float(v)]]) for v in slopes_of[1:]),
            Weight(np.inf),
            np.array([[np.nan]]),
        )
        if back or angle > 2e-3:  # E[(s(u) - s(v))^2] is no small number: covariances are as good
            assert np.isnan(moved).all()
        else:  # covariances lose 2^-53
            assert abs(moved[0, 0] - right) < 2.0**-56 * c, m


def test_slopes_in_parameters_of_tables_and_where_there_are_none():
    """p*s_p = m*s + n*x*s' is read off; a kink that moves has no slope, and its note says so."""
    p = sympy.Symbol("p", real=True)
    texts = {
        "log(1 + exp(p*x))/p": (-1, 1),
        "x/(1 + exp(-x/p))": (1, -1),
        "tanh(p**2*x)*p": (1, 2),
        "p*tanh(x) + x*p": (1, 0),
        "p*tanh(x) + x": None,
        "tanh(x + p)": None,
        "tanh(p*x) + p": None,
    }
    for text, powers in texts.items():
        act = as_activation(text, params={"p": "real"})
        assert scaling(act.expr, p) == powers, text
    act = as_activation("max(x - p, 0)*tanh(x)", params={"p": "real"})
    rules, notes = own_rules(choose(act, code=True), act, {"p": sympy.Rational(1, 2)}, "numpy")
    assert not rules
    assert notes == (f"no derivatives in p: {act.name} has a kink that moves with it",)


def test_sums_of_waves_and_kinks_have_gradients_by_name():
    """Phi of complex arguments is in the closed form, so a table is made; against 1F1 by hand."""
    mp = MPContext()
    mp.dps = 40
    half, rows = mp.mpf(1) / 2, np.array([[1.25, -0.5, 0.75], [-0.25, 1.5, 0.5]])

    def both(gram):
        """Both kernels of cos(x) + |x| in one layer, of inner products."""
        a, c, b = (half * v + mp.mpf(1) / 10 for v in gram)  # 3/2 over 3 columns

        def dual(c):
            mixed = [
                mp.exp(-q / 2) * mp.sqrt(2 * r / mp.pi) * mp.hyp1f1(-half, half, c * c / (2 * r))
                for q, r in ((a, b), (b, a))
            ]
            kinks = 2 / mp.pi * (mp.sqrt(a * b - c * c) + c * mp.asin(c / mp.sqrt(a * b)))
            return mp.exp(-(a + b) / 2) * mp.cosh(c) + kinks + sum(mixed)

        nngp = 1.5 * dual(c) + mp.mpf(1) / 10
        return nngp, nngp + 1.5 * mp.diff(dual, c) * c

    gram = [mp.mpf(v) for v in (rows[0] @ rows[0], rows[0] @ rows[1], rows[1] @ rows[1])]
    found = ntksym.NetworkGradient(
        "mlp:cos(x)+abs(x):depth=1,weight_var=3/2,bias_var=1/10", threads=1
    )
    given, (by_row, _) = found(rows), found.input_gradient(rows)
    assert found.wrt == ("q11", "q12", "q22", "weight_var", "bias_var")
    for which, planes in enumerate((given.d_nngp, given.d_ntk)):
        for k, name in enumerate(("q11", "q12", "q22")):
            want = mp.diff(lambda *v, which=which: both(v)[which], gram, [k == i for i in range(3)])
            assert abs(planes[name][0, 1] - want) < 5e-13
    moved = 2 * given.d_nngp["q11"][0, 1] * rows[0] + given.d_nngp["q12"][0, 1] * rows[1]
    assert np.abs(by_row[0, 1] - moved).max() < 1e-14
