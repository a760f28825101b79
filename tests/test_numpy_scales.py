"""NumPy modules of activations with scales: numbers, single pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ntksym.runtime import compile as compile_


@pytest.mark.parametrize("text", ["selu", "hardtanh"])
def test_numbers_are_taken_as_arrays_are_in_numpy(text: str) -> None:
    module: dict[str, Any] = {}
    exec(compile_(text, target="numpy").sources[0].text, module)
    for given in ((1.0, -1.0, 1.0), (4.0, -0.2, 0.01)):
        alone, many = module["dual"](*given), module["dual"](*(np.array([q]) for q in given))
        assert [float(v) for v in alone] == [float(v[0]) for v in many]


def test_one_pair_is_integrated_in_few_calls_in_numpy() -> None:
    """Nodes are taken together where points are few; many points give the same bits."""
    made = compile_("selu", target="numpy")
    q11, q12, q22 = 4.0, -0.2, 0.01
    module: dict[str, Any] = {}
    exec(made.sources[0].text, module)
    (inner,) = (name for name in module if name.endswith("_inner"))
    calls, work = [], module[inner]

    def counted(*at: Any) -> Any:
        calls.append(at[0].size)
        return work(*at)

    module[inner] = counted
    alone = module["dual"](*(np.array([q]) for q in (q11, q12, q22)))
    assert len(calls) == 2  # at the start of the way, and at all nodes of it
    many = module["dual"](*(np.full(20000, q) for q in (q11, q12, q22)))
    assert max(calls) == 20000
    assert [float(v[0]) for v in alone] == [float(v[-1]) for v in many]
