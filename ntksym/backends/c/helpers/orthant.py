"""C for the bivariate normal distribution function, on blocks of points at once.

The nodes of the quadrature are the outer loop and the points the inner one, so that a compiler
vectorises over points; nothing branches on a point.
"""

from __future__ import annotations

from ...tables import ORTHANT_NEAR, ORTHANT_NODES, ORTHANT_WITHIN
from ..text import c_literal
from .owen import owen

PANEL_NODES = 14
"""Nodes of a panel of unit length in log y, of the tail integral."""


def orthant() -> str:
    """The text of the functions."""
    text = _TEXT.replace("@PANEL@", str(PANEL_NODES))
    for name, end in zip(("@LEAST@", "@NEAR@"), ORTHANT_NEAR, strict=True):
        text = text.replace(name, c_literal(end))
    text = text.replace("@BESIDE@", str(ORTHANT_NODES)).replace(
        "@WITHIN@", c_literal(ORTHANT_WITHIN)
    )
    return owen() + "\n" + text


_TEXT = r"""/* Phi2 as Phi(h)*Phi(k) and what the correlation r adds, the integral of a density
 * (Plackett 1954), into `out` where @LEAST@ <= r <= @NEAR@ and |h|, |k| <= @WITHIN@: Owen's terms
 * are of the size of the gates. */
NTKSYM_BLOCK_FUNCTION void ntksym_block_orthant_near(size_t n, const double *h, const double *k,
    const double *r, const double *px, const double *py, const double *bx, const double *by,
    double *restrict out)
{
  const size_t m = NTKSYM_ROUND_UP(n);
  double total[NTKSYM_BLOCK], line[NTKSYM_BLOCK], bend[NTKSYM_BLOCK], most = 2.0;
  for (size_t i = 0; i < m; ++i) {
    const double ah = fabs(h[i]), ak = fabs(k[i]), far = ah < ak ? ak : ah;
    const double own = ((r[i] >= @LEAST@) & (r[i] <= @NEAR@) & (far <= @WITHIN@)) ? 1.0 : 2.0;
    most = own < most ? own : most;
    line[i] = own > 1.0 ? 0.0 : h[i] * k[i];
    bend[i] = own > 1.0 ? 0.0 : 0.5 * (h[i] * h[i] + k[i] * k[i]);
    total[i] = 0.0;
  }
  if (most > 1.0) return;
  for (int j = 0; j < @BESIDE@; ++j) {
    const double node = ntksym_op_node@BESIDE@[j], weight = ntksym_op_weight@BESIDE@[j];
    for (size_t i = 0; i < m; ++i) {
      const double t = r[i] * node, less = 1.0 - t * t, over = 1.0 / less;
      const double e = t * (line[i] - bend[i] * t) * over;
      total[i] += (weight * sqrt(less)) * (over * ntksym_op_exp_inside(e));
    }
  }
  for (size_t i = 0; i < m; ++i) {
    const double one = h[i] < 0.0 ? px[i] : 1.0 - px[i], two = k[i] < 0.0 ? py[i] : 1.0 - py[i];
    const double more = (0x1.45f306dc9c883p-3 * r[i]) * (bx[i] * by[i]) * total[i];
    const double ah = fabs(h[i]), ak = fabs(k[i]), far = ah < ak ? ak : ah;
    const double value = NTKSYM_MADD(one, two, more);
    out[i] = ((r[i] >= @LEAST@) & (r[i] <= @NEAR@) & (far <= @WITHIN@)) ? value : out[i];
  }
}

/* P(X <= h, Y <= k) for standard normal X, Y with correlation c/hypot(c, s), s >= 0, on
 * n <= NTKSYM_BLOCK points: as above, or by Owen's T (D. B. Owen 1956, with 1 -+ rho formed from s
 * so that no digit is lost at rho = +-1). */
NTKSYM_BLOCK_FUNCTION void ntksym_block_Phi2(size_t n, const double *h, const double *k,
                                             const double *c, const double *s, double *out)
{
  const size_t m = NTKSYM_ROUND_UP(n);
  double x[NTKSYM_BLOCK], y[NTKSYM_BLOCK], to_k[NTKSYM_BLOCK], to_h[NTKSYM_BLOCK];
  double px[NTKSYM_BLOCK], py[NTKSYM_BLOCK], base[NTKSYM_BLOCK], plain[NTKSYM_BLOCK];
  double lost[NTKSYM_BLOCK], rho[NTKSYM_BLOCK];
  double bx[NTKSYM_BLOCK], by[NTKSYM_BLOCK], least = 2.0;
  for (size_t i = 0; i < m; ++i) {
    x[i] = h[i] > 40.0 ? 40.0 : (h[i] < -40.0 ? -40.0 : h[i]);
    y[i] = k[i] > 40.0 ? 40.0 : (k[i] < -40.0 ? -40.0 : k[i]);
  }
  ntksym_block_tails(n, x, px, bx);
  ntksym_block_tails(n, y, py, by);
  for (size_t i = 0; i < m; ++i) {
    const double ac = fabs(c[i]), most = ac < s[i] ? s[i] : ac;
    const double up = most < 0x1p-900 ? 0x1p200 : 1.0; /* subnormal numbers have no reciprocal */
    const double over = 1.0 / (most == 0.0 ? 1.0 : most * up), c1 = (c[i] * up) * over;
    const double s1 = most == 0.0 ? 1.0 : (s[i] * up) * over;
    const double shorter = 1.0 / sqrt(c1 * c1 + s1 * s1), r = c1 * shorter, t0 = s1 * shorter;
    const double t = t0 < 1e-290 ? 1e-290 : t0, less = t * t / (1.0 + fabs(r));
    const double sign = r > 0.0 ? 1.0 : -1.0, steep = 1.0 / t;
    const double u = x[i], v = y[i], pu = px[i], pv = py[i];
    const double ku = ((v - sign * u) + sign * (u * less)) * steep;
    const double hu = ((u - sign * v) + sign * (v * less)) * steep;
    const int apart = (u < 0.0) != (v < 0.0); /* no product: it may underflow */
    const double low = u < v ? u : v, high = u < v ? v : u;
    const double plow = u < v ? pu : pv, phigh = u < v ? pv : pu;
    /* of opposite sign: Phi(low) - Phi(-high); of one: the mean of Phi(u), Phi(v). */
    const double gate = u < 0.0 ? pu : 1.0 - pu, other = v < 0.0 ? pv : 1.0 - pv;
    const double below = low < 0.0 ? plow : 1.0 - plow, above = high > 0.0 ? phigh : 1.0 - phigh;
    const double x1 = apart ? below : gate, x2 = apart ? -above : other;
    const double sum = x1 + x2, of_sum = sum - x1;
    rho[i] = r;
    base[i] = 0.5 * sum;
    lost[i] = 0.5 * ((x1 - (sum - of_sum)) + (x2 - of_sum));
    to_k[i] = u < 0.0 ? -ku : ku;
    to_h[i] = v < 0.0 ? -hu : hu;
  }
  for (size_t i = 0; i < m; ++i) {
    const double turned = ((rho[i] < 0.0) & (x[i] > 0.0) & (y[i] > 0.0)) ? 1.0 : 2.0;
    least = turned < least ? turned : least;
  }
  for (size_t i = 0; (least < 2.0) & (i < m); ++i) {
    /* what is between -h and k is added at the end */
    const int turned = (rho[i] < 0.0) & (x[i] > 0.0) & (y[i] > 0.0);
    const double sum = px[i] + py[i], of_sum = sum - px[i];
    base[i] = turned ? 0.5 * sum : base[i];
    lost[i] = turned ? 0.5 * ((px[i] - (sum - of_sum)) + (py[i] - of_sum)) : lost[i];
  }
  const double *const from[] = {x, y}, *const to[] = {to_k, to_h};
  const double *const tails[] = {px, py}, *const bells[] = {bx, by};
  ntksym_block_owen(n, base, lost, from, to, tails, bells, plain);
  for (size_t i = 0; (least < 2.0) & (i < m); ++i) {
    const double u = 0x1.6a09e667f3bcdp-1 * x[i], v = 0x1.6a09e667f3bcdp-1 * y[i];
    const double between = 0.5 * (ntksym_op_erf(u) + ntksym_op_erf(v));
    const double low = plain[i] < 0.0 ? 0.0 : plain[i];
    plain[i] = ((rho[i] < 0.0) & (u > 0.0) & (v > 0.0)) ? low + between : plain[i];
  }
  ntksym_block_orthant_near(n, x, y, rho, px, py, bx, by, plain);
  int centre = 0;
  for (size_t i = 0; i < m; ++i) centre |= (x[i] == 0.0) & (y[i] == 0.0);
  for (size_t i = 0; i < m; ++i) out[i] = plain[i] < 0.0 ? 0.0 : plain[i];
  for (size_t i = 0; centre && i < m; ++i) {
    const double ac = fabs(c[i]), most = ac < s[i] ? s[i] : ac;
    const double up = most < 0x1p-900 ? 0x1p200 : 1.0; /* subnormal numbers have no reciprocal */
    const double over = 1.0 / (most == 0.0 ? 1.0 : most * up), c1 = (c[i] * up) * over;
    const double s1 = most == 0.0 ? 1.0 : (s[i] * up) * over;
    const double arc = ntksym_op_angle3(s1, -c1, sqrt(c1 * c1 + s1 * s1)) * 0x1.45f306dc9c883p-3;
    out[i] = ((x[i] == 0.0) & (y[i] == 0.0)) ? arc : out[i];
  }
}

static inline double ntksym_op_Phi2(double h, double k, double c, double s)
{
  double at[4][8], out[8];
  for (int i = 0; i < 8; ++i) at[0][i] = h, at[1][i] = k, at[2][i] = c, at[3][i] = s;
  ntksym_block_Phi2(1, at[0], at[1], at[2], at[3], out);
  return out[0];
}

/* What dh and dk add to exp(a)*Phi2(h, k; r): its derivatives (Plackett 1954) times those. */
NTKSYM_LANE_FUNCTION double ntksym_op_orthant_low(double a, double h, double k, double c, double s,
                                           double dh, double dk)
{
  const double ac = fabs(c), most = ac < s ? s : ac, unit = most == 0.0 ? 1.0 : most;
  const double c1 = c / unit, s1 = most == 0.0 ? 1.0 : s / unit;
  const double shorter = 1.0 / sqrt(c1 * c1 + s1 * s1), t0 = s1 * shorter;
  const double t = t0 < 1e-290 ? 1e-290 : t0, less = t * t / (1.0 + fabs(c1) * shorter);
  const double sign = c > 0.0 ? 1.0 : -1.0, first = a - 0.5 * h * h, second = a - 0.5 * k * k;
  const double to_k = ((k - sign * h) + sign * (h * less)) / t;
  const double to_h = ((h - sign * k) + sign * (k * less)) / t;
  const double of_h = ntksym_op_expPhi(first < 700.0 ? first : 700.0, to_k);
  const double of_k = ntksym_op_expPhi(second < 700.0 ? second : 700.0, to_h);
  return 0x1.9884533d43651p-2 * (dh * of_h + dk * of_k);
}

/* Whether exp(a)*Phi2(h, k; r) is an integral of positive numbers: where exp(a) makes the rounding
 * of Phi2 large, where Phi2 is the small rest of numbers of size one half, and where one gate is so
 * much smaller than the other that the rounding of the larger one counts. */
NTKSYM_LANE_FUNCTION int ntksym_op_tailed(double a, double h, double k, double c, double s)
{
  return (a >= 0.25) | ((h + k <= 0.0) & ((s < -1.25 * c) | ((h + k) * fabs(h - k) < -6.0)));
}

/* y0 = sqrt((1 - r)/(1 + r)), and w0 = |h + k|*y0 - |h - k|/y0 with `*low` = w0*w0 less the square
 * of its double: the square is an exponent. */
NTKSYM_LANE_FUNCTION double ntksym_op_orthant_start(double h, double k, double c, double s,
                                                    double *w0, double *low)
{
  const double ac = fabs(c), top = ac < s ? s : ac, unit = ntksym_op_inverse4(top);
  const double c1 = ac * unit, s1 = top == 0.0 ? 1.0 : s * unit, cc = c1 * c1, ss = s1 * s1;
  const double length = sqrt(cc + ss), square = length * length;
  const double more = cc < ss ? ss : cc, less = cc < ss ? cc : ss;
  const double left = ((more - square) + less) + ((ntksym_op_square_low(c1, cc)
      + ntksym_op_square_low(s1, ss)) - ntksym_op_square_low(length, square));
  const double sum = length + c1, sum_low = (c1 - (sum - length)) + left / (2.0 * length);
  const double t0 = s1 / sum, t = t0 < 1e-290 ? 1e-290 : t0, back = t * sum;
  const double t_low = (((s1 - back) - ntksym_op_product_low(t, sum, back)) - t * sum_low) / sum;
  const double plus = h + k, minus = h - k, of_plus = plus - h, of_minus = minus - h;
  const double plus_low = (h - (plus - of_plus)) + (k - of_plus);
  const double minus_low = (h - (minus - of_minus)) - (k + of_minus);
  const double far = fabs(plus), far_low = plus < 0.0 ? -plus_low : plus_low;
  const double near = fabs(minus), near_low = minus < 0.0 ? -minus_low : minus_low;
  const int upper = c > 0.0;
  const double up = upper ? far : near, up_low = upper ? far_low : near_low;
  const double down = upper ? near : far, down_low = upper ? near_low : far_low;
  const double product = up * t, ratio = down / t, again = ratio * t;
  const double product_low = ntksym_op_product_low(up, t, product) + (up * t_low + up_low * t);
  const double rest = (down - again) - ntksym_op_product_low(ratio, t, again);
  const double ratio_low = ((rest + down_low) - ratio * t_low) / t;
  const double w = product - ratio, of_w = w - product;
  const double w_low = ((product - (w - of_w)) - (ratio + of_w)) + (product_low - ratio_low);
  *w0 = upper ? w : -w;
  *low = fabs(w_low) < 1.0 ? ntksym_op_square_low(w, w * w) + 2.0 * w * w_low : 0.0;
  return upper ? t : 1.0 / t;
}

/* exp(lead + low)*(total + gone)*width/pi with what rounding takes from the factors. */
NTKSYM_LANE_FUNCTION double ntksym_op_orthant_tail(double lead, double low, double total,
                                                   double gone, double width)
{
  const double x = total * width, x_low = ntksym_op_product_low(total, width, x) + gone * width;
  const double y = x * 0x1.45f306dc9c883p-2, y_rest = x_low * 0x1.45f306dc9c883p-2
      + x * -0x1.6b01ec5417056p-56;
  const double y_low = ntksym_op_product_low(x, 0x1.45f306dc9c883p-2, y) + y_rest;
  double e_low;
  const double e = ntksym_op_exp_parts(lead, &e_low), value = e * y;
  const double off = fabs(lead) < 600.0
      ? ntksym_op_product_low(e, y, value) + (e_low * y + e * y_low) : 0.0;
  /* none where the value overflows */
  return value < INFINITY ? value + (off + value * (fabs(low) < 1.0 ? low : 0.0)) : value;
}

/* exp(a)*Phi2(h + dh, k + dk; r), with the relative accuracy of the tails where that is so.
 * For h + k <= 0 it is the integral of the density over the correlation (Plackett 1954) in
 * x = log y, y = sqrt((1 - t)/(1 + t)), y > y0, by Gauss-Legendre on panels of at most unit length
 * where the integrand matters; else Phi2(h, k; r) = Phi(low) - Phi2(low, -high; -r). */
NTKSYM_BLOCK_FUNCTION void ntksym_block_expPhi2(size_t n, const double *a, const double *h,
                                        const double *k, const double *c, const double *s,
                                        const double *dh, const double *dk, double *out)
{
  const size_t m = NTKSYM_ROUND_UP(n);
  double near[NTKSYM_BLOCK], far[NTKSYM_BLOCK], g0[NTKSYM_BLOCK], y0[NTKSYM_BLOCK];
  double lead[NTKSYM_BLOCK], step[NTKSYM_BLOCK], total[NTKSYM_BLOCK], width[NTKSYM_BLOCK];
  double y[NTKSYM_BLOCK], inverse[NTKSYM_BLOCK], back[NTKSYM_BLOCK], count[NTKSYM_BLOCK];
  double part[NTKSYM_BLOCK], top[NTKSYM_BLOCK], steep[NTKSYM_BLOCK], low[NTKSYM_BLOCK];
  double moved[NTKSYM_BLOCK], begin[NTKSYM_BLOCK], slope[NTKSYM_BLOCK], gone[NTKSYM_BLOCK];
  double most = 3.0;
  int tails = 0, plain = 0, panels;
  for (size_t i = 0; i < m; ++i) {
    const int own = ntksym_op_tailed(a[i], h[i], k[i], c[i], s[i]);
    tails |= own;
    plain |= !own;
  }
  if (plain) {
    ntksym_block_Phi2(n, h, k, c, s, out);
    for (size_t i = 0; i < m; ++i) out[i] *= ntksym_op_exp(a[i]); /* loses less than one bit */
  }
  if (!tails) return;
  for (size_t i = 0; i < m; ++i) {
    const double drop = 320.0, least_of = h[i] < k[i] ? h[i] : k[i];
    const int turned = h[i] + k[i] > 0.0;
    const double most_of = h[i] < k[i] ? k[i] : h[i], r = turned ? -c[i] : c[i];
    const double u = turned ? least_of : h[i], v = turned ? -most_of : k[i];
    double w0, rest;
    const double start = ntksym_op_orthant_start(u, v, r, s[i], &w0, &rest);
    const double n1 = fabs(u - v), f0 = fabs(u + v), f1 = f0 < 1e-300 ? 1e-300 : f0;
    const double g1 = w0 > 0.0 ? w0 * w0 : 0.0, cross = n1 * f1;
    const double least = 2.0 * n1 / (sqrt(drop) + sqrt(drop + 4.0 * cross));
    const double last = (sqrt(g1 + drop) + sqrt(g1 + drop + 4.0 * cross)) / (2.0 * f1);
    const double peak = fabs(u) > fabs(v) ? u : v, half = 0.5 * (peak * peak);
    const double main = a[i] - half, of_main = main - a[i], whole = main - 0.125 * g1;
    const double of_whole = whole - main;
    const double lost = ((a[i] - (main - of_main)) - (half + of_main))
        + ((main - (whole - of_whole)) - (0.125 * g1 + of_whole));
    near[i] = n1;
    far[i] = f1;
    g0[i] = g1;
    top[i] = w0 > 0.0 ? w0 : 0.0;
    y0[i] = start > least ? start : least;
    steep[i] = ((w0 > 1.0) & (start > least)) ? 1.0 : 0.0;
    step[i] = last;
    lead[i] = whole;
    low[i] = lost - 0.5 * ntksym_op_square_low(peak, peak * peak) - (w0 > 0.0 ? 0.125 * rest : 0.0);
    total[i] = gone[i] = 0.0;
  }
  for (size_t i = 0; i < m; ++i) {
    double x0, x1;
    if (!(g0[i] < 4e8)) { /* nothing left, or NaN */
      lead[i] = g0[i] == g0[i] ? -1e300 : lead[i];
      g0[i] = near[i] = top[i] = steep[i] = low[i] = 0.0;
      far[i] = y0[i] = step[i] = 1.0;
    }
    x0 = log(y0[i]);
    x1 = log(step[i]);
    if (!(x1 < (x0 > 0.0 ? x0 : 0.0) + 40.0)) x1 = (x0 > 0.0 ? x0 : 0.0) + 40.0;
    if (!(x0 > (x1 < 0.0 ? x1 : 0.0) - 40.0)) {
      x0 = (x1 < 0.0 ? x1 : 0.0) - 40.0;
      y0[i] = ntksym_op_exp(x0); /* else as it was: its logarithm has fewer digits */
      steep[i] = 0.0;
    }
    const double end = ntksym_op_exp(x1), from = near[i] / y0[i] - far[i] * y0[i];
    const double drops = from - (near[i] / end - far[i] * end);
    width[i] = x1 - x0;
    /* and panels of exp(-w*w), by the slope of w where that counts */
    const double most_steep = width[i] * sqrt(g0[i] + 648.0 + 4.0 * near[i] * far[i]);
    const double narrow = 0.16 * (drops < most_steep ? drops : most_steep);
    count[i] = ceil(narrow > width[i] ? narrow : width[i]);
    if (!(count[i] > 3.0)) count[i] = 3.0;
    if (count[i] > 128.0) count[i] = 128.0;
    if (count[i] > most && ntksym_op_tailed(a[i], h[i], k[i], c[i], s[i])) most = count[i];
  }
  panels = (int)most; /* of the widest; each point has its own number */
  for (size_t i = 0; i < m; ++i) {
    /* a short number, and its logarithm: panels that meet to half a unit in the last place */
    step[i] = (float)ntksym_op_exp(width[i] / count[i]);
    width[i] = log(step[i]);
    back[i] = 1.0 / step[i];
    begin[i] = y0[i] * (step[i] - 1.0);
    slope[i] = near[i] / y0[i];
  }
  for (int j = 0; j < @PANEL@; ++j) {
    const double node = ntksym_op_node@PANEL@[j], weight = ntksym_op_weight@PANEL@[j];
    for (size_t i = 0; i < m; ++i) {
      moved[i] = y0[i] * ntksym_op_expm1(width[i] * node);
      y[i] = y0[i] + moved[i];
      inverse[i] = 1.0 / y[i];
      part[i] = 0.0;
    }
    for (int p = 0; p < panels; ++p)
      for (size_t i = 0; i < m; ++i) {
        /* w^2 - w0^2 as a product, w - w0 from y - y0: large squares lose digits */
        const double w = far[i] * y[i] - near[i] * inverse[i];
        const double product = moved[i] * (far[i] + slope[i] * inverse[i]);
        const double away = steep[i] > 0.0 ? product : w - top[i];
        const double e = -0.125 * (away * (w + top[i]));
        const double inside = ntksym_op_exp_inside(e < -690.0 ? -690.0 : e);
        const double value = y[i] * inside / (1.0 + y[i] * y[i]);
        part[i] += p < count[i] ? value : 0.0;
        moved[i] = moved[i] * step[i] + begin[i];
        y[i] *= step[i];
        inverse[i] *= back[i];
      }
    for (size_t i = 0; i < m; ++i) { /* few roundings of its size, and those are kept */
      const double more = weight * part[i], sum = total[i] + more, of_sum = sum - total[i];
      gone[i] += (total[i] - (sum - of_sum)) + (more - of_sum);
      total[i] = sum;
    }
  }
  for (size_t i = 0; i < m; ++i) {
    const int turned = h[i] + k[i] > 0.0;
    const double tail = ntksym_op_orthant_tail(lead[i], low[i], total[i], gone[i], width[i]);
    const double whole = ntksym_op_expPhi(a[i], h[i] < k[i] ? h[i] : k[i]);
    const double rest = ntksym_op_orthant_low(a[i], h[i], k[i], c[i], s[i], dh[i], dk[i]);
    /* Phi2 is the most of Phi(low): where that overflows there is no difference to form */
    const double value = (turned ? whole - (whole < INFINITY ? tail : 0.0) : tail) + rest;
    const int own = ntksym_op_tailed(a[i], h[i], k[i], c[i], s[i]);
    out[i] = own ? value + ((h[i] - h[i]) + (c[i] - c[i])) : out[i];
  }
}

static inline double ntksym_op_expPhi2(double a, double h, double k, double c, double s, double dh,
                                       double dk)
{
  double at[7][8], out[8];
  for (int i = 0; i < 8; ++i) {
    at[0][i] = a, at[1][i] = h, at[2][i] = k, at[3][i] = c;
    at[4][i] = s, at[5][i] = dh, at[6][i] = dk;
  }
  ntksym_block_expPhi2(1, at[0], at[1], at[2], at[3], at[4], at[5], at[6], out);
  return out[0];
}
"""
