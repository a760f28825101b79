"""The benchmarks of activations without closed form: their rules, references and verdicts."""

from __future__ import annotations

import math
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from sympy import tanh

from ntksym.symbols import x

BENCH = Path(__file__).resolve().parent.parent / "codegen" / "bench"
if not BENCH.is_dir():
    pytest.skip("the benchmarks are in the repository only", allow_module_level=True)
pytest.importorskip("scipy")
sys.path.insert(0, str(BENCH))

import activations  # noqa: E402
import activations_report as report  # noqa: E402
import ball_references as balls  # noqa: E402
import dual_methods as methods  # noqa: E402
import enclosures  # noqa: E402
import framework_formulas  # noqa: E402
import long_series  # noqa: E402
import peer_rules  # noqa: E402
import regimes  # noqa: E402
import regimes_numeric  # noqa: E402
from error_time_plot import Mark, scatter  # noqa: E402

POINTS = tuple(np.array(v) for v in ([1.0, 9.0, 0.5], [0.5, -4.0, 0.5], [2.0, 2.5, 0.5]))


def test_gauss_hermite_is_exact_for_polynomials_of_its_degree() -> None:
    value, slope = peer_rules.gauss_hermite(x**2 + x, 25)(*POINTS)
    q11, q12, q22 = POINTS
    assert np.allclose(value, q11 * q22 + 2 * q12**2 + q12, rtol=1e-12)
    assert np.allclose(slope, 4 * q12 + 1, rtol=1e-12)


def test_gauss_hermite_with_25_nodes_is_not_symmetric_for_tanh() -> None:
    """What is known of `ElementwiseNumerical`: the two orders of the inputs differ."""
    rule = peer_rules.gauss_hermite(tanh(x), 25)
    (there, _), (back, _) = (
        rule(*(np.array([v]) for v in point)) for point in ((9.4, 4.0, 2.4), (2.4, 4.0, 9.4))
    )
    assert 1e-3 < abs(there[0] - back[0]) < 0.2
    finer = peer_rules.gauss_hermite(tanh(x), 200)(*(np.array([v]) for v in (9.4, 4.0, 2.4)))
    assert abs(finer[0][0] - there[0]) > 1e-3


def test_adaptive_rule_integrates_a_square() -> None:
    value, slope = peer_rules.adaptive(x**2)(*(v[:1] for v in POINTS))
    assert value[0] == pytest.approx(2.5, rel=1e-7)
    assert slope[0] == pytest.approx(2.0, rel=1e-7)


def test_generated_relu_is_measured_against_the_definition() -> None:
    act = methods.read("relu")
    from ntksym.dual import dual

    found = dual(act)
    rule = methods.compiled(act, found, "numpy")
    known = activations.references(act)
    right = methods.Method("closed form", "numpy", rule, (0.0, math.inf), None)
    errors = activations.errors(right, known)
    assert list(errors) == list(activations.SETS)
    assert all(0.0 <= e < 1e-15 for pair in errors.values() for e in pair)

    def off(a: object, c: object, b: object) -> tuple[object, object]:
        value, slope = rule(a, c, b)
        return value * (1 + 1e-9), slope

    wrong = activations.errors(replace(right, rule=off, span=(1.0, 1.0)), known)
    assert list(wrong) == ["q = 1"]
    assert wrong["q = 1"][0] == pytest.approx(1e-9, rel=1e-3)
    assert wrong["q = 1"][1] < 1e-15


def row(method: str, target: str, error: float, ns: float, proven: float | None = None) -> object:
    pair = {"q = 1": (error, error)}
    return activations.Row("mish", method, target, (1.0, 1.0), pair, ns, proven)


def test_a_peer_is_beaten_on_both_axes_or_named() -> None:
    ours = row("table q=1", "c", 1e-10, 3.0, 1e-9)
    slow = row("quadrature", "c", 1e-16, 1e5, 1e-12)
    peer = row("neural-tangents 25^2", "numpy", 1e-8, 1e4)
    better = row("neural-tangents 100^2", "numpy", 1e-12, 1e4)
    rows = [ours, slow, peer, better]
    assert list(report.not_beaten(rows, ("q = 1",), "")) == [(better, "q = 1")]
    (line,) = report.worded(rows, ("q = 1",), "")
    assert line == (
        "mish, q = 1: not better than neural-tangents 100^2 1e-12/1e-12 10 us. "
        "Ours: table q=1 c 1e-10/1e-10 3 ns; quadrature c 1e-16/1e-16 100 us"
    )
    assert len(list(report.not_beaten(rows, ("q = 1",), "numpy"))) == 2
    assert not list(report.broken(rows))
    assert list(report.broken([row("table q=1", "c", 1e-8, 3.0, 1e-9)]))
    assert list(report.broken([row("table q=1", "c", math.inf, 3.0, 1e-9)]))


def test_rows_survive_json(tmp_path: Path) -> None:
    rows = [
        row("table q=1", "c", 1e-10, 3.0, 1e-9),
        replace(row("closed form", "c", math.inf, 9.0), span=(0.0, math.inf)),
        row("SciPy dblquad", "scipy", 1e-12, 1e8),
    ]
    activations.write(rows, tmp_path)
    assert activations.stored(tmp_path / "activations.json") == rows
    text = (tmp_path / "activations.md").read_text(encoding="utf-8")
    assert "| mish | table q=1 | c | q = 1 | 1e-10/1e-10 | - | - | 1e-09 | 3 ns |" in text
    before = (tmp_path / "activations.svg").read_bytes()
    activations.write(rows, tmp_path)
    assert (tmp_path / "activations.svg").read_bytes() == before


def test_plot_has_a_mark_for_every_finite_point() -> None:
    marks = [
        Mark("a", "table", False, True, 3.0, 1e-10, "one"),
        Mark("b", "peer & co", True, False, 1e6, 0.0, "two < three"),
        Mark("b", "peer & co", True, False, 1e6, math.inf, "nowhere"),
    ]
    root = ET.fromstring(scatter(marks, ("a", "b"), "title"))
    titles = [e.text for e in root.iter() if e.tag.endswith("title")]
    assert titles.count("one") == 1 and titles.count("two < three") == 1
    assert "nowhere" not in titles
    assert any(e.text == "peer & co" for e in root.iter() if e.tag.endswith("text"))


def test_references_contain_the_definition() -> None:
    from ntksym.dual import dual

    for text, point in (("relu", (2.0, 1.3, 0.7)), ("gelu", (1e-4, -9e-3, 1.0))):
        act = methods.read(text)
        closed = balls.Closed(dual(act)).pair(*point)
        slow = balls.defined(act, *point, True)
        assert all(a.overlaps(b) and a.rad() < 1e-40 for a, b in zip(closed, slow, strict=True))
    act = methods.read("tanh")
    series = balls.Series(act)
    for found, exact in zip(series.pair(1.0, 0.75, 0.25 * 9), balls.defined(
        act, 1.0, 0.75, 2.25, True), strict=True):  # fmt: skip
        assert found.overlaps(exact) and found.rad() < 1e-20


def test_regimes_find_a_wrong_kernel_and_a_missing_nan() -> None:
    right = next(iter(regimes.closed_subjects(["relu"])))
    for regime in regimes.REGIMES:
        found = regimes.measure(right, regime, 12, 5.0)
        assert found.checked and not found.bad_nan, regime
        assert max(found.relative) < 4 * regimes.EPS, regime

    def off(*columns: object) -> tuple[object, object]:
        value, slope = (np.array(v) for v in right.rule(*columns))
        return value, slope + 1e-12

    wrong = replace(right, rule=off, bound=1e-13, span=(1.0, 1.0))
    few = regimes.measure(wrong, "orthogonal", 3, 5.0)
    assert few.relative[1] == pytest.approx(2e-12, rel=1e-3)
    all_of_it = regimes.Summary("relu", "x", 1e-13, (few,), regimes.outside(wrong))
    assert "beyond" in all_of_it.wrong and "not NaN" in all_of_it.wrong
    nans = replace(right, rule=lambda *c: tuple(np.full(len(c[0]), np.nan) for _ in range(2)))
    assert regimes.measure(nans, "equal", 2, 5.0).bad_nan == 4
    assert regimes.outside(replace(nans, span=(1.0, 1.0))) == 0


def test_points_of_a_regime_are_covariances() -> None:
    subject = next(iter(regimes.closed_subjects(["relu"])))
    ruled = replace(subject, bound=1e-10, span=regimes.RANGE)
    for s in (subject, ruled):
        for regime in regimes.REGIMES:
            for a, c, b in regimes.inputs(s, regime, 20):
                assert Fraction(c) ** 2 <= Fraction(a) * Fraction(b)


def test_long_series_contain_the_definition() -> None:
    """By arrays, with a bound: a smooth function at both ends, and a kinked one where it reaches."""
    for text, a, b in (("tanh", 9.0, 1.0), ("max(x, 0) + exp(min(x, 0)) - 1", 1.0, 1.0)):
        act = methods.read(text)
        known = long_series.References(act)
        q12 = np.sqrt(a * b) * np.array([-1.0, -1 + 1e-13, -0.3, 0.0, 0.6, 0.999999, 1.0])
        found = known.at(a, q12, b)
        assert found.known[2:5].all() and (found.known[[0, 1, 6]] == known.smooth).all()
        for place in (1, 4, 6):
            if not found.known[place]:
                continue
            exact = balls.defined(act, a, float(q12[place]), b, True)
            for (values, bounds), ball in zip((found.nngp, found.dot), exact, strict=True):
                gap = abs(float(values[place]) - float(ball.mid()))
                assert gap <= bounds[place] + float(ball.rad()) + 2e-16 * abs(float(values[place]))
                assert bounds[place] < 1e-15


def test_errors_by_arrays_find_a_planted_one() -> None:
    row = next(r for r in enclosures.rows(["logsigmoid"]))
    code = regimes_numeric.code(row)
    assert code is not None and code.method == "mixture" and code.open
    code = replace(code, variances=(0.25, 1.0, 4.0))
    known = long_series.References(code.act)
    right = regimes_numeric.by_arrays(code, known, "random", 200, 0.0)
    assert right.series > 150 and not right.bad
    assert 0 < max(right.nngp, right.dot) < 1e-14
    zero = regimes_numeric.at_zero(code)
    assert zero.definition == len(code.variances) + 1 and max(zero.nngp, zero.dot) < 1e-14

    def off(*columns: object) -> tuple[object, object]:
        value, slope = (np.array(v) for v in code.rule(*columns))
        value[:3] = np.nan
        return value, slope * (1 + 1e-12)

    wrong = regimes_numeric.by_arrays(replace(code, rule=off), known, "orthogonal", 60, 0.0)
    assert wrong.bad and 1e-13 < wrong.dot < 2e-12


def test_numeric_records_survive_json(tmp_path: Path) -> None:
    seen = regimes_numeric.Seen("random", 7, 2, 1, 0, 0, 3e-16, 2e-15, (1.0, 0.5, 1.0))
    record = regimes_numeric.Record("mish", "rule, q = 1", "0" * 16, 1e-14, 10, 1.0, "", [seen])
    missing = regimes_numeric.Record("odd", "none", "", None, 0, 0.0, "no dual")
    path = tmp_path / "out.json"
    regimes_numeric.write({"mish": record, "odd": missing}, path)
    assert regimes_numeric.stored(path) == {"mish": record, "odd": missing}
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "1 activations, 10 points with a reference.  Within 1e-14 at every point: 1." in text
    assert (
        "odd: no dual." in text and "| mish | rule, q = 1 | 1.0e-14 | 3.0e-16 | 2.0e-15 |" in text
    )
    record.regimes = [replace(seen, dot=3e-14)]
    regimes_numeric.write({"mish": record}, path)
    assert "Not within it: mish (3.0e-14)." in path.with_suffix(".md").read_text(encoding="utf-8")


def test_the_frameworks_list_is_whole() -> None:
    """Every function named once or with different arguments; every formula read."""
    calls = [
        (c["name"], tuple(sorted((k, str(v)) for k, v in c.get("with", {}).items())), e["name"])
        for e, c in framework_formulas.entries()
    ]
    by_module = {m: {n for n, *_ in calls if n.startswith(m + ".")} for m in
                 framework_formulas.MODULES}  # fmt: skip
    assert {m: len(n) for m, n in by_module.items()} == {
        "torch.nn": 23, "jax.nn": 23, "keras.activations": 28, "neural_tangents.stax": 18,
    }  # fmt: skip
    assert not {n for n, *_ in calls} & framework_formulas.excluded()
    for entry, _ in framework_formulas.entries():
        act = framework_formulas.formula(entry)
        assert not act.params


def test_a_formula_that_differs_is_seen() -> None:
    entry = next(e for e, _ in framework_formulas.entries() if e["name"] == "Tanhshrink")
    act = framework_formulas.formula(entry)
    gap, kind = framework_formulas.difference(act, lambda at: at - np.tanh(at))
    assert kind == "float64" and gap < 1e-15
    assert framework_formulas.difference(act, lambda at: at - np.tanh(at) / 1.001)[0] > 1e-4
