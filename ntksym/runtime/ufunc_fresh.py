"""What a ufunc is made of where there is no recipe: its name, and the files of its library.

The name is the text that the request can be read from again, by the parser: it is what messages of
NumPy say, and what a pickle stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isfinite
from typing import Any

from ..activation import Activation
from ..activations import named, names
from ..backends import Contract, SourceFile
from ..backends.c import backend as c_backend
from ..backends.c.network import units as c_unit_network
from ..backends.c.ufunc import UfuncSpec, ufunc_file
from ..backends.numpy import unit_network as numpy_unit_network
from ..backends.unit import DualUnit
from ..backends.units import off_jumps, slope_said, unit_of
from ..dual import Dual
from ..errors import BadData, NtksymError
from ..language import as_activation, parse_activation
from ..language.write import to_text
from ..numeric.choice import read_variances
from ..numeric.rules import Variances
from .arguments import read_parameter
from .foreseen import say_orthants
from .ufunc import MINUS, MODULE, PREFIX
from .units.routes import chosen_unit


def name_of(activation: Any, variances: Any, params: Mapping[str, Any]) -> str:
    """The name of what was asked of `ntksym.ufunc`.

    Raises:
        BadSpec, BadData, ParseError, BadActivation: as `ntksym.ufunc`.
    """
    act = as_activation(activation)
    known = {p.name for p in act.params}
    if unknown := sorted(set(params) - known):
        raise BadData(
            f"{act.name} has no parameter {unknown[0]!r}",
            hint="its parameters: " + (", ".join(sorted(known)) or "none"),
        )
    numbers = {key: _number(key, value, act.name) for key, value in params.items()}
    return _spelled(act, numbers, None if variances is None else read_variances(variances))


def _number(key: str, value: Any, of: str) -> float:
    found = read_parameter(key, value, of)
    if not isfinite(found):
        raise BadData(f"{key} = {value!r} is not a number", where=of, hint=f"{key}=0.25")
    return found


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


def files_of(name: str) -> tuple[SourceFile, ...]:
    """The C files of the ufunc of a name.

    Raises:
        AttributeError: it is no such name.
        NoClosedForm, Undecided, BadActivation: as `ntksym.ufunc`.
    """
    act, unit, contract = _made_of(name)
    said = "".join(f"; {text}" for text in contract.computes[1:])
    dual = c_unit_network.dual_file("dual", unit, contract)
    stem = "ntksym_" + dual.name.removesuffix(".c")
    spec = UfuncSpec(stem, name, f"diagonal of {name}", f"s(x) = {to_text(act.expr)}{said}")
    return c_backend.support_file(), dual, ufunc_file(MODULE, (spec,))


def plain_file(name: str) -> SourceFile:
    """The NumPy module of the ufunc of a name, as `files_of`."""
    _, unit, contract = _made_of(name)
    return numpy_unit_network.dual_file("dual", unit, contract)


def _made_of(name: str) -> tuple[Activation, DualUnit, Contract]:
    act, numbers, span = _request(name)
    found = chosen_unit(act, variances=span).dual
    if isinstance(found, Dual):
        say_orthants(found.value)
    unit = unit_of(found, numbers, almost_everywhere=False)
    said = (slope_said(found, act),) if off_jumps(found, act) else ()
    return act, unit, Contract("ntksym.ufunc", (f"E[s(u) s(v)], s(x) = {act.expr}", *said))
