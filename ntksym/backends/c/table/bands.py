"""C for a dual tabulated on a range of variances: bands, contracted rows, lanes inside.

A run of equal q11 is one row.  Its entries are put in order by the band of q22 and the sign of
q12; for each such group the powers of the row's tau are contracted once, then the polynomials of
the dual and of the derivative dual in x and in the other tau run side by side: eight chains of
products and sums hide their latency.  A group that is the whole row needs no order.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....numeric.table.bands.banded import BandedDual, Pair
from ....numeric.table.dual import SLACK, Sheet
from ....numeric.table.pack import Rows
from ...text import filled
from ..text import array, c_literal
from .bands_text import DIAGONAL, ENTRY, GROUPED, LOOPS, PAIRS, PLAIN
from .folded import axes, folded_text

CHUNK = 256
"""Entries that are put in order at a time."""
WIDE = 8
"""Coefficients of a row are padded to a multiple of this: a vector of any machine."""


@dataclass(frozen=True, slots=True)
class _Half:
    """The tables of one pair of bands and one sign of rho, as arrays.

    Attributes:
        numbers: [i][j][value and dot, each padded], dense.
        depth: for every j and vector, how many i it has.
        turned: for every i and vector, how many j it has.
        lengths: for every j, how many coefficients of the value and of the dot.
        turned_lengths: the same for every i.
        shape: the number of i, of j, of coefficients of the value and of the dot, padded.
    """

    numbers: list[float]
    depth: list[int]
    turned: list[int]
    lengths: list[int]
    turned_lengths: list[int]
    shape: tuple[int, int, int, int]


def _rows(sheet: Sheet, plus: bool) -> Rows:
    if plus or not sheet.parity:
        return sheet.plus if plus else sheet.minus
    if sheet.parity > 0:
        return sheet.plus
    return tuple(tuple(tuple(-m for m in line) for line in plane) for plane in sheet.plus)


def _half(value: Rows, dot: Rows) -> _Half:
    both = (value, dot)
    many = max(len(r) for r in both)
    deep = max(len(plane) for r in both for plane in r)
    widths = [-(-max(len(line) for p in r for line in p) // WIDE) * WIDE for r in both]

    def line(rows: Rows, i: int, j: int) -> tuple[float, ...]:
        return rows[i][j] if i < len(rows) and j < len(rows[i]) else ()

    def reach(i: int, j: int) -> list[bool]:
        """Which vectors of (i, j) are not zero."""
        out: list[bool] = []
        for rows, width in zip(both, widths, strict=True):
            here = len(line(rows, i, j))
            out += [at < here for at in range(0, width, WIDE)]
        return out

    numbers: list[float] = []
    for i in range(many):
        for j in range(deep):
            for rows, width in zip(both, widths, strict=True):
                found = line(rows, i, j)
                numbers += [*found, *[0.0] * (width - len(found))]
    filled = [[reach(i, j) for j in range(deep)] for i in range(many)]
    vectors = sum(widths) // WIDE
    depth = [
        max((i + 1 for i in range(many) if filled[i][j][v]), default=0)
        for j in range(deep)
        for v in range(vectors)
    ]
    turned = [
        max((j + 1 for j in range(deep) if filled[i][j][v]), default=0)
        for i in range(many)
        for v in range(vectors)
    ]
    lengths = [max(len(line(r, i, j)) for i in range(many)) for j in range(deep) for r in both]
    turned_lengths = [
        max(len(line(r, i, j)) for j in range(deep)) for i in range(many) for r in both
    ]
    return _Half(
        numbers, depth, turned, lengths, turned_lengths, (many, deep, widths[0], widths[1])
    )


def bands_text(t: BandedDual, stem: str) -> str:
    """C99 that defines `<stem>_pairs` and `<stem>_diag`; it needs `ntksym.h`."""
    if t.folded:
        band = {q: band_of(t, q) for q in ("q", "v")}
        return folded_text(t, stem, "" if t.shell else _diagonal(t, stem), band)
    count, sides = len(t.bands), (True, False) if t.sided else (True,)
    halves: dict[tuple[int, int, bool], _Half] = {}
    text = f"enum {{ {stem}_many = (int)(sizeof(ntksym_lanes) / sizeof(double)) }};\n"
    for p in t.pairs:
        for plus in sides:
            half = _half(_rows(p.value, plus), _rows(p.dot, plus))
            halves[p.first, p.second, plus] = half
            text += _data(_name(stem, p.first, p.second, plus), half, p.first < p.second)
    text += _entries(t, stem, halves, sides)
    row = max(max(h.shape[0], h.shape[1]) * sum(h.shape[2:]) for h in halves.values())
    text += axes(t, stem)
    grouped = count * len(sides) > 1
    body = LOOPS + PAIRS.replace("@ORDER@", GROUPED if grouped else PLAIN)
    group = f"({band_of(t, 'v')}) * {len(sides)}" if count > 1 else ""
    below = "(q12[at + l] < 0.0)" if t.sided else ""
    named = "        const double v = q22[at + l];\n" if count > 1 else ""
    body = filled(
        body,
        {
            "@SIGNS@": _signs(t),
            "@BAND q@": band_of(t, "q"),
            "@NAMES@": named,
            "@GROUP@": " + ".join(part for part in (group, below) if part),
            "@STEM@": stem,
            "@SIDES@": str(len(sides)),
            "@GROUPS@": str(count * len(sides)),
            "@BANDS@": str(count),
            "@CHUNK@": str(CHUNK),
            "@WIDE@": str(WIDE),
            "@ROW@": str(row),
            "@LOW@": c_literal(t.low * (1.0 - SLACK)),
            "@HIGH@": c_literal(t.high * (1.0 + SLACK)),
            "@SLACK@": c_literal(1.0 + SLACK),
            "@SCALE@": "p[l] * " if t.weighted else "",
        },
    )
    return text + body + _diagonal(t, stem)


def _name(stem: str, a: int, b: int, plus: bool) -> str:
    return f"{stem}_{a}_{b}{'p' if plus else 'm'}"


def _data(name: str, half: _Half, both: bool) -> str:
    text = array(name, [v or 0.0 for v in half.numbers], per_line=4)
    other = (("turned", half.turned), ("across", half.turned_lengths))
    for label, values in (("depth", half.depth), ("length", half.lengths), *other[: 2 * both]):
        text += array(f"{name}_{label}", values, "unsigned char", 24)
    return text


def _entries(
    t: BandedDual, stem: str, halves: dict[tuple[int, int, bool], _Half], sides: tuple[bool, ...]
) -> str:
    """The tables in the order band of q11, band of q22, sign; a pair is there both ways."""
    text = ENTRY.replace("@STEM@", stem)
    text += f"static const {stem}_entry {stem}_tables[{len(t.bands) ** 2 * len(sides)}] = {{\n"
    rows = []
    for a in range(len(t.bands)):
        for b in range(len(t.bands)):
            for plus in sides:
                low, high = min(a, b), max(a, b)
                half, name = halves[low, high, plus], _name(stem, low, high, plus)
                many, deep, value, dot = half.shape
                width, turned = value + dot, a > b
                labels = ("turned", "across") if turned else ("depth", "length")
                numbers = (many, width, deep * width) if turned else (deep, deep * width, width)
                powers, inner, outer = numbers
                kappa = c_literal(t.pair(low, high).kappa)
                rows.append(
                    f"  {{{name}, {name}_{labels[0]}, {name}_{labels[1]}, "
                    f"{powers}, {width // WIDE}, {outer}, {inner}, {value}, {kappa}}}"
                )
    # outer: the stride of what stays; inner: of what is summed
    return text + ",\n".join(rows) + "\n};\n\n"


def band_of(t: BandedDual, v: str) -> str:
    """The number of the band of a variance, in C."""
    if len(t.bands) == 1:
        return "0"
    return " + ".join(f"({v} > {c_literal(b.high)})" for b in t.bands[:-1])


def _signs(t: BandedDual) -> str:
    """Statements for functions of one side: the signs for rho < 0."""
    text = ""
    if not t.sided:
        pair: Pair = t.pairs[0]
        for target, sheet in (("k", pair.value), ("d", pair.dot)):
            if sheet.parity < 0:
                text += "      for (size_t l = 0; l < b; ++l)\n"
                text += f"        {target}[l] = q12[at + l] < 0.0 ? -{target}[l] : {target}[l];\n"
    return text


def _diagonal(t: BandedDual, stem: str) -> str:
    """`<stem>_diag`: for every band a polynomial in its tau."""
    diags = [t.pair(a, a) for a in range(len(t.bands))]
    text, sizes = "", []
    for label, sheets in (("k", [p.value for p in diags]), ("d", [p.dot for p in diags])):
        size = max(len(s.diag) for s in sheets)
        sizes.append(size)
        lines = []
        for sheet in sheets:  # zeros in front: Horner's rule starts at the highest power
            line = [*sheet.diag, *[0.0] * (size - len(sheet.diag))]
            lines.append("  {" + ", ".join(c_literal(v) for v in reversed(line)) + "}")
        text += f"static const double {stem}_diag_{label}[{len(diags)}][{size}] = {{\n"
        text += ",\n".join(lines) + "\n};\n"
    body = DIAGONAL.replace("@KSIZE@", str(sizes[0])).replace("@DSIZE@", str(sizes[1]))
    body = body.replace("@OWN@", "v * " if t.weighted else "").replace("@STEM@", stem)
    body = body.replace("@BAND@", band_of(t, "v"))
    body = body.replace("@LOW@", c_literal(t.low * (1.0 - SLACK)))
    return text + body.replace("@HIGH@", c_literal(t.high * (1.0 + SLACK)))
