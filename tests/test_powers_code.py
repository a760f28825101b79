"""Real powers and log|x| as text and as code: printing, C, NumPy, networks, the command."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from mpmath import MPContext
from power_cases import CASES, EPS, HALF, PLUS, POINTS, A, P, act, derivation
from sympy import (
    Abs,
    Rational,
    Symbol,
    gamma,
    hyper,
    log,
    nan,
    oo,
    pi,
)

import ntksym
from ntksym.backends.hyper import connection
from ntksym.dual import dual
from ntksym.errors import NoClosedForm
from ntksym.language import parse
from ntksym.language.write import to_text
from ntksym.lower.ops import OPS
from ntksym.powers import is_zero, prove_powers
from ntksym.symbols import q, q11, q12, q22, x
from ntksym.verify.balls import enclose_definition, enclose_expr

# -- log|x| ----------------------------------------------------------------------------------


@pytest.mark.parametrize("point", [*POINTS, (1, 0, 2), (2, 2, 2), (1, -2, 4)], ids=str)
def test_the_logarithm(point: tuple[Any, Any, Any]) -> None:
    d = dual(act(2 + 3 * log(Abs(5 * x))))
    ball = enclose_definition(d.activation, *point)
    assert ball.rel_digits >= 30 and ball.overlaps(enclose_expr(d.at(*point), {}))
    assert prove_powers(d.derivation).holds


def test_the_logarithm_is_the_limit_of_powers() -> None:
    """(|x|^p - 1)/p at p = 1e-12: the dual, the derivative dual and the diagonal to eleven digits."""
    small = Rational(1, 10**12)
    near, limit = derivation((Abs(x) ** small - 1) / small), dual(act(log(Abs(x))))
    values = {q11: 2, q12: 1, q22: 3, q: 2}
    for one, two in ((near.value, limit.value), (near.dot, limit.dot), (near.diag, limit.diag)):
        first, second = (float(enclose_expr(e, values, digits=15).mid) for e in (one, two))
        assert abs(first - second) <= 1e-11 * abs(second)


def test_logarithms_that_are_not_the_limit() -> None:
    for expr in (log(Abs(x)) + Abs(x), log(Abs(x)) ** 2, log(Abs(x - 1)), log(Abs(A * x))):
        with pytest.raises(NoClosedForm):
            dual(act(expr))
    assert dual(act(log(Abs(x)))).dot_ae is nan and dual(act(log(x**2))).diag_dot == oo


def test_generated_logarithm() -> None:
    d = dual(act(log(Abs(x))))
    values = {q11: 2, q12: 1, q22: 3}
    exact = float(enclose_expr(d.value, values, digits=18).mid)
    for target in ("c", "numpy"):
        got = ntksym.compile(d, target=target)(np.array([2.0]), np.array([1.0]), np.array([3.0]))
        assert abs(got.nngp[0] - exact) <= 1e-15


# -- zero tests ------------------------------------------------------------------------------


def test_formulas_written_in_another_way() -> None:
    rho = Symbol("rho", real=True)
    unit = {q11: Rational(1), q22: Rational(1), q12: rho}
    value = derivation(Abs(x) ** P).value.xreplace(unit)
    shifted = 2 ** (P + 2) * gamma((P + 3) / 2) ** 2 / (P + 1) ** 2 / pi
    other = shifted * hyper((-P / 2, -P / 2), (HALF,), rho**2)
    assert is_zero(value - other) and is_zero(A * value - other * (A + 1) + value)
    assert not is_zero(value - (P + 1) * other) and not is_zero(value - other - 1)


# -- text and code ---------------------------------------------------------------------------


def test_text_reads_back() -> None:
    d = dual(act(PLUS ** Rational(3, 2)))
    text = to_text(d.value)
    assert "hyp2f1(1/2, 1/2, 3, " in text
    assert parse(text, variables=("q11", "q12", "q22"), formula=True) == d.value


def evaluations(name: str) -> tuple[Any, list[tuple[float, float, float]]]:
    rng = np.random.default_rng(7)
    points = []
    for _ in range(20):
        a, b = 10.0 ** rng.uniform(-3, 3, 2)
        near = 1 - 10.0 ** rng.uniform(-14, 0)
        for rho in (rng.uniform(-1, 1), near, -near):
            points.append((float(a), float(rho * np.sqrt(a * b)), float(b)))
    return dual(act(CASES[name][0])), points


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("name", [n for n in CASES if n not in ("singular", "jump")])
def test_generated_code(name: str, target: str) -> None:
    d, points = evaluations(name)
    run = ntksym.compile(d, target=target)
    a, c, b = (np.array(z) for z in zip(*points, strict=True))
    got = run(a, c, b)
    for i, point in enumerate(points):
        values = {s: Rational(z) for s, z in zip((q11, q12, q22), point, strict=True)}
        size = 1.0
        for z in (values[q11], values[q22]):
            size *= float(enclose_expr(d.diag, {q: z}, digits=18).mid) ** 0.5
        exact = float(enclose_expr(d.value, values, digits=20).mid)
        assert abs(got.nngp[i] - exact) <= 16 * EPS * size, (point, got.nngp[i], exact)
        exact = float(enclose_expr(d.dot, values, digits=20).mid)
        # near rho = +-1 the derivative of a rough power moves with the last bit of q12
        slack = 1.0 if d.diag_dot != oo else 64.0
        bound = 16 * EPS * slack * max(abs(exact), size / float(np.sqrt(a[i] * b[i])))
        assert abs(got.dot[i] - exact) <= bound, (point, got.dot[i], exact)


def test_the_expansion_at_one() -> None:
    """Against mpmath: whole, half-whole and general c - a - b, also just beside a whole number."""
    ctx = MPContext()
    ctx.dps = 60
    for a, b, c in (
        ("1/2", "1/2", "3"),
        ("1/2", "1/2", "1"),
        ("-3/4", "-3/4", "1/2"),
        ("3/4", "3/4", "1/2"),
        ("1/2", "1/2", "2000000001/1000000000"),
        ("-1/3", "-1/4", "1/2"),
    ):
        n = connection(Fraction(a), Fraction(b), Fraction(c))
        assert n.m == round(n.c - n.a - n.b) and abs(n.epsilon) <= 0.5
        assert np.isfinite(n.values()).all()
        if n.m > 0:
            big = [ctx.mpf(z) for z in (n.a, n.b, n.c)]
            gauss = ctx.hyp2f1(*big, 1)
            assert abs(n.head - gauss) <= 1e-14 * abs(gauss)


def test_the_meaning_of_hyp2f1() -> None:
    ctx = MPContext()
    ctx.dps = 30
    half, one, zero = ctx.mpf(1) / 2, ctx.one, ctx.zero
    meaning = OPS["hyp2f1"].meaning
    assert ctx.almosteq(meaning(ctx, half, half, 3 * half, one, one), ctx.pi / 4 * ctx.sqrt(2))
    assert ctx.almosteq(meaning(ctx, half, half, 3 * half, one, zero), ctx.pi / 2)
    assert meaning(ctx, half, half, one, one, zero) == ctx.inf
    tiny = ctx.mpf(10) ** -200  # 1 - z is kept where z has lost it
    grown = meaning(ctx, half, half, one, one, tiny)
    assert ctx.almosteq(grown, ctx.log(16 / tiny) / ctx.pi, 1e-25)


def test_network_and_kernel() -> None:
    rng = np.random.default_rng(3)
    data = rng.normal(size=(6, 4))
    data[1] = -data[0]
    net = ntksym.mlp("max(x,0)^(3/2)", depth=2)
    c, numpy = (ntksym.compile(net, target=t)(data) for t in ("c", "numpy"))
    assert np.allclose(c.ntk, numpy.ntk, rtol=1e-13) and np.array_equal(c.ntk, c.ntk.T)
    assert np.linalg.eigvalsh(c.nngp).min() > -1e-12


def test_command_line(call: Any) -> None:
    derived = call("derive", "abs(x)**p", "--param", "p=positive").stdout
    assert "valid for: all variances" in derived and "E[s'(u)²] finite for: p > 1/2" in derived
    shown = call("eval", "max(x,0)**(3/2)", "--at", "1,1/2,2").stdout
    assert shown.count("0.58212819559789113278156091931648") == 2 and "undecided" not in shown
