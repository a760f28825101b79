"""Enclosures of what grows in a strip, of roots that meet at a kink, and of bounds that cancel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy as sp
from flint import acb, arb, fmpq

from ntksym.errors import NoClosedForm, NtksymError, Undecided, UnknownName
from ntksym.language import parse_activation
from ntksym.numeric.choose import choose
from ntksym.precision import precision
from ntksym.symbols import x
from ntksym.verify.balls import enclose_definition
from ntksym.verify.evaluate import function
from ntksym.verify.functions.growth import growth_of
from ntksym.verify.functions.pieces import Piece, split
from ntksym.verify.law import Law
from ntksym.verify.prove import evaluate, prove
from ntksym.verify.report import Verdict
from ntksym.verify.rules import lattice

Point = tuple[str, str, str]
FAR: Point = ("9", "-4", "2.5")
FARTHER: Point = ("100", "60", "100")
USUAL: Point = ("1", "1/2", "2")


def ball(text: str, point: Point, slope: bool = False, **more: object) -> arb:
    found = enclose_definition(parse_activation(text), *point, derivative=slope, **more)  # type: ignore[arg-type]
    return found.to_arb()


def _wave(alpha: int, beta: int, point: Point) -> acb:
    """E[exp(i (alpha u^2 + beta v^2))], first over v given u."""
    a, c, b = (arb(fmpq(*map(int, sp.Rational(p).as_numer_denom()))) for p in point)
    inner = 1 - 2 * acb(0, beta) * (b - c * c / a)
    rate = acb(0, alpha) + acb(0, beta) * (c / a) ** 2 / inner
    return 1 / (inner.sqrt() * (1 - 2 * rate * a).sqrt())


@pytest.mark.parametrize("point", [FAR, FARTHER])
def test_a_wave_that_gets_faster_is_its_closed_form(point: Point) -> None:
    """sin(x^2) grows in every strip; the tilted bound is paid for by the density."""
    with precision(160):
        exact = ((_wave(1, -1, point) - _wave(1, 1, point)) / 2).real
        found = ball("sin(x^2)", point)
        assert found.overlaps(exact)
        assert found.rad() < abs(exact) * arb("1e-30")


def test_an_exponential_shifts_the_means() -> None:
    """E[e^(u+v) tanh u tanh v] = e^(q11/2 + q12 + q22/2) E[tanh tanh] at shifted means."""
    with precision(160):
        for point, shift in ((("4", "1", "3"), ("5", "4")), (FARTHER, ("160", "160"))):
            a, c, b = (arb(p) for p in point)
            there = ball("tanh(x)", point, means=shift)
            assert ball("exp(x)*tanh(x)", point).overlaps((a / 2 + c + b / 2).exp() * there)


def test_tilted_lattices_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = [ball(text, USUAL) for text in ("tanh(x)", "mish(x)")]
    monkeypatch.setattr(lattice, "_TILTS", (arb(3) / 4,))
    tilted = [ball(text, USUAL) for text in ("tanh(x)", "mish(x)")]
    assert all(p.overlaps(t) for p, t in zip(plain, tilted, strict=True))
    assert all(p.mid() != t.mid() for p, t in zip(plain, tilted, strict=True))


def test_the_weight_of_a_tilt_is_an_expectation() -> None:
    """E[exp(t (x^2 + y^2))] for unit variances and correlation 1/2, t = 1/8."""
    with precision(160):
        weight = lattice._Weight(arb("0.5"), arb("0.75").sqrt(), arb(1) / 8)
        assert ball("exp(x^2/8)", ("1", "1/2", "1")).overlaps(weight.total)


@pytest.mark.parametrize("slope", [False, True])
def test_a_logarithm_of_cosh_grows_like_its_argument(slope: bool) -> None:
    same = "x^2 + log(1 + exp(-2*x^2)) - log(2)"
    for point in (FAR, FARTHER):
        found = ball("log(cosh(x^2))", point, slope)
        with precision(160):
            assert found.overlaps(ball(same, point, slope))


def test_a_bound_by_leading_terms_where_factors_seem_to_grow() -> None:
    """The derivative of log(1 + cosh x^2) is 2x tanh(x^2/2): its factors grow like Gaussians."""
    found = ball("log(1 + cosh(x^2))", ("1", "1/2", "1"), True)
    assert found.overlaps(ball("2*x*tanh(x^2/2)", ("1", "1/2", "1")))
    for expr in (x * sp.sinh(x**2) / (1 + sp.cosh(x**2)), sp.exp(x**2 / 8) * x):
        growth = growth_of((Piece(None, None, expr),))
        for t in (-9, -3, -1, 0, 2, 5):
            size = abs(arb(str(sp.N(expr.subs(x, t), 20))))
            assert (
                size
                <= growth.c
                * arb(1 + abs(t)) ** growth.k
                * (growth.b * abs(t) + growth.a * t * t).exp()
            )
        assert not growth.a > arb("0.126")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (
            "max(cbrt(x), x)",
            "piecewise((cbrt(x), x < -1), (x, x < 0), (cbrt(x), x < 1), (x, True))",
        ),
        ("max(sqrt(abs(x)), x)", "piecewise((sqrt(abs(x)), x < 1), (x, True))"),
        ("min(sqrt(abs(x)), x)", "piecewise((x, x < 1), (sqrt(abs(x)), True))"),
    ],
)
def test_kinks_where_a_root_meets_a_line(text: str, pieces: str) -> None:
    assert ball(text, USUAL).overlaps(ball(pieces, USUAL))


def test_kinks_of_a_root_and_a_wave() -> None:
    """cbrt(x) = 2 sin(x): at 0, where the root is steep, and where the signs on a grid change."""
    found = split(parse_activation("max(cbrt(x), 2*sin(x))").expr)
    ends = [float(piece.ends()[1].mid()) for piece in found[:-1]]
    grid = np.linspace(-12, 12, 100_000)
    gaps = np.cbrt(grid) - 2 * np.sin(grid)
    places = grid[:-1][gaps[:-1] * gaps[1:] < 0]
    assert len(places) == 9
    assert ends == pytest.approx(places, abs=3e-4)


def test_neighbours_with_one_smooth_expression_are_one_piece() -> None:
    assert len(split(parse_activation("sqrt(1 + cos(abs(sqrt(2)*x + 1))^2)").expr)) == 1
    assert len(split(parse_activation("cos(abs(x)) + abs(x)").expr)) == 2
    assert len(split(parse_activation("piecewise((sqrt(x^2), x < 0), (sqrt(x^2), True))").expr)) > 1


@pytest.mark.parametrize(
    "text", ["max(heaviside(x*(pi*x + 1/8)), 0)", "heaviside(x - sqrt(2))*x", "max(pi*x^2 - x, 2)"]
)
def test_kinks_and_jumps_at_irrational_points(text: str) -> None:
    activation = parse_activation(text)
    method, found = evaluate(activation, tuple(sp.Rational(p) for p in USUAL))
    assert method == "closed form"
    assert found and all(c.agree for c in found)


def test_a_cubic_with_pi_is_refused_not_crashed() -> None:
    with pytest.raises(NoClosedForm, match="not algebraic"):
        choose("heaviside(pi*x^3 - x - 2)", method="exact")
    assert choose("heaviside(pi*x^3 - x - 2)").method == "tabulated"


@pytest.mark.parametrize("method", ["series", "quadrature", "tabulated", "mixture"])
def test_a_refusal_names_the_closed_form_first(method: str) -> None:
    with pytest.raises((Undecided, NoClosedForm)) as caught:
        choose("abs(x)^0.3", method=method, variances=1, code=True)
    assert caught.value.hint.startswith("the method exact")


def test_sigma_is_no_sign() -> None:
    with pytest.raises(UnknownName) as caught:
        parse_activation("sigma(x)")
    assert isinstance(caught.value, NtksymError)
    assert "sigmoid(z)" in caught.value.hint
    assert "sign?" not in caught.value.hint


def test_many_periods_within_a_deviation() -> None:
    """At q = 10^4 a periodic function has its mean over a period, up to exp(-q/2)."""
    with precision(160):
        for q12, text in (("0", "log(2 + sin(x))"), ("0", "log(2 + sin(x + 1))")):
            mean = ((2 + arb(3).sqrt()) / 2).log()
            assert abs(ball(text, ("10000", q12, "10000")) - mean * mean) < arb(10) ** -30


def test_one_plus_cosh_is_a_square() -> None:
    """A quotient of functions that outgrow all boxes is tanh(x/2), and so is its slope."""
    for slope in (False, True):
        point = ("10000", "6000", "10000")
        one, two = (ball(t, point, slope) for t in ("sinh(x)/(1 + cosh(x))", "tanh(x/2)"))
        assert one.overlaps(two) and one.rad() < arb(10) ** -30 * abs(one)


def test_waves_too_fast_for_panels_take_a_finer_lattice() -> None:
    """E[cos(u^3) cos(v^3)] against the trapezoid rule in doubles."""
    found = ball("cos(x^3)", ("6", "2", "6"))
    x, step = np.linspace(-7, 7, 5001, retstep=True)
    mass = np.exp(-x * x / 2) * step / (2 * np.pi) ** 0.5
    inner = [np.cos((6**0.5 * (t + 8**0.5 * x) / 3) ** 3) @ mass for t in x]
    total = float(np.cos((6**0.5 * x) ** 3) * mass @ inner)
    assert float(found) == pytest.approx(total, abs=1e-4) and found.rad() < arb(10) ** -30


@pytest.mark.parametrize("text", ["sin(x^2)", "x*cos(x)/(1 + x^2)"])
def test_even_and_odd_functions_are_looked_at_on_one_side(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lattice has as many nodes to the left of a mean of zero as to the right."""
    nodes: list[float] = []
    plain = lattice.function

    def watched(expr: Any, symbol: Any) -> Any:
        func = plain(expr, symbol)

        def value(z: Any, analytic: bool) -> Any:
            nodes.append(float(z.real.mid()))
            return func(z, analytic)

        return value

    both = (Piece(None, None, parse_activation(text).expr),)
    law = Law(fmpq(0), fmpq(0), fmpq(1), fmpq(1, 2), fmpq(1))
    with precision(128):
        grid = lattice.lattice(both, both, law, arb("1e-20"))
        assert grid is not None
        monkeypatch.setattr(lattice, "function", watched)
        half = grid.value()
        assert len(nodes) == grid.count + 1
        monkeypatch.setattr(lattice, "_parity", lambda expr: 0)
        assert half.overlaps(grid.value())
        assert half.rad() < 1e-19
        assert len(nodes) == 3 * grid.count + 2


def test_growth_of_gaussians_is_proved_where_squares_have_means() -> None:
    """At the variance 1 E[exp(u^2/2)] is infinite: a bound at twice the variance is no verdict."""
    report = prove("exp(x^2/4)")
    assert report.verdict is Verdict.PROVED
    assert report.comparisons and all(c.agree for c in report.comparisons)
    rows = evaluate("exp(x^2/4)", ("9/10", "9/10", "9/10"))[1]
    assert all(row.agree for row in rows)


@pytest.mark.parametrize("text", ["sin(sqrt(1 + x^4))", "cos(x*sqrt(1 + x^2))"])
def test_the_height_of_a_phase_on_a_wide_box(text: str) -> None:
    """Of a phase x^2, nearly: at most 6.3 high there, where its root alone seems to be 40."""
    func = function(parse_activation(text).expr, x)
    with precision(64):
        size = abs(func(acb(arb(30.5, 0.5), arb(0.05, 0.05)), True))
        above = abs(func(acb(arb(30.5, 0.5), arb(0.09, 0.01)), True))
        for z in (acb(30, 0.1), acb(30.3, 0.09), acb(31, 0.1)):
            value = abs(func(z, True))
            assert size.upper() > value and above.upper() > value
        assert size.upper() < 2 * arb("6.3").cosh() and above.upper() < 2 * arb("6.3").cosh()


@pytest.mark.parametrize("slope", [False, True])
def test_a_wave_with_a_root_in_its_phase(slope: bool) -> None:
    """cos(sqrt(1 + x^4)) in doubles: a product of two trapezoid rules, which converge fast."""
    u = np.arange(-40, 40, 0.02)
    root = np.sqrt(1 + u**4)
    values = -np.sin(root) * 2 * u**3 / root if slope else np.cos(root)
    keep = np.abs(u) < 20
    a, c, b = 9, -4, 2.5
    det = a * b - c * c
    form = b * u[:, None] ** 2 - 2 * c * u[:, None] * u[keep] + a * u[keep] ** 2
    both = values @ np.exp(-form / (2 * det)) @ values[keep] * 0.02**2
    found = ball("cos(sqrt(1 + x^4))", FAR, slope)
    assert float(found) == pytest.approx(both / (2 * np.pi * np.sqrt(det)), rel=1e-9)
    assert found.rel_accuracy_bits() > 95
