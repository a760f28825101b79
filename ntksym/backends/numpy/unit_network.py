"""NumPy for duals that are units: one stand-alone module for a dual, one for a network."""

from __future__ import annotations

from ...lower.program import Program
from .._base import SourceFile, identifier
from ..c.backend import Contract, head_rows
from ..near import numpy_near
from ..unit import DualUnit
from ..unit_schedule import UnitSchedule, labelled
from .backend import NUMPY, function, module_head, used_helpers
from .helpers import helpers
from .network import DIAGONALS, DIAGONALS_END, FIRST_LAYER, KERNEL

_ALWAYS = frozenset({"_rootdet", "_sqrt0", "_two_product"})


def dual_file(name: str, unit: DualUnit, contract: Contract) -> SourceFile:
    """The module of a dual: `dual(q11, q12, q22, root=None)` and `diagonal(q)`.

    Both return the pair (nngp, dot).

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    safe = identifier(name, set()).rstrip("_")
    pieces = [
        _head(contract, labelled("unit", unit), unit.programs),
        helpers(_wanted(unit.programs)),
    ]
    pieces += [unit.numpy_functions("unit").strip("\n"), _DUAL.strip("\n")]
    return SourceFile(f"{safe}.py", "\n\n\n".join(pieces) + "\n")


def network_file(schedule: UnitSchedule, contract: Contract) -> SourceFile:
    """The module of a network.

    `first_layer(d)`, `diagonals(g, first)`, `pairs(g12, qx, qy, first, root=None)`, and
    `kernel(x, y=None)` which does it all.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    name = identifier(schedule.name, set()).rstrip("_")
    programs = schedule.programs
    pieces = [_head(contract, schedule.notes, programs), helpers(_wanted(programs))]
    pieces.append(function(schedule.input, "_input_rule", "The affine first layer.").rstrip("\n"))
    pieces += [u.numpy_functions(f"dual{k}").strip("\n") for k, u in enumerate(schedule.kinds)]
    near = schedule.carries
    pieces += [numpy_near().strip("\n"), _NEAR.strip("\n")] if near else []
    rows = ""
    for s in schedule.steps:
        numbers = ", ".join(f"({', '.join(NUMPY.literal(v) for v in z)})" for z in (s.pair, s.diag))
        rows += f"    (dual{s.kind}_pairs, dual{s.kind}_diag, {s.vanishes}, {numbers}"
        bias = NUMPY.literal(s.pair[0]) if s.straight else "None"
        rows += f", {s.carried}, {bias}, {NUMPY.literal(s.far)}),\n" if near else "),\n"
    pieces.append(f"LAYERS = (\n{rows})")
    values = "".join(f", {NUMPY.literal(v)}" for v in schedule.input_values)
    text = _NETWORK.replace("@VALUES@", values).replace("@MENDED@", _MENDED if near else "")
    text = text.replace("@UNIT@", "own" if near else "_")
    text = text.replace("@MORE@", ", mended, bias, far" if near else "").replace(
        "@REST@", ", *_" if near else ""
    )
    pieces.append(text.strip("\n"))
    return SourceFile(f"{name}.py", "\n\n\n".join(pieces) + "\n")


def _head(contract: Contract, notes: tuple[str, ...], programs: tuple[Program, ...]) -> str:
    """The docstring, with what the units say, and the import."""
    before, mark, after = module_head(contract, programs).rstrip("\n").rpartition('"""')
    lines = [line for note in notes for line in head_rows(note)]
    return before + "\n" + "\n".join(lines).replace('"""', "'''") + "\n" + mark + after


def _wanted(programs: tuple[Program, ...]) -> frozenset[str]:
    return used_helpers(programs) | _ALWAYS


_DUAL = '''
def dual(q11, q12, q22, root=None):
    """The pair (nngp, dot); arrays broadcast.

    `root`: the accurate sqrt(q11*q22 - q12^2), for nearly collinear inputs.
    """
    q11, q12, q22 = (np.asarray(q, dtype=np.float64) for q in (q11, q12, q22))
    root = _rootdet(q11, q12, q22) if root is None else np.asarray(root, dtype=np.float64)
    return unit_pairs(q11, q12, q22, root)


def diagonal(q):
    """The pair (nngp, dot) for u = v with variance q."""
    return unit_diag(np.asarray(q, dtype=np.float64))
'''

_NEAR = '''
def _scaled(dual, factor, far):
    """The derivative dual times the variance of the weights."""

    def times(*given):
        return factor * dual(*given)[1]

    times.far, times.loose, times.unlike = far, np.inf, None
    return times
'''

_MENDED = """
        if mended:
            given = (qx[k], before, qy[k], root), (qx[k + 1], qy[k + 1])
            duals = _scaled(dual_pairs, s1, far), lambda q: s1 * own(q)[0]
            roots, plain = (rx[k + 1], ry[k + 1]), following
            following, c = _carried(mended, *duals, bias, *given, roots, rx[-1] * ry[-1], c, plain)
            following = np.where(same, 0.0, following)"""

_NETWORK = (
    FIRST_LAYER
    + '''def _vanishing(value, slope, none):
    """Zero where an input of variance zero meets an activation with s(0) = 0."""
    return np.where(none, 0.0, value), np.where(none, 0.0, slope)


'''
    + DIAGONALS
    + """    for k, (_, dual_diag, vanishes, _, (s0, s1, t0, t1, t2)@REST@) in enumerate(LAYERS):
        value, slope = dual_diag(q[k])
        if vanishes:
            value, slope = _vanishing(value, slope, (q[k] == 0.0) & (t == 0.0))
        q[k + 1] = s0 + s1 * value
        t = t0 + t1 * value + t2 * slope * t
"""
    + DIAGONALS_END
    + '''def pairs(g12, qx, qy, first, root=None):
    """(nngp, ntk) from inner products and the diagonals of both sides, which broadcast.

    `root`: the accurate sqrt(q11*q22 - q12^2) of the first layer, for nearly collinear inputs.
    Equal inputs stay equal at any depth: their covariance is the diagonal, rounding included.
    After a layer |Sigma(x, y)| is at most sqrt(Sigma(x, x) Sigma(y, y)), which the errors of the
    three may exceed: bringing it down to that adds no error, it is at most the largest of theirs.
    (A few units of rounding more, so that equal and opposite inputs stay exactly that.)
    """
    c = first[0] * g12 + first[1]
    t = first[2] * g12 + first[3]
    if root is None:
        root = _rootdet(qx[0], c, qy[0])
    rx, ry = qx[len(LAYERS) + 1 :], qy[len(LAYERS) + 1 :]
    for k, (dual_pairs, @UNIT@, vanishes, (s0, s1, t0, t1, t2), _@MORE@) in enumerate(LAYERS):
        value, slope = dual_pairs(qx[k], c, qy[k], root)
        if vanishes:
            none = ((qx[k] == 0.0) | (qy[k] == 0.0)) & (t == 0.0)
            value, slope = _vanishing(value, slope, none)
        same = (root == 0.0) & (qx[k] == qy[k]) & (c > 0.0)
        most = rx[k + 1] * ry[k + 1] * (1.0 + 2.0**-50)
        before, c = c, np.where(same, qx[k + 1], np.clip(s0 + s1 * value, -most, most))
        t = t0 + t1 * value + t2 * slope * t
        following = np.where(same, 0.0, _rootdet(qx[k + 1], c, qy[k + 1]))@MENDED@
        root = following
    return c, t


'''
    + KERNEL
)
