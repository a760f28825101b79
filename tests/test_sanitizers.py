"""Every generated C file under AddressSanitizer and UndefinedBehaviorSanitizer, at hard inputs.

Arrays have exactly the length that the call says, so that one element too far is found.  Those with
static or thread-local data, and the compiled Gram loop, under ThreadSanitizer.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ntksym.export.files import generate
from ntksym.lower import lower_network
from ntksym.network import parse_spec, recurse
from ntksym.runtime.renumbered import GivenC, GivenUnits
from ntksym.runtime.units.layers import plan
from ntksym.runtime.units.routes import needs_numeric

SHELF = Path(__file__).resolve().parent.parent / "codegen" / "c"
FILES = sorted(SHELF.glob("*.c"))
COMPILER = next((c for c in ("gcc", "clang", "cc") if shutil.which(c)), None)
FLAGS = (
    "-std=c99", "-Og", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all", "-fno-omit-frame-pointer",
    "-Wno-maybe-uninitialized",  # gcc: the instrumentation itself makes it warn
    "-Wno-unused-function",  # see `in_doubles`
)  # fmt: skip

HEAD = r"""
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <math.h>
@DECLARATIONS@
static const double hard[] = {0.0, 5e-324, 1e-310, 1e-160, 1e-8, 0.5, 1.0, 9.0, 1e3, 1e8, 1e150, 1.7e308};
enum { HARD = sizeof hard / sizeof hard[0] };
static double sink;
static double *fresh(size_t n) { double *a = malloc(n * sizeof *a); if (n && !a) exit(9); return a; }
static void used(double *a, size_t n) { for (size_t i = 0; i < n; ++i) sink += a[i]; free(a); }
"""

DUAL = r"""
int main(void)
{
  static const double rho[] = {-1.0, -0.999999999, -0.3, 0.0, 1e-300, 0.5, 0.9999999999999999, 1.0, 1.0000000000000002};
  enum { EACH = 4, ALL = HARD * HARD * EACH }; /* angles of each pair; all angles between them */
  static const size_t sizes[] = {0, 1, 3, 64, 65, ALL + 2};
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; ++s) {
    const size_t n = sizes[s];
    double *a = fresh(n), *c = fresh(n), *b = fresh(n), *k = fresh(n), *d = fresh(n);
    for (size_t i = 0; i < n; ++i) {
      const size_t j = i % HARD, k = (i / HARD) % HARD, l = i / (HARD * HARD);
      a[i] = hard[j];
      b[i] = hard[k];
      c[i] = rho[(2 * l + j + 4 * k) % 9] * sqrt(a[i]) * sqrt(b[i]);
    }
    if (n > ALL) { a[n - 1] = NAN; b[n - 2] = INFINITY; }
    @CALLS@
    used(a, n); used(b, n); used(c, n); used(k, n); used(d, n);
  }
  return isnan(sink) ? 0 : 0;
}
"""

NETWORK = r"""
int main(void)
{
  static const size_t shapes[][3] = {{0, 0, 1}, {1, 1, 1}, {2, 65, 3}, {HARD, HARD, 2}, {64, 1, 5}};
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; ++s) {
    const size_t n = shapes[s][0], m = shapes[s][1], d = shapes[s][2];
    double *x = fresh(n * d), *y = fresh(m * d), *k = fresh(n * m), *t = fresh(n * m);
    for (size_t i = 0; i < n * d; ++i) x[i] = (i % 3 ? 1.0 : -1.0) * sqrt(hard[(i / d) % HARD]);
    for (size_t i = 0; i < m * d; ++i) y[i] = sqrt(hard[(i / d + i % 2) % HARD]);
    if (NAME(n, m, d, x, y, k, t)) return 1;
    used(k, n * m); used(t, n * m);
    const size_t layers = LAYERS_OF();
    double in[4], *g = fresh(n), *h = fresh(m), *g12 = fresh(n * m), *q = fresh(n * 2 * (layers + 1)), *p = fresh(m * 2 * (layers + 1));
    double *tn = fresh(n), *tm = fresh(m), *k2 = fresh(n * m), *t2 = fresh(n * m);
    INPUT(d, in);
    for (size_t i = 0; i < n; ++i) { g[i] = 0; for (size_t l = 0; l < d; ++l) g[i] += x[i * d + l] * x[i * d + l]; }
    for (size_t i = 0; i < m; ++i) { h[i] = 0; for (size_t l = 0; l < d; ++l) h[i] += y[i * d + l] * y[i * d + l]; }
    for (size_t i = 0; i < n * m; ++i) g12[i] = sqrt(g[i / m]) * sqrt(h[i % m]);
    DIAG(n, g, in, q, tn);
    DIAG(m, h, in, p, tm);
    TILE(n, m, g12, m, q, n, p, m, in, k2, t2, m);
    used(g, n); used(h, m); used(g12, n * m); used(q, n * 2 * (layers + 1)); used(p, m * 2 * (layers + 1));
    used(tn, n); used(tm, m); used(k2, n * m); used(t2, n * m); used(x, n * d); used(y, m * d);
  }
  return isnan(sink) ? 0 : 0;
}
"""


def prototypes(text: str) -> dict[str, list[str]]:
    """The exported functions of a file, and their parameters."""
    flat = re.sub(r"\s+", " ", text.replace("\n{", " {\n"))
    found = {}
    for match in re.finditer(
        r"(?<!static )(?<!inline )(?<!_FUNCTION )(?:void|int|size_t) (ntksym_\w+)\(([^)]*)\) \{",
        flat,
    ):
        plain = re.sub(r"\*(NTKSYM_RESTRICT|restrict) ", "* ", match[2])
        found[match[1]] = [p.strip() for p in plain.split(",")]
    return found


def call(name: str, parameters: list[str]) -> str | None:
    """A call of a dual's function with the arrays of the driver; None for another kind."""
    if parameters[0] != "size_t n" or "_f32" in name:
        return None
    arrays = iter(("a", "c", "b")) if "_diag" not in name else iter(("a",))
    results = iter(("k", "d"))
    given = ["n"]
    for p in parameters[1:]:
        kind = p.rsplit(" ", 1)[0].replace(" ", "")
        if kind == "constdouble*":
            found = next(arrays, None)
        elif kind == "double*":
            found = next(results, None)
        elif kind == "double":
            found = "0.5"
        else:
            return None
        if found is None:
            return None
        given.append(found)
    return f"{name}({', '.join(given)});"


def driver(path: Path) -> str:
    """A C program that calls every function of the file."""
    text = path.read_text()
    found = prototypes(text)
    stem = f"ntksym_{path.stem}"
    assert stem in found, f"{path.name}: no function {stem}"
    returns = {n: re.search(rf"(void|int|size_t) {n}\(", text)[1] for n in found}
    declarations = "\n".join(f"{returns[n]} {n}({', '.join(p)});" for n, p in found.items())
    head = HEAD.replace("@DECLARATIONS@", declarations)
    if f"{stem}_layers" in found:
        body = NETWORK
        names = {"LAYERS_OF": "_layers", "INPUT": "_input", "DIAG": "_diag", "TILE": "_tile"}
        for word, end in names.items():
            body = body.replace(word + "(", stem + end + "(")
        return head + body.replace("NAME(", stem + "(")
    calls = [c for n, p in found.items() if (c := call(n, p))]
    assert len(calls) >= 2, found
    return head + DUAL.replace("@CALLS@", "\n    ".join(calls))


def in_doubles(text: str) -> str:
    """The file with its functions of floats private: no driver calls them, so that the compiler
    leaves them out before it instruments them, which takes a third of the time."""
    return re.sub(r"^(void|int|size_t) (ntksym_\w*_f32\w*\()", r"static \1 \2", text, flags=re.M)


def sanitized(
    sources: list[Path], folder: Path, flags: tuple[str, ...] = FLAGS
) -> subprocess.CompletedProcess[str]:
    """The driver built and run under the sanitizers."""
    assert COMPILER is not None
    program = folder / "program"
    command = [
        COMPILER,
        *flags,
        f"-I{sources[0].parent}",
        f"-I{SHELF}",
        *map(str, sources),
        "-lm",
        "-o",
        str(program),
    ]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-3000:]
    return subprocess.run([str(program)], capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where there is no compiler with sanitizers."""
    folder = tmp_path_factory.mktemp("probe")
    (folder / "a.c").write_text("int main(void) { return 0; }\n")
    if COMPILER is None:
        pytest.skip("no C compiler")
    probe = [COMPILER, "-fsanitize=address,undefined", str(folder / "a.c"), "-o", str(folder / "a")]
    if subprocess.run(probe, capture_output=True).returncode:
        pytest.skip(f"{COMPILER} has no sanitizers")


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_no_undefined_behaviour_and_no_stray_access(
    path: Path, tmp_path: Path, works: None
) -> None:
    main, source = tmp_path / "main.c", tmp_path / path.name
    main.write_text(driver(path))
    source.write_text(in_doubles(path.read_text()))
    run = sanitized([source, main], tmp_path)
    assert run.returncode == 0, run.stderr[-3000:]


@pytest.mark.parametrize(
    "harm",
    [("i < n", "i <= n"), ("const double q11 = q11_[i];", "const double q11 = q11_[i + (int)(q22_[i] * 1e300)];")],
    ids=["one element too far", "a double beyond int"],
)  # fmt: skip
def test_the_sanitizers_would_find_it(harm: tuple[str, str], tmp_path: Path, works: None) -> None:
    text = (SHELF / "relu.c").read_text()
    assert harm[0] in text
    (tmp_path / "relu.c").write_text(text.replace(harm[0], harm[1], 1))
    main = tmp_path / "main.c"
    main.write_text(driver(SHELF / "relu.c"))
    run = sanitized([tmp_path / "relu.c", main], tmp_path)
    assert run.returncode != 0 and ("Sanitizer" in run.stderr or "runtime error" in run.stderr)


GENERATED = {
    "table": ("mlp:mish:depth=2", {"variances": 1}),
    "quadrature": ("mlp:softsign:depth=1", {"method": "quadrature", "variances": 1, "error": 1e-3}),
    "series": ("mlp:atan:depth=1", {"method": "series", "variances": 1, "error": 1e-6}),
    "collapsed": ("mlp:relu:depth=9,weight_var=2", {"collapse": True}),
    "sphere": ("mlp:erf:depth=3,bias_var=1", {"collapse": True, "variances": 1}),
}


@pytest.mark.parametrize("name", GENERATED)
def test_networks_of_every_kind_of_dual(name: str, tmp_path: Path, works: None) -> None:
    spec, options = GENERATED[name]
    for f in generate(spec, "c", **options).files:
        (tmp_path / f.name).write_text(f.text)
    (source,) = [p for p in tmp_path.glob("*_mlp.c")]
    main = tmp_path / "main.c"
    main.write_text(driver(source))
    run = sanitized([source, main], tmp_path)
    assert run.returncode == 0, run.stderr[-3000:]


@pytest.mark.parametrize("spec", ["mlp:leaky_relu:depth=2,alpha=1/3", "mlp:tanh:depth=1"])
def test_networks_that_are_given_their_numbers(spec: str, tmp_path: Path, works: None) -> None:
    """Exactly as many as they read: the array that is handed over is no longer."""
    net = parse_spec(spec)
    units = needs_numeric(net)
    schedule = plan(net).schedule if units else lower_network(recurse(net))
    for f in (GivenUnits if units else GivenC).generated(schedule.unnumbered)[0]:
        (tmp_path / f.name).write_text(f.text)
    source, main = tmp_path / "network.c", tmp_path / "main.c"
    given = ", ".join(map(repr, schedule.numbers))
    body = f"static const double given[] = {{{given}}};\nint main(void)\n{{\n"
    text = driver(source).replace(
        "int main(void)\n{\n", f"{body}  ntksym_network_numbers(given);\n"
    )
    assert "numbers(given);" in text
    main.write_text(text)
    run = sanitized([source, main], tmp_path)
    assert run.returncode == 0, run.stderr[-3000:]


THREADED = ("-std=gnu99", "-Og", "-fsanitize=thread", "-pthread", "-Wno-unused-function")
AT_ONCE = r"""
#include <pthread.h>
static void *at_once(void *unused) { return (void *)(size_t)once(); (void)unused; }
int main(void)
{
  enum { THREADS = 4 };
  pthread_t all[THREADS];
  for (int i = 0; i < THREADS; ++i) if (pthread_create(all + i, NULL, at_once, NULL)) return 8;
  for (int i = 0; i < THREADS; ++i) pthread_join(all[i], NULL);
  return 0;
}
"""
GRAM = """
import numpy as np, ntksym
x = np.random.default_rng(0).normal(size=(300, 20))
x[5], x[20], x[30] = x[9], x[21] * (1 + 1e-9), 0
many, one = (ntksym.compile("mlp:erf:depth=1", "c", threads=n) for n in (4, 1))
for a, b in zip((*many(x), *many(x, x[:70])), (*one(x), *one(x, x[:70]))):
    assert (a == b).all()
print(many.target)
"""


def threaded(text: str) -> str:
    """The driver with all that it does in four threads at once."""
    assert text.count("int main(void)") == 1
    text = text.replace("static double sink;", "static __thread double sink;")
    return text.replace("int main(void)", "static int once(void)") + AT_ONCE


@pytest.fixture(scope="module")
def races(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where there is no compiler with ThreadSanitizer, or where its programs do not start."""
    folder = tmp_path_factory.mktemp("races")
    (folder / "a.c").write_text("int main(void) { return 0; }\n")
    if COMPILER is None:
        pytest.skip("no C compiler")
    probe = [COMPILER, *THREADED, str(folder / "a.c"), "-o", str(folder / "a")]
    if subprocess.run(probe, capture_output=True).returncode:
        pytest.skip(f"{COMPILER} has no ThreadSanitizer")
    if subprocess.run([str(folder / "a")], capture_output=True).returncode:
        pytest.skip("ThreadSanitizer does not start here")


@pytest.mark.parametrize("name", ["table", "series"])
def test_no_race_in_generated_code(name: str, tmp_path: Path, races: None) -> None:
    spec, options = GENERATED[name]
    for f in generate(spec, "c", **options).files:
        (tmp_path / f.name).write_text(f.text)
    (source,) = [p for p in tmp_path.glob("*_mlp.c")]
    main = tmp_path / "main.c"
    main.write_text(threaded(driver(source)))
    run = sanitized([source, main], tmp_path, THREADED)
    assert run.returncode == 0, run.stderr[-3000:]


def test_a_race_would_be_found(tmp_path: Path, races: None) -> None:
    text = (SHELF / "relu.c").read_text()
    head = text.index("void ntksym_relu(")
    body = text.index("{", head) + 1
    harmed = f"{text[:head]}static double last;\n{text[head:body]}\n  last += 1.0;{text[body:]}"
    (tmp_path / "relu.c").write_text(harmed)
    main = tmp_path / "main.c"
    main.write_text(threaded(driver(SHELF / "relu.c")))
    run = sanitized([tmp_path / "relu.c", main], tmp_path, THREADED)
    assert run.returncode != 0 and "data race" in run.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the sanitizer is preloaded")
def test_no_race_in_the_gram_loop(tmp_path: Path, races: None) -> None:
    """On threads of Python's, as they are: every library that the kernel loads is instrumented."""
    asked = [str(COMPILER), "-print-file-name=libtsan.so"]
    library = subprocess.run(asked, capture_output=True, text=True).stdout.strip()
    if not Path(library).is_absolute():
        pytest.skip(f"{COMPILER} keeps its sanitizers elsewhere")
    env = os.environ | {"CC": f"{COMPILER} -fsanitize=thread", "LD_PRELOAD": library}
    env |= {"XDG_CACHE_HOME": str(tmp_path), "TSAN_OPTIONS": "exitcode=66"}
    run = subprocess.run([sys.executable, "-c", GRAM], capture_output=True, text=True, env=env)
    assert run.returncode == 0 and run.stdout.strip() == "c", run.stderr[-3000:]
