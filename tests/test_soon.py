"""The automatic choice ends soon: what takes long is put off, given up, and told of."""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from fractions import Fraction
from math import exp, inf, log
from typing import Any

import pytest

from ntksym.errors import Undecided
from ntksym.language import as_activation
from ntksym.numeric import rules as rules_module
from ntksym.numeric import soon
from ntksym.numeric.choose import choose
from ntksym.numeric.endless import endless_slope
from ntksym.numeric.patience import TooLong, at_most, check
from ntksym.numeric.quadrature import quadrature_dual
from ntksym.numeric.series.tail import foretold
from ntksym.numeric.table import table_cost
from ntksym.runtime.units.rule_store import kept
from ntksym.waiting import clock_seconds, core_seconds


class RangeStub:
    """Stands for the dual of a rule."""

    def __init__(self, name: str) -> None:
        self.name = name


def test_by_default_what_takes_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is built where an error is asked for, or where nothing else is proven."""
    begun: list[tuple[str, float]] = []
    looked: list[str] = []  # what a user may be told while it takes long

    def rule(name: str, seconds: Any, least: float = 0.0, endless: float = 0.0) -> None:
        def make(activation: Any, variances: Any, error: float) -> Any:
            begun.append((name, error))
            while error < endless:
                check()
            if error < least:
                raise Undecided(f"{name} reaches {least:g}")
            return RangeStub(name)

        made = rules_module.Rule(name, "ns", make, seconds=lambda a, v, error: seconds(error))
        monkeypatch.setitem(rules_module.RULES, name, made)

    class Told:
        def __init__(self) -> None:
            self.lines: list[str] = []

        def __call__(self, rule: Any, *given: Any) -> Any:
            return rules_module.built(rule, *given)

        def tell(self, line: str) -> None:
            self.lines.append(line)

        def looking(self, rule: Any, *_: Any) -> Any:
            looked.append(rule.name)
            return nullcontext()

    def auto(**options: Any) -> tuple[Any, list[str]]:
        begun.clear()
        told = Told()
        return choose("mish", variances=(1, 2), code=True, build=told, **options), told.lines

    def sixty(error: float) -> float:
        return 60.0 if error < 1e-9 else 10.0

    rule("tabulated", sixty)
    rule("series", lambda error: 0.0, least=1.0)
    rule("quadrature", lambda error: 0.0)
    found, told = auto()
    assert found.method == "tabulated" and begun == [("series", 1e-10), ("tabulated", 1e-8)]
    assert looked == ["tabulated", "series", "tabulated"]
    assert len(told) == 1 and "error 1e-08, is taken" in told[0]
    assert "takes about 60 s to build: method='tabulated' with error=1e-10 asks" in told[0]
    found, told = auto(error=1e-10)
    assert begun == [("tabulated", 1e-10)] and not told
    # no estimate, or a wrong one: given up in time
    monkeypatch.setattr(soon, "SOON", 0.02)
    monkeypatch.setattr(soon, "_GRACE", 0.01)
    rule("tabulated", lambda error: 0.0, endless=1.0)
    found, told = auto()
    assert found.method == "quadrature" and ("tabulated", 1e-8) in begun
    assert "longer than is waited for" in told[0] and "given up" in " ".join(found.lines)
    # more time for a relaxed table, as dear entries are the alternative
    monkeypatch.setattr(soon, "_GRACE", 0.5)

    def steps(seconds: float) -> None:
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            check()

    def make(activation: Any, variances: Any, error: float) -> Any:
        steps(0.1)
        return RangeStub("tabulated")

    late = rules_module.Rule("tabulated", "ns", make, seconds=lambda *_: 0.3)
    monkeypatch.setitem(rules_module.RULES, "tabulated", late)
    found, told = auto()
    assert found.method == "tabulated" and "error 1e-08, is taken (ns)" in told[0]
    # a series has none of it: in its place there are rules in the plane
    rule("tabulated", lambda error: inf)
    rule("series", lambda error: 0.0, endless=1.0)
    start = time.thread_time()
    found, told = auto()
    assert found.method == "quadrature" and time.thread_time() - start < 0.3
    rule("series", lambda error: 0.0, least=1.0)
    # nothing else: what was put off is built
    rule("tabulated", sixty)
    rule("quadrature", lambda error: 0.0, least=1.0)
    found, told = auto()
    assert begun[-1] == ("tabulated", 1e-10) and not told
    # a look that takes long itself is none
    monkeypatch.setattr(soon, "_LOOK", 0.01)
    rule("quadrature", lambda error: 0.0)

    def look(error: float) -> float:
        while True:
            check()

    rule("tabulated", look)
    found, told = auto()
    assert found.method == "quadrature" and "too long to build" in " ".join(found.lines)


def test_a_table_that_is_nearly_there_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """log(1 + max(x, 0)) over .25 to 4 was given up after 12 s of 13, for one of 1e-8."""

    def make(activation: Any, variances: Any, error: float) -> Any:
        end = time.thread_time() + 0.38
        while time.thread_time() < end:
            check()
        return RangeStub("tabulated")

    monkeypatch.setattr(soon, "SOON", 0.4)
    slow = rules_module.Rule("tabulated", "ns", make, seconds=lambda *_: 0.3)
    monkeypatch.setitem(rules_module.RULES, "tabulated", slow)
    found = choose("mish", variances=(1, 2), code=True, build=rules_module.built)
    assert found.method == "tabulated" and "1e-10" in found.candidates[-1].reason


def test_what_was_put_off_shares_the_time_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a look counts as building does."""

    def endless(*_: Any) -> Any:
        while True:
            check()

    for name in tuple(rules_module.RULES):
        rule = rules_module.Rule(name, "ns", endless, seconds=lambda *_: inf)
        monkeypatch.setitem(rules_module.RULES, name, rule)
    monkeypatch.setattr(soon, "LONGEST", 0.2)
    monkeypatch.setattr(soon, "_LAST", 0.01)
    begin = time.thread_time()
    with pytest.raises(Undecided, match="no method proves"):
        choose("mish", variances=(1, 2), code=True)
    assert time.thread_time() - begin < 0.2 + 2 * 0.01 + 0.3


def test_what_was_refused_in_the_end_is_not_advised(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that was put off and then proved nothing, not for lack of time, is no advice."""

    def refused(*_: Any) -> Any:
        raise Undecided("singular")

    for name in tuple(rules_module.RULES):
        rule = rules_module.Rule(name, "ns", refused, seconds=lambda *_: 60.0)
        monkeypatch.setitem(rules_module.RULES, name, rule)
    with pytest.raises(Undecided) as failed:
        choose("mish", variances=(1, 2), code=True)
    assert " within " not in failed.value.what and "builds for" not in failed.value.hint
    assert "singular" in failed.value.tried[-1]


def test_an_infinite_mean_square_of_the_slope_is_why_nothing_is_proven() -> None:
    """No larger error helps: what the bounds are relative to is infinite."""
    with pytest.raises(Undecided) as failed:
        choose("sqrt(|x|)*cos(x)", variances=(1, 2), code=True)
    assert failed.value.where.startswith("E[s'(u)^2] is infinite")
    assert "x = 0 s' grows" in failed.value.where and "power -1/2" in failed.value.where
    assert "eval" in failed.value.hint and "--only nngp" in failed.value.hint
    of_many = endless_slope(as_activation("cbrt(sin(x))"))
    assert of_many.endswith("s' grows like the distance to the power -2/3")
    assert endless_slope(as_activation("abs(x - 1)^(7/10)")) == ""


def test_a_refused_look_holds_for_wider_ranges_and_smaller_errors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[tuple[Any, float]] = []

    def look(activation: Any, variances: Any, error: float) -> float:
        looked.append((variances, error))
        if variances == (5, 6):
            while True:
                check()
        raise Undecided("refused")

    for name in tuple(rules_module.RULES):
        make = rules_module.Rule(name, "ns", lambda *_: RangeStub("last"), seconds=look)
        last = rules_module.Rule(name, "ns", lambda *_: RangeStub("last"))
        rule = last if name == "quadrature" else make
        monkeypatch.setitem(rules_module.RULES, name, rule)

    def auto(low: int, high: int) -> list[tuple[Any, float]]:
        looked.clear()
        assert choose("mish", variances=(low, high), code=True).method == "quadrature"
        return list(looked)

    assert len(auto(2, 3)) == 4  # two rules, two errors
    assert auto(1, 3) == auto(2, 4) == auto(2, 3) == []
    assert len(auto(2, 2)) == len(auto(1, 2)) == 4
    # what takes too long is remembered as well; the looks of one request share their time
    monkeypatch.setattr(soon, "_LOOK", 0.05)
    monkeypatch.setattr(soon, "_LOOKS", 0.12)
    begin = time.thread_time()
    assert len(auto(5, 6)) == 4 and time.thread_time() - begin < 0.17
    assert len(auto(5, 6)) == 2


def test_rules_in_the_plane_look_at_the_clock() -> None:
    """Their search as well as their bounds, whatever the kind of rule."""
    for text in ("mish(x)", "x/(1+abs(x))", "exp(-abs(x)**1.5)"):
        with at_most(0.0), pytest.raises(TooLong):
            quadrature_dual(text, variances=(3, 3), error=1e-9)


def test_bends_much_narrower_than_the_deviation_are_soon_bounded() -> None:
    """Where ball values of s' overestimate by the length of a tile, the maximum comes first."""
    q = Fraction(10**8)
    with at_most(15.0):  # minutes where every tile is halved to the end
        found = quadrature_dual("x/(1+abs(x))", variances=(q, q), error=1e-10)
    value, dot = found.evaluate(1e8, 6e7, 1e8)
    for number, derivative in ((value, False), (dot, True)):
        ball = found.enclose(q, 3 * q / 5, q, derivative=derivative, digits=14)
        most = found.levels[0].dot if derivative else found.levels[0].value
        assert abs(float(ball.mid) - float(number)) <= most + 1e-12 * abs(float(number))


def test_a_series_for_singularities_near_the_line_is_not_begun() -> None:
    """Unless they are weak: the first coefficients say so, of kinks and branch points too."""
    seconds, one = rules_module.RULES["series"].seconds, (Fraction(1), Fraction(1))
    assert seconds is not None
    for text, many, where in (
        ("atan(300*x)", "more than a million", "singularities near the line"),
        ("sqrt(x**2 + 1/10000)", r"about \d+", "singularities near the line"),
        ("max(atan(x), x/2)", r"about \d+", "kinks"),
    ):
        with pytest.raises(Undecided, match=f"{many} terms .* {where}"):
            seconds(as_activation(text), one, 1e-10)
    for text in ("(x**2+1/100)**3.5", "cos(20*x)*atan(x)", "mish(x)", "max(x, 0)**9*tanh(x)"):
        assert seconds(as_activation(text), one, 1e-10) == 0.0
    with at_most(0.0), pytest.raises(TooLong):
        rules_module.RULES["series"].make(as_activation("atan(x)+x/3"), one, 1e-3)


def test_one_look_foresees_how_long_a_spectrum_is() -> None:
    """The first coefficients fall like those of a kink, later ones as the strip is wide."""
    assert abs(foretold(64, 2 * log(2), 6.0, 0.0) - 64 * exp(3.0)) <= 1
    assert foretold(64, log(2), 60.0, 0.0) == inf
    root = foretold(64, 0.2 * (8 - 32**0.5), 10.0, 0.2) ** 0.5
    assert abs(root - (8 + 10 / 0.2)) < 0.1
    with pytest.raises(Undecided, match=r"needs about 1\d{5} Hermite coefficients") as caught:
        table_cost("atan(x)", 1000.0, error=1e-10)
    assert re.fullmatch(r"\d+ of them leave about 0\.\d+ of it at .*", caught.value.where)


def test_lines_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    kept.tell.cache_clear()
    kept.tell("one")
    kept.tell("one")
    assert capsys.readouterr().err == "one\n"


def test_what_is_left_is_told_at_the_pace_of_a_busy_machine() -> None:
    """What is expected are seconds of one core: waiting for it is no work."""
    worked = core_seconds()
    time.sleep(0.2)
    assert worked() < 0.1
    assert clock_seconds(10.0, 2.0, 8.0) == 24.0
    assert clock_seconds(10.0, 12.0, 12.0) == -2.0
    assert clock_seconds(9.0, 0.0, 0.02) < 9.5  # too early to know a pace
