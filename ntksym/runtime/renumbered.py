"""Networks whose code is given its numbers: compiled once, whatever variances and parameters are.

The code is that of a network without its numbers (`Schedule.unnumbered`): of a library each kernel
has an instance of its own, of NumPy modules functions that see other numbers.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from types import FunctionType, SimpleNamespace
from typing import Any

from ..backends import Contract
from ..backends.unit_schedule import UnitSchedule
from ..errors import UnsupportedOp
from ..lower import lower_network
from ..lower.schedule import Schedule
from .engines import CNetwork, NumpyNetwork, Sources, load_module, with_support
from .gram.tiles import Tiles
from .kernel import CompiledKernel
from .later import Asked, found_network
from .library.instances import give_numbers, instances

CONTRACT = Contract("ntksym.compile", ("the NNGP kernel and the NTK of a network",))


def kernel_at(kernel: CompiledKernel, numbers: Mapping[str, Any]) -> CompiledKernel:
    """`CompiledKernel.at`.

    Raises:
        BadSpec: as `Network.at`.
        UnsupportedOp: a collapsed network.
    """
    known = kernel._network if kernel._units is None else kernel._units[0]
    if known is None:
        raise UnsupportedOp(f"{kernel.name}: no layers", hint="the network without collapse")
    network = found_network(known)
    network = getattr(network, "network", network).at(**numbers)
    threads, dtype = kernel.threads, kernel.dtype.name
    if kernel._units is not None:
        found: CompiledKernel = _units_at(kernel, network, kernel._units[1])
        return found
    from ..network import recurse

    recursion = recurse(network)
    schedule = replace(lower_network(recursion), floats=dtype == "float32")
    kind = GivenC if kernel.target == "c" else GivenNumpy
    engine = kind(_code(kind, schedule.unnumbered), schedule.numbers, kernel._keep)
    made = CompiledKernel(
        engine,
        name=kernel.name,
        target=kernel.target,
        dtype=dtype,
        threads=threads,
        sources=engine.sources,
        network=recursion,
    )
    return made.prepare(kernel._keep)


def _units_at(kernel: CompiledKernel, network: Any, wanted: Any) -> Any:
    """`kernel_at` of units: C of mixtures is given its numbers; what else there is takes none."""
    keep, dtype, threads = kernel._keep, kernel.dtype.name, kernel.threads
    if kernel.target != "c":
        from .compile import compile

        return compile(
            network, "numpy", dtype, keep, threads, method=wanted.method, error=wanted.error
        )
    from .units.network import compile_given

    def engine(schedule: UnitSchedule) -> GivenUnits:
        return GivenUnits(_code(GivenUnits, schedule.unnumbered), schedule.numbers, keep)

    asked = Asked("c", dtype, keep, threads, wanted.method, wanted.error)
    return compile_given(network, asked, engine)


@lru_cache(maxsize=64)
def _code(kind: Any, schedule: Schedule | UnitSchedule) -> tuple[Sources, list[Any]]:
    """The files of a schedule without numbers, and what else its engines are made of."""
    made: tuple[Sources, list[Any]] = kind.generated(schedule)
    return made


class GivenC(CNetwork):
    """A network in an instance of a library, with its numbers."""

    def __init__(
        self, code: tuple[Sources, list[Any]], numbers: tuple[float, ...], keep: bool
    ) -> None:
        self._given = numbers
        self.restore(*code, keep)

    @staticmethod
    def generated(schedule: Schedule) -> tuple[Sources, list[Any]]:
        """The files, the number of layers and whether float layers will do."""
        from ..backends.c.network import file as c_network

        source = c_network.network_file(schedule, CONTRACT)
        return with_support(source), [len(schedule.steps), c_network.floats_will_do(schedule)]

    def __getstate__(self) -> Any:
        """What a pickle stores."""
        return (self.sources, self.numbers), self._given, self._keep

    def __setstate__(self, state: Any) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def _library_of(self, sources: Sources, keep: bool) -> ctypes.CDLL:
        library = instances(sources, keep).taken(self)
        give_numbers(library, sources[-1], self._given)
        return library


class GivenUnits(GivenC):
    """The same of a network of units."""

    @staticmethod
    def generated(schedule: UnitSchedule) -> tuple[Sources, list[Any]]:  # type: ignore[override]
        """The files, the number of layers, and that there are no float layers."""
        from ..backends.c.network import units as c_unit_network

        source = c_unit_network.network_file(schedule, CONTRACT)
        return with_support(source), [len(schedule.steps), False]


class GivenNumpy(NumpyNetwork):
    """A network in NumPy modules, with its numbers."""

    def __init__(
        self, code: tuple[Sources, list[Any]], numbers: tuple[float, ...], keep: bool
    ) -> None:
        self._given, self._shape = numbers, code[1]
        self._load(code[0], keep)

    @staticmethod
    def generated(schedule: Schedule) -> tuple[Sources, list[Any]]:
        """The files, and how many numbers the first layer, a pair and a diagonal have."""
        from ..backends.numpy import network as numpy_network
        from ..backends.numpy.tiles import tiles_file

        source = numpy_network.network_file(schedule, CONTRACT)
        tiles = tiles_file(schedule, CONTRACT)
        rows = [(len(s.pair_values), len(s.diag_values)) for s in schedule.steps]
        shape = [len(schedule.input_values), schedule.widths, rows]
        return ((source,) if tiles is None else (source, tiles)), shape

    def __getstate__(self) -> Any:
        """What a pickle stores."""
        return (self.sources, self._shape), self._given, self._keep

    def __setstate__(self, state: Any) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def _load(self, sources: Sources, keep: bool) -> None:
        self.sources, self._keep = sources, keep
        count, (wide, narrow), rows = self._shape
        own, at = self._given[:count], count
        pairs = [self._given[at + wide * k :][:n] for k, (n, _) in enumerate(rows)]
        at += wide * len(rows)
        diags = [self._given[at + narrow * k :][:n] for k, (_, n) in enumerate(rows)]
        at += narrow * len(rows)
        rests = [self._given[at + narrow * k :][:n] for k, (_, n) in enumerate(rows)]
        modules = _modules(sources, keep)
        changed = {}
        if hasattr(modules[0], "RESTS"):  # of a deep network
            changed["RESTS"] = tuple(
                (*r[:2], d) for r, d in zip(modules[0].RESTS, rests, strict=True)
            )
        rule = modules[0]._input_rule
        layers = tuple(
            (r[0], p, r[2], d, *r[4:])
            for r, p, d in zip(modules[0].LAYERS, pairs, diags, strict=True)
        )
        self._module = _rebased(
            modules[0],
            LAYERS=layers,
            first_layer=lambda d: tuple(float(v) for v in rule(float(d), *own)),
            **changed,
        )
        if len(modules) > 1:
            layers = tuple((*r[:2], p, r[3]) for r, p in zip(modules[1].LAYERS, pairs, strict=True))
            self.tiles = Tiles(_rebased(modules[1], LAYERS=layers), self._module)


@lru_cache(maxsize=64)
def _modules(sources: Sources, keep: bool) -> tuple[Any, ...]:
    return tuple(load_module(s, keep=keep) for s in sources)


def _rebased(module: Any, **changed: Any) -> Any:
    """The functions of a module, with other values for some of its names."""
    space = dict(vars(module)) | changed
    for name, found in vars(module).items():
        if isinstance(found, FunctionType) and name not in changed:
            space[name] = FunctionType(
                found.__code__, space, name, found.__defaults__, found.__closure__
            )
    return SimpleNamespace(**space)
