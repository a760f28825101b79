"""A network whose duals are units: what its generated code is made from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Protocol

from ..lower.program import Program
from ._base import comment
from .near import NOTE
from .unit import DualUnit


@dataclass(frozen=True, slots=True)
class UnitStep:
    r"""One layer: $\Sigma' = s_0 + s_1K$ and $\Theta' = t_0 + t_1K + t_2\dot K\,\Theta$.

    Attributes:
        kind: the index of the unit.
        vanishes: whether s(0) = 0 and the unit does not take a variance of zero: then K = 0 there,
            and what $\dot K$ multiplies is zero too where Theta is.
        pair: (s0, s1, t0, t1, t2).
        diag: the same for an input with itself.
        carried: what is done for nearly parallel pairs, as in `Schedule.carries`.
        straight: whether the activation is positively homogeneous: of degree one, or of any where
            nothing is added.
        far: as `lower.near.Near.far`.
    """

    kind: int
    vanishes: bool
    pair: tuple[float, float, float, float, float]
    diag: tuple[float, float, float, float, float]
    carried: int = 0
    straight: bool = False
    far: float = inf


@dataclass(frozen=True, slots=True)
class UnitSchedule:
    """A network of units: the affine first layer, the distinct duals, the layers.

    `numbered`: whether C has the numbers of the layers; else it is given them when it runs.
    """

    name: str
    input: Program
    input_values: tuple[float, ...]
    kinds: tuple[DualUnit, ...]
    steps: tuple[UnitStep, ...]
    numbered: bool = True

    @property
    def numbers(self) -> tuple[float, ...]:
        """All numbers in the order in which C without them takes them: of the first layer, of the
        pairs of each layer, of the diagonals of each.
        """
        rows = (*(s.pair for s in self.steps), *(s.diag for s in self.steps))
        return (*self.input_values, *(v for row in rows for v in row))

    @property
    def unnumbered(self) -> UnitSchedule:
        """The same for C that is given its numbers: equal for networks that share it."""
        none = (0.0, 0.0, 0.0, 0.0, 0.0)
        steps = tuple(replace(s, pair=none, diag=none) for s in self.steps)
        first = (0.0,) * len(self.input_values)
        return replace(self, input_values=first, steps=steps, numbered=False)

    @property
    def programs(self) -> tuple[Program, ...]:
        """Every program, input first."""
        return (self.input, *(p for k in self.kinds for p in k.programs))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the units say, under their names in the file."""
        said = tuple(line for k, u in enumerate(self.kinds) for line in labelled(f"dual{k}", u))
        return (*said, *NOTE) if self.carries else said

    @property
    def carries(self) -> bool:
        """Whether the roots of nearly parallel pairs are mended after some layer."""
        return any(step.carried for step in self.steps)


class Noted(Protocol):
    """What has something to say in the head of a file."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Its lines."""


def labelled(name: str, unit: Noted) -> tuple[str, ...]:
    """The notes of a unit for the head of a file: printable ASCII, indented under its name."""
    said = []
    for i, line in enumerate(unit.notes):
        indent = " " * (len(line) - len(line.lstrip()))
        said.append(f"{name if i == 0 else '':<10} {indent}{comment(line)}")
    return tuple(said)
