"""Text to SymPy: `parse` and `parse_number`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Expr, Rational, Symbol

from ..errors import BadActivation, ParseError
from .build import Builder, check_calls, implied
from .measure import measure
from .names import assumption, fault, variable
from .parser import read_tree
from .spelling import euler
from .table import known_names


def parse(
    text: str,
    *,
    variables: Sequence[str] = ("x",),
    params: Mapping[str, str | Symbol] | None = None,
    open_names: bool = True,
    formula: bool | None = None,
) -> Expr:
    """The expression that `text` says.  Nothing is ever evaluated as code.

    Args:
        text: a formula in the language: numbers (decimals are exact), `+ - * / ** ^`, brackets,
            `pi`, `E`, and the functions of `table` with SymPy's spellings.
        variables: the names of the variables; those of `ntksym.symbols` are its symbols.
        params: parameter names with an assumption word (or a symbol) each.
        open_names: whether a name that is not known becomes a real parameter.
        formula: whether functions such as `asin` and `Phi2` are known; by default where the
            variables are not just `x`.

    Raises:
        ParseError: text that is not a formula; `where` has the line, a caret and the column.
        UnknownName: an unknown function, or a name that cannot be a parameter.
        TooLarge: text beyond the bounds of `limits`; nothing was built.
        BadActivation: a part that is not real, or a wrong assumption.
    """
    if formula is None:
        formula = tuple(variables) != ("x",)
    known = {name: variable(name) for name in variables}
    tree = euler(read_tree(text), params or {}, known)
    check_calls(text, tree, formula)
    measure(text, tree)
    declared = {name: _declared(name, value, known) for name, value in (params or {}).items()}
    builder = Builder(text, known, implied(tree) | declared, formula, open_names)
    found = builder.finite(tree)
    if not isinstance(found, Expr):
        raise AssertionError("the builder makes expressions")
    return found


def parse_number(text: str) -> Rational:
    """The rational number that `text` says: `0.1`, `1e-3`, `-2/3`, `3*2**-4`.

    Raises:
        ParseError: text that is not a rational number.
        TooLarge: text beyond the bounds of `limits`.
    """
    try:
        found = parse(text, variables=(), open_names=False)
    except BadActivation as error:
        raise ParseError(error.what, where=error.where) from None
    if not isinstance(found, Rational):
        raise ParseError(
            "a rational number is needed", where=" ".join(text.split()), hint="0.1, 1e-3 or 2/3"
        )
    return found


def _declared(name: str, value: str | Symbol, known: Mapping[str, Symbol]) -> Symbol:
    why = fault(name) or ("is the variable" if name in known else "")
    if not why and name in known_names(True):
        why = "is a function"
    if why:
        raise BadActivation(f"the parameter {name!r} {why}", hint="another name")
    return value if isinstance(value, Symbol) else assumption(name, value)
