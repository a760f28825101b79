"""Quadrature duals: the proven bound against enclosures of the definition, planted errors, code."""

from __future__ import annotations

import ctypes
import subprocess
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
import pytest
import sympy as sp

from ntksym.backends.c.backend import extra_support, support_file
from ntksym.backends.c.quadrature import quadrature_unit
from ntksym.backends.numpy.backend import used_helpers
from ntksym.backends.numpy.helpers import helpers
from ntksym.backends.quadrature_programs import builder_of_functions
from ntksym.errors import BadActivation, BadSpec, NoCompiler, NotSquareIntegrable, Undecided
from ntksym.language import as_activation
from ntksym.numeric.arith import upward
from ntksym.numeric.patience import check
from ntksym.numeric.quadrature import dual as dual_module
from ntksym.numeric.quadrature import quadrature_dual, rule_bounds
from ntksym.numeric.quadrature.lattice import LatticeRule
from ntksym.numeric.quadrature.panels import PanelRule, legendre
from ntksym.numeric.quadrature.scale import least_square
from ntksym.numeric.quadrature.subject import subject_of
from ntksym.runtime.library.compiler import find_compiler
from ntksym.symbols import x
from ntksym.verify.functions.isolated import Isolated

ACTIVATIONS = (
    "tanh(x)",
    "x*tanh(log(1+exp(x)))",
    "x/2*(1+tanh(sqrt(2/pi)*(x+0.044715*x^3)))",
    "x/(1+abs(x))",
    "atan(x)",
    "asinh(x)",
    "log(1+exp(x))",
    "max(x,0)*tanh(x)",
    "abs(tanh(x-1/2))",
    "max(0,min(1,x/6+1/2))*atan(x)",
    "heaviside(x-1)*tanh(x)",
    "exp(-abs(x))",
    "exp(x/3)*tanh(x)",
    "x/sqrt(1+x^2)",
)
POINTS = (
    ("1", "1/2", "1"),
    ("1", "-1048575/1048576", "1"),
    ("1/4", "1/4", "1/4"),
    ("2", "1/2", "1/4"),
)
ERROR = 1e-11
ROUNDING = 1e-14
"""What float64 may add, relative to sqrt(K(q11) K(q22)): the proof is about exact arithmetic."""


@lru_cache(maxsize=64)
def small(text: str, error: float = ERROR):
    return quadrature_dual(text, variances=(Fraction(1, 4), 2), error=error)


def scales(dual, q11, q22):
    first, second = dual.diagonal(float(q11)), dual.diagonal(float(q22))
    return [float(np.sqrt(a * b)) for a, b in zip(first, second, strict=True)]


@pytest.mark.parametrize("text", ACTIVATIONS)
def test_values_are_within_the_proven_bound_of_the_definition(text):
    dual = small(text)
    for k, point in enumerate(POINTS):
        exact = [Fraction(v) for v in point]
        if "heaviside" in text:
            exact[1] = abs(exact[1])  # near rho = -1 its dual is about exp(-10^6)
        found = dual.evaluate(*map(float, exact))
        size = scales(dual, exact[0], exact[2])
        level = dual.level(float(max(exact[0], exact[2])))
        bounds = (level.value, level.dot)
        for derivative in (False, True) if k < 2 else (False,):
            ball = dual.enclose(*exact, derivative=derivative, digits=13)
            gap = abs(Fraction(float(found[derivative])) - ball.mid)
            allowed = bounds[derivative] + float(ball.rad) + ROUNDING * size[derivative]
            assert gap <= allowed, (point, derivative)
            assert bounds[derivative] <= ERROR * size[derivative] * (1 + 1e-9)


def test_a_coarse_rule_keeps_its_bound_and_needs_it():
    """At a loose goal the error is far above rounding: the bound is what holds, not luck."""
    seen = 0.0
    for text in ("atan(x)", "x/(1+abs(x))", "x/(1+x^2)"):
        loose, fine = small(text, 1e-2), small(text)
        for rho in (-1.0, -0.7, 0.0, 0.3, 0.95, 0.9999, 1.0):
            for q in (0.25, 0.7, 2.0):
                args = (q, rho * q, q)
                gaps = [
                    abs(float(a - b))
                    for a, b in zip(loose.evaluate(*args), fine.evaluate(*args), strict=True)
                ]
                level = loose.level(q)
                assert gaps[0] <= level.value + 1e-12 and gaps[1] <= level.dot + 1e-12
                seen = max(seen, gaps[0] / level.value, gaps[1] / level.dot)
    assert seen > 1e-4  # the bounds are not empty


@pytest.mark.parametrize(
    "text", ["x/(1+abs(x))", "abs(tanh(x-1/2))", "atan(x)", "max(x,-1)*tanh(x)"]
)
def test_symmetric_to_the_last_bit_and_exact_diagonal(text):
    dual, rng = small(text), np.random.default_rng(3)
    a, b = rng.uniform(0.01, 2, 12), rng.uniform(0.01, 2, 12)
    c = np.sqrt(a * b) * np.concatenate([rng.uniform(-1, 1, 9), [1 - 1e-12, 1 - 1e-7, 0.0]])
    for one, two in zip(dual.evaluate(a, c, b), dual.evaluate(b, c, a), strict=True):
        assert np.array_equal(one, two)
    for one, two in zip(dual.evaluate(a, a, a), dual.diagonal(a), strict=True):
        assert np.array_equal(one, two)


def test_continuous_up_to_correlation_one():
    for text in ("x/(1+abs(x))", "tanh(x)", "max(x,0)*atan(x-1)"):
        dual = small(text)
        rho = 1.0 - np.array([0.0, 1e-15, 1e-12, 1e-9])
        nngp, _ = dual.evaluate(1.0, rho, 1.0)
        slope = dual.diagonal(1.0)[1]
        assert np.all(np.abs(nngp - nngp[0] + (1.0 - rho) * slope) < 5e-15 + 1e-3 * (1.0 - rho))


def test_a_wrong_weight_is_caught_by_the_proof():
    dual = small("atan(x)")
    rule = dual.levels[0].rule
    assert isinstance(rule, LatticeRule)
    honest = rule_bounds(rule, dual.subject)
    assert float(honest[0]) == pytest.approx(dual.levels[0].value)
    weights = list(rule.weights)
    weights[3] *= 1 + 1e-9
    planted = rule_bounds(replace(rule, weights=tuple(weights)), dual.subject)
    assert planted[0] > 1e-9 * 0.1 and planted[0] > 100 * honest[0]
    coarser = rule_bounds(replace(rule, step=2 * rule.step), dual.subject)
    assert not coarser[0] < 1e-3


def test_wrong_panels_are_caught_by_the_proof():
    dual = small("x/(1+abs(x))")
    rule = dual.levels[0].rule
    assert isinstance(rule, PanelRule)
    assert rule_bounds(rule, dual.subject)[0].is_finite()
    table = rule.tables[0]

    def caught(**changes):
        changed = replace(rule, **changes)
        return not any(b.is_finite() for b in rule_bounds(changed, dual.subject))

    for field in ("nodes", "weights"):
        values = list(getattr(table, field))
        values[1] *= 1 + 1e-13
        assert caught(tables=(replace(table, **{field: tuple(values)}), *rule.tables[1:]))
    light = replace(rule.tables[1], share=1.0)  # a light rule claimed for whole pieces
    assert caught(tables=(table, light))
    first = rule.intervals[0]
    assert caught(intervals=(replace(first, reach=50 * first.reach), *rule.intervals[1:]))
    assert caught(intervals=rule.intervals[1:])  # part of the line is left out
    middle = [p for p in rule.intervals if p.piece == rule.intervals[-1].piece]
    assert caught(intervals=tuple(middle))  # the kink is gone
    other = small("abs(tanh(x-1/2))")
    assert not any(b.is_finite() for b in rule_bounds(rule, other.subject))  # its kink is elsewhere


def test_legendre_nodes_integrate_polynomials():
    for n in (4, 16):
        for degree in range(0, 2 * n, 2):
            total = sum(w * t**degree for t, w in legendre(n)) * (degree + 1)
            assert total.contains(2) and total.rad() < 1e-12


def test_the_scale_is_a_lower_bound_and_not_an_empty_one():
    for text in ("tanh(x)", "x/(1+abs(x))", "heaviside(x-1)"):
        subject = subject_of(as_activation(text), {})
        dual = quadrature_dual(text, variances=(Fraction(1, 4), 2), error=1e-6)
        least = float(least_square(subject.value, Fraction(1, 4), Fraction(2)).lower())
        values = dual.diagonal(np.linspace(0.25, 2, 9))[0]
        assert 0.5 * values.min() < least <= values.min()


def compiled(unit, path):
    source = '#include "ntksym.h"\n' + extra_support(unit.programs) + unit.c_functions("unit")
    source += (
        "void pairs(size_t n, const double *a, const double *c, const double *b, const double *r,"
        " double *k, double *d) { unit_pairs(n, a, c, b, r, k, d); }\n"
        "void diag(size_t n, const double *q, double *k, double *d) { unit_diag(n, q, k, d); }\n"
    )
    (path / "ntksym.h").write_text(support_file().text)
    (path / "unit.c").write_text(source)
    try:
        compiler = find_compiler()
    except NoCompiler:
        pytest.skip("no C compiler")
    flags = [*compiler.flags, "-Wall", "-Wextra", "-Werror", "-Wno-unused-function"]
    argv = [*compiler.command, *flags, "-o", str(path / "unit.so"), str(path / "unit.c"), "-lm"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(path / "unit.so"))


def called(function, *arrays):
    n = len(arrays[0])
    out = [np.full(n, -7.0), np.full(n, -7.0)]
    held = [np.ascontiguousarray(a, dtype=np.float64) for a in arrays]
    pointers = [a.ctypes.data_as(ctypes.POINTER(ctypes.c_double)) for a in (*held, *out)]
    function(ctypes.c_size_t(n), *pointers)
    return out


@pytest.mark.parametrize("zero", [True, False])
def test_variances_without_a_bound_are_nan_in_all_targets(zero, tmp_path):
    made = quadrature_dual("tanh(x)", variances=(Fraction(1, 2), 2), error=1e-3)
    dual = replace(made, least=Fraction(1, 2), zero=zero)
    unit = quadrature_unit(dual)
    a, b = np.array([0.5, 2, 0.49, 1, 0, 0, 0]), np.array([0.5, 0.5, 1, 0.49, 0, 1, 0.49])
    known = [True, True, False, False, zero, zero, False]
    library, space = compiled(unit, tmp_path), {}
    text = "import numpy as np\n" + helpers(used_helpers(unit.programs)) + "\n\n\n"
    exec(compile(text + unit.numpy_functions("unit"), "unit", "exec"), space)
    called_c = called(library.pairs, a, 0 * a, b, np.sqrt(a * b))
    for got in (dual.evaluate(a, 0 * a, b), called_c, space["unit_pairs"](a, 0 * a, b)):
        assert np.isfinite(got).tolist() == [known, known]


@pytest.mark.parametrize("text", ["x*tanh(log(1+exp(x)))", "x/(1+abs(x))", "heaviside(x-1)*erf(x)"])
def test_the_c_and_the_numpy_text_give_the_same_numbers(text, tmp_path):
    dual = quadrature_dual(text, variances=(Fraction(1, 4), 2), error=1e-9)
    unit = quadrature_unit(dual)
    rng = np.random.default_rng(5)
    a, b = rng.uniform(0.25, 2, 10), rng.uniform(0.25, 2, 10)
    a[-2:], b[-4:-2] = [0.0, 0.5], a[-4:-2]
    c = np.sqrt(a * b) * np.array([0.1, -0.8, 0.99, -0.999, 0.0, 0.5, 1 - 1e-9, -1, 0, 1])
    c[-3] = -a[-3]
    want = dual.evaluate(a, c, b)
    assert np.isfinite(want).all()
    size = np.sqrt(dual.diagonal(2.0))[:, None]
    from ntksym.numeric.quadrature.run import root_of_det

    root = root_of_det(a, c, b)
    library = compiled(unit, tmp_path)
    space: dict = {}
    text = "import numpy as np\n" + helpers(used_helpers(unit.programs)) + "\n\n\n"
    exec(compile(text + unit.numpy_functions("unit"), "unit", "exec"), space)
    for got in (called(library.pairs, a, c, b, root), space["unit_pairs"](a, c, b)):
        assert np.all(np.abs(np.array(got) - want) <= 1e-14 * size * size)
    swapped = called(library.pairs, b, c, a, root)
    assert np.array_equal(swapped, called(library.pairs, a, c, b, root))
    shares = rng.uniform(0.5, 1.0, 30)
    multiples, ones = (np.ones(30), shares, shares * shares), np.ones(30)
    want = dual.evaluate(*multiples, root=0.0 * ones)
    for root in (1e-16 * ones, 3e-16 * ones, 1e-15 * ones):  # what rounding leaves of it
        for got in (
            called(library.pairs, *multiples, root),
            space["unit_pairs"](*multiples, root),
            dual.evaluate(*multiples, root=root),
        ):
            assert np.all(np.abs(np.array(got) - want) <= 2e-14 * size * size)
    q = np.array([0.3, 1.0, 2.0, 0.0])
    for got in (called(library.diag, q), space["unit_diag"](q)):
        assert np.all(np.abs(np.array(got) - dual.diagonal(q)) <= 1e-14 * size * size)
    bad = np.array([np.nan, 1.0, 2.0001, -1.0, 1.0])
    crossed = np.array([0.1, np.nan, 0.1, 0.1, 3.0])
    ones = np.ones(5)
    for got in (
        called(library.pairs, bad, crossed, ones, ones),
        space["unit_pairs"](bad, crossed, ones, ones),
        dual.evaluate(bad, crossed, ones, root=ones),
    ):
        assert np.isnan(got).all()
    assert unit.notes == dual.lines() and len(unit.programs) == len(dual.subject.value.pieces)


def test_lines_print_every_bound():
    dual = small("heaviside(x-1)*tanh(x)")
    text = "\n".join(dual.lines())
    for level in dual.levels:
        assert upward(level.value) in text and upward(level.dot) in text
    assert "float64 rounding is not part of them" in text
    assert "jumps" in text and not dual.continuous
    assert dual.record()["levels"][0]["value_bound"] == dual.levels[0].value


def test_parameters_take_numbers():
    fixed = quadrature_dual("atan(k*x)", params={"k": 2}, variances=(Fraction(1, 4), 1), error=1e-8)
    plain = quadrature_dual("atan(2*x)", variances=(Fraction(1, 4), 1), error=1e-8)
    assert fixed.evaluate(1.0, 0.5, 1.0) == plain.evaluate(1.0, 0.5, 1.0)
    with pytest.raises(BadActivation, match="no value is given for the parameter 'k'"):
        quadrature_dual("atan(k*x)")


def test_out_of_reach_says_the_best_bound(monkeypatch):
    monkeypatch.setattr("ntksym.numeric.quadrature.lattice.MOST_NODES", 1500)
    monkeypatch.setattr("ntksym.numeric.quadrature.panels.MOST_NODES", 1500)
    with pytest.raises(Undecided) as error:
        quadrature_dual("atan(x)", variances=(Fraction(3, 4), Fraction(3, 4)))
    assert "no quadrature rule with a proven error of 1e-12" in error.value.what
    words = error.value.where.split()
    assert error.value.where.startswith("the best bounds reached: ")
    assert 1e-12 < float(words[4].rstrip(",")) < 1e-3  # a number that was proven
    assert "smaller range of variances" in error.value.hint


def test_a_bound_is_said_where_better_ones_take_too_long(monkeypatch):
    chosen, asked = dual_module._chosen, []

    def late(subject, low, top, goals):
        asked.append(float(goals[0]))
        while len(asked) > 1 and asked[-1] < 1e-6:
            check()
        return chosen(subject, low, top, goals) if len(asked) > 1 else None

    monkeypatch.setattr(dual_module, "_chosen", late)
    monkeypatch.setattr(dual_module, "_BEST", 0.5)
    with pytest.raises(Undecided, match="the best bounds reached: ") as error:
        quadrature_dual("atan(x/3)", variances=(Fraction(3, 4), Fraction(3, 4)))
    assert float(error.value.where.split()[4].rstrip(",")) < 1e-4


def test_refusals_say_why():
    with pytest.raises(NotSquareIntegrable):
        quadrature_dual("exp(x^2/20)*atan(x)", variances=(0, 5))
    with pytest.raises(Undecided, match="singular at a kink"):
        quadrature_dual("(x - 1)*log(abs(x - 1))")
    with pytest.raises(Undecided, match="cannot locate the kinks"):
        quadrature_dual("max(tanh(x), sin(x))")
    with pytest.raises(BadSpec, match="is not a range"):
        quadrature_dual("atan(x)", variances=(2, 1))
    with pytest.raises(BadSpec, match="not a pair of exact numbers"):
        quadrature_dual("atan(x)", variances=("a", 1))
    with pytest.raises(BadSpec, match="not between 0 and 1"):
        quadrature_dual("atan(x)", error=2.0)


def test_a_range_from_zero_has_absolute_bounds():
    dual = quadrature_dual("atan(x)", variances=(0, 1), error=1e-9)
    assert all(level.value <= 1e-9 and level.value_relative == np.inf for level in dual.levels)
    nngp, _ = dual.evaluate(0.0, 0.0, 1.0)
    assert abs(nngp) <= 1e-9


def test_programs_have_the_tangent_and_constants_made_of_isolated_zeros():
    root = Isolated(x**2 - 2, Fraction(1), Fraction(2))
    builder = builder_of_functions()
    found = builder.operand(sp.tan(sp.tanh(x)) + sp.sin(root) * x)
    value = builder.program("f", (("value", found),), (), "").evaluate({"x": 3})["value"]
    assert abs(value - (np.tan(np.tanh(3)) + 3 * np.sin(np.sqrt(2)))) < 1e-14


def test_bounds_are_printed_with_two_digits_rounded_up():
    """No line says less than what is proven, nor a digit more than is needed."""
    known = ((8.14e-11, "8.2e-11"), (3.81e-8, "3.9e-08"), (9.91, "1.0e+01"), (2.5, "2.5e+00"))
    for value, text in (*known, (Fraction(1, 3), "3.4e-01"), (Fraction(5, 2), "2.5e+00")):
        assert upward(value) == text
