"""The main job on real input: a formula becomes a proven kernel, then code, then predictions.

Run by `make demo`.  Everything printed is computed on the way; nothing is looked up.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FORMULA = "x*(1+erf(x/sqrt(2)))/2"
OUT = Path("demo-output")
TEST_SHARE = 4  # every fourth digit is held out


def main() -> None:
    """Derive, prove, build, compile, predict."""
    from rich.console import Console

    console = Console(highlight=False)
    began = time.perf_counter()
    network = _derive_and_prove(console)
    kernels = _generate(console, network)
    _predict(console, kernels)
    console.print(f"\n[bold]Done[/] in {time.perf_counter() - began:.1f} s.")


@contextmanager
def _step(console: Any, title: str) -> Iterator[None]:
    """A heading, a spinner while it runs (on a terminal), and the time it took."""
    console.print(f"\n[bold cyan]{title}[/]")
    began = time.perf_counter()
    with console.status(title):
        yield
    console.print(f"[dim]{time.perf_counter() - began:.2f} s[/]")


def _derive_and_prove(console: Any) -> Any:
    from .display import formulas, recursion_text
    from .dual import dual
    from .network import Convention, mlp, recurse
    from .verify.prove import prove

    with _step(console, f"1. Derive the kernel of {FORMULA}"):
        d = dual(FORMULA)
        rows = (("E[s(u)s(v)]", d.value), ("E[s'(u)s'(v)]", d.dot), ("E[s(u)²]", d.diag))
        for style, line in formulas(rows, width=console.width)[0]:
            console.print(line, style=style, markup=False)
    with _step(console, "2. Prove it, and enclose it to 30 digits"):
        report = prove(FORMULA)
        console.print(str(report))
        if not report.holds:
            raise SystemExit(1)
    with _step(console, "3. The NTK recursion of a network with three hidden layers"):
        network = mlp(
            FORMULA,
            depth=3,
            convention=Convention(weight_var=2, bias_var="1/10", input_scaling=True),
            name="gelu_mlp",
        )
        for _, line in recursion_text(recurse(network), width=console.width):
            console.print(line, markup=False)
    return network


def _generate(console: Any, network: Any) -> dict[str, Any]:
    from .export.files import export
    from .runtime import compile as compile_kernel

    kernels = {}
    with _step(console, "4. Generate C and NumPy, compile the C"):
        for target in ("c", "numpy"):
            for path in export(network, target, OUT / target, force=True):
                console.print(f"  wrote {path}")
            began = time.perf_counter()
            kernels[target] = compile_kernel(network, target=target)
            console.print(f"  {target}: ready in {time.perf_counter() - began:.2f} s")
    return kernels


def _predict(console: Any, kernels: dict[str, Any]) -> None:
    import numpy as np
    from rich.progress import Progress
    from scipy.linalg import cho_factor, cho_solve
    from sklearn.datasets import load_digits

    digits = load_digits()
    X = digits.data - digits.data.mean(axis=0)
    n = len(X)
    with _step(console, f"5. Gram matrices of {n} handwritten digits, {X.shape[1]} pixels each"):
        grams = {}
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("Gram matrices", total=len(kernels))
            for target, kernel in kernels.items():
                began = time.perf_counter()
                grams[target] = kernel(X)
                seconds = time.perf_counter() - began
                console.print(f"  {target:6s} {n} x {n}, both kernels: {seconds:.3f} s")
                progress.advance(task)
        gap = np.max(np.abs(grams["c"].ntk / grams["numpy"].ntk - 1))
        console.print(f"  C and NumPy differ by at most {gap:.1e} (relative)")
        symmetric = np.array_equal(grams["c"].ntk, grams["c"].ntk.T)
        console.print(f"  exactly symmetric: {symmetric}")
    with _step(console, "6. Ridgeless kernel regression"):
        held_out = np.arange(n) % TEST_SHARE == 0
        train, test = np.flatnonzero(~held_out), np.flatnonzero(held_out)
        targets = np.eye(10)[digits.target] - 0.1
        for name in ("nngp", "ntk"):
            gram = getattr(grams["c"], name)
            factor = cho_factor(gram[np.ix_(train, train)])
            weights = cho_solve(factor, targets[train])
            fitted = np.argmax(gram[np.ix_(test, train)] @ weights, axis=1)
            accuracy = float(np.mean(fitted == digits.target[test]))
            interpolation = np.max(np.abs(gram[np.ix_(train, train)] @ weights - targets[train]))
            console.print(
                f"  {name:4s}: test accuracy {accuracy:.2%} on {len(test)} digits; trained on "
                f"{len(train)}, residual {interpolation:.0e}"
            )


if __name__ == "__main__":
    main()
