"""C of the polynomials of a folded table: the highest powers in floats, then the rest in doubles.

Four vectors' worth of doubles go through at a time: in floats as two vectors, then in doubles two
vectors at a time.  Where a coefficient of x has powers of t in both, the sum of the floats is
widened and the rule of Horner goes on from it; so does the one in x.  The second two are left out
where no entry is in them: said as a bound of the loop, that costs tables that have no rest 7 %.
"""

from __future__ import annotations

from dataclasses import dataclass

BESIDE = 3
"""Powers of x whose coefficients run side by side."""
Place = tuple[int, int, int]
Sizes = tuple[tuple[int, ...], tuple[int, ...]]

SUM = """/* The polynomials of the parts in x and their derivatives; the coefficients are
 * polynomials in t.  What is small runs first, in floats.  Entries beyond n are computed up to
 * full vectors. */
NTKSYM_FUSED static void @SUM@(const double *row, const float *low, int n, const double *x,
    const double *t, const float *xf, const float *tf@OUTPUTS@)
{
  const ntksym_lanes zero = {0.0};
  for (int at = 0; at < n; at += 4 * @STEM@_many) {
@FLOATS@    for (int l = at, half = 0; half < 2; ++half, l += 2 * @STEM@_many) {
      if (half && l >= n) break;
@OWN@      ntksym_lanes z[2], y[2], c0[2], c1[2], c2[2]@NAMES@;
      for (int u = 0; u < 2; ++u) {
        memcpy(&z[u], x + l + u * @STEM@_many, sizeof zero);
        memcpy(&y[u], t + l + u * @STEM@_many, sizeof zero);
        c0[u] = c1[u] = c2[u] = zero;
      }
@POLYNOMIALS@      for (int u = 0; u < 2; ++u) {
@STORES@      }
    }
  }
@UNUSED@}

"""

_FLOATS = """    float kept[@KEPT@ * 4 * @STEM@_many];
    {
      ntksym_floats z[NTKSYM_HALVES], y[NTKSYM_HALVES], c0[NTKSYM_HALVES], c1[NTKSYM_HALVES],
          c2[NTKSYM_HALVES]@NAMES@;
      const ntksym_floats zero = {0.0f};
      for (int u = 0; u < NTKSYM_HALVES; ++u) {
        memcpy(&z[u], xf + at + u * @STEM@_floats, sizeof zero);
        memcpy(&y[u], tf + at + u * @STEM@_floats, sizeof zero);
        c0[u] = c1[u] = c2[u] = zero;
      }
@LINES@    }
"""


@dataclass(frozen=True, slots=True)
class Walk:
    """The coefficient of x^k of a part, its powers of t from `high` - 1 down to `low`.

    Attributes:
        part: 0 the even part, 1 the odd one.
        k: the power of x, behind what leads.
        low: the last power of t.
        high: one more than the first.
    """

    part: int
    k: int
    low: int
    high: int


def walks(sizes: Sizes, heavy: Sizes) -> tuple[list[list[Walk]], list[list[Walk]]]:
    """What runs in floats and what in doubles, in blocks that run side by side."""
    ranges = (
        [Walk(p, k, heavy[p][k], m) for p in (0, 1) for k, m in _down(sizes[p])],
        [Walk(p, k, 0, m) for p in (0, 1) for k, m in _down(heavy[p])],
    )
    low, high = ([w for w in found if w.low < w.high] for found in ranges)
    return _blocks(low), _blocks(high)


def _down(sizes: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(enumerate(sizes))[::-1]


def _blocks(found: list[Walk]) -> list[list[Walk]]:
    """The highest powers of x first, one part and then the other."""
    out = []
    for part in (0, 1):
        own = [w for w in found if w.part == part]
        out += [own[at : at + BESIDE] for at in range(0, len(own), BESIDE)]
    return out


def places(blocks: list[list[Walk]]) -> list[Place]:
    """`(part, j, k)` of the coefficients of blocks in the order in which the code meets them."""
    return [
        (w.part, j, w.k)
        for block in blocks
        for j in reversed(range(max(w.high for w in block)))
        for w in block
        if w.low <= j < w.high
    ]


def polynomials(
    sizes: Sizes, heavy: Sizes, lead: int, seats: tuple[list[int], list[int]]
) -> dict[str, str]:
    """The texts of `SUM` that depend on the form; `lead` as in `c.folded.Form`.

    `seats`: where in the row the places of floats are, and those of doubles.
    """
    first, rest = walks(sizes, heavy)
    begun = [0, 0]
    tails = [(w.part, w.k) for block in first for w in block if heavy[w.part][w.k]]
    slots: dict[object, int] = {key: n for n, key in enumerate(tails)}
    low = _lines(first, ("low", seats[0]), begun, lead, slots)
    names = [name for part in (0, 1) for name in (f"p{part}", f"d{part}")[: begun[part]]]
    slots.update({name: len(slots) + n for n, name in enumerate(names)})
    low += [f"memcpy({_slot(slots[n], '@STEM@_floats')}, &{n}[u], sizeof zero);" for n in names]
    floats = _FLOATS.replace("@KEPT@", str(len(slots)))
    floats = floats.replace("@NAMES@", "".join(f", {n}[NTKSYM_HALVES]" for n in names))
    body = "".join(f"      for (int u = 0; u < NTKSYM_HALVES; ++u) {line}\n" for line in low)
    floats = floats.replace("@LINES@", body)
    lines = [f"{n}[u] = ntksym_widen({_slot(slots[n], '@STEM@_many')});" for n in names]
    lines += _lines(rest, ("row", seats[1]), begun, lead, slots)
    stores: list[str] = []
    for part in (0, 1):
        if sizes[part]:
            stores += [f"e{part}"] * lead + [f"p{part}", f"d{part}"]
            lines += [f"d{part}[u] = zero;"] * (begun[part] < 2)
            lines += [f"p{part}[u] = zero;"] * (begun[part] < 1)
    return {
        "@FLOATS@": floats if first else "",
        "@OWN@": "      const float *own = kept + (l - at);\n" if first else "",
        "@UNUSED@": "" if first else "  (void)low, (void)xf, (void)tf;\n",
        "@NAMES@": "".join(f", {n}[2]" for n in stores),
        "@OUTPUTS@": "".join(f", double *out_{n}" for n in stores),
        "@GIVEN@": "".join(f", {n}" for n in stores),
        "@ARRAYS@": "".join(f", {n}[@BLOCK@]" for n in stores),
        "@STORES@": "".join(
            f"        memcpy(out_{n} + l + u * @STEM@_many, &{n}[u], sizeof zero);\n"
            for n in stores
        ),
        "@POLYNOMIALS@": "".join(f"      for (int u = 0; u < 2; ++u) {line}\n" for line in lines),
    }


def _slot(n: int, lanes: str) -> str:
    """Where vector u of what floats left behind is, as floats or to be widened."""
    return f"{'kept' if 'floats' in lanes else 'own'} + {4 * n} * @STEM@_many + u * {lanes}"


def _lines(
    blocks: list[list[Walk]],
    given: tuple[str, list[int]],
    begun: list[int],
    lead: int,
    slots: dict[object, int],
) -> list[str]:
    """Statements for blocks, of vectors u: floats from the array `low`, doubles from `row`.

    `begun` counts the powers of x of the parts; `slots` says where coefficients are kept that
    doubles go on with.  `given`: an array, and where in it the `places` of the blocks are.
    """
    array, seats = given
    wide = array == "row"
    lines: list[str] = []
    at = 0
    for block in blocks:
        for n, w in enumerate(block):
            if wide and (w.part, w.k) in slots:
                kept = _slot(slots[w.part, w.k], "@STEM@_many")
                lines.append(f"c{n}[u] = ntksym_widen({kept});")
        for j in reversed(range(max(w.high for w in block))):
            for n, w in enumerate(block):
                if not w.low <= j < w.high:
                    continue
                own = f"{array}[{seats[at]}]"
                at += 1
                fresh = j == w.high - 1 and not (wide and (w.part, w.k) in slots)
                more = f"c{n}[u] * y[u] + {own}"
                lines.append(f"c{n}[u] = {own} - zero;" if fresh else f"c{n}[u] = {more};")
        for n, w in enumerate(block):
            p, d = f"p{w.part}[u]", f"d{w.part}[u]"
            if w.low:
                kept = _slot(slots[w.part, w.k], "@STEM@_floats")
                lines.append(f"memcpy({kept}, &c{n}[u], sizeof zero);")
            elif w.k < lead:
                lines.append(f"e{w.part}[u] = c{n}[u];")
            else:
                if begun[w.part]:
                    more = f"{d} * z[u] + {p}" if begun[w.part] > 1 else p
                    lines.append(f"{d} = {more};")
                lines.append(f"{p} = {p} * z[u] + c{n}[u];" if begun[w.part] else f"{p} = c{n}[u];")
                begun[w.part] = min(begun[w.part] + 1, 2)
    return lines
