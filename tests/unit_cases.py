"""Units with a range, made from closed forms; how their C and NumPy files are loaded."""

from __future__ import annotations

import ctypes
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ntksym.backends import SourceFile
from ntksym.backends.c.helpers.header import header
from ntksym.backends.numpy.helpers import helpers
from ntksym.errors import NoCompiler
from ntksym.runtime.engines import import_file
from ntksym.runtime.library.compiler import find_compiler
from ntksym.runtime.units.layers import Wanted

TABLES = Wanted("tabulated")
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-fPIC", "-shared")


@dataclass(frozen=True, slots=True)
class RangeUnit:
    """A closed form that is NaN outside a range, as a table is."""

    activation: Any
    inner: Any
    low: float
    high: float
    method: str = "tabulated"

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"range: variances {self.low:g} to {self.high:g}",)

    @property
    def programs(self) -> Any:
        return self.inner.programs

    def c_functions(self, stem: str) -> str:
        text = self.inner.c_functions(f"{stem}_in")
        ok = f"(q[i] >= {self.low!r} && q[i] <= {self.high!r})"
        return f"""{text}
static void {stem}_pairs(size_t n, const double *q11, const double *q12, const double *q22,
                         const double *root, double *nngp, double *dot)
{{
  {stem}_in_pairs(n, q11, q12, q22, root, nngp, dot);
  for (size_t i = 0; i < n; ++i)
    if (!({ok.replace("q[i]", "q11[i]")} && {ok.replace("q[i]", "q22[i]")}))
      nngp[i] = dot[i] = NAN;
}}
static void {stem}_diag(size_t n, const double *q, double *nngp, double *dot)
{{
  {stem}_in_diag(n, q, nngp, dot);
  for (size_t i = 0; i < n; ++i)
    if (!{ok}) nngp[i] = dot[i] = NAN;
}}
"""

    def numpy_functions(self, stem: str) -> str:
        text = self.inner.numpy_functions(f"{stem}_in")
        lo, hi = repr(self.low), repr(self.high)
        return f"""{text}

def {stem}_pairs(q11, q12, q22, root=None):
    ok = (q11 >= {lo}) & (q11 <= {hi}) & (q22 >= {lo}) & (q22 <= {hi})
    nngp, dot = {stem}_in_pairs(q11, q12, q22, root)
    return np.where(ok, nngp, np.nan), np.where(ok, dot, np.nan)


def {stem}_diag(q):
    ok = (q >= {lo}) & (q <= {hi})
    nngp, dot = {stem}_in_diag(q)
    return np.where(ok, nngp, np.nan), np.where(ok, dot, np.nan)
"""


def load(source: SourceFile, folder: Path) -> Any:
    path = folder / source.name
    path.write_text(source.text)
    return import_file(path, path.stem)


def library(files: tuple[SourceFile, ...], folder: Path, name: str) -> Any:
    for f in files:
        (folder / f.name).write_text(f.text)
    out = folder / f"{name}.so"
    argv = [*find_compiler().command, *STRICT, "-o", str(out), str(folder / f"{name}.c"), "-lm"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]
    return ctypes.CDLL(str(out))


def compiled(text: str, folder: Path, *flags: str) -> Any:
    """The library of a C text that includes our header, at -O2 unless flags say more.

    Skips where there is no C compiler.
    """
    try:
        command = find_compiler().command
    except NoCompiler:
        pytest.skip("no C compiler")
    folder.mkdir(exist_ok=True)
    (folder / "ntksym.h").write_text(header())
    (folder / "unit.c").write_text(f'#include "ntksym.h"\n{text}')
    out, level = folder / "unit.so", () if flags else ("-O2",)
    strict = [f for f in STRICT if f != "-O1"]
    argv = [*command, *strict, *level, *flags, "-o", str(out), str(folder / "unit.c"), "-lm"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]
    return ctypes.CDLL(str(out))


def exported(unit: Any, number: object = "") -> str:
    """The C of a unit, and `run<number>` and `diag<number>`, which a library shows."""
    return f"""{unit.c_functions(f"unit{number}")}
void run{number}(size_t n, const double *a, const double *b, const double *c, const double *r,
    double *k, double *d) {{ unit{number}_pairs(n, a, b, c, r, k, d); }}
void diag{number}(size_t n, const double *q, double *k, double *d)
{{ unit{number}_diag(n, q, k, d); }}
"""


def call(library: ctypes.CDLL, name: str, *inputs: Any) -> tuple[Any, Any]:
    """What such a function writes into two arrays."""
    arrays = [np.ascontiguousarray(a, dtype=np.float64) for a in inputs]
    outputs = [np.full(arrays[0].shape, 7.0) for _ in range(2)]
    getattr(library, name)(ctypes.c_size_t(arrays[0].size), *vectors(*arrays, *outputs))
    return outputs[0], outputs[1]


def numpy_module(unit: Any, folder: Path, *names: str) -> Any:
    """The module with `unit_pairs` and `unit_diag`, and the helpers of these names."""
    support = helpers(frozenset(names or ("_rootdet",)))
    text = "\n\n\n".join(("import numpy as np", support, unit.numpy_functions("unit")))
    return load(SourceFile("unit.py", text), folder)


def data(rows: int = 6, width: int = 4) -> Any:
    return np.random.default_rng(0).normal(size=(rows, width))


def vectors(*arrays: Any) -> list[Any]:
    return [a.ctypes.data_as(ctypes.c_void_p) for a in arrays]


NEAR_ROWS = 10.0 ** -np.arange(1.0, 13.0)
"""Distances of pairs, down to where the error of a table is far more than 1 - rho."""


@dataclass(frozen=True, slots=True)
class ErringUnit:
    """A unit that errs on pairs, by a factor; NaN where q12^2 > q11 q22, as a table gives."""

    inner: Any
    error: float
    method: str = "tabulated"
    notes: tuple[str, ...] = ()

    @property
    def programs(self) -> Any:
        return self.inner.programs

    def c_functions(self, stem: str) -> str:
        return f"""{self.inner.c_functions(f"{stem}_right")}
static void {stem}_pairs(size_t n, const double *q11, const double *q12, const double *q22,
                         const double *root, double *nngp, double *dot)
{{
  {stem}_right_pairs(n, q11, q12, q22, root, nngp, dot);
  for (size_t i = 0; i < n; ++i) {{
    const int ok = fabs(q12[i]) <= sqrt(q11[i]) * sqrt(q22[i]) * (1.0 + 0x1p-48);
    nngp[i] = ok ? nngp[i] * {1.0 + self.error!r} : NAN;
  }}
}}
static void {stem}_diag(size_t n, const double *q, double *nngp, double *dot)
{{
  {stem}_right_diag(n, q, nngp, dot);
}}
"""

    def numpy_functions(self, stem: str) -> str:
        return f"""{self.inner.numpy_functions(f"{stem}_right")}


def {stem}_pairs(q11, q12, q22, root=None):
    nngp, dot = {stem}_right_pairs(q11, q12, q22, root)
    ok = abs(q12) <= np.sqrt(q11) * np.sqrt(q22) * (1.0 + 2.0**-48)
    return np.where(ok, nngp * {1.0 + self.error!r}, np.nan), dot


{stem}_diag = {stem}_right_diag
"""
