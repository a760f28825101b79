"""Generated code of Hermite series: C, NumPy and enclosures agree; outside the domain there is NaN."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ntksym.backends.c.helpers.header import HEADER_NAME, header
from ntksym.backends.c.series import GROUP, SeriesUnit
from ntksym.language import as_activation
from ntksym.numeric.arith import upward
from ntksym.numeric.series import series_dual, series_table
from ntksym.runtime.engines import import_file

CC = shutil.which("gcc") or shutil.which("cc")
needs_cc = pytest.mark.skipif(CC is None, reason="no C compiler")
FLAGS = ("-std=c99", "-O2", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra", "-Werror")

TABLES = {
    "tanh": dict(activation="tanh", variances=(1, 1), terms=60),
    "range": dict(activation="silu", variances=(1, "5/4"), terms=20),
    "kinked": dict(activation="hardtanh", variances=(1, "5/4"), rho_max="3/4", terms=24),
    "relu": dict(activation="relu", variances=("1/2", 2), rho_max="4/5", terms=40),
    "jump": dict(activation="sign", variances=(1, 2), rho_max="1/2", terms=34),
    "even": dict(activation="x^4 - x^2", variances=("1/2", 1), terms=5),
}


@pytest.fixture(scope="module")
def tables():
    return {k: series_table(**v) for k, v in TABLES.items()}


def module(unit):
    """The NumPy functions, imported from a file as a user would."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "unit_module.py"
        path.write_text("import numpy as np\n\n" + unit.numpy_functions("unit"))
        return vars(import_file(path, "unit_module"))


def library(unit, where: Path, *extra: str):
    """The C functions behind plain entry points."""
    where.mkdir(exist_ok=True)
    (where / HEADER_NAME).write_text(header())
    text = f'#include "{HEADER_NAME}"\n' + unit.c_functions("unit") + WRAPPERS
    (where / "unit.c").write_text(text)
    command = [CC, *FLAGS, *extra, "-shared", "-fPIC", "-I", str(where)]
    target = where / "unit.so"
    subprocess.run([*command, "-o", str(target), str(where / "unit.c"), "-lm"], check=True)
    return ctypes.CDLL(str(target))


WRAPPERS = """
void pairs(size_t n, const double *a, const double *c, const double *b, double *k, double *d)
{
  unit_pairs(n, a, c, b, a, k, d);
}
void diag(size_t n, const double *q, double *k, double *d) { unit_diag(n, q, k, d); }
"""


def call(function, *arrays):
    """(nngp, dot) of a C entry point."""
    n = len(arrays[0])
    out = np.full(n, -7.0), np.full(n, -7.0)
    pointers = [np.ascontiguousarray(a).ctypes.data_as(ctypes.c_void_p) for a in (*arrays, *out)]
    function(ctypes.c_size_t(n), *pointers)
    return out


def draws(table, n, seed=0):
    """Covariances in the domain, its edges among them."""
    rng = np.random.default_rng(seed)
    lo, hi, top = float(table.lo), float(table.hi), float(table.rho_max)
    a, b = rng.uniform(lo, hi, n), rng.uniform(lo, hi, n)
    a[:4], b[:4] = (lo, hi, lo, hi), (lo, hi, hi, hi)
    rho = rng.uniform(-top, top, n)
    rho[:4] = np.array([1, 1, -1, -1]) * top * (1 - 1e-14)
    return a, rho * np.sqrt(a * b), b


@pytest.mark.parametrize("name", TABLES)
def test_numpy_is_within_the_bound_of_the_enclosures(tables, name: str) -> None:
    table = tables[name]
    act = as_activation(TABLES[name]["activation"])
    d = series_dual(act, terms=table.terms)
    a, c, b = draws(table, 8)
    nngp, dot = module(SeriesUnit(table))["unit_pairs"](a, c, b)
    for i in range(8):
        if not abs(Fraction(c[i])) ** 2 <= Fraction(a[i]) * Fraction(b[i]):
            continue
        point = Fraction(a[i]), Fraction(c[i]), Fraction(b[i])
        for got, bound, slope in ((nngp[i], table.value, False), (dot[i], table.dot, True)):
            truth = d.enclose(*point, digits=13, derivative=slope)
            gap = abs(Fraction(got) - truth.mid) - truth.rad
            assert gap <= bound + 4e-14, (point, got, str(truth), bound)


def test_a_planted_error_exceeds_the_bound(tables) -> None:
    table = tables["tanh"]
    wrong = replace(table, rows=((table.rows[0][0] * (1 + 1e-9),), *table.rows[1:]))
    a, c, b = draws(table, 8)
    good, _ = module(SeriesUnit(table))["unit_pairs"](a, c, b)
    bad, _ = module(SeriesUnit(wrong))["unit_pairs"](a, c, b)
    assert abs(good - bad).max() > table.value


@needs_cc
@pytest.mark.parametrize("name", TABLES)
def test_c_is_numpy(tables, name: str, tmp_path: Path) -> None:
    unit = SeriesUnit(tables[name])
    lib, numpy_code = library(unit, tmp_path), module(unit)
    for n in (1, GROUP, GROUP + 3, 150):
        a, c, b = draws(unit.table, max(n, 4), seed=n)
        a, c, b = a[:n], c[:n], b[:n]
        root = np.sqrt(a * b)
        same = np.full(n, a[0])
        for left, right in ((a, b), (same, b), (a, same), (same, same)):
            cross = c / root * np.sqrt(left * right)
            want = numpy_code["unit_pairs"](left, cross, right)
            for got, wanted in zip(call(lib.pairs, left, cross, right), want, strict=True):
                np.testing.assert_allclose(got, wanted, rtol=3e-14, atol=3e-15)
        for got, wanted in zip(call(lib.diag, a), numpy_code["unit_diag"](a), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=3e-14)


@needs_cc
def test_columns_that_come_back_give_the_same_bits(tables, tmp_path: Path) -> None:
    """What a thread remembers never changes a result, whatever was asked before."""
    unit = SeriesUnit(tables["range"])
    lib = library(unit, tmp_path)
    a, c, b = draws(unit.table, 96)
    first = call(lib.pairs, np.full(96, a[0]), c * 0.5, b)
    for seed in range(60):
        x, y, z = draws(unit.table, 64, seed=seed)
        call(lib.pairs, np.full(64, x[0]), y * 0.5, z)
    again = call(lib.pairs, np.full(96, a[0]), c * 0.5, b)
    assert all(np.array_equal(p, q) for p, q in zip(first, again, strict=True))


@needs_cc
def test_outside_the_domain_is_nan(tables, tmp_path: Path) -> None:
    nan = np.nan
    for name in ("range", "kinked", "tanh"):
        unit = SeriesUnit(tables[name])
        lib, numpy_code = library(unit, tmp_path / name), module(unit)
        hi = float(unit.table.hi)
        top = float(unit.table.rho_max) + 1e-6
        a = np.array([nan, 1.0, 1.0, 0.0, hi * 1.001, 1.0, 1.0, -1.0, np.inf, 0.999])
        b = np.array([1.0, nan, 1.0, 1.0, 1.0, hi * 1.001, 1.0, 1.0, 1.0, 1.0])
        c = np.array([0.1, 0.1, nan, 0.0, 0.1, 0.1, top, 0.1, 0.1, 0.1])
        for k, d in (call(lib.pairs, a, c, b), numpy_code["unit_pairs"](a, c, b)):
            assert np.isnan(k).all() and np.isnan(d).all()
        q = np.array([nan, 0.0, -1.0, hi * 1.001, np.inf])
        for k, d in (call(lib.diag, q), numpy_code["unit_diag"](q)):
            assert np.isnan(k).all() and np.isnan(d).all()
        k, d = call(lib.pairs, np.ones(1), np.full(1, 0.5), np.ones(1))
        assert np.isfinite(k).all() and np.isfinite(d).all()


def test_the_diagonal_is_exact_where_the_series_is_short(tables) -> None:
    """The diagonal is a table of its own: truncation does not touch it."""
    table = tables["relu"]
    q = np.array([0.5, 1.0, 1.7, 2.0])
    nngp, dot = module(SeriesUnit(table))["unit_diag"](q)
    assert table.diag < 1e-15
    np.testing.assert_allclose(nngp, q / 2, rtol=1e-14)
    np.testing.assert_allclose(dot, 0.5, rtol=1e-14)
    nngp, dot = module(SeriesUnit(tables["jump"]))["unit_diag"](np.array([1.0, 2.0]))
    assert np.allclose(nngp, 1.0) and np.isinf(dot).all()


def test_the_head_says_what_is_proven(tables) -> None:
    notes = "\n".join(SeriesUnit(tables["tanh"]).notes)
    assert "n < 60, odd n only" in notes and "|rho| <= 1" in notes and "NaN elsewhere" in notes
    assert upward(tables["tanh"].value) in notes and "rounding not counted" in notes


def test_bytes_do_not_depend_on_the_run(tables) -> None:
    unit = SeriesUnit(tables["range"])
    assert unit.c_functions("k") == unit.c_functions("k")
    assert unit.numpy_functions("k") == unit.numpy_functions("k")
    assert unit.c_functions("a") != unit.c_functions("b")


def test_numpy_broadcasts_a_gram_matrix(tables) -> None:
    unit = SeriesUnit(tables["range"])
    q = np.linspace(1, 1.25, 5)
    gram = 0.3 * np.sqrt(np.outer(q, q))
    nngp, dot = module(unit)["unit_pairs"](q[:, None], gram, q[None, :])
    assert nngp.shape == dot.shape == (5, 5)
    assert np.array_equal(nngp, nngp.T) and np.array_equal(dot, dot.T)


@needs_cc
def test_sanitizers_find_nothing(tables, tmp_path: Path) -> None:
    (tmp_path / HEADER_NAME).write_text(header())
    main = """
int main(void)
{
  double q[70], c[70], k[70], d[70];
  for (int n = 1; n <= 70; n += 23) {
    for (int i = 0; i < n; ++i) q[i] = 1.0 + 0.25 * i / 70, c[i] = 0.4;
    unit_pairs((size_t)n, q, c, q, q, k, d);
    unit_diag((size_t)n, q, k, d);
    for (int i = 0; i < n; ++i) if (!(k[i] > 0.0)) return 1;
  }
  return 0;
}
"""
    text = f'#include "{HEADER_NAME}"\n' + SeriesUnit(tables["range"]).c_functions("unit") + main
    (tmp_path / "main.c").write_text(text)
    flags = [f for f in FLAGS if f != "-O2"] + ["-O1", "-fsanitize=address,undefined"]
    made = subprocess.run(
        [CC, *flags, "-fno-sanitize-recover", "-I", str(tmp_path), "-o", str(tmp_path / "main"),
         str(tmp_path / "main.c"), "-lm"],
        check=False, capture_output=True,
    )  # fmt: skip
    if made.returncode and b"sanitize" in made.stderr:
        pytest.skip("no sanitizers here")
    assert made.returncode == 0, made.stderr.decode()
    ran = subprocess.run([str(tmp_path / "main")], check=False, capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()
