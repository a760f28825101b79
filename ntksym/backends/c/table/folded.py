"""C for a folded table of a range: even and odd parts in rho that serve both duals and both signs.

A run of equal q11 is one row.  Its entries are put in order by the band of q22 alone; for each
band the powers of the row's tau are contracted once.  What is left for an entry is written out
without loops: for every power of x a short polynomial in the other tau, and Horner's rule in x for
the value and the derivative at once.  A part that is one number (half of SiLU is linear) costs one
product.

Two vectors of entries go through at a time, and the coefficients of three powers of x: with what
the Horner rule in x carries that is what sixteen registers hold, and six chains of fused products
hide their latency (two chains and four vectors, which spill, take 1.2 times as long).

The highest powers go first, in floats, where the table says so (`numeric.table.light`): a vector
holds twice as many.  What they add up to is widened and goes on in doubles.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import inf
from struct import pack, unpack

from ....numeric.table.bands.banded import BandedDual, Pair
from ....numeric.table.dual import SLACK, part_of
from ....numeric.table.pack import Rows
from ....numeric.table.shell.variable import Shell
from ...text import filled
from ..text import array, c_literal
from .bands_text import ARGUMENTS
from .folded_sum import SUM, Place, Sizes, places, polynomials, walks
from .folded_text import COLUMNS, FLOATS_TEXT, GROUP, PAIRS, ROW

CHUNK = 256
"""Entries that are put in order at a time."""
BLOCK = 64
"""Entries that are evaluated at a time: four times the lanes of any machine, or more."""
KEPT = 8
"""So many chunks of columns are kept: those of so many layers of a network."""
FORMS = 6
"""Up to so many pairs of bands have polynomials written out for them; more share so many."""
WIDE = 16
"""A row is padded to a multiple of this: two vectors of any machine, whose chains hide latency."""


def folded_text(t: BandedDual, stem: str, diagonal: str, band: dict[str, str]) -> str:
    """C99 that defines `<stem>_pairs` and `<stem>_diag`; it needs `ntksym.h`.

    `diagonal` is the text of the second, empty for a shell, which has none; `band` says how the
    band of q and of v is found.
    """
    count, whole = len(t.bands), Form.of(t, t.pairs)
    bend = _BENDS[t.sine] if t.shell is None else _away(t.shell)
    forms = shared_forms(t)
    text = FLOATS_TEXT
    sums: dict[Form, str] = {}
    lines = []
    for a in range(count):
        for b in range(count):
            low, high = min(a, b), max(a, b)
            pair, form = t.pair(low, high), forms[low, high]
            name = f"{stem}_{a}_{b}"
            if form not in sums:
                sums[form] = f"{stem}_sum{len(sums)}"
                text += filled(SUM.replace("@SUM@", sums[form]), form.texts())
            text += _data(name, *form.matrix(pair, a > b, False), False)
            text += _data(f"{name}_low", *form.matrix(pair, a > b, True), True)
            more = ", ".join(c_literal(v) for v in form.numbers(pair))
            row = f"{name}, {name}_low, {name}_depth, {name}_low_depth, {sums[form]}"
            row += f", {form.wide}, {form.wide_low}"
            lines.append(f"  {{{row}, {c_literal(pair.kappa)}, {{{more}}}}}")
    text += ROW.replace("@TABLES@", ",\n".join(lines)).replace("@COUNT@", str(count * count))
    text += axes(t, stem)
    text += COLUMNS + GROUP + PAIRS.replace("@ARGUMENTS@", ARGUMENTS)
    marks = {
        "@BEND@": bend,
        "@SCALE@": "s * ys[l] * " if t.weighted else "",
        "@PLAIN@": "" if t.weighted else "    (void)ys;\n",
        **whole.texts(),
        "@BANDS OF q22@": _BANDS_OF if count > 1 else "",
        "@BAND q@": band["q"],
        "@BAND v@": band["v"],
        "@STEM@": stem,
        "@BANDS@": str(count),
        "@CHUNK@": str(CHUNK),
        "@BLOCK@": str(BLOCK),
        "@KEPT@": str(KEPT),
        "@WIDE@": str(WIDE),
        "@ROW@": str(max(form.wide for form in forms.values())),
        "@LOW ROW@": str(max(form.wide_low for form in forms.values())),
        "@LOW@": c_literal(t.low * (1.0 - SLACK)),
        "@HIGH@": c_literal(t.high * (1.0 + SLACK)),
        "@SLACK@": c_literal(1.0 + SLACK),
    }
    return filled(text, marks) + diagonal


def shared_forms(t: BandedDual) -> dict[tuple[int, int], Form]:
    """The form of every pair: its own, or one of `FORMS` that together are the least work."""
    alone = [(Form.of(t, (p,)).work, p.first, p.second) for p in t.pairs]
    order = [t.pair(a, b) for _, a, b in sorted(alone)]
    count = [1 if p.first == p.second else 2 for p in order]
    if len(order) <= FORMS:
        return {(p.first, p.second): Form.of(t, (p,)) for p in order}
    ends = range(len(order) + 1)
    shared = {(a, b): Form.of(t, tuple(order[a:b])) for b in ends for a in range(b)}
    work = {(a, b): form.work * sum(count[a:b]) for (a, b), form in shared.items()}
    best: list[tuple[float, tuple[int, ...]]] = [(0.0, ()) if not b else (inf, ()) for b in ends]
    for _ in range(FORMS):  # the least work of the first b pairs, and where they are cut
        best = [
            min([best[b], *((best[a][0] + work[a, b], (*best[a][1], b)) for a in range(b))])
            for b in ends
        ]
    cuts = (0, *best[-1][1])
    return {(p.first, p.second): shared[a, b] for a, b in pairwise(cuts) for p in order[a:b]}


def axes(t: BandedDual, stem: str) -> str:
    """The variables of the bands: (sqrt(q) - centre)/((sqrt(q) + pole) half)."""
    text = f"static const double {stem}_axis[{len(t.bands)}][3] = {{ /* centre, half, pole */\n"
    text += ",\n".join(f"  {{{', '.join(c_literal(v) for v in b.numbers)}}}" for b in t.bands)
    return text + "\n};\n\n"


def _turned(rows: Rows) -> Rows:
    """The same with the powers of the other variance first."""
    deep = len(rows[0]) if rows else 0
    return tuple(tuple(plane[j] for plane in rows if j < len(plane)) for j in range(deep))


@dataclass(frozen=True, slots=True)
class Form:
    """What all pairs of bands have in common: which coefficients there are, and in what order.

    Attributes:
        lengths: for the even and the odd part, for every power of x, how many powers of tau.
        alone: for both, whether it is at most one number in all pairs.
        there: for both, whether it is there.
        lead: 1 where the first number of a line is e_0, behind the polynomial in x.
        places: `(part, j, k)` of every coefficient, as the code meets them: floats first.
        heavy: for both, for every power of x, how many powers of tau are in doubles.
        floats: how many of the places are in floats.
        order: the numbers of the places in the order of the row, floats first: those with the
            most powers of the row's tau first, so that vectors of them have as many.
    """

    lengths: tuple[tuple[int, ...], tuple[int, ...]]
    alone: tuple[bool, bool]
    there: tuple[bool, bool]
    lead: int
    places: tuple[Place, ...]
    heavy: tuple[tuple[int, ...], tuple[int, ...]]
    floats: int
    order: tuple[int, ...]

    @classmethod
    def of(cls, t: BandedDual, pairs: tuple[Pair, ...]) -> Form:
        """That of some pairs of a table; which parts there are is that of the table."""
        lengths, alone, there, rows_of = [], [], [], []
        for odd in (0, 1):
            every = [part_of(p.value, odd) for p in t.pairs]
            there.append(any(every))
            alone.append(all(sum(len(line) for p in r for line in p) <= 1 for r in every))
            parts = [part_of(p.value, odd) for p in pairs]
            parts += [_turned(rows) for rows in parts]
            rows_of.append(parts)
            many = max((len(rows[0][0]) for rows in parts if rows), default=0)
            lengths.append(tuple(max(_powers(r, k) for r in parts) for k in range(many)))
        sizes = [() if lone else found for found, lone in zip(lengths, alone, strict=True)]
        heavy = [_heavy(found, [p.heavy[odd] for p in pairs]) for odd, found in enumerate(sizes)]
        both = (lengths[0], lengths[1]), (alone[0], alone[1]), (there[0], there[1])
        which = heavy[0], heavy[1]
        first, rest = (places(blocks) for blocks in walks((sizes[0], sizes[1]), which))
        every_place = (*first, *rest)
        deep = [max(len(_column(r, j, k)) for r in rows_of[odd]) for odd, j, k in every_place]
        order = sorted(range(len(deep)), key=lambda n: (n >= len(first), -deep[n]))
        return cls(*both, int(t.sine), every_place, which, len(first), tuple(order))

    @property
    def large(self) -> Sizes:
        """The lengths of the parts that are polynomials."""
        even, odd = (() if a else n for n, a in zip(self.lengths, self.alone, strict=True))
        return even, odd

    @property
    def work(self) -> float:
        """About how many fused operations on doubles an entry takes."""
        powers = [bool(end) for part in self.heavy for end in part]
        heavy = len(self.places) - self.floats + 2 * powers.count(True)
        return heavy + 0.5 * (self.floats + 2 * powers.count(False))

    @property
    def wide(self) -> int:
        """How many coefficients a row has in doubles, padded."""
        return -(-(len(self.places) - self.floats) // WIDE) * WIDE

    @property
    def wide_low(self) -> int:
        """How many it has in floats, padded."""
        return -(-self.floats // (2 * WIDE)) * 2 * WIDE

    def numbers(self, pair: Pair) -> list[float]:
        """The parts that are one number; 0 for the others."""
        parts = (part_of(pair.value, odd) for odd in (0, 1))
        return [
            rows[0][0][0] if lone and rows else 0.0
            for rows, lone in zip(parts, self.alone, strict=True)
        ]

    def matrix(self, pair: Pair, turned: bool, low: bool) -> tuple[list[float], list[int]]:
        """`(numbers, depth)`: by powers of the row's tau, and how many every few columns have.

        Those of the places that are floats where it is `low`, else of the others.
        """
        parts = [part_of(pair.value, odd) for odd in (0, 1)]
        if turned:
            parts = [_turned(rows) for rows in parts]
        order = self.order[: self.floats] if low else self.order[self.floats :]
        places = (self.places[n] for n in order)
        columns = [_column(parts[part], j, k) for part, j, k in places]
        wide, step = (self.wide_low, 2 * WIDE) if low else (self.wide, WIDE)
        columns += [[]] * (wide - len(columns))
        tall = max((len(c) for c in columns), default=0)
        numbers = [c[i] if i < len(c) else 0.0 for i in range(tall) for c in columns]
        depth = [max(len(c) for c in columns[at : at + step]) for at in range(0, wide, step)]
        return numbers, depth

    def texts(self) -> dict[str, str]:
        """The polynomials of an entry, and the two duals from them."""
        value, dot = self.outcome()
        seats = [0] * len(self.places)
        for seat, n in enumerate(self.order):
            seats[n] = seat if n < self.floats else seat - self.floats
        both = seats[: self.floats], seats[self.floats :]
        return {
            **polynomials(self.large, self.heavy, self.lead, both),
            "@VALUE@": value,
            "@DOT@": dot,
        }

    def outcome(self) -> tuple[str, str]:
        """The value, over the roots of the variances, and the derivative, from the polynomials."""
        sizes, own, bends = self.large, [], []
        for part in (0, 1):
            if not sizes[part]:
                own.append(f"e->more[{part}]")
            elif self.lead:
                own.append(f"(e{part}[l] + w[l] * w[l] * p{part}[l])")
                bends.append("rho[l] * " * part + f"(p{part}[l] + w[l] * d{part}[l])")
            else:
                own.append(f"p{part}[l]")
                bends.append("rho[l] * " * part + f"d{part}[l]")
        terms = [own[0]] * self.there[0] + [f"{own[1]} * rho[l]"] * self.there[1]
        dot = [own[1]] * self.there[1]
        if bends:
            dot.append(f"steep[l] * rho[l] * ({' + '.join(bends)})")
        return " + ".join(terms) or "0.0", " + ".join(dot) or "0.0"


_BANDS_OF = """  for (size_t l = 0; l < n; ++l) {
    const double v = q22[l];
    band[l] = @BAND v@;
  }
"""
_BENDS = (
    """    if (kappa == 0.0)
      for (int l = 0; l < n; ++l) {
        const double over = inverse * overs[l], sine = root[l] * over;
        rho[l] = q12[l] * over;
        x[l] = 2.0 * (sine * sine) - 1.0;
        steep[l] = -4.0;
      }
    else
      for (int l = 0; l < n; ++l) {
        const double over = inverse * overs[l], sine = root[l] * over, square = sine * sine;
        const double less = 1.0 / (1.0 + kappa * square);
        rho[l] = q12[l] * over;
        x[l] = 2.0 * one * square * less - 1.0;
        steep[l] = -4.0 * one * (less * less);
      }
""",
    """    double w[@BLOCK@];
    for (int l = 0; l < n; ++l) {
      const double over = inverse * overs[l], sine = root[l] * over;
      const double less = 1.0 / (1.0 + kappa * sine);
      rho[l] = q12[l] * over;
      w[l] = one * sine * less;
      x[l] = 2.0 * w[l] - 1.0;
      steep[l] = -2.0 * (one * one) * (less * less * less);
    }
""",
)
"""The variable, and the factor of the derivative: in rho^2, and in its sine."""


def _away(shell: Shell) -> str:
    """The variable of a shell; entries outside it have some number."""
    fall = -2.0 * shell.scale
    marks = {"@INNER@": shell.inner, "@GAIN@": shell.scale, "@FALL@": fall}
    return filled(_SHELL, {mark: c_literal(value) for mark, value in marks.items()})


_SHELL = """    for (int l = 0; l < n; ++l) {
      const double over = inverse * overs[l], sine = root[l] * over;
      const double part = (sine - @INNER@) * @GAIN@, less = 1.0 / (1.0 + kappa * part);
      rho[l] = q12[l] * over;
      x[l] = 2.0 * one * part * less - 1.0;
      steep[l] = @FALL@ * one * (less * less) / sine;
    }
"""


def _heavy(sizes: tuple[int, ...], given: list[tuple[int, ...]]) -> tuple[int, ...]:
    """For every power of x, how many powers of tau one of some pairs wants in doubles."""

    def wanted(one: tuple[int, ...], k: int, most: int) -> int:
        return min(one[k] if k < len(one) else 0, most) if one else most

    return tuple(max(wanted(one, k, most) for one in given) for k, most in enumerate(sizes))


def _column(rows: Rows, j: int, k: int) -> list[float]:
    """The factors of x^k and the j-th power of the other tau, by powers of the row's."""
    return [plane[j][k] for plane in rows if j < len(plane) and k < len(plane[j])]


def _powers(rows: Rows, k: int) -> int:
    """How many powers of the other tau the coefficient of x^k has."""
    deep = len(rows[0]) if rows else 0
    return sum(any(len(p[j]) > k for p in rows if j < len(p)) for j in range(deep))


def _data(name: str, numbers: list[float], depth: list[int], low: bool) -> str:
    numbers, depth = numbers or [0.0], depth or [0]  # nothing of that kind
    kind = "float" if low else "double"
    text = array(name, [_number(v, low) for v in numbers], kind, 4)
    return text + array(f"{name}_depth", depth, "unsigned char", 24)


def _number(value: float, low: bool) -> str:
    if value == 0.0:
        return "0.0f" if low else "0.0"
    return c_literal(unpack("f", pack("f", value))[0]) + "f" if low else c_literal(value)
