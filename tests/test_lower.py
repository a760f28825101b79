"""Lowering: programs mean what the expressions say, keep their digits, and are the same bytes."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from mpmath import MPContext
from sympy import (
    Expr,
    I,
    Integer,
    Max,
    Rational,
    Symbol,
    asin,
    exp,
    pi,
    sinh,
    sqrt,
)

from ntksym.activation import Activation
from ntksym.errors import BadProgram, BadSpec, UnsupportedOp
from ntksym.functions import Phi, Phi2
from ntksym.functions import phi2 as phi2_quadrature
from ntksym.lower import OPS, Let, Program, lower_dual, lower_layer, lower_network
from ntksym.lower.build import Builder
from ntksym.lower.polynomial import DET, det_multiple, positive_form
from ntksym.lower.stable import TABLE
from ntksym.symbols import bias_var, q, q11, q12, q22, t12, weight_var, x

rho = q12 / (sqrt(q11) * sqrt(q22))
RELU = sqrt(q11 * q22 - q12**2) / (2 * pi) + q12 * asin(rho) / (2 * pi) + q12 / 4
RELU_DOT = asin(rho) / (2 * pi) + Rational(1, 4)
ERF = 2 * asin(2 * q12 / (sqrt(2 * q11 + 1) * sqrt(2 * q22 + 1))) / pi
SHIFTED = Phi2(-1 / sqrt(q11), -2 / sqrt(q22), rho) * Phi(q12 - 1)
WAVE = exp(-(q11 + q22) / 2) * sinh(q12)
SAMPLES = {"relu": RELU, "relu_dot": RELU_DOT, "erf": ERF, "shifted": SHIFTED, "wave": WAVE}
POINTS = ((1, Rational(1, 2), 1), (Rational(3, 10), Rational(-2, 5), 2), (5, 3, 4))


def program(e: Expr, *extra: str) -> Program:
    b = Builder(("q11", "q12", "q22", *extra))
    return b.program("sample", (("value", b.operand(e)),))


def context(dps: int = 30) -> MPContext:
    ctx = MPContext()
    ctx.dps = dps
    return ctx


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_program_means_the_expression(name: str, point: tuple[Expr, Expr, Expr]) -> None:
    e, ctx = SAMPLES[name], context()
    values = dict(zip((q11, q12, q22), map(Rational, point), strict=True))
    exact = ctx.mpf(str(e.xreplace(values).evalf(25)))
    got = program(e).evaluate(
        {s.name: ctx.mpf(int(v.p)) / int(v.q) for s, v in values.items()}, ctx
    )
    assert abs(got["value"] - exact) < 1e-20


def test_relu_is_one_arc_and_no_asin() -> None:
    ops = [let.op for let in program(RELU).body]
    assert sorted(ops[:5]) == ["arc3", "mul", "rootdet", "sqrt0", "sqrt0"]
    assert "atan2" not in ops and "asin3" not in ops
    assert "angle3" in [let.op for let in program(RELU_DOT).body]


def test_erf_root_is_a_sum_of_positive_terms() -> None:
    ops = {let.op for let in program(ERF).body}
    assert {"rootdet", "hyproot", "asin3"} <= ops
    assert not ops & {"sub", "neg"}


def test_positive_forms() -> None:
    e = (1 + 2 * q11) * (1 + 2 * q22) - 4 * q12**2
    assert positive_form(e) == 1 + 2 * q11 + 2 * q22 + 4 * DET
    assert det_multiple(3 * q11 * q22 - 3 * q12**2) == 3
    assert positive_form(q11 - q12) is None
    assert det_multiple(q11 + 1) is None


def test_numbers_are_not_multiplied_into_differences() -> None:
    body = program(-18 * (q11 - 2 * q12 + q22) / (q11 * q22 - q12**2)).body
    # q11 - 2*q12 + q22 as a square and a gap, whatever stands before it
    assert [let.op for let in body].count("gap3") == 1
    assert not any("q12" in let.args for let in body if let.op in ("mul", "sub"))


def test_phi2_meaning_against_plackett_quadrature() -> None:
    ctx = context(25)
    for h, k, r in ((0.3, -1.2, 0.5), (-2.0, -2.0, -0.8), (1.5, 0.2, 0.9), (0.0, -1.0, 0.4)):
        r = ctx.mpf(r)
        got = OPS["Phi2"].meaning(ctx, ctx.mpf(h), ctx.mpf(k), 3 * r, 3 * ctx.sqrt(1 - r * r))
        assert abs(got - phi2_quadrature(ctx, ctx.mpf(h), ctx.mpf(k), r)) < 1e-15
    one, zero = ctx.one, ctx.zero
    assert (
        abs(OPS["Phi2"].meaning(ctx, one, 2 * one, one, zero) - OPS["Phi"].meaning(ctx, one)) == 0
    )
    assert OPS["Phi2"].meaning(ctx, zero, zero, zero, zero) == 0.25


@pytest.mark.parametrize(
    ("lets", "text"),
    [
        ((Let("a", "tan", ("q11",)),), "unknown operation 'tan'"),
        ((Let("a", "add", ("q11",)),), "add takes 2 arguments"),
        ((Let("a", "neg", ("b",)),), "'b' is not yet defined"),
        ((Let("q11", "neg", ("q11",)),), "'q11' is defined twice"),
    ],
)
def test_ill_formed_programs_cannot_exist(lets: tuple[Let, ...], text: str) -> None:
    with pytest.raises(BadProgram, match=text):
        Program("bad", ("q11",), lets, ())


def test_missing_value_is_named() -> None:
    with pytest.raises(BadProgram, match="no value for 'q22'"):
        program(RELU).evaluate({"q11": 1, "q12": 0})


def test_complex_and_unknown_are_refused() -> None:
    with pytest.raises(UnsupportedOp, match="complex arguments"):
        program(I * q12)
    with pytest.raises(UnsupportedOp, match="symbol beta is not an input"):
        program(Symbol("beta", real=True) * q12)


def test_table_rows_are_complete() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)
    for row in TABLE:
        assert row.reason and row.points and row.before != row.after


# -- layers -----------------------------------------------------------------------------------


def relu_rule(weight: object = 2, bias: object = 0) -> SimpleNamespace:
    nngp, diag = weight_var * RELU + bias_var, weight_var * q / 2 + bias_var
    return SimpleNamespace(
        name="relu",
        activation=Activation("relu", Max(x, 0)),
        nngp=nngp,
        ntk=nngp + weight_var * RELU_DOT * t12,
        nngp_diag=diag,
        ntk_diag=diag + weight_var * t12 / 2,
        values=((weight_var, Rational(weight)), (bias_var, Rational(bias))),
    )


def relu_recursion(depth: int, weight: object = 2, bias: object = 0) -> Any:
    d = Symbol("d", positive=True)
    first = weight_var * q12 / d + bias_var
    values = ((weight_var, Rational(weight)), (bias_var, Rational(bias)))
    return SimpleNamespace(
        input_rule=SimpleNamespace(name="input", nngp=first, ntk=first, values=values),
        layers=tuple(relu_rule(weight, bias) for _ in range(depth)),
    )


def test_equal_layers_share_one_program() -> None:
    schedule = lower_network(relu_recursion(20))
    assert len(schedule.steps) == 20
    assert len(schedule.kinds) == 1


@pytest.mark.parametrize("bias", [Integer(0), Rational(1, 10)])
@pytest.mark.parametrize("angle", [1e-9, 1e-4, 1.0, 2.5, 3.141])
def test_carried_root_is_the_next_root(bias: Expr, angle: float) -> None:
    ctx = context(60)
    rule = relu_rule(2, bias)
    p = lower_layer(rule)
    a, b, theta = ctx.mpf(2), ctx.mpf("0.7"), ctx.mpf(angle)
    after = [2 * v / 2 + ctx.mpf(int(bias.p)) / int(bias.q) for v in (a, b)]
    m = ctx.sqrt(a * b)
    state = {
        "q11": a, "q12": m * ctx.cos(theta), "q22": b, "root": m * ctx.sin(theta), "t12": ctx.one,
        "n11": after[0], "n22": after[1], "r11": ctx.sqrt(a), "r22": ctx.sqrt(b),
        "s11": ctx.sqrt(after[0]), "s22": ctx.sqrt(after[1]),
        "weight_var": 2, "bias_var": ctx.mpf(int(bias.p)) / int(bias.q),
    }  # fmt: skip
    out = p.evaluate(state, ctx)
    plain = ctx.sqrt(after[0] * after[1] - out["nngp"] ** 2)
    assert abs(out["root"] / plain - 1) < 1e-25
    assert "rootdet" not in {let.op for let in p.body}


def test_scaling_of_the_next_root_rounds_nothing() -> None:
    """Of opposite inputs the next root is the next length: with rounded scales 1.5 eps off."""
    p = lower_layer(relu_rule(2, Integer(0)))
    exact, rounded = context(40), context(16)
    rounded.prec = 53
    worst = 0.0
    for k in range(200):
        q = 5.0 + k / 37
        sides = dict.fromkeys(("q11", "q22", "n11", "n22"), q) | {"q12": -q, "root": 0.0, "t12": 1}
        sides |= dict.fromkeys(("r11", "r22", "s11", "s22"), math.sqrt(q))
        found = p.evaluate(sides | {"weight_var": 2, "bias_var": 0}, rounded)["root"]
        want = exact.mpf(math.sqrt(q)) ** 2
        worst = max(worst, abs(float((exact.mpf(found) - want) / want)) * 2**52)
    assert worst < 1.25


def test_other_layers_form_the_root_from_the_covariance() -> None:
    rule = relu_rule()
    rule.nngp, rule.ntk = weight_var * ERF + bias_var, weight_var * ERF * t12
    assert "rootdet" in {let.op for let in lower_layer(rule).body}


def test_parameter_without_value() -> None:
    recursion = relu_recursion(2)
    recursion.layers[1].values = ((weight_var, Integer(2)),)
    with pytest.raises(BadSpec, match="parameter 'bias_var' has no value") as caught:
        lower_network(recursion)
    assert "layer 2 (relu)" in caught.value.text


def test_requirements_say_when_sizes_matter() -> None:
    made = SimpleNamespace(
        activation=Activation("relu", Max(x, 0)),
        value=RELU, dot=RELU_DOT, diag=q / 2, diag_dot=Rational(1, 2),
    )  # fmt: skip
    assert not any("overflow" in r for r in lower_dual(made).requires)
    made.value = ERF
    assert any("overflow" in r for r in lower_dual(made).requires)


def test_complex_forms_are_refused_by_name() -> None:
    from ntksym.dual import dual

    with pytest.raises(UnsupportedOp, match="Phi2 of complex arguments"):
        lower_dual(dual("sin(x)*heaviside(x)"))


@pytest.mark.parametrize("name", ["x_cos", "laplace", "one_sided_exponential", "celu"])
def test_large_exponents_and_waves_keep_four_eps(name: str) -> None:
    """Nearly parallel inputs of variance 5: 17, 10 and 5 eps where arguments are rounded once."""
    from ntksym.activations import named
    from ntksym.dual import dual
    from ntksym.lower import lower_dual, lower_dual_diag
    from ntksym.runtime import compile as compile_kernel

    derived = dual(named(name))
    pair, own = lower_dual(derived), lower_dual_diag(derived)
    params = {a: 0.5 for a in pair.args if a not in ("q11", "q12", "q22")}
    ctx = MPContext()
    ctx.dps = 25
    got = compile_kernel(named(name), target="numpy")(
        np.array([5.0]), np.array([4.980468750000001]), np.array([5.0]), **params
    )
    exact = pair.evaluate({"q11": 5.0, "q12": 4.980468750000001, "q22": 5.0, **params}, ctx)
    size = own.evaluate({"q": 5.0, **{a: params[a] for a in own.args if a != "q"}}, ctx)
    for label, value in (("nngp", got.nngp[0]), ("dot", got.dot[0])):
        assert abs(exact[label] - float(value)) <= 4 * 2.0**-52 * abs(size[label]), label
