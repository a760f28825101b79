"""The derivatives in exported C: accuracy, symmetry, hard inputs under sanitizers, its header."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from test_gradients import rows_of_all_kinds
from test_sanitizers import HEAD, sanitized, works

import ntksym
from ntksym.check.judge import take
from ntksym.claims.statement import state
from ntksym.export.files import generate
from ntksym.runtime.gradients.network import NetworkGradient
from ntksym.runtime.library.compiler import find_compiler

assert works  # a fixture

pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, ("gcc", "clang", "cc"))), reason="no C compiler"
)
POINTER = ctypes.c_void_p


class Exported:
    """The gradient functions of an exported library."""

    def __init__(self, spec, folder: Path, **options) -> None:
        for f in generate(spec, "c", **options).files:
            (folder / f.name).write_text(f.text, encoding="ascii")
        (source,) = folder.glob("*_gradient.c")
        library = folder / "library.so"
        flags = ("-std=c99", "-O2", "-ffp-contract=off", "-shared", "-fPIC", "-Wall", "-Wextra")
        command = (*find_compiler().command, *flags, "-Werror", "-Wno-maybe-uninitialized")
        subprocess.run([*command, str(source), "-o", str(library), "-lm"], check=True)
        self._library, self._stem = ctypes.CDLL(str(library)), f"ntksym_{source.stem}"
        count = self.of("_planes", ctypes.c_size_t)()
        name = self.of("_plane", ctypes.c_char_p)
        self.names = [name(ctypes.c_size_t(i)).decode() for i in range(count)]
        assert name(ctypes.c_size_t(count)) is None

    def of(self, end: str, kind=ctypes.c_int):
        """A function with that ending."""
        found = getattr(self._library, self._stem + end)
        found.restype = kind
        return found

    def network(self, x, y=None, marks=True):
        """The planes of all pairs by name, and the marks."""
        n, m = len(x), len(x if y is None else y)
        out, close = np.empty((len(self.names), n, m)), np.zeros((n, m), np.uint8)
        sizes = [ctypes.c_size_t(v) for v in (n, m, x.shape[1])]
        given = (place(x), None if y is None else place(y), place(out))
        assert self.of("")(*sizes, *given, place(close) if marks else None) == 0
        return dict(zip(self.names, out, strict=True)), close

    def pairs(self, d, g11, g12, g22):
        """The same from inner products."""
        out, close = np.empty((len(self.names), len(g11))), np.zeros(len(g11), np.uint8)
        given = (place(g11), place(g12), place(g22), place(out), place(close))
        assert self.of("_pairs")(ctypes.c_size_t(len(g11)), ctypes.c_size_t(d), *given) == 0
        return dict(zip(self.names, out, strict=True))

    def dual(self, q11, q12, q22, *params):
        """The planes of a dual."""
        q11, q12, q22 = (np.atleast_1d(np.array(q, dtype=float)) for q in (q11, q12, q22))
        out = np.empty((len(self.names), len(q11)))
        given = (place(q11), place(q12), place(q22), *map(ctypes.c_double, params), place(out))
        self.of("", None)(ctypes.c_size_t(len(q11)), *given)
        return dict(zip(self.names, out, strict=True))


def place(a):
    """The address of an array."""
    return a.ctypes.data_as(POINTER)


NETWORKS = {
    "relu, two variances": ("relu", 3, {}),
    "a parameter": ("leaky_relu", 2, {"alpha": "1/4"}),
    "smooth": ("x*erf(a*x) + sin(x)/3", 2, {"a": "1/2"}),
    "kinks away from 0": ("max(x - 1/3, 0) + x/5", 2, {}),
    "deep": ("relu", 20, {}),
}


@pytest.mark.parametrize("case", NETWORKS)
def test_a_network_against_90_digits(case, tmp_path):
    name, depth, params = NETWORKS[case]
    net = ntksym.mlp(name, depth=depth, weight_var=2, bias_var="1/10", params=params)
    exported, x = Exported(net, tmp_path), rows_of_all_kinds()
    reference = NetworkGradient(net, "numpy")
    whole, close = exported.network(x)
    part, _ = exported.network(x[:1], x)
    assert set(exported.names) >= {f"ntk/{v}" for v in (*reference.wrt, "polar angle")}
    for j, y in enumerate(x):
        exact = reference.exact(x[0], y)
        for v in exported.names:
            want, got = float(exact[v]), whole[v][0, j]
            assert got == part[v][0, j] or np.isnan(got)
            if close[0, j]:
                continue
            if np.isfinite(want):
                assert abs(got - want) < 1e-12 * (1 + abs(want)), (v, j)
            else:
                assert got == want or np.isnan(want), (v, j, got)
    assert close[0].any() == (case == "kinks away from 0") and not close[0, :4].any()


def test_matrices_are_symmetric_and_marked_pairs_are_nan_where_nobody_asks(tmp_path):
    exported = Exported("mlp:hardtanh:depth=2,bias_var=1", tmp_path)
    rng = np.random.default_rng(2)
    x = rng.standard_normal((150, 4))
    x[140] = x[3] + 1e-7 * x[4]
    (one, close), (other, _) = exported.network(x), exported.network(x, marks=False)
    swapped = {"q11": "q22", "q22": "q11", "polar q11": "polar q22", "polar q22": "polar q11"}
    assert close[3, 140] and close[140, 3] and close.sum() < 200
    for v in exported.names:
        first, mark, last = v.partition("/")
        np.testing.assert_array_equal(one[v], one[first + mark + swapped.get(last, last)].T)
        hidden = np.isnan(other[v])
        np.testing.assert_array_equal(hidden, close.astype(bool) if mark else hidden & False)
        np.testing.assert_array_equal(one[v][~hidden], other[v][~hidden])
    (far, close), (hidden, _) = (exported.network(1e6 * x[:2], marks=m) for m in (True, False))
    assert (close == 2).all() and np.isfinite(far["nngp"]).all()
    assert all(np.isnan(v).all() for v in hidden.values())


GELU = "mlp:gelu:depth=2,weight_var=3/2,bias_var=1/7"


@pytest.fixture(scope="module")
def gelu(tmp_path_factory):
    """A network of which files for usual and for large variances differ."""
    return Exported(GELU, tmp_path_factory.mktemp("gelu"))


@pytest.mark.parametrize("size", [3e2, 1e6, 1e30, 1e100])
def test_slopes_of_large_rows_are_right_or_marked(gelu, size):
    x = np.array([[0.9, -1.1, 0.4], [0.3, 0.8, -0.7], [0.9000003, -1.1000002, 0.4]])
    others = np.vstack([x, -x[:1], x[:1]]) * np.array([[size], [size], [size], [size], [1.0]])
    found, close = gelu.network(size * x[:2], others)
    reference = NetworkGradient(GELU, "numpy")
    for i, j in np.ndindex(close.shape):
        assert close[i, j] == 0 if (i, j) in ((0, 1), (1, 0), (0, 4)) else 1, (i, j)
        if close[i, j]:
            continue
        want = {k: float(v) for k, v in reference.exact(size * x[i], others[j]).items()}
        for v in gelu.names:
            kind, _, by = v.partition("/")
            unit = {"q11": size**2, "q12": size**2, "q22": size**2}.get(by.split(" ")[-1], 1.0)
            most = max(abs(want[v]), abs(want[kind]) / unit)
            assert abs(found[v][i, j] - want[v]) <= 1e-12 * most, (v, i, j)


def test_pairs_from_inner_products_are_those_of_rows(gelu):
    exported, x = gelu, np.random.default_rng(5).standard_normal((9, 3))
    whole, _ = exported.network(x)
    g = x @ x.T
    i, j = np.nonzero(np.triu(np.ones((9, 9)), 1))
    found = exported.pairs(3, g[i, i], np.ascontiguousarray(g[i, j]), g[j, j])
    for v in exported.names:
        np.testing.assert_allclose(found[v], whole[v][i, j], rtol=1e-12, atol=1e-13, err_msg=v)


DUALS = [
    ("gelu", {}, {}, 4e-15),
    ("hardtanh", {}, {}, 4e-15),
    ("max(x, alpha*x) + sin(x)", {"alpha": "1/4"}, {}, 4e-15),
    ("tanh", {}, {}, 4e-14),
    ("mish", {}, {"variances": "1/2:2"}, 1e-9),
]
AT = ("3/2", "-1/3", "5/7"), ("1/5", "1", "6")


@pytest.mark.parametrize(("name", "params", "options", "error"), DUALS, ids=[d[0] for d in DUALS])
def test_a_dual_against_enclosures_of_its_definition(name, params, options, error, tmp_path):
    """Claims enclose E[s(u)s(v)] times the score of the density in balls, by code of their own."""
    exported = Exported(name, tmp_path, **options)
    numbers = [float(Fraction(v)) for v in params.values()]
    for point in AT[: 1 if name in ("tanh", "mish") else 2]:
        found = exported.dual(*(float(Fraction(v)) for v in point), *numbers)
        pairs = zip(
            ("q11", "q12", "q22"), map(Fraction, map(float, map(Fraction, point))), strict=True
        )
        where = ", ".join(f"{q} = {v}" for q, v in pairs)
        where += "".join(f", {k} = {v}" for k, v in params.items())
        for by in ("q11", "q12"):
            claim = ntksym.Claim(
                activation=name, quantity="gradient", by=by, where=where, formula="1000"
            )
            ((sample,), _) = take(state(claim)[0], 20, 1)
            ball = sample.definition
            low, high = ball.mid - ball.rad, ball.mid + ball.rad
            got = Fraction(found[f"nngp/{by}"][0])
            assert abs(got - low) + (high - low) < Fraction(error) * abs(low), (by, point)


def test_a_dual_at_the_ends_is_infinite_where_it_is_and_its_polar_derivatives_are_finite(tmp_path):
    found = Exported("max(x - 1/2, 0)", tmp_path).dual([2.0, 3.0], [2.0, -3.0], [2.0, 3.0])
    assert found["dot/q12"].tolist() == [np.inf, 0.0] or found["dot/q12"][0] == np.inf
    for v, values in found.items():
        assert not np.isnan(values).any(), v
        assert np.isfinite(values).all() or v in ("dot/q11", "dot/q12", "dot/q22"), v


def test_derivatives_in_parameters_are_slopes(tmp_path):
    exported = Exported("max(x, a*x) + b*x**2", tmp_path)
    at, h = (1.2, -0.4, 0.7), 1e-5
    found = exported.dual(*at, 0.3, 0.2)
    assert exported.names[8:10] == ["nngp/a", "dot/a"]
    for k, moved in (("a", (h, 0.0)), ("b", (0.0, h))):
        up, down = (exported.dual(*at, 0.3 + s * moved[0], 0.2 + s * moved[1]) for s in (1, -1))
        for v in ("nngp", "dot"):
            assert found[f"{v}/{k}"][0] == pytest.approx((up[v] - down[v])[0] / (2 * h), rel=1e-8)


UNITS = {"tanh": {}, "mish": {"variances": "1/2:2"}}


@pytest.mark.parametrize("name", UNITS)
def test_every_derivative_of_a_mixture_and_of_a_table_is_a_slope(name, tmp_path):
    exported, h = Exported(name, tmp_path, **UNITS[name]), 1e-5
    x, c, y = at = (1.2, -0.3, 0.7)
    angle = np.arccos(c / np.sqrt(x * y))

    def polar(x, angle, y):
        return x, np.sqrt(x * y) * np.cos(angle), y

    found = exported.dual(*at)
    given = {"": (at, lambda *q: q, ("q11", "q12", "q22"))}
    given["polar "] = ((x, angle, y), polar, ("q11", "angle", "q22"))
    for first, (place, of, names) in given.items():
        for k, v in enumerate(names):
            step = h * np.eye(3)[k]
            up, down = (exported.dual(*of(*(np.array(place) + s * step))) for s in (1, -1))
            for label in ("nngp", "dot"):
                slope = (up[label] - down[label])[0] / (2 * h)
                assert found[f"{label}/{first}{v}"][0] == pytest.approx(slope, abs=5e-9), (label, v)


NETWORK = r"""
int main(void)
{
  static const size_t shapes[][3] = {{0, 0, 1}, {1, 1, 1}, {2, 65, 3}, {HARD, HARD, 2}, {70, 1, 5}};
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; ++s) {
    const size_t n = shapes[s][0], m = shapes[s][1], d = shapes[s][2], planes = STEM_planes();
    double *x = fresh(n * d), *y = fresh(m * d), *out = fresh(planes * n * m), *own = fresh(planes * n * n);
    unsigned char *close = malloc(n * m + 1);
    double *g = fresh(n), *h = fresh(n), *few = fresh(planes * n);
    for (size_t i = 0; i < n * d; ++i) x[i] = (i % 3 ? 1.0 : -1.0) * sqrt(hard[(i / d) % HARD]);
    for (size_t i = 0; i < m * d; ++i) y[i] = sqrt(hard[(i / d + i % 2) % HARD]);
    for (size_t i = 0; i < n; ++i) { g[i] = hard[i % HARD]; h[i] = 0.5 * g[i]; }
    if (n > 3) { x[0] = NAN; x[d] = INFINITY; }
    if (STEM(n, m, d, x, y, out, close) || STEM(n, 0, d, x, NULL, own, NULL)) return 1;
    if (STEM_pairs(n, 3, g, h, g, few, NULL)) return 1;
    for (size_t i = 0; i < planes; ++i) if (!STEM_plane(i)) return 2;
    free(close); used(out, planes * n * m); used(own, planes * n * n); used(few, planes * n);
    used(x, n * d); used(y, m * d); used(g, n); used(h, n);
  }
  return 0;
}
"""
DUAL = r"""
int main(void)
{
  static const size_t sizes[] = {0, 1, 65, HARD * HARD * 5};
  static const double rho[] = {-1.0, -0.3, 0.0, 0.9999999999999999, 1.0000000000000002};
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; ++s) {
    const size_t n = sizes[s], planes = STEM_planes();
    double *a = fresh(n), *c = fresh(n), *b = fresh(n), *out = fresh(planes * n);
    for (size_t i = 0; i < n; ++i) {
      a[i] = hard[i % HARD];
      b[i] = hard[(i / HARD) % HARD];
      c[i] = rho[i / (HARD * HARD)] * sqrt(a[i]) * sqrt(b[i]);
    }
    STEM(n, a, c, b, out);
    used(a, n); used(b, n); used(c, n); used(out, planes * n);
  }
  return 0;
}
"""


@pytest.mark.parametrize(
    "spec, options",
    [
        ("mlp:hardtanh:depth=2,bias_var=1", {}),
        ("mlp:mish:depth=1", {"variances": ("1/2", "2"), "error": 1e-6}),
        ("hardswish", {}),
        ("tanh", {}),
    ],
)
def test_no_undefined_behaviour_and_no_stray_access(spec, options, tmp_path, works):
    for f in generate(spec, "c", **options).files:
        (tmp_path / f.name).write_text(f.text)
    (source,) = tmp_path.glob("*_gradient.c")
    header = source.name.replace("_gradient.c", ".h")
    main = tmp_path / "main.c"
    body = NETWORK if spec.startswith("mlp") else DUAL
    text = HEAD.replace("@DECLARATIONS@", f'#include "{header}"') + body
    main.write_text(text.replace("STEM", f"ntksym_{source.stem}"))
    ran = sanitized([source, main], tmp_path)
    assert ran.returncode == 0, ran.stderr[-3000:]
