"""Calls on threads, in strips, and interrupted."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtime_cases import EPS, TARGETS, data, same
from sympy import Rational
from test_lower import relu_recursion

from ntksym.runtime import compile
from ntksym.runtime.gram import loop as gram_loop
from ntksym.runtime.gram import threads
from ntksym.runtime.gram.blas import single_threaded
from ntksym.runtime.gram.threads import allowed_cores, each

NET = relu_recursion(2, 2, Rational(1, 10))


@pytest.fixture(scope="module", params=TARGETS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return compile(NET, target=request.param, threads=2)


def test_threads_do_not_change_a_bit(kernel: Any) -> None:
    x = data(500)
    one, many = (compile(NET, target=kernel.target, threads=t) for t in (1, 4 * allowed_cores()))
    assert same(one(x), kernel(x)) and same(many(x), one(x))


def test_calls_from_several_threads(kernel: Any) -> None:
    x, before = data(220), threading.active_count()
    plain, found = kernel(x), []
    others = [threading.Thread(target=lambda: found.append(kernel(x))) for _ in range(4)]
    for t in others:
        t.start()
    for t in others:
        t.join()
    assert len(found) == 4 and all(same(f, plain) for f in found)
    assert threading.active_count() <= before


def test_an_error_in_a_thread_comes_out() -> None:
    done: list[int] = []

    def work(item: int, _: None) -> None:
        if item == 5:
            raise ValueError("five")
        done.append(item)

    with pytest.raises(ValueError, match="five"):
        each(work, range(1000), 3, lambda: None)
    assert 5 not in done and len(done) < 1000
    with pytest.raises(ValueError, match="five"):
        each(work, range(1000), 1, lambda: None)


def test_an_interrupt_while_threads_start_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class Thread(threading.Thread):
        starts = 0

        def start(self) -> None:
            Thread.starts += 1
            if Thread.starts == 2:
                raise KeyboardInterrupt
            super().start()

    before = threading.active_count()
    monkeypatch.setattr(threading, "Thread", Thread)
    with pytest.raises(KeyboardInterrupt):
        each(lambda item, _: time.sleep(0.01), range(10_000), 4, lambda: None)
    assert threading.active_count() == before


@pytest.mark.parametrize("target", TARGETS)
def test_long_calls_are_made_of_short_ones(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt is answered between two calls of compiled code; the numbers are the same."""
    dual, net = compile("relu", target=target), compile(NET, target=target)
    q, x = np.geomspace(0.1, 10.0, 95), data(95)
    found = [dual(q, q / 3, q), dual.diag(q), net.diag(x), net(x)]
    sizes: list[int] = []
    for engine in (dual._engine, net._engine):
        for name in {"pair", "diag"} & set(dir(engine)):
            usual = getattr(engine, name)

            def called(given: Any, other: Any, usual: Any = usual) -> Any:
                sizes.append(len(given[0]) if isinstance(given, tuple) else len(given))
                return usual(given, other)

            monkeypatch.setattr(engine, name, called)
    monkeypatch.setattr(threads, "STRIP", 10)
    again = [dual(q, q / 3, q), dual.diag(q), net.diag(x), net(x)]
    assert len(sizes) == 40 and max(sizes) == 10
    for one, other in zip(found, again, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=4 * EPS)


def test_the_threads_of_the_matrix_product_come_back() -> None:
    from ntksym.runtime.gram.blas import _switch

    switch = _switch()
    if switch is None:
        pytest.skip("the matrix product of this NumPy has no switch")
    before = switch[1]()
    with single_threaded(), single_threaded():
        assert switch[1]() == 1
    assert switch[1]() == before


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="a shell script")
def test_an_interrupt_ends_all_compilers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of other threads too, with what they started, and nothing of theirs is left."""
    script, begun, space = tmp_path / "cc", tmp_path / "begun", tmp_path / "space"
    space.mkdir()
    script.write_text(
        "#!/bin/sh\n"
        'case "$*" in *--version*|*probe.c*) exec cc "$@";; esac\n'
        f'mktemp; echo >> "{begun}"\nsleep 60\n'
    )
    script.chmod(0o755)
    for name, value in (("CC", script), ("NTKSYM_CACHE", tmp_path / "cache"), ("TMPDIR", space)):
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(tempfile, "tempdir", None)
    gram_loop.gram_library.cache_clear()

    def interrupt() -> None:
        while not begun.exists() or len(begun.read_text()) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)
        sent.append(time.monotonic())

    sent: list[float] = []
    before = threading.active_count()
    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        compile("mlp:hardtanh:depth=1,bias_var=1/7")
    assert time.monotonic() - sent[0] < 5.0 and threading.active_count() == before
    assert not list(space.iterdir())
