"""Powers times gates and densities: nearly collinear pairs of large variance keep their digits.

What could be wrong: a contraction left out or of the wrong sign, a covariance of the wrong law, a
polynomial that cancels (the square of SiLU: 3e-13 at q = 100), a rounding that is not mentioned.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ntksym.backends.array_programs import mixture_arrays
from ntksym.backends.mixture_moments import contracts
from ntksym.backends.mixture_programs import MixturePrograms, mixture_programs
from ntksym.backends.mixture_rounding import rounding, rounding_note
from ntksym.numeric import mixture_dual
from ntksym.runtime.numeric import accuracy, compile_mixture
from ntksym.verify.balls import enclose_definition

POWERS = {
    "silu(x)**2": 1.0,
    "x**2*sigmoid(x)": 1.0,
    "x**3*sigmoid(x)": 1.0,
    "x*tanh(x)": 1.0,
    "x*tanh(x)**2": 1e4,
    "tanh(x)**3": 1e4,
    "x**2/cosh(x)**2": 1.0,
    "x**2*tanh(x) + sigmoid(3*x)": 1.0,
}
"""Activations, and how much rounding is left at q = 1/100, where some vanish by cancellation."""
RHOS = (-0.3, 1 - 1e-9, -1.0)


@pytest.mark.parametrize("text", POWERS)
def test_collinear_pairs_keep_their_digits(text: str) -> None:
    d = mixture_dual(text, nodes=3)
    kernels = [compile_mixture(d, target) for target in ("c", "numpy")]
    for v in (0.01, 100.0):
        most = 4e-15 * (POWERS[text] if v < 1 else 1.0)
        for slope in (False, True):
            own = d.enclose(*[Fraction(v)] * 3, derivative=slope).mid
            exact = {
                c: d.enclose(Fraction(v), Fraction(c), Fraction(v), derivative=slope).mid
                for c in _at(v)
            }
            for k in kernels:
                diag = k.diag(v)
                values = {c: k(v, c, v) for c in exact}
                gaps = [Fraction(float(_of(values[c], slope))) - e for c, e in exact.items()]
                gaps.append(Fraction(float(_of(diag, slope))) - own)
                assert max(abs(float(g / own)) for g in gaps) <= most


def _of(found: Any, slope: bool) -> Any:
    return found.dot if slope else found.nngp


def _at(v: float) -> tuple[float, ...]:
    return tuple(rho * v for rho in RHOS)


@pytest.mark.parametrize("text", ["silu(x)**2", "x**2*sigmoid(x)"])
def test_the_sum_is_the_dual_of_the_definition(text: str) -> None:
    d = mixture_dual(text, nodes=6)
    k = compile_mixture(d)
    for point in ((100.0, 99.99, 100.0), (1.0, -0.5, 25.0)):
        for slope in (False, True):
            a, c, b = map(Fraction, point)
            truth = enclose_definition(d.activation, a, c, b, derivative=slope, digits=15)
            own = [float(d.enclose(v, v, v, derivative=slope).mid) for v in (a, b)]
            value = float(k(*point).dot if slope else k(*point).nngp)
            gap = float(abs(Fraction(value) - truth.mid) + truth.rad)
            assert gap <= 1e-6 * (own[0] * own[1]) ** 0.5  # the error of 6 nodes


def test_what_is_contracted() -> None:
    for text, wanted in (("tanh", False), ("silu", False), ("silu(x)**2", True)):
        assert contracts(mixture_dual(text, nodes=3), (0, 0)) is wanted
    assert not contracts(mixture_dual("x**2*tanh(x + 1)", nodes=3), (0, 0))
    assert not contracts(mixture_dual("x**2*softplus(x)", nodes=3), (0, 0))
    # a form over one common denominator has 751 lines
    (pair,) = mixture_programs(mixture_dual("silu(x)**2", nodes=3)).pairs
    assert len(pair.program.body) < 200


def _said(text: str) -> tuple[MixturePrograms, str]:
    d = mixture_dual(text, nodes=6)
    programs = mixture_programs(d)
    (note,) = mixture_arrays(d).said
    assert accuracy(d, programs).endswith(rounding_note(programs))
    assert note.endswith(rounding_note(programs))
    return programs, rounding_note(programs)


def test_rounding_that_is_left_is_said() -> None:
    for text in ("tanh", "silu"):
        assert _said(text)[1] == ""
    programs, note = _said("tanh(x)**2")
    assert note.startswith("; rounding about ") and "measured" in note
    d = mixture_dual("tanh(x)**2", nodes=6)
    v = Fraction(0.01)
    exact = float(d.enclose(v, v / 2, v).mid)
    scale = float(d.enclose(v, v, v).mid)
    seen = abs(float(compile_mixture(d)(0.01, 0.005, 0.01).nngp) - exact) / scale
    assert seen / 10 < rounding(programs) < 1e-11
