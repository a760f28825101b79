"""Calls of one long function that generated modules of arrays make together."""

from __future__ import annotations

import re

from ntksym.backends.array.jax import JAX
from ntksym.backends.array.module import function
from ntksym.backends.array.together import LONG, together
from ntksym.dual import dual
from ntksym.lower import lower_dual


def test_calls_that_do_not_need_each_other_are_joined() -> None:
    lines = (
        ("a", "_Phi(x)"),
        ("b", "(a + 1.0)"),
        ("c", "_expPhi(b, (x * y))"),
        ("d", "_Phi(y)"),
        ("e", "_expPhi(y, _max(x, y))"),
        ("f", "_Phi((c * e))"),
        ("g", "_Phi(x) * _Phi(y)"),
    )
    assert together(lines) == (
        ("g", "_Phi(x) * _Phi(y)"),
        ("a, d", "_together(_Phi, (x,), (y,))"),
        ("b", "(a + 1.0)"),
        ("c, e", "_together(_expPhi, (b, (x * y),), (y, _max(x, y),))"),
        ("f", "_Phi((c * e))"),
    )


def test_a_module_calls_each_long_function_once() -> None:
    """SELU has three orthants and four tails: in JAX each is one call, and all lines are there."""
    program = lower_dual(dual("selu"))
    text = function(program, "value", JAX)
    calls = re.findall(rf"\b({'|'.join(LONG)})\b", text)
    assert sorted(calls) == ["_expPhi2", "_mills"]
    assert text.count("_together(") == 2
