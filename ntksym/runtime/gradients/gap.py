r"""The gap $A = \sqrt{\Sigma'_{11}\Sigma'_{22}} - \Sigma'_{12}$ of a layer of degree one, derived.

$A = S g - c\,h + \beta S\delta^2/W$, $W = m' + Sm + \beta$, with $g = m - q_{12}$,
$h = m(\sin\theta - \theta\cos\theta)$, $\delta = \sqrt{q_{11}} - \sqrt{q_{22}}$, is a sum without
cancellation (`lower.kernel`); the next root and its directions come from it.  Quotients by W are
formed one by one: its square leaves the range of doubles at rows from 1e77 on.
"""

from __future__ import annotations

from sympy import Expr, Integer, Symbol

from ...lower.build import Builder
from ...lower.program import Operand

SHARED = ("weight_var", "bias_var")
"""Hyper-parameters that all layers have in common."""
_GAP, _BEND, _LENGTH, _SIDES, _TILT, _PUSH, _OVER, _NEXT_OVER, _REST = (
    Symbol(f"_{name}")
    for name in ("gap", "bend", "length", "sides", "tilt", "push", "over", "next_over", "rest")
)


def turned_gap(
    b: Builder,
    scaled: tuple[Expr, Expr, Expr, bool],
    params: tuple[str, ...],
    n: Operand,
) -> list[tuple[str, Operand]]:
    """The next root and difference of lengths, and the partial derivatives of A as in `Layer.pair`.

    `scaled`: S, c, beta and whether the activation is even; n: the next covariance.
    """
    scale, cubic, offset, even = scaled
    q12 = b.emit("abs", "q12") if even else "q12"
    length = b.emit("mul", "r11", "r22", hint="length")
    sides = b.emit("mul", "s11", "s22", hint="next_length")
    gap = b.emit("gap3", "root", q12, length, hint="gap")
    bend = b.emit("arc3", "root", b.emit("neg", q12), length, hint="bend")
    for s, o in ((_LENGTH, length), (_SIDES, sides), (_GAP, gap), (_BEND, bend)):
        b.replace(s, o)
    below = b.operand(_SIDES + scale * _LENGTH + offset)
    # quotients first: the square of W leaves the range of doubles
    tilt = b.emit("div0", "diff", below, hint="tilt")
    b.replace(_TILT, tilt)
    b.replace(_PUSH, b.emit("mul", "diff", tilt, hint="push"))
    b.replace(_OVER, b.emit("div0", length, below))
    b.replace(_NEXT_OVER, b.emit("div0", sides, below))
    b.replace(_REST, b.emit("div0", b.operand(offset), below))
    turn, pull = scale * _GAP - cubic * _BEND, offset * scale * _PUSH
    whole = b.operand(turn + pull)
    rows: list[tuple[str, Operand]] = [
        ("e_l", b.operand(turn - pull * scale * _OVER)),
        ("e_n", b.emit("sub", b.operand(-pull * _NEXT_OVER), whole)),
        ("e_d", b.operand(2 * offset * scale * _TILT)),
    ]
    by = (
        (scale, _GAP + offset * _PUSH - pull * _OVER),
        (cubic, -_BEND),
        (offset, scale * _PUSH * (1 - _REST)),
    )
    free = {s.name: s for part, _ in by for s in part.free_symbols}
    for name in (*SHARED, *params):
        slopes = (part.diff(free[name]) * along for part, along in by if name in free)
        slope = sum(slopes, Integer(0))
        rows.append((f"e_of_{name}", b.operand(slope)))
    both = b.emit("add", b.operand(_SIDES), n)
    root = b.emit("mul", b.emit("sqrt0", whole), b.emit("sqrt0", both), hint="next_root")
    lengths = b.emit("add", "r11", "r22")
    next_diff = b.emit(
        "div0", b.emit("mul", b.operand(scale), lengths), b.emit("add", "s11", "s22")
    )
    return [*rows, ("root", root), ("diff", b.emit("mul", "diff", next_diff, hint="next_diff"))]
