r"""One polynomial for both duals: of a continuous s the derivative dual is the derivative.

With $K/\sqrt{q_{11}q_{22}} = E(x) + \rho\,O(x)$ (`fold`), $w = (1+x)/2$ and
$v = 1/(1+\kappa\sigma) = 1 - \kappa w/(1+\kappa)$,
$\dot K = -4(1+\kappa)v^2E'\rho + O - 4(1+\kappa)(1-w)v\,O'$: polynomials again.  That they are near
the derivative dual is not deduced from the bound of K but proven against its own Chebyshev
coefficients (`derivations/identities/table_bound.md`, sections 9 and 11).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .bands.sheets import Frame
from .bands.sums import Tensor
from .dual import Sheet, Unproven
from .fold import OFF_X, Folded, Pieces, steep
from .light import SHARE, Heavy, light
from .pack import SLACK, TINY, UNIT, Rows, off_tau, pack
from .shell.variable import Shell
from .sine import bent, deflated, inflated, times

Line = list[Any]
FIRST_SHARE = (0.78, 2.0)
"""Of what the error leaves free, to coefficients left out, as they are weighed: without and with
kinks.  The weights are too large."""
TRIES = 7


@dataclass(frozen=True, slots=True)
class Form:
    """How a part is stored: as a series in x, or behind e_0 as G of e_0 + w^2 G (`sine`).

    Attributes:
        lead: how many numbers are no coefficients of the series.
        off: the factors of the derivative in units: powers of v, rho, constants; w.
        off_value: those of the value: w^2.
        off_x: how many units x is off by.
        shell: where x is its variable, and there is no e_0.
    """

    lead: int
    off: int
    off_value: int
    off_x: int = OFF_X
    shell: Shell | None = None

    @classmethod
    def away(cls, shell: Shell) -> Form:
        """That of a shell."""
        return cls(0, shell.off, 0, shell.off_x, shell)

    def grow(self, kappa: float) -> Any:
        """The constant factor of the derivative."""
        from flint import arb

        if self.shell is not None:
            return self.shell.grow
        return 2 * (1 + arb(kappa)) ** 2 if self.lead else 4 * (1 + arb(kappa))

    def steep(self, kappa: float, k: int) -> float:
        """About what a coefficient of T_k adds to the derivative in rho."""
        if self.shell is not None:
            return 2.0 * k * float(self.shell.grow)
        return steep(kappa, k, bool(self.lead))


SQUARE = Form(0, 64, 0)
"""In rho^2: v is off by 24 units, rho by 6."""
SINE = Form(1, 96, 52)
"""In S, off by 10 units; v by 13, w by 16."""


def shared_sheets(
    frames: list[Frame], fits: list[Folded], how: tuple[Form, float], shares: tuple[int, ...]
) -> tuple[Sheet, Sheet, Heavy]:
    """The dual with its polynomials, and the derivative dual without: it is their derivative.

    The third says which coefficients have to be doubles (`light`).

    Raises:
        Undecided: its bound is above the error.
    """
    value, dot = frames
    form = how[0]
    worst: list[Sheet] = []
    within: tuple[tuple[Sheet, Sheet], list[tuple[int, Rows]]] | None = None
    stored, lost = _stored(fits[0], form)
    share = FIRST_SHARE[form.lead]
    for _ in range(TRIES):
        budgets = [frame.budget(share) for frame in frames]
        weights = _weights(len(stored[0][1][0][0]), how, budgets)
        pieces = _packed(stored, budgets[0], weights, (form, value.half, lost), shares)
        first = value.sheet(pieces[0], budgets[0])
        second = dot.sheet(_slopes(stored, fits[1], pieces[1], how, value.half), budgets[1])
        goals = [frame.error * (1 - SHARE) for frame in frames]
        made = (first, second), [p[:2] for p in pieces[1]]
        if first.error <= goals[0] and second.error <= goals[1]:
            return _lighter(frames, *made, how)
        if first.error <= value.error and second.error <= dot.error:
            within = made  # what is left for floats is less than their share
        worst.append(max((first, second), key=lambda s: s.error))
        if any(_kept(s) > f.error for s, f in zip((first, second), frames, strict=True)):
            break  # with more coefficients rounding is more
        share *= min(_room(first, goals[0]), _room(second, goals[1]), 0.8)
    if within is not None:
        return _lighter(frames, *within, how)
    raise Unproven(min(worst, key=lambda s: s.error), value.error)


def _lighter(
    frames: list[Frame],
    sheets: tuple[Sheet, Sheet],
    kept: list[tuple[int, Rows]],
    how: tuple[Form, float],
) -> tuple[Sheet, Sheet, Heavy]:
    """The same with as many coefficients in floats as the error still has room for."""
    room, bottoms = [], []
    for frame, sheet in zip(frames, sheets, strict=True):
        bottoms.append(float(frame.bottom.lower()) * (1 - 1e-15))
        room.append((frame.error - sheet.error) * bottoms[-1] * (1 - 1e-9))
    found = light(kept, how, (room[0], room[1]))
    if found is None:
        return *sheets, ((), ())
    out = []
    for sheet, lost, bottom in zip(sheets, (found.value, found.dot), bottoms, strict=True):
        more = lost / bottom * (1 + 1e-14)
        parts = (*sheet.parts, ("floats", more))
        out.append(replace(sheet, error=(sheet.error + more) * (1 + 1e-15), parts=parts))
    return out[0], out[1], found.heavy


def _kept(sheet: Sheet) -> float:
    """The bound without the coefficients left out."""
    return (sheet.error - dict(sheet.parts)["coefficients left out"]) * (1 - 1e-9)


def _room(sheet: Sheet, error: float) -> float:
    """How much of the coefficients left out the error has room for, about."""
    dropped = dict(sheet.parts)["coefficients left out"]
    return max(0.97 * (error - (sheet.error - dropped)) / max(dropped, 1e-300), 0.1)


def _stored(fit: Folded, form: Form) -> tuple[tuple[tuple[int, Tensor], ...], Any]:
    """The parts in their form, and what the terms linear in w that are left out add up to."""
    from flint import arb

    if not form.lead:
        return fit.parts, arb(0)
    out, lost = [], arb(0)
    for part, tensor in fit.parts:
        ours = []
        for plane in tensor:
            row = []
            for line in plane:
                first, rest = deflated(line)
                row.append([first, *rest])
                back = inflated(row[-1])
                for a, b in zip(line, back, strict=True):
                    lost += abs(a - b).upper()
            ours.append(row)
        out.append((part, ours))
    return tuple(out), lost


def _weights(many: int, how: tuple[Form, float], budgets: list[Any]) -> list[list[float]]:
    """How much a number of a line weighs, about: what it adds to the derivative counts too."""
    ratio = float((budgets[0] / budgets[1]).upper())
    form, kappa = how
    slope = [0.0] * form.lead
    slope += [form.steep(kappa, k) for k in range(many - form.lead)]
    return [
        [max(1.0, ratio * m) for m in slope],
        [max(1.0, ratio * (1 + m)) for m in slope],
    ]


def _packed(
    stored: tuple[tuple[int, Tensor], ...],
    budget: Any,
    weights: list[list[float]],
    how: tuple[Form, float, Any],
    shares: tuple[int, ...],
) -> tuple[Pieces, list[tuple[int, Rows, Any]]]:
    """The polynomials of K, and `(part, rows, blur)` of both parts."""
    kept = []
    form, half, lost = how
    total = sum(max(s, 1) for s in shares)
    for (part, tensor), share in zip(stored, shares, strict=True):
        own = (budget * max(share, 1) / total).lower()
        found = pack(tensor, own, half, form.off_x, weights[part], _cut(form), form.lead)
        kept.append((part, found))
    pieces = Pieces.of(kept, lost, form.off_value)
    return pieces, [(part, found.rows, found.blur) for part, found in kept]


def _cut(form: Form) -> Callable[[Line, int], Line]:
    """`trimmed` behind what leads."""

    def cut(line: Line, kept: int) -> Line:
        first = line[: min(form.lead, kept)]
        return first + trimmed(line[form.lead :], max(kept - form.lead, 0))

    return cut


def _slopes(
    stored: tuple[tuple[int, Tensor], ...],
    second: Folded,
    kept: list[tuple[int, Rows, Any]],
    how: tuple[Form, float],
    half: float,
) -> Pieces:
    """How far the derivative dual is from the derivative of the polynomials of K."""
    from flint import arb

    dropped, rounding = arb(0), arb(0)
    form, kappa = how
    grow = form.grow(kappa)
    truth = dict(second.parts)
    for (part, tensor), (_, rows, blur) in zip(stored, kept, strict=True):
        dropped += _difference(tensor, rows, truth[1 - part], part, how)
        one, two, turn, steps, plain = _sums(rows, part, form, float(arb(grow).upper()))
        rounding += (grow + part) * blur
        rounding += steps * UNIT * 1.01 + (grow * one + plain) * form.off * UNIT
        rounding += (grow * two + part * one) * form.off_x * UNIT * 1.01
        rounding += turn * off_tau(half) * UNIT * 1.01
    return Pieces((), (), dropped.upper(), rounding.upper())


def _sums(rows: Rows, part: int, form: Form, grow: float) -> tuple[Any, ...]:
    """Upper bounds of the sizes of coefficients, weighed as the derivative has them (`arb`).

    By k; twice so; by what tau is off by; by the steps of the evaluation; and as they are.
    """
    import numpy as np
    from flint import arb

    flat = [
        (i, j, k, abs(m))
        for i, plane in enumerate(rows)
        for j, line in enumerate(plane)
        for k, m in enumerate(line)
    ]
    i, j, k, size = np.array(flat).T
    # of G + wG', G of k - 1: k, and in x (k - 1)^2
    twice = (k - 1) ** 2 if form.lead else k * (k - 1)
    moved = (k * grow + part) * size
    long = 2 * (i + j + k) + 8 + 4 * form.lead
    sums = (k * size, twice * size, moved * (i + j), moved * long, part * size)
    return tuple(arb(float(v.sum()) * SLACK + TINY) for v in sums)


def _difference(
    tensor: Tensor, rows: Rows, truth: Tensor, part: int, how: tuple[Form, float]
) -> Any:
    """The sum of the sizes of the Chebyshev coefficients of what the two derivatives differ by."""
    from flint import arb

    form = how[0]
    cut, total = _cut(form), 0.0
    for i, plane in enumerate(truth):
        for j, line in enumerate(plane):
            many = len(rows[i][j]) if i < len(rows) and j < len(rows[i]) else 0
            ours = _turned(cut(tensor[i][j], many), part, how) if many else []
            if form.shell is not None:
                line = form.shell.lifted(line)
            long = max(len(ours), len(line))
            for k in range(long):
                a = ours[k] if k < len(ours) else arb(0)
                b = line[k] if k < len(line) else arb(0)
                total += float(abs(a - b).upper())
    found = arb(total * SLACK + TINY)
    return (found if form.shell is None else found / form.shell.least).upper()


def _turned(line: Line, part: int, how: tuple[Form, float]) -> Line:
    """Chebyshev coefficients of what a stored line becomes in the derivative dual.

    Of a shell it is multiplied by vS (`Shell.lifted`).
    """
    form, kappa = how
    if form.shell is not None:
        return form.shell.bracket(line, part, slope(line))
    if form.lead:
        return bent(line, part, kappa, slope(line[1:])) if len(line) > 1 else line[:part]
    return turned(line, part, kappa)


def turned(line: Line, part: int, kappa: float) -> Line:
    r"""Chebyshev coefficients of what a series in x becomes in the derivative dual.

    Of a part E (0) it is $-4(1+\kappa)v^2E'$, of a part O (1) $O - 4(1+\kappa)(1-w)v\,O'$.
    """
    from flint import arb

    bend = arb(kappa) / (2 * (1 + arb(kappa)))
    steep = [-4 * (1 + arb(kappa)) * c for c in slope(line)]
    steep = times(steep, 1 - bend, -bend)
    if not part:
        return times(steep, 1 - bend, -bend)
    steep = times(steep, arb(1) / 2, -arb(1) / 2)
    return [c + line[k] if k < len(line) else c for k, c in enumerate(steep)]


def trimmed(line: Line, kept: int) -> Line:
    """The series of `kept` coefficients whose derivative is the beginning of the derivative.

    Its last two coefficients take in what is cut off: so the error of the derivative is its own
    tail, not k^2 times that of the series.
    """
    from flint import arb

    out = line[:kept]
    for k in (kept - 2, kept - 1):
        if k > 0:
            lost = sum((m * line[m] for m in range(k + 2, len(line), 2)), arb(0))
            out[k] = out[k] + lost / k
    return out


def slope(line: Line) -> Line:
    """Chebyshev coefficients of the derivative."""
    from flint import arb

    out = [arb(0)] * (len(line) + 1)
    for k in range(len(line) - 1, 0, -1):
        out[k - 1] = out[k + 1] + 2 * k * line[k]
    out[0] = out[0] / 2
    return out[: max(len(line) - 1, 1)]
