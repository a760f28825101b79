r"""The layers of a network with their derivatives, as programs: what forward mode needs of a pair.

Three ways to carry a direction through a layer, by what its dual is at $\rho = \pm 1$:

- `SMOOTH`: no kink. The coordinates are the covariance itself, and nothing is infinite.
- `SCALED`: positively homogeneous of degree one (ReLU and its kin).  The coordinates are the
  variances and the angle $\theta$; with $A = \sqrt{\Sigma'_{11}\Sigma'_{22}} - \Sigma'_{12}$, the
  sum without cancellation of `lower.kernel`, the next direction of the angle is
  $\theta'' = (A' - A\lambda)/\sqrt{\det}$, $\lambda$ the direction of the logarithm of the length:
  every term of it is as small as the angle allows.
- `KINKED`: the rest.  The same coordinates; $\theta''$ is a quotient of small differences, which
  loses the digits of a small angle (`gradients.near` says what is done then).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import inf
from typing import Any

from sympy import Expr, nan

from ... import symbols as S
from ...backends.c.gradient.file import FIRST
from ...derivation import Derivation, parity
from ...dual import Dual, dual
from ...errors import UnsupportedOp
from ...gradients import DualGradients, dual_gradients
from ...lower.build import Builder
from ...lower.edge import edge_form
from ...lower.kernel import degree_one
from ...lower.near import kinked, odd
from ...lower.price import small_program
from ...lower.program import Operand, Program
from ...lower.scales import settle, settle_diagonal, settles
from ...lower.schedule import number
from ...lower.slopes import Leading, brought_down, brought_down_diagonal, leading_slopes
from ...network import Recursion, recurse
from ...network.affine import KDOT, K, UnknownDual
from ...network.convention import DerivativeSense
from .gap import turned_gap
from .kinks import Kinks, kinks_of

SMOOTH, SCALED, KINKED = "smooth", "scaled", "kinked"
EVEN = Fraction(2**5)
"""The standard deviation up to which slopes may be sums of those in the covariance: of equal rows
they cancel to the reciprocal of its square, if s is a step from far away, and rounding of a
covariance moves E[s''(u)s''(v)] by as much."""
STEEP = 2.0**500
"""`Layer.steepest` of steps: E[s''(u)s''(v)] goes like the reciprocal of its square."""
_Programs = tuple[str, Program, Program, Program | None, Program | None]
PAIR = ("q11", "q12", "q22", "root", "t12", "diff", "n11", "n22", "r11", "r22", "s11", "s22")
"""The inputs of a pair before its parameters; diff is sqrt(q11) - sqrt(q22), not from these."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer with its derivatives, and its numbers.

    Attributes:
        kind: `SMOOTH`, `SCALED` or `KINKED`.
        pair: `PAIR`, parameters -> n, t, root, diff, the next covariance, NTK, root and difference
            of lengths, and derivatives of n and t: `_x`, `_y` in the variances, `_a` in the third
            coordinate, `_q` in q12, `_t` in t12, `_of_<p>` in parameters (absent where 0),
            in q12; `e_...` of A (`SCALED`).
        side: q, t12, parameters -> n, t, n_q, n_of_<p> on the diagonal.
        values: the numbers of weight_var, bias_var and the parameters.
        params: the names of the activation's parameters.
        near: q11, q12, q22, root, parameters -> slope, the derivative dual times the variance of
            the weights, and its derivatives slope_x, slope_y (at a fixed angle), slope_of_<p>; None
            where the angle does not need it (`SCALED`), the activation jumps or variances are huge.
        mirror: 1 or -1 where opposite inputs have equal or opposite outputs, else 0.
        kinks: those of the activation; None where slopes of nearly parallel pairs keep their
            digits: its slope does not jump, or it is no sum of terms (real powers).
        most: the variance beyond which doubles leave their range in these programs, and `wide`
            ones are for.
        settled: q11, q12, q22, root, t12, parameters -> n, t, n_q, t_t and derivatives in this
            layer's `SHARED`, as in `pair`, dot, the slope of the dual in q12, own, the derivative
            dual (another one where s jumps), t_K and t_Kdot, derivatives of t in both duals, that
            keep their digits at any variance; None where the closed forms have nothing to lose.
        degree: n where the layer is as c|x|^n far out, or everywhere; None where that is not
            known.
    """

    kind: str
    pair: Program
    side: Program
    near: Program | None
    values: dict[str, Any]
    params: tuple[str, ...]
    mirror: int
    kinks: Kinks | None
    most: float
    settled: Program | None
    degree: int | None = None

    @property
    def steepest(self) -> float:
        """The variance beyond which slopes of the derivative dual are not doubles."""
        return STEEP if self.degree == 0 else inf


def layers_of(
    recursion: Recursion, *, wide: bool = False, closed: bool = False
) -> tuple[Layer, ...]:
    """The layers of a network, lowered; equal ones share their programs.

    Args:
        recursion: the network.
        wide: programs for variances beyond `Layer.most` too, at up to twice the price.
        closed: closed forms alone, for many digits: what is exact in doubles only is left out.

    Raises:
        NoClosedForm: an activation has no closed form.
        UnsupportedOp: a dual that is no closed form, or a parameter without a derivative.
    """
    net = recursion.network
    blocks = tuple((replace(s, dual=UnknownDual()), dense) for s, dense in net.blocks)
    unknown = recurse(replace(net, blocks=blocks))
    made = []
    for (block, _), rule, outer in zip(net.blocks, recursion.layers, unknown.layers, strict=True):
        forms = block.dual if isinstance(block.dual, Dual) else dual(block.activation)
        bare = replace(rule, values=()), replace(outer, values=())
        found = _lowered(forms, net.convention.derivative, bare, wide, closed)
        values = {str(s.name): number(v) for s, v in rule.values}
        values.update({str(s.name): number(v) for s, v in outer.values})
        names = tuple(sorted(str(p.name) for p in block.activation.params))
        programs, most, degree = found
        mirror = parity(block.activation) if odd(rule) else 0
        kinks = kinks_of(block.activation, values)
        made.append(Layer(*programs[:4], values, names, mirror, kinks, most, programs[4], degree))
    return tuple(made)


@lru_cache(maxsize=128)
def _lowered(
    forms: Dual, sense: DerivativeSense, rules: tuple[Any, Any], wide: bool, closed: bool
) -> tuple[_Programs, float, int | None]:
    """The programs of a layer without its numbers, `Layer.most` and `Layer.degree`.

    `rules`: of the layer, and of one whose dual is unknown.
    """
    given = dual_gradients(forms, sense)
    if given.left_out:
        raise UnsupportedOp(
            f"no closed form for the derivative in {given.left_out[0]!r}",
            hint=f"a number for {given.left_out[0]}",
        )
    known = _leading(given)
    far = EVEN if sharp(known) and not kinked(forms.activation) else Fraction(2**500)
    most = inf if known is None or wide else float(min(known.most, far)) ** 2
    made = _programs(given, *rules, known if wide else None, closed)
    degree = 1 if made[0] == SCALED else None if known is None else known.degree
    return made, most, degree


def _programs(
    given: DualGradients, rule: Any, outer: Any, known: Leading | None, closed: bool
) -> _Programs:
    """The kind of a layer, the programs of a pair, the diagonal, near pairs and settled values."""
    found = given.dual
    scaled = degree_one(rule.nngp, rule.nngp_diag)
    # far out a smooth activation turns as sharply as a kink: E[s''(u)s''(v)] sees its width
    smooth = not (sharp(known) or kinked(found.activation))
    kind = SCALED if scaled is not None else SMOOTH if smooth else KINKED
    exprs = (outer.nngp, outer.ntk)
    names = {s.name for e in exprs for s in e.free_symbols} - {s.name for s in (K, KDOT, S.t12)}
    if scaled is not None:
        names |= {s.name for e in scaled[:3] for s in e.free_symbols}
    params = tuple(sorted(names | set(given.names)))
    b = Builder((*PAIR, *params), root="root", apart="diff")
    distributional = given.sense == "distributional"
    made = _slopes(b, given, kind, known, closed)
    b.replace(K, made["nngp"])
    own = found.dot if distributional else found.dot_ae
    b.replace(KDOT, made["dot"] if own == found.dot else b.operand(own))
    dense = _Dense(b, *exprs)
    n, t = dense.values()
    outputs: list[tuple[str, Operand]] = [("n", n), ("t", t)]
    for label in ("x", "y") if kind == SMOOTH else ("x", "y", "a"):
        outputs += dense.along(label, made[f"nngp_{label}"], made[f"dot_{label}"])
    for p in given.params:
        ends = (b.operand(edge_form(e)) for e in (p.nngp, p.dot))
        outputs += dense.along(f"of_{p.wrt}", *ends)
    outputs += dense.along("q", made["nngp_q"], made["dot_q"])
    if kind == SMOOTH:
        outputs += [(f"{k}_a", o) for k, o in (("n", outputs[-2][1]), ("t", outputs[-1][1]))]
    outputs.append(("t_t", b.operand(outer.ntk.diff(S.t12))))
    outputs += _shared(b, exprs)
    outputs += turned_gap(b, scaled, given.names, n) if scaled else _formed(b, n)
    kept = tuple((k, o) for k, o in outputs if o != 0 or k in FIRST)
    pair = b.program("gradient_pair", kept, rule_requires(found), "one layer and its derivatives")
    none = kind == SCALED or known is not None or not rule.continuous
    near = None if none else _near(given, outer, params)
    settled = None if kind == SCALED or closed else _settled(given, exprs, params)
    return kind, pair, _side(given, exprs, params, known, closed), near, settled


def _settled(
    given: DualGradients, exprs: tuple[Expr, Expr], params: tuple[str, ...]
) -> Program | None:
    """`Layer.settled`."""
    found = given.dual
    if settles(found.activation) is None:
        return None
    b = Builder(("q11", "q12", "q22", "root", "t12", *params), root="root")
    settle(b, found)
    own = b.operand(found.dot if given.sense == "distributional" else found.dot_ae)
    b.replace(K, b.operand(found.value))
    b.replace(KDOT, own)
    outputs = [(k, b.operand(e)) for k, e in zip("nt", exprs, strict=True)]
    outputs.append(("n_q", _times(b, b.operand(exprs[0].diff(K)), b.operand(found.dot))))
    outputs += [("t_t", b.operand(exprs[1].diff(S.t12))), *_shared(b, exprs)]
    kept = tuple((k, o) for k, o in outputs if o != 0)
    kept += tuple((f"t_{s.name}", b.operand(exprs[1].diff(s))) for s in (K, KDOT))
    kept += (("dot", b.operand(found.dot)), ("own", own))
    return b.program("gradient_values", kept, rule_requires(found), "one layer")


def _shared(b: Builder, exprs: tuple[Expr, Expr]) -> list[tuple[str, Operand]]:
    """Derivatives of both kernels in this layer's `SHARED`."""
    return [
        (f"{k}_of_{s.name}", b.operand(e.diff(s)))
        for s in (S.weight_var, S.bias_var)
        for k, e in zip("nt", exprs, strict=True)
    ]


def sharp(known: Leading | None) -> bool:
    """Whether s'' is a point from far away."""
    return known is not None and known.degree < 2


def _leading(given: DualGradients) -> Leading | None:
    """What is known of the activation far out, where slopes need it."""
    return leading_slopes(given.dual, tuple(e for p in given.entries for e in (p.nngp, p.dot)))


def _slopes(
    b: Builder, given: DualGradients, kind: str, known: Leading | None, closed: bool
) -> dict[str, Operand]:
    """The dual, its derivative and the slopes of both: "nngp_x", ..., as in `Layer.pair`."""
    found = given.dual
    sides = given.entries if kind == SMOOTH else given.polar
    known = None if kind == SCALED else known
    at = Builder(("q11", "q12", "q22", "root", *given.names), root="root") if known else b
    derived = isinstance(found.derivation, Derivation) and not closed
    if known is None and derived and small_program(found.activation) is not None:
        settle(at, found)
    ends = {"nngp": at.operand(found.value), "dot": at.operand(found.dot)}
    turned = given.turned(at) if kind == KINKED else {}
    short = {"q11": "x", "q22": "y", "angle": "a"}
    for p in (*given.entries, *sides):
        if p.wrt == "q12":
            ends["nngp_q"], ends["dot_q"] = ends["dot"], at.operand(edge_form(p.dot))
        elif p in sides:
            label = short[p.wrt]
            plain = turned.get(p.wrt)
            ends[f"nngp_{label}"] = at.operand(edge_form(p.nngp)) if plain is None else plain
            ends[f"dot_{label}"] = at.operand(edge_form(p.dot))
    if known is None:
        return ends
    inner = at.program("slopes", tuple(ends.items()))
    return brought_down(b, inner, known)


def _near(given: DualGradients, outer: Any, params: tuple[str, ...]) -> Program:
    """The derivative dual times the variance of the weights, and its slopes."""
    b = Builder(("q11", "q12", "q22", "root", *params), root="root")
    scale = b.operand(outer.nngp.diff(K))
    polar = {p.wrt: p.dot for p in given.polar}
    rows = [("slope", given.dual.dot), ("slope_x", polar["q11"]), ("slope_y", polar["q22"])]
    rows += [(f"slope_of_{p.wrt}", p.dot) for p in given.params]
    outputs = tuple((k, _times(b, scale, b.operand(edge_form(e)))) for k, e in rows)
    return b.program("gradient_near", outputs, rule_requires(given.dual), "near pairs")


def rule_requires(found: Any) -> tuple[str, ...]:
    """Preconditions of the program of a pair, in words."""
    return ("q11 > 0, q22 > 0", f"the activation: {found.activation.name}")


class _Dense:
    """The dense layer after a dual, and what it makes of directions."""

    def __init__(self, b: Builder, nngp: Expr, ntk: Expr) -> None:
        self._b, self._exprs = b, (nngp, ntk)
        self.by_value = b.operand(nngp.diff(K))
        self._rates = (b.operand(ntk.diff(K)), b.operand(ntk.diff(KDOT)))

    def values(self) -> tuple[Operand, Operand]:
        """Sigma' and Theta'."""
        return self._b.operand(self._exprs[0]), self._b.operand(self._exprs[1])

    def along(self, label: str, value: Operand, dot: Operand) -> list[tuple[str, Operand]]:
        """Derivatives of both from those of the dual and of its derivative."""
        b = self._b
        of_value, of_dot = self._rates
        n = _times(b, self.by_value, value)
        t = b.emit("add", _times(b, of_value, value), _times(b, of_dot, dot))
        return [(f"n_{label}", n), (f"t_{label}", t)]


def _times(b: Builder, x: Operand, y: Operand) -> Operand:
    return 0 if x == 0 or y == 0 else b.emit("mul", x, y)


def _formed(b: Builder, n: Operand) -> list[tuple[str, Operand]]:
    """The next root from the next covariance, and the next difference of lengths."""
    after = b.emit("rootdet", "n11", n, "n22", hint="following")
    carried = b.emit("carry", "root", "q11", "q12", "q22", after, hint="next_root")
    return [("root", carried), ("diff", b.emit("sub", "s11", "s22", hint="next_diff"))]


def _side(
    given: DualGradients,
    exprs: tuple[Expr, Expr],
    params: tuple[str, ...],
    known: Leading | None,
    closed: bool,
) -> Program:
    """One point's variance and NTK after the layer, and derivatives of the variance."""
    found = given.dual
    dot = found.diag_dot if given.sense == "distributional" else found.diag_dot_ae
    b = Builder(("q", "t12", *params))
    at = Builder(("q", *given.names)) if known else b
    if known is None and not closed and settles(found.activation) is not None:
        settle_diagonal(at, found)
    ends = {"nngp": at.operand(found.diag), "nngp_q": at.operand(given.diag.nngp)}
    ends["dot"] = at.emit("inf") if dot is nan else at.operand(dot)
    if known:
        ends = brought_down_diagonal(b, at.program("own", tuple(ends.items())), known)
    b.replace(K, ends["nngp"])
    b.replace(KDOT, ends["dot"])
    nngp, ntk = exprs
    outer = b.operand(nngp.diff(K))
    outputs = [("n", b.operand(nngp)), ("t", b.operand(ntk))]
    outputs.append(("n_q", _times(b, outer, ends["nngp_q"])))
    outputs += [(f"n_of_{p.wrt}", _times(b, outer, b.operand(p.nngp))) for p in given.diag_params]
    outputs += [(f"n_of_{s.name}", b.operand(nngp.diff(s))) for s in (S.weight_var, S.bias_var)]
    kept = tuple((k, o) for k, o in outputs if o != 0 or k in ("n", "t"))
    return b.program("gradient_side", kept, ("q > 0",), "one layer and its derivatives, u = v")
