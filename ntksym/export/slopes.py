"""How accurate the derivatives in an exported C file are: it is compiled, run, and compared.

An error is relative to the derivative or, where that is larger, to the size of the kernel over the
variable that it is derived in (1 for angles, variances of weights and biases, and parameters).
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..backends import SourceFile
from ..backends.c import backend as c_backend
from ..gradients import DualGradients
from ..lower import lower_dual_diag
from ..network import Recursion
from ..runtime.engines import array_size, pointer
from ..runtime.gradients.network import NetworkGradient
from ..runtime.library.compiler import load_library
from .measure import EPS, hard_rows, points
from .measured import DEFAULT_PARAMETER, rounded_eps

NEAR, LIKE = 9, 8
"""The second block of `hard_rows` has a row for each of so many of the first, by turns."""
DIGITS = 60
Row = tuple[str, float, Any, float]
"""A derivative by name, what the code gives, what is right, and the unit."""


def network_slopes(source: SourceFile, recursion: Recursion) -> str:
    """The accuracy line of a network's gradient: hard pairs of rows, as `measure_pairs` has them.

    Raises:
        NoCompiler: there is none.
    """
    run, names = _loaded(source, ctypes.c_int)
    rows = np.vstack(hard_rows())
    n, d = rows.shape
    out, close = np.empty((len(names), n, n)), np.zeros((n, n), np.uint8)
    given = (pointer(rows), None, pointer(out), ctypes.c_void_p(close.ctypes.data))
    if run(*map(array_size, (n, n, d)), *given):
        raise MemoryError(f"{source.name}: no memory for its measurement")
    found = dict(zip(names, out, strict=True))
    pairs = [(k % LIKE, LIKE + k) for k in range(NEAR)] + [(0, 0), (1, 2)]
    pairs = [(i, j) for i, j in pairs if rows[i].any() and rows[j].any()]
    exact = NetworkGradient(recursion, "numpy").exact

    def table() -> Iterator[Row]:
        for i, j in pairs:
            if close[i, j]:
                continue
            want = exact(rows[i], rows[j])
            x, y = (float(rows[k] @ rows[k]) for k in (i, j))
            sizes = {k: math.sqrt(found[k][i, i] * found[k][j, j]) for k in ("nngp", "ntk")}
            for name in names:
                if "/" in name:
                    yield name, found[name][i, j], want[name], _unit(name, sizes, x, y)

    marked = sum(bool(close[i, j]) for i, j in pairs)
    left = f", {marked} more marked" if marked else ""
    return _text(table(), f"{len(pairs) - marked} pairs of rows{left}, 90-digit reference")


def dual_slopes(source: SourceFile, given: DualGradients) -> str:
    """The accuracy line of a dual's gradient, at the points of `measure_dual`.

    Raises:
        NoCompiler: there is none.
    """
    from mpmath import MPContext

    run, names = _loaded(source, None)
    program = given.planes()
    params = dict.fromkeys(program.args[3:], DEFAULT_PARAMETER)
    places = list(points(False))
    columns = [np.array(v) for v in zip(*places, strict=True)]
    out = np.empty((len(names), len(places)))
    numbers = [ctypes.c_double(v) for v in params.values()]
    run(array_size(len(places)), *map(pointer, columns), *numbers, pointer(out))
    ctx = MPContext()
    ctx.dps = DIGITS
    diag = lower_dual_diag(given.dual)
    own = {
        q: {k: abs(float(v)) for k, v in diag.evaluate({"q": q, **params}, ctx).items()}
        for q in {*columns[0], *columns[2]}
    }

    def table() -> Iterator[Row]:
        for n, (x, c, y) in enumerate(places):
            at = {"q11": x, "q12": c, "q22": y, **params}
            want = dict(zip(names, program.evaluate(at, ctx).values(), strict=True))
            sizes = {k: math.sqrt(own[x][k] * own[y][k]) for k in ("nngp", "dot")}
            for name, got in zip(names, out[:, n], strict=True):
                if "/" in name:
                    yield name, got, want[name], _unit(name, sizes, x, y)

    kept = "".join(f", {name} = {value:g}" for name, value in params.items())
    return _text(table(), f"{len(places)} points{kept}, {DIGITS}-digit reference")


def _loaded(source: SourceFile, result: Any) -> tuple[Any, list[str]]:
    """The function of a file, and the names of its planes."""
    library = load_library((c_backend.support_file(), source), keep=False)
    stem = "ntksym_" + source.name.removesuffix(".c")
    run, count, name = (getattr(library, stem + end) for end in ("", "_planes", "_plane"))
    run.restype, count.restype, name.restype = result, ctypes.c_size_t, ctypes.c_char_p
    return run, [name(array_size(i)).decode() for i in range(count())]


def _unit(name: str, sizes: Mapping[str, float], x: float, y: float) -> float:
    """The size of the kernel over the variable that it is derived in."""
    kernel, _, by = name.partition("/")
    variables = {"q11": x, "q22": y, "q12": math.sqrt(x) * math.sqrt(y)}
    return sizes[kernel] / variables.get(by.removeprefix("polar "), 1.0)


def _text(table: Iterator[Row], where: str) -> str:
    """The worst errors of the derivatives of each kernel; infinite ones have no error."""
    worst: dict[str, float] = {}
    for name, got, want, unit in table:
        if not math.isfinite(want):
            continue
        off, most = abs(want - float(got)), max(abs(want), unit if math.isfinite(unit) else 0.0)
        error = float(off / most) / EPS if most else (math.inf if off else 0.0)
        kernel = name.partition("/")[0]
        worst[kernel] = max(worst.get(kernel, 0.0), math.inf if math.isnan(error) else error)
    listed = ", ".join(f"of {k} {rounded_eps(v)} eps" for k, v in worst.items())
    return f"derivatives {listed} at most, relative to them or to size over variable; {where}"
