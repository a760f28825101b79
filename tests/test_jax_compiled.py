"""JAX modules are compiled once for each shape, also where nobody wrote `jax.jit`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ntksym
from ntksym.export.languages import array_sources
from ntksym.runtime.engines import import_file


def test_calls_are_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second call of the same shape traces nothing; what is not given stays what it was."""
    pytest.importorskip("jax", reason="jax is not installed")
    (file,) = array_sources(ntksym.mlp("relu", depth=1, weight_var=2), "jax", "made")
    path = tmp_path / file.name
    path.write_text(file.text, encoding="ascii")
    module = import_file(path, "made")
    first, seen = module._first, []
    monkeypatch.setattr(module, "_first", lambda *at: seen.append(at[2:]) or first(*at))
    for _ in range(3):
        module.nngp_ntk(np.eye(3)[:2])
    assert seen == [(None, module.INPUT_VALUES)]


@pytest.mark.parametrize("thing", ["relu", "tanh"])
def test_public_functions_are_marked(thing: str) -> None:
    jax, torch = (array_sources(thing, target)[0].text for target in ("jax", "torch"))
    assert jax.count("@_compiled\ndef ") == 2
    assert "COMPILED" not in jax + torch and "_compiled" not in torch
