r"""A network as units: its layers in numbers, and the range of variances of every layer.

A dense layer is affine in what its nonlinearity gives: $\Sigma' = s_0 + s_1 K$ and
$\Theta' = t_0 + t_1 K + t_2 \dot K\,\Theta$, whatever the convention.  The numbers are those of
`network.affine`.

The ranges: with $\varphi_q$ the normal density of variance q, $\varphi_q \le \sqrt{b/q}\,\varphi_b$
for $q \le b$, so $K(q) = E[s(u)^2]$ on $[a, b]$ lies between $\sqrt{a/b}\,K(a)$ and
$\sqrt{b/a}\,K(b)$, for every activation.  Cut into short intervals these are the bounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import inf
from typing import Any

import numpy as np

from ... import symbols
from ...activation import Activation
from ...backends import Contract
from ...backends.numpy import unit_network as numpy_unit_network
from ...backends.point_unit import TOLERANCE
from ...backends.unit import DualUnit
from ...backends.unit_schedule import UnitSchedule, UnitStep
from ...backends.units import unit_of
from ...dual import Dual
from ...errors import NoClosedForm, Undecided, UnsupportedOp, without_value
from ...lower.kernel import degree_one, lower_input
from ...lower.near import homogeneous, kinked
from ...lower.program import Program
from ...lower.reach import flat_from
from ...lower.schedule import number
from ...network import InputRule, Network
from ...network.affine import Affine, affine_layers
from ...network.layers import Nonlinearity
from ...numeric.choice import Candidate, Choice, is_slow, read_variances
from ...numeric.choose import choose
from ...numeric.expected import ExpectedDual
from ...numeric.mixture import MixtureDual
from ...numeric.patience import at_most
from ...numeric.rules import RULES, seconds_of
from ...numeric.soon import CODE_ERROR, SOON
from ...verify.definition import two_slopes
from ..engines import load_module
from ..later import Range as Range
from ..later import Wanted as Wanted
from .common import CUTS, Step, bounded, common_range
from .rule_store import kept

POINT = TOLERANCE
"""Variances that differ by less than this, relatively, are one: normalised data."""
SLACK = 1e-12
"""By how much a range is widened, relatively: the rounding of the layers before."""

LONGEST_TABLE = 15.0
"""Seconds that a table may take where there is another way."""

AUTO = Wanted()


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule, and why its duals are computed as they are, one choice for each unit."""

    schedule: UnitSchedule
    choices: tuple[Choice, ...]


def needs_range(network: Network, wanted: Wanted) -> bool:
    """Whether a dual of the network becomes code only for a range of variances.

    Raises:
        NoClosedForm: a method that was asked for does not apply.
        BadSpec: a parameter without a value.
    """
    distinct = dict.fromkeys(n for n, _ in network.blocks)
    return any(isinstance(_choice(n, wanted, None).dual, ExpectedDual) for n in distinct)


def plan(
    network: Network, wanted: Wanted = AUTO, variances: Range | None = None, name: str = ""
) -> Plan:
    """The units of a network and the affine rules of its layers, in numbers.

    `variances` is the range of Sigma(x, x) after the input layer; the ranges of the other layers
    follow from it.

    Raises:
        BadSpec: a parameter without a value, or a dual that needs a range and none is given.
        NoClosedForm: a method that was asked for does not apply.
        Undecided: a bound that was asked for cannot be proven.
        UnsupportedOp: a dual that cannot be written as code.
    """
    first, layers = affine_layers(network)
    units: dict[tuple[Nonlinearity, Range | None], int] = {}
    made: list[DualUnit] = []
    choices: list[Choice] = []
    steps: list[UnitStep] = []
    affine = [(x.nonlinearity, *_five(x.diag)[:2]) for x in layers]
    zeros = variances is not None and len(variances) == 3
    span = variances[1:] if variances is not None and zeros else variances
    ae = network.convention.derivative == "almost_everywhere"
    for layer in layers:
        nonlinearity, pair, diag = layer.nonlinearity, _five(layer.pair), _five(layer.diag)
        kind = _known(units, nonlinearity, span)
        if kind is None:
            rest = [] if zeros else affine[len(steps) :]
            choice, held = _shared_choice(nonlinearity, wanted, span, rest)
            free = held is None or not ranged_choice(choice)
            kind = units[nonlinearity, None if free else held] = len(made)
            made.append(_unit(choice, nonlinearity, ae))
            choices.append(choice)
            if zeros and span is not None:
                made[kind] = _with_zero_rows(made[kind], choice, nonlinearity, span)
        vanishes = ranged_choice(choices[kind]) and vanishing(nonlinearity)
        mode = int(_continuous(choices[kind], nonlinearity))
        far = inf if ranged_choice(choices[kind]) else _flat_from(nonlinearity)
        even = straight(choices[kind].dual) or (pair[0] == 0.0 and scales(nonlinearity))
        steps.append(UnitStep(kind, vanishes, pair, diag, mode, even, far))
        if span is not None:
            span = _after(made[kind], span, diag[0], diag[1])
            if zeros:
                other = diag[0] + diag[1] * _square_at_zero(nonlinearity)
                zeros = other == 0.0
                if not zeros:
                    span = min(span[0], other * (1 - SLACK)), max(span[1], other * (1 + SLACK))
    program, given = input_program(first)
    read = False
    for i in range(len(steps) - 1, -1, -1):
        last = i == len(steps) - 1
        steps[i] = replace(steps[i], carried=0 if last else steps[i].carried * (1 + read))
        if not getattr(choices[steps[i].kind].dual, "slopes", True):
            steps[i] = replace(steps[i], carried=0)  # there is no slope to carry a root with
        read = read or kinked(layers[i].nonlinearity.activation)
    schedule = UnitSchedule(name or "network", program, given, tuple(made), tuple(steps))
    return Plan(schedule, tuple(choices))


def vanishing(n: Nonlinearity) -> bool:
    """Whether s(0) = 0."""
    return bool(n.with_numbers().subs(symbols.x, 0) == 0)


def _square_at_zero(n: Nonlinearity) -> float:
    """What a row of zeros has with itself after the nonlinearity."""
    return float(number(n.with_numbers().subs(symbols.x, 0))) ** 2


def _with_zero_rows(unit: DualUnit, choice: Choice, n: Nonlinearity, span: Range) -> DualUnit:
    """The unit for rows of zeros too, where it is for a range that leaves them out.

    Raises:
        Undecided: s or s' has no finite value at 0.
    """
    if not ranged_choice(choice) or vanishing(n):
        return unit
    if choice.method in ("quadrature", "nngp") and not _is_point(span):
        return unit  # takes a variance of zero itself, or says that it does not
    from ...backends.zero_rows import ZeroRowsUnit
    from ...numeric.table.zero import zero_row

    low, high = (span[0], span[0]) if _is_point(span) else (span[0], span[1])
    asked = getattr(choice.dual, "error", None) or 1e-10
    return ZeroRowsUnit(unit, zero_row(n.with_numbers(), low, high, float(asked)))


def straight(found: Any) -> bool:
    """Whether a dual is known to be that of a positively homogeneous activation of degree one."""
    return isinstance(found, Dual) and degree_one(found.value, found.diag) is not None


def scales(n: Nonlinearity) -> bool:
    """Whether the activation is positively homogeneous, of any degree."""
    names = {p.name: p for p in n.activation.params}
    return homogeneous(n.activation, [(names[k], v) for k, v in n.values if k in names])


def _known(
    units: Mapping[tuple[Nonlinearity, Range | None], int], n: Nonlinearity, span: Range | None
) -> int | None:
    """A unit that is there already and is for all variances, or for a range that holds `span`."""
    if (n, None) in units:
        return units[n, None]
    if span is None:
        return None
    for (other, held), kind in units.items():
        if other == n and held is not None and held[0] <= span[0] and span[1] <= held[1]:
            if _is_point(held) == _is_point(span):
                return kind
    return None


def _is_point(span: Range) -> bool:
    return span[1] - span[0] <= POINT * span[1]


def _choice(n: Nonlinearity, wanted: Wanted, span: Range | None) -> Choice:
    """The choice for a nonlinearity with numbers for its parameters."""
    if n.dual is not None:
        found: Any = n.dual
        method = str(getattr(found, "method", "given"))
        return Choice(n.activation, found, method, (Candidate(method, True, "given"),))
    exact = None
    if span is not None:
        exact = (Fraction(span[0]), Fraction(span[0] if _is_point(span) else span[1]))
    act = n.activation
    values = dict(n.values)
    plain = choose(act, method=wanted.method, error=wanted.error, code=True)
    if exact is None or not (isinstance(plain.dual, ExpectedDual) or wanted.method == "auto"):
        return plain
    if act.params:
        missing = [p.name for p in act.params if p.name not in values]
        if missing:
            raise without_value(missing[0], act.name)
        act = act.with_params(**values)
    if wanted.tables is not None and isinstance(plain.dual, MixtureDual):
        return table_choice(act, wanted.tables, exact) or plain
    if wanted.error is None and wanted.method in ("auto", "tabulated"):
        for error in wanted.finer if isinstance(plain.dual, ExpectedDual) else ():
            if finer := table_choice(act, error, exact):
                return finer
    fixed = choose(
        act, method=wanted.method, error=wanted.error, variances=exact, code=True, build=kept
    )
    return fixed if ranged_choice(fixed) else plain


def _shared_choice(
    n: Nonlinearity, wanted: Wanted, span: Range | None, rest: Sequence[Step]
) -> tuple[Choice, Range | None]:
    """The choice for a layer, and the range that it is for: that of later layers too, where one
    table serves all of them; `rest` are this layer and those behind it.
    """
    if span is not None and not _is_point(span) and len(rest) > 1:
        if isinstance(_choice(n, wanted, None).dual, ExpectedDual):
            wide = common_range(rest, span)
            if wide != span:
                if wanted.method == "auto" and not (wanted.finer or _table_soon(n, wanted, wide)):
                    return _own_first(n, wanted, span, wide)
                found, own = _choice(n, wanted, wide), None
                if found.method != "tabulated":  # for less there may be something faster
                    own = _choice(n, wanted, span)
                return (found, wide) if own is None or own.method == found.method else (own, span)
    return _choice(n, wanted, span), span


def _own_first(n: Nonlinearity, wanted: Wanted, span: Range, wide: Range) -> tuple[Choice, Range]:
    """As `_shared_choice` where no table of the wide range is near: a rule for it is one of the
    same kind as that of the layer's own range.
    """
    own = _choice(n, wanted, span)
    if own.method != "tabulated":
        with suppress(Undecided):
            return _choice(n, replace(wanted, method=own.method), wide), wide
    return own, span


def _table_soon(n: Nonlinearity, wanted: Wanted, span: Range) -> bool:
    """Whether a table for this range is there, or is likely to be there within `SOON` seconds.

    Where it is not all other rules would be tried for the range, and then for a narrower one.
    """
    act, exact = n.activation, (Fraction(span[0]), Fraction(span[1]))
    if act.params:
        act = act.with_params(**dict(n.values))
    rule, error = RULES["tabulated"], wanted.error or CODE_ERROR
    try:
        return kept.known(rule, act, exact, error) or seconds_of(rule, act, exact, error) <= SOON
    except (Undecided, NoClosedForm):
        return False


@lru_cache(maxsize=256)
def table_choice(act: Activation, error: float, exact: tuple[Fraction, Fraction]) -> Choice | None:
    """A table with this error, None where none is proven within seconds."""
    seconds = RULES["tabulated"].seconds
    assert seconds is not None
    try:
        if not kept.known(RULES["tabulated"], act, exact, error):
            if seconds(act, exact, error) > LONGEST_TABLE:
                return None
        with at_most(LONGEST_TABLE):
            return choose(
                act, method="tabulated", error=error, variances=exact, code=True, build=kept
            )
    except (Undecided, NoClosedForm):
        return None


def ranged_choice(choice: Choice) -> bool:
    """Whether the dual is for a range of variances only."""
    return choice.method not in ("exact", "mixture", "closed form", "given")


def settled(choice: Choice) -> bool:
    """Whether the same request comes to the same later, when more tables may be there."""
    if ranged_choice(choice) or choice.method == "given":
        return True
    return choice.method != "mixture" and (choice.error is None or not is_slow(choice.dual))


def _continuous(choice: Choice, n: Nonlinearity) -> bool:
    """Whether the slope of the dual is its derivative; tables and series do not say so."""
    known = getattr(choice.dual, "continuous", None)
    return not two_slopes(n.with_numbers()) if known is None else bool(known)


def _unit(choice: Choice, n: Nonlinearity, ae: bool) -> DualUnit:
    if not ae and ranged_choice(choice) and not _continuous(choice, n):
        raise UnsupportedOp(
            f"{n.activation.name} jumps: the method {choice.method!r} has its derivative off the "
            "jumps only",
            hint="derivative=almost_everywhere",
        )
    return unit_of(choice.dual, dict(n.values), almost_everywhere=ae)


@lru_cache(maxsize=64)
def _flat_from(n: Nonlinearity) -> float:
    """`reach.flat_from` with numbers for the parameters."""
    return flat_from(n.activation.with_params(**dict(n.values)))


def _after(unit: DualUnit, span: Range, offset: float, slope: float) -> Range:
    """The range of variances after a layer."""
    contract = Contract("ntksym", ())
    module: Any = load_module(numpy_unit_network.dual_file("range", unit, contract), keep=False)
    low, high = span
    if _is_point(span):
        least = most = float(module.diagonal(np.array([low]))[0][0])
    else:
        q = np.geomspace(low, high, CUTS + 1)
        q[0], q[-1] = low, high
        k = module.diagonal(q)[0]
        least, most = bounded(q, k)
    if not (np.isfinite(least) and np.isfinite(most)):
        raise UnsupportedOp(f"the diagonal of a layer is not finite for variances {low} to {high}")
    ends = (offset + slope * least, offset + slope * most)
    if least == most:
        return ends
    return ends[0] * (1.0 - SLACK), ends[1] * (1.0 + SLACK)


def first_range(network: Network, low: float, high: float) -> Range:
    """The range of Sigma(x, x) after the input layer.

    `low` and `high` are of the squared norm per dimension, |x|^2/d; of |x|^2 where the convention
    does not scale its inputs.
    """
    slope, offset = first_affine(network, 1)
    return slope * low + offset, slope * high + offset


def input_range(network: Network, variances: Any) -> Range | None:
    """`first_range` of what `read_variances` reads; None for None."""
    if variances is None:
        return None
    low, high = read_variances(variances)
    return first_range(network, float(low), float(high))


@lru_cache(maxsize=64)
def first_affine(network: Network, d: int) -> tuple[float, float]:
    """(a, b) with Sigma(x, x) = a |x|^2 + b after the input layer, for inputs of dimension d."""
    program, given = input_program(affine_layers(network)[0])
    named = dict(zip(program.args[1:], given, strict=True))
    out = program.evaluate({"d": d, **named})
    return float(out["nngp_slope"]), float(out["nngp_offset"])


# -- the layers in numbers -------------------------------------------------------------------------


def input_program(rule: InputRule) -> tuple[Program, tuple[float, ...]]:
    """The affine first layer as a program of d and its parameters, and their numbers."""
    values = {s.name: number(v) for s, v in rule.values}
    free = {s.name for e in (rule.nngp, rule.ntk) for s in e.free_symbols}
    needed = tuple(sorted(free - {"q11", "q12", "q22", "d"}))
    return lower_input(rule.nngp, rule.ntk, needed), tuple(values[n] for n in needed)


def _five(numbers: Affine) -> tuple[float, float, float, float, float]:
    s0, s1, t0, t1, t2 = map(number, numbers)
    return s0, s1, t0, t1, t2
