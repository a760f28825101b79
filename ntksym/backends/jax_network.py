"""A network as a JAX module: equal layers are one `lax.scan`, so compile time ignores depth."""

from __future__ import annotations

from ..lower.schedule import Schedule
from ._base import SourceFile
from .array_network import TEXT
from .array_network import network_file as array_network_file
from .c import Contract
from .jax import JAX


def network_file(schedule: Schedule, contract: Contract) -> SourceFile:
    """The module of a network: `nngp_ntk(x1, x2=None, exact=False, values=VALUES)`.

    Raises:
        UnsupportedOp: an operation that JAX cannot spell (2F1).
    """
    return array_network_file(schedule, contract, JAX, TEXT + _JAX)


INNER = """    (x1,) = _arrays(x1)
    same = x2 is None
    (x2,) = (x1,) if same else _arrays(x2)
    g11, g22 = jnp.sum(x1 * x1, axis=1)[:, None], jnp.sum(x2 * x2, axis=1)[None, :]
    g12 = jnp.matmul(x1, x2.T, precision=jax.lax.Precision.HIGHEST)
    if same:
        g12 = jnp.where(jnp.eye(len(x1), dtype=bool), g11, 0.5 * (g12 + g12.T))
    det = apart = None
    if exact:
        det, apart = jax.lax.map(lambda row: _apart(row, x2), x1)
"""
"""The inner products of the rows, and what they are better known from."""

APART = '''

def _apart(row, others):
    """|x|^2 |y|^2 - (x.y)^2 and |x - y|^2, from the differences."""
    short = jnp.sum(others * others, axis=1) < jnp.sum(row * row)
    flip = jnp.sum(others * row, axis=1) < 0.0
    toward = jnp.where(flip, -1.0, 1.0)[:, None] * others
    base = jnp.where(short[:, None], toward, row)
    gap = jnp.where(short[:, None], row, toward) - base
    size = jnp.sum(base * base, axis=1)
    along = jnp.sum(gap * base, axis=1) / jnp.where(size > 0.0, size, 1.0)
    rest = gap - along[:, None] * base
    return size * jnp.sum(rest * rest, axis=1), jnp.sum((others - row) ** 2, axis=1)
'''

_JAX = (
    '''

def _repeated(kind, state, pair, diag):
    """Equal layers one after another, each with its own numbers."""
    like = state[1]
    shape = like.shape
    state = tuple(jnp.broadcast_to(v, shape) for v in state)
    rows = tuple(tuple(jnp.asarray(v, like.dtype) for v in given) for given in (pair, diag))

    def body(now, row):
        after = _step(kind, now, *row)
        return tuple(jnp.broadcast_to(jnp.asarray(v, like.dtype), shape) for v in after), None

    return jax.lax.scan(body, state, rows, length=kind[2])[0]


def nngp_ntk(x1, x2=None, exact=False, values=VALUES):
    """(nngp, ntk) of the rows of x1 and x2, each of shape (n, m).

    Differentiable in x1, x2 and `values` (the numbers of the layers: weight and bias variances and
    parameters, one column per name).  At x = y, where a kinked activation has two one-sided
    derivatives in the angle, their mean is taken.  `exact=True` takes the angle from x - y: nearly
    equal rows then keep all digits, for n*m*d operations in place of a matrix product.
    """
'''
    + INNER
    + """    return _kernels(g11, g12, g22, det, apart, x1.shape[1], values)
"""
    + APART
)
