"""The options of `compile`, read: one error for each that is none."""

from __future__ import annotations

import operator
from contextlib import suppress
from typing import Any, Literal

from ..errors import BadData, BadSpec, ParseError
from .gram.threads import allowed_cores

TARGETS = ("c", "numpy")
EXPORTED = ("jax", "torch", "package")
"""What `ntksym export` writes, and Python does not run here."""
DTYPES = ("float64", "float32")


def read_target(target: Any) -> str:
    """The target.

    Raises:
        BadSpec: another one.
    """
    if isinstance(target, str) and target in TARGETS:
        return target
    hint = "one of: " + ", ".join(TARGETS)
    if target in EXPORTED:
        hint += f"; for a module, ntksym export ... --target {target}"
    raise BadSpec(f"unknown target {target!r}", hint=hint)


def read_dtype(dtype: Any) -> str:
    """The name of the float type: from the name, a NumPy type, or a NumPy dtype.

    Raises:
        BadSpec: another type, or none.
    """
    if isinstance(dtype, str) and dtype in DTYPES:
        return dtype
    if dtype is not None:
        import numpy as np  # later: a recipe needs it anyway, a wrong target does not

        try:
            found = np.dtype(dtype)
        except TypeError:
            pass
        else:
            if found.name in DTYPES and found.isnative:
                return str(found.name)
    raise BadSpec(f"unknown dtype {dtype!r}", hint="one of: " + ", ".join(DTYPES))


def read_threads(threads: Any) -> int:
    """The number of threads; for None the processors that this program may run on.

    Raises:
        BadSpec: not a whole number, or less than 1.
    """
    if threads is None:
        return allowed_cores()
    hint = "a whole number, 1 or more; or None for the processors of this program"
    try:
        found = None if isinstance(threads, bool) else operator.index(threads)
    except TypeError:
        found = None
    if found is None:
        raise BadSpec(f"threads = {threads!r} is not a whole number", hint=hint)
    if found < 1:
        raise BadSpec(f"threads = {found}", hint=hint)
    return found


def read_cache(cache: Any) -> bool:
    """Whether anything is kept.

    Raises:
        BadSpec: neither True nor False.
    """
    if isinstance(cache, bool):
        return cache
    raise BadSpec(f"cache = {cache!r} is neither True nor False", hint="False keeps nothing")


def read_collapse(collapse: Any) -> bool | float | None:
    """True, False, None, or the error asked for, 0 < error < 1.

    Raises:
        BadSpec: anything else.
    """
    if collapse is None or isinstance(collapse, bool):
        return collapse
    number = _number(collapse)
    if number is None or not 0.0 < number < 1.0:
        raise BadSpec(
            f"collapse = {collapse!r} is neither a choice nor an error",
            hint="True, False, or the error asked for, such as 1e-12",
        )
    return number


def read_only(only: Any) -> Literal["nngp"] | None:
    """The kernel that is wanted alone, or None for both.

    Raises:
        BadSpec: another one: the NTK has both in it.
    """
    if only is None:
        return None
    if only == "nngp":
        return "nngp"
    raise BadSpec(f"only = {only!r}", hint='"nngp": the kernel without the NTK')


def read_error(error: Any) -> float | None:
    """The error asked of a method, or None.

    Raises:
        BadSpec: not a number between 0 and 1.
    """
    if error is None:
        return None
    number = _number(error)
    if number is None or not 0.0 < number < 1.0:
        raise BadSpec(f"error = {error!r}: not between 0 and 1", hint="such as 1e-12")
    return number


def read_parameter(name: str, value: Any, of: str) -> float:
    """The value of an activation's parameter: a number, or its text ("1/3"); NaN passes.

    Raises:
        BadData: no number.
    """
    found = _number(value)
    if isinstance(value, str):
        from ..language import parse_number

        with suppress(ParseError, OverflowError):
            found = float(parse_number(value))
    if found is None:
        raise BadData(f"{name} = {value!r} is not a number", where=of, hint=f"{name}=0.25")
    return found


def _number(value: Any) -> float | None:
    """A number, and no text and no truth value."""
    if isinstance(value, (str, bytes, bool)):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
