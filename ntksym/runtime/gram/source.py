r"""C of the Gram loop: matrix product, layers and store, one tile at a time in the cache.

The product is a plain register-blocked one: C = A B^T with B packed in panels of NR columns, MR
rows of A against a panel at a time (Goto and van de Geijn 2008).  It is ours so that every thread
owns its tiles: a tile is multiplied, sent through all layers of the network and stored twice,
above and below the diagonal, before the next one is begun.
"""

from __future__ import annotations

from ...backends import SourceFile
from ...backends.tolerance import CLOSE
from .near import near_rows

ROWS = 96
"""Rows of a tile: a multiple of every MR."""
COLUMNS = 192
"""Columns of a tile: a multiple of every NR and of the lanes of the generated layers."""
VARIANTS = {
    "dd": ("double", "double", "double", 1024),
    "df": ("double", "double", "float", 1024),
    "ff": ("float", "float", "float", 256),
}
"""Suffix: type of the product and the layers, of the inputs, of the outputs; length of a sum."""
VARIANTS_OF = {"float64": ("dd",), "float32": ("ff", "df")}
"""Those that fill arrays of a type."""
PRODUCT_FLAGS = ("-ffp-contract=fast",)
"""The product may fuse: one rounding less.  Generated layers may not.  It is as fast at GCC's -O2
as at -O3, which takes a sixth longer to compile: its vectors and unrolling are written out."""


def gram_file(variant: str) -> SourceFile:
    """The C file of the Gram loop of one of `VARIANTS`; it depends on no network."""
    real, _, out, block = VARIANTS[variant]
    close = CLOSE["float64" if real == "double" else "float32"]
    text = _HEAD.replace("@ROWS@", str(ROWS)).replace("@COLUMNS@", str(COLUMNS)) + near_rows()
    part = (_PRODUCT + _STORE).replace("@SUFFIX@", variant).replace("@R@", variant[0])
    text += (
        part.replace("@REAL@", real)
        .replace("@OUT@", out)
        .replace("@BLOCK@", str(block))
        .replace("@CLOSE@", repr(close))
    )
    return SourceFile(f"ntksym_gram_{variant}.c", text)


_HEAD = r"""/* Gram matrices of networks by tiles; the layers come as functions. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

enum { TM = @ROWS@, TN = @COLUMNS@, FEW = 64 };

#if defined(__AVX512F__)
enum { BYTES = 64, MR = 8, NV = 3 };
#elif defined(__AVX__)
enum { BYTES = 32, MR = 4, NV = 3 };
#elif defined(__aarch64__)
enum { BYTES = 16, MR = 8, NV = 3 };
#else
enum { BYTES = 16, MR = 4, NV = 3 };
#endif

typedef void pairs_function(size_t n, const double *g12, const double *root0,
                            const double *qx, size_t incx, size_t ldx,
                            const double *qy, size_t incy, size_t ldy,
                            const double in[4], double *nngp, double *ntk);

/* What all tiles of a call share.  Lengths count elements.  x, y: rows for the product, of the type
 * of the variant; sx, sy: the rows as given, float where `single`, for distances.  panels: the
 * columns [first, last) of y^T, packed.  qx, qy: diagonals as `_diag` gives them, `levels` rows,
 * for the layers; dx, dy: the same in double; tx, ty: Theta(x, x) after the last; ix, iy:
 * 1/sqrt(Sigma) of the first layer.
 * Outputs that are NULL are not wanted. */
struct gram {
  size_t n, m, d, levels, first, last, ldk, ldt;
  int symmetric, single;
  const void *x, *panels, *qx, *qy;
  const void *sx, *sy;
  const double *dx, *dy, *gx, *gy, *tx, *ty;
  const void *ix, *iy;
  double in[4];
  void *tile;
  pairs_function *pairs;
  void *nngp, *ntk;
};

size_t ntksym_gram_size(void) { return sizeof(struct gram); }

/* Elements in a row of panels. */
size_t ntksym_gram_lanes(int single) { return (size_t)(NV * BYTES / (single ? 4 : 8)); }

"""

_PRODUCT = r"""
enum { W_@R@ = BYTES / sizeof(@REAL@), NR_@R@ = W_@R@ * NV };

/* Rows [0, rows) of y as panels: element k of row p*NR + l at panels[(p*d + k)*NR + l]; the last
 * panel is filled with zeros. */
void ntksym_gram_pack_@R@(size_t rows, size_t d, const @REAL@ *y, @REAL@ *panels)
{
  for (size_t p = 0; p * NR_@R@ < rows; ++p) {
    @REAL@ *panel = panels + p * d * NR_@R@;
    const @REAL@ *from = y + p * NR_@R@ * d;
    const size_t own = rows - p * NR_@R@ < NR_@R@ ? rows - p * NR_@R@ : NR_@R@;
    for (size_t k = 0; k < d; ++k)
      if (own == NR_@R@)
        for (size_t l = 0; l < NR_@R@; ++l) panel[k * NR_@R@ + l] = from[l * d + k];
      else
        for (size_t l = 0; l < NR_@R@; ++l) panel[k * NR_@R@ + l] = l < own ? from[l * d + k] : 0;
  }
}

#if defined(__GNUC__)
typedef @REAL@ lanes_@R@ __attribute__((vector_size(BYTES)));
typedef @REAL@ loose_@R@ __attribute__((vector_size(BYTES), aligned(sizeof(@REAL@)), may_alias));

/* c (MR x NR, rows of TN) = or += rows a[0..MR) times a panel, over k elements. */
static inline void micro_@R@(size_t k, const @REAL@ *const a[MR], const @REAL@ *b, @REAL@ *c,
                             int add)
{
  lanes_@R@ s[MR][NV];
  for (int i = 0; i < MR; ++i)
    for (int v = 0; v < NV; ++v) s[i][v] = (lanes_@R@){0};
#pragma GCC unroll 4
  for (size_t p = 0; p < k; ++p) {
    lanes_@R@ bv[NV];
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) bv[v] = *(const loose_@R@ *)(b + p * NR_@R@ + v * W_@R@);
#pragma GCC unroll 8
    for (int i = 0; i < MR; ++i) {
      const @REAL@ u = a[i][p];
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v) s[i][v] += u * bv[v];
    }
  }
  for (int i = 0; i < MR; ++i)
    for (int v = 0; v < NV; ++v) {
      loose_@R@ *to = (loose_@R@ *)(c + i * TN + v * W_@R@);
      if (add) s[i][v] += *to;
      *to = s[i][v];
    }
}
#else
static void micro_@R@(size_t k, const @REAL@ *const a[MR], const @REAL@ *b, @REAL@ *c, int add)
{
  @REAL@ s[MR][NR_@R@];
  for (int i = 0; i < MR; ++i)
    for (int j = 0; j < NR_@R@; ++j) s[i][j] = 0;
  for (size_t p = 0; p < k; ++p)
    for (int i = 0; i < MR; ++i)
      for (int j = 0; j < NR_@R@; ++j) s[i][j] += a[i][p] * b[p * NR_@R@ + j];
  for (int i = 0; i < MR; ++i)
    for (int j = 0; j < NR_@R@; ++j) c[i * TN + j] = add ? c[i * TN + j] + s[i][j] : s[i][j];
}
#endif

/* g (rows x columns, rows of TN) = x[i0..] y[j0..]^T; long sums are cut into even blocks. */
static void product_@R@(const struct gram *w, size_t i0, size_t rows, size_t j0, size_t columns,
                        @REAL@ *g)
{
  const size_t d = w->d, blocks = (d + @BLOCK@ - 1) / @BLOCK@;
  const @REAL@ *x = w->x;
  const @REAL@ *panels = (const @REAL@ *)w->panels + (j0 - w->first) * d;
  for (size_t part = 0; part < blocks; ++part) {
    const size_t from = d * part / blocks, to = d * (part + 1) / blocks;
    for (size_t j = 0; j < columns; j += NR_@R@)
      for (size_t i = 0; i < rows; i += MR) {
        const @REAL@ *a[MR];
        for (size_t r = 0; r < MR; ++r)
          a[r] = x + (i0 + (i + r < rows ? i + r : rows - 1)) * d + from;
        micro_@R@(to - from, a, panels + j * d + from * NR_@R@, g + i * TN + j, part > 0);
      }
  }
}
"""

_STORE = r"""
typedef void tile_function_@SUFFIX@(size_t n, size_t m, const @REAL@ *g12, size_t ldg,
                                const @REAL@ *qx, size_t ldx, const @REAL@ *qy, size_t ldy,
                                const double in[4], @REAL@ *nngp, @REAL@ *ntk, size_t ldo);

/* Entry (i, j) to its place, and in a symmetric matrix to (j, i); below the diagonal nothing. */
static void store_@SUFFIX@(const struct gram *w, size_t i0, size_t rows, size_t j0, size_t columns,
                       const @REAL@ *from, @OUT@ *out, size_t ldo)
{
  for (size_t i = 0; i < rows; ++i) {
    const size_t start = w->symmetric && i0 + i > j0 ? i0 + i - j0 : 0;
    @OUT@ *row = out + (i0 + i) * ldo + j0;
    for (size_t j = start; j < columns; ++j) row[j] = (@OUT@)from[i * TN + j];
  }
  if (!w->symmetric) return;
  for (size_t i = 0; i < rows; i += 8) {
    const size_t high = rows - i < 8 ? rows - i : 8;
    size_t j = i0 + i > j0 ? i0 + i - j0 : 0;
    for (; j < columns && j0 + j < i0 + i + high; ++j)
      for (size_t r = 0; r < high && i0 + i + r <= j0 + j; ++r)
        out[(j0 + j) * ldo + i0 + i + r] = (@OUT@)from[(i + r) * TN + j];
    if (high == 8)
      for (; j < columns; ++j) {
        @OUT@ *to = out + (j0 + j) * ldo + i0 + i;
        const @REAL@ *f = from + i * TN + j;
        const @OUT@ v[8] = {(@OUT@)f[0],      (@OUT@)f[TN],     (@OUT@)f[2 * TN], (@OUT@)f[3 * TN],
                            (@OUT@)f[4 * TN], (@OUT@)f[5 * TN], (@OUT@)f[6 * TN], (@OUT@)f[7 * TN]};
        for (int r = 0; r < 8; ++r) to[r] = v[r];
      }
    else
      for (; j < columns; ++j)
        for (size_t r = 0; r < high; ++r)
          out[(j0 + j) * ldo + i0 + i + r] = (@OUT@)from[(i + r) * TN + j];
  }
}

/* Replace the kernels of nearly collinear pairs of a tile by accurate ones. */
static void close_@SUFFIX@(const struct gram *w, size_t i0, size_t rows, size_t j0, size_t columns,
                       const @REAL@ *g, double *q, @REAL@ *nngp, @REAL@ *ntk)
{
  const @REAL@ *ix = w->ix, *iy = (const @REAL@ *)w->iy + j0;
  for (size_t i = 0; i < rows; ++i) {
    const @REAL@ *row = g + i * TN, own = ix[i0 + i];
    const @REAL@ bound = (@REAL@)(1.0 - @CLOSE@);
    const @REAL@ slope = (@REAL@)w->in[0], offset = (@REAL@)w->in[1];
    int any = 0;
    for (size_t j = 0; j < columns; ++j) {
      const @REAL@ rho = (slope * row[j] + offset) * own * iy[j];
      any |= rho * rho > bound;
    }
    if (!any) continue;
    size_t count = 0, place[FEW], column[FEW];
    double inner[FEW], a[FEW], b[FEW];
    for (size_t j = 0; j < columns; ++j) {
      const @REAL@ rho = (slope * row[j] + offset) * own * iy[j];
      if (rho * rho > bound && !(w->symmetric && j0 + j <= i0 + i)) {
        place[count] = j;
        column[count] = j0 + j;
        inner[count++] = (double)row[j];
      }
      if (count == FEW || (count && j + 1 == columns)) {
        few(w, i0 + i, count, column, inner, @CLOSE@, q, a, b);
        for (size_t k = 0; k < count; ++k) {
          nngp[i * TN + place[k]] = (@REAL@)a[k];
          ntk[i * TN + place[k]] = (@REAL@)b[k];
        }
        count = 0;
      }
    }
  }
}

/* The tiles of rows [i0, i1) and columns [j0, j1), from the diagonal on where symmetric; work:
 * 3*TM*TN elements of the product's type, q: levels*FEW doubles. */
void ntksym_gram_@SUFFIX@(const struct gram *w, size_t i0, size_t i1, size_t j0, size_t j1,
                      void *work, double *q)
{
  @REAL@ *g = work, *nngp = g + TM * TN, *ntk = nngp + TM * TN;
  tile_function_@SUFFIX@ *tile = (tile_function_@SUFFIX@ *)w->tile;
  for (size_t i = i0; i < i1; i += TM) {
    const size_t rows = i1 - i < TM ? i1 - i : TM;
    const size_t left = w->symmetric && i > j0 ? (i - j0) / NR_@R@ * NR_@R@ : 0;
    for (size_t j = j0 + left; j < j1; j += TN) {
      const size_t columns = j1 - j < TN ? j1 - j : TN;
      product_@R@(w, i, rows, j, columns, g);
      tile(rows, columns, g, TN, (const @REAL@ *)w->qx + i, w->n, (const @REAL@ *)w->qy + j, w->m,
           w->in, nngp, ntk, TN);
      close_@SUFFIX@(w, i, rows, j, columns, g, q, nngp, ntk);
      if (w->nngp) store_@SUFFIX@(w, i, rows, j, columns, nngp, w->nngp, w->ldk);
      if (w->ntk) store_@SUFFIX@(w, i, rows, j, columns, ntk, w->ntk, w->ldt);
    }
  }
}
"""
