"""Duals of splines: digits of the value where that is small; those with pieces on both sides of 0."""

from __future__ import annotations

import ctypes
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from flint import acb

from ntksym import symbols as S
from ntksym.backends import Contract
from ntksym.backends.c import backend as c_backend
from ntksym.backends.numpy import backend as numpy_backend
from ntksym.collapse.straight import Straight
from ntksym.derivation import Derivation
from ntksym.dual import dual
from ntksym.export.lowered import lower_any
from ntksym.language import as_activation
from ntksym.lower.splines import spline_power
from ntksym.precision import precision
from ntksym.runtime.compile import compile as compile_
from ntksym.runtime.engines import load_module
from ntksym.runtime.library.compiler import load_library
from ntksym.terms.cells import cells, inside

EPS = 2.0**-52
CONTRACT = Contract("a test", ("a test",))
AT = (
    (1.0, -0.9, 1.0),
    (1.07, -0.0421, 2.25),
    (0.4375, -0.09375, 0.4375),
    (0.171875, 0.09375, 0.171875),
    (0.40625, -0.3, 0.3),
    (0.4375, 0.4371, 0.43701171875),  # past the peak of the integrand
    (3.25, -3.24, 3.25),
    (0.1, 0.9, 12.0),
    (1.0, 0.0, 1.0),  # nearly uncorrelated, kinks a deviation out
    (0.7, 0.05, 1.4),
)


@lru_cache
def _exact(text: str) -> tuple[Any, tuple[tuple[Any, Any], ...]]:
    d = dual(as_activation(text))
    with precision(1300):
        straight = Straight((d.value, d.dot), (S.q11, S.q12, S.q22))
        pairs = [straight(*map(acb, at)) for at in AT]
    return d, tuple((value.real, dot.real) for value, dot in pairs)


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("text", ["max(x - 1, 0)", "min(x + 1, 0)^2", "relu6", "step(x - 1)"])
def test_values_of_one_sign_keep_their_digits(text: str, target: str) -> None:
    """Within 5 eps of both numbers: of sums, the closed forms lose up to all digits here."""
    d, pairs = _exact(text)
    found = compile_(d, target)(*zip(*AT, strict=True))
    for at, *columns in zip(AT, found.nngp, found.dot, pairs, strict=True):
        for got, exact in zip(columns[: 1 + d.continuous], columns[2], strict=False):
            assert abs(float(got / exact - 1)) <= 5 * EPS, at


@pytest.mark.parametrize(
    ("text", "power"),
    [
        ("max(x - 1, 0)", 1),
        ("relu6", 1),
        ("step(x - 1)", 0),
        ("min(x + 2, 0)^3", 3),
        ("max(0, 1 - |x|)", 1),
        ("min(max(x, -1), 1)", 1),
        ("max(|x| - 1, 0)", 1),
        ("x*step(x - 1)", -1),
        ("max(x - 1, 0)*exp(-x)", -1),
    ],
)
def test_which_activations_are_such_splines(text: str, power: int) -> None:
    """Of one degree: the code looks at which side of 0 the kinks are."""
    terms = Derivation.of(as_activation(text)).terms
    found = cells(terms)
    assert spline_power(found, tuple(inside(terms, c) for c in found)) == power


USUAL = ((3.0, -2.5, 3.5), (9.0, 8.9999, 9.0), (6.0, 0.3, 4.0), (3.25, 3.0, 3.0), (4.0, 5.9, 9.0))
TAIL = ((0.3, -0.2, 0.4), (0.125, 0.124, 0.125), (0.15, 0.01, 0.4))


@pytest.mark.parametrize(
    ("text", "at", "outputs"),
    [
        ("min(max(x, -1), 1)", USUAL, 1),
        ("min(max(x/6 + 1/2, 0), 1)", tuple((9 * a, 9 * abs(c), 9 * b) for a, c, b in USUAL), 1),
        ("max(|x| - 1, 0)", TAIL, 2),
        ("max(x - 1, 0)^2 - max(-x - 1/2, 0)^2", TAIL, 2),
    ],
)
@pytest.mark.parametrize("target", ["c", "numpy"])
def test_pieces_on_both_sides_are_such_integrals(
    text: str, at: Any, outputs: int, target: str
) -> None:
    """Within 4 eps of the size, where the integral from the definition gives no number."""
    act = as_activation(text)
    lowered = lower_any(act, "formula").dual
    assert lowered
    pair, diag = lowered
    columns = [np.array(v) for v in zip(*at, strict=True)]
    if target == "numpy":
        module: Any = load_module(numpy_backend.dual_file(pair.name, pair, diag, CONTRACT))
        module._direct_pairs = lambda *given: np.nan
        found = module.dual(*columns)
    else:
        file = c_backend.dual_file(pair.name, pair, diag, CONTRACT)
        call = "ntksym_direct_pair(&mark.rule"
        assert call in file.text
        file = replace(file, text=file.text.replace(call, f"NAN * {call}"))
        library = load_library((c_backend.support_file(), file), keep=False)
        found = np.empty((2, len(at)))
        ends = [ctypes.c_void_p(v.ctypes.data) for v in (*columns, *found)]
        run = getattr(library, "ntksym_" + file.name.removesuffix(".c"))
        run(ctypes.c_size_t(len(at)), *ends)
    with precision(300):
        d = dual(act)
        straight = Straight((d.value, d.dot), (S.q11, S.q12, S.q22))
        own = Straight((d.diag, d.diag_dot), (S.q,))
        pairs = [straight(*map(acb, p)) for p in at]
        sides = [[own(acb(q)) for q in (p[0], p[2])] for p in at]
    for which in range(outputs):
        for i, exact in enumerate(pairs):
            size = float((sides[i][0][which].real * sides[i][1][which].real).sqrt())
            assert abs(float(found[which][i] - exact[which].real)) <= 4 * EPS * size, at[i]


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize(
    ("text", "at"),
    [
        (
            "max(x - 1, 0) + max(-x - 2, 0)",
            (1301.3895797963444, 186.64160967539766, 26.767611333163767),
        ),
        ("max(x - 1, 0)", (0.8, 0.9121394279389703, 1.04)),
    ],
)
def test_nearly_parallel_inputs_of_unlike_size(
    text: str, at: tuple[float, ...], target: str
) -> None:
    """Their integral is 7 eps of the size off, the closed form 9: the definition is taken."""
    d = dual(as_activation(text))
    with precision(300):
        exact = Straight((d.value,), (S.q11, S.q12, S.q22))(*map(acb, at))[0].real
    found = compile_(d, target)(*([v] for v in at)).nngp[0]
    assert abs(float(found / exact - 1)) <= 4 * EPS


@pytest.mark.parametrize(
    ("text", "target"), [("max(x - 1, 0)^3", "c"), ("max(x - 1, 0)^4", "numpy")]
)
def test_powers_of_nearly_parallel_inputs(text: str, target: str) -> None:
    """The integrand is a bell times sigma^(2p): panels for p = 1 were 100 eps and more off."""
    at = ((0.13, 0.13 - 2.0**-23, 0.13), (0.05, 0.0485, 0.05), (0.13, 0.1287, 0.13))
    d = dual(as_activation(text))
    found = compile_(d, target)(*zip(*at, strict=True))
    with precision(1300):
        straight = Straight((d.value,), (S.q11, S.q12, S.q22))
        for value, row in zip(found.nngp, at, strict=True):
            (exact,) = straight(*map(acb, row))
            assert abs((value - exact.real) / exact.real) <= 5 * EPS, row
