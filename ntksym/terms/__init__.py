"""Decompose: activations as finite sums of terms of an algebra closed under +, x, d/dx, affine maps."""

from .decompose import decompose as decompose
from .term import Key as Key
from .term import TermSum as TermSum
