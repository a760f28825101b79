"""Normal mixtures as units: their programs, with numbers for the parameters."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import without_value
from ..lower.program import Program
from .c.backend import C
from .c.mixture import LANES, core
from .mixture.programs import MixturePrograms
from .numpy.backend import NUMPY
from .numpy.mixture import core as numpy_core


@dataclass(frozen=True, slots=True)
class ProgramUnit:
    """A `DualUnit` made of straight-line programs: a sum over pairs of nodes.

    Attributes:
        parts: the programs, as `mixture.programs` gives them.
        values: numbers for `parts.params`.
        notes: lines for the head of the file.

    Raises:
        BadSpec: a parameter without a value.
    """

    parts: MixturePrograms
    values: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.values) < len(self.parts.params):
            raise without_value(self.parts.params[len(self.values)], self.parts.name)

    @property
    def programs(self) -> tuple[Program, ...]:
        """Every program inside."""
        return self.parts.programs

    def c_functions(self, stem: str) -> str:
        """As in `DualUnit`: blocks of lanes that stay in registers and in the first cache."""
        lanes = f"{stem.upper()}_LANES"
        passed = "".join(f", {C.literal(v)}" for v in self.values)
        body = _word(core(self.parts, f"{stem}_"), "LANES", lanes)
        text = _C.replace("@PASSED@", passed).replace("@LANES@", lanes)
        head = f"enum {{ {lanes} = {LANES} }};\n\n"
        return head + body + "\n" + text.replace("@STEM@", stem)

    def numpy_functions(self, stem: str) -> str:
        """As in `DualUnit`."""
        passed = "".join(f", {NUMPY.literal(v)}" for v in self.values)
        text = _NUMPY.strip("\n").replace("@PASSED@", passed).replace("@STEM@", stem)
        return "\n\n\n".join((*numpy_core(self.parts, f"_{stem}_"), text)) + "\n"


def _word(text: str, old: str, new: str) -> str:
    """The text with one identifier for another."""
    import re

    return re.sub(rf"\b{old}\b", new, text)


_C = """static void @STEM@_pairs(size_t n, const double *q11, const double *q12, const double *q22,
                         const double *root, double *nngp, double *dot)
{
  for (size_t at = 0; at < n; at += @LANES@) {
    const size_t b = n - at < @LANES@ ? n - at : @LANES@;
    @STEM@_block(b, q11 + at, q12 + at, q22 + at, root + at@PASSED@, nngp + at, dot + at);
  }
}

static void @STEM@_diag(size_t n, const double *q, double *nngp, double *dot)
{
  for (size_t at = 0; at < n; at += @LANES@) {
    const size_t b = n - at < @LANES@ ? n - at : @LANES@;
    @STEM@_diag_block(b, q + at@PASSED@, nngp + at, dot + at);
  }
}
"""

_NUMPY = '''
def @STEM@_pairs(q11, q12, q22, root=None):
    """The pair (nngp, dot); arrays broadcast."""
    root = _rootdet(q11, q12, q22) if root is None else root
    return _@STEM@_pairs(q11, q12, q22, root@PASSED@)


def @STEM@_diag(q):
    """The pair (nngp, dot) for u = v with variance q."""
    return _@STEM@_diag(q@PASSED@)
'''
