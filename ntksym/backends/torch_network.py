"""A network as a PyTorch module."""

from __future__ import annotations

from ..lower.schedule import Schedule
from ._base import SourceFile
from .array_network import TEXT
from .array_network import network_file as array_network_file
from .c import Contract
from .torch import TORCH


def network_file(schedule: Schedule, contract: Contract) -> SourceFile:
    """The module of a network: `nngp_ntk(x1, x2=None, exact=False, values=VALUES)`.

    Raises:
        UnsupportedOp: an operation that PyTorch cannot spell (2F1).
    """
    return array_network_file(schedule, contract, TORCH, TEXT + _TORCH)


INNER = """    same = x2 is None
    x2 = x1 if same else x2
    g11, g22 = (x1 * x1).sum(dim=1)[:, None], (x2 * x2).sum(dim=1)[None, :]
    g12 = x1 @ x2.T
    if same:
        eye = torch.eye(len(x1), dtype=torch.bool, device=x1.device)
        g12 = torch.where(eye, g11, 0.5 * (g12 + g12.T))
    det = apart = None
    if exact:
        parts = [_apart(row, x2) for row in x1]
        det, apart = (torch.stack(each) for each in zip(*parts))
"""
"""The inner products of the rows, and what they are better known from."""

APART = '''

def _apart(row, others):
    """|x|^2 |y|^2 - (x.y)^2 and |x - y|^2, from the differences."""
    short = (others * others).sum(dim=1) < (row * row).sum()
    flip = (others * row).sum(dim=1) < 0.0
    toward = torch.where(flip, -1.0, 1.0).to(row.dtype)[:, None] * others
    base = torch.where(short[:, None], toward, row)
    gap = torch.where(short[:, None], row, toward) - base
    size = (base * base).sum(dim=1)
    along = (gap * base).sum(dim=1) / torch.where(size > 0.0, size, 1.0)
    rest = gap - along[:, None] * base
    return size * (rest * rest).sum(dim=1), ((others - row) ** 2).sum(dim=1)
'''

_TORCH = (
    '''

def _repeated(kind, state, pair, diag):
    """Equal layers one after another, each with its own numbers."""
    for k in range(kind[2]):
        state = _step(kind, state, tuple(v[k] for v in pair), tuple(v[k] for v in diag))
    return state


def nngp_ntk(x1, x2=None, exact=False, values=VALUES):
    """(nngp, ntk) of the rows of x1 and x2, each of shape (n, m).

    Differentiable in x1, x2 and `values` (the numbers of the layers: weight and bias variances and
    parameters, one column per name).  At x = y, where a kinked activation has two one-sided
    derivatives in the angle, their mean is taken.  `exact=True` takes the angle from x - y: nearly
    equal rows then keep all digits, for n*m*d operations in place of a matrix product.
    """
'''
    + INNER
    + """    nngp, ntk = _kernels(g11, g12, g22, det, apart, x1.shape[1], values)
    zero = torch.zeros_like(g12)
    return nngp + zero, ntk + zero
"""
    + APART
)
