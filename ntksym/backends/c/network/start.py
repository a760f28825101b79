"""C of the state before the first layer: covariance and root of a block of pairs.

sqrt(q11*q22 - q12^2) as `ntksym_op_rootdet` forms it, with what depends on one point (a power of
two that brings its variance near one) made once per point.  In floats the products of floats are
exact by the same fused steps.
"""

from __future__ import annotations


def start_functions(real: str, stored: str, suffix: str) -> str:
    """`scale_side`, `start_side`, `scaled_root` for a type of the arithmetic and of the arrays."""
    text = _TEXT.replace("@S@", suffix)
    # powers of two for 0, and for two of them, are no floats: 0*inf
    text = text.replace("@X@", "x > 0x1p-120 ? x : 0x1p-120" if real == "float" else "x")
    if real == "float":
        text = text.replace("fma(", "fmaf(").replace("sqrt0(", "sqrt0f(")
    return text.replace("Stored", stored).replace("Real", real)


_TEXT = r"""/* Of b points with variances q: a power of two, q times its square, the inverse power;
 * the last point is repeated up to a multiple of WIDE. */
NTKSYM_BLOCK_FUNCTION void scale_side@S@(size_t b, const Real *q, Real (*side)[LANES])
{
  for (size_t i = 0; i < b; ++i) {
    double up;
    const double x = (double)q[i], down = ntksym_op_unscale(@X@, &up);
    side[0][i] = (Real)down;
    side[1][i] = (Real)((x * down) * down);
    side[2][i] = (Real)up;
  }
  for (size_t k = 0; k < 3; ++k)
    for (size_t i = b; i % WIDE; ++i) side[k][i] = side[k][b - 1];
}

NTKSYM_BLOCK_FUNCTION void start_side@S@(size_t b, const Stored *q, size_t inc,
                                         Real (*side)[LANES])
{
  for (size_t i = 0; i < b; ++i) side[1][i] = (Real)q[i * inc];
  scale_side@S@(b, side[1], side);
}

/* sqrt(max(q11*q22 - c^2, 0)) without overflow, underflow or cancellation. */
static inline Real scaled_root@S@(Real c12, Real down1, Real q1, Real up1, Real down2, Real q2,
                                  Real up2)
{
  const Real c = (c12 * down1) * down2, square = c * c;
  const Real low = fma(-c, c, square);
  return (ntksym_op_sqrt0(fma(q1, q2, -square) + low) * up1) * up2;
}
"""
