"""Kernels beside what people use: Numba, cffi, Dask, and processes started in every way."""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ntksym
from ntksym.export.files import generate
from ntksym.runtime.library.compiler import FLAGS, find_compiler

compiled = pytest.mark.skipif(
    not any(map(shutil.which, ("gcc", "clang", "cc"))), reason="no C compiler"
)
POINTS = np.array([[1.0, 0.5, 1.0], [2.0, -1.5, 1.3], [0.4, 0.4, 0.4]])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported C of GELU's dual as a shared library."""
    folder = tmp_path_factory.mktemp("plain")
    for f in generate("gelu", "c").files:
        (folder / f.name).write_text(f.text)
    out = folder / "gelu.so"
    command = [*find_compiler().command, "-O1", *FLAGS, "-o", str(out), str(folder / "gelu.c")]
    subprocess.run([*command, "-lm"], check=True)
    return out


def expected() -> Any:
    """NNGP kernel and derivative at `POINTS`."""
    return np.array(ntksym.ufunc("gelu")(*POINTS.T))


@compiled
def test_numba_calls_the_plain_symbols(plain: Path) -> None:
    numba = pytest.importorskip("numba")
    import ctypes

    dual = ctypes.CDLL(str(plain)).ntksym_gelu
    dual.argtypes, dual.restype = [ctypes.c_size_t, *[ctypes.c_void_p] * 5], None

    @numba.njit  # type: ignore[untyped-decorator,unused-ignore]
    def total(q11: Any, q12: Any, q22: Any) -> Any:
        out = np.empty((2, q11.size))
        nngp, dot = out[0], out[1]
        dual(q11.size, q11.ctypes, q12.ctypes, q22.ctypes, nngp.ctypes, dot.ctypes)
        return out

    columns = [np.ascontiguousarray(c) for c in POINTS.T]
    np.testing.assert_allclose(total(*columns), expected(), rtol=1e-14)


@compiled
def test_cffi_without_a_compiler_of_its_own(plain: Path) -> None:
    cffi = pytest.importorskip("cffi")
    header = plain.with_name("gelu.h").read_text()
    start = header.index("void ntksym_gelu(")
    ffi = cffi.FFI()
    ffi.cdef(header[start : header.index(";", start) + 1])
    found, columns = np.empty((2, 3)), [np.ascontiguousarray(c) for c in POINTS.T]
    given = [ffi.cast("double *", a.ctypes.data) for a in (*columns, *found)]
    ffi.dlopen(str(plain)).ntksym_gelu(3, *given)
    np.testing.assert_allclose(found, expected(), rtol=1e-14)


def test_dask_maps_blocks() -> None:
    array = pytest.importorskip("dask.array")
    f = ntksym.ufunc("gelu")
    columns = [array.from_array(c, chunks=2) for c in POINTS.T]
    nngp = array.map_blocks(lambda *q: f(*q)[0], *columns, dtype=float, meta=np.empty(0))
    with_scheduler = nngp.compute(scheduler="threads", num_workers=2)
    np.testing.assert_array_equal(with_scheduler, expected()[0])


def there(given: tuple[Any, Any, Any]) -> Any:
    """A kernel and a ufunc that came to another process."""
    kernel, f, rows = given
    return kernel(rows).ntk, np.array(f(*POINTS.T))


@pytest.mark.parametrize("way", ["spawn", "forkserver", "fork"])
def test_processes_of_every_kind_after_use(way: str) -> None:
    """Kernel and ufunc travel to a process that is started after both were used, with threads."""
    if way not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {way} here")
    rows = np.random.default_rng(0).standard_normal((40, 3))
    kernel, f = ntksym.compile("mlp:gelu:depth=2,bias_var=1/7", threads=2), ntksym.ufunc("gelu")
    want = kernel(rows).ntk, np.array(f(*POINTS.T))
    with multiprocessing.get_context(way).Pool(1) as pool:
        found = pool.map_async(there, [(kernel, f, rows)]).get(timeout=120)
    for a, b in zip(found[0], want, strict=True):
        np.testing.assert_array_equal(a, b)
