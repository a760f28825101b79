"""Mixtures with functions of the exact class beside and before them.

What could be wrong: a product that the engine does not close, a bound that leaves out a factor or a
tilted law, a closed form with arcs at their ends, parts that cancel, code far out.
"""

from __future__ import annotations

from fractions import Fraction
from math import isnan, sqrt

import mpmath
import numpy as np
import pytest
from sympy import Float, lambdify

from ntksym.backends.array.unit import array_unit
from ntksym.backends.c.gradient.units import UnitSlopes
from ntksym.backends.mixture.far import Far, far
from ntksym.backends.units import unit_of
from ntksym.errors import NoClosedForm, UnsupportedOp
from ntksym.language import as_activation
from ntksym.numeric.bound import prove_bound
from ntksym.numeric.cancellation import cancellation
from ntksym.numeric.choice import cost
from ntksym.numeric.error import norm
from ntksym.numeric.logistic import recognise
from ntksym.numeric.mixture_build import mixture_dual
from ntksym.numeric.nodes import mixture
from ntksym.numeric.pairs import A, node_function
from ntksym.precision import precision
from ntksym.runtime.gradients.duals import gradient_duals
from ntksym.runtime.units.mixture import compile_mixture
from ntksym.symbols import x
from ntksym.verify.balls import enclose_definition

CLOSED = (
    "tanh(x) + erf(x)",
    "tanh(x) + max(x - 1, 0)",
    "tanh(x)*exp(-x**2/2)",
    "silu(x) + sin(x)",
    "exp(x)*tanh(x)",
    "abs(x)/cosh(x)**2",
)
POINTS = (
    (Fraction(1), Fraction(1, 2), Fraction(2)),
    (Fraction(1), Fraction(-1), Fraction(1)),
    (Fraction(0), Fraction(0), Fraction(2)),
)


@pytest.mark.parametrize("text", CLOSED)
def test_the_truth_is_in_the_enclosure(text: str) -> None:
    d = mixture_dual(text, nodes=5)
    for point in POINTS[: 2 if "abs" in text else 3]:
        for slope in (False, True):
            found = d.enclose(*point, derivative=slope)
            truth = enclose_definition(d.activation, *point, derivative=slope, digits=12)
            assert abs(found.mid - truth.mid) <= found.rad + truth.rad
            assert found.rad < 1e-3


@pytest.mark.parametrize("text", [CLOSED[2], CLOSED[4], "cos(x)*exp(x/3 - x**2)/cosh(x + 1)**2"])
@pytest.mark.parametrize("variance", [Fraction(1, 20), Fraction(6)])
def test_the_norm_bounds_the_norm(text: str, variance: Fraction) -> None:
    m = mixture(4)
    form = recognise(as_activation(text))
    with precision(120):
        limit = float(norm(prove_bound(m), form, variance, {}).upper())
    node = form.polynomial + form.rest
    for a, w in m:
        node += Float(float(w)) * node_function(form.parts, A).xreplace({A: Float(float(a))})
    assert len(form.families) == 1  # as a node has
    gap = lambdify(x, form.expr - node, [{"Phi": mpmath.ncdf}, "mpmath"])
    root = mpmath.sqrt(mpmath.mpf(variance.numerator) / variance.denominator)
    steps = [mpmath.mpf(k) / 8 for k in range(-80, 81)]
    true = float(mpmath.sqrt(sum(mpmath.npdf(s) * gap(root * s) ** 2 for s in steps) / 8))
    assert true <= limit * (1 + 1e-6)
    assert limit <= 12 * true


REFUSED = [
    ("tanh(x)*heaviside(x)", "a kink or a gate in the factor Heaviside(x)"),
    ("tanh(x)*erf(x)", "a kink or a gate in the factor erf(x)"),
    ("tanh(x)*sin(x)", "Phi of complex arguments"),
    ("tanh(x) + sign(x)", "it jumps"),
    ("tanh(x)*exp(x**2/8)", "finite for some q only"),
    (
        "softplus(x) - max(x, 0)",
        "its parts cancel: rounding is about 5e-07 of the dual at q = 1e+06",
    ),
    ("tanh(x) - x*exp(-x**2/3)", "its parts cancel"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED, ids=[t for t, _ in REFUSED])
def test_what_has_no_mixture_says_why(text: str, why: str) -> None:
    with pytest.raises(NoClosedForm) as caught:
        mixture_dual(text)
    assert why in caught.value.what and caught.value.hint


@pytest.mark.parametrize(
    ("text", "price"),
    [(CLOSED[0], "about a microsecond"), (CLOSED[1], "about ten"), (CLOSED[4], "a hundred")],
)
def test_what_an_entry_costs(text: str, price: str) -> None:
    assert price in cost(mixture_dual(text, nodes=3))


def test_cancellation_is_the_ratio_of_sizes() -> None:
    act = as_activation("2*tanh(x) - tanh(x)*exp(-x**2/2) - erf(x)")
    assert cancellation(as_activation("tanh(x) + erf(x)"), Fraction(1)) < 1.5
    assert cancellation(act, Fraction(1)) > 5
    assert 1.0 < cancellation(as_activation("silu(x) + selu(x)"), Fraction(10**6)) < 1.5
    assert isnan(cancellation(as_activation("silu(x) + selu(x)"), Fraction(10**20)))


@pytest.mark.parametrize(
    ("text", "target"),
    [*((t, "numpy") for t in CLOSED[1:4]), (CLOSED[0], "c"), ("tanh(x) + clip(x, -1, 1)", "c")],
)
def test_code_is_as_good_as_doubles(text: str, target: str) -> None:
    d = mixture_dual(text, nodes=3)
    points = [
        (Fraction(p), Fraction(p) * Fraction(r) * Fraction(t), Fraction(p) * Fraction(t) ** 2)
        for p, r, t in ((4, -1, 0.5), (100, 0.75, 1.5), (2.0**-14, 1, 1), (0, 0, 1))
    ]
    found = compile_mixture(d, target)(*np.array(points, dtype=float).T)
    for i, point in enumerate(points):
        for got, slope in ((found.nngp[i], False), (found.dot[i], True)):
            exact = d.enclose(*point, derivative=slope)
            ends = [float(d.enclose(v, v, v, derivative=slope)) for v in (point[0], point[2])]
            size = sqrt(ends[0] * ends[1])
            assert abs(Fraction(float(got)) - exact.mid) <= 1e-14 * (size or 1.0)


def test_far_out() -> None:
    """A power of both parts; integrable; neither, and then no number."""
    assert far(mixture_dual(CLOSED[1], nodes=3)).degree == 1
    assert far(mixture_dual(CLOSED[2], nodes=3)).degree == -1
    assert not far(mixture_dual(CLOSED[3], nodes=3)).known
    large = 2.0**300
    found = compile_mixture(mixture_dual(CLOSED[0], nodes=3), "c")(large, large / 2, large)
    assert float(found.nngp) == pytest.approx(4 / 3, rel=1e-2)  # 4*E[sign(u)*sign(v)]
    for target in ("c", "numpy"):
        lost = compile_mixture(mixture_dual(CLOSED[3], nodes=3), target)
        assert isnan(float(lost(large, 0.0, large).nngp)) and isnan(float(lost.diag(large).nngp))
        assert float(lost(2.0**190, 0.0, 1.0).nngp) > 0
    assert far(mixture_dual(CLOSED[5], nodes=3)) == Far(-1, 86, 30)


def test_derivatives_with_kinks_beside() -> None:
    """Programs in C against slopes of values: at a fixed angle, at rho = +-1 too."""
    found = mixture_dual("tanh(x) + max(x, 0)", nodes=3)
    unit, slopes = unit_of(found, {}), array_unit(found, found.activation, {})
    ways = ((slopes, "c"), (None, "numpy"))
    known, tried = (
        gradient_duals((UnitSlopes(unit, s),), ((False, True, False),), target)[0]
        for s, target in ways
    )
    q, angle = np.full(4, 1.25), np.array([1.5, 1e-2, 0.0, 0.0])
    cross = q * np.cos(angle) * np.array([1, 1, 1, -1])
    at = tuple(v[None] for v in (q, cross, 1.0 * q, q * np.sin(angle)))
    with np.errstate(all="ignore"):
        want, got = (np.array(d.pair(*at))[:, 0] for d in (known, tried))
    assert np.abs(want[:5] - got[:5]).max() < 1e-10
    for table in (want, got):
        table[6] *= at[3][0]
    assert np.abs(want[5:] - got[5:]).max() < 1e-9
    with pytest.raises(UnsupportedOp, match="has a kink in every node"):
        array_unit(mixture_dual(CLOSED[5], nodes=3), as_activation(CLOSED[5]), {})
