"""Duals and layer rules as programs.

Coordinates: a layer program takes `root` = sqrt(q11*q22 - q12^2) as an input and returns the root
of the next layer, because once q12 is rounded near rho = 1 the angle is lost.  For positively
homogeneous activations of degree one the next root follows from an exact rule without cancellation
(`_carried_root`); for the others it is formed from the next covariance, or from the kernel that a
bias may swamp (`lower.swamped`).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from sympy import Add, Expr, Integer, Mul, Symbol, asin, expand, oo, pi, sqrt, zoo

from .. import symbols as S
from ..activation import Activation
from ..errors import BadActivation, UnsupportedOp
from .build import Builder
from .likes import DualLike, RuleLike
from .program import Operand, Program
from .scales import settle, settle_diagonal, settles
from .swamped import swamped_root

STATE = ("q11", "q12", "q22", "root", "t12", "n11", "n22", "r11", "r22", "s11", "s22")
"""The inputs of every layer program that are not parameters: the state before the layer, the
diagonal n after it, and the square roots r of q11, q22 and s of n11, n22, one per data point."""

REQUIRES_PAIR = (
    "q11 >= 0, q22 >= 0",
    "q12*q12 <= q11*q22 up to rounding, not checked: beyond it the numbers mean nothing "
    "(ufuncs, packages and compiled duals bring q12 to its bound first)",
)
REQUIRES_FINITE = "q11*q22 and the exponentials of the formula neither overflow nor underflow"
REQUIRES_DIAG = ("q >= 0",)


def parameters(exprs: Sequence[Expr], known: tuple[Symbol, ...]) -> tuple[str, ...]:
    """The names of the free symbols that are not covariance entries, sorted."""
    names = {s.name for e in exprs for s in e.free_symbols}
    return tuple(sorted(names - {s.name for s in known}))


def lower_dual(dual: DualLike) -> Program:
    """The program (q11, q12, q22, parameters) -> nngp, dot of a dual.

    `nngp` is E[s(u) s(v)], `dot` its derivative in q12.

    Raises:
        UnsupportedOp: a function or a complex number without an operation.
    """
    exprs = (dual.value, dual.dot)
    name, title = _name(dual.activation.name), _title(dual.activation)
    return _pair(name, exprs, ("nngp", "dot"), title, dual)


def lower_dual_diag(dual: DualLike) -> Program:
    """The program (q, parameters) -> nngp, dot on the diagonal u = v.

    Raises:
        UnsupportedOp: a function or a complex number without an operation.
    """
    known = (S.q, S.m)
    exprs = (dual.diag, dual.diag_dot)
    extra = tuple(s.name for s in (S.m,) if any(s in e.free_symbols for e in exprs))
    b = Builder(("q", *extra, *parameters(exprs, known)))
    settle_diagonal(b, dual)
    outputs = tuple((k, b.operand(_real(e))) for k, e in zip(("nngp", "dot"), exprs, strict=True))
    name = _name(dual.activation.name) + "_diag"
    return b.program(name, outputs, REQUIRES_DIAG, f"E[s(u)^2], s(x) = {dual.activation.expr}")


def _pair(
    name: str,
    exprs: tuple[Expr, ...],
    labels: tuple[str, ...],
    computes: str,
    dual: DualLike,
) -> Program:
    known = (S.q11, S.q12, S.q22, S.m1, S.m2)
    extra = tuple(s.name for s in (S.m1, S.m2) if any(s in e.free_symbols for e in exprs))
    b = Builder(("q11", "q12", "q22", *extra, *parameters(exprs, known)))
    settle(b, dual)
    outputs = tuple((k, b.operand(_real(e))) for k, e in zip(labels, exprs, strict=True))
    return b.program(name, outputs, _requires(b.program(name, outputs)), computes)


def _requires(p: Program) -> tuple[str, ...]:
    scale_free = {"rootdet", "arc1", "angle", "neg", "div", "mul", "add", "pi", "div0", "atan2"}
    scale_free |= {"asin3", "angle3", "arc3", "gap3", "sqrt0"}
    safe = all(let.op in scale_free for let in p.body) and _linear(p)
    if safe:
        return REQUIRES_PAIR
    return (*REQUIRES_PAIR, REQUIRES_FINITE)


_DEGREE = {
    **dict.fromkeys(("rootdet", "arc1", "arc3", "gap3", "neg", "abs", "add", "sub", "max"), 1.0),
    **dict.fromkeys(("angle", "angle3", "asin3", "atan2"), 0.0),
    "sqrt0": 0.5,
}


def _linear(p: Program) -> bool:
    """No intermediate value grows faster than the covariance: none leaves the range before it."""
    degree = {"q11": 1.0, "q12": 1.0, "q22": 1.0}
    for let in p.body:
        found = [degree[a] if a in degree else 0.0 for a in let.args if isinstance(a, str)]
        most = max(found, default=0.0)
        if let.op == "mul":
            most = sum(found)
        elif let.op in ("div", "div0"):
            ends = [degree.get(a, 0.0) if isinstance(a, str) else 0.0 for a in let.args]
            most = ends[0] - ends[1]
        else:
            most *= _DEGREE.get(let.op, 1.0)
        if most > 1.0 or most < 0.0:
            return False
        degree[let.name] = most
    return True


def lower_layer(rule: RuleLike) -> Program:
    """The program of one layer: state before it -> state after it.

    Inputs `STATE`, then weight_var, bias_var and parameters.  Outputs nngp, ntk, root.

    Raises:
        BadActivation: a parameter has the name of an input.
        UnsupportedOp: a function or a complex number without an operation.
    """
    exprs = (rule.nngp, rule.ntk)
    known = (S.q11, S.q12, S.q22, S.t12)
    given = parameters(exprs, known)
    if taken := sorted(set(given) & set(STATE)):
        raise BadActivation(
            f"{rule.name}: the parameter name {taken[0]!r} is taken in a layer",
            hint="another name; these have a meaning: " + ", ".join(sorted(STATE)),
        )
    args = (*STATE, *given)
    b = Builder(args, root="root")
    if (found := settles(rule.activation)) is not None:
        settle(b, found)
    nngp, ntk = b.operand(_real(rule.nngp)), b.operand(_real(rule.ntk))
    carried = _carried_root(b, rule, nngp)
    if carried is None:
        following = swamped_root(b, rule)
        if following is None:
            following = b.emit("rootdet", "n11", nngp, "n22", hint="following")
        carried = b.emit("carry", "root", "q11", "q12", "q22", following, hint="next_root")
    outputs = (("nngp", nngp), ("ntk", ntk), ("root", carried))
    return b.program(_name(rule.name), outputs, (*REQUIRES_PAIR, REQUIRES_FINITE), "one layer")


def lower_layer_diag(rule: RuleLike) -> Program:
    """The program (q, t12, parameters) -> nngp, ntk of one layer on the diagonal.

    Raises:
        UnsupportedOp: a function or a complex number without an operation.
    """
    exprs = (rule.nngp_diag, rule.ntk_diag)
    b = Builder(("q", "t12", *parameters(exprs, (S.q, S.t12))))
    if (found := settles(rule.activation)) is not None:
        settle_diagonal(b, found)
    outputs = tuple((k, b.operand(_real(e))) for k, e in zip(("nngp", "ntk"), exprs, strict=True))
    return b.program(_name(rule.name) + "_diag", outputs, REQUIRES_DIAG, "one layer, diagonal")


@lru_cache(maxsize=256)
def lower_input(nngp: Expr, ntk: Expr, parameters_of: tuple[str, ...] = ()) -> Program:
    """The program d -> nngp_slope, nngp_offset, ntk_slope, ntk_offset of an affine input rule.

    Raises:
        UnsupportedOp: the first layer is not affine in the inner product q12.
    """
    b = Builder(("d", *parameters_of))
    outputs: list[tuple[str, Operand]] = []
    for label, e in (("nngp", nngp), ("ntk", ntk)):
        slope = expand(e).coeff(S.q12, 1)
        offset = expand(e - slope * S.q12)
        if (slope.free_symbols | offset.free_symbols) & {S.q11, S.q12, S.q22}:
            raise UnsupportedOp(
                f"the first layer is not affine in the inner product: {label} = {e}",
                hint="an input layer of the form slope*<x, y> + offset",
            )
        outputs += [(f"{label}_slope", b.operand(slope)), (f"{label}_offset", b.operand(offset))]
    return b.program("input", tuple(outputs), ("d >= 1",), "the first layer, affine in <x, y>")


def _carried_root(b: Builder, rule: RuleLike, nngp: Operand) -> Operand | None:
    r"""The next root for an activation with s(cx) = c s(x), c > 0, or None for any other.

    Then $\Sigma' = S q_{12} + c\,G + \beta$, $G = m(\sin\theta - \theta\cos\theta)$,
    $m = \sqrt{q_{11}q_{22}}$, and $\sqrt{\Sigma'_{11}\Sigma'_{22}} - \Sigma'_{12}$ is
    $S(m - q_{12}) - c\,G + \beta S(\sqrt{q_{11}} - \sqrt{q_{22}})^2/(m' + S m + \beta)$:
    no term of it is a difference of nearly equal numbers near rho = 1.
    """
    found = degree_one(rule.nngp, rule.nngp_diag)
    if found is None:
        return None
    scale, cubic, offset, even = found
    s, c_scale, beta = (b.operand(x) for x in (scale, cubic, offset))
    q12 = b.emit("abs", "q12") if even else "q12"
    length = b.length()
    gap = b.emit("mul", s, b.emit("gap3", "root", q12, length, hint="gap"))
    arc = b.emit("arc3", "root", b.emit("neg", q12), length, hint="bend")
    apart = b.emit("sub", gap, b.emit("mul", c_scale, arc, hint="bend"), hint="apart")
    sides = b.emit("mul", "s11", "s22", hint="next_length")
    if offset != 0:
        diff = b.emit("sub", "r11", "r22")
        below = b.emit("add", b.emit("add", sides, b.emit("mul", s, length)), beta)
        weight = b.emit("div0", b.emit("mul", beta, s), below)
        apart = b.emit("add", apart, b.emit("mul", weight, b.emit("mul", diff, diff)))
    both = b.emit("add", sides, nngp)
    # one square root, of the product over the squared lengths: each factor alone may be tiny
    downs = [b.emit("inverse4", f"s{k}", hint=f"s{k}_down") for k in ("11", "22")]
    over = b.emit("mul", *downs, hint="over")
    scaled = b.emit("mul", b.emit("mul", apart, over), b.emit("mul", both, over))
    unit = b.emit("mul", *(b.emit("div", Fraction(1), d) for d in downs), hint="unit")
    return b.emit("mul", b.emit("sqrt0", scaled), unit, hint="next_root")


def degree_one(nngp: Expr, own: Expr) -> tuple[Expr, Expr, Expr, bool] | None:
    """(S, c, beta, even) where a rule is S*q12 + c*G + beta and S*q + beta for u = v, else None."""
    theta = asin(S.q12 / (sqrt(S.q11) * sqrt(S.q22)))
    root = sqrt(S.q11 * S.q22 - S.q12**2)
    coeff: Expr = Integer(0)
    of_root: Expr = Integer(0)
    rest: list[Expr] = []
    for term in Add.make_args(expand(nngp)):
        factors = Mul.make_args(term)
        if theta in factors:
            coeff += term / theta
        elif root in factors:
            of_root += term / root
        else:
            rest.append(term)
    linear = Add(*rest)
    if coeff == 0 or expand(coeff - of_root * S.q12) != 0:
        return None
    inner = expand(linear).coeff(S.q12, 1)
    offset = expand(linear - inner * S.q12)
    entries = {S.q11, S.q12, S.q22}
    if (of_root.free_symbols | inner.free_symbols | offset.free_symbols) & entries:
        return None
    scale = of_root * pi / 2 + inner
    if expand(own - scale * S.q - offset) != 0:
        return None
    return scale, of_root, offset, inner == 0


def _real(e: Expr) -> Expr:
    """The expression; complex infinity on a diagonal means +infinity (a jump's derivative)."""
    return oo if e in (zoo, oo) else e


def _name(text: str) -> str:
    kept = "".join(ch if ch.isascii() and ch.isalnum() else "_" for ch in text).strip("_")
    while "__" in kept:
        kept = kept.replace("__", "_")
    return kept if kept and not kept[0].isdigit() else f"s_{kept}".rstrip("_")


def _title(act: Activation) -> str:
    return f"E[s(u) s(v)], s(x) = {act.expr}"


__all__ = [
    "lower_dual",
    "lower_dual_diag",
    "lower_input",
    "lower_layer",
    "lower_layer_diag",
]
