"""An activation from the command line: its text, and assumptions or numbers for parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadActivation, BadSpec, ParseError

if TYPE_CHECKING:
    from sympy import Expr, Symbol

    from ..activation import Activation
    from ..numeric.rules import Rule

_WORDS = ("real", "positive", "negative", "nonnegative", "nonzero")


def read_activation(text: str, params: dict[str, str]) -> Activation:
    """The activation, with assumptions kept and numbers put in.

    Raises:
        ParseError: text that is not a formula.
        BadActivation: a parameter that does not occur.
        BadSpec: a value that is neither an assumption nor a number.
    """
    from ..language import parse_activation

    words = {k: v for k, v in params.items() if v in _WORDS}
    numbers = {k: read_value(k, v) for k, v in params.items() if v not in _WORDS}
    return parse_activation(text, params=words, values=numbers)


def read_value(name: str, text: str) -> Expr:
    """The exact number that `text` says.

    Raises:
        BadSpec: not a number.
    """
    from ..language import parse_number

    try:
        return parse_number(text)
    except ParseError as error:
        raise BadSpec(
            f"--param {name}={text[:40]}: neither a number nor an assumption",
            hint="a number such as 1.5 or 2/3, or one of: " + ", ".join(_WORDS),
        ) from error


def read_with_values(text: str, params: dict[str, str]) -> tuple[Activation, dict[str, Expr]]:
    """The activation with symbolic parameters whose signs are known, and their values.

    The sign of a value is an assumption that the closed form may use; a value of zero is put in,
    and so are all where the function is real for some values only (`sqrt(x^2 + a - b)`).

    Raises:
        BadActivation: a parameter without a value, or a value for none.
        BadSpec, ParseError: as `read_activation`.
    """
    from ..language import as_activation, parse_activation

    values = {name: read_value(name, value) for name, value in params.items()}
    try:
        plain = as_activation(text)
    except BadActivation:
        if not values:
            raise
        act = parse_activation(text, values=values)
        return act, _all_given({p.name: p for p in act.params}, {})
    known = {p.name: p for p in plain.params}
    for name in values:
        if name not in known:
            raise BadActivation(
                f"{plain.name} has no parameter {name!r}",
                hint="its parameters: " + (", ".join(known) or "none"),
            )
    _all_given(known, values)
    for name, value in values.items():
        for word in _WORDS[1:]:
            if getattr(known[name], f"is_{word}") and getattr(value, f"is_{word}") is False:
                if plain.title == "" and not plain.refs:  # an inferred sign, not a declared one
                    return parse_activation(text, values=values), {}
                raise BadActivation(
                    f"{name} = {value}, but {plain.name} needs {name} {word}",
                    hint=f"a {word} number",
                )
    zeros = {name: value for name, value in values.items() if value == 0}
    signs = {
        name: "positive" if value > 0 else "negative"
        for name, value in values.items()
        if value != 0 and known[name].is_positive is None and known[name].is_negative is None
    }
    act = as_activation(text, params=signs) if signs else plain
    if zeros:
        act = act.with_params(**zeros)
    return act, {name: value for name, value in values.items() if name not in zeros}


def _all_given(known: dict[str, Symbol], values: dict[str, Expr]) -> dict[str, Expr]:
    """`values`, where every parameter has one."""
    if missing := [name for name in known if name not in values]:
        raise BadActivation(
            f"the parameter {missing[0]!r} needs a value", hint=f"--param {missing[0]}=1.5"
        )
    return values


def build_rule(rule: Rule, activation: Activation, variances: Any, error: float) -> Any:
    """The dual of a rule, as `runtime.rule_store.kept`, which takes long to import: a closed form
    needs no rule.

    Raises:
        Undecided, BadSpec: as `rules.built`.
    """
    from ..runtime.units.rule_store import kept

    return kept(rule, activation, variances, error)
