"""A Python callable as an activation: called on arrays or numbers, looked at where it is used."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ...errors import BadActivation, NotSquareIntegrable

REFUSALS = (TypeError, ValueError, AttributeError)
"""What a function of numbers may raise when it is given an array."""
REACH = 10.0
"""Deviations of the Gaussian that a rule covers."""
_REPEATS = 1e-12
"""What two calls at one x may differ by, relative: sums of an accelerator in another order."""
_FALL = 24.0
"""By which power of e the weighted square must have fallen at the reach."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A callable that was found to give finite real numbers.

    Attributes:
        function: the callable.
        name: what messages call it.
        vectorised: whether it takes arrays; else it is called once per number.
        per_call: about the seconds that a call takes, whatever its array.
        per_value: and those for each value.
    """

    function: Callable[[Any], Any]
    name: str
    vectorised: bool
    per_call: float = 0.0
    per_value: float = 0.0

    def __call__(self, x: Any) -> Any:
        """The values at an array, float64.

        Raises:
            BadActivation: a value that is not a finite real number, with the x that gave it.
        """
        import numpy as np

        if self.vectorised:
            values = np.asarray(self.function(x))
        else:
            values = np.array([_number(self.function(t), t, self.name) for t in x.ravel().tolist()])
            values = values.reshape(x.shape)
        return _checked(values, x, self.name)


def sampled(function: Any, far: float, name: str = "") -> Sampled:
    """The callable, after a look at it on [-far, far].

    Raises:
        BadActivation: not callable; a value that is not a finite real number; not one number for
            each number; another value at the second call.
    """
    import numpy as np

    label = name or getattr(function, "__name__", type(function).__name__)
    if not callable(function):
        raise BadActivation(
            f"an object of type {type(function).__name__} cannot be called",
            hint="a function of one number or of an array, such as np.tanh",
        )
    points = np.concatenate([np.linspace(-far, far, 65), [-1.0, -0.5, 0.25, 0.5, 1.0]])
    single = Sampled(function, label, False)
    few = points[::8]
    try:
        values = np.asarray(function(few.copy()))
    except REFUSALS:
        values = np.empty(0)
    if values.shape == few.shape:
        whole = Sampled(function, label, True)
        _repeats(whole, few)
        if _agree(whole, single, few):
            call = _timed(whole, few)
            more = max(_timed(whole, points) - call, 0.0)
            return replace(whole, per_call=call, per_value=more / (points.size - few.size))
    _repeats(single, few)
    return replace(single, per_value=_timed(single, points) / points.size)


def _timed(function: Sampled, points: Any) -> float:
    """The shorter of two times; the first may be disturbed."""
    found = []
    for _ in range(2):
        start = time.perf_counter()
        function(points)
        found.append(time.perf_counter() - start)
    return min(found)


def _repeats(function: Sampled, points: Any) -> None:
    import numpy as np

    first, second = function(points), function(points)
    apart = np.abs(first - second) > _REPEATS * np.maximum(np.abs(first), 1e-300)
    if apart.any():
        at, one, two = (float(v[apart][0]) for v in (points, first, second))
        raise BadActivation(
            f"{function.name} gives different values at the same x",
            where=f"x = {at!r}: {one!r}, then {two!r}",
            hint="a function of x alone: without random numbers and without a state",
        )


def _agree(whole: Sampled, single: Sampled, points: Any) -> bool:
    """Whether the values of an array are those of its numbers."""
    import numpy as np

    together = whole(points)
    try:
        apart = single(points)
    except REFUSALS:
        return True  # it takes arrays only
    size = np.maximum(np.abs(apart), 1.0)
    return bool(np.all(np.abs(together - apart) <= 1e-5 * size))


def _number(value: Any, at: float, name: str) -> Any:
    import numpy as np

    found = np.asarray(value)
    if found.size != 1:
        raise BadActivation(
            f"{name} gives an array of shape {found.shape} for one number",
            where=f"x = {at!r}",
            hint="one number for each number",
        )
    return found.reshape(())


def _checked(values: Any, x: Any, name: str) -> Any:
    import numpy as np

    if values.shape != x.shape:
        raise BadActivation(
            f"{name} gives an array of shape {values.shape} for one of shape {x.shape}",
            hint="an element-wise function",
        )
    if np.iscomplexobj(values):
        bad = x[np.abs(values.imag) > 0.0] if values.size else x
        where = f"x = {float(bad.ravel()[0])!r}" if bad.size else ""
        raise BadActivation(f"{name} is complex", where=where, hint="a real function")
    if values.dtype.kind not in "fiub":
        raise BadActivation(f"{name} gives values of type {values.dtype}", hint="real numbers")
    out = values.astype(np.float64)
    if not np.isfinite(out).all():
        at = x[~np.isfinite(out)].ravel()[0]
        value = out[~np.isfinite(out)].ravel()[0]
        raise BadActivation(
            f"{name} is not finite",
            where=f"x = {float(at)!r}: {float(value)!r}",
            hint="a function with a finite value at every real number",
        )
    return out


def falls(function: Sampled, deviation: float) -> None:
    r"""Look whether $s(u)^2$ falls against the Gaussian within the reach of the rules.

    This is a look at samples, not a proof.

    Raises:
        NotSquareIntegrable: it does not.
    """
    import numpy as np

    r = np.linspace(-REACH, REACH, 137)
    size = 2.0 * np.log(np.maximum(np.abs(function(deviation * r)), 1e-300)) - 0.5 * r * r
    edge, most = max(size[:3].max(), size[-3:].max()), size.max()
    if edge > most - _FALL:
        raise NotSquareIntegrable(
            f"{function.name} grows so fast that its square has weight beyond {REACH} deviations",
            where=f"variance {deviation * deviation:g}",
            hint="a smaller range of variances",
        )
