"""Rectified powers: zero on the left, a power on the right, and their relatives."""

from __future__ import annotations

from sympy import Abs, Max, Min

from ..activation import Activation
from ..symbols import x
from .entry import Entry
from .parameters import a, b, slope
from .polynomials import check_order


def rectified_power(degree: int) -> Activation:
    r"""The activation $\max(x, 0)^n$, named `relu<n>`; $n = 0$ is not among them (see `step`).

    Its dual is the arc-cosine kernel of order n, up to the factor 2 (Cho & Saul 2009).

    Raises:
        BadActivation: a degree that is not an integer from 1 to 64.
    """
    n = check_order(degree, 1, "the degree of a rectified power")
    return _power(n).activation


def _power(n: int) -> Entry:
    return Entry(
        f"relu{n}", lambda: Max(x, 0) ** n, title=f"Rectified power {n}", refs=("cho2009kernel",)
    )


relu = Entry(
    "relu",
    lambda: Max(x, 0),
    title="Rectified linear unit",
    refs=("cho2009kernel", "daniely2016toward"),
)
leaky_relu = Entry(
    "leaky_relu",
    lambda: Max(x, 0) + slope * Min(x, 0),
    title="Leaky ReLU",
    refs=("cho2009kernel",),
)
abs_ = Entry("abs", lambda: Abs(x), title="Absolute value", refs=("cho2009kernel",))
abrelu = Entry(
    "abrelu",
    lambda: a * Min(x, 0) + b * Max(x, 0),
    title="ABReLU: slope a on the left, slope b on the right",
    refs=("cho2009kernel", "novak2020neural"),
)
squared_relu = Entry(
    "squared_relu", lambda: Max(x, 0) ** 2, title="Squared ReLU", refs=("cho2009kernel",)
)
cubed_relu = Entry(
    "cubed_relu", lambda: Max(x, 0) ** 3, title="Cubed ReLU", refs=("cho2009kernel",)
)
relu4 = _power(4)
shifted_relu = Entry("shifted_relu", lambda: Max(x - b, 0), title="ReLU with its kink at b")

ENTRIES = (
    relu,
    leaky_relu,
    abs_,
    abrelu,
    squared_relu,
    cubed_relu,
    relu4,
    shifted_relu,
)
