r"""What a layer adds to a pair that is nearly degenerate after it: the programs of its own dual.

A layer whose root is formed from the next covariance loses half of the digits where that
covariance is nearly degenerate.  Generated networks then integrate the derivative dual instead
(`backends.near`); these are the programs that they call, without what the layer adds to every
covariance alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf

from sympy import Abs, Expr, Heaviside, Max, Min, Piecewise, sign

from .. import symbols as S
from ..activation import Activation
from ..derivation import parity
from ..errors import NtksymError
from ..verify.functions.radial import degree
from .build import Builder
from .kernel import REQUIRES_DIAG, REQUIRES_PAIR, parameters
from .likes import RuleLike
from .program import Program, live
from .reach import fades, flat_from
from .scales import settle, settle_diagonal, settles
from .swamped import alone
from .unlike import Unlike, lower_unlike

ODD = 4
"""Added to what is done after a layer that gives opposite inputs opposite outputs, or the same:
nearly opposite pairs are nearly parallel ones, mirrored."""
EARLY = 8
"""Added for the first `SETTLING` layers of a run of equal ones: there an angle may shrink that
grows later, and what rounding made of it with it."""
SETTLING = 4
SCALED = 16
"""Added after a layer that keeps parallel inputs parallel, whatever their norms."""
NEAR_ARGS = ("q11", "q12", "q22", "root")
"""The first inputs of the program of a pair; those of the activation and the layer follow."""


@dataclass(frozen=True, slots=True)
class Near:
    r"""The covariance and its slope, without the constant that all of them share.

    Attributes:
        pair: `NEAR_ARGS`, parameters -> value $s_1K$, slope $s_1\dot K$.
        diag: q, parameters -> value $s_1K(q)$.
        far: beyond this standard deviation what unlike norms make of parallel inputs falls as 1/r
            (`reach.flat_from`).
        loose: pairs whose deviations given each other are beyond this are no near ones for s: the
            layer's own root keeps its digits (`lower.swamped`), and the slope is a peak in the
            angle that no rule would find.
        unlike: what is integrated for unlike norms where s is nearly homogeneous.
    """

    pair: Program
    diag: Program
    far: float
    loose: float
    unlike: Unlike | None = None

    @property
    def slope(self) -> Program:
        """`pair` without the value."""
        kept = tuple(o for o in self.pair.outputs if o[0] == "slope")
        return replace(self.pair, body=live(self.pair.body, kept), outputs=kept)


def lower_near(rule: RuleLike, layer: Program) -> Near | None:
    """The programs for near pairs, or None: the root is exact without, or the activation jumps.

    Where it jumps the slope that a convention means need not be the derivative of the dual.

    Raises:
        UnsupportedOp: a function or a complex number without an operation.
    """
    if not formed(layer) or not getattr(rule, "continuous", True):
        return None
    slope: Expr = rule.ntk.diff(S.t12)
    value, own = alone(rule.nngp), alone(rule.nngp_diag)
    if rule.nngp - value != rule.nngp_diag - own:
        return None  # no common constant: its parts would have to be told apart
    given = parameters((value, slope), (S.q11, S.q12, S.q22))
    b = Builder((*NEAR_ARGS, *given), root="root")
    d = Builder(("q", *parameters((own,), (S.q,))))
    if (found := settles(rule.activation)) is not None:
        settle(b, found)
        settle_diagonal(d, found)
    outputs = (("value", b.operand(value)), ("slope", b.operand(slope)))
    pair = b.program(f"{layer.name}_near", outputs, REQUIRES_PAIR, "one layer, near pairs")
    ends = (("value", d.operand(own)),)
    single = d.program(f"{layer.name}_near_diag", ends, REQUIRES_DIAG, "the same, u = v")
    far = flat_from(rule.activation)
    unlike = None if far < inf else lower_unlike(rule, value, own)
    return Near(pair, single, far, far if fades(rule.activation) else inf, unlike)


def formed(layer: Program) -> bool:
    """Whether the next root of a layer program is formed from the next covariance."""
    return any(let.op == "carry" for let in layer.body)


def kinked(activation: Activation) -> bool:
    """Whether a derivative dual may have a square root at rho = 1: s is not one smooth piece."""
    return bool(activation.expr.has(Abs, Heaviside, Max, Min, Piecewise, sign))


def homogeneous(activation: Activation, values: Iterable[tuple[Expr, Expr]] = ()) -> bool:
    """Whether s(a x) = a^p s(x) for a > 0, with these values of its parameters."""
    with suppress(NtksymError):
        return degree(activation.expr.subs(dict(values))) is not None
    return False


def odd(rule: RuleLike) -> bool:
    """Whether a layer gives opposite inputs opposite outputs, or the same.

    s is odd, and there is no bias; or it is even.
    """
    sign = parity(rule.activation)
    return sign > 0 or (sign < 0 and _adds_nothing(rule))


def scaled(rule: RuleLike) -> bool:
    """Whether a layer keeps parallel inputs parallel: s is homogeneous, and there is no bias."""
    return _adds_nothing(rule) and homogeneous(rule.activation, getattr(rule, "values", ()))


def _adds_nothing(rule: RuleLike) -> bool:
    """Whether nothing is common to all covariances."""
    constant = (rule.nngp - alone(rule.nngp)).subs(dict(getattr(rule, "values", ())))
    return bool(constant == 0)
