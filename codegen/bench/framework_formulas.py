"""The formulas of `frameworks.toml` against the frameworks' own functions, and the list against
the names that the frameworks export.

    python codegen/bench/framework_formulas.py             every framework that imports here
    python codegen/bench/framework_formulas.py torch.nn

For each function: its values at points of the line against the formula, to the precision of its
arrays; the line of its definition, where the version is the one that the list says.  Exit status 1
where a formula differs, or a framework exports a name that the list does not have.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import sys
import tomllib
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np
from enclosures import LIST
from sympy import Rational

from ntksym.activation import Activation
from ntksym.language import parse_activation
from ntksym.language.real import approximate
from ntksym.symbols import x

VERSIONS = {"torch": "2.13.0", "jax": "0.10.2", "keras": "3.15.1", "neural_tangents": "0.6.5"}
MODULES = ("torch.nn", "jax.nn", "keras.activations", "neural_tangents.stax")
POINTS = np.array(
    [-30.0, -7.3, -3.01, -2.9, -1.7, -0.99, -0.62, -0.51, -0.25, -1e-3, 1e-3, 0.09, 0.11, 0.3, 0.75,
     0.99, 1.3, 2.6, 2.99, 3.2, 5.9, 6.1, 7.9, 19.5, 30.0]
)  # fmt: skip
"""No kink and no jump: there the frameworks differ."""
TOLERANCE = {"float32": 4e-6, "float64": 1e-13}


def entries() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(entry, call) of the list."""
    with LIST.open("rb") as file:
        for entry in tomllib.load(file)["activation"]:
            for call in entry.get("calls", ()):
                yield entry, call


def excluded() -> set[str]:
    """Names that the list has no formula for, and says why."""
    with LIST.open("rb") as file:
        return {name for entry in tomllib.load(file)["excluded"] for name in entry["names"]}


def exported(module: str) -> set[str]:
    """The names that a framework exports as activations, and others that the list must explain."""
    if module == "torch.nn":
        names = importlib.import_module("torch.nn.modules.activation").__all__
    elif module == "neural_tangents.stax":
        inside = importlib.import_module("neural_tangents._src.stax.elementwise")
        names = [
            n for n, f in vars(inside).items()
            if n[0].isupper() and inspect.isfunction(inspect.unwrap(f))
            and inspect.unwrap(f).__module__ == inside.__name__
        ]  # fmt: skip
    else:
        found = importlib.import_module(module)
        names = [n for n in dir(found) if not n.startswith("_")]
    return {f"{module}.{n}" for n in names}


def function(name: str, options: dict[str, Any]) -> tuple[Any, Callable[[Any], Any]]:
    """The framework's object, and it as a function of a NumPy array."""
    module, _, own = name.rpartition(".")
    found = getattr(importlib.import_module(module), own)
    if module == "torch.nn":
        torch: Any = importlib.import_module("torch")
        layer = found(**options).double().eval()
        return found, lambda at: layer(torch.tensor(at)).detach().numpy()
    if module == "neural_tangents.stax":
        apply = found(**options)[1]
        return found, lambda at: np.asarray(apply((), at))
    return found, lambda at: np.asarray(partial(found, **options)(at))


def line(found: Any) -> int:
    """Where it is defined."""
    return inspect.getsourcelines(inspect.unwrap(found))[1]


def formula(entry: dict[str, Any]) -> Activation:
    """The formula with the values of its parameters."""
    act = parse_activation(entry["formula"], entry.get("assume", {}), entry["name"])
    given = {k: Rational(str(Fraction(v))) for k, v in entry.get("at", {}).items()}
    return act.with_params(**given) if given else act


def difference(act: Activation, rule: Callable[[Any], Any]) -> tuple[float, str]:
    """The largest difference, relative where values are large, and the kind of the arrays."""
    got = rule(POINTS.copy())
    kind = got.dtype.name
    at = POINTS.astype(kind).astype(float)
    want = np.array([float(approximate(act.expr, {x: float(z)})) for z in at])
    gap = np.abs(got.astype(float) - want) / np.maximum(1.0, np.abs(want))
    return float(np.max(gap)), kind


def main() -> int:
    """Print one line a function; 1 where something differs or is missing."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("modules", nargs="*", help=", ".join(MODULES))
    chosen = parser.parse_args().modules or MODULES
    wrong = 0
    for module in chosen:
        top = module.partition(".")[0]
        try:
            version = importlib.import_module(top).__version__
        except ImportError as error:
            print(f"{module}: not here ({error})")
            continue
        if top == "jax":
            importlib.import_module("jax").config.update("jax_enable_x64", True)
        same = version.partition("+")[0] == VERSIONS[top]
        listed = {c["name"] for _, c in entries()} | excluded()
        missing = sorted(exported(module) - listed)
        wrong += len(missing)
        print(f"{module} {version}: " + (f"NOT LISTED: {missing}" if missing else "all listed"))
        for entry, call in entries():
            if not call["name"].startswith(module + "."):
                continue
            found, rule = function(call["name"], call.get("with", {}))
            gap, kind = difference(formula(entry), rule)
            said = [f"  {call['name']:40s} {entry['name'][:40]:40s} {kind} {gap:.1e}"]
            if not gap <= TOLERANCE[kind]:
                said.append("DIFFERS")
            if same and line(found) != call["line"]:
                said.append(f"LINE {line(found)}, not {call['line']}")
            wrong += len(said) - 1
            print("  ".join(said))
    print("all agree" if not wrong else f"{wrong} WRONG")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
