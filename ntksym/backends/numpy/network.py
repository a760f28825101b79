"""NumPy for a network: the layer functions once, a loop over a table of layers."""

from __future__ import annotations

from math import inf, sqrt

from ...lower.growth import growth_lines
from ...lower.kernel import STATE
from ...lower.near import SCALED, Near
from ...lower.schedule import Schedule
from .._base import SourceFile, identifier
from ..c.backend import Contract
from ..near import NOTE, numpy_near
from ..tolerance import CLOSE
from .backend import NUMPY, function, module_head, used_helpers
from .double_double import dd_functions, layer_function
from .helpers import helpers


def network_file(schedule: Schedule, contract: Contract) -> SourceFile:
    """The module of a network.

    `first_layer(d)`, `diagonals(g, first)`, `pairs(g12, qx, qy, first, root=None)`, and
    `kernel(x, y=None)` which does it all, nearly parallel rows included.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    name = identifier(schedule.name, set()).rstrip("_")
    programs = (*schedule.programs, *schedule.near_programs)
    wanted = used_helpers(programs) | {"_rootdet", "_sqrt0", "_two_product"}
    top = module_head(contract, programs).rstrip("\n")
    near = schedule.near_kinds
    notes = (*(NOTE if near else ()), *(growth_lines(schedule) if schedule.numbered else ()))
    before, mark, after = top.rpartition('"""')
    top = before + "\n" + "\n".join(notes) + "\n" + mark + after
    pieces = [top, helpers(wanted)]
    pieces.append(function(schedule.input, "_input_rule", "The affine first layer.").rstrip("\n"))
    for k, kind in enumerate(schedule.kinds):
        pieces.append(function(kind.pair, f"_layer{k}", "One layer.").rstrip("\n"))
        text = function(kind.diag, f"_layer{k}_diag", "One layer, on the diagonal.")
        pieces.append(text.rstrip("\n"))
    pieces += _near(schedule) if near else []
    pieces += _corrected(schedule)
    rows = ""
    for s, carried in zip(schedule.steps, schedule.carries, strict=True):
        pair, diag = _tuple(s.pair_values), _tuple(s.diag_values)
        ends = f", {carried}, _near{s.kind}" if carried else ", 0, None" if near else ""
        rows += f"    (_layer{s.kind}, {pair}, _layer{s.kind}_diag, {diag}{ends}),\n"
    pieces.append(f"LAYERS = (\n{rows})")
    values = "".join(f", {NUMPY.literal(v)}" for v in schedule.input_values)
    carry = _CARRY.replace("@SCALED@", repr(SCALED))
    text = _TEXT.replace("@VALUES@", values)
    text = text.replace("@NEAR@", carry if near else "").replace(
        "@LAYER@", ", mode, near" if near else ""
    )
    text = text.replace("@ROOT@", "following" if near else "root")
    if any(schedule.corrected):
        pieces.append(f"RESTS = (\n{_rests(schedule)})")
        text = text.replace(_DOUBLES, _SUMS)
    kept = f"    kept = root is not None and root < {LOST!r} * rx[0] * ry[0]\n"
    text = text.replace("@KEPT@", kept if near else "")
    text = text.replace("@BEFORE@", "        c_before = c\n" if near else "")
    text = text.replace("@MORE@", ", _, _" if near else "")
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
        pieces.append(function(found.slope, f"_near{k}_slope", "The slope.").rstrip("\n"))
        pieces.append(function(found.diag, f"_near{k}_own", "The value, u = v.").rstrip("\n"))
        text = _NEAR.replace("@K@", str(k)).replace("@PAIR@", f", {pair}" if pair else "")
        for mark, value in (("@FAR@", found.far), ("@LOOSE@", found.loose)):
            text = text.replace(mark, "np.inf" if value == inf else repr(value))
        text = text.replace("@UNLIKE@", _unlike(found, k, params, pieces))
        pieces.append(text.replace("@DIAG@", f", {diag}" if diag else "").strip("\n"))
    return pieces


def _unlike(found: Near, k: int, params: tuple[str, ...], pieces: list[str]) -> str:
    """What is known of unlike norms: the degree, the least variance, and two functions, which
    `pieces` get.
    """
    more = found.unlike
    if more is None:
        return "None"
    given = []
    for label, program, own in (("unlike", more.pair, 4), ("mixed", more.mixed, 1)):
        numbers = [f"values[{params.index(a)}]" for a in program.args[own:]]
        text = function(program, f"_near{k}_{label}", "What unlike norms need.")
        pieces.append(text.rstrip("\n"))
        first = ", ".join(program.args[:own])
        given.append(f"lambda {first}: _near{k}_{label}({', '.join((first, *numbers))})")
    return f"({more.degree}.0, {more.least**2!r}, {', '.join(given)})"


def _corrected(schedule: Schedule) -> list[str]:
    """The functions of diagonals in double-double, after what they call."""
    kinds = [(k, p) for k, p in enumerate(schedule.corrected) if p is not None]
    pieces = [layer_function(p, f"_layer{k}_diag_dd") for k, p in kinds]
    return [dd_functions("\n".join((*pieces, _SUMS))), *pieces] if kinds else []


def _rests(schedule: Schedule) -> str:
    """By layer the function in double-double, for variances up to what, what its numbers lack."""
    rows = ""
    for s in schedule.steps:
        name = "None" if schedule.corrected[s.kind] is None else f"_layer{s.kind}_diag_dd"
        most = NUMPY.literal(schedule.kinds[s.kind].corrected_to)
        rows += f"    ({name}, {most}, {_tuple(s.diag_rests)}),\n"
    return rows


def _tuple(values: tuple[float, ...]) -> str:
    inside = ", ".join(NUMPY.literal(v) for v in values)
    return f"({inside},)" if values else "()"


_NEAR = '''
def _near@K@(values):
    """The derivative dual of a layer for near pairs, and the dual of u = v."""

    def slope(q11, q12, q22, root):
        return _near@K@_slope(q11, q12, q22, root@PAIR@)

    def own(q):
        return _near@K@_own(q@DIAG@)

    slope.far, slope.loose = @FAR@, @LOOSE@
    slope.unlike = @UNLIKE@
    return slope, own
'''

LOST = 0.98 * sqrt(CLOSE["float64"])
"""Sines below which a pair that has its root from the rows is nearly parallel from the start."""

_CARRY = """
        if mode:
            before, after = (qx[k], c_before, qy[k], root), (qx[k + 1], qy[k + 1])
            roots = rx[k + 1], ry[k + 1]
            given = before, after, roots, rx[-1] * ry[-1], c, following
            bias = 0.0 if mode & @SCALED@ else None
            following, c = _carried(mode, *near(values), bias, *given, kept)
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

KERNEL = '''def _rows(value, name):
    """Rows of real numbers as doubles."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" or array.ndim != 2 or not array.shape[1]:
        given = f"{array.dtype} of shape {array.shape}"
        raise ValueError(f"{name}: real numbers of shape (n, d) are needed, not {given}")
    if np.ma.is_masked(value):
        raise ValueError(f"{name}: masked elements, which are not replaced")
    return array.astype(np.float64, copy=False)


def _root(x, z, inner, first):
    """sqrt(q11*q22 - q12^2) of the first layer for rows, pair by pair, with their inner products:
    from the part of z - x (or z + x) orthogonal to x where that is the shorter; twice, because
    unlike norms make most of it parallel to x.
    """
    norm, other = np.sqrt(np.sum(x * x, axis=1)), np.sqrt(np.sum(z * z, axis=1))
    none = (norm == 0.0) | (other == 0.0)
    rho = np.where(none, 0.0, inner / np.where(none, 1.0, norm) / np.where(none, 1.0, other))
    gap = _sqrt0((norm * norm - inner) + (other * other - inner))
    alike = (other <= 2.0 * norm) & (norm <= 2.0 * other)
    e1 = np.frexp(norm)[1]
    e2 = np.where(alike, e1, np.frexp(other)[1])
    x, z = np.ldexp(x, -e1[:, None]), np.ldexp(z, -e2[:, None])
    short = np.where(inner[:, None] < 0.0, z + x, z - x)
    along = np.sum(x * short, axis=1) / np.where(none, 1.0, np.sum(x * x, axis=1))
    part, low = _two_product(along[:, None], x)
    short = (short - part) - low
    along = np.sum(x * short, axis=1) / np.where(none, 1.0, np.sum(x * x, axis=1))
    across = np.ldexp(np.sqrt(np.sum((short - along[:, None] * x) ** 2, axis=1)), e2)
    across = np.where(rho * rho <= 0.9975, other * _sqrt0(1.0 - rho * rho), across)
    gap = np.where(alike, np.ldexp(np.sqrt(np.sum((z - x) ** 2, axis=1)), e2), gap)
    return np.hypot(first[0] * norm * across, _sqrt0(first[0]) * _sqrt0(first[1]) * gap)


def kernel(x, y=None):
    """(nngp, ntk) of the rows of x and y, each of shape (n, m).

    Rows that are nearly parallel have their angle from x - y, which the inner product has lost.
    NaN and infinities stay in their row and column.

    Raises:
        ValueError: not rows of real numbers, or of unlike lengths.
    """
    x = _rows(x, "x")
    z = x if y is None else _rows(y, "y")
    if x.shape[1] != z.shape[1]:
        raise ValueError(f"x and y have rows of {x.shape[1]} and {z.shape[1]} numbers")
    first = first_layer(x.shape[1])
    with np.errstate(all="ignore"):
        qx, tx = diagonals(np.sum(x * x, axis=1), first)
        qy, _ = diagonals(np.sum(z * z, axis=1), first)
        inner, own, other = x @ z.T, qx[0, :, None], qy[0, None, :]
        root = _rootdet(own, first[0] * inner + first[1], other)
        near = np.nonzero(~(root > 0.05 * np.sqrt(own) * np.sqrt(other)))
        for at in range(0, len(near[0]), 1024):
            i, j = (k[at : at + 1024] for k in near)
            root[i, j] = _root(x[i], z[j], inner[i, j], first)
        nngp, ntk = pairs(inner, qx[:, :, None], qy[:, None, :], first, root)
        if y is None:
            nngp, ntk = (nngp + nngp.T) / 2, (ntk + ntk.T) / 2
            np.fill_diagonal(nngp, qx[len(LAYERS)])
            np.fill_diagonal(ntk, tx)
    return nngp, ntk
'''
"""What every network in NumPy says alike: the first layer, the ends of `diagonals`, `kernel`."""

_DOUBLES = """    for k, (_, _, layer, values@MORE@) in enumerate(LAYERS):
        q[k + 1], t = layer(q[k], t, *values)
"""
_SUMS = """    rest = t_rest = 0.0
    for k, ((_, _, layer, values@MORE@), (better, most, rests)) in enumerate(zip(LAYERS, RESTS)):
        state = (q[k], rest), (t, t_rest)
        q[k + 1], t = layer(q[k], t, *values)
        rest = t_rest = 0.0
        if better is not None:
            with np.errstate(all="ignore"):
                own, tangent = better(*state, *zip(values, rests))
                small = q[k + 1] <= most
                q[k + 1], rest = _dd_kept(own, q[k + 1], small)
                t, t_rest = _dd_kept(tangent, t, small)
"""
"""The loop over layers of diagonals, in doubles and with sums of two."""

_TEXT = (
    FIRST_LAYER
    + DIAGONALS
    + _DOUBLES
    + DIAGONALS_END
    + '''def pairs(g12, qx, qy, first, root=None):
    """(nngp, ntk) from inner products and the diagonals of both sides, which broadcast.

    `root`: the accurate sqrt(q11*q22 - q12^2) of the first layer, for nearly collinear inputs.
    """
    c = first[0] * g12 + first[1]
    t = first[2] * g12 + first[3]
    rx, ry = qx[len(LAYERS) + 1 :], qy[len(LAYERS) + 1 :]
@KEPT@    if root is None:
        root = _rootdet(qx[0], c, qy[0])
    for k, (layer, values, _, _@LAYER@) in enumerate(LAYERS):
        state = (qx[k], c, qy[k], root, t, qx[k + 1], qy[k + 1], rx[k], ry[k], rx[k + 1], ry[k + 1])
@BEFORE@        c, t, @ROOT@ = layer(*state, *values)@NEAR@
    return c, t


'''
    + KERNEL
)
