"""A network's gradient in a compiled library: bands of rows handed to threads."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backends import Contract, SourceFile
from ...backends.c import backend as c_backend
from ...backends.c.gradient.file import FarRule, GradientKind, GradientPlan, gradient_file, planes
from ...lower.program import Program
from ..checks import Array
from ..engines import array_size, pointer
from ..gram.blas import single_threaded
from ..gram.threads import each
from ..library.instances import give_numbers, instances
from .layers import PAIR, Layer
from .parallel import SINE
from .steps import CLOSE_ENTRY


@dataclass(frozen=True, slots=True)
class Far:
    """What is done where variances are large, as in `FarRule`; no layers: the same as elsewhere."""

    layers: tuple[Layer, ...]
    turning: tuple[bool, ...]
    most: float
    sound: float
    parallel: float


BAND = 64
"""Rows that one thread works on at a time: the lanes of the generated blocks."""


def gradient_plan(
    name: str,
    layers: Sequence[Layer],
    turning: Sequence[bool],
    hyper: tuple[str, ...],
    first: tuple[tuple[Program | None, ...], tuple[float, ...]],
    close: float,
    far: Far | None = None,
) -> GradientPlan:
    """The network for the generator; equal programs are one kind."""
    kinds: dict[tuple[int, int], GradientKind] = {}

    def kind(layer: Layer) -> int:
        key = id(layer.pair), layer.mirror
        params = layer.pair.args[len(PAIR) :]
        made = GradientKind(layer.kind, layer.pair, layer.side, params, layer.mirror)
        kinds.setdefault(key, made)
        return list(kinds).index(key)

    steps = []
    for layer, turn in zip(layers, turning, strict=True):
        values = tuple(float(layer.values[p]) for p in layer.pair.args[len(PAIR) :])
        steps.append((kind(layer), values, turn))
    rule = None
    if far is not None:
        others = tuple((kind(w), t) for w, t in zip(far.layers, far.turning, strict=True))
        rule = FarRule(far.most, others, far.sound, far.parallel, SINE)
    made = tuple(kinds.values())
    return GradientPlan(name, made, tuple(steps), hyper, *first, close, CLOSE_ENTRY, far=rule)


class CGradient:
    """The generated function, and what it is given."""

    def __init__(self, plan: GradientPlan, *, keep: bool = True) -> None:
        """Generate and compile: once for networks that differ in their numbers only.

        Raises:
            NoCompiler: there is none.
            UnsupportedOp: an operation that C cannot spell.
        """
        steps = tuple((kind, (0.0,) * len(values), turn) for kind, values, turn in plan.steps)
        first = (0.0,) * len(plan.first_values)
        self.sources = _sources(replace(plan, steps=steps, first_values=first, numbered=False))
        source = self.sources[-1]
        library = instances(self.sources, keep).taken(self)
        give_numbers(library, source, tuple(v for row in plan.rows for v in row))
        self._run = getattr(library, "ntksym_" + source.name.removesuffix(".c"))
        self._run.restype = None
        self.names, _ = planes(plan.hyper)

    def __call__(
        self,
        rows: tuple[Array, Array | None],
        squares: tuple[Array, Array],
        tables: tuple[Array, Array],
        inputs: Array,
        threads: int,
    ) -> tuple[dict[str, Array], NDArray[np.uint8]]:
        """The planes by name, and where more digits are needed.

        `tables` have a row for each level and quantity, a column for each point.
        """
        x, other = rows
        y = x if other is None else other
        n, m, d = len(x), len(y), x.shape[1]
        out = np.empty((len(self.names), n, m))
        near = np.zeros((n, m), np.uint8)
        if not out.size:
            return dict(zip(self.names, out, strict=True)), near
        width = -(-m // BAND) * BAND
        tx = np.ascontiguousarray(tables[0].T)
        ty = np.concatenate([tables[1], np.repeat(tables[1][:, -1:], width - m, axis=1)], axis=1)
        ty = np.ascontiguousarray(ty)
        g12 = np.empty((n, m))

        def band(at: int, _: Any) -> None:
            stop = min(at + BAND, n)
            first = at if other is None else 0
            np.matmul(x[at:stop], y[first:].T, out=g12[at:stop, first:])
            self._run(
                *map(array_size, (at, stop, n, m, d)),
                *map(pointer, (x, y, *squares, g12, tx, ty)),
                array_size(width),
                pointer(inputs),
                ctypes.c_int(int(other is None)),
                pointer(out),
                ctypes.c_void_p(near.ctypes.data),
            )

        with single_threaded():
            each(band, range(0, n, BAND), threads, _nothing)
        return dict(zip(self.names, out, strict=True)), near


@lru_cache(maxsize=64)
def _sources(plan: GradientPlan) -> tuple[SourceFile, ...]:
    """The files of a network without its numbers."""
    contract = Contract("ntksym gradient", ("kernels of a network and their derivatives",))
    return c_backend.support_file(), gradient_file(plan, contract)


def _nothing() -> None:
    """Threads need no space of their own."""
