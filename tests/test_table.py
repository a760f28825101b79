"""Tabulated duals: the bound holds at the worst points, and a wrong number is caught."""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from flint import arb

from ntksym import waiting
from ntksym.errors import BadCovariance, BadData, NotSquareIntegrable, Undecided
from ntksym.language import as_activation
from ntksym.numeric import rules as rules_module
from ntksym.numeric.patience import TooLong, at_most, check
from ntksym.numeric.series.enclosed import coefficients
from ntksym.numeric.table import (
    BandedDual,
    TableDual,
    read_table,
    shared,
    table_cost,
    table_dual,
)
from ntksym.numeric.table.bands.band import BandSpectra
from ntksym.numeric.table.draft import mirrored
from ntksym.numeric.table.dual import Sheet
from ntksym.numeric.table.pack import least
from ntksym.numeric.table.spectra import joint, source
from ntksym.numeric.table.spectra.spectrum import spectra
from ntksym.precision import precision
from ntksym.runtime.units import rule_store
from ntksym.runtime.units.rule_store import kept
from ntksym.verify.balls import enclose_definition
from ntksym.verify.definition import factor

RHO = (0.0, 0.3, 0.9, 1 - 2.0**-10, 1.0)
PLACES = (-1.0, -0.6, 0.2, 1.0)


@lru_cache(maxsize=8)
def made(name: str, low: float, high: float, error: float) -> Any:
    return table_dual(name, (low, high), error=error)


@lru_cache(maxsize=512)
def truth(name: str, q11: float, q12: float, q22: float, slope: bool) -> Fraction:
    """The dual from its definition: nothing of the tables."""
    expr = as_activation(name).expr
    args = [Fraction(v) for v in (q11, q12, q22)]
    return enclose_definition(expr, *args, digits=13, derivative=slope, floor=16).mid


def sheets(table: TableDual | BandedDual, q11: float, q22: float) -> tuple[Sheet, Sheet]:
    """Those of the dual and of the derivative dual, with their bounds."""
    if not isinstance(table, BandedDual):
        return table.value, table.dot
    pair = table.pair(*sorted((table.band(q11), table.band(q22))))
    return pair.value, pair.dot


def misses(
    table: TableDual | BandedDual, name: str, q11: float, q12: float, q22: float
) -> list[float]:
    """Error over bound, of value and derivative, at one point."""
    det = Fraction(q11) * Fraction(q22) - Fraction(q12) ** 2
    got = table.at(q11, q12, q22, math.sqrt(det))
    out = []
    for value, sheet, slope in zip(got, sheets(table, q11, q22), (False, True), strict=True):
        scale = math.sqrt(truth(name, q11, q11, q11, slope) * truth(name, q22, q22, q22, slope))
        gap = abs(Fraction(value) - truth(name, q11, q12, q22, slope)) / Fraction(scale)
        out.append(float(gap) / sheet.error)
    return out


SINGLE = (
    ("mish", 1.0, 1e-10),
    ("tanh", 1.0, 1e-10),
    ("max(x, 0) + (exp(min(x, 0)) - 1)", 2.0, 1e-10),
    ("x*tanh(x - 1) + abs(x)", 0.5, 1e-8),
)


@pytest.mark.parametrize(("name", "q", "error"), SINGLE)
def test_the_bound_holds_for_one_variance(name: str, q: float, error: float) -> None:
    table = made(name, q, q, error)
    assert table.error <= error
    worst = [0.0, 0.0]
    for rho in RHO:
        for sign in (1, -1):
            found = misses(table, name, q, sign * rho * q, q)
            worst = [max(pair) for pair in zip(worst, found, strict=True)]
    assert max(worst) <= 1
    assert min(worst) > 0.02, "the bound is not a hundred times the error"


def test_a_kink_away_from_zero() -> None:
    """Flat at rho = -1, where the half-lines u > 1 and v > 1 do not meet."""
    name, error = "max(x - 1, 0)", 1e-6
    table = made(name, 1.0, 1.0, error)
    assert table.error <= error
    for rho in (0.8, -0.3, -0.75, -1.0, 1 - 2.0**-12):
        assert max(misses(table, name, 1.0, rho, 1.0)) <= 1
    with pytest.raises(Undecided, match="kinks away from 0"):
        table_dual(name, (0.5, 2.0), error=error)


@pytest.mark.parametrize("name", ["mish", "max(x, 0) + atan(min(x, 0))"])
def test_coefficients_of_many_variances_are_those_of_one(name: str) -> None:
    """Against the quadrature of `numeric.series`, which has its own nodes and bounds."""
    expr = as_activation(name).expr
    pieces = factor(expr, derivative=False, distributional=False).pieces
    variances = Fraction(1, 2), Fraction(9, 7), Fraction(3)
    rows = joint.coefficients(pieces, variances, 50, 100)
    with precision(200):
        for q, row in zip(variances, rows, strict=True):
            for a, b in zip(row, coefficients(expr, q, 50, bits=100).values, strict=True):
                assert a.overlaps(b) and a.rad() < 2.0**-90 and b.rad() < 2.0**-90


def test_fewer_coefficients_leave_more() -> None:
    with precision(200):
        shape = source.shape(as_activation("mish").expr, False, 160)
        (whole,) = spectra(shape, (Fraction(1),), 80, 100, False)
        less = whole.first(40)
        cut = sum(a * a for a in whole.series[40:])
        assert len(less.series) == 40 and less.left >= whole.left + cut.lower()
        assert less.left < (whole.left + cut.upper()) * (1 + 1e-6)


def test_the_least_value_on_the_diagonal() -> None:
    for series in ([3.0, 0.5, -1.0, 0.25, 1e-9], [2.0], [1.0, 0.0, 0.5]):
        seen = float(least([[[arb(c)] for c in series]]))
        true = np.polynomial.chebyshev.chebval(np.linspace(-1, 1, 9999), series).min()
        assert true - 0.05 < seen <= true


def test_odd_and_even_are_seen_exactly() -> None:
    for name, parity in (("tanh", -1), ("hardtanh", -1), ("x/(1+abs(x))", -1), ("cos(x)", 1)):
        assert mirrored(as_activation(name).expr) == parity
    for name in ("mish", "max(x,0)", "max(x-1,0)-max(-x-2,0)", "tanh(x)+1e-9*cos(x)"):
        assert mirrored(as_activation(name).expr) == 0


def test_the_cost_is_known_before() -> None:
    cost = table_cost("tanh", 1.0, error=1e-10)
    assert cost.variances == 1 and 0.5 < cost.coefficients / made("tanh", 1, 1, 1e-10).terms < 2
    hard = table_cost("x/(1+abs(x))", 1.0, error=1e-10)
    assert hard.seconds > cost.seconds and hard.coefficients > 500
    with pytest.raises(Undecided, match=r"Hermite coefficients|analytic"):
        table_cost("x/(0.001+abs(x))", 1.0, error=1e-12)


def test_the_bound_can_fail() -> None:
    name, q, error = SINGLE[0]
    table = made(name, q, q, error)
    first, *others = table.value.plus[0][0]
    shifted = (((first + 2 * error, *others),),)
    wrong = replace(table, value=replace(table.value, plus=shifted))
    assert misses(wrong, name, q, 0.3 * q, q)[0] > 1


def test_the_bound_holds_on_a_range() -> None:
    name, low, high = "1/(1 + exp(-x))", 0.5, 1.5
    table = made(name, low, high, 1e-7)
    assert table.error <= 1e-7 and table.variances > 3
    for a in PLACES:
        for b in PLACES[::2]:
            q11, q22 = (low * (high / low) ** ((1 + t) / 2) for t in (a, b))
            for rho in (0.0, 0.7, -0.95):
                c = rho * math.sqrt(q11 * q22)
                assert max(misses(table, name, q11, c, q22)) <= 1


def test_the_bound_holds_across_bands() -> None:
    """Pairs in one band, in two, at the cut between them and at the ends."""
    name, low, high, error = "1/(1 + exp(-x))", 0.25, 4.0, 1e-5
    table = table_dual(name, (low, high), error=error)
    assert isinstance(table, BandedDual) and len(table.bands) == 2 and table.error <= error
    cut = table.bands[0].high
    worst = 0.0
    for q11, q22 in ((low, high), (high, low), (0.4, cut), (cut, cut), (3.0, 3.5), (0.3, 0.9)):
        for rho in (0.6, -0.97):
            c = rho * math.sqrt(q11 * q22)
            det = Fraction(q11) * Fraction(q22) - Fraction(c) ** 2
            got = table.at(q11, c, q22, math.sqrt(det))
            for value, slope in zip(got, (False, True), strict=True):
                scale = math.sqrt(
                    truth(name, q11, q11, q11, slope) * truth(name, q22, q22, q22, slope)
                )
                gap = abs(Fraction(value) - truth(name, q11, c, q22, slope)) / Fraction(scale)
                worst = max(worst, float(gap) / error)
    assert 1e-3 < worst <= 1
    assert all(v != v for v in table.at(0.2, 0.1, 1.0))
    assert read_table(json.loads(json.dumps(table.to_json()))) == table
    with pytest.raises(BadData, match="version"):
        read_table({**table.to_json(), "version": 0})
    whole = table_dual(name, (low, high), error=error, banded=False)
    assert isinstance(whole, TableDual) and whole.error <= error


def test_bands_that_need_every_coefficient_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bands have different numbers of them, and the value none more than the slope."""

    def every(one: BandSpectra, two: BandSpectra, which: int, error: float) -> int:
        return min(len(b.spectra[which][0].series) for b in (one, two))

    monkeypatch.setattr("ntksym.numeric.table.bands.pairs.count_of", every)
    table = table_dual("1/(1 + exp(-x))", (0.25, 4.0), error=1e-4)
    assert isinstance(table, BandedDual) and len(table.bands) == 2 and table.error <= 1e-4


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("x*tanh(x)^2*cos(x/2)", (0,)),  # odd
        ("x/(1 + exp(-x))", (1, 1)),  # half of it linear
        ("log(1 + exp(x)) + sin(x)/2", (2, 2)),
        ("1/(1 + x^2/9)", (0,)),  # even
    ],
)
def test_folded_tables_serve_both_duals(name: str, parts: tuple[int, ...]) -> None:
    """One polynomial, its derivative the derivative dual; both signs and the ends of rho."""
    low, high, error = 0.5, 1.5, 1e-6
    table = made(name, low, high, error)
    assert table.folded and table.error <= error
    (pair,) = table.pairs
    assert not pair.dot.plus and not pair.dot.minus and pair.dot.diag
    assert bool(pair.value.parity) == (len(parts) == 1)
    worst = 0.0
    for q11, q22 in ((low, high), (high, high), (0.7, 0.9)):
        for rho in (1 - 2.0**-48, 2.0**-48 - 1, 0.0, 0.4, -0.93):
            c = rho * math.sqrt(q11 * q22)
            worst = max(worst, *misses(table, name, q11, c, q22))
    assert 1e-4 < worst <= 1


def test_a_folded_bound_can_fail() -> None:
    """A coefficient that is off by 1e-4 is far beyond the bound, of both duals."""
    name = "x*tanh(x)^2*cos(x/2)"
    table = made(name, 0.5, 1.5, 1e-6)
    (pair,) = table.pairs
    rows = pair.value.plus
    bad = ((*rows[0][0][:2], rows[0][0][2] + 1e-4, *rows[0][0][3:]), *rows[0][1:])
    value = replace(pair.value, plus=(bad, *rows[1:]))
    worse = replace(table, pairs=(replace(pair, value=value),))
    assert min(misses(worse, name, 0.7, 0.5, 0.9)) > 1


def test_a_series_becomes_its_derivative() -> None:
    """The terms of the derivative dual, against differences of the dual in rho."""
    kappa, line = 0.8, [arb(v) for v in ("0.3", "-0.2", "0.11", "0.07", "-0.01")]

    def place(rho: float) -> float:
        s = 1 - rho * rho
        return 2 * (1 + kappa) * s / (1 + kappa * s) - 1

    def series(coefficients: list[Any], x: float) -> float:
        return float(np.polynomial.chebyshev.chebval(x, [float(c) for c in coefficients]))

    rho, step = 0.37, 1e-5
    for part in (0, 1):
        ends = [(rho + d) ** part * series(line, place(rho + d)) for d in (-step, step)]
        found = series(shared.turned(line, part, kappa), place(rho)) * rho ** (1 - part)
        assert abs(found - (ends[1] - ends[0]) / (2 * step)) < 1e-9
    short = shared.trimmed(line, 3)
    gap = [a - b for a, b in zip(shared.slope(line), [*shared.slope(short), 0, 0, 0], strict=False)]
    assert all(abs(g) < 1e-15 for g in gap[:2]) and abs(gap[2]) > 1e-3


def test_small_errors_keep_two_sides() -> None:
    small = table_dual("sin(x)", (1.0, 1.2), error=1e-13)
    assert not small.folded and small.error <= 1e-13


def test_a_build_that_takes_too_long_is_given_up() -> None:
    with at_most(1e-6), pytest.raises(TooLong, match="given up"):
        table_dual("tanh(x) + x/7", (1.0, 1.5), error=1e-6)
    with at_most(None):
        check()
    with at_most(0.0), at_most(100.0), pytest.raises(TooLong):
        check()


def test_giving_up_is_kept_as_the_time_it_had(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path))
    rule, span = rules_module.RULES["tabulated"], (Fraction(1), Fraction(1))
    activation = as_activation("tanh(x) + x/5")
    with at_most(0.05), pytest.raises(TooLong):
        kept(rule, activation, span, 1e-5)
    begun: list[str] = []

    def never(*given: Any, look: bool) -> Any:
        begun.append("built")
        raise TooLong("again")

    with monkeypatch.context() as patch:  # its time is noted, also for other processes
        patch.setattr(rule_store, "built", never)
        with at_most(0.05), pytest.raises(TooLong, match="given up: it was not built within 0 s"):
            kept(rule, activation, span, 1e-5)
        assert not begun
        with at_most(5.0), pytest.raises(TooLong, match="again"):
            kept(rule, activation, span, 1e-5)
    assert kept(rule, activation, span, 1e-5).error <= 1e-5


def test_outside_the_range_there_is_no_number() -> None:
    table = made("mish", 1.0, 1.0, 1e-10)
    for q11, q12, q22 in (
        (1.001, 0.5, 1.0),
        (1.0, 0.5, 0.999),
        (1.0, 1.01, 1.0),
        (1.0, math.nan, 1.0),
    ):
        assert all(v != v for v in table.at(q11, q12, q22))
    assert table.at(1.0 + 2.0**-52, 0.5, 1.0)[0] == table.at(1.0, 0.5, 1.0)[0]


def test_plain_data() -> None:
    table = made("tanh", 1.0, 1.0, 1e-10)
    text = json.dumps(table.to_json())
    assert TableDual.from_json(json.loads(text)) == table
    with pytest.raises(BadData, match="not the data of a table"):
        TableDual.from_json({"version": 1})
    with pytest.raises(BadData, match="version"):
        TableDual.from_json({**table.to_json(), "version": 0})


def test_odd_and_even_need_one_side() -> None:
    table = made("tanh", 1.0, 1.0, 1e-10)
    assert (table.value.parity, table.dot.parity) == (-1, 1) and not table.value.minus


def test_progress_is_told() -> None:
    lines: list[str] = []
    table_dual("sin(x)", 1, error=1e-6, progress=lines.append)
    assert lines and all("\n" not in line for line in lines)


@pytest.mark.parametrize(
    ("variances", "error", "kind", "text"),
    [
        (0, 1e-10, BadCovariance, "not positive"),
        (-1, 1e-10, BadCovariance, "not positive"),
        ((2, 1), 1e-10, BadCovariance, "above the largest"),
        ((1, math.inf), 1e-10, BadCovariance, "finite"),
        ((1, 2, 3), 1e-10, BadCovariance, "3 variances"),
        ("one", 1e-10, BadCovariance, "not a range"),
        ((1e-300, 1e300), 1e-10, Undecided, "beyond"),
        ((1e-6, 1e6), 1e-10, Undecided, "would be 20 bands"),
        (1, 1e-16, Undecided, "error >= 1e-15"),
        (1, math.nan, Undecided, "error >= 1e-15"),
    ],
)
def test_bad_input(variances: object, error: float, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        table_dual("tanh", variances, error=error)


def test_what_cannot_be_tabulated_says_so() -> None:
    with pytest.raises(NotSquareIntegrable):
        table_dual("exp(x**2)", 1)


def test_slopes_of_steps_are_a_table_of_zeros() -> None:
    table = table_dual("sign(x)", 1, error=1e-12)
    rho = np.linspace(-1, 1, 41)
    value, slope = np.array([table.at(1.0, float(r), 1.0) for r in rho]).T
    assert np.abs(value - 2 / np.pi * np.arcsin(rho)).max() < 1e-12
    assert not slope.any()


def test_what_takes_long_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "LOGGED", 0.02)
    rule = rules_module.Rule("slow", "ns", lambda *_: time.sleep(0.2), None, lambda *_: 9.0)
    monkeypatch.setitem(rules_module.RULES, "slow", rule)
    start = time.monotonic()
    kept(rule, as_activation("mish"), (Fraction(1), Fraction(2)), 1e-6)
    passed, said = time.monotonic() - start, capsys.readouterr().err
    left = re.search("slow dual of mish for variances 1 to 2.*about ([0-9]+) s left", said)
    assert left and 8.5 <= int(left[1]) <= 9 * (1 + passed) + 0.5  # at the pace of this machine
    ended = re.search(r"error 1e-06: building, ended after ([0-9.]+) s", said.splitlines()[-1])
    assert ended and 0.1 < float(ended[1]) < passed + 0.1
    with kept.looking(rule, as_activation("mish"), None, 1e-8):
        time.sleep(0.1)
    assert "slow dual of mish, error 1e-08: a look at how long it takes, not" in (
        capsys.readouterr().err
    )
