"""Tables of a range of variances of x log|x| and its kind, from those of three variances."""

from __future__ import annotations

import ctypes
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Rational, sqrt
from unit_cases import compiled

from ntksym.backends.c.table.dilated import DilatedUnit
from ntksym.backends.units import rule_unit
from ntksym.errors import BadData
from ntksym.language import as_activation
from ntksym.numeric.choice import price, proven
from ntksym.numeric.rules import RULES
from ntksym.numeric.table.dilated.build import bound
from ntksym.numeric.table.dilated.kind import polynomial_of, power_of
from ntksym.numeric.table.dilated.table import DilatedTable
from ntksym.verify.balls import enclose_definition

TEXTS = ("x^2*log(abs(x)) - x^2/3", "abs(x)*log(abs(x)) + max(x, 0)")
SPAN, ERROR = (Fraction(1, 4), Fraction(9)), 1e-3


@lru_cache(maxsize=2)
def made(text: str) -> DilatedTable:
    """The first from one rule, the second from three."""
    found: DilatedTable = RULES["tabulated"].make(as_activation(text), SPAN, ERROR)
    return found


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("r", [Rational(1, 3), Rational(-1), 1 - Rational(1, 2**30)], ids=str)
def test_the_bound_holds_for_variances_far_apart(text: str, r: Rational) -> None:
    table, expr = made(text), as_activation(text).expr
    assert 0 < table.error <= ERROR
    for q11, q22 in ((Rational(1, 4), Rational(9)),):
        size = sqrt(q11 * q22)
        root = float(size * sqrt(1 - r * r))
        found = table.at(float(q11), float(r * size), float(q22), root)
        ends = [table.at(float(q), float(q), float(q), 0.0) for q in (q11, q22)]
        for which, value in enumerate(found):
            ball = enclose_definition(expr, q11, r * size, q22, derivative=bool(which), digits=8)
            scale = (ends[0][which] * ends[1][which]) ** 0.5
            assert abs(value - float(ball.mid)) <= table.error * scale * (1 + 1e-3)


def test_code_is_what_the_table_says(tmp_path: Path) -> None:
    table = made(TEXTS[0])
    unit = rule_unit(table)
    assert isinstance(unit, DilatedUnit)
    rng = np.random.default_rng(5)
    q11 = np.repeat(rng.uniform(0.25, 9.0, 30), 5)
    q22, rho = rng.uniform(0.25, 9.0, 150), rng.uniform(-1, 1, 150)
    q12 = rho * np.sqrt(q11 * q22)
    root = np.sqrt(1 - rho * rho) * np.sqrt(q11 * q22)
    q22[7], q11[120] = 9.1, 0.2  # outside
    q12[3], root[3] = -1.5 * np.sqrt(q11[3] * q22[3]), 0.0  # brought to the bound, as the head says
    assert "a covariance beyond its bound is brought to it." in " ".join(unit.notes)
    given = zip(q11, q12, q22, root, strict=True)
    wanted = np.array([table.at(*(float(v) for v in row)) for row in given]).T
    end = -float(np.sqrt(q11[3] * q22[3]))
    assert np.isnan(wanted[:, 3]).all()
    wanted[:, 3] = table.at(float(q11[3]), end, float(q22[3]), 0.0)
    scale = np.nanmax(np.abs(wanted), axis=1)
    for found in (_c(unit, tmp_path, q11, q12, q22, root), _numpy(unit, q11, q12, q22, root)):
        assert (np.isnan(found[0]) == np.isnan(wanted[0])).all() and np.isnan(found[0][7])
        off = np.nanmax(np.abs(np.array(found) - wanted), axis=1)
        assert (off <= 2e-14 * scale).all()


def _c(unit: DilatedUnit, folder: Path, *arrays: Any) -> Any:
    text = unit.c_functions("t")
    text += (
        "void pairs(size_t n, const double *a, const double *b, const double *c, const double *r,\n"
        "           double *k, double *d) { t_pairs(n, a, b, c, r, k, d); }\n"
        "void diag(size_t n, const double *q, double *k, double *d) { t_diag(n, q, k, d); }\n"
    )
    library = compiled(text, folder)
    n = len(arrays[0])
    out = np.empty((2, n))
    pointer = [np.ascontiguousarray(a).ctypes.data_as(ctypes.c_void_p) for a in arrays]
    ends = [row.ctypes.data_as(ctypes.c_void_p) for row in out]
    library.pairs(ctypes.c_size_t(n), *pointer, *ends)
    q, diag = np.array([0.25, 1.0, 9.0, 9.5]), np.empty((2, 4))
    ends = [row.ctypes.data_as(ctypes.c_void_p) for row in diag]
    library.diag(ctypes.c_size_t(4), q.ctypes.data_as(ctypes.c_void_p), *ends)
    truth = np.array([unit.table.at(v, v, v, 0.0) for v in q]).T
    assert np.isnan(diag[:, 3]).all() and np.allclose(diag[:, :3], truth[:, :3], rtol=1e-13)
    return out


def _numpy(unit: DilatedUnit, *arrays: Any) -> Any:
    space: dict[str, Any] = {"np": np}
    exec(unit.numpy_functions("t"), space)
    q = np.array([0.25, 9.5])
    assert np.isnan(space["t_diag"](q)[0][1])
    return space["t_pairs"](*arrays)


def test_which_activations_are_of_this_kind() -> None:
    kinds = {
        "x*log(abs(x))": (1, 1),
        "abs(x)*log(abs(x)) + max(x, 0)": (1, None),
        "x^3*log(3*x^2)": (3, 2),
        "x*log(abs(x)) + x^2": (None, None),
        "x*log(abs(x))^2": (None, None),
        "x*log(1 + x^2)": (None, None),
        "max(x, 0)": (None, None),
    }
    for text, (power, level) in kinds.items():
        expr = as_activation(text).expr
        assert (power_of(expr), polynomial_of(expr)) == (power, level), text


def test_a_wrong_table_has_a_larger_bound() -> None:
    from dataclasses import replace

    table = made(TEXTS[0])
    first = table.tables[0]
    worse = replace(first, value=replace(first.value, error=100 * first.value.error))
    spoilt = replace(table, tables=(worse, *table.tables[1:]))
    assert bound(table, 0) == table.bounds[0] < bound(spoilt, 0) / 5


def test_it_is_kept_as_text_and_says_what_it_is() -> None:
    table = made(TEXTS[0])
    assert DilatedTable.from_json(table.to_json()) == table
    with pytest.raises(BadData, match="not the data of a table"):
        DilatedTable.from_json({"version": 1, "dilated": True})
    assert "multiplications" in price(table, "")
    assert "0.25 <= q <= 9" in proven(table, SPAN)[0]
    assert "K is known for all variances from K at" in " ".join(DilatedUnit(table).notes)
