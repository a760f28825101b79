"""Duals at tiny and at huge variances: against balls of the closed forms, and exact limits."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from mpmath import MPContext
from scipy.special import ndtr
from sympy import oo, zoo
from test_generated_kernels import CLOSED, GROWING, values

import ntksym
from ntksym.activation import Activation
from ntksym.derivation import Derivation
from ntksym.dual import Dual, dual
from ntksym.language import as_activation
from ntksym.lower import lower_dual, lower_dual_diag
from ntksym.lower.far import far_rule
from ntksym.lower.program import with_inner
from ntksym.lower.reach import reach
from ntksym.lower.rescale import Orders, _known, orders
from ntksym.lower.scales import settles
from ntksym.runtime import compile as compile_
from ntksym.symbols import q11, q12, q22
from ntksym.terms.cells import cells

EPS = 2.0**-52
RHO = 0.37


def subject(text: str) -> Activation:
    act = as_activation(text)
    return act.with_params(**{p.name: 0.75 for p in act.params}) if act.params else act


def balls(d: Dual, a: float, c: float, b: float, bits: int = 320) -> tuple[Any, Any]:
    from flint import acb

    from ntksym.collapse.straight import Straight
    from ntksym.precision import precision

    with precision(bits):
        value, slope = Straight((d.value, d.dot), (q11, q12, q22))(*map(acb, (a, c, b)))
        return value.real, slope.real


def errors(got: tuple[float, float], exact: tuple[Any, Any]) -> list[float]:
    """Relative to the values, in eps."""
    from flint import arb

    for e in exact:
        assert e.is_finite() and e.rel_accuracy_bits() > 70
    return [float(abs((arb(g) - e) / e).mid()) / EPS for g, e in zip(got, exact, strict=True)]


def at(kernel: Any, a: float, c: float, b: float) -> tuple[float, float]:
    with np.errstate(all="ignore"):
        got = kernel(np.array([a]), np.array([c]), np.array([b]))
    return float(got.nngp[0]), float(got.dot[0])


SMALL = ("snake", "elu(x)+x/3", "cos(x)-1")
LARGE = ("hardtanh", "triangle")


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize(
    ("text", "a", "b"),
    [
        *((text, 1e-9, 2e-9) for text in SMALL),
        ("snake", 1e-40, 3e-40),
        ("snake", 1e-7, 30.0),
        *((text, 1e7, 2e7) for text in LARGE),
        ("x2_probit", 1e140, 2e140),
    ],
)
def test_against_balls(text: str, a: float, b: float, target: str) -> None:
    d = dual(subject(text))
    c = RHO * math.sqrt(a) * math.sqrt(b)
    kernel = compile_(d, target)
    for sign in (1.0, -1.0):
        found = errors(at(kernel, a, sign * c, b), balls(d, a, sign * c, b))
        assert max(found) <= 12.0, found  # relative to the value itself, which may be small


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize(
    "text", ["exp(-abs(x))-exp(-2*abs(x))", "Heaviside(x)*(exp(-x/2)-exp(-3*x))"]
)
def test_formulas_that_cancel_about_zero(text: str, target: str) -> None:
    """The definition sums values of s: at tiny variances all their digits would be lost.

    The terms of Kdot are twenty times its value, so a few digits are lost at every variance.
    """
    d = dual(subject(text))
    kernel, own, ctx = compile_(d, target), lower_dual_diag(d), MPContext()
    ctx.dps = 150
    for a, b in ((1e-6, 2e-6), (1e-7, 1.0), (1e-28, 1e-104)):
        sides = [own.evaluate({"q": q}, ctx) for q in (a, b)]
        for rho in (RHO, -0.9):
            c = rho * (math.sqrt(a) * math.sqrt(b))
            exact, got = balls(d, a, c, b, 900), at(kernel, a, c, b)
            for k, label in enumerate(("nngp", "dot")):
                assert exact[k].is_finite()
                size = float((sides[0][label] * sides[1][label]) ** 0.5)
                assert float(abs((exact[k] - got[k]) / size).upper()) <= 16 * EPS, (
                    label,
                    a,
                    b,
                    rho,
                )
    for q in (1e-28, 1e-6):
        own_value = float(kernel.diag(np.array([q])).nngp[0])
        assert abs(own_value / float(own.evaluate({"q": q}, ctx)["nngp"]) - 1) <= 8 * EPS


@pytest.mark.parametrize(
    ("text", "right", "left"), [("selu", 1.0507009873554805, 0.0), ("snake", 1, 1)]
)
@pytest.mark.parametrize("scale", [1e-290, 1e-60])
def test_tiny_inputs_have_the_limit(text: str, right: float, left: float, scale: float) -> None:
    """s(x) = s'(0+-) x + O(x^2): K over the scale is that of two slopes."""
    d = dual(subject(text))
    if text == "selu":
        left = 1.0507009873554805 * 1.6732632423543772
    ctx = MPContext()
    ctx.dps = 40
    theta = ctx.acos(ctx.mpf(RHO))
    up = (ctx.sin(theta) + (ctx.pi - theta) * ctx.cos(theta)) / (2 * ctx.pi)
    across = (ctx.sin(theta) - theta * ctx.cos(theta)) / (2 * ctx.pi)
    exact = (right * right + left * left) * up - 2 * right * left * across
    for target in ("c", "numpy"):
        kernel = compile_(d, target)
        value, _ = at(kernel, scale, RHO * scale, scale)
        assert abs(value / scale / float(exact) - 1) <= 8 * EPS
        same = kernel.diag(np.array([scale]))
        assert abs(float(same.nngp[0]) / scale / ((right**2 + left**2) / 2) - 1) <= 8 * EPS


@pytest.mark.parametrize("scale", [1e40, 1e300])
@pytest.mark.parametrize("target", ["c", "numpy"])
def test_huge_inputs_have_the_limit(scale: float, target: str) -> None:
    kernel = compile_(dual("hardtanh"), target)
    value, slope = at(kernel, scale, RHO * scale, scale)
    assert abs(value / (2 / math.pi * math.asin(RHO)) - 1) <= 4 * EPS
    exact = 2 / math.pi / math.sqrt(1 - RHO * RHO) / scale
    assert abs(slope / exact - 1) <= 4 * EPS
    same = kernel.diag(np.array([scale]))
    assert float(same.nngp[0]) == pytest.approx(1.0, abs=4 * EPS)


NO_NAN = (
    "snake", "hardtanh", "x2_probit", "abs_gaussian", "gelu", "sin(x)+abs(x)", "x_cos",
)  # fmt: skip


@pytest.mark.parametrize("text", NO_NAN)
def test_no_nan_at_any_scale(text: str) -> None:
    kernel = compile_(dual(subject(text)), "numpy")
    scales = 10.0 ** np.array([-300, -150, -30, -8, -2, 0, 2, 8, 30, 100, 150])
    for rho in (RHO, -0.9, 0.0, 1.0):
        with np.errstate(all="ignore"):
            got = kernel(scales, rho * scales, scales)
        assert not np.isnan(got.nngp).any(), (rho, got.nngp)
        if rho < 1.0:
            assert not np.isnan(got.dot).any(), (rho, got.dot)


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_what_is_damped_may_overflow(target: str) -> None:
    """q/2 + q (1 - 4q) exp(-2q)/2: the product of the last two factors first is no number."""
    q = np.array([1e200, 1e100])
    got = compile_(dual("x*cos(x)"), target).diag(q)
    assert got.nngp == pytest.approx(q / 2, rel=1e-15)
    assert got.dot == pytest.approx(q / 2, rel=1e-15)


def test_where_the_closed_form_keeps_its_digits_nothing_is_added() -> None:
    for text in ("relu", "gelu", "erf", "cube", "sign", "abs", "squared_relu"):
        d = dual(subject(text))
        for p in (lower_dual(d), lower_dual_diag(d)):
            assert all(let.inner is None for let in p.body), text
        # the diagonal of GELU would overflow before its value does; for ReLU squared there is a
        # rule near opposite inputs
        assert (settles(d.activation) is None) == (text not in ("gelu", "squared_relu")), text


def test_programs_inside_are_found_and_told_apart() -> None:
    first, second = (lower_dual(dual(subject(t))) for t in ("snake", "cos(x)-1"))
    assert len(with_inner((first, first))) == 2
    inner = [let for p in (first, second) for let in p.body if let.inner is not None]
    assert len({let.label for let in inner}) == 2
    assert all(let.label.startswith("price_") for let in inner)


def test_a_rule_integrates_what_is_left() -> None:
    """The integral of hardtanh^2 - 1 is -4/3, of triangle 1, of gelu - relu -1/2."""
    for text, sum_of, exact in (
        ("hardtanh", "squares", -4 / 3),
        ("triangle", "weights", 1.0),
        ("gelu", "weights", -0.5),
    ):
        rule = far_rule(subject(text))
        assert rule is not None
        assert sum(getattr(rule, sum_of)) == pytest.approx(exact, rel=1e-14)


def test_what_does_not_settle_has_no_rule() -> None:
    for text in ("sin(x)", "exp(x)", "x*cos(x)", "elu"):
        assert far_rule(as_activation(text)) is None


@pytest.mark.parametrize("act", CLOSED, ids=lambda a: a.name)
def test_diagonals_are_the_duals_of_equal_inputs(act: Activation) -> None:
    """At every variance: neither a sum that cancels, nor an infinity of a limit at infinity."""
    numbers = {k: float(v) for k, v in values(act).items()}
    kernel = compile_(act, target="c")
    given = {k: numbers[k] for k in kernel.params}
    most = 0.1 if act.name in GROWING else 100.0  # exp(x^2/4) and its kin
    q = np.array([v for v in 10.0 ** np.arange(-12, 3) if v <= most])
    with np.errstate(all="ignore"):
        own, pair = kernel.diag(q, **given), kernel(q, q, q, **given)
    jumps = dual(act).diag_dot in (oo, zoo)
    for a, b in ((own.nngp, pair.nngp), *(() if jumps else ((own.dot, pair.dot),))):
        assert np.isfinite(a + 0 * q).all()
        assert a == pytest.approx(b, rel=1e-11)


DIRECT = (
    ("softshrink", 400.0, 0.01),
    ("max(x-3,0)-max(-x-3,0)", 400.0, 0.2),
    ("hardtanh", 1e-6, 3e4),
    ("step(x-1)-step(x+1)", 1e4, 0.03),
)


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize(("text", "a", "b"), DIRECT)
def test_where_terms_are_larger_than_the_kernel(text: str, a: float, b: float, target: str) -> None:
    """A tail beside a large variance, at angles down to 1e-6: errors over sqrt(K(q11) K(q22))."""
    d = dual(subject(text))
    kernel = compile_(d, target)
    found = lower_dual_diag(d)
    own = [found.evaluate({"q": q}) for q in (a, b)]
    for rho in (0.37, -0.9, 1 - 2.0**-20):
        c = rho * math.sqrt(a) * math.sqrt(b)
        got, exact = at(kernel, a, c, b), balls(d, a, c, b, 900)
        for k, label in enumerate(("nngp", "dot")):
            size = math.sqrt(float(abs(own[0][label] * own[1][label])))
            if math.isfinite(size):  # the derivative of a jump is infinite on the diagonal
                error = abs(float((exact[k] - got[k]).mid())) / size / EPS
                assert error <= 4.0, (label, rho, error)


def test_the_definition_is_used_at_few_variances_only() -> None:
    """Not at the variance that data have most often, one square of the unit."""
    from ntksym.lower.direct import BINS
    from ntksym.lower.scales import _direct

    for text in ("elu", "selu", "hardtanh"):
        rule = _direct(as_activation(text))
        assert rule is not None
        middle = BINS // 2 * (BINS + 1)
        assert not any(used[middle] for used in rule.used[:2]), text


APART = ("relu4", "max(x,0)^5", "x2_probit", "erf(x)*x^2", "hermite5")


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("text", APART)
def test_far_apart_variances(text: str, target: str) -> None:
    """Right wherever sqrt(K(q11) K(q22)) is representable, never a wrong number."""
    d = dual(subject(text))
    kernel = compile_(d, target)
    own = lower_dual_diag(d)
    checked = 0
    for a, b in ((1e-300, 1e200), (1e-300, 1e150), (1e-200, 1e200), (1e-97, 1e81), (1.0, 1e100)):
        sides = [own.evaluate({"q": q}) for q in (a, b)]
        for rho in (0.0, 0.5, -0.5, 1 - 1e-9):
            c = rho * (math.sqrt(a) * math.sqrt(b))
            exact = balls(d, a, c, b, 2600)
            for k, label in enumerate(("nngp", "dot")):
                size = (sides[0][label] * sides[1][label]) ** 0.5
                if 1e-290 < size < 1e290:
                    assert abs(at(kernel, a, c, b)[k] - exact[k]) / float(size) < 8 * EPS
                    checked += 1
    assert checked >= 10


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("b", [1.0, 1e60, 1e200])
def test_tiny_beside_huge_by_steins_lemma(b: float, target: str) -> None:
    """E[u s(v)] = q12 E[s'(v)]: hard tanh is the identity where u is."""
    kernel = compile_(dual("hardtanh"), target)
    for a in (1e-300, 1e-200, 1e-160):
        for rho in (0.5, -0.9):
            c = rho * math.sqrt(a) * math.sqrt(b)
            exact = c * math.erf(1 / math.sqrt(2 * b))
            assert at(kernel, a, c, b)[0] == pytest.approx(exact, rel=1e-14)


STEPS: dict[str, tuple[float, float, float, float]] = {
    "hardtanh": (1, 0, -1, 1),
    "relu6": (1, 0, 0, 6),
    "min(max(x/2+1/2,-1),3)": (0.5, 0.5, -1, 3),
}
"""Slope and value at 0 of a line, and the two numbers it is cut at."""


@pytest.mark.parametrize("target", ["c", "numpy", "ufunc"])
@pytest.mark.parametrize("text", STEPS)
def test_a_huge_variance_makes_a_step_of_a_bounded_function(text: str, target: str) -> None:
    """E[s(u) lim s(v)] and E[s'(u) delta(v)] times the height, by panels in u."""
    slope, middle, low, high = STEPS[text]
    kernel = compile_(dual(subject(text)), target) if target != "ufunc" else None
    own = ntksym.ufunc(text) if kernel is None else None
    nodes, weights = np.polynomial.legendre.leggauss(40)
    for a, rho, b in itertools.product((1e-20, 1.0, 100.0), (0.3, -0.9), (1e30, 1e258, 1e300)):
        r, other = math.sqrt(a), math.sqrt(1 - rho**2)
        kinks = [
            z for z in ((low - middle) / slope / r, (high - middle) / slope / r) if abs(z) < 12
        ]
        ends = np.unique([*range(-12, 13), *kinks])
        half, centre = np.diff(ends)[:, None] / 2, (ends[1:] + ends[:-1])[:, None] / 2
        z, w = centre + half * nodes, half * weights / math.sqrt(2 * math.pi)
        w = w * np.exp(-(z**2) / 2)
        s = np.clip(slope * (r * z) + middle, low, high)
        rising = slope * ((s > low) & (s < high))
        k = np.sum(w * s * (low + (high - low) * ndtr(rho * z / other)))
        bell = np.exp(-((rho * z / other) ** 2) / 2) / math.sqrt(2 * math.pi)
        d = (high - low) * np.sum(w * rising * bell) / other / math.sqrt(b)
        c = rho * (r * math.sqrt(b))
        got = at(kernel, a, c, b) if own is None else own(a, c, b)
        size = math.sqrt(np.sum(w * s**2)) * max(-low, high)
        assert abs(got[0] - k) < 1e-13 * size, (a, rho, b)
        assert abs(got[1] - d) < 1e-12 * d, (a, rho, b)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("relu4", Orders((4, 3), (4, 3))),
        ("hermite4", Orders((0, 1), (4, 3))),
        ("elu", Orders((1, 0), (1, 0))),
        ("x2_probit", Orders((2, 1), (2, 1))),
        ("hardtanh", Orders((1, 0), (0, -1))),  # a step from far away
        ("one_sided_exponential", Orders((0, -1), (-1, -1))),  # a point
        ("hardshrink", Orders((1, 0), None)),  # jumps away from 0
        ("sign(x - 1)*x^2 + x", Orders((1, 0), (2, 1))),  # jumps, and squares overflow
    ],
)
def test_orders_about_zero_and_far_out(text: str, expected: Orders) -> None:
    found = orders(subject(text))
    assert found is not None
    assert (found.small, found.large) == (expected.small, expected.large)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("x^3*Phi(x)", (-75, -60), (20, 30)),  # x^3/2 + O(x^4); far out x^3 but for a tail
        ("x^3*erf(x)", (-40, -30), (20, 30)),  # O(x^6) beside x^4
        ("elu", (-66, -60), (60, 66)),  # beside x stands -1
        ("max(x,0)-max(x-2^30,0)/2", (-20, -20), (88, 96)),  # beside x/2 stands 2^29
    ],
)
def test_powers_are_taken_where_they_are_all_that_counts(
    text: str, least: tuple[int, int], most: tuple[int, int]
) -> None:
    derived = dual(subject(text)).derivation
    found = _known(dual(subject(text)))
    assert isinstance(derived, Derivation) and found is not None and found.large is not None
    assert least[0] <= math.log2(found.least) <= least[1]
    nearest = reach(derived, cells(derived.terms), found.large, 1)
    assert most[0] <= math.log2(nearest) <= most[1]
    # Farther out are those that variances are brought to, as far as split products are doubles.
    assert nearest <= found.most <= max(nearest, 2 ** (900 // 8))


def test_orders_are_not_asked_for_where_nothing_overflows() -> None:
    assert not any(orders(subject(t)) for t in ("relu", "gelu", "erf", "cubed_relu", "step"))
