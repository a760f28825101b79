"""Programs as functions of arrays: compiled from C, or in NumPy where there is no compiler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...backends import Contract, SourceFile
from ...backends.c.backend import extra_support, head, loop, support_file
from ...backends.c.helpers.header import HEADER_NAME
from ...errors import NoCompiler, UnsupportedOp
from ...lower.program import Program
from ..checks import Array
from ..engines import array_size, pointer
from ..library.compiler import load_library
from .steps import Numeric, numeric

FILE = "gradient_programs"


class Compiled:
    """Programs as C functions in one library: as `steps.Numeric`, ten times as fast."""

    def __init__(self, programs: tuple[Program, ...], *, keep: bool) -> None:
        """Generate and compile.

        Raises:
            NoCompiler: there is none.
            UnsupportedOp: an operation that C cannot spell.
        """
        pieces = [head(Contract("ntksym gradient", ("kernels and derivatives",)), programs)]
        pieces += [f'#include "{HEADER_NAME}"\n', extra_support(programs)]
        pieces += [
            loop(_labelled(p), f"ntksym_{FILE}_{k}", p.args, support=False)
            for k, p in enumerate(programs)
        ]
        source = SourceFile(f"{FILE}.c", "\n".join(filter(None, pieces)))
        library = load_library((support_file(), source), keep=keep)
        self._functions = {}
        for k, p in enumerate(programs):
            f = getattr(library, f"ntksym_{FILE}_{k}")
            f.restype = None
            self._functions[id(p)] = p, f
        self.rootdet = numeric(()).rootdet

    def __call__(self, p: Program, values: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs of a program at arrays."""
        _, f = self._functions[id(p)]
        given = np.broadcast_arrays(*(np.asarray(values[a], dtype=float) for a in p.args))
        held = [np.ascontiguousarray(a) for a in given]
        out: list[Array] = [np.empty(given[0].shape) for _ in p.outputs]
        f(array_size(out[0].size), *map(pointer, held), *map(pointer, out))
        return dict(zip((k for k, _ in p.outputs), out, strict=True))


Run = Numeric | Compiled


def _labelled(p: Program) -> Program:
    """A program whose outputs have no name that a loop has for something else."""
    return replace(p, outputs=tuple((f"out_{k}", o) for k, o in p.outputs))


def fast(programs: tuple[Program, ...], target: str | None, *, keep: bool) -> Run:
    """These programs in C, or in NumPy: for target "numpy", and where C cannot be had."""
    if target != "numpy":
        try:
            return Compiled(programs, keep=keep)
        except (NoCompiler, UnsupportedOp):
            pass
    return numeric(programs)
