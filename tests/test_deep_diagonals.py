"""Diagonals of deep networks: every layer in double-double."""

from __future__ import annotations

import math
import subprocess
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from mpmath import MPContext

import ntksym
from ntksym.backends.c import double_double as c_form
from ntksym.backends.c.backend import support_file
from ntksym.backends.double_double import ARITY
from ntksym.backends.numpy import double_double as numpy_form
from ntksym.backends.numpy.helpers import helpers
from ntksym.lower import lower_network
from ntksym.lower.double_double import FROM, KNOWN
from ntksym.lower.ops import OPS
from ntksym.network import recurse

M = MPContext()
M.dps = 60
NUMBERS = ("1/3", "43/20", "9/2", "0.03", "20.1", "1e-7")


def points(op: str) -> list[tuple[Any, ...]]:
    """Operands of an operation: numbers that no double has."""
    given = [M.mpf(Fraction(v).numerator) / Fraction(v).denominator for v in NUMBERS]
    if op in ("asin3", "angle3", "gap3"):
        sides = [(s, c) for s in given for c in (*given, -given[0], -given[2])]
        turned = [(c, s) if op == "asin3" else (s, c) for s, c in sides]
        return [(*p, M.hypot(*p)) for p in turned]
    if op in ("expsinh", "expcosh"):
        return [(a + b, a - b, b, d) for a in given for b in (a / 2, -a) for d in given[:3]]
    if op == "rescale":
        return [(a, M.mpf(2) ** 60) for a in given]
    if ARITY.get(op, 1) == 2:
        return [(sign * a, b) for a in given for b in given for sign in (1, -1)]
    if op in ("sqrt0", "pos", "mills"):
        return [(a,) for a in given]
    return [(sign * a,) for a in given for sign in (1, -1)]


def split(value: Any) -> tuple[float, float]:
    return float(value), float(value - M.mpf(float(value)))


def accurate(op: str, found: tuple[float, float], exact: Any) -> None:
    """To 2^-64 of the value; what cancels, to that of what it is the rest of."""
    size = max(abs(exact), M.mpf(2) ** -40 if op in ("add", "sub") else abs(exact))
    assert abs(M.mpf(found[0]) + M.mpf(found[1]) - exact) <= size * M.mpf(2) ** -64, (op, exact)


@pytest.mark.parametrize("op", sorted(KNOWN - {"pi"}))
def test_operations_in_numpy(op: str) -> None:
    text = numpy_form.dd_functions(f"_dd_{op}")
    space: dict[str, Any] = {"np": np}
    exec(helpers(frozenset({"_two_product", "_rescale"})) + "\n\n" + text, space)
    for given in points(op):
        parts = tuple(tuple(map(np.float64, split(v))) for v in given)
        with np.errstate(all="ignore"):
            high, low = space[f"_dd_{op}"](*parts)
        accurate(op, (float(high), float(low)), OPS[op].meaning(M, *given))


def test_operations_in_c(tmp_path: Any) -> None:
    ops = sorted(KNOWN - {"pi"})
    support = support_file()
    (tmp_path / support.name).write_text(support.text)
    calls, wanted = "", []
    for op in ops:
        for given in points(op):
            shown = ", ".join("dd_of({!r}, {!r})".format(*split(v)) for v in given)
            calls += f"  show(dd_{op}({shown}));\n"
            wanted.append((op, OPS[op].meaning(M, *given)))
    main = 'static void show(dd x) { printf("%a %a\\n", x.hi, x.lo); }\n'
    text = f'#include "{support.name}"\n#include <stdio.h>\n{c_form.dd_functions(calls)}\n{main}'
    (tmp_path / "ops.c").write_text(f"{text}int main(void)\n{{\n{calls}  return 0;\n}}\n")
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["cc", *flags, "-o", "ops", "ops.c", "-lm"], cwd=tmp_path, check=True)
    out = subprocess.run([tmp_path / "ops"], check=True, capture_output=True, text=True).stdout
    for line, (op, exact) in zip(out.splitlines(), wanted, strict=True):
        high, low = map(float.fromhex, line.split())
        accurate(op, (high, low), exact)


@lru_cache(maxsize=64)
def exact_diagonal(net: Any, g: float, d: int) -> tuple[Any, Any]:
    """(nngp, ntk) of a row of squared length g by the programs, in 60 digits, with the numbers as
    they are said."""
    recursion = recurse(net)
    schedule = lower_network(recursion)
    first = {s.name: M.mpf(v.p) / v.q for s, v in recursion.input_rule.values}
    found = schedule.input.evaluate({"d": d, **first}, M)
    q = found["nngp_slope"] * M.mpf(g) + found["nngp_offset"]
    t = found["ntk_slope"] * M.mpf(g) + found["ntk_offset"]
    for step, rule in zip(schedule.steps, recursion.layers, strict=True):
        numbers = {s.name: M.mpf(v.p) / v.q for s, v in rule.values}
        p = schedule.kinds[step.kind].diag
        after = p.evaluate({"q": q, "t12": t, **{a: numbers[a] for a in p.args[2:]}}, M)
        q, t = after["nngp"], after["ntk"]
    return q, t


@pytest.mark.parametrize(
    "activation",
    ["gelu", "erf", "x*erf(x)", "sin(x)", "max(-1, min(1, x))", "exp(-x^2/2)", "relu"],
)
@pytest.mark.parametrize("target", ["c", "numpy"])
def test_a_hundred_layers_round_a_diagonal_as_one(activation: str, target: str) -> None:
    weight = {"erf": "43/20", "x*erf(x)": "1/2", "relu": "2"}
    net = ntksym.mlp(
        activation, depth=100, weight_var=weight.get(activation, "39/20"), bias_var="1/10"
    )
    rows = np.array([[0.5, 1.25], [0.25, 1.5]])
    found = ntksym.compile(net, target, threads=1).diag(rows)
    for row, nngp, ntk in zip(rows, found.nngp, found.ntk, strict=True):
        q, t = exact_diagonal(net, float(row @ row), 2)
        assert abs(nngp - q) <= 1.5 * 2.0**-52 * abs(q)
        assert abs(ntk - t) <= 1.5 * 2.0**-52 * abs(t)


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_other_numbers_have_their_own_rests(target: str) -> None:
    net = ntksym.mlp("gelu", depth=FROM, weight_var="47/20", bias_var="1/10")
    rows = np.array([[0.5, 1.25], [1.0, -1.5]])
    found = ntksym.compile(net, target, threads=1).at(weight_var="17/10").diag(rows)
    other = ntksym.mlp("gelu", depth=FROM, weight_var="17/10", bias_var="1/10")
    own = ntksym.compile(other, target, threads=1).diag(rows)
    assert np.array_equal(found.nngp, own.nngp) and np.array_equal(found.ntk, own.ntk)


def test_variances_that_double_double_has_no_room_for() -> None:
    net = ntksym.mlp("gelu", depth=FROM, weight_var="47/20", bias_var="0")
    k = ntksym.compile(net, "c", threads=1)
    rows = np.array([[1e-150, 0.0], [1e150, 1e150], [0.0, 0.0]])
    own = k.diag(rows)
    assert np.all(np.isfinite(own.nngp)) and own.nngp[2] == 0.0
    assert math.isclose(own.nngp[1], 2.35e300 * 1.175**FROM, rel_tol=1e-9)


def test_large_variances_are_rounded_as_their_covariances_are() -> None:
    net = ntksym.mlp("gelu", depth=FROM, weight_var="47/20", bias_var="0")
    module: Any = ntksym.compile(net, "numpy")._engine._module
    q, _ = module.diagonals(np.array([1.0, 1e4]), module.first_layer(2))
    plain = [v[2](q[k], 0.0, *v[3])[0] == q[k + 1] for k, v in enumerate(module.LAYERS)]
    assert np.all(np.array(plain)[:, 1]) and not np.all(np.array(plain)[:, 0])
