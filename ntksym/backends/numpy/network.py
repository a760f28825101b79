"""NumPy for a network: the layer functions once, a loop over a table of layers."""

from __future__ import annotations

from ...lower.kernel import STATE
from ...lower.schedule import Schedule
from .._base import SourceFile, identifier
from ..c.backend import Contract
from ..near import NOTE, numpy_near
from .backend import NUMPY, function, module_head, used_helpers
from .helpers import helpers


def network_file(schedule: Schedule, contract: Contract) -> SourceFile:
    """The module of a network.

    `first_layer(d)`, `diagonals(g, first)`, `pairs(g12, qx, qy, first, root=None)`, and
    `kernel(x, y=None)` which does it all.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    name = identifier(schedule.name, set()).rstrip("_")
    programs = (*schedule.programs, *schedule.near_programs)
    wanted = used_helpers(programs) | {"_rootdet", "_sqrt0"}
    top = module_head(contract, programs).rstrip("\n")
    if near := schedule.near_kinds:
        before, mark, after = top.rpartition('"""')
        top = before + "\n" + "\n".join(NOTE) + "\n" + mark + after
    pieces = [top, helpers(wanted)]
    pieces.append(function(schedule.input, "_input_rule", "The affine first layer.").rstrip("\n"))
    for k, kind in enumerate(schedule.kinds):
        pieces.append(function(kind.pair, f"_layer{k}", "One layer.").rstrip("\n"))
        text = function(kind.diag, f"_layer{k}_diag", "One layer, on the diagonal.")
        pieces.append(text.rstrip("\n"))
    pieces += _near(schedule) if near else []
    rows = ""
    for s, carried in zip(schedule.steps, schedule.carries, strict=True):
        pair, diag = _tuple(s.pair_values), _tuple(s.diag_values)
        ends = f", {carried}, _near{s.kind}" if carried else ", 0, None" if near else ""
        rows += f"    (_layer{s.kind}, {pair}, _layer{s.kind}_diag, {diag}{ends}),\n"
    pieces.append(f"LAYERS = (\n{rows})")
    values = "".join(f", {NUMPY.literal(v)}" for v in schedule.input_values)
    text = _TEXT.replace("@VALUES@", values).replace("@MORE@", ", _, _" if near else "")
    text = text.replace("@NEAR@", _CARRY if near else "").replace(
        "@LAYER@", ", mode, near" if near else ""
    )
    text = text.replace("@ROOT@", "following" if near else "root")
    text = text.replace("@BEFORE@", "        c_before = c\n" if near else "")
    pieces.append(text.strip("\n"))
    return SourceFile(f"{name}.py", "\n\n\n".join(pieces) + "\n")


def _near(schedule: Schedule) -> list[str]:
    """The functions of near pairs: those of all networks, and one for each kind that needs it."""
    pieces = [numpy_near().strip("\n")]
    for k in schedule.near_kinds:
        found = schedule.kinds[k].near
        assert found is not None
        params = schedule.kinds[k].pair.args[len(STATE) :]
        pair = ", ".join(f"values[{params.index(a)}]" for a in found.pair.args[4:])
        diag = ", ".join(f"values[{params.index(a)}]" for a in found.diag.args[1:])
        pieces.append(function(found.pair, f"_near{k}_pair", "Value and slope.").rstrip("\n"))
        pieces.append(function(found.diag, f"_near{k}_own", "The value, u = v.").rstrip("\n"))
        text = _NEAR.replace("@K@", str(k)).replace("@PAIR@", f", {pair}" if pair else "")
        pieces.append(text.replace("@DIAG@", f", {diag}" if diag else "").strip("\n"))
    return pieces


def _tuple(values: tuple[float, ...]) -> str:
    inside = ", ".join(NUMPY.literal(v) for v in values)
    return f"({inside},)" if values else "()"


_NEAR = '''
def _near@K@(values):
    """The dual of a layer for near pairs, and that of u = v."""

    def dual(q11, q12, q22, root):
        return _near@K@_pair(q11, q12, q22, root@PAIR@)

    def own(q):
        return _near@K@_own(q@DIAG@)

    return dual, own
'''

_CARRY = """
        if mode:
            before, after = (qx[k], c_before, qy[k], root), (qx[k + 1], qy[k + 1])
            roots = rx[k + 1], ry[k + 1]
            given = before, after, roots, c, following
            following, c = _carried(mode, *near(values), None, *given)
        root = following"""

FIRST_LAYER = '''
def first_layer(d):
    """(a, b, c, e) with Sigma = a*<x, y> + b and Theta = c*<x, y> + e for inputs of dimension d."""
    return tuple(float(v) for v in _input_rule(float(d)@VALUES@))


'''

DIAGONALS = '''def diagonals(g, first):
    """(q, ntk): q has 2*(layers + 1) rows: Sigma(x, x) of the first layer and after each layer,
    then the square roots of all these; ntk is Theta(x, x) after the last layer.
    """
    g = np.asarray(g, dtype=np.float64)
    count = len(LAYERS) + 1
    q = np.empty((2 * count, *g.shape))
    q[0] = first[0] * g + first[1]
    t = first[2] * g + first[3]
'''

DIAGONALS_END = """    q[count:] = _sqrt0(q[:count])
    return q, t + np.zeros_like(g)


"""

KERNEL = '''def kernel(x, y=None):
    """(nngp, ntk) of the rows of x and y, each of shape (n, m)."""
    x = np.asarray(x, dtype=np.float64)
    z = x if y is None else np.asarray(y, dtype=np.float64)
    first = first_layer(x.shape[1])
    qx, tx = diagonals(np.sum(x * x, axis=1), first)
    qy, _ = diagonals(np.sum(z * z, axis=1), first)
    nngp, ntk = pairs(x @ z.T, qx[:, :, None], qy[:, None, :], first)
    if y is None:
        nngp, ntk = (nngp + nngp.T) / 2, (ntk + ntk.T) / 2
        np.fill_diagonal(nngp, qx[len(LAYERS)])
        np.fill_diagonal(ntk, tx)
    return nngp, ntk
'''
"""What every network in NumPy says alike: the first layer, the ends of `diagonals`, `kernel`."""

_TEXT = (
    FIRST_LAYER
    + DIAGONALS
    + """    for k, (_, _, layer, values@MORE@) in enumerate(LAYERS):
        q[k + 1], t = layer(q[k], t, *values)
"""
    + DIAGONALS_END
    + '''def pairs(g12, qx, qy, first, root=None):
    """(nngp, ntk) from inner products and the diagonals of both sides, which broadcast.

    `root`: the accurate sqrt(q11*q22 - q12^2) of the first layer, for nearly collinear inputs.
    """
    c = first[0] * g12 + first[1]
    t = first[2] * g12 + first[3]
    if root is None:
        root = _rootdet(qx[0], c, qy[0])
    rx, ry = qx[len(LAYERS) + 1 :], qy[len(LAYERS) + 1 :]
    for k, (layer, values, _, _@LAYER@) in enumerate(LAYERS):
        state = (qx[k], c, qy[k], root, t, qx[k + 1], qy[k + 1], rx[k], ry[k], rx[k + 1], ry[k + 1])
@BEFORE@        c, t, @ROOT@ = layer(*state, *values)@NEAR@
    return c, t


'''
    + KERNEL
)
