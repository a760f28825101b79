"""C for a mixture dual: loops over pairs of nodes outside, vector lanes inside, no allocation."""

from __future__ import annotations

import math

from ...lower.program import Program
from .._base import SourceFile
from ..mixture.programs import MixturePrograms
from .backend import C, Contract, extra_support, head, inline_function, wrapped
from .far import far_c
from .helpers.header import HEADER_NAME
from .text import array

LANES = 64


def mixture_file(m: MixturePrograms, contract: Contract) -> SourceFile:
    """The C file of a mixture dual.

    `ntksym_<name>` and `ntksym_<name>_diag` are the dual on arrays, as for a closed form;
    `ntksym_<name>_rows` takes one x against many y, with an optional accurate
    sqrt(q11*q22 - q12^2).

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    pieces = [head(contract, m.programs), f'#include "{HEADER_NAME}"\n']
    if support := extra_support(m.programs):
        pieces.append(support)
    pieces += [f"enum {{ LANES = {LANES} }};\n", core(m, ""), _entries(m)]
    return SourceFile(f"{m.name}.c", "\n".join(pieces))


def core(m: MixturePrograms, prefix: str) -> str:
    """The tables and the functions of one dual: `<prefix>block` and `<prefix>diag_block`."""
    pieces = [_tables(m, prefix)]
    gates = {f"pair{i}" for i, k in enumerate(m.pairs) if k.gate is not None}
    for two, label in _labelled(m):
        name = prefix + label
        if label not in gates:  # these have a formula of their own
            pieces.append(inline_function(two[0], name))
        pieces.append(inline_function(two[1], f"{name}_diag"))
    text = far_c(m.far, prefix, _params(m)) if m.far else ""
    return "\n".join([*pieces, _block(m, prefix), _diag_block(m, prefix), text])


def _labelled(m: MixturePrograms) -> list[tuple[tuple[Program, ...], str]]:
    out: list[tuple[tuple[Program, ...], str]] = [(m.plain, "plain")]
    out += [(two, f"single{i}") for i, two in enumerate(m.singles)]
    out += [((k.program, k.diagonal), f"pair{i}") for i, k in enumerate(m.pairs)]
    return out


def _tables(m: MixturePrograms, prefix: str) -> str:
    text = ""
    for title, k in ((f"{prefix}node_slope", 0), (f"{prefix}node_weight", 1)):
        text += array(title, [C.literal(node[k]) for node in m.nodes])
    return text


def _params(m: MixturePrograms) -> list[str]:
    """The parameters by position: their names are the user's."""
    return [f"p{i}" for i in range(len(m.params))]


_SUM = """    for (size_t l = 0; l < b; ++l) {{
      double v, w;
      {call};
      {k}[l] += weight * v;
      {d}[l] += weight * w;
    }}
"""


def _block(m: MixturePrograms, prefix: str) -> str:
    """The function of up to LANES entries, of moderate variances."""
    state = ["x[l]", "c[l]", "y[l]", "root[l]"]
    signature = ["size_t b", *(f"const double *{s}" for s in ("x", "c", "y", "root"))]
    signature += [f"double {p}" for p in _params(m)]
    signature += ["double *k", "double *d"]
    text = wrapped(f"static void {prefix}{_stem(m)}(", signature) + "\n{\n"
    slope = [f"{prefix}node_slope[i]", f"{prefix}node_slope[j]"]
    text += "  double inner[LANES], inner_dot[LANES];\n" * bool(m.pairs) + "  int same = 1;\n"
    text += "  for (size_t l = 0; l < b; ++l) {\n"
    call = wrapped(f"    {prefix}plain(", [*state, *_params(m), "&k[l]", "&d[l]"])
    text += f"{call};\n    same &= x[l] == y[l];\n  }}\n  (void)same;\n"
    for i, _ in enumerate(m.singles):
        call = wrapped(f"{prefix}single{i}(", [*state, slope[0], *_params(m), "&v", "&w"])
        text += f"  for (int i = 0; i < {len(m.nodes)}; ++i) {{\n"
        text += f"    const double weight = {prefix}node_weight[i];\n"
        text += _SUM.format(call=call, k="k", d="d") + "  }\n"
    for i, kind in enumerate(m.pairs):
        if kind.gate is not None:
            text += _gates(m, prefix, kind.gate)
            continue
        # With equal variances a family paired with itself is symmetric in the two nodes.
        start, factor = (
            ("same ? i : 0", "(same && j > i ? 2.0 : 1.0) * ") if kind.same else ("0", "")
        )
        call = wrapped(f"{prefix}pair{i}(", [*state, *slope, *_params(m), "&v", "&w"])
        text += _loop(m, prefix, start, factor, call)
    return text + "}\n"


def _stem(m: MixturePrograms) -> str:
    """What the functions are called whose variances are moderate."""
    return "sum" if m.far else "block"


def _gates(m: MixturePrograms, prefix: str, gate: tuple[float, float]) -> str:
    """The pairs of a plain gate: one root and one division each, by the half angle.

    asin(n/(s t)) = 2 atan(n/(s t + R)) with R^2 = s^2 t^2 - n^2, of an argument of at most 1.
    """
    square, slope = gate
    text = _GATES.replace("@START@", "same ? i : 0").replace("@NODES@", str(len(m.nodes)))
    text = text.replace("@SLOPE@", C.literal(slope)).replace("@P@", prefix)
    scale = 2.0 / math.pi * square
    return text.replace("@HALF@", C.literal(2.0 * scale)).replace("@SCALE@", C.literal(scale))


_GATES = """  {
    double sx[@NODES@][LANES], sy[@NODES@][LANES], det[LANES];
    for (size_t l = 0; l < b; ++l) det[l] = root[l] * root[l];
    for (int i = 0; i < @NODES@; ++i) {
      const double a = @SLOPE@ * @P@node_slope[i], a2 = a * a;
      for (size_t l = 0; l < b; ++l) {
        sx[i][l] = sqrt(1.0 + a2 * x[l]);
        sy[i][l] = sqrt(1.0 + a2 * y[l]);
      }
    }
    for (int i = 0; i < @NODES@; ++i) {
      const double a = @SLOPE@ * @P@node_slope[i], a2 = a * a;
      for (size_t l = 0; l < b; ++l) inner[l] = inner_dot[l] = 0.0;
      for (int j = @START@; j < @NODES@; ++j) {
        const double weight = (same && j > i ? 2.0 : 1.0) * @P@node_weight[j];
        const double e = @SLOPE@ * @P@node_slope[j], e2 = e * e, ae = a * e, ae2 = ae * ae;
        for (size_t l = 0; l < b; ++l) {
          const double rest = sqrt(ae2 * det[l] + (e2 * y[l] + (a2 * x[l] + 1.0)));
          const double sum = sx[i][l] * sy[j][l] + rest;
          const double over = 1.0 / (rest * sum);
          const double u = ae * c[l] * rest * over, u2 = u * u;
          inner[l] += weight * NTKSYM_MADD(u * u2, ntksym_op_atan_tail(u2), u);
          inner_dot[l] += weight * (ae * sum * over);
        }
      }
      for (size_t l = 0; l < b; ++l) {
        k[l] += @P@node_weight[i] * @HALF@ * inner[l];
        d[l] += @P@node_weight[i] * @SCALE@ * inner_dot[l];
      }
    }
  }
"""


def _loop(m: MixturePrograms, prefix: str, start: str, factor: str, call: str) -> str:
    text = _LOOP.replace("@START@", start).replace("@FACTOR@", factor).replace("@CALL@", call)
    return text.replace("@NODES@", str(len(m.nodes))).replace("@P@", prefix)


_LOOP = """  for (int i = 0; i < @NODES@; ++i) {
    for (size_t l = 0; l < b; ++l) inner[l] = inner_dot[l] = 0.0;
    for (int j = @START@; j < @NODES@; ++j) {
      const double weight = @FACTOR@@P@node_weight[j];
      for (size_t l = 0; l < b; ++l) {
        double v, w;
        @CALL@;
        inner[l] += weight * v;
        inner_dot[l] += weight * w;
      }
    }
    for (size_t l = 0; l < b; ++l) {
      k[l] += @P@node_weight[i] * inner[l];
      d[l] += @P@node_weight[i] * inner_dot[l];
    }
  }
"""


def _diag_block(m: MixturePrograms, prefix: str) -> str:
    signature = ["size_t b", "const double *q", *(f"double {p}" for p in _params(m))]
    signature += ["double *k", "double *d"]
    text = wrapped(f"static void {prefix}diag_{_stem(m)}(", signature) + "\n{\n"
    slope = [f"{prefix}node_slope[i]", f"{prefix}node_slope[j]"]
    text += "  double inner[LANES], inner_dot[LANES];\n" * bool(m.pairs)
    call = wrapped(f"{prefix}plain_diag(", ["q[l]", *_params(m), "&k[l]", "&d[l]"])
    text += f"  for (size_t l = 0; l < b; ++l) {call};\n"
    for i, _ in enumerate(m.singles):
        call = wrapped(f"{prefix}single{i}_diag(", ["q[l]", slope[0], *_params(m), "&v", "&w"])
        text += f"  for (int i = 0; i < {len(m.nodes)}; ++i) {{\n"
        text += f"    const double weight = {prefix}node_weight[i];\n"
        text += _SUM.format(call=call, k="k", d="d") + "  }\n"
    for i, kind in enumerate(m.pairs):
        if not (kind.same or kind.twice):
            continue
        start, factor = ("i", "(j > i ? 2.0 : 1.0) * ") if kind.same else ("0", "2.0 * ")
        call = wrapped(f"{prefix}pair{i}_diag(", ["q[l]", *slope, *_params(m), "&v", "&w"])
        text += _loop(m, prefix, start, factor, call)
    return text + "}\n"


def _entries(m: MixturePrograms) -> str:
    params = "".join(f", double {p}" for p in _params(m))
    passed = "".join(f", {p}" for p in _params(m))
    text = _TEXT.replace("@NAME@", f"ntksym_{m.name}")
    return text.replace("@PARAMS@", params).replace("@PASSED@", passed)


_TEXT = """/* One x against n of y: variances x and y[i], covariances c[i]; root is NULL,
 * or the accurate sqrt(x*y - c*c) for nearly collinear inputs. */
void @NAME@_rows(size_t n, double x, const double *c, const double *y,
                 const double *root@PARAMS@, double *nngp, double *dot)
{
  double xs[LANES], roots[LANES];
  for (size_t l = 0; l < LANES; ++l) xs[l] = x;
  for (size_t at = 0; at < n; at += LANES) {
    const size_t b = n - at < LANES ? n - at : LANES;
    if (!root)
      for (size_t l = 0; l < b; ++l) roots[l] = ntksym_op_rootdet(x, c[at + l], y[at + l]);
    block(b, xs, c + at, y + at, root ? root + at : roots@PASSED@, nngp + at, dot + at);
  }
}

/* Pairs with the accurate sqrt(q11*q22 - q12^2) given. */
void @NAME@_pairs(size_t n, const double *q11, const double *q12, const double *q22,
                  const double *root@PARAMS@, double *nngp, double *dot)
{
  for (size_t at = 0; at < n; at += LANES) {
    const size_t b = n - at < LANES ? n - at : LANES;
    block(b, q11 + at, q12 + at, q22 + at, root + at@PASSED@, nngp + at, dot + at);
  }
}

/* The dual and the derivative dual at n covariances. */
void @NAME@(size_t n, const double *q11, const double *q12, const double *q22@PARAMS@,
            double *nngp, double *dot)
{
  double roots[LANES];
  for (size_t at = 0; at < n; at += LANES) {
    const size_t b = n - at < LANES ? n - at : LANES;
    for (size_t l = 0; l < b; ++l)
      roots[l] = ntksym_op_rootdet(q11[at + l], q12[at + l], q22[at + l]);
    block(b, q11 + at, q12 + at, q22 + at, roots@PASSED@, nngp + at, dot + at);
  }
}

/* The same on the diagonal q11 = q22 = q12 = q. */
void @NAME@_diag(size_t n, const double *q@PARAMS@, double *nngp, double *dot)
{
  for (size_t at = 0; at < n; at += LANES) {
    const size_t b = n - at < LANES ? n - at : LANES;
    diag_block(b, q + at@PASSED@, nngp + at, dot + at);
  }
}
"""
