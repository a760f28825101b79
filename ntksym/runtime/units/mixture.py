"""Running a mixture dual on arrays: the C library or the NumPy module of its node pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ...backends import SourceFile
from ..checks import Array
from ..dual_arrays import CompiledDual
from ..dual_engines import STRIP, ModuleDual, SharedDual, called
from ..engines import with_support

if TYPE_CHECKING:
    from ...backends import Contract
    from ...backends.mixture.programs import MixturePrograms
    from ...numeric.mixture import MixtureDual


class MixtureEngine(Protocol):
    """What a dual and a network need of a compiled mixture."""

    @property
    def sources(self) -> tuple[SourceFile, ...]:
        """The generated files."""
        ...

    def pair(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at flat arrays of q11, q12, q22, and possibly the root."""
        ...

    def diag(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at a flat array of q."""
        ...


class CMixture(SharedDual):
    """A mixture dual in a shared library."""

    _pairs: Any

    def __init__(self, programs: MixturePrograms, contract: Contract, *, keep: bool = True) -> None:
        from ...backends.c import mixture as c_mixture

        self.restore(with_support(c_mixture.mixture_file(programs, contract)), [], keep)

    def symbols(self, stem: str) -> dict[str, str]:
        """Also the one that is given the roots of the determinants."""
        return {**super().symbols(stem), "_pairs": f"{stem}_pairs"}

    def pair(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """As in `MixtureEngine`."""
        return called(self._pair if len(arrays) == 3 else self._pairs, arrays, scalars)


class NumpyMixture(ModuleDual):
    """A mixture dual in a NumPy module."""

    def __init__(self, programs: MixturePrograms, contract: Contract, *, keep: bool = True) -> None:
        from ...backends.numpy import mixture as numpy_mixture

        self.restore((numpy_mixture.mixture_file(programs, contract),), [], keep)

    def pair(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """As in `MixtureEngine`."""
        n = len(arrays[0])
        k, d = np.empty(n), np.empty(n)
        for at in range(0, n, STRIP):
            part = slice(at, at + STRIP)
            q11, q12, q22 = (a[part] for a in arrays[:3])
            root = arrays[3][part] if len(arrays) == 4 else None
            k[part], d[part] = self._module.dual(q11, q12, q22, *scalars, root=root)
        return k, d


def mixture_engine(dual: MixtureDual, target: str, *, keep: bool = True) -> MixtureEngine:
    """The compiled or NumPy form of a mixture dual.

    Raises:
        NoCompiler: `target="c"` and no compiler works.
        UnsupportedOp: a function that the target cannot spell.
    """
    from ...backends.mixture.programs import mixture_programs

    programs = mixture_programs(dual)
    contract = mixture_contract(dual, programs)
    if target == "c":
        return CMixture(programs, contract, keep=keep)
    return NumpyMixture(programs, contract, keep=keep)


def mixture_contract(dual: MixtureDual, programs: MixturePrograms) -> Contract:
    """What the head of a generated file says: the formula and the proven bounds."""
    from ...backends import Contract

    return Contract(
        "ntksym.compile",
        (f"E[s(u) s(v)] and its derivative in q12, s(x) = {dual.activation.expr}",),
        accuracy=accuracy(dual, programs),
        source=("stefanski1991normal", *dual.activation.refs),
    )


def accuracy(dual: MixtureDual, programs: MixturePrograms) -> str:
    """The proven bounds of the nodes, in a line; where terms cancel also the rounding."""
    from ...backends.mixture.rounding import rounding_note

    bounds = "; ".join(dual.mixture_bound.text())
    left = rounding_note(programs)
    return f"{len(dual.mixture)} nodes; proven, rounding not counted: {bounds}{left}"


def compile_mixture(dual: MixtureDual, target: str = "c", cache: bool = True) -> CompiledDual:
    """The dual on arrays.

    Raises:
        NoCompiler: `target="c"` and no compiler works.
    """
    engine = mixture_engine(dual, target, keep=cache)
    params = tuple(p.name for p in dual.activation.params)
    return CompiledDual(
        engine,
        name=dual.activation.name or "dual",
        target=target,
        pair_params=params,
        diag_params=params,
        sources=engine.sources,
    )
