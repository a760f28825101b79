"""Hermite series: coefficients against their definition, bounds that hold, errors that are caught."""

from __future__ import annotations

import math
from fractions import Fraction
from time import thread_time

import mpmath
import pytest
import sympy as sp
from flint import arb

from ntksym.activations import catalogue
from ntksym.errors import BadCovariance, NoClosedForm, NotSquareIntegrable, Undecided
from ntksym.language import as_activation
from ntksym.numeric.patience import TooLong, at_most, foresee
from ntksym.numeric.series import dual as series
from ntksym.numeric.series.closed import N, general_term, generating_function, orthonormal
from ntksym.numeric.series.cosines import cells, interpolate, points
from ntksym.numeric.series.enclosed import (
    coefficients,
    rest_of,
)
from ntksym.numeric.series.recurrence import Node, hermite_sums
from ntksym.numeric.series.sweep import sweep
from ntksym.precision import precision
from ntksym.symbols import q, q11, q12, q22
from ntksym.verify.ball import Ball
from ntksym.verify.balls import enclose_definition, enclose_expr

MP = mpmath.mp.clone()
MP.dps = 20


def quadrature(func, cuts, variance, n):
    """a_n from its definition: mpmath's own Hermite polynomials and its own quadrature."""
    dev = MP.sqrt(variance)
    norm = MP.sqrt(MP.mpf(2) ** n * MP.factorial(n))
    ends = sorted({-13, -7, -3, -1, 0, 1, 3, 7, 13, *(c / dev for c in cuts)})
    ends = [e for e in ends if abs(e) <= 13]

    def integrand(z):
        return func(dev * z) * MP.hermite(n, z / MP.sqrt(2)) / norm * MP.npdf(z)

    return MP.quad(integrand, ends)


ORACLES = {
    "tanh": (MP.tanh, ()),
    "mish": (lambda t: t * MP.tanh(MP.log1p(MP.exp(t))), ()),
    "hardtanh": (lambda t: min(max(t, -1), 1), (-1, 1)),
    "relu6": (lambda t: min(max(t, 0), 6), (6,)),
    "softsign": (lambda t: t / (1 + abs(t)), ()),
    "abs_gaussian": (lambda t: abs(t) * MP.exp(-t * t / 2), ()),
}


@pytest.mark.parametrize("name", ORACLES)
def test_coefficients_are_those_of_the_definition(name: str) -> None:
    func, cuts = ORACLES[name]
    act = as_activation(name)
    for variance in (Fraction(9, 2),):
        values = coefficients(act, variance, 20, bits=80).values
        for n in (0, 1, 2, 9):
            truth = quadrature(func, cuts, MP.mpf(variance.numerator) / variance.denominator, n)
            assert abs(float(values[n].mid()) - truth) < 1e-13, (name, n)
            assert values[n].rad() < arb(2) ** -72


@pytest.mark.parametrize("x", ["0", "0.3", "5", "12.7", "21"])
def test_recurrence_is_enclosed_far_beyond_where_balls_fail(x: str) -> None:
    """Every order, one node: y_n(x) against mpmath at 400 digits."""
    with precision(160):
        at = arb(x).mid()
        sums = hermite_sums((Node(at, arb(1), arb(1)),), 700, 100)
    high = mpmath.mp.clone()
    high.dps = 400
    man, exp = (int(v) for v in at.man_exp())
    z = high.mpf(man) * high.mpf(2) ** exp
    before, now = high.mpf(0), high.exp(-z * z / 4)
    for n in range(700):
        ball = Ball.from_arb(sums[n])
        gap = abs(high.mpf(ball.mid.numerator) / ball.mid.denominator - now)
        assert gap <= float(ball.rad), n
        assert ball.rad < Fraction(1, 2**95)
        before, now = now, (z * now - high.sqrt(n) * before) / high.sqrt(n + 1)


def test_parseval_and_a_planted_error() -> None:
    found = coefficients(as_activation("gelu_tanh"), 2, 40, bits=90)
    total = found.rest + sum((a * a for a in found.values), arb(0))
    assert total.overlaps(found.second)
    assert 0 < found.rest.upper() < arb(10) ** -7
    more = coefficients(as_activation("gelu_tanh"), 2, 60, bits=90)
    assert more.rest.upper() < found.rest.upper()
    wrong = list(found.values)
    wrong[3] = wrong[1] * 2
    with pytest.raises(Undecided, match="exceeds the second moment"):
        rest_of(found.second, tuple(wrong))


def test_what_is_left_covers_the_terms_that_were_left() -> None:
    act = as_activation("hardswish")
    few, many = coefficients(act, 1, 10).rest, coefficients(act, 1, 200).values
    later = sum((a * a for a in many[10:]), arb(0))
    assert later < few.upper() * (1 + arb(2) ** -60)
    assert later > few.lower() * 0.99


def values_of(act):
    return {p.name: ("2" if p.name == "n" else "1/2") for p in act.params}


SLOW = {"abs_gaussian", "laplace", "one_sided_exponential", "scaled_elu", "celu", "elu", "selu"}


@pytest.mark.parametrize("act", catalogue(), ids=lambda a: a.name)
def test_closed_forms_are_in_the_balls(act) -> None:
    given = {"b": "-1/2"} if act.name == "gaussian_b" else values_of(act)
    act = act.with_params(**given)
    orders = (0, 1, 2, 3, 4) if act.name in SLOW else (0, 1, 2, 3, 4, 7)
    try:
        g = generating_function(act)
    except NoClosedForm:
        return  # no closed form: the balls are all there is
    balls = [Ball.from_arb(a) for a in coefficients(act, "3/2", 8, bits=70).values]
    term = general_term(g)
    for n in orders:
        exact = enclose_expr(orthonormal(g.derivative(n), n), {q: Fraction(3, 2)}, digits=15)
        assert exact.overlaps(balls[n]), (n, exact, balls[n])
        if term is not None and n >= term.start:
            one = orthonormal(term.formula, N).subs(N, n).doit()
            assert enclose_expr(one, {q: Fraction(3, 2)}, digits=15).overlaps(balls[n]), n


def test_a_wrong_closed_form_would_be_seen() -> None:
    g = generating_function(as_activation("relu"))
    ball = Ball.from_arb(coefficients(as_activation("relu"), 1, 3).values[2])
    wrong = orthonormal(-g.derivative(2), 2)
    assert not enclose_expr(wrong, {q: Fraction(1)}, digits=15).overlaps(ball)


def test_hermite_at_zero_for_symbolic_order() -> None:
    term = general_term(generating_function(as_activation("sign")))
    assert term is not None
    for n in (1, 2, 3, 4, 5, 9):
        want = 2 * sp.hermite_prob(n - 1, 0) / sp.sqrt(2 * sp.pi) / q ** sp.Rational(n, 2)
        assert sp.expand(term.formula.subs(N, n) - want) == 0


def test_value_is_a_sum_with_a_symbolic_index() -> None:
    d = series.series_dual("relu", terms=8)
    assert d.exact and d.value.has(sp.Sum) and d.value.has(sp.oo)
    finite = d.value.subs(sp.oo, 40).doit().subs({q11: 2, q12: sp.Rational(1, 2), q22: 1})
    truth = enclose_definition(as_activation("relu"), 2, "1/2", 1, digits=15)
    assert abs(float(finite) - float(truth.mid)) < 1e-13
    slope = d.dot.subs(sp.oo, 40).doit().subs({q11: 2, q12: sp.Rational(1, 2), q22: 1})
    truth = enclose_definition(as_activation("relu"), 2, "1/2", 1, digits=15, derivative=True)
    assert abs(float(slope) - float(truth.mid)) < 1e-13
    assert "sum" in d._repr_latex_() and d.steps


def test_a_polynomial_has_finitely_many_terms() -> None:
    d = series.series_dual("x^3 - x", terms=4)
    assert not d.value.has(sp.Sum)
    got = enclose_expr(d.value, {q11: 2, q12: 1, q22: 3}, digits=20)
    assert got.overlaps(enclose_definition(as_activation("x^3 - x"), 2, 1, 3, digits=20))


def test_without_a_closed_form_the_sum_is_named() -> None:
    d = series.series_dual("tanh", terms=6)
    assert not d.exact and d.value.has(sp.Sum)
    assert r"a_{n}\left(q_{11}\right)" in sp.latex(d.value)
    numbers = d.numbers(1)
    assert len(numbers) == 6 and numbers[1].rel_digits > 30
    assert str(d.coefficient(3)) == "a(3, q)"


@pytest.mark.parametrize("name", ["tanh", "elu(x, 1)", "softsign", "mish"])
def test_series_and_definition_are_enclosed_together(name: str) -> None:
    act = as_activation(name)
    d = series.series_dual(act, terms=40)
    for derivative in (False, True):
        ball = d.enclose(1, "-2/5", "3/2", digits=10, derivative=derivative)
        truth = enclose_definition(act, 1, "-2/5", "3/2", digits=10, derivative=derivative)
        assert ball.rel_digits >= 10 and ball.overlaps(truth)


@pytest.mark.parametrize("text", ["log(abs(x))", "abs(x)^(-1/4)", "sign(x)*abs(x)^(1/3)"])
def test_singular_functions_have_exact_coefficients(text: str) -> None:
    act = as_activation(text)
    ball = series.series_dual(act, terms=40).enclose(1, "1/2", 2, digits=10)
    assert ball.overlaps(enclose_definition(act, 1, "1/2", 2, digits=10))
    values = coefficients(act, 2, 6, bits=80).values
    dev = MP.sqrt(2)
    func = {"l": lambda t: MP.log(abs(t)), "a": lambda t: abs(t) ** -0.25}.get(text[0])
    if func is None:
        return
    for n in (0, 2, 4):
        norm = MP.sqrt(MP.mpf(2) ** n * MP.factorial(n))
        cuts = [-13, -3, -0.5, -1e-3, -1e-9, 0, 1e-9, 1e-3, 0.5, 3, 13]
        truth = MP.quad(
            lambda z, n=n, norm=norm: (
                func(dev * z) * MP.hermite(n, z / dev) / norm * MP.npdf(z) if z else 0
            ),
            cuts,
        )
        assert abs(float(values[n].mid()) - truth) < 1e-6


def test_degenerate_covariances() -> None:
    d = series.series_dual("sigmoid", terms=40)
    act = as_activation("sigmoid")
    for point in ((1, 0, 2), (0, 0, 2), (0, 0, 0), (1, 1, 1), (4, -2, 1)):
        assert d.enclose(*point, digits=9).overlaps(enclose_definition(act, *point, digits=9))
    with pytest.raises(Undecided, match="above 0"):
        d.enclose(0, 0, 1, derivative=True)
    with pytest.raises(BadCovariance):
        d.enclose(1, 2, 1)


def test_tail_bound_holds_where_it_is_worst_and_is_not_idle() -> None:
    for name, terms in (("relu", 30), ("tanh", 21), ("hardtanh", 21)):
        act = as_activation(name)
        values = coefficients(act, 1, terms, bits=80).values
        bound = series.series_dual(act, terms=terms).truncation(1, (1, 1))
        truth = enclose_definition(act, 1, 1, 1, digits=18).to_arb()
        slope = enclose_definition(act, 1, 1, 1, digits=18, derivative=True).to_arb()
        with precision(160):
            gap = truth - sum((a * a for a in values), arb(0))
            assert gap.lower() <= bound.value < 1.0001 * float(gap)
            gap = slope - sum((n * a * a for n, a in enumerate(values)), arb(0))
            assert gap.lower() <= bound.dot < 1.0001 * float(gap)


def test_a_range_bounds_every_variance_in_it() -> None:
    d = series.series_dual("hardtanh", terms=16)
    wide = d.truncation("9/10", (1, "5/4"))
    for variance in ("1", "17/16", "9/8", "5/4"):
        here = d.truncation("9/10", (variance, variance))
        assert here.value <= wide.value and here.dot <= wide.dot
        assert here.value_relative <= wide.value_relative * (1 + 1e-9)
        assert here.dot_relative <= wide.dot_relative * (1 + 1e-9)
    assert wide.value < 1.2 * d.truncation("9/10", ("5/4", "5/4")).value
    assert "16 terms" in str(wide) and "proven" in str(wide)


def test_a_jump_has_a_derivative_series_below_correlation_one() -> None:
    d = series.series_dual("sign", terms=30)
    assert d.truncation(1, (1, 1)).dot == math.inf
    ball = d.enclose(1, "1/2", 1, derivative=True, digits=12)
    truth = 2 / (sp.pi * sp.sqrt(1 - sp.Rational(1, 4)))
    assert ball.overlaps(enclose_expr(truth, {}, digits=20))


def test_terms_are_chosen_for_an_error() -> None:
    d = series.series_dual("silu", error=1e-8)
    bound = d.truncation(1, (1, 1))
    assert max(bound.value_relative, bound.dot_relative) <= 1e-8
    fewer = d.truncation(1, (1, 1), terms=d.terms - 2)
    assert max(fewer.value_relative, fewer.dot_relative) > 1e-8


def test_hopeless_is_said_with_the_best_bound() -> None:
    with pytest.raises(Undecided) as caught:
        series.series_dual("relu", error=1e-10)
    text = caught.value.text
    assert "does not reach a relative error of 1e-10 for |rho| <= 1" in text
    assert "best bound with at most 4096 terms" in text and "rho_max" in text
    with pytest.raises(Undecided, match="best enclosure"):
        series.series_dual("relu", terms=30).enclose(1, 1, 1, digits=15)


def test_bad_input() -> None:
    with pytest.raises(Undecided, match="infinite at a point"):
        series.series_dual("log(abs(x))", terms=4).truncation("1/2", (1, 2))
    with pytest.raises(BadCovariance):
        coefficients(as_activation("tanh"), -1, 3)
    with pytest.raises(BadCovariance):
        coefficients(as_activation("tanh"), 0.1, 3)
    with pytest.raises(NotSquareIntegrable):
        coefficients(as_activation("exp(x^2/3)"), 1, 3)
    with pytest.raises(BadCovariance):
        series.series_dual("tanh", terms=4).truncation(2, (1, 1))
    with pytest.raises(BadCovariance):
        series.series_dual("tanh", terms=4).truncation(1, (0, 1))


def test_polynomials_in_log_q_stay_in_their_error() -> None:
    for name in ("hardtanh", "tanh"):
        expr = as_activation(name).expr
        s = sweep(expr, Fraction(1), Fraction(5, 4), 12, 50)
        assert s.error < arb(2) ** -48
        with precision(128):
            for variance in (Fraction(1), Fraction(5, 4), Fraction(101, 97)):
                at = (arb(variance.numerator) / variance.denominator).log()
                t = 2 * at / (arb(5) / 4).log() - 1
                basis = [arb(1), t]
                while len(basis) < len(s.second):
                    basis.append(2 * t * basis[-1] - basis[-2])
                for n, a in enumerate(coefficients(expr, variance, 12, bits=90).values):
                    p = sum((c * b for c, b in zip(s.rows[n], basis, strict=True)), arb(0))
                    assert abs(p.mid() - a) < s.error + arb(2) ** -60


def test_cells_cover_a_polynomial() -> None:
    with precision(100):
        columns = [(t**5 - t, t * t) for t in points(7)]
        first, _ = interpolate(columns)
        found = cells(first, 20)
        for k in range(200):
            theta = arb.pi() * k / 200
            value = theta.cos() ** 5 - theta.cos()
            low, high = found.lower[k // 10], found.upper[k // 10]
            assert low <= value.upper() and value.lower() <= high
        assert max(float(h - low) for low, h in zip(found.lower, found.upper, strict=True)) < 0.5


def test_a_sweep_that_takes_too_long_is_given_up_at_once() -> None:
    """After the coefficients of one variance, not when the time is over; without a limit never."""
    expr = as_activation("x*exp(-exp(x))").expr
    begin = thread_time()
    with at_most(3.0), pytest.raises(TooLong, match=r"about \d+ s of one core, not 3 s"):
        sweep(expr, Fraction(1, 4), Fraction(4), 64)
    assert thread_time() - begin < 2.0
    foresee(begin - 1e6, 1, 1000)
