"""C for a collapsed network, with the entry points of a network of one layer."""

from __future__ import annotations

from dataclasses import replace

from ..._base import SourceFile, identifier
from ...collapsed import CollapsedProgram
from ...tolerance import FLOAT_TAIL
from ..backend import C, Contract, head, inline_function
from ..helpers.header import HEADER_NAME
from ..text import c_literal
from .text import WHOLE


def network_file(program: CollapsedProgram, contract: Contract) -> SourceFile:
    """The C file: `_input`, `_layers`, `_diag`, `_pairs`, `_tile`, and the one for two matrices.

    `_pairs_f32` and `_tile_f32` are on floats.  On a sphere, diagonals elsewhere give NaN.

    Raises:
        UnsupportedOp: the first layer has an operation without a spelling.
    """
    name = identifier(program.name, set()).rstrip("_")
    said = replace(contract, computes=(*contract.computes, *program.notes))
    pieces = [head(said, (program.input,)), f'#include "{HEADER_NAME}"\n#include <stdlib.h>\n']
    pieces.append(inline_function(program.input, "input_rule", C))
    pieces += [_layer(program, real) for real in _SUFFIX]
    values = "".join(f", {C.literal(v)}" for v in program.input_values)
    text = _FIRST.replace("@INPUT_VALUES@", values).replace("@SCALE@", _power(program, "now"))
    text = text.replace("@NNGP@", C.literal(program.ends[0]))
    pieces.append(text.replace("@NTK@", C.literal(program.ends[1])))
    pieces += [_loops(real) for real in _SUFFIX]
    pieces.append(WHOLE.replace("@ROWS@", "4"))
    return SourceFile(f"{name}.c", "\n".join(pieces).replace("@NAME@", f"ntksym_{name}"))


_SUFFIX = {"double": "", "float": "_f32"}


def _loops(real: str) -> str:
    """The functions of pairs and of a tile, in one type."""
    roots = _SINGLE_ROOTS if real == "float" else _ROOTS.replace("@ROOTED@", _ROOTED)
    text = _LOOPS.replace("@ROOTS@", roots).replace("@S@", _SUFFIX[real])
    return text.replace("Real", real)


def _layer(program: CollapsedProgram, real: str) -> str:
    """The coefficients and the kernels over their scale, in one type."""
    suffix, single = _SUFFIX[real], real == "float"
    text = ""
    body = _LAYER.replace("@SCALE@", _scale(program, single))
    horner = ""
    for which, name in enumerate("kt"):
        table = program.table(which, FLOAT_TAIL if single else 0.0)
        values = [tuple(_literal(c, single) for c in pair) for pair in table]
        for part, rows in ((name, values[::2]), (f"odd_{name}", values[1::2])):
            horner += f"    Real {part} = minus ? {rows[-1][1]} : {rows[-1][0]};\n"
            for plus, other in rows[-2::-1]:
                horner += f"    {part} = {part} * v + (minus ? {other} : {plus});\n"
        horner += f"    {name} += u * odd_{name};\n"
    body = body.replace("@HORNER@", horner)
    if program.variance:
        low, high = (program.variance * (1 + side * program.tolerance) for side in (-1, 1))
        bounds = (C.literal(low**0.5), C.literal(high**0.5))
        if single:  # a float of the diagonal is rounded
            bounds = (
                _literal(float(low**0.5) * (1 - 2e-7), True),
                _literal(high**0.5 * (1 + 2e-7), True),
            )
        text += _SPHERE.replace("@LOW@", bounds[0]).replace("@HIGH@", bounds[1])
    (c0, m0), (c1, m1) = program.maps
    numbers = {"@C0@": c0, "@M0@": m0, "@C1@": c1, "@M1@": m1, "@ONE@": 1.0}
    for word, value in numbers.items():
        body = body.replace(word, _literal(value, single))
    text = text + "\n" + body
    return text.replace("@S@", suffix).replace("Real", real)


def _literal(value: float, single: bool) -> str:
    return c_literal(value, "f" if single else "")


def _scale(program: CollapsedProgram, single: bool) -> str:
    """The factor (q11*q22)^(P/2); on the sphere 1, and NaN elsewhere."""
    if program.variance:
        return "on_sphere@S@(rx[i]) * on_sphere@S@(ry[i])"
    if program.power == 1.0:
        return "rx[i] * ry[i]"
    power, value = ("powf" if single else "pow"), _literal(program.power, single)
    return f"{power}(rx[i], {value}) * {power}(ry[i], {value})"


def _power(program: CollapsedProgram, q: str) -> str:
    """The same on the diagonal."""
    if program.variance:
        return f"on_sphere(sqrt({q}))"
    return q if program.power == 1.0 else f"pow({q}, {C.literal(program.power)})"


_SPHERE = r"""
static inline Real on_sphere@S@(Real r) { return r >= @LOW@ && r <= @HIGH@ ? 1 : NAN; }
"""

_LAYER = r"""/* Both kernels: s = sqrt((1 - |rho|)/2), u = m s/(s + c) - 1, v = 2 u^2 - 1, and two
 * polynomials in v, one of them times u; times the scale. */
static inline void collapsed@S@(size_t b, const Real *c, const Real *s, const Real *rx,
                                const Real *ry, Real *nngp, Real *ntk)
{
  for (size_t i = 0; i < b; ++i) {
    const Real scale = @SCALE@;
    const int minus = c[i] < 0;
    const Real u = (minus ? @M1@ : @M0@) * (s[i] / (s[i] + (minus ? @C1@ : @C0@))) - @ONE@;
    const Real v = (u + u) * u - @ONE@;
@HORNER@    nngp[i] = k * scale;
    ntk[i] = t * scale;
  }
}
"""

_ROOTED = """      for (size_t i = 0; i < b; ++i)
        s[i] = (Real)ntksym_op_rootdet((double)qx[(at + i) * incx], (double)c[i],
                                       (double)qy[(at + i) * incy]);
"""
"""The root of the determinant, which near pairs need to full precision."""

_ROOTS = """    if (root0)
      for (size_t i = 0; i < b; ++i) s[i] = root0[at + i];
    else
@ROOTED@    for (size_t i = 0; i < b; ++i) { /* from the root, without cancellation */
      const Real p = rx[i] * ry[i], inverse = 1 / (p > 0 ? p : 1), far = fabs(c[i]) * inverse;
      s[i] = s[i] * inverse * sqrt((Real)0.5 / (1 + (far > 1 ? 1 : far)));
    }
"""

_SINGLE_ROOTS = """    for (size_t i = 0; i < b; ++i) { /* p - |c|, with what p lost to rounding */
      const float p = rx[i] * ry[i], inverse = 1.0f / (p > 0.0f ? p : 1.0f);
      const float gap = (p - fabsf(c[i])) + fmaf(rx[i], ry[i], -p);
      s[i] = ntksym_op_sqrt0f(0.5f * gap * inverse);
    }
    if (root0)
      for (size_t i = 0; i < b; ++i) {
        const float p = rx[i] * ry[i], inverse = 1.0f / (p > 0.0f ? p : 1.0f);
        const float far = fabsf(c[i]) * inverse;
        s[i] = root0[at + i] * inverse * sqrtf(0.5f / (1.0f + (far > 1.0f ? 1.0f : far)));
      }
"""
"""Floats of inner products hold no more: who has better roots of near pairs gives them."""

_FIRST = r"""/* The first layer for inputs of dimension d: Sigma = in[0]*<x, y> + in[1] and
 * Theta = in[2]*<x, y> + in[3]. */
void @NAME@_input(size_t d, double in[4])
{
  input_rule((double)d@INPUT_VALUES@, &in[0], &in[1], &in[2], &in[3]);
}

/* All layers are one here. */
size_t @NAME@_layers(void) { return 1; }

/* Diagonals: g[i] = <x_i, x_i>; q has 4 rows of n elements: Sigma(x, x) of the first layer and of
 * the network, then their square roots; ntk has n elements. */
void @NAME@_diag(size_t n, const double *g, const double in[4], double *q, double *ntk)
{
  for (size_t i = 0; i < n; ++i) {
    const double now = in[0] * g[i] + in[1];
    const double scale = @SCALE@;
    q[i] = now;
    q[n + i] = @NNGP@ * scale;
    q[2 * n + i] = ntksym_op_sqrt0(now);
    q[3 * n + i] = ntksym_op_sqrt0(q[n + i]);
    ntk[i] = @NTK@ * scale;
  }
}
"""

_LOOPS = r"""/* Pairs: g12[i] = <x_i, y_i>.  Row l of a diagonal is qx[l*ldx + i*incx], and qy
 * alike, so that incx = 0 is one x against many y.  root0 is NULL, or the accurate
 * sqrt(q11*q22 - q12^2) of the first layer for nearly collinear inputs. */
void @NAME@_pairs@S@(size_t n, const Real *g12, const Real *root0,
                     const Real *qx, size_t incx, size_t ldx,
                     const Real *qy, size_t incy, size_t ldy,
                     const double in[4], Real *nngp, Real *ntk)
{
  enum { LANES = 64 };
  Real c[LANES], s[LANES], rx[LANES], ry[LANES];
  const Real slope = (Real)in[0], offset = (Real)in[1];
  for (size_t at = 0; at < n; at += LANES) {
    const size_t b = n - at < LANES ? n - at : LANES;
    for (size_t i = 0; i < b; ++i) {
      rx[i] = qx[2 * ldx + (at + i) * incx];
      ry[i] = qy[2 * ldy + (at + i) * incy];
      c[i] = slope * g12[at + i] + offset;
    }
@ROOTS@    collapsed@S@(b, c, s, rx, ry, nngp + at, ntk + at);
  }
}

/* A tile of n x m pairs: row i of g12, nngp, ntk starts at i*ldg and i*ldo. */
void @NAME@_tile@S@(size_t n, size_t m, const Real *g12, size_t ldg,
                    const Real *qx, size_t ldx, const Real *qy, size_t ldy,
                    const double in[4], Real *nngp, Real *ntk, size_t ldo)
{
  for (size_t i = 0; i < n; ++i)
    @NAME@_pairs@S@(m, g12 + i * ldg, NULL, qx + i, 0, ldx, qy, 1, ldy, in,
                    nngp + i * ldo, ntk + i * ldo);
}
"""
