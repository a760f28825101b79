"""The C of `c.quadrature`: sums over nodes, the values at many nodes at a time."""

from __future__ import annotations

MANY = """
/* A piece and its derivative at n points. */
static void @STEM@_many(int piece, int n, const double *NTKSYM_RESTRICT x,
    double *NTKSYM_RESTRICT value,
    double *NTKSYM_RESTRICT slope)
{
  (void)piece;
@PIECES@}
"""

SUM = """
enum { @STEM@_batch = 256 };

/* Nodes of a sum: s at v, with a factor f for the value and g for the derivative, and exp(half). */
typedef struct {
  int n;
  double v[@STEM@_batch], half[@STEM@_batch], f[@STEM@_batch], g[@STEM@_batch];
} @STEM@_nodes;

/* Adds what the nodes are together, and forgets them. */
static void @STEM@_sum(int piece, int bell, @STEM@_nodes *t, double *nngp, double *dot)
{
  enum { many = (int)(sizeof(ntksym_lanes) / sizeof(double)) };
  double p[@STEM@_batch], r[@STEM@_batch], sums[2][many];
  ntksym_lanes one = {0.0}, two = {0.0}, next;
  const int n = t->n, wide = (n + 7) & ~7;
  t->n = 0;
  if (n == 0) return;
  for (int i = n; i < wide; ++i) {
    t->v[i] = t->v[n - 1];
    t->half[i] = t->f[i] = t->g[i] = 0.0;
  }
  @STEM@_many(piece, wide, t->v, p, r);
  for (int i = 0; i < wide; ++i) {
    p[i] *= t->f[i];
    r[i] *= t->g[i];
  }
  if (bell)
    for (int i = 0; i < wide; ++i) {
      const double w = ntksym_op_exp(t->half[i]);
      p[i] *= w;
      r[i] *= w;
    }
  for (int i = 0; i < wide; i += many) {
    memcpy(&next, p + i, sizeof next);
    one += next;
    memcpy(&next, r + i, sizeof next);
    two += next;
  }
  memcpy(sums[0], &one, sizeof one);
  memcpy(sums[1], &two, sizeof two);
  for (int i = 0; i < many; ++i) {
    *nngp += sums[0][i];
    *dot += sums[1][i];
  }
}
"""

LATTICE = """
static void @NAME@(double a, double b, double rho, double sigma, double *nngp, double *dot)
{
  @STEM@_nodes nodes;
  enum { some = @STEM@_batch / 2 };
  nodes.n = 0;
  *nngp = *dot = 0.0;
  for (int j = @FIRST@; j <= @COUNT@; ++j) {
    const int m = j < 0 ? -j : j;
    const double x = j * @STEP@;
    double s, d, f, g;
    @STEM@_piece0(a * x, &s, &d);
    s *= @TWICE@@NAME@_weight[m];
    d *= @TWICE@@NAME@_weight[m];
    if (sigma == 0.0) {
      @STEM@_piece0(b * rho * x, &f, &g);
      *nngp += s * f;
      *dot += d * g;
      continue;
    }
    for (int at = -@NAME@_row[m], end; at <= @NAME@_row[m]; at = end) {
      end = @NAME@_row[m] + 1 - at < some ? @NAME@_row[m] + 1 : at + some;
      if (nodes.n + (end - at) > @STEM@_batch) @STEM@_sum(0, 0, &nodes, nngp, dot);
      for (int k = at, i = nodes.n; k < end; ++k, ++i) {
        const double weight = @NAME@_weight[k < 0 ? -k : k];
        nodes.v[i] = b * (rho * x + sigma * (k * @STEP@));
        nodes.f[i] = weight * s;
        nodes.g[i] = weight * d;
      }
      nodes.n += end - at;
    }
  }
  @STEM@_sum(0, 0, &nodes, nngp, dot);
}
"""

PANELS = """
static double @NAME@_clip(double z)
{
  return z < -@FAR@ ? -@FAR@ : z > @FAR@ ? @FAR@ : z;
}

static int @NAME@_index(double u)
{
  int found = 0;
  for (int i = 0; i < @CUTS@; ++i) found += u > @NAME@_cut[i];
  return found;
}

static int @NAME@_table(double share)
{
  int found = 0;
  for (int i = 1; i < @TABLES@; ++i) found += share <= @NAME@_share[i];
  return found;
}

/* The part between x0 and x1, from the line low0-low1 to the line high0-high1. */
static void @NAME@_cell(const double *entry, const double *xs, const double *low,
    const double *high, int first, int second, @STEM@_nodes *t, double *nngp, double *dot)
{
  enum { some = 32, more = 64 };
  const double a = entry[0], b = entry[1], rho = entry[2], sigma = entry[3];
  const double dx = xs[1] - xs[0], dl = low[1] - low[0], dh = high[1] - high[0];
  const double drift = fmax(fabs(rho * dx + sigma * dl), fabs(rho * dx + sigma * dh));
  const double edge = sqrt(fmax(dx * dx + dl * dl, dx * dx + dh * dh));
  const double tall = fmax(high[0] - low[0], high[1] - low[1]);
  const double across = fmax(fmax(a * dx * @NAME@_rate[first], b * drift * @NAME@_rate[second]),
                             edge / @WIDTH@);
  const double up = fmax(b * sigma * tall * @NAME@_rate[second], tall / @WIDTH@);
  const double nx = fmax(1.0, ceil(across - 1e-9)), nz = fmax(1.0, ceil(up - 1e-9));
  const int tx = @NAME@_table(across / nx), tz = @NAME@_table(up / nz);
  const int px = @NAME@_start[tx + 1] - @NAME@_start[tx];
  const int pz = @NAME@_start[tz + 1] - @NAME@_start[tz];
  const double *node_x = @NAME@_node + @NAME@_start[tx], *node_z = @NAME@_node + @NAME@_start[tz];
  const double *weight_x = @NAME@_weight + @NAME@_start[tx];
  const double *weight_z = @NAME@_weight + @NAME@_start[tz];
  const int columns = (int)nx * px, rows = (int)nz * pz;
  for (int left = 0; left < columns; left += some) {
    const int wide = columns - left < some ? columns - left : some;
    double x[some], u[some], f[some], g[some], from[some], height[some];
    for (int i = 0; i < wide; ++i) {
      const int part = (left + i) / px, k = (left + i) % px;
      const double s = (part + node_x[k]) / nx;
      x[i] = xs[0] + dx * s;
      u[i] = a * x[i];
      from[i] = low[0] + dl * s;
      height[i] = (high[0] - low[0]) + ((high[1] - low[1]) - (high[0] - low[0])) * s;
    }
    @STEM@_many(@NAME@_kind[first], wide, u, f, g);
    for (int i = 0; i < wide; ++i) {
      const double weight = dx * height[i] * (weight_x[(left + i) % px] / nx);
      f[i] *= weight;
      g[i] *= weight;
    }
    for (int down = 0; down < rows; down += more) {
      const int deep = rows - down < more ? rows - down : more;
      double share[more], weight[more];
      for (int l = 0; l < deep; ++l) {
        share[l] = ((down + l) / pz + node_z[(down + l) % pz]) / nz;
        weight[l] = weight_z[(down + l) % pz] / nz;
      }
      for (int i = 0; i < wide; ++i) {
        if (t->n + deep > @STEM@_batch) @STEM@_sum(@NAME@_kind[second], 1, t, nngp, dot);
        double *v = t->v + t->n, *half = t->half + t->n, *tf = t->f + t->n, *tg = t->g + t->n;
        for (int l = 0; l < deep; ++l) {
          const double z = from[i] + height[i] * share[l];
          v[l] = b * (rho * x[i] + sigma * z);
          half[l] = -0.5 * (x[i] * x[i] + z * z);
          tf[l] = weight[l] * f[i];
          tg[l] = weight[l] * g[i];
        }
        t->n += deep;
      }
    }
  }
}

/* Insertion sort of a few numbers. */
static void @NAME@_sort(int n, double *at)
{
  for (int i = 1; i < n; ++i) {
    const double t = at[i];
    int k = i;
    for (; k > 0 && at[k - 1] > t; --k) at[k] = at[k - 1];
    at[k] = t;
  }
}

/* Correlation one or minus one: one sum over x. */
static void @NAME@_line(double a, double b, double *nngp, double *dot)
{
  enum { points = @POINTS@ };
  double at[@MOST@];
  int n = 0;
  at[n++] = -@FAR@;
  at[n++] = @FAR@;
  for (int i = 0; i < @CUTS@; ++i) {
    if (fabs(@NAME@_cut[i]) < a * @FAR@) at[n++] = @NAME@_cut[i] / a;
    if (fabs(@NAME@_cut[i]) < fabs(b) * @FAR@) at[n++] = @NAME@_cut[i] / b;
  }
  @NAME@_sort(n, at);
  *nngp = *dot = 0.0;
  for (int i = 0; i + 1 < n; ++i) {
    const double dx = at[i + 1] - at[i], mid = 0.5 * (at[i] + at[i + 1]);
    if (!(dx > 0.0)) continue;
    const int first = @NAME@_index(a * mid), second = @NAME@_index(b * mid);
    const double most = fmax(fmax(a * @NAME@_rate[first], fabs(b) * @NAME@_rate[second]),
                             1.0 / @WIDTH@);
    const double parts = fmax(1.0, ceil(dx * most - 1e-9));
    for (int l = 0; l < (int)parts; ++l) {
      double x[points], u[points], v[points], f[points], g[points], p[points], r[points];
      for (int m = 0; m < points; ++m) {
        x[m] = at[i] + dx * ((l + @NAME@_node[m]) / parts);
        u[m] = a * x[m];
        v[m] = b * x[m];
      }
      @STEM@_many(@NAME@_kind[first], points, u, f, g);
      @STEM@_many(@NAME@_kind[second], points, v, p, r);
      for (int m = 0; m < points; ++m) {
        const double bell = ntksym_op_exp(-0.5 * x[m] * x[m]);
        const double weight = dx * (@NAME@_weight[m] / parts) * bell / @ROOT@;
        *nngp += weight * f[m] * p[m];
        *dot += weight * g[m] * r[m];
      }
    }
  }
}

@PRODUCT@
static void @NAME@(double a, double b, double rho, double sigma, double *nngp, double *dot)
{
  if (sigma == 0.0) {
    @NAME@_line(a, b * rho, nngp, dot);
    return;
  }
  if (sigma >= @LEAST SIGMA@ && b > 0.0) {
    @NAME@_product(a, b, rho, sigma, nngp, dot);
    return;
  }
  const double entry[4] = {a, b, rho, sigma};
  @STEM@_nodes nodes;
  int kind = 0;
  nodes.n = 0;
  double at[@MOST@];
  int n = 0;
  at[n++] = -@FAR@;
  at[n++] = @FAR@;
  for (int i = 0; i < @CUTS@; ++i) {
    const double c = @NAME@_cut[i];
    if (fabs(c) < a * @FAR@) at[n++] = c / a;
    if (b > 0.0 && fabs(c / b - sigma * @FAR@) < fabs(rho) * @FAR@)
      at[n++] = (c / b - sigma * @FAR@) / rho;
    if (b > 0.0 && fabs(c / b + sigma * @FAR@) < fabs(rho) * @FAR@)
      at[n++] = (c / b + sigma * @FAR@) / rho;
  }
  @NAME@_sort(n, at);
  *nngp = *dot = 0.0;
  for (int i = 0; i + 1 < n; ++i) {
    const double xs[2] = {at[i], at[i + 1]};
    if (!(xs[1] > xs[0])) continue;
    const int first = @NAME@_index(a * (0.5 * (xs[0] + xs[1])));
    double low[2] = {-@FAR@, -@FAR@};
    for (int j = 0; j <= @CUTS@; ++j) {
      double high[2] = {@FAR@, @FAR@};
      if (b > 0.0 && j < @CUTS@) {
        /* Beyond the strip of this cut the line is the same at both ends: where sigma is 1e-16,
         * rounding an end of the strip moves it across, and with it the line of the whole cell. */
        const double c = @NAME@_cut[j] / b, mid = 0.5 * (xs[0] + xs[1]);
        const int within = fabs((c - rho * mid) / sigma) < @FAR@;
        for (int e = 0; e < 2; ++e)
          high[e] = @NAME@_clip((c - rho * (within ? xs[e] : mid)) / sigma);
      } else if (!(b > 0.0) && j != @NAME@_index(0.0)) {
        continue;
      }
      if (high[0] > low[0] || high[1] > low[1]) {
        if (@NAME@_kind[j] != kind) @STEM@_sum(kind, 1, &nodes, nngp, dot);
        kind = @NAME@_kind[j];
        @NAME@_cell(entry, xs, low, high, first, j, &nodes, nngp, dot);
        low[0] = high[0];
        low[1] = high[1];
      }
    }
  }
  @STEM@_sum(kind, 1, &nodes, nngp, dot);
  *nngp /= @TAU@;
  *dot /= @TAU@;
}
"""
