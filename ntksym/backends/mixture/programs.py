"""The programs of a mixture dual: one per generic expectation, for every pair of nodes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import Expr, expand, pi, sqrt

from ...activation import Activation
from ...errors import UnsupportedOp
from ...lower.build import Builder
from ...lower.kernel import REQUIRES_DIAG, REQUIRES_PAIR
from ...lower.likes import DualLike
from ...lower.program import Program
from ...lower.scales import settle, settle_diagonal, settles
from ...lower.schedule import number
from ...numeric.cancellation import cancellation
from ...numeric.logistic import Part
from ...numeric.mixture import CHECKED, MixtureDual
from ...numeric.pairs import A, B, Entry
from ...symbols import q, q11, q12, q22
from .._base import identifier
from .far import Far, far
from .moments import contracted, contracts
from .split import pair_split, plain_split, single_split, split_note

STATE = ("q11", "q12", "q22", "root")
LARGEST = 2.0**200
"""Above this variance gradients are NaN: products of variances would overflow, and a determinant
that is infinite gives a wrong finite number in places.  Values are brought down (`far`)."""


@dataclass(frozen=True, slots=True)
class NodePair:
    """The program of two families, and whether it is symmetric in the two nodes at q11 = q22."""

    program: Program
    diagonal: Program
    same: bool
    twice: bool
    """On the diagonal this program also stands for the two families the other way round."""
    gate: tuple[float, float] | None = None
    """(C^2, c) where the family is the gate C*T(c*x) alone, both numbers."""


@dataclass(frozen=True, slots=True)
class MixturePrograms:
    """A mixture dual, lowered: (nngp, dot) of the plain part, of one node, of two nodes.

    Attributes:
        name: an identifier.
        params: of the activation, sorted; the last arguments of every program.
        nodes: (slope, weight) as doubles.
        plain: the part without nodes, and its diagonal.
        singles: for each family with such a part the program in `B`, and its diagonal.
        pairs: for each two families.
    """

    name: str
    params: tuple[str, ...]
    nodes: tuple[tuple[float, float], ...]
    plain: tuple[Program, Program]
    singles: tuple[tuple[Program, Program], ...]
    pairs: tuple[NodePair, ...]
    said: str = ""
    """A clause for the head of a file: what is left out at small variances."""
    far: Far | None = None
    """How large variances are brought down; None without nodes."""
    beside: bool = False
    """Whether there is more than polynomials beside the mixture: `said` has its rounding."""

    @property
    def programs(self) -> tuple[Program, ...]:
        """Every program, in order."""
        single = tuple(p for two in self.singles for p in two)
        return (*self.plain, *single, *(p for k in self.pairs for p in (k.program, k.diagonal)))


def mixture_programs(dual: MixtureDual, *, settled: bool = True) -> MixturePrograms:
    """The programs of a mixture dual, stable at rho = +-1 by the accuracy table of `lower`.

    `settled`: what stands beside the mixture may have the operations of `lower.scales`, which hold
    at any variances; array code has none.

    Raises:
        UnsupportedOp: a function without an operation.
    """
    name = identifier(dual.activation.name or "dual", set()).rstrip("_")
    params = tuple(p.name for p in dual.activation.params)
    a, b = A.name, B.name
    forms = dual.forms
    count = forms.families

    def both(label: str, e: Entry, d: Entry, nodes: tuple[str, ...]) -> tuple[Program, Program]:
        pair = _program(f"{label}", e, (*STATE, *nodes, *params), "root", REQUIRES_PAIR)
        diag = _program(f"{label}_diag", d, ("q", *nodes, *params), None, REQUIRES_DIAG)
        return pair, diag

    singles = [
        tuple(single_split(dual, p, i) for p in both(f"single{i}", e, d, (b,)))
        for i, (e, d) in enumerate(zip(forms.single, forms.single_diag, strict=True))
        if (e.value, e.dot, d.value, d.dot) != (0, 0, 0, 0)
    ]
    pairs = []
    for i in range(count):
        for j in range(count):
            e, d = forms.pairs[i * count + j], forms.pairs_diag[i * count + j]
            label, more = f"pair{i}{j}", (a, b, *params)
            if contracts(dual, (i, j)):
                pair = contracted(dual, (i, j), label, (*STATE, *more))
                diag = contracted(dual, (i, j), f"{label}_diag", ("q", *more))
            else:
                pair, diag = both(label, e, d, (a, b))
            if i == j and (part := _lone_reduced(dual, i)) is not None:
                pair = _reduced_program(pair.name, part, pair.args, (q11, q12, q22))
                diag = _reduced_program(diag.name, part, diag.args, (q, q, q))
            pair, diag = (pair_split(dual, p, i, j) for p in (pair, diag))
            gate = _lone_gate(dual, i) if i == j else None
            pairs.append(NodePair(pair, diag, i == j, i < j, gate))
    nodes = tuple((float(s), float(w)) for s, w in dual.mixture)
    plain = [plain_split(dual, p) for p in both("plain", forms.plain, forms.plain_diag, ())]
    if settled and dual.form.rest != 0:
        plain = _beside(dual, params)
    return MixturePrograms(
        name,
        params,
        nodes,
        (plain[0], plain[1]),
        tuple((p, d) for p, d in singles),
        tuple(pairs),
        split_note(dual) if dual.form.plain else _beside_note(dual),
        far(dual),
        not dual.form.plain,
    )


def _program(
    name: str, e: Entry, args: tuple[str, ...], root: str | None, requires: tuple[str, ...]
) -> Program:
    builder = Builder(args, root=root)
    outputs: tuple[tuple[str, Any], ...] = (
        ("nngp", builder.operand(e.value)),
        ("dot", builder.operand(e.dot)),
    )
    return builder.program(name, outputs, requires, "")


def _beside(dual: MixtureDual, params: tuple[str, ...]) -> list[Program]:
    """The closed form of what stands beside the mixture, with what settles one on its own."""
    forms, form = dual.forms, dual.form
    pair, diag = Builder((*STATE, *params), root="root"), Builder(("q", *params))
    alone = Activation(form.activation.name, form.polynomial + form.rest)
    if (whole := settles(alone)) is not None:
        settle(pair, whole)
        settle_diagonal(diag, whole)
    rows = ((pair, forms.plain, REQUIRES_PAIR), (diag, forms.plain_diag, REQUIRES_DIAG))
    return [
        b.program(name, (("nngp", b.operand(e.value)), ("dot", b.operand(e.dot))), requires, "")
        for name, (b, e, requires) in zip(("plain", "plain_diag"), rows, strict=True)
    ]


def _beside_note(dual: MixtureDual) -> str:
    """A clause for the head of a file: what the sum of the parts loses."""
    if dual.activation.params:
        return "; rounding is not measured"
    try:
        lost = max(cancellation(dual.activation, v) for v in CHECKED) * 2.0**-53
    except UnsupportedOp:
        return "; rounding is not measured"
    ends = " to ".join(f"{float(v):g}" for v in CHECKED)
    return f"; rounding about {lost:.1e} of the dual for q = {ends}, by the sizes of its parts"


def _lone_gate(dual: MixtureDual, family: int) -> tuple[float, float] | None:
    """(C^2, c) of a family that is C*T(c*x), with numbers."""
    where = dual.form.families[family]
    found = [p for p in dual.form.parts if (p.slope, p.offset) == where]
    (part, *more) = found
    plain = part.order == 0 and part.offset == 0 and not part.reduced
    if more or not plain or part.factor.free_symbols or part.slope.free_symbols:
        return None
    return number(part.factor**2), number(part.slope)


def _lone_reduced(dual: MixtureDual, family: int) -> Part | None:
    """The part of a family that is one reduced part."""
    where = dual.form.families[family]
    found = [p for p in dual.form.parts if (p.slope, p.offset) == where]
    return found[0] if len(found) == 1 and found[0].reduced else None


def _reduced_program(
    name: str, part: Part, args: tuple[str, ...], variances: tuple[Expr, Expr, Expr]
) -> Program:
    r"""E[g(u; a) g(v; b)] and its derivative for one reduced part, without cancellation.

    g(x; a) is $2\Phi(az) - 1 - 2a\varphi(0)z$, z = cx.  With $n = abc^2q_{12}$,
    $s^2 = 1 + a^2c^2q_{11}$, $t^2 = 1 + b^2c^2q_{22}$, $R^2 = s^2t^2 - n^2$ and
    $\theta = \arcsin\frac{n}{st}$ the derived form is
    $\frac2\pi(n(1 - \frac1s)(1 - \frac1t) + \theta - \sin\theta)$, where
    $\theta - \sin\theta = \tan\theta\,\frac{n^2}{st(st + R)} - (\tan\theta - \theta)$.
    """
    q_u, q_uv, q_v = variances
    b = Builder(args, root="root" if "root" in args else None)
    one, node, other = Fraction(1), A * part.slope, B * part.slope
    over_u, over_v = node**2 * q_u, other**2 * q_v
    n = b.operand(node * other * q_uv)
    s, t = b.operand(sqrt(1 + over_u)), b.operand(sqrt(1 + over_v))
    rest = b.operand(sqrt(expand((1 + over_u) * (1 + over_v) - (node * other * q_uv) ** 2)))
    both = b.emit("mul", s, t)
    near = b.emit("mul", both, b.emit("add", both, rest))

    def less(over: Expr, root: Any) -> Any:  # 1 - 1/root
        return b.emit("div", b.operand(over), b.emit("mul", root, b.emit("add", root, one)))

    bent = b.emit("mul", less(over_u, s), less(over_v, t))
    square = b.emit("mul", n, n)
    size = b.emit("abs", n)
    gap = b.emit(
        "sub",
        b.emit("div", b.emit("mul", size, square), near),
        b.emit("arc1", size, b.emit("neg", rest)),
    )
    arc = b.emit("mul", b.emit("sign", n), b.emit("div", gap, rest))
    scale = b.operand(part.factor**2 * 2 / pi)
    value = b.emit("mul", scale, b.emit("add", b.emit("mul", n, bent), arc))
    steep = b.emit("div", square, b.emit("mul", rest, near))
    slope = b.operand(part.factor**2 * 2 * node * other / pi)
    dot = b.emit("mul", slope, b.emit("add", bent, steep))
    return b.program(name, (("nngp", value), ("dot", dot)), REQUIRES_PAIR, "")


def closed_programs(dual: DualLike) -> MixturePrograms:
    """A closed form as a mixture dual without nodes, for array code, which has no other operations.

    Raises:
        UnsupportedOp: a function without an operation.
    """
    params = tuple(p.name for p in dual.activation.params)
    pair = _program("plain", Entry(dual.value, dual.dot), (*STATE, *params), "root", REQUIRES_PAIR)
    own = Entry(dual.diag, dual.diag_dot)
    diag = _program("plain_diag", own, ("q", *params), None, REQUIRES_DIAG)
    name = identifier(dual.activation.name or "dual", set()).rstrip("_")
    return MixturePrograms(name, params, (), (pair, diag), (), ())
