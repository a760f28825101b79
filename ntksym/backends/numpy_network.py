"""NumPy for a network: the layer functions once, a loop over a table of layers."""

from __future__ import annotations

from ..lower.schedule import Schedule
from ._base import SourceFile, identifier
from .c import Contract
from .numpy import NUMPY, function, module_head, used_helpers
from .numpy_helpers import helpers


def network_file(schedule: Schedule, contract: Contract) -> SourceFile:
    """The module of a network.

    `first_layer(d)`, `diagonals(g, first)`, `pairs(g12, qx, qy, first, root=None)`, and
    `kernel(x, y=None)` which does it all.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    name = identifier(schedule.name, set()).rstrip("_")
    wanted = used_helpers(schedule.programs) | {"_rootdet", "_sqrt0"}
    pieces = [module_head(contract, schedule.programs).rstrip("\n"), helpers(wanted)]
    pieces.append(function(schedule.input, "_input_rule", "The affine first layer.").rstrip("\n"))
    for k, kind in enumerate(schedule.kinds):
        pieces.append(function(kind.pair, f"_layer{k}", "One layer.").rstrip("\n"))
        text = function(kind.diag, f"_layer{k}_diag", "One layer, on the diagonal.")
        pieces.append(text.rstrip("\n"))
    rows = ""
    for s in schedule.steps:
        pair, diag = _tuple(s.pair_values), _tuple(s.diag_values)
        rows += f"    (_layer{s.kind}, {pair}, _layer{s.kind}_diag, {diag}),\n"
    pieces.append(f"LAYERS = (\n{rows})")
    values = "".join(f", {NUMPY.literal(v)}" for v in schedule.input_values)
    pieces.append(_TEXT.replace("@VALUES@", values).strip("\n"))
    return SourceFile(f"{name}.py", "\n\n\n".join(pieces) + "\n")


def _tuple(values: tuple[float, ...]) -> str:
    inside = ", ".join(NUMPY.literal(v) for v in values)
    return f"({inside},)" if values else "()"


_TEXT = '''
def first_layer(d):
    """(a, b, c, e) with Sigma = a*<x, y> + b and Theta = c*<x, y> + e for inputs of dimension d."""
    return tuple(float(v) for v in _input_rule(float(d)@VALUES@))


def diagonals(g, first):
    """(q, ntk): q has 2*(layers + 1) rows: Sigma(x, x) of the first layer and after each layer,
    then the square roots of all these; ntk is Theta(x, x) after the last layer.
    """
    g = np.asarray(g, dtype=np.float64)
    count = len(LAYERS) + 1
    q = np.empty((2 * count, *g.shape))
    q[0] = first[0] * g + first[1]
    t = first[2] * g + first[3]
    for k, (_, _, layer, values) in enumerate(LAYERS):
        q[k + 1], t = layer(q[k], t, *values)
    q[count:] = _sqrt0(q[:count])
    return q, t + np.zeros_like(g)


def pairs(g12, qx, qy, first, root=None):
    """(nngp, ntk) from inner products and the diagonals of both sides, which broadcast.

    `root`: the accurate sqrt(q11*q22 - q12^2) of the first layer, for nearly collinear inputs.
    """
    c = first[0] * g12 + first[1]
    t = first[2] * g12 + first[3]
    if root is None:
        root = _rootdet(qx[0], c, qy[0])
    rx, ry = qx[len(LAYERS) + 1 :], qy[len(LAYERS) + 1 :]
    for k, (layer, values, _, _) in enumerate(LAYERS):
        state = (qx[k], c, qy[k], root, t, qx[k + 1], qy[k + 1], rx[k], ry[k], rx[k + 1], ry[k + 1])
        c, t, root = layer(*state, *values)
    return c, t


def kernel(x, y=None):
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
