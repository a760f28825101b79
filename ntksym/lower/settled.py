"""A dual and its derivative as one program whose values keep their digits at any variance.

Slopes in closed form do not: differences of these values replace them (`backends.array.settled`).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..derivation import Derivation
from ..dual import Dual
from .build import Builder
from .kernel import REQUIRES_PAIR
from .program import Program
from .scales import settle, settles

STATE = ("q11", "q12", "q22", "root")
OUTPUTS = ("n", "t", "n_q", "t_K", "t_Kdot", "dot")
"""Both kernels after a layer, n in q12, t in both duals, and the derivative dual."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Values for slopes at large variances.

    Attributes:
        program: `STATE`, more inputs -> `OUTPUTS`, and slopes in some of the other inputs by name.
        beyond: the variance beyond which slopes are differences of them.
        turning: the same for the slope of the derivative dual in the angle, of which differences
            keep less of nearly parallel pairs.
        kinks: the places of kinks; empty where they are unknown.
    """

    program: Program
    beyond: float
    turning: float
    kinks: tuple[float, ...] = ()


def kink_places(found: Dual) -> tuple[float, ...]:
    """The places of kinks, as `Settled` has them."""
    derived = found.derivation
    if not isinstance(derived, Derivation) or found.activation.params:
        return ()
    return tuple(sorted(float(e.expr) for e in derived.terms.thresholds))


def settled_dual(found: Dual) -> Program | None:
    """`Settled.program` of a dual alone: n is the dual and t its derivative.

    None where closed forms have nothing to lose, or where its derivative jumps.
    """
    if settles(found.activation) is None or found.dot != found.dot_ae:
        return None
    names = sorted(p.name for p in found.activation.params)
    b = Builder((*STATE, *names), root="root")
    settle(b, found)
    value, dot = b.operand(found.value), b.operand(found.dot)
    made = value, dot, dot, 0, 1, dot
    return b.program("settled", tuple(zip(OUTPUTS, made, strict=True)), REQUIRES_PAIR, "")
