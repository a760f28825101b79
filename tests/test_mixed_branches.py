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
    "_expPhi": ((0.5, 0.0), 0.8243606353500641, 1e-15),
    "_arc1": ((1.0, -1.0), 0.21460183660255172, 1e-15),
}
"""Arguments at a border, the value there, and how far what is mixed may be off."""
NEAR = 1e-16
"""How far roundings move an argument: a comparison has another outcome there if it is at its border."""


def value(made: dict[str, Any], name: str, arguments: tuple[float, ...], chosen: Any) -> float:
    """The helper's value where `chosen` takes the place of its choices."""
    made["_where"] = chosen
    first = np.float64(arguments[0])
    return float(np.ravel(made[name](first, *arguments[1:]))[0])


@pytest.mark.parametrize("name", CASES)
def test_any_outcome_of_comparisons_at_their_border_gives_the_value_there(name: str) -> None:
    arguments, expected, bound = CASES[name]
    made: dict[str, Any] = {}
    exec(units._PREAMBLE + array_helpers(frozenset({name})), made)
    outcomes: set[tuple[bool, ...]] = set()
    with np.errstate(invalid="ignore"):
        for moves in product((-NEAR, 0.0, NEAR), repeat=len(arguments)):
            asked: list[bool] = []

            def noted(choice: Any, a: Any, b: Any, asked: list[bool] = asked) -> Any:
                asked.append(bool(np.all(choice)))
                return np.where(choice, a, b)

            both = zip(arguments, moves, strict=True)
            moved = tuple(x + move * max(1.0, 2 * abs(x)) for x, move in both)
            value(made, name, moved, noted)
            outcomes.add(tuple(asked))
        each = [sorted(set(place)) for place in zip(*outcomes, strict=True)]
        assert max(map(len, each)) == 2  # the arguments are at a border
        for mixed in product(*each):
            left = iter(mixed)
            got = value(made, name, arguments, lambda _, a, b, left=left: a if next(left) else b)
            # the root of a number below 0 is no number, which nobody takes for one
            assert not abs(got - expected) > bound, (mixed, got)
