"""Tables, series and mixtures with their derivatives as a NumPy module, for gradients."""

from __future__ import annotations

from .._base import SourceFile
from ..array.helpers import array_helpers, helper_names
from ..array.module import ArrayBackend
from ..array.table import UNROLLED
from ..array.unit import ArrayUnit, shared_helpers

_PREAMBLE = """
import numpy as np
from scipy import special as _special

_INF = np.inf
_FAR, _SMALL = 1e18, 1e-37
_abs, _sign, _sqrt, _exp, _expm1 = np.abs, np.sign, np.sqrt, np.exp, np.expm1
_log, _log1p, _sin, _cos = np.log, np.log1p, np.sin, np.cos
_sinh, _cosh, _tanh, _hypot, _atan2 = np.sinh, np.cosh, np.tanh, np.hypot, np.arctan2
_max, _min, _where = np.maximum, np.minimum, np.where
_erf, _erfc, _gamma = _special.erf, _special.erfc, _special.gamma
_ERFC_IS_RIGHT = False  # of one sign, most of an eps


def _is_array(a):
    return hasattr(a, "dtype")


def _rule(value, partials):
    return value


_pair_rule = _rule


def _added(part, count, zero):
    for i in range(count):
        zero = zero + part(i)
    return zero


def _weighted(part, rule, zero):
    for at, weight in rule:
        zero = zero + weight * part(at)
    return zero


def _floor(a):
    return 2.0**-500


def _high(a):
    return (np.ascontiguousarray(a).view(np.int64) & ~((1 << 27) - 1)).view(np.float64)


def _rounded(a):
    return a


def _half_exponent(a):
    return np.frexp(a)[1] // 2


def _scaled(a, k):
    return np.ldexp(a, k)
"""

_UNITS = """
def _slack(a):
    return 2.0**-48


def _most(a):
    return 2.0**200


def _held(root, q11, q12, q22):
    return root


def _stacked(parts):
    return np.stack(parts)


def _constants(rows, like):
    return np.array(rows)


def _taken(numbers, places, like):
    return _constants(numbers, like)[places]


def _along(values, like):
    return np.array(values).reshape((-1,) + (1,) * np.ndim(like))


def _in_blocks(f, values, length):
    values = np.broadcast_arrays(*values)
    flat = [v.reshape(-1) for v in values]
    starts = range(0, max(values[0].size, 1), length)
    found = np.concatenate([f(*(v[at : at + length] for v in flat)) for at in starts], axis=1)
    return tuple(row.reshape(values[0].shape) for row in found)


def _two_of(row):
    return row[0], row[1]
"""
_SUMS = """
def _joined(parts):
    return np.concatenate(parts)


def _einsum(sum_of, *parts):
    return np.einsum(sum_of, *parts, optimize=True)


def _looped(count, body, start):
    for i in range(count):
        start = body(i, start)
    return start


def _sequence(count, step, first, second):
    found = [first, second]
    for j in range(2, count):
        found.append(step(j, found[-1], found[-2]))
    return np.stack(found[:count])
"""
ARRAYS = ArrayBackend("numpy", _PREAMBLE, units=_UNITS, polynomials=UNROLLED, sums=_SUMS)


def units_file(kinds: tuple[ArrayUnit, ...]) -> SourceFile:
    """A module with `dual<k>_value`, `dual<k>_partials` and those of the diagonal, and `_rootdet`.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    import re

    pieces = [ARRAYS.units, shared_helpers(kinds, ARRAYS)]
    pieces += [unit.text(f"dual{k}", ARRAYS) for k, unit in enumerate(kinds)]
    body = "\n\n\n".join(piece.strip("\n") for piece in pieces if piece.strip("\n"))
    called = frozenset(re.findall(r"\b_\w+", body)) & helper_names()
    helpers = array_helpers(called | {"_rootdet", "_sqrt0"})
    return SourceFile("units.py", "\n\n\n".join((_PREAMBLE.strip("\n"), helpers, body)) + "\n")
