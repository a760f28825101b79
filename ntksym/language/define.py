"""Activations from text, SymPy expressions and catalogue names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import sympy
from sympy import Basic, DiracDelta, Expr, Float, Rational, Symbol
from sympy.core.function import AppliedUndef

from .. import activations
from ..activation import Activation
from ..errors import BadActivation, NtksymError, UnknownName
from ..functions import Phi
from ..symbols import x
from .elsewhere import instead
from .heads import without_head
from .inverse import elementary
from .messages import nearest, short
from .names import assumption, fault, variable
from .read import parse
from .real import infinite_on, not_real_at
from .table import ALIASES, canonical, known_names
from .write import to_text

_FOREIGN = (
    AppliedUndef,
    sympy.Integral,
    sympy.Derivative,
    sympy.Subs,
    sympy.Sum,
    sympy.Product,
    sympy.Limit,
    DiracDelta,
    sympy.ITE,
    sympy.floor,
    sympy.ceiling,
    sympy.frac,
    sympy.Mod,
)

_SPELLED: dict[type[Basic], Callable[[Expr], Expr]] = {
    sympy.sinc: lambda z: sympy.sin(z) / z,
    sympy.sech: lambda z: 1 / sympy.cosh(z),
    sympy.csch: lambda z: 1 / sympy.sinh(z),
    sympy.coth: lambda z: sympy.cosh(z) / sympy.sinh(z),
    sympy.sec: lambda z: 1 / sympy.cos(z),
    sympy.csc: lambda z: 1 / sympy.sin(z),
    sympy.cot: lambda z: sympy.cos(z) / sympy.sin(z),
    sympy.asec: lambda z: sympy.acos(1 / z),
    sympy.acsc: lambda z: sympy.asin(1 / z),
    sympy.acoth: lambda z: sympy.atanh(1 / z),
    sympy.acot: lambda z: sympy.sign(z) * sympy.pi / 2 - sympy.atan(z),  # SymPy's is odd
}
"""Functions of SymPy in terms of those of the language."""

_OWN = frozenset(
    getattr(sympy, name)
    for name in (
        "Abs sign Heaviside Piecewise exp log sin cos tan sinh cosh tanh asin acos atan asinh acosh"
        " atanh erf erfc"
    ).split()
) | {Phi}
"""Those that an activation may have of x; of parameters and numbers it may have others."""


def parse_activation(
    text: str,
    params: Mapping[str, str] | None = None,
    name: str = "",
    *,
    values: Mapping[str, Expr] | None = None,
) -> Activation:
    """The activation that `text` says, with `x` for the input (or `lambda z:`, `f(z) =` before it).

    Every other name is a real parameter; `params` gives assumptions, such as
    `{"alpha": "positive"}`, and `values` puts numbers in.  A parameter under a root or a logarithm
    that is real for one sign of it only has that sign; numbers are put in before that is asked.
    Text that is exactly a catalogue name is that entry.  The name of the activation is `name`, or
    the text.

    Raises:
        ParseError, UnknownName, TooLarge: as `parse`; text that is one unknown name.
        BadActivation: not a real function; an assumption or a value for a parameter that does not
            occur; a name that nothing is said of, where `x` does not occur.
    """
    given = dict(params or {})
    numbers = dict(values or {})
    if isinstance(text, str):
        stripped = text.strip()
        entry = canonical(stripped)
        if entry in activations.names():
            found = _assume(activations.named(entry), given, name)
            return found.with_params(**numbers) if numbers else found
    formula, letter = without_head(text) if isinstance(text, str) else (text, "x")
    expr = parse(formula, variables=(letter,), params=given, formula=False)
    if letter != "x":
        expr = _in_x(expr, letter)
    if isinstance(expr, Symbol) and expr != x and expr.name not in given:
        raise _unknown(expr.name)
    typed = formula.isascii() and letter == "x"
    label = name or (" ".join(formula.split()) if typed else to_text(expr))
    undeclared = [s for s in expr.free_symbols if s.name not in {*given, *numbers}]
    if undeclared and x not in undeclared:
        # `elu(t)` brings alpha, with its sign: nobody wrote that for x
        plain = [s for s in undeclared if s.is_positive is None] or undeclared
        raise _no_input(label, sorted(s.name for s in plain))
    act = Activation(label, expr)
    return _checked(act.with_params(**numbers) if numbers else act, given)


def _in_x(expr: Expr, letter: str) -> Expr:
    """The expression with x for the letter that its head says is the input."""
    if x in expr.free_symbols:
        raise BadActivation(
            f"the input is {letter}, and x occurs too", hint="x for the input, or another parameter"
        )
    return expr.xreplace({variable(letter): x})


def _unknown(name: str) -> UnknownName:
    """A bare name that is neither the input nor an entry: most likely a misspelt entry."""
    close = nearest(name, [*ALIASES, *activations.names()])
    hint = f"did you mean {close}?" if close else "an expression in x, or a name of the catalogue"
    hint = instead(name) or hint
    return UnknownName(
        f"there is no activation {short(name)}",
        hint=f"{hint}  (for a constant, declare the parameter: {name}=real)",
    )


def _no_input(label: str, names: list[str]) -> BadActivation:
    """A formula of another letter than `x`: as a constant it would be right, and of no use."""
    one = names[0] if len(names) == 1 else "one of " + ", ".join(names)
    return BadActivation(
        f"{label if len(label) <= 80 else label[:77] + '...'} does not depend on the input x",
        hint=f"x in place of {one}  (for a constant, declare the parameter: {names[0]}=real)",
    )


def as_activation(
    obj: str | Expr | Activation, params: Mapping[str, str] | None = None
) -> Activation:
    """The activation that `obj` means: text, a SymPy expression, or an `Activation` itself.

    In an expression the only symbol is the input, whatever its name; among several it is the one
    named `x`, and the others are parameters.  Floats mean the decimals that they print as.

    Raises:
        ParseError, UnknownName, TooLarge: text that cannot be read.
        BadActivation: not a real function of one variable, or an object of another type.
    """
    given = dict(params or {})
    if isinstance(obj, Activation):
        return _assume(obj, given, "")
    if isinstance(obj, str):
        return parse_activation(obj, given)
    if isinstance(obj, Expr):
        return _from_expr(obj, given)
    hint = 'text such as "max(x, 0)", a SymPy expression in x, or an Activation'
    if callable(obj):
        hint += "; sampled_dual takes a Python callable, without a proof"
    raise BadActivation(f"an object of type {type(obj).__name__} is not an activation", hint=hint)


def _from_expr(expr: Expr, given: dict[str, str]) -> Activation:
    _refuse([part for part in sympy.preorder_traversal(expr) if isinstance(part, _FOREIGN)])
    for head, spelled in _SPELLED.items():
        expr = expr.replace(head, spelled)
    symbols = sorted(expr.free_symbols, key=lambda s: (str(s), sympy.default_sort_key(s)))
    names = [str(s) for s in symbols]
    for one in names:
        if names.count(one) > 1:
            raise BadActivation(
                f"two different symbols are named {one!r}",
                hint="one symbol, made once: Symbol with the same assumptions is the same symbol",
            )
    chosen = symbols if len(symbols) == 1 else [s for s in symbols if str(s) == "x"]
    if symbols and not chosen:
        raise BadActivation(
            f"a function of {len(symbols)} variables: {', '.join(names)}",
            hint="name the input x; every other symbol is then a parameter",
        )
    mapping: dict[Basic, Basic] = {f: Rational(str(f)) for f in expr.atoms(Float)}
    for s in symbols:
        mapping[s] = x if s in chosen else _parameter(s, given)
    found = expr.xreplace(mapping)
    of_x = (part for part in found.atoms(sympy.Function) if part.has(x))
    _refuse([part for part in of_x if type(part) not in _OWN])
    return _checked(Activation(str(found), found), given)


def _refuse(foreign: list[Basic]) -> None:
    """Refuse an expression for the longest of its parts that the language does not have."""
    if not foreign:
        return
    part = min(foreign, key=lambda p: (-len(str(p)), sympy.default_sort_key(p)))
    name = part.func.__name__
    raise BadActivation(
        f"{name} is not a function of the language",
        where=str(part)[:200],
        hint=instead(name)
        or "an expression in elementary functions, erf, Max, Abs, Heaviside, Piecewise; or"
        " sampled_dual, with a Python callable",
    )


def _parameter(symbol: Basic, given: Mapping[str, str]) -> Symbol:
    """The parameter again, real, under a name that can be written into code."""
    name = str(symbol)
    if not isinstance(symbol, Symbol) or fault(name) or name in known_names(True):
        why = fault(name) or "is a function"
        raise BadActivation(f"the parameter {name[:80]!r} {why}", hint="another name")
    if name in given:
        return assumption(name, given[name])
    if symbol.is_extended_real is False:
        raise BadActivation(f"the parameter {name!r} is not real", hint=f"Symbol({name!r})")
    original = {k: v for k, v in symbol.assumptions0.items() if v is not None}
    original.pop("commutative", None)
    return symbol if symbol.is_extended_real else Symbol(name, **original, real=True)


def _assume(act: Activation, given: Mapping[str, str], name: str) -> Activation:
    """The activation with other assumptions on its parameters."""
    if not given and not name:
        return act
    mapping = {p: assumption(p.name, given[p.name]) for p in act.params if p.name in given}
    expr = act.expr.xreplace(mapping) if mapping else act.expr
    return _checked(Activation(name or act.name, expr, act.title, act.refs), given)


def _checked(act: Activation, given: Mapping[str, str]) -> Activation:
    """`act`, where it is real as far as a search can tell and every assumption has a use."""
    names = [p.name for p in act.params]
    for name in given:
        if name not in names:
            raise BadActivation(
                f"{act.name} has no parameter {name!r}",
                hint="its parameters: " + (", ".join(names) or "none"),
            )
    if act.expr.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan):
        raise BadActivation(f"{act.name} is not finite")
    if act.expr.is_extended_real is False:
        raise BadActivation(f"{act.name} is not real", hint="a real function of x")
    if found := not_real_at(act.expr, x, act.params):
        real = _made_real(act, found, given)
        if real is None:
            raise _not_real(act, *found)
        act = real
    if infinite := infinite_on(act.expr, x, act.params):
        at, part = infinite
        raise BadActivation(
            f"{act.name} is infinite, or undefined, not only at single points",
            where=f"{part} around x = {at:g}",
            hint="step(x)*abs(x)^p for a power that is 0 on one side, or `... if x > 0 else 0`",
        )
    return replace(act, expr=elementary(act.expr))


def _made_real(
    act: Activation, found: tuple[dict[str, float], Basic], given: Mapping[str, str]
) -> Activation | None:
    """The activation with signs for undeclared parameters, if these make it real.

    `sqrt(2*g)` says that g is positive as clearly as an assumption would, and so does
    `sqrt(x^2 + g)`; but `e^x` says that the number was meant.
    """
    next_: tuple[dict[str, float], Basic] | None = found
    while next_ is not None:
        part = next_[1]
        if part.is_Pow and part.args[1].has(x):
            return None
        open_ones = [
            p
            for p in act.params
            if p in part.free_symbols
            and p.name not in given
            and p.is_positive is None
            and p.is_negative is None
        ]
        for word in ("positive", "negative") if open_ones else ():
            mapping = {p: assumption(p.name, word) for p in open_ones}
            tried = Activation(act.name, act.expr.xreplace(mapping), act.title, act.refs)
            next_ = not_real_at(tried.expr, x, tried.params)
            if next_ is None or next_[1] != part.xreplace(mapping):
                break
        else:
            return None
        act = tried
    return act


def _not_real(act: Activation, point: dict[str, float], part: Basic) -> NtksymError:
    used = {n: v for n, v in point.items() if n in {str(s) for s in part.free_symbols}}
    at = ", ".join(f"{n} = {v:g}" for n, v in used.items())
    hint = "abs(x) or max(x, 0) inside roots, logarithms and powers"
    if (inverse := str(part.func)) in ("asin", "acos", "atanh"):
        hint = f"an argument between -1 and 1, such as {inverse}(tanh(x)/2)"
    elif inverse == "acosh":
        hint = "an argument of 1 or more, such as acosh(1 + x^2)"
    if "e" in used:
        hint = "exp(x) for e^x: the number is E"
    elif names := sorted(set(used) - {"x"}):
        hint = f"an assumption, such as {names[0]}=positive"
    return BadActivation(
        f"{act.name} is not real",
        where=f"{part}" + (f" at {at}" if at else ""),
        hint=hint,
    )
