"""The garbage collector runs seldom while a kernel is made, and as before afterwards."""

from __future__ import annotations

import gc

import pytest

import ntksym
from ntksym.runtime import fresh
from ntksym.runtime.collector import SELDOM, collecting_seldom


@pytest.fixture(autouse=True)
def thresholds():
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


def test_what_was_set_is_set_again_after_an_error_too():
    with pytest.raises(KeyError), collecting_seldom():
        assert gc.get_threshold()[0] == SELDOM
        with collecting_seldom():  # a second thread leaves it to the first
            pass
        assert gc.get_threshold()[0] == SELDOM
        raise KeyError
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("own", [0, 10 * SELDOM])
def test_a_program_that_collects_less_or_never_is_left_alone(own):
    gc.set_threshold(own, 10, 10)
    with collecting_seldom():
        assert gc.get_threshold()[0] == own
    assert gc.get_threshold()[0] == own


def test_a_compile_collects_seldom(monkeypatch):
    seen = []
    monkeypatch.setattr(fresh, "_compile", lambda *given: seen.append(gc.get_threshold()[0]))
    monkeypatch.setattr(fresh, "_prepared", lambda *given: None)
    ntksym.compile("max(x, 0)", target="numpy", cache=False)
    assert seen == [SELDOM] and gc.get_threshold() == (700, 10, 10)
