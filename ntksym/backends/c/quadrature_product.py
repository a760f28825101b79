"""The C of panels in the coordinates of both inputs: `numeric.quadrature.product`."""

from __future__ import annotations

PRODUCT = """
enum { @NAME@_room = @ROOM@, @NAME@_most = @PIECES@ };

/* The nodes of one input, s and s' there times the weights, and where its panels lie. */
typedef struct {
  int panels, first[@NAME@_most + 1];
  double low[@NAME@_most], high[@NAME@_most];
  double x[@NAME@_room], f[@NAME@_room], g[@NAME@_room];
} @NAME@_side;

static void @NAME@_fill(double dev, double sigma, double low, @NAME@_side *to)
{
  int at = 0, panel = 0;
  for (int i = 0; i <= @CUTS@; ++i) {
@BLOCKS@    const double high = i < @CUTS@ ? fmin(@NAME@_cut[i] / dev, @FAR@) : @FAR@;
    if (!(high > low)) continue;
    const double wide = high - low;
    const double across = fmax(dev * wide * @NAME@_rate[i], wide / (@WIDTH@ * sigma));
    const double many = fmax(1.0, ceil(across - 1e-9));
    const int table = @NAME@_table(across / many), begin = at;
    const int points = @NAME@_start[table + 1] - @NAME@_start[table];
    const double *node = @NAME@_node + @NAME@_start[table];
    const double *weight = @NAME@_weight + @NAME@_start[table];
    for (int k = 0; k < (int)many; ++k) {
      to->low[panel] = low + wide * (k / many);
      to->high[panel] = low + wide * ((k + 1) / many);
      to->first[panel++] = at;
      for (int m = 0; m < points; ++m) to->x[at++] = low + wide * ((k + node[m]) / many);
    }
    for (int from = begin, n; from < at; from += n) {
      double u[@STEM@_batch];
      n = at - from < @STEM@_batch ? at - from : @STEM@_batch;
      for (int l = 0; l < n; ++l) u[l] = dev * to->x[from + l];
      @STEM@_many(@NAME@_kind[i], n, u, to->f + from, to->g + from);
    }
    for (int l = begin, m = 0; l < at; ++l) {
      const double share = wide * (weight[m] / many);
      to->f[l] *= share;
      to->g[l] *= share;
      m = m + 1 < points ? m + 1 : 0;
    }
    low = high;
  }
  to->panels = panel;
  to->first[panel] = at;
}

/* s(a x) s(b y) at pairs of nodes; panels that are beyond x^2 + z^2 = @FAR@^2 are left out. */
static void @NAME@_product(double a, double b, double rho, double sigma, double *nngp,
    double *dot)
{
  enum {
    some = @STEM@_batch,
    many = (int)(sizeof(ntksym_lanes) / sizeof(double)),
    blank = 2 * many
  };
  const double over = 1.0 / sigma, scale = @TWICE@over / @TAU@;
  @NAME@_side one, two;
  double p[some + blank], r[some + blank], sums[many];
  *nngp = *dot = 0.0;
  @NAME@_fill(a, sigma, @FROM@, &one);
  @NAME@_fill(b, sigma, -@FAR@, &two);
  int begin = 0, end = 0;
  for (int i = 0; i < one.panels; ++i) {
    const double middle = 0.5 * (one.low[i] + one.high[i]), away = fabs(middle);
    const double wide = 0.5 * (one.high[i] - one.low[i]), near = fmax(away - wide, 0.0);
    const double left = sqrt(fmax((@FAR@ - near) * (@FAR@ + near), 0.0));
    const double centre = rho * middle, reach = fabs(rho) * wide + left * sigma;
    begin = 0;
    end = two.panels;
    while (begin < end && two.high[begin] < centre - reach) ++begin;
    while (begin < end && two.low[end - 1] > centre + reach) --end;
    for (int k = one.first[i]; k < one.first[i + 1]; ++k) {
      const double x = one.x[k], half = -0.5 * (x * x), mean = rho * x;
      double value = 0.0, slope = 0.0;
      for (int at = two.first[begin], n; at < two.first[end]; at += n) {
        ntksym_lanes first = {0.0}, second = {0.0}, next;
        n = two.first[end] - at < some ? two.first[end] - at : some;
        const double *y = two.x + at, *f = two.f + at, *g = two.g + at;
        for (int l = 0; l < n; ++l) {
          const double z = (y[l] - mean) * over, w = ntksym_op_exp(half - 0.5 * (z * z));
          p[l] = w * f[l];
          r[l] = w * g[l];
        }
        for (int l = n; l < n + blank; ++l) p[l] = r[l] = 0.0;
        for (int l = 0; l < n; l += many) {
          memcpy(&next, p + l, sizeof next);
          first += next;
          memcpy(&next, r + l, sizeof next);
          second += next;
        }
        memcpy(sums, &first, sizeof sums);
        for (int l = 0; l < many; ++l) value += sums[l];
        memcpy(sums, &second, sizeof sums);
        for (int l = 0; l < many; ++l) slope += sums[l];
      }
      *nngp += one.f[k] * value;
      *dot += one.g[k] * slope;
    }
  }
  *nngp *= scale;
  *dot *= scale;
}
"""

BLOCKS = """    /* The longest block of intervals that begins here and has a smooth density. */
    int block = @NAME@_group[i];
    for (; block < @NAME@_group[i + 1]; ++block)
      if (@NAME@_low[block] / dev >= low && @NAME@_high[block] / dev <= @FAR@
          && @NAME@_high[block] / dev - @NAME@_low[block] / dev <= @WIDTH@ * sigma)
        break;
    if (block < @NAME@_group[i + 1]) {
      to->low[panel] = low;
      to->high[panel] = low = @NAME@_high[block] / dev;
      to->first[panel++] = at;
      for (int m = @NAME@_points[block]; m < @NAME@_points[block + 1]; ++m, ++at) {
        to->x[at] = @NAME@_at[m] / dev;
        to->f[at] = @NAME@_value[m] / dev;
        to->g[at] = @NAME@_slope[m] / dev;
      }
      i = @NAME@_last[block];
      continue;
    }
"""
"""The same inside, where there are `numeric.quadrature.blocks`."""
