"""C for the integrals over one input of s times the mean of the other's, given the first."""

from __future__ import annotations

OUTER = r"""
/* The weights of the nodes x of a panel: exp(-x^2/(2 q)), the exponent to more digits than 53.
 * x is counted from the end `base` of the cell, as `left` is: far out, rounding that number would
 * cost many digits. */
static inline void ntksym_direct_weights(double base, double left, double length, double r,
                                         double q, double *y, double *x, double *w)
{
  for (int j = 0; j < @PADDED@; ++j) {
    const double shift = r * (left + length * ntksym_direct_node[j]);
    double square, low, ratio, slip;
    y[j] = shift;
    x[j] = base + shift;
    slip = shift - (x[j] - base); /* of the node: in a tail the density is steep */
    square = x[j] * x[j];
    low = fma(x[j], x[j], -square);
    ratio = square / q;
    low = (fma(-ratio, q, square) + (low + 2.0 * slip * x[j])) / q;
    low = ratio > 1400.0 ? 2.0 : low; /* nothing is left there */
    ratio = ratio > 1400.0 ? 1400.0 : ratio;
    w[j] = ntksym_direct_weight[j] * length * ntksym_op_exp_inside(-0.5 * ratio);
    w[j] -= w[j] * (0.5 * low);
  }
}

/* The end of a cell that is nearer to 0, if neither is beyond it; else 0. */
static inline double ntksym_direct_base(const ntksym_direct_rule *s, int cell)
{
  const double low = ntksym_direct_low(s, cell), high = ntksym_direct_high(s, cell);
  return low > 0.0 ? low : (high < 0.0 ? high : 0.0);
}

/* By parts, E[s'(u)] = E[s(u)z]/t for u = turn*v + t*z; and E[s'(u)s'(v)] =
 * E[s(v)(v/q*E[s(u)z]/t - turn*E[s(u)(z^2 - 1)]/t^2)]: the first, or what stands in the brackets
 * with `both`, at n nodes v. */
NTKSYM_BLOCK_FUNCTION void ntksym_direct_by_parts(const ntksym_direct_rule *s, double q,
                                                  double turn, double t, int both, int n,
                                                  const double *v, double *out)
{
  for (int i = n; i < @PADDED@; ++i) out[i] = 0.0;
  for (int i = 0; i < n; ++i) {
    const double m = turn * v[i], reach = ntksym_direct_reach(s, 0, m, t, 0.0);
    double first = 0.0, second = 0.0;
    for (int cell = 0; cell <= s->kinks; ++cell) {
      const double below[2] = {m - ntksym_direct_low(s, cell), 0.0};
      const double above[2] = {m - ntksym_direct_high(s, cell), 0.0};
      if (!s->live[cell]) continue;
      first += ntksym_direct_panels(s, 0, 1, cell, m, below, above, t, 0.0, reach);
      if (both) second += ntksym_direct_panels(s, 0, 2, cell, m, below, above, t, 0.0, reach);
    }
    out[i] = 0x1.9884533d43651p-2 * (both ? first * (v[i] / q) - turn * (second / t) : first) / t;
  }
}

/* Ends of panels beside a kink from whose image s is as far as the tail of the other input: there
 * the density and the mean fall like an exponential, by a factor e on the length `fall`. */
static inline int ntksym_direct_tail_ends(const ntksym_direct_rule *s, int which, int kink,
                                          double q, double turn, double t, double *more)
{
  static const double steps[@TAIL_COUNT@] = {@TAIL_STEPS@};
  const double at = s->kink[kink], m = turn * at;
  double least = INFINITY, edge = 0.0, fall;
  for (int cell = 0; cell <= s->kinks; ++cell) {
    const double low = ntksym_direct_low(s, cell), high = ntksym_direct_high(s, cell);
    const double away = ntksym_direct_away(low, high, m, t);
    if (!s->live[which * (s->kinks + 1) + cell] || !(away < least)) continue;
    least = away;
    edge = low > m ? low : high;
  }
  if (!(least > @TAIL@ && least < 1e100)) return 0;
  fall = 1.0 / fabs(at / q + turn * ((m - edge) / t) / t);
  for (int j = 0; j < @TAIL_COUNT@; ++j) more[j] = at + steps[j] * fall;
  return @TAIL_COUNT@;
}

/* turn*v - k by the kinks k, for v = base + y, in two doubles; turn to more digits than 53. */
static inline void ntksym_direct_gaps(const ntksym_direct_rule *s, double turn, double rest,
                                      double base, const double *y, double (*gap)[@PADDED@],
                                      double (*low_gap)[@PADDED@])
{
  const double at = turn * base, low = fma(turn, base, -at) + rest * base;
  for (int k = 0; k < s->kinks; ++k) {
    const double from = at - s->kink[k], off = from - at;
    const double spill = ((at - (from - off)) - (s->kink[k] + off)) + low;
    for (int j = 0; j < @PADDED@; ++j) {
      const double part = turn * y[j], sum = from + part, back = sum - from;
      const double more = (from - (sum - back)) + (part - back);
      const double left = (spill + more) + (fma(turn, y[j], -part) + rest * y[j]);
      gap[k][j] = sum + left;
      low_gap[k][j] = left - (gap[k][j] - sum);
    }
  }
}

/* The standard deviation root/sqrt(q) of one input given the other, of variance q, and what
 * rounding took from it, relative to it.  Where the root is the determinant's, as far as doubles
 * tell, it is that of the exact determinant: in a tail the rounding of the root costs digits. */
static inline double ntksym_direct_given(double q, double other, double q12, double root,
                                         double *slip)
{
  const double t = root / sqrt(q), one = q * other, two = q12 * q12, whole = one - two;
  const double back = whole - one, square = root * root, wide = t * t, times = wide * q;
  const double spill = (one - (whole - back)) - (two + back);
  const double low = spill + (fma(q, other, -one) - fma(q12, q12, -two));
  const double rest = fma(wide, q, -times) + fma(t, t, -wide) * q;
  const int same = fabs((whole - square) + low) <= 0x1p-49 * square;
  const double det = same ? whole : square, more = same ? low : fma(root, root, -square);
  const double found = ((det - times) + (more - rest)) / (2.0 * times);
  *slip = fabs(found) < 0x1p-48 ? found : 0.0;
  return t;
}

/* The part of E[s'(u)s'(v)] with v, of variance q, at a jump and u at none, or anywhere.  In the
 * integral over the other input it would be a peak, steeper than doubles tell its nodes apart.
 * With `parts` u is anywhere, and E[s'(u)] is by parts. */
NTKSYM_BLOCK_FUNCTION double ntksym_direct_jumped(const ntksym_direct_rule *s, double q,
                                                  double other, double q12, double root,
                                                  int anywhere, int parts)
{
  const double r = sqrt(q), turn = q12 / q, rest = fma(-turn, q, q12) / q;
  double slip, total = 0.0;
  const double t = ntksym_direct_given(q, other, q12, root, &slip);
  for (int k = 0; k < s->kinks; ++k) {
    const double at = s->kink[k], square = at * at, ratio = square / q;
    const double low = (fma(-ratio, q, square) + fma(at, at, -square)) / q;
    const double bell = ratio < 1400.0 ? exp(-0.5 * ratio) : 0.0;
    const double part = s->jump[k] * (bell - bell * (0.5 * low)) / r;
    double x[@PADDED@], y[@PADDED@], mean[@PADDED@];
    double gap[@KINKS@][@PADDED@], low_gap[@KINKS@][@PADDED@];
    const double allow[@PADDED@] = {0.0};
    double lost[@PADDED@];
    if (!(fabs(part) > 0.0)) continue;
    if (parts) {
      ntksym_direct_by_parts(s, q, turn, t, 0, 1, &at, mean);
      total += part * mean[0];
      continue;
    }
    for (int j = 0; j < @PADDED@; ++j) x[j] = turn * at, y[j] = 0.0;
    ntksym_direct_gaps(s, turn, rest, at, y, gap, low_gap);
    ntksym_direct_mean(s, 1, x, gap, low_gap, t, slip, allow, mean, lost);
    for (int j = 0; anywhere && j < s->kinks; ++j) {
      const double away = gap[j][0] / t, near = exp(-0.5 * away * away);
      const double lost_in = ntksym_direct_off(gap[j][0], low_gap[j][0], away, t, slip);
      const double off = near > 0.0 ? lost_in : 0.0;
      mean[0] += s->jump[j] * (0x1.9884533d43651p-2 * (near - near * off)) / t;
    }
    total += part * mean[0];
  }
  return total;
}

/* The dual or its derivative; the outer integral is over the input of the smaller variance. */
NTKSYM_BLOCK_FUNCTION double ntksym_direct_pair(const ntksym_direct_rule *s, int which, double q11,
                                                double q12, double q22, double root, double unit)
{
  static const double ladder[7] = {0.0, 2.5, -2.5, 5.2, -5.2, 9.1, -9.1};
  const double least = q11 < q22 ? q11 : q22, most = q11 < q22 ? q22 : q11;
  const int nothing = least == 0.0; /* as at 2^-1020: of a jump there is no derivative */
  const double q = nothing ? 0x1p-1020 : least, r = sqrt(q), turn = q12 / q;
  double slip;
  const double given = ntksym_direct_given(q, most, q12, root, &slip);
  const double t = nothing ? sqrt(most) : given;
  const double width = t / fabs(turn), moved = s->grow * (1.0 + fabs(turn)) * r;
  /* by parts in an input that is spread wider than s is; where in u alone, v's jumps are apart */
  const int parts = which && t > s->dies * unit;
  const int both = parts && (width < r ? width : r) > s->dies * unit, row = both ? 0 : which;
  const double reach = ntksym_direct_reach(s, row, 0.0, r, moved);
  const double rest = fma(-turn, q, q12) / q; /* of `turn` */
  double more[@ENDS@], z[@ENDS@], total = 0.0;
  double gap[@KINKS@][@PADDED@], low_gap[@KINKS@][@PADDED@];
  double share = INFINITY; /* of a node, of what terms may add up to */
  double low_end = INFINITY, high_end = -INFINITY;
  int count = 0;
  for (int k = 0; k < s->cuts; ++k) more[count++] = s->cut[k];
  if (turn != 0.0 && width < r) { /* else the mean is as smooth as the density */
    for (int k = 0; k < s->kinks + s->centres; ++k)
      for (int j = 0; j < 7 && count < @ENDS@ - 8; ++j) {
        const double at = k < s->kinks ? s->kink[k] : s->cut[k - s->kinks];
        more[count++] = at / turn + ladder[j] * width;
      }
    for (int k = 0; k < s->kinks && count < @ENDS@ - 8; ++k)
      count += ntksym_direct_tail_ends(s, row, k, q, turn, t, more + count);
    for (int k = s->centres; k < s->cuts && count < @ENDS@ - 8; ++k) {
      more[count++] = s->cut[k] / turn;
      low_end = s->cut[k] < low_end ? s->cut[k] : low_end;
      high_end = s->cut[k] > high_end ? s->cut[k] : high_end;
    }
    if (low_end <= high_end) { /* widths of s and of the mean add up: nothing is beyond */
      more[count++] = (low_end - ladder[5] * t) / turn;
      more[count++] = (high_end + ladder[5] * t) / turn;
    }
  }
  for (int pass = 0; pass < 3; ++pass) { /* closed means; some by panels; all of them */
    double sizes = 0.0, terms = 0.0;
    int nodes = 0;
    total = 0.0;
    for (int cell = 0; cell <= s->kinks; ++cell) {
      double base;
      int ends;
      if (!s->live[row * (s->kinks + 1) + cell]) continue;
      base = ntksym_direct_base(s, cell);
      ends = ntksym_direct_ends(s, cell, base / r, base, r, reach, more, count, z);
      for (int k = 0; k + 1 < ends; ++k) {
        double x[@PADDED@], y[@PADDED@], w[@PADDED@], v[@PADDED@], mean[@PADDED@], sum = 0.0;
        double allow[@PADDED@], lost[@PADDED@];
        ntksym_direct_weights(base, z[k], z[k + 1] - z[k], r, q, y, x, w);
        ntksym_direct_values(s, row, cell, base, x, y, v);
        for (int j = 0; j < @PADDED@; ++j) w[j] *= v[j];
        if (parts) {
          ntksym_direct_by_parts(s, q, turn, t, both, @NODES@, x, mean);
          for (int j = 0; j < @PADDED@; ++j) lost[j] = 0.0;
        } else {
          for (int j = 0; j < @PADDED@; ++j) {
            const double each = share / fabs(w[j]);
            x[j] = turn * x[j];
            allow[j] = each < 0x1.fp1023 ? each : 0x1.fp1023;
          }
          ntksym_direct_gaps(s, turn, rest, base, y, gap, low_gap);
          ntksym_direct_mean(s, which, x, gap, low_gap, t, slip, allow, mean, lost);
        }
        for (int j = 0; j < @NODES@; ++j) {
          sum += w[j] * mean[j];
          sizes += fabs(w[j] * mean[j]);
          terms += fabs(w[j]) * lost[j];
        }
        total += sum;
        nodes += @NODES@;
      }
    }
    if (terms <= @CLOSE@ * sizes) break;
    share = pass ? 0.0 : @CLOSE@ * sizes / nodes;
  }
  if (which && s->jumps && !both) {
    total += ntksym_direct_jumped(s, q, most, q12, root, 1, parts);
    if (!parts) total += ntksym_direct_jumped(s, most, q, q12, root, 0, 0);
  }
  if (nothing && fabs(total) <= 0x1p-480 * t) return 0.0;
  return total * 0x1.9884533d43651p-2;
}

/* The same for u = v: one integral. */
NTKSYM_BLOCK_FUNCTION double ntksym_direct_same(const ntksym_direct_rule *s, int which, double q)
{
  const double r = sqrt(q), reach = ntksym_direct_reach(s, which, 0.0, r, 2.0 * s->grow * r);
  double z[@ENDS@], total = 0.0;
  for (int cell = 0; cell <= s->kinks; ++cell) {
    double base;
    int ends;
    if (!s->live[which * (s->kinks + 1) + cell]) continue;
    base = ntksym_direct_base(s, cell);
    ends = ntksym_direct_ends(s, cell, base / r, base, r, reach, s->cut, s->cuts, z);
    for (int k = 0; k + 1 < ends; ++k) {
      double x[@PADDED@], y[@PADDED@], w[@PADDED@], v[@PADDED@], part = 0.0;
      ntksym_direct_weights(base, z[k], z[k + 1] - z[k], r, q, y, x, w);
      ntksym_direct_values(s, which, cell, base, x, y, v);
      for (int j = 0; j < @NODES@; ++j) part += w[j] * v[j] * v[j];
      total += part;
    }
  }
  return total * 0x1.9884533d43651p-2;
}
"""
"""A part of the text of `direct_text`, with its marks."""
