"""Exponents in two doubles, the definition with closed means, and the header in C++."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from flint import acb, arb
from sympy import Rational, exp, sqrt

from ntksym import symbols as S
from ntksym.backends.c.helpers.header import header
from ntksym.collapse.straight import Straight
from ntksym.dual import dual
from ntksym.functions import Phi2
from ntksym.language import as_activation
from ntksym.lower.direct_where import Weigher
from ntksym.lower.exponent import two_parts
from ntksym.lower.kernel import lower_dual, lower_dual_diag
from ntksym.lower.lines import Lines
from ntksym.precision import precision
from ntksym.runtime.compile import compile as compile_
from ntksym.runtime.engines import load_module

EPS = 2.0**-52
BOUND = 4.5
"""In eps of the size: the goal, and half of one for a smooth step far from its centre."""


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize(
    ("text", "points", "bound"),
    [
        (
            "abs(x)-x*erf(x)",
            ((0.3, 10.943496698953217, 400.0), (400.0, -0.631823076501642, 0.001)),
            BOUND,
        ),
        (
            "x + 1/2*exp(-2*x)*Phi(3/4*x) + Phi(3/4*x)",
            ((11.2, 5.7, 9.3), (58.2, -4.0625, 7.4)),
            8.0,
        ),
    ],
)
def test_smooth_steps_keep_their_digits(
    text: str, points: tuple[tuple[float, float, float], ...], bound: float, target: str
) -> None:
    """Of the size: 397 eps (the slope 1380) for a mean and a smooth end of one width, 79 and 199
    for tails under exponentials whose exponent and argument are quotients of the second degree;
    there the angle of an orthant still rounds.
    """
    d = dual(as_activation(text))
    kernel = compile_(d, target)
    for a, c, b in points:
        with precision(800):
            pair = Straight((d.value, d.dot), (S.q11, S.q12, S.q22))(acb(a), acb(c), acb(b))
            own = Straight((d.diag, d.diag_dot), (S.q,))
            sides = own(acb(a)), own(acb(b))
            found = kernel([a], [c], [b])
            for k, got in enumerate((found.nngp[0], found.dot[0])):
                size = (sides[0][k] * sides[1][k]).real.sqrt()
                assert abs((got - pair[k].real) / size) <= bound * EPS, (k, a, c, b)


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("text", ["exp(x)", "cosh(x)", "cos(x)"])
def test_large_exponents_keep_every_digit_of_the_value(text: str, target: str) -> None:
    """Rounded once, an exponent of 200 costs a hundred units in the last place of the value."""
    d = dual(as_activation(text))
    kernel, exact = compile_(d, target), lower_dual(d)
    for a, c, b in ((400.0, 1.9, 0.01), (301.7, 299.3, 298.9), (37.3, -11.1, 41.9)):
        value = exact.evaluate({"q11": a, "q12": c, "q22": b})
        found = kernel([a], [c], [b])
        for got, label in ((found.nngp, "nngp"), (found.dot, "dot")):
            assert abs(float(got[0] / value[label] - 1)) <= 3 * EPS, (label, a, c, b)


def test_correlations_that_round_to_one_are_weighed() -> None:
    """A gate's correlation with another is sqrt(q/(q + 1)): 1 in the digits of the weights."""
    q = S.q
    gates = exp(q / 2) * Phi2(-sqrt(q), -q / sqrt(q + 1), sqrt(q) / sqrt(q + 1))
    found = Weigher((gates + 1,), ("q",)).weights({"q": 10066329.6})
    assert 1 <= found[0] < float("inf")


def test_gates_in_tails_weigh_their_exponents() -> None:
    """Phi2 at -10 is formed from exponents of 50, which are rounded; at 0 there are none."""
    gate = -1 / sqrt(S.q)
    found = Weigher((exp(S.q) * Phi2(gate, gate, Rational(1, 2)),), ("q",))
    for q, least, most in ((0.01, 15, 100), (1e4, 1, 1e4)):
        assert least <= found.weights({"q": q})[0] / found.at({"q": q})[0] <= most


def test_exponents_overflow_without_nan() -> None:
    """Where the sum leaves the range of doubles there is nothing to correct."""
    kernel = compile_(dual(as_activation("cos(x)")), "numpy")
    found = kernel([1e300], [0.5e300], [1e300])
    assert found.nngp[0] == 0.0 == found.dot[0]
    assert kernel([float("nan")], [0.0], [1.0]).nngp[0] != kernel([1.0], [0.0], [1.0]).nngp[0]


def test_two_parts_leave_products_of_entries_alone() -> None:
    """They overflow before their sum does."""
    from ntksym import symbols as S

    lines = Lines(("q11", "q12", "q22"))
    assert two_parts(lines, S.q11 * S.q22 - S.q12**2) is None
    assert two_parts(lines, S.q11 / 2 + S.q12) is not None


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("text", ["clip(x, -1/2, 1)", "max(0, 1 - abs(x))"])
@pytest.mark.parametrize("q", [1.0, 5.0, 40.0])
def test_the_definition_with_closed_means_has_the_digits(text: str, q: float, target: str) -> None:
    """At these variances the terms of the closed forms are up to a hundred times the kernel."""
    d = dual(as_activation(text))
    kernel, exact, own = compile_(d, target), lower_dual(d), lower_dual_diag(d)
    size = own.evaluate({"q": q})
    for rho in (0.0, 0.5, -0.7, 1 - 2.0**-8, 2.0**-26 - 1):
        value = exact.evaluate({"q11": q, "q12": rho * q, "q22": q})
        found = kernel([q], [rho * q], [q])
        for got, label in ((found.nngp, "nngp"), (found.dot, "dot")):
            assert abs(float((got[0] - value[label]) / size[label])) <= BOUND * EPS, (
                label,
                rho,
            )


@pytest.mark.parametrize("text", ["hardtanh", "max(0, 1 - abs(x))"])
def test_nothing_is_integrated_where_the_rule_for_large_variances_holds(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bins of variances that this rule covers in part it is as right, and faster."""
    module: Any = load_module(compile_(dual(as_activation(text)), "numpy").sources[0])
    asked = Mock(wraps=module._direct_each)
    monkeypatch.setattr(module, "_direct_each", asked)
    module.dual(*(np.array([v]) for v in (4.2, 1.0, 500.0)))
    assert not asked.called
    module.dual(*(np.array([v]) for v in (4.2, 45.5, 500.0)))
    assert asked.called


@pytest.mark.parametrize(
    ("text", "at", "called"),
    [
        ("selu", (100.0, 31.0, 95.0), False),
        ("max(x - 3, 0)**3*exp(-x)", (0.1, 0.01, 0.1), True),
    ],
)
def test_means_are_integrated_only_where_what_cancels_counts(
    text: str, at: tuple[float, ...], called: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a kink at 0 the mean of SELU is a small difference, but little of the kernel."""
    module: Any = load_module(compile_(dual(as_activation(text)), "numpy").sources[0])
    outer, inner = (Mock(wraps=getattr(module, f"_direct_{n}")) for n in ("outer", "panels"))
    monkeypatch.setattr(module, "_direct_outer", outer)
    monkeypatch.setattr(module, "_direct_panels", inner)
    module.dual(*(np.array([v]) for v in at))
    assert outer.called
    assert inner.called == called


TAILS = (
    (0.002196630915134984, 0.003631475891975702, 0.006003565307055316),
    (0.0003563802853928004, -0.0003742871792163985, 0.0003971788143352504),
    (0.00042430104309198774, 0.0004277039078754706, 0.00043113406359809956),
)
"""Kinks at 1/2 are 6 to 27 standard deviations away; nearly parallel, and nearly opposite."""


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("text", ["max(x - 1/2, 0) + min(x + 1/2, 0)", "max(x, 1/2)"])
def test_tails_keep_digits_of_their_own_size(text: str, target: str) -> None:
    """Phi2 alone is right beside the larger gate: a tenth of Kdot was wrong, or all of it."""
    d = dual(as_activation(text))
    kernel, exact, own = compile_(d, target), lower_dual(d), lower_dual_diag(d)
    for a, c, b in TAILS:
        value = exact.evaluate({"q11": a, "q12": c, "q22": b})
        sides = own.evaluate({"q": a}), own.evaluate({"q": b})
        found = kernel([a], [c], [b])
        for got, label in ((found.nngp, "nngp"), (found.dot, "dot")):
            size = (sides[0][label] * sides[1][label]) ** 0.5
            assert abs(float((got[0] - value[label]) / size)) <= 4 * EPS, (label, a, c, b)


CLOSE: tuple[tuple[str, dict[str, float], tuple[float, float, float]], ...] = (
    ("Heaviside(x)*exp(-a*x)", {"a": 0.5}, (134.5, -34.3, 181.1)),
    ("Heaviside(x)*exp(-a*x)", {"a": 0.5}, (4776.7, 1170.4, 3586.1)),
    ("Heaviside(x)*exp(-a*x)", {"a": 0.5}, (30.0, 29.9999, 30.0)),
    ("exp(-abs(x - 1))", {}, (169.35, 2.22, 0.0444)),
    ("(x - 1)*(1 + erf((x - 1)/sqrt(2)))/2", {}, (0.0022, 0.00363, 0.006)),
    ("max(x, 0)*exp(-x)", {}, (0.177, 0.435, 1.0701)),
    ("max(x, 0)*exp(-x)", {}, (0.3, 0.29997, 0.3)),
    ("abs(x)*exp(-abs(x))", {}, (2.0611, -0.5429, 0.1525)),
    ("max(x - 1, 0)**2", {}, (0.0013, 0.0013 * (1 - 2e-9), 0.0013)),
    ("max(x - 3, 0)**3", {}, (0.1, 0.0985, 0.1)),
    ("step(x - 1)*x", {}, (0.0014, 0.00139, 0.0014)),
    ("max(x - 1, 0)*exp(-x)", {}, (0.0058, 0.00535, 0.0058)),
    ("step(x - 1)*exp(-x)", {}, (0.0149, 0.041, 0.1396)),  # the rounding of the larger gate
    ("max(x - 1, 0)*exp(x/2)", {}, (0.0141, 0.0286, 0.0717)),  # s grows
    ("step(x + 3)*exp(-x)", {}, (3.2929509830919548, 7.3016614254278185, 16.190452416087755)),
    ("step(x - 1)*exp(x/2)", {}, (455.0, 325.0, 233.0)),  # far out the closed form is better
    ("clip(x, -1, 3)*exp(-x/2)", {}, (455.0, 325.0, 233.0)),
    # polynomials beside waves with a phase: 1e-6 of the size, and 1e-4, were lost
    ("x^4*cos(x + 2)", {}, (637.0, 683.0, 733.5917120177511)),
    ("x^4*cos(x + 2) + x^2*sin(2*x)", {}, (2001.0, -1999.0, 2000.0)),
    ("x^4*sin(2*x + 1)", {}, (2.0**-90, -(2.0**-70), 2.0**-48)),  # there the covariance is better
    # gates are 0 or 1: terms of a hundred thousand times the kernel are exact, but for 6*q11
    ("max(x, -2)*exp(-x/3)", {}, (847.7937529525091, 785.5685834720916, 728.5501242399362)),
    ("Heaviside(x)*exp(-a*x)", {"a": 0.5}, (354.468461, -416.336486, 500.0)),  # by parts
    ("Heaviside(x)*exp(-a*x)", {"a": 0.5}, (26.0433, 30.9309, 58.7287)),
    ("step(x + 1/2)*exp(-x)", {}, (4.6, 52.87532507134117, 609.0)),  # in one input: 44 eps in both
    ("erf(x/2)*exp(-x/2)", {}, (0.01, 0.009, 0.01)),  # a sum that is a number times itself
    ("max(x - 1/2, 0) + min(x + 1/2, 0)", {}, (0.06481650087, -0.10634924041, 0.17537897398)),
    ("max(x - 1/2, 0) + min(x + 1/2, 0)", {}, (0.62589371692, -0.30776547952, 0.18398746665)),
    ("max(0, 1 - abs(x))", {}, (1.072054038213987, 1.092543123188832, 1.1725875737061242)),
    ("max(0, 1 - abs(x))", {}, (6.503453489600526, 7.288183285800491, 8.988365335990583)),
    ("max(x, 0)**2*exp(-x)", {}, (6.2628913793623235, 6.2628913811613325, 6.262891382960342)),
    (  # exact differences before products of one point each
        "exp(-x)*min(x, 0)*step(x + 2)",
        {},
        (0.40769648653851737, 0.40769648585595414, 0.407696485173391),
    ),
    ("selu", {}, (0.28135069990193246, 0.32167107279377105, 0.3677764569536048)),
    ("x*Phi(x - 10)", {}, (0.5, 0.45, 0.5)),  # s dies out from far away
    ("x*Phi(x - 10)", {}, (0.05, 0.2, 3.0)),
)


@lru_cache
def balls(text: str, given: tuple[tuple[str, float], ...], at: tuple[float, ...]) -> Any:
    """The dual and its derivative, and both at u = v for each variance, from the closed forms."""
    act = as_activation(text, params={n: "positive" for n, _ in given})
    d = dual(act.with_params(**{n: Rational(v) for n, v in given}))
    for bits in (400, 1300, 5200):
        with precision(bits):
            pair = Straight((d.value, d.dot), (S.q11, S.q12, S.q22))(*map(acb, at))
            own = Straight((d.diag, d.diag_dot_ae), (S.q,))
            found = [[v.real for v in row] for row in (pair, own(acb(at[0])), own(acb(at[2])))]
        if all(v.rel_accuracy_bits() > 60 for row in found for v in row if not v.is_exact()):
            break
    return found[0], found[1:]


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize(("text", "given", "at"), CLOSE)
def test_terms_that_cancel_are_not_summed(
    text: str, given: dict[str, float], at: tuple[float, float, float], target: str
) -> None:
    """Jumps far out, exponentials beyond all digits, smooth s about a place off 0, tails of kinks."""
    d = dual(as_activation(text, params={n: "positive" for n in given}))
    kernel = compile_(d, target)
    q11, q12, q22 = at
    found = kernel([q11], [q12], [q22], **given)
    pair, sides = balls(text, tuple(given.items()), at)
    with precision(200):
        size = (sides[0][0] * sides[1][0]).sqrt()
        assert abs((found.nngp[0] - pair[0]) / size) <= BOUND * EPS
        slope = (sides[0][1] * sides[1][1]).sqrt()
        if not d.continuous:
            slope = (size / (arb(q11) * arb(q22)).sqrt()).max(abs(pair[1]))
        assert abs((found.dot[0] - pair[1]) / slope) <= BOUND * EPS


def test_closed_forms_that_overflow_are_integrated(tmp_path: Path) -> None:
    """Terms beyond the range of doubles, of both signs, are NaN: the definition has the value."""
    d, (a, c, b) = dual(as_activation("max(x - 1/2, 0)")), (2.0, 1.5, 3.0)
    want, root = float(compile_(d, "numpy")(a, c, b).nngp), (a * b - c * c) ** 0.5
    module: Any = load_module(compile_(d, "numpy").sources[0])
    name = next(n for n in vars(module) if re.fullmatch("_direct_[0-9a-f]{12}", n))
    at = (np.array([v]) for v in (np.nan, a, c, b, root))
    assert getattr(module, name)(*at)[0] == pytest.approx(want, rel=1e-14)
    sources = compile_(d, "c").sources
    for source in sources:
        (tmp_path / source.name).write_text(source.text)
    main = next(s for s in sources if s.name.endswith(".c"))
    call = f"double at(double k) {{ return ntksym_op{name}(k, {a}, {c}, {b}, {root!r}); }}"
    (tmp_path / "own.c").write_text(f'#include "{main.name}"\n{call}\n')
    out = tmp_path / "own.so"
    flags = ["-std=c99", "-O1", "-fPIC", "-shared", "-w", "-o", str(out)]
    subprocess.run(["cc", *flags, str(tmp_path / "own.c"), "-lm"], check=True, timeout=120)
    run = ctypes.CDLL(str(out)).at
    run.argtypes, run.restype = [ctypes.c_double], ctypes.c_double
    assert run(np.nan) == pytest.approx(want, rel=1e-14)


def test_numpy_without_anything_in_reach() -> None:
    """All of s is more than 37 standard deviations away: zero, not an empty array."""
    kernel = compile_(dual(as_activation("max(x - 1/2, 0)")), "numpy")
    found = kernel([0.00017], [0.0001], [0.004])
    assert found.nngp[0] == 0.0 == found.dot[0]


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
def test_the_header_is_cpp(tmp_path: Path) -> None:
    """Without a warning, and with the same numbers as in C."""
    (tmp_path / "ntksym.h").write_text(header())
    text = '#include "ntksym.h"\n#include <stdio.h>\n'
    text += 'int main() { printf("%a %a", ntksym_op_Phi(-3.0), '
    text += "ntksym_op_Phi2(-1.0, 0.5, 0.6, 0.8)); }\n"
    found = []
    for name, command in (("a.cpp", ["g++", "-std=c++17"]), ("a.c", ["gcc", "-std=c99"])):
        (tmp_path / name).write_text(text.replace("main()", "main(void)"))
        flags = ["-O1", "-Wall", "-Wextra", "-pedantic", "-Werror", "-ffp-contract=off"]
        out = str(tmp_path / f"{name}.out")
        subprocess.run(
            [*command, *flags, "-o", out, str(tmp_path / name), "-lm"], check=True, timeout=120
        )
        found.append(subprocess.run([out], check=True, capture_output=True).stdout)
    assert found[0] == found[1] != b""
