"""C for a folded table of a range: even and odd parts in rho that serve both duals and both signs.

A run of equal q11 is one row.  Its entries are put in order by the band of q22 alone; for each
band the powers of the row's tau are contracted once.  What is left for an entry is written out
without loops: for every power of x a short polynomial in the other tau, and Horner's rule in x for
the value and the derivative at once.  A part that is one number (half of SiLU is linear) costs one
product.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..numeric.table.banded import BandedDual, Pair
from ..numeric.table.dual import SLACK, part_of
from ..numeric.table.pack import Rows
from .c_bands_text import ARGUMENTS, LANES_TEXT
from .c_folded_text import GROUP, GROUPED, PAIRS, PLAIN, ROW, SUM
from .c_header import c_literal

CHUNK = 256
"""Entries that are put in order at a time."""
OWN = 3
"""Up to so many bands every pair has polynomials written out for it; more share theirs."""
WIDE = 8
"""A row is padded to a multiple of this: a vector of any machine."""
Place = tuple[int, int, int]


def folded_text(t: BandedDual, stem: str, diagonal: str, band: dict[str, str]) -> str:
    """C99 that defines `<stem>_pairs` and `<stem>_diag`; it needs `ntksym.h`.

    `diagonal` is the text of the second; `band` says how the band of q and of v is found.
    """
    count, whole = len(t.bands), Form.of(t, t.pairs)
    forms = {(p.first, p.second): Form.of(t, (p,)) if count <= OWN else whole for p in t.pairs}
    text = LANES_TEXT + f"enum {{ {stem}_many = (int)(sizeof(ntksym_lanes) / sizeof(double)) }};\n"
    sums: dict[Form, str] = {}
    lines = []
    for a in range(count):
        for b in range(count):
            low, high = min(a, b), max(a, b)
            pair, form = t.pair(low, high), forms[low, high]
            name = f"{stem}_{a}_{b}"
            if form not in sums:
                sums[form] = f"{stem}_sum{len(sums)}"
                text += _filled(SUM.replace("@SUM@", sums[form]), form.texts())
            text += _data(name, *form.matrix(pair, a > b))
            more = ", ".join(c_literal(v) for v in form.numbers(pair))
            places = f"{name}, {name}_depth, {sums[form]}, {form.wide}"
            lines.append(f"  {{{places}, {c_literal(pair.kappa)}, {{{more}}}}}")
    text += ROW.replace("@TABLES@", ",\n".join(lines)).replace("@COUNT@", str(count * count))
    text += f"static const double {stem}_axis[{count}][2] = {{ /* centre, half */\n"
    text += ",\n".join(f"  {{{c_literal(b.centre)}, {c_literal(b.half)}}}" for b in t.bands)
    text += "\n};\n\n"
    order = GROUPED if count > 1 else PLAIN
    text += GROUP + PAIRS.replace("@ORDER@", order).replace("@ARGUMENTS@", ARGUMENTS)
    marks = {
        **whole.texts(),
        "@BAND q@": band["q"],
        "@BAND v@": band["v"],
        "@STEM@": stem,
        "@BANDS@": str(count),
        "@CHUNK@": str(CHUNK),
        "@WIDE@": str(WIDE),
        "@ROW@": str(max(form.wide for form in forms.values())),
        "@LOW@": c_literal(t.low * (1.0 - SLACK)),
        "@HIGH@": c_literal(t.high * (1.0 + SLACK)),
        "@SLACK@": c_literal(1.0 + SLACK),
    }
    return _filled(text, marks) + diagonal


def _filled(text: str, marks: dict[str, str]) -> str:
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


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
        places: `(part, j, k)` of every coefficient, as the code meets them.
    """

    lengths: tuple[tuple[int, ...], tuple[int, ...]]
    alone: tuple[bool, bool]
    there: tuple[bool, bool]
    places: tuple[Place, ...]

    @classmethod
    def of(cls, t: BandedDual, pairs: tuple[Pair, ...]) -> Form:
        """That of some pairs of a table; which parts there are is that of the table."""
        lengths, alone, there = [], [], []
        for odd in (0, 1):
            every = [part_of(p.value, odd) for p in t.pairs]
            there.append(any(every))
            alone.append(all(sum(len(line) for p in r for line in p) <= 1 for r in every))
            parts = [part_of(p.value, odd) for p in pairs]
            parts += [_turned(rows) for rows in parts]
            many = max((len(rows[0][0]) for rows in parts if rows), default=0)
            lengths.append(tuple(max(_powers(r, k) for r in parts) for k in range(many)))
        places: list[Place] = []
        sizes = [() if lone else found for found, lone in zip(lengths, alone, strict=True)]
        for block in _blocks(sizes):
            for j in reversed(range(max(sizes[part][k] for part, k in block))):
                places += [(part, j, k) for part, k in block if j < sizes[part][k]]
        both = (lengths[0], lengths[1]), (alone[0], alone[1]), (there[0], there[1])
        return cls(*both, tuple(places))

    @property
    def large(self) -> list[tuple[int, ...]]:
        """The lengths of the parts that are polynomials."""
        return [() if lone else found for found, lone in zip(self.lengths, self.alone, strict=True)]

    @property
    def wide(self) -> int:
        """How many coefficients a row has, padded."""
        return -(-len(self.places) // WIDE) * WIDE

    def numbers(self, pair: Pair) -> list[float]:
        """The parts that are one number; 0 for the others."""
        parts = (part_of(pair.value, odd) for odd in (0, 1))
        return [
            rows[0][0][0] if lone and rows else 0.0
            for rows, lone in zip(parts, self.alone, strict=True)
        ]

    def matrix(self, pair: Pair, turned: bool) -> tuple[list[float], list[int]]:
        """`(numbers, depth)`: by powers of the row's tau, and how many every few columns have."""
        parts = [part_of(pair.value, odd) for odd in (0, 1)]
        if turned:
            parts = [_turned(rows) for rows in parts]
        columns: list[list[float]] = []
        for part, j, k in self.places:
            planes = [p[j] for p in parts[part] if j < len(p)]
            columns.append([line[k] for line in planes if k < len(line)])
        columns += [[]] * (self.wide - len(columns))
        tall = max((len(c) for c in columns), default=0)
        numbers = [c[i] if i < len(c) else 0.0 for i in range(tall) for c in columns]
        depth = [
            max(len(c) for c in columns[at : at + WIDE]) for at in range(0, len(columns), WIDE)
        ]
        return numbers, depth

    def texts(self) -> dict[str, str]:
        """The polynomials of an entry, and the two duals from them."""
        sizes = self.large
        where = {place: n for n, place in enumerate(self.places)}
        lines: list[str] = []
        begun = [0, 0]
        for block in _blocks(sizes):
            for j in reversed(range(max(sizes[part][k] for part, k in block))):
                for n, (part, k) in enumerate(block):
                    if j < sizes[part][k]:
                        first = j == sizes[part][k] - 1
                        old = "zero" if first else f"c{n}[u] * y[u]"
                        lines.append(f"c{n}[u] = {old} + row[{where[part, j, k]}];")
            for n, (part, _) in enumerate(block):
                p, d = f"p{part}[u]", f"d{part}[u]"
                if begun[part] > 1:
                    lines.append(f"{d} = {d} * z[u] + {p};")
                elif begun[part]:
                    lines.append(f"{d} = {p};")
                lines.append(f"{p} = {p} * z[u] + c{n}[u];" if begun[part] else f"{p} = c{n}[u];")
                begun[part] += 1
        body = "".join(f"  for (int u = 0; u < 4; ++u) {line}\n" for line in lines)
        names, given, stores = [], [], []
        for part in (0, 1):
            if sizes[part]:
                names += [f"p{part}[4]", f"d{part}[4]"]
                given += [f"p{part} + l", f"d{part} + l"]
                stores += [f"p{part}", f"d{part}"]
        zero = [f"d{part}[u] = zero;" for part in (0, 1) if begun[part] == 1]
        body += "".join(f"  for (int u = 0; u < 4; ++u) {line}\n" for line in zero)
        even = "p0[l]" if sizes[0] else "e->more[0]"
        odd = "p1[l]" if sizes[1] else "e->more[1]"
        value = (f"{even}" if self.there[0] else "") + (" + " if all(self.there) else "")
        value += f"{odd} * rho[l]" if self.there[1] else ""
        bend = "d0[l]" if sizes[0] else ""
        bend += (" + " if bend and sizes[1] else "") + ("rho[l] * d1[l]" if sizes[1] else "")
        dot = odd if self.there[1] else ""
        if bend:
            dot += (" + " if dot else "") + f"steep[l] * rho[l] * ({bend})"
        arrays = ", ".join(f"{n}[@CHUNK@ + 64]" for n in stores)
        return {
            "@NAMES@": "".join(f", {n}" for n in names),
            "@OUTPUTS@": "".join(f", double *out_{n}" for n in stores),
            "@GIVEN@": "".join(f", {n}" for n in given),
            "@ARRAYS@": f", {arrays}" if arrays else "",
            "@STORES@": "".join(
                f"    memcpy(out_{n} + u * @STEM@_many, &{n}[u], sizeof zero);\n" for n in stores
            ),
            "@POLYNOMIALS@": body,
            "@VALUE@": value or "0.0",
            "@DOT@": dot or "0.0",
        }


def _blocks(sizes: list[tuple[int, ...]]) -> list[list[tuple[int, int]]]:
    """Pairs of powers of x that run side by side, the highest first: `(part, k)`."""
    if all(sizes):
        many = max(len(s) for s in sizes)
        found = [[(part, k) for part in (0, 1) if k < len(sizes[part])] for k in range(many)]
        return found[::-1]
    part = int(bool(sizes[1]))
    order = [(part, k) for k in reversed(range(len(sizes[part])))]
    return [order[at : at + 2] for at in range(0, len(order), 2)]


def _powers(rows: Rows, k: int) -> int:
    """How many powers of the other tau the coefficient of x^k has."""
    deep = len(rows[0]) if rows else 0
    return sum(any(len(p[j]) > k for p in rows if j < len(p)) for j in range(deep))


def _data(name: str, numbers: list[float], depth: list[int]) -> str:
    numbers, depth = numbers or [0.0], depth or [0]  # every part one number
    lines = ",\n".join(
        "  " + ", ".join("0.0" if v == 0.0 else c_literal(v) for v in numbers[at : at + 4])
        for at in range(0, len(numbers), 4)
    )
    text = f"static const double {name}[{len(numbers)}] = {{\n{lines}\n}};\n"
    text += f"static const unsigned char {name}_depth[{len(depth)}] = {{\n"
    text += ",\n".join(
        "  " + ", ".join(str(v) for v in depth[at : at + 24]) for at in range(0, len(depth), 24)
    )
    return text + "\n};\n"
