"""Rows of zeros beside tables of a range of variances: the bound, both targets, a whole network."""

from __future__ import annotations

import ctypes
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_quadrature import called, compiled

import ntksym
from ntksym.backends.numpy.helpers import helpers
from ntksym.backends.units import rule_unit
from ntksym.backends.zero_rows import ZeroRowsUnit
from ntksym.errors import Undecided
from ntksym.language import as_activation
from ntksym.numeric.table import BandedDual, table_dual
from ntksym.numeric.table.zero import ZeroRow, zero_row
from ntksym.verify.balls import enclose_definition

CASES = (
    ("log(1+exp(x))", 0.1, 9.0),
    ("exp(-abs(x))", 1.0, 1.0),
    ("abs(x-1)/(1+exp(-x))", 0.5, 2.0),
    ("max(tanh(x), 1/2)", 0.5, 2.0),
)


@pytest.mark.parametrize(("text", "low", "high"), CASES)
def test_the_bounds_hold(text: str, low: float, high: float) -> None:
    expr = as_activation(text).expr
    rows = zero_row(expr, low, high, 1e-9)
    assert rows.error < 1e-8 and rows.slope_error < 1e-8
    for q in (low, (low * high) ** 0.5, high):
        found = rows.at(q)
        ball = enclose_definition(expr, 0, 0, Fraction(q), digits=13)
        assert abs(Fraction(found[0]) - ball.mid) <= rows.error + float(ball.rad)
        if text != "exp(-abs(x))":  # there 0 is a kink, and the definition has no value
            ball = enclose_definition(expr, 0, 0, Fraction(q), derivative=True, digits=13)
            assert abs(Fraction(found[1]) - ball.mid) <= rows.slope_error + float(ball.rad)
    assert rows.at(0.0) == (rows.value**2, rows.slope**2)
    assert np.isnan(rows.at(high * 1.01)).all() and np.isnan(rows.at(float("nan"))).all()


def test_the_mean_of_the_sides_at_a_kink() -> None:
    rows = zero_row(as_activation("max(x,0)*cos(x)+exp(-abs(x))").expr, 1.0, 1.0, 1e-9)
    assert (rows.value, rows.slope) == (1.0, 0.5)
    with pytest.raises(Undecided, match="no finite derivative"):
        zero_row(as_activation("1+abs(x)^0.75").expr, 1.0, 1.0, 1e-9)


def test_a_perturbed_polynomial_breaks_the_bound() -> None:
    """The bound is near what it is of: a coefficient that is off by it shows."""
    rows = zero_row(as_activation("log(1+exp(x))").expr, 0.25, 4.0, 1e-9)
    band = rows.bands[0]
    off = (band.value[0] + 2 * rows.error / rows.value, *band.value[1:])
    changed = ZeroRow(
        rows.low, rows.high, rows.value, rows.slope,
        (type(band)(band.high, band.centre, band.half, off, band.slope), *rows.bands[1:]),
        rows.error, rows.slope_error,
    )  # fmt: skip
    ball = enclose_definition(as_activation("log(1+exp(x))").expr, 0, 0, Fraction(1, 2), digits=13)
    assert abs(Fraction(changed.at(0.5)[0]) - ball.mid) > rows.error


def test_both_targets_take_rows_of_zeros(tmp_path: Path) -> None:
    text, low, high = "log(1+exp(x))", 0.5, 2.0
    folded = table_dual(text, (low, high), error=1e-5)
    assert isinstance(folded, BandedDual)
    pairs = tuple(replace(p, heavy=((), ())) for p in folded.pairs)  # the same numbers in C
    table = rule_unit(replace(folded, pairs=pairs))
    assert table is not None
    rows = zero_row(as_activation(text).expr, low, high, 1e-9)
    unit = ZeroRowsUnit(table, rows)
    library: ctypes.CDLL = compiled(unit, tmp_path)
    space: dict[str, Any] = {}
    source = f"import numpy as np\n{helpers(frozenset({'rootdet'}))}\n\n\n"
    exec(compile(source + unit.numpy_functions("unit"), "unit", "exec"), space)
    a = np.array([0.0, 0.7, 0.0, 1.0, 0.0, 0.0, 3.0, np.nan, 0.0])
    b = np.array([1.1, 0.0, 0.0, 1.5, 0.3, np.nan, 0.0, 0.0, 1.0])
    c = np.array([0.0, 0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0, np.nan])
    root = np.sqrt(np.maximum(a * b - c * c, 0.0))
    want = np.array([rows.at(q) for q in (1.1, 0.7, 0.0)]).T
    plain = np.array(called(library.pairs, a[3:4], c[3:4], b[3:4], root[3:4]))[:, 0]
    for got in (
        np.array(called(library.pairs, a, c, b, root)),
        np.array(space["unit_pairs"](a, c, b, root)),
    ):
        assert np.abs(got[:, :3] - want).max() <= 4e-16
        assert np.abs(got[:, 3] - plain).max() <= 1e-14
        assert np.isnan(got[:, 4:]).all()
    for got in (called(library.diag, a[:3]), space["unit_diag"](a[:3])):
        assert np.array(got)[:, [0, 2]].tolist() == [[rows.value**2] * 2, [rows.slope**2] * 2]
    said = "\n".join(unit.notes)
    assert "exactly 0" in said and "proven errors" in said


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_data_with_rows_of_zeros(target: str) -> None:
    net = ntksym.mlp("1/(1+x^2/4)+atan(x)", depth=2)
    kernel = ntksym.compile(net, target=target, error=1e-5)
    x = np.random.default_rng(2).normal(size=(5, 8))
    x /= np.sqrt((x**2).mean(axis=1, keepdims=True))
    before = kernel(x)
    x[1] = x[3] = 0.0
    found = kernel(x)
    pairs = ((found.nngp, before.nngp), (found.ntk, before.ntk))
    for one, other in pairs:
        assert np.isfinite(one).all() and np.array_equal(one, one.T)
        kept = np.ix_([0, 2, 4], [0, 2, 4])
        assert np.abs(one[kept] - other[kept]).max() < 1e-4
    s = as_activation("1/(1+x^2/4)+atan(x)").expr
    first = float(enclose_definition(s, 1, 1, 1, digits=10).mid)
    mean = float(enclose_definition(s, 0, 0, 1, digits=10).mid)
    want = enclose_definition(s, 1, Fraction(mean), Fraction(first), digits=10)
    assert abs(found.nngp[1, 0] - float(want.mid)) < 1e-4
