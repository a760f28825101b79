"""Points of dense scans at which a kernel, or an operation of one, was off by more than 4 eps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from mpmath import MPContext
from test_backends import EPS, RUN, single

from ntksym.backends import BACKENDS
from ntksym.backends.array.helpers import array_helpers
from ntksym.backends.numpy import units
from ntksym.dual import dual
from ntksym.language import as_activation
from ntksym.lower import OPS
from ntksym.lower.build import Builder
from ntksym.lower.kernel import lower_dual
from ntksym.runtime.compile import compile as compile_

ORTHANTS = (
    (
        15.357047524865923,
        -5.442958387963249,
        1.1535472649447303,
        -4.600553959,
        10.910365878,
        0.0,
        0.0,
    ),
    (
        5.872932972425269,
        -3.3754446646150185,
        0.41808008095532995,
        -1.145805812,
        3.752653991,
        0.0,
        0.0,
    ),
    (
        14.315964489912126,
        -5.058857829102109,
        -2.8570054838272325,
        7.63614477,
        32.416692775,
        0.0,
        0.0,
    ),
    (13.0125, -4.572, 0.393687, -7.97306, 13.3955, 0.0, 0.0),
    (0.0, 0.0, 0.0, -4.0, 0.0, 0.0, 0.0),
)
"""Arguments of exp(a)*Phi2 whose exponents are of the conditional tail: 6 to 13 eps; and nothing."""


@pytest.mark.parametrize("name", [b.name for b in BACKENDS])
def test_orthants_keep_their_digits(name: str) -> None:
    got = RUN[name]({"expPhi2": single("expPhi2")}, {"expPhi2": ORTHANTS})["expPhi2"]
    ctx = MPContext()
    ctx.dps = 24
    for row, value in zip(ORTHANTS, got, strict=True):
        exact = OPS["expPhi2"].meaning(ctx, *map(ctx.mpf, row))
        assert abs(float(value) - exact) <= 3.0 * EPS * exact + 1e-200, row


GATES = (
    (-0.5824727663722946, -0.9900686731540622, -2.0411078641068303, 4.784968579246014),
    (-1.4850026066025557, -0.5675418903990539, -0.7889573331922687, 3.4710231868664385),
)
"""Arguments of Phi2 that is a small part of the gates it is formed of: 14 to 18 eps."""


@pytest.mark.parametrize("name", [b.name for b in BACKENDS])
def test_gates_keep_what_their_sums_lose(name: str) -> None:
    got = RUN[name]({"Phi2": single("Phi2")}, {"Phi2": GATES})["Phi2"]
    ctx = MPContext()
    ctx.dps = 40
    for row, value in zip(GATES, got, strict=True):
        exact = OPS["Phi2"].meaning(ctx, *map(ctx.mpf, row))
        assert abs(float(value) - exact) <= 8.0 * EPS * exact, row


def of_arrays(name: str) -> dict[str, Any]:
    """What JAX and PyTorch run, in NumPy: a helper and those that it needs."""
    made: dict[str, Any] = {}
    exec(units._PREAMBLE + array_helpers(frozenset({name})), made)
    return made


def test_arcs_of_arrays_hold_at_any_size() -> None:
    """ReLU's kernel of nearly opposite rows was 1e-225 for 5e-171 at variances of 1e-170."""
    arc = of_arrays("_arc1")["_arc1"]
    usual, small = (arc(np.array([v]), np.array([-2.0 * v])) for v in (1.0, 2.0**-600))
    assert 0.0 < small == usual * 2.0**-600


NEGATIVE = (
    (-2.2606, -2.2202, -0.2199, 0.9755),
    (-1.57, -1.57, 0.07, 0.99),
    (0.1706, 0.0195, -0.9751, 0.2219),
    (0.2512, 0.0188, -0.9992, 0.0405),
)
"""Arguments of Phi2 that is a small part of its gates: off by 100, 7, 6 and 7 eps of itself before
small correlations were added to a product, and nearly opposite ones to what is between them."""


@pytest.mark.parametrize("name", [*(b.name for b in BACKENDS), "array"])
def test_orthants_of_small_and_negative_correlations_keep_their_digits(name: str) -> None:
    if name == "array":  # what JAX and PyTorch run, by NumPy
        made = of_arrays("_Phi2")
        made |= {"_ERFC_IS_RIGHT": False, "_erf": np.vectorize(math.erf)}
        got = made["_Phi2"](*np.array(NEGATIVE).T)
    else:
        got = RUN[name]({"Phi2": single("Phi2")}, {"Phi2": NEGATIVE})["Phi2"]
    ctx = MPContext()
    ctx.dps = 40
    for row, value in zip(NEGATIVE, got, strict=True):
        exact = OPS["Phi2"].meaning(ctx, *map(ctx.mpf, row))
        assert abs(float(value) - exact) <= 4.0 * EPS * exact, row


CASES = (
    ("abs(x) + exp(x)", (28.93802955097392, 28.712784124987735, 28.490018732201086)),
    ("one_sided_exponential", (37.940125998106126, 9.502150932647542, 5.305776958081702)),
    ("x^2*Phi(x)", (43.266038708121684, 35.21117920462637, 28.656501447620364)),
    ("relu6", (30.069314231378737, 46.16889457399204, 70.94230839877058)),
    ("celu", (1.3141032457947281, 10.224385696076329, 79.55087486280875)),
)
"""Off by 33 eps: integrated as if the exponents of its closed form were rounded.  By 11: a tail was
multiplied by its own exponential.  By 4.5 and 4.8: sums of 30 terms, and of gates.  By 6: exponents
over a parameter."""


@pytest.mark.parametrize(("text", "point"), CASES)
def test_kernels_keep_four_eps_of_their_size(text: str, point: tuple[float, ...]) -> None:
    act = as_activation(text)
    kernel = compile_(act, "numpy")
    given = {p.name: 0.5 for p in act.params}
    ctx = MPContext()
    ctx.dps = 50
    args = dict(zip(("q11", "q12", "q22"), map(ctx.mpf, point), strict=True))
    exact = lower_dual(dual(act)).evaluate(args | given, ctx)
    found = kernel(*([v] for v in point), **given)
    for label in ("nngp", "dot"):
        own = [kernel.diag([v], **given) for v in (point[0], point[2])]
        size = float(np.sqrt(getattr(own[0], label) * getattr(own[1], label))[0])
        if size == np.inf:  # a derivative with jumps has the size of K/q
            size = float(np.sqrt(own[0].nngp * own[1].nngp / (point[0] * point[2]))[0])
        got = float(np.ravel(getattr(found, label))[0])
        assert abs(ctx.mpf(got) - exact[label]) <= 4.0 * EPS * size, label


SMALL = (
    ("squared_relu", (4.971375623082805, -1.281827075966794, 4.971375623082805)),
    ("squared_relu", (6.698047329547678, -3.4897710409227862, 4.421954465645633)),
    ("cubed_relu", (0.6556588630885044, -0.4926617223884314, 6.283896504004348)),
    ("relu4", (2.027800613145776, -0.48863932481003775, 2.027800613145776)),
    ("max(x - 1/2, 0)", (0.17530909293462416, 0.010798330412762448, 0.14219294261815957)),
    ("min(max(x, -1), 1)", (2.6463537714850323, -1.4139937531457506e-11, 9.14721157394193)),
)
"""Duals that have one sign, off by 5.6 to 8 eps of themselves at correlations around -1/4, where the
closed form cancelled, and by 6.8 beyond, where a rounded sine was raised to its fifth power; by 12
and 8 as sums of Owen's terms."""


@pytest.mark.parametrize(("text", "point"), SMALL)
def test_duals_of_one_sign_keep_their_digits(text: str, point: tuple[float, ...]) -> None:
    act = as_activation(text)
    found = compile_(act, "numpy")(*([v] for v in point))
    ctx = MPContext()
    ctx.dps = 50
    args = dict(zip(("q11", "q12", "q22"), map(ctx.mpf, point), strict=True))
    exact = lower_dual(dual(act)).evaluate(args, ctx)
    for label in ("nngp", "dot"):
        got = float(np.ravel(getattr(found, label))[0])
        assert abs(ctx.mpf(got) - exact[label]) <= 4.0 * EPS * abs(exact[label]), label


ARCS = {
    "c": (0.6912051104074378, -0.42313786329082426, 0.502084861229243),
    "numpy": (9.514986254983798, -1.1270925982061126, 0.13405257422594619),
}
"""ReLU off by 5.1 and 5.4 eps of its value: the tangent of half the angle had three roundings, and
the kernel has its square."""


@pytest.mark.parametrize("target", list(ARCS))
def test_relu_keeps_four_eps_of_its_value(target: Any) -> None:
    point = ARCS[target]
    found = compile_(as_activation("relu"), target)(*([v] for v in point))
    ctx = MPContext()
    ctx.dps = 40
    args = dict(zip(("q11", "q12", "q22"), map(ctx.mpf, point), strict=True))
    exact = lower_dual(dual(as_activation("relu"))).evaluate(args, ctx)["nngp"]
    assert abs(float(np.ravel(found.nngp)[0]) - exact) <= 4.0 * EPS * exact


OF_VALUES = (
    ("relu4", "nngp", (1.2273168234482905, -0.0025276669877589363, 5.205746616473005e-06)),
    ("relu4", "dot", (4.592360278358003, -5.786259032297919, 7.290541586345291)),
    ("cubed_relu", "nngp", (5794.325554843034, -44.49804866508246, 0.3417268008603783)),
    ("smooth_relu", "nngp", (2146.560185590017, -15291.46681940451, 116830.27168215557)),
    ("mexican_hat", "nngp", (3302.5869129145776, -9531.31469306195, 27596.555668791043)),
    ("gabor", "dot", (1209.8958609973142, 215.83574599773098, 969.0517209967638)),
    ("odd_gaussian", "dot", (114.2546895914078, 6.198512981142622, 43.32904387523418)),
    ("triangle", "nngp", (1.7390099479739727, -0.20892200640730374, 2.5427042628483965)),
    ("triangle", "nngp", (5.038966496632895, 2.7072886282006604e-17, 1.4545466260357602)),
    ("relu6", "nngp", (0.5989225648196974, -0.40988391861984663, 0.32042488329056396)),
    ("relu6", "dot", (97.37141986110765, 55.817546113462065, 181.36737357507945)),
    ("relu6", "dot", (284.15962681195134, 148.6107059631635, 141.48027155765396)),
    ("relu6", "nngp", (400.0, -1.4, 0.01)),
    ("hardtanh", "dot", (7.4622881387460165, 1.9797915661213026, 3.209772368890941)),
)
"""Off by 4.6 to 13 eps of their value, in C or NumPy: the mean of one input cancelled, each integral
had the roundings that all have in common, and masses were sums of terms ten times as large; powers
of nearly opposite inputs had the power of a rounded gap, whose square root was of a determinant
less than an eps of its products; and third
and fifth powers of a root had what rounding made of it as often."""


@pytest.mark.parametrize(("name", "label", "point"), OF_VALUES)
def test_duals_keep_four_eps_of_their_value(
    name: str, label: str, point: tuple[float, ...]
) -> None:
    ctx = MPContext()
    ctx.dps = 120
    args = dict(zip(("q11", "q12", "q22"), map(ctx.mpf, point), strict=True))
    exact = lower_dual(dual(as_activation(name))).evaluate(args, ctx)[label]
    for target in BACKENDS:
        found = compile_(as_activation(name), target.name)(*([v] for v in point))
        got = float(np.ravel(getattr(found, label))[0])
        assert abs(got - exact) <= 4.0 * EPS * exact, target.name


@pytest.mark.parametrize("target", [b.name for b in BACKENDS])
def test_definitions_keep_the_digits_of_tiny_values(target: Any) -> None:
    """Densities below exp(-600) and exp(-690) counted as that in C: 1e-248 for 2e-287."""
    point = (0.00018844771030970258, -0.008498590728206707, 12.172374525365592)
    found = compile_(as_activation("hardshrink"), target)(*([v] for v in point), lam=0.5)
    assert float(found.dot[0]) == pytest.approx(2.4549467163745628e-287, rel=4.0 * EPS, abs=0.0)


@pytest.mark.parametrize("target", [b.name for b in BACKENDS])
def test_both_sides_of_a_peak_meet_at_it(target: Any) -> None:
    """Where two parts of an integral meet was rounded, for each of them otherwise: 26 eps."""
    point = (0.00024321400176644396, -0.007469864817974848, 4.039292953388912)
    found = compile_(as_activation("softshrink"), target)(*([v] for v in point), lam=0.5)
    exact = 1.547395791715018947922245463881e-225
    assert float(found.dot[0]) == pytest.approx(exact, rel=4.0 * EPS, abs=0.0)


FAR_OUT = (
    ("odd_gaussian", (1e20, 3e19, 2e20)),
    ("odd_gaussian", (1e98, -3e97, 2e98)),
    ("gaussian", (2e89, -1.4e89, 2e89)),
    ("gaussian", (1e174, 9e173, 1e174)),
    ("max(x - 1, 0)", (1.2785461182840968e281, -1.2785461182840918e281, 1.2785461182840968e281)),
    ("max(x - 1, 0)", (1.337802299454647e270, -2.0119793505309285e270, 3.025903684433083e270)),
)
"""Off by 500 eps of their value in C and by 15600 in NumPy, wrong in every digit at the next ones:
third powers of a root overflow where their reciprocals do not, and a rule that holds beside the
size of the kernel took the place of the closed form.  Thresholds were off by up to 20000 eps: they
counted as 2^-64 standard deviations, of values that are 1e-23 of the size."""


@pytest.mark.parametrize(("text", "point"), FAR_OUT)
def test_what_is_far_out_keeps_four_eps_of_its_value(text: str, point: tuple[float, ...]) -> None:
    ctx = MPContext()
    ctx.dps = 40
    entries, d = ("q11", "q12", "q22"), dual(as_activation(text))
    b = Builder(entries)
    plain = b.program("plain", (("nngp", b.operand(d.value)), ("dot", b.operand(d.dot))))
    exact = plain.evaluate(dict(zip(entries, map(ctx.mpf, point), strict=True)), ctx)
    for target in BACKENDS:
        found = compile_(as_activation(text), target.name)(*([v] for v in point))
        for label in ("nngp", "dot"):
            got = float(np.ravel(getattr(found, label))[0])
            if abs(exact[label]) > 1e-290:
                assert abs(got - exact[label]) <= 4.0 * EPS * abs(exact[label]), target.name
