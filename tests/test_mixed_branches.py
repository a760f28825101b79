"""Guards of JAX and PyTorch modules hold where a compiler mixes their branches.

A fusing compiler may compute a comparison twice, with other roundings, and take the argument of one
branch and the result of the other (XLA of jaxlib 0.4.30 within neural-tangents under jit: the root
of a determinant of -1e-17 was 1, and diagonal entries of GELU 4 % off).
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from ntksym.backends.array.helpers import array_helpers
from ntksym.backends.numpy import units

CASES = {
    "_sqrt0": ((-1e-17,), 0.0, 1e-8),
    "_pow0": ((-1e-17, 0.5), 0.0, 1e-8),
    "_expPhi": ((0.5, -1.0), 0.26157829186512334, 1e-15),
    "_arc1": ((1.0, -1.0), 0.21460183660255172, 1e-15),
}
"""Arguments at a border, the value there, and how far what is mixed may be off."""


@pytest.mark.parametrize("name", CASES)
def test_any_outcome_of_each_comparison_gives_the_value_at_the_border(name: str) -> None:
    arguments, expected, bound = CASES[name]
    made: dict[str, Any] = {}
    exec(units._PREAMBLE + array_helpers(frozenset({name})), made)
    given = (np.float64(arguments[0]), *arguments[1:])
    asked = 0

    def counted(choice: Any, a: Any, b: Any) -> Any:
        nonlocal asked
        asked += 1
        return np.where(choice, a, b)

    made["_where"] = counted
    with np.errstate(invalid="ignore"):
        made[name](*given)
        for outcomes in product((True, False), repeat=asked):
            left = iter(outcomes)
            made["_where"] = lambda _, a, b, left=left: a if next(left) else b
            value = np.ravel(made[name](*given))[0]
            # the root of a number below 0 is no number, which nobody takes for one
            assert not abs(value - expected) > bound, (outcomes, value)
