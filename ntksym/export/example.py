"""Where generated code is tried: variances that a dual is for, rows that a network is for."""

from __future__ import annotations

from typing import Any

from ..network import Network
from ..numeric.choice import read_variances
from ..runtime.units.layers import first_affine


def example(
    variances: Any, network: Network | None, columns: int
) -> tuple[float, float, float | None]:
    """Two variances from [1/2, 2], or from the range, and |x|^2 of rows; None where any will do.

    `variances` are as for `export`: of the dual, or |x|^2/d of the inputs of a network.
    """
    if variances is None:
        return 0.5, 2.0, None
    first, last = (float(v) for v in read_variances(variances))
    low, high = max(first, min(0.5, last)), min(last, max(2.0, first))
    if network is None:
        return low, high, None
    scale = first_affine(network, 1)[0] / first_affine(network, columns)[0]
    return low, high, float((first * last) ** 0.5 * scale)
