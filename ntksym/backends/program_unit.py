"""Normal mixtures as units: their programs, with numbers for the parameters."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import BadSpec
from ..lower.program import Program
from .c.backend import C
from .c.mixture import LANES, core
from .mixture.programs import LARGEST, MixturePrograms
from .numpy.backend import NUMPY, function


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
            name = self.parts.params[len(self.values)]
            raise BadSpec(
                f"the parameter {name!r} has no value",
                where=self.parts.name,
                hint=f"give {name} a number before generating code",
            )

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
        m = self.parts
        pieces = []
        kinds = [(m.plain, "plain")]
        kinds += [(two, f"single{i}") for i, two in enumerate(m.singles)]
        kinds += [((k.program, k.diagonal), f"pair{i}") for i, k in enumerate(m.pairs)]
        for (pair, diag), label in kinds:
            pieces.append(function(pair, f"_{stem}_{label}", "One expectation."))
            pieces.append(function(diag, f"_{stem}_{label}_diag", "One expectation, u = v."))
        text = _NUMPY.strip("\n")
        text = text.replace("@TABLES@", self._tables(stem)).replace("@LARGEST@", repr(LARGEST))
        passed = "".join(f", {NUMPY.literal(v)}" for v in self.values)
        pieces.append(text.replace("@PASSED@", passed).replace("@STEM@", stem))
        return "\n\n\n".join(piece.rstrip("\n") for piece in pieces) + "\n"

    def _tables(self, stem: str) -> str:
        """The nodes, and which function stands for which families."""
        m, s = self.parts, f"_{stem}"
        rows = "".join(f"    ({a!r}, {w!r}),\n" for a, w in m.nodes)
        singles = "".join(f"({s}_single{i}, {s}_single{i}_diag), " for i in range(len(m.singles)))
        pairs = "".join(
            f"({s}_pair{i}, {s}_pair{i}_diag, {k.same}, {k.twice}), " for i, k in enumerate(m.pairs)
        )
        return (
            f"{s}_NODES = (\n{rows})\n{s}_SINGLES = ({singles.rstrip()})\n"
            f"{s}_PAIRS = ({pairs.rstrip()})"
        )


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
@TABLES@


def @STEM@_pairs(q11, q12, q22, root=None):
    """The pair (nngp, dot); arrays broadcast."""
    root = _rootdet(q11, q12, q22) if root is None else root
    # beyond range: products of variances would overflow
    q11, q22 = (np.where(q <= @LARGEST@, q, np.nan) for q in (q11, q22))
    zero = np.zeros(np.broadcast_shapes(*map(np.shape, (q11, q12, q22))))
    nngp, dot = (part + zero for part in _@STEM@_plain(q11, q12, q22, root@PASSED@))
    for b, w in _@STEM@_NODES:
        for single, _ in _@STEM@_SINGLES:
            k, d = single(q11, q12, q22, root, b@PASSED@)
            nngp += w * k
            dot += w * d
    for pair, _, _, _ in _@STEM@_PAIRS:
        for a, v in _@STEM@_NODES:
            inner, inner_dot = zero.copy(), zero.copy()
            for b, w in _@STEM@_NODES:
                k, d = pair(q11, q12, q22, root, a, b@PASSED@)
                inner += w * k
                inner_dot += w * d
            nngp += v * inner
            dot += v * inner_dot
    return nngp, dot


def @STEM@_diag(q):
    """The pair (nngp, dot) for u = v with variance q."""
    q = np.where(q <= @LARGEST@, q, np.nan)
    zero = np.zeros(np.shape(q))
    nngp, dot = (part + zero for part in _@STEM@_plain_diag(q@PASSED@))
    for b, w in _@STEM@_NODES:
        for _, single in _@STEM@_SINGLES:
            k, d = single(q, b@PASSED@)
            nngp += w * k
            dot += w * d
    for _, pair, same, twice in _@STEM@_PAIRS:
        if not (same or twice):
            continue
        for i, (a, v) in enumerate(_@STEM@_NODES):
            inner, inner_dot = zero.copy(), zero.copy()
            for j in range(i if same else 0, len(_@STEM@_NODES)):
                b, w = _@STEM@_NODES[j]
                w = 2.0 * w if twice or j > i else w
                k, d = pair(q, a, b@PASSED@)
                inner += w * k
                inner_dot += w * d
            nngp += v * inner
            dot += v * inner_dot
    return nngp, dot
'''
