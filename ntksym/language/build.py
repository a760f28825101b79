"""Syntax tree to SymPy, by SymPy's constructors and never by its text parser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sympy
from sympy import Add, Expr, Integer, Mul, Piecewise, Pow, Rational, Symbol
from sympy.logic.boolalg import And, Boolean, Or, false, true

from ..errors import BadActivation, NoValue, NtksymError, ParseError, TooLarge, UnknownName
from .elsewhere import instead
from .limits import MAX_CLAUSES
from .messages import caret, nearest, short
from .names import CONSTANTS, fault
from .real import NotReal, approximate
from .syntax import (
    Call,
    Compare,
    Logic,
    Name,
    Negate,
    Node,
    Not,
    Number,
    Pair,
    Power,
    Product,
    Sum,
    Truth,
    children,
)
from .table import canonical, functions, known_names, primitives

_RELATIONS: dict[str, Callable[[Expr, Expr], Boolean]] = {
    "<": sympy.StrictLessThan,
    "<=": sympy.LessThan,
    ">": sympy.StrictGreaterThan,
    ">=": sympy.GreaterThan,
}
_NUMBERS = {"pi": sympy.pi, "E": sympy.E, "EulerGamma": sympy.EulerGamma, "oo": sympy.oo}
_INFINITE = (sympy.oo, -sympy.oo, sympy.zoo, sympy.nan)


def check_calls(text: str, node: Node, formula: bool) -> None:
    """Refuse calls of unknown functions, and calls with a wrong number of arguments.

    Raises:
        UnknownName: a function that is not in the language, or not in activations.
        ParseError: a wrong number of arguments; a comparison outside piecewise.
    """
    if isinstance(node, Call):
        _check_call(text, node, formula)
    for child in children(node):
        check_calls(text, child, formula)


def _hint(name: str, formula: bool) -> str:
    """What may have been meant by the call of an unknown name."""
    if found := instead(name):
        return found
    if len(name) == 1:
        return f"{name}*(...) for a product"
    close = nearest(name, known_names(formula))
    return f"did you mean {close}?" if close else f"{primitives()}, or a name of the catalogue"


def _check_call(text: str, node: Call, formula: bool) -> None:
    name, given, where = canonical(node.name), len(node.arguments), caret(text, node.at)
    if node.name not in known_names(formula):
        if node.name in known_names(True):
            raise UnknownName(
                f"{node.name} is known in claimed formulas only, not in activations",
                where=where,
                hint="ntksym catalogue --functions lists what an activation may use",
            )
        raise UnknownName(
            f"there is no function {short(node.name)}",
            where=where,
            hint=_hint(node.name, formula),
        )
    if name == "piecewise":
        if not given or not all(isinstance(a, Pair) for a in node.arguments):
            raise ParseError(
                f"{node.name} takes pairs of a value and a condition",
                where=where,
                hint="piecewise((x, x > 0), (0, True))",
            )
        return
    if name == "pow":
        least, most, arity, usage = 2, 2, "2 arguments", f"{node.name}(base, exponent)"
    else:
        spec = functions()[name]
        least, most, arity, usage = spec.least, spec.most, spec.arity, spec.usage
        # The catalogue's parameters come together or not at all.
        if spec.defaults and given not in (least, most):
            least, most = given + 1, given
            arity = f"{spec.least} or {spec.most} arguments"
    if not least <= given <= most:
        raise ParseError(f"{node.name} takes {arity}, not {given}", where=where, hint=usage)


def implied(node: Node) -> dict[str, Symbol]:
    """The parameters that calls such as `elu(x)` bring with them, with their assumptions.

    Where two calls bring one name with different assumptions, it is just real.
    """
    found: dict[str, Symbol] = {}
    parts = [implied(child) for child in children(node)]
    if isinstance(node, Call) and (spec := functions().get(canonical(node.name))):
        if len(node.arguments) == 1:
            parts.append({p.name: p for p in spec.defaults})
    for part in parts:
        for name, symbol in part.items():
            same = found.setdefault(name, symbol) == symbol
            found[name] = symbol if same else Symbol(name, real=True)
    return found


@dataclass(frozen=True, slots=True)
class Builder:
    """What names mean while a tree is built.

    Attributes:
        text: the source, for the errors.
        variables: the variables by name.
        params: the declared and implied parameters by name.
        formula: functions of formulas are known, and the reserved names are not special.
        open_names: an unknown name is a real parameter; otherwise it is an error.
        complex_values: parts that are not real are let through (a formula that is checked).
    """

    text: str
    variables: Mapping[str, Symbol]
    params: Mapping[str, Symbol]
    formula: bool
    open_names: bool
    complex_values: bool = False

    def place(self, node: Node) -> str:
        """The source line with a caret at `node`."""
        return caret(self.text, node.at)

    def expr(self, node: Node) -> Expr:
        """The expression of `node`, which must be finite and real where it is a constant."""
        found = self._expr(node)
        if found in _INFINITE and not (isinstance(node, Negate) or isinstance(node, Name)):
            raise ParseError("the value is not a finite number", where=self.place(node))
        if isinstance(node, (Call, Power)) and not found.free_symbols:
            self._check_constant(node, found)
        return found

    def finite(self, node: Node) -> Expr:
        """The expression of an operand of arithmetic, where oo has no place."""
        found = self.expr(node)
        if found in _INFINITE:
            raise ParseError(
                "oo is not a number to calculate with",
                where=self.place(node),
                hint="oo only as an argument of max, min, clip or Phi, or in a condition",
            )
        return found

    def _check_constant(self, node: Node, found: Expr) -> None:
        try:
            approximate(found, {})
        except NotReal:
            if self.complex_values:
                return
            raise BadActivation(
                "the value is not real", where=self.place(node), hint="a real function of x"
            ) from None
        except OverflowError:
            raise TooLarge(
                "a number beyond the range of doubles",
                where=self.place(node),
                hint="numbers up to 1.8e308",
            ) from None

    def _expr(self, node: Node) -> Expr:
        match node:
            case Number(value=value):
                return Rational(value)
            case Name():
                return self.name(node)
            case Negate():
                return -self.expr(node.operand)
            case Sum():
                return Add(*(self._signed(s, t) for s, t in node.terms))
            case Product():
                return Mul(*self._factors(node, 1))
            case Power():
                return self._power(node, node.base, node.exponent)
            case Call():
                return self.call(node)
            case Pair():
                raise ParseError(
                    "a comma makes a pair, which only piecewise takes",
                    where=self.place(node),
                    hint="piecewise((x, x > 0), (0, True)); a decimal point is .",
                )
            case _:
                raise ParseError(
                    "a condition cannot stand here",
                    where=self.place(node),
                    hint="conditions only in piecewise((x, x > 0), (0, True))",
                )

    def _signed(self, sign: int, node: Node) -> Expr:
        found = self.finite(node)
        return found if sign > 0 else -found

    def _factors(self, node: Product, power: int) -> list[Expr]:
        """The factors of `node ** power`, flat.

        SymPy spreads a number over a sum as soon as the two are multiplied alone.  Signs and
        denominators are therefore not multiplied out first: `-(x + 1)*y` and `1/(2*(x + 1))` stay
        as they are written, and what is written by `to_text` reads back.
        """
        found: list[Expr] = []
        for k, (inverse, factor) in enumerate(node.factors):
            if k == 0 and isinstance(factor, Negate):
                found.append(Integer(-1))
                factor = factor.operand
            if inverse < 0 and isinstance(factor, Product):
                found += self._factors(factor, -power)
                continue
            value = self.finite(factor)
            # In x/(a/b) neither a nor b may be zero, although b ends up above the line.
            if value.is_zero and (inverse < 0 or power < 0):
                raise NoValue("division by zero", where=self.place(factor))
            found.append(Pow(value, -1) if power * inverse < 0 else value)
        return found

    def _power(self, node: Node, base: Node, exponent: Node) -> Expr:
        b, e = self.finite(base), self.finite(exponent)
        if b.is_zero and e.is_negative:
            raise NoValue("division by zero", where=self.place(node))
        found = Pow(b, e)
        if found.has(sympy.I) and not self.complex_values:
            raise BadActivation(
                "the value is not real", where=self.place(node), hint="a real function of x"
            )
        return found

    # --- names and calls ----------------------------------------------------------------------

    def name(self, node: Name) -> Expr:
        """The variable, constant or parameter of that name."""
        name, where = node.name, self.place(node)
        if name in self.variables:
            return self.variables[name]
        if name in CONSTANTS:
            if name == "I":
                raise BadActivation(
                    "I, the imaginary unit, is not real",
                    where=where,
                    hint="sin and cos for exp(I*x)",
                )
            return _NUMBERS[name]
        if name in self.params:
            return self.params[name]
        if name in known_names(True):
            raise ParseError(f"{name} is a function", where=where, hint=self._example(name))
        why = fault(name)
        if why:
            raise UnknownName(f"the name {short(name)} {why}", where=where, hint="another name")
        if not self.open_names:
            known = {*self.variables, *self.params, "pi", "E"}
            close = nearest(name, known)
            raise UnknownName(
                f"there is no name {short(name)}",
                where=where,
                hint=f"did you mean {close}?" if close else ", ".join(sorted(known)),
            )
        return Symbol(name, real=True)

    def _example(self, name: str) -> str:
        spec = functions().get(canonical(name))
        if spec is not None and spec.least == spec.most == 1:
            return f"{name}({next(iter(self.variables), '2')})"
        return spec.usage if spec is not None else f"{name}(...)"

    def call(self, node: Call) -> Expr:
        """The function at its arguments."""
        name = canonical(node.name)
        if name == "piecewise":
            return self.piecewise(node)
        if name == "pow":
            return self._power(node, *node.arguments)
        spec = functions()[name]
        arguments: list[object] = [self.expr(a) for a in node.arguments]
        if name in ("Integer", "Rational") and not all(isinstance(a, Integer) for a in arguments):
            raise ParseError(
                f"{node.name} takes whole numbers", where=self.place(node), hint=spec.usage
            )
        if spec.order:
            arguments[0] = int(arguments[0])  # type: ignore[call-overload]
        if spec.defaults and len(arguments) == 1:
            arguments += [self.params.get(p.name, p) for p in spec.defaults]
        if spec.piecewise:
            self._check_condition(node, *(a for a in arguments if isinstance(a, Expr)))
        try:
            found = spec.build(*arguments)
        except NtksymError:
            raise
        except ValueError:
            what, place = f"{node.name} has no real value there", self.place(node)
            raise NoValue(what, where=place, hint=spec.usage) from None
        except (TypeError, OverflowError):  # whether it has one is open
            what, place = f"{node.name} cannot be formed there", self.place(node)
            raise BadActivation(what, where=place, hint=spec.usage) from None
        if found.has(sympy.I) and not self.complex_values:
            raise BadActivation(
                "the value is not real", where=self.place(node), hint="a real function of x"
            )
        if found.has(sympy.zoo, sympy.nan):
            raise NoValue("division by zero", where=self.place(node))
        return found

    # --- conditions ---------------------------------------------------------------------------

    def piecewise(self, node: Call) -> Expr:
        """A piecewise function that says its value everywhere."""
        pieces: list[tuple[Expr, Boolean]] = []
        clauses, covered = 1, false
        for pair in node.arguments:
            if not isinstance(pair, Pair):
                raise AssertionError("check_calls lets only pairs through")
            value, condition = self.finite(pair.value), self.condition(pair.condition)
            # SymPy joins the conditions of neighbours with one value and multiplies them out.
            same = bool(pieces) and pieces[-1][0] == value
            clauses = (clauses if same else 1) * max(1, len(condition.args))
            if clauses > MAX_CLAUSES:
                raise TooLarge(
                    "the conditions of equal neighbouring pieces are too many",
                    where=self.place(pair),
                    hint="one piece with the conditions joined by |",
                )
            covered = Or(covered, condition)
            pieces.append((value, condition))
        if covered is not true:
            raise ParseError(
                f"{node.name} does not say its value everywhere",
                where=self.place(node),
                hint="a last piece with the condition True: (0, True)",
            )
        return Piecewise(*pieces[:-1], (pieces[-1][0], true))

    def condition(self, node: Node) -> Boolean:
        """The condition of a piece."""
        match node:
            case Truth(value=value):
                return true if value else false
            case Not():
                return sympy.Not(self.condition(node.operand))
            case Logic():
                join = And if node.word == "and" else Or
                return join(*(self.condition(c) for c in node.operands))
            case Compare():
                return self.comparison(node)
            case _:
                raise ParseError(
                    "a condition is needed here",
                    where=self.place(node),
                    hint="a comparison such as x > 0, or True",
                )

    def _check_condition(self, node: Node, *sides: Expr) -> None:
        # SymPy folds a Piecewise in a condition into nested ITE, at exponential cost.
        if any(side.has(Piecewise) for side in sides):
            raise ParseError(
                "a condition cannot depend on a piecewise function",
                where=self.place(node),
                hint="max, min, abs or clip inside conditions, or the pieces written out",
            )

    def comparison(self, node: Compare) -> Boolean:
        """All of the comparisons of a chain."""
        found: list[Boolean] = []
        left = self.expr(node.first)
        for op, right_node in node.rest:
            right = self.expr(right_node)
            if op not in _RELATIONS:
                raise ParseError(
                    f"a condition cannot use {op}",
                    where=self.place(node),
                    hint="< <= > >=: single points do not matter to an expectation",
                )
            self._check_condition(node, left, right)
            try:
                found.append(_RELATIONS[op](left, right))
            except TypeError:
                raise BadActivation(
                    "the two sides cannot be compared", where=self.place(node)
                ) from None
            left = right
        return And(*found)
