"""Tables of a range for kinks at 0: folded in sqrt(1 - rho^2), bounds that hold and can fail."""

from __future__ import annotations

import ctypes
import math
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache, partial
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import arb
from unit_cases import compiled, vectors

from ntksym.backends.c.table.point import TableUnit
from ntksym.errors import Undecided
from ntksym.language import as_activation
from ntksym.numeric.table import BandedDual, read_table, shared, sine, table_dual
from ntksym.numeric.table.bands.panels import MOST, chopped, ends, narrowed, panels
from ntksym.numeric.table.fold import Folded, missed
from ntksym.numeric.table.spectra import kinks, source
from ntksym.numeric.table.variable import unmapped
from ntksym.precision import precision
from ntksym.verify.balls import enclose_definition

CASES = (
    ("max(x, 0) + tanh(min(x, 0))", 0),  # its odd part is analytic
    ("abs(x)*exp(-x^2/8)", 1),
    ("x*abs(x)*exp(-x^2/8)", -1),
    ("log(1 + exp(x)) - abs(x)/3", 0),  # its odd part is one number
)
LOW, HIGH, ERROR = 0.8, 1.25, 1e-5


@lru_cache(maxsize=8)
def made(name: str, low: float = LOW, high: float = HIGH, error: float = ERROR) -> Any:
    return table_dual(name, (low, high), error=error)


@lru_cache(maxsize=256)
def truth(name: str, q11: float, q12: float, q22: float, slope: bool) -> Fraction:
    args = [Fraction(v) for v in (q11, q12, q22)]
    expr = as_activation(name).expr
    return enclose_definition(expr, *args, digits=11, derivative=slope, floor=14).mid


def misses(table: Any, name: str, q11: float, q12: float, q22: float) -> list[float]:
    """Error over bound, of value and derivative."""
    det = Fraction(q11) * Fraction(q22) - Fraction(q12) ** 2
    pair = table.pair(*sorted((table.band(q11), table.band(q22))))
    out = []
    got = table.at(q11, q12, q22, math.sqrt(det))
    for value, sheet, slope in zip(got, (pair.value, pair.dot), (False, True), strict=True):
        scale = math.sqrt(truth(name, q11, q11, q11, slope) * truth(name, q22, q22, q22, slope))
        gap = abs(Fraction(value) - truth(name, q11, q12, q22, slope)) / Fraction(scale)
        out.append(float(gap) / sheet.error)
    return out


@pytest.mark.parametrize(("name", "parity"), CASES)
def test_both_signs_and_the_ends_of_rho(name: str, parity: int) -> None:
    table = made(name)
    assert table.folded and table.sine and table.error <= ERROR
    (pair,) = table.pairs
    assert pair.value.parity == parity and not pair.dot.plus
    worst = 0.0
    for q11, q22 in ((LOW, HIGH), (1.0, 1.1)):
        for rho in (1 - 2.0**-48, 2.0**-48 - 1, 0.0, 0.4, -0.93):
            c = rho * math.sqrt(q11 * q22)
            worst = max(worst, *misses(table, name, q11, c, q22))
    assert 1e-4 < worst <= 1
    assert read_table(table.to_json()) == table


def test_the_bound_can_fail() -> None:
    name = CASES[0][0]
    table = made(name)
    (pair,) = table.pairs
    rows = pair.value.plus
    bad = ((*rows[0][0][:2], rows[0][0][2] + 1e-3, *rows[0][0][3:]), *rows[0][1:])
    worse = replace(table, pairs=(replace(pair, value=replace(pair.value, plus=(bad, *rows[1:]))),))
    assert min(misses(worse, name, 1.0, 0.5, 1.1)) > 1


def test_a_jump_keeps_two_sides() -> None:
    """Its derivative dual is not the derivative of its dual."""
    table = made("cos(x)*Heaviside(x)", 0.9, 1.1, 1e-3)
    assert not getattr(table, "sine", False)


def test_parts_of_truncated_powers() -> None:
    """E + rho O on both sides of 0, against the recurrence in the angle."""
    with precision(200):
        rho = arb(3) / 10
        s, t = (1 - rho * rho).sqrt(), ((1 - rho) / (1 + rho)).sqrt()
        even, odd = sine.parts(s, sine.angle_over_sine(s), 1 - s * s, 5)
        for sign in (1, -1):
            known = kinks.power_duals(t, sign, 5)
            for j in range(6):
                for k in range(6):
                    assert abs(even[j][k] + sign * rho * odd[j][k] - known[j][k]) < 1e-40


def test_bounds_on_ellipses_hold_inside() -> None:
    for radius, kappa in (("2.8", 0.4), ("5", 0.0), ("1.5", 4.0)):
        bounds = sine.bounds(radius, kappa, 4)
        r = float(radius)
        for angle in np.linspace(0, np.pi, 7):
            x = (r + 1 / r) / 2 * np.cos(angle) + 1j * (r - 1 / r) / 2 * np.sin(angle)
            s = unmapped(x, kappa)
            start = np.arccos(s) / np.sqrt(1 - s * s)
            for part, mine in zip(bounds, _parts(s, start), strict=True):
                for j in range(5):
                    for k in range(5):
                        assert abs(mine[j][k]) <= float(part[j][k]) * (1 + 1e-9)
    assert sine.bounds("8.5", 4.0, 2) is None


def _parts(s: complex, start: complex) -> tuple[Any, Any]:
    """The recurrence in complex doubles."""
    from flint import acb

    found = sine.parts(acb(s), acb(start), 1 - acb(s) ** 2, 4)
    return tuple([[complex(v) for v in row] for row in table] for table in found)  # type: ignore


def test_a_stored_line_becomes_its_derivative() -> None:
    kappa, line = 0.8, [arb(v) for v in ("0.7", "0.3", "-0.2", "0.11", "0.07")]

    def place(rho: float) -> float:
        s = math.sqrt(1 - rho * rho)
        return 2 * (1 + kappa) * s / (1 + kappa * s) - 1

    def series(coefficients: list[Any], x: float) -> float:
        return float(np.polynomial.chebyshev.chebval(x, [float(c) for c in coefficients]))

    rho, step = 0.37, 1e-5
    whole = sine.inflated(line)
    for part in (0, 1):
        ends = [(rho + d) ** part * series(whole, place(rho + d)) for d in (-step, step)]
        bent = sine.bent(line, part, kappa, shared.slope(line[1:]))
        found = series(bent, place(rho)) * rho ** (1 - part)
        assert abs(found - (ends[1] - ends[0]) / (2 * step)) < 1e-8
    first, rest = sine.deflated(whole)
    assert abs(first - line[0]) < 1e-12
    assert all(abs(a - b) < 1e-12 for a, b in zip(rest, line[1:], strict=False))


def test_columns_that_are_kept_are_seen_to_change(tmp_path: Path) -> None:
    """Calls with other columns of the same length, the same first one, and bands mixed."""
    table = made("1/(1 + exp(-x))", 0.25, 4.0, 1e-4)
    assert isinstance(table, BandedDual) and len(table.bands) == 2
    table = replace(table, pairs=tuple(replace(p, heavy=((), ())) for p in table.pairs))
    text = TableUnit(table).c_functions("table")
    text += """void run(size_t n, const double *a, const double *b, const double *c, const double *d,
    double *e, double *f) { table_pairs(n, a, b, c, d, e, f); }
void own(size_t n, const double *q, double *e, double *f) { table_diag(n, q, e, f); }
"""
    library = compiled(text, tmp_path)
    rng = np.random.default_rng(3)
    for turn in range(12):
        n = (37, 256, 300, 2, 7, 50)[turn % 6]
        q11 = np.full(n, rng.uniform(0.3, 3.9))
        q22 = np.exp(rng.uniform(math.log(0.26), math.log(3.9), n))
        q22[0] = 0.7
        q22[-1] = 5.0 if turn % 2 else 3.0  # outside
        rho = rng.uniform(-1, 1, n)
        q12, root = rho * np.sqrt(q11 * q22), np.sqrt(q11 * q22 * (1 - rho * rho))
        value, dot = np.zeros(n), np.zeros(n)
        arrays = [a.ctypes.data_as(ctypes.c_void_p) for a in (q11, q12, q22, root, value, dot)]
        library.run(ctypes.c_size_t(n), *arrays)
        for i in (0, 1, n // 2, n - 1):
            want = table.at(q11[i], q12[i], q22[i], root[i])
            assert np.allclose((value[i], dot[i]), want, rtol=0, atol=1e-13, equal_nan=True)
        for i in range(0, n, 1 + n // 40):  # groups of all lengths: as if it were alone
            one, both = [a[i : i + 1].copy() for a in (q11, q12, q22, root)], np.zeros((2, 1))
            library.run(ctypes.c_size_t(1), *vectors(*one, *both))
            assert np.array_equal(both[:, 0], (value[i], dot[i]), equal_nan=True)


@pytest.mark.parametrize("name", ["max(x, 0) + tanh(min(x, 0))", "x/(1 + exp(-x)) + cos(x)/3"])
def test_panels_of_a_band(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proven bounds hold on every panel, at the cuts too, with fewer coefficients an entry."""
    whole = made(name, 0.5, 2.0)
    monkeypatch.setattr("ntksym.numeric.table.bands.pairs.panels", lambda places, bands: 3)
    table = table_dual(name, (0.5, 2.0), error=ERROR)
    assert len(table.bands) == 3 and len(table.pairs) == 6 and table.error <= ERROR
    assert table.bands[0].low == 0.5 and table.bands[-1].high == 2.0
    for band, following in pairwise(table.bands):
        assert band.high == following.low
    for band in table.bands:
        assert abs(band.axis(band.low)) < 1 + 1e-15 > abs(band.axis(band.high))
    assert read_table(table.to_json()) == table
    cuts = [band.high for band in table.bands]
    spots = ((0.5, cuts[0]), (cuts[0], math.nextafter(cuts[0], 9)), (cuts[1], 2.0), (1.9, 0.6))
    worst = 0.0
    for (q11, q22), rho in zip(spots, (1 - 2.0**-40, -0.4, -0.97, 0.8), strict=True):
        worst = max(worst, *misses(table, name, q11, rho * math.sqrt(q11 * q22), q22))
    assert 1e-4 < worst <= 1
    size = [max(_columns(pair) for pair in t.pairs) for t in (whole, table)]
    assert size[1] < 0.9 * size[0]


def _columns(pair: Any) -> int:
    """How many coefficients an entry meets."""
    parts = [rows for rows in (pair.value.plus, pair.value.minus) if rows]
    return sum(len(line) for rows in parts for line in rows[0])


def test_the_number_of_panels() -> None:
    """More of them where an entry needs many coefficients, never beyond what is useful."""
    assert panels(90, 1) == panels(90, 2) == 1
    assert panels(300, 2) > 1
    assert panels(10**4, 1) == MOST and panels(10**4, 8) == 1


def test_a_panel_is_the_same_polynomial() -> None:
    rng = np.random.default_rng(5)
    size = (4, 4, 3)
    numbers = rng.standard_normal(size)
    tensor = [[[arb(float(c)) for c in line] for line in plane] for plane in numbers]
    found = Folded(((0, tensor),), arb(0), arb(0), arb(0))
    one, two = ends(3)[0], ends(3)[1]
    ((_, turned),) = narrowed(found, one, two, 80).parts
    ours = np.array([[[float(c) for c in line] for line in plane] for plane in turned])
    for s, t, x in rng.uniform(-1, 1, (5, 3)):
        at = [float((b + a) / 2) + float((b - a) / 2) * v for (a, b), v in ((one, s), (two, t))]
        want = np.polynomial.chebyshev.chebval3d(*at, x, numbers)
        assert abs(np.polynomial.chebyshev.chebval3d(s, t, x, ours) - want) < 1e-12
    cut = chopped(found, 1e-9)
    assert len(cut.parts[0][1]) == 4 and cut.omitted == 0
    tensor[3] = [[c * 1e-12 for c in line] for line in tensor[3]]
    cut = chopped(found, 1e-9)
    lost = float(sum(abs(c) for line in tensor[3] for c in line))
    assert len(cut.parts[0][1]) == 3 and lost <= float(cut.omitted.upper()) < 1e-9


def test_a_range_beyond_reach_is_refused_at_one_variance(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(source, "MOST", 319)
    with pytest.raises(Undecided, match=r"319 Hermite coefficients leave \d.*, not 1.0e-10"):
        table_dual("log(1 + abs(x))", (1, 4), error=1e-10, progress=lines.append)
    assert lines and all("of the largest variance leave" in line for line in lines)


def test_chopping_counts_what_the_derivative_dual_loses() -> None:
    """What is cut off K is divided by w^2 and derived: it counts some 10^7 times there."""
    line = [arb(2) / 5**k * 2**k for k in range(60)]
    least, kappa = 1e-15, 1.0

    def lost(weight: Any) -> float:
        cut = chopped(Folded(((1, [[line]]),), arb(0), arb(0), arb(0)), least, weight)
        lines = []
        for given in (line, cut.parts[0][1][0][0]):
            first, rest = sine.deflated(given)
            lines.append(sine.bent([first, *rest], 1, kappa, shared.slope(rest)))
        gaps = zip_longest(*lines, fillvalue=arb(0))
        return float(sum((abs(a - b) for a, b in gaps), arb(0)))

    with precision(200):
        assert lost(None) > 1e5 * least
        assert lost(partial(missed, kappa, True)) < 10 * least
