"""Networks of mixtures that take tables for large calls."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ntksym
from ntksym.runtime.units import tabled

RNG = np.random.default_rng(4)
ROWS = RNG.normal(size=(14, 5))
ROWS[3], ROWS[4], ROWS[5] = ROWS[2], -ROWS[2], ROWS[2] + 1e-9
ROWS *= np.sqrt(5) / np.linalg.norm(ROWS, axis=1, keepdims=True)


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path))
    net = ntksym.mlp("tanh(x)", depth=2, weight_var=1, bias_var="1/10")
    return ntksym.compile(net, threads=1)


def test_a_large_call_takes_tables_that_agree(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    small = kernel(ROWS)
    assert kernel.taken == "mixtures: the matrix is small"
    monkeypatch.setattr(tabled, "BUILD", 0.0)
    for twin in (kernel, pickle.loads(pickle.dumps(kernel)), copy.copy(kernel)):
        large = twin(ROWS)
        assert twin.taken == "tables for the variances of the data"
        own = kernel.diag(ROWS)
        for name in ("nngp", "ntk"):
            a, b, d = (getattr(k, name) for k in (small, large, own))
            size = np.sqrt(np.outer(d, d))
            assert 0.0 < np.max(abs(a - b) / size) < 4e-14
            assert (b == b.T).all() and (np.diag(b) == d).all() and b[2, 3] == b[2, 2] != b[2, 5]
    out = np.empty((14, 14))
    assert kernel(ROWS, ROWS, only="ntk", out=out) is out
    assert np.max(abs(out - large.ntk)) < 4e-14 * large.ntk.max() and out[2, 3] == out[2, 2]
    again = ntksym.compile(kernel._net, threads=1)  # from its recipe
    assert type(again) is tabled.TabledKernel and again.seconds == kernel.seconds
    assert (again(ROWS).ntk == large.ntk).all()


def test_mixtures_stay_where_no_table_is_proven_in_time(
    kernel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ntksym.runtime.units import layers as unit_layers

    monkeypatch.setattr(tabled, "BUILD", 0.0)
    monkeypatch.setattr(unit_layers, "LONGEST_TABLE", 0.0)
    found = kernel(ROWS * np.linspace(1, 2, 14)[:, None])
    assert kernel.taken == "mixtures: no table is proven to 3e-14 within 15 s"
    monkeypatch.setattr(tabled, "BUILD", 4.0)
    assert (kernel(ROWS * np.linspace(1, 2, 14)[:, None]).ntk == found.ntk).all()


def test_the_estimate_is_of_the_network_and_the_sizes() -> None:
    from ntksym.runtime.units.layers import plan

    plain, dear, closed = (
        tabled.network_seconds(plan(ntksym.mlp(s, depth=d)).schedule)
        for s, d in (("tanh(x)", 1), ("softplus(x)", 3), ("relu", 1))
    )
    assert closed == 0.0 and 3e-7 < plain < 3e-6 and 1e-5 < dear < 1e-4
    assert tabled.pays(plain, 1e8) and not tabled.pays(plain, 1e5) and tabled.pays(dear, 1e6)
