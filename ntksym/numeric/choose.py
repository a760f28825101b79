"""The dual of an activation by the method that fits: one choice, and the reasons for it.

The order of the automatic choice: a closed form; the normal mixture of the logistic family; for
code with a range of variances a certified table, a Mehler series, a quadrature rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload

from sympy import Basic, Expr, Function, I

from ..activation import Activation
from ..dual import Dual, dual
from ..errors import BadSpec, NoClosedForm, NtksymError, Undecided
from ..symbols import x
from .choice import ONE, Candidate, Choice, cost, is_slow, price, read_variances
from .expected import ExpectedDual, admissible
from .mixture import MixtureDual
from .mixture_build import DEFAULT_ERROR, mixture_dual
from .patience import TooLong
from .rules import NNGP, RULES, Build, Rule, Variances, built, refuse_beyond_doubles
from .soon import CODE_ERROR, LONGEST, SOON, Soon, with_place

if TYPE_CHECKING:
    from .quadrature import QuadratureDual, SampledDual
    from .series.dual import SeriesDual
    from .series.table import SeriesTable
    from .table import TableDual
    from .table.bands.banded import BandedDual
    from .table.dilated.table import DilatedTable
    from .table.dyadic.table import DyadicTable
    from .table.split.kinks import KinkTable
    from .table.split.table import SplitTable

    Formulas = Dual | MixtureDual | ExpectedDual
    Tables = TableDual | BandedDual | SplitTable | KinkTable | DyadicTable | DilatedTable
    AnyDual = Formulas | SeriesDual | SeriesTable | QuadratureDual | SampledDual | Tables

METHODS = ("auto", "exact", "mixture", *RULES, NNGP.name)
_FEW = 16


@overload
def best_dual(
    activation: str | Activation | Expr,
    *,
    mean: bool = ...,
    method: Literal["auto", "exact", "mixture"] = ...,
    error: float | None = ...,
    variances: None = ...,
) -> Formulas: ...


@overload
def best_dual(
    activation: Any,
    *,
    mean: bool = ...,
    method: str = ...,
    error: float | None = ...,
    variances: Any = ...,
) -> AnyDual: ...


def best_dual(
    activation: Any,
    *,
    mean: bool = False,
    method: str = "auto",
    error: float | None = None,
    variances: Any = None,
) -> AnyDual:
    """The dual by the method that `choose` finds: its `dual`.

    Args:
        activation: as `choose` takes it.
        mean: for pre-activations with means; closed forms only.
        method: "auto", or one of `METHODS` for it alone.
        error: relative to sqrt(K(q11) K(q22)); by default that of the method.
        variances: a number, or (low, high), where a rule is to be built.

    Returns:
        A `Dual`, a `MixtureDual` or an `ExpectedDual`; with `variances`, or of a rule that is asked
        for, also the dual of that rule; of a callable a `SampledDual`.

    Raises:
        BadSpec, NoClosedForm, NotSquareIntegrable, BadActivation, Undecided: as `choose`.
    """
    found: AnyDual = choose(
        activation, mean=mean, method=method, error=error, variances=variances, code=False
    ).dual
    return found


def choose(
    activation: Any,
    *,
    mean: bool = False,
    method: str = "auto",
    error: float | None = None,
    variances: Any = None,
    code: bool = False,
    build: Build = built,
) -> Choice:
    """The dual of an activation, and which method it is by and why.

    Args:
        activation: as `ntksym.dual` takes it, or a Python callable without an expression, which is
            sampled: its errors are estimates, and say so.
        mean: for pre-activations with means; closed forms only.
        method: "auto", or one of `METHODS` for it alone; "nngp" is "auto", and where nothing gives
            both duals E[s(u) s(v)] alone, which needs no E[s'(u)^2].
        error: relative to sqrt(K(q11) K(q22)), and for the derivative alike; by default that of
            the method.
        variances: a number, or (low, high): the variances that a rule for code must cover.  Without
            it a rule is not built: the dual is an `ExpectedDual`.
        code: for generated code, where also the time of an entry counts: with one variance a table
            comes before a mixture, and, where an `error` is asked for, before a closed form with
            `Phi2`; for a range only a table that is there already.  A closed form with complex
            numbers in it is none for code.
        build: how a rule is built: `rules.built`, or the same behind a cache; it may have a method
            `known` with the same arguments: whether the dual is there without building it; and one
            `tell`, of a line: what was taken because something better would take long.

    Raises:
        BadSpec: an unknown method, or a parameter without a value where a rule is to be built.
        NoClosedForm: `method` does not apply; the hint says what does.
        NotSquareIntegrable, BadActivation: no dual, by any method.
        Undecided: the error cannot be proven; the message has the best bound reached.
    """
    from ..language import as_activation

    if method not in METHODS:
        raise BadSpec(f"unknown method {method!r}", hint="one of: " + ", ".join(METHODS))
    if error is not None and not (_is_number(error) and 0 < error < 1):
        raise BadSpec(f"error = {error!r}: not between 0 and 1", hint="such as 1e-12")
    span = None if variances is None else read_variances(variances)
    if callable(activation) and not isinstance(activation, (Basic, Activation)):
        return _sampled(activation, mean, method, error, span)
    read = as_activation(activation)
    search = _Search(read, mean, error, span, code, build)
    if method in ("auto", NNGP.name):
        return search.automatic(alone=method == NNGP.name)
    if method in RULES:
        return search.rule(RULES[method])
    return search.exact() if method == "exact" else search.mixture()


@dataclass(frozen=True, slots=True)
class _Search:
    """One request, and the ways to answer it."""

    activation: Activation
    mean: bool
    error: float | None
    variances: Variances | None
    code: bool
    build: Build

    def exact(self) -> Choice:
        """The closed form alone."""
        try:
            found = dual(self.activation, mean=self.mean)
        except NoClosedForm as failed:
            raise _with_hint(failed, failed.tried, self._advice("exact")) from None
        return self._choice(found, "exact", (Candidate("exact", True, "asked for", cost(found)),))

    def mixture(self) -> Choice:
        """The normal mixture alone."""
        self._without_means("mixture")
        try:
            found = self._mixture()
        except NoClosedForm as failed:
            raise _with_hint(failed, failed.tried, self._advice("mixture")) from None
        return self._choice(
            found, "mixture", (Candidate("mixture", True, "asked for", cost(found)),)
        )

    def rule(self, rule: Rule) -> Choice:
        """One rule alone: built where there is a range of variances."""
        self._without_means(rule.name)
        admissible(self.activation)
        found: Any
        if rule.name == "series" and not self.code:
            found, reason = self._series(), "asked for"
        elif self.variances is None:
            found = ExpectedDual(self.activation, rule.name)
            reason = "asked for; " + _NO_RANGE
        else:
            error = self.error or CODE_ERROR
            try:
                found = self.build(rule, self.activation, self.variances, error)
            except (Undecided, NoClosedForm) as failed:
                raise self._refused(failed, rule) from None
            reason = "asked for"
        return self._choice(
            found, rule.name, (Candidate(rule.name, True, reason, price(found, rule.cost)),)
        )

    def _refused(self, failed: Undecided | NoClosedForm, rule: Rule) -> Undecided | NoClosedForm:
        """What a rule said, with the closed form or the mixture first where there is one."""
        advice = self._advice(rule.name)
        if advice not in _FORMULAS:
            return failed
        hint = "; ".join(text for text in (f"{advice}, for all variances", failed.hint) if text)
        return type(failed)(failed.what, where=failed.where, tried=failed.tried, hint=hint)

    def _series(self) -> Any:
        """The series as a formula: with as many terms as the error needs where it has no end."""
        from .series.dual import series_dual

        found = series_dual(self.activation, terms=_FEW)
        if found.exact:
            return found
        self._numbers("series")
        span = self.variances or ONE
        return series_dual(self.activation, error=self.error or CODE_ERROR, variances=span)

    def _numbers(self, method: str) -> None:
        for p in self.activation.params:
            raise BadSpec(
                f"the parameter {p.name!r} has no value",
                where=f"method {method}, s(x) = {self.activation.expr}",
                hint=f"give {p.name} a number: --param {p.name}=1.5, with_params({p.name}=1.5)",
            )

    def automatic(self, alone: bool = False) -> Choice:
        """The first that gives the dual; for code also by the time of an entry.

        With `alone` the value without its derivative where no rule gives both.
        """
        seen: list[Candidate] = []
        found: Any = None
        try:
            found = self._spelled(dual(self.activation, mean=self.mean))
            table = ", with Phi of complex arguments: code is a table" * found.value.has(I)
            method, reason = "exact", f"a closed form, for all variances{table}"
        except NoClosedForm as failed:
            if self.mean:
                raise
            seen.append(Candidate("exact", False, _short(failed)))
            try:
                found = self._mixture()
                method, reason = "mixture", "a finite sum of closed forms, for all variances"
            except NoClosedForm as missed:
                seen.append(Candidate("mixture", False, missed.what))
            except Undecided as missed:
                if self.variances is None:
                    raise
                seen.append(Candidate("mixture", False, with_place(missed)))
        if found is None:
            return self._numeric(seen, alone)
        slow = self.code and self.variances is not None and is_slow(found)
        if method == "exact" and self.error is None:  # a table is less than what there is
            slow = False
        if slow and not self.activation.params:
            fast = self._faster(seen, method, found)
            if fast is not None:
                return fast
        seen.append(Candidate(method, True, reason, cost(found)))
        return self._choice(found, method, tuple(seen))

    def _spelled(self, found: Any) -> Any:
        """The closed form, where code for it is not wanted or can be made.

        Raises:
            NoClosedForm: there are complex numbers in it.
        """
        if self.code and found.value.has(I) and not self.mean:
            raise NoClosedForm("Phi or Phi2 of complex arguments, which no backend spells")
        return found

    def _numeric(self, seen: list[Candidate], alone: bool = False) -> Choice:
        admissible(self.activation)
        if self.variances is None:
            rule = next(iter(RULES.values()))
            found = ExpectedDual(self.activation, rule.name)
            seen.append(Candidate(rule.name, True, _NO_RANGE, rule.cost))
        else:
            refuse_beyond_doubles(self.activation, self.error)
            found, rule = self._soon(seen).first(alone)
        return self._choice(found, rule.name, tuple(seen))

    def _soon(self, seen: list[Candidate]) -> Soon:
        assert self.variances is not None
        return Soon(self.activation, self.variances, self.error, self.build, seen)

    def _faster(self, seen: list[Candidate], method: str, slow: Any) -> Choice | None:
        """A table instead of a closed form or a mixture that takes microseconds.

        A range of variances keeps what is there for all variances unless its table is there too:
        building one takes longer than most Gram matrices.
        """
        rule = RULES["tabulated"]
        error = self.error or CODE_ERROR
        assert self.variances is not None
        soon = self._soon(seen)
        if self.variances[0] < self.variances[1] and not soon.known(rule, error):
            said = f"{error:g}: not built for a range where a {method} serves; asked for, it is"
            seen.append(Candidate(rule.name, False, said, rule.cost))
            return None
        try:
            table = soon.attempt(rule, error, SOON if self.error is None else LONGEST)
        except TooLong:
            table = None
        if table is None:
            return None
        seen.insert(-1, Candidate(method, False, "slower, and the range is known", cost(slow)))
        return self._choice(table, rule.name, tuple(seen))

    def _choice(self, found: Any, method: str, seen: tuple[Candidate, ...]) -> Choice:
        return Choice(self.activation, found, method, seen, self.error, self.variances)

    def _mixture(self) -> MixtureDual:
        return mixture_dual(self.activation, error=self.error or DEFAULT_ERROR)

    def _without_means(self, method: str) -> None:
        if self.mean:
            raise BadSpec(
                f"the method {method!r} is for pre-activations of mean zero",
                hint="the method exact, or no means",
            )

    def _advice(self, method: str) -> str:
        """What would apply instead of `method`."""
        if self.mean:
            return "means are for closed forms only"
        try:
            found = _Search(self.activation, False, None, None, False, built).automatic()
        except NtksymError:
            return ""
        return f"the method {found.method}" if found.method != method else ""


def _sampled(
    function: Any, mean: bool, method: str, error: float | None, span: Variances | None
) -> Choice:
    """A callable: nothing can be proven of it."""
    from .quadrature.sampled import sampled_dual

    if method != "auto" or mean:
        raise BadSpec(
            "a Python callable has no expression: only the method auto, which samples it",
            hint='text such as "x*tanh(x)" or a SymPy expression, for every other method',
        )
    options: dict[str, Any] = {} if error is None else {"error": error}
    if span is not None:
        options["variances"] = (float(span[0]), float(span[1]))
    found = sampled_dual(function, **options)
    named = Activation(found.function.name, Function(found.function.name)(x))
    why = "a Python callable: sampled, not proven"
    taken = Candidate("sampled", True, why, "about a millisecond an entry")
    return Choice(named, found, "sampled", (taken,), error, span)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_FORMULAS = ("the method exact", "the method mixture")
_NO_RANGE = (
    "the first to be tried once the variances are known (--variance LO:HI, or the data at run "
    "time); nothing is built yet"
)


def _short(error: NoClosedForm) -> str:
    """What failed, with the assumption that would help."""
    return error.what + (f"; {error.hint}" if error.hint.startswith("--param") else "")


def _with_hint(error: NoClosedForm, tried: tuple[str, ...], hint: str) -> NoClosedForm:
    both = "; ".join(text for text in (hint, error.hint) if text)
    return NoClosedForm(error.what, where=error.where, tried=tried, hint=both)
