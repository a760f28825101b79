"""Activations far from size 1: the same tables times a power of two, and clear refusals."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import nan, sqrt
from typing import Any

import numpy as np
import pytest
from sympy import Integer

from ntksym.backends.units import unit_of
from ntksym.errors import Undecided
from ntksym.language import as_activation
from ntksym.numeric.table import BandedDual, read_table, table_cost, table_dual
from ntksym.numeric.table.dyadic.build import dyadic_table
from ntksym.numeric.table.scale import closed_of, ordinary, restored
from ntksym.numeric.table.shell import build
from ntksym.numeric.table.split.asked import asked
from ntksym.numeric.table.split.closed import Closed
from ntksym.numeric.table.zero import zero_row
from ntksym.verify.balls import enclose_definition

ERROR = 1e-8
HUGE, TINY = "1e60*mish(x)", "1e-100*tanh(x)*sin(x)"


@lru_cache
def made(text: str, span: tuple[float, float]) -> Any:
    """A table, once."""
    return table_dual(text, span, error=ERROR)


def relative_error(text: str, entry: tuple[int, Fraction, int], found: Any) -> float:
    """The larger error of both duals, relative to their sizes, by the definition."""
    expr, (q1, cross, q2) = ordinary(text, (1.0, 1.0))[0].expr, entry
    factor = Fraction(2) ** (2 * ordinary(text, (1.0, 1.0))[1])
    worst = 0.0
    for value, slope in zip(found, (False, True), strict=True):
        at = [
            enclose_definition(expr, Fraction(a), Fraction(b), Fraction(c), derivative=slope).mid
            for a, b, c in ((q1, cross, q2), (q1, q1, q1), (q2, q2, q2))
        ]
        scale = sqrt(at[1] * at[2])
        worst = max(worst, abs(float(Fraction(value) / factor - at[0])) / scale)
    return worst


@pytest.mark.parametrize("text", [HUGE, TINY])
@pytest.mark.parametrize("span", [(1.0, 1.0), (1.0, 2.0)])
def test_the_bound_holds_far_from_size_one(text: str, span: tuple[float, float]) -> None:
    table = made(text, span)
    q1, q2 = int(span[0]), int(span[1])
    found = table.at(float(q1), 0.5, float(q2))
    assert relative_error(text, (q1, Fraction(1, 2), q2), found) <= table.error <= ERROR


@pytest.mark.parametrize("text", [HUGE, TINY])
def test_numpy_code_has_the_numbers_of_the_table(text: str) -> None:
    table = made(text, (1.0, 2.0))
    space: dict[str, Any] = {"np": np}
    space["_rootdet"] = lambda a, b, c: np.sqrt(a * c - b * b)
    exec(unit_of(table).numpy_functions("s"), space)
    found = space["s_pairs"](*(np.array([v, nan]) for v in (1.0, 0.25, 2.0)))
    right = table.at(1.0, 0.25, 2.0)
    for got, want in zip(found, right, strict=True):
        assert got[0] == pytest.approx(want, rel=1e-12) and np.isnan(got[1])
    assert read_table(table.to_json()) == table


def test_no_float_in_code_where_a_float_overflows() -> None:
    table = made(HUGE, (1.0, 2.0))
    assert isinstance(table, BandedDual)
    assert all(pair.heavy == ((), ()) for pair in table.pairs)


def test_a_power_of_two_changes_no_other_bit() -> None:
    one = made("mish(x)", (1.0, 2.0))
    entry = (1.0, 0.5, 2.0)
    for power in (200, -200):
        found = restored(one, power, "mish(x)").at(*entry)
        assert found == tuple(v * 4.0**power for v in one.at(*entry))


def test_what_is_ordinary_stays_as_it_is() -> None:
    for text, q in (("mish(x)", 1.0), ("tanh(x)", 1e-30), ("1000*gelu(x)", 4.0)):
        assert ordinary(text, (q, q))[1] == 0
    # a large constant does not make the derivative vanish
    assert ordinary("10**30 + tanh(x)", (1.0, 1.0))[1] == 0


@pytest.mark.parametrize("text", ["1e200*mish(x)", "1e-200*mish(x)"])
def test_a_dual_that_is_no_double_is_refused(text: str) -> None:
    with pytest.raises(Undecided, match="no doubles") as caught:
        table_dual(text, 1.0)
    assert "c^2 times" in caught.value.hint


def test_a_kink_at_zero() -> None:
    table = dyadic_table("1e50*abs(x)**(3/2)", 1.0, error=ERROR)
    found = table.at(1.0, 0.5, 1.0)
    assert relative_error("1e50*abs(x)**(3/2)", (1, Fraction(1, 2), 1), found) <= table.error


def test_what_is_closed_at_kinks_counts_squared() -> None:
    closed = Closed((0.5,), 2.0, ((0.0, 1.0),), ((1.0, 0.0, -2.0),))
    entry = (1.0, 0.25, 2.0, sqrt(2 - 0.0625))
    right = [v * 4.0**150 for v in closed.at(*entry)]
    assert list(closed_of(closed, 150).at(*entry)) == right


def test_rows_of_zeros() -> None:
    expr = as_activation("softplus(x)").expr
    one, tiny = (zero_row(expr * c, 1.0, 2.0, 1e-10) for c in (1, Integer(2) ** -300))
    assert tiny.value == one.value * 2.0**-300 and tiny.error < 1e-9 * 4.0**-300
    for a, b in zip(one.at(1.5), tiny.at(1.5), strict=True):
        assert b * 4.0**300 == pytest.approx(a, rel=1e-9)


def test_the_work_is_foreseen() -> None:
    assert table_cost(TINY, 1.0, error=ERROR).seconds < 60


def test_a_factor_of_the_activation_is_one_of_its_shells() -> None:
    text, span = "max(x - 1, 0)*tanh(x)", (0.8, 1.25)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "LIMITS", (0.8,))
        large, _ = build.shells_of(asked(f"2**40*({text})", span, 1e-7), 1e-7)
        small, _ = build.shells_of(asked(text, span, 1e-7), 1e-7)
    where = 1.0, 0.2, 1.1, (1.1 - 0.04) ** 0.5
    factor = [a / b for a, b in zip(large[0].at(*where), small[0].at(*where), strict=True)]
    assert factor == pytest.approx([2.0**80] * 2, rel=1e-6)
