"""The peers of `peers.py`: each a function from rows to (nngp, ntk), in plain public code.

Nothing here imports this package but the peers named `ours-*`, so that a peer's own environment
needs NumPy only.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

D, WEIGHT, BIAS = 784, 2.0, 0.01
Kernel = Callable[[np.ndarray], tuple[Any, Any]]


def parse(case: str) -> tuple[str, int, int, str]:
    activation, depth, n, dtype = case.split(":")
    return activation, int(depth), int(n), {"f64": "float64", "f32": "float32"}[dtype]


def title(case: str) -> str:
    activation, depth, n, dtype = case.split(":")
    return f"{activation} depth {depth}, n={n}, {dtype}"


def rows(n: int, dtype: str) -> np.ndarray:
    """Clustered random rows with |x|^2 = d."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(10, D))
    x = centres[rng.integers(10, size=n)] + rng.normal(size=(n, D))
    x *= np.sqrt(D / (x * x).sum(1, keepdims=True))
    return x.astype(dtype)


def processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as stream:
            for line in stream:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def peak_memory() -> int:
    try:
        with open("/proc/self/status", encoding="ascii") as stream:
            return int(stream.read().split("VmHWM:")[1].split()[0]) // 1000
    except (OSError, IndexError):
        return 0


def apart(name: str, sample: list, case: str) -> float | None:
    """The largest difference to the double reference, relative to the diagonal."""
    if not sample or name in INCOMPARABLE:
        return None
    activation, depth, _, dtype = parse(case)
    reference = make("ours-c", activation, depth, "float64", 1)
    if isinstance(reference, str):
        return None
    worst = 0.0
    for got, exact in zip(sample, reference(rows(60, dtype)), strict=False):
        got = np.asarray(got)
        if got.ndim == 2:
            size = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
            worst = max(worst, float(np.max(np.abs(got - exact) / size)))
    return worst


# -- hand-written duals ------------------------------------------------------------------------


def relu_dual(c: Any, a: Any, b: Any) -> tuple[Any, Any]:
    norm = np.sqrt(a * b)
    rho = np.clip(c / norm, -1.0, 1.0)
    angle = np.arccos(rho)
    return norm * (np.sqrt(1.0 - rho * rho) + (np.pi - angle) * rho) / (2 * np.pi), (
        np.pi - angle
    ) / (2 * np.pi)


def erf_dual(c: Any, a: Any, b: Any) -> tuple[Any, Any]:
    product = (1 + 2 * a) * (1 + 2 * b)
    return 2 / np.pi * np.arcsin(2 * c / np.sqrt(product)), 4 / np.pi / np.sqrt(product - 4 * c * c)


def gelu_dual(c: Any, a: Any, b: Any) -> tuple[Any, Any]:
    product = (1 + a) * (1 + b)
    delta = product - c * c
    root, angle = np.sqrt(delta), np.arcsin(c / np.sqrt(product))
    value = (a * b * root + c * c / root) / product / (2 * np.pi) + c * angle / (2 * np.pi) + c / 4
    slope = (c**3 / (delta * root) + c * (a + b + 3) / root) / product / (2 * np.pi)
    return value, slope + angle / (2 * np.pi) + 0.25


DUALS = {"relu": relu_dual, "erf": erf_dual, "gelu": gelu_dual}


def textbook(activation: str, depth: int, dtype: str, threads: int) -> Kernel:
    """Whole matrices, a line per formula."""
    dual = DUALS[activation]

    def kernel(x: np.ndarray) -> tuple[Any, Any]:
        slope, bias = x.dtype.type(WEIGHT / D), x.dtype.type(BIAS)
        k = slope * (x @ x.T) + bias
        t = k.copy()
        for _ in range(depth):
            q = np.diag(k).copy()
            value, dot = dual(k, q[:, None], q[None, :])
            k = WEIGHT * value + BIAS
            t = k + WEIGHT * dot * t
        return k, t

    return kernel


def tiled(activation: str, depth: int, dtype: str, threads: int) -> Kernel:
    """Tiles of 256, ufuncs in place, the upper half only, threads: the best that NumPy gives."""
    pi = np.pi

    def relu(c, t, norm, inverse, u, v):
        np.multiply(c, inverse, out=c)
        np.clip(c, -1.0, 1.0, out=c)
        np.arccos(c, out=u)
        np.subtract(pi, u, out=u)
        np.multiply(c, c, out=v)
        np.subtract(1.0, v, out=v)
        np.sqrt(v, out=v)
        np.multiply(c, u, out=c)
        c += v
        c *= norm
        c *= WEIGHT / (2 * pi)
        c += BIAS
        t *= u
        t *= WEIGHT / (2 * pi)
        t += c

    def general(c, t, a, b, u, v):
        value, dot = DUALS[activation](c, a, b)
        np.multiply(value, WEIGHT, out=c)
        c += BIAS
        t *= dot
        t *= WEIGHT
        t += c

    def kernel(x: np.ndarray) -> tuple[Any, Any]:
        n, kind = len(x), x.dtype.type
        q = [(WEIGHT / D * np.einsum("ij,ij->i", x, x) + BIAS).astype(x.dtype)]
        for _ in range(depth):
            q.append((WEIGHT * DUALS[activation](q[-1], q[-1], q[-1])[0] + BIAS).astype(x.dtype))
        roots = [np.sqrt(v) for v in q]
        k_all, t_all = np.empty((n, n), x.dtype), np.empty((n, n), x.dtype)
        places = [(i, j) for i in range(0, n, 256) for j in range(i, n, 256)]

        def work(place: tuple[int, int]) -> None:
            i, j = (slice(p, min(p + 256, n)) for p in place)
            c = x[i] @ x[j].T
            c *= kind(WEIGHT / D)
            c += kind(BIAS)
            t, u, v = c.copy(), np.empty_like(c), np.empty_like(c)
            for level in range(depth):
                if activation == "relu":
                    norm = roots[level][i, None] * roots[level][None, j]
                    relu(c, t, norm, 1 / norm, u, v)
                else:
                    general(c, t, q[level][i, None], q[level][None, j], u, v)
            for out, tile in ((k_all, c), (t_all, t)):
                out[i, j] = tile
                out[j, i] = tile.T

        with np.errstate(all="ignore"), ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, places))
        return k_all, t_all

    return kernel


def xxt(activation: str, depth: int, dtype: str, threads: int) -> Kernel:
    return lambda x: (x @ x.T,)


# -- by hand in C ----------------------------------------------------------------------------------


def hand_c(activation: str, depth: int, dtype: str, threads: int) -> Kernel | str:
    """`hand.c` beside this file, with the BLAS that NumPy brings: the anchor of the table."""
    import ctypes
    import subprocess
    import tempfile
    from pathlib import Path

    blas = ctypes.CDLL((getattr(np, "_core", None) or np.core)._multiarray_umath.__file__)
    single = dtype == "float32"
    product = getattr(blas, f"scipy_cblas_{'s' if single else 'd'}gemm64_", None)
    if product is None:
        return "NumPy is not linked with the OpenBLAS of its wheels"
    source = Path(__file__).resolve().parent / "hand.c"
    flags = "-O3 -march=native -fopenmp -std=c99 -fno-math-errno -fno-trapping-math -fPIC -shared"
    with tempfile.TemporaryDirectory() as scratch:
        command = ["cc", *flags.split(), *(["-DSINGLE"] if single else []), str(source)]
        try:
            subprocess.run([*command, "-o", f"{scratch}/hand.so", "-lm"], check=True)
            library = ctypes.CDLL(f"{scratch}/hand.so")
        except (OSError, subprocess.CalledProcessError) as error:
            return f"not here: {type(error).__name__}"
    kind = ("relu", "erf", "gelu").index(activation)

    def address(a: np.ndarray) -> ctypes.c_void_p:
        return ctypes.c_void_p(a.ctypes.data)

    def kernel(x: np.ndarray) -> tuple[Any, Any]:
        n, d = x.shape
        nngp, ntk = np.empty((n, n), x.dtype), np.empty((n, n), x.dtype)
        sizes = [ctypes.c_size_t(v) for v in (n, d, depth)]
        numbers = [ctypes.c_double(v) for v in (WEIGHT, BIAS)]
        failed = library.hand(
            kind, *sizes, *numbers, address(x), address(nngp), address(ntk),
            ctypes.cast(product, ctypes.c_void_p), threads,
        )  # fmt: skip
        if failed:
            raise MemoryError
        return nngp, ntk

    return kernel


# -- libraries -------------------------------------------------------------------------------------


def ours(target: str) -> Callable[..., Kernel]:
    def build(activation: str, depth: int, dtype: str, threads: int) -> Kernel:
        import ntksym

        net = ntksym.mlp(activation, depth=depth, weight_var=2, bias_var=0.01)
        k = ntksym.compile(net, target=target, dtype=dtype, threads=threads)

        def kernel(x: np.ndarray) -> tuple[Any, Any]:
            out = k(x)
            return out.nngp, out.ntk

        return kernel

    return build


def neural_tangents(activation: str, depth: int, dtype: str, threads: int) -> Kernel:
    import jax

    jax.config.update("jax_enable_x64", dtype == "float64")
    from neural_tangents import stax

    layer = {"relu": stax.Relu, "erf": stax.Erf, "gelu": stax.Gelu}[activation]
    dense = dict(W_std=WEIGHT**0.5, b_std=BIAS**0.5)
    parts = [p for _ in range(depth) for p in (stax.Dense(1, **dense), layer())]
    kernel = jax.jit(stax.serial(*parts, stax.Dense(1, **dense))[2], static_argnames="get")

    def run(x: np.ndarray) -> tuple[Any, Any]:
        out = kernel(x, None, get=("nngp", "ntk"))
        return np.asarray(out.nngp), np.asarray(out.ntk)

    return run


def scikit_ntk(activation: str, depth: int, dtype: str, threads: int) -> Kernel | str:
    """ReLU and the NTK only, with a scaling of its own."""
    if activation != "relu":
        return "ReLU only"
    from skntk import NeuralTangentKernel

    kernel = NeuralTangentKernel(depth=depth, bias=BIAS**0.5)
    return lambda x: (kernel(x),)


def torch_eager(
    activation: str, depth: int, dtype: str, threads: int, compiled: bool = False
) -> Kernel:
    import torch

    torch.set_num_threads(threads)
    lib = {"arccos": torch.arccos, "sqrt": torch.sqrt, "arcsin": torch.arcsin, "clip": torch.clip}
    dual = _with(DUALS[activation], lib)

    def kernel(x: Any) -> tuple[Any, Any]:
        k = WEIGHT / D * (x @ x.T) + BIAS
        t = k
        for _ in range(depth):
            q = torch.diagonal(k)
            value, dot = dual(k, q[:, None], q[None, :])
            k = WEIGHT * value + BIAS
            t = k + WEIGHT * dot * t
        return k, t

    run = torch.compile(kernel) if compiled else kernel

    def numbers(x: np.ndarray) -> tuple[Any, Any]:
        with torch.no_grad():
            k, t = run(torch.from_numpy(x))
        return k.numpy(), t.numpy()

    return numbers


def _with(dual: Callable[..., Any], functions: dict[str, Any]) -> Callable[..., Any]:
    """The same formula with the functions of another library in the place of NumPy's."""
    import types

    stand_in = types.SimpleNamespace(pi=np.pi, **functions)
    return types.FunctionType(dual.__code__, {"np": stand_in, "__builtins__": __builtins__})


def torch_compiled(activation: str, depth: int, dtype: str, threads: int) -> Kernel:
    return torch_eager(activation, depth, dtype, threads, compiled=True)


INCOMPARABLE = frozenset({"xxt", "scikit-ntk"})
"""Peers that compute something else: no difference to ours is given."""
PEERS: dict[str, Callable[..., Kernel | str]] = {
    "xxt": xxt,
    "hand-c": hand_c,
    "ours-c": ours("c"),
    "ours-numpy": ours("numpy"),
    "tiled": tiled,
    "textbook": textbook,
    "neural-tangents": neural_tangents,
    "scikit-ntk": scikit_ntk,
    "torch": torch_eager,
    "torch-compile": torch_compiled,
}
OWN_THREADS = frozenset({"tiled", "hand-c"})
"""Peers whose threads call a matrix product that must not start more."""


def make(name: str, activation: str, depth: int, dtype: str, threads: int) -> Kernel | str:
    """The peer's kernel, or why there is none."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        return PEERS[name](activation, depth, dtype, threads)
    except (ImportError, AttributeError) as error:
        return f"not here: {type(error).__name__}: {str(error)[:80]}"
