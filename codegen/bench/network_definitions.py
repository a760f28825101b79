"""Both kernels of a network whose activations have no closed form, in ball arithmetic: every layer
is the definition, by `enclose_definition`, from the middles that the layer before left.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from flint import acb, arb
from network_references import Chain, inputs

from ntksym.network import Network
from ntksym.network.affine import Affine, affine_layers
from ntksym.numeric.arith import ball, fraction
from ntksym.verify.balls import enclose_definition

DIGITS = 52
"""Of an expectation."""


class Definitions(Chain):
    """The layers of a network, whatever its activations."""

    bits = (400,)

    def __init__(self, network: Network) -> None:
        super().__init__(affine_layers(network), 1.0)

    def _made(self) -> Any:
        first, layers = self.made
        made = [(_Pair(n.nonlinearity, n.pair), _Own(n.nonlinearity, n.diag)) for n in layers]
        return inputs(first), made


class _Pair:
    """A layer as a function of q11, q12, q22 and the NTK before it."""

    def __init__(self, nonlinearity: Any, numbers: Affine) -> None:
        self._act = nonlinearity.activation
        self._numbers = [acb(ball(v)) for v in numbers]

    def __call__(self, *given: Any) -> tuple[Any, Any]:
        *entries, t = given
        at = [fraction(v.real.mid()) for v in entries]
        value, slope = (self._mean(at, derivative) for derivative in (False, True))
        s0, s1, t0, t1, t2 = self._numbers
        return s0 + s1 * value, t0 + t1 * value + t2 * slope * t

    def _mean(self, at: list[Fraction], derivative: bool) -> Any:
        found = enclose_definition(self._act, *at, derivative=derivative, digits=DIGITS)
        return acb(ball(Fraction(found.mid)) + arb(0, ball(Fraction(found.rad)).upper()))


class _Own(_Pair):
    """The same of an input with itself: of q and the NTK."""

    def __call__(self, q: Any, t: Any) -> tuple[Any, Any]:
        return super().__call__(q, q, q, t)
