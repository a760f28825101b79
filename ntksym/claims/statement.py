"""The statement that a claim makes: definition = formula, on a domain, as SymPy expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sympy import Expr, Integer, Pow, Rational, Symbol, true
from sympy.logic.boolalg import Boolean

from ..errors import BadSpec, NoValue, ParseError
from ..language import parse_number, to_text
from ..language.messages import nearest
from ..symbols import q11, q12, q22
from .binding import FAMILY, Binding, bind, rho
from .claim import DERIVATIVES, QUANTITIES, Claim
from .decimals import rounding
from .expectation import Expectation
from .quantities import MEANINGS, Definition
from .scope import Scope

if TYPE_CHECKING:
    from ..latex import Reading

_INDICES = 9
"""Hermite coefficients a_0 ... a_8 are judged where the claim is about all of them."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One equation that a claim says.

    Attributes:
        part: the name of the value, where a claim has several.
        lets: names in `lhs` for parts of the definition, in order of use.
        lhs: the definition, in placeholders of `expectations`, `lets` and the variables.
        expectations: (placeholder, expectation) pairs.
        rhs: the formula.
        conditions: what the variables fulfil, besides their assumptions.
        meaning: the definition in words of the language.
        meaning_latex: the same in LaTeX.
        matrix: the covariance that the claim gives, which is positive definite.
        nonnegative: the formula is a variance, so it is refuted where it is negative.
        rounded: the unit of the last printed place, where the formula is one decimal number.
        tolerance: a relative tolerance, or None.
    """

    part: str
    lets: tuple[tuple[Symbol, Expr], ...]
    lhs: Expr
    expectations: tuple[tuple[Symbol, Expectation], ...]
    rhs: Expr
    conditions: tuple[Boolean, ...]
    meaning: str
    meaning_latex: str
    matrix: tuple[tuple[Expr, ...], ...] = ()
    nonnegative: bool = False
    rounded: Rational | None = None
    tolerance: Rational | None = None

    @property
    def variables(self) -> tuple[Symbol, ...]:
        """Every free variable and parameter, by name."""
        inner = {s for s, _ in self.expectations} | {s for s, _ in self.lets}
        found: set[Symbol] = self.lhs.free_symbols | self.rhs.free_symbols
        for condition in self.conditions:
            found |= condition.free_symbols
        for _, e in self.lets:
            found |= e.free_symbols
        for _, e in self.expectations:
            found |= {s for part in e.law for s in part.free_symbols}
            found |= (e.f.free_symbols | (e.g.free_symbols if e.g is not None else set())) - {_X}
        if found & {q11, q12, q22} and q12 in found:
            found |= {q11, q22} & self._pair_symbols()
        return tuple(sorted(found - inner, key=lambda s: s.name))

    def _pair_symbols(self) -> set[Symbol]:
        return {s for _, e in self.expectations for part in e.law for s in part.free_symbols}

    @property
    def exponents(self) -> frozenset[Symbol]:
        """Parameters that are powers of something that varies, as in `abs(x)**p`."""
        found: set[Symbol] = set()
        for _, e in self.expectations:
            for f in (e.f, e.g):
                for power in () if f is None else f.atoms(Pow):
                    if power.base.has(_X):
                        found |= power.exp.free_symbols - {_X}
        return frozenset(found)

    @property
    def text(self) -> str:
        """The formula in the language."""
        return to_text(self.rhs)

    def fixed(self, values: Mapping[Symbol, Expr]) -> Statement:
        """The statement with values for variables."""
        return replace(
            self,
            lets=tuple((s, e.subs(values)) for s, e in self.lets),
            lhs=self.lhs.subs(values),
            rhs=self.rhs.subs(values),
            expectations=tuple((s, _fixed(e, values)) for s, e in self.expectations),
            conditions=tuple(c.subs(values) for c in self.conditions),
        )


_X = Symbol("x", real=True)


def _fixed(e: Expectation, values: Mapping[Symbol, Expr]) -> Expectation:
    return replace(
        e,
        f=e.f.subs(values),
        g=None if e.g is None else e.g.subs(values),
        law=tuple(part.subs(values) for part in e.law),
    )


class FormulaWithoutValue(NoValue):
    """The formula of a claim has no value anywhere: it is not that of the definition."""


def state(claim: Claim, texts: Mapping[str, str] | None = None) -> tuple[Statement, ...]:
    """The equations that a claim says, one for each named value (and each Hermite index).

    `texts` are the formulas in the language, where they have been read from LaTeX before.

    Raises:
        BadSpec: an unknown quantity, a part that is missing.
        ParseError: text that is not a formula, names that are not bound.
        BadActivation: a function that is not real or not of one variable.
    """
    formulas = formulas_of(claim)[0] if texts is None else dict(texts)
    if claim.quantity == "hermite" and claim.n is None and _mentions_index(formulas):
        out = []
        for n in range(_INDICES):
            out += [
                replace(s, part=f"n={n}" if s.part == "" else f"{s.part}, n={n}")
                for s in (_state(replace(claim, n=n), formulas) if _wanted(claim, n) else ())
            ]
        if not out:
            raise BadSpec(
                "`where` leaves no index n",
                where=claim.where,
                hint=f"a condition that some n below {_INDICES} meets",
            )
        return tuple(out)
    return tuple(_state(claim, formulas))


def _wanted(claim: Claim, n: int) -> bool:
    """Whether `where` lets the index be n."""
    for condition in bind(claim).conditions:
        index = [s for s in condition.symbols if s.name == "n"]
        if index and condition.at({index[0]: Integer(n)}) is False:
            return False
    return True


def _state(claim: Claim, formulas: Mapping[str, str]) -> list[Statement]:
    binding = bind(claim)
    names = dict(binding.names)
    if claim.n is not None:
        names["n"] = Integer(claim.n)
    known = {s: names["n"] for c in binding.conditions for s in c.symbols if s.name == "n"}
    equations = tuple(c.holds.subs(known) for c in binding.conditions if c.holds is not None)
    fixed = {c.symbol: c.value for c in binding.conditions if c.symbol is not None}
    out = []
    for part, text in formulas.items():
        rhs = binding.fix(_read(text, names, part))
        definition: Definition = MEANINGS[claim.quantity](claim, binding, part, rhs)
        domain = (c.subs(fixed) for c in _domain(definition, rhs))
        matrix = _matrix(claim, names)
        conditions = tuple(c for c in (*equations, *domain, *_entries(matrix)) if c is not true)
        out.append(
            Statement(
                part,
                tuple((s, binding.fix(e)) for s, e in definition.lets),
                binding.fix(definition.lhs),
                tuple((s, _bound(e, binding)) for s, e in definition.expectations),
                rhs,
                conditions,
                definition.text,
                definition.latex,
                matrix,
                claim.quantity == "fixed_point",
                rounding(text),
                _tolerance(claim),
            )
        )
    return out


def _matrix(claim: Claim, names: Mapping[str, Expr]) -> tuple[tuple[Expr, ...], ...]:
    scope = Scope(names)
    return tuple(tuple(scope.read(text) for text in row) for _, row in claim.covariance)


def _entries(matrix: tuple[tuple[Expr, ...], ...]) -> Iterator[Boolean]:
    """The conditions on pairs of a positive definite matrix."""
    for i, row in enumerate(matrix):
        for j in range(i):
            yield row[j] ** 2 < row[i] * matrix[j][j]


def _tolerance(claim: Claim) -> Rational | None:
    if not claim.tolerance:
        return None
    found = parse_number(claim.tolerance)
    if not 0 < found < 1:
        raise BadSpec(f"tolerance = {claim.tolerance[:40]}", hint="between 0 and 1, as in 1e-3")
    return found


def _read(text: str, names: Mapping[str, Expr], part: str) -> Expr:
    try:
        return Scope(names, {"_": lambda e: e}).read(text)
    except NoValue as error:
        raise FormulaWithoutValue(error.what, where=error.where, hint=error.hint) from None
    except ParseError as error:
        if part:
            error.what = f"{part}: {error.what}"
        raise


def _bound(e: Expectation, binding: Binding) -> Expectation:
    return replace(
        e,
        f=binding.fix(e.f),
        g=None if e.g is None else binding.fix(e.g),
        law=tuple(binding.fix(part) for part in e.law),
    )


def _domain(definition: Definition, rhs: Expr) -> tuple[Boolean, ...]:
    """The correlations that occur are less than one in size."""
    found = rhs.free_symbols | definition.lhs.free_symbols
    for _, e in definition.expectations:
        for part in e.law:
            found |= part.free_symbols
    conditions: list[Boolean] = []
    if q12 in found:
        conditions.append(q12**2 < q11 * q22)
    if rho in found:
        conditions.append(rho**2 < 1)
    return tuple(conditions)


_ONLY_FOR = {
    "network": ("ntk", "recursion"),
    "by": ("gradient",),
    "definition": ("constant", "identity"),
    "covariance": ("constant", "identity"),
}
"""Parts of a claim, and the quantities that use them."""


def check_shape(claim: Claim) -> None:
    """Refuse a claim that lacks a part its quantity needs.

    Raises:
        BadSpec: what is missing, and an example.
    """
    if claim.quantity not in QUANTITIES:
        if claim.quantity:
            close = nearest(claim.quantity, QUANTITIES)
            what, hint = f"unknown quantity {claim.quantity[:60]!r}", ""
            hint = f"did you mean {close}? " if close else ""
        else:
            what = "the claim has no quantity: what is the formula of?"
            hint = "nngp for E[s(u)s(v)], derivative for E[s'(u)s'(v)], diagonal for E[s(u)^2]; "
        raise BadSpec(what, hint=f"{hint}one of: {', '.join(QUANTITIES)}")
    if bool(claim.formula) == bool(claim.latex):
        raise BadSpec(
            "a claim has a formula, or latex: one of them", hint='formula = "...", or latex = "..."'
        )
    if claim.derivative and claim.derivative not in DERIVATIVES:
        raise BadSpec(
            f"unknown derivative {claim.derivative[:60]!r}", hint=" or ".join(DERIVATIVES)
        )
    for key, quantities in _ONLY_FOR.items():
        # A part that is not used would be a condition that the verdict does not have.
        if getattr(claim, key) and claim.quantity not in quantities:
            more = "; activation, and where = 'weight_var = 2'" if key == "network" else ""
            raise BadSpec(
                f"a claim of quantity {claim.quantity} has no {key}",
                hint=f"{key} is for {', '.join(quantities)}{more}",
            )
    if claim.quantity in ("constant", "identity"):
        if not claim.definition:
            raise BadSpec(
                f"a claim of quantity {claim.quantity} needs a definition",
                hint='definition = "1/sqrt(E[s(z)^2])"',
            )
    elif claim.quantity in ("ntk", "recursion"):
        if not claim.network:
            raise BadSpec(
                f"a claim of quantity {claim.quantity} needs a network",
                hint='network = "mlp:relu:depth=2,weight_var=2"',
            )
    elif not (claim.activation or claim.f):
        raise BadSpec(
            f"a claim of quantity {claim.quantity} needs an activation",
            hint='activation = "max(x, 0)"',
        )


def formulas_of(claim: Claim) -> tuple[dict[str, str], tuple[str, ...]]:
    """The formulas of a claim in the language, by name, and how LaTeX was read.

    Raises:
        BadSpec: a part that the quantity needs is missing.
        ParseError: LaTeX that cannot be read.
    """
    check_shape(claim)
    if claim.latex:
        given = claim.latex if isinstance(claim.latex, dict) else {"": claim.latex}
        readings = {part: _reading(claim, text) for part, text in given.items()}
        notes = tuple(dict.fromkeys(note for r in readings.values() for note in r.notes))
        return {part: r.text for part, r in readings.items()}, notes
    source = claim.formula
    return (dict(source) if isinstance(source, dict) else {"": source}), ()


_ARGUMENT = re.compile(r".*\(\s*(\\?[A-Za-z]+)\s*\)", re.DOTALL)
_VARIABLE = {"diagonal": "q"} | dict.fromkeys(
    ("normalised", "nngp", "derivative", "covariance", "cross", "gradient"), "rho"
)
"""The one variable that a formula of a quantity has: of two pre-activations, the correlation."""


def _reading(claim: Claim, text: str) -> Reading:
    r"""LaTeX of a claim; the argument on the left, $\kappa_1(u) = \dots$, is the variable."""
    from ..latex import name_for, read_equation

    own = {n: name_for(n) for n in (*claim.params, *claim.names)}
    layered = claim.quantity not in ("ntk", "recursion")
    variable = _VARIABLE.get(claim.quantity, "")
    head = _ARGUMENT.fullmatch(text.partition("=")[0].strip(" $\n:&")) if variable else None
    letter = head[1] if head else ""
    if not letter or name_for(letter) in FAMILY[claim.quantity]() or letter in own:
        return read_equation(text, names=own, layered=layered)[1]
    _, found = read_equation(text, names={**own, letter: variable}, layered=layered)
    note = f"{letter} is read as {variable}: the argument on the left-hand side"
    return replace(found, notes=(*found.notes, note))


def _mentions_index(formulas: Mapping[str, str]) -> bool:
    from .scope import free_names

    return any("n" in free_names(text) for text in formulas.values())
