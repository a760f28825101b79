"""Modules of units for JAX and PyTorch: a dual, or a network of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...lower.program import Program
from .._base import SourceFile, identifier
from ..c.backend import Contract, head_rows
from ..near import NOTE
from ..unit_schedule import UnitStep, labelled
from .module import ArrayBackend, function, module
from .near import array_near
from .network import ABOUT, ALWAYS, FIRST, SYMMETRIC, input_numbers
from .unit import ArrayUnit, shared_helpers


@dataclass(frozen=True, slots=True)
class ArrayNetwork:
    """A network of units: the affine first layer, the distinct duals, the layers."""

    name: str
    input: Program
    input_values: tuple[float, ...]
    kinds: tuple[ArrayUnit, ...]
    steps: tuple[UnitStep, ...]


def unit_file(
    name: str, unit: ArrayUnit, contract: Contract, backend: ArrayBackend, extra: str
) -> SourceFile:
    """The module of a dual: `dual(q11, q12, q22)` and `diagonal(q)`, differentiable.

    Raises:
        UnsupportedOp: an operation that the target cannot spell.
    """
    pieces = [
        backend.units,
        shared_helpers((unit,), backend),
        unit.text("unit", backend),
        _DUAL,
        extra,
    ]
    text = _module(backend, contract, pieces, unit.programs, labelled("dual", unit))
    return SourceFile(f"{identifier(name, set()).rstrip('_')}.py", text)


def unit_network_file(net: ArrayNetwork, contract: Contract, backend: ArrayBackend) -> SourceFile:
    """The module of a network: `nngp_ntk(x1, x2=None, exact=None)`, differentiable in the data.

    Raises:
        UnsupportedOp: an operation that the target cannot spell.
    """
    programs = (net.input, *(p for k in net.kinds for p in k.programs))
    notes = [row for k, unit in enumerate(net.kinds) for row in labelled(f"dual{k}", unit)]
    near = any(step.carried for step in net.steps)
    notes += NOTE if near else ()
    pieces = [backend.units, backend.network, shared_helpers(net.kinds, backend)]
    pieces += [array_near()] if near else []
    pieces.append(function(net.input, "_input_rule", backend, "The affine first layer."))
    pieces += [unit.text(f"dual{k}", backend) for k, unit in enumerate(net.kinds)]
    rows = ""
    for step, count in _groups(net.steps):
        unit = f"_dual{step.kind}, _dual{step.kind}_diag"
        inside = backend.literal(net.kinds[step.kind].inside) if step.vanishes else "None"
        pair, diag = (
            "(" + ", ".join(backend.literal(v) for v in row) + ")" for row in (step.pair, step.diag)
        )
        bias = backend.literal(step.pair[0]) if step.straight else "None"
        rows += f"    ({unit}, {inside}, {pair}, {diag}, {count}, {step.carried}, {bias}),\n"
    pieces.append(f"LAYERS = (\n{rows})\n")
    pieces.append(input_numbers(net.input, net.input_values, backend))
    text = _STEP.replace("@NEAR@", _MENDED if near else "")
    pieces += [text, backend.loops, FIRST, SYMMETRIC, _KERNELS]
    made = _module(backend, contract, pieces, programs, notes)
    return SourceFile(f"{identifier(net.name, set()).rstrip('_')}.py", made)


def _groups(steps: tuple[UnitStep, ...]) -> list[tuple[UnitStep, int]]:
    """Runs of equal layers."""
    found: list[tuple[UnitStep, int]] = []
    for step in steps:
        if found and found[-1][0] == step:
            found[-1] = (step, found[-1][1] + 1)
        else:
            found.append((step, 1))
    return found


def _module(
    backend: ArrayBackend,
    contract: Contract,
    pieces: list[str],
    programs: tuple[Program, ...],
    notes: Sequence[str],
) -> str:
    body = "\n\n\n".join(piece.strip("\n") for piece in pieces if piece.strip("\n"))
    text = module(backend, contract, programs, body, ALWAYS)
    head, mark, rest = text.partition('\n"""\n')
    lines = (row for line in notes for row in head_rows(line))
    shown = "\n".join(lines).replace('"""', "'''")
    return f"{head}\n{shown}{mark}{rest}"


_DUAL = '''
@COMPILED@def dual(q11, q12, q22):
    """The pair (nngp, dot); arrays broadcast.  NaN outside the range.

    Both are differentiable in every argument.  Half precision counts as float32.
    """
    q11, q12, q22 = _arrays(q11, q12, q22)
    nngp, dot = _unit(q11, q12, q22, _rootdet(q11, q12, q22))
    nil = _where((q11 >= 0.0) & (q22 >= 0.0) & (q12 == q12), 0.0, float("nan"))
    return nngp + nil, dot + nil


@COMPILED@def diagonal(q):
    """The pair (nngp, dot) for u = v of variance q."""
    (q,) = _arrays(q)
    nngp, dot = _unit_diag(q)
    nil = _where(q >= 0.0, 0.0, float("nan"))
    return nngp + nil, dot + nil
'''

_STEP = '''
def _zero(value, none):
    return value if none is None else _where(none, 0.0 * value, value)


def _own(q, t, layer):
    """Sigma(x, x) and Theta(x, x) after one layer."""
    _, diag, inside, _, (s0, s1, t0, t1, t2), *_ = layer
    none = None if inside is None else (q == 0.0) & (t == 0.0)
    value, slope = diag(q if inside is None else _where(none, inside + 0.0 * q, q))
    value, slope = _zero(value, none), _zero(slope, none)
    return s0 + s1 * value, t0 + t1 * value + t2 * slope * t


def _layer(state, layer):
    """The state (q11, q12, q22, root, t11, t12, t22) after one layer."""
    qx, c, qy, root, tx, t, ty = state
    pair, diag, inside, (s0, s1, t0, t1, t2), _, _, mode, bias = layer
    none = None if inside is None else ((qx == 0.0) | (qy == 0.0)) & (t == 0.0)
    x, y = qx, qy
    if inside is not None:
        x, y = (_where(q == 0.0, inside + 0.0 * q, q) for q in (qx, qy))
    value, slope = pair(x, c, y, root)
    value, slope = _zero(value, none), _zero(slope, none)
    nx, tx = _own(qx, tx, layer)
    ny, ty = _own(qy, ty, layer)
    same = (root == 0.0) & (qx == qy) & (c > 0.0)
    after, t = s0 + s1 * value, t0 + t1 * value + t2 * slope * t
    following = _rootdet(nx, after, ny)
    following = _where(same, 0.0 * following, following)
@NEAR@    return nx, after, ny, following, tx, t, ty
'''

_MENDED = """    if mode:
        before, ends = tuple(map(_still, (qx, c, qy, root))), (_still(nx), _still(ny))
        roots = tuple(_sqrt0(q) for q in (before[0], before[2], *ends))
        own = lambda q: s1 * diag(q)[0]
        known = mode, lambda *at: s1 * pair(*at)[1], None, None, own, bias
        following = _carried(*known, before, ends, roots, _still(after), _still(following))
"""

_KERNELS = (
    '''
@COMPILED@def nngp_ntk(x1, x2=None, exact=None):
    """(nngp, ntk) of the rows of x1 and x2, each of shape (n, m); differentiable in both.

    '''
    + ABOUT
    + """
    state = _first(x1, x2, exact)
    for layer in LAYERS:
        state = _repeated(state, layer)
    qx, c, qy, _, tx, t, _ = state
    zero = 0.0 * (qx + qy)
    if x2 is None:
        c, t = _symmetric(c, qx), _symmetric(t, tx)
    return c + zero, t + zero
"""
)
