"""An activation and its derivative as straight-line programs of one number x, piece by piece."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import sympy as sp
from sympy import Expr

from ..lower.build import Builder
from ..lower.program import Operand, Program
from ..numeric.quadrature.floats import nearest_double, tamed
from ..numeric.quadrature.subject import Subject
from ..symbols import x
from ..verify.functions.isolated import Isolated


class _Builder(Builder):
    """The builder of closed forms, with the functions that only activations have.

    Large arguments neither overflow nor cancel: log(c + e^g), asinh, log(1 + g).  A constant made
    of an isolated zero, such as the sine of one, is the double that the rule counted with.
    """

    def _lower(self, e: Expr) -> Operand:
        if not e.has(x) and e.has(Isolated):
            return Fraction(nearest_double(e))
        return super()._lower(e)

    def _function(self, e: Expr) -> Operand:
        if isinstance(e, sp.asinh):
            return self._asinh(self.operand(e.args[0]))
        if isinstance(e, sp.log) and len(e.args) == 1:
            return self._log(e.args[0])
        if isinstance(e, sp.sech):
            return self.emit("div", 1, self.emit("cosh", self.operand(e.args[0])))
        if isinstance(e, sp.tan):
            angle = self.operand(e.args[0])
            return self.emit("div", self.emit("sin", angle), self.emit("cos", angle))
        return super()._function(e)

    def _asinh(self, a: Operand) -> Operand:
        size = self.emit("abs", a)
        square = self.emit("mul", a, a)
        root = self.emit("sqrt0", self.emit("add", square, 1))
        more = self.emit("div", square, self.emit("add", root, 1))
        grown = self.emit("log1p", self.emit("add", size, more))
        return self.emit("mul", self.emit("sign", a), grown)

    def _log(self, e: Expr) -> Operand:
        c, rest = e.as_independent(x, as_Add=True)
        if isinstance(rest, sp.exp) and c.is_positive:
            g = self.operand(rest.args[0])
            top = self.emit("max", g, 0)
            if c == 1:
                small = self.emit("exp", self.emit("neg", self.emit("abs", g)))
                return self.emit("add", top, self.emit("log1p", small))
            held = self.emit("mul", self.operand(c), self.emit("exp", self.emit("neg", top)))
            sum_ = self.emit("add", held, self.emit("exp", self.emit("min", g, 0)))
            return self.emit("add", top, self.emit("log", sum_))
        if c == 1 and rest.has(x):
            return self.emit("log1p", self.operand(rest))
        return self.emit("log", self.operand(e))


def builder_of_functions() -> Builder:
    """A builder of programs of x, with the functions that only activations have."""
    return _Builder((x.name,))


@lru_cache(maxsize=64)
def piece_programs(subject: Subject) -> tuple[Program, ...]:
    """For each smooth piece the program x -> (value, slope).

    Raises:
        UnsupportedOp: a function without an operation.
    """
    out = []
    pairs = zip(subject.value.pieces, subject.slope.pieces, strict=True)
    for i, (value, slope) in enumerate(pairs):
        builder = builder_of_functions()
        outputs = (
            ("value", builder.operand(tamed(value.expr))),
            ("slope", builder.operand(tamed(slope.expr))),
        )
        out.append(builder.program(f"piece{i}", outputs, (), ""))
    return tuple(out)
