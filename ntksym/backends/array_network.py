"""A network as a JAX or PyTorch module: the layer functions once, a loop over rows of numbers."""

from __future__ import annotations

from ..lower.schedule import Schedule, Step
from ._base import SourceFile, identifier
from .array_module import ArrayBackend, function, module
from .c import Contract


def network_file(
    schedule: Schedule, contract: Contract, backend: ArrayBackend, text: str
) -> SourceFile:
    """The module of a network: `nngp_ntk(x1, x2=None, ...)`.

    Raises:
        UnsupportedOp: an operation that the target cannot spell (2F1).
    """
    pieces = [function(schedule.input, "_input_rule", backend, "The affine first layer.")]
    for k, kind in enumerate(schedule.kinds):
        pieces.append(function(kind.pair, f"_layer{k}", backend, "One layer."))
        pieces.append(function(kind.diag, f"_layer{k}_diag", backend, "The same, u = v."))
    rows = ""
    for k, steps in _groups(schedule):
        rows += f"    (_layer{k}, _layer{k}_diag, {len(steps)}),\n"
    layers = f"LAYERS = (\n{rows})\n"
    values = ""
    for _, steps in _groups(schedule):
        pairs = _tuple(backend, tuple(zip(*(s.pair_values for s in steps), strict=True)))
        diags = _tuple(backend, tuple(zip(*(s.diag_values for s in steps), strict=True)))
        values += f"    ({pairs}, {diags}),\n"
    table = f"VALUES = (\n{values})\n"
    given = "".join(f", {backend.literal(v)}" for v in schedule.input_values)
    body = [*pieces, layers, table, text.replace("@VALUES@", given)]
    joined = "\n\n".join(piece.strip("\n") + "\n" for piece in body)
    name = identifier(schedule.name, set()).rstrip("_")
    made = module(backend, contract, schedule.programs, joined, frozenset({"_rootdet", "_sqrt0"}))
    return SourceFile(f"{name}.py", made)


def _groups(schedule: Schedule) -> list[tuple[int, list[Step]]]:
    """Runs of equal layers: one compiled body each, whatever the depth."""
    found: list[tuple[int, list[Step]]] = []
    for step in schedule.steps:
        if found and found[-1][0] == step.kind:
            found[-1][1].append(step)
        else:
            found.append((step.kind, [step]))
    return found


def _tuple(backend: ArrayBackend, columns: tuple[tuple[float, ...], ...]) -> str:
    """Each parameter's numbers, layer by layer."""
    inside = "".join(
        f"({''.join(f'{backend.literal(v)}, ' for v in c).rstrip()}), " for c in columns
    )
    return f"({inside.rstrip()})"


TEXT = '''
def _step(kind, state, pair, diag):
    """The state (q11, q12, q22, root, t11, t12, t22) after one layer."""
    layer, layer_diag, _ = kind
    qx, c, qy, root, tx, t, ty = state
    nx, tx = layer_diag(qx, tx, *diag)
    ny, ty = layer_diag(qy, ty, *diag)
    roots = (_sqrt0(v) for v in (qx, qy, nx, ny))
    c, t, root = layer(qx, c, qy, root, t, nx, ny, *roots, *pair)
    return nx, c, ny, root, tx, t, ty


def _kernels(g11, g12, g22, det, apart, d, values):
    """(nngp, ntk) from inner products; det and apart are g11*g22 - g12^2 and |x - y|^2, or None."""
    a, b, own, offset = _input_rule(float(d)@VALUES@)
    qx, c, qy = (a * g + b for g in (g11, g12, g22))
    tx, t, ty = (own * g + offset for g in (g11, g12, g22))
    root = _rootdet(qx, c, qy) if det is None else _sqrt0(a * a * det + a * b * apart)
    state = (qx, c, qy, root, tx, t, ty)
    for kind, (pair, diag) in zip(LAYERS, values):
        state = _repeated(kind, state, pair, diag)
    return state[1], state[5]
'''
