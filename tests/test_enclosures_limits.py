"""What is said where an enclosure is too dear: the bound that was reached, and in time."""

from __future__ import annotations

import math
import time
from fractions import Fraction
from typing import Any

import pytest
from flint import acb, arb

from ntksym.errors import Undecided
from ntksym.language import parse_activation
from ntksym.precision import precision
from ntksym.symbols import x
from ntksym.verify import balls
from ntksym.verify.evaluate import function
from ntksym.verify.functions.isolated import Isolated
from ntksym.verify.functions.order import same_zero
from ntksym.verify.functions.pieces import split
from ntksym.verify.functions.steep import cut_where_steep
from ntksym.verify.law import Law, exact
from ntksym.verify.rules.twod import planar
from ntksym.verify.safe import Exhausted, allowed, in_time
from ntksym.verify.size import sizes_of

NEAR = (1, "0.999999", 1)


def test_the_time_of_one_enclosure_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balls, "_SECONDS", 0.5)
    start = time.thread_time()
    with pytest.raises(Undecided, match="digits were not reached"):
        balls.enclose_definition(parse_activation("cos(x^5)"), 1, "1/2", 1)
    assert time.thread_time() - start < 2


def test_the_least_allowance_holds() -> None:
    with allowed(-1), pytest.raises(Exhausted, match="processor time"), allowed(10):
        in_time()
    in_time()


def test_fewer_digits_are_told_where_thirty_are_too_dear() -> None:
    def attempt(bits: int, tol: Any) -> Any:
        if tol < arb(10) ** -5:
            raise Exhausted("too many nodes")
        return arb("0.25", tol)

    with pytest.raises(Undecided, match=r"best enclosure: \[0.25") as error:
        balls._refine(attempt, 30, None, lambda: "it", 1024)
    assert "too many nodes" in str(error.value)


def test_of_a_small_value_the_bound_is_told_too() -> None:
    """The loosest goal is relative to the factors: 0.0018 has no digit there, and has some at 1e-5.

    That of sin(x^2) exp(-|x|) at (181, 180, 181) was "no finite enclosure".
    """

    def attempt(bits: int, tol: Any) -> Any:
        if tol < arb(10) ** -6:
            raise Exhausted("too many nodes")
        return arb("0.0018", tol)

    with pytest.raises(Undecided, match=r"best enclosure: \[0.0018"):
        balls._refine(attempt, 30, None, lambda: "it", 1024)


def test_a_steep_function_near_correlation_one_is_cut_where_it_is_steep() -> None:
    """The two-dimensional rules against the closed form that erf has."""
    pieces = split(parse_activation("erf(1000*x)").expr)
    law = Law(*(exact(q) for q in ("0", "0", *map(str, NEAR))))
    with precision(150):
        a = 2 * arb(1000) ** 2
        expected = (a * arb(law.q12) / (1 + a)).asin() * 2 / arb.pi()
        found = planar(pieces, pieces, law, arb(10) ** -31)
        assert found.overlaps(expected) and found.rad() < arb(10) ** -29
    assert len(cut_where_steep(pieces)) == 2


@pytest.mark.parametrize("text", ["sqrt(x^2 + 1e-8)", "exp(-2/x^2)^(1/2)"])
def test_nearly_singular_functions_near_correlation_one(text: str) -> None:
    """E[s(u)s(v)] is E[s(u)^2] less (1 - rho) E[s'^2], up to the square of 1 - rho."""
    act = parse_activation(text)
    value = balls.enclose_definition(act, *NEAR)
    top, slope = (balls.enclose_definition(act, 1, 1, 1, derivative=d, digits=15) for d in (0, 1))
    assert value.rel_digits >= 30
    assert float(top.mid - value.mid) == pytest.approx(1e-6 * float(slope.mid), rel=2e-3)


def test_one_zero_found_twice_is_one_kink() -> None:
    g = parse_activation("x - cos(x)").expr
    one, two = (Isolated(g, Fraction(0), Fraction(k)) for k in (1, 2))
    other = Isolated(parse_activation("x - cos(x) + 1").expr, Fraction(-1), Fraction(2))
    with precision(128):
        assert same_zero(one, two) and not same_zero(one, other)
    pieces = split(parse_activation("abs(x - cos(x)) + sqrt(abs(x^2 - x*cos(x)))").expr)
    assert [p.hi is None or p.hi == 0 or p.hi.has(Isolated) for p in pieces] == [True] * 3


@pytest.mark.parametrize("text", ["x*exp(-10000*(x - 1)^2)", "max(x, 0)^2*exp(-1000*x^2)"])
def test_narrow_bumps_are_found_by_their_size(text: str) -> None:
    """Against the same bump of another variable, u = v/100, where it is wide."""
    act = parse_activation(text)
    wide = act.expr.subs(x, x / 100)
    for derivative in (False, True):
        one = balls.enclose_definition(act, 9, -4, "2.5", derivative=derivative)
        scale = 100**2 if derivative else 1
        two = balls.enclose_definition(wide, 90000, -40000, 25000, derivative=derivative)
        assert abs(one.mid - scale * two.mid) <= one.rad + scale * two.rad
        assert one.rel_digits >= 30


@pytest.mark.parametrize("degree", [20, 40])
def test_the_size_of_a_power_is_found_soon(degree: int) -> None:
    """max |u v|^n exp(-form/2) is at u^2 = v^2 = n (1 + rho); a size asks for no exact powers."""
    begun = time.thread_time()
    pieces = split(parse_activation(f"x^{degree} - 1").expr)
    for rho in (Fraction(1, 2), Fraction(-4, 5), Fraction(999, 1000)):
        sizes = sizes_of(pieces, pieces, Law(*map(exact, (0, 0, 1, rho, 1))))
        top = degree * (math.log(degree * (1 + abs(rho))) - 1) / math.log(10)
        assert sizes == (round(top / 2),) * 2
    assert time.thread_time() - begun < 0.5  # 40: 12 seconds with exact numbers between samples


def test_the_logarithm_of_phi_is_that_of_a_uniform_variable() -> None:
    """Phi(u) is uniform for a standard normal u: E[log] = -1 and E[log^2] = 2."""
    act = parse_activation("log(Phi(x))")
    for q12, exact_value in ((0, 1), (1, 2)):
        ball = balls.enclose_definition(act, 1, q12, 1)
        assert ball.contains(exact_value) and ball.rel_digits >= 30


@pytest.mark.parametrize("text", ["exp(x)", "exp(x) - 1", "max(exp(x), 1)"])
def test_digits_are_those_of_the_value_where_the_factors_are_far_larger(text: str) -> None:
    """E[exp(u + v)] = exp(1500), a 10^-217th of sqrt(K K): what is added to exp does not count."""
    ball = balls.enclose_definition(parse_activation(text), 1000, 500, 1000)
    assert ball.rel_digits >= 30
    with precision(200):
        assert abs(ball.to_arb() / arb(1500).exp() - 1) < arb(10) ** (
            -29 if text == "exp(x)" else -4
        )


def test_a_singular_point_a_thousand_deviations_out() -> None:
    """sqrt|x - 1| and its slope are about their Taylor polynomials at 0 where u is tiny."""
    act = parse_activation("sqrt(abs(x - 1))")
    for derivative, taylor in ((False, 1 - 1e-6 / 8), (True, -(1 + 3e-6 / 8) / 2)):
        both, one = (
            balls.enclose_definition(act, q, 0, 9, derivative=derivative).mid for q in ("1e-6", 9)
        )
        mean = float(both) / taylor
        assert mean**2 == pytest.approx(float(one), rel=1e-9)


def test_the_slope_of_log_phi_is_that_of_its_kernel() -> None:
    """Phi is 1e-5000 within reach: (K(c + h) - K(c - h))/(2h) is the mean of the slopes."""
    act, h = parse_activation("log(Phi(x))"), Fraction(1, 10**5)
    slope = balls.enclose_definition(act, 100, 60, 100, derivative=True, digits=20)
    above, below = (balls.enclose_definition(act, 100, 60 + s * h, 100, digits=20) for s in (1, -1))
    assert float((above.mid - below.mid) / (2 * h)) == pytest.approx(float(slope.mid), rel=1e-12)


@pytest.mark.parametrize(("far", "near"), [("-40", "-39.75"), ("-5", "-4"), ("-3.5", "-3.25")])
def test_boxes_of_log_phi_contain_it(far: str, near: str) -> None:
    g = parse_activation("log(Phi(x))").expr
    with precision(64):
        box = arb(far).union(arb(near))
        for e, widest in ((g, 60), (g.diff(x), 10)):
            func = function(e, x)
            wide = func(acb(box, arb("0.1").union(arb("0.2"))), True)
            assert wide.is_finite() and wide.real.rad() < widest
            for part in ((far, "0.1"), (near, "0.2")):
                assert wide.contains(func(acb(arb(part[0]), arb(part[1])), True).mid())


def test_a_factor_may_vanish_where_the_other_has_its_kink() -> None:
    """v is nearly u/2: beside the kink of s'(v) it is s'(u) that is 0."""
    act = parse_activation("max(tanh(x), -1/3)")
    near, line = (
        balls.enclose_definition(act, 2, c, "1/2", derivative=True, digits=20)
        for c in (Fraction(2**20 - 1, 2**20), 1)
    )
    assert near.rel_digits >= 20
    assert float(near.mid) == pytest.approx(float(line.mid), rel=1e-5)


@pytest.mark.parametrize("rho", ["1/2", "-999999/1000000"])
def test_principal_values_of_the_slopes_of_a_logarithm(rho: str) -> None:
    """d/dq12 E[log|u| log|v|] is asin(rho)/sqrt(det)."""
    ball = balls.enclose_definition(
        parse_activation("3 - 2*log(abs(x))"), 1, rho, 1, derivative=True, jumps="distributional"
    )
    with precision(140):
        r = arb(exact(rho))
        assert ball.to_arb().overlaps(4 * r.asin() / (1 - r * r).sqrt()) and ball.rel_digits >= 30
    with pytest.raises(Undecided, match="no finite mean"):
        balls.enclose_definition(
            parse_activation("log(abs(x))"), 1, 1, 1, derivative=True, jumps="distributional"
        )
