"""Tables of a range of variances where kinks are away from 0: the bound holds, in every target."""

from __future__ import annotations

import ctypes
import json
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import arb
from unit_cases import call, compiled, exported, numpy_module

from ntksym.backends.c.backend import extra_support
from ntksym.backends.c.table.kinks import KinkUnit
from ntksym.backends.c.table.split import SplitUnit
from ntksym.backends.units import rule_unit
from ntksym.errors import BadData, Undecided
from ntksym.language import as_activation
from ntksym.numeric.choice import price, proven
from ntksym.numeric.patience import TooLong, at_most
from ntksym.numeric.table.bands.banded import BandedDual
from ntksym.numeric.table.chebyshev import ChebyshevTable
from ntksym.numeric.table.contour import line_of, reach
from ntksym.numeric.table.shell.apart import changed
from ntksym.numeric.table.split import table as split
from ntksym.numeric.table.split.build import plain_shape, prepared
from ntksym.numeric.table.split.closed import Doubles, moments
from ntksym.numeric.table.split.dilate import dilated
from ntksym.numeric.table.split.kinks import KinkTable, kink_table
from ntksym.numeric.table.split.powers import hermite_rows, powers_of
from ntksym.numeric.table.split.table import SplitTable, applies, read_either, split_table
from ntksym.numeric.table.variances import Axis
from ntksym.precision import precision

CASES = ("max(tanh(x), 1/2)", "tanh(x)*step(x - 1/2)")
ERROR = 1e-5
SPAN = (0.9, 1.125)


@lru_cache(maxsize=4)
def made(number: int) -> SplitTable:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(split, "LIMITS", (0.8,))
        return split_table(CASES[number], SPAN, error=ERROR)


def points(count: int = 96) -> tuple[Any, ...]:
    """Covariances in rows of one q11, among them some beyond the largest |rho|."""
    rng = np.random.default_rng(5)
    q11 = np.repeat(np.geomspace(*SPAN, 4), count // 4).clip(*SPAN)
    q22 = rng.uniform(*SPAN, count)
    theta = rng.uniform(0.05, np.pi - 0.05, count)
    theta[:5] = 1e-7, np.pi - 1e-7, 0.2, np.arccos(0.8) + 1e-9, np.pi / 2
    scale = np.sqrt(q11 * q22)
    return q11, scale * np.cos(theta), q22, scale * np.sin(theta)


def worst(table: SplitTable, found: Any, where: tuple[Any, ...]) -> float:
    """The largest error against a rule of higher accuracy, relative as the bounds are."""
    from ntksym.numeric.quadrature import quadrature_dual

    truth = quadrature_dual(as_activation(table.text), variances=SPAN, error=1e-9)
    q11, q12, q22, root = where
    exact = truth.evaluate(q11, q12, q22, root=root)
    sizes = zip(truth.diagonal(q11), truth.diagonal(q22), strict=True)
    pairs = zip(found, exact, sizes, strict=True)
    return max(float(np.max(np.abs(a - b) / np.sqrt(x * y))) for a, b, (x, y) in pairs)


@pytest.mark.parametrize("number", range(2))
def test_the_bound_holds_everywhere(number: int) -> None:
    table = made(number)
    assert table.far.error <= ERROR
    where = points(48)
    found = np.array([table.at(*point) for point in zip(*where, strict=True)]).T
    assert worst(table, found, where) < ERROR


def test_the_parts_of_the_bound_add_up() -> None:
    for sheet in (made(0).far.value, made(0).far.dot):
        assert sum(size for _, size in sheet.parts) == pytest.approx(sheet.error, rel=1e-9)
        assert all(size >= 0 for _, size in sheet.parts)


def test_the_diagonal_is_the_moment() -> None:
    table = made(1)
    for q in (0.9, 1.0, 1.125):
        truth = table.near.diagonal(q)
        for own, right in zip(table.far.diagonal(q), truth, strict=True):
            assert abs(own - right) < ERROR * right


def test_nothing_outside_the_range() -> None:
    table = made(0)
    for point in ((0.7, 0.1, 1.0), (1.0, 0.1, 1.3), (1.0, float("nan"), 1.0)):
        assert all(v != v for v in table.at(*point))


def test_data_survive() -> None:
    table = made(0)
    again = read_either(json.loads(json.dumps(table.to_json())))
    assert again == table
    with pytest.raises(BadData, match="version"):
        SplitTable.from_json({**table.to_json(), "split": 0})
    with pytest.raises(BadData, match="not the data"):
        SplitTable.from_json({"split": 2, "far": {}})


def test_a_table_without_shells_says_why_in_its_data_its_code_and_its_price() -> None:
    """What would be fast is missing, and nothing hides it."""
    table = replace(made(1), shells=(), missing="the bound is larger than the dual itself")
    assert SplitTable.from_json(json.loads(json.dumps(table.to_json()))) == table
    said = f"No polynomials of the whole dual, which are faster away from rho = 1: {table.missing}"
    assert said in " ".join(SplitUnit(table).notes)
    assert table.missing in price(table, "")
    assert not made(0).missing and "No polynomials" not in " ".join(SplitUnit(made(0)).notes)


def test_contours_meet_no_singularity() -> None:
    axis = Axis.over(0.25, 4.0)
    tanh = line_of(plain_shape(as_activation("max(tanh(x), 1/2)").expr, False))
    assert reach(tanh, axis, 1.5, 8, 0.9) is not None
    # poles at 2 + i/4: far inside the sector of the larger ellipse, outside that of a narrow one
    poles = as_activation("max(x, 1)/(1 + 16*(x - 2)**2)").expr
    assert reach(line_of(plain_shape(poles, False)), axis, 3.0, 8, 0.9) is None


def test_a_larger_limit_needs_more() -> None:
    expr = as_activation(CASES[0]).expr
    few, many = (prepared(expr, *SPAN, ERROR, edge_rho) for edge_rho in (0.5, 0.8))
    assert few.terms < many.terms
    assert few.count <= many.count


def test_what_it_is_for() -> None:
    assert applies(as_activation("max(tanh(x), 1/2)").expr)
    assert not applies(as_activation("max(tanh(x), 0)").expr)
    with pytest.raises(Undecided, match="one variance"):
        split_table(CASES[0], 1.0)
    with pytest.raises(Undecided, match="no table in doubles"):
        split_table(CASES[0], SPAN, error=1e-17)
    assert isinstance(rule_unit(made(0)), SplitUnit)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("split")
    units = [SplitUnit(in_doubles(made(i))) for i in range(2)]
    text = "".join(exported(unit, i) for i, unit in enumerate(units))
    return compiled((extra_support(units[0].programs) or "") + text, folder)


def module(number: int, tmp_path: Path) -> Any:
    return numpy_module(SplitUnit(in_doubles(made(number))), tmp_path)


def in_doubles(table: Any) -> Any:
    """The table without floats in its C: then all targets agree to a few units."""

    def bare(t: BandedDual) -> BandedDual:
        return replace(t, pairs=tuple(replace(p, heavy=((), ())) for p in t.pairs))

    return replace(table, shells=tuple(changed(t, bare) for t in table.shells))


@pytest.mark.parametrize("number", range(2))
def test_code_is_the_table(number: int, library: ctypes.CDLL, tmp_path: Path) -> None:
    table, where = made(number), points()
    in_c = call(library, f"run{number}", *where)
    in_numpy = module(number, tmp_path).unit_pairs(*where)
    assert worst(table, in_c, where) < ERROR
    for a, b in zip(in_c, in_numpy, strict=True):
        assert np.max(np.abs(a - b)) < 1e-11
    far = np.abs(where[1]) < 0.79 * np.sqrt(where[0] * where[2])
    assert 5 < np.sum(far) < far.size - 5
    for i in np.flatnonzero(far)[:20]:
        own = table.at(*(float(v[i]) for v in where))
        assert all(abs(a[i] - b) < 1e-13 for a, b in zip(in_c, own, strict=True))


def test_code_gives_nan_outside(library: ctypes.CDLL, tmp_path: Path) -> None:
    q11, q22 = np.array([0.7, 1.0, 1.0, 1.0]), np.array([1.0, 1.3, 1.0, 1.0])
    q12 = np.array([0.1, 0.1, np.nan, 0.1])
    root = np.sqrt(q11 * q22 - q12 * q12)
    found = module(0, tmp_path)
    for value in (*call(library, "run0", q11, q12, q22, root), *found.unit_pairs(q11, q12, q22)):
        assert list(np.isnan(value)) == [True, True, True, False]
    q = np.array([0.7, 1.0, np.nan])
    for value in (*call(library, "diag0", q), *found.unit_diag(q)):
        assert list(np.isnan(value)) == [True, False, True]


def test_equal_inputs_take_the_diagonal(library: ctypes.CDLL, tmp_path: Path) -> None:
    q = np.array([0.9, 1.0, 1.0, 1.125])
    zero = np.zeros(4)
    own = call(library, "diag0", q)
    found = (call(library, "run0", q, q, q, zero), module(0, tmp_path).unit_pairs(q, q, q, zero))
    for value, slope in found:
        assert np.allclose(value, own[0], rtol=1e-14)
        assert np.allclose(slope, own[1], rtol=1e-14)
    assert made(0).at(1.0, 1.0, 1.0, 0.0) == pytest.approx((own[0][1], own[1][1]), rel=1e-13)


def test_single_entries_and_rows_agree(library: ctypes.CDLL) -> None:
    where = points()
    whole = call(library, "run0", *where)
    for i in range(0, 96, 11):
        one = call(library, "run0", *(v[i : i + 1] for v in where))
        assert all(abs(a[i] - b[0]) < 1e-15 for a, b in zip(whole, one, strict=True))


@lru_cache(maxsize=1)
def kinked() -> KinkTable:
    return kink_table(CASES[0], SPAN, error=ERROR)


def test_kinks_taken_out_serve_all_correlations() -> None:
    table = kinked()
    assert table.error <= ERROR and table.measured[1] < 1e-13
    q11, _, q22, _ = points(60)
    theta = np.concatenate(
        [10.0 ** np.linspace(-9, -1, 30), np.pi - 10.0 ** np.linspace(-9, -1, 30)]
    )
    q22[::3] = q11[::3]
    scale = np.sqrt(q11 * q22)
    where = (q11, scale * np.cos(theta), q22, scale * np.sin(theta))
    for block in (
        where,
        (q11, scale * np.cos(20 * theta), q22, scale * np.abs(np.sin(20 * theta))),
    ):
        found = np.array([table.at(*point) for point in zip(*block, strict=True)]).T
        assert worst(table, found, block) < ERROR
    again = read_either(json.loads(json.dumps(table.to_json())))
    assert again == table
    assert all(v != v for v in table.at(0.7, 0.1, 1.0))


def test_fewer_coefficients_are_left_where_there_is_no_shell() -> None:
    table = kinked()
    far, close, least = table.far, table.beyond, table.shells[-1].shell
    assert close is not far and least is not None

    def places(t: ChebyshevTable) -> int:
        return sum(len(line) for s in (t.value, t.dot) for line in (*s.plus[0], *s.minus[0]))

    assert places(close) < 0.6 * places(far)
    for sine in (0.0, 1e-9, 0.01, 0.1, least.inner * 0.7, least.inner):
        for q11, q22, sign in product((0.9, 1.0), (0.95, 1.125), (-1, 1)):
            scale = (q11 * q22) ** 0.5
            entry = q11, sign * scale * (1 - sine * sine) ** 0.5, q22, scale * sine
            sizes = zip(far.diagonal(q11), far.diagonal(q22), strict=True)
            pairs = zip(far.at(*entry), close.at(*entry), sizes, strict=True)
            assert all(abs(a - b) < 2 * ERROR * (x * y) ** 0.5 for a, b, (x, y) in pairs)


def test_code_of_kinks_taken_out(tmp_path: Path) -> None:
    unit, where = KinkUnit(in_doubles(kinked())), points()
    library = compiled(exported(unit), tmp_path)
    own = np.array([kinked().at(*point) for point in zip(*where, strict=True)]).T
    loaded = numpy_module(unit, tmp_path, "_rootdet", "_Phi2", "_Phi")
    for found in (call(library, "run", *where), loaded.unit_pairs(*where)):
        assert np.max(np.abs(np.array(found) - own)) < 1e-14
    same = np.ones(3)
    far = (same, np.array([0.1, np.nan, 0.1]), np.array([1.3, 1.0, 1.0]), same)
    for value in (*call(library, "run", *far), *loaded.unit_pairs(*far)):
        assert list(np.isnan(value)) == [True, True, False]
    assert isinstance(rule_unit(kinked()), KinkUnit)


def test_the_closed_part_is_the_expectation() -> None:
    lib = Doubles()
    nodes, weights = np.polynomial.legendre.leggauss(120)
    (k, m), alpha, (q11, q12, q22) = (1.0, -0.5), 3.0, (0.5, 0.95, 2.0)
    table = moments(lib, (k, m), alpha, (q11, q12, q22, (q11 * q22 - q12**2) ** 0.5), 4, 4)
    dev = (q22 - q12 * q12 / q11) ** 0.5
    for i, j in ((0, 0), (1, 0), (2, 3), (3, 3)):
        total = 0.0
        for u, w in zip(k + 3 * (nodes + 1), 3 * weights, strict=True):
            v = m + 3 * (nodes + 1)
            density = np.exp(-0.5 * ((v - q12 / q11 * u) / dev) ** 2 - 0.5 * u * u / q11)
            inner = np.sum(3 * weights * density * (v - m) ** j * np.exp(-alpha * (v - m) ** 2 / 2))
            total += w * (u - k) ** i * np.exp(-alpha * (u - k) ** 2 / 2) * inner
        assert table[i][j] == pytest.approx(total / (2 * np.pi * dev * q11**0.5), rel=1e-9)


def test_dilation_gives_the_coefficients_of_smaller_variances() -> None:
    from ntksym.numeric.series.enclosed import coefficients

    tanh = as_activation("tanh(x)")
    one, two = (
        np.array([float(a.mid()) for a in coefficients(tanh, q, 400, bits=80).values])
        for q in (1, Fraction(9, 16))
    )
    found, lost = dilated(one[None, :], Fraction(9, 16))
    assert lost[0] < 1e-12
    assert np.sqrt(np.sum((found[0][:300] - two[:300]) ** 2)) < 1e-12


def test_a_table_of_kinks_says_what_it_costs() -> None:
    assert "multiplications an entry" in price(kinked(), "dear")
    assert price(object(), "dear") == "dear"
    assert "measured at" in " ".join(proven(kinked()))
    with at_most(0.0), pytest.raises(TooLong):
        kink_table(CASES[1], SPAN, error=ERROR)


def test_a_table_of_kinks_that_takes_too_long_ends_before_rho_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ntksym.numeric import rules

    monkeypatch.setattr(split, "LIMITS", (0.8,))
    monkeypatch.setattr(rules, "PATIENCE_KINKS", 0.01)
    rule, span = rules.RULES["tabulated"], tuple(Fraction(v) for v in SPAN)
    found = rule.make(as_activation(CASES[1]), (span[0], span[1]), ERROR)
    assert isinstance(found, SplitTable) and found.error <= ERROR
    with at_most(0.01), pytest.raises(TooLong):  # nor has that more time than there is
        rule.make(as_activation("max(tanh(x), 1/3)"), (span[0], span[1]), ERROR)


def test_humps_larger_than_the_activation_are_cut_farther_out() -> None:
    """At the length of max(tanh(x), -1/2) itself 160 variances were not enough."""
    from ntksym.numeric.table.split import near

    with precision(200):
        axis = Axis.over(0.70710678, 1.41421357)
        shapes = tuple(
            near.plain_shape(as_activation("max(tanh(x), -1/2)").expr, s) for s in (False, True)
        )
        powers = near.powers_of(near.line_of(shapes[0]), 17, 5.0)
        plans = near._plans(shapes, powers, axis, [arb("1e-12"), arb("3.5e-12")], 840)
    assert max(p.count for both in plans for p in both) < 40


@pytest.mark.parametrize("ratio", [0.3, 0.9, 1 - 2.0**-40])
def test_the_rounding_of_a_dilation_is_bounded_closely(ratio: float) -> None:
    rows = np.random.default_rng(2).normal(size=(1, 1200)) / (1 + np.arange(1200.0)) ** 3
    found, lost = dilated(rows, Fraction(ratio) ** 2)
    assert lost[0] < 1e-15
    with precision(300):
        c = arb(ratio)
        off = 0.0
        for m in range(8):
            total, weight = arb(0), c**m
            for k in range((1200 - m + 1) // 2):
                total += weight * rows[0, m + 2 * k]
                weight *= (c * c - 1) / 2 / (k + 1) * arb((m + 2 * k + 1) * (m + 2 * k + 2)).sqrt()
            off = max(off, abs(float(total - found[0, m])))
    assert off < lost[0]


@pytest.mark.parametrize("text", ["max(-3, min(2, x))*tanh(x)", "max(tanh(x), x/10)"])
@pytest.mark.parametrize("slope", [False, True])
def test_coefficients_of_truncated_powers_hold_far_from_0(slope: bool, text: str) -> None:
    """The recurrences lose 1.5 bits for every zeta sqrt(n), more here than the 96 that were spare.

    The kink of the second is the root of an equation, of which 400 bits are known.
    """
    expr, nodes = as_activation(text).expr, (Fraction(3, 10),)
    with precision(400):
        powers = powers_of(line_of(plain_shape(expr, False)), 12, 3.0)
    rough, fine = (hermite_rows(powers, slope, nodes, 800, bits)[0] for bits in (72, 400))
    largest = max(abs(a) for a in fine)
    for a, b in zip(rough, fine, strict=True):
        assert a.overlaps(b) and a.rad() < largest * 2.0**-71
