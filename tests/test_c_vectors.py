"""C functions that loops run in vectors: within 3 units in the last place of the true values."""

from __future__ import annotations

import ctypes
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import arb

from ntksym.backends.c.backend import support_file
from ntksym.backends.c.helpers.vectors import IN_LOOPS, VECTORS
from ntksym.errors import NoCompiler
from ntksym.precision import precision
from ntksym.runtime.library.compiler import find_compiler

LOOP = (
    "void many_{0}(int n, const double *a, double *b)\n"
    "{{ for (int i = 0; i < n; ++i) b[i] = ntksym_vector_{0}(a[i]); }}\n"
)
RNG = np.random.default_rng(4)
SIZES = 10.0 ** RNG.uniform(-20, 300, 200)
NEAR = RNG.normal(size=200) * 10.0 ** RNG.uniform(-12, 1, 200)
POINTS: dict[str, list[Any]] = {
    "log": [SIZES, 1.0 + NEAR[abs(NEAR) < 0.9], [5e-324, 1e-310, 1.7e308]],
    "log1p": [SIZES, NEAR[NEAR > -1], 2.0 ** -RNG.uniform(1, 52, 90) - 1, [-1e-310, 1e-200]],
    "tanh": [NEAR, 9 * NEAR, [1e-300, 19.9, -19.9, 1e300]],
    "sin": [NEAR, 1e3 * NEAR, np.arange(-90, 90) * np.pi / 2, RNG.uniform(-1e12, 1e12, 90)],
    "cos": [NEAR, 1e3 * NEAR, np.arange(-90, 90) * np.pi / 2, RNG.uniform(-1e12, 1e12, 90)],
}
ENDS = {
    "log": ([0.0, -1.0, np.inf, np.nan], [-np.inf, np.nan, np.inf, np.nan]),
    "log1p": ([-1.0, -1.5, np.inf, np.nan], [-np.inf, np.nan, np.inf, np.nan]),
    "tanh": ([0.0, np.inf, -np.inf, np.nan], [0.0, 1.0, -1.0, np.nan]),
    "sin": ([0.0, np.inf, -np.inf, np.nan], [0.0, np.nan, np.nan, np.nan]),
    "cos": ([0.0, np.inf, -np.inf, np.nan], [1.0, np.nan, np.nan, np.nan]),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    path = tmp_path_factory.mktemp("vectors")
    text = '#include "ntksym.h"\n' + IN_LOOPS + VECTORS + "".join(map(LOOP.format, POINTS))
    (path / "ntksym.h").write_text(support_file().text)
    (path / "unit.c").write_text(text)
    try:
        compiler = find_compiler()
    except NoCompiler:
        pytest.skip("no C compiler")
    out = str(path / "unit.so")
    argv = [*compiler.command, *compiler.flags, "-o", out, str(path / "unit.c"), "-lm"]
    subprocess.run(argv, check=True)
    return ctypes.CDLL(out)


def ran(library: ctypes.CDLL, name: str, a: np.ndarray) -> np.ndarray:
    out = np.empty_like(a)
    double = ctypes.POINTER(ctypes.c_double)
    getattr(library, f"many_{name}")(len(a), a.ctypes.data_as(double), out.ctypes.data_as(double))
    return out


@pytest.mark.parametrize("name", POINTS)
def test_vector_functions_are_right_to_three_units(name: str, library: ctypes.CDLL) -> None:
    a = np.concatenate([np.asarray(part, dtype=float) for part in POINTS[name]])
    with precision(400):
        for x, got in zip(a, ran(library, name, a), strict=True):
            want = getattr(arb(float(x)), name)()
            unit = np.spacing(max(abs(float(want.mid())), 2.0**-1022))
            assert abs(arb(float(got)) - want) < 3 * arb(float(unit)), (x, got)


@pytest.mark.parametrize("name", POINTS)
def test_vector_functions_at_the_ends(name: str, library: ctypes.CDLL) -> None:
    given, want = (np.array(v) for v in ENDS[name])
    assert np.array_equal(ran(library, name, given), want, equal_nan=True)


def test_plain_flags_make_the_loops_of_a_whole_file_vectors(tmp_path: Path) -> None:
    """With -O2 alone, many callers of exp in the file: loops with roots and exponentials are
    vectors, as in the parts that are compiled here.
    """
    try:
        compiler = find_compiler()
    except NoCompiler:
        pytest.skip("no C compiler")
    lines = support_file().text.split("\n")
    (tmp_path / "ntksym.h").write_text("\n".join(lines))
    body = f"void f(const double *a, double *o) {{ ntksym_block_expPhi2(8, {'a, ' * 7}o); }}\n"
    for k in range(9):
        body += f"double e{k}(double x);\ndouble e{k}(double x) {{ return ntksym_op_exp(x); }}\n"
    unit = tmp_path / "unit.c"
    unit.write_text(f'#include "ntksym.h"\nvoid f(const double *a, double *o);\n{body}')
    argv = [*compiler.command, "-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-pedantic"]
    argv += ["-Wmissing-prototypes", "-fopt-info-vec", "-c", str(unit), "-o", str(unit) + ".o"]
    told = subprocess.run(argv, capture_output=True, text=True, check=False).stderr
    if "fopt-info" in told or "clang" in compiler.identity:
        pytest.skip("the compiler does not say which loops are vectors")
    assert "warning" not in told
    vectors = {int(n) for n in re.findall(r"ntksym\.h:(\d+):\d+: optimized: loop vec", told)}
    for inside in (
        "sqrt(c1 * c1 + s1 * s1)",
        "sqrt(less)",
        "out[i] *= ntksym_op_exp(a[i])",
        "orthant_tail(lead[i]",
    ):
        at = next(k for k, line in enumerate(lines) if inside in line)
        loop = next(k for k in range(at, 0, -1) if "for (" in lines[k])
        assert loop + 1 in vectors, inside
