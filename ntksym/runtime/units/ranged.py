"""Kernels and duals whose code is made for a range of variances: that of the data, at call time.

A call looks at the variances of its data, takes the code that was made for a range that holds them,
or makes it, and hands the call on.  The range is rounded outward, so that other data of the same
kind need nothing new; variances that are one up to rounding (normalised data) stay one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from math import ceil, floor, inf, isfinite, log2
from typing import Any

import numpy as np

from ...backends.tolerance import TOLERANCE as POINT
from ...errors import BadData, Undecided
from ...waiting import told
from ..checks import covariances, dimension, real_array
from ..dual_arrays import CompiledDual
from ..kernel import CompiledKernel
from ..later import Range
from ..said import Said

STEPS = 2
"""A range ends at powers of 2**(1/STEPS)."""


def outward(low: float, high: float) -> Range:
    """A range that holds [low, high]: its ends on a coarse grid, or one number for one variance."""
    if high - low <= POINT * high:
        return low, low
    return 2.0 ** (floor(STEPS * log2(low)) / STEPS), 2.0 ** (ceil(STEPS * log2(high)) / STEPS)


def spread(values: Any, name: str, *, zero: bool = False) -> Range | None:
    """The least and the largest positive finite number; None where there is none.

    Raises:
        BadData: a variance of exactly zero, which no range holds, unless `zero` allows it.
    """
    array = np.asarray(values, dtype=np.float64).ravel()
    if not zero and (array == 0.0).any():
        row = int(np.nonzero(array == 0.0)[0][0])
        raise BadData(
            f"{name}: the variance of row {row} is zero",
            hint="a bias variance, or leave rows of zeros out",
        )
    good = array[np.isfinite(array) & (array > 0.0)]
    return (float(good.min()), float(good.max())) if good.size else None


class _Ranged:
    """What is made for ranges, the newest first; safe from several threads."""

    def __init__(self, make: Callable[[Range], Any], fixed: Range | None, name: str) -> None:
        self._make = make
        self._fixed = fixed
        self._name = name
        self._made: list[tuple[Range, Any]] = []
        self._lock = threading.Lock()

    def at(self, span: Range | None) -> Any:
        """What holds `span`.

        Raises:
            BadData: outside the range that was given.
        """
        with self._lock:
            if span is None:
                span = self._fixed or (1.0, 1.0)
            for held, made in self._made:
                if _holds(held, span):
                    return made
            if self._fixed is not None and not _holds(self._fixed, span):
                raise self._outside(span)
            if self._fixed is not None:
                return self._add(self._fixed)
            if self._made:  # ever new data settle on one range that holds them all
                low = min([span[0], *(held[0] for held, _ in self._made)])
                high = max([span[1], *(held[1] for held, _ in self._made)])
                with suppress(Undecided):
                    return self._add(outward(low, high))
            return self._add(outward(*span))

    def _add(self, wanted: Range) -> Any:
        what = f"compile {self._name} for variances {wanted[-2]:.6g} to {wanted[-1]:.6g}"
        with told(what, "deriving, generating, compiling"):
            found = self._make(wanted)
        self._made.insert(0, (wanted, found))
        return found

    def _outside(self, span: Range) -> BadData:
        assert self._fixed is not None
        bad = span[0] if span[0] < self._fixed[0] else span[1]
        low, high = self._fixed
        return BadData(
            f"{self._name}: a variance of {bad:.6g} is outside {low:.6g} to {high:.6g}",
            hint="variances=(lo, hi) that holds the data, or none: it then follows the data",
        )


def _holds(held: Range, span: Range) -> bool:
    """Whether a range holds another; one number holds what is equal to it up to rounding."""
    slack = POINT * held[1]
    if held[1] - held[0] <= slack:
        return abs(span[0] - held[0]) <= slack and abs(span[1] - held[1]) <= slack
    return held[0] <= span[0] and span[1] <= held[1]


class RangedKernel(Said):
    """As a `CompiledKernel`; its code is made at the first call, for the variances of the data.

    Attributes:
        taken: how the last call was computed: for which variances of the first layer.
        bound: 0, as of all layers; `print(k)` has the bounds of their duals.
    """

    taken = "no call yet"
    bound = 0.0

    def __init__(
        self,
        make: Callable[[Range], CompiledKernel],
        *,
        name: str,
        target: str,
        dtype: str,
        threads: int,
        first: Callable[[int], tuple[float, float]],
        zero: bool = False,
        fixed: Range | None = None,
        gradient: Callable[[], Any] | None = None,
        growth: Callable[[float | None], Any] | None = None,
        at: Callable[[dict[str, Any]], RangedKernel] | None = None,
    ) -> None:
        self._growth, self._at = growth, at
        self._make_gradient = gradient
        self._gradient: Any = None
        self.name = name
        self.target = target
        self.dtype = np.dtype(dtype)
        self.threads = threads
        self._first = first
        self._zero = zero
        self._ranged = _Ranged(make, fixed, name)
        self._zeros = _Ranged(lambda span: make((0.0, *span)), fixed, name)
        if fixed is not None:
            self._ranged.at(fixed)

    def __repr__(self) -> str:
        return f"<RangedKernel {self.name}: target={self.target}, threads={self.threads}>"

    def __call__(self, X: Any, Y: Any = None, **options: Any) -> Any:
        """As `CompiledKernel.__call__`.

        Raises:
            BadData: as there; a variance outside the range that was given.
            Undecided: no method proves the error asked for on the range of the data, or a row
                of zeros where the activation has no finite value or derivative.
        """
        made = self._for_rows(X, Y)
        found = made(X, Y, **options)
        self.taken = f"layers, made for {self._span(made)}"
        return found

    def diag(self, X: Any) -> Any:
        """As `CompiledKernel.diag`."""
        return self._for_rows(X).diag(X)

    def cover(self, squares: Any, d: int) -> None:
        """Make the code for rows of d columns with squared norms from the least to the largest of
        these: calls within that range share it, whatever their own range and order.

        Raises:
            Undecided: as a call.
        """
        norms = np.asarray(squares, dtype=np.float64)
        for part in (norms, norms[norms > 0.0]):
            self._for_norms([part], d, ("squares", ""))

    def gradient(self, X: Any, Y: Any = None) -> Any:
        """As `CompiledKernel.gradient`."""
        if self._gradient is None and self._make_gradient is not None:
            self._gradient = self._make_gradient()
            with told(f"gradient of {self.name}", "deriving, compiling, computing"):
                return self._gradient(X, Y)
        return self._gradient(X, Y)

    def at(self, **numbers: Any) -> RangedKernel:
        """As `CompiledKernel.at`: compiled anew, for the variances of the data."""
        assert self._at is not None
        return self._at(numbers)

    def growth(self, variance: float | None = None) -> Any:
        """As `CompiledKernel.growth`."""
        return None if self._growth is None else self._growth(variance)

    def gram(self, G: Any, q1: Any, q2: Any, d: int = 1, **options: Any) -> Any:
        """As `CompiledKernel.gram`."""
        norms = [np.asarray(real_array(q, n, 1)) for q, n in ((q1, "q1"), (q2, "q2"))]
        return self._for_norms(norms, dimension(d), ("q1", "q2")).gram(G, q1, q2, d, **options)

    @property
    def sources(self) -> Any:
        """The generated files of the newest range; none before the first call."""
        made = self._ranged._made or self._zeros._made
        return made[0][1].sources if made else ()

    def _span(self, made: Any) -> str:
        """The range that a kernel was made for, in words."""
        rows = ((self._ranged, ""), (self._zeros, " and rows of zeros"))
        (low, high), more = next(
            (span, more) for r, more in rows for span, own in r._made if own is made
        )
        one = f"the variance {low:.6g}" if low == high else f"variances {low:.6g} to {high:.6g}"
        return one + more

    def _for_rows(self, *data: Any) -> Any:
        norms, width = [], 1
        for given, name in zip(data, "XY", strict=False):
            if given is not None:
                rows = real_array(given, name, 2)
                width = rows.shape[1]
                with np.errstate(all="ignore"):
                    norms.append(np.einsum("ij,ij->i", rows, rows))
        return self._for_norms(norms, width, ("X", "Y"))

    def _for_norms(self, norms: list[Any], width: int, names: tuple[str, str]) -> Any:
        slope, offset = self._first(width)
        low, high, zeros = inf, -inf, False
        for g, name in zip(norms, names, strict=False):
            with np.errstate(all="ignore"):
                variances = slope * g + offset
            found = spread(variances, name, zero=True)
            zeros = zeros or (not self._zero and bool((np.asarray(variances) == 0.0).any()))
            if found is not None:
                low, high = min(low, found[0]), max(high, found[1])
        made = self._zeros if zeros else self._ranged
        return made.at((low, high) if isfinite(low) else None)


class RangedDual(Said):
    """As a `CompiledDual`; its code is made at the first call, for the variances given."""

    params: tuple[str, ...] = ()

    def __init__(
        self,
        make: Callable[[Range], CompiledDual],
        *,
        name: str,
        target: str,
        fixed: Range | None = None,
    ) -> None:
        self.name = name
        self.target = target
        self._ranged = _Ranged(make, fixed, name)
        if fixed is not None:
            self._ranged.at(fixed)

    def __repr__(self) -> str:
        return f"<RangedDual {self.name}: target={self.target}>"

    def __call__(self, q11: Any, q12: Any, q22: Any, **options: Any) -> Any:
        """As `CompiledDual.__call__`.

        Raises:
            BadData: as there; a variance outside the range that was given, or zero.
            Undecided: no method proves the error asked for on this range.
        """
        q11, q12, q22 = covariances(q11=q11, q12=q12, q22=q22)
        low, high = inf, -inf
        for q, name in ((q11, "q11"), (q22, "q22")):
            found = spread(q, name)
            if found is not None:
                low, high = min(low, found[0]), max(high, found[1])
        return self._ranged.at((low, high) if isfinite(low) else None)(q11, q12, q22, **options)

    def diag(self, q: Any, **options: Any) -> Any:
        """As `CompiledDual.diag`."""
        (q,) = covariances(q=q)
        return self._ranged.at(spread(q, "q")).diag(q, **options)

    @property
    def sources(self) -> Any:
        """The generated files of the newest range; none before the first call."""
        made = self._ranged._made
        return made[0][1].sources if made else ()
