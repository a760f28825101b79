"""Decompose: activations as sums of terms, in an algebra closed under +, x, d/dx, affine maps."""

from .decompose import decompose as decompose
from .term import Key as Key
from .term import TermSum as TermSum
