"""Networks whose kernels at -rho are those at rho, or minus those."""

from __future__ import annotations

from ..derivation import parity
from .angular import AngularNetwork


def mirrored(found: AngularNetwork) -> int:
    r"""1 where both kernels are even in rho, -1 where both are odd, 0 where neither is known.

    An odd activation has an odd dual and an even derivative dual.  So as long as no layer adds
    anything, $\Sigma_{12}$ and $\Theta_{12}$ stay odd; a first even activation makes both even, and
    they stay so whatever follows.
    """
    if found.theta[1] != 0:
        return 0
    for layer in found.layers:
        sign = parity(layer.nonlinearity.activation)
        if sign > 0:
            return 1
        if sign == 0 or layer.pair[0] != 0 or layer.pair[2] != 0:
            return 0
    return -1
