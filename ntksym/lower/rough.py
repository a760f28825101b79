"""Programs in FLINT's numbers, for sizes on grids: a tenth of the time of mpmath.

The numbers are balls: what cancels is in their radii, and a comparison holds where it is certain.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from flint import arb, ctx
from mpmath import MPContext

from ..precision import precision
from .program import Program
from .repeated import Repeated

_MORE = frozenset({"Phi2", "expPhi2", "hyp2f1", "rescale"})
"""Operations whose meaning needs quadrature, more digits or the exponent of a number."""
_FUNCTIONS = "exp expm1 log log1p sqrt sin cos sinh cosh tanh erf erfc gamma".split()


class Balls:
    """What meanings of operations ask of a context of mpmath, with `arb` for its numbers."""

    zero, one, inf = arb(0), arb(1), arb.pos_inf()
    convert = mpf = staticmethod(arb)

    @property
    def prec(self) -> int:
        """The working precision in bits."""
        return int(ctx.prec)

    @property
    def pi(self) -> Any:
        """The number, to the working precision."""
        return arb.pi()

    @property
    def euler(self) -> Any:
        """Euler's constant."""
        return arb.const_euler()

    @staticmethod
    def sign(a: Any) -> Any:
        """1, 0 or -1."""
        return a.sgn()

    @staticmethod
    def power(a: Any, b: Any) -> Any:
        """The first to the power of the second."""
        return arb(a) ** b

    @staticmethod
    def atan2(s: Any, c: Any) -> Any:
        """The angle of the point (c, s)."""
        return arb.atan2(s, c)

    @staticmethod
    def hypot(a: Any, b: Any) -> Any:
        """The root of the sum of the squares."""
        return (a * a + b * b).sqrt()


def _of_one(name: str) -> Any:
    function = getattr(arb, name)
    return staticmethod(lambda a: function(arb(a)))


for _name in _FUNCTIONS:
    setattr(Balls, _name, _of_one(_name))

_BALLS = Balls()


def bits_of(digits: int) -> int:
    """The working precision of `Sizes` with so many decimal digits."""
    return int(3.33 * digits) + 4


class Sizes:
    """A program at many points, to some digits.  What has no meaning in balls is left to mpmath.

    Args:
        program: what is evaluated.
        digits: decimal digits of the working precision.
    """

    def __init__(self, program: Program, digits: int) -> None:
        self._program, self._bits = program, bits_of(digits)

    @cached_property
    def _run(self) -> Repeated:
        context: Any = _BALLS
        if any(let.op in _MORE for let in self._program.body):
            context = MPContext()
            context.prec = self._bits
        return Repeated(self._program, context)

    def __call__(self, point: Mapping[str, float]) -> tuple[Any, ...]:
        """The outputs at a point, in order, as `arb`."""
        with precision(self._bits):
            return tuple(map(arb, self._run(point)))
