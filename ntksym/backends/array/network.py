"""A network as a JAX or PyTorch module: the layer functions once, a loop over rows of numbers.

One text for both: what differs (how rows are multiplied, entries chosen, layers repeated) has one
name in either, in `ArrayBackend.network` and `ArrayBackend.loops`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from ...lower.kernel import STATE
from ...lower.near import ODD, SCALED
from ...lower.program import Program
from ...lower.schedule import Schedule, Step
from .._base import SourceFile, identifier
from ..c.backend import Contract
from ..near import NOTE
from .layer_rule import LayerSlopes, layer_rule, side_rule
from .module import ArrayBackend, function, module
from .near import FARTHER, array_near
from .scales import scale_functions, with_scales

ALWAYS = frozenset({"_rootdet", "_sqrt0", "_over"})
"""Helpers of every network."""


def network_file(
    schedule: Schedule,
    contract: Contract,
    backend: ArrayBackend,
    slopes: Mapping[int, LayerSlopes] | None = None,
) -> SourceFile:
    """The module of a network: `nngp_ntk(x1, x2, exact, values, input_values)`.

    `slopes`: of the kinds of layers whose derivatives are not traced (`layer_rule`).

    Raises:
        UnsupportedOp: an operation that the target cannot spell (2F1 of parameters).
    """
    programs, whole = (*schedule.programs, *schedule.near_programs), with_scales(backend)
    pairs_of = tuple(_unlike(kind.pair) for kind in schedule.kinds)
    ruled = {k: v for k, v in (slopes or {}).items() if not pairs_of[k]}
    settled = {f"_layer{k}": v.settled for k, v in ruled.items() if v.settled}
    pieces = [backend.network, *scale_functions(programs, backend, settled)]
    if schedule.near_kinds:
        pieces.append(array_near())
    pieces.append(function(schedule.input, "_input_rule", backend, "The affine first layer."))
    for k, kind in enumerate(schedule.kinds):
        steep = ruled.get(k)
        rule = layer_rule(k, kind.pair, steep, (whole, backend)) if steep else None
        pieces += rule or [function(pairs_of[k] or kind.pair, f"_layer{k}", whole, "One layer.")]
        pieces += side_rule(k, kind.diag, steep.settled if steep else None, whole)
    pieces += _near(schedule, whole)
    rows = values = ""
    for k, mode, steps in _groups(schedule):
        near = f"_near{k}" if mode else "None"
        unlike = f", {pairs_of[k] is not None}" if any(pairs_of) else ""
        rows += f"    (_layer{k}, _layer{k}_diag, {len(steps)}, {mode}, {near}{unlike}),\n"
        pairs = _tuple(backend, tuple(zip(*(s.pair_values for s in steps), strict=True)))
        diags = _tuple(backend, tuple(zip(*(s.diag_values for s in steps), strict=True)))
        values += f"    ({pairs}, {diags}),\n"
    pieces += [f"LAYERS = (\n{rows})\n", f"VALUES = (\n{values})\n"]
    pieces.append(input_numbers(schedule.input, schedule.input_values, backend))
    text = _STEP.replace(
        "@NEAR@",
        _MENDED.replace("@SCALED@", repr(SCALED)).replace("@ODD@", repr(ODD))
        if schedule.near_kinds
        else "",
    )
    kernels = _KERNELS
    if any(pairs_of):
        for old, new in _UNLIKE:
            text, kernels = text.replace(old, new), kernels.replace(old, new)
        if all(pairs_of):
            assert _WORSE in kernels
            kernels = kernels.replace(_WORSE, _BETTER)
        kernels = _ROWS + "\n\n" + kernels.strip("\n")
    pieces += [text, backend.loops, FIRST, SYMMETRIC]
    pieces.append(kernels)
    joined = "\n\n".join(piece.strip("\n") + "\n" for piece in pieces)
    name = identifier(schedule.name, set()).rstrip("_")
    made = module(backend, contract, schedule.programs, joined, ALWAYS)
    if schedule.near_kinds:
        head, mark, rest = made.partition('\n"""\n')
        made = "\n".join((head, *NOTE)) + mark + rest
    return SourceFile(f"{name}.py", made)


def input_numbers(rule: Program, values: Sequence[Any], backend: ArrayBackend) -> str:
    """The numbers of the first layer, in the order of its rule's arguments after d."""
    numbers = "".join(f"{backend.literal(v)}, " for v in values)
    names = ", ".join(rule.args[1:]) or "none"
    return f'INPUT_VALUES = ({numbers.rstrip()})\n"""Of the first layer: {names}."""\n'


def _unlike(p: Program) -> Program | None:
    """The program with sqrt(q11) - sqrt(q22) as an input after `STATE`; None where it has none.

    Formed from rounded variances it has no digit left for nearly equal rows, and neither have the
    derivatives of the next angle, where a bias makes it a part of that.
    """
    found = [let.name for let in p.body if let.op == "sub" and let.args == ("r11", "r22")]
    if not found:
        return None
    body = tuple(
        replace(let, args=tuple("unlike" if a == found[0] else a for a in let.args))
        for let in p.body
        if let.name != found[0]
    )
    count = len(STATE)
    args = (*p.args[:count], "unlike", *p.args[count:])
    return replace(p, args=args, body=body)


def _near(schedule: Schedule, backend: ArrayBackend) -> list[str]:
    """For each kind whose roots are mended: its dual for near pairs."""
    pieces = []
    for k in schedule.near_kinds:
        found = schedule.kinds[k].near
        assert found is not None
        params = schedule.kinds[k].pair.args[len(STATE) :]
        pair = "".join(f", values[{params.index(a)}]" for a in found.pair.args[4:])
        pieces.append(function(found.slope, f"_near{k}_slope", backend, "The derivative dual."))
        text = _NEAR
        for mark, value in (("@FAR@", FARTHER * found.far), ("@LOOSE@", found.loose)):
            text = text.replace(mark, "None" if value == inf else repr(value))
        text = text.replace("@BIAS@", str(params.index("bias_var")))
        pieces.append(text.replace("@K@", str(k)).replace("@PAIR@", pair))
    return pieces


def _groups(schedule: Schedule) -> list[tuple[int, int, list[Step]]]:
    """Runs of equal layers: one compiled body each, whatever the depth.

    The root after the last layer is not read, but its body would be another one: it is mended too.
    """
    found: list[tuple[int, int, list[Step]]] = []
    count = len(schedule.steps)
    for n, (step, mode) in enumerate(zip(schedule.steps, schedule.carries, strict=True)):
        last = n == count - 1
        if found and found[-1][0] == step.kind and (found[-1][1] == mode or last):
            found[-1][2].append(step)
        else:
            found.append((step.kind, mode, [step]))
    return found


def _tuple(backend: ArrayBackend, columns: tuple[tuple[float, ...], ...]) -> str:
    """Each parameter's numbers, layer by layer."""
    inside = "".join(
        f"({''.join(f'{backend.literal(v)}, ' for v in c).rstrip()}), " for c in columns
    )
    return f"({inside.rstrip()})"


_NEAR = '''
def _near@K@(values):
    """The derivative dual of a layer with its numbers, from where on s is two numbers, and from
    which deviations given each other on a pair is no near one; a bias, less its number.
    """

    def slope(q11, q12, q22, root):
        return _near@K@_slope(q11, q12, q22, root@PAIR@)[0]

    bias = values[@BIAS@]
    return slope, @FAR@, @LOOSE@, bias - _still(bias) if _is_array(bias) else None
'''

_STEP = '''
def _step(kind, state, pair, diag):
    """The state (q11, q12, q22, root, t11, t12, t22) after one layer."""
    layer, layer_diag, _, mode, near = kind
    qx, c, qy, root, tx, t, ty = state
    nx, tx = layer_diag(qx, tx, *diag)
    ny, ty = layer_diag(qy, ty, *diag)
    roots = tuple(_sqrt0(v) for v in (qx, qy, nx, ny))
    after, t, following = layer(qx, c, qy, root, t, nx, ny, *roots, *pair)
@NEAR@    return nx, after, ny, following, tx, t, ty
'''

_UNLIKE = (
    (
        "layer, layer_diag, _, mode, near = kind",
        "layer, layer_diag, _, mode, near, straight = kind",
    ),
    ("qx, c, qy, root, tx, t, ty = state", "qx, c, qy, root, tx, t, ty, unlike = state"),
    ("root, t, nx, ny, *roots, *pair)", "root, t, nx, ny, *roots, *given, *pair)"),
    (
        "    after, t, following =",
        "    given = (unlike,) if straight else ()\n    after, t, following =",
    ),
    (
        "    return nx, after, ny, following, tx, t, ty\n",
        "    unlike = _next_unlike(straight, unlike, qx, nx, layer_diag, diag, roots)\n"
        "    return nx, after, ny, following, tx, t, ty, unlike\n",
    ),
    (
        "    state = _first(x1, x2, exact, input_values)\n",
        "    state = _first(x1, x2, exact, input_values)\n"
        "    state = (*state, _first_unlike(x1, x2, exact, input_values, state))\n",
    ),
)
"""What changes where a layer takes the difference of lengths: an eighth number of the state."""

_WORSE = """Derivatives at a
    small angle t have errors of up to 2e-16/t (measured in double precision, not proven).  Second
    derivatives are NaN where rows of x1 and of x2 are collinear and no bias moves them apart, as
    at x = y; those of x1 with itself (x2=None) are right by reverse mode,
    as PyTorch takes them (jax.hessian, forward over reverse, is NaN there for kinked activations).
"""
_BETTER = """Derivatives keep
    their digits at small angles, but for False (measured in double precision, not proven).
"""

_ROWS = '''
def _next_unlike(straight, unlike, qx, nx, layer_diag, diag, roots):
    """sqrt(q11) - sqrt(q22) after a layer; `straight` ones are affine in the variance."""
    r1, r2, s1, s2 = roots
    if not straight:
        return s1 - s2
    start, _ = layer_diag(0.0 * qx, 0.0 * qx, *diag)
    rise = (nx - start) / _where(qx > 0.0, qx, 1.0 + 0.0 * qx)
    total = s1 + s2
    return unlike * (rise * (r1 + r2) / _where(total > 0.0, total, 1.0 + 0.0 * total))


def _first_unlike(x1, x2, exact, values, state):
    """sqrt(q11) - sqrt(q22) of the first layer, of nearly parallel rows from their difference."""
    qx, _, qy, root, *_ = state
    x1, x2 = _rows(x1, x2)
    slope = _input_affine(x1, values)[0]
    lengths = _sqrt0(qx) + _sqrt0(qy)
    far = (qx - qy) + 0.0 * root
    if exact or exact is None:
        size = _sqrt0(qx) * _sqrt0(qy)
        close = size >= 0.0 if exact else root < (0.1 if _double(root) else 0.3) * size

        def known(i, j):
            x, y = x1[i], x2[j]
            return slope * ((x - y) * (x + y)).sum(1)

        far = _chosen(close, known, _places(close), (0, 0), far, x1.shape[1])
    return far / _where(lengths > 0.0, lengths, 1.0 + 0.0 * lengths)
'''

_MENDED = """    if mode:
        before, ends, bias = (qx, c, qy, root), (nx, ny), 0.0 if mode & @SCALED@ else None
        *known, rise = near(pair)
        known = *known, None, bias, before, ends, roots
        following = _carried(mode, *known, after, following, rise if mode & @ODD@ else None)
"""

FIRST = '''
_turning = _rule(
    lambda r: _where(r == 0.0, 0.0 * r, 1.0 + 0.0 * r),
    lambda r: (_where(r == 0.0, float("nan") + 0.0 * r, 0.0 * r),),
)

# the root itself, which is a length: where it is 0 its second derivatives are not had, and are NaN
_once = _rule(lambda r: 1.0 * r, lambda r: (_turning(r),))


def _apart(x, y):
    """The area that x and y span, its square where it is 0, and |x - y|, row by row, from the
    differences.  Where the area is 0 second derivatives are had from its square alone.
    """
    norm, other = (x * x).sum(1), (y * y).sum(1)
    toward = _where((x * y).sum(1) < 0.0, -1.0 + 0.0 * norm, 1.0 + 0.0 * norm)[:, None] * y
    short = (other < norm)[:, None]
    base = _where(short, toward, x)
    gap = _where(short, x, toward) - base
    size = (base * base).sum(1)
    along = (gap * base).sum(1) / _where(size > 0.0, size, 1.0 + 0.0 * size)
    rest, far = gap - along[:, None] * base, y - x
    square = (rest * rest).sum(1)
    flat = _where(square == 0.0, square, 0.0 * size) * size
    return _sqrt0(size) * _sqrt0(square), flat, _sqrt0((far * far).sum(1))


def _rows(x1, x2):
    """Both matrices; where x2 is None, x1 twice."""
    (x1,) = _arrays(x1)
    (x2,) = (x1,) if x2 is None else _arrays(x2)
    for name, x in (("x1", x1), ("x2", x2)):
        if x.ndim != 2:
            raise ValueError(
                f"{name} has the shape {tuple(x.shape)}, not (rows, features); "
                f"one input is {name}[None, :]"
            )
    if x1.shape[1] != x2.shape[1]:
        raise ValueError(
            f"x1 has {x1.shape[1]} features and x2 {x2.shape[1]}: they are rows of one space"
        )
    return x1, x2


def _input_affine(x1, values):
    """Slope and offset of both kernels in the squared norm."""
    given = (_as(v, v, x1) if _is_array(v) else v for v in values)
    return _input_rule(float(x1.shape[1]), *given)


def _first(x1, x2, exact, values=INPUT_VALUES):
    """The state (q11, q12, q22, root, t11, t12, t22) after the first layer."""
    same = x2 is None
    x1, x2 = _rows(x1, x2)
    g11, g22 = (x1 * x1).sum(1)[:, None], (x2 * x2).sum(1)[None, :]
    g12, eye = _inner(x1, x2), _eye(x1, x2)
    if same:
        g12 = _where(eye, g11, 0.5 * (g12 + g12.T))
    a, b, own, offset = _input_affine(x1, values)
    qx, c, qy = (a * g + b for g in (g11, g12, g22))
    tx, t, ty = (own * g + offset for g in (g11, g12, g22))
    root = _rootdet(qx, c, qy)
    if exact or exact is None:
        size = _sqrt0(qx) * _sqrt0(qy)
        close = size >= 0.0 if exact else root < (0.1 if _double(root) else 0.3) * size
        close = close & ~eye if same else close

        def known(i, j):
            area, square, gap = _apart(x1[i], x2[j])
            fixed = _still(a * b) if _is_array(a * b) else a * b
            side, other = a * area, fixed**0.5 * gap
            sine, cosine, over = _over(side, other)
            length = side * sine + other * cosine
            length = length + (0.5 * a * square) * (a * over)
            if _is_array(a * b):  # a bias moves collinear rows apart like its root
                aside = 2.0**-100 if _double(gap) else 2.0**-40
                for row in (x1[i], x2[j]):
                    aside = aside * _still(a**0.5) * _sqrt0((row * row).sum(1))
                flat = (length == 0.0) & (gap > 0.0)
                length = _where(flat, aside, length)
                over = _where(flat, 1.0 / _where(aside > 0.0, aside, 1.0 + aside), over)
            # nothing but a slope in a*b, which the root of 0 has not
            return length + (a * b - fixed) * gap * (0.5 * gap * over)

        root = _chosen(close, known, _places(close), (0, 0), root, x1.shape[1])
    # one row with itself is a function of its own
    own = eye if same else root < 0.0
    root = _where(own, root, _once(_where(own, 1.0 + 0.0 * root, root)))
    return qx, c, qy, root, tx, t, ty
'''
"""The first layer of every network, after `input_numbers`."""

SYMMETRIC = '''
def _symmetric(a, own):
    """The matrix of all pairs of the same rows: the mean of both orders, `own` on the diagonal."""
    return _where(_eye(a, a), own, 0.5 * a + 0.5 * a.T)
'''

ABOUT = """At x = y, where a kinked activation has two one-sided
    derivatives in the angle, their mean is taken.  Inner products lose the angle of nearly equal
    rows, which is taken from x - y: for all pairs (`exact=True`), for those with a sine below 0.1
    (0.3 in single precision; the default), for none (False: one matrix product).  Derivatives at a
    small angle t have errors of up to 2e-16/t (measured in double precision, not proven).  Second
    derivatives are NaN where rows of x1 and of x2 are collinear and no bias moves them apart, as
    at x = y; those of x1 with itself (x2=None) are right by reverse mode,
    as PyTorch takes them (jax.hessian, forward over reverse, is NaN there for kinked activations).
    \"\"\""""
"""What a call of a network is, in the words of its docstring."""

_KERNELS = (
    '''
@COMPILED@def nngp_ntk(x1, x2=None, exact=None, values=VALUES, input_values=INPUT_VALUES):
    """(nngp, ntk) of the rows of x1 and x2, each of shape (n, m).

    Differentiable in x1, x2, `values` (the numbers of the layers: weight and bias variances and
    parameters, one column per name) and `input_values` (those of the first layer; in these the
    first derivatives alone; one in a bias of 0 that is infinite, of collinear rows and a kinked
    activation, is a number of 1e29 and more).  ValueError: other shapes.
    '''
    + ABOUT
    + """
    state = _first(x1, x2, exact, input_values)
    for kind, (pair, diag) in zip(LAYERS, values):
        state = _repeated(kind, state, pair, diag)
    qx, c, qy, _, tx, t, *_ = state
    zero = 0.0 * (qx + qy)
    if x2 is None:
        c, t = _symmetric(c, qx), _symmetric(t, tx)
    return c + zero, t + zero
"""
)
