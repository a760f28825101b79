"""Kernels and duals whose code is made for a range of variances, each range from its recipe.

What is made for a range is stored, so that the next program with such data derives nothing; so is
the affine first layer, from which the range of the data follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Self

from ..later import Asked, Later, Range, growth_of
from ..library.recipes import read_recipe, write_recipe
from ..stored import recipe_of, restored
from .ranged import RangedDual, RangedKernel


class _Again:
    """What pickles and copies as the call that made it; the code is in the cache."""

    _call: Callable[[], Any]
    record: dict[str, Any]
    """What it is made of, for a recipe."""

    def made_by(self, call: Callable[[], Any], record: dict[str, Any]) -> Self:
        """The same, with the call that makes it again."""
        self._call, self.record = call, record
        return self

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        return self._call, ()


class _RangedKernel(_Again, RangedKernel):
    """A `RangedKernel` that pickles."""


class _RangedDual(_Again, RangedDual):
    """A `RangedDual` that pickles."""


def ranged_kernel(net: Any, asked: Asked, record: dict[str, Any]) -> RangedKernel:
    """A kernel whose code is made at the first call, for the variances of the data.

    Args:
        net: a network, or the text that was given for one.
        asked: the options.
        record: `said` (the network spelled out, or None), `name`, `zero` (rows of zeros have a
            kernel), `fixed` (the range, or None for that of the data).
    """
    later = Later(net, 0)

    def make(span: Range) -> Any:
        key = asked.span_key(record["said"], "span", *map(repr, span))
        recipe = read_recipe(key)
        if recipe is not None:
            return restored(recipe, net, replace(asked, variances=None))
        from .network import kernel_at

        made, lasting = kernel_at(later.network(), asked, span)
        if lasting:
            write_recipe(key, recipe_of(made))
        return made

    def first(d: int) -> tuple[float, float]:
        key = asked.span_key(record["said"], "first", repr(d))
        recipe = read_recipe(key)
        if recipe is None:
            from .layers import first_affine

            recipe = list(first_affine(later.network(), d))
            write_recipe(key, recipe)
        slope, offset = recipe
        return slope, offset

    def gradient() -> Any:
        from ..gradients.units import UnitGradient

        target = "numpy" if asked.target == "numpy" else None
        return UnitGradient(later.network(), asked.wanted, target, threads=asked.threads)

    def at(numbers: dict[str, Any]) -> Any:
        from ..fresh import fresh

        return fresh(later.network().at(**numbers), asked)

    fixed = record["fixed"]
    return _RangedKernel(
        make,
        name=record["name"],
        target=asked.target,
        dtype=asked.dtype,
        threads=asked.threads,
        first=first,
        zero=record["zero"],
        fixed=None if fixed is None else (fixed[0], fixed[1]),
        gradient=gradient,
        growth=partial(growth_of, later),
        at=at,
    ).made_by(partial(ranged_kernel, net, asked, record), record | {"kind": "ranged kernel"})


def ranged_dual(activation: Any, asked: Asked, record: dict[str, Any]) -> RangedDual:
    """A dual whose code is made at the first call, for the variances given.

    Args:
        activation: an activation, or what was given for one.
        asked: the options.
        record: as in `ranged_kernel`, without `zero`.
    """

    def make(span: Range) -> Any:
        key = asked.span_key(record["said"], "span", *map(repr, span))
        recipe = read_recipe(key)
        if recipe is not None:
            return restored(recipe, activation, asked)
        from .network import dual_at

        made, lasting = dual_at(activation, asked, span)
        if lasting:
            write_recipe(key, recipe_of(made))
        return made

    fixed = record["fixed"]
    return _RangedDual(
        make,
        name=record["name"],
        target=asked.target,
        fixed=None if fixed is None else (fixed[0], fixed[1]),
    ).made_by(partial(ranged_dual, activation, asked, record), record | {"kind": "ranged dual"})
