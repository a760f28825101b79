"""A closed form as a unit: the programs of its dual, with numbers for the parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr

from ..dual import Dual
from ..lower.build import Builder
from ..lower.kernel import REQUIRES_DIAG, REQUIRES_PAIR
from ..lower.program import Operand, Program
from ..lower.scales import settle, settle_diagonal, settles
from .c.backend import C, loop
from .numpy.backend import NUMPY, function

_STATE = ("q11", "q12", "q22", "root")


@dataclass(frozen=True, slots=True)
class ClosedUnit:
    """A `DualUnit` of a closed form, with the operations that hold at any variances.

    Attributes:
        pair: (q11, q12, q22, root, parameters) -> nngp, dot.
        diag: (q, parameters) -> nngp, dot.
        values: numbers for the parameters.
        notes: lines for the head of the file.
    """

    pair: Program
    diag: Program
    values: tuple[float, ...]
    notes: tuple[str, ...]

    @property
    def programs(self) -> tuple[Program, ...]:
        """Both programs."""
        return self.pair, self.diag

    def c_functions(self, stem: str) -> str:
        """As in `DualUnit`: the loops of the file of a dual."""
        passed = "".join(f", {C.literal(v)}" for v in self.values)
        pieces = [
            loop(self.pair, f"{stem}_closed", _STATE, support=False, scope="static "),
            loop(self.diag, f"{stem}_closed_diag", ("q",), support=False, scope="static "),
            _C.replace("@PASSED@", passed).replace("@STEM@", stem),
        ]
        return "\n".join(pieces)

    def numpy_functions(self, stem: str) -> str:
        """As in `DualUnit`."""
        passed = "".join(f", {NUMPY.literal(v)}" for v in self.values)
        pieces = [
            function(self.pair, f"_{stem}_closed", "One expectation."),
            function(self.diag, f"_{stem}_closed_diag", "One expectation, u = v."),
            _NUMPY.strip("\n").replace("@PASSED@", passed).replace("@STEM@", stem),
        ]
        return "\n\n\n".join(piece.rstrip("\n") for piece in pieces) + "\n"


def closed_unit(
    found: Dual, values: tuple[float, ...], notes: tuple[str, ...], *, almost_everywhere: bool
) -> ClosedUnit:
    """The unit of a closed form.

    Raises:
        UnsupportedOp: a function without an operation.
    """
    if almost_everywhere:
        found = replace(found, dot=found.dot_ae, diag_dot=found.diag_dot_ae)
    names = tuple(p.name for p in found.activation.params)
    pair, diag = Builder((*_STATE, *names), root="root"), Builder(("q", *names))
    if (whole := settles(found.activation)) is not None:
        settle(pair, whole)
        settle_diagonal(diag, whole)
    return ClosedUnit(
        pair.program("closed", _ends(pair, found.value, found.dot), REQUIRES_PAIR, ""),
        diag.program("closed_diag", _ends(diag, found.diag, found.diag_dot), REQUIRES_DIAG, ""),
        values,
        notes,
    )


def _ends(b: Builder, value: Expr, dot: Expr) -> tuple[tuple[str, Operand], ...]:
    return ("nngp", b.operand(value)), ("dot", b.operand(dot))


_C = """static void @STEM@_pairs(size_t n, const double *q11, const double *q12, const double *q22,
                         const double *root, double *nngp, double *dot)
{
  @STEM@_closed(n, q11, q12, q22, root@PASSED@, nngp, dot);
}

static void @STEM@_diag(size_t n, const double *q, double *nngp, double *dot)
{
  @STEM@_closed_diag(n, q@PASSED@, nngp, dot);
}
"""

_NUMPY = '''
def @STEM@_pairs(q11, q12, q22, root=None):
    """The pair (nngp, dot); arrays broadcast."""
    root = _rootdet(q11, q12, q22) if root is None else root
    zero = np.zeros(np.broadcast_shapes(*map(np.shape, (q11, q12, q22))))
    nngp, dot = _@STEM@_closed(q11, q12, q22, root@PASSED@)
    return nngp + zero, dot + zero


def @STEM@_diag(q):
    """The pair (nngp, dot) for u = v with variance q."""
    nngp, dot = _@STEM@_closed_diag(q@PASSED@)
    return nngp + np.zeros(np.shape(q)), dot + np.zeros(np.shape(q))
'''
