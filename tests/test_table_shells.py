"""Tables of the whole dual away from rho = +-1, for kinks anywhere: bounds, code, what is beyond."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import arb
from unit_cases import call, compiled, exported, numpy_module

from ntksym.backends.c.table.point import TableUnit
from ntksym.backends.c.table.shells import shells_text
from ntksym.backends.numpy.table.shells import shells_notes, shells_numpy
from ntksym.backends.units import rule_unit
from ntksym.errors import Undecided
from ntksym.language import as_activation
from ntksym.numeric.choice import proven
from ntksym.numeric.patience import at_most
from ntksym.numeric.quadrature import quadrature_dual
from ntksym.numeric.table.bands.banded import BandedDual
from ntksym.numeric.table.shell import build
from ntksym.numeric.table.shell.apart import Apart
from ntksym.numeric.table.shell.build import edges, shells
from ntksym.numeric.table.shell.variable import Shell
from ntksym.numeric.table.spectra.spectrum import coefficient_rows
from ntksym.numeric.table.split.asked import asked
from ntksym.numeric.table.split.build import continuous, hermite_rows, plain_shape, start_of
from ntksym.numeric.table.split.kinks import kink_table
from ntksym.numeric.table.split.near import look
from ntksym.numeric.table.split.rest import Rest
from ntksym.numeric.table.split.table import SplitTable, read_either, split_table
from ntksym.numeric.table.variable import nodes
from ntksym.numeric.table.variances import Axis
from ntksym.precision import precision
from ntksym.verify.balls import enclose_definition

SPAN = (0.8, 1.25)
CASES = ("max(x - 1, 0)*tanh(x)", "(max(x - 1, 0) - max(-x - 1, 0))*exp(-x**2)")
"""One kink, and an odd function with two: only the odd part is there."""
ERROR = 1e-7


@lru_cache(maxsize=4)
def made(number: int) -> tuple[BandedDual, ...]:
    """The coefficients of the first come from what a table for all rho knows already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "LIMITS", (0.95,))
        expr, rest = as_activation(CASES[number]).expr, None
        if number == 0:
            rest = known(expr)
            patch.setattr(build, "hermite_rows", None)
        found = shells(CASES[number], expr, SPAN, ERROR, rest)
    assert len(found) == 2
    return tuple(shell for shell in found if isinstance(shell, BandedDual))


@lru_cache(maxsize=1)
def known(expr: Any) -> Rest:
    """An activation without its kinks."""
    with precision(200):
        shapes = plain_shape(expr, False), plain_shape(expr, True)
        starts = [start_of(shape, Axis.over(*SPAN), ERROR) for shape in shapes]
    return look(shapes, starts, *SPAN, ERROR)


def points(count: int = 60, low: float = 0.0, high: float = 1.0) -> tuple[Any, ...]:
    """Covariances whose sqrt(1 - rho^2) is in an interval, in rows of one q11."""
    rng = np.random.default_rng(3)
    q11 = np.repeat(np.geomspace(*SPAN, 3), count // 3).clip(*SPAN)
    q22 = rng.uniform(*SPAN, count)
    sine = rng.uniform(low, high, count)
    scale, sign = np.sqrt(q11 * q22), rng.choice([-1.0, 1.0], count)
    return q11, sign * scale * np.sqrt(1 - sine**2), q22, scale * sine


def worst(number: int, found: Any, where: tuple[Any, ...]) -> float:
    """The largest error of a case."""
    return worst_of(CASES[number], found, where)


def worst_of(text: str, found: Any, where: tuple[Any, ...]) -> float:
    """The largest error against a rule of higher accuracy, relative as the bounds are."""
    truth = quadrature_dual(as_activation(text), variances=SPAN, error=1e-10)
    q11, q12, q22, root = where
    exact = truth.evaluate(q11, q12, q22, root=root)
    sizes = zip(truth.diagonal(q11), truth.diagonal(q22), strict=True)
    pairs = zip(found, exact, sizes, strict=True)
    return max(float(np.max(np.abs(a - b) / np.sqrt(x * y))) for a, b, (x, y) in pairs)


@pytest.mark.parametrize("number", range(2))
def test_the_bound_holds_in_every_shell(number: int, tmp_path: Path) -> None:
    """Of the polynomials, of the C with its floats, and of NumPy; both signs of rho."""
    outer = 1.0
    for shell in made(number):
        assert shell.error <= ERROR and shell.shell is not None
        where = points(30, shell.shell.inner, outer)
        outer = shell.shell.inner
        own = np.array([shell.at(*point) for point in zip(*where, strict=True)]).T
        assert worst(number, own, where) < ERROR
        stem = TableUnit(shell).numpy_functions("unit")
        assert "_diag" not in stem
        loaded = numpy_module(TableUnit(shell), tmp_path)
        assert np.max(np.abs(np.array(loaded.unit_pairs(*where)) - own)) < 1e-13
        for sheet in (shell.pairs[0].value, shell.pairs[0].dot):
            assert sum(size for _, size in sheet.parts) == pytest.approx(sheet.error, rel=1e-9)


SEVENS = """static void {0}_pairs(size_t n, const double *q11, const double *q12, const double *q22,
    const double *root, double *nngp, double *dot)
{{
  for (size_t l = 0; l < n; ++l) {{
    nngp[l] = q11[l] + 10.0 * q12[l] + 100.0 * q22[l];
    dot[l] = root[l];
  }}
}}
static void {0}_diag(size_t n, const double *q, double *nngp, double *dot)
{{
  for (size_t l = 0; l < n; ++l) nngp[l] = dot[l] = q[l];
}}
"""
SEVENS_NUMPY = """

def {0}_pairs(q11, q12, q22, root):
    return q11 + 10.0 * q12 + 100.0 * q22, root


def {0}_diag(q):
    return q, q
"""


class Marked:
    """Shells of a case, and beyond them a unit that tells what it was given."""

    def c_functions(self, stem: str) -> str:
        return shells_text(made(0), stem, SEVENS.format)

    def numpy_functions(self, stem: str) -> str:
        return shells_numpy(made(0), stem, SEVENS_NUMPY.format)


def test_only_entries_beyond_the_shells_take_what_is_beyond(tmp_path: Path) -> None:
    """Rows of 1000 entries with few, none or all beyond; every output is where it belongs."""
    library = compiled(exported(Marked()), tmp_path, "-O3", "-march=native")
    module = numpy_module(Marked(), tmp_path)
    rng = np.random.default_rng(7)
    n = 6000
    q11 = np.repeat(rng.uniform(*SPAN, 6), n // 6)
    q22 = rng.uniform(*SPAN, n)
    least = made(0)[-1].shell.inner  # type: ignore[union-attr]
    sine = rng.uniform(least * 1.001, 1.0, n)
    beyond = rng.uniform(size=n) < np.repeat([0.0, 0.01, 1.0, 0.5, 0.0, 0.02], n // 6)
    sine[beyond] = least * rng.uniform(0, 0.999, int(beyond.sum()))
    scale = np.sqrt(q11 * q22)
    q12, root = scale * np.sqrt(1 - sine**2), scale * sine
    for value, dot in (
        call(library, "run", q11, q12, q22, root),
        module.unit_pairs(q11, q12, q22, root),
    ):
        assert np.array_equal(value[beyond], (q11 + 10.0 * q12 + 100.0 * q22)[beyond])
        assert np.array_equal(dot[beyond], root[beyond])
        inside = [i for i in np.flatnonzero(~beyond)[::97]]
        for i in inside:
            own = build.within(made(0), q11[i], q12[i], q22[i], root[i])
            assert own is not None
            assert (value[i], dot[i]) == pytest.approx(own, abs=ERROR)
    value, dot = call(library, "diag", q22[:5])
    assert np.array_equal(value, q22[:5]) and np.array_equal(dot, q22[:5])


def test_nothing_comes_of_nothing(tmp_path: Path) -> None:
    library = compiled(exported(Marked()), tmp_path)
    module = numpy_module(Marked(), tmp_path)
    nan, inf = float("nan"), float("inf")
    q11, q22 = np.array([1.0, 1.0, nan, 0.5, inf, 1.0]), np.array([1.0, nan, 1.0, 1.0, 1.0, 1.0])
    q12, root = np.array([nan, 0.1, 0.1, 0.1, 0.1, 0.1]), np.array([1.0, 0.9, 0.9, 0.7, inf, nan])
    for found in (
        call(library, "run", q11, q12, q22, root),
        module.unit_pairs(q11, q12, q22, root),
    ):
        for value in found:
            assert np.isnan(value).all()


def test_both_orders_of_a_pair_take_the_same_side(tmp_path: Path) -> None:
    """The test of the edge is symmetric to the bit, and the polynomials to rounding of floats."""
    library = compiled(exported(Marked()), tmp_path)
    edge = made(0)[-1].shell.inner  # type: ignore[union-attr]
    q11, q12, q22, root = points(300, edge * (1 - 1e-12), edge * (1 + 1e-11))
    one = call(library, "run", q11, q12, q22, root)
    two = [
        np.concatenate(v)
        for v in zip(
            *(
                call(library, "run", *(v[i : i + 1] for v in (q22, q12, q11, root)))
                for i in range(300)
            ),
            strict=True,
        )
    ]
    marks = [np.abs(v[0]) > 50.0 for v in (one, two)]
    assert np.array_equal(*marks) and 20 < marks[0].sum() < 280
    assert np.max(np.abs(one[0] - two[0])[~marks[0]]) < ERROR


def test_the_variable_is_what_its_derivative_says() -> None:
    shell = Shell.over(0.3, 0.7)
    for sine in (0.3, 0.4, 0.7):
        rho, h = (1 - sine**2) ** 0.5, 1e-6
        ends = [shell.at((1 - (rho + e) ** 2) ** 0.5)[0] for e in (-h, h)]
        x, steep = shell.at(sine)
        assert -1 - 1e-9 < x < 1 + 1e-9
        assert (ends[1] - ends[0]) / (2 * h) == pytest.approx(steep * rho, rel=1e-8)
        assert float(shell.square(arb(x))) == pytest.approx(rho * rho, rel=1e-14)
        assert abs(steep * rho) <= float(shell.grow)


def test_brackets_are_the_derivative() -> None:
    """Of vS (d/drho)(E + rho O) at points of x, for polynomials E and O."""
    from ntksym.numeric.table.shared import slope

    with precision(128):
        shell = Shell.over(0.2, 0.5)
        line = [arb(c) for c in (0.3, -1.5, 0.25, 0.125)]
        for x in nodes(5, 128):

            def series(c: Any, x: Any = x) -> Any:
                before, now, total = arb(1), x, c[0] + c[1] * x
                for m in c[2:]:
                    before, now = now, 2 * x * now - before
                    total += m * now
                return total

            w = (1 + x) / 2
            v = 1 - shell.kappa * w / (1 + arb(shell.kappa))
            s = (1 - shell.square(x)).sqrt()
            turn = -2 * (1 + arb(shell.kappa)) * shell.scale * v * v / s * series(slope(line))
            even, odd = (series(shell.bracket(line, part, slope(line))) for part in (0, 1))
            assert abs(even - v * s * turn) < 1e-30
            assert abs(odd - v * s * (series(line) + shell.square(x) * turn)) < 1e-30
            assert abs(series(shell.lifted(line)) - v * s * series(line)) < 1e-30
            assert shell.least <= v * s


def test_shells_meet_and_reach_the_limit() -> None:
    assert edges(0.8) == pytest.approx([1.0, 0.6])
    three = edges(0.995)
    assert len(three) == 4 and three[-1] == pytest.approx((1 - 0.995**2) ** 0.5)
    assert all(a / b == pytest.approx(three[0] / three[1]) for a, b in pairwise(three))


def test_no_shell_where_no_bound_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    expr = as_activation(CASES[0]).expr
    monkeypatch.setattr(build, "LIMITS", (0.8,))
    with pytest.raises(Undecided, match="no relative bound"):
        shells("s", expr, (0.01, 100.0), ERROR)


def test_units_of_the_variable_are_enough() -> None:
    """What 10 units of S and two of what is behind it move x by, at points of the shell."""
    for shell in (Shell.over(0.2, 0.5), Shell.over(0.45, 1.0), Shell.over(0.6, 0.62)):
        most = 0.0
        for k in range(101):
            part = k / 100
            sine = shell.inner + part / shell.scale
            steep = abs(shell.at(min(sine, 1.0))[1]) * sine  # dx/dS
            most = max(most, steep * (10 * sine + 2 * part / shell.scale))
        assert most + 12 <= shell.off_x < most + 16


@lru_cache(maxsize=1)
def fine() -> SplitTable:
    """Either dual has polynomials of its own; the rule comes next to them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "FINE_LIMITS", (0.5,))
        return split_table(CASES[0], SPAN, error=1e-14)


def test_rounding_leaves_1e_14_where_either_dual_has_polynomials_of_its_own(tmp_path: Path) -> None:
    table = fine()
    assert table.error <= 1e-14 and all(isinstance(t, Apart) for t in table.shells)
    again = read_either(json.loads(json.dumps(table.to_json())))
    assert again == table and (again.low, again.high) == SPAN
    where = points(9, 0.9, 1.0)
    where[3][-1] *= 0.3  # beyond the shells
    where[1][-1] = np.sqrt(where[0][-1] * where[2][-1] - where[3][-1] ** 2)
    library = compiled(exported(rule_unit(table)), tmp_path)
    module = numpy_module(rule_unit(table), tmp_path, "_rootdet", "_tanh")
    expr = as_activation(CASES[0]).expr
    every = [
        np.array([table.at(*point) for point in zip(*where, strict=True)]).T,
        np.array(call(library, "run", *where)),
        np.array(module.unit_pairs(*where)),
    ]
    for i, (a, c, b) in enumerate(zip(*(map(Fraction, v) for v in where[:3]), strict=True)):
        for which in (0, 1):
            own, one, two = (
                enclose_definition(expr, *at, digits=20, derivative=bool(which)).mid
                for at in ((a, c, b), (a, a, a), (b, b, b))
            )
            scale = (float(one) * float(two)) ** 0.5
            for found in every:
                assert abs(Fraction(float(found[which][i])) - own) < Fraction(1e-14 * scale)
    out = np.array([0.7]), np.array([0.1]), np.array([1.0]), np.array([0.8])
    assert np.isnan(call(library, "run", *out)).all() and np.isnan(module.unit_pairs(*out)).all()
    assert np.isnan(table.at(0.7, 0.1, 1.0)).all()
    said = " ".join(rule_unit(table).notes)
    assert "others of the derivative" in said and "by the quadrature rule at the end" in said
    assert "rounding is not counted" in proven(table)[0]
    with pytest.raises(Undecided, match="rounds to 1e-12 at best"):
        kink_table(CASES[0], SPAN, error=1e-14)


def test_a_kink_at_0_has_them_where_its_own_table_is_not_proven(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ntksym.numeric import rules, table

    def undecided(*_: Any, **__: Any) -> Any:
        raise Undecided("rounding")

    monkeypatch.setattr(table, "table_dual", undecided)
    monkeypatch.setattr(build, "FINE_LIMITS", (0.5,))
    given = as_activation("max(x, 0)*tanh(x - 1)"), tuple(Fraction(v) for v in SPAN)
    with pytest.raises(Undecided, match="rounding"):
        rules.RULES["tabulated"].make(*given, 1e-10)
    found = rules.RULES["tabulated"].make(*given, 1e-14)
    assert isinstance(found, SplitTable) and found.far is None and found.error <= 1e-14
    where = points(6, 0.9, 1.0)
    own = np.array([found.at(*point) for point in zip(*where, strict=True)]).T
    assert worst_of(given[0].name, own, where) < 1e-9  # of the rule that it is compared with


def test_a_jump_has_shells_of_both_duals(tmp_path: Path) -> None:
    """The derivative dual almost everywhere is not the derivative of the dual there."""
    text = "tanh(x)*step(x - 1/2)"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "LIMITS", (0.8,))
        found, missing = build.shells_of(asked(text, SPAN, ERROR), ERROR)
    assert not missing and all(isinstance(t, Apart) and t.error <= ERROR for t in found)
    where = points(24, 0.6, 1.0)
    own = np.array([build.within(found, *point) for point in zip(*where, strict=True)]).T
    assert worst_of(text, own, where) < ERROR


def test_shells_for_which_there_is_no_time_are_said_to_be_missing() -> None:
    with at_most(0.0):
        found, why = build.shells_of(asked(CASES[0], SPAN, 1e-8), 1e-8)
    assert found == () and why.startswith("given up")


def test_data_survive_and_are_described() -> None:
    for shell in made(1):
        assert BandedDual.from_json(json.loads(json.dumps(shell.to_json()))) == shell
        assert replace(shell, shell=None) != shell
    said = " ".join(shells_notes(made(0)))
    assert "sqrt(1 - rho^2) >= " in said and "Proven bounds" in said


@pytest.mark.parametrize("text", ["max(tanh(x), 1/2)", "max(tanh(x), 1/2) + 2**-30*step(x - 1)"])
def test_coefficients_of_the_slope_come_from_the_function_where_it_is_continuous(text: str) -> None:
    shapes = tuple(plain_shape(as_activation(text).expr, slope) for slope in (False, True))
    assert continuous(shapes[0].expr) == ("step" not in text)
    with precision(192):
        found = hermite_rows(shapes, (Fraction(1, 2), Fraction(2)), 40)
        right = coefficient_rows(shapes[1], (Fraction(1, 2), Fraction(2)), 40, 64)
        for ours, row in zip(found[1], right, strict=True):
            assert len(ours) == len(row) == 40
            for a, b in zip(ours, row, strict=True):
                assert a.overlaps(b) and a.rad() < 1e-16


@pytest.mark.parametrize("slope", [False, True])
def test_what_is_left_without_kinks_gives_coefficients_at_every_variance(slope: bool) -> None:
    expr, where = as_activation(CASES[0]).expr, (Fraction(5, 4), Fraction(4, 5))
    rest, off, count = known(expr), 0.0, 1300
    assert max(len(end.series) for end in rest.ends) < count
    with precision(192):
        b, a, most = rest.rows(where, count)[slope]
        right = coefficient_rows(plain_shape(expr, slope), where, count, 64)
    for row, ours in zip(right, a + b, strict=True):
        off = max(off, sum((float(x) - y) ** 2 for x, y in zip(row, ours, strict=True)) ** 0.5)
    assert off < float(most) < ERROR / 100
