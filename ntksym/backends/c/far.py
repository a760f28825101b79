"""C that brings large variances down before a sum over nodes: `mixture.far` says why."""

from __future__ import annotations

from ..mixture.far import SKEW, Far


def far_c(f: Far, prefix: str, params: list[str]) -> str:
    """The functions `<prefix>block` and `<prefix>diag_block`, which call `sum` and `diag_sum`."""
    text = (_EACH if f.slope >= 0 else _TOGETHER) + _BLOCKS
    text = text.replace("@TYPE@", "int" if f.slope >= 0 else "double")
    text = text.replace("@NONE@", "0" if f.slope >= 0 else "1.0")
    for name, n in (("K", f.degree), ("D", f.slope)):
        v = name.lower() + "[l]"
        both = own = v
        if n < 0:
            both, own = f"{v} * moved[l]", f"ldexp({v}, -down)"
        elif n > 0:
            both, own = f"ldexp({v}, {n} * moved[l])", f"ldexp({v}, {2 * n} * down)"
        text = text.replace(f"@{name}@", both).replace(f"@OWN {name}@", own)
    text = text.replace("@LAST@", "INFINITY" if f.known else f"0x1p{2 * f.lead}")
    text = text.replace("@START@", f"0x1p{2 * f.lead}").replace("@LEAD@", str(f.lead))
    text = text.replace("@WIDE@", str(f.lead + SKEW)).replace("@APART@", str(f.apart))
    text = text.replace("@PARAMS@", "".join(f", double {p}" for p in params))
    return text.replace("@PASSED@", "".join(f", {p}" for p in params)).replace("@P@", prefix)


_EACH = r"""
/* Standard deviations above 2^@LEAD@, where the activation is a power, become smaller by powers
 * of two; the sum of both exponents. */
static int @P@down(double *x, double *c, double *y, double *root)
{
  int i, j;
  frexp(sqrt(*x), &i);
  frexp(sqrt(*y), &j);
  i = i > @LEAD@ ? i - @LEAD@ : 0;
  j = j > @LEAD@ ? j - @LEAD@ : 0;
  *x = ldexp(*x, -2 * i);
  *y = ldexp(*y, -2 * j);
  *c = ldexp(*c, -(i + j));
  *root = ldexp(*root, -(i + j));
  return i + j;
}
"""

_TOGETHER = r"""
/* Standard deviations above 2^@LEAD@, where the activation is a constant on each side, become
 * smaller by powers of two; what the expectation of an integrable function is then multiplied by.
 * That one sees how far both inputs are apart: root over the larger standard deviation is kept,
 * up to a large one, and the ratio of both. */
static double @P@down(double *x, double *c, double *y, double *root)
{
  int i, j;
  frexp(sqrt(*x), &i);
  frexp(sqrt(*y), &j);
  const int low = i < j ? i : j, high = i < j ? j : i;
  const int both = low > @LEAD@ ? low - @LEAD@ : 0;
  const int more = high - both > @WIDE@ ? high - both - @WIDE@ : 0;
  const double alike = ldexp(*root, -2 * both), kept = ldexp(*root, -both);
  const double most = ldexp(sqrt(*x > *y ? *x : *y), @APART@ - both);
  const double near = alike > most ? alike : kept < most ? kept : most;
  const double falls = near == kept ? ldexp(1.0, -both) : near / *root;
  *x = ldexp(*x, -2 * (both + (i > j ? more : 0)));
  *y = ldexp(*y, -2 * (both + (j > i ? more : 0)));
  *c = ldexp(*c, -(2 * both + more));
  *root = ldexp(near, -more);
  return ldexp(falls, -more);
}
"""

_BLOCKS = r"""
static void @P@block(size_t b, const double *x, const double *c, const double *y,
                     const double *root@PARAMS@, double *k, double *d)
{
  int large = 0;
  for (size_t l = 0; l < b; ++l) large |= !(x[l] <= @START@) | !(y[l] <= @START@);
  if (!large) {
    @P@sum(b, x, c, y, root@PASSED@, k, d);
    return;
  }
  double at[4][LANES];
  @TYPE@ moved[LANES];
  for (size_t l = 0; l < b; ++l) {
    at[0][l] = x[l];
    at[1][l] = c[l];
    at[2][l] = y[l];
    at[3][l] = root[l];
    moved[l] = @NONE@;
    if (x[l] > @START@ || y[l] > @START@)
      moved[l] = @P@down(&at[0][l], &at[1][l], &at[2][l], &at[3][l]);
  }
  @P@sum(b, at[0], at[1], at[2], at[3]@PASSED@, k, d);
  for (size_t l = 0; l < b; ++l) {
    const int lost = !(x[l] < @LAST@) | !(y[l] < @LAST@);
    k[l] = lost ? NAN : @K@;
    d[l] = lost ? NAN : @D@;
  }
}

static void @P@diag_block(size_t b, const double *q@PARAMS@, double *k, double *d)
{
  double at[LANES];
  int moved[LANES];
  for (size_t l = 0; l < b; ++l) {
    int e = @LEAD@;
    if (q[l] > @START@) frexp(sqrt(q[l]), &e);
    moved[l] = e - @LEAD@;
    at[l] = ldexp(q[l], -2 * moved[l]);
  }
  @P@diag_sum(b, at@PASSED@, k, d);
  for (size_t l = 0; l < b; ++l) {
    const int down = moved[l], lost = !(q[l] < @LAST@);
    k[l] = lost ? NAN : @OWN K@;
    d[l] = lost ? NAN : @OWN D@;
  }
}
"""
