"""`only="nngp"`: the kernel where the slope of the activation is not square integrable."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ntksym
from ntksym.backends.units import slope_said
from ntksym.errors import BadSpec, Undecided
from ntksym.export.files import generate
from ntksym.language import as_activation
from ntksym.numeric.finite import cut_off
from ntksym.numeric.nngp import lined, nngp_dual
from ntksym.verify.balls import enclose_definition

SPAN = (Fraction(1, 2), Fraction(2))
POINTS = (
    (Fraction(1), Fraction(1, 2), Fraction(1)),
    (Fraction(2), Fraction(2), Fraction(2)),
    (Fraction(1, 2), Fraction(-9, 10), Fraction(2)),
)


@pytest.mark.parametrize("text", ["abs(x - 1)^.3", "abs(x - 1)^.1*exp(x/8)", "sqrt(abs(x^2 - 1))"])
def test_a_rule_is_within_its_bound(text: str) -> None:
    found = nngp_dual(as_activation(text), SPAN, 1e-7)
    (level, *_) = found.levels[::-1]
    assert level.value_relative <= 1e-7 and level.value < 1e-4
    for at in POINTS:
        nngp, dot = found.evaluate(*map(float, at))
        ball = enclose_definition(found.activation.expr, *at, digits=10)
        assert abs(float(nngp) - float(ball.mid)) <= level.value and np.isnan(dot)
    assert slope_said(found, found.activation) == "dot = NaN: the kernel alone"  # in heads
    assert any("NaN, not computed" in line for line in found.lines())
    assert "derivative)" not in level.line()


def test_what_lines_change_is_bounded_by_powers_of_their_width() -> None:
    """Narrower strips, and exponents of Hölder's inequality beyond two, serve small errors."""
    act = as_activation("abs(x - 1)^.1")
    loose, tight = (lined(act, SPAN, error) for error in (1e-3, 1e-9))
    assert loose is not None and tight is not None
    assert 0 < tight.off <= 1e-10 < loose.off <= 1e-4
    assert lined(as_activation("tanh(x)"), SPAN, 1e-3) is None
    with pytest.raises(Undecided, match="leave inf of the kernel"):
        lined(as_activation("log(abs(x - 1))"), SPAN, 1e-3)


def test_infinitely_many_singular_points() -> None:
    """Those within reach are kept without a look at the slope, which has no norm."""
    cut = cut_off(as_activation("cbrt(sin(x))"), SPAN, 1e-3, slopes=False)
    assert cut is not None and cut.off <= 1e-5
    with pytest.raises(Undecided):
        cut_off(as_activation("cbrt(sin(x))"), SPAN, 1e-3)
    found = nngp_dual(as_activation("cbrt(sin(x))"), (Fraction(1), Fraction(1)), 1e-3)
    exact = enclose_definition(found.activation.expr, 1, Fraction(1, 2), 1, digits=10)
    assert abs(float(found.evaluate(1.0, 0.5, 1.0)[0]) - float(exact.mid)) <= 1e-3


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_a_network_has_its_nngp(target: str) -> None:
    """Equal rows have what the diagonal has, and both kernels are refused with the way out."""
    rows = np.random.default_rng(0).standard_normal((5, 6))
    rows[3] = rows[2]
    kernel = ntksym.compile("mlp:abs(x - 1)^.3:depth=2", target, only="nngp", error=1e-5)
    found = kernel(rows)
    assert found.shape == (5, 5) and np.isfinite(found).all()
    assert np.array_equal(found, found.T) and np.array_equal(np.diag(found), kernel.diag(rows))
    assert abs(found[2, 3] - found[2, 2]) <= 1e-5
    squares = np.einsum("ij,ij->i", rows, rows)
    products = kernel.gram(rows @ rows.T, squares, squares, 6)
    assert np.allclose(products, found, rtol=1e-7)
    dual = ntksym.compile("abs(x - 1)^.3", target, only="nngp", error=1e-5)
    first = dual(*(float(v) for v in POINTS[0]))
    assert abs(float(first) - 0.98359148214467) <= 1e-5 and dual.diag(1.0).shape == ()
    if target == "c":
        with pytest.raises(Undecided, match="E\\[s'\\(u\\)\\^2\\] is infinite") as said:
            ntksym.compile("mlp:abs(x - 1)^.3:depth=2", target, error=1e-5)(rows)
        assert 'only="nngp"' in said.value.hint


def test_with_a_closed_form_or_a_table_it_is_the_same_kernel() -> None:
    rows = np.random.default_rng(0).standard_normal((4, 3))
    for name in ("relu", "tanh"):
        alone = ntksym.compile(f"mlp:{name}:depth=2", "numpy", only="nngp")
        both = ntksym.compile(f"mlp:{name}:depth=2", "numpy")
        assert np.array_equal(alone(rows), both(rows).nngp)
    again = alone.at(weight_var=2)
    assert (again.name, again.target) == (alone.name, "numpy")
    with pytest.raises(BadSpec, match="only = 'ntk'"):
        ntksym.compile("mlp:relu:depth=2", "numpy", only="ntk")  # type: ignore[call-overload]


def test_a_file_says_what_is_not_in_it(tmp_path: Path, call: Any) -> None:
    options = {"variances": (1, 2), "error": 1e-5}
    made = generate("abs(x - 1)^.3", "numpy", only="nngp", **options)  # type: ignore[arg-type]
    (file,) = made.files
    assert "its derivative dual is NaN, not computed" in file.text and "--only nngp" in file.text
    with pytest.raises(Undecided):
        generate("abs(x - 1)^.3", "numpy", **options)  # type: ignore[arg-type]
    done = call(
        "export", "mlp:abs(x-1)^.3", "--target", "numpy", "--only", "nngp", "--variance", "1",
        "--error", "1e-5", "--out", str(tmp_path),
    )  # fmt: skip
    assert done.exit_code == 0 and len(list(tmp_path.iterdir())) == 1
    said = call("derive", "abs(x - 1)^.3").output
    assert "s' grows like the distance to the power -7/10" in said and "--only nngp" in said
