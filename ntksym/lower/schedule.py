"""A network as few programs and a schedule over depth: depth is a loop, never a flat expression."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf, isfinite
from typing import Any

from sympy import Expr

from ..activation import Activation
from ..digits import digits
from ..errors import BadSpec, without_value
from .build import Builder
from .double_double import FROM, QUIET, closed
from .kernel import STATE, lower_input, lower_layer, lower_layer_diag
from .likes import RecursionLike, RuleLike
from .near import EARLY, ODD, SCALED, SETTLING, Near, formed, kinked, lower_near, odd, scaled
from .program import Program


@dataclass(frozen=True, slots=True)
class Kind:
    """One distinct layer: its program, that of its diagonal, and those for near pairs, if any.

    `kinked` says whether the layer reads the angle itself, not only its square; `continuous`
    whether its activation does not jump, so that it makes of a small angle a small one.
    """

    pair: Program
    diag: Program
    near: Near | None = None
    kinked: bool = True
    continuous: bool = True

    @property
    def corrected_to(self) -> float:
        """The largest variance that is kept in double-double."""
        return QUIET if formed(self.pair) else inf


@dataclass(frozen=True, slots=True)
class Step:
    """One layer of the network: which kind, and the numbers of this layer.

    `diag_rests`: what `diag_values` lack of the numbers.  `odd`: opposite inputs have opposite
    outputs.  `scaled`: parallel ones have parallel outputs.
    """

    kind: int
    pair_values: tuple[float, ...]
    diag_values: tuple[float, ...]
    diag_rests: tuple[float, ...]
    odd: bool = False
    scaled: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """A network, lowered.

    Attributes:
        name: an identifier.
        input: the program d -> slopes and offsets of the affine first layer.
        input_values: the numbers of its parameters, after `d`.
        kinds: the distinct layers.
        steps: the layers in order.
        floats: whether code is wanted for arrays of floats, too.
        numbered: whether code has the numbers of the layers; else it is given them when it runs.
    """

    name: str
    input: Program
    input_values: tuple[float, ...]
    kinds: tuple[Kind, ...]
    steps: tuple[Step, ...]
    floats: bool = True
    numbered: bool = True

    @property
    def numbers(self) -> tuple[float, ...]:
        """All numbers in the order in which code without them takes them: of the first layer, of
        the pairs and of the diagonals of all layers, and of the rests of these; rows of equal
        length.
        """
        rows = [
            [s.pair_values for s in self.steps],
            [s.diag_values for s in self.steps],
            [s.diag_rests for s in self.steps],
        ]
        flat = [self.input_values]
        for part, width in zip(rows, (*self.widths, self.widths[1]), strict=True):
            flat += [(*row, *[0.0] * (width - len(row))) for row in part]
        return tuple(v for row in flat for v in row)

    @property
    def widths(self) -> tuple[int, int]:
        """The lengths of the rows of pairs and of diagonals, at least 1."""
        return (
            max([1, *(len(s.pair_values) for s in self.steps)]),
            max([1, *(len(s.diag_values) for s in self.steps)]),
        )

    @property
    def unnumbered(self) -> Schedule:
        """The same for code that is given its numbers: equal for networks that share it.

        Numbers are what tells unlike layers of one kind apart: 1 in the first, 2 in the next.
        """
        unlike = {step: float(n) for n, step in enumerate(dict.fromkeys(self.steps), 1)}
        steps = (
            replace(
                s,
                pair_values=(unlike[s],) * len(s.pair_values),
                diag_values=(unlike[s],) * len(s.diag_values),
                diag_rests=(unlike[s],) * len(s.diag_values),
            )
            for s in self.steps
        )
        first = (1.0,) * len(self.input_values)
        return replace(self, input_values=first, steps=tuple(steps), numbered=False)

    @property
    def programs(self) -> tuple[Program, ...]:
        """Every program, input first."""
        return (self.input, *(p for k in self.kinds for p in (k.pair, k.diag)))

    @property
    def corrected(self) -> tuple[Program | None, ...]:
        """By kind the diagonal in double-double, where there is one: in deep networks."""
        deep = len(self.steps) >= FROM
        return tuple(closed(kind.diag) if deep else None for kind in self.kinds)

    @property
    def carries(self) -> tuple[int, ...]:
        """What is done for nearly parallel pairs after each layer.

        0: nothing.  1: the root is mended where the angle grows, because the rounding of the
        covariance grows with it.  2: and wherever the angle is small, because a later layer
        reads it.  `ODD`, `EARLY` and `SCALED` more: see there.
        """
        found: list[int] = []
        read = False
        for n, step in enumerate(reversed(self.steps)):
            kind, at = self.kinds[step.kind], len(self.steps) - 1 - n
            before = self.steps[max(0, at - SETTLING) : at]
            early = len(before) < SETTLING or any(s != step for s in before)
            more = ODD * step.odd + EARLY * early + SCALED * step.scaled
            found.append(0 if kind.near is None or n == 0 else (2 if read else 1) + more)
            read = read or kind.kinked
        return tuple(reversed(found))

    @property
    def near_programs(self) -> tuple[Program, ...]:
        """The programs for near pairs of the kinds that need them."""
        kinds = [self.kinds[k].near for k in self.near_kinds]
        found = [(n.slope, n.diag, n.unlike) for n in kinds if n is not None]
        return tuple(
            p
            for slope, own, more in found
            for p in (slope, own, *((more.pair, more.mixed) if more else ()))
        )

    @property
    def levelled(self) -> bool:
        """Whether a layer of near pairs is nearly homogeneous (`lower.unlike`)."""
        found = (self.kinds[k].near for k in self.near_kinds)
        return any(near is not None and near.unlike is not None for near in found)

    @property
    def near_kinds(self) -> tuple[int, ...]:
        """The kinds of the layers that `carries` names."""
        both = zip(self.steps, self.carries, strict=True)
        return tuple(sorted({step.kind for step, carried in both if carried}))


def number(e: Expr, where: str = "") -> float:
    """The double nearest to a SymPy number; `where` it stands is for the message.

    Raises:
        BadSpec: it is too large for one, or too small.
    """
    return _parts(e, where)[0]


@lru_cache(maxsize=4096)
def _parts(e: Expr, where: str) -> tuple[float, float]:
    """`number`, and what it lacks of the number, rounded."""
    b = Builder(())
    p = b.program("number", (("value", b.operand(e)),))
    exact = p.evaluate({}, digits(50))["value"]
    found = float(exact)
    if not isfinite(found) or (found == 0.0) != (exact == 0):
        said = str(e)
        raise BadSpec(
            f"{said if len(said) < 40 else said[:30] + '...'} is no double",
            where=where,
            tried=["the double nearest to it, " + repr(found)],
            hint="a number of 1e-300 to 1e300; units in which it is one",
        )
    return found, float(exact - found)


def lower_network(recursion: RecursionLike, name: str = "network") -> Schedule:
    """The schedule of a recursion: layers with equal rules share one program.

    Raises:
        BadSpec: a parameter of a layer without a value.
        UnsupportedOp: a rule without operations, or a first layer that is not affine.
    """
    seen: dict[tuple[Expr, Expr, Expr, Expr, bool], int] = {}
    kinds: list[Kind] = []
    steps: list[Step] = []
    equal: dict[Any, Step] = {}
    for index, rule in enumerate(recursion.layers):
        sound = bool(getattr(rule, "continuous", True))
        key = (rule.nngp, rule.ntk, rule.nngp_diag, rule.ntk_diag, sound)
        same = (key, rule.activation, rule.values)
        if same in equal:
            steps.append(equal[same])
            continue
        if key not in seen:
            seen[key] = len(kinds)
            kinds.append(_kind(_Formulas(rule.activation, rule.name, *key)))
        kind = kinds[seen[key]]
        where = f"layer {index + 1} ({rule.name})"
        both = {s.name: _parts(v, f"{s.name}, {where}") for s, v in rule.values}
        values, rests = ({name: v[k] for name, v in both.items()} for k in range(2))
        equal[same] = Step(
            seen[key],
            _values(kind.pair.args[len(STATE) :], values, where),
            _values(kind.diag.args[2:], values, where),
            _values(kind.diag.args[2:], rests, where),
            odd(rule),
            kind.near is not None and scaled(rule),
        )
        steps.append(equal[same])
    first = recursion.input_rule
    values = {s.name: number(v, f"{s.name}, the input layer") for s, v in first.values}
    free = {s.name for e in (first.nngp, first.ntk) for s in e.free_symbols}
    needed = tuple(sorted(free - {"q11", "q12", "q22", "d"}))
    program = lower_input(first.nngp, first.ntk, needed)
    return Schedule(
        name, program, _values(needed, values, "the input layer"), tuple(kinds), tuple(steps)
    )


@dataclass(frozen=True, slots=True)
class _Formulas:
    """A `RuleLike` without its numbers: layers that differ in them are lowered once."""

    activation: Activation
    name: str
    nngp: Expr
    ntk: Expr
    nngp_diag: Expr
    ntk_diag: Expr
    continuous: bool


@lru_cache(maxsize=256)
def _kind(rule: RuleLike) -> Kind:
    """A layer, lowered."""
    pair = lower_layer(rule)
    near = lower_near(rule, pair)
    sound = bool(getattr(rule, "continuous", True))
    return Kind(pair, lower_layer_diag(rule), near, kinked(rule.activation), sound)


def _values(names: tuple[str, ...], values: dict[str, float], where: str) -> tuple[float, ...]:
    if missing := [n for n in names if n not in values]:
        raise without_value(missing[0], where)
    return tuple(values[n] for n in names)


def evaluate_network(
    schedule: Schedule, g11: Any, g12: Any, g22: Any, d: int, ctx: Any
) -> tuple[Any, Any]:
    """(nngp, ntk) of one pair from exact inner products, in an mpmath context: the reference.

    Every layer runs the mpmath meaning of its program; nothing is rounded to doubles.
    """
    names = schedule.input.args[1:]
    given = dict(zip(names, schedule.input_values, strict=True))
    first = schedule.input.evaluate({"d": d, **given}, ctx)

    def affine(label: str, g: Any) -> Any:
        return first[f"{label}_slope"] * g + first[f"{label}_offset"]

    x, y, c = (affine("nngp", ctx.convert(g)) for g in (g11, g22, g12))
    tx, ty, t = (affine("ntk", ctx.convert(g)) for g in (g11, g22, g12))
    root = ctx.sqrt(max(x * y - c * c, 0))
    for step in schedule.steps:
        kind = schedule.kinds[step.kind]
        names = kind.diag.args[2:]
        values = dict(zip(names, step.diag_values, strict=True))
        after_x = kind.diag.evaluate({"q": x, "t12": tx, **values}, ctx)
        after_y = kind.diag.evaluate({"q": y, "t12": ty, **values}, ctx)
        nx, ny = after_x["nngp"], after_y["nngp"]
        numbers = (x, c, y, root, t, nx, ny, *map(ctx.sqrt, (x, y, nx, ny)))
        state = dict(zip(STATE, numbers, strict=True))
        state.update(zip(kind.pair.args[len(STATE) :], step.pair_values, strict=True))
        after = kind.pair.evaluate(state, ctx)
        c, t, root = after["nngp"], after["ntk"], after["root"]
        x, y, tx, ty = nx, ny, after_x["ntk"], after_y["ntk"]
    return c, t
