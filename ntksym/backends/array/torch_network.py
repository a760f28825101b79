"""What networks need of PyTorch."""

from __future__ import annotations

NETWORK = '''
def _double(a):
    return a.dtype == torch.float64


def _column(values, like):
    """Numbers along a new first axis."""
    made = torch.tensor(values, dtype=like.dtype, device=like.device)
    return made.reshape((-1,) + (1,) * like.dim())


def _joined(parts):
    return torch.cat(tuple(parts))


def _inner(x, y):
    return x @ y.T


def _eye(x, y):
    return torch.eye(len(x), len(y), dtype=torch.bool, device=x.device)


def _places(a):
    """The row and the column of every entry."""
    sides = (torch.arange(n, device=a.device) for n in a.shape)
    return torch.meshgrid(*sides, indexing="ij")


def _any(wanted):
    """Whether some entry is wanted; None where tensors have no value, under `vmap` and compiled."""
    if torch.compiler.is_compiling():
        return None
    try:
        return bool(wanted.any())
    except RuntimeError:
        return None


def _chosen(wanted, f, given, fill, plain, width=32):
    """f(*given) where wanted, elsewhere `plain`: for the wanted entries only, in blocks.

    Under `vmap` and compiled for all; `fill` is what unwanted entries are then replaced by.
    """
    shape, some = wanted.shape, _any(wanted)
    if some is False:
        return plain
    plain = plain.expand(shape)
    if some is None:
        safe = (_where(wanted, v.expand(shape), torch.full_like(v, o).expand(shape))
                for v, o in zip(given, fill))
        found = f(*(v.reshape(-1) for v in safe))
        return torch.where(wanted, found.reshape(shape), plain)
    at = wanted.nonzero(as_tuple=True)
    length = max(1, min(4096, 262144 // width))
    parts = zip(*(v.expand(shape)[at].split(length) for v in given))
    return plain.index_put(at, torch.cat([f(*part) for part in parts]))
'''
"""How rows are multiplied and entries chosen."""

SCAN = '''
def _repeated(kind, state, pair, diag):
    """Equal layers one after another, each with its own numbers."""
    for k in range(kind[2]):
        state = _step(kind, state, tuple(v[k] for v in pair), tuple(v[k] for v in diag))
    return state
'''
"""Layers with numbers of their own."""

LOOP = '''
def _repeated(state, layer):
    """Equal layers one after another."""
    for _ in range(layer[5]):
        state = _layer(state, layer)
    return state
'''
"""Layers that are all alike."""
