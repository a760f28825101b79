"""A network as one function of the angle: right, proven, and refused where it is not one."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from flint import acb, arb, ctx
from sympy import Rational, exp, sqrt, symbols

from ntksym.collapse import Collapsed, angular, collapse
from ntksym.collapse.angular import AngularNetwork, Evaluator, continuous
from ntksym.collapse.certificate import prove
from ntksym.collapse.pieces import intervals
from ntksym.collapse.samples import Samples, edge, in_balls, sample, sizes, values_at
from ntksym.collapse.straight import Straight, bivariate
from ntksym.errors import BadSpec, NoClosedForm, Undecided
from ntksym.network import parse_spec
from ntksym.precision import precision
from ntksym.verify.rules.bivariate import phi2

CASES = (
    ("mlp:relu:depth=3,weight_var=2,bias_var=0", None),
    ("mlp:relu:depth=20,weight_var=2,bias_var=0", None),
    ("mlp:max(x, x/5):depth=4,weight_var=1,bias_var=0", None),
    ("mlp:x*abs(x):depth=2,weight_var=1,bias_var=0", None),
    ("mlp:relu:depth=3,weight_var=2,bias_var=1/10,preset=ntk", Rational(2)),
    ("mlp:gelu:depth=3,weight_var=1,bias_var=1", Rational(2)),
    ("mlp:erf:depth=5,weight_var=1,bias_var=1/10", Rational(1, 2)),
    ("mlp:sin(2*x):depth=2,weight_var=1,bias_var=0", Rational(3)),
    ("mlp:x^3-x:depth=1,weight_var=1,bias_var=1", Rational(1)),
)


@lru_cache(maxsize=32)
def made(spec: str, variance: Rational | None, error: float = 1e-12) -> Collapsed:
    return collapse(parse_spec(spec), variance=variance, error=error)


def reference(c: Collapsed, gap: str, sign: int) -> tuple[float, float]:
    """The kernels by the closed forms, layer by layer, with hundreds of bits."""
    with precision(900):
        k, t = c.angular.evaluator()(arb(gap), sign)
        assert k.rad() < arb(10) ** -30 and t.rad() < arb(10) ** -30
        return float(k.mid()), float(t.mid())


GAPS = ("0.7", "0.25", "0.03", "1e-3", "1e-6", "1e-10", "1e-15")


@pytest.mark.parametrize("spec, variance", CASES, ids=[s for s, _ in CASES])
def test_the_polynomials_are_as_near_as_proven(spec: str, variance: Rational | None) -> None:
    c = made(spec, variance)
    assert max(c.error) <= 1e-12
    for sign in (1, -1):
        for gap in GAPS:
            found = c.evaluate(sign * (1 - float(gap)))
            expected = reference(c, repr(1 - (1 - float(gap))) if float(gap) < 0.1 else gap, sign)
            for f, e, end, bound in zip(found, expected, c.ends, c.error, strict=True):
                # The bound, and what rounding rho and thirty terms may add.
                assert abs(float(f) - e) <= (bound + 2e-14) * end, (gap, sign)


def test_the_ends_are_the_diagonal() -> None:
    c = made(*CASES[0])
    nngp, ntk = c.evaluate(1.0)
    assert c.ends == (1.0, 4.0)
    assert abs(nngp - 1) < 1e-13 and abs(ntk - 4) < 4e-13


def test_against_the_network_itself() -> None:
    import ntksym

    c = made("mlp:erf:depth=5,weight_var=1,bias_var=1/10", Rational(1, 2))
    rng = np.random.default_rng(5)
    x = rng.standard_normal((30, 4))
    # Sigma = weight_var |x|^2/d + bias_var = 1/2
    x *= np.sqrt(4 * 0.4) / np.linalg.norm(x, axis=1, keepdims=True)
    k = ntksym.compile(c.angular.network)(x)
    rho = (x @ x.T / 4 + 0.1) / 0.5
    nngp, ntk = c.evaluate(rho)
    np.testing.assert_allclose(nngp, k.nngp, rtol=0, atol=1e-12)
    np.testing.assert_allclose(ntk, k.ntk, rtol=0, atol=3e-12)


def test_kinks_away_from_zero() -> None:
    """Phi2 up to rho = 1 and -1, where the closed form itself has no value."""
    import ntksym

    c = made("mlp:max(x, 1/2):depth=1,weight_var=2,bias_var=1/10", Rational(21, 10), 1e-7)
    assert max(c.error) <= 1e-7
    angle = np.array([0.0, 1e-6, 0.01, 1.0, 2.0, 3.0, np.pi])
    x = np.sqrt(2) * np.column_stack([np.cos(angle), np.sin(angle)])
    k = ntksym.compile(c.angular.network, target="numpy")(x, x[:1])
    found = c.evaluate((2 * np.cos(angle) + 0.1) / 2.1)
    for f, e, end in zip(found, (k.nngp, k.ntk), c.ends, strict=True):
        np.testing.assert_allclose(f, e[:, 0], rtol=0, atol=1.1e-7 * end)


@pytest.mark.parametrize("r", ["1", "-1", "0.5", "-0.999999999"])
def test_phi2_of_wide_arguments(r: str) -> None:
    """No narrower than its arguments allow, and right: values at random points of the balls."""
    with precision(200):
        wide = arb(0, 2.0**-60)
        found = bivariate(acb(arb("0.3") + wide), acb(arb("-0.2") + wide), acb(arb(r) + wide))
        assert found.real.rad() < 2.0**-29
        end = arb(r) * (1 - arb(2) ** -61)
        assert found.overlaps(phi2(acb("0.3"), acb("-0.2"), acb(end)))


def test_deep_networks_need_few_coefficients() -> None:
    c = made("mlp:relu:depth=20,weight_var=2,bias_var=0", None)
    assert all(len(s.nngp) + len(s.ntk) <= 64 for s in c.sides)


def _samples(c: Collapsed) -> Samples:
    with precision(400):
        last = edge(c.angular, 1e-12, sizes(c.angular.evaluator()))
    return sample(c.angular, 1, 1e-12, in_balls(c.angular, lambda line: None), last)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("place", [0, 3, -1])
def test_a_wrong_coefficient_is_found(which: int, place: int) -> None:
    c = made(*CASES[0])
    samples = _samples(c)
    with precision(400):
        most = sizes(c.angular.evaluator())
        side = c.sides[0]
        series = list((side.nngp, side.ntk)[which])
        series[place] += 3e-9
        coefficients = tuple(series)
        harmed = replace(side, ntk=coefficients) if which else replace(side, nngp=coefficients)
        honest, found = prove(side, samples, most)[which], prove(harmed, samples, most)[which]
    assert honest < 1e-12 and 2.9e-9 < found < 3e-8


def test_a_wrong_sample_is_found() -> None:
    c = made(*CASES[0])
    samples = _samples(c)
    balls = list(samples.balls)
    first = list(balls[2][0])
    first[5] += arb("1e-8")
    balls[2] = (tuple(first), balls[2][1])
    with precision(400):
        bound = prove(
            c.sides[0], replace(samples, balls=tuple(balls)), sizes(c.angular.evaluator())
        )
    assert bound[0] > 1e-8


@pytest.mark.parametrize("digits", [6.0, 14.0])
def test_ellipses_stay_in_the_disc(digits: float) -> None:
    parts = intervals(-60.0, digits)
    assert parts[0].high == 0.0 and abs(parts[-1].low + 60) < 1e-9
    for left, right in zip(parts[1:], parts, strict=False):
        assert left.high == right.low
    for part in parts:
        assert part.r > 1.2 and float(part.tail(arb(1)).upper()) < 10 ** (1 - digits)
        t = np.linspace(0, np.pi, 2000)
        a, b = (part.r + 1 / part.r) / 2, (part.r - 1 / part.r) / 2
        middle, half = (part.low + part.high) / 2, (part.high - part.low) / 2
        zeta = middle + half * (a * np.cos(t) + 1j * b * np.sin(t))
        assert (np.abs(1 - np.exp(zeta)) <= 1).all()


@pytest.mark.parametrize(
    "spec, why",
    [
        ("mlp:relu:depth=2,weight_var=2,bias_var=1/10", "has a bias"),
        ("mlp:gelu:depth=2,weight_var=2,bias_var=0", "gelu is not positively homogeneous"),
        ("mlp:x+x^2:depth=2,weight_var=2,bias_var=0", "is not positively homogeneous"),
    ],
)
def test_what_is_no_function_of_the_angle(spec: str, why: str) -> None:
    with pytest.raises(NoClosedForm, match="is not a function of the angle alone") as caught:
        angular(parse_spec(spec))
    assert why in caught.value.where and "variance" in caught.value.hint


def test_a_jump_is_refused() -> None:
    with pytest.raises(NoClosedForm, match="infinite at rho = 1") as caught:
        collapse(
            parse_spec("mlp:sign:depth=2,weight_var=1,bias_var=1,derivative=distributional"),
            variance=Rational(1),
        )
    assert "almost_everywhere" in caught.value.hint


def test_a_parameter_without_a_value() -> None:
    with pytest.raises(BadSpec, match="has no value"):
        collapse(parse_spec("mlp:leaky_relu:depth=2"), variance=Rational(1))


def test_slow_series_reach_the_digits_of_doubles() -> None:
    """As many terms as the error takes, and small coefficients: powers of u have some of 480."""
    c = collapse("mlp:erf:depth=20,weight_var=2,bias_var=0", variance=Rational(1), error=2e-14)
    assert max(c.error) <= 8e-15
    for side in c.sides:
        assert max(len(side.nngp), len(side.ntk)) <= 50
        assert sum(map(abs, side.ntk)) < 4


def test_an_error_below_the_arithmetic() -> None:
    with pytest.raises(Undecided, match="an error of 1e-18 is not reached") as caught:
        collapse(parse_spec(CASES[0][0]), error=1e-18)
    assert caught.value.where.startswith("proven: nngp")


def test_a_sample_passes_once_through_the_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few tries at one place tell how many bits the depth takes."""
    found = angular(parse_spec("mlp:max(x, 0)-x/4:depth=60,bias_var=0"))
    zetas = tuple(arb(-30 - k) for k in range(5))
    calls = []
    own = Evaluator.__call__

    def counted(self: Evaluator, gap: arb, sign: int, *, absolute: bool = False) -> object:
        calls.append(gap)
        return own(self, gap, sign, absolute=absolute)

    monkeypatch.setattr(Evaluator, "__call__", counted)
    values = values_at(found, lambda: zetas, 1, 34.0, 60)
    assert len(calls) < 2 * len(zetas)
    assert all(v.rad() < arb(2) ** -80 for k in values for v in k)


def test_a_program_with_all_but_one_symbol_given() -> None:
    a, b, c = symbols("a b c")
    made = Straight([a * c * b + sqrt(a + b), exp(a * b), c], (a, b, c))
    rest = made.given(acb(2), acb(3))
    for value in (acb(-1), acb(5)):  # one after another: nothing of the first is left
        for found, full in zip(rest(value), made(acb(2), acb(3), value), strict=True):
            assert found.overlaps(full)
    assert abs(rest(acb(7))[0] - 42 - acb(5).sqrt()) < 1e-12


def test_an_activation_without_closed_form_is_said_to_have_none() -> None:
    with pytest.raises(NoClosedForm, match=r"tanh\(x\) is not in the term algebra"):
        collapse(parse_spec("mlp:tanh:depth=2"), variance=Rational(1))


def test_balls_do_not_widen_with_the_depth() -> None:
    """Through the formula of a layer a ball near rho = 1 loses half of its digits each time."""
    found = angular("mlp:relu:depth=60,weight_var=2")
    for sign in (1, -1):
        with precision(400):
            k, t = found.evaluator()(arb(10) ** -20, sign)
            assert max(float(v.rad()) for v in (k, t)) < 2.0**-230
        with precision(9000):
            c = nngp = ntk = sign * (1 - arb(10) ** -20)
            for _ in range(60):
                half = 1 - c.acos() / arb.pi()
                nngp = c * half + (1 - c * c).sqrt() / arb.pi()
                ntk = nngp + half * ntk
                c = nngp
            assert float(ntk.rad()) < 1e-30
            assert k.overlaps(nngp) and t.overlaps(ntk) and abs(t - ntk) < arb(2) ** -200


def test_the_slope_of_a_jump_bounds_nothing() -> None:
    jumps, kinks = angular("mlp:sign:depth=1").layers, angular("mlp:relu:depth=1").layers
    assert [continuous(layer) for layer in (*jumps, *kinks)] == [False, True]


class _Hard:
    """Values that are finite from 200 bits on, and seem to need 64; infinitely wide at 128."""

    ends = (arb(1), arb(1))

    def __init__(self, bits: list[int], enough: int) -> None:
        self.bits, self.enough = bits, enough

    def __call__(self, x: arb, sign: int, *, absolute: bool = False) -> tuple[arb, arb]:
        self.bits.append(ctx.prec)
        if ctx.prec < 200:
            return arb(1, arb(2) ** 2000), arb("nan")
        return (arb(1, arb(2) ** -self.enough),) * 2


def test_bits_that_were_too_few_are_not_tried_again() -> None:
    bits: list[int] = []
    found = SimpleNamespace(evaluator=lambda: _Hard(bits, 500))
    values_at(cast("AngularNetwork", found), lambda: (arb(0),), 1, 0.0, 1)
    assert len(bits) <= 6
    assert bits[0] < 200
    bits.clear()
    found.evaluator = lambda: _Hard(bits, 1)
    with pytest.raises(Undecided, match="no enclosure at"):
        values_at(cast("AngularNetwork", found), lambda: (arb(0),), 1, 0.0, 1)
    assert max(bits) < 1 << 16
