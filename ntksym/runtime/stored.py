"""Kernels and duals as recipes, and back: compiled from their files, derived only where asked."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..backends import SourceFile
from .dual_arrays import CompiledDual
from .kernel import CompiledKernel
from .later import Asked, Later
from .library.compiler import find_compiler

HOMES = {
    "CNetwork": "engines",
    "NumpyNetwork": "engines",
    "CDual": "dual_engines",
    "NumpyDual": "dual_engines",
    "CUnitNetwork": "units.engines",
    "NumpyUnitNetwork": "units.engines",
    "CUnit": "units.engines",
    "NumpyUnit": "units.engines",
    "CMixture": "units.mixture",
    "NumpyMixture": "units.mixture",
}
"""Engines that can be restored from their files, and the module of each."""


def recipe_of(made: Any) -> dict[str, Any] | None:
    """What a kernel or a dual is made of, as data; None for what is not stored."""
    if (ranged := getattr(made, "record", None)) is not None:
        return ranged if ranged["said"] is not None else None
    if type(made).__name__ == "CollapsedKernel":
        return {"kind": "collapsed", "deep": made.depth}  # its forms have recipes of their own
    engine = getattr(made, "_engine", None)
    home = HOMES.get(type(engine).__name__)
    if engine is None or home is None or type(engine).__module__ != f"{__package__}.{home}":
        return None
    record: dict[str, Any] = {
        "engine": type(engine).__name__,
        "numbers": engine.numbers,
        "sources": [[s.name, s.text] for s in made.sources],
        "name": made.name,
    }
    if type(made) is CompiledDual:
        params = [list(made._pair_params), list(made._diag_params)]
        return record | {"kind": "dual", "params": params}
    if not isinstance(made, CompiledKernel) or made.bound:
        return None
    deep = getattr(made, "depth", 0)
    units = made._units is not None
    seconds = getattr(made, "seconds", None)
    return record | {"kind": "kernel", "deep": deep, "units": units, "seconds": seconds}


def again(recipe: dict[str, Any], net: Any, asked: Asked) -> Any:
    """What `compile` gave, from its recipe.

    Raises:
        NoCompiler: there is none.
    """
    if recipe["kind"] == "collapsed":
        from .deep.collapsed import collapsed_kernel

        return collapsed_kernel(Later(net, recipe["deep"]), asked)
    if recipe["kind"].startswith("ranged"):
        from .units.spans import ranged_dual, ranged_kernel

        if asked.target == "c":
            find_compiler()
        make = ranged_kernel if recipe["kind"] == "ranged kernel" else ranged_dual
        return make(net, asked, recipe)
    return restored(recipe, net, asked)


def restored(recipe: dict[str, Any], net: Any, asked: Asked) -> Any:
    """The kernel or the dual of a recipe.

    Raises:
        NoCompiler: there is none.
    """
    engine = getattr(import_module(f".{HOMES[recipe['engine']]}", __package__), recipe["engine"])
    sources = tuple(SourceFile(name, text) for name, text in recipe["sources"])
    again = engine.__new__(engine)
    again.restore(sources, recipe["numbers"], asked.cache)
    if recipe["kind"] == "dual":
        pair, diag = (tuple(p) for p in recipe["params"])
        return CompiledDual(
            again,
            name=recipe["name"],
            target=asked.target,
            pair_params=pair,
            diag_params=diag,
            sources=sources,
        )
    return _kernel(recipe, again, sources, net, asked)


def _kernel(
    recipe: dict[str, Any],
    engine: Any,
    sources: tuple[SourceFile, ...],
    net: Any,
    asked: Asked,
) -> CompiledKernel:
    later = Later(net, recipe["deep"])
    made = CompiledKernel(
        engine,
        name=recipe["name"],
        target=asked.target,
        dtype=asked.dtype,
        threads=asked.threads,
        sources=sources,
        network=None if recipe["units"] else later,
    ).prepare(asked.cache)
    if recipe["units"]:
        made.with_units(later, asked.wanted)
        if recipe["seconds"] is None:
            return made
        from .units.tabled import TabledKernel

        return TabledKernel(made, later, asked, recipe["seconds"])
    if recipe["deep"]:
        from .deep.layers import DeepKernel

        return DeepKernel(made, later, asked.cache)
    return made
