"""What `prove` says where there is no closed form: the bound of what is given instead is checked."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

import ntksym
from ntksym.numeric import verdict
from ntksym.numeric.rules import Rule, built
from ntksym.numeric.table.dual import TableDual
from ntksym.verify.ball import Ball
from ntksym.verify.report import Comparison, Verdict

NO_RULE = "abs(x - 1)^(7/10)*log(abs(x - 1))"
HARD = [("9", "-4", "5/2"), ("1", "999999/1000000", "1"), ("1", "1", "1")]


def exact(value: Fraction) -> Ball:
    return Ball(value.numerator, 1 - value.denominator.bit_length(), 0, 0)


def test_a_mixture_is_enclosed() -> None:
    report = ntksym.prove("b*tanh(x)", digits=20, points=HARD)
    assert report.verdict is Verdict.ENCLOSED and report.method == "mixture"
    assert len(report.comparisons) == 6
    for c in report.comparisons:
        assert c.bound is not None and c.bound.mid < Fraction(1, 10**13) and 0 < c.used < 1
    assert "6 enclosures of the definition, 20 digits" in report.evidence[-1]
    assert "no closed form: no closed" not in report.evidence[0]


def test_a_wrong_mixture_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sum is moved by twice its bound: the verdict says at which point."""
    from ntksym.numeric.mixture import MixtureDual

    right = MixtureDual.enclose

    def wrong(self: Any, *args: Any, **kw: Any) -> Any:
        found = right(self, *args, **kw)
        return replace(found, mid=found.mid + 2 * found.rad)

    monkeypatch.setattr(MixtureDual, "enclose", wrong)
    report = ntksym.prove("tanh(x)", digits=20, points=HARD[:1])
    assert report.verdict is Verdict.REFUTED
    assert "disjoint balls: nngp at (9, -4, 5/2)" in report.evidence[-2]


def test_a_table_is_enclosed_or_its_bound_is_too_small() -> None:
    """The same table is refuted where it claims a hundredth of the error that it has."""
    options: dict[str, Any] = {"digits": 15, "variances": "1", "error": 1e-6}
    good = ntksym.prove("1/(1+x**2)", **options)
    assert good.verdict is Verdict.ENCLOSED and good.method == "tabulated"
    assert len(good.comparisons) == 14

    def boastful(rule: Rule, *args: Any) -> TableDual:
        made = built(rule, *args)
        sheets = (replace(s, error=s.error / 100) for s in (made.value, made.dot))
        return replace(made, **dict(zip(("value", "dot"), sheets, strict=True)))

    bad = ntksym.prove("1/(1+x**2)", **options, build=boastful)
    assert bad.verdict is Verdict.REFUTED and any("disjoint" in line for line in bad.evidence)


def test_a_table_nobody_asked_for_is_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict, "_MORE", 0.0)
    report = ntksym.prove("1/(1+x**2)", digits=15, error=1e-6)
    assert report.verdict is Verdict.ENCLOSED and len(report.comparisons) == 14
    late = "variances 1/2:2: not built within 0 s of one core; --variance 1/2:2 builds it"
    assert report.evidence[-1] == late


def test_a_rule_in_the_plane_is_judged_by_its_own_numbers() -> None:
    """Not by an enclosure of the definition, which would agree with itself whatever the rule."""
    options: dict[str, Any] = {"digits": 10, "variances": "1", "error": 1e-4}
    report = ntksym.prove("atan(x)", method="quadrature", **options)
    assert report.verdict is Verdict.ENCLOSED and report.method == "quadrature"
    assert len(report.comparisons) == 14 and all(c.bound is not None for c in report.comparisons)


def test_any_method_can_be_asked_for() -> None:
    point = [("1", "1/2", "1")]
    assert ntksym.prove("sin(x)", digits=15, points=point, method="series").method == "series"
    with pytest.raises(ntksym.NtksymError, match="logistic family"):
        ntksym.prove("sin(x)", method="mixture")
    with pytest.raises(ntksym.NtksymError, match="no closed form"):
        ntksym.prove("tanh(x)", method="exact")


def test_what_no_method_gives_is_undecided() -> None:
    """The slope is not square-integrable, so no error relative to its norm is proven."""
    report = ntksym.prove("log(1+sqrt(abs(x)))", variances="1")
    assert report.verdict is Verdict.UNDECIDED and not any(c.agree for c in report.comparisons)
    assert "no method proves" in report.evidence[1]


def test_a_bound_of_nothing_is_kept_by_nothing() -> None:
    """The slope of step(sin x) is 0 off its jumps, and so is what a table may be off by."""
    at: Any = (1, 0, 1)
    nothing = exact(Fraction(0))
    c = Comparison("derivative", at, (), nothing, nothing, 30, bound=nothing)
    assert c.agree is True and c.used == 0
    other = replace(c, derived=exact(Fraction(1, 2)))
    assert other.agree is False and other.used == float("inf")


def test_an_undecided_activation_still_has_values() -> None:
    """No rule where a slope is unbounded, but an enclosure at any one point."""
    report = ntksym.prove(NO_RULE, variances="1")
    value, slope = report.comparisons
    assert report.verdict is Verdict.UNDECIDED and not report.holds
    assert value.agree is None and value.definition is not None
    assert value.definition.rel_digits >= 30
    assert slope.definition is not None
    assert "`eval` encloses the definition" in report.evidence[-1]
    assert "at (1, 1/2, 1) nngp [" in report.evidence[-1]


def test_without_a_value_no_such_thing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any) -> tuple[Comparison, ...]:
        raise ntksym.errors.Undecided("no rule")

    monkeypatch.setattr(verdict, "definitions", none)
    report = ntksym.prove(NO_RULE, variances="1")
    assert not report.comparisons and not any("eval" in line for line in report.evidence)


def test_within_a_bound_is_decided_by_the_whole_balls() -> None:
    at: Any = (1, 0, 1)
    one, unit = exact(Fraction(1)), exact(Fraction(1, 64))
    c = Comparison("nngp", at, (), one, exact(Fraction(65, 64)), 30, bound=unit)
    assert c.agree is True and c.used == 1
    assert replace(c, derived=exact(Fraction(131, 128))).agree is False
    wide = Ball(1, 0, 1, -7)  # narrower than the bound, but not all of it is within
    assert replace(c, definition=wide).agree is None
    assert replace(c, definition=None).agree is None


def test_the_command(call: Any) -> None:
    result = call("prove", "1/(1+x**2)", "--variance", "1", "--error", "1e-6", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["verdict"], found["method"]) == (0, "enclosed", "tabulated")
    assert all(p["agree"] and float(p["bound"]["mid"]) < 2e-6 for p in found["points"])
