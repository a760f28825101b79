"""Tabulated duals as C and NumPy: what was proven is what runs, and NaN is never hidden."""

from __future__ import annotations

import ctypes
import math
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unit_cases import call, compiled, exported, numpy_module

from ntksym.backends.c.table.point import TableUnit
from ntksym.numeric.table import BandedDual, TableDual, table_dual

TABLES = (
    ("tanh(x)", 1.0, 1.0, 1e-9),  # odd: one side
    ("x/(1 + exp(-x))", 1.0, 1.0, 1e-9),  # two sides
    ("max(x, 0) + exp(min(x, 0)) - 1", 0.8, 1.2, 1e-4),  # a range, two sides
    ("sin(x)", 0.5, 2.0, 1e-6),  # a range, one side
    ("1/(1 + exp(-x))", 0.25, 4.0, 1e-5),  # two bands, two sides
    ("sin(x)", 0.1, 4.0, 1e-4),  # three bands, one side
    ("max(x, 0) + exp(min(x, 0)) - 1", 0.3, 1.6, 1e-3),  # two bands of two sides
    ("log(1 + exp(x)) + sin(x)/2", 0.05, 4.0, 1e-3),  # four bands that share their polynomials
    ("exp(-x^2/2)", 0.5, 2.0, 1e-14),  # panels of a band, one side
)


@lru_cache(maxsize=8)
def made(number: int) -> Any:
    name, low, high, error = TABLES[number]
    return table_dual(name, (low, high), error=error)


def errors(table: TableDual | BandedDual) -> list[float]:
    """The worst bound of the dual and of the derivative dual."""
    pairs = (table if isinstance(table, BandedDual) else BandedDual.of(table)).pairs
    return [max(p.value.error for p in pairs), max(p.dot.error for p in pairs)]


def floats(table: TableDual | BandedDual) -> list[float]:
    """What floats may add to the dual and to the derivative dual in C."""
    pairs = (table if isinstance(table, BandedDual) else BandedDual.of(table)).pairs
    sheets = [p.value for p in pairs], [p.dot for p in pairs]
    return [max(dict(sheet.parts).get("floats", 0.0) for sheet in two) for two in sheets]


def scale(table: TableDual | BandedDual, q: Any) -> Any:
    """The roots of both duals on the diagonal, about."""
    return np.sqrt([table.at(v, v, v, 0.0) for v in q])


def points(table: TableDual | BandedDual, count: int = 203, runs: int = 3) -> tuple[Any, ...]:
    """Covariances in the range, with `runs` values of q11 in runs, and an accurate root."""
    rng = np.random.default_rng(7)
    span = [table.low, table.high]
    q11 = np.repeat(np.geomspace(*span, runs), -(-count // runs))[:count].clip(*span)
    q22 = np.exp(rng.uniform(*np.log(span), count)).clip(*span)
    theta = rng.uniform(0, np.pi, count)
    theta[:6] = 0.0, np.pi, 1e-9, np.pi - 1e-9, 1e-4, np.pi / 2
    q12 = np.sqrt(q11 * q22) * np.cos(theta)
    return q11, q12, q22, np.sqrt(q11 * q22) * np.sin(theta)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("table")
    text = "".join(exported(TableUnit(made(i)), i) for i in range(len(TABLES)))
    return compiled(text, folder)


def module(number: int, tmp_path: Path) -> Any:
    return numpy_module(TableUnit(made(number)), tmp_path)


@pytest.mark.parametrize("number", range(len(TABLES)))
def test_c_is_the_table(number: int, library: ctypes.CDLL) -> None:
    table = made(number)
    q11, q12, q22, root = points(table)
    value, dot = call(library, f"run{number}", q11, q12, q22, root)
    reference = np.array([table.at(*p) for p in zip(q11, q12, q22, root, strict=True)])
    scales = scale(table, q11) * scale(table, q22)
    gaps = abs(value - reference[:, 0]), abs(dot - reference[:, 1])
    for gap, own, lost in zip(gaps, scales.T, floats(table), strict=True):
        assert (gap <= 4e-15 + lost * own).all()


@pytest.mark.parametrize("number", range(len(TABLES)))
def test_numpy_is_the_table(number: int, tmp_path: Path) -> None:
    table = made(number)
    q11, q12, q22, root = points(table)
    found = module(number, tmp_path)
    value, dot = found.unit_pairs(q11, q12, q22, root)
    reference = np.array([table.at(*p) for p in zip(q11, q12, q22, root, strict=True)])
    assert abs(value - reference[:, 0]).max() < 4e-15
    assert abs(dot - reference[:, 1]).max() < 4e-15
    matrix, _ = found.unit_pairs(q11[:, None], (q11[:, None] * q22) ** 0.5 * 0.25, q22[None, :])
    assert matrix.shape == (203, 203) and np.isfinite(matrix).all()
    scalar = found.unit_pairs(table.low, 0.5 * table.low, table.low)
    assert np.ndim(scalar[0]) == 0 and np.isfinite(scalar[0])


@pytest.mark.parametrize("number", range(len(TABLES)))
def test_the_diagonal_agrees(number: int, library: ctypes.CDLL, tmp_path: Path) -> None:
    table = made(number)
    q = np.geomspace(table.low, table.high, 41).clip(table.low, table.high)
    both = call(library, f"diag{number}", q)
    pairs = call(library, f"run{number}", q, q, q, np.zeros_like(q))
    for one, two, three, error in zip(
        both, pairs, module(number, tmp_path).unit_diag(q), errors(table), strict=True
    ):
        assert abs(one / two - 1).max() <= 2 * error
        assert abs(one / three - 1).max() < 4e-15


@pytest.mark.parametrize("number", range(len(TABLES)))
def test_outside_and_nan(number: int, library: ctypes.CDLL, tmp_path: Path) -> None:
    table = made(number)
    low, high, nan = table.low, table.high, math.nan
    bad = [
        (low * 0.99, 0.1, low, 0.5),
        (low, 0.1, high * 1.01, 0.5),
        (low, 1.01 * low, low, 0.0),
        (low, -1.01 * low, low, 0.0),
        (nan, 0.1, low, 0.5),
        (low, nan, low, 0.5),
        (low, 0.1, nan, 0.5),
        (low, 0.1, low, nan),
        (-1.0, 0.1, low, 0.5),
        (math.inf, 0.1, low, 0.5),
    ]
    good = (low, 0.5 * low, low, low * math.sqrt(0.75))
    columns = np.array([good, *bad, good]).T
    for value, dot in (
        call(library, f"run{number}", *columns),
        module(number, tmp_path).unit_pairs(*columns),
    ):
        assert np.isfinite([value[0], value[-1], dot[0], dot[-1]]).all()
        assert np.isnan(value[1:-1]).all() and np.isnan(dot[1:-1]).all()
    for value, dot in (
        call(library, f"diag{number}", [low * 0.99, nan, high * 1.01]),
        module(number, tmp_path).unit_diag(np.array([low * 0.99, nan, high * 1.01])),
    ):
        assert np.isnan(value).all() and np.isnan(dot).all()
    empty = call(library, f"run{number}", *np.zeros((4, 0)))
    assert empty[0].size == 0


def test_signs_in_any_order(library: ctypes.CDLL) -> None:
    """One block of lanes with both signs mixed, and blocks with one sign only."""
    for number in range(len(TABLES)):
        q11, q12, q22, root = points(made(number), 640, 1)
        value, dot = call(library, f"run{number}", q11, q12, q22, root)
        order = np.argsort(q12)
        again = call(library, f"run{number}", *(a[order] for a in (q11, q12, q22, root)))
        assert abs(again[0] - value[order]).max() < 2e-15
        assert abs(again[1] - dot[order]).max() < 2e-15


def test_the_head_says_the_bound() -> None:
    for number in range(len(TABLES)):
        table = made(number)
        text = "\n".join(TableUnit(table).notes)
        shown = [float(v) for v in re.findall(r"(?:value|derivative) (\S+e-\d+), the sum", text)]
        assert len(shown) == 2
        assert all(v >= s for v, s in zip(shown, errors(table), strict=True))
        assert "rounding" in text and "NaN elsewhere" in text
