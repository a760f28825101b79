"""What the names of a claim stand for: variables of the quantity, parameters, conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sympy import Expr, Integer, Symbol, acos, false, sqrt, true
from sympy.logic.boolalg import Boolean

from ..activation import Activation
from ..errors import BadSpec, UnknownName
from ..language import as_activation
from ..language.names import ASSUMPTIONS, assumption
from ..language.table import ALIASES, known_names
from ..latex import name_for
from ..symbols import RESERVED, bias_var, m, m1, m2, q, q11, q12, q22, weight_var, x
from .claim import Claim
from .scope import Scope, free_names

rho = Symbol("rho", real=True)

Names = dict[str, Expr]


def pair_names() -> Names:
    """The names of a quantity of (u, v)."""
    r = q12 / sqrt(q11 * q22)
    return {
        **{n: q11 for n in ("q11", "q1")},
        **{n: q12 for n in ("q12", "c")},
        **{n: q22 for n in ("q22", "q2")},
        "rho": r,
        "theta": acos(r),
        "m1": m1,
        "m2": m2,
    }


def unit_names() -> Names:
    """The names at unit variances: everything is a function of rho."""
    one = Integer(1)
    return {
        **{n: rho for n in ("rho", "c", "q12")},
        **{n: one for n in ("q11", "q22", "q1", "q2", "q")},
        "theta": acos(rho),
    }


def single_names() -> Names:
    """The names of a quantity of one Gaussian variable."""
    return {
        **{n: q for n in ("q", "q11", "q1")},
        **{n: m for n in ("m", "mu", "m1")},
        "sigma": sqrt(q),
    }


def network_names() -> Names:
    """The names of a kernel of a network: those of a pair of inputs, and the variances."""
    return {**pair_names(), **variance_names()}


def variance_names() -> Names:
    """The variances of weights and biases."""
    return {
        **{n: weight_var for n in ("weight_var", "sw2")},
        **{n: bias_var for n in ("bias_var", "sb2")},
    }


FAMILY: dict[str, Callable[[], Names]] = {
    "nngp": pair_names,
    "derivative": pair_names,
    "covariance": pair_names,
    "cross": pair_names,
    "gradient": pair_names,
    "normalised": unit_names,
    "diagonal": single_names,
    "mean": single_names,
    "second_moment": single_names,
    "variance": single_names,
    "hermite": single_names,
    "layer": network_names,
    "ntk": network_names,
    "recursion": network_names,
    "fixed_point": lambda: {**variance_names(), **single_names()},
    "edge_of_chaos": lambda: {**variance_names(), **single_names()},
    "constant": dict,
    "identity": dict,
}

_PHRASES = (
    (r"unit[- ](variances?|norms?( inputs?)?)|normali[sz]ed inputs?", "q11 = 1, q22 = 1"),
    (r"(equal|same) (variances?|norms?)", "q22 = q11"),
)
"""Words that papers use for conditions on the covariance."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One clause of `where`: an equation that fixes a name, or an inequality."""

    text: str
    symbol: Symbol | None
    value: Expr | None
    holds: Boolean | None

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The names that an inequality speaks of."""
        return () if self.holds is None else tuple(sorted(self.holds.free_symbols, key=str))

    def at(self, values: Mapping[Symbol, Expr]) -> bool | None:
        """Whether the inequality holds there; None where that is open."""
        found = None if self.holds is None else self.holds.subs(values)
        return bool(found) if found in (true, false) else None


def clauses(where: str) -> list[str]:
    """The clauses of a `where`, chains of equations taken apart."""
    text = where
    for phrase, meaning in _PHRASES:
        text = re.sub(phrase, meaning, text, flags=re.IGNORECASE)
    return [part.strip() for part in re.split(r",|;|\band\b", text) if part.strip()]


def assumptions_from(where: str) -> dict[str, str]:
    """Assumption words that clauses such as `b < 0` say about names."""
    found = {}
    words = {">": "positive", "<": "negative", ">=": "nonnegative"}
    for clause in clauses(where):
        simple = re.fullmatch(r"([A-Za-z_]\w*)\s*(>=|>|<)\s*0", clause)
        other = re.fullmatch(r"0\s*(<=|<|>)\s*([A-Za-z_]\w*)", clause)
        if simple:
            found[simple[1]] = words[simple[2]]
        elif other:
            found[other[2]] = words[{"<": ">", "<=": ">=", ">": "<"}[other[1]]]
    return found


def read_conditions(claim: Claim, names: Mapping[str, Expr]) -> list[Condition]:
    """The conditions of a claim.

    Raises:
        BadSpec: an equation that does not fix a name.
    """
    scope = Scope(names)
    out = []
    for clause in clauses(claim.where):
        sides = [s for s in re.split(r"(?<![<>=!])=(?!=)", clause)]
        if len(sides) == 1:
            out.append(Condition(clause, None, None, scope.condition(clause)))
            continue
        values = [scope.read(s) for s in sides]
        for left in values[:-1]:
            if left == values[-1]:
                continue
            pairs = [(left, values[-1]), (values[-1], left)]
            fixed = [(a, b) for a, b in pairs if isinstance(a, Symbol) and not b.has(a)]
            if fixed:
                out.append(Condition(clause, *fixed[0], None))
                continue
            found = _solved(left, values[-1])
            if found is None:
                raise BadSpec(
                    "an equation in `where` fixes a name",
                    where=clause,
                    hint="q11 = q22, theta by rho: rho = 1/2",
                )
            out.append(Condition(clause, *found, None))
    return out


def _solved(left: Expr, right: Expr) -> tuple[Symbol, Expr] | None:
    """`rho = 1/2` at general variances: q12 = 1/2 sqrt(q11 q22)."""
    r = q12 / sqrt(q11 * q22)
    if left == r and not right.has(q12):
        return q12, right * sqrt(q11 * q22)
    return None


@dataclass(frozen=True, slots=True)
class Binding:
    """Everything a claim binds.

    Attributes:
        names: variables and parameters.
        activation: s, or None.
        f: the function of u.
        g: the function of v.
        conditions: of `where`.
    """

    names: Names
    activation: Activation | None
    f: Expr | None
    g: Expr | None
    conditions: tuple[Condition, ...]

    def fix(self, expr: Expr) -> Expr:
        """The expression with the equations of `where` put in."""
        for condition in self.conditions:
            if condition.symbol is not None:
                expr = expr.subs(condition.symbol, condition.value)
        return expr


def _family(claim: Claim) -> Names:
    """The names of the quantity; a definition that speaks of u or v has those of a pair."""
    if claim.definition and not claim.covariance:
        words = {n for text in _texts(claim.definition) for n in free_names(text)}
        if words & {"u", "v"}:
            return {n: e for n, e in pair_names().items() if n not in claim.params}
    return FAMILY[claim.quantity]()


def bind(claim: Claim) -> Binding:
    """The names, functions and conditions of a claim.

    Raises:
        NtksymError: text that cannot be read, names that are not bound.
    """
    names = _family(claim)
    given = {**assumptions_from(claim.where), **_plain(claim.params)}
    if claim.quantity == "hermite":
        names["n"] = Symbol("n", integer=True, nonnegative=True)
        given.pop("n", None)
    activation = _activation(claim, given)
    params = {p.name: p for p in activation.params} if activation is not None else {}
    for text in (claim.f, claim.g, *_texts(claim.definition), claim.where):
        for name in _names_of(text, claim):
            if name not in names and name not in params and name not in _INNER:
                params[name] = _parameter(name, given)
    for name in given:
        if name not in params and name not in names:
            params[name] = _parameter(name, given)
    for i, (_, row) in enumerate(claim.covariance):
        for j, text in enumerate(row):
            word = {text.strip(): "positive"} if i == j else {}
            for name in free_names(text):
                if name not in names:
                    params[name] = _parameter(name, {**word, **given})
    params = _positive_roots(claim, params, given)
    names.update(params)
    for new, old in claim.names.items():
        names[name_for(new)] = Scope(names).read(old)
    functions = {n: _function(t, names) for n, t in (("f", claim.f), ("g", claim.g)) if t}
    own = None if activation is None else activation.expr
    conditions = tuple(read_conditions(claim, names))
    return Binding(names, activation, functions.get("f", own), functions.get("g", own), conditions)


def undeclared(claim: Claim) -> tuple[str, ...]:
    """Parameters that nothing says anything about: they are read as real."""
    binding = bind(claim)
    given = {**assumptions_from(claim.where), **claim.params}
    own = binding.activation.params if binding.activation is not None else ()
    symbols = {s for s in binding.names.values() if s.is_Symbol} | set(own)
    free = [s for s in symbols if s.name not in given and s.is_positive is None]
    family = set(FAMILY[claim.quantity]())
    return tuple(
        sorted(s.name for s in free if s.name not in family and not s.is_integer and s != rho)
    )


_INNER = ("u", "v", "z", "x", "pi", "E", "EulerGamma", "oo")


def _plain(params: Mapping[str, str]) -> dict[str, str]:
    for name, word in params.items():
        if word not in ASSUMPTIONS:
            raise BadSpec(
                f"the parameter {name!r} cannot be {word!r}",
                hint=f'one of: {", ".join(ASSUMPTIONS)}; a number is where = "{name} = ..."',
            )
    return dict(params)


def _activation(claim: Claim, given: Mapping[str, str]) -> Activation | None:
    if not claim.activation:
        return None
    entry = as_activation(claim.activation)
    own = {p.name: given[p.name] for p in entry.params if p.name in given}
    return as_activation(claim.activation, own) if own else entry


def _texts(value: str | Mapping[str, str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value.values())


def _names_of(text: str, claim: Claim) -> tuple[str, ...]:
    if not text:
        return ()
    if text is claim.where:
        found: dict[str, None] = {}
        for clause in clauses(text):
            for side in re.split(r"<=|>=|==|!=|<|>|=", clause):
                found.update(dict.fromkeys(free_names(side)))
        return tuple(found)
    known = {*(name for name, _ in claim.covariance)}
    if (ALIASES.get(text.strip(), text.strip())) in known_names(False):
        return ()
    return tuple(n for n in free_names(text) if n not in known and n not in claim.names)


def _parameter(name: str, given: Mapping[str, str]) -> Symbol:
    if name in RESERVED and name not in given:
        fixed = {"q": q, "m": m, "m1": m1, "m2": m2, "q11": q11, "q12": q12, "q22": q22}
        variances = {"weight_var": weight_var, "bias_var": bias_var}
        if name in {**fixed, **variances}:
            return {**fixed, **variances}[name]
    if name in known_names(True):
        raise UnknownName(f"{name} is a function, not a name", hint="another name")
    return assumption(name, given.get(name, "real"))


def _positive_roots(
    claim: Claim, params: dict[str, Symbol], given: Mapping[str, str]
) -> dict[str, Symbol]:
    """Undeclared parameters under a root of the definition are positive there."""
    text = " ".join((*_texts(claim.definition), claim.f, claim.g))
    roots = {
        name
        for name in params
        if name not in given
        and re.search(rf"sqrt\([^()]*\b{name}\b[^()]*\)|\b{name}\s*\*\*\s*\(\d+/2\)", text)
    }
    return {n: assumption(n, "positive") if n in roots else s for n, s in params.items()}


def _function(text: str, names: Names) -> Expr:
    stripped = text.strip()
    if ALIASES.get(stripped, stripped) in known_names(False) and stripped.isidentifier():
        entry = as_activation(stripped)
        return entry.expr.xreplace({p: names[p.name] for p in entry.params if p.name in names})
    return Scope({**names, "x": x}).read(text)


__all__ = ["Binding", "Condition", "bind", "rho"]
