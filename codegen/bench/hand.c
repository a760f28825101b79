/* The anchor of the peers: NNGP and NTK of ReLU, erf and GELU networks of any depth, by hand.
 *
 * What a careful programmer writes for these three activations only.  Tiles of the upper triangle,
 * one product of a BLAS per tile, all layers of a row while it is in the fastest cache, two stores.
 * Correlations are carried instead of covariances; ReLU carries sin(angle) too, from the
 * difference 1 - rho, so that near-duplicates keep their digits, and everything of one row or one
 * column is made once.  Included twice: for doubles and, with -DSINGLE, for floats.
 *
 *   cc -O3 -march=native -fopenmp -fno-math-errno -fno-trapping-math -fPIC -shared hand.c -lm
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef SINGLE
typedef float real;
#define FMA fmaf
#define SQRT sqrtf
#define ABS fabsf
#define SIGN copysignf
#else
typedef double real;
#define FMA fma
#define SQRT sqrt
#define ABS fabs
#define SIGN copysign
#endif

enum { T = 192, FEATURES = 5 };
static const real PI = (real)3.14159265358979323846;

/* C (m x n) = A (m x k) B^T, by rows. */
typedef void gemm_function(int order, int ta, int tb, int64_t m, int64_t n, int64_t k, real alpha,
                           const real *a, int64_t lda, const real *b, int64_t ldb, real beta,
                           real *c, int64_t ldc);

/* (atan(t) - t)/t^3 in u = t^2, 0 <= t <= 1: interpolation at Chebyshev points, made at start. */
#ifdef SINGLE
enum { TERMS = 9 };
#else
enum { TERMS = 20 };
#endif
static real tail_of[TERMS];

static void make_tail(void)
{
  long double x[TERMS], f[TERMS], p[TERMS] = {0}, base[TERMS + 1] = {1};
  for (int k = 0; k < TERMS; ++k) {
    x[k] = (1 + cosl(acosl(-1.0L) * (2 * k + 1) / (2 * TERMS))) / 2;
    const long double t = sqrtl(x[k]);
    f[k] = (atanl(t) - t) / (t * x[k]);
  }
  for (int j = 1; j < TERMS; ++j) /* divided differences */
    for (int k = TERMS - 1; k >= j; --k) f[k] = (f[k] - f[k - 1]) / (x[k] - x[k - j]);
  for (int k = 0; k < TERMS; ++k) { /* Newton form to powers */
    for (int j = 0; j <= k; ++j) p[j] += f[k] * base[j];
    for (int j = k + 1; j > 0; --j) base[j] = base[j - 1] - x[k] * base[j];
    base[0] *= -x[k];
  }
  for (int k = 0; k < TERMS; ++k) tail_of[k] = (real)p[k];
}

static inline void tails(size_t n, const real *restrict t, real *restrict out)
{
  real c[TERMS];
  memcpy(c, tail_of, sizeof c);
  for (size_t j = 0; j < n; ++j) {
    const real u = t[j] * t[j], u2 = u * u;
    real even = c[(TERMS - 1) / 2 * 2], odd = c[TERMS / 2 * 2 - 1];
#pragma GCC unroll 16
    for (int k = (TERMS - 1) / 2 * 2 - 2; k >= 0; k -= 2) even = FMA(even, u2, c[k]);
#pragma GCC unroll 16
    for (int k = TERMS / 2 * 2 - 3; k > 0; k -= 2) odd = FMA(odd, u2, c[k]);
    out[j] = FMA(odd, u, even);
  }
}

enum kind { RELU, ERF, GELU };

/* The quantities of one point in one layer, from its variance before and after. */
static void features(enum kind kind, double q, double next, double w, double b, real *f,
                     size_t n)
{
  const double r = sqrt(q), s = sqrt(next);
  if (kind == RELU) {
    const double half = 0.5 * atan2(sqrt(b), sqrt(w / 2) * r);
    f[0] = (real)(sqrt(w / (2 * acos(-1.0))) * r / s);
    f[n] = (real)(sqrt(b) / s);
    f[2 * n] = (real)(sqrt(sqrt(2.0)) * sin(half));
    f[3 * n] = (real)(sqrt(sqrt(2.0)) * cos(half));
  } else if (kind == ERF)
    f[0] = (real)sqrt(1 / (0.5 + q)); /* the product of two is 2/sqrt((1 + 2q)(1 + 2q')) */
  else {
    f[0] = (real)sqrt(1 / (1 + q));
    f[n] = (real)q;
  }
}

static void relu_row(size_t n, const real *x, const real *restrict y, size_t ld, real *restrict rho,
                     real *restrict sine, real *restrict ntk)
{
  real t[T], p[T];
  const real x0 = x[0], x1 = x[ld], x2 = x[2 * ld], x3 = x[3 * ld];
  for (size_t j = 0; j < n; ++j) t[j] = sine[j] / (1 + ABS(rho[j]));
  tails(n, t, p);
  for (size_t j = 0; j < n; ++j) {
    const real c = rho[j], s = sine[j], a = ABS(c), low = a - c, u = t[j] * t[j];
    const real bulge = (s * u) * FMA(u - 1, p[j], 1);
    const real half = FMA(t[j] * u, p[j], t[j]);
    const real angle = FMA(SIGN(2, -c), half, PI / 2 + SIGN(PI / 2, c));
    const real scale = x0 * y[j], apart = x2 * y[3 * ld + j] - x3 * y[2 * ld + j];
    const real next = FMA(scale, FMA(PI / 2, a + c, bulge), x1 * y[ld + j]);
    const real gap = FMA(PI, FMA(s, t[j], low), -FMA(PI / 2, low, bulge));
    const real complement = FMA(scale, gap, apart * apart * (real)1.41421356237309504880);
    rho[j] = next;
    ntk[j] = FMA(angle * scale, ntk[j], next);
    sine[j] = SQRT(complement * (1 + next));
  }
}

static void erf_row(size_t n, const real *x, const real *restrict y, real w, real b,
                    real *restrict c, real *restrict ntk)
{
  real t[T], p[T], inverse[T];
  const real x0 = x[0], k0 = w * 2 / PI * 2, k1 = w * 2 / PI;
  for (size_t j = 0; j < n; ++j) {
    const real a = c[j] * (x0 * y[j]), root = SQRT(FMA(-a, a, 1));
    t[j] = a / (1 + root);
    inverse[j] = 1 / root;
  }
  tails(n, t, p);
  for (size_t j = 0; j < n; ++j) {
    const real half = FMA(t[j] * (t[j] * t[j]), p[j], t[j]);
    c[j] = FMA(k0, half, b);
    ntk[j] = FMA(k1 * (x0 * y[j]) * inverse[j], ntk[j], c[j]);
  }
}

static void gelu_row(size_t n, const real *x, const real *restrict y, size_t ld, real w, real b,
                     real *restrict c, real *restrict ntk)
{
  real t[T], p[T], root[T];
  const real x0 = x[0], x1 = x[ld], scale = w / (2 * PI);
  for (size_t j = 0; j < n; ++j) {
    const real a = c[j] * (x0 * y[j]);
    root[j] = SQRT(FMA(-a, a, 1));
    t[j] = a / (1 + root[j]);
  }
  tails(n, t, p);
  for (size_t j = 0; j < n; ++j) {
    const real v = c[j], g = x0 * y[j], a = v * g, inverse = 1 / root[j];
    const real angle = FMA(2, FMA(t[j] * (t[j] * t[j]), p[j], t[j]), PI / 2);
    const real sum = x1 + y[ld + j], product = x1 * y[ld + j], ag = a * inverse;
    const real value = FMA(v, angle, g * FMA(product, root[j], a * ag));
    const real slope = FMA(ag * (g * g), FMA(ag, ag, sum + 3), angle);
    c[j] = FMA(scale, value, b);
    ntk[j] = FMA(scale * slope, ntk[j], c[j]);
  }
}

static double next_variance(enum kind kind, double q, double w, double b, double *slope)
{
  const double pi = acos(-1.0);
  double value;
  if (kind == RELU) {
    value = q / 2;
    *slope = 0.5;
  } else if (kind == ERF) {
    value = 2 / pi * asin(2 * q / (1 + 2 * q));
    *slope = 4 / pi / sqrt(1 + 4 * q);
  } else {
    const double p = (1 + q) * (1 + q), root = sqrt(1 + 2 * q), angle = asin(q / (1 + q));
    value = (q * q * root + q * q / root) / p / (2 * pi) + q * angle / (2 * pi) + q / 4;
    *slope = (q * q * q / (root * root * root) + q * (2 * q + 3) / root) / p / (2 * pi) +
             angle / (2 * pi) + 0.25;
  }
  return w * value + b;
}

/* Fill nngp and ntk (n x n) of the rows of x (n x d); 0, or 1 without memory. */
int hand(int kind_number, size_t n, size_t d, size_t depth, double w, double b, const real *x,
         real *nngp, real *ntk, gemm_function *gemm, int threads)
{
  const enum kind kind = (enum kind)kind_number;
  const size_t tiles = (n + T - 1) / T;
  double *q = malloc((depth + 2) * n * sizeof *q);
  real *f = malloc((depth * FEATURES + 2) * n * sizeof *f + 1);
  if (!q || !f) {
    free(q);
    free(f);
    return 1;
  }
  make_tail();
  double *theta = q + (depth + 1) * n;
  real *over = f + depth * FEATURES * n, *last = over + n;
  for (size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (size_t k = 0; k < d; ++k) sum += (double)x[i * d + k] * (double)x[i * d + k];
    q[i] = theta[i] = w / (double)d * sum + b;
    over[i] = (real)(1 / sqrt(q[i]));
    for (size_t l = 0; l < depth; ++l) {
      double slope;
      const double now = q[l * n + i], next = next_variance(kind, now, w, b, &slope);
      q[(l + 1) * n + i] = next;
      theta[i] = next + w * slope * theta[i];
      features(kind, now, next, w, b, f + l * FEATURES * n + i, n);
    }
    last[i] = (real)sqrt(q[depth * n + i]);
  }
#pragma omp parallel num_threads(threads)
  {
    real *g = malloc(2 * T * T * sizeof *g), *other = g + T * T;
    real sine[T];
#pragma omp for schedule(dynamic)
    for (size_t job = 0; job < tiles * (tiles + 1) / 2; ++job) {
      size_t ti = 0, left = job;
      while (left >= tiles - ti) left -= tiles - ti++;
      const size_t i0 = ti * T, j0 = (ti + left) * T;
      const size_t rows = n - i0 < T ? n - i0 : T, columns = n - j0 < T ? n - j0 : T;
      gemm(101, 111, 112, (int64_t)rows, (int64_t)columns, (int64_t)d, (real)(w / (double)d),
           x + i0 * d, (int64_t)d, x + j0 * d, (int64_t)d, 0, g, T);
      for (size_t i = 0; i < rows; ++i) {
        real *c = g + i * T, *t = other + i * T;
        if (kind == RELU)
          for (size_t j = 0; j < columns; ++j) {
            const real rho = (c[j] + (real)b) * (over[i0 + i] * over[j0 + j]);
            const real rest = (1 - rho) * (1 + rho);
            sine[j] = SQRT(rest > 0 ? rest : 0);
            t[j] = c[j] = rho;
          }
        else
          for (size_t j = 0; j < columns; ++j) t[j] = c[j] += (real)b;
        for (size_t l = 0; l < depth; ++l) {
          const real *own = f + l * FEATURES * n + i0 + i, *y = f + l * FEATURES * n + j0;
          if (kind == RELU)
            relu_row(columns, own, y, n, c, sine, t);
          else if (kind == ERF)
            erf_row(columns, own, y, (real)w, (real)b, c, t);
          else
            gelu_row(columns, own, y, n, (real)w, (real)b, c, t);
        }
        if (kind == RELU)
          for (size_t j = 0; j < columns; ++j) {
            const real length = last[i0 + i] * last[j0 + j];
            c[j] *= length;
            t[j] *= length;
          }
      }
      for (int k = 0; k < 2; ++k) {
        real *out = k ? ntk : nngp;
        const real *from = k ? other : g;
        for (size_t i = 0; i < rows; ++i)
          memcpy(out + (i0 + i) * n + j0, from + i * T, columns * sizeof *out);
        if (i0 != j0)
          for (size_t i = 0; i < rows; i += 8) {
            const size_t high = rows - i < 8 ? rows - i : 8;
            for (size_t j = 0; j < columns; ++j)
              for (size_t r = 0; r < high; ++r) out[(j0 + j) * n + i0 + i + r] = from[(i + r) * T + j];
          }
        else
          for (size_t i = 0; i < rows; ++i) {
            for (size_t j = 0; j < i; ++j) out[(i0 + i) * n + j0 + j] = from[j * T + i];
            out[(i0 + i) * (n + 1)] = (real)(k ? theta[i0 + i] : q[depth * n + i0 + i]);
          }
      }
    }
    free(g);
  }
  free(q);
  free(f);
  return 0;
}
