"""Waves, bumps and kinks of the scale of one under a variance of 10^4."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flint import arb

from ntksym.errors import NtksymError
from ntksym.language import parse_activation
from ntksym.precision import precision
from ntksym.symbols import x
from ntksym.verify.balls import enclose_definition
from ntksym.verify.functions.growth import growth_of
from ntksym.verify.functions.pieces import split
from ntksym.verify.functions.rates import Growth
from ntksym.verify.functions.settled import settled
from ntksym.verify.rules.fewer import Smooth
from ntksym.verify.rules.gauss import panels
from ntksym.verify.rules.lattice import Lattice

FAR = (10**4, 9 * 10**3, 10**4)


def test_a_wave_that_falls_has_a_strip() -> None:
    r"""$\sin(x)/x = \int_0^1 \cos(sx)\,ds$, so that E is a plane integral of two Gaussians."""
    s, step = np.linspace(0, 0.16, 1601, retstep=True)
    a, b = s[:, None], s[None, :]
    weight = np.ones(1601)
    weight[0] = 0.5
    q11, q12, q22 = FAR
    both = sum(np.exp(-(q11 * a * a + 2 * k * q12 * a * b + q22 * b * b) / 2) for k in (1, -1))
    ball = enclose_definition(parse_activation("sin(x)/x"), *FAR)
    assert ball.rel_digits >= 30
    assert float(ball.mid) == pytest.approx(weight @ both @ weight * step**2 / 2, rel=1e-9)


@pytest.mark.parametrize("slope", [False, True], ids=["value", "slope"])
def test_waves_of_one_frequency_at_deviations_of_a_thousand(slope: bool) -> None:
    r"""$\sin(x)/x = \frac12\int_{-1}^1 e^{isx}\,ds$, and $1 - |s|$ in it makes $(1-\cos x)/x^2$.

    E is the same integral of $e^{-Q(s,t)/2}$, whose ends are exp(-10^5): moments of two Gaussians.
    """
    q11, q12, q22 = at = 10**6, 5 * 10**5, 10**6
    sinc, hat = (
        enclose_definition(parse_activation(text), *at, derivative=slope).to_arb()
        for text in ("sin(x)/x", "2*(1-cos(x))/x^2")
    )
    with precision(160):
        det = arb(q11 * q22 - q12 * q12)
        front, r = arb.pi() / (2 * det.sqrt()), -arb(q12) / arb(q11 * q22).sqrt()
        one, two = (arb(q) / det for q in (q22, q11))  # the variances of s and t
        size = 2 * (one * two).sqrt() * ((1 - r * r).sqrt() + r * r.asin()) / arb.pi()
        if slope:
            assert sinc.overlaps(-front * r * (one * two).sqrt())
        else:
            assert sinc.overlaps(front)
            means = (2 / arb.pi()).sqrt() * (one.sqrt() + two.sqrt())
            assert hat.overlaps(4 * front * (1 - means + size))
        assert min(sinc.rel_accuracy_bits(), hat.rel_accuracy_bits()) > 95


@pytest.mark.parametrize(
    ("text", "digits", "near"),
    [
        ("max(sin(x), cos(x))*exp(-x^2/8)", 5, 1 / 4063.96),
        ("(exp(x)-1)/x*exp(-x^2)", 9, 1 / 7337.94),
    ],
)
def test_what_is_too_small_to_matter_has_no_nodes(text: str, digits: int, near: float) -> None:
    """A bump at 0 meets the density there: E is (integral of s)^2 over 2 pi sqrt(det), nearly."""
    ball = enclose_definition(parse_activation(text), *FAR, digits=digits)
    assert ball.rel_digits >= digits
    assert float(ball.mid) == pytest.approx(near, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("1 - exp(-exp(x))", lambda u: np.exp(np.minimum(u, 99) - np.exp(np.minimum(u, 99)))),
        ("asinh(exp(x))", lambda u: 1 / np.sqrt(1 + np.exp(-2 * np.maximum(u, -300)))),
    ],
)
def test_slopes_that_seem_to_grow_exponentially(text: str, slope: Any) -> None:
    """At correlation one half, by the trapezoid rule: the growth of a product is not its factors'."""
    ball = enclose_definition(parse_activation(text), 10**4, 5000, 10**4, derivative=True, digits=9)
    u, step = np.linspace(-600, 600, 2401, retstep=True)
    form = (u[:, None] ** 2 - u[:, None] * u + u**2) / 1.5e4
    both = slope(u) @ np.exp(-form) @ slope(u) * step**2 / (2 * np.pi * np.sqrt(0.75e8))
    assert ball.rel_digits >= 9
    assert float(ball.mid) == pytest.approx(float(both), rel=1e-6)


def test_the_rate_of_a_sum_is_that_of_its_last_term() -> None:
    bump, one = Growth(arb(1), 0, arb(2), arb(-1)), Growth(arb(3), 0, arb(0), arb(0))
    for total in (bump + one, one + bump):
        assert total.b == 0
        assert total.a == 0
        assert total.c.overlaps(3 + arb(1).exp())
    wide = Growth(arb(1), 0, arb(2), arb(-1) / 1000)
    assert (wide + one).b == 2


@pytest.mark.parametrize("derivative", [False, True], ids=["value", "slope"])
@pytest.mark.parametrize(
    ("irrational", "below", "above"),
    [
        ("abs(x)^pi*tanh(x)", "abs(x)^(333/106)*tanh(x)", "abs(x)^(355/113)*tanh(x)"),
        ("max(0,x)^sqrt(2)*cos(x)", "max(0,x)^(1393/985)*cos(x)", "max(0,x)^(3363/2378)*cos(x)"),
    ],
)
def test_irrational_powers(irrational: str, below: str, above: str, derivative: bool) -> None:
    """They lie between two rational ones, which have rules of their own."""
    value, low, high = (
        enclose_definition(parse_activation(text), 1, "1/2", 1, derivative=derivative, digits=12)
        for text in (irrational, below, above)
    )
    assert value.rel_digits >= 12
    assert min(low.mid, high.mid) < value.mid < max(low.mid, high.mid)


def test_numbers_of_a_million_digits_are_refused_at_once() -> None:
    with pytest.raises(NtksymError, match="grows too fast for a bound"):
        enclose_definition(parse_activation("abs(x)^abs(x)"), *FAR)


@pytest.mark.parametrize(
    ("text", "slope", "limit"),
    [
        ("sigmoid(50*(x - 1))", True, 1 / (160 * np.pi)),
        ("tanh(10*x) + x/10", False, 1 / 3 + 10 * np.sqrt(2 / np.pi) + 50),
    ],
)
def test_narrow_bends_take_panels(
    monkeypatch: pytest.MonkeyPatch, text: str, slope: bool, limit: float
) -> None:
    """A lattice as fine as the bend has 10^5 nodes; a step and a line are near enough to both."""
    point = (100, 60, 100) if slope else (10**4, 5000, 10**4)
    nodes: list[int] = []
    monkeypatch.setattr(Lattice, "value", lambda grid: nodes.append(grid.nodes))
    ball = enclose_definition(parse_activation(text), *point, derivative=slope)
    assert nodes == []
    assert ball.rel_digits >= 30
    assert float(ball.mid) == pytest.approx(limit, rel=1e-2)


def test_powers_of_the_size_with_a_wave_in_the_exponent() -> None:
    """Against Mehler's series in doubles: at 0 the slope of |x|^sin(x) is not analytic."""
    act, point = parse_activation("abs(x)^sin(x)"), ("9", "-4", "5/2")
    ball = enclose_definition(act, *point, derivative=True, digits=9)
    t, step = np.linspace(-13, 13, 260_000, retstep=True)  # 0 is no node

    def coefficients(dev: float) -> list[float]:
        u = dev * t
        log, sine = np.log(np.abs(u)), np.sin(u)
        s = np.exp(log * sine) * (np.cos(u) * log + sine / u)
        out, before, here = [], np.zeros_like(t), s * np.exp(-t * t / 2) * step / np.sqrt(2 * np.pi)
        for n in range(90):
            out.append(float(here.sum()))
            before, here = here, (t * here - np.sqrt(n) * before) / np.sqrt(n + 1)
        return out

    rho = -4 / np.sqrt(22.5)
    a, b = coefficients(3.0), coefficients(np.sqrt(2.5))
    series = sum(p * q * rho**n for n, (p, q) in enumerate(zip(a, b, strict=True)))
    assert ball.rel_digits >= 9
    assert float(ball.mid) == pytest.approx(series, rel=1e-4)


@pytest.mark.parametrize(("text", "rate"), [("abs(x)*log(1 + x^2)", 1e-2), ("x*asinh(x)", 9)])
def test_an_exponent_grows_as_little_as_its_logarithm(text: str, rate: float) -> None:
    found = growth_of(split(parse_activation(f"exp({text})").expr))
    assert found.a < rate
    for t in (0.0, 3.0, 50.0, 4000.0):
        most = found.b * t + found.a * t**2 + found.c.log() + found.k * np.log1p(t)
        assert not most < float(parse_activation(text).expr.subs(x, t))


def test_what_a_rule_meets_falls_away_from_zero() -> None:
    """The lemma of section 10, with all coefficients of the sign that makes the sum largest."""
    for rho, z in ((0.5, 6.0), (0.9, 4 + 0.4j), (0.3, -5 + 1j)):
        with precision(64):
            q = arb(rho)
            front = 1 / ((1 - q).sqrt() * (1 - q * q).root(4) * (2 * arb.pi()).sqrt())
            kernel = Smooth(front, 2 * (1 - q), 1 / (2 * (1 + q)))
            bound = float(kernel.at(arb(abs(np.imag(z))), arb(abs(np.real(z)))))
        total, before, here = 0.0, 0j, 1.0 + 0j
        for n in range(400):
            total += rho**n * abs(here)
            before, here = here, (z * here - np.sqrt(n) * before) / np.sqrt(n + 1)
        size = total * abs(np.exp(-z * z / 2)) / np.sqrt(2 * np.pi)
        assert size < bound < 20 * size


def test_the_density_in_one_complex_variable_falls_away_from_zero() -> None:
    """The bound of section 10 near correlation one, which is reached at y = r x."""
    r, sigma = 0.8, 0.6
    kernel = Smooth(arb(1), arb(2 * sigma**2), arb("0.5"))
    for z in (3.0, 2 + 0.5j, -4 - 0.2j):
        y = r * np.real(z) + np.linspace(-2, 2, 401)
        size = np.abs(np.exp(-(z * z - 2 * r * z * y + y * y) / (2 * sigma**2))).max()
        bound = float(kernel.at(arb(abs(np.imag(z))), arb(abs(np.real(z)))))
        assert size <= bound * (1 + 1e-9)
        assert size > bound * (1 - 1e-9)


@pytest.mark.parametrize("derivative", [False, True])
def test_wide_inputs_have_straight_ends(derivative: bool) -> None:
    """atan(e^x) = pi/4 + atan(tanh(x/2)): not enclosed at deviations of 1000 before."""
    at = 10**6, 5 * 10**5, 10**6
    steep, odd = (
        enclose_definition(parse_activation(text), *at, derivative=derivative).to_arb()
        for text in ("atan(exp(x))", "atan(tanh(x/2))")
    )
    with precision(160):
        assert steep.overlaps(odd + (0 if derivative else arb.pi() ** 2 / 16))
        assert steep.rel_accuracy_bits() > 95


def test_what_straight_ends_change_is_in_the_bound() -> None:
    """Where they begin the difference is largest: there it is below the bound, and not nothing."""
    pieces = split(parse_activation("log(1 + exp(x))").expr)
    found = settled(pieces, 60, 500)
    assert found is not None and len(found.pieces) == 3
    left, middle, right = found.pieces
    assert (left.expr, middle.expr, right.expr) == (0, pieces[0].expr, x)
    for line, end in ((left.expr, left.hi), (right.expr, right.lo)):
        gap = abs((middle.expr - line).subs(x, end).evalf(40))
        assert found.off / 2 < float(gap) <= found.off <= 2.0**-60
    assert settled(pieces, 60, 32) is None  # they begin farther out
    assert settled(split(parse_activation("x/(1 + abs(x))").expr), 60, 500) is None


def test_a_panel_asks_for_no_larger_ellipse_than_it_uses() -> None:
    """Of exp(-30 z^2): the points fall and then grow, and the dear ellipses come after that."""
    points: list[float] = []

    def bound(a: Any, b: Any, semi: Any, height: Any) -> Any:
        rho, size = 2 * float(semi + height), 30 * float(height) ** 2
        log = np.log(32 / 15 / (1 - rho**-2)) + size + 40 * np.log(10)
        points.append(log / (2 * np.log(rho)))
        return (30 * height * height).exp()

    (panel,) = panels([(arb(-1) / 2, arb(1) / 2)], bound, arb("1e-40"), 1.0)
    assert panel.points == np.ceil(min(points)) == 43
    assert np.argmin(points) == len(points) - 2 == 7  # ten are listed
