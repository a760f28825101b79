"""Networks: depth one by hand, conventions against their formulas, composition, specifications."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from sympy import Expr, ImmutableDenseNDimArray, Integer, Rational, Symbol, asin, oo, pi, sqrt

from ntksym import symbols as S
from ntksym.activation import Activation
from ntksym.errors import BadSpec
from ntksym.network import (
    Convention,
    Dense,
    Input,
    KernelState,
    Network,
    Nonlinearity,
    mlp,
    recurse,
)

q11, q12, q22, q, t12, sw2, sb2 = S.q11, S.q12, S.q22, S.q, S.t12, S.weight_var, S.bias_var
d = Symbol("d", positive=True, integer=True)
WIDTH = Symbol("width", positive=True, integer=True)

K = (sqrt(q11 * q22 - q12**2) + q12 * asin(q12 / (sqrt(q11) * sqrt(q22)))) / (2 * pi) + q12 / 4
KDOT = asin(q12 / (sqrt(q11) * sqrt(q22))) / (2 * pi) + Rational(1, 4)


@dataclass(frozen=True)
class Hand:
    """Closed forms typed by hand, so that these tests do not rest on the derivation."""

    value: Expr
    dot: Expr
    dot_ae: Expr
    diag: Expr
    diag_dot: Expr
    diag_dot_ae: Expr


RELU = Hand(K, KDOT, KDOT, q / 2, Rational(1, 2), Rational(1, 2))
ARC = asin(q12 / (sqrt(q11) * sqrt(q22)))
SIGN = Hand(
    2 * ARC / pi, 2 / (pi * sqrt(q11 * q22 - q12**2)), Integer(0), Integer(1), oo, Integer(0)
)


def network(
    convention: Convention, depth: int = 1, hand: Hand = RELU, dense: Dense | None = None
) -> Network:
    act = Activation("hand", S.x)
    block = (Nonlinearity(act, dual=hand), dense or Dense())
    return Network(Input(), (block,) * depth, convention)


def zero(expr: Expr) -> bool:
    """Equality of two of our expressions, by expansion and by two exact points."""
    if expr.expand() == 0:
        return True
    points = (
        {q11: 2, q12: Rational(1, 3), q22: 1, t12: 5},
        {q11: 1, q12: -Rational(1, 2), q22: 3, t12: -1},
    )
    rest = {q: 2, sw2: 3, sb2: Rational(1, 7), d: 4, WIDTH: 64}
    return all(abs(expr.subs({**p, **rest}).evalf(40)) < 1e-35 for p in points)


# -- depth one by hand -------------------------------------------------------------------------------


def test_depth_one_by_hand() -> None:
    rec = recurse(network(Convention(weight_var=2, bias_var=Rational(1, 10))))
    assert zero(rec.input_rule.nngp - (sw2 * q12 / d + sb2))
    assert zero(rec.input_rule.ntk - rec.input_rule.nngp)
    (rule,) = rec.layers
    assert zero(rule.nngp - (sw2 * K + sb2))
    assert zero(rule.ntk - (sw2 * K + sb2 + sw2 * KDOT * t12))
    assert zero(rule.nngp_diag - (sw2 * q / 2 + sb2))
    assert zero(rule.ntk_diag - (sw2 * q / 2 + sb2 + sw2 * t12 / 2))
    assert dict(rule.values) == {sw2: 2, sb2: Rational(1, 10)}
    assert zero(rec.theta[1] - (2 * K + Rational(1, 10) + 2 * KDOT * t12))


def test_layers_with_other_numbers_share_one_rule() -> None:
    net = mlp("max(x, 0)", depth=3, weight_var=[1, 2, 3, Rational(1, 2)], bias_var=[0, 1, 0, "0.1"])
    rec = recurse(net)
    assert len({(r.nngp, r.ntk, r.nngp_diag, r.ntk_diag) for r in rec.layers}) == 1
    assert [dict(r.values) for r in rec.layers] == [
        {sw2: 2, sb2: 1},
        {sw2: 3, sb2: 0},
        {sw2: Rational(1, 2), sb2: Rational(1, 10)},
    ]
    assert rec.runs() == ((0, 1), (1, 2), (2, 3))


def test_symbols_of_the_user_stay_and_have_no_value() -> None:
    c = Symbol("c", positive=True)
    (rule,) = recurse(network(Convention(weight_var=c, bias_var=0))).layers
    assert zero((rule.nngp - (c * K + sb2)).subs(c, 3))
    assert dict(rule.values) == {sb2: 0}


# -- conventions -------------------------------------------------------------------------------------


def test_jacot() -> None:
    rec = recurse(network(Convention.jacot()))
    assert rec.sigma[0] == rec.theta[0] == q12 + 1
    assert zero(rec.theta[1] - (K + 1 + KDOT * t12))


def test_he_halves_nothing_on_the_diagonal() -> None:
    (rule,) = recurse(network(Convention.he())).layers
    assert rule.nngp_diag.subs(dict(rule.values)) == q


def test_neural_tangents_ntk() -> None:
    # ntk: K <- W^2 K + b^2; Theta <- K_new + W^2 Theta
    rec = recurse(network(Convention.neural_tangents("1.5", "0.2")))
    w, b = Rational(9, 4), Rational(1, 25)
    assert zero(rec.sigma[0] - (w * q12 / d + b))
    assert zero(rec.theta[1] - (w * K + b + w * KDOT * t12))


@pytest.mark.parametrize(
    ("b_std", "bias", "one"), [(None, 0, 0), ("0.5", Rational(1, 4), 1), (0, 0, 1)]
)
def test_neural_tangents_standard(b_std: object, bias: Expr, one: int) -> None:
    # standard: Theta <- N K_old + W^2 Theta (+ 1 with a bias); K <- W^2 K + b^2
    convention = Convention.neural_tangents(2, b_std, parametrization="standard", width=64)
    rec = recurse(network(convention))
    assert zero(rec.sigma[0] - (4 * q12 / d + bias))
    assert zero(rec.theta[0] - (q12 + one))
    assert zero(rec.sigma[1] - (4 * K + bias))
    assert zero(rec.theta[1] - (64 * K + one + 4 * KDOT * t12))


def test_standard_width_stays_a_symbol() -> None:
    (rule,) = recurse(network(Convention("standard"))).layers
    assert WIDTH in rule.ntk.free_symbols
    assert WIDTH not in dict(rule.values)


def test_scikit_ntk() -> None:
    # there: Theta_0 = x.y + b^2, Sigma_0 = x.y; then S, S' with the factor 2 and
    # Theta <- Theta S' + S + b^2, the covariance itself without a bias
    rec = recurse(network(Convention.scikit_ntk(bias="0.3")))
    b2 = Rational(9, 100)
    assert rec.sigma[0] == q12
    assert rec.theta[0] == q12 + b2
    assert zero(rec.sigma[1] - 2 * K)
    assert zero(rec.theta[1] - (2 * KDOT * t12 + 2 * K + b2))


def test_arora_has_no_factor_in_the_first_layer() -> None:
    rec = recurse(network(Convention.arora()))
    assert rec.sigma[0] == rec.theta[0] == q12
    assert zero(rec.theta[1] - (2 * K + 2 * KDOT * t12))


def test_frozen_layers_drop_their_own_term() -> None:
    rec = recurse(network(Convention(weight_var=2, trained=(False, True, False)), depth=2))
    assert rec.theta[0] == 0
    assert zero(rec.theta[1] - (2 * K + 2 * KDOT * t12))
    assert zero(rec.theta[2] - 2 * KDOT * t12)
    assert zero(rec.sigma[2] - 2 * K)


def test_both_derivatives_of_a_jump() -> None:
    (ae,) = recurse(network(Convention(), hand=SIGN)).layers
    assert ae.ntk == ae.nngp
    price = Convention(derivative="distributional")
    (rule,) = recurse(network(price, hand=SIGN)).layers
    assert zero(rule.ntk - (sw2 * SIGN.value + sb2 + sw2 * SIGN.dot * t12))
    assert rule.ntk_diag is oo


def test_conventions_say_what_they_are() -> None:
    text = "\n".join(Convention.scikit_ntk("0.3").describe())
    assert "biases trained, zero at initialisation" in text
    assert "raw inner products" in text
    assert "weight_var of the first layer = 1" in text
    assert Convention.he().latex() == r"\Sigma' = 2\,K,\qquad \Theta' = \Sigma' + 2\,\dot K\,\Theta"


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"parametrization": "ntkk"}, "parametrization = 'ntkk'"),
        ({"weight_var": -1}, "weight_var = -1 is negative"),
        ({"bias_var": "one"}, "cannot read 'one' as a number"),
        ({"bias_init": "ones"}, "one of: normal, zero"),
        ({"trained": (1, 0)}, "trained = (1, 0)"),
        ({"width": 0}, "width = 0"),
        ({"weight_var": None}, "cannot use None"),
        ({"input_scaling": 1}, "input_scaling = 1"),
    ],
)
def test_bad_conventions(kwargs: dict[str, object], message: str) -> None:
    with pytest.raises(BadSpec) as caught:
        Convention(**kwargs)
    assert message in caught.value.text


# -- composition -------------------------------------------------------------------------------------


def test_unrolled_is_the_composition_of_the_rules() -> None:
    rec = recurse(mlp("max(x, 0)", depth=3, weight_var=2, bias_var=Rational(1, 3)))
    states = rec.unrolled(3)
    assert len(states) == 4
    at = {q11: 2, q12: Rational(1, 2), q22: 3, d: 2}
    now = {
        q11: rec.input_rule.nngp_diag.subs(q, 2),
        q12: rec.sigma[0],
        q22: rec.input_rule.nngp_diag.subs(q, 3),
    }
    now = {k: e.subs({**dict(rec.input_rule.values), **at}) for k, e in now.items()}
    now[t12] = rec.theta[0].subs(at)
    for sigma, theta, rule, state in zip(
        rec.sigma[1:], rec.theta[1:], rec.layers, states[1:], strict=True
    ):
        diag = rule.nngp_diag.subs(dict(rule.values))
        now = {
            q11: diag.subs(q, now[q11]).evalf(50),
            q22: diag.subs(q, now[q22]).evalf(50),
            q12: sigma.subs(now).evalf(50),
            t12: theta.subs(now).evalf(50),
        }
        assert abs((state.nngp12.subs(at) - now[q12]).evalf(40)) < 1e-30
        assert abs((state.ntk12.subs(at) - now[t12]).evalf(40)) < 1e-30
        assert abs((state.nngp11.subs(at) - now[q11]).evalf(40)) < 1e-30


def test_unrolling_stops_where_it_is_told() -> None:
    assert len(recurse(mlp("max(x, 0)", depth=5)).unrolled(1)) == 2


def test_depth_costs_nothing_until_it_is_unrolled() -> None:
    rec = recurse(mlp("max(x, 0)", depth=1000))
    assert len({id(r) for r in rec.layers}) == 1


def test_latex_names_the_layers() -> None:
    lines = recurse(mlp("max(x, 0)", depth=3, weight_var=2, bias_var=1)).latex_lines()
    assert lines[0] == r"\Sigma^{(1)}_{12} &= 1 + \frac{2 x \cdot y}{d}"
    assert lines[2].endswith(r"\ell = 1, \dots, 3")
    assert (
        r"\Theta^{(\ell+1)}_{12} &= \Sigma^{(\ell+1)}_{12} + \frac{\Theta^{(\ell)}_{12}" in lines[3]
    )


# -- position arrays ---------------------------------------------------------------------------------


def test_states_over_positions_act_on_each_pair() -> None:
    def array(rows: list[list[int]]) -> ImmutableDenseNDimArray:
        return ImmutableDenseNDimArray(rows)

    own, cross = array([[4, 1], [1, 9]]), array([[2, 1], [0, 3]])
    state = KernelState(own, cross, own, cross, own, None, positions=(2,))
    convention = Convention()
    after = Nonlinearity(Activation("hand", S.x), dual=RELU).kernel(state, convention, 1)
    at = {q11: Integer(4), q12: Integer(1), q22: Integer(9)}
    assert after.nngp12[0, 1] == K.xreplace(at)
    assert after.nngp11[0, 0] == 2
    assert after.nngp11[1, 1] == Rational(9, 2)
    assert after.ntk12[1, 1] == (KDOT * t12).xreplace(
        {q11: Integer(9), q12: Integer(3), q22: Integer(9), t12: Integer(3)}
    )
    assert after.ntk11[0, 0] == 2
    assert after.ntk22 is None
    dense = Dense(Integer(2), Integer(1)).kernel(state, convention, 1)
    assert dense.nngp12[1, 0] == sb2
    assert dense.ntk11[1, 1] == 9 * sw2 + sb2 + 9 * sw2


def test_states_without_the_right_shape_are_refused() -> None:
    with pytest.raises(BadSpec, match=r"nngp11 has shape \(\), not \(2, 2\)"):
        KernelState(q11, q12, q22, t12, positions=(2,))


# -- a finite network --------------------------------------------------------------------------------


def test_finite_network_has_this_tangent_kernel() -> None:
    """Smoke only: f = v.relu(W x)/sqrt(n) + b, its NTK summed over parameters, n = 20000."""
    rng = np.random.default_rng(7)
    n, sw, sb = 20_000, 1.5, 0.3
    x, y = np.array([0.6, -0.8, 0.5]), np.array([0.9, 0.1, -0.2])
    w, b, v = rng.normal(size=(n, 3)), rng.normal(size=n), rng.normal(size=n)
    hx, hy = (sw * w @ z / np.sqrt(3) + sb * b for z in (x, y))
    sx, sy = (np.maximum(h, 0) for h in (hx, hy))
    gate = (hx > 0) * (hy > 0) * v**2
    readout = sw**2 * np.mean(sx * sy) + sb**2
    hidden = sw**2 * np.mean(gate) * (sw**2 * x @ y / 3 + sb**2)
    rec = recurse(mlp("max(x, 0)", depth=1, weight_var="2.25", bias_var="0.09"))
    state = rec.unrolled(1)[1]
    at = {q11: x @ x, q12: x @ y, q22: y @ y, d: 3}
    assert float(state.nngp12.subs(at)) == pytest.approx(readout, rel=0.05)
    assert float(state.ntk12.subs(at)) == pytest.approx(readout + hidden, rel=0.05)


def test_floats_of_numpy_are_the_decimals_that_they_print() -> None:
    """Single and extended ones too, which are no Python floats."""
    for value in (np.float32(0.1), np.float64(0.1), np.float16(0.1), np.longdouble("0.1")):
        assert mlp("relu", 1, weight_var=value) == mlp("relu", 1, weight_var="1/10")
