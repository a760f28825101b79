"""Which way a network or a dual becomes code: as closed forms, or as units."""

from __future__ import annotations

from typing import Any

from sympy import Expr, I

from ...activation import Activation
from ...dual import Dual
from ...numeric.choice import Choice
from ...numeric.choose import choose
from ...numeric.expected import ExpectedDual
from ...numeric.mixture import MixtureDual
from ..later import is_spec


def needs_numeric(net: Any, method: str = "auto", variances: Any = None) -> bool:
    """Whether what `ntksym.compile` was given is for `compile_any`.

    True where a dual is not a closed form or is not to be one, and for the text of a network.
    """
    if isinstance(net, Dual):
        return False
    if is_spec(net) or method not in ("auto", "exact", "nngp") or variances is not None:
        return True
    if hasattr(net, "value") and hasattr(net, "diag_dot"):
        return True
    if isinstance(net, (str, Expr, Activation)):
        return method != "exact" and not isinstance(choose(net, code=True).dual, Dual)
    if callable(net) and not hasattr(net, "blocks") and not hasattr(net, "network"):
        return True
    return has_units(getattr(net, "network", net), method)


def has_units(network: Any, method: str = "auto") -> bool:
    """Whether a layer of a network has no closed form that code is made of."""
    blocks = dict.fromkeys(n for n, _ in getattr(network, "blocks", ()))
    return any(_is_unit(n, method) for n in blocks)


def _is_unit(n: Any, method: str) -> bool:
    forms = n.forms()
    if isinstance(forms, Dual):  # one that no backend spells is as if there were none
        return n.dual is None and method != "exact" and not is_spelled(forms)
    return _is_dual(forms)


def is_spelled(dual: Any) -> bool:
    """Whether code can be made of a closed form: not of Phi or Phi2 of complex arguments."""
    return not (isinstance(dual, Dual) and dual.value.has(I))


def chosen_unit(
    activation: Any, *, method: str = "auto", error: float | None = None, variances: Any = None
) -> Choice:
    """The choice that a ufunc is made of: what is there for all variances comes before a table.

    Raises:
        BadSpec, NoClosedForm, BadActivation, Undecided: as `ntksym.choose`.
    """
    from .rule_store import kept  # with what it needs of tables

    asked: dict[str, Any] = {"method": method, "error": error, "variances": variances}
    found = choose(activation, **asked, code=method != "auto", build=kept)
    if method == "auto" and not is_spelled(found.dual):
        return choose(activation, **asked, code=True, build=kept)
    return found


def _is_dual(forms: Any) -> bool:
    """Whether it can become a unit; closed forms made by hand are for the compiled layers."""
    if isinstance(forms, (MixtureDual, ExpectedDual)):
        return True
    return hasattr(forms, "c_functions") or hasattr(forms, "unit")
