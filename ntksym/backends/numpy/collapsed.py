"""NumPy for a collapsed network, with the functions of a network of one layer."""

from __future__ import annotations

from dataclasses import replace

from .._base import SourceFile, identifier
from ..c.backend import Contract
from ..collapsed import CollapsedProgram
from .backend import NUMPY, function, module_head, used_helpers
from .helpers import helpers
from .network import KERNEL


def network_file(program: CollapsedProgram, contract: Contract) -> SourceFile:
    """The module: `first_layer`, `diagonals`, `pairs`, and `kernel(x, y=None)` which does it all.

    On a sphere, diagonals elsewhere give NaN.

    Raises:
        UnsupportedOp: the first layer has an operation without a spelling.
    """
    name = identifier(program.name, set()).rstrip("_")
    said = replace(contract, computes=(*contract.computes, *program.notes))
    wanted = used_helpers((program.input,)) | {"_rootdet", "_sqrt0", "_two_product"}
    pieces = [module_head(said, (program.input,)).rstrip("\n"), helpers(wanted)]
    pieces.append(function(program.input, "_input_rule", "The affine first layer.").rstrip("\n"))
    table = ""
    for which, title in enumerate(("NNGP", "NTK")):
        for side, sign in enumerate(("PLUS", "MINUS")):
            rows = "".join(f"    {NUMPY.literal(p[side])},\n" for p in program.table(which))
            table += f"{title}_{sign} = (\n{rows})\n"
    (c0, m0), (c1, m1) = program.maps
    numbers = {"C_PLUS": c0, "M_PLUS": m0, "C_MINUS": c1, "M_MINUS": m1, "POWER": program.power}
    numbers |= {"VARIANCE": program.variance, "TOLERANCE": program.tolerance}
    numbers |= {"NNGP_END": program.ends[0], "NTK_END": program.ends[1]}
    table += "".join(f"{k} = {NUMPY.literal(v)}\n" for k, v in numbers.items())
    pieces.append(table.rstrip("\n"))
    values = "".join(f", {NUMPY.literal(v)}" for v in program.input_values)
    pieces.append(_TEXT.replace("@VALUES@", values).strip("\n"))
    pieces.append(KERNEL.replace("len(LAYERS)", "1").rstrip("\n"))
    return SourceFile(f"{name}.py", "\n\n\n".join(pieces) + "\n")


_TEXT = '''
def first_layer(d):
    """(a, b, c, e) with Sigma = a*<x, y> + b and Theta = c*<x, y> + e for inputs of dimension d."""
    return tuple(float(v) for v in _input_rule(float(d)@VALUES@))


def _scale(q):
    """(Sigma(x, x))^(P/2); on a sphere 1, and NaN elsewhere."""
    if VARIANCE:
        return np.where(np.abs(q / VARIANCE - 1.0) <= TOLERANCE, 1.0, np.nan)
    return _sqrt0(q) if POWER == 1.0 else _sqrt0(q) ** POWER


def diagonals(g, first):
    """(q, ntk): q has 4 rows: Sigma(x, x) of the first layer and of the network, then their
    square roots; ntk is Theta(x, x) after the last layer.
    """
    g = np.asarray(g, dtype=np.float64)
    now = first[0] * g + first[1]
    scale = now if POWER == 1.0 and not VARIANCE else _scale(now) ** 2
    q = np.stack([now, NNGP_END * scale])
    return np.concatenate([q, _sqrt0(q)]), NTK_END * scale


def _polynomial(series, u):
    """E(v) + u*O(v), v = 2*u^2 - 1: coefficients of 1, u, v, u*v, ...; Horner's rule, in place."""
    v = 2.0 * u * u - 1.0
    sums = []
    for part in (series[::2], series[1::2]):
        total = np.full(np.shape(u), part[-1])
        for c in part[-2::-1]:
            total *= v
            total += c
        sums.append(total)
    return sums[0] + u * sums[1]


def pairs(g12, qx, qy, first, root=None):
    """(nngp, ntk) from inner products and the diagonals of both sides, which broadcast.

    `root`: the accurate sqrt(q11*q22 - q12^2) of the first layer, for nearly collinear inputs.
    """
    c = first[0] * g12 + first[1]
    if root is None:
        root = _rootdet(qx[0], c, qy[0])
    p = qx[2] * qy[2]
    inverse = 1.0 / np.where(p > 0.0, p, 1.0)
    rho = np.minimum(np.abs(c) * inverse, 1.0)
    s = root * inverse * np.sqrt(0.5 / (1.0 + rho))
    scale = _scale(qx[0]) * _scale(qy[0])
    minus = c < 0.0
    found = []
    up = M_PLUS * (s / (s + C_PLUS)) - 1.0
    down = M_MINUS * (s / (s + C_MINUS)) - 1.0
    for plus, other in ((NNGP_PLUS, NNGP_MINUS), (NTK_PLUS, NTK_MINUS)):
        value = _polynomial(plus, up)
        if minus.any():
            value = np.where(minus, _polynomial(other, down), value)
        found.append(value * scale)
    return found[0], found[1]
'''
