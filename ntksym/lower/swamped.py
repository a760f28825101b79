r"""The next root where a bias may swamp the kernel that it is added to.

After a layer the covariances are $\beta + k$, k the kernel of the activation times the variance of
the weights.  Where k is small beside $\beta$ its digits are gone from the sum, and with them the
angle of the pair; but
$$(\beta + k_{11})(\beta + k_{22}) - (\beta + k_{12})^2
  = \beta\,(k_{11} + k_{22} - 2k_{12}) + k_{11}k_{22} - k_{12}^2,$$
and nothing is lost there.  Functions that tend to 0 have such kernels at large variances.
"""

from __future__ import annotations

from sympy import Add, Expr

from .. import symbols as S
from .build import Builder
from .likes import RuleLike
from .program import Operand
from .reach import fades
from .scales import settle_diagonal, settles

_ENTRIES = frozenset({S.q, S.q11, S.q12, S.q22})


def alone(e: Expr) -> Expr:
    """The terms that depend on a covariance entry: a covariance without its bias."""
    kept: Expr = Add(*(t for t in Add.make_args(e) if t.free_symbols & _ENTRIES))
    return kept


def swamped_root(b: Builder, rule: RuleLike) -> Operand | None:
    """The next root by the sum above; None for a function that does not tend to 0.

    The kernels of the two points are quantities of one point each.

    Raises:
        UnsupportedOp: a function or a complex number without an operation.
    """
    pair, own = alone(rule.nngp), alone(rule.nngp_diag)
    bias = rule.nngp - pair
    if rule.nngp_diag - own != bias or not fades(rule.activation):
        return None
    d = Builder(("q", *sorted(s.name for s in own.free_symbols - {S.q})))
    if (found := settles(rule.activation)) is not None:
        settle_diagonal(d, found)
    single = d.program("own", (("value", d.operand(own)),))
    k12 = b.operand(pair)
    k11, k22 = (b.again(single, {"q": q})["value"] for q in ("q11", "q22"))
    apart = b.emit("add", b.emit("sub", k11, k12), b.emit("sub", k22, k12), hint="apart")
    area = b.emit("rootdet", k11, k12, k22, hint="area")
    return b.emit("hyproot", b.emit("mul", b.operand(bias), apart), area, hint="following")
