"""Thirty digits for activations that nobody listed, against other routes to the same numbers."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import pytest
import sympy as sp
from flint import arb

from ntksym.errors import BadActivation, Undecided
from ntksym.functions import Phi
from ntksym.language import parse_activation
from ntksym.precision import precision
from ntksym.symbols import x
from ntksym.verify.ball import Ball
from ntksym.verify.balls import enclose_definition
from ntksym.verify.functions.ends import gathered
from ntksym.verify.functions.pieces import Piece, jumps, split
from ntksym.verify.law import Law, exact
from ntksym.verify.rules.mehler import mehler
from ntksym.verify.rules.odd import odd

sys.path.insert(0, str(Path(__file__).parents[1] / "codegen" / "bench"))
import enclosures

POINT = ("1.3", "0.4", "0.7")
NEAR = ("1", "0.999999", "1")

UNUSUAL = (
    "x*exp(-abs(x))",
    "log(cosh(x))",
    "sqrt(1 + x^2) - 1",
    "x/sqrt(1 + x^2)",
    "sin(x)/x",
    "x/(exp(x) - 1)",
    "(1 - cos(x))/x^2",
    "exp(sin(x))",
    "max(x, 0)*tanh(x)",
    "min(max(x, 0), tanh(x))",
    "max(x, cos(x))",
    "abs(x^3 - x - 1)",
    "x*tanh(gelu(x))",
    "x*tanh(exp(x))",
    "1 - exp(-exp(x))",
    "x*(1 + exp(-2*x))^(-3/2)",
    "tan(tanh(x))",
    "x/(x/2 + exp(-x/3))",
    "sqrt(abs(x))*tanh(x)",
    "sqrt(abs(x^2 - 2))*exp(-x^2)",
    "x*log(abs(x))",
    "max(sin(2*x + 1), 0)*tanh(x)",
    "piecewise((0, x <= -1), ((x + 1)^2/4, x < 1), (x, True))",
    "piecewise((sin(x)/x, abs(x) > 0), (1, True))",
)


def enclosed(
    text: str, point: tuple[str, str, str], digits: int = 30, derivative: bool = False
) -> Ball:
    """The ball, checked to be as narrow as asked."""
    ball = enclose_definition(parse_activation(text), *point, digits=digits, derivative=derivative)
    assert ball.rel_digits >= digits or ball.rad * 10 ** (digits + 15) <= 1
    return ball


@pytest.mark.parametrize("text", UNUSUAL)
def test_a_plain_sum_agrees(text: str) -> None:
    """A Riemann sum in doubles knows nothing of strips, panels, isolated kinks or quotients."""
    import numpy as np

    expr = parse_activation(text).expr.replace(
        lambda e: isinstance(e, Phi), lambda e: sp.erfc(-e.args[0] / sp.sqrt(2)) / 2
    )
    func = np.vectorize(sp.lambdify(x, expr, "math"), otypes=[float])
    a, c, b = (float(Fraction(z)) for z in POINT)
    step = 0.0125
    t = (np.arange(-800, 800) + 0.37) * step  # no node at zero
    left, weight = func(np.sqrt(a) * t), np.exp(-(t**2) / 2)
    r = c / np.sqrt(a * b)
    right, band = func(np.sqrt(b) * t), np.exp(-((t[:, None] - r * t) ** 2) / (2 * (1 - r * r)))
    total = (left * weight) @ band.T @ right * step**2 / (2 * np.pi * np.sqrt(1 - r * r))
    assert total == pytest.approx(float(enclosed(text, POINT).mid), rel=2e-4)


def test_sinc_is_the_mean_of_cosines() -> None:
    """sin(x)/x is the mean of cos(t x) over t in [0, 1], so its dual is a known double integral."""
    import mpmath

    a, c, b = (float(Fraction(z)) for z in POINT)

    def dual(s: float, t: float) -> float:
        up = mpmath.exp(-(s * s * a + t * t * b - 2 * s * t * c) / 2)
        return (up + mpmath.exp(-(s * s * a + t * t * b + 2 * s * t * c) / 2)) / 2

    expected = mpmath.quad(dual, [0, 1], [0, 1])
    for text in ("sin(x)/x", "piecewise((sin(x)/x, abs(x) > 0), (1, True))"):
        assert float(enclosed(text, POINT).mid) == pytest.approx(float(expected), rel=1e-13)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("min(max(x, 0), tanh(x))", "tanh(x)"),
        ("tanh(x)*(1 + exp(-2*x))", "1 - exp(-2*x)"),
        ("x/(exp(x) - 1) + x/2", "x*cosh(x/2)/(2*sinh(x/2))"),
        ("(1 - cos(x))/x^2", "(sin(x/2)/x)^2*2"),
        ("(x^3 - 1)/(x - 1)", "x^2 + x + 1"),
        ("abs(x^2*(x - 1/3))", "x^2*abs(x - 1/3)"),
    ],
)
@pytest.mark.parametrize("derivative", [False, True])
def test_equal_functions_have_overlapping_balls(one: str, other: str, derivative: bool) -> None:
    for point in (POINT, NEAR):
        first = enclosed(one, point, derivative=derivative)
        assert first.overlaps(enclosed(other, point, derivative=derivative))


@pytest.mark.parametrize("text", ["tanh", "mish", "gelu_tanh", "softsign", "x*exp(-abs(x))"])
def test_rules_overlap_where_they_meet(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Near correlation one: short Gauss-Hermite rules against long Gauss-Legendre ones."""
    from ntksym.verify.rules import tensor

    point = ("1", "0.999", "1")
    short = enclosed(text, point)
    with monkeypatch.context() as patch:
        patch.setattr(tensor, "_few", lambda *_: None)
        assert short.overlaps(enclosed(text, point, digits=20))
    assert short.rel_digits > 30


def test_hermite_rule_has_the_moments() -> None:
    from flint import arb

    from ntksym.precision import precision
    from ntksym.verify.rules import hermite

    with precision(160):
        for n in (2, 5, 11, 24):
            moment = arb(1)
            for k in range(n):
                total = sum((w * z ** (2 * k) if k else w for z, w in hermite.nodes(n)), arb(0))
                assert total.overlaps(moment) and float(total.rad()) < 1e-20 * float(moment.mid())
                moment = moment * (2 * k + 1)


def test_hermite_error_is_a_bound() -> None:
    """exp(z/R) is at most e on |z| <= R, and E exp(Z/R) = exp(1/(2 R^2))."""
    from flint import arb

    from ntksym.precision import precision
    from ntksym.verify.rules import hermite

    with precision(256):
        for radius in (30, 100, 1000):
            found = hermite.fewest(arb(1).exp(), arb(radius), arb(14), arb("1e-30"))
            assert found is not None
            n, error = found
            rule = sum((w * (z / radius).exp() for z, w in hermite.nodes(n)), arb(0))
            gap = abs(rule - (1 / (2 * arb(radius) ** 2)).exp())
            assert gap < error < arb("1e-30")
            shorter = sum((w * (z / radius).exp() for z, w in hermite.nodes(n - 2)), arb(0))
            assert abs(shorter - (1 / (2 * arb(radius) ** 2)).exp()) > gap


def test_kinks_are_found() -> None:
    def kinks(text: str) -> list[float]:
        pieces = split(parse_activation(text).expr)
        return [float(p.ends()[1].mid()) for p in pieces[:-1]]

    assert kinks("max(x, cos(x))") == pytest.approx([0.7390851332151607], rel=1e-15)
    assert kinks("min(max(x, 0), tanh(x))") == []  # it is tanh
    assert kinks("abs(x^3 - x - 1)") == pytest.approx([1.324717957244746], rel=1e-15)
    assert kinks("max(x*exp(-x^2), 1/10)") == pytest.approx([0.10103, 1.67963], rel=1e-3)
    assert kinks("abs(x^2*tanh(x) - x)")[1] == 0.0
    with pytest.raises(Undecided, match="there may be infinitely many"):
        kinks("sign(sin(x))")


def test_zero_variance() -> None:
    """At a variance of zero only one point matters, the removable ones included."""
    assert enclosed("sin(x)/x", ("0", "0", "0")).contains(1)
    assert enclosed("x/(1 + abs(x))", ("0", "0", "0"), derivative=True).contains(1)
    with pytest.raises(Undecided) as caught:
        enclosed("max(x, 0)", ("0", "0", "0"), derivative=True)
    assert "the function has two limits at the point x = 0" in str(caught.value)


def test_the_list_is_long_and_reads() -> None:
    rows = enclosures.rows()
    assert len(rows) >= 110
    names = {row.name for row in rows}
    assert {"Mish", "squareplus", "sparse_plus", "Serf", "sinc", "Hardshrink"} <= names
    row = next(r for r in rows if r.name == "squareplus")
    results = [r for r in enclosures.measured(row, 30, 60.0)]
    assert len(results) == 10 and all(r.digits >= 30 and not r.note for r in results)


def _pieces(text: str) -> tuple[Piece, ...]:
    return gathered(split(parse_activation(text).expr))


@pytest.mark.parametrize(
    ("text", "q11", "q12", "q22"),
    [
        ("abs(x)^(5/2)", "9", "-4", "2.5"),
        ("abs(x)^(-1/5)", "1.3", "0.4", "0.7"),
        ("max(x, 0)^(1/3)", "1", "0.999999", "1"),
    ],
)
def test_rules_of_one_variable_against_polar_coordinates(
    text: str, q11: str, q12: str, q22: str
) -> None:
    """Powers have one integral over an angle; Mehler's series and panels know nothing of it."""
    law = Law(*(exact(z) for z in ("0", "0", q11, q12, q22)))
    f = _pieces(text)
    with precision(150):
        way = odd if q12 == "0.999999" else mehler
        ball = Ball.from_arb(way(f, f, law, arb(10) ** -26))
    assert ball.rel_digits > 20
    assert ball.overlaps(enclosed(text, (q11, q12, q22)))


def test_log_squared_at_correlation_minus_one() -> None:
    """E log^4|X| from the cumulants of log|X|, which are polygamma functions at 1/2."""
    import mpmath

    with mpmath.workdps(40):
        half = mpmath.mpf(1) / 2
        k = [0, (mpmath.digamma(half) + mpmath.log(2)) / 2]
        k += [mpmath.polygamma(n - 1, half) / 2**n for n in (2, 3, 4)]
        expected = k[4] + 3 * k[2] ** 2 + 4 * k[3] * k[1] + 6 * k[2] * k[1] ** 2 + k[1] ** 4
    ball = enclosed("log(abs(x))^2", ("1", "-1", "1"))
    assert abs(float(ball.mid) - float(expected)) < 1e-13
    assert enclosed("x^2*log(abs(x))/3", ("1", "-1", "1")).overlaps(
        enclosed("x^2*log(x^2)/6", ("1", "-1", "1"))
    )


def test_infinitely_many_kinks_against_fourier() -> None:
    """|sin x| = 2/pi - (4/pi) sum cos(2kx)/(4k^2 - 1), and E[cos cos] is closed."""
    import mpmath

    with mpmath.workdps(30):
        a, c, b = (mpmath.mpf(Fraction(z).numerator) / Fraction(z).denominator for z in POINT)
        e = [2 / mpmath.pi] + [-4 / mpmath.pi / (4 * k * k - 1) for k in range(1, 16)]
        expected = mpmath.fsum(
            e[j] * e[k] * mpmath.exp(-2 * (j * j * a + k * k * b)) * mpmath.cosh(4 * j * k * c)
            for j in range(16)
            for k in range(16)
        )
        ball = enclosed("abs(sin(x))", POINT)
        mid = mpmath.mpf(ball.mid.numerator) / ball.mid.denominator
        assert abs(mid - expected) < mpmath.mpf(10) ** -25


@pytest.mark.parametrize(
    ("one", "other", "point"),
    [
        (
            "(exp(x) - exp(-2*x))/(exp(x) + exp(-3*x))",
            "(exp(4*x) - exp(x))/(exp(4*x) + 1)",
            ("100", "60", "100"),
        ),
        ("2*sigmoid(100*x) - 1", "tanh(50*x)", ("0.01", "0.005", "4")),
    ],
)
def test_steep_functions_at_large_variances(
    one: str, other: str, point: tuple[str, str, str]
) -> None:
    first = enclosed(one, point, digits=15)
    assert first.overlaps(enclosed(other, point, digits=15))


def test_a_removable_point_at_a_kink_is_no_jump() -> None:
    """sin(x)/x on one side and 1 + x on the other meet at 0; sin(x)/x and x do not."""
    assert jumps(split(parse_activation("piecewise((sin(x)/x, x > 0), (1 + x, True))").expr)) == ()
    apart = parse_activation("piecewise((sin(x)/x, x > 0), (x, True))").expr
    assert [at for at, _ in jumps(split(apart))] == [0]


def test_more_than_every_pole_is_refused() -> None:
    """What meets 0 does not stay away from it."""
    with pytest.raises(BadActivation, match="infinite"):
        enclosed("x/(x + exp(-x) - 1)^2", POINT)


def test_kinks_at_roots_of_cubics_have_balls() -> None:
    """The closed form has the root as a number: both sides are enclosed."""
    from ntksym.verify.prove import evaluate

    activation = parse_activation("max(x^3 - x - 1, 0)")
    point = tuple(sp.Rational(z) for z in ("13/10", "2/5", "7/10"))
    _, comparisons = evaluate(activation, point, {}, 20)
    assert [c.agree for c in comparisons] == [True, True]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(2 + sin(x))^cos(x)", "exp(cos(x)*log(2 + sin(x)))"),
        ("(1 + x^2)^tanh(x)", "exp(tanh(x)*log(1 + x^2))"),
    ],
)
def test_powers_with_x_in_the_exponent_are_exponentials(one: str, other: str) -> None:
    first, second = enclosed(one, POINT), enclosed(other, POINT)
    assert abs(first.mid - second.mid) <= first.rad + second.rad
