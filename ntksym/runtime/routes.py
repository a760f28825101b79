"""Which way a network or a dual becomes code: as closed forms, or as units."""

from __future__ import annotations

from typing import Any

from sympy import Expr

from ..activation import Activation
from ..dual import Dual
from ..numeric import ExpectedDual, MixtureDual, choose
from .later import is_spec


def needs_numeric(net: Any, method: str = "auto", variances: Any = None) -> bool:
    """Whether what `ntksym.compile` was given is for `compile_any`.

    True where a dual is not a closed form or is not to be one, and for the text of a network.
    """
    if isinstance(net, Dual):
        return False
    if is_spec(net) or method not in ("auto", "exact") or variances is not None:
        return True
    if hasattr(net, "value") and hasattr(net, "diag_dot"):
        return True
    if isinstance(net, (str, Expr, Activation)):
        return method != "exact" and not isinstance(choose(net).dual, Dual)
    if callable(net) and not hasattr(net, "blocks") and not hasattr(net, "network"):
        return True
    found = getattr(net, "network", net)
    blocks = dict.fromkeys(n for n, _ in getattr(found, "blocks", ()))
    return any(not isinstance(n.forms(), Dual) and _is_dual(n.forms()) for n in blocks)


def _is_dual(forms: Any) -> bool:
    """Whether it can become a unit; closed forms made by hand are for the compiled layers."""
    if isinstance(forms, (MixtureDual, ExpectedDual)):
        return True
    return hasattr(forms, "c_functions") or hasattr(forms, "unit")
