"""A dual of any method with its derivatives, on matrices: in C, in NumPy, or from its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...backends import Contract
from ...backends.c import backend as c_backend
from ...backends.c.gradient.units import UnitSlopes, unit_slopes_file
from ...backends.numpy.unit_network import dual_file
from ...backends.numpy.units import units_file
from ...backends.unit import DualUnit
from ...errors import NoCompiler
from ..checks import Array
from ..engines import array_size, load_module, pointer
from ..library.compiler import load_library
from .differences import NOTE, polar_slopes, side_slopes, turned_slopes, variance_slopes
from .large import Large

PROGRAM = "ntksym gradient"


class GradientDual(Protocol):
    """A dual with its derivatives."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is known of it."""
        ...

    def pair(self, x: Array, c: Array, y: Array, root: Array) -> tuple[Array, ...]:
        """K, D, then K's derivatives in log q11, q12, log q22, and D's; D is the derivative dual.

        Those in the logarithms are at a fixed angle, those in q12 at fixed variances.  That of D in
        q12 is times `length`: of large rows it is less than doubles, and so are those in variances.
        """
        ...

    @property
    def large(self) -> Large | None:
        """The slopes where variances are large, of mixtures."""
        ...

    def both(self, x: Array, c: Array, y: Array, root: Array) -> Any:
        """K and D alone."""
        ...

    def side(self, q: Array) -> tuple[Array, ...]:
        """K, D and their derivatives in q, for u = v."""
        ...


def length(x: Array, y: Array) -> Array:
    """The product of the standard deviations, 1 where one is 0."""
    found: Array = np.sqrt(x) * np.sqrt(y)
    return np.where(found == 0.0, 1.0, found)


@dataclass(frozen=True, slots=True)
class _Unit:
    """The values of a unit and, where they are known, their slopes.

    Attributes:
        values: (q11, q12, q22, root) -> (K, D).
        sides: q -> (K, D).
        slopes: (q11, q12, q22, root, D) -> slopes of K in q11 and q22, of D in q11, q12 and q22,
            those in variances at a fixed angle; or None: from the values.
        side_slopes: the two for u = v, or None.
        moves: (q11, q12, q22, root, K) -> slopes of K and D in q11 at a fixed angle, or None.
        turns: (q11, q12, q22, root) -> slopes of K and D in the angle, then in q12, or None.
        bend: (q11, q12, q22, root) -> (D, E[s''(u)s''(v)]), of a table of its own, or None.
        jumps: whether D is not the derivative of K.
        plain: whether no kink is away from 0.
        smooth: whether there is none at all.
        large: the slopes where variances are large, of mixtures, or None.
        notes: what is known.
    """

    values: Any
    sides: Any
    slopes: Any
    side_slopes: Any
    moves: Any
    turns: Any
    bend: Any
    jumps: bool
    plain: bool
    smooth: bool
    large: Large | None
    notes: tuple[str, ...]

    def both(self, x: Array, c: Array, y: Array, root: Array) -> Any:
        """As in `GradientDual`."""
        return self.values(x, c, y, root)

    def pair(self, x: Array, c: Array, y: Array, root: Array) -> tuple[Array, ...]:
        """As in `GradientDual`."""
        k, d = self.values(x, c, y, root)
        if self.slopes is not None:
            k1, k2, d1, d12, d2 = self.slopes(x, c, y, root, d)
            found = k, d, x * k1, d, y * k2, x * d1, length(x, y) * d12, y * d2
            far = self.large
            return found if far is None else far.pair(self.values, found, (x, c, y, root))
        if self.plain or self.smooth:
            first, second = self._sides(x, c, y, root, k)
            turn, turned = self._turns(x, c, y, root, d)
            of_k, of_d = zip(first, turn, second, strict=True)
        else:
            of_k, of_d, turned = polar_slopes(self.values, x, c, y, root)
        along = turned[0] if self.jumps else d
        bent = length(x, y) * turned[1]
        return k, d, x * of_k[0], along, y * of_k[2], x * of_d[0], bent, y * of_d[2]

    def _sides(self, x: Array, c: Array, y: Array, root: Array, k: Array) -> Any:
        """Slopes of both in q11 and in q22 at a fixed angle."""
        if self.moves is None:
            return variance_slopes(self.values, x, c, y, root)
        second = self.moves(y.T, c.T, x.T, root.T, k.T)
        return self.moves(x, c, y, root, k), second.transpose(0, 2, 1)

    def _turns(self, x: Array, c: Array, y: Array, root: Array, d: Array) -> Any:
        """Slopes of both in the angle and in q12."""
        if self.bend is not None:
            along = np.array([d, self.bend(x, c, y, root)[1]])
            return -root * along, along
        if self.turns is None:
            return turned_slopes(self.values, x, c, y, root, self.smooth)
        found = self.turns(x, c, y, root)
        return found[:2], found[2:]

    def side(self, q: Array) -> tuple[Array, ...]:
        """As in `GradientDual`."""
        k, d = self.sides(q)
        if self.side_slopes is None:
            return k, d, *side_slopes(self.sides, q)
        found = self.side_slopes(q)
        return k, d, *(found if self.large is None else self.large.side(self.sides, q, found))


def _polar(x: Array, c: Array, y: Array, found: tuple[Array, ...]) -> tuple[Array, ...]:
    """As in `GradientDual.pair`, from derivatives at fixed covariance."""
    k, d, k1, k12, k2, d1, d12, d2 = found
    half = 0.5 * c
    sides = (
        (x * k1 + half * k12, k12, y * k2 + half * k12),
        (x * d1 + half * d12, length(x, y) * d12, y * d2 + half * d12),
    )
    return k, d, *sides[0], *sides[1]


@dataclass(frozen=True, slots=True)
class _Arrays:
    """The functions of a NumPy module; `plain` has the values of mixtures at any variances."""

    module: Any
    k: int
    plain: Any
    large: Large | None
    notes: tuple[str, ...]

    def _of(self, name: str) -> Any:
        return getattr(self.module, f"dual{self.k}_{name}")

    def both(self, x: Array, c: Array, y: Array, root: Array) -> Any:
        """As in `GradientDual`."""
        values = self._of("value") if self.plain is None else self.plain.dual
        return values(x, c, y, root)

    def pair(self, x: Array, c: Array, y: Array, root: Array) -> tuple[Array, ...]:
        """As in `GradientDual`."""
        k, d = self.both(x, c, y, root)
        of_k, of_d = self._of("partials")(x, c, y, root)
        along = of_k[1] if self.large is None else d
        found = _polar(x, c, y, (k, d, of_k[0], along, of_k[2], *of_d[:3]))
        return found if self.large is None else self.large.pair(self.both, found, (x, c, y, root))

    def side(self, q: Array) -> tuple[Array, ...]:
        """As in `GradientDual`."""
        values = self._of("diag_value") if self.plain is None else self.plain.diagonal
        found = tuple(s[0] for s in self._of("diag_partials")(q))
        return *values(q), *(found if self.large is None else self.large.side(values, q, found))


def gradient_duals(
    kinds: tuple[UnitSlopes, ...],
    rough: tuple[tuple[bool, bool, bool], ...],
    target: str | None,
    bends: tuple[DualUnit | None, ...] | None = None,
    large: tuple[Large | None, ...] | None = None,
) -> tuple[GradientDual, ...]:
    """The duals of a network: compiled where there is a compiler and `target` is not "numpy".

    `rough` has `jumps`, `plain` and `smooth` of each, `bends` the unit of s' where there is one
    (`gradients.fine`), `large` what mixtures have where variances are large.

    Raises:
        NoCompiler: target "c", and there is none.
        UnsupportedOp: an operation without a spelling.
    """
    bends = bends or (None,) * len(kinds)
    large = large or (None,) * len(kinds)
    own = {k: len(kinds) + i for i, k in enumerate(k for k, b in enumerate(bends) if b)}
    library = _library((*kinds, *(UnitSlopes(b, None) for b in bends if b)), target)
    made: list[GradientDual] = []
    for k, kind in enumerate(kinds):
        written = kind.slopes is not None and kind.slopes.point is None
        if written and kind.slopes is not None and (library is None or not kind.in_c):
            module = load_module(units_file((kind.slopes,)), keep=False)
            plain = _module(f"dual{k}", kind.unit) if large[k] else None
            made.append(_Arrays(module, 0, plain, large[k], kind.slopes.notes))
            continue
        notes = kind.slopes.notes if written and kind.slopes else (*kind.unit.notes, *NOTE)
        if second := bends[k]:
            notes += ("but for that of the derivative dual in q12, a value of:", *second.notes)
        slopes: tuple[Any, Any] = (None, None)
        if library is not None:
            calls = (_Call(library, f"pairs{k}", 2), _Call(library, f"sides{k}", 2))
            if written:
                names = (("polar", 5), ("side_slopes", 2))
                slopes = tuple(_Rows(library, f"{n}{k}", w) for n, w in names)  # type: ignore[assignment]
            moves = _Call(library, f"moves{k}", 2) if kind.moves else None
            bend = _Call(library, f"pairs{own[k]}", 2) if k in own else None
            turns = None
            if kind.slopes is None and bend is None:
                turns = _Call(library, f"{'smooth_' * rough[k][2]}turns{k}", 4)
            made.append(_Unit(*calls, *slopes, moves, turns, bend, *rough[k], large[k], notes))
        else:
            plain = _module(f"dual{k}", kind.unit)
            bend = _module(f"bend{k}", second).dual if second else None
            values = plain.dual, plain.diagonal
            made.append(_Unit(*values, *slopes, None, None, bend, *rough[k], None, notes))
    return tuple(made)


def value_duals(units: tuple[DualUnit, ...], target: str | None) -> tuple[tuple[Any, Any], ...]:
    """(q11, q12, q22, root) -> (K, D) and q -> (K, D) of each unit, as in `gradient_duals`.

    Raises:
        NoCompiler: target "c", and there is none.
        UnsupportedOp: an operation without a spelling.
    """
    library = _library(tuple(UnitSlopes(u, None) for u in units), target)
    if library is None:
        modules = [_module(f"dual{k}", u) for k, u in enumerate(units)]
        return tuple((m.dual, m.diagonal) for m in modules)
    names = ("pairs", "sides")
    calls = [[_Call(library, f"{n}{k}", 2) for n in names] for k in range(len(units))]
    return tuple((pair, side) for pair, side in calls)


def _library(kinds: tuple[UnitSlopes, ...], target: str | None) -> Any:
    """The compiled functions of kinds; None where NumPy does their work."""
    if target == "numpy":
        return None
    contract = Contract(PROGRAM, ("duals and their derivatives",))
    try:
        sources = (c_backend.support_file(), unit_slopes_file(kinds, contract))
        return load_library(sources, keep=False)
    except NoCompiler:
        if target == "c":
            raise
    return None


def _module(name: str, unit: DualUnit) -> Any:
    """NumPy's functions of a unit."""
    return load_module(dual_file(name, unit, Contract(PROGRAM, ())))


class _Call:
    """A C function from arrays to `count` arrays."""

    def __init__(self, library: Any, name: str, count: int) -> None:
        self._f, self._count = getattr(library, f"ntksym_units_{name}"), count
        self._f.restype = None

    def __call__(self, *arrays: Array) -> Array:
        given = np.broadcast_arrays(*arrays)
        held = [np.ascontiguousarray(a, dtype=np.float64) for a in given]
        n = held[0].size
        out = np.empty((self._count, n))
        self._f(array_size(n), *map(pointer, held), *map(pointer, self._places(out)))
        return out.reshape((self._count, *given[0].shape))

    def _places(self, out: Array) -> list[Array]:
        return list(out)


class _Rows(_Call):
    """The same where the arrays are rows of one."""

    def _places(self, out: Array) -> list[Array]:
        return [out]
