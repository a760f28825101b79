"""The kernel of a network as a chain of named values, one layer after the other."""

from __future__ import annotations

from re import search

from sympy import Expr, Integer, Symbol

from .. import symbols
from ..errors import BadSpec
from ..network import parse_spec, recurse
from ..symbols import bias_var, q11, q12, q22, t12, weight_var

_DEEPEST = 100

Lets = tuple[tuple[Symbol, Expr], ...]


def network_chain(spec: str, which: str, rhs: Expr) -> tuple[Lets, Expr, str]:
    """(lets, value, LaTeX) of Sigma12 or Theta12 after the last layer.

    Inputs are given by q11 = |x|^2/d, q12 = x.x'/d, q22 = |x'|^2/d.  Where the formula speaks of
    `weight_var` or `bias_var`, these stay symbols in every layer.

    Raises:
        BadSpec: not a network, deeper than 100 layers, or a name where a variance belongs.
        NoClosedForm: an activation without a closed form.
    """
    if named := search(r"\b((?:weight|bias)_var)\s*=\s*([^\W\d]\w*)", spec):
        key, value = named.groups()
        raise BadSpec(
            f"{key} = {value}: a number belongs there",
            where=spec,
            hint=f"no {key}, and {key} or s{key[0]}2 in the formula: then it is a symbol",
        )
    network = parse_spec(spec)
    if network.depth > _DEEPEST:
        raise BadSpec(f"a claim about depth {network.depth}", hint=f"at most {_DEEPEST}")
    recursion = recurse(network)
    open_symbols = {s for s in (weight_var, bias_var) if s in rhs.free_symbols}
    lets: list[tuple[Symbol, Expr]] = []

    def name(value: Expr, label: str) -> Expr:
        if value.is_Symbol or value.is_Rational:
            return value
        symbol = Symbol(label, real=True)
        lets.append((symbol, value))
        return symbol

    one = {Symbol("d", positive=True): Integer(1), **_dimension(recursion.input_rule.nngp)}
    first = recursion.input_rule
    values = {s: e for s, e in first.values if s not in open_symbols}
    k12, theta = (e.subs({**values, **one}) for e in (first.nngp, first.ntk))
    own = first.nngp_diag.subs({**values, **one})
    state = [own.xreplace({symbols.q: q11}), k12, own.xreplace({symbols.q: q22}), theta]
    for number, rule in enumerate(recursion.layers):
        labels = (f"K11_{number}", f"K12_{number}", f"K22_{number}", f"T12_{number}")
        k11, k12, k22, theta = (name(e, label) for e, label in zip(state, labels, strict=True))
        values = {s: e for s, e in rule.values if s not in open_symbols}
        at = {q11: k11, q12: k12, q22: k22, t12: theta}
        diag = rule.nngp_diag.subs(values)
        state = [
            diag.xreplace({symbols.q: k11}),
            rule.nngp.subs(values).xreplace(at),
            diag.xreplace({symbols.q: k22}),
            rule.ntk.subs(values).xreplace(at),
        ]
    letter = r"\Theta" if which == "ntk" else r"\Sigma"
    value = state[3] if which == "ntk" else state[1]
    return tuple(lets), value, rf"{letter}^{{({len(recursion.layers)})}}(x, x')"


def _dimension(expr: Expr) -> dict[Symbol, Expr]:
    return {s: Integer(1) for s in expr.free_symbols if s.name == "d"}
