"""ntksym: derive, prove and run the kernels of infinitely wide neural networks.

    import ntksym
    d = ntksym.dual("max(x, 0)")
    d.value, d.dot, d.diag

Every public name loads on first use: importing this package imports nothing but the standard
library.
"""

from __future__ import annotations

import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import activations as activations
    from . import errors as errors
    from . import symbols as symbols
    from .activation import Activation as Activation
    from .activations import catalogue as catalogue
    from .activations import named as named
    from .check import Judgement as Judgement
    from .check.check import check as check  # type: ignore[no-redef]
    from .claims import Claim as Claim
    from .collapse import Collapsed as Collapsed
    from .collapse import collapse as collapse  # type: ignore[no-redef]
    from .dual import Dual as Dual
    from .dual import dual as dual
    from .errors import NtksymError as NtksymError
    from .export.files import export as export
    from .functions import Phi as Phi
    from .functions import Phi2 as Phi2
    from .gradients import dual_gradients as dual_gradients
    from .language import parse as parse
    from .language import parse_activation as parse_activation
    from .large import gram_dask as gram_dask
    from .large import gram_to_zarr as gram_to_zarr
    from .network import Convention as Convention
    from .network import KernelState as KernelState
    from .network import Network as Network
    from .network import Recursion as Recursion
    from .network import mlp as mlp
    from .network import parse_spec as parse_spec
    from .network import recurse as recurse
    from .numeric.choose import best_dual as best_dual
    from .numeric.choose import choose as choose
    from .numeric.quadrature import quadrature_dual as quadrature_dual
    from .numeric.quadrature import sampled_dual as sampled_dual
    from .numeric.series import series_dual as series_dual
    from .numeric.table import table_dual as table_dual
    from .numeric.verdict import prove as prove
    from .runtime.compile import compile as compile
    from .runtime.gradients.network import NetworkGradient as NetworkGradient
    from .runtime.ufunc import ufunc as ufunc
    from .verify.prove import evaluate as evaluate
    from .verify.report import Report as Report
    from .verify.report import Verdict as Verdict

__version__ = "0.1.0"
BEGUN = time.time()
"""When this program loaded the package, in seconds: what was edited later is not what runs."""

_HOMES = {
    "Activation": "activation",
    "Claim": "claims",
    "Collapsed": "collapse",
    "Convention": "network",
    "Dual": "dual",
    "Judgement": "check",
    "KernelState": "network",
    "Network": "network",
    "NetworkGradient": "runtime.gradients.network",
    "NtksymError": "errors",
    "Phi": "functions",
    "Phi2": "functions",
    "Recursion": "network",
    "Report": "verify.report",
    "Verdict": "verify.report",
    "best_dual": "numeric.choose",
    "catalogue": "activations",
    "choose": "numeric.choose",
    "collapse": "collapse",
    "check": "check",
    "compile": "runtime",
    "dual": "dual",
    "dual_gradients": "gradients",
    "evaluate": "verify.prove",
    "export": "export",
    "gram_dask": "large",
    "gram_to_zarr": "large",
    "mlp": "network",
    "named": "activations",
    "parse": "language",
    "parse_activation": "language",
    "parse_spec": "network",
    "prove": "numeric.verdict",
    "quadrature_dual": "numeric.quadrature",
    "recurse": "network",
    "sampled_dual": "numeric.quadrature",
    "series_dual": "numeric.series",
    "table_dual": "numeric.table",
    "ufunc": "runtime.ufunc",
}
_MODULES = ("activations", "errors", "symbols")

__all__ = sorted((*_HOMES, *_MODULES, "__version__"))


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOMES:
        found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name in _MODULES:
        found = import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """The package: where a function and its submodule share a name, the function wins.

    Importing `ntksym.dual` sets the attribute `dual` of the package to the submodule; without
    this, `ntksym.dual(...)` would work or fail by the order of imports.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and _HOMES.get(name) == name:
            hidden, value = value, getattr(value, name)
            vars(hidden)["_function"] = value
            hidden.__class__ = _Hidden
            for key, part in tuple(sys.modules.items()):
                if key.rpartition(".")[0] == hidden.__name__:
                    setattr(value, key.rpartition(".")[2], part)
        super().__setattr__(name, value)


class _Hidden(ModuleType):
    """A package behind a function: the function has its modules as attributes.

    Without this, `import ntksym.export.files as files` would look for `files` in vain.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if isinstance(value, ModuleType):
            setattr(vars(self)["_function"], name, value)


sys.modules[__name__].__class__ = _Package
