"""`ufunc`: the dual of an activation as a NumPy ufunc, (q11, q12, q22) -> (nngp, derivative).

A real `numpy.ufunc` from compiled C: broadcasting, `out=`, `where=`, both float types; and Dask,
xarray and pandas apply it to what they hold.  Its name is the text it was made from, so that it
pickles as a name: another machine makes it again from that text, which is parsed, never evaluated.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sysconfig
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..backends import SourceFile
from ..errors import BadData, NoCompiler, NoRoom
from ..waiting import told
from .checks import covariances
from .collector import collecting_seldom
from .dask_names import known_to_dask
from .dual_arrays import within
from .engines import load_module
from .library.compiler import shared_library
from .library.objects import compiled_beside
from .library.recipes import read_recipe, recipe_key, write_recipe
from .library.spelled import spelled

MODULE = "ntksym_ufunc"
PREFIX = "dual("
MINUS = "\N{MINUS SIGN}"
"""Dask takes a name for two parts where there is a hyphen in it."""


def ufunc(activation: Any, *, variances: Any = None, **params: float | str) -> Any:
    """The dual of an activation as a NumPy ufunc of (q11, q12, q22), returning (nngp, dot).

    `nngp` is E[s(u)s(v)], `dot` its derivative in q12; of an activation that jumps and has no
    closed form, E[s'(u)s'(v)] with s' off the jumps, and `__doc__` (or the head of `.sources`)
    says so.  Types 'ddd->dd' and 'fff->ff' (computed in double, rounded once).  A negative
    variance or NaN gives NaN; |q12| above sqrt(q11*q22) counts as equal to it.  `.identity` is
    None; the ufunc pickles by name.

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
    given = spelled(sorted(params.items()))
    key = recipe_key("ufunc", spelled(activation), spelled(variances), given)
    name = read_recipe(key)
    if name is None:
        with told(f"ufunc of {activation}", "deriving"), collecting_seldom():
            from .ufunc_fresh import name_of

            name = name_of(activation, variances, params)
        write_recipe(key, name)
    return _named(name)


def __getattr__(name: str) -> Any:
    """The ufunc of a name, made again: this is how a pickle is read."""
    if not (name.startswith(PREFIX) and name.endswith(")")):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _named(name)


@lru_cache(maxsize=256)
def _named(name: str) -> Any:
    key = recipe_key("files of a ufunc", name)
    recipe = read_recipe(key)
    if recipe is not None:
        made = _compiled(name, tuple(SourceFile(*file) for file in recipe))
    else:
        made_of = told(f"ufunc {name}", "generating, compiling")
        with made_of, compiled_beside(keep=True, dtype=None), collecting_seldom():
            from .ufunc_fresh import files_of

            sources = files_of(name)
            made = _compiled(name, sources)
        write_recipe(key, [[s.name, s.text] for s in sources])
    globals()[name] = made  # where pickle looks for it
    if isinstance(made, np.ufunc):
        known_to_dask(name, made)
    return made


def _compiled(name: str, sources: tuple[SourceFile, ...]) -> Any:
    try:
        path = shared_library(sources, extra=header_flags())
        return getattr(load_extension(path), name)
    except (NoCompiler, ImportError) as error:
        what = error.what if isinstance(error, NoCompiler) else str(error)
        how = "install a compiler and Python's headers (python3-dev), or set CC"
        if isinstance(error, NoRoom):
            how = error.hint
        warnings.warn(
            f"ntksym.ufunc: {what}; the slower NumPy version is used. For the speed of C: {how}",
            RuntimeWarning,
            stacklevel=4,
        )
    from .ufunc_fresh import plain_file

    return PlainUfunc(name, plain_file(name))


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
