"""What networks need of JAX: equal layers are one `lax.scan`, so compile time ignores depth."""

from __future__ import annotations

NETWORK = '''
def _double(a):
    return a.dtype == jnp.float64


def _column(values, like):
    """Numbers along a new first axis."""
    return jnp.asarray(values, like.dtype).reshape((-1,) + (1,) * like.ndim)


def _joined(parts):
    return jnp.concatenate(tuple(parts))


def _as(value, places, like):
    """A value of the type of `like` at all places."""
    return jnp.broadcast_to(jnp.asarray(value, like.dtype), places.shape)


def _read(table, places):
    return jnp.asarray(table, jnp.int32)[places]


def _inner(x, y):
    return jnp.matmul(x, y.T, precision=jax.lax.Precision.HIGHEST)


def _eye(x, y):
    return jnp.eye(len(x), len(y), dtype=bool)


def _places(a):
    """The row and the column of every entry."""
    return tuple(jnp.broadcast_to(i, a.shape) for i in jnp.indices(a.shape, sparse=True))


def _chosen(wanted, f, given, fill, plain, width=64):
    """f(*given) where wanted, elsewhere `plain`: in blocks, wanted entries first.

    Blocks without one are left alone (under `vmap` all are computed); `fill` is what unwanted
    entries are replaced by, so that nothing that they do is seen.
    """
    shape, count = wanted.shape, wanted.size
    if not count:
        return plain
    length = max(1, min(4096, 65536 // width, count))
    given = tuple(jnp.broadcast_to(v, shape).reshape(-1) for v in given)

    def block(operands):
        here, now, *rest = operands

        def work():
            safe = (jnp.where(here, v, jnp.asarray(o, v.dtype)) for v, o in zip(rest, fill))
            return jnp.where(here, f(*safe), now)

        return jax.lax.cond(jnp.any(here), work, lambda: now)

    def some():
        flat = wanted.reshape(-1)
        total = jnp.sum(flat)
        rank = jnp.where(flat, jnp.cumsum(flat) - 1, total + jnp.cumsum(~flat) - 1)
        order = jnp.zeros_like(rank).at[rank].set(jnp.arange(count, dtype=rank.dtype))
        order = jnp.pad(order, (0, -count % length)).reshape(-1, length)
        here = flat[order] & (jnp.arange(order.size).reshape(order.shape) < count)
        now = jnp.broadcast_to(plain, shape).reshape(-1)
        operands = (here, *(v[order] for v in (now, *given)))
        found = jax.lax.map(jax.checkpoint(block), operands)
        return found.reshape(-1)[rank].reshape(shape)

    return jax.lax.cond(jnp.any(wanted), some, lambda: jnp.broadcast_to(plain, shape))
'''
"""How rows are multiplied and entries chosen."""

SCAN = '''
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
'''
"""Layers with numbers of their own."""

LOOP = '''
def _repeated(state, layer):
    """Equal layers one after another."""
    if layer[5] == 1:
        return _layer(state, layer)
    like = state[1]
    state = tuple(jnp.broadcast_to(v, like.shape) for v in state)

    def body(_, now):
        after = _layer(now, layer)
        return tuple(jnp.broadcast_to(jnp.asarray(v, like.dtype), like.shape) for v in after)

    return jax.lax.fori_loop(0, layer[5], body, state)
'''
"""Layers that are all alike."""
