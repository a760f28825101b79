"""Every identity in derivations/ is executed: both sides of every check overlap, and narrowly."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

BOOK = Path(__file__).resolve().parent.parent / "derivations"
FILES = sorted(BOOK.rglob("*.py"))


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"derivation_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_is_a_book() -> None:
    assert {p.stem for p in FILES} >= {"price", "stein", "tilt", "orthant"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_identity(path: Path) -> None:
    module = load(path)
    assert (module.__doc__ or "").strip().startswith("#"), "prose first, with a title"
    assert "## Proof" in (module.__doc__ or "")
    seen = 0
    for name, left, right in module.checks():
        assert left.overlaps(right), f"{name}: {left} and {right}"
        for ball in (left, right):
            assert ball.rel_digits >= 25 or ball.rad * 10**40 <= 1, f"{name}: too wide: {ball}"
        seen += 1
    assert seen >= 3
