"""Tables of one variance with kinks away from 0: irrational ones, jumps, pairs that touch."""

from __future__ import annotations

import ctypes
import json
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import acb, arb, fmpq
from unit_cases import compiled

from ntksym.backends.array.unit import array_unit
from ntksym.backends.c.table.dyadic import DyadicUnit
from ntksym.backends.numpy.helpers import helpers
from ntksym.backends.numpy.units import units_file
from ntksym.backends.point_unit import PointUnit
from ntksym.backends.units import rule_unit
from ntksym.errors import Undecided
from ntksym.language import as_activation
from ntksym.numeric.choice import price, proven
from ntksym.numeric.table import table_dual
from ntksym.numeric.table.dyadic.quadrant import quadrant
from ntksym.numeric.table.dyadic.table import DyadicTable
from ntksym.numeric.table.fit import series_alias
from ntksym.numeric.table.spectra.elsewhere import displaced, exact_places, pair_dual, power_norm
from ntksym.numeric.table.variable import correlation, nodes, unmapped
from ntksym.precision import precision
from ntksym.runtime.engines import import_file
from ntksym.verify.definition import expectation, factor
from ntksym.verify.law import Law
from ntksym.verify.rules.bivariate import phi2

CASES = {"max(tanh(x), 1/2)": 2.0, "tanh(x)*step(x - 1)": 1.0}
ERRORS = {"max(tanh(x), 1/2)": 1e-9, "tanh(x)*step(x - 1)": 1e-14}
RHOS = tuple(Fraction(r) for r in ("1", "-1", "0.999999", "-0.999999", "0.999", "0.98", "0", "-.5"))


@lru_cache(maxsize=4)
def made(text: str) -> Any:
    return table_dual(text, CASES[text], error=ERRORS[text])


@lru_cache(maxsize=4)
def truth(text: str) -> tuple[Any, ...]:
    """(q12, root, value, dot) from balls, for every correlation, divided by those at 1."""
    expr, q, out = as_activation(text).expr, Fraction(CASES[text]), []
    with precision(96):
        for rho in RHOS:
            q12 = Fraction(float(rho * q))
            law = Law(fmpq(0), fmpq(0), *(fmpq(*v.as_integer_ratio()) for v in (q, q12, q)))
            root = float(arb(fmpq(*(q * q - q12 * q12).as_integer_ratio())).sqrt().mid())
            row = [float(q12), root]
            for slope in (False, True):
                f = factor(expr, derivative=slope, distributional=False)
                row.append(float(expectation(f, f, law, arb(ERRORS[text]) / 64).mid()))
            out.append(row)
    return tuple(out)


def errors(text: str, found: Any) -> float:
    rows = truth(text)
    pairs = zip(rows, found, strict=True)
    return max(abs(f[i] - r[2 + i]) / rows[0][2 + i] for r, f in pairs for i in (0, 1))


@pytest.mark.parametrize("text", CASES)
def test_the_bound_holds_everywhere(text: str) -> None:
    table, q = made(text), CASES[text]
    assert table.error <= ERRORS[text]
    assert errors(text, [table.at(q, r[0], q, r[1]) for r in truth(text)]) <= table.error
    for sheet in (table.value, table.dot):
        assert sheet.error <= sum(size for _, size in sheet.parts)


def test_it_is_a_dyadic_table() -> None:
    table = made("max(tanh(x), 1/2)")
    assert isinstance(table, DyadicTable) and table.single
    assert DyadicTable.from_json(json.loads(json.dumps(table.to_json()))) == table
    unit = rule_unit(table)
    assert isinstance(unit, PointUnit) and isinstance(unit.inner, DyadicUnit)
    assert "variance 2" in proven(table)[0]
    assert "multiplications" in price(table, "")
    assert "Hermite coefficients and closed forms at the kinks" in " ".join(unit.notes)
    assert (table.value.diag, table.dot.diag) == table.at(2.0, 2.0, 2.0, 0.0)
    for point in ((2.1, 0.1, 2.0), (2.0, float("nan"), 2.0)):
        assert all(v != v for v in table.at(*point))


def test_an_error_below_the_rounding_is_refused() -> None:
    with pytest.raises(Undecided, match="no table with kinks away from 0"):
        table_dual("max(tanh(x), 1/2)", 2, error=7e-15)


def test_code_is_the_table(tmp_path: Path) -> None:
    """C and NumPy: the same values, an exact diagonal, NaN outside and for NaN."""
    text = "tanh(x)*step(x - 1)"
    unit = rule_unit(made(text))
    rows = np.array(truth(text))
    q = np.full(len(rows), 1.0)
    path = tmp_path / "point.py"
    head = "import numpy as np\n\n\n" + helpers({"_rootdet"}) + "\n\n\n"
    path.write_text(head + unit.numpy_functions("unit"))
    module = import_file(path, "point")
    found = np.array(module.unit_pairs(q, rows[:, 0], q, rows[:, 1]))
    assert errors(text, found.T) <= ERRORS[text]
    assert np.isnan(module.unit_pairs(1.1, 0.1, 1.0)).all()
    library = compiled(
        unit.c_functions("unit")
        + "void run(size_t n, const double *a, const double *b, const double *c, const double *r,\n"
        "    double *k, double *d) { unit_pairs(n, a, b, c, r, k, d); }\n"
        "void own(size_t n, const double *q, double *k, double *d) { unit_diag(n, q, k, d); }\n",
        tmp_path,
    )

    def call(name: str, *inputs: Any) -> Any:
        arrays = [np.ascontiguousarray(a) for a in inputs]
        results = [np.full(len(inputs[0]), 7.0) for _ in range(2)]
        pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (*arrays, *results)]
        getattr(library, name)(ctypes.c_size_t(len(inputs[0])), *pointers)
        return np.array(results)

    in_c = call("run", q, rows[:, 0], q, rows[:, 1])
    assert errors(text, in_c.T) <= ERRORS[text]
    assert np.max(np.abs(in_c - found)) < 1e-13
    assert np.array_equal(in_c[:, 0], call("own", q[:1])[:, 0])
    bad = rows[:, 0].copy()
    bad[1] = np.nan
    assert np.isnan(call("run", q, bad, q, rows[:, 1])[:, 1]).all()
    assert np.isnan(call("run", q, rows[:, 0], q * 1.1, rows[:, 1])).all()


def test_places_that_agree_touch() -> None:
    with precision(320):
        third = arb(1) / 3
        places, moved = exact_places([-third, arb(1) / 2, third])
        assert places[0] == -places[2] and places[1] == arb(1) / 2
        assert all(m < arb(2) ** -255 for m in moved)


@pytest.mark.parametrize("sign", [1, -1])
def test_quadrants_are_those_of_the_definition(sign: int) -> None:
    """Against an integral of its own, for kinks that touch, nearly do, and are far apart."""
    with precision(160):
        for b, c in ((0.5, 0.5), (-0.75, 0.75), (0.25, -3.0), (2.0**-40, 0.0), (9.0, -1.0)):
            for tangent in (1.0, 0.75, 0.3, 1e-3):
                t = arb(tangent)
                rho = sign * (1 - t * t) / (1 + t * t)
                found = quadrant(arb(b), arb(c), t, sign)
                right = phi2(acb(-b), acb(-c), acb(rho)).real
                assert found.overlaps(right) and found.rad() < arb(2) ** -150


def test_pairs_of_truncated_powers_are_expectations() -> None:
    """Against a sum over a fine grid of two variables."""
    nodes, weights = np.polynomial.legendre.leggauss(80)
    (b, left), (c, right), t = (0.5, (1.0, 0.0, -0.5)), (-0.25, (0.0, 2.0, 0.25, 1.0)), 0.4
    rho = -(1 - t * t) / (1 + t * t)
    u, v = (x + 4 * (nodes + 1) for x in (b, c))
    wide = 4 * weights
    form = (u[:, None] ** 2 - 2 * rho * u[:, None] * v + v**2) / (1 - rho**2)
    density = np.exp(-form / 2) / (2 * np.pi * np.sqrt(1 - rho**2))
    both = ((u, b, left), (v, c, right))
    one, two = (np.polynomial.polynomial.polyval(x - y, p) for x, y, p in both)
    total = (wide * one) @ density @ (wide * two)
    with precision(128):
        rows = [arb(a) for a in left], [arb(a) for a in right]
        found = pair_dual(arb(b), rows[0], arb(c), rows[1], arb(t), -1)
        turned = pair_dual(arb(c), rows[1], arb(b), rows[0], arb(t), -1)
    assert float(found.mid()) == pytest.approx(total, rel=1e-9)
    assert found.overlaps(turned)


def test_the_norm_of_truncated_powers() -> None:
    z = np.arange(-9, 9, 1e-4) + 5e-5
    kinks, places = [(1.0, 0.5, -0.25), (0.0, 2.0)], (-0.5, 0.75)
    values = np.zeros_like(z)
    for row, place in zip(kinks, places, strict=True):
        values += np.where(z > place, np.polynomial.polynomial.polyval(z - place, row), 0.0)
    total = (values**2 * np.exp(-z * z / 2)).sum() * 1e-4 / np.sqrt(2 * np.pi)
    with precision(96):
        balls = [tuple(arb(a) for a in row) for row in kinks]
        found = power_norm(balls, tuple(arb(p) for p in places))
    assert float(found.mid()) == pytest.approx(total, rel=1e-4)


def test_a_moved_kink_changes_little() -> None:
    """Against sums over a fine grid."""
    step, by, b = 1e-5, 1e-2, 0.3
    z = np.arange(-9, 9, step) + step / 2
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * step
    for j in range(4):
        one, two = (np.where(z > c, np.maximum(z - c, 0.0) ** j, 0.0) for c in (b, b + by))
        norm = np.sqrt(((one - two) ** 2 * density).sum())
        row = [arb(0)] * j + [arb(1)]
        bound = float(displaced(row, arb(b), arb(by)))
        assert norm <= bound < 30 * norm


@pytest.mark.parametrize("kappa", [0.5, 4.0])
def test_interpolation_of_a_long_series(kappa: float) -> None:
    """The bound of the error holds, and is no more than what a term can be off."""
    count, points = 400, 48
    sizes = [arb(1) / (n + 1) ** 3 for n in range(count)]
    bound = float(series_alias(sizes, kappa, points))

    def series(x: Any) -> Any:
        rho = np.array([float(correlation(unmapped(arb(y), kappa), 1)) for y in x])
        return np.polynomial.polynomial.polyval(rho, [float(s) for s in sizes])

    own = np.array([float(y) for y in nodes(points, 64)])
    found = np.polynomial.chebyshev.chebfit(own, series(own), points - 1)
    fine = np.linspace(-1, 1, 301)
    seen = np.max(np.abs(np.polynomial.chebyshev.chebval(fine, found) - series(fine)))
    assert seen <= bound + 1e-13
    assert bound < 1e-2


@pytest.mark.parametrize("text", CASES)
def test_array_code_has_the_derivative_of_the_value(text: str, tmp_path: Path) -> None:
    """Across a jump that is more than the tabulated derivative dual."""
    table, q = made(text), CASES[text]
    unit = array_unit(table, as_activation(text))
    path = tmp_path / "arrays.py"
    path.write_text(units_file((unit,)).text)
    module = import_file(path, "arrays")
    full, c, h = np.full(3, q), q * np.array([-0.7, 0.3, 0.98]), 1e-5 * q
    near = [[table.at(q, x + d, q) for x in c] for d in (-h, h)]
    slopes = (np.array(near[1]) - near[0])[:, 0] / (2 * h)
    root = np.sqrt((q - c) * (q + c))
    nngp, dot = module.dual0_value(full, c, full, root)
    assert np.allclose(nngp, [table.at(q, x, q)[0] for x in c], rtol=0, atol=1e-13)
    found = module.dual0_partials(full, c, full, root)[0][1]
    assert np.allclose(found, slopes, rtol=1e-5, atol=1e-6)
    assert np.allclose(found, dot, rtol=1e-3) == ("step" not in text)
