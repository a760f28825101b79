"""Every operation in every backend against its mpmath meaning; generated text is safe and stable."""

from __future__ import annotations

import ctypes
import math
import subprocess
from typing import Any

import numpy as np
import pytest
from mpmath import MPContext
from test_lower import RELU, RELU_DOT, SAMPLES, program

from ntksym.backends import BACKENDS, NUMPY, C, Contract, missing_ops
from ntksym.backends._base import comment, identifier
from ntksym.backends.c import backend as c_backend
from ntksym.backends.c.text import c_literal
from ntksym.backends.numpy import backend as numpy_backend
from ntksym.errors import UnsupportedOp
from ntksym.lower import OPS as EVERY_OP
from ntksym.lower import Let, Program
from ntksym.lower.ops import FAR_OPS
from ntksym.runtime.engines import load_module
from ntksym.runtime.library.compiler import shared_library

EPS = 2.0**-52
REAL = (-30.0, -3.5, -1.0, -0.4, -1e-9, 0.0, 1e-300, 0.3, 1.0, 2.5, 20.0)
POSITIVE = (1e-300, 1e-9, 0.2, 1.0, 7.5, 1e10)
SIDES = (0.0, 1e-160, 1e-9, 0.5, 1.0, 3.0)
COVARIANCES = (
    (1.0, 1.0, 1.0),
    (2.0, 0.5, 0.25),
    (1.0, 1 - 2.0**-52, 1.0),
    (1.0, -1 + 2.0**-50, 1.0),
    (1e-200, 0.5e-200, 1e-200),
    (1e200, -0.5e200, 1e200),
    (4.0, 0.0, 0.0),
    (1e-320, 0.0, 1.0),
)
LARGE_SMALL = tuple(
    (a + b, a - b, b, d)
    for a, b, d in ((-800.0, 790.0, 1.0), (-2.0, 0.5, 2.0), (0.0, -1e-9, 3.0), (-1.0, 1.0, 0.0))
)
ARGUMENTS: dict[str, tuple[tuple[float, ...], ...]] = {
    "pi": ((),),
    "inf": ((),),
    "div": tuple((a, b) for a in REAL for b in POSITIVE if abs(a) < 1 or b > 1e-9),
    "pow": tuple((a, b) for a in (*POSITIVE[1:], 0.0, -1.0) for b in (0.25, 1.5)),
    "clamp": tuple((a, -0.5, 2.0) for a in REAL),
    "log": tuple((a,) for a in POSITIVE),
    "log1p": tuple((a,) for a in (-0.5, -1e-12, 0.0, 1e-12, 3.0)),
    "cross": ((1.0, 1.0, 1 - 2.0**-52, 1 - 2.0**-52), (3.0, 0.1, 0.7, 0.3), (2.0, 3.0, 6.0, 1.0)),
    "rootdet": COVARIANCES,
    "rescale": tuple(
        (q, 2.0**k)
        for q in (0.0, 1e-320, 1e-150, 3e-75, 1.0, 1e75, 7e290, math.inf)
        for k in (-124, -40, 40, 124)
    ),
    "inverse4": tuple((q,) for q in (0.0, 1e-320, 1e-149, 0.3, 1.0, 4.0, 7e99, 1e300, math.inf)),
    "angle": tuple((s, c) for s in SIDES for c in REAL),
    "arc1": tuple((s, c) for s in SIDES for c in REAL),
    "gap": tuple((s, c) for s in SIDES for c in REAL),
    "asin3": tuple((c, s, math.hypot(s, c)) for s in SIDES for c in REAL),
    **{
        op: tuple((s, c, math.hypot(s, c)) for s in SIDES for c in REAL)
        for op in ("angle3", "arc3", "gap3")
    },
    "select": ((1.0, 2.0, 3.0, 4.0), (2.0, 1.0, 3.0, 4.0), (1.0, 1.0, 3.0, 4.0)),
    "short": ((1.0, 2.0, 3.0, 3.0), (2.0, 1.0, 4.0, 4.0)),
    "hyproot": tuple((a, b) for a in (0.0, 1.0, 1e300, 1e-9) for b in (0.0, 1e-160, 2.0, 1e300)),
    "expsinh": LARGE_SMALL,
    "expcosh": LARGE_SMALL,
    "carry": (
        (0.0, 2.0, 2.0, 2.0, 1e-9),
        (0.0, 2.0, -2.0, 2.0, 1e-9),
        (0.0, 2.0, 1.0, 0.5, 3.0),
        (1e-9, 2.0, 2.0, 2.0, 0.5),
    ),
    "expPhi": (
        (800.0, -40.0),
        (3.0, -2.0),
        (0.5, 1.5),
        (450.0, -30.0),
        (0.0, -9.99),
        (2.0, -10.01),
    ),
    "expPhi2": (
        (128.0, -16.0, -16.0, 0.6, 0.8, 1e-14, -2e-14),
        (10.0, -4.5, -4.4, 0.99, 1e-3, 1e-13, 3e-13),
        (10.0, 0.5, -4.4, -0.7, 0.7, 1e-13, 3e-13),
        (128.0, -16.0, -16.0, -0.6, 0.8, 0.0, 0.0),
        (60.0, -10.0, -9.0, 1.0, 1e-6, 0.0, 0.0),
        (2.0, -1.0, -0.5, 0.3, 0.9, 0.0, 0.0),
        (0.1, -9.0, -2.0, 0.5, 0.8, 0.0, 0.0),
        (0.5, 1.0, -2.0, 0.6, 0.8, 0.0, 0.0),
        (0.1, 0.4, 0.2, -0.6, 0.8, 0.0, 0.0),
        (450.0, -30.0, -29.0, 0.9, 0.1, 0.0, 0.0),
        (450.0, 0.0, -30.0, 1.0, 0.0, 0.0, 0.0),  # a peak with both of its sides
        (1.0, -1.0, -1.0, 1.0, 0.0, 0.0, 0.0),
        (1.0, -1.0, -1.0, -1.0, 0.0, 0.0, 0.0),
        (1.0, -0.5, 0.5, 0.0, 0.0, 0.0, 0.0),
    ),
    "mills": tuple((y,) for y in (-1.0, 0.0, 1e-300, 0.3, 1.0, 2.5, 20.0, 1e9)),
    "euler": ((),),
    "gamma": tuple((a,) for a in (0.25, 1.0, 2.5, 7.5, 30.0)),
    "hyp2f1": (
        (0.5, 0.5, 1.0, 0.0, 0.0),
        (0.5, 0.5, 2.0, 1.0, 1e-200),
        *(
            (a, b, c, t, s)
            for a, b, c in (
                (0.5, 0.5, 3.0),
                (0.5, 0.5, 1.0),
                (-0.75, -0.75, 0.5),
                (0.75, 0.75, 1.5),
                (1.25, -0.25, 2.5),
                (-0.685, -0.685, 0.5),
                (0.5, 0.5, 12.0),
            )
            for t, s in ((0.0, 1.0), (0.3, 0.7), (1.0, 0.9), (2.0, 0.1), (1.0, 1e-9), (1.0, 0.0))
        ),
    ),
    "Phi2": (
        *tuple(
            (h, k, r, math.sqrt(1 - r * r))
            for h in (-2.5, -0.5, 0.0, 1.3)
            for k in (-2.5, 0.0, 0.7)
            for r in (-0.9, 0.0, 0.6)
        ),
        (0.5, 0.5, 1.0, 1e-09),
        (0.5, 0.4, 1.0, 0.0),
        (-1.0, 0.5, -1.0, 0.0),
        (0.0, 0.0, 0.0, 0.0),
    ),
}
OPS = {name: op for name, op in EVERY_OP.items() if name not in ("price", *FAR_OPS)}
"""Those that carry a program or a rule have no meaning without: see test_scales."""
LIMITS = {
    "Phi2": 4.0,
    "Phi": 500.0,
    "expPhi": 400.0,
    "expPhi2": 800.0,
    "gamma": 16.0,
    "hyp2f1": 32.0,
    "expsinh": 300.0,
    "expcosh": 300.0,
    "pow": 4.0,
}
"""In units of 2**-52.  The exponents reach 450, and a rounding of one is worth as many; those of
Phi2 are squares, of 20 and more: a rounding of the root is worth twice as many."""


def arguments(op: str) -> tuple[tuple[float, ...], ...]:
    arity = OPS[op].arity
    if op in ARGUMENTS:
        return ARGUMENTS[op]
    if arity == 1:
        return tuple((a,) for a in REAL)
    return tuple((a, b) for a in REAL for b in REAL)


def single(op: str) -> Program:
    names = tuple(f"a{i}" for i in range(OPS[op].arity)) or ("a0",)
    used = names[: OPS[op].arity]
    return Program(f"one_{op}", names, (Let("r", op, used),), (("r", "r"),))


def run_c(programs: dict[str, Program], rows: dict[str, Any]) -> dict[str, np.ndarray]:
    text = '#include "ntksym.h"\n'
    for name, p in programs.items():
        text += c_backend.loop(p, f"run_{name}", p.args)
    source = c_backend.SourceFile("ops.c", text)
    library = ctypes.CDLL(str(shared_library((c_backend.support_file(), source), keep=False)))
    results = {}
    for name, p in programs.items():
        columns = [np.array(c, dtype=float) for c in zip(*rows[name], strict=True)]
        columns = columns or [np.zeros(len(rows[name]))]
        out = np.empty(len(rows[name]))
        assert len(p.args) == len(columns)
        pointers = [ctypes.c_void_p(c.ctypes.data) for c in (*columns, out)]
        getattr(library, f"run_{name}")(ctypes.c_size_t(len(out)), *pointers)
        results[name] = out
    return results


def run_numpy(programs: dict[str, Program], rows: dict[str, Any]) -> dict[str, np.ndarray]:
    used = numpy_backend.used_helpers(tuple(programs.values()))
    text = "import numpy as np\n\n\n" + numpy_backend.helpers(used) + "\n\n\n"
    for name, p in programs.items():
        text += numpy_backend.function(p, f"run_{name}", "One program.") + "\n\n"
    module = load_module(c_backend.SourceFile("ops.py", text), keep=False)
    results = {}
    for name in programs:
        columns = [np.array(c, dtype=float) for c in zip(*rows[name], strict=True)]
        columns = columns or [np.zeros(len(rows[name]))]
        with np.errstate(all="ignore"):
            value = getattr(module, f"run_{name}")(*columns)
        results[name] = value + np.zeros(len(rows[name]))
    return results


RUN = {"c": run_c, "numpy": run_numpy}


@pytest.fixture(scope="module", params=BACKENDS, ids=lambda b: b.name)
def results(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    programs = {op: single(op) for op in OPS}
    return RUN[request.param.name](programs, {op: arguments(op) for op in OPS})


def test_numbers_to_the_digits_of_doubles_are_for_doubles() -> None:
    p = single("short")
    at = dict(zip(p.args, (1, 2, 3, 4), strict=True))
    ctx = MPContext()
    ctx.prec = 53
    assert (p.evaluate(at, ctx)["r"], p.evaluate(at)["r"]) == (3, 4)
    columns = {"short": ((1.0, 2.0, 3.0, 4.0), (2.0, 1.0, 3.0, 4.0))}
    for run in RUN.values():
        assert list(run({"short": p}, columns)["short"]) == [3.0, 4.0]


def test_no_backend_lacks_an_operation() -> None:
    for backend in BACKENDS:
        assert missing_ops(backend) == ()


@pytest.mark.parametrize("op", OPS)
def test_operation_has_its_meaning(op: str, results: dict[str, np.ndarray]) -> None:
    ctx = MPContext()
    ctx.dps = 60
    for row, got in zip(arguments(op), results[op], strict=True):
        exact = OPS[op].meaning(ctx, *map(ctx.mpf, row))
        if not ctx.isfinite(exact) or abs(exact) > 1e308:
            assert float(got) == float(exact), (row, got)
            continue
        size = abs(exact)
        if op in ("Phi2",):
            size = ctx.one / 4  # absolute: the far tails of Phi2 are documented as absolute
        error = abs(ctx.mpf(float(got)) - exact)
        limit = LIMITS.get(op, 4.0) * EPS * size + ctx.mpf(2) ** -1070
        assert error <= limit, (row, float(got), float(exact), float(error / (EPS * size or 1)))


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.name)
def test_nan_in_nan_out(backend: Any) -> None:
    names = [op for op in OPS if OPS[op].arity and op not in ("clamp", "sign")]
    programs = {op: single(op) for op in names}
    rows = {op: [(math.nan,) * OPS[op].arity] for op in names}
    for op, value in RUN[backend.name](programs, rows).items():
        assert np.isnan(value).all(), op


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.name)
@pytest.mark.parametrize(
    "q12_value", [-1 + 2.0**-52, -1 + 1e-9, -0.999999, -0.9, 0.3, 1 - 2.0**-52]
)
def test_relu_keeps_relative_accuracy(backend: Any, q12_value: float) -> None:
    """acos loses every digit here: relative error 1e7 at rho = -1 + 2**-52."""
    programs = {"value": program(RELU), "dot": program(RELU_DOT)}
    rows = {k: [(1.0, q12_value, 1.0)] for k in programs}
    ctx = MPContext()
    ctx.dps = 80
    for name, value in RUN[backend.name](programs, rows).items():
        point = dict(zip(("q11", "q12", "q22"), rows[name][0], strict=True))
        exact = programs[name].evaluate(point, ctx)["value"]
        assert abs(ctx.mpf(float(value[0])) / exact - 1) < 8 * EPS


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.name)
@pytest.mark.parametrize("name", SAMPLES)
def test_sample_duals(backend: Any, name: str) -> None:
    p = program(SAMPLES[name])
    rows = [(1.0, 0.5, 1.0), (0.3, -0.4, 2.0), (5.0, 3.0, 4.0), (0.0, 0.0, 1.0), (0.0, 0.0, 0.0)]
    got = RUN[backend.name]({"value": p}, {"value": rows})["value"]
    ctx = MPContext()
    ctx.dps = 40
    for row, value in zip(rows, got, strict=True):
        exact = p.evaluate(dict(zip(("q11", "q12", "q22"), row, strict=True)), ctx)["value"]
        assert abs(float(exact) - value) <= 4 * EPS * max(1.0, abs(float(exact)))


def test_literals_read_back() -> None:
    for value in (1 / 3, 2.0, -0.1, 1e300, 5e-324, 2.0**52 + 1, math.pi):
        assert float(NUMPY.literal(value).strip("()")) == value
        text = C.literal(value).strip("()")
        assert (float.fromhex(text) if "x" in text else float(text)) == value
    assert c_literal(0.5) == "0x1p-1"


def test_constants_are_folded_and_explained() -> None:
    text = c_backend.loop(program(RELU), "f", ("q11", "q12", "q22"))
    assert "0x1.45f306dc9c883p-3" in text
    squared = c_backend.inline_function(program(RELU**2), "f")
    assert "/* 1/(pi*2) */" in squared
    assert "M_PI" not in text


def test_names_and_comments_cannot_escape() -> None:
    taken: set[str] = set()
    assert identifier("double", taken) == "double_"
    assert identifier("lambda", taken) == "lambda_"
    assert identifier("a__b; system()", taken) == "a_b_system"
    assert identifier("a__b; system()", taken) == "a_b_system_2"
    assert identifier("\u03b1", taken) == "p"
    assert comment("end */ here\n#include <x> ??/") == "end * / here #include <x> ? ?/"


def test_hostile_names_compile() -> None:
    p = Program(
        "x*/y", ("int", "q12", "a b"), (Let("for", "add", ("int", "a b")),), (("r", "for"),)
    )
    text = c_backend.head(Contract("x\n*/ int", ("evil */",)), (p,))
    assert text.count("*/") == 1
    shared_library(
        (
            c_backend.support_file(),
            c_backend.SourceFile("t.c", '#include "ntksym.h"\n' + c_backend.loop(p, "f", ("int",))),
        ),
        keep=False,
    )


def test_fast_math_is_refused(tmp_path: Any) -> None:
    from ntksym.runtime import find_compiler

    (tmp_path / "ntksym.h").write_text(c_backend.support_file().text)
    (tmp_path / "a.c").write_text('#include "ntksym.h"\n')
    argv = [*find_compiler().command, "-ffast-math", "-c", "a.c", "-o", "a.o"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "compile without -ffast-math" in done.stderr


def test_no_warnings_from_the_compiler(tmp_path: Any) -> None:
    from ntksym.runtime import find_compiler

    (tmp_path / "ntksym.h").write_text(c_backend.support_file().text)
    text = '#include "ntksym.h"\n'
    for name in SAMPLES:
        text += c_backend.loop(program(SAMPLES[name]), f"f_{name}", ("q11", "q12", "q22"))
    (tmp_path / "a.c").write_text(text)
    flags = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-c", "a.c", "-o", "a.o"]
    flags += ["-Wno-unused-function", "-Wno-unused-const-variable"]
    done = subprocess.run(
        [*find_compiler().command, *flags], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_unknown_operation_is_refused() -> None:
    backend = c_backend.CBackend(spell={k: v for k, v in C.spell.items() if k != "Phi2"})
    from ntksym.backends._base import spell_program

    with pytest.raises(UnsupportedOp, match="c cannot spell the operation 'Phi2'"):
        spell_program(program(SAMPLES["shifted"]), backend)
