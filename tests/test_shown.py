"""How the objects of the library show themselves: `repr` in a few lines, `print`, notebooks."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, get_overloads

import numpy as np
import pytest

import ntksym
from ntksym.numeric.choose import choose
from ntksym.numeric.quadrature import QuadratureDual
from ntksym.numeric.table import TableDual
from ntksym.numeric.table.chebyshev import ChebyshevTable
from ntksym.numeric.table.dilated.table import DilatedTable
from ntksym.numeric.table.dual import Sheet
from ntksym.numeric.table.dyadic.table import DyadicSheet, DyadicTable
from ntksym.numeric.table.split.closed import Closed
from ntksym.numeric.table.split.kinks import KinkTable
from ntksym.numeric.table.split.table import SplitTable

NUMBERS = tuple(n / 7 for n in range(300))
SHEET = Sheet(((NUMBERS,),), (), 1, NUMBERS, 1e-12, (("tail", 1e-12),))
PANELS = DyadicSheet((NUMBERS,), (), 1, 2e-11, ())
DYADIC = DyadicTable("spike", "x", 1.0, 1.0, PANELS, PANELS, 9, 9)
FAR = ChebyshevTable(0.5, 2.0, 1.0, 0.2, 0.1, 0.98, SHEET, SHEET, 9, 9)
CLOSED = Closed((1.0,), 4.0, (NUMBERS,), (NUMBERS,))

NET = ntksym.mlp("leaky_relu", depth=3, weight_var=2, bias_var=[0, 0, 0, "1/10"])
CLAIM: dict[str, Any] = {"activation": "relu", "quantity": "diagonal"}


@cache
def rule() -> QuadratureDual:
    return ntksym.quadrature_dual("exp(-x^2)", variances=(1, 1), error=1e-4)


SHOWN: dict[str, Callable[[], Any]] = {
    "Activation": lambda: ntksym.named("gelu"),
    "Dual": lambda: ntksym.dual("x*sin(x)*exp(-x^2)"),
    "DualGradients": lambda: ntksym.dual_gradients("relu"),
    "Network": lambda: NET,
    "Convention": lambda: NET.convention,
    "Recursion": lambda: ntksym.recurse(NET),
    "InputRule": lambda: ntksym.recurse(NET).input_rule,
    "LayerRule": lambda: ntksym.recurse(NET).layers[0],
    "KernelState": lambda: ntksym.recurse(NET).unrolled(2)[-1],
    "Collapsed": lambda: ntksym.collapse(ntksym.mlp("relu", depth=4)),
    "Claim": lambda: ntksym.check(**CLAIM, formula="q/2").claim,
    "Judgement": lambda: ntksym.check(**CLAIM, formula="q"),
    "Counterexample": lambda: ntksym.check(**CLAIM, formula="q").counterexample,
    "MixtureDual": lambda: ntksym.best_dual("tanh"),
    "Choice": lambda: choose("tanh"),
    "ExpectedDual": lambda: ntksym.best_dual("atan(x)"),
    "SeriesDual": lambda: ntksym.series_dual("sin(x)*exp(-x^2)"),
    "QuadratureDual": rule,
    "Sheet": lambda: SHEET,
    "TableDual": lambda: TableDual("s", "x", 1.0, 2.0, 1.0, 0.2, 0.1, False, SHEET, SHEET, 9, 9),
    "ChebyshevTable": lambda: FAR,
    "SplitTable": lambda: SplitTable("spike", "x", FAR, rule(), 1e-10),
    "KinkTable": lambda: KinkTable("spike", "x", FAR, CLOSED, (9, 1e-14)),
    "DyadicSheet": lambda: PANELS,
    "DyadicTable": lambda: DYADIC,
    "DilatedTable": lambda: DilatedTable(
        "spike", "x", 0.5, 2.0, 1.5, (DYADIC, DYADIC, DYADIC), (1e-12, 2e-12)
    ),
    "SampledDual": lambda: ntksym.sampled_dual(np.tanh),
    "Report": lambda: ntksym.prove("x^2", digits=10),
    "Comparison": lambda: ntksym.prove("x^2", digits=10).comparisons[0],
    "CompiledKernel": lambda: ntksym.compile("mlp:relu", target="numpy"),
    "NetworkGradient": lambda: ntksym.NetworkGradient(ntksym.mlp("relu"), "numpy"),
    "KernelGradients": lambda: ntksym.NetworkGradient(ntksym.mlp("relu"), "numpy")(np.eye(2)),
}


@pytest.mark.parametrize("kind", SHOWN)
def test_a_repr_is_short(kind: str) -> None:
    made = SHOWN[kind]()
    text = repr(made)
    assert kind in text and type(made).__name__ == kind
    assert len(text) <= 500 and "\n" not in text
    assert "0x" not in text and "Integer(" not in text and "Symbol(" not in text


def test_a_table_says_its_range_and_its_error() -> None:
    assert repr(SHOWN["DilatedTable"]()) == "<DilatedTable spike: low=0.5, high=2, error=2e-12>"
    assert repr(SHOWN["SplitTable"]()) == "<SplitTable spike: low=0.5, high=2, error=1e-10>"
    assert repr(SHEET) == "<Sheet: parity=1, error=1e-12>"


def test_long_values_are_cut_or_counted() -> None:
    rec = ntksym.recurse(ntksym.mlp("gelu", depth=1, bias_var="1/10"))
    text = repr(rec.layers[0])
    assert "nngp=" in text and "…" in text and "entries" not in text
    assert repr(ntksym.dual("gelu")) == "<Dual gelu: method=closed form>"
    many = [f"sin({n}*x)" for n in range(1, 13)]
    assert len(repr(ntksym.dual(" + ".join(many)))) < 120


def test_a_network_prints_its_convention_and_its_layers() -> None:
    assert repr(NET) == "<Network leaky_relu x3: depth=3, parametrization=ntk>"
    lines = str(NET).splitlines()
    assert lines[:3] == ["leaky_relu x3", "  parametrisation ntk", "  weight_var = 2"]
    formula = "s(x) = alpha*Min(0, x) + Max(0, x)"
    assert lines[-2:] == [
        f"  layers 1 to 2: {formula}, bias_var = 0",
        f"  layer 3: {formula}, bias_var = 1/10",
    ]


def test_a_recursion_prints_its_rules() -> None:
    net = ntksym.mlp(["x^2", "x^2", "sign(x)"], depth=3, weight_var=[1, 1, 1, 3])
    assert str(ntksym.recurse(net)).splitlines() == [
        "x^2 x2, sign(x): q11, q12, q22 = Sigma, t12 = Theta of the layer before",
        "input layer: q12 is the inner product x.y",
        "  Sigma' = q12/d",
        "  Theta' = q12/d",
        "layers 1 to 2: s(x) = x**2",
        "  Sigma' = q11*q22 + 2*q12**2",
        "  Theta' = q11*q22 + 2*q12**2 + 4*q12*t12",
        "layer 3: s(x) = sign(x)",
        "  Sigma' = 6*asin(q12/(sqrt(q11)*sqrt(q22)))/pi",
        "  Theta' = 6*asin(q12/(sqrt(q11)*sqrt(q22)))/pi",
    ]


def test_formulas_print_in_one_line_as_papers_have_them() -> None:
    """Jacot, Gabriel & Hongler 2018, with the angle of Cho & Saul 2009."""
    said = str(ntksym.recurse("mlp:relu:depth=1,weight_var=2,bias_var=1/10")).splitlines()
    angle, root = "acos(-q12/(sqrt(q11)*sqrt(q22)))", "sqrt(q11*q22 - q12**2)"
    assert said[-2:] == [
        f"  Sigma' = (q12*{angle} + {root})/pi + 1/10",
        f"  Theta' = ((q12 + t12)*{angle} + {root})/pi + 1/10",
    ]
    assert f"E[s'(u)s'(v)] = {angle}/(2*pi)" in str(ntksym.dual("relu"))


def test_a_judgement_prints_as_the_command_does_and_as_html() -> None:
    judged = ntksym.check(**CLAIM, formula="q")
    assert str(judged).splitlines()[0] == "claim: REFUTED"
    assert "repaired: q/2" in str(judged)
    html = judged._repr_html_()
    assert r"\ne q$" in html and "<li>repaired: q/2</li>" in html
    held = ntksym.check(**CLAIM, formula="q/2", where="q < 1")._repr_html_()
    assert r" = \frac{q}{2}$" in held and "q &lt; 1" in held
    report = ntksym.prove("x^2", digits=10)
    assert report._repr_html_().startswith("<b>x^2: proved</b><ul><li>")


def test_public_names_are_imported_for_type_checkers_from_where_no_module_has_the_name() -> None:
    """Where `package/name.py` exists, mypy takes `from package import name` for that module."""
    home = Path(ntksym.__file__).parent
    tree = ast.parse((home / "__init__.py").read_text())
    found = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level and n.module]
    assert len(found) > 30
    for node in found:
        folder = home.joinpath(*str(node.module).split("."))
        assert not [a.name for a in node.names if (folder / f"{a.name}.py").exists()]


def test_type_checkers_are_told_what_functions_of_several_kinds_give() -> None:
    """Text alone says too little: of `compile("...")` the type is open."""
    for function, kinds in ((ntksym.check, 2), (ntksym.best_dual, 2), (ntksym.compile, 4)):
        given = [o.__annotations__ for o in get_overloads(function)]
        assert len(given) == kinds
        assert all(a["return"] != "Any" or a["net"] == "str | PathLike[str]" for a in given)


def test_a_kernel_prints_its_convention_and_what_is_proven_of_it() -> None:
    """Conventions and conditions of closed forms, the proven bound of mixtures, no code yet."""
    closed = str(ntksym.compile("mlp:relu:depth=2,weight_var=2", "numpy"))
    for line in ("parametrisation ntk", "weight_var = 2, bias_var = 0", "Requires   q11 >= 0"):
        assert line in closed
    assert "taken: layers" in closed and "Growth" in closed
    mixture = ntksym.compile("mlp:tanh:depth=1", "numpy")
    mixture(np.eye(2))
    lines = str(mixture).splitlines()
    assert any("nodes; proven" in line for line in lines) and max(map(len, lines)) <= 100
    assert "no code yet" in str(ntksym.compile("mish", "numpy"))
    slopes = ntksym.compile("mlp:relu:depth=1", "numpy").gradient(np.eye(2))
    said = "<KernelGradients (2, 2): derivatives in q11, q12, q22, weight_var, bias_var>"
    assert repr(slopes) == said
