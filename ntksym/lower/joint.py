r"""Two large variances of a function with a point or with waves, brought nearer as one.

From far away s is a power, a step, a point or a wave, and so is the dual one, but not in each
variance alone: two inputs may be so nearly parallel that the width of the point or the length of
the wave counts, that is the conditional deviation $c = R/\sqrt{\max(q_{11}, q_{22})}$ of the
smaller one, $R^2 = q_{11}q_{22} - q_{12}^2$.  So with the powers of two g and e, e of the larger
variance alone,

$$q_{11}, q_{12}, q_{22} \to g^2 q_{11}, g^2 e\,q_{12}, g^2 e^2 q_{22}, \qquad R \to g^2 e\,f R,$$

where f keeps c as it is as long as it is small, and keeps the angle where c is large:
$c \to \max(gc, \min(c, C))$.  C is large beside the width and small beside the deviations, so that
neither counts where the other changes.  Equal inputs stay equal, others apart.

Of the result a point of order -1 is $R'/R$ as large for all c: densities at 0 are $1/(2\pi R)$.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from .lines import Lines
from .program import Operand

UNLIKE = {True: 36, False: 8}
"""Bits by which deviations may differ, with a point and with waves alone: so that one is flat on
the scale of the other; and so that they do not become equal where they are not.
"""
SHARP = {True: 76, False: 60}
"""Bits of the smaller deviation, at least."""
_ANGLE = Fraction(1, 2**56)
"""C as a share of the smaller deviation: an angle that is nothing.

What is left of a point is $C^{-3}$ of the size of the kernel."""


@dataclass(frozen=True, slots=True)
class Brought:
    """The factors of two standard deviations, and of the root of the determinant."""

    one: Operand
    two: Operand
    root: Operand


def brought_nearer(
    b: Lines, at: dict[str, Operand], root: Operand, most: Fraction, both: Fraction
) -> Brought:
    """The factors for the covariance `at`: 1 where neither variance is large."""
    least = b.emit("min", at["q11"], at["q22"])
    g = b.emit("rescale", least, both, hint="together")
    found = []
    for k in ("q11", "q22"):
        part = b.emit("mul", b.emit("mul", at[k], g), g)
        found.append(b.emit("mul", g, b.emit("rescale", part, most)))
    one, two = found
    sides = [
        b.emit("mul", b.emit("mul", at[k], t), t, hint="scaled")
        for k, t in (("q11", one), ("q22", two))
    ]
    angle = b.emit("mul", one, two)
    width = b.emit("mul", angle, b.emit("div", Fraction(1), g))
    length = b.emit("mul", b.emit("sqrt0", b.emit("max", *sides)), both * _ANGLE)
    kept = b.emit("min", width, b.emit("div0", length, root))
    return Brought(one, two, b.emit("max", angle, kept, hint="apart"))
