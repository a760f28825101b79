"""C of a closed-form dual and its derivatives: what an export adds to an activation."""

from __future__ import annotations

from ....gradients import DualGradients
from ..._base import SourceFile, comment, identifier, spell_program
from ..backend import C, Contract, extra_support, head
from ..blocks import LANES, block_function
from ..helpers.header import HEADER_NAME
from ..text import wrap

NAMED = """/* How many planes there are, and the name of one, NULL beyond the last: "dot/q12" is the
 * derivative of dot in q12. */
size_t @NAME@_planes(void) { return @COUNT@; }

const char *@NAME@_plane(size_t i)
{
  static const char *const names[@COUNT@] = {
@SHOWN@
  };
  return i < @COUNT@ ? names[i] : NULL;
}

"""
"""The functions that name the planes of an output."""


def named(name: str, planes: tuple[str, ...]) -> str:
    """The functions that name the planes, for the functions of that stem."""
    shown = ",\n".join(f'    "{comment(p)}"' for p in planes)
    text = NAMED.replace("@COUNT@", str(len(planes))).replace("@SHOWN@", shown)
    return text.replace("@NAME@", name)


def gradient_file(name: str, given: DualGradients, contract: Contract) -> SourceFile:
    """The C file with `ntksym_<name>_gradient` and the names of its planes.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    safe = identifier(name, set()).rstrip("_")
    p = given.planes()
    stem = f"ntksym_{safe}_gradient"
    shown = spell_program(p, C).inputs
    names = tuple(_title(label) for label, _ in p.outputs)
    places = {a: f"q_[{i}][i]" for i, a in enumerate(p.args[:3])}
    places |= {a: f"{s}_value_" for a, s in zip(p.args[3:], shown[3:], strict=True)}
    ends = {label: f"out_[{i}][i]" for i, (label, _) in enumerate(p.outputs)}
    signature = [f"double (*NTKSYM_RESTRICT q_)[{LANES}]"]
    signature += [f"double {s}_value_" for s in shown[3:]]
    signature.append(f"double (*NTKSYM_RESTRICT out_)[{LANES}]")
    pieces = [head(contract, (p,)), f'#include "{HEADER_NAME}"\n']
    if support := extra_support((p,)):
        pieces.append(support)
    pieces.append(block_function(p, "partials", signature, places, ends, C))
    values = [f"double {s}" for s in shown[3:]]
    start = [
        "size_t n",
        *(f"const double *{a}" for a in ("q11", "q12", "q22")),
        *values,
        "double *out_",
    ]
    doc = DOC.replace("@PLANES@", "\n".join(f" *   {i}: {t}" for i, t in enumerate(names)))
    text = named(stem, names) + doc + wrap(f"void {stem}(", start)
    body = BODY.replace("@PASSED@", "".join(f", {s}" for s in shown[3:]))
    pieces.append((text + body).replace("@COUNT@", str(len(names))))
    return SourceFile(f"{safe}_gradient.c", "\n".join(pieces).replace("@LANES@", str(LANES)))


def _title(label: str) -> str:
    """`dot_polar_q11` as "dot/polar q11"."""
    first, mark, rest = label.partition("_")
    rest = rest.replace("polar_", "polar ", 1) if rest.startswith("polar_") else rest
    return first + ("/" if mark else "") + rest


DOC = """/* The dual and the derivative dual at n covariances, and their derivatives; out_ has
 * @COUNT@ planes of n numbers.  In q11, q12 and q22 each with the other two fixed: infinite at
 * |q12| = sqrt(q11*q22) where s has a kink, and truly so.  The polar ones are in q11, the angle
 * acos(q12/sqrt(q11*q22)) and q22: finite there too if s is continuous.  Where s jumps, those of
 * dot may be NaN there: infinite terms of both signs.
 *
 * Planes:
@PLANES@
 */
"""

BODY = """
{
  double q_[3][@LANES@], part_[@COUNT@][@LANES@];
  const double *const from_[3] = {q11, q12, q22};
  for (size_t at_ = 0; at_ < n; at_ += @LANES@) {
    const size_t b_ = n - at_ < @LANES@ ? n - at_ : @LANES@;
    for (size_t plane_ = 0; plane_ < 3; ++plane_)
      for (size_t lane_ = 0; lane_ < NTKSYM_ROUND_UP(b_); ++lane_)
        q_[plane_][lane_] = from_[plane_][at_ + (lane_ < b_ ? lane_ : b_ - 1)];
    partials(b_, q_@PASSED@, part_);
    for (size_t plane_ = 0; plane_ < @COUNT@; ++plane_)
      for (size_t lane_ = 0; lane_ < b_; ++lane_)
        out_[plane_ * n + at_ + lane_] = part_[plane_][lane_];
  }
}
"""
