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


def _as(value, places, like):
    """A value of the type of `like` at all places."""
    return _like(like, value).expand(places.shape)


def _read(table, places):
    return torch.tensor(table, device=places.device)[places.reshape(-1)].reshape(places.shape)


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


class _Mapped(torch.autograd.Function):
    """What is done to all entries, under `vmap`: the entries of all of them together."""

    @staticmethod
    def forward(run, *at):
        return run(*at)

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def vmap(info, in_dims, run, *at):
        size = info.batch_size
        at = (a.expand(size, *a.shape) if d is None else a.movedim(d, 0)
              for a, d in zip(at, in_dims[1:]))
        return _Mapped.apply(run, *at), 0


def _chosen(wanted, f, given, fill, plain, width=64):
    """f(*given) where wanted, elsewhere `plain`: for the wanted entries only, in blocks.

    Compiled for all, and not at all where f takes the memory of 512 entries and more: then the
    entry is `plain`; `fill` is what unwanted entries are then replaced by.
    """
    shape, some = wanted.shape, _any(wanted)
    if some is False:
        return plain
    plain = plain.expand(shape)
    if some is None and width >= 512:
        if torch.compiler.is_compiling():
            return plain
        run = lambda here, now, *at: _chosen(here, f, at, fill, now, width)
        return _Mapped.apply(run, wanted, plain, *(v.expand(shape) for v in given))
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
