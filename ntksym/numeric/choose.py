"""The dual of an activation by the first method that gives it: exact, then the normal mixture."""

from __future__ import annotations

from typing import Any

from ..dual import Dual, dual
from ..errors import BadSpec, NoClosedForm
from .mixture import DEFAULT_ERROR, MixtureDual, mixture_dual

METHODS = ("auto", "exact", "mixture")


def best_dual(
    activation: Any, *, mean: bool = False, method: str = "auto", error: float = DEFAULT_ERROR
) -> Dual | MixtureDual:
    """The closed form where there is one, else the finite sum of the logistic family.

    Args:
        activation: as `ntksym.dual` takes it.
        mean: for pre-activations with means; closed forms only.
        method: "auto", or one of the methods for it alone.
        error: of the mixture, as in `mixture_dual`.

    Raises:
        BadSpec: an unknown method.
        NoClosedForm: no method applies; the message is that of the exact one, with what the
            mixture misses under `tried`.
    """
    from ..language import as_activation

    if method not in METHODS:
        raise BadSpec(f"unknown method {method!r}", hint="one of: " + ", ".join(METHODS))
    read = as_activation(activation)
    if method == "mixture" and not mean:
        return mixture_dual(read, error=error)
    try:
        return dual(read, mean=mean)
    except NoClosedForm as first:
        if method == "exact" or mean:
            raise
        try:
            return mixture_dual(read, error=error)
        except NoClosedForm as second:
            raise NoClosedForm(
                first.what,
                where=first.where,
                tried=(*first.tried, f"normal mixture: {second.what}"),
                hint=first.hint,
            ) from None
