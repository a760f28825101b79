"""`ufunc`: the dual of an activation as a NumPy ufunc, (q11, q12, q22) -> (nngp, derivative).

A real `numpy.ufunc` from compiled C: broadcasting, `out=`, `where=`, both float types.  Dask and
xarray take no ufunc with two outputs by themselves: `dask.array.apply_gufunc(f, "(),(),()->(),()",
...)` and `xarray.apply_ufunc(f, ..., output_core_dims=[[], []])`.  Its name is the text it was made
from, so that it pickles as a name: another machine makes it again from that text, which is parsed,
never evaluated.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sysconfig
import warnings
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from ..activation import Activation
from ..activations import named, names
from ..backends import Contract, SourceFile
from ..backends.c import backend as c_backend
from ..backends.c.network import units as c_unit_network
from ..backends.c.ufunc import UfuncSpec, ufunc_file
from ..backends.numpy import unit_network as numpy_unit_network
from ..backends.unit import DualUnit
from ..backends.units import unit_of
from ..dual import Dual
from ..errors import BadData, NoCompiler, NtksymError
from ..language import as_activation, parse_activation
from ..language.write import to_text
from ..numeric import read_variances
from ..numeric.rules import Variances
from .arguments import read_parameter
from .checks import covariances
from .dual_arrays import within
from .engines import load_module
from .foreseen import say_orthants
from .library.compiler import shared_library
from .library.objects import compiled_beside
from .units.routes import chosen_unit

MODULE = "ntksym_ufunc"
PREFIX = "dual("


def ufunc(activation: Any, *, variances: Any = None, **params: float | str) -> Any:
    """The dual of an activation as a NumPy ufunc of (q11, q12, q22), returning (nngp, dot).

    `nngp` is E[s(u)s(v)], `dot` its derivative in q12.  Types 'ddd->dd' and 'fff->ff' (computed in
    double, rounded once).  A negative variance or NaN gives NaN; |q12| above sqrt(q11*q22) counts
    as equal to it.  `.identity` is None; the ufunc pickles by name.

    Args:
        activation: text, a catalogue name, a SymPy expression, an `Activation`.
        variances: (low, high), for activations whose dual is a table or another rule with a range.
        params: numbers for the parameters of the activation, or their text ("1/3").

    Returns:
        A `numpy.ufunc`; without a C compiler or Python's headers a `PlainUfunc`, after one
        warning: the same calls, in NumPy.

    Raises:
        BadSpec: a parameter without a value; `variances` that are none, or are needed.
        BadData: a parameter that the activation does not have, or that is given no number.
        NoClosedForm, Undecided, BadActivation: the activation has no dual with a bound.
    """
    act = as_activation(activation)
    known = {p.name for p in act.params}
    if unknown := sorted(set(params) - known):
        raise BadData(
            f"{act.name} has no parameter {unknown[0]!r}",
            hint="its parameters: " + (", ".join(sorted(known)) or "none"),
        )
    numbers = {key: _number(key, value, act.name) for key, value in params.items()}
    return _named(_spelled(act, numbers, None if variances is None else read_variances(variances)))


def _number(key: str, value: Any, of: str) -> float:
    found = read_parameter(key, value, of)
    if not isfinite(found):
        raise BadData(f"{key} = {value!r} is not a number", where=of, hint=f"{key}=0.25")
    return found


MINUS = "\N{MINUS SIGN}"
"""Dask takes a name for two parts where there is a hyphen in it."""


def _spelled(act: Activation, params: Mapping[str, float], span: Variances | None) -> str:
    """The request as a name to read: what messages of NumPy say, and what a pickle stores.

    `dual(x*Phi(x))`; with parameters and variances `dual(max(alpha*x, x); alpha: real = 1/4;
    variances = 1/2 : 2)`.  Numbers are quotients: a name has no dots, and no hyphens.
    """
    parts = [to_text(act.expr)]
    if act.name in names() and named(act.name).expr == act.expr:
        parts = [act.name]
    for p in act.params:
        value = f" = {Fraction(repr(params[p.name]))}" if p.name in params else ""
        parts.append(f"{p.name}: {_sign(p)}{value}")
    if span is not None:
        parts.append(f"variances = {span[0]} : {span[1]}")
    return f"{PREFIX}{'; '.join(parts)})".replace("-", MINUS)


def _request(name: str) -> tuple[Activation, dict[str, float], Variances | None]:
    """What a name asks for.

    Raises:
        AttributeError: it is no such name.
    """
    text, *rest = name.replace(MINUS, "-").removeprefix(PREFIX).removesuffix(")").split("; ")
    signs, numbers, span = {}, {}, None
    try:
        for part in rest:
            key, _, value = part.partition(" = ")
            if key == "variances":
                low, _, high = value.partition(" : ")
                span = Fraction(low), Fraction(high)
                continue
            key, _, signs_of = key.partition(": ")
            signs[key] = signs_of
            if value:
                numbers[key] = float(Fraction(value))
        return parse_activation(text, params=signs), numbers, span
    except (ValueError, ZeroDivisionError, NtksymError) as error:
        raise AttributeError(f"{name!r} is no name of a ufunc") from error


def _sign(p: Any) -> str:
    """The assumption that reading the text again needs."""
    for word in ("positive", "negative", "nonnegative", "nonpositive"):
        if getattr(p, f"is_{word}"):
            return word
    return "real"


def __getattr__(name: str) -> Any:
    """The ufunc of a name, made again: this is how a pickle is read."""
    if not (name.startswith(PREFIX) and name.endswith(")")):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _named(name)


@lru_cache(maxsize=256)
def _named(name: str) -> Any:
    with compiled_beside(keep=True, dtype=None):
        act, numbers, span = _request(name)
        found = chosen_unit(act, variances=span).dual
        if isinstance(found, Dual):
            say_orthants(found.value)
        unit = unit_of(found, numbers, almost_everywhere=False)
        made = _compiled(name, act, unit)
    globals()[name] = made  # where pickle looks for it
    return made


def _compiled(name: str, act: Activation, unit: DualUnit) -> Any:
    contract = Contract("ntksym.ufunc", (f"E[s(u) s(v)], s(x) = {act.expr}",))
    dual = c_unit_network.dual_file("dual", unit, contract)
    stem = "ntksym_" + dual.name.removesuffix(".c")
    spec = UfuncSpec(stem, name, f"diagonal of {name}", f"s(x) = {to_text(act.expr)}")
    sources = (c_backend.support_file(), dual, ufunc_file(MODULE, (spec,)))
    try:
        path = shared_library(sources, extra=header_flags())
        return getattr(load_extension(path), name)
    except (NoCompiler, ImportError) as error:
        what = error.what if isinstance(error, NoCompiler) else str(error)
        warnings.warn(
            f"ntksym.ufunc: {what}; the slower NumPy version is used. For the speed of C install "
            "a compiler and Python's headers (python3-dev), or set CC",
            RuntimeWarning,
            stacklevel=4,
        )
    plain = numpy_unit_network.dual_file("dual", unit, contract)
    return PlainUfunc(name, plain)


def header_flags() -> tuple[str, ...]:
    """Flags that find the headers of Python and NumPy.

    Raises:
        NoCompiler: Python's headers are not installed.
    """
    python = Path(sysconfig.get_path("include"))
    if not (python / "Python.h").is_file():
        raise NoCompiler(
            "Python's C headers are not installed", where=str(python), hint="install python3-dev"
        )
    return (f"-I{python}", f"-I{np.get_include()}")


def load_extension(path: Path) -> Any:
    """The extension module in a file.

    Raises:
        ImportError: it does not load into this interpreter.
    """
    loader = importlib.machinery.ExtensionFileLoader(MODULE, str(path))
    spec = importlib.util.spec_from_loader(MODULE, loader, origin=str(path))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


class PlainUfunc:
    """The calls of a ufunc without one: `f(q11, q12, q22, out=..., where=..., dtype=...)`."""

    nin, nout, nargs, ntypes, identity = 3, 2, 5, 2, None
    types = ("fff->ff", "ddd->dd")

    def __init__(self, name: str, source: SourceFile) -> None:
        self.__name__ = name
        self.sources = (source,)
        self._dual = load_module(source).dual

    def __repr__(self) -> str:
        return f"<PlainUfunc {self.__name__}>"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return _named, (self.__name__,)

    def __call__(
        self, *args: Any, out: Any = None, where: Any = True, dtype: Any = None
    ) -> tuple[Any, Any]:
        """(nngp, dot).

        Raises:
            BadData: not three inputs, no real numbers, masked elements, or shapes that do not
                broadcast.
        """
        if len(args) == 5 and out is None:
            args, out = args[:3], args[3:]
        if len(args) != 3:
            raise BadData(f"three inputs are needed, {len(args)} given", hint="f(q11, q12, q22)")
        arrays = [np.asarray(a) for a in args]
        found = np.result_type(*arrays, np.float32)
        if found not in (np.float32, np.float64):
            raise BadData(f"{self.__name__}: for real numbers, not {found}", hint="floats")
        kind = found if dtype is None else np.dtype(dtype)
        q11, q12, q22 = covariances(**dict(zip(("q11", "q12", "q22"), args, strict=True)))
        good = (q11 >= 0.0) & (q22 >= 0.0) & (q12 == q12)
        q11, q12, q22 = (np.where(good, q, 1.0) for q in (q11, q12, q22))
        safe = q11, within(q11, q12, q22), q22
        results = []
        targets = out if out is not None else (None, None)
        for value, target in zip(self._dual(*safe), targets, strict=True):
            value = np.where(good, value, np.nan).astype(kind)
            made = np.empty(np.broadcast_shapes(value.shape, np.shape(where)), kind)
            given = made if target is None else target
            np.copyto(given, value, casting="same_kind", where=where)
            results.append(made[()] if target is None else target)
        return results[0], results[1]
