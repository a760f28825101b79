r"""One polynomial for a whole network, with a proven bound of its error.

On each side, $\rho = \pm(1 - 2 s^2)$, both kernels are polynomials in $w = s/(s + c)$: behind
many layers the kernels change where s is about one over the depth, and w resolves that.  With
$u = 2 w/w_{top} - 1$ and $v = 2 u^2 - 1 = T_2(u)$ they are $E(v) + u\,O(v)$: powers of v
have coefficients of about the root of the size that those of powers of u have, and lose less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial import polynomial
from sympy import Rational

from ..brief import Brief, cut
from ..errors import BadSpec, Undecided
from ..network import Network
from ..precision import precision
from ..waiting import followed
from .angular import AngularNetwork, angular
from .certificate import prove
from .mirror import mirrored
from .samples import Array, Edge, Progress, Source, edge, in_balls, sample, sizes
from .side import MOST_TERMS, Side, fitted
from .tail import tail


@dataclass(frozen=True, slots=True, repr=False)
class Collapsed(Brief):
    """A network as two polynomials per side.

    Attributes:
        angular: the network.
        sides: for rho >= 0 and for rho < 0.
        ends: the values (nngp, ntk) at rho = 1.
        error: proven bounds of both errors, over the values at rho = 1, in exact arithmetic.
    """

    angular: AngularNetwork
    sides: tuple[Side, Side]
    ends: tuple[float, float]
    error: tuple[float, float]
    _shown = ("error",)

    def evaluate(self, rho: Any) -> tuple[Array, Array]:
        """(nngp, ntk) at an array of rho, in double."""
        r = np.asarray(rho, dtype=np.float64)
        found = []
        for which in (0, 1):
            values = []
            for side in self.sides:
                s = np.sqrt(np.maximum((1 - side.sign * r) / 2, 0))
                w = s / (s + side.scale)
                u, series = 2 * w / side.top - 1, (side.nngp, side.ntk)[which]
                even, odd = (polynomial.polyval(2 * u * u - 1, series[k::2]) for k in (0, 1))
                values.append(even + u * odd)
            found.append(self.ends[which] * np.where(r >= 0, *values))
        return found[0], found[1]


def collapse(
    network: Network | str,
    *,
    variance: Rational | None = None,
    dimension: int | None = None,
    error: float = 1e-12,
    progress: Progress | None = None,
) -> Collapsed:
    r"""The whole network as one certified function of the angle.

    Args:
        network: with closed-form duals and numbers for all parameters, or its text.
        variance: $\Sigma^{(1)}(x, x)$ of all inputs (a sphere), or None for homogeneous
            activations without biases and any inputs.
        dimension: that of the inputs, for conventions whose kernels depend on it ("standard").
        error: the wanted error of both kernels over their values at rho = 1.
        progress: called with a line about what is being done.

    Raises:
        NoClosedForm: not a function of the angle alone, or an activation without closed form.
        BadSpec: the kernels depend on the dimension, and none is given.
        Undecided: the error is not reached; the best bound is in the message.
    """
    found = angular(network, variance, dimension)
    if found.needs_dimension:
        raise BadSpec(
            "the NTK depends on the number of inputs",
            where="the first layer of the standard parametrisation",
            hint="ntksym.compile(net, collapse=True), which has it from the data; "
            "or parametrization=ntk",
        )
    if progress is None:
        with followed(f"collapse {cut(found.network.name)}", None) as tell:
            return collapse(
                network, variance=variance, dimension=dimension, error=error, progress=tell
            )
    report = progress
    ends, most = _at_one(found)
    last = edge(found, error, most)
    quick = tail(found, error, report)
    slow = in_balls(found, report)
    sources = (slow,) if quick is None else (quick, slow)
    parity = mirrored(found)
    for source in sources:
        try:
            first, ahead = _side(found, 1, error, (source, last, most), report)
            if parity:
                signed = (tuple(parity * c for c in s) for s in (first.nngp, first.ntk))
                second, behind = Side(-1, first.scale, *signed), ahead
            else:
                second, behind = _side(found, -1, error, (source, last, most), report)
        except Undecided:
            if source is slow:
                raise
            continue
        worst = [max(a, b) for a, b in zip(ahead, behind, strict=True)]
        if all(bound <= error for bound in (*ahead, *behind)):
            break
    else:
        raise Undecided(
            f"an error of {error:.3g} is not reached",
            where=f"proven: nngp {worst[0]:.3g}, ntk {worst[1]:.3g}",
            hint="a larger error, or the layers one by one",
        )
    return Collapsed(found, (first, second), ends, (worst[0], worst[1]))


def _side(
    found: AngularNetwork,
    sign: int,
    error: float,
    ways: tuple[Source, Edge, tuple[Any, Any]],
    report: Progress,
) -> tuple[Side, tuple[float, float]]:
    """The polynomials of one side, and proven bounds of their errors."""
    source, last, most = ways
    samples = sample(found, sign, error, source, last)
    report(f"fitting rho {'>' if sign > 0 else '<'} 0")
    with precision(64 + 2 * MOST_TERMS):
        side = fitted(source, samples, error)
        return side, prove(side, samples, most)


def _at_one(found: AngularNetwork) -> tuple[tuple[float, float], tuple[Any, Any]]:
    """The values at rho = 1, and `sizes`."""
    with precision(128 + 4 * len(found.layers)):
        run = found.evaluator()
        k, t = run.ends
        return (float(k), float(t)), sizes(run)
