"""The exported package and the C library: files, a build, an installation in a fresh folder."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import ntksym
from ntksym.errors import BadSpec, CannotWrite, UnsupportedOp
from ntksym.export.disk import write_all
from ntksym.export.files import generate
from ntksym.export.package import _package_name, package_sources
from ntksym.runtime.library.compiler import find_compiler

HEADERS = (Path(sysconfig.get_path("include")) / "Python.h").is_file()


def run(*argv, **options):
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def write_package(thing, folder, **options):
    write_all(package_sources(thing, **options), folder)


def test_files_are_the_same_each_time_and_complete():
    files = package_sources("gelu", name="My GELU")
    names = {f.name for f in files}
    assert {"pyproject.toml", "meson.build", "README.md", "LICENSE", "src/_ufunc.c"} <= names
    assert {f"my_gelu/{n}" for n in ("__init__.py", "py.typed", "jax.py", "torch.py")} <= names
    assert files == package_sources("gelu", name="My GELU")
    assert not any(f"@{mark}@" in f.text for f in files for mark in ("PACKAGE", "NAMES", "C", "PY"))


@pytest.mark.parametrize(
    "given, name", [("|x|^(3/10)", "x_3_10"), ("2*x", "k_2_x"), ("if", "k_if"), ("||", "kernel")]
)
def test_names_of_packages_can_be_imported_and_read(given, name):
    assert _package_name(given) == name


def test_a_dual_without_closed_form_has_array_modules_too():
    files = {f.name: f.text for f in package_sources("tanh")}
    assert {"tanh_kernel/jax.py", "tanh_kernel/torch.py"} <= set(files)
    assert "JAX and PyTorch modules:" not in files["README.md"]
    assert "proven" in files["README.md"]


def test_a_rule_has_no_array_modules_and_says_why(monkeypatch):
    def refuse(*args, **options):
        raise UnsupportedOp("a rule in panels is not array code")

    monkeypatch.setattr(sys.modules["ntksym.export.package"], "array_made", refuse)
    files = {f.name: f.text for f in package_sources("tanh")}
    assert not {"tanh_kernel/jax.py", "tanh_kernel/torch.py"} & set(files)
    said = "There are no JAX and PyTorch modules: a rule in panels is not array code."
    assert said in files["README.md"]


def test_the_method_that_was_asked_for_and_a_network_of_units():
    options = {"method": "series", "variances": ("1/2", "2"), "error": 1e-8}
    files = {f.name: f.text for f in package_sources("tanh", **options)}
    assert "nodes" not in files["README.md"] and "LOW, HIGH = 0.5, 2.0" in "".join(files.values())
    net = ntksym.mlp("tanh", depth=2, weight_var=2, bias_var="1/10")
    files = {f.name: f.text for f in package_sources(net, name="deep")}
    assert "def kernel(x, y=None)" in files["deep/network.py"]
    assert "k.network.kernel(x)" in files["README.md"]


def test_the_stub_has_the_modules_and_the_numpy_calls_are_those_of_a_ufunc(tmp_path, monkeypatch):
    write_package("max(x, x/7)", tmp_path, name="slanted_alone")
    stub = (tmp_path / "slanted_alone" / "__init__.pyi").read_text()
    assert "from . import jax as jax\nfrom . import torch as torch\n" in stub
    assert "network" not in stub
    monkeypatch.syspath_prepend(str(tmp_path))
    import slanted_alone as k

    assert not k.COMPILED and not hasattr(k, "network") and k.dual.__name__ == "dual"
    out = np.empty((2, 3)), np.empty((2, 3))
    found = k.dual(np.ones((2, 1)), np.full((1, 3), 0.5), 1.0, *out)
    assert found[0] is out[0] and found[1] is out[1]
    assert k.dual(1.0, 0.5, 1.0, dtype=np.float32)[0].dtype == np.float32
    assert np.isnan(k.diagonal([np.nan, -1.0, 1.0])[0]).tolist() == [True, True, False]
    for bad in ((1j, 0.5, 1.0), ("a", 0.5, 1.0), (1.0, 0.5)):
        with pytest.raises(TypeError, match=r"dual\(\)"):
            k.dual(*bad)


def test_parameters_need_values():
    with pytest.raises(BadSpec, match="'alpha' has no value") as caught:
        package_sources("leaky_relu")
    assert "--param alpha=0.25" in caught.value.hint
    assert package_sources("leaky_relu", values={"alpha": "1/4"})


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(CannotWrite):
        write_package("relu", tmp_path / "taken")


@pytest.mark.skipif(not HEADERS, reason="Python's C headers are not installed")
def test_the_extension_builds_in_the_stable_abi_and_passes_its_own_tests(tmp_path):
    """The same compiler call that meson makes, without a build environment from the network."""
    write_package("gelu", tmp_path, name="gelu_kernel")
    command = find_compiler().command
    out = tmp_path / "gelu_kernel" / "_ufunc.abi3.so"
    flags = ("-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared")
    flags += ("-ffp-contract=off", "-DPy_LIMITED_API=0x030B0000")
    includes = (f"-I{sysconfig.get_path('include')}", "-isystem", np.get_include())
    sources = (str(tmp_path / "src" / "_ufunc.c"), str(tmp_path / "src" / "dual.c"))
    run(*command, *flags, *includes, *sources, "-o", str(out), "-lm")
    said = run(
        sys.executable,
        "-c",
        "import gelu_kernel as k; print(k.COMPILED, type(k.dual).__name__, k.dual.types)",
        cwd=tmp_path,
    )
    assert said.split() == ["True", "ufunc", "['fff->ff',", "'ddd->dd']"]
    options = ("-q", "-p", "no:cacheprovider", "-k", "not jax and not torch")
    run(sys.executable, "-m", "pytest", *options, "tests", cwd=tmp_path)


@pytest.mark.parametrize("table", [False, True])
def test_without_the_extension_the_package_is_numpy_and_passes_the_same_tests(table, tmp_path):
    thing, options = ntksym.mlp("relu", depth=2, weight_var=2, bias_var="1/10"), {}
    if table:  # two orders of the variances differ by the error of the table
        thing, options = "mish", {"variances": ("1/2", "2"), "error": 1e-6}
    write_package(thing, tmp_path, name="made", **options)
    said = run(sys.executable, "-c", "import made; print(made.COMPILED)", cwd=tmp_path)
    assert said.strip() == "False"
    options = ("-q", "-p", "no:cacheprovider", "-k", "not jax and not torch")
    run(sys.executable, "-m", "pytest", *options, "tests", cwd=tmp_path)


@pytest.mark.slow
def test_one_abi3_wheel(tmp_path):
    """Needs the network: pip makes the build environment."""
    write_package("gelu", tmp_path / "source", name="gelu_kernel")
    wheels = tmp_path / "wheels"
    argv = (sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(wheels))
    run(*argv, str(tmp_path / "source"))
    (wheel,) = wheels.iterdir()
    assert "-cp311-abi3-" in wheel.name


@pytest.mark.parametrize(
    ("thing", "options"),
    [
        ("gelu", {}),
        ("leaky_relu", {}),
        ("tanh", {}),
        ("mlp:gelu:depth=2", {}),
        ("mlp:tanh:depth=1", {}),
        ("mlp:relu:depth=9,weight_var=2", {"collapse": True}),
        ("1/cosh(x)", {"variances": 3}),
        ("mlp:1/cosh(x):depth=1", {"variances": "1/3"}),
    ],
)
def test_c_library_with_its_header_and_consumer(thing, options, tmp_path):
    files = generate(thing, "c", **options).files
    for f in files:
        (tmp_path / f.name).write_text(f.text, encoding="ascii")
    units = [f.name for f in files if f.name.endswith(".c")]
    header = next(f.text for f in files if f.name.endswith(".h") and f.name != "ntksym.h")
    command = find_compiler().command
    flags = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-O1")
    program = str(tmp_path / "consumer")
    run(*command, *flags, *units, "-o", program, "-lm", cwd=tmp_path)
    assert "nan" not in run(program) and len(run(program)) > 20
    assert ("_gradient_planes(" in header) == (len(units) == 3)
    assert ("No gradient function" in header) == (len(units) == 2)
    names = [u.removesuffix(".c") for u in units if u != "consumer.c"]
    assert names[0] == units[0].removesuffix(".c") and f"void ntksym_{names[0]}_diag(" in header


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_cmake_installs_a_package_that_pkg_config_finds(tmp_path):
    for f in generate("gelu", "c").files:
        (tmp_path / f.name).write_text(f.text, encoding="ascii")
    build, prefix = tmp_path / "build", tmp_path / "a prefix"
    run("cmake", "-S", str(tmp_path), "-B", str(build), f"-DCMAKE_INSTALL_PREFIX={prefix}")
    run("cmake", "--build", str(build))
    run("ctest", "--test-dir", str(build))
    run("cmake", "--install", str(build))
    found = next(prefix.rglob("ntksym_gelu.pc")).parent
    if shutil.which("pkg-config"):
        flags = run(
            "pkg-config",
            "--cflags",
            "--libs",
            "--static",
            "ntksym_gelu",
            env={"PKG_CONFIG_PATH": str(found), "PATH": "/usr/bin:/bin"},
        )
        argv = (
            *find_compiler().command,
            "consumer.c",
            *shlex.split(flags),
            "-o",
            str(tmp_path / "c2"),
        )
        run(*argv, cwd=tmp_path)
        assert "nngp" in run(str(tmp_path / "c2"))
    other = tmp_path / "other"
    other.mkdir()
    (other / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.15)\nproject(other LANGUAGES C)\n"
        f"find_package(ntksym_gelu {ntksym.__version__} REQUIRED)\n"
        "add_executable(found ../consumer.c)\ntarget_link_libraries(found ntksym::gelu)\n"
    )
    run("cmake", "-S", str(other), "-B", str(other / "b"), f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", str(other / "b"))
    assert "nngp" in run(str(other / "b" / "found"))


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_two_kernels_are_parts_of_one_project(tmp_path):
    lines = ["cmake_minimum_required(VERSION 3.15)", "project(both LANGUAGES C)"]
    for name in ("relu", "erf"):
        (tmp_path / name).mkdir()
        for f in generate(name, "c").files:
            (tmp_path / name / f.name).write_text(f.text, encoding="ascii")
        lines.append(f"add_subdirectory({name})")
    (tmp_path / "CMakeLists.txt").write_text("\n".join(lines))
    run("cmake", "-S", str(tmp_path), "-B", str(tmp_path / "build"))


@pytest.mark.parametrize("target", ["jax", "torch", "numpy"])
def test_heads_of_networks_say_which_network_it_is(target):
    text = generate("mlp:[gelu,erf]:weight_var=2,bias_var=[0,1/3,1/5]", target).files[0].text
    same = "weight_var = 2\n", "input layer, bias_var = 0", "layer 1: gelu, bias_var = 1/3"
    for line in ("layers: 2", "gelu: s(x) = x*Phi(x)", *same, "layer 2: erf, bias_var = 1/5"):
        assert line in text
    assert "weight_var = 2, bias_var" not in text  # of the convention: no layer has it


def test_a_covariance_beyond_its_bound_is_as_the_head_says(tmp_path):
    """One variance: brought to the bound; a range: NaN."""
    for variances, said in ((1, "but brought to it"), ("1:11/10", "NaN elsewhere")):
        (made,) = generate("1/cosh(x)", "numpy", variances=variances, error=1e-8).files
        assert said in made.text
        space: dict = {}
        exec(made.text, space)
        one, far = (space["dual"](1.0, c, 1.0)[0] for c in (1.0, 1.5))
        assert far == one if variances == 1 else np.isnan(far)
