"""Mixtures and closed forms for JAX, PyTorch and NumPy gradients: programs and their derivatives.

Every expectation of a mixture is a closed form in a pair of nodes; its derivatives in q11, q12, q22
are SymPy's, lowered like the form itself.  They are regular at rho = +-1: a logistic activation is
smooth.  A closed form with kinks has its derivatives by `gradients`, with the limits there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr

from ...activation import Activation
from ...dual import Dual
from ...dual import dual as closed_dual
from ...errors import UnsupportedOp
from ...gradients import DualGradients, dual_gradients
from ...lower.build import Builder
from ...lower.edge import edge_form
from ...lower.kernel import REQUIRES_DIAG, REQUIRES_PAIR
from ...lower.program import Program
from ...numeric.mixture import MixtureDual
from ...numeric.pairs import A, B, Entry, node_terms
from ...symbols import q, q11, q12, q22
from ..mixture.programs import STATE, MixturePrograms, closed_programs, mixture_programs
from ..mixture.rounding import rounding_note
from .module import ArrayBackend, function, singular

_SUFFIXES = ("", "_diag", "_slopes", "_diag_slopes")
_SLOPES = ("nngp_q11", "nngp_q22", "dot_q11", "dot_q12", "dot_q22")


@dataclass(frozen=True, slots=True)
class ArrayPrograms:
    """A dual as sums of programs over nodes, with the programs of their derivatives.

    Attributes:
        parts: the programs of the values.
        slopes: for each of `parts` (plain, singles, pairs) the program of its derivatives, and
            that of the diagonal.
        values: numbers for the parameters.
        said: lines for the head.
        kinks: whether derivatives of the derivative dual are infinite at rho = +-1.
    """

    parts: MixturePrograms
    slopes: tuple[tuple[Program, Program], ...]
    values: tuple[float, ...]
    said: tuple[str, ...]
    kinks: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What the values are and how good, and what is known of the derivatives."""
        last = "Derivatives: closed forms of the same sum; no bound is proven for them."
        return (*self.said, last)

    @property
    def programs(self) -> tuple[Program, ...]:
        """Every program inside."""
        return (*self.parts.programs, *(p for two in self.slopes for p in two))

    def text(self, stem: str, backend: ArrayBackend) -> str:
        """Python: `<stem>_value`, `<stem>_partials`, `<stem>_diag_value`, `<stem>_diag_partials`.

        The first two take (q11, q12, q22, root), the others q.

        Raises:
            UnsupportedOp: an operation that the target cannot spell.
        """
        m = self.parts
        kinds = [("plain", m.plain)]
        kinds += [(f"single{i}", two) for i, two in enumerate(m.singles)]
        kinds += [(f"pair{i}", (k.program, k.diagonal)) for i, k in enumerate(m.pairs)]
        pieces = []
        for (label, two), more in zip(kinds, self.slopes, strict=True):
            for suffix, p in zip(_SUFFIXES, (*two, *more), strict=True):
                pieces.append(function(p, f"_{stem}_{label}{suffix}", backend))
        s = f"_{stem}"
        pairs = "".join(
            f"({s}_pair{i}, {s}_pair{i}_diag, {s}_pair{i}_slopes, {s}_pair{i}_diag_slopes, "
            f"{2.0 if k.twice else 1.0 if k.same else 0.0}), "
            for i, k in enumerate(m.pairs)
        )
        singles = "".join(
            f"({s}_single{i}, {s}_single{i}_diag, {s}_single{i}_slopes, "
            f"{s}_single{i}_diag_slopes), "
            for i in range(len(m.singles))
        )
        nodes = "".join(f"    ({a!r}, {w!r}),\n" for a, w in m.nodes)
        tables = f"{s}_NODES = (\n{nodes})\n{s}_SINGLES = ({singles.rstrip()})\n"
        tables += f"{s}_PAIRS = ({pairs.rstrip()})"
        body = (_NODES if m.nodes else _PLAIN) + (_KINKS if self.kinks else _SMOOTH) + _TEXT
        passed = "".join(f", {backend.literal(v)}" for v in self.values)
        body = body.replace("@PASSED@", passed).replace("@STEM@", stem)
        return "\n\n\n".join(p.strip("\n") for p in (*pieces, tables, body)) + "\n"


def mixture_arrays(dual: MixtureDual, values: tuple[float, ...] = ()) -> ArrayPrograms:
    """The programs of a mixture dual and of its derivatives.

    Raises:
        UnsupportedOp: a function without an operation; kinks in every node.
    """
    params = tuple(p.name for p in dual.activation.params)
    forms, found = dual.forms, mixture_programs(dual, settled=False)
    slopes, kinks = [_slopes("plain", forms.plain, forms.plain_diag, (), params)], False
    if dual.form.rest != 0:
        kinks, beside = _beside(dual, params)
        slopes = [beside]
    if _kinked_nodes(dual):
        raise UnsupportedOp(
            f"{dual.activation.name or dual.activation.expr} has a kink in every node of its "
            "mixture: derivatives at rho = 1 are not written",
            hint='the targets "c" and "numpy" (values only), or method="tabulated"',
        )
    for i, (e, d) in enumerate(zip(forms.single, forms.single_diag, strict=True)):
        if (e.value, e.dot, d.value, d.dot) != (0, 0, 0, 0):
            slopes.append(_slopes(f"single{i}", e, d, (B.name,), params, kinks))
    for i, (e, d) in enumerate(zip(forms.pairs, forms.pairs_diag, strict=True)):
        slopes.append(_slopes(f"pair{i}", e, d, (A.name, B.name), params, kinks))
    bounds = "; ".join(dual.mixture_bound.text())
    what = f"K[{dual.activation.expr}]: {len(dual.mixture)} nodes"
    said = (f"{what}; proven, rounding not counted: {bounds}{rounding_note(found)}",)
    if kinks:  # the formula of a plain gate has no derivatives at a fixed angle
        found = replace(found, pairs=tuple(replace(k, gate=None) for k in found.pairs))
    return ArrayPrograms(found, tuple(slopes), values, said, kinks)


def _beside(dual: MixtureDual, params: tuple[str, ...]) -> tuple[bool, tuple[Program, Program]]:
    """Whether there are kinks beside the mixture, and the derivatives of the closed form there."""
    form = dual.form
    alone = closed_dual(Activation(form.activation.name, form.polynomial + form.rest))
    given = dual_gradients(alone, _DIST)
    _, kinks = singular(given)
    return kinks, _closed_slopes(given, kinks, params)


def _kinked_nodes(dual: MixtureDual) -> bool:
    """Whether a factor before the mixture has kinks."""
    if dual.form.plain:
        return False
    *_, nodes = node_terms(dual.form)
    return any(g.derivative()[0].derivative()[1] for g in nodes)


def _slopes(
    name: str,
    e: Entry,
    d: Entry,
    nodes: tuple[str, ...],
    params: tuple[str, ...],
    kinks: bool = False,
) -> tuple[Program, Program]:
    """The programs of derivatives; with `kinks` elsewhere in the sum also at a fixed angle."""
    slopes = [e.dot.diff(v) for v in (q11, q12, q22)]
    rows = list(zip(_SLOPES, [e.value.diff(q11), e.value.diff(q22), *slopes], strict=True))
    if kinks:
        turns = ((q11, slopes[0]), (q22, slopes[2]))
        rows += [(f"turn_{v.name}", s + q12 / (2 * v) * slopes[1]) for v, s in turns]
    pair = _program(f"{name}_slopes", tuple(rows), nodes, params)
    b = Builder(("q", *nodes, *params))
    own = tuple((k, b.operand(v.diff(q))) for k, v in (("nngp_q", d.value), ("dot_q", d.dot)))
    return pair, b.program(f"{name}_diag_slopes", own, REQUIRES_DIAG, "")


def _program(
    name: str, rows: tuple[tuple[str, Expr], ...], nodes: tuple[str, ...], params: tuple[str, ...]
) -> Program:
    b = Builder((*STATE, *nodes, *params), root="root")
    return b.program(name, tuple((k, b.operand(edge_form(e))) for k, e in rows), REQUIRES_PAIR, "")


def closed_arrays(dual: Dual, values: tuple[float, ...], sense: str) -> ArrayPrograms:
    """The programs of a closed form and of its derivatives.

    Raises:
        UnsupportedOp: a function without an operation, or an activation that jumps.
    """
    given: DualGradients = dual_gradients(dual, sense)
    jumps, kinks = singular(given)
    if jumps:
        raise UnsupportedOp(
            f"{dual.activation.name} jumps: its kernel has infinite derivatives",
            hint="derivative=almost_everywhere",
        )
    ae = replace(dual, dot=dual.dot_ae, diag_dot=dual.diag_dot_ae) if sense != _DIST else dual
    slopes = _closed_slopes(given, kinks, tuple(p.name for p in dual.activation.params))
    said = (f"K[{dual.activation.expr}]: closed form; its rounding is not measured",)
    return ArrayPrograms(closed_programs(ae), (slopes,), values, said, kinks)


def _closed_slopes(
    given: DualGradients, kinks: bool, params: tuple[str, ...]
) -> tuple[Program, Program]:
    """The derivatives of a closed form, of a pair and on the diagonal."""
    by = {p.wrt: p for p in given.entries}
    polar = {p.wrt: p for p in given.polar}
    rows: list[tuple[str, Any]] = [("nngp_q11", by["q11"].nngp), ("nngp_q22", by["q22"].nngp)]
    rows += [(f"dot_{v}", by[v].dot) for v in ("q11", "q12", "q22")]
    if kinks:
        rows += [(f"turn_{v}", polar[v].dot) for v in ("q11", "q22")]
    pair = _program("plain_slopes", tuple(rows), (), params)
    b = Builder(("q", *params))
    own = (("nngp_q", b.operand(given.diag.nngp)), ("dot_q", b.operand(given.diag.dot)))
    return pair, b.program("plain_diag_slopes", own, REQUIRES_DIAG, "")


_DIST = "distributional"

_PLAIN = '''
def @STEM@_value(q11, q12, q22, root):
    """The pair (nngp, dot)."""
    return _@STEM@_plain(q11, q12, q22, root@PASSED@)


def _@STEM@_slopes(q11, q12, q22, root):
    return _@STEM@_plain_slopes(q11, q12, q22, root@PASSED@)


def @STEM@_diag_value(q):
    """The pair (nngp, dot) for u = v with variance q."""
    return _@STEM@_plain_diag(q@PASSED@)


def @STEM@_diag_partials(q):
    """Their derivatives in q."""
    return tuple((v,) for v in _@STEM@_plain_diag_slopes(q@PASSED@))
'''

_NODES = '''
def _@STEM@_total(which, at):
    """The sum over single nodes and over pairs of nodes of one of the four functions."""
    plain = (_@STEM@_plain, _@STEM@_plain_diag, _@STEM@_plain_slopes, _@STEM@_plain_diag_slopes)
    zero = sum(0.0 * v for v in at)
    total = _stacked(tuple(v + zero for v in plain[which](*at@PASSED@)))
    nodes, count = _constants(_@STEM@_NODES, zero), len(_@STEM@_NODES)
    for row in _@STEM@_SINGLES:

        def one(i, f=row[which]):
            b, w = nodes[i][0], nodes[i][1]
            return w * _stacked(tuple(v + zero for v in f(*at, b@PASSED@)))

        total = total + _added(one, count, 0.0 * total)
    for row in _@STEM@_PAIRS:
        share = row[4] if which % 2 else 1.0
        if not share:
            continue

        def two(i, f=row[which]):
            (a, v), (b, w) = (_two_of(nodes[i // count]), _two_of(nodes[i % count]))
            return (v * w) * _stacked(tuple(v + zero for v in f(*at, a, b@PASSED@)))

        total = total + share * _added(two, count * count, 0.0 * total)
    return tuple(total[k] for k in range(total.shape[0]))


def _@STEM@_bounded(q):
    """NaN where products of variances would overflow."""
    return _where(q <= _most(q), q, float("nan") + 0.0 * q)


def @STEM@_value(q11, q12, q22, root):
    """The pair (nngp, dot)."""
    q11, q22 = _@STEM@_bounded(q11), _@STEM@_bounded(q22)
    return _@STEM@_total(0, (q11, q12, q22, root))


def _@STEM@_slopes(q11, q12, q22, root):
    q11, q22 = _@STEM@_bounded(q11), _@STEM@_bounded(q22)
    return _@STEM@_total(2, (q11, q12, q22, root))


def @STEM@_diag_value(q):
    """The pair (nngp, dot) for u = v with variance q."""
    return _@STEM@_total(1, (_@STEM@_bounded(q),))


def @STEM@_diag_partials(q):
    """Their derivatives in q."""
    return tuple((v,) for v in _@STEM@_total(3, (_@STEM@_bounded(q),)))
'''

_SMOOTH = """

def _@STEM@_rows(q11, q12, q22, root):
    return _@STEM@_slopes(q11, q12, q22, _held(root, q11, q12, q22))
"""

_KINKS = '''

def _@STEM@_rows(q11, q12, q22, root):
    """At rho = +-1 the derivative in q12 is infinite: the mean of its limits in the angle."""
    edge = root == 0.0
    k1, k2, d1, d12, d2, turn1, turn2 = _@STEM@_slopes(q11, q12, q22, _held(root, q11, q12, q22))
    d1, d2 = _where(edge, turn1, d1), _where(edge, turn2, d2)
    return k1, k2, d1, _where(edge, 0.0 * root, d12), d2
'''

_TEXT = '''

def @STEM@_partials(q11, q12, q22, root):
    """The derivatives of nngp and of dot in q11, q12, q22; none in root, which follows."""
    _, dot = _@STEM@(q11, q12, q22, root)
    k1, k2, d1, d12, d2 = _@STEM@_rows(q11, q12, q22, root)
    return (k1, dot, k2, 0.0 * root), (d1, d12, d2, 0.0 * root)
'''
