"""The logistic family as a normal mixture: recognition, nodes, the proven bound, the dual.

What could be wrong: an expression read as another one, nodes that miss the sigmoid, a bound that is
no bound or not tight, a dual that does not contain the truth.  Each has a test that a planted
error fails.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import mpmath
import pytest
from sympy import Rational

from ntksym.errors import NoClosedForm, Undecided
from ntksym.language import as_activation
from ntksym.numeric.arith import ball, rounded, upper
from ntksym.numeric.bound import prove_bound
from ntksym.numeric.error import norm
from ntksym.numeric.logistic import recognise
from ntksym.numeric.mixture_build import mixture_dual
from ntksym.numeric.nodes import Mixture, density, mixture
from ntksym.numeric.one_exponential import power_of_tanh
from ntksym.precision import precision
from ntksym.symbols import x

FAMILY = [
    "sigmoid",
    "tanh",
    "softplus",
    "silu",
    "logsigmoid",
    "tanhshrink",
    "3*tanh(2*x + 1) - x/2",
    "x*sigmoid(beta*x)",
    "1/cosh(x)**2",
    "log(1 + exp(x))",
    "1/(1 + exp(-x))",
    "exp(x)/(1 + exp(x))",
    "x/(1 + exp(-x))",
    "x*tanh(x)",
    "tanh(x)**3",
    "log(cosh(x))",
    "(exp(x) - exp(-x))/(exp(x) + exp(-x))",
    "sinh(x)/cosh(x)",
    "log(2 + 3*exp(2*x))",
    "tanh(x) + x**2*sigmoid(3*x)",
    "sigmoid(x)*(1 - sigmoid(x))",
    "exp(2*x)/(1 + exp(x))**2",
    "silu(x)**2",
    "tanh(x) + erf(x) - x/2",
    "softplus(x) - max(x, 0)",
    "tanh(x)*exp(-x**2/2)*(1 + cos(x))",
    "silu(x) + sin(x) + exp(-beta**2*x**2)",
    "abs(x - 1)/cosh(x)**2",
]


@pytest.mark.parametrize("text", FAMILY)
def test_a_member_is_read_as_itself(text: str) -> None:
    activation = as_activation(text)
    form = recognise(activation)
    values = {p: Rational(3, 4) for p in activation.params}
    for expr, read in (
        (activation.expr, form.expr),
        (activation.expr.diff(x), form.derivative().expr),
    ):
        for at in (Rational(-7, 3), Rational(1, 5), Rational(5, 4)):
            gap = (read - expr).subs(values).subs(x, at)
            assert abs(gap.evalf(30)) < 1e-20


REFUSED = [
    ("mish", "tanh(log(exp(x) + 1)): the factor is not in the logistic family"),
    ("abs(tanh(x))", "Abs(1 - 2/(exp(2*x) + 1)): the factor is not in the logistic family"),
    ("sin(x**2) + tanh(x)", "sin(x**2): the factor is not in the logistic family"),
    ("1/cosh(x)", None),
    ("1/sinh(x)", None),
    (
        "softplus(x)**2",
        "softplus(x)**2: no closed form for the product softplus(x)**2",
    ),
    (
        "tanh(x)*sigmoid(x)",
        "tanh(x)*sigmoid(x): no closed form for the product sigmoid(x) * sigmoid(2*x)",
    ),
    ("x**2 + 1", "x**2 + 1 has no factor of the logistic family"),
]


@pytest.mark.parametrize(("text", "what"), REFUSED, ids=[t for t, _ in REFUSED])
def test_what_is_outside_is_named(text: str, what: str | None) -> None:
    with pytest.raises(NoClosedForm) as caught:
        recognise(as_activation(text))
    if what is not None:
        assert caught.value.what == what
    assert caught.value.hint


def test_powers_of_tanh_are_combinations_of_derivatives() -> None:
    ctx = mpmath.mp
    for n in range(1, 7):
        for at in (ctx.mpf("0.3"), ctx.mpf(-2)):
            total = ctx.mpf(0)
            for order, c in power_of_tanh(n).items():
                value = 1 if order is None else ctx.diff(lambda t: ctx.tanh(t / 2), at, order)
                total += mpmath.mpf(c.p) / c.q * value
            assert abs(total - ctx.tanh(at / 2) ** n) < 1e-9


# -- nodes -----------------------------------------------------------------------------------------


def _tanh_error(m: Mixture, z: mpmath.mpf) -> mpmath.mpf:
    total = -mpmath.tanh(z / 2)
    for a, w in m:
        slope = mpmath.mpf(a.numerator) / a.denominator
        total += mpmath.mpf(w.numerator) / w.denominator * mpmath.erf(slope * z / mpmath.sqrt(2))
    return total


def test_both_series_of_the_density_agree() -> None:
    with precision(120):
        here, there = density(ball(Fraction(1, 5))), density(ball(Fraction(200001, 1000000)))
        slope = (there - here) * 1_000_000
        assert abs(float(here) - float(there)) < 1e-5 and abs(float(slope)) < 10


def test_the_density_is_that_of_the_slope_of_tanh() -> None:
    with precision(80):
        total = mpmath.quad(
            lambda t: mpmath.exp(-4 * t) * mpmath.mpf(float(density(ball(Fraction(float(t)))))),
            [0.001, 0.05, 0.2, 1, 4],
        )
    assert abs(total - mpmath.sech(1) ** 2 / 2) < 1e-9


@pytest.mark.parametrize(("count", "error"), [(2, 1e-3), (5, 2e-6), (9, 1.3e-9), (12, 1e-11)])
def test_few_nodes_reach_the_sigmoid(count: int, error: float) -> None:
    m = mixture(count)
    assert len(m) == count and min(m.weights) > 0
    with mpmath.workdps(30):
        worst = max(abs(_tanh_error(m, mpmath.mpf(k) / 8)) / 2 for k in range(1, 400))
    assert worst <= error
    proven = float(prove_bound(m).sigmoid)
    assert worst <= proven <= 1.5 * float(worst)


def test_nineteen_nodes_reach_rounding() -> None:
    proven = prove_bound(mixture(19))
    assert float(proven.sigmoid) < 3e-16 and float(proven.relative) < 2.5e-15


def test_the_error_oscillates_between_equal_extremes() -> None:
    m = mixture(4, 200)
    with mpmath.workdps(40):

        def weighted(z: mpmath.mpf) -> mpmath.mpf:
            return mpmath.diff(lambda t: _tanh_error(m, t), z) * mpmath.sqrt(mpmath.sqrt(1 + z * z))

        values = [weighted(mpmath.mpf(k) / 40) for k in range(800)]
    extremes = [values[0]]
    for before, now, after in zip(values, values[1:], values[2:], strict=False):
        if (now - before) * (after - now) < 0:
            extremes.append(now)
    assert len(extremes) >= 2 * 4 + 1
    sizes = [abs(e) for e in extremes[:9]]
    assert max(sizes) < 1.05 * min(sizes)


def test_more_digits_on_demand() -> None:
    m = mixture(24, 100)
    assert float(prove_bound(m).relative) < 3e-18


def test_rounding_keeps_the_bits() -> None:
    for value in (Fraction(1, 3), Fraction(2, 7), Fraction(10**20 + 1), Fraction(-5, 9)):
        near = rounded(value, 53)
        assert float(near) == float(value) and near == Fraction(float(value))
    with precision(60):
        assert upper(ball(Fraction(1, 3))) >= Fraction(1, 3)


def test_bad_numbers_of_nodes() -> None:
    with pytest.raises(ValueError, match="from 2 to 60 nodes"):
        mixture(1)
    with pytest.raises(Undecided, match="needs more than 60 nodes"):
        mixture_dual("tanh", error=1e-60)


# -- the bound -------------------------------------------------------------------------------------


def test_the_rows_cover_the_half_line() -> None:
    rows = prove_bound(mixture(6)).rows
    assert rows[0].start == 0 and rows[-1].stop is None
    assert all(a.stop == b.start for a, b in itertools.pairwise(rows))


def test_every_row_bounds_every_derivative() -> None:
    m = mixture(5)
    with mpmath.workdps(30):
        for row in prove_bound(m).rows[::3]:
            width = Fraction(3) if row.stop is None else row.stop - row.start
            for part in (Fraction(1, 9), Fraction(7, 9)):
                at = row.start + part * width
                z = mpmath.mpf(at.numerator) / at.denominator
                for order in (-1, 0, 1, 2, 3, 4):
                    if order < 0:
                        size = abs(mpmath.quad(lambda t: _tanh_error(m, t), [0, z / 2, z]))
                    else:
                        size = abs(mpmath.diff(lambda t: _tanh_error(m, t), z, order))
                    limit = mpmath.mpf(row.of(order).numerator) / row.of(order).denominator
                    if row.start == 0:
                        limit *= z ** (2 if order < 0 else (order + 1) % 2)
                    elif row.stop is None and order < 0:
                        limit *= z
                    assert size <= limit * (1 + mpmath.mpf(10) ** -12) + mpmath.mpf(10) ** -18


@pytest.mark.parametrize("index", [0, 4, 8])
def test_a_perturbed_weight_raises_the_bound(index: int) -> None:
    m = mixture(9)
    weights = list(m.weights)
    weights[index] += Fraction(1, 10**7)
    planted = prove_bound(replace(m, weights=tuple(weights)))
    assert float(planted.sigmoid) > 4e-8 > 10 * float(prove_bound(m).sigmoid)


def test_a_perturbed_slope_raises_the_bound() -> None:
    m = mixture(9)
    slopes = list(m.slopes)
    slopes[4] += Fraction(1, 10**5)
    planted = prove_bound(replace(m, slopes=tuple(slopes)))
    assert float(planted.slope) > 100 * float(prove_bound(m).slope)


def test_a_lost_node_raises_the_bound() -> None:
    m = mixture(9)
    planted = prove_bound(Mixture(m.slopes[1:], m.weights[1:]))
    assert float(planted.absolute) > float(m.weights[0]) / 2


@pytest.mark.parametrize(
    "text", ["tanh", "softplus", "x*tanh(x)", "1/cosh(x)**2", "tanh(2*x+1)", "tanhshrink"]
)
@pytest.mark.parametrize("variance", [Fraction(1, 100), Fraction(1), Fraction(30)])
def test_the_norm_bounds_the_norm_and_is_near_it(text: str, variance: Fraction) -> None:
    m = mixture(4)
    activation = as_activation(text)
    form = recognise(activation)
    with precision(120):
        limit = float(norm(prove_bound(m), form, variance, {}).upper())

    def gap(t: mpmath.mpf) -> mpmath.mpf:
        total = mpmath.mpf(0)
        for p in form.parts:
            z = float(p.slope) * t + float(p.offset)
            factor = mpmath.mpf(float(p.factor.subs(x, float(t))))
            if p.order < 0:
                total += factor * mpmath.quad(lambda s: _tanh_error(m, s), [0, z])
            else:
                value = _tanh_error(m, z) if p.order == 0 else None
                if value is None:
                    value = mpmath.diff(lambda s: _tanh_error(m, s), z, p.order)
                total += factor * (value - z * start if p.reduced else value)
        return total

    start = mpmath.diff(lambda s: _tanh_error(m, s), 0)
    root = mpmath.sqrt(mpmath.mpf(variance.numerator) / variance.denominator)
    steps = [mpmath.mpf(k) / 8 for k in range(-48, 49)]
    mass = sum(mpmath.npdf(s) * gap(root * s) ** 2 for s in steps) / 8
    true = float(mpmath.sqrt(mass))
    assert true <= limit * (1 + 1e-6)
    assert limit <= (4 if text != "softplus" else 8) * true  # the integral adds sizes up
