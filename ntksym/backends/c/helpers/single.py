"""C of the small operations in single precision; roots of differences are double inside."""

from __future__ import annotations


def single() -> str:
    """The text of the functions."""
    return _TEXT


_TEXT = r"""NTKSYM_LANE_FUNCTION float ntksym_op_maxf(float a, float b) { return a < b ? b : a; }
NTKSYM_LANE_FUNCTION float ntksym_op_minf(float a, float b) { return b < a ? b : a; }
NTKSYM_LANE_FUNCTION float ntksym_op_sqrt0f(float a) { return sqrtf(a < 0.0f ? 0.0f : a); }
NTKSYM_LANE_FUNCTION float ntksym_op_posf(float a) { return a < 0x1p-60f ? 0x1p-60f : a; }
NTKSYM_LANE_FUNCTION float ntksym_op_oncef(float a) { return a < 0x1p-121f ? 0x1p-121f : a; }
NTKSYM_LANE_FUNCTION float ntksym_op_inverse4f(float a)
{
  const float y = a < 0x1p-60f ? 0x1p-60f : (a > 0x1p60f ? 0x1p60f : a);
  return a == a ? (float)ntksym_op_inverse4((double)y) : a;
}
NTKSYM_LANE_FUNCTION float ntksym_op_signf(float a)
{
  return a > 0.0f ? 1.0f : (a < 0.0f ? -1.0f : a);
}
NTKSYM_LANE_FUNCTION float ntksym_op_clampf(float a, float lo, float hi)
{
  return ntksym_op_minf(ntksym_op_maxf(a, lo), hi);
}
NTKSYM_LANE_FUNCTION float ntksym_op_div0f(float a, float b)
{
  return a / (((a == 0.0f) & (b == 0.0f)) ? 1.0f : b);
}

/* sqrt(max(q11*q22 - q12^2, 0)): the products of floats are exact doubles. */
NTKSYM_LANE_FUNCTION float ntksym_op_rootdetf(float q11, float q12, float q22)
{
  const double c = (double)q12, det = (double)q11 * (double)q22 - c * c;
  return (float)sqrt(det < 0.0 ? 0.0 : det);
}

/* sqrt(max(a, 0) + b*b). */
NTKSYM_LANE_FUNCTION float ntksym_op_hyprootf(float a, float b)
{
  const float part = a < 1.0f ? a : 1.0f, most = fabsf(b) > part ? fabsf(b) : part;
  float up, down;
  uint32_t bits;
  memcpy(&bits, &most, sizeof bits);
  bits &= UINT32_C(0x7f800000);
  memcpy(&up, &bits, sizeof up);
  bits = UINT32_C(0x7f000000) - bits;
  memcpy(&down, &bits, sizeof down);
  return sqrtf((ntksym_op_maxf(a, 0.0f) * down) * down + (b * down) * (b * down)) * up;
}

/* The same where its errors count more than once: the squares of floats are doubles. */
NTKSYM_LANE_FUNCTION float ntksym_op_true_hyprootf(float a, float b)
{
  const double part = a < 0.0f ? 0.0 : (double)a, wide = (double)b;
  return (float)sqrt(part + wide * wide);
}

NTKSYM_LANE_FUNCTION float ntksym_op_carryf(float root, float q11, float q12, float q22, float next)
{
  return ((root == 0.0f) & (q11 == q22) & (q12 > 0.0f)) ? 0.0f : next;
}
"""
