"""C of the Gram loop: sqrt(q11*q22 - q12^2) of nearly collinear pairs, from the rows themselves."""

from __future__ import annotations


def near_rows() -> str:
    """C that defines `few`: the kernels of a row with some others; after `struct gram`."""
    sums = "\n".join(_SUMS.replace("@GIVEN@", given) for given in ("float", "double"))
    return _ROWS.replace("@SUMS@", sums)


_ROWS = r"""struct rows {
  size_t d;
  const void *x, *y;
  size_t i, j;
  int single;
  double scale, other, sign;
};

/* z - a*u without the rounding of the product: by the machine's operation, or T. J. Dekker's. */
static inline double rest(double z, double a, double u)
{
#if defined(__FMA__) || defined(__AVX512F__) || defined(__FP_FAST_FMA) || defined(FP_FAST_FMA)
  return fma(-a, u, z);
#else
  const double wide = 134217729.0 * a, more = 134217729.0 * u, product = a * u;
  const double a1 = wide - (wide - a), a2 = a - a1, u1 = more - (more - u), u2 = u - u1;
  return (z - product) - (((a1 * u1 - product) + a1 * u2 + a2 * u1) + a2 * u2);
#endif
}

@SUMS@
static void sums(const struct rows *r, double along, double *inner, double *square)
{
  if (r->single)
    sums_float(r, along, inner, square);
  else
    sums_double(r, along, inner, square);
}

/* sqrt(q11*q22 - q12^2) of the first layer.  With q = a g + b: a^2 (g11 g22 - g12^2) +
 * a b |x - y|^2, and g11 g22 - g12^2 = |x|^2 |z - (<x, z>/<x, x>) x|^2 for z = y - x as for z =
 * y + x; the shorter z keeps more digits, and equal or opposite rows give exactly zero.  Powers of
 * two bring x and y to one size first.  Rows that are not nearly collinear need no z: only a bias
 * makes their covariance so.  The inner product *inner becomes that of z, a double. */
static double accurate_root(const struct gram *w, size_t i, size_t j, double *inner, double close)
{
  const double g = *inner;
  const double both = w->in[0] * w->in[1];
  if (w->gx[i] == 0.0 || w->gy[j] == 0.0)
    return both > 0.0 ? sqrt(both) * sqrt(w->gx[i] + w->gy[j]) : 0.0;
  const double rho = (g / sqrt(w->gx[i])) / sqrt(w->gy[j]);
  if (rho * rho <= 1.0 - close) {
    const double part = w->in[0] * sqrt(w->gx[i]) * sqrt(w->gy[j]) * sqrt(1.0 - rho * rho);
    if (!(both > 0.0)) return part;
    return hypot(part, sqrt(both) * sqrt((w->gx[i] - g) + (w->gy[j] - g)));
  }
  const int opposite = g < 0.0;
  const double norm = sqrt(w->gx[i]), far = sqrt(w->gy[j]);
  int exponent, second;
  frexp(norm, &exponent);
  frexp(far, &second);
  if (far <= 2.0 * norm && norm <= 2.0 * far) second = exponent;
  const double scale = ldexp(1.0, -exponent), other = ldexp(1.0, -second);
  const double up = ldexp(1.0, second), length = norm * scale;
  const struct rows r = {w->d, w->sx, w->sy, i, j, w->single, scale, other, opposite ? 1.0 : -1.0};
  double along, size;
  sums(&r, 0.0, &along, &size);
  *inner = (along - r.sign * (length * length)) * ldexp(1.0, exponent) * up;
  along /= length * length;
  double across = size - along * along * (length * length);
  if (!(across > 0.05 * size)) {
    double left;
    sums(&r, along, &left, &across);
    left /= length; /* rounding of `along`, where unlike norms make it large */
    across = across > left * left ? across - left * left : 0.0;
  }
  const double det = w->in[0] * norm * sqrt(across) * up;
  if (!(both > 0.0)) return det;
  if (opposite || second != exponent)
    return hypot(det, sqrt(both) * sqrt((w->gx[i] - g) + (w->gy[j] - g)));
  return hypot(det, sqrt(both) * sqrt(size) * up);
}

/* The kernels of x_i with `count` of the rows of y, from distances; of equal rows the diagonal. */
static void few(const struct gram *w, size_t i, size_t count, const size_t *j, const double *g,
                double close, double *q, double *nngp, double *ntk)
{
  double root[FEW], inner[FEW];
  for (size_t k = 0; k < count; ++k) {
    inner[k] = g[k];
    root[k] = accurate_root(w, i, j[k], &inner[k], close);
    for (size_t l = 0; l < w->levels; ++l) q[l * FEW + k] = w->dy[l * w->m + j[k]];
  }
  w->pairs(count, inner, root, w->dx + i, 0, w->n, q, 1, FEW, w->in, nngp, ntk);
  for (size_t k = 0; k < count; ++k)
    if (root[k] == 0.0 && w->dx[i] == q[k] && w->in[0] * g[k] + w->in[1] > 0.0) {
      nngp[k] = w->dx[(w->levels / 2 - 1) * w->n + i];
      ntk[k] = w->tx[i];
    }
}
"""

_SUMS = r"""/* With u = x_i*scale, z = y_j*other + sign*u - along*u: <u, z> and <z, z>. */
static void sums_@GIVEN@(const struct rows *r, double along, double *inner, double *square)
{
  const @GIVEN@ *x = (const @GIVEN@ *)r->x + r->i * r->d, *y = (const @GIVEN@ *)r->y + r->j * r->d;
  const double scale = r->scale, other = r->other, sign = r->sign;
  double s[8] = {0.0}, q[8] = {0.0};
  size_t k = 0;
#if defined(__GNUC__)
  typedef double four __attribute__((vector_size(32)));
  typedef @GIVEN@ from __attribute__((vector_size(4 * sizeof(@GIVEN@)), aligned(4), may_alias));
  four inners[2] = {{0.0}, {0.0}}, squares[2] = {{0.0}, {0.0}};
  for (; k + 8 <= r->d; k += 8)
    for (int l = 0; l < 2; ++l) {
      const four u = __builtin_convertvector(*(const from *)(x + k + 4 * l), four) * scale;
      const four v = __builtin_convertvector(*(const from *)(y + k + 4 * l), four) * other;
      four z = v + sign * u;
      for (int m = 0; m < 4; ++m) z[m] = rest(z[m], along, u[m]);
      inners[l] += u * z;
      squares[l] += z * z;
    }
  for (int l = 0; l < 8; ++l) {
    s[l] = inners[l / 4][l % 4];
    q[l] = squares[l / 4][l % 4];
  }
#endif
  for (; k < r->d; ++k) {
    const double u = (double)x[k] * scale, v = (double)y[k] * other;
    const double z = rest(v + sign * u, along, u);
    s[0] += u * z;
    q[0] += z * z;
  }
  *inner = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
  *square = ((q[0] + q[1]) + (q[2] + q[3])) + ((q[4] + q[5]) + (q[6] + q[7]));
}
"""
