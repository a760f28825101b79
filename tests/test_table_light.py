"""Floats in the C of folded tables: what they add stays within the proven part of the bound."""

from __future__ import annotations

import ctypes
import struct
import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unit_cases import compiled

from ntksym.backends.c.table.folded import Form, shared_forms
from ntksym.backends.c.table.point import TableUnit
from ntksym.numeric.choice import price
from ntksym.numeric.table import BandedDual, table_dual
from ntksym.numeric.table.dual import part_of
from ntksym.numeric.table.light import Light, light
from ntksym.numeric.table.shared import SINE, SQUARE

TABLES = (
    ("mish", 1.0, 1.6, 1e-7),  # both parts
    ("sin(x)", 0.25, 4.0, 1e-8),  # two bands, one part
    ("max(x, 0) + exp(min(x, 0)) - 1", 0.5, 1.0, 1e-5),  # in the sine
)


@lru_cache(maxsize=4)
def made(number: int) -> BandedDual:
    name, low, high, error = TABLES[number]
    table = table_dual(name, (low, high), error=error)
    assert isinstance(table, BandedDual) and table.folded
    return table


def entries(table: BandedDual, count: int = 1500) -> tuple[Any, ...]:
    rng = np.random.default_rng(3)
    span = np.log([table.low, table.high])
    q11 = np.repeat(np.exp(rng.uniform(*span, count // 50)), 50).clip(table.low, table.high)
    q22 = np.exp(rng.uniform(*span, count)).clip(table.low, table.high)
    theta = rng.uniform(0, np.pi, count)
    theta[::10] = rng.choice([0.0, np.pi, 1e-9, 1e-3], count // 10)
    product = np.sqrt(q11 * q22)
    return q11, product * np.cos(theta), q22, product * np.sin(theta)


def built(table: BandedDual, folder: Path, flags: tuple[str, ...]) -> Any:
    """`<stem>_pairs` of the table as C; "scalar" is a compiler without vector types."""
    text = TableUnit(table).c_functions("unit")
    text += (
        "void run(size_t n, const double *a, const double *b, const double *c, const double *r,\n"
        "    double *k, double *d) { unit_pairs(n, a, b, c, r, k, d); }\n"
        "void diag(size_t n, const double *q, double *k, double *d) { unit_diag(n, q, k, d); }\n"
    )
    if "scalar" in flags:
        text = text.replace("__GNUC__", "NO_VECTORS")
    return compiled(text, folder, *(flag for flag in flags if flag.startswith("-"))).run


def ran(function: Any, inputs: tuple[Any, ...]) -> tuple[Any, Any]:
    arrays = [np.ascontiguousarray(a) for a in inputs]
    out = [np.full(arrays[0].shape, 7.0) for _ in range(2)]
    function(
        ctypes.c_size_t(arrays[0].size),
        *[a.ctypes.data_as(ctypes.c_void_p) for a in (*arrays, *out)],
    )
    return out[0], out[1]


def doubled(table: BandedDual) -> BandedDual:
    return replace(table, pairs=tuple(replace(p, heavy=((), ())) for p in table.pairs))


@pytest.mark.parametrize("flags", [("-O0",), ("-O2", "-march=native"), ("-O1", "scalar")])
@pytest.mark.parametrize("number", range(len(TABLES)))
def test_floats_stay_within_their_bound(
    number: int, flags: tuple[str, ...], tmp_path: Path
) -> None:
    table, inputs = made(number), entries(made(number))
    given = ran(built(table, tmp_path / "light", flags), inputs)
    plain = ran(built(doubled(table), tmp_path / "plain", flags), inputs)
    exact = np.array([table.at(*map(float, p)) for p in zip(*inputs, strict=True)]).T
    sizes = [np.sqrt([table.at(v, v, v, 0.0) for v in q]).T for q in (inputs[0], inputs[2])]
    for which in (0, 1):
        lost = max(dict((p.value, p.dot)[which].parts)["floats"] for p in table.pairs)
        assert abs(plain[which] - exact[which]).max() < 1e-14
        gap = abs(given[which] - plain[which]) / (sizes[0][which] * sizes[1][which])
        assert 1e-12 < gap.max() <= lost  # floats there are, and they cost what is said
    assert np.isfinite(given).all()


@pytest.mark.parametrize("number", range(len(TABLES)))
def test_floats_are_part_of_the_bound(number: int) -> None:
    table, error = made(number), TABLES[number][3]
    for p in table.pairs:
        for sheet in (p.value, p.dot):
            parts = dict(sheet.parts)
            assert 0 < parts["floats"] and sum(parts.values()) <= sheet.error * (1 + 1e-9)
            assert sheet.error <= error
        form = Form.of(table, (p,))
        assert form.floats > 0.2 * len(form.places)
    assert BandedDual.from_json(table.to_json()) == table


@pytest.mark.parametrize("most", [1, 2])
def test_pairs_share_polynomials_with_the_least_work(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forms hold all coefficients of their pairs, deepest first; no other cut is less work."""
    table = made(1)
    monkeypatch.setattr("ntksym.backends.c.table.folded.FORMS", most)
    forms, own = shared_forms(table), [Form.of(table, (p,)) for p in table.pairs]
    assert len(table.pairs) == 3 and len(set(forms.values())) == most
    for p, alone in zip(table.pairs, own, strict=True):
        form = forms[p.first, p.second]
        assert set(alone.places) <= set(form.places) and form.work >= alone.work
        for low in (False, True):
            depth = form.matrix(p, False, low)[1]
            assert depth == sorted(depth, reverse=True)
    count = {(0, 0): 1, (0, 1): 2, (1, 1): 1}
    order = [p for _, p in sorted(zip([f.work for f in own], table.pairs, strict=True), key=_first)]
    cuts = [[order]] if most == 1 else [[order[:n], order[n:]] for n in (1, 2)]
    works = []
    for groups in cuts:
        both = [
            (Form.of(table, tuple(g)), sum(count[p.first, p.second] for p in g)) for g in groups
        ]
        works.append(sum(form.work * n for form, n in both))
    assert sum(forms[key].work * n for key, n in count.items()) == min(works)
    inputs = entries(table, 300)
    got = ran(built(table, tmp_path, ("-O1",)), inputs)
    exact = np.array([table.at(*map(float, p)) for p in zip(*inputs, strict=True)]).T
    assert abs(np.array(got) - exact).max() < 1e-8


def _first(both: tuple[float, Any]) -> float:
    return both[0]


@pytest.mark.parametrize("number", range(len(TABLES)))
def test_more_room_more_floats(number: int) -> None:
    table = made(number)
    p = table.pairs[0]
    kept = [(odd, part_of(p.value, odd)) for odd in (0, 1) if part_of(p.value, odd)]
    how = SINE if table.sine else SQUARE, p.kappa
    rooms = [factor * TABLES[number][3] for factor in (0.3, 3.0, 30.0)]
    sizes = []
    for room in rooms:
        one = light(kept, how, (room, room))
        assert isinstance(one, Light) and 0 < one.value <= room and 0 < one.dot <= room
        sizes.append(sum(map(sum, one.heavy)))
    assert sizes == sorted(sizes, reverse=True)
    assert light(kept, how, (1e-13, 1e-13)) is None  # too few to gain anything
    assert light(kept, how, (0.0, 1.0)) is None
    huge = [
        (odd, tuple(tuple(tuple(c * 1e30 for c in m) for m in q) for q in r)) for odd, r in kept
    ]
    assert light(huge, how, (1e20, 1e20)) is None  # floats end there


@pytest.mark.skipif(sys.platform != "linux", reason="reads an ELF file")
def test_what_a_thread_keeps_is_aligned_as_its_stores_assume(tmp_path: Path) -> None:
    """GCC 12 stores 32 bytes there as aligned, but asks for 16 in the file: any address is luck."""
    table = made(1)
    run = built(table, tmp_path / "kept", ("-O2", "-ftree-vectorize", "-march=native"))
    inputs = entries(table)
    for many in range(1, 80):
        given = ran(run, tuple(a[:many] for a in inputs))
        assert np.isfinite(given).all(), many
    elf = (tmp_path / "kept" / "unit.so").read_bytes()
    assert elf[:5] == b"\x7fELF\x02", "a 64-bit file"
    start, size, count = (*struct.unpack_from("<Q", elf, 32), *struct.unpack_from("<HH", elf, 54))
    heads = [struct.unpack_from("<II6Q", elf, start + k * size) for k in range(count)]
    (store,) = [h for h in heads if h[0] == 7]  # PT_TLS
    assert store[-1] >= 64


@pytest.mark.parametrize("number", [0, 1])
def test_the_price_counts_what_the_code_multiplies(number: int) -> None:
    """Coefficients once, powers of the variable for the value and the derivative."""
    table = made(number)
    form = Form.of(table, (table.pairs[0],))
    alone = replace(table, pairs=table.pairs[:1])
    said = price(alone, "unknown")
    assert said.startswith("about ") and "multiplications an entry" in said
    powers = sum(map(len, form.lengths))
    assert abs(int(said.split()[1]) - (len(form.places) + 2 * powers)) <= 6
