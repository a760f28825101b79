"""The export shelf is fresh, its files work without the library, its consumers build and run."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ntksym.dual import dual
from ntksym.errors import BadSpec, CannotWrite, NoClosedForm
from ntksym.export import slopes
from ntksym.export.files import export
from ntksym.export.languages import gradient_source
from ntksym.export.manifest import read_manifest, sha256
from ntksym.export.measure import EPS, SINGLE_EPS, Worst, _references, _worst, one_signed, points
from ntksym.export.shelf import build_shelf, check_shelf
from ntksym.gradients import dual_gradients
from ntksym.language import as_activation
from ntksym.lower.kernel import lower_dual, lower_dual_diag
from ntksym.runtime.engines import import_file

ROOT = Path(__file__).resolve().parent.parent / "codegen"
SMALL = '[[kernel]]\nname = "relu"\nactivation = "relu"\n'


def test_shelf_is_fresh() -> None:
    assert check_shelf(ROOT) == ()


def test_lock_matches_the_files() -> None:
    lock = json.loads((ROOT / "manifest.lock").read_text())
    assert set(lock["kernels"]) == {e.name for e in read_manifest(ROOT / "manifest.toml")}
    for entry in read_manifest(ROOT / "manifest.toml"):
        record = lock["kernels"][entry.name]
        for name, digest in record["files"].items():
            assert sha256((ROOT / name).read_text()) == digest
        for target in entry.targets:
            for measured in record["measured"][target].values():
                assert measured["eps"] <= entry.eps_max


def test_every_closed_form_is_on_the_shelf() -> None:
    from ntksym.activations import catalogue
    from ntksym.dual import dual

    shelved = {e.activation for e in read_manifest(ROOT / "manifest.toml")}
    for act in catalogue():
        if act.name not in shelved:
            with pytest.raises(NoClosedForm):
                dual(act)


def test_consumer_builds_and_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        ["make", "-C", str(ROOT / "consumers" / "c_demo"), "run", f"BUILD={tmp_path}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    assert done.stdout.splitlines()[-2 if "Leaving" in done.stdout else -1] == "ok"


def test_numpy_modules_import_numpy_only() -> None:
    files = sorted((ROOT / "numpy").glob("*.py"))
    assert files
    for f in files:
        imports = [line for line in f.read_text().splitlines() if "import " in line]
        assert [i for i in imports if i.startswith(("import", "from"))] == ["import numpy as np"]


def test_numpy_modules_say_nothing_of_rests_that_overflow() -> None:
    """Where nothing is NaN no warning comes, at variances from 1e-200 to 1e200 either.

    celu and scaled_elu are elu with other numbers, and as slow where the definition is integrated.
    """
    at = [np.array(v) for v in zip(*points(True), strict=True)]
    said = {}
    for f in sorted((ROOT / "numpy").glob("*.py")):
        if f.stem in ("celu", "scaled_elu"):
            continue
        dual_of = getattr(import_file(f, f.stem), "dual", None)
        if dual_of is None or "\n@np.errstate" not in f.read_text():
            continue
        numbers = [0.5] * (len(inspect.signature(dual_of).parameters) - 3)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            dual_of(*at, *numbers)
        said[f.stem] = [str(w.message) for w in found]
    assert len(said) > 10
    assert {n: w for n, w in said.items() if w} == {}


def test_shelved_numpy_network() -> None:
    module = import_file(ROOT / "numpy" / "relu_mlp.py", "relu_mlp")
    x = np.random.default_rng(0).normal(size=(5, 3))
    nngp, ntk = module.kernel(x)
    assert (nngp == nngp.T).all() and (ntk == ntk.T).all()
    assert np.abs(module.kernel(x, x)[1] / ntk - 1).max() < 1e-7


def test_build_and_check_small(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text(SMALL)
    measured = build_shelf(tmp_path)
    assert set(measured) == {"relu.c", "relu.numpy"}
    for m in measured.values():
        for w in (*m.double, *m.single):  # relu's dual and its derivative are never negative
            assert w.eps <= 4 and w.of_value is not None and w.of_value <= 8, w
    lock = json.loads((tmp_path / "manifest.lock").read_text())
    assert lock["goal"]["reached"][1].startswith("C float32: 1 of 1 within 4 eps of the size")
    assert set(lock["kernels"]["relu"]["measured_float32"]) == {"c", "numpy"}
    assert check_shelf(tmp_path) == ()
    changed = tmp_path / "c" / "relu.c"
    changed.write_text(changed.read_text() + "\n")
    (tmp_path / "numpy" / "stray.py").write_text("")
    assert check_shelf(tmp_path) == (
        "c/relu.c: differs from what is generated now",
        "numpy/stray.py: nobody generates it",
    )
    (tmp_path / "manifest.toml").write_text(SMALL + "eps_max = 1e-9\n")
    with pytest.raises(BadSpec, match="relu: nngp is off by"):
        build_shelf(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[kernel", "cannot read"),
        (SMALL + "colour = 1\n", "unknown key 'colour'"),
        ('[[kernel]]\nname = "a"\n', "an activation or a network is needed"),
        (SMALL + SMALL, "missing or used twice"),
    ],
)
def test_bad_manifests(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "manifest.toml").write_text(text)
    with pytest.raises(BadSpec, match=message):
        read_manifest(tmp_path / "manifest.toml")


def test_export_writes_and_refuses(tmp_path: Path) -> None:
    paths = export("mlp:relu:depth=2,weight_var=2,bias_var=0", "c", tmp_path / "out")
    assert [p.name for p in paths] == [
        "ntksym.h", "relu_mlp.c", "relu_mlp_gradient.c", "relu_mlp.h", "CMakeLists.txt",
        "ntksym_relu_mlp.pc.in", "consumer.c",
    ]  # fmt: skip
    export("mlp:relu:depth=2,weight_var=2,bias_var=0", "c", tmp_path / "out")
    paths[1].write_text("mine")
    with pytest.raises(CannotWrite, match="exists and differs"):
        export("mlp:relu:depth=2,weight_var=2,bias_var=0", "c", tmp_path / "out")
    assert paths[1].read_text() == "mine"
    export("mlp:relu:depth=2,weight_var=2,bias_var=0", "c", tmp_path / "out", force=True)
    assert "ntksym_relu_mlp_tile" in paths[1].read_text()
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="cannot make the directory"):
        export("relu", "numpy", tmp_path / "file" / "below")
    with pytest.raises(BadSpec, match="unknown target 'java'"):
        export("relu", "java", tmp_path)


@pytest.mark.parametrize("target", ("numpy", "jax", "torch"))
def test_heads_of_modules_are_no_wider_than_a_page(tmp_path: Path, target: str) -> None:
    (path,) = export("mlp:tanh:depth=2", target, tmp_path)
    command, *lines = path.read_text().split('"""')[1].splitlines()
    assert "--target" in command and max(map(len, lines)) <= 100
    starts = (
        "dual0      K[tanh(x)]: 19 nodes; proven",
        "           |tanh(z/2)|",
        "Root       near",
    )
    assert all(any(line.startswith(start) for line in lines) for start in starts)


def test_an_export_that_is_measured_says_what_it_found(tmp_path: Path) -> None:
    export("leaky_relu", "numpy", tmp_path / "n", measure=True)
    head = " ".join((tmp_path / "n" / "leaky_relu.py").read_text().split('"""')[1].split())
    found = re.search(r"nngp (\S+) eps, dot (\S+) eps of the kernel's size at 88 points", head)
    assert found and 0 < float(found[1]) <= 4 and 0 < float(found[2]) <= 4
    assert "alpha = 0.5, 34-digit reference; floats: computed in doubles" in head
    assert "--measure" in head
    export("mlp:relu:depth=2", "c", tmp_path / "c", measure=True)
    lines = (tmp_path / "c" / "relu_mlp.c").read_text().split("*/")[0].splitlines()
    assert max(map(len, lines)) <= 100  # the words go on below each other
    head = " ".join(word for line in lines for word in line.removeprefix(" *").split())
    assert re.search(r"at most nngp \d\.\d eps, ntk \d\.\d eps .* at 72 points", head)
    assert re.search(r"floats: nngp \d\.\d eps, ntk \d\.\d eps of 2\^-23", head)
    export("step", "c", tmp_path / "s", measure=True)
    for path, kernel, where in (
        (tmp_path / "c" / "relu_mlp_gradient.c", "ntk", "10 pairs of rows, 90-digit reference"),
        (tmp_path / "s" / "step_gradient.c", "dot", "66 points, 60-digit reference"),
    ):
        head = " ".join(path.read_text().split("*/")[0].replace("\n *", " ").split())
        found = re.search(rf"derivatives of nngp (\S+) eps, of {kernel} (\S+) eps at most", head)
        assert found and 0 < float(found[1]) <= 10 and 0 < float(found[2]) <= 10
        assert where in head


def test_a_derivative_that_is_off_is_seen() -> None:
    """The reference moved by a thousandth of the derivative; NaN and wrong zeros are infinite."""
    source = gradient_source("erf", "erf", "", measure=True)
    file = gradient_source("erf", "erf", "")
    assert "not measured" in file.text and "not measured" not in source.text
    given = dual_gradients("erf")
    right = given.planes()
    wrong = SimpleNamespace(
        args=right.args,
        outputs=right.outputs,
        evaluate=lambda at, ctx: {k: v * 1.001 for k, v in right.evaluate(at, ctx).items()},
    )
    moved: Any = SimpleNamespace(planes=lambda: wrong, dual=given.dual)
    found = re.search(r"of nngp (\S+) eps, of dot (\S+) eps", slopes.dual_slopes(file, moved))
    assert found and all(1e12 < float(v) < 1e13 for v in found.groups())
    rows = [("nngp/q11", float("nan"), 1.0, 1.0), ("dot/q11", 1.0, 0.0, 0.0)]
    assert slopes._text(iter(rows), "").startswith("derivatives of nngp inf eps, of dot inf eps")


@pytest.mark.parametrize(
    ("spec", "target", "options", "what"),
    [
        ("tanh", "c", {}, "mixtures, tables, series and rules"),
        ("gelu", "jax", {}, "jax files"),
        ("mlp:relu:depth=30", "c", {"collapse": True}, "collapsed networks"),
    ],
)
def test_what_is_not_measured(
    tmp_path: Path, spec: str, target: str, options: dict[str, Any], what: str
) -> None:
    with pytest.raises(BadSpec, match=what + ": the accuracy is measured of closed forms"):
        export(spec, target, tmp_path, measure=True, **options)
    assert not list(tmp_path.iterdir())


def test_exported_module_runs_alone(tmp_path: Path) -> None:
    (path,) = export("x*(1+erf(x/sqrt(2)))/2", "numpy", tmp_path)
    code = f"import runpy; m = runpy.run_path({str(path)!r}); print(m['dual'](1.0, 0.5, 2.0)[0])"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 0


def test_references_have_their_digits_where_values_are_small() -> None:
    """With 34 digits that of (max(x, 0)^3)' near rho = -1, 1e-33 of the size, has none."""
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = 400
    d = dual(as_activation("cubed_relu"))
    pair, diag = lower_dual(d), lower_dual_diag(d)
    rows = [r for r in _references(pair, diag, (), False) if 0 < r[2] < 1e-20 * r[3]]
    assert rows
    for (q11, q12, q22), label, value, _ in rows:
        exact = pair.evaluate({"q11": q11, "q12": q12, "q22": q22}, ctx)[label]
        assert abs(value - exact) < 1e-20 * exact, (q11, q12, q22, label)


def test_outputs_that_change_their_sign_have_no_error_of_the_value() -> None:
    """That of a scaled GELU does at opposite inputs of variance 12, beyond the points measured."""
    for name, turning in (("gelu_scaled", {"nngp", "dot"}), ("x2_probit", set()), ("relu", set())):
        d = dual(as_activation(name))
        given = {p.name: 0.5 for p in d.activation.params}
        worst = tuple(Worst(k, 0.0, (1.0, 1.0, 1.0), 1, 2.0) for k in ("nngp", "dot"))
        found = one_signed(worst, lower_dual(d), given)
        assert {w.output for w in found if w.of_value is None} == turning, name


def test_relative_errors_leave_out_what_is_no_normal_number() -> None:
    cells = [("nngp", (1.0, 0.0, 1.0), v, v / 2, 1.0) for v in (1e-40, 0.25)]
    assert _worst(cells, SINGLE_EPS)[0].of_value == 0.5 / SINGLE_EPS
    assert _worst(cells[:1], SINGLE_EPS)[0].of_value == 0.0
    assert _worst(cells[:1], EPS)[0].of_value == 0.5 / EPS
