"""Tables in bands as array code: one band with the error asked for, or a head that says more."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest

from ntksym.backends.array import unit
from ntksym.backends.array.quadrature import ArrayQuadrature
from ntksym.backends.array.table import ArrayTable
from ntksym.backends.array.unit import array_unit
from ntksym.backends.text import upward
from ntksym.errors import Undecided, UnsupportedOp
from ntksym.language import as_activation
from ntksym.numeric.table import BandedDual, table_dual

ERROR, SPAN = 1e-12, (0.7, 1.4)


@lru_cache(maxsize=1)
def made() -> Any:
    return table_dual("mish", SPAN, error=ERROR)


def test_the_error_asked_for_is_that_of_array_code() -> None:
    """It was 1e-10 at best, without a word."""
    table = made()
    assert isinstance(table, BandedDual)
    rule = array_unit(table, as_activation("mish")).rule
    assert isinstance(rule, ArrayTable) and rule.table.error <= ERROR


def refusing(monkeypatch: pytest.MonkeyPatch, least: float) -> None:
    """No table in one band has a smaller error than that."""

    def refused(*args: Any, **options: Any) -> Any:
        if options["error"] < least:
            raise Undecided("not proven")
        return table_dual(*args, **options)

    monkeypatch.setattr(unit, "table_dual", refused)


def test_a_trapezoid_rule_has_the_error_where_no_table_has(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, 1e-10)
    found = array_unit(made(), as_activation("mish"))
    assert isinstance(found.rule, ArrayQuadrature)
    level = found.rule.dual.levels[0]
    assert max(level.value_relative, level.dot_relative) <= ERROR and not found.said


def test_a_looser_bound_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*args: Any) -> Any:
        raise Undecided("no such rule")

    refusing(monkeypatch, 1e-10)
    monkeypatch.setattr(unit, "single_lattice", none)
    found = array_unit(made(), as_activation("mish"))
    assert isinstance(found.rule, ArrayTable) and ERROR < found.rule.table.error <= 1e-10
    head = " ".join(found.notes)
    assert f"The bound is {upward(found.rule.table.error)}, of one table for the whole" in head
    assert f"{upward(made().error)} is proven for C and NumPy" in head
    refusing(monkeypatch, 1.0)
    with pytest.raises(UnsupportedOp, match=r"need a table in 1 bands.*\(not proven\)"):
        array_unit(made(), as_activation("mish"))
