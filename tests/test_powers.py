"""Real powers: an independent quadrature, the term algebra at whole powers, proofs, code.

The oracle is mpmath's quadrature over the angle, from the definition in polar coordinates, with the
rows of every case written by hand; it shares nothing with the library.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from power_cases import CASES, HALF, PLUS, POINTS, REAL, SYMBOLIC, A, P, S, act, derivation, oracle
from sympy import (
    Abs,
    Expr,
    Heaviside,
    Max,
    Min,
    Piecewise,
    Rational,
    exp,
    gamma,
    hyper,
    log,
    nan,
    oo,
    pi,
    sign,
    sqrt,
)

import ntksym
from ntksym.derivation import Derivation
from ntksym.dual import dual
from ntksym.errors import NoClosedForm, NotSquareIntegrable, Undecided
from ntksym.powers import PowerSum, expect, pairs, prove_powers, recognise
from ntksym.powers.gammas import GammaProduct
from ntksym.symbols import q, q11, q12, q22, x
from ntksym.verify.balls import enclose_definition, enclose_expr
from ntksym.verify.report import Verdict

# -- recognise -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expr", "right", "left"),
    [
        (Abs(x) ** P, {P: 1}, {P: 1}),
        (x * sqrt(Abs(x)), {Rational(3, 2): 1}, {Rational(3, 2): -1}),
        (Max(0, 2 * x) ** P, {P: 2**P}, {}),
        (Min(x, 0) ** 2 * Abs(x) ** P, {}, {P + 2: 1}),
        (Piecewise((x**P, x > 0), (3 * (-x) ** S, True)), {P: 1}, {S: 3}),
        (Max(x, -x / 4) ** HALF, {HALF: 1}, {HALF: HALF}),
        (
            (sqrt(Abs(x)) + x) ** 2,
            {1: 1, Rational(3, 2): 2, 2: 1},
            {1: 1, Rational(3, 2): -2, 2: 1},
        ),
        (Heaviside(x) * sqrt(Abs(x)) + 5, {0: 5, HALF: 1}, {0: 5}),
        (abs(sign(x) * Abs(x) ** P), {P: 1}, {P: 1}),
    ],
)
def test_recognised(expr: Expr, right: dict[Any, Any], left: dict[Any, Any]) -> None:
    found = recognise(expr)
    assert isinstance(found, PowerSum)
    assert (dict(found.right), dict(found.left)) == (right, left)


@pytest.mark.parametrize(
    "expr",
    [
        exp(-(x**2)) * sqrt(Abs(x)),
        sqrt(PLUS) + Max(x - 1, 0),
        Max(sqrt(Abs(x)), Abs(x)),
        Abs(A * x + 1) ** P,
        (A * PLUS) ** P,
        log(Abs(x)),
        PLUS**A,
        Piecewise((sqrt(Abs(x)), x > 1), (0, True)),
    ],
)
def test_not_recognised(expr: Expr) -> None:
    assert recognise(expr) is None


# -- values ----------------------------------------------------------------------------------


@pytest.mark.parametrize("point", POINTS, ids=str)
@pytest.mark.parametrize("name", CASES)
def test_values_against_quadrature(name: str, point: tuple[Any, Any, Any]) -> None:
    expr, rows = CASES[name]
    expected = oracle(rows, point)
    values = dict(zip((q11, q12, q22), point, strict=True))
    derived = enclose_expr(dual(act(expr)).value, values, digits=18)
    assert abs(float(derived.mid) - float(expected)) <= 1e-13 * abs(float(expected))


@pytest.mark.parametrize("point", POINTS, ids=str)
@pytest.mark.parametrize("name", [n for n in CASES if n != "singular"])
def test_derivative_against_the_enclosed_definition(name: str, point: tuple[Any, Any, Any]) -> None:
    d = dual(act(CASES[name][0]))
    values = dict(zip((q11, q12, q22), point, strict=True))
    for jumps, form in (("distributional", d.dot), ("ae", d.dot_ae)):
        ball = enclose_definition(d.activation, *point, derivative=True, jumps=jumps)
        assert ball.rel_digits >= 30
        assert ball.overlaps(enclose_expr(form, values))


@pytest.mark.parametrize("n", range(5))
@pytest.mark.parametrize("family", ["even", "odd", "half"])
def test_whole_powers_agree_with_the_term_algebra(n: int, family: str) -> None:
    """The same function by both routes, as 30-digit balls; |x|^n, sgn(x)|x|^n, x_+^n."""
    expr = {"even": Abs(x) ** n, "odd": sign(x) * Abs(x) ** n, "half": Heaviside(x) * x**n}[family]
    algebra, powers = Derivation.of(act(expr)), derivation(expr)
    for a, c, b in POINTS:
        values = {q11: a, q12: c, q22: b, q: a}
        for one, two in (
            (algebra.value.expr, powers.value),
            (algebra.dot.expr, powers.dot),
            (algebra.diag.expr, powers.diag),
        ):
            first, second = (enclose_expr(e, values) for e in (one, two))
            assert first.overlaps(second) and second.rad * 10**28 <= 1


def test_half_integer_powers_one_apart_are_elementary() -> None:
    found = dual(act(sqrt(PLUS) + PLUS ** Rational(3, 2)))
    cross = pairs.half(HALF, Rational(3, 2))
    assert not cross.has(hyper) and found.value.has(hyper)
    assert not pairs.half(HALF, Rational(7, 2)).has(hyper)


def test_the_formula_of_the_arc_cosine_kernel() -> None:
    """Cho & Saul 2009: at rho = 1 and p = 1 the rectified power is half the variance."""
    assert enclose_expr(pairs.half(Rational(1), Rational(1)), {q11: 2, q12: 2, q22: 2}).contains(1)


def test_conditions_and_infinities() -> None:
    assert dual(act(Abs(x) ** REAL)).conditions == (REAL > -HALF, REAL > HALF)
    assert dual(act(Abs(x) ** P)).conditions == (P > HALF,)
    assert dual(act(Abs(x) ** P)).slope_conditions == (P > HALF,)
    assert dual(act(PLUS ** Rational(3, 2))).conditions == ()
    rough = dual(act(sqrt(Abs(x))))
    assert rough.diag_dot == rough.diag_dot_ae == oo and rough.dot == rough.dot_ae
    jump = dual(act(CASES["jump"][0]))
    assert jump.diag_dot == oo and jump.diag_dot_ae != oo and jump.dot != jump.dot_ae
    assert dual(act(CASES["singular"][0])).dot_ae is nan


@pytest.mark.parametrize("power", [-HALF, Rational(-3, 4), Rational(-5, 2)])
def test_powers_that_are_not_square_integrable(power: Rational) -> None:
    with pytest.raises(NotSquareIntegrable, match="infinite for every variance") as error:
        dual(act(Abs(x) ** power))
    assert "a power above -1/2" in str(error.value)


def test_no_means() -> None:
    with pytest.raises(NoClosedForm, match="means that are not 0"):
        dual(act(sqrt(PLUS)), mean=True)


@pytest.mark.parametrize("name", [n for n in CASES if n != "singular"])
def test_degenerate_covariances(name: str) -> None:
    """On the line u = k v, and at variance zero: the exact form against the definition."""
    d = dual(act(CASES[name][0]))
    for point in ((2, 2, 2), (1, -2, 4), (0, 0, 3), (0, 0, 0)):
        ball = enclose_definition(d.activation, *point, digits=20)
        assert ball.overlaps(enclose_expr(d.at(*point), {}, digits=20))


def test_steps_name_every_pair() -> None:
    steps = dual(act(CASES["mixed"][0])).steps
    assert [s.rule for s in steps][:1] == ["half-lines"]
    assert sum(s.rule == "mehler + 2F1" for s in steps) == len(derivation(CASES["mixed"][0]).parts)
    assert all(s.before and s.after for s in steps)


# -- proofs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("expr", [*SYMBOLIC.values(), *(e for e, _ in CASES.values())], ids=str)
def test_every_zero_test_closes(expr: Expr) -> None:
    proof = prove_powers(derivation(expr))
    assert proof.holds and len(proof.lines) >= 6, proof.failed


@pytest.mark.parametrize(
    ("function", "wrong"),
    [
        ("even_constant", lambda p, k: 2 * pairs.moment(p) * pairs.moment(k)),
        ("even_parameters", lambda p, k: (-p / 2, -k / 2, Rational(3, 2))),
        ("odd_parameters", lambda p, k: (-p / 2, (1 - k) / 2, Rational(3, 2))),
        ("odd_constant", lambda p, k: gamma(p / 2 + 1) * gamma(k / 2 + 1) / pi),
        ("half_constant", lambda p, k: gamma(1 + p) * gamma(1 + k) / sqrt(pi)),
        ("half_exponent", lambda p, k: (p + k) / 2),
        ("half_parameters", lambda p, k: (HALF, HALF, (5 + p + k) / 2)),
        ("half_slope_constant", lambda p, k: gamma(1 + p) * gamma(1 + k)),
    ],
)
def test_wrong_formulas_are_not_proved(
    function: str, wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, function, wrong)
    proofs = [prove_powers(derivation(e)) for e in SYMBOLIC.values()]
    assert any(not proof.holds for proof in proofs)


def test_gamma_products() -> None:
    one = GammaProduct.of(gamma(P + Rational(5, 2)) * 2 ** (P + 1) / pi)
    two = GammaProduct.of((P + Rational(3, 2)) * gamma(P + Rational(3, 2)) * 2**P * 2 / pi)
    assert one.equals(two)
    assert not one.equals(GammaProduct.of(gamma(P + Rational(3, 2)) * 2**P * 2 / pi))
    assert GammaProduct.of(gamma(Rational(-1, 3))).equals(
        GammaProduct.of(-3 * gamma(Rational(2, 3)))
    )


@pytest.mark.parametrize("name", ["abs", "two sided"])
def test_prove_gives_proved(name: str) -> None:
    report = ntksym.prove(act(SYMBOLIC[name]), points=POINTS)
    assert report.verdict is Verdict.PROVED
    assert "zero tests, all zero" in report.evidence[0]
    assert all(c.agree for c in report.comparisons)


@pytest.mark.parametrize("slope", [False, True])
def test_two_functions(slope: bool) -> None:
    """E[f(u) g(v)] for f != g, against the enclosed definition; sqrt(3/2 apart) are elementary."""
    f, g = sqrt(PLUS) + 2 * sign(x), Abs(x) ** Rational(3, 2) - x
    for point in POINTS:
        for jumps in ("ae", "distributional"):
            found = expect(f, g, slope=slope, jumps=jumps)
            assert found is not None and found.proof.holds and not found.value.has(hyper)
            values = dict(zip((q11, q12, q22), point, strict=True))
            ball = enclose_definition(f, *point, other=g, derivative=slope, jumps=jumps)
            assert ball.rel_digits >= 30 and ball.overlaps(enclose_expr(found.value, values))
    assert expect(f, exp(-(x**2))) is None and expect(1 / x, x) is None


def test_the_hint_for_powers_of_any_sign() -> None:
    with pytest.raises(NoClosedForm, match="exponents of any sign") as error:
        dual(act(PLUS**REAL))
    assert "--param p=positive, or a number" in str(error.value)


# -- definition ------------------------------------------------------------------------------


def test_a_power_that_is_not_integrable_is_undecided() -> None:
    with pytest.raises(Undecided, match=r"\|x\|\*\*\(-5/4\) is not integrable at 0"):
        enclose_definition(Abs(x) ** Rational(-1, 4), 1, "0.5", 1, derivative=True)


def test_an_infinite_expectation_is_undecided() -> None:
    with pytest.raises(Undecided):
        enclose_definition(sqrt(Abs(x)), 1, 1, 1, derivative=True)


def test_singular_functions_with_means_agree_with_the_gamma_integral() -> None:
    """There |x|^-a = int t^(a/2-1) exp(-t x^2) dt / Gamma(a/2), and E of the product is known."""
    ball = enclose_definition(Abs(x) ** Rational(-1, 4), 1, "0.5", 1, means=(1, 1))
    step = 0.25  # a smooth integrand in log t: the trapezoidal rule converges geometrically
    t = np.exp(np.arange(-320, 110, step))
    first, second = t[:, None], t[None, :]
    det = (1 + 2 * first) * (1 + 2 * second) - first * second
    slope = (first * (1 + second) + second * (1 + first)) / det  # m' D (I + 2 S D)^-1 m
    values = np.exp(-slope) / np.sqrt(det) * (first * second) ** 0.125
    expected = float(values.sum()) * step**2 / math.gamma(1 / 8) ** 2
    assert ball.rad < Fraction(1, 10**20)
    assert abs(float(ball.mid) - expected) < 1e-13
