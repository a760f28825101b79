"""C for a network with mixture duals: each dual once, the loop over layers outside.

The entry points are those of `c_network`: `_input`, `_layers`, `_diag`, `_pairs`, `_tile` and the
one for two matrices.  Closed forms may stand beside mixtures, as duals without nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..lower.program import Program
from ._base import SourceFile, identifier
from .c import C, Contract, head, inline_function
from .c_header import HEADER_NAME
from .c_mixture import LANES, core
from .c_network import TEXT
from .mixture_programs import MixturePrograms

_UNUSED = "      (void)v;\n      for (size_t i = 0; i < b; ++i) {\n        nx[i]"


@dataclass(frozen=True, slots=True)
class NumericStep:
    r"""One layer: $\Sigma' = s_0 + s_1K$ and $\Theta' = t_0 + t_1K + t_2\dot K\,\Theta$.

    Attributes:
        kind: the index of the dual.
        scalars: the values of the activation's parameters.
        pair: (s0, s1, t0, t1, t2).
        diag: the same for an input with itself.
    """

    kind: int
    scalars: tuple[float, ...]
    pair: tuple[float, float, float, float, float]
    diag: tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class NumericSchedule:
    """A network of numeric duals: the affine first layer, the distinct duals, the layers."""

    name: str
    input: Program
    input_values: tuple[float, ...]
    kinds: tuple[MixturePrograms, ...]
    steps: tuple[NumericStep, ...]

    @property
    def programs(self) -> tuple[Program, ...]:
        """Every program, input first."""
        return (self.input, *(p for k in self.kinds for p in k.programs))


def network_file(schedule: NumericSchedule, contract: Contract) -> SourceFile:
    """The C file of a network.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    name = identifier(schedule.name, set()).rstrip("_")
    pieces = [head(contract, schedule.programs)]
    pieces.append(f'#include "{HEADER_NAME}"\n#include <stdlib.h>\n')
    pieces.append(_tables(schedule))
    pieces.append(inline_function(schedule.input, "input_rule"))
    pieces += [core(kind, f"dual{k}_") for k, kind in enumerate(schedule.kinds)]
    values = "".join(f", {C.literal(v)}" for v in schedule.input_values)
    text = TEXT.replace("@NAME@", f"ntksym_{name}").replace("@INPUT_VALUES@", values)
    # mixtures carry no roots from layer to layer: said to the compiler, which would warn
    text = text.replace(_UNUSED, _UNUSED.replace("(void)v;", "(void)v, (void)rx, (void)ry;"))
    pair = "".join(_case(k, kind, _PAIR) for k, kind in enumerate(schedule.kinds))
    diag = "".join(_case(k, kind, _DIAG) for k, kind in enumerate(schedule.kinds))
    text = text.replace("@CASES@", pair + _DEFAULT).replace("@DIAG_CASES@", diag + _DEFAULT)
    pieces.append(text.replace("@COUNT@", str(len(schedule.steps))))
    return SourceFile(f"{name}.c", "\n".join(pieces))


def _tables(schedule: NumericSchedule) -> str:
    """Constants: the number of layers, the kind and the values of each."""
    text = f"enum {{ LAYERS = {len(schedule.steps)}, LANES = {LANES} }};\n\n"
    kinds = ", ".join(str(s.kind) for s in schedule.steps)
    text += f"static const unsigned char layer_kind[LAYERS] = {{{kinds}}};\n"
    width = 5 + max(len(s.scalars) for s in schedule.steps)
    for title, pair in (("layer_value", True), ("layer_diag_value", False)):
        rows = []
        for s in schedule.steps:
            row = (*(s.pair if pair else s.diag), *s.scalars)
            padded = [*row, *([0.0] * (width - len(row)))]
            rows.append("  {" + ", ".join(C.literal(v) for v in padded) + "}")
        text += f"static const double {title}[LAYERS][{width}] = {{\n" + ",\n".join(rows) + "\n};\n"
    return text


def _case(k: int, kind: MixturePrograms, text: str) -> str:
    passed = "".join(f", v[{5 + i}]" for i in range(len(kind.params)))
    return text.replace("@K@", str(k)).replace("@PASSED@", passed)


# Equal inputs stay equal at any depth: their covariance is the diagonal, rounding included.
_PAIR = """      case @K@: {
        double value[LANES], slope[LANES];
        dual@K@_block(b, x, c, y, root@PASSED@, value, slope);
        for (size_t i = 0; i < b; ++i) {
          const int same = (root[i] == 0.0) & (x[i] == y[i]) & (c[i] > 0.0);
          nc[i] = same ? nx[i] : v[0] + v[1] * value[i];
          nt[i] = v[2] + v[3] * value[i] + v[4] * slope[i] * t[i];
          nroot[i] = same ? 0.0 : ntksym_op_rootdet(nx[i], nc[i], ny[i]);
        }
        break;
      }
"""

_DIAG = """      case @K@:
        for (size_t at = 0; at < b; at += LANES) {
          const size_t m = b - at < LANES ? b - at : LANES;
          double value[LANES], slope[LANES];
          dual@K@_diag_block(m, now + at@PASSED@, value, slope);
          for (size_t i = 0; i < m; ++i) {
            next[at + i] = v[0] + v[1] * value[i];
            t[at + i] = v[2] + v[3] * value[i] + v[4] * slope[i] * t[at + i];
          }
        }
        break;
"""

_DEFAULT = "      default:\n        break;"
