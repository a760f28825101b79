"""The kernels and their derivatives by name: what a call for gradients gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...brief import Brief
from ..checks import Array

POLAR = ("q11", "angle", "q22")


@dataclass(frozen=True, slots=True, repr=False)
class KernelGradients(Brief):
    r"""Kernels and derivatives, arrays (n, m).

    Attributes:
        nngp: $\Sigma$.
        ntk: $\Theta$.
        d_nngp: derivatives of Sigma: "q11", "q12", "q22" are $|x|^2$, $x \cdot y$, $|y|^2$ (with
            the other two fixed), then "weight_var", "bias_var" (all layers at once) and the
            parameters of the activations by name; at a bias of 0 the slope towards larger ones.
        d_ntk: the same of Theta.  Of collinear rows that are not equal a bias moves the angle like
            its root: at a bias of 0 a kinked activation has an infinite slope there.
        polar_nngp: derivatives in the first layer's variances and angle: "q11", "angle", "q22".
        polar_ntk: the same of Theta; finite at equal rows (the limit of small angles).
    """

    nngp: Array
    ntk: Array
    d_nngp: dict[str, Array]
    d_ntk: dict[str, Array]
    polar_nngp: dict[str, Array]
    polar_ntk: dict[str, Array]

    def __repr__(self) -> str:
        """The shape, and in what there are derivatives."""
        names = ", ".join(self.d_nngp)
        return f"<KernelGradients {self.nngp.shape}: derivatives in {names}>"


def named_planes(table: Mapping[str, Array], wrt: tuple[str, ...]) -> KernelGradients:
    """The same from planes "nngp", "nngp/q11", "nngp/polar q11", ... and those of the NTK."""
    parts = (
        {v: table[f"{k}/{mark}{v}"] for v in names}
        for mark, names in (("", wrt), ("polar ", POLAR))
        for k in ("nngp", "ntk")
    )
    return KernelGradients(table["nngp"], table["ntk"], *parts)


def exchanged(name: str) -> str:
    """The name of a derivative with the two points exchanged."""
    swapped = {"q11": "q22", "q22": "q11"}
    first, mark, last = name.rpartition(" " if " " in name else "/")
    return first + mark + swapped.get(last, last)


def give(found: KernelGradients, place: tuple[int, int], given: Mapping[str, Any]) -> None:
    """Put the numbers of one pair, named as in `named_planes`, in their place."""
    for k, mark, values in (
        ("nngp", "", found.d_nngp),
        ("nngp", "polar ", found.polar_nngp),
        ("ntk", "", found.d_ntk),
        ("ntk", "polar ", found.polar_ntk),
    ):
        getattr(found, k)[place] = float(given[k])
        for v, plane in values.items():
            plane[place] = float(given[f"{k}/{mark}{v}"])
