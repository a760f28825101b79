"""Duals of mixtures: enclosures, the sum written out, the choice of the method."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from sympy import Rational

from ntksym.errors import BadActivation, BadCovariance, BadSpec, NoClosedForm
from ntksym.language import as_activation
from ntksym.numeric import mixture as mixture_module
from ntksym.numeric import mixture_build
from ntksym.numeric.arith import ball
from ntksym.numeric.choose import best_dual
from ntksym.numeric.logistic import recognise
from ntksym.numeric.mixture import of_nodes
from ntksym.numeric.mixture_build import mixture_dual
from ntksym.numeric.pairs import A, B, integral_pair, node_function
from ntksym.precision import precision
from ntksym.symbols import q, q11, q12, q22
from ntksym.verify.balls import enclose_definition

# -- the dual --------------------------------------------------------------------------------------

POINTS = [
    (Fraction(1), Fraction(1, 2), Fraction(2)),
    (Fraction(9), Fraction(-4), Fraction(5, 2)),
    (Fraction(1), Fraction(999999, 10**6), Fraction(1)),
    (Fraction(1), Fraction(-1), Fraction(1)),
    (Fraction(1, 100), Fraction(1, 200), Fraction(4)),
]


@pytest.mark.parametrize("slope", [False, True])
@pytest.mark.parametrize("text", ["sigmoid", "tanh", "softplus", "silu", "tanhshrink", "x*tanh(x)"])
def test_the_truth_is_in_the_enclosure(text: str, slope: bool) -> None:
    d = mixture_dual(text, nodes=7)
    for point in POINTS:
        found = d.enclose(*point, derivative=slope)
        truth = enclose_definition(d.activation, *point, derivative=slope, digits=15)
        assert abs(found.mid - truth.mid) <= found.rad + truth.rad
        assert 0 < found.rad < 1e-5


@pytest.mark.parametrize("text", ["x**2*sigmoid(3*x - 1)", "sigmoid(x) + x*sigmoid(2*x - 1)"])
def test_of_equal_variances_half_the_pairs_are_summed(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the same sum, of two families too; the size at a variance once for many enclosures."""
    d, asked = mixture_dual(text, nodes=4), []
    row = mixture_module.ball_row

    def counted(e: Any, values: Any, symbol: Any, balls: list[Any]) -> list[Any]:
        asked.append(len(balls))
        return list(row(e, values, symbol, balls))

    monkeypatch.setattr(mixture_module, "ball_row", counted)
    at = {q11: ball(2), q12: ball(Fraction(1, 2)), q22: ball(2)}
    with precision(128):
        for slope in (False, True):
            pieces, found, counts = d._pieces(False, slope), [], []
            for even in (False, True):
                asked.clear()
                found.append(d._sum(pieces, at, even))
                counts.append(sum(asked))
            assert found[0].overlaps(found[1]) and found[1].rel_accuracy_bits() > 80
            assert counts[0] * 10 == counts[1] * 16
    d.enclose(2, 1, 3)
    asked.clear()
    d.enclose(2, -1, 3)
    assert len(asked) == d.forms.families**2 * 4


def test_a_planted_node_is_found_out() -> None:
    d = mixture_dual("tanh", nodes=7)
    weights = (*d.mixture.weights[:-1], d.mixture.weights[-1] * 2)
    planted = replace(d, mixture=replace(d.mixture, weights=weights))
    found = planted.enclose(1, Fraction(1, 2), 2)
    truth = enclose_definition(d.activation, 1, Fraction(1, 2), 2, digits=15)
    assert abs(found.mid - truth.mid) > found.rad + truth.rad


def test_parameters_and_offsets() -> None:
    d = mixture_dual("3*tanh(2*x + 1) - x/2", nodes=4)
    found = d.enclose(1, Fraction(1, 2), 2)
    truth = enclose_definition(d.activation, 1, Fraction(1, 2), 2, digits=15)
    assert abs(found.mid - truth.mid) <= found.rad + truth.rad
    d = mixture_dual("x*sigmoid(beta*x)", nodes=7)
    found = d.enclose(1, Fraction(1, 2), 2, params={"beta": Fraction(3, 2)}, derivative=True)
    truth = enclose_definition(
        d.activation, 1, Fraction(1, 2), 2, params={"beta": "3/2"}, digits=15, derivative=True
    )
    assert abs(found.mid - truth.mid) <= found.rad + truth.rad
    with pytest.raises(BadActivation, match="no value is given for the parameter 'beta'"):
        d.enclose(1, 0, 1)
    with pytest.raises(BadCovariance, match="not positive semi-definite"):
        d.enclose(1, 2, 1)


@pytest.mark.parametrize("text", ["tanh", "sigmoid", "silu", "softplus"])
def test_the_default_is_good_to_fourteen_digits(text: str) -> None:
    d = mixture_dual(text)
    for variance in (Fraction(1, 100), Fraction(1), Fraction(100)):
        b = d.bound(variance, variance)
        assert b.value_relative <= 1e-14 and b.dot_relative <= 1e-14


def test_the_sum_written_out_is_the_sum() -> None:
    d = mixture_dual("silu", nodes=3)
    assert d.expr(3) == d.expr()
    at = {q11: Rational(1), q12: Rational(1, 2), q22: Rational(2)}
    for slope in (False, True):
        value = Fraction(str(d.expr(dot=slope).xreplace(at).evalf(30)))
        found = d.enclose(1, Fraction(1, 2), 2, derivative=slope)
        assert abs(value - found.mid) < Fraction(1, 10**20)
    with pytest.raises(ValueError, match="give a count"):
        mixture_dual("silu", nodes=21).expr()


def test_the_named_functions_behave_as_a_dual() -> None:
    d = mixture_dual("x*sigmoid(beta*x)", nodes=3)
    assert d.value.diff(q12) == d.dot == d.dot_ae
    assert d.diag.free_symbols == {q, *d.activation.params}
    assert "K" in d._repr_latex_()


def test_the_stable_form_of_softplus_is_the_derived_one() -> None:
    from ntksym.exact import Field
    from ntksym.gaussian import Law, expect
    from ntksym.terms import decompose

    for text in ("softplus(3*x)", "log(cosh(x))"):
        group = recognise(as_activation(text)).parts
        field = Field((q11, q12, q22, q, A, B))
        one, two = (decompose(node_function(group, n), field) for n in (A, B))
        derived = expect(Law.pair(field), one, two).expr
        at = {q11: Rational(3, 2), q12: Rational(-1, 3), q22: Rational(1, 7)}
        at |= {A: Rational(2, 3), B: Rational(5, 4)}
        stable = integral_pair(group)
        assert stable is not None
        assert abs((derived - stable).xreplace(at).evalf(30)) < 1e-25


# -- the choice of a method ------------------------------------------------------------------------


def test_the_closed_form_comes_first() -> None:
    assert best_dual("relu").method == "closed form"
    assert best_dual("sigmoid").method == "mixture"
    assert best_dual("sigmoid", method="mixture", error=1e-6).method == "mixture"


def test_what_no_method_gives_says_what_was_tried() -> None:
    with pytest.raises(NoClosedForm) as caught:
        best_dual("mish", method="mixture")
    assert caught.value.what.startswith("tanh(log(exp(x) + 1))")
    assert best_dual("mish").method == "tabulated"
    with pytest.raises(NoClosedForm):
        best_dual("tanh", method="exact")
    with pytest.raises(NoClosedForm):
        best_dual("tanh", mean=True)
    with pytest.raises(BadSpec, match="unknown method 'magic'"):
        best_dual("tanh", method="magic")


def test_fewer_nodes_for_a_larger_error() -> None:
    counts = [len(mixture_dual("tanh", error=e).mixture) for e in (1e-3, 1e-8, 1e-14)]
    assert counts == sorted(counts) and counts[0] <= 5 and counts[-1] <= 19
    for e in (1e-3, 1e-8):
        d = mixture_dual("silu", error=e)
        assert max(d.worst(), 0.0) <= e


def test_how_many_nodes_are_missing_is_told_from_the_bound_of_the_first(monkeypatch):
    """Each number of nodes that is tried is a Remez exchange and a proof."""
    tried = []

    def noted(activation, nodes):
        tried.append(of_nodes(activation, nodes))
        return tried[-1]

    monkeypatch.setattr(mixture_build, "of_nodes", noted)
    d = mixture_dual("tanh(x) - x + x^3/3", error=2e-6)
    assert d is tried[-1] and d.worst() <= 2e-6 < tried[0].worst()
    assert len(tried) <= 3 and len(d.mixture) >= len(tried[0].mixture) + 6


def test_nodes_have_a_letter_that_no_parameter_has() -> None:
    """a = 0.168... beside a parameter a would be read as its value."""
    plain, own = (mixture_dual(as_activation(text)) for text in ("tanh(x)", "a*tanh(w*x)"))
    assert plain.lines()[-1].startswith("  a = ") and ", w = " in plain.lines()[-1]
    assert own.lines()[-1].startswith("  c = ") and ", p = " in own.lines()[-1]
    assert "a_{i}" in plain.latex_lines()[0] and "w_i" in plain.latex_lines()[0]
    assert "c_{i}" in own.latex_lines()[0] and "p_i" in own.latex_lines()[0]
    assert r"p_i \left(2\,\Phi(c_i z)" in own.steps[0].after and "c_i" in own.steps[1].after
