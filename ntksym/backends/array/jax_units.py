"""Tables, series and mixtures as JAX modules."""

from __future__ import annotations

from dataclasses import replace

from .._base import SourceFile
from ..c.backend import Contract
from .jax import ELEMENTWISE, JAX
from .jax_network import LOOP, NETWORK
from .unit import ArrayUnit
from .unit_module import ArrayNetwork, unit_file, unit_network_file

_UNITS = '''
def _slack(a):
    """How far above an end of a range a rounded number may be."""
    return 2.0**-48 if a.dtype == jnp.float64 else 2.0**-19


def _most(a):
    """Above it products of variances overflow."""
    return 2.0**200 if a.dtype == jnp.float64 else 2.0**20


def _held_partials(root, q11, q12, q22):
    none = root == 0.0
    over = _where(none, 0.0, 1.0 / _where(none, 1.0, root))
    return 0.0 * root, 0.5 * q22 * over, -q12 * over, 0.5 * q11 * over


# a root that is known better than from q11, q12, q22, on which its derivatives are
_held = _rule(lambda root, *q: _wide(root, (root, *q)), _held_partials)


def _stacked(parts):
    return jnp.stack(parts)


def _constants(rows, like):
    return jnp.asarray(rows, like.dtype)


def _taken(numbers, places, like):
    return _constants(numbers, like)[places]


def _along(values, like):
    """Numbers along a new first axis."""
    return _constants(values, like).reshape((-1,) + (1,) * like.ndim)


def _in_blocks(f, values, length):
    """The rows of f(*values), each of the joint shape; f takes flat arrays, `length` at a time."""
    values = jnp.broadcast_arrays(*values)
    shape, count = values[0].shape, values[0].size
    if count <= length:
        found = f(*(v.reshape(-1) for v in values))
    else:
        filled = (jnp.pad(v.reshape(-1), (0, -count % length), mode="edge") for v in values)
        found = jax.lax.map(lambda at: f(*at), tuple(v.reshape(-1, length) for v in filled))
        found = jnp.moveaxis(found, 0, 1)
    return tuple(row.reshape(-1)[:count].reshape(shape) for row in found)


def _two_of(row):
    return row[0], row[1]


def _sequence(count, step, first, second):
    """x_0, x_1 and x_j = step(j, x_{j-1}, x_{j-2}), j < count, along a new first axis.

    One loop: an expression of all of them would be compiled again and again, each inside the next.
    """

    def body(now, j):
        after = step(j, *now)
        return (after, now[0]), after

    rest = jax.lax.scan(body, (second, first), jnp.arange(2, count))[1]
    return jnp.concatenate((jnp.stack((first, second)), rest))[:count]
'''
_LOOPS = '''

def _dense(rows, like):
    """rows[i][j][k] as one array, zeros where rows are shorter."""
    most = [len(rows), max(map(len, rows)), max(len(line) for plane in rows for line in plane)]
    full = [
        [
            list(line) + [0.0] * (most[2] - len(line))
            for line in list(plane) + [()] * (most[1] - len(plane))
        ]
        for plane in rows
    ]
    return jnp.asarray(full, like.dtype)


def _powers(a, count, ndim):
    """a**0, a**1, ..., and their derivatives, along a new first axis."""
    a = jnp.reshape(a, (1,) * (ndim - a.ndim) + a.shape)
    powers = _sequence(count, lambda k, now, last: a * now, 1.0 + 0.0 * a, a)
    slopes = _along(range(1, count), a) * powers[:-1]
    return powers, jnp.concatenate((0.0 * powers[:1], slopes))


def _polynomial(rows, first, second, x):
    """The polynomial rows[i][j][k] first**i second**j x**k, by Horner's rule in x."""
    numbers = _dense(rows, x)
    across, _ = _powers(first, numbers.shape[0], x.ndim)
    along, _ = _powers(second, numbers.shape[1], x.ndim)
    rows = jnp.tensordot(numbers, across, axes=((0,), (0,)), precision=jax.lax.Precision.HIGHEST)
    count = numbers.shape[2]

    def body(i, total):
        return total * x + jnp.sum(rows[:, count - 1 - i] * along, axis=0)

    return (jax.lax.fori_loop(0, count, body, 0.0 * x),)


def _polynomial_slopes(rows, first, second, x):
    """The same with its derivatives in first, second and x."""
    numbers = _dense(rows, x)
    best = {"axes": ((0,), (0,)), "precision": jax.lax.Precision.HIGHEST}
    across, across_slope = _powers(first, numbers.shape[0], x.ndim)
    along, along_slope = _powers(second, numbers.shape[1], x.ndim)
    rows, sloped = (jnp.tensordot(numbers, f, **best) for f in (across, across_slope))
    count = numbers.shape[2]

    def body(i, now):
        total, of_first, of_second, of_x = now
        k = count - 1 - i
        return (
            total * x + jnp.sum(rows[:, k] * along, axis=0),
            of_first * x + jnp.sum(sloped[:, k] * along, axis=0),
            of_second * x + jnp.sum(rows[:, k] * along_slope, axis=0),
            of_x * x + total,
        )

    return jax.lax.fori_loop(0, count, body, (0.0 * x,) * 4)
'''
_SUMS = """
def _joined(parts):
    return jnp.concatenate(tuple(parts))


def _einsum(sum_of, *parts):
    return jnp.einsum(sum_of, *parts, precision=jax.lax.Precision.HIGHEST)


def _looped(count, body, start):
    return jax.lax.fori_loop(0, count, body, start)
"""
UNITS = replace(JAX, units=_UNITS, polynomials=_LOOPS, sums=_SUMS, network=NETWORK, loops=LOOP)


def dual_file(name: str, unit: ArrayUnit, contract: Contract) -> SourceFile:
    """The module of a dual: `dual`, `diagonal` and `elementwise`.

    Raises:
        UnsupportedOp: an operation that JAX cannot spell.
    """
    text = ELEMENTWISE.replace("@ONLY@", "").replace("@PARAMS@", "")
    return unit_file(name, unit, contract, UNITS, text)


def network_file(net: ArrayNetwork, contract: Contract) -> SourceFile:
    """The module of a network: `nngp_ntk(x1, x2=None, exact=None)`.

    Raises:
        UnsupportedOp: an operation that JAX cannot spell.
    """
    return unit_network_file(net, contract, UNITS)
