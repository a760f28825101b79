"""Tables, series and mixtures as PyTorch modules."""

from __future__ import annotations

from dataclasses import replace

from .._base import SourceFile
from ..c.backend import Contract
from .table import UNROLLED
from .torch import TORCH
from .torch_network import LOOP, NETWORK
from .unit import ArrayUnit
from .unit_module import ArrayNetwork, unit_file, unit_network_file

_UNITS = '''
def _slack(a):
    """How far above an end of a range a rounded number may be."""
    return 2.0**-48 if a.dtype == torch.float64 else 2.0**-19


def _most(a):
    """Above it products of variances overflow."""
    return 2.0**200 if a.dtype == torch.float64 else 2.0**20


def _held_partials(root, q11, q12, q22):
    none = root == 0.0
    over = _where(none, 0.0 * root, 1.0 / _where(none, 1.0, root))
    return 0.0 * root, 0.5 * q22 * over, -q12 * over, 0.5 * q11 * over


# a root that is known better than from q11, q12, q22, on which its derivatives are
_held = _rule(lambda root, q11, q12, q22: root + 0.0 * root, _held_partials)


def _stacked(parts):
    return torch.stack(tuple(parts))


def _constants(rows, like):
    return torch.tensor(rows, dtype=like.dtype, device=like.device)


def _taken(numbers, places, like):
    # flat: behind vmap an index without axes would be a number
    return _constants(numbers, like)[places.reshape(-1)].reshape(places.shape)


def _along(values, like):
    """Numbers along a new first axis."""
    return _constants(values, like).reshape((-1,) + (1,) * like.dim())


def _in_blocks(f, values, length):
    """The rows of f(*values), each of the joint shape; f takes flat tensors, `length` at a time."""
    values = torch.broadcast_tensors(*values)
    parts = zip(*(v.reshape(-1).split(length) for v in values))
    found = torch.cat([f(*part) for part in parts], dim=1)
    return tuple(row.reshape(values[0].shape) for row in found)


def _two_of(row):
    return row[0], row[1]
'''
_SUMS = """
def _joined(parts):
    return torch.cat(tuple(parts))


_einsum = torch.einsum


def _looped(count, body, start):
    for i in range(count):
        start = body(i, start)
    return start


def _sequence(count, step, first, second):
    found = [first, second]
    for j in range(2, count):
        found.append(step(j, found[-1], found[-2]))
    return torch.stack(found[:count])
"""
UNITS = replace(TORCH, units=_UNITS, polynomials=UNROLLED, sums=_SUMS, network=NETWORK, loops=LOOP)


def dual_file(name: str, unit: ArrayUnit, contract: Contract) -> SourceFile:
    """The module of a dual: `dual` and `diagonal`.

    Raises:
        UnsupportedOp: an operation that PyTorch cannot spell.
    """
    return unit_file(name, unit, contract, UNITS, "")


def network_file(net: ArrayNetwork, contract: Contract) -> SourceFile:
    """The module of a network: `nngp_ntk(x1, x2=None, exact=None)`.

    Raises:
        UnsupportedOp: an operation that PyTorch cannot spell.
    """
    return unit_network_file(net, contract, UNITS)
