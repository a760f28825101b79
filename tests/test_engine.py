"""The engine on activations nobody thought of: against the definition, and against itself."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, assume, given, settings
from strategies import COVARIANCES, activations
from sympy import (
    Abs,
    Expr,
    Heaviside,
    Max,
    Min,
    Piecewise,
    Rational,
    Symbol,
    cos,
    cosh,
    erf,
    exp,
    log,
    pi,
    sin,
    sinh,
    sqrt,
    tanh,
)

from ntksym.activation import Activation
from ntksym.derivation import Derivation
from ntksym.errors import NoClosedForm, NotSquareIntegrable, NtksymError
from ntksym.exact import Field
from ntksym.functions import Phi
from ntksym.symbols import q, q11, q12, q22, x
from ntksym.terms import decompose
from ntksym.verify.balls import enclose_definition, enclose_expr
from ntksym.verify.price import prove_value

alpha = Symbol("alpha", positive=True)
b = Symbol("b", real=True)
FAST = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


def derive(e: Expr) -> Derivation:
    return Derivation.of(Activation("t", e))


def number(e: Expr, values: dict[Symbol, Rational]) -> float:
    got = complex(e.xreplace(values))
    assert abs(got.imag) < 1e-12 * max(1.0, abs(got))
    return got.real


@FAST
@given(activations(), COVARIANCES)
def test_value_and_slope_agree_with_the_definition(f: Expr, point: tuple[Rational, ...]) -> None:
    try:
        d = derive(f)
    except NoClosedForm:
        assume(False)
    at = dict(zip((q11, q12, q22), point, strict=True))
    assume(all(bool(c.subs({**at, q: max(point[0], point[2])})) for c in d.conditions))
    assert d.price_holds
    values = dict(zip((q11, q12, q22), point, strict=True))
    definition = enclose_definition(f, *point, digits=15)
    derived = enclose_expr(d.value.expr, values, digits=15)
    assert definition.overlaps(derived), (definition, derived)
    slope = enclose_definition(f, *point, digits=15, derivative=True, jumps="distributional")
    assert slope.overlaps(enclose_expr(d.dot.expr, values, digits=15))


@FAST
@given(activations())
def test_proof_closes(f: Expr) -> None:
    try:
        d = derive(f)
    except NoClosedForm:
        assume(False)
    proof = prove_value(d)
    assert proof.holds, (proof.failed, proof.obstacle)


SAME = [
    (Max(x, 0), x * Heaviside(x)),
    (Max(x, 0), (x + Abs(x)) / 2),
    (Max(x, 0), Piecewise((x, x > 0), (0, True))),
    (Abs(x), Max(x, -x)),
    (x * (1 + erf(x / sqrt(2))) / 2, x * Phi(x)),
    (Min(Max(x, -1), 1), Piecewise((-1, x < -1), (x, x < 1), (1, True))),
    (exp(-Abs(x)), Piecewise((exp(x), x < 0), (exp(-x), True))),
    (
        Max(0, x) + Min(0, alpha * (exp(x / alpha) - 1)),
        Piecewise((x, x > 0), (alpha * (exp(x / alpha) - 1), True)),
    ),
    (sinh(x), (exp(x) - exp(-x)) / 2),
    (cosh(x) ** 2, (1 + cosh(2 * x)) / 2),
    (sin(x) ** 2, (1 - cos(2 * x)) / 2),
    (sqrt(2) * sin(x + pi / 4), sin(x) + cos(x)),
]


@pytest.mark.parametrize(("f", "g"), SAME, ids=[str(f) for f, _ in SAME])
def test_one_function_one_form(f: Expr, g: Expr) -> None:
    """The same function written in two ways gives the same bytes."""
    assert str(derive(f).value.expr) == str(derive(g).value.expr)
    assert str(derive(f).dot.expr) == str(derive(g).dot.expr)


def test_waves_beside_kinks_keep_their_imaginary_parts() -> None:
    """Phi of a complex argument: the imaginary parts of all terms cancel together, not apart."""
    f = cos(x - 3) + Max(-3 * x, x)
    point = (Rational(13, 10), Rational(2, 5), Rational(7, 10))
    values = dict(zip((q11, q12, q22), point, strict=True))
    ball = enclose_expr(derive(f).value.expr, values, digits=15)
    assert ball.overlaps(enclose_definition(f, *point, digits=15))


PRINTED = [
    (
        Max(x, 0),
        "q12*asin(q12/(sqrt(q11)*sqrt(q22)))/(2*pi) + q12/4 + sqrt(q11*q22 - q12**2)/(2*pi)",
    ),
    (erf(x), "2*asin(2*q12/(sqrt(2*q11 + 1)*sqrt(2*q22 + 1)))/pi"),
    (Heaviside(x), "asin(q12/(sqrt(q11)*sqrt(q22)))/(2*pi) + 1/4"),
    (x**3, "3*q12*(3*q11*q22 + 2*q12**2)"),
    (sin(x), "exp(-q11/2 - q22/2)*sinh(q12)"),
    (exp(x), "exp(q11/2 + q12 + q22/2)"),
    (sqrt(2) * sin(sqrt(2 * alpha) * x + pi / 4), "exp(-alpha*(q11 - 2*q12 + q22))"),
    (exp(-(x**2)), "1/sqrt(-4*q12**2 + (2*q11 + 1)*(2*q22 + 1))"),
]


@pytest.mark.parametrize(("f", "text"), PRINTED, ids=[str(f) for f, _ in PRINTED])
def test_printed_form(f: Expr, text: str) -> None:
    assert str(derive(f).value.expr) == text


@pytest.mark.parametrize("n", [0, 1, 2, 5, 12, 40])
def test_monomials_of_any_degree(n: int) -> None:
    """E[u^n v^n] = sum of (n!)^2 / (2^(n-j) ((n-j)/2)!^2 j!) c^j P^((n-j)/2), Isserlis."""
    f = math.factorial
    expected = sum(
        Rational(f(n) ** 2, 2 ** (n - j) * f((n - j) // 2) ** 2 * f(j))
        * q12**j
        * (q11 * q22) ** ((n - j) // 2)
        for j in range(n % 2, n + 1, 2)
    )
    assert (derive(x**n).value.expr - expected).expand() == 0


@pytest.mark.parametrize("n", range(9))
def test_rectified_powers_follow_cho_and_saul(n: int) -> None:
    """2 pi E[relu^n relu^n] = (q11 q22)^(n/2) J_n(theta), n to 8, through the recursion in n.

    d/dq12 of the dual of relu^n is n^2 times the dual of relu^(n-1).
    """
    f = Max(x, 0) ** n if n else Heaviside(x)
    d = derive(f)
    assert d.price_holds
    if n >= 2:
        lower = derive(Max(x, 0) ** (n - 1))
        point = {q11: Rational(13, 10), q12: Rational(-2, 5), q22: Rational(7, 10)}
        assert number(d.dot.expr, point) == pytest.approx(
            n * n * number(lower.value.expr, point), rel=1e-12
        )


@pytest.mark.parametrize(
    "f", [Max(x, 0), x * Phi(x), erf(x), exp(-Abs(x)), Max(0, 1 - Abs(x))], ids=str
)
def test_degenerate_laws_are_limits(f: Expr) -> None:
    """At rho = +-1 and at zero variance the value is the limit of the generic one."""
    d = derive(f)
    for rho in (1, -1):
        near = {q11: Rational(1), q12: rho * (1 - Rational(1, 10**9)), q22: Rational(4, 4)}
        exact = number(d.at(Rational(1), Rational(rho), Rational(1)), {})
        assert number(d.value.expr, near) == pytest.approx(exact, abs=1e-7)
    near = {q11: Rational(1, 10**12), q12: Rational(0), q22: Rational(1)}
    exact = number(d.at(Rational(0), Rational(0), Rational(1)), {})
    assert number(d.value.expr, near) == pytest.approx(exact, abs=1e-5)


def test_diagonal_is_the_limit_of_the_value() -> None:
    for f in (Max(x, 0), x * Phi(x), Max(x - 1, 0), exp(-Abs(x)), sin(x)):
        d = derive(f)
        assert d.diag.expr.subs(q, 2).equals(d.at(Rational(2), Rational(2), Rational(2)))


def test_means_reduce_to_the_centred_form() -> None:
    from ntksym.symbols import m1, m2

    for f in (Max(x, 0), x * Phi(x), sin(x), exp(-(x**2))):
        general = Derivation.of(Activation("t", f), centred=False)
        assert general.price_holds
        at = {q11: Rational(13, 10), q12: Rational(2, 5), q22: Rational(7, 10)}
        assert number(
            general.value.expr, {**at, m1: Rational(0), m2: Rational(0)}
        ) == pytest.approx(number(derive(f).value.expr, at), rel=1e-12)


@pytest.mark.parametrize(
    ("f", "error", "words"),
    [
        (tanh(x), NoClosedForm, "the factor tanh(x) is not in the term algebra"),
        (log(1 + exp(x)), NoClosedForm, "the factor log(exp(x) + 1)"),
        (Phi(x) ** 2, NoClosedForm, "the probability of 4 half-spaces"),
        (exp(x**4), NotSquareIntegrable, "exp(x**4) outgrows every Gaussian"),
        (x**2 * exp(x**3), NotSquareIntegrable, "x**2*exp(x**3) outgrows every Gaussian"),
        (exp(-(x**4)), NoClosedForm, "its argument has degree more than two"),
        # a half-line, a part of a quotient: nothing is known of the whole
        (exp(-(Abs(x) ** 3)), NoClosedForm, "its argument has degree more than two"),
        (exp(-(Max(x, 0) ** 3)), NoClosedForm, "its argument has degree more than two"),
        (exp(x**4) / (1 + exp(x**4)), NoClosedForm, "its argument has degree more than two"),
        (Abs(sin(x)), NoClosedForm, "may change sign at infinitely many places"),
        (Min(Max(x, -alpha), b), NoClosedForm, "is not known"),
        (sqrt(Abs(x)), NoClosedForm, "the factor sqrt(Abs(x))"),
        (1 / (1 + x**2), NoClosedForm, "a denominator that is not an exponential"),
        (sin(x**2), NoClosedForm, "its argument is not affine"),
    ],
    ids=lambda v: str(v)[:30],
)
def test_what_is_outside_is_named(f: Expr, error: type[NtksymError], words: str) -> None:
    with pytest.raises(error) as caught:
        derive(f)
    assert words in str(caught.value)
    assert caught.value.hint


def test_a_form_that_the_field_cannot_compare_is_derived_and_not_called_proved() -> None:
    from ntksym.dual import dual
    from ntksym.verify.prove import prove
    from ntksym.verify.report import Verdict

    report = prove("max(6^x - 3/4, 0)", digits=15, points=[("1/5", "1/10", "1/4")])
    assert report.verdict is Verdict.ENCLOSED
    assert "no proof: not zero" in report.evidence[0]
    assert dual("max(6^x - 3/4, 0)").derivation is not None


def test_conditions_of_validity_are_returned() -> None:
    d = derive(exp(b * x**2))
    texts = [str(c) for c in d.conditions]
    assert "-2*b*q11 + 1 > 0" in texts and len(texts) == 3
    on_the_diagonal = d.conditions[-1].subs({q12: q11, q22: q11})
    assert on_the_diagonal.lhs.expand() == 1 - 4 * b * q11
    assert derive(exp(-alpha * x**2)).conditions == ()


@FAST
@given(activations())
def test_decomposition_equals_the_activation_off_its_kinks(f: Expr) -> None:
    field = Field()
    terms = decompose(f, field)
    for place in (Rational(-17, 7), Rational(-3, 11), Rational(5, 13), Rational(29, 9)):
        want, got = complex(f.subs(x, place)), complex(terms.expr.subs(x, place))
        assert got == pytest.approx(want, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "f",
    [
        Max(exp(x) - 2, 0),
        Abs(exp(-x) - Rational(1, 2)),
        Max(3 * exp(x / 2) - 1, 0),
        Max(x**3 - x - 1, 0),
    ],
    ids=str,
)
def test_a_kink_at_a_logarithm_or_a_root_is_no_jump(f: Expr) -> None:
    """exp(log 2) - 2 and r**3 - r - 1 at its root are zero, exactly."""
    d = derive(f)
    assert not d.jumps
    assert d.price_holds
    assert prove_value(d).holds
